"""What a plan says that applying it takes, beside what the simulators were asked, verb by verb on both roads."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.config import load_project
from backhaul.crm import salesforce
from backhaul.crm.dynamics import estimate as dynamics_estimate
from backhaul.simulator import Running
from backhaul.workflow import Workspace, exit_code
from backhaul.workflow.undoing import plan_undo, undo
from tests.undo.conftest import NAMES

PROFILE = (Path(__file__).parents[2] / "profiles" / "demo.yml").read_text(encoding="utf-8")
VERBS = ("insert", "insert without a key", "update", "upsert", "delete")
LOOKS = {
    "salesforce": (re.compile(r"GET .*/jobs/ingest/[^/]+$"), salesforce.JOB_CALLS - 6),
    "dynamics": (re.compile(r"GET .*/asyncoperations\("), dynamics_estimate.JOB_LOOKS),
}
"""How a look at a job is asked for, and with how many of them a job is reckoned."""
JOB = re.compile(r"POST .*(/jobs/ingest|/BulkDelete)$")
NOT_COUNTED = re.compile(r"GET /services/data$|POST .*/oauth2/")
"""Salesforce's clock and signing in: neither counts against an allowance (salesforce-api.md §3.1)."""


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


def project(folder: Path, crm: str, verb: str, batch: str, rows: int) -> None:
    """Write a project of one step that is about so many rows."""
    n = NAMES[crm]
    whole = f"{crm}.{n['object']}"
    values = f"{n['name']}: name, {n['score']}: score"
    ids = f"select {n['id']} as crm_id, 'New ' || {n['member']} as name, 7 as score from {{{{ source('{crm}', "
    step = {
        "insert": f"{{export: {whole}, name: put, from: people, identify: member, "
        f"map: {{{values}, {n['member']}: member}}",
        "insert without a key": f"{{export: {whole}, name: put, from: people, identify: member, map: {{{values}}}",
        "update": f"{{export: {whole}, name: put, from: known, mode: update, key: {{{n['id']}: crm_id}}, "
        f"map: {{{values}}}",
        "upsert": f"{{export: {whole}, name: put, from: people, mode: upsert, key: {{{n['member']}: member}}, "
        f"map: {{{values}}}",
        "delete": f"{{delete: {whole}, name: put, from: known, key: {{{n['id']}: crm_id}}, "
        "guards: {max_deletes: 100000}",
    }[verb]
    files = {
        "pyproject.toml": '[tool.backhaul]\nname = "dear"\nprofile = "demo"\n',
        "profiles/demo.yml": PROFILE,
        f"sources/{crm}.yml": f"account: {crm}\nobjects:\n  {n['object']}: {{fields: [{n['name']}, {n['member']}, "
        f"{n['score']}]}}\n",
        "transforms/export/people.sql": "select 'P' || n as member, 'Name ' || n as name, n % 90 as score "
        "from range(ROWS) as r(n)",
        "transforms/export/known.sql": f"{ids}'{n['object']}') }}}}",
        "pipelines/put.yml": f"steps:\n  - import: {whole}\n  - transform: [people, known]\n"
        f"  - {step}, batch: {{{batch}}}}}\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content).replace("ROWS", str(rows)), encoding="utf-8")


def asked(org: Any, crm: str) -> tuple[int, int, int]:
    """(requests that count, looks at jobs among them, jobs) since the log was emptied."""
    log = [f"{entry['method']} {entry['path']}" for entry in org.requests.show()["log"]]
    counted = [entry for entry in log if not NOT_COUNTED.search(entry)]
    return (
        len(counted),
        sum(bool(LOOKS[crm][0].search(entry)) for entry in counted),
        sum(bool(JOB.search(entry)) for entry in counted),
    )


SMALL, TINY, LARGE = ("parallel: 1", 45), ("rows: 15, parallel: 1", 45), ("parallel: 1", 2_250)
"""(batch, rows): a call, several calls, and what goes by a job where the CRM has jobs for it."""
CASES = [
    (crm, verb, road) for crm in ("salesforce", "dynamics") for verb in VERBS for road in ("small", "tiny", "large")
]
QUICK = {("salesforce", "delete", "small"), ("dynamics", "delete", "tiny")}


@pytest.mark.parametrize(
    ("crm", "verb", "road"),
    [pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.slow]) for case in CASES],
)
def test_a_plan_tells_the_requests_that_it_takes(
    orgs: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crm: str, verb: str, road: str
) -> None:
    """Exactly, but for the looks at a job: of these there are no more than it was reckoned with."""
    n = NAMES[crm]
    org: Any = orgs.salesforce if crm == "salesforce" else orgs.dynamics
    org.reset()
    monkeypatch.setattr("backhaul.crm.dynamics.JOB_FROM", 1_001)
    batch, rows = {"small": SMALL, "tiny": TINY, "large": LARGE}[road]
    project(tmp_path, crm, verb, batch, rows)
    if verb in ("update", "delete"):
        org.seed(n["object"], [{n["name"]: f"Old {k}", n["member"]: f"P{k}"} for k in range(rows)])
    org.clock.advance(5)
    with Workspace(load_project(tmp_path, environ=orgs.environment)) as workspace:
        steps = workspace.pipeline("put").steps
        workspace.run_steps(steps[:-1], command="run")
        (step,) = workspace.export_steps("put")
        plan = workspace.plan(step)
        assert plan.writes() == rows
        org.requests.clear()
        cost = workspace.cost(step, plan)
        assert asked(org, crm) == (0, 0, 0)
        result = workspace.run_steps([step], command="export", plans={step.name: plan})
        assert exit_code(result.state) == 0 and result.steps[-1].rows == rows, result.steps[-1].message
        total, looks, jobs = asked(org, crm)
        reckoned = LOOKS[crm][1]
        assert total - looks == cost.calls - jobs * reckoned, org.requests.show()["counts"]
        assert looks <= jobs * reckoned
        by_job = verb == "delete" if crm == "dynamics" else verb != "insert without a key"
        assert jobs == (road == "large" and by_job)
        assert bool(cost.reads) == (verb == "delete") and cost.minutes * 60 >= cost.reads
        if verb != "delete" or road == "large":
            return
        # What an undo takes, beside what its plan asks the CRM for.
        org.requests.clear()
        (back,) = plan_undo(workspace, result.run_id)
        for_plan = asked(org, crm)[0]
        cost = workspace.cost(step, back)
        org.requests.clear()
        undo(workspace, result.run_id)
        assert asked(org, crm)[0] - for_plan == cost.calls
