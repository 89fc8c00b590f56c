"""A database with the engine's scratch file beside it: what is the same for every one that is no DuckDB file itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backhaul.warehouse.door import Warehouse
from backhaul.warehouse.scratch import Scratch, Wanted

if TYPE_CHECKING:
    import pyarrow


class BesideScratch(ABC):
    """Makes the scratch file when it is first wanted, and moves rows between it and the database.

    See :class:`~backhaul.warehouse.door.Warehouse` for what the methods give and raise.
    """

    rows_poured = 50_000
    """Rows that are on their way into the database at a time."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the scratch file lies, on the runner."""
        self._folder = folder
        self._made: Scratch | None = None

    @property
    def scratch(self) -> Scratch:
        """The file, made when it is first asked for."""
        if self._made is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._made = Scratch(self._folder, self)
        return self._made

    def engine(self, *, anew: bool = False) -> Warehouse:
        """The scratch DuckDB on the runner."""
        if anew and self._made is not None:
            self._made.forget()
        return self.scratch

    def narrow(  # noqa: B027 - of the interface, and for engines alone
        self, schema: str, name: str, column: str, sql: str, *, within: str = "TRUE", besides: str = "FALSE"
    ) -> None:
        """Nothing: it is the engine that copies."""

    def pour(self, schema: str, name: str, sql: str) -> int:
        """Append the rows of a SELECT of the engine's, batch by batch; gives how many."""
        import pyarrow

        with self.transaction(), self.scratch.streamed(sql, self.rows_poured) as reader:
            return sum(self.insert(schema, name, pyarrow.Table.from_batches([batch])) for batch in reader)

    @contextmanager
    def brought(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[str]:
        """The rows of a query as a temporary table of the engine, inside the ``with``."""
        self.scratch.hold("brought", self.arrow(sql, parameters), "SELECT * FROM arriving")
        yield "temp.brought"
        self.scratch.execute("DROP TABLE temp.brought")

    @contextmanager
    def streaming(self, columns: int) -> Iterator[None]:
        """As of the engine's file, which the rows pass through."""
        with self.scratch.streaming(columns):
            yield

    def remove_scratch(self) -> None:
        """Close and remove the file, if there is one."""
        if self._made is not None:
            self._made.close()

    # What the database itself does

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing for what is done inside."""

    @abstractmethod
    def insert(self, schema: str, name: str, rows: pyarrow.Table) -> int:
        """Append rows to an existing table by column name."""

    @abstractmethod
    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pyarrow.RecordBatchReader:
        """Stream a query's result."""

    @abstractmethod
    def columns(self, schema: str, name: str) -> dict[str, str]:
        """Column name -> type in DuckDB's words."""

    @abstractmethod
    def copied(
        self, schema: str, name: str, into: Callable[[pyarrow.RecordBatchReader], None], wanted: Wanted | None
    ) -> None:
        """Hand a relation's rows to the scratch file."""
