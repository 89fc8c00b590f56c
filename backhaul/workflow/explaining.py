"""Where a record's values came from and went: everything that the raw log and the ledger know of it, in time order.

No CRM is asked. Times of imports and sendings are by the CRM's clock, times of plans by this machine's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from backhaul.config import DeleteStep, ExportStep
from backhaul.errors import ConfigurationError, Fault
from backhaul.export.looking_back import since
from backhaul.export.values import one_form
from backhaul.record import Field, Kind
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.workflow.workspace import Workspace

_SALESFORCE_ID = Field("Id", "", "id", Kind.ID)


@dataclass(frozen=True, slots=True)
class Value:
    """One field in an event, as text: what it was and what it became. Of a plan: what it holds and what is wanted."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a record. `kind`: imported, planned, sent, answered, written, rejected or conflict.

    `run_id` and `step` say where, as far as they are known; `what` is a few words for a person.
    """

    at: datetime
    kind: str
    what: str
    values: tuple[Value, ...] = ()
    step: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A record's story. `now` is what the CRM holds as far as it is known here, None of a record that is gone.

    `models` are the rows of export models that name the record: (step, model, row). `freshness`: the last import's end.
    """

    account: str
    object: str
    record_id: str
    events: tuple[Event, ...]
    models: tuple[tuple[str, str, Mapping[str, Any]], ...]
    now: Mapping[str, str | None] | None
    freshness: datetime | None


def explain(workspace: Workspace, account: str, object: str, record_id: str, field: str | None = None) -> Explanation:
    """What is known of one record, or of one `field` of it. Salesforce's ids may have 15 or 18 characters.

    Raises ConfigurationError for an object that sources/ does not declare, an id or a field of which nothing is known.
    """
    workspace.object_config(account, object)
    with workspace.warehouse.snapshot():
        return _explained(workspace, account, object, record_id, field)


def _explained(workspace: Workspace, account: str, object: str, record_id: str, field: str | None) -> Explanation:
    story = _Story(workspace, account, object, _ids(workspace, record_id))
    events = sorted(story.events(), key=lambda event: event.at)
    if not events:
        raise ConfigurationError(
            Fault(
                f"nothing is known of {record_id!r} in {account}.{object}: no import brought it and nothing was sent",
                hint=f"check the id; if it is right: backhaul import {account}.{object}",
            )
        )
    now, models = story.now(), story.models()
    if field is not None:
        named = sorted({*(now or {}), *(value.field for event in events for value in event.values)})
        if field not in named:
            hint = suggest(field, named) or f"fields are declared in sources/ of {account}"
            raise ConfigurationError(
                Fault(f"{object} has no field {field!r} that is known here", allowed=tuple(named), hint=hint)
            )
        events = [one for event in events if (one := _about(event, field)) is not None]
        now = None if now is None else {field: now.get(field)}
    return Explanation(account, object, story.id, tuple(events), models, now, story.freshness)


def _about(event: Event, field: str) -> Event | None:
    """An event as far as it is about a field; None where it is about others only."""
    values = tuple(value for value in event.values if value.field == field)
    if event.values and not values:
        return None
    return Event(event.at, event.kind, event.what, values, event.step, event.run_id)


def _ids(workspace: Workspace, given: str) -> list[str]:
    """The forms in which an id may stand in the log: as given, Salesforce's long one, Dataverse's lower case."""
    plain = given.strip().strip("{}")
    engine = workspace.warehouse.engine(anew=True)
    literal = engine.literal(plain)
    return list(
        dict.fromkeys((plain, str(engine.scalar(f"SELECT {one_form(literal, _SALESFORCE_ID)}")), plain.lower()))
    )


class _Story:
    def __init__(self, workspace: Workspace, account: str, object: str, ids: Sequence[str]) -> None:
        from backhaul.importing import RAW_SCHEMA, raw_table

        self.workspace, self.warehouse, self.ledger = workspace, workspace.warehouse, workspace.ledger
        self.account, self.object = account, object
        self.place = (RAW_SCHEMA, raw_table(account, object))
        self.columns = self.warehouse.columns(*self.place)
        self.log = self.warehouse.relation(RAW_SCHEMA, raw_table(account, object)) if self.columns else ""
        self.freshness = workspace.imported_until(account, object)
        self.versions = self._versions(ids)
        self.identity = next(iter(self.columns), "")
        self.id = str(self.versions[0][self.identity]) if self.versions else self._known_id(ids)

    def _versions(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        if not self.log:
            return []
        engine = self.warehouse.engine()
        identity = engine.quote(next(iter(self.columns)))
        engine.narrow(*self.place, next(iter(self.columns)), f"SELECT UNNEST([{', '.join(map(engine.literal, ids))}])")
        return engine.rows(
            f"SELECT * FROM {self.log} WHERE {identity} IN (SELECT UNNEST(CAST(? AS VARCHAR[]))) "
            "ORDER BY _backhaul_seen_at, _dlt_load_id",
            [list(ids)],
        )

    def _known_id(self, ids: Sequence[str]) -> str:
        for table in ("outcomes", "changes", "field_changes"):
            found = self.warehouse.rows(
                f"SELECT record_id FROM {self.ledger.table(table)} WHERE record_id IN "
                "(SELECT UNNEST(CAST(? AS VARCHAR[]))) LIMIT 1",
                [list(ids)],
            )
            if found:
                return str(found[0]["record_id"])
        return ids[0]

    def _of_ledger(
        self, table: str, where: str = "record_id = ?", parameters: Sequence[Any] = ()
    ) -> list[dict[str, Any]]:
        return self.warehouse.rows(
            f"SELECT * FROM {self.ledger.table(table)} WHERE account = ? AND object = ? AND {where}",
            [self.account, self.object, *(parameters or [self.id])],
        )

    def events(self) -> Iterator[Event]:
        """Everything that happened, in no order."""
        yield from self._imports()
        yield from self._plans()
        yield from self._sendings()
        for row in self._of_ledger("conflicts"):
            value = (Value(row["field"], row["crm_value"], row["model_value"]),)
            decided = f", decided for the {row['take']}" if row["take"] else ""
            what = f"{row['kind']}: {row['state']}{decided}"
            yield Event(row["first_at"], "conflict", what, value, row["step"])

    def _imports(self) -> Iterator[Event]:
        windows = {
            row["window_end"]: row
            for row in self.warehouse.rows(
                f'SELECT * FROM {self.ledger.table("windows")} WHERE account = ? AND object = ? ORDER BY "at" DESC',
                [self.account, self.object],
            )
        }
        before: Mapping[str, str | None] | None = None
        for row in self.versions:
            window = windows.get(row["_backhaul_seen_at"], {})
            shown = {name: as_text(value) for name, value in row.items() if self._is_field(name)}
            values: tuple[Value, ...] = ()
            if row["_backhaul_deleted"]:
                survivor = row["_backhaul_survivor"]
                what = f"merged into {survivor}" if survivor else "deleted in the CRM"
                before = None
            else:
                old = before or {}
                values = tuple(
                    Value(name, old.get(name), value)
                    for name, value in shown.items()
                    if name != self.identity and old.get(name) != value
                )
                what = "first seen" if before is None else "changed" if values else "seen again, unchanged"
                before = shown
            start = f" (window from {as_text(window['window_start'])})" if window.get("window_start") else ""
            yield Event(
                row["_backhaul_seen_at"],
                "imported",
                what + start,
                values,
                window.get("step", ""),
                window.get("run_id", ""),
            )

    @staticmethod
    def _is_field(name: str) -> bool:
        return not name.startswith(("_backhaul_", "_dlt_"))

    def _plans(self) -> Iterator[Event]:
        changes, outcomes, plans = (self.ledger.table(name) for name in ("changes", "outcomes", "plans"))
        rows = self.warehouse.rows(
            f"SELECT c.*, p.step, p.run_id, p.{self.warehouse.quote('at')} FROM {changes} AS c "
            f"JOIN {plans} AS p ON p.plan_id = c.plan_id "
            "WHERE p.account = ? AND p.object = ? AND (c.record_id = ? OR EXISTS (SELECT 1 FROM "
            f"{outcomes} AS o WHERE o.plan_id = c.plan_id AND o.key = c.key AND o.record_id = ?))",
            [self.account, self.object, self.id, self.id],
        )
        for row in rows:
            listed = json.loads(row["changes"] or "[]")
            values = tuple(Value(one["field"], one["old"], one["new"]) for one in listed)
            why = ": ".join(part for part in (row["symbol"], row["reason"]) if part)
            what = f"{row['action']} (row {row['key']})" + (f": {why}" if why else "")
            yield Event(row["at"], "planned", what, values, row["step"], row["run_id"])

    def _sendings(self) -> Iterator[Event]:
        runs = {
            row["plan_id"]: row["run_id"]
            for row in self.warehouse.rows(f"SELECT plan_id, run_id FROM {self.ledger.table('plans')}")
        }
        outcomes = self._of_ledger("outcomes")
        keys = {(row["step"], row["key"]) for row in outcomes} | {
            (row["step"], row["key"]) for row in self._of_ledger("rejects")
        }
        for row in outcomes:
            sent = self._of_ledger("batches", "plan_id = ? AND batch = ?", [row["plan_id"], row["batch"]])
            for batch in sent:
                what = f"{batch['operation']}, batch {batch['batch']} of {batch['rows']} rows"
                yield Event(batch["sent_at"], "sent", what, (), row["step"], runs.get(row["plan_id"], ""))
            why = ": ".join(part for part in (row["symbol"], row["message"]) if part)
            what = row["state"].replace("_", " ") + (f": {why}" if why else "")
            yield Event(row["at"], "answered", what, (), row["step"], runs.get(row["plan_id"], ""))
        written: dict[tuple[datetime, str, str, str], list[dict[str, Any]]] = {}
        for row in self._of_ledger("field_changes"):
            written.setdefault((row["sent_at"], row["step"], row["run_id"] or "", row["plan_id"]), []).append(row)
        for (at, step, run_id, _), rows in written.items():
            values = tuple(Value(row["field"], row["old"], row["value"]) for row in rows if row["field"])
            ends = [row for row in rows if not row["field"]]
            word = "brought back" if ends and ends[0]["value"] else "deleted by us" if ends else "values written"
            yield Event(at, "written", word, values, step, run_id)
        for step, key in sorted(keys):
            for row in self._of_ledger("rejects", "step = ? AND key = ?", [step, key]):
                what = f"{row['error_symbol']}: {row['error_message']} ({row['state']}, attempts: {row['attempts']})"
                yield Event(row["last_at"], "rejected", what, (), row["step"], row["run_id"] or "")

    def now(self) -> dict[str, str | None] | None:
        """What the CRM holds as far as it is known: the newest version, with what was sent since."""
        held: dict[str, str | None] | None = None
        newest = self._newest()
        if newest is not None and not newest["_backhaul_deleted"]:
            held = {name: as_text(value) for name, value in newest.items() if self._is_field(name)}
        for row in self.warehouse.rows(
            f"SELECT * FROM {self.ledger.table('field_changes')} WHERE account = ? AND object = ? AND record_id = ? "
            f"AND {since(self.freshness)} ORDER BY plan_id, sent_at, field",
            [self.account, self.object, self.id],
        ):
            if row["field"]:
                held = {**(held or {self.identity: self.id}), row["field"]: row["value"]}
            elif row["value"] is None and not (newest and newest["_backhaul_seen_at"] > row["sent_at"]):
                held = None
        return held

    def _newest(self) -> dict[str, Any] | None:
        """The newest version, as the mirror has it."""
        from backhaul.importing.log import newest_first

        if not self.versions:
            return None
        config = self.workspace.object_config(self.account, self.object)
        known = [name for name in (config.cursor, "SystemModstamp", "LastModifiedDate", "modifiedon") if name]
        cursor = next((name for name in known if name in self.columns), None)
        engine = self.warehouse.engine()
        (row,) = engine.rows(
            f"SELECT * FROM {self.log} WHERE {engine.quote(self.identity)} = ? "
            f"ORDER BY {newest_first(engine, cursor)} LIMIT 1",
            [self.id],
        )
        return row

    def models(self) -> tuple[tuple[str, str, Mapping[str, Any]], ...]:
        """The rows of the models of export steps whose key is this record's."""
        held = self.now() or {}
        found: list[tuple[str, str, Mapping[str, Any]]] = []
        for step in self._steps():
            relation = (
                self.workspace.graph.models[step.model].relation if step.model in self.workspace.graph.models else None
            )
            if relation is None or not self.warehouse.exists(relation.schema, relation.identifier):
                continue
            wanted = {column: self.id if name == self.identity else held.get(name) for name, column in step.key.items()}
            if not wanted or None in wanted.values():
                continue
            conditions = " AND ".join(
                f"LOWER(TRIM(CAST({self.warehouse.quote(column)} AS VARCHAR))) = LOWER(TRIM(?))" for column in wanted
            )
            there = self.warehouse.relation(relation.schema, relation.identifier)
            rows = self.warehouse.rows(f"SELECT * FROM {there} WHERE {conditions} LIMIT 10", list(wanted.values()))
            found += [(step.name, step.model, {name: as_text(value) for name, value in row.items()}) for row in rows]
        return tuple(found)

    def _steps(self) -> list[ExportStep | DeleteStep]:
        return [
            step
            for pipeline in self.workspace.project.pipelines.values()
            for step in pipeline.steps
            if isinstance(step, ExportStep | DeleteStep) and (step.account, step.object) == (self.account, self.object)
        ]


def as_text(value: Any) -> str | None:
    """A value of the warehouse as plans and the ledger write it."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case date():
            return value.isoformat()
        case _:
            return str(value)
