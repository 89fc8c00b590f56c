"""Replies of a Dataverse environment, written by hand from dataverse-api.md, and an account that leads to them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from pydantic import SecretStr

from backhaul.crm.dynamics import DynamicsConnector
from backhaul.crm.http import RetryPolicy
from tests.crm.wire import Answer, Reaction, Sent, Wire

ORIGIN = "https://acme.crm4.dynamics.com"
ROOT = "/api/data/v9.2/"
TENANT = "7f0c1a52-5c1e-4f0e-8a3a-1d2f3a4b5c6d"
SECRET = "the-client-secret"
TOKEN = "eyJ0-the-token"
AUTHORITY = "https://login.example.com"
WHO = {
    "@odata.context": f"{ORIGIN}{ROOT}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
    "BusinessUnitId": "00000000-0000-0000-0000-00000000000b",
    "UserId": "00000000-0000-0000-0000-00000000000a",
    "OrganizationId": "00000000-0000-0000-0000-00000000000c",
}


def account(**changes: Any) -> Any:
    """An account as the configuration gives it."""
    auth = {"tenant_id": TENANT, "client_id": "app", "client_secret": SecretStr(SECRET), "authority": AUTHORITY}
    given: dict[str, Any] = {
        "name": "dynamics",
        "crm": "dynamics",
        "time_zone": "UTC",
        "ca_bundle": None,
        "api_reserve": None,
        "url": ORIGIN,
        "api_version": "9.2",
        "affinity": False,
        "state_folder": None,
        "auth": SimpleNamespace(method="client_secret", **auth),
    }
    return SimpleNamespace(**{**given, **changes})


def guid(number: int) -> str:
    return str(uuid.UUID(int=number))


def error(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """An OData error (§7.1)."""
    return Answer(
        status, {"error": {"code": code, "message": message}}, {k.replace("_", "-"): v for k, v in headers.items()}
    )


def entra(host: str = AUTHORITY) -> dict[str, Reaction | list[Reaction]]:
    """The sign-in's two routes (§1.2)."""
    base = f"{host}/{TENANT}"
    return {
        f"GET /{TENANT}/v2.0/.well-known/openid-configuration": Answer(
            body={
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "issuer": f"{base}/v2.0",
            }
        ),
        f"POST /{TENANT}/oauth2/v2.0/token": Answer(
            body={"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": TOKEN}
        ),
    }


# --- $batch, read and written independently of the connector ---------------------------------------------------------


def inner_requests(sent: Sent) -> list[tuple[str, str, dict[str, str], bytes]]:
    """(method, URL, headers with the part's own, body) of each inner request."""
    boundary = re.search(r'boundary="?([^";]+)', sent.headers["Content-Type"])
    assert boundary
    found = []
    for section in sent.body.split(b"--" + boundary[1].encode())[1:-1]:
        assert b"\n" not in section.replace(b"\r\n", b"")
        mime, request = section.removeprefix(b"\r\n").removesuffix(b"\r\n").split(b"\r\n\r\n", 1)
        head, body = request.split(b"\r\n\r\n", 1) if b"\r\n\r\n" in request else (request, b"")
        line, *lines = head.decode().split("\r\n")
        method, rest = line.split(" ", 1)
        url, version = rest.rsplit(" ", 1)
        assert version == "HTTP/1.1"
        headers = dict(entry.split(": ", 1) for entry in [*mime.decode().split("\r\n"), *lines] if entry)
        found.append((method, url, headers, body))
    return found


Inner = Callable[[str, str, dict[str, str], bytes], "tuple[int, dict[str, str], bytes] | None"]


def batch_reply(sent: Sent, inner: Inner, *, echo_ids: bool = True, newline: bytes = b"\r\n") -> Answer:
    """A multipart reply, each part made by `inner`; None leaves the part out."""
    lines: list[bytes] = []
    for method, url, headers, body in inner_requests(sent):
        made = inner(method, url, headers, body)
        if made is None:
            continue
        status, answered, content = made
        lines += [
            b"--batchresponse_1",
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            *([b"Content-ID: " + headers["Content-ID"].encode()] if echo_ids else []),
            b"",
            f"HTTP/1.1 {status} Reason".encode(),
            *[f"{name}: {value}".encode() for name, value in answered.items()],
            b"",
            content,
        ]
    lines += [b"--batchresponse_1--", b""]
    return Answer(
        200, newline.join(lines), {"Content-Type": "multipart/mixed; boundary=batchresponse_1", "OData-Version": "4.0"}
    )


# --- metadata ---------------------------------------------------------------------------------------------------------


def label(text: str) -> dict[str, Any]:
    local = {"Label": text, "LanguageCode": 1033}
    return {"LocalizedLabels": [local], "UserLocalizedLabel": local}


def attribute(name: str, kind: str, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "LogicalName": name,
        "SchemaName": name,
        "DisplayName": label(name.title()),
        "AttributeType": "Virtual" if kind in ("MultiSelectPicklist", "Image", "File") else kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": None,
        "IsValidForRead": True,
        "IsValidForCreate": True,
        "IsValidForUpdate": True,
        "IsValidODataAttribute": True,
        "IsPrimaryId": False,
        "RequiredLevel": {"Value": "None"},
        "SourceType": 0,
    }
    return {**given, **changes}


ATTRIBUTES = [
    attribute("contactid", "Uniqueidentifier", IsPrimaryId=True, RequiredLevel={"Value": "SystemRequired"}),
    attribute("firstname", "String"),
    attribute("lastname", "String", RequiredLevel={"Value": "ApplicationRequired"}),
    attribute("fullname", "String", IsValidForCreate=False, IsValidForUpdate=False),
    attribute("emailaddress1", "String"),
    attribute("description", "Memo"),
    attribute("birthdate", "DateTime"),
    attribute("new_lastopen", "DateTime"),
    attribute("new_walltime", "DateTime"),
    attribute("createdon", "DateTime", IsValidForCreate=False, IsValidForUpdate=False),
    attribute("modifiedon", "DateTime", IsValidForCreate=False, IsValidForUpdate=False),
    attribute("donotbulkemail", "Boolean"),
    attribute("numberofchildren", "Integer"),
    attribute("versionnumber", "BigInt", IsValidForCreate=False, IsValidForUpdate=False),
    attribute("new_campaignscore", "Decimal"),
    attribute("annualincome", "Money"),
    attribute("new_total", "Money", SourceType=2, IsValidForCreate=False, IsValidForUpdate=False),
    attribute("address1_latitude", "Double"),
    attribute("gendercode", "Picklist"),
    attribute("statecode", "State", IsValidForCreate=False, RequiredLevel={"Value": "SystemRequired"}),
    attribute("statuscode", "Status"),
    attribute("new_topics", "MultiSelectPicklist"),
    attribute("new_membernumber", "String"),
    attribute("parentcustomerid", "Customer"),
    attribute("ownerid", "Owner", RequiredLevel={"Value": "SystemRequired"}),
    attribute("new_accountid", "Lookup", SchemaName="new_AccountId"),
    attribute("owneridname", "String", AttributeOf="ownerid"),
    attribute("gendercodename", "Virtual", AttributeOf="gendercode"),
    attribute("entityimage", "Image"),
    attribute("participants", "PartyList"),
    attribute("secret", "String", IsValidForRead=False),
    attribute("composite", "Memo", IsValidODataAttribute=False),
]


def choice(
    name: str, options: Mapping[int, str], *, shared: bool = False, default: int | None = None
) -> dict[str, Any]:
    made = {"Options": [{"Value": value, "Label": label(text)} for value, text in options.items()]}
    return {
        "LogicalName": name,
        "DefaultFormValue": default,
        "OptionSet": None if shared else made,
        "GlobalOptionSet": made if shared else None,
    }


CASTS: dict[str, list[dict[str, Any]]] = {
    "Boolean": [
        {
            "LogicalName": "donotbulkemail",
            "OptionSet": {
                "TrueOption": {"Value": 1, "Label": label("Do Not Allow")},
                "FalseOption": {"Value": 0, "Label": label("Allow")},
            },
        }
    ],
    "String": [
        {"LogicalName": "lastname", "MaxLength": 50},
        {"LogicalName": "emailaddress1", "MaxLength": 100},
        {"LogicalName": "new_membernumber", "MaxLength": 20},
    ],
    "Memo": [{"LogicalName": "description", "MaxLength": 2000}],
    "Decimal": [{"LogicalName": "new_campaignscore", "Precision": 1}],
    "Double": [{"LogicalName": "address1_latitude", "Precision": 5}],
    "DateTime": [
        {"LogicalName": "birthdate", "DateTimeBehavior": {"Value": "DateOnly"}, "Format": "DateOnly"},
        {"LogicalName": "new_lastopen", "DateTimeBehavior": {"Value": "UserLocal"}, "Format": "DateAndTime"},
        {"LogicalName": "new_walltime", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}, "Format": "DateAndTime"},
    ],
    "Lookup": [
        {"LogicalName": "parentcustomerid", "Targets": ["account", "contact"]},
        {"LogicalName": "ownerid", "Targets": ["systemuser", "team"]},
        {"LogicalName": "new_accountid", "Targets": ["account"]},
    ],
    "Picklist": [choice("gendercode", {1: "Male", 2: "Female"}, default=2)],
    "MultiSelectPicklist": [choice("new_topics", {1: "Events", 9: "Offers"}, shared=True)],
    "State": [choice("statecode", {0: "Active", 1: "Inactive"})],
    "Status": [choice("statuscode", {1: "Active", 2: "Inactive"})],
}

KEYS = [
    {"LogicalName": "new_membernumber_key", "KeyAttributes": ["new_membernumber"], "EntityKeyIndexStatus": "Active"},
    {"LogicalName": "email_key", "KeyAttributes": ["emailaddress1"], "EntityKeyIndexStatus": "Active"},
    {"LogicalName": "pending_key", "KeyAttributes": ["firstname"], "EntityKeyIndexStatus": "Pending"},
    {"LogicalName": "pair_key", "KeyAttributes": ["lastname", "birthdate"], "EntityKeyIndexStatus": "Active"},
]

RELATIONSHIPS = [
    ("parentcustomerid", "account", "parentcustomerid_account"),
    ("parentcustomerid", "contact", "parentcustomerid_contact"),
    ("new_accountid", "account", "new_AccountId"),
    ("ownerid", "owner", "ownerid"),
]

DEFINITIONS = [
    {
        "LogicalName": name,
        "EntitySetName": f"{name}s",
        "PrimaryIdAttribute": f"{name}id",
        "DisplayName": label(name.title()),
        "IsCustomEntity": False,
        "IsPrivate": False,
        "TableType": "Standard",
        "ChangeTrackingEnabled": False,
        "IsOptimisticConcurrencyEnabled": True,
    }
    for name in ("contact", "account", "systemuser", "team")
]


def metadata_part(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """The inner GETs of a describe."""
    import json

    cast = re.search(r"Microsoft\.Dynamics\.CRM\.(\w+)AttributeMetadata", url)
    value: list[Any]
    if cast:
        value = CASTS[cast[1]]
    elif "/Attributes?" in url:
        value = ATTRIBUTES
    else:
        assert "/Keys?" in url, url
        value = KEYS
    return 200, {"Content-Type": "application/json"}, json.dumps({"value": value}).encode()


def describe_routes() -> dict[str, Reaction | list[Reaction]]:
    address = f"GET {ROOT}EntityDefinitions"
    pairs = ("ReferencingAttribute", "ReferencedEntity", "ReferencingEntityNavigationPropertyName")
    relationships: list[Any] = [dict(zip(pairs, entry, strict=True)) for entry in RELATIONSHIPS]
    return {
        address: Answer(body={"value": DEFINITIONS}),
        f"{address}(LogicalName='contact')": Answer(body=DEFINITIONS[0]),
        f"{address}(LogicalName='contact')/ManyToOneRelationships": Answer(body={"value": relationships}),
        f"{address}(LogicalName='contact')/Attributes": Answer(body={"value": []}),  # asked for what is secured
    }


def connect(
    routes: Mapping[str, Reaction | list[Reaction]], inner: Any = None, **options: Any
) -> tuple[DynamicsConnector, Wire, list[float]]:
    """A connector over a script. `inner` answers the parts of $batch that are no metadata, or one entry each call."""
    calls = inner if isinstance(inner, list) else None

    def batch(sent: Sent) -> Answer | Exception:
        if all("/EntityDefinitions(" in url for _, url, _, _ in inner_requests(sent)):
            return batch_reply(sent, metadata_part)
        chosen: Any = (calls.pop(0) if len(calls) > 1 else calls[0]) if calls is not None else inner
        if isinstance(chosen, Answer | Exception):
            return chosen
        assert chosen is not None, "no $batch was expected"
        return batch_reply(sent, chosen)

    wire = Wire({**entra(), **describe_routes(), f"POST {ROOT}$batch": batch, **routes})
    pauses: list[float] = []
    policy = RetryPolicy(attempts=4, sleep=pauses.append)
    connector = DynamicsConnector(options.pop("account", account()), transport=wire, policy=policy, **options)
    return connector, wire, pauses
