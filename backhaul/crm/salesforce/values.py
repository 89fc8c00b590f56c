"""Python scalars <-> Salesforce JSON values, by the field's kind (salesforce-api.md §3.4)."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from backhaul.crm.salesforce.soql import instant
from backhaul.record import Field, Kind, Scalar

_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
NUMBERS = frozenset({Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL, Kind.DOUBLE})
"""The kinds whose values are numbers."""
_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")


class Unsendable(ValueError):
    """A value that no JSON can carry (not a number, infinite): its row is refused here, the others are sent."""


def long_id(record_id: str) -> str:
    """The 18-character form of a 15-character id (salesforce-api.md §1); anything else comes back as it is."""
    if len(record_id) != 15 or not record_id.isalnum() or not record_id.isascii():
        return record_id
    blocks = (record_id[start : start + 5] for start in (0, 5, 10))
    return record_id + "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(block) if letter.isupper())] for block in blocks
    )


def same_id(one: str, other: str) -> bool:
    """Whether two ids name one record, whichever form they have."""
    return one[:15] == other[:15]


def parsed(value: Any, field: Field | None) -> Scalar:
    """A value of a JSON reply (read with numbers as Decimal) as a Python scalar."""
    if value is None or field is None:
        return value if value is None or isinstance(value, (str, bool, int, Decimal)) else str(value)
    if field.kind is Kind.DATETIME:
        return parse_instant(str(value))
    if field.kind is Kind.DATE:
        return date.fromisoformat(str(value)[:10])
    if field.kind is Kind.TIME:
        return time.fromisoformat(str(value).removesuffix("Z"))
    if field.kind is Kind.DECIMAL:
        return Decimal(str(value))
    if field.kind is Kind.DOUBLE:
        return float(value)
    if field.kind in (Kind.INTEGER, Kind.BIGINT):
        return int(value)
    return bool(value) if field.kind is Kind.BOOLEAN else str(value)


def parse_instant(text: str) -> datetime:
    """`2022-03-17T16:21:26.000+0000` (no colon in the offset), `...Z` or `...+00:00` as aware UTC."""
    stamp = datetime.fromisoformat(_OFFSET.sub(r"\1:\2", text))
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def sendable(value: Scalar, field: Field | None) -> Any:
    """`value` as JSON carries it for `field` (None: a field describe does not show; the CRM will judge).

    A text that should be a number or a truth value and is none is sent as it is: the CRM's own refusal names the row.
    A time without a zone is taken as UTC. Raises Unsendable.
    """
    if value is None:
        return None
    kind = field.kind if field else None
    if kind in NUMBERS or (kind is None and isinstance(value, (float, Decimal))):
        return _number(value)
    if kind is Kind.BOOLEAN:
        return _truth(value)
    if kind is Kind.DATE and isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date().isoformat()
    if kind is Kind.DATETIME and isinstance(value, date) and not isinstance(value, datetime):
        return instant(datetime(value.year, value.month, value.day, tzinfo=UTC))
    return _plain(value)


def _plain(value: Scalar) -> Any:
    if isinstance(value, datetime):
        return instant(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return value
    return value if isinstance(value, str) else str(value)


def _number(value: Scalar) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unsendable(f"{value} is not a number that JSON can carry")
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Unsendable(f"{value} is not a number that JSON can carry")
        if value == value.to_integral_value():
            return int(value)
        # A binary double that prints the same digits is exact enough; otherwise the digits travel as text.
        near = float(value)
        return near if Decimal(repr(near)) == value else format(value, "f")
    return value if isinstance(value, int) else _plain(value)


def _truth(value: Scalar) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}.get(value.strip().lower(), value)
    if isinstance(value, (int, float, Decimal)) and value in (0, 1):
        return bool(value)
    return _plain(value)
