"""Columns under column security, through whole steps of a project: what is hidden is never taken for empty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.errors import ConfigurationError
from backhaul.simulator import Running
from backhaul.workflow import Workspace
from backhaul.workflow.undoing import plan_undo

from .conftest import Tried, failed, reads_well
from .dynamics import NEWEST, made, newest, source

ALL = ["create", "read", "update"]
FILES = {
    "sources/dynamics.yml": source("lastname, jobtitle, department"),
    "transforms/export/wanted.sql": f"""
        select contactid as crm_id, 'Ours' as job, null::varchar as none, 'D' || lastname as part from ({NEWEST})
        """,
    "pipelines/read.yml": "steps:\n  - import: dynamics.contact\n",
    "pipelines/models.yml": "steps:\n  - transform: +export\n",
    "pipelines/fill.yml": """
        steps:
          - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},
             map: {jobtitle: {from: job, only_if_empty: true}}}
          - {export: dynamics.contact, name: empty_them, from: wanted, mode: update, key: {contactid: crm_id},
             map: {jobtitle: {from: none, nulls: clear}}}
        """,
    "pipelines/write.yml": """
        steps:
          - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id}, map: {department: part}}
        """,
}
READ = "pipelines/read.yml"


def secure(tried: Tried, **columns: list[str]) -> None:
    tried.org.settings({"secured_columns": {"contact": columns}})


@pytest.fixture
def tried(tmp_path: Path, orgs: Running) -> Tried:
    orgs.dynamics.settings({"secured_columns": {}, "administrator": False})
    files = {name: text for name, text in FILES.items() if name != "pipelines/models.yml"}
    tried = made(tmp_path, orgs, files)
    tried.edit({"pipelines/models.yml": FILES["pipelines/models.yml"]})
    tried.org.seed("contact", [{"lastname": "A", "jobtitle": "Spy"}, {"lastname": "B"}])
    tried.org.clock.advance(5)
    return tried


def test_a_hidden_column_is_not_imported_as_nulls(tried: Tried) -> None:
    secure(tried, jobtitle=ALL)
    with pytest.raises(ConfigurationError) as refused:
        tried.run("read")
    told = str(refused.value)
    assert reads_well(told) and told.startswith("sources/dynamics.yml:3: ")
    assert "dynamics.contact.jobtitle is hidden: this user may not read its values" in told
    assert "add the user" in told and "of account 'dynamics' to a column security profile" in told
    assert "that allows Read of contact.jobtitle" in told


def test_what_was_hidden_later_keeps_its_values_and_no_plan_takes_it_for_empty(tried: Tried) -> None:
    """Case 7: the run names it, keeps the last values and does the rest; back again, it is read whole."""
    assert not failed(tried.run("read")) and not failed(tried.run("models"))
    secure(tried, jobtitle=ALL)
    ids = {row["lastname"]: row["contactid"] for row in tried.rows(newest())}
    tried.org.change("contact", [{"contactid": ids["A"], "department": "X", "jobtitle": "Chief"}])
    tried.org.clock.advance(5)
    (step,) = tried.run("read").steps
    assert step.state == "done" and "dynamics.contact.jobtitle is hidden from this user" in step.message
    assert "its last values are kept" in step.message and "column security profile" in step.message
    rows = tried.rows(newest("lastname, jobtitle, department"))
    assert [tuple(row.values()) for row in sorted(rows, key=lambda row: str(row["lastname"]))] == [
        ("A", "Spy", "X"),
        ("B", None, None),
    ]
    # Neither a fill of what is empty nor a clearing is planned, and the reason is told.
    for exported in tried.project.pipelines["fill"].steps:
        with Workspace(tried.project) as workspace, pytest.raises(ConfigurationError, match="jobtitle is hidden"):
            workspace.plan(exported)  # type: ignore[arg-type]  # an export step
    with pytest.raises(ConfigurationError):
        tried.run("fill")
    assert {row["lastname"]: row["jobtitle"] for row in tried.org.dump("contact")} == {"A": "Chief", "B": None}
    # Other columns are written.
    assert not failed(tried.run("write"))
    secure(tried, jobtitle=[])
    tried.org.clock.advance(5)
    (step,) = tried.run("read").steps
    assert step.state == "done" and "new: jobtitle; everything was read again" in step.message
    rows = tried.rows(newest("lastname, jobtitle, department"))
    assert {row["lastname"]: (row["jobtitle"], row["department"]) for row in rows} == {
        "A": ("Chief", "DA"),
        "B": (None, "DB"),
    }


def test_a_column_that_is_secured_while_it_is_read_is_not_loaded_as_nulls(tried: Tried) -> None:
    assert not failed(tried.run("read"))
    ids = {row["lastname"]: row["contactid"] for row in tried.rows(newest())}
    tried.org.change("contact", [{"contactid": ids["A"], "department": "X"}])
    tried.org.clock.advance(5)
    with Workspace(tried.project) as workspace:
        assert "jobtitle" in workspace.connector("dynamics").describe("contact").fields
        secure(tried, jobtitle=ALL)
        (step,) = workspace.run("read").steps
    told = step.message
    assert step.state == "failed" and reads_well(told)
    assert "dynamics.contact.jobtitle was hidden from this user while it was being read" in told
    rows = tried.rows(newest("lastname, jobtitle, department"))
    assert {row["lastname"]: (row["jobtitle"], row["department"]) for row in rows}["A"] == ("Spy", None)
    # Allowed again, nothing of what came then is left: the window is read anew.
    secure(tried, jobtitle=[])
    assert not failed(tried.run("read"))
    rows = tried.rows(newest("lastname, jobtitle, department"))
    assert {row["lastname"]: (row["jobtitle"], row["department"]) for row in rows}["A"] == ("Spy", "X")


def test_what_is_hidden_is_listed_by_discover(tried: Tried) -> None:
    secure(tried, jobtitle=ALL)
    words = ["discover", "dynamics", "contact", "--like", "job", "--project-dir", str(tried.project.folder)]
    told = CliRunner().invoke(cli, words, env=dict(tried.orgs.environment))
    assert told.exit_code == 0 and "hidden from this user" in told.output and "jobtitle" in told.output, told.output
    (found,) = json.loads(CliRunner().invoke(cli, [*words, "--json"], env=dict(tried.orgs.environment)).stdout)[
        "hidden"
    ]
    assert found["field"] == "jobtitle" and "column security profile" in found["why"]


def test_a_write_that_column_security_forbids_is_refused_before_it_is_sent(tried: Tried) -> None:
    secure(tried, department=["update"])
    assert not failed(tried.run("read")) and not failed(tried.run("models"))
    tried.org.requests.clear()
    assert [step.state for step in tried.run("write").steps] == ["done with rejects"]
    written = [one for one in tried.org.requests.show()["log"] if one["method"] == "PATCH" or "Multiple" in one["path"]]
    assert not written and not any(row["department"] for row in tried.org.dump("contact"))
    told = tried.rows("SELECT error_symbol, class, count(*) AS n FROM backhaul.rejects GROUP BY ALL")
    assert told == [{"error_symbol": "FIELD_NOT_WRITABLE", "class": "permission", "n": 2}]


@pytest.mark.parametrize("rows", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_a_write_that_the_crm_forbids_is_a_reject_of_permission(tried: Tried, rows: int) -> None:
    """What the definitions did not tell: the column is secured between the look at it and the write."""
    tried.org.seed("contact", [{"lastname": f"N{n}"} for n in range(rows - 2)])
    assert not failed(tried.run("read")) and not failed(tried.run("models"))
    with Workspace(tried.project) as workspace:
        assert workspace.connector("dynamics").describe("contact").fields["department"].updateable
        secure(tried, department=["update"])
        assert [step.state for step in workspace.run("write").steps] == ["done with rejects"]
    told = tried.rows("SELECT error_symbol, class, count(*) AS n FROM backhaul.rejects GROUP BY ALL")
    assert told == [{"error_symbol": "0x8004f507", "class": "permission", "n": rows}]


def test_an_undo_leaves_what_it_may_not_read(tried: Tried) -> None:
    assert not failed(tried.run("read")) and not failed(tried.run("models"))
    written = tried.run("write")
    assert not failed(written)
    secure(tried, department=["read"])
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    with Workspace(tried.project) as workspace:
        assert [(plan.counts, {key[1] for key in plan.reasons}) for plan in plan_undo(workspace, written.run_id)] == [
            ({"skip": 2}, {"lost"})
        ]


def test_an_administrator_reads_what_is_secured(tried: Tried) -> None:
    """No profile names an administrator; the role lets everything be read."""
    secure(tried, jobtitle=ALL)
    tried.org.settings({"administrator": True})
    assert not failed(tried.run("read"))
    assert {row["lastname"]: row["jobtitle"] for row in tried.rows(newest("lastname, jobtitle"))} == {
        "A": "Spy",
        "B": None,
    }


def test_what_cannot_be_asked_counts_as_hidden(tried: Tried) -> None:
    secure(tried, jobtitle=[])
    tried.org.settings({"missing_privileges": ["prvReadSystemUser"]})
    with pytest.raises(ConfigurationError, match=r"jobtitle is hidden(.|\n)*could not be asked: .*prvReadSystemUser"):
        tried.run("read")
    tried.org.settings({"missing_privileges": []})
    assert not failed(tried.run("read"))
