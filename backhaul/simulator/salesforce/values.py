"""Values on their way into the org (what the API accepts, refuses and changes) and out of it (SQL that prints them).

Rests on salesforce-api.md §3.4 (types on the wire) and §10 (row codes).
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.errors import Problem
from backhaul.simulator.salesforce.schema import BLOB, IDS, NUMBERS, FieldDef

_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[^@\s,;:<>()\[\]\\\"]+\.[^@\s,;:<>()\[\]\\\".]+\Z")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)\Z")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?Z?\Z")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\Z")


class WrongType(Exception):
    """The JSON value cannot be read as the field's type. `kind` is the type as the vendor's messages call it."""

    def __init__(self, field: FieldDef, value: Any) -> None:
        super().__init__(field.name)
        self.field = field
        self.value = value

    def problem(self) -> Problem:
        """As the problem of one record among others."""
        shown = "null" if self.value is None else str(self.value)
        text = f"{self.field.label}: value not of required type: {shown}"
        return Problem("INVALID_TYPE_ON_FIELD_IN_RECORD", text, (self.field.name,))

    def parser_problem(self) -> Problem:
        """As the problem of a request whose JSON cannot be read into a record."""
        token = {bool: "VALUE_TRUE" if self.value else "VALUE_FALSE", int: "VALUE_NUMBER_INT"}
        token |= {float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING", dict: "START_OBJECT", list: "START_ARRAY"}
        kind = {"datetime": "datetime", "date": "date", "boolean": "boolean", "int": "int"}.get(self.field.type)
        kind = kind or ("double" if self.field.type in NUMBERS else "string")
        found = token.get(type(self.value), "VALUE_NULL")
        shown = self.value if isinstance(self.value, str) else json.dumps(self.value)
        return Problem(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {kind} from {found} value {shown} or request may be missing a "
            "required field at [line:1, column:1]",
        )


class Refused(Exception):
    """The value is of the right type and refused all the same."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def accept(field: FieldDef, value: Any) -> Any:
    """The JSON `value` as the org stores it in `field`. Raises WrongType or Refused."""
    if value is None:
        if field.type == "boolean":
            raise WrongType(field, value)
        return None
    if field.type == "boolean":
        if not isinstance(value, bool):
            raise WrongType(field, value)
        return value
    if field.type in NUMBERS:
        return _number(field, value)
    if not isinstance(value, str):
        raise WrongType(field, value)
    if field.type in ("date", "datetime", "time"):
        return _moment(field, value) if value else None
    if field.type == BLOB:
        return _bytes(field, value)
    text = value.strip()
    if not text:
        return None
    if field.type in IDS:
        whole = ids.to18(text)
        if whole is None:
            problem = Problem("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", (field.name,))
            raise Refused(problem)
        return whole
    return _text(field, text)


def lenient(field: FieldDef, value: Any) -> Any:
    """`value` as the control door takes it: as it is, texts read as the stored type; ValueError when it cannot be."""
    if value is None or not isinstance(value, str):
        return value
    if field.type == "date":
        return date.fromisoformat(value) if value else None
    if field.type == "datetime":
        return naive(datetime.fromisoformat(value)) if value else None
    if field.type in NUMBERS:
        return (int(value) if field.type == "int" else float(value)) if value else None
    if field.type == "boolean":
        return value.lower() in ("true", "1")
    if field.type in IDS:
        return (ids.to18(value) or value) if value else None
    return value or None


def naive(moment: datetime) -> datetime:
    """An instant as the store keeps it: UTC without a zone (a moment without a zone is taken as UTC)."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def numbered(pattern: str, number: int) -> str:
    """The auto number `number` in a pattern such as ``A-{0000}``, whose zeros are its least width."""
    return re.sub(r"\{(0+)\}", lambda zeros: str(number).zfill(len(zeros[1])), pattern)


def rest_sql(field: FieldDef, sql: str) -> str:
    """SQL that prints the value `sql` of `field` as REST's JSON has it (numbers and booleans stay as they are)."""
    if field.type == "datetime":
        return f"strftime({sql}, '%Y-%m-%dT%H:%M:%S.%g+0000')"
    if field.type == "date":
        return f"strftime({sql}, '%Y-%m-%d')"
    return sql


def csv_sql(field: FieldDef, sql: str) -> str:
    """SQL that prints the value as a cell of Bulk's CSV; null is the empty text."""
    if field.type == "datetime":
        sql = f"strftime({sql}, '%Y-%m-%dT%H:%M:%S.%gZ')"
    elif field.type not in IDS and field.column() != "VARCHAR":
        sql = f"CAST({sql} AS VARCHAR)"
    return f"coalesce({sql}, '')"


def _number(field: FieldDef, value: Any) -> float | int | None:
    if isinstance(value, str) and _plain_number(field.digits or 9, field.precision, field.scale).match(value):
        return int(value) if field.type == "int" else float(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WrongType(field, value)
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, str) and not _NUMBER.match(value.strip()):
        raise WrongType(field, value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise WrongType(field, value) from None
    if field.type == "int":
        if number != number.to_integral_value():
            raise WrongType(field, value)
        if abs(number) >= 10 ** (field.digits or 9):
            raise Refused(_outside(field, value))
        return int(number)
    if number.adjusted() >= field.precision - field.scale:
        raise Refused(_outside(field, value))
    rounded = number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP)
    if rounded.adjusted() >= field.precision - field.scale:  # 99.96 with one digit after the point
        raise Refused(_outside(field, value))
    return float(rounded)


@functools.lru_cache(maxsize=256)
def _plain_number(digits: int, precision: int, scale: int) -> re.Pattern[str]:
    """The texts that certainly fit a number field as they are, which most do."""
    before = precision - scale if precision else digits
    after = rf"(?:\.\d{{1,{scale}}})?" if scale else ""
    return re.compile(rf"-?[1-9]\d{{0,{max(0, before - 1)}}}{after}\Z" if before > 0 else r"(?!)")


def _bytes(field: FieldDef, value: str) -> str | None:
    """Base64 text as it is kept: without line breaks, padded."""
    text = "".join(value.split())
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise WrongType(field, value) from None
    return text or None


def _outside(field: FieldDef, value: Any) -> Problem:
    text = f"{field.label}: value outside of valid range on numeric field: {value}"
    return Problem("NUMBER_OUTSIDE_VALID_RANGE", text, (field.name,))


def _moment(field: FieldDef, value: str) -> date | datetime | str:
    try:
        if field.type == "date":
            if not _DATE.match(value):
                raise WrongType(field, value)
            found = date.fromisoformat(value)
            if not 1700 <= found.year <= 4000:
                text = f"{field.label}: invalid date: {value}"
                raise Refused(Problem("FIELD_INTEGRITY_EXCEPTION", text, (field.name,)))
            return found
        if field.type == "datetime":
            if not _DATETIME.match(value):
                raise WrongType(field, value)
            return naive(datetime.fromisoformat(value)).replace(microsecond=0)
    except ValueError:
        raise WrongType(field, value) from None
    clock = _TIME.match(value)
    if not clock:
        raise WrongType(field, value)
    hour, minute, second, rest = clock.groups()
    return f"{hour}:{minute}:{second}.{(rest or '0').ljust(3, '0')}Z"


def _text(field: FieldDef, text: str) -> str:
    if field.type == "textarea":
        text = text.replace("\r\n", "\n")
    if field.type == "email":
        text = text.lower()
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise Refused(Problem("STRING_TOO_LONG", message, (field.name,)))
    if field.type == "email" and not _EMAIL.match(text):
        message = f"{field.label}: invalid email address: {text}"
        raise Refused(Problem("INVALID_EMAIL_ADDRESS", message, (field.name,)))
    if field.type == "picklist":
        same = {value.lower(): value for value in field.values}
        if field.restricted and text.lower() not in same:
            raise Refused(_not_allowed(field, text))
        return same.get(text.lower(), text)
    if field.type == "multipicklist":
        return _choices(field, text)
    return text


def _choices(field: FieldDef, text: str) -> str:
    """The chosen values in the order of their definition, those it does not hold after them."""
    chosen = list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
    places = {value: place for place, value in enumerate(field.values)}
    if field.restricted:
        for part in chosen:
            if part not in places:
                raise Refused(_not_allowed(field, part))
    return ";".join(sorted(chosen, key=lambda part: places.get(part, len(places))))


def _not_allowed(field: FieldDef, text: str) -> Problem:
    message = f"{field.label}: bad value for restricted picklist field: {text}"
    return Problem("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))
