"""Objects too wide for one query, binaries, references to records of several objects: through whole steps."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from backhaul.crm import open_connector
from backhaul.errors import ConfigurationError
from backhaul.simulator import Running
from backhaul.workflow import workspace

from ..conftest import Door
from .on_salesforce import Project, state

WIDE = [f"A_Field_With_Quite_A_Long_Name_{number:03d}__c" for number in range(400)]
"""A statement with all of them is longer than an address may be."""


@pytest.fixture
def project(tmp_path: Path, running: Running, salesforce_door: Door) -> Iterator[Project]:
    yield Project(tmp_path, running, salesforce_door)


class Meddling(HTTPAdapter):
    """The wire, with somebody at work in the org: `meddle` is called once, after the first page of records came."""

    def __init__(self, meddle: Any) -> None:
        super().__init__()
        self._meddle = meddle

    def send(self, request: requests.PreparedRequest, *words: Any, **options: Any) -> requests.Response:
        answer = super().send(request, *words, **options)
        if "/query?q=" in str(request.url) and self._meddle is not None:
            meddle, self._meddle = self._meddle, None
            meddle()
        return answer


def over(adapter: BaseAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "open_connector", lambda account: open_connector(account, transport=adapter))


def wide(project: Project, road: str = "rest", fields: list[str] = WIDE) -> list[str]:
    """40 people with something in each of the fields, imported by the pipeline."""
    project.door.post("fields", {"object": "Contact", "fields": [{"name": name, "length": 30} for name in WIDE]})
    people = [{"LastName": f"P{n}", **{name: f"{n} in {name[-6:]}" for name in WIDE}} for n in range(40)]
    ids = project.door.seed("Contact", people)
    project.door.post("clock", {"advance": 60})
    project.source(f"road: {road}\nfields: [LastName, {', '.join(fields)}]\n")
    project.steps("- import: salesforce.Contact\n")
    return ids


def mirror(project: Project) -> dict[str, dict[str, Any]]:
    rows = project.rows(
        "SELECT * FROM raw.salesforce__Contact QUALIFY row_number() OVER (PARTITION BY Id ORDER BY LastModifiedDate "
        "DESC, _backhaul_seen_at DESC) = 1"
    )
    return {row["Id"]: {name: row[name] for name in ("LastName", *WIDE)} for row in rows}


def held(project: Project) -> dict[str, dict[str, Any]]:
    rows = project.door.dump("Contact")
    return {row["Id"]: {name: row[name] for name in ("LastName", *WIDE)} for row in rows if not row["IsDeleted"]}


def test_a_wide_object_comes_in_parts_and_whole(project: Project) -> None:
    wide(project)
    result = project.run()
    assert state(result)[0] == "done", state(result)
    assert result.steps[0].rows == 40
    assert mirror(project) == held(project)
    assert project.door.counts()["GET /services/data/v67.0/query"] > 1
    # Nothing new: the overlap's rows are known, and nothing is appended.
    assert project.run().steps[0].rows == 0


@pytest.mark.slow
def test_what_changes_between_the_parts_comes_whole_with_the_next_import(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wide(project)

    def meddle() -> None:
        project.door.post("clock", {"advance": 5})
        project.door.change("Contact", [{"Id": ids[3], "LastName": "Changed", WIDE[0]: "new", WIDE[-1]: "new"}])
        project.door.post("delete", {"object": "Contact", "ids": [ids[4]]})
        project.door.seed("Contact", [{"LastName": "Made", WIDE[-1]: "made"}])

    with monkeypatch.context() as patch:
        over(Meddling(meddle), patch)
        result = project.run()
    assert state(result)[0] == "done", state(result)
    assert result.steps[0].rows == 38
    project.door.post("clock", {"advance": 60})
    assert state(project.run())[0] == "done"
    now = mirror(project)
    assert {one: row for one, row in now.items() if one != ids[4]} == held(project)


@pytest.mark.slow
def test_a_record_that_comes_without_some_of_its_fields_fails_the_import(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = wide(project)

    def meddle() -> None:
        # Nobody changed it, and yet it is not what it was: its stamp is older.
        project.door.post("seed", {"object": "Contact", "records": [{"LastName": "Late"}], "modified_at": "2020-01-01"})

    with monkeypatch.context() as patch:
        over(Meddling(meddle), patch)
        result = project.run()
    assert state(result)[0] == "failed"
    assert "came without some of its fields" in result.steps[0].message
    assert state(project.run())[0] == "done"
    assert mirror(project) == held(project)
    assert len(ids) + 1 == len(mirror(project))


def test_a_filter_too_long_for_any_part_is_told(project: Project) -> None:
    wide(project)
    names = ", ".join(f"'{'n' * 60}{number:05d}'" for number in range(400))
    project.source(f"road: rest\nfields: [LastName]\nfilter:\n  all:\n    - {{field: LastName, in: [{names}]}}\n")
    with pytest.raises(ConfigurationError, match="shorten the filter"):
        project.run()


@pytest.mark.slow
def test_a_population_of_a_wide_object(project: Project) -> None:
    ids = wide(project)
    project.write(
        {
            "transforms/seeds/chosen.csv": "crm_id\n" + "\n".join(ids[:7]) + "\n",
            "pipelines/one.yml": "steps:\n  - transform: chosen\n  - import: salesforce.Contact\n",
        }
    )
    project.source(f"only: {{from: chosen, id: crm_id}}\nfields: [LastName, {', '.join(WIDE)}]\n")
    result = project.run()
    assert state(result)[0] == "done", state(result)
    assert mirror(project) == {one: row for one, row in held(project).items() if one in ids[:7]}


@pytest.mark.slow
def test_a_reference_to_records_of_several_objects_brings_the_object_too(project: Project) -> None:
    """Case 15."""
    (contact,) = project.door.seed("Contact", [{"LastName": "C", "Email": "c@example.com"}])
    (lead,) = project.door.seed("Lead", [{"LastName": "L", "Company": "X"}])
    project.door.seed("Task", [{"Subject": "a", "WhoId": contact}, {"Subject": "b", "WhoId": lead}, {"Subject": "c"}])
    project.door.post("clock", {"advance": 60})
    for road in ("rest", "bulk"):
        project.source(f"road: {road}\nfields: [Subject, WhoId, Who.Email]\n", "Task")
        project.steps("- import: salesforce.Task\n")
        result = project.run(full_refresh=True)
        assert state(result)[0] == "done", state(result)
        rows = project.rows("SELECT Subject, WhoId, Who_Type, Who_Email FROM raw.salesforce__Task ORDER BY Subject")
        assert [tuple(row.values()) for row in rows] == [
            ("a", contact, "Contact", "c@example.com"),
            ("b", lead, "Lead", None),
            ("c", None, None, None),
        ]


def test_a_binary_makes_the_round(project: Project) -> None:
    """Imported where it is named, and not by discover; compared, and written as base64."""
    (contact,) = project.door.seed("Contact", [{"LastName": "C"}])
    contents = [b"\x00\xff\x1f" * 500, b'text, "quoted"\n', b"plain"]
    ids = project.door.seed(
        "Attachment",
        [
            {"Name": f"{n}.bin", "ParentId": contact, "Body": base64.b64encode(content).decode()}
            for n, content in enumerate(contents)
        ],
    )
    project.door.post("clock", {"advance": 60})
    project.source("road: bulk\nfields: [Name, Body]\n", "Attachment")
    project.write(
        {
            "transforms/export/turned.sql": """
                select Id as crm_id, case when Name = '2.bin' then from_base64('qw==') else Body end as body
                from {{ source('salesforce', 'Attachment') }}
                qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1
                """
        }
    )
    project.steps(
        """
        - import: salesforce.Attachment
        - transform: turned
        - {export: salesforce.Attachment, from: turned, mode: update, key: {Id: crm_id}, map: {Body: body}}
        """
    )
    result = project.run()
    assert state(result)[0] == "done", state(result)
    rows = project.rows("SELECT Id, Body FROM raw.salesforce__Attachment")
    assert {row["Id"]: bytes(row["Body"]) for row in rows} == dict(zip(ids, contents, strict=True))
    assert result.steps[-1].rows == 1
    held = {row["Id"]: base64.b64decode(row["Body"]) for row in project.door.dump("Attachment")}
    assert held == {**dict(zip(ids, contents, strict=True)), ids[2]: b"\xab"}


@pytest.mark.slow
def test_fields_of_related_records_filter_and_order(project: Project) -> None:
    accounts = project.door.seed("Account", [{"Name": "Acme"}, {"Name": "Other"}])
    project.door.seed("Contact", [{"LastName": f"P{n}", "AccountId": accounts[n % 2]} for n in range(6)])
    project.door.post("clock", {"advance": 60})
    for road in ("rest", "bulk"):
        project.source(
            f"""
            road: {road}
            fields: [LastName, Account.Name]
            filter:
              all:
                - {{field: Account.Name, starts_with: Ac}}
                - {{field: Account.Owner.IsActive, eq: true}}
            order_by: [{{Account.Name: desc}}, LastName]
            """
        )
        project.steps("- import: salesforce.Contact\n")
        result = project.run(full_refresh=True)
        assert state(result)[0] == "done", state(result)
        rows = project.rows("SELECT LastName, Account_Name FROM raw.salesforce__Contact ORDER BY LastName")
        assert [tuple(row.values()) for row in rows] == [("P0", "Acme"), ("P2", "Acme"), ("P4", "Acme")]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [100, 1000])
def test_a_parent_of_one_of_several_objects_is_set_by_its_key(project: Project, rows: int) -> None:
    """Collections say the object beside the key, a job's file says it in the header."""
    project.door.seed("Contact", [{"LastName": f"C{n}", "Email": f"c{n}@example.com"} for n in range(3)])
    project.door.post("clock", {"advance": 60})
    project.source("fields: [Subject]\n", "Task")
    number = {"name": "No__c", "type": "string", "length": 20, "external_id": True, "unique": True, "id_lookup": True}
    project.door.post("fields", {"object": "Task", "fields": [number]})
    project.write(
        {
            "transforms/seeds/calls.csv": "no,subject,email\n"
            + "".join(f"N{n},Call {n},c{n % 3}@example.com\n" for n in range(300)),
            "transforms/export/calls_out.sql": "select no, subject, email from {{ ref('calls') }}",
        }
    )
    project.steps(
        f"""
        - transform: +calls_out
        - import: salesforce.Task
        - {{export: salesforce.Task, from: calls_out, identify: no, batch: {{rows: {rows}}},
           map: {{No__c: no, Subject: subject, "Contact:Who.Email": email}}}}
        """
    )
    result = project.run()
    assert state(result)[0] == "done", state(result)
    people = {row["Id"]: row["Email"] for row in project.door.dump("Contact")}
    made = {row["No__c"]: people[row["WhoId"]] for row in project.door.dump("Task")}
    assert made == {f"N{n}": f"c{n % 3}@example.com" for n in range(300)}
    assert ("/jobs/ingest" in str(project.door.counts())) == (rows == 1000)


@pytest.mark.slow
def test_exported_choices_are_quiet_after_one_round(project: Project) -> None:
    """As a JSON list, a list or a text, in whatever order: what the CRM holds already is no change."""
    topics = ["Events;News", "News;Events", None, "Offers"]
    ids = project.door.seed("Contact", [{"LastName": f"P{n}", "Newsletter_Topics__c": t} for n, t in enumerate(topics)])
    project.door.post("clock", {"advance": 60})
    project.source("fields: [LastName, {name: Newsletter_Topics__c, convert: list}]\n")
    wanted = ["'News;Events'", "['Events', 'News']", "['Product']", '\'["Offers", "News"]\'::json']
    for place, value in enumerate(wanted):
        project.write({f"transforms/export/m{place}.sql": f"select '{ids[place]}' as crm_id, {value} as topics"})
    exports = "".join(
        f"- {{export: salesforce.Contact, name: e{place}, from: m{place}, mode: update, key: {{Id: crm_id}}, "
        "map: {Newsletter_Topics__c: topics}}\n"
        for place in range(4)
    )
    project.steps("- import: salesforce.Contact\n- transform: +export\n" + exports)
    result = project.run()
    assert state(result)[0] == "done", state(result)
    assert [step.rows for step in result.steps[2:]] == [0, 0, 1, 1]
    project.door.post("clock", {"advance": 60})
    again = project.run()
    assert [step.rows for step in again.steps[2:]] == [0, 0, 0, 0], state(again)
    held = {row["Id"]: row["Newsletter_Topics__c"] for row in project.door.dump("Contact")}
    assert [set(str(held[one]).split(";")) for one in ids] == [
        {"Events", "News"},
        {"Events", "News"},
        {"Product"},
        {"News", "Offers"},
    ]
