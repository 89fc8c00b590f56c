from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.errors import BackhaulError, ConfigurationError, Locked
from backhaul.warehouse import StatementFailed, Warehouse, open_warehouse
from backhaul.warehouse.duckdb_file import _not_opened
from tests.examples import examples


def config(path: str, destination: str = "duckdb") -> Any:
    return cast(Any, SimpleNamespace(destination=destination, path=path, plain_credentials={}))


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(config("w.duckdb"), tmp_path) as opened:
        yield opened


def test_the_session_is_in_utc_on_every_connection(warehouse: Warehouse) -> None:
    instant = "SELECT TIMESTAMPTZ '2026-01-01 00:00:00+09' AS at, current_setting('TimeZone') AS zone"
    assert warehouse.rows(instant) == [{"at": datetime(2025, 12, 31, 15, tzinfo=UTC), "zone": "UTC"}]
    assert warehouse.arrow(instant).read_all().to_pylist()[0]["zone"] == "UTC"
    assert warehouse.scalar("SELECT (TIMESTAMPTZ '2026-01-01 00:00:00+09')::VARCHAR") == "2025-12-31 15:00:00+00"


def test_a_file_survives_closing(tmp_path: Path) -> None:
    with open_warehouse(config("sub/w.duckdb"), tmp_path) as first:
        first.create_table_as("raw", "t", "SELECT 1 AS a")
    with open_warehouse(config(str(tmp_path / "sub" / "w.duckdb")), Path("/")) as second:
        assert second.rows("FROM raw.t") == [{"a": 1}]
        second.close()


def test_a_stream_does_not_stop_other_statements(warehouse: Warehouse) -> None:
    reader = warehouse.arrow("SELECT range AS n FROM range($n)", {"n": 5000}, batch_rows=1000)
    total = reader.read_next_batch().num_rows
    assert warehouse.scalar("SELECT 1") == 1
    assert total + sum(batch.num_rows for batch in reader) == 5000
    with warehouse.transaction():
        warehouse.create_table_as("s", "t", "SELECT 1 AS a")
        assert warehouse.arrow("FROM s.t WHERE a = ?", (1,)).read_all().num_rows == 1


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
    assert warehouse.exists("CAMPAIGN", "t")
    assert warehouse.scalar("SELECT sum(b) FROM campaign.t") == 5
    warehouse.drop("campaign", "t")
    warehouse.drop("campaign", "t")
    assert not warehouse.exists("campaign", "t")
    assert warehouse.columns("campaign", "t") == {}


def test_a_table_may_be_rebuilt_from_itself_or_from_the_view_it_replaces(warehouse: Warehouse) -> None:
    warehouse.create_view_as("s", "t", "SELECT 1 AS a")
    warehouse.create_table_as("s", "t", "SELECT a + 1 AS a FROM s.t")
    warehouse.create_table_as("s", "t", "SELECT a + 1 AS a FROM s.t")
    assert warehouse.rows("FROM s.t") == [{"a": 3}]


def test_a_failed_replacement_leaves_the_old_one(warehouse: Warehouse) -> None:
    warehouse.create_table_as("s", "t", "SELECT 1 AS a")
    with pytest.raises(StatementFailed):
        warehouse.create_view_as("s", "t", "SELECT nothing FROM nowhere")
    with pytest.raises(StatementFailed):
        warehouse.create_table_as("s", "t", "SELECT error('no') AS a")
    with pytest.raises(ZeroDivisionError), warehouse.transaction():
        warehouse.create_table_as("s", "t", "SELECT 2 AS a")
        with warehouse.transaction():
            warehouse.drop("s", "t")
        raise ZeroDivisionError
    assert warehouse.rows("FROM s.t") == [{"a": 1}]


def test_streaming_lowers_the_memory_limit_for_a_while(warehouse: Warehouse) -> None:
    limit = "SELECT current_setting('memory_limit')"
    warehouse.execute("SET GLOBAL threads = 2")
    warehouse.execute("SET GLOBAL memory_limit = '3GiB'")
    with pytest.raises(ZeroDivisionError), warehouse.streaming(25):
        assert warehouse.scalar(limit) == "150.0 MiB"
        raise ZeroDivisionError
    assert warehouse.scalar(limit) == "3.0 GiB"
    with warehouse.streaming(1000):  # would need more than there is
        assert warehouse.scalar(limit) == "3.0 GiB"


def test_an_error_names_line_and_column_of_the_callers_sql(warehouse: Warehouse) -> None:
    sql = "SELECT\n    a,\n    colour\nFROM (SELECT 1 AS a)"
    for run in (
        lambda: warehouse.create_table_as("s", "t", sql),
        lambda: warehouse.create_view_as("s", "t", sql),
        lambda: warehouse.merge("s", "t", sql, ["a"]),
        lambda: warehouse.rows(sql),
    ):
        with pytest.raises(StatementFailed) as caught:
            run()
        assert (caught.value.line, caught.value.column) == (3, 5)
        assert "colour" in caught.value.reason
        assert "LINE" not in str(caught.value)
        assert "(line 3, column 5 of the SQL)" in str(caught.value)


def test_merge_replaces_by_key_adds_columns_and_keeps_the_rest(warehouse: Warehouse) -> None:
    assert warehouse.merge("s", "t", "SELECT 1 AS id, 'a' AS x UNION ALL SELECT NULL, 'n'", ["id"]) == 2
    assert warehouse.merge("s", "t", "SELECT 2 AS id, 'b' AS x, 7 AS y UNION ALL SELECT NULL, 'm', 8", ["id"]) == 2
    assert warehouse.rows("FROM s.t ORDER BY id") == [
        {"id": 1, "x": "a", "y": None},
        {"id": 2, "x": "b", "y": 7},
        {"id": None, "x": "m", "y": 8},
    ]
    assert warehouse.merge("s", "t", "SELECT 1 AS id WHERE false", ["id"]) == 0
    assert warehouse.merge("s", "t", "SELECT 1 AS id", []) == 1
    assert warehouse.scalar("SELECT count(*) FROM s.t WHERE id = 1") == 2


def test_merge_refuses_two_rows_of_one_key_and_changes_nothing(warehouse: Warehouse) -> None:
    doubled = "SELECT 1 AS id, unnest([1, 2]) AS x"
    with pytest.raises(StatementFailed, match=r"s\.t: 1 value\(s\) of its unique key \(id\) .* id = 1 \(2 rows\)"):
        warehouse.merge("s", "t", doubled, ["id"])
    assert not warehouse.exists("s", "t")
    warehouse.merge("s", "t", "SELECT 1 AS id, 9 AS x", ["id"])
    with pytest.raises(StatementFailed, match="more than once"):
        warehouse.merge("s", "t", doubled, ["id"])
    assert warehouse.rows("FROM s.t") == [{"id": 1, "x": 9}]
    assert warehouse.merge("s", "t", doubled, ["id", "x"]) == 2


def test_merge_over_a_view_makes_a_table(warehouse: Warehouse) -> None:
    warehouse.create_view_as("s", "t", "SELECT 1 AS id")
    assert warehouse.merge("s", "t", "SELECT 2 AS id", ["id"]) == 1
    assert warehouse.rows("FROM s.t") == [{"id": 2}]


def test_insert_takes_rows_of_unequal_keys(warehouse: Warehouse) -> None:
    warehouse.create_schema("s")
    warehouse.execute("CREATE TABLE s.t (Id VARCHAR, n DECIMAL(9,2), d DATE, stamp TIMESTAMPTZ, ok BOOLEAN)")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [{"Id": "a"}, {"id": "b", "n": Decimal("1.25"), "d": date(2026, 2, 28), "stamp": at, "ok": False}]
    assert warehouse.insert("s", "t", rows) == 2
    assert warehouse.insert("s", "t", []) == 0
    assert warehouse.insert("s", "t", pa.table({"Id": ["c"]})) == 1
    assert warehouse.rows("FROM s.t ORDER BY Id") == [
        {"Id": "a", "n": None, "d": None, "stamp": None, "ok": None},
        {"Id": "b", "n": Decimal("1.25"), "d": date(2026, 2, 28), "stamp": at, "ok": False},
        {"Id": "c", "n": None, "d": None, "stamp": None, "ok": None},
    ]
    with pytest.raises(StatementFailed, match="no column 'colour'; it has Id, n, d, stamp, ok"):
        warehouse.insert("s", "t", [{"colour": 1}])


@settings(max_examples=examples(30), deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_identifier_and_text_is_harmless(name: str) -> None:
    with open_warehouse(config(":memory:"), Path()) as memory:
        memory.create_table_as("raw", name, f"SELECT {memory.literal(name)} AS {memory.quote(name)}")
        assert memory.rows(f"FROM {memory.relation('raw', name)}") == [{name: name}]
        assert memory.exists("raw", name)


def test_a_schema_named_like_the_file_is_refused(tmp_path: Path) -> None:
    with (
        open_warehouse(config("campaign.duckdb"), tmp_path) as opened,
        pytest.raises(ConfigurationError, match=r"'campaign' and the warehouse file campaign\.duckdb have one name"),
    ):
        opened.create_table_as("campaign", "t", "SELECT 1 AS a")


def test_a_file_held_by_another_process_names_it(tmp_path: Path) -> None:
    held = tmp_path / "w.duckdb"
    script = "import duckdb, sys\nc = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(Locked) as caught:
            open_warehouse(config("w.duckdb"), tmp_path)
        assert f"process {other.pid}" in caught.value.message
        assert "then try again" in caught.value.hint
        other.kill()


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("this is not a database " * 1000)
    with pytest.raises(BackhaulError, match="is not a readable DuckDB database"):
        open_warehouse(config("text.duckdb"), tmp_path)
    with pytest.raises(ConfigurationError, match="it is a folder"):
        open_warehouse(config("."), tmp_path)
    with pytest.raises(ConfigurationError, match="folder cannot be made"):
        open_warehouse(config("text.duckdb/below/w.duckdb"), tmp_path)
    with pytest.raises(ConfigurationError, match=r"'oracle', which is no SQL destination of dlt\n +allowed: "):
        open_warehouse(config("x", "oracle"), tmp_path)


def test_a_file_with_a_broken_header(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    duckdb.connect(str(file)).close()
    content = bytearray(file.read_bytes())
    place = content.index(b"DUCK") + 4
    content[place : place + 8] = (99).to_bytes(8, "little")
    file.write_bytes(bytes(content))
    with pytest.raises(BackhaulError, match=r"is not a readable DuckDB database: .*\n    next: restore it from a copy"):
        open_warehouse(config("w.duckdb"), tmp_path)


def test_a_file_of_another_storage_version() -> None:
    # What DuckDB 1.5.5 says to a file of 2.0; a file with another number and a right checksum cannot be made here.
    said = (
        "IO Error: Trying to read a database file with version number 69, but we can only read versions between 64 and "
        "68.\nThe database file was created with an newer version of DuckDB.\n\nNewer DuckDB version might ..."
    )
    shown = str(_not_opened(Path("w.duckdb"), said))
    assert re.fullmatch(
        r"the warehouse file w\.duckdb was written by another DuckDB than \S+, which is installed here and cannot read "
        r"it: IO Error: Trying to read .* 68\.\n    next: install a DuckDB that can .*",
        shown,
    )
