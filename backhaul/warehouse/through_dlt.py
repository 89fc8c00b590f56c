"""Any SQL destination of dlt as the warehouse, through dlt's own client.

One class for all of them: what they differ in stands in :mod:`.abilities`, the engine's own statements are put into
their words by :mod:`.wording`, and what the engine compares and judges is done by DuckDB in a scratch file on the
runner, as for PostgreSQL (:mod:`.scratch`). Rows of imports are loaded by dlt from files that the scratch file writes.

A database of this kind stores names folded (lower case, on Snowflake upper case); how the CRM spells a column is kept
in a table beside the ledger, as comments are another thing everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from backhaul.errors import ConfigurationError, IncompleteImport, Where
from backhaul.warehouse import clickhouse
from backhaul.warehouse.abilities import Abilities
from backhaul.warehouse.beside import BesideScratch
from backhaul.warehouse.dlt_client import Client
from backhaul.warehouse.dlt_session import DltSession
from backhaul.warehouse.door import Row, StatementFailed, Warehouse
from backhaul.warehouse.filling import ROWS, body, inserted, merged, merged_whole, table_as
from backhaul.warehouse.keys import refuse_doubles
from backhaul.warehouse.rows import array, plain
from backhaul.warehouse.scratch import Wanted

if TYPE_CHECKING:
    import pyarrow

Parameters = Sequence[Any] | Mapping[str, Any]

_RAW = "raw"
"""The schema that dlt loads into."""
_STAGE = "_backhaul_stage"
_BATCH = 10_000
"""Rows that are on their way at a time."""
_SPELLINGS = ("backhaul", "spellings")
"""The table that keeps how columns are spelled, in the ledger's schema."""


class DltWarehouse(DltSession, BesideScratch):
    """One session in one destination. See :class:`~backhaul.warehouse.door.Warehouse`.

    Statements are the engine's own words, but for a model's (which was carried over) and what is run inside
    :meth:`native`.
    """

    rows_poured = _BATCH

    def __init__(
        self,
        name: str,
        credentials: str | Mapping[str, Any] | None,
        folder: Path,
        *,
        where: Where | None = None,
        abilities: Abilities | None = None,
    ) -> None:
        """Connect to dlt's destination `name`; `folder` is the project's, `where` the warehouse's place in a profile.

        `abilities` are others than those of the table, for a database that can do less. Raises ConfigurationError for
        what cannot be, BackhaulError when the database does not let us in.
        """
        client = Client(name, credentials, folder, _RAW, where)
        DltSession.__init__(self, client, abilities or client.abilities)
        BesideScratch.__init__(self, folder / ".backhaul" / "scratch")
        self.dialect = self._can.dialect
        self.shared = self._can.shared
        self.undoes = self._can.transactions
        self._closed = False
        self._spelled: dict[tuple[str, str], dict[str, str]] | None = None
        self._expected: Callable[[], int | None] = lambda: None

    def __repr__(self) -> str:
        return f"DltWarehouse({self._client})"

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Statements

    def execute(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement; gives the number of rows it changed or made, 0 where the database does not say."""
        with self._running(self._worded(sql, parameters), sql) as cursor:
            return self._changed(cursor)

    def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Every row of a query, as dictionaries; JSON as text."""
        with self._running(self._worded(sql, parameters), sql) as cursor:
            if not cursor.description:
                return []
            names = self._names(cursor)
            return [dict(zip(names, map(self._plain, row), strict=True)) for row in cursor.fetchall()]

    def scalar(self, sql: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, None when there is no row."""
        with self._running(self._worded(sql, parameters), sql) as cursor:
            row = cursor.fetchone() if cursor.description else None
        return self._plain(row[0]) if row else None

    def arrow(self, sql: str, parameters: Parameters = (), *, batch_rows: int = 100_000) -> pyarrow.RecordBatchReader:
        """Stream a query's result as Arrow batches; other statements may run while it is being read.

        Inside a transaction the result is read whole first, as only this session sees its changes.
        """
        kinds = self._kinds_of(sql)
        text = self._worded(sql.strip().rstrip(";"), parameters)
        return self._reader(text, kinds, batch_rows)

    # Names

    def quote(self, identifier: str) -> str:
        """The identifier in lower case and double quotes, as the engine writes it; see :meth:`native`.

        Raises ConfigurationError for one that the database would cut or refuse.
        """
        longest = self._session.capabilities.max_column_identifier_length
        if longest and len(identifier.encode()) > longest:
            raise ConfigurationError(
                f"the name {identifier} has more than the {longest} bytes that {self._client.name} keeps of a name",
                hint="leave the field out of sources/, or give the model or account a shorter name",
            )
        return '"' + identifier.lower().replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """The text in single quotes, as the engine writes it."""
        return "'" + text.replace("'", "''") + "'"

    def relation(self, schema: str, name: str) -> str:
        """The qualified name of a table or view, as the engine writes it."""
        return f"{self.quote(schema)}.{self.quote(name)}"

    def fold(self, identifier: str) -> str:
        """The identifier in lower case. (Where the database stores upper case, dlt is told so.)"""
        return identifier.lower()

    def exists(self, schema: str, name: str) -> bool:
        """Whether a table or view of that name stands there."""
        return self.kind(schema, name) is not None

    def kind(self, schema: str, name: str) -> str | None:
        """'table', 'view' or None for what stands under that name."""
        found = self._listed(self._can.tables, schema, name)
        return None if not found else "view" if "VIEW" in str(found[0].get("table_type")).upper() else "table"

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name, as it was spelled -> type in DuckDB's words; empty when there is no such table or view."""
        told = self._spellings().get((schema.lower(), name.lower()), {})
        return {told.get(stored.lower(), stored): kind for stored, kind in self._stored(schema, name).items()}

    def spell(self, schema: str, name: str, columns: Sequence[str]) -> None:
        """Keep spellings in a table of their own."""
        place = (schema.lower(), name.lower())
        held = self._spellings().get(place, {})
        new = {column.lower(): column for column in columns if column != column.lower()}
        new = {stored: column for stored, column in new.items() if held.get(stored) != column}
        if not new:
            return
        with self.transaction():
            if not self.exists(*_SPELLINGS):
                names = ("table_schema", "table_name", "column_name", "spelled")
                self.make_table(*_SPELLINGS, dict.fromkeys(names, "VARCHAR"))
            relation = self.relation(*_SPELLINGS)
            of = "table_schema = ? AND table_name = ?"
            self.execute(f"DELETE FROM {relation} WHERE {of} AND column_name IN (SELECT UNNEST(CAST(? AS VARCHAR[])))",
                         [*place, list(new)])  # fmt: skip
            rows = [
                {"table_schema": place[0], "table_name": place[1], "column_name": stored, "spelled": column}
                for stored, column in new.items()
            ]
            self.insert(*_SPELLINGS, rows)
        self._spelled = None

    # Tables and views

    def create_schema(self, name: str) -> None:
        """Make the schema if it is missing; where it stands, no right to make one is needed."""
        if name.lower() not in self._schemas:
            words = self._words
            asked = f"SELECT 1 FROM {self._can.schemata} WHERE schema_name = {words.literal(words.folded(name))}"
            with self.native():
                stands = bool(self._can.schemata and self.rows(asked))
            if not stands:
                self._make(self._can.schemas.format(schema=words.name(name), bare=words.folded(name)))
            self._schemas.add(name.lower())

    def create_table_as(self, schema: str, name: str, sql: str) -> int:
        """Make or replace a table of a query in the database's own dialect; gives its row count."""
        self._replaced(schema, name, lambda target: self._table_as(target, sql), sql)
        return self._count(schema, name)

    def make_table(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Make or replace an empty table; the types in the database's words."""
        body = ", ".join(f"{self._words.name(column)} {self._words.type(kind)}" for column, kind in columns.items())
        self._replaced(schema, name, lambda target: f"TABLE {target} ({body}) {self._can.table_ends}".rstrip(), "")
        if (schema, name) != _SPELLINGS:
            self.spell(schema, name, list(columns))

    def create_view_as(self, schema: str, name: str, sql: str) -> None:
        """Make or replace a view of a query in the database's own dialect, whatever stood there."""
        before = self._can.view.format(name=self._words.relation(schema, name))
        with self.transaction():
            self.create_schema(schema)
            stood = self.kind(schema, name)
            with self._reading_views(schema, name):
                if stood == "table" or (stood == "view" and " OR " not in before):
                    self._drop(schema, name, stood)
                self._make(f"{before}\n{body(sql)}\n{self._can.view_ends}".rstrip(), sql)

    def merge(self, schema: str, name: str, sql: str, unique_key: Sequence[str]) -> int:
        """Put the rows of a query in the database's own dialect into a table; see the interface."""
        stage = f"{_STAGE}_{name.lower()}"
        with self.transaction():
            self.create_schema(schema)
            try:
                self._replaced(schema, stage, lambda target: self._table_as(target, sql), sql)
                count = self._count(schema, stage)
                refuse_doubles(self, f"{schema}.{name}", self.relation(schema, stage), unique_key)
                if self.kind(schema, name) != "table":
                    staged = f"SELECT * FROM {self._words.relation(schema, stage)}"
                    self._replaced(schema, name, lambda target: self._table_as(target, staged), "")
                else:
                    self._add_columns(schema, name, stage)
                    self._merged(schema, name, stage, unique_key)
            finally:
                if not self._broken:
                    self._drop(schema, stage)
        return count

    def drop(self, schema: str, name: str) -> None:
        """Remove a table or view if it is there."""
        with self.transaction():
            self._drop(schema, name)

    def insert(self, schema: str, name: str, rows: pyarrow.Table | Sequence[Mapping[str, Any]]) -> int:
        """Append rows to an existing table by column name; a column that a row does not hold becomes null."""
        import pyarrow

        known = {column.lower(): kind for column, kind in self.columns(schema, name).items()}
        if isinstance(rows, pyarrow.Table):
            names = [column.lower() for column in rows.column_names]
            columns = [column.to_pylist() for column in rows.columns]
            values: Iterator[Sequence[Any]] = zip(*columns, strict=True) if names else iter(())
        else:
            if not rows:
                return 0
            there = {key.lower() for row in rows for key in row}
            names = [column for column in known if column in there] + sorted(there - set(known))
            lowered = ({key.lower(): value for key, value in row.items()} for row in rows)
            values = ([row.get(column) for column in names] for row in lowered)
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise StatementFailed(
                f"{schema}.{name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(known)}"
            )
        return self._insert_values(schema, name, {column: known[column] for column in names}, values)

    # The engine beside it

    def engine(self, *, anew: bool = False) -> Warehouse:
        """As of its base; anew, what stands in the database is looked up again as well."""
        if anew:
            self._listings.clear()
        return super().engine(anew=anew)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Nothing: these clients share no snapshot, so what is read is of several moments.

        Other runs are kept out by the lease; a person's own statements are not.
        """
        yield

    def copied(
        self,
        schema: str,
        name: str,
        into: Callable[[pyarrow.RecordBatchReader], None],
        wanted: Wanted | None,
    ) -> None:
        """Hand a relation's rows to the scratch file, its columns called c0, c1 ...; those with `wanted` keys only.

        Where conditions say what is wanted, everything is handed over: more does no harm. What Arrow has no word for
        comes as text, lists as JSON.
        """
        stored = self._stored(schema, name)
        read = [
            self._can.date_read.format(self._words.name(column)) if kind == "DATE" else self._words.name(column)
            for column, kind in stored.items()
        ]
        chosen = ", ".join(f"{column} AS c{number}" for number, column in enumerate(read))
        as_text = ("DATE",) if self._can.date_read != "{}" else ()
        kinds = ["VARCHAR" if kind.endswith("[]") or kind in as_text else kind for kind in stored.values()]
        named = dict(zip((f"c{number}" for number in range(len(kinds))), kinds, strict=True))
        sql = f"SELECT {chosen} FROM {self._words.relation(schema, name)}"
        if wanted is None or wanted.keys is None or wanted.besides != "FALSE":
            into(self._reader(sql, named, _BATCH))
            return
        column = self._words.name(wanted.column)
        values = [value for value in wanted.keys.column(0).to_pylist() if value is not None]
        parts = [values[start : start + ROWS] for start in range(0, len(values), ROWS)] or [[]]

        def batches() -> Iterator[pyarrow.RecordBatch]:
            for part in parts:
                among = ", ".join(map(self._words.literal, part)) or "NULL"
                yield from self._reader(f"{sql} WHERE {column} IN ({among})", named, _BATCH)

        import pyarrow

        into(pyarrow.RecordBatchReader.from_batches(_schema(named), batches()))

    def destination(self, expected: Callable[[], int | None] = lambda: None) -> Any:
        """dlt's destination. What :meth:`package` writes is counted before it is loaded."""
        self._expected = expected
        return self._client.destination()

    def dataset(self, schema: str) -> str | None:
        """The schema, where the database has schemas."""
        return None if self._can.schemas_are_databases else schema

    def package(self, sql: str, columns: Mapping[str, str], stem: Path) -> tuple[Path, str]:
        """The rows as a Parquet file; where dlt loads none, as INSERT statements of dlt's own or as lines of JSON."""
        from backhaul.warehouse.packing import packed

        caps = self._session.capabilities
        kind = "parquet"
        if not self._can.parquet or not self._can.not_in_parquet.isdisjoint(columns.values()):
            kind = "insert_values" if "insert_values" in caps.supported_loader_file_formats else "jsonl"
        path, count = packed(self.scratch, sql, columns, stem.with_suffix(f".{kind}"), caps, self._can.as_text)
        expected = self._expected()
        if expected is not None and count != expected:
            path.unlink(missing_ok=True)
            raise IncompleteImport(f"{expected} records were announced, {count} are readable in the pages received")
        return path, kind

    def close(self) -> None:
        """Give the session back and remove the scratch file; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self.remove_scratch()
            with suppress(Exception):
                self._session.close_connection()

    # Within: what stands there

    def _plain(self, value: Any) -> Any:
        return plain(clickhouse.wall_clock(value) if self._can.dialect == "clickhouse" else value)

    def _listed(self, catalogue: str, schema: str, name: str = "", order: str = "") -> list[Row]:
        """Rows of one of the database's own lists, their columns in lower case."""
        asked = (catalogue, schema.lower(), name.lower())
        if asked in self._listings:
            return self._listings[asked]
        words = self._words
        place = catalogue.format(schema=words.name(schema))
        wanted = f"table_schema = {words.literal(words.folded(schema))}" if "{" not in catalogue else "1 = 1"
        if name:
            wanted += f" AND table_name = {words.literal(words.folded(name))}"
        try:
            with self._running(f"SELECT * FROM {place} WHERE {wanted}{order}") as cursor:
                names = [str(entry[0]).lower() for entry in cursor.description]
                found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if schema.lower() != _RAW:  # dlt makes its tables there by sessions of its own
                self._listings[asked] = found
            return found
        except StatementFailed:
            if "{" in catalogue:  # BigQuery has no list of a schema that is not there
                return []
            raise

    def _stored(self, schema: str, name: str) -> dict[str, str]:
        rows = self._listed(self._can.columns, schema, name, " ORDER BY ordinal_position")
        lowered = self._can.upper
        return {
            (str(row["column_name"]).lower() if lowered else str(row["column_name"])): self._words.kind(row)
            for row in rows
        }

    def _spellings(self) -> dict[tuple[str, str], dict[str, str]]:
        if self._spelled is None:
            self._spelled = {}
            if self.exists(*_SPELLINGS):
                with self._running(
                    f"SELECT table_schema, table_name, column_name, spelled FROM {self._words.relation(*_SPELLINGS)}"
                ) as cursor:
                    for schema, name, stored, spelled in cursor.fetchall():
                        self._spelled.setdefault((schema, name), {})[stored] = spelled
        return self._spelled

    # Within: tables

    def _replaced(self, schema: str, name: str, made: Callable[[str], str], sql: str) -> None:
        """Make a table in the place of whatever stands there."""
        words = self._words
        target, new = words.relation(schema, name), f"{_STAGE}_new"
        with self.transaction():
            self.create_schema(schema)
            stood = self.kind(schema, name)
            if self._can.or_replace and stood != "view":
                self._make(_creating("CREATE OR REPLACE ", made(target)), sql)
                return
            if stood is None:
                self._make(_creating("CREATE ", made(target)), sql)
                return
            # The query may read the very relation it replaces, so that goes last.
            self._drop(schema, new)
            self._make(_creating("CREATE ", made(words.relation(schema, new))), sql)
            with self._reading_views(schema, name):
                self._drop(schema, name, stood)
                self._make(
                    self._can.rename.format(
                        schema=words.name(schema), old=words.name(new), new=words.name(name), bare=words.folded(name)
                    )
                )

    def _table_as(self, target: str, sql: str) -> str:
        """What makes a table of a query; where columns hold no null by themselves, each is declared to."""
        if self._can.nullable:
            return table_as(self._words, target, sql)
        with self._running(f"DESCRIBE TABLE ({body(sql)})", sql) as cursor:
            described = [(str(row[0]), str(row[1])) for row in cursor.fetchall()]
        columns = ", ".join(
            f"{self._words.name(name)} {kind}" for name, kind in clickhouse.declared(described, self._can.types)
        )
        return table_as(self._words, f"{target} ({columns})", sql)

    def _drop(self, schema: str, name: str, kind: str | None = None) -> None:
        kind = kind or self.kind(schema, name)
        if kind:
            cascade = " CASCADE" if self._can.binds_views else ""
            self._make(f"DROP {kind.upper()} {self._words.relation(schema, name)}{cascade}")

    @contextmanager
    def _reading_views(self, schema: str, name: str) -> Iterator[None]:
        """Make the views of a relation anew after it was replaced, where a view holds on to the relation itself."""
        views = list(self._readers(schema, name, set())) if self._can.binds_views else []
        yield
        for place, text in views:
            self._make(f"CREATE VIEW {self._words.relation(*place)} AS {text.strip().rstrip(';')}")

    def _readers(self, schema: str, name: str, seen: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], str]]:
        """The views that read a relation, each after those that it reads, with their queries."""
        words = self._words
        with self._running(
            "SELECT u.view_schema, u.view_name, v.view_definition FROM information_schema.view_table_usage AS u "
            "JOIN information_schema.views AS v ON v.table_schema = u.view_schema AND v.table_name = u.view_name "
            f"WHERE u.table_schema = {words.literal(words.folded(schema))} "
            f"AND u.table_name = {words.literal(words.folded(name))} ORDER BY 1, 2"
        ) as cursor:
            found = cursor.fetchall()
        for reader_schema, reader, text in found:
            if (reader_schema, reader) not in seen:
                seen.add((reader_schema, reader))
                yield (reader_schema, reader), text
                yield from self._readers(reader_schema, reader, seen)

    def _count(self, schema: str, name: str) -> int:
        with self._running(f"SELECT count(*) FROM {self._words.relation(schema, name)}") as cursor:
            return int(cursor.fetchone()[0])

    def _add_columns(self, schema: str, name: str, stage: str) -> None:
        had = {column.lower() for column in self._stored(schema, name)}
        for column, kind in self._stored(schema, stage).items():
            if column.lower() not in had:
                self.execute(f"ALTER TABLE {self.relation(schema, name)} ADD COLUMN {self.quote(column)} {kind}")

    def _merged(self, schema: str, name: str, stage: str, unique_key: Sequence[str]) -> None:
        words = self._words
        target, source = words.relation(schema, name), words.relation(schema, stage)
        if not self._can.merges and not self._can.transactions:
            # Of two statements the second could be missing for ever: rows deleted, and no others in their place.
            there = {column.lower() for column in self._stored(schema, stage)}
            columns = {column: column.lower() in there for column in self._stored(schema, name)}
            whole = merged_whole(words, target, source, columns, unique_key)
            self._replaced(schema, name, lambda new: self._table_as(new, whole), "")
            return
        for statement in merged(words, target, source, list(self._stored(schema, stage)), unique_key):
            self._make(statement)

    # Within: rows

    def _insert_values(
        self, schema: str, name: str, columns: Mapping[str, str], values: Iterator[Sequence[Any]]
    ) -> int:
        total = 0
        with self.transaction():
            for statement, rows in inserted(self._words, self._words.relation(schema, name), columns, values):
                self._make(statement)
                total += rows
        return total

    def _kinds_of(self, sql: str) -> dict[str, str]:
        """The columns of a query of the engine's with their types, as far as its words tell."""
        if self._native:
            return {}
        from backhaul.warehouse.typing_queries import columns_of

        return columns_of(sql, self.columns)

    def _reader(self, text: str, kinds: Mapping[str, str], batch_rows: int) -> pyarrow.RecordBatchReader:
        """What a query of the database's own dialect gives, in these types; all of them are known, or it is read whole.

        Names are the query's own where `kinds` has another number of columns.
        """
        import pyarrow

        if self._depth or not kinds or not all(kinds.values()):
            with self._running(text) as cursor:
                names, found = self._names(cursor), cursor.fetchall()
            known = list(kinds.values()) if len(kinds) == len(names) else [""] * len(names)
            columns = list(zip(*found, strict=True)) if found else [()] * len(names)
            arrays = [array(column, kind) for column, kind in zip(columns, known, strict=True)]
            table = pyarrow.Table.from_arrays(arrays, names=names)
            return pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches(batch_rows))
        schema = _schema(kinds)
        session = self._connect()

        def batches() -> Iterator[pyarrow.RecordBatch]:
            try:
                for chunk in self._chunks(session, text, batch_rows):
                    arrays = [array(column, kind) for column, kind in zip(chunk, kinds.values(), strict=True)]
                    yield from pyarrow.Table.from_arrays(arrays, schema=schema).to_batches()
            finally:
                with suppress(Exception):
                    session.close_connection()

        return pyarrow.RecordBatchReader.from_batches(schema, batches())

    def _chunks(self, session: Any, text: str, size: int) -> Iterator[Sequence[Any]]:
        """The columns of a query's result, part by part: Arrow's where the driver has them, else the rows' values."""
        from dlt.destinations.sql_client import DBApiCursorImpl

        if self._can.cursors:
            with session.begin_transaction():
                with self._running(f"DECLARE _backhaul_rows NO SCROLL CURSOR FOR {text}", session=session):
                    pass
                while True:
                    with self._running(f"FETCH FORWARD {size} FROM _backhaul_rows", session=session) as cursor:
                        rows = cursor.fetchall()
                    if not rows:
                        return
                    yield list(zip(*rows, strict=True))
        with self._running(text, session=session) as cursor:
            if type(cursor).iter_arrow is not DBApiCursorImpl.iter_arrow:
                with catch_warnings():
                    simplefilter("ignore")  # DuckDB's, that there is a faster way
                    for table in cursor.iter_arrow(size):
                        yield table.columns
            else:
                while rows := cursor.fetchmany(size):
                    yield list(zip(*rows, strict=True))


def _creating(before: str, made: str) -> str:
    """T-SQL's way of making a table of a query (SELECT ... INTO) is whole in itself."""
    return before + made if made.startswith("TABLE ") else made


def _schema(kinds: Mapping[str, str]) -> pyarrow.Schema:
    import pyarrow

    from backhaul.warehouse.postgres_types import arrow_type

    return pyarrow.schema([(name, arrow_type(kind)) for name, kind in kinds.items()])
