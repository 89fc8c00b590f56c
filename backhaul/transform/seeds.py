"""CSV files as tables: read as text, typed by the YAML's column_types, an empty cell is null.

A column that column_types does not name is VARCHAR: nothing is guessed, so ``007``, ``NA`` and ``1e5`` stay as they
are. A value that its type does not take is refused with file and line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.transform.model import Model
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.warehouse import Warehouse

_STAGE_SUFFIX = "__reading"
_LINE = "_backhaul_line"
_BATCH = 50_000


def header_faults(path: Path, file: str, delimiter: str, column_types: dict[str, Where], faults: list[Fault]) -> None:
    """Add what is wrong with the first line of a seed, and with column_types that name no column of it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream, delimiter=delimiter, strict=True), [])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(f"the CSV file cannot be read ({_reason(error)})", Where(file, 1)))
        return
    if not header or all(not name.strip() for name in header):
        faults.append(
            Fault("the CSV file has no header line", Where(file, 1), hint="name its columns in the first line")
        )
        return
    seen: set[str] = set()
    for number, name in enumerate(header, 1):
        if not name.strip():
            faults.append(Fault(f"column {number} of the CSV file has no name", Where(file, 1)))
        elif name.lower() in seen:
            faults.append(Fault(f"the column '{name}' stands twice in the CSV file", Where(file, 1)))
        seen.add(name.lower())
    for name, where in column_types.items():
        if name.lower() not in seen:
            faults.append(
                Fault(
                    f"column_types names '{name}', which {file} does not have",
                    where,
                    tuple(header),
                    suggest(name, header),
                )
            )


def load_seed(warehouse: Warehouse, model: Model, path: Path) -> int:
    """Make or replace the seed's table, atomically; gives its row count.

    Raises :class:`~backhaul.errors.ConfigurationError` for a row with too many or too few cells or a value that its
    type does not take, naming the line.
    """
    import pyarrow

    header, batches = _read(model, path)
    types = {name.lower(): declared for name, declared in model.column_types.items()}
    stage = f"{model.alias}{_STAGE_SUFFIX}"
    engine = warehouse.engine()
    read = engine.relation(model.schema, stage)
    schema = pyarrow.schema([(_LINE, pyarrow.int64()), *((name, pyarrow.string()) for name in header)])
    with engine.transaction(), warehouse.transaction():
        warehouse.create_schema(model.schema)
        engine.make_table(model.schema, stage, {_LINE: "BIGINT", **dict.fromkeys(header, "VARCHAR")})
        for rows in batches:
            cells = [list(column) for column in zip(*rows, strict=True)]
            engine.insert(
                model.schema,
                stage,
                pyarrow.Table.from_arrays(
                    [pyarrow.array(column, type=field.type) for column, field in zip(cells, schema, strict=True)],
                    schema=schema,
                ),
            )
        _refuse_values(engine, model, read, [(name, types[name.lower()]) for name in header if name.lower() in types])
        typed = ", ".join(
            f"CAST({engine.quote(name)} AS {types.get(name.lower(), 'VARCHAR')}) AS {engine.quote(name)}"
            for name in header
        )
        warehouse.make_table(model.schema, model.alias, {name: types.get(name.lower(), "VARCHAR") for name in header})
        count = warehouse.pour(model.schema, model.alias, f"SELECT {typed} FROM {read} ORDER BY {engine.quote(_LINE)}")
        engine.drop(model.schema, stage)
    return count


def _read(model: Model, path: Path) -> tuple[list[str], Iterator[list[list[int | str | None]]]]:
    """The header, and the rows in batches: the line's number, then the cells."""
    stream = path.open(encoding="utf-8-sig", newline="")
    reader = csv.reader(stream, delimiter=model.delimiter, strict=True)
    try:
        header = next(reader, [])
    except (UnicodeDecodeError, csv.Error) as error:
        stream.close()
        raise ConfigurationError(
            Fault(f"the CSV file cannot be read ({_reason(error)})", Where(model.file, 1))
        ) from error

    def batches() -> Iterator[list[list[int | str | None]]]:
        batch: list[list[int | str | None]] = []
        line = reader.line_num + 1
        with stream:
            try:
                for cells in reader:
                    if cells:
                        if len(cells) != len(header):
                            raise ConfigurationError(
                                Fault(
                                    f"this row has {len(cells)} cells, the header has {len(header)}",
                                    Where(model.file, line),
                                    hint="put a cell that holds the delimiter or a line break into double quotes",
                                )
                            )
                        batch.append([line, *(cell if cell != "" else None for cell in cells)])
                        if len(batch) == _BATCH:
                            yield batch
                            batch = []
                    line = reader.line_num + 1
            except (UnicodeDecodeError, csv.Error) as error:
                raise ConfigurationError(
                    Fault(f"the CSV file cannot be read ({_reason(error)})", Where(model.file, line))
                ) from error
        if batch:
            yield batch

    return header, batches()


def _refuse_values(warehouse: Warehouse, model: Model, read: str, typed: Sequence[tuple[str, str]]) -> None:
    """Raise for the first values that their types do not take, one fault a column."""
    faults: list[Fault] = []
    for name, declared in typed:
        quoted = warehouse.quote(name)
        bad = warehouse.rows(
            f"SELECT {warehouse.quote(_LINE)} AS line, {quoted} AS value, count(*) OVER () AS n FROM {read} "
            f"WHERE {quoted} IS NOT NULL AND TRY_CAST({quoted} AS {declared}) IS NULL ORDER BY line LIMIT 1"
        )
        if bad:
            more = f" (and {bad[0]['n'] - 1} more like it)" if bad[0]["n"] > 1 else ""
            faults.append(
                Fault(
                    f"the value {bad[0]['value']!r} of column '{name}' is not {declared}{more}",
                    Where(model.file, int(bad[0]["line"])),
                    hint=f"correct the value, or the type of '{name}' in column_types of the seed '{model.name}'",
                )
            )
    if faults:
        raise ConfigurationError(faults)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
