"""CreateMultiple, UpdateMultiple, UpsertMultiple: many rows in one message, all or none (dataverse-api.md §5.3).

The fastest way to write, but one bad row refuses its whole set, and the error does not say reliably which it was. So
a refused set is halved until few rows are left, which then go one by one in a $batch, where each has an answer: one
bad row among a thousand costs one reject.

Nothing is made twice. An update sets values, an upsert goes to an id, and a create carries its own: after a lost reply
the ids are looked up, and only what is not there is sent again.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Sequence

from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.odata import GUID
from backhaul.crm.dynamics.pace import Pace
from backhaul.crm.dynamics.rows import EXISTS, Call, Prepared, RowSender
from backhaul.crm.dynamics.service import Service
from backhaul.errors import CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Operation, Outcome, State

FEW = 20
"""So many rows or fewer go one by one: their $batch is one request, too, and has an answer for each."""
MOST_TARGETS = 1_000
"""Targets of one message at most: where Microsoft's documentation says to begin; more gained nothing (§5.3, §6.3)."""
SECONDS = 10.0
"""What a message should take: far below the two minutes after which the service gives up."""

_TIMED_OUT = "0x80044151"
_NAMES_MESSAGE = re.compile(r"(?:Create|Update|Upsert)Multiple")
_CANNOT = frozenset({"0x80060888", "0x80040203", "0x80048d0b", "0x80040800", "0x8006088a"})
"""With the message's name in the text: the table has no such message."""
_NOBODY = frozenset({"0x80040220", "0x80040231", "0x80048306", "0x80048405", "0x80040256"})
"""The user lacks a right: for all rows, as a rule, so that halving would ask in vain (§7.2, class A)."""

MESSAGES = {
    Operation.CREATE: "CreateMultiple",
    Operation.UPDATE: "UpdateMultiple",
    Operation.UPSERT: "UpsertMultiple",
}


def pace() -> Pace:
    """How many rows the first message takes, and what the next ones may come to."""
    return Pace(size=200, seconds=SECONDS, most=MOST_TARGETS)


class SetSender:
    """Sends prepared rows of one table by set messages. `existing` tells which of some ids are there."""

    def __init__(
        self, service: Service, table: Table, rows: RowSender, existing: Callable[[Sequence[str]], set[str]]
    ) -> None:
        self._service = service
        self._table = table
        self._rows = rows
        self._existing = existing
        self._paces = {operation: pace() for operation in MESSAGES}
        self._lacking: set[Operation] = set()

    def takes(self, operation: Operation, rows: int) -> bool:
        """Whether `rows` rows would go by set messages: the table has the message, and they are more than few."""
        return rows > FEW and operation in MESSAGES and operation not in self._lacking and not self._table.elastic

    def send(self, call: Call, operation: Operation, rows: Sequence[Prepared]) -> None:
        """Settle every row in `call.outcomes`; raises as :meth:`RowSender.send`.

        `operation` chooses the message. Rows of one record never share a set: the service would ignore the second.
        """
        waiting = deque(rows)
        while waiting:
            if call.many_refused or not self.takes(operation, len(waiting)):
                self._rows.send(call, list(waiting))
                return
            self._set(call, operation, _distinct(waiting, self._paces[operation].size))

    def _set(self, call: Call, operation: Operation, rows: Sequence[Prepared]) -> None:
        """Send one set; halve it when it is refused."""
        if call.many_refused or not self.takes(operation, len(rows)):
            self._by_rows(call, rows)
            return
        policy, paced = self._service.http.policy, self._paces[operation]
        tried = 0
        while rows:
            tried += 1
            began = time.monotonic()
            try:
                self._post(call, operation, rows)
            except OutcomeInDoubt as error:
                call.doubt(one.change.key for one in rows)
                paced.slow(len(rows))
                try:
                    rows = self._without_made(call, operation, rows)
                except TransientError:
                    raise error from None
                if not rows:
                    return
                if tried >= policy.attempts:
                    raise
                if error.symbol.lower() == _TIMED_OUT:
                    self._halves(call, operation, rows)
                    return
                policy.sleep(policy.wait(tried))
                continue
            except TransientError:
                raise
            except CRMError as refusal:
                self._refused(call, operation, rows, refusal)
                return
            paced.note(len(rows), time.monotonic() - began)
            for one in rows:
                created = one.creates if one.creates is not None else False
                call.outcomes[one.change.key] = Outcome(one.change.key, State.DONE, one.record_id, created)
            return

    def _post(self, call: Call, operation: Operation, rows: Sequence[Prepared]) -> None:
        targets = b",".join(one.target or b"{}" for one in rows)
        self._service.post(
            f"{self._table.entity_set}/Microsoft.Dynamics.CRM.{MESSAGES[operation]}",
            call.purpose(self._table),
            b'{"Targets":[' + targets + b"]}",
            call.options.headers,
        )

    def _refused(self, call: Call, operation: Operation, rows: Sequence[Prepared], refusal: CRMError) -> None:
        """What the refusal of a set says about its rows: nothing was written."""
        code, message = refusal.symbol.lower(), refusal.message
        if refusal.status in (405, 501) or (_NAMES_MESSAGE.search(message) and code in _CANNOT):
            self._lacking.add(operation)
            self._by_rows(call, rows)
        elif code in _NOBODY:
            self._by_rows(call, rows)
        elif code == EXISTS and operation is Operation.CREATE:
            left = self._without_made(call, operation, rows)
            if len(left) < len(rows):
                self._set(call, operation, left)
            else:
                self._halves(call, operation, rows)
        else:
            if operation is Operation.CREATE:
                # Some tables do a set row by row (§5.3): should rows have been made all the same, they are ours.
                call.sent |= {one.change.key for one in rows}
            named = {text.lower() for text in re.findall(GUID.pattern, message)}
            alone = [one for one in rows if one.record_id in named]
            if 0 < len(alone) < len(rows) / 2:
                self._rows.send(call, alone)
                self._set(call, operation, [one for one in rows if one.record_id not in named])
            else:
                self._halves(call, operation, rows)

    def _halves(self, call: Call, operation: Operation, rows: Sequence[Prepared]) -> None:
        middle = (len(rows) + 1) // 2
        for half in (rows[:middle], rows[middle:]):
            if half:
                self._set(call, operation, half)

    def _by_rows(self, call: Call, rows: Sequence[Prepared]) -> None:
        self._rows.send(call, rows)
        bad = sum(call.outcomes[one.change.key].state is State.REJECTED for one in rows)
        # Where most rows are bad, halving would cost more than it saves.
        call.many_refused |= bad > len(rows) / 2 and len(rows) >= FEW / 4

    def _without_made(self, call: Call, operation: Operation, rows: Sequence[Prepared]) -> list[Prepared]:
        """Of creates that may have been sent before: settle those whose minted id is there, give the others."""
        asked = [one for one in rows if one.ours and one.change.key in call.sent]
        if operation is not Operation.CREATE or not asked:
            return list(rows)
        there = self._existing([str(one.record_id) for one in asked])
        made = {one.change.key for one in asked if one.record_id in there}
        for one in asked:
            if one.change.key in made:
                call.outcomes[one.change.key] = Outcome(one.change.key, State.DONE, one.record_id, created=True)
        return [one for one in rows if one.change.key not in made]


def _distinct(waiting: deque[Prepared], most: int) -> list[Prepared]:
    """Take rows from the front; one of a record that the set holds already ends it."""
    taken: list[Prepared] = []
    ids: set[str | None] = set()
    while waiting and len(taken) < most and waiting[0].record_id not in ids:
        ids.add(waiting[0].record_id)
        taken.append(waiting.popleft())
    return taken
