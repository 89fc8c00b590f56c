"""EntityDefinitions and what hangs on them, as JSON (dataverse-api.md §2.1, §2.2).

Definitions become plain dictionaries; $select, $filter and $expand then work on those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .definitions import (
    Json,
    association_json,
    attribute_json,
    entity_json,
    key_json,
    option_set_json,
    relationship_json,
)
from .edm import TYPES, Attribute, Table
from .errors import DataverseError, bad_query, unknown_segment
from .expressions import (
    Call,
    Comparison,
    Expression,
    Literal,
    Logical,
    Not,
    Path,
    parse_expand,
    parse_filter,
    parse_key,
)
from .wire import Reply, Request, Segment

if TYPE_CHECKING:
    from .org import DataverseOrg

_NAMESPACE = "Microsoft.Dynamics.CRM."
_ENTITY = "Microsoft.Dynamics.CRM.EntityMetadata"
_ATTRIBUTE = "Microsoft.Dynamics.CRM.AttributeMetadata"
_NAVIGATIONS = ("Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships")
_OPTION_SETS = ("OptionSet", "GlobalOptionSet")


# --- answering ----------------------------------------------------------------------------------------------


def answer(org: DataverseOrg, request: Request) -> Reply:
    """Answer a GET under EntityDefinitions. Raises DataverseError."""
    first, *rest = request.segments
    tables = org.shown_tables(strong=(request.header("consistency") or "").lower() == "strong")
    context = f"{request.base}$metadata#EntityDefinitions"
    if first.key is None:
        if rest == [Segment("$count")]:
            return Reply(200, {"Content-Type": "text/plain"}, str(len(tables)).encode())
        if rest:
            raise unknown_segment(rest[0].name)
        every = [entity_json(table) for table in sorted(tables.values(), key=lambda one: one.name)]
        shown = filtered(every, request.options.get("$filter"), request.aliases)
        value = [shaped(one, request.options, lambda e: _expanded(org, e), "MetadataId", _ENTITY) for one in shown]
        return Reply.json({"@odata.context": context + chosen(request), "value": value})
    table = found_table(tables, first.key)
    if not rest:
        one = shaped(entity_json(table), request.options, lambda e: _expanded(org, e), "MetadataId", _ENTITY)
        return Reply.json({"@odata.context": f"{context}{chosen(request)}/$entity", **one})
    return _below(org, request, table, rest, f"{context}('{table.name}')")


def _below(org: DataverseOrg, request: Request, table: Table, rest: Sequence[Segment], context: str) -> Reply:
    step, *rest = rest
    if step.name not in _NAVIGATIONS:
        definition = entity_json(table)
        if step.name in definition and not rest:
            return Reply.json({"@odata.context": f"{context}/{step.name}", "value": definition[step.name]})
        raise unknown_segment(step.name)
    found = children(org, table)[step.name]
    context += f"/{step.name}"
    kind = _ATTRIBUTE if step.name == "Attributes" else _ENTITY
    if step.key is not None:
        return _one_child(request, table, found, step, rest, context)
    if rest and rest[0].name.startswith(_NAMESPACE):
        cast = rest.pop(0).name
        _check_cast(cast)
        found = [one for one in found if one.get("@odata.type") == f"#{cast}"]
        found = [{name: value for name, value in one.items() if name != "@odata.type"} for one in found]
        context += f"/{cast}"
    elif step.name == "Attributes":
        kind = _ATTRIBUTE
    if rest:
        raise unknown_segment(rest[0].name)
    shown = filtered(found, request.options.get("$filter"), request.aliases)
    expand = _option_sets(table)
    value = [shaped(one, request.options, expand, "MetadataId", kind) for one in shown]
    return Reply.json({"@odata.context": context + chosen(request), "value": value})


def _one_child(
    request: Request, table: Table, every: list[Json], step: Segment, rest: list[Segment], context: str
) -> Reply:
    parsed = parse_key(str(step.key))
    field, value = next(iter(parsed.items())) if isinstance(parsed, dict) else ("MetadataId", parsed)
    found = next((one for one in every if one.get(field) == value.value), None)
    if found is None:
        raise DataverseError(404, "0x80040217", f"Could not find an attribute with specified name: {value.value}")
    if rest and rest[0].name.startswith(_NAMESPACE):
        cast = rest.pop(0).name
        _check_cast(cast)
        if found.get("@odata.type") != f"#{cast}":
            raise DataverseError(404, "0x80060888", f"Resource not found for the segment '{cast}'.")
        context += f"/{cast}"
    expand = _option_sets(table)
    if rest:
        inner = expand(found).get(rest[0].name, found.get(rest[0].name))
        if inner is None:
            raise unknown_segment(rest[0].name)
        body = inner if isinstance(inner, dict) else {"value": inner}
        return Reply.json({"@odata.context": f"{context}/{rest[0].name}", **body})
    one = shaped(found, request.options, expand, "MetadataId", _ATTRIBUTE)
    return Reply.json({"@odata.context": f"{context}{chosen(request)}/$entity", **one})


def _check_cast(cast: str) -> None:
    known = {f"{_NAMESPACE}{kind}" for _, kind, _, _ in TYPES.values()}
    if cast == f"{_NAMESPACE}EnumAttributeMetadata" or cast not in known:
        raise DataverseError(404, "0x80060888", f"Resource not found for the segment '{cast}'.")


def found_table(tables: Mapping[str, Table], key: str) -> Table:
    """Give the table of a key: LogicalName or MetadataId. Raises DataverseError 404."""
    parsed = parse_key(key)
    if isinstance(parsed, Literal):
        found = next((one for one in tables.values() if one.metadata_id == parsed.value), None)
        shown = str(parsed.value)
    else:
        name = parsed.get("LogicalName")
        shown = str(name.value) if name else key
        found = tables.get(shown) if name else None
    if found is None:
        raise DataverseError(404, "0x80060888", f"Could not find an entity with specified name or id: '{shown}'.")
    return found


def children(org: DataverseOrg, table: Table) -> dict[str, list[Json]]:
    """Give the collections that hang on a table's definition."""
    attributes = [attribute_json(table, one, number) for number, one in enumerate(table.attributes.values(), 1)]
    return {
        "Attributes": attributes,
        "Keys": [key_json(table, one) for one in table.keys],
        "ManyToOneRelationships": [
            relationship_json(org, one) for one in org.relations.one_to_many if one.referencing == table.name
        ],
        "OneToManyRelationships": [
            relationship_json(org, one) for one in org.relations.one_to_many if one.referenced == table.name
        ],
        "ManyToManyRelationships": [
            association_json(org, one) for one in org.relations.many_to_many if table.name in (one.first, one.second)
        ],
    }


def _expanded(org: DataverseOrg, definition: Json) -> dict[str, Any]:
    """Give the collections of a table; of an expanded attribute only the common properties come along (§2.1)."""
    table = org.tables[definition["LogicalName"]]
    found = children(org, table)
    common = set(attribute_json(table, Attribute("x", "Virtual", ""), 0))
    found["Attributes"] = [
        {name: value for name, value in one.items() if name in common} for one in found["Attributes"]
    ]
    return dict(found)


def _option_sets(table: Table) -> Callable[[Json], dict[str, Any]]:
    def find(definition: Json) -> dict[str, Any]:
        attribute = table.attributes.get(definition.get("LogicalName", ""))
        found = option_set_json(table, attribute) if attribute else None
        return {"OptionSet": found, "GlobalOptionSet": None} if found else {}

    return find


def chosen(request: Request) -> str:
    """Give the selected properties as a context URL shows them."""
    chosen = request.options.get("$select")
    return f"({chosen.replace(' ', '')})" if chosen else ""


def shaped(
    definition: Json, options: Mapping[str, str], expand: Callable[[Json], dict[str, Any]], always: str, kind: str
) -> Json:
    """Apply $select and $expand; `always` is returned whatever is selected."""
    for name in options:
        if name.startswith("$") and name not in ("$select", "$expand", "$filter", "$count"):
            raise bad_query(f"The query parameter {name} is not supported.")
    found = definition
    if options.get("$select"):
        names = [name.strip() for name in options["$select"].split(",")]
        for name in names:
            if name not in definition:
                raise bad_query(f"Could not find a property named '{name}' on type '{kind}'.")
        found = {name: definition[name] for name in ("@odata.type", *names) if name in definition}
        found.setdefault(always, definition[always])
    if options.get("$expand"):
        available = expand(definition)
        found = dict(found)
        for name, inner in parse_expand(options["$expand"]):
            if name not in available:
                if name in _OPTION_SETS:
                    raise bad_query(f"Could not find a property named '{name}' on type '{kind}'.")
                raise bad_query(f"Could not find a property named '{name}' on type '{kind}'.")
            found[name] = _inner(available[name], inner)
    return found


def _inner(value: Any, options: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        shown = filtered(value, options.get("$filter"), {})
        return [shaped(one, options, lambda _: {}, "MetadataId", _ATTRIBUTE) for one in shown]
    if isinstance(value, dict):
        return shaped(value, options, lambda _: {}, "MetadataId", "Microsoft.Dynamics.CRM.OptionSetMetadata")
    return value


# --- filters over definitions -------------------------------------------------------------------------------


def filtered(definitions: list[Json], text: str | None, aliases: Mapping[str, str]) -> list[Json]:
    """Give the definitions that a $filter finds. Raises DataverseError 400."""
    if not text:
        return definitions
    expression = parse_filter(text, aliases)
    return [one for one in definitions if _true(expression, one)]


def _true(expression: Expression, definition: Json) -> bool:
    match expression:
        case Logical("and", operands):
            return all(_true(one, definition) for one in operands)
        case Logical(_, operands):
            return any(_true(one, definition) for one in operands)
        case Not(operand):
            return not _true(operand, definition)
        case Comparison(operator, left, right):
            return _compared(operator, _read(left, definition), _read(right, definition))
        case Call("contains" | "startswith" | "endswith" as name, (left, right), _):
            whole, part = str(_read(left, definition) or ""), str(_read(right, definition))
            return {"contains": part in whole, "startswith": whole.startswith(part), "endswith": whole.endswith(part)}[
                name
            ]
        case Path(_):
            return bool(_read(expression, definition))
    raise bad_query("The $filter expression is not supported for metadata.")


def _read(expression: Expression, definition: Json) -> Any:
    if isinstance(expression, Literal):
        return expression.value
    if not isinstance(expression, Path):
        raise bad_query("The $filter expression is not supported for metadata.")
    value: Any = definition
    for name in expression.segments:
        if not isinstance(value, dict) or name not in value:
            raise bad_query(f"Could not find a property named '{name}' on type '{_ENTITY}'.")
        value = value[name]
    if isinstance(value, dict) and "LocalizedLabels" in value:
        raise bad_query("Labels cannot be filtered.")
    return value


def _compared(operator: str, left: Any, right: Any) -> bool:
    if operator == "eq":
        return bool(left == right)
    if operator == "ne":
        return bool(left != right)
    if left is None or right is None:
        return False
    try:
        return bool({"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[operator])
    except TypeError:
        raise bad_query("A binary operator with incompatible types was detected.") from None
