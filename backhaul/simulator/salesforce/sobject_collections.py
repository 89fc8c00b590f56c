"""sObject Collections: up to 200 records a call, each with its own outcome in the order sent

Rests on salesforce-api.md §6.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.drafts import Options, Result
from backhaul.simulator.salesforce.errors import Problem, Refusal, not_found
from backhaul.simulator.salesforce.records import named_fields, select_records
from backhaul.simulator.salesforce.schema import ObjectDef
from backhaul.simulator.salesforce.wire import Call, Reply
from backhaul.simulator.salesforce.writes import ROLLED_BACK, Undone, Writer

_MOST = 200
_MOST_READ = 2000
_MOST_RUNS = 10
_UPSERT_SINCE = 46


def create(call: Call) -> Reply:
    """``POST composite/sobjects``."""
    records, strict = _records(call)
    return _each_run(call, records, strict, lambda kind, run: _writer(call, kind).create(run))


def update(call: Call) -> Reply:
    """``PATCH composite/sobjects``."""
    records, strict = _records(call)
    return _each_run(call, records, strict, lambda kind, run: _writer(call, kind).update(run))


def upsert(call: Call, name: str, field_name: str) -> Reply:
    """``PATCH composite/sobjects/X/<field>`` (API version 46 and later)."""
    if float(call.version) < _UPSERT_SINCE:
        raise not_found()
    records, strict = _records(call)
    kind = call.object(name)
    key = kind.find(field_name)
    if key is None or not (key.external_id or key.id_lookup):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {field_name}")
    for record in records:
        given = _type(record) or kind.name
        if given.lower() != kind.name.lower():
            raise Refusal(400, "INVALID_TYPE", f"the records of one upsert are of one type; found {given}")
    only = call.query.get("updateOnly", "").lower() == "true"
    return _all_or_none(call, strict, lambda: _writer(call, kind).upsert(key, records, update_only=only))


def delete(call: Call) -> Reply:
    """``DELETE composite/sobjects?ids=&allOrNone=``."""
    given = [one.strip() for one in call.query.get("ids", "").split(",") if one.strip()]
    if not given:
        raise Refusal(400, "MISSING_ARGUMENT", "The ids parameter is missing")
    _no_more_than(_MOST, given)
    prefixes = {kind.prefix: kind for kind in call.org.objects.values()}

    def run() -> list[Result]:
        out: list[Result] = []
        for prefix, group in groupby(given, lambda one: one[:3]):
            kind = prefixes.get(prefix)
            some = list(group)
            if kind is None:
                out += [Result(problems=(Problem("MALFORMED_ID", f"bad id {one}"),)) for one in some]
            else:
                out += _writer(call, kind).delete(some)
        return out

    return _all_or_none(call, call.query.get("allOrNone", "").lower() == "true", run)


def retrieve(call: Call, name: str) -> Reply:
    """``GET composite/sobjects/X?ids=&fields=`` and ``POST`` of the same; null for a record that is not there."""
    kind = call.object(name)
    if call.method == "POST":
        body = call.mapping()
        given, fields = body.get("ids"), body.get("fields")
    else:
        given, fields = (call.query.get(part, "").split(",") for part in ("ids", "fields"))
    if not isinstance(given, list) or not isinstance(fields, list) or not given or not fields:
        raise Refusal(400, "MISSING_ARGUMENT", "ids and fields must be given")
    _no_more_than(_MOST_READ, given)
    keys = [ids.to18(str(one)) for one in given]
    for key, one in zip(keys, given, strict=True):
        if key is None:
            raise Refusal(400, "MALFORMED_ID", f"malformed id {one}")
    wanted = named_fields(kind, [str(one) for one in fields])
    found = select_records(call, kind, wanted, [key for key in keys if key])
    return Reply(200, [found.get(key) if key else None for key in keys])


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.mapping()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise Refusal(400, "JSON_PARSER_ERROR", "records must be an array of objects at [line:1, column:1]")
    _no_more_than(_MOST, records)
    return records, bool(body.get("allOrNone", False))


def _no_more_than(most: int, given: list[Any]) -> None:
    if len(given) > most:
        text = f"record limit reached. cannot submit more than {most} records into this call"
        raise Refusal(400, "EXCEEDED_ID_LIMIT", text)


def _type(record: Mapping[str, Any]) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type") or "") if isinstance(attributes, Mapping) else ""


def _each_run(
    call: Call,
    records: list[dict[str, Any]],
    strict: bool,
    write: Callable[[ObjectDef, list[dict[str, Any]]], list[Result]],
) -> Reply:
    """Write run after run of records of one type."""
    runs = [(name, list(group)) for name, group in groupby(records, _type)]
    if len(runs) > _MOST_RUNS:
        text = "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking."
        raise Refusal(400, "INVALID_INPUT", text)
    kinds: list[ObjectDef] = []
    for name, _ in runs:
        kind = call.org.objects.get(name.lower())
        if kind is None or not kind.writable:
            text = f"sObject type '{name}' is not supported." if name else "attributes.type is missing in a record"
            raise Refusal(400, "INVALID_TYPE" if name else "MISSING_ARGUMENT", text)
        kinds.append(kind)

    def run() -> list[Result]:
        return [one for kind, (_, group) in zip(kinds, runs, strict=True) for one in write(kind, group)]

    return _all_or_none(call, strict, run)


def _all_or_none(call: Call, strict: bool, write: Callable[[], list[Result]]) -> Reply:
    results: list[Result] = []
    try:
        with call.org.store.transaction():
            results = write()
            if strict and any(result.problems for result in results):
                raise Undone
    except Undone:
        for result in results:
            if not result.problems:
                result.problems = (ROLLED_BACK,)
    return Reply(200, [result.item() for result in results])


def _writer(call: Call, kind: ObjectDef) -> Writer:
    strict = call.org.setting("json_type_errors") == "request"
    return Writer(call.org, kind, call.user, strict_types=strict, options=Options.of(call.headers))
