"""Writing by sObject Collections: every change gets its outcome, by key; nothing is sent twice that must not be."""

from __future__ import annotations

import time as time_module
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import exceptions as r

from backhaul.crm.http import http_date
from backhaul.crm.salesforce import SalesforceConnector
from backhaul.crm.salesforce.describing import field, object_schema
from backhaul.crm.salesforce.soql import instant, literal
from backhaul.crm.salesforce.values import long_id, parsed, same_id, sendable
from backhaul.errors import ConfigurationError, CRMError, OutcomeInDoubt
from backhaul.record import Change, Kind, Operation, State
from tests.examples import examples

from .wire import Answer, Reaction, Sent, Wire, account, refused, token, waits

COLLECTIONS = "/services/data/v67.0/composite/sobjects"
IDS = [f"003{number:012d}AAA" for number in range(300)]


def described(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, "type": kind, "createable": True, "updateable": True, **more}


DESCRIBE = {
    "name": "Contact",
    "label": "Contact",
    "deletable": True,
    "fields": [
        described("Id", "id", idLookup=True, createable=False, updateable=False),
        described("LastName", "string", length=80, nillable=False),
        described("Birthdate", "date"),
        described("Last_Open__c", "datetime"),
        described("Opens", "time"),
        described("Score__c", "double", precision=5, scale=1),
        described("Odd__c", "double", precision=0, scale=0),
        described("Count__c", "int", digits=8),
        described("Opted", "boolean", nillable=False, defaultedOnCreate=True),
        described("Member__c", "string", externalId=True, unique=True, length=20),
        described("Rating", "picklist", picklistValues=[{"value": "Hot", "label": "Hot!", "active": True}]),
        described("Mail", "address"),
        described("Place", "location"),
        described("Photo", "base64"),
        described("Strange", "somethingNew"),
        described("SystemModstamp", "datetime", createable=False, updateable=False),
        described("LastModifiedDate", "datetime", createable=False, updateable=False),
    ],
}
SCHEMA = object_schema("salesforce", DESCRIBE)


def opened(routes: Mapping[str, Reaction | list[Reaction]]) -> tuple[SalesforceConnector, Wire, list[float]]:
    describe = {"GET /services/data/v67.0/sobjects/Contact/describe": Answer(body=DESCRIBE)}
    wire = Wire({"POST /services/oauth2/token": token(), **describe, **routes})
    policy, noted = waits()
    return SalesforceConnector(account(), transport=wire, policy=policy), wire, noted


def done(*ids: str, **more: Any) -> Answer:
    return Answer(body=[{"id": name, "success": True, "errors": [], **more} for name in ids])


def error(code: str, message: str = "no", *fields: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}


def update(number: int, **values: Any) -> Change:
    return Change(f"k{number}", values or {"LastName": f"N{number}"}, record_id=IDS[number])


def test_a_create_sends_types_and_gives_ids_by_key() -> None:
    crm, wire, _ = opened({f"POST {COLLECTIONS}": done(IDS[7], IDS[3])})
    changes = [
        Change(
            "a",
            {"LastName": "Æ \U0001f642", "Score__c": Decimal("12.5"), "Birthdate": date(1990, 2, 3), "Opted": False},
        ),
        Change(
            "b", {"LastName": "B", "Last_Open__c": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "Rating": None}
        ),
    ]
    outcomes = crm.write("Contact", Operation.CREATE, changes, {})
    assert [(o.key, o.state, o.record_id, o.created) for o in outcomes] == [
        ("a", State.DONE, IDS[7], True),
        ("b", State.DONE, IDS[3], True),
    ]
    sent = wire.sent[-1]
    attributes = {"attributes": {"type": "Contact"}}
    assert sent.json == {
        "allOrNone": False,
        "records": [
            attributes | {"LastName": "Æ \U0001f642", "Score__c": 12.5, "Birthdate": "1990-02-03", "Opted": False},
            # A field that the first row lacks is sent all the same; a null is sent as a null.
            attributes | {"LastName": "B", "Last_Open__c": "2026-01-02T03:04:05.678Z", "Rating": None},
        ],
    }
    assert sent.headers["Sforce-Auto-Assign"] == "FALSE"


def test_rejects_stand_by_their_key_with_symbol_message_and_fields() -> None:
    answers = [
        {"id": IDS[0], "success": True, "errors": []},
        error("STRING_TOO_LONG", "Last Name: data value too large", "LastName"),
        error("ENTITY_IS_DELETED", "entity is deleted"),
    ]
    crm, wire, _ = opened({f"PATCH {COLLECTIONS}": Answer(body=answers)})
    first, second, third = crm.write("Contact", Operation.UPDATE, [update(0), update(1), update(2)], {})
    assert (first.state, first.record_id, first.created) == (State.DONE, IDS[0], False)
    assert (second.state, second.symbol, second.fields) == (State.REJECTED, "STRING_TOO_LONG", ("LastName",))
    assert second.message == "Last Name: data value too large"
    assert third.symbol == "ENTITY_IS_DELETED"
    assert wire.sent[-1].json["records"][1]["id"] == IDS[1]


def test_upsert_by_an_external_id() -> None:
    answers = [
        {"id": IDS[0], "success": True, "errors": [], "created": True},
        {"id": IDS[1], "success": True, "created": False},
    ]
    crm, wire, _ = opened({f"PATCH {COLLECTIONS}/Contact/Member__c": Answer(body=answers)})
    changes = [
        Change("a", {"LastName": "A"}, match={"Member__c": "007"}),
        Change("b", {"LastName": "B"}, match={"Member__c": "8"}),
        Change("c", {"LastName": "C"}, match={"Member__c": None}),
    ]
    outcomes = crm.write("Contact", Operation.UPSERT, changes, {})
    assert [(o.key, o.created) for o in outcomes] == [("a", True), ("b", False), ("c", None)]
    assert outcomes[2].state is State.REJECTED
    assert wire.sent[-1].json["records"][0] == {"attributes": {"type": "Contact"}, "Member__c": "007", "LastName": "A"}


def test_delete_names_ids_and_what_is_gone_already_is_done() -> None:
    answers = [{"id": IDS[0], "success": True, "errors": []}, error("ENTITY_IS_DELETED", "entity is deleted")]
    crm, wire, _ = opened({f"DELETE {COLLECTIONS}": Answer(body=answers)})
    outcomes = crm.write("Contact", Operation.DELETE, [update(0), update(1)], {})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.DONE]
    assert wire.sent[-1].query == {"ids": [f"{IDS[0]},{IDS[1]}"], "allOrNone": ["false"]}


LOST = r.ConnectionError("reset")
LOCKED = error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access")


def test_rows_that_pass_by_waiting_are_sent_again_alone() -> None:
    flow = error("CANNOT_EXECUTE_FLOW_TRIGGER", "probably UNABLE_TO_LOCK_ROW in a flow")
    first = Answer(body=[{"id": IDS[0], "success": True, "errors": []}, LOCKED, flow])
    second = Answer(body=[{"id": IDS[1], "success": True}, flow])
    crm, wire, noted = opened({f"PATCH {COLLECTIONS}": [first, second, done(IDS[2])]})
    outcomes = crm.write("Contact", Operation.UPDATE, [update(0), update(1), update(2)], {})
    assert [(outcome.state, outcome.record_id) for outcome in outcomes] == [(State.DONE, name) for name in IDS[:3]]
    assert [len(sent.json["records"]) for sent in wire.sent if sent.method == "PATCH"] == [3, 2, 1]
    assert len(noted) == 2


def test_what_was_done_is_not_lost_when_sending_the_rest_again_fails() -> None:
    first = Answer(body=[{"id": IDS[0], "success": True, "errors": []}, LOCKED])
    changes = [Change("a", {"LastName": "A"}), Change("b", {"LastName": "B"})]
    for failure, state in (
        (LOST, State.IN_DOUBT),
        (refused(400, "JSON_PARSER_ERROR"), State.REJECTED),
        (refused(401, "INVALID_SESSION_ID"), State.REJECTED),
    ):
        crm, _, _ = opened({f"POST {COLLECTIONS}": [first, failure]})
        outcomes = crm.write("Contact", Operation.CREATE, changes, {})
        assert [outcome.state for outcome in outcomes] == [State.DONE, state]


def test_an_answer_that_is_no_json_is_in_doubt() -> None:
    crm, _, _ = opened({f"POST {COLLECTIONS}": Answer(body="a word", headers={"Content-Type": "text/plain"})})
    with pytest.raises(OutcomeInDoubt, match="no list of answers for 1 rows"):
        crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], {})


def test_a_row_locked_for_good_is_a_reject_in_the_end() -> None:
    crm, wire, noted = opened({f"POST {COLLECTIONS}": Answer(body=[LOCKED])})
    (outcome,) = crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], {})
    assert (outcome.state, outcome.symbol) == (State.REJECTED, "UNABLE_TO_LOCK_ROW")
    assert len(wire.paths("POST")) == 1 + 4
    assert len(noted) == 3


def test_a_lost_reply_leaves_a_create_in_doubt() -> None:
    crm, wire, _ = opened({f"POST {COLLECTIONS}": LOST})
    with pytest.raises(OutcomeInDoubt, match="create 1 Contact"):
        crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], {})
    assert wire.paths("POST").count(f"POST {COLLECTIONS}") == 1


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.UPSERT, Operation.DELETE])
def test_a_lost_reply_to_what_may_be_repeated_is_repeated(operation: Operation) -> None:
    method = "DELETE" if operation is Operation.DELETE else "PATCH"
    crm, _wire, _ = opened({f"{method} {COLLECTIONS}": [LOST, refused(500, "UNKNOWN_EXCEPTION"), done(IDS[0])]})
    record_id = None if operation is Operation.UPSERT else IDS[0]
    match = {"Member__c": "7"} if operation is Operation.UPSERT else {}
    (outcome,) = crm.write("Contact", operation, [Change("a", {}, record_id, match)], {})
    assert outcome.state is State.DONE


def test_another_number_of_answers_than_rows_is_in_doubt() -> None:
    crm, _, _ = opened({f"PATCH {COLLECTIONS}": done(IDS[0])})
    with pytest.raises(OutcomeInDoubt, match="1 answers for 2 rows"):
        crm.write("Contact", Operation.UPDATE, [update(0), update(1)], {})


def test_an_answer_that_names_another_record_is_in_doubt() -> None:
    crm, _, _ = opened({f"PATCH {COLLECTIONS}": done(IDS[1], IDS[1])})
    first, second = crm.write("Contact", Operation.UPDATE, [update(0), update(1)], {})
    assert (first.state, second.state) == (State.IN_DOUBT, State.DONE)


def test_a_request_refused_as_a_whole_is_an_error() -> None:
    crm, _, _ = opened({f"PATCH {COLLECTIONS}": refused(400, "JSON_PARSER_ERROR", "bad")})
    with pytest.raises(CRMError, match="update 1 Contact: JSON_PARSER_ERROR"):
        crm.write("Contact", Operation.UPDATE, [update(0)], {})


def test_a_value_no_json_carries_is_refused_alone() -> None:
    crm, wire, _ = opened({f"PATCH {COLLECTIONS}": done(IDS[1])})
    first, second = crm.write("Contact", Operation.UPDATE, [update(0, Score__c=float("nan")), update(1)], {})
    assert (first.state, first.symbol, second.state) == (State.REJECTED, "INVALID_VALUE", State.DONE)
    assert len(wire.sent[-1].json["records"]) == 1


def test_more_than_a_call_takes_is_a_defect() -> None:
    crm, _, _ = opened({})
    with pytest.raises(ValueError, match="at most 200"):
        crm.write("Contact", Operation.UPDATE, [update(number) for number in range(201)], {"road": "rest"})
    with pytest.raises(ValueError, match="key of its own"):
        crm.write("Contact", Operation.UPDATE, [update(1), update(1)], {})


def test_options_are_headers_and_unknown_ones_are_faults() -> None:
    crm, wire, _ = opened({f"PATCH {COLLECTIONS}": done(IDS[0])})
    crm.write("Contact", Operation.UPDATE, [update(0)], {"assignment_rules": True, "duplicate_rules": "override"})
    assert wire.sent[-1].headers["Sforce-Auto-Assign"] == "TRUE"
    assert wire.sent[-1].headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"
    with pytest.raises(ConfigurationError) as raised:
        crm.write("Contact", Operation.UPDATE, [update(0)], {"assignement_rules": True, "duplicate_rules": "ignore"})
    assert len(raised.value.faults) == 2


def test_a_dead_session_in_a_create_is_renewed_and_replayed() -> None:
    def answer(sent: Sent) -> Answer:
        return done(IDS[0]) if sent.headers["Authorization"] == "Bearer new" else refused(401, "INVALID_SESSION_ID")

    crm, _, _ = opened(
        {f"POST {COLLECTIONS}": answer, "POST /services/oauth2/token": [token(), token(access_token="new")]}
    )
    (outcome,) = crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], {})
    assert outcome.state is State.DONE


# ---- describe and values ----


def test_describe_gives_kinds_lengths_digits_and_rights() -> None:
    fields = SCHEMA.fields
    assert set(fields) == {item["name"] for item in DESCRIBE["fields"]} - {"Mail", "Place"}  # type: ignore[attr-defined]  # the list of fields
    names = ("Id", "Score__c", "Odd__c", "Count__c", "Opens", "Strange", "Rating", "Photo")
    kinds = {name: fields[name].kind for name in names}
    assert list(kinds.values()) == [
        Kind.ID,
        Kind.DECIMAL,
        Kind.DOUBLE,
        Kind.INTEGER,
        Kind.TIME,
        Kind.TEXT,
        Kind.TEXT,
        Kind.BINARY,
    ]
    assert (fields["Score__c"].precision, fields["Score__c"].scale) == (5, 1)
    assert fields["LastName"].required_on_create
    assert not fields["Opted"].required_on_create
    assert fields["Birthdate"].date_only
    assert fields["Rating"].options[0].label == "Hot!"
    assert SCHEMA.keys == (("Member__c",),)
    assert SCHEMA.cursors == ("LastModifiedDate", "SystemModstamp")


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("Score__c", Decimal("1E+2"), 100),
        ("Score__c", Decimal("12.50"), 12.5),
        ("Score__c", Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        ("Score__c", "7.5", 7.5),
        ("Score__c", "seven", "seven"),
        ("Count__c", "007", 7),
        ("LastName", 7, "7"),
        ("LastName", "007", "007"),
        ("LastName", "", ""),
        ("LastName", "NA", "NA"),
        ("LastName", date(2026, 1, 2), "2026-01-02"),
        ("Opted", "true", True),
        ("Opted", 0, False),
        ("Opted", "maybe", "maybe"),
        ("Birthdate", datetime(2026, 1, 2, 23, tzinfo=UTC), "2026-01-02"),
        ("Last_Open__c", date(2026, 1, 2), "2026-01-02T00:00:00.000Z"),
        ("Last_Open__c", datetime(2026, 1, 2, 3, 4, 5), "2026-01-02T03:04:05.000Z"),
        ("Last_Open__c", datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00.000Z"),
        ("Opens", time(8, 30), "08:30:00.000Z"),
        ("Unknown__c", Decimal("1.5"), 1.5),
        ("Unknown__c", True, True),
    ],
)
def test_a_value_is_sent_by_its_fields_kind(name: str, value: Any, wire: Any) -> None:
    made = sendable(value, SCHEMA.fields.get(name))
    assert (made, type(made)) == (wire, type(wire))


@settings(max_examples=examples(80), deadline=None)
@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_a_decimal_travels_exactly(value: Decimal) -> None:
    made = sendable(value, SCHEMA.fields["Score__c"])
    assert Decimal(repr(made) if isinstance(made, float) else str(made)) == value


@settings(max_examples=examples(60), deadline=None)
@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(3999, 12, 31)))
def test_an_instant_round_trips_to_the_millisecond(value: datetime) -> None:
    stamp = value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC)
    made = str(sendable(stamp, SCHEMA.fields["Last_Open__c"]))
    assert parsed(made, SCHEMA.fields["Last_Open__c"]) == stamp
    assert parsed(made.replace("Z", "+0000"), SCHEMA.fields["Last_Open__c"]) == stamp


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "UTC"])
def test_this_machines_time_zone_changes_nothing(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time_module.tzset()
    try:
        born, opened_at = SCHEMA.fields["Birthdate"], SCHEMA.fields["Last_Open__c"]
        # The night on which Los Angeles and Berlin change their clocks.
        for day in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 11, 1)):
            assert sendable(day, born) == day.isoformat() == literal(born, day) == literal(born, day.isoformat())
            assert parsed(day.isoformat(), born) == day
            assert literal(opened_at, day) == f"{day}T00:00:00.000Z" == sendable(day, opened_at)
        assert sendable(datetime(2026, 3, 8, 2, 30), opened_at) == "2026-03-08T02:30:00.000Z"
        assert instant(datetime(2026, 3, 8, 2, 30)) == "2026-03-08T02:30:00.000Z"
        assert parsed("2026-03-08T02:30:00.000+0000", opened_at) == datetime(2026, 3, 8, 2, 30, tzinfo=UTC)
        assert http_date("Sun, 08 Mar 2026 02:30:00 GMT") == datetime(2026, 3, 8, 2, 30, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time_module.tzset()


def test_ids_in_both_forms_name_one_record() -> None:
    assert long_id("0015500001QdQWa") == "0015500001QdQWaAAN"
    assert long_id("0015500001QdQWaAAN") == "0015500001QdQWaAAN"
    assert same_id("0015500001QdQWa", "0015500001QdQWaAAN")
    assert not same_id("0015500001QdQWb", "0015500001QdQWaAAN")


def test_a_field_of_a_type_nobody_knows_is_text() -> None:
    assert field({"name": "X"}).kind is Kind.TEXT
