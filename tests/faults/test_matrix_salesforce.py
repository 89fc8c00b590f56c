"""Faults x verbs x both roads x the request that the fault meets, on Salesforce, through whole steps of a project.

After the fault and one further run the tables and the org agree, nothing was made twice, nothing is lost, each row
that was sent is done, rejected or in doubt (and none in doubt to which surely nothing happened), and a step that failed
says so in words.

Every fault meets reading, writing and deleting; :mod:`.matrix` tells with which verb, by which road and at which of the
run's requests (signing in, describing, asking the clock, the writes, the polls of a job, its result files).
Combinations that make no sense are left out: only jobs fail as jobs (on the REST road there are none), and only ingest
jobs leave rows unprocessed.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backhaul.crm import open_connector
from backhaul.crm.http import Request
from backhaul.crm.salesforce import bulk_query
from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids

from .conftest import QUICK, Tried, failed
from .matrix import HTML, Fault, at_chosen, combinations, got_through, met

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
        **writing(
            "update",
            f"{{export: salesforce.Contact, from: known, mode: update, key: {{Id: crm_id}}, "
            f"map: {{LastName: name, Campaign_Score__c: score}}, {batch}}}",
        ),
        **writing(
            "upsert",
            f"{{export: salesforce.Contact, from: everybody, mode: upsert, "
            f"key: {{Member_Number__c: member}}, map: {{LastName: name, Campaign_Score__c: score}}, {batch}}}",
        ),
        **writing(
            "create",
            f"{{export: salesforce.Contact, from: everybody, identify: member, "
            f"map: {{LastName: name, Campaign_Score__c: score{unique}}}, {batch}}}",
        ),
        **writing(
            "delete",
            f"{{delete: salesforce.Contact, from: gone, key: {{Id: crm_id}}, guards: {{max_deletes: 1000}}, {batch}}}",
        ),
    }


def writing(verb: str, step: str) -> dict[str, str]:
    """The step alone, and behind an import."""
    return {
        f"pipelines/{verb}.yml": f"steps:\n  - import: salesforce.Contact\n  - {step}\n",
        f"pipelines/only_{verb}.yml": f"steps:\n  - {step}\n",
    }


def refusal(status: int, code: str, message: str, **headers: str) -> dict[str, Any]:
    body = json.dumps([{"message": message, "errorCode": code}])
    return {"status": status, "headers": {"Content-Type": "application/json;charset=UTF-8", **headers}, "body": body}


def job(**failure: Any) -> Fault:
    """A job that fails: of queries when reading, of rows when writing."""
    settings = {"bulk_failures": [failure], "bulk_batch_rows": 30}
    return Fault(settings=settings, roads=("bulk",), verbs=WRITING if "after_rows" in failure else VERBS)


ROADS = ("rest", "bulk")
VERBS = ("read", "create", "update", "upsert", "delete")
WRITING = VERBS[1:]
DEAD = refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
FAULTS = {
    "session dies": Fault(DEAD),
    "session stays dead": Fault(DEAD, 0),
    "day used up": Fault(refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), 0),
    "too many at once": Fault(
        refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), 2
    ),
    "asked to wait": Fault({"status": 429, "headers": {"Retry-After": "1"}}, 2),
    "busy": Fault({"status": 503}, 2),
    "busy for long": Fault({"status": 503}, 0),
    "slow": Fault({"delay": 0.1}, 3),
    "slower than the time-out": Fault({"delay": 0.5}, unsure=True),
    "cut in the middle": Fault({"cut_after": 100}, unsure=True),
    "cut in the middle for long": Fault({"cut_after": 100}, 0, unsure=True),
    "cut before": Fault({"cut_before": True}, unsure=True),
    "cut before for long": Fault({"cut_before": True}, 0, unsure=True),
    "reply lost": Fault({"drop_reply": True}, unsure=True),
    "replies lost": Fault({"drop_reply": True}, 0, unsure=True),
    "page of HTML": Fault(HTML, unsure=True),
    "pages of HTML": Fault(HTML, 0, unsure=True),
    "job fails at once": job(),
    "job fails half-way": job(after_rows=90, message="TooManyLockFailure : too many locks"),
    "rows not processed": job(after_rows=90),
    "job is aborted by somebody": Fault(settings={"bulk_wait_seconds": 5.0}, roads=("bulk",), verbs=WRITING),
}
FAULTS = {name: replace(fault, path="/services/") for name, fault in FAULTS.items()}
CASES = combinations(FAULTS, (("read",), ("create", "update", "upsert"), ("delete",)), lambda _: ROADS)
ALWAYS = ("rows not processed", "delete", "bulk", 0)
"""What the default run tries; the fault lets so many requests pass."""
MORE = [  # with those some of each kind of fault, each verb, both roads
    ("cut before", "create", "bulk", 5),
    ("replies lost", "upsert", "rest", 4),
    ("cut in the middle", "read", "rest", 4),
    ("session dies", "delete", "rest", 5),
    ("day used up", "upsert", "bulk", 7),
    ("page of HTML", "read", "bulk", 6),
    ("job fails at once", "update", "bulk", 0),
]


class Projects(dict[str, Tried]):
    """The projects by road, made when first asked for; what writing verbs find in the org is imported once and kept."""

    def __init__(self, make: Callable[[str], Tried]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, road: str) -> Tried:
        tried = self[road] = self._make(road)
        for verb in ("create", "update"):
            seeded(tried, verb)
            assert tried.run("read").state == "done"
            tried.keep(kept_for(verb))
        return tried


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Projects:
    return Projects(lambda road: Tried(tmp_path_factory.mktemp(road), orgs, "salesforce", files(road)))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few people make several pages of a job; those of a query are always of 2,000."""
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 600)


def kept_for(verb: str) -> str:
    return "" if verb == "read" else "unnamed" if verb == "create" else "known"


LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


def seeded(tried: Tried, verb: str, kept: str = "") -> None:
    tried.fresh(kept)
    people = [
        {"Id": one, "LastName": f"Old {n}", "Member_Number__c": None if verb == "create" else f"M{n}"}
        for n, one in enumerate(IDS)
    ]
    if verb == "read":
        people += [{"LastName": f"More, {n}\n"} for n in range(1_900)]
    tried.org.seed("Contact", people, modified_at=LONG_AGO)


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


def done(tried: Tried, verb: str, books: dict[str, int], unsure: bool) -> None:
    """The org is as the step wants it: nothing twice, nothing lost, nothing in doubt that is not."""
    now = live(tried)
    names = Counter(row["LastName"] for row in now.values())
    assert not books.get("rejected"), books
    assert unsure or not books.get("in_doubt"), books
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


def through(projects: Projects, name: str, verb: str, road: str, skip: int) -> None:
    """One case. The fault lets the first `skip` requests of the run pass."""
    tried, fault = projects[road], FAULTS[name]
    seeded(tried, verb, kept_for(verb))
    stopping = contextlib.closing(Stopper(tried)) if "bulk_wait_seconds" in fault.settings else None
    first = verb if verb == "read" else f"only_{verb}"
    met(tried, fault, lambda: tried.run(first), skip=skip, meanwhile=stopping)
    got_through(tried.run(verb))
    if verb != "read":
        # A job can be asked later what it made; a call without a reply cannot.
        done(tried, verb, tried.books(), fault.unsure and road == "rest")
    agree(tried, verb)


class Stopper(threading.Thread):
    """Somebody who aborts the first ingest job that has begun, as the org's Setup lets him; until `close`."""

    def __init__(self, tried: Tried) -> None:
        super().__init__(daemon=True)
        self._tried = tried
        self.start()

    def close(self) -> None:
        self.join()
        self._tried.org.settings({"bulk_wait_seconds": 0.0})

    def run(self) -> None:
        for _ in range(400):
            time.sleep(0.01)
            for entry in self._tried.org.requests.show()["log"]:
                found = re.search(r"/jobs/ingest/(750\w+)$", entry["path"])
                if found and entry["method"] == "PATCH" and entry["status"] == 200:
                    self._abort(found[0])
                    return

    def _abort(self, path: str) -> None:
        crm = open_connector(self._tried.project.profile.accounts["salesforce"], policy=QUICK)
        http = crm._http  # type: ignore[attr-defined]
        http.send(Request("PATCH", f"/services/data/v67.0{path}", "abort", json={"state": "Aborted"}))
        crm.close()


_requests: dict[tuple[str, str], int] = {}


def requests_of(projects: Projects, verb: str, road: str) -> int:
    """How many requests an undisturbed run makes."""
    if (verb, road) not in _requests:
        tried = projects[road]
        seeded(tried, verb, kept_for(verb))
        assert not failed(tried.run(verb if verb == "read" else f"only_{verb}"))
        _requests[verb, road] = len(tried.org.requests.show()["log"])
    return _requests[verb, road]


@pytest.mark.parametrize(
    ("name", "verb", "road", "skip"), [ALWAYS, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE)]
)
def test_after_a_fault_and_one_further_run_all_is_well(
    projects: Projects, name: str, verb: str, road: str, skip: int
) -> None:
    through(projects, name, verb, road, skip)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "verb", "road"), CASES)
def test_every_fault_at_any_request_of_every_verb(projects: Projects, name: str, verb: str, road: str) -> None:
    many = requests_of(projects, verb, road) if FAULTS[name].action else 1
    at_chosen(f"{name} {verb} {road}", many, lambda skip: through(projects, name, verb, road, skip))
