"""After a run that died: its batches settled, its rejects kept, and what is in doubt asked of the CRM.

What was answered before it died stands in the journal and in the ledger; the rest is planned anew, where repeating it
does nothing twice, or is looked up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backhaul.config import DeleteStep, ExportStep
from backhaul.crm import Connector
from backhaul.export.journal import Answer, answers, remove
from backhaul.export.rejects import class_of
from backhaul.ledger import Ledger, Reject
from backhaul.ledger.doubts import NOT_WRITTEN
from backhaul.record import Operation, Outcome, State

NEVER_TRIED = frozenset({NOT_WRITTEN, "NOT_PROCESSED"})
"""Symbols of outcomes that are no refusal: the row never came to be tried."""


def recover(
    ledger: Ledger,
    step: ExportStep | DeleteStep,
    connector: Connector,
    journals: Path | None = None,
    source_rows: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]] = lambda keys: {},
) -> Mapping[str, int]:
    """Close the batches of `step` that were sent and never settled, because their process died in between.

    What was answered before it died stands in the journal. Of the others: updates, upserts and deletes are planned
    anew, as repeating one changes nothing. Creates are repeated only when the connector names new records itself
    (`repeatable_creates`); otherwise their rows are in doubt and are not sent again, unless the CRM can tell by now
    what became of them. Returns rows by what became of them: ``settled`` (as the journal told), ``planned_anew``,
    ``in_doubt``, ``cleared`` (were in doubt, of this run or an earlier one, and are no longer), ``rejected`` (of those
    settled then or now: rejects that the run had no time to keep, with the model's `source_rows` by key).

    Raises what :meth:`~backhaul.crm.Connector.recall` raises when the CRM cannot be asked: nothing is sent then.
    """
    counts = {"settled": 0, "planned_anew": 0, "in_doubt": 0, "cleared": 0, "rejected": 0}
    known: dict[str, dict[int, Answer]] = {}
    for batch in ledger.unsettled(step.name):
        told = known.setdefault(batch.plan_id, answers(journals, batch.plan_id)).get(batch.number)
        if told is not None and {outcome.key for outcome in told.outcomes} <= set(batch.keys):
            ledger.settle(batch, told.outcomes, told.at)
            counts["settled"] += len(told.outcomes)
            continue
        if batch.operation != Operation.CREATE.value or connector.repeatable_creates:
            ledger.abandon(batch)
            counts["planned_anew"] += len(batch.keys)
            continue
        outcomes = [
            Outcome(key, State.IN_DOUBT, message="the process ended before the CRM answered") for key in batch.keys
        ]
        ledger.settle(batch, outcomes, datetime.now(UTC))
    counts["rejected"] = _keep_rejects(ledger, step, source_rows)
    doubtful = ledger.doubtful(step.name)
    recalled = connector.recall(step.object, step.name, doubtful) if doubtful else []
    ledger.clear_doubt(step.name, recalled)
    if recalled:
        connector.recall(step.object, step.name, ())  # it is kept now
    answered = {outcome.key for outcome in recalled}
    read = _read_back(ledger, step, connector, [key for key in doubtful if key not in answered])
    ledger.clear_doubt(step.name, read)
    recalled = [*recalled, *read]
    for plan_id in known:
        remove(journals, plan_id)
    return {**counts, "cleared": len(recalled), "in_doubt": len(doubtful) - len(recalled)}


def _read_back(
    ledger: Ledger, step: ExportStep | DeleteStep, connector: Connector, keys: Sequence[str]
) -> list[Outcome]:
    """What became of rows in doubt whose values hold a unique key of the CRM: the record that has it, or none.

    A row without a record is planned anew. Should its first sending come through after all, the CRM refuses the second
    one for the key.
    """
    if not keys or not isinstance(step, ExportStep):
        return []
    schema = connector.describe(step.object)
    fields = schema.fields
    unique = next((name for name in step.map if (one := fields.get(name)) and one.unique and one.external_id), None)
    if unique is None:
        return []
    values = {key: value for key, value in ledger.doubtful_values(step.name, unique).items() if key in set(keys)}
    found = connector.fetch(step.object, unique, sorted(set(values.values())), [])
    known = {str(row[unique]).strip().lower(): str(row[schema.id_field]) for row in found}
    told = []
    for key, value in values.items():
        record_id = known.get(value.strip().lower())
        if record_id is not None:
            told.append(Outcome(key, State.DONE, record_id, True, message="found by its key"))
        else:
            told.append(Outcome(key, State.REJECTED, symbol=NOT_WRITTEN, message="no record has its key", passing=True))
    return told


def _keep_rejects(
    ledger: Ledger,
    step: ExportStep | DeleteStep,
    source_rows: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]],
) -> int:
    """Keep the rejects of the step's plans that never ended, each once; gives how many.

    The plan is closed as failed with it: a plan that ended has kept its own.
    """
    flags = {name for name, entry in getattr(step, "map", {}).items() if entry.only_tighten}
    kept = 0
    for plan in ledger.open_plans(step.name):
        rejects = _refused(ledger.refused(plan["plan_id"]), flags)
        rows = source_rows([reject.key for reject in rejects])
        rejects = [replace(one, source_row=rows.get(one.key, one.source_row)) for one in rejects]
        ledger.keep_rejects_of(plan, rejects)
        kept += len(rejects)
    return kept


def _refused(rows: Sequence[Mapping[str, Any]], flags: AbstractSet[str]) -> list[Reject]:
    """The rejects among outcomes of a plan's rows, in the order in which they came: the last one of a row counts.

    `flags` are the step's consent fields. Where only they were written of a row, by themselves, it is a reject as well.
    """
    found: dict[str, Reject] = {}
    for row in rows:
        changes = {item["field"]: item["new"] for item in json.loads(row["changes"])}
        if row["state"] == State.DONE.value and set(row["written"] or ()) >= changes.keys() - flags:
            found.pop(row["key"], None)
        if row["state"] != State.REJECTED.value or row["symbol"] in NEVER_TRIED:
            continue
        passing = bool(row["passing"])
        # Whether the opt-out of the row was written by itself is not sure: it must not be held back, and held back are
        # rows by their fingerprint; none has an empty one.
        unsure = bool(flags & changes.keys()) and row["action"] == "update"
        found[row["key"]] = Reject(
            row["key"],
            "" if unsure else row["fingerprint"],
            row["record_id"],
            "crm",
            row["symbol"],
            row["message"],
            tuple(row["fields"].split(", ")) if row["fields"] else (),
            {**json.loads(row["match"]), **changes},
            passing,
            class_of(row["symbol"], passing),
            # Without it the fingerprint, also of a row that is not held back: its attempts go on counting.
            row["rest"] or row["fingerprint"],
        )
    return list(found.values())
