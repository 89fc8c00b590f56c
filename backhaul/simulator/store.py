"""The state of one simulated org: tables in a DuckDB database of its own, apart from every wire format.

With a path the state lies in one file and every committed write survives ``kill -9``; without one it lives in
memory. Any number of threads may read (each sees the last committed state); writers take turns.

The simulator keeps times as ``TIMESTAMP`` in UTC without a zone, so that no session time zone can bend them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

Row = Mapping[str, Any]
_SETTINGS = "_settings"
_WRITTEN_OUT = 250


def quote(identifier: str) -> str:
    """`identifier` as a quoted SQL name."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: str) -> str:
    """`value` as a SQL string literal."""
    # DuckDB 1.x ends a statement at a NUL.
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def one_of(expression: str, values: Sequence[str]) -> tuple[str, list[object]]:
    """An SQL condition that holds when `expression` is one of `values`, and its parameters. A few values are
    written out, so that an index is used; many are handed over as one list, which is read in a tenth of the time."""
    if len(values) <= _WRITTEN_OUT:
        return (f"{expression} IN ({', '.join(literal(one) for one in values)})" if values else "false"), []
    return f"{expression} IN (SELECT unnest(CAST(? AS VARCHAR[])))", [list(values)]


class Store:
    """Tables, small settings and counters of one org.

    `path` is the DuckDB file (made when missing, its folder too), None keeps everything in memory.
    A table's first column is its record id and is indexed.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._root = duckdb.connect(str(path) if path is not None else ":memory:")
        self._root.execute("SET TimeZone = 'UTC'")
        self._lock = threading.RLock()
        self._local = threading.local()
        self._depth = 0
        self._arrow: dict[str, Any] = {}
        self._shapes: dict[str, dict[str, str]] = {}
        self._closed = False
        # Counts up when a change of records begins and when it is committed; equal numbers mean equal records.
        self.writes = 0
        self._changed = False
        self._root.execute(f"CREATE TABLE IF NOT EXISTS {_SETTINGS} (name VARCHAR PRIMARY KEY, content VARCHAR)")

    # --- tables -------------------------------------------------------------------------------------------

    def define(self, table: str, columns: Mapping[str, str]) -> None:
        """Make `table` with `columns` (name -> DuckDB type, the record id first), or add the columns it lacks."""
        with self.transaction() as connection:
            there = self._shapes.get(table) or self.columns(table)
            if not there:
                body = ", ".join(f"{quote(name)} {kind}" for name, kind in columns.items())
                connection.execute(f"CREATE TABLE {quote(table)} ({body})")
                first = next(iter(columns))
                connection.execute(f"CREATE INDEX {quote('ix_' + table)} ON {quote(table)} ({quote(first)})")
            known = {name.lower() for name in there}
            missing = [(name, kind) for name, kind in columns.items() if there and name.lower() not in known]
            if missing:  # an indexed table takes no ALTER, so its index is set aside meanwhile
                connection.execute(f"DROP INDEX IF EXISTS {quote('ix_' + table)}")
        if missing:
            for name, kind in missing:
                self.execute(f"ALTER TABLE {quote(table)} ADD COLUMN {quote(name)} {kind}")
            first = next(iter(there))
            self.execute(f"CREATE INDEX {quote('ix_' + table)} ON {quote(table)} ({quote(first)})")
        if missing or not there:
            self._arrow.pop(table, None)
        with self._lock:
            self._shapes[table] = {**there, **dict(missing)} if there else dict(columns)
            if self._depth:  # an outer transaction may yet be rolled back
                del self._shapes[table]

    def columns(self, table: str) -> dict[str, str]:
        """The columns of `table` (name -> DuckDB type), empty when there is no such table."""
        found = self.query(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
        )
        return {str(name): str(kind) for name, kind in found}

    def has_shape(self, shape: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether there are just these tables (name -> its columns, as :meth:`define` takes them)."""
        return self._shapes == shape and set(self.tables()) == set(shape)

    def tables(self) -> list[str]:
        """The names of the record tables."""
        found = self.query("SELECT table_name FROM duckdb_tables() ORDER BY table_name")
        return [str(name) for (name,) in found if name != _SETTINGS]

    def drop_all(self) -> None:
        """Forget every table, setting and counter."""
        with self._lock:
            self.writes += 1
            for table in self.tables():
                self._root.execute(f"DROP TABLE {quote(table)}")
            self._root.execute(f"DELETE FROM {_SETTINGS}")
            self._arrow.clear()
            self._shapes.clear()

    def empty_all(self) -> None:
        """Forget every record, setting and counter; the tables stay. Several times quicker than `drop_all`."""
        with self.transaction():
            self.writes += 1
            self._changed = True
            for table in self.tables():
                self._root.execute(f"DELETE FROM {quote(table)}")
            self._root.execute(f"DELETE FROM {_SETTINGS}")

    # --- reading ------------------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of `sql` as tuples."""
        return self._reader().execute(sql, list(parameters)).fetchall()

    def dicts(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of `sql` as dictionaries by column name."""
        done = self._reader().execute(sql, list(parameters))
        names = [column[0] for column in done.description or []]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def count(self, table: str) -> int:
        """The number of rows of `table`."""
        return int(self.query(f"SELECT count(*) FROM {quote(table)}")[0][0])

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for a long read; ``BEGIN`` on it pins a snapshot. The caller closes it."""
        cursor = self._root.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def export_csv(self, sql: str, parameters: Sequence[object], path: Path) -> int:
        """Write the rows of `sql` as gzip CSV with a header, every cell quoted; gives the number of rows."""
        target = literal(str(path))
        options = "FORMAT csv, HEADER true, FORCE_QUOTE *, COMPRESSION gzip"
        done = self._reader().execute(f"COPY ({sql}) TO {target} ({options})", list(parameters)).fetchall()
        return int(done[0][0])

    # --- writing ------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Writes inside are committed together or, when an exception leaves the block, not at all. Nests."""
        with self._lock:
            outer = self._depth == 0
            if outer:
                self._changed = False
                self._root.execute("BEGIN")
            self._depth += 1
            self._local.writing = True
            try:
                yield self._root
            except BaseException:
                if outer:
                    self._root.execute("ROLLBACK")
                raise
            else:
                if outer:
                    self._root.execute("COMMIT")
                    self.writes += self._changed
            finally:
                self._depth -= 1
                self._local.writing = not outer

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> None:
        """Run one writing statement, in the current transaction when there is one."""
        with self._lock:
            self.writes += 1
            self._changed = True
            self._root.execute(sql, list(parameters))
            self.writes += 1

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Append `rows`; a column that a row does not name becomes null."""
        if not rows:
            return
        with self.transaction() as connection, self._handed(connection, table, rows, None) as name:
            self._note(table)
            connection.execute(f"INSERT INTO {quote(table)} BY NAME SELECT * FROM {name}")

    def update(self, table: str, id_column: str, rows: Sequence[Row]) -> None:
        """Change the rows with the ids given; each sets just the columns it names, `id_column` finds it."""
        alike: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            alike.setdefault(tuple(sorted(row)), []).append(row)
        with self.transaction() as connection:
            self._note(table)
            target, key = quote(table), quote(id_column)
            for names, group in alike.items():
                changed = [name for name in names if name != id_column]
                if not changed:
                    continue
                setting = ", ".join(f"{quote(name)} = given.{quote(name)}" for name in changed)
                with self._handed(connection, table, group, names) as name:
                    connection.execute(
                        f"UPDATE {target} SET {setting} FROM {name} AS given WHERE {target}.{key} = given.{key}"
                    )

    def remove(self, table: str, id_column: str, ids: Sequence[str]) -> None:
        """Take the rows with these ids away for good."""
        if ids:
            with self.transaction() as connection:
                self._note(table)
                test, values = one_of(quote(id_column), ids)
                connection.execute(f"DELETE FROM {quote(table)} WHERE {test}", values)

    @contextmanager
    def scratch(self, table: str, rows: Sequence[Row]) -> Iterator[str]:
        """A temporary table of the shape of `table` that holds `rows`, gone afterwards; only inside a transaction."""
        name = f"_scratch_{table}"
        self._root.execute(f"CREATE OR REPLACE TEMP TABLE {quote(name)} AS SELECT * FROM {quote(table)} LIMIT 0")
        self._arrow.pop(name, None)
        try:
            self.insert(name, rows)
            yield name
        finally:
            with suppress(duckdb.Error):  # a transaction that failed takes the table with it
                self._root.execute(f"DROP TABLE IF EXISTS {quote(name)}")

    # --- settings and counters ----------------------------------------------------------------------------

    def get(self, name: str, default: Any = None) -> Any:
        """The setting `name` (any JSON value)."""
        found = self.query(f"SELECT content FROM {_SETTINGS} WHERE name = ?", [name])
        return json.loads(found[0][0]) if found else default

    def set(self, name: str, value: Any) -> None:
        """Keep the JSON value `value` as setting `name`."""
        with self._lock:
            self._root.execute(f"INSERT OR REPLACE INTO {_SETTINGS} VALUES (?, ?)", [name, json.dumps(value)])

    def take(self, counter: str, amount: int = 1) -> int:
        """Draw `amount` numbers from `counter` (which starts at 1); gives the first of them."""
        with self.transaction():
            first = int(self.get(f"counter:{counter}", 1))
            self.set(f"counter:{counter}", first + amount)
        return first

    def close(self) -> None:
        """Write everything down and close; later calls fail."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._root.close()

    # --- inside -------------------------------------------------------------------------------------------

    def _note(self, table: str) -> None:
        """Count a change of records (not of the simulator's own tables, whose names begin with ``_``)."""
        if not table.startswith("_"):
            self.writes += 1
            self._changed = True

    def _reader(self) -> duckdb.DuckDBPyConnection:
        if getattr(self._local, "writing", False):
            return self._root
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self.cursor()
        return cursor

    @contextmanager
    def _handed(
        self, connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row], names: Sequence[str] | None
    ) -> Iterator[str]:
        """`rows` as a relation that SQL on `connection` can name, typed as `table` is."""
        import pyarrow

        schema = self._arrow.get(table)
        if schema is None:
            schema = self._arrow[table] = (
                connection.sql(f"SELECT * FROM {quote(table)} LIMIT 0").to_arrow_table().schema
            )
        if names is None:
            given = set().union(*rows)
            unknown = given - set(schema.names)
            if unknown:
                raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
            names = [name for name in schema.names if name in given]
        typed = pyarrow.schema([schema.field(name) for name in names])
        connection.register("_handed", pyarrow.Table.from_pylist([dict(row) for row in rows], schema=typed))
        try:
            yield "_handed"
        finally:
            connection.unregister("_handed")
