"""The lists of Bulk jobs, with their filters and pages. Rests on salesforce-api.md §7 (list) and the Bulk guide's
"Get Information About All Jobs": jobs of Bulk API 1.0 stand among them as ``Classic``."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from backhaul.simulator.salesforce.errors import Refusal
from backhaul.simulator.salesforce.wire import Call, Reply

_LIST_SIZE = 1000
_SHOWN = (
    *("id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode"),
    *("contentType", "apiVersion", "jobType"),
)


def listing(call: Call, kind: str, jobs: Iterable[Mapping[str, Any]], operations: Sequence[str]) -> Reply:
    """The answer of ``GET jobs/<kind>``: `jobs`, and those of Bulk API 1.0 with one of `operations`.

    ``jobType``, ``concurrencyMode`` and ``isPkChunkingEnabled`` choose among them, ``queryLocator`` names the page.
    """
    classic = [job for job in call.org.classic_jobs.values() if job.info["operation"] in operations]
    entries = [(job, False) for job in jobs] + [(_classic(job.info), bool(job.chunk)) for job in classic]
    asked = {name.lower(): value.lower() for name, value in call.query.items()}
    for name in ("jobType", "concurrencyMode"):
        wanted = asked.get(name.lower())
        entries = [one for one in entries if not wanted or str(one[0][name]).lower() == wanted]
    chunking = asked.get("ispkchunkingenabled")
    found = [dict(job) for job, chunked in entries if chunking in (None, "", str(chunked).lower())]
    found.sort(key=lambda job: str(job["id"]))
    start = offset_of(call.query.get("queryLocator", ""))
    end = start + _LIST_SIZE
    following = f"{call.root}/jobs/{kind}?queryLocator={locator(end)}" if end < len(found) else None
    return Reply(200, {"done": following is None, "records": found[start:end], "nextRecordsUrl": following})


def locator(row: int) -> str:
    """The opaque word for a place in a list or a result."""
    return base64.urlsafe_b64encode(str(row).encode()).decode().rstrip("=")


def offset_of(word: str) -> int:
    """The place that a locator stands for. Raises Refusal."""
    if not word:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))))
    except ValueError:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator") from None


def _classic(info: Mapping[str, Any]) -> dict[str, Any]:
    """A job of Bulk API 1.0 as these lists show it."""
    found = {**info, "jobType": "Classic"}
    for name in ("createdDate", "systemModstamp"):
        found[name] = str(info[name]).replace("Z", "+0000")
    return {name: found[name] for name in _SHOWN}
