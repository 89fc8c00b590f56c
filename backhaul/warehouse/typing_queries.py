"""The columns that a query of the engine's gives, and their types, by sqlglot from the columns of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from backhaul.warehouse.abilities import ABILITIES
from backhaul.warehouse.wording import Wording


def columns_of(sql: str, columns: Callable[[str, str], Mapping[str, str]]) -> dict[str, str]:
    """Column -> type in DuckDB's words, '' where it is not known; empty when the query cannot be read."""
    try:
        tree = parse_one(sql, dialect="duckdb")
        known: dict[str, dict[str, dict[str, str]]] = {}
        for table in tree.find_all(exp.Table):
            if table.db:
                known.setdefault(table.db.lower(), {})[table.name.lower()] = dict(columns(table.db, table.name))
        schema = MappingSchema(dict(known), dialect="duckdb")
        tree = qualify(tree, dialect="duckdb", schema=schema, validate_qualify_columns=False)
        tree = annotate_types(tree, schema=schema, dialect="duckdb")
    except (SqlglotError, ValueError):
        return {}
    if not isinstance(tree, exp.Query) or any(isinstance(one, exp.Star) for one in tree.selects):
        return {}
    words = Wording(ABILITIES["duckdb"])
    return {
        one.alias_or_name: ""
        if one.type is None or one.type.is_type("unknown", "null")
        else words.kind({"data_type": one.type.sql("duckdb")})
        for one in tree.selects
    }
