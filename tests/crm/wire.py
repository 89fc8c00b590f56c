"""A transport that answers from a script: what goes out is recorded, what comes back is written by hand."""

from __future__ import annotations

import gzip as gzip_module
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import requests
import urllib3
from pydantic import SecretStr
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from backhaul.crm.http import RetryPolicy

DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
SECRET = "the-client-secret"
TOKEN = "00Dxx0000000001!AQtoken"


@dataclass
class Sent:
    """One request that went out."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    verify: Any = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def soql(self) -> str:
        return self.query["q"][0]


@dataclass
class Answer:
    """One hand-written reply. `cut` drops that many bytes at the end while the length still promises them."""

    status: int = 200
    body: bytes | str | list[Any] | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    gzip: bool = False
    cut: int = 0


Reaction: TypeAlias = "Answer | Exception | Callable[[Sent], Answer | Exception]"


class Wire(BaseAdapter):
    """Answers each request with the next entry of the script of its route, the last one for ever.

    Routes are "METHOD /path" with the path's beginning, the longest match wins. Unscripted requests fail the test.
    """

    def __init__(self, routes: Mapping[str, Reaction | list[Reaction]]) -> None:
        super().__init__()
        self.routes = {
            route: list(script) if isinstance(script, list) else [script] for route, script in routes.items()
        }
        self.sent: list[Sent] = []

    def send(  # type: ignore[override]  # the signature of requests, without its defaults
        self, request: requests.PreparedRequest, **arguments: Any
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        body: Any = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        sent = Sent(
            request.method or "",
            parts.path,
            parse_qs(parts.query),
            request.headers,
            body.encode() if isinstance(body, str) else bytes(body),
            arguments.get("verify"),
        )
        self.sent.append(sent)
        reaction = self._next(sent)
        if callable(reaction):
            reaction = reaction(sent)
        if isinstance(reaction, Exception):
            raise reaction
        return _response(request, reaction)

    def close(self) -> None:
        return None

    def paths(self, method: str = "") -> list[str]:
        return [f"{sent.method} {sent.path}" for sent in self.sent if not method or sent.method == method]

    def _next(self, sent: Sent) -> Any:
        name = f"{sent.method} {sent.path}"
        matching = sorted((route for route in self.routes if name.startswith(route)), key=len)
        assert matching, f"nothing is scripted for {name}"
        script = self.routes[matching[-1]]
        return script.pop(0) if len(script) > 1 else script[0]


def _response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    body = answer.body
    headers = {"Date": DATE, **answer.headers}
    if isinstance(body, (list, dict)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json;charset=UTF-8")
    content = body.encode() if isinstance(body, str) else body
    if answer.gzip:
        content = gzip_module.compress(content)
        headers["Content-Encoding"] = "gzip"
    headers.setdefault("Content-Length", str(len(content)))
    if not headers["Content-Length"]:
        del headers["Content-Length"]
    if answer.cut:
        content = content[: -answer.cut]
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(headers)
    response.url = request.url or ""
    response.request = request
    response.raw = urllib3.HTTPResponse(
        body=io.BytesIO(content), headers=headers, status=answer.status, preload_content=False
    )
    return response


def waits() -> tuple[RetryPolicy, list[float]]:
    """A policy that notes its pauses and does not take them."""
    noted: list[float] = []
    return RetryPolicy(attempts=4, sleep=noted.append), noted


def account(**changes: Any) -> Any:
    """An account as the configuration gives it."""
    given: dict[str, Any] = {
        "name": "salesforce",
        "crm": "salesforce",
        "time_zone": "UTC",
        "ca_bundle": None,
        "api_reserve": None,
        "instance_url": "https://acme.my.salesforce.com",
        "login_url": None,
        "api_version": "67.0",
        "bulk_from": 2_000,
        "state_folder": None,
        "auth": SimpleNamespace(method="client_credentials", client_id="key", client_secret=SecretStr(SECRET)),
    }
    return SimpleNamespace(**{**given, **changes})


def token(**changes: Any) -> Answer:
    """The reply of the token endpoint (salesforce-api.md §2.1)."""
    body = {
        "access_token": TOKEN,
        "instance_url": "https://acme.my.salesforce.com",
        "id": "https://login.salesforce.com/id/00Dxx0000000001EAA/005xx000001SxxxAAA",
        "token_type": "Bearer",
    }
    return Answer(body={**body, **changes})


def refused(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """A REST error body (§1)."""
    return Answer(
        status, [{"message": message, "errorCode": code}], headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def chunks_of(data: bytes, size: int = 7) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
