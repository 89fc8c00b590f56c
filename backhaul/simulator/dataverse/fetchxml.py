"""FetchXML: filters, links, orders, aggregates and its own paging (dataverse-api.md §3.7).

Columns of the root table go by their OData names and show nulls; linked ones go by ``alias.column`` and are left out
where they are null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import orjson

from backhaul.simulator.store import literal

from .conditions import condition_sql, fetch_operator
from .edm import TEXTS, Attribute, Table
from .errors import DataverseError, bad_query, not_supported
from .retrieval import COUNT_LIMIT, PAGE_ROWS, Term, after, ordered, position_of, write_position
from .rows import Shape, annotations_sql, json_sql, shown_sql, value_sql
from .security import check_table
from .sql import Compiler, inlined, quote, seen_sql, written
from .values import kept_instant
from .wire import FORMATTED, Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

MOST_LINKS = 15
MOST_AGGREGATED = 50_000
MOST_WITHOUT_COOKIE = 50_000
_MORE = "Microsoft.Dynamics.CRM.morerecords"
_COOKIE = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie"
_AGGREGATES = {"sum": "sum", "avg": "avg", "min": "min", "max": "max", "count": "count", "countcolumn": "count"}
_PARTS = {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year"} | {
    "fiscal-period": "quarter",
    "fiscal-year": "year",
}
_SEMI = {"exists": "", "in": "", "any": "", "not any": "NOT ", "not all": "", "all": "NOT "}
_FIRST = "matchfirstrowusingcrossapply"


@dataclass
class _Source:
    """A table of the query: `alias` in SQL, `name` in FetchXML (empty for the root)."""

    table: Table
    alias: str
    name: str = ""


@dataclass
class _Query:
    """A fetch being read."""

    org: DataverseOrg
    request: Request
    shape: Shape
    sources: dict[str, _Source] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)  # SQL texts of JSON, each with its leading comma
    joins: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    terms: list[tuple[Term, bool]] = field(default_factory=list)  # and whether a cookie can name it
    groups: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)  # of aggregates: alias -> SQL
    multiplied: bool = False
    links: int = 0

    def compiler(self, source: _Source) -> Compiler:
        return Compiler(self.org, source.table, self.request.user_id, source.alias)


def answer(org: DataverseOrg, table: Table, request: Request, text: str) -> Reply:
    """Answer ``GET contacts?fetchXml=...``. Raises DataverseError 400."""
    try:
        fetch = ElementTree.fromstring(text)  # noqa: S314 - the reader of a local simulator
    except ElementTree.ParseError as error:
        raise DataverseError(400, "0x80040203", f"Invalid XML: {error}") from None
    entity = fetch.find("entity")
    if fetch.tag != "fetch" or entity is None:
        raise DataverseError(400, "0x80040203", "Invalid FetchXML: a fetch element with an entity is required.")
    if entity.get("name") != table.name:
        raise bad_query(f"The entity '{entity.get('name')}' of the FetchXML is not that of the entity set.")
    query = _Query(org, request, Shape.of(request))
    root = _Source(table, "t")
    aggregate = _true(fetch, "aggregate")
    _read(query, root, entity, aggregate=aggregate)
    source = _bin(org, table) if fetch.get("datasource") == "bin" else quote(table.name)
    tables = f"{source} t {' '.join(query.joins)} WHERE {' AND '.join(query.conditions or ['TRUE'])}"
    if aggregate:
        return _aggregated(query, table, tables, fetch)
    return _listed(query, root, tables, fetch)


# --- reading the XML ----------------------------------------------------------------------------------------


def _read(query: _Query, source: _Source, element: Element, *, aggregate: bool) -> None:
    named = source.name == ""
    every = element.find("all-attributes") is not None
    chosen = [one for one in element if one.tag == "attribute"]
    if not aggregate and named and not chosen:
        every = True
    query.sources[source.name] = source
    if every and not aggregate:
        for attribute in source.table.properties.values():
            _column(query, source, attribute, None)
    for one in chosen:
        attribute = _attribute(source.table, one.get("name", ""))
        if aggregate:
            _group(query, source, attribute, one)
        elif not every:
            _column(query, source, attribute, one.get("alias"))
    for one in element:
        if one.tag == "link-entity":
            _link(query, source, one, aggregate=aggregate)
    for one in element:
        if one.tag == "filter" and named:
            query.conditions.append(_filter(query, source, one))
        elif one.tag == "order":
            _order(query, source, one)


def _attribute(table: Table, name: str) -> Attribute:
    found = table.attributes.get(name)
    if found is None or not found.in_odata:
        raise DataverseError(
            400, "0x80041103", f"'{table.name}' entity doesn't contain attribute with Name = '{name}'."
        )
    return found


def _column(query: _Query, source: _Source, attribute: Attribute, alias: str | None) -> None:
    column = seen_sql(attribute, source.alias)
    if source.name == "" and alias is None:
        name, shown = attribute.wire, f"',' || {literal(_json(attribute.wire) + ':')} || {value_sql(attribute, 't')}"
    else:
        name = alias or f"{source.name}.{attribute.name}"
        text = f"{literal(',' + _json(name) + ':')} || {json_sql(attribute, column)}"
        shown = f"coalesce({text}, '')"
    query.columns.append(shown)
    for one in annotations_sql(attribute, query.shape, query.org.tables, source.alias, name):
        query.columns.append(f"coalesce({one}, '')")


def _link(query: _Query, parent: _Source, element: Element, *, aggregate: bool) -> None:
    query.links += 1
    if query.links > MOST_LINKS:
        raise DataverseError(400, "0x8004430D", f"Number of link entity: {query.links} exceed limit {MOST_LINKS}")
    table = query.org.tables.get(element.get("name", ""))
    if table is None:
        name = element.get("name")
        raise DataverseError(
            400, "0x80041102", f"The entity with a name = '{name}' was not found in the MetadataCache."
        )
    check_table(query.org, query.request.user_id, "Read", table)
    kind = element.get("link-type", "inner")
    source = _Source(table, f"k{query.links}", element.get("alias") or f"{table.name}{query.links}")
    if source.name in query.sources:
        raise DataverseError(400, "0x80040203", f"The alias '{source.name}' is used more than once.")
    here = _attribute(table, element.get("from", ""))
    there = _attribute(parent.table, element.get("to", ""))
    on = [f"{source.alias}.{quote(here.name)} = {parent.alias}.{quote(there.name)}"]
    if kind in _SEMI:
        inner = _Query(query.org, query.request, query.shape, dict(query.sources), links=query.links)
        _read(inner, source, element, aggregate=True)
        on += [_filter(inner, source, one) for one in element if one.tag == "filter"]
        joined = f"SELECT 1 FROM {quote(table.name)} {source.alias} {' '.join(inner.joins)} WHERE "
        condition = f"{_SEMI[kind]}EXISTS ({joined}{' AND '.join(on + inner.conditions)})"
        if kind == "all":  # related rows there are, but none that the filter finds
            condition = f"EXISTS ({joined}{on[0]}) AND {condition}"
        query.conditions.append(f"({condition})")
        query.links = inner.links
        return
    if kind not in ("inner", "outer", _FIRST):
        raise not_supported(f"the link-type {kind}")
    query.sources[source.name] = source
    query.multiplied = True
    on += [_filter(query, source, one) for one in element if one.tag == "filter"]
    if kind == _FIRST:
        first = f"SELECT * FROM {quote(table.name)} {source.alias} WHERE {' AND '.join(on)}"
        first += f" ORDER BY {source.alias}.{quote(table.primary_id)} LIMIT 1"
        query.joins.append(f"JOIN LATERAL ({first}) {source.alias} ON TRUE")
    else:
        outer = "LEFT " if kind == "outer" else ""
        query.joins.append(f"{outer}JOIN {quote(table.name)} {source.alias} ON {' AND '.join(on)}")
    _read(query, source, element, aggregate=aggregate)


def _filter(query: _Query, source: _Source, element: Element) -> str:
    parts: list[str] = []
    for one in element:
        if one.tag == "filter":
            parts.append(_filter(query, source, one))
        elif one.tag == "condition":
            parts.append(_condition(query, source, one))
        elif one.tag == "link-entity":
            inner = _Query(query.org, query.request, query.shape, dict(query.sources), links=query.links)
            _link(inner, source, one, aggregate=True)
            query.links = inner.links
            parts += inner.conditions
    joint = " OR " if element.get("type", "and") == "or" else " AND "
    return "(" + joint.join(parts) + ")" if parts else "TRUE"


def _condition(query: _Query, source: _Source, element: Element) -> str:
    if element.get("entityname"):
        found = query.sources.get(element.get("entityname", ""))
        if found is None:
            raise DataverseError(400, "0x80040203", f"There is no link-entity {element.get('entityname')!r}.")
        source = found
    operator = fetch_operator(element.get("operator", ""))
    compiler = query.compiler(source)
    name = element.get("attribute", "")
    other = element.get("valueof")
    if other is not None:
        alias, _, column = other.rpartition(".")
        right = query.sources.get(alias, source) if alias else source
        signs = {"Equal": "=", "NotEqual": "<>", "GreaterThan": ">", "GreaterEqual": ">="}
        signs |= {"LessThan": "<", "LessEqual": "<="}
        if operator not in signs:
            raise DataverseError(400, "0x80040203", f"The operator {operator} cannot compare two columns.")
        pair = (_attribute(source.table, name), source.alias), (_attribute(right.table, column), right.alias)
        shown = [f"lower({a}.{quote(o.name)})" if o.type in TEXTS else f"{a}.{quote(o.name)}" for o, a in pair]
        return f"({shown[0]} {signs[operator]} {shown[1]})"
    values = [one.text or "" for one in element if one.tag == "value"]
    if not values and element.get("value") is not None:
        values = [element.get("value", "")]
    return inlined(condition_sql(compiler, name, operator, values), compiler.parameters)


def _order(query: _Query, source: _Source, element: Element) -> None:
    descending = _true(element, "descending")
    alias = element.get("alias")
    if alias and alias in query.aliases:
        query.terms.append((Term(query.aliases[alias], Attribute(alias, "String", ""), descending), False))
        return
    if element.get("entityname"):
        source = query.sources.get(element.get("entityname", ""), source)
    attribute = _attribute(source.table, element.get("attribute", ""))
    column = seen_sql(attribute, source.alias)
    plain = source.name == ""
    if attribute.type in TEXTS:
        column = f"lower({column})"
    elif attribute.type == "Picklist" or attribute.is_lookup:  # by what people see
        column, plain = f"lower({shown_sql(attribute, query.org.tables, column)})", False
    query.terms.append((Term(column, attribute, descending), plain))


def _group(query: _Query, source: _Source, attribute: Attribute, element: Element) -> None:
    alias = element.get("alias")
    if not alias:
        raise DataverseError(400, "0x80040203", "An alias is required for the attributes of an aggregate query.")
    column = seen_sql(attribute, source.alias)
    tables = query.org.tables
    if _true(element, "groupby"):
        part = element.get("dategrouping")
        if part:
            sql = f"{_PARTS.get(part, 'day')}({column})"
            shown, label = f"CAST({sql} AS VARCHAR)", f"CAST({sql} AS VARCHAR)"
        else:
            sql = column
            shown, label = json_sql(attribute, column), shown_sql(attribute, tables, column) or ""
        query.groups.append(sql)
    else:
        word = element.get("aggregate", "")
        if word not in _AGGREGATES:
            raise DataverseError(400, "0x80040203", f"The aggregate function '{word}' is not known.")
        if word == "count":
            sql = "count(*)"
        else:
            sql = f"{_AGGREGATES[word]}({'DISTINCT ' if _true(element, 'distinct') else ''}{column})"
        if word in ("count", "countcolumn"):
            shown, label = f"CAST({sql} AS VARCHAR)", f"format('{{:,}}', {sql})"
        else:
            if word == "avg" and attribute.edm in ("Edm.Int32", "Edm.Int64"):
                sql = f"CAST(trunc({sql}) AS BIGINT)"
            elif word == "avg" and attribute.edm == "Edm.Decimal":
                sql = f"CAST({sql} AS DECIMAL(38, 10))"
            shown, label = json_sql(attribute, sql), shown_sql(attribute, tables, sql) or ""
    query.aliases[alias] = sql
    query.columns.append(f"coalesce({literal(',' + _json(alias) + ':')} || {shown}, '')")
    if query.shape.formatted and label:
        head = literal("," + _json(f"{alias}@{FORMATTED}") + ":")
        query.columns.append(f"coalesce({head} || CAST(to_json({label}) AS VARCHAR), '')")


# --- running it ---------------------------------------------------------------------------------------------


def _aggregated(query: _Query, table: Table, tables: str, fetch: Element) -> Reply:
    store = query.org.store
    if store.query(f"SELECT count(*) FROM {tables}")[0][0] > MOST_AGGREGATED:
        raise DataverseError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")
    row = f"concat('{{', ltrim(concat({', '.join(query.columns)}), ','), '}}')"
    grouped = f" GROUP BY {', '.join(query.groups)}" if query.groups else ""
    order = f" ORDER BY {ordered([term for term, _ in query.terms])}" if query.terms else ""
    most = _number(fetch, "top") or _number(fetch, "count") or PAGE_ROWS
    rows = [one for (one,) in store.query(f"SELECT {row} FROM {tables}{grouped}{order} LIMIT {most}")]
    return _reply(query, table, rows, {})


def _listed(query: _Query, root: _Source, tables: str, fetch: Element) -> Reply:
    table, store = root.table, query.org.store
    key = Term(f"t.{quote(table.primary_id)}", table.attributes[table.primary_id], False)
    distinct = _true(fetch, "distinct")
    terms = [*(term for term, _ in query.terms), key]
    by_cookie = not distinct and not query.multiplied and all(plain for _, plain in query.terms)
    top = _number(fetch, "top")
    size = min(top or _number(fetch, "count") or query.request.page_rows or PAGE_ROWS, PAGE_ROWS)
    page = _number(fetch, "page") or 1
    parameters: list[Any] = []
    condition, offset = "", (page - 1) * size
    cookie = fetch.get("paging-cookie")
    if cookie and by_cookie:
        position = position_of(cookie, terms)
        condition, offset = f" AND {after(terms, position, parameters)}", 0
    elif offset + size > MOST_WITHOUT_COOKIE:
        raise DataverseError(
            400, "0x8004112A", "Paging cookie is required when trying to retrieve a set of records on any high pages."
        )
    etag = '\'"@odata.etag":"W/\\"\' || t.versionnumber || \'\\""\'' if query.shape.etag and not distinct else "''"
    columns = list(query.columns)
    whole = any(f'"{table.primary_id}":' in one for one in columns)
    if not distinct and not whole:
        columns.append(f"',' || {literal(_json(table.primary_id) + ':')} || {value_sql(key.attribute, 't')}")
    row = f"concat('{{', ltrim(concat({', '.join([etag, *columns])}), ','), '}}')"
    total = None
    if _true(fetch, "returntotalrecordcount"):
        total = int(store.query(f"SELECT count(*) FROM {tables}")[0][0])
    if distinct:
        kept = terms[:-1]
        names = ", ".join(f"min({term.sql}) AS o{place}" for place, term in enumerate(kept))
        order = ordered([Term(f"o{place}", term.attribute, term.descending) for place, term in enumerate(kept)]) or "j"
        inner = f"SELECT {row} AS j{', ' + names if names else ''} FROM {tables} GROUP BY j"
        found = store.query(f"SELECT j FROM ({inner}) ORDER BY {order} LIMIT {size + 1} OFFSET {offset}")
    else:
        extra = ", ".join(term.sql for term in terms)
        sql = (
            f"SELECT {row}, {extra} FROM {tables}{condition} ORDER BY {ordered(terms)} LIMIT {size + 1} OFFSET {offset}"
        )
        found = store.query(sql, parameters)
    notes: dict[str, Any] = {}
    if total is not None:
        notes["@Microsoft.Dynamics.CRM.totalrecordcount"] = min(total, COUNT_LIMIT)
        notes["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = total > COUNT_LIMIT
    if len(found) > size and top is None:
        if query.request.wants(_COOKIE) and (by_cookie or (query.multiplied and all(one for _, one in query.terms))):
            inner_cookie = write_position(page, terms, found[size - 1][1:])
            notes[f"@{_COOKIE}"] = (
                f'<cookie pagenumber="{page + 1}" pagingcookie="{_twice(inner_cookie)}" istracking="False" />'
            )
        if query.request.wants(_MORE):
            notes[f"@{_MORE}"] = True
    return _reply(query, table, [one[0] for one in found[:size]], notes)


def _reply(query: _Query, table: Table, rows: Sequence[str], notes: dict[str, Any]) -> Reply:
    head = {"@odata.context": f"{query.request.base}$metadata#{table.set_name}", **notes}
    body = orjson.dumps(head)[:-1] + b',"value":[' + ",".join(rows).encode() + b"]}"
    return Reply.json(body, headers=query.request.applied())


def _bin(org: DataverseOrg, table: Table) -> str:
    """Give the deleted rows that can be restored, as a table."""
    days = float(org.setting("recycle_days"))
    columns: list[str] = []
    for attribute in table.properties.values():
        text = f"content ->> {literal('$.' + _json(attribute.wire))}"
        if attribute.type == "DateTime" and not attribute.date_only:
            text = f"replace({text}, 'Z', '')"
        columns.append(f"CAST({text} AS {attribute.duckdb}) AS {quote(attribute.name)}")
        if attribute.polymorphic:
            columns.append(f"CAST(NULL AS VARCHAR) AS {quote(attribute.type_column)}")
    since = written(kept_instant(org.clock.now()))
    live = f"SELECT 1 FROM {quote(table.name)} x WHERE x.{quote(table.primary_id)} = d.id"
    return (
        f'(SELECT {", ".join(columns)} FROM "_deleted" d WHERE object = {written(table.name)} AND content IS NOT NULL '
        f"AND deleted_at > {since} - to_seconds({int(days * 86_400)}) AND NOT EXISTS ({live}))"
    )


def _true(element: Element, name: str) -> bool:
    return element.get(name, "").lower() in ("true", "1")


def _number(element: Element, name: str) -> int | None:
    text = element.get(name)
    if text is None:
        return None
    if not text.isdigit() or not int(text):
        raise DataverseError(400, "0x80040203", f"The attribute {name} of fetch must be a positive whole number.")
    return int(text)


def _twice(text: str) -> str:
    once = _lower(percent(text, safe=""))
    return _lower(percent(once, safe=""))


def _lower(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _json(text: str) -> str:
    return orjson.dumps(text).decode()
