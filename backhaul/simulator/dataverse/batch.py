"""``$batch``: many requests in one, change sets whole or not at all (dataverse-api.md §5.4)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from . import metadata_writes
from .errors import DataverseError, bad_query
from .expressions import Literal, parse_key
from .multipart import InnerRequest, Part, boundary_of, inner_request, join, malformed, nested, response_part, split
from .sql import guid
from .wire import LONGEST_BATCHED_URL, Reply, Request, resource_path
from .work import Work, key_named

if TYPE_CHECKING:
    from .service import Service

LARGEST = 1_000
_WRITES = ("POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class _ChangeSet:
    requests: tuple[InnerRequest, ...]


_Item = InnerRequest | _ChangeSet


def answer(service: Service, request: Request) -> Reply:
    """Answer a whole batch. Without ``odata.continue-on-error`` the first failure ends it with status 400."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        raise malformed("The Content-Type must be multipart/mixed with a boundary.")
    items = [_item(part) for part in split(request.body, boundary)]
    total = sum(len(item.requests) if isinstance(item, _ChangeSet) else 1 for item in items)
    if total > LARGEST:
        raise DataverseError(
            400, "0x80048d19", f"The number of requests in the batch ({total}) exceeds the maximum of {LARGEST}."
        )
    go_on = "odata.continue-on-error" in request.preferences
    parts: list[bytes] = []
    status = 200
    with service.org.store.transaction():
        work = Work(service.org)
        _prefetch(service, work, items)
        for item in items:
            good, part = (
                _change_set(service, work, request, item)
                if isinstance(item, _ChangeSet)
                else _one(service, work, request, item)
            )
            parts.append(part)
            if not good and not go_on:
                status = 400
                break
        work.flush()
    reply_boundary = f"batchresponse_{uuid.uuid4()}"
    shown = f'"{reply_boundary}"' if service.org.setting("quoted_boundary") else reply_boundary
    headers = {"Content-Type": f"multipart/mixed; boundary={shown}"}
    if go_on:
        headers["Preference-Applied"] = "odata.continue-on-error"
    return Reply(status, headers, join(parts, reply_boundary))


def _item(part: Part) -> _Item:
    boundary = boundary_of(part.headers.get("content-type", ""))
    if boundary is None:
        return inner_request(part)
    requests: list[InnerRequest] = []
    for inner in split(part.body, boundary):
        if boundary_of(inner.headers.get("content-type", "")) is not None:
            raise malformed("A change set cannot hold another one.")
        requests.append(inner_request(inner))
    return _ChangeSet(tuple(requests))


def _one(service: Service, work: Work, outer: Request, inner: InnerRequest) -> tuple[bool, bytes]:
    if len(inner.url) > LONGEST_BATCHED_URL:
        reply = Reply.refusal(DataverseError(414, "0x80060888", "The URL of a request of the batch is too long."))
    else:
        reply = service.perform(_request(outer, inner, {}), work, {})
    return reply.status < 400, _part(service, reply, inner.content_id)


def _change_set(service: Service, work: Work, outer: Request, item: _ChangeSet) -> tuple[bool, bytes]:
    mark = work.mark()
    # Definitions lie outside the unit of work, so they are remembered when a request is about them.
    about_schema = any(name in inner.url for inner in item.requests for name in metadata_writes.ROOTS)
    schema = service.org.schema_state() if about_schema else None
    references: dict[str, str] = {}
    parts: list[bytes] = []
    failed: Reply | None = None
    content_id: str | None = None
    for inner in item.requests:
        content_id = inner.content_id
        if content_id is None:
            failed = Reply.refusal(bad_query("The 'Content-ID' header is missing from a request of the change set."))
        elif inner.method not in _WRITES:
            failed = Reply.refusal(bad_query("A GET request cannot be part of a change set."))
        else:
            reply = service.perform(_request(outer, inner, references), work, references)
            if reply.status >= 400:
                failed = reply
        if failed is not None:
            break
        made = reply.headers.get("OData-EntityId")
        if made:
            references[f"${content_id}"] = made
        parts.append(_part(service, reply, content_id))
    if failed is not None:
        work.undo(mark)
        if schema is not None:
            service.org.restore_schema(schema)
        return False, _part(service, failed, content_id)
    return True, nested(parts, f"changesetresponse_{uuid.uuid4()}")


def _request(outer: Request, inner: InnerRequest, references: dict[str, str]) -> Request:
    """Give the inner request with the outer one's caller; its URL absolute, rooted, relative, or on ``$1``."""
    url = inner.url
    match = re.match(r"/?(\$[^/?$]+)(?=[/?]|$)", url)
    if match and match[1] not in ("$batch", "$metadata"):
        url = references.get(match[1], match[1]) + url[match.end() :]
    root = urlsplit(outer.base).path
    parsed, _, query = url.partition("?")
    if "://" in parsed.split("(", 1)[0]:
        parsed = "/" + parsed.split("://", 1)[1].partition("/")[2]
    cut = resource_path(parsed) if parsed.startswith("/") else (root, parsed)
    path = cut[1] if cut else parsed.lstrip("/")
    headers = {name: value for name, value in outer.headers.items() if name.startswith("mscrm.")}
    headers |= {"accept": outer.headers.get("accept", ""), **inner.headers}
    found = Request(
        inner.method, outer.base, path, query.replace("#", "%23"), headers, inner.body, outer.user_id, batched=True
    )
    found.on_behalf_of = outer.on_behalf_of
    return found


def _part(service: Service, reply: Reply, content_id: str | None) -> bytes:
    headers = dict(reply.headers)
    if reply.status >= 400:
        headers["REQ_ID"] = str(uuid.uuid4())
    headers["OData-Version"] = "4.0"
    return response_part(reply.status, headers, reply.body, content_id)


def _prefetch(service: Service, work: Work, items: Sequence[_Item]) -> None:
    """Read in one go the rows that the batch's addresses and bodies name: a thousand changes, a few questions."""
    ids: dict[str, list[str]] = {}
    keys: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    bodies: dict[str, list[object]] = {}
    for item in items:
        for inner in item.requests if isinstance(item, _ChangeSet) else (item,):
            match = re.search(r"/?(\w+)(?:\(([^()]*)\))?$", unquote(inner.url.partition("?")[0]))
            table = service.org.by_set.get(match[1]) if match else None
            if match is None or table is None or inner.method == "GET":
                continue
            try:
                bodies.setdefault(table.name, []).append(json.loads(inner.body or b"{}"))
                parsed = parse_key(match[2]) if match[2] else {}
            except (DataverseError, ValueError):
                continue  # it will be refused in its turn
            if isinstance(parsed, Literal):
                ids.setdefault(table.name, []).append(guid(str(parsed.value)) or "")
                continue
            key = key_named(table, parsed)
            if key is not None:
                keys.setdefault((table.name, key.name), []).append(tuple(parsed[name].value for name in key.columns))
    for name, wanted in ids.items():
        work.prefetch(service.org.tables[name], [one for one in wanted if one])
    for name, given in bodies.items():
        work.prefetch_bodies(service.org.tables[name], given)
    for (name, key_name), values in keys.items():
        table = service.org.tables[name]
        work.prefetch_key(table, next(key for key in table.keys if key.name == key_name), values)
