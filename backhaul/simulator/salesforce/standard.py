"""The objects every new simulated org has: those the demo uses, and those that clients ask for when they sign in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef, fields_by_name
from backhaul.simulator.salesforce.standard_business import business_objects
from backhaul.simulator.salesforce.standard_fields import (
    address,
    flag,
    id_field,
    master_record,
    owner,
    read_only,
    system_fields,
)

F = FieldDef
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
TOPICS = ("Events", "News", "Offers", "Product", "Training")
STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
ACCOUNT_TYPES = ("Prospect", "Customer - Direct", "Customer - Channel", "Partner", "Other")
RATINGS = ("Hot", "Warm", "Cold")
INDUSTRIES = ("Agriculture", "Banking", "Consulting", "Education", "Energy", "Manufacturing", "Retail", "Technology")
_FULL_NAME = "nullif(trim(concat_ws(' ', {t}.\"FirstName\", {t}.\"LastName\")), '')"
_CONTACT_LABEL = (
    "{t}.\"LastName\" || coalesce(', ' || {t}.\"FirstName\", '')"
    " || coalesce(' (' || {t}.\"Member_Number__c\" || ')', '')"
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _person_name() -> list[FieldDef]:
    return [
        F("LastName", length=80, nillable=False, compound="Name"),
        F("FirstName", length=40, compound="Name"),
        F("Salutation", "picklist", length=40, values=SALUTATIONS, compound="Name"),
        read_only("Name", "string", label="Full Name", length=121, expression=_FULL_NAME, name_field=True),
    ]


def _campaign() -> list[FieldDef]:
    return [
        F("Campaign_Score__c", "double", precision=5, scale=1),
        F("Last_Open__c", "datetime"),
        F("Member_Number__c", length=20, external_id=True, unique=True, id_lookup=True),
    ]


def _contact() -> list[FieldDef]:
    account = F("AccountId", "reference", "Account ID", 18, reference_to=("Account",), relationship="Account")
    account = replace(account, children="Contacts", cascade=True)
    reports_to = F("ReportsToId", "reference", length=18, reference_to=("Contact",), relationship="ReportsTo")
    return [
        *(id_field("Contact"), master_record("Contact"), account, *_person_name(), *address("Mailing")),
        F("Phone", "phone", "Business Phone", 40),
        F("MobilePhone", "phone", length=40),
        F("HomePhone", "phone", length=40),
        F("Email", "email", length=80, id_lookup=True),
        F("Title", length=128),
        replace(reports_to, children="ContactReports"),
        F("Department", length=80),
        F("Fax", "phone", "Business Fax", 40),
        F("Birthdate", "date"),
        F("LeadSource", "picklist", length=255, values=LEAD_SOURCES),
        F("Description", "textarea", "Contact Description", 32000),
        owner(),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        F("LastActivityDate", "date", "Last Activity", createable=False, updateable=False),
        *_campaign(),
        F("Newsletter_Topics__c", "multipicklist", length=4099, values=TOPICS, restricted=True),
        F("Full_Label__c", length=1300, createable=False, updateable=False, expression=_CONTACT_LABEL),
        F("Legacy_Notes__c", "textarea", length=255),
        *system_fields(),
    ]


def _lead() -> list[FieldDef]:
    converted = F("ConvertedContactId", "reference", length=18, createable=False, updateable=False)
    return [
        *(id_field("Lead"), master_record("Lead"), *_person_name()),
        F("Company", length=255, nillable=False),
        F("Title", length=128),
        F("Website", "url", length=255),
        F("Industry", "picklist", length=255, values=INDUSTRIES),
        F("Fax", "phone", length=40),
        *address(""),
        F("Phone", "phone", length=40),
        F("MobilePhone", "phone", length=40),
        F("Email", "email", length=80, id_lookup=True),
        F("LeadSource", "picklist", length=255, values=LEAD_SOURCES),
        F("Status", "picklist", length=255, values=STATUSES, nillable=False, default=STATUSES[0]),
        F("Rating", "picklist", length=255, values=RATINGS, restricted=True),
        F("AnnualRevenue", "currency", precision=18),
        F("NumberOfEmployees", "int", "Employees", digits=8),
        owner(queues=True),
        flag("HasOptedOutOfEmail", "Email Opt Out"),
        flag("DoNotCall", "Do Not Call"),
        read_only("IsConverted", "boolean", label="Converted", default=False),
        replace(converted, reference_to=("Contact",), relationship="ConvertedContact"),
        *_campaign(),
        *system_fields(),
    ]


def _account() -> list[FieldDef]:
    parent = F("ParentId", "reference", "Parent Account ID", 18, reference_to=("Account",), relationship="Parent")
    return [
        *(id_field("Account"), master_record("Account")),
        F("Name", label="Account Name", length=255, nillable=False, name_field=True, compound="Name"),
        F("Type", "picklist", "Account Type", 255, values=ACCOUNT_TYPES),
        replace(parent, children="ChildAccounts"),
        F("AccountNumber", length=40),
        F("Industry", "picklist", length=255, values=INDUSTRIES),
        F("Rating", "picklist", "Account Rating", 255, values=RATINGS),
        F("Phone", "phone", "Account Phone", 40),
        F("Fax", "phone", "Account Fax", 40),
        F("Website", "url", length=255),
        *address("Billing"),
        *address("Shipping"),
        F("AnnualRevenue", "currency", precision=18),
        F("NumberOfEmployees", "int", "Employees", digits=8),
        F("Description", "textarea", "Account Description", 32000),
        owner(),
        *system_fields(),
    ]


def _user() -> list[FieldDef]:
    manager = F("ManagerId", "reference", "Manager ID", 18, reference_to=("User",), relationship="Manager")
    return [
        id_field("User"),
        F("Username", length=80, nillable=False, id_lookup=True),
        F("Alias", length=8, nillable=False, default="user"),
        replace(manager, children="ManagedUsers"),
        *_person_name()[:2],
        read_only("Name", "string", label="Full Name", length=121, expression=_FULL_NAME, name_field=True),
        F("Email", "email", length=128, nillable=False, id_lookup=True),
        replace(flag("IsActive", "Active"), default=True),
        F("TimeZoneSidKey", "picklist", "Time Zone", 40, nillable=False, default="UTC"),
        *system_fields(deleted=False),
    ]


def _organization() -> list[FieldDef]:
    fields = [
        id_field("Organization"),
        F("Name", length=80, nillable=False, name_field=True),
        F("OrganizationType", "picklist", "Edition", 40),
        F("InstanceName", length=5),
        F("NamespacePrefix", length=15),
        F("IsSandbox", "boolean", nillable=False, default=False),
        F("TrialExpirationDate", "datetime"),
        F("TimeZoneSidKey", "picklist", "Time Zone", 40),
        *system_fields(deleted=False),
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
    return {made.name.lower(): made for made in _standard()}


@cache
def _standard() -> tuple[ObjectDef, ...]:
    return (
        ObjectDef("Account", "Account", "Accounts", "001", _labelled(_account()), mergeable=True),
        ObjectDef("Contact", "Contact", "Contacts", "003", _labelled(_contact()), mergeable=True),
        ObjectDef("Lead", "Lead", "Leads", "00Q", _labelled(_lead()), mergeable=True),
        ObjectDef("Organization", "Organization", "Organizations", "00D", _labelled(_organization()), writable=False),
        *(replace(made, fields=_labelled(made.fields.values())) for made in business_objects()),
        ObjectDef("User", "User", "Users", "005", _labelled(_user())),
    )
