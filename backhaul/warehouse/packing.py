"""Rows of the engine's as files that dlt loads into a destination."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backhaul.warehouse.door import Warehouse

_ROWS = 5_000


def packed(
    engine: Warehouse,
    sql: str,
    columns: Mapping[str, str],
    path: Path,
    caps: Any,
    as_text: frozenset[str] = frozenset(),
) -> tuple[Path, int]:
    """The rows of a SELECT of the engine's in the format that the path ends with; gives the path and their number.

    ``.parquet`` and ``.jsonl`` are written by DuckDB, ``.insert_values`` by dlt with its escaping for the destination
    (`caps`, its capabilities). Names are in lower case. Values of types that are `as_text` go as texts.
    """
    chosen = ", ".join(
        f"{_outgoing(engine.quote(name), kind, as_text)} AS {engine.quote(name.lower())}"
        for name, kind in columns.items()
    )
    select = f"SELECT {chosen} FROM ({sql}) AS packed"
    if path.suffix == ".insert_values":
        return path, _inserts(engine, select, [name.lower() for name in columns], path, caps)
    form = "FORMAT parquet, COMPRESSION zstd" if path.suffix == ".parquet" else "FORMAT json"
    return path, engine.execute(f"COPY ({select}) TO {engine.literal(str(path))} ({form})")


def _inserts(engine: Warehouse, select: str, names: list[str], path: Path, caps: Any) -> int:
    from dlt.common.data_writers.writers import InsertValuesWriter

    count = 0
    with path.open("w", encoding="utf-8") as stream:
        writer = InsertValuesWriter(stream, caps)
        writer.write_header({name: {"name": name} for name in names})
        for batch in engine.arrow(select, batch_rows=_ROWS):
            writer.write_data(batch.to_pylist())
            count += batch.num_rows
        writer.write_footer()
    return count


def _outgoing(column: str, kind: str, as_text: frozenset[str]) -> str:
    """What no loader takes as a list goes as text."""
    if kind in as_text:
        return f"lower(hex({column}))" if kind == "BLOB" else f"CAST({column} AS VARCHAR)"
    return f"CAST(to_json({column}) AS VARCHAR)" if kind.endswith("[]") else column
