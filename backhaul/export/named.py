"""Lookups that a model names by an alternate key of the record they lead to (``account:accountnumber=A1``).

The mirror holds ids. Where the table that a lookup leads to is imported with the key's columns, the key is looked up
there, so that equal is seen to be equal, and the id is what is written. Where it is not, or holds no such record, the
key stays and the CRM finds the record (dataverse-api.md §5.2): such a lookup is sent every time.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from backhaul.export.checks import text
from backhaul.export.mapping import Mapped, Source
from backhaul.export.values import LOOKUP_TYPES
from backhaul.record import Field
from backhaul.warehouse import Warehouse

BY_KEY = "by key"
"""The symbol of rows that write a lookup by a key, as no id of it is known."""
MOST_PARTS = 4
"""Columns of a key that may be named in any order; a longer one has to be named in its own."""


def named_by_key(warehouse: Warehouse, source: Source, mapped: Sequence[Mapped]) -> tuple[Mapped, ...]:
    """Those lookups for which the model holds keys."""
    found = []
    for item in mapped:
        if item.field.vendor_type not in LOOKUP_TYPES:
            continue
        given = f"CAST({warehouse.quote(item.column)} AS VARCHAR)"
        if warehouse.rows(f"SELECT 1 FROM {source.model} WHERE POSITION('=' IN {given}) > 0 LIMIT 1"):
            found.append(item)
    return tuple(found)


def names_sql(warehouse: Warehouse, source: Source, named: Sequence[Mapped], sent: str) -> str:
    """A SELECT of (field, name, id): what each name that stands in the model or in `sent` leads to, in lower case.

    `sent` is SQL of what was written to the object's records, a row a field. A name that leads to several records, or
    to none, is not among them.
    """
    known, wanted = [], []
    for item in named:
        field = text(item.field.name)
        given = f"LOWER(TRIM(CAST({warehouse.quote(item.column)} AS VARCHAR)))"
        wanted.append(
            f"SELECT {field} AS field, {given} AS name FROM {source.model} WHERE POSITION('=' IN {given}) > 0"
        )
        by_key = f"field = {field} AND POSITION('=' IN value) > 0"
        wanted.append(f"SELECT field, LOWER(value) AS name FROM ({sent}) AS sent WHERE {by_key}")
        for target in item.field.references:
            known += _names(warehouse, source, item.field, target)
    if not known:
        return "SELECT NULL::VARCHAR AS field, NULL::VARCHAR AS name, NULL::VARCHAR AS id WHERE FALSE"
    return (
        f"SELECT field, name, MIN(id) AS id FROM ({' UNION ALL '.join(known)}) AS known "
        f"WHERE (field, name) IN (SELECT (field, name) FROM ({' UNION '.join(wanted)}) AS wanted) "
        "GROUP BY ALL HAVING COUNT(DISTINCT id) = 1"
    )


def looked_up(names: str, field: str, value: str) -> str:
    """SQL of the lookup `value`: the id that it names by a key, if `names` (a table of :func:`names_sql`) knows it.

    `field` is SQL of the field's name.
    """
    found = f"SELECT named.id FROM {names} AS named WHERE named.field = {field} AND named.name = LOWER({value})"
    return f"CASE WHEN POSITION('=' IN {value}) > 0 THEN COALESCE(({found}), {value}) ELSE {value} END"


def why_by_key(source: Source, field: Field, value: str) -> str:
    """SQL that says why the lookup `value` is written by its key; null where it is not."""
    imported = [target for target in field.references if _usable(source, target)]
    only = _only_target(field)
    target = f"LOWER(SPLIT_PART({value}, ':', 1))"
    if only:
        at = f"POSITION(':' IN {value})"
        target = f"CASE WHEN {at} > 0 AND {at} < POSITION('=' IN {value}) THEN {target} ELSE {text(only)} END"
    missing = f"{text(field.name + ': the mirror of ')} || {target} || ' holds no one record by this key: '"
    absent = f"{text(field.name + ': ')} || {target} || ' is not imported with the columns of this key: '"
    if imported:
        here = ", ".join(map(text, imported))
        absent = f"CASE WHEN {target} IN ({here}) THEN {missing} ELSE {absent} END"
    return f"CASE WHEN POSITION('=' IN {value}) > 0 THEN {absent} || 'it is sent by the key every time' END"


def _only_target(field: Field) -> str:
    if len(field.references) == 1:
        return field.references[0]
    return "systemuser" if field.vendor_type == "Owner" else ""


def _usable(source: Source, target: str) -> list[tuple[str, ...]]:
    """The keys of a table whose columns are all imported."""
    mirror = source.others.get(target)
    return [key for key in mirror.keys if set(key) <= set(mirror.columns)] if mirror else []


def _names(warehouse: Warehouse, source: Source, field: Field, target: str) -> list[str]:
    found = []
    for key in _usable(source, target):
        mirror = source.others[target]
        identity = warehouse.quote(next(iter(mirror.columns)))
        parts = {name: f"CAST({warehouse.quote(name)} AS VARCHAR)" for name in key}
        # A comma in a value could be taken for the one before the next column.
        apart = " AND ".join(f"POSITION(',' IN {part}) = 0" for part in parts.values()) if len(key) > 1 else "TRUE"
        for order in itertools.permutations(key) if len(key) <= MOST_PARTS else [key]:
            address = " || ',' || ".join(f"{text(name + '=')} || {parts[name]}" for name in order)
            for before in [f"{target}:", *([""] if _only_target(field) == target else [])]:
                found.append(
                    f"SELECT {text(field.name)} AS field, LOWER({text(before)} || {address}) AS name, "
                    f"{text(target + ':')} || LOWER(CAST({identity} AS VARCHAR)) AS id "
                    f"FROM ({mirror.sql}) AS target WHERE {apart}"
                )
    return found
