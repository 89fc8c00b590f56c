"""Values on their way from a model to a CRM field, in the CRM's own terms.

A model's column and a mirrored field are compared after both were brought into the form that the CRM itself stores:
text trimmed and empty text null, e-mail fields lower-cased where the vendor does so, decimals rounded to the field's
scale, times cut to whole seconds, dates without time. Otherwise a plan made after an export would find the same
"changes" again (salesforce-api.md §3.4, dataverse-api.md §2.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal

from backhaul.record import Field, Kind, Scalar

# Salesforce lower-cases the address when it stores an e-mail field (§3.4); Dataverse keeps the case.
_LOWER_CASED_TYPES = frozenset({"email"})
LOOKUP_TYPES = frozenset({"Lookup", "Customer", "Owner"})
"""Dataverse's lookups lead to records of several tables and are compared as `table:id` (dataverse-api.md §2.4)."""
CHOICES_APART = {"multipicklist": ";", "multiselectpicklist": ","}
"""What stands between several choices in one text, by the vendor's type in lower case (salesforce-api.md §3.4,
dataverse-api.md §2.3). The CRM may put them into an order of its own, so they are compared in one of ours."""
_WHOLE_NUMBERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_YES_OR_NO = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "on", "off"})
MOST_LABELS = 500
"""A longer list of choices is not looked through for labels."""

_IN_TWO_FORMS = frozenset({"id", "reference"})
"""Salesforce's ids have 15 characters, or 18 with a checksum of the letters' case (§1). The CRM answers with 18."""
_GUIDS = frozenset({"uniqueidentifier"})
"""Dataverse's ids are GUIDs, which it writes in lower case and without braces, and takes in any spelling (§2.3)."""
_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
"""A sign for five characters: which of them are capitals, the first one counting least (§1)."""
_BLOCKS = " ".join(f"{bits:05b}"[::-1] for bits in range(32))
"""All that five characters can be, in the checksum's order and six signs apart: 1 a capital, 0 anything else."""
_LETTERS = "".join(map(chr, (*range(65, 91), *range(97, 123), *range(48, 58))))
_CAPITAL = "1" * 26 + "0" * 36

BLANKS = "'{}'".format(
    "".join(map(chr, (32, *range(9, 14), *range(28, 32), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029)))
    + "\u202f\u205f\u3000"
)
"""SQL for what stands for nothing at the ends of a text, as Salesforce saves it (§3.4): a text of nothing else is null,
and to send it would empty the field."""


def sql_type(field: Field) -> str:
    """The SQL type in which a field's values are compared."""
    match field.kind:
        case Kind.BOOLEAN:
            return "BOOLEAN"
        case Kind.INTEGER:
            return "INTEGER"
        case Kind.BIGINT:
            return "BIGINT"
        case Kind.DECIMAL | Kind.DOUBLE:
            # 18 digits are compared an order of magnitude faster than 38.
            return f"DECIMAL({18 if 0 < (field.precision or 0) <= 16 else 38},{_scale(field)})"
        case Kind.DATE:
            return "DATE"
        case Kind.DATETIME:
            return "TIMESTAMP WITH TIME ZONE"
        case Kind.TIME:
            return "TIME"
        case _:
            return "VARCHAR"


def _scale(field: Field) -> int:
    # A double without a declared scale is compared to nine digits: beyond what people mean, within what doubles hold.
    return min(field.scale if field.scale is not None else 9, 18)


def normalised(
    expression: str, field: Field, *, convert: str = "default", time_zone: str = "UTC", held: str = ""
) -> str:
    """SQL that brings `expression` into the CRM's terms for `field`; null where it cannot be converted.

    `convert`: default, date_only (the date in `time_zone`), without_offset (the wall clock as it stands), copy. `held`
    is the expression's database type where it is known: what is of the right type already is not cast.
    """
    match field.kind:
        case Kind.BOOLEAN | Kind.INTEGER | Kind.BIGINT | Kind.TIME:
            return expression if held == sql_type(field) else f"TRY_CAST({expression} AS {sql_type(field)})"
        case Kind.DECIMAL | Kind.DOUBLE:
            return _rounded(expression, field, held)
        case Kind.DATE:
            if convert == "date_only":
                zone = "'" + time_zone.replace("'", "''") + "'"
                return f"CAST(TRY_CAST({expression} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE {zone} AS DATE)"
            return expression if held == "DATE" else f"TRY_CAST({expression} AS DATE)"
        case Kind.DATETIME:
            stamp = expression if held == sql_type(field) else f"TRY_CAST({expression} AS {sql_type(field)})"
            return f"DATE_TRUNC('second', {stamp})"
        case Kind.BINARY:
            # A column of text holds base64 already; what is none is null, and refused as not convertible.
            text = f"TO_BASE64(TRY(FROM_BASE64(CAST({expression} AS VARCHAR))))"
            bytes_of = (
                f"CASE TYPEOF({expression}) WHEN 'BLOB' THEN TO_BASE64(TRY_CAST({expression} AS BLOB)) ELSE {text}"
            )
            return f"NULLIF({bytes_of} END, '')"
        case _ if field.vendor_type.lower() in CHOICES_APART:
            return _choices(expression, CHOICES_APART[field.vendor_type.lower()])
        case _:
            text = expression if held == "VARCHAR" else f"CAST({expression} AS VARCHAR)"
            if convert == "copy":
                return text
            if field.vendor_type in LOOKUP_TYPES:
                return _lookup(text, field)
            text = f"TRIM({text}, {BLANKS})"
            trimmed = f"NULLIF(TRIM({text}), '')"
            if field.kind is Kind.ID:
                return one_form(trimmed, field)
            return f"LOWER({trimmed})" if field.vendor_type.lower() in _LOWER_CASED_TYPES else trimmed


def chosen(expression: str, field: Field) -> str:
    """SQL that takes a choice's label for its value; other values stay as they are.

    A label that is another choice's value means that value.
    """
    values = {option.value for option in field.options}
    if field.kind is Kind.BOOLEAN:
        # A label that reads as a yes or no itself is not looked up: what it says counts, not where it stands.
        values |= {label for option in field.options if (label := option.label or "").strip().lower() in _YES_OR_NO}
    labels = {option.label: option.value for option in field.options if option.label and option.label not in values}
    if not labels or len(labels) > MOST_LABELS:
        return expression
    apart = CHOICES_APART.get(field.vendor_type.lower())
    given = "x" if apart else f"TRIM(CAST({expression} AS VARCHAR))"
    cases = " ".join(f"WHEN {_literal(label)} THEN {_literal(value)}" for label, value in labels.items())
    if apart:
        return f"LIST_TRANSFORM({_listed(expression, apart)}, lambda x: CASE TRIM(x) {cases} ELSE TRIM({given}) END)"
    return f"CASE {given} {cases} ELSE {given} END"


def _rounded(expression: str, field: Field, held: str) -> str:
    """Rounded half away from zero as the CRMs do; a wide cast first, so that the rounding sees every digit."""
    target, scale = sql_type(field), _scale(field)
    if held == target:
        return expression
    if held in _WHOLE_NUMBERS:
        return f"TRY_CAST({expression} AS {target})"
    wide = expression if held.startswith("DECIMAL(") else f"TRY_CAST({expression} AS DECIMAL(38, 18))"
    return f"TRY_CAST(ROUND({wide}, {scale}) AS {target})"


def _lookup(text: str, field: Field) -> str:
    """`table:id` in lower case without braces; what names the record by a key (`table:column=value`) stays."""
    trimmed = f"NULLIF(TRIM({text}), '')"
    plain = f"LOWER(REPLACE(REPLACE({trimmed}, '{{', ''), '}}', ''))"
    table = field.references[0] if len(field.references) == 1 else "systemuser" if field.vendor_type == "Owner" else ""
    named = f"'{table}:' || {plain}" if table else plain
    return (
        f"CASE WHEN POSITION('=' IN {text}) > 0 THEN {trimmed} WHEN POSITION(':' IN {text}) > 0 THEN {plain} "
        f"ELSE {named} END"
    )


def one_form(expression: str, field: Field) -> str:
    """SQL that gives an id the one form in which the CRM writes it; other fields' values stay as they are."""
    if field.vendor_type.lower() in _GUIDS:
        return f"LOWER(TRIM({expression}, '{{}} '))"
    if field.vendor_type.lower() not in _IN_TWO_FORMS:
        return expression
    capitals = f"TRANSLATE({expression}, '{_LETTERS}', '{_CAPITAL}')"
    signs = " || ".join(
        f"SUBSTR('{_CHECKSUM}', 1 + POSITION(SUBSTR({capitals}, {start}, 5) IN '{_BLOCKS}') // 6, 1)"
        for start in (1, 6, 11)
    )
    short = f"LENGTH({expression}) = 15 AND REGEXP_FULL_MATCH({expression}, '[A-Za-z0-9]{{15}}')"
    return f"CASE WHEN {short} THEN {expression} || {signs} ELSE {expression} END"


def _listed(expression: str, apart: str) -> str:
    """Several choices as a list: of a list, a JSON list, or a text with semicolons, or else with `apart`."""
    text = f"CAST({expression} AS VARCHAR)"
    # Dataverse shows labels as `A; B`, and a label may hold a comma.
    at = "';'" if apart == ";" else f"CASE WHEN POSITION(';' IN {text}) > 0 THEN ';' ELSE {_literal(apart)} END"
    return f"COALESCE(TRY_CAST(TO_JSON({expression}) AS VARCHAR[]), STRING_SPLIT({text}, {at}))"


def _choices(expression: str, apart: str) -> str:
    """Several choices as one text, sorted and each once."""
    trimmed = f"LIST_FILTER(LIST_TRANSFORM({_listed(expression, apart)}, lambda x: TRIM(x)), lambda x: x <> '')"
    return f"NULLIF(ARRAY_TO_STRING(LIST_SORT(LIST_DISTINCT({trimmed})), {_literal(apart)}), '')"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def as_text(expression: str, field: Field) -> str:
    """SQL for the text in which the plan and the ledger keep a normalised value; :func:`parse` reads it back."""
    if field.kind is Kind.DATETIME:
        return f"STRFTIME({expression} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"
    return f"CAST({expression} AS VARCHAR)"


def from_text(expression: str, field: Field) -> str:
    """SQL that turns the text of :func:`as_text` back into the typed value."""
    return f"CAST({expression} AS {sql_type(field)})"


def parse(text: str | None, field: Field) -> Scalar:
    """The Python value of a text that :func:`as_text` made.

    Raises ValueError when the text is not of the field's kind; that cannot happen to a text from a plan.
    """
    read = reader(field)
    return text if text is None or read is None else read(text)


def reader(field: Field) -> Callable[[str], Scalar] | None:
    """What :func:`parse` does to a text of this field that is there; None where the text itself is the value."""
    return _READERS.get(field.kind)


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is not a boolean")
    return text == "true"


_READERS: Mapping[Kind, Callable[[str], Scalar]] = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: int,
    Kind.BIGINT: int,
    Kind.DECIMAL: Decimal,
    Kind.DOUBLE: Decimal,
    Kind.DATE: date.fromisoformat,
    Kind.DATETIME: lambda text: datetime.fromisoformat(text).astimezone(UTC),
    Kind.TIME: time.fromisoformat,
}
