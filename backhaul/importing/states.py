"""The stored windows: which option reads what, and up to when it has read."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backhaul.errors import ConfigurationError, Fault
from backhaul.importing.loading import Loader, Stored
from backhaul.importing.tracking import LINK

if TYPE_CHECKING:
    from backhaul.config import Project
    from backhaul.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class OptionState:
    """One stored window: the next import of `object` starts at `value` (less its overlap); None: at the beginning."""

    option_name: str
    account: str
    object: str
    cursor: str | None
    value: datetime | None


def states(project: Project, warehouse: Warehouse) -> list[OptionState]:
    """Every stored window, and the import steps of the project's pipelines that have none yet, by option name."""
    found = {
        name: OptionState(name, one.account, one.object, one.cursor, one.value)
        for name, one in Loader.of(project, warehouse).stored().items()
    }
    return [state for _, state in sorted({**_declared(project), **found}.items())]


def renew_states(warehouse: Warehouse) -> None:
    """Let the stored windows be read again: in a shared warehouse another machine may have moved them."""
    Loader.close(warehouse)


def set_state(project: Project, warehouse: Warehouse, option_name: str, value: datetime) -> None:
    """Let the next import start at `value` (aware; less its overlap).

    Raises ConfigurationError for an unknown option.
    """
    loader = Loader.of(project, warehouse)
    stored = loader.stored().get(option_name)
    if stored is None:
        declared = _declared(project).get(option_name)
        if declared is None:
            raise _unknown(option_name, {*loader.stored(), *_declared(project)})
        stored = Stored(option_name, declared.account, declared.object, None, None)
    # A link to go on from stands for another instant than the one that is set.
    extra = {name: kept for name, kept in stored.extra.items() if name != LINK}
    loader.store(replace(stored, value=value.astimezone(UTC), extra=extra))


def reset_state(project: Project, warehouse: Warehouse, option_name: str) -> None:
    """Forget a stored window: the next import reads everything. The log is kept.

    Raises ConfigurationError for an unknown option.
    """
    loader = Loader.of(project, warehouse)
    if option_name in loader.stored():
        loader.forget(option_name)
    elif option_name not in _declared(project):
        raise _unknown(option_name, {*loader.stored(), *_declared(project)})


def _declared(project: Project) -> dict[str, OptionState]:
    return {
        step.option_name: OptionState(step.option_name, step.account, step.object, None, None)
        for pipeline in project.pipelines.values()
        for step in pipeline.steps
        if step.kind == "import"
    }


def _unknown(option_name: str, known: set[str]) -> ConfigurationError:
    close = difflib.get_close_matches(option_name, sorted(known), n=1)
    return ConfigurationError(
        Fault(
            f"there is no stored window '{option_name}'",
            allowed=tuple(sorted(known)),
            hint=f"did you mean '{close[0]}'?" if close else "`backhaul state show` lists them",
        )
    )
