"""What is asked of the definitions beside single tables: relationships, global choices, RetrieveMetadataChanges
(dataverse-api.md §2.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .definitions import Json, association_json, entity_json, option_json, option_set_json, relationship_json
from .definitions import label as label_json
from .edm import Choice, stable_id
from .errors import DataverseError, bad_query, unknown_segment
from .expressions import Literal, parse_key
from .metadata import children, chosen, filtered, shaped
from .wire import Reply, Request, Segment

if TYPE_CHECKING:
    from .org import DataverseOrg

ROOTS = ("RelationshipDefinitions", "GlobalOptionSetDefinitions", "ManagedPropertyDefinitions")
_RELATIONSHIP = "Microsoft.Dynamics.CRM.RelationshipMetadataBase"


def answer(org: DataverseOrg, request: Request) -> Reply:
    """Answer a GET under one of :data:`ROOTS`. Raises DataverseError."""
    first, *rest = request.segments
    every: list[Json] = []
    if first.name == "RelationshipDefinitions":
        every = [relationship_json(org, one) for one in org.relations.one_to_many]
        every += [association_json(org, one) for one in org.relations.many_to_many]
    elif first.name == "GlobalOptionSetDefinitions":
        every = [_option_set(name, options) for name, options in org.schema.option_sets.items()]
    context = f"{request.base}$metadata#{first.name}"
    if first.key is not None:
        return _one(request, every, first, rest, context)
    if rest and rest[0].name.startswith("Microsoft.Dynamics.CRM."):
        cast = rest.pop(0).name
        every = [one for one in every if one.get("@odata.type") == f"#{cast}"]
        every = [{name: value for name, value in one.items() if name != "@odata.type"} for one in every]
        context += f"/{cast}"
    if rest:
        raise unknown_segment(rest[0].name)
    shown = filtered(every, request.options.get("$filter"), request.aliases)
    value = [shaped(one, request.options, lambda _: {}, "MetadataId", _RELATIONSHIP) for one in shown]
    return Reply.json({"@odata.context": context + chosen(request), "value": value})


def _one(request: Request, every: list[Json], first: Segment, rest: list[Segment], context: str) -> Reply:
    parsed = parse_key(str(first.key))
    name, wanted = ("MetadataId", parsed) if isinstance(parsed, Literal) else next(iter(parsed.items()))
    found = next((one for one in every if one.get(name) == wanted.value), None)
    if found is None:
        raise DataverseError(404, "0x80040217", f"Could not find a definition with {name}: '{wanted.value}'.")
    if rest and rest[0].name.startswith("Microsoft.Dynamics.CRM."):
        cast = rest.pop(0).name
        if found.get("@odata.type") != f"#{cast}":
            raise unknown_segment(cast)
    if rest:
        raise unknown_segment(rest[0].name)
    one = shaped(found, request.options, lambda _: {}, "MetadataId", _RELATIONSHIP)
    return Reply.json({"@odata.context": f"{context}{chosen(request)}/$entity", **one})


def _option_set(name: str, options: Mapping[str, str]) -> Json:
    return {
        "@odata.type": "#Microsoft.Dynamics.CRM.OptionSetMetadata",
        "MetadataId": stable_id("optionset", name),
        "Name": name,
        "IsGlobal": True,
        "IsManaged": False,
        "IsCustomOptionSet": True,
        "OptionSetType": "Picklist",
        "DisplayName": label_json(name),
        "Description": label_json(""),
        "Options": [option_json(Choice(int(value), label)) for value, label in options.items()],
    }


# --- RetrieveMetadataChanges --------------------------------------------------------------------------------


def changes(org: DataverseOrg, request: Request, segment: Segment) -> Reply:
    """Answer ``RetrieveMetadataChanges(Query=@p1)``: definitions filtered and cut by an EntityQueryExpression."""
    name, _, text = (segment.key or "").partition("=")
    text = request.aliases.get(text.strip(), text)
    try:
        query = json.loads(text) if name.strip() == "Query" else {}
    except ValueError:
        raise bad_query(f"Invalid JSON in the parameter Query: '{text}'.") from None
    if not isinstance(query, Mapping):
        raise bad_query("The parameter Query must be an object.")
    attribute_query = query.get("AttributeQuery")
    found: list[Json] = []
    for table in sorted(org.tables.values(), key=lambda one: one.name):
        definition = entity_json(table)
        if not _meets(query.get("Criteria"), definition):
            continue
        below = children(org, table)
        wanted = _names(query.get("Properties"))
        one = _cut(definition, wanted)
        attributes: list[Json] = []
        if attribute_query is not None or wanted is None or "Attributes" in wanted:
            for attribute in below["Attributes"]:
                full = dict(attribute)
                options = option_set_json(table, table.attributes[attribute["LogicalName"]])
                if options is not None:
                    full["OptionSet"] = options
                if _meets((attribute_query or {}).get("Criteria"), full):
                    attributes.append(_cut(full, _names((attribute_query or {}).get("Properties"))))
        one["Attributes"] = attributes
        for collection in ("Keys", "ManyToManyRelationships", "ManyToOneRelationships", "OneToManyRelationships"):
            one[collection] = below[collection] if wanted is None or collection in wanted else []
        found.append(one)
    return Reply.json(
        {
            "@odata.context": f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse",
            "ServerVersionStamp": f"{org.metadata_version}!{org.clock.now():%m/%d/%Y %H:%M:%S}",
            "EntityMetadata": found,
            "DeletedMetadata": None,
        }
    )


def _names(properties: Any) -> set[str] | None:
    """Give the names of a MetadataPropertiesExpression; None is every one."""
    if not isinstance(properties, Mapping) or properties.get("AllProperties"):
        return None
    return {str(one) for one in properties.get("PropertyNames") or []}


def _cut(definition: Json, names: set[str] | None) -> Json:
    if names is None:
        return dict(definition)
    kept = {"@odata.type", "MetadataId", "LogicalName", "HasChanged"} | names
    return {name: value for name, value in definition.items() if name in kept}


def _meets(criteria: Any, definition: Json) -> bool:
    if not isinstance(criteria, Mapping):
        return True
    results = [_holds(one, definition) for one in criteria.get("Conditions") or []]
    results += [_meets(one, definition) for one in criteria.get("Filters") or []]
    either = str(criteria.get("FilterOperator", "And")).lower() in ("or", "1")
    return not results or (any(results) if either else all(results))


def _holds(condition: Mapping[str, Any], definition: Json) -> bool:
    name = str(condition.get("PropertyName"))
    if name not in definition:
        return False
    value = definition[name]
    value = value.get("Value") if isinstance(value, Mapping) and "Value" in value else value
    given = condition.get("Value")
    wanted = given.get("Value") if isinstance(given, Mapping) else given
    texts = [str(one).lower() for one in (wanted if isinstance(wanted, list) else [wanted])]
    same = str(value).lower() in texts
    operator = str(condition.get("ConditionOperator", "Equals"))
    match operator:
        case "Equals" | "In" | "0" | "2":
            return same
        case "NotEquals" | "NotIn" | "1" | "3":
            return not same
        case "GreaterThan" | "4" | "LessThan" | "5":
            if not isinstance(value, int | float) or not isinstance(wanted, int | float):
                raise bad_query(f"The property {name} cannot be compared with {wanted!r}.")
            return bool(value > wanted if operator in ("GreaterThan", "4") else value < wanted)
    raise bad_query(f"The condition operator {condition.get('ConditionOperator')} is not known.")
