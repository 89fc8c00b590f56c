"""The CRMs behind one door: a handful of verbs, whatever the vendor.

A connector reads pages into a spool, tells what was deleted, and writes batches with one outcome per change. Who
calls it never meets page tokens, job ids, tokens or CSV quoting. The vendors' modules are imported when an account of
theirs is opened::

    with contextlib.closing(open_connector(project.profile.accounts["salesforce"])) as crm:
        schema = crm.describe("Contact")
        extraction = crm.extract(Extract("Contact", ("Id", "Email")), Spool(folder), progress)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from backhaul.errors import CRMError, TransientError
from backhaul.record import (
    Change,
    DeletedRecord,
    Extract,
    Extraction,
    Identity,
    ObjectSchema,
    ObjectSummary,
    Operation,
    Outcome,
    Scalar,
)
from backhaul.spool import Spool

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from backhaul.config import AccountConfig
    from backhaul.crm.http import RetryPolicy

__all__ = ["ChangesUnavailable", "Connector", "PartlyWritten", "Progress", "no_progress", "open_connector"]

Progress: TypeAlias = Callable[[int, int], None]
"""Called as (rows so far, rows expected or 0 when nobody said), from the thread that called the connector."""


def no_progress(rows: int, expected: int) -> None:
    """A :data:`Progress` that says nothing."""


class PartlyWritten(TransientError):
    """A write ended before all its rows were tried. `outcomes` are those that have one; the others were not written,
    or may be sent again without doing it twice.
    """

    def __init__(self, message: str, outcomes: Sequence[Outcome], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.outcomes = tuple(outcomes)


class ChangesUnavailable(CRMError):
    """The CRM does not, or no longer, tell what changed since the link: read everything again, and compare the ids."""


class Connector(Protocol):
    """What every CRM can do here. Times are aware UTC; names are the vendor's API names.

    Every verb may raise :class:`~backhaul.errors.SignInError`, :class:`~backhaul.errors.TransientError` (waited for,
    retried, still failing) or :class:`~backhaul.errors.CRMError` (refused as a whole); nothing of `requests` escapes.
    """

    @property
    def account(self) -> str:
        """The account's name in the profile."""

    @property
    def batch_rows(self) -> int:
        """Changes that one call of the CRM's takes at most; :meth:`write` may take more, see :meth:`write_size`."""

    @property
    def api_calls(self) -> int:
        """Requests made so far, sign-in and retries included."""

    @property
    def detects_deletions(self) -> bool:
        """True: :meth:`deleted` answers. False: compare :meth:`ids` with what is held."""

    @property
    def repeatable_creates(self) -> bool:
        """True: new records get ids minted from the change's key, so that a create may be sent twice.

        :meth:`write` then takes the options ``id_scope`` (keys are unique within it) and ``repeated`` (a record that
        exists already under the minted id is the one that an earlier sending made).
        """

    @property
    def clock_calls(self) -> int:
        """Requests of :meth:`now` that count against the account's allowance."""

    def now(self) -> datetime:
        """The CRM's own clock (the `Date` header of a fresh reply), whole seconds, never ahead of it."""

    def identity(self) -> Identity:
        """Who is signed in where; the cheapest proof that the account works."""

    def objects(self) -> list[ObjectSummary]:
        """All objects that can be read, by name."""

    def describe(self, object: str) -> ObjectSchema:
        """The object as this account may see it; kept for the connector's life. Unknown: ConfigurationError."""

    def extract(self, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        """Read `query` into `spool`, resuming what stands there if it is of the same query.

        Raises IncompleteImport when another number of records arrived than the CRM announced, ChangesUnavailable
        when the link of `query.track` is no longer good or none is given.
        """

    def deleted(self, object: str, start: datetime | None, end: datetime) -> list[DeletedRecord]:
        """Records deleted from `start` to `end`, both included (None: as far back as the CRM knows)."""

    def ids(self, object: str, spool: Spool, progress: Progress) -> Extraction:
        """The ids of all live records, as an extract of one column."""

    def write_size(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """Changes to give one :meth:`write` at most when `rows` are to be written: large plans go another road.

        Raises CRMError when the account's allowance of requests does not suffice for them.
        """

    def suits(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """What :meth:`write_size` gives, whatever is left of the allowance. Asks nothing of the CRM."""

    def cost(
        self, operation: Operation, batches: Sequence[int], options: Mapping[str, object], *, keyed: bool = True
    ) -> int:
        """About how many requests writes of so many changes each take, one after the other. Asks nothing of the CRM.

        `keyed`: every new record has a value for one of the object's unique keys.
        """

    def write(
        self, object: str, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        """Send at most :meth:`write_size` changes; one outcome for each change's key, in their order.

        Raises OutcomeInDoubt when the reply to a write that must not be repeated was lost, PartlyWritten when only
        some rows have an outcome and the others were surely not written. `options`: the vendor's own, and ``id_scope``,
        a name within which the keys are unique. RESTORE brings deleted records back under their ids, with the values
        that the change holds or, where the CRM has kept the record, as it was.
        """

    def recall(self, object: str, scope: str, keys: Sequence[str]) -> list[Outcome]:
        """What is known by now of creates of which no answer came: outcomes of some of `keys`, as given to
        :meth:`write` with the option ``id_scope`` = `scope`. One that was surely not made is REJECTED and passing.

        To call it again says that what it told is kept.
        """

    def restorable(self, object: str, ids: Sequence[str]) -> set[str]:
        """Those of some deleted records' ids under which :meth:`write` can restore them.

        Of the others only a new record, with another id, can be made.
        """

    def interrupt(self) -> None:
        """Make writes in progress, of other threads, end soon: a job is aborted, what it did is told."""

    def fetch(self, object: str, field: str, values: Sequence[str], fields: Sequence[str]) -> list[dict[str, Scalar]]:
        """The live records whose `field` (the id or a key) has one of `values`; each row holds `fields`, typed."""

    def fetch_cost(self, object: str, rows: int, fields: Sequence[str]) -> int:
        """How many requests it takes to :meth:`fetch` so many records by their ids. Asks nothing of the CRM."""

    def close(self) -> None:
        """Give the connections back."""


def open_connector(
    account: AccountConfig, *, transport: BaseAdapter | None = None, policy: RetryPolicy | None = None
) -> Connector:
    """The connector for `account`. Nothing is sent yet: the first verb signs in.

    `transport` takes the place of the wire for every URL (tests); `policy` changes how often and how long is waited.
    """
    if account.crm == "salesforce":
        from backhaul.crm.salesforce import SalesforceConnector

        return SalesforceConnector(account, transport=transport, policy=policy)
    from backhaul.crm.dynamics import DynamicsConnector

    return DynamicsConnector(account, transport=transport, policy=policy)
