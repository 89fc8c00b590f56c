"""The verbs that do something but exports: run, import, transform, test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.options import ALLOW_ALL, RETRY, Session, on_project

if TYPE_CHECKING:
    from backhaul.config import ImportStep, Project, Step
    from backhaul.report import Table
    from backhaul.workflow import RunResult, StepResult, Workspace

_FULL_REFRESH = click.option("--full-refresh", is_flag=True, help="Start over: read everything, rebuild incrementals.")
_SELECT = click.option(
    "-s", "--select", multiple=True, metavar="SELECTION", help="name, +name, name+, folder, tag:x; may be repeated."
)


@click.command("run", short_help="Run a pipeline: all its steps, in order.")
@click.argument("pipeline")
@_FULL_REFRESH
@ALLOW_ALL
@RETRY
@on_project
def run_command(session: Session, pipeline: str, full_refresh: bool, allow: tuple[str, ...], retry: bool) -> None:
    """Run PIPELINE: all its steps, in order. After a failed step the others are skipped."""
    with session.workspace() as workspace:
        finish(session, workspace.run(pipeline, full_refresh=full_refresh, allow=allow, retry=retry))


@click.command("import", short_help="Import objects from a CRM into the raw log.")
@click.argument("objects", nargs=-1, metavar="[ACCOUNT.OBJECT]...")
@click.option("--full-refresh", is_flag=True, help="Read everything again; the log keeps what it has.")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["max_vanished"]),
    help="Let more records be gone than usual, this once.",
)
@on_project
def import_command(session: Session, objects: tuple[str, ...], full_refresh: bool, allow: tuple[str, ...]) -> None:
    """Import ACCOUNT.OBJECT (default: everything that sources/ declares) into the raw log.

    Only what changed since the last import is read. The option that remembers it is the one of a pipeline's step for
    the same object, so that both go on where the other ended.
    """
    with session.workspace() as workspace:
        steps = _import_steps(workspace, objects)
        finish(session, workspace.run_steps(steps, command="import", full_refresh=full_refresh, allow=allow))


@click.command("transform", short_help="Build models.")
@_SELECT
@click.argument("selection", nargs=-1)
@_FULL_REFRESH
@on_project
def transform_command(
    session: Session, select: tuple[str, ...], selection: tuple[str, ...], full_refresh: bool
) -> None:
    """Build the models that SELECTION names (default: all), in the order of their references."""
    from backhaul.config import TransformStep

    with session.workspace() as workspace:
        step = TransformStep(name="transform", select=[*select, *selection])
        finish(session, workspace.run_steps([step], command="transform", full_refresh=full_refresh))


@click.command("test", short_help="Run the tests of models.")
@_SELECT
@click.argument("selection", nargs=-1)
@on_project
def test_command(session: Session, select: tuple[str, ...], selection: tuple[str, ...]) -> None:
    """Run the tests of the models that SELECTION names (default: all)."""
    from backhaul.config import TestStep

    with session.workspace() as workspace:
        step = TestStep(name="test", select=[*select, *selection])
        finish(session, workspace.run_steps([step], command="test"))


def finish(session: Session, result: RunResult) -> None:
    """Print a run's summary and leave with its exit code."""
    from dataclasses import asdict

    from backhaul.workflow import exit_code

    for remark in result.remarks:
        session.console.say(f"note: {remark}")
    session.console.tables(summary(result), asdict(result))
    raise SystemExit(exit_code(result.state))


def summary(result: RunResult) -> list[Table]:
    """A run as tables: one line a step, then failed tests and rejects where there are any."""
    from backhaul.cli.console import describe_step
    from backhaul.report import table

    tables = [
        table(
            f"run {result.run_id}: {result.state}, {result.seconds:.1f} s",
            [
                {"step": step.kind, "on": step.target, "state": step.state, "result": describe_step(step) + _why(step)}
                for step in result.steps
            ],
        )
    ]
    failures = [
        {"test": test["name"], "failing_rows": test["failures"], "message": test["message"]}
        for step in result.steps
        for test in step.details.get("tests", [])
        if test["state"] != "passed"
    ]
    if failures:
        tables.append(table("tests that failed", failures))
    rejects = reject_summary(
        [reject for step in result.steps for reject in step.details.get("rejects", [])],
    )
    if rejects.rows:
        tables.append(rejects)
    return tables


def _why(step: StepResult) -> str:
    """In one line what went wrong, for the line of a step that did not end well."""
    from backhaul.workflow import in_one_line

    return f": {in_one_line(step.message)}" if step.state in ("failed", "blocked") and step.message else ""


def reject_summary(rejects: list[dict[str, Any]]) -> Table:
    """Rejects by symbol, with an example of each."""
    from backhaul.report import table

    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for reject in rejects:
        groups.setdefault((reject["symbol"], reject["refused_by"]), []).append(reject)
    return table(
        "rejects",
        [
            {
                "errorSymbol": symbol,
                "refused_by": by,
                "rows": len(rows),
                "example": rows[0]["key"],
                "errorMessage": rows[0]["message"],
            }
            for (symbol, by), rows in sorted(groups.items())
        ],
    )


def import_step(project: Project, account: str, name: str) -> ImportStep:
    """The import step of an object as a pipeline would have it, with the step's and the option's default names."""
    from backhaul.config import ImportStep, default_name

    step = default_name("import", f"{account}.{name}")
    return ImportStep(name=step, account=account, object=name, option_name=f"LASTIMPORT_{project.name}_{step}")


def _import_steps(workspace: Workspace, objects: tuple[str, ...]) -> list[Step]:
    """Import steps for the objects named: those of the pipelines where one imports the object, else made here."""
    from backhaul.config import ImportStep
    from backhaul.errors import ConfigurationError, Fault
    from backhaul.yaml_marks import suggest

    declared = [f"{account}.{name}" for account, source in workspace.project.sources.items() for name in source.objects]
    unknown = [name for name in objects if name not in declared]
    if unknown:
        raise ConfigurationError(
            [
                Fault(f"sources/ declares no object {name!r}", allowed=tuple(declared), hint=suggest(name, declared))
                for name in unknown
            ]
        )
    known = {
        f"{step.account}.{step.object}": step
        for pipeline in workspace.project.pipelines.values()
        for step in pipeline.steps
        if isinstance(step, ImportStep)
    }
    steps: list[Step] = []
    for target in objects or declared:
        account, _, name = target.partition(".")
        steps.append(known.get(target) or import_step(workspace.project, account, name))
    return steps
