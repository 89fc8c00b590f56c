"""The `filter` of an object: nested levels of all / any read into :class:`backhaul.record.Group`.

Values stay typed scalars (text, true / false, whole numbers, decimals, dates, instants in UTC); nothing is quoted or
formatted here. A condition on its own means a level of one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pydantic import ValidationInfo

from backhaul.config.reading import Marked, Reading, show
from backhaul.config.render import RenderedScalar
from backhaul.config.values import RELATED, refusal
from backhaul.record import Condition, Group, Scalar
from backhaul.yaml_marks import MarkedList, MarkedMapping, MarkedScalar, Node, suggest

LEVELS = ("all", "any")
ORDERED = ("gt", "ge", "lt", "le")
TEXTUAL = ("like", "not_like", "starts_with", "ends_with", "contains")
MEMBERSHIP = ("in", "not_in")
NULL_TESTS = {"null": "is_null", "not_null": "is_not_null"}
OPERATORS = ("is", "eq", "ne", *ORDERED, *MEMBERSHIP, *TEXTUAL)
_SYNONYMS = {
    "=": "eq", "==": "eq", "equal": "eq", "equals": "eq", "!=": "ne", "<>": "ne", "not": "ne", ">": "gt", ">=": "ge",
    "gte": "ge", "<": "lt", "<=": "le", "lte": "le", "and": "all", "or": "any", "one_of": "in", "nin": "not_in",
}  # fmt: skip
_FIELD = re.compile(RELATED)


def read_filter(value: Any, info: ValidationInfo) -> Group | None:
    """The filter of a mapping; what is wrong with it goes to the reading's faults. A Group passes through."""
    if value is None or isinstance(value, Group):
        return value
    reading = info.context
    if not isinstance(value, Marked) or not isinstance(reading, Reading):
        raise refusal("wants a mapping with 'all', 'any' or one condition")
    item = _item(value.node, reading)
    return item if isinstance(item, Group) or item is None else Group(True, (item,))


def _item(node: Node, reading: Reading) -> Condition | Group | None:
    if not isinstance(node, MarkedMapping):
        reading.add(
            f"an item of a filter wants a condition or a level, found {show(node)}",
            node.where,
            allowed=("{field: Email, is: not_null}", "{any: [...]}", "{all: [...]}"),
        )
        return None
    levels = [key for key in LEVELS if key in node]
    if levels and len(node) > 1:
        reading.add(
            f"a level of a filter has one key, {' or '.join(map(repr, LEVELS))}, found {_keys(node)}",
            node.where,
            hint="nest the other one as an item of its own",
        )
        return None
    return _level(levels[0], node.entries[levels[0]], reading) if levels else _condition(node, reading)


def _keys(node: MarkedMapping) -> str:
    return ", ".join(repr(key) for key in node)


def _level(name: str, node: Node, reading: Reading) -> Group | None:
    if not isinstance(node, MarkedList) or not node.items:
        found = show(node) if not isinstance(node, MarkedList) else "an empty list"
        reading.add(f"{name!r} wants a list of conditions, found {found}", node.where)
        return None
    items = [_item(item, reading) for item in node.items]
    return Group(name == "all", tuple(item for item in items if item is not None))


def _condition(node: MarkedMapping, reading: Reading) -> Condition | None:
    known = ("field", *OPERATORS)
    unknown = [key for key in node if key not in known]
    for key in unknown:
        hint = f"did you mean {_SYNONYMS[key]!r}?" if key in _SYNONYMS else suggest(key, (*known, *LEVELS))
        reading.add(f"{key!r} is not a key of a filter", node.place(key), allowed=(*LEVELS, *known), hint=hint)
    operators = [key for key in node if key in OPERATORS]
    field = _field(node, reading)
    if len(operators) != 1:
        if not (unknown and not operators):
            found = "none" if not operators else ", ".join(repr(key) for key in operators)
            reading.add(f"a condition wants exactly one operator, found {found}", node.where, allowed=OPERATORS)
        return None
    operator = operators[0]
    value_node = node.entries[operator]
    if isinstance(value_node, RenderedScalar) and value_node.pending:
        return None
    if operator == "is":
        return _null_test(field, value_node, reading)
    if operator in MEMBERSHIP:
        values = _members(operator, value_node, reading)
        return Condition(field, operator, values) if field and values else None
    value = _scalar(operator, value_node, reading)
    if value is None or not field or not _fits(operator, value, value_node, reading):
        return None
    return Condition(field, operator, value)


def _field(node: MarkedMapping, reading: Reading) -> str:
    field = node.get("field")
    if field is None:
        reading.add("a condition has no 'field'", node.where, hint="add 'field:', the API name of a field")
        return ""
    if isinstance(field, RenderedScalar) and field.pending:
        return ""
    value = field.value if isinstance(field, MarkedScalar) else None
    if isinstance(value, str) and _FIELD.fullmatch(value):
        return value
    reading.add(f"'field' wants the API name of a field, found {show(field)}", field.where)
    return ""


def _null_test(field: str, node: Node, reading: Reading) -> Condition | None:
    value = node.value if isinstance(node, MarkedScalar) else ""
    word = "null" if isinstance(node, MarkedScalar) and value is None else value
    if isinstance(word, str) and word in NULL_TESTS:
        return Condition(field, NULL_TESTS[word]) if field else None
    hint = suggest(word, NULL_TESTS) if isinstance(word, str) and word else "for a value use eq"
    reading.add(
        f"'is' wants one of the allowed words, found {show(node)}", node.where, allowed=tuple(NULL_TESTS), hint=hint
    )
    return None


def _members(operator: str, node: Node, reading: Reading) -> tuple[Scalar, ...]:
    """The values of in / not_in: a list, or one variable that holds a list."""
    if isinstance(node, MarkedScalar) and isinstance(node.value, list | tuple):
        hidden = isinstance(node, RenderedScalar) and node.hidden
        leaves: tuple[Node, ...] = tuple(
            RenderedScalar(node.where, item, str(item), hidden=hidden) for item in node.value
        )
    elif isinstance(node, MarkedList):
        leaves = node.items
    else:
        reading.add(f"{operator!r} wants a list of values, found {show(node)}", node.where, hint="write [a, b]")
        return ()
    if not leaves:
        reading.add(f"{operator!r} wants at least one value", node.where)
    values = [_scalar(operator, leaf, reading) for leaf in leaves]
    return tuple(value for value in values if value is not None)


def _scalar(operator: str, node: Node, reading: Reading) -> Scalar:
    if isinstance(node, RenderedScalar) and node.pending:
        return None
    if not isinstance(node, MarkedScalar):
        reading.add(f"{operator!r} wants a single value, found {show(node)}", node.where)
        return None
    value = node.value
    if value is None:
        reading.add(f"{operator!r} cannot compare with nothing", node.where, hint="use `is: null` or `is: not_null`")
        return None
    typed = typed_scalar(value, node.text)
    if typed is None:
        reading.add(f"{operator!r} wants text, a number, a date or true / false, found {show(node)}", node.where)
    return typed


def typed_scalar(value: object, text: str) -> Scalar:
    """A value as filters carry it: naive datetimes are UTC, decimals that a float would bend stay exact.

    None for a value of any other type, and for numbers that are not finite.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return value if _same(text, value) else Decimal(text)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, str | bool | int | date | time) else None


def _same(text: str, value: float) -> bool:
    try:
        return Decimal(text) == Decimal(repr(value))
    except ArithmeticError:
        return True


def _fits(operator: str, value: Scalar, node: Node, reading: Reading) -> bool:
    checks: tuple[tuple[tuple[str, ...], Callable[[Scalar], bool], str], ...] = (
        (ORDERED, lambda item: not isinstance(item, bool), "compares by size, which true and false do not have"),
        (TEXTUAL, lambda item: isinstance(item, str), f"wants text, found {show(node)}"),
    )
    for operators, fits, problem in checks:
        if operator in operators and not fits(value):
            reading.add(
                f"{operator!r} {problem}",
                node.where,
                hint="put it in quotes if text is meant" if "text" in problem else "",
            )
            return False
    return True
