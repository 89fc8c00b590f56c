"""SOQL's date literals (TODAY, LAST_N_DAYS:7, THIS_QUARTER …) as spans of time. Rests on salesforce-api.md §4.3.

Weeks begin on Sunday, fiscal years in January; everything is reckoned in the user's time zone.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo


def span(word: str, number: int, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of the span that `word` names at `now`, and the first after it (both aware, in `zone`)."""
    first, after = _days(word.replace("FISCAL_", ""), number, now.astimezone(zone).date())
    return datetime.combine(first, time(), zone), datetime.combine(after, time(), zone)


def _days(word: str, number: int, today: date) -> tuple[date, date]:
    tomorrow = today + timedelta(days=1)
    single = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
    if word in single:
        first = today + timedelta(days=single[word])
        return first, first + timedelta(days=1)
    if word in ("LAST_90_DAYS", "NEXT_90_DAYS"):
        word, number = word.replace("90", "N"), 90
    if word == "LAST_N_DAYS":
        return today - timedelta(days=number), tomorrow
    if word == "NEXT_N_DAYS":
        return tomorrow, tomorrow + timedelta(days=number)
    parts = word.split("_")
    if parts[0] == "N":  # N_WEEKS_AGO
        unit, low, high = parts[1], -number, -number
    elif parts[1] == "N":  # LAST_N_MONTHS, NEXT_N_MONTHS: whole units, without the current one
        unit = parts[2]
        low, high = (-number, -1) if parts[0] == "LAST" else (1, number)
    else:
        unit = parts[1]
        low = high = {"THIS": 0, "LAST": -1, "NEXT": 1}[parts[0]]
    return _start(unit, today, low), _start(unit, today, high + 1)


def _start(unit: str, today: date, steps: int) -> date:
    """The first day of the unit (DAY, WEEK, MONTH, QUARTER, YEAR, plural or not) `steps` away from today's."""
    if unit.startswith("DAY"):
        return today + timedelta(days=steps)
    if unit.startswith("WEEK"):
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=steps)
    months = {"M": 1, "Q": 3, "Y": 12}[unit[0]]
    count = (today.year * 12 + today.month - 1) // months * months + steps * months
    return date(count // 12, count % 12 + 1, 1)
