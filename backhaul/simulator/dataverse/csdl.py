"""``$metadata``: the service's own description, as CSDL (dataverse-api.md §2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from .bulk import MESSAGES
from .edm import Table
from .relations import ManyToMany

if TYPE_CHECKING:
    from .org import DataverseOrg

_PRINCIPALS = ("systemuser", "team")
_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" '
    'xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">'
    '<edmx:Reference Uri="http://vocabularies.odata.org/OData.Community.Keys.V1.xml">'
    '<edmx:Include Namespace="OData.Community.Keys.V1" Alias="Keys" />'
    '<edmx:IncludeAnnotations TermNamespace="OData.Community.Keys.V1" /></edmx:Reference>'
    "<edmx:DataServices>"
    '<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    '<EntityType Name="crmbaseentity" Abstract="true" />'
    '<EntityType Name="expando" BaseType="mscrm.crmbaseentity" OpenType="true" />'
    '<EntityType Name="principal" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="ownerid" /></Key>'
    '<Property Name="ownerid" Type="Edm.Guid" /></EntityType>'
)
# Function -> its parameters and the properties of what it gives.
_FUNCTIONS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "WhoAmI": ({}, {"BusinessUnitId": "Edm.Guid", "UserId": "Edm.Guid", "OrganizationId": "Edm.Guid"}),
    "RetrieveVersion": ({}, {"Version": "Edm.String"}),
    "RetrieveTotalRecordCount": (
        {"EntityNames": "Collection(Edm.String)"},
        {"EntityRecordCountCollection": "mscrm.EntityRecordCountCollection"},
    ),
}
_ACTIONS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "Merge": (
        {
            "Target": "mscrm.crmbaseentity",
            "Subordinate": "mscrm.crmbaseentity",
            "UpdateContent": "mscrm.crmbaseentity",
            "PerformParentingChecks": "Edm.Boolean",
        },
        {},
    ),
    "BulkDelete": (
        {
            "QuerySet": "Collection(mscrm.QueryExpression)",
            "JobName": "Edm.String",
            "SendEmailNotification": "Edm.Boolean",
            "ToRecipients": "Collection(mscrm.activityparty)",
            "CCRecipients": "Collection(mscrm.activityparty)",
            "RecurrencePattern": "Edm.String",
            "StartDateTime": "Edm.DateTimeOffset",
        },
        {"JobId": "Edm.Guid"},
    ),
    "Restore": ({"Target": "mscrm.crmbaseentity"}, {"Id": "Edm.Guid"}),
}
_TYPES = (
    '<ComplexType Name="EntityRecordCountCollection"><Property Name="Count" Type="Edm.Int32" Nullable="false" />'
    '<Property Name="IsReadOnly" Type="Edm.Boolean" Nullable="false" />'
    '<Property Name="Keys" Type="Collection(Edm.String)" /><Property Name="Values" Type="Collection(Edm.Int64)" />'
    '</ComplexType><ComplexType Name="QueryExpression" OpenType="true" />'
    '<EntityType Name="activityparty" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="activitypartyid" /></Key>'
    '<Property Name="activitypartyid" Type="Edm.Guid" /></EntityType>'
)


def document(org: DataverseOrg, *, annotated: bool) -> bytes:
    """Give the document; `annotated` adds what can be computed, and which sets track changes."""
    parts = [_HEAD, _TYPES]
    parts += [_entity_type(org, table, annotated=annotated) for table in org.tables.values()]
    for name, (given, result) in {**_FUNCTIONS, **_ACTIONS}.items():
        parts.append(_operation("Function" if name in _FUNCTIONS else "Action", name, given, bool(result)))
        if result:
            parts.append(_complex(f"{name}Response", result))
    for message in MESSAGES:
        for table in org.tables.values():
            if not table.read_only and (message != "DeleteMultiple" or table.kind == "Elastic"):
                parts.append(_bound(message, table))
    parts.append(_complex("CreateMultipleResponse", {"Ids": "Collection(Edm.Guid)"}))
    parts.append('<EntityContainer Name="System">')
    for table in org.tables.values():
        kind = quoteattr(f"Microsoft.Dynamics.CRM.{table.name}")
        tracked = annotated and table.change_tracking
        note = (
            '<Annotation Term="Org.OData.Capabilities.V1.ChangeTracking"><Record>'
            '<PropertyValue Property="Supported" Bool="true" /></Record></Annotation>'
        )
        parts.append(
            f"<EntitySet Name={quoteattr(table.set_name)} EntityType={kind}>{note if tracked else ''}</EntitySet>"
        )
    for name in _FUNCTIONS:
        parts.append(f'<FunctionImport Name="{name}" Function="Microsoft.Dynamics.CRM.{name}" />')
    for name in _ACTIONS:
        parts.append(f'<ActionImport Name="{name}" Action="Microsoft.Dynamics.CRM.{name}" />')
    parts.append("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>")
    return "".join(parts).encode()


def _entity_type(org: DataverseOrg, table: Table, *, annotated: bool) -> str:
    principal = table.name in _PRINCIPALS  # their key is the one of the type that they are derived from
    base = "mscrm.principal" if principal else "mscrm.crmbaseentity"
    lines = [] if principal else [f"<Key><PropertyRef Name={quoteattr(table.primary_id)} /></Key>"]
    for wire, attribute in table.properties.items():
        if principal and wire == "ownerid":
            continue
        computed = annotated and not (attribute.create or attribute.update)
        note = '<Annotation Term="Org.OData.Core.V1.Computed" Bool="true" />' if computed else ""
        scale = ' Scale="Variable"' if attribute.edm == "Edm.Decimal" else ""
        lines.append(f"<Property Name={quoteattr(wire)} Type={quoteattr(attribute.edm)}{scale}>{note}</Property>")
    for name, (attribute, targets) in table.navigations.items():
        single = len(targets) == 1
        kind = f"mscrm.{targets[0]}" if single else "mscrm.principal"
        key = org.tables[targets[0]].primary_id if single else "ownerid"
        lines.append(
            f'<NavigationProperty Name={quoteattr(name)} Type={quoteattr(kind)} Nullable="true">'
            f"<ReferentialConstraint Property={quoteattr(attribute.wire)} ReferencedProperty={quoteattr(key)} />"
            "</NavigationProperty>"
        )
    for name, relation in org.relations.collections[table.name].items():
        many = isinstance(relation, ManyToMany)
        child = relation.other(table.name) if isinstance(relation, ManyToMany) else relation.referencing
        partner = name if many else getattr(relation, "navigation", name)
        lines.append(
            f"<NavigationProperty Name={quoteattr(name)} Type={quoteattr(f'Collection(mscrm.{child})')} "
            f"Partner={quoteattr(partner)} />"
        )
    return f'<EntityType Name={quoteattr(table.name)} BaseType="{base}">{"".join(lines)}</EntityType>'


def _operation(kind: str, name: str, given: dict[str, str], gives: bool) -> str:
    parameters = "".join(f'<Parameter Name="{one}" Type="{edm}" />' for one, edm in given.items())
    result = f'<ReturnType Type="mscrm.{name}Response" Nullable="false" />' if gives else ""
    return f'<{kind} Name="{name}">{parameters}{result}</{kind}>'


def _bound(message: str, table: Table) -> str:
    target = f"Collection(mscrm.{table.name})"
    result = (
        '<ReturnType Type="mscrm.CreateMultipleResponse" Nullable="false" />' if message == "CreateMultiple" else ""
    )
    return (
        f'<Action Name="{message}" IsBound="true"><Parameter Name="entityset" Type="{target}" Nullable="false" />'
        f'<Parameter Name="Targets" Type="{target}" Nullable="false" />{result}</Action>'
    )


def _complex(name: str, properties: dict[str, str]) -> str:
    lines = "".join(f'<Property Name="{one}" Type="{edm}" />' for one, edm in properties.items())
    return f'<ComplexType Name="{name}">{lines}</ComplexType>'
