"""Salesforce through a whole project: imports, deletions, sweeps, populations and exports on the simulated org."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.errors import ConfigurationError
from backhaul.importing import mirror_sql
from backhaul.simulator import Running

from ..conftest import Door
from .on_salesforce import Project, state

NOTHING: dict[str, str] = {}


@pytest.fixture
def project(tmp_path: Path, running: Running, salesforce_door: Door) -> Iterator[Project]:
    yield Project(tmp_path, running, salesforce_door)


@pytest.mark.parametrize("road", [pytest.param("rest", marks=pytest.mark.slow), "bulk"])
def test_fields_of_related_records_lists_and_compounds(project: Project, road: str) -> None:
    (account,) = project.door.seed("Account", [{"Name": 'Acme "NA", Ltd'}])
    project.door.seed(
        "Contact",
        [
            {"LastName": "A", "AccountId": account, "Newsletter_Topics__c": "News;Offers", "MailingCity": "Oslo"},
            {"LastName": "B"},
        ],
    )
    project.door.post("clock", {"advance": 60})
    project.source(
        f"""
        road: {road}
        fields: [LastName, Account.Name, Account.Owner.Username, MailingAddress,
                 {{name: Newsletter_Topics__c, convert: list}}]
        """
    )
    project.steps("- import: salesforce.Contact\n- import: salesforce.Contact\n  name: again\n")
    result = project.run()
    assert state(result)[0] == "done", state(result)
    assert [step.rows for step in result.steps] == [2, 0]
    rows = project.rows("SELECT * FROM raw.salesforce__Contact ORDER BY LastName")
    assert [row["Account_Name"] for row in rows] == ['Acme "NA", Ltd', None]
    assert [row["MailingCity"] for row in rows] == ["Oslo", None]
    assert "MailingStreet" in rows[0]
    found = project.rows("SELECT Newsletter_Topics__c ->> 1 AS second FROM raw.salesforce__Contact ORDER BY LastName")
    assert sorted(str(row["second"]) for row in found) in (["None", "Offers"], ["News", "None"])


def test_a_field_of_a_related_record_that_is_not_there_is_told(project: Project) -> None:
    project.source("fields: [LastName, Account.Nmae]")
    project.steps("- import: salesforce.Contact\n")
    with pytest.raises(ConfigurationError, match=r"no field 'Account\.Nmae'"):
        project.run()


def discover(project: Project, *words: str) -> Any:
    return CliRunner().invoke(
        cli, ["discover", *words, "--project-dir", str(project.folder)], env=dict(project.running.environment)
    )


def test_discover_lists_and_writes_sources_for_both_crms(project: Project) -> None:
    assert "Contact" in discover(project, "salesforce", "--like", "cont").output
    listed = discover(project, "salesforce", "Contact", "--like", "mail", "--json")
    assert listed.exit_code == 0, listed.output
    names = [row["field"] for row in json.loads(listed.output)["fields"]]
    assert {"Email", "MailingCity"} <= set(names)
    assert not (project.folder / "sources").exists()
    for account, object in (("salesforce", "Contact"), ("salesforce", "Lead"), ("dynamics", "contact")):
        wrote = discover(project, account, object, "--like", "name", "--write")
        assert wrote.exit_code == 0, wrote.output
    assert "  Lead:" in (project.folder / "sources/salesforce.yml").read_text()
    project.steps("- import: salesforce.Contact\n- import: salesforce.Lead\n- import: dynamics.contact\n")
    assert project.run().state == "done"
    assert "holds them all" in discover(project, "salesforce", "Lead", "--like", "name", "--write").output
    assert discover(project, "salesforce", "--write").exit_code == 2
    assert "did you mean 'Contact'" in discover(project, "salesforce", "Contct").output


EXPORT = {
    "transforms/seeds/people.yml": """
        seeds:
          - name: people
            config: {column_types: {member: varchar, name: varchar, score: double}}
        """,
    "transforms/export/wanted.sql": "select member, name, score from {{ ref('people') }}",
}
UPSERT = """
- import: salesforce.Contact
- transform: +export
- export: salesforce.Contact
  name: put
  from: wanted
  mode: upsert
  key: {Member_Number__c: member}
  map: {LastName: name, Campaign_Score__c: score}
  nulls: clear
  batch: {rows: 400, parallel: 2}
"""


def wanted(project: Project, rows: list[tuple[str, str, str]]) -> None:
    text = "member,name,score\n" + "".join(f"{member},{name},{score}\n" for member, name, score in rows)
    project.write({**EXPORT, "transforms/seeds/people.csv": ""})
    (project.folder / "transforms/seeds/people.csv").write_text(text, encoding="utf-8")


def put(project: Project, **options: Any) -> Any:
    result = project.run(**options)
    return next(step for step in result.steps if step.name == "put")


@pytest.mark.slow
def test_an_export_by_jobs_makes_changes_and_then_has_nothing_to_do(project: Project) -> None:
    project.source("fields: [LastName, Campaign_Score__c, Member_Number__c]")
    project.steps(UPSERT)
    wanted(project, [(f"M{n}", f"P {n}", str(n % 90)) for n in range(1_000)])
    first = put(project)
    assert (first.state, first.details["created"], first.details["batches"]) == ("done", 1_000, 3)
    # The last batch has no more rows than a call takes.
    assert sum(count for name, count in project.door.counts().items() if "jobs/ingest" in name and "POST" in name) == 2
    project.door.post("clock", {"advance": 60})
    again = put(project)
    assert (again.state, again.details["planned"].get("update", 0), again.details["batches"]) == ("done", 0, 0)
    # A null clears on the bulk road too, and what a row does not map stays.
    wanted(project, [(f"M{n}", f"P {n}", "" if n < 500 else str(n % 90)) for n in range(1_000)])
    cleared = put(project)
    assert (cleared.details["updated"], cleared.details["created"]) == (500, 0)
    rows = {row["Member_Number__c"]: row for row in project.door.dump("Contact")}
    assert len(rows) == 1_000
    assert rows["M499"]["Campaign_Score__c"] is None
    assert rows["M500"]["Campaign_Score__c"] is not None
    assert rows["M499"]["LastName"] == "P 499"


@pytest.mark.slow
def test_rows_a_job_never_came_to_are_sent_by_the_next_run(project: Project) -> None:
    """Case 23: what was not processed is not counted as sent."""
    project.source("fields: [LastName, Campaign_Score__c, Member_Number__c]")
    project.steps(UPSERT)
    wanted(project, [(f"M{n}", f"P {n}", "1") for n in range(900)])
    project.door.fault(
        "/jobs/ingest/750[^/]*$",
        method="GET",
        status=403,
        times=1,
        skip=0,
        body='[{"errorCode":"FORBIDDEN","message":"no"}]',
    )
    result = put(project)
    assert result.state == "failed"
    project.door.post("clock", {"advance": 60})
    second = put(project)
    assert second.state == "done", second.message
    rows = [row["Member_Number__c"] for row in project.door.dump("Contact")]
    assert sorted(rows) == sorted({f"M{n}" for n in range(900)})


@pytest.mark.slow
def test_a_population_is_imported_and_grows_with_its_model(project: Project) -> None:
    ids = project.door.seed("Contact", [{"LastName": f"P {n}"} for n in range(1_000)])
    project.door.post("clock", {"advance": 3_600})
    project.source("fields: [LastName]\nonly: {from: chosen, id: crm_id}\n")
    project.write({"transforms/export/chosen.sql": "select crm_id from {{ ref('people') }}"})
    project.steps("- transform: +chosen\n- import: salesforce.Contact\n")

    def choose(chosen: list[str]) -> int:
        (project.folder / "transforms/seeds").mkdir(exist_ok=True)
        (project.folder / "transforms/seeds/people.csv").write_text("crm_id\n" + "\n".join(chosen) + "\n")
        result = project.run()
        assert result.state == "done", state(result)
        project.door.post("clock", {"advance": 3_600})
        return result.steps[1].rows

    # The 15 characters name the same record.
    assert choose([*ids[:449], ids[449][:15]]) == 450
    assert choose(ids[:450]) == 0
    project.door.post(
        "change", {"object": "Contact", "records": [{"Id": one, "LastName": "New"} for one in (ids[0], ids[999])]}
    )
    project.door.post("clock", {"advance": 60})
    # One that changed, and two that are new to the population though nothing about them changed lately.
    assert choose([*ids[:450], *ids[500:502]]) == 3
    assert project.rows("SELECT count(DISTINCT Id) AS n FROM raw.salesforce__Contact")[0]["n"] == 452


def test_a_formula_is_read_again_when_the_sweep_is_due(project: Project) -> None:
    """Case 14: its inputs change, its record does not."""
    (account,) = project.door.seed("Account", [{"Name": "Old name"}])
    project.door.seed("Contact", [{"LastName": "A", "AccountId": account}])
    project.door.post("clock", {"advance": 3_600})
    project.source("fields: [LastName, Account.Name]\nsweep: 1d\n")
    project.steps("- import: salesforce.Contact\n")
    assert project.run().steps[0].rows == 1
    project.door.post("change", {"object": "Account", "records": [{"Id": account, "Name": "New name"}]})
    project.door.post("clock", {"advance": 3_600})
    assert project.run().steps[0].rows == 0
    project.door.post("clock", {"advance": 86_400})
    swept = project.run()
    assert swept.steps[0].rows == 1
    assert "the sweep was due" in swept.steps[0].message
    project.door.post("clock", {"advance": 60})
    assert "sweep" not in project.run().steps[0].message
    with project.open() as workspace:
        mirror = mirror_sql(workspace.warehouse, "salesforce", "Contact", "Id", "LastModifiedDate")
        assert [row["Account_Name"] for row in workspace.warehouse.rows(mirror)] == ["New name"]


def test_picklist_values_replace_or_are_merged(project: Project) -> None:
    project.source("fields: [LastName]")
    project.steps("- enumerations: salesforce.Contact\n")
    assert project.run().state == "done"
    with project.open() as workspace:
        workspace.warehouse.execute(
            "INSERT INTO enumerations.salesforce__Contact VALUES ('LeadSource', 'Fax', 'Fax', true, false)"
        )
    first = project.rows("SELECT * FROM enumerations.salesforce__Contact")
    project.steps("- {enumerations: salesforce.Contact, values: merge}\n")
    assert project.run().state == "done"
    merged = project.rows("SELECT * FROM enumerations.salesforce__Contact")
    assert len(merged) == len(first)
    assert [(row["value"], row["active"]) for row in merged if row["value"] == "Fax"] == [("Fax", False)]
    assert any(row["active"] for row in merged)
    project.steps("- enumerations: salesforce.Contact\n")
    project.run()
    assert len(project.rows("SELECT * FROM enumerations.salesforce__Contact")) == len(first) - 1


@pytest.mark.slow
def test_purged_records_and_a_long_pause_are_found_by_comparing_ids(project: Project) -> None:
    """Cases 16 and 17."""
    ids = project.door.seed("Contact", [{"LastName": f"P {n}"} for n in range(5)])
    project.door.post("clock", {"advance": 3_600})
    project.source("fields: [LastName]")
    project.steps("- import: salesforce.Contact\n- import_deleted: salesforce.Contact\n")
    assert project.run().state == "done"
    project.door.post("delete", {"object": "Contact", "ids": ids[:2], "purge": True})
    project.door.post("clock", {"advance": 40 * 86_400})
    refused = project.run()
    assert (refused.steps[1].state, "compare_ids" in refused.steps[1].message) == ("failed", True)
    project.steps("- import: salesforce.Contact\n- {import_deleted: salesforce.Contact, compare_ids: true}\n")
    assert project.run().steps[1].rows == 2
    with project.open() as workspace:
        mirror = mirror_sql(workspace.warehouse, "salesforce", "Contact", "Id", "LastModifiedDate")
        assert {row["Id"] for row in workspace.warehouse.rows(mirror)} == set(ids[2:])


@pytest.mark.slow
def test_late_commits_doubles_and_empty_windows(project: Project) -> None:
    """Cases 1, 3, 4."""
    project.door.seed("Contact", [{"LastName": "Old"}])
    project.door.post("clock", {"advance": 60})
    project.source("fields: [LastName]")
    project.steps("- import: salesforce.Contact\n")
    project.door.post("late", {"object": "Contact", "records": [{"LastName": "Late"}], "visible_in": 30})
    project.door.post("clock", {"advance": 10})
    assert project.run().steps[0].rows == 1
    project.door.post("clock", {"advance": 60})
    assert project.run().steps[0].rows == 1
    assert project.run().steps[0].rows == 0
    assert project.run(full_refresh=True).steps[0].rows == 0
    names = [row["LastName"] for row in project.rows("SELECT LastName FROM raw.salesforce__Contact")]
    assert sorted(names) == ["Late", "Old"]


def test_one_stamp_across_pages_arrives_once(project: Project) -> None:
    """Case 2."""
    project.door.post("clock", {"now": "2026-05-01T12:00:00Z", "frozen": True})
    project.door.seed("Contact", [{"LastName": f"P {n}"} for n in range(5_000)])
    project.door.post("clock", {"advance": 60})
    project.source("road: rest\nfields: [LastName]")
    project.steps("- import: salesforce.Contact\n")
    result = project.run()
    assert (result.steps[0].rows, result.steps[0].details["pages"]) == (5_000, 3)
    assert project.rows("SELECT count(DISTINCT Id) AS n FROM raw.salesforce__Contact")[0]["n"] == 5_000


@pytest.mark.slow
def test_fields_that_appear_and_disappear(project: Project) -> None:
    """Cases 5, 6 and 7."""
    ids = project.door.seed("Contact", [{"LastName": f"P {n}", "Title": f"T {n}"} for n in range(3)])
    project.door.post("clock", {"advance": 60})
    project.source("fields: [LastName, Title]")
    project.steps("- import: salesforce.Contact\n")
    assert project.run().steps[0].rows == 3
    project.door.post("fields", {"object": "Contact", "fields": [{"name": "Shoe__c", "type": "string", "length": 10}]})
    project.door.post("change", {"object": "Contact", "records": [{"Id": ids[0], "Shoe__c": "42"}]})
    project.door.post("clock", {"advance": 60})
    project.source("fields: [LastName, Title, Shoe__c]")
    grown = project.run()
    assert (grown.state, grown.steps[0].details["rows_received"]) == ("done", 3)
    project.door.post("settings", {"hidden_fields": ["Contact.Title"]})
    project.door.post("change", {"object": "Contact", "records": [{"Id": ids[1], "LastName": "New"}]})
    project.door.post("clock", {"advance": 60})
    hidden = project.run()
    assert hidden.state == "done"
    assert "Title is no longer shown" in hidden.steps[0].message
    with project.open() as workspace:
        mirror = mirror_sql(workspace.warehouse, "salesforce", "Contact", "Id", "LastModifiedDate")
        rows = {row["Id"]: row for row in workspace.warehouse.rows(mirror)}
    assert [rows[one]["Title"] for one in ids] == ["T 0", "T 1", "T 2"]
    assert [rows[one]["LastName"] for one in ids] == ["P 0", "New", "P 2"]
    assert [rows[one]["Shoe__c"] for one in ids] == ["42", None, None]
    # What may not be seen is compared with nothing: a plan that would fill it is refused, not made of nulls.
    (project.folder / "transforms" / "export").mkdir(parents=True, exist_ok=True)
    (project.folder / "transforms" / "export" / "titles.sql").write_text(
        "select Id, 'Ours' as title from {{ source('salesforce', 'Contact') }}"
    )
    fill = "- {export: salesforce.Contact, from: titles, mode: update, key: {Id: Id}, owner: fill_empty,"
    project.steps(f"- transform: titles\n{fill} map: {{Title: title}}}}\n")
    with pytest.raises(ConfigurationError, match="shows no field 'Title' on Contact to this user"):
        project.run()
    # Shown again, it is read again for all: it may have changed meanwhile without its record having a later stamp.
    project.steps("- import: salesforce.Contact\n")
    project.door.post("change", {"object": "Contact", "records": [{"Id": ids[2], "Title": "Chief"}]})
    project.door.post("clock", {"advance": 60})
    assert project.run().state == "done"
    project.door.post("settings", {"hidden_fields": []})
    shown = project.run()
    assert "new: Title; everything was read again" in shown.steps[0].message
    titles = project.rows(f"SELECT Title FROM ({mirror}) WHERE Id = '{ids[2]}'")
    assert titles == [{"Title": "Chief"}]


@pytest.mark.slow
def test_a_merge_leads_to_the_survivor(project: Project) -> None:
    """Case 18."""
    kept, lost = project.door.seed("Contact", [{"LastName": "Kept"}, {"LastName": "Lost"}])
    project.door.post("clock", {"advance": 60})
    project.source("fields: [LastName]")
    project.steps("- import: salesforce.Contact\n- import_deleted: salesforce.Contact\n")
    assert project.run().state == "done"
    project.door.post("merge", {"object": "Contact", "master": kept, "losers": [lost]})
    project.door.post("clock", {"advance": 60})
    assert project.run().state == "done"
    gone = project.rows("SELECT Id, _backhaul_survivor FROM raw.salesforce__Contact WHERE _backhaul_deleted")
    assert [(row["Id"], row["_backhaul_survivor"]) for row in gone] == [(lost, kept)]
