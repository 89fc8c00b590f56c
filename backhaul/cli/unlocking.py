"""The verb that takes a shared warehouse's lease from a runner that is no more."""

from __future__ import annotations

import click

from backhaul.cli.options import Session, on_project


@click.command("unlock", short_help="Show which runner holds the warehouse; take it from it with --apply.")
@click.option("--apply", "take", is_flag=True, help="Break the lease; without this it is only shown.")
@on_project
def unlock_command(session: Session, take: bool) -> None:
    """Show which runner holds the project's lease in a warehouse that several machines share.

    The lease of a killed runner ends by itself after two minutes. One whose lease is broken while it still works stops
    before the next batch. A DuckDB file has no lease: it is let go when its process ends.
    """
    from backhaul.report import shown_time, table

    with session.workspace() as workspace:
        lease = workspace.lease()
        holder = lease.holder() if lease is not None else None
        broken = bool(take and lease is not None and holder is not None and lease.break_it(holder))
        rows = (
            [
                {
                    "running": holder.running,
                    "host": holder.host,
                    "process": holder.pid,
                    "user": holder.who,
                    "since": shown_time(holder.taken_at),
                    "expires": shown_time(holder.expires_at),
                    "state": "broken" if broken else "held" if holder.live else "run out",
                }
            ]
            if holder is not None
            else []
        )
        session.console.tables([table("lease", rows)], {"lease": rows, "broken": broken})
        if not rows:
            session.console.say("\nNobody holds it.")
        elif not broken:
            session.console.say("\nNothing was changed: --apply breaks the lease.")
