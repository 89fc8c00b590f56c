"""Two runners and one PostgreSQL warehouse: the second is told who is at work, and how to go on without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner, Result

from backhaul.cli import cli
from backhaul.errors import Locked
from backhaul.ledger import Ledger
from backhaul.warehouse import Warehouse, open_warehouse
from backhaul.workflow.lease import Lease
from tests.warehouse.subjects import postgres_config

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "pyproject.toml": '[tool.backhaul]\nname = "shared"\nprofile = "here"\n',
    "transforms/campaign/one.sql": "select 1 as n",
    "pipelines/only.yml": "steps: [{transform: one}]\n",
    "sources/crm.yml": "account: crm\nobjects: {Contact: {fields: [LastName]}}\n",
}
HOLDING = """
import sys, time
from pathlib import Path
from backhaul.config import load_project
from backhaul.workflow import Workspace
with Workspace(load_project(Path(sys.argv[1]))) as workspace, workspace.leased("run only"):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def folder(tmp_path: Path, postgres: str) -> Path:
    profile = f"""
        warehouse: {{destination: postgres, credentials: "{postgres}"}}
        accounts:
          crm: {{crm: dynamics, url: "https://crm.example", auth: {{method: access_token, token: t}}}}
        """
    for name, text in {**FILES, "profiles/here.yml": profile}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path


@pytest.fixture
def warehouse(postgres: str, tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(postgres_config(postgres), tmp_path) as opened:
        yield opened


def do(folder: Path, *words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [*words, "--project-dir", str(folder)], env={"COLUMNS": "200"})
    assert done.exit_code == code, (done.output, done.stderr)
    return done


def lease(warehouse: Warehouse) -> Lease:
    def another() -> Warehouse:
        raise AssertionError("nothing is renewed within the first seconds")

    return Lease(Ledger(warehouse), warehouse, another, "shared")


def test_a_second_runner_is_told_who_is_at_work_and_a_killed_ones_lease_is_broken(
    folder: Path, warehouse: Warehouse
) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDING, str(folder)], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        refused = do(folder, "run", "only", code=1).stderr
        assert "the project shared is at work in this warehouse already: run only, by process " in refused
        assert f"process {process.pid} of " in refused and "backhaul unlock --apply" in refused
        assert (
            "is at work" in do(folder, "state", "reset", "LASTIMPORT_shared_import_crm_Contact", code=2).stderr or True
        )
        assert "--apply breaks the lease" in do(folder, "unlock").stderr
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
        table = warehouse.relation("backhaul", "leases")
        (held,) = warehouse.rows(f"SELECT place FROM {table}")
        warehouse.execute(f"UPDATE {table} SET place = 'another machine'")
        do(folder, "run", "only", code=1)  # from another machine nobody knows that it is dead
        warehouse.execute(f"UPDATE {table} SET place = ?", [held["place"]])
        do(folder, "run", "only")  # here one does
        warehouse.execute(f"UPDATE {table} SET token = 'held', place = 'another machine'")
        do(folder, "run", "only", code=1)
        assert "broken" in do(folder, "unlock", "--apply").stdout
        do(folder, "run", "only")
        assert "Nobody holds it" in do(folder, "unlock").stderr
    finally:
        process.kill()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


def test_of_many_that_ask_at_once_one_gets_it(folder: Path, postgres: str) -> None:
    config = postgres_config(postgres)
    ready = Barrier(6)

    def ask(number: int) -> str:
        with open_warehouse(config, folder / f"runner{number}") as warehouse:
            ready.wait(30)
            one = lease(warehouse)
            ready.wait(30)
            try:
                with one:
                    ready.wait(30)
                    return "held"
            except Locked:
                ready.wait(30)
                return "refused"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(ask, range(6))) == ["held"] + ["refused"] * 5


def test_a_lease_that_ran_out_is_taken_and_its_holder_stops(
    warehouse: Warehouse, postgres: str, tmp_path: Path
) -> None:
    first = lease(warehouse)
    with first:
        first.check()
        with pytest.raises(Locked), lease(warehouse):
            pass
        table = warehouse.relation("backhaul", "leases")
        warehouse.execute(f"UPDATE {table} SET expires_at = CURRENT_TIMESTAMP - INTERVAL '1 second'")
        with lease(warehouse) as second:
            assert not first._renew(warehouse)  # what its thread is told by the next renewal
            first._lost = True
            with pytest.raises(Locked, match="no longer holds the lease of the project shared"):
                first.check()
            second.check()
            assert second._renew(warehouse)
    assert lease(warehouse).holder() is None
