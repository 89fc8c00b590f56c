"""OData v4 as Dataverse speaks it: literals, filters, query strings. Pure text, nothing is sent.

Every value that comes from outside passes :func:`literal` or :func:`text_literal` and is then percent-encoded whole by
:func:`query`, so that no value can end a literal, an option or the URL (dataverse-api.md §3.1, §3.2).
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import quote

from backhaul.errors import ConfigurationError, Fault
from backhaul.record import Condition, Field, Group, Kind, ObjectSchema, Scalar, Window

URL_LIMIT = 32_768
"""Characters of a GET URL at most (dataverse-api.md §0)."""
BATCHED_URL_LIMIT = 65_536
"""The same for a GET inside $batch."""

GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
MULTI_SELECT = "MultiSelectPicklist"

_PLAIN = re.compile(r"[\w .@+/:-]*")
"""Text that may stand in the JSON array of the In function; anything stranger is compared by `eq` instead."""
_COMPARISONS = {"eq": "eq", "ne": "ne", "gt": "gt", "ge": "ge", "lt": "lt", "le": "le"}
_TEXT_FUNCTIONS = {"contains": "contains", "starts_with": "startswith", "ends_with": "endswith"}


class NotExpressible(ValueError):
    """A value that is not of the field's kind. Its text is a sentence without a place; callers add theirs."""


# --- values ---------------------------------------------------------------------------------------------------------


def text_literal(value: str) -> str:
    """`value` as an OData string literal, not yet percent-encoded."""
    _encodable(value)
    return "'" + value.replace("'", "''") + "'"


def guid_of(value: Scalar) -> str:
    """`value` as a bare lower-case GUID; braces are dropped. Raises NotExpressible."""
    text = str(value).strip().strip("{}")
    if not GUID.fullmatch(text):
        raise NotExpressible(f"{value!r} is not a record id (a GUID such as 00000000-0000-0000-0000-000000000000)")
    return text.lower()


def number_of(value: Scalar) -> Decimal:
    """`value` as an exact finite number. Raises NotExpressible."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise NotExpressible(f"{value!r} is not a number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        raise NotExpressible(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise NotExpressible(f"{value!r} is not a finite number")
    return number


def number_text(number: Decimal) -> str:
    """A number without exponent, as JSON and OData both read it."""
    return format(number, "f") if number else "0"


def integer_of(value: Scalar) -> int:
    """`value` as a whole number. Raises NotExpressible."""
    number = number_of(value)
    if number != number.to_integral_value():
        raise NotExpressible(f"{value!r} is not a whole number")
    return int(number)


def boolean_of(value: Scalar) -> bool:
    """`value` as true or false; the words and 1 / 0 count too. Raises NotExpressible."""
    if isinstance(value, bool):
        return value
    known = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if known is None:
        raise NotExpressible(f"{value!r} is neither true nor false")
    return known


def date_of(value: Scalar) -> date:
    """`value` as a date; of an instant, its UTC date. Raises NotExpressible."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            return instant_of(value).date()
    raise NotExpressible(f"{value!r} is not a date (write 2026-03-01)")


def instant_of(value: Scalar) -> datetime:
    """`value` as an aware UTC instant; one without an offset is UTC, a date is its midnight. Raises NotExpressible."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise NotExpressible(f"{value!r} is not a time (write 2026-03-01T09:15:00Z)") from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        raise NotExpressible(f"{value!r} is not a time (write 2026-03-01T09:15:00Z)")
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise NotExpressible(f"{value!r} lies outside the years 1 to 9999") from None


def instant_text(value: datetime) -> str:
    """An instant as `2026-03-01T09:15:00Z`: whole seconds, which is all that Dataverse keeps (§3.9)."""
    return value.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def text_of(value: Scalar) -> str:
    """`value` as character data: what a person would write."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant_text(instant_of(value))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return number_text(number_of(value))
    return _encodable(str(value))


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotExpressible(f"{text!r} holds half a surrogate pair, which is no character") from None
    return text


def _fraction_literal(value: Scalar) -> str:
    """An instant for a comparison: with its fraction, if it has one."""
    instant = instant_of(value)
    text = instant.replace(tzinfo=None).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text + "Z"


_LITERALS: Mapping[Kind, Callable[[Scalar], str]] = {
    Kind.TEXT: lambda value: text_literal(text_of(value)),
    Kind.ID: guid_of,
    Kind.BOOLEAN: lambda value: "true" if boolean_of(value) else "false",
    Kind.INTEGER: lambda value: str(integer_of(value)),
    Kind.BIGINT: lambda value: str(integer_of(value)),
    Kind.DECIMAL: lambda value: number_text(number_of(value)),
    Kind.DOUBLE: lambda value: number_text(number_of(value)),
    Kind.DATE: lambda value: date_of(value).isoformat(),
    Kind.DATETIME: _fraction_literal,
    Kind.TIME: lambda value: text_literal(text_of(value)),
}


def literal(field: Field, value: Scalar) -> str:
    """`value` as an OData literal of the field's kind, not yet percent-encoded. Raises NotExpressible."""
    return "null" if value is None else _LITERALS[field.kind](value)


# --- filters --------------------------------------------------------------------------------------------------------


def field_of(schema: ObjectSchema, name: str) -> Field:
    """The field, or a ConfigurationError that suggests what may have been meant."""
    found = schema.fields.get(name)
    if found is None:
        close = difflib.get_close_matches(name.lower(), schema.fields, n=1)
        raise ConfigurationError(
            Fault(
                f"{schema.account}.{schema.name} has no field '{name}' that this user can read",
                allowed=tuple(schema.fields),
                hint=f"did you mean '{close[0]}'?" if close else "names are logical names, in lower case",
            )
        )
    return found


def asked_field(schema: ObjectSchema, name: str) -> Field:
    """A field that a query can ask by: an annotation, such as a label, is only ever read (§2.4)."""
    field = field_of(schema, name)
    if "@" in field.on_wire:
        base = next((base for base, beside in schema.companions.items() if name in beside), "")
        raise ConfigurationError(
            Fault(
                f"{schema.account}.{schema.name}: Dataverse cannot filter or order by '{name}'",
                hint=f"use '{base}', and its value rather than its label",
            )
        )
    return field


def selected(wires: Sequence[str]) -> list[str]:
    """What `$select` names for these columns: an annotation comes with the column that it stands beside."""
    return list(dict.fromkeys(wire.partition("@")[0] for wire in wires))


def annotated(wires: Sequence[str]) -> dict[str, str]:
    """The preference that brings the annotations among these columns: none, or one header."""
    wanted = ",".join(sorted({wire.partition("@")[2] for wire in wires} - {""}))
    return {"Prefer": f'odata.include-annotations="{wanted}"'} if wanted else {}


def window_filter(schema: ObjectSchema, window: Window) -> str:
    """The half-open window as a filter: start included, end excluded.

    Dataverse shows whole seconds. A start is floored and an end raised to the full second, so that a record which
    belongs to the window is never left out; one that belongs to its neighbour may be read twice.
    """
    name = field_of(schema, window.cursor).on_wire
    parts = []
    if window.start is not None:
        parts.append(f"{name} ge {instant_text(window.start)}")
    end = window.end if not window.end.microsecond else window.end + timedelta(seconds=1)
    parts.append(f"{name} lt {instant_text(end)}")
    return " and ".join(parts)


def group_filter(schema: ObjectSchema, group: Group) -> str:
    """A declared filter as an OData expression. Raises ConfigurationError for what Dataverse cannot be asked."""
    if not group.items:
        raise ConfigurationError(f"{schema.account}.{schema.name}: a level of the filter is empty")
    texts = [
        f"({group_filter(schema, item)})" if isinstance(item, Group) else condition(schema, item)
        for item in group.items
    ]
    return (" and " if group.all_of else " or ").join(texts)


def condition(schema: ObjectSchema, item: Condition) -> str:
    """One comparison as an OData expression that can stand beside `and` and `or`."""
    field = asked_field(schema, item.field)
    try:
        return _condition(field, item.operator, item.value)
    except NotExpressible as error:
        raise ConfigurationError(
            Fault(
                f"{schema.account}.{schema.name}: filter '{item.field} {item.operator}': {error}",
                hint=f"'{item.field}' is of type {field.vendor_type}",
            )
        ) from None


def _condition(field: Field, operator: str, value: Scalar | tuple[Scalar, ...]) -> str:
    name = field.on_wire
    if operator in ("is_null", "is_not_null"):
        return f"{name} {'eq' if operator == 'is_null' else 'ne'} null"
    if operator in ("in", "not_in"):
        values = value if isinstance(value, tuple) else (value,)
        return one_of(field, values) if operator == "in" else none_of(field, values)
    if isinstance(value, tuple):
        raise NotExpressible("a list of values needs the operator in or not_in")
    if operator in _COMPARISONS:
        if value is None and operator not in ("eq", "ne"):
            raise NotExpressible("nothing is greater or less than null; use is_null or is_not_null")
        if field.vendor_type == MULTI_SELECT and value is not None:
            raise NotExpressible("a multi-select choice is asked with contains, in or not_in")
        return f"{name} {_COMPARISONS[operator]} {literal(field, value)}"
    if value is None:
        raise NotExpressible("null is compared with is_null or is_not_null")
    if operator == "contains" and field.vendor_type == MULTI_SELECT:
        return _values_function("ContainValues", field, (value,))
    if field.kind is not Kind.TEXT or field.vendor_type == MULTI_SELECT:
        raise NotExpressible("this operator compares text only")
    if operator in _TEXT_FUNCTIONS:
        return f"{_TEXT_FUNCTIONS[operator]}({name},{text_literal(_without_wildcards(text_of(value)))})"
    if operator in ("like", "not_like"):
        pattern = _like(name, text_of(value))
        return pattern if operator == "like" else f"not ({pattern})"
    raise NotExpressible(f"Dataverse has no operator '{operator}'")


def one_of(field: Field, values: Sequence[Scalar]) -> str:
    """`field` equals one of `values` (none: never true), in parentheses where `and` could bind it wrongly.

    OData 4.0 has no `in`; the In function takes a JSON array, whose quoting differs from a literal's. Plain values go
    there, as it keeps long lists short; text with quotes, brackets or the like is compared by `eq` (§3.2).
    """
    return _membership(field, values, ("In", "ContainValues"), "eq", " or ")


def none_of(field: Field, values: Sequence[Scalar]) -> str:
    """`field` equals none of `values` (none: always true)."""
    return _membership(field, values, ("NotIn", "DoesNotContainValues"), "ne", " and ")


def _membership(field: Field, values: Sequence[Scalar], functions: tuple[str, str], comparison: str, joint: str) -> str:
    name = field.on_wire
    if not values:
        return f"({name} {comparison} null{' and ' if comparison == 'eq' else ' or '}{name} {_other(comparison)} null)"
    if field.vendor_type == MULTI_SELECT:
        return _values_function(functions[1], field, tuple(values))
    listed: list[Scalar] = []
    single: list[Scalar] = []
    for value in dict.fromkeys(values):
        whole = value is not None and field.kind in (Kind.TEXT, Kind.ID, Kind.INTEGER, Kind.BIGINT)
        # A lookup goes by two names, and which of them a function takes is written nowhere.
        whole = whole and field.on_wire == field.name
        (listed if whole and _PLAIN.fullmatch(text_of(value)) else single).append(value)
    if len(listed) == 1:
        single, listed = single + listed, []
    texts = [_values_function(functions[0], field, tuple(listed))] if listed else []
    texts += [f"{name} {comparison} {literal(field, value)}" for value in single]
    return texts[0] if len(texts) == 1 else f"({joint.join(texts)})"


def _other(comparison: str) -> str:
    return "ne" if comparison == "eq" else "eq"


def _values_function(function: str, field: Field, values: tuple[Scalar, ...]) -> str:
    """A query function over a list of values in JSON, of which each is text (§3.2)."""
    listed = []
    for value in values:
        if field.kind is Kind.ID:
            listed.append(guid_of(value))
        elif field.vendor_type == MULTI_SELECT or field.kind in (Kind.INTEGER, Kind.BIGINT):
            listed.append(str(integer_of(value)))
        else:
            listed.append(text_of(value))
    array = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return f"Microsoft.Dynamics.CRM.{function}(PropertyName={text_literal(field.name)},PropertyValues={array})"


def _without_wildcards(text: str) -> str:
    """Dataverse hands the text functions to SQL's LIKE: what LIKE would interpret is put into brackets (§3.2)."""
    return re.sub(r"[\[%_]", lambda match: f"[{match[0]}]", text)


def _like(name: str, pattern: str) -> str:
    """A pattern with % and _ in terms of contains, startswith and endswith, whose text keeps inner wildcards.

    An anchored pattern a%b is `startswith(a%b) and endswith(a%b)`, which is the same where at least one % stands
    inside; without any, only `eq` can anchor both ends, and `eq` knows no wildcards.
    """
    body = pattern.strip("%").replace("[", "[[]")
    opened, closed = pattern.startswith("%"), pattern.endswith("%")
    if not body:
        return f"{name} ne null" if pattern else f"{name} eq ''"
    text = text_literal(body)
    if opened and closed:
        return f"contains({name},{text})"
    if closed:
        return f"startswith({name},{text})"
    if opened:
        return f"endswith({name},{text})"
    if "%" in body:
        return f"(startswith({name},{text}) and endswith({name},{text}))"
    if "_" in body:
        raise NotExpressible(f"the pattern {pattern!r} has _ but no %, which Dataverse cannot be asked")
    return f"{name} eq {text_literal(pattern)}"


# --- URLs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """The options of a retrieval, as plain text; :func:`query` encodes them."""

    select: Sequence[str]
    filter: str = ""
    order_by: Sequence[str] = ()
    count: bool = False
    top: int | None = None


def query(entity_set: str, options: Query) -> str:
    """The path below the service root with its query string, percent-encoded."""
    parts = [f"$select={','.join(options.select)}"]
    if options.filter:
        parts.append(f"$filter={quote(options.filter, safe=_UNESCAPED)}")
    if options.order_by:
        parts.append(f"$orderby={quote(','.join(options.order_by), safe=_UNESCAPED)}")
    if options.count:
        parts.append("$count=true")
    if options.top is not None:
        parts.append(f"$top={options.top}")
    return f"{entity_set}?{'&'.join(parts)}"


_UNESCAPED = "-._~(),:$"
"""Left as they are in a query: they neither end an option nor mean anything to a proxy. Quotes are escaped, too."""


def key_path(entity_set: str, values: Mapping[str, tuple[Field, Scalar]]) -> str:
    """`contacts(emailaddress1='a@b.c')`: a record by alternate key, percent-encoded. Raises NotExpressible."""
    parts = []
    for field, value in values.values():
        if value is None:
            raise NotExpressible(f"the key field '{field.name}' is empty")
        parts.append(f"{field.on_wire}={quote(literal(field, value), safe=_UNESCAPED)}")
    return f"{entity_set}({','.join(parts)})"


UNSAFE_IN_KEY = frozenset("/<>*%&:\\?+#")
"""Characters with which a record cannot be addressed by key even when encoded (§5.2); # by prudence."""


def chunks_by_length(
    values: Sequence[str], most: int, length: Callable[[Sequence[str]], int], limit: int
) -> list[list[str]]:
    """`values` in runs of at most `most` whose `length` (of the URL they make) stays within `limit`.

    A single value that is too long stands alone; whoever sends it decides what to do.
    """
    result: list[list[str]] = []
    queue = [list(values[start : start + most]) for start in range(0, len(values), most)]
    while queue:
        run = queue.pop(0)
        if len(run) > 1 and length(run) > limit:
            middle = math.ceil(len(run) / 2)
            queue[:0] = [run[:middle], run[middle:]]
        else:
            result.append(run)
    return result
