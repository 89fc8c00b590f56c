"""What a table's unique key asks of the rows that come into it, whatever the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from backhaul.warehouse.door import Row, StatementFailed


class Asked(Protocol):
    """What is asked of a warehouse."""

    def quote(self, identifier: str) -> str:
        """See :class:`~backhaul.warehouse.door.Warehouse`."""
        ...

    def rows(self, sql: str) -> list[Row]:
        """See :class:`~backhaul.warehouse.door.Warehouse`."""
        ...

    def scalar(self, sql: str) -> Any:
        """See :class:`~backhaul.warehouse.door.Warehouse`."""
        ...


def refuse_doubles(warehouse: Asked, shown: str, relation: str, unique_key: Sequence[str]) -> None:
    """Raise StatementFailed when `relation` (quoted) holds a unique key more than once; `shown` is the table's name."""
    if not unique_key:
        return
    keys = ", ".join(warehouse.quote(key) for key in unique_key)
    doubled = f"SELECT {keys}, count(*) AS _rows FROM {relation} GROUP BY {keys} HAVING count(*) > 1"
    example = warehouse.rows(f"{doubled} ORDER BY {keys} LIMIT 1")
    if example:
        count = warehouse.scalar(f"SELECT count(*) FROM ({doubled}) AS doubled")
        first = ", ".join(f"{key} = {value!r}" for key, value in example[0].items() if key != "_rows")
        raise StatementFailed(
            f"{shown}: {count} value(s) of its unique key ({', '.join(unique_key)}) come more than once, "
            f"such as {first} ({example[0]['_rows']} rows)",
            hint="make the query give one row for each key, or name further key columns",
        )
