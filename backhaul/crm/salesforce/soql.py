"""From an :class:`~backhaul.record.Extract` to SOQL text (salesforce-api.md §4.3). Pure functions, no I/O.

Names come only from describe, values only through :func:`literal`, so that no value can bend the statement. Dates and
times stand unquoted, text in single quotes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from backhaul.errors import ConfigurationError, Fault
from backhaul.record import Condition, Extract, Field, Group, Kind, ObjectSchema, Scalar, Window

LONGEST_TEXT = 4_000

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_ESCAPE = str.maketrans(_ESCAPES)
_COMPARE = {"eq": "=", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_RELATIVE = re.compile(
    r"TODAY|YESTERDAY|TOMORROW|(?:THIS|LAST|NEXT)_(?:WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR)"
    r"|(?:LAST|NEXT)_90_DAYS|(?:LAST|NEXT)_N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS):\d{1,5}"
    r"|N_(?:DAYS|WEEKS|MONTHS|QUARTERS|YEARS|FISCAL_QUARTERS|FISCAL_YEARS)_AGO:\d{1,5}"
)
"""SOQL's date words, passed through for date and time fields: LAST_N_DAYS:30."""


def select(query: Extract, schema: ObjectSchema, zone: str = "UTC", ids: Sequence[str] = ()) -> str:
    """The statement for `query`, of the records `ids` only when there are any (`query.ids` is the caller's to chunk).

    `zone` is the account's IANA time zone, for values without one.

    Raises ConfigurationError naming every field that is unknown or cannot be filtered, and every value that does not
    fit its field.
    """
    known_fields(query.fields, schema)
    known_fields((name for name, _ in query.order_by), schema)
    text = f"SELECT {', '.join(query.fields)} FROM {schema.name}{where(query, schema, zone)}"
    if ids:
        text += (" AND " if " WHERE " in text else " WHERE ") + in_list(schema.fields[schema.id_field], ids)
    if query.order_by:
        text += " ORDER BY " + ", ".join(f"{name} DESC" if down else name for name, down in query.order_by)
    return text


def where(query: Extract, schema: ObjectSchema, zone: str = "UTC") -> str:
    """The WHERE clause with a leading blank, or an empty text."""
    parts = [*_window(query.window, schema)] if query.window else []
    if query.filter is not None and query.filter.items:
        parts.append(_group(query.filter, schema, zone))
    return " WHERE " + " AND ".join(parts) if parts else ""


def known_fields(names: Iterable[str], schema: ObjectSchema) -> None:
    """Raise one ConfigurationError with a fault for every name that is not a field of `schema`."""
    faults = []
    for name in names:
        if name not in schema.fields:
            close = difflib.get_close_matches(name, schema.fields, 1) or [
                field for field in schema.fields if field.lower() == name.lower()
            ]
            faults.append(
                Fault(
                    f"{schema.name} has no field '{name}' that account '{schema.account}' may read",
                    hint=f"did you mean '{close[0]}'?" if close else "check the name and the user's field permissions",
                )
            )
    if faults:
        raise ConfigurationError(faults)


def in_list(field: Field, values: Sequence[Scalar], zone: str = "UTC") -> str:
    """`Field IN ('a', 'b')`; the caller bounds the number of values by the length of the request."""
    return f"{field.name} IN ({', '.join(literal(field, value, zone) for value in values)})"


def literal(field: Field, value: Scalar, zone: str = "UTC") -> str:
    """`value` as SOQL text for `field`; ConfigurationError when it does not fit the field's kind."""
    if value is None:
        return "null"
    try:
        return _LITERALS.get(field.kind, _text)(value, zone)
    except (ValueError, InvalidOperation, TypeError, OverflowError):
        raise ConfigurationError(
            f"field '{field.name}' is compared with {value!r}, which is no {field.kind.value} value"
        ) from None


def instant(stamp: datetime) -> str:
    """A UTC literal with milliseconds; microseconds are cut off, as Salesforce's own stamps have none."""
    # A stamp without a zone is taken as UTC: astimezone would take this machine's.
    utc = stamp.astimezone(UTC) if stamp.tzinfo else stamp
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z".rjust(24, "0")


def _window(window: Window, schema: ObjectSchema) -> list[str]:
    """Half open: start included, end excluded."""
    known_fields((window.cursor,), schema)
    field = schema.fields[window.cursor]

    def stamp(at: datetime) -> str:
        return at.astimezone(UTC).date().isoformat() if field.kind is Kind.DATE else instant(at)

    upper = f"{field.name} < {stamp(window.end)}"
    if window.start is None:
        # Rows without a stamp belong to the beginning: no later window would bring them.
        return [f"({upper} OR {field.name} = null)"] if field.nullable else [upper]
    return [f"{field.name} >= {stamp(window.start)}", upper]


def _group(group: Group, schema: ObjectSchema, zone: str) -> str:
    parts = [
        _group(item, schema, zone) if isinstance(item, Group) else _condition(item, schema, zone)
        for item in group.items
        if not isinstance(item, Group) or item.items
    ]
    return f"({(' AND ' if group.all_of else ' OR ').join(parts)})" if len(parts) > 1 else "".join(parts)


def _condition(condition: Condition, schema: ObjectSchema, zone: str) -> str:
    known_fields((condition.field,), schema)
    field = schema.fields[condition.field]
    if not field.filterable:
        raise ConfigurationError(
            f"{schema.name}.{field.name} ({field.vendor_type}) cannot be filtered in Salesforce",
            hint="filter it in a model instead",
        )
    operator, value = condition.operator, condition.value
    name = field.name
    if operator in ("is_null", "is_not_null"):
        return f"{name} {'=' if operator == 'is_null' else '!='} null"
    if operator in ("in", "not_in"):
        return _membership(field, operator == "in", value if isinstance(value, tuple) else (value,), zone)
    if isinstance(value, tuple):
        raise ConfigurationError(f"field '{name}': '{operator}' takes one value", hint="use in or not_in for a list")
    if operator in _COMPARE:
        return f"{name} {_COMPARE[operator]} {literal(field, value, zone)}"
    return _likeness(field, operator, value)


def _membership(field: Field, wanted: bool, values: tuple[Scalar, ...], zone: str) -> str:
    given = [value for value in values if value is not None]
    with_null = len(given) < len(values)
    parts = []
    if given:
        if field.vendor_type == "multipicklist":
            word = "INCLUDES" if wanted else "EXCLUDES"
        else:
            word = "IN" if wanted else "NOT IN"
        parts.append(f"{field.name} {word} ({', '.join(literal(field, value, zone) for value in given)})")
    if with_null:
        parts.append(f"{field.name} {'=' if wanted else '!='} null")
    if not parts:
        # An empty list holds nobody: an id is never null.
        return f"Id {'=' if wanted else '!='} null"
    return f"({(' OR ' if wanted else ' AND ').join(parts)})" if len(parts) > 1 else parts[0]


_PATTERNS = {"starts_with": "{}%", "ends_with": "%{}", "contains": "%{}%"}


def _likeness(field: Field, operator: str, value: Scalar) -> str:
    if operator not in ("like", "not_like", *_PATTERNS):
        raise ConfigurationError(
            Fault(
                f"field '{field.name}': unknown operator '{operator}'",
                allowed=(*_COMPARE, "in", "not_in", "like", "not_like", *_PATTERNS, "is_null", "is_not_null"),
            )
        )
    if field.vendor_type == "multipicklist" and operator == "contains":
        return f"{field.name} INCLUDES ({literal(field, value)})"
    if not isinstance(value, str) or field.kind not in (Kind.TEXT, Kind.ID):
        raise ConfigurationError(f"field '{field.name}': '{operator}' compares text with text, found {value!r}")
    if operator in _PATTERNS:
        pattern = _PATTERNS[operator].format(_bounded(value).translate(_ESCAPE).replace("%", r"\%").replace("_", r"\_"))
    else:
        # The writer's own \% and \_ keep their meaning; every other backslash is a character.
        pattern = re.sub(r"\\\\([%_])", r"\\\1", _bounded(value).translate(_ESCAPE))
    like = f"{field.name} LIKE '{pattern}'"
    return f"(NOT {like})" if operator == "not_like" else like


def _bounded(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise ConfigurationError(f"a filter value has {len(value):,} characters; Salesforce takes {LONGEST_TEXT:,}")
    return value


def _text(value: Scalar, zone: str) -> str:
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, (date, time)):
        value = value.isoformat()
    return f"'{_bounded(str(value)).translate(_ESCAPE)}'"


def _boolean(value: Scalar, zone: str) -> str:
    words = {"true": "true", "false": "false", "1": "true", "0": "false", "yes": "true", "no": "false"}
    word = words.get(str(value).strip().lower())
    if word is None:
        raise ValueError(value)
    return word


def _number(value: Scalar, zone: str) -> str:
    if isinstance(value, bool):
        raise ValueError(value)
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(value)
    return format(number, "f")


def _date(value: Scalar, zone: str) -> str:
    if isinstance(value, str):
        if _RELATIVE.fullmatch(value.strip().upper()):
            return value.strip().upper()
        parsed = datetime.fromisoformat(value.strip())
        value = parsed if parsed.tzinfo else parsed.date()
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(zone)).date().isoformat() if value.tzinfo else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(value)


def _datetime(value: Scalar, zone: str) -> str:
    if isinstance(value, str):
        if _RELATIVE.fullmatch(value.strip().upper()):
            return value.strip().upper()
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime):
        return instant(value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone)))
    raise ValueError(value)


def _time(value: Scalar, zone: str) -> str:
    moment = time.fromisoformat(value.strip().removesuffix("Z")) if isinstance(value, str) else value
    if not isinstance(moment, time):
        raise ValueError(value)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


_LITERALS = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _number,
    Kind.BIGINT: _number,
    Kind.DECIMAL: _number,
    Kind.DOUBLE: _number,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.TIME: _time,
}
