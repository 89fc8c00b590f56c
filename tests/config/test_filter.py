"""Filters: nesting, operators, and values that keep their types."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from backhaul.config import FieldConfig, ObjectConfig, load_project
from backhaul.record import Condition, Group, Scalar

from .projects import ENVIRON, write


def read(tmp_path: Path, text: str, **variables: object) -> Group | None:
    source = f"account: salesforce\nobjects:\n  Lead:\n    fields: [A]\n    filter: {text}\n"
    write(tmp_path, {"sources/salesforce.yml": source, "pipelines/contacts.yml": None})
    return load_project(tmp_path, variables=variables, environ=ENVIRON).sources["salesforce"].objects["Lead"].filter


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", "x"),
        ("NO", "NO"),
        ("'5'", "5"),
        ("007", "007"),
        ("5", 5),
        ("-3", -3),
        ("0.1", 0.1),
        ("12345678901234567.89", Decimal("12345678901234567.89")),
        ("true", True),
        ("''", ""),
        ("2024-01-31", date(2024, 1, 31)),
        ("2024-01-31T10:00:00", datetime(2024, 1, 31, 10, tzinfo=UTC)),
        ("2024-01-31T10:00:00+02:00", datetime(2024, 1, 31, 8, tzinfo=UTC)),
        ("\"{{ var('number') }}\"", 7),
        ("\"{{ var('day') }}\"", date(2024, 2, 1)),
        ("\"{{ var('number') }}!\"", "7!"),
        ("\"{{ var('quoted') }}\"", "O'Neil"),
    ],
)
def test_values_keep_their_types(tmp_path: Path, text: str, value: Scalar) -> None:
    group = read(tmp_path, f"{{field: F, eq: {text}}}", number=7, day=date(2024, 2, 1), quoted="O'Neil")

    assert group == Group(True, (Condition("F", "eq", value),))
    assert isinstance(group.items[0], Condition)
    assert type(group.items[0].value) is type(value)


@pytest.mark.parametrize(
    "operator", ["eq", "ne", "gt", "ge", "lt", "le", "like", "not_like", "starts_with", "ends_with", "contains"]
)
def test_operators_with_one_value(tmp_path: Path, operator: str) -> None:
    assert read(tmp_path, f"{{field: F, {operator}: a%}}") == Group(True, (Condition("F", operator, "a%"),))


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("is: null", Condition("F", "is_null")),
        ("is: 'null'", Condition("F", "is_null")),
        ("is: not_null", Condition("F", "is_not_null")),
        ("in: [a, 5, 2024-01-01]", Condition("F", "in", ("a", 5, date(2024, 1, 1)))),
        ("not_in: [a]", Condition("F", "not_in", ("a",))),
        ("in: \"{{ var('list') }}\"", Condition("F", "in", ("a", 1))),
    ],
)
def test_other_operators(tmp_path: Path, text: str, condition: Condition) -> None:
    assert read(tmp_path, f"{{field: F, {text}}}", list=["a", 1]) == Group(True, (condition,))


def test_levels_nest(tmp_path: Path) -> None:
    a, b, c = (Condition(name, "eq", 1) for name in "ABC")
    text = "{any: [{all: [{field: A, eq: 1}, {any: [{field: B, eq: 1}]}]}, {field: C, eq: 1}]}"

    assert read(tmp_path, text) == Group(False, (Group(True, (a, Group(False, (b,)))), c))


def test_a_group_made_in_python_is_taken() -> None:
    group = Group(True, (Condition("A", "is_null"),))

    config = ObjectConfig(name="Contact", fields=[FieldConfig(name="A")], filter=group)

    assert config.filter is group
