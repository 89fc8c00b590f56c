"""The SELECTs that choose what is appended to the raw log: what the pages hold and the log does not know yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from backhaul.importing.fields import Declared, LogColumn
from backhaul.importing.log import DELETED, OWN_COLUMNS, RAW_SCHEMA, SEEN_AT, SURVIVOR, newest_first

if TYPE_CHECKING:
    from backhaul.warehouse import Warehouse


def typed_sql(warehouse: Warehouse, declared: Declared, pages: str, time_zone: str) -> str:
    """The pages' records with every value cast to its column's type; a value that does not fit fails the statement."""
    casts = ",\n    ".join(
        f"{column.cast('page.' + warehouse.quote(column.wire), time_zone)} AS {warehouse.quote(column.name)}"
        for column in declared.present
    )
    return f"SELECT\n    {casts}\nFROM (\n{pages}\n) AS page"


def all_versions_sql(warehouse: Warehouse, declared: Declared, typed: str, end: datetime) -> str:
    """Every record of the pages as a version: for a log that is empty."""
    columns = ", ".join(
        f"NULL::{column.type} AS {warehouse.quote(column.name)}"
        if column.missing
        else f"new.{warehouse.quote(column.name)}"
        for column in declared.columns
    )
    return f"SELECT {columns}, {_own(end)}\nFROM (\n{typed}\n) AS new"


def new_versions_sql(warehouse: Warehouse, declared: Declared, table: str, typed: str, end: datetime) -> str:
    """The records of the pages that differ from the newest version the log holds of them.

    A record that reads like the newest live version is known, and not appended again; so overlaps, doubled deliveries
    and repeated loads leave the log as it is. A version of the same stamp with other content is new. A column that
    the CRM no longer shows keeps the newest version's value.
    """
    identity = warehouse.quote(declared.id.name)
    there = {name.lower() for name in warehouse.columns(RAW_SCHEMA, table)}
    stored = ", ".join(
        warehouse.quote(column.name)
        if column.name.lower() in there
        else f"NULL::{column.type} AS {warehouse.quote(column.name)}"
        for column in declared.columns
    )
    order = newest_first(warehouse, declared.cursor)
    log = warehouse.relation(RAW_SCHEMA, table)
    chosen = ", ".join(
        f"{'live' if column.missing else 'new'}.{warehouse.quote(column.name)}" for column in declared.columns
    )
    differs = " OR ".join(
        f"new.{warehouse.quote(column.name)} IS DISTINCT FROM live.{warehouse.quote(column.name)}"
        for column in declared.present
        if column is not declared.id
    )
    # A deletion younger than the record's stamp stands; one that is older was taken back.
    revived = (
        f"(gone.{identity} IS NOT NULL AND new.{warehouse.quote(declared.cursor)} >= gone.since)"
        if declared.cursor
        else "false"
    )
    gone_cursor = warehouse.quote(declared.cursor) if declared.cursor else SEEN_AT
    return f"""WITH new AS (
{typed}
), held AS (
SELECT {stored}, {DELETED}, {SEEN_AT},
    row_number() OVER (PARTITION BY {identity} ORDER BY {order}) AS place,
    row_number() OVER (PARTITION BY {identity}, {DELETED} ORDER BY {order}) AS place_of_kind
FROM {log} WHERE {identity} IN (SELECT {identity} FROM new)
), live AS (
SELECT * FROM held WHERE NOT {DELETED} AND place_of_kind = 1
), gone AS (
SELECT {identity}, {gone_cursor} AS since FROM held WHERE {DELETED} AND place = 1
)
SELECT {chosen}, {_own(end)}
FROM new LEFT JOIN live ON new.{identity} = live.{identity} LEFT JOIN gone ON new.{identity} = gone.{identity}
WHERE live.{identity} IS NULL OR {revived} OR {differs or "false"}"""


def deletions_sql(warehouse: Warehouse, declared: Declared, table: str | None, gone: str, end: datetime) -> str:
    """Deletion rows for `gone`, a SELECT of (id, deleted_at, survivor), less those that the log `table` holds."""
    columns = ", ".join(_deletion_column(warehouse, declared, column) for column in declared.columns)
    own = f"true AS {DELETED}, gone.survivor AS {SURVIVOR}, {_instant(end)} AS {SEEN_AT}"
    sql = f"SELECT {columns}, {own}\nFROM (\n{gone}\n) AS gone"
    if table is None:
        return sql
    identity = warehouse.quote(declared.id.name)
    same_time = f"AND log.{warehouse.quote(declared.cursor)} = gone.deleted_at" if declared.cursor else ""
    return f"""{sql}
WHERE NOT EXISTS (
    SELECT 1 FROM {warehouse.relation(RAW_SCHEMA, table)} AS log
    WHERE log.{identity} = gone.id AND log.{DELETED} {same_time} AND log.{SURVIVOR} IS NOT DISTINCT FROM gone.survivor
)"""


def vanished_sql(warehouse: Warehouse, declared: Declared, table: str, ids: str, deleted_at: datetime) -> str:
    """(id, deleted_at, survivor) of the records that the log holds as live and that are not among `ids`."""
    identity = warehouse.quote(declared.id.name)
    order = newest_first(warehouse, declared.cursor)
    return f"""SELECT held.{identity} AS id, {_instant(deleted_at)} AS deleted_at, NULL::VARCHAR AS survivor
FROM (
    SELECT {identity}, {DELETED}, row_number() OVER (PARTITION BY {identity} ORDER BY {order}) AS place
    FROM {warehouse.relation(RAW_SCHEMA, table)}
) AS held ANTI JOIN (
{ids}
) AS there ON held.{identity} = there.{identity}
WHERE held.place = 1 AND NOT held.{DELETED}"""


def live_count_sql(warehouse: Warehouse, declared: Declared, table: str) -> str:
    """How many records the log holds as live."""
    identity = warehouse.quote(declared.id.name)
    order = newest_first(warehouse, declared.cursor)
    return f"""SELECT count(*) FROM (
    SELECT {DELETED}, row_number() OVER (PARTITION BY {identity} ORDER BY {order}) AS place
    FROM {warehouse.relation(RAW_SCHEMA, table)}
) AS held WHERE place = 1 AND NOT {DELETED}"""


def still_live_sql(warehouse: Warehouse, declared: Declared, table: str, gone: str) -> str:
    """Those of `gone` that the log's newest word does not call deleted.

    Two delta links tell the same deletion, and neither tells when it was.
    """
    identity = warehouse.quote(declared.id.name)
    order = newest_first(warehouse, declared.cursor)
    return f"""SELECT gone.id, gone.deleted_at, gone.survivor
FROM (
{gone}
) AS gone ANTI JOIN (
    SELECT {identity}, {DELETED}, row_number() OVER (PARTITION BY {identity} ORDER BY {order}) AS place
    FROM {warehouse.relation(RAW_SCHEMA, table)}
) AS held ON held.{identity} = gone.id AND held.place = 1 AND held.{DELETED}"""


def with_survivors_sql(warehouse: Warehouse, declared: Declared, table: str, gone: str, field: str) -> str:
    """`gone`, with the survivor that the newest live version in the log names in `field`, where none is told.

    Who lost a merge and was deleted later would else be gone without a trace, and its links with it.
    """
    identity, column = warehouse.quote(declared.id.name), warehouse.quote(field)
    order = newest_first(warehouse, declared.cursor)
    return f"""SELECT gone.id, gone.deleted_at, COALESCE(gone.survivor, held.{column}) AS survivor
FROM (
{gone}
) AS gone LEFT JOIN (
    SELECT {identity}, {column}, row_number() OVER (PARTITION BY {identity} ORDER BY {order}) AS place
    FROM {warehouse.relation(RAW_SCHEMA, table)} WHERE NOT {DELETED}
) AS held ON held.{identity} = gone.id AND held.place = 1"""


def misfit_sql(warehouse: Warehouse, declared: Declared, column: LogColumn, pages: str, time_zone: str) -> str:
    """(id, value) of one record whose value of `column` cannot be cast to its type."""
    value = "page." + warehouse.quote(column.wire)
    attempt = column.cast(value, time_zone, "TRY_CAST")
    return (
        f"SELECT page.{warehouse.quote(declared.id.wire)} AS id, {value} AS value FROM (\n{pages}\n) AS page "
        f"WHERE {value} IS NOT NULL AND {attempt} IS NULL ORDER BY id LIMIT 1"
    )


def columns_of(declared: Declared) -> Sequence[str]:
    """The names of the columns that the SELECTs of whole rows give, in order."""
    return (*(column.name for column in declared.columns), *OWN_COLUMNS)


def _deletion_column(warehouse: Warehouse, declared: Declared, column: LogColumn) -> str:
    name = warehouse.quote(column.name)
    if column is declared.id:
        return f"gone.id AS {name}"
    if column.name == declared.cursor:
        return f"gone.deleted_at AS {name}"
    return f"NULL::{column.type} AS {name}"


def _own(end: datetime) -> str:
    return f"false AS {DELETED}, NULL::VARCHAR AS {SURVIVOR}, {_instant(end)} AS {SEEN_AT}"


def _instant(value: datetime) -> str:
    return f"TIMESTAMP WITH TIME ZONE '{value.isoformat(sep=' ')}'"
