"""Plans as a person meets them: looked at, filed, applied, blocked, killed and resumed, in conflict, undecided."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backhaul.cli import cli
from backhaul.config import load_project
from backhaul.simulator import Running
from backhaul.warehouse import open_warehouse
from backhaul.warehouse.postgres import PostgresWarehouse
from backhaul.workflow import StepResult, Workspace
from backhaul.workflow.results import SilentListener
from tests.warehouse.postgres_server import PostgresServer
from tests.warehouse.subjects import FIRST_DUCKDB, point

from ..conftest import Door

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 60
FILES = {
    "pyproject.toml": '[tool.backhaul]\nname = "plans"\nprofile = "demo"\n',
    "profiles/demo.yml": (ROOT / "profiles" / "demo.yml").read_text(encoding="utf-8"),
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact: {fields: [LastName, Phone, Member_Number__c, HasOptedOutOfEmail]}
        """,
    "transforms/seeds/people.yml": """
        seeds: [{name: people, config: {column_types: {phone: varchar, opted_out: boolean}}}]
        """,
    "transforms/export/wanted.sql": "select member, name, phone, opted_out from {{ ref('people') }}",
    "transforms/export/refused.sql": """
        select key, error_symbol, class from {{ source('backhaul', 'rejects') }} where state = 'open'
        """,
    "pipelines/one.yml": """
        steps:
          - import: salesforce.Contact
          - transform: wanted people
          - export: salesforce.Contact
            name: put
            from: wanted
            mode: upsert
            key: {Member_Number__c: member}
            map:
              LastName: name
              Phone: phone
              HasOptedOutOfEmail: {from: opted_out, only_tighten: true}
            batch: {rows: 20, parallel: 1}
          - transform: refused
        """,
}


class Desk:
    """The project and its command line."""

    def __init__(self, folder: Path, running: Running, door: Door) -> None:
        self.folder = folder
        self.running = running
        self.door = door
        for name, text in FILES.items():
            self.write(name, text)
        self.people({f"M{n:02}": (f"Name {n}", str(n), False) for n in range(PEOPLE)})

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def people(self, rows: dict[str, tuple[str, str, bool]]) -> None:
        lines = [f"{member},{name},{phone},{str(out).lower()}" for member, (name, phone, out) in rows.items()]
        self.write("transforms/seeds/people.csv", "member,name,phone,opted_out\n" + "\n".join(lines) + "\n")

    def do(self, *words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(
            cli, [*words, "--project-dir", str(self.folder)], env={**self.running.environment, "COLUMNS": "200"}
        )
        assert done.exit_code == code, (done.output, done.stderr)
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.do(*words, "--json", code=code).stdout)

    def later(self) -> None:
        self.door.post("clock", {"advance": 60})

    def held(self) -> dict[str, tuple[str, str | None]]:
        return {row["Member_Number__c"]: (row["LastName"], row["Phone"]) for row in self.door.dump("Contact")}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Workspace(load_project(self.folder, environ=self.running.environment)) as workspace:
            return workspace.warehouse.rows(sql)


@pytest.fixture(params=FIRST_DUCKDB)
def desk(request: pytest.FixtureRequest, tmp_path: Path, running: Running, salesforce_door: Door) -> Desk:
    made = Desk(tmp_path / "project", running, salesforce_door)
    if request.param == "postgres":
        point(made.folder, "demo", request.getfixturevalue("postgres"))
    return made


def test_a_filed_plan_is_sent_exactly_or_not_at_all(desk: Desk, tmp_path: Path) -> None:
    desk.do("import")
    desk.do("transform", "wanted", "people")
    file = tmp_path / "plan.parquet"
    shown = desk.do("plan", "one", "--out", str(file))
    assert "about 3 API requests" in shown.stdout and f"backhaul apply {file}" in shown.stderr
    assert desk.held() == {}
    # The model moves under the plan: nothing is sent, and the message says what moved.
    desk.people({f"M{n:02}": (f"Name {n}", "7" if n == 3 else str(n), False) for n in range(PEOPLE)})
    desk.do("transform", "wanted", "people")
    refused = desk.do("apply", str(file), code=1)
    assert "the model's rows changed since it was made; nothing was sent" in refused.stderr and desk.held() == {}
    desk.do("plan", "one", "--out", str(file))
    desk.do("apply", str(file))
    assert len(desk.held()) == PEOPLE and desk.held()["M03"] == ("Name 3", "7")
    # Once more would be another plan: there is nothing left to do.
    assert "what was sent, refused or decided since" in desk.do("apply", str(file), code=1).stderr
    assert desk.json("plan", "one")["plans"][0]["counts"] == {"skip": PEOPLE}
    file.write_bytes(file.read_bytes()[:100])
    assert "is no file of plans" in desk.do("apply", str(file), code=2).stderr


def test_a_plan_that_is_edited_is_refused(desk: Desk, tmp_path: Path) -> None:
    from pyarrow import parquet

    desk.do("import")
    desk.do("transform", "wanted", "people")
    file = tmp_path / "plan.parquet"
    desk.do("plan", "one", "--out", str(file))
    table = parquet.read_table(file)
    parquet.write_table(table.slice(0, 10), file)
    assert "does not hold the rows" in desk.do("apply", str(file), code=2).stderr


def killed(desk: Desk, after: int) -> None:
    """A run whose process is killed at its so many-th write."""
    script = f"""
        import os, signal, sys
        from backhaul.crm.salesforce import writing
        from backhaul.cli import cli
        left = [{after}]
        send = writing.Writer._answers
        def answers(self, request, expected):
            left[0] -= 1
            told = send(self, request, expected)
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return told
        writing.Writer._answers = answers
        cli(["run", "one", "--project-dir", {str(desk.folder)!r}])
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, **desk.running.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize("after", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 3))])
def test_a_killed_run_is_resumed(desk: Desk, after: int) -> None:
    killed(desk, after)
    assert len(desk.held()) == 20 * after
    folder = next((desk.folder / ".backhaul" / "demo" / "journal").iterdir())
    assert {path.name for path in folder.iterdir()} == {"plan.parquet", "journal.jsonl"}
    assert any(run["state"] in ("running", "interrupted") for run in desk.rows("SELECT state FROM backhaul.runs"))
    result = desk.json("resume")
    assert [step["kind"] for step in result["steps"]] == ["export", "transform"]
    assert len(desk.held()) == len(desk.door.dump("Contact")) == PEOPLE
    assert not list((desk.folder / ".backhaul" / "demo" / "journal").iterdir())
    assert "no run waits to be resumed" in desk.do("resume", code=2).stderr


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["postgres"], indirect=True)
def test_a_run_killed_on_one_machine_is_finished_on_another(desk: Desk, tmp_path: Path) -> None:
    """The other one has the repository and the warehouse, and says what it does not have."""
    killed(desk, 2)
    assert len(desk.held()) == 40
    with Workspace(load_project(desk.folder, environ=desk.running.environment)) as workspace:
        warehouse, ledger = workspace.warehouse, workspace.ledger
        warehouse.execute(f"UPDATE {ledger.table('runs')} SET host = 'elsewhere'")
        warehouse.execute(f"UPDATE {ledger.table('leases')} SET host = 'elsewhere', place = 'elsewhere'")
    other = tmp_path / "other"
    shutil.copytree(desk.folder, other, ignore=shutil.ignore_patterns(".backhaul"))
    desk.folder = other
    assert "on elsewhere since" in desk.do("resume", code=1).stderr
    desk.do("unlock", "--apply")
    before = desk.json("state", "show")["options"]
    resumed = desk.json("resume")
    assert [step["kind"] for step in resumed["steps"]] == ["export", "transform"]
    (remark,) = resumed["remarks"]
    assert (
        "was interrupted on the machine elsewhere" in remark
        and "of 1 batches under way the answers lie there" in remark
    )
    assert len(desk.held()) == len(desk.door.dump("Contact")) == PEOPLE
    assert desk.json("state", "show")["options"] == before and before[0]["value"]
    desk.later()
    ran = desk.json("run", "one")
    assert ran["remarks"] == [] and [step["rows"] for step in ran["steps"] if step["kind"] == "export"] == [0]
    assert len(desk.door.dump("Contact")) == PEOPLE


class Cutting(SilentListener):
    """Ends every session of a database after one kind of step, as a server does that is started anew."""

    def __init__(self, server: PostgresServer, database: str, after: str) -> None:
        self.sql = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        self.server, self.after = server, after

    def step_finished(self, result: StepResult) -> None:
        if result.kind == self.after:
            self.server.execute(self.sql)
            self.after = ""


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["postgres"], indirect=True)
@pytest.mark.parametrize("after", ["import", "export"])
def test_a_server_that_is_started_anew_between_two_steps_fails_one_and_loses_nothing(
    desk: Desk, after: str, postgres: str, postgres_server: PostgresServer
) -> None:
    listener = Cutting(postgres_server, postgres.rpartition("/")[2], after)
    with Workspace(load_project(desk.folder, environ=desk.running.environment), listener) as workspace:
        ran = workspace.run("one")
    failed = [step for step in ran.steps if step.state == "failed"]
    assert [step.kind for step in failed] == ["transform"] and "connection to PostgreSQL was lost" in failed[0].message
    assert "see that the server is up" in failed[0].message
    assert [run["state"] for run in desk.rows("SELECT state FROM backhaul.runs")] == ["failed"]
    desk.do("resume")
    assert len(desk.held()) == len(desk.door.dump("Contact")) == PEOPLE


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["postgres"], indirect=True)
def test_a_plan_is_of_one_moment_whatever_is_committed_while_it_is_made(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session takes records away, and writes values down as sent, between any two of the plan's readings."""
    desk.do("run", "one")
    desk.later()
    desk.people({f"M{n:02}": (f"Name {n}", "new" if n < 7 else str(n), False) for n in range(PEOPLE)})
    desk.do("import", "salesforce.Contact")
    desk.do("transform", "wanted", "people")
    with Workspace(load_project(desk.folder, environ=desk.running.environment)) as workspace:
        (step,) = workspace.export_steps("one")
        undisturbed = workspace.plan(step)
        log, sent = workspace.warehouse.relation("raw", "salesforce__contact"), workspace.ledger.table("field_changes")
        read: list[str] = []
        copied = PostgresWarehouse.copied

        def disturbed(self: PostgresWarehouse, schema: str, name: str, *more: Any) -> None:
            copied(self, schema, name, *more)
            if not read:
                with open_warehouse(workspace.project.profile.warehouse, desk.folder) as other, other.transaction():
                    other.execute(f"DELETE FROM {log} WHERE phone < '4'")
                    other.execute(f"UPDATE {sent} SET value = 'new', sent_at = CURRENT_TIMESTAMP WHERE field = 'Phone'")
            read.append(name)

        monkeypatch.setattr(PostgresWarehouse, "copied", disturbed)
        plan = workspace.plan(step)
        assert len(read) > 2
        monkeypatch.undo()
        assert plan.digest(workspace.warehouse) == undisturbed.digest(workspace.warehouse)
        assert (plan.counts, plan.mirrored) == ({"skip": PEOPLE - 7, "update": 7}, PEOPLE)
        assert workspace.plan(step).counts != plan.counts


def test_conflicts_are_listed_and_decided(desk: Desk) -> None:
    desk.do("run", "one")
    desk.later()
    desk.do("run", "one")
    (record,) = [row["Id"] for row in desk.door.dump("Contact") if row["Member_Number__c"] == "M05"]
    desk.door.change("Contact", [{"Id": record, "Phone": "by hand"}])
    desk.later()
    desk.people({f"M{n:02}": (f"Name {n}", "campaign" if n == 5 else str(n), False) for n in range(PEOPLE)})
    ran = desk.json("run", "one")
    assert [step["details"].get("conflicts") for step in ran["steps"] if step["kind"] == "export"] == [1]
    assert desk.held()["M05"] == ("Name 5", "by hand")
    (listed,) = desk.json("conflicts", "list")["conflicts"]
    assert (listed["key"], listed["field"], listed["crm"], listed["model"]) == ("M05", "Phone", "by hand", "campaign")
    assert "conflicts" in desk.do("status").stdout
    assert "no conflict" in desk.do("conflicts", "resolve", "put", "M99", "--take", "crm", code=2).stderr
    desk.do("conflicts", "resolve", "put", "M05", "Phone", "--take", "campaign")
    desk.do("export", "one")
    assert desk.held()["M05"] == ("Name 5", "campaign")
    assert desk.json("conflicts", "list")["conflicts"] == []


def test_rejects_have_a_class_and_models_can_read_them(desk: Desk) -> None:
    people = {f"M{n:02}": (f"Name {n}", str(n), False) for n in range(PEOPLE)}
    desk.people({**people, "M07": ("x" * 81, "7", True)})
    desk.do("run", "one", code=3)
    (reject,) = desk.json("rejects")["rejects"]
    assert (reject["key"], reject["errorSymbol"], reject["class"]) == ("M07", "VALUE_TOO_LONG", "fix data")
    assert desk.rows("SELECT * FROM export.refused") == [
        {"key": "M07", "error_symbol": "VALUE_TOO_LONG", "class": "fix data"}
    ]
    desk.people({**people, "M07": ("Name 7", "7", True)})
    desk.do("run", "one")
    assert desk.json("rejects")["rejects"] == [] and len(desk.held()) == PEOPLE
    assert "nothing to send again" in desk.do("retry", "one").stderr


@pytest.mark.slow
def test_a_row_locked_for_a_moment_is_sent_again_within_the_run(desk: Desk) -> None:
    desk.do("run", "one")
    ids = {row["Member_Number__c"]: row["Id"] for row in desk.door.dump("Contact")}
    text = FILES["pipelines/one.yml"].replace(
        "batch: {rows: 20, parallel: 1}", "batch: {rows: 20}\n            rejects: {retry: {attempts: 4, wait: 1s}}"
    )
    desk.write("pipelines/one.yml", text)
    desk.people({f"M{n:02}": (f"Name {n}", f"{n}0", False) for n in range(PEOPLE)})
    desk.later()
    desk.door.post("settings", {"row_locks": [{"id": ids["M04"], "times": 6}]})
    desk.do("run", "one")
    assert desk.held()["M04"] == ("Name 4", "40")
