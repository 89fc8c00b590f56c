"""An export that stops half-way: what it says, what it keeps, and that no opt-out and no new record is lost by it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

import backhaul.crm.salesforce as upload_road
from backhaul.simulator import Running
from backhaul.workflow import SilentListener, Workspace

from .conftest import Tried, failed, reads_well
from .test_matrix_salesforce import refusal

pytestmark = pytest.mark.slow
"""Each case is a pipeline run or several."""

PEOPLE = 60
FILES = {
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact: {fields: [LastName, Title, Member_Number__c, Email, HasOptedOutOfEmail]}
        """,
    "transforms/seeds/people.yml": """
        seeds: [{name: people, config: {column_types: {opted_out: boolean}}}]
        """,
    # The third's address is none, so that the CRM refuses the row.
    "transforms/seeds/people.csv": "member,name,email,opted_out\n"
    + "".join(f"M{n:02},New {n},p{n}{'' if n == 3 else '@example.com'},{str(n == 3).lower()}\n" for n in range(PEOPLE)),
    "transforms/export/everybody.sql": "select member, name, email, opted_out from {{ ref('people') }}",
    "transforms/export/fine.sql": "select member, name from {{ ref('people') }}",
    "pipelines/models.yml": "steps:\n  - transform: [everybody, fine, people]\n",
    "pipelines/upsert.yml": """
        steps:
          - import: salesforce.Contact
          - export: salesforce.Contact
            from: everybody
            mode: upsert
            key: {Member_Number__c: member}
            map:
              LastName: name
              Email: email
              HasOptedOutOfEmail: {from: opted_out, only_tighten: true}
            batch: {rows: 20, parallel: 1}
        """,
    "pipelines/create.yml": """
        steps:
          - import: salesforce.Contact
          - {export: salesforce.Contact, from: fine, identify: member, batch: {rows: 20, parallel: 2},
             map: {LastName: name}}
        """,
    "transforms/export/invisible.sql": """
        select Id as crm_id, chr(9) || chr(10) || chr(160) || ' ' || chr(12288) as title,
               'line' || chr(10) || chr(9) as name
        from {{ source('salesforce', 'Contact') }}
        qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1
        """,
    "pipelines/invisible.yml": """
        steps:
          - import: salesforce.Contact
          - transform: invisible
          - {export: salesforce.Contact, name: seen, from: invisible, mode: update, key: {Id: crm_id},
             map: {Title: title, LastName: name}}
        """,
    "pipelines/jobs.yml": """
        steps:
          - import: salesforce.Contact
          - {export: salesforce.Contact, name: put, from: fine, identify: member, batch: {rows: 1000},
             map: {LastName: name, Member_Number__c: member}}
        """,
}
WRITES = "/composite/sobjects"
REFUSALS: dict[str, dict[str, Any]] = {
    "busy": {"status": 503},
    "day used up": refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "forbidden": refusal(403, "INSUFFICIENT_ACCESS", "insufficient access rights"),
    "cut": {"cut_before": True},
    "session": refusal(401, "INVALID_SESSION_ID", "Session expired or invalid"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    return Tried(tmp_path_factory.mktemp("export"), orgs, "salesforce", FILES)


@pytest.fixture
def tried(project: Tried) -> Tried:
    project.fresh()
    return project


def known(tried: Tried) -> None:
    """The org holds everybody under an old name."""
    tried.org.seed("Contact", [{"LastName": "Old", "Member_Number__c": f"M{n:02}"} for n in range(PEOPLE)])
    tried.org.clock.advance(5)


def opted_out(tried: Tried) -> list[str]:
    return [row["Member_Number__c"] for row in tried.org.dump("Contact") if row["HasOptedOutOfEmail"]]


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_failed_export_says_one_thing_to_do(tried: Tried, fault: str) -> None:
    known(tried)
    tried.fault(WRITES, REFUSALS[fault], skip=1, times=0)
    (step,) = failed(tried.run("upsert"))
    assert "stopped after 20 of 60 rows" in step.message
    assert reads_well(step.message), step.message
    assert step.message.count("next:") == 1, step.message


@pytest.mark.parametrize("skip", [1, 3])
def test_an_opt_out_is_not_lost_when_the_run_ends_before_it_is_written_by_itself(tried: Tried, skip: int) -> None:
    """The row itself was refused. The run ends in a later batch (1), or at the call that writes the flag alone (3)."""
    known(tried)
    tried.fault(WRITES, {"status": 503}, skip=skip, times=0)
    assert failed(tried.run("upsert"))
    assert opted_out(tried) == []
    tried.org.faults.clear()
    again = tried.run("upsert")
    assert not failed(again), [step.message for step in again.steps]
    assert opted_out(tried) == ["M03"]
    tried.org.clock.advance(5)
    third = tried.run("upsert").steps[-1]
    assert (third.details["batches"], third.details["skipped"]["held"]) == (0, 1)


def test_a_text_of_blanks_empties_nothing_and_blanks_at_an_end_are_written_once(tried: Tried) -> None:
    """The org trims what it saves: a tab alone would be an empty field, and a line's end would never be seen again."""
    tried.org.seed("Contact", [{"LastName": "Old", "Title": "Dr"}])
    tried.org.clock.advance(5)
    assert tried.run("invisible").steps[-1].details["updated"] == 1
    assert [(row["LastName"], row["Title"]) for row in tried.org.dump("Contact")] == [("line", "Dr")]
    tried.org.clock.advance(5)
    assert tried.run("invisible").steps[-1].details["planned"] == {"skip": 1}


def jobs_of(tried: Tried) -> list[str]:
    """The ingest jobs that have begun."""
    begun = re.compile(r"/jobs/ingest/(750\w+)$")
    log = tried.org.requests.show()["log"]
    return [entry["path"] for entry in log if entry["method"] == "PATCH" and begun.search(entry["path"])]


@pytest.mark.parametrize("ending", ["killed", "cannot be asked"])
def test_new_records_of_a_job_are_known_although_nobody_read_its_results(
    tried: Tried, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """The process is killed, or the org cannot be reached any more, while the job is at work."""
    monkeypatch.setattr(upload_road, "BATCH_ROWS", 20)
    if ending == "killed":
        tried.org.settings({"bulk_wait_seconds": 1.0})
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tried.folder)], env={**os.environ, **tried.orgs.environment}
        )
        while not jobs_of(tried):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    else:
        tried.fault(r"/jobs/ingest/750\w+$", {"status": 503}, method="GET", times=0)
        (step,) = failed(tried.run("jobs"))
        assert "60 rows were sent and never answered" in step.message
        tried.org.faults.clear()
    tried.org.clock.advance(5)
    again = tried.run("jobs")
    assert not failed(again), [step.message for step in again.steps]
    assert again.steps[-1].details["recovered"] == {
        "settled": 0,
        "planned_anew": 0,
        "in_doubt": 0,
        "cleared": PEOPLE,
        "rejected": 0,
    }
    assert tried.books() == {"done": PEOPLE}
    assert Counter(row["LastName"] for row in tried.org.dump("Contact")) == Counter(f"New {n}" for n in range(PEOPLE))
    assert len(jobs_of(tried)) == 1
    assert not list((tried.folder / ".backhaul").rglob("750*.json"))
    tried.org.clock.advance(5)
    assert tried.run("jobs").steps[-1].details["skipped"] == {"created before": PEOPLE}


KILLED = """
import sys
from pathlib import Path
import backhaul.crm.salesforce as road
from backhaul.config import load_project
from backhaul.workflow import Workspace
road.BATCH_ROWS = 20
with Workspace(load_project(Path(sys.argv[1]))) as workspace:
    workspace.run("jobs")
"""


class Impatient(SilentListener):
    """Somebody who presses Ctrl-C when the first batch is told."""

    def progress(self, done: int, total: int) -> None:
        if total == PEOPLE:
            raise KeyboardInterrupt


def test_what_was_under_way_when_a_person_stops_it_is_known_all_the_same(tried: Tried) -> None:
    with pytest.raises(KeyboardInterrupt), Workspace(tried.project, Impatient()) as workspace:
        workspace.run("create")
    there = len(tried.org.dump("Contact"))
    assert there < PEOPLE
    assert tried.books() == {"done": there}
    tried.org.clock.advance(5)
    assert not failed(tried.run("create"))
    assert Counter(row["LastName"] for row in tried.org.dump("Contact")) == Counter(f"New {n}" for n in range(PEOPLE))
