"""The messages, as golden files: each case is the files of a project and what is said about them.

A case is tests/config/golden/<name>.txt: sections that begin with ``=== <file>``, laid over the sound project of
projects.py, and a last section ``=== faults``. Set BACKHAUL_UPDATE_GOLDEN=1 to write the last section anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from backhaul.config import check_project

from .projects import ENVIRON, write

GOLDEN = Path(__file__).parent / "golden"


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"(?m)^=== (.+)\n", text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("case", sorted(path.stem for path in GOLDEN.glob("*.txt")))
def test_messages(case: str, tmp_path: Path) -> None:
    path = GOLDEN / f"{case}.txt"
    sections = _sections(path.read_text(encoding="utf-8"))
    expected = sections.pop("faults", "")
    files: dict[str, str | bytes | None] = {name: content.replace("␉", "\t") for name, content in sections.items()}
    write(tmp_path, files)

    found = "".join(f"{fault}\n" for fault in check_project(tmp_path, environ=ENVIRON))

    if os.environ.get("BACKHAUL_UPDATE_GOLDEN"):
        text = "".join(f"=== {name}\n{content}" for name, content in sections.items())
        path.write_text(f"{text}=== faults\n{found}", encoding="utf-8")
    assert found == expected
    assert str(tmp_path) not in found
