"""What a plan asks of the ledger, where the ledger has to be copied to the engine first: the rows it looks back on.

A ledger grows with every run; what one plan needs of it does not. Nothing here changes what a plan finds: a condition
may let more rows through than are looked at, and never fewer.
"""

from __future__ import annotations

from backhaul.export.checks import references_of, text
from backhaul.export.comparing import Comparison
from backhaul.export.looking_back import UNDO, LookingBack, instant, since
from backhaul.ledger.tables import SCHEMA
from backhaul.warehouse import Warehouse


def narrow(engine: Warehouse, comparison: Comparison, *, resting: bool) -> None:
    """Narrow the ledger's tables to what the statements of a comparison read.

    With `resting`, records that are at rest are found first, and :func:`narrow_to_unsettled` comes next.
    """
    step = text(comparison.step.name)
    # What an undo made anew goes by its old id.
    undone = f"(LEFT(step, {len(UNDO)}) = {text(UNDO)} AND operation = 'create')"
    keys = ""
    if comparison.identify and comparison.mode == "insert":
        named = f"m.{comparison.quote(comparison.identify)}"
        keys = f"SELECT NULLIF(TRIM(CAST({named} AS VARCHAR)), '') FROM {comparison.source.model} AS m"
    engine.narrow(SCHEMA, "outcomes", "key", keys, within=f"step = {step} OR {undone}", besides=undone)
    engine.narrow(SCHEMA, "rejects", "", "", within=f"step = {step} AND state = 'open'")
    engine.narrow(SCHEMA, "conflicts", "", "", within=f"step = {step}")
    wanted, history = _whatever_record(comparison), comparison.history
    if not resting:
        wanted += [f"step = {step}"] if history.sent else []
        wanted += [f"sent_at >= {instant(history.agreed_at)}"] if history.agreed_at is not None else []
    engine.narrow(SCHEMA, "field_changes", "", "", within=f"{_account(comparison)} AND ({' OR '.join(wanted)})")


def narrow_to_unsettled(engine: Warehouse, comparison: Comparison, rest: str) -> None:
    """Of what was sent, only of the records that are not in the table `rest` everything is asked."""
    if comparison.history.sent or comparison.history.agreed_at is not None:
        engine.narrow(
            SCHEMA,
            "field_changes",
            "record_id",
            _unsettled(comparison, rest),
            within=_account(comparison),
            besides=" OR ".join(_whatever_record(comparison)),
        )


def narrow_to_run(engine: Warehouse, work: LookingBack, run: str) -> None:
    """Narrow the ledger's tables to what an undo reads: rows of the run, for which `run` holds, and of its records."""
    changes, plans = work.ledger.table("field_changes"), work.ledger.table("plans")
    of_run = f"plan_id IN (SELECT plan_id FROM {plans} WHERE {run})"
    # What an undo made anew goes by its old id, and stands for the record that had it.
    made = f"LEFT(step, {len(UNDO)}) = {text(UNDO)} AND operation = 'create'"
    outcomes = work.ledger.table("outcomes")
    engine.narrow(SCHEMA, "changes", "", "", within=of_run)
    engine.narrow(SCHEMA, "batches", "", "", within=of_run)
    engine.narrow(SCHEMA, "outcomes", "", "", within=f"{of_run} OR ({made})")
    here = f"account = {text(work.schema.account)} AND object = {text(work.schema.name)}"
    records = (
        f"record_id IN (SELECT record_id FROM {changes} WHERE {here} AND {run} "
        f"UNION ALL SELECT record_id FROM {outcomes} WHERE {made} UNION ALL SELECT key FROM {outcomes} WHERE {made})"
    )
    newer = since(work.mirror.freshness)
    engine.narrow(SCHEMA, "field_changes", "", "", within=f"{here} AND ({records} OR ({run}) OR {newer})")


def _account(comparison: Comparison) -> str:
    return f"account = {text(comparison.schema.account)}"


def _whatever_record(comparison: Comparison) -> list[str]:
    """Conditions of what is looked at whichever records differ: deletes, what the mirror lacks, what is referred to."""
    schema = comparison.schema
    conditions = ["field = ''"]
    if comparison.history.overlaid:
        conditions.append(since(comparison.mirror.freshness))
    mapped, others = comparison.mapped, comparison.source.others
    if others and references_of(schema, mapped, others, "sent"):
        keys = ", ".join(text(item.field.name.rpartition(".")[2]) for item in mapped if "." in item.field.name)
        conditions.append(f"object <> {text(schema.name)} OR created" + (f" OR field IN ({keys})" if keys else ""))
    return conditions


def _unsettled(comparison: Comparison, rest: str) -> str:
    """The SELECT of the ids of records that may differ: those that the model has a row for and that are not at rest."""
    (key,) = comparison.keys
    given = f"m.{comparison.quote(key.column)}"
    rows = f"FROM {comparison.source.model} AS m WHERE {given} NOT IN (SELECT id FROM {rest})"
    ids = f"SELECT {given} {rows} UNION ALL SELECT {comparison.comparable(given, key)} {rows}"
    if comparison.history.merged:
        log = comparison.mirror.log
        ids += f" UNION ALL SELECT _backhaul_survivor FROM {log} WHERE _backhaul_survivor IS NOT NULL"
    return ids
