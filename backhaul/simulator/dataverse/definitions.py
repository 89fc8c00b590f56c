"""Definitions as the service writes them: tables, columns, choices, keys, relationships (dataverse-api.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .edm import TYPES, Attribute, Choice, Key, Table, stable_id
from .relations import ManyToMany, OneToMany

if TYPE_CHECKING:
    from .org import DataverseOrg

Json = dict[str, Any]
_NAMESPACE = "Microsoft.Dynamics.CRM."
_FORMATS = {"Text": "Text", "Email": "Email", "Phone": "Phone", "Url": "Url", "TextArea": "TextArea"}
_SINCE = "1900-01-01T00:00:00Z"
# What every table says alike.
_TABLE_FALSE = (
    "AutoRouteToOwnerQueue EntityHelpUrlEnabled HasEmailAddresses HasFeedback IsAIRUpdated IsActivity IsActivityParty "
    "IsArchivalEnabled IsAvailableOffline IsBPFEntity IsBusinessProcessEnabled IsChildEntity "
    "IsDocumentManagementEnabled IsDocumentRecommendationsEnabled IsEnabledForExternalChannels IsEnabledForTrace "
    "IsInteractionCentricEnabled IsKnowledgeManagementEnabled IsLogicalEntity IsMSTeamsIntegrationEnabled IsPrivate "
    "IsOneNoteIntegrationEnabled IsQuickCreateEnabled IsReadingPaneEnabled IsRetentionEnabled IsRetrieveAuditEnabled "
    "IsRetrieveMultipleAuditEnabled IsSLAEnabled IsSolutionAware UsesBusinessDataLabelTable AutoCreateAccessTeams "
    "EnforceStateTransitions"
)
_TABLE_NULL = (
    "DataProviderId DataSourceId EntityColor EntityHelpUrl ExternalCollectionName ExternalName HasChanged "
    "IconLargeName IconMediumName IconSmallName IconVectorName MobileOfflineFilters OwnerId OwnerIdType "
    "OwningBusinessUnit PrimaryImageAttribute RecurrenceBaseEntityLogicalName SettingOf"
)
_TABLE_MANAGED = {
    "CanBeInCustomEntityAssociation": True,
    "CanBeInManyToMany": True,
    "CanBePrimaryEntityInRelationship": True,
    "CanBeRelatedEntityInRelationship": True,
    "CanChangeHierarchicalRelationship": True,
    "CanChangeTrackingBeEnabled": True,
    "CanCreateAttributes": True,
    "CanCreateCharts": True,
    "CanCreateForms": True,
    "CanCreateViews": True,
    "CanEnableSyncToExternalSearchIndex": True,
    "CanModifyAdditionalSettings": True,
    "IsAuditEnabled": False,
    "IsConnectionsEnabled": True,
    "IsCustomizable": True,
    "IsDuplicateDetectionEnabled": True,
    "IsMailMergeEnabled": True,
    "IsMappable": True,
    "IsOfflineInMobileClient": True,
    "IsReadOnlyInMobileClient": False,
    "IsRenameable": True,
    "IsValidForQueue": False,
    "IsVisibleInMobile": False,
    "IsVisibleInMobileClient": True,
}


def label(text: str) -> Json:
    """Give a Label with one language."""
    if not text:
        return {"LocalizedLabels": [], "UserLocalizedLabel": None}
    one = {
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": True,
        "MetadataId": stable_id("label", text),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}


def managed(value: Any, name: str = "", *, can_change: bool = True) -> Json:
    """Give a managed property."""
    return {"Value": value, "CanBeChanged": can_change, "ManagedPropertyLogicalName": name}


def entity_json(table: Table) -> Json:
    """Give the definition of a table without what is expanded (§2.2)."""
    found: Json = {
        "MetadataId": table.metadata_id,
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": table.set_name,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name or None,
        "ObjectTypeCode": table.type_code,
        "OwnershipType": table.ownership,
        "IsCustomEntity": table.custom,
        "IsManaged": not table.custom,
        "IsIntersect": table.intersect,
        "TableType": table.kind,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsOptimisticConcurrencyEnabled": table.concurrency,
        "Description": label(""),
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.label + "s"),
        "ActivityTypeMask": 0,
        "CanTriggerWorkflow": not table.intersect,
        "CreatedOn": _SINCE,
        "ModifiedOn": _SINCE,
        "DaysSinceRecordLastModified": 0,
        "HasActivities": not table.custom,
        "HasNotes": True,
        "IntroducedVersion": "5.0.0.0",
        "IsEnabledForCharts": True,
        "IsImportable": True,
        "IsStateModelAware": "statecode" in table.attributes,
        "IsValidForAdvancedFind": True,
        "Privileges": [] if table.intersect else [_privilege(table, verb) for verb in _PRIVILEGES],
        "ReportViewName": f"Filtered{table.name}",
        "Settings": [],
        "SyncToExternalSearchIndex": False,
    }
    found |= dict.fromkeys(_TABLE_FALSE.split(), False) | dict.fromkeys(_TABLE_NULL.split())
    return found | {name: managed(value, name.lower()) for name, value in _TABLE_MANAGED.items()}


_PRIVILEGES = ("Create", "Read", "Write", "Delete", "Assign", "Share", "Append", "AppendTo")


def _privilege(table: Table, verb: str) -> Json:
    name = f"prv{verb}{table.schema_name}"
    levels = {"CanBeBasic": True, "CanBeLocal": True, "CanBeDeep": True, "CanBeGlobal": True}
    more = {"CanBeEntityReference": False, "CanBeParentEntityReference": False, "CanBeRecordFilter": False}
    return {**levels, **more, "Name": name, "PrivilegeId": stable_id("privilege", name), "PrivilegeType": verb}


def attribute_json(table: Table, attribute: Attribute, number: int) -> Json:
    """Give the definition of a column with the properties of its own type; option sets stay out (§2.1, §2.2)."""
    type_name, kind, _, _ = TYPES[attribute.type]
    code = "Virtual" if attribute.type in ("MultiSelectPicklist", "File") else attribute.type
    readable = attribute.type != "Virtual"
    found: Json = {
        "@odata.type": f"#{_NAMESPACE}{kind}",
        "MetadataId": stable_id("attribute", table.name, attribute.name),
        "LogicalName": attribute.name,
        "SchemaName": attribute.schema_name or _schema_name(attribute.name),
        "AttributeType": code,
        "AttributeTypeName": {"Value": type_name},
        "EntityLogicalName": table.name,
        "AttributeOf": attribute.attribute_of,
        "ColumnNumber": number,
        "Description": label(""),
        "DisplayName": label(attribute.label),
        "IsValidForRead": readable,
        "IsValidForCreate": attribute.create,
        "IsValidForUpdate": attribute.update,
        "IsValidODataAttribute": attribute.in_odata,
        "IsPrimaryId": attribute.name == table.primary_id,
        "IsPrimaryName": attribute.name == table.primary_name,
        "IsLogical": attribute.attribute_of is not None,
        "IsCustomAttribute": attribute.custom,
        "IsManaged": not attribute.custom,
        "IsFilterable": attribute.in_odata,
        "IsSecured": attribute.secured,
        "SourceType": 1 if attribute.calculated else 0,
        "RequiredLevel": managed(attribute.required, "canmodifyrequirementlevelsettings"),
        "CanBeSecuredForCreate": attribute.create,
        "CanBeSecuredForRead": readable,
        "CanBeSecuredForUpdate": attribute.update,
        "CanModifyAdditionalSettings": managed(True, "canmodifyadditionalsettings"),
        "CreatedOn": _SINCE,
        "ModifiedOn": _SINCE,
        "IntroducedVersion": "5.0.0.0",
        "IsAuditEnabled": managed(True, "canmodifyauditsettings"),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsDataSourceSecret": False,
        "IsGlobalFilterEnabled": managed(False, "canmodifyglobalfiltersettings"),
        "IsRenameable": managed(True, "isrenameable"),
        "IsRequiredForForm": False,
        "IsRetrievable": True,
        "IsSearchable": False,
        "IsSortableEnabled": managed(False, "canmodifyissortablesettings"),
        "IsValidForAdvancedFind": managed(attribute.in_odata, "canmodifysearchsettings"),
        "IsValidForForm": attribute.in_odata,
        "IsValidForGrid": attribute.in_odata,
    }
    nulls = "AutoNumberFormat DeprecatedVersion ExternalName HasChanged InheritsFrom LinkedAttributeId SettingOf"
    return found | dict.fromkeys(nulls.split()) | _typed(attribute)


_FORMULA: Json = {"FormulaDefinition": "", "SourceTypeMask": 0}


def _typed(attribute: Attribute) -> Json:
    low, high = attribute.minimum, attribute.maximum
    match attribute.type:
        case "String":
            shown = _FORMATS.get(attribute.format, "Text")
            longest = {"MaxLength": attribute.length, "DatabaseLength": attribute.length * 2}
            return longest | {
                "Format": shown,
                "FormatName": {"Value": shown},
                "ImeMode": "Auto",
                "IsLocalizable": False,
                "YomiOf": None,
                **_FORMULA,
            }
        case "Memo":
            shown = attribute.format if attribute.format in _FORMATS else "TextArea"
            memo: Json = {"MaxLength": attribute.length, "Format": shown, "FormatName": {"Value": shown}}
            return memo | {"ImeMode": "Auto", "IsLocalizable": False}
        case "Integer":
            least, most = -(2**31) if low is None else int(low), 2**31 - 1 if high is None else int(high)
            return {"MinValue": least, "MaxValue": most, "Format": "None", **_FORMULA}
        case "BigInt":
            return {"MinValue": -(2**63), "MaxValue": 2**63 - 1}
        case "Decimal" | "Double" | "Money":
            widest = 100_000_000_000
            bounds: Json = {"MinValue": -widest if low is None else low, "MaxValue": widest if high is None else high}
            bounds |= {"Precision": attribute.precision, "ImeMode": "Disabled"}
            if attribute.type != "Double":
                bounds |= _FORMULA
            if attribute.type == "Money":
                base = attribute.name.endswith("_base")
                bounds |= {"PrecisionSource": 2, "IsBaseCurrency": base}
                bounds["CalculationOf"] = attribute.name.removesuffix("_base") if base else None
            return bounds
        case "Boolean":
            return {"DefaultValue": bool(attribute.default), **_FORMULA}
        case "DateTime":
            shown = attribute.format or "DateAndTime"
            behavior = {"Value": attribute.behavior}
            return {
                "Format": shown,
                "DateTimeBehavior": behavior,
                "ImeMode": "Auto",
                "CanChangeDateTimeBehavior": managed(False, "canchangedatetimebehavior"),
                "MinSupportedValue": "1753-01-01T00:00:00Z",
                "MaxSupportedValue": "9999-12-30T23:59:59Z",
                **_FORMULA,
            }
        case "Picklist" | "State" | "Status" | "MultiSelectPicklist":
            found: Json = {"DefaultFormValue": -1 if attribute.default is None else int(attribute.default)}
            if attribute.type == "Picklist":
                found |= {"ParentPicklistLogicalName": None, "ChildPicklistLogicalNames": [], **_FORMULA}
            return found
        case "File":
            return {"MaxSizeInKB": 32_768}
        case "Lookup" | "Customer" | "Owner":
            return {"Targets": list(attribute.targets), "Format": "None"}
    return {}


def option_set_json(table: Table, attribute: Attribute) -> Json | None:
    """Give the OptionSet of a choice, state, status or two-option column; None for others (§2.2)."""
    name = f"{table.name}_{attribute.name}"
    head: Json = {
        "MetadataId": stable_id("optionset", name),
        "Name": name,
        "IsGlobal": False,
        "IsManaged": not attribute.custom,
        "IsCustomOptionSet": attribute.custom,
        "DisplayName": label(attribute.label),
        "Description": label(""),
    }
    if attribute.type == "Boolean":
        no, yes = (option_json(Choice(value, text)) for value, text in enumerate(attribute.labels))
        return head | {"OptionSetType": "Boolean", "TrueOption": yes, "FalseOption": no}
    if attribute.type in ("Picklist", "MultiSelectPicklist", "State", "Status"):
        kind = "Picklist" if attribute.type == "MultiSelectPicklist" else attribute.type
        return head | {"OptionSetType": kind, "Options": [option_json(one) for one in attribute.choices]}
    return None


def option_json(choice: Choice) -> Json:
    """Give one option of a choice."""
    found: Json = {
        "Value": choice.value,
        "Label": label(choice.label),
        "Description": label(""),
        "Color": None,
        "ExternalValue": "",
        "IsManaged": True,
        "MetadataId": None,
        "HasChanged": None,
    }
    if choice.default_status is not None:
        kind = "StateOptionMetadata"
        found |= {"DefaultStatus": choice.default_status, "InvariantName": choice.label}
    elif choice.state is not None:
        kind = "StatusOptionMetadata"
        found |= {"State": choice.state, "TransitionData": None}
    else:
        return found
    return {"@odata.type": f"#{_NAMESPACE}{kind}", **found}


def key_json(table: Table, key: Key) -> Json:
    """Give an alternate key (§2.2)."""
    return {
        "MetadataId": stable_id("key", table.name, key.name),
        "LogicalName": key.name,
        "SchemaName": key.name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status,
        "DisplayName": label(key.name),
        "IsManaged": False,
        "HasChanged": None,
        "AsyncJob": None,
        "IntroducedVersion": "1.0.0.0",
        "IsCustomizable": managed(True, "iscustomizable"),
        "IsExportKey": False,
        "IsSecondaryKey": False,
        "IsSynchronous": False,
    }


def relationship_json(org: DataverseOrg, one: OneToMany) -> Json:
    """Give a 1:N relationship."""
    return {
        "@odata.type": f"#{_NAMESPACE}OneToManyRelationshipMetadata",
        "MetadataId": stable_id("relationship", one.name),
        "SchemaName": one.name,
        "RelationshipType": "OneToManyRelationship",
        "SecurityTypes": "None",
        "IsValidForAdvancedFind": True,
        "IsManaged": not one.attribute.custom,
        "IsCustomRelationship": one.attribute.custom,
        "IsCustomizable": managed(True, "iscustomizable"),
        "ReferencingEntity": one.referencing,
        "ReferencingAttribute": one.attribute.name,
        "ReferencedEntity": one.referenced,
        "ReferencedAttribute": org.tables[one.referenced].primary_id,
        "ReferencingEntityNavigationPropertyName": one.navigation,
        "ReferencedEntityNavigationPropertyName": one.collection,
        "IsHierarchical": False,
        "CascadeConfiguration": {
            "Assign": "NoCascade",
            "Delete": one.on_delete,
            "Merge": "Cascade",
            "Reparent": "NoCascade",
            "Share": "NoCascade",
            "Unshare": "NoCascade",
            "RollupView": "NoCascade",
            "Archive": "NoCascade",
        },
        "AssociatedMenuConfiguration": _menu(),
        "RelationshipBehavior": 1,
        "RelationshipAttributes": [],
        "EntityKey": None,
        "IsRelationshipAttributeDenormalized": False,
        "IsDenormalizedLookup": False,
        "DenormalizedAttributeName": None,
        "IntroducedVersion": "5.0.0.0",
        "HasChanged": None,
    }


def _menu() -> Json:
    """Give how a related list shows in a form's menu."""
    found: Json = {"Behavior": "UseCollectionName", "Group": "Details", "Order": None, "IsCustomizable": True}
    found |= {"Icon": None, "ViewId": None, "AvailableOffline": True, "MenuId": None, "QueryApi": None}
    return found | {"Label": label("")}


def association_json(org: DataverseOrg, one: ManyToMany) -> Json:
    """Give an N:N relationship."""
    first, second = org.tables[one.first], org.tables[one.second]
    return {
        "@odata.type": f"#{_NAMESPACE}ManyToManyRelationshipMetadata",
        "MetadataId": stable_id("relationship", one.name),
        "SchemaName": one.name,
        "RelationshipType": "ManyToManyRelationship",
        "SecurityTypes": "None",
        "IsValidForAdvancedFind": True,
        "IsManaged": not org.tables[one.intersect].custom,
        "IsCustomRelationship": org.tables[one.intersect].custom,
        "IntersectEntityName": one.intersect,
        "Entity1LogicalName": one.first,
        "Entity1IntersectAttribute": first.primary_id,
        "Entity1NavigationPropertyName": one.first_navigation,
        "Entity2LogicalName": one.second,
        "Entity2IntersectAttribute": second.primary_id,
        "Entity2NavigationPropertyName": one.second_navigation,
        "Entity1AssociatedMenuConfiguration": _menu(),
        "Entity2AssociatedMenuConfiguration": _menu(),
        "IsCustomizable": managed(True, "iscustomizable"),
        "IntroducedVersion": "5.0.0.0",
        "HasChanged": None,
    }


def _schema_name(name: str) -> str:
    return "_".join(part[:1].upper() + part[1:] for part in name.split("_"))
