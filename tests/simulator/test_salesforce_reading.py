"""Describe, change tracking, limits and Bulk query of the simulated org."""

from __future__ import annotations

import csv
import io

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

FIELD_KEYS = """
aggregatable aiPredictionField autoNumber byteLength calculated calculatedFormula cascadeDelete
caseSensitive compoundFieldName controllerName createable custom defaultValue defaultValueFormula defaultedOnCreate
dependentPicklist deprecatedAndHidden digits displayLocationInDecimal encrypted externalId extraTypeInfo filterable
filteredLookupInfo formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup inlineHelpText label
length mask maskType name nameField namePointing nillable permissionable picklistValues polymorphicForeignKey precision
queryByDistance referenceTargetField referenceTo relationshipName relationshipOrder restrictedDelete restrictedPicklist
scale searchPrefilterable soapType sortable type unique updateable writeRequiresMasterRead
"""


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running)


def test_describe_has_every_property(client: Client) -> None:
    body = client.get("/sobjects/contact/describe").json()
    fields = {field["name"]: field for field in body["fields"]}
    assert (body["name"], body["keyPrefix"], body["mergeable"]) == ("Contact", "003", True)
    assert all(sorted(field) == sorted(FIELD_KEYS.split()) for field in fields.values())
    score = fields["Campaign_Score__c"]
    assert (score["type"], score["precision"], score["scale"], score["custom"]) == ("double", 5, 1, True)
    email = fields["Email"]
    assert (email["length"], email["byteLength"], email["idLookup"]) == (80, 240, True)
    assert fields["LastName"]["nillable"] is False and fields["LastName"]["compoundFieldName"] == "Name"
    assert fields["Full_Label__c"]["calculated"] is True and fields["Full_Label__c"]["createable"] is False
    assert (fields["Member_Number__c"]["externalId"], fields["Member_Number__c"]["unique"]) == (True, True)
    assert fields["AccountId"]["referenceTo"] == ["Account"] and fields["AccountId"]["relationshipName"] == "Account"
    assert fields["IsDeleted"]["defaultedOnCreate"] is True and fields["IsDeleted"]["createable"] is False
    assert fields["MailingAddress"]["type"] == "address"
    required = {n for n, f in fields.items() if f["createable"] and not f["nillable"] and not f["defaultedOnCreate"]}
    assert required == {"LastName"}


def test_describe_is_conditional_and_changes_with_the_schema(client: Client, salesforce_door: Door) -> None:
    first = client.get("/sobjects")
    assert {"Account", "Contact", "Lead", "User", "Organization"} <= {one["name"] for one in first.json()["sobjects"]}
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    unchanged = client.get("/sobjects/Contact/describe", headers=since)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    salesforce_door.post("clock", {"advance": 5})
    added = {"name": "Extra__c", "type": "currency", "precision": 10, "scale": 2}
    salesforce_door.post("fields", {"object": "Contact", "fields": [added]})
    changed = client.get("/sobjects/Contact/describe", headers=since)
    assert changed.status_code == 200 and changed.json()["fields"][-1]["name"] == "Extra__c"
    assert code(client.get("/sobjects/Nope/describe")) == (404, "NOT_FOUND")


def test_an_object_can_be_added(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("fields", {"object": "Visit__c", "fields": [{"name": "Spent__c", "type": "int", "digits": 4}]})
    made = client.send("POST", "/sobjects/Visit__c", json={"Name": "V", "Spent__c": 12})
    assert client.records("SELECT Id, Name, Spent__c FROM Visit__c") == [
        {"Id": made.json()["id"], "Name": "V", "Spent__c": 12}
    ]


def test_what_was_deleted_and_updated_in_a_window(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("clock", {"now": "2026-07-01T10:00:30Z", "frozen": True})
    one, two, three = salesforce_door.seed("Contact", [{"LastName": name} for name in "ABC"])
    salesforce_door.post("delete", {"object": "Contact", "ids": [one]})
    salesforce_door.post("delete", {"object": "Contact", "ids": [two], "purge": True})
    salesforce_door.post("clock", {"advance": 3600})
    window = {"start": "2026-07-01T10:00:59+00:00", "end": "2026-07-01T11:00:59+00:00"}  # the seconds are dropped
    gone = client.get("/sobjects/Contact/deleted/", params=window).json()
    assert [(entry["id"], entry["deletedDate"]) for entry in gone["deletedRecords"]] == [
        (one, "2026-07-01T10:00:30.000+0000"),
        (two, "2026-07-01T10:00:30.000+0000"),
    ]
    assert gone["latestDateCovered"] == "2026-07-01T11:00:00.000+0000"
    assert client.get("/sobjects/Contact/updated", params=window).json()["ids"] == [three]
    for wrong in ({"start": "2026-05-01T00:00:00Z"}, {"end": window["start"]}):
        answer = client.get("/sobjects/Contact/deleted", params={**window, **wrong})
        assert code(answer) == (400, "INVALID_REPLICATION_DATE")


def test_a_late_commit_shows_with_an_old_stamp(client: Client, salesforce_door: Door) -> None:
    key = salesforce_door.seed("Contact", [{"LastName": "A"}])[0]
    late = {"object": "Contact", "records": [{"Id": key, "Title": "late"}], "modified_at": "2026-01-02T03:04:05Z"}
    salesforce_door.post("change", late)
    row = client.records("SELECT Title, SystemModstamp, LastModifiedById FROM Contact")[0]
    assert row["SystemModstamp"] == "2026-01-02T03:04:05.000+0000"
    assert row["LastModifiedById"] == salesforce_door.org.other_user_id  # type: ignore[attr-defined]  # Salesforce's


def test_record_counts_leave_empty_objects_out(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "A"}, {"LastName": "B"}])
    body = client.get("/limits/recordCount", params={"sObjects": "Contact,Lead,Nope"}).json()
    assert body == {"sObjects": [{"count": 2, "name": "Contact"}]}


def test_bulk_pages_hold_every_row_once(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"bulk_page_rows": 400})
    salesforce_door.post("seed", {"object": "Contact", "generate": 1000})
    path = client.job(
        "SELECT Id, LastName, MailingStreet, Description, Account.Name, CreatedDate, Campaign_Score__c, "
        "HasOptedOutOfEmail, Birthdate FROM Contact"
    )
    info = client.get(path).json()
    assert (info["jobType"], info["numberRecordsProcessed"], info["apiVersion"]) == ("V2Query", 1000, 67.0)
    pages = client.pages(path)
    assert [len(page) - 1 for page in pages] == [400, 400, 200]
    assert all(page[0] == pages[0][0] for page in pages) and pages[0][0][4] == "Account.Name"
    rows = [row for page in pages for row in page[1:]]
    assert len({row[0] for row in rows}) == 1000
    by_rest = {
        row["Id"]: row
        for row in client.records("SELECT Id, MailingStreet, CreatedDate, Campaign_Score__c FROM Contact")
    }
    for row in rows:
        rest = by_rest[row[0]]
        assert row[2] == (rest["MailingStreet"] or "")
        assert row[5] == rest["CreatedDate"].replace("+0000", "Z")
        assert row[6] == str(rest["Campaign_Score__c"]) and row[7] in ("true", "false")
    assert [len(page) - 1 for page in client.pages(path, maxRecords=150)] == [150, 150, 100, 150, 150, 100, 150, 50]
    assert client.pages(path, maxRecords=100_000) == pages


def test_bulk_is_a_snapshot_and_the_last_locator_is_the_word_null(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "before"}])
    path = client.job("SELECT LastName FROM Contact")
    again = client.job("SELECT LastName FROM Contact")
    salesforce_door.seed("Contact", [{"LastName": "after"}])
    later = client.job("SELECT LastName FROM Contact")
    assert client.pages(again) == client.pages(path) == [[["LastName"], ["before"]]]
    assert client.pages(later) == [[["LastName"], ["before"], ["after"]]]
    answer = client.get(f"{path}/results", headers={"Accept-Encoding": "identity"})
    assert answer.text == '"LastName"\n"before"\n'
    assert (answer.headers["Sforce-Locator"], answer.headers["Sforce-NumberOfRecords"]) == ("null", "1")
    assert "Content-Encoding" not in answer.headers
    packed = client.get(f"{path}/results", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.content == answer.content
    empty = client.get(f"{client.job('SELECT Id FROM Lead')}/results")
    assert (empty.text, empty.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "0")


def test_bulk_delimiters_line_endings_and_query_all(client: Client, salesforce_door: Door) -> None:
    made = salesforce_door.seed("Contact", [{"LastName": "a|b", "Description": "x\ny"}, {"LastName": "gone"}])
    salesforce_door.post("delete", {"object": "Contact", "ids": made[1:]})
    job = {"operation": "queryAll", "columnDelimiter": "PIPE", "lineEnding": "CRLF"}
    path = client.job("SELECT LastName, Description, IsDeleted FROM Contact", **job)
    text = client.get(f"{path}/results").content.decode()
    assert text == '"LastName"|"Description"|"IsDeleted"\r\n"a|b"|"x\ny"|"false"\r\n"gone"|""|"true"\r\n'
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter="|"))[1][1] == "x\ny"


def test_bulk_result_pages_lead_to_all_rows(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"bulk_page_rows": 100})
    salesforce_door.post("seed", {"object": "Contact", "generate": 750})
    path = client.job("SELECT Id FROM Contact")
    body = client.get(f"{path}/resultPages").json()
    assert len(body["resultPages"]) == 5 and not body["done"]
    rest = client.get(body["nextRecordsUrl"]).json()
    assert rest["done"] and len(rest["resultPages"]) == 3
    found = set()
    for entry in body["resultPages"] + rest["resultPages"]:
        found |= set(client.get(entry["resultUrl"]).text.splitlines()[1:])
    assert len(found) == 750


def test_bulk_states_and_refusals(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"bulk_wait_seconds": 30})
    made = client.send("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()
    path = f"/jobs/query/{made['id']}"
    assert made["state"] == "UploadComplete" and made["id"].startswith("750")
    assert code(client.get(f"{path}/results")) == (400, "JOB_NOT_COMPLETE")
    assert client.send("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert [job["id"] for job in client.get("/jobs/query").json()["records"]] == [made["id"]]
    assert client.send("DELETE", path).status_code == 204
    assert code(client.get(path)) == (404, "NOT_FOUND")
    salesforce_door.post("settings", {"bulk_wait_seconds": 0})
    done = client.job("SELECT Id FROM Contact")
    assert code(client.get(f"/services/data/v66.0{done}/results")) == (409, "API_VERSION_MISMATCH")
    for soql, symbol in (
        ("SELECT MailingAddress FROM Contact", "API_ERROR"),
        ("SELECT COUNT() FROM Contact", "API_ERROR"),
        ("SELECT Id FROM Contact OFFSET 5", "API_ERROR"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
    ):
        answer = client.send("POST", "/jobs/query", json={"operation": "query", "query": soql})
        assert code(answer) == (400, symbol)
