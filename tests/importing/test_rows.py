"""Properties of the SQL that reads pages and chooses new versions, without dlt."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from backhaul.importing.fields import Declared, LogColumn
from backhaul.importing.log import RAW_SCHEMA, mirror_sql
from backhaul.importing.pages import pages_sql
from backhaul.importing.rows import columns_of, deletions_sql, misfit_sql, new_versions_sql, typed_sql
from backhaul.record import Extraction, PageFormat
from backhaul.warehouse import Warehouse, open_warehouse
from tests.examples import examples

from .served import T0

memory = open_warehouse(cast(Any, SimpleNamespace(destination="duckdb", path=":memory:")), Path())
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
WIRES = ("Id", "Text__c", "_ownerid_value")


@settings(max_examples=examples(20), deadline=None)
@given(
    pages=st.lists(st.lists(st.tuples(TEXT, TEXT), max_size=4), min_size=1, max_size=3),
    line_end=st.sampled_from(["\n", "\r\n"]),
    zipped=st.booleans(),
)
@example(pages=[[("NA", "#N/A"), ("", '"'), ("\r", "\n\r\n"), (",", " ")]], line_end="\r\n", zipped=True)
def test_csv_pages_are_read_as_written(pages: list[list[tuple[str, str]]], line_end: str, zipped: bool) -> None:
    with TemporaryDirectory() as folder:
        paths, expected = [], []
        for number, page in enumerate(pages):
            text = io.StringIO()
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=line_end)
            writer.writerow(WIRES)
            for row, (first, second) in enumerate(page):
                writer.writerow([f"{number}-{row}", first, second])
                expected.append((f"{number}-{row}", first or None, second or None))
            path = Path(folder) / f"page-{number}.csv"
            content = text.getvalue().encode()
            path.write_bytes(gzip.compress(content) if zipped else content)
            paths.append(str(path))
        extraction = Extraction(tuple(paths), PageFormat.CSV, len(expected), None, WIRES)
        found = memory.rows(f"FROM ({pages_sql(memory, extraction, WIRES)}) ORDER BY Id")
    assert [tuple(row.values()) for row in found] == sorted(expected)


@settings(max_examples=examples(20), deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "Text__c": st.none() | TEXT | st.booleans() | st.integers(-(2**60), 2**60),
                "_ownerid_value": st.none() | st.decimals(-(10**15), 10**15, places=4).map(str),
            },
        ),
        max_size=5,
    ),
    zipped=st.booleans(),
)
@example(rows=[{"Text__c": '\\":12345678901234567890', "_ownerid_value": "922337203685477.5807"}, {}], zipped=True)
def test_json_pages_are_read_as_written(rows: list[dict[str, Any]], zipped: bool) -> None:
    with TemporaryDirectory() as folder:
        items = []
        for number, row in enumerate(rows):
            members = [f'"Id":"{number}"', '"@odata.etag":"W/1"']
            if "Text__c" in row:
                members.append(f'"Text__c":{json.dumps(row["Text__c"])}')
            if "_ownerid_value" in row:  # a bare number, as long as money can be
                members.append(f'"_ownerid_value":{row["_ownerid_value"] or "null"}')
            items.append("{" + ",".join(members) + "}")
        content = ('{"@odata.context":"x","value":[' + ",".join(items) + "]}").encode()
        path = Path(folder) / ("page-1.json.gz" if zipped else "page-1.json")
        path.write_bytes(gzip.compress(content) if zipped else content)
        extraction = Extraction((str(path),), PageFormat.JSON, len(rows), None, WIRES, rows_key="value")
        found = memory.rows(f"FROM ({pages_sql(memory, extraction, WIRES)}) ORDER BY Id")
    assert len(found) == len(rows)
    for row, given_row in zip(found, rows, strict=True):
        text = given_row.get("Text__c")
        assert row["Text__c"] == (text if text is None or isinstance(text, str) else json.dumps(text))
        amount = given_row.get("_ownerid_value")
        assert (row["_ownerid_value"] is None) == (amount is None)
        if amount is not None:
            assert Decimal(row["_ownerid_value"]) == Decimal(amount)


COLUMNS = (
    LogColumn("Id", "Id", "VARCHAR"),
    LogColumn("Name", "Name", "VARCHAR"),
    LogColumn("modifiedon", "modifiedon", "TIMESTAMP WITH TIME ZONE"),
)
DECLARED = Declared(COLUMNS, COLUMNS[0], "modifiedon")
CHANGE = st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None, "gone"]), st.integers(0, 2))


def _values(memory: Warehouse, rows: dict[str, tuple[str | None, int]]) -> str:
    if not rows:
        return "SELECT '' AS Id, '' AS Name, '' AS modifiedon WHERE false"
    return " UNION ALL ".join(
        f"SELECT '{key}' AS Id, {memory.literal(name) if name is not None else 'NULL'} AS Name, "
        f"'{(T0 + timedelta(seconds=stamp)).isoformat()}' AS modifiedon"
        for key, (name, stamp) in rows.items()
    )


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.lists(CHANGE, max_size=3), min_size=1, max_size=5))
def test_the_mirror_follows_the_crm_and_knows_what_it_has_seen(rounds: list[list[tuple[str, str | None, int]]]) -> None:
    with memory.transaction():
        memory.drop(RAW_SCHEMA, "dynamics__contact")
        memory.create_schema(RAW_SCHEMA)
        own = (
            "_backhaul_deleted BOOLEAN, _backhaul_survivor VARCHAR, _backhaul_seen_at TIMESTAMPTZ, _dlt_load_id VARCHAR"
        )
        memory.execute(f"CREATE TABLE raw.dynamics__contact (Id VARCHAR, Name VARCHAR, modifiedon TIMESTAMPTZ, {own})")
        names = ", ".join(columns_of(DECLARED))
        live: dict[str, tuple[str | None, int]] = {}

        def append(sql: str, load: str) -> int:
            return memory.execute(f"INSERT INTO raw.dynamics__contact SELECT {names}, '{load}' FROM ({sql})")

        for number, changes in enumerate(rounds):
            end = T0 + timedelta(seconds=10 * number + 10)
            gone = []
            for key, name, late in changes:
                stamp = 10 * number + late
                if name == "gone":
                    if live.pop(key, None):
                        gone.append((key, T0 + timedelta(seconds=stamp + 3)))
                else:
                    # changes of one second share a stamp; a later one is never older than a deletion before it
                    live[key] = (name, stamp if not any(one == key for one, _ in gone) else stamp + 6)
            typed = typed_sql(memory, DECLARED, _values(memory, live), "UTC")
            rows = new_versions_sql(memory, DECLARED, "dynamics__contact", typed, end)
            listed = " UNION ALL ".join(
                f"SELECT '{key}' AS id, TIMESTAMPTZ '{moment.isoformat()}' AS deleted_at, NULL::VARCHAR AS survivor"
                for key, moment in gone
            )
            append(rows, f"{number}a")
            if gone:
                deletions = deletions_sql(memory, DECLARED, "dynamics__contact", listed, end)
                append(deletions, f"{number}b")
                assert append(deletions, f"{number}c") == 0
            assert append(rows, f"{number}d") == 0
            mirror = memory.rows(mirror_sql(memory, "dynamics", "contact", "Id", "modifiedon"))
            assert {row["Id"]: row["Name"] for row in mirror} == {key: name for key, (name, _) in live.items()}


def test_a_misfit_is_found_by_its_column() -> None:
    pages = "SELECT '7' AS Id, 'x' AS Name, 'soon' AS modifiedon"
    assert memory.rows(misfit_sql(memory, DECLARED, COLUMNS[2], pages, "UTC")) == [{"id": "7", "value": "soon"}]
