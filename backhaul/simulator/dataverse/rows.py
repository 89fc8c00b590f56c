"""Rows as JSON, written by the database itself: one text per row, so that a page costs no Python object per cell.

Shapes of values: dataverse-api.md §2.3; annotations and lookups: §2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from backhaul.simulator.store import literal

from .edm import CHOICES, Attribute, Table
from .errors import unknown_property
from .sql import quote, seen_sql
from .wire import FORMATTED, LOOKUP_NAME, NAVIGATION, Request


@dataclass(frozen=True, slots=True)
class Shape:
    """Which annotations accompany the values, and whether rows carry their etag."""

    formatted: bool = False
    lookup_name: bool = False
    navigation: bool = False
    etag: bool = True
    whole: bool = False  # what column security hides, too: for what the organisation itself keeps and shows

    @classmethod
    def of(cls, request: Request) -> Shape:
        """Read the shape that a request asks for."""
        none = "odata.metadata=none" in request.headers.get("accept", "")
        return cls(request.wants(FORMATTED), request.wants(LOOKUP_NAME), request.wants(NAVIGATION), not none)


def selected(table: Table, text: str | None) -> list[Attribute]:
    """Read a ``$select``: its attributes in order, the primary key added (§2.4). Without one, every property.

    A currency column brings its currency along and a part of an address the whole of it, as the service does.
    """
    if text is None or text.strip() in ("", "*"):
        return list(table.properties.values())
    found: dict[str, Attribute] = {}
    for name in (part.strip() for part in text.split(",")):
        if name not in table.properties:
            raise unknown_property(name, table.name)
        attribute = table.properties[name]
        found[name] = attribute
        if attribute.type == "Money" and "transactioncurrencyid" in table.attributes:
            currency = table.attributes["transactioncurrencyid"]
            found.setdefault(currency.wire, currency)
        if name.startswith("address1_") and "address1_composite" in table.properties:
            found.setdefault("address1_composite", table.properties["address1_composite"])
    found.setdefault(table.primary_id, table.attributes[table.primary_id])
    return list(found.values())


def row_sql(
    table: Table,
    attributes: Sequence[Attribute],
    shape: Shape,
    tables: Mapping[str, Table],
    *,
    alias: str = "t",
    extra: Sequence[str] = (),
) -> str:
    """Give the SQL expression, over the table aliased `alias`, whose value is the row's JSON text; `extra` are SQL
    texts that follow its properties (expanded rows)."""
    parts: list[str] = []
    if shape.etag:
        parts += [literal('"@odata.etag":"W/\\"'), f"{alias}.versionnumber", literal('\\"",')]
    for number, attribute in enumerate(attributes):
        comma = "," if number else ""
        seen = replace(attribute, forbidden=frozenset()) if shape.whole else attribute
        parts += [literal(f'{comma}"{attribute.wire}":'), value_sql(seen, alias)]
        parts += annotations_sql(seen, shape, tables, alias)
    return "concat('{', " + ", ".join([*parts, *extra]) + ", '}')"


def value_sql(attribute: Attribute, alias: str = "t") -> str:
    """Give the SQL for a value as JSON text, ``null`` where it is null."""
    return f"coalesce({json_sql(attribute, seen_sql(attribute, alias))}, 'null')"


def json_sql(attribute: Attribute, column: str) -> str:
    """Give the SQL for the JSON text of `column`, an expression of the attribute's type; null where it is null."""
    match attribute.edm:
        case "Edm.String":
            return f"CAST(to_json({column}) AS VARCHAR)"
        case "Edm.Guid" | "Edm.Date":
            return f"'\"' || {column} || '\"'"
        case "Edm.DateTimeOffset":
            return f"'\"' || replace(CAST({column} AS VARCHAR), ' ', 'T') || 'Z\"'"
    return f"CAST({column} AS VARCHAR)"


def annotations_sql(
    attribute: Attribute, shape: Shape, tables: Mapping[str, Table], alias: str = "t", name: str | None = None
) -> Iterable[str]:
    """Give the annotations of one value, whose property is called `name`; each is null, and so nothing, where the
    value is null."""
    column, wire = seen_sql(attribute, alias), name or attribute.wire
    if shape.formatted:
        shown = formatted_sql(attribute, tables, alias)
        if shown:
            yield _annotation(wire, FORMATTED, shown)
    if attribute.is_lookup and shape.navigation:
        cases = " ".join(
            f"WHEN {literal(target)} THEN {literal(attribute.navigation(target))}" for target in attribute.targets
        )
        yield _annotation(wire, NAVIGATION, f"CASE {_target(attribute, alias)} {cases} END", column)
    if attribute.is_lookup and shape.lookup_name:
        yield _annotation(wire, LOOKUP_NAME, _target(attribute, alias), column)


def _annotation(wire: str, name: str, shown: str, unless_null: str | None = None) -> str:
    head = literal(f',"{wire}@{name}":')
    text = f"{head} || CAST(to_json({shown}) AS VARCHAR)"
    return f"CASE WHEN {unless_null} IS NOT NULL THEN {text} END" if unless_null else f"({text})"


def _target(attribute: Attribute, alias: str) -> str:
    """Give the SQL for the table that a lookup's value lies in."""
    if attribute.polymorphic:
        return f"coalesce({alias}.{quote(attribute.type_column)}, {literal(attribute.targets[0])})"
    return literal(attribute.targets[0])


def formatted_sql(attribute: Attribute, tables: Mapping[str, Table], alias: str = "t") -> str | None:
    """Give the SQL for a value as people see it (labels, names, local formats), None where there is none."""
    return shown_sql(attribute, tables, seen_sql(attribute, alias))


def shown_sql(attribute: Attribute, tables: Mapping[str, Table], column: str) -> str | None:
    """Give the SQL for `column`, an expression of the attribute's type, as people see it."""
    if attribute.type in CHOICES:
        cases = " ".join(f"WHEN {one.value} THEN {literal(one.label)}" for one in attribute.choices)
        return f"CASE {column} {cases} END"
    if attribute.type == "Boolean":
        no, yes = (literal(text) for text in attribute.labels)
        return f"CASE {column} WHEN TRUE THEN {yes} WHEN FALSE THEN {no} END"
    if attribute.type == "MultiSelectPicklist":
        labels = ", ".join(literal(one.label) for one in attribute.choices)
        values = ", ".join(literal(str(one.value)) for one in attribute.choices)
        each = f"list_transform(string_split({column}, ','), lambda one: [{labels}][list_position([{values}], one)])"
        return f"array_to_string({each}, '; ')"
    if attribute.is_lookup:
        found = [
            f"(SELECT o.{quote(tables[name].primary_name)} FROM {quote(name)} o "
            f"WHERE o.{quote(tables[name].primary_id)} = {column})"
            for name in attribute.targets
        ]
        return f"coalesce({', '.join(found)})"
    if attribute.date_only:
        return f"strftime({column}, '%-m/%-d/%Y')"
    if attribute.type == "DateTime":
        return f"strftime({column}, '%-m/%-d/%Y %-I:%M %p')"
    if attribute.type == "Money":
        return f"format('${{:,.2f}}', CAST({column} AS DOUBLE))"
    if attribute.type in ("Decimal", "Double"):
        return f"format('{{:,.{attribute.precision}f}}', CAST({column} AS DOUBLE))"
    if attribute.type in ("Integer", "BigInt"):
        return f"format('{{:,}}', {column})"
    return None
