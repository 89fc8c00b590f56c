"""Imports by the CRM's own change tracking: what changed since a link, deletions included (dataverse-api.md §4).

The link that ends one reading begins the next; it is stored in the same package as the rows. The first reading brings
everything. A link that is no longer good (it expires after some days, and when the table's columns change) costs a
reading of everything, and then the records that the log holds as live and the CRM no longer has are marked deleted:
otherwise what was deleted since the lost link would stay for ever.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backhaul.errors import StepFailed
from backhaul.importing.pages import PageCounter
from backhaul.importing.rows import all_versions_sql, deletions_sql, new_versions_sql, typed_sql, vanished_sql
from backhaul.record import DeletedRecord, Extract, Extraction

if TYPE_CHECKING:
    from backhaul.crm import Progress
    from backhaul.importing.run import ImportResult, _Task
    from backhaul.importing.window import StepSpool

LINK = "changes_since"
"""Where the state keeps the link, beside the window's end."""


def is_tracked(task: _Task) -> bool:
    """Whether changes are read by tracking: the CRM offers it, and all of the object is wanted, in no order.

    A filter, an order or a population cannot be asked for together with it.
    """
    config = task.config
    return task.schema.tracks_changes and config.filter is None and not config.order_by and task.population is None


def import_tracked(task: _Task, spool: StepSpool, reasons: list[str], progress: Progress) -> list[ImportResult] | None:
    """Read and load what changed: results of an interrupted reading and of this one. None: it is not tracked after all.

    Raises as :func:`backhaul.importing.import_object`.
    """
    from backhaul.crm import ChangesUnavailable

    link = "" if reasons else task.link
    remarks: list[str] = []
    if not link and not reasons and task.value is not None:
        remarks.append("the CRM tracks changes here: everything was read once, from now on only what changed")
    results = []
    end = spool.interrupted(_question(task, link))
    resumed = end is not None
    while True:
        end = end or task.connector.now()
        try:
            results.append(_once(task, spool, link, end, progress))
        except ChangesUnavailable as lost:
            spool.clear()
            if not link:
                return None
            link, end, resumed = "", None, False
            remarks.append(
                f"the CRM no longer tells what changed since the last import ({lost.symbol or lost.status}): "
                "everything was read again, and what has gone was marked"
            )
            continue
        if not resumed:
            break
        link, end, resumed = task.link, None, False
    results[-1] = replace(results[-1], remarks=tuple(remarks))
    return results


def _question(task: _Task, link: str) -> dict[str, Any]:
    return {**task.question("import", None), "track": link}


def _once(task: _Task, spool: StepSpool, link: str, end: datetime, progress: Progress) -> ImportResult:
    """One reading: pages into the spool, checked, loaded with the next link, the spool cleared."""
    from backhaul.importing.run import ImportResult

    pages = spool.open(_question(task, link), end)
    query = Extract(task.config.name, tuple(column.api_name for column in task.declared.present), track=link)
    extraction = task.connector.extract(query, pages, progress)
    if not link:
        task.read_all_at = end
    start = task.value if link else None
    previous, task.link = task.link, extraction.track
    try:
        loaded = task._settled(spool, lambda: _load(task, spool, extraction, end, whole=not link))
    except BaseException:
        task.link = previous
        raise
    return ImportResult(
        task.option, start, end, extraction.rows, loaded, len(extraction.paths), extraction.bytes, full=not link
    )


def _load(task: _Task, spool: StepSpool, extraction: Extraction, end: datetime, *, whole: bool) -> int:
    warehouse, declared = task.warehouse, task.declared
    counter = PageCounter(warehouse)
    try:
        pages = task._counted(extraction, [column.wire for column in declared.present], counter)
    finally:
        counter.close()
    identity = warehouse.quote(declared.id.wire)
    # The entries of deleted records are rows without an id.
    live = f"SELECT * FROM (\n{pages}\n) AS entry WHERE {identity} IS NOT NULL"
    typed = typed_sql(warehouse, declared, live, task.time_zone)
    received = extraction.rows
    if not task._log_holds_rows():
        sql = all_versions_sql(warehouse, declared, typed, end)
    else:
        rows = new_versions_sql(warehouse, declared, task.table, typed, end)
        if whole:
            named = f"SELECT {identity} AS {warehouse.quote(declared.id.name)} FROM (\n{live}\n)"
            gone = vanished_sql(warehouse, declared, task.table, named, end)
            received = max(received, 1)  # nothing at all arrived: everything has gone
        else:
            gone = task._listed_sql(spool.folder, [DeletedRecord(one, end) for one in extraction.deleted])
        deletions = deletions_sql(warehouse, declared, task.table, task._with_survivors(gone), end)
        sql = f"SELECT * FROM (\n{rows}\n) AS changed\nUNION ALL\nSELECT * FROM (\n{deletions}\n) AS gone"
    try:
        return task._append(sql, received, end, all_new=False)
    except StepFailed as failed:
        misfit = task._misfit(live)
        raise (misfit or failed) from failed.__cause__
