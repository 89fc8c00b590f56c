"""Writing few rows to Salesforce by sObject Collections, 200 a call, an outcome a row (salesforce-api.md §6.2, 6.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backhaul.crm.http import Http, Request
from backhaul.crm.salesforce.refusals import refused_row
from backhaul.crm.salesforce.values import Unsendable, same_id, sendable
from backhaul.errors import ConfigurationError, CRMError, Fault, OutcomeInDoubt, SignInError
from backhaul.record import Change, ObjectSchema, Operation, Outcome, Scalar, State

BATCH_ROWS = 200
ROW_ATTEMPTS = 4
"""How often a row refused in a passing way (a locked parent) is sent within one write."""

OPTIONS: dict[str, tuple[object, ...]] = {
    "assignment_rules": (True, False, "the 15 or 18 characters of a rule's id"),
    "duplicate_rules": ("enforce", "override"),
    "all_or_none": (True, False),
    "hard_delete": (True, False),
    "road": ("auto", "rest", "bulk"),
}
"""`assignment_rules` (default false: owners stay as they are; true: the active rule); `duplicate_rules: override` saves
in spite of alerts; `all_or_none`: one refused row refuses the whole call; `hard_delete`: past the recycle bin, by Bulk
only; `road` (default auto: by the number of rows)."""

_RULE_ID = re.compile(r"01Q[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")


@dataclass(frozen=True, slots=True)
class Style:
    """How a call is made: its headers, and whether one refused row refuses them all."""

    headers: Mapping[str, str]
    whole: bool = False


class Writer:
    """The write calls of one account. `data` is the path of the API version."""

    def __init__(self, http: Http, data: str) -> None:
        self._http = http
        self._data = data

    def write(
        self, schema: ObjectSchema, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        """One outcome a change, in their order; rows that were refused in a passing way are sent again a few times."""
        style = Style(option_headers(options), options.get("all_or_none") is True)
        if len(changes) > BATCH_ROWS or len({change.key for change in changes}) < len(changes):
            raise ValueError(f"a write takes at most {BATCH_ROWS} changes, each with a key of its own")
        settled: dict[str, Outcome] = {}
        waiting = list(changes)
        for attempt in range(1, ROW_ATTEMPTS + 1):
            self._send(schema, operation, waiting, style, settled)
            waiting = [
                change
                for change in waiting
                if settled[change.key].state is State.REJECTED and settled[change.key].passing
            ]
            if not waiting or attempt == ROW_ATTEMPTS:
                break
            self._http.policy.sleep(self._http.policy.wait(attempt))
        return [settled[change.key] for change in changes]

    def _send(
        self,
        schema: ObjectSchema,
        operation: Operation,
        changes: Sequence[Change],
        style: Style,
        settled: dict[str, Outcome],
    ) -> None:
        """One call (two for an upsert by two fields), its outcomes put into `settled`.

        Rows that no JSON can carry are refused here. A call that fails as a whole raises, unless an earlier one has
        answered: what that one did must not be lost with the exception.
        """
        sent: list[Change] = []
        records: list[dict[str, Any]] = []
        answered = bool(settled)
        for change in changes:
            try:
                records.append(_record(schema, operation, change))
                sent.append(change)
            except Unsendable as refused:
                settled[change.key] = Outcome(
                    change.key, State.REJECTED, change.record_id, symbol="INVALID_VALUE", message=str(refused)
                )
        for request, group in self._requests(schema, operation, sent, records, style):
            try:
                answers = self._answers(request, len(group))
            except (CRMError, SignInError) as failed:
                if not answered:
                    raise
                state = State.IN_DOUBT if isinstance(failed, OutcomeInDoubt) else State.REJECTED
                for change in group:
                    settled[change.key] = Outcome(
                        change.key,
                        state,
                        change.record_id,
                        symbol=getattr(failed, "symbol", "") or "REQUEST_FAILED",
                        message=failed.message,
                        passing=state is State.REJECTED,
                    )
                continue
            answered = True
            for change, answer in zip(group, answers, strict=True):
                settled[change.key] = _outcome(operation, change, answer)

    def _requests(
        self,
        schema: ObjectSchema,
        operation: Operation,
        changes: Sequence[Change],
        records: Sequence[dict[str, Any]],
        style: Style,
    ) -> list[tuple[Request, list[Change]]]:
        if not changes:
            return []
        collections = f"{self._data}/composite/sobjects"
        purpose = f"{operation.value} {len(changes)} {schema.name}"
        if operation is Operation.DELETE:
            ids = ",".join(str(change.record_id) for change in changes)
            url = f"{collections}?ids={ids}&allOrNone={'true' if style.whole else 'false'}"
            return [(Request("DELETE", url, purpose, headers=style.headers), list(changes))]
        if operation is not Operation.UPSERT:
            method = "POST" if operation is Operation.CREATE else "PATCH"
            repeatable = operation is Operation.UPDATE
            return [(_posting(method, collections, purpose, style, records, repeatable), list(changes))]
        groups: dict[str, tuple[list[Change], list[dict[str, Any]]]] = {}
        for change, record in zip(changes, records, strict=True):
            (name,) = change.match
            group = groups.setdefault(name, ([], []))
            group[0].append(change)
            group[1].append(record)
        return [
            # Upsert by a unique key: doing it twice equals doing it once.
            (_posting("PATCH", f"{collections}/{schema.name}/{name}", purpose, style, rows, True), members)
            for name, (members, rows) in groups.items()
        ]

    def _answers(self, request: Request, expected: int) -> list[dict[str, Any]]:
        """The call's answers, one a row in order: the API promises it, the count and the ids prove it."""
        try:
            body = self._http.send(request).json()
        except ValueError:
            body = None
        if not isinstance(body, list) or len(body) != expected:
            found = len(body) if isinstance(body, list) else "no list of"
            raise OutcomeInDoubt(
                f"{request.purpose}: account '{self._http.account}' gave {found} answers for {expected} rows",
                hint="run it again: the records are looked up in the CRM before anything is sent again",
            )
        return body


def option_headers(options: Mapping[str, object]) -> dict[str, str]:
    """Request headers for the export's options; ConfigurationError names every one that is unknown or ill-valued."""
    faults = [
        Fault(f"Salesforce has no write option '{name}'", allowed=tuple(OPTIONS))
        if name not in OPTIONS
        else Fault(f"write option '{name}' cannot be {value!r}", allowed=tuple(str(word) for word in OPTIONS[name]))
        for name, value in options.items()
        # Under `id_scope` a job of new records is remembered; nothing of it is sent.
        if name != "id_scope" and (name not in OPTIONS or not _allowed(name, value))
    ]
    if faults:
        raise ConfigurationError(faults)
    # The API's default runs assignment rules, which would hand records to other owners.
    rule = options.get("assignment_rules")
    headers = {"Sforce-Auto-Assign": rule if isinstance(rule, str) else "TRUE" if rule else "FALSE"}
    if options.get("duplicate_rules") == "override":
        headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
    return headers


def _allowed(name: str, value: object) -> bool:
    if name == "assignment_rules" and isinstance(value, str):
        return _RULE_ID.fullmatch(value) is not None
    return value in OPTIONS[name]


def by_calls_only(options: Mapping[str, object]) -> bool:
    """Whether only Collections can do what the options ask: Bulk API 2.0 has no such headers."""
    return (
        options.get("duplicate_rules") == "override"
        or options.get("all_or_none") is True
        or options.get("assignment_rules") is True
        or options.get("road") == "rest"
    )


def _posting(
    method: str, url: str, purpose: str, style: Style, records: Sequence[dict[str, Any]], repeatable: bool
) -> Request:
    body = json.dumps({"allOrNone": style.whole, "records": records}, ensure_ascii=False, allow_nan=False)
    return Request(
        method,
        url,
        purpose,
        headers={**style.headers, "Content-Type": "application/json; charset=UTF-8"},
        # A lone surrogate cannot be encoded; it is sent as the replacement character.
        data=body.encode("utf-8", "replace"),
        repeatable=repeatable,
    )


def _record(schema: ObjectSchema, operation: Operation, change: Change) -> dict[str, Any]:
    record: dict[str, Any] = {"attributes": {"type": schema.name}}
    if operation in (Operation.UPDATE, Operation.DELETE):
        if not change.record_id:
            raise Unsendable(f"a row to {operation.value} needs its record id")
        record["id"] = change.record_id
    if operation is Operation.UPSERT:
        if len(change.match) != 1:
            raise Unsendable(f"an upsert matches by one field, found {len(change.match)}")
        for name, value in change.match.items():
            if value is None or value == "":
                raise Unsendable(f"the row has no value for '{name}', by which it is matched")
            record[name] = sendable(value, schema.fields.get(name))
    for name, value in change.values.items():
        if "." in name:
            record.update(_related(schema, name, value))
        elif name != schema.id_field:
            record[name] = sendable(value, schema.fields.get(name))
    return record


def _related(schema: ObjectSchema, name: str, value: Scalar) -> dict[str, Any]:
    """A parent by its external id: `Account.No__c` is ``{"Account": {"No__c": ...}}``; without one none (§6.4).

    `Lead:Who.Email` says which object the parent of a polymorphic reference is of.
    """
    relation, _, key = name.partition(".")
    of, _, relation = relation.rpartition(":")
    if value is not None and value != "":
        parent: dict[str, Any] = {"attributes": {"type": of}} if of else {}
        return {relation: {**parent, key: sendable(value, schema.fields.get(name))}}
    reference = next((one.name for one in schema.fields.values() if one.relationship == relation), None)
    if reference is None:
        raise Unsendable(f"{schema.name} has no relationship '{relation}'")
    return {reference: None}


def _outcome(operation: Operation, change: Change, answer: Mapping[str, Any]) -> Outcome:
    record_id = answer.get("id")
    if record_id and change.record_id and not same_id(str(record_id), change.record_id):
        return Outcome(
            change.key,
            State.IN_DOUBT,
            change.record_id,
            symbol="ANSWER_MISMATCH",
            message=f"the answer for {change.record_id} names {record_id}",
        )
    found = str(record_id) if record_id else change.record_id
    if answer.get("success") is True:
        created = {Operation.CREATE: True, Operation.UPDATE: False}.get(operation, answer.get("created"))
        return Outcome(change.key, State.DONE, found, created)
    errors = [error for error in answer.get("errors") or () if isinstance(error, dict)]
    symbol = str(errors[0].get("statusCode") or errors[0].get("errorCode") or "UNKNOWN") if errors else "UNKNOWN"
    message = "; ".join(str(error.get("message", "")) for error in errors)
    names = tuple(dict.fromkeys(str(name) for error in errors for name in error.get("fields") or ()))
    return refused_row(change, operation, symbol, message, names)
