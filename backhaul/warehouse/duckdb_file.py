"""A DuckDB file as the warehouse. Written for DuckDB 2.x, runs on the newest 1.x too.

What differs between them and is kept in here: Arrow comes from ``con.sql(...)`` only (2.0 took it from the results
of ``execute``), and 2.0 refuses a statement while an earlier result of the same connection is unread, so every
result is read to its end and streams get a connection of their own (tech-spike.md §1).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import duckdb

from backhaul.errors import BackhaulError, ConfigurationError, Fault, Locked
from backhaul.warehouse.door import Row, StatementFailed, Warehouse
from backhaul.warehouse.keys import refuse_doubles

if TYPE_CHECKING:
    import pyarrow

Parameters = Sequence[Any] | Mapping[str, Any]

_EXCERPT = re.compile(r"\n+LINE (?P<line>\d+): (?P<text>.*)\n(?P<marker> *)\^[~^]*\s*", re.DOTALL)
_HOLDER = re.compile(r"\(PID (?P<pid>\d+)\)")
_STAGE = "_backhaul_stage"


class DuckDBWarehouse:
    """One connection of this process to one DuckDB file. See :class:`~backhaul.warehouse.door.Warehouse`."""

    dialect = "duckdb"
    shared = False
    undoes = True

    def __init__(self, path: str | Path, folder: Path) -> None:
        """Open (or make) the file at `path`, relative to `folder`; ``:memory:`` gives one that is forgotten."""
        self.path = ":memory:" if str(path) == ":memory:" else str((folder / Path(path).expanduser()).absolute())
        self._connection = _connect(self.path)
        self._depth = 0
        self._failed = False
        self._closed = False
        try:
            # On the global scope, so that every further connection of this process (dlt's, a stream's) has it.
            self._connection.execute("SET GLOBAL TimeZone = 'UTC'").fetchall()
            self._connection.execute("SET GLOBAL autoinstall_known_extensions = false").fetchall()
            self._catalog = str(self._connection.execute("SELECT current_database()").fetchall()[0][0])
        except BaseException:
            self._connection.close()
            raise

    def __repr__(self) -> str:
        return f"DuckDBWarehouse({self.path!r})"

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Statements

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; gives the number of rows it changed or made, 0 where DuckDB does not say."""
        with self._running(sql):
            result = self._connection.execute(sql, _bound(parameters))
            counted = [entry[0] for entry in result.description or ()] == ["Count"]
            rows = result.fetchall()
        return int(rows[0][0]) if counted and len(rows) == 1 else 0

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of a query, as dictionaries."""
        with self._running(sql):
            result = self._connection.execute(sql, _bound(parameters))
            names = [entry[0] for entry in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, None when there is no row."""
        with self._running(sql):
            rows = self._connection.execute(sql, _bound(parameters)).fetchall()
        return rows[0][0] if rows else None

    def arrow(self, sql: str, parameters: Parameters = (), *, batch_rows: int = 100_000) -> pyarrow.RecordBatchReader:
        """Stream a query's result as Arrow batches; other statements may run while it is being read.

        Inside a transaction the result is read whole first, as only this connection sees its changes.
        """
        import pyarrow

        bound = _bound(parameters)
        with self._running(sql):
            if self._depth:
                table = self._connection.sql(sql, params=bound).to_arrow_table()
                return pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches(batch_rows))
            # A connection of its own; the reader keeps it alive.
            return self._connection.cursor().sql(sql, params=bound).to_arrow_reader(batch_rows)

    def native(self) -> AbstractContextManager[None]:
        """Nothing: the engine's words are DuckDB's."""
        return nullcontext()

    # Names

    def quote(self, identifier: str) -> str:
        """The identifier in double quotes."""
        return '"' + identifier.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """The text in single quotes."""
        return "'" + text.replace("'", "''") + "'"

    def relation(self, schema: str, name: str) -> str:
        """The quoted, qualified name of a table or view."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def exists(self, schema: str, name: str) -> bool:
        """Whether a table or view of that name stands there, whatever its letters' case."""
        return self._kind(schema, name) is not None

    def kind(self, schema: str, name: str) -> str | None:
        """'table', 'view' or None for what stands there under that name."""
        return self._kind(schema, name)

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name -> DuckDB type, in the table's order; empty when there is no such table or view."""
        if not self._depth:
            # The list of all columns costs milliseconds a look, the relation itself a fifth of them. Within a
            # transaction it is not asked: where nothing stands there, the error would end the transaction.
            with suppress(duckdb.Error):
                place = f"{self.quote(self._catalog)}.{self.quote(schema)}.{self.quote(name)}"
                told = self._connection.execute(f"DESCRIBE {place}").fetchall()
                return {str(row[0]): str(row[1]) for row in told}
        found = self.rows(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
            "AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?) ORDER BY column_index",
            (schema, name),
        )
        return {row["column_name"]: row["data_type"] for row in found}

    def fold(self, identifier: str) -> str:
        """The identifier itself: DuckDB keeps the spelling and finds a name by any."""
        return identifier

    def spell(self, schema: str, name: str, columns: Sequence[str]) -> None:
        """Nothing: the names in the database are spelled as they were given."""

    # Tables and views

    def create_schema(self, name: str) -> None:
        """Make the schema if it is missing. DuckDB cannot tell it from a file of the same name, so that is refused."""
        if name.lower() == self._catalog.lower():
            raise ConfigurationError(
                Fault(
                    f"the schema '{name}' and the warehouse file {Path(self.path).name} have one name, which DuckDB "
                    "cannot tell apart",
                    hint="give the file another name in `warehouse.path` of the profile",
                )
            )
        self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(name)}")

    def create_table_as(self, schema: str, name: str, sql: str) -> int:
        """Make or replace a table, atomically, whatever stood there; gives its row count."""
        target = self.relation(schema, name)
        with self.transaction():
            self.create_schema(schema)
            if self._kind(schema, name) != "view":
                return self._statement(f"CREATE OR REPLACE TABLE {target} AS", sql)
            # The query may read the very view it replaces, so the view goes last.
            staged = f"{name}{_STAGE}"
            count = self._statement(f"CREATE OR REPLACE TABLE {self.relation(schema, staged)} AS", sql)
            self.execute(f"DROP VIEW {target}")
            self.execute(f"ALTER TABLE {self.relation(schema, staged)} RENAME TO {self.quote(name)}")
            return count

    def make_table(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Make or replace an empty table."""
        body = ", ".join(f"CAST(NULL AS {kind}) AS {self.quote(column)}" for column, kind in columns.items())
        self.create_table_as(schema, name, f"SELECT {body} WHERE FALSE")

    def create_view_as(self, schema: str, name: str, sql: str) -> None:
        """Make or replace a view, atomically, whatever stood there."""
        with self.transaction():
            self.create_schema(schema)
            if self._kind(schema, name) == "table":
                self.execute(f"DROP TABLE {self.relation(schema, name)}")
            self._statement(f"CREATE OR REPLACE VIEW {self.relation(schema, name)} AS", sql)

    def merge(self, schema: str, name: str, sql: str, unique_key: Sequence[str]) -> int:
        """Put the query's rows into a table, those of the same key replaced; see the interface."""
        if self._kind(schema, name) != "table":
            count = 0
            with self.transaction():
                count = self.create_table_as(schema, name, sql)
                refuse_doubles(self, f"{schema}.{name}", self.relation(schema, name), unique_key)
            return count
        target = self.relation(schema, name)
        with self.transaction():
            count = self._statement(f"CREATE OR REPLACE TEMP TABLE {_STAGE} AS", sql)
            stage = f"temp.{_STAGE}"
            self._add_columns(schema, name)
            if unique_key:
                refuse_doubles(self, f"{schema}.{name}", stage, unique_key)
                same = " AND ".join(
                    f"old.{self.quote(key)} IS NOT DISTINCT FROM new.{self.quote(key)}" for key in unique_key
                )
                self.execute(f"DELETE FROM {target} AS old USING {stage} AS new WHERE {same}")
            self.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {stage}")
            self.execute(f"DROP TABLE {stage}")
            return count

    def drop(self, schema: str, name: str) -> None:
        """Remove a table or view if it is there."""
        kind = self._kind(schema, name)
        if kind:
            self.execute(f"DROP {kind.upper()} {self.relation(schema, name)}")

    def insert(self, schema: str, name: str, rows: pyarrow.Table | Sequence[Mapping[str, Any]]) -> int:
        """Append rows to an existing table by column name; a column that a row does not hold becomes null."""
        import pyarrow

        target = self.relation(schema, name)
        if isinstance(rows, pyarrow.Table):
            table = rows
        else:
            if not rows:
                return 0
            # The table's own types, never the rows': the first row may lack what a later one holds.
            with self._running(f"FROM {target}"):
                known = self._connection.sql(f"SELECT * FROM {target} LIMIT 0").to_arrow_table().schema
            by_name = {column.name.lower(): column for column in known}
            names = {key.lower(): key for row in rows for key in row}
            unknown = sorted(key for lowered, key in names.items() if lowered not in by_name)
            if unknown:
                raise StatementFailed(
                    f"{schema}.{name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(known.names)}"
                )
            held = [column for column in known if column.name.lower() in names]
            lowered_rows = [{key.lower(): value for key, value in row.items()} for row in rows]
            arrays = [
                pyarrow.array([row.get(column.name.lower()) for row in lowered_rows], type=column.type)
                for column in held
            ]
            table = pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(held))
        view = f"{_STAGE}_rows"
        self._connection.register(view, table)
        try:
            return self.execute(f"INSERT INTO {target} BY NAME SELECT * FROM {view}")
        finally:
            self._connection.unregister(view)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Nothing to do: the file is of this process alone, and nothing in it writes while it reads."""
        yield

    def engine(self, *, anew: bool = False) -> Warehouse:
        """This very file."""
        return self

    def narrow(
        self, schema: str, name: str, column: str, sql: str, *, within: str = "TRUE", besides: str = "FALSE"
    ) -> None:
        """Nothing: everything is here already."""

    def pour(self, schema: str, name: str, sql: str) -> int:
        """Append the rows of a SELECT to an existing table, by column name; gives how many."""
        return self.execute(f"INSERT INTO {self.relation(schema, name)} BY NAME {sql}")

    @contextmanager
    def brought(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[str]:
        """The rows of a query as a temporary table, inside the ``with``."""
        name = f"{_STAGE}_brought"
        self.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}", parameters)
        yield f"temp.{name}"
        self.execute(f"DROP TABLE temp.{name}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what is done inside; an inner one joins the outer one."""
        if self._depth == 0:
            with readable("BEGIN"):
                self._connection.begin()
            self._failed = False
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                with suppress(duckdb.Error):  # a failed COMMIT has rolled back already
                    self._connection.rollback()
            raise
        self._depth -= 1
        if self._depth == 0 and self._failed:
            with suppress(duckdb.Error):
                self._connection.rollback()
            raise StatementFailed("nothing of the transaction is kept, as a statement in it failed", sql="COMMIT")
        if self._depth == 0:
            with readable("COMMIT"):
                self._connection.commit()

    def destination(self, expected: Callable[[], int | None] = lambda: None) -> Any:
        """A dlt destination on a twin of this connection (one process, one file, no second lock).

        Insertion order is not kept on it: the largest single switch for load speed (tech-spike.md §2), and rows of
        the raw log are ordered by their stamps, never by position.
        """
        from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

        from backhaul.warehouse.duckdb_load import counting

        twin = self._connection.cursor()  # dlt sets session options on what it is given
        return counting(DuckDbCredentials(twin, local_config={"preserve_insertion_order": "false"}), expected)

    def dataset(self, schema: str) -> str | None:
        """The schema."""
        return schema

    def package(self, sql: str, columns: Mapping[str, str], stem: Path) -> tuple[Path, str]:
        """The SELECT itself, which dlt runs as an INSERT: nothing is written twice (tech-spike.md §2)."""
        path = stem.with_suffix(".model")
        path.write_text(f"dialect: duckdb\n{sql}", encoding="utf-8")
        return path, "model"

    @contextmanager
    def streaming(self, columns: int) -> Iterator[None]:
        """Lower DuckDB's memory limit, so that its cache does not grow with the rows that are written.

        Each thread builds row groups of 122,880 rows; what is done of them goes to the file, and what there is no room
        for to a temporary one. With this much, rows of 10 texts of 512 characters, and of 3 of 8,192, came in as fast
        as with 3.6 times as much. A lower limit that stands already is left alone.
        """
        now, threads = self.rows("SELECT current_setting('memory_limit') AS held, current_setting('threads') AS n")[
            0
        ].values()
        wanted = int(threads) * max(64, columns * 3)
        if wanted >= _mebibytes(str(now)):
            yield
            return
        self.execute(f"SET GLOBAL memory_limit = '{wanted}MiB'")
        try:
            yield
        finally:
            self.execute(f"SET GLOBAL memory_limit = {self.literal(str(now))}")

    def close(self) -> None:
        """Give the file back; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    # Within

    @contextmanager
    def _running(self, sql: str) -> Iterator[None]:
        """A statement; one that fails ends its transaction (DuckDB 1 would keep what goes before and after it)."""
        try:
            with readable(sql):
                yield
        except StatementFailed:
            self._failed = self._depth > 0
            raise

    def _kind(self, schema: str, name: str) -> str | None:
        found = self.scalar(
            "SELECT table_type FROM information_schema.tables WHERE table_catalog = current_database() "
            "AND lower(table_schema) = lower(?) AND lower(table_name) = lower(?)",
            (schema, name),
        )
        return None if found is None else ("view" if found == "VIEW" else "table")

    def _statement(self, before: str, sql: str) -> int:
        """Run `before` and, from the next line on, the caller's `sql`, so that error lines are the caller's."""
        body = sql.strip().rstrip(";") if sql.rstrip().endswith(";") else sql
        try:
            return self.execute(f"{before}\n{body}")
        except StatementFailed as failed:
            line = max(failed.line - 1, 0)
            raise StatementFailed(
                failed.reason, sql=sql, line=line, column=failed.column if line else 0, hint=failed.hint
            ) from failed.__cause__

    def _add_columns(self, schema: str, name: str) -> None:
        """Give the target those columns of the staged rows that it lacks."""
        had = {column.lower() for column in self.columns(schema, name)}
        staged = self.rows(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'temp' AND table_name = ? "
            "ORDER BY column_index",
            (_STAGE,),
        )
        for row in staged:
            if row["column_name"].lower() not in had:
                added = f"{self.quote(row['column_name'])} {row['data_type']}"
                self.execute(f"ALTER TABLE {self.relation(schema, name)} ADD COLUMN {added}")


def _mebibytes(shown: str) -> float:
    """A size as DuckDB shows it (``19.1 GiB``) in MiB."""
    number, _, unit = shown.partition(" ")
    return float(number) * {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0, "TiB": 1024.0**2}.get(unit, 1 / 1024**2)


def _bound(parameters: Parameters) -> list[Any] | dict[str, Any] | None:
    if isinstance(parameters, Mapping):
        return dict(parameters)
    return list(parameters) or None


@contextmanager
def readable(sql: str) -> Iterator[None]:
    """Turn the driver's errors into :class:`StatementFailed`, with the position where DuckDB shows one."""
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        place = _EXCERPT.search(text)
        if not place:
            raise StatementFailed(text.strip(), sql=sql) from error
        line = int(place["line"])
        # The marker stands under the excerpt; an excerpt that was cut starts with dots and tells no column.
        cut = place["text"].startswith("...")
        column = 0 if cut else len(place["marker"]) - len(f"LINE {line}: ") + 1
        raise StatementFailed(text[: place.start()].strip(), sql=sql, line=line, column=max(column, 0)) from error


def _connect(path: str) -> Any:
    file = Path(path)
    if path != ":memory:":
        _check_writable(file)
    try:
        return duckdb.connect(path)
    except duckdb.Error as error:
        raise _not_opened(file, str(error)) from error


def _check_writable(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(file, f"its folder cannot be made ({error.strerror})") from error
    if file.is_dir():
        raise _unusable(file, "it is a folder, not a file")
    if not os.access(file.parent, os.W_OK):
        raise _unusable(file, "its folder cannot be written to")
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise _unusable(file, "the file cannot be read and written")


def _unusable(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        Fault(
            f"the warehouse file {file} cannot be used: {why}",
            hint="change `warehouse.path` in the profile, or the permissions of the folder",
        )
    )


def _not_opened(file: Path, reason: str) -> BackhaulError:
    holder = _HOLDER.search(reason)
    if holder or "lock on file" in reason:
        who = f"process {holder['pid']}" if holder else "another process"
        return Locked(
            f"the warehouse file {file} is held by {who}; DuckDB lets one process in at a time",
            hint=f"wait for {who} to end or close it (a notebook, a shell, another run), then try again",
        )
    if "version number" in reason or "storage version" in reason.lower():
        return BackhaulError(
            f"the warehouse file {file} was written by another DuckDB than {duckdb.__version__}, which is installed "
            f"here and cannot read it: {reason.splitlines()[0]}",
            hint="install a DuckDB that can (`pip install --upgrade duckdb`), or name a new file in `warehouse.path` "
            "of the profile",
        )
    if "not a valid DuckDB database" in reason or "corrupt" in reason.lower() or "checksum" in reason.lower():
        return BackhaulError(
            f"the file {file} is not a readable DuckDB database: {reason}",
            hint="restore it from a copy, or move it away: the next run builds it anew from the CRMs",
        )
    return BackhaulError(f"the warehouse file {file} could not be opened: {reason}")
