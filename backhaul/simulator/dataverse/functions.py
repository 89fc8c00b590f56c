"""The rarer query functions: hierarchies, the caller's surroundings, fiscal periods (dataverse-api.md §3.2).

The organisation is as installed: fiscal years begin on 1 January and have four periods, everybody is in one business
unit, in no team and under nobody, and speaks English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from backhaul.simulator.store import quote

from .edm import TEXTS, stable_id
from .errors import DataverseError, bad_query
from .expressions import Expression, Literal

if TYPE_CHECKING:
    from .sql import Column, Compiler

Handler = Callable[["Compiler", "Column", Mapping[str, Expression]], str]
_LANGUAGE = 1033
# Table -> the self-referencing lookup that makes it a hierarchy.
_HIERARCHIES = {"account": "parentaccountid"}


def _hierarchy(*, up: bool, itself: bool, negated: bool = False) -> Handler:
    def handler(compiler: Compiler, column: Column, named: Mapping[str, Expression]) -> str:
        parent = _HIERARCHIES.get(compiler.table.name)
        if parent is None or column.attribute.name not in (parent, compiler.table.primary_id):
            raise DataverseError(400, "0x80040203", f"The table {compiler.table.name} has no hierarchy to search.")
        key, table, up_to = quote(compiler.table.primary_id), quote(compiler.table.name), quote(parent)
        compiler.parameters.append(_text(named, "PropertyValue"))
        step = (
            f"SELECT s.{up_to} FROM {table} s JOIN h ON s.{key} = h.id WHERE s.{up_to} IS NOT NULL"
            if up
            else f"SELECT s.{key} FROM {table} s JOIN h ON s.{up_to} = h.id"
        )
        found = f"(WITH RECURSIVE h(id) AS (SELECT CAST(? AS VARCHAR) UNION {step}) SELECT id FROM h)"
        condition = f"{column.sql} IN {found}"
        if not itself:
            compiler.parameters.append(_text(named, "PropertyValue"))
            condition = f"({condition} AND {column.sql} <> ?)"
        return f"(NOT coalesce({condition}, FALSE))" if negated else f"coalesce({condition}, FALSE)"

    return handler


def _equal(value: str, *, negated: bool = False) -> Handler:
    def handler(compiler: Compiler, column: Column, _: Mapping[str, Expression]) -> str:
        compiler.parameters.append(value)
        return f"({column.sql} IS DISTINCT FROM ?)" if negated else f"coalesce({column.sql} = ?, FALSE)"

    return handler


def _caller(compiler: Compiler, column: Column, _: Mapping[str, Expression]) -> str:
    compiler.parameters.append(compiler.user_id)
    return f"coalesce({column.sql} = ?, FALSE)"


def _language(_: Compiler, column: Column, __: Mapping[str, Expression]) -> str:
    return f"coalesce({column.sql} = {_LANGUAGE}, FALSE)"


def _nobody(_: Compiler, __: Column, ___: Mapping[str, Expression]) -> str:
    return "FALSE"


def _full_text(compiler: Compiler, column: Column, named: Mapping[str, Expression]) -> str:
    if column.attribute.type not in TEXTS:
        raise DataverseError(400, "0x80040203", f"The condition operator is not valid for {column.attribute.name}.")
    compiler.parameters.append(_text(named, "PropertyValue").strip('"*'))
    return f"coalesce(contains(lower({column.sql}), lower(?)), FALSE)"


def _fiscal(operator: str, *names: str) -> Handler:
    """Compare the fiscal year (and period) of a moment with the numbers given."""

    def handler(compiler: Compiler, column: Column, named: Mapping[str, Expression]) -> str:
        if column.attribute.type != "DateTime":
            raise DataverseError(400, "0x80040203", f"The condition operator is not valid for {column.attribute.name}.")
        parts = {"year": f"year({column.sql})", "period": f"quarter({column.sql})"}
        if len(names) == 1:
            compiler.parameters.append(_number(named, "PropertyValue"))
            return f"coalesce({parts[names[0]]} = ?, FALSE)"
        period, year = _number(named, "PropertyValue1"), _number(named, "PropertyValue2")
        compiler.parameters.append(year * 4 + period)
        return f"coalesce({parts['year']} * 4 + {parts['period']} {operator} ?, FALSE)"

    return handler


def _text(named: Mapping[str, Expression], name: str) -> str:
    given = named.get(name)
    if not isinstance(given, Literal):
        raise bad_query(f"The parameter {name} must be a constant.")
    return str(given.value)


def _number(named: Mapping[str, Expression], name: str) -> int:
    text = _text(named, name)
    if not text.isdigit():
        raise bad_query(f"The parameter {name} must be a whole number.")
    return int(text)


_UNIT = stable_id("businessunit")
FUNCTIONS: dict[str, Handler] = {
    "Above": _hierarchy(up=True, itself=False),
    "AboveOrEqual": _hierarchy(up=True, itself=True),
    "Under": _hierarchy(up=False, itself=False),
    "UnderOrEqual": _hierarchy(up=False, itself=True),
    "NotUnder": _hierarchy(up=False, itself=False, negated=True),
    "Contains": _full_text,
    "EqualBusinessId": _equal(_UNIT),
    "NotEqualBusinessId": _equal(_UNIT, negated=True),
    "EqualRoleBusinessId": _equal(_UNIT),
    "EqualUserLanguage": _language,
    "EqualUserTeams": _nobody,
    "EqualUserOrUserTeams": _caller,
    "EqualUserOrUserHierarchy": _caller,
    "EqualUserOrUserHierarchyAndTeams": _caller,
    "InFiscalYear": _fiscal("=", "year"),
    "InFiscalPeriod": _fiscal("=", "period"),
    "InFiscalPeriodAndYear": _fiscal("=", "period", "year"),
    "InOrBeforeFiscalPeriodAndYear": _fiscal("<=", "period", "year"),
    "InOrAfterFiscalPeriodAndYear": _fiscal(">=", "period", "year"),
}
