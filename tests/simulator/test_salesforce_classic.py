"""Bulk API 1.0 over the socket: jobs and batches in XML and JSON, results in order, queries in chunks of ids."""

from __future__ import annotations

import csv
import io
import re
import time
from typing import Any

import pytest
import requests

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client

SPACE = "http://www.force.com/2009/06/asyncapi/dataload"


class Classic:
    def __init__(self, running: Running) -> None:
        token = Client(running).session.headers["Authorization"]
        self.base = f"{running.salesforce_http_url}/services/async/67.0"
        self.session = requests.Session()
        self.session.headers["X-SFDC-Session"] = str(token).removeprefix("Bearer ")

    def send(self, method: str, path: str, media: str = "application/json", **more: Any) -> requests.Response:
        headers = {"Content-Type": media, **more.pop("headers", {})}
        return self.session.request(method, f"{self.base}/{path}", headers=headers, timeout=30, **more)

    def job(self, headers: dict[str, str] | None = None, **asked: Any) -> str:
        body = {"object": "Contact", "contentType": "CSV", **asked}
        answer = self.send("POST", "job", json=body, headers=headers or {})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def settled(self, job: str, *, csv_job: bool = True) -> list[dict[str, str]]:
        """The batches of a job when all are at rest."""
        deadline = time.monotonic() + 20
        while True:
            answer = self.send("GET", f"job/{job}/batch")
            if csv_job:
                found = [dict(re.findall(r"<(\w+)>([^<]*)</", one)) for one in answer.text.split("<batchInfo>")[1:]]
            else:
                found = answer.json()["batchInfo"]
            if not {one["state"] for one in found} & {"Queued", "InProgress"}:
                return found
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def classic(running: Running) -> Classic:
    return Classic(running)


def test_a_job_in_xml_writes_csv_and_answers_in_order(classic: Classic) -> None:
    wanted = f'<jobInfo xmlns="{SPACE}"><operation>insert</operation><object>Contact</object>'
    answer = classic.send("POST", "job", "application/xml", data=f"{wanted}<contentType>CSV</contentType></jobInfo>")
    assert answer.status_code == 201 and answer.headers["Content-Type"].startswith("application/xml")
    assert "<state>Open</state>" in answer.text and re.search(r"<createdDate>[^<]*\.000Z<", answer.text)
    found = re.search(r"<id>(750\w{15})</id>", answer.text)
    assert found
    job = found[1]
    content = "LastName,Email\na,\nb,bad\nc,c@example.com\n"
    answer = classic.send("POST", f"job/{job}/batch", "text/csv", data=content)
    assert answer.status_code == 201 and "<state>Queued</state>" in answer.text
    closing = f'<jobInfo xmlns="{SPACE}"><state>Closed</state></jobInfo>'
    assert "<state>Closed</state>" in classic.send("POST", f"job/{job}", "application/xml", data=closing).text
    (batch,) = classic.settled(job)
    assert (batch["state"], batch["numberRecordsProcessed"], batch["numberRecordsFailed"]) == ("Completed", "3", "1")
    rows = list(csv.DictReader(io.StringIO(classic.send("GET", f"job/{job}/batch/{batch['id']}/result").text)))
    assert [row["Success"] for row in rows] == ["true", "false", "true"]
    assert rows[1]["Error"] == "INVALID_EMAIL_ADDRESS:Email: invalid email address: bad:Email --"
    told = classic.send("GET", f"job/{job}").text
    assert "<numberBatchesCompleted>1<" in told and "<numberRecordsFailed>1<" in told
    late = classic.send("POST", f"job/{job}/batch", "text/csv", data=content)
    assert late.status_code == 400 and "<exceptionCode>InvalidJobState</exceptionCode>" in late.text


def test_a_job_in_json(classic: Classic, salesforce_door: Door) -> None:
    job = classic.job(operation="upsert", contentType="JSON", externalIdFieldName="Member_Number__c")
    rows = [{"Member_Number__c": "1", "LastName": "L", "DoNotCall": True}, {"Member_Number__c": "2"}]
    assert classic.send("POST", f"job/{job}/batch", json=rows).json()["state"] == "Queued"
    (batch,) = classic.settled(job, csv_job=False)
    good, bad = classic.send("GET", f"job/{job}/batch/{batch['id']}/result").json()
    assert good["success"] and good["created"] and good["errors"] == []
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert classic.send("GET", f"job/{job}/batch/{batch['id']}/request").json() == rows
    (stored,) = salesforce_door.dump("Contact")
    assert (stored["LastName"], stored["DoNotCall"]) == ("L", True)
    job = classic.job(operation="query", contentType="JSON")
    classic.send("POST", f"job/{job}/batch", data="SELECT Id, Account.Name, SystemModstamp FROM Contact")
    (batch,) = classic.settled(job, csv_job=False)
    (result,) = classic.send("GET", f"job/{job}/batch/{batch['id']}/result").json()
    (record,) = classic.send("GET", f"job/{job}/batch/{batch['id']}/result/{result}").json()
    assert record["Id"] == good["id"] and record["Account"] is None
    assert isinstance(record["SystemModstamp"], int)


def test_chunks_of_ids_read_every_record_once(classic: Classic, salesforce_door: Door) -> None:
    keys = salesforce_door.seed("Contact", [{"LastName": f"n{place}"} for place in range(25)])
    job = classic.job({"Sforce-Enable-PKChunking": "chunkSize=10"}, operation="query")
    classic.send("POST", f"job/{job}/batch", "text/csv", data="SELECT Id, LastName FROM Contact")
    first, *others = classic.settled(job)
    while len(others) < 3:
        first, *others = classic.settled(job)
    assert first["state"] == "NotProcessed" and {one["state"] for one in others} == {"Completed"}
    found: list[str] = []
    for batch in others:
        path = f"job/{job}/batch/{batch['id']}/result"
        listed = classic.send("GET", path).text
        assert "<result-list" in listed
        (result,) = re.findall(r"<result>(\w+)</result>", listed)
        found += [row["Id"] for row in csv.DictReader(io.StringIO(classic.send("GET", f"{path}/{result}").text))]
    assert sorted(found) == sorted(keys)
    job = classic.job({"Sforce-Enable-PKChunking": "true"}, operation="query")
    classic.send("POST", f"job/{job}/batch", "text/csv", data="SELECT Id FROM Contact ORDER BY Id")
    (batch,) = classic.settled(job)
    assert batch["state"] == "Failed" and batch["stateMessage"].startswith("InvalidBatch :")


def test_refusals(classic: Classic) -> None:
    def refused(answer: requests.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["exceptionCode"]

    body = {"object": "Contact", "operation": "insert", "contentType": "CSV"}
    assert refused(classic.send("POST", "job", json={**body, "object": "Nope"})) == (400, "InvalidJob")
    assert refused(classic.send("POST", "job", json={**body, "operation": "merge"})) == (400, "InvalidJob")
    assert refused(classic.send("POST", "job", json={**body, "contentType": "ZIP_XML"})) == (400, "FeatureNotEnabled")
    assert refused(classic.send("GET", "job/750000000000000AAA")) == (400, "InvalidJob")
    assert refused(classic.send("GET", "nothing")) == (404, "InvalidUrl")
    classic.session.headers["X-SFDC-Session"] = "dead"
    assert refused(classic.send("GET", "job/750000000000000AAA")) == (401, "InvalidSessionId")
    answer = classic.send("GET", "job/750000000000000AAA", "application/xml")
    assert f'<error xmlns="{SPACE}"><exceptionCode>InvalidSessionId</exceptionCode>' in answer.text
