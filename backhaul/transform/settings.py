"""The words of ``config(...)`` in a model and of ``config:`` in its YAML: which there are and what they may say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backhaul.errors import Fault, Where
from backhaul.transform.model import MATERIALISATIONS
from backhaul.yaml_marks import describe_type, suggest

Given = dict[str, tuple[Any, Where]]
"""Settings as found: word -> (value, where it stands)."""

_FREE = ("meta", "docs", "persist_docs", "group", "quote_columns")  # dbt's own, without effect here
_STRATEGIES = ("merge", "delete+insert")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one model, YAML and ``config()`` together, defaults filled in."""

    materialized: str = "view"
    unique_key: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    schema: str | None = None
    alias: str | None = None
    enabled: bool = True
    full_refresh: bool | None = None
    severity: str = "error"
    column_types: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    all: Mapping[str, Any] = field(default_factory=dict)


def _text(value: Any) -> str:
    return "" if isinstance(value, str) and value.strip() else f"wants text, found {describe_type(value)}"


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple) and value and all(isinstance(entry, str) and entry for entry in value):
        return ""
    return f"wants text or a list of texts, found {describe_type(value)}"


def _tags(value: Any) -> str:
    return "" if isinstance(value, list | tuple) and not value else _texts(value)


def _flag(value: Any) -> str:
    return "" if isinstance(value, bool) else f"wants true or false, found {describe_type(value)}"


def _one_of(*words: str) -> Callable[[Any], str]:
    return lambda value: "" if value in words else f"is {value!r}"


def _delimiter(value: Any) -> str:
    return "" if isinstance(value, str) and len(value) == 1 else "wants one character"


def _types(value: Any) -> str:
    if isinstance(value, Mapping) and all(isinstance(entry, str) and entry for entry in value.values()):
        return ""
    return "wants a mapping of column name to database type"


@dataclass(frozen=True, slots=True)
class _Setting:
    """One word: what is wrong with a value (empty = nothing), the accepted values where they are few."""

    wrong: Callable[[Any], str]
    allowed: tuple[str, ...] = ()
    hint: str = ""


_COMMON = {"tags": _Setting(_tags), "schema": _Setting(_text), "alias": _Setting(_text), "enabled": _Setting(_flag)}
_MODEL = {
    **_COMMON,
    "materialized": _Setting(_one_of(*MATERIALISATIONS), MATERIALISATIONS),
    "unique_key": _Setting(_texts),
    "full_refresh": _Setting(_flag),
    "incremental_strategy": _Setting(
        _one_of(*_STRATEGIES), _STRATEGIES, "both replace the rows whose key came again and add the others"
    ),
    "on_schema_change": _Setting(_one_of("append_new_columns"), ("append_new_columns",), "new columns are added"),
}
_SEED = {
    **_COMMON,
    "column_types": _Setting(_types),
    "delimiter": _Setting(_delimiter),
    "full_refresh": _Setting(_flag),
}
_TEST = {
    "severity": _Setting(_one_of("error", "warn"), ("error", "warn")),
    "tags": _Setting(_tags),
    "enabled": _Setting(_flag),
}


def read_settings(kind: str, name: str, layers: Sequence[Given], faults: list[Fault]) -> Settings:
    """The settings of a "model", "seed" or "test" from its layers, later ones winning (tags add up).

    Adds a fault for an unknown word, a value that cannot be, an incremental model without a unique key.
    """
    known = {"model": _MODEL, "seed": _SEED, "test": _TEST}[kind]
    merged: Given = {}
    tags: dict[str, None] = {}
    for layer in layers:
        for word, (value, where) in layer.items():
            if word in _FREE:
                merged[word] = (value, where)
            elif word not in known:
                faults.append(_unknown(kind, name, word, where, tuple(known)))
            elif wrong := known[word].wrong(value):
                faults.append(_bad_value(name, word, wrong, known[word], value, where))
            else:
                merged[word] = (value, where)
                if word == "tags":
                    tags.update(dict.fromkeys((value,) if isinstance(value, str) else value))
    values = {word: value for word, (value, _) in merged.items()}
    key = values.get("unique_key", ())
    settings = Settings(
        materialized="seed" if kind == "seed" else values.get("materialized", "view"),
        unique_key=(key,) if isinstance(key, str) else tuple(key),
        tags=tuple(tags),
        schema=values.get("schema"),
        alias=values.get("alias"),
        enabled=values.get("enabled", True),
        full_refresh=values.get("full_refresh"),
        severity=values.get("severity", "error"),
        column_types=dict(values.get("column_types", {})),
        delimiter=values.get("delimiter", ","),
        all=values,
    )
    if settings.materialized == "incremental" and not settings.unique_key:
        broken = any("unique_key" in layer for layer in layers)
        if not broken:
            faults.append(
                Fault(
                    f"the model '{name}' is incremental and has no unique_key, so rows seen again would come twice",
                    merged["materialized"][1],
                    hint="add unique_key='<column>' (or a list of columns) to its config",
                )
            )
    return settings


def _unknown(kind: str, name: str, word: str, where: Where, known: tuple[str, ...]) -> Fault:
    if kind == "seed" and word == "materialized":
        return Fault(f"the seed '{name}' is always a table: 'materialized' cannot be set", where, hint="remove it")
    owner = {"model": "a model's", "seed": "a seed's", "test": "a test's"}[kind]
    near = suggest(word, known)
    return Fault(f"'{word}' is not a word of {owner} config ('{name}')", where, allowed=known, hint=near)


def _bad_value(name: str, word: str, wrong: str, setting: _Setting, value: Any, where: Where) -> Fault:
    near = suggest(value, setting.allowed) if isinstance(value, str) and setting.allowed else ""
    return Fault(f"{word} of '{name}' {wrong}", where, allowed=setting.allowed, hint=near or setting.hint)
