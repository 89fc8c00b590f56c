"""Killed at any moment and run again, an import ends in the same tables."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from backhaul.warehouse import open_warehouse

from .conftest import Desk
from .doomed import CALLS, FILES, T0, config, people
from .served import Served, project

ROOT = Path(__file__).resolve().parents[2]


def kill_at(folder: Path, moments: Sequence[str]) -> dict[str, str]:
    for moment in moments:
        (folder / moment).mkdir()
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "importing.doomed", str(folder), *moments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


def run_again(folder: Path) -> tuple[Desk, Any]:
    """Run once more, an hour later by the CRM's clock, when a further record has come."""
    org = people()
    org.clock = T0 + timedelta(hours=1)
    org.put("9", LastName="new")
    warehouse = open_warehouse(cast(Any, SimpleNamespace(destination="duckdb", path="w.duckdb")), folder)
    desk = Desk(folder, org, Served(org), warehouse, project(folder), config())
    return desk, desk.run()


def check(folder: Path, moments: Sequence[str]) -> dict[str, Any]:
    results = {}
    killed = kill_at(folder, moments)
    for moment in moments:
        assert killed[moment] == "killed", moment
        desk, result = run_again(folder / moment)
        with desk.warehouse:
            seen = desk.log("Id, LastName, Email, Score__c, _backhaul_deleted")
            fresh = [(f"{n}", f"L{n}", "a\nb" if n % 2 else None) for n in range(9)] + [("9", "new", None)]
            assert [(row["Id"], row["LastName"], row["Email"]) for row in seen] == fresh, moment
            assert desk.value() == result.end == T0 + timedelta(hours=1)
            assert desk.run().rows_loaded == 0
            assert not list(desk.spools.glob("*"))
            assert not desk.warehouse.exists("raw", "_backhaul_incoming__salesforce__Contact")
        results[moment] = result
    return results


def test_killed_while_fetching_and_around_the_load(tmp_path: Path) -> None:
    results = check(tmp_path, ("page", "appended"))
    assert (results["page"].resumed, results["page"].rows_loaded) == (True, 10)
    assert (results["appended"].resumed, results["appended"].rows_loaded) == (True, 1)


@pytest.mark.slow
def test_killed_at_every_moment(tmp_path: Path) -> None:
    results = check(tmp_path, tuple(moment for moment in (*CALLS, *FILES) if moment not in ("page", "appended")))
    assert (results["stored"].resumed, results["stored"].rows_loaded) == (False, 1)
