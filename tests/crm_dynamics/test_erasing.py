"""Bulk delete jobs: begun, waited for, and then proved row by row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backhaul.crm.dynamics import erasing
from backhaul.errors import OutcomeInDoubt
from backhaul.record import Change, Operation, State
from tests.crm.wire import Answer, Sent

from .environment import ROOT, error, guid
from .table import Contacts

JOB = "00000000-0000-0000-0000-00000000abcd"
ROWS = 1_200


class Jobs:
    """§5.6: a job deletes what its queries find, after some looks at it; `stuck` rows it leaves."""

    def __init__(self, stuck: set[str] | None = None, looks: int = 3) -> None:
        self.table = Contacts()
        self.table.rows = {guid(n): {"lastname": f"N{n}"} for n in range(ROWS)}
        self.stuck = stuck or set()
        self.looks = looks
        self.bodies: list[dict[str, Any]] = []
        self.ended = {"statecode": 3, "statuscode": 30}
        self.called_off: list[Any] = []

    def begin(self, sent: Sent) -> Answer:
        self.bodies.append(json.loads(sent.body))
        return Answer(200, {"JobId": JOB})

    def look(self, sent: Sent) -> Answer:
        self.looks -= 1
        if self.looks > 0:
            return Answer(200, {"statecode": 0, "statuscode": 20})
        for query in self.bodies[-1]["QuerySet"]:
            (condition,) = query["Criteria"]["Conditions"]
            assert (query["EntityName"], condition["AttributeName"], condition["Operator"]) == (
                "contact",
                "contactid",
                "In",
            )
            for value in condition["Values"]:
                assert value["Type"] == "System.Guid"
                if value["Value"] not in self.stuck:
                    self.table.rows.pop(value["Value"], None)
        return Answer(200, self.ended)

    def call_off(self, sent: Sent) -> Answer:
        self.called_off.append(json.loads(sent.body))
        return Answer(204)

    def connect(self, **routes: Any) -> Any:
        job = f"{ROOT}asyncoperations({JOB})"
        given: dict[str, Any] = {
            f"POST {ROOT}BulkDelete": self.begin,
            f"GET {job}": self.look,
            f"PATCH {job}": self.call_off,
        }
        return self.table.connect({**given, **routes})


CHANGES = [Change(f"k{n}", {}, guid(n)) for n in range(ROWS)]


def test_a_job_is_waited_for_and_what_is_gone_is_done() -> None:
    jobs = Jobs()
    crm, _, pauses = jobs.connect()
    outcomes = crm.write("contact", Operation.DELETE, CHANGES, {})
    assert {outcome.state for outcome in outcomes} == {State.DONE} and jobs.table.rows == {}
    assert [outcome.key for outcome in outcomes] == [change.key for change in CHANGES]
    assert pauses == [2.0, 3.0] and jobs.table.singles == 0
    (body,) = jobs.bodies
    assert [len(query["Criteria"]["Conditions"][0]["Values"]) for query in body["QuerySet"]] == [500, 500, 200]
    assert body["StartDateTime"].endswith("Z") and body["JobName"] == "backhaul: delete 1200 of contact"


@pytest.mark.parametrize("statuscode", [30, 31, 32])
def test_what_a_job_leaves_is_deleted_row_by_row_with_its_reason(statuscode: int) -> None:
    stuck = {guid(5), guid(700)}
    jobs = Jobs(stuck)
    jobs.ended = {"statecode": 3, "statuscode": statuscode}
    crm, _, _ = jobs.connect()
    plain = jobs.table._single

    def refusing(method: str, url: str, headers: dict[str, str], values: dict[str, Any]) -> Any:
        if guid(5) in url:
            from .table import Refused

            raise Refused(400, "0x80040227", "The object cannot be deleted because it is associated.")
        return plain(method, url, headers, values)

    jobs.table._single = refusing  # type: ignore[method-assign]
    outcomes = crm.write("contact", Operation.DELETE, CHANGES, {})
    refused = [(outcome.key, outcome.symbol) for outcome in outcomes if outcome.state is not State.DONE]
    assert refused == [("k5", "0x80040227")] and jobs.table.singles == 2 and set(jobs.table.rows) == {guid(5)}


def test_without_the_right_to_jobs_rows_go_by_batch() -> None:
    jobs = Jobs()
    crm, _, _ = jobs.connect(
        **{f"POST {ROOT}BulkDelete": error(403, "0x80040220", "is missing prvBulkDelete privilege")}
    )
    outcomes = crm.write("contact", Operation.DELETE, CHANGES, {})
    assert {outcome.state for outcome in outcomes} == {State.DONE} and jobs.table.singles == ROWS


def test_a_job_that_does_not_end_leaves_its_rows_in_doubt() -> None:
    jobs = Jobs(looks=10**9)
    crm, _, pauses = jobs.connect()
    with pytest.raises(OutcomeInDoubt, match=f"the bulk delete job {JOB} of account 'dynamics' is not done after"):
        crm.write("contact", Operation.DELETE, CHANGES, {})
    assert sum(pauses) >= erasing.PATIENCE and max(pauses) == erasing.LONGEST_PAUSE


def test_an_interrupted_job_is_called_off() -> None:
    jobs = Jobs(looks=10**9)
    crm, _, _ = jobs.connect()
    crm.write("contact", Operation.DELETE, CHANGES[:1], {})
    crm.interrupt()
    with pytest.raises(OutcomeInDoubt, match="was called off"):
        crm.write("contact", Operation.DELETE, CHANGES, {})
    assert jobs.called_off == [{"statecode": 3, "statuscode": 32}]


def test_only_large_plans_of_plain_deletes_go_by_jobs() -> None:
    crm, _, _ = Jobs().connect()
    assert crm.write_size(Operation.DELETE, 9_999, {}) == 1_000
    assert crm.write_size(Operation.DELETE, 10_000, {}) == 10_000
    assert crm.write_size(Operation.UPDATE, 10**9, {}) == 1_000
    # A job runs as the environment's own service, with all its logic and with no version in mind.
    for options in ({"bypass": "flows"}, {"run_as": guid(1)}, {"if_unchanged": True}, {"road": "batch"}):
        assert crm.write_size(Operation.DELETE, 10**6, options) == 1_000
