"""What Salesforce says when it refuses: a whole request (:class:`Refusal`) or one record (:class:`Problem`).

Rests on salesforce-api.md §1 (error bodies), §6 (texts) and §10 (codes and statuses).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one record was not written: the vendor's status code, its text and the fields at fault.

    `more` is what the body of a refused single record says besides.
    """

    code: str
    message: str
    fields: tuple[str, ...] = ()
    more: Mapping[str, Any] | None = None

    def item(self) -> dict[str, Any]:
        """As an entry of ``errors`` in a collection's answer."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def top(self) -> dict[str, Any]:
        """As an entry of a refused request's body."""
        body: dict[str, Any] = {**(self.more or {}), "message": self.message, "errorCode": self.code}
        if self.fields:
            body["fields"] = list(self.fields)
        return body


class Refusal(Exception):
    """The request is answered with `status` and the vendor's JSON array of errors."""

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.problems: tuple[Problem, ...] = (Problem(code, message, tuple(fields)),)

    @classmethod
    def of(cls, problems: Sequence[Problem], status: int = 400) -> Refusal:
        """The refusal of a request that wrote one record, for that record's problems."""
        first = problems[0]
        refusal = cls(status, first.code, first.message, first.fields)
        refusal.problems = tuple(problems)
        return refusal


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """The 404 of a path, an object or a record that is not there."""
    return Refusal(404, "NOT_FOUND", message)
