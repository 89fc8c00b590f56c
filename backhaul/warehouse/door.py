"""What every warehouse can do, whatever database stands behind it, and the error that its statements raise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from backhaul.errors import StepFailed

if TYPE_CHECKING:
    import pyarrow

Row = dict[str, Any]
"""One result row: column name -> Python value (aware UTC datetimes, Decimal, date, str, bool, int, float, None)."""


class StatementFailed(StepFailed):
    """The database refused a statement.

    `line` and `column` count from 1 inside the SQL that the caller handed over (0 = not known); `reason` is the
    database's own first sentence without the excerpt; `sql` is the statement, for a log; `code` the database's own of
    what went wrong (SQLSTATE), '' where it tells none.
    """

    def __init__(
        self, reason: str, *, sql: str = "", line: int = 0, column: int = 0, hint: str = "", code: str = ""
    ) -> None:
        place = f" (line {line}{f', column {column}' if column else ''} of the SQL)" if line else ""
        super().__init__(f"{reason}{place}", hint=hint)
        self.reason = reason
        self.sql = sql
        self.line = line
        self.column = column
        self.code = code


class Warehouse(Protocol):
    """An open warehouse. The session's time zone is UTC. Statements raise :class:`StatementFailed`.

    `dialect` is sqlglot's name of the SQL it speaks; `shared`: other machines can be at work in it at the same time;
    `undoes`: a :meth:`transaction` that was broken off leaves nothing of itself.
    Names given as `schema` and `name` are plain, never quoted. Parameters are bound to ``?`` in order (a sequence) or
    to ``$name`` (a mapping).
    """

    dialect: str
    shared: bool
    undoes: bool

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run one statement; gives the number of rows it changed or made, 0 where the database does not say."""
        ...

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Every row of a query, as dictionaries. For results that fit in memory; else :meth:`arrow`."""
        ...

    def scalar(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
        """The first column of the first row, None when there is no row."""
        ...

    def arrow(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, batch_rows: int = 100_000
    ) -> pyarrow.RecordBatchReader:
        """Stream a query's result as Arrow batches; other statements may run while it is being read."""
        ...

    def native(self) -> AbstractContextManager[None]:
        """Inside the ``with`` a statement is in the dialect of the warehouse: one that was carried over to it.

        Elsewhere it is in the engine's own words: the part of DuckDB's SQL that every database has a word for. The
        queries of :meth:`create_table_as`, :meth:`create_view_as` and :meth:`merge` always are in the dialect.
        """
        ...

    def quote(self, identifier: str) -> str:
        """The identifier as it has to stand in SQL so that any character in it is harmless."""
        ...

    def literal(self, text: str) -> str:
        """The text as a SQL string literal, for the few places where a parameter cannot stand."""
        ...

    def relation(self, schema: str, name: str) -> str:
        """The quoted, qualified name of a table or view."""
        ...

    def exists(self, schema: str, name: str) -> bool:
        """Whether a table or view of that name stands there."""
        ...

    def kind(self, schema: str, name: str) -> str | None:
        """'table', 'view' or None for what stands there under that name."""
        ...

    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name -> type in DuckDB's words, in the table's order; empty when there is no such table or view.

        Names are spelled as :meth:`spell` was told, else as the database has them.
        """
        ...

    def fold(self, identifier: str) -> str:
        """The identifier as the database stores it when it is written without quotes."""
        ...

    def spell(self, schema: str, name: str, columns: Sequence[str]) -> None:
        """Remember how a table's columns are spelled where the database's own names do not tell."""
        ...

    def create_schema(self, name: str) -> None:
        """Make the schema if it is missing."""
        ...

    def create_table_as(self, schema: str, name: str, sql: str) -> int:
        """Make (or replace, atomically, whether a table or a view stood there) a table; gives its row count."""
        ...

    def make_table(self, schema: str, name: str, columns: Mapping[str, str]) -> None:
        """Make (or replace, atomically) an empty table: column name -> type in DuckDB's words."""
        ...

    def create_view_as(self, schema: str, name: str, sql: str) -> None:
        """Make (or replace, atomically, whether a table or a view stood there) a view."""
        ...

    def merge(self, schema: str, name: str, sql: str, unique_key: Sequence[str]) -> int:
        """Put the query's rows into a table, those of the same `unique_key` replaced; gives how many came.

        Makes the table when it is missing (or a view stood there); columns that are new are added, with null in
        the older rows; an empty `unique_key` appends. Two incoming rows with one key are refused.
        """
        ...

    def drop(self, schema: str, name: str) -> None:
        """Remove a table or view if it is there."""
        ...

    def insert(self, schema: str, name: str, rows: pyarrow.Table | Sequence[Mapping[str, Any]]) -> int:
        """Append rows to an existing table by column name; a column that a row does not hold becomes null."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing for what is done inside; an inner one joins the outer one."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Inside the ``with`` everything that is read, here and by the engine, is of one moment; nothing is written.

        What another session commits meanwhile is not seen. A relation that it made anew cannot be read as of before:
        StatementFailed.
        """
        ...

    def engine(self, *, anew: bool = False) -> Warehouse:
        """The DuckDB that runs the engine's own statements, in which every relation of the warehouse can be read.

        A DuckDB file is its own engine; another database has a scratch file on the runner, into which what a statement
        reads is copied first. With `anew` what was copied earlier is forgotten.
        """
        ...

    def narrow(
        self, schema: str, name: str, column: str, sql: str, *, within: str = "TRUE", besides: str = "FALSE"
    ) -> None:
        """Of an engine: only some rows of this table will be asked for, until it is narrowed to others or read anew.

        Those for which `within` holds, and whose `column` is among what `sql` selects or for which `besides` holds;
        without `sql` all that are `within`. The conditions are SQL over the table's own columns that the warehouse
        understands.
        """
        ...

    def pour(self, schema: str, name: str, sql: str) -> int:
        """Append the rows of a SELECT of the engine's to an existing table, by column name; gives how many."""
        ...

    def brought(self, sql: str, parameters: Sequence[Any] = ()) -> AbstractContextManager[str]:
        """The rows of a query of the warehouse's as a relation of the engine, inside the ``with``."""
        ...

    def destination(self, expected: Callable[[], int | None] = lambda: None) -> Any:
        """A dlt destination, set up for fast loads.

        `expected` is asked after each package's rows are in, where the database can take them back before they count:
        another number of them fails the load.
        """
        ...

    def dataset(self, schema: str) -> str | None:
        """What dlt's pipelines call that schema; None where the destination of :meth:`destination` is it already."""
        ...

    def package(self, sql: str, columns: Mapping[str, str], stem: Path) -> tuple[Path, str]:
        """A SELECT of the engine's as a file that dlt imports: its path (`stem` and a suffix) and its format.

        `columns`: name -> type in DuckDB's words of what the SELECT gives.
        """
        ...

    def streaming(self, columns: int) -> AbstractContextManager[None]:
        """Keep little in memory while rows of so many columns stream in: what is written need not be cached."""
        ...

    def close(self) -> None:
        """Give the database back; closing twice is harmless."""
        ...

    def __enter__(self) -> Warehouse: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
