"""Writing to the simulated org: what it refuses, what it changes on the way in, and what moves with every write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from tests.conftest import Door
from tests.examples import examples
from tests.simulator.client import Client, code

ABSENT = "003Ks0zzzzzzzzzIAA"


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running)


def read(client: Client, key: str, *fields: str) -> list[Any]:
    body = client.get(f"/sobjects/Contact/{key}", params={"fields": ",".join(fields)}).json()
    return [body[field] for field in fields]


@pytest.mark.parametrize(
    ("row", "symbol", "message", "fields"),
    [
        ({"FirstName": "x"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ({"LastName": "  "}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ["LastName"]),
        ({"LastName": "L", "Nope": 1}, "INVALID_FIELD", "No such column 'Nope' on sobject of type Contact", []),
        (
            {"LastName": "L", "FirstName": "f" * 41},
            "STRING_TOO_LONG",
            f"First Name: data value too large: {'f' * 41} (max length=40)",
            ["FirstName"],
        ),
        (
            {"LastName": "L", "CreatedDate": "2020-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: CreatedDate. Please check the security settings of this field and verify "
            "that it is read/write for your profile or permission set.",
            ["CreatedDate"],
        ),
        ({"LastName": "L", "Email": "no"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: no", ["Email"]),
        (
            {"LastName": "L", "Campaign_Score__c": 10000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Campaign Score: value outside of valid range on numeric field: 10000",
            ["Campaign_Score__c"],
        ),
        (
            {"LastName": "L", "Campaign_Score__c": "many"},
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "Campaign Score: value not of required type: many",
            ["Campaign_Score__c"],
        ),
        (
            {"LastName": "L", "Birthdate": "03/04/2001"},
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            "Birthdate: value not of required type: 03/04/2001",
            ["Birthdate"],
        ),
        (
            {"LastName": "L", "Newsletter_Topics__c": "News;Gossip"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Newsletter Topics: bad value for restricted picklist field: Gossip",
            ["Newsletter_Topics__c"],
        ),
        (
            {"LastName": "L", "AccountId": "xyz"},
            "MALFORMED_ID",
            "Account ID: id value of incorrect type: xyz",
            ["AccountId"],
        ),
        (
            {"LastName": "L", "AccountId": "001Ks0zzzzzzzzz"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
    ],
)
def test_a_bad_row_is_refused_alone(
    client: Client, row: dict[str, Any], symbol: str, message: str, fields: list[str]
) -> None:
    good, bad, also_good = client.collect("POST", [{"LastName": "A"}, row, {"LastName": "B"}])
    assert good["success"] and also_good["success"]
    assert bad == {"success": False, "errors": [{"statusCode": symbol, "message": message, "fields": fields}]}
    assert client.values("SELECT LastName FROM Contact ORDER BY LastName") == ["A", "B"]


def test_a_wrong_json_type_can_refuse_the_whole_request(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"json_type_errors": "request"})
    rows = [{"attributes": {"type": "Contact"}, "LastName": "A"}, {"attributes": {"type": "Contact"}, "LastName": 5}]
    answer = client.send("POST", "/composite/sobjects", json={"records": rows})
    assert code(answer) == (400, "JSON_PARSER_ERROR")
    assert "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5" in answer.json()[0]["message"]
    assert salesforce_door.dump("Contact") == []


def test_what_is_changed_on_the_way_in(client: Client) -> None:
    sent = {
        "LastName": "  Lane ",
        "Email": "Mixed.Case@Example.COM",
        "Title": "",
        "Campaign_Score__c": 12.35,
        "Last_Open__c": "2026-05-06T07:08:09.876+02:00",
        "Newsletter_Topics__c": "Offers;Events",
        "Description": "a\r\nb",
    }
    key = client.collect("POST", [sent])[0]["id"]
    assert read(client, key, *sent) == [
        *("Lane", "mixed.case@example.com", None, 12.4),
        *("2026-05-06T05:08:09.000+0000", "Events;Offers", "a\nb"),
    ]


def test_every_write_moves_the_stamps(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("clock", {"now": "2026-07-01T10:00:00Z", "frozen": True})
    key = client.collect("POST", [{"LastName": "A"}])[0]["id"]
    stamps = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
    assert read(client, key, *stamps) == ["2026-07-01T10:00:00.000+0000"] * 3
    salesforce_door.post("clock", {"advance": 60})
    assert client.collect("PATCH", [{"id": key[:15], "LastName": "A"}])[0]["success"]
    assert read(client, key, *stamps) == ["2026-07-01T10:00:00.000+0000", *["2026-07-01T10:01:00.000+0000"] * 2]


def test_updates_name_their_record(client: Client, salesforce_door: Door) -> None:
    live, dead = salesforce_door.seed("Contact", [{"LastName": "A"}, {"LastName": "B"}])
    salesforce_door.post("delete", {"object": "Contact", "ids": [dead]})
    rows: list[dict[str, Any]] = [
        {"id": live, "Title": "T"},
        {"id": live, "Title": "again"},
        {"id": dead, "Title": "T"},
        {"id": ABSENT[:15], "Title": "T"},
        {"id": "abc", "Title": "T"},
        {"Title": "T"},
        {"id": live, "LastName": None},
    ]
    found = client.collect("PATCH", rows)
    assert [one["errors"][0]["statusCode"] if one["errors"] else "" for one in found] == [
        *("", "DUPLICATE_VALUE", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"),
        *("MISSING_ARGUMENT", "DUPLICATE_VALUE"),
    ]
    assert read(client, live, "Title", "LastName") == ["T", "A"]


def test_null_clears_and_a_key_left_out_leaves(client: Client, salesforce_door: Door) -> None:
    key = salesforce_door.seed("Contact", [{"LastName": "A", "Title": "T", "Phone": "1", "Campaign_Score__c": 5}])[0]
    client.collect("PATCH", [{"id": key, "Title": None, "Campaign_Score__c": None}])
    assert read(client, key, "Title", "Phone", "Campaign_Score__c") == [None, "1", None]


def test_upsert_by_external_id(client: Client, salesforce_door: Door) -> None:
    known = salesforce_door.seed("Contact", [{"LastName": "A", "Member_Number__c": "M1"}])[0]
    salesforce_door.seed("Contact", [{"LastName": "T", "Member_Number__c": "TWO"} for _ in range(2)])
    rows = [
        {"Member_Number__c": "m1", "Title": "T"},
        {"Member_Number__c": "M2", "LastName": "New"},
        {"Member_Number__c": "M2", "LastName": "Again"},
        {"Member_Number__c": "two", "LastName": "Which"},
        {"LastName": "No key"},
        {"Member_Number__c": "M3"},
    ]
    found = client.collect("PATCH", rows, path="/Contact/Member_Number__c")
    assert found[0] == {"id": known, "success": True, "errors": [], "created": False}
    assert found[1]["created"] is True
    assert [one["errors"][0]["statusCode"] for one in found[2:]] == [
        *("DUPLICATE_EXTERNAL_ID", "DUPLICATE_EXTERNAL_ID", "MISSING_ARGUMENT", "REQUIRED_FIELD_MISSING")
    ]
    answer = client.send("PATCH", "/composite/sobjects/Contact/Title", json={"records": []})
    assert code(answer) == (404, "NOT_FOUND")


def test_unique_fields_whatever_the_letter_case(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "A", "Member_Number__c": "M1"}])
    rows: list[dict[str, Any]] = [{"LastName": "B", "Member_Number__c": key} for key in ("m1", "M2", "m2")]
    found = client.collect("POST", rows)
    assert [one["success"] for one in found] == [False, True, False]
    assert found[0]["errors"][0]["message"].startswith(
        "duplicate value found: Member_Number__c duplicates value on record"
    )


def test_all_or_none(client: Client, salesforce_door: Door) -> None:
    found = client.collect("POST", [{"LastName": "A"}, {"FirstName": "B"}], allOrNone=True)
    assert [one["errors"][0]["statusCode"] for one in found] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "REQUIRED_FIELD_MISSING",
    ]
    assert salesforce_door.dump("Contact") == []


def test_requests_that_are_not_well_formed(client: Client) -> None:
    rows = [{"attributes": {"type": "Contact"}, "LastName": "A"}] * 201
    assert code(client.send("POST", "/composite/sobjects", json={"records": rows})) == (400, "EXCEEDED_ID_LIMIT")
    assert code(client.send("POST", "/composite/sobjects", data="{")) == (400, "JSON_PARSER_ERROR")
    mixed = [{"attributes": {"type": kind}, "LastName": "A", "Company": "C"} for kind in ("Lead", "Contact") * 6]
    assert code(client.send("POST", "/composite/sobjects", json={"records": mixed})) == (400, "INVALID_INPUT")


def test_delete_and_retrieve_several(client: Client, salesforce_door: Door) -> None:
    one, two, three = salesforce_door.seed("Contact", [{"LastName": name} for name in "ABC"])
    answer = client.send("DELETE", "/composite/sobjects", params={"ids": f"{one},{one},{ABSENT},{two[:15]}"})
    assert [item["success"] for item in answer.json()] == [True, False, False, True]
    asked = {"ids": [three, one, ABSENT], "fields": ["LastName"]}
    found = client.send("POST", "/composite/sobjects/Contact", json=asked).json()
    assert [item and item["LastName"] for item in found] == ["C", None, None]
    again = client.get("/composite/sobjects/Contact", params={"ids": three, "fields": "Id,LastName"}).json()
    assert again[0]["Id"] == three


def test_single_records(client: Client) -> None:
    made = client.send("POST", "/sobjects/Contact", json={"LastName": "A", "Member_Number__c": "M1"})
    key = made.json()["id"]
    assert (made.status_code, made.headers["Location"]) == (201, f"/services/data/v67.0/sobjects/Contact/{key}")
    assert client.send("PATCH", f"/sobjects/Contact/{key}", json={"Title": "T"}).status_code == 204
    by_key = client.get("/sobjects/contact/Member_Number__c/m1", params={"fields": "Title"}).json()
    assert (by_key["Title"], by_key["Id"]) == ("T", key)
    assert client.send("DELETE", f"/sobjects/Contact/{key}").status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert code(client.send(method, f"/sobjects/Contact/{key}", json={})) == (404, "ENTITY_IS_DELETED")
        assert code(client.send(method, f"/sobjects/Contact/{ABSENT[:15]}", json={})) == (404, "NOT_FOUND")
        assert code(client.send(method, "/sobjects/Contact/23foo", json={})) == (404, "NOT_FOUND")
    assert code(client.send("POST", "/sobjects/Contact", json={"Email": "x"})) == (400, "INVALID_EMAIL_ADDRESS")
    assert code(client.send("POST", "/sobjects/Contact", json={"LastName": 5})) == (400, "JSON_PARSER_ERROR")


def test_single_upsert_by_external_id(client: Client, salesforce_door: Door) -> None:
    path = "/sobjects/Contact/Member_Number__c/A%2FB"
    made = client.send("PATCH", path, json={"LastName": "A"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    kept = client.send("PATCH", path, json={"Title": "T"})
    assert (kept.status_code, kept.json()["created"]) == (200, False)
    assert salesforce_door.dump("Contact")[0]["Member_Number__c"] == "A/B"
    assert code(client.send("PATCH", path, json={"Member_Number__c": "A/B"})) == (400, "INVALID_FIELD")
    assert code(client.send("PATCH", "/sobjects/Contact/Nope/1", json={})) == (404, "NOT_FOUND")
    salesforce_door.seed("Contact", [{"LastName": "B", "Member_Number__c": "a/b"}])
    several = client.send("PATCH", path, json={"Title": "T"})
    assert several.status_code == 300 and len(several.json()) == 2


def test_a_parent_by_external_id(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post(
        "fields", {"object": "Account", "fields": [{"name": "Code__c", "external_id": True, "id_lookup": True}]}
    )
    account = salesforce_door.seed("Account", [{"Name": "Acme", "Code__c": "X1"}])[0]
    good, bad = client.collect("POST", [{"LastName": "A", "Account": {"Code__c": code_}} for code_ in ("x1", "x2")])
    assert read(client, good["id"], "AccountId") == [account]
    assert bad["errors"][0]["message"] == ("Foreign key external ID: x2 not found for field Code__c in entity Account")


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=80)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(_TEXT, min_size=1, max_size=5))
def test_hostile_text_comes_back_as_it_was_sent(simulators: Running, texts: list[str]) -> None:
    client = _signed_in(simulators)
    found = client.collect("POST", [{"LastName": "A", "Legacy_Notes__c": text} for text in texts])
    keys = [one["id"] for one in found]
    back = {
        row["Id"]: row
        for row in client.send(
            "POST", "/composite/sobjects/Contact", json={"ids": keys, "fields": ["Id", "Legacy_Notes__c"]}
        ).json()
    }
    path = client.job(f"SELECT Id, Legacy_Notes__c FROM Contact WHERE Id IN ({','.join(repr(key) for key in keys)})")
    cells = {row[0]: row[1] for page in client.pages(path) for row in page[1:]}
    for key, text in zip(keys, texts, strict=True):
        stored = text.strip().replace("\r\n", "\n") or None
        assert back[key]["Legacy_Notes__c"] == stored
        assert cells[key] == (stored or "")


_CLIENTS: list[Client] = []


def _signed_in(running: Running) -> Client:
    if not _CLIENTS or _CLIENTS[0].get("/limits").status_code != 200:
        _CLIENTS[:] = [Client(running)]
    return _CLIENTS[0]
