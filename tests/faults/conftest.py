"""A small project whose steps are put through faults, over simulators shared by a file's tests.

The models are built once; each case starts from a copy of the warehouse with nothing imported and from an org that
holds the same people again.
"""

from __future__ import annotations

import functools
import re
import shutil
import textwrap
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.config import Project, load_project
from backhaul.crm import open_connector
from backhaul.crm.http import RetryPolicy
from backhaul.simulator import Running
from backhaul.workflow import RunResult, StepResult, Workspace

PROFILE = (Path(__file__).parents[2] / "profiles" / "demo.yml").read_text(encoding="utf-8")
QUICK = RetryPolicy(
    attempts=4, first_wait=0.01, longest_patience=60, sleep=lambda wanted: time.sleep(min(wanted, 0.01))
)
"""As patient as in earnest, in a hundredth of the time."""


class Tried:
    """One project in `folder`, over one of the orgs. `fresh` before each case; its pipeline ``models`` runs once."""

    def __init__(self, folder: Path, orgs: Running, crm: str, files: Mapping[str, str]) -> None:
        self.folder = folder
        self.orgs = orgs
        self.org: Any = orgs.salesforce if crm == "salesforce" else orgs.dynamics
        settings = '[tool.backhaul]\nname = "faults"\nprofile = "demo"\n'
        self.project: Project = self.edit({"pyproject.toml": settings, "profiles/demo.yml": PROFILE, **files})
        self._file, self._kept = folder / str(self.project.profile.warehouse.path), folder / "kept.duckdb"
        # Jobs under way and renewed tokens lie beside the folder of the profile.
        self._state = self.project.state_folder.parent
        self._state.mkdir(parents=True, exist_ok=True)
        if "models" in self.project.pipelines:
            assert self.run("models").state == "done"
            shutil.copy(self._file, self._kept)

    def edit(self, files: Mapping[str, str]) -> Project:
        """Write files of the project, and load it anew."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        self.project = load_project(self.folder, environ=self.orgs.environment)
        return self.project

    def keep(self, name: str) -> None:
        """Remember the warehouse and all other state as they are now, for :meth:`fresh`."""
        kept = self.folder / "kept" / name
        shutil.copytree(self._state, kept / "state")
        shutil.copy(self._file, kept / "warehouse")

    def fresh(self, kept: str = "") -> None:
        """A new org, no memory of it, and a warehouse in which nothing but the models was built; or all as `kept`."""
        self.org.reset()
        shutil.rmtree(self._state)
        if kept:
            shutil.copytree(self.folder / "kept" / kept / "state", self._state)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if kept:
            shutil.copy(self.folder / "kept" / kept / "warehouse", self._file)
        elif self._kept.exists():
            shutil.copy(self._kept, self._file)

    def run(self, pipeline: str) -> RunResult:
        """Run a pipeline as a command does: workspace, connections and session of its own."""
        with Workspace(self.project) as workspace:
            return workspace.run(pipeline)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Workspace(self.project) as workspace:
            return workspace.warehouse.rows(sql)

    def fault(self, path: str, action: Mapping[str, Any], *, method: str = "", skip: int = 0, times: int = 1) -> None:
        match = {"path": path, **({"method": method} if method else {})}
        self.org.faults.add({"match": match, "skip": skip, "times": times, "action": dict(action)})

    def books(self) -> dict[str, int]:
        """Rows by what became of them in all batches that were settled: each batch's rows have an outcome each.

        What a job never came to, as was found out later, counts for itself: such a row is sent again.
        """
        uneven = self.rows(
            "SELECT b.plan_id, b.batch, b.rows, count(o.key) AS told FROM backhaul.batches AS b "
            "LEFT JOIN backhaul.outcomes AS o USING (plan_id, batch) WHERE b.state = 'settled' "
            "GROUP BY ALL HAVING b.rows <> count(o.key)"
        )
        left = self.rows("SELECT * FROM backhaul.batches WHERE state NOT IN ('settled', 'abandoned')")
        assert not uneven and not left, (uneven, left)
        found = self.rows(
            "SELECT CASE symbol WHEN 'NOT_PROCESSED' THEN 'not processed' ELSE state END AS state, count(*) AS n "
            "FROM backhaul.outcomes GROUP BY ALL"
        )
        return Counter({row["state"]: row["n"] for row in found})


def failed(result: RunResult) -> list[StepResult]:
    """The steps of a run that did not get through."""
    return [step for step in result.steps if step.state not in ("done", "done with rejects", "skipped")]


_STRANGE = re.compile(
    r"Traceback|HTTPS?Connection|urllib3|object at 0x|Error\(|<[a-z!/]|\{\"|Bearer|127\.0\.0\.1|\bNone\b"
)


def reads_well(message: str) -> bool:
    """Says where and what next in a few lines of plain words: no library's words, no markup, no secrets."""
    return (
        0 < len(message) < 700
        and not _STRANGE.search(message)
        and bool(re.search(r"contact|salesforce|dynamics", message, re.IGNORECASE) or "next:" in message)
    )


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both simulators, for all tests of a file."""
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connectors that wait a hundredth of the time."""
    monkeypatch.setattr("backhaul.workflow.workspace.open_connector", functools.partial(open_connector, policy=QUICK))
