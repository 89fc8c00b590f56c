"""What the floors pass to each other about CRM objects: schemas, windows, queries, changes and outcomes.

Plain immutable data, no behaviour of a vendor, no heavy import. Field and object names are the vendor's own API
names. Times are timezone-aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Scalar: TypeAlias = str | bool | int | float | Decimal | date | datetime | time | None


class Kind(StrEnum):
    """The value kinds a field can have here, whatever the vendor calls its type."""

    TEXT = "text"  # any character data, picklists included
    ID = "id"  # the record's own id or a reference to another record
    BOOLEAN = "boolean"
    INTEGER = "integer"  # 32 bit
    BIGINT = "bigint"  # 64 bit
    DECIMAL = "decimal"  # exact, with the describe precision and scale
    DOUBLE = "double"
    DATE = "date"  # no time zone
    DATETIME = "datetime"  # an instant, UTC, milliseconds
    TIME = "time"
    BINARY = "binary"  # bytes; on the wire their base64 text


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a picklist / choice: what the API stores, what people see."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object as describe / metadata gives it to this user.

    `length` in characters; `precision` counts all digits, `scale` those after the point. `wire` is the name the
    field has in replies where that differs (Dataverse lookups: ``_ownerid_value``), else equal to `name`.
    """

    name: str
    label: str
    vendor_type: str
    kind: Kind
    wire: str = ""
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    createable: bool = True
    updateable: bool = True
    required_on_create: bool = False
    calculated: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    filterable: bool = True
    options: tuple[Option, ...] = ()
    restricted: bool = False  # only `options` are accepted
    references: tuple[str, ...] = ()
    relationship: str = ""  # a reference: what the way to the parent's fields is called (AccountId: Account)
    polymorphic: bool = False  # a reference to records of several objects
    date_only: bool = False
    wall_clock: bool = False  # a time without a zone: DATETIME as it stands on a wall, wherever that hangs

    @property
    def column(self) -> str:
        """The field's column in the raw log.

        A point, in a field of a related record, cannot stand in a column; nor can the object before a colon, which says
        of which one the record is that a polymorphic reference is to be set to (``Lead:Who.Email``: Who_Email).
        """
        return self.name.rpartition(":")[2].replace(".", "_")

    @property
    def on_wire(self) -> str:
        """The field's name in replies."""
        return self.wire or self.name


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An object as one account shows it. `cursors` are the modification stamps it has, best first."""

    account: str
    name: str
    label: str
    id_field: str
    fields: Mapping[str, Field]
    cursors: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...] = ()  # external ids / alternate keys, each a tuple of field names
    deletable: bool = True
    compounds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # MailingAddress: its parts
    lists_deletions: bool = True  # False: deleted records are found by comparing ids only
    companions: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # statuscode: statuscode_label, imported too
    tracks_changes: bool = False  # the CRM tells what changed since a link that it gave (Extract.track)
    survivor_field: str = ""  # a live record that lost a merge names its survivor here, until it is deleted as well
    version_field: str = ""  # the field with the record's version, for writes that ask for one (Change.version)
    hidden: Mapping[str, str] = field(default_factory=dict)  # not among `fields`: this user may not read it; what to do


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """One line of an account's list of objects."""

    name: str
    label: str
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open span of a cursor field: `start` included (None = from the beginning), `end` excluded."""

    cursor: str
    start: datetime | None
    end: datetime


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a filter.

    `operator`: eq, ne, gt, ge, lt, le, in, not_in, like, not_like, starts_with, ends_with, contains,
    is_null, is_not_null. `value` is a scalar, a tuple for in / not_in, None for the null tests.
    """

    field: str
    operator: str
    value: Scalar | tuple[Scalar, ...] = None


@dataclass(frozen=True, slots=True)
class Group:
    """One level of a filter: `items` joined by and (`all_of` true) or by or."""

    all_of: bool
    items: tuple[Condition | Group, ...]


def fields_of(filter: Group | Condition | None) -> tuple[str, ...]:
    """The names of the fields that a filter compares, in its order, each as often as it stands there."""
    if filter is None:
        return ()
    if isinstance(filter, Condition):
        return (filter.field,)
    return tuple(name for item in filter.items for name in fields_of(item))


@dataclass(frozen=True, slots=True)
class Extract:
    """What to read of one object. `fields` holds the id field and the window's cursor already."""

    object: str
    fields: tuple[str, ...]
    window: Window | None = None
    filter: Group | None = None
    order_by: tuple[tuple[str, bool], ...] = ()  # (field, descending)
    include_deleted: bool = False
    road: str = "auto"  # auto, rest, bulk: which API to take where the CRM has several
    ids: tuple[str, ...] | None = None  # only these records, changed within the window
    fresh: tuple[str, ...] = ()  # with `ids`: these too, whenever they changed before the window's end
    track: str | None = (
        None  # "": everything, and a link; a link: what changed since it was given. No window, no filter
    )


class PageFormat(StrEnum):
    """How a spooled page is to be read. Every value arrives as text; casting to the field's kind comes later.

    CSV: gzip or plain, header row of wire names, all cells may be quoted, an empty cell is null.
    JSON: gzip or plain, one object whose `rows_key` holds the array of row objects keyed by wire name.
    """

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Extraction:
    """Spooled pages of one finished extract. `announced` is the count the CRM promised, None if it gave none.

    An object too wide for one query comes in `parts`, each with some of the columns; `joined_by` are the wire names of
    the columns that all of them have, which say which rows belong together. The other members are then the parts' sums,
    `rows` those of the first part.
    """

    paths: tuple[str, ...]
    format: PageFormat
    rows: int
    announced: int | None
    columns: tuple[str, ...]  # wire names, in page order for CSV
    rows_key: str = ""  # JSON: "records" (Salesforce) or "value" (Dataverse)
    api_calls: int = 0
    bytes: int = 0
    track: str = ""  # with Extract.track: the link to go on from; "": none was given
    deleted: tuple[str, ...] = ()  # with a link: ids of what is gone; in the pages they are rows without the id field
    parts: tuple[Extraction, ...] = ()
    joined_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeletedRecord:
    """A record that is gone. `survivor` is the id it was merged into, if it was."""

    id: str
    at: datetime
    survivor: str | None = None


class Operation(StrEnum):
    """What a batch of changes does."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    RESTORE = "restore"  # a deleted record comes back under its own id


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write. `key` names it in plan, ledger and outcome; a field absent from `values` is untouched.

    `record_id` for update, delete and restore; `match` (external id or alternate key -> value) for upsert. `version`:
    the record's version as planned from; where the CRM keeps versions, another one there refuses the write.
    """

    key: str
    values: Mapping[str, Scalar]
    record_id: str | None = None
    match: Mapping[str, Scalar] = field(default_factory=dict)
    version: str | None = None


class State(StrEnum):
    """What became of one change: the CRM holds it, refused it, or never said."""

    DONE = "done"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the CRM answered for one change, joined to it by `key`, never by position.

    `passing`: a rejected row may succeed when it is sent again later (a lock, a throttle), as it stands.
    """

    key: str
    state: State
    record_id: str | None = None
    created: bool | None = None
    symbol: str = ""
    message: str = ""
    fields: tuple[str, ...] = ()
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in an account: for `check --online`."""

    account: str
    user: str
    organisation: str
    url: str
    details: Mapping[str, str] = field(default_factory=dict)
