"""Column security: which secured columns the signed-in user may read and write.

A column that the user may not read is null in every reply and says nothing of it; without this it would be imported as
if it were empty. Definitions say which columns are secured, the user's column security profiles what is allowed there.
The role System Administrator may do everything, in a profile or not. Vendor's page:
learn.microsoft.com/power-apps/developer/data-platform/column-level-security.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backhaul.crm.dynamics.service import Service
from backhaul.errors import CRMError, SignInError, TransientError

Json = Mapping[str, Any]

ADMINISTRATOR_TEMPLATE = "627090ff-40a3-4053-8790-584edc5be201"
"""The template of the role System Administrator, the same in every environment."""
_ALLOWED = 4
_VERBS = {"read": "Read", "create": "Create", "update": "Update"}


@dataclass(frozen=True, slots=True)
class Access:
    """What the user may do with the values of a column. `why`: what to do where they may not be read."""

    read: bool = True
    create: bool = True
    update: bool = True
    why: str = ""


class ColumnSecurity:
    """What column security allows the user of one environment. Nothing is asked before a secured column is met."""

    def __init__(self, service: Service, account: str) -> None:
        self._service = service
        self._account = account
        self._user = ""
        self._allowed: dict[str, Json] | None = None
        self._unknown = ""
        self._everything = False

    def access(self, table: str, attributes: Iterable[Json]) -> dict[str, Access]:
        """The access to those columns of `table` that are secured and where something is not allowed, by name.

        What cannot be found out counts as not allowed: a wrong refusal is seen, a wrong null is not.
        """
        secured = [one for one in attributes if one.get("IsSecured") is True]
        found = {one["LogicalName"]: self._of(table, one) for one in secured if self._lacks(one)}
        return {} if found and self._is_administrator() else found

    def _lacks(self, attribute: Json) -> bool:
        return not all(self._may(attribute, verb) for verb in _VERBS.values())

    def _may(self, attribute: Json, verb: str) -> bool:
        # Of a column that cannot be secured for an operation, everybody may do it.
        if attribute.get(f"CanBeSecuredFor{verb}") is False:
            return True
        if self._allowed is None:
            self._ask()
        allowed = (self._allowed or {}).get(str(attribute.get("MetadataId")).lower(), {})
        return allowed.get(f"Can{verb}") == _ALLOWED

    def _of(self, table: str, attribute: Json) -> Access:
        may = {name: self._may(attribute, verb) for name, verb in _VERBS.items()}
        column = f"{table}.{attribute['LogicalName']}"
        why = (
            f"it is a secured column: add the user {self._user} of account '{self._account}' to a column security "
            f"profile that allows Read of {column}, or take it out of the YAML"
        )
        if self._unknown:
            why += f" (which profiles the user is in could not be asked: {self._unknown})"
        return Access(**may, why=why)

    def _ask(self) -> None:
        self._user = str(self._service.get("WhoAmI", "identify").get("UserId") or "")
        path = f"systemusers({self._user})/Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"
        try:
            reply = self._service.get(path, "read column security")
            self._allowed = {str(one["AttributeId"]).lower(): one for one in reply["AttributePrivileges"]}
        except (TransientError, SignInError):
            raise
        except CRMError as error:
            self._allowed, self._unknown = {}, error.message

    def _is_administrator(self) -> bool:
        """Whether the user has the role itself, not by a team."""
        if not self._everything:
            path = f"systemusers({self._user})/systemuserroles_association?$select=_roletemplateid_value"
            try:
                roles = self._service.values(path, "read the user's roles")
            except (TransientError, SignInError):
                raise
            except CRMError:
                return False
            self._everything = any(
                str(role.get("_roletemplateid_value")).lower() == ADMINISTRATOR_TEMPLATE for role in roles
            )
        return self._everything
