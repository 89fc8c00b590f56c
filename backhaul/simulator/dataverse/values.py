"""JSON values to stored values, with every refusal the service makes on the way (dataverse-api.md §2.3, §5.1, §7.2)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from .edm import Attribute, Table
from .errors import DataverseError, not_convertible
from .expressions import parse_datetime
from .sql import guid

_EARLIEST = datetime(1753, 1, 1, tzinfo=UTC)
_INT32 = 2**31
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MOST_SELECTED = 150


def stored(table: Table, attribute: Attribute, value: Any) -> Any:
    """Give what the database keeps of the JSON `value` for `attribute`; None clears it.

    Raises DataverseError 400: 0x80048d19 for a wrong JSON type, then the code of the rule that it breaks.
    """
    if value is None:
        if attribute.required == "SystemRequired":
            raise DataverseError(400, "0x80040203", f"Attribute: {attribute.name} cannot be set to NULL")
        return None
    typed = _typed(table, attribute, value)
    _check(table, attribute, typed)
    match attribute.type:
        case "Decimal" | "Money":
            scale = attribute.precision if attribute.type == "Decimal" else 4
            return typed.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_EVEN)
        case "Double":
            return round(typed, attribute.precision)
        case "String" | "Memo":
            return typed or None  # the service keeps no empty text
        case "MultiSelectPicklist":
            return ",".join(str(number) for number in sorted(set(typed))) or None
        case "DateTime":
            return typed.date() if attribute.date_only else kept_instant(typed)
    return typed


def seeded(attribute: Attribute, value: Any) -> Any:
    """Give what the database keeps of a seeded value: the same reading of JSON, without the service's rules.

    Raises ValueError when the value cannot be read at all.
    """
    if value is None:
        return None
    match attribute.edm:
        case "Edm.Date":
            return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
        case "Edm.DateTimeOffset":
            if isinstance(value, datetime):
                found = value if value.tzinfo else value.replace(tzinfo=UTC)
            else:
                found = datetime.fromisoformat(str(value))
                found = found if found.tzinfo else found.replace(tzinfo=UTC)
            return found.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        case "Edm.Decimal":
            scale = attribute.precision if attribute.type == "Decimal" else 4
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_EVEN)
        case "Edm.Int32" | "Edm.Int64":
            return int(value)
        case "Edm.Double":
            return float(value)
        case "Edm.Boolean":
            if not isinstance(value, bool):
                raise ValueError(f"{attribute.name} needs true or false, found {value!r}")
            return value
        case "Edm.Guid":
            found_id = guid(str(value))
            if found_id is None:
                raise ValueError(f"{attribute.name} needs a GUID, found {value!r}")
            return found_id
    if attribute.type == "MultiSelectPicklist" and isinstance(value, list):
        return ",".join(str(number) for number in sorted(value))
    return str(value) or None


def _typed(table: Table, attribute: Attribute, value: Any) -> Any:
    def refuse() -> DataverseError:
        shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        return not_convertible(table.set_name, shown, attribute.edm)

    match attribute.edm:
        case "Edm.String":
            if not isinstance(value, str):
                raise refuse()
            return _selected(table, attribute, value) if attribute.type == "MultiSelectPicklist" else value
        case "Edm.Int32" | "Edm.Int64":
            if isinstance(value, bool) or not isinstance(value, int):
                raise refuse()
            if attribute.edm == "Edm.Int32" and not -_INT32 <= value < _INT32:
                raise refuse()
            return value
        case "Edm.Decimal":
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                raise refuse()
            return Decimal(value)
        case "Edm.Double":
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                raise refuse()
            return float(value)
        case "Edm.Boolean":
            if not isinstance(value, bool):
                raise refuse()
            return value
        case "Edm.Guid":
            found = guid(value) if isinstance(value, str) else None
            if found is None:
                raise refuse()
            return found
    if not isinstance(value, str):
        raise refuse()
    try:
        if attribute.edm == "Edm.Date":
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                raise refuse()
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), tzinfo=UTC)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return datetime.combine(date.fromisoformat(value), datetime.min.time(), tzinfo=UTC)
        return parse_datetime(value)
    except ValueError:
        raise refuse() from None


def _selected(table: Table, attribute: Attribute, text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        if not part.strip():
            continue
        if not re.fullmatch(r"\s*-?\d+\s*", part):
            raise not_convertible(table.set_name, text, "Edm.Int32")
        found.append(int(part))
    return found


def _check(table: Table, attribute: Attribute, value: Any) -> None:
    match attribute.type:
        case "String" | "Memo":
            found = _INVALID.search(value)
            if found:
                letter = found[0]
                raise DataverseError(
                    400,
                    "0x80040278",
                    f"Invalid character in field '{attribute.name}': '{letter}', hexadecimal value "
                    f"0x{ord(letter):02X}, is an invalid character.",
                )
            if len(value.encode("utf-16-le")) // 2 > attribute.length:  # the service counts UTF-16 units
                raise DataverseError(
                    400,
                    "0x80044331",
                    f"A validation error occurred.  The length of the '{attribute.name}' attribute of the "
                    f"'{table.name}' entity exceeded the maximum allowed length of '{attribute.length}'.",
                )
        case "Integer" | "Decimal" | "Money" | "Double":
            low, high = attribute.minimum, attribute.maximum
            if (low is not None and value < low) or (high is not None and value > high):
                code = "0x8004432F" if attribute.type == "Integer" else "0x80044330"
                raise DataverseError(
                    400,
                    code,
                    f"A validation error occurred. The value of '{attribute.name}' on record of type '{table.name}' "
                    "is outside the valid range.",
                )
        case "Picklist":
            check_choice(table, attribute, value)
        case "MultiSelectPicklist":
            for one in value:
                check_choice(table, attribute, one)
            if len(value) > _MOST_SELECTED:
                raise DataverseError(
                    400,
                    "0x80040203",
                    f"The attribute '{attribute.name}' cannot hold more than {_MOST_SELECTED} values.",
                )
        case "DateTime":
            if value < _EARLIEST:
                raise DataverseError(
                    400,
                    "0x80040239",
                    "DateTime is less than minumum value supported by CrmDateTime. Actual value: "
                    f"{value:%m/%d/%Y %H:%M:%S}, Minimum value supported: 01/01/1753 00:00:00",
                )


def check_choice(table: Table, attribute: Attribute, value: int) -> None:
    """Raise 0x8004431A when `value` is none of the attribute's choices."""
    allowed = [choice.value for choice in attribute.choices]
    if value not in allowed:
        raise DataverseError(
            400,
            "0x8004431A",
            f"The value {value} of '{attribute.name}' on record of type '{table.name}' is outside the valid range. "
            f"Accepted Values: {','.join(str(one) for one in allowed)}",
        )


def kept_instant(value: datetime) -> datetime:
    """Give an aware instant as the database keeps it: UTC, no zone, whole seconds (§3.9)."""
    return value.astimezone(UTC).replace(tzinfo=None, microsecond=0)
