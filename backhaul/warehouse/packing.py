"""Rows of the engine's as files that dlt loads into a destination."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backhaul.warehouse.door import Warehouse

_ROWS = 5_000


def as_parquet(engine: Warehouse, sql: str, columns: Mapping[str, str], stem: Path, caps: Any) -> tuple[Path, str, int]:
    """A Parquet file written by DuckDB: its path, dlt's word for the format, and the number of rows in it."""
    path = stem.with_suffix(".parquet")
    chosen = ", ".join(
        _outgoing(engine.quote(name), kind) + f" AS {engine.quote(name.lower())}" for name, kind in columns.items()
    )
    count = engine.execute(
        f"COPY (SELECT {chosen} FROM ({sql}) AS packed) TO {engine.literal(str(path))} "
        "(FORMAT parquet, COMPRESSION zstd)"
    )
    return path, "parquet", count


def as_inserts(engine: Warehouse, sql: str, columns: Mapping[str, str], stem: Path, caps: Any) -> tuple[Path, str, int]:
    """INSERT statements by dlt's own writer, with its escaping for the destination."""
    from dlt.common.data_writers.writers import InsertValuesWriter

    path = stem.with_suffix(".insert_values")
    names = [name.lower() for name in columns]
    chosen = ", ".join(
        _outgoing(engine.quote(name), kind) + f" AS {engine.quote(name.lower())}" for name, kind in columns.items()
    )
    count = 0
    with path.open("w", encoding="utf-8") as stream:
        writer = InsertValuesWriter(stream, caps)
        writer.write_header({name: {"name": name} for name in names})
        for batch in engine.arrow(f"SELECT {chosen} FROM ({sql}) AS packed", batch_rows=_ROWS):
            writer.write_data(batch.to_pylist())
            count += batch.num_rows
        writer.write_footer()
    return path, "insert_values", count


def _outgoing(column: str, kind: str) -> str:
    """What no loader takes as a list or as JSON goes as text."""
    return f"CAST(to_json({column}) AS VARCHAR)" if kind.endswith("[]") else column
