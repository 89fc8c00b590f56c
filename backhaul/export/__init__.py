"""From campaign tables back to the CRM: a finished plan, then batches, then an outcome for every row.

plan    = make_plan(...)            # a table of create / update / delete / skip / refuse; nothing is sent
broken  = blocked_by(plan, step)    # guards judge the finished plan
applied = Sender(...).apply(...)    # sends exactly these rows, in batches that the ledger knows of
"""

from backhaul.export.apply import Applied, Sender, blocked_by, recover
from backhaul.export.plan import FieldChange, Plan, PlannedChange, Source, make_plan

__all__ = [
    "Applied",
    "FieldChange",
    "Plan",
    "PlannedChange",
    "Sender",
    "Source",
    "blocked_by",
    "make_plan",
    "recover",
]
