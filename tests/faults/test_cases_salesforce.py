"""Failures that the field knows, each held through whole steps of a project on the simulated Salesforce org."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.cli.making import make_project
from backhaul.config import load_project
from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids
from backhaul.workflow import Workspace

from .conftest import Tried, failed, reads_well

CONTACTS = """
    account: salesforce
    objects:
      Contact: {{fields: [{fields}]{more}}}
    """
NEWEST = """
    select * from {{ source('salesforce', 'Contact') }}
    qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1
    """


def made(folder: Path, orgs: Running, files: Mapping[str, str]) -> Tried:
    tried = Tried(folder, orgs, "salesforce", files)
    tried.fresh()
    return tried


@pytest.mark.slow
def test_later_pages_that_do_not_come_fail_the_import(tmp_path: Path, orgs: Running) -> None:
    """Case 8: the second page of a bulk result says that it is the last one, and holds nothing."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(fields="LastName", more=", road: bulk"),
            "pipelines/read.yml": "steps:\n  - import: salesforce.Contact\n",
        },
    )
    tried.org.settings({"bulk_page_rows": 100})
    tried.org.seed("Contact", [{"LastName": f"N{n}"} for n in range(250)])
    tried.org.clock.advance(5)
    nothing = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "0", "Sforce-Locator": "null"}
    page = {"status": 200, "headers": nothing, "body": '"Id","LastName","LastModifiedDate"\n'}
    tried.fault("/results", page, method="GET", skip=1)
    (step,) = failed(tried.run("read"))
    assert "250" in step.message and reads_well(step.message), step.message
    assert not any("salesforce__Contact" in row["name"] and row["n"] for row in _loaded(tried))
    assert not failed(tried.run("read"))
    assert tried.rows("SELECT count(DISTINCT Id) AS n FROM raw.salesforce__Contact") == [{"n": 250}]


def _loaded(tried: Tried) -> list[dict[str, Any]]:
    with Workspace(tried.project) as workspace:
        if not workspace.warehouse.exists("raw", "salesforce__Contact"):
            return []
        return workspace.warehouse.rows(
            "SELECT 'salesforce__Contact' AS name, count(*) AS n FROM raw.salesforce__Contact"
        )


def test_what_is_old_fails_a_test(tmp_path: Path, orgs: Running) -> None:
    """Case 9: nobody imports any more, or imports bring nothing new because the cursor stands still."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(
                fields="LastName", more=", freshness: {warn_after: 1d, error_after: 2d}"
            ),
            "transforms/campaign/people.sql": NEWEST,
            "transforms/campaign/names.sql": "select LastName from {{ ref('people') }}",
            "transforms/other/numbers.sql": "select 1 as n",
            "pipelines/read.yml": "steps:\n  - import: salesforce.Contact\n  - transform: +campaign\n",
            "pipelines/check.yml": "steps:\n  - test: names\n",
            "pipelines/other.yml": "steps:\n  - transform: numbers\n  - test: numbers\n",
        },
    )
    now = datetime.now(UTC)

    def check(pipeline: str = "check") -> tuple[str, str, list[str]]:
        step = tried.run(pipeline).steps[-1]
        return step.state, step.message, [test["state"] for test in step.details["tests"]]

    tried.org.clock.set(now - timedelta(days=3, minutes=5), frozen=False)
    (one,) = tried.org.seed("Contact", [{"LastName": "A"}])
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    state, message, _ = check()
    assert state == "failed" and reads_well(message), message
    assert "the last import of salesforce.Contact ended 3 d ago, 2 d are allowed" in message
    # The import goes on, and yet nothing comes.
    tried.org.clock.set(now, frozen=False)
    assert not failed(tried.run("read"))
    state, message, _ = check()
    assert state == "failed" and reads_well(message), message
    assert "LastModifiedDate of salesforce.Contact is 3 d old" in message and "stands still" in message
    # A model that does not rest on it is not judged by it.
    assert check("other") == ("done", "", [])
    tried.org.change("Contact", [{"Id": one, "LastName": "B"}], modified_at=now - timedelta(hours=36))
    tried.org.clock.advance(5)
    with Workspace(tried.project) as workspace:
        workspace.run("read", full_refresh=True)
        (found,) = workspace.freshness()
    assert found.state == "warn"
    shown = CliRunner().invoke(cli, ["status", "--project-dir", str(tmp_path)], env=dict(orgs.environment))
    assert shown.exit_code == 0 and re.search(r"salesforce\.Contact +\S* *warn", shown.output), shown.output
    assert check() == ("done", "", ["warned"])
    tried.org.change("Contact", [{"Id": one, "LastName": "C"}], modified_at=now - timedelta(hours=1))
    with Workspace(tried.project) as workspace:
        workspace.run("read", full_refresh=True)
    assert check() == ("done", "", ["passed"])


@pytest.mark.slow
@pytest.mark.parametrize("rows", [100, 1000], ids=["rest", "bulk"])
def test_a_null_of_the_model_clears_where_it_is_told_to(tmp_path: Path, orgs: Running, rows: int) -> None:
    """Case 11: `nulls: clear` empties, `leave` and what is not mapped stays; for a field or for all, on both roads."""
    export = f"{{export: salesforce.Contact, from: wanted, mode: update, key: {{Id: crm_id}}, batch: {{rows: {rows}}},"
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(
                fields="LastName, FirstName, Title, Birthdate, Campaign_Score__c, Department", more=""
            ),
            "transforms/export/wanted.sql": f"""
                select Id as crm_id, null::varchar as first, null::varchar as title, null::date as born,
                       null::double as score, 'New' as last from ({NEWEST})
                """,
            "pipelines/write.yml": f"""
                steps:
                  - import: salesforce.Contact
                  - transform: +export
                  - {export} name: some,
                     map: {{LastName: last, FirstName: {{from: first, nulls: clear}}, Title: title}}}}
                  - {export} name: all, nulls: clear,
                     map: {{Birthdate: born, Campaign_Score__c: score, Title: {{from: title, nulls: leave}}}}}}
                """,
        },
    )
    before = {"FirstName": "F", "Title": "T", "Birthdate": "1990-02-03", "Campaign_Score__c": 7.5, "Department": "D"}
    tried.org.seed("Contact", [{"LastName": f"Old {n}", **before} for n in range(230)])
    tried.org.clock.advance(5)
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    after = {"FirstName": None, "Title": "T", "Birthdate": None, "Campaign_Score__c": None, "Department": "D"}
    found = [{name: row[name] for name in ("LastName", *after)} for row in tried.org.dump("Contact")]
    assert found == [{"LastName": "New", **after}] * 230
    jobs = any("/jobs/ingest" in entry["path"] for entry in tried.org.requests.show()["log"])
    assert jobs == (rows > 200)


ZONES = ("Asia/Tokyo", "America/Los_Angeles")
DAYS = [
    *(date(2026, 3, 7) + timedelta(days=n) for n in range(3)),  # clocks go forward in Los Angeles on the 8th
    *(date(2026, 10, 31) + timedelta(days=n) for n in range(3)),  # and back on November 1st
    date(1951, 5, 6), date(1883, 11, 18), date(1900, 1, 1), date(1970, 1, 1), date(1999, 12, 31), date(2000, 2, 29),
]  # fmt: skip
INSTANTS = [
    "2026-03-08T07:30:00.000Z",
    "2026-11-01T08:30:00.000Z",
    "2026-11-01T09:30:00.000Z",
    "2026-01-01T00:00:00.000Z",
]


@pytest.mark.slow
@pytest.mark.parametrize("road", ["rest", "bulk"])
@pytest.mark.parametrize("zone", ZONES)
def test_a_date_is_the_same_on_every_machine(tmp_path: Path, orgs: Running, zone: str, road: str) -> None:
    """Case 13: read, modelled and written back by a machine in UTC+9 or UTC-8, across the change of its clocks."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": f"""
                account: salesforce
                objects:
                  Contact:
                    road: {road}
                    fields: [LastName, Member_Number__c, {{name: Birthdate, convert: date_only}}, Last_Open__c]
                """,
            "transforms/staging/people.sql": NEWEST,
            "transforms/export/wanted.sql": """
                select twin.Id as crm_id, one.Birthdate as born, one.Last_Open__c as opened
                from {{ ref('people') }} as one
                join {{ ref('people') }} as twin on twin.Member_Number__c = 'T' || one.Member_Number__c
                """,
            "pipelines/round.yml": f"""
                steps:
                  - import: salesforce.Contact
                  - transform: +export
                  - {{export: salesforce.Contact, from: wanted, mode: update, key: {{Id: crm_id}},
                     batch: {{rows: {100 if road == "rest" else 1000}}},
                     map: {{Birthdate: born, Last_Open__c: opened}}}}
                """,
        },
    )
    rows = [
        {"LastName": "One", "Member_Number__c": f"{n}", "Birthdate": day.isoformat(), "Last_Open__c": INSTANTS[n % 4]}
        for n, day in enumerate(DAYS)
    ]
    tried.org.seed("Contact", rows)
    tried.org.seed("Contact", [{"LastName": "Twin", "Member_Number__c": f"T{n}"} for n in range(len(DAYS))])
    tried.org.clock.advance(5)
    done = subprocess.run(
        [sys.executable, "-m", "backhaul", "run", "round", "--project-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **orgs.environment, "TZ": zone},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held = {row["Member_Number__c"]: (row["Birthdate"], row["Last_Open__c"]) for row in tried.org.dump("Contact")}
    assert {n: held[f"T{n}"] for n in range(len(DAYS))} == {n: held[f"{n}"] for n in range(len(DAYS))}
    assert [held[f"T{n}"][0] for n in range(len(DAYS))] == [day.isoformat() for day in DAYS]
    mirror = tried.rows(
        f"SELECT Member_Number__c AS n, Birthdate FROM ({NEWEST.replace(SOURCE, RAW)}) WHERE n NOT LIKE 'T%'"
    )
    assert {row["n"]: row["Birthdate"] for row in mirror} == {f"{n}": day for n, day in enumerate(DAYS)}


SOURCE, RAW = "{{ source('salesforce', 'Contact') }}", "raw.salesforce__Contact"


MERGED = {
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact: {fields: [LastName, Email, Member_Number__c, Campaign_Score__c, HasOptedOutOfEmail, IsDeleted]}
        """,
    "transforms/seeds/scores.yml": "seeds: [{name: scores, config: {column_types: {score: double}}}]\n",
    # A deletion tells the id and the survivor; what the record held, its last version tells.
    "transforms/staging/people.sql": """
        select Id, max(_backhaul_survivor) as survivor,
               arg_max(Member_Number__c, _backhaul_seen_at) filter (where not _backhaul_deleted) as person,
               arg_max(HasOptedOutOfEmail, _backhaul_seen_at) filter (where not _backhaul_deleted) as opted_out
        from {{ source('salesforce', 'Contact') }} group by Id
        """,
    # The links of the campaign: a record that was merged away leads to the one that lives on.
    "transforms/campaign/links.sql": """
        select scores.person, coalesce(people.survivor, people.Id) as crm_id, people.opted_out
        from {{ ref('scores') }} as scores join {{ ref('people') }} as people using (person)
        """,
    "transforms/export/wanted.sql": """
        select links.crm_id, max(scores.score) as score, bool_or(links.opted_out) as opted_out
        from {{ ref('links') }} as links join {{ ref('scores') }} as scores using (person) group by links.crm_id
        """,
    "pipelines/write.yml": """
        steps:
          - import: salesforce.Contact
          - import_deleted: salesforce.Contact
          - transform: +export
          - {export: salesforce.Contact, from: wanted, mode: update, key: {Id: crm_id},
             map: {Campaign_Score__c: score, HasOptedOutOfEmail: {from: opted_out, only_tighten: true}}}
        """,
}


@pytest.mark.slow
def test_what_was_meant_for_a_merged_record_goes_to_the_survivor(tmp_path: Path, orgs: Running) -> None:
    """Case 18: the loser of a merge was linked, a write to it was refused and is pending, and it had opted out."""
    tried = made(tmp_path, orgs, {**MERGED, "transforms/seeds/scores.csv": "person,score\nM1,1\nM2,2\n"})
    kept, lost = tried.org.seed(
        "Contact",
        [
            {"LastName": "Kept", "Member_Number__c": "M1"},
            {"LastName": "Lost", "Member_Number__c": "M2", "HasOptedOutOfEmail": True},
        ],
    )
    tried.org.clock.advance(5)
    assert not failed(tried.run("write"))
    # The next score is on its way to the record when it is merged away: that row is refused by the CRM.
    (tmp_path / "transforms/seeds/scores.csv").write_text("person,score\nM1,1\nM2,9\n")
    tried.org.clock.advance(5)
    tried.org.settings({"row_locks": [{"id": lost, "times": 0}]})
    pending = tried.run("write").steps[-1]
    assert pending.details["rejected"] == 1
    tried.org.settings({"row_locks": []})
    tried.org.verbs["merge"]({"object": "Contact", "master": kept, "losers": [lost]})
    tried.org.clock.advance(5)
    tried.org.requests.clear()
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    assert tried.rows("SELECT person, crm_id FROM campaign.links ORDER BY 1") == [
        {"person": "M1", "crm_id": kept},
        {"person": "M2", "crm_id": kept},
    ]
    survivor = next(row for row in tried.org.dump("Contact") if row["Id"] == kept)
    assert (survivor["Campaign_Score__c"], survivor["HasOptedOutOfEmail"]) == (9, True)
    assert (result.steps[-1].state, result.steps[-1].details["updated"]) == ("done", 1)
    # The write that was pending for the loser is not kept for ever.
    with Workspace(tried.project) as workspace:
        assert workspace.ledger.rejects() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("create", 100),
        ("create", 1000),
        ("upsert", 100),
        ("upsert", 1000),
    ],
)
def test_a_commit_without_a_reply_is_not_made_again(tmp_path: Path, orgs: Running, mode: str, rows: int) -> None:
    """Case 21: whichever reply of the writing is lost, or all of them: one record a row exists after the retry."""
    how = {
        "upsert": "mode: upsert, key: {Member_Number__c: member}, map: {LastName: name}",
        "create": "identify: member, map: {LastName: name, Member_Number__c: member}",
    }[mode]
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(fields="LastName, Member_Number__c", more=""),
            "transforms/export/wanted.sql": "select 'M' || i as member, 'N' || i as name from range(210) as t(i)",
            "pipelines/models.yml": "steps:\n  - transform: +export\n",
            "pipelines/write.yml": f"""
                steps:
                  - import: salesforce.Contact
                  - {{export: salesforce.Contact, from: wanted, {how}, batch: {{rows: {rows}}}}}
                """,
        },
    )
    met = {(100, "create"): ["POST"], (100, "upsert"): ["PATCH"]}.get((rows, mode), ["POST", "PATCH", "PUT", "GET"])
    for method, times in (*((method, 1) for method in met), ("", 0)):
        tried.fresh()
        path = "/composite/sobjects" if rows == 100 else "/jobs/ingest"
        tried.fault(path, {"drop_reply": True}, method=method, times=times)
        tried.run("write")
        tried.org.faults.clear()
        tried.org.clock.advance(5)
        assert not failed(tried.run("write"))
        names = Counter(row["LastName"] for row in tried.org.dump("Contact"))
        assert set(names.values()) == {1}
        assert len(names) + tried.books().get("in_doubt", 0) >= 210


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 1000], ids=["calls", "job"])
def test_one_bad_row_of_a_set_costs_one_reject(tmp_path: Path, orgs: Running, rows: int) -> None:
    """Case 22: a rule refuses one of a thousand rows; 999 land, and the one says why."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(fields="LastName, Member_Number__c", more=""),
            "transforms/export/wanted.sql": "select 'M' || i as member, 'N' || i as name from range(1000) as t(i)",
            "pipelines/write.yml": f"""
                steps:
                  - import: salesforce.Contact
                  - transform: +export
                  - {{export: salesforce.Contact, from: wanted, mode: upsert, key: {{Member_Number__c: member}},
                     map: {{LastName: name}}, batch: {{rows: {rows}}}}}
                """,
        },
    )
    rule = {"object": "Contact", "condition": "LastName = 'N417'", "message": "Credit limit reached."}
    tried.org.settings({"validation_rules": [rule]})
    told = tried.run("write").steps[-1]
    assert (told.state, told.details["rejected"], told.rows) == ("done with rejects", 1, 999), told.message
    (reject,) = told.details["rejects"]
    assert (reject["key"], reject["message"]) == ("M417", "Credit limit reached.")
    names = Counter(row["LastName"] for row in tried.org.dump("Contact"))
    assert set(names) == {f"N{n}" for n in range(1_000) if n != 417} and names.total() == 999
    assert tried.books() == {"done": 999, "rejected": 1}


@pytest.mark.slow
@pytest.mark.parametrize("children", [3_000, 80_000])
def test_children_of_few_parents(tmp_path: Path, orgs: Running, children: int) -> None:
    """Case 23: lock failures are sent again by parent; rows that a job never came to are not counted as sent."""
    parents = 12
    part = children // 30
    people = [f"{ids.make('003', 20_000 + n)},{n % 100}" for n in range(children)]
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/salesforce.yml": CONTACTS.format(
                fields="LastName, AccountId, Campaign_Score__c", more=", road: bulk"
            ),
            "transforms/seeds/people.yml": "seeds: [{name: people, config: {column_types: {score: double}}}]\n",
            "transforms/seeds/people.csv": "crm_id,score\n" + "\n".join(people) + "\n",
            "transforms/export/wanted.sql": "select crm_id, score + 0.5 as score from {{ ref('people') }}",
            "pipelines/write.yml": """
                steps:
                  - import: salesforce.Contact
                  - transform: +export
                  - {export: salesforce.Contact, from: wanted, mode: update, key: {Id: crm_id},
                     batch: {rows: 50000, parallel: 1}, map: {Campaign_Score__c: score}}
                """,
        },
    )
    above = tried.org.seed("Account", [{"Name": f"A{n}"} for n in range(parents)])
    tried.org.seed(
        "Contact",
        [
            {"Id": ids.make("003", 20_000 + n), "LastName": "L", "AccountId": above[n % parents]}
            for n in range(children)
        ],
    )
    tried.org.clock.advance(5)
    # The first job stops in the middle, and batches of every job fight over the parents.
    tried.org.settings(
        {
            "bulk_batch_rows": part,
            "lock_contention": {"Contact": "AccountId"},
            "bulk_failures": [
                {"jobs": "ingest", "after_rows": 10 * part, "message": "TooManyLockFailure : too many locks"}
            ],
        }
    )
    result = tried.run("write")
    for _ in range(4):
        told, books = result.steps[-1], tried.books()
        scores = Counter(row["Campaign_Score__c"] for row in tried.org.dump("Contact"))
        written = children - scores.get(None, 0)
        # Counted as done is what the org did; the others were not sent, or are told as rejects.
        assert books["done"] == written, (told.message, books)
        if not failed(result) and not books.get("rejected"):
            break
        tried.org.clock.advance(3_600)
        with Workspace(tried.project) as workspace:
            result = workspace.run("write", retry=True)
    assert written == children
    # The first job was broken off, and the second, of all that was left, met the locks: unless the rows of one parent
    # stood together afterwards, their batches would meet them for ever.
    log = tried.org.requests.show()["log"]
    jobs = sum((one["method"], one["status"]) == ("PUT", 201) for one in log)
    assert jobs > 2 or any("/composite/sobjects" in one["path"] for one in log)
    assert scores == Counter((n % 100) + 0.5 for n in range(children))


@pytest.mark.slow
def test_the_template_leads_a_merged_record_to_its_survivor(tmp_path: Path, orgs: Running) -> None:
    """Case 18 with the models that `backhaul init` brings: the links, and the consent of who was merged away."""
    make_project(tmp_path)
    orgs.salesforce.reset()
    orgs.dynamics.reset()
    person = {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@example.com"}
    kept, lost, other = orgs.salesforce.seed(
        "Contact", [person, {**person, "HasOptedOutOfEmail": True}, {"LastName": "Other", "Email": "o@example.com"}]
    )
    orgs.salesforce.clock.advance(5)
    project = load_project(tmp_path, profile="demo", environ=orgs.environment)

    def run() -> list[dict[str, Any]]:
        with Workspace(project) as workspace:
            result = workspace.run("contacts")
            assert not failed(result), [step.message for step in result.steps]
            return workspace.warehouse.rows(
                "SELECT record_id, recipient_id, opted_out FROM campaign.recipient_links WHERE account = 'salesforce' "
                "ORDER BY record_id"
            )

    before = {row["record_id"]: row["recipient_id"] for row in run()}
    assert set(before) == {kept, lost, other} and before[kept] == before[lost] != before[other]
    # In the CRM the merge keeps the winner's flag, so that the opt-out would be gone. What we wrote there is undone.
    orgs.salesforce.verbs["merge"]({"object": "Contact", "master": kept, "losers": [lost]})
    orgs.salesforce.change("Contact", [{"Id": kept, "HasOptedOutOfEmail": False}])
    orgs.salesforce.clock.advance(5)
    after = {row["record_id"]: row["recipient_id"] for row in run()}
    assert after == {kept: before[kept], other: before[other]}
    held = {row["Id"]: row for row in orgs.salesforce.dump("Contact")}
    assert held[kept]["HasOptedOutOfEmail"] is True
    assert held[other]["HasOptedOutOfEmail"] is False
