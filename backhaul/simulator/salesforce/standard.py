"""The objects every new simulated org has: those the demo uses, and those that clients ask for when they sign in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef, fields_by_name

F = FieldDef
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
TOPICS = ("Events", "News", "Offers", "Product", "Training")
STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
RATINGS = ("Hot", "Warm", "Cold")
TASK_STATES = ("Not Started", "In Progress", "Completed")
INDUSTRIES = ("Agriculture", "Banking", "Consulting", "Education", "Energy", "Manufacturing", "Retail", "Technology")
_FULL_NAME = "nullif(trim(concat_ws(' ', {t}.\"FirstName\", {t}.\"LastName\")), '')"
_CONTACT_LABEL = (
    "{t}.\"LastName\" || coalesce(', ' || {t}.\"FirstName\", '')"
    " || coalesce(' (' || {t}.\"Member_Number__c\" || ')', '')"
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _read_only(name: str, kind: str, **more: object) -> FieldDef:
    return replace(F(name, kind, nillable=False, createable=False, updateable=False), **more)  # type: ignore[arg-type]


def _system(*, deleted: bool = True) -> list[FieldDef]:
    user = {"length": 18, "reference_to": ("User",)}
    fields = [
        _read_only("CreatedDate", "datetime"),
        _read_only("CreatedById", "reference", relationship="CreatedBy", **user),
        _read_only("LastModifiedDate", "datetime"),
        _read_only("LastModifiedById", "reference", relationship="LastModifiedBy", **user),
        _read_only("SystemModstamp", "datetime"),
    ]
    return [_read_only("IsDeleted", "boolean", default=False), *fields] if deleted else fields


def _id(label: str) -> FieldDef:
    return _read_only("Id", "id", label=f"{label} ID", length=18, id_lookup=True)


def _master(object_name: str) -> FieldDef:
    made = F("MasterRecordId", "reference", length=18, createable=False, updateable=False)
    return replace(made, reference_to=(object_name,), relationship="MasterRecord")


def _owner() -> FieldDef:
    return F("OwnerId", "reference", "Owner ID", 18, nillable=False, reference_to=("User",), relationship="Owner")


def _address(prefix: str) -> list[FieldDef]:
    compound = f"{prefix}Address"
    sizes = {"Street": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80}
    parts = [
        F(f"{prefix}{part}", "textarea" if part == "Street" else "string", length=size, compound=compound)
        for part, size in sizes.items()
    ]
    return [*parts, F(compound, "address", createable=False, updateable=False)]


def _flag(name: str, label: str) -> FieldDef:
    return F(name, "boolean", label, nillable=False, default=False)


def _person_name() -> list[FieldDef]:
    return [
        F("LastName", length=80, nillable=False, compound="Name"),
        F("FirstName", length=40, compound="Name"),
        F("Salutation", "picklist", length=40, values=SALUTATIONS, compound="Name"),
        _read_only("Name", "string", label="Full Name", length=121, expression=_FULL_NAME, name_field=True),
    ]


def _campaign() -> list[FieldDef]:
    return [
        F("Campaign_Score__c", "double", precision=5, scale=1),
        F("Last_Open__c", "datetime"),
        F("Member_Number__c", length=20, external_id=True, unique=True, id_lookup=True),
    ]


def _contact() -> list[FieldDef]:
    account = F("AccountId", "reference", "Account ID", 18, reference_to=("Account",), relationship="Account")
    account = replace(account, children="Contacts")
    return [
        *(_id("Contact"), _master("Contact"), account, *_person_name(), *_address("Mailing")),
        F("Phone", "phone", "Business Phone", 40),
        F("MobilePhone", "phone", length=40),
        F("HomePhone", "phone", length=40),
        F("Email", "email", length=80, id_lookup=True),
        F("Title", length=128),
        F("Department", length=80),
        F("Birthdate", "date"),
        F("LeadSource", "picklist", length=255, values=LEAD_SOURCES),
        F("Description", "textarea", "Contact Description", 32000),
        _owner(),
        _flag("HasOptedOutOfEmail", "Email Opt Out"),
        _flag("DoNotCall", "Do Not Call"),
        F("LastActivityDate", "date", "Last Activity", createable=False, updateable=False),
        *_campaign(),
        F("Newsletter_Topics__c", "multipicklist", length=4099, values=TOPICS, restricted=True),
        F("Full_Label__c", length=1300, createable=False, updateable=False, expression=_CONTACT_LABEL),
        F("Legacy_Notes__c", "textarea", length=255),
        *_system(),
    ]


def _lead() -> list[FieldDef]:
    converted = F("ConvertedContactId", "reference", length=18, createable=False, updateable=False)
    return [
        *(_id("Lead"), _master("Lead"), *_person_name()),
        F("Company", length=255, nillable=False),
        F("Title", length=128),
        *_address(""),
        F("Phone", "phone", length=40),
        F("MobilePhone", "phone", length=40),
        F("Email", "email", length=80, id_lookup=True),
        F("LeadSource", "picklist", length=255, values=LEAD_SOURCES),
        F("Status", "picklist", length=255, values=STATUSES, nillable=False, default=STATUSES[0]),
        F("Rating", "picklist", length=255, values=RATINGS, restricted=True),
        F("AnnualRevenue", "currency", precision=18),
        F("NumberOfEmployees", "int", "Employees", digits=8),
        _owner(),
        _flag("HasOptedOutOfEmail", "Email Opt Out"),
        _flag("DoNotCall", "Do Not Call"),
        _read_only("IsConverted", "boolean", label="Converted", default=False),
        replace(converted, reference_to=("Contact",), relationship="ConvertedContact"),
        *_campaign(),
        *_system(),
    ]


def _account() -> list[FieldDef]:
    return [
        *(_id("Account"), _master("Account")),
        F("Name", label="Account Name", length=255, nillable=False, name_field=True, compound="Name"),
        F("Industry", "picklist", length=255, values=INDUSTRIES),
        F("Phone", "phone", "Account Phone", 40),
        F("Website", "url", length=255),
        *_address("Billing"),
        F("AnnualRevenue", "currency", precision=18),
        F("NumberOfEmployees", "int", "Employees", digits=8),
        F("Description", "textarea", "Account Description", 32000),
        _owner(),
        *_system(),
    ]


def _task() -> list[FieldDef]:
    who = F("WhoId", "reference", "Name ID", 18, reference_to=("Contact", "Lead"), relationship="Who", children="Tasks")
    return [
        _id("Task"),
        who,
        F("Subject", "combobox", length=255),
        F("Status", "picklist", length=255, values=TASK_STATES, nillable=False, default=TASK_STATES[0]),
        F("Priority", "picklist", length=255, values=("High", "Normal", "Low"), nillable=False, default="Normal"),
        F("ActivityDate", "date", "Due Date Only"),
        F("Description", "textarea", length=32000),
        _owner(),
        *_system(),
    ]


def _user() -> list[FieldDef]:
    return [
        _id("User"),
        F("Username", length=80, nillable=False, id_lookup=True),
        *_person_name()[:2],
        _read_only("Name", "string", label="Full Name", length=121, expression=_FULL_NAME, name_field=True),
        F("Email", "email", length=128, nillable=False, id_lookup=True),
        replace(_flag("IsActive", "Active"), default=True),
        F("TimeZoneSidKey", "picklist", "Time Zone", 40, nillable=False, default="UTC"),
        *_system(deleted=False),
    ]


def _organization() -> list[FieldDef]:
    fields = [
        _id("Organization"),
        F("Name", length=80, nillable=False, name_field=True),
        F("OrganizationType", "picklist", "Edition", 40),
        F("InstanceName", length=5),
        F("NamespacePrefix", length=15),
        F("IsSandbox", "boolean", nillable=False, default=False),
        F("TrialExpirationDate", "datetime"),
        F("TimeZoneSidKey", "picklist", "Time Zone", 40),
        *_system(deleted=False),
    ]
    return [replace(f, createable=False, updateable=False) for f in fields]


def _labelled(fields: Iterable[FieldDef]) -> dict[str, FieldDef]:
    """The fields by name, those without a label labelled by their name in words. Id comes first."""
    return fields_by_name(
        f if f.label else replace(f, label=_WORDS.sub(" ", f.name.removesuffix("__c")).replace("_", " "))
        for f in fields
    )


def standard_objects() -> dict[str, ObjectDef]:
    """The objects of a new org by lower-cased name."""
    objects = [
        ObjectDef("Account", "Account", "Accounts", "001", _labelled(_account()), mergeable=True),
        ObjectDef("Contact", "Contact", "Contacts", "003", _labelled(_contact()), mergeable=True),
        ObjectDef("Lead", "Lead", "Leads", "00Q", _labelled(_lead()), mergeable=True),
        ObjectDef("Organization", "Organization", "Organizations", "00D", _labelled(_organization()), writable=False),
        ObjectDef("Task", "Task", "Tasks", "00T", _labelled(_task())),
        ObjectDef("User", "User", "Users", "005", _labelled(_user())),
    ]
    return {made.name.lower(): made for made in objects}
