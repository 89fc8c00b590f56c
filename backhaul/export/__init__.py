"""From campaign tables back to the CRM: a finished plan, then batches, then an outcome for every row.

plan    = make_plan(...)            # a table of create / update / delete / skip / refuse; nothing is sent
broken  = blocked_by(plan, step)    # guards judge the finished plan
applied = Sender(...).apply(...)    # sends exactly these rows, in batches that the ledger knows of
"""

from backhaul.export.apply import Applied, Sender
from backhaul.export.guards import blocked_by
from backhaul.export.mapping import Mirror, Source
from backhaul.export.plan import FieldChange, Parked, Plan, PlannedChange
from backhaul.export.planning import digest_of, make_plan
from backhaul.export.recovering import recover

__all__ = [
    "Applied",
    "FieldChange",
    "Mirror",
    "Parked",
    "Plan",
    "PlannedChange",
    "Sender",
    "Source",
    "blocked_by",
    "digest_of",
    "make_plan",
    "recover",
]
