"""What the benchmarks share: a small project, simulators in a process apart, measured processes, plain reading."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

FIELDS = (
    *("FirstName", "LastName", "Salutation", "MailingStreet", "MailingCity", "MailingState"),
    *("MailingPostalCode", "MailingCountry", "Phone", "MobilePhone", "Email", "Title", "Department"),
    *("Birthdate", "LeadSource", "Description", "HasOptedOutOfEmail", "DoNotCall", "CreatedDate"),
    *("Campaign_Score__c", "Last_Open__c", "Member_Number__c", "Newsletter_Topics__c"),
)  # with Id and the cursor: 25

PROFILE = """
warehouse: {destination: duckdb, path: bench.duckdb}
accounts:
  salesforce:
    crm: salesforce
    instance_url: "{{ env_var('BACKHAUL_SALESFORCE_URL') }}"
    ca_bundle: "{{ env_var('BACKHAUL_CA_BUNDLE') }}"
    auth:
      method: client_credentials
      client_id: "{{ env_var('BACKHAUL_SALESFORCE_CLIENT_ID') }}"
      client_secret: "{{ env_var('BACKHAUL_SALESFORCE_CLIENT_SECRET') }}"
"""


def write_project(folder: Path, files: Mapping[str, str] | None = None) -> None:
    """A project over Salesforce's contacts with a pipeline ``contacts`` that imports them; `files` are added to it."""
    every = {
        "profiles/demo.yml": PROFILE,
        "sources/salesforce.yml": f"account: salesforce\nobjects:\n  Contact:\n    fields: [{', '.join(FIELDS)}]\n",
        "pipelines/contacts.yml": "steps:\n  - import: salesforce.Contact\n",
        **(files or {}),
    }
    for name in ("profiles", "sources", "transforms", "pipelines"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in every.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


class Simulated:
    """The simulators in a process of their own. Use it in a ``with``; `environment` is what a profile reads."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(folder, theirs))
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Simulated:
        self._process.start()
        self.environment = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.send(("stop", 0))
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()

    def grow(self, rows: int) -> None:
        """Let the Salesforce org hold `rows` contacts."""
        self._ask("grow", rows)

    def cpu(self) -> float:
        """CPU seconds that the simulators have used so far."""
        return float(self._ask("cpu"))

    def calls(self) -> int:
        """API requests that the Salesforce org was asked since the last time this was called."""
        return int(self._ask("calls"))

    def _ask(self, verb: str, value: int = 0) -> Any:
        self._pipe.send((verb, value))
        return self._pipe.recv()


def _serve(folder: Path, pipe: Any) -> None:
    from backhaul.simulator import start

    running = start(folder, persistent=False)
    org = running.salesforce
    held = 0
    pipe.send(running.environment)
    while True:
        verb, value = pipe.recv()
        if verb == "stop":
            break
        if verb == "grow":
            org.generate("Contact", value - held, seed=value)
            held = value
            pipe.send(held)
        elif verb == "cpu":
            pipe.send(time.process_time())
        else:
            pipe.send(org.requests.show()["total"])
            org.requests.clear()
    running.stop()


def measured(script: str, words: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """What `script`, run with `words` in a fresh process, prints last, as JSON. Its failure ends this process."""
    done = subprocess.run(
        [sys.executable, script, *words], env={**os.environ, **environment}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB of 2**20 bytes (resident)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_plainly(pages: Iterable[Path], types: Mapping[str, str], file: Path, count: int) -> float:
    """Seconds that DuckDB's CSV reader takes for `pages`, typed by `types`, into a table of a new `file`."""
    import csv
    import gzip

    import duckdb

    paths = sorted(str(path) for path in pages)
    opener: Any = gzip.open if paths[0].endswith(".gz") else open
    with opener(paths[0], "rt", encoding="utf-8") as text:
        header = next(csv.reader(text))
    columns = ", ".join(f"'{name}': '{types[name]}'" for name in header)
    listed = ", ".join(f"'{path}'" for path in paths)
    file.unlink(missing_ok=True)
    began = time.perf_counter()
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        connection.execute("SET preserve_insertion_order = false").fetchall()
        connection.execute(
            f"CREATE TABLE plain AS SELECT * FROM read_csv([{listed}], auto_detect = false, header = true, "
            f"delim = ',', quote = '\"', escape = '\"', nullstr = '', columns = {{{columns}}})"
        ).fetchall()
        read = connection.execute("SELECT count(*) FROM plain").fetchall()[0][0]
    seconds = time.perf_counter() - began
    assert read == count, f"{read} of {count} rows"
    return seconds
