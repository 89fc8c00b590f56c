"""The number of rows that a load brought, compared before they count."""

from __future__ import annotations

from dlt.destinations.exceptions import DatabaseTerminalException

from backhaul.errors import IncompleteImport


def check_count(expected: int | None, found: int) -> None:
    """Inside a load's transaction: raise what undoes it when other than the expected number of rows came; None: any.

    dlt takes the number for granted. What a page is said to hold and what can be read in it may differ, and rows that
    are short of what the CRM announced must not count, not even until somebody looks. The cause of what is raised is an
    :class:`~backhaul.errors.IncompleteImport`.
    """
    if expected is not None and found != expected:
        raise DatabaseTerminalException(
            IncompleteImport(f"{expected} records were announced, {found} are readable in the pages received")
        )
