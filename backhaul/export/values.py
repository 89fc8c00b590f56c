"""Values on their way from a model to a CRM field, in the CRM's own terms.

A model's column and a mirrored field are compared after both were brought into the form that the CRM itself stores:
text trimmed and empty text null, e-mail fields lower-cased where the vendor does so, decimals rounded to the field's
scale, times cut to whole seconds, dates without time. Otherwise a plan made after an export would find the same
"changes" again (salesforce-api.md §3.4, dataverse-api.md §2.3).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from backhaul.record import Field, Kind, Scalar

# Salesforce lower-cases the address when it stores an e-mail field (§3.4); Dataverse keeps the case.
_LOWER_CASED_TYPES = frozenset({"email"})

_BLANKS = "' ' || " + " || ".join(
    f"CHR({code})"
    for codes in (range(9, 14), range(28, 32), range(0x2000, 0x200B), (0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F))
    for code in (*codes, 0x205F, 0x3000)
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
            return f"DECIMAL(38, {_scale(field)})"
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


def normalised(expression: str, field: Field, *, convert: str = "default", time_zone: str = "UTC") -> str:
    """SQL that brings `expression` into the CRM's terms for `field`; null where it cannot be converted.

    `convert`: default, date_only (the date in `time_zone`), without_offset (the wall clock as it stands), copy.
    """
    match field.kind:
        case Kind.BOOLEAN | Kind.INTEGER | Kind.BIGINT | Kind.TIME:
            return f"TRY_CAST({expression} AS {sql_type(field)})"
        case Kind.DECIMAL | Kind.DOUBLE:
            # Rounded half away from zero as the CRMs do; the wide cast first, so that the rounding sees every digit.
            return f"TRY_CAST(ROUND(TRY_CAST({expression} AS DECIMAL(38, 18)), {_scale(field)}) AS {sql_type(field)})"
        case Kind.DATE:
            if convert == "date_only":
                zone = "'" + time_zone.replace("'", "''") + "'"
                return f"CAST(TRY_CAST({expression} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE {zone} AS DATE)"
            return f"TRY_CAST({expression} AS DATE)"
        case Kind.DATETIME:
            return f"DATE_TRUNC('second', TRY_CAST({expression} AS TIMESTAMP WITH TIME ZONE))"
        case _:
            text = f"CAST({expression} AS VARCHAR)"
            if convert == "copy":
                return text
            text = f"TRIM({text}, {_BLANKS})"
            trimmed = f"NULLIF(TRIM({text}), '')"
            return f"LOWER({trimmed})" if field.vendor_type.lower() in _LOWER_CASED_TYPES else trimmed


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
    if text is None:
        return None
    match field.kind:
        case Kind.BOOLEAN:
            if text not in ("true", "false"):
                raise ValueError(f"{text!r} is not a boolean")
            return text == "true"
        case Kind.INTEGER | Kind.BIGINT:
            return int(text)
        case Kind.DECIMAL | Kind.DOUBLE:
            return Decimal(text)
        case Kind.DATE:
            return date.fromisoformat(text)
        case Kind.DATETIME:
            return datetime.fromisoformat(text).astimezone(UTC)
        case Kind.TIME:
            return time.fromisoformat(text)
        case _:
            return text
