"""The engine's own statements, types and values in the SQL of every destination: as golden files, each parsed back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import ErrorLevel, exp, parse

from backhaul.ledger import Batch, Ledger, Reject
from backhaul.record import Outcome, State
from backhaul.warehouse.abilities import ABILITIES
from backhaul.warehouse.door import Row
from backhaul.warehouse.duckdb_file import DuckDBWarehouse
from backhaul.warehouse.filling import inserted, merged, merged_whole, table_as
from backhaul.warehouse.through_dlt import DltWarehouse
from backhaul.warehouse.wording import Wording, _translated
from backhaul.workflow.lease import Lease

GOLDEN = Path(__file__).parent / "golden"
TYPES = (
    *("VARCHAR", "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(18,2)", "DECIMAL(38,12)"),
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "BLOB", "JSON", "UUID", "VARCHAR[]", "DECIMAL(9,2)[]"),
)
NATIVE = [name for name in ABILITIES if name not in ("motherduck", "ducklake")]
AT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=30)


def held(name: str, text: str) -> None:
    """Compare with the golden file; one that is not there is written."""
    golden = GOLDEN / name
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_types_land_as_the_databases_own_and_are_read_back() -> None:
    lines = []
    for name in NATIVE:
        words = Wording(ABILITIES[name])
        lines.append(f"=== {name}")
        for kind in TYPES:
            written = words.type(kind)
            lines.append(f"{kind:<26} {written:<32} {words.kind({'data_type': written})}")
    held("types.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", NATIVE)
def test_what_a_type_loses_is_known(name: str) -> None:
    """A type comes back as itself, but for those that a database does not have."""
    words = Wording(ABILITIES[name])
    lost = {kind: back for kind in TYPES if (back := words.kind({"data_type": words.type(kind)})) != kind}
    assert lost == LOST.get(name, {})


TEXTS = {"VARCHAR[]": "VARCHAR", "DECIMAL(9,2)[]": "VARCHAR", "JSON": "VARCHAR"}
LOST: dict[str, dict[str, str]] = {
    # Lists are SUPER there, as JSON is; what is in them is not declared.
    "redshift": {"VARCHAR[]": "JSON", "DECIMAL(9,2)[]": "JSON", "UUID": "VARCHAR"},
    "snowflake": {"FLOAT": "DOUBLE", "UUID": "VARCHAR"},
    "bigquery": {"FLOAT": "DOUBLE", "SMALLINT": "BIGINT", "INTEGER": "BIGINT", "UUID": "VARCHAR"},
    "databricks": {"TIME": "VARCHAR", "JSON": "VARCHAR", "UUID": "VARCHAR"},
    "clickhouse": {**TEXTS, "TIME": "VARCHAR", "BLOB": "VARCHAR"},
    "mssql": {**TEXTS, "FLOAT": "DOUBLE"},
    # Fabric has no instants with a zone: they are kept in UTC.
    "fabric": {**TEXTS, "FLOAT": "DOUBLE", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP"},
}


@pytest.mark.parametrize("name", NATIVE)
@settings(max_examples=50, deadline=None)
@given(text=texts)
def test_a_text_is_read_as_it_was(name: str, text: str) -> None:
    words = Wording(ABILITIES[name])
    (tree,) = parse(f"SELECT {words.literal(text)}", dialect=words.dialect)
    assert tree is not None
    (read,) = tree.expressions
    expected = text.replace("%", "%%") if name == "bigquery" else text
    assert isinstance(read, exp.Literal | exp.National) and read.name == expected


@pytest.mark.parametrize("name", [name for name in NATIVE if name not in ("duckdb", "postgres")])
@settings(max_examples=50, deadline=None)
@given(text=texts)
def test_a_text_is_escaped_as_dlt_escapes_it(name: str, text: str) -> None:
    """Two writers that know nothing of each other, read by the dialect's own reader."""
    import dlt.destinations as known

    factory = getattr(known, name)
    escape = factory._raw_capabilities(factory.__new__(factory)).escape_literal
    if escape is None or ABILITIES[name].dialect in ("tsql", "fabric"):  # Snowflake has none, SQL Server's is a sum
        return
    words = Wording(ABILITIES[name])
    (ours,) = parse(f"SELECT {words.literal(text)}", dialect=words.dialect)
    (theirs,) = parse(f"SELECT {escape(text)}", dialect=words.dialect)
    assert ours is not None and theirs is not None
    said = ours.expressions[0].name
    assert (said.replace("%%", "%") if name == "bigquery" else said) == theirs.expressions[0].name


VALUES: Sequence[tuple[Any, str]] = (
    *((None, "VARCHAR"), (True, ""), (False, ""), (-5, ""), (2**60, "BIGINT"), (0.1, "DOUBLE"), ("O'Neil \\ 100%", "")),
    *((Decimal("-12.70"), "DECIMAL(18,2)"), (Decimal("1E+3"), ""), (AT, ""), (AT.replace(tzinfo=None), "")),
    *(
        (date(1899, 12, 31), ""),
        (time(23, 59, 59), ""),
        (b"\x00\xff", "BLOB"),
        (["a'b", None], "VARCHAR[]"),
        ([], "VARCHAR[]"),
    ),
)


def test_values_are_written_with_their_types() -> None:
    lines = []
    for name in NATIVE:
        words = Wording(ABILITIES[name])
        lines.append(f"=== {name}")
        lines += [words.literal(value, kind) for value, kind in VALUES]
        for value, kind in VALUES:
            assert parse(f"SELECT {words.literal(value, kind)}", dialect=words.dialect)[0] is not None
    held("values.txt", "\n".join(lines) + "\n")


class Listening(DuckDBWarehouse):
    """A DuckDB file that keeps what the engine says to it."""

    def __init__(self, folder: Path) -> None:
        self.heard: dict[str, Any] = {}
        super().__init__(":memory:", folder)

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        self.heard.setdefault(sql, parameters)
        return super().execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        self.heard.setdefault(sql, parameters)
        return super().rows(sql, parameters)

    def scalar(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        self.heard.setdefault(sql, parameters)
        return super().scalar(sql, parameters)


def said(folder: Path) -> dict[str, Any]:
    """What ledger and lease say to a warehouse in the life of a plan."""
    warehouse = Listening(folder)
    ledger = Ledger(warehouse)
    plan: dict[str, Any] = {
        **{"plan_id": "p1", "run_id": "r1", "step": "s", "account": "crm", "object": "Contact", "counts": "{}"},
        **{"freshness": AT, "model_rows": 2, "columns": "{}"},
    }
    batch = Batch("p1", 1, "s", "crm", "Contact", "update", ("a", "b"))
    done = Outcome("a", State.DONE, record_id="1")
    with Lease(ledger, warehouse, lambda: Listening(folder), "demo") as lease:
        lease.holder()
        ledger.start_run(project="demo", profile="p", command="run")
        ledger.close_dead_runs("contacts")
        ledger.save_plan(
            plan,
            "SELECT 'a' AS key, 'delete' AS action, '1' AS record_id, '{}' AS match, '[]' AS changes, "
            "'' AS fingerprint, '' AS symbol, '' AS reason, '{}' AS image, CAST(NULL AS VARCHAR) AS rest",
        )
        ledger.complete_images("p1", {"1": {"Name": "O'Neil"}})
        ledger.batch_sent(batch)
        ledger.settle(batch, [done, Outcome("b", State.IN_DOUBT)], AT)
        ledger.clear_doubt("s", [Outcome("b", State.DONE, record_id="2")], AT)
        ledger.refused("p1")
        ledger.unsettled("s")
        ledger.pace("crm", "Contact")
        ledger.last_applied("s")
        ledger.keep_conflicts(plan, [])
        ledger.resolve_conflicts("s", "a", "Name", "crm")
        ledger.record_rejects("r1", plan, [Reject("c", "fp", None, "crm", "X", "no", (), {})])
        ledger.rejects(step="s")
        ledger.finish_plan("p1", "applied")
    warehouse.execute("DELETE FROM backhaul.conflicts WHERE (field, key) IN ((?, ?), (?, ?))", ["a", "b", "c", "d"])
    heard = {sql: given for sql, given in warehouse.heard.items() if "duckdb_columns" not in sql}
    warehouse.close()
    return {sql: given for sql, given in heard.items() if " temp." not in sql.lower() and "_brought" not in sql}


@pytest.mark.parametrize("name", ["postgres", "redshift", "snowflake", "bigquery", "databricks", "clickhouse", "mssql"])
def test_the_ledgers_statements_in_every_dialect(tmp_path: Path, name: str) -> None:
    words = Wording(ABILITIES[name])
    lines = []
    for sql, parameters in said(tmp_path).items():
        if sql.startswith(("SELECT table_type", "CREATE SCHEMA", "SET ")) or " BY NAME " in sql:
            continue  # DuckDB's own
        lists = frozenset(f"p{number}" for number, value in enumerate(parameters) if isinstance(value, list))
        written = _translated(sql, words.abilities, lists)
        readable = written.replace("\ufdd0", ":").replace("\ufdd1", "")
        lines.append(readable)
        marked = written.replace("\ufdd0", "'").replace("\ufdd1", "'")
        assert parse(marked, dialect=words.dialect, error_level=ErrorLevel.RAISE)[0] is not None
    held(f"statements-{name}.txt", "\n".join(lines) + "\n")


def _merges(words: Wording, target: str, stage: str, columns: list[str]) -> list[str]:
    if not words.abilities.merges and not words.abilities.transactions:
        there = {"id": True, "email": True, "Score": False}
        return [merged_whole(words, target, stage, there, keys) for keys in (["id", "email"], [])]
    return [
        *merged(words, target, stage, columns, ["id"]),
        *merged(words, target, stage, columns, ["id", "email"]),
        *merged(words, target, stage, ["id"], ["id"]),
        *merged(words, target, stage, columns, []),
    ]


def test_a_settlement_that_was_broken_off_is_made_anew_where_nothing_is_undone(tmp_path: Path) -> None:
    can = replace(ABILITIES["duckdb"], transactions=False)
    with DltWarehouse("duckdb", str(tmp_path / "w.duckdb"), tmp_path, abilities=can) as warehouse:
        ledger = Ledger(warehouse)
        plan = {"plan_id": "p1", "run_id": "r1", "step": "s", "account": "crm", "object": "Contact", "counts": "{}"}
        changes = "VALUES ('a', '1'), ('b', '2')"
        ledger.save_plan(
            {**plan, "freshness": AT, "model_rows": 2, "columns": "{}"},
            "SELECT key, 'update' AS action, id AS record_id, '{}' AS match, "
            """'[{"field": "Name", "old": "x", "new": "y"}]' AS changes, '' AS fingerprint, '' AS symbol, """
            "'' AS reason, "
            f"CAST(NULL AS VARCHAR) AS image, CAST(NULL AS VARCHAR) AS rest FROM ({changes}) AS t(key, id)",
        )
        batch = Batch("p1", 1, "s", "crm", "Contact", "update", ("a", "b"))
        ledger.batch_sent(batch)
        outcomes = [Outcome("a", State.DONE, "1"), Outcome("b", State.REJECTED, "2", symbol="X")]
        for _ in range(2):  # killed after all but its last statement, and again
            ledger.settle(batch, outcomes, AT)
            warehouse.execute("UPDATE backhaul.batches SET state = 'sent' WHERE batch = 1")
        ledger.settle(batch, outcomes, AT)
        assert warehouse.scalar("SELECT count(*) FROM backhaul.outcomes") == 2
        assert warehouse.rows("SELECT key, field, old, value FROM backhaul.field_changes") == [
            {"key": "a", "field": "Name", "old": "x", "value": "y"}
        ]
        assert ledger.unsettled("s") == []


def test_the_statements_that_fill_tables_in_every_dialect() -> None:
    """Of a query, by a key, without one, and of values, as seeds and increments do."""
    lines = []
    for name in NATIVE:
        words = Wording(ABILITIES[name])
        target, stage = words.relation("campaign", "people"), words.relation("campaign", "_stage")
        columns = ["id", "email", "Score"]
        kinds = {"id": "INTEGER", "note": "VARCHAR", "seen": "TIMESTAMP WITH TIME ZONE"}
        statements = [
            table_as(words, target, "SELECT 1 AS id"),
            *_merges(words, target, stage, columns),
            *(sql for sql, _ in inserted(words, target, kinds, [(1, "O'Neil \\ 5%", AT), (2, None, None)])),
            *(sql for sql, _ in inserted(words, target, {"id": "INTEGER", "tags": "VARCHAR[]"}, [(1, ["a", "b"])])),
        ]
        lines += [f"=== {name}", *statements]
        for sql in statements:
            whole = f"CREATE {sql}" if sql.startswith("TABLE ") else sql
            (tree,) = parse(whole.rstrip(";"), dialect=words.dialect, error_level=ErrorLevel.RAISE)
            assert tree is not None and not isinstance(tree, exp.Command), whole
    held("filling.txt", "\n".join(lines) + "\n")


def test_rows_are_cut_into_statements() -> None:
    words = Wording(ABILITIES["snowflake"])
    cut = list(inserted(words, "t", {"a": "VARCHAR"}, [("x" * 1000,)] * 1201))
    assert [rows for _, rows in cut] == [249, 249, 249, 249, 205]
    assert [rows for _, rows in inserted(words, "t", {"a": "INTEGER"}, [(1,)] * 1001)] == [500, 500, 1]
    assert list(inserted(words, "t", {"a": "INTEGER"}, [])) == []


TOLD: Sequence[tuple[str, dict[str, Any], str]] = (
    ("postgres", {"data_type": "ARRAY", "udt_name": "_text"}, "VARCHAR[]"),
    ("postgres", {"data_type": "numeric", "numeric_precision": 18, "numeric_scale": 2}, "DECIMAL(18,2)"),
    ("postgres", {"data_type": "numeric", "numeric_precision": None}, "DECIMAL(38,12)"),
    ("postgres", {"data_type": "timestamp with time zone"}, "TIMESTAMP WITH TIME ZONE"),
    ("postgres", {"data_type": "time without time zone"}, "TIME"),
    ("redshift", {"data_type": "character varying(256)"}, "VARCHAR"),
    ("redshift", {"data_type": "numeric(18,2)"}, "DECIMAL(18,2)"),
    ("redshift", {"data_type": "super"}, "JSON"),
    ("snowflake", {"data_type": "NUMBER", "numeric_precision": 38, "numeric_scale": 0}, "BIGINT"),
    ("snowflake", {"data_type": "NUMBER", "numeric_precision": 18, "numeric_scale": 2}, "DECIMAL(18,2)"),
    ("snowflake", {"data_type": "TEXT"}, "VARCHAR"),
    ("snowflake", {"data_type": "TIMESTAMP_TZ"}, "TIMESTAMP WITH TIME ZONE"),
    ("snowflake", {"data_type": "TIMESTAMP_NTZ"}, "TIMESTAMP"),
    ("snowflake", {"data_type": "FLOAT"}, "DOUBLE"),
    ("snowflake", {"data_type": "ARRAY"}, "JSON"),
    ("snowflake", {"data_type": "VARIANT"}, "JSON"),
    ("bigquery", {"data_type": "NUMERIC(18, 2)"}, "DECIMAL(18,2)"),
    ("bigquery", {"data_type": "NUMERIC"}, "DECIMAL(38,9)"),
    ("bigquery", {"data_type": "ARRAY<STRING>"}, "VARCHAR[]"),
    ("bigquery", {"data_type": "TIMESTAMP"}, "TIMESTAMP WITH TIME ZONE"),
    ("databricks", {"data_type": "DECIMAL", "full_data_type": "decimal(18,2)"}, "DECIMAL(18,2)"),
    ("databricks", {"data_type": "ARRAY", "full_data_type": "array<string>"}, "VARCHAR[]"),
    ("databricks", {"data_type": "TIMESTAMP_NTZ", "full_data_type": "timestamp_ntz"}, "TIMESTAMP"),
    ("clickhouse", {"data_type": "Nullable(DateTime64(6, 'UTC'))"}, "TIMESTAMP WITH TIME ZONE"),
    ("clickhouse", {"data_type": "DateTime"}, "TIMESTAMP WITH TIME ZONE"),
    ("clickhouse", {"data_type": "Nullable(DateTime64(6, 'Etc/UTC'))"}, "TIMESTAMP"),
    ("clickhouse", {"data_type": "LowCardinality(Nullable(String))"}, "VARCHAR"),
    ("clickhouse", {"data_type": "Nullable(Decimal(18, 2))"}, "DECIMAL(18,2)"),
    ("clickhouse", {"data_type": "Decimal(76, 20)"}, "DECIMAL(38,12)"),
    ("clickhouse", {"data_type": "Array(Nullable(Int64))"}, "BIGINT[]"),
    ("clickhouse", {"data_type": "UInt64"}, "BIGINT"),
    ("clickhouse", {"data_type": "Map(String, String)"}, "VARCHAR"),
    ("mssql", {"data_type": "nvarchar"}, "VARCHAR"),
    ("mssql", {"data_type": "decimal", "numeric_precision": 18, "numeric_scale": 2}, "DECIMAL(18,2)"),
    ("mssql", {"data_type": "datetimeoffset"}, "TIMESTAMP WITH TIME ZONE"),
    ("mssql", {"data_type": "float", "numeric_precision": 53}, "DOUBLE"),
    ("mssql", {"data_type": "bit"}, "BOOLEAN"),
    ("duckdb", {"data_type": "DECIMAL(18,2)[]"}, "DECIMAL(18,2)[]"),
    ("duckdb", {"data_type": '"NULL"'}, '"NULL"'),
)


@pytest.mark.parametrize(("name", "row", "kind"), TOLD)
def test_what_a_database_tells_of_a_column_is_read(name: str, row: dict[str, Any], kind: str) -> None:
    """As the makers' documentation of their information schemas writes types."""
    assert Wording(ABILITIES[name]).kind(row) == kind
