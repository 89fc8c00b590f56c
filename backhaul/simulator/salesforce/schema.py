"""Objects and fields of the simulated org, apart from how describe prints them and how SOQL reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from backhaul.simulator.store import quote

TEXTS = frozenset(
    {"string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox", "encryptedstring"}
)
NUMBERS = frozenset({"int", "double", "currency", "percent"})
IDS = frozenset({"id", "reference"})
COMPOUNDS = frozenset({"address", "location"})
BLOB = "base64"
_COLUMNS = {"boolean": "BOOLEAN", "int": "INTEGER", "date": "DATE", "datetime": "TIMESTAMP"}


@dataclass(frozen=True, slots=True)
class FieldDef:
    """One field. `length` in characters; `precision` and `scale` as describe has them, `digits` for int.

    `expression` makes it calculated: SQL over the record, which is written ``{t}``. `compound` names the compound
    field it is a part of. `relationship` is what SOQL calls a lookup's parent, `children` what the parent calls the
    records that look up to it. `default` is what a new record gets when the field is not sent. `values` are picklist
    values in the order of their definition; with `controller` (another field) `depends` names for each value those of
    the controller that allow it. `cascade`: the record goes when the one it looks up to is deleted, and a custom field
    of that kind is a master-detail relationship. `auto_number` is the pattern that numbers new records (``A-{0000}``).
    """

    name: str
    type: str = "string"
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    default: Any = None
    values: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    compound: str | None = None
    expression: str | None = None
    name_field: bool = False
    controller: str | None = None
    depends: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cascade: bool = False
    auto_number: str | None = None

    @property
    def custom(self) -> bool:
        """Whether it was added to the org."""
        return self.name.endswith(("__c", "__s"))

    @property
    def stored(self) -> bool:
        """Whether records hold a value for it (calculated and compound fields are made when read)."""
        return self.expression is None and self.type not in COMPOUNDS

    @property
    def long_text(self) -> bool:
        """Whether it is a text area too long to filter and sort by."""
        return self.type == "textarea" and self.length > 255

    @property
    def filterable(self) -> bool:
        """Whether WHERE takes it."""
        return not (self.long_text or self.type in COMPOUNDS or self.type in ("encryptedstring", BLOB))

    @property
    def sortable(self) -> bool:
        """Whether ORDER BY takes it."""
        return self.filterable and self.type != "multipicklist"

    @property
    def required(self) -> bool:
        """Whether a new record must bring a value."""
        return self.createable and not self.nillable and not self.defaulted

    @property
    def defaulted(self) -> bool:
        """describe's ``defaultedOnCreate``."""
        return self.default is not None or (not self.createable and not self.nillable) or self.name == "OwnerId"

    def column(self) -> str:
        """The DuckDB type it is stored as."""
        return "DOUBLE" if self.type in NUMBERS - {"int"} else _COLUMNS.get(self.type, "VARCHAR")

    def sql(self, alias: str, parts: Iterable[FieldDef] = ()) -> str:
        """Its value in the record that SQL calls `alias`; a compound is a struct of `parts` (null when all are), bytes
        are shown as the id of their record (queries give the address of the bytes, never the bytes)."""
        if self.expression is not None:
            return "(" + self.expression.replace("{t}", alias) + ")"
        if self.type == BLOB:
            return f'CASE WHEN {alias}.{quote(self.name)} IS NOT NULL THEN {alias}."Id" END'
        if self.type not in COMPOUNDS:
            return f"{alias}.{quote(self.name)}"
        pieces = {part.name: f"{alias}.{quote(part.name)}" for part in parts}
        return _compound(self, pieces)


@dataclass(frozen=True, slots=True)
class ObjectDef:
    """One object: its key prefix (first three characters of its ids) and its fields by lower-cased name. Queries of an
    object with `filtered_by` must filter by one of those fields."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: Mapping[str, FieldDef] = field(default_factory=dict)
    writable: bool = True
    mergeable: bool = False
    filtered_by: tuple[str, ...] = ()

    @property
    def custom(self) -> bool:
        """Whether it was added to the org."""
        return self.name.endswith("__c")

    @property
    def keeps_deleted(self) -> bool:
        """Whether deleted records stay in the recycle bin (it has IsDeleted)."""
        return "isdeleted" in self.fields

    def find(self, name: str) -> FieldDef | None:
        """The field of this name, letter case aside."""
        return self.fields.get(name.lower())

    def relation(self, name: str) -> FieldDef | None:
        """The lookup field whose relationship has this name."""
        wanted = name.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def child(self, name: str, objects: Iterable[ObjectDef]) -> tuple[ObjectDef, FieldDef] | None:
        """The object and its lookup to this one whose child relationship has this name."""
        wanted = name.lower()
        for other in objects:
            for f in other.fields.values():
                if self.name in f.reference_to and f.children and f.children.lower() == wanted:
                    return other, f
        return None

    def parts(self, compound: FieldDef) -> list[FieldDef]:
        """The fields a compound field is made of."""
        return [f for f in self.fields.values() if f.compound == compound.name and f.name != compound.name]

    def columns(self) -> dict[str, str]:
        """The stored columns (name -> DuckDB type), Id first."""
        return {f.name: f.column() for f in self.fields.values() if f.stored}

    def with_fields(self, fields: Iterable[FieldDef]) -> ObjectDef:
        """The same with `fields` added or replaced."""
        return replace(self, fields={**self.fields, **{f.name.lower(): f for f in fields}})

    def without(self, names: Iterable[str]) -> ObjectDef:
        """The same as a user sees it who may not read the fields named."""
        hidden = {name.lower() for name in names}
        return replace(self, fields={key: f for key, f in self.fields.items() if key not in hidden}) if hidden else self


def fields_by_name(fields: Iterable[FieldDef]) -> dict[str, FieldDef]:
    """As `ObjectDef.fields` wants them."""
    return {f.name.lower(): f for f in fields}


def field_from(settings: Mapping[str, Any]) -> FieldDef:
    """A field from JSON: the attributes of :class:`FieldDef` by name. Raises ValueError for an unknown one."""
    known = FieldDef.__dataclass_fields__
    unknown = set(settings) - set(known)
    if unknown or "name" not in settings:
        raise ValueError(f"a field has a name and {', '.join(known)}; found {', '.join(sorted(unknown)) or 'no name'}")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()
    }
    made = FieldDef(**values)
    if made.type in ("string", "textarea", "phone", "url", "email", "picklist", "multipicklist") and not made.length:
        made = replace(made, length=4099 if made.type == "multipicklist" else 255)
    if made.type in ("double", "currency", "percent") and not made.precision:
        made = replace(made, precision=18)
    if made.expression is not None:
        made = replace(made, createable=False, updateable=False)
    if made.type == "reference":
        named = made.name.removesuffix("__c")
        made = replace(made, length=18, relationship=made.relationship or f"{named}__r")
    if made.auto_number is not None:
        made = replace(made, nillable=False, createable=False, updateable=False)
    if made.type in COMPOUNDS:
        made = replace(made, createable=False, updateable=False)
    if made.cascade and made.custom:
        made = replace(made, nillable=False, updateable="updateable" in settings and made.updateable)
    if made.type == "boolean" and made.expression is None:
        made = replace(made, nillable=False, default=bool(made.default))
    return made if made.label else replace(made, label=made.name.removesuffix("__c").replace("_", " "))


def with_parts(fields: Iterable[FieldDef]) -> list[FieldDef]:
    """`fields`, and the latitude and longitude of each location among them that does not bring its own."""
    given = list(fields)
    there = {one.name.lower() for one in given}
    for one in list(given):
        named = one.name.removesuffix("__c")
        for part in ("Latitude", "Longitude"):
            name = f"{named}__{part}__s"
            if one.type == "location" and name.lower() not in there:
                label = f"{one.label} ({part})"
                given.append(FieldDef(name, "double", label, precision=18, scale=15, compound=one.name))
    return given


def field_as_json(made: FieldDef) -> dict[str, Any]:
    """What `field_from` reads."""
    return asdict(made)


def _compound(compound: FieldDef, pieces: Mapping[str, str]) -> str:
    def piece(ending: str) -> str:
        return next((sql for name, sql in pieces.items() if name.endswith(ending)), "NULL")

    if compound.type == "location":
        parts = {"latitude": piece("Latitude__s"), "longitude": piece("Longitude__s")}
    else:
        parts = {
            "city": piece("City"),
            "country": piece("Country"),
            "geocodeAccuracy": piece("GeocodeAccuracy"),
            "latitude": piece("Latitude"),
            "longitude": piece("Longitude"),
            "postalCode": piece("PostalCode"),
            "state": piece("State"),
            "street": piece("Street"),
        }
    body = ", ".join(f"{name} := {sql}" for name, sql in parts.items())
    nothing = " AND ".join(f"{sql} IS NULL" for sql in pieces.values()) or "true"
    return f"CASE WHEN {nothing} THEN NULL ELSE struct_pack({body}) END"
