"""REST queries: query, queryAll, their pages and column metadata. Rests on salesforce-api.md §4.

A page walk is not a snapshot: the ids are fixed when the query is run, the values are read page by page. Locators live
for two days of the org's clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.errors import Refusal
from backhaul.simulator.salesforce.schema import BLOB, FieldDef, ObjectDef
from backhaul.simulator.salesforce.soql import parse
from backhaul.simulator.salesforce.soql_sql import Branch, Child, Column, Compiled, compile_query
from backhaul.simulator.salesforce.values import rest_sql
from backhaul.simulator.salesforce.wire import Call, Reply
from backhaul.simulator.store import literal, one_of, quote

_LIFE = timedelta(days=2)
_LOCATOR = re.compile(r"(01g\w{15})-(\d+)\Z")


@dataclass(slots=True)
class Cursor:
    """The rows of a query that did not fit on one page: their ids in order, how to read them, and when it opened."""

    compiled: Compiled
    all_rows: bool
    ids: list[str]
    size: int
    opened: datetime
    extra: dict[str, Any] = field(default_factory=dict)


def query(call: Call, *, all_rows: bool = False) -> Reply:
    """``GET query?q=`` and ``queryAll?q=``."""
    text = call.query.get("q")
    if not text:
        raise Refusal(400, "MALFORMED_QUERY", "The query parameter 'q' is missing")
    compiled = compile_query(parse(text), call.org.objects, call.org.moment(), deleted=all_rows)
    extra = _metadata(compiled) if call.query.get("columns", "").lower() == "true" else {}
    if compiled.query.counts:
        return Reply(200, {"totalSize": _count(call, compiled), "done": True, **extra, "records": []})
    if compiled.query.aggregated:
        return Reply(200, {**_aggregates(call, compiled), **extra})
    size = _batch_size(call)
    if compiled.limit is not None and compiled.limit <= size:
        records = _rows(call, compiled, "")
        return Reply(200, {"totalSize": len(records), "done": True, **extra, "records": records})
    found = [str(one) for (one,) in call.org.store.query(compiled.select('t."Id"'))]
    cursor = Cursor(compiled, all_rows, found, size, call.org.clock.now(), extra)
    if len(found) <= size:
        return Reply(200, _page(call, cursor, "", 0))
    return Reply(200, _page(call, cursor, _opened(call, cursor), 0))


def more(call: Call, locator: str) -> Reply:
    """``GET query/<locator>-<offset>``."""
    shape = _LOCATOR.match(locator)
    cursor: Cursor | None = call.org.cursors.get(shape[1]) if shape else None
    if shape is None or cursor is None or call.org.clock.now() - cursor.opened > _LIFE:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    offset = int(shape[2])
    if offset >= len(cursor.ids):
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return Reply(200, _page(call, cursor, shape[1], offset))


def _page(call: Call, cursor: Cursor, locator: str, offset: int) -> dict[str, Any]:
    wanted = cursor.ids[offset : offset + cursor.size]
    by_id = {}
    if wanted:
        listed = ", ".join(literal(one) for one in wanted)
        by_id = {row["_id"]: row for row in _rows(call, cursor.compiled, f'"Id" IN ({listed})', keyed=True)}
    records = []
    for one in wanted:
        row = by_id.get(one)
        if row is not None:  # a record purged since the query was run is passed over
            records.append({name: value for name, value in row.items() if name != "_id"})
    end = offset + cursor.size
    body: dict[str, Any] = {"totalSize": len(cursor.ids), "done": end >= len(cursor.ids)}
    if not body["done"]:
        body["nextRecordsUrl"] = f"{call.root}/query/{locator}-{end}"
    return {**body, **cursor.extra, "records": records}


def _rows(call: Call, compiled: Compiled, only: str, *, keyed: bool = False) -> list[dict[str, Any]]:
    """The records of a statement as JSON has them; with `only` just those of that condition, in any order."""
    listed = selected(compiled, rest_sql)
    if only:
        source = compiled.source.partition(" WHERE ")[0]
        sql = f"SELECT {listed} {source} WHERE t.{only}"
    else:
        sql = f"SELECT {listed} {compiled.source}{compiled.order}{compiled.paging()}"
    shape = Shape(compiled, call.root, call.org.objects.values())
    found = call.org.store.query(sql)
    nested = [(child, _children(call, child, [row[0] for row in found])) for child in compiled.children]
    out = []
    for row in found:
        record = shape.record(row)
        for child, by_parent in nested:
            record[child.name] = _nested(call, child, by_parent.get(row[0]))
        if keyed:
            record["_id"] = row[0]
        out.append(record)
    return out


def _nested(call: Call, child: Child, records: list[tuple[str, dict[str, Any]]] | None) -> dict[str, Any] | None:
    """The children of one record as its value has them: null when there are none, the first page when many."""
    if not records:
        return None
    size = _batch_size(call)
    body: dict[str, Any] = {"totalSize": len(records), "done": len(records) <= size}
    if not body["done"]:
        cursor = Cursor(child.compiled, True, [key for key, _ in records], size, call.org.clock.now())
        body["nextRecordsUrl"] = f"{call.root}/query/{_opened(call, cursor)}-{size}"
    return {**body, "records": [record for _, record in records[:size]]}


def _opened(call: Call, cursor: Cursor) -> str:
    """The locator under which the rest of this cursor's rows can be had."""
    locator = ids.make("01g", call.org.store.take("id:01g"))
    call.org.cursors[locator] = cursor
    return locator


def selected(compiled: Compiled, printed: Callable[[FieldDef, str], str]) -> str:
    """The SQL list of what :class:`Shape` makes a record of: the id, the columns as `printed` has them, the ids of the
    parents, the branches of TYPEOF."""
    columns = [printed(column.field, column.sql) for column in compiled.columns]
    parents = [f'{alias}."Id"' for _, alias, _ in compiled.parents]
    branches = [part for _, branches in compiled.typeofs for branch in branches for part in _printed(branch)]
    return ", ".join(['t."Id"', *columns, *parents, *branches])


def _printed(branch: Branch) -> list[str]:
    """The SQL of a branch of TYPEOF: its key, then its fields as JSON has them."""
    return [branch.key, *(rest_sql(f, sql) for f, sql in zip(branch.fields, branch.values, strict=True))]


def _children(call: Call, child: Child, parents: list[str]) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """The children of each of these records with their ids, by the record's id; LIMIT holds for each record."""
    compiled = child.compiled
    lookup = f"t.{quote(child.lookup)}"
    test, values = one_of(lookup, parents)
    listed = f"{lookup}, {selected(compiled, rest_sql)}"
    joint = "AND" if " WHERE " in compiled.source else "WHERE"
    sql = f"SELECT {listed} {compiled.source} {joint} {test}"
    if compiled.limit is not None:
        sql += f" QUALIFY row_number() OVER (PARTITION BY {lookup}{compiled.order}) <= {compiled.limit}"
    shape = Shape(compiled, call.root, call.org.objects.values())
    out: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for parent, *row in call.org.store.query(sql + compiled.order, values):
        out.setdefault(parent, []).append((row[0], shape.record(tuple(row))))
    return out


class Shape:
    """Makes a row of :func:`selected` into the nested record of an answer; `root` is the path of the API version."""

    def __init__(self, compiled: Compiled, root: str, objects: Iterable[ObjectDef]) -> None:
        self._kind = compiled.object.name
        self._root = root
        self._prefixes = {kind.prefix: kind.name for kind in objects}
        self._typeofs = compiled.typeofs
        self._names = [column.names for column in compiled.columns]
        self._flat = [names[0] for names in self._names] if not compiled.parents and not compiled.typeofs else None
        self._parents = [(names, kind) for names, _, kind in compiled.parents]
        self._blobs = [(place, c.field.name) for place, c in enumerate(compiled.columns, 1) if c.field.type == BLOB]

    def record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """The record with its ``attributes``; a parent that is not there is null."""
        for place, name in self._blobs:
            if row[place] is not None:
                url = f"{self._root}/sobjects/{self._prefixes[row[place][:3]]}/{row[place]}/{name}"
                row = (*row[:place], url, *row[place + 1 :])
        record: dict[str, Any] = {"attributes": self._attributes(self._kind, row[0])}
        if self._flat is not None:
            record.update(zip(self._flat, row[1:], strict=True))
            return record
        reached: dict[tuple[str, ...], dict[str, Any] | None] = {(): record}
        for (names, kind), key in zip(self._parents, row[1 + len(self._names) :], strict=False):
            reached[names] = {"attributes": self._attributes(kind, key)} if key is not None else None
        for names, value in zip(self._names, row[1:], strict=False):
            for depth in range(1, len(names)):
                holder = reached[names[: depth - 1]]
                if holder is not None:
                    holder.setdefault(names[depth - 1], reached[names[:depth]])
            holder = reached[names[:-1]]
            if holder is not None:
                holder[names[-1]] = value
        rest = list(row[1 + len(self._names) + len(self._parents) :])
        for name, branches in self._typeofs:
            record[name] = self._chosen(branches, rest)
        return record

    def _chosen(self, branches: tuple[Branch, ...], rest: list[Any]) -> dict[str, Any] | None:
        """What TYPEOF shows, taking the branches' values off the front of `rest`: the first that the record meets."""
        chosen: dict[str, Any] | None = None
        for branch in branches:
            key, values = rest[0], rest[1 : 1 + len(branch.fields)]
            del rest[: 1 + len(branch.fields)]
            if key is not None and chosen is None:
                kind = branch.kind or self._prefixes.get(key[:3], "Name")
                names = [f.name for f in branch.fields]
                chosen = {"attributes": self._attributes(kind, key), **dict(zip(names, values, strict=True))}
        return chosen

    def _attributes(self, kind: str, key: str) -> dict[str, str]:
        real = self._prefixes.get(key[:3], kind) if kind == "Name" else kind
        return {"type": kind, "url": f"{self._root}/sobjects/{real}/{key}"}


def _count(call: Call, compiled: Compiled) -> int:
    inner = f"SELECT 1 {compiled.source}{compiled.paging()}"
    return int(call.org.store.query(f"SELECT count(*) FROM ({inner})")[0][0])


def _aggregates(call: Call, compiled: Compiled) -> dict[str, Any]:
    rows = call.org.store.query(compiled.sql(rest_sql))
    if len(rows) > 2000:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT to restrict")
    names = [column.names[-1] for column in compiled.columns]
    records = [{"attributes": {"type": "AggregateResult"}, **dict(zip(names, row, strict=True))} for row in rows]
    return {"totalSize": len(records), "done": True, "records": records}


def _batch_size(call: Call) -> int:
    asked = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options", ""))
    most = int(call.org.setting("query_page_rows"))
    return min(most, max(200, int(asked[1]))) if asked else most


def _metadata(compiled: Compiled) -> dict[str, Any]:
    """What ``columns=true`` adds to the answer."""
    shown = () if compiled.query.counts else compiled.columns
    columns = [_column(column, column.names) for column in shown]
    for child in compiled.children:
        inner = [_column(column, column.names) for column in child.compiled.columns]
        first = {**inner[0], "columnName": child.name, "displayName": child.name, "aggregate": True}
        columns.append({**first, "joinColumns": inner})
    return {
        "columnMetadata": columns,
        "entityName": compiled.object.name,
        "groupBy": False,
        "idSelected": any(column.names == ("Id",) for column in compiled.columns),
        "keyPrefix": compiled.object.prefix,
    }


def _column(column: Column, names: tuple[str, ...]) -> dict[str, Any]:
    """One selected value; a parent's stands inside the column of the relationship."""
    leaf = len(names) == 1
    f = column.field
    return {
        "aggregate": column.aggregate,
        "apexType": None,
        "booleanType": leaf and f.type == "boolean",
        "columnName": names[0],
        "custom": leaf and f.custom,
        "displayName": names[0],
        "foreignKeyName": f.relationship if leaf else None,
        "insertable": leaf and f.createable,
        "joinColumns": [] if leaf else [_column(column, names[1:])],
        "numberType": leaf and f.type in ("int", "double", "currency", "percent"),
        "textType": leaf and f.column() == "VARCHAR",
        "updatable": leaf and f.updateable,
    }
