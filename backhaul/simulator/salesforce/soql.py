"""SOQL as a tree: lexing and parsing only, no knowledge of objects. Rests on salesforce-api.md §4.3.

Every name and literal keeps its place in the statement, because the vendor's messages point at it. Not read: the
functions of distances, GROUP BY ROLLUP and CUBE, data categories.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeAlias, TypeVar

from backhaul.simulator.salesforce.errors import Refusal

_T = TypeVar("_T")
AGGREGATES = frozenset({"count", "count_distinct", "max", "min", "sum", "avg"})
DATE_FUNCTIONS = frozenset(
    [
        *("calendar_month", "calendar_quarter", "calendar_year", "fiscal_month", "fiscal_quarter", "fiscal_year"),
        *("day_in_month", "day_in_week", "day_in_year", "day_only", "hour_in_day", "week_in_month", "week_in_year"),
    ]
)
TEXT_FUNCTIONS = frozenset({"tolabel", "format", "convertcurrency"})
DATE_WORDS = frozenset(
    [
        *("TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"),
        *(
            f"{when}_{unit}"
            for when in ("THIS", "LAST", "NEXT")
            for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
        ),
    ]
)
_UNITS = ("DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS")
DATE_WORDS_N = frozenset(
    [f"{when}_N_{unit}" for when in ("LAST", "NEXT") for unit in _UNITS] + [f"N_{unit}_AGO" for unit in _UNITS]
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "\\": "\\", "'": "'", '"': '"'}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
      |(?P<date>\d{4}-\d\d-\d\d(?![\dT]))
      |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))
      |(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?::\d+)?)
      |(?P<string>'(?:[^'\\]|\\.)*')
      |(?P<sign><=|>=|!=|<>|[=<>(),])
      |(?P<wrong>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the statement. `kind`: string, number, boolean, null, date, datetime, range.

    The value of a string is its raw text between the quotes (LIKE reads escapes its own way), of a range (a date
    literal such as LAST_N_DAYS) its word and number.
    """

    kind: str
    value: str | float | bool | date | datetime | tuple[str, int] | None
    at: int


@dataclass(frozen=True, slots=True)
class Path:
    """A field, reached over lookups: ``Account.Owner.Name`` is ("Account", "Owner", "Name")."""

    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function over a field (None = ``COUNT()``)."""

    function: str
    path: Path | None
    at: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function over a field: a date function (`local`: over ``convertTimezone(field)``), toLabel, FORMAT or
    convertCurrency. The name is in lower case."""

    function: str
    path: Path
    at: int
    local: bool = False

    @property
    def of_date(self) -> bool:
        """Whether it gives a part of a date."""
        return self.function in DATE_FUNCTIONS


Operand: TypeAlias = Path | Aggregate | Function


@dataclass(frozen=True, slots=True)
class TypeOf:
    """``TYPEOF Who WHEN Contact THEN Email, Phone ELSE Id END``: other fields for each object a lookup leads to."""

    path: Path
    branches: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of SELECT: a field, an aggregate or a function with its alias, ``FIELDS(x)`` (`fields`), a query over
    the record's children (`child`, whose object is the name of the child relationship), or ``TYPEOF``."""

    operand: Operand | None
    alias: str | None = None
    fields: str | None = None
    child: Query | None = None
    typeof: TypeOf | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """``operand operator values``; several values for IN, NOT IN, INCLUDES and EXCLUDES."""

    operand: Operand
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """``operand [NOT] IN (SELECT …)``."""

    operand: Path
    negated: bool
    query: Query


@dataclass(frozen=True, slots=True)
class Not:
    """``NOT condition``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by one operator, AND or OR."""

    operator: str
    conditions: tuple[Condition, ...]


Condition: TypeAlias = Comparison | SemiJoin | Not | Group


@dataclass(frozen=True, slots=True)
class Order:
    """One entry of ORDER BY; nulls come first unless it is stated otherwise."""

    operand: Operand
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole statement; `text` is its source, `object_at` where the object's name stands in it."""

    text: str
    items: tuple[Item, ...]
    object: str
    object_at: int
    where: Condition | None = None
    group_by: tuple[Path | Function, ...] = ()
    having: Condition | None = None
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None

    @property
    def aggregated(self) -> bool:
        """Whether its rows are aggregate results."""
        return bool(self.group_by) or any(isinstance(item.operand, Aggregate) for item in self.items)

    @property
    def counts(self) -> bool:
        """Whether it is ``SELECT COUNT()``, which gives a number and no rows."""
        first = self.items[0].operand
        return isinstance(first, Aggregate) and first.path is None


def parse(text: str) -> Query:
    """The tree of a statement. Raises Refusal MALFORMED_QUERY."""
    if len(text) > 100_000:
        raise Refusal(400, "MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
    parser = _Parser(text)
    query = parser.query()
    parser.end()
    return query


def complaint(text: str, at: int, message: str) -> str:
    """`message` as the vendor words it: under the statement, pointing at place `at` of it."""
    flat = re.sub(r"\s", " ", text)
    start = max(0, at - 60)
    row = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"\n{flat[start : at + 40]}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n{message}"


def malformed(text: str, at: int, message: str) -> Refusal:
    """The refusal of a statement that cannot be read."""
    return Refusal(400, "MALFORMED_QUERY", complaint(text, at, message))


def decode(raw: str, *, like: bool = False) -> str:
    r"""The text of a string literal; for LIKE with ``\`` kept as the escape before ``%``, ``_`` and itself.

    Raises ValueError for an escape that SOQL does not know.
    """
    out: list[str] = []
    chars = iter(raw)
    for char in chars:
        if char != "\\":
            out.append(char)
            continue
        code = next(chars, "")
        if code in ("%", "_"):
            out.append("\\" + code if like else code)
        elif code.lower() in _ESCAPES:
            plain = _ESCAPES[code.lower()]
            out.append("\\\\" if like and plain == "\\" else plain)
        else:
            raise ValueError(f"Illegal escape sequence '\\{code}' in string")
    return "".join(out)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [(m.lastgroup or "", m.group(), m.start()) for m in _TOKEN.finditer(text)]
        self.tokens = [token for token in self.tokens if token[0] != "space"]
        self.tokens.append(("end", "<EOF>", len(text)))
        self.place = 0
        self.alias = ""

    # --- tokens

    def peek(self, ahead: int = 0) -> tuple[str, str, int]:
        return self.tokens[min(self.place + ahead, len(self.tokens) - 1)]

    def take(self) -> tuple[str, str, int]:
        token = self.peek()
        self.place += 1
        return token

    def unexpected(self) -> Refusal:
        kind, found, at = self.peek()
        if kind == "end":
            return malformed(self.text, at, "unexpected token: '<EOF>'")
        return malformed(self.text, at, f"unexpected token: '{found}'")

    def word(self, *words: str) -> bool:
        """Whether these words come next; takes them when they do."""
        for ahead, word in enumerate(words):
            kind, found, _ = self.peek(ahead)
            if kind != "name" or found.upper() != word:
                return False
        self.place += len(words)
        return True

    def sign(self, sign: str) -> bool:
        if self.peek()[0] == "sign" and self.peek()[1] == sign:
            self.place += 1
            return True
        return False

    def need(self, done: bool) -> None:
        if not done:
            raise self.unexpected()

    def end(self) -> None:
        self.need(self.peek()[0] == "end")

    # --- statement

    def query(self) -> Query:
        self.need(self.word("SELECT"))
        items = [self.item()]
        while self.sign(","):
            items.append(self.item())
        self.need(self.word("FROM"))
        kind, name, at = self.take()
        if kind != "name":
            self.place -= 1
            raise self.unexpected()
        if self.peek()[0] == "name" and self.peek()[1].upper() not in _AFTER_FROM:
            self.word("AS")
            items = self.without_alias(items, self.take()[1])
        if self.word("USING"):
            self.need(self.word("SCOPE") and self.take()[0] == "name")
        where = self.condition() if self.word("WHERE") else None
        if self.word("WITH"):
            self.need(self.word("SECURITY_ENFORCED") or self.word("USER_MODE") or self.word("SYSTEM_MODE"))
        group_by = self.listed(self.grouped) if self.word("GROUP", "BY") else ()
        if not group_by and self.peek()[1].upper() == "HAVING":
            raise self.unexpected()
        having = self.condition() if self.word("HAVING") else None
        order_by = self.listed(self.order) if self.word("ORDER", "BY") else ()
        limit = self.whole() if self.word("LIMIT") else None
        offset = self.whole() if self.word("OFFSET") else None
        if self.word("FOR"):
            self.need(self.word("VIEW") or self.word("REFERENCE") or self.word("UPDATE"))
        return Query(self.text, tuple(items), name, at, where, group_by, having, order_by, limit, offset)

    def without_alias(self, items: list[Item], alias: str) -> list[Item]:
        """`items` with the object's alias taken off the front of their names; later names lose it as they are read."""
        self.alias = alias.lower()
        out = []
        for item in items:
            operand = item.operand
            if isinstance(operand, Path):
                operand = self.strip(operand)
            elif isinstance(operand, Aggregate | Function) and operand.path is not None:
                operand = replace(operand, path=self.strip(operand.path))
            out.append(replace(item, operand=operand))
        return out

    def strip(self, path: Path) -> Path:
        if len(path.names) > 1 and path.names[0].lower() == self.alias:
            return Path(path.names[1:], path.at)
        return path

    def listed(self, one: Callable[[], _T]) -> tuple[_T, ...]:
        found = [one()]
        while self.sign(","):
            found.append(one())
        return tuple(found)

    def item(self) -> Item:
        kind, name, _ = self.peek()
        if (kind, name) == ("sign", "("):
            self.place += 1
            outer, self.alias = self.alias, ""
            child = self.query()
            self.alias = outer
            self.need(self.sign(")"))
            return Item(None, child=child)
        if self.word("TYPEOF"):
            return Item(None, typeof=self.typeof())
        if kind == "name" and name.upper() == "FIELDS" and self.peek(1)[1] == "(":
            self.place += 2
            which = self.take()[1].upper()
            self.need(which in ("ALL", "STANDARD", "CUSTOM") and self.sign(")"))
            return Item(None, fields=which)
        operand = self.operand()
        alias = None
        following = self.peek(1)[1].upper()
        if self.peek()[0] == "name" and self.peek()[1].upper() != "FROM" and following in (",", "FROM"):
            alias = self.take()[1]
        return Item(operand, alias)

    def typeof(self) -> TypeOf:
        path = self.path()
        branches = []
        while self.word("WHEN"):
            kind, name, _ = self.peek()
            self.need(kind == "name")
            self.place += 1
            self.need(self.word("THEN"))
            branches.append((name, self.listed(self.path)))
        otherwise = self.listed(self.path) if self.word("ELSE") else ()
        self.need(bool(branches) and self.word("END"))
        return TypeOf(path, tuple(branches), otherwise)

    def operand(self) -> Operand:
        kind, name, at = self.peek()
        word = name.lower()
        if kind != "name" or self.peek(1)[1] != "(":
            return self.path()
        if word in DATE_FUNCTIONS | TEXT_FUNCTIONS:
            return self.function(word, at)
        if word not in AGGREGATES:
            raise malformed(self.text, at, f"unexpected token: '{name}' (function not known to this simulator)")
        self.place += 2
        path = None if self.peek()[1] == ")" else self.path()
        self.need(self.sign(")") and (path is not None or word == "count"))
        return Aggregate(word, path, at)

    def function(self, word: str, at: int) -> Function:
        self.place += 2
        local = word in DATE_FUNCTIONS and self.peek()[1].lower() == "converttimezone" and self.peek(1)[1] == "("
        self.place += 2 if local else 0
        path = self.path()
        self.need(self.sign(")") and (not local or self.sign(")")))
        return Function(word, path, at, local)

    def grouped(self) -> Path | Function:
        found = self.operand()
        if isinstance(found, Aggregate):
            raise malformed(self.text, found.at, "Aggregate functions cannot be used in GROUP BY")
        return found

    def path(self) -> Path:
        kind, name, at = self.peek()
        if kind != "name" or ":" in name:
            raise self.unexpected()
        self.place += 1
        return self.strip(Path(tuple(name.split(".")), at))

    def order(self) -> Order:
        operand = self.operand()
        descending = not self.word("ASC") and self.word("DESC")
        nulls_first = True
        if self.word("NULLS"):
            nulls_first = self.word("FIRST")
            self.need(nulls_first or self.word("LAST"))
        return Order(operand, descending, nulls_first)

    def whole(self) -> int:
        kind, found, _ = self.peek()
        if kind != "number" or not found.isdigit():
            raise self.unexpected()
        self.place += 1
        return int(found)

    # --- conditions

    def condition(self) -> Condition:
        first = self.term()
        found = [first]
        for operator, other in (("AND", "OR"), ("OR", "AND")):
            while self.word(operator):
                found.append(self.term())
            if len(found) > 1:
                if self.peek()[0] == "name" and self.peek()[1].upper() == other:
                    raise self.unexpected()  # AND and OR on one level want brackets
                return Group(operator, tuple(found))
        return first

    def term(self) -> Condition:
        if self.word("NOT"):
            return Not(self.term())
        if self.sign("("):
            inner = self.condition()
            self.need(self.sign(")"))
            return inner
        operand = self.operand()
        if self.sign("="):
            return Comparison(operand, "=", (self.literal(),))
        for written, operator in (("!=", "!="), ("<>", "!="), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")):
            if self.sign(written):
                return Comparison(operand, operator, (self.literal(),))
        if self.word("LIKE"):
            return Comparison(operand, "LIKE", (self.literal(),))
        negated = self.word("NOT")
        if self.word("IN"):
            return self.membership(operand, "NOT IN" if negated else "IN")
        if not negated:
            for operator in ("INCLUDES", "EXCLUDES"):
                if self.word(operator):
                    return self.membership(operand, operator)
        raise self.unexpected()

    def membership(self, operand: Operand, operator: str) -> Condition:
        self.need(self.sign("("))
        if self.peek()[1].upper() == "SELECT" and isinstance(operand, Path) and operator.endswith("IN"):
            outer, self.alias = self.alias, ""
            inner = self.query()
            self.alias = outer
            self.need(self.sign(")"))
            return SemiJoin(operand, operator == "NOT IN", inner)
        values = self.listed(self.literal)
        self.need(self.sign(")"))
        return Comparison(operand, operator, values)

    def literal(self) -> Literal:
        kind, found, at = self.take()
        if kind == "string":
            return Literal("string", found[1:-1], at)
        if kind == "number" and math.isfinite(float(found)):
            return Literal("number", float(found), at)
        try:
            if kind == "datetime":
                return Literal("datetime", datetime.fromisoformat(found), at)
            if kind == "date":
                return Literal("date", date.fromisoformat(found), at)
        except ValueError:
            raise malformed(self.text, at, f"unexpected token: '{found}'") from None
        word, _, number = found.upper().partition(":")
        if kind == "name" and word in ("TRUE", "FALSE") and not number:
            return Literal("boolean", word == "TRUE", at)
        if kind == "name" and word == "NULL" and not number:
            return Literal("null", None, at)
        if kind == "name" and (word in DATE_WORDS) != (word in DATE_WORDS_N and bool(number)):
            return Literal("range", (word, int(number or 0)), at)
        if kind == "name" and re.fullmatch(r"[A-Z]{3}\d+", word):  # an amount of money such as USD5000
            return Literal("number", float(word[3:]), at)
        self.place -= 1
        raise self.unexpected()


_AFTER_FROM = frozenset({"WHERE", "USING", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR"})
