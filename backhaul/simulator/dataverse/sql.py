"""Filters and orders over rows, as DuckDB SQL (dataverse-api.md §3.2).

Every value goes in as a parameter. Strings compare without regard to case, as the service's database does, and in
``contains`` and its kin ``%``, ``_`` and ``[...]`` are wildcards, as they are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from backhaul.simulator.store import literal

from .edm import TEXTS, Attribute, Table
from .errors import DataverseError, bad_query, unknown_property
from .expressions import Call, Collection, Comparison, Expression, Lambda, Literal, Logical, Not, Path
from .functions import FUNCTIONS, Handler
from .relations import ManyToMany, OneToMany
from .spans import SPANS, span

if TYPE_CHECKING:
    from .org import DataverseOrg
    from .wire import Request

_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_KINDS = {"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual"} | {
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_LITERALS = {"string": "Edm.String", "integer": "Edm.Int32", "number": "Edm.Decimal", "boolean": "Edm.Boolean"} | {
    "guid": "Edm.Guid",
    "date": "Edm.Date",
    "datetime": "Edm.DateTimeOffset",
}
_NUMBERS = ("Edm.Int32", "Edm.Int64", "Edm.Decimal", "Edm.Double")
GUID = re.compile(r"\{?([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\}?")


def quote(name: str) -> str:
    """Give `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def seen_sql(attribute: Attribute, alias: str) -> str:
    """Give the SQL of a column as the callers see it: null, of its own type, where column security hides it."""
    column = f"{alias}.{quote(attribute.name)}"
    return f"(CASE WHEN FALSE THEN {column} END)" if attribute.hidden else column


def guid(text: str) -> str | None:
    """Give a GUID in the service's spelling (lower case, no braces), None when `text` is none."""
    match = GUID.fullmatch(text.strip())
    return match[1].lower() if match else None


@dataclass(frozen=True, slots=True)
class Column:
    """A property as SQL sees it."""

    sql: str
    attribute: Attribute


@dataclass
class Compiler:
    """Turns expressions over `table` (aliased `alias`) into SQL; `parameters` fills as it goes.

    `org` has the tables and relationships, and the present for the relative dates; `user_id` stands for the caller in
    ``EqualUserId``. `variables` are the row variables of the lambda operators around: name -> (table, alias).
    """

    org: DataverseOrg
    table: Table
    user_id: str = ""
    alias: str = "t"
    parameters: list[Any] = field(default_factory=list)
    variables: dict[str, tuple[Table, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, org: DataverseOrg, table: Table, request: Request, alias: str = "t") -> Compiler:
        """Give the compiler for a request's expressions over `table`."""
        return cls(org, table, request.user_id, alias)

    @property
    def now(self) -> datetime:
        """The present, aware."""
        return self.org.clock.now()

    def sort_key(self, path: Path) -> str:
        """Give the SQL to sort by a property."""
        return _folded(self.column(path))

    def filter(self, expression: Expression) -> str:
        """Give the condition. Raises DataverseError 400 for what the service would not understand."""
        match expression:
            case Logical(operator, operands):
                return "(" + f" {operator.upper()} ".join(self.filter(part) for part in operands) + ")"
            case Not(operand):
                # Unknown is not true: the service's negations include the rows without a value.
                return f"(NOT coalesce({self.filter(operand)}, FALSE))"
            case Comparison(operator, left, right):
                return self.comparison(operator, left, right)
            case Call(name, arguments, named):
                return self.call(name, arguments, dict(named))
            case Lambda(_, _, _, _):
                return self.within(expression)
            case Literal(bool() as value, _):
                return "TRUE" if value else "FALSE"
            case Path(_):
                column = self.column(expression)
                if column.attribute.type == "Boolean":
                    return f"coalesce({column.sql}, FALSE)"
        raise bad_query("The $filter expression must evaluate to a single boolean value.")

    def column(self, path: Path) -> Column:
        """Find a property, if need be behind single-valued navigation properties (§3.2)."""
        table, alias, segments = self.table, self.alias, path.segments
        if segments[0] in self.variables:
            table, alias = self.variables[segments[0]]
            segments = segments[1:]
            if not segments:
                raise bad_query(f"'{path}' is no property.")
        layers: list[str] = []
        for depth, name in enumerate(segments[:-1]):
            if name not in table.navigations:
                raise unknown_property(name, table.name)
            attribute, targets = table.navigations[name]
            target = self.org.tables[targets[0]]
            inner = f"{self.alias}n{depth + 1}"
            condition = f"{inner}.{quote(target.primary_id)} = {alias}.{quote(attribute.name)}"
            if attribute.polymorphic and len(targets) == 1:
                kind = f"coalesce({alias}.{quote(attribute.type_column)}, '{attribute.targets[0]}')"
                condition += f" AND {kind} = '{target.name}'"
            layers.append(f"SELECT {{}} FROM {quote(target.name)} {inner} WHERE {condition}")
            table, alias = target, inner
        name = segments[-1]
        if name not in table.properties:
            raise unknown_property(name, table.name)
        attribute = table.properties[name]
        found = seen_sql(attribute, alias)
        for layer in reversed(layers):
            found = "(" + layer.format(found) + ")"
        return Column(found, attribute)

    def within(self, expression: Lambda) -> str:
        """Give the condition of ``any`` or ``all`` over a collection-valued navigation property (§3.2)."""
        table, alias, segments = self.table, self.alias, expression.path.segments
        if segments[0] in self.variables:
            table, alias = self.variables[segments[0]]
            segments = segments[1:]
        relation = self.org.relations.collections[table.name].get(segments[0]) if len(segments) == 1 else None
        if relation is None:
            raise unknown_property(str(expression.path), table.name)
        child = self.org.tables[child_of(relation, table)]
        inner = f"{alias}l{len(self.variables)}"
        conditions = [joined(self.org, relation, table, alias, child, inner)]
        if expression.body is not None:
            variables = {**self.variables, expression.variable: (child, inner)}
            below = Compiler(self.org, child, self.user_id, inner, self.parameters, variables)
            condition = below.filter(expression.body)
            conditions.append(f"NOT coalesce({condition}, FALSE)" if expression.kind == "all" else condition)
        exists = f"EXISTS (SELECT 1 FROM {quote(child.name)} {inner} WHERE {' AND '.join(conditions)})"
        return f"(NOT {exists})" if expression.kind == "all" else exists

    def comparison(self, operator: str, left: Expression, right: Expression) -> str:
        """Give the condition of a comparison, a constant on either side."""
        if isinstance(left, Literal) and isinstance(right, Path):
            mirrored = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
            return self.comparison(mirrored.get(operator, operator), right, left)
        if not isinstance(left, Path):
            raise bad_query("The $filter expression compares what is no property.")
        column = self.column(left)
        if isinstance(right, Path):
            return self._columns(operator, column, self.column(right))
        if not isinstance(right, Literal):
            raise bad_query(f"The right side of '{operator}' must be a property or a constant.")
        if right.kind == "null":
            if operator not in ("eq", "ne"):
                return "FALSE"
            return f"({column.sql} IS {'NOT ' if operator == 'ne' else ''}NULL)"
        value = self.value(column.attribute, right, operator)
        shown = _folded(column)
        self.parameters.append(value)
        condition = f"{shown} {_OPERATORS[operator]} {_mark(column)}"
        return f"({condition} OR {column.sql} IS NULL)" if operator == "ne" else f"({condition})"

    def _columns(self, operator: str, left: Column, right: Column) -> str:
        pair = (left.attribute.edm, right.attribute.edm)
        if pair[0] != pair[1] and not (pair[0] in _NUMBERS and pair[1] in _NUMBERS):
            raise _incompatible(*pair, operator)
        condition = f"{_folded(left)} {_OPERATORS[operator]} {_folded(right)}"
        if operator == "ne":
            return f"({condition} OR ({left.sql} IS NULL) <> ({right.sql} IS NULL))"
        return f"({condition})"

    def value(self, attribute: Attribute, literal: Literal, operator: str = "eq") -> Any:
        """Give the parameter for comparing `attribute` with `literal`; 400 when their types do not meet."""
        value, kind, edm = literal.value, literal.kind, attribute.edm
        if edm == "Edm.Guid" and isinstance(value, str):
            found = guid(value)
            if found is None:
                raise bad_query(f"Unrecognized 'Edm.Guid' literal '{value}'.")
            return found
        if edm == "Edm.String" and kind in ("string", "guid"):
            return str(value)
        if edm in _NUMBERS and kind in ("integer", "number"):
            return float(str(value)) if edm == "Edm.Double" else value
        if edm == "Edm.Boolean" and kind == "boolean":
            return value
        if edm == "Edm.DateTimeOffset" and kind in ("date", "datetime"):
            return _naive(value)
        if edm == "Edm.Date" and kind in ("date", "datetime"):
            return value.date() if isinstance(value, datetime) else value
        raise _incompatible(edm, _LITERALS[kind], operator)

    def call(self, name: str, arguments: tuple[Expression, ...], named: Mapping[str, Expression]) -> str:
        """Give the condition of a function."""
        if name in ("contains", "startswith", "endswith"):
            return self._pattern(name, arguments)
        handler = _FUNCTIONS.get(name)
        if handler is None and name not in SPANS:
            raise bad_query(
                f"An unknown function with name '{name}' was found. This may also be a function import or "
                "a key lookup on a navigation property, which is not allowed."
            )
        column = self._named_column(name, named)
        if handler is not None:
            return handler(self, column, named)
        if column.attribute.type != "DateTime":
            raise DataverseError(400, "0x80040203", f"The condition operator is not valid for {column.attribute.name}.")
        number = self._number(named) if SPANS[name] else 0
        try:
            start, end = span(name, self.now, number)
        except (OverflowError, ValueError):
            raise DataverseError(
                400, "0x80040203", f"The value {number} is too large for the operator {name}."
            ) from None
        conditions: list[str] = []
        for bound, operator in ((start, ">="), (end, "<")):
            if bound is not None:
                value = _naive(bound)
                self.parameters.append(value.date() if column.attribute.date_only else value)
                conditions.append(f"{column.sql} {operator} ?")
        return "(" + " AND ".join(conditions) + ")"

    def _named_column(self, name: str, named: Mapping[str, Expression]) -> Column:
        given = named.get("PropertyName")
        if not isinstance(given, Literal) or not isinstance(given.value, str):
            raise bad_query(f"The function '{name}' needs the parameter PropertyName.")
        *way, last = given.value.split("/")
        attribute = self.table.attributes.get(last)
        if not way and attribute is not None and attribute.in_odata:  # lookups go by either name here
            last = attribute.wire
        return self.column(Path((*way, last)))

    def _number(self, named: Mapping[str, Expression]) -> int:
        given = named.get("PropertyValue")
        if isinstance(given, Literal) and re.fullmatch(r"\d+", str(given.value)):
            return int(str(given.value))
        raise bad_query("The parameter PropertyValue must be a whole number.")

    def _pattern(self, name: str, arguments: tuple[Expression, ...]) -> str:
        if len(arguments) != 2 or not isinstance(arguments[0], Path) or not isinstance(arguments[1], Literal):
            raise bad_query(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        column = self.column(arguments[0])
        value = arguments[1].value
        if column.attribute.type not in TEXTS or not isinstance(value, str):
            raise bad_query(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        pattern = {"contains": f"%{value}%", "startswith": f"{value}%", "endswith": f"%{value}"}[name]
        self.parameters.append(like_to_regex(pattern))
        return f"coalesce(regexp_full_match(lower({column.sql}), lower(?), 's'), FALSE)"

    # --- the named query functions ------------------------------------------------------------------------

    def membership(self, column: Column, named: Mapping[str, Expression], *, negated: bool) -> str:
        """Give the condition of ``In`` or ``NotIn``."""
        items = self._values(column, named)
        marks = ", ".join(_mark(column) for _ in items)
        self.parameters.extend(items)
        condition = f"{_folded(column)} IN ({marks})"
        return f"(NOT coalesce({condition}, FALSE))" if negated else f"coalesce({condition}, FALSE)"

    def between(self, column: Column, named: Mapping[str, Expression], *, negated: bool) -> str:
        """Give the condition of ``Between`` or ``NotBetween``."""
        items = self._values(column, named)
        if len(items) != 2:
            raise bad_query("The function 'Between' needs exactly two PropertyValues.")
        self.parameters.extend(items)
        condition = f"{_folded(column)} BETWEEN {_mark(column)} AND {_mark(column)}"
        return f"(NOT coalesce({condition}, FALSE))" if negated else f"coalesce({condition}, FALSE)"

    def choices(self, column: Column, named: Mapping[str, Expression], *, negated: bool) -> str:
        """Give the condition of ``ContainValues`` or ``DoesNotContainValues``."""
        if column.attribute.type != "MultiSelectPicklist":
            raise DataverseError(
                400,
                "0x80040203",
                f"The condition operator is valid only for multi-select choices: {column.attribute.name}.",
            )
        given = named.get("PropertyValues")
        if not isinstance(given, Collection) or not given.items:
            raise bad_query("The parameter PropertyValues must be a collection.")
        self.parameters.append([str(item.value) for item in given.items])
        condition = f"list_has_any(string_split({column.sql}, ','), ?)"
        return f"(NOT coalesce({condition}, FALSE))" if negated else f"coalesce({condition}, FALSE)"

    def day(self, column: Column, named: Mapping[str, Expression], operator: str) -> str:
        """Give the condition of ``On``, ``OnOrAfter``, ``OnOrBefore``."""
        given = named.get("PropertyValue")
        if column.attribute.type != "DateTime" or not isinstance(given, Literal):
            raise bad_query("The parameter PropertyValue must be a date.")
        self.parameters.append(_as_date(given))
        return f"coalesce(CAST({column.sql} AS DATE) {operator} ?, FALSE)"

    def user(self, column: Column, *, negated: bool) -> str:
        """Give the condition of ``EqualUserId`` or ``NotEqualUserId``."""
        self.parameters.append(self.user_id)
        return f"({column.sql} IS DISTINCT FROM ?)" if negated else f"coalesce({column.sql} = ?, FALSE)"

    def _values(self, column: Column, named: Mapping[str, Expression]) -> list[Any]:
        given = named.get("PropertyValues")
        if not isinstance(given, Collection) or not given.items:
            raise bad_query("The parameter PropertyValues must be a collection.")
        return [self.value(column.attribute, retyped(item, column.attribute)) for item in given.items]


def child_of(relation: OneToMany | ManyToMany, table: Table) -> str:
    """Give the name of the table whose rows a collection of `table` holds."""
    return relation.other(table.name) if isinstance(relation, ManyToMany) else relation.referencing


def joined(
    org: DataverseOrg, relation: OneToMany | ManyToMany, table: Table, alias: str, child: Table, inner: str
) -> str:
    """Give the condition that the row `inner` of `child` hangs on the row `alias` of `table`."""
    here, there = f"{alias}.{quote(table.primary_id)}", f"{inner}.{quote(child.primary_id)}"
    if isinstance(relation, ManyToMany):
        return (
            f"EXISTS (SELECT 1 FROM {quote(relation.intersect)} i WHERE i.{quote(table.primary_id)} = {here} "
            f"AND i.{quote(child.primary_id)} = {there})"
        )
    attribute = relation.attribute
    condition = f"{inner}.{quote(attribute.name)} = {here}"
    if attribute.polymorphic:
        kind = f"coalesce({inner}.{quote(attribute.type_column)}, '{attribute.targets[0]}')"
        condition += f" AND {kind} = '{table.name}'"
    return condition


def inlined(condition: str, parameters: Sequence[Any]) -> str:
    """Write the values of `parameters` into a condition of :class:`Compiler`, which marks each with ``?``."""
    left = iter(parameters)
    return re.sub(r"\?", lambda _: written(next(left)), condition)


def written(value: Any) -> str:
    """Give a value as SQL."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | Decimal():
            return f"({value})"
        case float():
            return f"CAST('{value!r}' AS DOUBLE)"
        case datetime():
            return f"TIMESTAMP '{value.isoformat(' ')}'"
        case date():
            return f"DATE '{value.isoformat()}'"
        case list():
            return "[" + ", ".join(written(one) for one in value) + "]"
    return literal(str(value))


def retyped(literal: Literal, attribute: Attribute) -> Literal:
    """Give the value that a query function's text stands for, as `attribute` has it: they are all strings (§3.2)."""
    if literal.kind != "string" or not isinstance(literal.value, str):
        return literal
    text, edm = literal.value, attribute.edm
    try:
        if edm in ("Edm.Int32", "Edm.Int64"):
            return Literal(int(text), "integer")
        if edm in ("Edm.Decimal", "Edm.Double"):
            return Literal(Decimal(text), "number")
        if edm == "Edm.Boolean":
            return Literal({"true": True, "1": True, "false": False, "0": False}[text.lower()], "boolean")
        if edm in ("Edm.Date", "Edm.DateTimeOffset"):
            found = datetime.fromisoformat(text)
            return Literal(found if found.tzinfo else found.replace(tzinfo=UTC), "datetime")
    except (ArithmeticError, KeyError, ValueError):
        raise DataverseError(
            400, "0x80040203", f"The value '{text}' is not valid for the attribute '{attribute.name}'."
        ) from None
    return literal


def like_to_regex(pattern: str) -> str:
    """Turn a SQL Server LIKE pattern into a regular expression that means the same when put in lower case."""
    found, position = [], 0
    while position < len(pattern):
        letter = pattern[position]
        closing = pattern.find("]", position + 2) if letter == "[" else -1
        if letter == "%":
            found.append(".*")
        elif letter == "_":
            found.append(".")
        elif closing > 0:
            inside = pattern[position + 1 : closing]
            negated = inside.startswith("^") and len(inside) > 1
            body = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside[1:] if negated else inside)
            found.append(f"[{'^' if negated else ''}{body}]")
            position = closing
        else:
            found.append(re.escape(letter))
        position += 1
    return "".join(found)


def _folded(column: Column) -> str:
    return f"lower({column.sql})" if column.attribute.type in TEXTS else column.sql


def _mark(column: Column) -> str:
    # Folded by the database on both sides: its rules for letters are not Python's.
    return "lower(?)" if column.attribute.type in TEXTS else "?"


def _naive(value: object) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    assert isinstance(value, date)
    return datetime.combine(value, time())


def _as_date(literal: Literal) -> date:
    value = literal.value
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise bad_query(f"Unrecognized 'Edm.Date' literal '{value}'.") from None


def _incompatible(left: str, right: str, operator: str) -> DataverseError:
    return bad_query(
        f"A binary operator with incompatible types was detected. Found operand types '{left}' and '{right}' for "
        f"operator kind '{_KINDS[operator]}'."
    )


_FUNCTIONS: dict[str, Handler] = {
    **FUNCTIONS,
    "In": lambda compiler, column, named: compiler.membership(column, named, negated=False),
    "NotIn": lambda compiler, column, named: compiler.membership(column, named, negated=True),
    "Between": lambda compiler, column, named: compiler.between(column, named, negated=False),
    "NotBetween": lambda compiler, column, named: compiler.between(column, named, negated=True),
    "ContainValues": lambda compiler, column, named: compiler.choices(column, named, negated=False),
    "DoesNotContainValues": lambda compiler, column, named: compiler.choices(column, named, negated=True),
    "On": lambda compiler, column, named: compiler.day(column, named, "="),
    "OnOrAfter": lambda compiler, column, named: compiler.day(column, named, ">="),
    "OnOrBefore": lambda compiler, column, named: compiler.day(column, named, "<="),
    "EqualUserId": lambda compiler, column, named: compiler.user(column, negated=False),
    "NotEqualUserId": lambda compiler, column, named: compiler.user(column, negated=True),
}
