"""What becomes of each construct of DuckDB's SQL on another engine: rewritten to mean the same, or refused.

:data:`RULES` holds a rule for every kind of node that is not the same everywhere; a rule is given the statement on its
way and the node, whose parts are carried over already, and gives the node for the target; or it notes a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp, parse_one

from backhaul.transform import clickhouse, functions, origins, patterns

if TYPE_CHECKING:
    from backhaul.transform.dialects import Carrying

HINTS: Mapping[str, str] = {
    "arg_max": "number the rows with row_number() over (... order by ...) and take the first",
    "arg_min": "number the rows with row_number() over (... order by ...) and take the first",
    "hash": "use md5() of a text",
    "approx_count_distinct": "use count(distinct ...)",
    "try_cast": "test the text first: case when regexp_matches(x, '^[0-9]+$') then cast(x as integer) end",
    "unnest": "write one select for each value, joined by union all",
    "struct": "select the parts as columns of their own",
    "list": "keep one row for each value instead of a list",
    "date_diff": "only date_diff('day', ...) counts the same everywhere",
    "quantile_cont": "number the rows with row_number() and take the middle one",
}

_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""What DuckDB's trim(text) takes away: the spaces of Unicode (category Zs)."""

_FORMATS = frozenset("YmdHMS")
"""Letters of strftime that are the same in every dialect, as sqlglot writes them."""

_TEXTS = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.CHAR, exp.DataType.Type.NVARCHAR)
_STAMPS = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPLTZ)
_PROVEN = frozenset({"postgres", "snowflake", "bigquery", "databricks", "redshift", "clickhouse"})


def is_text(node: exp.Expr | None) -> bool:
    """Whether the node is known to be a text."""
    return node is not None and (node.is_string or (node.type is not None and node.type.is_type(*_TEXTS)))


def _text(node: exp.Expr | None) -> str | None:
    return node.name if node is not None and node.is_string else None


def _func(name: str, *arguments: Any) -> exp.Expr:
    given = [exp.convert(one) if not isinstance(one, exp.Expr) else one.copy() for one in arguments]
    return exp.Anonymous(this=name, expressions=given)


def _typed(node: exp.Expr, like: exp.Expr | str) -> exp.Expr:
    node.type = exp.DataType.build(like) if isinstance(like, str) else like.type
    return node


# Rules. Each gives the node for the target, or notes a refusal and gives the node back.


def _same(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    return node


def _jaro_winkler(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    return _typed(carrying.call("jaro_winkler_similarity", (node.this, node.expression)), "double")


def _pattern(carrying: Carrying, node: exp.Expr, *, finds: bool) -> str | None:
    """The pattern for the target; None, with a refusal noted, where there is none."""
    pattern = _text(node.expression)
    if pattern is None:
        carrying.refuse(node, f"a pattern that is no plain text cannot be carried over to {carrying.target}")
        return None
    try:
        if carrying.dialect not in _PROVEN:
            raise patterns.NotCarried("regular expressions are carried over to other engines only")
        return patterns.carried(pattern, carrying.dialect, finds=finds)
    except patterns.NotCarried as why:
        carrying.refuse(
            node,
            f"the pattern '{pattern}' would mean something else on {carrying.target}: {why}",
            "write a pattern that means one thing: a longer alternative before a shorter one, plain character classes",
        )
        return None


def _regexp_like(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if node.args.get("flag"):
        carrying.refuse(node, "the options of regexp_matches are not carried over", "compare lower(...)")
        return node
    pattern = _pattern(carrying, node, finds=False)
    if pattern is None:
        return node
    if carrying.dialect == "snowflake":  # its REGEXP_LIKE wants the whole text to match
        return _typed(exp.GT(this=_func("REGEXP_COUNT", node.this, pattern), expression=exp.convert(0)), "boolean")
    if carrying.dialect == "redshift":
        found = _func("REGEXP_INSTR", node.this, pattern, 1, 1, 0, "p")
        return _typed(exp.GT(this=found, expression=exp.convert(0)), "boolean")
    if carrying.dialect == "databricks":
        return _typed(_func("REGEXP_LIKE", node.this, pattern), "boolean")
    if carrying.dialect == "clickhouse":
        return clickhouse.call("match", node.this, pattern, kind="boolean")
    node.set("expression", exp.convert(pattern))
    return node


def _regexp_replace(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    by, modifiers = node.args.get("replacement"), _text(node.args.get("modifiers")) or ""
    if modifiers not in ("", "g"):
        carrying.refuse(node, f"the options '{modifiers}' of regexp_replace are not carried over", "replace in lower()")
        return node
    every = modifiers == "g"
    if every and _text(node.expression) == patterns.SIGNS and carrying.dialect in ("postgres", "snowflake"):
        return _typed(carrying.call("signs_replaced", (node.this, by or exp.convert(""))), "varchar")
    pattern = _pattern(carrying, node, finds=True)
    replacement = _text(by)
    if pattern is None:
        return node
    if replacement is None or "\\" in replacement or "$" in replacement:
        carrying.refuse(node, "what regexp_replace puts in must be a plain text to be carried over")
        return node
    if carrying.dialect == "clickhouse":
        return clickhouse.call("replaceRegexpAll" if every else "replaceRegexpOne", node.this, pattern, replacement)
    once = not every and not patterns.matches_once(pattern)
    if carrying.dialect == "postgres":
        options = ("g",) if every else ()
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, *options), "varchar")
    if carrying.dialect == "snowflake":
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, *((1, 1) if once else ())), "varchar")
    if once:
        carrying.refuse(
            node,
            f"regexp_replace of the first match alone has no equal on {carrying.target}",
            "replace all ('g'), or begin the pattern with ^ or end it with $",
        )
        return node
    if carrying.dialect == "redshift":
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, 1, "p"), "varchar")
    return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement), "varchar")


def _regexp_extract(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    group = node.args.get("group")
    pattern = _pattern(carrying, node, finds=True)
    if pattern is None:
        return node
    if (group is not None and group.name not in ("", "0")) or "(" in node.expression.name.replace("(?:", ""):
        carrying.refuse(node, "regexp_extract with groups is not carried over", "use a pattern without groups")
        return node
    if carrying.dialect == "clickhouse":  # nothing found is an empty text there, too
        return clickhouse.call("extract", node.this, pattern)
    name, more = {
        "postgres": ("REGEXP_SUBSTR", ()),
        "snowflake": ("REGEXP_SUBSTR", ()),
        "bigquery": ("REGEXP_EXTRACT", ()),
        "databricks": ("REGEXP_EXTRACT", (0,)),
        "redshift": ("REGEXP_SUBSTR", (1, 1, "p")),
    }[carrying.dialect]
    if carrying.dialect == "postgres":  # REGEXP_SUBSTR came with 15; substring(text from pattern) is older
        found: exp.Expr = _func("SUBSTRING", node.this, pattern)
    else:
        found = _func(name, node.this, pattern, *more)
    # DuckDB gives an empty text for no match, and null only for null.
    empty = exp.Case(
        ifs=[exp.If(this=exp.Is(this=node.this.copy(), expression=exp.Null()).not_(), true=exp.convert(""))]
    )
    return _typed(exp.Coalesce(this=found, expressions=[empty]), "varchar")


def _trim(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect == "clickhouse":
        return clickhouse.trim(carrying, node, _SPACES)
    signs = node.expression.copy() if node.expression is not None else exp.convert(_SPACES)
    side = str(node.args.get("position") or "BOTH").upper()
    if carrying.dialect in ("snowflake", "bigquery", "redshift"):
        both = "BTRIM" if carrying.dialect == "redshift" else "TRIM"
        return _typed(_func({"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(side, both), node.this, signs), "varchar")
    return _typed(exp.Trim(this=node.this.copy(), expression=signs, position=side), "varchar")


def _is_true(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if isinstance(node.expression, exp.Boolean):
        held = node.this.unnest() if isinstance(node.this, exp.Paren) else node.this
        wanted = bool(node.expression.this)
        settled = exp.Coalesce(this=held.copy(), expressions=[exp.Boolean(this=not wanted)])
        return _typed(settled if wanted else exp.Not(this=settled), "boolean")
    return node


def _distinct(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """IS [NOT] DISTINCT FROM, which Redshift lacks."""
    if carrying.dialect != "redshift":
        return node
    one, other = node.this, node.expression
    equal = exp.Coalesce(
        this=exp.EQ(this=one.copy(), expression=other.copy()),
        expressions=[
            exp.and_(exp.Is(this=one.copy(), expression=exp.Null()), exp.Is(this=other.copy(), expression=exp.Null()))
        ],
    )
    return exp.Not(this=equal) if isinstance(node, exp.NullSafeNEQ) else equal


def _extreme(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """least and greatest skip nulls."""
    given = [node.this, *node.expressions]
    if carrying.dialect in ("postgres", "redshift", "databricks", "snowflake", "clickhouse"):
        return node
    if carrying.dialect != "bigquery":
        carrying.unknown(node, type(node).__name__.lower())
        return node
    word = "MIN" if isinstance(node, exp.Least) else "MAX"
    listed = exp.Array(expressions=[one.copy() for one in given])
    chosen = exp.select(exp.Anonymous(this=word, expressions=[exp.column("v")])).from_(
        exp.Unnest(expressions=[listed], alias=exp.TableAlias(columns=[exp.to_identifier("v")]))
    )
    return _typed(exp.Subquery(this=chosen), node)


def _concat_ws(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    separator, *parts = node.expressions
    if carrying.dialect in ("postgres", "databricks"):
        return _typed(_func("CONCAT_WS", separator, *parts), "varchar")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "concat_ws")
        return node
    # Elsewhere null makes the whole null, or the function is missing: every part brings its separator along.
    joined: exp.Expr = exp.convert("")
    for part in parts:
        text = exp.DPipe(this=separator.copy(), expression=part.copy(), safe=False)
        joined = exp.DPipe(this=joined, expression=exp.Coalesce(this=text, expressions=[exp.convert("")]), safe=False)
    length, part = ("lengthUTF8", "substringUTF8") if carrying.dialect == "clickhouse" else ("LENGTH", "SUBSTR")
    begin = exp.Add(this=_func(length, separator), expression=exp.convert(1))
    return _typed(_func(part, joined, begin), "varchar")


def _concat(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    carrying.refuse(node, "concat() skips nulls on some engines and not on others", "use || with coalesce()")
    return node


def _starts_with(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect == "redshift":
        begin = _func("LEFT", node.this, _func("LEN", node.expression))
        return _typed(exp.Paren(this=exp.EQ(this=begin, expression=node.expression.copy())), "boolean")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "starts_with")
    return node


def _strftime(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    wanted = _text(node.args.get("format")) or ""
    letters = {wanted[at + 1] for at in range(len(wanted) - 1) if wanted[at] == "%"}
    if not wanted or not letters <= _FORMATS:
        carrying.refuse(node, f"strftime's format '{wanted}' is not carried over", "use %Y, %m, %d, %H, %M and %S")
        return node
    if carrying.dialect == "clickhouse":  # %M is a month's name there
        return clickhouse.call("formatDateTime", node.this, wanted.replace("%M", "%i"))
    if carrying.dialect == "bigquery" and node.this.type is not None and node.this.type.is_type(*_STAMPS):
        return _typed(_func("FORMAT_TIMESTAMP", wanted, node.this, "UTC"), "varchar")
    return node


def _epoch(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """Seconds with their fraction, a double."""
    if carrying.dialect in ("postgres", "redshift"):
        seconds: exp.Expr = exp.Extract(this=exp.var("EPOCH"), expression=node.this.copy())
        return _typed(exp.cast(seconds, "double"), "double")
    name, unit = {
        "bigquery": ("UNIX_MICROS", 1e6),
        "databricks": ("UNIX_MICROS", 1e6),
        "snowflake": ("EPOCH", 1e6),
    }.get(carrying.dialect, ("", 1.0))
    if not name:
        carrying.unknown(node, "epoch")
        return node
    counted = (
        _func("DATE_PART", "epoch_microsecond", node.this)
        if carrying.dialect == "snowflake"
        else _func(name, node.this)
    )
    return _typed(exp.Div(this=exp.cast(counted, "double"), expression=exp.convert(int(unit)), typed=False), "double")


def _anonymous(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    name = node.name.lower()
    if carrying.dialect == "clickhouse":
        return clickhouse.anonymous(carrying, node)
    if name in functions.ARGUMENTS and name != "signs_replaced":
        called = carrying.call(name, node.expressions)
        return _typed(called, "integer" if name == "damerau_levenshtein" else "varchar")
    if name == "list_intersect":
        return _intersect(carrying, node)
    carrying.unknown(node, name)
    return node


def _date_diff(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    unit = str(node.args.get("unit") or "day").lower()
    if unit not in ("day", "days") or carrying.dialect not in _PROVEN:
        carrying.refuse(node, f"date_diff('{unit}', ...) counts differently on {carrying.target}", HINTS["date_diff"])
        return node
    later, earlier = (exp.cast(one.copy(), "date") for one in (node.this, node.expression))
    if carrying.dialect == "postgres":
        return _typed(exp.Paren(this=exp.Sub(this=later, expression=earlier)), "bigint")
    if carrying.dialect == "bigquery":
        return _typed(_func("DATE_DIFF", later, earlier, exp.var("DAY")), "bigint")
    if carrying.dialect == "clickhouse":
        return clickhouse.call("dateDiff", "day", earlier, later, kind="bigint")
    if carrying.dialect == "databricks":
        return _typed(_func("DATEDIFF", later, earlier), "bigint")
    return _typed(_func("DATEDIFF", exp.var("day"), earlier, later), "bigint")


def _cast(carrying: Carrying, node: exp.Cast) -> exp.Expr:
    """A moment as text is written differently everywhere but on PostgreSQL."""
    if carrying.dialect == "clickhouse":
        clickhouse.cast(carrying, node)
    kind = node.this.type
    moment = kind is not None and kind.is_type(*_STAMPS)
    if carrying.dialect != "postgres" and moment and node.to.is_type(*_TEXTS):
        carrying.refuse(
            node, "a moment as text looks different on every engine", "use strftime(x, '%Y-%m-%d %H:%M:%S')"
        )
    if node.to.is_type("struct", "list", "array", "map", "union"):
        carrying.refuse(node, f"the type {node.to.sql('duckdb')} cannot be carried over", HINTS["list"])
    return node


def _length(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect == "clickhouse":
        return clickhouse.length(node)
    words = _listed(carrying, node.this)
    if words is None:
        return node
    name = {"postgres": "CARDINALITY", "snowflake": "ARRAY_SIZE", "bigquery": "ARRAY_LENGTH", "databricks": "SIZE"}
    return _typed(_func(name[carrying.dialect], words), "bigint")


def _listed(carrying: Carrying, node: exp.Expr) -> exp.Expr | None:
    """The list, where it is one and the target has arrays."""
    is_list = node.type is not None and node.type.is_type("array", "list")
    return node if is_list and carrying.dialect in _ARRAYS else None


def _split(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect == "clickhouse":
        return clickhouse.split(carrying, node)
    by = _text(node.expression)
    if not by or len(by) > 1 or by in r".\+*?()[]{}^$|" or carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "string_split")
        return node
    if carrying.dialect != "postgres":
        return _typed(_func("SPLIT", node.this, by), "array")
    words = _func("STRING_TO_ARRAY", node.this, by)
    empty = exp.EQ(this=node.this.copy(), expression=exp.convert(""))  # of which PostgreSQL makes no word at all
    one = exp.Array(expressions=[exp.convert("")])
    return _typed(exp.Case(ifs=[exp.If(this=empty, true=one)], default=words), "array")


_ARRAYS = ("postgres", "snowflake", "bigquery", "databricks")


def _array_distinct(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    held = node.this
    if carrying.dialect == "clickhouse":
        return clickhouse.listed("arrayDistinct", node.this)
    if carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "list_distinct")
        return node
    if carrying.dialect in ("snowflake", "databricks"):
        return _typed(_func("ARRAY_DISTINCT", held), "array")
    return _of_rows(carrying, "SELECT DISTINCT word FROM UNNEST({one}) AS word WHERE NOT word IS NULL", held)


def _intersect(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "list_intersect")
        return node
    one, other = node.expressions
    if carrying.dialect == "databricks":
        known = exp.Coalesce(this=other.copy(), expressions=[_func("ARRAY")])
        return _typed(_func("ARRAY_INTERSECT", one, known), "array")
    if carrying.dialect == "snowflake":
        known = exp.Coalesce(this=other.copy(), expressions=[_func("ARRAY_CONSTRUCT")])
        return _typed(_func("ARRAY_DISTINCT", _func("ARRAY_INTERSECTION", one, known)), "array")
    sql = (
        "SELECT word FROM UNNEST({one}) AS word WHERE NOT word IS NULL INTERSECT DISTINCT "
        "SELECT word FROM UNNEST({other}) AS word"
    )
    return _of_rows(carrying, sql, one, other)


def _of_rows(carrying: Carrying, sql: str, *lists: exp.Expr) -> exp.Expr:
    """ARRAY(subquery over lists), null where the first is null; in PostgreSQL's and BigQuery's own words."""
    dialect = carrying.dialect
    named = dict(zip(("one", "other"), (one.sql(dialect) for one in lists), strict=False))
    text = sql.format(**named)
    if dialect == "postgres":
        text = text.replace("INTERSECT DISTINCT", "INTERSECT").replace("AS word", "AS words(word)")
    query = parse_one(text, dialect=dialect)
    for part in query.walk():
        part.meta.pop("start", None)  # a place in the text above, which is not the model's
    array = exp.Anonymous(this="ARRAY", expressions=[query])
    if (place := origins.begins(lists[0])) is not None:
        array.meta["start"] = place
    known = exp.Not(this=exp.Is(this=lists[0].copy(), expression=exp.Null()))
    return _typed(exp.Case(ifs=[exp.If(this=known, true=array)]), "array")


def _postgres_only(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """A list, and unnest of it in a select list."""
    if carrying.dialect != "postgres" and not isinstance(node, exp.Explode):  # refused before, with its place
        carrying.unknown(node, "list_value")
    return node


def _split_part(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect == "bigquery":
        part = _func("SPLIT", node.this, node.args["delimiter"])
        taken = exp.Bracket(this=part, expressions=[_func("SAFE_ORDINAL", node.args["part_index"])])
        return _typed(exp.Coalesce(this=taken, expressions=[_empty_unless_null(node.this)]), "varchar")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "split_part")
    return node


def _empty_unless_null(node: exp.Expr) -> exp.Expr:
    known = exp.Not(this=exp.Is(this=node.copy(), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=known, true=exp.convert(""))])


def _string_agg(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if not node.find(exp.Order):
        carrying.refuse(
            node, "string_agg without an order gives its parts in any order", "write string_agg(x, ',' order by y)"
        )
    return node


def _extract(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    part = node.this.name.lower()
    if part not in ("year", "month", "day", "hour", "minute", "quarter"):
        carrying.refuse(node, f"extract({part} ...) is not the same everywhere", "use year, month, day, hour, minute")
    return node


def _try_cast(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    if carrying.dialect not in ("postgres", "snowflake", "bigquery", "databricks", "redshift"):
        carrying.refuse(node, f"try_cast is not carried over to {carrying.target}", HINTS["try_cast"])
    return node


def _tested_elsewhere(carrying: Carrying, node: exp.Expr) -> exp.Expr:
    """Same on the engines that are looked at; on others unknown."""
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, type(node).__name__.lower())
    return node


RULES: Mapping[type[exp.Expr], Callable[[Carrying, Any], exp.Expr]] = {
    exp.JarowinklerSimilarity: _jaro_winkler,
    exp.RegexpLike: _regexp_like,
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpExtract: _regexp_extract,
    exp.Trim: _trim,
    exp.Is: _is_true,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Least: _extreme,
    exp.Greatest: _extreme,
    exp.ConcatWs: _concat_ws,
    exp.Concat: _concat,
    exp.StartsWith: _starts_with,
    exp.TimeToStr: _strftime,
    exp.TimeToUnix: _epoch,
    exp.DateDiff: _date_diff,
    exp.Cast: _cast,
    exp.TryCast: _try_cast,
    exp.Length: _length,
    exp.Split: _split,
    exp.ArrayDistinct: _array_distinct,
    exp.Explode: _postgres_only,
    exp.Array: _postgres_only,
    exp.Anonymous: _anonymous,
    exp.SplitPart: _split_part,
    exp.GroupConcat: _string_agg,
    exp.Extract: _extract,
    exp.Translate: _tested_elsewhere,
}
