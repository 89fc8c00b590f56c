"""What one query reads, and what its spool remembers of how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backhaul.spool import Spool

EXPIRED = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND", "INVALIDJOB", "InvalidJob", "HTTP_404", "JOB_NOT_COMPLETE"})
"""Codes of a locator or job that is gone (salesforce-api.md §4.2, §8)."""

LONGEST_STATEMENT = 100_000
"""Characters of a statement (§4.3)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is read: SOQL over one object, its columns in order, and whether the recycle bin is read too.

    `bodies` are the columns among them that hold binaries: the rows have addresses there, to be asked one by one.
    """

    object: str
    soql: str
    columns: tuple[str, ...]
    include_deleted: bool = False
    bodies: tuple[str, ...] = ()

    @property
    def operation(self) -> str:
        """The REST resource and the bulk operation have the same two names."""
        return "queryAll" if self.include_deleted else "query"


class Expired(Exception):
    """The locator or job that a spool stands on is gone."""


def stand_of(spool: Spool) -> dict[str, Any]:
    """What this connector wrote into the spool's record."""
    stand = spool.request.get("salesforce")
    return stand if isinstance(stand, dict) else {}


def without_stand(spool: Spool) -> dict[str, object]:
    """The spool's record but for what this connector wrote into it."""
    return {name: value for name, value in spool.request.items() if name != "salesforce"}


def new_stand(statement: Statement, api: str, road: str, **more: object) -> dict[str, object]:
    """The record of a query that is under way; `api` is the path of the API's version, `more` what the road keeps."""
    return {"soql": statement.soql, "operation": statement.operation, "api": api, "road": road, **more}
