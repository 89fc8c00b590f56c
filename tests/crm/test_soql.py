"""SOQL is built from parts that no value can bend; dates stand unquoted, text escaped (salesforce-api.md §4.3)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm.salesforce.soql import instant, literal, select
from backhaul.errors import ConfigurationError
from backhaul.record import Condition, Extract, Field, Group, Kind, ObjectSchema, Window
from tests.examples import examples

FIELDS = {
    name: Field(name, name, vendor, kind, nullable=name != "SystemModstamp", filterable=name != "Description")
    for name, vendor, kind in (
        ("Id", "id", Kind.ID),
        ("LastName", "string", Kind.TEXT),
        ("Description", "textarea", Kind.TEXT),
        ("Topics__c", "multipicklist", Kind.TEXT),
        ("Opted", "boolean", Kind.BOOLEAN),
        ("Revenue", "currency", Kind.DECIMAL),
        ("Birthdate", "date", Kind.DATE),
        ("CreatedDate", "datetime", Kind.DATETIME),
        ("SystemModstamp", "datetime", Kind.DATETIME),
        ("Last_Open__c", "datetime", Kind.DATETIME),
        ("Opens", "time", Kind.TIME),
    )
}
CONTACT = ObjectSchema("salesforce", "Contact", "Contact", "Id", FIELDS, ("SystemModstamp",))
END = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def where(*items: Any, all_of: bool = True, zone: str = "UTC") -> str:
    text = select(Extract("Contact", ("Id",), filter=Group(all_of, items)), CONTACT, zone)
    return text.removeprefix("SELECT Id FROM Contact WHERE ")


def test_the_whole_statement() -> None:
    query = Extract(
        "Contact",
        ("Id", "LastName", "SystemModstamp"),
        window=Window("SystemModstamp", END - timedelta(days=1), END),
        filter=Group(
            True,
            (
                Condition("LastName", "is_not_null"),
                Group(False, (Condition("Revenue", "gt", 100000), Condition("Topics__c", "in", ("Hot", "Warm")))),
            ),
        ),
        order_by=(("LastName", False), ("CreatedDate", True)),
    )
    assert select(query, CONTACT) == (
        "SELECT Id, LastName, SystemModstamp FROM Contact"
        " WHERE SystemModstamp >= 2026-11-22T10:00:00.000Z AND SystemModstamp < 2026-11-23T10:00:00.000Z"
        " AND (LastName != null AND (Revenue > 100000 OR Topics__c INCLUDES ('Hot', 'Warm')))"
        " ORDER BY LastName, CreatedDate DESC"
    )


def test_the_first_window_has_no_start_and_keeps_rows_without_a_stamp() -> None:
    first = Extract("Contact", ("Id",), window=Window("SystemModstamp", None, END))
    assert select(first, CONTACT).endswith("WHERE SystemModstamp < 2026-11-23T10:00:00.000Z")
    nullable = Extract("Contact", ("Id",), window=Window("Last_Open__c", None, END))
    assert select(nullable, CONTACT).endswith("WHERE (Last_Open__c < 2026-11-23T10:00:00.000Z OR Last_Open__c = null)")


@pytest.mark.parametrize(
    ("condition", "soql"),
    [
        (Condition("LastName", "eq", "O'Neil"), r"LastName = 'O\'Neil'"),
        (Condition("LastName", "ne", "a\\b\nc"), r"LastName != 'a\\b\nc'"),
        (Condition("LastName", "eq", 7), "LastName = '7'"),
        (Condition("LastName", "eq", None), "LastName = null"),
        (Condition("Opted", "eq", True), "Opted = true"),
        (Condition("Opted", "eq", "False"), "Opted = false"),
        (Condition("Revenue", "ge", "1e3"), "Revenue >= 1000"),
        (Condition("Revenue", "lt", Decimal("0.10")), "Revenue < 0.10"),
        (Condition("Birthdate", "ge", date(1990, 2, 3)), "Birthdate >= 1990-02-03"),
        (Condition("Birthdate", "le", "1990-02-03"), "Birthdate <= 1990-02-03"),
        (Condition("Birthdate", "ge", "last_n_days:30"), "Birthdate >= LAST_N_DAYS:30"),
        (Condition("CreatedDate", "ge", "2026-01-02"), "CreatedDate >= 2026-01-02T00:00:00.000Z"),
        (Condition("CreatedDate", "gt", "2026-01-02T03:04:05+02:00"), "CreatedDate > 2026-01-02T01:04:05.000Z"),
        (Condition("Opens", "eq", time(8, 30)), "Opens = 08:30:00.000Z"),
        (Condition("LastName", "starts_with", "50%_"), r"LastName LIKE '50\%\_%'"),
        (Condition("LastName", "contains", "'"), r"LastName LIKE '%\'%'"),
        (Condition("LastName", "ends_with", "son"), "LastName LIKE '%son'"),
        (Condition("LastName", "like", r"A%\%"), r"LastName LIKE 'A%\%'"),
        (Condition("LastName", "not_like", "A%"), "(NOT LastName LIKE 'A%')"),
        (Condition("Topics__c", "contains", "News"), "Topics__c INCLUDES ('News')"),
        (Condition("Topics__c", "not_in", ("A", "B")), "Topics__c EXCLUDES ('A', 'B')"),
        (Condition("LastName", "in", ("a", None)), "(LastName IN ('a') OR LastName = null)"),
        (Condition("LastName", "not_in", ("a", None)), "(LastName NOT IN ('a') AND LastName != null)"),
        (Condition("LastName", "in", ()), "Id = null"),
        (Condition("LastName", "is_null"), "LastName = null"),
    ],
)
def test_one_comparison(condition: Condition, soql: str) -> None:
    assert where(condition) == soql


def test_a_date_without_a_zone_is_meant_in_the_accounts_zone() -> None:
    assert where(Condition("CreatedDate", "ge", "2026-07-01"), zone="Europe/Berlin") == (
        "CreatedDate >= 2026-06-30T22:00:00.000Z"
    )
    assert where(Condition("Birthdate", "eq", datetime(2026, 6, 30, 23, 0, tzinfo=UTC)), zone="Asia/Tokyo") == (
        "Birthdate = 2026-07-01"
    )


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (Condition("Lastname", "eq", "x"), "did you mean 'LastName'?"),
        (Condition("Description", "eq", "x"), "cannot be filtered"),
        (Condition("Birthdate", "eq", "yesterday-ish"), "no date value"),
        (Condition("CreatedDate", "ge", "2026-01-01 OR Id != null"), "no datetime value"),
        (Condition("Revenue", "gt", "1 OR Id != null"), "no decimal value"),
        (Condition("Revenue", "gt", float("nan")), "no decimal value"),
        (Condition("Opted", "eq", "maybe"), "no boolean value"),
        (Condition("Revenue", "like", "1%"), "compares text with text"),
        (Condition("LastName", "eq", ("a", "b")), "use in or not_in"),
        (Condition("LastName", "matches", "x"), "unknown operator 'matches'"),
        (Condition("LastName", "eq", "x" * 4001), "4,001 characters"),
    ],
)
def test_what_cannot_be_asked_says_why(condition: Condition, told: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        where(condition)


def test_every_unknown_field_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        select(Extract("Contact", ("Id", "FirstNme", "Gone__c")), CONTACT)
    assert len(raised.value.faults) == 2


STRING = re.compile(r"'(?:[^'\\]|\\[\\'nrtbf\"])*'", re.DOTALL)
UNESCAPE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@settings(max_examples=examples(150), deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from("'\\\"%_\n\r\t\b\f;()-"), st.characters()), max_size=60))
def test_hostile_text_stays_one_literal_and_means_itself(text: str) -> None:
    made = literal(FIELDS["LastName"], text)
    assert STRING.fullmatch(made)
    read = re.sub(r"\\(.)", lambda found: UNESCAPE.get(found[1], found[1]), made[1:-1], flags=re.DOTALL)
    assert read == text


@settings(max_examples=examples(60), deadline=None)
@given(st.text(max_size=30), st.sampled_from([field for field in FIELDS.values() if field.kind is not Kind.TEXT]))
def test_hostile_text_for_other_kinds_is_refused_or_harmless(text: str, field: Field) -> None:
    try:
        made = literal(field, text)
    except ConfigurationError:
        return
    if field.kind is Kind.ID:
        assert STRING.fullmatch(made)
    else:
        assert re.fullmatch(r"[0-9A-Za-z_:.+-]*", made)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(3999, 12, 30)),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_an_instant_is_told_in_utc_whatever_its_zone(naive: datetime, minutes: int) -> None:
    stamp = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert datetime.fromisoformat(instant(stamp)) == stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)
