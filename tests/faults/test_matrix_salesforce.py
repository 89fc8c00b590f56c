"""Faults x steps x both roads on Salesforce, through whole steps of a project.

After the fault and one further run the tables and the org agree, nothing was made twice, nothing is lost, each row
that was sent is done, rejected or in doubt, and a step that failed says so in words.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from backhaul.crm.salesforce import bulk_query
from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids
from backhaul.workflow import RunResult

from .conftest import Tried, failed, reads_well

PEOPLE = 480
HELD = 260
"""So many of the people are in the org at first."""
GONE = 220
"""So many of those are to be deleted."""
IDS = [ids.make("003", 9_000 + place) for place in range(HELD)]


def files(road: str) -> dict[str, str]:
    """The project: `road` rest writes 100 rows a call, bulk writes a job (of more than 200)."""
    batch = f"batch: {{rows: {100 if road == 'rest' else 1000}}}"
    # A job takes new records only when a unique field tells them apart in its results.
    unique = "" if road == "rest" else ", Member_Number__c: member"
    rows = [(IDS[n] if n < HELD else "", f"M{n}", f"New {n}", n % 90) for n in range(PEOPLE)]
    return {
        "sources/salesforce.yml": f"""
            account: salesforce
            objects:
              Contact: {{road: {road}, fields: [LastName, Member_Number__c, Campaign_Score__c]}}
            """,
        "transforms/seeds/people.yml": "seeds:\n  - name: people\n    config: {column_types: {score: double}}\n",
        "transforms/seeds/people.csv": "crm_id,member,name,score\n"
        + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows),
        "transforms/export/everybody.sql": "select member, name, score from {{ ref('people') }}",
        "transforms/export/known.sql": "select crm_id, name, score from {{ ref('people') }} where crm_id <> ''",
        "transforms/export/gone.sql": (
            f"select crm_id from {{{{ ref('people') }}}} where crm_id <> '' order by crm_id limit {GONE}"
        ),
        "pipelines/models.yml": "steps:\n  - transform: +export\n",
        "pipelines/read.yml": "steps:\n  - import: salesforce.Contact\n",
        "pipelines/look.yml": "steps:\n  - import: salesforce.Contact\n  - import_deleted: salesforce.Contact\n",
        "pipelines/update.yml": f"""
            steps:
              - import: salesforce.Contact
              - {{export: salesforce.Contact, from: known, mode: update, key: {{Id: crm_id}},
                 map: {{LastName: name, Campaign_Score__c: score}}, {batch}}}
            """,
        "pipelines/upsert.yml": f"""
            steps:
              - import: salesforce.Contact
              - {{export: salesforce.Contact, from: everybody, mode: upsert, key: {{Member_Number__c: member}},
                 map: {{LastName: name, Campaign_Score__c: score}}, {batch}}}
            """,
        "pipelines/create.yml": f"""
            steps:
              - import: salesforce.Contact
              - {{export: salesforce.Contact, from: everybody, identify: member, {batch},
                 map: {{LastName: name, Campaign_Score__c: score{unique}}}}}
            """,
        "pipelines/delete.yml": f"""
            steps:
              - import: salesforce.Contact
              - {{delete: salesforce.Contact, from: gone, key: {{Id: crm_id}}, guards: {{max_deletes: 1000}}, {batch}}}
            """,
    }


def refusal(status: int, code: str, message: str, **headers: str) -> dict[str, Any]:
    body = json.dumps([{"message": message, "errorCode": code}])
    return {"status": status, "headers": {"Content-Type": "application/json;charset=UTF-8", **headers}, "body": body}


@dataclass(frozen=True)
class Fault:
    """What happens to `times` requests, or (`settings`) what the org does of itself."""

    action: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    settings: dict[str, Any] = field(default_factory=dict)


PAGE = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>"
FAULTS = {
    "session dies": Fault(refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")),
    "too many at once": Fault(
        refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), 2
    ),
    "asked to wait": Fault({"status": 429, "headers": {"Retry-After": "1"}}, 2),
    "cut in the middle": Fault({"cut_after": 100}),
    "cut before": Fault({"cut_before": True}),
    "reply lost": Fault({"drop_reply": True}),
    "replies lost": Fault({"drop_reply": True}, 50),
    "pages of HTML": Fault({"status": 200, "headers": {"Content-Type": "text/html"}, "body": PAGE}, 50),
    "a job fails at once": Fault(settings={"bulk_failures": [{"jobs": "ingest"}]}),
    "rows not processed": Fault(
        settings={"bulk_failures": [{"jobs": "ingest", "after_rows": 90}], "bulk_batch_rows": 30},
    ),
}
PATHS = {("read", "rest"): "/query", ("read", "bulk"): "/jobs/query"}
"""Which requests a fault meets; of the writing verbs the writing ones."""
CASES = [  # each kind of fault, each verb, both roads
    ("cut before", "create", "bulk"),
    ("replies lost", "upsert", "rest"),
    ("rows not processed", "delete", "bulk"),
    ("session dies", "delete", "rest"),
    ("too many at once", "upsert", "bulk"),
    ("asked to wait", "read", "bulk"),
    ("cut in the middle", "read", "rest"),
    ("reply lost", "create", "rest"),
    ("pages of HTML", "read", "bulk"),
    ("a job fails at once", "update", "bulk"),
]
ALWAYS = 3
"""So many of them run by default; the others with the long tests."""


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> dict[str, Tried]:
    return {road: Tried(tmp_path_factory.mktemp(road), orgs, "salesforce", files(road)) for road in ("rest", "bulk")}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few people make several pages of a job; those of a query are always of 2,000."""
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 600)


def seeded(tried: Tried, verb: str) -> None:
    tried.fresh()
    people = [
        {"Id": one, "LastName": f"Old {n}", "Member_Number__c": None if verb == "create" else f"M{n}"}
        for n, one in enumerate(IDS)
    ]
    if verb == "read":
        people += [{"LastName": f"More, {n}\n"} for n in range(1_900)]
    tried.org.seed("Contact", people)
    tried.org.clock.advance(5)


def live(tried: Tried) -> dict[str, dict[str, Any]]:
    return {row["Id"]: row for row in tried.org.dump("Contact") if not row["IsDeleted"]}


def agree(tried: Tried, verb: str) -> None:
    """After a further look at the org the mirror holds what the org holds."""
    tried.org.clock.advance(5)
    looked = tried.run("look" if verb == "delete" else "read")
    assert looked.state == "done", [step.message for step in looked.steps]
    mirror = tried.rows(
        "SELECT Id, LastName, Campaign_Score__c AS score FROM raw.salesforce__Contact QUALIFY row_number() OVER "
        "(PARTITION BY Id ORDER BY LastModifiedDate DESC NULLS LAST, _backhaul_seen_at DESC) = 1 "
        "AND NOT _backhaul_deleted"
    )
    held = {one: (row["LastName"], row["Campaign_Score__c"] or 0) for one, row in live(tried).items()}
    assert {row["Id"]: (row["LastName"], float(row["score"] or 0)) for row in mirror} == held


def done(tried: Tried, verb: str, books: dict[str, int]) -> None:
    """The org is as the step wants it: nothing twice, nothing lost."""
    now = live(tried)
    names = Counter(row["LastName"] for row in now.values())
    assert not books.get("rejected"), books
    if verb == "update":
        assert names == Counter(f"New {n}" for n in range(HELD))
    elif verb == "upsert":
        assert names == Counter(f"New {n}" for n in range(PEOPLE))
        assert set(IDS) <= set(now)
    elif verb == "delete":
        assert set(now) == set(sorted(IDS)[GONE:])
    elif verb == "create":
        new = {name: times for name, times in names.items() if name.startswith("New ")}
        assert set(new.values()) <= {1}
        # What is not there was told to be in doubt: a person can look it up.
        assert PEOPLE - len(new) <= books.get("in_doubt", 0)


def outcome(tried: Tried, verb: str, first: RunResult) -> None:
    """The faults are over; one further run, and everything is judged."""
    for step in failed(first):
        assert reads_well(step.message), step.message
    tried.org.faults.clear()
    tried.org.clock.advance(5)
    second = tried.run(verb)
    assert not failed(second), [step.message for step in failed(second)]
    if verb != "read":
        done(tried, verb, tried.books())
    agree(tried, verb)


def through(projects: dict[str, Tried], name: str, verb: str, road: str, skip: int) -> int:
    """One case; gives how many requests the fault could have met. The first `skip` of them it lets through."""
    tried, fault = projects[road], FAULTS[name]
    seeded(tried, verb)
    path = PATHS.get((verb, road)) or {"rest": "/composite/sobjects", "bulk": "/jobs/ingest"}[road]
    if fault.settings:
        tried.org.settings(fault.settings)
    if fault.action:
        tried.fault(path, fault.action, skip=skip, times=fault.times)
    first = tried.run(verb)
    met = [one for one in tried.org.requests.show()["log"] if path in one["path"]]
    outcome(tried, verb, first)
    return len(met)


@pytest.mark.parametrize(
    ("name", "verb", "road"),
    [*CASES[:ALWAYS], *(pytest.param(*case, marks=pytest.mark.slow) for case in CASES[ALWAYS:])],
)
def test_after_a_fault_and_one_further_run_all_is_well(
    projects: dict[str, Tried], name: str, verb: str, road: str
) -> None:
    assert through(projects, name, verb, road, 1) > 1
