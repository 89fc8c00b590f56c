"""Imports: what changed of an object, and what was deleted, into the raw log.

describe -> columns -> window -> pages spooled as received -> counted -> loaded and appended, the window's end stored in
the same package as the rows. At any kill the destination holds either none or all of a package; the pages of an
unfinished window stay in the spool, and the next call finishes that window first and then reads a new one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backhaul.errors import BackhaulError, ConfigurationError, Fault, IncompleteImport, StepFailed
from backhaul.importing.fields import OWN_TYPES, Declared, LogColumn, declare, fits, own_hints
from backhaul.importing.loading import Loader, Package, Stored
from backhaul.importing.log import RAW_SCHEMA, format_instant, raw_table
from backhaul.importing.pages import PageCounter, pages_sql, torn_sql
from backhaul.importing.rows import (
    all_versions_sql,
    columns_of,
    deletions_sql,
    live_count_sql,
    misfit_sql,
    new_versions_sql,
    typed_sql,
    vanished_sql,
    with_survivors_sql,
)
from backhaul.importing.tracking import BROKE_OFF, LINK, deleted_tracked, import_tracked, is_tracked
from backhaul.importing.window import StepSpool
from backhaul.record import DeletedRecord, Extract, Extraction, ObjectSchema, PageFormat, Window

if TYPE_CHECKING:
    from backhaul.config import ObjectConfig, Project
    from backhaul.crm import Connector, Progress
    from backhaul.warehouse import Warehouse


T = TypeVar("T")

LISTED_LATE = timedelta(minutes=2)
"""The least step back for deletions: a CRM lists those of the current minute later (salesforce-api.md §5.1)."""
FEW_VANISHED = 100
"""So many records may be gone in one comparison whatever their share."""
READ_ALL_AT = "read_all_at"
"""Where the state keeps the end of the last window that had no start."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What one import did. `start` (included, None: from the beginning) and `end` (excluded) are the window's.

    `rows_received` came from the CRM, `rows_loaded` were new to the log, the others it knew already. `bytes` as
    received; `seconds` of wall clock. `full`: everything was read again; `resumed`: an interrupted window was finished
    first; `remarks` are sentences for the reader (why everything was read, which fields have gone).
    """

    option_name: str
    start: datetime | None
    end: datetime
    rows_received: int = 0
    rows_loaded: int = 0
    pages: int = 0
    bytes: int = 0
    seconds: float = 0.0
    api_calls: int = 0
    full: bool = False
    resumed: bool = False
    remarks: tuple[str, ...] = ()


def import_object(  # noqa: PLR0913 - the settled call of this floor: where to, from where, what, and how
    project: Project,
    warehouse: Warehouse,
    connector: Connector,
    object_config: ObjectConfig,
    option: str,
    *,
    spool_root: Path,
    progress: Progress,
    full_refresh: bool = False,
    population: Sequence[str] | None = None,
    may_vanish: bool = False,
) -> ImportResult:
    """Append to the raw log what changed of one object since the window stored under `option`.

    The first call, `full_refresh`, and a field list that grew read everything; what the log holds is kept. With
    `population` only the records of these ids are read; those that the log does not know yet, whole. `may_vanish` lets
    more records be gone than the object's `max_vanished`, where everything is read to find them. Raises
    ConfigurationError (fields that do not exist, types that changed), the connector's errors, IncompleteImport (the
    stored window stays), StepFailed (a value that is not what describe says, named with its record).
    """
    began, calls = time.monotonic(), connector.api_calls
    task = _Task(project, warehouse, connector, object_config, option)
    task.may_vanish = may_vanish
    task.population = None if population is None else sorted(set(population))
    spool = StepSpool(spool_root, option)
    reasons = task.reasons_to_read_all(full_refresh)
    if is_tracked(task):
        tracked = import_tracked(task, spool, reasons, progress)
        if tracked is not None:
            return replace(
                tracked,
                seconds=time.monotonic() - began,
                api_calls=connector.api_calls - calls,
                remarks=(*task.declared.remarks, *reasons, *tracked.remarks),
            )
    task.link = ""  # it stands for an instant that windows do not keep to
    follows = not reasons and task.declared.cursor and task.value
    start = task.value - object_config.overlap if follows and task.value else None
    question = task.question("import", start)
    end = spool.interrupted(question)
    results: list[ImportResult] = []
    if end is not None:
        results.append(task.fetch_and_load(spool, question, Window(task.cursor, start, end), progress))
        start = end - object_config.overlap if task.declared.cursor else None
        question = task.question("import", start)
    end = connector.now()
    if start is not None and end <= start:
        remark = (
            f"the stored end of the last window, {format_instant(task.value)} UTC, lies in the future: nothing was read"
        )
        results.append(ImportResult(option, start, start, remarks=(remark,)))
    else:
        results.append(task.fetch_and_load(spool, question, Window(task.cursor, start, end), progress))
    return replace(
        _total(results),
        seconds=time.monotonic() - began,
        api_calls=connector.api_calls - calls,
        full=results[0].start is None,
        resumed=len(results) > 1,
        remarks=(*task.declared.remarks, *reasons, *results[-1].remarks),
    )


def import_deleted(  # noqa: PLR0913 - as above
    project: Project,
    warehouse: Warehouse,
    connector: Connector,
    object_config: ObjectConfig,
    *,
    option: str,
    start: datetime | None = None,
    end: datetime | None = None,
    compare: bool = False,
    may_vanish: bool = False,
    spool_root: Path,
    progress: Progress,
) -> ImportResult:
    """Append a deletion row for every record of one object that has gone; those already known are left out.

    Where the CRM lists deletions, from `start` (default: where the last run ended, less the overlap) to `end` (default:
    now), both included. Where it tracks changes, those since the last run; else all its ids are compared with the log's
    live records. `start` and `end` have no meaning then. `compare` always does the comparison, too: it finds what the
    CRM has forgotten that it deleted; StepFailed when more has gone than `max_vanished`, unless it `may_vanish`. Raises
    as :func:`import_object`.
    """
    began, calls = time.monotonic(), connector.api_calls
    task = _Task(project, warehouse, connector, object_config, option)
    task.may_vanish = may_vanish
    spool = StepSpool(spool_root, option)
    results: list[ImportResult] = []
    if connector.detects_deletions and task.schema.lists_deletions:
        until = end or connector.now()
        overlap = max(object_config.overlap, LISTED_LATE)
        since = start or (task.value - overlap if task.value else None)
        # With a comparison to follow, a period longer than the CRM keeps is no loss.
        results.append(task.load_deletions(spool, None if compare else since, until))
    elif task.schema.tracks_changes and not compare:
        tracked = deleted_tracked(task, spool, progress)
        results += [tracked] if tracked is not None else []
    if compare or not results:
        results.append(task.compare_ids(spool, progress))
    result = _total(results)
    return replace(
        result,
        seconds=time.monotonic() - began,
        api_calls=connector.api_calls - calls,
        remarks=task.declared.remarks,
    )


class _Task:
    """One step's import: everything that stays the same while it runs."""

    def __init__(
        self, project: Project, warehouse: Warehouse, connector: Connector, config: ObjectConfig, option: str
    ) -> None:
        self.home = warehouse
        # What pages and log are compared with: the warehouse itself on DuckDB, else its scratch file.
        self.warehouse = warehouse.engine(anew=True)
        self.connector = connector
        self.config = config
        self.option = option
        self.time_zone = str(project.profile.accounts[connector.account].time_zone)
        self.schema: ObjectSchema = connector.describe(config.name)
        self.place = f"{connector.account}.{config.name}"
        self.table = raw_table(connector.account, config.name)
        warehouse.create_schema(RAW_SCHEMA)
        self.loader = Loader.of(project, warehouse)
        self.stored = self.loader.stored().get(option)
        self.held = warehouse.columns(RAW_SCHEMA, self.table)
        self.declared = self._reconciled(declare(self.schema, config, self.held))
        self.population: list[str] | None = None
        self.may_vanish = False
        kept = (self.stored.extra if self.stored else {}).get(READ_ALL_AT)
        link = (self.stored.extra if self.stored else {}).get(LINK)
        self.link = link if isinstance(link, str) else ""
        self.read_all_at = datetime.fromisoformat(kept) if isinstance(kept, str) else None
        broke_off = (self.stored.extra if self.stored else {}).get(BROKE_OFF)
        self.broke_off = datetime.fromisoformat(broke_off) if isinstance(broke_off, str) else None
        self.view = f"_backhaul_incoming__{self.table}"
        self.warehouse.drop(RAW_SCHEMA, self.view)  # of a run that was killed

    @property
    def cursor(self) -> str:
        return self.declared.cursor or ""

    @property
    def value(self) -> datetime | None:
        """The stored end of the last window, of this very cursor."""
        if self.stored is None or (self.stored.cursor or self.declared.cursor) != self.declared.cursor:
            return None
        return self.stored.value

    def reasons_to_read_all(self, full_refresh: bool) -> list[str]:
        """Why the window has to begin at the beginning, as sentences; empty when it need not."""
        stored = self.stored
        if stored is None or stored.value is None:
            return [] if not full_refresh else ["everything was read, as asked for"]
        reasons = ["everything was read again, as asked for"] if full_refresh else []
        if stored.cursor and stored.cursor != self.declared.cursor:
            reasons.append(
                f"the cursor is {self.declared.cursor or 'none'} now and was {stored.cursor}: everything was read again"
            )
        grown = [name for name in self.declared.signature if stored.fields and name not in stored.fields]
        if grown:
            reasons.append(f"new: {', '.join(grown)}; everything was read again to fill older records")
        if self.config.sweep is not None and not reasons:
            long_ago = self.connector.now() - self.config.sweep
            if self.read_all_at is None or self.read_all_at <= long_ago:
                reasons.append("the sweep was due: everything was read again, for values that change without a stamp")
        if stored.fields and stored.filter != self._filter:
            reasons.append("the filter changed: everything was read again")
        return reasons

    def question(self, kind: str, start: datetime | None) -> dict[str, Any]:
        """What is being asked of the CRM, all but the window's end."""
        return {
            "kind": kind,
            "account": self.connector.account,
            "object": self.config.name,
            "columns": [[column.name, column.wire, column.type, column.convert] for column in self.declared.columns],
            "filter": self._filter,
            "order_by": [list(item) for item in self.config.order_by],
            "road": self.config.road,
            "cursor": self.declared.cursor,
            "start": start.isoformat() if start else None,
            **({} if self.population is None else {"population": _digest(self.population)}),
        }

    def fetch_and_load(
        self, spool: StepSpool, question: dict[str, Any], window: Window, progress: Progress
    ) -> ImportResult:
        """One window: pages into the spool, checked, loaded, the window stored, the spool cleared."""
        query = Extract(
            self.config.name,
            tuple(column.api_name for column in self.declared.present),
            window if self.declared.cursor else None,
            self.config.filter,
            tuple(self.config.order_by),
            road=self.config.road,
        )
        if self.population is not None:
            known = self._known(self.population) if window.start else set(self.population)
            query = replace(
                query,
                ids=tuple(name for name in self.population if name in known),
                fresh=tuple(name for name in self.population if name not in known),
            )
        if window.start is None:
            self.read_all_at = window.end
        pages = spool.open(question, window.end)
        # Into an empty log all rows go, and are counted as they do.
        counter = PageCounter(self.warehouse) if self._log_holds_rows() else None

        def on_progress(rows: int, expected: int) -> None:
            if counter:
                counter.look(pages)
            progress(rows, expected)

        try:
            extraction = self.connector.extract(query, pages, on_progress)
            if counter:
                counter.look(pages)

            def load() -> tuple[Extraction, int]:
                whole = self._whole(extraction, window) if extraction.parts else extraction
                return whole, self._load_pages(whole, window.end, counter)

            extraction, loaded = self._settled(spool, load)
        finally:
            if counter:
                counter.close()
        return self._result(extraction, window.start, window.end, loaded)

    def _whole(self, extraction: Extraction, window: Window) -> Extraction:
        """An extract in parts as one, once it is sure that every record which is not whole changed after the window.

        Such a record comes with the next window. One that did not change must not be missing from a part.
        """
        for part in extraction.parts:
            self._counted(part, part.columns[:1])
        torn = [row["id"] for row in self.warehouse.rows(torn_sql(self.warehouse, extraction))]
        cursor = self.declared.cursor
        identity = self.declared.id.name
        for row in self.connector.fetch(self.config.name, identity, torn, [cursor] if cursor else []) if torn else ():
            stamp = row.get(cursor) if cursor else None
            if not isinstance(stamp, datetime) or stamp < window.end:
                raise IncompleteImport(
                    f"{self.place}: the record {row[identity]} came without some of its fields; the window stays open",
                    hint="run the import again",
                )
        whole = pages_sql(self.warehouse, extraction, extraction.joined_by[:1])
        rows = int(self.warehouse.scalar(f"SELECT count(*) FROM (\n{whole}\n) AS whole"))
        return replace(extraction, rows=rows, announced=rows)

    def load_deletions(self, spool: StepSpool, start: datetime | None, end: datetime) -> ImportResult:
        """The deletions that the CRM lists."""
        gone = self.connector.deleted(self.config.name, start, end)
        listed = spool.open(self.question("import_deleted", start), end)
        sql = self._listed_sql(listed.folder, gone)
        self._compare_only(sql, "id")
        loaded = self._settled(spool, lambda: self._append_deletions(sql, len(gone), end, start))
        return ImportResult(self.option, start, end, len(gone), loaded)

    def _listed_sql(self, folder: Path, gone: Sequence[DeletedRecord]) -> str:
        """A SELECT of (id, deleted_at, survivor), by way of a file in `folder`: there may be very many."""
        path = folder / "deleted.json"
        path.write_text("".join(_line(record) for record in gone), encoding="utf-8")
        return (
            "SELECT id, CAST(deleted_at AS TIMESTAMP WITH TIME ZONE) AS deleted_at, survivor FROM read_json("
            f"{self.warehouse.literal(str(path))}, format = 'newline_delimited', "
            "columns = {'id': 'VARCHAR', 'deleted_at': 'VARCHAR', 'survivor': 'VARCHAR'})"
        )

    def compare_ids(self, spool: StepSpool, progress: Progress) -> ImportResult:
        """The records that the log holds as live and the CRM no longer has."""
        question = self.question("import_deleted", None)
        interrupted = spool.interrupted(question)
        if interrupted is not None:
            spool.clear()  # ids read before the interruption say nothing about records made since
        end = self.connector.now()
        extraction = self.connector.ids(self.config.name, spool.open(question, end), progress)
        loaded = self._settled(spool, lambda: self._load_vanished(extraction, end))
        return self._result(extraction, None, end, loaded)

    # Within

    def _compare_only(self, rows: str, identity: str) -> None:
        """Only of the records in `rows`, whose id is the column `identity`, will the log be looked at."""
        ids = f"SELECT {self.warehouse.quote(identity)} FROM (\n{rows}\n) AS wanted"
        self.warehouse.narrow(RAW_SCHEMA, self.table, self.declared.id.name, ids)

    @property
    def _filter(self) -> str:
        return "" if self.config.filter is None else repr(self.config.filter)

    def _result(self, extraction: Extraction, start: datetime | None, end: datetime, loaded: int) -> ImportResult:
        return ImportResult(self.option, start, end, extraction.rows, loaded, len(extraction.paths), extraction.bytes)

    def _known(self, ids: Sequence[str]) -> set[str]:
        """Those ids that the log holds a record of."""
        if not self._log_holds_rows():
            return set()
        identity = self.home.quote(self.declared.id.name)
        log = self.home.relation(RAW_SCHEMA, self.table)
        held = {row["id"] for row in self.home.rows(f"SELECT DISTINCT {identity} AS id FROM {log}")}
        return held.intersection(ids)

    def _settled(self, spool: StepSpool, load: Callable[[], T]) -> T:
        """Run `load` and clear the spool, after a failure too: what could not be loaded once is fetched anew."""
        try:
            loaded = load()
        except BackhaulError:
            spool.clear()
            raise
        spool.clear()
        return loaded

    def _load_pages(self, extraction: Extraction, end: datetime, counter: PageCounter | None) -> int:
        wires = [column.wire for column in self.declared.present]
        if counter:
            pages = self._counted(extraction, wires, counter)
            typed = typed_sql(self.warehouse, self.declared, pages, self.time_zone)
            self._compare_only(pages, self.declared.id.wire)
            rows = new_versions_sql(self.warehouse, self.declared, self.table, typed, end)
            return self.append_new(rows, extraction.rows, end, pages)
        pages = self._promised(extraction, wires)
        typed = typed_sql(self.warehouse, self.declared, pages, self.time_zone)
        rows = all_versions_sql(self.warehouse, self.declared, typed, end)
        return self.append_all(rows, extraction, extraction.rows, end, pages)

    def append_all(self, sql: str, extraction: Extraction, expected: int, end: datetime, pages: str) -> int:
        """Fill an empty log with the rows of `sql`, made from `pages`: `expected` rows, or it fails and stays empty."""
        try:
            # JSON pages are read whole before they become rows: only CSV really streams through little memory.
            if extraction.format is PageFormat.CSV:
                try:
                    with self.warehouse.streaming(len(self.declared.columns)):
                        return self._append(sql, expected, end, all_new=True)
                except StepFailed as failed:
                    if "out of memory" not in str(failed).lower():
                        raise
            return self._append(sql, expected, end, all_new=True)
        except StepFailed as failed:
            if isinstance(failed, IncompleteImport):
                raise
            # Which of the pages or values it was is asked only now.
            self._counted(extraction, [self.declared.id.wire])
            raise (self._misfit(pages) or failed) from failed.__cause__

    def append_new(self, sql: str, received: int, end: datetime, pages: str) -> int:
        """Append the rows of `sql`, made from `pages` and the log."""
        try:
            return self._append(sql, received, end, all_new=False)
        except StepFailed as failed:
            raise (self._misfit(pages) or failed) from failed.__cause__

    def _load_vanished(self, extraction: Extraction, end: datetime) -> int:
        identity = self.declared.id
        pages = self._counted(extraction, [identity.wire])
        if not self._log_holds_rows():
            return self._append("", 0, end, all_new=False)
        named = (
            f"SELECT {self.warehouse.quote(identity.wire)} AS {self.warehouse.quote(identity.name)} FROM (\n{pages}\n)"
        )
        return self._append_deletions(self.vanished(named, end), 1, end, None)

    def vanished(self, named: str, end: datetime) -> str:
        """A SELECT of the records that the log holds as live and that are not among the ids of the SELECT `named`.

        Raises StepFailed when they are more than the object's `max_vanished` allows: the end of a listing that broke
        off cannot always be told from the end of all records.
        """
        gone = vanished_sql(self.warehouse, self.declared, self.table, named, end)
        most = self.config.max_vanished
        if self.may_vanish or most >= 1:
            return gone
        rows = int(self.warehouse.scalar(f"SELECT count(*) FROM (\n{gone}\n) AS gone"))
        if rows <= FEW_VANISHED:
            return gone
        held = int(self.warehouse.scalar(live_count_sql(self.warehouse, self.declared, self.table)))
        if rows <= most * held:
            return gone
        raise StepFailed(
            f"{self.place}: {rows:,} of {held:,} records that were held as live are not among those that the CRM "
            f"listed, and {most:.0%} may be (max_vanished): nothing was marked deleted",
            hint="look into the CRM; if they have gone, run it once with --allow max_vanished",
        )

    def _append_deletions(self, gone: str, rows: int, end: datetime, start: datetime | None) -> int:
        table = self.table if self._log_holds_rows() else None
        sql = deletions_sql(self.warehouse, self.declared, table, self._with_survivors(gone), end)
        # A window chosen by hand that ends earlier does not take the stored one back.
        kept = max(end, self.value) if self.value else end
        return self._append(sql, rows, kept, all_new=False)

    def _with_survivors(self, gone: str) -> str:
        """Deletions, with the survivors of merges that the log knows of."""
        field = self.schema.survivor_field
        if field.lower() not in {name.lower() for name in self.held} or not self._log_holds_rows():
            return gone
        return with_survivors_sql(self.warehouse, self.declared, self.table, gone, field)

    def _counted(self, extraction: Extraction, wires: Sequence[str], counter: PageCounter | None = None) -> str:
        """The pages as SQL, once it is sure that they hold as many records as the CRM announced."""
        pages = self._promised(extraction, wires)
        if not extraction.rows and not extraction.paths:
            return pages
        try:
            found = counter.total(extraction) if counter else None
            if found is None:
                found = int(self.warehouse.scalar(f"SELECT count(*) FROM (\n{pages}\n)"))
        except StepFailed as error:
            raise IncompleteImport(
                f"{self.place}: a page that was received cannot be read: {error.message.splitlines()[0]}",
                hint="run the import again: its pages are fetched anew",
            ) from error
        if found != extraction.rows:
            raise self._incomplete(extraction.rows, found, "readable in the pages received")
        return pages

    def _promised(self, extraction: Extraction, wires: Sequence[str]) -> str:
        """The pages as SQL, once it is sure that as many records are said to be in them as the CRM announced."""
        if extraction.announced is not None and extraction.rows != extraction.announced:
            raise self._incomplete(extraction.announced, extraction.rows, "received")
        return pages_sql(self.warehouse, extraction, wires)

    def _incomplete(self, announced: int, found: int, where: str) -> IncompleteImport:
        return IncompleteImport(
            f"{self.place}: {announced} records were announced, {found} are {where}; the window stays open",
            hint="run the import again",
        )

    def _append(self, sql: str, received: int, end: datetime, *, all_new: bool) -> int:
        """Load the rows of `sql` and store the window's end, in one package; gives the number of rows appended."""
        warehouse, declared = self.warehouse, self.declared
        stored = Stored(
            self.option,
            self.connector.account,
            self.config.name,
            declared.cursor,
            end,
            tuple(declared.signature),
            self._filter,
            {
                **({READ_ALL_AT: self.read_all_at.isoformat()} if self.read_all_at else {}),
                **({LINK: self.link} if self.link else {}),
                **({BROKE_OFF: self.broke_off.isoformat()} if self.link and self.broke_off else {}),
            },
        )
        # The first import of an object without records makes its table all the same: models can read it.
        if not received and (self.held or not sql):
            self.loader.load(stored, None)
            self.home.engine(anew=True)  # what was narrowed for these rows is not for what comes next
            return 0
        # dlt parses and prints the SQL of a package; a plain SELECT from a name leaves nothing for it to bend. What is
        # compared with the log is counted before, and so put down: to find it twice takes longer.
        expected = received
        warehouse.create_schema(RAW_SCHEMA)
        if all_new:
            warehouse.create_view_as(RAW_SCHEMA, self.view, sql)
        else:
            expected = warehouse.create_table_as(RAW_SCHEMA, self.view, sql)
        try:
            source = warehouse.relation(RAW_SCHEMA, self.view)
            package = None
            if expected or not self.held:
                names = ", ".join(warehouse.quote(name) for name in columns_of(declared))
                hints = [column.hints for column in declared.columns] + own_hints()
                types = {column.name: column.type for column in declared.columns} | OWN_TYPES
                package = Package(self.table, types, hints, f"SELECT {names} FROM {source}", expected)
            loaded = self.loader.load(stored, package)
            if loaded != expected:
                # Where the database does not count in the transaction that brings the rows, they are counted here.
                if self.stored:
                    self.loader.store(self.stored)
                else:
                    self.loader.forget(self.option)
                raise self._incomplete(expected, loaded, "in the raw log")
            return loaded
        finally:
            warehouse.drop(RAW_SCHEMA, self.view)
            self.home.engine(anew=True)  # the log has grown

    def _log_holds_rows(self) -> bool:
        if not self.home.columns(RAW_SCHEMA, self.table):
            return False
        return bool(self.home.rows(f"SELECT 1 FROM {self.home.relation(RAW_SCHEMA, self.table)} LIMIT 1"))

    def _misfit(self, pages: str) -> StepFailed | None:
        """If a value does not fit its column, the error that names object, field, record and value."""
        for column in self.declared.present:
            if column.type == "VARCHAR":
                continue
            try:
                found = self.warehouse.rows(misfit_sql(self.warehouse, self.declared, column, pages, self.time_zone))
            except StepFailed:
                return None  # what went wrong is no matter of values: memory, disk
            if found:
                value = str(found[0]["value"])
                shown = value if len(value) <= 80 else value[:77] + "..."
                return StepFailed(
                    f"{self.place}.{column.name}: the value {shown!r} of record {found[0]['id']} is no {column.type}",
                    hint=f"declare {{name: {column.name}, convert: copy}} to take it as text, or correct the record",
                )
        return None

    def _reconciled(self, declared: Declared) -> Declared:
        """Bring declared types and the log's types together: keep the wider, widen the narrower, refuse the rest."""
        columns: list[LogColumn] = []
        faults: list[Fault] = []
        for column in declared.columns:
            there = self.held.get(column.name)
            if there is None or column.missing or there == column.type:
                columns.append(column)
            elif fits(column.type, there):
                columns.append(replace(column, type=there))
            elif fits(there, column.type):
                self.loader.widen_column(self.table, column.name, column.type)
                columns.append(column)
            elif self.stored is None:
                self._set_aside(column.name, there)
                columns.append(column)
            else:
                faults.append(self._changed_type(column, there))
        if faults:
            raise ConfigurationError(faults)
        identity = next(column for column in columns if column.name == declared.id.name)
        return replace(declared, columns=tuple(columns), id=identity)

    def _changed_type(self, column: LogColumn, there: str) -> Fault:
        return Fault(
            f"{self.place}.{column.name} was {there} and is {column.type} now (the field changed in the CRM, or "
            "`convert` in the YAML); nothing was imported",
            where=column.where or self.config.where,
            hint=f"`backhaul state reset {self.option}`: the next import reads everything into a new column and keeps "
            f"the old one as {_aside(column.name, there)}; or set `convert` so that the type stays",
        )

    def _set_aside(self, name: str, there: str) -> None:
        """Keep a column of another type under another name; the new one is filled by reading everything."""
        free = _aside(name, there)
        taken = {column.lower() for column in self.held}
        number = 2
        while free.lower() in taken:
            free, number = f"{_aside(name, there)}_{number}", number + 1
        self.loader.rename_column(self.table, name, free)
        self.held = self.home.columns(RAW_SCHEMA, self.table)


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def _aside(name: str, database_type: str) -> str:
    return f"{name}__was_{database_type.partition('(')[0].split()[0].lower()}"


def _line(record: DeletedRecord) -> str:
    row = {"id": record.id, "deleted_at": record.at.isoformat(), "survivor": record.survivor}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _total(results: Sequence[ImportResult]) -> ImportResult:
    return replace(
        results[-1],
        start=results[0].start,
        rows_received=sum(result.rows_received for result in results),
        rows_loaded=sum(result.rows_loaded for result in results),
        pages=sum(result.pages for result in results),
        bytes=sum(result.bytes for result in results),
    )
