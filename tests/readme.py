"""The README's YAML reference, made from the configuration's own types. `make readme` writes it anew."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from backhaul.config.documented import reference

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- The tables below are made by `make readme`. -->"
END = "<!-- End of the tables. -->"
TITLES = {
    "pyproject": "pyproject.toml",
    "profiles": "profiles/NAME.yml",
    "sources": "sources/NAME.yml",
    "pipelines": "pipelines/NAME.yml",
}


def shown(value: Any) -> str:
    if value in (None, {}, []):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def tables() -> str:
    """Markdown: a section a file, a table a mapping in it."""
    lines: list[str] = []
    entries = reference()
    for file, title in TITLES.items():
        lines += [f"### {title}", ""]
        paths = list(dict.fromkeys(entry["path"] for entry in entries if entry["file"] == file))
        for path in paths:
            lines += [f"**`{path or 'top level'}`**", "", "| key | value | default | meaning |", "|---|---|---|---|"]
            for entry in entries:
                if (entry["file"], entry["path"]) == (file, path):
                    default = "required" if entry["required"] else shown(entry["default"])
                    kind = entry["type"].replace("|", "\\|")
                    meaning = entry["description"].replace("|", "\\|").replace("<", "&lt;")
                    lines.append(f"| `{entry['key']}` | {kind} | {default} | {meaning} |")
            lines.append("")
    return "\n".join(lines)


def rewritten(text: str) -> str:
    """The README with the tables as they have to be."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{tables()}\n{END}", text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
