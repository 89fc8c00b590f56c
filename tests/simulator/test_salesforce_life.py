"""What happens to records beside plain writes: rules, merges, undeletion, late commits, the bin, the deletion log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def client(running: Running) -> Client:
    running.salesforce.clock.set(START, frozen=True)
    running.salesforce.settings({"session_seconds": 10**9})
    return Client(running)


def one(client: Client, soql: str, **more: Any) -> dict[str, Any]:
    (record,) = client.records(soql, **more)
    return record


def test_a_merge_hands_children_and_identity_to_the_survivor(client: Client, salesforce_door: Door) -> None:
    kept, lost = salesforce_door.seed("Account", [{"Name": "A"}, {"Name": "B"}])
    (child,) = salesforce_door.seed("Contact", [{"LastName": "L", "AccountId": lost}])
    salesforce_door.post("clock", {"advance": 60})
    order = {"object": "Account", "master": kept, "losers": [lost], "values": {"Phone": "1"}}
    salesforce_door.post("merge", order)
    at = "2026-05-01T12:01:00.000+0000"
    gone = one(
        client, f"SELECT IsDeleted, MasterRecordId, SystemModstamp FROM Account WHERE Id = '{lost}'", everything=True
    )
    assert list(gone.values()) == [True, kept, at]
    moved = one(client, f"SELECT AccountId, SystemModstamp FROM Contact WHERE Id = '{child}'")
    assert list(moved.values()) == [kept, at]
    assert one(client, "SELECT Id, Phone, SystemModstamp FROM Account")["SystemModstamp"] == at
    with pytest.raises(AssertionError, match="live"):
        salesforce_door.post("merge", order)


def test_undeleted_records_leave_the_deletion_log(client: Client, salesforce_door: Door) -> None:
    (key,) = salesforce_door.seed("Contact", [{"LastName": "L"}])
    salesforce_door.post("delete", {"object": "Contact", "ids": [key]})
    window = {"start": "2026-05-01T11:00:00Z", "end": "2026-05-01T13:00:00Z"}
    assert len(client.get("/sobjects/Contact/deleted", params=window).json()["deletedRecords"]) == 1
    assert salesforce_door.post("undelete", {"object": "Contact", "ids": [key]}) == {"count": 1}
    assert client.get("/sobjects/Contact/deleted", params=window).json()["deletedRecords"] == []
    assert client.get("/sobjects/Contact/updated", params=window).json()["ids"] == [key]


def test_the_recycle_bin_is_emptied_after_15_days(client: Client, salesforce_door: Door) -> None:
    (key,) = salesforce_door.seed("Contact", [{"LastName": "L"}])
    salesforce_door.post("delete", {"object": "Contact", "ids": [key]})
    salesforce_door.post("clock", {"advance": 14.9 * 86400})
    assert client.records("SELECT Id FROM Contact", everything=True) == [{"Id": key}]
    salesforce_door.post("clock", {"advance": 0.2 * 86400})
    assert client.records("SELECT Id FROM Contact", everything=True) == []
    assert salesforce_door.dump("Contact") == []


def test_late_commits_bring_an_older_stamp(client: Client, salesforce_door: Door) -> None:
    (key,) = salesforce_door.seed("Contact", [{"LastName": "Old"}])
    records = [{"LastName": "New"}, {"Id": key, "LastName": "Changed"}]
    salesforce_door.post("late", {"object": "Contact", "records": records, "visible_in": 30})
    salesforce_door.post("clock", {"advance": 29})
    assert client.values("SELECT LastName FROM Contact") == ["Old"]
    salesforce_door.post("clock", {"advance": 1})
    assert sorted(client.values("SELECT LastName FROM Contact")) == ["Changed", "New"]
    assert set(client.values("SELECT SystemModstamp FROM Contact")) == {"2026-05-01T12:00:00.000+0000"}


def test_a_formula_changes_without_touching_its_record(client: Client, salesforce_door: Door) -> None:
    inner = 'SELECT a."Name" FROM "Account" AS a WHERE a."Id" = {t}."AccountId"'
    salesforce_door.post("fields", {"object": "Contact", "fields": [{"name": "Firm__c", "expression": inner}]})
    (firm,) = salesforce_door.seed("Account", [{"Name": "Before"}])
    salesforce_door.seed("Contact", [{"LastName": "L", "AccountId": firm}])
    before = one(client, "SELECT Firm__c, SystemModstamp FROM Contact")
    salesforce_door.post("clock", {"advance": 3600})
    salesforce_door.post("change", {"object": "Account", "records": [{"Id": firm, "Name": "After"}]})
    after = one(client, "SELECT Firm__c, SystemModstamp FROM Contact")
    assert (before["Firm__c"], after["Firm__c"]) == ("Before", "After")
    assert before["SystemModstamp"] == after["SystemModstamp"]
    described = client.get("/sobjects/Contact/describe").json()["fields"]
    formula = next(field for field in described if field["name"] == "Firm__c")
    assert formula["calculated"] and not formula["createable"] and not formula["updateable"]


def test_triggers_rewrite_values_on_every_road(client: Client, salesforce_door: Door) -> None:
    triggers = [
        {"object": "Contact", "when": "Title = 'X'", "set": {"Title": "Y"}},
        {
            "object": "Contact",
            "set": {"Department": "{FirstName} {LastName}", "LastName": {"field": "LastName", "apply": "upper"}},
        },
    ]
    salesforce_door.post("settings", {"triggers": triggers})
    key = client.send("POST", "/sobjects/Contact", json={"LastName": "l", "FirstName": "f", "Title": "X"}).json()["id"]
    found = one(client, "SELECT LastName, Title, Department FROM Contact")
    assert list(found.values()) == ["L", "Y", "f l"]
    client.collect("PATCH", [{"id": key, "FirstName": "g", "Title": "Z"}])
    found = one(client, "SELECT LastName, Title, Department FROM Contact")
    assert list(found.values()) == ["L", "Z", "g L"]


def test_validation_rules_refuse_with_their_own_text(client: Client, salesforce_door: Door) -> None:
    rule = {"object": "Contact", "condition": "Campaign_Score__c > 99 AND Email = null", "message": "Needs an e-mail"}
    salesforce_door.post("settings", {"validation_rules": [{**rule, "field": "Email"}]})
    rows = [{"LastName": "a", "Campaign_Score__c": 100}, {"LastName": "b", "Campaign_Score__c": 50}]
    bad, good = client.collect("POST", rows)
    problem = {"statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Needs an e-mail", "fields": ["Email"]}
    assert bad["errors"] == [problem] and good["success"]
    (again,) = client.collect("PATCH", [{"id": good["id"], "Campaign_Score__c": 100}])
    assert again["errors"] == [problem]
    assert client.values("SELECT Campaign_Score__c FROM Contact") == [50.0]


def test_duplicate_rules_and_their_header(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "L", "Email": "a@example.com"}])
    rule = {"object": "Contact", "fields": ["Email"], "action": "alert"}
    salesforce_door.post("settings", {"duplicate_rules": [rule]})
    row = {"LastName": "M", "Email": "A@example.com"}
    answer = client.send("POST", "/sobjects/Contact", json=row)
    assert code(answer) == (400, "DUPLICATES_DETECTED") and answer.json()[0]["message"] == "Use one of these records?"
    details = answer.json()[0]["duplicateResult"]
    assert details["allowSave"] is True and details["matchResults"][0]["size"] == 1
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}
    assert client.send("POST", "/sobjects/Contact", json=row, headers=header).status_code == 201
    salesforce_door.post("settings", {"duplicate_rules": [{**rule, "action": "block"}]})
    answer = client.send("POST", "/sobjects/Contact", json=row, headers=header)
    assert code(answer) == (400, "DUPLICATES_DETECTED")
    assert len(answer.json()[0]["duplicateResult"]["matchResults"][0]["matchRecords"]) == 2
    (item,) = client.collect("POST", [row])
    assert item["errors"] == [
        {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    ]


def test_row_locks_by_record_and_by_parent(client: Client, salesforce_door: Door) -> None:
    (firm,) = salesforce_door.seed("Account", [{"Name": "A"}])
    (key,) = salesforce_door.seed("Contact", [{"LastName": "L"}])
    salesforce_door.post("settings", {"row_locks": [{"id": firm, "times": 2}, {"id": key, "times": 1}]})
    rows = [{"LastName": str(place), "AccountId": firm} for place in range(3)]
    outcomes = client.collect("POST", rows)
    assert [one["success"] for one in outcomes] == [False, False, True]
    assert outcomes[0]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert code(client.send("DELETE", f"/sobjects/Contact/{key}")) == (400, "UNABLE_TO_LOCK_ROW")
    assert client.send("DELETE", f"/sobjects/Contact/{key}").status_code == 204


def test_assignment_rules_and_their_header(client: Client, salesforce_door: Door, running: Running) -> None:
    other = running.salesforce.other_user_id
    salesforce_door.post("settings", {"assignment_rules": {"Lead": other}})
    row = {"LastName": "L", "Company": "C"}
    assigned = client.send("POST", "/sobjects/Lead", json=row).json()["id"]
    kept = client.send("POST", "/sobjects/Lead", json=row, headers={"Sforce-Auto-Assign": "FALSE"}).json()["id"]
    owners = {record["Id"]: record["OwnerId"] for record in client.records("SELECT Id, OwnerId FROM Lead")}
    assert owners == {assigned: other, kept: running.salesforce.user_id}


def test_the_deletion_log_has_its_ends(client: Client, salesforce_door: Door) -> None:
    keys = salesforce_door.seed("Contact", [{"LastName": "L"}] * 3)
    salesforce_door.post("delete", {"object": "Contact", "ids": keys})

    def asked(start: datetime, verb: str = "deleted") -> Any:
        window = {"start": start.isoformat(), "end": (START + timedelta(minutes=5)).isoformat()}
        return client.get(f"/sobjects/Contact/{verb}", params=window)

    assert code(asked(START - timedelta(days=16))) == (400, "INVALID_REPLICATION_DATE")
    assert asked(START - timedelta(days=16), "updated").status_code == 200
    assert code(asked(START - timedelta(days=31), "updated")) == (400, "INVALID_REPLICATION_DATE")
    salesforce_door.post("settings", {"id_limit": 2})
    assert code(asked(START - timedelta(hours=1))) == (400, "EXCEEDED_ID_LIMIT")
    purged = (START - timedelta(days=2)).isoformat()
    salesforce_door.post("settings", {"id_limit": 600_000, "replication_from": purged})
    answer = asked(START - timedelta(days=3))
    assert code(answer) == (400, "INVALID_REPLICATION_DATE")
    assert answer.json()[0]["message"] == "startDate before org replication enabled date"
    answer = asked(START - timedelta(days=1)).json()
    assert len(answer["deletedRecords"]) == 3 and answer["earliestDateAvailable"] == "2026-04-29T12:00:00.000+0000"
