"""Bulk API 2.0 ingest: jobs, their uploads, how they are worked off, and their three result sets.

Rests on salesforce-api.md §7. A job is worked off by a thread of its own in internal batches of
``bulk_batch_rows`` rows, each one transaction that holds the records and what became of every row; a job of an
earlier process goes on after the last batch that was committed.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from backhaul.simulator.salesforce import bulk_csv, bulk_listing, ids
from backhaul.simulator.salesforce.bulk_csv import DELIMITERS, ENDINGS, BadRow, BadUpload
from backhaul.simulator.salesforce.bulk_query import same_version, stamp
from backhaul.simulator.salesforce.drafts import Options, Result
from backhaul.simulator.salesforce.errors import Problem, Refusal, not_found
from backhaul.simulator.salesforce.org import JOBS, ROWS, SalesforceOrg
from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef
from backhaul.simulator.salesforce.wire import Call, Reply, multipart
from backhaul.simulator.salesforce.writes import Writer

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
_ENDED = ("JobComplete", "Failed", "Aborted")
_ONE_SHOT_CHARACTERS = 100_000
_LOCKED = "UNABLE_TO_LOCK_ROW"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_log = logging.getLogger("backhaul.simulator")

Rows = list[list[str] | BadRow]


@dataclass(slots=True)
class IngestJob:
    """An ingest job: what the API shows of it (`info`) and the folder of its upload (``upload.csv``)."""

    info: dict[str, Any]
    folder: Path
    stopped: threading.Event = field(default_factory=threading.Event)
    begun: float | None = None
    thread: threading.Thread | None = None

    @property
    def upload(self) -> Path:
        """The uploaded file."""
        return self.folder / "upload.csv"

    def close(self) -> None:
        """Stop working it off and wait until it has stopped."""
        self.stopped.set()
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(timeout=30)


# --- the API's verbs ------------------------------------------------------------------------------------------


def create(call: Call) -> Reply:
    """``POST jobs/ingest``, as JSON or as multipart with the file in it."""
    if not call.media.startswith("multipart/form-data"):
        return Reply(200, _shown(_create(call, call.mapping())))
    parts = multipart(call.body, call.headers["content-type"])
    try:
        asked = orjson.loads(parts.get("job", b""))
    except orjson.JSONDecodeError:
        raise Refusal(400, "JSON_PARSER_ERROR", "the part named job must hold the job as JSON") from None
    if not isinstance(asked, dict) or "content" not in parts:
        raise Refusal(400, "INVALIDJOB", "a multipart request has the parts job and content")
    if len(parts["content"].decode("utf-8", "replace")) > _ONE_SHOT_CHARACTERS:
        text = f"InvalidBatch : the content of a multipart request may hold {_ONE_SHOT_CHARACTERS} characters"
        raise Refusal(400, "INVALIDBATCH", text)
    job = _create(call, asked)
    job.upload.write_bytes(parts["content"])
    return Reply(200, _start(call.org, job))


def upload(call: Call, number: str) -> Reply:
    """``PUT jobs/ingest/<id>/batches``: once, while the job is open; nothing is checked yet."""
    job = find(call, number)
    same_version(call, job.info)
    if job.info["state"] != "Open":
        raise Refusal(400, "INVALIDJOBSTATE", f"InvalidJobState : Job is not open: {job.info['state']}")
    if job.upload.exists():
        text = (
            f"ClientInputError : Found multiple contents for job: <{job.info['id']}>, please 'Close' / 'Abort' / "
            "'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job."
        )
        raise Refusal(400, "CLIENTINPUTERROR", text)
    if not (call.media or "text/csv").startswith("text/csv"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "The data of a job must be sent as text/csv")
    if len(call.body) > int(call.org.setting("bulk_upload_bytes")):
        raise Refusal(413, "EXCEEDED_MAX_SIZE_REQUEST", "The upload is larger than a job takes")
    unfinished = job.upload.with_suffix(".part")
    unfinished.write_bytes(call.body)
    unfinished.replace(job.upload)
    return Reply(201)


def change(call: Call, number: str) -> Reply:
    """``PATCH jobs/ingest/<id>`` with ``{"state": "UploadComplete"}`` or ``{"state": "Aborted"}``."""
    job = find(call, number)
    wanted, state = call.mapping().get("state"), job.info["state"]
    if wanted == "UploadComplete":
        if state != "Open":
            text = f"InvalidJobState : Closing already Completed Job not allowed: {state}"
            raise Refusal(400, "INVALIDJOBSTATE", text)
        return Reply(200, _start(call.org, job))
    if wanted == "Aborted":
        if state in _ENDED:
            text = f"InvalidJobState : Aborting already Completed Job not allowed: {state}"
            raise Refusal(400, "INVALIDJOBSTATE", text)
        job.close()
        if job.info["state"] not in _ENDED:  # it may have ended while it was being stopped
            _move(call.org, job, "Aborted")
    else:
        raise Refusal(400, "INVALIDJOBSTATE", f"InvalidJobState : the state cannot be set to {wanted}")
    return Reply(200, _shown(job))


def show(call: Call, number: str) -> Reply:
    """``GET jobs/ingest/<id>``."""
    return Reply(200, _shown(find(call, number)))


def delete(call: Call, number: str) -> Reply:
    """``DELETE jobs/ingest/<id>``."""
    job = find(call, number)
    if job.info["state"] not in ("UploadComplete", *_ENDED):
        text = f"InvalidJobState : Job not in the right state to be deleted: {job.info['state']}"
        raise Refusal(400, "INVALIDJOBSTATE", text)
    call.org.forget_job(call.org.ingest_jobs, job.info["id"])
    return Reply(204)


def listing(call: Call) -> Reply:
    """``GET jobs/ingest``."""
    jobs = [_shown(job) for job in call.org.ingest_jobs.values()]
    return bulk_listing.listing(call, "ingest", jobs, _OPERATIONS)


def successful(call: Call, number: str) -> Reply:
    """``GET jobs/ingest/<id>/successfulResults``."""
    job = _with_results(call, number)
    header, rows = _upload_rows(job)
    found = call.org.store.query(
        f'SELECT "Row", "Id", "Created" FROM {ROWS} WHERE "Job" = ? AND "Error" IS NULL ORDER BY "Row"',
        [job.info["id"]],
    )
    lines = [(one, str(created).lower(), *rows[row]) for row, one, created in found]
    return _file(job, ("sf__Id", "sf__Created", *header), lines)


def failed(call: Call, number: str) -> Reply:
    """``GET jobs/ingest/<id>/failedResults``."""
    job = _with_results(call, number)
    header, rows = _upload_rows(job)
    found = call.org.store.query(
        f'SELECT "Row", "Id", "Error" FROM {ROWS} WHERE "Job" = ? AND "Error" IS NOT NULL ORDER BY "Row"',
        [job.info["id"]],
    )
    blank = [""] * len(header)
    lines = [(one or "", error, *(blank if isinstance(rows[row], BadRow) else rows[row])) for row, one, error in found]
    return _file(job, ("sf__Id", "sf__Error", *header), lines)


def unprocessed(call: Call, number: str) -> Reply:
    """``GET jobs/ingest/<id>/unprocessedrecords``: of failed and aborted jobs, what was never looked at."""
    job = _with_results(call, number)
    header, rows = _upload_rows(job)
    if not header and job.upload.exists():  # a file that cannot be read comes back as it was sent
        return Reply(200, job.upload.read_bytes(), {}, "text/csv; charset=UTF-8")
    done = _rows_done(call.org, job)
    lines = [row for row in rows[done:] if not isinstance(row, BadRow)] if job.info["state"] != "JobComplete" else []
    return _file(job, header, lines)


def load_jobs(org: SalesforceOrg) -> None:
    """Bring back the jobs of an earlier process; those that were being worked off go on."""
    for (content,) in org.store.query(f'SELECT "Content" FROM "{JOBS}"'):
        info = orjson.loads(content)["info"]
        if info["jobType"] != "V2Ingest":
            continue
        job = IngestJob(info, org.spool_folder() / info["id"])
        org.ingest_jobs[info["id"]] = job
        if info["state"] in ("UploadComplete", "InProgress"):
            _work(org, job)


def find(call: Call, number: str) -> IngestJob:
    """The job of this id. Raises Refusal NOT_FOUND."""
    job: IngestJob | None = call.org.ingest_jobs.get(ids.to18(number) or number)
    if job is None:
        raise not_found()
    return job


# --- making a job ---------------------------------------------------------------------------------------------


def _create(call: Call, body: Mapping[str, Any]) -> IngestJob:
    org = call.org
    operation = body.get("operation")
    if operation not in _OPERATIONS:
        raise Refusal(400, "INVALIDOPERATION", f"InvalidOperation : the operation {operation} is not known")
    name = str(body.get("object") or "")
    kind = org.objects.get(name.lower())
    if kind is None or not kind.writable:
        raise Refusal(400, "INVALIDENTITY", f"InvalidEntity : Entity '{name}' is not supported by the Bulk API.")
    if operation == "hardDelete" and not org.setting("hard_delete_permission"):
        raise Refusal(400, "FEATURENOTENABLED", "FeatureNotEnabled : hardDelete not enabled for this user")
    delimiter, ending = body.get("columnDelimiter") or "COMMA", body.get("lineEnding") or "LF"
    if delimiter not in DELIMITERS or ending not in ENDINGS or (body.get("contentType") or "CSV") != "CSV":
        text = "InvalidJob : columnDelimiter, lineEnding or contentType is not one that the API knows"
        raise Refusal(400, "INVALIDJOB", text)
    key = body.get("externalIdFieldName")
    if operation == "upsert":
        key = _key(kind, key).name
    if org.bulk_batches_left() <= 0:
        raise Refusal(403, "LIMIT_EXCEEDED", "ExceededQuota : the daily allocation of Bulk API batches is used up")
    number = ids.make("750", org.store.take("id:750"))
    info = {
        "id": number,
        "operation": operation,
        "object": kind.name,
        "createdById": call.user,
        "createdDate": stamp(org),
        "systemModstamp": stamp(org),
        "state": "Open",
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version),
        "jobType": "V2Ingest",
        "lineEnding": ending,
        "columnDelimiter": delimiter,
        "externalIdFieldName": key if operation == "upsert" else None,
        "assignmentRuleId": body.get("assignmentRuleId"),
        "retries": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
    }
    job = IngestJob({key: value for key, value in info.items() if value is not None}, org.spool_folder() / number)
    job.folder.mkdir(parents=True, exist_ok=True)
    org.ingest_jobs[number] = job
    _keep(org, job)
    return job


def _key(kind: ObjectDef, name: Any) -> FieldDef:
    if not name:
        text = f"InvalidJob : External ID was blank for {kind.name}. An External ID must be specified for upsert."
        raise Refusal(400, "INVALIDJOB", text)
    found = kind.find(str(name))
    if found is None or not (found.external_id or found.id_lookup):
        text = (
            f"InvalidJob : Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field "
            f"for {kind.name}"
        )
        raise Refusal(400, "INVALIDJOB", text)
    return found


# --- working it off -------------------------------------------------------------------------------------------


def _start(org: SalesforceOrg, job: IngestJob) -> dict[str, Any]:
    """Close the upload; gives the job as it is before anything else happens."""
    _move(org, job, "UploadComplete")
    closed = _shown(job)
    _work(org, job)
    return closed


def _work(org: SalesforceOrg, job: IngestJob) -> None:
    job.thread = threading.Thread(target=_run, args=(org, job), name=f"ingest {job.info['id']}", daemon=True)
    job.thread.start()


def _run(org: SalesforceOrg, job: IngestJob) -> None:
    """The job's thread."""
    if job.stopped.wait(float(org.setting("bulk_wait_seconds"))):
        return
    job.begun = time.monotonic()
    try:
        _move(org, job, "InProgress")
        content = job.upload.read_bytes() if job.upload.exists() else b""
        header, rows = bulk_csv.read(content, job.info["columnDelimiter"], job.info["lineEnding"])
        kind = org.objects[str(job.info["object"]).lower()]
        columns = columns_of(org, kind, job.info["operation"], header)
        fault = org.take_bulk_failure("ingest", kind.name)
        _batches(org, job, Load(kind, columns, rows), fault)
        if not job.stopped.is_set():
            _move(org, job, "JobComplete")
    except BadUpload as bad:
        _fail(org, job, str(bad))
    except Exception as error:
        if not job.stopped.is_set():
            _log.exception("the job %s failed", job.info["id"])
            _fail(org, job, f"InternalServerError : {error}")


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of the file means: a field, or a parent (`relation`) found by its `field`."""

    field: FieldDef
    relation: FieldDef | None = None
    parent: str = ""

    def value(self, cell: str) -> Any:
        """A cell as the writer takes it."""
        if cell == "#N/A":
            return None
        if self.relation is not None:
            return {"attributes": {"type": self.parent}, self.field.name: cell}
        return _BOOLEANS.get(cell.lower(), cell) if self.field.type == "boolean" else cell

    @property
    def name(self) -> str:
        """Under which name the writer takes it."""
        return self.field.name if self.relation is None else str(self.relation.relationship)


@dataclass(frozen=True, slots=True)
class Load:
    """What a job has to write: the object, the meaning of the columns and the rows."""

    kind: ObjectDef
    columns: list[Column]
    rows: Rows

    def record(self, row: Sequence[str]) -> dict[str, Any]:
        """A row as the writer takes it; empty cells are left out, so that they change nothing."""
        return {column.name: column.value(cell) for column, cell in zip(self.columns, row, strict=True) if cell != ""}


def _batches(org: SalesforceOrg, job: IngestJob, load: Load, fault: Mapping[str, Any] | None) -> None:
    """Write batch after batch, each one transaction, from the first row that has not been written yet."""
    size = int(org.setting("bulk_batch_rows"))
    locked = _contended(org, load, size)
    last = len(load.rows)
    if fault is not None:
        last = min(last, int(fault.get("after_rows", 0)))
    first = _rows_done(org, job)
    job.info["numberRecordsProcessed"], job.info["numberRecordsFailed"] = first, _rows_done(org, job, failed=True)
    while first < last:
        if job.stopped.wait(float(org.setting("bulk_batch_seconds"))):
            return
        if not org.take_bulk_batch():
            raise BadUpload("ExceededQuota : the daily allocation of Bulk API batches is used up")
        end = min(first + size, last)
        with org.store.transaction():
            results = _write(org, job, load, range(first, end), locked)
            outcomes = [
                {
                    "Job": job.info["id"],
                    "Row": row,
                    "Id": result.id,
                    "Created": bool(result.created),
                    "Error": _error(result),
                }
                for row, result in enumerate(results, first)
            ]
            org.store.insert(ROWS, outcomes)
        job.info["numberRecordsProcessed"] += end - first
        job.info["numberRecordsFailed"] += sum(bool(result.problems) for result in results)
        _keep(org, job)
        first = end
    if fault is not None:
        raise BadUpload(str(fault.get("message", "InternalServerError : the job was broken off on demand")))


def _write(org: SalesforceOrg, job: IngestJob, load: Load, span: range, locked: Mapping[int, str]) -> list[Result]:
    """Write the rows of one batch; results in their order."""
    out: dict[int, Result] = {}
    good: list[int] = []
    for place in span:
        row = load.rows[place]
        if isinstance(row, BadRow):
            out[place] = Result(problems=(Problem("INVALID_CSV", str(row)),))
        elif place in locked:
            out[place] = Result(problems=(_lock_problem(locked[place]),))
        else:
            good.append(place)
    user, operation = str(job.info["createdById"]), job.info["operation"]
    writer = Writer(org, load.kind, user, options=Options(assign=bool(job.info.get("assignmentRuleId"))))
    verbs: dict[str, Callable[[list[dict[str, Any]]], list[Result]]] = {
        "insert": writer.create,
        "update": writer.update,
        "upsert": lambda records: writer.upsert(_key(load.kind, job.info["externalIdFieldName"]), records),
        "delete": lambda records: writer.delete([str(one.get("Id", "")) for one in records]),
        "hardDelete": lambda records: writer.delete([str(one.get("Id", "")) for one in records], purge=True),
    }
    records = [load.record(load.rows[place]) for place in good]
    results = verbs[operation](records)
    for place, record, result in zip(good, records, results, strict=True):
        if operation == "insert" and not result.problems:
            result.created = True
        if result.problems and result.id is None and operation != "insert":
            result.id = ids.to18(str(record.get("Id", "")))
        out[place] = result
    return [out[place] for place in span]


def columns_of(org: SalesforceOrg, kind: ObjectDef, operation: str, header: Sequence[str]) -> list[Column]:
    """What the header's names mean. Raises BadUpload with the vendor's texts, naming the first at fault."""
    if operation in ("delete", "hardDelete") and [name.lower() for name in header] != ["id"]:
        raise BadUpload(f"InvalidBatch : The '{operation}' batch must contain only ids")
    return [_column(org, kind, name) for name in header]


def _column(org: SalesforceOrg, kind: ObjectDef, name: str) -> Column:
    found = kind.find(name)
    if found is not None:
        return Column(found)
    prefix, _, rest = name.rpartition(":")
    relation_name, dot, key = rest.partition(".")
    if not dot:
        raise BadUpload(f"InvalidBatch : Field name not found : {name}")
    relation = kind.relation(relation_name)
    if relation is None:
        raise BadUpload(f"InvalidBatch : Unable to find relationship: {relation_name}")
    polymorphic = len(relation.reference_to) > 1
    if prefix and not polymorphic:
        text = f"InvalidBatch : type is not needed for non polymorphic foreign key references: {relation_name}"
        raise BadUpload(text)
    if polymorphic and prefix.lower() not in {one.lower() for one in relation.reference_to}:
        raise BadUpload(f"InvalidBatch : type is needed for polymorphic foreign key references: {relation_name}")
    parent = org.objects.get((prefix or relation.reference_to[0]).lower())
    target = parent.find(key) if parent else None
    if parent is None or target is None or not (target.external_id or target.id_lookup):
        raise BadUpload(f"InvalidBatch : Field name not found : {name}")
    return Column(target, relation, parent.name)


def _contended(org: SalesforceOrg, load: Load, size: int) -> dict[int, str]:
    """The rows whose parent another batch of the job holds at the same time (setting ``lock_contention``), and which.

    Rows of one parent that stand together in the file are worked off one after the other and do not contend. A write to
    a child locks its parent whether the file names the parent or not: then it is the one that the record has.
    """
    name = org.setting("lock_contention").get(load.kind.name)
    if not name:
        return {}
    place = next((n for n, c in enumerate(load.columns) if (c.relation or c.field).name == name), None)
    own = next((n for n, c in enumerate(load.columns) if c.name == "Id"), None)
    if place is None and own is None:
        return {}
    known = {row["Id"]: row.get(name) or "" for row in org.dump(load.kind.name)} if place is None else {}

    def parent_of(row: Sequence[str]) -> str:
        return row[place] if place is not None else str(known.get(ids.to18(row[own or 0]) or "", ""))

    held: dict[str, int] = {}  # the batch in which the parent's present run of rows began
    locked: dict[int, str] = {}
    before = ""
    for number, row in enumerate(load.rows):
        parent = "" if isinstance(row, BadRow) else parent_of(row)
        if not parent:
            before = ""
            continue
        if parent != before and held.setdefault(parent, number // size) != number // size:
            locked[number] = parent
            before = ""
            continue
        before = parent
    return locked


def _lock_problem(parent: str) -> Problem:
    return Problem(_LOCKED, f"unable to obtain exclusive access to this record or 1 records: {parent}")


def _error(result: Result) -> str | None:
    """A failed row's ``sf__Error``."""
    if not result.problems:
        return None
    first = result.problems[0]
    return (
        f"{first.code}:{first.message}:{','.join(first.fields)} --"
        if first.fields
        else f"{first.code}:{first.message}:--"
    )


# --- jobs and results -----------------------------------------------------------------------------------------


def _shown(job: IngestJob) -> dict[str, Any]:
    info = dict(job.info)
    if info["state"] == "Open":
        info["contentUrl"] = f"services/data/v{info['apiVersion']}/jobs/ingest/{info['id']}/batches"
    return info


def _with_results(call: Call, number: str) -> IngestJob:
    job = find(call, number)
    same_version(call, job.info)
    if job.info["state"] not in _ENDED:
        text = f"InvalidJobState : the job has no results yet, its state is {job.info['state']}"
        raise Refusal(400, "INVALIDJOBSTATE", text)
    return job


def _upload_rows(job: IngestJob) -> tuple[list[str], Rows]:
    """The upload as it was read; nothing when it cannot be."""
    try:
        content = job.upload.read_bytes() if job.upload.exists() else b""
        return bulk_csv.read(content, job.info["columnDelimiter"], job.info["lineEnding"])
    except BadUpload:
        return [], []


def _rows_done(org: SalesforceOrg, job: IngestJob, *, failed: bool = False) -> int:
    only = ' AND "Error" IS NOT NULL' if failed else ""
    return int(org.store.query(f'SELECT count(*) FROM {ROWS} WHERE "Job" = ?{only}', [job.info["id"]])[0][0])


def _file(job: IngestJob, header: Sequence[str], lines: Sequence[Sequence[str]]) -> Reply:
    """A result file; its rows are not in the order of the upload."""
    shuffled = list(lines)
    random.Random(str(job.info["id"])).shuffle(shuffled)  # noqa: S311  # an order, not a secret
    content = bulk_csv.write(header, shuffled, job.info["columnDelimiter"], job.info["lineEnding"])
    return Reply(200, content, {"Sforce-NumberOfRecords": str(len(shuffled))}, "text/csv; charset=UTF-8")


def _fail(org: SalesforceOrg, job: IngestJob, message: str) -> None:
    job.info["errorMessage"] = message
    _move(org, job, "Failed")


def _move(org: SalesforceOrg, job: IngestJob, state: str) -> None:
    if state in _ENDED and job.begun is not None:
        spent = int((time.monotonic() - job.begun) * 1000)
        job.info |= {"totalProcessingTime": spent, "apiActiveProcessingTime": spent}
    job.info["systemModstamp"] = stamp(org)
    job.info["state"] = state
    _keep(org, job)


def _keep(org: SalesforceOrg, job: IngestJob) -> None:
    content = orjson.dumps({"info": job.info}).decode()
    with org.store.transaction():
        org.store.remove(JOBS, "Id", [job.info["id"]])
        org.store.insert(JOBS, [{"Id": job.info["id"], "Content": content}])
