"""An undo killed at a write boundary and called again restores the org all the same, on both CRMs.

By default one boundary of each kind of undo is tried; `make crash` tries as many as there is time for, or all
(:func:`.doomed.drawn`).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from backhaul import simulator
from backhaul.simulator import Running
from backhaul.workflow import exit_code
from tests.undo.conftest import Row, Tried, differences

from .doomed import Children, drawn

BEFORE: list[Row] = [(f"M{n}", f"Name {n}", f"m{n}@example.com", n / 2, False) for n in range(5)]
AFTER: list[Row] = [(f"M{n}", f"Other {n}", f"m{n}@example.com", 50 + n, False) for n in range(7)]
MODES = ("insert", "update", "upsert", "delete")
FEWEST = 12
"""So many boundaries an undo has at least: three batches of two rows."""


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


class Undone:
    """A run in batches of two rows, kept as it was before its undo, so that it can be undone again and again."""

    def __init__(self, folder: Path, orgs: Running, children: Children, crm: str, mode: str) -> None:
        self.tried, self.children, self.mode = Tried(folder, orgs, crm), children, mode
        path = folder / f"pipelines/{crm}_{mode}.yml"
        batched = path.read_text(encoding="utf-8").replace("guards: {", "batch: {rows: 2, parallel: 1}, guards: {")
        path.write_text(batched, encoding="utf-8")

    def fresh(self) -> None:
        """The org as it was, and the run done."""
        tried = self.tried
        tried.org.reset()
        for left in (*tried.folder.glob(".backhaul"), *tried.folder.glob("*.duckdb*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        tried.seed(BEFORE if self.mode != "insert" else [])
        self.before = tried.live()
        tried.people(AFTER if self.mode != "delete" else BEFORE)
        result = tried.run(self.mode)
        assert exit_code(result.state) == 0, [step.message for step in result.steps]
        assert differences(tried.live(), self.before) != []
        self.run = result.run_id

    def child(self, boundary: int) -> dict[str, list[str]]:
        return self.children.run(
            {
                "folder": str(self.tried.folder),
                "environment": self.tried.orgs.environment,
                "undo": self.run,
                "boundary": boundary,
            }
        )

    def killed_at(self, boundary: int, name: str) -> None:
        """Kill the undo there, call it again, and compare."""
        self.fresh()
        answer = self.child(boundary)
        where = f"undo of {self.tried.crm} {self.mode}, killed at {boundary}: {name}"
        status = int(answer["status"])  # type: ignore[call-overload]
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (where, answer)
        again = self.tried.undo(self.run)
        assert exit_code(again.state) == 0, (where, [step.message for step in again.steps])
        assert differences(self.tried.live(), self.before) == [], where
        with self.tried.open() as workspace:
            left = workspace.warehouse.rows("SELECT * FROM backhaul.batches WHERE state = 'sent'")
            told = workspace.warehouse.rows("SELECT * FROM backhaul.outcomes WHERE state <> 'done'")
        assert (left, told) == ([], []), where
        assert self.tried.undo(self.run).steps[-1].rows == 0, where


@pytest.fixture
def undone(request: pytest.FixtureRequest, tmp_path: Path, orgs: Running, children: Children) -> Undone:
    crm, mode = request.param
    return Undone(tmp_path, orgs, children, crm, mode)


WAYS = [(crm, mode) for crm in ("salesforce", "dynamics") for mode in MODES]


@pytest.mark.slow
@pytest.mark.parametrize("undone", WAYS, indirect=True, ids=" ".join)
def test_an_undo_killed_at_a_boundary(undone: Undone) -> None:
    """One boundary, drawn by a seed."""
    undone.killed_at(random.Random(f"{undone.tried.crm} {undone.mode}").randint(2, FEWEST), "drawn by a seed")


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.parametrize("undone", WAYS, indirect=True, ids=" ".join)
def test_an_undo_killed_at_every_boundary(undone: Undone) -> None:
    undone.fresh()
    answer = undone.child(0)
    assert int(answer["status"]) == 0 and len(answer["names"]) >= FEWEST, answer  # type: ignore[call-overload]
    for boundary, name in drawn(answer["names"], f"{undone.tried.crm} {undone.mode}"):
        undone.killed_at(boundary, name)
