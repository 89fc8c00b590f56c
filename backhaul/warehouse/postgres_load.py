"""dlt's PostgreSQL destination with one job of ours: rows that DuckDB makes are piped into COPY.

dlt's own job for CSV makes one of null and the empty text (``FORCE_NULL``), its job for Parquet cannot fill ``jsonb``
columns, and both wait until a file is whole. Schema, state and load packages stay dlt's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.impl.postgres.factory import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient

from backhaul.warehouse.counting import check_count
from backhaul.warehouse.told_once import ToldOnce

if TYPE_CHECKING:
    from dlt.common.destination.client import LoadJob
    from dlt.common.destination.typing import PreparedTableSchema

_CHUNK = 1 << 20

Piped = Callable[[str], AbstractContextManager[BinaryIO]]
"""From a SELECT of the engine's to a stream of its rows as CSV; its end raises when the SELECT failed."""


class _CopyJob(RunnableLoadJob, HasFollowupJobs):
    """COPY of the rows of one SELECT, which stands in the file with the names of its columns.

    They stand when as many came as were expected.
    """

    def __init__(self, file_path: str, piped: Piped, expected: Callable[[], int | None]) -> None:
        super().__init__(file_path)
        self._piped = piped
        self._expected = expected

    def run(self) -> None:
        """Load all rows in one transaction, or none."""
        client: Any = self._job_client
        sql = client.sql_client
        task = json.loads(Path(self._file_path).read_text(encoding="utf-8"))
        columns = ", ".join(sql.escape_column_name(name) for name in task["columns"])
        table = sql.make_qualified_table_name(self.load_table_name)
        with sql.begin_transaction(), sql.native_connection.cursor() as cursor, self._piped(task["sql"]) as rows:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv)", rows, size=_CHUNK)
            check_count(self._expected(), cursor.rowcount)


def destination(uri: str, piped: Piped, expected: Callable[[], int | None] = lambda: None) -> Any:
    """The destination for the database at `uri`, whose rows come from `piped`.

    Another number of a package's rows than `expected` fails its load.
    """

    class Client(PostgresClient):
        def create_load_job(
            self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
        ) -> LoadJob:
            """Ours for what the warehouse packed, dlt's for everything else."""
            if ParsedLoadJobFileName.parse(file_path).file_format == "csv":
                return _CopyJob(file_path, piped, expected)
            return super().create_load_job(table, file_path, load_id, restore)

    class Destination(ToldOnce, postgres):
        # dlt names a destination by its class, in its state too; to it this one is PostgreSQL like any other.
        destination_type = "dlt.destinations.postgres"

        @property
        def client_class(self) -> type[PostgresClient]:
            """The client with our job."""
            return Client

    return Destination(credentials=uri, create_indexes=False)
