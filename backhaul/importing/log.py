"""The raw log: names of its tables and columns, and the mirror that is read out of it.

One append-only table an object, ``raw.<account>__<object>``, one row per version of a record seen. Beside the declared
fields under the vendor's API names (the id first) a row holds:

===================== ======================================================================================
`_backhaul_deleted`   true: the record was gone at the time in the cursor column; its other fields are null
`_backhaul_survivor`  the id it was merged into, else null
`_backhaul_seen_at`   the end of the window the row came with, by the CRM's clock
`_dlt_load_id`        dlt's load package
===================== ======================================================================================

The newest version of a record is the one with the greatest (cursor, `_backhaul_seen_at`, `_dlt_load_id`), a null cursor
counting as oldest. A deleted record whose later version is live is live again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backhaul.warehouse import Warehouse

RAW_SCHEMA = "raw"
DELETED = "_backhaul_deleted"
SURVIVOR = "_backhaul_survivor"
SEEN_AT = "_backhaul_seen_at"
LOAD_ID = "_dlt_load_id"
OWN_COLUMNS = (DELETED, SURVIVOR, SEEN_AT)


def raw_table(account: str, object: str) -> str:
    """The raw log's table of one object, without its schema: ``salesforce__Contact``."""
    return f"{account}__{object}"


def newest_first(warehouse: Warehouse, cursor: str | None) -> str:
    """The ORDER BY list that puts the newest version first. `cursor` None: the object has no modification stamp."""
    stamped = f"{warehouse.quote(cursor)} DESC NULLS LAST, " if cursor else ""
    return f"{stamped}{SEEN_AT} DESC, {LOAD_ID} DESC"


def mirror_sql(warehouse: Warehouse, account: str, object: str, id_field: str, cursor: str | None) -> str:
    """A SELECT of the newest version of every live record: what the CRM holds, as last seen, all log columns."""
    table = warehouse.relation(RAW_SCHEMA, raw_table(account, object))
    identity = warehouse.quote(id_field)
    columns = ", ".join(
        f"log.{warehouse.quote(name)}" for name in warehouse.columns(RAW_SCHEMA, raw_table(account, object))
    )
    columns = columns or "log.*"
    # Most records have one version: only those that have more are put into order, which a wide log is slow to be.
    several = f"SELECT {identity} FROM {table} GROUP BY {identity} HAVING COUNT(*) > 1"
    rank = f"row_number() OVER (PARTITION BY {identity} ORDER BY {newest_first(warehouse, cursor)})"
    return (
        f"SELECT {columns}\nFROM {table} AS log\n"
        f"ANTI JOIN ({several}) AS several ON several.{identity} = log.{identity}\nWHERE NOT log.{DELETED}\nUNION ALL\n"
        f"SELECT {columns}\nFROM (SELECT *, {rank} AS _backhaul_rank FROM {table} "
        f"WHERE {identity} IN ({several})) AS log\nWHERE _backhaul_rank = 1 AND NOT {DELETED}"
    )


def format_instant(value: datetime | None) -> str:
    """A stored window end as it is shown to people: ``yyyy/MM/dd hh:mm:ss``, 24 hours, UTC; empty for none."""
    return value.astimezone(UTC).strftime("%Y/%m/%d %H:%M:%S") if value else ""


def parse_instant(text: str) -> datetime:
    """Read what :func:`format_instant` shows, or ISO 8601; without a zone it means UTC. Raises ValueError."""
    cleaned = text.strip().replace("/", "-")
    value = datetime.fromisoformat(cleaned)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
