"""PostgreSQL (15 or newer) as the warehouse.

Statements go through psycopg2, which dlt's destination wants as well; rows come in by COPY and go out as Arrow by
ADBC, which reads PostgreSQL's binary COPY (measured in tech-spike.md §5). PostgreSQL folds names that are written
without quotes to lower case. So every name is made in lower case, and a model's unquoted ``LastName`` finds its column;
how the CRM spells it is kept as the column's comment, which travels with the table, and
:meth:`PostgresWarehouse.columns` tells it.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg2

from backhaul.errors import ConfigurationError
from backhaul.warehouse.beside import BesideScratch
from backhaul.warehouse.door import Row, StatementFailed, Warehouse
from backhaul.warehouse.keys import refuse_doubles
from backhaul.warehouse.postgres_session import NEXT, SESSION, address, connect, failed, not_let_in
from backhaul.warehouse.postgres_types import ARROW, arrow_type, duckdb_type, for_copy, outgoing, postgres_type, typed
from backhaul.warehouse.scratch import Wanted

if TYPE_CHECKING:
    import pyarrow

Parameters = Sequence[Any] | Mapping[str, Any]

_STAGE = "_backhaul_stage"
_LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps; it cuts a longer one without a word (`NAMEDATALEN`)."""
_MAKING = re.compile(r"\s*CREATE\s+(SCHEMA|TABLE)\s+IF\s+NOT\s+EXISTS\b", re.IGNORECASE)
_MAKING_LOCK = 7_203_117_001
"""The advisory lock of who makes schemas and tables; any number that is ours alone will do."""
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)|\$(?P<name>[A-Za-z_]\w*)|"
    r"(?P<mark>\?)|(?P<percent>%)",
    re.DOTALL,
)


class PostgresWarehouse(BesideScratch):
    """One connection to one database. See :class:`~backhaul.warehouse.door.Warehouse`."""

    dialect = "postgres"
    shared = True
    undoes = True

    def __init__(self, credentials: str | Mapping[str, Any], folder: Path) -> None:
        """Connect with dlt's credentials (an address, or a mapping); `folder` is for what is scratched on the runner.

        Raises ConfigurationError for credentials that are none, BackhaulError when the server does not let us in.
        """
        self._uri = address(credentials)
        super().__init__(folder)
        self._depth = 0
        self._closed = False
        self._snapshot = ""
        self._connection = connect(self._uri)
        self._streams: Any = None

    def __repr__(self) -> str:
        known = self._connection.get_dsn_parameters()
        return f"PostgresWarehouse({known.get('host', '')}:{known.get('port', '')}/{known.get('dbname', '')})"

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Statements

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; gives the number of rows it changed or made, 0 where PostgreSQL does not say."""
        if _MAKING.match(sql):
            # Of two sessions that make one thing at once, PostgreSQL refuses the second for all its IF NOT EXISTS.
            with self.transaction():
                with self._running("SELECT pg_advisory_xact_lock(?)", [_MAKING_LOCK]):
                    pass
                with self._running(sql, parameters):
                    return 0
        with self._running(sql, parameters) as cursor:
            return max(int(cursor.rowcount), 0) if cursor.description is None else 0

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of a query, as dictionaries; JSON as text."""
        with self._running(sql, parameters) as cursor:
            names = [entry[0] for entry in cursor.description or ()]
            return [dict(zip(names, map(_plain, row), strict=True)) for row in (cursor.fetchall() if names else ())]

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, None when there is no row."""
        with self._running(sql, parameters) as cursor:
            row = cursor.fetchone() if cursor.description else None
        return _plain(row[0]) if row else None

    def arrow(self, sql: str, parameters: Parameters = (), *, batch_rows: int = 100_000) -> pyarrow.RecordBatchReader:
        """Stream a query's result as Arrow batches; other statements may run while it is being read.

        Inside a transaction the result is read whole first, as only this connection sees its changes. The driver
        chooses the size of the batches.
        """
        import pyarrow

        body = sql.strip().rstrip(";")
        with self._running(f"SELECT * FROM (\n{body}\n) AS asked LIMIT 0", parameters) as cursor:
            described = cursor.description or ()
            bound = cursor.mogrify(*_bound(body, parameters)).decode()
        kinds = self._kinds([(entry.type_code, entry.internal_size, entry) for entry in described])
        types = [arrow_type(kind) for kind in kinds]
        schema = pyarrow.schema([(entry.name, kind) for entry, kind in zip(described, types, strict=True)])
        if self._depth and not self._snapshot:
            found = self.rows(body, parameters)
            columns = [[row[name] for row in found] for name in schema.names]
            arrays = [pyarrow.array(column, type=kind) for column, kind in zip(columns, types, strict=True)]
            table = pyarrow.Table.from_arrays(arrays, schema=schema)
            return pyarrow.RecordBatchReader.from_batches(schema, table.to_batches(batch_rows))
        chosen = ", ".join(self._as_arrow(f"c{number}", kind) + f" AS c{number}" for number, kind in enumerate(kinds))
        names = ", ".join(f"c{number}" for number in range(len(kinds)))
        stream = self._stream(f"SELECT {chosen} FROM (\n{bound}\n) AS asked({names})")

        def batches() -> Iterator[pyarrow.RecordBatch]:
            for batch in stream:
                columns = [typed(column, kind) for column, kind in zip(batch.columns, types, strict=True)]
                yield pyarrow.RecordBatch.from_arrays(columns, schema=schema)

        return pyarrow.RecordBatchReader.from_batches(schema, batches())

    def native(self) -> AbstractContextManager[None]:
        """Nothing: what the engine says in its own words means the same to PostgreSQL."""
        return nullcontext()

    # Names

    def quote(self, identifier: str) -> str:
        """The identifier in lower case and double quotes. Raises ConfigurationError for one that would be cut."""
        folded = self.fold(identifier)
        if len(folded.encode()) > _LONGEST_NAME:
            raise ConfigurationError(
                f"the name {identifier} has more than the {_LONGEST_NAME} bytes that PostgreSQL keeps of a name",
                hint="leave the field out of sources/, or give the model or account a shorter name",
            )
        return '"' + folded.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """The text in single quotes."""
        return "'" + text.replace("'", "''") + "'"

    def relation(self, schema: str, name: str) -> str:
        """The quoted, qualified name of a table or view."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def fold(self, identifier: str) -> str:
        """The identifier in lower case."""
        return identifier.lower()

    def exists(self, schema: str, name: str) -> bool:
        """Whether a table or view of that name stands there."""
        return self._kind(schema, name) is not None

    def kind(self, schema: str, name: str) -> str | None:
        """'table', 'view' (or 'materialized view') or None for what stands there under that name."""
        return self._kind(schema, name)

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name, as the CRM spells it -> type in DuckDB's words; empty when there is no such table or view."""
        return {row["spelled"]: duckdb_type(row["kind"]) for row in self._described(schema, name)}

    def spell(self, schema: str, name: str, columns: Sequence[str]) -> None:
        """Keep spellings as comments of the columns; a comment of somebody else's is left alone."""
        there = {row["stored"]: row for row in self._described(schema, name)}
        for column in columns:
            row = there.get(self.fold(column))
            if row is not None and row["comment"] is None and row["stored"] != column:
                place = f"{self.relation(schema, name)}.{self.quote(column)}"
                self.execute(f"COMMENT ON COLUMN {place} IS {self.literal(column)}")

    # Tables and views

    def create_schema(self, name: str) -> None:
        """Make the schema if it is missing; where it stands, no right to make one is needed."""
        if not self.scalar("SELECT 1 FROM pg_namespace WHERE nspname = ?", [self.fold(name)]):
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {self.quote(name)}")

    def create_table_as(self, schema: str, name: str, sql: str) -> int:
        """Make or replace a table, atomically, whatever stood there; gives its row count.

        Views of it are kept where they still can be: PostgreSQL binds a view to the table itself, not to its name.
        """
        staged = self.relation(schema, _STAGE + "_new")
        with self.transaction():
            self.create_schema(schema)
            # The query may read the very table it replaces, so that goes last.
            count = self._statement(f"CREATE TABLE {staged} AS", sql)
            with self._reading_views(schema, name):
                self._drop(schema, name)
                self.execute(f"ALTER TABLE {staged} RENAME TO {self.quote(name)}")
            return count

    def make_table(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Make or replace an empty table; the types in PostgreSQL's words."""
        body = ", ".join(
            f"CAST(NULL AS {postgres_type(kind)}) AS {self.quote(column)}" for column, kind in columns.items()
        )
        with self.transaction():
            self.create_table_as(schema, name, f"SELECT {body} WHERE FALSE")
            self.spell(schema, name, list(columns))

    def create_view_as(self, schema: str, name: str, sql: str) -> None:
        """Make or replace a view, atomically, whatever stood there; views of it are kept where they still can be."""
        with self.transaction():
            self.create_schema(schema)
            with self._reading_views(schema, name):
                self._drop(schema, name)
                self._statement(f"CREATE VIEW {self.relation(schema, name)} AS", sql)

    def merge(self, schema: str, name: str, sql: str, unique_key: Sequence[str]) -> int:
        """Put the query's rows into a table, those of the same key replaced; see the interface."""
        if self._kind(schema, name) != "table":
            with self.transaction():
                count = self.create_table_as(schema, name, sql)
                refuse_doubles(self, f"{schema}.{name}", self.relation(schema, name), unique_key)
            return count
        target, stage = self.relation(schema, name), f"pg_temp.{_STAGE}"
        with self.transaction():
            self.execute(f"DROP TABLE IF EXISTS {stage}")
            count = self._statement(f"CREATE TEMP TABLE {_STAGE} AS", sql)
            had = {row["stored"] for row in self._described(schema, name)}
            staged = self._described("pg_temp", _STAGE)
            for row in staged:
                if row["stored"] not in had:
                    self.execute(f"ALTER TABLE {target} ADD COLUMN {self.quote(row['stored'])} {row['kind']}")
            if unique_key:
                refuse_doubles(self, f"{schema}.{name}", stage, unique_key)
                same = " AND ".join(
                    f"old.{self.quote(key)} IS NOT DISTINCT FROM new.{self.quote(key)}" for key in unique_key
                )
                self.execute(f"DELETE FROM {target} AS old USING {stage} AS new WHERE {same}")
            names = ", ".join(self.quote(row["stored"]) for row in staged)
            self.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {stage}")
            self.execute(f"DROP TABLE {stage}")
            return count

    def drop(self, schema: str, name: str) -> None:
        """Remove a table or view if it is there, and the views that read it."""
        self._drop(schema, name)

    def insert(self, schema: str, name: str, rows: pyarrow.Table | Sequence[Mapping[str, Any]]) -> int:
        """Append rows to an existing table by column name, by COPY; a column that a row does not hold becomes null."""
        import pyarrow

        if not isinstance(rows, pyarrow.Table):
            if not rows:
                return 0
            rows = self._table_of(schema, name, rows)
        return self._copy_in(schema, name, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what is done inside; an inner one joins the outer one."""
        if self._depth == 0:
            self.execute("BEGIN")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                with suppress(psycopg2.Error, StatementFailed):
                    self.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction, whose snapshot the streams share (PostgreSQL's manual, pg_export_snapshot).

        It holds back no writer, only who would drop or rebuild what was read. Inside a transaction it is that one.
        """
        if self._depth:
            yield
            return
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._depth += 1
        try:
            self._snapshot = str(self.scalar("SELECT pg_export_snapshot()"))
            yield
        finally:
            self._depth -= 1
            self._snapshot = ""
            with suppress(psycopg2.Error, StatementFailed):
                self.execute("ROLLBACK")

    # The engine beside it

    def copied(
        self,
        schema: str,
        name: str,
        into: Callable[[pyarrow.RecordBatchReader], None],
        wanted: Wanted | None,
    ) -> None:
        """Hand a relation's rows to the scratch file, its columns called c0, c1 ...; those that are `wanted` only.

        What Arrow has no word for comes as text, lists as JSON.
        """
        described = self._described(schema, name)
        chosen = ", ".join(
            f"{self._as_arrow('t.' + self.quote(row['stored']), duckdb_type(row['kind']))} AS c{number}"
            for number, row in enumerate(described)
        )
        sql = f"SELECT {chosen} FROM {self.relation(schema, name)} AS t"
        keys = wanted.keys if wanted is not None else None
        if wanted is not None and keys is not None:
            among = f"t.{self.quote(wanted.column)} IN (SELECT key FROM pg_temp._backhaul_keys)"
            sql += f" WHERE ({wanted.within}) AND ({among} OR ({wanted.besides}))"
        elif wanted is not None:
            sql += f" WHERE {wanted.within}"
        into(self._stream(sql, keys, lambda: self._refuse_replaced(schema, name)))

    def destination(self, expected: Callable[[], int | None] = lambda: None) -> Any:
        """A dlt destination for this database that runs what :meth:`package` writes."""
        from backhaul.warehouse.postgres_load import destination

        return destination(self._uri, self.scratch.piped, expected)

    def dataset(self, schema: str) -> str | None:
        """The schema."""
        return schema

    def package(self, sql: str, columns: Mapping[str, str], stem: Path) -> tuple[Path, str]:
        """The SELECT itself: the load job pipes its rows into COPY, while they are still being made.

        dlt takes the file for one of CSV, and does not look into it.
        """
        engine = self.engine()
        path = stem.with_suffix(".csv")
        chosen = ", ".join(outgoing(engine.quote(name), kind) for name, kind in columns.items())
        select = f"SELECT {chosen} FROM ({sql}) AS packed"
        path.write_text(json.dumps({"columns": [self.fold(name) for name in columns], "sql": select}), encoding="utf-8")
        return path, "csv"

    def close(self) -> None:
        """Give the connection back and remove the scratch file; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self.remove_scratch()
            if self._streams is not None:
                self._streams.close()
            self._connection.close()

    # Within

    @contextmanager
    def _running(self, sql: str, parameters: Parameters = ()) -> Iterator[Any]:
        text, values = _bound(sql, parameters)
        if self._connection.closed and not self._depth and not self._closed:
            # An earlier statement found the connection lost, and was not repeated: it may have been carried out.
            self._connection = connect(self._uri)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(text, values)
                yield cursor
        except psycopg2.Error as error:
            raise failed(error, sql, located=not values) from error

    def _statement(self, before: str, sql: str) -> int:
        """Run `before` and, from the next line on, the caller's `sql`, so that error lines are the caller's."""
        body = sql.strip().rstrip(";") if sql.rstrip().endswith(";") else sql
        with_rows = f"{before}\n{body}"
        try:
            with self._running(with_rows) as cursor:
                return max(int(cursor.rowcount), 0)
        except StatementFailed as failed:
            line = max(failed.line - 1, 0)
            column = failed.column if line else 0
            raise StatementFailed(
                failed.reason, sql=sql, line=line, column=column, hint=failed.hint, code=failed.code
            ) from failed.__cause__

    def _stream(
        self, sql: str, keys: pyarrow.Table | None = None, checked: Callable[[], None] = lambda: None
    ) -> pyarrow.RecordBatchReader:
        """A query's Arrow stream on a connection of its own, which the reader keeps until it is read.

        `checked` may raise, once the query holds what it reads and before a row is given.
        """
        import pyarrow
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi

        def broken(error: Exception) -> StatementFailed:
            text, code = str(error).split("ERROR:", 1)[-1].strip().splitlines(), getattr(error, "sqlstate", None) or ""
            reason = text[0] if text else type(error).__name__
            return StatementFailed(reason, sql=sql, hint=NEXT.get(code, ""), code=code)

        try:
            if self._streams is None:
                # The driver reads the database's list of types once for this one and all its clones, which takes it
                # ten times as long as to connect. It begins no transaction of its own.
                self._streams = dbapi.connect(self._uri, autocommit=True)
            connection = self._streams.adbc_clone()
        except Error as error:
            raise not_let_in(str(error), sql) from None
        cursor = connection.cursor()
        try:
            if self._snapshot:  # the driver has begun a transaction, in which nothing was asked yet
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute(f"SET TRANSACTION SNAPSHOT {self.literal(self._snapshot)}")
            for setting in SESSION:
                cursor.execute(setting)
            if keys is not None:
                cursor.adbc_ingest("_backhaul_keys", keys, mode="create", temporary=True)
            cursor.execute(sql)
            reader = cursor.fetch_record_batch()
            checked()
        except (Error, StatementFailed) as error:
            cursor.close()
            connection.close()
            if isinstance(error, StatementFailed):
                raise
            raise broken(error) from error

        def batches() -> Iterator[pyarrow.RecordBatch]:
            try:
                yield from reader
            except (Error, OSError, pyarrow.ArrowException) as error:
                raise broken(error) from error
            finally:
                reader.close()
                cursor.close()
                connection.close()

        return pyarrow.RecordBatchReader.from_batches(reader.schema, batches())

    def _refuse_replaced(self, schema: str, name: str) -> None:
        """Raise StatementFailed when the snapshot is older than the relation that now bears the name.

        PostgreSQL finds a relation by its name as of now, and its rows as of the snapshot: one that was made since
        would look empty (its manual, 13.6 "Caveats").
        """
        if not self._snapshot:
            return
        place = self.relation(schema, name)
        same = self.scalar(
            "SELECT c.oid = to_regclass(?) AND c.relfilenode = COALESCE(pg_relation_filenode(to_regclass(?)), 0) "
            "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ?",
            [place, place, self.fold(schema), self.fold(name)],
        )
        if not same:
            raise StatementFailed(
                f"{schema}.{name} was made anew by another session while this one was reading",
                hint="run it again once the other run has ended",
            )

    @staticmethod
    def _as_arrow(column: str, kind: str) -> str:
        if kind in ARROW:
            return column
        if kind.endswith("[]"):
            return f"CAST(TO_JSON({column}) AS TEXT)"
        return f"CAST({column} AS TEXT)"

    def _kind(self, schema: str, name: str) -> str | None:
        found = self.scalar(
            "SELECT relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p', 'f', 'v', 'm')",
            [self.fold(schema), self.fold(name)],
        )
        return None if found is None else {"v": "view", "m": "materialized view"}.get(str(found), "table")

    def _described(self, schema: str, name: str) -> list[Row]:
        """A relation's columns in order: stored, spelled, kind (PostgreSQL's word), comment."""
        where = "n.oid = pg_my_temp_schema()" if schema == "pg_temp" else "n.nspname = ?"
        rows = self.rows(
            "SELECT a.attname AS stored, format_type(a.atttypid, a.atttypmod) AS kind, "
            "col_description(c.oid, a.attnum) AS comment FROM pg_attribute AS a JOIN pg_class AS c "
            "ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            f"WHERE {where} AND c.relname = ? AND c.relkind IN ('r', 'p', 'f', 'v', 'm') "
            "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [*([] if schema == "pg_temp" else [self.fold(schema)]), self.fold(name)],
        )
        for row in rows:
            told = row["comment"] or ""
            row["spelled"] = told if self.fold(told) == row["stored"] else row["stored"]
        return rows

    def _kinds(self, described: Sequence[tuple[int, int, Any]]) -> list[str]:
        """The types of a result's columns in DuckDB's words."""
        kinds = []
        for code, _, entry in described:
            # The driver tells a number's digits apart from its type; without a declaration they are out of range.
            digits = code == 1700 and entry.precision is not None and 0 < entry.precision <= 1000
            word = (
                f"numeric({entry.precision},{entry.scale})"
                if digits
                else str(self.scalar("SELECT format_type(CAST(? AS OID), NULL)", [code]))
            )
            kinds.append(duckdb_type(word))
        return kinds

    def _drop(self, schema: str, name: str) -> None:
        kind = self._kind(schema, name)
        if kind:
            self.execute(f"DROP {kind.upper()} {self.relation(schema, name)} CASCADE")

    @contextmanager
    def _reading_views(self, schema: str, name: str) -> Iterator[None]:
        """Make the views of a relation anew after it was replaced; one that no longer fits is gone until it is built.

        PostgreSQL would not let the relation go while they stand (its manual on DROP TABLE, CASCADE).
        """
        views = self.rows(
            "WITH RECURSIVE readers(oid, depth) AS (SELECT c.oid, 0 FROM pg_class AS c JOIN pg_namespace AS n "
            "ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ? UNION "
            "SELECT r.ev_class, readers.depth + 1 FROM readers JOIN pg_depend AS d ON d.refobjid = readers.oid "
            "AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite AS r ON r.oid = d.objid "
            "WHERE r.ev_class <> readers.oid AND readers.depth < 100) "
            "SELECT n.nspname AS schema, c.relname AS name, pg_get_viewdef(c.oid) AS sql, MAX(depth) AS depth "
            "FROM readers JOIN pg_class AS c ON c.oid = readers.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE depth > 0 AND c.relkind = 'v' GROUP BY n.nspname, c.relname, c.oid ORDER BY MAX(depth), 1, 2",
            [self.fold(schema), self.fold(name)],
        )
        yield
        for view in views:
            self.execute("SAVEPOINT _backhaul_view")
            try:
                self.execute(f"CREATE VIEW {self.relation(view['schema'], view['name'])} AS {view['sql']}")
            except StatementFailed:
                self.execute("ROLLBACK TO SAVEPOINT _backhaul_view")
            self.execute("RELEASE SAVEPOINT _backhaul_view")

    def _table_of(self, schema: str, name: str, rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
        """Dictionaries as a table of the target's own types: the first row may lack what a later one holds."""
        import pyarrow

        known = {column.lower(): kind for column, kind in self.columns(schema, name).items()}
        names = {key.lower(): key for row in rows for key in row}
        unknown = sorted(key for lowered, key in names.items() if lowered not in known)
        if unknown:
            raise StatementFailed(
                f"{schema}.{name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
            )
        lowered_rows = [{key.lower(): value for key, value in row.items()} for row in rows]
        held = [column for column in known if column in names]
        return pyarrow.Table.from_arrays(
            [
                pyarrow.array([row.get(column) for row in lowered_rows], type=arrow_type(known[column]))
                for column in held
            ],
            names=held,
        )

    def _copy_in(self, schema: str, name: str, table: pyarrow.Table) -> int:
        from pyarrow import csv

        plain = [for_copy(column) for column in table.columns]
        buffer = io.BytesIO()
        options = csv.WriteOptions(include_header=False, quoting_style="needed")
        csv.write_csv(table.from_arrays(plain, names=table.column_names), buffer, options)
        buffer.seek(0)
        names = ", ".join(self.quote(column) for column in table.column_names)
        sql = f"COPY {self.relation(schema, name)} ({names}) FROM STDIN WITH (FORMAT csv)"
        try:
            with self._connection.cursor() as cursor:
                cursor.copy_expert(sql, buffer)
        except psycopg2.Error as error:
            raise failed(error, sql, located=False) from error
        return int(table.num_rows)


def _bound(sql: str, parameters: Parameters) -> tuple[str, Any]:
    """The statement and its values as the driver takes them: ``%s`` for ``?``, ``%(name)s`` for ``$name``."""
    if not parameters:
        return sql, None

    def translated(found: re.Match[str]) -> str:
        if found["mark"]:
            return "%s"
        if found["name"] and isinstance(parameters, Mapping):
            return f"%({found['name']})s"
        return found[0].replace("%", "%%")

    text = _TOKEN.sub(translated, sql)
    return text, dict(parameters) if isinstance(parameters, Mapping) else tuple(parameters)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
