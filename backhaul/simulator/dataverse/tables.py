"""The tables of the simulated organisation: contact, lead, account and the few they lean on.

Standard columns under the vendor's own names; ``new_`` columns are the organisation's own. Field list by the
project; types and behaviours by dataverse-api.md §2.3, states by §3.9.
"""

from __future__ import annotations

from .edm import Attribute, Choice, Key, Table, with_shadows
from .relations import MANY_TO_MANY, ManyToMany


def text(name: str, label: str, length: int = 100, *, format: str = "Text", required: str = "None") -> Attribute:
    """Give a single line of text of at most `length` characters."""
    return Attribute(name, "String", label, length=length, format=format, required=required)


def memo(name: str, label: str, length: int = 2000) -> Attribute:
    """Give a multi-line text of at most `length` characters."""
    return Attribute(name, "Memo", label, length=length, format="TextArea")


def boolean(name: str, label: str, labels: tuple[str, str] = ("No", "Yes")) -> Attribute:
    """Give a two-option column; `labels` of false and true."""
    return Attribute(name, "Boolean", label, labels=labels, default=False)


def choice(name: str, label: str, labels: dict[int, str], *, default: int | None = None) -> Attribute:
    """Give a choice column with the values of `labels`."""
    found = tuple(Choice(value, shown) for value, shown in labels.items())
    return Attribute(name, "Picklist", label, choices=found, default=default)


def lookup(name: str, label: str, *targets: str, type: str = "Lookup", writable: bool = True) -> Attribute:
    """Give a lookup to one of `targets`."""
    return Attribute(name, type, label, targets=targets, create=writable, update=writable)


def states(table: str, names: dict[int, tuple[str, int]], reasons: dict[int, tuple[str, int]]) -> list[Attribute]:
    """Give statecode and statuscode: `names` state -> (label, default reason), `reasons` reason -> (label, state)."""
    state = tuple(Choice(value, label, default_status=status) for value, (label, status) in names.items())
    status = tuple(Choice(value, label, state=owner) for value, (label, owner) in reasons.items())
    return [
        Attribute("statecode", "State", "Status", choices=state, create=False, required="SystemRequired"),
        Attribute("statuscode", "Status", "Status Reason", choices=status),
    ]


def stamps() -> list[Attribute]:
    """Give the columns the service keeps itself: who and when, and the row version (§3.9)."""
    instant = {"format": "DateAndTime", "create": False, "update": False}
    return [
        Attribute("createdon", "DateTime", "Created On", **instant),  # type: ignore[arg-type]  # keywords of two types
        Attribute("modifiedon", "DateTime", "Modified On", **instant),  # type: ignore[arg-type]  # as above
        lookup("createdby", "Created By", "systemuser", writable=False),
        lookup("modifiedby", "Modified By", "systemuser", writable=False),
        lookup("createdonbehalfby", "Created By (Delegate)", "systemuser", writable=False),
        lookup("modifiedonbehalfby", "Modified By (Delegate)", "systemuser", writable=False),
        Attribute("overriddencreatedon", "DateTime", "Record Created On", format="DateOnly", update=False),
        Attribute("versionnumber", "BigInt", "Version Number", create=False, update=False),
    ]


def table(name: str, set_name: str, label: str, code: int, attributes: list[Attribute], **options: object) -> Table:
    """Build a table: its primary key first, shadow columns added. `options` are those of :class:`.edm.Table`."""
    primary_id = str(options.pop("primary_id", f"{name}id"))
    primary_name = str(options.pop("primary_name", "name"))
    key = Attribute(primary_id, "Uniqueidentifier", label, update=False, required="SystemRequired")
    every = {one.name: one for attribute in [key, *attributes] for one in with_shadows(attribute)}
    schema_name = str(options.pop("schema_name", label.replace(" ", "")))
    return Table(name, set_name, label, code, every, primary_id, primary_name, schema_name=schema_name, **options)  # type: ignore[arg-type]  # keywords are checked by the dataclass


ADDRESS = [
    text("address1_line1", "Address 1: Street 1", 250),
    text("address1_line2", "Address 1: Street 2", 250),
    text("address1_line3", "Address 1: Street 3", 250),
    text("address1_city", "Address 1: City", 80),
    text("address1_stateorprovince", "Address 1: State/Province", 50),
    text("address1_postalcode", "Address 1: ZIP/Postal Code", 20),
    text("address1_country", "Address 1: Country/Region", 80),
    Attribute("address1_composite", "Memo", "Address 1", length=1_000, create=False, update=False, calculated=True),
]
ALLOW = ("Allow", "Do Not Allow")
OWNER = [
    lookup("ownerid", "Owner", "systemuser", "team", type="Owner"),
    lookup("owninguser", "Owning User", "systemuser", writable=False),
    lookup("owningteam", "Owning Team", "team", writable=False),
    lookup("owningbusinessunit", "Owning Business Unit", "businessunit", writable=False),
]
MONEY = [
    lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
    Attribute("exchangerate", "Decimal", "Exchange Rate", precision=10, create=False, update=False),
]
ACTIVE = {0: ("Active", 1), 1: ("Inactive", 2)}
ACTIVE_REASONS = {1: ("Active", 0), 2: ("Inactive", 1)}
TOPICS = {
    100000000: "Product news",
    100000001: "Events",
    100000002: "Research",
    100000003: "Training",
    100000004: "Community",
}


def money(name: str, label: str, maximum: float) -> list[Attribute]:
    """Give a currency column and its twin in the base currency (§2.3)."""
    bounds = {"minimum": 0.0, "maximum": maximum, "precision": 2}
    return [
        Attribute(name, "Money", label, **bounds),  # type: ignore[arg-type]  # keywords of two types
        Attribute(f"{name}_base", "Money", f"{label} (Base)", create=False, update=False, **bounds),  # type: ignore[arg-type]  # as above
    ]


def marketing() -> list[Attribute]:
    """Give the columns this organisation added to people."""
    return [
        Attribute(
            "new_campaignscore",
            "Decimal",
            "Campaign Score",
            schema_name="new_CampaignScore",
            precision=1,
            minimum=0,
            maximum=100,
        ),
        Attribute("new_lastopen", "DateTime", "Last Open", schema_name="new_LastOpen", format="DateAndTime"),
        Attribute("new_membernumber", "String", "Member Number", schema_name="new_MemberNumber", length=20),
    ]


CONTACT = table(
    "contact",
    "contacts",
    "Contact",
    2,
    [
        text("firstname", "First Name", 50, required="Recommended"),
        text("lastname", "Last Name", 50, required="ApplicationRequired"),
        Attribute("fullname", "String", "Full Name", length=160, create=False, update=False, calculated=True),
        text("salutation", "Salutation"),
        text("emailaddress1", "Email", 100, format="Email"),
        text("emailaddress2", "Email Address 2", 100, format="Email"),
        text("telephone1", "Business Phone", 50, format="Phone"),
        text("telephone2", "Home Phone", 50, format="Phone"),
        text("mobilephone", "Mobile Phone", 50, format="Phone"),
        text("jobtitle", "Job Title"),
        text("department", "Department"),
        Attribute("birthdate", "DateTime", "Birthday", format="DateOnly", behavior="DateOnly"),
        *ADDRESS,
        boolean("donotbulkemail", "Do not allow Bulk Emails", ALLOW),
        boolean("donotemail", "Do not allow Emails", ALLOW),
        boolean("donotphone", "Do not allow Phone Calls", ALLOW),
        lookup("parentcustomerid", "Company Name", "account", "contact", type="Customer"),
        *OWNER,
        *states("contact", ACTIVE, ACTIVE_REASONS),
        memo("description", "Description"),
        choice("gendercode", "Gender", {1: "Male", 2: "Female"}),
        choice(
            "preferredcontactmethodcode",
            "Preferred Method of Contact",
            {1: "Any", 2: "Email", 3: "Phone", 4: "Fax", 5: "Mail"},
            default=1,
        ),
        Attribute("numberofchildren", "Integer", "No. of Children", minimum=0, maximum=1_000_000_000),
        *money("annualincome", "Annual Income", 100_000_000_000_000.0),
        *MONEY,
        Attribute("merged", "Boolean", "Merged", create=False, update=False, default=False),
        lookup("masterid", "Master ID", "contact", writable=False),
        *marketing(),
        Attribute(
            "new_topics",
            "MultiSelectPicklist",
            "Newsletter Topics",
            schema_name="new_Topics",
            choices=tuple(Choice(value, label) for value, label in TOPICS.items()),
        ),
        *stamps(),
    ],
    primary_name="fullname",
    keys=(Key("new_membernumber_key", ("new_membernumber",)),),
)

LEAD = table(
    "lead",
    "leads",
    "Lead",
    4,
    [
        text("subject", "Topic", 300, required="ApplicationRequired"),
        text("firstname", "First Name", 50, required="Recommended"),
        text("lastname", "Last Name", 50, required="ApplicationRequired"),
        Attribute("fullname", "String", "Name", length=160, create=False, update=False, calculated=True),
        text("salutation", "Salutation"),
        text("companyname", "Company Name", 100),
        text("emailaddress1", "Email", 100, format="Email"),
        text("telephone1", "Business Phone", 50, format="Phone"),
        text("mobilephone", "Mobile Phone", 20, format="Phone"),
        text("jobtitle", "Job Title"),
        *ADDRESS,
        boolean("donotbulkemail", "Do not allow Bulk Emails", ALLOW),
        boolean("donotemail", "Do not allow Emails", ALLOW),
        boolean("donotphone", "Do not allow Phone Calls", ALLOW),
        choice(
            "leadsourcecode",
            "Lead Source",
            {1: "Advertisement", 2: "Employee Referral", 3: "External Referral", 4: "Partner", 5: "Public Relations"}
            | {6: "Seminar", 7: "Trade Show", 8: "Web", 9: "Word of Mouth", 10: "Other"},
        ),
        choice("leadqualitycode", "Rating", {1: "Hot", 2: "Warm", 3: "Cold"}, default=2),
        *OWNER,
        *states(
            "lead",
            {0: ("Open", 1), 1: ("Qualified", 3), 2: ("Disqualified", 4)},
            {1: ("New", 0), 2: ("Contacted", 0), 3: ("Qualified", 1)}
            | {4: ("Lost", 2), 5: ("Cannot Contact", 2), 6: ("No Longer Interested", 2), 7: ("Canceled", 2)},
        ),
        memo("description", "Description"),
        *money("revenue", "Annual Revenue", 100_000_000_000_000.0),
        Attribute("numberofemployees", "Integer", "No. of Employees", minimum=0, maximum=1_000_000),
        *MONEY,
        Attribute("merged", "Boolean", "Merged", create=False, update=False, default=False),
        lookup("masterid", "Master ID", "lead", writable=False),
        *marketing(),
        *stamps(),
    ],
    primary_name="fullname",
    keys=(Key("new_leadmember_key", ("new_membernumber",)),),
)

ACCOUNT = table(
    "account",
    "accounts",
    "Account",
    1,
    [
        text("name", "Account Name", 160, required="ApplicationRequired"),
        text("accountnumber", "Account Number", 20),
        text("emailaddress1", "Email", 100, format="Email"),
        text("telephone1", "Main Phone", 50, format="Phone"),
        text("websiteurl", "Website", 200, format="Url"),
        *ADDRESS,
        choice("industrycode", "Industry", {1: "Accounting", 2: "Agriculture", 6: "Consulting", 9: "Financial"}),
        lookup("primarycontactid", "Primary Contact", "contact"),
        lookup("parentaccountid", "Parent Account", "account"),
        *OWNER,
        *states("account", ACTIVE, ACTIVE_REASONS),
        memo("description", "Description"),
        *money("revenue", "Annual Revenue", 100_000_000_000_000.0),
        Attribute("numberofemployees", "Integer", "Number of Employees", minimum=0, maximum=1_000_000_000),
        *MONEY,
        Attribute("merged", "Boolean", "Merged", create=False, update=False, default=False),
        lookup("masterid", "Master ID", "account", writable=False),
        *stamps(),
    ],
    keys=(Key("new_accountnumber_key", ("accountnumber",)),),
)

SYSTEMUSER = table(
    "systemuser",
    "systemusers",
    "User",
    8,
    [
        text("fullname", "Full Name", 200),
        text("firstname", "First Name", 256),
        text("lastname", "Last Name", 256),
        text("domainname", "User Name", 1024),
        text("internalemailaddress", "Primary Email", 100, format="Email"),
        boolean("isdisabled", "Status", ("Enabled", "Disabled")),
        Attribute("applicationid", "Uniqueidentifier", "Application ID"),
        Attribute("azureactivedirectoryobjectid", "Uniqueidentifier", "Azure AD Object ID"),
        lookup("businessunitid", "Business Unit", "businessunit"),
        *stamps(),
    ],
    primary_name="fullname",
    ownership="BusinessOwned",
    schema_name="SystemUser",
    concurrency=False,
)

TEAM = table(
    "team",
    "teams",
    "Team",
    9,
    [text("name", "Team Name", 160), lookup("businessunitid", "Business Unit", "businessunit"), *stamps()],
    ownership="BusinessOwned",
    concurrency=False,
)

BUSINESSUNIT = table(
    "businessunit",
    "businessunits",
    "Business Unit",
    10,
    [text("name", "Name", 160, required="SystemRequired"), *stamps()],
    ownership="BusinessOwned",
    concurrency=False,
)

TRANSACTIONCURRENCY = table(
    "transactioncurrency",
    "transactioncurrencies",
    "Currency",
    9105,
    [
        text("currencyname", "Currency Name", 100, required="SystemRequired"),
        text("isocurrencycode", "Currency Code", 5, required="SystemRequired"),
        text("currencysymbol", "Currency Symbol", 13, required="SystemRequired"),
        Attribute("currencyprecision", "Integer", "Currency Precision", minimum=0, maximum=10),
        *states("transactioncurrency", ACTIVE, ACTIVE_REASONS),
        *stamps(),
    ],
    primary_name="currencyname",
    ownership="OrganizationOwned",
    schema_name="TransactionCurrency",
    concurrency=False,
)


def intersect(relation: ManyToMany, first_id: str, second_id: str, code: int, *, custom: bool = False) -> Table:
    """Give the table that holds the pairs of an N:N relationship: its columns are the two primary keys."""
    fixed = {"create": False, "update": False}
    return table(
        relation.intersect,
        f"{relation.intersect}collection",
        relation.intersect,
        code,
        [
            Attribute(first_id, "Uniqueidentifier", "", **fixed),  # type: ignore[arg-type]  # keywords of two types
            Attribute(second_id, "Uniqueidentifier", "", **fixed),  # type: ignore[arg-type]  # as above
            Attribute("versionnumber", "BigInt", "Version Number", **fixed),  # type: ignore[arg-type]  # as above
        ],
        primary_name="",
        ownership="None",
        schema_name=relation.intersect,
        concurrency=False,
        read_only=True,
        intersect=True,
        change_tracking=False,
        custom=custom,
    )


STANDARD = (
    ACCOUNT,
    CONTACT,
    LEAD,
    SYSTEMUSER,
    TEAM,
    BUSINESSUNIT,
    TRANSACTIONCURRENCY,
    intersect(MANY_TO_MANY[0], "contactid", "leadid", 22),
    intersect(MANY_TO_MANY[1], "accountid", "leadid", 16),
)
