"""The plan: every change an export or a delete would make, finished before the first one is sent.

It is data: rows of a temporary table of the warehouse's engine, with action, fields, old and new value, and the reason.
``plan`` shows the very rows that ``apply`` sends. Actions: create, update, delete, restore (of an undo: a deleted
record comes back under its own id), skip (nothing to do, with the reason) and refuse (a reject:
the reason is its symbol).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from backhaul.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow

WRITES = ("create", "update", "delete", "restore")

PAGE, ROWS = 50_000, 20_000
"""Rows of a plan that are read at a time, as a table and one by one."""

COLUMNS = (
    *(
        "key",
        "action",
        "record_id",
        "match",
        "changes",
        "fingerprint",
        "rest",
        "symbol",
        "reason",
        "partial",
        "parked",
        "version",
    ),
)
"""What a plan's table holds beside its row number: see :class:`PlannedChange`."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a planned change, as text in the CRM's terms (see :mod:`backhaul.export.values`)."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Parked:
    """One field that nobody may write before a person decides.

    `kind`: "conflict" (CRM and model both changed it since they last agreed) or "rewritten" (the CRM made something
    else of what it was sent, twice).
    """

    field: str
    kind: str
    crm: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One row of a plan. `match` is key field -> value of an upsert; `symbol` and `reason` explain skip and refuse.

    `partial`: an update of the consent flags alone, as `symbol` and `reason` stand in the way of the rest. `parked` are
    the fields that wait for a person. `fingerprint` stands for the values it would write; `rest` for those without its
    consent flags, None when it has none or nothing else. `version`: the record's as imported, where the step asks that
    it be unchanged.
    """

    key: str
    action: str
    record_id: str | None
    match: Mapping[str, str]
    changes: tuple[FieldChange, ...]
    fingerprint: str
    rest: str | None
    symbol: str
    reason: str
    partial: bool = False
    parked: tuple[Parked, ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """What a plan rests on, as hashes: rows of the model, of the mirror, the step's settings, and the plan's own rows.

    Equal ones mean that nothing has changed; which one differs tells what has.
    """

    model: str
    mirror: str
    settings: str
    rows: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A finished plan. `counts` is action -> rows, `reasons` (action, symbol, reason) -> rows, `fields` field -> rows.

    `freshness` is the end of the mirror's last window; `mirrored` the live records in it. `table` holds the rows,
    `model` is the relation they came from and `key_columns` the columns of it that make a row's key (none: its values).
    `model_rows` and `distinct` (column -> different values) describe the model; `nulls` are values to be emptied.
    `mirror` is SQL of the mirror, whose first column is the record's id.
    """

    plan_id: str
    step: str
    account: str
    object: str
    mode: str
    counts: Mapping[str, int]
    reasons: Mapping[tuple[str, str, str], int]
    fields: Mapping[str, int]
    freshness: datetime | None
    mirrored: int
    table: str
    model: str
    key_columns: tuple[str, ...]
    model_rows: int = 0
    nulls: int = 0
    distinct: Mapping[str, int] = field(default_factory=dict)
    mirror: str = ""
    id_field: str = "Id"

    def writes(self) -> int:
        """Rows that applying would send."""
        return sum(self.counts.get(action, 0) for action in WRITES)

    def changes(
        self, warehouse: Warehouse, actions: Sequence[str], *, limit: int | None = None, offset: int = 0
    ) -> Iterator[PlannedChange]:
        """The rows of `actions`, ordered by action and key; read in pages, so that a plan of any size fits."""
        for row in self.rows(warehouse, actions, limit=limit, offset=offset):
            yield planned(row)

    def named(self, warehouse: Warehouse, action: str, keys: Sequence[str]) -> list[PlannedChange]:
        """The rows of one action with these keys."""
        found = warehouse.engine().rows(
            f"SELECT * FROM {self.table} WHERE action = ? AND key IN (SELECT UNNEST(CAST(? AS VARCHAR[]))) "
            "ORDER BY _row",
            [action, list(keys)],
        )
        return [planned(row) for row in found]

    def where(self, warehouse: Warehouse, condition: str, bound: str = "") -> list[PlannedChange]:
        """The rows for which a condition of SQL over the plan's columns holds: for the few that are told one by one.

        `bound` may be a LIMIT.
        """
        sql = f"SELECT * FROM {self.table} WHERE {condition} ORDER BY _row{bound}"
        return [planned(row) for row in warehouse.engine().rows(sql)]

    def rows(
        self,
        warehouse: Warehouse,
        actions: Sequence[str],
        *,
        select: str = "*",
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """The rows as they lie in the plan's table, `match` and `changes` as JSON text; ordered and read as above.

        `select` are the columns, with `_row` among them.
        """
        marks = ", ".join("?" for _ in actions)
        last = 0
        while limit is None or limit > 0:
            # Rows are numbered with gaps, and each reading looks at all that are left: few large ones.
            size = ROWS if limit is None else min(ROWS, limit)
            rows = warehouse.engine().rows(
                f"SELECT {select} FROM {self.table} WHERE _row > ? AND action IN ({marks}) ORDER BY _row LIMIT {size} "
                f"OFFSET {offset}",
                [last, *actions],
            )
            yield from rows
            if len(rows) < size:
                return
            last, offset = rows[-1]["_row"], 0
            if limit is not None:
                limit -= size

    def tables(self, warehouse: Warehouse, select: str, condition: str) -> Iterator[pyarrow.Table]:
        """Columns (SQL, `select`) of the rows that `condition` holds for, as Arrow tables of so many rows at a time.

        The plan lies in a temporary table, which only the engine's own connection sees.
        """
        last = 0
        while True:
            chosen = f"SELECT {select}, _row FROM {self.table} WHERE _row > {last} AND {condition}"
            with warehouse.engine().transaction():
                found = warehouse.engine().arrow(f"{chosen} ORDER BY _row LIMIT {PAGE}").read_all()
            if found.num_rows or not last:
                yield found.drop_columns(["_row"])
            if found.num_rows < PAGE:
                return
            last = found.column("_row")[-1].as_py()

    def digest(self, warehouse: Warehouse) -> str:
        """A hash of the plan's rows, whatever their order: equal plans have equal ones."""
        return str(
            warehouse.engine().scalar(
                "SELECT COUNT(*) || '-' || COALESCE(BIT_XOR(HASH(key, action, record_id, match, changes, symbol)), 0) "
                f"FROM {self.table}"
            )
        )


def planned(row: Mapping[str, Any]) -> PlannedChange:
    """A row of a plan's table."""
    return PlannedChange(
        key=row["key"],
        action=row["action"],
        record_id=row["record_id"],
        match=json.loads(row["match"]),
        changes=tuple(FieldChange(item["field"], item["old"], item["new"]) for item in json.loads(row["changes"])),
        fingerprint=row["fingerprint"],
        rest=row["rest"],
        symbol=row["symbol"],
        reason=row["reason"],
        partial=bool(row["partial"]),
        parked=tuple(
            Parked(item["field"], item["kind"], item["crm"], item["model"]) for item in json.loads(row["parked"])
        ),
        version=row["version"],
    )
