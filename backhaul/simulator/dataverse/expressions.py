"""$filter and $orderby: text to a small syntax tree (dataverse-api.md §3.2).

The tree says nothing of SQL or of tables; :mod:`.sql` turns it into a query over rows and :mod:`.metadata` runs it
over definitions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TypeAlias

from .errors import bad_query

LiteralValue: TypeAlias = str | bool | int | Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. `kind` is string, integer, number, boolean, null, guid, date or datetime (aware, UTC)."""

    value: LiteralValue
    kind: str


@dataclass(frozen=True, slots=True)
class Collection:
    """A JSON array of constants, the argument of ``In`` and ``ContainValues``."""

    items: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A property, or a property behind single-valued navigation properties: ``primarycontactid/fullname``."""

    segments: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.segments)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. `named` holds the arguments given by name, `arguments` those given by position."""

    name: str
    arguments: tuple[Expression, ...]
    named: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right`` with one of eq, ne, gt, ge, lt, le."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Logical:
    """``and`` / ``or`` over two or more operands."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Lambda:
    """``path/any(variable:body)`` or ``all``; ``path/any()`` has no body."""

    kind: str
    path: Path
    variable: str
    body: Expression | None


Expression: TypeAlias = Literal | Collection | Path | Call | Comparison | Logical | Not | Lambda

_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_NAMESPACE = "Microsoft.Dynamics.CRM."
_MAX_DEPTH = 100

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<json>"(?:[^"\\]|\\.)*")
    | (?P<guid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?![\w-])
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|z|[+\-\ ]\d\d:\d\d)?)
    | (?P<date>\d{4}-\d\d-\d\d)(?![\w-])
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)[dDfFmMlL]?(?![\w.])
    | (?P<word>[@$A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*(?:\.[A-Za-z_]\w*)*)
    | (?P<mark>[()\[\],=/:])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            if not text[position:].strip():
                break
            if text[position:].lstrip()[0] in "'\"":
                raise bad_query(f"There is an unterminated string literal at position {len(text)} in '{text}'.")
            raise bad_query(f"Syntax error at position {position} in '{text}'.")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    return found


def parse_datetime(text: str) -> datetime:
    """Read an OData instant. Without an offset it is UTC (§2.3); a space stands for a ``+`` lost in the URL.

    Raises ValueError for an impossible time, and for ``Z`` together with a numeric offset.
    """
    match = re.fullmatch(
        r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?(Z|z|[+\- ]\d\d:\d\d)?", text.strip()
    )
    if match is None:
        raise ValueError(f"not an instant: {text!r}")
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    second = int(match[6] or 0)
    microsecond = int((match[7] or "").ljust(6, "0")[:6])
    zone = UTC if match[8] in (None, "Z", "z") else _offset(match[8])
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone).astimezone(UTC)


def _offset(text: str) -> timezone:
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


class _Parser:
    def __init__(self, text: str, aliases: Mapping[str, str]) -> None:
        self.text = text
        self.aliases = aliases
        self.tokens = _tokens(text)
        self.next = 0
        self.depth = 0

    def error(self) -> Exception:
        position = self.tokens[self.next].position if self.next < len(self.tokens) else len(self.text)
        return bad_query(f"Syntax error at position {position} in '{self.text}'.")

    def peek(self, offset: int = 0) -> _Token:
        index = self.next + offset
        return self.tokens[index] if index < len(self.tokens) else _Token("end", "", len(self.text))

    def take(self, text: str) -> bool:
        token = self.peek()
        if token.kind in ("mark", "word") and token.text == text:
            self.next += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.error()

    def disjunction(self) -> Expression:
        return self._joined("or", self.conjunction)

    def conjunction(self) -> Expression:
        return self._joined("and", self.negation)

    def _joined(self, operator: str, part: object) -> Expression:
        assert callable(part)
        operands = [part()]
        while self.take(operator):
            operands.append(part())
        return operands[0] if len(operands) == 1 else Logical(operator, tuple(operands))

    def negation(self) -> Expression:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise bad_query("The recursion limit has been exceeded.")
        try:
            if self.peek().text == "not" and self.peek().kind == "word":
                self.next += 1
                return Not(self.negation())
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Expression:
        left = self.operand()
        token = self.peek()
        if token.kind == "word" and token.text in _COMPARISONS:
            self.next += 1
            return Comparison(token.text, left, self.operand())
        return left

    def operand(self) -> Expression:
        token = self.peek()
        if token.kind == "mark" and token.text == "(":
            self.next += 1
            inner = self.disjunction()
            self.expect(")")
            return inner
        if token.kind == "mark" and token.text == "[":
            return self.collection()
        if token.kind == "word":
            return self.word()
        self.next += 1
        return self.literal(token)

    def literal(self, token: _Token) -> Literal:
        text = token.text
        match token.kind:
            case "string":
                return Literal(text[1:-1].replace("''", "'"), "string")
            case "json":
                return Literal(str(json.loads(text)), "string")
            case "guid":
                return Literal(text.lower(), "guid")
            case "number":
                if re.fullmatch(r"[+-]?\d+", text):
                    return Literal(int(text), "integer")
                return Literal(Decimal(text), "number")
            case "datetime" | "date":
                try:
                    if token.kind == "date":
                        return Literal(date.fromisoformat(text), "date")
                    return Literal(parse_datetime(text), "datetime")
                except ValueError:
                    raise bad_query(
                        f"Unrecognized 'Edm.DateTimeOffset' literal '{text}' at '{token.position}' in '{self.text}'."
                    ) from None
        self.next -= 1
        raise self.error()

    def word(self) -> Expression:
        token = self.peek()
        self.next += 1
        text = token.text
        if text in ("true", "false"):
            return Literal(text == "true", "boolean")
        if text == "null":
            return Literal(None, "null")
        if text.startswith("@"):
            if text not in self.aliases:
                # An alias without a value is null in OData 4.0 (part 2, 5.3.1).
                return Literal(None, "null")
            return parse_value(self.aliases[text])
        following = self.peek()
        if following.kind == "string" and "." in text and following.position == token.position + len(text):
            self.next += 1  # Microsoft.Dynamics.CRM.OwnershipTypes'UserOwned'
            return self.literal(following)
        if following.kind == "mark" and following.text == "(":
            return self.call(text)
        segments = [text]
        while self.take("/"):
            part = self.peek()
            if part.kind != "word":
                raise self.error()
            self.next += 1
            if part.text in ("any", "all") and self.peek().text == "(":
                return self.lambda_of(part.text, Path(tuple(segments)))
            segments.append(part.text)
        return Path(tuple(segments))

    def lambda_of(self, kind: str, path: Path) -> Lambda:
        self.expect("(")
        if kind == "any" and self.take(")"):
            return Lambda(kind, path, "", None)
        variable = self.peek()
        self.next += 1
        if variable.kind != "word":
            raise self.error()
        self.expect(":")
        body = self.disjunction()
        self.expect(")")
        return Lambda(kind, path, variable.text, body)

    def call(self, name: str) -> Call:
        self.expect("(")
        arguments: list[Expression] = []
        named: list[tuple[str, Expression]] = []
        while not self.take(")"):
            if arguments or named:
                self.expect(",")
            token = self.peek()
            if token.kind == "word" and self.peek(1).text == "=" and self.peek(1).kind == "mark":
                self.next += 2
                named.append((token.text, self.operand()))
            else:
                arguments.append(self.disjunction())
        return Call(name.removeprefix(_NAMESPACE), tuple(arguments), tuple(named))

    def collection(self) -> Collection:
        self.expect("[")
        items: list[Literal] = []
        while not self.take("]"):
            if items:
                self.expect(",")
            item = self.operand()
            if not isinstance(item, Literal):
                raise self.error()
            items.append(item)
        return Collection(tuple(items))


def parse_filter(text: str, aliases: Mapping[str, str] | None = None) -> Expression:
    """Read a ``$filter``. `aliases` maps ``@p1`` to its text. Raises DataverseError 400 with the position."""
    parser = _Parser(text, aliases or {})
    if not parser.tokens:
        raise bad_query("The value for OData query '$filter' cannot be empty.")
    found = parser.disjunction()
    if parser.next != len(parser.tokens):
        raise parser.error()
    return found


def parse_value(text: str) -> Literal | Collection:
    """Read one constant: a parameter of a function, a parameter alias, a part of a key."""
    parser = _Parser(text, {})
    found = parser.operand()
    if parser.next != len(parser.tokens) or not isinstance(found, Literal | Collection):
        raise bad_query(f"Syntax error at position 0 in '{text}'.")
    return found


def parse_order(text: str) -> list[tuple[Path, bool]]:
    """Read a ``$orderby`` into (property, descending) pairs."""
    order: list[tuple[Path, bool]] = []
    for part in text.split(","):
        words = part.split()
        if len(words) not in (1, 2) or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise bad_query(f"Syntax error at position {len(part)} in '{text}'.")
        order.append((Path(tuple(words[0].split("/"))), len(words) == 2 and words[1] == "desc"))
    return order


def parse_key(text: str) -> dict[str, Literal] | Literal:
    """Read the inside of an entity key's parentheses: one bare value, or ``name=value`` pairs (§5.2)."""
    parser = _Parser(text, {})
    if parser.peek().kind == "word" and parser.peek(1).text == "=":
        found: dict[str, Literal] = {}
        while True:
            name = parser.peek()
            parser.next += 1
            parser.expect("=")
            value = parser.operand()
            if name.kind != "word" or not isinstance(value, Literal):
                raise parser.error()
            found[name.text] = value
            if not parser.take(","):
                break
    else:
        single = parser.operand()
        if not isinstance(single, Literal):
            raise parser.error()
        if parser.next != len(parser.tokens):
            raise parser.error()
        return single
    if parser.next != len(parser.tokens):
        raise parser.error()
    return found


def parse_expand(text: str) -> list[tuple[str, dict[str, str]]]:
    """Read an ``$expand``: (navigation, its options), nested options parted by semicolons."""
    found: list[tuple[str, dict[str, str]]] = []
    for part in split_outside(text, ","):
        match = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", part, re.DOTALL)
        if match is None:
            raise bad_query(f"Syntax error in $expand: '{part}'.")
        options: dict[str, str] = {}
        for option in split_outside(match[2] or "", ";"):
            name, mark, value = option.strip().partition("=")
            if mark:
                options[name.strip()] = value.strip()
        found.append((match[1], options))
    return found


def split_outside(text: str, separator: str) -> list[str]:
    """Split at the separators that stand outside quotes and parentheses; empty parts are left out."""
    parts, depth, quoted, current = [], 0, False, ""
    for letter in text:
        quoted = quoted != (letter == "'")
        depth += (letter == "(") - (letter == ")") if not quoted else 0
        if letter == separator and depth == 0 and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [part for part in (*parts, current) if part.strip()]
