"""Writing large plans by Bulk API 2.0 ingest, and the rows that it cannot carry by sObject Collections.

A job is written down, filled, closed, waited for, and its three result files are read: what succeeded, what failed,
what it never came to (salesforce-api.md §7). Until it is closed a job does nothing, so that no reply that is lost
leaves a row in doubt; afterwards its state can be asked at any time. Rows that failed on a lock, and rows that were not
processed, are sent again with those of one parent together: batches of a job run at the same time and fight over it.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backhaul.crm import PartlyWritten
from backhaul.crm.http import Http, Request
from backhaul.crm.salesforce import upload
from backhaul.crm.salesforce.journal import Awaited, Begun, Journal
from backhaul.crm.salesforce.writing import BATCH_ROWS, ROW_ATTEMPTS, Writer
from backhaul.errors import BackhaulError, CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Change, Kind, ObjectSchema, Operation, Outcome, State

BULK_ROWS = 30_000
"""Changes of one job: some tens of megabytes here, three batches of 10,000 there (salesforce-api.md §7)."""

AT_WORK = 2
"""Jobs of one account at work at a time; others are filled or read meanwhile. With more they fight over locks."""

FEW_ROWS = 1_000
"""So many that are left after a job are sent by Collections, five calls, one after the other."""

FIRST_POLL, POLL_GROWTH, LONGEST_POLL, LONGEST_JOB = 0.1, 1.5, 15.0, 12 * 3600.0
SHORT_SLEEP = 1.0
"""Seconds between two looks whether somebody wants to stop."""

FILLINGS, CLOSINGS, READINGS = 3, 3, 3
"""How often a job is filled anew when the reply to its upload was lost, closed again when that to its closing was, and
how often result files are read that hold fewer rows than the job worked on."""

_ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
_STRUCTURE = ("InvalidBatch", "ClientInputError", "InvalidJob", "FeatureNotEnabled", "InvalidOperation")
"""Beginnings of a failed job's message that waiting does not cure."""

_NOT_FOR_BULK = frozenset({"INVALIDENTITY", "InvalidEntity"})
_LOCKED_ON = re.compile(r"\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")


@dataclass(slots=True)
class _Work:
    """What one write is to do, and what it has come to so far. `aside`: rows for Collections."""

    schema: ObjectSchema
    operation: Operation
    options: Mapping[str, object]
    aside: list[Change] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failure: BackhaulError | None = None
    reason: str = ""  # of the last job that did not come to all its rows

    def waiting(self, changes: Iterable[Change]) -> list[Change]:
        """The changes that should be sent (again): without an outcome, or refused in a passing way."""
        return [
            change
            for change in changes
            if (told := self.outcomes.get(change.key)) is None or (told.state is State.REJECTED and told.passing)
        ]


class Ingest:
    """The bulk road of one account. Threads may share it."""

    def __init__(self, http: Http, data: str, writer: Writer, journal: Journal) -> None:
        self._http = http
        self._data = data
        self._writer = writer
        self._journal = journal
        self._stop = threading.Event()
        self._turns = threading.Semaphore(AT_WORK)
        self._first = threading.Lock()
        self._looked_back = False
        self._recalled: set[str] = set()
        self._left: list[Begun] = []  # our own jobs that may be at work and could not be asked or ended

    def interrupt(self) -> None:
        """Let every write abort its job and come back with what was work."""
        self._stop.set()

    def look_back(self) -> None:
        """End the jobs that a killed process, or this one, left: none of their rows may arrive after what follows."""
        with self._first:
            if not self._looked_back:
                for begun in self._journal.left():
                    self._end_left(begun)
                self._looked_back = True
            while self._left:
                self._end_left(self._left[0])
                del self._left[0]

    def recall(self, object: str, scope: str, keys: Sequence[str]) -> list[Outcome]:
        """What became of new records that were begun within `scope` and of which no answer came, as far as a job tells.

        A job that still works is waited for. A row that was surely not made is REJECTED, passing, as NOT_PROCESSED.
        What was told before is kept by now: those jobs are struck off.
        """
        found: dict[str, Outcome] = {}
        unsure: set[str] = set()
        with self._first:
            while self._recalled:
                self._journal.end(self._recalled.pop())
            for begun in self._journal.left():
                awaited = begun.awaited
                if awaited is None or (begun.object, awaited.scope) != (object, scope):
                    continue
                if set(keys).isdisjoint(awaited.cells.values()):
                    continue
                file = upload.File(
                    awaited.key_column, (), {cell: Change(key, {}) for cell, key in awaited.cells.items()}
                )
                path, purpose = _left_over(begun)
                with file.body:
                    try:
                        ended = self._ended(path, purpose)
                        told, left, silent = self._results(path, purpose, Operation.CREATE, file, ended)
                    except TransientError:
                        raise
                    except CRMError:
                        continue  # gone after its seven days
                for key in awaited.cells.values():
                    if key in told and (key not in found or found[key].state is not State.DONE):
                        found[key] = told[key]
                    elif key in left or not silent:
                        text = f"the job {begun.job} never came to it"
                        missed = Outcome(key, State.REJECTED, symbol="NOT_PROCESSED", message=text, passing=True)
                        found.setdefault(key, missed)
                    else:
                        unsure.add(key)
                self._recalled.add(begun.job)
        # One job's silence outweighs that another never came to the row; not that one made it.
        return [found[key] for key in keys if key in found and (key not in unsure or found[key].state is State.DONE)]

    def write(
        self, schema: ObjectSchema, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        """One outcome a change, in their order. Raises PartlyWritten when some were not written, CRMError when none."""
        if len({change.key for change in changes}) < len(changes):
            raise ValueError("a write takes changes with a key of their own each")
        work = _Work(schema, operation, options)
        key = upload.key_column(schema, operation, changes)
        left = _by_parent(schema, changes, {}) if key is not None else []
        if key is None:
            work.aside += changes
        for attempt in range(1, ROW_ATTEMPTS + 1):
            if attempt > 1:
                self._sleep(self._http.policy.wait(attempt))
            if key is not None and left and (attempt == 1 or len(left) > FEW_ROWS):
                self._by_jobs(work, key, left)
            elif left:
                self._by_collections(work, left)
            if work.failure is not None or self._stop.is_set():
                break
            skipped = {change.key for change in work.aside}
            left = _by_parent(schema, [one for one in work.waiting(changes) if one.key not in skipped], work.outcomes)
            if not left:
                break
        if work.aside and work.failure is None and not self._stop.is_set():
            self._by_collections(work, work.aside)
        return self._told(work, changes)

    def _told(self, work: _Work, changes: Sequence[Change]) -> list[Outcome]:
        """The outcomes in order, or the error that says how far it came."""
        if len(work.outcomes) == len(changes):
            return [work.outcomes[change.key] for change in changes]
        if not work.outcomes and work.failure is not None:
            raise work.failure
        why = (
            "it was interrupted"
            if self._stop.is_set()
            else work.reason or "the CRM ended the job before it came to them"
        )
        if work.failure is not None:
            why = work.failure.message
        left = len(changes) - len(work.outcomes)
        hint = work.failure.hint if work.failure is not None else ""
        raise PartlyWritten(
            f"{work.operation.value} {len(changes):,} {work.schema.name}: {left:,} rows were not written: {why}",
            [work.outcomes[change.key] for change in changes if change.key in work.outcomes],
            hint=hint or "run it again: what was written is kept, the rest is sent then",
        )

    # ---- Collections, for what is left ----

    def _by_collections(self, work: _Work, changes: Sequence[Change]) -> None:
        """Call after call; a call that fails as a whole ends it, and what came before it is kept."""
        for start in range(0, len(changes), BATCH_ROWS):
            chunk = changes[start : start + BATCH_ROWS]
            if self._stop.is_set():
                return
            try:
                told = self._writer.write(work.schema, work.operation, chunk, work.options)
            except OutcomeInDoubt as error:
                work.failure = error
                if work.operation is Operation.CREATE:
                    _doubt(work, chunk, error)
                for change in chunk if work.operation is not Operation.CREATE else ():
                    # What an earlier sending came to is no longer true; to send it once more does no harm.
                    work.outcomes.pop(change.key, None)
                return
            except BackhaulError as error:
                work.failure = error
                return
            work.outcomes.update((outcome.key, outcome) for outcome in told)

    # ---- jobs ----

    def _by_jobs(self, work: _Work, key: str, changes: Sequence[Change]) -> None:
        """One job a file; its failure as a whole ends the write, unless the rows may go by Collections."""
        for file in upload.files(work.schema, work.operation, key, changes, work.aside):
            with file.body:
                try:
                    self._job(work, file)
                except CRMError as error:
                    if error.symbol in _NOT_FOR_BULK:
                        work.aside.extend(file.changes.values())
                        continue
                    work.failure = error
                    if isinstance(error, OutcomeInDoubt) and work.operation is Operation.CREATE:
                        _doubt(work, file.changes.values(), error)
                except BackhaulError as error:
                    work.failure = error
            if work.failure is not None or self._stop.is_set():
                return

    def _job(self, work: _Work, file: upload.File) -> None:
        purpose = f"{work.operation.value} {len(file.changes):,} {work.schema.name}"
        job = self._filled(work, file, purpose)
        path = f"{self._data}/jobs/ingest/{job}"
        with self._turn() as mine:
            if not mine:
                self._drop(path, purpose, job, work)
                return
            begun, ended = self._worked(path, purpose, job, work)
        try:
            told, missed, silent = self._results(path, purpose, work.operation, file, ended)
        except BackhaulError as error:
            raise self._unknown(purpose, job, work, error) from None
        self._journal.end(job)
        state, reason = str(ended.get("state", "")), str(ended.get("errorMessage") or "")
        if not told and not silent and state == "Failed" and reason.startswith(_STRUCTURE):
            raise CRMError(
                f"{purpose}: the job {job} failed: {reason} (account '{self._http.account}')",
                symbol=reason.partition(":")[0].strip(),
                hint="a field of the export is not writable for this user, or not there: run `backhaul check --online`",
            )
        if state != "JobComplete":
            work.reason = reason or f"the job {job} ended as {state}"
        work.outcomes.update(told)
        for change in file.changes.values():
            if change.key not in told and change.key not in missed and silent:
                # It says that it worked on more rows than it tells of: this may be one of them.
                work.outcomes[change.key] = Outcome(
                    change.key,
                    State.IN_DOUBT,
                    change.record_id,
                    symbol="NO_RESULT",
                    message=f"job {job} does not name it",
                )
        if state == "Aborted" and not self._stop.is_set():
            if begun:
                work.failure = TransientError(f"{purpose}: somebody aborted the job {job} in the org")
            else:
                work.failure = TransientError(f"{purpose}: the job could not be begun, its replies were lost")

    @contextlib.contextmanager
    def _turn(self) -> Iterator[bool]:
        """The right to have a job at work, as soon as there is one; False when somebody wants to stop."""
        while not (mine := self._turns.acquire(timeout=SHORT_SLEEP)) and not self._stop.is_set():
            pass
        try:
            yield mine and not self._stop.is_set()
        finally:
            if mine:
                self._turns.release()

    def _worked(self, path: str, purpose: str, job: str, work: _Work) -> tuple[bool, dict[str, Any]]:
        """Let a filled job do its work; gives whether it began, and its last state."""
        try:
            begun = self._close(path, purpose)
        except OutcomeInDoubt as error:
            raise self._unknown(purpose, job, work, error) from None
        except BackhaulError:
            # Refused before anything happened: the job never began.
            self._drop(path, purpose, job, work)
            raise
        try:
            return begun, self._await(path, purpose)
        except BackhaulError as error:
            raise self._unknown(purpose, job, work, error) from None
        except (KeyboardInterrupt, SystemExit):
            self._abort(path, purpose)
            raise

    def _drop(self, path: str, purpose: str, job: str, work: _Work) -> None:
        """Abort a job that never began. One that cannot be aborted stays on the list to be."""
        if self._abort(path, purpose):
            self._journal.end(job)
        else:
            # Nobody waits for it: its rows are planned anew.
            self._journal.begin(job, self._data, work.schema.name)
            self._leave(job, work)

    def _leave(self, job: str, work: _Work) -> None:
        """Remember a job that stays in the journal: the next write, of this process or another, ends it first."""
        self._left.append(Begun(job, self._data, work.schema.name, "", 0))

    def _unknown(self, purpose: str, job: str, work: _Work, error: BackhaulError) -> OutcomeInDoubt:
        """The job is at work and cannot be asked about. It stays in the journal: the next write waits for it."""
        self._leave(job, work)
        return OutcomeInDoubt(
            f"{purpose}: the job {job} was started, and then account '{self._http.account}' could not be asked "
            f"what became of it: {error.message}",
            symbol=getattr(error, "symbol", ""),
            status=getattr(error, "status", 0),
            hint="run it again: it waits for the job first",
        )

    def _filled(self, work: _Work, file: upload.File, purpose: str) -> str:
        """The id of a job that holds the file. A job whose upload is not known to have arrived is aborted, unused."""
        for filling in range(1, FILLINGS + 1):
            job = self._created(work, file, purpose)
            path = f"{self._data}/jobs/ingest/{job}"
            try:
                self._journal.begin(job, self._data, work.schema.name, _awaited(work, file))
                request = Request(
                    "PUT",
                    f"{path}/batches",
                    f"upload {len(file.changes):,} rows to {work.schema.name}",
                    headers={"Content-Type": "text/csv; charset=UTF-8"},
                    data=file.opened,
                    # A second upload to one job is refused, or worse: a lost reply gets a new job.
                    repeatable=False,
                )
                self._http.send(request)
            except BaseException as error:
                self._abort(path, purpose)
                self._journal.end(job)
                if isinstance(error, OutcomeInDoubt):
                    if filling < FILLINGS:
                        continue
                    # Never closed, the job did nothing: nothing is in doubt.
                    raise TransientError(
                        f"{purpose}: the upload to account '{self._http.account}' broke off {FILLINGS} times; "
                        "nothing was written",
                        hint="run it again later",
                    ) from None
                raise
            return job
        raise AssertionError("the loop ends by itself")

    def _created(self, work: _Work, file: upload.File, purpose: str) -> str:
        word = {
            Operation.CREATE: "insert",
            Operation.DELETE: "hardDelete" if work.options.get("hard_delete") else "delete",
        }
        body = {
            "object": work.schema.name,
            "operation": word.get(work.operation, work.operation.value),
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if work.operation is Operation.UPSERT:
            body["externalIdFieldName"] = file.key_column
        rule = work.options.get("assignment_rules")
        if isinstance(rule, str):
            body["assignmentRuleId"] = rule
        # A job made twice stays empty and is removed after a day.
        request = Request("POST", f"{self._data}/jobs/ingest", f"start a job: {purpose}", json=body, repeatable=True)
        body = self._http.json(request)
        job = body.get("id") if isinstance(body, dict) else None
        if not job:
            raise CRMError(f"{purpose}: account '{self._http.account}' made a job and did not name it")
        return str(job)

    def _close(self, path: str, purpose: str) -> bool:
        """Let the job begin; False: it was aborted instead. Raises OutcomeInDoubt when it may have begun and cannot be
        asked, any other error when it surely has not.

        Where the reply was lost the job's own state tells; a job that is still open is told again, a few times.
        """
        failure: CRMError
        for attempt in range(1, CLOSINGS + 1):
            lost = False
            try:
                self._state(path, purpose, "UploadComplete", repeatable=False)
                return True
            except OutcomeInDoubt as error:
                failure, lost = error, True
            except CRMError as error:
                if isinstance(error, TransientError):
                    raise
                failure = error
            try:
                state = self._info(path, purpose).get("state")
            except BackhaulError as error:
                if not lost:
                    raise failure from None
                raise OutcomeInDoubt(f"{failure.message}; {error.message}", hint=failure.hint) from None
            if state != "Open":
                return True
            if not lost:
                raise failure
            self._sleep(self._http.policy.wait(attempt))
        # An aborted job tells what became of each row, should it have begun after all.
        if not self._abort(path, purpose):
            # Still open as far as anybody can tell, and on the list: the next write ends it before it sends anything.
            raise TransientError(f"{purpose}: the job could not be begun: {failure.message}")
        return False

    def _await(self, path: str, purpose: str) -> dict[str, Any]:
        """The job's last state, asked for in growing intervals; aborted first when somebody wants to stop."""
        pause, waited, aborted = FIRST_POLL, 0.0, False
        while True:
            info = self._info(path, purpose)
            if str(info.get("state")) in _ENDED:
                return info
            if self._stop.is_set() and not aborted:
                self._abort(path, purpose)
                pause, aborted = FIRST_POLL, True
                continue
            if waited > LONGEST_JOB:
                raise TransientError(f"{purpose}: the job is still {info.get('state')} after {waited / 3600:.0f} hours")
            self._sleep(pause)
            waited += pause
            pause = min(pause * POLL_GROWTH, LONGEST_POLL)

    def _results(
        self, path: str, purpose: str, operation: Operation, file: upload.File, ended: Mapping[str, Any]
    ) -> tuple[dict[str, Outcome], set[str], bool]:
        """The outcomes by key, the keys of the rows that were not processed, and whether it is silent about others.

        A complete job names every row, and any job those that it worked on (§7: the failed ones are counted, too).
        Files with fewer rows broke off without a sign of it: they are read again.
        """
        for reading in range(1, READINGS + 1):
            texts = [
                self._http.send(
                    Request("GET", f"{path}/{name}", f"{purpose}: read the results", headers=_CSV, vital=True)
                ).content
                for name in ("successfulResults", "failedResults", "unprocessedrecords")
            ]
            succeeded, failed, missed = (text.decode("utf-8", "replace") for text in texts)
            told, left = upload.outcomes(operation, file, succeeded, failed), upload.unprocessed(file, missed)
            worked = ended.get("numberRecordsProcessed")
            silent = isinstance(worked, int) and len(told) < worked
            if ended.get("state") == "JobComplete":
                silent = len(told) + len(left) < len(file.changes)
            if not silent:
                break
            self._sleep(self._http.policy.wait(reading))
        return told, left, silent

    def _info(self, path: str, purpose: str) -> dict[str, Any]:
        body = self._http.json(Request("GET", path, f"{purpose}: ask how far the job is", vital=True))
        return body if isinstance(body, dict) else {}

    def _state(self, path: str, purpose: str, state: str, *, repeatable: bool = True) -> None:
        # To say it twice is refused without harm.
        self._http.send(
            Request("PATCH", path, f"{purpose}: {state}", json={"state": state}, repeatable=repeatable, vital=True)
        )

    def _abort(self, path: str, purpose: str) -> bool:
        """Abort a job, as well as it goes: the caller has an error or a wish of his own to follow. True: it took it."""
        try:
            self._state(path, purpose, "Aborted")
        except BackhaulError:
            return False
        return True

    def _end_left(self, begun: Begun) -> None:
        try:
            self._ended(*_left_over(begun))
        except TransientError:
            raise
        except CRMError:
            self._journal.end(begun.job)  # gone after its seven days, or never there
            return
        if begun.awaited is None or begun.job in self._recalled:
            self._journal.end(begun.job)

    def _ended(self, path: str, purpose: str) -> dict[str, Any]:
        """The last state of a job that was left, which is aborted if it has not begun."""
        if self._info(path, purpose).get("state") == "Open":
            self._abort(path, purpose)
        return self._await(path, purpose)

    def _sleep(self, seconds: float) -> None:
        while seconds > 0 and not self._stop.is_set():
            self._http.policy.sleep(min(seconds, SHORT_SLEEP))
            seconds -= SHORT_SLEEP


_CSV = {"Accept": "text/csv"}


def _left_over(begun: Begun) -> tuple[str, str]:
    """The path and the purpose of a job that was left."""
    return f"{begun.data}/jobs/ingest/{begun.job}", f"job {begun.job} of an earlier run on {begun.object}"


def _awaited(work: _Work, file: upload.File) -> Awaited | None:
    """What must be remembered of a job of new records: nothing else can tell what became of them."""
    scope = work.options.get("id_scope")
    if work.operation is not Operation.CREATE or not isinstance(scope, str):
        return None
    return Awaited(scope, file.key_column, {cell: change.key for cell, change in file.changes.items()})


def _doubt(work: _Work, changes: Iterable[Change], error: OutcomeInDoubt) -> None:
    for change in changes:
        work.outcomes[change.key] = Outcome(change.key, State.IN_DOUBT, message=error.message)


def _by_parent(schema: ObjectSchema, changes: Sequence[Change], told: Mapping[str, Outcome]) -> list[Change]:
    """The changes with those of one parent together: the record that a lock named, else what the rows refer to."""
    parents = [
        name
        for name in dict.fromkeys(name for change in changes for name in change.values)
        if "." in name
        or ((one := schema.fields.get(name)) is not None and one.kind is Kind.ID and one.name != schema.id_field)
    ]

    def parent(change: Change) -> tuple[str, ...]:
        outcome = told.get(change.key)
        if outcome is not None and (locked := _LOCKED_ON.search(outcome.message)):
            return (locked[0][:15],)
        return tuple(str(change.values.get(name) or "") for name in parents)

    return sorted(changes, key=parent)
