"""Exports killed at write boundaries, on both CRMs, by every verb and both roads: nothing lost, nothing twice.

A child process runs a pipeline and is killed (SIGKILL) at one boundary: before or after a writing request, a line of
the journal, a statement of the ledger. Then the pipeline is resumed, and the org is compared with the model. By default
one boundary of each kind is tried; `make crash` tries as many of each way as there is time for, or all
(:func:`.doomed.drawn`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.config import load_project
from backhaul.crm import salesforce
from backhaul.errors import ConfigurationError
from backhaul.simulator import Running
from backhaul.workflow import Workspace
from backhaul.workflow.resuming import resume

from .doomed import ROOT, Children, drawn

PEOPLE, HELD, GONE = 60, 30, 12
VERBS = ("insert", "update", "upsert", "delete")
SMALL = 15
"""Rows of a call on the small road; the bulk road takes all at once."""
ORGS: dict[str, dict[str, str]] = {
    "salesforce": {
        "object": "Contact", "id": "Id", "last": "LastName", "member": "Member_Number__c", "score": "Campaign_Score__c",
    },
    "dynamics": {
        "object": "contact", "id": "contactid", "last": "lastname", "member": "new_membernumber",
        "score": "new_campaignscore",
    },
}  # fmt: skip


def files(crm: str) -> dict[str, str]:
    org = ORGS[crm]
    target, fields = f"{crm}.{org['object']}", f"{org['last']}, {org['member']}, {org['score']}"
    known = "select crm_id, name, score from {{ ref('people') }} where crm_id <> ''"
    return {
        "pyproject.toml": '[tool.backhaul]\nname = "doomed"\nprofile = "demo"\n',
        "profiles/demo.yml": (ROOT / "profiles" / "demo.yml").read_text(encoding="utf-8"),
        f"sources/{crm}.yml": f"account: {crm}\nobjects:\n  {org['object']}: {{fields: [{fields}]}}\n",
        "transforms/seeds/people.yml": "seeds: [{name: people, config: {column_types: {score: double}}}]\n",
        "transforms/export/everybody.sql": "select member, name, score from {{ ref('people') }}",
        "transforms/export/known.sql": known,
        "transforms/export/gone.sql": f"select crm_id from ({known}) order by crm_id limit {GONE}",
        "pipelines/models.yml": "steps:\n  - transform: +export\n",
        **{
            f"pipelines/{verb}_{road}.yml": f"steps:\n  - import: {target}\n  - {step(verb, road, target, org)}\n"
            for verb in VERBS
            for road in ("small", "bulk")
        },
    }


def step(verb: str, road: str, target: str, org: dict[str, str]) -> str:
    batch = f"batch: {{rows: {SMALL if road == 'small' else 1000}, parallel: 1}}"
    values = f"{org['last']}: name, {org['score']}: score"
    return {
        "insert": f"{{export: {target}, name: put, from: everybody, identify: member, {batch}, "
        f"map: {{{values}, {org['member']}: member}}}}",
        "update": f"{{export: {target}, name: put, from: known, mode: update, key: {{{org['id']}: crm_id}}, {batch}, "
        f"map: {{{values}}}}}",
        "upsert": f"{{export: {target}, name: put, from: everybody, mode: upsert, key: {{{org['member']}: member}}, "
        f"{batch}, map: {{{values}}}}}",
        "delete": f"{{delete: {target}, name: put, from: gone, key: {{{org['id']}: crm_id}}, "
        f"guards: {{max_deletes: 50}}, {batch}}}",
    }[verb]


class Doomed:
    """One CRM's project, and the process whose children run it to their death."""

    def __init__(self, folder: Path, orgs: Running, crm: str) -> None:
        self.folder, self.orgs, self.crm = folder, orgs, crm
        self.org: Any = orgs.salesforce if crm == "salesforce" else orgs.dynamics
        self.names = ORGS[crm]
        self.ids = self._seeded()
        people = [f"{self.ids[n] if n < HELD else ''},M{n:02},New {n},{n % 50}" for n in range(PEOPLE)]
        contents = files(crm) | {"transforms/seeds/people.csv": "crm_id,member,name,score\n" + "\n".join(people) + "\n"}
        for name, text in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        self.project = load_project(folder, environ=orgs.environment)
        self._file, self._kept = folder / str(self.project.profile.warehouse.path), folder / "kept.duckdb"
        self.project.state_folder.mkdir(parents=True, exist_ok=True)
        with Workspace(self.project) as workspace:
            assert workspace.run("models").state == "done"
        shutil.copy(self._file, self._kept)
        self.children = Children()

    def _seeded(self, *, members: bool = True) -> list[str]:
        """The org made new, with so many people under old names; their ids are the same each time."""
        self.org.reset()
        org = self.names
        people: list[dict[str, Any]] = [{org["last"]: f"Old {n}"} for n in range(HELD)]
        if members:
            people = [{**row, org["member"]: f"M{n:02}"} for n, row in enumerate(people)]
        if self.crm == "dynamics":
            people = [{**row, org["id"]: f"00000000-0000-4000-8000-{n:012}"} for n, row in enumerate(people)]
        found: list[str] = self.org.seed(org["object"], people)
        self.org.clock.advance(5)
        return found

    def fresh(self, verb: str) -> None:
        assert self._seeded(members=verb != "insert") == self.ids
        shutil.rmtree(self.project.state_folder)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._kept, self._file)

    def child(self, pipeline: str, boundary: int, zone: str = "") -> dict[str, Any]:
        """Run a pipeline in a child that is killed at a boundary (0: at none)."""
        task = {
            "folder": str(self.folder),
            "environment": self.orgs.environment,
            "pipeline": pipeline,
            "boundary": boundary,
            "zone": zone,
            # Few rows go by a job when a call takes fewer.
            "settings": [("backhaul.crm.salesforce", "BATCH_ROWS", SMALL)] if "bulk" in pipeline else [],
        }
        return self.children.run(task)

    def live(self) -> list[dict[str, Any]]:
        return [row for row in self.org.dump(self.names["object"]) if not row.get("IsDeleted")]

    def finish(self, pipeline: str) -> Counter[str]:
        """Resume, or run again what had not begun; gives rows by what became of them.

        'never there': what a killed process sent, or meant to, and the CRM, asked afterwards, does not have.
        """
        self.org.clock.advance(5)
        with Workspace(self.project) as workspace:
            try:
                result = resume(workspace, pipeline)
            except ConfigurationError:
                result = workspace.run(pipeline)
            told = workspace.warehouse.rows(
                "SELECT CASE WHEN symbol IN ('NOT_WRITTEN', 'NOT_PROCESSED') THEN 'never there' ELSE state END "
                "AS state, count(*) AS n FROM backhaul.outcomes GROUP BY ALL"
            )
            left = workspace.warehouse.rows("SELECT * FROM backhaul.batches WHERE state = 'sent'")
        assert result.state == "done", [one.message for one in result.steps]
        assert left == []
        return Counter({row["state"]: row["n"] for row in told})

    def close(self) -> None:
        self.children.close()


@pytest.fixture(scope="module", params=["salesforce", "dynamics"])
def doomed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doomed]:
    orgs = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    made = Doomed(tmp_path_factory.mktemp("project"), orgs, request.param)
    yield made
    made.close()
    orgs.stop()


def holds(doomed: Doomed, verb: str, books: Counter[str], where: str) -> None:
    """The org is as the model wants it: nothing lost, nothing twice."""
    org, now = doomed.names, doomed.live()
    names = Counter(row[org["last"]] for row in now)
    assert not books["rejected"], (where, books)
    if verb == "update":
        assert names == Counter(f"New {n}" for n in range(HELD)), where
    elif verb == "upsert":
        assert names == Counter(f"New {n}" for n in range(PEOPLE)), where
    elif verb == "delete":
        assert {row[org["id"]] for row in now} == set(sorted(doomed.ids)[GONE:]), where
    else:
        made = Counter({name: times for name, times in names.items() if name.startswith("New ")})
        assert made == Counter(f"New {n}" for n in range(PEOPLE)), where
    for row in now:
        if row[org["last"]].startswith("New "):
            assert float(row[org["score"]] or 0) == int(row[org["last"]].split()[1]) % 50, where


def killed_at(doomed: Doomed, verb: str, road: str, boundary: int, name: str) -> None:
    pipeline = f"{verb}_{road}"
    doomed.fresh(verb)
    answer = doomed.child(pipeline, boundary)
    where = f"{doomed.crm} {pipeline}, killed at {boundary}: {name}"
    assert os.WIFSIGNALED(answer["status"]) and os.WTERMSIG(answer["status"]) == signal.SIGKILL, (where, answer)
    holds(doomed, verb, doomed.finish(pipeline), where)


def boundaries(doomed: Doomed, verb: str, road: str) -> list[str]:
    doomed.fresh(verb)
    answer = doomed.child(f"{verb}_{road}", 0)
    assert answer["status"] == 0
    names: list[str] = answer["names"]
    return names


FEWEST = 15
"""So many boundaries at least every way has."""


WAYS = [("insert", "small"), ("insert", "bulk"), ("upsert", "small"), ("delete", "bulk")]
QUICK = {("salesforce", "insert", "small")}
"""What the default run tries; all are tried by the longer one."""


@pytest.mark.parametrize(
    ("doomed", "verb", "road"),
    [pytest.param(crm, *way, marks=[] if (crm, *way) in QUICK else [pytest.mark.slow]) for crm in ORGS for way in WAYS],
    indirect=["doomed"],
)
def test_killed_at_a_boundary(doomed: Doomed, verb: str, road: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One boundary of some ways, drawn by a seed."""
    if road == "bulk":
        monkeypatch.setattr(salesforce, "BATCH_ROWS", SMALL)
    boundary = random.Random(f"{doomed.crm} {verb} {road}").randint(1, FEWEST)
    killed_at(doomed, verb, road, boundary, "drawn by a seed")


@pytest.mark.slow
@pytest.mark.crash
@pytest.mark.parametrize("road", ["small", "bulk"])
@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_boundary(doomed: Doomed, verb: str, road: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if road == "bulk":
        monkeypatch.setattr(salesforce, "BATCH_ROWS", SMALL)
    names = boundaries(doomed, verb, road)
    assert len(names) >= FEWEST
    for boundary, name in drawn(names, f"{doomed.crm} {verb} {road}"):
        killed_at(doomed, verb, road, boundary, name)


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "times"), [("after send", 1), ("after answered", 2), ("before settle", 1)])
@pytest.mark.parametrize(
    ("doomed", "verb", "road"),
    [("salesforce", "insert", "small"), ("dynamics", "upsert", "small")],
    indirect=["doomed"],
)
def test_killed_in_one_time_zone_and_resumed_in_another(
    doomed: Doomed, verb: str, road: str, moment: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-three hours apart, the later one first: what was sent is of the past all the same."""
    names = boundaries(doomed, verb, road)
    boundary = [place for place, name in enumerate(names, 1) if name == moment][times - 1]
    doomed.fresh(verb)
    answer = doomed.child(f"{verb}_{road}", boundary, "Pacific/Kiritimati")
    assert os.WIFSIGNALED(answer["status"])
    monkeypatch.setenv("TZ", "America/Anchorage")
    time.tzset()
    try:
        books = doomed.finish(f"{verb}_{road}")
    finally:
        monkeypatch.undo()
        time.tzset()
    holds(doomed, verb, books, f"{doomed.crm} {verb}, killed at {moment} in another zone")


def refusing(doomed: Doomed, name: str) -> None:
    """Let the CRM refuse everybody of this name."""
    if doomed.crm == "salesforce":
        doomed.org.settings(
            {
                "validation_rules": [
                    {"object": "Contact", "condition": f"LastName = '{name}'", "message": "Not this one."}
                ]
            }
        )
    else:
        doomed.org.verbs["plugins"]({"object": "contact", "when": {"lastname": name}, "refuse": "Not this one."})


MOMENTS = (
    ("after answered", 1),
    ("after settle", 1),
    ("before batch_sent", 2),
    ("before record_rejects", 1),
    ("after record_rejects", 1),
    ("before finish_plan", 1),
)
"""(boundary, which one of this name): where the reject of the first batch is known, and not or not everywhere kept."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("doomed", "moment", "times"),
    [(crm, *moment) for moment, crm in zip(MOMENTS, cycle(ORGS), strict=False)],
    indirect=["doomed"],
)
def test_the_reject_of_a_killed_run_is_kept_once(doomed: Doomed, moment: str, times: int) -> None:
    """Answered before the kill: it is in the rejects after the resume, tried as often as it was sent, and held back."""
    pipeline = "upsert_small"

    def fresh() -> None:
        doomed.fresh("upsert")
        refusing(doomed, "New 40")  # of those who are created, and sent first
        doomed.org.requests.clear()

    fresh()
    names = doomed.child(pipeline, 0)["names"]
    boundary = [place for place, name in enumerate(names, 1) if name == moment][times - 1]
    fresh()
    assert os.WIFSIGNALED(doomed.child(pipeline, boundary)["status"])
    doomed.org.clock.advance(5)
    with Workspace(doomed.project) as workspace:
        result = resume(workspace, pipeline)
        (reject,) = workspace.ledger.rejects(every=True)
        told = workspace.warehouse.rows("SELECT count(*) AS n FROM backhaul.outcomes WHERE state = 'rejected'")
        file = workspace.rejects_file("put").read_text(encoding="utf-8")
    assert (reject["key"], reject["state"], reject["refused_by"], reject["attempts"]) == ("M40", "open", "crm", 1)
    assert told[0]["n"] == 1 and "Not this one." in reject["error_message"] and reject["class"] == "fix data"
    assert json.loads(reject["source_row"])["name"] == "New 40"
    assert file.count("M40") >= 1 and len(file.splitlines()) == 2
    # Nobody was told by the run that died: the resumed one tells.
    assert result.state == "done with rejects", [step.message for step in result.steps]
    (words,) = {step.message.partition(", in ")[0] for step in result.steps if "reject" in step.message}
    assert words in ("1 reject of the run that ended before", "1 reject")
    # What was refused is held back; asked for, it is tried a second time.
    with Workspace(doomed.project) as workspace:
        again = workspace.run(pipeline)
        assert (again.state, again.steps[-1].details["skipped"].get("held")) == ("done", 1)
        workspace.run(pipeline, retry=True)
        (reject,) = workspace.ledger.rejects()
    assert reject["attempts"] == 2
