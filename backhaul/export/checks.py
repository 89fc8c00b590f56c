"""What can be refused before anything is sent: SQL that says why a value cannot be right, from describe and the mirror.

Each check is an expression that is null when there is nothing to say, else a struct of symbol and reason. They look at
values that would be written and at nothing else: what a CRM holds already is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping

from backhaul.export.mapping import Mapped, Mirror
from backhaul.export.values import BLANKS, CHOICES_APART, LOOKUP_TYPES
from backhaul.record import Field, Kind, ObjectSchema

KEY_NULL = "KEY_NULL"
KEY_DUPLICATE = "KEY_DUPLICATE"
KEY_AMBIGUOUS = "KEY_AMBIGUOUS"
RECORD_NOT_FOUND = "RECORD_NOT_FOUND"
VALUE_NOT_CONVERTIBLE = "VALUE_NOT_CONVERTIBLE"
VALUE_TOO_LONG = "VALUE_TOO_LONG"
NUMBER_TOO_LARGE = "NUMBER_TOO_LARGE"
NOT_A_CHOICE = "NOT_A_CHOICE"
REQUIRED_MISSING = "REQUIRED_MISSING"
REFERENCE_NOT_FOUND = "REFERENCE_NOT_FOUND"
FIELD_NOT_WRITABLE = "FIELD_NOT_WRITABLE"
"""The symbols of rows that we refuse ourselves. The CRM's own symbols are kept as it spells them."""

MOST_CHOICES = 2_000
"""A longer list of choices is left to the CRM to judge."""


def text(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def finding(symbol: str, reason: str) -> str:
    """A finding as SQL; `reason` is an SQL expression of text."""
    return f"{{'symbol': {text(symbol)}, 'reason': {reason}}}"


def not_convertible(item: Mapped, given: str, value: str) -> str:
    """SQL of a condition: the model's value is there and cannot be brought into the field's terms."""
    return f"{given} IS NOT NULL AND {value} IS NULL AND TRIM(CAST({given} AS VARCHAR), {BLANKS}) <> ''"


def value_checks(item: Mapped, value: str, references: Mapping[str, str]) -> list[tuple[str, str]]:
    """(condition, finding) of what a value that would be written to a field cannot be.

    `value` is the normalised expression, not null; `references` SQL of the ids that a reference may lead to.
    """
    field, found = item.field, []
    shown = f"LEFT(CAST({value} AS VARCHAR), 60)"
    if not item.writable:
        reason = text(f"this user may not write {field.name}")
        found.append(("TRUE", finding(FIELD_NOT_WRITABLE, reason)))
    if field.kind is Kind.TEXT and field.length:
        reason = f"{text(field.name + ' takes ' + str(field.length) + ' characters, found ')} || LENGTH({value})"
        found.append((f"LENGTH({value}) > {field.length}", finding(VALUE_TOO_LONG, reason)))
    if field.kind is Kind.DECIMAL and field.precision:
        whole = field.precision - (field.scale or 0)
        if 0 < whole < 30:
            reason = f"{text(f'{field.name} takes {whole} digits before the point, found ')} || {shown}"
            found.append((f"ABS({value}) >= {10**whole}", finding(NUMBER_TOO_LARGE, reason)))
    wrong = _not_a_choice(field, value)
    if wrong:
        reason = f"{text(field.name + ' has no active value ')} || {shown}"
        found.append((wrong, finding(NOT_A_CHOICE, reason)))
    if field.name in references:
        reason = f"{text(field.name + ' refers to a record that the mirror does not hold: ')} || {shown}"
        missing = f"{value} NOT IN (SELECT id FROM ({references[field.name]}) AS known WHERE id IS NOT NULL)"
        if field.vendor_type in LOOKUP_TYPES:
            missing = f"POSITION('=' IN {value}) = 0 AND {missing}"  # a record named by a key is the CRM's to find
        found.append((missing, finding(REFERENCE_NOT_FOUND, reason)))
    return found


def null_checks(item: Mapped, creating: bool) -> list[str]:
    """Findings of a field that would be left or made empty: on a new record, or where it is to be cleared."""
    field = item.field
    if creating and field.required_on_create:
        return [finding(REQUIRED_MISSING, text(f"{field.name} is empty, and a new record needs it"))]
    if not creating and item.clear and not field.nullable:
        return [finding(REQUIRED_MISSING, text(f"{field.name} cannot be emptied"))]
    return []


def _not_a_choice(field: Field, value: str) -> str:
    """The condition that a value is none of the active choices of a field that takes no others; '' where all go."""
    if not field.restricted or not field.options or len(field.options) > MOST_CHOICES:
        return ""
    known = ", ".join(text(option.value) for option in field.options if option.active) or "NULL"
    apart = CHOICES_APART.get(field.vendor_type.lower())
    if apart:
        return f"LEN(LIST_FILTER(STRING_SPLIT({value}, {text(apart)}), lambda x: x NOT IN ({known}))) > 0"
    return f"CAST({value} AS VARCHAR) NOT IN ({known})"


def references_of(
    schema: ObjectSchema, mapped: tuple[Mapped, ...], mirrors: Mapping[str, Mirror], sent: str
) -> dict[str, str]:
    """By field: SQL (column `id`) of the values that a reference may have, where every object it leads to is imported.

    A parent by its key (``Account.No__c``) is looked up in the parents' key column. `sent` is the ledger's table of
    what was sent: records that we made since their object was imported count.
    """
    found: dict[str, str] = {}
    for item in mapped:
        name = item.field.name
        relation, point, key = name.partition(".")
        of, _, relation = relation.rpartition(":")
        reference = (
            next((one for one in schema.fields.values() if one.relationship == relation), None) if point else item.field
        )
        if reference is None or (point and "." in key):
            continue
        targets = (of,) if of else reference.references
        if not targets or item.field.name == schema.id_field or any(target not in mirrors for target in targets):
            continue
        parts = []
        for target in targets:
            mirror = mirrors[target]
            column = key if point else next(iter(mirror.columns))
            if column not in mirror.columns:
                break
            made = f"field = {text(key)}" if point else "created"
            # Dataverse's lookups are compared as table and id.
            named = f"{text(target + ':')} || LOWER(" if reference.vendor_type in LOOKUP_TYPES and not point else "("
            parts.append(f'SELECT {named}CAST("{column}" AS VARCHAR)) AS id FROM ({mirror.sql}) AS parents')
            parts.append(
                f"SELECT {named}{'value' if point else 'record_id'}) AS id FROM {sent} "
                f"WHERE account = {text(schema.account)} AND object = {text(target)} AND {made}"
            )
        else:
            found[name] = " UNION ALL ".join(parts)
    return found
