"""YAML read into a tree in which every node knows its place, so that a message can name file, line and column.

The reading is narrower than YAML 1.1 on purpose, so that no value is bent on its way in: only ``true`` and
``false`` are booleans (a country code ``NO`` stays text), only JSON-like numbers are numbers (``007``, ``1e5`` and
``12:30`` stay text), a plain ``2024-01-31`` is a date and ``2024-01-31T10:00:00Z`` a datetime, an empty value or
``null`` is None, everything else is text. Keys are always text, duplicate keys are faults. Anchors, aliases and the
merge key ``<<`` work; tags do not. Nothing here knows what the YAML means.

No message quotes a value of the file, as a file of connections may hold secrets.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import TypeAlias

import yaml

from backhaul.errors import ConfigurationError, Fault, Where

Value: TypeAlias = str | bool | int | float | date | datetime | None

MAX_DEPTH = 40
MAX_NODES = 100_000


@dataclass(frozen=True, slots=True)
class MarkedScalar:
    """A leaf: its typed `value` and the `text` as written. `repr` shows neither, as either may be a secret."""

    where: Where
    value: object = field(repr=False)
    text: str = field(repr=False)

    @property
    def kind(self) -> str:
        """What a message calls this node."""
        return describe_type(self.value)


@dataclass(frozen=True, slots=True)
class MarkedList:
    """A sequence and its items."""

    where: Where
    items: tuple[Node, ...]

    @property
    def kind(self) -> str:
        """What a message calls this node."""
        return "a list"

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class MarkedMapping:
    """A mapping: `entries` by key, in the file's order, and the place of each key in `keys`."""

    where: Where
    entries: dict[str, Node]
    keys: dict[str, Where]

    @property
    def kind(self) -> str:
        """What a message calls this node."""
        return "a mapping"

    def get(self, key: str) -> Node | None:
        """The node under `key`, or None when there is none."""
        return self.entries.get(key)

    def place(self, key: str) -> Where:
        """Where the key stands; the mapping's own place when it has no such key."""
        return self.keys.get(key, self.where)

    def __contains__(self, key: object) -> bool:
        return key in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


Node: TypeAlias = MarkedScalar | MarkedList | MarkedMapping


def describe_type(value: object) -> str:
    """The kind of a value in the words of messages: 'text', 'a number', 'nothing' ... Never the value."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, datetime):
        return "a date and time"
    if isinstance(value, date):
        return "a date"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return "text"


def suggest(word: str, candidates: Iterable[str]) -> str:
    """A hint such as ``did you mean 'cursor'?`` for the candidate nearest to `word`; empty when none is near."""
    known = list(candidates)
    lowered = {candidate.lower(): candidate for candidate in reversed(known)}
    if word.lower() in lowered:
        return f"did you mean {lowered[word.lower()]!r}?"
    near = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f"did you mean {lowered[near[0]]!r}?" if near else ""


def plain(node: Node) -> object:
    """The tree as ordinary dicts, lists and values, without places."""
    if isinstance(node, MarkedScalar):
        return node.value
    if isinstance(node, MarkedList):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.entries.items()}


def load(path: Path, *, shown: str | None = None) -> Node:
    """The tree of a YAML file; messages call the file `shown` (default: the path).

    Raises :class:`ConfigurationError` with every fault found: unreadable, not UTF-8, empty, syntax, duplicate keys.
    """
    faults: list[Fault] = []
    node = read(path, faults, shown=shown)
    if faults or node is None:
        raise ConfigurationError(faults)
    return node


def read(path: Path, faults: list[Fault], *, shown: str | None = None) -> Node | None:
    """Like :func:`load`, but adds to `faults`; None when there is no tree at all.

    With duplicate keys the first one is kept, so that the rest of the file can still be checked.
    """
    name = shown if shown is not None else str(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        faults.append(Fault("the file does not exist", Where(name)))
        return None
    except IsADirectoryError:
        faults.append(Fault("this is a folder, where a YAML file is wanted", Where(name)))
        return None
    except OSError as error:
        faults.append(Fault(f"the file cannot be read ({error.strerror or type(error).__name__})", Where(name)))
        return None
    return parse(content, faults, shown=name)


def parse(content: bytes | str, faults: list[Fault], *, shown: str) -> Node | None:
    """Like :func:`read`, from the content itself."""
    text = _decode(content, faults, shown) if isinstance(content, bytes) else content
    if text is None:
        return None
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        faults.append(_syntax_fault(error, text, shown))
        return None
    except RecursionError:
        faults.append(Fault("the file is nested too deeply to be read", Where(shown)))
        return None
    if root is None:
        faults.append(Fault("the file is empty", Where(shown)))
        return None
    builder = _Builder(shown, faults)
    try:
        return builder.build(root, 0)
    except _TooMuch:
        faults.append(
            Fault(
                f"the file is too large or nested too deeply (at most {MAX_DEPTH} levels)", builder.last or Where(shown)
            )
        )
        return None


def _decode(content: bytes, faults: list[Fault], shown: str) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        faults.append(
            Fault(
                "the file is not UTF-8 (the first byte that is not is in this line)",
                Where(shown, line, column),
                hint="save the file with the encoding UTF-8",
            )
        )
        return None


class _Loader(yaml.SafeLoader):
    """SafeLoader with the narrower set of plain values described at the top of the module."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  (PyYAML's own shape)


_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z|[-+]?(?:0|[1-9][0-9]*)\.(?:[eE][-+]?[0-9]+)?\Z"
)
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)[ ]?(?P<zone>Z|[-+]\d\d(?::?\d\d)?)?)?\Z",
    re.ASCII,
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:timestamp", _MOMENT, list("0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


class _TooMuch(Exception):
    """The tree is deeper or larger than a configuration ever is (aliases can make a small file endless)."""


class _Builder:
    """Turns PyYAML's nodes into ours and collects what is wrong with them."""

    def __init__(self, shown: str, faults: list[Fault]) -> None:
        self.shown = shown
        self.faults = faults
        self.nodes = 0
        self.last: Where | None = None

    def where(self, node: yaml.Node) -> Where:
        mark = node.start_mark
        return Where(self.shown, mark.line + 1, mark.column + 1)

    def build(self, node: yaml.Node, depth: int) -> Node:
        self.nodes += 1
        self.last = self.where(node)
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise _TooMuch
        if isinstance(node, yaml.MappingNode):
            self._refuse_tag(node, "tag:yaml.org,2002:map")
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            self._refuse_tag(node, "tag:yaml.org,2002:seq")
            return MarkedList(self.where(node), tuple(self.build(item, depth + 1) for item in node.value))
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node)

    def _refuse_tag(self, node: yaml.Node, expected: str) -> None:
        if node.tag != expected:
            self.faults.append(
                Fault(
                    "a YAML tag stands here, and tags are not used in this file",
                    self.where(node),
                    hint="put text that begins with ! in quotes",
                )
            )

    def _mapping(self, node: yaml.MappingNode, depth: int) -> MarkedMapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Where] = {}
        merged: list[MarkedMapping] = []
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge" and isinstance(key_node, yaml.ScalarNode):
                merged.extend(self._merged(value_node, depth))
                continue
            key = self._key(key_node)
            value = self.build(value_node, depth + 1)
            if key is None:
                continue
            if key in entries:
                self.faults.append(
                    Fault(
                        f"the key {key!r} stands twice in one mapping, first in line {keys[key].line}",
                        self.where(key_node),
                        hint="remove one of the two",
                    )
                )
                continue
            entries[key] = value
            keys[key] = self.where(key_node)
        for mapping in merged:
            for key, value in mapping.entries.items():
                entries.setdefault(key, value)
                keys.setdefault(key, mapping.keys[key])
        return MarkedMapping(self.where(node), entries, keys)

    def _merged(self, node: yaml.Node, depth: int) -> list[MarkedMapping]:
        built = self.build(node, depth + 1)
        items = built.items if isinstance(built, MarkedList) else (built,)
        found = [item for item in items if isinstance(item, MarkedMapping)]
        if len(found) < len(items):
            self.faults.append(Fault("'<<' wants a mapping or a list of mappings", self.where(node)))
        return found

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self.faults.append(
                Fault(
                    f"{'a mapping' if isinstance(node, yaml.MappingNode) else 'a list'} stands where a key is wanted",
                    self.where(node),
                    hint='put a value that begins with {{ in quotes: "{{ ... }}"',
                )
            )
            return None
        key: str = node.value
        if not key.strip() or not key.isprintable():
            what = "is empty" if not key.strip() else "holds characters that cannot be printed"
            self.faults.append(Fault(f"a key {what}", self.where(node)))
            return None
        return key

    def _scalar(self, node: yaml.ScalarNode) -> MarkedScalar:
        where = self.where(node)
        text: str = node.value
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        value: object = text
        if kind == "null":
            value = None
        elif kind == "bool" and text.lower() in ("true", "false"):
            value = text.lower() == "true"
        elif kind == "int" and _INTEGER.match(text):
            value = int(text) if len(text) <= 40 else text
        elif kind == "float" and _FLOAT.match(text):
            value = float(text)
        elif kind == "timestamp" and _MOMENT.match(text):
            value = self._moment(text, where)
        elif kind not in ("str", "merge"):
            self._refuse_tag(node, "tag:yaml.org,2002:str")
        return MarkedScalar(where, value, text)

    def _moment(self, text: str, where: Where) -> date | datetime | str:
        try:
            return parse_moment(text)
        except ValueError:
            self.faults.append(
                Fault("this looks like a date and is none", where, hint="correct it, or put it in quotes if it is text")
            )
            return text


def parse_moment(text: str) -> date | datetime:
    """A date, or a datetime (aware when the text names a zone), from ISO text. ValueError for anything else."""
    match = _MOMENT.match(text.strip())
    if not match:
        raise ValueError("not a date or datetime")
    day = date.fromisoformat(match["date"])
    if match["time"] is None:
        return day
    moment = datetime.fromisoformat(f"{match['date']}T{match['time']}")
    zone = match["zone"]
    if zone is None:
        return moment
    if zone == "Z":
        return moment.replace(tzinfo=UTC)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return moment.replace(tzinfo=timezone(-offset if zone[0] == "-" else offset))


_QUOTE = "put the text in quotes"
_SYNTAX = (  # PyYAML's problem (its beginning), what we say, what to do next; none of them quotes the file
    ("found character '\\t'", "a tab stands where only spaces may", "indent with spaces"),
    ("found a tab", "a tab stands where only spaces may", "indent with spaces"),
    ("found character '%'", "a value cannot begin with %", _QUOTE),
    ("found character '@'", "a value cannot begin with @", _QUOTE),
    ("found character '`'", "a value cannot begin with `", _QUOTE),
    ("found undefined alias", "an alias (*name) has no anchor (&name) before it", f"if text is meant, {_QUOTE}"),
    ("found duplicate anchor", "an anchor (&name) stands twice", f"if text is meant, {_QUOTE}"),
    ("expected alphabetic or numeric character", "a * or & must be followed by a name", _QUOTE),
    ("found unknown escape", "a backslash in double quotes makes an unknown escape", "use single quotes, or \\\\"),
    ("found unexpected end of stream", "a quoted text is never closed", "add the closing quote"),
    ("mapping values are not allowed", "a colon stands where none can", f"check the indentation, or {_QUOTE}"),
    ("mapping keys are not allowed", "a key stands where none can", "check the indentation"),
    ("sequence entries are not allowed", "a list item (-) stands where none can", "check the indentation"),
    ("could not find expected ':'", "a key without a colon", "write `key: value`; check indentation and quotes"),
    ("expected <block end>", "the indentation does not fit, or a quote or bracket is misplaced", "line it up"),
    ("expected ',' or ']'", "a list in [ ] is not closed or lacks a comma", "add the , or ]"),
    ("expected ',' or '}'", "a mapping in { } is not closed or lacks a comma", "add the , or }"),
    ("but found another document", "a second document (---) in one file", "keep one document a file"),
    ("could not determine a constructor", "a YAML tag (!name) stands here, and none is known", _QUOTE),
    ("found undefined tag handle", "a YAML tag (!name) stands here, and none is known", _QUOTE),
)


def _syntax_fault(error: yaml.YAMLError, text: str, shown: str) -> Fault:
    if isinstance(error, yaml.reader.ReaderError):
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        column = position - (text.rfind("\n", 0, position) + 1) + 1
        return Fault(
            "a character that cannot be printed stands in the file", Where(shown, line, column), hint="remove it"
        )
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = Where(shown, mark.line + 1, mark.column + 1) if mark else Where(shown)
    problem = getattr(error, "problem", None) or ""
    for start, message, hint in _SYNTAX:
        if problem.startswith(start):
            return Fault(f"not valid YAML: {message}", where, hint=hint)
    return Fault("not valid YAML at this place", where, hint="check indentation, quotes and colons here and just above")
