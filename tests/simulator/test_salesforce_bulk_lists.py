"""Salesforce's lists of Bulk jobs, the end of jobs after seven days, versions of jobs, and Bulk API 1.0 in XML."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

SPACE = "http://www.force.com/2009/06/asyncapi/dataload"


class Classic:
    """Bulk API 1.0, spoken in XML."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.token = str(client.session.headers["Authorization"]).partition(" ")[2]

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Any:
        common = {"X-SFDC-Session": self.token, "Content-Type": "application/xml; charset=UTF-8", "Authorization": ""}
        return self.client.send(
            method, f"/services/async/64.0/{path}", headers={**common, **headers}, data=body.encode()
        )

    def job(self, operation: str, object: str = "Contact", more: str = "", content: str = "XML", **headers: str) -> str:
        body = f"<operation>{operation}</operation><object>{object}</object>{more}<contentType>{content}</contentType>"
        answer = self.send("POST", "job", f'<?xml version="1.0"?><jobInfo xmlns="{SPACE}">{body}</jobInfo>', **headers)
        assert answer.status_code == 201 and answer.headers["Content-Type"].startswith("application/xml")
        return element(answer.text, "id")

    def batch(self, job: str, body: str) -> str:
        """A batch that has ended; gives its path."""
        answer = self.send("POST", f"job/{job}/batch", body)
        assert answer.status_code == 201, answer.text
        path = f"job/{job}/batch/{element(answer.text, 'id')}"
        deadline = time.monotonic() + 30
        while element(self.send("GET", path).text, "state") in ("Queued", "InProgress"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return path


def element(text: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
    assert found, text
    return found[1]


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running)


def records(*rows: str) -> str:
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    inner = "".join(f"<sObject>{row}</sObject>" for row in rows)
    return f'<?xml version="1.0" encoding="UTF-8"?><sObjects xmlns="{SPACE}" {xsi}>{inner}</sObjects>'


def test_bulk_one_in_xml(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("fields", {"object": "Account", "fields": [{"name": "No__c", "external_id": True}]})
    (firm,) = salesforce_door.seed("Account", [{"Name": "Acme", "No__c": "7"}])
    classic = Classic(client)
    job = classic.job("insert")
    parent = "<Account><sObject><No__c>7</No__c></sObject></Account>"
    rows = (f"<LastName>A &amp; B</LastName><DoNotCall>true</DoNotCall>{parent}", "<FirstName>nameless</FirstName>")
    path = classic.batch(job, records(*rows))
    result = classic.send("GET", f"{path}/result").text
    good, bad = re.findall(r"<result>(.*?)</result>", result)
    assert "<success>true</success><created>true</created>" in good and element(good, "id").startswith("003")
    assert element(bad, "statusCode") == "REQUIRED_FIELD_MISSING" and element(bad, "fields") == "LastName"
    (stored,) = salesforce_door.dump("Contact")
    assert (stored["LastName"], stored["DoNotCall"], stored["AccountId"]) == ("A & B", True, firm)

    job = classic.job("update")
    change = f'<Id>{stored["Id"]}</Id><Title></Title><FirstName>X</FirstName><AccountId xsi:nil="true"/>'
    classic.batch(job, records(change))
    (stored,) = salesforce_door.dump("Contact")
    assert (stored["FirstName"], stored["AccountId"], stored["LastName"]) == ("X", None, "A & B")

    job = classic.job("query")
    path = classic.batch(job, "SELECT Id, LastName, FirstName, Account.Name, DoNotCall FROM Contact")
    number = element(classic.send("GET", f"{path}/result").text, "result")
    answer = classic.send("GET", f"{path}/result/{number}")
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert "<LastName>A &amp; B</LastName><FirstName>X</FirstName>" in answer.text
    assert "<DoNotCall>true</DoNotCall>" in answer.text and '<Account xsi:nil="true"/>' in answer.text


def test_bulk_one_says_why_a_query_failed(client: Client, salesforce_door: Door) -> None:
    classic = Classic(client)
    job = classic.job("query", content="CSV")
    told = classic.send("GET", classic.batch(job, "SELECT Nope FROM Contact")).text
    assert element(told, "stateMessage").startswith("InvalidBatch : Failed to process query: INVALID_FIELD: ")
    told = classic.send("GET", classic.batch(job, "SELECT Id FROM Lead")).text
    wanted = "INVALID_TYPE_FOR_OPERATION: The root entity of the requested query (Lead) does not match the entity"
    assert wanted in element(told, "stateMessage")


def unfinished(batches: str) -> bool:
    """Whether the list of a chunked job's batches does not hold the chunks yet, or some that are not done."""
    return batches.count("<id>751") < 2 or "Queued" in batches or "InProgress" in batches


def test_pk_chunks_start_where_they_are_told(client: Client, salesforce_door: Door) -> None:
    keys = salesforce_door.seed("Contact", [{"LastName": f"P{place}"} for place in range(50)])
    classic = Classic(client)
    chunking = {"Sforce-Enable-PKChunking": f"chunkSize=15; startRow={keys[10]}"}
    job = classic.job("query", content="CSV", **chunking)
    first = classic.batch(job, "SELECT Id FROM Contact")
    assert element(classic.send("GET", first).text, "state") == "NotProcessed"
    found = []
    deadline = time.monotonic() + 30
    while unfinished(told := classic.send("GET", f"job/{job}/batch").text):
        assert time.monotonic() < deadline
    for number in re.findall(r"<id>(751\w+)</id>", told)[1:]:
        path = f"job/{job}/batch/{number}/result"
        found += classic.send("GET", f"{path}/{element(classic.send('GET', path).text, 'result')}").text.split()[1:]
    assert sorted(found) == [f'"{key}"' for key in keys[10:]]
    # The lists of Bulk API 2.0 show it as a classic job with chunking.
    (shown,) = client.get("/jobs/query?isPkChunkingEnabled=true").json()["records"]
    assert (shown["id"], shown["jobType"], shown["createdDate"][-5:]) == (job, "Classic", "+0000")


def test_lists_and_their_filters(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "A"}])
    ingest = [
        client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()["id"]
        for _ in range(2)
    ]
    query = client.job("SELECT Id FROM Contact").rpartition("/")[2]
    classic = Classic(client).job("insert", more="<concurrencyMode>Serial</concurrencyMode>")

    def listed(path: str) -> list[str]:
        body = client.get(path).json()
        assert body["done"] is True and body["nextRecordsUrl"] is None
        return [job["id"] for job in body["records"]]

    assert listed("/jobs/ingest") == [*ingest, classic]
    assert listed("/jobs/ingest?jobType=V2Ingest") == ingest
    assert listed("/jobs/ingest?jobType=Classic") == listed("/jobs/ingest?concurrencyMode=serial") == [classic]
    assert listed("/jobs/ingest?isPkChunkingEnabled=true") == []
    assert listed("/jobs/query") == listed("/jobs/query?jobType=V2Query") == [query]
    assert listed("/jobs/query?jobType=Classic") == []


def test_long_lists_come_in_pages(client: Client, running: Running) -> None:
    info = {"operation": "insert", "state": "Open", "concurrencyMode": "Parallel", "jobType": "V2Ingest"}
    from backhaul.simulator.salesforce.bulk_ingest import IngestJob

    org = running.salesforce
    for place in range(1_001):
        key = f"750{place:015}"
        made = {**info, "id": key, "apiVersion": 67.0, "createdDate": "2999-01-01T00:00:00.000+0000"}
        org.ingest_jobs[key] = IngestJob(made, org.spool_folder() / key)
    first = client.get("/jobs/ingest").json()
    assert (first["done"], len(first["records"])) == (False, 1_000)
    assert first["nextRecordsUrl"].startswith("/services/data/v67.0/jobs/ingest?queryLocator=")
    second = client.get(first["nextRecordsUrl"]).json()
    assert (second["done"], len(second["records"])) == (True, 1)


def test_jobs_are_gone_after_seven_days(client: Client, salesforce_door: Door, running: Running) -> None:
    salesforce_door.seed("Contact", [{"LastName": "A"}])
    query = client.job("SELECT Id FROM Contact")
    made = client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()["id"]
    salesforce_door.post("clock", {"advance": 6 * 86_400})
    again = Client(running)
    assert again.get(f"{query}/results").status_code == 200 == again.get(f"/jobs/ingest/{made}").status_code
    salesforce_door.post("clock", {"advance": 86_400 + 60})
    again = Client(running)
    assert code(again.get(query)) == (404, "NOT_FOUND") == code(again.get(f"/jobs/ingest/{made}"))


def test_a_job_keeps_its_version(client: Client, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": "A"}])
    query = client.job("SELECT Id FROM Contact")
    old = "/services/data/v60.0"
    assert code(client.get(f"{old}{query}/results"))[0] == 409 == code(client.get(f"{old}{query}/resultPages"))[0]
    assert client.get(f"{old}{query}").status_code == 200
    made = client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"}).json()["id"]
    headers = {"Content-Type": "text/csv"}
    other = client.send("PUT", f"{old}/jobs/ingest/{made}/batches", data=b"LastName\nB\n", headers=headers)
    assert code(other)[0] == 409
    assert client.send("PUT", f"/jobs/ingest/{made}/batches", data=b"LastName\nB\n", headers=headers).status_code == 201
    early = {"operation": "query", "query": "SELECT Id FROM Contact"}
    number = client.send("POST", "/services/data/v57.0/jobs/query", json=early).json()["id"]
    assert code(client.get(f"/services/data/v57.0/jobs/query/{number}/resultPages")) == (404, "NOT_FOUND")
