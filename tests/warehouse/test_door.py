"""What every warehouse has to do alike: one suite; DuckDB and PostgreSQL its subjects, each by dlt's client as well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.errors import BackhaulError, ConfigurationError
from backhaul.warehouse import StatementFailed, Warehouse, open_warehouse
from tests.examples import examples

from .subjects import AS_TEXT, CLICKHOUSE, LESS, SUBJECTS, postgres_config, subject, table

KINDS = {
    "text": "VARCHAR",
    "flag": "BOOLEAN",
    "small": "INTEGER",
    "large": "BIGINT",
    "money": "DECIMAL(18,2)",
    "rate": "DOUBLE",
    "day": "DATE",
    "at": "TIMESTAMP WITH TIME ZONE",
    "wall": "TIMESTAMP",
    "clock": "TIME",
    "bytes": "BLOB",
    "tags": "VARCHAR[]",
}
ROW: dict[str, Any] = {
    "text": "a\"b'c\n\\d, ü \\.",
    "flag": False,
    "small": -5,
    "large": 2**60,
    "money": Decimal("-1234567890123456.70"),
    "rate": 0.1,
    "day": date(1899, 12, 31),
    "at": datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
    "wall": datetime(2026, 3, 29, 2, 30),
    "clock": time(23, 59, 59),
    "bytes": b"\x00\xff",
    "tags": ["a,b", 'c"d', ""],
}
NOTHING: dict[str, Any] = dict.fromkeys(KINDS)


@pytest.fixture(params=(*SUBJECTS, LESS, CLICKHOUSE))
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    with subject(request.param, request, tmp_path) as opened:
        yield opened


def filled(warehouse: Warehouse, row: dict[str, Any] = ROW) -> None:
    warehouse.make_table("s", "t", KINDS)
    assert warehouse.insert("s", "t", [row, NOTHING, {**NOTHING, "text": "", "tags": []}]) == 3


def test_every_type_comes_back_as_it_went_in(warehouse: Warehouse) -> None:
    kinds, whole, empty = KINDS, ROW, {**NOTHING, "text": "", "tags": []}
    filled(warehouse)
    if warehouse.dialect == "clickhouse":
        # Its driver knows no date before 1900, the engine does.
        relation = warehouse.engine().relation("s", "t")
        assert warehouse.engine().scalar(f"SELECT min(day) FROM {relation}") == ROW["day"]
        row = {**ROW, "day": date(1900, 1, 1)}
        filled(warehouse, row)
        kinds = {**KINDS, **dict.fromkeys(AS_TEXT, "VARCHAR")}
        whole, empty = {**row, **AS_TEXT}, {**empty, "tags": "[]"}
    assert warehouse.columns("s", "t") == kinds
    relation = warehouse.relation("s", "t")
    ordered = f"SELECT * FROM {relation} ORDER BY text NULLS LAST"
    expected = [empty, whole, NOTHING]
    assert warehouse.rows(ordered) == expected
    assert warehouse.rows(
        f'SELECT * FROM {relation} WHERE "at" = ? AND money = ? AND text = ?', [ROW["at"], ROW["money"], ROW["text"]]
    ) == [whole]
    for inside in (False, True):
        if inside:
            with warehouse.transaction():
                found = warehouse.arrow(ordered).read_all()
        else:
            found = warehouse.arrow(ordered).read_all()
        assert found.to_pylist() == expected
        assert found.schema.field("money").type == pa.decimal128(18, 2)
        assert found.schema.field("at").type == pa.timestamp("us", tz="UTC")
    # And in the engine, where plans are made of it.
    engine = warehouse.engine(anew=True)
    assert engine.rows(f"{ordered}") == expected
    assert engine.columns("s", "t") == kinds


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts | st.none(), st.integers(-(2**63), 2**63 - 1) | st.none()), min_size=1, max_size=8))
def test_any_text_survives_every_road(warehouse: Warehouse, values: list[tuple[str | None, int | None]]) -> None:
    rows = [{"place": place, "text": text, "number": number} for place, (text, number) in enumerate(values)]
    warehouse.make_table("s", "t", {"place": "BIGINT", "text": "VARCHAR", "number": "BIGINT"})
    warehouse.insert("s", "t", rows)
    relation = warehouse.relation("s", "t")
    assert warehouse.rows(f"SELECT * FROM {relation} ORDER BY place") == rows
    assert warehouse.engine(anew=True).rows(f"SELECT * FROM {relation} ORDER BY place") == rows
    warehouse.make_table("s", "u", {"place": "BIGINT", "text": "VARCHAR", "number": "BIGINT"})
    assert warehouse.pour("s", "u", f"SELECT * FROM {relation}") == len(rows)
    assert warehouse.rows(f"SELECT * FROM {warehouse.relation('s', 'u')} ORDER BY place") == rows


def test_names_are_found_without_quotes_and_keep_their_spelling(warehouse: Warehouse) -> None:
    table(warehouse, "raw", "crm__Contact", "SELECT 'a' AS LastName, 1 AS Score__c")
    assert warehouse.scalar("SELECT LastName FROM raw.crm__Contact WHERE Score__c = 1") == "a"
    assert list(warehouse.columns("RAW", "crm__contact")) == ["LastName", "Score__c"]
    relation = warehouse.engine(anew=True).relation("raw", "crm__Contact")
    assert warehouse.engine().rows(f"SELECT * FROM {relation}") == [{"LastName": "a", "Score__c": 1}]


@pytest.mark.parametrize("before", ["table", "view", "nothing"])
@pytest.mark.parametrize("after", ["table", "view"])
def test_whatever_stood_there_is_replaced(warehouse: Warehouse, before: str, after: str) -> None:
    if before == "table":
        assert warehouse.create_table_as("campaign", "t", "SELECT 1 AS a;\n") == 1
    elif before == "view":
        warehouse.create_view_as("campaign", "t", "SELECT 1 AS a")
    if after == "table":
        assert warehouse.create_table_as("campaign", "t", "SELECT 2 AS b UNION ALL SELECT 3") == 2
    else:
        warehouse.create_view_as("campaign", "t", "SELECT 2 AS b UNION ALL SELECT 3")
    assert warehouse.columns("Campaign", "T") == {"b": "INTEGER"}
    assert warehouse.scalar("SELECT sum(b) FROM campaign.t") == 5
    warehouse.drop("campaign", "t")
    warehouse.drop("campaign", "t")
    assert not warehouse.exists("campaign", "t") and warehouse.columns("campaign", "t") == {}


def test_a_table_is_rebuilt_from_itself_and_under_its_views(warehouse: Warehouse) -> None:
    warehouse.create_table_as("s", "t", "SELECT 1 AS a, 2 AS b")
    warehouse.create_view_as("s", "v", "SELECT a FROM s.t")
    warehouse.create_view_as("s", "w", "SELECT a + 1 AS more FROM s.v")
    assert warehouse.create_table_as("s", "t", "SELECT a + 10 AS a, 'x' AS c FROM s.t") == 1
    assert warehouse.rows("SELECT * FROM s.w") == [{"more": 12}]
    with pytest.raises(StatementFailed):
        warehouse.create_table_as("s", "t", "SELECT nothing FROM s.t")
    assert warehouse.rows("SELECT * FROM s.t") == [{"a": 11, "c": "x"}]


def test_a_merge_replaces_by_key_adds_columns_and_refuses_doubles(warehouse: Warehouse) -> None:
    assert warehouse.merge("s", "t", "SELECT 1 AS k, 'a' AS v", ["k"]) == 1
    new = "SELECT * FROM (VALUES (1, 'b', 5), (2, 'c', 6)) AS t(k, v, more)"
    assert warehouse.merge("s", "t", new, ["k"]) == 2
    assert warehouse.rows("SELECT * FROM s.t ORDER BY k") == [
        {"k": 1, "v": "b", "more": 5},
        {"k": 2, "v": "c", "more": 6},
    ]
    assert warehouse.merge("s", "t", "SELECT 3 AS k", []) == 1
    with pytest.raises(StatementFailed, match=r"unique key \(k\) come more than once, such as k = 7 \(2 rows\)"):
        warehouse.merge("s", "t", "SELECT 7 AS k UNION ALL SELECT 7", ["k"])
    assert warehouse.scalar("SELECT count(*) FROM s.t") == 3


def test_all_or_nothing(warehouse: Warehouse) -> None:
    warehouse.make_table("s", "t", {"n": "BIGINT"})
    with pytest.raises(ZeroDivisionError), warehouse.transaction():
        warehouse.insert("s", "t", [{"n": 1}])
        with warehouse.transaction():
            warehouse.pour("s", "t", "SELECT 2 AS n")
        assert warehouse.scalar("SELECT sum(n) FROM s.t") == 3
        raise ZeroDivisionError
    if warehouse.dialect == "clickhouse":  # undoes nothing, and does not tell how many rows it changed
        assert warehouse.scalar("SELECT count(*) FROM s.t") == 2
        warehouse.make_table("s", "t", {"n": "BIGINT"})
    assert warehouse.scalar("SELECT count(*) FROM s.t") == 0
    counts = (0, 0) if warehouse.dialect == "clickhouse" else (2, 1)
    assert warehouse.execute("INSERT INTO s.t VALUES (?), (?)", [1, 2]) == counts[0]
    assert warehouse.execute("UPDATE s.t SET n = n + $by WHERE n > $least", {"by": 10, "least": 1}) == counts[1]
    with warehouse.brought("SELECT n FROM s.t WHERE n > ? AND '?' <> '%' -- what? 100%", [0]) as there:
        assert warehouse.engine().scalar(f"SELECT sum(n) FROM {there}") == 13


def test_nothing_is_kept_of_a_transaction_that_a_statement_failed_in(warehouse: Warehouse) -> None:
    warehouse.make_table("s", "t", {"n": "BIGINT"})
    with suppress(StatementFailed), warehouse.transaction():
        warehouse.insert("s", "t", [{"n": 1}])
        with suppress(StatementFailed):
            warehouse.execute("INSERT INTO s.nowhere VALUES (1)")
        with suppress(StatementFailed):
            warehouse.insert("s", "t", [{"n": 2}])
    if warehouse.dialect == "clickhouse":
        assert warehouse.scalar("SELECT sum(n) FROM s.t") == 3
        warehouse.make_table("s", "t", {"n": "BIGINT"})
    assert warehouse.scalar("SELECT count(*) FROM s.t") == 0
    warehouse.insert("s", "t", [{"n": 3}])
    assert warehouse.scalar("SELECT sum(n) FROM s.t") == 3


def test_a_refused_statement_says_where(warehouse: Warehouse) -> None:
    with pytest.raises(StatementFailed) as failed:
        warehouse.create_table_as("s", "t", "SELECT 1 AS a,\n  nowhere AS b")
    place = (0, 0) if warehouse.dialect == "clickhouse" else (2, 3)  # which tells it of what it cannot read only
    assert "nowhere" in failed.value.reason and (failed.value.line, failed.value.column) == place
    with pytest.raises(StatementFailed, match="has no column 'other'"):
        warehouse.make_table("s", "u", {"n": "BIGINT"})
        warehouse.insert("s", "u", [{"n": 1, "other": 2}])


def test_what_postgres_needs_is_said(tmp_path: Path, postgres: str) -> None:
    wrong = postgres.replace("backhaul:p", "backhaul:q")
    with pytest.raises(
        BackhaulError, match=r"PostgreSQL at 127\.0\.0\.1:.* does not let us in: password auth"
    ) as refused:
        open_warehouse(postgres_config(wrong), tmp_path)
    assert "40ss" not in str(refused.value) and "w:rd" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="credentials"):
        open_warehouse(postgres_config("mysql://x"), tmp_path)
    with open_warehouse(postgres_config(postgres), tmp_path) as warehouse:
        with pytest.raises(ConfigurationError, match="more than the 63 bytes that PostgreSQL keeps"):
            warehouse.quote("x" * 64)
        assert warehouse.scalar("SELECT current_setting('TimeZone')") == "UTC"
