"""A session in one of dlt's destinations: statements, transactions, and errors in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from backhaul.warehouse import clickhouse
from backhaul.warehouse.abilities import Abilities
from backhaul.warehouse.dlt_client import Client
from backhaul.warehouse.door import Row, StatementFailed
from backhaul.warehouse.rows import told
from backhaul.warehouse.wording import Wording

Parameters = Sequence[Any] | Mapping[str, Any]

_MAKES = re.compile(r"\s*(CREATE|DROP|ALTER|EXEC|RENAME|IF)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_COUNTED = frozenset({"count", "num_affected_rows"})
"""What the only column is called where a driver gives the number of changed rows as a result."""


class DltSession:
    """What :class:`~backhaul.warehouse.through_dlt.DltWarehouse` says its statements through."""

    def __init__(self, client: Client, abilities: Abilities) -> None:
        """Connect. Raises BackhaulError when the database does not let us in."""
        self._client = client
        self._can = abilities
        self._words = Wording(abilities)
        self._depth = 0
        self._open: ExitStack | None = None
        self._broken = False
        self._native = False
        self._schemas: set[str] = set()
        self._listings: dict[tuple[str, ...], list[Row]] = {}  # of the database's lists, until it is made anew
        self._session = self._connect()

    @contextmanager
    def native(self) -> Iterator[None]:
        """Inside the ``with`` statements are in the database's own dialect, not in the engine's words."""
        before, self._native = self._native, True
        try:
            yield
        finally:
            self._native = before

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what is done inside, where the database can; an inner one joins the outer one.

        It is begun by the first statement that changes rows: one that makes a table would end it on most databases.
        """
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._ended(keep=False)
            raise
        self._depth -= 1
        if self._depth == 0:
            self._ended(keep=True)

    # Within: the session

    def _connect(self) -> Any:
        session = self._client.connected()
        for statement in self._can.session:
            session.execute_sql(statement)
        return session

    def _worded(self, sql: str, parameters: Parameters = ()) -> str:
        return sql if self._native else self._words.statement(sql, parameters)

    @contextmanager
    def _running(self, text: str, sql: str = "", session: Any = None) -> Iterator[Any]:
        """A cursor over what a statement in the database's own dialect gives; `sql` is what the caller wrote."""
        if self._can.dialect == "clickhouse":
            text = clickhouse.unbroken(text)
        if _MAKES.match(text):
            said = text.lower()
            for place in [one for one in self._listings if one[-1] in said]:
                del self._listings[place]
        if session is None:
            session = self._session
            if self._broken:
                raise StatementFailed("nothing more can be done after the statement that failed", sql=sql)
            if self._depth and self._can.transactions and not _READS.match(text):
                self._begin(_MAKES.match(text) is not None)
        try:
            with session.execute_query(text) as cursor:
                yield cursor
        except (StatementFailed, GeneratorExit):
            raise
        except Exception as error:
            if session is self._session:
                self._after_failure()
            raise self._failed(error, sql or text) from error

    def _begin(self, makes: bool) -> None:
        """Begin the transaction with the first statement that it can hold."""
        if makes and not self._can.ddl_in_transactions:
            self._ended(keep=True)
        elif self._open is None:
            self._open = ExitStack()
            self._open.enter_context(self._session.begin_transaction())

    def _ended(self, *, keep: bool) -> None:
        """End what was begun, if anything was."""
        opened, self._open = self._open, None
        broken, self._broken = self._broken, False
        if not keep:
            self._schemas.clear()  # what was made may be undone
            self._listings.clear()
        if opened is None:
            return
        if not keep or broken:
            # dlt's own transaction is undone by an exception; a Ctrl-C is none to it.
            with suppress(Exception):
                opened.__exit__(_Undone, _Undone(), None)
            if keep:
                raise StatementFailed("a statement of the transaction failed, so nothing of it was kept")
            return
        try:
            opened.close()
        except Exception as error:
            raise self._failed(error, "COMMIT") from error

    def _after_failure(self) -> None:
        """dlt's clients undo the transaction of a statement that failed, and may begin their session anew."""
        self._broken = self._open is not None
        with suppress(Exception):
            for statement in self._can.session:
                self._session.execute_sql(statement)

    def _failed(self, error: Exception, sql: str) -> StatementFailed:
        reason, line, column = told(getattr(error, "dbapi_exception", None) or error)
        return StatementFailed(self._client.without_secrets(reason), sql=sql, line=line, column=column)

    def _make(self, text: str, sql: str = "") -> None:
        """Run a statement of the database's own; error lines are those of the caller's `sql`, from the second on."""
        try:
            with self._running(text, sql):
                pass
        except StatementFailed as failed:
            line = max(failed.line - 1, 0) if sql else 0
            raise StatementFailed(
                failed.reason, sql=sql or text, line=line, column=failed.column if line else 0
            ) from failed.__cause__

    def _names(self, cursor: Any) -> list[str]:
        names = [str(entry[0]) for entry in cursor.description or ()]
        return [name.lower() for name in names] if self._can.upper else names

    def _changed(self, cursor: Any) -> int:
        if not cursor.description:
            with suppress(AttributeError, TypeError):
                return max(int(cursor.rowcount), 0)
            return 0
        if str(cursor.description[0][0]).lower() in _COUNTED and len(cursor.description) == 1:
            return int(cursor.fetchone()[0])
        return 0


class _Undone(Exception):
    """What undoes a transaction of dlt's."""
