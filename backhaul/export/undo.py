"""Undoing what a step of a run wrote: a plan like any other, made from what the ledger keeps of the run.

Values are put back, records that the run made are deleted, those that it deleted come back. What somebody, or a later
run, has changed since stays as it is and is listed with what it holds now: ``skip`` rows whose changes say so. What the
CRM holds is the mirror overlaid with what was sent since, as for every plan.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from backhaul.config import DeleteStep, ExportStep
from backhaul.export.checks import text
from backhaul.export.consents import consent_fields
from backhaul.export.looking_back import UNDO, History, LookingBack, ever_sent
from backhaul.export.mapping import Mirror, Source
from backhaul.export.narrowing import narrow_to_run
from backhaul.export.plan import COLUMNS, Plan
from backhaul.export.values import LOOKUP_TYPES, as_text, normalised
from backhaul.ledger import Ledger
from backhaul.record import Field, Kind, ObjectSchema
from backhaul.warehouse import Warehouse

ONLY_TIGHTEN = "only_tighten"
"""Named under `allow`, consent flags that the run tightened are loosened again."""

LEFT = ("changed", ONLY_TIGHTEN, "lost", "gone", "unknown", "in doubt", "no image", "made before")
"""Symbols of the rows that an undo leaves as they are although the run wrote them."""

_REASONS = {
    "changed": "changed since the run wrote it",
    ONLY_TIGHTEN: "an opt-out that the run wrote is not taken back (--allow only_tighten does)",
    "lost": "the field is not there any more, or is not imported",
    "gone": "the record is not there any more",
    "unknown": "the record was there before the run, which did not know it: what it held is not known",
    "in doubt": "it was sent and never answered: look it up in the CRM, then backhaul doubts settle",
    "no image": "what the deleted record held is not known",
    "made before": "an undo was to make it anew and its answer never came: look it up in the CRM",
    "unchanged": "it is as it was before the run",
}
ANEW = "the CRM has not kept it: made anew from the fields that are imported and its opt-outs, under a new id"
BACK = "brought back under its id (Dynamics: with the fields that are imported and its opt-outs, and no others)"


@dataclass(frozen=True, slots=True)
class Undone:
    """What is to be undone: a step of a run, by its name then; `flags` are the consent fields of its object.

    `loosen`: flags that the run set may be taken back. `assumed`: plans of the same undo that are sent before this one.
    """

    run_id: str
    step: str
    flags: AbstractSet[str] = frozenset()
    loosen: bool = False
    assumed: Sequence[Plan] = ()


def make_undo(  # noqa: PLR0913 - what a plan takes, and what is asked of the CRM for it
    warehouse: Warehouse,
    ledger: Ledger,
    schema: ObjectSchema,
    step: ExportStep | DeleteStep,
    mirror: Mirror,
    undone: Undone,
    restorable: Callable[[Sequence[str]], AbstractSet[str]],
) -> Plan:
    """The finished plan that undoes a step of a run; nothing is sent.

    `step` gives the undo's own name and options; `restorable` is asked for the ids of deleted records: which can come
    back under them. Of the others new records are made.
    """
    home, warehouse = warehouse, warehouse.engine(anew=not undone.assumed)
    work = _Undo(home, ledger, schema, step, mirror, undone)
    narrow_to_run(warehouse, work, f"run_id = {text(undone.run_id)} AND step = {text(undone.step)}")
    plan_id = ledger.new_plan_id()
    deleted = work.deleted()
    kept = restorable(deleted) if deleted else set()
    stage, table = (warehouse.quote(f"{name}_{plan_id}") for name in ("stage", "plan"))
    warehouse.execute(f"CREATE TEMP TABLE {stage} AS {work.statement(kept)}")
    columns = ", ".join(COLUMNS)
    warehouse.execute(
        f"CREATE TEMP TABLE {table} AS SELECT ROW_NUMBER() OVER (ORDER BY action, symbol, key) AS _row, {columns} "
        f"FROM {stage}"
    )
    warehouse.execute(f"DROP TABLE {stage}")
    table = f"temp.{table}"
    reasons = {
        (row["action"], row["symbol"], row["reason"]): int(row["rows"])
        for row in warehouse.rows(
            f"SELECT action, symbol, reason, COUNT(*) AS rows FROM {table} WHERE reason <> '' GROUP BY ALL ORDER BY ALL"
        )
    }
    counts = warehouse.rows(f"SELECT action, COUNT(*) AS rows FROM {table} GROUP BY 1 ORDER BY 1")
    items = (
        "SELECT action, record_id, UNNEST(CAST(CAST(changes AS JSON) AS "
        f'STRUCT("field" VARCHAR, "old" VARCHAR, "new" VARCHAR)[])) AS item FROM {table} WHERE action <> \'skip\''
    )
    fields = warehouse.rows(f"SELECT item.field AS field, COUNT(*) AS rows FROM ({items}) AS i GROUP BY 1 ORDER BY 1")
    nulls = f"SELECT COUNT(*) FROM ({items}) AS i WHERE action = 'update' AND item.new IS NULL"
    return Plan(
        plan_id=plan_id,
        step=step.name,
        account=step.account,
        object=step.object,
        mode="undo",
        counts={row["action"]: int(row["rows"]) for row in counts},
        reasons=reasons,
        fields={row["field"]: int(row["rows"]) for row in fields},
        freshness=mirror.freshness,
        mirrored=int(warehouse.scalar(f"SELECT COUNT(*) FROM ({mirror.sql}) AS mirror")),
        table=table,
        model=table,
        key_columns=(),
        model_rows=sum(int(row["rows"]) for row in counts),
        nulls=int(warehouse.scalar(nulls)),
        mirror=work.records(),
        id_field=schema.id_field,
    )


class _Undo(LookingBack):
    """Builds the SQL of one undo."""

    def __init__(
        self,
        home: Warehouse,
        ledger: Ledger,
        schema: ObjectSchema,
        step: ExportStep | DeleteStep,
        mirror: Mirror,
        undone: Undone,
    ) -> None:
        self.warehouse = home.engine()
        self.undone = undone
        self.here = f"account = {text(schema.account)} AND object = {text(schema.name)}"
        run = f"run_id = {text(undone.run_id)} AND step = {text(undone.step)}"
        source, fields = Source("", {}, mirror, "UTC"), ever_sent(home, ledger, schema)
        super().__init__(self.warehouse, ledger, schema, step, source, fields, History(overlaid=True))
        self.of_run = f"{self.here} AND {run}"
        self.plans = f"SELECT plan_id FROM {ledger.table('plans')} WHERE {run}"

    def deleted(self) -> list[str]:
        """The ids of what the run deleted and is not back."""
        rows = self.warehouse.rows(
            f"WITH {self._parts()} SELECT record_id FROM kinds WHERE kind = 'deleted' AND record_id IN "
            "(SELECT _id FROM held WHERE NOT _alive AND _by_us) ORDER BY 1"
        )
        return [row["record_id"] for row in rows]

    def statement(self, kept: AbstractSet[str]) -> str:
        """The SELECT whose rows are the plan. `kept` are deleted records that can come back under their ids."""
        rows = [*self._put_back(), *self._made(), *self._deleted(kept), self._doubtful()]
        return f"WITH {self._parts()},\nimages AS MATERIALIZED ({self._images()})\n" + "\nUNION ALL\n".join(rows)

    # ---- what is known ----

    def _sent_rows(self, condition: str) -> str:
        """What was written to the object's records, and what the plans sent before this one will write."""
        rows = super()._sent_rows("TRUE")
        item = 'STRUCT("field" VARCHAR, "old" VARCHAR, "new" VARCHAR)[]'
        for plan in self.undone.assumed:
            if (plan.account, plan.object) != (self.schema.account, self.schema.name):
                continue
            head = f"SELECT {text(plan.plan_id)} AS plan_id, record_id, key"
            tail = "action = 'restore' AS created, NOW() AS sent_at"
            rows += (
                f" UNION ALL BY NAME {head}, item.field AS field, item.old AS old, item.new AS value, {tail} FROM "
                f"(SELECT record_id, key, action, UNNEST(CAST(CAST(changes AS JSON) AS {item})) AS item "
                f"FROM {plan.table} WHERE action IN ('update', 'restore')) AS assumed"
                f" UNION ALL BY NAME {head}, '' AS field, NULL AS old, "
                f"CASE WHEN action = 'restore' THEN 'restored' END AS value, {tail} "
                f"FROM {plan.table} WHERE action IN ('delete', 'restore')"
            )
        return f"SELECT * FROM ({rows}) AS every_sent WHERE {condition}"

    def _parts(self) -> str:
        """written: a row a field of the run. kinds: a row a record. held: what the CRM holds of these records."""
        changes, outcomes = self.ledger.table("field_changes"), self.ledger.table("outcomes")
        identity = self.quote(self.schema.id_field)
        # A record that the plan meant to create is the run's own only where the CRM said that it made it.
        kind = (
            "CASE WHEN BOOL_OR(f.field = '' AND f.value IS NULL) THEN 'deleted' "
            "WHEN BOOL_OR(c.action IN ('create', 'restore') AND (o.created OR o.operation IN ('create', 'restore'))) "
            "THEN 'made' WHEN BOOL_OR(c.action = 'create') THEN 'unknown' ELSE 'changed' END"
        )
        last = "ORDER BY plan_id DESC, sent_at DESC"
        every = self._sent_rows("TRUE")
        stamp = (
            f"COALESCE(r.{self.mirror.cursor}, r._backhaul_seen_at)" if self.mirror.cursor else "r._backhaul_seen_at"
        )
        gone = f"(ours.gone_at IS NOT NULL AND NOT COALESCE({stamp} > ours.gone_at, FALSE))"
        fields = ", ".join(
            f"{{'field': {text(item.field.name)}, 'now': {as_text(self._held(item, 'r', 's'), item.field)}, "
            f"'fresh': COALESCE(s.{self.quote('h_' + item.field.name)}, FALSE)}}"
            for item in self.mapped
            if item.field.column in self.mirror.columns
        )
        none = 'CAST([] AS STRUCT("field" VARCHAR, "now" VARCHAR, "fresh" BOOLEAN)[])'
        parts = {
            "heirs": self._heirs(),
            # What was made anew in a record's place stands for it.
            "written": "SELECT COALESCE(heirs.heir, record_id) AS record_id, field, "
            "FIRST(old ORDER BY plan_id, batch) AS old, "
            "LAST(value ORDER BY plan_id, batch) AS value, MAX(plan_id) AS plan_id, MAX(sent_at) AS sent_at "
            f"FROM {changes} LEFT JOIN heirs ON heirs.original = record_id WHERE {self.of_run} GROUP BY 1, field",
            "kinds": f"SELECT COALESCE(heirs.heir, f.record_id) AS record_id, MAX(c.match) AS match, {kind} AS kind, "
            "MAX(f.plan_id) AS plan_id "
            f"FROM {changes} AS f LEFT JOIN heirs ON heirs.original = f.record_id LEFT JOIN {outcomes} AS o "
            "ON o.plan_id = f.plan_id AND o.batch = f.batch AND o.key = f.key "
            f"LEFT JOIN (SELECT * FROM {self.ledger.table('changes')} WHERE action NOT IN ('refuse', 'skip')) AS c "
            "ON c.plan_id = f.plan_id AND c.key = f.key "
            f"WHERE f.run_id = {text(self.undone.run_id)} AND f.step = {text(self.undone.step)} "
            f"AND f.account = {text(self.schema.account)} AND f.object = {text(self.schema.name)} "
            "GROUP BY 1",
            "ours": f"SELECT record_id, MAX(sent_at) AS last_at, CASE WHEN FIRST(value {last}) "
            f"FILTER (WHERE field = '') IS NULL THEN FIRST(sent_at {last}) FILTER (WHERE field = '') END AS gone_at "
            f"FROM ({every}) AS mine WHERE record_id IN (SELECT record_id FROM kinds) GROUP BY record_id",
            "sent": self._sent(f"{self._since_the_mirror()} AND record_id IN (SELECT record_id FROM kinds)"),
            "held": f"SELECT kinds.record_id AS _id, {stamp} AS _stamp, ours.last_at AS _last_at, "
            "ours.gone_at IS NOT NULL AS _by_us, "
            f"(r.{identity} IS NOT NULL OR COALESCE(s.created, FALSE)) AND NOT {gone} AS _alive, "
            f"{f'[{fields}]' if fields else none} AS _fields FROM kinds "
            f"LEFT JOIN ({self.mirror.sql}) AS r ON r.{identity} = kinds.record_id "
            "LEFT JOIN sent AS s ON s.record_id = kinds.record_id "
            "LEFT JOIN ours ON ours.record_id = kinds.record_id",
            "values_now": "SELECT _id, item.field AS field, item.now AS now, item.fresh AS fresh FROM "
            "(SELECT _id, UNNEST(_fields) AS item FROM held) AS each",
            "judged": self._judged(),
            # What later runs changed, as it stands after all of them: an undone change counts for nothing.
            "later": "SELECT kinds.record_id, m.field, FIRST(m.old ORDER BY m.plan_id, m.sent_at) AS before, "
            "LAST(m.value ORDER BY m.plan_id, m.sent_at) AS value "
            f"FROM ({every}) AS m LEFT JOIN heirs ON heirs.original = m.record_id "
            "JOIN kinds ON kinds.record_id = COALESCE(heirs.heir, m.record_id) "
            "WHERE m.plan_id > kinds.plan_id AND m.field <> '' "
            # A record that an undo brought back is as it was.
            f"AND NOT (COALESCE(m.created, FALSE) AND COALESCE(STARTS_WITH(m.step, {text(UNDO)}), TRUE)) "
            "GROUP BY kinds.record_id, m.field "
            "HAVING before IS DISTINCT FROM LAST(m.value ORDER BY m.plan_id, m.sent_at)",
        }
        return ",\n".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in parts.items())

    def _judged(self) -> str:
        """Per field what is to become of it: same, changed, only_tighten, lost, or back."""
        names = {item.field.name for item in self.mapped if item.field.column in self.mirror.columns}
        known = f"w.field IN ({', '.join(map(text, sorted(names))) or 'NULL'})"
        # What a plan wrote to the letter, or brought into the CRM's terms since.
        cases = " ".join(
            f"WHEN {text(item.field.name)} THEN {as_text(normalised('w.value', item.field), item.field)}"
            for item in self.mapped
        )
        terms = f"CASE w.field {cases} END" if cases else "w.value"
        flags = ", ".join(map(text, sorted(self.undone.flags))) or "NULL"
        loosens = "FALSE" if self.undone.loosen else f"w.field IN ({flags}) AND w.value = 'true'"
        # With no later stamp than our own writing, the CRM itself made something else of it.
        ours = (
            "(v.now IS NOT DISTINCT FROM w.value OR v.now IS NOT DISTINCT FROM " + terms + " OR "
            "(NOT v.fresh AND COALESCE(held._stamp <= w.sent_at + INTERVAL 1 SECOND, FALSE)))"
        )
        return (
            "SELECT w.record_id, w.field, w.old, v.now AS now, kinds.kind AS kind, "
            f"CASE WHEN NOT COALESCE({known}, FALSE) THEN 'lost' "
            "WHEN kinds.kind = 'changed' AND v.now IS NOT DISTINCT FROM w.old THEN 'same' "
            f"WHEN NOT {ours} THEN 'changed' "
            f"WHEN kinds.kind = 'changed' AND COALESCE({loosens}, FALSE) THEN '{ONLY_TIGHTEN}' "
            "ELSE 'back' END AS verdict "
            "FROM written AS w JOIN kinds ON kinds.record_id = w.record_id JOIN held ON held._id = w.record_id "
            "LEFT JOIN values_now AS v ON v._id = w.record_id AND v.field = w.field WHERE w.field <> '' "
            # By its key a record was found, and nothing about the key was changed.
            "AND NOT (kinds.kind = 'changed' AND w.old IS NULL "
            "AND LIST_CONTAINS(JSON_KEYS(COALESCE(kinds.match, '{}')), w.field))"
        )

    # ---- the rows ----

    def _row(
        self, action: str, source: str, *, symbol: str = "", changes: str = "'[]'", reason: str = "", key: str = ""
    ) -> str:
        """One kind of rows. `changes` is SQL, of an aggregate where `source` groups; `reason` a text."""
        name = key or "record_id"
        shown = reason or _REASONS.get(symbol, "")
        values = {
            "key": name,
            "action": text(action),
            "record_id": "NULL" if action == "create" else name,
            "match": "'{}'",
            "changes": changes,
            "fingerprint": f"MD5({name} || {changes})",
            "rest": "CAST(NULL AS VARCHAR)",
            "symbol": text(symbol),
            "reason": text(shown),
            "partial": "FALSE",
            "parked": "'[]'",
            "version": "CAST(NULL AS VARCHAR)",
        }
        return f"SELECT {', '.join(f'{value} AS {name}' for name, value in values.items())} FROM {source}"

    def _put_back(self) -> list[str]:
        """Records that the run changed: a row for the values that go back, rows for those that are left."""
        alive = "kind = 'changed' AND record_id IN (SELECT _id FROM held WHERE _alive)"
        rows = [
            self._row("update", f"judged WHERE {alive} AND verdict = 'back' GROUP BY record_id", changes=_listed("old"))
        ]
        for symbol in ("changed", ONLY_TIGHTEN, "lost"):
            source = f"judged WHERE {alive} AND verdict = {text(symbol)} GROUP BY record_id"
            rows.append(self._row("skip", source, symbol=symbol, changes=_listed("old")))
        still = f"judged WHERE {alive} GROUP BY record_id HAVING BOOL_AND(verdict = 'same')"
        gone = "kinds JOIN held ON held._id = kinds.record_id WHERE kind = 'changed' AND NOT _alive"
        unknown = "kinds WHERE kind = 'unknown'"
        return [
            *rows,
            self._row("skip", still, symbol="unchanged"),
            self._row("skip", gone, symbol="gone"),
            self._row("skip", unknown, symbol="unknown"),
        ]

    def _made(self) -> list[str]:
        """Records that the run made: deleted, unless somebody has worked on them since."""
        made = "SELECT kinds.record_id FROM kinds JOIN held ON held._id = kinds.record_id WHERE kind = 'made'"
        touched = (
            "(record_id IN (SELECT record_id FROM judged WHERE verdict = 'changed') "
            "OR record_id IN (SELECT record_id FROM later) "
            "OR record_id IN (SELECT _id FROM held WHERE _stamp > _last_at + INTERVAL 1 SECOND))"
        )
        alive = f"({made} AND _alive) AS mine"
        held = f"(SELECT mine.record_id, j.field, j.now, NULL AS old FROM {alive} LEFT JOIN judged AS j "
        held += f"ON j.record_id = mine.record_id AND j.verdict = 'changed') AS left_alone WHERE {touched}"
        listed = f"COALESCE({_listed('old', where='field IS NOT NULL')}, '[]')"
        return [
            self._row("delete", f"{alive} WHERE NOT {touched}"),
            self._row("skip", f"{held} GROUP BY record_id", symbol="changed", changes=listed),
            self._row("skip", f"({made} AND NOT _alive) AS mine", symbol="unchanged"),
        ]

    def _deleted(self, kept: AbstractSet[str]) -> list[str]:
        """Records that the run deleted: brought back, or where the CRM cannot, made anew."""
        of = "SELECT images.*, _alive, _by_us FROM images JOIN held ON held._id = images.record_id WHERE TRUE"
        there = f"({of} AND _alive) AS back_again"
        ids = f"SELECT UNNEST(CAST([{', '.join(map(text, sorted(kept)))}] AS VARCHAR[]))"
        # Perhaps it was made: it is not made once more.
        before = (
            f"SELECT key FROM {self.ledger.table('outcomes')} WHERE {self.here} "
            f"AND STARTS_WITH(step, {text(UNDO)}) AND operation = 'create' AND state = 'in_doubt'"
        )
        gone = f"({of} AND NOT _alive AND _by_us) AS gone WHERE"
        return [
            self._row("skip", there, symbol="unchanged"),
            # It was brought back once, and somebody has deleted it since.
            self._row("skip", f"({of} AND NOT _alive AND NOT _by_us) AS gone", symbol="gone"),
            self._row("restore", f"{gone} record_id IN ({ids})", changes="changes", reason=BACK),
            self._row("skip", f"{gone} record_id NOT IN ({ids}) AND record_id IN ({before})", symbol="made before"),
            self._row(
                "create",
                f"{gone} record_id NOT IN ({ids}) AND record_id NOT IN ({before}) AND image IS NOT NULL",
                changes="changes",
                reason=ANEW,
            ),
            self._row(
                "skip",
                f"{gone} record_id NOT IN ({ids}) AND record_id NOT IN ({before}) AND image IS NULL",
                symbol="no image",
            ),
        ]

    def _images(self) -> str:
        """SQL of the records that the run deleted: what they held, and the values that can be written to new ones."""
        members: list[str] = []
        entries: list[str] = []
        kept = [*self.mirror.columns, *(one.column for one in consent_fields(self.schema))]
        for name in dict.fromkeys(kept):
            field = next((one for one in self.schema.fields.values() if one.column == name), None)
            if field is None or not _creatable(field, self.schema):
                continue
            member = f"m{len(members)}"
            members.append(f", {self._kept(field)} AS {member}")
            value = as_text(normalised(member, field), field)
            begin = text('{"field":"' + field.name + '","old":null,"new":')
            entries.append(
                f"CASE WHEN {value} IS NOT NULL THEN {begin} || CAST(TO_JSON({value}) AS VARCHAR) || '}}' END"
            )
        changes = f"'[' || CONCAT_WS(',', {', '.join(entries)}) || ']'" if entries else "'[]'"
        of = (
            f"SELECT record_id, image{''.join(members)} FROM (SELECT record_id, old AS image FROM written "
            "WHERE field = '' AND record_id IN (SELECT record_id FROM kinds WHERE kind = 'deleted')) AS deleted"
        )
        return f"SELECT record_id, image, {changes} AS changes FROM ({of}) AS kept"

    def _kept(self, field: Field) -> str:
        """SQL of a field's value in a record's image."""

        def member(name: str) -> str:
            path = '$."' + name.replace('"', '\\"') + '"'
            return f"JSON_EXTRACT_STRING(image, {text(path)})"

        value, table = member(field.column), f"{field.name}_table"
        if field.vendor_type not in LOOKUP_TYPES or table not in self.schema.companions.get(field.name, ()):
            return value
        whole = f"COALESCE({member(table)} || ':', '') || {value}"
        return f"CASE WHEN POSITION(':' IN {value}) > 0 THEN {value} ELSE {whole} END"

    def _doubtful(self) -> str:
        """Rows of the run that were sent and of which no answer came."""
        outcomes, batches = self.ledger.table("outcomes"), self.ledger.table("batches")
        of_run = f"plan_id IN ({self.plans})"
        keys = (
            f"SELECT key FROM {outcomes} WHERE {of_run} AND state = 'in_doubt' UNION "
            f"SELECT UNNEST(CAST(CAST(keys AS JSON) AS VARCHAR[])) FROM {batches} WHERE {of_run} AND state <> 'settled'"
        )
        told = f"SELECT key FROM {outcomes} WHERE {of_run} AND state IN ('done', 'rejected')"
        source = f"(SELECT DISTINCT key AS record_id FROM ({keys}) AS sent_keys WHERE key NOT IN ({told})) AS doubted"
        return self._row("skip", source, symbol="in doubt")


def _listed(new: str, where: str = "") -> str:
    """SQL of the JSON list of a group's fields: what they hold now, and what they would be put back to."""
    entry = f"CAST(TO_JSON({{'field': field, 'old': now, 'new': {new}}}) AS VARCHAR)"
    chosen = f" FILTER (WHERE {where})" if where else ""
    return f"('[' || STRING_AGG({entry}, ',' ORDER BY field){chosen} || ']')"


def _creatable(field: Field, schema: ObjectSchema) -> bool:
    return (
        field.createable
        and not field.calculated
        and field.kind is not Kind.BINARY
        and field.name != schema.id_field
        and "." not in field.name
    )
