"""The tables that the service keeps for itself and clients read: jobs, audit, views, messages (dataverse-api.md §3.7,
§4, §5.3, §5.6)."""

from __future__ import annotations

from .edm import Attribute, Table
from .relations import SYSTEM_USER_ROLES
from .tables import ACTIVE, ACTIVE_REASONS, choice, intersect, lookup, memo, stamps, states, table, text

_FIXED = {"create": False, "update": False}


def _number(name: str, label: str) -> Attribute:
    return Attribute(name, "Integer", label)


def _moment(name: str, label: str) -> Attribute:
    return Attribute(name, "DateTime", label, format="DateAndTime", **_FIXED)  # type: ignore[arg-type]  # keywords of two types


def _id(name: str, label: str) -> Attribute:
    return Attribute(name, "Uniqueidentifier", label)


ASYNCOPERATION = table(
    "asyncoperation",
    "asyncoperations",
    "System Job",
    4700,
    [
        text("name", "System Job Name", 256),
        choice("operationtype", "System Job Type", {13: "Bulk Delete", 58: "Create index for key"}),
        *states(
            "asyncoperation",
            {0: ("Ready", 0), 1: ("Suspended", 10), 2: ("Locked", 20), 3: ("Completed", 30)},
            {0: ("Waiting For Resources", 0), 10: ("Waiting", 1), 20: ("In Progress", 2), 21: ("Pausing", 2)}
            | {22: ("Canceling", 2), 30: ("Succeeded", 3), 31: ("Failed", 3), 32: ("Canceled", 3)},
        ),
        memo("data", "Data", 1_073_741_823),
        memo("message", "Message", 1_073_741_823),
        memo("friendlymessage", "Friendly message", 5_000),
        _number("errorcode", "Error Code"),
        _moment("startedon", "Started On"),
        _moment("completedon", "Completed On"),
        lookup("ownerid", "Owner", "systemuser", "team", type="Owner"),
        *stamps(),
    ],
    schema_name="AsyncOperation",
    concurrency=False,
    change_tracking=False,
)

BULKDELETEOPERATION = table(
    "bulkdeleteoperation",
    "bulkdeleteoperations",
    "Bulk Delete Operation",
    4424,
    [
        text("name", "Name", 255),
        lookup("asyncoperationid", "System Job", "asyncoperation"),
        _number("successcount", "Deletions"),
        _number("failurecount", "Failures"),
        *states(
            "bulkdeleteoperation",
            {0: ("Ready", 0), 1: ("Suspended", 10), 2: ("Locked", 20), 3: ("Completed", 30)},
            {0: ("Waiting For Resources", 0), 10: ("Waiting", 1), 20: ("In Progress", 2)}
            | {30: ("Succeeded", 3), 31: ("Failed", 3), 32: ("Canceled", 3)},
        ),
        *stamps(),
    ],
    schema_name="BulkDeleteOperation",
    concurrency=False,
    change_tracking=False,
)

AUDIT = table(
    "audit",
    "audits",
    "Auditing",
    4567,
    [
        choice("operation", "Operation", {1: "Create", 2: "Update", 3: "Delete", 4: "Access"}),
        choice("action", "Event", {1: "Create", 2: "Update", 3: "Delete", 4: "Activate", 5: "Deactivate", 12: "Merge"}),
        text("objecttypecode", "Entity", 100),
        lookup("objectid", "Record", "account", "contact", "lead", writable=False),
        lookup("userid", "Changed By", "systemuser", writable=False),
        memo("attributemask", "Changed Field", 10_000),
        memo("changedata", "Changed Data", 1_073_741_823),
        Attribute("createdon", "DateTime", "Changed Date", format="DateAndTime", **_FIXED),  # type: ignore[arg-type]  # as above
        Attribute("versionnumber", "BigInt", "Version Number", **_FIXED),  # type: ignore[arg-type]  # as above
    ],
    primary_name="",
    schema_name="Audit",
    read_only=True,
    concurrency=False,
    change_tracking=False,
)

SAVEDQUERY = table(
    "savedquery",
    "savedqueries",
    "View",
    1039,
    [
        text("name", "Name", 200),
        text("returnedtypecode", "Entity Name", 100),
        memo("fetchxml", "FetchXml", 1_073_741_823),
        _number("querytype", "Query Type"),
        *states("savedquery", ACTIVE, ACTIVE_REASONS),
        *stamps(),
    ],
    ownership="OrganizationOwned",
    schema_name="SavedQuery",
    concurrency=False,
    change_tracking=False,
)

USERQUERY = table(
    "userquery",
    "userqueries",
    "Saved View",
    4230,
    [
        text("name", "Name", 200),
        text("returnedtypecode", "Entity Name", 100),
        memo("fetchxml", "FetchXml", 1_073_741_823),
        _number("querytype", "Query Type"),
        lookup("ownerid", "Owner", "systemuser", "team", type="Owner"),
        *states("userquery", ACTIVE, ACTIVE_REASONS),
        *stamps(),
    ],
    schema_name="UserQuery",
    concurrency=False,
    change_tracking=False,
)

SDKMESSAGE = table(
    "sdkmessage",
    "sdkmessages",
    "Sdk Message",
    4606,
    [text("name", "Name", 256), Attribute("versionnumber", "BigInt", "Version Number", **_FIXED)],  # type: ignore[arg-type]  # as above
    schema_name="SdkMessage",
    ownership="OrganizationOwned",
    read_only=True,
    concurrency=False,
    change_tracking=False,
)

SDKMESSAGEFILTER = table(
    "sdkmessagefilter",
    "sdkmessagefilters",
    "Sdk Message Filter",
    4607,
    [
        lookup("sdkmessageid", "Message", "sdkmessage", writable=False),
        text("primaryobjecttypecode", "Primary Object Type Code", 100),
        text("name", "Name", 256),
        Attribute("versionnumber", "BigInt", "Version Number", **_FIXED),  # type: ignore[arg-type]  # as above
    ],
    schema_name="SdkMessageFilter",
    ownership="OrganizationOwned",
    read_only=True,
    concurrency=False,
    change_tracking=False,
)

ORGANIZATION = table(
    "organization",
    "organizations",
    "Organization",
    1019,
    [
        text("name", "Organization Name", 160),
        _number("languagecode", "Language"),
        _number("maxrecordsforexporttoexcel", "Max Records For Excel Export"),
        Attribute("isauditenabled", "Boolean", "Is Auditing Enabled", default=False),
        _number("expirechangetrackingindays", "Days to Expire Change Tracking Deltas"),
        lookup("basecurrencyid", "Currency", "transactioncurrency"),
        *stamps(),
    ],
    schema_name="Organization",
    ownership="None",
    concurrency=False,
    change_tracking=False,
)

ROLETEMPLATE = table(
    "roletemplate",
    "roletemplates",
    "Role Template",
    1037,
    [text("name", "Name", 100), Attribute("versionnumber", "BigInt", "Version Number", **_FIXED)],  # type: ignore[arg-type]  # as above
    ownership="None",
    schema_name="RoleTemplate",
    read_only=True,
    concurrency=False,
    change_tracking=False,
)

ROLE = table(
    "role",
    "roles",
    "Security Role",
    1036,
    [
        text("name", "Name", 100),
        lookup("roletemplateid", "Role Template ID", "roletemplate", writable=False),
        lookup("businessunitid", "Business Unit", "businessunit"),
        *stamps(),
    ],
    ownership="OrganizationOwned",
    schema_name="Role",
    read_only=True,
    concurrency=False,
    change_tracking=False,
)

SYSTEM: tuple[Table, ...] = (
    ASYNCOPERATION,
    BULKDELETEOPERATION,
    AUDIT,
    SAVEDQUERY,
    USERQUERY,
    SDKMESSAGE,
    SDKMESSAGEFILTER,
    ORGANIZATION,
    ROLETEMPLATE,
    ROLE,
    intersect(SYSTEM_USER_ROLES, "systemuserid", "roleid", 14),
)
