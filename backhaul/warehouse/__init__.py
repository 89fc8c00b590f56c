"""The one door to the database the campaign tables live in.

:func:`open_warehouse` gives a :class:`Warehouse`: query, stream as Arrow, replace, merge, insert, quote. Everything
above this floor knows only that interface; the database driver and its habits stay behind it. The door opens DuckDB
files (:mod:`backhaul.warehouse.duckdb_file`) and PostgreSQL databases (:mod:`backhaul.warehouse.postgres`) by drivers
of its own, and every other SQL destination of dlt by dlt's client (:mod:`backhaul.warehouse.through_dlt`): one class,
and a table of what each destination can do (:mod:`backhaul.warehouse.abilities`). What the engine compares and judges
is always done by DuckDB: in the file itself, or in a scratch file on the runner (:mod:`backhaul.warehouse.scratch`).

    door             the interface
    duckdb_file      DuckDB, with its loading in duckdb_load
    postgres         PostgreSQL, with its types and loading in postgres_types and postgres_load
    through_dlt      everything else: dlt_client (credentials), dlt_session, abilities (what each can do), wording (the
                     engine's own statements in its SQL), packing (files that dlt loads), rows (what drivers give)
    scratch          the DuckDB beside a warehouse that is none

The driver is imported when a warehouse is opened, dlt when :meth:`Warehouse.destination` is called or a destination is
opened by its client, so importing this package costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backhaul.config.destinations import DESTINATIONS, PREFIX
from backhaul.errors import ConfigurationError, Fault
from backhaul.warehouse.door import StatementFailed, Warehouse

if TYPE_CHECKING:
    from backhaul.config import WarehouseConfig

__all__ = ["DESTINATIONS", "StatementFailed", "Warehouse", "open_warehouse"]

SCRATCH = Path(".backhaul") / "scratch"
"""Where the engine's scratch files lie, in the project folder."""


def open_warehouse(config: WarehouseConfig, folder: Path) -> Warehouse:
    """Open the warehouse that a profile names; `folder` is the project's, from which a relative path counts.

    The result is a context manager and is to be closed. Raises :class:`~backhaul.errors.ConfigurationError` for a
    destination, path or credentials that cannot be, :class:`~backhaul.errors.Locked` when another process holds the
    file (naming its process id), :class:`~backhaul.errors.BackhaulError` when the file is not a readable database or
    the server does not let us in.
    """
    if config.destination == "duckdb":
        from backhaul.warehouse.duckdb_file import DuckDBWarehouse

        return DuckDBWarehouse(config.path, folder)
    if config.destination == "postgres":
        try:
            from backhaul.warehouse.postgres import PostgresWarehouse
        except ImportError as error:
            raise ConfigurationError(
                Fault(
                    f"the destination postgres needs the Python package {error.name}, which is not installed",
                    where=getattr(config, "where", None),
                    hint="pip install 'backhaul[postgres]'",
                )
            ) from error
        return PostgresWarehouse(config.plain_credentials, folder / SCRATCH)
    from backhaul.warehouse.through_dlt import DltWarehouse

    name = config.destination.removeprefix(PREFIX)
    return DltWarehouse(name, config.plain_credentials or None, folder, where=getattr(config, "where", None))
