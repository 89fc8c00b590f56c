"""Imports by the CRM's own change tracking: what changed since a link, deletions included (dataverse-api.md §4).

The link that ends one reading begins the next; it is stored in the same package as the rows. The first reading brings
everything. A link that is no longer good (it expires after some days, and when the table's columns change) costs a
reading of everything, and then the records that the log holds as live and the CRM no longer has are marked deleted:
otherwise what was deleted since the lost link would stay for ever.

A reading of everything that broke off goes on at its page. The vendor says that the link tells what changed "since the
initial request"; whether that holds for one that was gone on with hours later nobody has seen, and what changed between
the two would be lost for good if not. So it is read after such a reading: what has a newer stamp, and all ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from backhaul.importing.rows import (
    all_versions_sql,
    deletions_sql,
    new_versions_sql,
    still_live_sql,
    typed_sql,
)
from backhaul.record import DeletedRecord, Extract, Extraction, Window

if TYPE_CHECKING:
    from backhaul.crm import Progress
    from backhaul.importing.run import ImportResult, _Task
    from backhaul.importing.window import StepSpool

LINK = "changes_since"
"""Where the state keeps the link, beside the window's end."""
BROKE_OFF = "reading_began_at"
"""Where the state keeps when a reading began that was gone on with later, until what changed meanwhile is read."""


def is_tracked(task: _Task) -> bool:
    """Whether changes are read by tracking: the CRM offers it, and all of the object is wanted, in no order.

    A filter, an order or a population cannot be asked for together with it.
    """
    config = task.config
    return task.schema.tracks_changes and config.filter is None and not config.order_by and task.population is None


def import_tracked(task: _Task, spool: StepSpool, reasons: list[str], progress: Progress) -> ImportResult | None:
    """Read and load what changed since the stored link, or everything. None: it is not tracked after all.

    Raises as :func:`backhaul.importing.import_object`.
    """
    link = "" if reasons else task.link
    remarks: list[str] = []
    caught = _catch_up(task, spool, progress) if link else []
    if not link and not reasons and task.value is not None:
        remarks.append("the CRM tracks changes here: everything was read once, from now on only what changed")
    fields = tuple(column.api_name for column in task.declared.present)
    read = _read(task, spool, fields, link, progress, remarks)
    if read is None and link:
        read = _read(task, spool, fields, "", progress, remarks)
        remarks.append(
            "the CRM no longer tells what changed since the last import: everything was read again, and what has gone "
            "was marked"
        )
    if read is None:
        return None
    if read.whole:
        task.read_all_at = read.end
        task.broke_off = read.end if read.resumed else None
    loaded = _settled(task, spool, read, lambda: _load(task, spool, read))
    caught += _catch_up(task, spool, progress)
    result = _result(task, read, loaded, tuple(remarks))
    return replace(
        result,
        end=max(one.end for one in (result, *caught)),
        rows_received=result.rows_received + sum(one.rows_received for one in caught),
        rows_loaded=result.rows_loaded + sum(one.rows_loaded for one in caught),
        pages=result.pages + sum(one.pages for one in caught),
        bytes=result.bytes + sum(one.bytes for one in caught),
    )


def _catch_up(task: _Task, spool: StepSpool, progress: Progress) -> list[ImportResult]:
    """Read what changed and what went since a reading began that was gone on with later; nothing where none was."""
    began = task.broke_off
    if began is None:
        return []
    caught = []
    if task.declared.cursor:
        spool.clear()
        window = Window(task.cursor, began - task.config.overlap, task.connector.now())
        caught.append(task.fetch_and_load(spool, task.question("import", window.start), window, progress))
    task.broke_off = None  # with the ids that follow it is over
    caught.append(replace(task.compare_ids(spool, progress), rows_received=0))
    return caught


def deleted_tracked(task: _Task, spool: StepSpool, progress: Progress) -> ImportResult | None:
    """Load the deletions since the stored link of this very step; without one all ids are compared, and a link is kept.

    None: it is not tracked after all.
    """
    fields = (task.declared.id.api_name,)
    read = _read(task, spool, fields, task.link, progress, None) or (
        _read(task, spool, fields, "", progress, None) if task.link else None
    )
    if read is None:
        return None

    def load() -> int:
        pages = task._counted(read.extraction, [task.declared.id.wire])
        return task._append_deletions(_gone(task, spool, read, pages), 1, read.end, None)

    return _result(task, read, _settled(task, spool, read, load))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A finished reading. `whole`: of everything; `end`: the CRM's clock before the first request; `resumed`: that was
    in an earlier run.
    """

    extraction: Extraction
    end: datetime
    whole: bool
    resumed: bool


def _read(
    task: _Task, spool: StepSpool, fields: tuple[str, ...], link: str, progress: Progress, remarks: list[str] | None
) -> _Reading | None:
    """Pages into the spool; None when the link is no longer good, or none is given.

    A reading of everything that broke off is gone on with, and `remarks` say so; where its link to the next page is no
    longer good, it begins anew. Changes since a link, and ids alone (`remarks` None), are read from their beginning.
    """
    from backhaul.crm import ChangesUnavailable

    question = {**task.question("tracked", None), "track": link}
    began = spool.interrupted(question) if remarks is not None and not link else None
    if began is None:
        spool.clear()
    end = began or task.connector.now()
    pages = spool.open(question, end)
    held = len(pages.pages)
    try:
        extraction = task.connector.extract(Extract(task.config.name, fields, track=link), pages, progress)
    except ChangesUnavailable:
        spool.clear()
        if not held or remarks is None:
            return None
        remarks.append(
            f"a reading of everything broke off after {held} pages, and the CRM no longer knows where: it began anew"
        )
        return _read(task, spool, fields, link, progress, remarks)
    if held and remarks is not None:
        remarks.append(
            f"a reading of everything that broke off after {held} pages was gone on with, and what changed since, too"
        )
    return _Reading(extraction, end, not link, bool(held))


def _settled(task: _Task, spool: StepSpool, read: _Reading, load: Callable[[], int]) -> int:
    """Load, with the next link in the same package."""
    before, task.link = task.link, read.extraction.track
    try:
        return task._settled(spool, load)
    except BaseException:
        task.link = before
        raise


def _result(task: _Task, read: _Reading, loaded: int, remarks: tuple[str, ...] = ()) -> ImportResult:
    from backhaul.importing.run import ImportResult

    return ImportResult(
        task.option,
        None if read.whole else task.value,
        read.end,
        read.extraction.rows,
        loaded,
        len(read.extraction.paths),
        read.extraction.bytes,
        full=read.whole,
        resumed=read.resumed,
        remarks=remarks,
    )


def _gone(task: _Task, spool: StepSpool, read: _Reading, pages: str) -> str:
    """A SELECT of the deletions: those that the CRM told; of everything, the log's live records that are not there."""
    if not read.whole:
        told = task._listed_sql(spool.folder, [DeletedRecord(one, read.end) for one in read.extraction.deleted])
        return still_live_sql(task.warehouse, task.declared, task.table, told) if task._log_holds_rows() else told
    if not task._log_holds_rows():
        return task._listed_sql(spool.folder, [])
    identity, name = (task.warehouse.quote(text) for text in (task.declared.id.wire, task.declared.id.name))
    # The entries of deleted records are rows without an id.
    named = f"SELECT {identity} AS {name} FROM (\n{pages}\n) AS entry WHERE {identity} IS NOT NULL"
    return task.vanished(named, read.end)


def _load(task: _Task, spool: StepSpool, read: _Reading) -> int:
    warehouse, declared, extraction, end = task.warehouse, task.declared, read.extraction, read.end
    first = not task._log_holds_rows()
    wires = [column.wire for column in declared.present]
    pages = task._promised(extraction, wires) if first else task._counted(extraction, wires)
    # The entries of deleted records are rows without an id.
    live = f"SELECT * FROM (\n{pages}\n) AS entry WHERE {warehouse.quote(declared.id.wire)} IS NOT NULL"
    typed = typed_sql(warehouse, declared, live, task.time_zone)
    if first:
        rows = all_versions_sql(warehouse, declared, typed, end)
        return task.append_all(rows, extraction, extraction.rows - len(extraction.deleted), end, live)
    if not read.whole:
        told = task._listed_sql(spool.folder, [DeletedRecord(one, end) for one in extraction.deleted])
        identity = warehouse.quote(declared.id.wire)
        task._compare_only(
            f"SELECT {identity} FROM (\n{live}\n) AS live UNION ALL SELECT id FROM (\n{told}\n) AS gone",
            declared.id.wire,
        )
    rows = new_versions_sql(warehouse, declared, task.table, typed, end)
    gone = task._with_survivors(_gone(task, spool, read, pages))
    deletions = deletions_sql(warehouse, declared, task.table, gone, end)
    sql = f"SELECT * FROM (\n{rows}\n) AS changed\nUNION ALL\nSELECT * FROM (\n{deletions}\n) AS gone"
    received = max(extraction.rows, 1) if read.whole else extraction.rows  # nothing at all arrived: everything has gone
    return task.append_new(sql, received, end, live)
