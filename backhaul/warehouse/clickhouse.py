"""What only ClickHouse does: its types, texts that dlt's client would cut, and the class that names types to dlt.

A column there holds no null unless its type says so (ClickHouse manual, Nullable), so every one that is made here says
it. A moment without a zone is kept as one of UTC whose zone is written ``Etc/UTC``: the database has one type for both,
and drivers turn one without a zone into a wall clock of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

INSTANT, WALL_CLOCK = "DateTime64(6, 'UTC')", "DateTime64(6, 'Etc/UTC')"

VIEWS: Mapping[str, str] = {
    "join_use_nulls": "1",
    "aggregate_functions_null_for_empty": "1",
    "cast_keep_nullable": "1",
    "prefer_column_name_to_alias": "1",
    "least_greatest_legacy_null_behavior": "0",
    "union_default_mode": "DISTINCT",
}
"""Settings under which its SQL means what standard SQL means; a view carries them along, as anybody may read it."""

SETTINGS: Mapping[str, str] = {
    **VIEWS,
    # A null that a column cannot hold is an error, not an empty text.
    "insert_null_as_default": "0",
    # A change has been made when its statement returns.
    "mutations_sync": "2",
    "session_timezone": "UTC",
}
"""Those of every statement. They are part of the address: dlt's driver opens a connection of its own for each."""

VIEW_ENDS = "SETTINGS " + ", ".join(
    f"{name} = {value if value.isdigit() else repr(value)}" for name, value in VIEWS.items()
)

_TYPE = re.compile(r"^(?:Nullable|LowCardinality)\((?P<inner>.*)\)$")
_PLAIN = {
    "Int16": "SMALLINT",
    **dict.fromkeys(("Int8", "Int32", "UInt8", "UInt16"), "INTEGER"),  # as a small number in a query is
    **dict.fromkeys(("Int64", "UInt32", "UInt64"), "BIGINT"),
    **dict.fromkeys(("Date", "Date32"), "DATE"),
    "Bool": "BOOLEAN",
    "Float32": "FLOAT",
    "Float64": "DOUBLE",
    "String": "VARCHAR",
    "UUID": "UUID",
    "Nothing": '"NULL"',
}


def kind_of(word: str) -> str:
    """A column's type as the database tells it, in DuckDB's words; VARCHAR for what DuckDB has no word for."""
    while wrapped := _TYPE.match(word):
        word = wrapped["inner"]
    if word in _PLAIN:
        return _PLAIN[word]
    if word.startswith("DateTime"):
        return "TIMESTAMP" if "'Etc/UTC'" in word else "TIMESTAMP WITH TIME ZONE"
    if word.startswith("Decimal("):
        precision, scale = (int(part) for part in word[len("Decimal(") : -1].split(","))
        return f"DECIMAL({precision},{scale})" if precision <= 38 else "DECIMAL(38,12)"
    if word.startswith("Array("):
        return f"{kind_of(word[len('Array(') : -1])}[]"
    return "VARCHAR"


def declared(described: Iterable[tuple[str, str]], kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    """The columns of a query as a table is to have them: each can hold null, counts are whole numbers with a sign.

    `described`: (name, type) as DESCRIBE tells them. `kinds`: types in DuckDB's words that have others than its own.
    """
    made = []
    for name, word in described:
        kind = kind_of(word)
        if kind.endswith("[]"):
            made.append((name, word))  # a list is never null there
        else:
            kind = "VARCHAR" if kind == '"NULL"' else kind
            made.append((name, kinds.get(kind, "") or f"Nullable({_WORDS.get(kind, kind)})"))
    return made


_WORDS = {
    "VARCHAR": "String",
    "SMALLINT": "Int16",
    "INTEGER": "Int32",
    "BIGINT": "Int64",
    "FLOAT": "Float32",
    "DOUBLE": "Float64",
    "BOOLEAN": "Bool",
}

_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)


def wall_clock(value: Any) -> Any:
    """A driver's value; a moment without a zone without one."""
    named = isinstance(value, datetime) and str(value.tzinfo) == "Etc/UTC"
    return value.replace(tzinfo=None) if named else value


def unbroken(statement: str) -> str:
    """The statement with the signs escaped, in its texts, at which dlt's client cuts or fills in statements."""
    return _TEXT.sub(lambda text: text[0].replace(";", "\\x3B").replace("%(", "\\x25("), statement)


@cache
def type_mapper() -> type[Any]:
    """dlt's mapper of types, but for dates before 1970, and for moments without a zone."""
    from dlt.destinations.impl.clickhouse.factory import ClickHouseTypeMapper

    class Mapper(ClickHouseTypeMapper):
        """As dlt's own, with the types that tables of the engine have."""

        def to_db_datetime_type(self, column: Any, table: Any = None) -> str:
            """The one type of moments, its zone telling whether it has one."""
            return INSTANT if column.get("timezone", True) else WALL_CLOCK

    Mapper.sct_to_unbound_dbt = {**ClickHouseTypeMapper.sct_to_unbound_dbt, "date": "Date32"}
    Mapper.dbt_to_sct = {**ClickHouseTypeMapper.dbt_to_sct, "Date32": "date"}
    return Mapper
