"""Schema requests: tables, columns, keys and relationships made, changed and dropped (dataverse-api.md §2.1, §9.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .edm import TYPES, Table, stable_id
from .errors import DataverseError, bad_payload, not_supported
from .metadata import children, found_table
from .relations import ManyToMany
from .security import check
from .wire import Reply, Request, Segment
from .writes import parse_body

if TYPE_CHECKING:
    from .org import DataverseOrg

ROOTS = ("EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions", "CreateEntities")
_FIRST_OPTION = 100_000_000
_KINDS = {kind: name for name, (_, kind, _, _) in TYPES.items() if name not in ("Customer", "Owner", "Virtual")}
_NAMESPACE = "Microsoft.Dynamics.CRM."


def answer(org: DataverseOrg, request: Request) -> Reply:
    """Do one schema request. Raises DataverseError."""
    try:
        return _answer(org, request)
    except (AttributeError, TypeError, ValueError) as error:  # JSON of a shape that no definition has
        raise bad_payload(request.segments[0].name, f"The definition cannot be read: {error}.") from error


def _answer(org: DataverseOrg, request: Request) -> Reply:
    first, *rest = request.segments
    body: Any = {}
    if request.method != "DELETE":
        body = parse_body(first.name, request.body)
        if not isinstance(body, Mapping):
            raise bad_payload(first.name, "The JSON reader expected a start-object.")
    match request.method, first.name, first.key, len(rest):
        case "POST", "CreateEntities", None, 0:
            for entity in body.get("Entities") or []:
                _new_table(org, request, entity)
            return Reply.json({"@odata.context": f"{request.base}$metadata#{_NAMESPACE}CreateEntitiesResponse"})
        case "POST", "EntityDefinitions", None, 0:
            name = _new_table(org, request, body)
            return _made(request, f"EntityDefinitions({org.tables[name].metadata_id})")
        case "POST", "RelationshipDefinitions", None, 0:
            return _made(request, f"RelationshipDefinitions({_new_relationship(org, request, body)})")
        case "POST", "GlobalOptionSetDefinitions", None, 0:
            return _made(request, f"GlobalOptionSetDefinitions({_new_option_set(org, request, body)})")
        case "DELETE", "RelationshipDefinitions", str(), 0:
            _drop_relationship(org, request, first.key)
            return Reply(204)
        case _, "EntityDefinitions", str(), _:
            return _of_table(org, request, found_table(org.tables, first.key), rest, body)
    raise DataverseError(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")


def _of_table(org: DataverseOrg, request: Request, table: Table, rest: list[Segment], body: Mapping[str, Any]) -> Reply:
    here = f"EntityDefinitions({table.metadata_id})"
    match request.method, [(step.name, step.key) for step in rest]:
        case "PUT", []:
            check(org, request.user_id, "prvWriteEntity")
            org.define(table.name, options=_options(body))
            return Reply(204)
        case "DELETE", []:
            check(org, request.user_id, "prvDeleteEntity")
            _custom_only(table.custom, table.name)
            org.define(table.name, dropped=[table.name])
            return Reply(204)
        case "POST", [("Attributes", None)]:
            check(org, request.user_id, "prvCreateAttribute")
            field = _field(org, table, body)
            org.define(table.name, fields=[field])
            return _made(request, f"{here}/Attributes({stable_id('attribute', table.name, field['name'])})")
        case "PUT", [("Attributes", str() as key)]:
            check(org, request.user_id, "prvWriteAttribute")
            one = _child(org, table, "Attributes", key)
            org.define(table.name, overrides={one["LogicalName"]: _changes(body)})
            return Reply(204)
        case "DELETE", [("Attributes", str() as key)]:
            check(org, request.user_id, "prvDeleteAttribute")
            one = _child(org, table, "Attributes", key)
            _custom_only(one["IsCustomAttribute"], one["LogicalName"])
            org.define(table.name, dropped=[one["LogicalName"]])
            return Reply(204)
        case "POST", [("Keys", None)]:
            check(org, request.user_id, "prvCreateEntity")
            return _made(request, f"{here}/Keys({_new_key(org, table, body)})")
        case "DELETE", [("Keys", str() as key)]:
            check(org, request.user_id, "prvDeleteEntity")
            org.define(table.name, dropped=[_child(org, table, "Keys", key)["LogicalName"]])
            return Reply(204)
    raise DataverseError(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")


def _made(request: Request, address: str) -> Reply:
    return Reply(204, {"OData-EntityId": request.base + address, "Location": request.base + address})


def _child(org: DataverseOrg, table: Table, collection: str, key: str) -> Mapping[str, Any]:
    name = key.partition("=")[2].strip("'") if "=" in key else key
    for one in children(org, table)[collection]:
        if name.lower() in (one["MetadataId"], one["LogicalName"]):
            return one
    raise DataverseError(404, "0x80040217", f"Could not find an attribute with specified name: {name}")


def _custom_only(custom: bool, name: str) -> None:
    if not custom:
        raise DataverseError(400, "0x80047007", f"The component {name} is part of the system and cannot be deleted.")


# --- tables -------------------------------------------------------------------------------------------------


def _new_table(org: DataverseOrg, request: Request, body: Mapping[str, Any]) -> str:
    check(org, request.user_id, "prvCreateEntity")
    schema_name = _schema_name(body, "EntityDefinitions")
    name = schema_name.lower()
    if name in org.tables:
        raise DataverseError(
            400, "0x80047013", f"An entity with the specified name {name} already exists. Specify a unique name."
        )
    attributes = [one for one in body.get("Attributes") or [] if isinstance(one, Mapping)]
    primary = next((one for one in attributes if one.get("IsPrimaryName")), None)
    if primary is None:
        raise DataverseError(400, "0x80040203", "A primary name attribute is required for a new entity.")
    options = {"set_name": _plural(name), "schema_name": schema_name, **_options(body)}
    options["primary_name"] = _schema_name(primary, "Attributes").lower()
    options.setdefault("label", schema_name)
    if body.get("OwnershipType") in ("UserOwned", "OrganizationOwned"):
        options["ownership"] = body["OwnershipType"]
    fields = [_field(org, None, one) for one in attributes]
    org.define(name, options={"change_tracking": False, **options}, fields=fields)
    return name


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(body.get("ChangeTrackingEnabled"), bool):
        found["change_tracking"] = body["ChangeTrackingEnabled"]
    if body.get("TableType") in ("Standard", "Elastic"):
        found["type"] = body["TableType"]
    label = _label(body.get("DisplayName"))
    if label:
        found["label"] = label
    return found


def _plural(name: str) -> str:
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return name + "es"
    return name[:-1] + "ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else name + "s"


def _schema_name(body: Mapping[str, Any], where: str) -> str:
    name = body.get("SchemaName")
    if not isinstance(name, str) or not name.replace("_", "").isalnum():
        raise bad_payload(where, "The property 'SchemaName' is required and may hold letters, digits and underscores.")
    if "_" not in name:
        raise DataverseError(
            400, "0x80047022", f"The name {name} must start with a valid customization prefix, such as new_."
        )
    return name


def _label(value: Any) -> str:
    labels = value.get("LocalizedLabels") if isinstance(value, Mapping) else None
    first = labels[0] if labels else {}
    return str(first.get("Label") or "")


# --- columns ------------------------------------------------------------------------------------------------


def _field(org: DataverseOrg, table: Table | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a new column as the schema keeps it."""
    kind = str(body.get("@odata.type", "")).removeprefix("#").removeprefix(_NAMESPACE).removeprefix("Complex")
    if kind not in _KINDS:
        if kind == "ImageAttributeMetadata":
            raise not_supported(f"columns of the type {kind}")
        raise bad_payload("Attributes", f"A resource without a type name was found, or its type '{kind}' is unknown.")
    schema_name = _schema_name(body, "Attributes")
    name = schema_name.lower()
    if table is not None and name in table.attributes:
        raise DataverseError(
            400, "0x80044153", f"An attribute with the specified name {name} already exists for entity {table.name}."
        )
    type_name = _KINDS[kind]
    field: dict[str, Any] = {"name": name, "type": type_name, "schema_name": schema_name, **_changes(body)}
    field.setdefault("label", schema_name)
    if type_name == "Memo":
        field.setdefault("length", 2_000)
    if type_name in ("Picklist", "MultiSelectPicklist"):
        field["choices"] = _choices(org, body)
    if type_name == "Boolean":
        options = body.get("OptionSet") or {}
        no, yes = (_label((options.get(one) or {}).get("Label")) for one in ("FalseOption", "TrueOption"))
        field["labels"] = [no or "No", yes or "Yes"]
    if isinstance(body.get("DefaultValue"), bool):
        field["default"] = body["DefaultValue"]
    if type_name == "Lookup":
        field["targets"] = [str(one) for one in body.get("Targets") or []]
    if isinstance(body.get("DefaultFormValue"), int) and body["DefaultFormValue"] >= 0:
        field["default"] = body["DefaultFormValue"]
    return field


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a column's definition says that may change later."""
    found: dict[str, Any] = {}
    label = _label(body.get("DisplayName"))
    if label:
        found["label"] = label
    for name, given in (
        ("MaxLength", "length"),
        ("MinValue", "minimum"),
        ("MaxValue", "maximum"),
        ("Precision", "precision"),
    ):
        if isinstance(body.get(name), int | float) and not isinstance(body[name], bool):
            found[given] = body[name]
        elif body.get(name) is not None:
            found[given] = float(body[name])
    level = body.get("RequiredLevel")
    if isinstance(level, Mapping) and level.get("Value"):
        found["required"] = str(level["Value"])
    shown = body.get("FormatName") if isinstance(body.get("FormatName"), Mapping) else None
    if shown or isinstance(body.get("Format"), str):
        found["format"] = str(shown["Value"] if shown else body["Format"])
    behavior = body.get("DateTimeBehavior")
    if isinstance(behavior, Mapping) and behavior.get("Value"):
        found["behavior"] = str(behavior["Value"])
    elif found.get("format") == "DateOnly" and "DateTime" in str(body.get("@odata.type", "")) and behavior is None:
        found["behavior"] = "UserLocal"
    return found


def _choices(org: DataverseOrg, body: Mapping[str, Any]) -> dict[str, str]:
    bound = body.get("GlobalOptionSet@odata.bind")
    if isinstance(bound, str):
        for name, given in org.schema.option_sets.items():
            if name in bound or stable_id("optionset", name) in bound:
                return dict(given)
        raise DataverseError(404, "0x80040217", f"Could not find an optionset with specified id: {bound}")
    options = (body.get("OptionSet") or {}).get("Options") or []
    found: dict[str, str] = {}
    for place, one in enumerate(options):
        value = one.get("Value")
        found[str(_FIRST_OPTION + place if value is None else int(value))] = _label(one.get("Label"))
    return found


def _new_option_set(org: DataverseOrg, request: Request, body: Mapping[str, Any]) -> str:
    check(org, request.user_id, "prvCreateOptionSet")
    name = str(body.get("Name", "")).lower()
    if "_" not in name:
        raise bad_payload("GlobalOptionSetDefinitions", "The property 'Name' needs a customization prefix.")
    org.schema.keep_option_set(name, _choices(org, {"OptionSet": body}))
    return stable_id("optionset", name)


# --- keys and relationships ---------------------------------------------------------------------------------


def _new_key(org: DataverseOrg, table: Table, body: Mapping[str, Any]) -> str:
    columns = [str(one) for one in body.get("KeyAttributes") or []]
    schema_name = str(body.get("SchemaName", ""))
    if not columns or "_" not in schema_name:
        raise bad_payload(
            "Keys", "The properties 'SchemaName' (with a customization prefix) and 'KeyAttributes' are required."
        )
    if len(table.keys) >= 10 or len(columns) > 16:
        raise DataverseError(400, "0x8006088f", f"The entity {table.name} has reached the limit of its keys.")
    for name in columns:
        found = table.attributes.get(name)
        kinds = ("Integer", "Decimal", "String", "DateTime", "Lookup", "Picklist")
        if found is None or found.type not in kinds:
            raise DataverseError(400, "0x80060889", f"The attribute {name} cannot be part of a key of {table.name}.")
    if any(key.name == schema_name.lower() for key in table.keys):
        raise DataverseError(400, "0x80060893", f"A key with the name {schema_name.lower()} exists already.")
    org.index_key(table, schema_name.lower(), columns)
    return stable_id("key", table.name, schema_name.lower())


def _new_relationship(org: DataverseOrg, request: Request, body: Mapping[str, Any]) -> str:
    check(org, request.user_id, "prvCreateRelationship")
    name = _schema_name(body, "RelationshipDefinitions")
    taken = {one.name for one in org.relations.one_to_many} | {one.name for one in org.relations.many_to_many}
    if name in taken:
        raise DataverseError(400, "0x80047013", f"A relationship with the specified name {name} already exists.")
    if "ManyToMany" in str(body.get("@odata.type", "")):
        first, second = str(body.get("Entity1LogicalName")), str(body.get("Entity2LogicalName"))
        _known(org, first, second)
        intersect = str(body.get("IntersectEntityName") or name).lower()
        org.associate(ManyToMany(name, intersect, first, second, name, name))
        return stable_id("relationship", name)
    referenced, referencing = str(body.get("ReferencedEntity")), str(body.get("ReferencingEntity"))
    _known(org, referenced, referencing)
    lookup = body.get("Lookup")
    if not isinstance(lookup, Mapping):
        raise bad_payload("RelationshipDefinitions", "The property 'Lookup' is required.")
    typed = {"@odata.type": f"{_NAMESPACE}LookupAttributeMetadata", **lookup, "Targets": [referenced]}
    field = _field(org, org.tables[referencing], typed)
    collection = str(body.get("ReferencedEntityNavigationPropertyName") or name)
    cascade = body.get("CascadeConfiguration")
    on_delete = str((cascade if isinstance(cascade, Mapping) else {}).get("Delete") or "RemoveLink")
    if on_delete not in ("RemoveLink", "Restrict", "Cascade", "NoCascade"):
        raise bad_payload("RelationshipDefinitions", f"The cascade type '{on_delete}' is not known.")
    org.define(referencing, fields=[field | {"relationships": {referenced: [name, collection, on_delete]}}])
    return stable_id("relationship", name)


def _drop_relationship(org: DataverseOrg, request: Request, key: str) -> None:
    check(org, request.user_id, "prvDeleteRelationship")
    wanted = key.partition("=")[2].strip("'") if "=" in key else key
    for one in org.relations.one_to_many:
        if wanted in (one.name, stable_id("relationship", one.name)):
            _custom_only(one.attribute.custom, one.name)
            org.define(one.referencing, dropped=[one.attribute.name])
            return
    for other in org.relations.many_to_many:
        if wanted in (other.name, stable_id("relationship", other.name)):
            _custom_only(org.tables[other.intersect].custom, other.name)
            org.dissociate(other)
            return
    raise DataverseError(404, "0x80040217", f"Could not find a relationship with specified id: {wanted}")


def _known(org: DataverseOrg, *names: str) -> None:
    for name in names:
        if name not in org.tables:
            raise DataverseError(404, "0x80040217", f"Could not find an entity with name {name}")
