"""The account's allowance of API requests: what the org's last 24 hours used, and what is kept for others (§10).

Every reply tells the use (`Sforce-Limit-Info`), so that nothing has to be asked for; before the first reply, and only
when a reserve is set, `/limits` is asked once. A request that would touch the reserve is not sent; work whose number of
requests is known before it begins is not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backhaul.crm.salesforce.refusals import day_usage
from backhaul.errors import BackhaulError, CRMError

SYMBOL = "API_RESERVE"


class Budget:
    """One account's allowance. `ask` gives the body of `/limits`. Threads may share it."""

    def __init__(self, account: str, reserve: int, ask: Callable[[], Any]) -> None:
        self.usage: tuple[int, int] | None = None
        """(requests used, allowed) in the org's last 24 hours, as the newest reply told."""
        self._account = account
        self._reserve = reserve
        self._ask = ask
        self._asked = False

    def note(self, headers: Mapping[str, str]) -> None:
        """`Sforce-Limit-Info: api-usage=10018/100000`."""
        self.usage = day_usage(headers) or self.usage

    def before(self, purpose: str, vital: bool) -> None:
        """Refuse one request that would touch the reserve; not what ends a job that is at work already (`vital`)."""
        if self._reserve and not vital and self.usage is not None and self._free() < 1:
            raise self._spent(purpose, 1)

    def require(self, calls: int, purpose: str) -> None:
        """Refuse to begin work of `calls` requests that the allowance does not hold. Raises CRMError."""
        if not self._reserve:
            return
        if self.usage is None and not self._asked:
            self._asked = True
            self._look()
        if self.usage is not None and self._free() < calls:
            raise self._spent(purpose, calls)

    def _look(self) -> None:
        try:
            day = self._ask()["DailyApiRequests"]
            most, left = int(day["Max"]), int(day["Remaining"])
        except (BackhaulError, KeyError, TypeError, ValueError):
            return  # a user without "View Setup" may not ask; the next reply's header tells
        if self.usage is None:
            self.usage = (most - left, most)

    def _free(self) -> int:
        used, allowed = self.usage or (0, 0)
        return max(0, allowed - self._reserve - used)

    def _spent(self, purpose: str, calls: int) -> CRMError:
        used, allowed = self.usage or (0, 0)
        return CRMError(
            f"{purpose} needs about {calls:,} API requests, and {self._free():,} are free: account '{self._account}' "
            f"has used {used:,} of {allowed:,} in 24 hours, and {self._reserve:,} are reserved (api_reserve)",
            symbol=SYMBOL,
            hint="run it again later (after 24 hours a request no longer counts), or lower api_reserve in the profile",
        )
