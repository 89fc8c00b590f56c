"""The one statement of a plan: the export model on one side, what the CRM holds on the other, a decision a row.

What the CRM holds is the mirror (as last imported), overlaid with what was sent since and has not come back yet. Beside
it, where there is a history: what both sides last agreed on, what was sent and came back changed, which records were
merged or deleted, and what a person decided about a conflict. It costs no API call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from backhaul.export import checks
from backhaul.export.checks import text
from backhaul.export.looking_back import PARTED, UNDO, LookingBack, instant
from backhaul.export.mapping import Mapped
from backhaul.export.named import BY_KEY, looked_up, why_by_key
from backhaul.export.values import as_text, chosen, normalised
from backhaul.record import Kind

UNCHANGED, NOTHING = "unchanged", "nothing to change"
"""Symbol and reason of the rows that have nothing to write."""


class Comparison(LookingBack):
    """Builds the statement. `columns` beside those of a plan: ``w_0``... (is written) and ``_nulls`` (are emptied)."""

    def doubles(self) -> str:
        """The SELECT (column `_match`) of the keys that the model holds more than once."""
        if self.identify:
            key = f"NULLIF(TRIM(CAST(m.{self.quote(self.identify)} AS VARCHAR)), '')"
        else:
            key = self._match_of([self.comparable(self._given(item), item) for item in self.keys])
        return (
            f"SELECT _match FROM (SELECT {key} AS _match FROM {self.source.model} AS m) AS keys "
            "WHERE _match IS NOT NULL GROUP BY 1 HAVING COUNT(*) > 1"
        )

    def at_rest(self, doubles: str) -> str:
        """The SELECT (column `id`) of records that hold what the model wants, to the letter; '' where it cannot tell.

        Most rows of most plans are of this kind. To find them first, by one join that casts nothing, leaves little for
        the statement that knows all about keys, values and history. `doubles` is the table of :meth:`doubles`.
        """
        if not (self.by_id and self.mode in ("update", "upsert", "mirror")):
            return ""
        (key,) = self.keys
        given, identity = self._given(key), self.quote(self.schema.id_field)
        if self.source.columns.get(key.column) != "VARCHAR":
            return ""
        same = [f"({self._same(item)})" for item in self.mapped]
        left = [f"{self.comparable(given, key)} NOT IN (SELECT _match FROM {doubles})"]
        if self.history.overlaid:
            sent = self._sent_rows(self._since_the_mirror())
            left.append(f"{given} NOT IN (SELECT record_id FROM ({sent}) AS sent WHERE record_id IS NOT NULL)")
        if self.history.merged:
            survivors = f"SELECT _backhaul_survivor FROM {self.mirror.log} WHERE _backhaul_survivor IS NOT NULL"
            left.append(f"{given} NOT IN ({survivors})")
        return (
            f"SELECT {given} AS id FROM {self.source.model} AS m JOIN ({self.mirror.sql}) AS r "
            f"ON r.{identity} = {given} WHERE {' AND '.join([*same, *left])}"
        )

    def _same(self, item: Mapped) -> str:
        """The condition that nothing is to be written to a field, whoever owns it."""
        name = item.field.column
        plain = self.source.columns.get(item.column) == self.mirror.columns.get(name, "-") and not (
            self.schema.companions.get(item.field.name)
        )
        if plain:
            model, crm = self._given(item), f"r.{self.quote(name)}"
        else:
            model, crm = self._value(item), self._held(item, "r")
        if item.only_tighten:
            same = f"({model} IS NOT TRUE OR {crm} IS TRUE)"
            if item.changed_at:
                same = f"({model} IS TRUE) = ({crm} IS TRUE)"
            # An opt-out in words that are none of the field's is refused by the statement, not passed over.
            return same if plain else f"{same} AND NOT ({checks.not_convertible(item, self._given(item), model)})"
        equal = f"{model} IS NOT DISTINCT FROM {crm}"
        if not plain:
            # A value that cannot be converted is null, and equal to nothing.
            equal = f"{equal} AND ({self._given(item)} IS NULL OR {model} IS NOT NULL)"
        return equal if item.clear else f"{self._given(item)} IS NULL OR ({equal})"

    def statement(self, doubles: str, at_rest: str, *, retry: bool) -> str:
        """The SELECT whose rows are the plan, in no order, without row numbers and without the rows that are at rest.

        `doubles` and `at_rest` are the tables made of the two SELECTs above ('' for none).
        """
        self._resting = at_rest
        parts = [f"model AS MATERIALIZED ({self._model()})"]
        if self.history.merged and self.by_id:
            parts += self._merged()
        parts.append(f"doubles AS (SELECT _match FROM {doubles})")
        if self.history.overlaid:
            parts.append(f"sent AS ({self._sent(self._since_the_mirror())})")
        parts.append(f"current_records AS {'MATERIALIZED ' if not self.by_id else ''}({self._current()})")
        if self.matches and not self.by_id:
            twins = "SELECT _match, MIN(_id) AS _id FROM current_records WHERE _match IS NOT NULL GROUP BY _match"
            parts.append(f"twins AS ({twins} HAVING COUNT(*) > 1)")
        parts.append(f"joined AS ({self._joined()})")
        parts.append(f"differing AS ({self._differing()})")
        parts += self._looking_back()
        parts.append(f"weighed AS ({self._weighed()})")
        parts.append(f"told AS ({self._told()})")
        parts.append(f"known AS ({self._known()})")
        parts.append(f"decided AS ({self._decided(retry)})")
        statement = "WITH RECURSIVE " + ",\n".join(parts) + "\n" + self._rows()
        return statement + (f"\nUNION ALL\n{self._leavers()}" if self.mode == "mirror" else "")

    # ---- the model's side ----

    def _given(self, item: Mapped) -> str:
        return f"m.{self.quote(item.column)}"

    def _value(self, item: Mapped) -> str:
        given, held = self._given(item), self.source.columns.get(item.column, "")
        plain = item.convert == "copy" or held == "BOOLEAN"
        meant = given if plain else chosen(given, item.field)
        value = normalised(
            meant,
            item.field,
            convert=item.convert,
            time_zone=self.source.time_zone,
            held=held if meant == given else "",
        )
        named = item.field.name in self.history.named
        return looked_up(self.history.names, text(item.field.name), value) if named else value

    def _model(self) -> str:
        parts = [
            f"{self._match_of([self.comparable(self._given(key), key) for key in self.keys])} AS _match",
            *(f"NULLIF(TRIM(CAST({self._given(key)} AS VARCHAR)), '') AS k_{i}" for i, key in enumerate(self.keys)),
            *(f"{self._value(item)} AS n_{i}" for i, item in enumerate(self.mapped)),
            *(
                f"TRY_CAST(m.{self.quote(item.changed_at)} AS TIMESTAMP WITH TIME ZONE) AS t_{i}"
                for i, item in enumerate(self.mapped)
                if item.changed_at
            ),
        ]
        if self.identify:
            parts.append(f"NULLIF(TRIM(CAST(m.{self.quote(self.identify)} AS VARCHAR)), '') AS _named")
        broken = [
            f"WHEN {checks.not_convertible(item, self._given(item), self._value(item))} THEN "
            f"{text(item.column)} || ' = ' || LEFT(CAST({self._given(item)} AS VARCHAR), 60) || ' does not fit ' "
            f"|| {text(f'{item.field.name} ({item.field.vendor_type})')}"
            for item in self.mapped
            if not _always_fits(item, self.source.columns.get(item.column, ""))
        ]
        parts.append(f"CASE {' '.join(broken)} END AS _broken" if broken else "CAST(NULL AS VARCHAR) AS _broken")
        rest = ""
        if self._resting:
            given = self._given(self.keys[0])
            rest = f" WHERE {given} IS NULL OR {given} NOT IN (SELECT id FROM {self._resting})"
        return f"SELECT {', '.join(parts)} FROM {self.source.model} AS m{rest}"

    def _current(self) -> str:
        identity = self.quote(self.schema.id_field)
        overlay = "s" if self.history.overlaid else ""
        record = f"COALESCE(r.{identity}, s.record_id)" if overlay else f"r.{identity}"
        keys = [
            self.comparable(record if key.field.name == self.schema.id_field else self._held(key, "r", overlay), key)
            for key in self.keys
        ]
        archived = [Mapped(one, "") for one, _ in self.archive]
        columns = [
            f"{record} AS _id",
            f"{self._match_of(keys)} AS _match",
            f"{f'r.{self.mirror.cursor}' if self.mirror.cursor else 'NULL'} AS _stamp",
            f"{self._version('r')} AS _version",
            *(f"{self._held(item, 'r', overlay)} AS o_{i}" for i, item in enumerate(self.mapped)),
            *(f"{self._held(item, 'r', overlay)} AS z_{i}" for i, item in enumerate(archived)),
        ]
        sql = f"SELECT {', '.join(columns)} FROM ({self.mirror.sql}) AS r"
        conditions = []
        if overlay:
            sql += f" FULL JOIN sent AS s ON r.{identity} = s.record_id"
            conditions = [
                "(s.deleted_at IS NULL OR COALESCE(r._backhaul_seen_at > s.deleted_at, FALSE))",
                f"(r.{identity} IS NOT NULL OR COALESCE(s.created, FALSE))",
            ]
        if self.by_id and self.mode != "mirror":
            # Only of these are values cast and compared.
            wanted = "SELECT _match FROM model WHERE _match IS NOT NULL"
            if self.history.merged:
                wanted += " UNION SELECT survivor FROM survivors"
            conditions.append(f"{record} IN ({wanted})")
        return sql + (f" WHERE {' AND '.join(conditions)}" if conditions else "")

    def _joined(self) -> str:
        merged = self.history.merged and self.by_id
        # What is to be deleted is the record that is named: nobody has said so of the one that it was merged into.
        follows = merged and self.mode != "delete"
        match = "COALESCE(own.survivor, model._match)" if follows else "model._match"
        plain = ["_match", "_broken", *(["_named"] if self.identify else [])]
        plain += [f"k_{i}" for i in range(len(self.keys))]
        plain += [f"t_{i}" for i, item in enumerate(self.mapped) if item.changed_at]
        columns = [f"model.{name}" for name in plain]
        for i, item in enumerate(self.mapped):
            # Consent survives a merge: the strictest of the merged records' rows holds.
            passed = (
                f"model.n_{i} OR COALESCE(passed_on.n_{i}, FALSE)" if merged and item.only_tighten else f"model.n_{i}"
            )
            columns.append(f"{passed} AS n_{i}")
            columns.append(f"record.o_{i}")
        identity = "model._named" if self.identify else "model._match"
        columns += [
            "record._id",
            "record._stamp",
            "record._version",
            "doubles._match IS NOT NULL AS _double",
            f"{'twins._id IS NOT NULL' if self.matches and not self.by_id else 'FALSE'} AS _twin",
        ]
        sql = f"FROM model LEFT JOIN doubles ON doubles._match = {identity}"
        if merged:
            rank = f"ROW_NUMBER() OVER (PARTITION BY {match} ORDER BY own.survivor IS NOT NULL, model._match)"
            columns.append(f"CASE WHEN own.survivor IS NOT NULL THEN own.survivor END AS _survivor, {rank} AS _turn")
            sql += " LEFT JOIN survivors AS own ON own.id = model._match"
            sql += f" LEFT JOIN passed_on ON passed_on.survivor = {match}"
        else:
            columns.append("CAST(NULL AS VARCHAR) AS _survivor, 1 AS _turn")
        if self.matches and not self.by_id:
            sql += f" LEFT JOIN twins ON twins._match = {match}"
            sql += f" LEFT JOIN current_records AS record ON record._match = {match}"
            sql += " AND (twins._id IS NULL OR record._id = twins._id)"
        else:
            sql += f" LEFT JOIN current_records AS record ON record._match = {match}"
        return f"SELECT {', '.join(columns)} {sql}"

    def _differing(self) -> str:
        """Per field whether the model wants something else than the CRM holds, before anybody's say in it."""
        flags = []
        for i, item in enumerate(self.mapped):
            if item.only_tighten:
                # A consent flag may be set; back it goes only by a consent that is newer than the opt-out.
                differs = f"(n_{i} IS TRUE AND o_{i} IS NOT TRUE)"
                if item.changed_at:
                    differs = (
                        f"({differs} OR (n_{i} IS FALSE AND o_{i} IS TRUE AND t_{i} > {self._opted_out_at(item)}))"
                    )
            elif item.clear:
                differs = f"n_{i} IS DISTINCT FROM o_{i}"
            else:
                differs = f"(n_{i} IS NOT NULL AND n_{i} IS DISTINCT FROM o_{i})"
            # What a new record lacks is left out rather than written as null; it has nothing to be cleared.
            flags.append(f"CASE WHEN _id IS NULL THEN n_{i} IS NOT NULL ELSE {differs} END AS d_{i}")
        return f"SELECT *{''.join(', ' + flag for flag in flags)} FROM joined"

    # ---- who has the say ----

    def _weighed(self) -> str:
        """Per field: written (`w`), parked as rewritten (`p`), in conflict (`x`), and rewritten once (`e`)."""
        columns, joins = ["differing.*"], ""
        if self.history.agreed_at is not None:
            joins += " LEFT JOIN agreed ON agreed.id = differing._id"
        if self.history.sent:
            joins += " LEFT JOIN sends ON sends.id = differing._id"
        if self.dated:
            joins += " LEFT JOIN turned ON turned.id = differing._id"
        if self.history.decided:
            joins += f" LEFT JOIN decisions ON decisions.key = {self._key()}"
        if self.history.gone and self.creates and self.matches and not self.by_id:
            joins += " LEFT JOIN graves ON graves._match = differing._match"
            columns.append("graves.id AS _grave")
        else:
            columns.append("CAST(NULL AS VARCHAR) AS _grave")
        for i, item in enumerate(self.mapped):
            columns += self._say(i, item)
        return f"SELECT {', '.join(columns)} FROM differing{joins}"

    def _say(self, i: int, item: Mapped) -> list[str]:
        known = "_id IS NOT NULL"
        if item.only_tighten:
            return [f"d_{i} AS w_{i}", f"FALSE AS p_{i}", f"FALSE AS x_{i}", f"FALSE AS e_{i}"]
        rewritten = twice = "FALSE"
        if self.history.sent:
            # The CRM's answer to what we sent has no later stamp than our own writing; a person's change has.
            stamp = f"(_stamp IS NULL OR _stamp <= la_{i} + INTERVAL 1 SECOND)"
            rewritten = f"COALESCE({known} AND lh_{i} AND o_{i} IS DISTINCT FROM l_{i} AND {stamp}, FALSE)"
            twice = f"({rewritten} AND COALESCE(lr_{i}, FALSE))"
        if self.history.decided:
            # It stays parked while the CRM holds what it had made of our value, whoever touched the record since.
            twice = f"({twice} OR COALESCE(rw_{i} = COALESCE({as_text(f'o_{i}', item.field)}, ''), FALSE))"
        parked = f"({known} AND d_{i} AND {twice})"
        conflict = "FALSE"
        if item.owner == "" and self.matches:
            both = []
            if self.history.agreed_at is not None:
                both.append(
                    f"(agreed.id IS NOT NULL AND o_{i} IS DISTINCT FROM b_{i} AND n_{i} IS DISTINCT FROM b_{i} "
                    f"AND NOT {rewritten})"
                )
            if self.history.decided:
                both.append(f"COALESCE(open_{i}, FALSE)")
            if both:
                conflict = f"(d_{i} AND {known} AND NOT {parked} AND ({' OR '.join(both)}))"
        owners = {
            "crm": "_id IS NULL",
            "fill_empty": f"o_{i} IS NULL",
            "newest": self._is_newest(i, item),
        }
        say = owners.get(item.owner, "TRUE")
        if self.history.decided:
            model, held = (f"COALESCE({as_text(f'{side}_{i}', item.field)}, '')" for side in "no")
            about = f"{model} || {PARTED} || {held}"
            campaign, crm = (
                f"COALESCE(take_{i} = '{word}' || {PARTED} || {about}, FALSE)" for word in ("campaign", "crm")
            )
            conflict = f"({conflict} AND NOT {campaign} AND NOT {crm})"
            parked = f"({parked} AND NOT {campaign})"
            say = f"(({say} OR {campaign}) AND NOT {crm})"
        return [
            f"(d_{i} AND {say} AND NOT {parked} AND NOT {conflict}) AS w_{i}",
            f"({parked} AND {say}) AS p_{i}",
            f"{conflict} AS x_{i}",
            f"{rewritten} AS e_{i}",
        ]

    def _is_newest(self, i: int, item: Mapped) -> str:
        """Whether the model's value is later than the CRM's own.

        The CRM's is as old as the field's last change that the log shows: what was written to other fields since, by us
        or by anybody, makes it no younger. A value that we sent ourselves is none of the CRM's own.
        """
        if not item.changed_at:
            return "TRUE"
        held = "_stamp" if i not in self.dated else f"COALESCE(turned.c_{i}, _stamp)"
        own = ""
        if self.history.sent:
            since = f"COALESCE({held} > la_{i} + INTERVAL 1 SECOND, FALSE)"
            own = f" OR COALESCE(lh_{i} AND o_{i} IS NOT DISTINCT FROM l_{i} AND NOT {since}, FALSE)"
        return f"(_id IS NULL OR COALESCE(t_{i} > {held}, FALSE){own})"

    # ---- what is to be done ----

    def _entry(self, i: int, item: Mapped) -> str:
        old, new = (_as_json(as_text(f"{side}_{i}", item.field)) for side in "on")
        name = text('{"field":' + _json(item.field.name) + ',"old":')
        return f"{name} || {old} || ',\"new\":' || {new} || '}}'"

    def _list(self, flags: str, only: Sequence[int]) -> str:
        entries = [f"CASE WHEN {flags}_{i} THEN {self._entry(i, self.mapped[i])} END" for i in only]
        return f"'[' || CONCAT_WS(',', {', '.join(entries)}) || ']'" if entries else "'[]'"

    def _print(self, only: Sequence[int]) -> str:
        """What a row would write, as one text: equal texts mean that nothing about the row has changed."""
        parts = [
            f"CASE WHEN w_{i} THEN {text(item.field.name + '=')} || "
            f"COALESCE({as_text(f'n_{i}', item.field)}, CHR(0)) END"
            for i, item in enumerate(self.mapped)
            if i in only
        ]
        written = f"CONCAT_WS({PARTED}, {', '.join(parts)})" if parts else "''"
        return f"MD5(COALESCE(_match, '') || CHR(30) || {written})"

    def _told(self) -> str:
        """Rows with their texts; those of rows that write nothing are not made."""
        every = list(range(len(self.mapped)))
        flags = [i for i in every if self.mapped[i].only_tighten]
        rest = [i for i in every if i not in flags]
        any_write = f"({self._any('w')})"
        only_consents = f"({self._any('w', flags)}) AND NOT ({self._any('w', rest)})"
        columns = [
            "*",
            f"{any_write} AS _writes",
            f"({self._any('x')}) AS _conflict",
            f"({self._any('p')}) AS _parked",
            f"CASE WHEN {any_write} THEN {self._print(every)} ELSE MD5(COALESCE(_match, '')) END AS _fingerprint",
            f"CASE WHEN ({self._any('w', flags)}) AND ({self._any('w', rest)}) THEN {self._print(rest)} END AS _rest",
            f"(_id IS NOT NULL AND ({self._any('w', flags)})) AS _consents",
            f"{only_consents} AS _only_consents",
            f"CASE WHEN ({any_write} OR _id IS NULL) AND _broken IS NULL THEN {self._findings()} END AS _finding",
        ]
        return f"SELECT {', '.join(columns)} FROM weighed"

    def _findings(self) -> str:
        """The first thing that is wrong with what a row would write; null when nothing is."""
        references = {}
        if self.source.others:
            table = self.ledger.table("field_changes")
            references = checks.references_of(self.schema, self.mapped, self.source.others, table)
        cases = []
        for i, item in enumerate(self.mapped):
            for condition, found in checks.value_checks(item, f"n_{i}", references):
                cases.append(f"WHEN w_{i} AND n_{i} IS NOT NULL AND {condition} THEN {found}")
            for creating in (True, False):
                for found in checks.null_checks(item, creating):
                    new = "_id IS NULL AND " if creating else f"_id IS NOT NULL AND w_{i} AND "
                    cases.append(f"WHEN {new}n_{i} IS NULL THEN {found}")
        return f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS STRUCT(symbol VARCHAR, reason VARCHAR))"

    def _row_key(self) -> str:
        if self.by_id and self.creates:
            return "CASE WHEN _match IS NULL THEN 'new-' || _fingerprint ELSE k_0 END"
        return self._key()

    def _match_json(self) -> str:
        """Key field -> value for the rows that are matched by an external id or alternate key."""
        if not self.keys or self.by_id:
            return "'{}'"
        pairs = ", ".join(f"{text(key.field.name)}: k_{i}" for i, key in enumerate(self.keys))
        return f"CAST(TO_JSON({{{pairs}}}) AS VARCHAR)"

    def _known(self) -> str:
        """What the ledger says of a key: written before, in doubt, or refused and with which values."""
        step = text(self.step.name)
        retry = self.step.rejects.retry
        waited = datetime.now(UTC) - retry.wait
        # Only of rows that nothing in the CRM can be matched with is it asked whether they were written before.
        answered = (
            f"""SELECT key, state, NULL AS fingerprint, symbol, FALSE AS due FROM {self.ledger.table("outcomes")}
        WHERE step = {step} AND state IN ('done', 'in_doubt'){self._not_undone()}
        UNION ALL
        """
            if self.unmatched
            else ""
        )
        return f"""
    SELECT key, BOOL_OR(state = 'done') AS done, BOOL_OR(state = 'in_doubt') AS in_doubt,
           MAX(CASE WHEN state = 'rejected' THEN fingerprint END) AS rejected,
           MAX(CASE WHEN state = 'rejected' THEN symbol END) AS rejected_symbol, BOOL_OR(due) AS due
    FROM (
        {answered}SELECT key, 'rejected' AS state, fingerprint, error_symbol AS symbol,
               passing AND attempts < {retry.attempts} AND last_at <= {instant(waited)} AS due
        FROM {self.ledger.table("rejects")}
        WHERE step = {step} AND state = 'open' AND refused_by = 'crm'
    ) AS said GROUP BY key"""

    def _not_undone(self) -> str:
        """The condition that a record was not taken back by an undo since: then its row may be created again.

        An undo that was itself undone has brought the record back, under its id or another.
        """
        newest = f"COALESCE((SELECT heir FROM ({self._heirs()}) AS heirs WHERE original = record_id), record_id)"
        gone = self._gone_by_us(f"STARTS_WITH(step, {text(UNDO)})")
        # What may have been made anew goes by its old id as the key.
        perhaps = (
            f"SELECT key FROM {self.ledger.table('outcomes')} WHERE STARTS_WITH(step, {text(UNDO)}) "
            "AND operation = 'create' AND state = 'in_doubt'"
        )
        return f"""
          AND NOT COALESCE({newest} IN ({gone}) AND {newest} NOT IN ({perhaps}), FALSE)"""

    def _decided(self, retry: bool) -> str:
        return f"""
    SELECT told.*, _row_key, {self._decision(retry)} AS _decision
    FROM (
        SELECT told.*, {self._row_key()} AS _row_key
               {", COUNT(*) OVER (PARTITION BY " + self._row_key() + ") AS _key_copies" if self._unnamed else ""}
        FROM told
    ) AS told
    LEFT JOIN known ON known.key = told._row_key"""

    @property
    def _unnamed(self) -> bool:
        """Whether some rows have nothing but their values to be named by."""
        return not self.identify and (not self.keys or (self.by_id and self.creates))

    @property
    def unmatched(self) -> bool:
        """Whether there are rows that no record can be matched with: that they were created, only the ledger tells."""
        return self._unnamed or bool(self.identify)

    def _decision(self, retry: bool) -> str:
        cases = [
            f"WHEN {condition} THEN {{'action': '{action}', 'symbol': {symbol}, 'reason': {reason}}}"
            for condition, action, symbol, reason in self._cases(retry)
        ]
        return f"CASE {' '.join(cases)} END"

    def _cases(self, retry: bool) -> list[tuple[str, str, str, str]]:
        """(condition, action, symbol, reason), the first that holds decides; symbol and reason are SQL."""
        name = self.schema.name

        def case(condition: str, action: str, symbol: str = "", reason: str = "") -> tuple[str, str, str, str]:
            return condition, action, text(symbol), text(reason)

        cases: list[tuple[str, str, str, str]] = []
        if self.keys:
            columns = ", ".join(key.column for key in self.keys)
            if not (self.by_id and self.creates):
                cases.append(case("_match IS NULL", "refuse", checks.KEY_NULL, f"the key column {columns} is null"))
            several = f"the model holds this key ({columns}) more than once, letter case and spaces apart"
            cases.append(case("_double", "refuse", checks.KEY_DUPLICATE, several))
            ambiguous = f"the key matches more than one {name} record"
            cases.append(case("_twin", "refuse", checks.KEY_AMBIGUOUS, ambiguous))
            merged = "'merged into ' || _survivor || ', which has a row of its own'"
            cases.append(("_survivor IS NOT NULL AND _turn > 1", "skip", text("merged"), merged))
        if self.identify:
            unnamed = f"the column {self.identify}, which identifies the row, is null"
            cases.append(case("_named IS NULL", "refuse", checks.KEY_NULL, unnamed))
            cases.append(
                case("_double", "refuse", checks.KEY_DUPLICATE, f"the model holds this {self.identify} more than once")
            )
        if self.mode == "delete":
            survivor = "'it was merged into ' || _survivor || ', which the model does not name'"
            cases.append(("_id IS NULL AND _survivor IS NOT NULL", "skip", text("merged"), survivor))
            cases.append(case("_id IS NULL", "skip", "gone", "the record is already gone"))
            cases.append((self._is_held(retry), "skip", text("held"), self._held_reason()))
            cases.append(case("TRUE", "delete"))
            return cases
        if self.mode == "update":
            missing = f"the mirror holds no live {name} record with this key"
            cases.append(case("_id IS NULL", "refuse", checks.RECORD_NOT_FOUND, missing))
        if self.mode == "insert":
            cases.append(case("_id IS NOT NULL", "skip", "exists", "a record with this key exists"))
        if self.unmatched:
            # Nothing but its values names such a row, so two equal ones cannot be told apart, nor created once.
            if self._unnamed:
                equal = "the model holds this row more than once"
                cases.append(case("_id IS NULL AND _key_copies > 1", "refuse", checks.KEY_DUPLICATE, equal))
            cases.append(case("_id IS NULL AND known.done", "skip", "created before", "this row was created before"))
            doubt = "this row was sent and never answered: look it up in the CRM, then backhaul doubts settle"
            cases.append(case("_id IS NULL AND known.in_doubt", "skip", "in doubt", doubt))
        dead = "'the record with this key, ' || _grave || ', was deleted in the CRM'"
        cases.append(("_id IS NULL AND _grave IS NOT NULL", "skip", text("deleted"), dead))
        cases.append(("_broken IS NOT NULL", "refuse", text(checks.VALUE_NOT_CONVERTIBLE), "_broken"))
        both = f"'CRM and model both changed ' || {self._names('x')} || ' since they last agreed'"
        cases.append(("_conflict", "skip", text("conflict"), both))
        twice = f"'the CRM made something else of ' || {self._names('p')} || ', twice'"
        cases.append(("_id IS NOT NULL AND NOT _writes AND _parked", "skip", text("rewritten"), twice))
        cases.append(case("_id IS NOT NULL AND NOT _writes", "skip", UNCHANGED, NOTHING))
        cases.append(("_finding IS NOT NULL AND NOT _only_consents", "refuse", "_finding.symbol", "_finding.reason"))
        cases.append((self._is_held(retry), "skip", text("held"), self._held_reason()))
        again = f"'the CRM had made something else of ' || NULLIF({self._names('e', 'w')}, '')"
        reasons = [again] if self.history.sent else []
        symbol = text("")
        by_key = self._by_key()
        if by_key:
            symbol = f"CASE WHEN {by_key} <> '' THEN {text(BY_KEY)} ELSE '' END"
        for condition, action, why in (
            ("_id IS NOT NULL", "update", [*reasons, *([f"NULLIF({by_key}, '')"] if by_key else [])]),
            ("TRUE", "create", [f"NULLIF({by_key}, '')"] if by_key else []),
        ):
            cases.append((condition, action, symbol, f"CONCAT_WS('; ', {', '.join(why)})" if why else text("")))
        return cases

    def _by_key(self) -> str:
        """SQL of why lookups that a row would write are written by a key; '' where the model names none so."""
        entries = [
            f"CASE WHEN w_{i} THEN {why_by_key(self.source, item.field, f'n_{i}')} END"
            for i, item in enumerate(self.mapped)
            if item.field.name in self.history.named
        ]
        return f"CONCAT_WS('; ', {', '.join(entries)})" if entries else ""

    def _names(self, *flags: str) -> str:
        """The names of the fields whose flags are all set, as SQL."""
        entries = [
            f"CASE WHEN {' AND '.join(f'{flag}_{i}' for flag in flags)} THEN {text(item.field.name)} END"
            for i, item in enumerate(self.mapped)
        ]
        return f"CONCAT_WS(', ', {', '.join(entries)})" if entries else "''"

    def _is_held(self, retry: bool) -> str:
        """A row that the CRM refused, with the same values as then, is not sent again by itself.

        Unless what stood in the way may have passed, and the step's `rejects.retry` lets it be tried once more.
        """
        return "FALSE" if retry else "known.rejected = _fingerprint AND NOT COALESCE(known.due, FALSE)"

    def _held_reason(self) -> str:
        return "'the CRM refused these values before (' || COALESCE(known.rejected_symbol, '') || ')'"

    def _rows(self) -> str:
        """The plan's rows. What cannot be written but for its consents is an update of these alone."""
        every = list(range(len(self.mapped)))
        flags = [i for i in every if self.mapped[i].only_tighten]
        blocked = (
            "(_decision.action = 'refuse' AND _decision.symbol IN ("
            + ", ".join(map(text, (checks.VALUE_NOT_CONVERTIBLE, *VALUE_SYMBOLS)))
            + ") OR _decision.symbol = 'conflict')"
        )
        partial = f"(_consents AND {blocked})" if flags else "FALSE"
        sends = "_decision.action IN ('create', 'update')"
        waits = self._waiting()
        columns = [
            "COALESCE(_row_key, 'no-key-' || LEFT(_fingerprint, 12)) AS key",
            f"CASE WHEN {partial} THEN 'update' ELSE _decision.action END AS action",
            "_id AS record_id",
            f"{self._match_json()} AS match",
            f"CASE WHEN {partial} THEN {self._list('w', flags)} WHEN {sends} THEN {self._list('w', every)} "
            "ELSE '[]' END AS changes",
            "_fingerprint AS fingerprint",
            "_rest AS rest",
            "_decision.symbol AS symbol",
            "_decision.reason AS reason",
            f"{partial} AS partial",
            f"CASE WHEN _parked OR _conflict THEN {waits} ELSE '[]' END AS parked",
            "_version AS version",
            *(
                f"(w_{i} AND {f'({sends} OR {partial})' if i in flags else f'({sends} AND NOT {partial})'}) AS w_{i}"
                for i in every
            ),
            f"CASE WHEN {sends} AND _id IS NOT NULL THEN {self._emptied()} ELSE 0 END AS _nulls",
        ]
        return f"SELECT {', '.join(columns)} FROM decided"

    def _waiting(self) -> str:
        entries = []
        for i, item in enumerate(self.mapped):
            crm, model = (_as_json(as_text(f"{side}_{i}", item.field)) for side in "on")
            for flag, kind in (("x", "conflict"), ("p", "rewritten")):
                begin = text('{"field":' + _json(item.field.name) + f',"kind":"{kind}","crm":')
                entries.append(f"CASE WHEN {flag}_{i} THEN {begin} || {crm} || ',\"model\":' || {model} || '}}' END")
        return f"'[' || CONCAT_WS(',', {', '.join(entries)}) || ']'" if entries else "'[]'"

    def _emptied(self) -> str:
        counted = [
            f"CASE WHEN w_{i} AND n_{i} IS NULL AND o_{i} IS NOT NULL THEN 1 ELSE 0 END"
            for i, item in enumerate(self.mapped)
            if item.clear
        ]
        return " + ".join(counted) or "0"

    def _leavers(self) -> str:
        """Mirror mode: the live records that this step wrote and whose rows have left the model."""
        # What we deleted and an undo made anew is still ours, under its new id.
        ours = (
            "SELECT key, COALESCE(heirs.heir, record_id) AS record_id "
            f"FROM {self.ledger.table('outcomes')} AS outcomes "
            f"LEFT JOIN ({self._heirs()}) AS heirs ON heirs.original = outcomes.record_id "
            f"WHERE step = {text(self.step.name)} AND state = 'done' AND record_id IS NOT NULL "
            "AND operation IN ('create', 'update', 'upsert') "
            "QUALIFY ROW_NUMBER() OVER "
            "(PARTITION BY COALESCE(heirs.heir, record_id) ORDER BY outcomes.at DESC, outcomes.plan_id DESC) = 1"
        )
        entries, differs = [], []
        for i, (one, value) in enumerate(self.archive):
            wanted = normalised(text(value), one)
            differs.append(f"z_{i} IS DISTINCT FROM {wanted}")
            old, new = _as_json(as_text(f"z_{i}", one)), _as_json(as_text(wanted, one))
            begin = text('{"field":' + _json(one.name) + ',"old":')
            entries.append(
                f"CASE WHEN z_{i} IS DISTINCT FROM {wanted} THEN {begin} || {old} || ',\"new\":' || {new} || '}}' END"
            )
        left = text("its row left the model")
        if entries:
            action = f"CASE WHEN {' OR '.join(differs)} THEN 'update' ELSE 'skip' END"
            changes = f"'[' || CONCAT_WS(',', {', '.join(entries)}) || ']'"
            symbol = f"CASE WHEN {' OR '.join(differs)} THEN '' ELSE 'archived' END"
        else:
            action, changes, symbol = "'delete'", "'[]'", "''"
        columns = [
            "ours.key AS key",
            f"{action} AS action",
            "record._id AS record_id",
            "'{}' AS match",
            f"{changes} AS changes",
            f"MD5(ours.key || {changes}) AS fingerprint",
            "CAST(NULL AS VARCHAR) AS rest",
            f"{symbol} AS symbol",
            f"{left} AS reason",
            "FALSE AS partial",
            "'[]' AS parked",
            "record._version AS version",
            *(f"FALSE AS w_{i}" for i in range(len(self.mapped))),
            "0 AS _nulls",
        ]
        return (
            f"SELECT {', '.join(columns)} FROM ({ours}) AS ours JOIN current_records AS record "
            "ON record._id = ours.record_id WHERE record._id NOT IN (SELECT _id FROM joined WHERE _id IS NOT NULL) "
            f"{f'AND record._id NOT IN (SELECT id FROM {self._resting}) ' if self._resting else ''}"
            f"AND ours.key NOT IN (SELECT {self._key()} FROM model WHERE {self._key()} IS NOT NULL)"
        )


VALUE_SYMBOLS = (
    checks.VALUE_TOO_LONG,
    checks.NUMBER_TOO_LARGE,
    checks.NOT_A_CHOICE,
    checks.REQUIRED_MISSING,
    checks.REFERENCE_NOT_FOUND,
    checks.FIELD_NOT_WRITABLE,
)
"""What is wrong with a value, not with the row: such a row's consents are written all the same."""


def _as_json(value: str) -> str:
    """SQL of the JSON text of a value's text, null included."""
    return f"COALESCE(CAST(TO_JSON({value}) AS VARCHAR), 'null')"


def _json(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _always_fits(item: Mapped, held: str) -> bool:
    """Whether a column's type says that every value of it can be brought into the field's terms."""
    if item.field.kind in (Kind.TEXT, Kind.ID):
        return True
    return held == {Kind.BOOLEAN: "BOOLEAN", Kind.DATE: "DATE", Kind.DATETIME: "TIMESTAMP WITH TIME ZONE"}.get(
        item.field.kind, "-"
    )
