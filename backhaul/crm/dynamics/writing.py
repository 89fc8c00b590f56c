"""Changes into requests, and which road they take: many rows by set messages, few or special ones by $batch.

The parts::

    bodies   values as JSON, lookups bound
    options  what is told beside the values
    rows     one request a row, in $batch: an answer for each
    sets     set messages: fast, all or none, halved when refused
    erasing  bulk delete jobs

An upsert by key of many rows first asks which keys are there. Those that are become updates, which bring nothing back
that was deleted meanwhile; the others go by UpsertMultiple to fresh ids chosen here, so that sending twice makes one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence

from backhaul.crm import PartlyWritten
from backhaul.crm.dynamics import odata, options
from backhaul.crm.dynamics.batch import MOST_PARTS, Part
from backhaul.crm.dynamics.bodies import INVALID_VALUE, Binder, RowRefused, json_object, members
from backhaul.crm.dynamics.erasing import JOB_ROWS, Eraser
from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.rows import NO_ANSWER, Call, Prepared, RowSender, matched, rejected
from backhaul.crm.dynamics.service import HEADERS, Service, error_of
from backhaul.crm.dynamics.sets import SetSender
from backhaul.errors import ConfigurationError, CRMError, SignInError
from backhaul.record import Change, Kind, Operation, Outcome, Scalar

MINTED = uuid.UUID("6b1d3a5e-4f0c-5d0b-9c57-3f0c8f2f8a11")
"""The name space of the ids that creates carry."""

MISSING_VALUE = "REQUIRED_FIELD_MISSING"
"""Our own symbol for a create without a column that the environment calls business required. Dataverse leaves that
rule to its forms and would take the row; whoever made the rule did not mean to be passed by."""
AMBIGUOUS_KEY = "AMBIGUOUS_KEY"

Fetch = Callable[[str, Sequence[str], Sequence[str]], list[dict[str, Scalar]]]
"""(column, values, columns) -> the records that have one of the values."""

_LISTED = frozenset({Kind.TEXT, Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL})
"""Kinds of key columns that records can be looked up by in one request."""


def minted_id(account: str, object: str, key: str, scope: str = "") -> str:
    """The id that a create of `key` carries: the same for the same words, always.

    `scope` tells apart keys that are only unique within something, such as the plan they stand in.
    """
    return str(uuid.uuid5(MINTED, "\x1f".join((account, object, scope, key))))


class Writer:
    """Writes to one table. One instance serves one call of :meth:`write` or many, of several threads."""

    def __init__(self, service: Service, table: Table, bind: Binder, fetch: Fetch) -> None:
        self._service = service
        self._table = table
        self._bind = bind
        self._fetch = fetch
        self._rows = RowSender(service, table)
        self._sets = SetSender(service, table, self._rows, self._existing)
        self.eraser = Eraser(service, table, self._rows, self._existing)

    def write(self, operation: Operation, changes: Sequence[Change], given: Mapping[str, object]) -> list[Outcome]:
        """Send `changes`; an outcome for each, in their order. Options: see :mod:`backhaul.crm.dynamics.options`.

        Raises OutcomeInDoubt when no reply came to any sending, PartlyWritten when the service stayed away half-way:
        the rows without an outcome may be sent again.
        """
        most = JOB_ROWS if operation is Operation.DELETE else MOST_PARTS
        if len(changes) > most:
            raise ConfigurationError(f"a call takes {most:,} changes at most, not {len(changes):,}")
        if len({change.key for change in changes}) != len(changes):
            raise ConfigurationError("two changes of one call have the same key")
        call = Call(operation, options.read(given), set())
        if call.options.repeated:
            call.sent |= {change.key for change in changes}
        by_sets = not call.options.by_rows and self._sets.takes(operation, len(changes))
        found = self._resolved(operation, changes, by_sets=by_sets)
        prepared: dict[str, Prepared] = {}
        for change in changes:
            try:
                known = found.get(change.key)
                if isinstance(known, RowRefused):
                    raise known
                prepared[change.key] = self._prepared(call, change, known)
            except RowRefused as error:
                call.outcomes[change.key] = rejected(change.key, error.symbol, error.message, error.fields)
        refused = len(call.outcomes)
        try:
            self._deliver(call, list(prepared.values()), by_sets=by_sets)
        except (CRMError, SignInError) as error:
            if len(call.outcomes) == refused:
                raise
            # What is settled is known; the rest is left to the next run instead of losing that.
            told = [call.outcomes[change.key] for change in changes if change.key in call.outcomes]
            raise PartlyWritten(error.message, told, hint=error.hint) from error
        return [call.outcomes[change.key] for change in changes]

    def _deliver(self, call: Call, prepared: Sequence[Prepared], *, by_sets: bool) -> None:
        if not by_sets:
            jobs = len(prepared) > MOST_PARTS and not call.options.headers
            by_job = [one for one in prepared if one.change.version is None] if jobs else []
            if by_job:
                self.eraser.send(call, by_job)
            self._rows.send(call, [one for one in prepared if one.change.key not in call.outcomes])
            return
        single = [one for one in prepared if one.target is None]
        for operation in (Operation.UPDATE, call.operation):
            chosen = [one for one in prepared if one.target is not None and _message(call, one) is operation]
            if chosen:
                self._sets.send(call, operation, chosen)
                prepared = [one for one in prepared if one.change.key not in call.outcomes]
        self._rows.send(call, single)

    # Preparing

    def _prepared(self, call: Call, change: Change, known: str | None) -> Prepared:
        """The request of `change`; `known` is the record that its key was found to name ("": none; None: not asked)."""
        entity_set, id_field = self._table.entity_set, self._table.schema.id_field
        if call.operation is Operation.DELETE:
            identifier = self._id(change)
            return Prepared(
                change, "DELETE", f"{entity_set}({identifier})", self._unless_stale(change, None), record_id=identifier
            )
        if call.operation is Operation.UPDATE:
            identifier = self._id(change)
            values = members(self._table, _without(change.values, {id_field: None}), self._bind)
            return Prepared(
                change,
                "PATCH",
                f"{entity_set}({identifier})",
                self._unless_stale(change, "*"),
                json_object(values),
                None if change.version else self._target({id_field: json.dumps(identifier), **values}),
                identifier,
                creates=False,
            )
        if call.operation is Operation.CREATE:
            schema = self._table.schema
            named = self._id(change) if change.record_id else ""
            minted = named or minted_id(schema.account, schema.name, change.key, call.options.id_scope)
            return self._create(change, minted)
        return self._upsert(change, known)

    def _create(self, change: Change, minted: str) -> Prepared:
        schema = self._table.schema
        values = {schema.id_field: minted, **change.values, **change.match}
        identifier = values[schema.id_field] = _guid(values[schema.id_field], schema.id_field)
        missing = [
            name for name, field in schema.fields.items() if field.required_on_create and not _given(values, name)
        ]
        if missing:
            raise RowRefused(MISSING_VALUE, f"required, but empty: {', '.join(missing)}", tuple(missing))
        content = members(self._table, values, self._bind)
        return Prepared(
            change,
            "POST",
            self._table.entity_set,
            {},
            json_object(content),
            self._target(content),
            identifier,
            ours=identifier == minted,
            creates=True,
        )

    def _upsert(self, change: Change, known: str | None) -> Prepared:
        schema, entity_set = self._table.schema, self._table.entity_set
        match = change.match or {schema.id_field: change.record_id}
        by_id = set(match) == {schema.id_field}
        values = members(self._table, _without(change.values, match), self._bind)
        # The row comes back with its id, and the status tells whether it was made: 201 or 200 (§5.1).
        headers, answer = {"Prefer": "return=representation"}, f"?$select={schema.id_field}"
        if by_id:
            path = f"{entity_set}({_guid(match[schema.id_field], schema.id_field)})"
            return Prepared(change, "PATCH", path + answer, headers, json_object(values))
        unsafe = _holds_unsafe(match)
        # The key itself keeps a second record from being made, now and later: any id will do, as long as it stays.
        fresh = str(uuid.uuid4())
        if unsafe and not known:
            return self._create(change, fresh)
        if unsafe:
            path, headers, answer = f"{entity_set}({known})", {"If-Match": "*"}, ""
        else:
            fields = {name: (odata.field_of(schema, name), value) for name, value in match.items()}
            try:
                path = odata.key_path(entity_set, fields)
            except odata.NotExpressible as error:
                raise RowRefused(INVALID_VALUE, str(error), tuple(match)) from None
        one = Prepared(change, "PATCH", path + answer, headers, json_object(values))
        if known is None:
            return one
        if known:
            target = self._target({schema.id_field: json.dumps(known), **values})
            return Prepared(change, one.method, one.path, headers, one.content, target, known, creates=False)
        target = self._target(
            {"@odata.id": json.dumps(f"{entity_set}({fresh})"), **values, **members(self._table, match, self._bind)}
        )
        return Prepared(change, one.method, one.path, headers, one.content, target, fresh, ours=True, creates=True)

    def _target(self, content: Mapping[str, str]) -> bytes:
        kind = json.dumps(f"Microsoft.Dynamics.CRM.{self._table.schema.name}")
        return json_object({"@odata.type": kind, **content})

    def _unless_stale(self, change: Change, otherwise: str | None) -> dict[str, str]:
        """`If-Match` with the version that the change was planned from (§5.1)."""
        if change.version is None:
            return {"If-Match": otherwise} if otherwise else {}
        if not self._table.versioned:
            raise ConfigurationError(
                f"{self._table.schema.name} keeps no versions that a write could be held against",
                hint="take if_unchanged out of the options, or have optimistic concurrency enabled for the table",
            )
        return {"If-Match": f'W/"{change.version}"'}

    def _id(self, change: Change) -> str:
        return _guid(change.record_id, self._table.schema.id_field)

    # Looking up

    def _existing(self, ids: Sequence[str]) -> set[str]:
        id_field = self._table.schema.id_field
        return {str(row[id_field]).lower() for row in self._fetch(id_field, ids, ())}

    def _resolved(
        self, operation: Operation, changes: Sequence[Change], *, by_sets: bool
    ) -> Mapping[str, str | RowRefused]:
        """For upserts: the record that a key names, or "" if there is none.

        Asked where the answer decides the request: of all keys for set messages, else of those that a URL cannot hold.
        """
        if operation is not Operation.UPSERT:
            return {}
        columns = {name for change in changes for name in change.match}
        column = next(iter(columns), "")
        field = self._table.schema.fields.get(column)
        if by_sets and len(columns) == 1 and field is not None and field.kind in _LISTED and field.wire == "":
            return self._looked_up(column, changes)
        return self._asked_one_by_one([change for change in changes if _holds_unsafe(change.match)])

    def _looked_up(self, column: str, changes: Sequence[Change]) -> dict[str, str | RowRefused]:
        """The records of keys of one column, asked for many at a time."""
        numeric = self._table.schema.fields[column].kind is not Kind.TEXT
        wanted = {change.key: value for change in changes if (value := change.match.get(column)) is not None}
        found: dict[str, list[str]] = {}
        for row in self._fetch(column, list(map(odata.text_of, wanted.values())), (column,)):
            found.setdefault(_comparable(row[column], numeric), []).append(str(row[self._table.schema.id_field]))
        result: dict[str, str | RowRefused] = {}
        for key, value in wanted.items():
            ids = found.get(_comparable(value, numeric), [])
            result[key] = ids[0] if len(ids) == 1 else _ambiguous(len(ids)) if ids else ""
        return result

    def _asked_one_by_one(self, changes: Sequence[Change]) -> dict[str, str | RowRefused]:
        """The same by a filter each, for keys that no URL can hold (§5.2)."""
        schema = self._table.schema
        parts: list[Part] = []
        keys: list[str] = []
        for change in changes:
            try:
                filters = [
                    f"{(field := odata.field_of(schema, name)).on_wire} eq {odata.literal(field, value)}"
                    for name, value in change.match.items()
                ]
            except odata.NotExpressible:
                continue  # refused with its reason when the request is built
            path = odata.query(self._table.entity_set, odata.Query([schema.id_field], " and ".join(filters)))
            parts.append(Part(str(len(parts) + 1), "GET", self._service.root + path, HEADERS))
            keys.append(change.key)
        if not parts:
            return {}
        _, answers = self._service.batch(parts, f"look up {schema.name}", repeatable=True)
        answered = matched(parts, answers)
        result: dict[str, str | RowRefused] = {}
        for part, key in zip(parts, keys, strict=True):
            answer = answered.get(part.content_id)
            if answer is None or answer.status >= 300:
                code, message = error_of(answer.json()) if answer else (NO_ANSWER, "the key could not be looked up")
                result[key] = RowRefused(code, message)
                continue
            rows = (answer.json() or {}).get("value") or []
            result[key] = str(rows[0][schema.id_field]) if len(rows) == 1 else _ambiguous(len(rows)) if rows else ""
        return result


def _message(call: Call, one: Prepared) -> Operation:
    """Which message takes a row: an upsert of what is there is an update."""
    return Operation.UPDATE if call.operation is Operation.UPSERT and one.creates is False else call.operation


def _ambiguous(records: int) -> RowRefused:
    return RowRefused(AMBIGUOUS_KEY, f"{records} records have this key")


def _holds_unsafe(match: Mapping[str, Scalar]) -> bool:
    text = "".join(value for value in match.values() if isinstance(value, str))
    return None not in match.values() and bool(odata.UNSAFE_IN_KEY.intersection(text))


def _comparable(value: Scalar, numeric: bool) -> str:
    """A key's value in the form in which the database's and ours are equal: case and trailing blanks do not count.

    What the database may take for equal beyond that (é and e, ß and ss) counts as different here: the record is then
    not found, and its creation meets the key, which is answered row by row; the other way a stranger would be written.
    """
    if numeric:
        try:
            return odata.number_text(odata.number_of(value).normalize())
        except odata.NotExpressible:
            return ""
    return odata.text_of(value).rstrip().lower()


def _guid(value: Scalar, name: str) -> str:
    if value is None:
        raise RowRefused(INVALID_VALUE, f"{name}: the change has no record id", (name,))
    try:
        return odata.guid_of(value)
    except odata.NotExpressible as error:
        raise RowRefused(INVALID_VALUE, f"{name}: {error}", (name,)) from None


def _given(values: Mapping[str, Scalar], name: str) -> bool:
    return values.get(name) not in (None, "")


def _without(values: Mapping[str, Scalar], match: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """`values` without the key's own columns: the URL says them, and a repetition is refused or ignored (§5.2)."""
    return {name: value for name, value in values.items() if name not in match}
