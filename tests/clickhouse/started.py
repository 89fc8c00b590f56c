"""ClickHouse for the tests that want it: :mod:`.server` in a process of its own, by the Python that has the engine."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from clickhouse_driver import Client  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-clickhouse" / "bin" / "python"
PASSWORD = "secret-word"
OWN = ("default", "system", "information_schema", "INFORMATION_SCHEMA")


class ClickHouseServer:
    """One server. Use it in a ``with``."""

    def __enter__(self) -> ClickHouseServer:
        if not PYTHON.exists():
            raise FileNotFoundError(f"{PYTHON} is not there: `make test-clickhouse` installs it")
        self._folder = tempfile.TemporaryDirectory(prefix="clickhouse-")
        words = [str(PYTHON), str(Path(__file__).with_name("server.py")), "--folder", self._folder.name]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._ports = json.loads(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)
        self._folder.cleanup()

    def emptied(self) -> dict[str, Any]:
        """The server without any database of an earlier test; gives dlt's credentials of it."""
        client = Client("127.0.0.1", port=self._ports["tcp"], password=PASSWORD)
        for (name,) in client.execute("SHOW DATABASES"):
            if name not in OWN:
                client.execute(f"DROP DATABASE `{name}` SYNC")
        client.disconnect()
        return {
            **{"host": "127.0.0.1", "port": self._ports["tcp"], "http_port": self._ports["http"], "secure": 0},
            **{"username": "default", "password": PASSWORD, "database": "default"},
        }
