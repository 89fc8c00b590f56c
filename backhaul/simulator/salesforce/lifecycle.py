"""What happens to records beside the API's verbs: merges, undeletion, late commits, and the recycle bin's emptying.

These are verbs of the control door (a person in the vendor's user interface, or the service itself), except the
purge, which follows the org's clock. Rests on salesforce-api.md §4.4 (commit lag) and §5.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.schema import ObjectDef
from backhaul.simulator.salesforce.values import naive
from backhaul.simulator.store import one_of, quote

if TYPE_CHECKING:
    from backhaul.simulator.salesforce.org import SalesforceOrg

BIN_DAYS = 15
JOB_DAYS = 7
_LATE = "late"
_MOST_LOSERS = 2


def merge(
    org: SalesforceOrg,
    kind: ObjectDef,
    master: str,
    losers: Sequence[str],
    values: Mapping[str, Any],
    *,
    user: str = "",
) -> None:
    """Merge up to two `losers` into `master` as `user` (default: another one): they go to the recycle bin with
    MasterRecordId, records that name them as a parent are handed to the master, `values` are set on it.

    Raises ValueError when a record is not there or the object cannot be merged.
    """
    keep, gone = _id(master), [_id(one) for one in losers]
    there = org.existing(kind, [keep, *gone])
    wrong = [one for one in (keep, *gone) if there.get(one) is not False]
    if not kind.mergeable or wrong or keep in gone or not 1 <= len(gone) <= _MOST_LOSERS:
        raise ValueError(f"merging {kind.name} needs a live master and one or two other live records; wrong: {wrong}")
    stamp = naive(org.clock.stamp())
    user = user or org.other_user_id
    marks = {"LastModifiedDate": stamp, "SystemModstamp": stamp, "LastModifiedById": user}
    with org.store.transaction():
        for other, field_name in _children(org, kind):
            test, listed = one_of(quote(field_name), gone)
            found = org.store.query(f'SELECT "Id" FROM {quote(other.name)} WHERE {test}', listed)
            rows = [{"Id": child, field_name: keep, "SystemModstamp": stamp} for (child,) in found]
            org.store.update(other.name, "Id", rows)
        org.bin(kind, gone, user)
        org.store.update(kind.name, "Id", [{"Id": one, "MasterRecordId": keep} for one in gone])
        org.change(kind.name, [{"Id": keep, **values}])
        org.store.update(kind.name, "Id", [{"Id": keep, **marks}])


def undelete(org: SalesforceOrg, kind: ObjectDef, given: Sequence[str]) -> int:
    """Take records out of the recycle bin, with those that went along with them; gives how many of `given` lay
    there."""
    wanted = [_id(one) for one in given]
    back = [one for one, gone in org.existing(kind, wanted).items() if gone]
    stamp = naive(org.clock.stamp())
    stamps = {"SystemModstamp": stamp, "LastModifiedDate": stamp, "LastModifiedById": org.other_user_id}
    marks: dict[str, Any] = {"IsDeleted": False, "MasterRecordId": None, **stamps}
    held = {name: value for name, value in marks.items() if kind.find(name)}
    with org.store.transaction():
        org.store.update(kind.name, "Id", [{"Id": one, **held} for one in back])
        org.forget_deletion(back)
        for name, children in org.deleted_with(back):
            undelete(org, org.objects[name.lower()], children)
    return len(back)


def commit_later(org: SalesforceOrg, order: Mapping[str, Any]) -> None:
    """Keep records back until the org's clock says ``visible_at``: they are stamped ``modified_at``, as those of a
    transaction that began then and commits late. Records with an Id are changes, the others new."""
    with org.store.transaction():
        org.store.set(_LATE, [*org.store.get(_LATE, []), dict(order)])


def settle(org: SalesforceOrg, now: datetime) -> None:
    """Commit what is due, empty the recycle bin of what has lain there for 15 days, and forget Bulk jobs after 7."""
    with org.store.transaction():  # two requests at once must not commit the same twice
        waiting = org.store.get(_LATE, [])
        due = [order for order in waiting if datetime.fromisoformat(order["visible_at"]) <= now]
        if due:
            org.store.set(_LATE, [order for order in waiting if order not in due])
        for order in due:
            stamp = datetime.fromisoformat(order["modified_at"])
            old = [one for one in order["records"] if one.get("Id")]
            new = [one for one in order["records"] if not one.get("Id")]
            if old:
                org.change(order["object"], old, modified_at=stamp)
            if new:
                org.seed(order["object"], new, modified_at=stamp)
    for name, one in org.binned_before(naive(now - timedelta(days=BIN_DAYS))):
        org.purge(name, one)
    org.forget_jobs((now - timedelta(days=JOB_DAYS)).strftime("%Y-%m-%dT%H:%M:%S"))


def dependents(org: SalesforceOrg, kind: ObjectDef) -> list[tuple[ObjectDef, str]]:
    """The objects, and their lookups, whose records go when the record of `kind` they look up to does."""
    return [
        (other, f.name)
        for other in org.objects.values()
        for f in other.fields.values()
        if f.cascade and kind.name in f.reference_to
    ]


def _children(org: SalesforceOrg, kind: ObjectDef) -> list[tuple[ObjectDef, str]]:
    return [
        (other, f.name)
        for other in org.objects.values()
        for f in other.fields.values()
        if kind.name in f.reference_to and f.stored and f.name != "MasterRecordId"
    ]


def _id(given: str) -> str:
    whole = ids.to18(str(given))
    if whole is None:
        raise ValueError(f"{given} is no record id")
    return whole
