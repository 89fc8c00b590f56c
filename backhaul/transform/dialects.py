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
from dataclasses import dataclass, field

from sqlglot import ErrorLevel, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.ledger.tables import SCHEMA
from backhaul.transform import clickhouse
from backhaul.transform.keeping import without_qualify
from backhaul.transform.origins import Origin, begins, line_and_column, origin
from backhaul.transform.rewriting import HINTS, RULES, is_text
from backhaul.warehouse.wording import widen_decimals

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

_LONGEST_NAME = 63
"""Bytes of a name that PostgreSQL keeps (`NAMEDATALEN`)."""

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
    """The SQL cannot be carried over: every obstacle, in the order of the text; `columns` as of :class:`Carried`."""

    def __init__(self, obstacles: Iterable[Obstacle], columns: Mapping[str, str] | None = None) -> None:
        self.columns = dict(columns or {})
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

    `functions` are those of :mod:`.functions` that it calls; `columns` what it gives, name -> type as DuckDB writes it;
    `origin` where its places stood in the statement before, None when it is that very statement.
    """

    sql: str
    functions: tuple[str, ...]
    columns: Mapping[str, str]
    origin: Origin | None = field(default=None, compare=False, repr=False)


def carry(sql: str, dialect: str, columns: Columns) -> Carried:
    """One SELECT of DuckDB's, as sqlglot's `dialect` has to be given it to get the same rows.

    `columns` is asked for every table that it reads. Raises :class:`NotCarriedOver` with all obstacles.
    """
    if dialect == "duckdb":
        return Carried(sql, (), {})
    try:
        tree = parse_one(sql, dialect="duckdb")
    except (SqlglotError, ValueError) as error:
        raise NotCarriedOver([_unread(error)]) from error
    carrying = Carrying(sql, dialect)
    carrying.refuse_positional(tree)
    known: dict[str, dict[str, dict[str, str]]] = {}
    for table in tree.find_all(exp.Table):
        if table.db and table.name not in known.get(table.db, {}):
            found = {name: kind or "unknown" for name, kind in columns(table.db, table.name).items()}
            if found:
                known.setdefault(table.db, {})[table.name] = found
    resolved = MappingSchema(dict(known), dialect="duckdb")
    try:
        tree = qualify(tree, dialect="duckdb", schema=resolved, validate_qualify_columns=False)
        tree = annotate_types(tree, schema=resolved, dialect="duckdb")
        if dialect == "clickhouse":
            clickhouse.booleans(tree)
    except SqlglotError as error:
        raise NotCarriedOver([_unresolved(error, sql, resolved, carrying.target)]) from error
    gives = _given(tree)
    carrying.spell_out(tree)
    for node in reversed(list(tree.walk())):  # what is inside first, so that a rule finds its arguments carried over
        carried = carrying.node(node)
        if carried is not node:
            node.replace(carried)
    carrying.order_texts(tree)
    carrying.refuse_long_names(tree)
    if carrying.obstacles:
        raise NotCarriedOver(carrying.obstacles, gives)
    for identifier in tree.find_all(exp.Identifier):
        if dialect == "snowflake":
            identifier.set("this", identifier.name.upper())
    if dialect == "bigquery":
        widen_decimals(tree)
    if dialect == "clickhouse":
        clickhouse.types(tree)
        clickhouse.aliases(tree)
    tree = without_qualify(tree, dialect)
    try:
        written = tree.sql(dialect, pretty=True, unsupported_level=ErrorLevel.RAISE, comments=False)
    except (SqlglotError, ValueError) as error:
        raise NotCarriedOver([Obstacle(f"{carrying.target} cannot be given it: {_first(error)}")], gives) from error
    return Carried(written, tuple(sorted(carrying.called)), gives, origin(tree, dialect, written, sql))


def _without_doubles(cte: exp.CTE) -> bool:
    """Whether it is a recursive one whose rows are united without doubles."""
    within, query = cte.parent, cte.this
    recursive = isinstance(within, exp.With) and bool(within.recursive) and isinstance(query, exp.Union)
    return (
        recursive
        and bool(query.args.get("distinct"))
        and any(one.name == cte.alias for one in query.find_all(exp.Table))
    )


def _unread(error: Exception) -> Obstacle:
    places = getattr(error, "errors", None) or [{}]
    return Obstacle(
        f"it could not be read to be carried over: {places[0].get('description') or _first(error)}",
        line=int(places[0].get("line") or 0),
    )


def _unresolved(error: SqlglotError, sql: str, known: MappingSchema, target: str) -> Obstacle:
    """Of a name that is not known, which sqlglot tells without a place: the one without which the error is another."""
    told = _first(error)
    name = told.rpartition(": ")[2] if told.startswith("Unknown column: ") else ""
    if not name:
        return Obstacle(f"{target} cannot be given it: {told}")
    message = f"what is read here has no column '{name}'"
    tree = parse_one(sql, dialect="duckdb")
    for column in [one for one in tree.find_all(exp.Column) if one.name.lower() == name.lower()]:
        at = begins(column)
        column.replace(exp.Null())
        try:
            qualify(tree.copy(), dialect="duckdb", schema=known, validate_qualify_columns=False)
        except SqlglotError as other:
            if _first(other) == told:
                continue
        return Obstacle(message, "", *((0, 0) if at is None else line_and_column(sql, at)))
    return Obstacle(message)


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _given(tree: exp.Expr) -> dict[str, str]:
    selects = tree.selects if isinstance(tree, exp.Query) else []
    kinds = [select.type for select in selects]
    return {
        select.alias_or_name: "" if kind is None or kind.is_type("unknown", "null") else kind.sql("duckdb")
        for select, kind in zip(selects, kinds, strict=True)
    }


# Functions and expressions that mean the same everywhere, whatever they are called there.
_SAME: tuple[type[exp.Expr], ...] = (
    *(exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Sign),
    *(exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Cast, exp.And, exp.Or, exp.Exists, exp.Not),
    *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.LogicalOr, exp.LogicalAnd),
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Ntile),
    *(exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Replace, exp.Left, exp.Right, exp.Chr, exp.MD5),
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.Concat),
)


class Carrying:
    """One statement on its way to one dialect."""

    def __init__(self, sql: str, dialect: str) -> None:
        self.sql = sql
        self.dialect = dialect
        self.target = _SHOWN.get(dialect, dialect)
        self.obstacles: list[Obstacle] = []
        self.called: set[str] = set()

    def refuse(self, node: exp.Expr, message: str, hint: str = "") -> None:
        """Note that the node cannot be carried over, and what to write instead."""
        line, column = self._place(node)
        self.obstacles.append(Obstacle(message, hint, line, column))

    def _place(self, node: exp.Expr) -> tuple[int, int]:
        """Where the node, or the first of its parts that knows, stands."""
        at = begins(node)
        return (0, 0) if at is None else line_and_column(self.sql, at)

    # Before names are resolved

    def refuse_positional(self, tree: exp.Expr) -> None:
        """What resolving names would hide, or loses the place of."""
        for node in tree.walk():
            if isinstance(node, exp.TryCast) and self.dialect == "postgres":
                self.refuse(node, f"try_cast: {self.target} has none, and its cast fails", HINTS["try_cast"])
            elif isinstance(node, exp.Lambda):
                self.refuse(node, f"a lambda over a list cannot be carried over to {self.target}", HINTS["list"])
            elif isinstance(node, exp.Struct):
                self.refuse(node, f"a struct cannot be carried over to {self.target}", HINTS["struct"])
            elif isinstance(node, exp.Pivot):
                self.refuse(node, f"PIVOT cannot be carried over to {self.target}", "use sum(case when ... end)")
            elif isinstance(node, exp.CTE) and self.dialect != "postgres" and _without_doubles(node):
                self.refuse(
                    node,
                    f"a recursive query with UNION cannot be carried over to {self.target}, which takes UNION ALL only",
                    "write union all where no row comes twice; else as many rounds as it takes, one after the other",
                )
            elif isinstance(node, exp.TableSample):
                self.refuse(node, "a sample gives other rows on every engine", "choose rows by a condition")
            elif isinstance(node, exp.Unnest) or (isinstance(node, exp.Explode) and self.dialect != "postgres"):
                self.refuse(node, f"unnest cannot be carried over to {self.target}", HINTS["unnest"])

    def spell_out(self, tree: exp.Expr) -> None:
        """GROUP BY ALL, ORDER BY ALL; and refuse a star that the known columns could not replace."""
        for select in tree.find_all(exp.Select):
            group, order = select.args.get("group"), select.args.get("order")
            if group is not None and group.args.get("all"):
                keys = [one.unalias() for one in select.selects if not one.find(exp.AggFunc)]
                select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
            for ordered in order.expressions if order is not None else ():
                if isinstance(ordered.this, exp.Var | exp.Column) and ordered.this.name.lower() == "all":
                    every = [
                        exp.Ordered(
                            this=exp.column(exp.to_identifier(one.alias_or_name, quoted=True)),
                            desc=ordered.args.get("desc"),
                            nulls_first=ordered.args.get("nulls_first"),
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

    def node(self, node: exp.Expr) -> exp.Expr:
        """The node as the target wants it; refusals are noted, and the node stays."""
        own = clickhouse.RULES if self.dialect == "clickhouse" else {}
        rule = own.get(type(node)) or RULES.get(type(node))
        if rule is not None:
            return rule(self, node)
        if isinstance(node, exp.Func) and not isinstance(node, _SAME):
            self.unknown(node, str(node.meta.get("name") or node.sql_name()).lower())
        return node

    def unknown(self, node: exp.Expr, name: str) -> None:
        """Refuse a function that is not known to mean the same."""
        stem = "list" if name.startswith(("list_", "array_")) else name
        self.refuse(
            node,
            f"{name}() is not known to give the same on {self.target}",
            HINTS.get(stem, "write it with functions that every engine has, or branch on target.dialect in a macro"),
        )

    def call(self, name: str, arguments: Iterable[exp.Expr]) -> exp.Expr:
        """A call of one of the functions that the engine brings along."""
        self.called.add(name)
        shown = str.upper if self.dialect == "snowflake" else str.lower
        return exp.Dot(
            this=exp.to_identifier(shown(SCHEMA), quoted=True),
            expression=exp.Anonymous(this=shown(name), expressions=[one.copy() for one in arguments]),
        )

    def refuse_long_names(self, tree: exp.Expr) -> None:
        """PostgreSQL cuts a longer name without a word, so that another one can become the same."""
        if self.dialect != "postgres":
            return
        long = [one for one in tree.find_all(exp.Identifier) if len(one.name.encode()) > _LONGEST_NAME]
        # Where names were resolved there are copies, which stand nowhere; each name is told once, at its first place.
        placed = {one.name: one for one in sorted(long, key=lambda one: -one.meta.get("start", len(self.sql)))}
        for name, identifier in placed.items():
            shown = name if len(name) <= 70 else name[:67] + "..."
            self.refuse(
                identifier,
                f"the name {shown} has more than the {_LONGEST_NAME} bytes that {self.target} keeps of a name",
                "give it a shorter one",
            )

    def order_texts(self, tree: exp.Expr) -> None:
        """PostgreSQL: texts are ordered by their bytes, not by the database's language."""
        if self.dialect != "postgres":
            return
        for node in reversed(list(tree.walk())):  # what is inside first: what is around it is copied
            if isinstance(node, exp.Ordered):
                self._order(node)
            elif (isinstance(node, exp.LT | exp.LTE | exp.GT | exp.GTE) and _either(node.this, node.expression)) or (
                isinstance(node, exp.Between) and _either(node.this, node.args["low"])
            ):
                node.set("this", _by_bytes(node.this))
            elif isinstance(node, exp.Min | exp.Max) and is_text(node.this):
                node.set("this", _by_bytes(node.this))
                outer = node.parent if isinstance(node.parent, exp.Window | exp.Filter) else node
                outer = outer.parent if isinstance(outer.parent, exp.Window) else outer
                _wrap(outer)
            elif isinstance(node, exp.Least | exp.Greatest) and _either(node.this, *node.expressions):
                node.set("this", _by_bytes(node.this))
                _wrap(node)

    def _order(self, ordered: exp.Ordered) -> None:
        """One key of an ORDER BY. A collation cannot be put on the name of an output, only on what it stands for."""
        key = ordered.this
        query = ordered.parent.parent if ordered.parent is not None else None
        if isinstance(query, exp.Query) and isinstance(key, exp.Column | exp.Identifier) and not _table(key):
            found = [one.unalias() for one in query.selects if one.alias_or_name == key.name]
            key = found[0] if found else key
        if not is_text(key):
            return
        if isinstance(query, exp.SetOperation) or (isinstance(query, exp.Select) and query.args.get("distinct")):
            self.refuse(
                ordered,
                f"{self.target} would order the texts of a UNION or DISTINCT by its own language",
                "order in a select around it: select * from (...) as x order by ...",
            )
            return
        ordered.set("this", _by_bytes(key))


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


def _table(key: exp.Expr) -> str:
    return key.table if isinstance(key, exp.Column) else ""


def _either(*nodes: exp.Expr | None) -> bool:
    return any(is_text(node) for node in nodes)


def _by_bytes(node: exp.Expr) -> exp.Expr:
    return _collated(node, "C")


def _wrap(node: exp.Expr) -> None:
    """Give the result the database's own collation back, so that it can be compared with other columns."""
    wrapped = exp.Paren(this=_collated(node, "default"))
    wrapped.type = node.type
    node.replace(wrapped)


def _collated(node: exp.Expr, name: str) -> exp.Expr:
    collated = exp.Collate(this=exp.Paren(this=node.copy()), expression=exp.to_identifier(name, quoted=True))
    collated.type = node.type
    return collated
