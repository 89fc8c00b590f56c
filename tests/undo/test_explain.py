"""Where a value came from and went, as a person and as a program ask, over both CRMs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.errors import ConfigurationError
from backhaul.workflow.explaining import Explanation, explain
from tests.undo.conftest import Tried


def explained(tried: Tried, record_id: str, field: str | None = None) -> Explanation:
    with tried.open() as workspace:
        return explain(workspace, tried.crm, tried.names["object"], record_id, field)


def test_the_story_of_a_record_that_was_imported_written_and_deleted(tried: Tried) -> None:
    n = tried.names
    (one,) = tried.seed([("M1", "One", "one@example.com", 1, False)])
    tried.people([("M1", "Other", "", 2, False)])
    first = tried.run("update")
    tried.later()
    tried.org.change(n["object"], [{n["id"]: one, n["name"]: "A person's"}])
    tried.later()
    tried.run("import")
    second = tried.run("delete")
    found = explained(tried, one)
    # Plans are stamped by this machine's clock, which the org's is ahead of here.
    assert sorted(event.kind for event in found.events) == sorted(
        ["imported", "planned", "sent", "answered", "written"] * 2
    )
    by_kind: dict[str, list[Any]] = {}
    for event in found.events:
        by_kind.setdefault(event.kind, []).append(event)
    wrote, deleted = by_kind["written"]
    assert (wrote.run_id, deleted.run_id, deleted.what) == (first.run_id, second.run_id, "deleted by us")
    assert ("Other", "One") in {(value.new, value.old) for value in wrote.values}
    seen, again = by_kind["imported"]
    assert seen.what.startswith("first seen") and again.what.startswith("changed")
    assert {(v.old, v.new) for v in again.values if v.field == n["name"]} == {("One", "A person's")}
    assert found.now is None
    only = explained(tried, one, n["name"])
    assert all({value.field for value in event.values} <= {n["name"]} for event in only.events)
    assert "nothing" not in {event.kind for event in only.events}


@pytest.mark.slow
def test_what_was_sent_since_the_import_is_what_the_crm_holds(tried: Tried) -> None:
    n = tried.names
    (one,) = tried.seed([("M1", "One", "one@example.com", 1, False)])
    tried.people([("M1", "Other", "", 2, False)])
    tried.run("update")
    found = explained(tried, one)
    assert found.now is not None and found.now[n["name"]] == "Other" and found.now[n["member"]] == "M1"
    assert [(step, row["name"]) for step, _, row in found.models if step.endswith("_update")] == [
        (f"{tried.crm}_update", "Other")
    ]
    short = one[:15] if tried.crm == "salesforce" else "{" + one.upper() + "}"
    assert explained(tried, short) == found


@pytest.mark.slow
def test_a_refused_row_tells_its_reject(tried: Tried) -> None:
    (one,) = tried.seed([("M1", "One", "", 1, False)])
    tried.people([("M1", "N" * 300, "", 2, False)])
    tried.run("update")
    kinds = [event for event in explained(tried, one).events if event.kind == "rejected"]
    assert [event.what.split(":")[0] for event in kinds] == ["VALUE_TOO_LONG"]


def test_what_nobody_knows_is_answered_with_what_to_do(tried: Tried) -> None:
    (one,) = tried.seed([("M1", "One", "", 1, False)])
    tried.run("import")
    with pytest.raises(ConfigurationError, match=r"nothing is known of 'nobody'(.|\n)*backhaul import"):
        explained(tried, "nobody")
    with pytest.raises(ConfigurationError, match="no field 'Emial'"):
        explained(tried, one, "Emial")
    with tried.open() as workspace, pytest.raises(ConfigurationError, match=r"sources/ declares no object"):
        explain(workspace, tried.crm, "Contract", one)


def test_on_the_command_line(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    n = tried.names
    (one,) = tried.seed([("M1", "One", "", 1, False)])
    tried.people([("M1", "Other", "", 2, False)])
    result = tried.run("update")
    for name, value in tried.orgs.environment.items():
        monkeypatch.setenv(name, value)
    words = ["--project-dir", str(tried.folder)]
    target = f"{tried.crm}.{n['object']}"
    told = CliRunner().invoke(cli, ["explain", target, one, n["name"], *words])
    assert told.exit_code == 0, told.output
    assert "first seen" in told.output and "Other" in told.output
    data = json.loads(CliRunner().invoke(cli, ["explain", target, one, "--json", *words]).stdout)
    assert data["record_id"] == one and "imported" in {event["kind"] for event in data["events"]}
    shown = CliRunner().invoke(cli, ["undo", result.run_id, *words])
    assert shown.exit_code == 0 and "Nothing was sent" in shown.output, shown.output
    plan = json.loads(CliRunner().invoke(cli, ["undo", result.run_id, "--json", *words]).stdout)["plans"][0]
    assert plan["counts"] == {"update": 1} and tried.live()[one][n["name"]] == "Other"
    sent = CliRunner().invoke(cli, ["undo", result.run_id, "--apply", *words])
    assert sent.exit_code == 0 and tried.live()[one][n["name"]] == "One", sent.output


@pytest.mark.slow
def test_a_plan_as_a_page(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    n = tried.names
    tried.seed([("M1", "One <b>", "", 1, False), ("M2", "Two", "", 1, False)])
    tried.people([("M1", "Other & more", "", 2, True), ("M2", "N" * 300, "", 1, False)])
    tried.run("import")
    with tried.open() as workspace:
        workspace.run_steps(workspace.pipeline(f"{tried.crm}_update").steps[1:2], command="transform")
    for name, value in tried.orgs.environment.items():
        monkeypatch.setenv(name, value)
    path = tried.folder / "plan.html"
    words = ["plan", f"{tried.crm}_update", "--html", str(path), "--project-dir", str(tried.folder)]
    told = CliRunner().invoke(cli, words)
    assert told.exit_code == 0, told.output
    page = path.read_text(encoding="utf-8")
    assert "One &lt;b&gt;" in page and "Other &amp; more" in page and "One <b>" not in page
    assert page.index("VALUE_TOO_LONG") < page.index("Other &amp; more")
    assert f"{n['object']} in {tried.crm}" in page
    bad = CliRunner().invoke(cli, [*words[:3], str(tried.folder / "no" / "plan.html"), *words[4:]])
    assert bad.exit_code == 2 and "cannot be written" in bad.output and "Traceback" not in bad.output
