"""Opt-outs, read just before their records are deleted, so that an undo can bring them back.

Dataverse keeps nothing of a deleted record (dataverse-api.md §5.1), and Salesforce only as long as it lies in the
recycle bin: a record that is made anew would be one that nobody has opted out of. Those that are imported are read as
well: somebody may have opted out since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from backhaul.crm import Connector
from backhaul.export.plan import Plan
from backhaul.record import Field, Kind, ObjectSchema, Scalar
from backhaul.warehouse import Warehouse

_CONSENT = re.compile(r"donot|do_not|opt(ed)?_?out|unsubscribe", re.IGNORECASE)
"""donotbulkemail, donotsendmm, msdyn_gdproptout; HasOptedOutOfEmail, DoNotCall, and what people call their own."""

PAGE = 10_000
"""Records that are asked for at a time."""


def consent_fields(schema: ObjectSchema) -> list[Field]:
    """The flags of an object that say what somebody does not want, and that a new record can be given."""
    return [
        one
        for one in schema.fields.values()
        if one.kind is Kind.BOOLEAN and one.createable and not one.calculated and _CONSENT.search(one.name)
    ]


def reads(plan: Plan, schema: ObjectSchema, connector: Connector) -> int:
    """How many requests :func:`opt_outs` makes for a plan. Asks nothing of the CRM."""
    rows = plan.counts.get("delete", 0)
    fields = [one.name for one in consent_fields(schema)]
    if not rows or not fields:
        return 0
    whole, rest = divmod(rows, PAGE)
    cost = connector.fetch_cost(plan.object, PAGE, fields) * whole if whole else 0
    return cost + (connector.fetch_cost(plan.object, rest, fields) if rest else 0)


def opt_outs(
    warehouse: Warehouse, plan: Plan, schema: ObjectSchema, connector: Connector
) -> dict[str, Mapping[str, Scalar]]:
    """By record id: the flags that are set, of the records that a plan deletes, as the CRM holds them now.

    One request for some hundred records. Raises what :meth:`~backhaul.crm.Connector.fetch` raises.
    """
    fields = [one.name for one in consent_fields(schema)]
    if not plan.counts.get("delete") or not fields:
        return {}
    ids = [row["record_id"] for row in plan.rows(warehouse, ("delete",)) if row["record_id"]]
    found: dict[str, Mapping[str, Scalar]] = {}
    for start in range(0, len(ids), PAGE):
        for row in connector.fetch(plan.object, schema.id_field, ids[start : start + PAGE], fields):
            flags = {schema.fields[name].column: True for name in fields if row.get(name) is True}
            if flags:
                found[str(row[schema.id_field])] = flags
    return found
