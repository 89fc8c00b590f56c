"""How many requests writes take, reckoned beforehand by the rules of writing, sets, rows and erasing."""

from __future__ import annotations

from collections.abc import Sequence

from backhaul.crm.dynamics.batch import MOST_PARTS
from backhaul.crm.dynamics.options import WriteOptions
from backhaul.crm.dynamics.reading import MOST_VALUES
from backhaul.crm.dynamics.rows import pace as row_pace
from backhaul.crm.dynamics.sets import FEW, MESSAGES
from backhaul.crm.dynamics.sets import pace as set_pace
from backhaul.record import Operation

JOB_LOOKS = 12
"""So often a bulk delete job is looked at, as estimated: for about four minutes."""


def requests(operation: Operation, batches: Sequence[int], options: WriteOptions) -> int:
    """About how many requests writes of so many changes each take, one after the other.

    As few as it can be: the service answers quickly and takes every row; an upsert goes by one key column, as text or
    number, and finds no record. Halving around bad rows, and records found by their key, take more.
    """
    paces = row_pace(), set_pace()
    # Dataverse keeps no deleted records: one comes back by being created.
    operation = Operation.CREATE if operation is Operation.RESTORE else operation
    calls = 0
    for rows in batches:
        by_sets = rows > FEW and operation in MESSAGES and not options.by_rows
        if not by_sets and rows > MOST_PARTS:
            # One to begin the job; afterwards the ids are looked up.
            calls += 1 + JOB_LOOKS + -(-rows // MOST_VALUES)
            continue
        if by_sets and operation is Operation.UPSERT:
            calls += -(-rows // MOST_VALUES)
        left = rows
        while left:
            # The rest of a set that is only a few rows goes row by row.
            pace = paces[by_sets and left > FEW]
            taken = min(left, pace.size)
            pace.note(taken, 0.0)
            left -= taken
            calls += 1
    return calls
