"""One unit of work: the rows a request reads and writes, checked in memory and written down together.

A ``$batch`` of a thousand changes becomes a handful of statements. Rows are dictionaries of stored values, keyed by
column; a mark taken before a change set lets it be undone without the database knowing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .edm import TEXTS, Key, Table
from .sql import guid, quote

if TYPE_CHECKING:
    from .org import DataverseOrg

Row = dict[str, Any]
_Place = tuple[str, str]


class Work:
    """Pending changes of one request. Not for use by two threads; the caller holds the store's transaction."""

    def __init__(self, org: DataverseOrg) -> None:
        self.org = org
        self._rows: dict[_Place, Row | None] = {}  # as they are now; None = there is none
        self._stored: dict[_Place, Row | None] = {}  # as the database has them
        self._changed: dict[_Place, None] = {}
        self._undo: list[tuple[_Place, Row | None]] = []
        self._vanished: set[_Place] = set()  # rows whose creation was taken back
        self._keys: dict[tuple[str, str, tuple[Any, ...]], set[str]] = {}  # what staged rows hold
        self._asked: dict[tuple[str, str, tuple[Any, ...]], list[str]] = {}  # what the database holds

    # --- reading ------------------------------------------------------------------------------------------

    def prefetch(self, table: Table, ids: Iterable[str]) -> None:
        """Read many rows at once, so that `get` need not ask for each."""
        wanted = list({one for one in ids if (table.name, one) not in self._rows})
        for start in range(0, len(wanted), 5000):
            part = wanted[start : start + 5000]
            marks = ", ".join("?" for _ in part)
            found = {
                str(row[table.primary_id]): row
                for row in self.org.store.dicts(
                    f"SELECT * FROM {quote(table.name)} WHERE {quote(table.primary_id)} IN ({marks})", part
                )
            }
            for one in part:
                place = (table.name, one)
                self._rows[place] = self._stored[place] = found.get(one)

    def get(self, table: Table, record_id: str) -> Row | None:
        """Give a row as it is now, this unit's changes included; None when there is none."""
        place = (table.name, record_id)
        if place not in self._rows:
            self.prefetch(table, [record_id])
        return self._rows[place]

    def fresh(self, table: Table, record_id: str) -> None:
        """Note that a newly minted id is in no row, so that nobody need ask."""
        place = (table.name, record_id)
        self._rows[place] = self._stored[place] = None

    def prefetch_bodies(self, table: Table, bodies: Iterable[Any]) -> None:
        """Look up in one go what many bodies will be checked against: their ids and alternate keys."""
        mappings = [body for body in bodies if isinstance(body, Mapping)]
        ids = (guid(str(body.get(table.primary_id, ""))) for body in mappings)
        self.prefetch(table, [one for one in ids if one])
        for key in table.keys:
            if all(table.attributes[name].type in TEXTS for name in key.columns):
                values = [tuple(body.get(name) for name in key.columns) for body in mappings]
                self.prefetch_key(table, key, [one for one in values if all(isinstance(part, str) for part in one)])

    def prefetch_key(self, table: Table, key: Key, values: Iterable[tuple[Any, ...]]) -> None:
        """Look many values of an alternate key up at once."""
        wanted = {_folded(table, key, one): one for one in values if None not in one}
        asked = [(place, one) for place, one in wanted.items() if (table.name, key.name, place) not in self._asked]
        texts = [table.attributes[name].type in TEXTS for name in key.columns]
        columns = ", ".join(quote(name) for name in key.columns)
        # Both sides are folded by the database, whose rules for letters are not Python's.
        shown = ", ".join(
            f"lower({quote(name)})" if text else quote(name) for name, text in zip(key.columns, texts, strict=True)
        )
        holders: list[str] = []
        mark = "(" + ", ".join("lower(?)" if text else "?" for text in texts) + ")"
        for start in range(0, len(asked), 5000):
            part = asked[start : start + 5000]
            for place, _ in part:
                self._asked[(table.name, key.name, place)] = []
            sql = (
                f"SELECT {quote(table.primary_id)}, {columns} FROM {quote(table.name)} "
                f"WHERE ({shown}) IN ({', '.join(mark for _ in part)})"
            )
            for record_id, *found in self.org.store.query(sql, [value for _, one in part for value in one]):
                place = _folded(table, key, tuple(found))
                self._asked.setdefault((table.name, key.name, place), []).append(str(record_id))
                holders.append(str(record_id))
        self.prefetch(table, holders)

    def find(self, table: Table, key: Key, values: tuple[Any, ...]) -> str | None:
        """Give the id of the row that holds these values of an alternate key. A null part matches nothing (§5.2)."""
        if None in values:
            return None
        folded = _folded(table, key, values)
        place = (table.name, key.name, folded)
        if place not in self._asked:
            self.prefetch_key(table, key, [values])
        candidates: list[str] = [*self._keys.get(place, ()), *self._asked[place]]
        for record_id in candidates:
            row = self.get(table, record_id)
            if row is not None and _folded(table, key, tuple(row[name] for name in key.columns)) == folded:
                return record_id
        return None

    def holding(self, table: Table, values: Mapping[str, Any]) -> list[str]:
        """Give the ids of the rows that have these values in these columns as they are now, text without regard to
        case."""
        texts = {name for name in values if table.attributes[name].type in TEXTS}
        condition = " AND ".join(
            f"lower({quote(name)}) = lower(?)" if name in texts else f"{quote(name)} = ?" for name in values
        )
        sql = f"SELECT {quote(table.primary_id)} FROM {quote(table.name)} WHERE {condition}"
        found = [str(one) for (one,) in self.org.store.query(sql, list(values.values()))]
        staged = [record_id for name, record_id in self._changed if name == table.name]
        candidates = list(dict.fromkeys([*found, *staged]))
        self.prefetch(table, candidates)

        def same(row: Row) -> bool:
            return all(
                str(row[name]).lower() == str(value).lower() if name in texts else row[name] == value
                for name, value in values.items()
            )

        return [one for one in candidates if (row := self.get(table, one)) is not None and same(row)]

    # --- writing ------------------------------------------------------------------------------------------

    def put(self, table: Table, row: Row) -> None:
        """Stage a whole row, new or changed."""
        self._set(table, str(row[table.primary_id]), row)
        for key in table.keys:
            values = tuple(row[name] for name in key.columns)
            if None not in values:
                place = (table.name, key.name, _folded(table, key, values))
                self._keys.setdefault(place, set()).add(str(row[table.primary_id]))

    def remove(self, table: Table, record_id: str) -> None:
        """Stage a deletion."""
        self.get(table, record_id)
        self._set(table, record_id, None)

    def _set(self, table: Table, record_id: str, row: Row | None) -> None:
        place = (table.name, record_id)
        self._undo.append((place, self.get(table, record_id)))
        self._rows[place] = row
        self._changed[place] = None
        self._vanished.discard(place)

    def mark(self) -> int:
        """Remember this point for :meth:`undo`."""
        return len(self._undo)

    def undo(self, mark: int) -> None:
        """Take back everything staged since `mark`."""
        while len(self._undo) > mark:
            place, row = self._undo.pop()
            self._rows[place] = row
            self._changed[place] = None  # what was written down meanwhile is written back
            if row is None:
                self._vanished.add(place)

    def flush(self) -> None:
        """Write what is staged to the database, within the caller's transaction."""
        by_table: dict[str, list[str]] = {}
        for table_name, record_id in self._changed:
            by_table.setdefault(table_name, []).append(record_id)
        for table_name, ids in by_table.items():
            self._flush_table(self.org.tables[table_name], ids)
        if by_table:
            self.org.changed()
        for place in self._changed:
            self._stored[place] = self._rows[place]
        self._changed.clear()
        self._vanished.clear()
        self._keys.clear()
        self._asked.clear()

    def _flush_table(self, table: Table, ids: Sequence[str]) -> None:
        inserts: list[Row] = []
        updates: list[tuple[Row, Row]] = []
        deletes: list[str] = []
        for record_id in ids:
            before, after = self._stored[(table.name, record_id)], self._rows[(table.name, record_id)]
            if after is None:
                if before is not None:
                    deletes.append(record_id)
            elif before is None:
                inserts.append(after)
            elif before is not after:
                updates.append((before, after))
        store = self.org.store
        store.insert(table.name, inserts)
        touched = {name for before, after in updates for name in after if after[name] != before.get(name)}
        if touched:
            names = (table.primary_id, *sorted(touched))
            store.update(table.name, table.primary_id, [{name: after[name] for name in names} for _, after in updates])
        undone = [one for one in deletes if (table.name, one) in self._vanished]
        store.remove(table.name, table.primary_id, undone)  # as if it had never been
        deletes = [one for one in deletes if (table.name, one) not in self._vanished]
        if deletes:
            self.org.forget(table, deletes)


def _folded(table: Table, key: Key, values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(
        value.lower() if table.attributes[name].type in TEXTS and isinstance(value, str) else value
        for name, value in zip(key.columns, values, strict=True)
    )


def key_named(table: Table, columns: Mapping[str, Any]) -> Key | None:
    """Give the alternate key made of exactly these properties; lookups under their wire name count too (§5.2)."""
    given = {table.properties[name].name if name in table.properties else name for name in columns}
    for key in table.keys:
        if set(key.columns) == given and key.status == "Active":
            return key
    return None
