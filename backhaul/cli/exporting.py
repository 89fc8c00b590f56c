"""The verbs of exports: plan, apply, export, retry, resume, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import ALLOW, ALLOW_ALL, RETRY, Session, on_project
from backhaul.cli.running import finish

if TYPE_CHECKING:
    from backhaul.config import DeleteStep, ExportStep
    from backhaul.export import Plan, PlannedChange
    from backhaul.report import Table
    from backhaul.workflow import Workspace

SAMPLE = 10
"""Rows that a plan lists unless all are asked for."""

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("plan", short_help="Show every change that a pipeline's exports would make; write nothing.")
@click.argument("pipeline")
@click.argument("step", required=False)
@click.option("--all", "every", is_flag=True, help="List every row, not a sample.")
@click.option("--out", type=_FILE, help="Write the plan to a Parquet file that `backhaul apply` takes.")
@click.option("--html", type=_FILE, help="Write the plan to a page to be read in a browser.")
@RETRY
@on_project
def plan_command(  # noqa: PLR0913 - a command's options, each by its name
    session: Session, pipeline: str, step: str | None, every: bool, out: Path | None, html: Path | None, retry: bool
) -> None:
    """Show every change that PIPELINE's exports (or one STEP) would make. Nothing is written to a CRM.

    The plan compares the export model with the mirror: what the CRM held at the last import.
    """
    from backhaul.workflow.resuming import file_plans

    with session.workspace() as workspace:
        tables: list[Table] = []
        document: list[dict[str, Any]] = []
        plans, pages = [], []
        for export in workspace.export_steps(pipeline, step):
            plan = workspace.plan(export, retry=retry)
            made, described = _plan(workspace, export, plan, every)
            plans.append(plan)
            tables += made
            document.append(described)
            if html is not None:
                pages.append(_paged(workspace, plan, described["blocked_by"]))
        if out is not None:
            file_plans(workspace, pipeline, plans, out)
        if html is not None:
            _write_page(html, pages)
            session.console.say(f"\nthe page is {html}")
        session.console.tables(tables, {"plans": document, **({"file": str(out)} if out else {})})
        if out is not None:
            session.console.say(f"\nthe plan is in {out}\nnext: backhaul apply {out}")


@click.command("apply", short_help="Send exactly the plan of a file, or nothing.")
@click.argument("file", type=_FILE)
@ALLOW
@on_project
def apply_command(session: Session, file: Path, allow: tuple[str, ...]) -> None:
    """Send the plan in FILE, which `backhaul plan --out FILE` wrote: exactly its rows, or nothing.

    It is refused when model, mapping or mirror have changed so that the plan would be another one by now.
    """
    from backhaul.workflow.resuming import apply_file

    with session.workspace() as workspace:
        finish(session, apply_file(workspace, file, allow))


@click.command("export", short_help="Plan and send a pipeline's exports.")
@click.argument("pipeline")
@click.argument("step", required=False)
@ALLOW
@RETRY
@on_project
def export_command(session: Session, pipeline: str, step: str | None, allow: tuple[str, ...], retry: bool) -> None:
    """Plan and send PIPELINE's exports and deletes (or one STEP), from the models as they stand."""
    with session.workspace() as workspace:
        steps = list(workspace.export_steps(pipeline, step))
        finish(session, workspace.run_steps(steps, command="export", pipeline=pipeline, allow=allow, retry=retry))


@click.command("retry", short_help="Send rows again that the CRM refused, from the models as they stand.")
@click.argument("pipeline")
@click.argument("step", required=False)
@ALLOW
@on_project
def retry_command(session: Session, pipeline: str, step: str | None, allow: tuple[str, ...]) -> None:
    """Send PIPELINE's refused rows again (or those of one STEP), whether or not anything about them has changed.

    Only steps with open rejects run; what they have to write besides is written, too.
    """
    with session.workspace() as workspace:
        open_ones = {reject["step"] for reject in workspace.ledger.rejects()}
        steps = [one for one in workspace.export_steps(pipeline, step) if one.name in open_ones]
        if not steps:
            session.console.tables([], {"steps": []})
            session.console.say("no row of these steps is refused: nothing to send again")
            return
        finish(session, workspace.run_steps(steps, command="export", pipeline=pipeline, allow=allow, retry=True))


@click.command("resume", short_help="Finish a run that was killed or failed: the steps that are not done.")
@click.argument("pipeline", required=False)
@ALLOW_ALL
@on_project
def resume_command(session: Session, pipeline: str | None, allow: tuple[str, ...]) -> None:
    """Finish the newest run (of PIPELINE) that was killed or failed: its steps that are not done, in order.

    What was sent and answered before it ended is not sent again. The next run of the pipeline does the same, after
    doing the earlier steps anew.
    """
    from backhaul.workflow.resuming import resume

    with session.workspace() as workspace:
        finish(session, resume(workspace, pipeline, allow))


@click.group("conflicts", short_help="Show, and decide, what CRM and model disagree about.")
def conflicts_command() -> None:
    """Show, and decide, what CRM and model disagree about.

    A row waits here when both sides changed a field since they last agreed and no owner is declared, and a field when
    the CRM made something else of what it was sent, twice.
    """


@conflicts_command.command("list", short_help="List the fields that wait for a decision.")
@click.argument("step", required=False)
@click.option("--every", is_flag=True, help="Also those that were decided, or have gone since.")
@on_project
def list_conflicts(session: Session, step: str | None, every: bool) -> None:
    """List the fields (of one STEP) that wait for a decision, with what the CRM and the model say."""
    from backhaul.report import shown_time, table

    with session.workspace() as workspace:
        rows = [
            {
                "step": row["step"],
                "key": row["key"],
                "field": row["field"],
                "kind": row["kind"],
                "crm": row["crm_value"],
                "model": row["model_value"],
                "state": row["state"] if row["state"] != "resolved" else f"resolved: {row['take']}",
                "since": shown_time(row["first_at"]),
            }
            for row in workspace.ledger.conflicts(step=step, every=every)
        ]
        columns = ("step", "key", "field", "kind", "crm", "model", "state", "since")
        session.console.tables([table(f"{len(rows)} conflicts", rows, columns)], {"conflicts": rows})
        if rows and not every:
            first = rows[0]
            session.console.say(
                f"\nnext: backhaul conflicts resolve {first['step']} {first['key']} {first['field']} --take crm"
            )


@conflicts_command.command("resolve", short_help="Decide a conflict for the CRM's value or the model's.")
@click.argument("step")
@click.argument("key")
@click.argument("field", required=False)
@click.option("--take", type=click.Choice(["crm", "campaign"]), required=True, help="Whose value counts.")
@on_project
def resolve_conflict(session: Session, step: str, key: str, field: str | None, take: str) -> None:
    """Decide what waits under KEY of STEP (or its one FIELD): the CRM's value stays, or the campaign's is written.

    The decision is about the two values as they are now; when one of them changes, it is asked anew.
    """
    from backhaul.errors import ConfigurationError

    with session.workspace() as workspace:
        with workspace.leased("conflicts resolve"):
            found = workspace.ledger.resolve_conflicts(step, key, field or "", take)
        if not found:
            of = f" of the field {field}" if field else ""
            raise ConfigurationError(
                f"no conflict{of} waits under the key {key!r} of the step {step!r}", hint="backhaul conflicts list"
            )
        session.console.tables([], {"resolved": found, "take": take})
        then = "is written by the next export" if take == "campaign" else "stays in the CRM"
        session.console.say(f"{found} decided: the value of the {'model' if take == 'campaign' else 'CRM'} {then}")


def _plan(
    workspace: Workspace, step: ExportStep | DeleteStep, plan: Plan, every: bool
) -> tuple[list[Table], dict[str, Any]]:
    """A plan as tables and as data. Rows that have nothing to change are listed with --all only."""
    from backhaul.export import blocked_by
    from backhaul.report import shown_time, table

    cost = workspace.cost(step, plan)
    broken = blocked_by(plan, step, (), workspace.ledger.last_applied(step.name))
    limit = None if every or workspace_json(workspace) else SAMPLE
    rows = list(plan.changes(workspace.warehouse, ("create", "delete", "refuse", "update"), limit=limit))
    rows += plan.changes(workspace.warehouse, ("skip",)) if every else _told_skips(workspace, plan, limit)
    title = (
        f"{plan.step}: {plan.object} in {plan.account}, compared with the mirror of {shown_time(plan.freshness)} UTC"
    )
    counts = [
        {"action": action, "rows": plan.counts[action], "why": ""}
        for action in plan.counts
        if action not in ("skip", "refuse")
    ]
    counts += [
        {"action": action, "rows": number, "why": f"{symbol}: {reason}" if action != "skip" else reason}
        for (action, symbol, reason), number in plan.reasons.items()
    ]
    tables = [table(title, counts or [{"action": "none", "rows": 0, "why": "the model is empty"}])]
    if plan.fields:
        tables.append(table("fields that change", [{"field": f, "rows": n} for f, n in plan.fields.items()]))
    listed = [line for row in rows for line in _lines(row)]
    if listed:
        shown = "every row" if every else f"the first {len(rows)} rows (all of them: --all)"
        tables.append(table(shown, listed))
    if plan.writes():
        read = f" ({cost.reads:,} of them to read opt-outs before the deletes)" if cost.reads else ""
        time = "less than a minute" if cost.minutes < 1 else f"{cost.minutes:,.0f} minutes"
        takes = f"about {cost.calls:,} API requests{read}, {time}"
        tables.append(table("applying it", [{"takes": takes, "blocked by": sentence} for sentence in broken or [""]]))
    document = {
        "step": plan.step,
        "account": plan.account,
        "object": plan.object,
        "mode": plan.mode,
        "freshness": plan.freshness,
        "counts": dict(plan.counts),
        "fields": dict(plan.fields),
        "api_calls": cost.calls,
        "minutes": round(cost.minutes, 2),
        "blocked_by": broken,
        "skipped": [
            {"symbol": symbol, "reason": reason, "rows": number}
            for (action, symbol, reason), number in plan.reasons.items()
            if action == "skip"
        ],
        "rows": [_as_data(row) for row in rows],
    }
    return tables, document


def _paged(workspace: Workspace, plan: Plan, broken: Sequence[str]) -> dict[str, Any]:
    """A plan as its page takes it: what a person has to look at first, then as many rows as the page lists."""
    from backhaul.report_page import MOST_ROWS, ORDER

    told = _told_skips(workspace, plan, MOST_ROWS)
    rows = [*plan.where(workspace.warehouse, "action = 'refuse'", f" LIMIT {MOST_ROWS}"), *told]
    for action in ORDER:
        if action not in ("refuse", "skip") and len(rows) < MOST_ROWS:
            rows += plan.changes(workspace.warehouse, (action,), limit=MOST_ROWS - len(rows))
    rows = rows[:MOST_ROWS]
    quiet = sum(row.action != "skip" for row in rows)
    return {
        "step": plan.step,
        "account": plan.account,
        "object": plan.object,
        "freshness": plan.freshness,
        "counts": dict(plan.counts),
        "fields": dict(plan.fields),
        "blocked_by": broken,
        "reasons": [
            {"action": action, "symbol": symbol, "reason": reason, "rows": number}
            for (action, symbol, reason), number in plan.reasons.items()
        ],
        "rows": [_as_data(row) for row in rows],
        "more": sum(number for action, number in plan.counts.items() if action != "skip") - quiet,
    }


def _write_page(path: Path, pages: Sequence[dict[str, Any]]) -> None:
    """Write the page, or say in one sentence why it cannot be written."""
    from backhaul.errors import ConfigurationError
    from backhaul.report_page import plan_page

    try:
        path.write_text(plan_page(pages), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", hint="name a file in a folder that is there"
        ) from None


def _told_skips(workspace: Workspace, plan: Plan, limit: int | None) -> list[PlannedChange]:
    """The skipped rows that a person should know of: all but those that have nothing to change."""
    bound = f" LIMIT {limit}" if limit is not None else ""
    quiet = "('unchanged', 'created before', 'exists', 'gone', 'archived')"
    return plan.where(workspace.warehouse, f"action = 'skip' AND symbol NOT IN {quiet}", bound)


def _lines(row: PlannedChange) -> list[dict[str, Any]]:
    """A planned row as lines of a table: one a field, and one that says why (something of it) is not written."""
    lines: list[dict[str, Any]] = [
        {"action": row.action, "key": row.key, "field": change.field, "now": change.old, "planned": change.new}
        for change in row.changes
    ]
    for one in row.parked:
        lines.append({"action": one.kind, "key": row.key, "field": one.field, "now": one.crm, "planned": one.model})
    if row.reason and (not row.parked or row.changes) and row.symbol != "unchanged":
        why = {"field": row.symbol, "now": None, "planned": row.reason}
        lines.append({"action": "refuse" if row.partial else row.action, "key": row.key, **why})
    return lines or [{"action": row.action, "key": row.key, "field": row.symbol, "now": None, "planned": row.reason}]


def _as_data(row: PlannedChange) -> dict[str, Any]:
    """A planned row as a mapping."""
    return {
        "key": row.key,
        "action": row.action,
        "record_id": row.record_id,
        "match": dict(row.match),
        "changes": [{"field": c.field, "old": c.old, "new": c.new} for c in row.changes],
        "symbol": row.symbol,
        "reason": row.reason,
        "partial": row.partial,
        "parked": [{"field": p.field, "kind": p.kind, "crm": p.crm, "model": p.model} for p in row.parked],
    }


def workspace_json(workspace: Workspace) -> bool:
    """Whether the command's result is asked for as data: then a plan is given whole."""
    return bool(getattr(workspace.listener, "json", False))
