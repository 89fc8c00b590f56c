"""From a marked YAML tree to pydantic models, and from pydantic's errors to our faults.

A mapping is handed to pydantic as :class:`Marked`, a dict that knows its node. Each model derives from
:class:`Located` and takes from it the place (`where`) and, if it has one, the name it stands under. Keys that a model
does not know are reported and left out before pydantic looks, so that everything else is checked in the same
reading. Pydantic's own wording, which quotes input, is never used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails

from backhaul.config.render import RenderedScalar
from backhaul.config.values import Rendered, refusal
from backhaul.errors import Fault, Where
from backhaul.yaml_marks import MarkedList, MarkedMapping, MarkedScalar, Node, suggest

HIDDEN = "\0"
"""Begins the alias of a model's field that is filled here and is no key of the YAML."""
WHERE = HIDDEN + "where"
KEYS = HIDDEN + "keys"
NAME = HIDDEN + "name"
SECRET_KEYS = frozenset({"auth", "credentials"})
"""Keys of a profile under which a key that is not known is not quoted in a message, unless it is nearly right."""
QUOTABLE = frozenset({"crm", "method", "destination", "time_zone", "api_version"})
"""The only keys of a profile whose values are quoted in messages."""

T = TypeVar("T")
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Reading:
    """One file being read: where its faults go, and the project's name and folder, which defaults and paths need."""

    faults: list[Fault]
    project: str = ""
    folder: Folder = Folder()
    guarded: bool = False  # a profile: values are quoted under QUOTABLE keys only
    muted: bool = False  # while a tree is read again without its faulty parts, whose faults are told already

    def add(self, message: str, where: Where, *, allowed: Iterable[str] = (), hint: str = "") -> None:
        """Add one fault."""
        self.append(Fault(message, where, tuple(allowed), hint))

    def append(self, fault: Fault) -> None:
        """Add one fault."""
        if not self.muted:
            self.faults.append(fault)


class Marked(dict[str, Any]):
    """A mapping's data together with its node and the keys that lead to it. `repr` shows no value.

    `broken`: keys that stood here and were left out because of faults in them.
    """

    node: MarkedMapping
    path: Path
    broken: frozenset[str]

    def __init__(self, node: MarkedMapping, path: Path, broken: frozenset[str] = frozenset()) -> None:
        super().__init__({key: to_data(item, (*path, key)) for key, item in node.entries.items()})
        self.node = node
        self.path = path
        self.broken = broken

    def __repr__(self) -> str:
        return f"Marked({', '.join(self)})"


class MarkedItems(list[Any]):
    """A list's data together with its node and the keys that lead to it. `repr` shows no value."""

    def __init__(self, node: MarkedList, path: Path) -> None:
        super().__init__(to_data(item, (*path, index)) for index, item in enumerate(node.items))
        self.node = node
        self.path = path

    def __repr__(self) -> str:
        return f"MarkedItems({len(self)})"


def to_data(node: Node, path: Path = ()) -> Any:
    """What pydantic is given for a node: marked mapping or list, :class:`Rendered` or the value itself."""
    if isinstance(node, MarkedMapping):
        return Marked(node, path)
    if isinstance(node, MarkedList):
        return MarkedItems(node, path)
    if isinstance(node, RenderedScalar):
        return None if node.value is None else Rendered(node.text, node.value, hidden=node.hidden, pending=node.pending)
    return node.value


class Located(BaseModel):
    """A frozen piece of configuration that knows where it stands (``Where("")`` when made in Python)."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        validate_default=False,
    )

    noun: ClassVar[str] = "this mapping"
    """How a message calls what the model describes."""
    later: ClassVar[tuple[str, ...]] = ()
    """Keys that are planned and refused with words of their own."""
    shorthand: ClassVar[str] = ""
    """The key that a bare text in place of the mapping stands for; empty when there is no such short form."""

    where: Where = Field(default=Where(""), validation_alias=WHERE, repr=False, exclude=True)
    key_places: dict[str, Where] = Field(default_factory=dict, validation_alias=KEYS, repr=False, exclude=True)

    def place(self, key: str) -> Where:
        """Where a key of this mapping stands; the mapping's own place when it is not written."""
        return self.key_places.get(key, self.where)

    @classmethod
    def yaml_keys(cls) -> tuple[str, ...]:
        """The keys that YAML may use, in the order they are documented."""
        return tuple(
            str(alias)
            for name, info in cls.model_fields.items()
            if not (alias := info.validation_alias or name).startswith(HIDDEN)  # type: ignore[union-attr]  # only str aliases
        )

    @classmethod
    def refuse_key(cls, key: str, data: Marked, reading: Reading) -> None:
        """Report a key that the model does not have."""
        unknown_key(key, cls, data, reading)

    @classmethod
    def miss_key(cls, key: str, data: Marked, reading: Reading) -> None:
        """Report a required key that is not there."""
        owner = repr(data.path[-1]) if len(data.path) > 1 and isinstance(data.path[-1], str) else cls.noun
        reading.add(f"{owner} has no {key!r}", data.node.where, hint=f"add '{key}:'")

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """A model's own preparation of a mapping's data; may add faults."""
        return data

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any, info: ValidationInfo) -> Any:
        reading = info.context
        if not isinstance(reading, Reading):
            return data
        if cls.shorthand and isinstance(data, str):
            return {cls.shorthand: data}
        if not isinstance(data, Marked):
            if cls.shorthand and not isinstance(data, cls | dict):
                raise refusal("wants text or a mapping")
            return data
        known = {key: value for key, value in data.items() if key in cls.yaml_keys()}
        for key in data:
            if key not in known:
                cls.refuse_key(key, data, reading)
        known[WHERE] = data.node.where
        known[KEYS] = dict(data.node.keys)
        if any(item.validation_alias == NAME for item in cls.model_fields.values()):
            known[NAME] = data.path[-1] if data.path else ""
        for name, item in cls.model_fields.items():
            key = str(item.validation_alias or name)
            if item.is_required() and key not in known and key not in data.broken and not key.startswith(HIDDEN):
                cls.miss_key(key, data, reading)
        return cls.adapt(known, data, reading)


def unknown_key(key: str, model: type[Located], data: Marked, reading: Reading) -> None:
    """Report a key that `model` does not have. In a secret place it is named only when it is near a known one."""
    allowed = model.yaml_keys()
    where = data.node.place(key)
    if key in model.later:
        reading.add(f"{key!r} of {model.noun} is not available yet", where, allowed=allowed, hint="remove it")
        return
    hint = suggest(key, allowed)
    quotable = re.fullmatch(r"[\w.$-]{1,60}", key) and (hint or not SECRET_KEYS.intersection(data.path))
    found = repr(key) if quotable else "a key found here"
    reading.add(f"{found} is not a key of {model.noun}", where, allowed=allowed, hint=hint)


def keep_good(value: Any, handler: Callable[[Any], T], info: ValidationInfo) -> T | None:
    """A wrap validator for the items of a collection: a bad item's faults are reported, and it becomes what is left.

    So the good items of the same collection, and the good parts of this one, can be checked further.
    """
    reading = info.context
    if not isinstance(reading, Reading) or not isinstance(value, Marked):
        return handler(value)
    return validate_good(value, handler, reading)


def validate_good(value: Marked, validate: Callable[[Any], T], reading: Reading) -> T | None:
    """Validate, report, and validate once more without the faulty parts; None when that fails too."""
    details: Sequence[ErrorDetails] = ()
    try:
        return validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    rest = _without(value, report(details, value.node, value.path, reading))
    if rest is None:
        return None
    was_muted, reading.muted = reading.muted, True
    try:
        return validate(rest)
    except ValidationError:
        return None
    finally:
        reading.muted = was_muted


def _without(value: Marked, bad: Iterable[Path]) -> Marked | None:
    """The mapping without its faulty parts, so that the rest can be checked against other files; None if it is all."""
    depth = len(value.path)
    cut = {path[depth:] for path in bad}
    if not cut or () in cut:
        return None
    pruned = _prune(value.node, cut)
    return Marked(pruned, value.path, frozenset(str(path[0]) for path in cut))


def _prune(node: MarkedMapping, cut: set[Path]) -> MarkedMapping:
    entries: dict[str, Node] = {}
    for key, item in node.entries.items():
        if (key,) in cut:
            continue
        deeper = {path[1:] for path in cut if path[0] == key}
        if not deeper:
            entries[key] = item
        elif isinstance(item, MarkedMapping):
            entries[key] = _prune(item, deeper)
        # a list that holds a fault is left out whole
    return MarkedMapping(node.where, entries, node.keys)


def only_mappings(items: Any, info: ValidationInfo) -> Any:
    """A before validator that reports and drops entries of a mapping or list that are no mappings."""
    reading = info.context
    if not isinstance(reading, Reading) or not isinstance(items, Marked | MarkedItems):
        return items
    if not items:
        raise refusal("must not be empty")
    entries: list[tuple[str | int, Any]] = list(items.items() if isinstance(items, Marked) else enumerate(items))
    for step, item in entries:
        if not isinstance(item, Marked):
            found = _locate(items.node, items.path, (step,), guarded=reading.guarded)
            if not (isinstance(found.node, RenderedScalar) and found.node.pending):
                reading.add(
                    f"{found.label} wants a mapping, found {show(found.node, secret=found.secret)}", found.where
                )
    good = [(step, item) for step, item in entries if isinstance(item, Marked)]
    return dict(good) if isinstance(items, Marked) else [item for _, item in good]


def spread(model: type[Located]) -> Callable[[Any], Any]:
    """A before validator for collections of `model`: items in its short form become mappings that know their place."""

    def validator(items: Any) -> Any:
        if not isinstance(items, Marked | MarkedItems):
            return items
        if isinstance(items, Marked):
            return {key: long(item, items.node.entries[key].where) for key, item in items.items()}
        return [long(item, node.where) for item, node in zip(items, items.node.items, strict=True)]

    def long(item: Any, where: Where) -> Any:
        return {model.shorthand: item, WHERE: where} if isinstance(item, str) else item

    return validator


def without_bad(items: Any) -> Any:
    """An after validator that drops what :func:`keep_good` made None."""
    if isinstance(items, dict):
        return {key: item for key, item in items.items() if item is not None}
    return [item for item in items if item is not None]


def read_model(model: type[T], node: MarkedMapping, reading: Reading, path: Path = ()) -> T | None:
    """The model of a tree, or None; every fault is added to `reading`.

    With faults, the model of what is left without the faulty parts is given when there is one.
    """

    def validate(data: Any) -> T:
        return TypeAdapter(model).validate_python(data, context=reading, by_alias=True, by_name=False)

    return validate_good(Marked(node, path), validate, reading)


def report(details: Iterable[ErrorDetails], node: Node, path: Path, reading: Reading) -> list[Path]:
    """Add a fault for each of pydantic's errors, whose locations are relative to `node`; give where they are."""
    places: list[Path] = []
    for detail in details:
        found = _locate(node, path, detail["loc"], guarded=reading.guarded)
        places.append(found.path)
        if detail["type"] == "missing":
            continue  # told by miss_key
        if _is_pending(found, detail):
            continue  # its value is not known: already reported, or of a profile that is not in use
        reading.append(_fault(detail, found))
    return places


def _is_pending(found: _Found, detail: ErrorDetails) -> bool:
    node: Node | None = found.node
    if detail["type"] == "union_tag_invalid" and isinstance(node, MarkedMapping):
        node = node.get(_tags(detail.get("ctx") or {})[0])
    return isinstance(node, RenderedScalar) and node.pending


@dataclass(frozen=True, slots=True)
class _Found:
    """The node an error is about, the keys that lead to it, and the key that is missing or None."""

    node: Node
    path: Path
    where: Where
    guarded: bool
    rest: tuple[str | int, ...] = field(default=())

    @property
    def label(self) -> str:
        keys = [step for step in self.path if isinstance(step, str)]
        if not self.path or not keys:
            return "the file"
        return f"an item of {keys[-1]!r}" if isinstance(self.path[-1], int) else repr(keys[-1])

    @property
    def secret(self) -> bool:
        kept = self.guarded and not (self.path and self.path[-1] in QUOTABLE)
        return kept or (isinstance(self.node, RenderedScalar) and self.node.hidden)


def _locate(node: Node, path: Path, location: tuple[str | int, ...], *, guarded: bool) -> _Found:
    """Walk down `location` as far as the tree has it; tags of unions and names of validators are stepped over."""
    where = node.where
    rest: list[str | int] = []
    for index, step in enumerate(location):
        if isinstance(node, MarkedMapping) and index < len(location) - 1 and _is_tag(node, step):
            continue
        if isinstance(node, MarkedMapping) and isinstance(step, str) and step in node.entries:
            where = node.place(step)
            node = node.entries[step]
        elif isinstance(node, MarkedList) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            where = node.where
        else:
            rest.append(step)
            continue
        path = (*path, step)
        rest.clear()
        if isinstance(node, MarkedScalar):
            where = node.where
    return _Found(node, path, where, guarded, tuple(rest))


def _is_tag(node: MarkedMapping, step: str | int) -> bool:
    """Whether a step of a location is the tag of a union rather than a key (a tag may be spelled like a key)."""
    tags = [node.entries[key] for key in ("crm", "method") if key in node]
    return any(isinstance(tag, MarkedScalar) and tag.value == step for tag in tags)


def show(node: Node, *, secret: bool = False) -> str:
    """How a message tells what was found: the kind, and the value where it may be shown."""
    if not isinstance(node, MarkedScalar) or node.value is None:
        return node.kind
    if secret or (isinstance(node, RenderedScalar) and node.hidden):
        return f"{node.kind} (not shown)"
    if isinstance(node.value, bool):
        return str(node.value).lower()
    text = str(node.value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"the text {text!r}" if isinstance(node.value, str) else f"the {node.kind.removeprefix('a ')} {text}"


_WANTED: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "path_type": "the path of a file",
    "is_instance_of": "the path of a file",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _fault(detail: ErrorDetails, found: _Found) -> Fault:
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx") or {}
    shown = show(found.node, secret=found.secret)
    if kind == "union_tag_not_found":
        return _tag_missing(context, found)
    if kind == "union_tag_invalid":
        return _tag_unknown(context, found)
    if kind == "literal_error":
        allowed = tuple(re.findall(r"'([^']*)'", str(context.get("expected", ""))))
        return Fault(
            f"{found.label} wants one of the allowed words, found {shown}", found.where, allowed, _near(found, allowed)
        )
    if kind == "refused":
        return _refused(context, found, shown)
    if kind == "too_short":
        return Fault(f"{found.label} must not be empty", found.where)
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return Fault(f"{found.label} wants {words} {context.get(name)}, found {shown}", found.where)
    if kind in _WANTED:
        return Fault(f"{found.label} wants {_WANTED[kind]}, found {shown}", found.where, hint=_quote_hint(kind, found))
    return Fault(f"{found.label} cannot be used, found {shown}", found.where)


def _refused(context: Mapping[str, Any], found: _Found, shown: str) -> Fault:
    problem, allowed, hint = str(context["problem"]), tuple(context["allowed"]), str(context["hint"])
    if found.rest and found.rest[-1] == NAME:
        key = str(found.path[-1]) if found.path else ""
        return Fault(f"the name {key!r} {problem}" if key else f"the name {problem}", found.where, allowed, hint)
    if problem.startswith("wants"):
        problem = f"{problem}, found {shown}"
    elif problem.startswith("has ") and found.secret:
        problem = "is not valid"
    return Fault(f"{found.label} {problem}", found.where, allowed, hint)


def _near(found: _Found, allowed: Iterable[str]) -> str:
    value = found.node.value if isinstance(found.node, MarkedScalar) else None
    return suggest(value, allowed) if isinstance(value, str) and not found.secret else ""


def _quote_hint(kind: str, found: _Found) -> str:
    if not isinstance(found.node, MarkedScalar) or found.node.value is None:
        return ""
    if kind == "string_type":
        return "put it in quotes if text is meant"
    if kind == "bool_type" and found.node.text.lower() in ("yes", "no", "on", "off"):
        return f"write {str(found.node.text.lower() in ('yes', 'on')).lower()}" if not found.secret else ""
    if kind.startswith(("int", "float")) and isinstance(found.node.value, str) and not found.secret:
        return "write it without quotes" if re.fullmatch(r"[\d.]+", found.node.value) else ""
    return ""


def _tags(context: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    key = str(context.get("discriminator", "")).strip("'").removesuffix("()")
    return key, tuple(re.findall(r"'([^']*)'", str(context.get("expected_tags", ""))))


def _tag_missing(context: Mapping[str, Any], found: _Found) -> Fault:
    key, allowed = _tags(context)
    if key.startswith("_"):  # a step, told apart by its verb
        from .pipeline import VERBS

        words = list(found.node.entries) if isinstance(found.node, MarkedMapping) else []
        meant = next((hint for hint in (suggest(str(word), VERBS) for word in words) if hint), "")
        return Fault(
            f"{found.label} names no verb",
            found.where,
            VERBS,
            meant or "begin it with a verb, such as `- import: account.Object`",
        )
    return Fault(f"{found.label} has no {key!r}", found.where, allowed, f"add '{key}:'")


def _tag_unknown(context: Mapping[str, Any], found: _Found) -> Fault:
    key, allowed = _tags(context)
    if isinstance(found.node, MarkedMapping) and key in found.node:
        tag = found.node.entries[key]
        inner = _Found(tag, (*found.path, key), tag.where, found.guarded)
        shown = show(tag, secret=inner.secret)
        return Fault(
            f"{key!r} wants one of the allowed words, found {shown}", tag.where, allowed, _near(inner, allowed)
        )
    return Fault(f"{found.label} wants one of the allowed words for {key!r}", found.where, allowed)
