"""SOQL's functions over one field as SQL: parts of dates, and toLabel, FORMAT and convertCurrency.

Rests on the SOQL guide's "Date Functions", "Translating Results" and "Format Results". Fiscal years are calendar
years, weeks begin on the first day of the year or month, days of the week are counted from Sunday (1).
"""

from __future__ import annotations

from dataclasses import replace

from backhaul.simulator.salesforce.schema import FieldDef

_PARTS = {
    "calendar_month": "month({t})",
    "calendar_quarter": "quarter({t})",
    "calendar_year": "year({t})",
    "day_in_month": "day({t})",
    "day_in_week": "dayofweek({t}) + 1",
    "day_in_year": "dayofyear({t})",
    "fiscal_month": "month({t})",
    "fiscal_quarter": "quarter({t})",
    "fiscal_year": "year({t})",
    "hour_in_day": "hour({t})",
    "week_in_month": "(day({t}) - 1) // 7 + 1",
    "week_in_year": "(dayofyear({t}) - 1) // 7 + 1",
}


def date_function(name: str, sql: str) -> tuple[FieldDef, str]:
    """The type and the SQL of a date function over a date or an instant."""
    if name == "day_only":
        return FieldDef("expr", "date"), f"CAST({sql} AS DATE)"
    part = _PARTS[name].replace("{t}", sql)
    return FieldDef("expr", "int", digits=9), f"CAST({part} AS INTEGER)"


def text_function(name: str, field: FieldDef, sql: str) -> tuple[FieldDef, str]:
    """The type and the SQL of toLabel (labels are the values here), convertCurrency (one currency) and FORMAT, which
    prints numbers and dates as the user's locale (en_US) has them."""
    if name != "format":
        return field, sql
    text = replace(field, type="string", length=255)
    if field.type in ("int", "double", "currency", "percent"):
        places = field.scale if field.type != "int" else 0
        sign = "$" if field.type == "currency" else ""
        end = "%" if field.type == "percent" else ""
        return (
            text,
            f"CASE WHEN {sql} IS NOT NULL THEN format('{sign}{{:,.{places}f}}{end}', CAST({sql} AS DOUBLE)) END",
        )
    if field.type == "date":
        return text, f"strftime({sql}, '%-m/%-d/%Y')"
    if field.type == "datetime":
        return text, f"strftime({sql}, '%-m/%-d/%Y, %-I:%M %p')"
    return text, f"CAST({sql} AS VARCHAR)"
