"""Imports that kill their own process (SIGKILL) at a chosen moment. One process, one import of dlt, a fork a moment.

The moments are calls that the importer makes to what the test hands it (connector, warehouse), or states of dlt's
working folder, watched from a thread: packages wander from extracted to normalized to loaded there.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dlt
import duckdb

from backhaul.importing import import_object
from backhaul.warehouse import open_warehouse

from .served import T0, Org, Served, object_config, project

assert dlt.__version__ and duckdb.__version__  # imported before the forks, so that each fork is quick

FILES = {
    "extracted": "normalize/extracted/*/schema.json",
    "normalized": "load/normalized/*/schema.json",
    "started": "load/normalized/*/started_jobs/*.model",
    "appended": "load/normalized/*/completed_jobs/*.model",
    "loaded": "load/loaded/*",
}
CALLS = ("page", "spooled", "view", "stored")
MOMENTS = (*CALLS, *FILES)


def people() -> Org:
    org = Org()
    for number in range(9):
        org.put(f"{number}", LastName=f"L{number}", Email="a\nb" if number % 2 else None, Score__c="1.5")
    return org


def config() -> Any:
    return object_config(["LastName", "Email", "Score__c"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at(number: int) -> Callable[[int], None]:
    return lambda page: die() if page == number else None


def watch(folder: Path, pattern: str) -> None:
    """Die at the first file operation after a file of that name has come to be, whatever thread does it."""
    looking = threading.local()

    def look(event: str, arguments: object) -> None:
        if getattr(looking, "now", False) or not (event == "open" or event.startswith(("os.", "shutil."))):
            return
        looking.now = True
        try:
            if any(any((folder / name).glob(pattern)) for name in ("backhaul_demo", ".")):
                die()
        finally:
            looking.now = False

    sys.addaudithook(look)


def run(folder: Path, moment: str) -> None:
    crm = Served(people())
    if moment == "page":
        crm.on_page = at(2)
    elif moment == "spooled":
        crm.announce = lambda rows: die()
    elif moment in FILES:
        watch(folder / ".backhaul" / "dlt", FILES[moment])
    with open_warehouse(cast(Any, SimpleNamespace(destination="duckdb", path="w.duckdb")), folder) as warehouse:
        if moment == "view":
            made = warehouse.create_view_as

            def make_and_die(schema: str, name: str, sql: str) -> None:
                made(schema, name, sql)
                die()

            cast(Any, warehouse).create_view_as = make_and_die
        elif moment == "stored":
            # the view goes when its rows and the window are stored; nothing stands there before
            cast(Any, warehouse).drop = lambda schema, name: die() if warehouse.exists(schema, name) else None
        import_object(
            project(folder),
            warehouse,
            crm,
            config(),
            "LASTIMPORT_demo_contacts",
            spool_root=folder / ".backhaul" / "spool",
            progress=lambda rows, expected: None,
        )


def main(root: Path, moments: list[str]) -> None:
    for moment in moments:
        child = os.fork()
        if not child:
            os.setsid()
            run(root / moment, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{moment} {'killed' if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

__all__ = ["MOMENTS", "T0", "config", "people"]
