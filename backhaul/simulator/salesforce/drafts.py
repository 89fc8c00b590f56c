"""A record on its way into the org, what became of it, and how the request wants it treated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backhaul.simulator.salesforce.errors import Problem


@dataclass(slots=True)
class Result:
    """What became of one record. `created` is None where the vendor does not say."""

    id: str | None = None
    created: bool | None = None
    problems: tuple[Problem, ...] = ()

    def item(self) -> dict[str, Any]:
        """As an entry of a collection's answer."""
        if self.problems:
            return {"success": False, "errors": [problem.item() for problem in self.problems]}
        body: dict[str, Any] = {"id": self.id, "success": True, "errors": []}
        return body if self.created is None else {**body, "created": self.created}


@dataclass(slots=True)
class Draft:
    """A record on its way: as it was sent, what will be stored of it, what is wrong with it."""

    record: Mapping[str, Any]
    row: dict[str, Any]
    problems: list[Problem]
    result: Result


@dataclass(frozen=True, slots=True)
class Options:
    """What a request's headers ask for (salesforce-api.md §6.2): `allow_save` passes duplicate rules that only
    alert, `details` shows the records they found, `assign` runs assignment rules."""

    allow_save: bool = False
    details: bool = False
    assign: bool = True

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Options:
        """As ``Sforce-Duplicate-Rule-Header`` and ``Sforce-Auto-Assign`` have it."""
        rule = headers.get("sforce-duplicate-rule-header", "")
        assign = headers.get("sforce-auto-assign", "TRUE").strip().upper() != "FALSE"
        return cls(_asked(rule, "allowSave"), _asked(rule, "includeRecordDetails"), assign)


def _asked(header: str, name: str) -> bool:
    return re.search(rf"\b{name}\s*=\s*true\b", header, re.IGNORECASE) is not None
