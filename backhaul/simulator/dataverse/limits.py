"""Service protection: what one user may ask of one web server within a sliding window (dataverse-api.md §6.1)."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .edm import stable_id
from .errors import DataverseError

_SHORT_WAIT = 2


@dataclass
class _Use:
    """What one user did on one server: (instant in seconds, charged ms) of each request, and those under way."""

    done: deque[tuple[float, float]] = field(default_factory=deque)
    under_way: int = 0
    refused: int = 0
    total_ms: float = 0.0

    def forget(self, before: float) -> None:
        """Let go of what lies before an instant."""
        while self.done and self.done[0][0] <= before:
            self.total_ms -= self.done.popleft()[1]


class Limits:
    """Counts the requests of every user on every web server. `settings` gives the settings in force."""

    def __init__(self, settings: Callable[[], Mapping[str, Any]]) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str], _Use] = {}
        self._turn = 0

    def clear(self) -> None:
        """Count from nothing."""
        with self._lock:
            self._uses.clear()

    def server(self, cookie: str) -> str:
        """Give the web server that a request meets: the one its ``ARRAffinity`` cookie names, else the next in turn."""
        names = [server_id(number) for number in range(max(1, int(self._settings()["servers"])))]
        for name in names:
            if f"ARRAffinity={name}" in cookie:
                return name
        with self._lock:
            self._turn += 1
            return names[self._turn % len(names)]

    def enter(self, user: str, server: str, now: datetime) -> None:
        """Note that a request begins. Raises DataverseError 429 with ``Retry-After`` when a limit is reached."""
        limits = self._settings()["limits"]
        seconds, moment = float(limits["seconds"]), now.timestamp()
        with self._lock:
            use = self._uses.setdefault((user, server), _Use())
            use.forget(moment - seconds)
            most, longest, widest = limits["requests"], limits["execution_ms"], limits["concurrent"]
            if widest is not None and use.under_way >= widest:
                raise self._refusal(
                    "0x80072326", f"Number of concurrent requests exceeded the limit of {widest}.", _SHORT_WAIT
                )
            if most is not None and len(use.done) + use.under_way >= most:
                free = use.done[max(0, len(use.done) - most)][0] + seconds - moment if use.done else _SHORT_WAIT
                raise self._hammered(
                    use,
                    "0x80072322",
                    f"Number of requests exceeded the limit of {most} over time window of {seconds:.0f} seconds.",
                    free,
                    seconds,
                )
            if longest is not None and use.total_ms >= longest:
                left, free = use.total_ms, 0.0
                for instant, charged in use.done:
                    left, free = left - charged, instant + seconds - moment
                    if left < longest:
                        break
                raise self._hammered(
                    use,
                    "0x80072321",
                    f"Combined execution time of incoming requests exceeded limit of {longest:,} milliseconds over "
                    f"time window of {seconds:.0f} seconds. Decrease number of concurrent requests or reduce the "
                    "duration of requests and try again later.",
                    free,
                    seconds,
                )
            use.refused = 0
            use.under_way += 1

    def leave(self, user: str, server: str, now: datetime, charged_ms: float) -> None:
        """Note that a request which entered has ended, and what it is charged."""
        with self._lock:
            use = self._uses.setdefault((user, server), _Use())
            use.under_way = max(0, use.under_way - 1)
            use.done.append((now.timestamp(), charged_ms))
            use.total_ms += charged_ms

    def remaining(self, user: str, server: str, now: datetime) -> dict[str, str]:
        """Give the two headers that say what is left (§0: thousands have a comma)."""
        limits = self._settings()["limits"]
        with self._lock:
            use = self._uses.setdefault((user, server), _Use())
            use.forget(now.timestamp() - float(limits["seconds"]))
            requests, spent = len(use.done), use.total_ms
        most, longest = limits["requests"] or 6_000, limits["execution_ms"] or 1_200_000
        return {
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{max(0.0, (longest - spent) / 1000):,.2f}",
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(max(0, most - requests)),
        }

    def _hammered(self, use: _Use, code: str, message: str, free: float, seconds: float) -> DataverseError:
        """Give the refusal; who asks again without waiting is told to wait longer."""
        wait = min(seconds, max(1.0, free) + use.refused)
        use.refused += 1
        return self._refusal(code, message, math.ceil(wait))

    @staticmethod
    def _refusal(code: str, message: str, wait: int) -> DataverseError:
        return DataverseError(429, code, message, headers={"Retry-After": str(wait)})


def server_id(number: int) -> str:
    """Give the name of a web server in the ``ARRAffinity`` cookie."""
    return stable_id("web server", str(number)).replace("-", "") * 2
