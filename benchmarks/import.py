"""How fast an import is, and how much memory it takes, next to DuckDB's own CSV reader over the same bytes.

    python benchmarks/import.py [--rows 200000] [--small 50000]

A Salesforce simulator runs in a process of its own and holds `--rows` contacts. Each measured import runs in a fresh
process: connector, spool, dlt, raw log, 25 fields. The same run then reads the very bytes that were spooled with one
`CREATE TABLE AS SELECT ... FROM read_csv(...)`, typed in the reader, into a new file. Printed: rows/s, peak resident
memory, and two ratios: `load` is our loading to DuckDB's reading; `whole` is the whole import to its limit, fetching
plus DuckDB's reading. The small size comes first, to show that memory does not grow with the rows.

Aim: `whole` within 1.3. dlt's fixed cost a run (about 0.3 s) and the count of what is in the pages weigh less as the
rows grow. On a machine that does other things too, only the smallest figures of several runs mean much.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from simulated import Simulated, measured, peak_mb, read_plainly, write_project


def measure(folder: Path) -> dict[str, Any]:
    """One import and one plain read, in this process; resets nothing, so run it in a fresh one."""
    from backhaul.config import load_project
    from backhaul.crm import open_connector
    from backhaul.importing import import_object
    from backhaul.importing.window import StepSpool
    from backhaul.warehouse import open_warehouse

    project = load_project(folder)
    connector = open_connector(project.profile.accounts["salesforce"])
    connector.now()
    import dlt
    import pyarrow

    assert dlt.__version__ and pyarrow.__version__  # loading libraries is a process's cost, not an import's
    marks: dict[str, float] = {}
    kept = folder / "kept"
    clear = StepSpool.clear

    def keep(spool: StepSpool) -> None:
        """Put the pages aside for the plain read instead of removing them."""
        if (spool.folder / "pages").is_dir() and not kept.exists():
            marks["loaded"] = time.perf_counter()
            shutil.move(spool.folder / "pages", kept)
        clear(spool)

    StepSpool.clear = keep  # type: ignore[method-assign, assignment]  # the very bytes of the import are needed
    began = time.perf_counter()
    fetched = began

    def progress(rows: int, expected: int) -> None:
        nonlocal fetched
        fetched = time.perf_counter()

    with open_warehouse(project.profile.warehouse, folder) as warehouse:
        config = project.sources["salesforce"].objects["Contact"]
        result = import_object(
            project, warehouse, connector, config, "LASTIMPORT_bench", spool_root=folder / "spool", progress=progress
        )
        ended = time.perf_counter()
        count = warehouse.scalar("SELECT count(*) FROM raw.salesforce__Contact")
        types = warehouse.columns("raw", "salesforce__Contact")
    memory = peak_mb()
    assert count == result.rows_loaded == result.rows_received
    pages = list(kept.glob("page-*"))
    plain = min(read_plainly(pages, types, folder / "plain.duckdb", count) for _ in range(2))
    return {
        "rows": count,
        "bytes": result.bytes,
        "total": ended - began,
        "fetch": fetched - began,
        "load": ended - fetched,
        "plain": plain,
        "memory": memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--small", type=int, default=50_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    sizes = sorted({options.small, options.rows})
    with tempfile.TemporaryDirectory() as root, Simulated(Path(root) / "simulator") as simulated:
        print(
            f"{'rows':>9} {'MB sent':>8} {'total s':>8} {'rows/s':>8} {'fetch s':>8} {'load s':>7} {'DuckDB s':>9} "
            f"{'load':>6} {'whole':>6} {'peak MB':>8}"
        )
        for size in sizes:
            simulated.grow(size)
            folder = Path(root) / str(size)
            write_project(folder)
            row = measured([__file__, "--measure", str(folder)], simulated.environment)
            print(
                f"{row['rows']:>9} {row['bytes'] / 2**20:>8.1f} {row['total']:>8.2f} "
                f"{row['rows'] / row['total']:>8.0f} "
                f"{row['fetch']:>8.2f} {row['load']:>7.2f} {row['plain']:>9.2f} {row['load'] / row['plain']:>6.2f} "
                f"{row['total'] / (row['fetch'] + row['plain']):>6.2f} "
                f"{row['memory']:>8.0f}"
            )
    print("load: load s / DuckDB s, the same pages. whole: total s / (fetch s + DuckDB s)")


if __name__ == "__main__":
    main()
