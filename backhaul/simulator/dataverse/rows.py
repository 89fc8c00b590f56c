"""Rows as JSON, written by the database itself: one text per row, so that a page costs no Python object per cell.

Shapes of values: dataverse-api.md §2.3; annotations and lookups: §2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .edm import CHOICES, Attribute, Table
from .errors import unknown_property
from .sql import quote
from .wire import FORMATTED, LOOKUP_NAME, NAVIGATION, Request


def literal(text: str) -> str:
    """Give `text` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Shape:
    """Which annotations accompany the values, and whether rows carry their etag."""

    formatted: bool = False
    lookup_name: bool = False
    navigation: bool = False
    etag: bool = True

    @classmethod
    def of(cls, request: Request) -> Shape:
        """Read the shape that a request asks for."""
        none = "odata.metadata=none" in request.headers.get("accept", "")
        return cls(request.wants(FORMATTED), request.wants(LOOKUP_NAME), request.wants(NAVIGATION), not none)


def selected(table: Table, text: str | None) -> list[Attribute]:
    """Read a ``$select``: its attributes in order, the primary key added (§2.4). Without one, every property.

    A currency column brings its currency along, as the service does.
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
    found.setdefault(table.primary_id, table.attributes[table.primary_id])
    return list(found.values())


def row_sql(table: Table, attributes: Sequence[Attribute], shape: Shape, tables: Mapping[str, Table]) -> str:
    """Give the SQL expression, over the table aliased ``t``, whose value is the row's JSON text."""
    parts: list[str] = []
    if shape.etag:
        parts += [literal('"@odata.etag":"W/\\"'), "t.versionnumber", literal('\\"",')]
    for number, attribute in enumerate(attributes):
        comma = "," if number else ""
        parts += [literal(f'{comma}"{attribute.wire}":'), _value(attribute)]
        parts += _annotations(attribute, shape, tables)
    return "concat('{', " + ", ".join(parts) + ", '}')"


def _value(attribute: Attribute) -> str:
    column = f"t.{quote(attribute.name)}"
    match attribute.edm:
        case "Edm.String":
            shown = f"CAST(to_json({column}) AS VARCHAR)"
        case "Edm.Guid" | "Edm.Date":
            shown = f"'\"' || {column} || '\"'"
        case "Edm.DateTimeOffset":
            shown = f"'\"' || replace(CAST({column} AS VARCHAR), ' ', 'T') || 'Z\"'"
        case _:
            shown = f"CAST({column} AS VARCHAR)"
    return f"coalesce({shown}, 'null')"


def _annotations(attribute: Attribute, shape: Shape, tables: Mapping[str, Table]) -> Iterable[str]:
    """Give the annotations of one value; each is null, and so nothing, where the value is null."""
    column = f"t.{quote(attribute.name)}"
    if shape.formatted:
        shown = formatted_sql(attribute, tables)
        if shown:
            yield _annotation(attribute, FORMATTED, shown)
    if attribute.is_lookup and shape.navigation:
        cases = " ".join(
            f"WHEN {literal(target)} THEN {literal(attribute.navigation(target))}" for target in attribute.targets
        )
        yield _annotation(attribute, NAVIGATION, f"CASE {_target(attribute)} {cases} END", column)
    if attribute.is_lookup and shape.lookup_name:
        yield _annotation(attribute, LOOKUP_NAME, _target(attribute), column)


def _annotation(attribute: Attribute, name: str, shown: str, unless_null: str | None = None) -> str:
    head = literal(f',"{attribute.wire}@{name}":')
    text = f"{head} || CAST(to_json({shown}) AS VARCHAR)"
    return f"CASE WHEN {unless_null} IS NOT NULL THEN {text} END" if unless_null else f"({text})"


def _target(attribute: Attribute) -> str:
    """Give the SQL for the table that a lookup's value lies in."""
    if attribute.polymorphic:
        return f"coalesce(t.{quote(attribute.type_column)}, {literal(attribute.targets[0])})"
    return literal(attribute.targets[0])


def formatted_sql(attribute: Attribute, tables: Mapping[str, Table]) -> str | None:
    """Give the SQL for a value as people see it (labels, names, local formats), None where there is none."""
    column = f"t.{quote(attribute.name)}"
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
