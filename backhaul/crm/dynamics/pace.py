"""How many rows go into one request: as many as the service answers in good time.

Dataverse gives a message about two minutes, and plug-ins, row width and load decide what fits (dataverse-api.md §5.3,
§6.3). So the size follows the answers: it grows while they come quickly, and shrinks when one is slow or timed out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Pace:
    """Rows a request. Threads may share one: a lost update costs nothing but a step.

    `seconds` is what a request should take; `size` lies between `least` and `most`.
    """

    size: int
    seconds: float
    most: int
    least: int = 10

    def note(self, rows: int, took: float) -> None:
        """A request of `rows` rows took so many seconds. Only a full one proves that more would fit."""
        if took > self.seconds:
            self._set(rows * self.seconds / took)
        elif rows >= self.size:
            self._set(self.size * min(2.0, self.seconds / max(took, 1e-3)))

    def slow(self, rows: int) -> None:
        """A request of `rows` rows timed out."""
        self._set(min(self.size, rows) / 2)

    def _set(self, rows: float) -> None:
        self.size = max(self.least, min(self.most, int(rows)))
