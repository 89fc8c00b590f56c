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
limited by the simulator, which is at work as long as there are jobs, memory under 600 MB at both sizes. On a machine
that does other things too, only the smallest ratios of several runs mean much.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from simulated import SALESFORCE, Clocked, asked, bearer, bench, measure_export, measure_import, read_plainly

COLUMNS = ("Id", *SALESFORCE.fields, "LastModifiedDate")
# Each download asks in words of its own: the simulator answers the same question from what it has at hand.
SOQL = f"SELECT {', '.join(COLUMNS)} FROM Contact WHERE LastModifiedDate < %d-01-01T00:00:00Z"
PAGE_ROWS = 100_000
POLL_SECONDS = 0.1
TYPES = {
    **dict.fromkeys(COLUMNS, "VARCHAR"),
    **dict.fromkeys(("HasOptedOutOfEmail", "DoNotCall"), "BOOLEAN"),
    **dict.fromkeys(("CreatedDate", "LastModifiedDate", "Last_Open__c"), "TIMESTAMP WITH TIME ZONE"),
    "Birthdate": "DATE",
    "Campaign_Score__c": "DECIMAL(5,1)",
}


@contextmanager
def signed_in() -> Iterator[tuple[requests.Session, str]]:
    """A bare session of the simulated org and the base of its API."""
    url = os.environ["BACKHAUL_SALESFORCE_URL"]
    with bearer(f"{url}/services/oauth2/token", SALESFORCE) as session:
        yield session, f"{url}/services/data/v67.0"


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
    "import": lambda folder, _: measure_import(folder),
    "bare": measure_bare,
    "simple": measure_simple,
    "export": measure_export,
    "update": measure_update,
}


def main() -> None:
    """Run everything and print the table."""
    options = asked(__doc__, MEASURES, (1_000_000, 200_000, 3))
    with bench(__file__, SALESFORCE, options.rows, options.updates) as work:
        small = work.table.run("import", work.folder, options.rows)
        bare = work.table.run("bare", work.folder, options.rows)
        simple = work.table.run("simple", work.folder, options.rows)
        export = work.table.run("export", work.folder, options.updates)
        update = work.table.run("update", work.folder, options.updates, "bare update")
        peaks = [small["memory"], *work.larger(options.rows, options.larger)]
    print(f"bare: download {bare['fetch']:.2f} s, DuckDB's reader {bare['load']:.2f} s")
    print(f"import / bare: {small['seconds'] / bare['seconds']:.2f}")
    print(f"simple-salesforce with DuckDB's reader / bare: {simple['seconds'] / bare['seconds']:.2f}")
    print(f"simple-salesforce's download alone / bare download: {simple['fetch'] / bare['fetch']:.2f}")
    sending = export["seconds"] - export["plan"]["seconds"]
    print(f"export / bare update: {export['seconds'] / update['seconds']:.2f}")
    print(f"export without its plan / bare update: {sending / update['seconds']:.2f}")
    print(
        f"simulator at work from the export's first job to its last: {export['at_work']:.0%} of {export['span']:.1f} s "
        f"(bare update: {update['at_work']:.0%} of {update['span']:.1f} s)"
    )
    print(f"peak memory of the import: {' MB, '.join(f'{peak:.0f}' for peak in peaks)} MB")


if __name__ == "__main__":
    main()
