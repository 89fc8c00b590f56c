"""Lookups that a model names by an alternate key: compared by what the mirror of their table knows of the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backhaul.config import ExportStep, MapConfig
from backhaul.export import Mirror, Plan, PlannedChange, Source, make_plan
from backhaul.ledger import Ledger
from backhaul.record import Field, Kind, ObjectSchema
from backhaul.warehouse import Warehouse
from tests.warehouse.subjects import FIRST_DUCKDB, subject, table

SEEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, TWO, TWIN = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
FIELDS = (
    Field("contactid", "Id", "Uniqueidentifier", Kind.ID),
    Field("company", "Company", "Customer", Kind.ID, references=("account", "contact")),
    Field("company_table", "Company (table)", "EntityName", Kind.TEXT, updateable=False),
    Field("primary_one", "Primary", "Lookup", Kind.ID, references=("account",)),
)
SCHEMA = ObjectSchema(
    "crm",
    "contact",
    "Contact",
    "contactid",
    {one.name: one for one in FIELDS},
    (),
    companions={"company": ("company_table",)},
)
KEYS = (("number",), ("town", "no"))


@pytest.fixture(params=FIRST_DUCKDB)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    with subject(request.param, request, tmp_path) as opened:
        opened.create_schema("raw")
        opened.create_schema("export")
        table(
            opened,
            "raw",
            "contacts",
            f"SELECT *, false AS _backhaul_deleted, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS _backhaul_seen_at, "
            "NULL::VARCHAR AS _backhaul_survivor FROM (VALUES "
            f"('c1', '{ONE}', 'account', '{ONE}'), ('c2', '{TWO}', 'account', NULL)"
            ") AS t (contactid, company, company_table, primary_one)",
        )
        table(
            opened,
            "raw",
            "accounts",
            "SELECT * FROM (VALUES "
            f"('{ONE}', 'A 1/ü', 'Bonn', 1), ('{TWO}', 'b=2', 'Köln', 2), ('{TWIN}', 'B=2', NULL, 3), "
            "('00000000-0000-0000-0000-000000000004', 'lonely', 'a,no=9', 9)) AS t (accountid, number, town, no)",
        )
        yield opened


def mirror(warehouse: Warehouse, name: str, keys: tuple[tuple[str, ...], ...] = ()) -> Mirror:
    relation = warehouse.relation("raw", name)
    return Mirror(f"SELECT * FROM {relation}", warehouse.columns("raw", name), relation, None, SEEN, keys)


def plan(warehouse: Warehouse, names: Mapping[str, tuple[str, str]], *, imported: bool = True) -> Plan:
    """The plan of a model that names `names`: contact -> (company, primary_one)."""
    rows = ", ".join(f"('{one}', '{company}', '{prime}')" for one, (company, prime) in names.items())
    table(warehouse, "export", "m", f"SELECT * FROM (VALUES {rows}) AS t (crm_id, company, prime)")
    step = ExportStep(
        name="export_it",
        account="crm",
        object="contact",
        model="m",
        mode="update",
        key={"contactid": "crm_id"},
        map={"company": MapConfig(column="company"), "primary_one": MapConfig(column="prime")},
    )
    source = Source(
        warehouse.relation("export", "m"),
        warehouse.columns("export", "m"),
        mirror(warehouse, "contacts"),
        "UTC",
        {"account": mirror(warehouse, "accounts", KEYS)} if imported else {},
    )
    return make_plan(warehouse, Ledger(warehouse), SCHEMA, step, source)


def told(row: PlannedChange) -> dict[str, tuple[str | None, str | None]]:
    return {change.field: (change.old, change.new) for change in row.changes}


@pytest.mark.parametrize(
    "company", ["account:number=A 1/ü", " Account:Number=a 1/Ü ", "account:town=Bonn,no=1", "account:no=1,town=BONN"]
)
@pytest.mark.parametrize("prime", ["account:number=A 1/ü", "no=1,town=bonn"])
def test_a_key_that_the_mirror_knows_is_compared_as_the_record(warehouse: Warehouse, company: str, prime: str) -> None:
    same = plan(warehouse, {"c1": (company, prime)})
    assert same.counts == {"skip": 1} and set(same.reasons) == {("skip", "unchanged", "nothing to change")}
    changed = plan(warehouse, {"c2": (company, prime)})
    (row,) = changed.changes(warehouse, ("update",))
    assert told(row) == {
        "company": (f"account:{TWO}", f"account:{ONE}"),
        "primary_one": (None, f"account:{ONE}"),
    }
    assert (row.symbol, row.reason) == ("", "")


def test_an_id_in_braces_and_capitals_is_the_same_id(warehouse: Warehouse) -> None:
    same = plan(warehouse, {"c1": (f"account:{{{ONE.upper()}}}", f" {{{ONE}}} ")})
    assert same.counts == {"skip": 1}


@pytest.mark.parametrize(
    "name",
    ["account:number=nobody", "account:number=b=2", "account:town=a,no=9,no=9"],
    ids=["none", "several", "comma"],
)
def test_a_key_that_leads_to_no_one_record_is_sent_as_it_is(warehouse: Warehouse, name: str) -> None:
    (row,) = plan(warehouse, {"c1": (name, f"account:{ONE}")}).changes(warehouse, ("update",))
    assert told(row) == {"company": (f"account:{ONE}", name)}
    assert row.symbol == "by key"
    assert row.reason == (
        "company: the mirror of account holds no one record by this key: it is sent by the key every time"
    )


def test_a_target_that_is_not_imported_is_told_in_the_reason(warehouse: Warehouse) -> None:
    made = plan(warehouse, {"c1": ("account:number=A 1/ü", "number=A 1/ü")}, imported=False)
    (row,) = made.changes(warehouse, ("update",))
    assert told(row)["company"] == (f"account:{ONE}", "account:number=A 1/ü")
    assert made.reasons == {("update", "by key", row.reason): 1}
    assert row.reason == (
        "company: account is not imported with the columns of this key: it is sent by the key every time; "
        "primary_one: account is not imported with the columns of this key: it is sent by the key every time"
    )
