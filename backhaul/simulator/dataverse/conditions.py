"""Conditions as FetchXML and QueryExpression write them: column, operator, texts (dataverse-api.md §3.7, §5.6).

The operators go by the names of the query functions (``In``, ``LastXDays``); FetchXML's own spellings are mapped.
"""

from __future__ import annotations

from collections.abc import Sequence

from .edm import TEXTS
from .errors import DataverseError
from .expressions import Collection, Expression, Literal, Path
from .sql import Compiler, like_to_regex, retyped

_COMPARISONS = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
}
_PATTERNS = {
    "Like": "{}",
    "BeginsWith": "{}%",
    "EndsWith": "%{}",
    "NotLike": "{}",
    "DoesNotBeginWith": "{}%",
    "DoesNotEndWith": "%{}",
}
_LISTS = ("In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues")
_FETCH = {
    "eq": "Equal",
    "ne": "NotEqual",
    "neq": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterEqual",
    "lt": "LessThan",
    "le": "LessEqual",
    "like": "Like",
    "not-like": "NotLike",
    "begins-with": "BeginsWith",
    "not-begin-with": "DoesNotBeginWith",
    "ends-with": "EndsWith",
    "not-end-with": "DoesNotEndWith",
    "not-contain-values": "DoesNotContainValues",
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    "eq-userid": "EqualUserId",
    "ne-userid": "NotEqualUserId",
    "eq-businessid": "EqualBusinessId",
    "ne-businessid": "NotEqualBusinessId",
    "eq-userlanguage": "EqualUserLanguage",
    "eq-userteams": "EqualUserTeams",
    "eq-useroruserteams": "EqualUserOrUserTeams",
    "eq-useroruserhierarchy": "EqualUserOrUserHierarchy",
    "eq-useroruserhierarchyandteams": "EqualUserOrUserHierarchyAndTeams",
    "eq-or-above": "AboveOrEqual",
    "eq-or-under": "UnderOrEqual",
}


def fetch_operator(name: str) -> str:
    """Give the common name of a FetchXML operator: ``last-x-days`` is ``LastXDays``."""
    return _FETCH.get(name) or "".join(part.capitalize() for part in name.replace("olderthan", "older-than").split("-"))


def condition_sql(compiler: Compiler, attribute: str, operator: str, values: Sequence[str]) -> str:
    """Give the SQL of one condition over the compiler's table; `attribute` is a logical name. Raises DataverseError
    400: 0x80041103 for a column there is not, 0x80040203 for what an operator cannot take."""
    table = compiler.table
    found = table.attributes.get(attribute)
    if found is None or (not found.in_odata and found.attribute_of is None):
        raise DataverseError(
            400, "0x80041103", f"'{table.name}' entity doesn't contain attribute with Name = '{attribute}'."
        )
    if not found.in_odata and found.attribute_of:  # <x>name stands for what is shown, here for lookups only
        raise DataverseError(400, "0x80040203", f"Conditions on {attribute} are not supported.")
    path = Path((found.wire,))
    if operator in ("Null", "NotNull"):
        return compiler.comparison("eq" if operator == "Null" else "ne", path, Literal(None, "null"))
    if operator in _COMPARISONS:
        literal = retyped(Literal(_one(operator, values), "string"), found)
        return compiler.comparison(_COMPARISONS[operator], path, literal)
    if operator in _PATTERNS:
        return _like(compiler, path, operator, _one(operator, values))
    named: dict[str, Expression] = {"PropertyName": Literal(found.wire, "string")}
    if operator in _LISTS:
        named["PropertyValues"] = Collection(tuple(Literal(value, "string") for value in values))
        if not values:
            return "FALSE" if operator == "In" else "TRUE"
    elif len(values) == 1:
        named["PropertyValue"] = Literal(values[0], "string")
    elif len(values) == 2:
        named |= {"PropertyValue1": Literal(values[0], "string"), "PropertyValue2": Literal(values[1], "string")}
    return compiler.call(operator, (), named)


def _one(operator: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise DataverseError(400, "0x80040203", f"The condition operator {operator} needs exactly one value.")
    return values[0]


def _like(compiler: Compiler, path: Path, operator: str, value: str) -> str:
    column = compiler.column(path)
    shown = column.sql if column.attribute.type in TEXTS else f"CAST({column.sql} AS VARCHAR)"
    compiler.parameters.append(like_to_regex(_PATTERNS[operator].format(value)))
    condition = f"coalesce(regexp_full_match(lower({shown}), lower(?), 's'), FALSE)"
    return f"(NOT {condition})" if "Not" in operator else condition
