"""What drivers give, made alike: Python values, Arrow columns, and the words of an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

_PLACES = (
    re.compile(r"\n*LINE (?P<line>\d+): (?P<text>.*)\n(?P<marker> *)\^[~^]*\s*", re.DOTALL),  # PostgreSQL, DuckDB
    re.compile(r"\bline (?P<line>\d+),? (?:at )?pos(?:ition)? (?P<column>\d+)"),  # Snowflake, Databricks: from 0
    re.compile(r"\bat \[(?P<line>\d+):(?P<from_one>\d+)\]"),  # BigQuery
    re.compile(r"\bLine (?P<line>\d+)\b"),  # SQL Server
    re.compile(r"\(line (?P<line>\d+), col (?P<from_one>\d+)\)"),  # ClickHouse
)


_CLICKHOUSE = re.compile(
    r"Code: \d+\.\s+DB::Exception: (?P<told>.*?)(?:\s*(?:Expected one of:|Stack trace:).*)?$", re.DOTALL
)


def plain(value: Any) -> Any:
    """A driver's value as the interface has it: bytes, aware datetimes in UTC, JSON as text."""
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def array(values: Any, kind: str) -> pyarrow.Array:
    """A column of values, or of a driver's own Arrow, in a type in DuckDB's words; '' = of what the values are."""
    import pyarrow as pa

    from backhaul.warehouse.postgres_types import arrow_type

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        if not kind or values.type == arrow_type(kind):
            return values
        if not (kind.endswith("[]") or pa.types.is_nested(values.type) or kind == "VARCHAR"):
            return values.cast(arrow_type(kind), safe=False)
        values = values.to_pylist()
    if not kind:
        return pa.array([plain(value) for value in values])
    made: Callable[[Any], Any] = _MADE.get(kind, _text)
    if kind.startswith("DECIMAL"):
        made = _decimal
    elif kind.endswith("[]"):
        made = _list
    return pa.array([None if value is None else made(value) for value in values], type=arrow_type(kind))


def told(error: BaseException) -> tuple[str, int, int]:
    """A driver's error: what it says, and the line and column of the statement from 1, 0 where it does not say."""
    diagnosed = getattr(error, "diag", None)
    text = str(error).strip() or type(error).__name__
    if framed := _CLICKHOUSE.match(text):
        text = framed["told"]
    line = column = 0
    for pattern in _PLACES:
        place = pattern.search(text)
        if place is None:
            continue
        groups = place.groupdict()
        line = int(groups["line"])
        if groups.get("marker") is not None:
            # The marker stands under the excerpt; an excerpt that was cut starts with dots and tells no column.
            cut = groups["text"].startswith("...")
            column = 0 if cut else max(len(groups["marker"]) - len(f"LINE {line}: ") + 1, 0)
            text = text[: place.start()].strip() or text
        elif groups.get("from_one"):
            column = int(groups["from_one"])
        elif groups.get("column"):
            column = int(groups["column"]) + 1
        break
    reason = getattr(diagnosed, "message_primary", None) or text
    return str(reason), line, column


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _list(value: Any) -> list[Any]:
    return list(json.loads(value) if isinstance(value, str) else value)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _instant(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


_MADE: dict[str, Callable[[Any], Any]] = {
    "VARCHAR": _text,
    "BOOLEAN": bool,
    "SMALLINT": int,
    "INTEGER": int,
    "BIGINT": int,
    "FLOAT": float,
    "DOUBLE": float,
    "TIMESTAMP WITH TIME ZONE": _instant,
    "BLOB": bytes,
    **dict.fromkeys(("DATE", "TIME", "TIMESTAMP"), lambda value: value),
}

__all__: Sequence[str] = ("array", "plain", "told")
