"""The words that choose models, as dbt has them.

=======================  ============================================================================
``recipients``           the model of that name
``campaign``             every model of the folder transforms/campaign
``campaign.recipients``  a model by folder and name; ``*`` and ``?`` match as in file names
``tag:nightly``          models with the tag
``path:transforms/x``    models whose file is that or stands below it; a word with a slash means the same
``source:salesforce``    models that read the account, ``source:salesforce.Contact`` the object
``config.materialized:view``  models whose config says so
``resource_type:seed``   the CSV files (or ``model``)
``+m``  ``m+``  ``2+m``  with all it reads, with all that reads it, with at most so many steps
``@m``                   with what reads it, and everything that those read
``a,b``                  what both choose (no space between)
``a b``                  what either chooses; so do several expressions
=======================  ============================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from backhaul.errors import ConfigurationError, Fault
from backhaul.transform.model import Model

if TYPE_CHECKING:
    from backhaul.transform.graph import Graph

_WORD = re.compile(
    r"(?P<at>@)?"
    r"(?:(?P<up_depth>\d*)(?P<up>\+))?"
    r"(?:(?P<method>[\w.]+):)?"
    r"(?P<value>.*?)"
    r"(?:(?P<down>\+)(?P<down_depth>\d*))?"
)
METHODS = ("tag", "path", "file", "source", "config.<key>", "resource_type", "fqn")


def select(graph: Graph, expressions: Sequence[str], exclude: Sequence[str] = ()) -> set[str]:
    """The names that the expressions choose, without those of `exclude`; no expression chooses all.

    Raises :class:`~backhaul.errors.ConfigurationError` with one fault for every word that chooses nothing.
    """
    faults: list[Fault] = []
    chosen = _union(graph, expressions, faults) if any(part.split() for part in expressions) else set(graph.order)
    left_out = _union(graph, exclude, faults)
    if faults:
        raise ConfigurationError(faults)
    return chosen - left_out


def _union(graph: Graph, expressions: Sequence[str], faults: list[Fault]) -> set[str]:
    chosen: set[str] = set()
    for expression in expressions:
        for union in expression.split():
            sets = [_chosen_by(graph, word, faults) for word in union.split(",")]
            known = [found for found in sets if found is not None]
            if len(known) == len(sets):
                both = set.intersection(*known)
                if not both:
                    faults.append(
                        Fault(
                            f"the selection '{union}' chooses no model: each part of it does, but none is in all",
                            hint="write the parts with a space between to choose what is in any of them",
                        )
                    )
                chosen |= both
    return chosen


def _chosen_by(graph: Graph, word: str, faults: list[Fault]) -> set[str] | None:
    """The models of one word with its ``+`` and ``@``; None after a fault."""
    read = _WORD.fullmatch(word)
    if read is None or not read["value"] or (read["at"] and read["up"]):
        faults.append(
            Fault(
                f"the selection '{word}' cannot be read",
                allowed=("name", "folder", "folder.name", "tag:x", "path:x", "+name", "name+", "2+name+1", "@name"),
            )
        )
        return None
    named = _named(graph, read["method"], read["value"], faults)
    if named is None:
        return None
    if not named:
        faults.append(_nothing(graph, read["method"], read["value"]))
        return None
    chosen = set(named)
    if read["up"]:
        chosen |= graph.ancestors(named, _depth(read["up_depth"]))
    if read["down"] or read["at"]:
        below = graph.descendants(named, _depth(read["down_depth"] or ""))
        chosen |= below
        if read["at"]:
            chosen |= graph.ancestors(named | below)
    return chosen


def _depth(text: str) -> int | None:
    return int(text) if text else None


def _named(graph: Graph, method: str | None, value: str, faults: list[Fault]) -> set[str] | None:
    """The models that `method:value` names by itself; None after a fault for an unknown method."""
    if method is None:
        method = "path" if "/" in value else "file" if value.endswith((".sql", ".csv")) else "fqn"
    if method.startswith("config."):
        key = method.removeprefix("config.")
        return _having(graph, lambda model: value in _texts(_setting(model, key)))
    matchers: dict[str, Callable[[Model], bool]] = {
        "fqn": lambda model: _matches_path(model, value),
        "tag": lambda model: any(fnmatchcase(tag, value) for tag in model.tags),
        "path": lambda model: _under(model.file, value),
        "file": lambda model: PurePosixPath(model.file).name == value or PurePosixPath(model.file).stem == value,
        "source": lambda model: any(
            fnmatchcase(account, value) or fnmatchcase(f"{account}.{object}", value)
            for account, object in model.sources
        ),
        "resource_type": lambda model: value == ("seed" if model.is_seed else "model"),
    }
    if method not in matchers:
        close = get_close_matches(method, matchers, n=1)
        faults.append(
            Fault(
                f"the selection '{method}:{value}' uses the unknown method '{method}'",
                allowed=METHODS,
                hint=f"did you mean '{close[0]}:{value}'?" if close else "",
            )
        )
        return None
    return _having(graph, matchers[method])


def _having(graph: Graph, matches: Callable[[Model], bool]) -> set[str]:
    return {name for name, model in graph.models.items() if matches(model)}


def _setting(model: Model, key: str) -> object:
    if key == "materialized":
        return model.materialized
    return {"schema": model.schema, "tags": model.tags}.get(key, model.config.get(key))


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(entry) for entry in value]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _matches_path(model: Model, value: str) -> bool:
    if fnmatchcase(model.name, value):
        return True
    wanted = value.split(".")
    return len(wanted) <= len(model.path) and all(
        fnmatchcase(found, part) for found, part in zip(model.path, wanted, strict=False)
    )


def _under(file: str, value: str) -> bool:
    wanted = PurePosixPath(value)
    for candidate in (wanted, PurePosixPath("transforms") / wanted):
        parts = candidate.parts
        found = PurePosixPath(file).parts
        if len(parts) <= len(found) and all(fnmatchcase(one, part) for one, part in zip(found, parts, strict=False)):
            return True
    return False


def _nothing(graph: Graph, method: str | None, value: str) -> Fault:
    """The fault for a word that chooses nothing, with the nearest word that would."""
    models = graph.models.values()
    words: dict[str, Iterable[str]] = {
        "tag": {tag for model in models for tag in model.tags},
        "path": {model.file for model in models} | {str(PurePosixPath(model.file).parent) for model in models},
        "file": {PurePosixPath(model.file).name for model in models},
        "source": {word for model in models for pair in model.sources for word in (pair[0], ".".join(pair))},
        "resource_type": ("model", "seed"),
    }
    names = {model.name for model in models}
    folders = {".".join(model.folders[:depth]) for model in models for depth in range(1, len(model.folders) + 1)}
    known = sorted(words.get(method or "fqn", names | folders | {".".join(model.path) for model in models}))
    shown = sorted(words.get(method or "fqn", folders)) + ([] if method in words else sorted(names))
    if not graph.models:
        return Fault(
            f"the selection '{value}' chooses no model: there are none", hint="put SQL files into transforms/<schema>/"
        )
    by_lower = {word.lower(): word for word in known}
    close = get_close_matches(value.lower(), by_lower, n=1, cutoff=0.6)
    prefix = f"{method}:" if method else ""
    return Fault(
        f"the selection '{prefix}{value}' chooses no model",
        allowed=tuple(f"{prefix}{word}" for word in dict.fromkeys(shown)),
        hint=f"did you mean '{prefix}{by_lower[close[0]]}'?" if close else "",
    )
