"""The durable record of what backhaul did: runs, steps, windows, plans, batches, outcomes, rejects.

The ledger lives in the warehouse, in the schema ``backhaul``, beside the tables that it speaks of: whoever has the
warehouse has the history, and a run on another machine goes on from it. Everything is written through the
:class:`~backhaul.warehouse.Warehouse` door; statements are committed one by one unless a transaction is open.

A batch is recorded before it is sent and settled after: a batch that was recorded and never settled is one whose
process died in between, and :meth:`Ledger.unsettled` finds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from backhaul.ledger.tables import SCHEMA, TABLES
from backhaul.record import Outcome
from backhaul.warehouse import StatementFailed, Warehouse


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of a plan as the ledger holds it. `keys` name the changes in it."""

    plan_id: str
    number: int
    step: str
    account: str
    object: str
    operation: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused row: why, by whom (`plan` or `crm`), and the row of the model it came from.

    `passing`: sent again as it stands, it may succeed. `kind`: what to do about it (retry, fix data, fix mapping,
    permission). `rest`: the fingerprint of its values without its opt-outs, where it has both: these may be written by
    themselves, and the row is refused for the same values as before.
    """

    key: str
    fingerprint: str
    record_id: str | None
    refused_by: str
    symbol: str
    message: str
    fields: tuple[str, ...]
    source_row: Mapping[str, Any]
    passing: bool = False
    kind: str = "fix data"
    rest: str | None = None


def new_id(after: str = "") -> str:
    """A run or plan id: the UTC time to the millisecond and a few random characters, so that ids sort by time.

    `after` is an id that it is to sort behind, whatever this machine's clock says; a text that is none says nothing.
    """
    now = datetime.now(UTC)
    stamp = after.partition("-")[0]
    if _stamp(now) <= stamp:
        with contextlib.suppress(ValueError):
            now = datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC) + timedelta(milliseconds=1)
    return f"{_stamp(now)}-{secrets.token_hex(3)}"


def _stamp(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}"


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The ledger in one warehouse. Opening it makes what is missing; it never drops anything."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._newest_id = ""
        self.permitted: Callable[[], None] = lambda: None
        """Asked before a batch is sent; raises when this process may not send any more."""
        warehouse.create_schema(SCHEMA)
        for table, columns in TABLES.items():
            known = warehouse.columns(SCHEMA, table)
            if not known:
                self._make(table, columns)
                continue
            for name, kind in columns:
                if name not in known:
                    warehouse.execute(f"ALTER TABLE {self.table(table)} ADD COLUMN {warehouse.quote(name)} {kind}")

    def _make(self, table: str, columns: Sequence[tuple[str, str]]) -> None:
        unique = {"leases": "name"}.get(table)
        body = ", ".join(
            f"{self._warehouse.quote(name)} {kind}{' PRIMARY KEY' if name == unique else ''}" for name, kind in columns
        )
        try:
            self._warehouse.execute(f"CREATE TABLE IF NOT EXISTS {self.table(table)} ({body})")
        except StatementFailed:
            # Two machines that open a new warehouse at once: to the second one the first one's table is an error.
            if not self._warehouse.exists(SCHEMA, table):
                raise

    def table(self, name: str) -> str:
        """The quoted relation of one of :data:`TABLES`."""
        return self._warehouse.relation(SCHEMA, name)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT over the ledger's tables."""
        return self._warehouse.rows(sql, list(parameters))

    def _insert(self, table: str, row: Mapping[str, Any]) -> None:
        names = ", ".join(self._warehouse.quote(name) for name in row)
        marks = ", ".join("?" for _ in row)
        self._warehouse.execute(f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks})", list(row.values()))

    # Runs and steps ------------------------------------------------------------------------------------------------

    def start_run(self, *, project: str, profile: str, command: str, pipeline: str = "") -> str:
        """Record that a command began; returns its run id."""
        run_id = new_id()
        self._insert(
            "runs",
            {
                "run_id": run_id,
                "project": project,
                "profile": profile,
                "command": command,
                "pipeline": pipeline,
                "state": "running",
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "started_at": _now(),
            },
        )
        return run_id

    def finish_run(self, run_id: str, state: str, message: str = "") -> None:
        """Close a run as ``done``, ``done with rejects`` or ``failed``."""
        self._warehouse.execute(
            f"UPDATE {self.table('runs')} SET state = ?, message = ?, ended_at = ? WHERE run_id = ?",
            [state, message, _now(), run_id],
        )

    def close_dead_runs(self, pipeline: str) -> list[dict[str, Any]]:
        """Mark runs of `pipeline` that never ended as ``interrupted``; gives their run_id, host and batches under way.

        Only call this while holding the pipeline's lock: then no other process can be running it.
        """
        under_way = (
            f"SELECT COUNT(*) FROM {self.table('batches')} AS b JOIN {self.table('plans')} AS p "
            "ON p.plan_id = b.plan_id WHERE p.run_id = r.run_id AND b.state = 'sent'"
        )
        rows = self._warehouse.rows(
            f"SELECT run_id, host, ({under_way}) AS batches FROM {self.table('runs')} AS r "
            "WHERE pipeline = ? AND state = 'running' ORDER BY run_id",
            [pipeline],
        )
        for row in rows:
            self.finish_run(row["run_id"], "interrupted", "the process ended without closing the run")
        return rows

    def record_step(
        self, run_id: str, position: int, step: Mapping[str, str], started_at: datetime, details: Mapping[str, Any]
    ) -> None:
        """Record a finished step. `step` holds its name, kind, state and message; `details` is kept as JSON."""
        self._insert(
            "steps",
            {
                "run_id": run_id,
                "position": position,
                "step": step["name"],
                "kind": step["kind"],
                "state": step["state"],
                "message": step["message"],
                "details": json.dumps(details, default=str),
                "started_at": started_at,
                "ended_at": _now(),
            },
        )

    def record_window(self, run_id: str, step: str, window: Mapping[str, Any]) -> None:
        """Record what one import read: option name, account, object, start, end, rows received and loaded."""
        self._insert("windows", {"run_id": run_id, "step": step, "at": _now(), **window})

    def runs(self, limit: int = 20) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        return self._warehouse.rows(
            f"SELECT * FROM {self.table('runs')} ORDER BY started_at DESC, run_id DESC LIMIT {int(limit)}"
        )

    def steps(self, run_id: str) -> list[dict[str, Any]]:
        """The finished steps of a run, in order."""
        return self._warehouse.rows(f"SELECT * FROM {self.table('steps')} WHERE run_id = ? ORDER BY position", [run_id])

    # Plans, batches, outcomes --------------------------------------------------------------------------------------

    def new_plan_id(self) -> str:
        """A plan's id, which sorts behind those of all plans before: also of a machine whose clock is ahead of ours.

        What was written last is told by the order of the plans.
        """
        newest = str(self._warehouse.scalar(f"SELECT MAX(plan_id) FROM {self.table('plans')}") or "")
        self._newest_id = new_id(max(newest, self._newest_id))
        return self._newest_id

    def save_plan(self, plan: Mapping[str, Any], changes_sql: str) -> None:
        """Write a finished plan down before anything of it is sent.

        `plan` fills the table ``plans``; `changes_sql`, run by the engine, selects key, action, record_id, match,
        changes, fingerprint, symbol, reason, image (of what is to be deleted: the record as JSON) and rest (the
        fingerprint without the opt-outs) of every row that is not skipped.
        """
        names = ", ".join(f'"{name}"' for name, _ in TABLES["changes"] if name != "plan_id")
        changes = f"SELECT {_literal(plan['plan_id'])} AS plan_id, {names} FROM ({changes_sql}) AS planned"
        with self._warehouse.transaction():
            self._insert("plans", {**plan, "state": "planned", "at": _now()})
            self._warehouse.pour(SCHEMA, "changes", changes)

    def complete_images(self, plan_id: str, more: Mapping[str, Mapping[str, Any]]) -> None:
        """Lay values (column -> value, by record id) over the images of the records that a plan deletes."""
        for start in range(0, len(more), 500):
            ids = list(more)[start : start + 500]
            marks = ", ".join("?" for _ in ids)
            held = self.rows(
                f"SELECT record_id, image FROM {self.table('changes')} WHERE plan_id = ? AND action = 'delete' "
                f"AND record_id IN ({marks})",
                [plan_id, *ids],
            )
            told = {row["record_id"]: {**json.loads(row["image"] or "{}"), **more[row["record_id"]]} for row in held}
            if told:
                self._warehouse.execute(
                    f"UPDATE {self.table('changes')} SET image = CASE record_id {_WHEN * len(told)}END "
                    f"WHERE plan_id = ? AND action = 'delete' AND record_id IN ({', '.join('?' for _ in told)})",
                    [*(part for name, image in told.items() for part in (name, json.dumps(image))), plan_id, *told],
                )

    def finish_plan(self, plan_id: str, state: str) -> None:
        """Close a plan as ``applied``, ``blocked`` or ``failed``."""
        self._warehouse.execute(f"UPDATE {self.table('plans')} SET state = ? WHERE plan_id = ?", [state, plan_id])

    def batch_sent(self, batch: Batch) -> None:
        """Write a batch down just before it is sent. Raises what :attr:`permitted` raises."""
        self.permitted()
        self._insert(
            "batches",
            {
                "plan_id": batch.plan_id,
                "batch": batch.number,
                "step": batch.step,
                "account": batch.account,
                "object": batch.object,
                "operation": batch.operation,
                "keys": json.dumps(batch.keys),
                "rows": len(batch.keys),
                "state": "sent",
                "sent_at": _now(),
            },
        )

    def settle(self, batch: Batch, outcomes: Sequence[Outcome], at: datetime, *, only: Sequence[str] = ()) -> None:
        """Settle a batch after its reply: outcomes by key, and for those done the values now in the CRM.

        The values are those of the plan's saved changes; `only` names the fields that the batch wrote, where it did not
        write all of them. `at` is the CRM's clock after the reply. Open rejects of the rows that are done are resolved.
        """
        import pyarrow as pa

        size = len(outcomes)
        with self._warehouse.transaction():
            if not self._warehouse.undoes:
                # A settlement that was broken off has left what it had come to.
                for table in ("outcomes", "field_changes"):
                    place = [batch.plan_id, batch.number]
                    self._warehouse.execute(f"DELETE FROM {self.table(table)} WHERE plan_id = ? AND batch = ?", place)
            if outcomes:
                self._warehouse.insert(
                    SCHEMA,
                    "outcomes",
                    pa.table(
                        {
                            "plan_id": pa.repeat(batch.plan_id, size),
                            "batch": pa.repeat(pa.scalar(batch.number, pa.int64()), size),
                            "step": pa.repeat(batch.step, size),
                            "account": pa.repeat(batch.account, size),
                            "object": pa.repeat(batch.object, size),
                            "key": [outcome.key for outcome in outcomes],
                            "operation": pa.repeat(batch.operation, size),
                            "record_id": pa.array([outcome.record_id for outcome in outcomes], pa.string()),
                            "state": [outcome.state.value for outcome in outcomes],
                            "created": pa.array([outcome.created for outcome in outcomes], pa.bool_()),
                            "symbol": [outcome.symbol for outcome in outcomes],
                            "message": [outcome.message for outcome in outcomes],
                            "fields": [", ".join(outcome.fields) for outcome in outcomes],
                            "passing": pa.array([outcome.passing for outcome in outcomes], pa.bool_()),
                            "at": pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), size),
                        }
                    ),
                )
                self._keep_what_was_sent(batch, at, only)
                if not only:
                    self._resolve(batch)
            self._warehouse.execute(
                f"UPDATE {self.table('batches')} SET state = 'settled', settled_at = ? WHERE plan_id = ? AND batch = ?",
                [_now(), batch.plan_id, batch.number],
            )

    def _keep_what_was_sent(
        self, batch: Batch, at: datetime, only: Sequence[str], these: Sequence[str] | None = None
    ) -> None:
        """What is done of a batch, a row a field with what it was before: the plan's changes, and its keys.

        `only` these fields, of the rows with `these` keys, where they are given.
        """
        done = (
            f"SELECT o.key, o.record_id, o.created, c.match, c.changes, c.image FROM {self.table('outcomes')} AS o "
            f"JOIN {self.table('changes')} AS c ON c.plan_id = o.plan_id AND c.key = o.key "
            "WHERE o.plan_id = ? AND o.batch = ? AND o.state = 'done' AND o.record_id IS NOT NULL "
            "AND c.action IN ('create', 'update', 'delete', 'restore')"
        )
        parameters: list[Any] = [batch.plan_id, batch.number]
        if these is not None:
            done += " AND o.key IN (SELECT UNNEST(CAST(? AS VARCHAR[])))"
            parameters.append(list(these))
        with self._warehouse.brought(done, parameters) as there:
            self._warehouse.pour(SCHEMA, "field_changes", self._field_changes(batch, at, only, there))

    def _field_changes(self, batch: Batch, at: datetime, only: Sequence[str], done: str) -> str:
        """The rows of ``field_changes`` for the rows of a batch that are done, which lie in the engine's `done`."""
        if batch.operation == "delete":
            fields = f"SELECT record_id, key, '' AS field, image AS old, NULL AS value, created FROM {done}"
        else:
            item = 'STRUCT("field" VARCHAR, "old" VARCHAR, "new" VARCHAR)[]'
            fields = (
                "SELECT record_id, key, item.field AS field, item.old AS old, "
                "item.new AS value, created FROM (SELECT record_id, key, created, "
                f"UNNEST(CAST(CAST(changes AS JSON) AS {item})) AS item FROM {done}) "
                "UNION ALL SELECT record_id, key, entry.key, NULL, entry.value, created FROM (SELECT record_id, key, "
                "created, UNNEST(MAP_ENTRIES(CAST(CAST(match AS JSON) AS MAP(VARCHAR, VARCHAR)))) AS entry "
                f"FROM {done} WHERE match <> '{{}}')"
            )
        if batch.operation != "delete":
            # The newest row without a field tells whether we deleted the record or brought it back: also by making it
            # again, under the id that it had (Dataverse).
            fields += f" UNION ALL SELECT record_id, key, '', NULL, 'restored', created FROM {done}"
            if batch.operation != "restore":
                deleted = f"SELECT record_id FROM {self.table('field_changes')} WHERE field = '' AND value IS NULL"
                fields += f" WHERE created AND record_id IN ({deleted})"
        chosen = f" WHERE field IN ({', '.join(map(_literal, only))})" if only else ""
        # An upsert was planned because the mirror lacks the record. Whether this call made it or an earlier one whose
        # reply was lost: until an import brings it, these values are all that is known of it.
        made = "TRUE" if batch.operation in ("upsert", "restore") else "COALESCE(created, FALSE)"
        run = self._warehouse.scalar(
            f"SELECT MAX(run_id) FROM {self.table('plans')} WHERE plan_id = ?", [batch.plan_id]
        )
        same = {
            "run_id": run or "",
            "plan_id": batch.plan_id,
            "step": batch.step,
            "account": batch.account,
            "object": batch.object,
        }
        constants = ", ".join(f"{_literal(value)} AS {name}" for name, value in same.items())
        return (
            f"SELECT {constants}, CAST({int(batch.number)} AS BIGINT) AS batch, record_id, key, field, old, value, "
            f"{made} AS created, CAST({_literal(at.isoformat())} AS TIMESTAMP WITH TIME ZONE) AS sent_at "
            f"FROM ({fields}) AS sent{chosen}"
        )

    def _resolve(self, batch: Batch) -> None:
        """Close the open rejects of rows that have since been written."""
        self._warehouse.execute(
            f"UPDATE {self.table('rejects')} SET state = 'resolved' WHERE step = ? AND state = 'open' AND key IN "
            f"(SELECT key FROM {self.table('outcomes')} WHERE plan_id = ? AND batch = ? AND state = 'done')",
            [batch.step, batch.plan_id, batch.number],
        )

    def open_plans(self, step: str) -> list[dict[str, Any]]:
        """The newest plan of a step where it was begun and never ended, as the table ``plans`` holds it, or none."""
        plans = self.table("plans")
        return self.rows(
            f"SELECT * FROM {plans} WHERE state = 'planned' AND plan_id = (SELECT MAX(plan_id) FROM {plans} "
            "WHERE step = ?)",
            [step],
        )

    def refused(self, plan_id: str) -> list[dict[str, Any]]:
        """All outcomes of a plan's rows that were refused once, as they came, with what the plan says of each.

        `written` are the fields that an outcome wrote (None: none).
        """
        outcomes = self.table("outcomes")
        refused = f"SELECT key FROM {outcomes} WHERE plan_id = ? AND state = 'rejected'"
        rows = self.rows(
            "SELECT o.key, o.batch, o.state, o.symbol, o.message, o.fields, o.passing, c.action, c.record_id, c.match, "
            "c.changes, c.fingerprint, c.rest "
            f"FROM {outcomes} AS o JOIN {self.table('changes')} AS c ON c.plan_id = o.plan_id AND c.key = o.key "
            f"AND c.action NOT IN ('skip', 'refuse') WHERE o.plan_id = ? AND o.key IN ({refused}) ORDER BY o.batch",
            [plan_id] * 2,
        )
        written: dict[tuple[int, str], list[str]] = {}
        for row in self.rows(
            f"SELECT batch, key, field FROM {self.table('field_changes')} WHERE plan_id = ? AND key IN ({refused})",
            [plan_id] * 2,
        ):
            written.setdefault((row["batch"], row["key"]), []).append(row["field"])
        return [{**row, "written": written.get((row["batch"], row["key"]))} for row in rows]

    def keep_rejects_of(self, plan: Mapping[str, Any], rejects: Sequence[Reject]) -> None:
        """Keep the rejects of a plan that never ended, but for those that it kept itself, and close it as failed.

        All at once: called again after a kill in between, nothing is kept or counted twice.
        """
        kept = {
            row["key"]
            for row in self.rows(f"SELECT key FROM {self.table('rejects')} WHERE plan_id = ?", [plan["plan_id"]])
        }
        with self._warehouse.transaction():
            self.record_rejects(plan["run_id"], plan, [reject for reject in rejects if reject.key not in kept])
            self.finish_plan(plan["plan_id"], "failed")

    def unsettled(self, step: str) -> list[Batch]:
        """Batches of a step that were recorded as sent and never settled: their process died in between."""
        rows = self._warehouse.rows(
            f"SELECT * FROM {self.table('batches')} WHERE step = ? AND state = 'sent' ORDER BY plan_id, batch", [step]
        )
        return [
            Batch(
                row["plan_id"],
                row["batch"],
                row["step"],
                row["account"],
                row["object"],
                row["operation"],
                tuple(json.loads(row["keys"])),
            )
            for row in rows
        ]

    def abandon(self, batch: Batch) -> None:
        """Close a batch that was never answered: it is planned anew from what the CRM holds now."""
        self._warehouse.execute(
            f"UPDATE {self.table('batches')} SET state = 'abandoned', settled_at = ? WHERE plan_id = ? AND batch = ?",
            [_now(), batch.plan_id, batch.number],
        )

    def doubtful(self, step: str) -> list[str]:
        """The keys of a step's rows that were sent and never answered, and of which nothing is known since."""
        rows = self._warehouse.rows(
            f"SELECT DISTINCT key FROM {self.table('outcomes')} WHERE step = ? AND state = 'in_doubt' ORDER BY key",
            [step],
        )
        return [row["key"] for row in rows]

    def doubtful_values(self, step: str, field: str) -> dict[str, str]:
        """By key of a row in doubt: the value of `field` that was to be written; rows without one are left out."""
        rows = self._warehouse.rows(
            f"SELECT o.key, c.changes FROM {self.table('outcomes')} AS o JOIN {self.table('changes')} AS c "
            "ON c.plan_id = o.plan_id AND c.key = o.key "
            "WHERE o.step = ? AND o.state = 'in_doubt' AND c.action = 'create'",
            [step],
        )
        found: dict[str, str] = {}
        for row in rows:
            for item in json.loads(row["changes"]):
                if item["field"] == field and item["new"]:
                    found[row["key"]] = item["new"]
        return found

    def clear_doubt(self, step: str, outcomes: Sequence[Outcome], at: datetime | None = None) -> None:
        """Put what was told since in the place of what was in doubt, and keep what was written, as of `at` (now)."""
        if not outcomes:
            return
        keys = [outcome.key for outcome in outcomes]
        table = self.table("outcomes")
        with self._warehouse.transaction():
            doubted = self._warehouse.rows(
                f"SELECT DISTINCT plan_id, batch, account, object, operation FROM {table} WHERE step = ? "
                "AND state = 'in_doubt' AND key IN (SELECT UNNEST(CAST(? AS VARCHAR[])))",
                [step, keys],
            )
            for start in range(0, len(outcomes), 500):
                chunk = outcomes[start : start + 500]
                cases = _WHEN * len(chunk)
                told: list[Any] = []
                for name in ("state", "record_id", "created", "symbol", "message"):
                    for one in chunk:
                        told += [one.key, one.state.value if name == "state" else getattr(one, name)]
                self._warehouse.execute(
                    f"UPDATE {table} SET state = CASE key {cases}END, record_id = CASE key {cases}END, "
                    f"created = CAST(CASE key {cases}END AS BOOLEAN), symbol = CASE key {cases}END, "
                    f"message = CASE key {cases}END WHERE step = ? AND state = 'in_doubt' "
                    f"AND key IN ({', '.join('?' for _ in chunk)})",
                    [*told, step, *(one.key for one in chunk)],
                )
            for row in doubted:
                place = (row["plan_id"], row["batch"], step, row["account"], row["object"], row["operation"])
                self._keep_what_was_sent(Batch(*place, tuple(keys)), at or _now(), (), these=keys)

    def pace(self, account: str, object: str) -> float:
        """Rows a second that the object's last batches were written at; a guess before the first."""
        newest = self._warehouse.rows(
            f"SELECT rows, sent_at, settled_at FROM {self.table('batches')} WHERE account = ? AND object = ? "
            "AND state = 'settled' ORDER BY sent_at DESC LIMIT 20",
            [account, object],
        )
        seconds = sum((row["settled_at"] - row["sent_at"]).total_seconds() for row in newest)
        return float(sum(row["rows"] for row in newest)) / max(seconds, 0.001) if newest else 100.0

    def last_applied(self, step: str) -> dict[str, Any] | None:
        """The step's newest plan that was sent whole: plan_id, model_rows and distinct; None before the first."""
        rows = self._warehouse.rows(
            f"SELECT plan_id, model_rows, columns FROM {self.table('plans')} WHERE step = ? AND state = 'applied' "
            "ORDER BY plan_id DESC LIMIT 1",
            [step],
        )
        if not rows:
            return None
        return {**rows[0], "distinct": json.loads(rows[0]["columns"] or "{}")}

    # Conflicts -----------------------------------------------------------------------------------------------------

    def keep_conflicts(self, plan: Mapping[str, Any], rows: Sequence[Mapping[str, str | None]]) -> None:
        """The fields of a step that wait for a person, as the newest plan found them; those not among them are gone.

        `plan` holds plan_id, step, account and object; a row key, record_id, field, kind, crm and model.
        """
        table, now = self.table("conflicts"), _now()
        with self._warehouse.transaction():
            before = {
                (row["key"], row["field"]): row
                for row in self._warehouse.rows(
                    f"SELECT * FROM {table} WHERE step = ? AND state = 'open'", [plan["step"]]
                )
            }
            self._warehouse.execute(f"DELETE FROM {table} WHERE step = ? AND state = 'open'", [plan["step"]])
            found = [
                {
                    **{name: plan[name] for name in ("plan_id", "step", "account", "object")},
                    "record_id": row["record_id"],
                    "key": row["key"],
                    "field": row["field"],
                    "kind": row["kind"],
                    "crm_value": row["crm"],
                    "model_value": row["model"],
                    "state": "open",
                    "take": None,
                    "first_at": before.get((str(row["key"]), str(row["field"])), {}).get("first_at", now),
                    "last_at": now,
                }
                for row in rows
            ]
            still = {(row["key"], row["field"]) for row in found}
            found += [{**row, "state": "gone", "last_at": now} for place, row in before.items() if place not in still]
            if found:
                self._warehouse.insert(SCHEMA, "conflicts", found)

    def conflicts(self, *, step: str | None = None, every: bool = False) -> list[dict[str, Any]]:
        """What waits for a person, oldest first; with `every` also what was decided or has gone since."""
        conditions = ["TRUE" if every else "state = 'open'", *(["step = ?"] if step else [])]
        return self._warehouse.rows(
            f"SELECT * FROM {self.table('conflicts')} WHERE {' AND '.join(conditions)} "
            "ORDER BY first_at, step, key, field",
            [step] if step else [],
        )

    def resolve_conflicts(self, step: str, key: str, field: str, take: str) -> int:
        """Decide open conflicts for the CRM's value (`take` crm) or the model's (campaign); gives how many.

        The decision holds for the two values that it was made about: when either changes, the next plan asks anew.
        `key` and `field` may be '' for all.
        """
        conditions, parameters = ["step = ?", "state = 'open'"], [step]
        for column, value in (("key", key), ("field", field)):
            if value:
                conditions.append(f"{column} = ?")
                parameters.append(value)
        where = " AND ".join(conditions)
        found = int(self._warehouse.scalar(f"SELECT COUNT(*) FROM {self.table('conflicts')} WHERE {where}", parameters))
        self._warehouse.execute(
            f"UPDATE {self.table('conflicts')} SET state = 'resolved', take = ?, last_at = ? WHERE {where}",
            [take, _now(), *parameters],
        )
        return found

    # Rejects -------------------------------------------------------------------------------------------------------

    def record_rejects(self, run_id: str, plan: Mapping[str, str], rejects: Sequence[Reject]) -> None:
        """Keep refused rows. A row refused again with the same values, opt-outs apart, counts one attempt more.

        `plan` holds plan_id, step, account and object.
        """
        import pyarrow as pa

        if not rejects:
            return
        now = _now()
        previous = {
            row["key"]: row
            for row in self._warehouse.rows(
                f"SELECT key, COALESCE(rest, fingerprint) AS rest, attempts, first_at FROM {self.table('rejects')} "
                "WHERE step = ? AND state = 'open'",
                [plan["step"]],
            )
        }

        def before(reject: Reject) -> Mapping[str, Any]:
            known = previous.get(reject.key)
            same = known is not None and known["rest"] == (reject.rest or reject.fingerprint)
            return known if known is not None and same else {"attempts": 0, "first_at": now}

        size = len(rejects)
        stamp = pa.timestamp("us", tz="UTC")
        table = pa.table(
            {
                "run_id": [run_id] * size,
                "plan_id": [plan["plan_id"]] * size,
                "step": [plan["step"]] * size,
                "account": [plan["account"]] * size,
                "object": [plan["object"]] * size,
                "key": [reject.key for reject in rejects],
                "fingerprint": [reject.fingerprint for reject in rejects],
                "record_id": pa.array([reject.record_id for reject in rejects], pa.string()),
                "refused_by": [reject.refused_by for reject in rejects],
                "class": [reject.kind for reject in rejects],
                "error_symbol": [reject.symbol for reject in rejects],
                "error_message": [reject.message for reject in rejects],
                "fields": [", ".join(reject.fields) for reject in rejects],
                "passing": pa.array([reject.passing for reject in rejects], pa.bool_()),
                "source_row": [json.dumps(reject.source_row, default=str) for reject in rejects],
                "attempts": pa.array([before(reject)["attempts"] + 1 for reject in rejects], pa.int64()),
                "state": ["open"] * size,
                "first_at": pa.array([before(reject)["first_at"] for reject in rejects], stamp),
                "last_at": pa.array([now] * size, stamp),
                "rest": [reject.rest or reject.fingerprint for reject in rejects],
            }
        )
        with self._warehouse.transaction():
            self._close_rejects(plan["step"], [reject.key for reject in rejects], "superseded")
            self._warehouse.insert(SCHEMA, "rejects", table)

    def drop_rejects_except(self, step: str, keys_sql: str) -> None:
        """Close the open rejects of rows that no longer apply: whose key the engine's `keys_sql` does not select."""
        open_keys = [
            row["key"]
            for row in self._warehouse.rows(
                f"SELECT DISTINCT key FROM {self.table('rejects')} WHERE step = ? AND state = 'open'", [step]
            )
        ]
        if open_keys:
            gone = self._warehouse.engine().rows(
                "SELECT key FROM (SELECT UNNEST(CAST(? AS VARCHAR[])) AS key) AS held WHERE key NOT IN "
                f"(SELECT key FROM ({keys_sql}) AS still)",
                [open_keys],
            )
            self._close_rejects(step, [row["key"] for row in gone], "dropped")

    def _close_rejects(self, step: str, keys: Sequence[str], state: str) -> None:
        self._warehouse.execute(
            f"UPDATE {self.table('rejects')} SET state = ? WHERE step = ? AND state = 'open' AND key IN "
            "(SELECT UNNEST(CAST(? AS VARCHAR[])))",
            [state, step, list(keys)],
        )

    def rejects(self, *, step: str | None = None, every: bool = False) -> list[dict[str, Any]]:
        """Rejects, newest first: the open ones, or with `every` also those closed since."""
        conditions = ["TRUE" if every else "state = 'open'"]
        parameters: list[Any] = []
        if step:
            conditions.append("step = ?")
            parameters.append(step)
        return self._warehouse.rows(
            f"SELECT * FROM {self.table('rejects')} WHERE {' AND '.join(conditions)} ORDER BY last_at DESC, step, key",
            parameters,
        )


_WHEN = "WHEN ? THEN ? "


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
