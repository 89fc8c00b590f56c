"""Change tracking: a first full read that ends in a delta link, then what changed since (dataverse-api.md §4).

A delta token says ``version!time``. The version is that of the last committed write before the read began, so that
what is written while the pages are fetched comes again with the next delta instead of being lost.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent
from urllib.parse import unquote

import orjson

from .edm import Attribute, Table
from .errors import DataverseError, bad_query
from .retrieval import Query, Term, page, read_position, write_position
from .rows import Shape, row_sql, selected
from .sql import quote
from .wire import Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

PREFERENCE = "odata.track-changes"
_REFUSED = ("$filter", "$orderby", "$expand", "$top", "$apply")
_ALLOWED = frozenset({"$select", "$count", "$deltatoken", "$skiptoken", "tag"})
_TOKEN = re.compile(r"(\d{1,18})!(\d\d/\d\d/\d{4} \d\d:\d\d:\d\d)")
_COOKIE = re.compile(
    r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)" istracking="True" since="([^"]*)" until="([^"]*)" />'
)
_TOMBSTONES = '"_deleted"'


def concerns(request: Request) -> bool:
    """Say whether a collection request is one of change tracking: its preference, a delta token, or its pages."""
    return (
        PREFERENCE in request.preferences
        or "$deltatoken" in request.options
        or 'istracking="True"' in request.options.get("$skiptoken", "")
    )


def answer(org: DataverseOrg, table: Table, request: Request) -> Reply:
    """Answer one page. Raises DataverseError 400: 0x80072491 for a table that is not tracked, 0x80044352 for a token
    that has expired."""
    _check(table, request)
    options = request.options
    size = request.page_rows or 5_000
    number, position, since, until = 1, None, options.get("$deltatoken"), None
    if "$skiptoken" in options:
        number, inner, since, until = _read_cookie(options["$skiptoken"])
        since = since or None
        position = inner
    if until is None:
        until = _token(org.committed_version(), org.clock.now())
    chosen = options.get("$select")
    attributes = selected(table, chosen)
    shown = "(" + ",".join(part.strip() for part in chosen.split(",")) + ")" if chosen else ""
    head: dict[str, Any] = {"@odata.context": f"{request.base}$metadata#{table.set_name}{shown}"}
    shape = Shape.of(request)
    if since is None:
        rows, last = _everything(org, table, (tuple(attributes), shape), position, size)
    else:
        head["@odata.context"] += "/$delta"
        expression = row_sql(table, attributes, shape, org.tables)
        rows, last = _changes(org, table, request, expression, (since, until), (position, size))
    if options.get("$count", "").lower() == "true":
        head["@odata.count"] = min(5_000, _count(org, table, since, until))
    kept = [f"$select={percent(chosen, safe=',')}"] if chosen else []
    address = f"{request.base}{table.set_name}?"
    if last is not None:
        kept.append("$skiptoken=" + _cookie(number + 1, last, since or "", until))
        link = ("@odata.nextLink", address + "&".join(kept))
    else:
        kept.append("$deltatoken=" + _lower(percent(until, safe="")))
        link = ("@odata.deltaLink", address + "&".join(kept))
    head[link[0]] = link[1]
    body = orjson.dumps(head)[:-1] + b',"value":[' + ",".join(rows).encode() + b"]}"
    applied = [PREFERENCE] if PREFERENCE in request.preferences else []
    applied += [one for one in request.applied().values() if one]
    return Reply.json(body, headers={"Preference-Applied": ",".join(applied)} if applied else {})


def count(org: DataverseOrg, table: Table, request: Request) -> int:
    """Count the changes since a delta token (``contacts/$count?$deltatoken=``)."""
    _check(table, request)
    until = _token(org.committed_version(), org.clock.now())
    return _count(org, table, _valid(org, table, request.options["$deltatoken"]), until)


def _check(table: Table, request: Request) -> None:
    for name in _REFUSED:
        if name in request.options:
            raise bad_query(f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')
    for name in request.options:
        if name not in _ALLOWED and not name.startswith("@"):
            raise bad_query(f"The query parameter {name} is not supported.")
    if not table.change_tracking:
        raise DataverseError(400, "0x80072491", f"Entity {table.name} isn't enabled for change tracking.")


def _everything(
    org: DataverseOrg,
    table: Table,
    shown: tuple[tuple[Attribute, ...], Shape],
    position: tuple[Any, ...] | None,
    size: int,
) -> tuple[list[str], str | None]:
    """Give a page of all rows in the order of their keys, and the cookie of its last row when more follow."""
    key = Term(f"t.{quote(table.primary_id)}", table.attributes[table.primary_id], False)
    attributes, shape = shown
    rows, end = page(org, Query(table, "TRUE", (), (key,), attributes, ""), shape, position, size)
    return rows, None if end is None else write_position(0, [key], end)


def _changes(
    org: DataverseOrg,
    table: Table,
    request: Request,
    expression: str,
    span: tuple[str, str],
    place: tuple[tuple[Any, ...] | None, int],
) -> tuple[list[str], str | None]:
    """Give a page of what changed: rows in the order of their versions, then deletions."""
    since, until = (_version(one) for one in (_valid(org, table, span[0]), span[1]))
    position, size = place
    kind, version = position or (0, since)
    gone = orjson.dumps(f"{request.base}$metadata#{table.set_name}/$deletedEntity").decode()
    found: list[tuple[str, int, int]] = []
    if kind == 0:
        sql = (
            f"SELECT {expression}, 0, t.versionnumber FROM {quote(table.name)} t "
            f"WHERE t.versionnumber > ? AND t.versionnumber <= ? ORDER BY t.versionnumber LIMIT {size + 1}"
        )
        found += org.store.query(sql, [version, until])
        version = since
    if len(found) <= size:
        sql = (
            f"SELECT id, 1, version FROM {_TOMBSTONES} d WHERE object = ? AND version > ? AND version <= ? "
            f"AND NOT EXISTS (SELECT 1 FROM {quote(table.name)} t WHERE t.{quote(table.primary_id)} = d.id) "
            f"AND version = (SELECT max(version) FROM {_TOMBSTONES} e WHERE e.object = d.object AND e.id = d.id) "
            f"ORDER BY version LIMIT {size + 1 - len(found)}"
        )
        found += [
            (f'{{"@odata.context":{gone},"id":"{one}","reason":"deleted"}}', 1, number)
            for one, _, number in org.store.query(sql, [table.name, version, until])
        ]
    last = None
    if len(found) > size:
        _, kind, version = found[size - 1]
        last = f'<cookie page="1"><kind last="{kind}" /><versionnumber last="{version}" /></cookie>'
    return [row[0] for row in found[:size]], last


def _count(org: DataverseOrg, table: Table, since: str | None, until: str) -> int:
    if since is None:
        return org.store.count(table.name)
    span = [_version(since), _version(until)]
    live = f"SELECT count(*) FROM {quote(table.name)} WHERE versionnumber > ? AND versionnumber <= ?"
    dead = (
        f"SELECT count(DISTINCT id) FROM {_TOMBSTONES} d WHERE object = ? AND version > ? AND version <= ? "
        f"AND NOT EXISTS (SELECT 1 FROM {quote(table.name)} t WHERE t.{quote(table.primary_id)} = d.id)"
    )
    return int(org.store.query(live, span)[0][0]) + int(org.store.query(dead, [table.name, *span])[0][0])


# --- tokens -------------------------------------------------------------------------------------------------


def _token(version: int, now: datetime) -> str:
    return f"{version}!{now:%m/%d/%Y %H:%M:%S}"


def _version(token: str) -> int:
    return int(token.partition("!")[0])


def _valid(org: DataverseOrg, table: Table, token: str) -> str:
    match = _TOKEN.fullmatch(token)
    try:
        if match is None:
            raise ValueError(token)
        issued = datetime.strptime(match[2], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise bad_query("The delta token in the request is not valid.") from None
    days = float(org.setting("expire_change_tracking_days"))
    if org.clock.now() - issued > timedelta(days=days) or int(match[1]) < org.tracked_from(table.name):
        raise DataverseError(
            400,
            "0x80044352",
            "Version stamp associated with the client has expired. Please perform a full sync.",
        )
    return token


def _cookie(number: int, inner: str, since: str, until: str) -> str:
    outer = (
        f'<cookie pagenumber="{number}" pagingcookie="{_lower(percent(inner, safe=""))}" istracking="True" '
        f'since="{since}" until="{until}" />'
    )
    return percent(outer, safe='/="').replace('"', "%22")


def _read_cookie(token: str) -> tuple[int, tuple[Any, ...], str, str]:
    match = _COOKIE.fullmatch(token)
    found = read_position(unquote(match[2])) if match else None
    if match is None or not found or not _TOKEN.fullmatch(match[4]):
        raise DataverseError(400, "0x8004112A", "The paging cookie is malformed or does not belong to this query.")
    values = [value for _, value in found]
    position = (int(values[0] or 0), int(values[1] or 0)) if found[0][0] == "kind" else (values[0],)
    return int(match[1]), position, match[3], match[4]


def _lower(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)
