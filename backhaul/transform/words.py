"""What Jinja offers in every template of a project, besides what depends on the model (see :mod:`.compiling`)."""

from __future__ import annotations

import datetime
import json
import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from backhaul.errors import BackhaulError
from backhaul.transform.model import quoted
from backhaul.transform.rendering import RaisedInTemplate, calling_place

if TYPE_CHECKING:
    from backhaul.config import Project

_log = logging.getLogger("backhaul.transform")

_PLACEHOLDER = {
    "option_name": "LASTIMPORT",
    "start": datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC),
    "end": datetime.datetime(2000, 1, 2, tzinfo=datetime.UTC),
}
"""What a step's window looks like while models are only being checked."""


class Steps(Mapping[str, Any]):
    """The windows of the pipeline's steps: ``steps.import_salesforce_Contact.start``.

    While a pipeline runs, the steps that have ended; while models are checked, a stand-in for every step that a
    pipeline declares.
    """

    def __init__(self, known: Mapping[str, Any], *, checking: bool) -> None:
        self._known = known
        self._checking = checking

    def __getitem__(self, name: str) -> Any:
        if name in self._known:
            return _PLACEHOLDER if self._checking else self._known[name]
        close = get_close_matches(str(name), self._known, n=1)
        if self._checking:
            raise BackhaulError(
                f"no pipeline has a step '{name}'",
                hint=f"did you mean '{close[0]}'?" if close else "see the steps' names in pipelines/*.yml",
            )
        raise BackhaulError(
            f"the step '{name}' has no window here: it has not run before this one",
            hint="run the pipeline that imports it, or guard it: {% if '" + str(name) + "' in steps %}",
        )

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def get(self, name: str, default: Any = None) -> Any:
        """The step's window, or the default when it has none here."""
        return self[name] if name in self._known else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def common_words(project: Project, *, schema: str, target: str | None = None) -> dict[str, Any]:
    """The names that every template sees, whatever the model.

    `schema`: where models outside a folder go. `target`: the dialect to write for, instead of the warehouse's own.
    """
    profile = project.profile
    type_ = target or profile.warehouse.destination
    return {
        **project.jinja_context(),
        "project_name": project.name,
        "target": SimpleNamespace(
            name=profile.name, profile_name=profile.name, schema=schema, type=type_, dialect=type_, threads=1
        ),
        "log": log,
        "exceptions": SimpleNamespace(raise_compiler_error=_raise, warn=_warn),
        "adapter": SimpleNamespace(quote=quoted, type=lambda: type_),
        "run_started_at": datetime.datetime.now(datetime.UTC),
        "invocation_id": str(uuid.uuid4()),
        "execute": True,
        "flags": SimpleNamespace(FULL_REFRESH=False),
        "modules": SimpleNamespace(
            datetime=SimpleNamespace(
                datetime=datetime.datetime, date=datetime.date, timedelta=datetime.timedelta, timezone=datetime.timezone
            ),
            re=SimpleNamespace(
                match=re.match, search=re.search, fullmatch=re.fullmatch, sub=re.sub, findall=re.findall, split=re.split
            ),
        ),
        "tojson": json.dumps,
        "fromjson": json.loads,
        "set": set,
        "zip": zip,
    }


def log(message: object, info: bool = False) -> str:
    """Jinja's ``log(message, info=false)``: a line in the log, nothing in the SQL."""
    _log.log(logging.INFO if info else logging.DEBUG, "%s: %s", calling_place(), message)
    return ""


def _raise(message: object) -> str:
    raise RaisedInTemplate(str(message))


def _warn(message: object) -> str:
    _log.warning("%s: %s", calling_place(), message)
    return ""
