"""Plans: an export model on one side, the mirror on the other, in a real warehouse; no CRM is needed to make one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.config import ExportStep, MapConfig, Options, Rejects, Retry
from backhaul.crm.salesforce.values import long_id
from backhaul.errors import ConfigurationError
from backhaul.export import Mirror, Plan, PlannedChange, Source, make_plan
from backhaul.export.values import one_form
from backhaul.ledger import Batch, Ledger, Reject
from backhaul.record import Field, Kind, ObjectSchema, Outcome, State
from backhaul.warehouse import Warehouse
from tests.examples import examples
from tests.warehouse.subjects import FIRST_DUCKDB, subject, table

FIELDS = (
    Field("Id", "Id", "id", Kind.ID, createable=False, updateable=False),
    Field("LastName", "Last name", "string", Kind.TEXT, length=80, required_on_create=True),
    Field("Email", "Email", "email", Kind.TEXT, length=80),
    Field("Score__c", "Score", "double", Kind.DECIMAL, precision=5, scale=1),
    Field("Open__c", "Last open", "datetime", Kind.DATETIME),
    Field("Birthdate", "Birth date", "date", Kind.DATE),
    Field("OptOut", "Opted out", "boolean", Kind.BOOLEAN),
    Field("Member__c", "Member", "string", Kind.TEXT, external_id=True, unique=True),
    Field("Formula__c", "Formula", "string", Kind.TEXT, calculated=True, createable=False, updateable=False),
)
SCHEMA = ObjectSchema("crm", "Contact", "Contact", "Id", {field.name: field for field in FIELDS}, ("SystemModstamp",))
SEEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=FIRST_DUCKDB)
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    with subject(request.param, request, tmp_path) as opened:
        opened.create_schema("raw")
        opened.create_schema("export")
        table(
            opened,
            "raw",
            "mirror",
            """SELECT *, TIMESTAMPTZ '2026-03-01 10:00:00+00' AS SystemModstamp, false AS _backhaul_deleted,
            NULL::VARCHAR AS _backhaul_survivor, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS _backhaul_seen_at,
            'load' AS _dlt_load_id FROM (VALUES
            ('003A', 'Nguyen', 'an@example.com', 10.0, TIMESTAMPTZ '2026-01-01 10:00:00+00', DATE '1990-05-01', false,
             'M-1', NULL),
            ('003B', 'Meier', NULL, NULL, NULL, NULL, true, 'm-2', NULL),
            ('003C', 'Rossi', 'r@example.com', 5.5, NULL, NULL, false, NULL, NULL),
            ('003D', 'Double', NULL, NULL, NULL, NULL, false, 'TWIN', NULL),
            ('003E', 'Double', NULL, NULL, NULL, NULL, false, 'twin', NULL)
            ) AS t (Id, LastName, Email, Score__c, Open__c, Birthdate, OptOut, Member__c, Formula__c)""",
        )
        yield opened


def step(mode: str = "update", key: Mapping[str, str] | None = None, **options: Any) -> ExportStep:
    mapping = options.pop("map", {"Score__c": "score"})
    if key != {}:
        options["key"] = {"Id": "crm_id"} if key is None else dict(key)
    return ExportStep(
        name="export_it",
        account="crm",
        object="Contact",
        model="m",
        mode=mode,  # type: ignore[arg-type] # a test hands over any of the words
        map={name: MapConfig(column=to) if isinstance(to, str) else MapConfig(**to) for name, to in mapping.items()},
        **options,
    )


def planned(warehouse: Warehouse, model: str, export: ExportStep, **options: Any) -> dict[str, PlannedChange]:
    plan = make(warehouse, model, export, **options)
    rows = plan.changes(warehouse, ("create", "update", "delete", "skip", "refuse"))
    return {row.key: row for row in rows}


def make(
    warehouse: Warehouse, model: str, export: ExportStep, *, retry: bool = False, schema: ObjectSchema = SCHEMA
) -> Plan:
    table(warehouse, "export", "m", model)
    mirror = Mirror(
        sql=f"SELECT * FROM {warehouse.relation('raw', 'mirror')}",
        columns=warehouse.columns("raw", "mirror"),
        log=warehouse.relation("raw", "mirror"),
        cursor='"SystemModstamp"',
        freshness=SEEN,
    )
    source = Source(
        model=warehouse.relation("export", "m"),
        columns=warehouse.columns("export", "m"),
        mirror=mirror,
        time_zone="Europe/Berlin",
    )
    return make_plan(warehouse, Ledger(warehouse), schema, export, source, retry=retry)


def written(
    ledger: Ledger, batch: Batch, values: Mapping[str, Mapping[str, str]], match: Mapping[str, str] | None = None
) -> None:
    """Save a plan that writes `values` by row, as what a batch of it is settled with."""
    rows = [
        (key, json.dumps(match or {}), json.dumps([{"field": f, "old": None, "new": v} for f, v in fields.items()]))
        for key, fields in values.items()
    ]
    listed = ", ".join(f"('{key}', '{of}', '{changes}')" for key, of, changes in rows)
    ledger.save_plan(
        {"plan_id": batch.plan_id, "run_id": "r", "step": batch.step, "account": "crm", "object": "Contact"},
        "SELECT key, 'update' AS action, NULL AS record_id, match, changes, '' AS fingerprint, '' AS symbol, "
        f"'' AS reason, NULL AS rest, NULL AS image FROM (VALUES {listed}) AS t (key, match, changes)",
    )


def told(row: PlannedChange) -> dict[str, tuple[str | None, str | None]]:
    return {change.field: (change.old, change.new) for change in row.changes}


def test_only_the_fields_that_differ_are_planned(warehouse: Warehouse) -> None:
    rows = planned(
        warehouse,
        "SELECT '003A' AS crm_id, 10.04 AS score, 'Nguyen ' AS name UNION ALL SELECT '003C', 7, 'Rosso'",
        step(map={"Score__c": "score", "LastName": "name"}),
    )
    assert rows["003A"].action == "skip" and rows["003A"].symbol == "unchanged"
    assert told(rows["003C"]) == {"Score__c": ("5.5", "7.0"), "LastName": ("Rossi", "Rosso")}
    assert rows["003C"].record_id == "003C"


@pytest.mark.parametrize(
    ("field", "expression", "changes"),
    [
        ("Email", "'AN@Example.com '", {}),
        ("Open__c", "TIMESTAMPTZ '2026-01-01 11:00:00.9+01'", {}),
        ("Open__c", "TIMESTAMP '2026-01-01 10:00:01'", {"Open__c": ("2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z")}),
        ("Birthdate", "TIMESTAMP '1990-05-01 00:00:00'", {}),
        ("Birthdate", "'1990-05-02'", {"Birthdate": ("1990-05-01", "1990-05-02")}),
        ("Score__c", "'10.04'", {}),
        ("OptOut", "1", {"OptOut": ("false", "true")}),
    ],
)
def test_values_are_compared_as_the_crm_stores_them(
    warehouse: Warehouse, field: str, expression: str, changes: dict[str, Any]
) -> None:
    rows = planned(warehouse, f"SELECT '003A' AS crm_id, {expression} AS value", step(map={field: "value"}))
    assert told(rows["003A"]) == changes


def test_a_date_taken_from_an_instant_is_the_date_in_the_accounts_time_zone(warehouse: Warehouse) -> None:
    rows = planned(
        warehouse,
        "SELECT '003A' AS crm_id, TIMESTAMPTZ '1990-04-30 22:30:00+00' AS born",
        step(map={"Birthdate": {"column": "born", "convert": "date_only"}}),
    )
    assert told(rows["003A"]) == {}  # 00:30 on the first of May in Berlin


@pytest.mark.parametrize(("nulls", "changes"), [("leave", {}), ("clear", {"Email": ("an@example.com", None)})])
def test_a_null_leaves_or_clears(warehouse: Warehouse, nulls: str, changes: dict[str, Any]) -> None:
    rows = planned(
        warehouse,
        "SELECT '003A' AS crm_id, CAST(NULL AS VARCHAR) AS email",
        step(map={"Email": {"column": "email", "nulls": nulls}}),
    )
    assert told(rows["003A"]) == changes


def test_consent_is_tightened_and_never_taken_back(warehouse: Warehouse) -> None:
    rows = planned(
        warehouse,
        "SELECT '003A' AS crm_id, true AS out UNION ALL SELECT '003B', false UNION ALL SELECT '003C', NULL",
        step(map={"OptOut": {"column": "out", "only_tighten": True}}),
    )
    assert told(rows["003A"]) == {"OptOut": ("false", "true")}
    assert rows["003B"].action == rows["003C"].action == "skip"


def test_rows_that_must_not_be_sent_are_refused_with_a_reason(warehouse: Warehouse) -> None:
    rows = planned(
        warehouse,
        """SELECT * FROM (VALUES (NULL, '1'), ('003A', '1'), ('003A ', '2'), ('003X', '1'), ('003C', 'many'))
        AS t (crm_id, score)""",
        step(),
    )
    reasons = sorted((row.symbol, row.action) for row in rows.values())
    assert reasons == [
        ("KEY_DUPLICATE", "refuse"),
        ("KEY_NULL", "refuse"),
        ("RECORD_NOT_FOUND", "refuse"),
        ("VALUE_NOT_CONVERTIBLE", "refuse"),
    ]
    assert "score = many does not fit Score__c (double)" in rows["003C"].reason


def test_upsert_by_external_id_creates_updates_and_refuses_what_is_ambiguous(warehouse: Warehouse) -> None:
    rows = planned(
        warehouse,
        """SELECT * FROM (VALUES ('m-1', 'Nguyen', 11), ('NEW', 'Okafor', 3), ('Twin', 'Double', 1))
        AS t (member, name, score)""",
        step("upsert", {"Member__c": "member"}, map={"LastName": "name", "Score__c": "score"}),
    )
    assert rows["m-1"].action == "update" and rows["m-1"].record_id == "003A"
    assert rows["NEW"].action == "create" and rows["NEW"].match == {"Member__c": "NEW"}
    assert told(rows["NEW"]) == {"LastName": (None, "Okafor"), "Score__c": (None, "3.0")}
    assert rows["Twin"].symbol == "KEY_AMBIGUOUS"


def test_inserted_rows_are_not_inserted_again(warehouse: Warehouse) -> None:
    export = step("insert", {}, map={"LastName": "name"}, identify="row_name")
    model = "SELECT 'a' AS row_name, 'Okafor' AS name UNION ALL SELECT 'b', 'Silva' UNION ALL SELECT 'c', 'Kim'"
    assert {row.action for row in planned(warehouse, model, export).values()} == {"create"}
    ledger = Ledger(warehouse)
    batch = Batch("p", 1, "export_it", "crm", "Contact", "create", ("a", "b"))
    ledger.batch_sent(batch)
    outcomes = [Outcome("a", State.DONE, "003N", created=True), Outcome("b", State.IN_DOUBT)]
    written(ledger, batch, {"a": {"LastName": "Okafor"}, "b": {}})
    ledger.settle(batch, outcomes, SEEN)
    rows = planned(warehouse, model, export)
    assert {key: (row.action, row.symbol) for key, row in rows.items()} == {
        "a": ("skip", "created before"),
        "b": ("skip", "in doubt"),
        "c": ("create", ""),
    }


def test_what_was_sent_counts_until_an_import_brings_it_back(warehouse: Warehouse) -> None:
    export, model = step(), "SELECT '003A' AS crm_id, 42 AS score"
    batch = Batch("p", 1, "export_it", "crm", "Contact", "update", ("003A",))
    written(Ledger(warehouse), batch, {"003A": {"Score__c": "42.0"}})
    Ledger(warehouse).settle(batch, [Outcome("003A", State.DONE, "003A")], SEEN)
    assert planned(warehouse, model, export)["003A"].symbol == "unchanged"
    earlier = Batch("p", 2, "export_it", "crm", "Contact", "update", ("003C",))
    before = SEEN.replace(hour=11)
    written(Ledger(warehouse), earlier, {"003C": {"Score__c": "42.0"}})
    Ledger(warehouse).settle(earlier, [Outcome("003C", State.DONE, "003C")], before)
    # Sent before the mirror's last window ended: the mirror is the newer witness, and it says 5.5.
    assert told(planned(warehouse, "SELECT '003C' AS crm_id, 42 AS score", export)["003C"]) == {
        "Score__c": ("5.5", "42.0")
    }


@pytest.mark.parametrize("created", [True, False])
def test_an_upserted_record_is_known_whichever_of_two_calls_made_it(warehouse: Warehouse, created: bool) -> None:
    export = step("upsert", {"Member__c": "member"}, map={"LastName": "name"})
    model = "SELECT 'NEW' AS member, 'Okafor' AS name"
    row = planned(warehouse, model, export)["NEW"]
    batch = Batch("p", 1, "export_it", "crm", "Contact", "upsert", ("NEW",))
    written(Ledger(warehouse), batch, {"NEW": {"LastName": "Okafor"}}, match=row.match)
    Ledger(warehouse).settle(batch, [Outcome("NEW", State.DONE, "003N", created=created)], SEEN)
    assert planned(warehouse, model, export)["NEW"].symbol == "unchanged"


def test_of_two_values_sent_within_a_second_the_later_plans_counts(warehouse: Warehouse) -> None:
    for plan_id, value in (("20260301T120000500-b", "42.0"), ("20260301T120000100-a", "41.0")):
        batch = Batch(plan_id, 1, "export_it", "crm", "Contact", "update", ("003A",))
        outcome = Outcome("003A", State.DONE, "003A")
        written(Ledger(warehouse), batch, {"003A": {"Score__c": value}})
        Ledger(warehouse).settle(batch, [outcome], SEEN)
    assert planned(warehouse, "SELECT '003A' AS crm_id, 42 AS score", step())["003A"].symbol == "unchanged"


def test_a_row_the_crm_refused_is_held_until_it_changes_or_is_asked_for(warehouse: Warehouse) -> None:
    export, model = step(), "SELECT '003A' AS crm_id, 99 AS score"
    row = planned(warehouse, model, export)["003A"]
    identity = {"plan_id": "p", "step": "export_it", "account": "crm", "object": "Contact"}
    reject = Reject("003A", row.fingerprint, "003A", "crm", "STRING_TOO_LONG", "too long", (), {})
    Ledger(warehouse).record_rejects("r", identity, [reject])
    held = planned(warehouse, model, export)["003A"]
    assert (held.action, held.symbol) == ("skip", "held") and "STRING_TOO_LONG" in held.reason
    assert make(warehouse, model, export, retry=True).counts == {"update": 1}
    assert planned(warehouse, "SELECT '003A' AS crm_id, 98 AS score", export)["003A"].action == "update"


def test_a_reject_that_may_pass_is_tried_again_after_the_wait_as_often_as_declared(warehouse: Warehouse) -> None:
    model = "SELECT '003A' AS crm_id, 99 AS score"
    identity = {"plan_id": "p", "step": "export_it", "account": "crm", "object": "Contact"}
    fingerprint = planned(warehouse, model, step())["003A"].fingerprint

    def action(wait: timedelta) -> str:
        export = step(rejects=Rejects(retry=Retry(attempts=2, wait=wait)))
        return planned(warehouse, model, export)["003A"].action

    locked = Reject("003A", fingerprint, "003A", "crm", "UNABLE_TO_LOCK_ROW", "busy", (), {}, passing=True)
    Ledger(warehouse).record_rejects("r", identity, [locked])
    assert (action(timedelta(hours=1)), action(timedelta())) == ("skip", "update")
    Ledger(warehouse).record_rejects("r", identity, [locked])
    assert action(timedelta()) == "skip"


def test_every_fault_of_a_mapping_is_told_at_once(warehouse: Warehouse) -> None:
    export = step(map={"Scor__c": "score", "Formula__c": "score", "Email": "scored"})
    with pytest.raises(ConfigurationError) as raised:
        make(warehouse, "SELECT '003A' AS crm_id, 1 AS score", export)
    text = str(raised.value)
    assert "no field 'Scor__c'" in text and "did you mean 'Score__c'?" in text
    assert "Formula__c cannot be written on Contact: it is calculated by the CRM" in text
    assert "no column 'scored'" in text and "did you mean 'score'?" in text


def test_a_change_carries_the_version_that_was_seen_where_the_step_asks(warehouse: Warehouse) -> None:
    warehouse.execute("ALTER TABLE raw.mirror ADD COLUMN version BIGINT")
    warehouse.execute("UPDATE raw.mirror SET version = 4711")
    fields = {**SCHEMA.fields, "version": Field("version", "Version", "BigInt", Kind.BIGINT, updateable=False)}
    schema = replace(SCHEMA, fields=fields, version_field="version")
    model = "SELECT UNNEST(['003A', '003C']) AS crm_id, 42 AS score"
    asking = step(options=Options(if_unchanged=True))
    # What was written since the import has a version that nobody here has seen.
    batch = Batch("p", 1, "export_it", "crm", "Contact", "update", ("003C",))
    ledger = Ledger(warehouse)
    written(ledger, batch, {"003C": {"Score__c": "7.0"}})
    ledger.settle(batch, [Outcome("003C", State.DONE, "003C")], SEEN)
    rows = planned(warehouse, model, asking, schema=schema)
    assert (rows["003A"].version, rows["003C"].version) == ("4711", None)
    assert planned(warehouse, model, step(), schema=schema)["003A"].version is None
    with pytest.raises(ConfigurationError, match="step export_it: Contact shows no version of a record"):
        planned(warehouse, model, asking)
    warehouse.execute("ALTER TABLE raw.mirror DROP COLUMN version")
    with pytest.raises(ConfigurationError, match="version is not imported"):
        planned(warehouse, model, asking, schema=schema)


def test_a_lookup_is_compared_as_table_and_id(warehouse: Warehouse) -> None:
    """Dataverse: the mirror holds id and table; a model says `table:id`, or the id alone where that will do."""
    one, two = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
    table(
        warehouse,
        "raw",
        "looked",
        "SELECT * FROM (VALUES "
        f"('c1', '{one}', 'account', '{one}', 'systemuser', '{one}'), ('c2', '{one}', 'contact', '{one}', 'team', NULL)"
        ") AS t (Id, parentcustomerid, parentcustomerid_table, ownerid, ownerid_table, primary_one)",
    )
    fields = (
        SCHEMA.fields["Id"],
        Field("parentcustomerid", "Company", "Customer", Kind.ID, references=("account", "contact")),
        Field("parentcustomerid_table", "Company (table)", "EntityName", Kind.TEXT, updateable=False),
        Field("ownerid", "Owner", "Owner", Kind.ID, references=("systemuser", "team")),
        Field("ownerid_table", "Owner (table)", "EntityName", Kind.TEXT, updateable=False),
        Field("primary_one", "Primary", "Lookup", Kind.ID, references=("account",)),
    )
    beside = {"parentcustomerid": ("parentcustomerid_table",), "ownerid": ("ownerid_table",)}
    schema = replace(SCHEMA, fields={field.name: field for field in fields}, companions=beside)

    def changed(company: str, owner: str, primary: str) -> list[dict[str, tuple[str | None, str | None]]]:
        table(
            warehouse,
            "export",
            "m",
            f"SELECT UNNEST(['c1', 'c2']) AS crm_id, '{company}' AS company, '{owner}' AS owner, '{primary}' AS prime",
        )
        export = step(map={"parentcustomerid": "company", "ownerid": "owner", "primary_one": "prime"})
        source = Source(
            model=warehouse.relation("export", "m"),
            columns=warehouse.columns("export", "m"),
            mirror=Mirror(
                'SELECT * FROM "raw"."looked"', warehouse.columns("raw", "looked"), '"raw"."mirror"', None, SEEN
            ),
            time_zone="UTC",
        )
        rows = make_plan(warehouse, Ledger(warehouse), schema, export, source).changes(warehouse, ("update", "skip"))
        return [told(row) for row in sorted(rows, key=lambda row: row.key)]

    assert changed(f"account:{one.upper()}", one, f"account:{one}") == [
        {},
        {
            "parentcustomerid": (f"contact:{one}", f"account:{one}"),
            "ownerid": (f"team:{one}", f"systemuser:{one}"),
            "primary_one": (None, f"account:{one}"),
        },
    ]
    assert changed(f"contact:{two}", f"team:{one}", "account:number=A 1")[1] == {
        "parentcustomerid": (f"contact:{one}", f"contact:{two}"),
        "primary_one": (None, "account:number=A 1"),
    }


letters = st.text(st.sampled_from("ABCXYZabcxyz0189"), min_size=15, max_size=15)


@settings(max_examples=examples(5), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(letters, min_size=1, max_size=50, unique=True))
def test_both_forms_of_an_id_name_one_record(warehouse: Warehouse, ids: list[str]) -> None:
    known = dict(SCHEMA.fields)
    id_field = known["Id"]
    listed = ", ".join(f"('{one}')" for one in ids)
    rows = warehouse.engine().rows(
        f"SELECT v AS short, {one_form('v', id_field)} AS long FROM (VALUES {listed}) AS t (v)"
    )
    assert {row["short"]: row["long"] for row in rows} == {one: long_id(one) for one in ids}
    assert warehouse.engine().rows(
        f"SELECT {one_form('v', id_field)} AS v FROM (VALUES ('{long_id(ids[0])}')) AS t (v)"
    ) == [{"v": long_id(ids[0])}]


def test_a_short_id_in_the_model_finds_its_record_and_is_its_twin(warehouse: Warehouse) -> None:
    long = long_id("0035500001QdQWa")
    warehouse.execute(
        f"INSERT INTO {warehouse.relation('raw', 'mirror')} (Id, LastName, Score__c, _backhaul_deleted) "
        f"VALUES ('{long}', 'Long', 1, false)"
    )
    (row,) = planned(warehouse, f"SELECT '{long[:15]}' AS crm_id, 2 AS score", step()).values()
    assert (row.action, row.record_id) == ("update", long)
    twice = planned(warehouse, f"SELECT * FROM (VALUES ('{long[:15]}', 2), ('{long}', 3)) AS t (crm_id, score)", step())
    assert {row.symbol for row in twice.values()} == {"KEY_DUPLICATE"}
