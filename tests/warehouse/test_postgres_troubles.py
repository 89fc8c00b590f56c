"""What a server, a role or another session can be like, and what PostgreSQL's refusals are told as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from backhaul.errors import BackhaulError, ConfigurationError
from backhaul.warehouse import StatementFailed, Warehouse, open_warehouse
from tests.warehouse.postgres_server import PostgresServer

from .subjects import postgres_config


@pytest.fixture
def role(postgres_server: PostgresServer, postgres: str) -> Iterator[tuple[str, str]]:
    """A role of its own (name, address), which owns nothing of the database and has no right in it."""
    name = f"role_{uuid4().hex[:8]}"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    place = postgres.partition("@")[2]
    yield name, f"postgresql://{name}:x@{place}"
    database = postgres.rpartition("/")[2]
    postgres_server.execute(f"DROP OWNED BY {name} CASCADE", database)
    postgres_server.execute(f"DROP ROLE {name}")


@contextmanager
def session(url: str, folder: Path) -> Iterator[Warehouse]:
    with open_warehouse(postgres_config(url), folder) as opened:
        yield opened


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres_server: PostgresServer, tmp_path: Path, encoding: str
) -> None:
    name = f"narrow_{encoding.lower()}"
    postgres_server.execute(
        f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0"
    )
    with (
        pytest.raises(ConfigurationError, match=f"keeps its texts as {encoding}(.|\n)*ENCODING 'UTF8'"),
        session(postgres_server.url(name), tmp_path),
    ):
        pass
    postgres_server.execute(f"DROP DATABASE {name}")


def test_a_roles_own_settings_change_no_value(
    postgres_server: PostgresServer, postgres: str, role: tuple[str, str], tmp_path: Path
) -> None:
    name, url = role
    for setting in (
        "client_encoding = 'LATIN1'",
        "timezone = 'Asia/Kolkata'",
        "datestyle = 'German'",
        "intervalstyle = 'iso_8601'",
        "bytea_output = 'escape'",
        "extra_float_digits = -10",
        "standard_conforming_strings = off",
        "search_path = 'nowhere'",
    ):
        postgres_server.execute(f"ALTER ROLE {name} SET {setting}")
    postgres_server.execute(f"CREATE SCHEMA s AUTHORIZATION {name}", postgres.rpartition("/")[2])
    shown = (
        "SELECT octet_length(v) AS bytes, v, CAST(TIMESTAMPTZ '2026-03-01 12:00:00+00' AS TEXT) AS at, "
        "CAST(DATE '2026-03-01' AS TEXT) AS day, CAST(CAST(0.1 AS DOUBLE PRECISION) + 0.2 AS TEXT) AS sum, "
        "CAST(INTERVAL '1 day' AS TEXT) AS span, 'a\\b' AS plain FROM s.t"
    )
    with session(url, tmp_path) as warehouse:
        warehouse.make_table("s", "t", {"v": "VARCHAR"})
        warehouse.insert("s", "t", [{"v": "Ž€ß\\n"}])
        (row,) = warehouse.rows(shown)
        streamed = warehouse.arrow(shown).read_all().to_pylist()
        assert warehouse.engine(anew=True).rows('SELECT v FROM "s"."t"') == [{"v": "Ž€ß\\n"}]
    assert streamed == [row]
    assert row == {
        "bytes": 9,
        "v": "Ž€ß\\n",
        "at": "2026-03-01 12:00:00+00",
        "day": "2026-03-01",
        "sum": "0.30000000000000004",
        "span": "1 day",
        "plain": "a\\b",
    }


def test_a_missing_right_and_a_read_only_database_say_what_to_do(
    postgres_server: PostgresServer, postgres: str, role: tuple[str, str], tmp_path: Path
) -> None:
    name, url = role
    with session(postgres, tmp_path) as owner:
        owner.make_table("s", "t", {"v": "VARCHAR"})
    with session(url, tmp_path) as warehouse:
        with pytest.raises(StatementFailed) as caught:
            warehouse.rows("SELECT * FROM s.t")
        assert str(caught.value) == (
            "permission denied for schema s\n"
            "    next: give the warehouse's user the right, or the schemas: README, A warehouse on PostgreSQL"
        )
        with pytest.raises(StatementFailed, match=r"permission denied for database (.|\n)*the right, or the schemas"):
            warehouse.create_schema("other")
    postgres_server.execute(f"ALTER ROLE {name} SET default_transaction_read_only = on")
    with session(url, tmp_path) as warehouse, pytest.raises(StatementFailed, match=r"it is a standby, or default_"):
        warehouse.create_schema("other")


def test_a_locked_table_and_a_long_statement_end_with_a_word(
    postgres_server: PostgresServer, role: tuple[str, str], postgres: str, tmp_path: Path
) -> None:
    name, url = role
    with session(url, tmp_path) as warehouse:
        assert warehouse.scalar("SHOW lock_timeout") == "10min"
        assert warehouse.scalar("SHOW idle_in_transaction_session_timeout") == "0"
    postgres_server.execute(f"CREATE SCHEMA s AUTHORIZATION {name}", postgres.rpartition("/")[2])
    postgres_server.execute(f"ALTER ROLE {name} SET lock_timeout = '100ms'")
    postgres_server.execute(f"ALTER ROLE {name} SET statement_timeout = '1s'")
    with session(url, tmp_path) as warehouse:
        assert warehouse.scalar("SHOW lock_timeout") == "100ms"
        warehouse.make_table("s", "t", {"v": "VARCHAR"})
        other = psycopg2.connect(postgres)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE s.t IN ACCESS EXCLUSIVE MODE")
        for reader in (warehouse, warehouse.engine(anew=True)):
            with pytest.raises(StatementFailed) as caught:
                reader.rows('SELECT * FROM "s"."t"')
            assert "lock timeout" in caught.value.reason and "another session holds a lock" in caught.value.hint
            assert caught.value.line == 0
        other.close()
        with pytest.raises(StatementFailed, match=r"statement timeout(.|\n)*statement_timeout of the warehouse's user"):
            warehouse.rows("SELECT pg_sleep(5)")


def test_a_lost_connection_fails_its_statement_and_is_opened_anew_for_the_next(
    postgres_server: PostgresServer, postgres: str, tmp_path: Path
) -> None:
    database = postgres.rpartition("/")[2]
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    with session(postgres, tmp_path) as warehouse:
        warehouse.make_table("s", "t", {"v": "VARCHAR"})
        postgres_server.execute(end)
        with pytest.raises(StatementFailed, match=r"the connection to PostgreSQL was lost: (.|\n)*backhaul resume"):
            warehouse.insert("s", "t", [{"v": "a"}])
        warehouse.insert("s", "t", [{"v": "b"}])
        assert warehouse.rows("SELECT * FROM s.t") == [{"v": "b"}]
        with pytest.raises(StatementFailed, match="connection to PostgreSQL was lost"), warehouse.transaction():
            warehouse.insert("s", "t", [{"v": "c"}])
            postgres_server.execute(end)
            with pytest.raises(StatementFailed, match="was lost"):
                warehouse.execute("DELETE FROM s.t")
            warehouse.insert("s", "t", [{"v": "d"}])  # not in a transaction of its own, half of which is gone
        assert warehouse.rows("SELECT * FROM s.t") == [{"v": "b"}]


def test_rows_are_streamed_again_after_the_server_has_cut_every_connection(
    postgres_server: PostgresServer, postgres: str, tmp_path: Path
) -> None:
    database = postgres.rpartition("/")[2]
    with session(postgres, tmp_path) as warehouse:
        assert warehouse.arrow("SELECT 1 AS one").read_all().num_rows == 1
        postgres_server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        with pytest.raises(StatementFailed, match="was lost"):
            warehouse.arrow("SELECT 1 AS one")
        assert warehouse.arrow("SELECT 1 AS one").read_all().num_rows == 1


@pytest.mark.parametrize("connections", [1, 2])
def test_a_server_that_takes_no_more_connections_is_told_when_rows_are_streamed(
    postgres_server: PostgresServer, role: tuple[str, str], tmp_path: Path, connections: int
) -> None:
    name, url = role
    postgres_server.execute(f"ALTER ROLE {name} CONNECTION LIMIT {connections}")
    with session(url, tmp_path) as warehouse:
        with pytest.raises(StatementFailed, match=r"too many connections(.|\n)*take more connections"):
            warehouse.arrow("SELECT 1 AS one")
        postgres_server.execute(f"ALTER ROLE {name} CONNECTION LIMIT 9")
        assert warehouse.arrow("SELECT 1 AS one").read_all().to_pylist() == [{"one": 1}]
        postgres_server.execute(f"ALTER ROLE {name} NOLOGIN")
        with pytest.raises(StatementFailed, match=r"not permitted to log in(.|\n)*see that the server is up"):
            warehouse.arrow("SELECT 1 AS one")


def test_a_server_that_is_gone_is_told_at_once(tmp_path: Path) -> None:
    with (
        pytest.raises(BackhaulError, match=r"127\.0\.0\.1:1, database d\) does not let us in: (.|\n)*credentials"),
        session("postgresql://u:secret@127.0.0.1:1/d", tmp_path),
    ):
        pass
