"""How a connection to PostgreSQL is opened, what it is told first, and its errors in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg2
import psycopg2.extensions
import psycopg2.extras

from backhaul.errors import BackhaulError, ConfigurationError, Fault
from backhaul.warehouse.door import StatementFailed

SESSION = (
    "SET TIME ZONE 'UTC'",
    "SET DateStyle = 'ISO, MDY'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
    "SET standard_conforming_strings = on",
    # A plan holds its snapshot while DuckDB works, and an undo while a CRM answers.
    "SET idle_in_transaction_session_timeout = 0",
)
"""What a role or a database may have set otherwise, and what texts of values would differ by."""
_WAITS_FOR_LOCKS = "10min"
"""How long a statement waits for another session, where neither role nor database says how long."""
NEXT = {
    "25006": "the database takes no writing: it is a standby, or default_transaction_read_only is set",
    "42501": "give the warehouse's user the right, or the schemas: README, A warehouse on PostgreSQL",
    "53100": "make room on the database server, then run it again",
    "53200": "give the database server more memory, or build the model in smaller steps",
    "53300": "let the server take more connections (max_connections), or run it again later",
    "55P03": "another session holds a lock on it (pg_stat_activity and pg_locks tell which): run it again when that "
    "has ended, or raise lock_timeout of the warehouse's user",
    "57014": "somebody cancelled it, or it took longer than statement_timeout of the warehouse's user allows",
}
"""By SQLSTATE what to do about a refusal that is no fault of the statement."""
_GONE = "see that the server is up, then run it again, or finish the run with backhaul resume"
_ENDED = ("57P01", "57P02", "57P03", "08000", "08003", "08006")


def failed(error: psycopg2.Error, sql: str, *, located: bool) -> StatementFailed:
    """The driver's error in our words, with the position that PostgreSQL told in characters."""
    told = error.diag
    reason = (told.message_primary or str(error)).strip() or type(error).__name__
    for more in (told.message_detail, told.context if error.pgcode and error.pgcode.startswith("22") else None):
        reason += f"; {more.splitlines()[0]}" if more else ""
    hint, code = (told.message_hint or "").rstrip("."), error.pgcode or ""
    if code in _ENDED or (not code and isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)):
        reason = f"the connection to PostgreSQL was lost: {reason.splitlines()[0]}"
        hint = _GONE
    line = column = 0
    if located and told.statement_position and code not in NEXT:
        before = sql[: int(told.statement_position) - 1]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    return StatementFailed(reason, sql=sql, line=line, column=column, hint=hint or NEXT.get(code, ""), code=code)


def not_let_in(told: str, sql: str) -> StatementFailed:
    """A further connection that the server refused, which let us in before. libpq tells no SQLSTATE of that."""
    reason = told.split("FATAL:", 1)[-1].strip().splitlines()[0]
    crowded = "too many" in reason or "slots" in reason
    hint = NEXT["53300"] if crowded else _GONE
    return StatementFailed(f"no further connection to PostgreSQL: {reason}", sql=sql, hint=hint)


def address(credentials: str | Mapping[str, Any]) -> str:
    """libpq's address of dlt's credentials. Raises ConfigurationError that names what is missing."""
    from dlt.common.configuration import resolve_configuration
    from dlt.common.configuration.exceptions import ConfigurationException
    from dlt.common.exceptions import DltException
    from dlt.destinations.impl.postgres.configuration import PostgresCredentials

    wanted = "write credentials as an address, postgresql://user:password@host:5432/database, or as a mapping"
    try:
        given = credentials if isinstance(credentials, str) else dict(credentials)
        made = PostgresCredentials(given)
        if not made.is_resolved():
            made = resolve_configuration(PostgresCredentials(), explicit_value=given)
        return _in_utf8(str(made.to_native_representation()))
    except (ConfigurationException, DltException, ValueError, TypeError, AttributeError) as error:
        missing = [
            name
            for name in ("database", "username", "password", "host")
            if isinstance(credentials, Mapping) and not credentials.get(name)
        ]
        found = f"lack {', '.join(missing)}" if missing else "are none that PostgreSQL takes"
        raise ConfigurationError(Fault(f"the warehouse's credentials {found}", hint=wanted)) from error


def _in_utf8(address: str) -> str:
    """The address with the encoding of everything that goes over the connection, whatever the role has for its own."""
    parts = urlsplit(address)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "client_encoding"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("client_encoding", "UTF8")])))


def connect(uri: str) -> Any:
    """A connection in autocommit mode, its session set up.

    Raises BackhaulError when the server does not let us in, ConfigurationError for a database that cannot hold a CRM's
    texts.
    """
    try:
        connection = psycopg2.connect(uri, application_name="backhaul")
    except psycopg2.OperationalError as error:
        known = psycopg2.extensions.parse_dsn(uri)
        place = f"{known.get('host', '')}:{known.get('port', '5432')}, database {known.get('dbname', '')}"
        reason = str(error).strip().splitlines()[-1].split("FATAL:", 1)[-1].strip()
        raise BackhaulError(
            f"the warehouse (PostgreSQL at {place}) does not let us in: {reason}",
            hint="check `warehouse.credentials` in the profile, and that the server is reachable from here",
        ) from None
    connection.autocommit = True
    encoding = connection.get_parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise ConfigurationError(
            Fault(
                f"the warehouse's database keeps its texts as {encoding}, which has not every character of a CRM",
                allowed=("UTF8",),
                hint="make one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
            )
        )
    with connection.cursor() as cursor:
        for setting in (*SESSION, "SET client_min_messages = warning"):
            cursor.execute(setting)
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'",
            (_WAITS_FOR_LOCKS,),
        )
    psycopg2.extras.register_default_json(connection, loads=lambda text: text)
    psycopg2.extras.register_default_jsonb(connection, loads=lambda text: text)
    return connection
