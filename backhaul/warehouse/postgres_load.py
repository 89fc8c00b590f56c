"""dlt's PostgreSQL destination with one job of ours: COPY of a CSV file in which null and the empty text differ.

dlt's own job for CSV makes one of the two (``FORCE_NULL``), its job for Parquet cannot fill ``jsonb`` columns. Schema,
state and load packages stay dlt's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dlt.common.destination.client import HasFollowupJobs, RunnableLoadJob
from dlt.common.storages.file_storage import FileStorage
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.impl.postgres.factory import postgres
from dlt.destinations.impl.postgres.postgres import PostgresClient

from backhaul.warehouse.counting import check_count

if TYPE_CHECKING:
    from dlt.common.destination.client import LoadJob
    from dlt.common.destination.typing import PreparedTableSchema

_CHUNK = 1 << 20


class _CopyJob(RunnableLoadJob, HasFollowupJobs):
    """COPY of one file, whose first line names its columns; it stands when as many rows came as were expected."""

    def __init__(self, file_path: str, expected: Callable[[], int | None]) -> None:
        super().__init__(file_path)
        self._expected = expected

    def run(self) -> None:
        """Load the file in one transaction."""
        client: Any = self._job_client
        sql = client.sql_client
        with FileStorage.open_zipsafe_ro(self._file_path, "rb") as file:
            names = [name.strip('"') for name in file.readline().decode("utf-8").strip().split(",")]
            columns = ", ".join(sql.escape_column_name(name) for name in names)
            table = sql.make_qualified_table_name(self.load_table_name)
            with sql.begin_transaction(), sql.native_connection.cursor() as cursor:
                cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv)", file, size=_CHUNK)
                check_count(self._expected(), cursor.rowcount)


def destination(uri: str, expected: Callable[[], int | None] = lambda: None) -> Any:
    """The destination for the database at `uri`; another number of a package's rows than `expected` fails its load."""

    class Client(PostgresClient):
        def create_load_job(
            self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
        ) -> LoadJob:
            """Ours for CSV, dlt's for everything else."""
            if ParsedLoadJobFileName.parse(file_path).file_format == "csv":
                return _CopyJob(file_path, expected)
            return super().create_load_job(table, file_path, load_id, restore)

    class Destination(postgres):
        # dlt names a destination by its class, in its state too; to it this one is PostgreSQL like any other.
        destination_type = "dlt.destinations.postgres"

        @property
        def client_class(self) -> type[PostgresClient]:
            """The client with our job."""
            return Client

    return Destination(credentials=uri, create_indexes=False)
