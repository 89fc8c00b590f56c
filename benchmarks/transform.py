"""The template's models on a raw log of 1,000,000 contacts and leads, by backhaul and by dbt with dbt-duckdb.

The same folder, the same data, the same DuckDB; each on a file of its own, as a whole process from start to end, one
after the other. `backhaul transform` and `backhaul test` together do what `dbt build` does: the seed, 25 models and
every test. What both leave behind is compared.

    make .venv-dbt/.installed && python benchmarks/transform.py [--records 1000000]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from backhaul.simulator import demo_orgs  # noqa: E402 - found by the line above
from tests.template.campaign import Template, template  # noqa: E402

BACKHAUL = Path(sys.executable).parent / "backhaul"
DBT = ROOT / ".venv-dbt" / "bin" / "dbt"
RECORDS_A_PERSON = 1.644
BATCH = 50_000
LARGE = ("records", "pairs", "clusters", "recipients", "duplicates")


def fill(made: Template, people: int) -> int:
    """The raw log: every record of the demo's people, so many of them, once. Gives their number."""
    columns = {name: set(made.warehouse.columns("raw", f"{account}__{name}")) for account, name in demo_orgs.OBJECTS}
    waiting: dict[str, list[dict[str, Any]]] = defaultdict(list)
    records = demo_orgs.records(people)
    for record in records:
        name = record.object
        waiting[name].append({key: value for key, value in record.fields.items() if key in columns[name]})
        if len(waiting[name]) == BATCH:
            made.put(name, waiting.pop(name))
    for name, rows in waiting.items():
        made.put(name, rows)
    return len(records)


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command; gives its seconds on the clock, and its own seconds of work on all cores."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds, after = time.perf_counter() - began, os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    work = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, work


def counts(folder: Path) -> dict[str, int]:
    """Rows of the largest tables."""
    with template(folder) as made:
        return {
            name: int(made.rows(f"select count(*) as n from {made.graph[name].relation}")[0]["n"]) for name in LARGE
        }


def main() -> None:
    """Fill once, copy the file, measure both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000, help="contacts and leads of both CRMs")
    options = parser.parse_args()
    if not DBT.exists():
        sys.exit(f"{DBT} is not there. Next: make .venv-dbt/.installed")
    with tempfile.TemporaryDirectory(prefix="backhaul-bench-") as temporary:
        ours, theirs = Path(temporary) / "ours", Path(temporary) / "theirs"
        with template(ours) as made:
            made.warehouse.execute("SET GLOBAL preserve_insertion_order = false")
            records = fill(made, round(options.records / RECORDS_A_PERSON))
        shutil.copytree(ours, theirs, symlinks=True)
        where = ["--project-dir", str(ours), "--quiet"]
        transform = timed([str(BACKHAUL), "transform", *where])
        test = timed([str(BACKHAUL), "test", *where])
        subprocess.run([str(BACKHAUL), "dbt", "--project-dir", str(theirs), "--quiet"], check=True, capture_output=True)
        files = theirs / ".backhaul" / "dbt"
        build = timed([str(DBT), "build", "--project-dir", str(files), "--profiles-dir", str(files), "--quiet"])
        same = counts(ours) == counts(theirs)
        rows = counts(ours)
    print(f"{records:,} contacts and leads; seconds on the clock, and of work on all cores, whole processes")
    for what, (seconds, work) in (("backhaul transform", transform), ("backhaul test", test), ("dbt build", build)):
        print(f"{what:<20} {seconds:>8.1f} s {work:>8.1f} s")
    ratio = (transform[0] + test[0]) / build[0]
    print(f"backhaul / dbt: {ratio:.2f} on the clock, {(transform[1] + test[1]) / build[1]:.2f} of work")
    print(", ".join(f"{name} {count:,}" for name, count in rows.items()), "" if same else "AND DBT MADE OTHERS")
    if not same:
        sys.exit(1)


if __name__ == "__main__":
    main()
