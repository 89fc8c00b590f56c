"""From the engine's own words to a destination's SQL: statements, names, types and values.

What the engine itself asks of a warehouse (its ledger, its lease, counts) is written once, in the part of DuckDB's SQL
that every database has a word for. A model's SQL never comes this way: it is carried over before
(:mod:`backhaul.transform.dialects`), by rules that vouch for its meaning.

Values are written into the statement by this module, as the drivers differ in how they take parameters, in what they
make of a per cent sign, and in the types that they send. A text is escaped by sqlglot's writer of the dialect, which
the tests compare with its reader and with dlt's own escaping.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from sqlglot import Dialect, exp, parse_one
from sqlglot.errors import SqlglotError

from backhaul.warehouse import clickhouse
from backhaul.warehouse.abilities import Abilities
from backhaul.warehouse.door import StatementFailed

Parameters = Sequence[Any] | Mapping[str, Any]

_MARK = re.compile("\ufdd0(\\w+)\ufdd1")
"""Where a value goes: between two code points that no text may hold (Unicode's noncharacters)."""

_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?P<mark>\?)|\$(?P<name>[A-Za-z_]\w*)", re.DOTALL
)
_CALL = "backhaul_value"

_CANONICAL = {
    "TEXT": "VARCHAR",
    "INT": "INTEGER",
    "REAL": "FLOAT",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMPLTZ": "TIMESTAMP WITH TIME ZONE",
    "BIT": "BOOLEAN",
    "VARIANT": "JSON",
    "OBJECT": "JSON",
    "SUPER": "JSON",
    "TINYINT": "SMALLINT",
    "UTINYINT": "SMALLINT",
    "NULL": '"NULL"',
}
_KNOWN = frozenset(
    (
        *("VARCHAR", "BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP"),
        *("TIMESTAMP WITH TIME ZONE", "BLOB", "JSON", "UUID", '"NULL"'),
    )
)
_UNDECLARED = "DECIMAL(38,12)"
"""A number of no declared digits: 26 before the point and 12 behind it."""


class Wording:
    """The words of one destination."""

    def __init__(self, abilities: Abilities) -> None:
        self.abilities = abilities
        self.dialect = abilities.dialect
        self._writer = Dialect.get_or_raise(abilities.dialect).generator()

    # Names

    def folded(self, identifier: str) -> str:
        """The identifier as the database stores it."""
        return identifier.upper() if self.abilities.upper else identifier.lower()

    def name(self, identifier: str) -> str:
        """The identifier in the database's quotes, so that any character in it is harmless."""
        return str(exp.to_identifier(self.folded(identifier), quoted=True).sql(self.dialect))

    def relation(self, schema: str, name: str) -> str:
        """The qualified name of a table or view."""
        return f"{self.name(schema)}.{self.name(name)}"

    # Statements

    def statement(self, sql: str, parameters: Parameters = ()) -> str:
        """A statement of the engine's in the database's SQL, its values in it. Raises StatementFailed."""
        lists = frozenset(
            name for name, value in _numbered(parameters).items() if isinstance(value, list | tuple | set)
        )
        return self.filled(_translated(sql, self.abilities, lists), parameters)

    def filled(self, template: str, parameters: Parameters) -> str:
        """A template's marks replaced by the values, written as literals."""
        values = _numbered(parameters)

        def value(found: re.Match[str]) -> str:
            if found[1] not in values:
                raise StatementFailed(f"the statement has a place {found[1]} that no value was given for")
            given = values[found[1]]
            if isinstance(given, list | tuple | set):
                return ", ".join(map(self.literal, given)) or "NULL"
            return self.literal(given)

        return _MARK.sub(value, template)

    # Values

    def literal(self, value: Any, kind: str = "") -> str:
        """A value as SQL; `kind` is the type that it is to have, in DuckDB's words, where that is known."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return str(int(value) if self.dialect in ("tsql", "fabric") else value).upper()
        if isinstance(value, int | float) and not kind.startswith("DECIMAL"):
            return f"({value!r})" if value < 0 else repr(value)
        if isinstance(value, Decimal | int | float):
            number = Decimal(str(value))
            return self._cast(f"{number:f}", kind or _digits(number))
        if isinstance(value, datetime):
            aware = value.tzinfo is not None
            return self._cast(value.isoformat(" "), "TIMESTAMP WITH TIME ZONE" if aware else "TIMESTAMP")
        if isinstance(value, date):
            return self._cast(value.isoformat(), "DATE")
        if isinstance(value, time):
            return self._cast(value.isoformat(), "TIME")
        if isinstance(value, bytes | bytearray | memoryview):
            return self.abilities.hexadecimal.format(bytes(value).hex())
        if isinstance(value, list | tuple | dict):
            return self._list(value, kind)
        return self._text(str(value))

    def _text(self, text: str) -> str:
        written = str(self._writer.literal_sql(exp.Literal.string(text)))
        if self.dialect in ("tsql", "fabric"):
            return f"N{written}"
        # Google's driver makes one per cent sign of two, parameters or none.
        return written.replace("%", "%%") if self.dialect == "bigquery" else written

    def _cast(self, text: str, kind: str) -> str:
        return f"CAST({self._text(text)} AS {self.type(kind)})"

    def _list(self, value: Any, kind: str) -> str:
        if isinstance(value, dict) or not self.abilities.lists or not kind.endswith("[]"):
            text = self._text(json.dumps(value, ensure_ascii=False, default=str))
            # A text alone would be one text in a SUPER, with its brackets.
            within = self.abilities.types.get("JSON") == "SUPER" and (kind == "JSON" or kind.endswith("[]"))
            return f"JSON_PARSE({text})" if within else text
        items = [f"\ufdd0{number}\ufdd1" for number in range(len(value))]
        array = exp.cast(exp.Array(expressions=[exp.var(item) for item in items]), self._type(kind))
        template = array.sql(self.dialect)
        return _MARK.sub(lambda found: self.literal(value[int(found[1])], kind[:-2]), template)

    # Types

    def type(self, kind: str) -> str:
        """A type in DuckDB's words in the database's."""
        return self._type(kind).sql(self.dialect)

    def _type(self, kind: str) -> exp.DataType:
        return _type(kind, self.abilities)

    def kind(self, row: Mapping[str, Any]) -> str:
        """The type of a column, in DuckDB's words, of its row in the database's list of columns.

        Names of the row's entries in lower case. What DuckDB has no word for is VARCHAR.
        """
        word = str(row.get("full_data_type") or row.get("data_type") or "")
        if self.dialect == "clickhouse":
            return clickhouse.kind_of(word)
        element = str(row.get("udt_name") or "")
        if word.upper() == "ARRAY" and element.startswith("_"):  # PostgreSQL tells what is in it by its inner name
            word = f"{element[1:]}[]"
        digits = row.get("numeric_precision"), row.get("numeric_scale")
        found = self._read(word)
        if found in (_UNDECLARED, "DECIMAL") and digits[0] is not None:
            precision, scale = int(digits[0]), int(digits[1] or 0)
            if self.dialect == "snowflake" and (precision, scale) == (38, 0):
                return "BIGINT"  # every whole number there is one of 38 digits
            return f"DECIMAL({precision},{scale})" if precision <= 38 and 0 <= scale <= precision else _UNDECLARED
        return found

    def _read(self, word: str) -> str:
        if word.strip('"').upper() == "NULL":
            return '"NULL"'
        if word.upper() == "NUMBER":
            return _UNDECLARED
        try:
            read = exp.DataType.build(word, dialect=self.dialect)
        except (SqlglotError, ValueError):
            return "VARCHAR"
        return _canonical(read, self.dialect)


def _canonical(read: exp.DataType, dialect: str) -> str:
    if read.is_type(exp.DataType.Type.ARRAY, exp.DataType.Type.LIST):
        inner = read.expressions[0] if read.expressions else None
        return _canonical(inner, dialect) + "[]" if isinstance(inner, exp.DataType) else "JSON"
    if read.is_type(exp.DataType.Type.DECIMAL, exp.DataType.Type.BIGDECIMAL):
        digits = [int(part.name) for part in read.expressions if part.name.isdigit()]
        if not digits:
            # BigQuery's NUMERIC without digits has 29 before the point and 9 behind it; elsewhere it is not declared.
            return "DECIMAL(38,9)" if dialect == "bigquery" else _UNDECLARED
        precision, scale = digits[0], digits[1] if len(digits) > 1 else 0
        return f"DECIMAL({precision},{scale})" if precision <= 38 and scale <= precision else _UNDECLARED
    if dialect in ("tsql", "fabric") and read.is_type(exp.DataType.Type.FLOAT):
        return "DOUBLE"
    plain = read.copy()
    plain.set("expressions", [])
    word = plain.sql("duckdb").upper()
    word = _CANONICAL.get(word, word)
    return word if word in _KNOWN else "VARCHAR"


def _digits(value: Decimal) -> str:
    whole, _, part = f"{abs(value):f}".partition(".")
    scale = min(len(part), 38)
    return f"DECIMAL({min(max(len(whole.lstrip('0')) + scale, 1), 38)},{scale})"


@lru_cache(maxsize=512)
def _type(kind: str, abilities: Abilities) -> exp.DataType:
    plain = kind.strip('"').upper()
    if plain == "NULL":
        plain = "VARCHAR"
    if plain.endswith("[]") and not abilities.lists:
        plain = "JSON" if abilities.types.get("JSON") == "SUPER" else "VARCHAR"
    if plain in abilities.types:
        return exp.DataType.build(abilities.types[plain], dialect=abilities.dialect, udt=True)
    built = exp.DataType.build(plain, dialect="duckdb")
    if abilities.dialect == "bigquery":
        widen_decimals(built)
    return built


def widen_decimals(tree: exp.Expr) -> None:
    """BigQuery's NUMERIC has 29 digits before the point and 9 behind it: a decimal type of more is a BIGNUMERIC."""
    for part in tree.find_all(exp.DataType):
        digits = [int(one.name) for one in part.expressions if one.name.isdigit()]
        many = len(digits) == 2 and (digits[1] > 9 or digits[0] - digits[1] > 29)
        if many and part.is_type(exp.DataType.Type.DECIMAL):
            part.set("this", exp.DataType.Type.BIGDECIMAL)


def _numbered(parameters: Parameters) -> dict[str, Any]:
    if isinstance(parameters, Mapping):
        return {str(name): value for name, value in parameters.items()}
    return {f"p{number}": value for number, value in enumerate(parameters)}


@lru_cache(maxsize=1024)
def _translated(sql: str, abilities: Abilities, lists: frozenset[str]) -> str:
    """The statement in the dialect, with a mark for each value."""
    try:
        tree = parse_one(_named(sql), dialect="duckdb")
        for call in list(tree.find_all(exp.Anonymous)):
            if call.name.lower() == _CALL:
                call.replace(exp.var(f"\ufdd0{call.expressions[0].name}\ufdd1"))
        for node in reversed(list(tree.walk())):  # what is inside first: what is around it is copied
            _reworded(node, abilities, lists)
        return _written(tree, abilities)
    except SqlglotError as error:
        raise StatementFailed(f"the statement could not be put into other words: {error}", sql=sql) from error


def _written(tree: exp.Expr, abilities: Abilities) -> str:
    if abilities.dialect == "clickhouse" and isinstance(tree, exp.Update):
        # Its own UPDATE wants tables made for it.
        table, where = tree.this.sql("clickhouse"), tree.args.get("where")
        changes = ", ".join(one.sql("clickhouse") for one in tree.expressions)
        return f"ALTER TABLE {table} UPDATE {changes} WHERE {where.this.sql('clickhouse') if where else 'TRUE'}"
    written = str(tree.sql(abilities.dialect, comments=False))
    if isinstance(tree, exp.Create) and tree.kind == "TABLE" and abilities.table_ends:
        return f"{written} {abilities.table_ends}"
    return written


def _named(sql: str) -> str:
    """The statement with a call in the place of each value: sqlglot takes ``$`` for a quote as well."""
    numbers = count()

    def call(found: re.Match[str]) -> str:
        if found["mark"]:
            return f"{_CALL}('p{next(numbers)}')"
        return f"{_CALL}('{found['name']}')" if found["name"] else found[0]

    return _TOKEN.sub(call, sql)


def _reworded(node: exp.Expr, abilities: Abilities, lists: frozenset[str]) -> None:
    """One node of a statement, in place."""
    if isinstance(node, exp.Identifier):
        name = node.name
        node.set("this", name.upper() if abilities.upper else name.lower())
        node.set("quoted", True)
    elif isinstance(node, exp.DataType) and not isinstance(node.parent, exp.DataType):
        kind = node.sql("duckdb")
        canonical = _canonical(node, "duckdb") if kind not in abilities.types else kind
        if canonical in abilities.types or canonical.endswith("[]"):
            node.replace(_type(canonical, abilities).copy())
    elif isinstance(node, exp.ColumnConstraint) and isinstance(node.kind, exp.PrimaryKeyColumnConstraint):
        if not abilities.unique:
            node.pop()
    elif isinstance(node, exp.In):
        _listed(node, lists)
    elif isinstance(node, exp.ColumnConstraint) and isinstance(node.kind, exp.NotNullColumnConstraint):
        if not abilities.nullable:
            node.pop()
    elif isinstance(node, exp.CurrentTimestamp) and abilities.dialect in ("tsql", "fabric"):
        node.replace(exp.Anonymous(this="SYSUTCDATETIME"))
    elif isinstance(node, exp.CurrentTimestamp) and abilities.dialect == "clickhouse":
        node.replace(exp.Anonymous(this="now64", expressions=[exp.convert(6), exp.convert("UTC")]))
    elif isinstance(node, exp.Add) and isinstance(node.expression, exp.Interval):
        _later(node, abilities)


def _listed(node: exp.In, lists: frozenset[str]) -> None:
    """``IN (SELECT UNNEST(...))`` of a list that is given as the list itself; pairs as conditions."""
    query = node.args.get("query")
    given = [] if query is None else [one for one in query.find_all(exp.Var) if _MARK.fullmatch(one.name)]
    if len(given) == 1 and _MARK.fullmatch(given[0].name)[1] in lists:  # type: ignore[index]
        node.set("query", None)
        node.set("expressions", [given[0].copy()])
    elif isinstance(node.this, exp.Tuple):
        pairs = [
            exp.and_(
                *(
                    exp.EQ(this=a.copy(), expression=b.copy())
                    for a, b in zip(node.this.expressions, one.expressions, strict=True)
                )
            )
            for one in node.expressions
        ]
        node.replace(exp.paren(exp.or_(*pairs)))


def _later(node: exp.Add, abilities: Abilities) -> None:
    """An instant some seconds later, where there are no intervals."""
    if abilities.dialect in ("tsql", "fabric"):
        seconds = exp.Literal.number(node.expression.this.name)
        node.replace(exp.Anonymous(this="DATEADD", expressions=[exp.var("SECOND"), seconds, node.this.copy()]))
