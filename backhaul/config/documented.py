"""Every key of the project's YAML as data, taken from the models themselves, so that documentation can be checked."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

from backhaul.config import filter as filters
from backhaul.config import pipeline, profile, source, values
from backhaul.config.project import DEFAULT_PROFILE
from backhaul.config.reading import HIDDEN, Located
from backhaul.record import Group

_MODELS: tuple[tuple[str, str, type[Located]], ...] = (
    ("profiles", "", profile.Profile),
    ("profiles", "warehouse", profile.WarehouseConfig),
    ("profiles", "accounts.<name> (crm: salesforce)", profile.SalesforceAccount),
    ("profiles", "accounts.<name>.auth (method: client_credentials)", profile.ClientCredentials),
    ("profiles", "accounts.<name>.auth (method: jwt_bearer)", profile.JwtBearer),
    ("profiles", "accounts.<name>.auth (method: refresh_token)", profile.RefreshToken),
    ("profiles", "accounts.<name>.auth (method: password)", profile.Password),
    ("profiles", "accounts.<name>.auth (method: cli)", profile.SalesforceCli),
    ("profiles", "accounts.<name> (crm: dynamics)", profile.DynamicsAccount),
    ("profiles", "accounts.<name>.auth (method: client_secret)", profile.ClientSecret),
    ("profiles", "accounts.<name>.auth (method: certificate)", profile.Certificate),
    ("profiles", "accounts.<name>.auth (method: device_code)", profile.DeviceCode),
    ("profiles", "accounts.<name>.auth (method: username_password)", profile.UsernamePassword),
    ("profiles", "accounts.<name>.auth (method: access_token)", profile.AccessToken),
    ("sources", "", source.Source),
    ("sources", "objects.<Object>", source.ObjectConfig),
    ("sources", "objects.<Object>.fields[]", source.FieldConfig),
    ("sources", "objects.<Object>.only", source.OnlyConfig),
    ("sources", "objects.<Object>.freshness", source.FreshnessConfig),
    ("pipelines", "", pipeline.Pipeline),
    *(("pipelines", f"steps[] ({model.verb})", model) for model in pipeline.STEP_MODELS),
    ("pipelines", "steps[] (export).map.<Field>", pipeline.MapConfig),
    ("pipelines", "steps[].batch", pipeline.Batch),
    ("pipelines", "steps[].options", pipeline.Options),
    ("pipelines", "steps[].guards", pipeline.Guards),
    ("pipelines", "steps[].rejects", pipeline.Rejects),
    ("pipelines", "steps[].rejects.retry", pipeline.Retry),
)
_WORDS: dict[object, str] = {
    values._url: "address",
    values._zone: "time zone",
    values._cron: "cron schedule",
    values._version_shape: "version",
    values._duration: "duration",
    pipeline._moment_text: "date or time",
}
_CONDITIONS = {
    "all": ("list of conditions and levels", "every item holds"),
    "any": ("list of conditions and levels", "at least one item holds"),
    "field": ("text", "the field's API name; Salesforce: or a related record's, as Account.Name"),
    "is": ("null | not_null", "whether the field is empty"),
    "eq": ("value", "equal"),
    "ne": ("value", "not equal"),
    "gt": ("value", "greater, later"),
    "ge": ("value", "greater or equal"),
    "lt": ("value", "less, earlier"),
    "le": ("value", "less or equal"),
    "in": ("list of values", "one of them"),
    "not_in": ("list of values", "none of them"),
    "like": ("text", "matches a pattern: % any characters, _ one character"),
    "not_like": ("text", "does not match the pattern"),
    "starts_with": ("text", "begins with"),
    "ends_with": ("text", "ends with"),
    "contains": ("text", "has within"),
}
_REQUIRED = object()
_CHECKED_LATER: frozenset[tuple[object, str]] = frozenset(  # required, and refused with words of their own
    {(pipeline.DeleteStep, "key"), (pipeline.DeleteStep, "guards")}
)
_SETTINGS: tuple[tuple[str, str, Any, str], ...] = (
    ("name", "text", "the folder's name", "the project's name; part of the names of stored windows"),
    ("profile", "text", DEFAULT_PROFILE, "the profile in use when none is named"),
    ("vars", "mapping of values", {}, "variables for var(), overridden on the command line"),
)


def reference() -> list[dict[str, Any]]:
    """All keys, in the order in which they are documented.

    Each is ``{"file", "path", "key", "type", "required", "default", "description"}``: `file` is pyproject, profiles,
    sources or pipelines; `path` leads to the mapping that has the key; everything can be written as JSON.
    """
    return [*_settings(), *_keys(), *_filter()]


def _entry(place: tuple[str, str, str], kind: str, description: str, default: Any = None) -> dict[str, Any]:
    """One key; a `default` of _REQUIRED means that there is none and the key must be written."""
    file, path, key = place
    required = default is _REQUIRED
    return {
        "file": file,
        "path": path,
        "key": key,
        "type": kind,
        "required": required,
        "default": None if required else default,
        "description": description,
    }


def _settings() -> Iterator[dict[str, Any]]:
    for key, kind, default, description in _SETTINGS:
        yield _entry(("pyproject", "tool.backhaul", key), kind, description, default)


def _filter() -> Iterator[dict[str, Any]]:
    for key in (*filters.LEVELS, "field", *filters.OPERATORS):
        kind, description = _CONDITIONS[key]
        yield _entry(("sources", "objects.<Object>.filter", key), kind, description)


def _keys() -> Iterator[dict[str, Any]]:
    for file, path, model in _MODELS:
        verb = getattr(model, "verb", "")
        if verb:
            selects = "select" in model.model_fields
            kind = "text or list of text" if selects else "account.Object"
            about = "the models, as selection expressions; empty for all" if selects else "the account and its object"
            yield _entry((file, path, verb), kind, about, _REQUIRED)
        for name, info in model.model_fields.items():
            key = str(info.validation_alias or name)
            description = info.description or ""
            if not key.startswith(HIDDEN):
                required = info.is_required() or (model, key) in _CHECKED_LATER
                yield _entry((file, path, key), _type(info), description, _REQUIRED if required else _default(info))


def _default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, Located):
        return value.model_dump(mode="json", by_alias=False, exclude_defaults=True)
    return value or None if isinstance(value, dict | list | str) else value


def duration_text(value: timedelta) -> str:
    """A duration as it is written in YAML: ``10m``, ``1h30m``."""
    seconds = int(value.total_seconds())
    parts = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    text = ""
    for size, unit in parts:
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _type(info: FieldInfo) -> str:
    return _named(info.metadata) or _words(info.annotation)


def _named(metadata: Any) -> str:
    functions = [item.func for item in metadata if isinstance(item, AfterValidator | BeforeValidator)]
    return next((_WORDS[function] for function in functions if function in _WORDS), "")


def _words(annotation: Any) -> str:
    """A type annotation in the words of the documentation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _named(annotation.__metadata__) or _words(arguments[0])
    if origin is Literal:
        return " | ".join(str(item) for item in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(_words(item) for item in arguments if item is not type(None)))
    if origin is list:
        return f"list of {_words(arguments[0])}"
    if origin is tuple:
        return "text or {field: asc | desc}"
    if origin is dict:
        return f"mapping of name to {_words(arguments[1])}"
    if annotation is Group:
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, Located):
        return f"text or {annotation.noun}" if annotation.shorthand else "mapping"
    names = {str: "text", int: "whole number", float: "number", bool: "true | false", SecretStr: "secret text"}
    return names.get(annotation, "path")
