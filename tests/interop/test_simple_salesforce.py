"""simple-salesforce on 20,000 contacts: query_all, both of its bulk classes, and the org's state afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce

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
