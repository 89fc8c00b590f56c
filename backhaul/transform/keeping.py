"""QUALIFY for databases that have none: a subquery that says of every row whether it is kept, and a WHERE around it.

sqlglot's own rewriting leaves the columns of the condition under the names of tables that only the subquery knows.
"""

from __future__ import annotations

from sqlglot import exp

LACKING = frozenset({"postgres", "redshift", "tsql", "fabric", "mysql", "sqlite"})
"""The dialects without QUALIFY."""
_KEPT = "_backhaul_kept"


def without_qualify(tree: exp.Expr, dialect: str) -> exp.Expr:
    """The tree, whose columns are qualified and whose outputs are named, without QUALIFY where `dialect` lacks it."""
    if dialect not in LACKING:
        return tree
    for select in reversed(list(tree.find_all(exp.Select))):
        if not select.args.get("qualify"):
            continue
        outer = _rewritten(select)
        if select is tree:
            tree = outer
        else:
            select.replace(outer)
    return tree


def _rewritten(select: exp.Select) -> exp.Select:
    inner = select.copy()
    condition = inner.args["qualify"].this
    inner.set("qualify", None)
    names = [one.alias_or_name for one in inner.selects]
    outer = exp.Select(expressions=[exp.column(exp.to_identifier(name, quoted=True), "_kept") for name in names])
    for part in ("with_", "distinct", "limit", "offset"):
        if (found := inner.args.get(part)) is not None:
            inner.set(part, None)
            outer.set(part, found)
    order = inner.args.get("order")
    if order is not None:
        inner.set("order", None)
        for number, ordered in enumerate(order.expressions):
            if isinstance(ordered.this, exp.Column) and not ordered.this.table and ordered.this.name in names:
                ordered.set("this", exp.column(exp.to_identifier(ordered.this.name, quoted=True), "_kept"))
                continue
            inner.append("expressions", exp.alias_(ordered.this.copy(), f"_backhaul_order_{number}"))
            ordered.set("this", exp.column(f"_backhaul_order_{number}", "_kept"))
        outer.set("order", order)
    inner.append("expressions", exp.alias_(condition.copy(), _KEPT))
    return outer.from_(inner.subquery("_kept")).where(exp.column(_KEPT, "_kept"))
