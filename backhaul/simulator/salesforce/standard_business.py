"""The standard objects round people and firms: campaigns, activities, opportunities, cases, queues and files."""

from __future__ import annotations

from dataclasses import replace

from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef, fields_by_name
from backhaul.simulator.salesforce.standard_fields import (
    flag,
    id_field,
    master_record,
    owner,
    read_only,
    system_fields,
)

F = FieldDef
TASK_STATES = ("Not Started", "In Progress", "Completed")
STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost")
CASE_STATES = ("New", "Working", "Escalated", "Closed")
CAMPAIGN_KINDS = ("Conference", "Webinar", "Email", "Advertisement", "Other")
CAMPAIGN_STATES = ("Planned", "In Progress", "Completed", "Aborted")
MEMBER_STATES = ("Sent", "Responded")
_SHARED_WITH = ("Account", "Campaign", "Case", "Contact", "Event", "Lead", "Opportunity", "Task", "User")
_EXTENSION = "nullif(regexp_extract({t}.\"PathOnClient\", '\\.([^./\\\\]+)$', 1), '')"
_BYTES = 'octet_length(from_base64({t}."%s"))'


def _lookup(name: str, to: tuple[str, ...], children: str | None, **more: object) -> FieldDef:
    made = F(name, "reference", length=18, reference_to=to, relationship=name.removesuffix("Id"), children=children)
    return replace(made, **more)  # type: ignore[arg-type]  # names of attributes


def _who(children: str) -> FieldDef:
    return _lookup("WhoId", ("Contact", "Lead"), children, label="Name ID", cascade=True)


def _what(children: str) -> FieldDef:
    objects = ("Account", "Campaign", "Case", "Opportunity")
    return _lookup("WhatId", objects, children, label="Related To ID", cascade=True)


def _task() -> list[FieldDef]:
    return [
        id_field("Task"),
        _who("Tasks"),
        _what("Tasks"),
        F("Subject", "combobox", length=255),
        F("Status", "picklist", length=255, values=TASK_STATES, nillable=False, default=TASK_STATES[0]),
        F("Priority", "picklist", length=255, values=("High", "Normal", "Low"), nillable=False, default="Normal"),
        F("ActivityDate", "date", "Due Date Only"),
        F("Description", "textarea", length=32000),
        owner(queues=True),
        *system_fields(),
    ]


def _event() -> list[FieldDef]:
    return [
        id_field("Event"),
        _who("Events"),
        _what("Events"),
        F("Subject", "combobox", length=255),
        F("Location", length=255),
        flag("IsAllDayEvent", "All-Day Event"),
        F("StartDateTime", "datetime"),
        F("EndDateTime", "datetime"),
        F("DurationInMinutes", "int", "Duration", digits=8),
        F("Description", "textarea", length=32000),
        owner(),
        *system_fields(),
    ]


def _opportunity() -> list[FieldDef]:
    closed, won = ("({t}.\"StageName\" LIKE 'Closed%')", "({t}.\"StageName\" = 'Closed Won')")
    return [
        id_field("Opportunity"),
        _lookup("AccountId", ("Account",), "Opportunities", label="Account ID", cascade=True),
        _lookup("CampaignId", ("Campaign",), "Opportunities", label="Campaign ID"),
        F("Name", length=120, nillable=False, name_field=True),
        F("Description", "textarea", length=32000),
        F("StageName", "picklist", "Stage", 255, values=STAGES, nillable=False),
        F("Amount", "currency", precision=18, scale=2),
        F("Probability", "percent", "Probability (%)", precision=3),
        F("CloseDate", "date", nillable=False),
        F("NextStep", length=255),
        read_only("IsClosed", "boolean", label="Closed", expression=closed),
        read_only("IsWon", "boolean", label="Won", expression=won),
        owner(),
        *system_fields(),
    ]


def _case() -> list[FieldDef]:
    return [
        id_field("Case"),
        master_record("Case"),
        replace(
            read_only("CaseNumber", "string", length=30, auto_number="{00000000}"), id_lookup=True, name_field=True
        ),
        _lookup("ContactId", ("Contact",), "Cases", label="Contact ID"),
        _lookup("AccountId", ("Account",), "Cases", label="Account ID"),
        F("SuppliedEmail", "email", "Web Email", 80),
        F("Status", "picklist", length=255, values=CASE_STATES, nillable=False, default=CASE_STATES[0]),
        F("Origin", "picklist", "Case Origin", 255, values=("Phone", "Email", "Web")),
        F("Priority", "picklist", length=255, values=("High", "Medium", "Low"), default="Medium"),
        F("Subject", length=255),
        F("Description", "textarea", length=32000),
        owner(queues=True),
        *system_fields(),
    ]


def _campaign() -> list[FieldDef]:
    return [
        id_field("Campaign"),
        F("Name", length=80, nillable=False, name_field=True),
        _lookup("ParentId", ("Campaign",), "ChildCampaigns", label="Parent Campaign ID"),
        F("Type", "picklist", length=255, values=CAMPAIGN_KINDS),
        F("Status", "picklist", length=255, values=CAMPAIGN_STATES, default=CAMPAIGN_STATES[0]),
        F("StartDate", "date"),
        F("EndDate", "date"),
        F("BudgetedCost", "currency", precision=18),
        F("NumberSent", "double", "Num Sent", precision=18),
        flag("IsActive", "Active"),
        F("Description", "textarea", length=32000),
        owner(),
        *system_fields(),
    ]


def _campaign_member() -> list[FieldDef]:
    campaign = _lookup("CampaignId", ("Campaign",), "CampaignMembers", label="Campaign ID", cascade=True)
    return [
        id_field("Campaign Member"),
        replace(campaign, nillable=False, updateable=False),
        _lookup("LeadId", ("Lead",), "CampaignMembers", label="Lead ID", cascade=True),
        _lookup("ContactId", ("Contact",), "CampaignMembers", label="Contact ID", cascade=True),
        F("Status", "picklist", length=40, values=MEMBER_STATES, default=MEMBER_STATES[0]),
        read_only("HasResponded", "boolean", label="Responded", expression="({t}.\"Status\" = 'Responded')"),
        *system_fields(),
    ]


def _group() -> list[FieldDef]:
    return [
        id_field("Group"),
        F("Name", length=40, nillable=False, name_field=True),
        F("DeveloperName", length=80, nillable=True),
        F("Type", "picklist", length=40, values=("Regular", "Queue"), nillable=False, default="Queue"),
        F("Email", "email", length=255),
        *system_fields(deleted=False),
    ]


def _attachment() -> list[FieldDef]:
    parents = ("Account", "Campaign", "Case", "Contact", "Event", "Lead", "Opportunity", "Task")
    parent = _lookup("ParentId", parents, "Attachments", label="Parent ID", cascade=True)
    return [
        id_field("Attachment"),
        replace(parent, nillable=False),
        F("Name", label="File Name", length=255, nillable=False, name_field=True),
        flag("IsPrivate", "Private"),
        F("ContentType", length=120),
        replace(read_only("BodyLength", "int", digits=9), expression=_BYTES % "Body"),
        F("Body", "base64", nillable=False),
        F("Description", "textarea", length=500),
        owner(),
        *system_fields(),
    ]


def _content_version() -> list[FieldDef]:
    document = _lookup("ContentDocumentId", ("ContentDocument",), "ContentVersions", label="ContentDocument ID")
    first = _lookup("FirstPublishLocationId", _SHARED_WITH, None, label="First Publish Location ID")
    return [
        id_field("ContentVersion"),
        replace(document, updateable=False, cascade=True),
        replace(first, updateable=False),
        F("Title", length=255, name_field=True),
        F("PathOnClient", length=500, nillable=False),
        replace(read_only("FileExtension", "string", length=40), nillable=True, expression=_EXTENSION),
        F("Description", "textarea", length=1000),
        replace(read_only("ContentSize", "int", label="Size", digits=9), expression=_BYTES % "VersionData"),
        F("VersionData", "base64", "Version Data", nillable=False),
        flag("IsLatest", "Is Latest"),
        owner(),
        *system_fields(),
    ]


def _content_document() -> list[FieldDef]:
    latest = _lookup("LatestPublishedVersionId", ("ContentVersion",), None, label="Latest Published Version ID")
    return [
        id_field("ContentDocument"),
        F("Title", length=255, nillable=False, name_field=True, createable=False),
        replace(latest, createable=False, updateable=False),
        owner(),
        *system_fields(),
    ]


def _content_document_link() -> list[FieldDef]:
    document = _lookup("ContentDocumentId", ("ContentDocument",), "ContentDocumentLinks", label="ContentDocument ID")
    linked = _lookup("LinkedEntityId", _SHARED_WITH, "ContentDocumentLinks", label="Linked Entity ID", cascade=True)
    system = ("IsDeleted", "SystemModstamp")
    return [
        id_field("ContentDocument Link"),
        replace(document, nillable=False, updateable=False, cascade=True),
        replace(linked, nillable=False, updateable=False),
        F("ShareType", "picklist", length=40, values=("V", "C", "I"), default="V"),
        F("Visibility", "picklist", length=40, values=("AllUsers", "InternalUsers"), default="AllUsers"),
        *(f for f in system_fields() if f.name in system),
    ]


def business_objects() -> list[ObjectDef]:
    """The objects of this module; their fields may lack labels."""
    return [
        ObjectDef(
            name,
            label,
            plural,
            prefix,
            fields_by_name(fields),
            mergeable=name == "Case",
            filtered_by=("ContentDocumentId", "LinkedEntityId") if name == "ContentDocumentLink" else (),
        )
        for name, label, plural, prefix, fields in (
            ("Attachment", "Attachment", "Attachments", "00P", _attachment()),
            ("Campaign", "Campaign", "Campaigns", "701", _campaign()),
            ("CampaignMember", "Campaign Member", "Campaign Members", "00v", _campaign_member()),
            ("Case", "Case", "Cases", "500", _case()),
            ("ContentDocument", "Content Document", "Content Documents", "069", _content_document()),
            ("ContentDocumentLink", "Content Document Link", "Content Document Links", "06A", _content_document_link()),
            ("ContentVersion", "Content Version", "Content Versions", "068", _content_version()),
            ("Event", "Event", "Events", "00U", _event()),
            ("Group", "Group", "Group", "00G", _group()),
            ("Opportunity", "Opportunity", "Opportunities", "006", _opportunity()),
            ("Task", "Task", "Tasks", "00T", _task()),
        )
    ]
