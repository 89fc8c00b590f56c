"""``$expand``: related rows inside a row's JSON, written by the database in the same query (dataverse-api.md §3.5)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from backhaul.simulator.store import literal

from .edm import Table
from .errors import DataverseError, bad_query, unknown_property
from .expressions import parse_expand, parse_filter, parse_order
from .relations import ManyToMany, OneToMany
from .rows import Shape, row_sql, selected
from .sql import Compiler, child_of, inlined, joined, quote
from .wire import Request

if TYPE_CHECKING:
    from .org import DataverseOrg

MOST = 15
_SINGLE = frozenset({"$select", "$expand"})
_MANY = frozenset({"$select", "$expand", "$filter", "$orderby", "$top"})


@dataclass(frozen=True)
class _Place:
    """Where an expansion stands: the row's table and SQL alias, how deep, and whether below a collection."""

    table: Table
    alias: str
    depth: int
    below_collection: bool = False


@dataclass
class Expander:
    """Writes the expansions of one request."""

    org: DataverseOrg
    request: Request
    shape: Shape
    seen: int = 0

    def parts(self, table: Table, text: str | None) -> list[str]:
        """Give SQL texts, over the row aliased ``t``, that follow the row's own properties. Raises DataverseError."""
        return self._parts(_Place(table, "t", 0), text)

    def _parts(self, place: _Place, text: str | None) -> list[str]:
        found: list[str] = []
        for name, options in parse_expand(text) if text else []:
            self.seen += 1
            if self.seen > MOST:
                raise DataverseError(400, "0x8004430D", f"Number of link entity: {self.seen} exceed limit {MOST}")
            if name in place.table.navigations:
                found += [literal(f',"{name}":'), self._single(place, name, options)]
                continue
            relation = self.org.relations.collections[place.table.name].get(name)
            if relation is None:
                raise unknown_property(name, place.table.name)
            found += self._many(place, name, relation, options)
        return found

    def _single(self, place: _Place, name: str, options: Mapping[str, str]) -> str:
        _check(options, _SINGLE)
        attribute, targets = place.table.navigations[name]
        column = f"{place.alias}.{quote(attribute.name)}"
        if attribute.type == "Owner":  # of the abstract type principal, which has its key only
            for chosen in (part.strip() for part in options.get("$select", "ownerid").split(",")):
                if chosen != "ownerid":
                    raise unknown_property(chosen, "principal")
            return f"""coalesce('{{"ownerid":"' || {column} || '"}}', 'null')"""
        target, alias = self.org.tables[targets[0]], f"e{self.seen}"
        inside = self._row(_Place(target, alias, place.depth + 1, place.below_collection), options)
        condition = f"{alias}.{quote(target.primary_id)} = {column}"
        if attribute.polymorphic:
            kind = f"{place.alias}.{quote(attribute.type_column)}"
            condition += f" AND coalesce({kind}, {literal(attribute.targets[0])}) = {literal(target.name)}"
        return f"coalesce((SELECT {inside} FROM {quote(target.name)} {alias} WHERE {condition}), 'null')"

    def _many(
        self, place: _Place, name: str, relation: OneToMany | ManyToMany, options: Mapping[str, str]
    ) -> list[str]:
        _check(options, _MANY)
        nested = "$expand" in options
        if nested and ("$top" in options or "$orderby" in options):
            raise bad_query("The query options $top and $orderby are not supported in a nested $expand.")
        if isinstance(relation, ManyToMany) and (nested or place.depth):
            raise bad_query("Many-to-many relationships cannot be part of a nested $expand.")
        if place.below_collection and ("$top" in options or "$orderby" in options):
            raise bad_query("The query options $top and $orderby are not supported in a nested $expand.")
        child = self.org.tables[child_of(relation, place.table)]
        alias = f"e{self.seen}"
        conditions = [joined(self.org, relation, place.table, place.alias, child, alias)]
        if options.get("$filter"):
            conditions.append(filter_sql(self.org, child, options["$filter"], self.request, alias))
        order = [
            f"{one} {'DESC NULLS LAST' if descending else 'ASC NULLS FIRST'}"
            for one, descending in self._order(child, options.get("$orderby", ""), alias)
        ]
        order.append(f"{alias}.{quote(child.primary_id)}")
        inside = self._row(_Place(child, alias, place.depth + 1, True), options)
        most = _whole(options["$top"]) if "$top" in options else 5_000
        rows = (
            f"(SELECT coalesce(array_to_string(list(j ORDER BY n)[1:{most}], ','), '') FROM (SELECT {inside} AS j, "
            f"row_number() OVER (ORDER BY {', '.join(order)}) AS n FROM {quote(child.name)} {alias} "
            f"WHERE {' AND '.join(conditions)}))"
        )
        found = [literal(f',"{name}":['), rows, literal("]")]
        if not nested and not place.depth:
            kept = "&".join(f"{option}={value}" for option, value in options.items() if option != "$top")
            start = f"{self.request.base}{place.table.set_name}("
            end = f")/{name}" + (f"?{kept}" if kept else "")
            found += [
                literal(f',"{name}@odata.nextLink":' + _quoted(start)[:-1]),
                f"{place.alias}.{quote(place.table.primary_id)}",
                literal(_quoted(end)[1:]),
            ]
        return found

    def _row(self, place: _Place, options: Mapping[str, str]) -> str:
        attributes = selected(place.table, options.get("$select"))
        extra = self._parts(place, options.get("$expand"))
        return row_sql(place.table, attributes, self.shape, self.org.tables, alias=place.alias, extra=extra)

    def _order(self, table: Table, text: str, alias: str) -> Sequence[tuple[str, bool]]:
        compiler = Compiler.of(self.org, table, self.request, alias)
        return [(compiler.sort_key(path), descending) for path, descending in parse_order(text)] if text else []


def filter_sql(org: DataverseOrg, table: Table, text: str, request: Request, alias: str) -> str:
    """Give a ``$filter`` over the row aliased `alias` with its values written out."""
    compiler = Compiler.of(org, table, request, alias)
    condition = compiler.filter(parse_filter(text, request.aliases))
    return inlined(condition, compiler.parameters)


def context(text: str | None, select: str | None) -> str:
    """Give what stands in parentheses in a context URL: the selected columns and the expanded properties."""
    parts = [part.strip() for part in (select or "").split(",") if part.strip()]
    for name, options in parse_expand(text) if text else []:
        inner = context(options.get("$expand"), options.get("$select"))
        parts.append(name + (inner or "()"))
    return f"({','.join(parts)})" if parts else ""


def _check(options: Mapping[str, str], known: frozenset[str]) -> None:
    for name in options:
        if name not in known:
            raise bad_query(f"The query option {name} is not supported in $expand here.")


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise bad_query(f"Invalid value '{text}' for $top query option found.")
    return min(int(text), 5_000)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
