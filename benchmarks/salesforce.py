"""Salesforce at size: contacts in by Bulk API 2.0, updates back by a plan, next to the bare work and another client.

    python benchmarks/salesforce.py [--rows 1000000] [--updates 200000] [--larger 3]

The simulator runs in a process of its own; each measurement runs in a fresh one:

- ``import``: the pipeline's import of 25 fields into DuckDB: connector, spool, dlt, raw log, cursor.
- ``bare``: the same records by the same API with `requests` and nothing else, page after page into files as they are
  sent, then DuckDB's own CSV reader, typed, into a table of a new file. This is the limit.
- ``simple``: simple-salesforce's Bulk 2 download of the same records into files, then the same reader.
- ``plan`` and ``export``: a model over the imported rows changes `--updates` of them; the plan and its sending.
- ``bare update``: the same number of updates as one CSV file by `requests`, its results fetched: the limit.
- the import once more with `--larger` times the rows (1: left out): memory that does not grow with them.

Printed: seconds, rows/s, CPU seconds of the measured process and of the simulator's, its peak resident memory, and
API requests a million rows; then the ratios to the limits of the same run. Aim: import within 1.2 of ``bare``, export
within reach of ``bare update``, memory under 600 MB at both sizes. On a machine that does other things too, only the
smallest ratios of several runs mean much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from simulated import FIELDS, Simulated, measured, peak_mb, read_plainly, write_project

COLUMNS = ("Id", *FIELDS, "LastModifiedDate")
# Each download asks in words of its own: the simulator answers the same question from what it has at hand.
SOQL = f"SELECT {', '.join(COLUMNS)} FROM Contact WHERE LastModifiedDate < %d-01-01T00:00:00Z"
PAGE_ROWS = 100_000
POLL_SECONDS = 0.1
UPDATED = ("Title", "Campaign_Score__c")
TYPES = {
    **dict.fromkeys(COLUMNS, "VARCHAR"),
    **dict.fromkeys(("HasOptedOutOfEmail", "DoNotCall"), "BOOLEAN"),
    **dict.fromkeys(("CreatedDate", "LastModifiedDate", "Last_Open__c"), "TIMESTAMP WITH TIME ZONE"),
    "Birthdate": "DATE",
    "Campaign_Score__c": "DECIMAL(5,1)",
}
MODEL = """
SELECT Id AS crm_id, 'Title ' || right(Id, 6) AS title, (coalesce(Campaign_Score__c, 0) + 1) %% 100 AS score
FROM {{ source('salesforce', 'Contact') }}
ORDER BY Id
LIMIT %d
"""
EXPORT = """
steps:
  - transform: wanted
  - export: salesforce.Contact
    from: wanted
    mode: update
    key: {Id: crm_id}
    map: {Title: title, Campaign_Score__c: score}
"""


class Clocked:
    """Seconds and CPU seconds from here on; libraries are loaded before, they are a process's cost, not a job's."""

    def __init__(self) -> None:
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    def figures(self, rows: int, **more: Any) -> dict[str, Any]:
        """What a measured process prints."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - self._children
        return {
            "rows": rows,
            "seconds": time.perf_counter() - self._began,
            "cpu": time.process_time() - self._cpu + children,
            "memory": peak_mb(),
            **more,
        }


def measure_import(folder: Path, _: int) -> dict[str, Any]:
    """The whole import step of a pipeline."""
    import dlt
    import pyarrow

    from backhaul.config import load_project
    from backhaul.workflow import Workspace

    assert dlt.__version__ and pyarrow.__version__
    with Workspace(load_project(folder)) as workspace:
        workspace.connector("salesforce").now()
        clocked = Clocked()
        (step,) = workspace.run("contacts").steps
        figures = clocked.figures(step.rows, bytes=step.details.get("bytes", 0))
        assert step.state == "done", step.message
        assert workspace.warehouse.scalar("SELECT count(*) FROM raw.salesforce__Contact") == step.rows
    return figures


def measure_export(folder: Path, updates: int) -> dict[str, Any]:
    """A plan and its sending, over what the import left in `folder`."""
    from backhaul.config import load_project
    from backhaul.workflow import Workspace

    with Workspace(load_project(folder)) as workspace:
        workspace.connector("salesforce").now()
        steps = workspace.pipeline("updates").steps
        workspace.run_steps(steps[:1], command="run")
        planning = Clocked()
        (step,) = workspace.export_steps("updates", steps[1].name)
        planned = workspace.plan(step).writes()
        plan = planning.figures(planned)
        clocked = Clocked()
        (result,) = workspace.run_steps(steps[1:], command="run").steps
        assert result.state == "done" and result.rows == planned, result.message
        assert planned == updates, f"{planned} rows in the plan"
        return clocked.figures(planned, plan=plan)


@contextmanager
def signed_in() -> Iterator[tuple[requests.Session, str]]:
    """A bare session of the simulated org and the base of its API."""
    url, session = os.environ["BACKHAUL_SALESFORCE_URL"], requests.Session()
    session.trust_env = False
    session.verify = os.environ["BACKHAUL_CA_BUNDLE"]
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ["BACKHAUL_SALESFORCE_CLIENT_ID"],
        "client_secret": os.environ["BACKHAUL_SALESFORCE_CLIENT_SECRET"],
    }
    answer = session.post(f"{url}/services/oauth2/token", data=form, timeout=60)
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    yield session, f"{url}/services/data/v67.0"
    session.close()


def finished(session: requests.Session, job: str) -> None:
    """Wait for a job."""
    while (state := session.get(job, timeout=60).json()["state"]) != "JobComplete":
        assert state in ("UploadComplete", "InProgress"), state
        time.sleep(POLL_SECONDS)


def save(session: requests.Session, url: str, path: Path) -> str:
    """A reply's body into `path`, as it is sent (the suffix is added); gives the next locator."""
    with session.get(url, stream=True, timeout=300) as reply:
        reply.raise_for_status()
        suffix = ".csv.gz" if reply.headers.get("Content-Encoding") == "gzip" else ".csv"
        with path.with_suffix(suffix).open("wb") as file:
            for chunk in reply.raw.stream(1 << 18, decode_content=False):
                file.write(chunk)
        return str(reply.headers.get("Sforce-Locator") or "null")


def measure_bare(folder: Path, rows: int) -> dict[str, Any]:
    """One bulk query by hand, then DuckDB's reader: the least that any import does."""
    pages = folder / "bare"
    pages.mkdir()
    with signed_in() as (session, base):
        clocked = Clocked()
        jobs = f"{base}/jobs/query"
        made = session.post(jobs, json={"operation": "query", "query": SOQL % 2998}, timeout=60).json()
        job = f"{jobs}/{made['id']}"
        finished(session, job)
        locator, place = "", 0
        while locator != "null":
            more = f"&locator={locator}" if locator else ""
            locator = save(session, f"{job}/results?maxRecords={PAGE_ROWS}{more}", pages / f"page-{place:04}")
            place += 1
        fetched = clocked.figures(rows)
        load = read_plainly(pages.glob("page-*"), TYPES, folder / "bare.duckdb", rows)
        return clocked.figures(rows, fetch=fetched["seconds"], load=load)


def measure_simple(folder: Path, rows: int) -> dict[str, Any]:
    """simple-salesforce's bulk 2 download, then DuckDB's reader."""
    from simple_salesforce.api import Salesforce

    pages = folder / "simple"
    pages.mkdir()
    with signed_in() as (session, base):
        token = str(session.headers["Authorization"]).removeprefix("Bearer ")
        client: Any = Salesforce(
            instance_url=base.split("/services")[0], session_id=token, session=session, version="67.0"
        )
        clocked = Clocked()
        got = client.bulk2.Contact.download(SOQL % 2999, path=str(pages), max_records=PAGE_ROWS, wait=POLL_SECONDS)
        fetched = clocked.figures(rows)
        load = read_plainly([Path(page["file"]) for page in got], TYPES, folder / "simple.duckdb", rows)
        return clocked.figures(rows, fetch=fetched["seconds"], load=load)


def measure_update(folder: Path, updates: int) -> dict[str, Any]:
    """One ingest job by hand with what the export sent, one higher: the least that any export does."""
    import duckdb

    file = folder / "updates.csv"
    with signed_in() as (session, base):
        clocked = Clocked()
        with duckdb.connect(str(folder / "bench.duckdb"), read_only=True) as connection:
            connection.execute(
                f"COPY (SELECT Id, 'T ' || right(Id, 6) AS Title, 55.5 AS Campaign_Score__c "
                f"FROM raw.salesforce__Contact ORDER BY Id LIMIT {updates}) TO '{file}' (HEADER)"
            )
        jobs = f"{base}/jobs/ingest"
        wanted = {"object": "Contact", "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
        job = f"{jobs}/{session.post(jobs, json=wanted, timeout=60).json()['id']}"
        with file.open("rb") as body:
            session.put(f"{job}/batches", data=body, headers={"Content-Type": "text/csv"}, timeout=300)
        session.patch(job, json={"state": "UploadComplete"}, timeout=60)
        finished(session, job)
        for name in ("successfulResults", "failedResults", "unprocessedrecords"):
            save(session, f"{job}/{name}", folder / name)
        done = session.get(job, timeout=60).json()
        assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (updates, 0), done
        return clocked.figures(updates)


MEASURES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "import": measure_import,
    "bare": measure_bare,
    "simple": measure_simple,
    "export": measure_export,
    "update": measure_update,
}


class Table:
    """Runs measurements one after the other and prints a line for each."""

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        print(
            f"{'':<14} {'rows':>9} {'seconds':>8} {'rows/s':>8} {'CPU s':>7} {'simulator CPU s':>16} {'peak MB':>8} "
            f"{'calls per million rows':>23}"
        )

    def run(self, verb: str, folder: Path, rows: int, name: str = "") -> dict[str, Any]:
        """Measure `verb` in a fresh process."""
        self._simulated.calls()
        before = self._simulated.cpu()
        got = measured(__file__, ["--measure", verb, str(folder), str(rows)], self._simulated.environment)
        cpu, calls = self._simulated.cpu() - before, self._simulated.calls()
        if "plan" in got:
            self._line("plan", got["plan"], "", "")
        self._line(name or verb, got, f"{cpu:.2f}", f"{calls / got['rows'] * 1e6:,.0f}")
        return got

    def _line(self, name: str, got: dict[str, Any], simulator: str, calls: str) -> None:
        print(
            f"{name:<14} {got['rows']:>9} {got['seconds']:>8.2f} {got['rows'] / got['seconds']:>8.0f} "
            f"{got['cpu']:>7.2f} {simulator:>16} {got['memory']:>8.0f} {calls:>23}",
            flush=True,
        )


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="contacts; more than 10,000, so that they are bulk")
    parser.add_argument("--updates", type=int, default=200_000)
    parser.add_argument("--larger", type=int, default=3, help="import this many times the rows too; 1: do not")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        verb, folder, rows = options.measure
        print(json.dumps(MEASURES[verb](Path(folder), int(rows))))
        return
    with tempfile.TemporaryDirectory() as root, Simulated(Path(root) / "simulator") as simulated:
        folder = Path(root) / "project"
        files = {"transforms/export/wanted.sql": MODEL % options.updates, "pipelines/updates.yml": EXPORT}
        write_project(folder, files)
        table = Table(simulated)
        simulated.grow(options.rows)
        small = table.run("import", folder, options.rows)
        bare = table.run("bare", folder, options.rows)
        simple = table.run("simple", folder, options.rows)
        export = table.run("export", folder, options.updates)
        update = table.run("update", folder, options.updates, "bare update")
        peaks = [small["memory"]]
        if options.larger > 1:
            simulated.grow(options.rows * options.larger)
            write_project(Path(root) / "larger")
            peaks.append(table.run("import", Path(root) / "larger", options.rows * options.larger)["memory"])
    print(f"bare: download {bare['fetch']:.2f} s, DuckDB's reader {bare['load']:.2f} s")
    print(f"import / bare: {small['seconds'] / bare['seconds']:.2f}")
    print(f"simple-salesforce with DuckDB's reader / bare: {simple['seconds'] / bare['seconds']:.2f}")
    print(f"simple-salesforce's download alone / bare download: {simple['fetch'] / bare['fetch']:.2f}")
    print(f"export / bare update: {export['seconds'] / update['seconds']:.2f}")
    print(f"peak memory of the import: {' MB, '.join(f'{peak:.0f}' for peak in peaks)} MB")


if __name__ == "__main__":
    main()
