"""Exports sent to both simulators over their sockets: every mode, lost replies, cut connections, deletes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.config import load_project
from backhaul.simulator import Running
from backhaul.workflow import RunResult, Workspace, exit_code
from tests.warehouse.subjects import FIRST_DUCKDB, point

FILES = {
    "pyproject.toml": '[tool.backhaul]\nname = "sent"\nprofile = "demo"\n',
    "profiles/demo.yml": (Path(__file__).parents[2] / "profiles" / "demo.yml").read_text(encoding="utf-8"),
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact:
            fields: [LastName, Email, Member_Number__c, Campaign_Score__c, HasOptedOutOfEmail]
        """,
    "sources/dynamics.yml": """
        account: dynamics
        objects:
          contact:
            fields: [lastname, emailaddress1, new_membernumber, new_campaignscore, donotbulkemail]
        """,
    "transforms/export/wanted.sql": "select member, name, score, opted_out from {{ ref('people') }}",
    "transforms/export/named.sql": "select 'row ' || member as row_name, name, score from {{ ref('people') }}",
    "transforms/erase/erased.sql": """
        select Id as crm_id from {{ source('salesforce', 'Contact') }}
        qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1
          and LastName = 'Gone'
        """,
    "transforms/seeds/people.yml": """
        seeds:
          - name: people
            config: {column_types: {score: double, opted_out: boolean}}
        """,
    "pipelines/salesforce.yml": """
        steps:
          - import: salesforce.Contact
          - transform: +export
          - export: salesforce.Contact
            from: wanted
            mode: upsert
            key: {Member_Number__c: member}
            map:
              LastName: name
              Campaign_Score__c: score
              HasOptedOutOfEmail: {from: opted_out, only_tighten: true}
            batch: {rows: 20}
        """,
    "pipelines/dynamics.yml": """
        steps:
          - import: dynamics.contact
          - transform: +export
          - export: dynamics.contact
            from: wanted
            mode: upsert
            key: {new_membernumber: member}
            map:
              lastname: name
              new_campaignscore: score
              donotbulkemail: {from: opted_out, only_tighten: true}
            batch: {rows: 20}
        """,
    "pipelines/salesforce_insert.yml": """
        steps:
          - import: salesforce.Contact
          - transform: +export
          - {export: salesforce.Contact, name: put, from: named, identify: row_name, batch: {rows: 20},
             map: {LastName: name, Campaign_Score__c: score}}
        """,
    "pipelines/dynamics_insert.yml": """
        steps:
          - import: dynamics.contact
          - transform: +export
          - {export: dynamics.contact, name: put, from: named, identify: row_name, batch: {rows: 20},
             map: {lastname: name, new_campaignscore: score}}
        """,
    "pipelines/erase.yml": """
        steps:
          - import: salesforce.Contact
          - transform: +erase
          - {delete: salesforce.Contact, from: erased, key: {Id: crm_id}, guards: {max_deletes: 3}}
        """,
}
PEOPLE = 50
WRITES = {"salesforce": ("", "/composite/sobjects"), "dynamics": ("POST", r"/\$batch")}


class Tried:
    """A small project over both orgs."""

    def __init__(self, folder: Path, orgs: Running) -> None:
        self.folder = folder
        self.orgs = orgs
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        self.people([(f"M{n}", f"Person {n}", n / 2, False) for n in range(PEOPLE)])

    def people(self, rows: list[tuple[str, str, float, bool]]) -> None:
        lines = ["member,name,score,opted_out", *(f"{m},{n},{s},{str(o).lower()}" for m, n, s, o in rows)]
        (self.folder / "transforms/seeds/people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run(self, pipeline: str, **options: Any) -> RunResult:
        with Workspace(load_project(self.folder, environ=self.orgs.environment)) as workspace:
            return workspace.run(pipeline, **options)

    def org(self, crm: str) -> Any:
        return self.orgs.salesforce if crm == "salesforce" else self.orgs.dynamics

    def held(self, crm: str) -> list[tuple[str | None, str, float | None]]:
        """(member, name, score) of every live record of the org."""
        if crm == "salesforce":
            return sorted(
                (r["Member_Number__c"], r["LastName"], r["Campaign_Score__c"])
                for r in self.orgs.salesforce.dump("Contact")
                if not r["IsDeleted"]
            )
        return sorted(
            (r["new_membernumber"], r["lastname"], float(r["new_campaignscore"]))
            for r in self.orgs.dynamics.dump("contact")
        )

    def fault(self, crm: str, action: dict[str, Any], *, skip: int = 0, times: int = 1) -> None:
        method, path = WRITES[crm]
        match = {"path": path, **({"method": method} if method else {})}
        self.org(crm).faults.add({"match": match, "skip": skip, "times": times, "action": action})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


@pytest.fixture(params=FIRST_DUCKDB)
def tried(request: pytest.FixtureRequest, tmp_path: Path, running: Running) -> Tried:
    running.salesforce.reset()
    running.dynamics.reset()
    made = Tried(tmp_path, running)
    if request.param == "postgres":
        point(tmp_path, "demo", request.getfixturevalue("postgres"))
    return made


ACCIDENTS: dict[str, dict[str, Any]] = {
    "lost": {"drop_reply": True},
    "cut": {"cut_before": True},
    "busy": {"status": 503},
}
QUICK = {("dynamics", "lost")}
"""What the default run tries; all are tried by the longer one."""
EXPECTED = sorted((f"M{n}", f"Person {n}", n / 2) for n in range(PEOPLE))


@pytest.mark.parametrize("crm", ["salesforce", pytest.param("dynamics", marks=pytest.mark.slow)])
def test_upsert_creates_then_updates_then_rests(tried: Tried, crm: str) -> None:
    first = tried.run(crm)
    assert exit_code(first.state) == 0, [step.message for step in first.steps]
    assert first.steps[-1].details["created"] == PEOPLE
    assert tried.held(crm) == EXPECTED
    tried.people([("m0 ", "Person 0", 0, True), ("M1", "Renamed", 7.25, False), ("NEW", "Newcomer", 1, False)])
    assert "max_shrink" in tried.run(crm).steps[-1].message
    second = tried.run(crm, allow=["max_shrink"])
    details = second.steps[-1].details
    assert (details["updated"], details["created"]) == (2, 1)
    assert ("M1", "Renamed", 7.3) in tried.held(crm) and len(tried.held(crm)) == PEOPLE + 1
    assert tried.run(crm).steps[-1].details["batches"] == 0


@pytest.mark.parametrize(
    ("crm", "action"),
    [
        pytest.param(crm, action, marks=[] if (crm, name) in QUICK else [pytest.mark.slow], id=f"{crm}-{name}")
        for crm in WRITES
        for name, action in ACCIDENTS.items()
    ],
)
def test_whatever_happens_to_an_upserts_reply_each_row_is_there_once(
    tried: Tried, crm: str, action: dict[str, Any]
) -> None:
    tried.fault(crm, action, skip=1)
    tried.run(crm)
    if tried.held(crm) != EXPECTED:  # the connector gave up: the next run goes on with what is left
        tried.run(crm)
    assert tried.held(crm) == EXPECTED
    assert tried.run(crm).steps[-1].details["batches"] == 0


def test_a_create_without_a_key_whose_reply_is_lost_is_in_doubt_and_never_sent_again(tried: Tried) -> None:
    tried.fault("salesforce", {"drop_reply": True}, skip=1)
    result = tried.run("salesforce_insert")
    assert exit_code(result.state) == 1
    assert result.steps[-1].details["in_doubt"] == 20
    assert "sent and never answered" in result.steps[-1].message
    again = tried.run("salesforce_insert")
    assert again.steps[-1].details["skipped"] == {"created before": 30, "in doubt": 20}
    assert sorted(name for _, name, _ in tried.held("salesforce")) == sorted(name for _, name, _ in EXPECTED)


@pytest.mark.slow
def test_a_create_that_names_its_record_is_repeated_and_made_once(tried: Tried) -> None:
    tried.fault("dynamics", {"drop_reply": True}, skip=1)
    tried.run("dynamics_insert")
    result = tried.run("dynamics_insert")
    assert exit_code(result.state) == 0
    assert sorted(r["lastname"] for r in tried.orgs.dynamics.dump("contact")) == sorted(n for _, n, _ in EXPECTED)


def test_deletes_stay_below_their_ceiling(tried: Tried) -> None:
    records = [{"LastName": "Gone" if n < 5 else "Stays", "Email": f"p{n}@example.com"} for n in range(8)]
    ids = tried.orgs.salesforce.seed("Contact", records)
    # A window ends before the second it was asked in: let that pass, here and below.
    tried.orgs.salesforce.clock.advance(2)
    blocked = tried.run("erase")
    assert [step.message for step in blocked.steps[:-1]] == ["", ""]
    assert blocked.steps[-1].state == "blocked" and "max_deletes" in blocked.steps[-1].message
    assert len(tried.held("salesforce")) == 8
    tried.orgs.salesforce.change("Contact", [{"Id": ids[0], "LastName": "Stays"}, {"Id": ids[1], "LastName": "Stays"}])
    tried.orgs.salesforce.clock.advance(2)
    result = tried.run("erase")
    assert result.steps[-1].details["deleted"] == 3
    assert all(name == "Stays" for _, name, _ in tried.held("salesforce"))


@pytest.mark.slow
@pytest.mark.parametrize("crm", ["salesforce", "dynamics"])
def test_an_opt_out_is_written_although_another_field_of_its_row_is_refused(tried: Tried, crm: str) -> None:
    tried.run(crm)
    tried.people([("M1", "Person 1", 123456, True), ("M2", "Person 2", 1, True)])
    tried.org(crm).clock.advance(5)
    result = tried.run(crm, allow=["max_shrink"])
    assert exit_code(result.state) == 3
    assert "its opt-out was written all the same" in result.steps[-1].message
    name, flag, member = (
        ("Contact", "HasOptedOutOfEmail", "Member_Number__c")
        if crm == "salesforce"
        else ("contact", "donotbulkemail", "new_membernumber")
    )
    assert sorted(r[member] for r in tried.org(crm).dump(name) if r[flag]) == ["M1", "M2"]
    for _ in range(2):  # with and without having seen it come back
        again = tried.run(crm)
        details = again.steps[-1].details
        # Refused by the plan, which knows the field's digits, or held back, as the CRM refused it.
        assert (details["batches"], details["refused"] + details["skipped"].get("held", 0)) == (0, 1)
        tried.org(crm).clock.advance(3600)
