"""An export or delete step from its plan on: the guards, the sending, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from backhaul.config import DeleteStep, ExportStep
from backhaul.export import Plan, Sender, blocked_by
from backhaul.export.rejects import write_rejects
from backhaul.workflow.results import BLOCKED, DONE, FAILED, WITH_REJECTS, StepResult, target_of

if TYPE_CHECKING:
    from backhaul.workflow.workspace import Workspace


def send(
    workspace: Workspace,
    run_id: str,
    step: ExportStep | DeleteStep,
    plan: Plan,
    allow: tuple[str, ...],
    recovered: Mapping[str, int],
) -> StepResult:
    """Send a step's plan unless a guard that is not among `allow` stands in the way; its rejects lie as CSV then.

    `recovered` is what :func:`backhaul.export.recover` found of the run before. Raises as
    :meth:`backhaul.export.Sender.apply`.
    """
    details: dict[str, Any] = {
        "plan_id": plan.plan_id,
        "planned": dict(plan.counts),
        "fields": dict(plan.fields),
        "skipped": {symbol: rows for (action, symbol, _), rows in plan.reasons.items() if action == "skip"},
        "recovered": dict(recovered),
    }
    broken = blocked_by(plan, step, allow, workspace.ledger.last_applied(step.name))
    if broken:
        names = sorted({sentence.split(":")[0] for sentence in broken})
        message = "nothing was written, a guard stands in the way:\n    " + "\n    ".join(broken)
        hint = " ".join(f"--allow {name}" for name in names)
        shown = workspace.commands.get(step.name)
        hint = f"{shown} to look at it, then {shown} --apply {hint}" if shown else f"backhaul plan, then {hint}"
        return StepResult(
            step.name,
            step.kind,
            target_of(step),
            BLOCKED,
            f"{message}\n    next: {hint}",
            0,
            details=details,
        )
    connector = workspace.connector(step.account)
    sender = Sender(plan, step, connector, workspace.warehouse, workspace.ledger, workspace.journals)
    try:
        applied = sender.apply(run_id, workspace.listener.progress)
    finally:
        file = workspace.rejects_file(step.name)
        listed = workspace.ledger.rejects(step=step.name)
        write_rejects(file, listed)
    rejects = [asdict(reject) for reject in applied.rejects]
    details |= {
        "created": applied.created,
        "updated": applied.updated,
        "deleted": applied.deleted,
        "restored": applied.restored,
        "rejected": applied.rejected,
        "refused": applied.refused,
        "in_doubt": applied.in_doubt,
        "consents": applied.consents,
        "conflicts": applied.conflicts,
        "batches": applied.batches,
        "api_calls": applied.api_calls,
        "rejects": rejects,
        "rejects_file": str(file.relative_to(workspace.project.folder)) if file.exists() else "",
    }
    state, message = DONE, ""
    refused = applied.rejected + applied.refused
    told = [_counted(refused)] if refused else []
    # What was refused again is one of this run's.
    before = min(recovered["rejected"], sum(reject["plan_id"] != plan.plan_id for reject in listed))
    if before:
        told.append(f"{_counted(before)} of the run that ended before")
    if told:
        state = WITH_REJECTS
        message = f"{' and '.join(told)}, in {details['rejects_file']}"
        if applied.consents:
            of = f"the opt-outs of {applied.consents} of them were" if refused > 1 else "its opt-out was"
            message += f"; {of} written all the same"
    if applied.in_doubt:
        state = FAILED
        message = (
            f"{applied.in_doubt} rows were sent and never answered\n    next: run it again: the next import shows "
            "what the CRM holds; what it cannot tell of new records, backhaul doubts list shows and settles"
        )
    return StepResult(step.name, step.kind, target_of(step), state, message, applied.done, details=details)


def _counted(rejects: int) -> str:
    return f"{rejects:,} {'reject' if rejects == 1 else 'rejects'}"
