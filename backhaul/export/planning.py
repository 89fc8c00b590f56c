"""Making a plan: check the mapping, look at the history, compare both sides in the database, count what came out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from backhaul.config import DeleteStep, ExportStep
from backhaul.export.checks import text
from backhaul.export.comparing import NOTHING, UNCHANGED, Comparison
from backhaul.export.looking_back import History, LookingBack, ever_sent, since
from backhaul.export.mapping import FieldMap, Source, checked
from backhaul.export.named import BY_KEY, named_by_key, names_sql
from backhaul.export.narrowing import narrow, narrow_to_unsettled
from backhaul.export.plan import COLUMNS, Digest, Plan
from backhaul.ledger import Ledger
from backhaul.record import ObjectSchema
from backhaul.warehouse import Warehouse

SKIPPED_ROWS = 10**12
"""Row numbers of what is skipped begin here: these rows need no order, and sorting them would take a plan's time."""

MOST_DISTINCT = 100
"""More different values of a column are not told apart from each other: it only matters whether there is one."""


def make_plan(
    warehouse: Warehouse,
    ledger: Ledger,
    schema: ObjectSchema,
    step: ExportStep | DeleteStep,
    source: Source,
    *,
    retry: bool = False,
) -> Plan:
    """Compare the model with the mirror and return the finished plan. Nothing is sent, nothing in the CRM is read.

    With `retry`, rows that the CRM refused before are planned again although nothing about them changed.
    Raises ConfigurationError for a mapping that cannot work: unknown columns or fields, calculated fields, fields that
    are not imported and so cannot be compared.
    """
    fields = checked(schema, step, source)
    home, warehouse = warehouse, warehouse.engine(anew=True)
    history = _history(home, ledger, schema, step, source)
    plan_id = ledger.new_plan_id()
    named = named_by_key(warehouse, source, fields.fields)
    if named:
        names = warehouse.quote("names_" + plan_id)
        sent = LookingBack(warehouse, ledger, schema, step, source, fields, history).sent_rows()
        warehouse.execute(f"CREATE TEMP TABLE {names} AS {names_sql(warehouse, source, named, sent)}")
        history = replace(history, names=names, named=frozenset(item.field.name for item in named))
    comparison = Comparison(warehouse, ledger, schema, step, source, fields, history)
    tables = ("doubles", "rest", "stage", "plan")
    doubles, rest, stage, table = (warehouse.quote(f"{name}_{plan_id}") for name in tables)
    warehouse.execute(f"CREATE TEMP TABLE {doubles} AS {comparison.doubles()}")
    resting = comparison.at_rest(doubles)
    narrow(warehouse, comparison, resting=bool(resting))
    if resting:
        warehouse.execute(f"CREATE TEMP TABLE {rest} AS {resting}")
        narrow_to_unsettled(warehouse, comparison, rest)
    statement = comparison.statement(doubles, rest if resting else "", retry=retry)
    warehouse.execute(f"CREATE TEMP TABLE {stage} AS {statement}")
    columns = ", ".join(COLUMNS)
    warehouse.execute(
        f"CREATE TEMP TABLE {table} AS SELECT ROW_NUMBER() OVER (ORDER BY action, key) AS _row, {columns} FROM {stage} "
        f"WHERE action <> 'skip' UNION ALL SELECT {SKIPPED_ROWS} + ROW_NUMBER() OVER () AS _row, {columns} "
        f"FROM {stage} WHERE action = 'skip'" + (f" UNION ALL {_skipped(rest)}" if resting else "")
    )
    written = [item.field.name for item in fields.fields]
    sums = "".join(f", COUNT_IF(w_{i}) AS w_{i}" for i in range(len(written)))
    counted = warehouse.rows(
        f"SELECT action, COUNT(*) AS rows, SUM(_nulls) AS nulls{sums} FROM {stage} GROUP BY 1 ORDER BY 1"
    )
    by_field = {name: sum(int(row[f"w_{i}"]) for row in counted) for i, name in enumerate(written)}
    reasons = {
        (row["action"], row["symbol"], row["reason"]): row["rows"]
        for row in warehouse.rows(
            f"SELECT action, symbol, MIN(reason) AS reason, COUNT(*) AS rows FROM {stage} "
            f"WHERE action IN ('skip', 'refuse') OR partial OR symbol = {text(BY_KEY)} GROUP BY 1, 2 ORDER BY 1, 2"
        )
    }
    counts = {row["action"]: int(row["rows"]) for row in counted}
    still = int(warehouse.scalar(f"SELECT COUNT(*) FROM {rest}")) if resting else 0
    if still:
        counts["skip"] = counts.get("skip", 0) + still
        unchanged = ("skip", UNCHANGED, NOTHING)
        reasons[unchanged] = reasons.get(unchanged, 0) + still
    for name in (doubles, stage, *([rest] if resting else []), *([history.names] if history.names else [])):
        warehouse.execute(f"DROP TABLE {name}")
    model_rows, distinct = _described(warehouse, source, fields)
    identify = step.identify if isinstance(step, ExportStep) else None
    return Plan(
        plan_id=plan_id,
        step=step.name,
        account=step.account,
        object=step.object,
        mode=step.mode if isinstance(step, ExportStep) else "delete",
        counts=dict(sorted(counts.items())),
        reasons=reasons,
        fields={name: rows for name, rows in sorted(by_field.items()) if rows},
        freshness=source.mirror.freshness,
        mirrored=int(warehouse.scalar(f"SELECT COUNT(*) FROM ({source.mirror.sql}) AS mirror")),
        table=f"temp.{table}",
        model=source.model,
        key_columns=(identify,) if identify else tuple(step.key.values()),
        model_rows=model_rows,
        nulls=sum(int(row["nulls"] or 0) for row in counted),
        distinct=distinct,
        mirror=_records(home, ledger, schema, step, source, replace(history, names="", named=frozenset())),
        id_field=schema.id_field,
    )


def _records(
    home: Warehouse,
    ledger: Ledger,
    schema: ObjectSchema,
    step: ExportStep | DeleteStep,
    source: Source,
    history: History,
) -> str:
    """SQL of the object's records as the CRM holds them: the mirror, with what any step has sent since."""
    if not history.overlaid:
        return source.mirror.sql
    fields = ever_sent(home, ledger, schema)
    return LookingBack(home.engine(), ledger, schema, step, source, fields, history).records()


def _skipped(rest: str) -> str:
    """The rows that are at rest as rows of a plan."""
    return (
        f"SELECT {2 * SKIPPED_ROWS} + ROW_NUMBER() OVER () AS _row, id AS key, 'skip' AS action, id AS record_id, "
        f"'{{}}' AS match, '[]' AS changes, '' AS fingerprint, NULL AS rest, '{UNCHANGED}' AS symbol, "
        f"'{NOTHING}' AS reason, FALSE AS partial, '[]' AS parked, NULL AS version FROM {rest}"
    )


def digest_of(warehouse: Warehouse, plan: Plan, step: ExportStep | DeleteStep, source: Source) -> Digest:
    """Hashes of what a plan rests on: to tell, later, whether it is still the same plan, and if not why."""
    settings = json.dumps(
        step.model_dump(mode="json", exclude={"where", "batch", "guards", "rejects"}), sort_keys=True, default=str
    )

    engine = warehouse.engine()

    def hashed(relation: str) -> str:
        found = engine.scalar(f"SELECT COUNT(*) || '-' || COALESCE(BIT_XOR(HASH(t)), 0) FROM {relation} AS t")
        return str(found)

    return Digest(
        model=hashed(source.model),
        mirror=hashed(f"({source.mirror.sql})"),
        settings=hashlib.sha256(settings.encode()).hexdigest(),
        rows=plan.digest(warehouse),
    )


def _history(
    warehouse: Warehouse, ledger: Ledger, schema: ObjectSchema, step: ExportStep | DeleteStep, source: Source
) -> History:
    """What there is to look back on. Each question is one look at a table that the answer leaves alone where it can.

    The warehouse itself is asked: what need not be looked back on is not copied to its engine.
    """
    changes = ledger.table("field_changes")
    here = f"account = {text(schema.account)} AND object = {text(schema.name)}"
    last = warehouse.rows(
        f"SELECT plan_id, freshness FROM {ledger.table('plans')} WHERE step = ? AND state = 'applied' "
        "ORDER BY plan_id DESC LIMIT 1",
        [step.name],
    )

    def any_of(table: str, condition: str) -> bool:
        return bool(warehouse.rows(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1"))

    exporting = isinstance(step, ExportStep) and step.mode != "insert"
    return History(
        last_plan=last[0]["plan_id"] if last else "",
        agreed_at=last[0]["freshness"] if last and exporting else None,
        overlaid=any_of(changes, f"{here} AND {since(source.mirror.freshness)}"),
        sent=exporting and any_of(changes, f"{here} AND step = {text(step.name)} AND field <> ''"),
        merged=any_of(source.mirror.log, "_backhaul_survivor IS NOT NULL"),
        gone=any_of(source.mirror.log, "_backhaul_deleted"),
        decided=any_of(ledger.table("conflicts"), f"step = {text(step.name)} AND state IN ('open', 'resolved')"),
    )


def _described(warehouse: Warehouse, source: Source, fields: FieldMap) -> tuple[int, dict[str, int]]:
    """The model's rows, and how many different values its mapped columns have (up to a bound): what guards judge by."""
    columns = list(dict.fromkeys(item.column for item in fields.fields))
    counts = "".join(f", APPROX_COUNT_DISTINCT({warehouse.quote(name)}) AS c_{i}" for i, name in enumerate(columns))
    (row,) = warehouse.rows(f"SELECT COUNT(*) AS rows{counts} FROM {source.model}")
    return int(row["rows"]), {name: min(int(row[f"c_{i}"]), MOST_DISTINCT) for i, name in enumerate(columns)}
