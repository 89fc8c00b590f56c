"""The verb that tells where a record's values came from and went."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import Session, on_project

if TYPE_CHECKING:
    from backhaul.workflow.explaining import Event


@click.command("explain", short_help="Tell where a record's values came from and went.")
@click.argument("target", metavar="ACCOUNT.OBJECT")
@click.argument("record_id", metavar="ID")
@click.argument("field", required=False)
@on_project
def explain_command(session: Session, target: str, record_id: str, field: str | None) -> None:
    """Tell everything that is known of a record (or of one FIELD of it), in time order.

    Imports that brought it, plans that named it, what was sent and answered, rejects, conflicts, what we wrote, and
    what the CRM holds now as far as it is known here. No CRM is asked. Times are UTC.
    """
    from backhaul.report import shown_time, table
    from backhaul.workflow.explaining import explain

    account, _, name = target.partition(".")
    with session.workspace() as workspace:
        found = explain(workspace, account, name, record_id, field)
    lines = [line for event in found.events for line in _lines(event)]
    tables = [table(f"{target} {found.record_id}", lines, ("when", "what", "field", "from", "to", "step", "run"))]
    rows = [
        {"step": step, "model": model, "column": column, "value": value}
        for step, model, row in found.models
        for column, value in row.items()
    ]
    if rows:
        tables.append(table("rows of export models that name it", rows))
    title = f"what the CRM holds, as imported until {shown_time(found.freshness) or 'never'} UTC and sent since"
    now = [{"field": name, "value": value} for name, value in (found.now or {}).items()]
    tables.append(table(title, now or [{"field": "the record is gone", "value": None}]))
    session.console.tables(tables, asdict(found))


def _lines(event: Event) -> list[dict[str, Any]]:
    """An event as lines of a table: one a field, the first with what happened."""
    from backhaul.report import shown_time

    head = {
        "when": shown_time(event.at),
        "what": f"{event.kind}: {event.what}",
        "step": event.step,
        "run": event.run_id,
    }
    empty = {"when": "", "what": "", "step": "", "run": ""}
    return [
        {**(empty if number else head), "field": value.field, "from": value.old, "to": value.new}
        for number, value in enumerate(event.values)
    ] or [{**head, "field": "", "from": None, "to": None}]
