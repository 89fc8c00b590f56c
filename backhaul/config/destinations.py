"""The databases that a profile may name, without asking any library: what each can do is the warehouse's knowledge."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DESTINATIONS = (
    *("duckdb", "motherduck", "ducklake", "postgres", "redshift"),
    *("snowflake", "bigquery", "databricks", "clickhouse", "mssql", "fabric"),
)
"""What `warehouse.destination` may say, under dlt's names."""

PREFIX = "dlt.destinations."
"""Before a name: that destination by dlt's client, also where there is a faster way of the engine's own."""

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "athena": "it changes no rows of its tables in place, and loads only over a bucket beside it",
        "dremio": "it undoes nothing, and loads only over a bucket beside it",
        "filesystem": "it is files, which dlt only reads in SQL",
        "sqlalchemy": "its SQL is another one with every address",
        "synapse": "its default kind of table keeps no long texts, and replaces nothing in one step",
    }
)
"""dlt's other SQL destinations, and why none of them can hold a project."""
