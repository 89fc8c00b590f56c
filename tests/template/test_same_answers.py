"""The demo's people on DuckDB, on PostgreSQL, and on that by dlt's client: the same tables, plans and ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.cli.making import make_project
from backhaul.config import load_project
from backhaul.simulator import Running, demo_orgs
from backhaul.workflow import Workspace, exit_code
from tests.warehouse.subjects import BY_DLT, CLICKHOUSE, point

PEOPLE = 120
TABLES = (
    *("matching.records", "matching.links", "matching.clusters"),
    *("campaign.recipients", "campaign.recipient_links", "campaign.duplicates", "campaign.engagement"),
    *("campaign.addresses", "campaign.opt_outs", "campaign.engagement_scores"),
    *(f"export.export_{crm}_{name}" for crm in ("salesforce", "dynamics") for name in ("contact", "lead")),
)
LEDGER = {
    "changes": "key, action, record_id, match, changes, fingerprint, symbol, reason, image",
    "outcomes": "step, batch, key, operation, record_id, state, created, symbol, message, fields",
    "field_changes": "step, record_id, key, field, old, value, created",
    "rejects": "step, key, fingerprint, record_id, refused_by, class, error_symbol, error_message, source_row, state",
    "conflicts": "step, record_id, key, field, kind, crm_value, model_value, state",
    "batches": "step, batch, account, object, operation, keys, rows, state",
    "windows": "step, kind, option_name, account, object, rows_received, rows_loaded",
    "steps": "position, step, kind, state, message",
}


class Told:
    """One warehouse's project over orgs of its own, which hold the same people."""

    def __init__(self, folder: Path, orgs: Running) -> None:
        self.folder, self.orgs = folder, orgs
        self.plans: dict[str, list[dict[str, Any]]] = {}
        self.tables: dict[str, list[str]] = {}
        self.results: list[list[tuple[str, str, int]]] = []

    def open(self) -> Workspace:
        return Workspace(load_project(self.folder, environ=self.orgs.environment))

    def run(self) -> None:
        """Import, transform and test, plan; export; an hour and some edits later, the same again."""
        with self.open() as workspace:
            steps = workspace.pipeline("contacts").steps
            before = [step for step in steps if step.kind not in ("export", "delete")]
            self.keep(workspace.run_steps(before, command="run", pipeline="contacts"))
            for step in workspace.export_steps("contacts"):
                plan = workspace.plan(step)
                rows = plan.rows(workspace.warehouse, ("create", "update", "delete", "skip", "refuse"))
                told = [{name: value for name, value in row.items() if name != "_row"} for row in rows]
                self.plans[step.name] = sorted(told, key=lambda row: json.dumps(row, default=str))
            self.keep(workspace.run("contacts"))
        for org in (self.orgs.salesforce, self.orgs.dynamics):
            org.clock.set(org.clock.now() + timedelta(hours=1), frozen=True)
        demo_orgs.edit(self.orgs.salesforce, self.orgs.dynamics)
        for org in (self.orgs.salesforce, self.orgs.dynamics):
            org.clock.set(org.clock.now() + timedelta(hours=1), frozen=True)
        with self.open() as workspace:
            self.keep(workspace.run("contacts"))
            engine = workspace.warehouse.engine(anew=True)
            for table in TABLES:
                schema, _, name = table.partition(".")
                self.tables[table] = _lines(engine.rows(f"SELECT * FROM {engine.relation(schema, name)}"))
            for table, columns in LEDGER.items():
                relation = engine.relation("backhaul", table)
                self.tables[table] = _lines(engine.rows(f"SELECT {columns} FROM {relation}"))

    def keep(self, result: Any) -> None:
        assert exit_code(result.state) in (0, 3), [step.message for step in result.steps if step.message]
        self.results.append([(step.name, step.state, step.rows) for step in result.steps])


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return f"{Decimal(str(value)).normalize():f}"  # 7.1 is 7.1, as a double and as a decimal of twelve places
        return value

    return sorted(json.dumps({name: plain(value) for name, value in row.items()}, default=str) for row in rows)


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Told]]:
    with ExitStack() as stack:

        @cache
        def run(name: str) -> Told:
            orgs = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
            moment = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
            for org in (orgs.salesforce, orgs.dynamics):
                org.clock.set(moment, frozen=True)
            demo_orgs.seed(orgs.salesforce, orgs.dynamics, people=PEOPLE)
            folder = tmp_path_factory.mktemp("same") / "project"
            make_project(folder, "same")
            if name.endswith("postgres"):
                server = request.getfixturevalue("postgres_server")
                url = stack.enter_context(server.database(f"same_answers_{name.count('.')}"))
                point(folder, "simulator", url, name)
            elif name == "clickhouse":
                point(folder, "simulator", request.getfixturevalue("clickhouse_server").emptied(), name)
            told = Told(folder, orgs)
            told.run()
            orgs.stop()
            return told

        yield run


OTHERS = pytest.mark.parametrize(
    "other",
    # The class for all of dlt's destinations once: ClickHouse goes by it too.
    [*(pytest.param(name, marks=pytest.mark.slow) for name in ("postgres", BY_DLT[-1])), CLICKHOUSE],
)


@OTHERS
def test_every_step_ends_alike(told: Callable[[str], Told], other: str) -> None:
    assert told(other).results == told("duckdb").results


@OTHERS
@pytest.mark.parametrize("table", [*TABLES, *LEDGER])
def test_every_table_holds_the_same_rows(told: Callable[[str], Told], table: str, other: str) -> None:
    ours, theirs = told("duckdb").tables[table], told(other).tables[table]
    assert [line for line in theirs if line not in set(ours)][:3] == [line for line in ours if line not in set(theirs)][
        :3
    ]
    assert theirs == ours
    assert ours or table in ("conflicts", "rejects")


@OTHERS
def test_every_plan_is_the_same(told: Callable[[str], Told], other: str) -> None:
    ours, theirs = told("duckdb").plans, told(other).plans
    assert ours.keys() == theirs.keys() and any(ours.values())
    for step in ours:
        assert theirs[step] == ours[step]
