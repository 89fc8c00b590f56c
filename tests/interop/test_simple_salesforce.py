"""simple-salesforce on 20,000 contacts: query_all, both of its bulk classes, and the org's state afterwards."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from backhaul.simulator import Running
from backhaul.simulator.salesforce import CLIENT_ID, CLIENT_SECRET

pytestmark = pytest.mark.interop


@pytest.fixture
def client(running: Running) -> Any:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(running.ca_path)
    form = {"grant_type": "client_credentials"}
    url = f"{running.salesforce_url}/services/oauth2/token"
    token = session.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=30).json()
    return Salesforce(
        instance_url=token["instance_url"], session_id=token["access_token"], session=session, version="64.0"
    )


def test_query_all(client: Any, contacts: list[dict[str, Any]]) -> None:
    found = client.query_all("SELECT Id, LastName, Email, SystemModstamp FROM Contact")
    assert found["totalSize"] == len(found["records"]) == 20_000
    wanted = {row["Id"]: (row["LastName"], row["Email"], row["SystemModstamp"]) for row in contacts}
    assert {r["Id"]: (r["LastName"], r["Email"], r["SystemModstamp"]) for r in found["records"]} == wanted


def test_bulk(client: Any, contacts: list[dict[str, Any]], running: Running) -> None:
    rows = [
        {"Id": row["Id"], "Title": f'T "{place}"', "DoNotCall": place % 2 == 0, "Department": None}
        for place, row in enumerate(contacts)
    ]
    outcomes = client.bulk.Contact.update(rows, batch_size=10_000, use_serial=True)
    assert len(outcomes) == 20_000 and all(one["success"] for one in outcomes)
    assert [one["id"] for one in outcomes] == [row["Id"] for row in rows]
    after = {row["Id"]: row for row in running.salesforce.dump("Contact")}
    assert all({name: after[row["Id"]][name] for name in row} == row for row in rows)
    found = client.bulk.Contact.query("SELECT Id, Title, Birthdate FROM Contact")
    assert {row["Id"]: row["Title"] for row in found} == {row["Id"]: row["Title"] for row in rows}
    client.bulk.Contact.delete([{"Id": row["Id"]} for row in rows[:10_000]], batch_size=5_000)
    live = [row["Id"] for row in running.salesforce.dump("Contact") if not row["IsDeleted"]]
    assert live == [row["Id"] for row in rows[10_000:]]


def test_bulk2(client: Any, contacts: list[dict[str, Any]], running: Running, tmp_path: Path) -> None:
    rows = [
        {"Member_Number__c": row["Member_Number__c"], "LastName": f"L,{place}", "Title": 'say "x"\nnow'}
        for place, row in enumerate(contacts)
    ]
    rows += [{"Member_Number__c": f"X{place}", "LastName": "", "Title": "no name"} for place in range(3)]
    jobs = client.bulk2.Contact.upsert(records=rows, external_id_field="Member_Number__c", batch_size=8_000)
    assert sum(job["numberRecordsProcessed"] for job in jobs) == 20_003
    assert sum(job["numberRecordsFailed"] for job in jobs) == 3
    failed = "".join(client.bulk2.Contact.get_failed_records(job["job_id"]) for job in jobs)
    assert failed.count("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --") == 3
    after = {row["Member_Number__c"]: row for row in running.salesforce.dump("Contact")}
    assert len(after) == 20_000
    assert all(after[row["Member_Number__c"]]["LastName"] == row["LastName"] for row in rows[:20_000])
    assert {row["Title"] for row in after.values()} == {'say "x"\nnow'}

    pages = client.bulk2.Contact.download("SELECT Id, LastName FROM Contact", path=str(tmp_path), max_records=7_000)
    assert sum(page["number_of_records"] for page in pages) == 20_000
    client.bulk2.Contact.delete(records=[{"Id": row["Id"]} for row in after.values()], batch_size=20_000)
    assert all(row["IsDeleted"] for row in running.salesforce.dump("Contact"))


def codes(error: Any) -> list[str]:
    """The error codes of a refused request."""
    return [one["errorCode"] for one in error.content]


def test_records_one_by_one(client: Any, running: Running) -> None:
    contact = client.Contact
    made = contact.create({"LastName": "Curie", "Email": "Marie@Example.com", "Member_Number__c": "M/1"})
    assert made["success"] and contact.get(made["id"])["Email"] == "marie@example.com"
    assert contact.update(made["id"], {"Title": "Dr"}) == 204
    assert contact.get_by_custom_id("Member_Number__c", "M/1")["Title"] == "Dr"
    assert contact.upsert("Member_Number__c/M%2F1", {"LastName": "Sklodowska"}) == 200
    assert contact.upsert("Member_Number__c/new", {"LastName": "Joliot"}) == 201
    now = datetime.now(UTC)
    span = (now - timedelta(hours=1), now + timedelta(hours=1))
    assert len(contact.updated(*span)["ids"]) == 2
    assert contact.delete(made["id"]) == 204
    assert [one["id"] for one in contact.deleted(*span)["deletedRecords"]] == [made["id"]]
    assert {row["LastName"]: row["IsDeleted"] for row in running.salesforce.dump("Contact")} == {
        "Sklodowska": True,
        "Joliot": False,
    }
    with pytest.raises(SalesforceResourceNotFound) as gone:
        contact.get(made["id"])
    assert codes(gone.value) == ["ENTITY_IS_DELETED"]
    running.salesforce.seed("Contact", [{"LastName": name, "Email": "same@example.com"} for name in "AB"])
    with pytest.raises(SalesforceMoreThanOneRecord):
        contact.upsert("Email/same@example.com", {"LastName": "C"})
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.query("SELECT Nope FROM Contact")
    assert codes(refused.value) == ["INVALID_FIELD"]


def test_descriptions_and_limits(client: Any) -> None:
    assert {"Account", "Contact", "Lead"} <= {one["name"] for one in client.describe()["sobjects"]}
    assert client.Contact.describe()["keyPrefix"] == "003" == client.Contact.metadata()["objectDescribe"]["keyPrefix"]
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000 and client.api_usage["api-usage"].total == 100_000
    assert client.is_sandbox() is False


def test_a_lazy_query_takes_the_pages_one_by_one(client: Any, contacts: list[dict[str, Any]]) -> None:
    found = [row["Id"] for row in client.query_all_iter("SELECT Id FROM Contact ORDER BY Id")]
    assert found == [row["Id"] for row in contacts]
    first = client.query("SELECT Id FROM Contact ORDER BY Id")
    second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert [row["Id"] for row in second["records"]] == found[2_000:4_000]


def test_bulk_inserts_upserts_and_hard_deletes(client: Any, running: Running) -> None:
    rows = [{"LastName": f"L{place}", "Member_Number__c": f"M{place}"} for place in range(20_000)]
    made = client.bulk.Contact.insert(rows, batch_size=10_000)
    assert len(made) == 20_000 and all(one["success"] and one["created"] for one in made)
    changed = [{"Member_Number__c": f"M{place}", "LastName": f"X{place}"} for place in range(19_990, 20_010)]
    outcomes = client.bulk.Contact.upsert(changed, "Member_Number__c")
    assert [one["created"] for one in outcomes] == [False] * 10 + [True] * 10
    refused = client.bulk.Contact.insert([{"LastName": "ok"}, {"FirstName": "no"}])
    assert [one["success"] for one in refused] == [True, False]
    assert refused[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    client.bulk.Contact.hard_delete([{"Id": one["id"]} for one in made[:15_000]], batch_size=10_000)
    stored = {row["Member_Number__c"]: row["LastName"] for row in running.salesforce.dump("Contact")}
    assert len(stored) == 5_011 and stored["M15000"] == "L15000" and stored["M20009"] == "X20009"
    pages = list(client.bulk.Contact.query_all("SELECT Id, LastName FROM Contact", lazy_operation=True))
    assert sorted(row["LastName"] for page in pages for row in page) == sorted(stored.values())
    with pytest.raises(SalesforceGeneralError, match="Nope"):
        client.bulk.Contact.query("SELECT Nope FROM Contact")


def test_bulk2_from_and_to_files(client: Any, running: Running, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    lines = ["LastName,Member_Number__c,Title", *(f'"L, {place}",N{place},' for place in range(20_000))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    jobs = client.bulk2.Contact.insert(str(path), batch_size=12_000)
    assert [job["numberRecordsTotal"] for job in jobs] == [12_000, 8_000]
    assert sum(job["numberRecordsProcessed"] for job in jobs) == 20_000
    stored = {row["Id"]: row["LastName"] for row in running.salesforce.dump("Contact")}
    assert sorted(stored.values()) == sorted(f"L, {place}" for place in range(20_000))
    running.salesforce.settings({"bulk_page_rows": 9_000})
    found: dict[str, str] = {}
    for page in client.bulk2.Contact.download(
        "SELECT Id, LastName FROM Contact", path=str(tmp_path), max_records=50_000
    ):
        assert page["number_of_records"] <= 9_000
        with Path(page["file"]).open(newline="", encoding="utf-8") as file:
            found |= {row["Id"]: row["LastName"] for row in csv.DictReader(file)}
    assert found == stored
    told = "".join(client.bulk2.Contact.query("SELECT Id FROM Contact WHERE LastName = 'L, 7'"))
    assert len(told.strip().splitlines()) == 2
    changed = tmp_path / "changed.csv"
    changed.write_text("Id,Title\n" + "".join(f"{key},T\n" for key in stored), encoding="utf-8")
    jobs = client.bulk2.Contact.update(str(changed))
    assert [job["numberRecordsFailed"] for job in jobs] == [0]
    assert {row["Title"] for row in running.salesforce.dump("Contact")} == {"T"}
