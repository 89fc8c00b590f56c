"""Rows that were sent and never answered: what is known of them, and what a person found out in the CRM.

A row in doubt is not sent again by itself. The next run clears it where the CRM can tell (a job's results, a record
with its key); what is left a person settles: done, with the id of the record where one was to be made, or not done,
and then the next plan sends it again. What was settled by hand is told by its message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backhaul.record import Outcome, State

if TYPE_CHECKING:
    from backhaul.ledger import Ledger

BY_HAND = "settled by hand"
"""How the message of an outcome begins that a person settled."""

NOT_WRITTEN = "NOT_WRITTEN"
"""The symbol of a row that was surely not written: it is no reject, and is planned anew."""


def doubts(ledger: Ledger, *, step: str | None = None, every: bool = False) -> list[dict[str, Any]]:
    """The rows in doubt, oldest first, one a step and key; with `every` also those that were settled by hand.

    Each holds step, account, object, key, operation, record_id, state, message (why it is undecided), sent_at (UTC, by
    this machine's clock), at (when it was given up, by the CRM's), run_id, and sent: field -> the value that was to be
    written, as text.
    """
    outcomes, changes = ledger.table("outcomes"), ledger.table("changes")
    chosen = "o.state = 'in_doubt'" + (f" OR o.message LIKE '{BY_HAND}%'" if every else "")
    rows = ledger.rows(
        "SELECT o.step, o.account, o.object, o.key, o.operation, o.record_id, o.state, o.message, "
        "COALESCE(b.sent_at, o.at) AS sent_at, o.at, p.run_id, c.changes, c.match "
        "FROM (SELECT o.*, ROW_NUMBER() OVER (PARTITION BY o.step, o.key ORDER BY o.at DESC, o.batch DESC) AS place "
        f"FROM {outcomes} AS o WHERE ({chosen}) AND (? = '' OR o.step = ?) "
        # What was done since, under another plan, is no longer in doubt.
        f"AND NOT EXISTS (SELECT 1 FROM {outcomes} AS later WHERE later.step = o.step AND later.key = o.key "
        "AND later.state = 'done' AND later.at > o.at)) AS o "
        f"LEFT JOIN {changes} AS c ON c.plan_id = o.plan_id AND c.key = o.key "
        f"LEFT JOIN {ledger.table('batches')} AS b ON b.plan_id = o.plan_id AND b.batch = o.batch "
        f"LEFT JOIN {ledger.table('plans')} AS p ON p.plan_id = o.plan_id WHERE o.place = 1 "
        "ORDER BY sent_at, o.step, o.key",
        [step or "", step or ""],
    )
    return [
        {
            **{name: value for name, value in row.items() if name not in ("changes", "match")},
            "sent": {
                **json.loads(row["match"] or "{}"),
                **{item["field"]: item["new"] for item in json.loads(row["changes"] or "[]")},
            },
        }
        for row in rows
    ]


def settle_doubts(ledger: Ledger, step: str, found: Mapping[str, str | None], *, done: bool) -> None:
    """Settle rows in doubt of a step as a person found them in the CRM: key -> id of the record.

    Done needs the record of a create; the values then count as written when the row was sent, for plans and undo. Not
    done: the id is not looked at, and the next plan sends the row again.
    """
    rows = {row["key"]: row for row in doubts(ledger, step=step)}
    told: list[Outcome] = []
    for key, record_id in found.items():
        row = rows[key]
        if done:
            # That a person found the record says nothing of who made it, unless it was to be made.
            made = True if row["operation"] == "create" else None
            record = record_id or row["record_id"]
            told.append(Outcome(key, State.DONE, record, made, message=f"{BY_HAND}: done"))
        else:
            told.append(Outcome(key, State.REJECTED, symbol=NOT_WRITTEN, message=f"{BY_HAND}: not done", passing=True))
    by_moment: dict[Any, list[Outcome]] = {}
    for one in told:
        by_moment.setdefault(rows[one.key]["at"], []).append(one)
    for at, some in by_moment.items():
        ledger.clear_doubt(step, some, at)


def without_record(rows: Sequence[Mapping[str, Any]], ids: Mapping[str, str]) -> list[str]:
    """The keys of rows that were to make a record, and of which nobody says which one it is."""
    return [row["key"] for row in rows if row["operation"] == "create" and not ids.get(row["key"])]
