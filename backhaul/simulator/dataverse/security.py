"""Who may do what: impersonation and privileges (dataverse-api.md §1.6, §5.5), column security.

Column security as in learn.microsoft.com/power-apps/developer/data-platform/column-level-security and its sample (reads
give null, 0x8004f507 with its text), and the Web API reference's RetrievePrincipalAttributePrivileges and
AttributePrivilege. That a condition sees null as well is what users tell of views that show no records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .edm import Table, stable_id
from .errors import DataverseError
from .sql import guid
from .wire import Reply, Request

if TYPE_CHECKING:
    from .org import DataverseOrg

ADMINISTRATOR, BASIC_USER = "System Administrator", "Basic User"
ROLES = {
    ADMINISTRATOR: (stable_id("role", ADMINISTRATOR), "627090ff-40a3-4053-8790-584edc5be201"),
    BASIC_USER: (stable_id("role", BASIC_USER), stable_id("roletemplate", BASIC_USER)),
}
"""Name -> (role id, template). The administrators' template is the same in every environment."""
VERBS = ("create", "read", "update")
_ALLOWED = 4
_COLUMN_CODES = {"create": "0x8004f502", "update": "0x8004f507"}


def impersonate(org: DataverseOrg, request: Request) -> None:
    """Let the request act as the user that ``CallerObjectId`` or ``MSCRMCallerID`` names. Raises DataverseError 403."""
    object_id, user_id = request.header("callerobjectid"), request.header("mscrmcallerid")
    if object_id is None and user_id is None:
        return
    check(org, request.user_id, "prvActOnBehalfOfAnotherUser")
    column, wanted = ("azureactivedirectoryobjectid", object_id) if object_id else ("systemuserid", user_id)
    found = org.store.query(f"SELECT systemuserid, isdisabled FROM systemuser WHERE {column} = ?", [guid(str(wanted))])
    if not found:
        raise DataverseError(403, "0x80072560", "The user is not a member of the organization.")
    if found[0][1]:
        raise DataverseError(
            403, "0x80040225", "The specified user is either disabled or is not a member of any business unit."
        )
    request.on_behalf_of, request.user_id = request.user_id, str(found[0][0])


def check(org: DataverseOrg, user_id: str, privilege: str, table: Table | None = None) -> None:
    """Raise 403 0x80040220 when the callers lack `privilege`."""
    missing = org.setting("missing_privileges")
    if not missing or privilege.lower() not in {str(one).lower() for one in missing}:
        return
    where = f" on OTC={table.type_code} for entity '{table.name}'" if table else ""
    raise DataverseError(
        403,
        "0x80040220",
        f"Principal user (Id={user_id}, type=8, roleCount=1, privilegeCount=412, accessMode=4), is missing {privilege} "
        f"privilege (Id={stable_id('privilege', privilege)}){where}. context.Caller={user_id}",
    )


def check_table(org: DataverseOrg, user_id: str, verb: str, table: Table) -> None:
    """Raise 403 when the callers may not `verb` (Create, Read, Write, Delete) rows of `table`."""
    check(org, user_id, f"prv{verb}{table.schema_name}", table)


def check_secured(tables: Mapping[str, Table], columns: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Check a setting ``secured_columns``. Raises ValueError for a column there is not, or cannot be secured."""
    for object, named in columns.items():
        for name, forbidden in named.items():
            attribute = tables[object].attributes.get(name) if object in tables else None
            if attribute is None or not attribute.in_odata or name in (tables[object].primary_id, "versionnumber"):
                raise ValueError(f"column security cannot be put on {object}.{name}")
            if not isinstance(forbidden, list) or set(forbidden) - set(VERBS):
                raise ValueError(f"column security forbids some of {', '.join(VERBS)}; found {forbidden!r}")


def secured(
    tables: Mapping[str, Table], columns: Mapping[str, Mapping[str, Sequence[str]]], *, everything: bool
) -> dict[str, Table]:
    """Give the tables with column security on the columns of the setting; `everything`: it forbids nothing."""
    found = dict(tables)
    for object, named in columns.items():
        if object not in found:
            continue
        attributes = dict(found[object].attributes)
        for name, forbidden in named.items():
            if name in attributes:
                kept = frozenset() if everything else frozenset(forbidden)
                attributes[name] = replace(attributes[name], secured=True, forbidden=kept)
        found[object] = replace(found[object], attributes=attributes)
    return found


def column_privileges(org: DataverseOrg, request: Request, user_id: str) -> Reply:
    """Answer ``systemusers(id)/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()``: what column security
    profiles allow a user, a column an entry, 4 for allowed and 0 for not. Nothing of it rests on the role of an
    administrator, who may be in no profile."""
    caller = user_id == request.user_id
    entries = [
        {
            "AttributeId": stable_id("attribute", table.name, attribute.name),
            "CanCreate": 0 if "create" in attribute.forbidden else _ALLOWED,
            "CanRead": 0 if attribute.hidden else _ALLOWED,
            "CanReadUnMasked": 0,
            "CanUpdate": 0 if "update" in attribute.forbidden else _ALLOWED,
        }
        for table in org.tables.values()
        for attribute in table.attributes.values()
        if attribute.secured and caller and not attribute.forbidden.issuperset(VERBS)
    ]
    context = f"{request.base}$metadata#Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivilegesResponse"
    profiles = [] if org.setting("administrator") else entries
    return Reply.json({"@odata.context": context, "AttributePrivileges": profiles})


def check_columns(user_id: str, table: Table, verb: str, columns: set[str]) -> None:
    """Raise 403 when column security forbids to `verb` (create, update) one of `columns`."""
    for name in sorted(columns & set(table.attributes)):
        if verb not in table.attributes[name].forbidden:
            continue
        message = f"The user does not have {verb} permissions to a secured field."
        if verb == "update":
            label = table.attributes[name].label
            message = (
                f"Caller user with Id {user_id} does not have update permissions to a {label} secured field on entity "
                f"{table.label}."
            )
        raise DataverseError(403, _COLUMN_CODES[verb], f"{message} The requested operation could not be completed.")


def bypasses_plugins(org: DataverseOrg, request: Request) -> bool:
    """Say whether the request leaves custom plug-ins out (§5.5). Raises 403 when its caller may not."""
    custom = (request.header("mscrm.bypasscustompluginexecution") or "").lower() == "true"
    logic = {part.strip().lower() for part in (request.header("mscrm.bypassbusinesslogicexecution") or "").split(",")}
    if custom:
        check(org, request.user_id, "prvBypassCustomPlugins")
    if logic - {""}:
        check(org, request.user_id, "prvBypassCustomBusinessLogic")
    return custom or "customsync" in logic
