"""The org's own clock: real time plus an offset that the control door can move, or frozen at one instant.

It need not agree with the clock of the machine, which is how tests show that a client goes by the server's ``Date``.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from backhaul.simulator.store import Store


class Clock:
    """Time as this org sees it. The setting is kept in the store and survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last = datetime.min.replace(tzinfo=UTC)
        self.reload()

    def reload(self) -> None:
        """Read the setting again from the store (after a reset)."""
        setting = self._store.get("clock", {})
        frozen = setting.get("frozen")
        with self._lock:
            self._offset = timedelta(seconds=float(setting.get("offset", 0.0)))
            self._frozen = datetime.fromisoformat(frozen) if frozen else None
            self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The instant, aware, UTC, whole milliseconds; it never runs backwards unless it is set."""
        with self._lock:
            now = self._frozen or datetime.now(UTC) + self._offset
            now = now.replace(microsecond=now.microsecond // 1000 * 1000)
            self._last = max(self._last, now)
            return self._last

    def stamp(self) -> datetime:
        """What a record written now is stamped with: the instant in whole seconds, as both vendors store it."""
        return self.now().replace(microsecond=0)

    def http_date(self) -> str:
        """The value of the ``Date`` header."""
        return format_datetime(self.now(), usegmt=True)

    def set(self, now: datetime, *, frozen: bool = False) -> None:
        """Make it `now` (aware); it goes on ticking from there unless `frozen`."""
        now = now.astimezone(UTC)
        setting: dict[str, object] = {"offset": (now - datetime.now(UTC)).total_seconds()}
        if frozen:
            setting["frozen"] = now.isoformat()
        self._store.set("clock", setting)
        self.reload()

    def advance(self, seconds: float) -> None:
        """Move it on by `seconds` (negative: back)."""
        self.set(self.now() + timedelta(seconds=seconds), frozen=self._frozen is not None)
