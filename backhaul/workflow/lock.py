"""One pipeline, one simulation, one process: a lock file that names its holder.

The operating system gives the lock back when the process ends, however it ends, so a killed run never has to be
cleaned up after. The file's text is only for the message.
"""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from backhaul.errors import Locked

try:
    import fcntl
except ImportError:  # not on Windows: there the warehouse file, which one process can open, is the lock
    fcntl = None  # type: ignore[assignment] # the module is absent, and asked about before use


class PipelineLock:
    """Held inside a ``with``. Raises :class:`~backhaul.errors.Locked` when another process holds it.

    `running` is what the message says is running; without it the pipeline.
    """

    def __init__(self, folder: Path, pipeline: str, running: str = "") -> None:
        self._path = folder / f"{pipeline}.lock"
        self._running = running or f"the pipeline {pipeline}"
        self._file: IO[str] | None = None

    def __enter__(self) -> PipelineLock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = self._holder(file)
                file.close()
                raise Locked(
                    f"{self._running} is already running: {holder}",
                    hint="wait for it to end, or stop that process; a killed process gives the lock back by itself",
                ) from None
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat()}, file)
        file.flush()
        self._file = file
        return self

    @staticmethod
    def _holder(file: IO[str]) -> str:
        file.seek(0)
        try:
            known = json.load(file)
            return f"process {known['pid']} on {known['host']} since {known['since'][:19]} UTC"
        except (ValueError, KeyError, TypeError):
            return "by a process that has not written its name yet"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
