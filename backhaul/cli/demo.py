"""The demo: what backhaul does, on two simulated CRMs, in acts that can each be interrupted and done again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.console import Console
from backhaul.cli.options import Session
from backhaul.config import DeleteStep, ExportStep
from backhaul.errors import ConfigurationError, StepFailed
from backhaul.report import Table, table

if TYPE_CHECKING:
    from backhaul.export import Plan
    from backhaul.simulator import Running
    from backhaul.workflow import RunResult, Workspace

PIPELINE = "contacts"
# The orgs' clocks are set, not read from this machine: the demo's records end shortly before, and every run of it
# meets the same times.
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TIGHT = 10
"""Rows that the guard of the demo lets pass."""
LONGEST_EXPORT = 120
"""Seconds after which an export that is to be killed is killed in any case."""


class Demo:
    """The demo in acts, each of which can be interrupted and done again."""

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
            ("first import", self._first_import),
            ("planned", self._plan),
            ("killed and resumed", self._killed_and_resumed),
            ("second run", self._second_run),
            ("edited", self._edit),
            ("third run", self._third_run),
            ("undone", self._undo),
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

    def _first_import(self, running: Running) -> None:
        self.console.heading("1. The first steps of pipelines/contacts.yml: import, merge, score")
        with self._workspace(running) as workspace:
            steps = [step for step in workspace.pipeline(PIPELINE).steps if not _writes(step)]
            result = workspace.run_steps(steps, command="run", pipeline=PIPELINE)
            self._require(result)
            self._show("first_import", [*imported(result), *campaign(workspace)], result)

    def _plan(self, running: Running) -> None:
        self.console.heading("2. backhaul plan contacts: what would be written to the CRMs; nothing is, yet")
        with self._workspace(running) as workspace:
            exports = list(workspace.export_steps(PIPELINE))
            made = [(step, workspace.plan(step)) for step in exports]
            self.console.say()
            self._tables([planned(workspace, made), instances(workspace, made[0][1])])
            self.console.heading(f"   A guard, had we said guards: {{max_rows: {TIGHT}}}, would stop it there")
            first = exports[0]
            tight = first.model_copy(update={"guards": first.guards.model_copy(update={"max_rows": TIGHT})})
            result = workspace.run_steps([tight], command="export", pipeline=PIPELINE)
        self.document["guard"] = asdict(result)

    def _killed_and_resumed(self, running: Running) -> None:
        self.console.heading("3. backhaul export contacts, and kill -9 while it writes")
        self._kill_an_export(running)
        from backhaul.workflow.resuming import resume

        with self._workspace(running) as workspace:
            settled = workspace.warehouse.rows(ANSWERED)
            try:
                self.console.heading("   backhaul resume: what was answered is known, and nothing is sent blindly")
                result = resume(workspace, PIPELINE)
            except ConfigurationError:  # it had come to its end before the kill
                result = workspace.run_steps(
                    list(workspace.export_steps(PIPELINE)), command="export", pipeline=PIPELINE
                )
            self._require(result)
            self._show(
                "resumed",
                [recovered(result, {row["target"]: row["n"] for row in settled}), *exported(result)[1:]],
                result,
            )

    def _kill_an_export(self, running: Running) -> None:
        """Start an export as a process of its own, and kill it when a first call is answered and others are not."""
        requests, faults = running.salesforce.requests, running.salesforce.faults

        def writes() -> int:
            return sum(number for name, number in requests.show()["counts"].items() if name.startswith("PATCH"))

        faults.add({"match": {"method": "PATCH"}, "skip": 1, "times": 1, "action": {"delay": 2}})
        before = writes()
        command = [
            sys.executable, "-m", "backhaul", "export", PIPELINE, "--profile", "demo", "--quiet",
            "--project-dir", str(self.session.folder),
        ]  # fmt: skip
        child = subprocess.Popen(  # noqa: S603 - this program itself
            command, env={**os.environ, **running.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            latest = monotonic() + LONGEST_EXPORT
            while child.poll() is None and writes() == before and monotonic() < latest:
                sleep(0.005)
            sleep(0.3)  # it writes down what it was answered, and waits for the next answer
            killed = child.poll() is None
        finally:
            child.kill()
            child.wait()
            faults.clear()
        self.console.say("    killed" if killed else "    it was done before it could be killed")

    def _second_run(self, running: Running) -> None:
        self._later(running, hours=1)
        self.console.heading("4. One hour later, the same again: our own changes come back, and nothing is left to do")
        self._run_again("second_run", running)

    def _edit(self, running: Running) -> None:
        from backhaul.simulator import demo_orgs

        self._later(running, hours=2)
        self.console.heading("5. Meanwhile people work in both CRMs:")
        for line in demo_orgs.edit(running.salesforce, running.dynamics):
            self.console.say(f"    {line}")

    def _third_run(self, running: Running) -> None:
        self._later(running, hours=3)
        self.console.heading("   and one hour after that, only what they touched moves")
        self._run_again("third_run", running)

    def _undo(self, running: Running) -> None:
        from backhaul.workflow.undoing import undo

        with self._workspace(running) as workspace:
            newest = next(run for run in workspace.ledger.runs(100) if run["command"] == "run")
            self.console.heading(
                f"6. backhaul undo {newest['run_id']} --apply: that last run is taken back, but for opt-outs"
            )
            result = undo(workspace, newest["run_id"])
            self._require(result)
            self._show("undone", exported(result), result)

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
            # Where nothing was printed above, the reason is told here.
            reason = f": {failed.message}" if self.console.quiet and failed.message else ""
            raise StepFailed(
                f"the demo stopped at {failed.kind} {failed.target}{reason}",
                hint=f"mend what is said {'here' if reason else 'above'}; the demo goes on there",
            )

    def _show(self, name: str, tables: list[Table], result: RunResult) -> None:
        self.document[name] = asdict(result)
        self.console.say()
        self._tables(tables)

    def _tables(self, tables: Sequence[Table]) -> None:
        for one in tables:
            if one.rows and not self.console.json:
                self.console.tables([one])
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
    rows = workspace.warehouse.rows
    return [
        table("merged duplicates", rows(DUPLICATES_BY_RULE)),
        table("recipients", rows(RECIPIENTS)),
    ]


def planned(workspace: Workspace, made: Sequence[tuple[ExportStep | DeleteStep, Plan]]) -> Table:
    """What the plans of some steps would change, and what applying them takes."""
    return table(
        "planned",
        [
            {
                "object": f"{plan.account}.{plan.object}",
                "update": plan.counts.get("update", 0),
                "unchanged": plan.counts.get("skip", 0),
                "fields": ", ".join(f"{name} {count:,}" for name, count in plan.fields.items()),
                "api_calls": workspace.cost(step, plan).calls,
            }
            for step, plan in made
        ],
    )


def instances(workspace: Workspace, plan: Plan) -> Table:
    """The first changes of a plan, a line a field."""
    return table(
        f"for instance, in {plan.account}.{plan.object}",
        [
            {"key": row.key, "field": change.field, "now": change.old, "planned": change.new}
            for row in plan.changes(workspace.warehouse, ("update",), limit=2)
            for change in row.changes
        ],
    )


def recovered(result: RunResult, settled: Mapping[str, int]) -> Table:
    """What a resumed export found of the one that had been killed; `settled` rows an object were in the ledger."""
    return table(
        "left by the kill",
        [
            {
                "object": step.target,
                "answered_before_it": settled.get(step.target, 0) + step.details["recovered"]["settled"],
                "compared_anew": step.details["recovered"]["planned_anew"],
                "in_doubt": step.details["recovered"]["in_doubt"],
            }
            for step in result.steps
            if step.kind == "export" and any(step.details["recovered"].values())
        ],
    )


def _writes(step: Any) -> bool:
    return isinstance(step, ExportStep | DeleteStep)


def exported(result: RunResult) -> list[Table]:
    """Changes planned and made, then the rejects."""
    from backhaul.cli.running import reject_summary

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


ANSWERED = """
SELECT b.account || '.' || b.object AS target, COUNT(*) AS n
FROM backhaul.outcomes AS o JOIN backhaul.batches AS b USING (plan_id, batch) GROUP BY ALL
"""
DUPLICATES_BY_RULE = "SELECT rule, COUNT(*) AS records FROM campaign.duplicates GROUP BY 1 ORDER BY 2 DESC, 1"
RECIPIENTS = """
SELECT COUNT(*) AS recipients, SUM(records) AS crm_records,
       COUNT(*) FILTER (WHERE accounts > 1) AS in_both_crms,
       COUNT(*) FILTER (WHERE records > 1) AS with_duplicates,
       COUNT(*) FILTER (WHERE opted_out) AS opted_out
FROM (SELECT r.recipient_id, r.opted_out, COUNT(*) AS records, COUNT(DISTINCT l.account) AS accounts
      FROM campaign.recipients AS r JOIN campaign.recipient_links AS l USING (recipient_id) GROUP BY ALL) AS linked
"""
