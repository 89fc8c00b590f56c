"""Models are written in DuckDB's dialect; for another warehouse they are carried over to its own."""

from __future__ import annotations

from collections.abc import Mapping

from backhaul.errors import ConfigurationError


def transpile(sql: str, dialect: str, schema: Mapping[str, Mapping[str, str]]) -> str:
    """The statement in sqlglot's `dialect`. `schema` is relation -> column -> type of what it reads.

    Raises ConfigurationError for what cannot be carried over.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        (carried,) = sqlglot.transpile(sql, read="duckdb", write=dialect, pretty=True)
    except (SqlglotError, ValueError) as error:
        raise ConfigurationError(f"the SQL cannot be carried over to {dialect}: {error}") from error
    return carried
