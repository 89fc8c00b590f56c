"""Results as tables: the one form that the terminal prints and ``--json`` gives.

A :class:`Table` is data; how it looks is the command line's matter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OPTION_FORMAT = "%Y/%m/%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names and rows of values. `numbers` names the columns to set flush right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    numbers: frozenset[str] = frozenset()

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def table(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> Table:
    """A table of dictionaries; the columns are those of the first row unless given. Numbers go to the right."""
    names = tuple(columns) or (tuple(rows[0]) if rows else ())
    numbers = frozenset(
        name
        for name in names
        if rows and all(isinstance(row.get(name), int | float) or row.get(name) in (None, "") for row in rows)
    )
    return Table(title, names, tuple(tuple(row.get(name) for name in names) for row in rows), numbers)


def shown_time(moment: datetime | None) -> str:
    """An instant as the options show it: ``yyyy/MM/dd hh:mm:ss`` in UTC, empty for none."""
    return moment.astimezone(UTC).strftime(OPTION_FORMAT) if moment else ""


def as_json(value: Any) -> str:
    """JSON of results: times as ISO 8601 in UTC, everything else unknown as text."""

    def fallback(item: Any) -> Any:
        if isinstance(item, datetime):
            return item.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return str(item)

    return json.dumps(value, indent=2, default=fallback, ensure_ascii=False)
