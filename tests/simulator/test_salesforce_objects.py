"""The standard objects round people and firms: bytes of files, polymorphic parents, records that go with others."""

from __future__ import annotations

import base64
import json

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

BYTES = bytes(range(256)) * 5


def test_bytes_in_and_out(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (parent,) = salesforce_door.seed("Contact", [{"LastName": "A"}])
    text = base64.b64encode(BYTES).decode()
    made = client.send("POST", "/sobjects/Attachment", json={"ParentId": parent, "Name": "a.bin", "Body": text})
    path = f"/services/data/v67.0/sobjects/Attachment/{made.json()['id']}"
    (row,) = client.records("SELECT Body, BodyLength, Parent.Name, Parent.Type FROM Attachment")
    assert (row["Body"], row["BodyLength"]) == (f"{path}/Body", len(BYTES))
    assert (row["Parent"]["Name"], row["Parent"]["Type"]) == ("A", "Contact")
    assert client.get(path).json()["Body"] == f"{path}/Body"
    read = client.get(row["Body"])
    assert read.content == BYTES and read.headers["Content-Type"] == "application/octet-stream"
    client.send("PATCH", path, json={"Body": base64.b64encode(b"short").decode()})
    assert client.get(row["Body"]).content == b"short"
    assert salesforce_door.dump("Attachment")[0]["Body"] == base64.b64encode(b"short").decode()
    nested = client.records("SELECT (SELECT Body FROM Attachments) FROM Contact")[0]["Attachments"]["records"]
    assert nested[0]["Body"] == f"{path}/Body"
    wrong = client.send("POST", "/sobjects/Attachment", json={"ParentId": parent, "Name": "a", "Body": "no!"})
    assert code(wrong) == (400, "JSON_PARSER_ERROR")
    filtered = client.query("SELECT Id FROM Attachment WHERE Body = 'x'")
    assert code(filtered) == (400, "INVALID_FIELD")
    job = client.send("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id, Body FROM Attachment"})
    assert (job.status_code, job.json()[0]["message"]) == (400, "Selecting base64 data not supported in Bulk Query")


def test_bytes_as_multipart(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    entity = (None, json.dumps({"Title": "t", "PathOnClient": "a.bin"}), "application/json")
    parts = {"entity_content": entity, "VersionData": ("a.bin", BYTES, "application/octet-stream")}
    made = client.send("POST", "/sobjects/ContentVersion", files=parts)
    assert made.status_code == 201
    assert client.get(f"/sobjects/ContentVersion/{made.json()['id']}/VersionData").content == BYTES
    assert client.values("SELECT ContentSize FROM ContentVersion") == [len(BYTES)]
    broken = client.send("POST", "/sobjects/ContentVersion", files={"VersionData": ("a", b"x")})
    assert code(broken) == (400, "INVALID_MULTIPART_REQUEST")


def test_a_seeded_file_is_read_as_a_written_one(running: Running, salesforce_door: Door) -> None:
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme"}])
    text = base64.b64encode(BYTES).decode()
    (file,) = salesforce_door.seed("Attachment", [{"Name": "f", "ParentId": firm, "Body": text}])
    assert Client(running).get(f"/sobjects/Attachment/{file}/Body").content == BYTES


def test_queues_own_leads(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (queue,) = salesforce_door.seed("Group", [{"Name": "Inbound", "Type": "Queue"}])
    salesforce_door.seed(
        "Lead", [{"LastName": "A", "Company": "X", "OwnerId": queue}, {"LastName": "B", "Company": "X"}]
    )
    owners = client.records("SELECT LastName, Owner.Name, Owner.Type FROM Lead ORDER BY LastName")
    assert [(row["Owner"]["Name"], row["Owner"]["Type"]) for row in owners] == [
        ("Inbound", "Group"),
        ("Ada Integration", "User"),
    ]
    assert client.values("SELECT LastName FROM Lead WHERE Owner.Type = 'Group'") == ["A"]
    field = next(f for f in client.get("/sobjects/Lead/describe").json()["fields"] if f["name"] == "OwnerId")
    assert field["referenceTo"] == ["Group", "User"] and field["namePointing"] and field["polymorphicForeignKey"]


def test_parents_and_children_by_path(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme"}])
    people = salesforce_door.seed("Contact", [{"LastName": "A", "AccountId": firm}, {"LastName": "B"}])
    assert client.get(f"/sobjects/Contact/{people[0]}/Account", params={"fields": "Name"}).json()["Name"] == "Acme"
    assert code(client.get(f"/sobjects/Contact/{people[1]}/Account"))[0] == 404
    found = client.get(f"/sobjects/Account/{firm}/Contacts").json()
    assert (found["totalSize"], found["records"][0]["Id"]) == (1, people[0])
    assert code(client.get(f"/sobjects/Account/{firm}/Nothing")) == (404, "NOT_FOUND")


def test_what_goes_with_its_parent_comes_back_with_it(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme"}])
    first, second = salesforce_door.seed("Contact", [{"LastName": n, "AccountId": firm} for n in "AB"])
    (task,) = salesforce_door.seed("Task", [{"WhoId": first, "Subject": "call"}])
    client.send("DELETE", f"/sobjects/Contact/{second}")
    client.send("DELETE", f"/sobjects/Account/{firm}")
    assert client.records("SELECT Id FROM Contact") == [] == client.records("SELECT Id FROM Task")
    assert [row["IsDeleted"] for row in client.records("SELECT Id, IsDeleted FROM Task", everything=True)] == [True]
    assert salesforce_door.post("undelete", {"object": "Account", "ids": [firm]}) == {"count": 1}
    assert client.values("SELECT Id FROM Contact") == [first] and client.values("SELECT Id FROM Task") == [task]
    children = client.get("/sobjects/Account/describe").json()["childRelationships"]
    assert next(c for c in children if c["relationshipName"] == "Contacts")["cascadeDelete"] is True


def test_a_merge_keeps_the_losers_children(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    keep, lose = salesforce_door.seed("Account", [{"Name": "Keep"}, {"Name": "Lose"}])
    (person,) = salesforce_door.seed("Contact", [{"LastName": "A", "AccountId": lose}])
    salesforce_door.post("merge", {"object": "Account", "master": keep, "losers": [lose]})
    assert client.records("SELECT Id, AccountId FROM Contact") == [{"Id": person, "AccountId": keep}]


def test_master_detail_and_auto_numbers(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    lookup = {
        "name": "Firm__c",
        "type": "reference",
        "reference_to": ["Account"],
        "cascade": True,
        "children": "Visits__r",
    }
    number = {"name": "Number__c", "auto_number": "V-{0000}"}
    salesforce_door.post("fields", {"object": "Visit__c", "fields": [lookup, number]})
    firms = salesforce_door.seed("Account", [{"Name": "Acme"}, {"Name": "Beta"}])
    assert code(client.send("POST", "/sobjects/Visit__c", json={})) == (400, "REQUIRED_FIELD_MISSING")
    made = [client.send("POST", "/sobjects/Visit__c", json={"Firm__c": firms[0]}).json()["id"] for _ in range(2)]
    assert client.values("SELECT Number__c FROM Visit__c ORDER BY Number__c") == ["V-0001", "V-0002"]
    moved = client.send("PATCH", f"/sobjects/Visit__c/{made[0]}", json={"Firm__c": firms[1]})
    assert code(moved) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    fields = {f["name"]: f for f in client.get("/sobjects/Visit__c/describe").json()["fields"]}
    assert (fields["Firm__c"]["relationshipOrder"], fields["Firm__c"]["cascadeDelete"]) == (0, True)
    assert fields["Number__c"]["autoNumber"] is True and fields["Number__c"]["createable"] is False
    (case,) = salesforce_door.seed("Case", [{"Subject": "s"}])
    assert client.records("SELECT CaseNumber FROM Case") == [{"CaseNumber": "00000001"}] and case


def test_dependent_picklists(running: Running, salesforce_door: Door) -> None:
    values = [f"C{place}" for place in range(10)]
    country = {"name": "Land__c", "type": "picklist", "values": values}
    town = {
        "name": "Town__c",
        "type": "picklist",
        "values": ["X", "Y"],
        "controller": "Land__c",
        "depends": {"X": ["C0", "C9"], "Y": ["C1"]},
    }
    salesforce_door.post("fields", {"object": "Contact", "fields": [country, town]})
    fields = {f["name"]: f for f in Client(running).get("/sobjects/Contact/describe").json()["fields"]}
    assert fields["Town__c"]["dependentPicklist"] is True and fields["Town__c"]["controllerName"] == "Land__c"
    bits = [base64.b64decode(choice["validFor"]) for choice in fields["Town__c"]["picklistValues"]]
    assert bits == [b"\x80\x40", b"\x40\x00"]
    assert {choice["validFor"] for choice in fields["Land__c"]["picklistValues"]} == {None}


@pytest.mark.parametrize("path", ["Member_Number__c/M1", "Email/a@example.com"])
def test_deleting_by_a_key(running: Running, salesforce_door: Door, path: str) -> None:
    client = Client(running)
    salesforce_door.seed("Contact", [{"LastName": "A", "Member_Number__c": "M1", "Email": "a@example.com"}])
    assert client.send("DELETE", f"/sobjects/Contact/{path}").status_code == 204
    assert code(client.send("DELETE", f"/sobjects/Contact/{path}")) == (404, "NOT_FOUND")
    assert client.records("SELECT Id FROM Contact") == []


def test_formulas_and_stages(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    stages = [
        {"Name": "a", "StageName": s, "CloseDate": "2026-01-01"} for s in ("Closed Won", "Closed Lost", "Qualification")
    ]
    salesforce_door.seed("Opportunity", stages)
    found = client.records("SELECT IsClosed, IsWon FROM Opportunity ORDER BY StageName")
    assert [(row["IsClosed"], row["IsWon"]) for row in found] == [(True, False), (True, True), (False, False)]
    assert client.values("SELECT StageName FROM Opportunity WHERE IsWon = true") == ["Closed Won"]


def test_a_version_gets_its_document_and_links(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme"}])
    text = base64.b64encode(b"one").decode()
    file = {"PathOnClient": "notes.v1.txt", "VersionData": text, "FirstPublishLocationId": firm}
    made = client.send("POST", "/sobjects/ContentVersion", json=file).json()["id"]
    names = "Title, FileExtension, IsLatest, ContentDocumentId, ContentDocument.LatestPublishedVersionId"
    (row,) = client.records(f"SELECT {names} FROM ContentVersion")
    assert (row["Title"], row["FileExtension"], row["IsLatest"]) == ("notes.v1.txt", "txt", True)
    document = row["ContentDocumentId"]
    assert document.startswith("069") and row["ContentDocument"]["LatestPublishedVersionId"] == made
    found = client.values(f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{firm}'")
    assert found == [document]
    newer = {"PathOnClient": "notes.txt", "VersionData": text, "ContentDocumentId": document}
    second = client.send("POST", "/sobjects/ContentVersion", json=newer).json()["id"]
    latest = client.records("SELECT Id, IsLatest FROM ContentVersion ORDER BY Id")
    assert [(row["Id"], row["IsLatest"]) for row in latest] == [(made, False), (second, True)]
    client.send("DELETE", f"/sobjects/ContentDocument/{document}")
    assert client.records("SELECT Id FROM ContentVersion") == []


@pytest.mark.parametrize(
    ("where", "answered"),
    [
        ("", False),
        ("WHERE ShareType = 'V'", False),
        ("WHERE LinkedEntityId = '{id}'", True),
        ("WHERE LinkedEntityId IN ('{id}') AND ShareType = 'V'", True),
        ("WHERE LinkedEntityId = '{id}' OR ShareType = 'V'", False),
        ("WHERE LinkedEntityId = '{id}' OR ContentDocumentId = '{id}'", True),
        ("WHERE LinkedEntityId != '{id}'", False),
        ("WHERE LinkedEntityId IN (SELECT Id FROM Account)", True),
    ],
)
def test_some_objects_want_a_filter(running: Running, salesforce_door: Door, where: str, answered: bool) -> None:
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme"}])
    answer = Client(running).query(f"SELECT Id FROM ContentDocumentLink {where.format(id=firm)}")
    assert answer.status_code == (200 if answered else 400)
    if not answered:
        assert answer.json()[0]["errorCode"] == "MALFORMED_QUERY"
        assert "Implementation restriction: ContentDocumentLink requires a filter" in answer.json()[0]["message"]


def test_parents_of_parents(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    firms: list[str] = []
    for place in range(6):
        above = {"ParentId": firms[-1]} if firms else {}
        firms += salesforce_door.seed("Account", [{"Name": f"Level {place}", **above}])
    salesforce_door.seed(
        "Contact", [{"LastName": "A", "AccountId": firms[-1]}, {"LastName": "B", "AccountId": firms[1]}]
    )
    five = "Account.Parent.Parent.Parent.Parent.Name"
    first, second = client.records(f"SELECT LastName, {five} FROM Contact ORDER BY {five} NULLS LAST")
    assert first["Account"]["Parent"]["Parent"]["Parent"]["Parent"]["Name"] == "Level 1"
    assert second["Account"]["Parent"]["Parent"] is None
    assert client.values(f"SELECT LastName FROM Contact WHERE {five} LIKE 'level%'") == ["A"]
    assert code(client.query("SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Contact"))[0] == 400
    tops = client.records("SELECT (SELECT Name FROM ChildAccounts) FROM Account WHERE ParentId = null")
    assert [row["Name"] for row in tops[0]["ChildAccounts"]["records"]] == ["Level 1"]
    manager, worker = running.salesforce.user_id, running.salesforce.other_user_id
    running.salesforce.change("User", [{"Id": worker, "ManagerId": manager}])
    (row,) = client.records(f"SELECT Manager.Alias FROM User WHERE Id = '{worker}'")
    assert row["Manager"]["Alias"] == "user"


def test_a_place_is_written_in_parts_and_read_whole(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.post("fields", {"object": "Account", "fields": [{"name": "Place__c", "type": "location"}]})
    parts = {"Place__Latitude__s": 46.948, "Place__Longitude__s": 7.447}
    client.send("POST", "/sobjects/Account", json={"Name": "A", **parts})
    client.send("POST", "/sobjects/Account", json={"Name": "B"})
    found = client.records("SELECT Place__c, Place__Latitude__s FROM Account ORDER BY Name")
    assert found[0] == {"Place__c": {"latitude": 46.948, "longitude": 7.447}, "Place__Latitude__s": 46.948}
    assert found[1]["Place__c"] is None
    whole = client.send("POST", "/sobjects/Account", json={"Name": "C", "Place__c": {"latitude": 1, "longitude": 2}})
    assert whole.status_code == 400
    fields = {f["name"]: f for f in client.get("/sobjects/Account/describe").json()["fields"]}
    assert (fields["Place__c"]["type"], fields["Place__c"]["soapType"]) == ("location", "urn:location")
    assert fields["Place__Longitude__s"]["compoundFieldName"] == "Place__c"
    for name, answered in (("Place__c", 400), ("Place__Latitude__s", 200)):
        job = {"operation": "query", "query": f"SELECT Id, {name} FROM Account"}
        answer = client.send("POST", "/jobs/query", json=job)
        assert answer.status_code == answered
        if answered == 400:
            assert answer.json()[0]["message"] == "Selecting compound data not supported in Bulk Query"
