"""Generated people as records of this org: one SELECT whose columns are the object's stored fields."""

from __future__ import annotations

from backhaul.simulator.generate import choice, people
from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.standard import INDUSTRIES, RATINGS, STATUSES

_PERSON = {
    "FirstName": "first_name",
    "LastName": "last_name",
    "Salutation": "salutation",
    "Title": "title",
    "Phone": "phone",
    "MobilePhone": "mobile",
    "Email": "email",
    "LeadSource": "lead_source",
    "HasOptedOutOfEmail": "opted_out",
    "DoNotCall": "do_not_call",
    "Campaign_Score__c": "score",
    "Last_Open__c": "opened_at",
    "Member_Number__c": "member_number",
}
_STAMPS = {"CreatedDate": "created_at", "LastModifiedDate": "modified_at", "SystemModstamp": "modified_at"}


def _address(prefix: str) -> dict[str, str]:
    parts = {"Street": "street", "City": "city", "State": "state", "PostalCode": "postal_code", "Country": "country"}
    return {prefix + name: column for name, column in parts.items()}


_FIELDS = {
    "Contact": {
        **_PERSON,
        **_address("Mailing"),
        "HomePhone": "home_phone",
        "Department": "department",
        "Birthdate": "birthdate",
        "Description": "description",
        "Newsletter_Topics__c": "topics",
        "Legacy_Notes__c": "description",
    },
    "Lead": {
        **_PERSON,
        **_address(""),
        "Company": "company",
        "Status": choice("h1", 6, STATUSES[:2]),
        "Rating": choice("h1", 9, RATINGS),
        "AnnualRevenue": "revenue",
        "NumberOfEmployees": "employees",
    },
    "Account": {
        **_address("Billing"),
        "Name": "company",
        "Industry": choice("h1", 6, INDUSTRIES),
        "Phone": "phone",
        "AnnualRevenue": "revenue",
        "NumberOfEmployees": "employees",
        "Description": "description",
    },
}
_PREFIXES = {"Contact": "003", "Lead": "00Q", "Account": "001"}


def select(object_name: str, count: int, *, seed: int, start: int) -> str:
    """SQL giving `count` records numbered from `start`. Raises ValueError for an object that has no recipe."""
    if object_name not in _FIELDS:
        raise ValueError(f"records of {object_name} cannot be generated; those of {', '.join(_FIELDS)} can")
    listed = ", ".join(f'{sql} AS "{name}"' for name, sql in {**_FIELDS[object_name], **_STAMPS}.items())
    key = ids.make_sql(_PREFIXES[object_name], "n")
    return f'SELECT {key} AS "Id", {listed} FROM ({people(count, seed=seed, start=start)})'
