"""The Web API's refusals: HTTP status, hex code and message, as dataverse-api.md §7 records them."""

from __future__ import annotations

PAYLOAD_HELP = "https://go.microsoft.com/fwlink/?linkid=2195293"


class DataverseError(Exception):
    """A request the service refuses. `status` is the HTTP status, `code` the hex code of the error body.

    `headers` are added to the reply (``WWW-Authenticate``, ``Retry-After``); `plain` makes the reply plain text
    instead of an OData error, as the service does before it has looked at the request (§1.6).
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: dict[str, str] | None = None,
        details: dict[str, str] | None = None,
        plain: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.details = details or {}
        self.plain = plain


def bad_query(message: str) -> DataverseError:
    """Give the refusal of a URL the OData parser cannot accept: 400 0x80060888 (§7.2)."""
    return DataverseError(400, "0x80060888", message)


def unknown_property(name: str, table: str) -> DataverseError:
    """Give the refusal of a column that the entity type does not have, in a URL: 400 0x80060888 (§2.4)."""
    return bad_query(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.")


def unknown_segment(name: str) -> DataverseError:
    """Give the refusal of a resource that does not exist: 404 0x80060888 (§3.9)."""
    return DataverseError(404, "0x80060888", f"Resource not found for the segment '{name}'.")


def bad_payload(entity_set: str, reason: str) -> DataverseError:
    """Give the refusal of a JSON body: 400 0x80048d19, wrapping the OData library's own text (§5.1)."""
    return DataverseError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{entity_set}', For more information on this "
        f"error please follow this help link {PAYLOAD_HELP}  ---->  InnerException : "
        f"Microsoft.OData.ODataException: {reason}",
    )


def undeclared_property(entity_set: str, table: str, name: str) -> DataverseError:
    """Give the refusal of a body property the entity type does not declare (§5.1)."""
    return bad_payload(
        entity_set,
        f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table}'. Make sure to only use "
        "property names that are defined by the type.",
    )


def undeclared_annotation(entity_set: str, name: str) -> DataverseError:
    """Give the refusal of ``x@odata.bind`` where x is no navigation property: misspelt, or in the wrong case (§2.4)."""
    return bad_payload(
        entity_set,
        f"An undeclared property '{name}' which only has property annotations in the payload but no property value "
        "was found in the payload. In OData, only declared navigation properties and declared named streams can be "
        "represented as properties without values.",
    )


def not_convertible(entity_set: str, literal: str, edm: str) -> DataverseError:
    """Give the refusal of a JSON value of the wrong type (§5.1)."""
    return bad_payload(entity_set, f"Cannot convert the literal '{literal}' to the expected type '{edm}'.")


def not_found(table: str, record_id: str, *, updating: bool = False) -> DataverseError:
    """Give the refusal of a row that is not there: 404 0x80040217; updates word it without ``Entity`` (§3.9)."""
    prefix = table if updating else f"Entity '{table}'"
    return DataverseError(404, "0x80040217", f"{prefix} With Id = {record_id} Does Not Exist")


def duplicate_record() -> DataverseError:
    """Give the refusal of a primary key that exists: 412 0x80040237 (§5.1)."""
    return DataverseError(412, "0x80040237", "A record with matching key values already exists.")


def version_mismatch() -> DataverseError:
    """Give the refusal of a stale ``If-Match``: 412 0x80060882 (§5.1)."""
    return DataverseError(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def duplicate_key(key: str, columns: tuple[str, ...]) -> DataverseError:
    """Give the refusal of an alternate-key value that another row holds: 412 0x80060892 (§5.2)."""
    shown = ",".join(columns)
    return DataverseError(
        412,
        "0x80060892",
        f"Entity Key {key} violated. A record with the same value for {shown} already exists. A duplicate record "
        "cannot be created. Select one or more unique values and try again.",
        details={"@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes": shown},
    )


def not_supported(what: str) -> DataverseError:
    """Give the simulator's own honest answer for what the service can do and it cannot: 501."""
    return DataverseError(501, "0x80060888", f"The simulator does not answer this yet: {what}.")
