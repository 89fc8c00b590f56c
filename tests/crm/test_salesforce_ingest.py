"""Writing by Bulk API 2.0 ingest: files from the mapping, results by key, and nothing lost when a job goes wrong."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import exceptions as r

from backhaul.crm import PartlyWritten
from backhaul.crm.salesforce import SalesforceConnector, upload
from backhaul.crm.salesforce.journal import Journal
from backhaul.errors import ConfigurationError, CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Change, Operation, State
from tests.examples import examples

from .test_salesforce_writing import COLLECTIONS, DESCRIBE, IDS, SCHEMA, update
from .wire import Answer, Reaction, Sent, Wire, account, refused, token, waits

JOBS = "/services/data/v67.0/jobs/ingest"
BULK = {"road": "bulk"}
LOCKED = "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: {}:--"


class Org:
    """A hand-written org that takes jobs. `verdict` gives a row's error, "" for none, None when it is not processed."""

    def __init__(self, verdict: Callable[[dict[str, str]], str | None] = lambda row: "") -> None:
        self.verdict = verdict
        self.uploads: list[bytes] = []
        self.jobs: list[dict[str, Any]] = []
        self.state: dict[str, str] = {}
        self.ending = "JobComplete"
        self.message = ""
        self.busy = 0
        self.routes: dict[str, Reaction | list[Reaction]] = {
            f"POST {JOBS}": self.create,
            f"PUT {JOBS}": self.fill,
            f"PATCH {JOBS}": self.change,
            f"GET {JOBS}": self.look,
            f"PATCH {COLLECTIONS}": self.collections,
            f"POST {COLLECTIONS}": self.collections,
        }
        self.called: list[dict[str, Any]] = []

    def create(self, sent: Sent) -> Answer:
        self.jobs.append(sent.json)
        job = f"750{len(self.jobs):012d}AAA"
        self.state[job] = "Open"
        self.uploads.append(b"")
        return Answer(body={"id": job, "state": "Open"})

    def fill(self, sent: Sent) -> Answer:
        self.uploads[int(sent.path.split("/")[6][3:15]) - 1] = sent.body
        return Answer(201)

    def change(self, sent: Sent) -> Answer:
        job = sent.path.split("/")[-1]
        self.state[job] = sent.json["state"]
        return Answer(body={"id": job, "state": self.state[job]})

    def look(self, sent: Sent) -> Answer:
        job = sent.path.split("/")[6]
        if sent.path.endswith(job):
            state = self.state[job]
            if state == "UploadComplete":
                if self.busy:
                    self.busy -= 1
                    state = "InProgress"
                else:
                    state = self.ending
            return Answer(body={"id": job, "state": state, "errorMessage": self.message})
        return Answer(body=self.results(int(job[3:15]) - 1, sent.path.rsplit("/", 1)[-1]))

    def rows(self, number: int) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.uploads[number].decode(), newline="")))

    def results(self, number: int, which: str) -> str:
        rows = self.rows(number)
        told = [(row, self.verdict(row)) for row in rows]
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        columns = list(rows[0])
        # Rows come back in another order than they went.
        lines = [(columns, "header"), *((list(row.values()), error) for row, error in reversed(told))]
        for values, error in lines:
            header = error == "header"
            if which == "successfulResults" and (header or error == ""):
                writer.writerow(["sf__Id", "sf__Created", *values] if header else [values[0], "false", *values])
            elif which == "failedResults" and (header or error):
                writer.writerow(["sf__Id", "sf__Error", *values] if header else ["", error, *values])
            elif which == "unprocessedrecords" and (header or error is None):
                writer.writerow(values)
        return out.getvalue()

    def collections(self, sent: Sent) -> Answer:
        rows = sent.json["records"]
        self.called += rows
        return Answer(
            body=[{"id": row.get("id", IDS[0]), "success": True, "errors": [], "created": True} for row in rows]
        )


def opened(org: Org, **changes: Any) -> tuple[SalesforceConnector, Wire, list[float]]:
    describe = {"GET /services/data/v67.0/sobjects/Contact/describe": Answer(body=DESCRIBE)}
    wire = Wire({"POST /services/oauth2/token": token(), **describe, **org.routes})
    policy, noted = waits()
    return SalesforceConnector(account(**changes), transport=wire, policy=policy), wire, noted


def test_many_rows_go_by_a_job_and_are_matched_by_their_id() -> None:
    org = Org(lambda row: "STRING_TOO_LONG:Last Name: too long:LastName --" if row["LastName"] == "N7" else "")
    crm, _, _ = opened(org)
    assert crm.write_size(Operation.UPDATE, 1_999, {}) == 200
    assert crm.write_size(Operation.UPDATE, 2_000, {}) == 30_000
    outcomes = crm.write("Contact", Operation.UPDATE, [update(number) for number in range(250)], {})
    assert [outcome.key for outcome in outcomes] == [f"k{number}" for number in range(250)]
    assert [outcome.record_id for outcome in outcomes] == IDS[:250]
    (bad,) = [outcome for outcome in outcomes if outcome.state is State.REJECTED]
    assert (bad.key, bad.symbol, bad.message, bad.fields) == (
        "k7",
        "STRING_TOO_LONG",
        "Last Name: too long",
        ("LastName",),
    )
    assert org.jobs == [
        {
            "object": "Contact",
            "operation": "update",
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
    ]
    assert not org.called


def test_the_header_holds_what_any_row_maps_and_absent_is_not_null() -> None:
    org = Org()
    crm, _, _ = opened(org)
    changes = [update(0, LastName="A"), update(1, Score__c=Decimal("1.50"), Birthdate=None), update(2, Opted=False)]
    crm.write("Contact", Operation.UPDATE, changes, BULK)
    assert org.uploads[0].decode().splitlines() == [
        "Id,LastName,Score__c,Birthdate,Opted",
        f"{IDS[0]},A,,,",
        f"{IDS[1]},,1.5,#N/A,",
        f"{IDS[2]},,,,false",
    ]


def test_what_a_csv_cannot_carry_goes_by_collections() -> None:
    org = Org()
    crm, _, _ = opened(org)
    hostile = ["#N/A", " #n/a ", "a\rb", "nul\0", "x" * 131_073]
    changes = [update(number, LastName=text) for number, text in enumerate(["plain", 'q"uote,\nline', *hostile])]
    outcomes = crm.write("Contact", Operation.UPDATE, changes, BULK)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert [row["LastName"] for row in org.rows(0)] == ["plain", 'q"uote,\nline']
    assert [row["LastName"] for row in org.called] == hostile


def test_upserts_and_creates_need_a_key_to_be_matched_by() -> None:
    org = Org()
    crm, _, _ = opened(org)
    changes = [Change(f"k{n}", {"LastName": "L"}, match={"Member__c": f"M{n}"}) for n in range(3)]
    changes.append(Change("twin", {"LastName": "L"}, match={"Member__c": "m1 "}))
    assert len(crm.write("Contact", Operation.UPSERT, changes, BULK)) == 4
    assert (org.jobs[0]["operation"], org.jobs[0]["externalIdFieldName"]) == ("upsert", "Member__c")
    assert len(org.rows(0)) == 3
    assert [row["Member__c"] for row in org.called] == ["m1 "]
    crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A", "Member__c": "7"})], BULK)
    assert org.jobs[1]["operation"] == "insert"
    crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A"})], BULK)
    assert len(org.jobs) == 2


def test_deletes_hold_ids_only_and_hard_ones_go_past_the_bin() -> None:
    org = Org(lambda row: "ENTITY_IS_DELETED:entity is deleted:--" if row["Id"] == IDS[1] else "")
    crm, _, _ = opened(org)
    outcomes = crm.write("Contact", Operation.DELETE, [update(0), update(1)], {"hard_delete": True})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.DONE]
    assert org.jobs[0]["operation"] == "hardDelete"
    assert org.uploads[0].decode().splitlines() == ["Id", IDS[0], IDS[1]]


def test_locked_rows_are_sent_again_grouped_by_the_record_that_is_locked() -> None:
    parents = ["001000000000001AAA", "001000000000002AAA"]
    org = Org(lambda row: LOCKED.format(parents[int(row["LastName"][1:]) % 2]))
    crm, _, noted = opened(org)
    outcomes = crm.write("Contact", Operation.UPDATE, [update(number) for number in range(6)], BULK)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert [row["LastName"] for row in org.called] == ["N0", "N2", "N4", "N1", "N3", "N5"]
    assert noted


def test_rows_that_a_failed_job_never_came_to_are_sent_again() -> None:
    tried: list[str] = []

    def verdict(row: dict[str, str]) -> str | None:
        return "" if row["LastName"] in ("N0", "N1") else None

    org = Org(verdict)
    org.ending, org.message = "Failed", "TooManyLockFailure : too many"
    crm, _, _ = opened(org)
    outcomes = crm.write("Contact", Operation.UPDATE, [update(number) for number in range(5)], BULK)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert [row["LastName"] for row in org.called] == ["N2", "N3", "N4"]
    assert not tried


def test_rows_that_never_get_a_turn_are_not_counted_as_sent() -> None:
    org = Org(lambda row: "" if row["LastName"] == "N0" else None)
    org.ending = "Aborted"
    crm, _, _ = opened(org)
    with pytest.raises(PartlyWritten, match=r"2 rows were not written: .*aborted the job") as raised:
        crm.write("Contact", Operation.UPDATE, [update(number) for number in range(3)], BULK)
    assert [outcome.key for outcome in raised.value.outcomes] == ["k0"]
    assert not org.called


def test_a_job_refused_for_its_columns_is_an_error_that_names_them() -> None:
    org = Org(lambda row: None)
    org.ending, org.message = "Failed", "InvalidBatch : Field name not found : Score__c"
    crm, _, _ = opened(org)
    with pytest.raises(CRMError, match="Field name not found : Score__c") as raised:
        crm.write("Contact", Operation.UPDATE, [update(0)], BULK)
    assert raised.value.symbol == "InvalidBatch"
    assert len(org.jobs) == 1


def test_an_object_that_bulk_does_not_take_goes_by_collections() -> None:
    org = Org()
    org.routes[f"POST {JOBS}"] = refused(400, "INVALIDENTITY", "Entity 'Contact' is not supported by the Bulk API.")
    crm, _, _ = opened(org)
    assert crm.write("Contact", Operation.UPDATE, [update(0)], BULK)[0].state is State.DONE
    assert len(org.called) == 1


def test_a_lost_reply_to_an_upload_gets_a_new_job_and_leaves_nothing_in_doubt() -> None:
    org = Org()
    org.routes[f"PUT {JOBS}"] = [r.ConnectionError("reset"), org.fill]
    crm, _, _ = opened(org)
    (outcome,) = crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A", "Member__c": "7"})], BULK)
    assert outcome.state is State.DONE
    assert list(org.state.values()) == ["Aborted", "UploadComplete"]
    org.routes[f"PUT {JOBS}"] = r.ConnectionError("reset")
    crm, _, _ = opened(org)
    with pytest.raises(TransientError, match="nothing was written") as raised:
        crm.write("Contact", Operation.CREATE, [Change("a", {"LastName": "A", "Member__c": "7"})], BULK)
    assert not isinstance(raised.value, OutcomeInDoubt)


def test_a_lost_reply_to_the_closing_is_asked_about() -> None:
    org = Org()
    lost = [r.ConnectionError("reset")]

    def change(sent: Sent) -> Answer | Exception:
        answer = org.change(sent)
        if lost:
            return lost.pop()
        return (
            refused(400, "INVALIDJOBSTATE", "the job is closed") if sent.json["state"] == "UploadComplete" else answer
        )

    org.routes[f"PATCH {JOBS}"] = change
    crm, _, _ = opened(org)
    assert crm.write("Contact", Operation.UPDATE, [update(0)], BULK)[0].state is State.DONE


def test_a_job_that_cannot_be_asked_about_leaves_its_rows_in_doubt_and_is_waited_for(tmp_path: Path) -> None:
    org = Org()
    crm, wire, _ = opened(org, state_folder=tmp_path)
    wire.routes[f"GET {JOBS}"] = [refused(503, "SERVER_UNAVAILABLE")]
    change = Change("a", {"LastName": "A", "Member__c": "7"})
    with pytest.raises(OutcomeInDoubt, match="could not be asked what became of it"):
        crm.write("Contact", Operation.UPDATE, [update(0)], BULK)
    # Nothing is sent while it cannot be asked.
    with pytest.raises(TransientError, match="of an earlier run") as raised:
        crm.write("Contact", Operation.CREATE, [change], BULK)
    assert not isinstance(raised.value, OutcomeInDoubt)
    # A create has an outcome of its own, so that the rows of other jobs beside it can be told apart.
    other, wire, _ = opened(Org())
    wire.routes[f"GET {JOBS}"] = [refused(503, "SERVER_UNAVAILABLE")]
    (outcome,) = other.write("Contact", Operation.CREATE, [change], BULK)
    assert outcome.state is State.IN_DOUBT
    left = list((tmp_path / "jobs").rglob("750*.json"))
    assert left
    org.busy = 2
    crm, wire, _ = opened(org, state_folder=tmp_path)
    crm.write("Contact", Operation.UPDATE, [update(0)], BULK)
    first = next(number for number, name in enumerate(wire.paths()) if name == f"POST {JOBS}")
    assert f"GET {JOBS}/{left[0].stem}" in wire.paths()[:first]
    assert not list((tmp_path / "jobs").rglob("750*.json"))


def test_an_interrupted_write_aborts_its_job_and_tells_what_was_done() -> None:
    org = Org(lambda row: "" if row["LastName"] == "N0" else None)
    org.busy = 3
    crm, _, _ = opened(org)
    policy = crm._http.policy
    object.__setattr__(policy, "sleep", lambda seconds: crm.interrupt())
    with pytest.raises(PartlyWritten, match="interrupted") as raised:
        crm.write("Contact", Operation.UPDATE, [update(0), update(1)], BULK)
    assert [outcome.key for outcome in raised.value.outcomes] == ["k0"]
    assert list(org.state.values()) == ["Aborted"]


class Slow(Org):
    """Its jobs are at work until `filled` of them have been filled."""

    def __init__(self, filled: int) -> None:
        super().__init__()
        self.filled = filled
        self.crowd = 0

    def change(self, sent: Sent) -> Answer:
        answer = super().change(sent)
        self.crowd = max(self.crowd, list(self.state.values()).count("UploadComplete"))
        return answer

    def look(self, sent: Sent) -> Answer:
        job = sent.path.split("/")[6]
        if self.state[job] == "UploadComplete":
            sleep(0.001)
            if sum(map(bool, self.uploads)) < self.filled:
                return Answer(body={"id": job, "state": "InProgress"})
            self.state[job] = "JobComplete"
        return super().look(sent)


def test_two_jobs_are_at_work_and_a_third_is_filled_meanwhile() -> None:
    org = Slow(filled=3)
    crm, _, _ = opened(org)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(crm.write, "Contact", Operation.UPDATE, [update(one)], BULK) for one in range(4)]
    assert [one.result()[0].key for one in running] == ["k0", "k1", "k2", "k3"]
    assert org.crowd == 2
    assert set(org.state.values()) == {"JobComplete"}


def test_a_job_that_waits_for_its_turn_is_aborted_unused_on_an_interrupt(tmp_path: Path) -> None:
    org = Slow(filled=4)  # never: they work until they are aborted
    org.verdict = lambda row: None
    crm, wire, _ = opened(org, state_folder=tmp_path)
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(crm.write, "Contact", Operation.UPDATE, [update(one)], BULK) for one in range(3)]
        while not (len(org.uploads) == 3 and all(org.uploads) and org.crowd == 2):
            sleep(0.001)
        crm.interrupt()
        wait(running)
    told = [one.exception() for one in running]
    assert all(isinstance(one, PartlyWritten) and not one.outcomes and "interrupted" in one.message for one in told)
    assert set(org.state.values()) == {"Aborted"}
    # The results of the two that had begun were asked for; the third had none.
    assert len([path for path in wire.paths() if path.endswith("successfulResults")]) == 2
    assert not list((tmp_path / "jobs").rglob("750*.json"))


def test_a_job_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin("750a", "/services/data/v67.0", "Contact")
    assert [begun.job for begun in journal.left()] == ["750a"]
    path = tmp_path / "750a.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": os.getppid()}))
    assert journal.left() == []
    (tmp_path / "750b.json").write_text("{half")
    assert journal.left() == []


def test_uploads_stay_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MOST_BYTES", 2_000)
    org = Org()
    crm, _, _ = opened(org)
    assert len(crm.write("Contact", Operation.UPDATE, [update(number) for number in range(200)], BULK)) == 200
    assert len(org.jobs) > 2
    assert max(map(len, org.uploads)) <= 2_000


def test_options_that_only_calls_have_keep_to_calls() -> None:
    crm, _, _ = opened(Org())
    assert crm.write_size(Operation.UPDATE, 10_000, {"duplicate_rules": "override"}) == 200
    assert crm.write_size(Operation.UPDATE, 10_000, {"all_or_none": True}) == 200
    assert crm.write_size(Operation.UPDATE, 10_000, {"assignment_rules": "01Q000000000001AAA"}) == 30_000
    with pytest.raises(ConfigurationError):
        crm.write_size(Operation.UPDATE, 1, {"assignment_rules": "nobody"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CODE:a: b:c:X,Y --", ("CODE", "a: b:c", ("X", "Y"))),
        ("UNABLE_TO_LOCK_ROW:unable: 001:--", ("UNABLE_TO_LOCK_ROW", "unable: 001", ())),
        ("ODD", ("ODD", "", ())),
        ("", ("UNKNOWN", "", ())),
    ],
)
def test_a_rows_error_is_split_at_the_first_and_the_last_colon(text: str, told: tuple[Any, ...]) -> None:
    assert upload.row_error(text) == told


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.text(), st.sampled_from(["#N/A", "", "NA", "null", "007", "a\nb", 'x"y'])), max_size=8
    )
)
def test_a_file_reads_back_as_the_texts_or_they_are_set_aside(texts: list[str | None]) -> None:
    changes = [Change(f"k{n}", {"LastName": text}, record_id=IDS[n]) for n, text in enumerate(texts)]
    aside: list[Change] = []
    found: dict[str, str] = {}
    for file in upload.files(SCHEMA, Operation.UPDATE, "Id", changes, aside):
        text = file.opened().read().decode()
        found |= {row["Id"]: row["LastName"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert len(found) + len(aside) == len(changes)
    for change in changes:
        if change not in aside:
            value = change.values["LastName"]
            assert found[str(change.record_id)] == (value if value not in (None, "") else "#N/A")


def test_relationships_by_external_id() -> None:
    reference = {"name": "AccountId", "type": "reference", "relationshipName": "Account", "referenceTo": ["Account"]}
    fields: Any = DESCRIBE["fields"]
    body = {**DESCRIBE, "fields": [*fields, reference]}
    org = Org()
    crm, wire, _ = opened(org)
    wire.routes["GET /services/data/v67.0/sobjects/Contact/describe"] = [Answer(body=body)]
    key = {"name": "Number__c", "type": "string", "externalId": True}
    wire.routes["GET /services/data/v67.0/sobjects/Account/describe"] = [
        Answer(body={"name": "Account", "fields": [key]})
    ]
    changes = [update(0, **{"Account.Number__c": "A1"}), update(1, **{"Account.Number__c": None})]
    crm.write("Contact", Operation.UPDATE, changes, {})
    assert [(row.get("Account"), row.get("AccountId", "absent")) for row in org.called] == [
        ({"Number__c": "A1"}, "absent"),
        (None, None),
    ]
    crm.write("Contact", Operation.UPDATE, changes, BULK)
    assert org.uploads[0].decode().splitlines() == ["Id,Account.Number__c", f"{IDS[1]},#N/A", f"{IDS[0]},A1"]
