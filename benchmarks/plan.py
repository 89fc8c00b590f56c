"""Planning: an export model of 1,000,000 rows x 30 fields against a mirror of as many records.

One row in a hundred has two changes. Measured beside the least that any comparison does in the same database: one join
of the two tables on the id that counts the rows of which any field differs. Nothing is sent.

And a whole run, import to export, of as many Salesforce contacts of which none has changed, after a first import: the
simulator counts the requests that it was asked, and the writing ones among them, of which there must be none.

    python benchmarks/plan.py [--rows 1000000] [--unchanged 1000000]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulated import SALESFORCE, Clocked, Simulated, measured, peak_mb, write_project

FIELDS = 30
SEEN = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = ("decimal", "datetime", "boolean", "text", "text", "text")
"""By turns: a score, an instant, a flag, and texts of which every fourth is null."""


def made(kind: str, number: int) -> str:
    """A value of a field for the row `i`, as SQL."""
    chance = f"HASH(i, {number})"
    return {
        "decimal": f"CAST(({chance} % 1000) / 10.0 AS DECIMAL(5,1))",
        "datetime": f"TIMESTAMPTZ '2026-01-01' + TO_SECONDS(CAST({chance} % 9000000 AS BIGINT))",
        "boolean": f"{chance} % 3 = 0",
        "text": f"CASE WHEN {chance} % 4 = 0 THEN NULL ELSE 'value ' || ({chance} % 1000000) END",
    }[kind]


def fill(folder: Path, rows: int) -> None:
    """The raw log and the model, in a file of their own."""
    import duckdb

    kinds = [KINDS[number % len(KINDS)] for number in range(FIELDS)]
    values = ", ".join(f"{made(kind, number)} AS F{number}__c" for number, kind in enumerate(kinds))
    changed = ", ".join(
        f"CASE WHEN HASH(Id) % 100 = 0 THEN 'new' ELSE F{number}__c END AS F{number}__c"
        if number in (3, 4)
        else f"F{number}__c"
        for number in range(FIELDS)
    )
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        connection.execute("CREATE SCHEMA raw; CREATE SCHEMA export").fetchall()
        connection.execute(
            f"CREATE TABLE raw.log AS SELECT '003550000' || LPAD(CAST(i AS VARCHAR), 9, '0') AS Id, {values}, "
            "TIMESTAMPTZ '2026-02-01' AS LastModifiedDate, FALSE AS _backhaul_deleted, "
            "CAST(NULL AS VARCHAR) AS _backhaul_survivor, TIMESTAMPTZ '2026-02-02' AS _backhaul_seen_at, "
            f"'1' AS _dlt_load_id FROM range({rows}) AS t (i)"
        ).fetchall()
        connection.execute(f"CREATE TABLE export.m AS SELECT Id AS crm_id, {changed} FROM raw.log").fetchall()


def measure_plan(folder: Path) -> dict[str, Any]:
    """backhaul's plan."""
    from backhaul.config import ExportStep, MapConfig, WarehouseConfig
    from backhaul.export import Mirror, Source, make_plan
    from backhaul.importing import mirror_sql
    from backhaul.ledger import Ledger
    from backhaul.record import Field, Kind, ObjectSchema
    from backhaul.warehouse import open_warehouse

    of = {"decimal": Kind.DECIMAL, "datetime": Kind.DATETIME, "boolean": Kind.BOOLEAN, "text": Kind.TEXT}
    fields = {"Id": Field("Id", "Id", "id", Kind.ID)}
    for number in range(FIELDS):
        kind = KINDS[number % len(KINDS)]
        name = f"F{number}__c"
        vendor, length = ("string", 255) if kind == "text" else (kind, None)
        fields[name] = Field(name, name, vendor, of[kind], length=length, precision=5, scale=1)
    schema = ObjectSchema("crm", "log", "log", "Id", fields, ("LastModifiedDate",))
    mapping = {name: MapConfig(column=name) for name in fields if name != "Id"}
    step = ExportStep(
        name="e", account="crm", object="log", model="m", mode="update", key={"Id": "crm_id"}, map=mapping
    )
    with open_warehouse(WarehouseConfig(destination="duckdb", path="bench.duckdb"), folder) as warehouse:
        warehouse.execute("CREATE OR REPLACE VIEW raw.crm__log AS SELECT * FROM raw.log")
        sql = mirror_sql(warehouse, "crm", "log", "Id", "LastModifiedDate")
        mirror = Mirror(sql, warehouse.columns("raw", "log"), "raw.log", '"LastModifiedDate"', SEEN)
        source = Source("export.m", warehouse.columns("export", "m"), mirror, "UTC")
        ledger = Ledger(warehouse)
        began = time.perf_counter()
        plan = make_plan(warehouse, ledger, schema, step, source)
        return {"seconds": time.perf_counter() - began, "memory": peak_mb(), "found": plan.counts["update"]}


def measure_join(folder: Path) -> dict[str, Any]:
    """The bare join."""
    import duckdb

    differs = " OR ".join(f"m.F{n}__c IS DISTINCT FROM r.F{n}__c" for n in range(FIELDS))
    with duckdb.connect(str(folder / "bench.duckdb")) as connection:
        began = time.perf_counter()
        found = connection.execute(
            f"SELECT COUNT(*) FROM export.m AS m JOIN raw.log AS r ON m.crm_id = r.Id WHERE {differs}"
        ).fetchall()[0][0]
    return {"seconds": time.perf_counter() - began, "memory": peak_mb(), "found": found}


def write_unchanged(folder: Path) -> None:
    """A project whose model wants what the CRM holds, in every field that can be written."""
    write_project(folder)
    crm = SALESFORCE
    written = [name for name in crm.fields if name != "CreatedDate"]
    source = f"{{{{ source('{crm.name}', '{crm.object}') }}}}"
    newest = "qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1"
    columns = ", ".join(written)
    (folder / "transforms/export/same.sql").write_text(f"select Id as crm_id, {columns} from {source} {newest}")
    fields = ", ".join(f"{name}: {name}" for name in written)
    (folder / "pipelines/same.yml").write_text(
        f"steps:\n  - import: {crm.name}.{crm.object}\n  - transform: same\n  - {{export: {crm.name}.{crm.object}, "
        f"from: same, mode: update, key: {{{crm.id}: crm_id}}, nulls: clear, map: {{{fields}}}}}\n"
    )


def measure_unchanged(folder: Path) -> dict[str, Any]:
    """A whole run of a pipeline that has nothing to change; rows are those that were compared."""
    from backhaul.config import load_project
    from backhaul.workflow import Workspace

    with Workspace(load_project(folder)) as workspace:
        clocked = Clocked()
        result = workspace.run("same")
        assert result.state == "done", [step.message for step in result.steps]
        details = result.steps[-1].details
        assert details["batches"] == 0
        return clocked.figures(details["skipped"]["unchanged"])


def unchanged(root: Path, rows: int) -> None:
    """Import everything once, run with nothing to change, and print what the simulator was asked."""
    folder = root / "unchanged"
    folder.mkdir()
    write_unchanged(folder)
    with Simulated(root / "simulator") as simulated:
        simulated.grow(rows)
        for what in ("first run", "next run"):
            simulated.calls()
            got = measured([__file__, "--measure", "unchanged", str(folder)], simulated.environment)
            writes, calls = simulated.writes(), simulated.calls()
            print(
                f"{what:<9} {got['seconds']:>7.2f} s {got['memory']:>7.0f} MB {got['rows']:>9,} rows unchanged, "
                f"{calls} requests, {writes} of them writing"
            )
            if writes:
                raise SystemExit("a run with nothing to change has written")


def main() -> None:
    """Measure both in fresh processes and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--unchanged", type=int, default=1_000_000, help="rows of the run that changes nothing")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        verb, folder = options.measure
        verbs = {"plan": measure_plan, "join": measure_join, "unchanged": measure_unchanged}
        print(json.dumps(verbs[verb](Path(folder))))
        return
    with tempfile.TemporaryDirectory() as root:
        fill(Path(root), options.rows)
        figures = {verb: measured([__file__, "--measure", verb, root], {}) for verb in ("join", "plan")}
    for verb, got in figures.items():
        print(f"{verb:<6} {got['seconds']:>7.2f} s {got['memory']:>7.0f} MB {got['found']:>9,} rows differ")
    print(f"plan / join: {figures['plan']['seconds'] / figures['join']['seconds']:.1f}")
    with tempfile.TemporaryDirectory() as root:
        unchanged(Path(root), options.unchanged)


if __name__ == "__main__":
    main()
