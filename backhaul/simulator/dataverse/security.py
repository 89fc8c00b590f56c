"""Who may do what: impersonation and privileges (dataverse-api.md §1.6, §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .edm import Table, stable_id
from .errors import DataverseError
from .sql import guid
from .wire import Request

if TYPE_CHECKING:
    from .org import DataverseOrg

_COLUMN_CODES = {"create": "0x8004f502", "read": "0x8004f504", "update": "0x8004f507"}


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


def check_columns(org: DataverseOrg, table: Table, verb: str, columns: set[str]) -> None:
    """Raise 403 when column security forbids to `verb` (create, update) one of `columns`."""
    secured = org.setting("secured_columns").get(table.name, {})
    for name in sorted(columns & set(secured)):
        if verb in secured[name]:
            raise DataverseError(
                403,
                _COLUMN_CODES[verb],
                f"Caller does not have permission to {verb} the secured attribute '{name}' of the entity "
                f"'{table.name}'.",
            )


def bypasses_plugins(org: DataverseOrg, request: Request) -> bool:
    """Say whether the request leaves custom plug-ins out (§5.5). Raises 403 when its caller may not."""
    custom = (request.header("mscrm.bypasscustompluginexecution") or "").lower() == "true"
    logic = {part.strip().lower() for part in (request.header("mscrm.bypassbusinesslogicexecution") or "").split(",")}
    if custom:
        check(org, request.user_id, "prvBypassCustomPlugins")
    if logic - {""}:
        check(org, request.user_id, "prvBypassCustomBusinessLogic")
    return custom or "customsync" in logic
