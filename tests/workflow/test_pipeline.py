"""The template's pipeline over both simulators: once, again with nothing to do, and after changes on both sides."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

from backhaul.config import Step
from backhaul.simulator import Running, demo_orgs
from backhaul.workflow import RunResult, StepResult, Workspace, exit_code
from tests.workflow.conftest import Open, an_hour_later

TABLES = (
    "campaign.recipients",
    # What a link says of its record's own consent changes with what we write; who it links does not.
    "(SELECT recipient_id, record_key FROM campaign.recipient_links)",
    "campaign.duplicates",
    "campaign.engagement",
    "export.export_salesforce_contact",
    "export.export_dynamics_contact",
)


def content(workspace: Workspace) -> dict[str, set[str]]:
    return {
        table: {
            row["said"]
            for row in workspace.warehouse.rows(f"SELECT CAST(TO_JSON(t) AS VARCHAR) AS said FROM {table} AS t")
        }
        for table in TABLES
    }


def steps(result: RunResult, kind: str) -> dict[str, StepResult]:
    return {step.target: step for step in result.steps if step.kind == kind}


def live(orgs: Running) -> dict[str, dict[str, Any]]:
    """Every record of the four objects by id."""
    found: dict[str, dict[str, Any]] = {}
    for org, name, identity in (
        (orgs.salesforce, "Contact", "Id"),
        (orgs.salesforce, "Lead", "Id"),
        (orgs.dynamics, "contact", "contactid"),
        (orgs.dynamics, "lead", "leadid"),
    ):
        found |= {record[identity]: record for record in org.dump(name) if not record.get("IsDeleted")}
    return found


def opted_out(record: dict[str, Any]) -> bool:
    return bool(record.get("HasOptedOutOfEmail") or record.get("donotbulkemail"))


def export_step(workspace: Workspace) -> list[Step]:
    return [step for step in workspace.pipeline("contacts").steps if step.name == "export_salesforce_Contact"]


def test_a_guard_blocks_the_whole_plan_and_says_how_to_pass(opened: Open, orgs: Running, folder: Path) -> None:
    path = folder / "pipelines" / "contacts.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_rows: 50000", "max_rows: 3"), encoding="utf-8")
    before = live(orgs)
    with opened() as workspace:
        result = workspace.run("contacts")
    path.write_text(text, encoding="utf-8")
    assert exit_code(result.state) == 1
    blocked = next(step for step in result.steps if step.state == "blocked")
    assert "max_rows" in blocked.message and "--allow max_rows" in blocked.message
    assert {step.state for step in result.steps[result.steps.index(blocked) + 1 :]} == {"skipped"}
    with opened() as workspace:
        assert workspace.ledger.runs(1)[0]["message"].startswith(
            f"{blocked.kind} {blocked.target}: nothing was written"
        )
    assert sum(step.rows for step in steps(result, "import").values()) == len(before)
    assert live(orgs) == before


def test_a_plan_shows_the_very_rows_that_the_export_sends(opened: Open, orgs: Running) -> None:
    with opened() as workspace:
        (step,) = workspace.export_steps("contacts", "export_salesforce_Contact")
        planned = {
            row.key: {change.field: change.new for change in row.changes}
            for row in workspace.plan(step).changes(workspace.warehouse, ["update"])
        }
        before = live(orgs)
        result = workspace.run_steps(export_step(workspace), command="export", pipeline="contacts")
        rejected = {reject["key"] for reject in result.steps[0].details["rejects"]}
        assert result.steps[0].rows == len(planned) - len(rejected) > 0
    after = live(orgs)
    changed = {key for key in after if after[key] != before[key]}
    # Of a refused row nothing is written but its opt-out.
    opted = {key for key in rejected if planned[key].get("HasOptedOutOfEmail") and not opted_out(before[key])}
    assert changed == (planned.keys() - rejected) | opted
    assert all(opted_out(after[key]) for key in opted)
    for key in changed & rejected:
        assert after[key]["Campaign_Score__c"] == before[key]["Campaign_Score__c"]
    for key in changed - rejected:
        assert float(after[key]["Campaign_Score__c"]) == float(planned[key]["Campaign_Score__c"] or 0)
    assert after.keys() == before.keys()


def test_the_rest_follows_and_one_persons_opt_out_reaches_every_record(opened: Open, orgs: Running) -> None:
    before = live(orgs)
    with opened() as workspace:
        exports = [step for step in workspace.pipeline("contacts").steps if step.kind == "export"]
        result = workspace.run_steps(exports, command="export", pipeline="contacts")
        assert exit_code(result.state) in (0, 3), [step.message for step in result.steps]
        assert steps(result, "export")["salesforce.Contact"].details["batches"] == 0
        links = workspace.warehouse.rows(
            "SELECT l.record_id FROM campaign.recipient_links AS l JOIN campaign.recipients AS r USING (recipient_id) "
            "WHERE r.opted_out"
        )
        refused = {row["key"] for row in workspace.ledger.rejects()}
        read_only = {
            row["record_id"]
            for row in workspace.warehouse.rows("SELECT record_id FROM matching.records WHERE is_read_only")
        }
    records = live(orgs)
    assert all(opted_out(records[key]) for key, record in before.items() if opted_out(record))
    told = {row["record_id"] for row in links} - refused - read_only
    assert len(told) > len([key for key in before if opted_out(before[key])])
    assert all(opted_out(records[key]) for key in told)


def test_an_hour_later_our_own_changes_come_back_and_nothing_is_left_to_do(opened: Open, orgs: Running) -> None:
    an_hour_later(orgs)
    after = live(orgs)
    with opened() as workspace:
        tables = content(workspace)
        second = workspace.run("contacts")
        assert exit_code(second.state) == 0
        assert all(step.details["batches"] == 0 for step in steps(second, "export").values())
        assert content(workspace) == tables
    assert live(orgs) == after


def test_a_window_of_deletions_does_not_make_the_mirror_fresher(opened: Open) -> None:
    """It ends later than the import's, and what was sent in between has not come back yet."""
    with opened() as workspace:
        (step,) = workspace.export_steps("contacts", "export_salesforce_Contact")
        fresh = workspace.plan(step).freshness
        assert fresh is not None
        for kind, minutes in (("import_deleted", 10), ("import", 5)):
            window = {
                "kind": kind,
                "option_name": f"{kind} by hand",
                "account": "salesforce",
                "object": "Contact",
                "window_end": fresh + timedelta(minutes=minutes),
            }
            workspace.ledger.record_window("a run", kind, window)
        assert workspace.plan(step).freshness == fresh + timedelta(minutes=5)
        workspace.warehouse.execute(f"DELETE FROM {workspace.ledger.table('windows')} WHERE run_id = 'a run'")


def test_after_changes_on_both_sides_only_those_move(opened: Open, orgs: Running) -> None:
    an_hour_later(orgs)
    demo_orgs.edit(orgs.salesforce, orgs.dynamics)
    an_hour_later(orgs)
    with opened() as workspace:
        tables = content(workspace)
        third = workspace.run("contacts")
        assert 3 <= sum(step.details["rows_received"] for step in steps(third, "import").values()) <= 5
        changed = tables["campaign.recipients"] ^ content(workspace)["campaign.recipients"]
        assert 2 <= len(changed) <= 12
        assert {run["state"] for run in workspace.ledger.runs()} <= {"done", "done with rejects", "failed"}


def test_rejects_are_kept_with_reason_and_source_row_as_table_and_csv(opened: Open, orgs: Running) -> None:
    with opened() as workspace:
        row = workspace.warehouse.rows("SELECT crm_id FROM export.export_salesforce_contact ORDER BY crm_id LIMIT 1")[0]
        workspace.warehouse.execute("ALTER TABLE export.export_salesforce_contact ALTER score TYPE DECIMAL(9, 1)")
        workspace.warehouse.execute(
            "UPDATE export.export_salesforce_contact SET score = 12345 WHERE crm_id = ?", [row["crm_id"]]
        )
        result = workspace.run_steps(export_step(workspace), command="export", pipeline="contacts")
        assert exit_code(result.state) == 3
        rejects = {reject["key"]: reject for reject in workspace.ledger.rejects(step="export_salesforce_Contact")}
        assert rejects[row["crm_id"]]["error_symbol"] == "NUMBER_TOO_LARGE"
        with workspace.rejects_file("export_salesforce_Contact").open(encoding="utf-8", newline="") as file:
            written = {line["key"]: line for line in csv.DictReader(file)}
        assert written.keys() == rejects.keys()
        assert written[row["crm_id"]]["errorSymbol"] == "NUMBER_TOO_LARGE"
        assert float(written[row["crm_id"]]["source.score"]) == 12345
        again = workspace.run_steps(export_step(workspace), command="export", pipeline="contacts")
        assert again.steps[0].details["batches"] == 0  # refused before it is sent, and it still is a reject
        assert exit_code(again.state) == 3
