"""A DuckDB file on the runner that runs the engine's own statements where the warehouse is another database.

What TRY_CAST takes, how numbers are rounded, texts trimmed and put into order differs between databases without a word.
So the statements that compare and judge (plans, undo, what is new in an import) are always run by DuckDB. A relation of
the warehouse that such a statement names is first streamed here as Arrow, under its own name, its columns spelled and
typed as they would be on DuckDB. The file is of one process, and of no use once that has ended: nothing that has to
last is in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from backhaul.warehouse.door import Row, StatementFailed
from backhaul.warehouse.duckdb_file import DuckDBWarehouse, readable

if TYPE_CHECKING:
    import pyarrow

# Every relation that the engine writes comes from `relation`, so it is quoted and qualified; an alias never is quoted.
_NAMED = re.compile(r'"((?:[^"]|"")+)"\."((?:[^"]|"")+)"')
_LARGE = 50_000
"""So many keys are looked up one by one; for more the whole table is copied."""

Parameters = Sequence[Any] | Mapping[str, Any]


class Wanted(NamedTuple):
    """The rows of a relation that are asked for: see :meth:`~backhaul.warehouse.door.Warehouse.narrow`.

    `keys` are a table of one column, key, None when what is `within` is all wanted.
    """

    column: str
    keys: pyarrow.Table | None
    within: str
    besides: str


class Home(Protocol):
    """What a scratch file asks of the warehouse that it belongs to."""

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name -> type in DuckDB's words."""
        ...

    def copied(
        self, schema: str, name: str, into: Callable[[pyarrow.RecordBatchReader], None], wanted: Wanted | None
    ) -> None:
        """Hand a relation's rows over, its columns called c0, c1 ...; those that are `wanted`, all without."""
        ...


class Scratch(DuckDBWarehouse):
    """One scratch file in `folder`. See :class:`~backhaul.warehouse.door.Warehouse`."""

    def __init__(self, folder: Path, home: Home) -> None:
        _sweep(folder)
        self._file = folder / f"scratch-{os.getpid()}-{id(self):x}.duckdb"
        super().__init__(self._file, folder)
        self._home = home
        self._brought: set[tuple[str, str]] = set()
        self._narrowed: dict[tuple[str, str], tuple[str, str, str, str]] = {}

    def close(self) -> None:
        """Remove the file."""
        super().close()
        for path in (self._file, self._file.with_name(self._file.name + ".wal")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Drop every copy, so that the next statement reads the warehouse as it is then."""
        for schema, name in sorted(self._brought):
            super().drop(schema, name)
        self._brought.clear()
        self._narrowed.clear()

    def narrow(
        self, schema: str, name: str, column: str, sql: str, *, within: str = "TRUE", besides: str = "FALSE"
    ) -> None:
        """Copy of this table only those rows, unless `sql` selects very many: then all that are `within`.

        A copy of other rows goes.
        """
        place, wanted = (schema.lower(), name.lower()), (column, sql, within, besides)
        if place in self._brought and self._narrowed.get(place) != wanted:
            super().drop(*place)
            self._brought.discard(place)
        self._narrowed[place] = wanted

    # What names relations of the warehouse

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """As on every DuckDB, once what the statement reads is here."""
        self._bring(sql)
        return super().execute(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """As on every DuckDB, once what the query reads is here."""
        self._bring(sql)
        return super().rows(sql, parameters)

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """As on every DuckDB, once what the query reads is here."""
        self._bring(sql)
        return super().scalar(sql, parameters)

    def arrow(self, sql: str, parameters: Parameters = (), *, batch_rows: int = 100_000) -> pyarrow.RecordBatchReader:
        """As on every DuckDB, once what the query reads is here."""
        self._bring(sql)
        return super().arrow(sql, parameters, batch_rows=batch_rows)

    def exists(self, schema: str, name: str) -> bool:
        """Whether it stands here or in the warehouse."""
        return super().exists(schema, name) or bool(self._home.columns(schema, name))

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Those of what stands here, else the warehouse's."""
        return super().columns(schema, name) or self._home.columns(schema, name)

    @contextlib.contextmanager
    def streamed(self, sql: str, batch_rows: int) -> Iterator[pyarrow.RecordBatchReader]:
        """A query's rows on the file's own connection, which sees temporary tables, and does nothing else meanwhile.

        Raises StatementFailed.
        """
        self._bring(sql)
        with readable(sql):
            reader = self._connection.sql(sql).to_arrow_reader(batch_rows)
        try:
            yield reader
        finally:
            reader.close()

    @contextlib.contextmanager
    def piped(self, sql: str) -> Iterator[BinaryIO]:
        """A query's rows as CSV without a header, written by another thread while they are read here.

        Null is nothing, an empty text a pair of quotes. At the end of the ``with`` StatementFailed is raised when the
        query failed: what was read is not all then, and must not be kept.
        """
        self._bring(sql)
        path = self._file.with_name(f"{self._file.stem}.pipe")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        # Opened for writing here as well, so that a reader waits for the first rows, and a writer that fails ends it.
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        held = os.open(path, os.O_WRONLY)
        os.set_blocking(reader, True)
        connection = self._connection.cursor()
        failures: list[StatementFailed] = []

        def write() -> None:
            try:
                with readable(sql):
                    # Rows of the raw log are ordered by their stamps, never by position (tech-spike.md §2).
                    connection.execute("SET preserve_insertion_order = false").fetchall()
                    connection.execute(
                        f"COPY ({sql}) TO {self.literal(str(path))} (FORMAT csv, HEADER false, DELIMITER ',', "
                        "QUOTE '\"', ESCAPE '\"', NULLSTR '', USE_TMP_FILE false)"
                    ).fetchall()
            except StatementFailed as failed:
                failures.append(failed)
            finally:
                os.close(held)

        thread = threading.Thread(target=write, name="rows to copy")
        thread.start()
        try:
            with os.fdopen(reader, "rb") as stream:
                yield stream
        finally:
            thread.join()
            connection.close()
            path.unlink(missing_ok=True)
        if failures:
            raise failures[0]

    def hold(self, name: str, reader: pyarrow.RecordBatchReader, select: str) -> None:
        """Make the temporary table `name` of `select` over the relation ``arriving``, which is the stream."""
        self._connection.register("arriving", reader)
        try:
            super().execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")
        finally:
            self._connection.unregister("arriving")

    # Within

    def _bring(self, sql: str) -> None:
        for schema, name in dict.fromkeys(_NAMED.findall(sql)):
            place = (schema.replace('""', '"').lower(), name.replace('""', '"').lower())
            if place in self._brought or super().exists(*place):
                continue
            columns = self._home.columns(*place)
            if columns:
                self._copy(place, columns)

    def _copy(self, place: tuple[str, str], columns: Mapping[str, str]) -> None:
        wanted = None
        if place in self._narrowed:
            column, sql, within, besides = self._narrowed[place]
            wanted = Wanted(column, self._keys(sql) if sql else None, within, besides)
        chosen = ", ".join(
            f"{_arrived(self.quote(f'c{number}'), kind)} AS {self.quote(name)}"
            for number, (name, kind) in enumerate(columns.items())
        )
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(place[0])}")

        def into(reader: pyarrow.RecordBatchReader) -> None:
            # A statement of its own each time: DuckDB pulls the stream while it writes.
            self._connection.register("arriving", reader)
            try:
                super(Scratch, self).execute(f"CREATE TABLE {self.relation(*place)} AS SELECT {chosen} FROM arriving")
            finally:
                self._connection.unregister("arriving")

        self._home.copied(*place, into, wanted)
        self._brought.add(place)

    def _keys(self, sql: str) -> pyarrow.Table | None:
        """What `sql` selects, each once, as a column called key; None when these are very many."""
        self._bring(sql)
        few = self._connection.sql(f"SELECT DISTINCT key FROM ({sql}) AS wanted(key) LIMIT {_LARGE + 1}")
        found = few.to_arrow_table()
        return found if found.num_rows <= _LARGE else None


def _arrived(column: str, kind: str) -> str:
    """SQL of a value as it came, in its own type: what Arrow has no word for comes as text, lists as JSON."""
    if kind.endswith("[]"):
        return f"CAST(CAST({column} AS JSON) AS {kind})"
    return f"CAST({column} AS {kind})"


def _sweep(folder: Path) -> None:
    """Remove the files of processes that are no more."""
    for path in folder.glob("scratch-*"):
        found = re.match(r"scratch-(\d+)-", path.name)
        if found is None or int(found[1]) == os.getpid():
            continue
        try:
            os.kill(int(found[1]), 0)
        except ProcessLookupError:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        except OSError:
            continue
