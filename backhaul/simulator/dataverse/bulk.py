"""CreateMultiple, UpdateMultiple, UpsertMultiple, DeleteMultiple: many rows in one request (dataverse-api.md §5.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .edm import Table
from .errors import DataverseError, bad_payload
from .expressions import Literal, parse_key
from .sql import guid
from .wire import Reply, Request
from .work import key_named
from .writes import Writer, parse_body

MESSAGES = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple")


def answer(writer: Writer, table: Table, message: str, request: Request) -> Reply:
    """Do one message. In a standard table the first refused row refuses all; an elastic one keeps the good rows and
    names the bad ones (§3.10). Raises DataverseError."""
    targets = _targets(table, parse_body(table.set_name, request.body))
    if message == "DeleteMultiple" and table.kind != "Elastic":
        raise DataverseError(400, "0x80040203", "DeleteMultiple has not yet been implemented.")
    writer.work.prefetch_bodies(table, targets)
    if table.kind == "Elastic":
        return _one_by_one(writer, table, message, targets, request)
    match message:
        case "CreateMultiple":
            try:
                return _created([writer.create(table, target) for target in targets], request)
            except DataverseError as error:
                if error.code == "0x80040237":  # the database's own words come through here
                    error = DataverseError(error.status, error.code, "Cannot insert duplicate key.")
                raise error from None
        case "UpdateMultiple":
            _update(writer, table, targets)
        case _:
            _upsert(writer, table, targets)
    return Reply(204)


def _created(ids: list[str], request: Request) -> Reply:
    context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse"
    return Reply.json({"@odata.context": context, "Ids": ids})


def _one_by_one(
    writer: Writer, table: Table, message: str, targets: list[Mapping[str, Any]], request: Request
) -> Reply:
    """Do each row for itself; the refused ones are listed in an annotation of the error."""
    ids: list[str] = []
    failed: list[dict[str, Any]] = []
    last: DataverseError | None = None
    for place, target in enumerate(targets):
        mark = writer.work.mark()
        try:
            match message:
                case "CreateMultiple":
                    ids.append(writer.create(table, target))
                case "UpdateMultiple":
                    _update(writer, table, [target])
                case "UpsertMultiple":
                    _upsert(writer, table, [target])
                case _:
                    writer.delete(
                        table, guid(str(target.get(table.primary_id, ""))) or str(target.get(table.primary_id))
                    )
        except DataverseError as error:
            writer.work.undo(mark)
            last = error
            one = {"RequestIndex": place, "Id": str(target.get(table.primary_id, "")), "StatusCode": error.status}
            failed.append(one)
    if last is None:
        return _created(ids, request) if message == "CreateMultiple" else Reply(204)
    details = {"@Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails": json.dumps(failed)}
    refusal = DataverseError(last.status, last.code, last.message, details=details)
    return Reply.refusal(refusal, annotated=request.annotated)


def _targets(table: Table, body: Any) -> list[Mapping[str, Any]]:
    found = body.get("Targets") if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not found:
        raise bad_payload(table.set_name, "The parameter 'Targets' must be a collection of entities.")
    for target in found:
        kind = target.get("@odata.type", "") if isinstance(target, Mapping) else ""
        if str(kind).removeprefix("#") != f"Microsoft.Dynamics.CRM.{table.name}":
            raise bad_payload(
                table.set_name,
                f"A resource with type '{kind}' was found, but it is not assignable to the expected type "
                f"'Microsoft.Dynamics.CRM.{table.name}'.",
            )
    return found


def _update(writer: Writer, table: Table, targets: list[Mapping[str, Any]]) -> None:
    ids = [guid(str(target.get(table.primary_id, ""))) for target in targets]
    writer.work.prefetch(table, [one for one in ids if one])
    missing = [
        one or "00000000-0000-0000-0000-000000000000" for one in ids if not one or writer.work.get(table, one) is None
    ]
    if missing:
        raise DataverseError(404, "0x80040217", f"{table.schema_name} With Ids = {', '.join(missing)} Do Not Exist")
    done: set[str] = set()
    for record_id, target in zip(ids, targets, strict=True):
        assert record_id is not None
        if record_id not in done:  # of several targets with one id, the first wins
            writer.update(table, record_id, target)
        done.add(record_id)


def _upsert(writer: Writer, table: Table, targets: list[Mapping[str, Any]]) -> None:
    keys = [_address(table, target) for target in targets]
    _look_up(writer, table, keys)
    seen: set[str] = set()
    for key, target in zip(keys, targets, strict=True):
        if key.lower() in seen:
            raise DataverseError(412, "0x80040237", "Cannot insert duplicate key.")
        seen.add(key.lower())
        _, columns = writer.locate(table, key, in_url=False)
        if "@odata.id" in target and set(columns) & set(target):
            raise DataverseError(500, "0x80040216", "An unexpected error occurred.")
        writer.upsert(table, key, target, in_url=False)


def _address(table: Table, target: Mapping[str, Any]) -> str:
    """Give what stands in the parentheses of a target's address, else its primary key."""
    address = unquote(str(target.get("@odata.id", "")))
    match = re.search(rf"(?:^|/){table.set_name}\((.*)\)$", address, re.DOTALL)
    if match is None and target.get(table.primary_id) is None:
        raise bad_payload(table.set_name, "A target of UpsertMultiple needs '@odata.id' or its primary key.")
    return match[1] if match else str(target[table.primary_id])


def _look_up(writer: Writer, table: Table, keys: list[str]) -> None:
    """Read in one go the rows that many addresses name; one that is no address is refused in its turn."""
    wanted: dict[str, list[tuple[object, ...]]] = {}
    ids: list[str] = []
    for key in keys:
        try:
            parsed = parse_key(key)
        except DataverseError:
            continue
        if isinstance(parsed, Literal):
            ids.append(guid(str(parsed.value)) or "")
            continue
        chosen = key_named(table, parsed)
        if chosen is not None:
            wanted.setdefault(chosen.name, []).append(
                tuple(parsed[name].value for name in chosen.columns if name in parsed)
            )
    writer.work.prefetch(table, [one for one in ids if one])
    for one in table.keys:
        values = [value for value in wanted.get(one.name, []) if len(value) == len(one.columns)]
        writer.work.prefetch_key(table, one, values)
