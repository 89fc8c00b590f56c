"""An export to Dataverse that stops half-way: what it says and keeps; no opt-out and no new record is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from backhaul.simulator import Running
from backhaul.workflow import SilentListener, Workspace

from .conftest import Tried, failed, reads_well
from .test_matrix_dynamics import REQUESTS, refusal

PEOPLE = 75
FILES = {
    "sources/dynamics.yml": """
        account: dynamics
        objects:
          contact: {fields: [lastname, new_membernumber, new_campaignscore, donotbulkemail]}
        """,
    "transforms/seeds/people.yml": """
        seeds: [{name: people, config: {column_types: {score: double, opted_out: boolean}}}]
        """,
    "transforms/seeds/people.csv": "member,name,score,opted_out\n"
    + "".join(f"M{n:02},New {n},{n},{str(n == 3).lower()}\n" for n in range(PEOPLE)),
    "transforms/export/everybody.sql": "select member, name, score, opted_out from {{ ref('people') }}",
    "pipelines/models.yml": "steps:\n  - transform: [everybody, people]\n",
    "pipelines/upsert.yml": """
        steps:
          - import: dynamics.contact
          - export: dynamics.contact
            from: everybody
            mode: upsert
            key: {new_membernumber: member}
            map:
              lastname: name
              new_campaignscore: score
              donotbulkemail: {from: opted_out, only_tighten: true}
            batch: {rows: 15, parallel: 1}
        """,
    "pipelines/create.yml": """
        steps:
          - import: dynamics.contact
          - {export: dynamics.contact, from: everybody, identify: member, batch: {rows: 25, parallel: 2},
             map: {lastname: name, new_membernumber: member}}
        """,
}
BATCH = r"/\$batch"
DESCRIBING = 2
"""So many $batch tell what a contact is, before any is written."""
REFUSALS: dict[str, dict[str, Any]] = {
    "busy": {"status": 503},
    "throttled": REQUESTS,
    "forbidden": refusal(403, "0x80072560", "The user is not a member of the organization."),
    "cut": {"cut_before": True},
    "token": {"status": 401},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    return Tried(tmp_path_factory.mktemp("export"), orgs, "dynamics", FILES)


@pytest.fixture
def tried(project: Tried) -> Tried:
    project.fresh()
    return project


def known(tried: Tried) -> None:
    """The environment holds everybody under an old name."""
    tried.org.seed("contact", [{"lastname": "Old", "new_membernumber": f"M{n:02}"} for n in range(PEOPLE)])
    tried.org.clock.advance(5)


def opted_out(tried: Tried) -> list[str]:
    return [row["new_membernumber"] for row in tried.org.dump("contact") if row["donotbulkemail"]]


def everybody_once(tried: Tried) -> None:
    names = Counter(row["lastname"] for row in tried.org.dump("contact"))
    assert names == Counter(f"New {n}" for n in range(PEOPLE))


@pytest.mark.slow
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_failed_export_says_one_thing_to_do(tried: Tried, fault: str) -> None:
    known(tried)
    tried.fault(BATCH, REFUSALS[fault], skip=DESCRIBING + 1, times=0)
    (step,) = failed(tried.run("upsert"))
    assert "stopped after 15 of 75 rows" in step.message
    assert reads_well(step.message), step.message
    assert step.message.count("next:") == 1, step.message


@pytest.mark.parametrize("skip", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_an_opt_out_is_not_lost_when_the_run_ends_before_it_is_written_by_itself(tried: Tried, skip: int) -> None:
    """The row itself was refused. The run ends in a later batch (1), or at the call that writes the flag alone (5)."""
    known(tried)
    plug_in = {"object": "contact", "messages": ["Update"], "when": {"new_membernumber": "M03"}}
    tried.org.verbs["plugins"]({**plug_in, "columns": ["new_campaignscore"], "refuse": "The score is locked."})
    tried.fault(BATCH, {"status": 503}, skip=DESCRIBING + skip, times=0)
    assert failed(tried.run("upsert"))
    assert opted_out(tried) == []
    tried.org.faults.clear()
    again = tried.run("upsert")
    assert not failed(again), [step.message for step in again.steps]
    assert opted_out(tried) == ["M03"]


@pytest.mark.slow
def test_new_records_are_made_once_although_the_process_was_killed(tried: Tried) -> None:
    """A set is under way when it happens, and the answer of another was not kept."""
    tried.fault("CreateMultiple", {"delay": 0.4}, times=0)
    process = subprocess.Popen(
        [sys.executable, "-m", "backhaul", "run", "create", "--project-dir", str(tried.folder)],
        env={**os.environ, **tried.orgs.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not any("CreateMultiple" in entry["path"] for entry in tried.org.requests.show()["log"]):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # what was under way still happens
    tried.org.faults.clear()
    assert tried.org.dump("contact")
    tried.org.clock.advance(5)
    again = tried.run("create")
    assert not failed(again), [step.message for step in again.steps]
    everybody_once(tried)
    assert not tried.books().get("in_doubt")
    tried.org.clock.advance(5)
    assert tried.run("create").steps[-1].rows == 0


class Impatient(SilentListener):
    """Somebody who presses Ctrl-C when the first batch is told."""

    def progress(self, done: int, total: int) -> None:
        if total == PEOPLE:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_what_was_under_way_when_a_person_stops_it_is_known_all_the_same(tried: Tried) -> None:
    with pytest.raises(KeyboardInterrupt), Workspace(tried.project, Impatient()) as workspace:
        workspace.run("create")
    there = len(tried.org.dump("contact"))
    assert there < PEOPLE
    assert tried.books() == {"done": there}
    tried.org.clock.advance(5)
    assert not failed(tried.run("create"))
    everybody_once(tried)
