"""The plan: every change an export or a delete would make, finished before the first one is sent.

A plan is one SQL statement: the export model on one side, the mirror (what the CRM holds, as last imported) on the
other, overlaid with what was sent since that import and has not come back yet. It costs no API call. The result lies
in a temporary table, and ``plan`` shows the very rows that ``apply`` sends.

Actions: create, update, delete, skip (nothing to do, with the reason) and refuse (a reject: the reason is its symbol).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backhaul.config import DeleteStep, ExportStep
from backhaul.errors import ConfigurationError, Fault
from backhaul.export.values import as_text, from_text, normalised, one_form, sql_type
from backhaul.ledger import Ledger, new_id
from backhaul.record import Field, Kind, ObjectSchema
from backhaul.warehouse import Warehouse
from backhaul.yaml_marks import suggest

# The symbols of rows that we refuse ourselves, and what they say. The CRM's own symbols are kept as it spells them.
KEY_NULL = "KEY_NULL"
KEY_DUPLICATE = "KEY_DUPLICATE"
KEY_AMBIGUOUS = "KEY_AMBIGUOUS"
RECORD_NOT_FOUND = "RECORD_NOT_FOUND"
VALUE_NOT_CONVERTIBLE = "VALUE_NOT_CONVERTIBLE"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a planned change, as text in the CRM's terms (see :mod:`backhaul.export.values`)."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One row of a plan. `match` is key field -> value of an upsert; `symbol` and `reason` explain skip and refuse.

    `fingerprint` stands for the values it would write; `rest` for those without its consent flags, None when it has
    none or nothing else. `version`: the record's as imported, where the step asks that it be unchanged.
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
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plan takes its two sides from: quoted relation and columns of the model, SQL of the mirror."""

    model: str
    columns: Mapping[str, str]
    mirror: str
    mirror_columns: frozenset[str]
    freshness: datetime | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A finished plan. `counts` is action -> rows, `reasons` (action, symbol, reason) -> rows, `fields` field -> rows.

    `freshness` is the end of the mirror's last window; `mirrored` the live records in it. `table` holds the rows,
    `model` is the relation they came from and `key_columns` the columns of it that make a row's key (none: its values).
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

    def writes(self) -> int:
        """Rows that applying would send."""
        return sum(self.counts.get(action, 0) for action in ("create", "update", "delete"))

    def changes(
        self, warehouse: Warehouse, actions: Sequence[str], *, limit: int | None = None, offset: int = 0
    ) -> Iterator[PlannedChange]:
        """The rows of `actions`, ordered by action and key; read in pages, so that a plan of any size fits."""
        for row in self.rows(warehouse, actions, limit=limit, offset=offset):
            yield _planned(row)

    def named(self, warehouse: Warehouse, action: str, keys: Sequence[str]) -> list[PlannedChange]:
        """The rows of one action with these keys."""
        found = warehouse.rows(
            f"SELECT * FROM {self.table} WHERE action = ? AND key IN (SELECT UNNEST(CAST(? AS VARCHAR[]))) "
            "ORDER BY _row",
            [action, list(keys)],
        )
        return [_planned(row) for row in found]

    def rows(
        self, warehouse: Warehouse, actions: Sequence[str], *, limit: int | None = None, offset: int = 0
    ) -> Iterator[dict[str, Any]]:
        """The rows as they lie in the plan's table, `match` and `changes` as JSON text; ordered and read as above."""
        page = 10_000
        marks = ", ".join("?" for _ in actions)
        last = 0
        while limit is None or limit > 0:
            size = page if limit is None else min(page, limit)
            rows = warehouse.rows(
                f"SELECT * FROM {self.table} WHERE _row > ? AND action IN ({marks}) ORDER BY _row LIMIT {size} "
                f"OFFSET {offset}",
                [last, *actions],
            )
            yield from rows
            if len(rows) < size:
                return
            last, offset = rows[-1]["_row"], 0
            if limit is not None:
                limit -= size


def _planned(row: Mapping[str, Any]) -> PlannedChange:
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
        version=row["version"],
    )


def make_plan(
    warehouse: Warehouse,
    ledger: Ledger,
    schema: ObjectSchema,
    step: ExportStep | DeleteStep,
    source: Source,
    *,
    retry: bool = False,
) -> Plan:
    """Compare the model with the mirror and return the finished plan. Nothing is sent, nothing in the CRM is read.

    With `retry`, rows that the CRM refused before are planned again although nothing about them changed.
    Raises ConfigurationError for a mapping that cannot work: unknown columns or fields, fields that this user may
    not write, fields that are not imported and so cannot be compared.
    """
    mapping = _mapping(schema, step, source)
    builder = _PlanSQL(warehouse, ledger, schema, step, source, mapping)
    plan_id = new_id()
    table = "temp." + warehouse.quote(f"plan_{plan_id}")
    warehouse.execute(f"CREATE TEMP TABLE {warehouse.quote(f'plan_{plan_id}')} AS {builder.statement(retry=retry)}")
    counts = {
        row["action"]: row["rows"]
        for row in warehouse.rows(f"SELECT action, COUNT(*) AS rows FROM {table} GROUP BY 1 ORDER BY 1")
    }
    reasons = {
        (row["action"], row["symbol"], row["reason"]): row["rows"]
        for row in warehouse.rows(
            f"SELECT action, symbol, MIN(reason) AS reason, COUNT(*) AS rows FROM {table} "
            "WHERE action IN ('skip', 'refuse') GROUP BY 1, 2 ORDER BY 1, 2"
        )
    }
    fields = {
        row["field"]: row["rows"]
        for row in warehouse.rows(
            "SELECT field, COUNT(*) AS rows FROM (SELECT UNNEST(CAST(changes AS JSON[])) ->> 'field' AS field "
            f"FROM {table} WHERE action IN ('create', 'update')) GROUP BY 1 ORDER BY 1"
        )
    }
    mirrored = warehouse.scalar(f"SELECT COUNT(*) FROM ({source.mirror}) AS mirror")
    mode = step.mode if isinstance(step, ExportStep) else "delete"
    identify = step.identify if isinstance(step, ExportStep) else None
    return Plan(
        plan_id=plan_id,
        step=step.name,
        account=step.account,
        object=step.object,
        mode=mode,
        counts=counts,
        reasons=reasons,
        fields=fields,
        freshness=source.freshness,
        mirrored=mirrored,
        table=table,
        model=source.model,
        key_columns=(identify,) if identify else tuple(step.key.values()),
    )


@dataclass(frozen=True, slots=True)
class _Mapped:
    field: Field
    column: str
    convert: str
    only_tighten: bool
    clear: bool  # a null in the model clears the field


def _mapping(
    schema: ObjectSchema, step: ExportStep | DeleteStep, source: Source
) -> tuple[list[_Mapped], list[_Mapped]]:
    """(key fields, mapped fields), or every fault that describe, mirror and model show, at once."""
    faults: list[Fault] = []
    columns = {name.lower(): name for name in source.columns}
    # Rows that are only ever created have nothing to be compared with.
    creates_only = isinstance(step, ExportStep) and step.mode == "insert"

    def field_of(name: str, use: str) -> Field | None:
        field = schema.fields.get(name)
        if field is None:
            faults.append(
                Fault(
                    f"step {step.name}: {schema.account} shows no field {name!r} on {schema.name} to this user ({use})",
                    step.where,
                    hint=suggest(name, schema.fields) or "check the name and the field's permissions",
                )
            )
        elif field.column not in source.mirror_columns and not (use == "map" and creates_only):
            faults.append(
                Fault(
                    f"step {step.name}: {name} is not imported, so a plan could not compare it ({use})",
                    step.where,
                    hint=f"add {name} to the fields of {schema.name} in sources/ and import it",
                )
            )
        return field

    def column_of(name: str, use: str) -> str:
        if name.lower() not in columns:
            faults.append(
                Fault(
                    f"step {step.name}: the model {step.model} has no column {name!r} ({use})",
                    step.where,
                    allowed=tuple(source.columns),
                    hint=suggest(name, source.columns),
                )
            )
        return columns.get(name.lower(), name)

    if isinstance(step, ExportStep) and step.identify:
        column_of(step.identify, "identify")
    if step.options.if_unchanged:
        if schema.version_field:
            field_of(schema.version_field, "if_unchanged")
        else:
            faults.append(Fault(f"step {step.name}: {schema.name} shows no version of a record", step.options.where))
    keys = []
    for name, column in step.key.items():
        field, column = field_of(name, "key"), column_of(column, f"key {name}")
        if field:
            keys.append(_Mapped(field, column, "default", False, False))
    mapped = []
    if isinstance(step, ExportStep):
        for name, entry in step.map.items():
            field, column = field_of(name, "map"), column_of(entry.column, f"mapped to {name}")
            if field is None:
                continue
            updates, creates = step.mode in ("update", "upsert"), step.mode in ("insert", "upsert")
            if (updates and not field.updateable) or (creates and not field.createable):
                verb = "update" if updates and not field.updateable else "create"
                why = "it is calculated by the CRM" if field.calculated else f"this user may not {verb} it"
                faults.append(
                    Fault(
                        f"step {step.name}: {name} cannot be written on {schema.name}: {why}",
                        step.where,
                        hint=f"take {name} out of the map, or have the permission granted",
                    )
                )
            # A boolean cannot be empty in either CRM: a null leaves it as it is.
            clear = step.nulls_of(name) == "clear" and field.kind is not Kind.BOOLEAN
            mapped.append(_Mapped(field, column, entry.convert, entry.only_tighten, clear))
        if step.mode in ("insert", "upsert"):
            given = {item.field.name for item in mapped} | {item.field.name for item in keys}
            missing = [f.name for f in schema.fields.values() if f.required_on_create and f.name not in given]
            if missing:
                faults.append(
                    Fault(
                        f"step {step.name}: {schema.name} needs {', '.join(missing)} when a record is created",
                        step.where,
                        hint=f"map {missing[0]}, or use mode: update",
                    )
                )
    if faults:
        raise ConfigurationError(faults)
    return keys, mapped


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class _PlanSQL:
    """Builds the one statement of a plan."""

    def __init__(
        self,
        warehouse: Warehouse,
        ledger: Ledger,
        schema: ObjectSchema,
        step: ExportStep | DeleteStep,
        source: Source,
        mapping: tuple[list[_Mapped], list[_Mapped]],
    ) -> None:
        self.quote = warehouse.quote
        self.ledger = ledger
        self.schema = schema
        self.step = step
        self.source = source
        self.keys, self.mapped = mapping
        self.mode = step.mode if isinstance(step, ExportStep) else "delete"
        self.identify = step.identify if isinstance(step, ExportStep) else None
        self.by_id = len(self.keys) == 1 and self.keys[0].field.name == schema.id_field

    def statement(self, *, retry: bool) -> str:
        """The SELECT whose rows are the plan: key, action, record_id, match, changes, fingerprint, symbol, reason."""
        changes = self._changes()
        identity = "model._named" if self.identify else "model._match"
        return f"""
WITH model AS ({self._model()}),
sent AS ({self._sent()}),
current_records AS ({self._current()}),
unique_records AS (
    SELECT *, COUNT(*) OVER (PARTITION BY _match) AS _same,
           ROW_NUMBER() OVER (PARTITION BY _match ORDER BY _id) AS _first
    FROM current_records
),
joined AS (
    SELECT model.*, record._id, record._same, record._version,
           {", ".join([f"record.o_{i}" for i in range(len(self.mapped))] or ["NULL AS no_fields"])},
           CASE WHEN {identity} IS NULL THEN 1 ELSE COUNT(*) OVER (PARTITION BY {identity}) END AS _copies
    FROM model LEFT JOIN unique_records AS record ON record._match = model._match AND record._first = 1
),
compared AS (
    SELECT *, {changes} AS _changes FROM joined
),
keyed AS (
    SELECT *, MD5({self._fingerprint("_changes")}) AS _fingerprint, {self._without_consent()} AS _rest FROM compared
),
named AS (
    SELECT *, {self._key()} AS _key FROM keyed
),
counted AS (
    SELECT *, COUNT(*) OVER (PARTITION BY _key) AS _key_copies FROM named
),
known AS ({self._known()}),
decided AS (
    SELECT counted.*, {self._decision(retry)} AS _decision
    FROM counted
    LEFT JOIN known ON known.key = counted._key
)
SELECT ROW_NUMBER() OVER (ORDER BY _decision.action, _key) AS _row,
       COALESCE(_key, 'no-key-' || LEFT(_fingerprint, 12)) AS key,
       _decision.action AS action,
       _id AS record_id,
       {self._match_json()} AS match,
       CASE WHEN _decision.action IN ('create', 'update')
            THEN CAST(TO_JSON(LIST_TRANSFORM(_changes,
                 lambda x: {{'field': x.field, 'old': x.old, 'new': x.new}})) AS VARCHAR)
            ELSE '[]' END AS changes,
       _fingerprint AS fingerprint,
       _rest AS rest,
       _decision.symbol AS symbol,
       _decision.reason AS reason,
       _version AS version
FROM decided
"""

    def _column(self, item: _Mapped) -> str:
        return f"m.{self.quote(item.column)}"

    def _value(self, expression: str, item: _Mapped) -> str:
        return normalised(expression, item.field, convert=item.convert, time_zone=self.source.time_zone)

    def _comparable(self, expression: str, item: _Mapped) -> str:
        """A key in the form in which two spellings of one key are equal."""
        text = one_form(f"TRIM(CAST({expression} AS VARCHAR))", item.field)
        folded = text if item.field.kind is Kind.ID or item.field.case_sensitive else f"LOWER({text})"
        return f"NULLIF({folded}, '')"

    def _match_of(self, expressions: Sequence[str]) -> str:
        """One text of all key parts, null when any part is null (the separator cannot stand in a CRM's text)."""
        return " || CHR(31) || ".join(expressions) if expressions else "CAST(NULL AS VARCHAR)"

    def _model(self) -> str:
        parts = [
            f"{self._match_of([self._comparable(self._column(key), key) for key in self.keys])} AS _match",
            *(f"NULLIF(TRIM(CAST({self._column(key)} AS VARCHAR)), '') AS k_{i}" for i, key in enumerate(self.keys)),
            *(f"{self._value(self._column(item), item)} AS n_{i}" for i, item in enumerate(self.mapped)),
        ]
        broken = [
            f"CASE WHEN {self._column(item)} IS NOT NULL AND {self._value(self._column(item), item)} IS NULL "
            f"AND REGEXP_MATCHES(CAST({self._column(item)} AS VARCHAR), '[^\\s\\pZ\\x0b\\x1c-\\x1f\\x85]') "
            f"THEN {_text(item.column)} || ' = ' || LEFT(CAST({self._column(item)} AS VARCHAR), 60) "
            f"|| ' does not fit ' || {_text(f'{item.field.name} ({item.field.vendor_type})')} END"
            for item in self.mapped
        ]
        if self.identify:
            parts.append(f"NULLIF(TRIM(CAST(m.{self.quote(self.identify)} AS VARCHAR)), '') AS _named")
        parts.append(f"COALESCE({', '.join([*broken, 'NULL', 'NULL'])}) AS _broken")
        return f"SELECT {', '.join(parts)} FROM {self.source.model} AS m"

    def _sent(self) -> str:
        """What was written since the mirror's last window ended: newest value a field, one row a record.

        The newest is that of the newest plan: two plans may well write within one second of the CRM's clock.
        """
        names = {item.field.name for item in (*self.mapped, *self.keys)}
        values = "".join(
            f", MAX(CASE WHEN field = {_text(name)} THEN value END) AS {self.quote('v_' + name)}"
            f", BOOL_OR(field = {_text(name)}) AS {self.quote('h_' + name)}"
            for name in sorted(names)
        )
        since = (
            f"AND sent_at >= CAST({_text(self.source.freshness.isoformat())} AS TIMESTAMP WITH TIME ZONE)"
            if self.source.freshness
            else ""
        )
        return f"""
    SELECT record_id, BOOL_OR(created) AS created, BOOL_OR(field = '') AS deleted{values}
    FROM (
        SELECT *, ROW_NUMBER() OVER (
            PARTITION BY record_id, field ORDER BY plan_id DESC NULLS LAST, sent_at DESC) AS _newest
        FROM {self.ledger.table("sent")}
        WHERE account = {_text(self.schema.account)} AND object = {_text(self.schema.name)} {since}
    ) AS latest
    WHERE _newest = 1 GROUP BY record_id"""

    def _current(self) -> str:
        identity = self.quote(self.schema.id_field)

        def now_held(item: _Mapped) -> str:
            name = item.field.name
            held = item.field.column in self.source.mirror_columns
            mirrored = normalised(self._mirrored(item.field) if held else "NULL", item.field)
            sent = from_text(f"s.{self.quote('v_' + name)}", item.field)
            return f"CASE WHEN s.{self.quote('h_' + name)} THEN {sent} ELSE {mirrored} END"

        keys = [
            self._comparable(
                f"COALESCE(r.{identity}, s.record_id)" if key.field.name == self.schema.id_field else now_held(key), key
            )
            for key in self.keys
        ]
        olds = "".join(f", {now_held(item)} AS o_{i}" for i, item in enumerate(self.mapped))
        version = "CAST(NULL AS VARCHAR)"
        if self.step.options.if_unchanged and self.schema.version_field:
            # What was written since the import has a version that nobody here has seen.
            seen = f"CAST(r.{self.quote(self.schema.version_field)} AS VARCHAR)"
            version = f"CASE WHEN s.record_id IS NULL THEN {seen} END"
        return f"""
    SELECT COALESCE(r.{identity}, s.record_id) AS _id, {version} AS _version, {self._match_of(keys)} AS _match{olds}
    FROM ({self.source.mirror}) AS r FULL JOIN sent AS s ON r.{identity} = s.record_id
    WHERE NOT COALESCE(s.deleted, FALSE) AND (r.{identity} IS NOT NULL OR COALESCE(s.created, FALSE))"""

    def _mirrored(self, field: Field) -> str:
        """A field of the mirror; a lookup with the table that it leads to, where that was imported beside it."""
        column = f"r.{self.quote(field.column)}"
        table = f"{field.name}_table"
        if table in self.schema.companions.get(field.name, ()) and table in self.source.mirror_columns:
            return f"COALESCE(r.{self.quote(table)} || ':', '') || {column}"
        return column

    def _changes(self) -> str:
        """The fields that would change, with old and new value as text."""
        entries = []
        for i, item in enumerate(self.mapped):
            if item.only_tighten:
                # A consent flag may be set, never taken back: opted out once is opted out.
                changed = f"n_{i} IS TRUE AND o_{i} IS NOT TRUE"
            elif item.clear:
                changed = f"n_{i} IS DISTINCT FROM o_{i}"
            else:
                changed = f"n_{i} IS NOT NULL AND n_{i} IS DISTINCT FROM o_{i}"
            # What a new record lacks is left out rather than written as null; it has nothing to be cleared.
            changed = f"CASE WHEN _id IS NULL THEN n_{i} IS NOT NULL ELSE {changed} END"
            entries.append(
                f"{{'field': {_text(item.field.name)}, 'old': {as_text(f'o_{i}', item.field)}, "
                f"'new': {as_text(f'n_{i}', item.field)}, 'changed': {changed}}}"
            )
        if not entries:
            return "CAST([] AS STRUCT(field VARCHAR, old VARCHAR, new VARCHAR, changed BOOLEAN)[])"
        return f"LIST_FILTER([{', '.join(entries)}], lambda x: x.changed)"

    def _fingerprint(self, changes: str) -> str:
        """What a row would write, as one text: equal texts mean that nothing about the row has changed."""
        new = f"LIST_TRANSFORM({changes}, lambda x: x.field || '=' || COALESCE(x.new, CHR(0)))"
        return f"COALESCE(_match, '') || CHR(30) || ARRAY_TO_STRING({new}, CHR(31))"

    def _without_consent(self) -> str:
        """The fingerprint that is left when the consent flags of a refused row were written by themselves.

        Null when there is nothing to write by itself: no consent flag among the changes, or nothing but them.
        """
        flags = ", ".join(_text(item.field.name) for item in self.mapped if item.only_tighten)
        if not flags:
            return "CAST(NULL AS VARCHAR)"
        rest = f"LIST_FILTER(_changes, lambda x: x.field NOT IN ({flags}))"
        return f"CASE WHEN LEN({rest}) BETWEEN 1 AND LEN(_changes) - 1 THEN MD5({self._fingerprint(rest)}) END"

    def _key(self) -> str:
        if not self.keys:
            return "_named" if self.identify else "_fingerprint"
        if self.by_id:
            return "CASE WHEN _match IS NULL THEN 'new-' || _fingerprint ELSE k_0 END" if self._creates else "k_0"
        return " || '|' || ".join(f"k_{i}" for i in range(len(self.keys)))

    @property
    def _creates(self) -> bool:
        return self.mode in ("insert", "upsert")

    def _match_json(self) -> str:
        """Key field -> value for the rows that are matched by an external id or alternate key."""
        if not self.keys or self.by_id:
            return "'{}'"
        pairs = ", ".join(f"{_text(key.field.name)}: k_{i}" for i, key in enumerate(self.keys))
        return f"CAST(TO_JSON({{{pairs}}}) AS VARCHAR)"

    def _known(self) -> str:
        """What the ledger says of a key: written before, in doubt, or refused and with which values."""
        step = _text(self.step.name)
        retry = self.step.rejects.retry
        waited = datetime.now(UTC) - retry.wait
        return f"""
    SELECT key, BOOL_OR(state = 'done') AS done, BOOL_OR(state = 'in_doubt') AS in_doubt,
           MAX(CASE WHEN state = 'rejected' THEN fingerprint END) AS rejected,
           MAX(CASE WHEN state = 'rejected' THEN symbol END) AS rejected_symbol, BOOL_OR(due) AS due
    FROM (
        SELECT key, state, NULL AS fingerprint, symbol, FALSE AS due FROM {self.ledger.table("outcomes")}
        WHERE step = {step} AND state IN ('done', 'in_doubt')
        UNION ALL
        SELECT key, 'rejected', fingerprint, error_symbol, passing AND attempts < {retry.attempts}
               AND last_at <= CAST({_text(waited.isoformat())} AS TIMESTAMP WITH TIME ZONE)
        FROM {self.ledger.table("rejects")}
        WHERE step = {step} AND state = 'open' AND refused_by = 'crm'
    ) AS said GROUP BY key"""

    def _decision(self, retry: bool) -> str:
        object_name = self.schema.name
        cases: list[tuple[str, str, str, str]] = []  # condition, action, symbol, reason (SQL)
        if self.keys:
            key_columns = ", ".join(key.column for key in self.keys)
            if not (self.by_id and self._creates):
                cases.append(("_match IS NULL", "refuse", KEY_NULL, _text(f"the key column {key_columns} is null")))
            cases.append(
                (
                    "_copies > 1",
                    "refuse",
                    KEY_DUPLICATE,
                    _text(f"the model holds this key ({key_columns}) more than once, letter case and spaces apart"),
                )
            )
            cases.append(
                ("_same > 1", "refuse", KEY_AMBIGUOUS, _text(f"the key matches more than one {object_name} record"))
            )
        if self.identify:
            named = _text(f"the column {self.identify}, which identifies the row, is null")
            cases.append(("_named IS NULL", "refuse", KEY_NULL, named))
            twice = _text(f"the model holds this {self.identify} more than once")
            cases.append(("_copies > 1", "refuse", KEY_DUPLICATE, twice))
        cases.append(("_broken IS NOT NULL", "refuse", VALUE_NOT_CONVERTIBLE, "_broken"))
        if self.mode == "delete":
            cases.append(("_id IS NULL", "skip", "gone", _text("the record is already gone")))
            cases.append((self._held(retry), "skip", "held", self._held_reason()))
            cases.append(("TRUE", "delete", "", "''"))
        else:
            if self.mode == "update":
                cases.append(
                    (
                        "_id IS NULL",
                        "refuse",
                        RECORD_NOT_FOUND,
                        _text(f"the mirror holds no live {object_name} record with this key"),
                    )
                )
            if self.mode == "insert":
                cases.append(("_id IS NOT NULL", "skip", "exists", _text("a record with this key exists")))
            if not self.keys or (self.by_id and self._creates):
                # Nothing but its values names such a row, so two equal ones cannot be told apart, nor created once.
                equal = _text("the model holds this row more than once")
                cases.append(("_id IS NULL AND _key_copies > 1", "refuse", KEY_DUPLICATE, equal))
                cases.append(
                    ("_id IS NULL AND known.done", "skip", "created before", _text("this row was created before"))
                )
                cases.append(
                    (
                        "_id IS NULL AND known.in_doubt",
                        "skip",
                        "in doubt",
                        _text("this row was sent and never answered; look it up in the CRM before sending it again"),
                    )
                )
            cases.append(("_id IS NOT NULL AND LEN(_changes) = 0", "skip", "unchanged", _text("nothing to change")))
            cases.append((self._held(retry), "skip", "held", self._held_reason()))
            cases.append(("_id IS NOT NULL", "update", "", "''"))
            cases.append(("TRUE", "create", "", "''"))
        whens = " ".join(
            f"WHEN {condition} THEN {{'action': '{action}', 'symbol': {_text(symbol)}, 'reason': {reason}}}"
            for condition, action, symbol, reason in cases
        )
        return f"CASE {whens} END"

    def _held(self, retry: bool) -> str:
        """A row that the CRM refused, with the same values as then, is not sent again by itself.

        Unless what stood in the way may have passed, and the step's `rejects.retry` lets it be tried once more.
        """
        return "FALSE" if retry else "known.rejected = _fingerprint AND NOT COALESCE(known.due, FALSE)"

    def _held_reason(self) -> str:
        return "'the CRM refused these values before (' || COALESCE(known.rejected_symbol, '') || ')'"


__all__ = ["FieldChange", "Plan", "PlannedChange", "Source", "make_plan", "sql_type"]
