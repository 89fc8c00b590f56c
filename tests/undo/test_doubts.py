"""Rows that were sent and never answered, listed and settled by hand; later plans, status and undo respect it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backhaul.cli import cli
from backhaul.simulator import Running
from backhaul.workflow import exit_code
from tests.undo.conftest import Tried
from tests.undo.test_undo import AFTER


def do(tried: Tried, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, [*words, "--project-dir", str(tried.folder)], env=dict(tried.orgs.environment))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def listed(tried: Tried, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(do(tried, "doubts", "list", *words, "--json").stdout)["doubts"]
    return found


def in_doubt(tried: Tried) -> dict[str, str]:
    """Four people sent, and the reply lost; gives their ids by name."""
    tried.people(AFTER)
    tried.org.faults.add({"match": {"path": "/composite/sobjects"}, "times": 1, "action": {"drop_reply": True}})
    result = tried.run("insert")
    tried.org.faults.clear()
    assert exit_code(result.state) == 1 and "backhaul doubts list" in result.steps[-1].message
    return {record["LastName"]: one for one, record in tried.live().items()}


@pytest.fixture
def doubtful(tmp_path: Any, orgs: Running) -> Tried:
    """New records are in doubt on Salesforce only: Dataverse's have ids that we name, and are sent again."""
    made = Tried(tmp_path, orgs, "salesforce")
    made.org.reset()
    return made


def test_rows_in_doubt_are_listed_and_settled(doubtful: Tried) -> None:
    ids = in_doubt(doubtful)
    rows = {row["key"]: row for row in listed(doubtful)}
    assert set(rows) == {"M1", "M2", "M3", "M4"}
    assert rows["M1"]["sent"] == {"LastName": "One more", "Email": "one@example.com", "Campaign_Score__c": "10.0"}
    assert (rows["M1"]["object"], rows["M1"]["operation"]) == ("Contact", "create")
    assert rows["M1"]["message"] and rows["M1"]["sent_at"]
    assert "rows in doubt" in do(doubtful, "status").stdout and "backhaul doubts list" in do(doubtful, "status").stdout
    told = do(doubtful, "doubts", "list").output
    assert "backhaul doubts settle salesforce_insert M1 --as done --record-id ID" in told
    # What was made is named; a verdict that lacks something settles nothing.
    settle = ("doubts", "settle", "salesforce_insert")
    assert "M1" in do(doubtful, *settle, "M1", "--as", "done", code=2).output
    assert "nothing was settled" in do(doubtful, *settle, "--all", "--as", "done", code=2).output
    assert "no row is in doubt" in do(doubtful, *settle, "M9", "--as", "not-done", code=2).output
    do(doubtful, *settle, "--as", "done", code=2)
    do(doubtful, *settle, "--all", "--as", "not-done", "--record-id", ids["Four"], code=2)
    assert len(listed(doubtful)) == 4
    do(doubtful, *settle, "M1", "--as", "done", "--record-id", ids["One more"])
    path = doubtful.folder / "found.csv"
    path.write_text(f"key,record_id\nM2,{ids['Two']}\nM3,{ids['Three']}\n", encoding="utf-8")
    do(doubtful, *settle, "--ids", str(path), "--as", "done")
    doubtful.org.delete("Contact", [ids["Four"]])
    assert [row["key"] for row in listed(doubtful)] == ["M4"]
    do(doubtful, *settle, "--all", "--as", "not-done")
    assert listed(doubtful) == []
    assert {row["key"]: row["state"] for row in listed(doubtful, "--every")} == {
        "M1": "done", "M2": "done", "M3": "done", "M4": "rejected",
    }  # fmt: skip
    # The next run sends what was not done, once, and nothing else.
    step = doubtful.run("insert").steps[-1]
    assert (step.state, step.details["created"]) == ("done", 1), step.message
    assert step.details["skipped"] == {"created before": 3}
    assert sorted(record["LastName"] for record in doubtful.live().values()) == ["Four", "One more", "Three", "Two"]


@pytest.mark.slow
def test_what_was_settled_as_done_is_undone_with_its_run(doubtful: Tried) -> None:
    ids = in_doubt(doubtful)
    run = listed(doubtful)[0]["run_id"]
    path = doubtful.folder / "found.csv"
    rows = [("M1", "One more"), ("M2", "Two"), ("M3", "Three"), ("M4", "Four")]
    path.write_text("key,record_id\n" + "".join(f"{key},{ids[name]}\n" for key, name in rows), encoding="utf-8")
    do(doubtful, "doubts", "settle", "salesforce_insert", "--ids", str(path), "--as", "done")
    doubtful.later()
    # Somebody has worked on one of them before anybody knew what had become of it.
    doubtful.org.change("Contact", [{"Id": ids["Three"], "Title": "Director"}])
    doubtful.later()
    doubtful.run("import")
    undone = doubtful.undo(run)
    assert exit_code(undone.state) == 0, undone.steps[-1].message
    assert list(doubtful.live()) == [ids["Three"]]


def test_a_file_that_is_none(doubtful: Tried) -> None:
    in_doubt(doubtful)
    path = doubtful.folder / "found.csv"
    settle = ("doubts", "settle", "salesforce_insert", "--as", "done", "--ids", str(path))
    assert "cannot be read" in do(doubtful, *settle, code=2).output
    path.write_text("id\n1\n", encoding="utf-8")
    assert "key,record_id" in do(doubtful, *settle, code=2).output
    path.write_bytes(b"\xff\xfe\x00key")
    assert "cannot be read" in do(doubtful, *settle, code=2).output
