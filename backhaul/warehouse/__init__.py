"""The one door to the database the campaign tables live in.

:func:`open_warehouse` gives a :class:`Warehouse`: query, stream as Arrow, replace, merge, insert, quote. Everything
above this floor knows only that interface; the database driver and its habits stay behind it. The door opens DuckDB
files (:mod:`backhaul.warehouse.duckdb_file`) and PostgreSQL databases (:mod:`backhaul.warehouse.postgres`); another
destination is another class with the same verbs. What the engine compares and judges is always done by DuckDB: in the
file itself, or in a scratch file on the runner (:mod:`backhaul.warehouse.scratch`).

The driver is imported when a warehouse is opened, dlt when :meth:`Warehouse.destination` is called, so importing
this package costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backhaul.errors import ConfigurationError, Fault
from backhaul.warehouse.door import StatementFailed, Warehouse

if TYPE_CHECKING:
    from backhaul.config import WarehouseConfig

__all__ = ["DESTINATIONS", "StatementFailed", "Warehouse", "open_warehouse"]

DESTINATIONS = ("duckdb", "postgres")
"""What `warehouse.destination` in a profile may say."""

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
    raise ConfigurationError(
        Fault(
            f"warehouse.destination is '{config.destination}', which this version cannot open",
            where=getattr(config, "where", None),
            allowed=DESTINATIONS,
            hint="write `warehouse: {destination: duckdb, path: <file>.duckdb}` in the profile",
        )
    )
