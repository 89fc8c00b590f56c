"""Service protection: how many requests at once, and what the reply headers say is left (dataverse-api.md §6.1).

Dataverse recommends a number of parallel requests for each environment (x-ms-dop-hint), tells what is left of the
burst and time limits of the web server that answered, and refuses with 429 who goes on all the same. More than the hint
is never sent at once; when the service says that it is too much, or rows lock each other, half of it for a while.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

HINT = "x-ms-dop-hint"
REQUESTS_LEFT = "x-ms-ratelimit-burst-remaining-xrm-requests"
SECONDS_LEFT = "x-ms-ratelimit-time-remaining-xrm-requests"

UNTOLD_WIDTH = 4
"""Requests at once while no reply has told the environment's hint."""
NARROW_SECONDS = 60.0
LOW_WATER = 50
"""Requests left in the burst limit below which they go one by one: others of the same user need some, too."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the newest reply said is left of the 300-second limits of its web server; None: it did not say."""

    requests: int | None = None
    seconds: float | None = None


class Gate:
    """Lets as many requests through at once as the service can take. Threads may share it; a thread that is in it may
    enter again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free = threading.Condition()
        self._inside = 0
        self._mine = threading.local()
        self._hint: int | None = None
        self._narrow: tuple[int, float] | None = None
        self.left = Left()

    @property
    def width(self) -> int:
        """Requests that may be under way at once, now."""
        told = self._hint or UNTOLD_WIDTH
        if self._narrow is not None and self._clock() < self._narrow[1]:
            told = min(told, self._narrow[0])
        return 1 if self.left.requests is not None and self.left.requests < LOW_WATER else told

    def note(self, headers: Mapping[str, str]) -> None:
        """Read a reply's headers; numbers may hold thousands commas."""
        hint = number(headers.get(HINT))
        if hint is not None and hint >= 1:
            self._hint = int(hint)
        requests, seconds = number(headers.get(REQUESTS_LEFT)), number(headers.get(SECONDS_LEFT))
        if requests is not None or seconds is not None:
            self.left = Left(None if requests is None else int(requests), seconds)

    def crowded(self) -> None:
        """The service refused because too much goes on at once: half of it, for a while."""
        self._narrow = (max(1, self.width // 2), self._clock() + NARROW_SECONDS)

    @contextlib.contextmanager
    def through(self) -> Iterator[None]:
        """Wait for a place, and hold it."""
        if getattr(self._mine, "inside", False):
            yield
            return
        with self._free:
            # Waits are short, so that a width that grows again is seen.
            while self._inside >= self.width:
                self._free.wait(1.0)
            self._inside += 1
        self._mine.inside = True
        try:
            yield
        finally:
            self._mine.inside = False
            with self._free:
                self._inside -= 1
                self._free.notify()


def number(text: str | None) -> float | None:
    """A header's number, `1,200.00` included; None when missing or no number."""
    try:
        return float(text.replace(",", "")) if text else None
    except ValueError:
        return None
