"""Bulk API 2.0 query: jobs, their states, and their results as pages of gzip CSV. Rests on salesforce-api.md §8.

A job reads one snapshot in one pass: a thread cuts it into pages, others compress them, and each lands as one file
that is then served as it is. The job is complete as soon as its first page lies there (its number of rows is counted
beforehand, in the same snapshot); a client that asks for a page still being written waits for it. A locator is the
number of the first row it leads to; a page never reaches over the end of a file, so it holds at most
``bulk_page_rows`` rows whatever ``maxRecords`` says.

The same query asked again while no record has changed shares the files of the earlier job, so that a benchmark's
second run meets a server that only has to send.
"""

from __future__ import annotations

import csv
import gzip
import io
import logging
import shutil
import threading
import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from backhaul.simulator.salesforce import bulk_listing, ids
from backhaul.simulator.salesforce.bulk_csv import DELIMITERS, ENDINGS
from backhaul.simulator.salesforce.bulk_listing import locator, offset_of
from backhaul.simulator.salesforce.errors import Refusal, not_found
from backhaul.simulator.salesforce.org import JOBS, SalesforceOrg
from backhaul.simulator.salesforce.schema import BLOB, COMPOUNDS
from backhaul.simulator.salesforce.soql import parse
from backhaul.simulator.salesforce.soql_sql import Compiled, compile_query
from backhaul.simulator.salesforce.values import csv_sql
from backhaul.simulator.salesforce.wire import Call, Reply

_AHEAD = 4
_PAGES_SINCE = 58
_log = logging.getLogger("backhaul.simulator")
_WAIT = 300.0


@dataclass(slots=True)
class Job:
    """A query job: what the API shows of it (`info`) and where its pages are.

    `pages` are (first row, rows, file); `whole` is set when no more will come, `changed` whenever one does.
    """

    info: dict[str, Any]
    folder: Path
    pages: list[tuple[int, int, Path]] = field(default_factory=list)
    header: bytes = b""
    likeness: tuple[object, ...] = ()  # jobs alike in this have the same pages
    whole: bool = False
    stopped: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    thread: threading.Thread | None = None

    def close(self) -> None:
        """Stop writing pages and wait until it has stopped."""
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(timeout=30)


# --- the API's verbs ------------------------------------------------------------------------------------------


def create(call: Call) -> Reply:
    """``POST jobs/query``."""
    body = call.mapping()
    operation = body.get("operation")
    if operation not in ("query", "queryAll"):
        raise Refusal(400, "INVALIDOPERATION", f"operation must be query or queryAll; found {operation}")
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, "MALFORMED_QUERY", "The query of the job is missing")
    delimiter, ending = body.get("columnDelimiter") or "COMMA", body.get("lineEnding") or "LF"
    if delimiter not in DELIMITERS or ending not in ENDINGS or (body.get("contentType") or "CSV") != "CSV":
        raise Refusal(400, "INVALIDJOB", "columnDelimiter, lineEnding or contentType is not one that the API knows")
    compiled = compile_query(parse(text), call.org.objects, call.org.moment(), deleted=operation == "queryAll")
    refuse_what_bulk_cannot(compiled)
    org = call.org
    if org.query_jobs_left() <= 0:
        text = "ExceededQuota : the daily allocation of Bulk API 2.0 query jobs is used up"
        raise Refusal(400, "LIMIT_EXCEEDED", text)
    number = ids.make("750", org.store.take("id:750"))
    made = stamp(org)
    info = {
        "id": number,
        "operation": operation,
        "object": compiled.object.name,
        "createdById": call.user,
        "createdDate": made,
        "systemModstamp": made,
        "state": "UploadComplete",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version),
        "lineEnding": ending,
        "columnDelimiter": delimiter,
    }
    folder = org.spool_folder() / number
    folder.mkdir(parents=True, exist_ok=True)
    job = Job({**info, "jobType": "V2Query", "numberRecordsProcessed": 0, "retries": 0}, folder)
    job.info |= {"totalProcessingTime": 0, "isPkChunkingSupported": not compiled.order and compiled.limit is None}
    _jobs(org)[number] = job
    _keep(org, job)
    job.thread = threading.Thread(target=_run, args=(org, job, compiled), name=f"bulk {number}", daemon=True)
    job.thread.start()
    return Reply(200, info)


def show(call: Call, number: str) -> Reply:
    """``GET jobs/query/<id>``."""
    return Reply(200, dict(_find(call, number).info))


def abort(call: Call, number: str) -> Reply:
    """``PATCH jobs/query/<id>`` with ``{"state": "Aborted"}``."""
    job = _find(call, number)
    if call.mapping().get("state") != "Aborted":
        raise Refusal(400, "INVALIDJOBSTATE", "a query job can only be aborted")
    if job.info["state"] in ("JobComplete", "Failed", "Aborted"):
        raise Refusal(400, "INVALIDJOBSTATE", f"Aborting already Completed Job not allowed: {job.info['state']}")
    _move(call.org, job, "Aborted")
    job.close()
    return Reply(200, dict(job.info))


def delete(call: Call, number: str) -> Reply:
    """``DELETE jobs/query/<id>``."""
    job = _find(call, number)
    if job.info["state"] not in ("UploadComplete", "JobComplete", "Aborted", "Failed"):
        raise Refusal(400, "INVALIDJOBSTATE", f"Job not in the right state to be deleted: {job.info['state']}")
    call.org.forget_job(_jobs(call.org), job.info["id"])
    return Reply(204)


def listing(call: Call) -> Reply:
    """``GET jobs/query``."""
    return bulk_listing.listing(call, "query", [job.info for job in _jobs(call.org).values()], ("query", "queryAll"))


def results(call: Call, number: str) -> Reply:
    """``GET jobs/query/<id>/results``."""
    job = _complete(call, number)
    start = offset_of(call.query.get("locator", ""))
    try:
        most = int(call.query.get("maxRecords", "0"))
    except ValueError:
        raise Refusal(400, "INVALIDJOB", "maxRecords must be a number") from None
    first, rows, path = _page_holding(job, start)
    content: Any = None
    file: Path | None = path
    if start != first or (most and most < rows):
        content = _slice(job, path, start - first, most or rows)
        rows = min(most or rows, rows - (start - first))
        file = None
    end = start + rows
    last = end >= int(job.info["numberRecordsProcessed"])
    headers = {"Sforce-NumberOfRecords": str(rows), "Sforce-Locator": "null" if last else locator(end)}
    return Reply(200, content, headers, "text/csv; charset=UTF-8", file)


def result_pages(call: Call, number: str) -> Reply:
    """``GET jobs/query/<id>/resultPages``: up to five pages that may be fetched at once (API version 58 and later)."""
    if float(call.version) < _PAGES_SINCE:
        raise not_found()
    job = _complete(call, number)
    total = int(job.info["numberRecordsProcessed"])
    start = offset_of(call.query.get("locator", ""))
    root = f"{call.root}/jobs/query/{job.info['id']}"
    pages: list[dict[str, str]] = []
    while len(pages) < 5 and (start < total or not pages):
        first, rows, _ = _page_holding(job, start)
        pages.append({"resultUrl": f"{root}/results?locator={locator(start)}"})
        start = first + rows
        if not rows:
            break
    done = start >= total
    following = None if done else f"{root}/resultPages?locator={locator(start)}"
    return Reply(200, {"resultPages": pages, "nextRecordsUrl": following, "done": done})


def load_jobs(org: SalesforceOrg) -> None:
    """Bring back the jobs of an earlier process: finished ones with their pages, the others as failed."""
    for (content,) in org.store.query(f'SELECT "Content" FROM "{JOBS}"'):
        kept = orjson.loads(content)
        if kept["info"]["jobType"] != "V2Query":
            continue
        job = Job(kept["info"], org.spool_folder() / kept["info"]["id"], header=kept["header"].encode())
        job.pages = [(first, rows, job.folder / name) for first, rows, name in kept["pages"]]
        job.whole = True
        if not kept["whole"] and job.info["state"] not in ("Aborted", "Failed"):
            job.info["state"] = "Failed"
            job.info["errorMessage"] = "InternalServerError : the service was restarted while the job ran"
        org.jobs[job.info["id"]] = job


# --- running a job --------------------------------------------------------------------------------------------


def _run(org: SalesforceOrg, job: Job, compiled: Compiled) -> None:
    """The job's thread: one snapshot, counted, cut into pages, compressed and laid down."""
    import pyarrow

    waiting = float(org.setting("bulk_wait_seconds"))
    with job.changed:
        if job.changed.wait_for(lambda: job.stopped, waiting):
            return
    _move(org, job, "InProgress")
    fault = org.take_bulk_failure("query", compiled.object.name)
    if fault is not None:
        job.info["errorMessage"] = str(fault.get("message", "InternalServerError : broken off on demand"))
        _move(org, job, "Failed")
        return
    rows_a_page = int(org.setting("bulk_page_rows"))
    names = [".".join(column.names) for column in compiled.columns]
    layout = _Layout(names, DELIMITERS[job.info["columnDelimiter"]], job.info["lineEnding"] == "CRLF")
    job.header = layout.header()
    writes = org.store.writes
    sql = compiled.sql(csv_sql)
    likeness = (sql, job.header, job.info["lineEnding"], rows_a_page, writes)
    if _share(org, job, likeness):
        return
    cursor = org.store.cursor()
    pool = ThreadPoolExecutor(2, thread_name_prefix="bulk page")
    try:
        cursor.execute("BEGIN")
        inner = f"SELECT 1 {compiled.source}{compiled.paging()}"
        total = int(cursor.execute(f"SELECT count(*) FROM ({inner})").fetchall()[0][0])
        reader = cursor.sql(sql).to_arrow_reader(rows_a_page)
        if org.store.writes == writes:  # the snapshot is the one that the number stands for
            job.likeness = likeness
        ahead: list[Future[tuple[int, int, Path]]] = []
        first = 0
        held: list[Any] = []
        for batch in reader:
            if job.stopped:
                return
            held.append(batch)
            while sum(part.num_rows for part in held) >= rows_a_page:
                table = pyarrow.Table.from_batches(held)
                _send(org, job, ahead, pool.submit(layout.page, table.slice(0, rows_a_page), job.folder, first), total)
                held = table.slice(rows_a_page).to_batches()
                first += rows_a_page
        if sum(part.num_rows for part in held) or first == 0:
            table = pyarrow.Table.from_batches(held, schema=reader.schema)
            _send(org, job, ahead, pool.submit(layout.page, table, job.folder, first), total)
        while ahead:
            _settle(org, job, ahead.pop(0), total)
        with job.changed:
            job.whole = True
            job.changed.notify_all()
        _keep(org, job)
    except Exception as error:
        job.info["errorMessage"] = f"InternalServerError : {error}"
        if not job.stopped:
            _log.exception("the job %s failed", job.info["id"])
            _move(org, job, "Failed")
    finally:
        pool.shutdown(wait=True)
        cursor.close()


def _share(org: SalesforceOrg, job: Job, likeness: tuple[object, ...]) -> bool:
    """Take over the pages of a whole job that is alike; False when there is none."""
    other = next((one for one in list(_jobs(org).values()) if one.whole and one.likeness == likeness), None)
    if other is None:
        return False
    try:
        for first, rows, path in other.pages:
            (job.folder / path.name).hardlink_to(path)
            job.pages.append((first, rows, job.folder / path.name))
    except OSError:  # the other job was deleted meanwhile
        job.pages.clear()
        shutil.rmtree(job.folder, ignore_errors=True)
        job.folder.mkdir(parents=True, exist_ok=True)
        return False
    with job.changed:
        job.likeness, job.whole = likeness, True
        job.changed.notify_all()
    job.info["numberRecordsProcessed"] = sum(rows for _, rows, _ in job.pages)
    _move(org, job, "JobComplete")
    return True


def _send(
    org: SalesforceOrg,
    job: Job,
    ahead: list[Future[tuple[int, int, Path]]],
    page: Future[tuple[int, int, Path]],
    total: int,
) -> None:
    ahead.append(page)
    if len(ahead) >= _AHEAD:
        _settle(org, job, ahead.pop(0), total)


def _settle(org: SalesforceOrg, job: Job, page: Future[tuple[int, int, Path]], total: int) -> None:
    """Take a written page up; with the first, the job is complete."""
    landed = page.result()
    with job.changed:
        job.pages.append(landed)
        job.changed.notify_all()
    if job.info["state"] == "InProgress":
        job.info["numberRecordsProcessed"] = total
        _move(org, job, "JobComplete")


class _Layout:
    """How rows of text become CSV: the names, the delimiter and the line ending of the job."""

    def __init__(self, names: list[str], delimiter: str, crlf: bool) -> None:
        self._names = names
        self._delimiter = delimiter
        self._ending = "\r\n" if crlf else "\n"

    def header(self) -> bytes:
        """The header row, every name quoted."""
        return (self._delimiter.join(f'"{name}"' for name in self._names) + self._ending).encode()

    def page(self, table: Any, folder: Path, first: int) -> tuple[int, int, Path]:
        """Write the rows of `table` (all text, no nulls) as one gzip file; gives (first row, rows, file)."""
        import pyarrow.csv

        sink = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=False, delimiter=self._delimiter, quoting_style="all_valid")
        pyarrow.csv.write_csv(table, sink, options)
        text: Any = sink.getbuffer()
        if self._ending != "\n":
            text = b"".join(line[:-1] + b"\r\n" for line in _records(bytes(text)))
        packer = zlib.compressobj(1, zlib.DEFLATED, 31, 9)
        path = folder / f"{first:012d}.csv.gz"
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(packer.compress(self.header()))
            file.write(packer.compress(text))
            file.write(packer.flush())
        unfinished.replace(path)
        return first, table.num_rows, path


def _records(text: bytes) -> list[bytes]:
    """The records of a CSV text, line breaks inside quotes kept together."""
    out: list[bytes] = []
    open_parts: list[bytes] = []
    quotes = 0
    for line in text.splitlines(keepends=True) if b"\r" not in text else text.split(b"\n"):
        line = line if line.endswith(b"\n") else line + b"\n"
        open_parts.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            out.append(b"".join(open_parts))
            open_parts, quotes = [], 0
    return out


def _slice(job: Job, path: Path, skip: int, rows: int) -> bytes:
    """A part of a page, for a client that asks for fewer rows than a page holds."""
    text = io.StringIO(gzip.decompress(path.read_bytes()).decode(), newline="")
    delimiter = DELIMITERS[job.info["columnDelimiter"]]
    ending = "\r\n" if job.info["lineEnding"] == "CRLF" else "\n"
    reader = csv.reader(text, delimiter=delimiter)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=ending)
    for place, row in enumerate(reader):
        if place == 0 or skip < place <= skip + rows:
            writer.writerow(row)
        elif place > skip + rows:
            break
    return out.getvalue().encode()


# --- jobs and locators ----------------------------------------------------------------------------------------


def refuse_what_bulk_cannot(compiled: Compiled) -> None:
    """Raise Refusal for what the Bulk APIs do not read."""
    query = compiled.query
    if query.aggregated or any(item.child for item in query.items):
        raise Refusal(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if any(item.fields for item in query.items):
        raise Refusal(400, "API_ERROR", "The SOQL FIELDS function is not supported in Bulk Query")
    if compiled.typeofs:
        raise Refusal(400, "API_ERROR", "TYPEOF is not supported in Bulk Query")
    if query.offset is not None:
        raise Refusal(400, "API_ERROR", "OFFSET is not supported in Bulk Query")
    if any(column.field.type in COMPOUNDS for column in compiled.columns):
        raise Refusal(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
    if any(column.field.type == BLOB for column in compiled.columns):
        raise Refusal(400, "API_ERROR", "Selecting base64 data not supported in Bulk Query")


def _jobs(org: SalesforceOrg) -> dict[str, Job]:
    return org.jobs


def _find(call: Call, number: str) -> Job:
    job = _jobs(call.org).get(ids.to18(number) or number)
    if job is None:
        raise not_found()
    return job


def _complete(call: Call, number: str) -> Job:
    job = _find(call, number)
    same_version(call, job.info)
    if job.info["state"] != "JobComplete":
        shown = {"InProgress": "IN_PROGRESS", "UploadComplete": "UPLOAD_COMPLETE"}
        state = shown.get(job.info["state"], str(job.info["state"]).upper())
        text = (
            "can only download query results of successfully completed bulk job with status: JOB_COMPLETE. "
            f"Current status: {state}"
        )
        raise Refusal(400, "JOB_NOT_COMPLETE", text)
    return job


def same_version(call: Call, info: Mapping[str, Any]) -> None:
    """Raise the 409 for the content of a job that was made with another API version."""
    if float(call.version) != info["apiVersion"]:
        text = f"The API version of the job is {info['apiVersion']}, that of the request {call.version}"
        raise Refusal(409, "API_VERSION_MISMATCH", text)


def _page_holding(job: Job, row: int) -> tuple[int, int, Path]:
    """The page that holds this row; waits until it is written."""

    def found() -> tuple[int, int, Path] | None:
        return next((page for page in job.pages if page[0] <= row < page[0] + max(page[1], 1)), None)

    with job.changed:
        job.changed.wait_for(lambda: found() is not None or job.whole or job.stopped, _WAIT)
        page = found()
    if page is None:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return page


def _move(org: SalesforceOrg, job: Job, state: str) -> None:
    job.info["state"] = state
    job.info["systemModstamp"] = stamp(org)
    _keep(org, job)


def _keep(org: SalesforceOrg, job: Job) -> None:
    pages = [(first, rows, path.name) for first, rows, path in job.pages]
    content = {"info": job.info, "header": job.header.decode(), "pages": pages, "whole": job.whole}
    with org.store.transaction():
        org.store.remove(JOBS, "Id", [job.info["id"]])
        org.store.insert(JOBS, [{"Id": job.info["id"], "Content": orjson.dumps(content).decode()}])


def stamp(org: SalesforceOrg) -> str:
    """The org's instant as the API prints it."""
    return org.clock.stamp().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
