"""Lines of a model that can have raised an error for which the database tells no place.

PostgreSQL places what it finds while it reads a statement. A value that breaks it while it runs (a division by zero, a
text that is no number) is told without a place, by code and sentence. Only so many kinds of expression can have raised
such a code: if there is one in the model, and in the views it reads, that is the line; of several each is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from backhaul.errors import BackhaulError, Where
from backhaul.transform.compiling import Compiled, Compiler
from backhaul.transform.model import Model
from backhaul.transform.origins import begins, line_and_column
from backhaul.warehouse import StatementFailed

_CASTS = ("22P02", "22007", "22008", "22003", "22001")
"""SQLSTATE (PostgreSQL's manual, appendix A) of a value that is none of its type, or too large or too long for it."""

_OTHERS: Mapping[str, tuple[type[exp.Expr], ...]] = {
    "22012": (exp.Div, exp.IntDiv, exp.Mod),
    "22003": (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Sum, exp.Pow, exp.Exp),
    "21000": (exp.Subquery,),
    "2201E": (exp.Ln, exp.Log),
    "2201F": (exp.Sqrt, exp.Pow),
    "22011": (exp.Substring, exp.Left, exp.Right),
}

_MOMENTS = frozenset({"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
_TYPE = re.compile(
    r"\b(smallint|integer|bigint|double precision|real|numeric|boolean|uuid|json|jsonb|interval|date|bytea|"
    r"timestamp with time zone|timestamp without time zone|timestamp|time without time zone|time)\b"
)
"""A type in PostgreSQL's sentence, which is in the server's language; the names of types are not."""


def suspected(
    compiler: Compiler, failed: StatementFailed, compiled: Compiled, refs: Iterable[str]
) -> tuple[Where, ...]:
    """The places that a person wrote which can have raised `failed`, each once; empty when nothing tells.

    `compiled` is the SQL as it was before it was carried over, `refs` name the models it reads; of these the views are
    looked into, as they are worked out by whoever reads them.
    """
    if not failed.code:
        return ()
    found = dict.fromkeys(_places(compiled, failed))
    for view in _views(compiler, refs):
        try:
            found.update(dict.fromkeys(_places(compiler.compile(view), failed)))
        except BackhaulError:
            continue
    return tuple(found)


def _views(compiler: Compiler, refs: Iterable[str]) -> Iterator[Model]:
    """The views among the models named, and those that they read, each once."""
    waiting, seen = list(refs), set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in compiler.graph:
            continue
        seen.add(name)
        model = compiler.graph[name]
        if model.materialized == "view":
            yield model
        if model.materialized in ("view", "ephemeral"):  # what is inlined is in the reader's SQL
            waiting += model.refs


def _places(compiled: Compiled, failed: StatementFailed) -> Iterator[Where]:
    try:
        tree = parse_one(compiled.sql, dialect="duckdb")
    except (SqlglotError, ValueError):
        return
    starts = sorted({start for node in tree.walk() if _can_raise(node, failed) for start in _start(node)})
    for start in starts:
        where = compiled.locate(*line_and_column(compiled.sql, start))
        if where is not None:
            yield where


def _start(node: exp.Expr) -> list[int]:
    """Where to look for it: a division at what it divides by, anything else where it begins."""
    divisor = node.expression if isinstance(node, exp.Div | exp.IntDiv | exp.Mod) else None
    at = begins(divisor) if isinstance(divisor, exp.Expr) else None
    at = begins(node) if at is None else at
    return [] if at is None else [at]


def _can_raise(node: exp.Expr, failed: StatementFailed) -> bool:
    if isinstance(node, exp.Cast) and failed.code in _CASTS:
        return not isinstance(node, exp.TryCast) and _same(node.to, failed)
    kinds = _OTHERS.get(failed.code, ())
    if isinstance(node, exp.Div | exp.IntDiv | exp.Mod) and isinstance(node.expression, exp.Literal):
        return failed.code == "22012" and isinstance(node, kinds) and float(node.expression.name or 0) == 0
    if isinstance(node, exp.Subquery):
        return isinstance(node, kinds) and not isinstance(node.parent, exp.From | exp.Join | exp.In | exp.Exists)
    return isinstance(node, kinds)


def _same(kind: exp.DataType, failed: StatementFailed) -> bool:
    """Whether a cast to this type can have raised it: the sentence names the type, or the code says what sort."""
    told = _TYPE.search(re.sub(r'"[^"]*"', '""', failed.reason))
    word = kind.this.name
    if told is None:
        return {"22007": word in _MOMENTS, "22008": word in _MOMENTS, "22003": kind.is_type("decimal")}.get(
            failed.code, kind.is_type("varchar") == (failed.code == "22001")
        )
    named = exp.DataType.build(told[1], dialect="postgres")
    return named.this == kind.this or {named.this.name, word} <= {"DECIMAL", "BIGDECIMAL"}
