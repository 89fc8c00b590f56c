"""Retrieving rows: collections in pages, single rows, counts (dataverse-api.md §3).

Pages are cut by value, not by position: the opaque ``$skiptoken`` names the last row of the page before, as the
service's paging cookie does, so that rows written meanwhile neither shift nor repeat the others. Where pages end is
worked out once for a whole query and remembered until something is written.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from . import expand
from .edm import TEXTS, Attribute, Table
from .errors import DataverseError, bad_query, not_found
from .expand import Expander
from .expressions import parse_filter, parse_order
from .rows import Shape, row_sql, selected
from .sql import Compiler, quote
from .wire import Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

PAGE_ROWS = 5_000
ELASTIC_PAGE_ROWS = 500
COUNT_LIMIT = 5_000
_KNOWN = frozenset({"$select", "$expand", "$filter", "$orderby", "$top", "$count", "$skiptoken", "$apply"})
_Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One part of an order."""

    sql: str
    attribute: Attribute
    descending: bool


@dataclass(frozen=True)
class Query:
    """A collection request, understood: SQL condition with its parameters, order, columns."""

    table: Table
    condition: str
    parameters: tuple[Any, ...]
    terms: tuple[Term, ...]
    attributes: tuple[Attribute, ...]
    context: str
    expanded: tuple[str, ...] = ()


class Boundaries:
    """Where the pages of the queries seen lately end: position a page starts after -> position of its last row."""

    def __init__(self, keep: int = 16) -> None:
        self._keep = keep
        self._known: OrderedDict[tuple[Any, ...], dict[_Position | None, _Position | None]] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> dict[_Position | None, _Position | None] | None:
        """Give what is known of a query."""
        return self._known.get(key)

    def keep(self, key: tuple[Any, ...], found: dict[_Position | None, _Position | None]) -> None:
        """Remember a query's pages, and forget the oldest one."""
        self._known[key] = found
        while len(self._known) > self._keep:
            self._known.popitem(last=False)


def check_options(request: Request, known: frozenset[str] = _KNOWN) -> None:
    """Refuse the query options that the service refuses (§3.1)."""
    for name in request.options:
        if name in known or name.startswith("@") or name in ("tag", "partitionId"):
            continue
        raise bad_query(f"The query parameter {name} is not supported.")


def understand(org: DataverseOrg, table: Table, request: Request, within: str = "") -> Query:
    """Read the options of a collection request; `within` is a condition that its rows fulfil besides."""
    check_options(request)
    options = request.options
    compiler = Compiler.of(org, table, request)
    condition = within or "TRUE"
    if "$filter" in options:
        asked = compiler.filter(parse_filter(options["$filter"], request.aliases))
        condition = f"({within} AND {asked})" if within else asked
    terms: list[Term] = []
    order = options.get("$orderby", "")
    for path, descending in parse_order(request.aliases.get(order, order)) if order else []:
        column = compiler.column(path)
        folded = f"lower({column.sql})" if column.attribute.type in TEXTS else column.sql
        terms.append(Term(folded, column.attribute, descending))
    if not terms or terms[-1].attribute.name != table.primary_id:
        terms.append(Term(f"t.{quote(table.primary_id)}", table.attributes[table.primary_id], False))
    attributes = tuple(selected(table, options.get("$select")))
    expanded = tuple(Expander(org, request, Shape.of(request)).parts(table, options.get("$expand")))
    context = (
        f"{request.base}$metadata#{table.set_name}{expand.context(options.get('$expand'), options.get('$select'))}"
    )
    return Query(table, condition, tuple(compiler.parameters), tuple(terms), attributes, context, expanded)


def collection(org: DataverseOrg, table: Table, request: Request, within: str = "") -> Reply:
    """Answer ``GET contacts?...`` with one page (§3.1, §3.3, §3.4); `within` as for :func:`understand`."""
    query = understand(org, table, request, within)
    page_rows = request.page_rows
    largest = PAGE_ROWS if table.kind == "Standard" else ELASTIC_PAGE_ROWS
    size, last_page = page_rows or largest, False
    if "$top" in request.options and page_rows is None:  # with a page size asked for, $top is ignored
        size, last_page = min(_whole_number("$top", request.options["$top"]), PAGE_ROWS), True
    page_number, start = 1, None
    if "$skiptoken" in request.options:
        page_number, start = read_token(request.options["$skiptoken"], query.terms)
    head = b'{"@odata.context":' + _json(query.context)
    if "odata.metadata=none" in request.headers.get("accept", ""):
        head = b"{"
    extra: list[bytes] = []
    counting = request.options.get("$count", "false").lower() == "true"
    total = count(org, query) if counting else -1
    if counting:
        extra.append(b'"@odata.count":%d' % min(total, COUNT_LIMIT))
    if request.wants("Microsoft.Dynamics.CRM.totalrecordcount"):
        extra.append(b'"@Microsoft.Dynamics.CRM.totalrecordcount":%d' % min(total, COUNT_LIMIT))
        limited = b"true" if total > COUNT_LIMIT else b"false"
        extra.append(b'"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded":' + limited)
        extra.append(b'"@Microsoft.Dynamics.CRM.globalmetadataversion":' + _json(str(org.metadata_version)))
    rows: list[str] = []
    end = None
    if size:
        rows, end = page(org, query, Shape.of(request), start, size)
    text = b"".join(b"," + one for one in extra) if len(head) > 1 else b",".join(extra)
    opening = head + text + (b"," if len(head) > 1 or text else b"") + b'"value":['
    closing = b"]"
    if end is not None and not last_page:
        closing += b',"@odata.nextLink":' + _json(_next_link(request, write_token(page_number + 1, query.terms, end)))
    body = opening + ",".join(rows).encode() + closing + b"}"
    return Reply.json(body, headers=request.applied())


def count(org: DataverseOrg, query: Query) -> int:
    """Count the rows of a query."""
    sql = f"SELECT count(*) FROM {quote(query.table.name)} t WHERE {query.condition}"
    return int(org.store.query(sql, query.parameters)[0][0])


def counted(org: DataverseOrg, table: Table, request: Request, within: str = "") -> Reply:
    """Answer ``GET contacts/$count``: plain digits after a byte order mark, at most 5,000 (§3.3)."""
    return plain_count(count(org, understand(org, table, request, within)))


def plain_count(total: int) -> Reply:
    """Give a count as ``$count`` does: digits after a byte order mark, at most 5,000."""
    return Reply(200, {"Content-Type": "text/plain"}, b"\xef\xbb\xbf" + str(min(total, COUNT_LIMIT)).encode())


def single(org: DataverseOrg, table: Table, record_id: str, request: Request) -> str | None:
    """Give one row's JSON text with its context, None when there is no such row."""
    attributes = selected(table, request.options.get("$select"))
    shape = Shape.of(request)
    extra = Expander(org, request, shape).parts(table, request.options.get("$expand"))
    expression = row_sql(table, attributes, shape, org.tables, extra=extra)
    found = org.store.query(
        f"SELECT {expression} FROM {quote(table.name)} t WHERE t.{quote(table.primary_id)} = ?", [record_id]
    )
    if not found:
        return None
    text = str(found[0][0])
    if not shape.etag:
        return text
    shown = expand.context(request.options.get("$expand"), request.options.get("$select"))
    context = f"{request.base}$metadata#{table.set_name}{shown}/$entity"
    return '{"@odata.context":' + _json(context).decode() + "," + text[1:]


def retrieve(org: DataverseOrg, table: Table, record_id: str, request: Request) -> Reply:
    """Answer ``GET contacts(id)``; ``If-None-Match`` with the current etag gives 304 (§3.9)."""
    check_options(request, frozenset({"$select", "$expand"}))
    text = single(org, table, record_id, request)
    if text is None:
        raise not_found(table.name, record_id)
    etag = f'W/"{version_of(org, table, record_id)}"'
    plain = "$expand" not in request.options and "odata.include-annotations" not in request.preferences
    if table.concurrency and plain and request.header("if-none-match") == etag:
        return Reply(304)
    return Reply.json(text.encode(), headers={"ETag": etag, **request.applied()})


def version_of(org: DataverseOrg, table: Table, record_id: str) -> int | None:
    """Give a row's version, None when there is no such row."""
    sql = f"SELECT versionnumber FROM {quote(table.name)} WHERE {quote(table.primary_id)} = ?"
    found = org.store.query(sql, [record_id])
    return int(found[0][0]) if found else None


# --- pages --------------------------------------------------------------------------------------------------


def page(
    org: DataverseOrg, query: Query, shape: Shape, start: _Position | None, size: int
) -> tuple[list[str], _Position | None]:
    """Give the rows after `start`, at most `size`, and the position of the last one when more follow."""
    key = (query.table.name, query.condition, repr(query.parameters), query.terms, size, org.generation)
    known = org.boundaries.get(key)
    if known is None or start not in known:
        if start is None and org.store.count(query.table.name) > size:
            known = _all_boundaries(org, query, size)
            org.boundaries.keep(key, known)
        else:
            known = {start: _next_boundary(org, query, start, size)}
    end = known[start]
    found = _between(org, query, shape, start, end, size)
    while len(found) > size:  # rows were written between the two questions
        end = _next_boundary(org, query, start, size)
        found = _between(org, query, shape, start, end, size)
    return found, end


def _between(
    org: DataverseOrg, query: Query, shape: Shape, start: _Position | None, end: _Position | None, size: int
) -> list[str]:
    """Give the rows after `start` up to and with `end`; one more than `size` when there are too many."""
    conditions, parameters = [query.condition], list(query.parameters)
    if start is not None:
        conditions.append(after(query.terms, start, parameters))
    if end is not None:
        conditions.append(_until(query.terms, end, parameters))
    expression = row_sql(query.table, query.attributes, shape, org.tables, extra=query.expanded)
    sql = (
        f"SELECT {expression} FROM {quote(query.table.name)} t WHERE {' AND '.join(conditions)} "
        f"ORDER BY {ordered(query.terms)} LIMIT {size + 1}"
    )
    return [row[0] for row in org.store.query(sql, parameters)]


def _all_boundaries(org: DataverseOrg, query: Query, size: int) -> dict[_Position | None, _Position | None]:
    names = [f"k{number}" for number in range(len(query.terms))]
    shown = ", ".join(f"{term.sql} AS {name}" for term, name in zip(query.terms, names, strict=True))
    inner = (
        f"SELECT {shown}, row_number() OVER (ORDER BY {ordered(query.terms)}) AS n, count(*) OVER () AS c "
        f"FROM {quote(query.table.name)} t WHERE {query.condition}"
    )
    sql = f"SELECT {', '.join(names)} FROM ({inner}) WHERE n % {size} = 0 AND n < c ORDER BY n"
    found: dict[_Position | None, _Position | None] = {}
    before: _Position | None = None
    for row in org.store.query(sql, query.parameters):
        found[before] = row
        before = row
    found[before] = None
    return found


def _next_boundary(org: DataverseOrg, query: Query, start: _Position | None, size: int) -> _Position | None:
    conditions, parameters = [query.condition], list(query.parameters)
    if start is not None:
        conditions.append(after(query.terms, start, parameters))
    shown = ", ".join(term.sql for term in query.terms)
    sql = (
        f"SELECT {shown} FROM {quote(query.table.name)} t WHERE {' AND '.join(conditions)} "
        f"ORDER BY {ordered(query.terms)} LIMIT 2 OFFSET {size - 1}"
    )
    found = org.store.query(sql, parameters)
    return found[0] if len(found) == 2 else None


def ordered(terms: Sequence[Term]) -> str:
    """Give the ORDER BY of an order."""
    # Nulls are the lowest values, as in the service's database.
    return ", ".join(f"{term.sql} {'DESC NULLS LAST' if term.descending else 'ASC NULLS FIRST'}" for term in terms)


def after(terms: Sequence[Term], position: _Position, parameters: list[Any]) -> str:
    """Give the condition of standing after `position`."""
    alternatives: list[str] = []
    for depth, (term, value) in enumerate(zip(terms, position, strict=True)):
        later = _later(term, value)
        if later is None:
            continue
        parts: list[str] = []
        for equal, known in zip(terms[:depth], position[:depth], strict=True):
            parts.append(f"{equal.sql} IS NOT DISTINCT FROM ?")
            parameters.append(known)
        parts.append(later)
        if "?" in later:
            parameters.append(value)
        alternatives.append("(" + " AND ".join(parts) + ")")
    condition = "(" + " OR ".join(alternatives or ["FALSE"]) + ")"
    first, bound = terms[0], position[0]
    if len(terms) > 1 and not first.descending and bound is not None:
        # Said twice so that the database can skip the blocks before it.
        parameters.append(bound)
        condition += f" AND {first.sql} >= ?"
    return condition


def _until(terms: Sequence[Term], position: _Position, parameters: list[Any]) -> str:
    if len(terms) == 1 and position[0] is not None and not terms[0].descending:
        parameters.append(position[0])
        return f"{terms[0].sql} <= ?"
    condition = f"NOT ({after(terms, position, parameters)})"
    first, bound = terms[0], position[0]
    if not first.descending and bound is not None:
        parameters.append(bound)
        condition += f" AND ({first.sql} <= ? OR {first.sql} IS NULL)"
    return condition


def _later(term: Term, value: Any) -> str | None:
    if value is None:
        return None if term.descending else f"{term.sql} IS NOT NULL"
    return f"({term.sql} < ? OR {term.sql} IS NULL)" if term.descending else f"coalesce({term.sql} > ?, FALSE)"


# --- the paging cookie --------------------------------------------------------------------------------------


def write_position(page: int, terms: Sequence[Term], position: _Position) -> str:
    """Give a row's place in an order as the service's paging cookie names it."""
    fields = "".join(
        f'<{term.attribute.name} lastnull="1" />'
        if value is None
        else f"<{term.attribute.name} last={quoteattr(_text(value))} />"
        for term, value in zip(terms, position, strict=True)
    )
    return f'<cookie page="{page}">{fields}</cookie>'


def read_position(cookie: str) -> list[tuple[str, str | None]] | None:
    """Read a paging cookie: (column, text or None for null); None when it is none."""
    try:
        tree = ElementTree.fromstring(cookie)  # noqa: S314 - the reader of a local simulator
        return [(one.tag, None if one.get("lastnull") == "1" else str(one.attrib["last"])) for one in tree]
    except (ElementTree.ParseError, KeyError):
        return None


def write_token(page: int, terms: Sequence[Term], position: _Position) -> str:
    """Give the ``$skiptoken`` for the page after `position`, percent-encoded, in the service's shape (§3.4)."""
    inner = write_position(page - 1, terms, position)
    once = re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), percent(inner, safe=""))
    outer = f'<cookie pagenumber="{page}" pagingcookie="{once}" istracking="False" />'
    return percent(outer, safe='/="').replace('"', "%22")


def read_token(token: str, terms: Sequence[Term]) -> tuple[int, _Position]:
    """Read a ``$skiptoken`` for a query of this order. Raises 0x8004112A when it is not one of ours."""
    match = re.fullmatch(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]*)" istracking="\w+" />', token)
    if match is None:
        raise _bad_cookie()
    return int(match[1]), position_of(unquote(match[2]), terms)


def position_of(cookie: str, terms: Sequence[Term]) -> _Position:
    """Read a paging cookie for a query of this order. Raises 0x8004112A when it does not fit."""
    found = read_position(cookie)
    if found is None or [name for name, _ in found] != [term.attribute.name for term in terms]:
        raise _bad_cookie()
    try:
        pairs = zip(terms, found, strict=True)
        return tuple(None if text is None else _value(term.attribute, text) for term, (_, text) in pairs)
    except (ArithmeticError, ValueError):
        raise _bad_cookie() from None


def _bad_cookie() -> DataverseError:
    return DataverseError(400, "0x8004112A", "The paging cookie is malformed or does not belong to this query.")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _value(attribute: Attribute, text: str) -> Any:
    match attribute.edm:
        case "Edm.Int32" | "Edm.Int64":
            return int(text)
        case "Edm.Decimal":
            return Decimal(text)
        case "Edm.Double":
            return float(text)
        case "Edm.Boolean":
            return text == "True"
        case "Edm.Date":
            return date.fromisoformat(text)
        case "Edm.DateTimeOffset":
            return datetime.fromisoformat(text)
    return text


def _next_link(request: Request, token: str) -> str:
    kept = [part for part in request.query.split("&") if part and unquote(part.partition("=")[0]) != "$skiptoken"]
    kept.append(f"$skiptoken={token}")
    return f"{request.base}{request.path}?" + "&".join(part.replace(" ", "%20") for part in kept)


def _whole_number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise bad_query(
            f"Invalid value '{text}' for {name} query option found. The {name} query option requires a "
            "non-negative integer value."
        )
    return int(text)


def _json(text: str) -> bytes:
    import orjson

    return orjson.dumps(text)
