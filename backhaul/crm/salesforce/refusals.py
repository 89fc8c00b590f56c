"""What Salesforce's error replies mean: the one table from its codes to what to do (salesforce-api.md §1, §2.1, §10).

REST answers a JSON array of `{"message", "errorCode"}`, the OAuth endpoints an object `{"error",
"error_description"}`, items inside collections `{"statusCode", "message", "fields"}`, and userinfo a bare word.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import requests

from backhaul.crm.http import Refusal
from backhaul.record import Change, Operation, Outcome, State

_DAY_USED = "the org's API requests of the last 24 hours are used up: wait, or ask for a larger allowance"
_CROWD_SECONDS = 5.0
_FAULT = re.compile(
    r"<(?:\w+:)?exceptionCode>(\w+)<.*?<(?:\w+:)?exceptionMessage>(.*?)</(?:\w+:)?exceptionMessage>", re.DOTALL
)
"""What a SOAP fault says, in its detail."""

_PASSING: dict[str, tuple[bool, float | None, str]] = {
    # code: (surely not processed, least wait in seconds, what to do when waiting did not help)
    "SERVER_UNAVAILABLE": (True, None, ""),
    "API_CURRENTLY_DISABLED": (True, None, ""),
    "UNABLE_TO_LOCK_ROW": (True, None, "fewer writers at a time: lower batch.parallel of the export"),
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": (True, None, ""),
    "UNKNOWN_EXCEPTION": (False, None, "give the error id in the message to Salesforce Support"),
    "rate_limit_exceeded": (True, 5.0, "too many sign-ins of one user within the hour"),
    "server_error": (True, None, ""),
    "temporarily_unavailable": (True, None, ""),
}

_HOURS: dict[str, str] = {
    # Allowances of a rolling day: nobody waits for them.
    "LIMIT_EXCEEDED": "the org's daily allowance is used up: see Setup > System Overview",
    "EXCEEDED_QUOTA": "the org's daily allowance is used up: see Setup > System Overview",
}

_HINTS: dict[str, str] = {
    "INVALID_FIELD": "the field was removed, renamed or hidden from this user: run `backhaul check --online`",
    "INVALID_TYPE": "the object does not exist or this user may not read it: run `backhaul check --online`",
    "API_DISABLED_FOR_ORG": "the org's edition or the user's profile has no API access: ask the org's administrator",
    "INSUFFICIENT_ACCESS": "the user lacks a permission: check its profile and permission sets",
    "FORBIDDEN": "the user lacks a permission: check its profile and permission sets",
    "FUNCTIONALITY_NOT_ENABLED": "the org or the user does not have this feature",
    "UNSUPPORTED_API_VERSION": "set a newer api_version for the account in the profile",
    "QUERY_TIMEOUT": "ask for less at once: a filter, fewer fields, a later start",
    "REQUEST_RUNNING_TOO_LONG": "ask for less at once: a filter, fewer fields, a later start",
    "OPERATION_TOO_LARGE": "ask for less at once: a filter, fewer fields, a later start",
    "QUERY_TOO_COMPLICATED": "name fewer formula fields",
    "INVALID_REPLICATION_DATE": "the start is older than what the org keeps: import the object anew",
    "STORAGE_LIMIT_EXCEEDED": "the org is full: free storage before writing",
}

ROW_PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "ALREADY_IN_PROCESS", "SERVER_UNAVAILABLE", "PROCESSING_HALTED"})
"""Row codes that pass by waiting; so do rows of a trigger or flow whose text names UNABLE_TO_LOCK_ROW."""


def explain(response: requests.Response) -> Refusal | None:
    """The refusal that a reply holds; None when its body is not Salesforce's (HTML, empty)."""
    if response.status_code == 410:
        return Refusal(
            "UNSUPPORTED_API_VERSION",
            first_words(response.text),
            hint=_HINTS["UNSUPPORTED_API_VERSION"],
            passing=False,
        )
    body = _body(response)
    if isinstance(body, list) and body and isinstance(body[0], dict) and "errorCode" in body[0]:
        # Several errors are one refusal: the first code decides, all messages are shown.
        messages = "; ".join(str(item.get("message", "")) for item in body if isinstance(item, dict))
        if body[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED":
            return _too_many(first_words(messages), response)
        return _refusal(str(body[0]["errorCode"]), messages)
    if isinstance(body, dict) and "error" in body:
        return _refusal(str(body["error"]), str(body.get("error_description", "")))
    fault = _FAULT.search(response.text) if "xml" in response.headers.get("Content-Type", "") else None
    if fault is not None:
        return _refusal(fault[1], html.unescape(fault[2]))
    if response.text.strip() == "Bad_OAuth_Token":
        return Refusal("Bad_OAuth_Token", "the session is not valid", session_dead=True)
    return None


def row_passes(symbol: str, message: str) -> bool:
    """Whether a refused row may succeed when sent again after a while."""
    return symbol in ROW_PASSING or "UNABLE_TO_LOCK_ROW" in message


def refused_row(change: Change, operation: Operation, symbol: str, message: str, fields: tuple[str, ...]) -> Outcome:
    """What became of a row that the org refused. To delete what was deleted already is no refusal."""
    if operation is Operation.DELETE and symbol == "ENTITY_IS_DELETED":
        return Outcome(change.key, State.DONE, change.record_id, message="it was deleted already")
    return Outcome(
        change.key,
        State.REJECTED,
        change.record_id,
        symbol=symbol,
        message=message,
        fields=fields,
        passing=row_passes(symbol, message),
    )


def _refusal(symbol: str, message: str) -> Refusal:
    message = first_words(message)
    if symbol == "INVALID_SESSION_ID":
        return Refusal(symbol, message, session_dead=True)
    if symbol in _HOURS:
        return Refusal(symbol, message, passing=True, processed=False, hours=True, hint=_HOURS[symbol])
    if symbol in _PASSING:
        untouched, wait, hint = _PASSING[symbol]
        return Refusal(symbol, message, passing=True, processed=not untouched, wait=wait, hint=hint)
    return Refusal(symbol, message, hint=_HINTS.get(symbol, ""))


def _too_many(message: str, response: requests.Response) -> Refusal:
    """REQUEST_LIMIT_EXCEEDED: one code, two meanings, told apart by the text (§10).

    The day's total needs hours; too many long requests at one time pass in seconds. A text that says neither is the
    day's only where the reply itself counts the day as used up.
    """
    symbol, words = "REQUEST_LIMIT_EXCEEDED", message.lower()
    if "concurrent" in words:
        return Refusal(symbol, message, passing=True, processed=False, wait=_CROWD_SECONDS, crowded=True)
    usage = day_usage(response.headers)
    if "total" in words or (usage is not None and usage[0] >= usage[1]):
        return Refusal(symbol, message, passing=True, processed=False, hours=True, hint=_DAY_USED)
    return Refusal(symbol, message, passing=True, processed=False, hint=f"if it stays so, {_DAY_USED}")


def day_usage(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """(used, allowed) API requests of the org's last 24 hours, of `Sforce-Limit-Info: api-usage=10018/100000`."""
    usage = headers.get("Sforce-Limit-Info", "").split(";")[0].partition("api-usage=")[2]
    used, _, allowed = usage.partition("/")
    return (int(used), int(allowed)) if used.isdigit() and allowed.isdigit() else None


def _body(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def first_words(text: str) -> str:
    """One line of bounded length: SOQL errors quote the whole statement, proxies send whole pages."""
    line = " ".join(text.split())
    return line if len(line) <= 600 else f"{line[:600]}..."
