"""Changes into one $batch, its answers into outcomes.

Every request that is built here may be sent twice: an update and an upsert set values, a delete of what is gone is
done, and a create carries an id minted from the change's key, so that its repetition meets the record that the first
one made (dataverse-api.md §5.1, §7.2). That is why a lost reply is answered by sending again.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from backhaul.crm.dynamics import metadata, odata
from backhaul.crm.dynamics.batch import MOST_PARTS, Answer, Part
from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.service import HEADERS, Service, error_of, is_passing
from backhaul.crm.http import retry_after
from backhaul.errors import ConfigurationError, CRMError, OutcomeInDoubt, SignInError
from backhaul.record import Change, Field, Kind, Operation, Outcome, Scalar, State

MINTED = uuid.UUID("6b1d3a5e-4f0c-5d0b-9c57-3f0c8f2f8a11")
"""The name space of the ids that creates carry."""

INVALID_VALUE = "INVALID_VALUE"
"""Our own symbol for a value that no request can carry; the row is not sent."""
MISSING_VALUE = "REQUIRED_FIELD_MISSING"
"""Our own symbol for a create without a column that the environment calls business required. Dataverse leaves that
rule to its forms and would take the row; whoever made the rule did not mean to be passed by."""
AMBIGUOUS_KEY = "AMBIGUOUS_KEY"
NO_ANSWER = "NO_ANSWER"

_GONE = "0x80040217"
_EXISTS = "0x80040237"
_NAMED_FIELD = re.compile(r"(?:the|The) (?:length of the )?'(\w+)' attribute|The value \S+ of '(\w+)'|property '(\w+)'")
_RECORD = re.compile(r"\(([0-9a-fA-F-]{36})\)\s*$")

Binder = Callable[[Field, Scalar], tuple[str, str]]
"""Gives the property and the JSON text by which a lookup is set."""


def minted_id(account: str, object: str, key: str, scope: str = "") -> str:
    """The id that a create of `key` carries: the same for the same words, always.

    `scope` tells apart keys that are only unique within something, such as the plan they stand in.
    """
    return str(uuid.uuid5(MINTED, "\x1f".join((account, object, scope, key))))


class RowRefused(ValueError):
    """A change that cannot be sent as it is: (symbol, message, fields)."""

    def __init__(self, symbol: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.symbol, self.message, self.fields = symbol, message, fields


# --- bodies ---------------------------------------------------------------------------------------------------------


def json_value(field: Field, value: Scalar) -> str:
    """`value` as the JSON text that the field's kind asks for; None is null. Raises NotExpressible.

    Text rather than an object: the standard library would write a Decimal as a float.
    """
    if value is None:
        return "null"
    if field.kind is Kind.BOOLEAN:
        return "true" if odata.boolean_of(value) else "false"
    if field.kind in (Kind.INTEGER, Kind.BIGINT):
        return str(odata.integer_of(value))
    if field.kind in (Kind.DECIMAL, Kind.DOUBLE):
        return odata.number_text(odata.number_of(value))
    if field.kind is Kind.DATE:
        return json.dumps(odata.date_of(value).isoformat())
    if field.kind is Kind.DATETIME:
        return json.dumps(odata.instant_text(odata.instant_of(value)))
    if field.kind is Kind.ID:
        return json.dumps(odata.guid_of(value))
    return json.dumps(odata.text_of(value), ensure_ascii=False)


def body(table: Table, values: Mapping[str, Scalar], bind: Binder) -> bytes:
    """The JSON object that sets `values`. Raises RowRefused for a value, ConfigurationError for an unknown field."""
    members = {}
    for name, value in values.items():
        field = odata.field_of(table.schema, name)
        try:
            if field.vendor_type in metadata.LOOKUPS:
                property_name, text = bind(field, value)
            else:
                property_name, text = name, json_value(field, value)
        except odata.NotExpressible as error:
            raise RowRefused(INVALID_VALUE, f"{name}: {error}", (name,)) from None
        members[property_name] = text
    return ("{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()) + "}").encode()


class LookupBinder:
    """Sets lookups by `navigation@odata.bind`: which navigation property and which entity set, from the metadata.

    A value is `table:GUID`; a bare id will do where the lookup has one target, and for an owner, where it is a user.
    Asked for only when a lookup is written (§2.4).
    """

    def __init__(self, service: Service, table: Table, entity_sets: Callable[[], Mapping[str, str]]) -> None:
        self._service = service
        self._table = table
        self._entity_sets = entity_sets
        self._navigation: dict[tuple[str, str], str] | None = None

    def __call__(self, field: Field, value: Scalar) -> tuple[str, str]:
        """The property and the JSON text of it. Raises NotExpressible."""
        if value is None:
            # Any of the navigation properties of the lookup empties it.
            target = field.references[0] if field.references else ""
            return f"{self._property(field, target)}@odata.bind", "null"
        target, _, identifier = str(value).rpartition(":")
        target = (target or self._only_target(field, value)).lower()
        if field.references and target not in field.references:
            raise odata.NotExpressible(f"'{target}' is none of its tables ({', '.join(field.references)})")
        entity_set = self._entity_sets().get(target)
        if entity_set is None:
            raise odata.NotExpressible(f"the environment has no table '{target}'")
        reference = f"/{entity_set}({odata.guid_of(identifier)})"
        return f"{self._property(field, target)}@odata.bind", json.dumps(reference)

    def _only_target(self, field: Field, value: Scalar) -> str:
        if len(field.references) == 1:
            return field.references[0]
        if field.vendor_type == "Owner":
            return "systemuser"
        raise odata.NotExpressible(
            f"{value!r} does not say its table; write table:id with one of {', '.join(field.references)}"
        )

    def _property(self, field: Field, target: str) -> str:
        if self._navigation is None:
            self._navigation = {}
            name = self._table.schema.name
            for entry in self._service.values(metadata.relationships_path(name), f"describe {name}"):
                pair = (entry["ReferencingAttribute"], entry["ReferencedEntity"])
                self._navigation[pair] = entry["ReferencingEntityNavigationPropertyName"]
        found = self._navigation.get((field.name, target))
        if found:
            return found
        if field.vendor_type == "Owner":
            return field.name
        # What the platform calls it by rule, for relationships that this user may not see.
        if len(field.references) > 1:
            return f"{field.name}_{target}"
        return self._table.schema_names.get(field.name) or field.name if "_" in field.name else field.name


# --- the call -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change as a request. `minted` is the id that a create carries; `creates` is None where an upsert decides."""

    change: Change
    part: Part
    minted: str | None = None
    creates: bool | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """What one sending of a batch came to: final outcomes, changes to send again, and the wait asked for."""

    settled: Mapping[str, Outcome]
    refused_for_now: set[str]
    wait: float | None


class Writer:
    """Writes to one table. One instance serves one call of :meth:`write` or many."""

    def __init__(self, service: Service, table: Table, bind: Binder) -> None:
        self._service = service
        self._table = table
        self._bind = bind

    def write(self, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]) -> list[Outcome]:
        """Send `changes` as one $batch; an outcome for each, in their order.

        Options: `id_scope` (text, see :func:`minted_id`), `repeated` (true: this batch may have been sent before by
        somebody whose answer was lost, so that "already exists" means done). Raises TransientError when the service
        stays away and OutcomeInDoubt when no reply came to any sending: all may be sent again, with `repeated`.
        """
        if len(changes) > MOST_PARTS:
            raise ConfigurationError(f"a $batch takes {MOST_PARTS:,} changes at most, not {len(changes):,}")
        if len({change.key for change in changes}) != len(changes):
            raise ConfigurationError("two changes of one call have the same key")
        scope = str(options.get("id_scope") or "")
        found = self._resolved(operation, changes)
        outcomes: dict[str, Outcome] = {}
        prepared: dict[str, Prepared] = {}
        for number, change in enumerate(changes, start=1):
            try:
                refusal = found.get(change.key)
                if isinstance(refusal, RowRefused):
                    raise refusal
                prepared[change.key] = self._prepared(str(number), operation, change, scope, refusal)
            except RowRefused as error:
                outcomes[change.key] = _rejected(change.key, error.symbol, error.message, error.fields)
        outcomes.update(self._sent(operation, prepared, repeated=bool(options.get("repeated"))))
        return [outcomes[change.key] for change in changes]

    # Preparing

    def _prepared(self, number: str, operation: Operation, change: Change, scope: str, known: str | None) -> Prepared:
        """The request of `change`; `known` is what was found for a key that no URL can hold ("": nothing)."""
        entity_set = self._service.root + self._table.entity_set
        if operation is Operation.DELETE:
            return Prepared(change, Part(number, "DELETE", f"{entity_set}({self._id(change)})", HEADERS))
        if operation is Operation.UPDATE or known:
            identifier = known or self._id(change)
            content = body(self._table, _without(change.values, change.match if known else {}), self._bind)
            headers = {**HEADERS, "If-Match": "*"}
            return Prepared(
                change, Part(number, "PATCH", f"{entity_set}({identifier})", headers, content), known or None, False
            )
        if operation is Operation.CREATE or known == "":
            key = change.key if operation is Operation.CREATE else _key_text(change)
            schema = self._table.schema
            identifier = minted_id(schema.account, schema.name, key, scope if operation is Operation.CREATE else "")
            values = {schema.id_field: identifier, **change.values, **change.match}
            identifier = _guid(values[schema.id_field], schema.id_field)
            missing = [
                name for name, field in schema.fields.items() if field.required_on_create and not _given(values, name)
            ]
            if missing:
                raise RowRefused(MISSING_VALUE, f"required, but empty: {', '.join(missing)}", tuple(missing))
            content = body(self._table, values, self._bind)
            return Prepared(change, Part(number, "POST", entity_set, HEADERS, content), identifier, True)
        return self._upsert(number, change)

    def _upsert(self, number: str, change: Change) -> Prepared:
        schema = self._table.schema
        root = self._service.root
        # The row comes back with its id, and the status tells whether it was made: 201 or 200 (§5.1).
        headers = {**HEADERS, "Prefer": "return=representation"}
        answer = f"?$select={schema.id_field}"
        match = change.match or {schema.id_field: change.record_id}
        if set(match) == {schema.id_field}:
            path = f"{self._table.entity_set}({_guid(match[schema.id_field], schema.id_field)})"
        else:
            fields = {name: (odata.field_of(schema, name), value) for name, value in match.items()}
            try:
                path = odata.key_path(self._table.entity_set, fields)
            except odata.NotExpressible as error:
                raise RowRefused(INVALID_VALUE, str(error), tuple(match)) from None
        content = body(self._table, _without(change.values, match), self._bind)
        return Prepared(change, Part(number, "PATCH", root + path + answer, headers, content))

    def _id(self, change: Change) -> str:
        return _guid(change.record_id, self._table.schema.id_field)

    def _resolved(self, operation: Operation, changes: Sequence[Change]) -> dict[str, str | RowRefused]:
        """For upserts by a key value that a URL cannot hold (§5.2): the record's id, or "" if there is none."""
        if operation is not Operation.UPSERT:
            return {}
        schema = self._table.schema
        parts: list[Part] = []
        keys: list[str] = []
        for change in changes:
            text = "".join(value for value in change.match.values() if isinstance(value, str))
            if None in change.match.values() or not odata.UNSAFE_IN_KEY.intersection(text):
                continue
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
        result: dict[str, str | RowRefused] = {}
        for number, key in enumerate(keys):
            answer = _matched(parts, answers).get(parts[number].content_id)
            if answer is None or answer.status >= 300:
                code, message = error_of(answer.json()) if answer else (NO_ANSWER, "the key could not be looked up")
                result[key] = RowRefused(code, message)
                continue
            rows = (answer.json() or {}).get("value") or []
            if len(rows) > 1:
                result[key] = RowRefused(AMBIGUOUS_KEY, f"{len(rows)} records have this key")
            else:
                result[key] = str(rows[0][schema.id_field]) if rows else ""
        return result

    # Sending

    def _sent(self, operation: Operation, prepared: Mapping[str, Prepared], *, repeated: bool) -> dict[str, Outcome]:
        """Send until each change has an answer that stands, or patience ends."""
        policy = self._service.http.policy
        outcomes: dict[str, Outcome] = {}
        pending = dict(prepared)
        sent = set(prepared) if repeated else set()
        tried = 0
        while pending:
            tried += 1
            try:
                round_ = self._round(operation, pending, sent, last=tried >= policy.attempts)
            except OutcomeInDoubt as error:
                sent |= set(pending)
                if tried < policy.attempts:
                    policy.sleep(policy.wait(tried))
                    continue
                if not outcomes:
                    raise
                outcomes.update({key: _in_doubt(key, error.message) for key in pending})
                return outcomes
            except (CRMError, SignInError) as error:
                if not outcomes and not sent:
                    raise
                # Some of the call is settled: the rest is told apart instead of losing what is known.
                outcomes.update({key: _unsent(key, error, in_doubt=key in sent) for key in pending})
                return outcomes
            outcomes.update(round_.settled)
            pending = {key: one for key, one in pending.items() if key not in round_.settled}
            sent |= round_.refused_for_now
            if pending:
                policy.sleep(policy.wait(tried, round_.wait))
        return outcomes

    def _round(self, operation: Operation, pending: Mapping[str, Prepared], sent: set[str], *, last: bool) -> Round:
        """Send what is pending once. On the `last` round whatever comes is final."""
        patience = self._service.http.policy.longest_patience
        parts = [one.part for one in pending.values()]
        status, answers = self._service.batch(parts, self._purpose(operation), repeatable=False)
        matched = _matched(parts, answers)
        settled: dict[str, Outcome] = {}
        refused: set[str] = set()
        wait: float | None = None
        for key, one in pending.items():
            answer = matched.get(one.part.content_id)
            if answer is None:
                # With 400 the service stopped at a refusal before this one, which it never looked at.
                if status != 400 or last:
                    settled[key] = _in_doubt(key, "the reply holds no answer for this record")
                continue
            asked = retry_after({"Retry-After": answer.headers.get("retry-after", "")}, self._service.http.server_time)
            if _passes(answer) and not last and (asked or 0.0) <= patience:
                refused.add(key)
                wait = asked if wait is None else max(wait, asked or 0.0)
                continue
            settled[key] = self._outcome(operation, one, answer, repeated=key in sent)
        return Round(settled, refused, wait)

    def _purpose(self, operation: Operation) -> str:
        return f"{operation.value} {self._table.schema.name}"

    def _outcome(self, operation: Operation, one: Prepared, answer: Answer, *, repeated: bool) -> Outcome:
        change = one.change
        identifier = one.minted or change.record_id or self._id_in(answer)
        if answer.status < 300:
            created = one.creates if one.creates is not None else _created(operation, answer)
            return Outcome(change.key, State.DONE, identifier.lower() if identifier else None, created)
        code, message = error_of(answer.json())
        if operation is Operation.DELETE and code.lower() == _GONE:
            return Outcome(change.key, State.DONE, identifier, created=None)
        if one.creates and code.lower() == _EXISTS and repeated:
            return Outcome(change.key, State.DONE, identifier, created=True)
        named = _NAMED_FIELD.search(message)
        field = next((group for group in named.groups() if group), "") if named else ""
        return replace(
            _rejected(change.key, code or f"HTTP_{answer.status}", message or "no reason given"),
            record_id=change.record_id,
            fields=(field,) if field in self._table.schema.fields else (),
        )

    def _id_in(self, answer: Answer) -> str | None:
        row = answer.json()
        if isinstance(row, dict) and row.get(self._table.schema.id_field):
            return str(row[self._table.schema.id_field])
        found = _RECORD.search(answer.headers.get("odata-entityid") or answer.headers.get("location") or "")
        return found[1] if found else None


def _guid(value: Scalar, name: str) -> str:
    if value is None:
        raise RowRefused(INVALID_VALUE, f"{name}: the change has no record id", (name,))
    try:
        return odata.guid_of(value)
    except odata.NotExpressible as error:
        raise RowRefused(INVALID_VALUE, f"{name}: {error}", (name,)) from None


def _given(values: Mapping[str, Scalar], name: str) -> bool:
    return values.get(name) not in (None, "")


def _key_text(change: Change) -> str:
    """A key's values as the name that an upsert's minted id is made of; case does not tell records apart."""
    return json.dumps({name: str(value).casefold() for name, value in sorted(change.match.items())})


def _without(values: Mapping[str, Scalar], match: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """`values` without the key's own columns: the URL says them, and a repetition is refused or ignored (§5.2)."""
    return {name: value for name, value in values.items() if name not in match}


def _matched(parts: Sequence[Part], answers: Sequence[Answer]) -> dict[str, Answer]:
    """Answers by the id of their request: as repeated by the server, else by the order, which the API keeps (§5.4)."""
    named = {answer.content_id: answer for answer in answers if answer.content_id is not None}
    if len(named) == len(answers) and set(named) <= {part.content_id for part in parts}:
        return {str(name): answer for name, answer in named.items()}
    return {part.content_id: answer for part, answer in zip(parts, answers, strict=False)}


def _passes(answer: Answer) -> bool:
    code, message = error_of(answer.json())
    return answer.status in (429, 502, 503, 504) or is_passing(code, message)


def _created(operation: Operation, answer: Answer) -> bool | None:
    if operation is not Operation.UPSERT:
        return None
    return {201: True, 200: False}.get(answer.status)


def _rejected(key: str, symbol: str, message: str, fields: tuple[str, ...] = ()) -> Outcome:
    return Outcome(
        key, State.REJECTED, symbol=symbol, message=message, fields=fields, passing=is_passing(symbol, message)
    )


def _in_doubt(key: str, message: str) -> Outcome:
    return Outcome(key, State.IN_DOUBT, symbol=NO_ANSWER, message=message)


def _unsent(key: str, error: CRMError | SignInError, *, in_doubt: bool) -> Outcome:
    if in_doubt:
        return _in_doubt(key, error.message)
    symbol = error.symbol if isinstance(error, CRMError) else ""
    return replace(_rejected(key, symbol or NO_ANSWER, f"not sent: {error.message}"), passing=True)
