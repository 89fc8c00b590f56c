"""The demo, killed at any moment and run again, ends in the same tables and the same CRM records."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from backhaul.cli.making import make_project
from backhaul.config import WarehouseConfig
from backhaul.simulator.store import Store
from backhaul.warehouse import open_warehouse

PEOPLE = "200"
KILLS = 3
"""When, is drawn by the seed BACKHAUL_KILL_SEED."""
TABLES = (
    "campaign.recipients",
    "campaign.recipient_links",
    "campaign.duplicates",
    "campaign.engagement",
    "campaign.engagement_scores",
    "export.export_salesforce_contact",
    "export.export_salesforce_lead",
    "export.export_dynamics_contact",
    "export.export_dynamics_lead",
)
# When something was first seen or written is the clock's matter, and an interrupted demo takes longer.
CLOCKED = {"known_since", "linked_at", "first_seen_at", "modified_at", "changed_at", "merged_at", "departed_at"}
# A link shows its record's own flag as last imported. What the last export wrote there shows with the next import, and
# an interrupted last act has imported once more; that the flag is in the CRM is what `records` compares.
ECHOED = {"campaign.recipient_links": {"opted_out"}}


def start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "backhaul", "demo", "--people", PEOPLE, "--quiet", "--project-dir", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def finish(folder: Path) -> float:
    began = time.monotonic()
    process = start(folder)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 0, said.decode()
    return time.monotonic() - began


def tables(folder: Path) -> dict[str, list[str]]:
    found = {}
    with open_warehouse(WarehouseConfig(destination="duckdb", path=".backhaul/demo/demo.duckdb"), folder) as warehouse:
        for name in TABLES:
            schema, _, table = name.partition(".")
            columns = ", ".join(
                f'"{c}"' for c in warehouse.columns(schema, table) if c not in CLOCKED | ECHOED.get(name, set())
            )
            rows = warehouse.rows(f"SELECT CAST(ROW({columns}) AS VARCHAR) AS said FROM {name}")
            found[name] = sorted(row["said"] for row in rows)
    return found


def records(folder: Path) -> dict[str, list[Any]]:
    """What the orgs hold of what we write, from their own state on disk."""
    wanted: dict[str, dict[str, tuple[str, ...]]] = {
        "salesforce": {"Contact": ("Id", "Campaign_Score__c", "Last_Open__c", "HasOptedOutOfEmail", "IsDeleted")},
        "dynamics": {"contact": ("contactid", "new_campaignscore", "new_lastopen", "donotbulkemail")},
    }
    found = {}
    for org, objects in wanted.items():
        store = Store(folder / ".backhaul" / "demo" / "orgs" / f"{org}.duckdb")
        for name, columns in objects.items():
            listed = ", ".join(f'"{column}"' for column in columns)
            found[name] = sorted(map(str, store.query(f'SELECT {listed} FROM "{name}"')))
        store.close()
    return found


def differences(expected: dict[str, list[Any]], found: dict[str, list[Any]]) -> dict[str, tuple[list[Any], list[Any]]]:
    """What is missing and what is too much, a table: the rows alone that differ, so that a failure can be read."""
    return {
        name: (missing, surplus)
        for name, rows in expected.items()
        if (missing := [row for row in rows if row not in found[name]])
        + (surplus := [row for row in found[name] if row not in rows])
        or len(rows) != len(found[name])
    }


@pytest.mark.slow
def test_a_demo_killed_anywhere_ends_in_the_same_tables(tmp_path: Path) -> None:
    undisturbed = tmp_path / "undisturbed"
    make_project(undisturbed)
    took = finish(undisturbed)
    expected = tables(undisturbed), records(undisturbed)
    assert all(expected[0].values())
    draw = random.Random(int(os.environ.get("BACKHAUL_KILL_SEED", "20260302")))
    folder = tmp_path / "killed"
    make_project(folder, "undisturbed")
    for _ in range(KILLS):
        process = start(folder)
        try:
            process.wait(draw.uniform(0.1, 0.8) * took)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            said = process.stderr.read().decode() if process.stderr else ""
            assert process.returncode == 0, said
            break  # it came to its end before the kill
    else:
        finish(folder)
    assert differences(expected[0], tables(folder)) == {}
    assert differences(expected[1], records(folder)) == {}
