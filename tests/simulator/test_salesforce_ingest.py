"""Bulk API 2.0 ingest of the simulated org, over its socket: jobs, files, results and what a job can go wrong in."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running, start
from tests.conftest import Door
from tests.examples import examples
from tests.simulator.client import Client, code

END = ("JobComplete", "Failed", "Aborted")


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running)


def file(*lines: str, end: str = "\n") -> bytes:
    return "".join(line + end for line in lines).encode()


def opened(client: Client, operation: str, **more: Any) -> str:
    answer = client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": operation} | more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "Open"
    return str(answer.json()["id"])


def close(client: Client, job: str, state: str = "UploadComplete") -> requests.Response:
    return client.send("PATCH", f"/jobs/ingest/{job}", json={"state": state})


def ended(client: Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while (info := client.get(f"/jobs/ingest/{job}").json())["state"] not in END:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    found: dict[str, Any] = info
    return found


def run(client: Client, operation: str, content: bytes, **more: Any) -> tuple[str, dict[str, Any]]:
    """A job from its creation to its end; gives its id and its information."""
    job = opened(client, operation, **more)
    sent = client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
    assert (sent.status_code, sent.content) == (201, b"")
    assert close(client, job).json()["state"] == "UploadComplete"
    return job, ended(client, job)


def results(client: Client, job: str, name: str, delimiter: str = ",") -> list[dict[str, str]]:
    answer = client.get(f"/jobs/ingest/{job}/{name}")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv"), answer.text
    answer.encoding = "utf-8"
    return list(csv.DictReader(io.StringIO(answer.text, newline=""), delimiter=delimiter))


def test_a_job_from_open_to_deleted(client: Client) -> None:
    job = opened(client, "insert")
    info = client.get(f"/jobs/ingest/{job}").json()
    assert info["contentUrl"] == f"services/data/v67.0/jobs/ingest/{job}/batches"
    assert (info["jobType"], info["lineEnding"], info["columnDelimiter"]) == ("V2Ingest", "LF", "COMMA")
    assert job.startswith("750") and len(job) == 18
    assert code(client.send("DELETE", f"/jobs/ingest/{job}")) == (400, "INVALIDJOBSTATE")
    content = file("LastName,FirstName", "Curie,Marie", 'Hopper,"Grace\n""G"""')
    headers = {"Content-Type": "text/csv; charset=UTF-8"}
    assert client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers=headers).status_code == 201
    again = client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers=headers)
    assert code(again) == (400, "CLIENTINPUTERROR")
    assert "contentUrl" not in close(client, job).json()
    info = ended(client, job)
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 2, 0)
    rows = results(client, job, "successfulResults")
    assert list(rows[0]) == ["sf__Id", "sf__Created", "LastName", "FirstName"]
    assert {row["FirstName"]: row["sf__Created"] for row in rows} == {"Marie": "true", 'Grace\n"G"': "true"}
    assert results(client, job, "failedResults") == []
    for spelling in ("unprocessedrecords", "unprocessedRecords"):
        assert results(client, job, spelling) == []
    stored = client.records("SELECT Id, LastName FROM Contact")
    assert {one["Id"] for one in stored} == {row["sf__Id"] for row in rows}
    assert code(close(client, job)) == (400, "INVALIDJOBSTATE")
    assert code(close(client, job, "Aborted")) == (400, "INVALIDJOBSTATE")
    listed = client.get("/jobs/ingest").json()
    assert [one["id"] for one in listed["records"]] == [job] and listed["done"] is True
    assert client.send("DELETE", f"/jobs/ingest/{job}").status_code == 204
    assert code(client.get(f"/jobs/ingest/{job}")) == (404, "NOT_FOUND")


def test_update_leaves_empty_cells_and_clears_with_its_word_for_null(client: Client, salesforce_door: Door) -> None:
    before = {"LastName": "L", "Title": "T", "Department": "D", "DoNotCall": False, "Campaign_Score__c": 5.0}
    one, two = salesforce_door.seed("Contact", [before, before])
    columns = "Id,Title,Department,DoNotCall,Campaign_Score__c,Last_Open__c,Birthdate"
    moment = "2026-03-01T10:00:00.000Z"
    content = file(columns, f"{one},#N/A,,true,#N/A,{moment},2000-02-29", f"{two[:15]},,New,1,7.25,,")
    _, info = run(client, "update", content)
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (2, 0)
    found = client.records(f"SELECT {columns} FROM Contact ORDER BY Id")
    assert [list(row.values())[1:] for row in found] == [
        [None, "D", True, None, "2026-03-01T10:00:00.000+0000", "2000-02-29"],
        ["T", "New", True, 7.3, None, None],
    ]


def test_upsert_says_what_was_created_and_failed_rows_name_code_text_and_fields(
    client: Client, salesforce_door: Door
) -> None:
    (there,) = salesforce_door.seed("Contact", [{"LastName": "Old", "Member_Number__c": "m1"}])
    content = file(
        "Member_Number__c,LastName,Email",
        "M1,Changed,",
        "M2,New,new@example.com",
        "M3,,x@example.com",
        "M4,Bad,no-email",
        ",No key,",
    )
    job, info = run(client, "upsert", content, externalIdFieldName="Member_Number__c")
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 5, 3)
    good = {row["LastName"]: (row["sf__Created"], row["sf__Id"]) for row in results(client, job, "successfulResults")}
    assert good["Changed"] == ("false", there) and good["New"][0] == "true"
    bad = {row["Member_Number__c"]: row["sf__Error"] for row in results(client, job, "failedResults")}
    assert bad["M3"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert bad["M4"] == "INVALID_EMAIL_ADDRESS:Email: invalid email address: no-email:Email --"
    assert bad[""].startswith("MISSING_ARGUMENT:Member_Number__c not specified:")
    assert bad[""].endswith(":--")


def test_delete_and_hard_delete(client: Client, salesforce_door: Door) -> None:
    ids = salesforce_door.seed("Contact", [{"LastName": name} for name in "abc"])
    job, info = run(client, "delete", file("Id", ids[0], ids[0], "003Ks0zzzzzzzzzIAA"))
    assert info["numberRecordsFailed"] == 2
    errors = [row["sf__Error"].split(":")[0] for row in results(client, job, "failedResults")]
    assert sorted(errors) == ["ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"]
    assert all(row["sf__Id"] for row in results(client, job, "failedResults"))
    _, info = run(client, "hardDelete", file("Id", ids[1]))
    assert info["numberRecordsFailed"] == 0
    assert {row["Id"]: row["IsDeleted"] for row in salesforce_door.dump("Contact")} == {ids[0]: True, ids[2]: False}
    job, info = run(client, "delete", file("Id,LastName", f"{ids[2]},x"))
    assert info["state"] == "Failed"
    assert info["errorMessage"] == "InvalidBatch : The 'delete' batch must contain only ids"
    salesforce_door.post("settings", {"hard_delete_permission": False})
    answer = client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": "hardDelete"})
    assert code(answer) == (400, "FEATURENOTENABLED")


def test_parents_by_external_id(client: Client, salesforce_door: Door) -> None:
    number = {"name": "Number__c", "type": "string", "length": 20, "external_id": True, "id_lookup": True}
    salesforce_door.post("fields", {"object": "Account", "fields": [number]})
    one, two = salesforce_door.seed("Account", [{"Name": "A", "Number__c": "1"}, {"Name": "B", "Number__c": "2"}])
    content = file("LastName,Account.Number__c", "a,1", "b,2", "c,3", "d,#N/A", "e,")
    job, _ = run(client, "insert", content)
    found = {row["LastName"]: row["AccountId"] for row in client.records("SELECT LastName, AccountId FROM Contact")}
    assert found == {"a": one, "b": two, "d": None, "e": None}
    (bad,) = results(client, job, "failedResults")
    text = "Foreign key external ID: 3 not found for field Number__c in entity Account"
    assert (bad["sf__Id"], bad["sf__Error"], bad["LastName"]) == ("", f"INVALID_FIELD:{text}:--", "c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (file("LastName,Nope__c", "a,b"), "InvalidBatch : Field name not found : Nope__c"),
        (b"\xef\xbb\xbf" + file("LastName", "a"), "InvalidBatch : Field name not found : \ufeffLastName"),
        (file("LastName,Firm.Name", "a,b"), "InvalidBatch : Unable to find relationship: Firm"),
        (file("LastName,Account.Name", "a,b"), "InvalidBatch : Field name not found : Account.Name"),
        (
            file("LastName,Account:Account.Id", "a,b"),
            "InvalidBatch : type is not needed for non polymorphic foreign key references: Account",
        ),
        (
            file("LastName", "a", end="\r\n"),
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
        ),
        (b"", "InvalidBatch : Failed to parse CSV header"),
    ],
)
def test_files_that_fail_as_a_whole(client: Client, content: bytes, message: str) -> None:
    job, info = run(client, "insert", content)
    assert (info["state"], info["errorMessage"]) == ("Failed", message)
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (0, 0)
    assert client.get(f"/jobs/ingest/{job}/unprocessedrecords").status_code == 200
    assert client.values("SELECT Id FROM Contact") == []


def test_line_ends_and_delimiters(client: Client) -> None:
    for place, (word, sign) in enumerate(
        {"TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}.items()
    ):
        content = file(f"LastName{sign}Title", f"L{place}{sign}a,b", end="\r\n")
        job, info = run(client, "insert", content, columnDelimiter=word, lineEnding="CRLF")
        assert info["numberRecordsFailed"] == 0, info
        (row,) = results(client, job, "successfulResults", sign)
        assert (row["LastName"], row["Title"]) == (f"L{place}", "a,b")
        assert client.get(f"/jobs/ingest/{job}/successfulResults").content.endswith(b'"a,b"\r\n')
    job, info = run(client, "insert", file("LastName", "a"), lineEnding="CRLF")
    assert info["errorMessage"].endswith("Current LineEnding setting is CRLF")


def test_rows_that_cannot_be_read_fail_alone(client: Client) -> None:
    content = file("LastName,Title", '"a", "b"', "c", '"d" ,e', '"f","g, "" ,h"', "i,j", f"k,{'x' * 131_073}")
    job, info = run(client, "insert", content)
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 6, 4)
    good = {row["LastName"]: row["Title"] for row in results(client, job, "successfulResults")}
    assert good == {"f": 'g, " ,h', "i": "j"}


def test_results_are_not_in_the_order_of_the_upload(client: Client) -> None:
    names = [f"n{place:03d}" for place in range(100)]
    job, _ = run(client, "insert", file("LastName", *names))
    shown = [row["LastName"] for row in results(client, job, "successfulResults")]
    assert sorted(shown) == names and shown != names


def test_one_request_makes_a_whole_job(client: Client) -> None:
    job = {"object": "Contact", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    parts = {
        "job": ("job", json.dumps(job), "application/json"),
        "content": ("content", "LastName\nCurie\n", "text/csv"),
    }
    answer = client.send("POST", "/jobs/ingest", files=parts)
    assert answer.status_code == 200 and answer.json()["state"] == "UploadComplete"
    assert ended(client, answer.json()["id"])["numberRecordsProcessed"] == 1
    parts["content"] = ("content", "LastName\n" + "x" * 100_000, "text/csv")
    assert code(client.send("POST", "/jobs/ingest", files=parts)) == (400, "INVALIDBATCH")


def test_a_job_that_fails_on_demand_leaves_rows_unprocessed(client: Client, salesforce_door: Door) -> None:
    fault = {"jobs": "ingest", "object": "Contact", "after_rows": 5, "message": "TooManyLockFailure : too many locks"}
    salesforce_door.post("settings", {"bulk_batch_rows": 3, "bulk_failures": [fault]})
    job, info = run(client, "insert", file("LastName,Email", *(f"n{place},x" for place in range(8))))
    assert (info["state"], info["errorMessage"]) == ("Failed", "TooManyLockFailure : too many locks")
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (5, 5)
    left = results(client, job, "unprocessedrecords")
    assert sorted(row["LastName"] for row in left) == ["n5", "n6", "n7"] and list(left[0]) == ["LastName", "Email"]
    assert run(client, "insert", file("LastName", "a"))[1]["state"] == "JobComplete"
    salesforce_door.post("settings", {"bulk_failures": [{"jobs": "query"}]})
    query = client.send("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Contact"}).json()
    deadline = time.monotonic() + 10
    while (found := client.get(f"/jobs/query/{query['id']}").json())["state"] not in END:
        assert time.monotonic() < deadline
    assert found["state"] == "Failed"


def test_aborting_keeps_what_was_committed(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"bulk_batch_rows": 1, "bulk_batch_seconds": 0.05})
    job = opened(client, "insert")
    content = file("LastName", *(f"n{place}" for place in range(500)))
    client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
    close(client, job)
    assert code(client.get(f"/jobs/ingest/{job}/successfulResults")) == (400, "INVALIDJOBSTATE")
    while not client.get(f"/jobs/ingest/{job}").json()["numberRecordsProcessed"]:
        time.sleep(0.01)
    assert close(client, job, "Aborted").json()["state"] == "Aborted"
    stored = client.values("SELECT LastName FROM Contact")
    done = [row["LastName"] for row in results(client, job, "successfulResults")]
    left = [row["LastName"] for row in results(client, job, "unprocessedRecords")]
    assert sorted(stored) == sorted(done) and len(done) + len(left) == 500 and left


def test_the_daily_allocation_ends_a_job(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"bulk_batch_rows": 2, "bulk_batches_max": 2})
    job, info = run(client, "insert", file("LastName", *"abcdef"))
    assert info["state"] == "Failed" and info["errorMessage"].startswith("ExceededQuota :")
    assert len(results(client, job, "unprocessedrecords")) == 2
    assert client.get("/limits").json()["DailyBulkApiBatches"] == {"Max": 2, "Remaining": 0}
    answer = client.send("POST", "/jobs/ingest", json={"object": "Contact", "operation": "insert"})
    assert code(answer) == (403, "LIMIT_EXCEEDED")


def test_parents_shared_between_batches_cannot_be_locked_unless_the_file_is_sorted(
    client: Client, salesforce_door: Door
) -> None:
    salesforce_door.post("settings", {"bulk_batch_rows": 4, "lock_contention": {"Contact": "AccountId"}})
    one, two = salesforce_door.seed("Account", [{"Name": "A"}, {"Name": "B"}])
    rows = [f"n{place},{(one, two)[place % 2]}" for place in range(10)]
    job, info = run(client, "insert", file("LastName,AccountId", *rows))
    assert info["numberRecordsFailed"] == 6
    errors = {row["sf__Error"] for row in results(client, job, "failedResults")}
    text = "unable to obtain exclusive access to this record or 1 records: "
    assert all(error.startswith(f"UNABLE_TO_LOCK_ROW:{text}") and error.endswith(":--") for error in errors)
    again = sorted((row["AccountId"], row["LastName"]) for row in results(client, job, "failedResults"))
    _, info = run(client, "insert", file("LastName,AccountId", *(f"{name},{parent}" for parent, name in again)))
    assert info["numberRecordsFailed"] == 0
    assert len(client.values("SELECT Id FROM Contact")) == 10


@pytest.mark.parametrize(
    ("body", "symbol"),
    [
        ({"object": "Contact", "operation": "merge"}, "INVALIDOPERATION"),
        ({"object": "Nope", "operation": "insert"}, "INVALIDENTITY"),
        ({"object": "Contact", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Contact", "operation": "upsert", "externalIdFieldName": "Title"}, "INVALIDJOB"),
        ({"object": "Contact", "operation": "insert", "columnDelimiter": "DOT"}, "INVALIDJOB"),
    ],
)
def test_jobs_that_are_refused(client: Client, body: dict[str, str], symbol: str) -> None:
    assert code(client.send("POST", "/jobs/ingest", json=body)) == (400, symbol)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=40),
        min_size=1,
        max_size=8,
    )
)
def test_hostile_texts_come_back_as_they_were_sent(client: Client, texts: list[str]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["LastName", "Description"], *([f"n{place}", text] for place, text in enumerate(texts))])
    job, info = run(client, "insert", out.getvalue().encode())
    assert info["state"] == "JobComplete" and info["numberRecordsFailed"] == 0
    shown = {row["LastName"]: row["Description"] for row in results(client, job, "successfulResults")}
    assert shown == {f"n{place}": text for place, text in enumerate(texts)}
    keys = {row["sf__Id"]: row["LastName"] for row in results(client, job, "successfulResults")}
    listed = ",".join(f"'{key}'" for key in keys)
    for row in client.records(f"SELECT Id, Description FROM Contact WHERE Id IN ({listed})"):
        sent = shown[keys[row["Id"]]]
        assert row["Description"] == (None if sent == "#N/A" else sent.strip() or None)


def test_polymorphic_parents_want_their_type(client: Client, salesforce_door: Door) -> None:
    (lead,) = salesforce_door.seed("Lead", [{"LastName": "L", "Company": "C", "Email": "l@example.com"}])
    job = opened(client, "insert", object="Task")
    content = file("Subject,Lead:Who.Email", "a,l@example.com", "b,none@example.com")
    client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
    close(client, job)
    assert ended(client, job)["numberRecordsFailed"] == 1
    assert client.values("SELECT WhoId FROM Task") == [lead]
    job = opened(client, "insert", object="Task")
    content = file("Subject,Who.Email", "a,l@example.com")
    client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
    close(client, job)
    assert ended(client, job)["errorMessage"].startswith("InvalidBatch : type is needed for polymorphic")


def test_rules_hold_on_the_bulk_road_too(client: Client, salesforce_door: Door) -> None:
    (firm,) = salesforce_door.seed("Account", [{"Name": "A"}])
    rules = {
        "triggers": [{"object": "Contact", "when": "Title = 'X'", "set": {"Title": "Y"}}],
        "validation_rules": [{"object": "Contact", "condition": "Title = 'Bad'", "message": "Not that one"}],
        "row_locks": [{"id": firm, "times": 1}],
    }
    salesforce_door.post("settings", rules)
    job, _ = run(client, "insert", file("LastName,Title,AccountId", "a,X,", "b,Bad,", f"c,,{firm}", f"d,,{firm}"))
    errors = {row["LastName"]: row["sf__Error"] for row in results(client, job, "failedResults")}
    assert errors == {
        "b": "FIELD_CUSTOM_VALIDATION_EXCEPTION:Not that one:--",
        "c": f"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: {firm}:--",
    }
    stored = {row["LastName"]: row["Title"] for row in client.records("SELECT LastName, Title FROM Contact")}
    assert stored == {"a": "Y", "d": None}


def test_a_restart_goes_on_where_the_job_was(tmp_path: Path) -> None:
    running = start(tmp_path, persistent=True)
    try:
        running.salesforce.settings({"bulk_batch_rows": 10, "bulk_batch_seconds": 0.05})
        client = Client(running)
        job = opened(client, "insert")
        content = file("LastName", *(f"n{place:03}" for place in range(200)))
        client.send("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})
        close(client, job)
        while not client.get(f"/jobs/ingest/{job}").json()["numberRecordsProcessed"]:
            time.sleep(0.01)
    finally:
        running.stop()
    running = start(tmp_path, persistent=True)
    try:
        client = Client(running)
        info = ended(client, job)
        assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 200, 0)
        names = sorted(row["LastName"] for row in results(client, job, "successfulResults"))
        assert names == sorted(client.values("SELECT LastName FROM Contact")) and len(set(names)) == 200
    finally:
        running.stop()
