"""The verbs around the simulators: simulate, demo."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.console import Console
from backhaul.cli.options import Session, on_folder

if TYPE_CHECKING:
    from backhaul.report import Table
    from backhaul.simulator import Running
    from backhaul.workflow import RunResult, Workspace

PEOPLE = 12_200
PIPELINE = "contacts"
# The orgs' clocks are set, not read from this machine: the demo's records end shortly before, and every run of it
# meets the same times.
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


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

    Everything it makes lies in .backhaul/demo. A demo that was killed goes on where it stopped; a finished one
    starts over.
    """
    demo = Demo(session, people)
    with alone(demo.folder, "a demo in this folder"):
        demo.run(fresh=fresh)


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


class Demo:
    """The demo in three acts, each of which can be interrupted and done again."""

    def __init__(self, session: Session, people: int) -> None:
        self.session = session
        self.console: Console = session.console
        self.people = people
        session.profile = "demo"
        self.folder = session.folder / ".backhaul" / "demo"
        self._marker = self.folder / "acts.json"
        self.document: dict[str, Any] = {}

    def run(self, *, fresh: bool) -> None:
        """Play what has not been played yet; starts over when everything has been."""
        began = monotonic()
        acts: list[tuple[str, Callable[[Running], None]]] = [
            ("seeded", self._seed),
            ("first run", self._first_run),
            ("second run", self._second_run),
            ("edited", self._edit),
            ("third run", self._third_run),
        ]
        played = self._played()
        if played and not fresh and played["people"] == self.people and len(played["acts"]) < len(acts):
            self.console.say(f"going on with an interrupted demo, after: {', '.join(played['acts'])}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            played = {"people": self.people, "acts": []}
        with self._orgs(new="seeded" not in played["acts"]) as running:
            for name, act in acts:
                if name in played["acts"]:
                    continue
                act(running)
                played["acts"].append(name)
                self._remember(played)
        took = monotonic() - began
        self.console.heading(f"The demo took {took:.0f} s. Look around:")
        for line in (
            "less .backhaul/demo/rejects/*.csv        the refused rows, and why",
            f"duckdb {self._shown(self.warehouse_path())}",
            "                                         select * from campaign.recipients limit 10;",
        ):
            self.console.say(f"    {line}")
        if self.console.json:
            self.console.tables([], {**self.document, "seconds": took})

    # Acts -----------------------------------------------------------------------------------------------------------

    def _seed(self, running: Running) -> None:
        from backhaul.simulator import demo_orgs

        self.console.heading(f"Two CRMs with {self.people:,} people in them, and the mess that people make")
        for org in (running.salesforce, running.dynamics):
            org.clock.set(BEGIN)
        demo_orgs.seed(running.salesforce, running.dynamics, people=self.people)
        self.console.say(f"    Salesforce    {running.salesforce_url}")
        self.console.say(f"    Dynamics 365  {running.dynamics_url}")

    def _first_run(self, running: Running) -> None:
        self.console.heading("1. backhaul run contacts: import, merge, score, push back")
        with self._workspace(running) as workspace:
            result = workspace.run(PIPELINE)
            self._require(result)
            self._show("first_run", [*imported(result), *campaign(workspace), *exported(result)], result)

    def _second_run(self, running: Running) -> None:
        self._later(running, hours=1)
        self.console.heading("2. One hour later, the same again: our own changes come back, and nothing is left to do")
        self._run_again("second_run", running)

    def _edit(self, running: Running) -> None:
        from backhaul.simulator import demo_orgs

        self._later(running, hours=2)
        self.console.heading("3. Meanwhile people work in both CRMs:")
        for line in demo_orgs.edit(running.salesforce, running.dynamics):
            self.console.say(f"    {line}")

    def _third_run(self, running: Running) -> None:
        self._later(running, hours=3)
        self.console.heading("   and one hour after that, only what they touched moves")
        self._run_again("third_run", running)

    def _run_again(self, name: str, running: Running) -> None:
        with self._workspace(running) as workspace:
            before = recipients(workspace)
            result = workspace.run(PIPELINE)
            self._require(result)
            after = recipients(workspace)
            self._show(name, [*imported(result), moved(before, after), *exported(result)], result)

    # What they need -------------------------------------------------------------------------------------------------

    def _require(self, result: RunResult) -> None:
        from backhaul.workflow import exit_code

        if exit_code(result.state) == 1:
            failed = next(step for step in result.steps if step.state in ("failed", "blocked"))
            from backhaul.errors import StepFailed

            raise StepFailed(
                f"the demo stopped at {failed.kind} {failed.target}",
                hint="mend what is said above; the demo goes on there",
            )

    def _show(self, name: str, tables: list[Table], result: RunResult) -> None:
        from dataclasses import asdict

        self.document[name] = asdict(result)
        if not self.console.json:
            self.console.say()
            for table in tables:
                if table.rows:
                    self.console.tables([table])
                    click.echo()

    @contextmanager
    def _workspace(self, running: Running) -> Iterator[Workspace]:
        from backhaul.workflow import Workspace

        environment = {**os.environ, **running.environment}
        with Workspace(self.session.project(environment), self.console) as workspace:
            yield workspace

    @contextmanager
    def _orgs(self, *, new: bool) -> Iterator[Running]:
        from backhaul import simulator

        folder = self.folder / "orgs"
        if new:
            # Seeding that was interrupted is done again from nothing.
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        running = simulator.start(folder)
        try:
            yield running
        finally:
            running.stop()

    def _later(self, running: Running, *, hours: int) -> None:
        """Let time pass in both orgs, to a full hour after the begin: the same however often an act is begun."""
        moment = BEGIN + timedelta(hours=hours)
        for org in (running.salesforce, running.dynamics):
            if org.clock.now() < moment:
                org.clock.set(moment)

    def _played(self) -> dict[str, Any] | None:
        try:
            played = json.loads(self._marker.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return played if isinstance(played, dict) and {"people", "acts"} <= played.keys() else None

    def _remember(self, played: dict[str, Any]) -> None:
        unfinished = self._marker.with_suffix(".new")
        unfinished.write_text(json.dumps(played), encoding="utf-8")
        unfinished.replace(self._marker)

    def warehouse_path(self) -> Path:
        """Where the demo's DuckDB file lies."""
        return self.folder / "demo.duckdb"

    def _shown(self, path: Path) -> str:
        try:
            return str(path.resolve().relative_to(Path.cwd()))
        except ValueError:
            return str(path)


def imported(result: RunResult) -> list[Table]:
    """What the imports brought."""
    from backhaul.report import table

    return [
        table(
            "imported",
            [
                {
                    "object": step.target,
                    "what": "deletions" if step.kind == "import_deleted" else "records",
                    "received": step.details["rows_received"],
                    "new": step.rows,
                    "seconds": step.seconds,
                    "rows_per_second": int(step.details["rows_received"] / max(step.seconds, 0.001)),
                }
                for step in result.steps
                if step.kind == "import" or (step.kind == "import_deleted" and step.rows)
            ],
        )
    ]


def campaign(workspace: Workspace) -> list[Table]:
    """The campaign tables: duplicates merged by rule, and recipients."""
    from backhaul.report import table

    rows = workspace.warehouse.rows
    return [
        table("merged duplicates", rows(DUPLICATES_BY_RULE)),
        table("recipients", rows(RECIPIENTS)),
    ]


def exported(result: RunResult) -> list[Table]:
    """Changes planned and made, then the rejects."""
    from backhaul.cli.running import reject_summary
    from backhaul.report import table

    steps = [step for step in result.steps if step.kind == "export"]
    planned = [
        {
            "object": step.target,
            "update": step.details["planned"].get("update", 0),
            "create": step.details["planned"].get("create", 0),
            "unchanged": step.details["skipped"].get("unchanged", 0),
            "held_back": step.details["skipped"].get("held", 0),
            "fields": ", ".join(f"{name} {count:,}" for name, count in step.details["fields"].items()),
        }
        for step in steps
    ]
    made = [
        {
            "object": step.target,
            "updated": step.details["updated"],
            "created": step.details["created"],
            "rejected": step.details["rejected"],
            "batches": step.details["batches"],
            "seconds": step.seconds,
        }
        for step in steps
        if step.details["batches"]
    ]
    rejects = [reject for step in steps for reject in step.details["rejects"]]
    return [table("changes planned", planned), table("changes made", made), reject_summary(rejects)]


def recipients(workspace: Workspace) -> dict[str, str]:
    """Recipient id -> a text of everything campaign.recipients says of them."""
    rows = workspace.warehouse.rows(
        "SELECT recipient_id, CAST(TO_JSON(r) AS VARCHAR) AS said FROM campaign.recipients AS r"
    )
    return {row["recipient_id"]: row["said"] for row in rows}


def moved(before: dict[str, str], after: dict[str, str]) -> Table:
    """What a run changed in campaign.recipients."""
    from backhaul.report import table

    return table(
        "recipients",
        [
            {
                "unchanged": sum(before.get(key) == said for key, said in after.items()),
                "changed": sum(key in before and before[key] != said for key, said in after.items()),
                "new": sum(key not in before for key in after),
                "gone": sum(key not in after for key in before),
            }
        ],
    )


DUPLICATES_BY_RULE = "SELECT rule, COUNT(*) AS records FROM campaign.duplicates GROUP BY 1 ORDER BY 2 DESC, 1"
RECIPIENTS = """
SELECT COUNT(*) AS recipients, SUM(records) AS crm_records,
       COUNT(*) FILTER (WHERE accounts > 1) AS in_both_crms,
       COUNT(*) FILTER (WHERE records > 1) AS with_duplicates,
       COUNT(*) FILTER (WHERE opted_out) AS opted_out
FROM (SELECT r.recipient_id, r.opted_out, COUNT(*) AS records, COUNT(DISTINCT l.account) AS accounts
      FROM campaign.recipients AS r JOIN campaign.recipient_links AS l USING (recipient_id) GROUP BY ALL) AS linked
"""
