"""``?sql=``: one SELECT of the T-SQL subset (dataverse-api.md §3.8, a preview of the service).

TOP, DISTINCT and OFFSET/FETCH work here, as the vendor's own client has it; its documentation says they do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson
import sqlglot
from sqlglot import exp

from backhaul.simulator.store import literal

from .edm import TEXTS, Attribute, Table
from .errors import DataverseError
from .retrieval import PAGE_ROWS
from .rows import json_sql
from .security import check_table
from .wire import Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

_REFUSED = (exp.Having, exp.Union, exp.Subquery, exp.CTE, exp.Star, exp.Window, exp.Lock)
_KNOWN = {"sum", "avg", "min", "max", "count"}


def answer(org: DataverseOrg, table: Table, request: Request, text: str) -> Reply:
    """Answer ``GET contacts?sql=SELECT ...``. Raises DataverseError 400."""
    try:
        tree = sqlglot.parse_one(text, read="tsql")
    except sqlglot.errors.SqlglotError as error:
        raise _refused(str(error).partition("\n")[0]) from None
    if not isinstance(tree, exp.Select):
        raise _refused("Only SELECT statements are supported.")
    for clause in _REFUSED:
        found = tree.find(clause)
        if found is not None and not (isinstance(found, exp.Star) and isinstance(found.parent, exp.Count)):
            raise _refused(f"{clause.__name__} is not supported.")
    sources: dict[str, Table] = {}
    for one in tree.find_all(exp.Table):
        source = org.tables.get(one.name.lower())
        if source is None:
            raise DataverseError(
                400, "0x80041102", f"The entity with a name = '{one.name}' was not found in the MetadataCache."
            )
        check_table(org, request.user_id, "Read", source)
        sources[(one.alias or one.name).lower()] = source
    first = tree.args["from_" if "from_" in tree.args else "from"]
    if first is None or org.tables[first.this.name.lower()].name != table.name:
        raise _refused("The FROM table is not that of the entity set.")
    kinds = [_typed(one, sources) for one in tree.expressions]
    names = [one.alias_or_name.lower() for one in tree.expressions]
    for column in list(tree.find_all(exp.Column)):
        _attribute(column, sources)
        _fold(column, sources)
    for column in list(tree.find_all(exp.Column)):
        attribute = _attribute(column, sources)
        if attribute.hidden:
            column.replace(exp.cast(exp.Null(), attribute.duckdb, dialect="duckdb"))
    for place, one in enumerate(tree.expressions):
        one.replace(exp.alias_(one.unalias(), f"c{place}", quoted=True))
    page = 1
    size = request.page_rows or PAGE_ROWS
    skip = request.options.get("$skiptoken", "")
    match = re.search(r'pagenumber="(\d+)"', skip)
    if match:
        page = int(match[1])
    top = tree.args.get("limit")
    inner = tree.sql(dialect="duckdb", identify=True)
    shown = ["''"]
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        value = f"CAST(s.c{place} AS VARCHAR)" if kind is None else json_sql(kind, f"s.c{place}")
        shown.append(f"{literal(',' + orjson.dumps(name).decode() + ':')} || coalesce({value}, 'null')")
    row = f"concat('{{', ltrim(concat({', '.join(shown)}), ','), '}}')"
    sql = f"SELECT {row} FROM ({inner}) s LIMIT {size + 1} OFFSET {(page - 1) * size}"
    rows = [one for (one,) in org.store.query(sql)]
    head = {"@odata.context": f"{request.base}$metadata#{table.set_name}"}
    body = orjson.dumps(head)[:-1] + b',"value":[' + ",".join(rows[:size]).encode() + b"]"
    if len(rows) > size and top is None:
        kept = [
            part for part in request.query.split("&") if part and not part.startswith(("$skiptoken", "%24skiptoken"))
        ]
        cookie = f"%3Ccookie%20pagenumber=%22{page + 1}%22%20pagingcookie=%22%22%20istracking=%22False%22%20/%3E"
        link = f"{request.base}{request.path}?" + "&".join([*kept, f"$skiptoken={cookie}"])
        body += b',"@odata.nextLink":' + orjson.dumps(link)
    return Reply.json(body + b"}", headers=request.applied())


def _attribute(column: exp.Column, sources: dict[str, Table]) -> Attribute:
    name, prefix = column.name.lower(), column.table.lower()
    if prefix and prefix not in sources:
        raise _refused(f"There is no table '{column.table}' in the statement.")
    for source in [sources[prefix]] if prefix else sources.values():
        found = source.attributes.get(name) or source.properties.get(name)
        if found is not None and found.in_odata:
            column.set("this", exp.to_identifier(found.name, quoted=True))
            return found
    raise DataverseError(400, "0x80041103", f"There is no attribute with the name '{name}' in the statement's tables.")


def _typed(expression: exp.Expression, sources: dict[str, Table]) -> Attribute | None:
    """Give the attribute whose type a selected expression has; None for plain numbers."""
    inner = expression.unalias()
    if isinstance(inner, exp.Column):
        return _attribute(inner, sources)
    if isinstance(inner, exp.Min | exp.Max) and isinstance(inner.this, exp.Column):
        return _attribute(inner.this, sources)
    if isinstance(inner, exp.AggFunc) and inner.key in _KNOWN:
        return None
    raise _refused(f"The expression {inner.sql(dialect='tsql')} cannot be selected.")


def _fold(column: exp.Column, sources: dict[str, Table]) -> None:
    """Compare text without regard to case, as the service's database does."""
    parent = column.parent
    if isinstance(parent, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.Like | exp.In | exp.Between):
        if _attribute(column, sources).type not in TEXTS:
            return
        for other in list(parent.iter_expressions()):
            text = isinstance(other, exp.Literal) and other.is_string
            if text or (isinstance(other, exp.Column) and _attribute(other, sources).type in TEXTS):
                other.replace(exp.Lower(this=other.copy()))


def _refused(reason: str) -> DataverseError:
    return DataverseError(400, "0x80040203", f"The SQL statement is not supported: {reason}")
