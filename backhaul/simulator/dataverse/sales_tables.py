"""Opportunities and cases: what hangs on accounts and contacts in a sales and service organisation (dataverse-api.md
§3.9, §5.6)."""

from __future__ import annotations

from .edm import Attribute
from .tables import MONEY, OWNER, choice, lookup, memo, money, stamps, states, table, text

_CUSTOMER = lookup("customerid", "Customer", "account", "contact", type="Customer")

OPPORTUNITY = table(
    "opportunity",
    "opportunities",
    "Opportunity",
    3,
    [
        text("name", "Topic", 300, required="ApplicationRequired"),
        _CUSTOMER,
        *money("estimatedvalue", "Est. Revenue", 922_337_203_685_477.0),
        Attribute("closeprobability", "Integer", "Probability", minimum=0, maximum=100),
        Attribute("estimatedclosedate", "DateTime", "Est. Close Date", format="DateOnly", behavior="DateOnly"),
        memo("description", "Description"),
        lookup("originatingleadid", "Originating Lead", "lead"),
        *OWNER,
        *states(
            "opportunity",
            {0: ("Open", 1), 1: ("Won", 3), 2: ("Lost", 4)},
            {1: ("In Progress", 0), 2: ("On Hold", 0), 3: ("Won", 1), 4: ("Canceled", 2), 5: ("Out-Sold", 2)},
        ),
        *MONEY,
        *stamps(),
    ],
    locks_inactive=True,
)

INCIDENT = table(
    "incident",
    "incidents",
    "Case",
    112,
    [
        text("title", "Case Title", 200, required="ApplicationRequired"),
        text("ticketnumber", "Case Number", 100),
        _CUSTOMER,
        choice("prioritycode", "Priority", {1: "High", 2: "Normal", 3: "Low"}, default=2),
        choice("caseorigincode", "Origin", {1: "Phone", 2: "Email", 3: "Web"}),
        memo("description", "Description"),
        *OWNER,
        *states(
            "incident",
            {0: ("Active", 1), 1: ("Resolved", 5), 2: ("Cancelled", 6)},
            {1: ("In Progress", 0), 2: ("On Hold", 0), 3: ("Waiting for Details", 0), 4: ("Researching", 0)}
            | {5: ("Problem Solved", 1), 1000: ("Information Provided", 1), 6: ("Cancelled", 2), 2000: ("Merged", 2)},
        ),
        Attribute("merged", "Boolean", "Internal Use Only", create=False, update=False, default=False),
        lookup("masterid", "Master Case", "incident", writable=False),
        *stamps(),
    ],
    primary_name="title",
    schema_name="Incident",
    locks_inactive=True,
)

SALES = (OPPORTUNITY, INCIDENT)
