"""Bulk API 1.0: jobs of batches, in CSV, JSON or XML, told of in XML or JSON. Rests on salesforce-api.md §9.

Writing batches are worked off in the order they came, results are in the order of the batch. Query batches give one
result each; with PK chunking the first batch is set aside and further ones read a range of ids each. Jobs are kept in
memory: a restart forgets them. Batches with ZIP content are refused.
"""

from __future__ import annotations

import csv
import html
import io
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from backhaul.simulator.salesforce import bulk_classic_xml, bulk_csv, ids
from backhaul.simulator.salesforce.bulk_csv import BadRow, BadUpload
from backhaul.simulator.salesforce.bulk_ingest import Load, columns_of
from backhaul.simulator.salesforce.bulk_query import refuse_what_bulk_cannot
from backhaul.simulator.salesforce.drafts import Options, Result
from backhaul.simulator.salesforce.errors import Problem, Refusal
from backhaul.simulator.salesforce.org import SalesforceOrg
from backhaul.simulator.salesforce.query import Shape, selected
from backhaul.simulator.salesforce.records import OLDEST
from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef
from backhaul.simulator.salesforce.soql import parse
from backhaul.simulator.salesforce.soql_sql import Compiled, compile_query
from backhaul.simulator.salesforce.values import csv_sql, rest_sql
from backhaul.simulator.salesforce.wire import Call, Reply
from backhaul.simulator.salesforce.writes import Writer
from backhaul.simulator.store import literal, quote

_SPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_WRITES = ("insert", "update", "upsert", "delete", "hardDelete")
_READS = ("query", "queryAll")
_JSON = "application/json"  # without a character set, unlike REST's
_MOST_BYTES = 10_000_000
_MOST_RECORDS = 10_000
_CHUNKING = re.compile(r"chunkSize\s*=\s*(\d+)", re.IGNORECASE)
_START_ROW = re.compile(r"startRow\s*=\s*(\w{15,18})", re.IGNORECASE)


class Complaint(Exception):
    """The request is refused: the vendor's exception code, its text and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(slots=True)
class _Batch:
    info: dict[str, Any]
    request: bytes
    results: list[Result] = field(default_factory=list)
    only: str = ""  # an SQL condition on the ids it reads
    content: tuple[list[str], list[list[Any]]] | None = None  # what a query gave, as CSV
    records: list[dict[str, Any]] = field(default_factory=list)  # or as JSON and XML


@dataclass(slots=True)
class ClassicJob:
    """A job of Bulk API 1.0 with its batches by id."""

    info: dict[str, Any]
    batches: dict[str, _Batch] = field(default_factory=dict)
    chunk: int = 0
    start_row: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    threads: list[threading.Thread] = field(default_factory=list)

    def close(self) -> None:
        """Wait for the batches that are being worked off."""
        for thread in self.threads:
            thread.join(timeout=30)


def call(request: Call, version: str, rest: str) -> Reply:
    """Everything under ``/services/async/NN.0/``."""
    try:
        if int(version) < OLDEST:
            raise Complaint("InvalidUrl", f"API version {version}.0 is retired", 410)
        user = request.org.session_user(request.headers.get("x-sfdc-session", ""))
        if user is None:
            raise Complaint("InvalidSessionId", "Invalid session id", 401)
        return _route(replace(request, version=f"{version}.0", user=user), rest.strip("/").split("/"))
    except Complaint as complaint:
        wanted = "json" in request.headers.get("content-type", "")
        body = {"exceptionCode": complaint.code, "exceptionMessage": complaint.message}
        return replace(_told(body, "error", wanted), status=complaint.status)


def _route(request: Call, parts: Sequence[str]) -> Reply:
    method = request.method
    if parts[0] != "job" or len(parts) > 7:
        raise Complaint("InvalidUrl", f"{request.path} is no address of this API", 404)
    if len(parts) == 1 and method == "POST":
        return _create(request)
    job = request.org.classic_jobs.get(ids.to18(parts[1]) or "") if len(parts) > 1 else None
    if job is None:
        raise Complaint("InvalidJob", "Unable to find object")
    if len(parts) == 2:
        return _job_told(request, job) if method == "GET" else _change(request, job)
    if parts[2] != "batch":
        raise Complaint("InvalidUrl", f"{request.path} is no address of this API", 404)
    if len(parts) == 3:
        return _add(request, job) if method == "POST" else _list(request, job)
    batch = job.batches.get(ids.to18(parts[3]) or "")
    if batch is None:
        raise Complaint("InvalidBatch", "Unable to find batch")
    if len(parts) == 4:
        return _told(batch.info, "batchInfo", _json_job(job))
    if parts[4] == "request":
        media = {"JSON": "application/json", "XML": "application/xml"}
        return Reply(200, batch.request, {}, media.get(job.info["contentType"], "text/csv"))
    if parts[4] != "result":
        raise Complaint("InvalidUrl", f"{request.path} is no address of this API", 404)
    return _result(job, batch, parts[5] if len(parts) == 6 else "")


# --- jobs -----------------------------------------------------------------------------------------------------


def _create(request: Call) -> Reply:
    asked = _asked(request)
    operation, name = str(asked.get("operation")), str(asked.get("object") or "")
    kind = request.org.objects.get(name.lower())
    if operation not in (*_WRITES, *_READS):
        raise Complaint("InvalidJob", f"Invalid operation: {operation}")
    if kind is None or (operation in _WRITES and not kind.writable):
        raise Complaint("InvalidJob", f"Entity '{name}' is not supported by the Bulk API.")
    if operation == "hardDelete" and not request.org.setting("hard_delete_permission"):
        raise Complaint("FeatureNotEnabled", "hardDelete not enabled for this user")
    if operation == "upsert":
        _key(kind, asked.get("externalIdFieldName"))
    content = str(asked.get("contentType") or "XML")
    if content not in ("CSV", "JSON", "XML"):
        raise Complaint("FeatureNotEnabled", f"the content type {content} is not served by this simulator")
    mode = asked.get("concurrencyMode")
    stamp = _stamp(request.org)
    info: dict[str, Any] = {
        "id": ids.make("750", request.org.store.take("id:750")),
        "operation": operation,
        "object": kind.name,
        "createdById": request.user,
        "createdDate": stamp,
        "systemModstamp": stamp,
        "state": "Open",
        **({"externalIdFieldName": asked["externalIdFieldName"]} if operation == "upsert" else {}),
        "concurrencyMode": "Serial" if mode in (1, "1", "Serial") else "Parallel",
        "contentType": content,
        **dict.fromkeys([f"numberBatches{state}" for state in ("Queued", "InProgress", "Completed", "Failed")], 0),
        "numberBatchesTotal": 0,
        "numberRecordsProcessed": 0,
        "numberRetries": 0,
        "apiVersion": float(request.version),
        "numberRecordsFailed": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }
    job = ClassicJob(info)
    chunking = request.headers.get("sforce-enable-pkchunking", "")
    if chunking and chunking.strip().lower() != "false" and operation in _READS:
        size = _CHUNKING.search(chunking)
        job.chunk = min(250_000, max(1, int(size[1]))) if size else 100_000
        start = _START_ROW.search(chunking)
        job.start_row = (ids.to18(start[1]) or "") if start else ""
    request.org.classic_jobs[info["id"]] = job
    return replace(_told(info, "jobInfo", _json_request(request)), status=201)


def _change(request: Call, job: ClassicJob) -> Reply:
    wanted = _asked(request).get("state")
    if wanted not in ("Closed", "Aborted"):
        raise Complaint("InvalidJobState", f"the state cannot be set to {wanted}")
    if job.info["state"] != "Open" and not (job.info["state"] == "Closed" and wanted == "Aborted"):
        raise Complaint("InvalidJobState", f"Closing already {job.info['state']} Job not allowed")
    job.info["state"] = wanted
    return _job_told(request, job, _json_request(request))


def _job_told(request: Call, job: ClassicJob, as_json: bool | None = None) -> Reply:
    states = [batch.info["state"] for batch in job.batches.values()]
    for name in ("Queued", "InProgress", "Completed", "Failed"):
        job.info[f"numberBatches{name}"] = states.count(name)
    job.info["numberBatchesTotal"] = len(states)
    for name in ("numberRecordsProcessed", "numberRecordsFailed"):
        job.info[name] = sum(batch.info[name] for batch in job.batches.values())
    return _told(job.info, "jobInfo", _json_job(job) if as_json is None else as_json)


# --- batches --------------------------------------------------------------------------------------------------


def _add(request: Call, job: ClassicJob) -> Reply:
    if job.info["state"] != "Open":
        raise Complaint("InvalidJobState", f"Job is not open: {job.info['state']}")
    if len(request.body) > _MOST_BYTES:
        raise Complaint("ClientInputError", "Request exceeded the maximum size of a batch, 10000000 bytes")
    if not request.org.take_bulk_batch():
        raise Complaint("ExceededQuota", "the daily allocation of Bulk API batches is used up")
    batch = _batch(request.org, job, request.body)
    thread = threading.Thread(target=_work, args=(request.org, job, batch), daemon=True)
    job.threads.append(thread)
    told = replace(_told(batch.info, "batchInfo", _json_request(request)), status=201)
    thread.start()
    return told


def _batch(org: SalesforceOrg, job: ClassicJob, body: bytes, only: str = "") -> _Batch:
    stamp = _stamp(org)
    info: dict[str, Any] = {
        "id": ids.make("751", org.store.take("id:751")),
        "jobId": job.info["id"],
        "state": "Queued",
        "createdDate": stamp,
        "systemModstamp": stamp,
        "numberRecordsProcessed": 0,
        "numberRecordsFailed": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }
    made = _Batch(info, body, only=only)
    job.batches[info["id"]] = made
    return made


def _list(request: Call, job: ClassicJob) -> Reply:
    infos = [batch.info for batch in job.batches.values()]
    if _json_job(job):
        return Reply(200, {"batchInfo": infos}, {}, _JSON)
    inner = "".join(f"<batchInfo>{_elements(info)}</batchInfo>" for info in infos)
    return Reply(200, _document("batchInfoList", inner), {}, "application/xml")


def _work(org: SalesforceOrg, job: ClassicJob, batch: _Batch) -> None:
    """The batch's thread; batches of one job take turns."""
    with job.lock:
        if job.info["state"] == "Aborted":
            batch.info["state"] = "NotProcessed"
            return
        batch.info["state"] = "InProgress"
        fault = org.take_bulk_failure("query" if job.info["operation"] in _READS else "ingest", job.info["object"])
        try:
            if fault is not None:
                raise BadUpload(str(fault.get("message", "InternalServerError : broken off on demand")))
            if job.info["operation"] in _READS:
                _read(org, job, batch)
            else:
                _write(org, job, batch)
        except BadUpload as bad:
            batch.info |= {"state": "Failed", "stateMessage": str(bad)}
        except Refusal as refusal:
            first = refusal.problems[0]
            text = f"InvalidBatch : Failed to process query: {first.code}: {first.message}"
            batch.info |= {"state": "Failed", "stateMessage": text}
        except Exception as error:
            batch.info |= {"state": "Failed", "stateMessage": f"InternalServerError : {error}"}
            raise
        batch.info["systemModstamp"] = _stamp(org)


def _write(org: SalesforceOrg, job: ClassicJob, batch: _Batch) -> None:
    kind: ObjectDef = org.objects[job.info["object"].lower()]
    operation = job.info["operation"]
    records: list[Mapping[str, Any] | BadRow]
    if _json_job(job):
        try:
            records = orjson.loads(batch.request)
        except orjson.JSONDecodeError:
            raise BadUpload("InvalidBatch : Failed to parse JSON") from None
        if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
            raise BadUpload("InvalidBatch : Failed to parse JSON: an array of records is expected")
    elif job.info["contentType"] == "XML":
        records = list(bulk_classic_xml.records(kind, batch.request))
    else:
        ending = "CRLF" if batch.request.partition(b"\n")[0].endswith(b"\r") else "LF"
        header, rows = bulk_csv.read(batch.request, "COMMA", ending)
        load = Load(kind, columns_of(org, kind, operation, header), rows)
        records = [row if isinstance(row, BadRow) else load.record(row) for row in rows]
    if len(records) > _MOST_RECORDS:
        raise BadUpload(f"InvalidBatch : Records not processed: a batch may hold {_MOST_RECORDS}")
    good: list[Mapping[str, Any]] = [one for one in records if not isinstance(one, BadRow)]
    writer = Writer(org, kind, job.info["createdById"], options=Options(assign=False))
    if operation == "insert":
        results = writer.create(good)
    elif operation == "update":
        results = writer.update(good)
    elif operation == "upsert":
        results = writer.upsert(_key(kind, job.info["externalIdFieldName"]), good)
    else:
        keys = [str(next((v for n, v in one.items() if n.lower() == "id"), "")) for one in good]
        results = writer.delete(keys, purge=operation == "hardDelete")
    if operation == "insert":
        for result in results:
            result.created = not result.problems
    following = iter(results)
    batch.results = [
        Result(problems=(Problem("INVALID_CSV", str(one)),)) if isinstance(one, BadRow) else next(following)
        for one in records
    ]
    failed = sum(bool(result.problems) for result in batch.results)
    batch.info |= {"state": "Completed", "numberRecordsProcessed": len(records), "numberRecordsFailed": failed}


def _read(org: SalesforceOrg, job: ClassicJob, batch: _Batch) -> None:
    text = batch.request.decode("utf-8", "replace")
    deleted = job.info["operation"] == "queryAll"
    compiled = compile_query(parse(text), org.objects, org.moment(), deleted=deleted)
    if compiled.object.name != job.info["object"]:
        text = (
            f"The root entity of the requested query ({compiled.object.name}) does not match the entity of the "
            f"requested Bulk API Job ({job.info['object']})."
        )
        raise Refusal(400, "INVALID_TYPE_FOR_OPERATION", text)
    refuse_what_bulk_cannot(compiled)
    if job.chunk and not batch.only:
        if compiled.order or compiled.limit is not None:
            raise BadUpload("InvalidBatch : ORDER BY and LIMIT cannot be used with PK chunking")
        _chunk(org, job, batch, compiled)
        return
    if batch.only:
        joint = " AND " if " WHERE " in compiled.source else " WHERE "
        compiled = replace(compiled, source=f"{compiled.source}{joint}{batch.only}")
    if job.info["contentType"] == "CSV":
        rows = org.store.query(compiled.sql(csv_sql))
        batch.content = ([".".join(column.names) for column in compiled.columns], [list(row) for row in rows])
    else:
        printed = _json_sql if _json_job(job) else _xml_sql
        shape = Shape(compiled, f"/services/data/v{job.info['apiVersion']}", org.objects.values())
        rows = org.store.query(compiled.select(selected(compiled, printed)))
        batch.records = [shape.record(row) for row in rows]
    batch.info |= {"state": "Completed", "numberRecordsProcessed": len(rows)}


def _chunk(org: SalesforceOrg, job: ClassicJob, batch: _Batch, compiled: Compiled) -> None:
    """Set the batch aside and let one more for each range of ids do its work."""
    sql = f'SELECT "Id" FROM {quote(compiled.object.name)} WHERE "Id" >= ? ORDER BY "Id"'
    rows = org.store.query(sql, [job.start_row])
    bounds = [str(one) for (one,) in rows[:: job.chunk]]
    batch.info["state"] = "NotProcessed"
    for first, after in zip(bounds, [*bounds[1:], ""], strict=True):
        only = f't."Id" >= {literal(first)}' + (f' AND t."Id" < {literal(after)}' if after else "")
        thread = threading.Thread(target=_work, args=(org, job, _batch(org, job, batch.request, only)), daemon=True)
        job.threads.append(thread)
        thread.start()


# --- results --------------------------------------------------------------------------------------------------


def _result(job: ClassicJob, batch: _Batch, which: str) -> Reply:
    if batch.info["state"] != "Completed":
        raise Complaint("InvalidBatch", "Batch not completed")
    number = "752" + batch.info["id"][3:15]
    number += ids.checksum(number)
    if job.info["operation"] in _READS and not which:
        if _json_job(job):
            return Reply(200, [number], {}, _JSON)
        return Reply(200, _document("result-list", f"<result>{number}</result>"), {}, "application/xml")
    if job.info["operation"] in _READS:
        if ids.to18(which) != number:
            raise Complaint("InvalidBatch", "Unable to find result")
        return _records(job, batch)
    if _json_job(job):
        return Reply(200, [_outcome(result) for result in batch.results], {}, _JSON)
    if job.info["contentType"] == "XML":
        return Reply(200, _document("results", bulk_classic_xml.outcomes(batch.results)), {}, "application/xml")
    rows = [
        (result.id or "", str(not result.problems).lower(), str(bool(result.created)).lower(), _error(result))
        for result in batch.results
    ]
    return _csv(("Id", "Success", "Created", "Error"), rows)


def _records(job: ClassicJob, batch: _Batch) -> Reply:
    if batch.content is not None:
        return _csv(*batch.content)
    if _json_job(job):
        return Reply(200, batch.records, {}, _JSON)
    inner = bulk_classic_xml.rows(job.info["object"], batch.records)
    return Reply(200, _document("queryResult", inner), {}, "application/xml")


def _outcome(result: Result) -> dict[str, Any]:
    errors = [{**problem.item(), "extendedErrorDetails": None} for problem in result.problems]
    return {"success": not errors, "created": bool(result.created), "id": result.id, "errors": errors}


def _error(result: Result) -> str:
    return "".join(f"{one.code}:{one.message}:{','.join(one.fields)} --" for one in result.problems[:1])


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Reply:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return Reply(200, out.getvalue().encode(), {}, "text/csv")


def _json_sql(found: FieldDef, sql: str) -> str:
    """JSON results of this API give instants as milliseconds since 1970."""
    return f"epoch_ms({sql})" if found.type == "datetime" else rest_sql(found, sql)


def _xml_sql(found: FieldDef, sql: str) -> str:
    """XML results have instants as CSV has them, and nulls."""
    return f"nullif({csv_sql(found, sql)}, '')"


# --- the two languages ----------------------------------------------------------------------------------------


def _asked(request: Call) -> dict[str, Any]:
    """The job in the body, as JSON or as XML."""
    if _json_request(request):
        try:
            found = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise Complaint("InvalidJob", "Unable to parse Job")
        return found
    text = request.body.decode("utf-8", "replace")
    if _SPACE not in text or "jobInfo" not in text:
        raise Complaint("InvalidXML", "Unable to parse XML: a jobInfo of this API is expected")
    return {name: html.unescape(value) for name, value in re.findall(r"<(\w+)>([^<>]*)</\1>", text)}


def _json_request(request: Call) -> bool:
    return "json" in request.headers.get("content-type", "").lower()


def _json_job(job: ClassicJob) -> bool:
    return bool(job.info["contentType"] == "JSON")


def _told(info: Mapping[str, Any], root: str, as_json: bool) -> Reply:
    if as_json:
        return Reply(200, dict(info), {}, _JSON)
    return Reply(200, _document(root, _elements(info)), {}, "application/xml")


def _document(root: str, inner: str) -> str:
    more = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"' if "xsi:" in inner else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="{_SPACE}"{more}>{inner}</{root}>'


def _elements(info: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{html.escape(str(value), quote=False)}</{name}>" for name, value in info.items())


def _key(kind: ObjectDef, name: Any) -> FieldDef:
    found = kind.find(str(name or ""))
    if found is None or not (found.external_id or found.id_lookup):
        raise Complaint("InvalidJob", f"Field name provided, {name} does not match an External ID for {kind.name}")
    return found


def _stamp(org: SalesforceOrg) -> str:
    return org.clock.stamp().strftime("%Y-%m-%dT%H:%M:%S.000Z")
