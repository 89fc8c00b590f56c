"""Salesforce describe -> :class:`~backhaul.record.ObjectSchema` (salesforce-api.md §3.3, §3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backhaul.errors import ConfigurationError
from backhaul.record import Field, Kind, ObjectSchema, ObjectSummary, Option

KINDS: dict[str, Kind] = {
    "id": Kind.ID,
    "reference": Kind.ID,
    "masterrecord": Kind.ID,
    "boolean": Kind.BOOLEAN,
    "int": Kind.INTEGER,
    "long": Kind.BIGINT,
    "double": Kind.DECIMAL,
    "currency": Kind.DECIMAL,
    "percent": Kind.DECIMAL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "time": Kind.TIME,
    "base64": Kind.BINARY,
}
"""Everything else is text: string, textarea, phone, url, email, picklist, multipicklist, combobox, encryptedstring,
anyType, and whatever Salesforce adds."""

LEFT_OUT = frozenset({"address", "location", "complexvalue"})
"""Compounds: their parts are fields of their own, and Bulk queries refuse them."""

OF_ANY_PARENT = (
    *("Name", "Type", "Email", "Phone", "Title", "FirstName", "LastName", "Username", "Alias", "NameOrAlias"),
    *("IsActive", "Id", "ProfileId", "UserRoleId", "RecordTypeId"),
)
"""What SOQL reads through a polymorphic reference: the fields of the object Name, whatever object the record is of.

`Type` is the API name of that object. https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta, "Name".
"""

CURSORS = ("LastModifiedDate", "SystemModstamp", "CreatedDate", "LoginTime")
"""Modification stamps, best first. The first is what people know; the second also sees system changes."""

MAX_PRECISION = 38
MOST_LEVELS = 5
"""Relationships that one field's name may go up (§4.3)."""


class Fields(dict[str, Field]):
    """An object's fields by name; a name such as ``Account.Owner.Name`` is looked up in the related objects.

    ``Lead:Who.Email`` is the field by which a reference to records of several objects is set to one of them. Only the
    object's own fields are listed. `describe` gives a related object's schema.
    """

    def __init__(self, own: Mapping[str, Field], describe: Callable[[str], ObjectSchema] | None) -> None:
        super().__init__(own)
        self._describe = describe
        self._related: dict[str, Field | None] = {}

    def __missing__(self, name: str) -> Field:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and self._find(name) is not None)

    def get(self, name: str, default: Any = None) -> Any:
        """The field of that name, of a related object too, else `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    def _find(self, name: str) -> Field | None:
        if "." not in name or self._describe is None or name.count(".") > MOST_LEVELS:
            return None
        if name not in self._related:
            self._related[name] = self._look_up(name)
        return self._related[name]

    def _look_up(self, name: str) -> Field | None:
        relation, _, rest = name.partition(".")
        of, colon, relation = relation.rpartition(":")
        reference = next((one for one in self.values() if one.relationship == relation), None)
        if reference is None or self._describe is None or bool(colon) > reference.polymorphic:
            return None
        if colon:
            # Only written: which object's record the reference is to be set to is said before the colon (§7).
            found = self._of_parent(of, rest) if of in reference.references else None
            return None if found is None or not found[1] else _through(reference, name, *found)
        if reference.polymorphic:
            if rest not in OF_ANY_PARENT:
                return None
            known = [one for target in reference.references if (one := self._of_parent(target, rest)) is not None]
            held = known[0][0] if known else Field(rest, rest, "string", Kind.TEXT)
            # The lengths of one object's field say nothing of another's; nor can a value be one of all of them.
            held = replace(held, length=None, options=(), restricted=False, filterable=True)
            return _through(reference, name, held, key=False)
        for target in reference.references:
            found = self._of_parent(target, rest)
            if found is not None:
                return _through(reference, name, *found)
        return None

    def _of_parent(self, object: str, rest: str) -> tuple[Field, bool] | None:
        """A related object's field, and whether it is a key by which the reference can be set (§6.4)."""
        assert self._describe is not None
        try:
            parent = self._describe(object)
        except ConfigurationError:
            return None  # this user may not see it
        if rest not in parent.fields:
            return None
        return parent.fields[rest], "." not in rest and (rest,) in parent.keys


def _through(reference: Field, name: str, found: Field, key: bool) -> Field:
    """A related record's field, as it is read or (by a `key` alone) written through `reference`."""
    return replace(
        found,
        name=name,
        label=f"{reference.label}: {found.label}",
        wire="",
        createable=key and reference.createable,
        updateable=key and reference.updateable,
        required_on_create=False,
        nullable=True,
        unique=False,
        external_id=False,
        relationship="",
        polymorphic=False,
    )


def object_schema(
    account: str, body: Mapping[str, Any], describe: Callable[[str], ObjectSchema] | None = None
) -> ObjectSchema:
    """The schema of a describe reply: its fields in describe order, those of LEFT_OUT not among them.

    With `describe`, names of fields of related objects can be looked up in `fields`.
    """
    own = {str(item["name"]): field(item) for item in body.get("fields", ()) if item.get("type") not in LEFT_OUT}
    fields = Fields(own, describe)
    compounds = {str(item["name"]) for item in body.get("fields", ()) if item.get("type") in ("address", "location")}
    parts = {
        name: tuple(
            str(item["name"])
            for item in body.get("fields", ())
            if item.get("compoundFieldName") == name and item.get("type") not in LEFT_OUT
        )
        for name in compounds
    }
    keys = tuple(
        (str(item["name"]),)
        for item in body.get("fields", ())
        if (item.get("externalId") or item.get("idLookup")) and item.get("type") != "id"
    )
    return ObjectSchema(
        account=account,
        name=str(body["name"]),
        label=str(body.get("label") or body["name"]),
        id_field="Id",
        fields=fields,
        cursors=tuple(name for name in CURSORS if name in fields),
        keys=keys,
        deletable=bool(body.get("deletable", True)),
        compounds=parts,
        lists_deletions="IsDeleted" in fields or bool(body.get("replicateable", False)),
    )


def field(item: Mapping[str, Any]) -> Field:
    """One field of describe. `nillable` holds for writing only: old rows may hold null in fields required later."""
    vendor_type = str(item.get("type", "string"))
    kind = KINDS.get(vendor_type, Kind.TEXT)
    precision, scale = int(item.get("precision") or 0), int(item.get("scale") or 0)
    if kind is Kind.DECIMAL and not max(1, scale) <= precision <= MAX_PRECISION:
        # Some formulas and system fields tell no digits: a binary double is what the API sends then.
        kind = Kind.DOUBLE
    exact = kind is Kind.DECIMAL
    nillable = bool(item.get("nillable", True))
    createable = bool(item.get("createable", False))
    return Field(
        name=str(item["name"]),
        label=str(item.get("label") or item["name"]),
        vendor_type=vendor_type,
        kind=kind,
        length=int(item["length"]) if kind in (Kind.TEXT, Kind.ID) and item.get("length") else None,
        precision=precision if exact else None,
        scale=scale if exact else None,
        nullable=nillable,
        createable=createable,
        updateable=bool(item.get("updateable", False)),
        required_on_create=createable and not nillable and not item.get("defaultedOnCreate", False),
        calculated=bool(item.get("calculated", False)),
        unique=bool(item.get("unique", False)),
        external_id=bool(item.get("externalId", False)),
        case_sensitive=bool(item.get("caseSensitive", False)),
        filterable=bool(item.get("filterable", True)),
        options=tuple(option(entry) for entry in item.get("picklistValues") or ()),
        restricted=bool(item.get("restrictedPicklist", False)),
        references=tuple(str(name) for name in item.get("referenceTo") or ()),
        relationship=str(item.get("relationshipName") or ""),
        polymorphic=bool(item.get("polymorphicForeignKey") or item.get("namePointing"))
        or len(item.get("referenceTo") or ()) > 1,
        date_only=kind is Kind.DATE,
    )


def option(entry: Mapping[str, Any]) -> Option:
    """One picklist value; `value` is what the API stores."""
    value = str(entry.get("value", ""))
    return Option(
        value, str(entry.get("label") or value), bool(entry.get("active", True)), bool(entry.get("defaultValue", False))
    )


def object_summaries(body: Mapping[str, Any]) -> list[ObjectSummary]:
    """The objects of a global describe that can be queried, by name."""
    found = [
        ObjectSummary(str(item["name"]), str(item.get("label") or item["name"]), bool(item.get("custom", False)))
        for item in body.get("sobjects", ())
        if item.get("queryable", True) and not item.get("deprecatedAndHidden", False)
    ]
    return sorted(found, key=lambda summary: summary.name)
