"""Objects and fields as describe prints them: every property of the real answer. Rests on salesforce-api.md §3."""

from __future__ import annotations

import base64
from typing import Any

from backhaul.simulator.salesforce.schema import IDS, TEXTS, FieldDef, ObjectDef

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
    "location": "urn:location",
    "base64": "xsd:base64Binary",
    **dict.fromkeys(("double", "currency", "percent"), "xsd:double"),
}


def global_entry(kind: ObjectDef, root: str) -> dict[str, Any]:
    """`kind` as an entry of the global describe; `root` is the path of the API version."""
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": kind.writable,
        "custom": kind.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": kind.writable and kind.name != "User",
        "deprecatedAndHidden": False,
        "feedEnabled": kind.writable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": kind.prefix,
        "label": kind.label,
        "labelPlural": kind.plural,
        "layoutable": True,
        "mergeable": kind.mergeable,
        "mruEnabled": kind.writable,
        "name": kind.name,
        "queryable": True,
        "replicateable": kind.name != "Organization",
        "retrieveable": True,
        "searchable": kind.writable,
        "triggerable": kind.writable,
        "undeletable": kind.keeps_deleted,
        "updateable": kind.writable,
        "urls": {
            "sobject": f"{root}/sobjects/{kind.name}",
            "describe": f"{root}/sobjects/{kind.name}/describe",
            "rowTemplate": f"{root}/sobjects/{kind.name}/{{ID}}",
        },
    }


def full(kind: ObjectDef, root: str, objects: list[ObjectDef]) -> dict[str, Any]:
    """The sObject describe of `kind`; `objects` are those of the org, for the child relationships."""
    children: list[dict[str, Any]] = [
        {
            "cascadeDelete": f.cascade,
            "childSObject": other.name,
            "deprecatedAndHidden": False,
            "field": f.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": f.children,
            "restrictedDelete": False,
        }
        for other in objects
        for f in other.fields.values()
        if kind.name in f.reference_to
    ]
    master = {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": {"layout": f"{root}/sobjects/{kind.name}/describe/layouts/012000000000000AAA"},
    }
    return {
        **global_entry(kind, root),
        "actionOverrides": [],
        "childRelationships": children,
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [field(kind, f) for f in kind.fields.values()],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [master],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {kind.plural.lower()}", "name": "everything"}],
    }


def field(kind: ObjectDef, f: FieldDef) -> dict[str, Any]:
    """One field with all of its properties."""
    text = f.type in TEXTS
    writable = kind.writable and f.stored
    master = f.cascade and f.custom
    length = f.length if text or f.type in IDS else 0
    return {
        "aggregatable": f.filterable and f.type not in ("boolean", "multipicklist"),
        "aiPredictionField": False,
        "autoNumber": f.auto_number is not None,
        "byteLength": length if f.type in IDS else length * 3,
        "calculated": f.expression is not None and f.custom,
        "calculatedFormula": f"/* {f.name} */" if f.expression is not None and f.custom else None,
        "cascadeDelete": f.cascade,
        "caseSensitive": f.case_sensitive,
        "compoundFieldName": "Name" if f.name_field and f.expression is not None else f.compound,
        "controllerName": f.controller,
        "createable": writable and f.createable,
        "custom": f.custom,
        "defaultValue": f.default if f.type == "boolean" else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": f.defaulted,
        "dependentPicklist": f.controller is not None,
        "deprecatedAndHidden": False,
        "digits": f.digits,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": f.external_id,
        "extraTypeInfo": "plaintextarea" if f.type == "textarea" else "personname" if _person(f) else None,
        "filterable": f.filterable,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": False,
        "groupable": f.filterable and f.type not in ("datetime", "double", "currency", "percent", "multipicklist"),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": f.id_lookup,
        "inlineHelpText": None,
        "label": f.label,
        "length": length,
        "mask": None,
        "maskType": None,
        "name": f.name,
        "nameField": f.name_field,
        "namePointing": len(f.reference_to) > 1,
        "nillable": f.nillable,
        "permissionable": f.stored and f.createable and f.nillable,
        "picklistValues": [_choice(kind, f, value) for value in f.values],
        "polymorphicForeignKey": len(f.reference_to) > 1,
        "precision": f.precision,
        "queryByDistance": False,
        "referenceTargetField": None,
        "referenceTo": list(f.reference_to),
        "relationshipName": f.relationship,
        "relationshipOrder": 0 if master else None,
        "restrictedDelete": False,
        "restrictedPicklist": f.restricted,
        "scale": f.scale,
        "searchPrefilterable": f.type in IDS,
        "soapType": _SOAP.get(f.type, "xsd:string"),
        "sortable": f.sortable,
        "type": f.type,
        "unique": f.unique,
        "updateable": writable and f.updateable,
        "writeRequiresMasterRead": master,
    }


def _choice(kind: ObjectDef, f: FieldDef, value: str) -> dict[str, Any]:
    valid = _valid_for(kind, f, value)
    return {"active": True, "defaultValue": value == f.default, "label": value, "validFor": valid, "value": value}


def _valid_for(kind: ObjectDef, f: FieldDef, value: str) -> str | None:
    """Which values of the controlling field allow `value`: a bit each, the first the highest, as base64."""
    controller = kind.find(f.controller) if f.controller else None
    if controller is None:
        return None
    choices = ("false", "true") if controller.type == "boolean" else controller.values
    bits = bytearray(-(-len(choices) // 8) or 1)
    for place, choice in enumerate(choices):
        if choice in f.depends.get(value, ()):
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bits).decode()


def _person(f: FieldDef) -> bool:
    return f.name_field and f.expression is not None
