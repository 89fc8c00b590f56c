"""Models are written in DuckDB's dialect; for another warehouse they are carried over to its own, or refused.

sqlglot parses and writes; what it does not do is vouch for the meaning (tech-spike.md §5: of 25 statements several came
out valid and different). So nothing is carried over because it happens to have a name elsewhere: a function passes
when it is known to mean the same (:data:`_SAME`), when there is a rewriting of ours for the target, or when the engine
brings it along (:mod:`.functions`); everything else is a fault that names the line and what to write instead.

The stages of :func:`carry`: parse; resolve every name against the known columns (``*``, EXCLUDE and REPLACE, aliases
used beside their definition, QUALIFY on engines that lack it) and find types, by sqlglot's optimizer; spell out GROUP
BY ALL and ORDER BY ALL; rewrite or refuse node by node; write.

What a model's author cannot see and is evened out here: texts are ordered by their bytes (PostgreSQL's own order
depends on the database), ``trim`` takes every Unicode space, ``least`` and ``greatest`` skip nulls, ``concat_ws`` skips
nulls, patterns find what RE2 finds (:mod:`.patterns`), null sorts last, identifiers are lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.transform import functions, patterns

TARGETS: Mapping[str, str] = {
    "duckdb": "duckdb",
    "motherduck": "duckdb",
    "ducklake": "duckdb",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "databricks": "databricks",
    "redshift": "redshift",
    "mssql": "tsql",
    "synapse": "tsql",
    "tsql": "tsql",
    "fabric": "fabric",
    "athena": "athena",
    "clickhouse": "clickhouse",
    "dremio": "dremio",
}
"""Destinations of dlt that speak SQL, and sqlglot's dialects by their own names -> sqlglot's dialect."""

Columns = Callable[[str, str], Mapping[str, str]]
"""Of a table, by schema and name: column -> type as DuckDB writes it, empty where it is not known. Empty: no table."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A construct that cannot be carried over; line and column (from 1, 0 = not known) in the SQL that was given."""

    message: str
    hint: str = ""
    line: int = 0
    column: int = 0


class NotCarriedOver(ConfigurationError):
    """The SQL cannot be carried over: every obstacle, in the order of the text."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        self.obstacles = tuple(sorted(set(obstacles), key=lambda one: (one.line, one.column, one.message)))
        super().__init__([Fault(one.message, hint=one.hint) for one in self.obstacles])

    def at(self, locate: Callable[[int, int], Where | None], otherwise: Where) -> ConfigurationError:
        """The same as faults at the places that a person wrote; each said once a place."""
        faults = [
            Fault(one.message, (locate(one.line, one.column) if one.line else None) or otherwise, hint=one.hint)
            for one in self.obstacles
        ]
        return ConfigurationError(list(dict.fromkeys(faults)))


@dataclass(frozen=True, slots=True)
class Carried:
    """A statement of another dialect.

    `functions` are those of :mod:`.functions` that it calls; `columns` what it gives, name -> type as DuckDB writes it.
    """

    sql: str
    functions: tuple[str, ...]
    columns: Mapping[str, str]


def carry(sql: str, dialect: str, columns: Columns) -> Carried:
    """One SELECT of DuckDB's, as sqlglot's `dialect` has to be given it to get the same rows.

    `columns` is asked for every table that it reads. Raises :class:`NotCarriedOver` with all obstacles.
    """
    try:
        tree = parse_one(sql, dialect="duckdb")
    except (SqlglotError, ValueError) as error:
        raise NotCarriedOver([_unread(error)]) from error
    carrying = _Carrying(sql, dialect)
    carrying.refuse_positional(tree)
    known: dict[str, dict[str, dict[str, str]]] = {}
    for table in tree.find_all(exp.Table):
        if table.db and table.name not in known.setdefault(table.db, {}):
            found = {name: kind or "unknown" for name, kind in columns(table.db, table.name).items()}
            if found:
                known[table.db][table.name] = found
    resolved = MappingSchema(known, dialect="duckdb")
    try:
        tree = qualify(tree, dialect="duckdb", schema=resolved, validate_qualify_columns=False)
        tree = annotate_types(tree, schema=resolved, dialect="duckdb")
    except SqlglotError as error:
        raise NotCarriedOver([Obstacle(f"{carrying.target} cannot be given it: {_first(error)}")]) from error
    gives = _given(tree)
    carrying.spell_out(tree)
    for node in reversed(list(tree.walk())):  # what is inside first, so that a rule finds its arguments carried over
        carried = carrying.node(node)
        if carried is not node:
            node.replace(carried)
    carrying.order_texts(tree)
    if carrying.obstacles:
        raise NotCarriedOver(carrying.obstacles)
    for identifier in tree.find_all(exp.Identifier):
        if dialect == "snowflake":
            identifier.set("this", identifier.name.upper())
    try:
        written = tree.sql(dialect, pretty=True, unsupported_level=ErrorLevel.RAISE, comments=False)
    except (SqlglotError, ValueError) as error:
        raise NotCarriedOver([Obstacle(f"{carrying.target} cannot be given it: {_first(error)}")]) from error
    return Carried(written, tuple(sorted(carrying.called)), gives)


def _unread(error: Exception) -> Obstacle:
    places = getattr(error, "errors", None) or [{}]
    return Obstacle(
        f"it could not be read to be carried over: {places[0].get('description') or _first(error)}",
        line=int(places[0].get("line") or 0),
    )


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _given(tree: exp.Expression) -> dict[str, str]:
    selects = tree.selects if isinstance(tree, exp.Query) else []
    kinds = [select.type for select in selects]
    return {
        select.alias_or_name: "" if kind is None or kind.is_type("unknown", "null") else kind.sql("duckdb")
        for select, kind in zip(selects, kinds, strict=True)
    }


# Functions and expressions that mean the same everywhere, whatever they are called there.
_SAME: tuple[type[exp.Expression], ...] = (
    *(exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Sign),
    *(exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Cast, exp.And, exp.Or, exp.Exists, exp.Not),
    *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.LogicalOr, exp.LogicalAnd),
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Ntile),
    *(exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Replace, exp.Left, exp.Right, exp.Chr, exp.MD5),
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.Concat),
)

_HINTS: Mapping[str, str] = {
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

_TEXT = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT, exp.DataType.Type.CHAR, exp.DataType.Type.NVARCHAR)
_STAMPS = (exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPLTZ)
_PROVEN = frozenset({"postgres", "snowflake", "bigquery", "databricks", "redshift"})


class _Carrying:
    """One statement on its way to one dialect."""

    def __init__(self, sql: str, dialect: str) -> None:
        self.sql = sql
        self.dialect = dialect
        self.target = _SHOWN.get(dialect, dialect)
        self.obstacles: list[Obstacle] = []
        self.called: set[str] = set()

    def refuse(self, node: exp.Expression, message: str, hint: str = "") -> None:
        line, column = self._place(node)
        self.obstacles.append(Obstacle(message, hint, line, column))

    def _place(self, node: exp.Expression) -> tuple[int, int]:
        """Where the node, or the first of its parts that knows, stands."""
        starts = [int(part.meta["start"]) for part in node.walk() if "start" in part.meta]
        if "start" in node.meta:
            starts = [int(node.meta["start"])]
        if not starts:
            return 0, 0
        before = self.sql[: min(starts)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

    # Before names are resolved

    def refuse_positional(self, tree: exp.Expression) -> None:
        """What resolving names would hide, or loses the place of."""
        for node in tree.walk():
            if isinstance(node, exp.TryCast) and self.dialect == "postgres":
                self.refuse(node, f"try_cast: {self.target} has none, and its cast fails", _HINTS["try_cast"])
            elif isinstance(node, exp.Lambda):
                self.refuse(node, f"a lambda over a list cannot be carried over to {self.target}", _HINTS["list"])
            elif isinstance(node, exp.Struct):
                self.refuse(node, f"a struct cannot be carried over to {self.target}", _HINTS["struct"])
            elif isinstance(node, exp.Pivot):
                self.refuse(node, f"PIVOT cannot be carried over to {self.target}", "use sum(case when ... end)")
            elif isinstance(node, exp.TableSample):
                self.refuse(node, "a sample gives other rows on every engine", "choose rows by a condition")
            elif isinstance(node, exp.Unnest) or (isinstance(node, exp.Explode) and self.dialect != "postgres"):
                self.refuse(node, f"unnest cannot be carried over to {self.target}", _HINTS["unnest"])

    def spell_out(self, tree: exp.Expression) -> None:
        """GROUP BY ALL, ORDER BY ALL; and refuse a star that the known columns could not replace."""
        for select in tree.find_all(exp.Select):
            group, order = select.args.get("group"), select.args.get("order")
            if group is not None and group.args.get("all"):
                keys = [one.unalias() for one in select.selects if not one.find(exp.AggFunc)]
                select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
            for ordered in order.expressions if order is not None else ():
                if isinstance(ordered.this, exp.Column) and ordered.this.name.lower() == "all":
                    every = [
                        exp.Ordered(
                            this=exp.to_identifier(one.alias_or_name, quoted=True), desc=ordered.args.get("desc")
                        )
                        for one in select.selects
                    ]
                    select.set("order", exp.Order(expressions=every))
        for star in tree.find_all(exp.Star):
            if not isinstance(star.parent, exp.Count):
                self.refuse(
                    star,
                    "select * from what has unknown columns cannot be carried over",
                    "name the columns, or build or describe what is read first",
                )

    # Node by node

    def node(self, node: exp.Expression) -> exp.Expression:
        """The node as the target wants it; refusals are noted, and the node stays."""
        rule = _RULES.get(type(node))
        if rule is not None:
            return rule(self, node)
        if isinstance(node, exp.Func) and not isinstance(node, _SAME):
            self.unknown(node, str(node.meta.get("name") or node.sql_name()).lower())
        return node

    def unknown(self, node: exp.Expression, name: str) -> None:
        """Refuse a function that is not known to mean the same."""
        stem = "list" if name.startswith(("list_", "array_")) else name
        self.refuse(
            node,
            f"{name}() is not known to give the same on {self.target}",
            _HINTS.get(stem, "write it with functions that every engine has, or branch on target.dialect in a macro"),
        )

    def call(self, name: str, arguments: Iterable[exp.Expression]) -> exp.Expression:
        """A call of one of the functions that the engine brings along."""
        self.called.add(name)
        shown = str.upper if self.dialect == "snowflake" else str.lower
        return exp.Dot(
            this=exp.to_identifier(shown(functions.SCHEMA), quoted=True),
            expression=exp.Anonymous(this=shown(name), expressions=[one.copy() for one in arguments]),
        )

    def order_texts(self, tree: exp.Expression) -> None:
        """PostgreSQL: texts are ordered by their bytes, not by the database's language."""
        if self.dialect != "postgres":
            return
        for node in list(tree.walk(bfs=False)):
            if isinstance(node, exp.Ordered) and _is_text(node.this):
                node.set("this", _by_bytes(node.this))
            elif isinstance(node, exp.LT | exp.LTE | exp.GT | exp.GTE) and _either(node.this, node.expression):
                node.set("this", _by_bytes(node.this))
            elif isinstance(node, exp.Between) and _either(node.this, node.args["low"]):
                node.set("this", _by_bytes(node.this))
            elif isinstance(node, exp.Min | exp.Max) and _is_text(node.this):
                node.set("this", _by_bytes(node.this))
                outer = node.parent if isinstance(node.parent, exp.Window | exp.Filter) else node
                outer = outer.parent if isinstance(outer.parent, exp.Window) else outer
                _wrap(outer)
            elif isinstance(node, exp.Least | exp.Greatest) and _either(node.this, *node.expressions):
                node.set("this", _by_bytes(node.this))
                _wrap(node)


_SHOWN = {
    "postgres": "PostgreSQL",
    "snowflake": "Snowflake",
    "bigquery": "BigQuery",
    "databricks": "Databricks",
    "redshift": "Redshift",
    "tsql": "SQL Server",
    "clickhouse": "ClickHouse",
    "athena": "Athena",
    "dremio": "Dremio",
    "fabric": "Fabric",
}


def _is_text(node: exp.Expression | None) -> bool:
    return node is not None and (node.is_string or (node.type is not None and node.type.is_type(*_TEXT)))


def _either(*nodes: exp.Expression | None) -> bool:
    return any(_is_text(node) for node in nodes)


def _by_bytes(node: exp.Expression) -> exp.Expression:
    collated = exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.to_identifier("C", quoted=True))
    return collated


def _wrap(node: exp.Expression) -> None:
    """Give the result the database's own collation back, so that it can be compared with other columns."""
    held = node.copy()
    collation = exp.to_identifier("default", quoted=True)
    node.replace(exp.Paren(this=exp.Collate(this=exp.Paren(this=held), expression=collation)))


def _text(node: exp.Expression | None) -> str | None:
    return node.name if node is not None and node.is_string else None


def _func(name: str, *arguments: Any) -> exp.Expression:
    given = [exp.convert(one) if not isinstance(one, exp.Expression) else one.copy() for one in arguments]
    return exp.Anonymous(this=name, expressions=given)


def _typed(node: exp.Expression, like: exp.Expression | str) -> exp.Expression:
    node.type = exp.DataType.build(like) if isinstance(like, str) else like.type
    return node


# Rules. Each gives the node for the target, or notes a refusal and gives the node back.


def _same(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    return node


def _jaro_winkler(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    return _typed(carrying.call("jaro_winkler_similarity", (node.this, node.expression)), "double")


def _pattern(carrying: _Carrying, node: exp.Expression, *, finds: bool) -> str | None:
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


def _regexp_like(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if node.args.get("flag"):
        carrying.refuse(node, "the options of regexp_matches are not carried over", "compare lower(...)")
        return node
    pattern = _pattern(carrying, node, finds=False)
    if pattern is None:
        return node
    if carrying.dialect == "snowflake":  # its REGEXP_LIKE wants the whole text to match
        return _typed(exp.GT(this=_func("REGEXP_INSTR", node.this, pattern), expression=exp.convert(0)), "boolean")
    if carrying.dialect == "redshift":
        found = _func("REGEXP_INSTR", node.this, pattern, 1, 1, 0, "p")
        return _typed(exp.GT(this=found, expression=exp.convert(0)), "boolean")
    if carrying.dialect == "databricks":
        return _typed(_func("REGEXP_LIKE", node.this, pattern), "boolean")
    node.set("expression", exp.convert(pattern))
    return node


def _regexp_replace(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
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
    once = not every and not pattern.startswith("^")
    if carrying.dialect == "postgres":
        options = ("g",) if every else ()
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, *options), "varchar")
    if carrying.dialect == "snowflake":
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, *((1, 1) if once else ())), "varchar")
    if once and not pattern.endswith("$"):
        carrying.refuse(
            node,
            f"regexp_replace of the first match alone has no equal on {carrying.target}",
            "replace all ('g'), or begin the pattern with ^ or end it with $",
        )
        return node
    if carrying.dialect == "redshift":
        return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement, 1, "p"), "varchar")
    return _typed(_func("REGEXP_REPLACE", node.this, pattern, replacement), "varchar")


def _regexp_extract(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    group = node.args.get("group")
    pattern = _pattern(carrying, node, finds=True)
    if pattern is None:
        return node
    if (group is not None and group.name not in ("", "0")) or "(" in pattern.replace("(?:", ""):
        carrying.refuse(node, "regexp_extract with groups is not carried over", "use a pattern without groups")
        return node
    name, more = {
        "postgres": ("REGEXP_SUBSTR", ()),
        "snowflake": ("REGEXP_SUBSTR", ()),
        "bigquery": ("REGEXP_EXTRACT", ()),
        "databricks": ("REGEXP_EXTRACT", (0,)),
        "redshift": ("REGEXP_SUBSTR", (1, 1, "p")),
    }[carrying.dialect]
    if carrying.dialect == "postgres":  # REGEXP_SUBSTR came with 15; substring(text from pattern) is older
        found: exp.Expression = _func("SUBSTRING", node.this, pattern)
    else:
        found = _func(name, node.this, pattern, *more)
    # DuckDB gives an empty text for no match, and null only for null.
    empty = exp.Case(
        ifs=[exp.If(this=exp.Is(this=node.this.copy(), expression=exp.Null()).not_(), true=exp.convert(""))]
    )
    return _typed(exp.Coalesce(this=found, expressions=[empty]), "varchar")


def _trim(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    signs = node.expression.copy() if node.expression is not None else exp.convert(_SPACES)
    side = str(node.args.get("position") or "BOTH").upper()
    if carrying.dialect in ("snowflake", "bigquery", "redshift"):
        both = "BTRIM" if carrying.dialect == "redshift" else "TRIM"
        return _typed(_func({"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(side, both), node.this, signs), "varchar")
    return _typed(exp.Trim(this=node.this.copy(), expression=signs, position=side), "varchar")


def _is_true(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if isinstance(node.expression, exp.Boolean):
        held = node.this.unnest() if isinstance(node.this, exp.Paren) else node.this
        wanted = bool(node.expression.this)
        settled = exp.Coalesce(this=held.copy(), expressions=[exp.Boolean(this=not wanted)])
        return _typed(settled if wanted else exp.Not(this=settled), "boolean")
    return node


def _distinct(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
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


def _extreme(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    """least and greatest skip nulls."""
    given = [node.this, *node.expressions]
    if carrying.dialect in ("postgres", "redshift", "databricks", "snowflake"):
        return node
    if carrying.dialect != "bigquery":
        carrying.unknown(node, node.sql_name().lower())
        return node
    word = "MIN" if isinstance(node, exp.Least) else "MAX"
    listed = exp.Array(expressions=[one.copy() for one in given])
    chosen = exp.select(exp.Anonymous(this=word, expressions=[exp.column("v")])).from_(
        exp.Unnest(expressions=[listed], alias=exp.TableAlias(columns=[exp.to_identifier("v")]))
    )
    return _typed(exp.Subquery(this=chosen), node)


def _concat_ws(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    separator, *parts = node.expressions
    if carrying.dialect in ("postgres", "databricks"):
        return _typed(_func("CONCAT_WS", separator, *parts), "varchar")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "concat_ws")
        return node
    # Elsewhere null makes the whole null, or the function is missing: every part brings its separator along.
    joined: exp.Expression = exp.convert("")
    for part in parts:
        text = exp.DPipe(this=separator.copy(), expression=part.copy(), safe=False)
        joined = exp.DPipe(this=joined, expression=exp.Coalesce(this=text, expressions=[exp.convert("")]), safe=False)
    begin = exp.Add(this=_func("LENGTH", separator), expression=exp.convert(1))
    return _typed(_func("SUBSTR", joined, begin), "varchar")


def _concat(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    carrying.refuse(node, "concat() skips nulls on some engines and not on others", "use || with coalesce()")
    return node


def _starts_with(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if carrying.dialect == "redshift":
        begin = _func("LEFT", node.this, _func("LEN", node.expression))
        return _typed(exp.Paren(this=exp.EQ(this=begin, expression=node.expression.copy())), "boolean")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "starts_with")
    return node


def _strftime(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    wanted = _text(node.args.get("format")) or ""
    letters = {wanted[at + 1] for at in range(len(wanted) - 1) if wanted[at] == "%"}
    if not wanted or not letters <= _FORMATS:
        carrying.refuse(node, f"strftime's format '{wanted}' is not carried over", "use %Y, %m, %d, %H, %M and %S")
        return node
    if carrying.dialect == "bigquery" and node.this.type is not None and node.this.type.is_type(*_STAMPS):
        return _typed(_func("FORMAT_TIMESTAMP", wanted, node.this, "UTC"), "varchar")
    return node


def _epoch(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    """Seconds with their fraction, a double."""
    if carrying.dialect in ("postgres", "redshift"):
        seconds: exp.Expression = exp.Extract(this=exp.var("EPOCH"), expression=node.this.copy())
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


def _anonymous(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    name = node.name.lower()
    if name in functions.ARGUMENTS and name != "signs_replaced":
        called = carrying.call(name, node.expressions)
        return _typed(called, "integer" if name == "damerau_levenshtein" else "varchar")
    if name == "list_intersect":
        return _intersect(carrying, node)
    carrying.unknown(node, name)
    return node


def _date_diff(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    unit = str(node.args.get("unit") or "day").lower()
    if unit not in ("day", "days") or carrying.dialect not in _PROVEN:
        carrying.refuse(node, f"date_diff('{unit}', ...) counts differently on {carrying.target}", _HINTS["date_diff"])
        return node
    later, earlier = (exp.cast(one.copy(), "date") for one in (node.this, node.expression))
    if carrying.dialect == "postgres":
        return _typed(exp.Paren(this=exp.Sub(this=later, expression=earlier)), "bigint")
    if carrying.dialect == "bigquery":
        return _typed(_func("DATE_DIFF", later, earlier, exp.var("DAY")), "bigint")
    if carrying.dialect == "databricks":
        return _typed(_func("DATEDIFF", later, earlier), "bigint")
    return _typed(_func("DATEDIFF", exp.var("day"), earlier, later), "bigint")


def _cast(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    """A moment as text is written differently everywhere but on PostgreSQL."""
    kind = node.this.type
    moment = kind is not None and kind.is_type(*_STAMPS)
    if carrying.dialect != "postgres" and moment and node.to.is_type(*_TEXT):
        carrying.refuse(
            node, "a moment as text looks different on every engine", "use strftime(x, '%Y-%m-%d %H:%M:%S')"
        )
    if node.to.is_type("struct", "list", "array", "map", "union"):
        carrying.refuse(node, f"the type {node.to.sql('duckdb')} cannot be carried over", _HINTS["list"])
    return node


def _length(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    words = _listed(carrying, node.this)
    if words is None:
        return node
    name = {"postgres": "CARDINALITY", "snowflake": "ARRAY_SIZE", "bigquery": "ARRAY_LENGTH", "databricks": "SIZE"}
    return _typed(_func(name[carrying.dialect], words), "bigint")


def _listed(carrying: _Carrying, node: exp.Expression) -> exp.Expression | None:
    """The list, where it is one and the target has arrays."""
    is_list = node.type is not None and node.type.is_type("array", "list")
    return node if is_list and carrying.dialect in _ARRAYS else None


def _split(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    by = _text(node.expression)
    if not by or len(by) > 1 or by in r".\+*?()[]{}^$|" or carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "string_split")
        return node
    name = "STRING_TO_ARRAY" if carrying.dialect == "postgres" else "SPLIT"
    return _typed(_func(name, node.this, by), "array")


_ARRAYS = ("postgres", "snowflake", "bigquery", "databricks")


def _array_distinct(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    held = node.this
    if carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "list_distinct")
        return node
    if carrying.dialect in ("snowflake", "databricks"):
        return _typed(_func("ARRAY_DISTINCT", held), "array")
    return _of_rows(carrying, "SELECT DISTINCT word FROM UNNEST({one}) AS word", held)


def _intersect(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if carrying.dialect not in _ARRAYS:
        carrying.unknown(node, "list_intersect")
        return node
    one, other = node.expressions
    if carrying.dialect == "databricks":
        return _typed(_func("ARRAY_INTERSECT", one, other), "array")
    if carrying.dialect == "snowflake":
        return _typed(_func("ARRAY_DISTINCT", _func("ARRAY_INTERSECTION", one, other)), "array")
    sql = "SELECT word FROM UNNEST({one}) AS word INTERSECT DISTINCT SELECT word FROM UNNEST({other}) AS word"
    return _of_rows(carrying, sql, one, other)


def _of_rows(carrying: _Carrying, sql: str, *lists: exp.Expression) -> exp.Expression:
    """ARRAY(subquery over lists), null where one of them is null; in PostgreSQL's and BigQuery's own words."""
    dialect = carrying.dialect
    named = dict(zip(("one", "other"), (one.sql(dialect) for one in lists), strict=False))
    text = sql.format(**named)
    if dialect == "postgres":
        text = text.replace("INTERSECT DISTINCT", "INTERSECT").replace("AS word", "AS words(word)")
    array = exp.Anonymous(this="ARRAY", expressions=[parse_one(text, dialect=dialect)])
    missing = exp.or_(*(exp.Is(this=one.copy(), expression=exp.Null()) for one in lists))
    return _typed(exp.Case(ifs=[exp.If(this=exp.Not(this=exp.paren(missing)), true=array)]), "array")


def _postgres_only(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    """A list, and unnest of it in a select list."""
    if carrying.dialect != "postgres" and not isinstance(node, exp.Explode):  # refused before, with its place
        carrying.unknown(node, "list_value")
    return node


def _split_part(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if carrying.dialect == "bigquery":
        part = _func("SPLIT", node.this, node.args["delimiter"])
        taken = exp.Bracket(this=part, expressions=[_func("SAFE_ORDINAL", node.args["part_index"])])
        return _typed(exp.Coalesce(this=taken, expressions=[_empty_unless_null(node.this)]), "varchar")
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, "split_part")
    return node


def _empty_unless_null(node: exp.Expression) -> exp.Expression:
    known = exp.Not(this=exp.Is(this=node.copy(), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=known, true=exp.convert(""))])


def _string_agg(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if not node.find(exp.Order):
        carrying.refuse(
            node, "string_agg without an order gives its parts in any order", "write string_agg(x, ',' order by y)"
        )
    return node


def _extract(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    part = node.this.name.lower()
    if part not in ("year", "month", "day", "hour", "minute", "quarter"):
        carrying.refuse(node, f"extract({part} ...) is not the same everywhere", "use year, month, day, hour, minute")
    return node


def _try_cast(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    if carrying.dialect not in ("postgres", "snowflake", "bigquery", "databricks", "redshift"):
        carrying.refuse(node, f"try_cast is not carried over to {carrying.target}", _HINTS["try_cast"])
    return node


def _tested_elsewhere(carrying: _Carrying, node: exp.Expression) -> exp.Expression:
    """Same on the engines that are looked at; on others unknown."""
    if carrying.dialect not in _PROVEN:
        carrying.unknown(node, node.sql_name().lower())
    return node


_RULES: Mapping[type[exp.Expression], Callable[[_Carrying, Any], exp.Expression]] = {
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
