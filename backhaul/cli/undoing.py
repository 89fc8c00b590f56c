"""The verb that takes back what a run wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import GUARDS, Session, on_project

if TYPE_CHECKING:
    from backhaul.export import Plan
    from backhaul.report import Table
    from backhaul.workflow import Workspace

_FIRST = 10
"""Rows of a kind that are listed unless all are asked for."""

_WRITES = ("create", "update", "delete", "restore")

_GUARDS = [*GUARDS, "only_tighten"]


@click.command("undo", short_help="Take back what a run wrote: show it, or do it with --apply.")
@click.argument("run")
@click.argument("step", required=False)
@click.option("--apply", "send", is_flag=True, help="Send it; without this it is only shown.")
@click.option("--all", "every", is_flag=True, help="List every row, not a sample.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(_GUARDS),
    help="Let a guard pass this once; only_tighten: take back opt-outs, too. May be repeated.",
)
@on_project
def undo_command(session: Session, run: str, step: str | None, send: bool, every: bool, allow: tuple[str, ...]) -> None:
    """Take back what RUN (or one STEP of it) wrote to the CRMs. RUN is an id of backhaul status.

    Values are put back, records that the run made are deleted, those that it deleted come back. What somebody or a
    later run has changed since stays as it is and is listed. Import first: the plan compares with the last import.
    """
    from backhaul.cli.running import finish
    from backhaul.workflow.undoing import plan_undo, undo

    with session.workspace() as workspace:
        if send:
            finish(session, undo(workspace, run, step, allow))
        tables: list[Table] = []
        document: list[dict[str, Any]] = []
        for plan in plan_undo(workspace, run, step, allow):
            tables += _tables(workspace, plan, every)
            document.append(_document(workspace, plan))
        session.console.tables(tables, {"plans": document})
        session.console.say("\nNothing was sent: --apply does it.")


def _tables(workspace: Workspace, plan: Plan, every: bool) -> list[Table]:
    """One step's undo: what it would do, to which values, and what it leaves as it is."""
    from backhaul.export.undo import LEFT
    from backhaul.report import shown_time, table

    limit = None if every else _FIRST
    said = {action: number for action, number in plan.counts.items() if action != "skip"}
    counts: list[dict[str, Any]] = [{"action": action, "rows": number, "why": ""} for action, number in said.items()]
    counts += [
        {"action": "left" if symbol in LEFT else "nothing to do", "rows": number, "why": reason}
        for (action, symbol, reason), number in plan.reasons.items()
        if action == "skip"
    ]
    for line in counts:
        reasons = [reason for (action, _, reason), _ in plan.reasons.items() if action == line["action"]]
        line["why"] = line["why"] or "; ".join(reasons)
    title = (
        f"{plan.step}: {plan.object} in {plan.account}, compared with the mirror of {shown_time(plan.freshness)} UTC"
    )
    tables = [table(title, counts or [{"action": "none", "rows": 0, "why": "the run wrote no row of it"}])]
    rows = list(plan.changes(workspace.warehouse, _WRITES, limit=limit))
    listed = [
        {"action": row.action, "record": row.key, "field": item.field, "now": item.old, "planned": item.new}
        for row in rows
        for item in row.changes
    ] + [
        {"action": row.action, "record": row.key, "field": "", "now": None, "planned": None}
        for row in rows
        if not row.changes
    ]
    if listed:
        shown = f"the first {len(rows)} rows (all of them: --all)" if len(rows) == limit else "every row"
        tables.append(table(shown, listed))
    left = plan.where(
        workspace.warehouse, "action = 'skip' AND symbol IN (" + ", ".join(f"'{name}'" for name in LEFT) + ")"
    )
    lines = [
        {"record": row.key, "field": item.field, "holds now": item.old, "held before": item.new, "why": row.reason}
        for row in left
        for item in row.changes
    ] + [
        {"record": row.key, "field": "", "holds now": None, "held before": None, "why": row.reason}
        for row in left
        if not row.changes
    ]
    if lines:
        some = "" if every or len(lines) <= _FIRST else f", the first {_FIRST} of {len(lines)} (all of them: --all)"
        tables.append(table(f"left as it is{some}", lines if every else lines[:_FIRST]))
    return tables


def _document(workspace: Workspace, plan: Plan) -> dict[str, Any]:
    """The plan as data, every row of it."""
    return {
        "step": plan.step,
        "account": plan.account,
        "object": plan.object,
        "mode": plan.mode,
        "freshness": plan.freshness,
        "counts": dict(plan.counts),
        "fields": dict(plan.fields),
        "rows": [
            {
                "record_id": row.key,
                "action": row.action,
                "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in row.changes],
                "symbol": row.symbol,
                "reason": row.reason,
            }
            for row in plan.changes(workspace.warehouse, (*_WRITES, "skip"))
        ],
    }
