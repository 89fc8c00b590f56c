"""The destinations of dlt: which there are, what they want, and that dlt's own clients of them can be made."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from sqlglot import exp, parse_one

from backhaul.config import WarehouseConfig
from backhaul.config.destinations import DESTINATIONS, PREFIX, REFUSED
from backhaul.errors import BackhaulError, ConfigurationError, IncompleteImport
from backhaul.importing.fields import type_hints
from backhaul.transform.dialects import TARGETS
from backhaul.warehouse import open_warehouse
from backhaul.warehouse.abilities import ABILITIES, PROVED
from backhaul.warehouse.dlt_client import Client, destinations
from backhaul.warehouse.through_dlt import DltWarehouse

from .subjects import BY_DLT

SECRET = "Tr0ub4dor&3"
CREDENTIALS: dict[str, tuple[Any, str]] = {
    "duckdb": ("file.duckdb", "duckdb"),
    "motherduck": ({"database": "m", "password": SECRET}, "duckdb"),
    "ducklake": ({"catalog": "sqlite:///catalogue.sqlite", "storage": "lake"}, "duckdb"),
    "postgres": (f"postgresql://u:{SECRET}@h:5432/db", "psycopg2"),
    "redshift": (f"redshift://u:{SECRET}@h:5439/db", "psycopg2"),
    "snowflake": (
        {"database": "D", "username": "u", "password": SECRET, "host": "account", "warehouse": "W"},
        "snowflake",
    ),
    "bigquery": ({"project_id": "p", "private_key": SECRET, "client_email": "me@p.example"}, "google.cloud.bigquery"),
    "databricks": (
        {"server_hostname": "h", "http_path": "/x", "catalog": "c", "access_token": SECRET},
        "databricks",
    ),
    "clickhouse": (
        {"host": "h", "port": 9000, "http_port": 8123, "username": "u", "password": SECRET, "database": "d"},
        "clickhouse_driver",
    ),
    "mssql": (f"mssql://u:{SECRET}@h:1433/db?driver=ODBC+Driver+18+for+SQL+Server", "pyodbc"),
    "fabric": (
        {
            **{"host": "h", "database": "d", "azure_tenant_id": "t", "azure_client_id": "c"},
            "azure_client_secret": SECRET,
        },
        "pyodbc",
    ),
}


def installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def test_every_sql_destination_of_dlt_is_known() -> None:
    assert set(DESTINATIONS) == set(ABILITIES)
    assert set(DESTINATIONS) | set(REFUSED) == set(destinations())
    assert set(DESTINATIONS) >= PROVED
    assert {name: TARGETS[name] for name in DESTINATIONS} == {name: can.dialect for name, can in ABILITIES.items()}


@pytest.mark.parametrize("name", DESTINATIONS)
def test_dlts_client_is_made_or_its_package_named(tmp_path: Path, name: str) -> None:
    given, package = CREDENTIALS[name]
    try:
        made = Client(name, given, tmp_path, "raw")
    except ConfigurationError as error:
        assert f"the destination {name} needs" in str(error) and f"pip install 'backhaul[{name}]'" in str(error)
        assert not installed(package) or package == "pyodbc"  # pyodbc is there, and its ODBC library may not be
        return
    assert installed(package)
    client = made.job_client().sql_client
    can = made.abilities
    assert client.capabilities.sqlglot_dialect == can.dialect
    assert not can.parquet or "parquet" in client.capabilities.supported_loader_file_formats
    assert can.parquet or "insert_values" in client.capabilities.supported_loader_file_formats
    # dlt's tables lie where the models look for them, under the names that they are carried over to.
    named = parse_one(f"SELECT * FROM {client.make_qualified_table_name('salesforce__contact')}", dialect=can.dialect)
    (found,) = named.find_all(exp.Table)
    expected = ("RAW", "SALESFORCE__CONTACT") if can.upper else ("raw", "salesforce__contact")
    assert (found.db, found.name) == expected
    if SECRET in str(given):
        assert SECRET not in str(made) and SECRET not in made.without_secrets(f"wrong password {SECRET}")


def config(**given: Any) -> WarehouseConfig:
    return WarehouseConfig.model_validate(given)


@pytest.mark.parametrize("name", [*REFUSED, "lancedb", "oracle"])
def test_what_cannot_hold_a_project_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Client(name, None, tmp_path, "raw")
    text = str(refused.value)
    assert (
        REFUSED.get(name) or "is no SQL destination of dlt"
    ) in text and "allowed: bigquery, clickhouse, databricks" in text


def test_credentials_come_from_dlts_own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: str) -> None:
    given = config(destination="dlt.destinations.postgres")
    with pytest.raises(ConfigurationError) as lacking:
        open_warehouse(given, tmp_path)
    assert "for postgres lack database, password, username, host" in str(lacking.value)
    assert "DESTINATION__POSTGRES__CREDENTIALS__DATABASE" in str(lacking.value)
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "secrets.toml").write_text(f'[destination.postgres]\ncredentials = "{postgres}"\n')
    with open_warehouse(given, tmp_path) as warehouse:
        assert warehouse.scalar("SELECT 1") == 1
    (tmp_path / ".dlt" / "secrets.toml").unlink()
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres)
    with open_warehouse(given, tmp_path) as warehouse:
        assert warehouse.scalar("SELECT 2") == 2


def test_a_refused_sign_in_tells_no_secret(tmp_path: Path, postgres: str) -> None:
    wrong = postgres.replace("backhaul:p", "backhaul:q")
    with pytest.raises(BackhaulError, match=r"the warehouse .postgres at .* does not let us in: ") as refused:
        open_warehouse(config(destination="dlt.destinations.postgres", credentials=wrong), tmp_path)
    assert "40ss" not in str(refused.value) and "w:rd" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="credentials"):
        open_warehouse(config(destination="redshift", credentials="mysql://x"), tmp_path)


KINDS = {
    **{"id": "VARCHAR", "LastName": "VARCHAR", "flag": "BOOLEAN", "count_of": "BIGINT", "money": "DECIMAL(18,2)"},
    **{"rate": "DOUBLE", "day": "DATE", "at": "TIMESTAMP WITH TIME ZONE", "wall": "TIMESTAMP", "clock": "TIME"},
}
ROWS = (
    "SELECT 'a' AS id, 'O''Neil \\ 100%; {x}' AS LastName, TRUE AS flag, 7::BIGINT AS count_of, "
    "12.70::DECIMAL(18,2) AS money, 0.1::DOUBLE AS rate, DATE '1899-12-31' AS day, "
    "TIMESTAMPTZ '2026-03-29 01:30:00.123456+00' AS at, TIMESTAMP '2026-03-29 02:30:00' AS wall, "
    "TIME '23:59:59' AS clock"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_DLT)
@pytest.mark.parametrize("file", ["parquet", "insert_values"])
@pytest.mark.parametrize("extra", ["", "JSON"])
def test_what_is_packed_is_loaded_by_dlt(
    request: pytest.FixtureRequest, tmp_path: Path, name: str, file: str, extra: str
) -> None:
    import dlt

    kinds = {**KINDS, **({"tags": extra} if extra else {})}
    rows = ROWS + (""", '["x", "y"]'::JSON AS tags""" if extra else "")
    plain = name.removeprefix(PREFIX)
    given = request.getfixturevalue("postgres") if plain == "postgres" else str(tmp_path / "w.duckdb")
    can = replace(ABILITIES[plain], parquet=file == "parquet")
    with DltWarehouse(plain, given, tmp_path, abilities=can) as warehouse:
        pipeline = dlt.pipeline(
            "packed",
            destination=warehouse.destination(lambda: 1),
            dataset_name="raw",
            pipelines_dir=str(tmp_path / "d"),
        )
        path, kind = warehouse.package(rows, kinds, tmp_path / "rows")
        assert kind == ("insert_values" if extra and plain == "postgres" else file)
        hints = [{**type_hints(kind), "name": column.lower(), "nullable": True} for column, kind in kinds.items()]
        mark = dlt.mark.with_file_import(str(path), kind, 1, pyarrow.table({}))  # type: ignore[arg-type]
        pipeline.run(dlt.resource([mark], name="t", columns=hints)).raise_on_failed_jobs()  # type: ignore[arg-type]
        found = warehouse.engine(anew=True)
        assert found.columns("raw", "t") == {column.lower(): kind for column, kind in kinds.items()}
        expected = found.rows(rows)[0]
        (loaded,) = found.rows(f"SELECT * FROM {found.relation('raw', 't')}")
        if extra:
            assert json.loads(loaded.pop("tags")) == json.loads(expected.pop("tags"))
        assert loaded == {column.lower(): value for column, value in expected.items()}
        warehouse.destination(lambda: 2)
        with pytest.raises(IncompleteImport, match="2 records were announced, 1 are readable"):
            warehouse.package(rows, kinds, tmp_path / "more")
