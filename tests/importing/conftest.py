from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import WarehouseConfig
from backhaul.importing import ImportResult, import_deleted, import_object, mirror_sql, states
from backhaul.importing.log import RAW_SCHEMA, raw_table
from backhaul.warehouse import Warehouse, open_warehouse
from tests.warehouse.subjects import BY_DLT, FIRST_DUCKDB, postgres_config

from .served import Org, Served, object_config, project

OPTION = "LASTIMPORT_demo_contacts"


@dataclass
class Desk:
    """A warehouse file, an org, and the importer between them."""

    folder: Path
    org: Org
    crm: Served
    warehouse: Warehouse
    project: Any
    config: Any

    def run(self, **options: Any) -> ImportResult:
        return import_object(
            self.project,
            self.warehouse,
            self.crm,
            self.config,
            options.pop("option", OPTION),
            spool_root=self.spools,
            progress=lambda rows, expected: None,
            **options,
        )

    def run_deleted(self, **options: Any) -> ImportResult:
        return import_deleted(
            self.project,
            self.warehouse,
            self.crm,
            self.config,
            option="LASTIMPORT_demo_gone",
            spool_root=self.spools,
            progress=lambda rows, expected: None,
            **options,
        )

    @property
    def spools(self) -> Path:
        return self.folder / ".backhaul" / "spool"

    def log(self, columns: str = "* EXCLUDE (_dlt_load_id)") -> list[dict[str, Any]]:
        table = self.warehouse.relation(RAW_SCHEMA, raw_table("salesforce", "Contact"))
        return self.warehouse.engine(anew=True).rows(f"SELECT {columns} FROM {table} ORDER BY ALL")

    def mirror(self, column: str) -> dict[str, Any]:
        engine = self.warehouse.engine(anew=True)
        sql = mirror_sql(engine, "salesforce", "Contact", "Id", "LastModifiedDate")
        return {row["Id"]: row[column] for row in engine.rows(sql)}

    def value(self, option: str = OPTION) -> datetime | None:
        return {one.option_name: one.value for one in states(self.project, self.warehouse)}[option]


@pytest.fixture(params=[*FIRST_DUCKDB, *(pytest.param(name, marks=pytest.mark.slow) for name in BY_DLT)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    org = Org()
    config = WarehouseConfig(path=str(tmp_path / "w.duckdb"))
    if request.param.endswith("postgres"):
        config = postgres_config(request.getfixturevalue("postgres"), request.param)
    elif request.param in BY_DLT:
        config = WarehouseConfig.model_validate(
            {"destination": request.param, "credentials": str(tmp_path / "w.duckdb")}
        )
    with open_warehouse(config, tmp_path) as warehouse:
        yield Desk(tmp_path, org, Served(org), warehouse, project(tmp_path), object_config(["LastName", "Email"]))
