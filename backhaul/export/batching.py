"""How a plan is cut into batches, and what sending it takes: one rule for who sends it and who tells beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backhaul.config import DeleteStep, ExportStep
from backhaul.crm import Connector
from backhaul.export.consents import reads
from backhaul.export.plan import WRITES, Plan
from backhaul.record import ObjectSchema, Operation

_ALL = 10**9
"""More rows than any plan has."""

JOBS, JOBS_AT_WORK = 3, 2
"""Batches under way that are jobs, and how many the CRM works on: one is made ready or its answers read meanwhile."""

READ_SECONDS = 1.0
"""What a request for some hundred records' opt-outs takes, rather more than less."""

SizeOf = Callable[[Operation, int, Mapping[str, object]], int]
"""(operation, rows to be written in all, options) -> rows of a batch at most."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What applying a plan takes, about: API requests, `reads` of opt-outs among them, and minutes."""

    calls: int
    minutes: float
    reads: int = 0


def operation_of(action: str, step: ExportStep | DeleteStep, id_field: str) -> Operation:
    """Creates that have a key are sent as upserts: repeating one cannot make a second record."""
    by_key = bool(step.key) and set(step.key) != {id_field}
    return Operation.UPSERT if action == "create" and by_key else Operation(action)


def options_of(step: ExportStep | DeleteStep, connector: Connector) -> dict[str, object]:
    """What the CRM is told beside the values.

    Ids are minted within the step's own scope: a record that exists under one is the one that this step made.
    """
    options = {**step.told, "id_scope": step.name}
    if connector.repeatable_creates:
        options["repeated"] = True
    return options


def batch_sizes(
    step: ExportStep | DeleteStep, connector: Connector, id_field: str, total: int, size_of: SizeOf
) -> dict[str, int]:
    """Rows a batch, by action: what the step says, else what suits `total` rows; never above the CRM's.

    Raises what `size_of` raises.
    """
    sizes = {}
    wanted, options = step.batch.rows, options_of(step, connector)
    for action in WRITES:
        # A wish for more than a call takes is a wish for jobs, however few rows there are.
        rows = _ALL if wanted and wanted > connector.batch_rows else total
        most = size_of(operation_of(action, step, id_field), rows, options)
        sizes[action] = min(wanted or most, most)
    return sizes


def batches_at_once(step: ExportStep | DeleteStep, connector: Connector, sizes: Mapping[str, int], total: int) -> int:
    """How many batches are under way at the same time."""
    # Few batches are not worth a second connection; CRMs begin to fight over locks with many.
    parallel = step.batch.parallel or (4 if total > 8 * min(sizes.values()) else 1)
    # A large batch is a job, which the CRM spreads over its own workers.
    return min(parallel, JOBS) if _are_jobs(connector, sizes) else parallel


def _are_jobs(connector: Connector, sizes: Mapping[str, int]) -> bool:
    return max(sizes.values()) > connector.batch_rows


def cost_of(
    plan: Plan,
    step: ExportStep | DeleteStep,
    schema: ObjectSchema,
    connector: Connector,
    pace: float,
) -> Cost:
    """What applying a plan takes, where every row is taken at once; asks nothing of the CRM.

    `pace` is the rows a second that a batch is written at. A job is reckoned with a dozen looks at it.
    """
    total = plan.writes()
    if not total:
        return Cost(0, 0.0)
    sizes = batch_sizes(step, connector, schema.id_field, total, connector.suits)
    options, calls = options_of(step, connector), connector.clock_calls
    created = plan.counts.get("create", 0)
    unique = (one.name for one in schema.fields.values() if one.external_id and one.unique)
    keyed = any(plan.fields.get(name, 0) >= created for name in unique)
    for action in WRITES:
        rows, size = plan.counts.get(action, 0), sizes[action]
        batches = [size] * (rows // size) + ([rows % size] if rows % size else [])
        calls += connector.cost(operation_of(action, step, schema.id_field), batches, options, keyed=keyed)
    asked = reads(plan, schema, connector)
    at_work = batches_at_once(step, connector, sizes, total)
    if _are_jobs(connector, sizes):
        at_work = min(at_work, JOBS_AT_WORK)
    seconds = total / pace / at_work + asked * READ_SECONDS
    return Cost(calls + asked, seconds / 60, asked)
