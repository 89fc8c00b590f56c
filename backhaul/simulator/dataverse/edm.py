"""What a table is: attributes, option sets, keys, and the OData shape they take (dataverse-api.md §2).

Definitions only: :mod:`.tables` lists the tables of the simulated organisation, :mod:`.metadata` writes them out as
the service does.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

NAMESPACE = uuid.UUID("6f6a4c1e-5d0b-5d7a-9a3e-0d1c2b3a4f50")


def stable_id(*parts: str) -> str:
    """Give a GUID that is always the same for the same words: MetadataIds, the seeded users."""
    return str(uuid.uuid5(NAMESPACE, "/".join(parts)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an option set. `state` ties a status reason to its state; `default_status` a state to a reason."""

    value: int
    label: str
    state: int | None = None
    default_status: int | None = None


# AttributeType code name -> (AttributeTypeName.Value, metadata type, EDM type, DuckDB type); §2.3.
TYPES: Mapping[str, tuple[str, str, str, str]] = {
    "String": ("StringType", "StringAttributeMetadata", "Edm.String", "VARCHAR"),
    "Memo": ("MemoType", "MemoAttributeMetadata", "Edm.String", "VARCHAR"),
    "Integer": ("IntegerType", "IntegerAttributeMetadata", "Edm.Int32", "INTEGER"),
    "BigInt": ("BigIntType", "BigIntAttributeMetadata", "Edm.Int64", "BIGINT"),
    "Decimal": ("DecimalType", "DecimalAttributeMetadata", "Edm.Decimal", "DECIMAL(23,10)"),
    "Double": ("DoubleType", "DoubleAttributeMetadata", "Edm.Double", "DOUBLE"),
    "Money": ("MoneyType", "MoneyAttributeMetadata", "Edm.Decimal", "DECIMAL(19,4)"),
    "Boolean": ("BooleanType", "BooleanAttributeMetadata", "Edm.Boolean", "BOOLEAN"),
    "DateTime": ("DateTimeType", "DateTimeAttributeMetadata", "Edm.DateTimeOffset", "TIMESTAMP"),
    "Picklist": ("PicklistType", "PicklistAttributeMetadata", "Edm.Int32", "INTEGER"),
    "State": ("StateType", "StateAttributeMetadata", "Edm.Int32", "INTEGER"),
    "Status": ("StatusType", "StatusAttributeMetadata", "Edm.Int32", "INTEGER"),
    "MultiSelectPicklist": ("MultiSelectPicklistType", "MultiSelectPicklistAttributeMetadata", "Edm.String", "VARCHAR"),
    "Lookup": ("LookupType", "LookupAttributeMetadata", "Edm.Guid", "VARCHAR"),
    "Customer": ("CustomerType", "LookupAttributeMetadata", "Edm.Guid", "VARCHAR"),
    "Owner": ("OwnerType", "LookupAttributeMetadata", "Edm.Guid", "VARCHAR"),
    "Uniqueidentifier": ("UniqueidentifierType", "UniqueIdentifierAttributeMetadata", "Edm.Guid", "VARCHAR"),
    "File": ("FileType", "FileAttributeMetadata", "Edm.Guid", "VARCHAR"),
    "EntityName": ("EntityNameType", "EntityNameAttributeMetadata", "Edm.String", "VARCHAR"),
    "Virtual": ("VirtualType", "AttributeMetadata", "", ""),
}
LOOKUPS = ("Lookup", "Customer", "Owner")
CHOICES = ("Picklist", "State", "Status")
TEXTS = ("String", "Memo")


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column. Shadow columns (`attribute_of` set) stand in metadata but not in the OData type (§2.2)."""

    name: str
    type: str
    label: str
    schema_name: str = ""
    length: int = 100
    format: str = ""  # String: Text, Email, Phone, Url; DateTime: DateOnly, DateAndTime
    behavior: str = "UserLocal"
    precision: int = 0
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Choice, ...] = ()
    default: int | bool | None = None
    labels: tuple[str, str] = ("No", "Yes")  # Boolean: of false and true
    targets: tuple[str, ...] = ()
    required: str = "None"  # None, Recommended, ApplicationRequired, SystemRequired
    create: bool = True
    update: bool = True
    attribute_of: str | None = None
    calculated: bool = False
    added: bool = False  # by the organisation
    secured: bool = False  # by column security, from those who are in no profile that allows it
    forbidden: frozenset[str] = frozenset()  # to the callers: create, read, update
    # Of a lookup: table it leads to -> (relationship, collection-valued navigation property of that table).
    relationships: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False, compare=False)

    @property
    def date_only(self) -> bool:
        """Whether the column holds a date without a time."""
        return self.type == "DateTime" and self.behavior == "DateOnly"

    @property
    def is_lookup(self) -> bool:
        """Whether the column points at another row."""
        return self.type in LOOKUPS

    @property
    def wire(self) -> str:
        """The property's name in OData: ``_x_value`` for a lookup."""
        return f"_{self.name}_value" if self.is_lookup else self.name

    @property
    def edm(self) -> str:
        """The EDM type, empty where the column is not in OData."""
        return "Edm.Date" if self.date_only else TYPES[self.type][2]

    @property
    def duckdb(self) -> str:
        """The type of the stored column."""
        if self.date_only:
            return "DATE"
        if self.type == "Decimal":
            return f"DECIMAL({13 + self.precision},{self.precision})"
        return TYPES[self.type][3]

    @property
    def custom(self) -> bool:
        """Whether the organisation added the column itself."""
        return self.added or ("_" in self.name and self.name.split("_", 1)[0] == "new")

    @property
    def in_odata(self) -> bool:
        """Whether the OData type has the column."""
        return self.attribute_of is None and self.type not in ("Virtual", "EntityName")

    @property
    def polymorphic(self) -> bool:
        """Whether the lookup may lead to more than one table."""
        return self.is_lookup and len(self.targets) > 1

    @property
    def type_column(self) -> str:
        """The stored column that says which table a polymorphic lookup points at."""
        return f"{self.name}__type"

    @property
    def hidden(self) -> bool:
        """Whether the callers may not read the column: it is null to them, in rows and in conditions."""
        return "read" in self.forbidden

    def navigation(self, target: str) -> str:
        """Give the navigation property that leads to `target` (§2.4)."""
        if self.type == "Owner":
            return self.name
        if len(self.targets) > 1:
            return f"{self.name}_{target}"
        return self.schema_name if self.custom else self.name


@dataclass(frozen=True, slots=True)
class Key:
    """An alternate key over `columns` (logical names)."""

    name: str
    columns: tuple[str, ...]
    status: str = "Active"


@dataclass(frozen=True)
class Table:
    """A table definition. `attributes` holds every column, shadow columns included, by logical name."""

    name: str
    set_name: str
    label: str
    type_code: int
    attributes: Mapping[str, Attribute]
    primary_id: str
    primary_name: str
    keys: tuple[Key, ...] = ()
    ownership: str = "UserOwned"
    change_tracking: bool = True
    concurrency: bool = True
    schema_name: str = ""
    read_only: bool = False
    custom: bool = field(default=False)
    intersect: bool = False  # holds the pairs of an N:N relationship
    locks_inactive: bool = False  # an inactive row takes no change but of its state
    kind: str = "Standard"  # TableType: Standard or Elastic (§3.10)

    @cached_property
    def properties(self) -> dict[str, Attribute]:
        """The OData properties: wire name -> attribute, in the order they are written."""
        return {attribute.wire: attribute for attribute in self.attributes.values() if attribute.in_odata}

    @cached_property
    def navigations(self) -> dict[str, tuple[Attribute, tuple[str, ...]]]:
        """Single-valued navigation properties: name -> (lookup, the tables it may lead to)."""
        found: dict[str, tuple[Attribute, tuple[str, ...]]] = {}
        for attribute in self.attributes.values():
            if attribute.is_lookup:
                for target in attribute.targets:
                    name = attribute.navigation(target)
                    known = found.get(name, (attribute, ()))[1]
                    found[name] = (attribute, (*known, target))
        return found

    @cached_property
    def columns(self) -> dict[str, str]:
        """The stored columns and their DuckDB types, the primary key first."""
        found = {self.primary_id: "VARCHAR"}
        for attribute in self.attributes.values():
            if attribute.in_odata and attribute.name != self.primary_id:
                found[attribute.name] = attribute.duckdb
                if attribute.polymorphic:
                    found[attribute.type_column] = "VARCHAR"
        return found

    @cached_property
    def blank_row(self) -> Mapping[str, object]:
        """Every stored column with its default, most of them null."""
        found: dict[str, object] = dict.fromkeys(self.columns)
        for attribute in self.attributes.values():
            if attribute.in_odata and attribute.default is not None:
                found[attribute.name] = attribute.default
        return found

    @cached_property
    def demanded(self) -> tuple[str, ...]:
        """The columns that no row can be without."""
        every = self.attributes.values()
        return tuple(one.name for one in every if one.required == "SystemRequired" and one.in_odata)

    @cached_property
    def amounts(self) -> tuple[str, ...]:
        """The currency columns that have a twin in the base currency."""
        every = self.attributes.items()
        return tuple(name for name, one in every if one.type == "Money" and f"{name}_base" in self.attributes)

    @property
    def metadata_id(self) -> str:
        """The table's MetadataId."""
        return stable_id("entity", self.name)

    def with_attributes(self, *added: Attribute) -> Table:
        """Give the same table with more columns (and their shadow columns)."""
        attributes = dict(self.attributes)
        for attribute in added:
            for one in with_shadows(attribute):
                attributes[one.name] = one
        return replace(self, attributes=attributes)


def with_shadows(attribute: Attribute) -> list[Attribute]:
    """Give the attribute and the companions the service keeps beside it: ``<x>name``, ``<x>type`` (§2.2, §2.3)."""
    found = [attribute]
    shadow = {"create": False, "update": False, "attribute_of": attribute.name}
    if attribute.is_lookup:
        found.append(Attribute(f"{attribute.name}name", "String", "", length=100, **shadow))  # type: ignore[arg-type]  # one dict of keywords of several types
        if attribute.type in ("Customer", "Owner"):
            stem = attribute.name if attribute.type == "Customer" else "owner"
            found.append(Attribute(f"{stem}type", "EntityName", "", **shadow))  # type: ignore[arg-type]  # as above
    elif attribute.type == "File":  # its name is a property of its own
        found[0] = replace(attribute, create=False, update=False)
        found.append(Attribute(f"{attribute.name}_name", "String", "", length=200, create=False, update=False))
    elif attribute.type in (*CHOICES, "Boolean", "MultiSelectPicklist"):
        found.append(Attribute(f"{attribute.name}name", "Virtual", "", **shadow))  # type: ignore[arg-type]  # as above
    return found
