"""Filters, literals and URLs: what is said must be what arrives, whatever the values hold."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm.dynamics import metadata, odata
from backhaul.errors import ConfigurationError
from backhaul.record import Condition, Group, Scalar, Window
from tests.examples import examples

from .environment import ATTRIBUTES, CASTS, DEFINITIONS, KEYS

SCHEMA = metadata.table(
    "dynamics", DEFINITIONS[0], ATTRIBUTES, [entry for replies in CASTS.values() for entry in replies], KEYS
).schema
ID = "0a1b2c3d-0000-0000-0000-00000000000f"


def said(field: str, operator: str, value: Any = None) -> str:
    return odata.condition(SCHEMA, Condition(field, operator, value))


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("lastname", "eq", "O'Brien", "lastname eq 'O''Brien'"),
        ("lastname", "ne", None, "lastname ne null"),
        ("lastname", "is_null", None, "lastname eq null"),
        ("lastname", "is_not_null", None, "lastname ne null"),
        ("lastname", "contains", "a%b_c[d", "contains(lastname,'a[%]b[_]c[[]d')"),
        ("lastname", "starts_with", "Mac", "startswith(lastname,'Mac')"),
        ("lastname", "ends_with", "son", "endswith(lastname,'son')"),
        ("lastname", "like", "%son%", "contains(lastname,'son')"),
        ("lastname", "like", "Mac%", "startswith(lastname,'Mac')"),
        ("lastname", "like", "%s_n", "endswith(lastname,'s_n')"),
        ("lastname", "like", "a%b", "(startswith(lastname,'a%b') and endswith(lastname,'a%b'))"),
        ("lastname", "like", "Smith", "lastname eq 'Smith'"),
        ("lastname", "like", "%", "lastname ne null"),
        ("lastname", "not_like", "%son", "not (endswith(lastname,'son'))"),
        ("contactid", "eq", "{0A1B2C3D-0000-0000-0000-00000000000F}", f"contactid eq {ID}"),
        ("ownerid", "eq", ID, f"_ownerid_value eq {ID}"),
        (
            "contactid",
            "in",
            (ID, ID.replace("f", "e").upper()),
            f'Microsoft.Dynamics.CRM.In(PropertyName=\'contactid\',PropertyValues=["{ID}","{ID.replace("f", "e")}"])',
        ),
        ("ownerid", "in", (ID, None), f"(_ownerid_value eq {ID} or _ownerid_value eq null)"),
        ("lastname", "in", ("A", "B"), 'Microsoft.Dynamics.CRM.In(PropertyName=\'lastname\',PropertyValues=["A","B"])'),
        ("lastname", "in", ("A",), "lastname eq 'A'"),
        ("lastname", "in", ("A'", None, "A'"), "(lastname eq 'A''' or lastname eq null)"),
        ("lastname", "not_in", ("A'", 'B"'), "(lastname ne 'A''' and lastname ne 'B\"')"),
        ("lastname", "in", (), "(lastname eq null and lastname ne null)"),
        ("lastname", "not_in", (), "(lastname ne null or lastname eq null)"),
        ("statecode", "in", ("0", 1), 'Microsoft.Dynamics.CRM.In(PropertyName=\'statecode\',PropertyValues=["0","1"])'),
        ("statecode", "eq", "0", "statecode eq 0"),
        ("donotbulkemail", "eq", "true", "donotbulkemail eq true"),
        ("annualincome", "gt", "100000", "annualincome gt 100000"),
        ("annualincome", "gt", Decimal("1E+5"), "annualincome gt 100000"),
        ("address1_latitude", "lt", 1e-7, "address1_latitude lt 0.0000001"),
        ("birthdate", "ge", date(1999, 12, 31), "birthdate ge 1999-12-31"),
        ("birthdate", "eq", "1999-12-31", "birthdate eq 1999-12-31"),
        ("createdon", "ge", "2026-01-01", "createdon ge 2026-01-01T00:00:00Z"),
        ("createdon", "ge", "2026-01-01T02:00:00+02:00", "createdon ge 2026-01-01T00:00:00Z"),
        ("createdon", "lt", datetime(2026, 1, 1, 0, 0, 0, 5000, UTC), "createdon lt 2026-01-01T00:00:00.005Z"),
        (
            "new_topics",
            "contains",
            "9",
            "Microsoft.Dynamics.CRM.ContainValues(PropertyName='new_topics',PropertyValues=[\"9\"])",
        ),
        (
            "new_topics",
            "not_in",
            (1, 9),
            'Microsoft.Dynamics.CRM.DoesNotContainValues(PropertyName=\'new_topics\',PropertyValues=["1","9"])',
        ),
    ],
)
def test_conditions(field: str, operator: str, value: Any, expected: str) -> None:
    assert said(field, operator, value) == expected


@pytest.mark.parametrize(
    ("field", "operator", "value", "because"),
    [
        ("statecode", "eq", "active", "'active' is not a number"),
        ("statecode", "eq", 1.5, "not a whole number"),
        ("statecode", "eq", True, "True is not a number"),
        ("annualincome", "gt", "NaN", "not a finite number"),
        ("createdon", "ge", "yesterday", "'yesterday' is not a time"),
        ("contactid", "eq", "7", "'7' is not a record id"),
        ("donotbulkemail", "eq", "maybe", "neither true nor false"),
        ("createdon", "like", "2026%", "compares text only"),
        ("lastname", "gt", None, "nothing is greater"),
        ("lastname", "eq", ("a", "b"), "needs the operator in"),
        ("lastname", "like", "a_c", "has _ but no %"),
        ("lastname", "sounds_like", "x", "no operator 'sounds_like'"),
        ("new_topics", "eq", "1,9", "asked with contains"),
        ("lastname", "eq", "\ud800", "half a surrogate"),
        ("lastnam", "eq", "x", "has no field 'lastnam'"),
    ],
)
def test_what_cannot_be_asked_is_a_configuration_fault(field: str, operator: str, value: Any, because: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(because)):
        said(field, operator, value)


def test_levels_keep_their_own_operator() -> None:
    inner = Group(False, (Condition("statecode", "eq", 0), Condition("lastname", "is_null")))
    outer = Group(True, (Condition("firstname", "eq", "A"), inner))
    assert odata.group_filter(SCHEMA, outer) == "firstname eq 'A' and (statecode eq 0 or lastname eq null)"
    with pytest.raises(ConfigurationError, match="a level of the filter is empty"):
        odata.group_filter(SCHEMA, Group(True, ()))


def test_a_window_is_half_open_in_whole_seconds() -> None:
    start = datetime(2026, 3, 1, 9, 15, 0, 900_000, UTC)
    end = datetime(2026, 3, 1, 12, 0, 0, 1, timezone(timedelta(hours=2)))
    assert odata.window_filter(SCHEMA, Window("modifiedon", start, end)) == (
        "modifiedon ge 2026-03-01T09:15:00Z and modifiedon lt 2026-03-01T10:00:01Z"
    )
    assert odata.window_filter(SCHEMA, Window("modifiedon", None, datetime(2026, 3, 1, tzinfo=UTC))) == (
        "modifiedon lt 2026-03-01T00:00:00Z"
    )


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30) | st.sampled_from(
    [
        "' or 1 eq 1 or '",
        "a&$filter=x",
        "a#b",
        "%27",
        "+",
        '"]) or (x eq "',
        "a\r\nb",
        "\\",
        "null",
        "💥",
        "\0",
        "'" * 7,
    ]
)


@settings(max_examples=examples(80), deadline=None)
@given(HOSTILE)
def test_a_hostile_value_arrives_as_it_is_and_as_nothing_else(value: str) -> None:
    path = odata.query("contacts", odata.Query(["contactid"], said("lastname", "eq", value), ["contactid"], True))
    assert path.isascii() and path.isprintable() and " " not in path and "#" not in path
    options = dict(parse_qsl(urlsplit("https://x/" + path).query, keep_blank_values=True, strict_parsing=True))
    assert list(options) == ["$select", "$filter", "$orderby", "$count"]
    literal = options["$filter"].removeprefix("lastname eq ")
    assert re.fullmatch(r"'(?:[^']|'')*'", literal)
    assert literal[1:-1].replace("''", "'") == value


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(HOSTILE, min_size=1, max_size=5))
def test_membership_names_each_value_once(values: list[str]) -> None:
    text = odata.one_of(SCHEMA.fields["lastname"], values)
    array = re.search(r"PropertyValues=(\[.*?\])\)(?: or |\)?\Z)", text, re.S)
    listed = json.loads(array[1]) if array else []
    compared = [part.replace("''", "'") for part in re.findall(r"lastname eq '((?:[^']|'')*)'", text, re.S)]
    assert sorted(listed + compared) == sorted(set(values))


@settings(max_examples=examples(40), deadline=None)
@given(HOSTILE)
def test_a_key_in_a_path_cannot_leave_its_parentheses(value: str) -> None:
    path = odata.key_path("contacts", {"new_membernumber": (SCHEMA.fields["new_membernumber"], value)})
    assert urlsplit("https://x/" + path).path == "/" + path
    literal = unquote(path).removeprefix("contacts(new_membernumber=").removesuffix(")")
    assert literal[1:-1].replace("''", "'") == value


def test_runs_stay_within_the_length() -> None:
    values = [str(n) * 10 for n in range(9)]

    def length(some: Any) -> int:
        return sum(map(len, some))

    runs = odata.chunks_by_length(values, 5, length, 25)
    assert [value for run in runs for value in run] == values
    assert all(length(run) <= 25 for run in runs)
    assert odata.chunks_by_length(["x" * 30], 5, length, 25) == [["x" * 30]]


@settings(max_examples=examples(50), deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=10))
def test_numbers_are_written_without_exponent_and_exactly(number: Decimal) -> None:
    text = odata.number_text(number)
    assert re.fullmatch(r"-?\d+(\.\d+)?", text)
    assert Decimal(text) == number


def test_scalars_of_any_type_become_text() -> None:
    values: list[Scalar] = [True, 7, Decimal("7.50"), date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=UTC), "x"]
    assert [odata.text_of(value) for value in values] == [
        "true",
        "7",
        "7.50",
        "2026-01-02",
        "2026-01-02T03:00:00Z",
        "x",
    ]
