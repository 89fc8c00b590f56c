"""What the benchmarks share: a small project, simulators in a process apart, measured processes, plain reading.

Other makers' clients are measured by the Python of their own environment: only the standard library is imported here.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class Crm:
    """The CRM that a benchmark works on: its account's name and YAML, what is imported, and what an export writes."""

    name: str
    account: str
    object: str
    fields: tuple[str, ...]
    id: str
    title: str
    score: str

    @property
    def raw(self) -> str:
        """The raw log's table of the object."""
        return f"raw.{self.name}__{self.object}"


SALESFORCE = Crm(
    name="salesforce",
    account="""
    crm: salesforce
    instance_url: "{{ env_var('BACKHAUL_SALESFORCE_URL') }}"
    ca_bundle: "{{ env_var('BACKHAUL_CA_BUNDLE') }}"
    auth:
      method: client_credentials
      client_id: "{{ env_var('BACKHAUL_SALESFORCE_CLIENT_ID') }}"
      client_secret: "{{ env_var('BACKHAUL_SALESFORCE_CLIENT_SECRET') }}"
""",
    object="Contact",
    fields=(
        *("FirstName", "LastName", "Salutation", "MailingStreet", "MailingCity", "MailingState"),
        *("MailingPostalCode", "MailingCountry", "Phone", "MobilePhone", "Email", "Title", "Department"),
        *("Birthdate", "LeadSource", "Description", "HasOptedOutOfEmail", "DoNotCall", "CreatedDate"),
        *("Campaign_Score__c", "Last_Open__c", "Member_Number__c", "Newsletter_Topics__c"),
    ),  # with Id and the cursor: 25
    id="Id",
    title="Title",
    score="Campaign_Score__c",
)

MODEL = """
SELECT {crm.id} AS crm_id, 'Title ' || right({crm.id}, 6) AS title, (coalesce({crm.score}, 0) + 1) % 100 AS score
FROM {{{{ source('{crm.name}', '{crm.object}') }}}}
ORDER BY {crm.id}
LIMIT {updates}
"""
EXPORT = """
steps:
  - transform: wanted
  - export: {crm.name}.{crm.object}
    from: wanted
    mode: update
    key: {{{crm.id}: crm_id}}
    map: {{{crm.title}: title, {crm.score}: score}}
"""


def write_project(folder: Path, crm: Crm = SALESFORCE, updates: int = 0) -> None:
    """A project with a pipeline ``contacts`` that imports them, and ``updates`` that changes so many of them."""
    every = {
        "profiles/demo.yml": "warehouse: {destination: duckdb, path: bench.duckdb}\n"
        f"accounts:\n  {crm.name}:{crm.account}",
        f"sources/{crm.name}.yml": f"account: {crm.name}\nobjects:\n  {crm.object}:\n"
        f"    fields: [{', '.join(crm.fields)}]\n",
        "pipelines/contacts.yml": f"steps:\n  - import: {crm.name}.{crm.object}\n",
    }
    if updates:
        every["transforms/export/wanted.sql"] = MODEL.format(crm=crm, updates=updates)
        every["pipelines/updates.yml"] = EXPORT.format(crm=crm)
    for name in ("profiles", "sources", "transforms/export", "pipelines"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, text in every.items():
        (folder / name).write_text(text)


class Simulated:
    """The simulators in a process of their own. Use it in a ``with``; `environment` is what a profile reads."""

    def __init__(self, folder: Path, crm: Crm = SALESFORCE) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(folder, crm, theirs))
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
        """Let the org hold `rows` contacts."""
        self._ask("grow", rows)

    def cpu(self) -> float:
        """CPU seconds that the simulators have used so far."""
        return float(self._ask("cpu"))

    def calls(self) -> int:
        """API requests that the org was asked since the last time this was called."""
        return int(self._ask("calls"))

    def writes(self) -> int:
        """Writing requests among those that the org was asked since :meth:`calls` was called, by its own log."""
        return int(self._ask("writes"))

    def _ask(self, verb: str, value: int = 0) -> Any:
        self._pipe.send((verb, value))
        return self._pipe.recv()


def _serve(folder: Path, crm: Crm, pipe: Any) -> None:
    from backhaul.simulator import start

    running = start(folder, persistent=False)
    org = getattr(running, crm.name)
    held = 0
    pipe.send(running.environment)
    while True:
        verb, value = pipe.recv()
        if verb == "stop":
            break
        if verb == "grow":
            org.generate(crm.object, value - held, seed=value)
            held = value
            pipe.send(held)
        elif verb == "writes":
            asked = org.requests.show()
            assert asked["total"] == len(asked["log"]), "the log does not hold every request"
            reading = ("/oauth2/", "/jobs/query")
            writing = [
                one for one in asked["log"] if one["method"] != "GET" and not any(r in one["path"] for r in reading)
            ]
            pipe.send(len(writing))
        elif verb == "cpu":
            pipe.send(time.process_time())
        else:
            pipe.send(org.requests.show()["total"])
            org.requests.clear()
    running.stop()


def measured(words: Sequence[str], environment: Mapping[str, str], python: str = sys.executable) -> dict[str, Any]:
    """What a script, run as `words` say in a fresh process, prints last, as JSON. Its failure ends this process."""
    done = subprocess.run([python, *words], env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB of 2**20 bytes (resident)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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


def measure_import(folder: Path, crm: Crm = SALESFORCE) -> dict[str, Any]:
    """The whole import step of a pipeline."""
    import dlt
    import pyarrow

    from backhaul.config import load_project
    from backhaul.workflow import Workspace

    assert dlt.__version__ and pyarrow.__version__
    with Workspace(load_project(folder)) as workspace:
        workspace.connector(crm.name).now()
        clocked = Clocked()
        (step,) = workspace.run("contacts").steps
        figures = clocked.figures(step.rows, bytes=step.details.get("bytes", 0))
        assert step.state == "done", step.message
        assert workspace.warehouse.scalar(f"SELECT count(*) FROM {crm.raw}") == step.rows
    return figures


def measure_export(folder: Path, updates: int, crm: Crm = SALESFORCE) -> dict[str, Any]:
    """A plan and its sending, over what the import left in `folder`."""
    from backhaul.config import load_project
    from backhaul.workflow import Workspace

    with Workspace(load_project(folder)) as workspace:
        workspace.connector(crm.name).now()
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


def bearer(url: str, crm: Crm, **more: str) -> requests.Session:
    """A bare session, signed in at `url` with the client credentials of the simulated org."""
    import requests

    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ["BACKHAUL_CA_BUNDLE"]
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ[f"BACKHAUL_{crm.name.upper()}_CLIENT_ID"],
        "client_secret": os.environ[f"BACKHAUL_{crm.name.upper()}_CLIENT_SECRET"],
        **more,
    }
    answer = session.post(url, data=form, timeout=60)
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


class Watched:
    """How busy the simulators' process is while another one is measured. Use it in a ``with``."""

    EVERY = 0.25

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated
        self._ended = threading.Event()
        self._seen: list[tuple[float, float]] = []
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self.EVERY):
            self._seen.append((time.perf_counter(), self._simulated.cpu()))

    def at_work(self) -> tuple[float, float]:
        """The share of a core that it used between the first and the last moment when it was busy, and that time."""
        pairs = list(itertools.pairwise(self._seen))
        busy = [place for place, (one, two) in enumerate(pairs) if two[1] - one[1] > 0.5 * (two[0] - one[0])]
        if not busy:
            return 0.0, 0.0
        (began, before), (ended, after) = pairs[busy[0]][0], pairs[busy[-1]][1]
        return (after - before) / (ended - began), ended - began


class Table:
    """Runs measurements of `script` one after the other and prints a line for each."""

    def __init__(self, simulated: Simulated, script: str) -> None:
        self._simulated = simulated
        self._script = script
        print(
            f"{'':<14} {'rows':>9} {'seconds':>8} {'rows/s':>8} {'CPU s':>7} {'simulator CPU s':>16} {'peak MB':>8} "
            f"{'calls per million rows':>23}"
        )

    def run(self, verb: str, folder: Path, rows: int, name: str = "", python: str = sys.executable) -> dict[str, Any]:
        """Measure `verb` in a fresh process."""
        self._simulated.calls()
        before = self._simulated.cpu()
        words = [self._script, "--measure", verb, str(folder), str(rows)]
        with Watched(self._simulated) as watched:
            got = measured(words, self._simulated.environment, python)
        got["at_work"], got["span"] = watched.at_work()
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


@dataclass(frozen=True)
class Bench:
    """A simulated org, a project's folder, and the table of what was measured."""

    simulated: Simulated
    crm: Crm
    folder: Path
    table: Table

    def larger(self, rows: int, times: int) -> list[float]:
        """Peak memory of an import of `times` as many rows; nothing for once as many."""
        if times <= 1:
            return []
        self.simulated.grow(rows * times)
        folder = self.folder.with_name("larger")
        write_project(folder, self.crm)
        return [float(self.table.run("import", folder, rows * times)["memory"])]


@contextmanager
def bench(script: str, crm: Crm, rows: int, updates: int) -> Iterator[Bench]:
    """An org of `rows` contacts, and a project that imports them and changes `updates` of them."""
    with tempfile.TemporaryDirectory() as name, Simulated(Path(name) / "simulator", crm) as simulated:
        folder = Path(name) / "project"
        write_project(folder, crm, updates)
        table = Table(simulated, script)
        simulated.grow(rows)
        yield Bench(simulated, crm, folder, table)


def asked(
    doc: str | None, measures: Mapping[str, Callable[[Path, int], dict[str, Any]]], defaults: tuple[int, int, int]
) -> argparse.Namespace:
    """The command line's `rows`, `updates` and `larger`; a process that is to measure does so, and ends here."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows, updates, larger = defaults
    parser.add_argument("--rows", type=int, default=rows, help="contacts; more than 10,000, so that they are many")
    parser.add_argument("--updates", type=int, default=updates)
    parser.add_argument("--larger", type=int, default=larger, help="import this many times the rows too; 1: do not")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        verb, folder, count = options.measure
        print(json.dumps(measures[verb](Path(folder), int(count))))
        raise SystemExit
    return options


def read_plainly(pages: Iterable[Path], types: Mapping[str, str], file: Path, count: int) -> float:
    """Seconds that DuckDB's CSV reader takes for `pages`, typed by `types`, into a table of a new `file`."""
    import csv
    import gzip

    paths = sorted(str(path) for path in pages)
    opener: Any = gzip.open if paths[0].endswith(".gz") else open
    with opener(paths[0], "rt", encoding="utf-8") as text:
        header = next(csv.reader(text))
    columns = ", ".join(f"'{name}': '{types[name]}'" for name in header)
    options = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = ''"
    return load_plainly(f"FROM read_csv({paths}, {options}, columns = {{{columns}}})", file, count)


def load_plainly(select: str, file: Path, count: int) -> float:
    """Seconds that DuckDB takes to make a table of `count` rows in a new `file`."""
    import duckdb

    file.unlink(missing_ok=True)
    began = time.perf_counter()
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'").fetchall()
        connection.execute("SET preserve_insertion_order = false").fetchall()
        connection.execute(f"CREATE TABLE plain AS {select}").fetchall()
        read = connection.execute("SELECT count(*) FROM plain").fetchall()[0][0]
    seconds = time.perf_counter() - began
    assert read == count, f"{read} of {count} rows"
    return seconds
