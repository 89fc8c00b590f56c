"""Durations, moments, cron schedules, addresses: what is taken and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from backhaul.config import default_name, parse_duration, parse_instant
from backhaul.config.documented import duration_text
from backhaul.config.values import TimeZone, Url, Version, cron_problem


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("1d2h3m4s", 93784), ("0s", 0)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", " ", "10", "m", "-5m", "1.5h", "30m1h", "10 m", "10min", "9999d", "٣m", "1h 30m"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.integers(0, 86400 * 3000))
def test_durations_are_written_as_they_are_read(seconds: int) -> None:
    assert parse_duration(duration_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T10:20:30Z",
        "2024-01-31 10:20:30",
        "2024-01-31 10:20:30+00:00",
        "2024-01-31T12:20:30+02:00",
        "2024/01/31 10:20:30",
        " 2024-01-31T10:20:30 ",
    ],
)
def test_instants(text: str) -> None:
    assert parse_instant(text) == datetime(2024, 1, 31, 10, 20, 30, tzinfo=UTC)


def test_instants_at_the_edges() -> None:
    assert parse_instant("2024-01-31") == datetime(2024, 1, 31, tzinfo=UTC)
    assert parse_instant("2024/01/31") == datetime(2024, 1, 31, tzinfo=UTC)
    assert parse_instant("") is None
    for text in ("0001-01-01T00:00:00+10:00", "yesterday", "31.01.2024", "2024/13/01", "None"):
        with pytest.raises(ValueError):
            parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/15 * * * *",
        "0 4 * * mon-fri",
        "0,30 8-18/2 1,15 JAN,jul 7",
        "59 23 31 12 0",
        "5-10/2 * * * SUN",
        " 0  4 * * * ",
    ],
)
def test_cron(text: str) -> None:
    assert cron_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has 0 fields"),
        ("@daily", "has 1 fields"),
        ("* * * * * *", "has 6 fields"),
        ("60 * * * *", "'60' as minute, which is outside 0 to 59"),
        ("* 24 * * *", "as hour"),
        ("* * 0 * *", "as day of month"),
        ("* * * 13 *", "as month"),
        ("* * * foo *", "as month"),
        ("* * * * 8", "as day of week"),
        ("* * * * jan", "as day of week"),
        ("10-5 * * * *", "runs backwards"),
        ("*/0 * * * *", "step outside"),
        ("*/99 * * * *", "step outside"),
        ("5/15 * * * *", "step without a range"),
        ("*-5 * * * *", "is neither"),
        ("1,,2 * * * *", "is neither"),
        ("-5 * * * *", "is neither"),
        ("١ * * * *", "is neither"),
    ],
)
def test_no_cron(text: str, problem: str) -> None:
    assert problem in cron_problem(text)


@given(st.text(max_size=30))
def test_any_text_as_cron(text: str) -> None:
    assert isinstance(cron_problem(text), str)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("https://a.my.salesforce.com/", "https://a.my.salesforce.com"),
        (" https://a:8443 ", "https://a:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://login.microsoftonline.com/", "https://login.microsoftonline.com"),
    ],
)
def test_addresses(text: str, taken: str) -> None:
    assert TypeAdapter(Url).validate_python(text) == taken


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "ftp://a", "https://", "https://u:p@a", "https://a?b", "https://a#b", "http://a", "https://a b",
        "https://a:port", "https://[a", "http://localhost.evil.com", "https://a\nb", "//a",
    ],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Url).validate_python(text)


def test_versions_and_zones() -> None:
    assert TypeAdapter(Version).validate_python(67.0) == "67.0"
    assert TypeAdapter(TimeZone).validate_python("America/New_York") == "America/New_York"
    for kind, text in (
        (Version, "v67"),
        (Version, True),
        (TimeZone, "../etc/passwd"),
        (TimeZone, ""),
        (TimeZone, "\0"),
    ):
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(text)


def test_default_step_names() -> None:
    assert default_name("import", "salesforce.Contact") == "import_salesforce_Contact"
    assert default_name("transform", "+campaign") == "transform__campaign"
    assert default_name("test", "") == "test"
