"""How fast an import into PostgreSQL is, next to PostgreSQL's own COPY of the same rows from a file.

    python benchmarks/postgres.py [--rows 1000000]

A Salesforce simulator in a process of its own holds `--rows` contacts; a PostgreSQL server is started in a
temporary folder, its writes durable as a real one's are. The import runs in a fresh process: connector, spool,
scratch DuckDB, CSV, dlt, COPY, raw log, 25 fields. Then the log's rows are written to a CSV file and COPYed from it to
an empty table of the same columns, twice; the better time counts. Printed: `load`, the import's time from the last page
on to that of COPY, and `whole`, the whole import to fetching plus COPY.

Aim: `load` within 2.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from simulated import Simulated, measured, peak_mb, write_project

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.warehouse.postgres_server import PostgresServer


def measure(folder: Path) -> dict[str, Any]:
    """One import in this process, and COPY of what it loaded."""
    import dlt
    import pyarrow

    from backhaul.config import load_project
    from backhaul.crm import open_connector
    from backhaul.importing import import_object
    from backhaul.warehouse import open_warehouse

    assert dlt.__version__ and pyarrow.__version__  # loading libraries is a process's cost, not an import's
    project = load_project(folder)
    connector = open_connector(project.profile.accounts["salesforce"])
    connector.now()
    began = fetched = time.perf_counter()

    def progress(rows: int, expected: int) -> None:
        nonlocal fetched
        fetched = time.perf_counter()

    with open_warehouse(project.profile.warehouse, folder) as warehouse:
        config = project.sources["salesforce"].objects["Contact"]
        result = import_object(
            project, warehouse, connector, config, "LASTIMPORT_bench", spool_root=folder / "spool", progress=progress
        )
        ended = time.perf_counter()
        count = warehouse.scalar("SELECT count(*) FROM raw.salesforce__contact")
    assert count == result.rows_loaded == result.rows_received
    return {
        "rows": count,
        "total": ended - began,
        "fetch": fetched - began,
        "load": ended - fetched,
        "memory": peak_mb(),
    }


def copied(url: str, file: Path) -> float:
    """Seconds that COPY takes to load the log's rows from a file into an empty table."""
    import psycopg2

    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        if not file.exists():
            with file.open("wb") as out:
                cursor.copy_expert("COPY raw.salesforce__contact TO STDOUT (FORMAT csv)", out, size=1 << 20)
        cursor.execute("DROP TABLE IF EXISTS plain")
        cursor.execute("CREATE TABLE plain (LIKE raw.salesforce__contact)")
    began = time.perf_counter()
    with connection, connection.cursor() as cursor, file.open("rb") as rows:
        cursor.copy_expert("COPY plain FROM STDIN (FORMAT csv)", rows, size=1 << 20)
    took = time.perf_counter() - began
    connection.close()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    with (
        tempfile.TemporaryDirectory() as root,
        PostgresServer(**durable) as server,
        Simulated(Path(root) / "simulator") as simulated,
    ):
        url = server.create("bench")
        simulated.grow(options.rows)
        folder = Path(root) / "project"
        write_project(folder)
        (profile,) = (folder / "profiles").glob("*.yml")
        text = profile.read_text(encoding="utf-8")
        warehouse = f'warehouse: {{destination: postgres, credentials: "{url}"}}'
        profile.write_text(re.sub(r"^warehouse:.*\n(?:  .*\n)*", warehouse + "\n", text, flags=re.M), encoding="utf-8")
        row = measured([__file__, "--measure", str(folder)], simulated.environment)
        plain = min(copied(url, Path(root) / "rows.csv") for _ in range(2))
    print(
        f"{'rows':>9} {'total s':>8} {'rows/s':>8} {'fetch s':>8} {'load s':>7} {'COPY s':>7} {'load':>6} {'whole':>6}"
    )
    print(
        f"{row['rows']:>9} {row['total']:>8.2f} {row['rows'] / row['total']:>8.0f} {row['fetch']:>8.2f} "
        f"{row['load']:>7.2f} {plain:>7.2f} {row['load'] / plain:>6.2f} {row['total'] / (row['fetch'] + plain):>6.2f}"
        f"   (peak {row['memory']:.0f} MB)"
    )
    print("load: load s / COPY s. whole: total s / (fetch s + COPY s)")


if __name__ == "__main__":
    main()
