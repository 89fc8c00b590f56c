"""What becomes of DuckDB's SQL on ClickHouse, where that is another thing than on the other engines.

Its texts are bytes to most functions, so those for UTF-8 are called; its patterns are RE2's as DuckDB's are, but that a
dot finds a line end; a comparison is a number there; what compares with a list knows no null (ClickHouse manual:
String functions, match, Data types/Boolean, IN operators). Settings that the session and every view bring along do the
rest (:mod:`backhaul.warehouse.clickhouse`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from backhaul.ledger.tables import SCHEMA
from backhaul.warehouse.abilities import ABILITIES

if TYPE_CHECKING:
    from backhaul.transform.dialects import Carrying

Rule = Callable[["Carrying", Any], exp.Expr]

_OF = "text"
"""In a list's notes: the text that it is of, which may be null."""

_FLOATS = (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
_DECIMALS = (exp.DataType.Type.DECIMAL,)
_TEXTS = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)


def call(name: str, *arguments: Any, kind: str = "varchar") -> exp.Expr:
    """A call of a function by its own name, of that type."""
    given = [exp.convert(one) if not isinstance(one, exp.Expr) else one.copy() for one in arguments]
    made = exp.Anonymous(this=name, expressions=given)
    made.type = exp.DataType.build(kind)
    return made


def booleans(tree: exp.Expr) -> None:
    """Let conditions that a SELECT gives be booleans: by themselves they are numbers of one byte."""
    for select in tree.find_all(exp.Select):
        for shown in select.selects:
            value = shown.unalias()
            if value.type is not None and value.type.is_type("boolean") and not isinstance(value, exp.Column):
                cast = exp.cast(value.copy(), "boolean")
                cast.type = exp.DataType.build("boolean")
                value.replace(cast)


def aliases(tree: exp.Expr) -> None:
    """Call what is read by names that no table has.

    A table's own name is known there beside its alias, so that in a query within one the name of the outer table would
    mean the inner one.
    """
    for column in tree.find_all(exp.Column):
        if column.table:
            column.set("table", exp.to_identifier(f"of {column.table}", quoted=True))
    for alias in tree.find_all(exp.TableAlias):
        if not isinstance(alias.parent, exp.CTE) and alias.name:
            alias.set("this", exp.to_identifier(f"of {alias.name}", quoted=True))


def types(tree: exp.Expr) -> None:
    """Types as tables have them: its own words for dates and moments hold less."""
    own = ABILITIES["clickhouse"].types
    for node in list(tree.find_all(exp.DataType)):
        word = node.sql("duckdb")
        word = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(word, word)
        if word in own and not node.args.get("nullable"):
            node.replace(exp.DataType.build(own[word], dialect="clickhouse"))


# Rules. Each gives the node for ClickHouse, or notes a refusal and gives the node back.


def _substring(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    start, length = node.args.get("start"), node.args.get("length")
    if not (isinstance(start, exp.Literal) and not start.is_string and start.name.isdigit() and int(start.name) > 0):
        carrying.refuse(node, "substring from a place that is not 1 or more in so many words", "use left() or right()")
        return node
    return call("substringUTF8", node.this, start, *([length] if length is not None else []))


def _side(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    size = node.expression
    if not (isinstance(size, exp.Literal) and not size.is_string):
        carrying.refuse(node, "left() and right() of a size that is no plain number are not carried over")
        return node
    return call("leftUTF8" if isinstance(node, exp.Left) else "rightUTF8", node.this, size)


def trim(carrying: Carrying, node: exp.Expr, spaces: str) -> exp.Expr:
    """Take signs away at the ends, `spaces` where none are said: by themselves its functions take bytes."""
    signs = node.expression
    if signs is not None and not signs.is_string:
        carrying.refuse(node, "trim of signs that are no plain text is not carried over")
        return node
    held = "".join(f"\\x{{{ord(sign):X}}}" for sign in (spaces if signs is None else signs.name))
    if not held:
        return exp.Paren(this=node.this.copy())
    side = str(node.args.get("position") or "BOTH").upper()
    begin, end = f"^[{held}]+", f"[{held}]+$"
    if side == "LEADING":
        return call("replaceRegexpOne", node.this, begin, "")
    if side == "TRAILING":
        return call("replaceRegexpOne", node.this, end, "")
    return call("replaceRegexpOne", call("replaceRegexpOne", node.this, begin, ""), end, "")


def _round(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if node.this.type is None or not node.this.type.is_type(*_DECIMALS):
        carrying.refuse(
            node,
            f"round() of what is no decimal goes to the even neighbour on {carrying.target}",
            "round a decimal: round(cast(x as decimal(18, 4)), 2)",
        )
    return node


def cast(carrying: Carrying, node: exp.Cast) -> None:
    """Refuse casts that give something else there."""
    source = node.this.type
    if source is None:
        return
    inner = node.this.unnest() if isinstance(node.this, exp.Paren) else node.this
    whole = isinstance(inner, exp.Floor | exp.Ceil | exp.Round)
    if node.to.is_type(*exp.DataType.INTEGER_TYPES) and source.is_type(*_FLOATS, *_DECIMALS) and not whole:
        carrying.refuse(
            node,
            f"a cast to whole numbers cuts on {carrying.target}, and rounds on DuckDB",
            "cast floor(x), or round(x)",
        )
    elif node.to.is_type(*_TEXTS) and source.is_type(*_FLOATS, *_DECIMALS):
        carrying.refuse(node, f"a number with a fraction looks different as a text on {carrying.target}")


def _jaro_winkler(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    return _brought(carrying, "jaro_winkler_similarity", [node.this, node.expression], "double")


def _divided(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    # By nothing it would give infinity; DuckDB fails.
    node.set("expression", call("nullIf", node.expression, 0, kind="double"))
    return node


def _whole_division(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    return call("intDiv", node.this, call("nullIf", node.expression, 0, kind="bigint"), kind="bigint")


def _among(carrying: Carrying, node: exp.In) -> exp.Expr:
    """A plain condition is the same; elsewhere, as after NOT, nulls among a query's rows have to be looked for."""
    subquery = node.args.get("query")
    if subquery is None:
        if any(isinstance(one, exp.Null) for one in node.expressions):
            carrying.refuse(node, f"a list with null in it is compared in another way on {carrying.target}")
        return node
    above = node.parent
    while isinstance(above, exp.And | exp.Or | exp.Paren):
        above = above.parent
    if isinstance(above, exp.Where | exp.Having | exp.Qualify | exp.Join):
        return node
    query = subquery.unnest()
    if not isinstance(query, exp.Query) or not query.selects:
        carrying.refuse(node, f"a comparison with these rows is not carried over to {carrying.target}")
        return node
    rows = query.subquery("rows", copy=True)
    value = exp.column(exp.to_identifier(query.selects[0].alias_or_name, quoted=True), table="rows")
    counted = exp.select("count(*)").from_(rows.copy()).subquery()
    nothing = exp.select("count(*)").from_(rows).where(exp.Is(this=value, expression=exp.Null())).subquery()
    return call(
        "multiIf",
        *(exp.EQ(this=counted, expression=exp.convert(0)), exp.false()),
        *(exp.Is(this=node.this.copy(), expression=exp.Null()), exp.Null()),
        *(node.copy(), exp.true()),
        *(exp.GT(this=nothing, expression=exp.convert(0)), exp.Null()),
        exp.false(),
        kind="boolean",
    )


def _split_part(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    by, place = node.args.get("delimiter"), node.args.get("part_index")
    plain = isinstance(place, exp.Literal) and not place.is_string and place.name.isdigit() and int(place.name) > 0
    if by is None or not by.is_string or not by.name or not plain:
        carrying.refuse(node, "split_part by what is no plain text, or not for the first, second ... part")
        return node
    parts = call("splitByString", by, call("assumeNotNull", node.this))
    part = call("arrayElement", parts, place)
    return call("if", exp.Is(this=node.this.copy(), expression=exp.Null()), exp.Null(), part)


def _looking(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    # Of what cannot be null there would be an empty text or 0 before the first row.
    node.set("this", call("toNullable", node.this))
    return node


def anonymous(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """The functions that have no node of sqlglot's."""
    name, given = node.name.lower(), node.expressions
    if name == "strip_accents":
        return _strip_accents(given[0])
    if name == "damerau_levenshtein":
        return _brought(carrying, name, given, "integer")
    if name == "list_intersect":
        return listed("arrayIntersect", *given)
    carrying.unknown(node, name)
    return node


def _brought(carrying: Carrying, name: str, given: Sequence[exp.Expr], kind: str) -> exp.Expr:
    """A call of a function that the engine brings along, which is to be given no null."""
    carrying.called.add(name)
    known = [call("assumeNotNull", one) for one in given]
    nothing = exp.or_(*(exp.Is(this=one.copy(), expression=exp.Null()) for one in given))
    return call("if", nothing, exp.Null(), call(f"{SCHEMA}_{name}", *known), kind=kind)


def split(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """string_split. A list is never null there: what it is of is remembered, see :func:`length`."""
    by = node.expression
    if not by.is_string or not by.name:
        carrying.unknown(node, "string_split")
        return node
    nothing = exp.Is(this=node.this.copy(), expression=exp.Null())
    words = call("splitByString", by, call("assumeNotNull", node.this))
    made = call("if", nothing, call("emptyArrayString"), words, kind="varchar[]")
    made.meta[_OF] = node.this.copy()
    return made


def listed(name: str, *lists: exp.Expr) -> exp.Expr:
    """A list of lists; null where the first is."""
    made = call(name, *lists, kind="varchar[]")
    if _OF in lists[0].meta:
        made.meta[_OF] = lists[0].meta[_OF]
    return made


def length(node: exp.Expr) -> exp.Expr:
    """Of a list, or of a text in characters."""
    of = node.this.meta.get(_OF)
    if of is None:
        return call("lengthUTF8", node.this, kind="bigint")
    nothing = exp.Is(this=of.copy(), expression=exp.Null())
    return call("if", nothing, exp.Null(), call("toInt64", call("length", node.this)), kind="bigint")


def _strip_accents(words: exp.Expr) -> exp.Expr:
    marks = call("replaceRegexpAll", call("normalizeUTF8NFD", words), "\\p{M}+", "")
    return call("normalizeUTF8NFC", marks)


def _unknown(carrying: Carrying, node: exp.Func) -> exp.Expr:
    carrying.unknown(node, str(node.meta.get("name") or node.sql_name()).lower())
    return node


def _chr(carrying: Carrying, node: exp.Chr) -> exp.Expr:
    # Of a number it makes a byte.
    number = node.expressions[0]
    if not isinstance(number, exp.Literal) or not number.name.isdigit():
        return _unknown(carrying, node)
    made = exp.convert(chr(int(number.name)))
    made.type = exp.DataType.build("varchar")
    return made


def _values(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    carrying.refuse(node, f"VALUES cannot be carried over to {carrying.target}", "write one select for each row")
    return node


RULES: Mapping[type[exp.Expr], Rule] = {
    exp.Lower: lambda _, node: call("lowerUTF8", node.this),
    exp.Upper: lambda _, node: call("upperUTF8", node.this),
    exp.Left: _side,
    exp.Right: _side,
    exp.Substring: _substring,
    exp.Round: _round,
    exp.Div: _divided,
    exp.Mod: _divided,
    exp.IntDiv: _whole_division,
    exp.In: _among,
    exp.SplitPart: _split_part,
    exp.JarowinklerSimilarity: _jaro_winkler,
    exp.LogicalOr: lambda _, node: call("max", node.this, kind="boolean"),
    exp.LogicalAnd: lambda _, node: call("min", node.this, kind="boolean"),
    exp.Lag: _looking,
    exp.Lead: _looking,
    exp.MD5: lambda _, node: call("lower", call("hex", call("MD5", node.this))),
    exp.StartsWith: lambda _, node: call("startsWith", node.this, node.expression, kind="boolean"),
    exp.CurrentTimestamp: lambda *_: call("now64", 6, "UTC", kind="timestamptz"),
    exp.CurrentDate: lambda *_: call("toDate32", call("now64", 6, "UTC", kind="timestamptz"), kind="date"),
    exp.TimeToUnix: lambda _, node: exp.Div(
        this=exp.cast(call("toUnixTimestamp64Micro", node.this, kind="bigint"), "double"),
        expression=exp.convert(1_000_000),
    ),
    exp.Translate: lambda _, node: call("translateUTF8", node.this, node.args["from_"], node.args["to"]),
    exp.Chr: _chr,
    exp.GroupConcat: _unknown,
    exp.Values: _values,
}
"""Rules that stand in for those of all engines."""
