"""Dataverse's metadata as :class:`~backhaul.record.ObjectSchema`: which requests to make, and what the answers mean.

Nothing is sent here. The base properties of all columns come in one reply; lengths, precisions, behaviours, options
and targets need a cast each (dataverse-api.md §2.1-§2.3), and are asked for together in one $batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from backhaul.crm.dynamics.odata import MULTI_SELECT, text_literal
from backhaul.crm.dynamics.security import Access
from backhaul.record import Field, Kind, ObjectSchema, ObjectSummary, Option

Json = Mapping[str, Any]

CURSORS = ("modifiedon", "createdon")
"""The modification stamps that a table may have, best first."""

VERSION = "versionnumber"
"""A row's version, database-wide; the number in its etag (§3.9)."""

MONEY_DIGITS, MONEY_SCALE = 19, 4
"""Money is a 64-bit count of ten-thousandths (±922,337,203,685,477.5807): DECIMAL(19,4) holds every value exactly,
whatever precision the currency shows. A wider type would cost speed and gain nothing."""

DECIMAL_WHOLE_DIGITS = 12
"""A Decimal column reaches ±100,000,000,000; its `Precision` (0 to 10) gives the digits after the point.

The scale is the column's own, so that a model's value compares equal to what the CRM keeps of it. Values that
were stored before an administrator lowered the precision are rounded to the present one."""

_KINDS: Mapping[str, Kind] = {
    "String": Kind.TEXT,
    "Memo": Kind.TEXT,
    "EntityName": Kind.TEXT,
    "Image": Kind.TEXT,
    MULTI_SELECT: Kind.TEXT,
    "Integer": Kind.INTEGER,
    "BigInt": Kind.BIGINT,
    "Decimal": Kind.DECIMAL,
    "Money": Kind.DECIMAL,
    "Double": Kind.DOUBLE,
    "Boolean": Kind.BOOLEAN,
    "DateTime": Kind.DATETIME,
    "Picklist": Kind.INTEGER,
    "State": Kind.INTEGER,
    "Status": Kind.INTEGER,
    "Lookup": Kind.ID,
    "Customer": Kind.ID,
    "Owner": Kind.ID,
    "Uniqueidentifier": Kind.ID,
    "File": Kind.ID,
}
"""PartyList, CalendarRules, ManagedProperty and other Virtual columns hold no value of their own and are left out."""

LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
LABELLED = frozenset({"Picklist", "State", "Status", MULTI_SELECT})
"""Choices: kept as numbers, shown by labels."""
WALL_CLOCK = "DateTime (TimeZoneIndependent)"
_READ_ONLY = frozenset({"Image", "File", "EntityName"})
_CALCULATED_SOURCES = frozenset({1, 2, 3})
"""`SourceType`: 1 calculated, 2 rollup, 3 formula."""

_CASTS: Mapping[str, str] = {
    "String": "$select=LogicalName,MaxLength",
    "Memo": "$select=LogicalName,MaxLength",
    "Decimal": "$select=LogicalName,Precision",
    "Double": "$select=LogicalName,Precision",
    "DateTime": "$select=LogicalName,DateTimeBehavior,Format",
    "Lookup": "$select=LogicalName,Targets",
    "Picklist": "$select=LogicalName,DefaultFormValue&$expand=OptionSet,GlobalOptionSet",
    MULTI_SELECT: "$select=LogicalName&$expand=OptionSet,GlobalOptionSet",
    "State": "$select=LogicalName&$expand=OptionSet",
    "Status": "$select=LogicalName&$expand=OptionSet",
    "Boolean": "$select=LogicalName&$expand=OptionSet,GlobalOptionSet",
}

FORMATTED = "OData.Community.Display.V1.FormattedValue"
TARGET_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
"""Annotations that stand beside a value (§2.4): what people see, and which table a lookup leads to."""

OBJECTS_PATH = (
    "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName,IsCustomEntity,IsPrivate"
)


def definition_path(name: str) -> str:
    """The path of one table's own definition."""
    columns = (
        "LogicalName,EntitySetName,PrimaryIdAttribute,DisplayName,IsPrivate,TableType,ChangeTrackingEnabled,"
        "IsOptimisticConcurrencyEnabled,IsActivity"
    )
    return f"{_address(name)}?$select={columns}"


def attributes_path(name: str) -> str:
    """The path of all columns' common properties."""
    columns = (
        "LogicalName,SchemaName,DisplayName,AttributeType,AttributeTypeName,AttributeOf,IsValidForRead,"
        "IsValidForCreate,IsValidForUpdate,IsValidODataAttribute,IsPrimaryId,RequiredLevel,SourceType,"
        "IsSecured,CanBeSecuredForRead,CanBeSecuredForCreate,CanBeSecuredForUpdate"
    )
    return f"{_address(name)}/Attributes?$select={columns}"


def keys_path(name: str) -> str:
    """The path of the alternate keys."""
    return f"{_address(name)}/Keys?$select=LogicalName,KeyAttributes,EntityKeyIndexStatus"


def cast_paths(name: str, attributes: Iterable[Json]) -> list[str]:
    """The casts that the types among `attributes` need."""
    present = {"Lookup" if type_of(attribute) in LOOKUPS else type_of(attribute) for attribute in attributes}
    return [
        f"{_address(name)}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata?{options}"
        for kind, options in _CASTS.items()
        if kind in present
    ]


def relationships_path(name: str) -> str:
    """The path of the table's lookups as relationships: where each points, and by which navigation property."""
    columns = "ReferencingAttribute,ReferencedEntity,ReferencingEntityNavigationPropertyName"
    return f"{_address(name)}/ManyToOneRelationships?$select={columns}"


def _address(name: str) -> str:
    return f"EntityDefinitions(LogicalName={quote(text_literal(name), safe=_SAFE)})"


_SAFE = "'"


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the connector needs it: the schema that everybody sees, and how its rows are addressed.

    `schema_names` gives each column's SchemaName, which is what custom lookups are bound by. `elastic`: kept in Cosmos
    DB, where set messages land in part (§3.10); `versioned`: `If-Match` with a version is honoured (§5.1).
    """

    schema: ObjectSchema
    entity_set: str
    schema_names: Mapping[str, str]
    elastic: bool = False
    versioned: bool = False
    activity: bool = False


def table(
    account: str,
    definition: Json,
    attributes: Iterable[Json],
    details: Iterable[Json],
    keys: Iterable[Json],
    access: Mapping[str, Access] = MappingProxyType({}),
) -> Table:
    """Make the table of its definition, its columns, the casts' replies (all in one list) and its keys.

    `access` is what column security leaves of the secured columns. One that may not be read is no field: its values
    come as nulls that mean nothing.
    """
    told: dict[str, dict[str, Any]] = {}
    for detail in details:
        told.setdefault(detail["LogicalName"], {}).update({k: v for k, v in detail.items() if v is not None})
    every = [attribute for attribute in attributes if _holds_a_value(attribute)]
    hidden = {name: one.why for name, one in access.items() if not one.read}
    columns = [attribute for attribute in every if attribute["LogicalName"] not in hidden]
    names = {attribute["LogicalName"] for attribute in columns}
    active = tuple(
        tuple(key["KeyAttributes"])
        for key in keys
        if key.get("EntityKeyIndexStatus") == "Active" and names.issuperset(key["KeyAttributes"])
    )
    single = {key[0] for key in active if len(key) == 1}
    fields: dict[str, Field] = {}
    id_field = definition["PrimaryIdAttribute"]
    for attribute in columns:
        name = attribute["LogicalName"]
        fields[name] = _field(attribute, told.get(name, {}), external=name in single, primary=name == id_field)
        if name in access:
            fields[name] = _limited(fields[name], access[name])
    companions = {}
    for field in list(fields.values()):
        beside = [one for one in _companions(field) if one.name not in fields]
        fields.update({one.name: one for one in beside})
        if beside:
            companions[field.name] = tuple(one.name for one in beside)
    schema = ObjectSchema(
        account=account,
        name=definition["LogicalName"],
        label=label_of(definition.get("DisplayName"), definition["LogicalName"]),
        id_field=id_field,
        fields=dict(sorted(fields.items(), key=lambda item: (item[0] != id_field, item[0]))),
        cursors=tuple(name for name in CURSORS if name in fields),
        keys=active,
        companions=companions,
        survivor_field="masterid" if {"merged", "masterid"} <= fields.keys() else "",
        tracks_changes=definition.get("ChangeTrackingEnabled") is True,
        hidden={one["LogicalName"]: hidden[one["LogicalName"]] for one in every if one["LogicalName"] in hidden},
        version_field=VERSION if VERSION in fields and definition.get("IsOptimisticConcurrencyEnabled") is True else "",
    )
    return Table(
        schema,
        definition["EntitySetName"],
        {a["LogicalName"]: a.get("SchemaName") or "" for a in columns},
        elastic=definition.get("TableType") == "Elastic",
        versioned=definition.get("IsOptimisticConcurrencyEnabled") is True,
        activity=definition.get("IsActivity") is True,
    )


def summaries(definitions: Iterable[Json]) -> list[ObjectSummary]:
    """The tables that can be read as entity sets, by name."""
    found = [
        ObjectSummary(
            entry["LogicalName"],
            label_of(entry.get("DisplayName"), entry["LogicalName"]),
            custom=bool(entry.get("IsCustomEntity")),
        )
        for entry in definitions
        if entry.get("EntitySetName") and not entry.get("IsPrivate")
    ]
    return sorted(found, key=lambda summary: summary.name)


def type_of(attribute: Json) -> str:
    """A column's type without the ending: `String`, `MultiSelectPicklist` (whose AttributeType is only Virtual)."""
    name = (attribute.get("AttributeTypeName") or {}).get("Value") or attribute.get("AttributeType") or ""
    return str(name).removesuffix("Type")


def label_of(label: Json | None, otherwise: str) -> str:
    """A Label's text in the user's language, else its first."""
    if not label:
        return otherwise
    texts = [label.get("UserLocalizedLabel") or {}, *(label.get("LocalizedLabels") or [])]
    return next((str(text["Label"]) for text in texts if text.get("Label")), otherwise)


def _holds_a_value(attribute: Json) -> bool:
    """Columns with a value in OData: no shadows such as `owneridname`, nothing that this API does not show."""
    return (
        type_of(attribute) in _KINDS
        and not attribute.get("AttributeOf")
        and attribute.get("IsValidForRead") is not False
        and attribute.get("IsValidODataAttribute") is not False
    )


def _field(attribute: Json, details: Json, *, external: bool, primary: bool) -> Field:
    name, kind_name = attribute["LogicalName"], type_of(attribute)
    kind = _KINDS[kind_name]
    vendor_type = kind_name
    date_only = False
    if kind_name == "DateTime":
        behaviour = (details.get("DateTimeBehavior") or {}).get("Value") or "UserLocal"
        date_only = behaviour == "DateOnly"
        kind = Kind.DATE if date_only else Kind.DATETIME
        if behaviour == "TimeZoneIndependent":
            # Sent with a Z as well, but meant as a wall clock: whoever converts must be able to see it.
            vendor_type = WALL_CLOCK
    precision, scale = _digits(kind_name, details)
    required = (attribute.get("RequiredLevel") or {}).get("Value") or "None"
    createable = attribute.get("IsValidForCreate") is not False and kind_name not in _READ_ONLY
    return Field(
        name=name,
        label=label_of(attribute.get("DisplayName"), name),
        vendor_type=vendor_type,
        kind=kind,
        wire=f"_{name}_value" if kind_name in LOOKUPS else "",
        length=details.get("MaxLength"),
        precision=precision,
        scale=scale,
        nullable=required != "SystemRequired" and not primary,
        createable=createable,
        updateable=attribute.get("IsValidForUpdate") is not False and kind_name not in _READ_ONLY and not primary,
        # Columns that the system requires are filled by it (owner, state), and choices by their default.
        required_on_create=required == "ApplicationRequired" and createable and not _filled_by_default(details, kind),
        calculated=attribute.get("SourceType") in _CALCULATED_SOURCES,
        unique=external or primary,
        external_id=external,
        options=_options(details, kind_name),
        restricted=kind_name in LABELLED,
        references=tuple(details.get("Targets") or ()) if kind_name in LOOKUPS else (),
        date_only=date_only,
        wall_clock=vendor_type == WALL_CLOCK,
    )


def _limited(field: Field, access: Access) -> Field:
    """The field as far as column security lets it be written."""
    return replace(
        field,
        createable=field.createable and access.create,
        updateable=field.updateable and access.update,
        required_on_create=field.required_on_create and access.create,
    )


def _companions(field: Field) -> list[Field]:
    """What is read beside a choice or a lookup: the label; the table that it leads to, and the record's name.

    They are annotations of the value: nothing can be asked or written by them.
    """
    base = Field(
        name=f"{field.name}_label",
        label=f"{field.label} (label)",
        vendor_type="Label",
        kind=Kind.TEXT,
        wire=f"{field.on_wire}@{FORMATTED}",
        createable=False,
        updateable=False,
        filterable=False,
    )
    if field.vendor_type in LABELLED:
        return [base]
    if field.vendor_type not in LOOKUPS:
        return []
    table = replace(
        base,
        name=f"{field.name}_table",
        label=f"{field.label} (table)",
        vendor_type="EntityName",
        wire=f"{field.on_wire}@{TARGET_TABLE}",
    )
    return [table, replace(base, name=f"{field.name}_name", label=f"{field.label} (name)")]


def _filled_by_default(details: Json, kind: Kind) -> bool:
    default = details.get("DefaultFormValue")
    return kind is Kind.BOOLEAN or (default is not None and int(default) >= 0)


def _digits(kind_name: str, details: Json) -> tuple[int | None, int | None]:
    if kind_name == "Money":
        return MONEY_DIGITS, MONEY_SCALE
    scale = details.get("Precision")
    if kind_name == "Decimal":
        # Ten digits are the most a Decimal column can have, and so lose nothing where the cast did not tell.
        scale = 10 if scale is None else int(scale)
        return DECIMAL_WHOLE_DIGITS + scale, scale
    return None, scale if kind_name == "Double" else None


def _options(details: Json, kind_name: str) -> tuple[Option, ...]:
    local, shared = details.get("OptionSet") or {}, details.get("GlobalOptionSet") or {}
    if kind_name == "Boolean":
        # The values are sent as true and false, whatever numbers the two options have.
        two = {"true": "TrueOption", "false": "FalseOption"}
        named = {value: local.get(one) or shared.get(one) for value, one in two.items()}
        return tuple(Option(value, label_of(one.get("Label"), value)) for value, one in named.items() if one)
    if kind_name not in LABELLED:
        return ()
    chosen = details.get("DefaultFormValue")
    return tuple(
        Option(str(entry["Value"]), label_of(entry.get("Label"), str(entry["Value"])), default=entry["Value"] == chosen)
        for entry in local.get("Options") or shared.get("Options") or ()
    )
