"""Plans in a file: Parquet with every row that would be sent or refused, and what the plan rests on as metadata.

What a person has looked at and agreed to is sent exactly so or not at all: before it is applied the plan is made anew,
and must come out the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backhaul.errors import BackhaulError, ConfigurationError
from backhaul.export.plan import Digest, Plan
from backhaul.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow

KEY = b"backhaul"
VERSION = 1
_COLUMNS = ("key", "action", "record_id", "match", "changes", "symbol", "reason", "partial")


@dataclass(frozen=True, slots=True)
class FiledPlan:
    """One step's plan as a file tells of it: the step and what the plan rested on, its counts by action."""

    step: str
    digest: Digest
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a file of plans is about: the project, profile and pipeline, and the plans by step in their order."""

    project: str
    profile: str
    pipeline: str
    plans: tuple[FiledPlan, ...]


def write(path: Path, about: PlanFile, warehouse: Warehouse, plans: Sequence[Plan]) -> None:
    """Write plans to `path`, whole or not at all. Raises BackhaulError when it cannot be written."""
    from pyarrow import parquet

    meta = {"version": VERSION, **asdict(about)}
    draft = path.with_name(f".{path.name}")
    columns = ", ".join(_COLUMNS)
    try:
        writer: Any = None
        for plan in plans:
            for rows in plan.tables(warehouse, f"{_literal(plan.step)} AS step, {columns}", "action <> 'skip'"):
                schema: pyarrow.Schema = rows.schema.with_metadata({KEY: json.dumps(meta).encode()})
                writer = writer or parquet.ParquetWriter(str(draft), schema)
                writer.write_table(rows.cast(schema))
        if writer is None:
            raise ConfigurationError("there is no export or delete step, so there is no plan to write")
        writer.close()
        draft.replace(path)
    except OSError as error:
        raise BackhaulError(f"{path} cannot be written ({error.strerror or type(error).__name__})") from None


def read(path: Path) -> PlanFile:
    """What a file of plans is about. Raises ConfigurationError when it is none, or its rows were changed by hand."""
    import pyarrow
    from pyarrow import parquet

    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}", hint="backhaul plan PIPELINE --out FILE makes one")
    try:
        table = parquet.read_table(path)
        meta = json.loads((table.schema.metadata or {})[KEY])
        plans = tuple(FiledPlan(one["step"], Digest(**one["digest"]), dict(one["counts"])) for one in meta["plans"])
        found = PlanFile(meta["project"], meta["profile"], meta["pipeline"], plans)
        version = int(meta["version"])
    except (pyarrow.ArrowException, OSError, KeyError, TypeError, ValueError):
        raise ConfigurationError(f"{path} is no file of plans", hint="backhaul plan PIPELINE --out FILE") from None
    if version != VERSION:
        raise ConfigurationError(f"{path} was written by another version of backhaul", hint="make the plan anew")
    counted: dict[tuple[str, str], int] = {}
    for step, action in zip(table.column("step").to_pylist(), table.column("action").to_pylist(), strict=True):
        counted[step, action] = counted.get((step, action), 0) + 1
    told = {
        (plan.step, action): rows for plan in plans for action, rows in plan.counts.items() if action != "skip" and rows
    }
    if counted != told:
        raise ConfigurationError(
            f"{path} does not hold the rows that it was written with", hint="make the plan anew; rows are not edited"
        )
    return found


def difference(filed: FiledPlan, now: Digest) -> str:
    """In words what has changed under a plan; empty when it is the same plan."""
    if filed.digest.rows == now.rows:
        return ""
    changed = [
        word
        for word, before, after in (
            ("the mapping", filed.digest.settings, now.settings),
            ("the model's rows", filed.digest.model, now.model),
            ("the mirror (what the CRM holds)", filed.digest.mirror, now.mirror),
        )
        if before != after
    ]
    return " and ".join(changed) or "what was sent, refused or decided since"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
