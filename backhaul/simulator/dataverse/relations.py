"""How tables hang together: lookups seen from both ends, and many-to-many relationships (dataverse-api.md §2.1, §2.4).

A lookup makes one 1:N relationship per table it may lead to. Its single-valued navigation property belongs to the
referencing table (:attr:`.edm.Table.navigations`), its collection-valued one to the referenced table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .edm import Attribute, Table

# Table -> the word that the vendor's own relationship names use for it.
_BASES = {"account": "accountbase", "contact": "contactbase", "lead": "leadbase"}
# Rows of these tables cannot go while others point at them.
_RESTRICTED = ("transactioncurrency", "businessunit")
_STANDARD: Mapping[tuple[str, str, str], tuple[str, str]] = {
    ("contact", "parentcustomerid", "account"): ("contact_customer_accounts", "contact_customer_accounts"),
    ("contact", "parentcustomerid", "contact"): ("contact_customer_contacts", "contact_customer_contacts"),
    ("contact", "masterid", "contact"): ("contact_master_contact", "Referencedcontact_master_contact"),
    ("account", "primarycontactid", "contact"): ("account_primary_contact", "account_primary_contact"),
    ("account", "parentaccountid", "account"): ("account_parent_account", "Referencedaccount_parent_account"),
    ("account", "masterid", "account"): ("account_master_account", "Referencedaccount_master_account"),
    ("lead", "masterid", "lead"): ("lead_master_lead", "Referencedlead_master_lead"),
    ("opportunity", "customerid", "account"): ("opportunity_customer_accounts", "opportunity_customer_accounts"),
    ("opportunity", "customerid", "contact"): ("opportunity_customer_contacts", "opportunity_customer_contacts"),
    ("opportunity", "originatingleadid", "lead"): ("opportunity_originating_lead", "opportunity_originating_lead"),
    ("incident", "customerid", "account"): ("incident_customer_accounts", "incident_customer_accounts"),
    ("incident", "customerid", "contact"): ("incident_customer_contacts", "incident_customer_contacts"),
    ("incident", "masterid", "incident"): ("incident_master_incident", "Referencedincident_master_incident"),
}


@dataclass(frozen=True, slots=True)
class OneToMany:
    """One lookup to one table. `navigation` leads from the referencing row, `collection` from the referenced one."""

    name: str
    referencing: str
    attribute: Attribute
    referenced: str
    navigation: str
    collection: str
    on_delete: str = "RemoveLink"  # of the referenced row: RemoveLink, Restrict, Cascade


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """Rows of two tables joined by rows of a third, the intersect table, whose columns are the two primary keys."""

    name: str
    intersect: str
    first: str
    second: str
    first_navigation: str
    second_navigation: str

    def other(self, table: str) -> str:
        """Give the table at the other end."""
        return self.second if table == self.first else self.first


SYSTEM_USER_ROLES = ManyToMany(
    "systemuserroles_association",
    "systemuserroles",
    "systemuser",
    "role",
    "systemuserroles_association",
    "systemuserroles_association",
)
MANY_TO_MANY = (
    ManyToMany(
        "contactleads_association",
        "contactleads",
        "contact",
        "lead",
        "contactleads_association",
        "contactleads_association",
    ),
    ManyToMany(
        "accountleads_association",
        "accountleads",
        "account",
        "lead",
        "accountleads_association",
        "accountleads_association",
    ),
    SYSTEM_USER_ROLES,
)


def one_to_many(table: Table, attribute: Attribute, target: str) -> OneToMany:
    """Give the relationship of a lookup to one of its targets."""
    given: Sequence[str] | None = attribute.relationships.get(target) or _STANDARD.get(
        (table.name, attribute.name, target)
    )
    if given is None:
        base = _BASES.get(table.name, table.name)
        match attribute.name:
            case "createdby" | "modifiedby" | "createdonbehalfby" | "modifiedonbehalfby":
                name = f"lk_{base}_{attribute.name}"
            case "transactioncurrencyid":
                name = f"transactioncurrency_{table.name}"
            case "ownerid":
                name = f"owner_{table.set_name}" if target == "systemuser" else f"{target}_owner_{table.set_name}"
            case "owninguser":
                name = f"user_{table.name}"
            case "owningteam":
                name = f"team_{table.set_name}"
            case "owningbusinessunit":
                name = f"business_unit_{table.set_name}"
            case _:
                name = f"{target}_{table.name}_{attribute.name}"
        given = (name, name)
    on_delete = given[2] if len(given) > 2 else "Restrict" if target in _RESTRICTED else "RemoveLink"
    return OneToMany(given[0], table.name, attribute, target, attribute.navigation(target), given[1], on_delete)


class Relations:
    """Every relationship of the tables. `collections` maps table -> navigation property -> relationship."""

    def __init__(self, tables: Mapping[str, Table], many: tuple[ManyToMany, ...]) -> None:
        self.one_to_many = [
            one_to_many(table, attribute, target)
            for table in tables.values()
            for attribute in table.attributes.values()
            if attribute.is_lookup
            for target in attribute.targets
            if target in tables
        ]
        self.many_to_many = [one for one in many if {one.first, one.second, one.intersect} <= set(tables)]
        self.collections: dict[str, dict[str, OneToMany | ManyToMany]] = {name: {} for name in tables}
        for one in self.one_to_many:
            self.collections[one.referenced].setdefault(one.collection, one)
        for other in self.many_to_many:
            self.collections[other.first][other.first_navigation] = other
            self.collections[other.second].setdefault(other.second_navigation, other)
