"""A table of an environment in a dictionary, behind a transport: set messages, $batch, look-ups by id and by key.

Written from dataverse-api.md §5.1-§5.4: a set message is one transaction, whose error names no row; a create with an id
that is there is refused; an update of what is not there is refused; a key that another record has is refused.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import requests

from backhaul.crm.dynamics import DynamicsConnector
from tests.crm.wire import Answer, Reaction, Sent, Wire

from .environment import ROOT, batch_reply, connect, error

Row = dict[str, Any]
Made = tuple[int, dict[str, str], bytes]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Contacts:
    """Rows by id. `bad` names the last names that are refused; `accidents` happen to the next set messages, in order:
    "lost" (done, no reply), "cut" (not done, no reply), or an Answer in place of all.
    """

    def __init__(self, bad: Callable[[str], bool] = lambda name: False) -> None:
        self.rows: dict[str, Row] = {}
        self.bad = bad
        self.accidents: list[str | Answer] = []
        self.sets: list[tuple[str, int]] = []
        self.singles = 0
        self.made: list[str] = []

    def connect(self, routes: Mapping[str, Reaction | list[Reaction]] | None = None, **options: Any) -> Any:
        """A connector over this table: (connector, wire, pauses)."""
        given: dict[str, Any] = {
            f"GET {ROOT}contacts": self.look_up,
            **{f"POST {ROOT}contacts/Microsoft.Dynamics.CRM.{name}": self.message(name) for name in self._messages},
            **(routes or {}),
        }
        made: tuple[DynamicsConnector, Wire, list[float]] = connect(given, self.inner, **options)
        return made

    _messages = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")

    def message(self, name: str) -> Callable[[Sent], Answer | Exception]:
        def answer(sent: Sent) -> Answer | Exception:
            targets = json.loads(sent.body)["Targets"]
            self.sets.append((name, len(targets)))
            accident = self.accidents.pop(0) if self.accidents else ""
            if isinstance(accident, Answer):
                return accident
            if accident == "cut":
                return requests.ConnectionError("reset")
            before = {key: dict(row) for key, row in self.rows.items()}
            made = len(self.made)
            try:
                ids = self._all(name, targets)
            except Refused as refusal:
                self.rows = before
                del self.made[made:]
                return error(refusal.status, refusal.code, refusal.message)
            if accident == "lost":
                return requests.ConnectionError("reset")
            return Answer(200, {"Ids": ids}) if name == "CreateMultiple" else Answer(204)

        return answer

    def _all(self, name: str, targets: list[Row]) -> list[str]:
        seen: set[str] = set()
        ids = []
        for target in targets:
            assert target.pop("@odata.type") == "Microsoft.Dynamics.CRM.contact"
            if name == "UpsertMultiple":
                address = re.fullmatch(r"contacts\((.+)\)", target.pop("@odata.id"))
                assert address
                identifier = address[1]
                if identifier in seen:
                    raise Refused(412, "0x80040237", "Cannot insert duplicate key.")
            else:
                identifier = target.pop("contactid", None) or str(uuid.uuid4())
            if name == "UpdateMultiple" and identifier not in self.rows:
                raise Refused(404, "0x80040217", f"Contact With Ids = {identifier} Do Not Exist")
            if name == "CreateMultiple" and identifier in self.rows:
                raise Refused(412, "0x80040237", "Cannot insert duplicate key.")
            if not (name == "UpdateMultiple" and identifier in seen):  # of one id's targets the first wins
                self._put(identifier, target, naming=False)
            seen.add(identifier)
            ids.append(identifier)
        return ids

    def _put(self, identifier: str, values: Row, *, naming: bool = True) -> None:
        if self.bad(str(values.get("lastname") or "")):
            raise Refused(400, "0x80040265", "a plug-in said no" + (" to this row" if naming else ""))
        number = values.get("new_membernumber")
        twins = [key for key, row in self.rows.items() if number and row.get("new_membernumber") == number]
        if any(twin != identifier for twin in twins):
            raise Refused(412, "0x80060892", "Entity Key new_membernumber_key violated.")
        if identifier not in self.rows:
            self.made.append(identifier)
        self.rows.setdefault(identifier, {}).update(values)

    def look_up(self, sent: Sent) -> Answer:
        text = sent.query["$filter"][0]
        column = re.search(r"(contactid|new_membernumber|emailaddress1)", text)
        assert column, text
        values = re.findall(r'"([^"]*)"', text) or re.findall(r"eq '?([^' )]+)", text)
        folded = {value.casefold() for value in values}
        found = [
            {"contactid": key, **row}
            for key, row in self.rows.items()
            if str(key if column[1] == "contactid" else row.get(column[1], "")).casefold() in folded
        ]
        return Answer(200, {"value": found})

    def inner(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Made:
        self.singles += 1
        try:
            return self._single(method, url, headers, json.loads(body) if body else {})
        except Refused as refusal:
            told = {"error": {"code": refusal.code, "message": refusal.message}}
            return refusal.status, {"Content-Type": "application/json"}, json.dumps(told).encode()

    def _single(self, method: str, url: str, headers: dict[str, str], values: Row) -> Made:
        address = re.search(r"/contacts\((.*)\)", unquote(url))
        if method == "POST":
            identifier = values.pop("contactid")
            if identifier in self.rows:
                raise Refused(412, "0x80040237", "A record with matching key values already exists.")
            self._put(identifier, values)
            return 204, {"OData-EntityId": f"/contacts({identifier})"}, b""
        assert address
        key = re.fullmatch(r"new_membernumber='(.*)'", address[1])
        if key:
            wanted = key[1].casefold()
            found = [name for name, row in self.rows.items() if row.get("new_membernumber", "").casefold() == wanted]
            identifier = found[0] if found else str(uuid.uuid4())
            self._put(identifier, values if found else {**values, "new_membernumber": key[1]})
            row = json.dumps({"contactid": identifier}).encode()
            return 200 if found else 201, {"Content-Type": "application/json"}, row
        identifier = address[1]
        if identifier not in self.rows:
            raise Refused(404, "0x80040217", "contact With Id = ... Does Not Exist")
        if method == "DELETE":
            del self.rows[identifier]
        else:
            assert headers["If-Match"] == "*"
            self._put(identifier, values)
        return 204, {}, b""


__all__ = ["Contacts", "batch_reply"]
