"""Salesforce lookups on write: by id and by a parent's external id, and every way to name a parent that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

NO_ENTITY = "The external foreign key reference does not reference a valid entity: Who"


@pytest.fixture
def client(running: Running, salesforce_door: Door) -> Client:
    salesforce_door.post("fields", {"object": "Account", "fields": [{"name": "Ext__c", "external_id": True}]})
    salesforce_door.seed("Account", [{"Name": "Acme", "Ext__c": "A/1"}])
    salesforce_door.seed("Lead", [{"LastName": "L", "Company": "X", "Email": "same@example.com"}])
    salesforce_door.seed("Contact", [{"LastName": "C", "Email": "same@example.com"}])
    return Client(running)


def task(client: Client, **values: Any) -> dict[str, Any]:
    """The outcome of a new task among others."""
    record = {"attributes": {"type": "Task"}, **values}
    found: dict[str, Any] = client.send("POST", "/composite/sobjects", json={"records": [record]}).json()[0]
    return found


@pytest.mark.parametrize("kind", ["Lead", "contact"])
def test_a_polymorphic_parent_is_named_with_its_type(client: Client, kind: str) -> None:
    assert task(client, Who={"attributes": {"type": kind}, "Email": "SAME@example.com"})["success"]
    assert client.records("SELECT Who.Type FROM Task")[0]["Who"]["Type"] == kind.title()
    assert task(client, Owner={"attributes": {"type": "User"}, "Username": "admin@example.com"})["success"]


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ({"Email": "same@example.com"}, NO_ENTITY),
        ({"attributes": {"type": "Account"}, "Ext__c": "A/1"}, NO_ENTITY),
        ({"attributes": {"type": "Nothing"}, "Ext__c": "A/1"}, NO_ENTITY),
        (
            {"attributes": {"type": "Lead"}, "Company": "X"},
            "Field name provided, Company does not match an External ID",
        ),
        (
            {"attributes": {"type": "Lead"}, "Email": "no@example.com"},
            "Foreign key external ID: no@example.com not found",
        ),
        ({"attributes": {"type": "Lead"}, "Email": "x", "Id": "y"}, "More than 1 field provided in Who"),
    ],
)
def test_a_parent_that_cannot_be_found_is_refused(client: Client, who: dict[str, Any], text: str) -> None:
    outcome = task(client, Who=who)
    assert not outcome["success"] and outcome["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert text in outcome["errors"][0]["message"]
    assert client.records("SELECT Id FROM Task") == []


def test_a_lookup_that_leads_nowhere_is_a_bad_request(client: Client, salesforce_door: Door) -> None:
    (gone,) = salesforce_door.seed("Account", [{"Name": "Gone"}])
    client.send("DELETE", f"/sobjects/Account/{gone}")
    lead = client.values("SELECT Id FROM Lead")[0]
    for value, wanted in (
        ("junk", "MALFORMED_ID"),
        (lead, "MALFORMED_ID"),
        ("001Ks00000zzzzz", "INVALID_CROSS_REFERENCE_KEY"),
        (gone, "ENTITY_IS_DELETED"),
    ):
        answer = client.send("POST", "/sobjects/Contact", json={"LastName": "x", "AccountId": value})
        assert code(answer) == (400, wanted)
        if wanted == "MALFORMED_ID":
            assert answer.json()[0]["fields"] == ["AccountId"]
            assert answer.json()[0]["message"] == f"Account ID: id value of incorrect type: {value}"
    person = client.values("SELECT Id FROM Contact")[0]
    assert code(client.send("PATCH", f"/sobjects/Contact/{person}", json={"AccountId": gone})) == (
        400,
        "ENTITY_IS_DELETED",
    )
    assert code(client.send("PATCH", f"/sobjects/Account/{gone}", json={"Name": "x"})) == (404, "ENTITY_IS_DELETED")
    assert code(client.send("DELETE", f"/sobjects/Account/{gone}")) == (404, "ENTITY_IS_DELETED")
    assert code(client.get(f"/sobjects/Account/{gone}")) == (404, "ENTITY_IS_DELETED")


def test_collections_upsert_came_with_version_46(client: Client) -> None:
    body = {"records": [{"attributes": {"type": "Account"}, "Ext__c": "A/1", "Name": "New"}]}
    path = "/composite/sobjects/Account/Ext__c"
    assert code(client.send("PATCH", f"/services/data/v45.0{path}", json=body)) == (404, "NOT_FOUND")
    assert client.send("PATCH", f"/services/data/v46.0{path}", json=body).json()[0]["created"] is False


def test_no_id_on_an_insert(client: Client) -> None:
    key = client.values("SELECT Id FROM Contact")[0]
    answer = client.send("POST", "/sobjects/Contact", json={"Id": key, "LastName": "x"})
    assert code(answer) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert answer.json()[0]["message"] == "cannot specify Id in an insert call"
