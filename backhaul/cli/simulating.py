"""The verbs around the simulators: simulate, demo."""

from __future__ import annotations

import shlex
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from backhaul.cli.options import Session, on_folder

PEOPLE = 12_200


@click.command("simulate", short_help="Run the Salesforce and Dataverse simulators in the foreground.")
@click.option("--people", default=PEOPLE, show_default=True, type=click.IntRange(0), help="People in a new org.")
@click.option(
    "--fresh", is_flag=True, help="Forget what an earlier simulation left, with the warehouse of the profile simulator."
)
@on_folder
def simulate_command(session: Session, people: int, fresh: bool) -> None:
    """Run both simulators until Ctrl-C and print the addresses and credentials to use.

    Their records are kept in .backhaul/simulator and found again the next time. A control door under /_control
    seeds, changes and deletes records, injects faults and moves the clock.
    """
    _need_simulators()
    folder = session.folder / ".backhaul" / "simulator"
    with alone(folder, "a simulation in this folder"):
        _simulate(session, folder, people, fresh)


def _simulate(session: Session, folder: Path, people: int, fresh: bool) -> None:
    from backhaul import simulator
    from backhaul.errors import BackhaulError
    from backhaul.simulator import demo_orgs

    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    new = not (folder / "salesforce.duckdb").exists()
    try:
        running = simulator.start(
            folder, salesforce_ports=simulator.SALESFORCE_PORTS, dynamics_ports=simulator.DYNAMICS_PORTS
        )
    except OSError as error:
        raise BackhaulError(
            f"the simulators cannot start: {error.strerror or error}",
            hint="another simulator may be running here; stop it first",
        ) from None
    try:
        if new and people:
            demo_orgs.seed(running.salesforce, running.dynamics, people=people)
        stop = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: stop.set())
        from backhaul.report import table

        addresses = [
            {"crm": "Salesforce", "https": running.salesforce_url, "http": running.salesforce_http_url},
            {"crm": "Dynamics 365", "https": running.dynamics_url, "http": running.dynamics_http_url},
        ]
        session.console.tables(
            [table("simulators", addresses)], {"simulators": addresses, "environment": running.environment}
        )
        session.console.say("\nfor the profile simulator, in another terminal:")
        for key, value in running.environment.items():
            session.console.say(f"    export {key}={shlex.quote(value)}")
        session.console.say(f"\nthe private key for Salesforce's JWT bearer flow: {running.jwt_key_path}")
        session.console.say("Ctrl-C stops them")
        stop.wait()
    finally:
        running.stop()


@click.command("demo", short_help="Run the demo: two simulated CRMs, one pipeline, both directions.")
@click.option("--people", default=PEOPLE, show_default=True, type=click.IntRange(50), help="People in the two orgs.")
@click.option("--fresh", is_flag=True, help="Start over even when an interrupted demo could go on.")
@on_folder
def demo_command(session: Session, people: int, fresh: bool) -> None:
    """Run the demo: contacts flow from two simulated CRMs into campaign tables, and scores and opt-outs flow back.

    It shows a plan, a guard that stops one, an export that is killed and resumed, rejects, and an undo.

    Everything it makes lies in .backhaul/demo. A demo that was killed goes on where it stopped; a finished one
    starts over.
    """
    from backhaul.cli.demo import Demo
    from backhaul.config import no_project
    from backhaul.errors import ConfigurationError

    _need_simulators()
    if (missing := no_project(session.folder)) is not None:
        raise ConfigurationError(missing)
    demo = Demo(session, people)
    with alone(demo.folder, "a demo in this folder"):
        demo.run(fresh=fresh)


def _need_simulators() -> None:
    """Raise ConfigurationError where the packages that the simulators want are not installed."""
    from backhaul.errors import ConfigurationError, Fault

    try:
        from backhaul.simulator import dataverse, salesforce, serve  # noqa: F401
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "backhaul":
            raise
        raise ConfigurationError(
            Fault(
                f"the simulators need the Python package {package}, which is not installed",
                hint="pip install 'backhaul[simulator]'",
            )
        ) from error


@contextmanager
def alone(folder: Path, running: str) -> Iterator[None]:
    """Nobody else works with `folder`, so that it may be removed: Locked when another process does.

    The lock lies beside the folder, not in it; the runs inside it that have ended left their own locks free.
    """
    from backhaul.workflow import PipelineLock

    with PipelineLock(folder.parent / "locks", folder.name, running):
        for lock in sorted((folder / "locks").glob("*.lock")):
            with PipelineLock(lock.parent, lock.stem):
                pass
        yield
