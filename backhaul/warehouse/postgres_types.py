"""Types between DuckDB, PostgreSQL and Arrow, and values on their way into COPY and out of the driver."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_TYPES = {
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "character": "VARCHAR",
    "name": "VARCHAR",
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "date": "DATE",
    "time without time zone": "TIME",
    "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
    "timestamp without time zone": "TIMESTAMP",
    "bytea": "BLOB",
    "json": "JSON",
    "jsonb": "JSON",
    "uuid": "UUID",
    "numeric": "DECIMAL(38,12)",  # of no declared digits: 26 before the point and 12 behind it
}
ARROW = frozenset(_TYPES.values()) - {"JSON", "UUID", "DECIMAL(38,12)"}
"""What the driver gives as Arrow in its own type; everything else is asked for as text."""


def duckdb_type(kind: str) -> str:
    """PostgreSQL's name of a type in DuckDB's words; what has none is VARCHAR."""
    if kind.endswith("[]"):
        return duckdb_type(kind[:-2]) + "[]"
    plain, _, digits = kind.partition("(")
    if plain == "numeric" and digits:
        precision, _, scale = digits.rstrip(")").partition(",")
        if int(precision) <= 38 and 0 <= int(scale or 0) <= int(precision):
            return f"DECIMAL({precision},{scale or 0})"
        return _TYPES["numeric"]
    if plain.startswith(("time", "timestamp")) and digits:  # timestamp(3) with time zone
        return _TYPES.get(re.sub(r"\(\d+\)", "", kind), "VARCHAR")
    return _TYPES.get(plain, "VARCHAR")


def postgres_type(kind: str) -> str:
    """A type in DuckDB's words in PostgreSQL's; a word that both have stays."""
    from sqlglot import exp

    if kind.upper() == "NULL":
        return "TEXT"  # as PostgreSQL takes a column that is nothing but NULL
    return exp.DataType.build(kind, dialect="duckdb").sql("postgres")


def arrow_type(kind: str) -> Any:
    """The Arrow type of a type in DuckDB's words."""
    import pyarrow as pa

    if kind.endswith("[]"):
        return pa.list_(arrow_type(kind[:-2]))
    if kind.startswith("DECIMAL("):
        precision, _, scale = kind[8:-1].partition(",")
        return pa.decimal128(int(precision), int(scale))
    return {
        "BOOLEAN": pa.bool_(),
        "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "FLOAT": pa.float32(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
        "TIME": pa.time64("us"),
        "TIMESTAMP": pa.timestamp("us"),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
        "BLOB": pa.binary(),
    }.get(kind, pa.string())


def typed(column: Any, kind: Any) -> Any:
    """A column of a stream in its own type, where it came as text."""
    import pyarrow as pa

    if pa.types.is_list(kind):
        return pa.array([None if one is None else json.loads(one) for one in column.to_pylist()], type=kind)
    return column if column.type == kind else column.cast(kind)


def for_copy(column: Any) -> Any:
    """A column as text that COPY reads into its type, where Arrow's own text is another."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if one is None else "\\x" + one.hex() for one in column.to_pylist()], pa.string())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.array([None if one is None else _array_text(one) for one in column.to_pylist()], pa.string())
    return column


def _array_text(items: Sequence[Any]) -> str:
    """A list as PostgreSQL writes an array."""

    def one(item: Any) -> str:
        if item is None:
            return "NULL"
        if isinstance(item, list):
            return _array_text(item)
        return '"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join(map(one, items)) + "}"


def outgoing(column: str, kind: str) -> str:
    """SQL of the engine's for a value as COPY reads it."""
    if kind == "BLOB":
        return f"'\\x' || lower(hex({column}))"
    return column
