"""A small project over the simulated Salesforce org, for tests of whole steps."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from backhaul.config import load_project
from backhaul.simulator import Running
from backhaul.workflow import RunResult, Workspace

from ..conftest import Door

ROOT = Path(__file__).resolve().parents[2]


class Project:
    """A small project over the simulated org; files are given by name."""

    def __init__(self, folder: Path, running: Running, door: Door) -> None:
        self.folder = folder
        self.running = running
        self.door = door
        self.write(
            {
                "pyproject.toml": '[tool.backhaul]\nname = "held"\nprofile = "demo"\n',
                "profiles/demo.yml": (ROOT / "profiles" / "demo.yml").read_text(encoding="utf-8"),
            }
        )

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")

    def source(self, body: str, object: str = "Contact") -> None:
        text = textwrap.indent(textwrap.dedent(body), "    ")
        self.write({"sources/salesforce.yml": f"account: salesforce\nobjects:\n  {object}:\n{text}"})

    def steps(self, body: str) -> None:
        self.write({"pipelines/one.yml": "steps:\n" + textwrap.indent(textwrap.dedent(body), "  ")})

    def open(self) -> Workspace:
        return Workspace(load_project(self.folder, environ=self.running.environment))

    def run(self, **options: Any) -> RunResult:
        with self.open() as workspace:
            return workspace.run("one", **options)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.open() as workspace:
            return workspace.warehouse.rows(sql)


def state(result: RunResult) -> tuple[str, list[str]]:
    return result.state, [step.message for step in result.steps]
