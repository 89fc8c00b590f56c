"""Guards: ceilings that judge a finished plan. One that is broken stops the step before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backhaul.config import DeleteStep, ExportStep
from backhaul.export.plan import Plan

NAMES = ("max_rows", "max_share", "max_deletes", "max_nulls", "max_shrink", "constant")
"""The guards by the names by which one is let pass once."""

SHRINK = 0.9
"""The share by which a model may shrink where nobody said otherwise: what is left of it is a tenth of its last size."""

FEW_ROWS = 10
"""A model that had no more rows says nothing when it has fewer."""

ENOUGH_ROWS = 50
"""Of so many rows one expects that a column which had several values still has."""


def blocked_by(
    plan: Plan, step: ExportStep | DeleteStep, allowed: Sequence[str] = (), last: Mapping[str, object] | None = None
) -> list[str]:
    """The guards that a plan breaks, as sentences that begin with the guard's name; empty when it may be sent.

    `allowed` names guards to pass once; `last` describes the model at its last export: ``model_rows`` and ``distinct``
    (column -> different values).
    """
    guards = step.guards
    writes, deletes = plan.writes(), plan.counts.get("delete", 0)
    share = writes / plan.mirrored if plan.mirrored else 0.0
    broken = []
    if guards.max_rows is not None and writes > guards.max_rows:
        broken.append(f"max_rows: the plan writes {writes:,} rows, {guards.max_rows:,} are allowed")
    if guards.max_share is not None and share > guards.max_share:
        broken.append(
            f"max_share: the plan writes {share:.1%} of {plan.mirrored:,} records, {guards.max_share:.1%} is allowed"
        )
    if guards.max_deletes is not None and deletes > guards.max_deletes:
        broken.append(f"max_deletes: the plan deletes {deletes:,} records, {guards.max_deletes:,} are allowed")
    if guards.max_nulls is not None and plan.nulls > guards.max_nulls:
        broken.append(f"max_nulls: the plan empties {plan.nulls:,} values, {guards.max_nulls:,} are allowed")
    if last is not None and isinstance(step, ExportStep) and step.mode != "insert":
        broken += _unlike_the_last(plan, step, last)
    return [sentence for sentence in broken if sentence.partition(":")[0] not in allowed]


def _unlike_the_last(plan: Plan, step: ExportStep, last: Mapping[str, object]) -> list[str]:
    broken = []
    rows = last.get("model_rows")
    before = rows if isinstance(rows, int) else 0
    most = step.guards.max_shrink if step.guards.max_shrink is not None else SHRINK
    shrunk = 1 - plan.model_rows / before if before else 0.0
    if most < 1 and ((before > FEW_ROWS and shrunk > most) or (before and not plan.model_rows)):
        now = f"{plan.model_rows:,} rows" if plan.model_rows else "no rows"
        broken.append(f"max_shrink: the model {step.model} has {now}, and had {before:,} at its last export")
    known = last.get("distinct")
    if step.guards.constant == "block" and isinstance(known, Mapping) and plan.model_rows >= ENOUGH_ROWS:
        still = [name for name, values in plan.distinct.items() if values <= 1 and int(known.get(name, 0)) > 1]
        if still:
            broken.append(
                f"constant: {', '.join(still)} of the model {step.model} had several values at the last export and "
                f"{'has' if len(still) == 1 else 'have'} one now in all {plan.model_rows:,} rows"
            )
    return broken
