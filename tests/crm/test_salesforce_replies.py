"""Replies lost or refused where it matters: what nothing happened to is not in doubt, and nothing waits in vain."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from requests import exceptions as r

from backhaul.crm import Connector, PartlyWritten, no_progress, open_connector
from backhaul.crm.http import Request
from backhaul.crm.salesforce.journal import Awaited
from backhaul.errors import BackhaulError, CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Change, Extract, Operation, State
from backhaul.simulator import Running
from backhaul.spool import Spool

from ..conftest import Door
from .test_salesforce_contract import QUICK, account_of
from .test_salesforce_ingest import BULK, JOBS, Org, opened
from .test_salesforce_reading import DATA, page, rows
from .test_salesforce_reading import opened as reader
from .test_salesforce_writing import COLLECTIONS, update
from .wire import Answer, Sent, refused


@pytest.fixture
def crm(running: Running, salesforce_door: Door, tmp_path: Path) -> Iterator[Connector]:
    connector = open_connector(account_of(running, state_folder=tmp_path / "state"), policy=QUICK)
    yield connector
    connector.close()


NEW = [Change(f"k{n}", {"LastName": f"P{n}", "Member_Number__c": f"M{n}"}) for n in range(30)]
ERROR = {"body": [{"message": "not now", "errorCode": "SERVER_UNAVAILABLE"}]}
NEVER_BEGUN: dict[str, dict[str, Any]] = {
    "busy": {"status": 503, **ERROR},
    "session": {"status": 401, "body": [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]},
    "forbidden": {"status": 403, "body": [{"message": "no", "errorCode": "INSUFFICIENT_ACCESS"}]},
    "day used up": {
        "status": 403,
        "body": [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    },
    "cut": {"cut_before": True},
}


@pytest.mark.parametrize("fault", NEVER_BEGUN)
def test_a_job_that_never_began_leaves_nothing_in_doubt(crm: Connector, salesforce_door: Door, fault: str) -> None:
    """The closing is refused, and so is the abortion: nothing was written, and all of it is by the next write."""
    salesforce_door.fault(r"/jobs/ingest/750\w+$", method="PATCH", times=0, **NEVER_BEGUN[fault])
    with pytest.raises(BackhaulError) as raised:
        crm.write("Contact", Operation.CREATE, NEW, BULK)
    assert not isinstance(raised.value, OutcomeInDoubt | PartlyWritten), raised.value
    assert salesforce_door.dump("Contact") == []
    salesforce_door.delete("faults")
    assert {one.state for one in crm.write("Contact", Operation.CREATE, NEW, BULK)} == {State.DONE}
    assert len(salesforce_door.dump("Contact")) == len(NEW)
    # The job that was left open is ended before anything else is sent, so that it can never begin.
    jobs = crm._http.json(_get("/jobs/ingest"))["records"]  # type: ignore[attr-defined]
    assert sorted(job["state"] for job in jobs) == ["Aborted", "JobComplete"]


def _get(path: str) -> Request:
    return Request("GET", f"/services/data/v67.0{path}", "look")


@pytest.mark.parametrize("times", [1, 2])
def test_a_closing_that_never_arrived_is_said_again(crm: Connector, salesforce_door: Door, times: int) -> None:
    salesforce_door.fault("/jobs/ingest", method="PATCH", times=times, cut_before=True)
    assert {one.state for one in crm.write("Contact", Operation.CREATE, NEW, BULK)} == {State.DONE}
    assert len(salesforce_door.dump("Contact")) == len(NEW)


def test_a_closing_that_cannot_be_asked_about_is_in_doubt(crm: Connector, salesforce_door: Door) -> None:
    """The one case in which the org may be at work on the rows."""
    salesforce_door.fault("/jobs/ingest", method="PATCH", times=0, drop_reply=True)
    salesforce_door.fault("/jobs/ingest/750", method="GET", times=0, status=503)
    told = crm.write("Contact", Operation.CREATE, NEW, BULK)
    assert {one.state for one in told} == {State.IN_DOUBT}


def test_a_job_that_is_made_without_a_name_is_an_error_in_words() -> None:
    org = Org()
    org.routes[f"POST {JOBS}"] = Answer(body={"state": "Open"})
    crm, _, _ = opened(org)
    with pytest.raises(CRMError, match="did not name it"):
        crm.write("Contact", Operation.UPDATE, [update(0)], BULK)


MADE = [Change(f"k{n}", {"LastName": f"P{n}", "Member__c": f"M{n}"}) for n in range(30)]


def short(org: Org, times: int) -> Callable[[Sent], Answer]:
    """Result files that end before their last row, without a sign of it, the first `times` times."""
    left = [times]

    def look(sent: Sent) -> Answer:
        answer = org.look(sent)
        if sent.path.endswith("successfulResults") and left[0]:
            left[0] -= 1
            assert isinstance(answer.body, str)
            answer.body = "".join(answer.body.splitlines(keepends=True)[:-1])
        return answer

    return look


def test_result_files_that_broke_off_are_read_again() -> None:
    org = Org()
    org.routes[f"GET {JOBS}"] = short(org, 2)
    crm, _, _ = opened(org)
    told = crm.write("Contact", Operation.CREATE, MADE, BULK)
    assert {one.state for one in told} == {State.DONE}
    org = Org()
    org.routes[f"GET {JOBS}"] = short(org, 99)
    crm, _, _ = opened(org)
    told = crm.write("Contact", Operation.CREATE, MADE, BULK)
    assert [one.key for one in told if one.state is State.IN_DOUBT] == ["k0"]
    assert not org.called


def test_a_failed_job_that_worked_on_more_rows_than_it_names_leaves_those_in_doubt() -> None:
    """A new record that the job made without telling must not be made again."""
    org = Org(lambda row: "" if row["Member__c"] != "M3" else None)
    org.ending, org.message = "Failed", "TooManyLockFailure : too many"

    def look(sent: Sent) -> Answer:
        answer = org.look(sent)
        if isinstance(answer.body, dict):
            answer.body["numberRecordsProcessed"] = len(MADE)
        if sent.path.endswith("unprocessedrecords"):
            answer.body = ""
        return answer

    org.routes[f"GET {JOBS}"] = look
    crm, _, _ = opened(org)
    told = crm.write("Contact", Operation.CREATE, MADE, BULK)
    assert [one.key for one in told if one.state is not State.DONE] == ["k3"]
    assert told[3].state is State.IN_DOUBT
    assert not org.called


def test_a_locked_row_whose_second_sending_has_no_reply_is_not_told_as_refused() -> None:
    """It may be written by now: an update is planned anew from what the CRM holds."""
    org = Org(lambda row: "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--" if row["LastName"] == "N1" else "")
    org.routes[f"PATCH {COLLECTIONS}"] = Answer(body=[])
    crm, _, _ = opened(org)
    with pytest.raises(PartlyWritten) as raised:
        crm.write("Contact", Operation.UPDATE, [update(0), update(1)], BULK)
    assert [one.key for one in raised.value.outcomes] == ["k0"]


DAY = ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
CROWD = ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
USED_UP = {"Sforce-Limit-Info": "api-usage=15000/15000"}
QUERY = Extract("Contact", ("Id", "LastName"))


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("words", "headers"), [(DAY, {}), (("REQUEST_LIMIT_EXCEEDED", "Too many."), USED_UP)], ids=["text", "count"]
)
def test_a_days_total_is_not_waited_for(
    tmp_path: Path, status: int, words: tuple[str, str], headers: dict[str, str]
) -> None:
    crm, wire, noted = reader({f"GET {DATA}/query": refused(status, *words, **headers)})
    with pytest.raises(TransientError, match="lasts for hours, so it is not waited for") as raised:
        crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert "24 hours" in raised.value.hint
    assert (noted, len(wire.paths()) > 0) == ([], True)
    assert len([name for name in wire.paths() if name.endswith("/query")]) == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("words", "headers", "wait"),
    [
        (CROWD, {}, 5.0),
        (CROWD, {"Retry-After": "2"}, 2.0),
        (("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded."), {}, 5.0),
        (DAY, {"Retry-After": "3"}, 3.0),
        (("REQUEST_LIMIT_EXCEEDED", "Too many."), {"Sforce-Limit-Info": "api-usage=7/15000"}, None),
        (("REQUEST_LIMIT_EXCEEDED", "Too many."), {"Retry-After": "4"}, 4.0),
    ],
    ids=["crowd", "crowd asks", "long", "day asks", "unclear", "unclear asks"],
)
def test_what_passes_in_seconds_is_waited_for_just_so_long(
    tmp_path: Path, status: int, words: tuple[str, str], headers: dict[str, str], wait: float | None
) -> None:
    crm, _, noted = reader({f"GET {DATA}/query": [refused(status, *words, **headers), page(rows(1))]})
    assert crm.extract(QUERY, Spool(tmp_path), no_progress).rows == 1
    assert noted == [wait] if wait is not None else 0 < noted[0] <= 0.5


def test_a_connection_that_ends_within_tls_is_a_lost_reply_and_no_fault_of_the_configuration(tmp_path: Path) -> None:
    """urllib3 calls a cut in the middle of TLS an SSLError, as it does an untrusted certificate."""
    ended = r.SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol"))
    broken = r.SSLError(ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]"))
    for lost in (ended, broken):
        org = Org()
        org.routes[f"POST {COLLECTIONS}"] = lost
        crm, wire, _ = opened(org)
        with pytest.raises(OutcomeInDoubt):
            crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], {})
        assert wire.paths("POST").count(f"POST {COLLECTIONS}") == 1
    crm, _, _ = reader({f"GET {DATA}/query": [ended, page(rows(1))]})
    assert crm.extract(QUERY, Spool(tmp_path), no_progress).rows == 1


def test_what_several_jobs_tell_of_one_record(tmp_path: Path) -> None:
    """That one made it outweighs that another never came to it; where one is silent it stays in doubt."""
    verdicts = {"made": "", "never": None, "refused": "STRING_TOO_LONG:no:LastName --"}
    org = Org(lambda row: verdicts[row["LastName"]])
    crm, _, _ = opened(org, state_folder=tmp_path)
    journal = crm._ingest._journal
    # By key: what became of it in the first job and in the second.
    fates = {"a": ("never", "made"), "b": ("made", "never"), "c": ("never", "never"), "d": ("never", "refused")}
    for place in (0, 1):
        job = f"750{place + 1:012d}AAA"
        org.state[job] = "Aborted"
        org.jobs.append({})
        org.uploads.append(
            "\n".join(["Member__c,LastName", *(f"M{key},{both[place]}" for key, both in fates.items()), ""]).encode()
        )
        cells = {f"M{key}": key for key in fates} | {"Mlost": "e"}
        journal.begin(job, DATA, "Contact", Awaited("step", "Member__c", cells))

    def look(sent: Sent) -> Answer:
        answer = org.look(sent)
        if isinstance(answer.body, dict) and "000000000002AAA" in sent.path:
            answer.body["numberRecordsProcessed"] = 4
        return answer

    org.routes[f"GET {JOBS}"] = look
    crm, _, _ = opened(org, state_folder=tmp_path)
    assert crm.recall("Contact", "another step", [*fates, "e"]) == []
    told = {one.key: (one.state, one.symbol) for one in crm.recall("Contact", "step", [*fates, "e", "f"])}
    assert told == {
        "a": (State.DONE, ""),
        "b": (State.DONE, ""),
        "c": (State.REJECTED, "NOT_PROCESSED"),
        "d": (State.REJECTED, "STRING_TOO_LONG"),
    }
    assert len(journal.left()) == 2
    assert crm.recall("Contact", "step", []) == []
    assert journal.left() == []
