"""The warehouses that a suite is run on, and tables for them that are written once, in DuckDB's SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import WarehouseConfig
from backhaul.warehouse import Warehouse, open_warehouse
from backhaul.warehouse.abilities import ABILITIES
from backhaul.warehouse.through_dlt import DltWarehouse

BY_DLT = ("dlt.destinations.duckdb", "dlt.destinations.postgres")
"""The databases that run here, by dlt's own client and the class for all of its destinations."""
SUBJECTS = ("duckdb", "postgres", *BY_DLT)
CLICKHOUSE = pytest.param("clickhouse", marks=pytest.mark.clickhouse)
AS_TEXT = {"clock": "23:59:59", "bytes": "00ff", "tags": '["a,b", "c\\"d", ""]'}
"""What ClickHouse keeps as texts, of :data:`tests.warehouse.test_door.ROW`."""
LESS = "a database that can do less"
"""DuckDB by dlt's client, kept from what Redshift or Snowflake cannot do: MERGE, tables undone, replaced at once."""
FIRST_DUCKDB = ("duckdb", pytest.param("postgres", marks=pytest.mark.slow))
"""For suites whose way through PostgreSQL others walk as well: the template's whole run, the door's own suite."""


def postgres_config(url: str, destination: str = "postgres") -> WarehouseConfig:
    """The configuration of a PostgreSQL warehouse at an address."""
    return WarehouseConfig.model_validate({"destination": destination, "credentials": url})


@contextmanager
def subject(name: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Warehouse]:
    """An empty warehouse of one kind; the PostgreSQL server is started when the first test wants it."""
    config = WarehouseConfig(path=str(folder / "subject.duckdb"))
    if name.endswith("postgres"):
        config = postgres_config(request.getfixturevalue("postgres"), name)
    elif name in BY_DLT:
        config = WarehouseConfig.model_validate({"destination": name, "credentials": str(folder / "subject.duckdb")})
    if name == "clickhouse":
        server = request.getfixturevalue("clickhouse_server")
        config = WarehouseConfig.model_validate({"destination": name, "credentials": server.emptied()})
    if name == LESS:
        can = replace(ABILITIES["duckdb"], merges=False, ddl_in_transactions=False, or_replace=False, unique=False)
        with DltWarehouse("duckdb", str(folder / "subject.duckdb"), folder, abilities=can) as less:
            yield less
        return
    with open_warehouse(config, folder) as opened:
        yield opened


def table(warehouse: Warehouse, schema: str, name: str, sql: str) -> None:
    """Make a table of a SELECT in DuckDB's SQL, with the types that it has there."""
    if warehouse.engine() is warehouse:
        warehouse.create_table_as(schema, name, sql)
        return
    engine = warehouse.engine(anew=True)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE as_written AS {sql}")
    columns = engine.rows("SELECT column_name AS name, column_type AS kind FROM (DESCRIBE temp.as_written)")
    with warehouse.transaction():
        warehouse.make_table(schema, name, {row["name"]: row["kind"].strip('"') for row in columns})
        warehouse.pour(schema, name, "SELECT * FROM temp.as_written")


def point(folder: Path, profile: str, credentials: str | dict[str, Any], destination: str = "postgres") -> None:
    """Let a profile of a project have another database as its warehouse; nothing else changes."""
    path = folder / "profiles" / f"{profile}.yml"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(
        r"^warehouse:\n(  .*\n)+",
        f"warehouse:\n  destination: {destination}\n  credentials: {json.dumps(credentials)}\n",
        text,
        flags=re.MULTILINE,
    )
    assert changed != text
    path.write_text(changed, encoding="utf-8")
