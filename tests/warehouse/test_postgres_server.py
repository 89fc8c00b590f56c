"""The server that other tests rest on: it runs, lets in whoever has the password, and leaves nothing behind."""

from __future__ import annotations

import socket
import subprocess
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
