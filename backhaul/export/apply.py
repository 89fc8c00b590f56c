"""Sending a plan: guards first, then batches, each written down before it is sent and settled after its reply.

Outcomes join to rows by key, never by position; sent = done + rejected + in doubt, always. Killed in between, the
next run finds the unsettled batch: what can be repeated safely is planned anew, what cannot is in doubt.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import orjson

from backhaul.config import DeleteStep, ExportStep
from backhaul.crm import Connector, PartlyWritten
from backhaul.errors import BackhaulError, ConfigurationError, CRMError, OutcomeInDoubt, StepFailed
from backhaul.export.batching import batch_sizes, batches_at_once, operation_of, options_of
from backhaul.export.consents import opt_outs
from backhaul.export.journal import PlanJournal
from backhaul.export.plan import WRITES, Plan, PlannedChange
from backhaul.export.rejects import class_of, source_rows
from backhaul.export.values import parse, reader
from backhaul.ledger import Batch, Ledger, Reject
from backhaul.record import Change, ObjectSchema, Operation, Outcome, Scalar, State
from backhaul.warehouse import Warehouse

_NO_MATCH: Mapping[str, Scalar] = {}
LEDGER_COLUMNS = 40
"""What is written down of a batch goes into tables of so many columns in all."""
LITTLE = 32_000_000
"""Characters of a batch's changes that go through DuckDB with little memory: with 270 million it had not enough."""
LONGEST_WAIT = timedelta(minutes=1)
"""A wait before a retry that is slept through within a run; after a longer one the next run tries again."""


@dataclass(slots=True)
class Applied:
    """What applying a plan came to. sent = done + rejected + in_doubt.

    `consents`: rejected rows whose consent flags were then written by themselves. `conflicts`: rows that wait for a
    person.
    """

    sent: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    restored: int = 0
    rejected: int = 0
    refused: int = 0
    in_doubt: int = 0
    consents: int = 0
    conflicts: int = 0
    batches: int = 0
    api_calls: int = 0
    rejects: list[Reject] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Rows that the CRM now holds as planned."""
        return self.created + self.updated + self.deleted + self.restored


@contextlib.contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let Python look for circular garbage less often.

    A batch is a hundred thousand objects and holds no circles; to walk through them again and again took a sixth of the
    time.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Sender:
    """Applies one plan through one connector."""

    def __init__(
        self,
        plan: Plan,
        step: ExportStep | DeleteStep,
        connector: Connector,
        warehouse: Warehouse,
        ledger: Ledger,
        journals: Path | None = None,
    ) -> None:
        self.plan = plan
        self.step = step
        self.schema: ObjectSchema = connector.describe(plan.object)
        self.connector = connector
        self.warehouse = warehouse
        self.ledger = ledger
        self.journal = PlanJournal(journals, plan.plan_id)
        self.applied = Applied()
        self._readers: dict[str, tuple[str, Callable[[str], Scalar] | None]] = {}
        self._number = 0
        self._refused: dict[str, PlannedChange] = {}
        self._consents_told: set[str] = set()  # keys whose consent flags the CRM has taken or refused for good
        self._crm_began, self._began = datetime.now(UTC), monotonic()
        self.pause: Callable[[float], None] = sleep
        """How the wait before a retry within the run is spent."""

    def apply(self, run_id: str, progress: Callable[[int, int], None]) -> Applied:
        """Send the plan. Rejected rows do not stop it; a CRM that cannot be reached does, with StepFailed.

        Of what is to be deleted, the opt-outs are read first: an undo needs them. A CRM that does not
        tell them raises its CRMError, and nothing is sent. Whatever was sent before a failure is settled; the next run
        plans only what is left.
        """
        calls_before = self.connector.api_calls
        kept = opt_outs(self.warehouse, self.plan, self.schema, self.connector)
        self.ledger.save_plan(
            {
                **self._identity,
                "run_id": run_id,
                "counts": json.dumps(dict(self.plan.counts)),
                "freshness": self.plan.freshness,
                "model_rows": self.plan.model_rows,
                "columns": json.dumps(dict(self.plan.distinct)),
            },
            self._saved(),
        )
        self.ledger.complete_images(self.plan.plan_id, kept)
        self._keep_conflicts()
        if self.plan.writes():
            self.journal.begin(self.warehouse, self.plan, {**self._identity, "run_id": run_id})
        try:
            failure = self._send_all(progress) or self._again(progress) or self._save_consents()
        finally:
            self.journal.close()
            self.applied.api_calls = self.connector.api_calls - calls_before
            self._keep_rejects(run_id)
        self.ledger.finish_plan(self.plan.plan_id, "failed" if failure else "applied")
        if not failure and not self.applied.in_doubt:
            self.journal.finish()
        if isinstance(failure, ConfigurationError):
            # To be mended before anything is run again, with faults and next steps of its own.
            raise failure
        if failure:
            left = self.plan.writes() - self.applied.sent
            again = f"run it again: it goes on with the {left:,} rows that were not sent"
            raise StepFailed(
                f"step {self.plan.step} stopped after {self.applied.sent:,} of {self.plan.writes():,} rows: "
                f"{failure.message}",
                # One next step: what to do about the reason, where the reason knows more than to try again.
                hint=again if failure.hint.startswith("run it again") or not failure.hint else failure.hint,
            ) from failure
        return self.applied

    @property
    def _identity(self) -> dict[str, str]:
        plan = self.plan
        return {"plan_id": plan.plan_id, "step": plan.step, "account": plan.account, "object": plan.object}

    def _saved(self) -> str:
        """The plan's rows as the ledger keeps them; of what is to be deleted the whole record, to be put back."""
        columns = "key, action, record_id, match, changes, fingerprint, symbol, reason, rest"
        if not self.plan.counts.get("delete"):
            return f"SELECT {columns}, NULL AS image FROM {self.plan.table} WHERE action <> 'skip'"
        identity = self.warehouse.engine().quote(self.plan.id_field)
        images = f"SELECT r.{identity} AS id, CAST(TO_JSON(r) AS VARCHAR) AS image FROM ({self.plan.mirror}) AS r"
        return (
            f"SELECT {columns}, CASE WHEN action = 'delete' THEN image END AS image FROM {self.plan.table} "
            f"LEFT JOIN ({images}) AS images ON images.id = record_id WHERE action <> 'skip'"
        )

    def _keep_conflicts(self) -> None:
        """What waits for a person, as this plan found it."""
        rows = [
            {
                "key": row.key,
                "record_id": row.record_id,
                "field": one.field,
                "kind": one.kind,
                "crm": one.crm,
                "model": one.model,
            }
            for row in self.plan.where(self.warehouse, "parked <> '[]'")
            for one in row.parked
        ]
        self.applied.conflicts = len({row["key"] for row in rows})
        self.ledger.keep_conflicts(self._identity, rows)

    def _send_all(self, progress: Callable[[int, int], None]) -> BackhaulError | None:
        total = self.plan.writes()
        if not total:
            return None
        self._crm_began, self._began = self.connector.now(), monotonic()
        options = options_of(self.step, self.connector)
        try:
            sizes = batch_sizes(self.step, self.connector, self.schema.id_field, total, self.connector.write_size)
        except CRMError as error:
            return error
        parallel = batches_at_once(self.step, self.connector, sizes, total)
        failure: BackhaulError | None = None
        running: dict[Future[list[Outcome]], tuple[Batch, str]] = {}
        batches = self._batches(sizes)
        with (
            self._little_memory(max(sizes.values())),
            ThreadPoolExecutor(max_workers=parallel) as pool,
            self._interrupting(running),
            _seldom_collected(),
        ):
            while True:
                while failure is None and len(running) < parallel and (following := next(batches, None)):
                    batch, action, changes = following
                    future = pool.submit(self._write, self._begun(batch), changes, options)
                    running[future] = (batch, action)
                    del following, changes  # a batch is many objects: its thread alone keeps them
                if not running:
                    return failure
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    batch, action = running.pop(future)
                    failure = self._settle(batch, action, future) or failure
                    progress(self.applied.sent, total)

    @contextlib.contextmanager
    def _little_memory(self, rows: int) -> Iterator[None]:
        """Let DuckDB keep little of what it writes down of each batch of `rows`, unless one may be much by itself."""
        engine = self.warehouse.engine()
        longest = engine.scalar(f"SELECT MAX(LENGTH(changes)) FROM {self.plan.table} WHERE action <> 'skip'")
        little = rows * (longest or 0) < LITTLE
        with engine.streaming(LEDGER_COLUMNS) if little else contextlib.nullcontext():
            yield

    def _begun(self, batch: Batch) -> Batch:
        """A batch that is written down, in the journal and in the ledger."""
        self.journal.sending(batch)
        self.ledger.batch_sent(batch)
        return batch

    def _write(self, batch: Batch, changes: Sequence[Change], options: Mapping[str, object]) -> list[Outcome]:
        """Send a batch; its answer is in the journal before anybody works on it."""
        try:
            outcomes = self.connector.write(self.plan.object, Operation(batch.operation), changes, options)
        except PartlyWritten as error:
            self.journal.answered(batch, error.outcomes, self._crm_now())
            raise
        self.journal.answered(batch, outcomes, self._crm_now())
        return outcomes

    def _again(self, progress: Callable[[int, int], None]) -> BackhaulError | None:
        """Within the run, rows that were refused in a passing way, as often and after such a wait as the step says.

        A long wait is not slept through: the next run tries them.
        """
        retry = self.step.rejects.retry
        if retry.wait > LONGEST_WAIT:
            return None
        for _ in range(retry.attempts - 1):
            passing = [reject.key for reject in self.applied.rejects if reject.passing and reject.refused_by == "crm"]
            if not passing:
                return None
            self.pause(retry.wait.total_seconds())
            # What was refused is counted anew by what becomes of it now.
            refused = {key: self._refused.pop(key) for key in passing}
            self.applied.rejects = [reject for reject in self.applied.rejects if reject.key not in refused]
            self.applied.rejected -= len(refused)
            self.applied.sent -= len(refused)
            failure = self._send_rows(list(refused.values()), progress)
            if failure is not None:
                return failure
        return None

    def _send_rows(self, rows: Sequence[PlannedChange], progress: Callable[[int, int], None]) -> BackhaulError | None:
        """Some of the plan's rows once more, call by call."""
        size = min(self.step.batch.rows or self.connector.batch_rows, self.connector.batch_rows)
        options = options_of(self.step, self.connector)
        for action in WRITES:
            operation = self._operation(action)
            mine = [row for row in rows if row.action == action]
            for start in range(0, len(mine), size):
                chunk = mine[start : start + size]
                self._number += 1
                batch = self._begun(self._batch(operation, [row.key for row in chunk]))
                changes = [self._change_of(row, operation) for row in chunk]
                future: Future[list[Outcome]] = Future()
                try:
                    future.set_result(self._write(batch, changes, options))
                except BackhaulError as error:
                    future.set_exception(error)
                failure = self._settle(batch, action, future)
                progress(self.applied.sent, self.plan.writes())
                if failure is not None:
                    return failure
        return None

    @contextlib.contextmanager
    def _interrupting(self, running: Mapping[Future[list[Outcome]], tuple[Batch, str]]) -> Iterator[None]:
        """Let the writes of other threads end soon when this one is interrupted, and settle what they have come to.

        A create whose answer was thrown away would be in doubt for ever.
        """
        try:
            yield
        except BaseException:
            self.connector.interrupt()
            for future, (batch, action) in running.items():
                with contextlib.suppress(Exception):
                    self._settle(batch, action, future)
            raise

    def _save_consents(self) -> BackhaulError | None:
        """Write the consent flags of refused rows by themselves: an opt-out is not lost to a fault of another field."""
        flags = {name for name, entry in getattr(self.step, "map", {}).items() if entry.only_tighten}
        rows = [self._refused[reject.key] for reject in self.applied.rejects if reject.key in self._refused]
        rows = [row for row in rows if row.action == "update" and row.rest is not None]
        size = min(self.step.batch.rows or self.connector.batch_rows, self.connector.batch_rows)
        for start in range(0, len(rows), size):
            chunk = [
                replace(row, changes=tuple(item for item in row.changes if item.field in flags))
                for row in rows[start : start + size]
            ]
            self._number += 1
            batch = self._begun(self._batch(Operation.UPDATE, [row.key for row in chunk]))
            changes = [self._change_of(row, Operation.UPDATE) for row in chunk]
            try:
                # One refused row must not refuse the consents of the others.
                options = {
                    name: value
                    for name, value in options_of(self.step, self.connector).items()
                    if name != "all_or_none"
                }
                outcomes = self._write(batch, changes, options)
            except BackhaulError as error:
                self.ledger.abandon(batch)
                return error
            self.ledger.settle(batch, outcomes, self._crm_now(), only=sorted(flags))
            self._consents_told |= {
                outcome.key
                for outcome in outcomes
                if outcome.state is State.DONE or (outcome.state is State.REJECTED and not outcome.passing)
            }
            saved = {outcome.key for outcome in outcomes if outcome.state is State.DONE}
            self.applied.consents += len(saved)
            self.applied.batches += 1
            # What is left of the row is what the CRM refused: it is held back under its new fingerprint.
            self.applied.rejects = [
                replace(reject, fingerprint=self._refused[reject.key].rest or "") if reject.key in saved else reject
                for reject in self.applied.rejects
            ]
        return None

    def _batch(self, operation: Operation, keys: Sequence[str]) -> Batch:
        return Batch(
            self.plan.plan_id,
            self._number,
            self.plan.step,
            self.plan.account,
            self.plan.object,
            operation.value,
            tuple(keys),
        )

    def _batches(self, sizes: Mapping[str, int]) -> Iterator[tuple[Batch, str, list[Change]]]:
        """The plan's rows in the order of their actions, as changes of a batch each."""
        for action in WRITES:
            planned = self.plan.rows(self.warehouse, [action], select="_row, key, record_id, match, changes, version")
            operation = self._operation(action)
            while changes := [self._change(row, operation) for row in islice(planned, sizes[action])]:
                self._number += 1
                yield self._batch(operation, [change.key for change in changes]), action, changes

    def _operation(self, action: str) -> Operation:
        return operation_of(action, self.step, self.schema.id_field)

    def _change(self, row: Mapping[str, Any], operation: Operation) -> Change:
        """A row of the plan's table as the connector takes it."""
        values: dict[str, Scalar] = {}
        readers = self._readers
        for item in orjson.loads(row["changes"]):
            if (known := readers.get(item["field"])) is None:
                one = self.schema.fields[item["field"]]
                # Under describe's own names: a text of its own for each row's is memory.
                known = readers[item["field"]] = (one.name, reader(one))
            (name, read), new = known, item["new"]
            values[name] = new if new is None or read is None else read(new)
        match = _NO_MATCH
        if operation is Operation.UPSERT:
            match = {name: self._value(name, value) for name, value in json.loads(row["match"]).items()}
        return Change(row["key"], values, row["record_id"], match, row["version"])

    def _change_of(self, row: PlannedChange, operation: Operation) -> Change:
        """A planned row as the connector takes it."""
        values = {item.field: self._value(item.field, item.new) for item in row.changes}
        match = {name: self._value(name, value) for name, value in row.match.items()}
        matched = match if operation is Operation.UPSERT else {}
        return Change(row.key, values, record_id=row.record_id, match=matched, version=row.version)

    def _value(self, field: str, text: str | None) -> Scalar:
        return parse(text, self.schema.fields[field])

    def _settle(self, batch: Batch, action: str, future: Future[list[Outcome]]) -> BackhaulError | None:
        keys = set(batch.keys)
        failure: BackhaulError | None = None
        try:
            outcomes = future.result()
            if {outcome.key for outcome in outcomes} != keys or len(outcomes) != len(keys):
                raise AssertionError(f"the connector answered {len(outcomes)} outcomes for {len(keys)} changes")
        except OutcomeInDoubt as error:
            if self.connector.repeatable_creates or batch.operation != Operation.CREATE.value:
                # Sending it again cannot do it twice: the next run plans these rows anew.
                self.ledger.abandon(batch)
                return error
            outcomes = [Outcome(key, State.IN_DOUBT, message=error.message) for key in batch.keys]
        except PartlyWritten as error:
            # The rows without an outcome were not written and stay in the plan of the next run.
            outcomes, failure = list(error.outcomes), error
        except BackhaulError as error:
            # Refused as a whole, or never reached: nothing was written, so the rows stay in the plan of the next run.
            self.ledger.abandon(batch)
            return error
        self.ledger.settle(batch, outcomes, self._crm_now())
        refused: dict[str, Outcome] = {}
        for outcome in outcomes:
            match outcome.state:
                case State.DONE if action == "delete":
                    self.applied.deleted += 1
                case State.DONE if action == "restore":
                    self.applied.restored += 1
                case State.DONE if action == "create" and outcome.created is not False:
                    self.applied.created += 1
                case State.DONE:
                    self.applied.updated += 1
                case State.REJECTED:
                    refused[outcome.key] = outcome
                case State.IN_DOUBT:
                    self.applied.in_doubt += 1
        self.applied.rejected += len(refused)
        for row in self.plan.named(self.warehouse, action, list(refused)) if refused else ():
            self._reject(row, refused[row.key])
        self.applied.sent += len(outcomes)
        self.applied.batches += 1
        return failure

    def _crm_now(self) -> datetime:
        """The CRM's clock, at no API call and never behind it: what a batch wrote is stamped no later than this.

        The overlay of what was sent ends with the first import whose window closes after this stamp. Were it too
        early, such a window could still exclude what was written in its last second, and the plan would write it again.
        """
        # The clock was read in whole seconds, so the true one may be one ahead.
        return self._crm_began + timedelta(seconds=math.ceil(monotonic() - self._began) + 1)

    def _reject(self, row: PlannedChange, outcome: Outcome) -> None:
        self._refused[row.key] = row
        self.applied.rejects.append(
            Reject(
                row.key,
                row.fingerprint,
                row.record_id,
                "crm",
                outcome.symbol,
                outcome.message,
                outcome.fields,
                {**row.match, **{item.field: item.new for item in row.changes}},
                outcome.passing,
                class_of(outcome.symbol, outcome.passing),
                row.rest,
            )
        )

    def _keep_rejects(self, run_id: str) -> None:
        """Rejects of the CRM and the rows that the plan itself refused go to the same place.

        Of a refused row the consents may be on their way by themselves: it is a reject all the same.
        """
        refused = "action = 'refuse' OR (partial AND symbol <> 'conflict')"
        for row in self.plan.where(self.warehouse, refused):
            self.applied.refused += 1
            self.applied.consents += row.partial
            self.applied.rejects.append(
                Reject(
                    *(row.key, row.fingerprint, row.record_id, "plan", row.symbol, row.reason, (), dict(row.match)),
                    kind=class_of(row.symbol, False),
                    rest=row.rest,
                )
            )
        self.ledger.drop_rejects_except(
            self.plan.step,
            f"SELECT key FROM {self.plan.table} WHERE action <> 'skip' OR symbol IN ('held', 'conflict')",
        )
        # A row whose opt-out could not be written by itself (the run ended before) must not be held back: the next run
        # sends it anew. Held back are rows by their fingerprint; none has an empty one.
        unsaved = {
            key
            for key, row in self._refused.items()
            if row.action == "update" and row.rest is not None and key not in self._consents_told
        }
        self.applied.rejects = [
            replace(reject, fingerprint="") if reject.key in unsaved else reject for reject in self.applied.rejects
        ]
        rows = source_rows(
            self.warehouse.engine(),
            self.plan.model,
            self.plan.key_columns,
            [reject.key for reject in self.applied.rejects],
        )
        self.applied.rejects = [
            replace(reject, source_row=rows.get(reject.key, reject.source_row)) for reject in self.applied.rejects
        ]
        self.ledger.record_rejects(run_id, self._identity, self.applied.rejects)
