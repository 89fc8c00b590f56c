"""What a plan looks back on: what was sent and not yet seen, agreed on, merged, deleted, rewritten, decided.

Pieces of SQL over the raw log and the ledger, for the one statement of :mod:`backhaul.export.comparing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backhaul.config import DeleteStep, ExportStep
from backhaul.export.checks import text
from backhaul.export.mapping import FieldMap, Mapped, Source
from backhaul.export.named import looked_up
from backhaul.export.values import from_text, normalised, one_form
from backhaul.ledger import Ledger
from backhaul.record import Kind, ObjectSchema
from backhaul.warehouse import Warehouse

PARTED = "CHR(31)"
"""SQL of a separator that cannot stand in a CRM's text."""

UNDO = "undo_"
"""How the names of steps begin that undo another one."""

MOST_HEIRS = 1_000
"""A record is not followed any further through the records that were made in its place one after the other."""


@dataclass(frozen=True, slots=True)
class History:
    """What there is to look back on, asked beforehand so that a plan without a history stays one plain join.

    `last_plan` and `agreed_at`: the step's newest applied plan, and how fresh its mirror was. `overlaid`: something was
    sent that the mirror does not show yet. `sent`: this step has sent something before. `merged`, `gone`: the log holds
    merged records, deleted ones. `decided`: conflicts of this step are open or were resolved. `names`: the table of
    what the lookups `named` lead to that the model names by keys ('': none does), see :mod:`backhaul.export.named`.
    """

    last_plan: str = ""
    agreed_at: datetime | None = None
    overlaid: bool = False
    sent: bool = False
    merged: bool = False
    gone: bool = False
    decided: bool = False
    names: str = ""
    named: frozenset[str] = frozenset()


class LookingBack:
    """One step's two sides, and the SQL of what lies behind them."""

    def __init__(  # noqa: PLR0913 - the two sides, what joins them, and the three things that judge them
        self,
        warehouse: Warehouse,
        ledger: Ledger,
        schema: ObjectSchema,
        step: ExportStep | DeleteStep,
        source: Source,
        fields: FieldMap,
        history: History,
    ) -> None:
        self.quote = warehouse.quote
        self.ledger = ledger
        self.schema = schema
        self.step = step
        self.source = source
        self.mirror = source.mirror
        self.keys, self.mapped, self.archive = fields.keys, fields.fields, fields.archive
        self.history = history
        self.mode = step.mode if isinstance(step, ExportStep) else "delete"
        self.identify = step.identify if isinstance(step, ExportStep) else None
        self.by_id = len(self.keys) == 1 and self.keys[0].field.name == schema.id_field
        self.creates = self.mode in ("insert", "upsert", "mirror")
        self.matches = bool(self.keys)
        self._resting = ""

    def comparable(self, expression: str, item: Mapped) -> str:
        """A key in the form in which two spellings of one key are equal."""
        whole = one_form(f"TRIM(CAST({expression} AS VARCHAR))", item.field)
        folded = whole if item.field.kind is Kind.ID or item.field.case_sensitive else f"LOWER({whole})"
        return f"NULLIF({folded}, '')"

    def _match_of(self, expressions: Sequence[str]) -> str:
        """One text of all key parts, null when any part is null."""
        return f" || {PARTED} || ".join(expressions) if expressions else "CAST(NULL AS VARCHAR)"

    def _since_the_mirror(self) -> str:
        return since(self.mirror.freshness)

    def _sent(self, condition: str) -> str:
        """What was written: newest value a field, one row a record.

        The newest is that of the newest plan: two plans may well write within one second of the CRM's clock.
        """
        names = {item.field.name for item in (*self.mapped, *self.keys)} | {one.name for one, _ in self.archive}
        values = "".join(
            f", MAX(CASE WHEN field = {text(name)} THEN value END) AS {self.quote('v_' + name)}"
            f", BOOL_OR(field = {text(name)}) AS {self.quote('h_' + name)}"
            for name in sorted(names)
        )
        return f"""
    SELECT record_id, BOOL_OR(created AND field <> '') AS created,
           MAX(CASE WHEN field = '' AND value IS NULL THEN sent_at END) AS deleted_at{values}
    FROM (
        SELECT *, ROW_NUMBER() OVER (
            PARTITION BY record_id, field ORDER BY plan_id DESC NULLS LAST, sent_at DESC) AS _newest
        FROM ({self._sent_rows(condition)}) AS sent
    ) AS latest
    WHERE _newest = 1 GROUP BY record_id"""

    def sent_rows(self) -> str:
        """SQL of all that was ever written to the object's records, a row a field."""
        return self._sent_rows("TRUE")

    def _sent_rows(self, condition: str) -> str:
        """What was written to the object's records, a row a field."""
        rows = (
            f"SELECT * FROM {self.ledger.table('field_changes')} WHERE account = {text(self.schema.account)} "
            f"AND object = {text(self.schema.name)} AND {condition}"
        )
        if not self.history.names:
            return rows
        of = f"field IN ({', '.join(map(text, sorted(self.history.named)))})"
        found = ", ".join(
            f"CASE WHEN {of} THEN {looked_up(self.history.names, 'w.field', f'w.{name}')} ELSE w.{name} END AS {name}"
            for name in ("value", "old")
        )
        return f"SELECT * REPLACE ({found}) FROM ({rows}) AS w"

    def _heirs(self) -> str:
        """SQL (columns `original`, `heir`): what an undo made anew under a new id, and the newest record in its place.

        A record that is made anew goes by its old id as the key; it may have been deleted and made anew in its turn.
        """
        made = (
            f"SELECT key AS original, ARG_MAX(record_id, plan_id) AS heir FROM {self.ledger.table('outcomes')} "
            f"WHERE account = {text(self.schema.account)} AND object = {text(self.schema.name)} "
            f"AND STARTS_WITH(step, {text(UNDO)}) AND operation = 'create' AND state = 'done' "
            "AND record_id IS NOT NULL AND record_id <> key GROUP BY key"
        )
        line = (
            "SELECT original, heir, 1 AS depth FROM made UNION ALL SELECT line.original, made.heir, depth + 1 "
            f"FROM line JOIN made ON made.original = line.heir WHERE depth < {MOST_HEIRS}"
        )
        return (
            f"WITH RECURSIVE made AS MATERIALIZED ({made}), line AS ({line}) "
            "SELECT original, ARG_MAX(heir, depth) AS heir FROM line GROUP BY original"
        )

    def _gone_by_us(self, condition: str = "TRUE") -> str:
        """SQL (column `record_id`) of the records that we deleted and have not brought back since.

        A row without a field tells of the record itself: a delete, or with a value its return. `condition` is about
        the newest one.
        """
        return (
            f"SELECT record_id FROM ({self._sent_rows('TRUE')}) AS sent WHERE field = '' AND record_id IS NOT NULL "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY record_id ORDER BY plan_id DESC, sent_at DESC) = 1 "
            f"AND value IS NULL AND {condition}"
        )

    def _held(self, item: Mapped, row: str, sent: str = "") -> str:
        """The value that a row of the log has for a field, or what was sent since where `sent` names that relation."""
        column = item.field.column
        there = column in self.mirror.columns
        mirrored = self._mirrored(item, row) if there else normalised("NULL", item.field)
        if not sent:
            return mirrored
        name = item.field.name
        newer = from_text(f"{sent}.{self.quote('v_' + name)}", item.field)
        return f"CASE WHEN {sent}.{self.quote('h_' + name)} THEN {newer} ELSE {mirrored} END"

    def _mirrored(self, item: Mapped, row: str) -> str:
        """A field of a row of the log; a lookup with the table that it leads to, where that was imported beside it."""
        column, held = f"{row}.{self.quote(item.field.column)}", self.mirror.columns[item.field.column]
        table = f"{item.field.name}_table"
        if table in self.schema.companions.get(item.field.name, ()) and table in self.mirror.columns:
            column, held = f"COALESCE({row}.{self.quote(table)} || ':', '') || {column}", ""
        return normalised(column, item.field, held=held)

    def records(self) -> str:
        """SQL of the object's records with what was sent since: first column the id, the columns of the log."""
        identity = self.quote(self.schema.id_field)
        by_column = {item.field.column: item for item in self.mapped}
        columns = [f"COALESCE(r.{identity}, s.record_id) AS {identity}"]
        for name in self.mirror.columns:
            if name == self.schema.id_field:
                continue
            held = f"r.{self.quote(name)}"
            if name in by_column:
                field = by_column[name].field
                sent = f"s.{self.quote('v_' + field.name)}"
                held = f"CASE WHEN s.{self.quote('h_' + field.name)} THEN {sent} ELSE CAST({held} AS VARCHAR) END"
            columns.append(f"{held} AS {self.quote(name)}")
        return (
            f"SELECT {', '.join(columns)} FROM ({self.mirror.sql}) AS r FULL JOIN "
            f"({self._sent(self._since_the_mirror())}) AS s ON r.{identity} = s.record_id"
        )

    def _version(self, row: str) -> str:
        """The record's version as imported, where the step asks that it be unchanged; none of what was sent since."""
        if not (self.step.options.if_unchanged and self.schema.version_field):
            return "CAST(NULL AS VARCHAR)"
        seen = f"CAST({row}.{self.quote(self.schema.version_field)} AS VARCHAR)"
        # What was written since the import has a version that nobody here has seen.
        return f"CASE WHEN s.record_id IS NULL THEN {seen} END" if self.history.overlaid else seen

    def _looking_back(self) -> list[str]:
        parts = []
        if self.history.agreed_at is not None:
            parts += self._agreed()
        if self.history.sent:
            parts.append(f"sends AS ({self._sends()})")
        if self.dated:
            parts.append(f"turned AS ({self._turned()})")
        if self.history.decided:
            parts.append(f"decisions AS ({self._decisions()})")
        if self.history.gone and self.creates and self.matches and not self.by_id:
            parts.append(f"graves AS ({self._graves()})")
        return parts

    def _agreed(self) -> list[str]:
        """What both sides last agreed on: what records that the CRM changed since held after our last plan."""
        identity, log = self.quote(self.schema.id_field), self.mirror.log
        agreed_at = instant(self.history.agreed_at)
        stamp = f"{self.mirror.cursor} DESC NULLS LAST, " if self.mirror.cursor else ""
        recent = f"SELECT DISTINCT {identity} AS id FROM {log} WHERE _backhaul_seen_at > {agreed_at}"
        prior = (
            f"SELECT * FROM {log} WHERE {identity} IN (SELECT id FROM recent) AND _backhaul_seen_at <= {agreed_at} "
            f"QUALIFY ROW_NUMBER() OVER (PARTITION BY {identity} ORDER BY {stamp}_backhaul_seen_at DESC) = 1 "
            "AND NOT _backhaul_deleted"
        )
        then = f"sent_at >= {agreed_at} AND plan_id <= {text(self.history.last_plan)}"
        columns = [f"COALESCE(r.{identity}, s.record_id) AS id"]
        columns += [f"{self._held(item, 'r', 's')} AS b_{i}" for i, item in enumerate(self.mapped)]
        agreed = f"SELECT {', '.join(columns)} FROM prior AS r LEFT JOIN sent_then AS s ON s.record_id = r.{identity}"
        return [
            f"recent AS ({recent})",
            f"prior AS ({prior})",
            f"sent_then AS ({self._sent(then)})",
            f"agreed AS ({agreed})",
        ]

    def _sends(self) -> str:
        """The last two values that this step sent to a field, with what the field had held, one row a record."""
        columns = ["record_id AS id"]
        for i, item in enumerate(self.mapped):
            this = f"field = {text(item.field.name)}"
            columns += [
                f"{from_text(f'MAX(CASE WHEN {this} AND _place = 1 THEN value END)', item.field)} AS l_{i}",
                f"BOOL_OR({this} AND _place = 1) AS lh_{i}",
                f"MAX(CASE WHEN {this} AND _place = 1 THEN sent_at END) AS la_{i}",
                f"BOOL_OR({this} AND _place = 1 AND before IS DISTINCT FROM old) AS lr_{i}",
            ]
        return f"""
    SELECT {", ".join(columns)} FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY record_id, field ORDER BY plan_id DESC, sent_at DESC) AS _place,
               CASE WHEN COUNT(*) OVER (PARTITION BY record_id, field) = 1 THEN old
                    ELSE LAG(value) OVER (PARTITION BY record_id, field ORDER BY plan_id, sent_at) END AS before
        FROM ({self._sent_rows(f"step = {text(self.step.name)} AND field <> ''")}) AS sent
        WHERE record_id IN (SELECT _id FROM differing WHERE {self._any("d")})
    ) AS latest WHERE _place = 1 GROUP BY record_id"""

    @property
    def dated(self) -> list[int]:
        """The places of the fields of which the log tells when the CRM last changed them, as it is asked."""
        asked = [i for i, item in enumerate(self.mapped) if item.owner == "newest" and item.changed_at]
        return [i for i in asked if self.mirror.cursor and self.mapped[i].field.column in self.mirror.columns]

    def _turned(self) -> str:
        """Per record when a field got the value that it has: the stamp of the first version that shows it."""
        identity, stamp = self.quote(self.schema.id_field), f"v.{self.mirror.cursor}"
        order = f"PARTITION BY v.{identity} ORDER BY {stamp}, v._backhaul_seen_at"
        places = [(i, f"v.{self.quote(self.mapped[i].field.column)}") for i in self.dated]
        flags = [
            f"{value} IS DISTINCT FROM LAG({value}) OVER ({order}) OR ROW_NUMBER() OVER ({order}) = 1 AS turns_{i}"
            for i, value in places
        ]
        last = [f"MAX(stamp) FILTER (WHERE turns_{i}) AS c_{i}" for i, _ in places]
        return (
            f"SELECT id, {', '.join(last)} FROM (SELECT v.{identity} AS id, {stamp} AS stamp, {', '.join(flags)} "
            f"FROM {self.mirror.log} AS v WHERE NOT v._backhaul_deleted AND v.{identity} IN "
            f"(SELECT _id FROM differing WHERE {self._any('d', self.dated)})) AS versions GROUP BY id"
        )

    def _decisions(self) -> str:
        """What stands about a field of a row: an open conflict, or what a person decided and about which values."""
        columns = ["key"]
        for i, item in enumerate(self.mapped):
            this = f"field = {text(item.field.name)}"
            about = f"COALESCE(model_value, '') || {PARTED} || COALESCE(crm_value, '')"
            waits = "state = 'open'"
            columns += [
                f"BOOL_OR({this} AND {waits} AND kind = 'conflict') AS open_{i}",
                f"MAX(COALESCE(crm_value, '')) FILTER (WHERE {this} AND {waits} AND kind = 'rewritten') AS rw_{i}",
                f"ARG_MAX(take || {PARTED} || {about}, last_at) FILTER (WHERE {this} AND NOT {waits}) AS take_{i}",
            ]
        return (
            f"SELECT {', '.join(columns)} FROM {self.ledger.table('conflicts')} WHERE step = {text(self.step.name)} "
            "AND state IN ('open', 'resolved') GROUP BY key"
        )

    def _graves(self) -> str:
        """The keys that deleted records had when they were last seen, but for those that we deleted ourselves."""
        identity, log = self.quote(self.schema.id_field), self.mirror.log
        stamp = f"{self.mirror.cursor} DESC NULLS LAST, " if self.mirror.cursor else ""
        order = f"PARTITION BY {identity} ORDER BY {stamp}_backhaul_seen_at DESC"
        gone = f"SELECT * FROM {log} QUALIFY ROW_NUMBER() OVER ({order}) = 1 AND _backhaul_deleted"
        keys = self._match_of([self.comparable(self._held(key, "r"), key) for key in self.keys])
        ours = self._gone_by_us()
        return (
            f"SELECT {keys} AS _match, MIN(r.{identity}) AS id FROM (SELECT * FROM {log} WHERE NOT _backhaul_deleted "
            f"QUALIFY ROW_NUMBER() OVER ({order}) = 1) AS r JOIN ({gone}) AS gone ON gone.{identity} = r.{identity} "
            f"WHERE gone._backhaul_survivor IS NULL AND r.{identity} NOT IN ({ours}) GROUP BY 1"
        )

    def _merged(self) -> list[str]:
        """The last survivor of every merged record, and the consents that its row of the model passes on."""
        identity, log = self.quote(self.schema.id_field), self.mirror.log
        newest = (
            f"SELECT {identity} AS id, _backhaul_survivor AS survivor FROM {log} WHERE _backhaul_deleted "
            f"AND _backhaul_survivor IS NOT NULL QUALIFY ROW_NUMBER() OVER (PARTITION BY {identity} "
            "ORDER BY _backhaul_seen_at DESC) = 1"
        )
        chain = (
            "SELECT id, survivor, 1 AS depth FROM losers UNION ALL SELECT chain.id, losers.survivor, depth + 1 "
            "FROM chain JOIN losers ON losers.id = chain.survivor WHERE depth < 20"
        )
        last = "SELECT id, ARG_MAX(survivor, depth) AS survivor FROM chain GROUP BY id"
        flags = [i for i, item in enumerate(self.mapped) if item.only_tighten]
        passed = ", ".join(f"BOOL_OR(n_{i}) AS n_{i}" for i in flags) or "TRUE AS nothing"
        consents = (
            f"SELECT s.survivor, {passed} FROM model JOIN survivors AS s ON s.id = model._match GROUP BY s.survivor"
        )
        return [f"losers AS ({newest})", f"chain AS ({chain})", f"survivors AS ({last})", f"passed_on AS ({consents})"]

    def _opted_out_at(self, item: Mapped) -> str:
        """When a record's flag was last set, as the log tells: the first version of its newest run of set ones."""
        identity, column = self.quote(self.schema.id_field), self.quote(item.field.column)
        stamp = f"v.{self.mirror.cursor or '_backhaul_seen_at'}"
        earlier = f"w.{self.mirror.cursor or '_backhaul_seen_at'}"
        of = f"FROM {self.mirror.log} AS"
        return (
            f"(SELECT MIN({stamp}) {of} v WHERE v.{identity} = joined._id AND v.{column} AND NOT v._backhaul_deleted "
            f"AND NOT EXISTS (SELECT 1 {of} w WHERE w.{identity} = v.{identity} AND NOT w.{column} "
            f"AND NOT w._backhaul_deleted AND {earlier} > {stamp}))"
        )

    def _any(self, prefix: str, fields: Sequence[int] | None = None) -> str:
        chosen_fields = range(len(self.mapped)) if fields is None else fields
        return " OR ".join(f"{prefix}_{i}" for i in chosen_fields) or "FALSE"

    def _key(self) -> str:
        if not self.keys:
            return "_named" if self.identify else "_fingerprint"
        if self.by_id:
            return "k_0"
        return " || '|' || ".join(f"k_{i}" for i in range(len(self.keys)))


def ever_sent(warehouse: Warehouse, ledger: Ledger, schema: ObjectSchema) -> FieldMap:
    """The fields of an object that were ever written, by any step: what the overlay of its mirror is made of."""
    names = warehouse.rows(
        f"SELECT DISTINCT field FROM {ledger.table('field_changes')} WHERE account = {text(schema.account)} "
        f"AND object = {text(schema.name)} AND field <> '' ORDER BY 1"
    )
    return FieldMap(
        (), tuple(Mapped(schema.fields[row["field"]], "") for row in names if row["field"] in schema.fields)
    )


def since(freshness: datetime | None) -> str:
    """SQL: what was written after the mirror was read. A delete counts for longer: what changed since brings no word
    of a record that is gone, so it is over only when the record is seen again."""
    return f"(field = '' OR sent_at >= {instant(freshness)})" if freshness else "TRUE"


def instant(stamp: datetime | None) -> str:
    """SQL of an instant."""
    return f"CAST({text(stamp.isoformat() if stamp else '')} AS TIMESTAMP WITH TIME ZONE)"
