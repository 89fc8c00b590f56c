"""What an org does to records on top of the API's own checks: locks, assignment, triggers, validation, duplicates.

All of it is set through the control door's ``settings``::

    row_locks         [{"id": "001…", "times": 3}]
                      writes of that record, and of records that name it as a parent, fail with UNABLE_TO_LOCK_ROW
                      (that often; 0 or absent = always)
    assignment_rules  {"Lead": "005…"}
                      new records of the object get this owner, unless Sforce-Auto-Assign is FALSE (Bulk: only with an
                      assignmentRuleId)
    triggers          [{"object": "Contact", "when"?: "Title = 'X'", "set": {"Title": "Y"}}]
                      `when` is a SOQL condition on the record as it would be stored, absent = always. A value is JSON;
                      {Field} inside a text stands for a value of the record; {"field": "Title", "apply": "upper"} (or
                      lower, title) rewrites one
    validation_rules  [{"object": "Contact", "condition": "Campaign_Score__c > 99", "message": "…", "field"?: "…"}]
                      a record that meets the condition is refused
    duplicate_rules   [{"object": "Contact", "fields": ["Email"], "action"?: "block" | "alert", "name"?: "…"}]
                      a record that equals another live one in all these fields is refused

Rests on salesforce-api.md §6.2 (duplicate rules) and §10 (row codes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backhaul.simulator.salesforce.drafts import Draft, Options
from backhaul.simulator.salesforce.errors import Problem
from backhaul.simulator.salesforce.schema import ObjectDef
from backhaul.simulator.salesforce.soql import parse
from backhaul.simulator.salesforce.soql_sql import compile_query
from backhaul.simulator.salesforce.values import lenient
from backhaul.simulator.store import quote

if TYPE_CHECKING:
    from backhaul.simulator.salesforce.org import SalesforceOrg

_APPLY: dict[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "title": str.title}
_PLACE = re.compile(r"\{(\w+)\}")


class Rules:
    """The rules that writing to one object meets."""

    def __init__(self, org: SalesforceOrg, kind: ObjectDef, options: Options) -> None:
        self._org = org
        self._kind = kind
        self._options = options
        self._triggers = self._of("triggers")
        self._validation = self._of("validation_rules")
        self._duplicates = self._of("duplicate_rules")

    @property
    def any(self) -> bool:
        """Whether any rule looks at whole records."""
        return bool(self._triggers or self._validation or self._duplicates)

    def owner(self) -> str | None:
        """Who gets a new record by an assignment rule."""
        found = self._org.setting("assignment_rules").get(self._kind.name) if self._options.assign else None
        return str(found) if found else None

    def locked(self, touched: set[str]) -> Problem | None:
        """The problem of a write that touches these records (itself and its parents), when one is locked."""
        if not self._org.setting("row_locks"):
            return None
        held = self._org.take_row_lock(touched)
        text = f"unable to obtain exclusive access to this record or 1 records: {held}"
        return Problem("UNABLE_TO_LOCK_ROW", text) if held else None

    def apply(self, drafts: Sequence[Draft], whole: Sequence[dict[str, Any]]) -> None:
        """Let the rules look at `whole`, the records of `drafts` as they would be stored: triggers change the
        drafts' rows, the others add problems to them."""
        for rule in self._triggers:
            self._trigger(rule, drafts, whole)
        for rule in self._validation:
            named = (str(rule["field"]),) if rule.get("field") else ()
            problem = Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", str(rule["message"]), named)
            broken = self._meeting(str(rule["condition"]), whole)
            for draft, row in zip(drafts, whole, strict=True):
                if row["Id"] in broken:
                    draft.problems.append(problem)
        for rule in self._duplicates:
            if not (rule.get("action") == "alert" and self._options.allow_save):
                self._find_duplicates(rule, drafts, whole)

    # --- inside

    def _of(self, setting: str) -> list[dict[str, Any]]:
        return [rule for rule in self._org.setting(setting) if rule["object"].lower() == self._kind.name.lower()]

    def _meeting(self, condition: str, whole: Sequence[dict[str, Any]]) -> set[str]:
        """The ids of the records that meet a SOQL condition."""
        org, table = self._org, self._kind.name
        query = parse(f"SELECT Id FROM {table} WHERE {condition}")
        compiled = compile_query(query, org.objects, org.moment(), deleted=True)
        with org.store.scratch(table, whole) as name:
            sql = compiled.select('t."Id"').replace(f"FROM {quote(table)} AS t", f"FROM {quote(name)} AS t", 1)
            return {str(one) for (one,) in org.store.query(sql)}

    def _trigger(self, rule: Mapping[str, Any], drafts: Sequence[Draft], whole: Sequence[dict[str, Any]]) -> None:
        met = self._meeting(str(rule["when"]), whole) if rule.get("when") else {row["Id"] for row in whole}
        for draft, row in zip(drafts, whole, strict=True):
            if row["Id"] not in met:
                continue
            for name, value in rule["set"].items():
                found = self._kind.find(name)
                if found is None or not found.stored:
                    raise ValueError(f"a trigger sets {name}, which {self._kind.name} does not store")
                row[found.name] = draft.row[found.name] = lenient(found, _value(value, row))

    def _find_duplicates(
        self, rule: Mapping[str, Any], drafts: Sequence[Draft], whole: Sequence[dict[str, Any]]
    ) -> None:
        names = [key.name for name in rule["fields"] if (key := self._kind.find(name))]
        equal = " AND ".join(f"lower(c.{quote(name)}::VARCHAR) = lower(t.{quote(name)}::VARCHAR)" for name in names)
        table = quote(self._kind.name)
        with self._org.store.scratch(self._kind.name, whole) as scratch:
            sql = f'SELECT c."Id", t."Id" FROM {quote(scratch)} AS c JOIN {table} AS t ON {equal} AND c."Id" <> t."Id"'
            found: dict[str, list[str]] = {}
            for one, other in self._org.store.query(f'{sql} WHERE NOT t."IsDeleted" ORDER BY 2'):
                found.setdefault(str(one), []).append(str(other))
        for draft, row in zip(drafts, whole, strict=True):
            if row["Id"] in found:
                draft.problems.append(self._duplicate(rule, found[row["Id"]]))

    def _duplicate(self, rule: Mapping[str, Any], others: Sequence[str]) -> Problem:
        kind = self._kind.name
        name = str(rule.get("name", f"Standard_{kind}_Duplicate_Rule"))
        shown = others if self._options.details else []
        matches = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {
                    "attributes": {"type": kind, "url": f"/services/data/v67.0/sobjects/{kind}/{one}"},
                    "Id": one,
                },
            }
            for one in shown
        ]
        result = {
            "allowSave": rule.get("action") == "alert",
            "duplicateRule": name,
            "duplicateRuleEntityType": kind,
            "errorMessage": "Use one of these records?",
            "matchResults": [
                {
                    "entityType": kind,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": matches,
                    "rule": f"{name}_Match",
                    "size": len(others),
                    "success": True,
                }
            ],
        }
        return Problem("DUPLICATES_DETECTED", "Use one of these records?", (), {"duplicateResult": result})


def _value(value: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        held = row.get(str(value["field"]))
        return _APPLY[str(value["apply"])](str(held)) if held is not None else None
    if isinstance(value, str):
        return _PLACE.sub(lambda place: str(row.get(place[1]) or ""), value)
    return value
