"""Undoing a run: a plan for each step that wrote something, the last one first, shown or sent like any export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backhaul.config import DeleteStep, ExportStep, Options
from backhaul.errors import ConfigurationError, Fault, StepFailed
from backhaul.export import Plan
from backhaul.export.looking_back import UNDO
from backhaul.export.undo import ONLY_TIGHTEN, Undone, make_undo
from backhaul.workflow.results import RunResult
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.workflow.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Written:
    """A step of a run that wrote to a CRM."""

    run_id: str
    step: str
    account: str
    object: str

    @property
    def undo(self) -> str:
        """The name under which its undo stands in the ledger."""
        return f"{UNDO}{self.run_id}_{self.step}"


def plan_undo(workspace: Workspace, run_id: str, step: str | None = None, allow: Sequence[str] = ()) -> list[Plan]:
    """The plans that undo a run (or one `step` of it), in the order in which they would be sent; nothing is sent.

    Raises ConfigurationError for a run or step that the ledger does not know, StepFailed when it wrote nothing.
    """
    plans: list[Plan] = []
    with workspace.warehouse.snapshot():
        for written in _written(workspace, run_id, step):
            plans.append(_plan(workspace, written, allow, plans))
    return plans


def undo(workspace: Workspace, run_id: str, step: str | None = None, allow: Sequence[str] = ()) -> RunResult:
    """Undo a run (or one `step` of it): guards as of its steps, in the ledger as a run of its own.

    Killed half-way it is called again: what is undone already is left alone. Raises as :func:`plan_undo`.
    """
    found = _written(workspace, run_id, step)
    for written in found:
        workspace.makers[written.undo] = lambda written=written: _plan(workspace, written, allow, [])  # type: ignore[misc]
        workspace.commands[written.undo] = " ".join(
            # What was allowed shapes the plan, and holds for this one call.
            ["backhaul undo", written.run_id, *([step] if step else []), *(f"--allow {name}" for name in allow)]
        )
    try:
        return workspace.run_steps(
            [_step(workspace, written) for written in found],
            command=f"undo {found[0].run_id}",
            allow=allow,
        )
    finally:
        workspace.makers.clear()
        workspace.commands.clear()


def _plan(workspace: Workspace, written: Written, allow: Sequence[str], assumed: Sequence[Plan]) -> Plan:
    from backhaul.importing import RAW_SCHEMA, raw_table

    config = workspace.object_config(written.account, written.object)
    if not workspace.warehouse.exists(RAW_SCHEMA, raw_table(written.account, written.object)):
        raise StepFailed(
            f"{written.account}.{written.object} has not been imported yet, so there is nothing to compare with",
            hint=f"backhaul import {written.account}.{written.object}",
        )
    connector = workspace.connector(written.account)
    with workspace.warehouse.snapshot():
        return make_undo(
            workspace.warehouse,
            workspace.ledger,
            connector.describe(written.object),
            _step(workspace, written),
            workspace.mirror(written.account, written.object, config),
            Undone(
                written.run_id,
                written.step,
                frozenset(_flags(workspace, written.account, written.object)),
                ONLY_TIGHTEN in allow,
                tuple(assumed),
            ),
            lambda ids: connector.restorable(written.object, ids),
        )


def _step(workspace: Workspace, written: Written) -> ExportStep | DeleteStep:
    """The step as its pipeline has it, under the undo's name: its guards, batches and options hold."""
    origin = written.step
    while origin.startswith(UNDO):
        origin = origin.removeprefix(UNDO).partition("_")[2]
    pipeline = next((run["pipeline"] for run in _runs(workspace) if run["run_id"] == written.run_id), "")
    # The run's own pipeline before others that have a step of this name.
    pipelines = sorted(workspace.project.pipelines.values(), key=lambda one: one.name != pipeline)
    found = next(
        (
            step
            for one in pipelines
            for step in one.steps
            if isinstance(step, ExportStep | DeleteStep)
            and (step.name, step.account, step.object) == (origin, written.account, written.object)
        ),
        None,
    )
    if found is None:
        found = ExportStep.model_construct(
            name=written.undo, account=written.account, object=written.object, model="", map={}, key={}
        )
    options = found.options.model_dump() | {"hard_delete": None, "all_or_none": None, "if_unchanged": None}
    # Without a key, and as an insert: rows are named by their records, and no model is held against its last size.
    update: dict[str, object] = {"name": written.undo, "key": {}, "options": Options(**options)}
    if isinstance(found, ExportStep):
        update |= {"mode": "insert", "identify": None}
    return found.model_copy(update=update)


def _flags(workspace: Workspace, account: str, object: str) -> set[str]:
    """The consent fields of an object: what any export may only tighten."""
    return {
        name
        for pipeline in workspace.project.pipelines.values()
        for step in pipeline.steps
        if isinstance(step, ExportStep) and (step.account, step.object) == (account, object)
        for name, entry in step.map.items()
        if entry.only_tighten
    }


def _runs(workspace: Workspace) -> list[dict[str, str]]:
    return workspace.warehouse.rows(
        f"SELECT run_id, command, pipeline FROM {workspace.ledger.table('runs')} ORDER BY run_id DESC"
    )


def _written(workspace: Workspace, run_id: str, only: str | None) -> list[Written]:
    """The steps of a run that wrote something, the last one first. `run_id` may be a beginning that is one run's."""
    ids = [run["run_id"] for run in _runs(workspace)]
    named = [one for one in ids if one == run_id] or [one for one in ids if run_id and one.startswith(run_id)]
    rows = workspace.warehouse.rows(
        f"SELECT run_id, step, account, object, MAX(plan_id) AS plan_id FROM {workspace.ledger.table('plans')} AS p "
        f"WHERE plan_id IN (SELECT plan_id FROM {workspace.ledger.table('batches')}) "
        "GROUP BY run_id, step, account, object ORDER BY MAX(plan_id) DESC"
    )
    if len(named) != 1:
        wrote = tuple(dict.fromkeys(row["run_id"] for row in rows))[:10]
        problem = f"{len(named)} runs begin with {run_id!r}" if named else f"there is no run {run_id!r}"
        raise ConfigurationError(Fault(problem, allowed=wrote, hint="backhaul status lists the last runs"))
    mine = [
        Written(row["run_id"], row["step"], row["account"], row["object"]) for row in rows if row["run_id"] in named
    ]
    if not mine:
        raise StepFailed(f"the run {named[0]} sent nothing to a CRM: there is nothing to undo", hint="backhaul status")
    chosen = [written for written in mine if only in (None, written.step)]
    if not chosen:
        steps = tuple(written.step for written in mine)
        raise ConfigurationError(
            Fault(f"the run {named[0]} wrote nothing in a step {only!r}", allowed=steps, hint=suggest(str(only), steps))
        )
    return chosen
