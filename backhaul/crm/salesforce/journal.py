"""Ingest jobs that were begun: one small file each, so that a run after a kill finds what is still under way.

A job is written down before its rows are uploaded and struck off once its results were read. While a job of a dead
process is still at work its rows must not be sent again: an older value could arrive after a newer one. A job of new
records stays on the list until it was asked what it made (the org keeps its results for seven days, §7).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backhaul.errors import BackhaulError


@dataclass(frozen=True, slots=True)
class Awaited:
    """New records whose fate a job alone can tell: `scope` and `cells` (key cell of the file -> the change's key)."""

    scope: str
    key_column: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Begun:
    """One job: its id, the path of its API version, the object, the process that began it, and who waits for it."""

    job: str
    data: str
    object: str
    host: str
    pid: int
    awaited: Awaited | None = None

    @property
    def alive(self) -> bool:
        """Whether its process still runs here; one on another machine nobody can ask, so it counts as running."""
        if self.host != socket.gethostname():
            return True
        if self.pid == os.getpid():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


class Journal:
    """The jobs of one account, in a folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def begin(self, job: str, data: str, object: str, awaited: Awaited | None = None) -> None:
        """Write a job down, on disk before this returns."""
        if self._folder is None:
            return
        entry: dict[str, Any] = {"data": data, "object": object, "host": socket.gethostname(), "pid": os.getpid()}
        if awaited is not None:
            entry["awaited"] = {"scope": awaited.scope, "key": awaited.key_column, "cells": dict(awaited.cells)}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / f".{job}"
            with draft.open("w", encoding="utf-8") as file:
                json.dump(entry, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / f"{job}.json")
        except OSError as error:
            raise BackhaulError(
                f"the job {job} cannot be written down in {self._folder} ({error.strerror or type(error).__name__})",
                hint="nothing was sent; make room, or make the folder writable",
            ) from None

    def end(self, job: str) -> None:
        """Strike a job off."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                (self._folder / f"{job}.json").unlink()

    def left(self) -> list[Begun]:
        """The jobs that no living process looks after."""
        if self._folder is None or not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                waits = entry.get("awaited")
                begun = Begun(
                    path.stem,
                    str(entry["data"]),
                    str(entry["object"]),
                    str(entry["host"]),
                    int(entry["pid"]),
                    Awaited(str(waits["scope"]), str(waits["key"]), dict(waits["cells"])) if waits else None,
                )
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if not begun.alive:
                found.append(begun)
        return found
