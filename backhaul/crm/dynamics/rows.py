"""One request a row, many in a $batch that goes on after an error: each row has its own answer (dataverse-api.md §5.4).

Every request may be sent twice: an update and an upsert set values, a delete of what is gone is done, and a create
carries an id minted from the change's key, so that its repetition meets the record that the first one made (§5.1,
§7.2). That is why a lost reply is answered by sending again.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backhaul.crm.dynamics.batch import MOST_PARTS, Answer, Part
from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.options import WriteOptions
from backhaul.crm.dynamics.pace import Pace
from backhaul.crm.dynamics.service import HEADERS, ONCE, Service, error_of, is_passing
from backhaul.crm.http import retry_after
from backhaul.errors import OutcomeInDoubt
from backhaul.record import Change, Operation, Outcome, State

NO_ANSWER = "NO_ANSWER"

GONE = "0x80040217"
EXISTS = "0x80040237"
STALE = "0x80060882"
"""The record has another version than `If-Match` names: it is planned anew after the next import."""

_NAMED_FIELD = re.compile(r"(?:the|The) (?:length of the )?'(\w+)' attribute|The value \S+ of '(\w+)'|property '(\w+)'")
_RECORD = re.compile(r"\(([0-9a-fA-F-]{36})\)\s*$")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change as a request of its own, and as a target of a set message (None: it cannot be one).

    `record_id` is known beforehand for all but upserts by key; `ours`: it was minted here, so that a record which has
    it is the one that an earlier sending of this change made. `creates` is None where the service decides.
    """

    change: Change
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    target: bytes | None = None
    record_id: str | None = None
    ours: bool = False
    creates: bool | None = None


@dataclass(slots=True)
class Call:
    """One call of write: what it does, and what has come of it so far.

    `sent` are the keys whose request may have reached the service before, so that "already exists" means done;
    `doubted` those of them to which this very call had no reply.
    """

    operation: Operation
    options: WriteOptions
    sent: set[str]
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    many_refused: bool = False

    def doubt(self, keys: Iterable[str]) -> None:
        """No reply tells what became of these."""
        self.doubted.update(keys)
        self.sent |= self.doubted

    def purpose(self, table: Table) -> str:
        """What messages call it: "update contact"."""
        return f"{self.operation.value} {table.schema.name}"


def pace() -> Pace:
    """How many rows the first $batch takes, and what the next ones may come to."""
    return Pace(size=100, seconds=20.0, most=MOST_PARTS)


class RowSender:
    """Sends prepared rows of one table by $batch."""

    def __init__(self, service: Service, table: Table) -> None:
        self._service = service
        self._table = table
        self._pace = pace()

    def send(self, call: Call, rows: Sequence[Prepared]) -> None:
        """Settle every row in `call.outcomes`. Raises what the service raises; rows without an outcome may be sent
        again. OutcomeInDoubt: no reply came to any sending of a batch.
        """
        waiting = deque(rows)
        while waiting:
            self._settle(call, [waiting.popleft() for _ in range(min(len(waiting), self._pace.size))])

    def _settle(self, call: Call, rows: Sequence[Prepared]) -> None:
        """Send one batch until each row has an answer that stands, or patience ends."""
        policy = self._service.http.policy
        pending = {one.change.key: one for one in rows}
        tried = 0
        while pending:
            tried += 1
            last = tried >= policy.attempts
            began = time.monotonic()
            try:
                wait = self._round(call, pending, tried=tried)
            except OutcomeInDoubt:
                call.doubt(pending)
                if last:
                    raise
                self._pace.slow(len(pending))
                policy.sleep(policy.wait(tried))
                continue
            self._pace.note(len(pending), time.monotonic() - began)
            pending = {key: one for key, one in pending.items() if key not in call.outcomes}
            if pending:
                policy.sleep(policy.wait(tried, wait))

    def _round(self, call: Call, pending: Mapping[str, Prepared], *, tried: int) -> float | None:
        """Send what is pending once, for the `tried`-th time; gives the wait asked for. At last all stands."""
        last = tried >= self._service.http.policy.attempts
        patience = self._service.http.policy.longest_patience
        prepared = list(pending.values())
        parts = [
            Part(
                str(number),
                one.method,
                self._service.root + one.path,
                {**HEADERS, **call.options.headers, **one.headers},
                one.content,
            )
            for number, one in enumerate(prepared, start=1)
        ]
        status, answers = self._service.batch(
            parts, call.purpose(self._table), repeatable=False, headers=call.options.headers
        )
        answered = matched(parts, answers)
        wait: float | None = None
        for part, one in zip(parts, prepared, strict=True):
            key = one.change.key
            answer = answered.get(part.content_id)
            if answer is None:
                if last:
                    message = "the reply holds no answer for this record"
                    call.outcomes[key] = Outcome(key, State.IN_DOUBT, symbol=NO_ANSWER, message=message)
                elif status != 400:
                    # With 400 the service stopped at a refusal before this one, which it never looked at.
                    call.doubt([key])
                continue
            self._service.told(answer)
            asked = retry_after({"Retry-After": answer.headers.get("retry-after", "")}, self._service.http.server_time)
            if (_passes(answer) or (tried == 1 and _once(answer))) and not last and (asked or 0.0) <= patience:
                call.sent.add(key)
                wait = asked if wait is None else max(wait, asked or 0.0)
                continue
            call.outcomes[key] = self._outcome(call, one, answer)
        return wait

    def _outcome(self, call: Call, one: Prepared, answer: Answer) -> Outcome:
        change, repeated = one.change, one.change.key in call.sent
        identifier = one.record_id or change.record_id or self._id_in(answer)
        if answer.status < 300:
            created = one.creates
            if call.operation is Operation.UPSERT and (told := self._id_in(answer)) is not None:
                # The row came back: 201 says that it was made, 200 that it was there, if only since our last sending.
                ours = one.ours and told.lower() == one.record_id and change.key in call.doubted
                identifier, created = told, ours or {201: True, 200: False}.get(answer.status, one.creates)
            return Outcome(change.key, State.DONE, identifier.lower() if identifier else None, created)
        code, message = error_of(answer.json())
        if call.operation is Operation.DELETE and code.lower() == GONE:
            return Outcome(change.key, State.DONE, identifier, created=None)
        if one.creates and code.lower() == EXISTS and repeated and one.ours:
            return Outcome(change.key, State.DONE, identifier, created=True)
        return refused(self._table, change, code or f"HTTP_{answer.status}", message)

    def _id_in(self, answer: Answer) -> str | None:
        row = answer.json()
        if isinstance(row, dict) and row.get(self._table.schema.id_field):
            return str(row[self._table.schema.id_field])
        found = _RECORD.search(answer.headers.get("odata-entityid") or answer.headers.get("location") or "")
        return found[1] if found else None


def refused(table: Table, change: Change, code: str, message: str) -> Outcome:
    """The outcome of a row that the service refused, with the column that its message names."""
    named = _NAMED_FIELD.search(message)
    name = next((group for group in named.groups() if group), "") if named else ""
    return replace(
        rejected(change.key, code, message or "no reason given"),
        record_id=change.record_id,
        fields=(name,) if name in table.schema.fields else (),
    )


def rejected(key: str, symbol: str, message: str, fields: tuple[str, ...] = ()) -> Outcome:
    """A rejected row; passing where the same values may do later."""
    passing = is_passing(symbol, message) or symbol.lower() == STALE
    return Outcome(key, State.REJECTED, symbol=symbol, message=message, fields=fields, passing=passing)


def matched(parts: Sequence[Part], answers: Sequence[Answer]) -> dict[str, Answer]:
    """Answers by the id of their request: as repeated by the server, else by the order, which the API keeps (§5.4)."""
    named = {answer.content_id: answer for answer in answers if answer.content_id is not None}
    if len(named) == len(answers) and set(named) <= {part.content_id for part in parts}:
        return {str(name): answer for name, answer in named.items()}
    return {part.content_id: answer for part, answer in zip(parts, answers, strict=False)}


def _once(answer: Answer) -> bool:
    return error_of(answer.json())[0].lower() in ONCE


def _passes(answer: Answer) -> bool:
    code, message = error_of(answer.json())
    return answer.status in (429, 502, 503, 504) or is_passing(code, message)
