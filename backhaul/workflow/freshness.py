"""How old what was imported is: the `freshness` that a source declares of an object (dbt's word and thresholds).

An object is as old as the older of two stamps: the end of its last import window (nobody imports it any more), and the
newest value of its cursor field (it is imported, and yet nothing that changed has come: the cursor may stand still).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from backhaul.config import ObjectConfig
from backhaul.errors import Where

Verdict = Literal["fresh", "warn", "stale"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """One object with declared limits. `imported`: the end of its last window; `newest`: the newest stamp that came.

    `message` is empty while it is fresh, else one sentence and a next step.
    """

    account: str
    object: str
    state: Verdict
    imported: datetime | None
    newest: datetime | None
    message: str
    where: Where

    @property
    def name(self) -> str:
        """The name of the test that it makes."""
        return f"freshness_{self.account}_{self.object}"


def judge(
    account: str,
    config: ObjectConfig,
    imported: datetime | None,
    stamps: Iterable[tuple[str, datetime | None]],
    now: datetime | None = None,
) -> Freshness:
    """Hold an object against its limits. `stamps`: the cursor fields of its windows, and the newest value of each.

    `now`: aware; default this machine's clock (limits are hours, clocks differ by seconds). The object must declare a
    `freshness`.
    """
    limits = config.freshness
    assert limits is not None
    now = now or datetime.now(UTC)
    known = [(name, stamp) for name, stamp in stamps if stamp is not None]
    cursor, newest = max(known, key=lambda item: item[1]) if known else ("", None)
    # An object in which nothing was found yet is as old as its import; one that was never imported has no age.
    age = now - min(imported, newest or imported) if imported is not None else timedelta.max
    state: Verdict = "fresh"
    limit: timedelta | None = None
    if limits.warn_after is not None and age > limits.warn_after:
        state, limit = "warn", limits.warn_after
    if limits.error_after is not None and age > limits.error_after:
        state, limit = "stale", limits.error_after
    message = ""
    if limit is not None:
        place, what = f"{limits.where}: " if limits.where.file else "", f"{account}.{config.name}"
        again = f"backhaul import {what}"
        allowed = f"{_spoken(limit)} are allowed"
        if imported is None:
            message = f"{place}{what} has never been imported, {allowed}\n    next: {again}"
        elif now - imported > limit:
            message = (
                f"{place}the last import of {what} ended {_spoken(now - imported)} ago, {allowed}\n    next: {again}"
            )
        elif newest is not None:
            message = (
                f"{place}the newest {cursor} of {what} is {_spoken(now - newest)} old, {allowed}, though it was "
                f"imported {_spoken(now - imported)} ago\n    next: see whether the CRM has newer records; if so, "
                f"{cursor} stands still: name another cursor and run backhaul import {what} --full-refresh"
            )
    return Freshness(account, config.name, state, imported, newest, message, limits.where)


def _spoken(span: timedelta) -> str:
    """``3 d 4 h``, ``5 h``, ``12 min``."""
    minutes = max(0, round(span.total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{left} min"
