"""``$apply``: filter, groupby, aggregate (dataverse-api.md §3.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from backhaul.simulator.store import literal

from .edm import Table
from .errors import DataverseError, bad_query
from .expand import filter_sql
from .expressions import Path, split_outside
from .retrieval import PAGE_ROWS, check_options
from .rows import Shape, json_sql, shown_sql
from .sql import Compiler, inlined, quote
from .wire import FORMATTED, Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

MOST_AGGREGATED = 50_000
_OPERATORS = {"sum": "sum", "average": "avg", "min": "min", "max": "max", "countdistinct": "count"}
_AGGREGATE = re.compile(r"\s*([\w/$]+)(?:\s+with\s+(\w+))?\s+as\s+(\w+)\s*")
_STEP = re.compile(r"(filter|groupby|aggregate)\((.*)\)", re.DOTALL)


def answer(org: DataverseOrg, table: Table, request: Request, text: str) -> Reply:
    """Answer ``GET contacts?$apply=...``. Raises DataverseError 400; 0x8004E023 over 50,000 source rows."""
    check_options(request, frozenset({"$apply", "$orderby", "$top", "$count"}))
    if "$orderby" in request.options:
        raise bad_query("The query option $orderby is not supported together with an aggregation.")
    compiler = Compiler.of(org, table, request)
    shape = Shape.of(request)
    conditions: list[str] = []
    groups: list[str] = []
    columns: list[str] = []
    for step in split_outside(text, "/"):
        match = _STEP.fullmatch(step.strip())
        if match is None:
            raise bad_query(f"Syntax error in $apply: '{step}'.")
        match match[1]:
            case "filter":
                conditions.append(filter_sql(org, table, match[2], request, "t"))
            case "aggregate":
                columns += _aggregates(compiler, match[2], shape)
            case _:
                _groupby(compiler, match[2], shape, groups, columns)
    if not columns:
        raise bad_query("The $apply expression has neither a group nor an aggregate.")
    source = f"{quote(table.name)} t WHERE {' AND '.join(conditions or ['TRUE'])}"
    if org.store.query(f"SELECT count(*) FROM {source}")[0][0] > MOST_AGGREGATED:
        raise DataverseError(400, "0x8004E023", "The maximum record limit is exceeded. Reduce the number of records.")
    row = f"concat('{{', ltrim(concat({', '.join(columns)}), ','), '}}')"
    grouped = f" GROUP BY {', '.join(groups)}" if groups else ""
    most = min(int(request.options["$top"]), PAGE_ROWS) if request.options.get("$top", "").isdigit() else PAGE_ROWS
    order = f" ORDER BY {', '.join(groups)}" if groups else ""
    rows = [one for (one,) in org.store.query(f"SELECT {row} FROM {source}{grouped}{order} LIMIT {most}")]
    head = orjson.dumps({"@odata.context": f"{request.base}$metadata#{table.set_name}"})
    return Reply.json(head[:-1] + b',"value":[' + ",".join(rows).encode() + b"]}", headers=request.applied())


def _groupby(compiler: Compiler, text: str, shape: Shape, groups: list[str], columns: list[str]) -> None:
    first, *rest = split_outside(text, ",")
    match = re.fullmatch(r"\s*\((.*)\)\s*", first, re.DOTALL)
    if match is None or len(rest) > 1:
        raise bad_query(f"Syntax error in $apply: 'groupby({text})'.")
    for name in split_outside(match[1], ","):
        path = Path(tuple(name.strip().split("/")))
        column = compiler.column(path)
        groups.append(column.sql)
        shown = "_".join(path.segments)
        columns.append(_pair(shown, json_sql(column.attribute, column.sql)))
        formatted = shown_sql(column.attribute, compiler.org.tables, column.sql)
        if shape.formatted and formatted:
            columns.append(_pair(f"{shown}@{FORMATTED}", f"CAST(to_json({formatted}) AS VARCHAR)"))
    for one in rest:
        inner = _STEP.fullmatch(one.strip())
        if inner is None or inner[1] != "aggregate":
            raise bad_query(f"Syntax error in $apply: '{one}'.")
        columns += _aggregates(compiler, inner[2], shape)


def _aggregates(compiler: Compiler, text: str, shape: Shape) -> list[str]:
    found: list[str] = []
    for part in split_outside(text, ","):
        match = _AGGREGATE.fullmatch(part)
        if match is None:
            raise bad_query(f"Syntax error in $apply: '{part}'.")
        name, operator, alias = match.groups()
        if name == "$count":
            found.append(_pair(alias, "CAST(count(*) AS VARCHAR)"))
            continue
        if operator not in _OPERATORS:
            raise bad_query(f"The aggregation method '{operator}' is not supported.")
        column = compiler.column(Path(tuple(name.split("/"))))
        if operator in ("sum", "average") and column.attribute.edm not in (
            "Edm.Int32",
            "Edm.Int64",
            "Edm.Decimal",
            "Edm.Double",
        ):
            raise bad_query(f"The property '{name}' cannot be aggregated with {operator}.")
        distinct = "DISTINCT " if operator == "countdistinct" else ""
        sql = f"{_OPERATORS[operator]}({distinct}{column.sql})"
        if operator == "average" and column.attribute.edm == "Edm.Decimal":
            sql = f"CAST({sql} AS DECIMAL(38, 10))"
        plain = operator in ("countdistinct", "average", "sum")
        found.append(_pair(alias, f"CAST({sql} AS VARCHAR)" if plain else json_sql(column.attribute, sql)))
        formatted = shown_sql(column.attribute, compiler.org.tables, sql) if operator != "countdistinct" else None
        if shape.formatted and formatted:
            found.append(_pair(f"{alias}@{FORMATTED}", f"CAST(to_json({formatted}) AS VARCHAR)"))
    return [inlined(one, compiler.parameters) if compiler.parameters else one for one in found]


def _pair(name: str, value: str) -> str:
    """Give the SQL of ``,"name":value``; nothing where the value is null."""
    return f"coalesce({literal(',' + orjson.dumps(name).decode() + ':')} || {value}, '')"
