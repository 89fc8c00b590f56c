"""dlt's DuckDB destination, its rows counted in the transaction that brings them.

That also spares the reading of every page only to count (see :mod:`backhaul.warehouse.counting`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.impl.duckdb.factory import duckdb
from dlt.destinations.job_client_impl import ModelLoadJob

from backhaul.warehouse.counting import check_count
from backhaul.warehouse.told_once import ToldOnce

Expected = Callable[[], int | None]


class _CountedJob(ModelLoadJob):
    """An insert that stands only when as many rows came as were expected; None: any number."""

    def __init__(self, file_path: str, expected: Expected) -> None:
        super().__init__(file_path)
        self._expected = expected

    def run(self) -> None:
        client = self._job_client.sql_client
        table = client.make_qualified_table_name(self.load_table_name)
        with client.begin_transaction():
            before = _count(client, table)
            super().run()
            check_count(self._expected(), _count(client, table) - before)


def _count(client: Any, table: str) -> int:
    # DuckDB knows a table's number of rows without reading it.
    return int(client.execute_sql(f"SELECT count(*) FROM {table}")[0][0])


def counting(credentials: Any, expected: Expected) -> Any:
    """The destination; `expected` is asked when the rows of a package are in, and another number fails the load."""

    class Client(DuckDbClient):
        def create_load_job(self, table: Any, file_path: str, load_id: str, restore: bool = False) -> Any:
            if ModelLoadJob.is_model_job(file_path):
                return _CountedJob(file_path, expected)
            return super().create_load_job(table, file_path, load_id, restore)

    class Destination(ToldOnce, duckdb):
        # dlt names a destination by its class, in its state too; to it this one is DuckDB like any other.
        destination_type = "dlt.destinations.duckdb"

        @property
        def client_class(self) -> type[DuckDbClient]:
            return Client

    return Destination(credentials)
