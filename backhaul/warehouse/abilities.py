"""What each of dlt's SQL destinations can do, where they differ: one table, read by :mod:`.through_dlt`.

Everything that is not in this table is the same for all of them, or dlt's own knowledge (its capabilities: the longest
statement, the formats that it loads, how an address becomes credentials).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from backhaul.warehouse import clickhouse


@dataclass(frozen=True, slots=True)
class Abilities:
    """One destination. The texts are its own SQL; ``{schema}``, ``{old}``, ``{new}`` stand for quoted names."""

    dialect: str
    """sqlglot's name of its SQL."""
    shared: bool = True
    """Several machines can be at work in it at once."""
    transactions: bool = True
    """Several statements can be undone together."""
    ddl_in_transactions: bool = False
    """Making and dropping is undone with them; else it ends what was begun before it."""
    or_replace: bool = True
    """CREATE OR REPLACE TABLE puts a new table in the place of an old one at once; else the new one is renamed."""
    rename: str = "ALTER TABLE {schema}.{old} RENAME TO {new}"
    view: str = "CREATE OR REPLACE VIEW {name} AS"
    """How a view is made where no table of its name stands; without OR REPLACE the old one is dropped before."""
    view_ends: str = ""
    """What stands after a view's query."""
    binds_views: bool = False
    """A view holds on to the table itself: it has to be made anew when that is replaced."""
    merges: bool = True
    """MERGE; else the rows of the same key are deleted and the new ones inserted."""
    unique: bool = False
    """A primary key is kept by the database, not only noted."""
    upper: bool = False
    """Names without quotes are upper case."""
    schemas: str = "CREATE SCHEMA IF NOT EXISTS {schema}"
    schemata: str = "information_schema.schemata"
    tables: str = "information_schema.tables"
    columns: str = "information_schema.columns"
    """Where it tells what stands in it; ``{schema}`` where that is asked schema by schema, '' where nothing tells."""
    session: tuple[str, ...] = ()
    """Said at the beginning of a session, so that instants come in UTC."""
    table_ends: str = ""
    """What stands behind a table's columns, or before the query that it is made of."""
    nullable: bool = True
    """A column can hold null unless it is said otherwise; else every one has to be declared so, of a query as well."""
    schemas_are_databases: bool = False
    """dlt knows databases and no schemas within them: the raw log is the database that it loads into."""
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """What is said in the address instead, where each statement is a session of its own."""
    cursors: bool = False
    """A result is fetched in parts only by DECLARE and FETCH; the driver alone would take all of it at once."""
    parquet: bool = True
    """dlt loads Parquet into it without a bucket beside it; else INSERT statements."""
    not_in_parquet: frozenset[str] = frozenset()
    """Types that dlt does not load into it from Parquet."""
    date_read: str = "{}"
    """How a date is read, as a text where the driver knows some dates only."""
    as_text: frozenset[str] = frozenset()
    """Types whose values go as texts: times as they are written, bytes as hexadecimal digits."""
    lists: bool = True
    """It has lists; else they are texts of JSON."""
    hexadecimal: str = "unhex('{}')"
    types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """DuckDB's words -> its own, where sqlglot's are not what dlt makes there, or lose something."""


_POSTGRES = Abilities(
    "postgres",
    ddl_in_transactions=True,
    or_replace=False,
    view="CREATE VIEW {name} AS",
    binds_views=True,
    unique=True,
    not_in_parquet=frozenset({"JSON"}),
    session=("SET TIME ZONE 'UTC'",),
    cursors=True,
    hexadecimal="decode('{}', 'hex')",
)
_DUCKDB = Abilities(
    "duckdb",
    shared=False,
    ddl_in_transactions=True,
    unique=True,
    session=("SET TimeZone = 'UTC'",),
)
_TSQL = Abilities(
    "tsql",
    ddl_in_transactions=True,
    or_replace=False,
    rename="EXEC sp_rename '{schema}.{old}', '{bare}'",
    view="CREATE OR ALTER VIEW {name} AS",
    parquet=False,  # that way of dlt's needs a driver manager and drivers of its own
    lists=False,
    hexadecimal="0x{}",
    schemas="IF SCHEMA_ID('{bare}') IS NULL EXEC('CREATE SCHEMA {schema}')",
    types=MappingProxyType(
        {
            "VARCHAR": "NVARCHAR(MAX)",
            "JSON": "NVARCHAR(MAX)",
            "BLOB": "VARBINARY(MAX)",
            "DOUBLE": "FLOAT(53)",
            "FLOAT": "REAL",
        }
    ),
)

ABILITIES: Mapping[str, Abilities] = MappingProxyType(
    {
        "duckdb": _DUCKDB,
        # MotherDuck is a server, DuckLake files with a catalogue: others are at work there as well, and keep no keys.
        "motherduck": replace(_DUCKDB, shared=True),
        "ducklake": replace(_DUCKDB, shared=True, unique=False),
        "postgres": _POSTGRES,
        "redshift": replace(
            _POSTGRES,
            dialect="redshift",
            view="CREATE OR REPLACE VIEW {name} AS",
            view_ends="WITH NO SCHEMA BINDING",
            binds_views=False,
            merges=False,
            unique=False,
            parquet=False,
            tables="svv_tables",
            columns="svv_columns",
            lists=False,
            hexadecimal="from_hex('{}')",
            types=MappingProxyType({"JSON": "SUPER", "VARCHAR": "VARCHAR(65535)", "UUID": "VARCHAR(36)"}),
        ),
        "snowflake": Abilities(
            "snowflake",
            rename="ALTER TABLE {schema}.{old} RENAME TO {schema}.{new}",
            upper=True,
            session=("ALTER SESSION SET TIMEZONE = 'UTC'",),
            hexadecimal="TO_BINARY('{}', 'HEX')",
            types=MappingProxyType({"TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ", "UUID": "VARCHAR(36)"}),
        ),
        # BigQuery has transactions, and dlt's client opens them in a session; statements that make tables end them.
        "bigquery": Abilities(
            "bigquery",
            schemata="",  # it has a list a region
            tables="{schema}.INFORMATION_SCHEMA.TABLES",
            columns="{schema}.INFORMATION_SCHEMA.COLUMNS",
            not_in_parquet=frozenset({"JSON"}),
            hexadecimal="FROM_HEX('{}')",
        ),
        "databricks": Abilities(
            "databricks",
            transactions=False,
            rename="ALTER TABLE {schema}.{old} RENAME TO {schema}.{new}",
            session=("SET TIME ZONE 'UTC'",),
            not_in_parquet=frozenset({"TIME"}),
            types=MappingProxyType({"TIME": "STRING", "JSON": "STRING"}),
        ),
        # What is replaced is replaced whole, by exchanging tables; nothing else of it is undone.
        "clickhouse": Abilities(
            "clickhouse",
            transactions=False,
            rename="RENAME TABLE {schema}.{old} TO {schema}.{new}",
            view_ends=clickhouse.VIEW_ENDS,
            merges=False,
            schemas="CREATE DATABASE IF NOT EXISTS {schema}",
            settings=clickhouse.SETTINGS,
            table_ends="ENGINE = MergeTree ORDER BY tuple()",
            nullable=False,
            schemas_are_databases=True,
            lists=False,
            hexadecimal="'{}'",  # bytes are texts of their digits: a text's bytes need not be characters there
            as_text=frozenset({"TIME", "BLOB"}),
            date_read="toString({})",  # the driver knows no date before 1900
            types=MappingProxyType(
                {
                    "DATE": "Nullable(Date32)",
                    "TIMESTAMP WITH TIME ZONE": f"Nullable({clickhouse.INSTANT})",
                    "TIMESTAMP": f"Nullable({clickhouse.WALL_CLOCK})",
                    **dict.fromkeys(("TIME", "JSON", "BLOB"), "Nullable(String)"),
                }
            ),
        ),
        "mssql": _TSQL,
        "fabric": replace(
            _TSQL,
            dialect="fabric",
            types=MappingProxyType(
                {**_TSQL.types, "VARCHAR": "VARCHAR(MAX)", "JSON": "VARCHAR(MAX)", "DOUBLE": "FLOAT", "FLOAT": "REAL"}
            ),
        ),
    }
)
"""The destinations that a project can live in through dlt's client, under dlt's names."""

PROVED = frozenset({"duckdb", "postgres", "clickhouse"})
"""What this project's tests run on. For all others their SQL is compiled and parsed, and dlt's client made."""
