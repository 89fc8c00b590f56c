"""Going on with runs: what a killed or failed one left undone, and plans that were made earlier and looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backhaul.config import DeleteStep, ExportStep
from backhaul.errors import ConfigurationError, Fault, StepFailed
from backhaul.export import planfile
from backhaul.export.plan import Plan
from backhaul.workflow.results import DONE, WITH_REJECTS, RunResult

if TYPE_CHECKING:
    from backhaul.workflow.workspace import Workspace


def resume(workspace: Workspace, pipeline: str | None, allow: Sequence[str] = ()) -> RunResult:
    """Finish the newest run that did not end well (of `pipeline`): its steps that are not done, in order.

    `allow` names the guards that may be passed: what an earlier run was allowed, it alone was.

    Raises ConfigurationError when there is none, or when it was of a pipeline that is there no more.
    """
    left = _unfinished(workspace, pipeline)
    if left is None:
        of = f" of the pipeline {pipeline!r}" if pipeline else ""
        raise ConfigurationError(f"no run{of} waits to be resumed", hint="backhaul status lists the last runs")
    whole = workspace.pipeline(left["pipeline"])
    done = {step["step"] for step in workspace.ledger.steps(left["run_id"]) if step["state"] in (DONE, WITH_REJECTS)}
    steps = [step for step in whole.steps if step.name not in done]
    if left["command"] != "run":
        steps = [step for step in steps if isinstance(step, ExportStep | DeleteStep)]
    return workspace.run_steps(
        steps, command=left["command"], pipeline=whole.name, allow=allow, earlier=_windows(workspace, left["run_id"])
    )


def _unfinished(workspace: Workspace, pipeline: str | None) -> dict[str, Any] | None:
    """The newest run of a pipeline, if it did not end well; of any pipeline, the newest one that was not made good."""
    seen: set[str] = set()
    for run in workspace.ledger.runs(1_000):
        name = run["pipeline"]
        if not name or name not in workspace.project.pipelines or name in seen or pipeline not in (None, name):
            continue
        seen.add(name)
        if run["state"] not in (DONE, WITH_REJECTS):
            return run
    return None


def _windows(workspace: Workspace, run_id: str) -> dict[str, Any]:
    """The windows of a run's imports by step, as templates of later steps see them."""
    rows = workspace.warehouse.rows(
        f"SELECT step, option_name, window_start, window_end FROM {workspace.ledger.table('windows')} WHERE run_id = ?",
        [run_id],
    )
    return {
        row["step"]: {"option_name": row["option_name"], "start": row["window_start"], "end": row["window_end"]}
        for row in rows
    }


def file_plans(workspace: Workspace, pipeline: str, plans: Sequence[Plan], path: Path) -> None:
    """Write plans of a pipeline's steps to a file that :func:`apply_file` takes."""
    steps = {step.name: step for step in workspace.export_steps(pipeline)}
    filed = tuple(
        planfile.FiledPlan(plan.step, workspace.digest(steps[plan.step], plan), dict(plan.counts)) for plan in plans
    )
    project = workspace.project
    about = planfile.PlanFile(project.name, project.profile.name, pipeline, filed)
    planfile.write(path, about, workspace.warehouse, plans)


def apply_file(workspace: Workspace, path: Path, allow: Sequence[str]) -> RunResult:
    """Send the plans of a file, exactly as they stand there.

    Raises ConfigurationError for a file that is none, or is another project's; StepFailed, with nothing sent, when a
    plan would be another one by now: it says what has changed.
    """
    about = planfile.read(path)
    project = workspace.project
    here = (project.name, project.profile.name)
    if (about.project, about.profile) != here:
        raise ConfigurationError(
            f"{path} is of the project {about.project!r} with the profile {about.profile!r}, and this is "
            f"{here[0]!r} with {here[1]!r}",
            hint="backhaul apply FILE --project-dir DIR --profile NAME",
        )
    steps = {step.name: step for step in workspace.export_steps(about.pipeline)}
    gone = [filed.step for filed in about.plans if filed.step not in steps]
    if gone:
        raise ConfigurationError(
            Fault(f"the pipeline {about.pipeline} has no step {gone[0]!r} any more", allowed=tuple(steps))
        )
    plans: dict[str, Plan] = {}
    for filed in about.plans:
        step = steps[filed.step]
        plan = workspace.plan(step)
        changed = planfile.difference(filed, workspace.digest(step, plan))
        if changed:
            raise StepFailed(
                f"{path}: the plan of {filed.step} would be another one by now, as {changed} changed since it was "
                "made; nothing was sent",
                hint=f"backhaul plan {about.pipeline} --out {path.name}: look at it again, then apply it",
            )
        plans[filed.step] = plan
    return workspace.run_steps(
        [steps[filed.step] for filed in about.plans],
        command="apply",
        pipeline=about.pipeline,
        allow=allow,
        plans=plans,
    )
