"""The relative dates of the query functions: ``LastXDays``, ``ThisMonth`` and their kin (dataverse-api.md §3.2).

Days begin at midnight UTC (the simulated users live there), weeks on Sunday.
"""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

_UNITS = ("Hours", "Days", "Weeks", "Months", "Years")

# Function name -> whether it takes a number (PropertyValue).
SPANS: dict[str, bool] = {
    **dict.fromkeys(("Today", "Yesterday", "Tomorrow", "Last7Days", "Next7Days"), False),
    **{f"{which}{unit}": False for which in ("Last", "This", "Next") for unit in ("Week", "Month", "Year")},
    **{f"{which}{unit}": True for which in ("LastX", "NextX") for unit in _UNITS},
    **{f"OlderThanX{unit}": True for unit in ("Minutes", *_UNITS)},
    **{f"{which}Fiscal{unit}": False for which in ("Last", "This", "Next") for unit in ("Period", "Year")},
    **{f"{which}Fiscal{unit}s": True for which in ("LastX", "NextX") for unit in ("Period", "Year")},
}


def span(name: str, now: datetime, number: int) -> tuple[datetime | None, datetime | None]:
    """Give the half-open span (start, end) that `name` means at `now`; None where it has no bound."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = midnight + timedelta(days=1)
    if "Fiscal" in name:
        return _fiscal(name, midnight, number)
    if name.startswith("OlderThanX"):
        return None, _moved(now, name.removeprefix("OlderThanX"), -number)
    if name.startswith("LastX"):
        unit = name.removeprefix("LastX")
        start = _moved(now if unit == "Hours" else midnight, unit, -number)
        return start, now + timedelta(microseconds=1)
    if name.startswith("NextX"):
        unit = name.removeprefix("NextX")
        return now, _moved(now if unit == "Hours" else tomorrow, unit, number)
    match name:
        case "Today":
            return midnight, tomorrow
        case "Yesterday":
            return midnight - timedelta(days=1), midnight
        case "Tomorrow":
            return tomorrow, tomorrow + timedelta(days=1)
        case "Last7Days":
            return midnight - timedelta(days=7), now + timedelta(microseconds=1)
        case "Next7Days":
            return now, tomorrow + timedelta(days=7)
    offset = {"Last": -1, "This": 0, "Next": 1}[name[:4]]
    unit = name[4:] + "s"
    first = {
        "Weeks": midnight - timedelta(days=(midnight.weekday() + 1) % 7),
        "Months": midnight.replace(day=1),
        "Years": midnight.replace(month=1, day=1),
    }[unit]
    return _moved(first, unit, offset), _moved(first, unit, offset + 1)


def _fiscal(name: str, midnight: datetime, number: int) -> tuple[datetime, datetime]:
    """Give a span of whole fiscal years or periods: calendar years, and their quarters."""
    months = 12 if "Year" in name else 3
    first = midnight.replace(month=(midnight.month - 1) // months * months + 1, day=1)
    if name.startswith("LastX"):
        return _moved(first, "Months", -months * number), first
    if name.startswith("NextX"):
        after = _moved(first, "Months", months)
        return after, _moved(after, "Months", months * number)
    start = _moved(first, "Months", months * {"Last": -1, "This": 0, "Next": 1}[name[:4]])
    return start, _moved(start, "Months", months)


def _moved(moment: datetime, unit: str, number: int) -> datetime:
    if unit not in ("Months", "Years"):
        return moment + timedelta(**{unit.lower(): number})
    months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "Years" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
