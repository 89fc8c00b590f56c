"""Plans that look back: who has the say, what came back changed, was merged or deleted, is refused; and guards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import ExportStep, Guards, MapConfig
from backhaul.export import Mirror, Plan, PlannedChange, Source, blocked_by, make_plan
from backhaul.ledger import Batch, Ledger
from backhaul.record import Field, Kind, ObjectSchema, Option, Outcome, State
from backhaul.warehouse import Warehouse
from tests.warehouse.subjects import FIRST_DUCKDB, subject, table

FIELDS = (
    Field("Id", "Id", "id", Kind.ID, createable=False, updateable=False),
    Field("LastName", "Last name", "string", Kind.TEXT, length=10, required_on_create=True, nullable=False),
    Field("Phone", "Phone", "phone", Kind.TEXT, length=40),
    Field("Score__c", "Score", "double", Kind.DECIMAL, precision=5, scale=1),
    Field("OptOut", "Opted out", "boolean", Kind.BOOLEAN),
    Field("Member__c", "Member", "string", Kind.TEXT, external_id=True, unique=True),
    Field(
        "Rating", "Rating", "picklist", Kind.TEXT, restricted=True, options=(Option("H", "Hot"), Option("W", "Warm"))
    ),
    Field("AccountId", "Account", "reference", Kind.ID, references=("Account",)),
    Field("Secret__c", "Secret", "string", Kind.TEXT, updateable=False, createable=False),
    Field("Status__c", "Status", "string", Kind.TEXT),
)
SCHEMA = ObjectSchema("crm", "Contact", "Contact", "Id", {field.name: field for field in FIELDS}, ("SystemModstamp",))
COLUMNS = (
    "Id VARCHAR, LastName VARCHAR, Phone VARCHAR, Score__c DECIMAL(5,1), OptOut BOOLEAN, Member__c VARCHAR, "
    "Rating VARCHAR, AccountId VARCHAR, Secret__c VARCHAR, Status__c VARCHAR, SystemModstamp TIMESTAMP WITH TIME ZONE, "
    "_backhaul_deleted BOOLEAN, _backhaul_survivor VARCHAR, _backhaul_seen_at TIMESTAMP WITH TIME ZONE, "
    "_dlt_load_id VARCHAR"
)
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


class World:
    """One object's raw log, a model and a ledger, with a clock of its own: imports, plans, and exports all accepted."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.ledger = Ledger(warehouse)
        self.now = BEGIN
        self.fresh: datetime | None = None
        warehouse.create_schema("raw")
        warehouse.create_schema("export")
        warehouse.execute(f"CREATE TABLE raw.log ({COLUMNS})")
        warehouse.spell("raw", "log", [column.split()[0] for column in COLUMNS.split(", ")])
        warehouse.execute("CREATE TABLE raw.accounts (Id VARCHAR)")

    def imported(self, *records: Mapping[str, Any], by: timedelta = timedelta(hours=1)) -> None:
        """An import an hour later, with a version of each record (stamped half an hour ago, unless it says when)."""
        self.now += by
        rows = [
            {
                "SystemModstamp": self.now - by / 2,
                "_backhaul_deleted": False,
                "OptOut": False,
                **record,
                "_backhaul_seen_at": self.now,
                "_dlt_load_id": str(self.now),
            }
            for record in records
        ]
        self.warehouse.insert("raw", "log", rows)
        self.fresh = self.now

    def mirror(self) -> Mirror:
        newest = "row_number() OVER (PARTITION BY Id ORDER BY SystemModstamp DESC, _backhaul_seen_at DESC) = 1"
        return Mirror(
            f'SELECT * FROM (SELECT * FROM "raw"."log" QUALIFY {newest}) AS m WHERE NOT _backhaul_deleted',
            self.warehouse.columns("raw", "log"),
            '"raw"."log"',
            '"SystemModstamp"',
            self.fresh,
        )

    def plan(self, model: str, step: ExportStep) -> Plan:
        table(self.warehouse, "export", "m", model)
        accounts = Mirror('SELECT * FROM "raw"."accounts"', {"Id": "VARCHAR"}, '"raw"."accounts"', None, self.fresh)
        source = Source(
            self.warehouse.relation("export", "m"),
            self.warehouse.columns("export", "m"),
            self.mirror(),
            "UTC",
            {"Account": accounts},
        )
        return make_plan(self.warehouse, self.ledger, SCHEMA, step, source)

    def rows(self, model: str, step: ExportStep) -> dict[str, PlannedChange]:
        plan = self.plan(model, step)
        actions = ("create", "update", "delete", "skip", "refuse")
        return {row.key: row for row in plan.changes(self.warehouse, actions)}

    def export(self, model: str, step: ExportStep) -> dict[str, PlannedChange]:
        """Plan, and let the CRM take everything a minute later."""
        self.now += timedelta(minutes=1)
        plan = self.plan(model, step)
        saved = {
            "plan_id": plan.plan_id, "run_id": "r", "step": step.name, "account": "crm", "object": "Contact",
            "freshness": plan.freshness, "model_rows": plan.model_rows, "columns": json.dumps(dict(plan.distinct)),
        }  # fmt: skip
        self.ledger.save_plan(
            saved,
            "SELECT key, action, record_id, match, changes, fingerprint, symbol, reason, rest, NULL AS image "
            f"FROM {plan.table} WHERE action <> 'skip'",
        )
        rows = list(plan.changes(self.warehouse, ("create", "update", "delete")))
        for number, row in enumerate(rows, 1):
            operation = "upsert" if row.action == "create" else row.action
            batch = Batch(plan.plan_id, number, step.name, "crm", "Contact", operation, (row.key,))
            outcome = Outcome(row.key, State.DONE, row.record_id or f"003new{number}")
            self.ledger.settle(batch, [outcome], self.now)
        waiting = [
            {"key": row.key, "record_id": row.record_id, "field": one.field, "kind": one.kind, "crm": one.crm,
             "model": one.model}
            for row in plan.where(self.warehouse, "parked <> '[]'")
            for one in row.parked
        ]  # fmt: skip
        self.ledger.keep_conflicts(saved, waiting)
        self.ledger.finish_plan(plan.plan_id, "applied")
        return {row.key: row for row in plan.changes(self.warehouse, ("create", "update", "delete", "skip", "refuse"))}


@pytest.fixture(params=FIRST_DUCKDB)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with subject(request.param, request, tmp_path) as opened:
        yield World(opened)


def step(mode: str = "update", key: Mapping[str, str] | None = None, **options: Any) -> ExportStep:
    mapping = options.pop("map", {"Phone": "phone"})
    return ExportStep(
        name="export_it",
        account="crm",
        object="Contact",
        model="m",
        mode=mode,  # type: ignore[arg-type] # a test hands over any of the words
        key={"Id": "crm_id"} if key is None else dict(key),
        map={name: MapConfig(column=to) if isinstance(to, str) else MapConfig(**to) for name, to in mapping.items()},
        **options,
    )


def told(row: PlannedChange) -> dict[str, tuple[str | None, str | None]]:
    return {change.field: (change.old, change.new) for change in row.changes}


PHONE = "SELECT 'a' AS crm_id, '{}' AS phone"


def agreed(world: World, export: ExportStep) -> None:
    """Both sides hold 1."""
    world.imported({"Id": "a", "LastName": "A", "Phone": "0"})
    assert world.export(PHONE.format(1), export)["a"].action == "update"
    world.imported({"Id": "a", "LastName": "A", "Phone": "1", "SystemModstamp": world.now})
    assert world.export(PHONE.format(1), export)["a"].symbol == "unchanged"


# ---- who has the say ----


def test_what_only_the_model_changed_is_written(world: World) -> None:
    agreed(world, step())
    world.imported()
    assert told(world.rows(PHONE.format(2), step())["a"]) == {"Phone": ("1", "2")}


def test_what_both_changed_waits_for_a_person_until_one_decides(world: World) -> None:
    agreed(world, step())
    world.imported({"Id": "a", "LastName": "A", "Phone": "9"})
    for _ in range(3):  # it waits, however often it is planned and whatever else is imported
        row = world.export(PHONE.format(2), step())["a"]
        assert (row.action, row.symbol) == ("skip", "conflict"), row
        assert [(one.field, one.kind, one.crm, one.model) for one in row.parked] == [("Phone", "conflict", "9", "2")]
        world.imported()
    (listed,) = world.ledger.conflicts()
    assert (listed["key"], listed["field"], listed["crm_value"], listed["model_value"]) == ("a", "Phone", "9", "2")
    assert world.ledger.resolve_conflicts("export_it", "a", "Phone", "campaign") == 1
    assert told(world.export(PHONE.format(2), step())["a"]) == {"Phone": ("9", "2")}
    assert world.ledger.conflicts() == []


def test_a_conflict_decided_for_the_crm_rests_until_the_model_moves(world: World) -> None:
    agreed(world, step())
    world.imported({"Id": "a", "LastName": "A", "Phone": "9"})
    world.export(PHONE.format(2), step())
    world.ledger.resolve_conflicts("export_it", "a", "", "crm")
    assert world.export(PHONE.format(2), step())["a"].symbol == "unchanged"
    world.imported()
    assert world.export(PHONE.format(2), step())["a"].symbol == "unchanged"
    assert told(world.export(PHONE.format(3), step())["a"]) == {"Phone": ("9", "3")}


def test_a_conflict_is_gone_when_both_sides_agree_again(world: World) -> None:
    agreed(world, step())
    world.imported({"Id": "a", "LastName": "A", "Phone": "9"})
    world.export(PHONE.format(2), step())
    assert len(world.ledger.conflicts()) == 1
    assert world.export(PHONE.format(9), step())["a"].symbol == "unchanged"
    assert world.ledger.conflicts() == []


@pytest.mark.parametrize(
    ("owner", "changed_at", "written"),
    [
        ("campaign", None, {"Phone": ("9", "2")}),
        ("crm", None, {}),
        ("fill_empty", None, {}),
        ("newest", BEGIN + timedelta(hours=9), {"Phone": ("9", "2")}),
        ("newest", BEGIN, {}),
    ],
)
def test_an_owner_decides(world: World, owner: str, changed_at: datetime | None, written: dict[str, Any]) -> None:
    when = {"changed_at": "changed"} if changed_at else {}
    export = step(map={"Phone": {"column": "phone", "owner": owner, **when}})
    stamp = f"TIMESTAMPTZ '{changed_at.isoformat(sep=' ')}'" if changed_at else "NULL"
    model = PHONE + f", {stamp} AS changed"
    world.imported({"Id": "a", "LastName": "A", "Phone": "1"})
    world.export(model.format(1), export)
    world.imported({"Id": "a", "LastName": "A", "Phone": "9"})
    row = world.rows(model.format(2), export)["a"]
    assert told(row) == written and row.action == ("update" if written else "skip")


def test_the_later_of_two_values_is_told_by_its_own_field(world: World) -> None:
    """Neither what we wrote beside it nor our own older value of it makes the CRM's value a later one."""
    export = step(map={"Phone": {"column": "phone", "owner": "newest", "changed_at": "changed"}, "Score__c": "score"})
    model = "SELECT 'a' AS crm_id, '{}' AS phone, {} AS score, TIMESTAMPTZ '2026-03-01 {}:00+00' AS changed"
    world.imported({"Id": "a", "LastName": "A", "Phone": "1", "Score__c": 1})  # seen at 09:00, stamped 08:30
    assert told(world.export(model.format(1, 2, "08:00"), export)["a"]) == {"Score__c": ("1.0", "2.0")}
    world.imported({"Id": "a", "LastName": "A", "Phone": "1", "Score__c": 2, "SystemModstamp": world.now})  # 09:01
    assert told(world.export(model.format(2, 2, "08:45"), export)["a"]) == {"Phone": ("1", "2")}
    world.imported({"Id": "a", "LastName": "A", "Phone": "2", "Score__c": 2, "SystemModstamp": world.now})
    # Heard of late, and a minute older than our writing of the value before it.
    assert told(world.export(model.format(3, 2, "10:01"), export)["a"]) == {"Phone": ("2", "3")}
    world.imported({"Id": "a", "LastName": "A", "Phone": "9", "Score__c": 2})
    world.imported({"Id": "a", "LastName": "A", "Phone": "3", "Score__c": 2})
    later = f"{world.now - timedelta(minutes=40):%H:%M}"
    assert world.rows(model.format(4, 2, later), export)["a"].action == "skip"  # a person wrote the 3 back after that


def test_only_empty_fields_are_filled(world: World) -> None:
    export = step(map={"Phone": {"column": "phone", "only_if_empty": True}})
    world.imported({"Id": "a", "LastName": "A", "Phone": "1"}, {"Id": "b", "LastName": "B"})
    rows = world.rows("SELECT UNNEST(['a', 'b']) AS crm_id, '2' AS phone", export)
    assert (rows["a"].symbol, told(rows["b"])) == ("unchanged", {"Phone": (None, "2")})


# ---- consent ----

CONSENT = {"OptOut": {"column": "opted_out", "only_tighten": True, "changed_at": "consent_at"}, "Phone": "phone"}


def test_consent_comes_back_only_by_a_newer_one(world: World) -> None:
    world.imported({"Id": "a", "LastName": "A", "OptOut": False})
    world.imported({"Id": "a", "LastName": "A", "OptOut": True})  # opted out at 09:30
    world.imported({"Id": "a", "LastName": "B", "OptOut": True})
    model = "SELECT 'a' AS crm_id, false AS opted_out, TIMESTAMPTZ '2026-03-01 {}:00+00' AS consent_at, NULL AS phone"
    assert world.rows(model.format("09:00"), step(map=CONSENT))["a"].symbol == "unchanged"
    assert told(world.rows(model.format("09:45"), step(map=CONSENT))["a"]) == {"OptOut": ("true", "false")}


def test_an_opt_out_is_written_whatever_is_wrong_with_its_row(world: World) -> None:
    agreed(world, step())
    world.imported({"Id": "a", "LastName": "A", "Phone": "9"})
    model = "SELECT 'a' AS crm_id, true AS opted_out, NULL::TIMESTAMPTZ AS consent_at, '{}' AS phone"
    conflicting = world.rows(model.format(2), step(map=CONSENT))["a"]
    assert (conflicting.action, conflicting.symbol, conflicting.partial) == ("update", "conflict", True)
    assert told(conflicting) == {"OptOut": ("false", "true")}
    long = world.rows(model.format("x" * 41), step(map={**CONSENT, "Phone": {"column": "phone", "owner": "campaign"}}))
    assert (long["a"].action, long["a"].symbol, told(long["a"])) == (
        "update", "VALUE_TOO_LONG", {"OptOut": ("false", "true")},
    )  # fmt: skip


# ---- echo ----


def test_a_value_that_the_crm_rewrites_is_sent_twice_and_then_parked(world: World) -> None:
    """Case 25: our own value comes back changed, stamped when we wrote it."""
    world.imported({"Id": "a", "LastName": "A", "Phone": "0"})
    for round_number in range(4):
        row = world.export(PHONE.format(1), step())["a"]
        if round_number < 2:
            assert row.action == "update", row
            assert ("made something else of Phone" in row.reason) == (round_number == 1)
        else:
            assert (row.action, row.symbol) == ("skip", "rewritten"), row
        world.imported({"Id": "a", "LastName": "A", "Phone": "+1", "SystemModstamp": world.now})
    assert [one["kind"] for one in world.ledger.conflicts()] == ["rewritten"]


def test_a_model_that_follows_the_rewriting_stops_as_well(world: World) -> None:
    """Case 25: the model makes a new value out of what the CRM made of the last one."""
    world.imported({"Id": "a", "LastName": "A", "Phone": "0"})
    sent = 0
    for value in ("1", "+1!", "++1!!", "+++1!!!", "++++1!!!!"):
        row = world.export(PHONE.format(value), step())["a"]
        sent += row.action == "update"
        if row.action == "update":
            world.imported({"Id": "a", "LastName": "A", "Phone": f"+{value}", "SystemModstamp": world.now})
    assert sent == 2


def test_what_a_person_changed_back_is_no_rewriting(world: World) -> None:
    agreed(world, step())
    world.imported({"Id": "a", "LastName": "A", "Phone": "0"})
    assert told(world.export(PHONE.format(1), step())["a"]) == {"Phone": ("0", "1")}


# ---- merged and deleted ----


def test_a_row_of_a_merged_record_goes_to_the_survivor(world: World) -> None:
    """Case 18: through a chain of merges; where the survivor has a row of its own, only consent is passed on."""
    world.imported(*({"Id": one, "LastName": one} for one in "abc"))
    gone = {"_backhaul_deleted": True, "OptOut": None}
    world.imported({"Id": "a", "_backhaul_survivor": "b", **gone})
    world.imported({"Id": "b", "_backhaul_survivor": "c", **gone})
    export = step(map={"Phone": "phone", "OptOut": {"column": "opted_out", "only_tighten": True}})
    row = world.rows("SELECT 'a' AS crm_id, '1' AS phone, false AS opted_out", export)["a"]
    assert (row.action, row.record_id, told(row)) == ("update", "c", {"Phone": (None, "1")})
    rows = world.rows(
        "SELECT * FROM (VALUES ('a', '1', true), ('c', '2', false)) AS t (crm_id, phone, opted_out)", export
    )
    assert (rows["a"].action, rows["a"].symbol) == ("skip", "merged")
    assert told(rows["c"]) == {"Phone": (None, "2"), "OptOut": ("false", "true")}


def test_a_deleted_record_is_not_made_again(world: World) -> None:
    export = step("upsert", {"Member__c": "member"}, map={"LastName": "name"})
    model = "SELECT 'M1' AS member, 'New' AS name"
    world.imported({"Id": "a", "LastName": "A", "Member__c": "m1"})
    world.imported({"Id": "a", "_backhaul_deleted": True})
    row = world.rows(model, export)["M1"]
    assert (row.action, row.symbol) == ("skip", "deleted") and "a" in row.reason


# ---- mirror mode ----


def test_what_leaves_the_model_leaves_the_crm_if_it_was_ours(world: World) -> None:
    """Case 19: only records that the step wrote; a forced re-import between changes nothing."""
    export = step("mirror", {"Member__c": "member"}, map={"LastName": "name"}, guards=Guards(max_deletes=5))
    world.imported(
        {"Id": "theirs", "LastName": "T", "Member__c": "T1"}, {"Id": "ours", "LastName": "O", "Member__c": "O1"}
    )
    both = "SELECT * FROM (VALUES ('O1', 'Ours'), ('T1', 'T')) AS t (member, name)"
    assert world.export(both, export)["O1"].action == "update"
    world.imported({"Id": "ours", "LastName": "Ours", "Member__c": "O1"})
    rows = world.rows("SELECT 'X' AS member, 'X' AS name", export)
    assert {key: row.action for key, row in rows.items()} == {"X": "create", "O1": "delete"}
    archive = step("mirror", {"Member__c": "member"}, map={"LastName": "name"}, archive={"Status__c": "Left"})
    rows = world.rows("SELECT 'X' AS member, 'X' AS name", archive)
    assert told(rows["O1"]) == {"Status__c": (None, "Left")} and rows["O1"].action == "update"


# ---- refused before sending ----


@pytest.mark.parametrize(
    ("field", "value", "symbol"),
    [
        ("LastName", "'ElevenChars'", "VALUE_TOO_LONG"),
        ("Score__c", "12345", "NUMBER_TOO_LARGE"),
        ("Score__c", "'many'", "VALUE_NOT_CONVERTIBLE"),
        ("Rating", "'Cold'", "NOT_A_CHOICE"),
        ("AccountId", "'001gone'", "REFERENCE_NOT_FOUND"),
        ("Secret__c", "'x'", "FIELD_NOT_WRITABLE"),
    ],
)
def test_what_cannot_be_right_is_refused_before_it_is_sent(world: World, field: str, value: str, symbol: str) -> None:
    world.imported({"Id": "a", "LastName": "A"})
    row = world.rows(f"SELECT 'a' AS crm_id, {value} AS v", step(map={field: "v"}))["a"]
    assert (row.action, row.symbol) == ("refuse", symbol) and row.reason
    same = world.rows("SELECT 'a' AS crm_id, NULL AS v", step(map={field: "v"}))["a"]
    assert same.symbol == "unchanged"  # nothing would be written, so nothing is wrong


def test_a_label_means_its_value_and_a_reference_may_lead_to_what_we_made(world: World) -> None:
    world.imported({"Id": "a", "LastName": "A"})
    row = world.rows("SELECT 'a' AS crm_id, 'Warm ' AS v", step(map={"Rating": "v"}))["a"]
    assert told(row) == {"Rating": (None, "W")}
    world.warehouse.execute("INSERT INTO raw.accounts VALUES ('001here')")
    assert world.rows("SELECT 'a' AS crm_id, '001here' AS v", step(map={"AccountId": "v"}))["a"].action == "update"


def test_a_new_record_without_what_is_required(world: World) -> None:
    export = step("upsert", {"Member__c": "member"}, map={"LastName": "name"})
    world.imported({"Id": "a", "LastName": "A"})
    row = world.rows("SELECT 'M' AS member, NULL AS name", export)["M"]
    assert (row.action, row.symbol) == ("refuse", "REQUIRED_MISSING")


# ---- guards ----


def blocked(world: World, model: str, export: ExportStep, *allowed: str) -> list[str]:
    broken = blocked_by(world.plan(model, export), export, allowed, world.ledger.last_applied(export.name))
    return [sentence.partition(":")[0] for sentence in broken]


@pytest.mark.slow
def test_guards_judge_by_the_last_export(world: World) -> None:
    """Case 20: a model that is suddenly empty, a small part of its last size, or has one value in a column."""
    world.imported(*({"Id": f"a{n}", "LastName": "A"} for n in range(200)))
    rows = "SELECT 'a' || n AS crm_id, {} AS phone FROM range({}) AS t (n)"
    assert blocked(world, rows.format("n", 0), step()) == []  # the first export has nothing to be measured by
    world.export(rows.format("n", 200), step())
    assert blocked(world, rows.format("n", 0), step()) == ["max_shrink"]
    assert blocked(world, rows.format("n", 4), step()) == ["max_shrink"]
    assert blocked(world, rows.format("n", 150), step()) == []
    assert blocked(world, rows.format("n", 150), step(guards=Guards(max_shrink=0.2))) == ["max_shrink"]
    assert blocked(world, rows.format("n", 4), step(guards=Guards(max_shrink=1))) == []
    assert blocked(world, rows.format("'1'", 200), step()) == ["constant"]
    assert blocked(world, rows.format("'1'", 200), step(guards=Guards(constant="pass"))) == []
    assert blocked(world, rows.format("'1'", 4), step(), "max_shrink") == []
    world.imported(*({"Id": f"a{n}", "LastName": "A", "Phone": str(n)} for n in range(200)))
    empty = rows.format("CASE WHEN n > 9 THEN n END", 200)
    assert blocked(world, empty, step(nulls="clear", guards=Guards(max_nulls=9))) == ["max_nulls"]
    assert blocked(world, empty, step(nulls="clear", guards=Guards(max_nulls=10))) == []


def test_plans_of_a_machine_whose_clock_is_ahead_come_before_ours(world: World) -> None:
    """What was sent last is told by the order of the plans: another machine's clock must not turn it round."""
    world.imported({"Id": "a", "LastName": "A", "Phone": "1"})
    export = step()
    world.export(PHONE.format("2"), export)
    for name in ("plans", "changes", "batches", "outcomes", "field_changes"):
        world.warehouse.execute(f"UPDATE {world.ledger.table(name)} SET plan_id = '29990101T000000000-abcdef'")
    assert told(world.export(PHONE.format("3"), export)["a"]) == {"Phone": ("2", "3")}
    # Of the two it is ours that the CRM holds.
    assert told(world.rows(PHONE.format("2"), export)["a"]) == {"Phone": ("3", "2")}
    assert world.rows(PHONE.format("3"), export)["a"].action == "skip"
