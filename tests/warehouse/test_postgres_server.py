"""The server that other tests rest on: it runs, lets in whoever has the password, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.warehouse.postgres_server import PostgresServer, programs


def asked(server: PostgresServer, sql: str, url: str) -> str:
    done = subprocess.run([str(programs() / "psql"), "-X", "-At", "-d", url, "-c", sql], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_runs_in_another_zone_and_order_than_duckdb_and_is_gone_afterwards() -> None:
    with PostgresServer() as server:
        folder: Path = server._folder
        with server.database("mine") as url:
            assert asked(server, "SELECT current_setting('TimeZone')", url) == "America/New_York"
            assert asked(server, "SELECT 'a' < 'B', 'b' < 'B'", url) == "t|t"  # by its bytes 'B' comes first
            with pytest.raises(AssertionError, match="password authentication failed"):
                asked(server, "SELECT 1", url.replace("backhaul:", "backhaul:not-"))
        with pytest.raises(AssertionError, match="does not exist"):
            asked(server, "SELECT 1", url)
        port = server.port
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_it_ends_with_a_process_that_is_killed() -> None:
    script = (
        "import time\nfrom tests.warehouse.postgres_server import PostgresServer\n"
        "with PostgresServer() as server:\n    print(server.port, server._folder, flush=True)\n    time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port, folder = process.stdout.readline().split()
        os.kill(process.pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
        except OSError:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the server outlived the process that had started it")
    shutil.rmtree(folder, ignore_errors=True)
