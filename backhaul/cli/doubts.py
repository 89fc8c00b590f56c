"""The verb for rows that were sent and never answered: show them, and settle what a person found out in the CRM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import Session, on_project

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.group("doubts", short_help="Show, and settle, rows that were sent and never answered.")
def doubts_command() -> None:
    """Show, and settle, rows that were sent and never answered.

    Such a row is not sent again by itself: it might be made twice. The next run asks the CRM, by the job or a unique
    key; what that cannot tell waits here until somebody has looked the record up.
    """


@doubts_command.command("list", short_help="List the rows in doubt: what was sent, when, and why it is undecided.")
@click.argument("step", required=False)
@click.option("--every", is_flag=True, help="Also those that were settled by hand.")
@on_project
def list_doubts(session: Session, step: str | None, every: bool) -> None:
    """List the rows (of one STEP) that were sent and never answered: object, key, values, when, and why."""
    from backhaul.ledger.doubts import doubts
    from backhaul.report import shown_time, table

    with session.workspace() as workspace:
        found = doubts(workspace.ledger, step=step, every=every)
        shown = [
            {
                "step": row["step"],
                "object": f"{row['account']}.{row['object']}",
                "key": row["key"],
                "to do": row["operation"],
                "sent": ", ".join(f"{field}={value}" for field, value in row["sent"].items()),
                "when": shown_time(row["sent_at"]),
                "state": "in doubt" if row["state"] == "in_doubt" else row["message"],
                "why": row["message"] if row["state"] == "in_doubt" else "",
            }
            for row in found
        ]
        columns = ("step", "object", "key", "to do", "sent", "when", "state", "why")
        session.console.tables([table(f"{len(shown)} rows in doubt", shown, columns)], {"doubts": found})
        waiting = [row for row in found if row["state"] == "in_doubt"]
        if waiting:
            first = waiting[0]
            record = " --record-id ID" if first["operation"] == "create" else ""
            session.console.say(
                f"\nnext: look the record up in the CRM, then backhaul doubts settle {first['step']} {first['key']} "
                f"--as done{record}, or --as not-done"
            )


@doubts_command.command("settle", short_help="Say what became of rows in doubt: done, or not done.")
@click.argument("step")
@click.argument("key", required=False)
@click.option("--as", "verdict", type=click.Choice(["done", "not-done"]), required=True, help="What the CRM shows.")
@click.option("--record-id", metavar="ID", help="The record, where a create under KEY turned out done.")
@click.option(
    "--ids",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV with the columns key and record_id: settles the rows that it names.",
)
@click.option("--all", "every", is_flag=True, help="All rows of STEP that are in doubt.")
@on_project
def settle_doubt(  # noqa: PLR0913 - a command's options, each by its name
    session: Session, step: str, key: str | None, verdict: str, record_id: str | None, ids: Path | None, every: bool
) -> None:
    """Say what became of the row KEY of STEP, or of all its rows in doubt (--all), or of those in a file (--ids).

    Done: what was sent counts as written, and a record that was to be made is named by its id. Not done: the next
    export sends the row again.
    """
    from backhaul.errors import ConfigurationError
    from backhaul.ledger.doubts import doubts, settle_doubts, without_record

    if (key is not None) + (ids is not None) + every != 1:
        raise click.UsageError("name one KEY, or a file with --ids, or --all")
    if record_id is not None and (key is None or verdict != "done"):
        raise click.UsageError("--record-id goes with one KEY and --as done")
    named: dict[str, str] = _from_file(ids) if ids is not None else {}
    if key is not None:
        named = {key: record_id or ""}
    with session.workspace() as workspace:
        waiting = {row["key"]: row for row in doubts(workspace.ledger, step=step)}
        unknown = [one for one in named if one not in waiting]
        if unknown or not waiting:
            under = f"under the key {unknown[0]!r} " if unknown else ""
            raise ConfigurationError(f"no row is in doubt {under}of the step {step!r}", hint="backhaul doubts list")
        chosen = {one: named.get(one) or None for one in (waiting if every else named)}
        done = verdict == "done"
        lacking = without_record([waiting[one] for one in chosen], named) if done else []
        if lacking:
            raise ConfigurationError(
                f"{len(lacking)} of these rows were to make a record, and its id is not said (the first key is "
                f"{lacking[0]!r}); nothing was settled",
                hint=f"backhaul doubts settle {step} KEY --as done --record-id ID, or --ids FILE with key,record_id",
            )
        settle_doubts(workspace.ledger, step, chosen, done=done)
        session.console.tables([], {"settled": len(chosen), "as": verdict})
        then = "counts as written" if done else "is sent again by the next export, if the model still has it"
        session.console.say(f"{len(chosen)} settled as {verdict}: what was sent {then}")


def _from_file(path: Path) -> dict[str, str]:
    """key -> record id, of a CSV file; ConfigurationError when it is none."""
    import csv

    from backhaul.errors import ConfigurationError

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows: list[Mapping[str, Any]] = list(reader)
            columns = reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or "it is no CSV in UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {why}", hint="a CSV with the columns key,record_id") from None
    if not {"key", "record_id"} <= set(columns):
        raise ConfigurationError(
            f"{path} has the columns {', '.join(columns) or 'none'}", hint="a CSV with the columns key,record_id"
        )
    return {str(row["key"]): str(row["record_id"] or "").strip() for row in rows if row["key"]}
