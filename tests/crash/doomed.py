"""A process that forks children, each of which runs a pipeline and is killed at a write boundary.

Everything is imported once; a child is the fork of a process without threads. Read from standard input, a line each::

    {"folder": ..., "environment": {...}, "pipeline": ..., "boundary": N, "settings": {...}}

with N = 0 for a run that is not killed, ``"undo": run id`` in the place of the pipeline, for an undo, and ``"zone"``
for a run on a machine with a clock of that time zone. Answered
with ``{"status": exit status, "names": what was passed}``. A boundary is what stands between a row and its record:
before and after each writing request, each line of the journal, and each statement of the ledger about plans and
batches.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import dlt
import pyarrow.parquet
import simple_salesforce

from backhaul.config import load_project
from backhaul.crm.dynamics import rows as dynamics_rows
from backhaul.crm.dynamics import writing as set_messages
from backhaul.crm.http import PatientSession
from backhaul.crm.salesforce import SalesforceConnector, ingest, writing
from backhaul.export.journal import PlanJournal
from backhaul.ledger import Ledger
from backhaul.workflow import Workspace
from backhaul.workflow.undoing import undo

LOADED = (dlt, pyarrow.parquet, simple_salesforce, SalesforceConnector, ingest, writing, dynamics_rows, set_messages)
"""What a child would import otherwise, again and again."""

ROOT = Path(__file__).resolve().parents[2]
WRITING = frozenset({"POST", "PATCH", "PUT", "DELETE"})
NOT_WRITING = ("/oauth2/", "/jobs/query", "/query")


class Boundaries:
    """Counts boundaries and kills the process at the one that it is for."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.names: list[str] = []

    def passed(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, when: Callable[..., bool] = lambda *_words, **_options: True) -> None:
        """Let `owner`'s function `name` have a boundary before and after it."""
        inner = getattr(owner, name)

        def outer(*words: Any, **options: Any) -> Any:
            if not when(*words, **options):
                return inner(*words, **options)
            self.passed(f"before {name}")
            try:
                return inner(*words, **options)
            finally:
                self.passed(f"after {name}")

        setattr(owner, name, outer)


def _writes(session: Any, request: Any, **options: Any) -> bool:
    return request.method in WRITING and not any(part in request.url for part in NOT_WRITING)


def child(task: dict[str, Any], pipe: int) -> None:
    """Run the pipeline; write what was passed into `pipe`; never return."""
    code = 1
    try:
        boundaries = Boundaries(task["boundary"])
        boundaries.around(PatientSession, "send", _writes)
        for name in ("begin", "sending", "answered", "finish"):
            boundaries.around(PlanJournal, name)
        for name in ("save_plan", "batch_sent", "settle", "finish_plan", "record_rejects", "keep_conflicts"):
            boundaries.around(Ledger, name)
        if task.get("zone"):
            os.environ["TZ"] = task["zone"]
            time.tzset()
        for module, name, value in task.get("settings", ()):
            setattr(sys.modules[module], name, value)
        project = load_project(Path(task["folder"]), environ=task["environment"])
        with Workspace(project) as workspace:
            if task.get("undo"):
                result = undo(workspace, task["undo"])
            else:
                result = workspace.run(task["pipeline"], allow=["max_shrink", "constant"])
        assert result.state in ("done", "done with rejects"), [step.message for step in result.steps]
        os.write(pipe, json.dumps(boundaries.names).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


FEWEST, SECONDS = 4, 15
"""At so many boundaries of a way one is killed at least, and at more while there is time left."""


def drawn(names: Sequence[str], way: str) -> Iterator[tuple[int, str]]:
    """The boundaries of a way to be killed at, from 1 on, with their names; all with ``BACKHAUL_CRASH=all``.

    Without, in an order that is drawn by a seed, as many as a share of the time allows: on any machine the whole takes
    minutes, and a fast one sees more.
    """
    every = list(enumerate(names, 1))
    if os.environ.get("BACKHAUL_CRASH") == "all":
        yield from every
        return
    random.Random(way).shuffle(every)
    end = time.monotonic() + SECONDS
    for count, one in enumerate(every):
        if count >= FEWEST and time.monotonic() > end:
            return
        yield one


class Children:
    """The process, seen from the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.doomed"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """What became of a child that was given a task."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


def main() -> None:
    """Serve tasks until the end of input."""
    for line in sys.stdin:
        task = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            child(task, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        names = json.loads(told) if told else []
        sys.stdout.write(json.dumps({"status": status, "names": names}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
