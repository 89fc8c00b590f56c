"""The verbs that look: status, rejects, state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import Session, on_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backhaul.report import Table
    from backhaul.workflow import Workspace
    from backhaul.workflow.lease import Holder


@click.command("status", short_help="Show how the last runs ended and how fresh each import is.")
@click.option("--runs", default=10, show_default=True, type=click.IntRange(1), help="How many runs to list.")
@on_project
def status_command(session: Session, runs: int) -> None:
    """Show how the last runs ended, how fresh each import is, and what waits for a person."""
    from backhaul.ledger.doubts import doubts
    from backhaul.report import shown_time, table

    with session.workspace() as workspace:
        ledger = workspace.ledger
        lease = workspace.lease()
        holder = lease.holder() if lease is not None else None
        listed = [
            {
                "run": run["run_id"],
                "command": f"{run['command']} {run['pipeline'] or ''}".strip(),
                "state": "interrupted" if run["state"] == "running" and not _at_work(run, holder) else run["state"],
                "started": shown_time(run["started_at"]),
                "seconds": (run["ended_at"] - run["started_at"]).total_seconds() if run["ended_at"] else None,
                "message": run["message"],
            }
            for run in ledger.runs(runs)
        ]
        rejects, conflicts = len(ledger.rejects()), len(ledger.conflicts())
        doubt = len(doubts(ledger))
        waiting = [
            {"what": "rejects that are open", "rows": rejects, "next": "backhaul rejects" if rejects else ""},
            {
                "what": "fields in conflict",
                "rows": conflicts,
                "next": "backhaul conflicts list" if conflicts else "",
            },
            {"what": "rows in doubt", "rows": doubt, "next": "backhaul doubts list" if doubt else ""},
        ]
        session.console.tables(
            [
                table("last runs", listed, ("run", "command", "state", "started", "seconds", "message")),
                table("imports", options(workspace)),
                *_freshness(workspace),
                table("waiting for a person", waiting),
            ]
        )


def _at_work(run: Mapping[str, Any], holder: Holder | None) -> bool:
    """Whether a run that has no end is under way: whoever holds a DuckDB file now knows that no other one is."""
    return holder is not None and holder.live and (run["host"], run["pid"]) == (holder.host, holder.pid)


def _freshness(workspace: Workspace) -> list[Table]:
    """The objects that declare how old they may be; no table when none does."""
    from backhaul.report import shown_time, table

    rows = [
        {
            "object": f"{found.account}.{found.object}",
            "state": found.state,
            "imported": shown_time(found.imported),
            "newest": shown_time(found.newest),
            "message": found.message.split("\n")[0],
        }
        for found in workspace.freshness()
    ]
    return [table("freshness", rows, ("object", "state", "imported", "newest", "message"))] if rows else []


@click.command("rejects", short_help="Show the rows that were refused, and why.")
@click.argument("step", required=False)
@click.option("--every", is_flag=True, help="Also those that were resolved or dropped since.")
@on_project
def rejects_command(session: Session, step: str | None, every: bool) -> None:
    """Show the open rejects (of one STEP): the row's key, errorSymbol, errorMessage, and how often it was tried.

    The same rows lie as CSV in .backhaul/PROFILE/rejects/, with the values that were to be written.
    """
    from backhaul.report import shown_time, table

    with session.workspace() as workspace:
        if step is not None:
            _writes(workspace, step)
        rows = [
            {
                "step": reject["step"],
                "key": reject["key"],
                "class": reject["class"],
                "errorSymbol": reject["error_symbol"],
                "errorMessage": reject["error_message"],
                "refused_by": reject["refused_by"],
                "attempts": reject["attempts"],
                "state": reject["state"],
                "last": shown_time(reject["last_at"]),
            }
            for reject in workspace.ledger.rejects(step=step, every=every)
        ]
        columns = ("step", "key", "class", "errorSymbol", "errorMessage", "refused_by", "attempts", "state", "last")
        session.console.tables([table(f"{len(rows)} rejects", rows, columns)], {"rejects": rows})


@click.group("state", short_help="Show, set or reset where each import goes on.")
def state_command() -> None:
    """Show, set or reset where each import goes on.

    An import remembers the end of its last window under an option, LASTIMPORT_<project>_<step> unless named
    otherwise, shown as yyyy/MM/dd hh:mm:ss in UTC.
    """


@state_command.command("show", short_help="List the stored options.")
@on_project
def show_state(session: Session) -> None:
    """List the stored options: name, object, cursor field and value."""
    from backhaul.report import table

    with session.workspace() as workspace:
        rows = options(workspace)
        session.console.tables(
            [table("options", rows, ("option", "account", "object", "cursor", "value"))], {"options": rows}
        )


@state_command.command("set", short_help="Move an import: its next run starts at the time given.")
@click.argument("option")
@click.argument("value")
@on_project
def set_state_command(session: Session, option: str, value: str) -> None:
    """Let the import behind OPTION go on at VALUE: yyyy/MM/dd hh:mm:ss or ISO 8601, UTC when no offset is given."""
    from backhaul.importing import set_state
    from backhaul.report import table

    moment = _moment(value)
    with session.workspace() as workspace:
        _known(workspace, option)
        with workspace.leased("state set"):
            set_state(workspace.project, workspace.warehouse, option, moment)
        session.console.tables([table("options", options(workspace))])


@state_command.command("reset", short_help="Forget an option: the next import reads everything.")
@click.argument("option")
@on_project
def reset_state_command(session: Session, option: str) -> None:
    """Forget OPTION: the next import reads everything again. The raw log keeps what it has."""
    from backhaul.importing import reset_state
    from backhaul.report import table

    with session.workspace() as workspace:
        _known(workspace, option)
        with workspace.leased("state reset"):
            reset_state(workspace.project, workspace.warehouse, option)
        session.console.tables(
            [table("options", options(workspace), ("option", "account", "object", "cursor", "value"))]
        )


def options(workspace: Workspace) -> list[Mapping[str, Any]]:
    """The stored options as rows."""
    from backhaul.report import shown_time

    return [
        {
            "option": state.option_name,
            "account": state.account,
            "object": state.object,
            "cursor": state.cursor,
            "value": shown_time(state.value),
        }
        for state in workspace.states()
    ]


def _moment(text: str) -> datetime:
    from backhaul.report import OPTION_FORMAT

    try:
        return datetime.strptime(text, OPTION_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not a time; write 2026/01/31 08:00:00 or 2026-01-31T08:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _writes(workspace: Workspace, step: str) -> None:
    """Refuse a step that neither a pipeline nor the ledger knows: nothing found would read as nothing refused."""
    from backhaul.config import DeleteStep, ExportStep
    from backhaul.errors import ConfigurationError, Fault
    from backhaul.yaml_marks import suggest

    names = {
        item.name
        for pipeline in workspace.project.pipelines.values()
        for item in pipeline.steps
        if isinstance(item, ExportStep | DeleteStep)
    } | {reject["step"] for reject in workspace.ledger.rejects(every=True)}
    if step not in names:
        raise ConfigurationError(
            Fault(
                f"there is no export or delete step {step!r}",
                allowed=tuple(sorted(names)),
                hint=suggest(step, names),
            )
        )


def _known(workspace: Workspace, option: str) -> None:
    from backhaul.errors import ConfigurationError, Fault
    from backhaul.yaml_marks import suggest

    names = [state.option_name for state in workspace.states()]
    if option not in names:
        raise ConfigurationError(
            Fault(
                f"there is no option {option!r}",
                allowed=tuple(names),
                hint=suggest(option, names) or "an option appears with the first import",
            )
        )
