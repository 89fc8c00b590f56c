"""REST on objects and single records: describe, create, read, update, delete, upsert, updated, deleted, limits.

Rests on salesforce-api.md §3, §5.1, §6.1, §6.4 and §10.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import orjson

from backhaul.simulator.salesforce import describe, ids
from backhaul.simulator.salesforce.drafts import Options, Result
from backhaul.simulator.salesforce.errors import Refusal, not_found
from backhaul.simulator.salesforce.org import DELETED
from backhaul.simulator.salesforce.schema import BLOB, FieldDef, ObjectDef
from backhaul.simulator.salesforce.values import naive, rest_sql
from backhaul.simulator.salesforce.wire import Call, Reply, multipart
from backhaul.simulator.salesforce.writes import Writer
from backhaul.simulator.store import literal, quote

NEWEST = 68
OLDEST = 31
_SEASONS = ("Winter", "Spring", "Summer")
_DELETED_DAYS = 15
_UPDATED_DAYS = 30
_BATCHES_SINCE = 48
_FIXED_LIMITS = {
    "ActiveScratchOrgs": 3,
    "AnalyticsExternalDataSizeMB": 40_960,
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyAsyncApexTests": 500,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyDurableStreamingApiEvents": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyScratchOrgs": 6,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 100_000,
    "DataStorageMB": 1_024,
    "FileStorageMB": 1_024,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyDashboardRefreshes": 200,
    "HourlyODataCallout": 20_000,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "PermissionSets": 1_500,
    "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 20,
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)\Z")


# --- versions and describe ------------------------------------------------------------------------------------


def versions(call: Call) -> Reply:
    """``GET /services/data``: no sign-in, not counted."""
    listed = []
    for number in range(OLDEST, NEWEST + 1):
        year = 14 + (number - 29) // 3
        season = _SEASONS[(number - 29) % 3]
        label = f"Winter '{year}" if season == "Winter" else f"{season} '{year}"
        listed.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return Reply(200, listed)


def version_root(call: Call) -> Reply:
    """``GET /services/data/vNN.0``."""
    names = ("sobjects", "query", "queryAll", "limits", "composite", "tooling", "search", "recent", "jobs")
    body: dict[str, str] = {name: f"{call.root}/{name}" for name in names}
    return Reply(200, {**body, "identity": f"{call.base}/id/{call.org.id}/{call.user}"})


def describe_global(call: Call) -> Reply:
    """``GET sobjects``."""
    unchanged, headers = _conditional(call)
    if unchanged:
        return Reply(304, None, headers)
    entries = [describe.global_entry(kind, call.root) for kind in _by_name(call)]
    return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}, headers)


def describe_object(call: Call, name: str) -> Reply:
    """``GET sobjects/X/describe``."""
    kind = call.object(name)
    unchanged, headers = _conditional(call)
    if unchanged:
        return Reply(304, None, headers)
    return Reply(200, describe.full(kind, call.root, _by_name(call)), headers)


def basic_information(call: Call, name: str) -> Reply:
    """``GET sobjects/X``."""
    kind = call.object(name)
    return Reply(200, {"objectDescribe": describe.global_entry(kind, call.root), "recentItems": []})


# --- one record -----------------------------------------------------------------------------------------------


def create(call: Call, name: str) -> Reply:
    """``POST sobjects/X``."""
    kind = _writable(call, name)
    result = _writer(call, kind).create([_sent(call, kind)])[0]
    _raise(result)
    body: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    return Reply(201, body, {"Location": f"{call.root}/sobjects/{kind.name}/{result.id}"})


def read(call: Call, name: str, key: str) -> Reply:
    """``GET sobjects/X/<id>?fields=``."""
    kind = call.object(name)
    return _read(call, kind, _record_id(kind, key))


def read_by_key(call: Call, name: str, field_name: str, value: str) -> Reply:
    """``GET sobjects/X/<field>/<value>``, and of a record found by its id the bytes of a field
    (``<id>/<blobField>``) or its parent or children (``<id>/<relationship>``)."""
    kind = call.object(name)
    record = ids.to18(field_name)
    if record is not None and record.startswith(kind.prefix) and kind.find(field_name) is None:
        return _of_record(call, kind, record, value)
    key = _key_field(kind, field_name)
    found = [one for group in _writer(call, kind).matches(key, [value]).values() for one in group]
    if len(found) > 1:
        return Reply(300, [f"{call.root}/sobjects/{kind.name}/{one}" for one in found])
    if not found:
        raise not_found()
    return _read(call, kind, found[0])


def update(call: Call, name: str, key: str) -> Reply:
    """``PATCH sobjects/X/<id>``."""
    kind = _writable(call, name)
    body = _sent(call, kind)
    if any(one.lower() == "id" for one in body):
        raise Refusal(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])
    one = _unmodified(call, kind, _live(call, kind, _record_id(kind, key)))
    result = _writer(call, kind).update([{**body, "Id": one}])[0]
    _raise(result)
    return Reply(204)


def delete(call: Call, name: str, key: str) -> Reply:
    """``DELETE sobjects/X/<id>``."""
    kind = _writable(call, name)
    one = _unmodified(call, kind, _live(call, kind, _record_id(kind, key)))
    _raise(_writer(call, kind).delete([one])[0])
    return Reply(204)


def delete_by_key(call: Call, name: str, field_name: str, value: str) -> Reply:
    """``DELETE sobjects/X/<field>/<value>``."""
    kind = _writable(call, name)
    writer = _writer(call, kind)
    found = [one for group in writer.matches(_key_field(kind, field_name), [value]).values() for one in group]
    if len(found) > 1:
        return Reply(300, [f"{call.root}/sobjects/{kind.name}/{one}" for one in found])
    if not found:
        raise not_found()
    _raise(writer.delete(found)[0])
    return Reply(204)


def upsert(call: Call, name: str, field_name: str, value: str) -> Reply:
    """``PATCH sobjects/X/<field>/<value>``."""
    kind = _writable(call, name)
    key = _key_field(kind, field_name)
    body = call.mapping()
    if any(one.lower() == key.name.lower() for one in body):
        text = f"The {key.name} field should not be specified in the sobject data."
        raise Refusal(400, "INVALID_FIELD", text, [key.name])
    writer = _writer(call, kind)
    found = [one for group in writer.matches(key, [value]).values() for one in group]
    if len(found) > 1:
        return Reply(300, [f"{call.root}/sobjects/{kind.name}/{one}" for one in found])
    only = call.query.get("updateOnly", "").lower() == "true"
    result = writer.upsert(key, [{**body, key.name: value}], update_only=only)[0]
    _raise(result)
    if not result.created and float(call.version) < 46:
        return Reply(204)
    shown: dict[str, Any] = {"id": result.id, "success": True, "errors": [], "created": bool(result.created)}
    return Reply(201 if result.created else 200, shown)


def insert_by_id(call: Call, name: str) -> Reply:
    """``POST sobjects/X/Id``: an insert (API version 37 and later)."""
    return create(call, name)


# --- what changed ---------------------------------------------------------------------------------------------


def deleted(call: Call, name: str) -> Reply:
    """``GET sobjects/X/deleted?start=&end=``: both ends included, seconds dropped."""
    kind = _replicated(call, name)
    start, end = _window(call, _DELETED_DAYS)
    logged = call.org.setting("replication_from")
    logged = datetime.fromisoformat(logged).astimezone(UTC) if logged else None
    if logged is not None and start < logged:
        text = "startDate before org replication enabled date"
        raise Refusal(400, "INVALID_REPLICATION_DATE", text)
    sql = f'SELECT "Id", "At" FROM "{DELETED}" WHERE "Object" = ? AND "At" >= ? AND "At" <= ? ORDER BY "At", "Id"'
    rows = call.org.store.query(sql, [kind.name, naive(start), naive(end)])
    _no_more_than_allowed(call, rows)
    horizon = logged or call.org.clock.stamp() - timedelta(days=_DELETED_DAYS)
    return Reply(
        200,
        {
            "deletedRecords": [{"id": one, "deletedDate": _print(at)} for one, at in rows],
            "earliestDateAvailable": _print(naive(horizon)),
            "latestDateCovered": _print(naive(min(end, call.org.clock.stamp()))),
        },
    )


def updated(call: Call, name: str) -> Reply:
    """``GET sobjects/X/updated?start=&end=``: ids of live records, both ends included, seconds dropped."""
    kind = _replicated(call, name)
    start, end = _window(call, _UPDATED_DAYS)
    live = ' AND NOT "IsDeleted"' if kind.keeps_deleted else ""
    sql = f'SELECT "Id" FROM {quote(kind.name)} WHERE "SystemModstamp" >= ? AND "SystemModstamp" <= ?{live}'
    found = [one for (one,) in call.org.store.query(sql, [naive(start), naive(end)])]
    _no_more_than_allowed(call, found)
    return Reply(200, {"ids": found, "latestDateCovered": _print(naive(min(end, call.org.clock.stamp())))})


# --- limits ---------------------------------------------------------------------------------------------------


def limits(call: Call) -> Reply:
    """``GET limits``."""
    settings = call.org.settings({})
    left = max(0, int(settings["api_max"]) - int(settings["api_used"]))
    batches = {"Max": int(settings["bulk_batches_max"]), "Remaining": call.org.bulk_batches_left()}
    jobs = {"Max": int(settings["bulk_query_jobs_max"]), "Remaining": call.org.query_jobs_left()}
    named = "DailyBulkApiBatches" if float(call.version) > _BATCHES_SINCE else "DailyBulkApiRequests"
    moving = {"DailyApiRequests": {"Max": int(settings["api_max"]), "Remaining": left}, named: batches}
    fixed = {name: {"Max": most, "Remaining": most} for name, most in _FIXED_LIMITS.items()}
    return Reply(200, dict(sorted({**fixed, **moving, "DailyBulkV2QueryJobs": jobs}.items())))


def record_count(call: Call) -> Reply:
    """``GET limits/recordCount?sObjects=A,B``: objects without records are left out."""
    asked = [name.strip().lower() for name in call.query.get("sObjects", "").split(",") if name.strip()]
    kinds = [call.org.objects[name] for name in asked or call.org.objects if name in call.org.objects]
    counts = []
    for kind in kinds:
        live = ' WHERE NOT "IsDeleted"' if kind.keeps_deleted else ""
        number = int(call.org.store.query(f"SELECT count(*) FROM {quote(kind.name)}{live}")[0][0])
        if number:
            counts.append({"count": number, "name": kind.name})
    return Reply(200, {"sObjects": counts})


# --- inside ---------------------------------------------------------------------------------------------------


def select_records(call: Call, kind: ObjectDef, wanted: list[FieldDef], keys: list[str]) -> dict[str, dict[str, Any]]:
    """Live records by id, as REST prints them."""
    if not keys:
        return {}
    listed = ", ".join(rest_sql(f, f.sql("t", kind.parts(f))) for f in wanted)
    live = ' AND NOT t."IsDeleted"' if kind.keeps_deleted else ""
    one_of = ", ".join(literal(key) for key in keys)
    sql = f'SELECT t."Id", {listed} FROM {quote(kind.name)} AS t WHERE t."Id" IN ({one_of}){live}'
    out = {}
    for key, *values in call.org.store.query(sql):
        url = f"{call.root}/sobjects/{kind.name}/{key}"
        shown = {
            f.name: f"{url}/{f.name}" if f.type == BLOB and value is not None else value
            for f, value in zip(wanted, values, strict=True)
        }
        out[str(key)] = {"attributes": {"type": kind.name, "url": url}, **shown}
    return out


def named_fields(kind: ObjectDef, names: list[str]) -> list[FieldDef]:
    """The fields of these names. Raises Refusal INVALID_FIELD."""
    out = []
    for name in names:
        found = kind.find(name)
        if found is None:
            text = f"No such column '{name}' on entity '{kind.name}'. If you are attempting to use a custom field, be "
            text += "sure to append the '__c' after the custom field name. Please reference your WSDL or the describe "
            raise Refusal(400, "INVALID_FIELD", text + "call for the appropriate names.")
        out.append(found)
    return out


def _read(call: Call, kind: ObjectDef, key: str) -> Reply:
    names = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    wanted = named_fields(kind, names) if names else list(kind.fields.values())
    record = select_records(call, kind, wanted, [_live(call, kind, key)]).get(key)
    if record is None:  # it went between the two looks
        raise not_found()
    if names and "Id" not in record:
        record["Id"] = key
    changed = _changed(call, kind, key)
    headers = {"Last-Modified": format_datetime(changed, usegmt=True)} if changed else {}
    since = _http_date(call.headers.get("if-modified-since"))
    if changed and since and since >= changed:
        return Reply(304, None, headers)
    _unmodified(call, kind, key)
    return Reply(200, record, headers)


def _changed(call: Call, kind: ObjectDef, key: str) -> datetime | None:
    """When the record was changed last, to the second; None for objects that do not keep it."""
    if kind.find("LastModifiedDate") is None:
        return None
    sql = f'SELECT "LastModifiedDate" FROM {quote(kind.name)} WHERE "Id" = ?'
    found = call.org.store.query(sql, [key])
    stamp: datetime | None = found[0][0] if found else None
    return stamp.replace(tzinfo=UTC, microsecond=0) if stamp else None


def _unmodified(call: Call, kind: ObjectDef, key: str) -> str:
    """`key` again, unless the request is for a record unchanged since a date and this one was changed (412)."""
    since = _http_date(call.headers.get("if-unmodified-since"))
    changed = _changed(call, kind, key) if since else None
    if since and changed and changed > since:
        raise Refusal(412, "PRECONDITION_FAILED", "The record was modified since the date given")
    return key


def _sent(call: Call, kind: ObjectDef) -> dict[str, Any]:
    """The record in the body: JSON, or the JSON part of a multipart body whose other parts are bytes of fields."""
    if not call.media.startswith("multipart/form-data"):
        return call.mapping()
    parts = multipart(call.body, call.headers["content-type"])
    blobs = {name: f for name in parts if (f := kind.find(name)) and f.type == BLOB}
    texts = [content for name, content in parts.items() if name not in blobs]
    try:
        record = orjson.loads(texts[0]) if len(texts) == 1 else None
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", "one part must hold the record's other fields as JSON")
    return {**record, **{f.name: base64.b64encode(parts[name]).decode() for name, f in blobs.items()}}


def _of_record(call: Call, kind: ObjectDef, record: str, name: str) -> Reply:
    """What hangs on a record: bytes, its parent, its children."""
    if call.org.existing(kind, [record]).get(record) is not False:
        raise not_found()
    blob, relation = kind.find(name), kind.relation(name)
    child = kind.child(name, call.org.objects.values())
    if blob is not None and blob.type == BLOB:
        sql = f'SELECT {quote(blob.name)} FROM {quote(kind.name)} WHERE "Id" = ?'
        held = call.org.store.query(sql, [record])[0][0]
        return Reply(200, base64.b64decode(held or ""), {}, "application/octet-stream")
    if relation is not None:
        sql = f'SELECT {quote(relation.name)} FROM {quote(kind.name)} WHERE "Id" = ?'
        parent = call.org.store.query(sql, [record])[0][0]
        target = next((o for o in call.org.objects.values() if parent and parent.startswith(o.prefix)), None)
        if target is None:
            raise not_found(f"The requested resource does not exist: {name} is empty")
        return _read(call, target, parent)
    if child is not None:
        other, lookup = child
        live = ' AND NOT "IsDeleted"' if other.keeps_deleted else ""
        sql = f'SELECT "Id" FROM {quote(other.name)} WHERE {quote(lookup.name)} = ?{live} ORDER BY "Id"'
        keys = [str(one) for (one,) in call.org.store.query(sql, [record])]
        found = select_records(call, other, list(other.fields.values()), keys)
        return Reply(200, {"totalSize": len(keys), "done": True, "records": [found[key] for key in keys]})
    raise not_found()


def _record_id(kind: ObjectDef, key: str) -> str:
    whole = ids.to18(key)
    if whole is None or not whole.startswith(kind.prefix):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
    return whole


def _key_field(kind: ObjectDef, name: str) -> FieldDef:
    found = kind.find(name)
    if found is None or not (found.external_id or found.id_lookup):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return found


def _writable(call: Call, name: str) -> ObjectDef:
    kind = call.object(name)
    if not kind.writable:
        text = f"entity type {kind.name} does not support {call.method}"
        raise Refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", text)
    return kind


def _writer(call: Call, kind: ObjectDef) -> Writer:
    return Writer(call.org, kind, call.user, strict_types=True, options=Options.of(call.headers))


def _raise(result: Result) -> None:
    """The refusal of a single record, with the status its problem has there."""
    if result.problems:
        raise Refusal.of(result.problems, 404 if result.problems[0].code == "NOT_FOUND" else 400)


def _live(call: Call, kind: ObjectDef, key: str) -> str:
    """`key` when a live record has it. Raises Refusal NOT_FOUND or ENTITY_IS_DELETED, both 404."""
    deleted = call.org.existing(kind, [key]).get(key)
    if deleted is None:
        raise not_found()
    if deleted:
        raise Refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
    return key


def _replicated(call: Call, name: str) -> ObjectDef:
    kind = call.object(name)
    if kind.name == "Organization":
        raise Refusal(400, "INVALID_TYPE", f"{kind.name} is not replicateable")
    return kind


def _window(call: Call, days: int) -> tuple[datetime, datetime]:
    bounds = []
    for name in ("start", "end"):
        text = call.query.get(name, "").replace(" ", "+")
        try:
            found = datetime.fromisoformat(text).astimezone(UTC) if _MOMENT.match(text) else None
        except (OverflowError, ValueError):
            found = None
        if found is None:
            told = f"{name}Date must be an ISO 8601 time with a zone; found {text!r}"
            raise Refusal(400, "INVALID_REPLICATION_DATE", told)
        bounds.append(found.replace(second=0, microsecond=0))
    start, end = bounds
    now = call.org.clock.now()
    code = "INVALID_REPLICATION_DATE"
    if end - start < timedelta(minutes=1):
        raise Refusal(400, code, "endDate must be at least one minute greater than startDate")
    if start > now:
        raise Refusal(400, code, "startDate cannot be in the future")
    if now - start > timedelta(days=days, minutes=1):  # the seconds of the start were dropped
        raise Refusal(400, code, f"startDate cannot be more than {days} days ago")
    return start, end


def _no_more_than_allowed(call: Call, found: Sequence[object]) -> None:
    most = int(call.org.setting("id_limit"))
    if len(found) > most:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"the window holds more than {most} ids")


def _conditional(call: Call) -> tuple[bool, dict[str, str]]:
    """Whether the schema is unchanged since the date or the ETag that the client has, and the headers that say so."""
    changed = datetime.fromisoformat(call.org.store.get("schema_modified"))
    tag = f'"{int(changed.timestamp()):x}"'
    headers = {"Last-Modified": format_datetime(changed, usegmt=True), "ETag": tag}
    given = call.headers.get("if-none-match")
    if given:
        return tag.strip('"') in re.findall(r"[0-9a-f]+", given) or given.strip() == "*", headers
    since = _http_date(call.headers.get("if-modified-since"))
    return since is not None and since >= changed, headers


def _http_date(text: str | None) -> datetime | None:
    """The instant of a date header, None when it is absent or is no date (and then without effect)."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def _by_name(call: Call) -> list[ObjectDef]:
    return sorted(call.org.objects.values(), key=lambda kind: kind.name)


def _print(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
