"""The organisation and its directory as an ASGI application: routes, sign-in check, response headers (§0, §1.6)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from backhaul.simulator.control import application
from backhaul.simulator.faults import App

from .edm import stable_id
from .entra import CLIENT_ID, TENANT_ID, TokenError
from .errors import DataverseError
from .grants import Asked, Grants
from .org import ORGANIZATION_ID, DataverseOrg
from .security import impersonate
from .service import Service
from .wire import LONGEST_URL, Reply, Request, resource_path

_METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
_MANAGED_IDENTITY = ("/metadata/identity/oauth2/token", "/msi/token")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def create_app(org: DataverseOrg) -> App:
    """Give the ASGI application: Web API, directory, control door."""
    door = _Door(org)
    return application(org, [Route("/{path:path}", door.answer, methods=_METHODS)])


@dataclass(frozen=True)
class Elsewhere:
    """A request of the directory."""

    method: str
    root: str
    path: str
    query: str
    body: bytes
    authorization: str
    identity: bool = False  # whether it has a header that only a managed identity's client sends


class _Door:
    def __init__(self, org: DataverseOrg) -> None:
        self.org = org
        self.service = Service(org)
        self.grants = Grants(lambda: org.directory)

    async def answer(self, http: HttpRequest) -> Response:
        body = await http.body()
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in http.headers.raw}
        raw_path = (http.scope.get("raw_path") or http.url.path.encode()).decode("latin-1").partition("?")[0]
        query = http.scope.get("query_string", b"").decode("latin-1")
        root = f"{http.url.scheme}://{headers.get('host', 'localhost')}"
        cut = resource_path(raw_path)
        if cut is None:
            elsewhere = Elsewhere(
                http.method,
                root,
                raw_path,
                query,
                body,
                headers.get("authorization", ""),
                identity=headers.get("metadata", "").lower() == "true" or "x-identity-header" in headers,
            )
            reply = await run_in_threadpool(self._elsewhere, elsewhere)
        elif http.method == "GET" and len(raw_path) + len(query) > LONGEST_URL:
            reply = Reply(414, {"Content-Type": "text/html; charset=us-ascii"}, b"<h2>Request URL Too Long</h2>")
        else:
            request = Request(
                "GET" if http.method == "HEAD" else http.method, root + cut[0], cut[1], query, headers, body
            )
            reply = await self._limited(root, request)
        response = Response(b"" if reply.status in (204, 304) else reply.body, reply.status)
        for name in [*response.headers]:
            if reply.status in (204, 304):
                del response.headers[name]
        wanted = re.search(r"odata\.metadata=(none|full)", headers.get("accept", ""))
        for name, value in reply.headers.items():
            if name == "Content-Type" and wanted:
                value = value.replace("odata.metadata=minimal", wanted[0])
            response.headers[name] = value.encode("utf-8").decode("latin-1")
        if cut is not None:
            for name, value in (("ReqClientId", stable_id("client")), ("orgId", ORGANIZATION_ID)):
                response.headers.append("Set-Cookie", f"{name}={value}; path=/; secure; HttpOnly")
        return response

    # --- the Web API --------------------------------------------------------------------------------------

    async def _limited(self, root: str, request: Request) -> Reply:
        """Answer within the limits of service protection (§6.1): every request counts, a whole batch as one."""
        org, headers = self.org, request.headers
        server = org.limits.server(headers.get("cookie", ""))
        dressing = {"Set-Cookie": f"ARRAffinity={server}; path=/; secure; HttpOnly"}
        try:
            request.user_id = caller = self._caller(root, headers)
        except DataverseError as error:
            return self._dressed(Reply.refusal(error, annotated=request.annotated), dressing)
        try:
            org.limits.enter(caller, server, org.clock.now())
        except DataverseError as error:
            reply = Reply.refusal(error, annotated=request.annotated)
            return self._dressed(reply, dressing | org.limits.remaining(caller, server, org.clock.now()))
        began = time.monotonic()
        try:
            reply = await run_in_threadpool(self._web_api, request)
        finally:
            charged = (time.monotonic() - began) * 1000 + float(org.setting("charge_ms"))
            org.limits.leave(caller, server, org.clock.now(), charged)
        return self._dressed(reply, dressing | org.limits.remaining(caller, server, org.clock.now()))

    def _web_api(self, request: Request) -> Reply:
        try:
            impersonate(self.org, request)
            return self.service.handle(request)
        except DataverseError as error:
            return Reply.refusal(error, annotated=request.annotated)

    def _caller(self, root: str, headers: Mapping[str, str]) -> str:
        """Give the systemuser that a request's token stands for. Raises DataverseError 401 or 403 (§1.6)."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        claims = None
        if scheme.lower() == "bearer" and token:
            claims = self.org.directory.claims(token.strip(), audiences=self._audiences(root), now=self.org.clock.now())
        if claims is None:
            challenge = f"Bearer authorization_uri={root}/{TENANT_ID}/oauth2/authorize, resource_id={root}/"
            raise DataverseError(
                401,
                "",
                "HTTP Error 401 - Unauthorized: Access is denied",
                headers={"WWW-Authenticate": challenge},
                plain=True,
            )
        user = self.org.user_of(claims)
        if user is None or not self.org.setting("member"):
            raise DataverseError(403, "0x80072560", "The user is not a member of the organization.")
        if user["isdisabled"] or self.org.setting("disabled"):
            raise DataverseError(
                403, "0x80040225", "The specified user is either disabled or is not a member of any business unit."
            )
        if not self.org.setting("licensed"):
            raise DataverseError(403, "0x8004d24b", "The user does not have a license assigned.")
        if not self.org.setting("roles"):
            raise DataverseError(403, "0x80042f09", "The user has no roles assigned.")
        return str(user["systemuserid"])

    def _audiences(self, root: str) -> set[str]:
        """Give the root URLs that mean this organisation: known ones, the one asked, and its loopback twins."""
        parts = urlsplit(root)
        host, port = parts.netloc.rpartition(":")[0] or parts.netloc, parts.port
        twins = {f"{parts.scheme}://{name}:{port}" for name in _LOOPBACK} if host in _LOOPBACK and port else set()
        return {root} | twins | {one.rstrip("/") for one in self.org.origins}

    def _dressed(self, reply: Reply, dressing: Mapping[str, str]) -> Reply:
        """Add the headers that every answer of the service carries (§0)."""
        reply.headers = {
            "Cache-Control": "no-cache",
            "Allow": "OPTIONS,GET,HEAD,POST",
            "Expires": "-1",
            "Vary": "Accept-Encoding",
            "x-ms-service-request-id": str(uuid.uuid4()),
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "REQ_ID": str(uuid.uuid4()),
            "CRM.ServiceId": "framework",
            "AuthActivityId": str(uuid.uuid4()),
            "x-ms-dop-hint": str(self.org.setting("dop_hint")),
            "OData-Version": "4.0",
            **dressing,
            **reply.headers,
        }
        return reply

    # --- the directory ------------------------------------------------------------------------------------

    def _elsewhere(self, http: Elsewhere) -> Reply:
        """Answer what is not the Web API's: the directory's documents and endpoints."""
        directory, root, path = self.org.directory, http.root, http.path
        if path == "/common/discovery/instance":
            return _plain_json(directory.instance(root))
        if path.startswith("/common/userrealm/"):
            return _plain_json(directory.realm(unquote(path.rsplit("/", 1)[1])))
        if path in _MANAGED_IDENTITY and http.method == "GET":
            return self._managed_identity(http)
        tenant, _, rest = path.lstrip("/").partition("/")
        form = dict(parse_qsl(http.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            match http.method, rest:
                case "GET", "v2.0/.well-known/openid-configuration":
                    return _plain_json(directory.configuration(root, tenant))
                case "GET", ".well-known/openid-configuration":
                    return _plain_json(directory.configuration(root, tenant, first_version=True))
                case "GET", "discovery/v2.0/keys" | "discovery/keys":
                    return _plain_json(directory.keys())
                case "POST", "oauth2/v2.0/token" | "oauth2/token":
                    return _plain_json(self.grants.token(tenant, self._asked(http, form)))
                case "POST", "oauth2/v2.0/devicecode" | "oauth2/devicecode":
                    return _plain_json(self.grants.device_code(tenant, self._asked(http, form), root))
                case (("GET" | "POST"), "oauth2/v2.0/authorize" | "oauth2/authorize"):
                    given = form or dict(parse_qsl(http.query, keep_blank_values=True))
                    status, headers, page = self.grants.authorize(tenant, self._asked(http, given))
                    return Reply(status, headers, page.encode())
        except TokenError as error:
            return _plain_json(directory.error(error, self.org.clock.now()), error.status)
        return Reply(404, {"Content-Type": "text/html"}, b"<h2>404 - File or directory not found.</h2>")

    def _managed_identity(self, http: Elsewhere) -> Reply:
        """Answer as the token endpoint beside a virtual machine or an App Service does (§1.4)."""
        query = dict(parse_qsl(http.query, keep_blank_values=True))
        if not http.identity:
            content = {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            return _plain_json(content, 400)
        client = query.get("client_id", CLIENT_ID)
        resource = query.get("resource", "")
        secret = self.org.directory.secrets.get(client, "")
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "resource": resource}
        try:
            return _plain_json(self.grants.token(TENANT_ID, self._asked(http, form)) | {"client_id": client})
        except TokenError as error:
            return _plain_json({"error": error.error, "error_description": error.message}, 400)

    def _asked(self, http: Elsewhere, form: Mapping[str, str]) -> Asked:
        org = self.org
        return Asked(
            form=form,
            root=http.root,
            endpoint=http.root + http.path,
            resources=self._audiences(http.root),
            now=org.clock.now(),
            seconds=int(org.setting("token_seconds")),
            refresh_seconds=int(org.setting("refresh_seconds")),
            policies=org.setting("sign_in"),
            authorization=http.authorization,
        )


def _plain_json(content: Any, status: int = 200) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store, no-cache"}
    return Reply(status, headers, orjson.dumps(content))
