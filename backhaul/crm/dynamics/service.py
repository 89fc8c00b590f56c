"""The Web API of one environment: addresses, headers, the meaning of its error bodies, and $batch as one call."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from backhaul.crm.dynamics import signin
from backhaul.crm.dynamics.batch import Answer, NotABatch, Part, decode, encode
from backhaul.crm.dynamics.limits import Gate
from backhaul.crm.dynamics.odata import GUID
from backhaul.crm.http import Http, Refusal, Reply, Request
from backhaul.errors import CRMError, OutcomeInDoubt, SignInError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from backhaul.config import DynamicsAccount

T = TypeVar("T")

HEADERS: Mapping[str, str] = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}

PASSING = frozenset(
    {
        "0x80072322",
        "0x80072321",
        "0x80072326",
        "0x80072327",
        "0x8005f103",
        "0x80048544",
        "0x80044151",
        "0x80040255",
        "0x80044339",
        "0x8004ed47",
        "0x80048543",
        "0x80048553",
        "0x80060916",
        "0x80060917",
        "0x80081116",
        "0x8004418d",
    }
)
"""Codes that waiting may cure, whatever the status (dataverse-api.md §7.2, class R)."""

_DEADLOCK = ("0x80044150", "sql number: 1205")
ONCE = frozenset({"0x80040216", "0x80040224"})
"""Unexpected, or a crash of somebody's plug-in: worth one more try, no more (§7.2)."""
_EXPIRED_TOKEN = frozenset({"0x8004a101", "0x8005f101"})
_THROTTLED = frozenset({"0x80072322", "0x80072321", "0x80072326", "0x80072327", "0x8005f103"})
_CROWDED = frozenset({"0x80072326", "0x80072327"})

CODE_HINTS: Mapping[str, str] = {
    "0x80040220": "give the application user's security role this privilege",
    "0x80060888": "names are case-sensitive; see `backhaul check --online` for what the environment has",
    "0x80041103": "a column of the query does not exist; see `backhaul check --online`",
    "0x8004112a": "start the import again: the page cookie is no longer good",
}


_TENANT = re.compile(r"authorization_uri=\"?https://[^/\s]+/([0-9a-fA-F-]{36})/")
"""The tenant that an environment is in, as its 401 tells (§1.6)."""


def error_of(body: Any) -> tuple[str, str]:
    """(code, message) of an error body, ("", "") of anything else."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    inner = error.get("innererror")
    message = error.get("message") or (inner.get("message") if isinstance(inner, dict) else "") or ""
    return str(error.get("code") or ""), str(message)


def is_passing(code: str, message: str) -> bool:
    """Whether an error is worth repeating after a wait."""
    return code.lower() in PASSING or _is_deadlock(code, message)


def explain(response: requests.Response) -> Refusal | None:
    """What a refusing reply says; see :data:`backhaul.crm.http.Explain`."""
    try:
        code, message = error_of(response.json())
    except ValueError:
        code, message = "", ""
    if not code and not message:
        # A gateway's page: the write behind it may have been made, whatever the status (§6.1).
        return Refusal(f"HTTP_{response.status_code}", response.reason or "no reason given", processed=_maybe(response))
    symbol = code or f"HTTP_{response.status_code}"
    return Refusal(
        symbol,
        message,
        passing=True if is_passing(code, message) else _told_by_status(response, code),
        processed=False if code.lower() in _THROTTLED else None,
        session_dead=code.lower() in _EXPIRED_TOKEN,
        hint=CODE_HINTS.get(code.lower(), ""),
        crowded=code.lower() in _CROWDED,
    )


def _told_by_status(response: requests.Response, code: str) -> bool | None:
    """False: 500 with a code of the service's own is its answer, after which nothing was done; no gateway's fault."""
    asks = getattr(response.request, "method", "") == "GET"
    return False if response.status_code == 500 and code and not (asks and code.lower() in ONCE) else None


def _is_deadlock(code: str, message: str) -> bool:
    return code.lower() == _DEADLOCK[0] and _DEADLOCK[1] in message.lower()


def _maybe(response: requests.Response) -> bool | None:
    return True if response.status_code in (502, 503, 504) else None


def _place(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL, in the form in which two spellings are equal."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


class Service:
    """Requests to one environment, by path below the service root. Raises only errors of :mod:`backhaul.errors`."""

    def __init__(self, account: DynamicsAccount, http: Http) -> None:
        self.account = account.name
        self.http = http
        parts = urlsplit(account.url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.root = f"/api/data/v{account.api_version}/"
        http.base = f"{self.origin}{self.root}"
        self.gate = Gate()
        # The environment tells its tenant with every 401; only an id can be compared (a domain names it as well).
        tenant = str(getattr(account.auth, "tenant_id", "") or "").lower()
        self._tenant = tenant if GUID.fullmatch(tenant) else ""
        self._at_home = ""
        http.on_reply = self.gate.note
        http.explain = self._explained

    def width(self, wanted: int) -> int:
        """How many of `wanted` requests may go at once."""
        return max(1, min(wanted, self.gate.width))

    def told(self, answer: Answer) -> None:
        """Take note of an inner reply that says that too much goes on at once."""
        code, message = error_of(answer.json()) if answer.status >= 300 else ("", "")
        if code.lower() in _CROWDED or _is_deadlock(code, message):
            self.gate.crowded()

    def _explained(self, response: requests.Response) -> Refusal | None:
        at_home = _TENANT.search(response.headers.get("WWW-Authenticate", ""))
        if at_home:
            self._at_home = at_home[1].lower()
        refusal = explain(response)
        if refusal is not None and (refusal.crowded or _is_deadlock(refusal.symbol, refusal.message)):
            self.gate.crowded()
        return refusal

    def get(self, path: str, purpose: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object at `path`; numbers with a fraction are Decimals, so that none loses a digit."""
        response = self._named(lambda: self.http.send(self.request("GET", path, purpose, headers)))
        try:
            reply = response.json(parse_float=Decimal)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            kind = response.headers.get("Content-Type", "no content type")
            raise CRMError(
                f"{purpose}: the reply of account '{self.account}' is no JSON object ({kind})",
                status=response.status_code,
                hint=f"check that {self.origin} is the environment's address, not a login page or a proxy",
            )
        return reply

    def values(self, path: str, purpose: str, headers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """All elements of a collection, its next links followed."""
        reply = self.get(path, purpose, headers)
        found = list(reply.get("value") or ())
        seen = set()
        while (link := reply.get("@odata.nextLink")) and link not in seen:
            seen.add(link)
            reply = self.get(self.own(link, purpose), purpose, headers)
            found += reply.get("value") or ()
        return found

    def stream(self, path: str, purpose: str, headers: Mapping[str, str], receive: Callable[[Reply], bytes]) -> bytes:
        """What `receive` makes of the reply's bytes as they arrive."""
        return self._named(lambda: self.http.stream(self.request("GET", path, purpose, headers), receive))

    def post(
        self,
        path: str,
        purpose: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        repeatable: bool = False,
    ) -> Any:
        """What the service answers to a message with this JSON body; None where it answers nothing.

        Sent once, unless `repeatable`: a lost reply is an OutcomeInDoubt. What was surely not done is repeated.
        """
        request = Request(
            method,
            path,
            purpose,
            headers={**HEADERS, **headers, "Content-Type": "application/json"},
            data=body,
            repeatable=repeatable,
        )
        response = self._named(lambda: self.http.send(request))
        try:
            return response.json() if response.content.strip() else None
        except ValueError:
            return None

    def batch(
        self, parts: Sequence[Part], purpose: str, *, repeatable: bool, headers: Mapping[str, str] | None = None
    ) -> tuple[int, list[Answer]]:
        """Send `parts` as one $batch that goes on after an error: the outer status and the answers, in order.

        Fewer answers than parts come only with status 400, of a server that stops at the first refusal. A multipart
        reply that breaks off is an OutcomeInDoubt, unless `repeatable` says that nothing was written.
        """
        boundary = f"batch_{uuid.uuid4()}"
        request = Request(
            "POST",
            "$batch",
            purpose,
            headers={
                **HEADERS,
                **(headers or {}),
                "Content-Type": f'multipart/mixed; boundary="{boundary}"',
                "Prefer": "odata.continue-on-error",
            },
            data=encode(parts, boundary),
            repeatable=repeatable,
            accept=frozenset({400}),
        )
        response = self._named(lambda: self.http.send(request))
        kind = response.headers.get("Content-Type", "")
        if response.status_code == 400 and not kind.lower().startswith("multipart/"):
            refusal = explain(response)
            symbol, message = (refusal.symbol, refusal.message) if refusal else ("HTTP_400", "")
            raise CRMError(f"{purpose}: {symbol}: {message} (account '{self.account}')", symbol=symbol, status=400)
        try:
            return response.status_code, decode(kind, response.content)
        except NotABatch as error:
            if not repeatable and kind.lower().startswith("multipart/"):
                raise OutcomeInDoubt(
                    f"{purpose}: the reply of account '{self.account}' cannot be read: {error}",
                    status=response.status_code,
                    hint="the records are looked up in the CRM before anything is sent again",
                ) from None
            raise CRMError(
                f"{purpose}: the reply of account '{self.account}' cannot be read: {error}",
                status=response.status_code,
                hint=f"check that {self.origin} is the environment's address, not a proxy's page",
            ) from None

    def get_many(self, paths: Sequence[str], purpose: str) -> list[dict[str, Any]]:
        """The JSON objects at `paths`, asked for in one $batch. The first refusal is raised."""
        parts = [Part(str(n), "GET", self.root + path, HEADERS) for n, path in enumerate(paths, start=1)]
        _, answers = self.batch(parts, purpose, repeatable=True)
        found = []
        for answer in answers:
            body = answer.json()
            if answer.status >= 300 or not isinstance(body, dict):
                self.raise_refusal(purpose, answer)
            found.append(body)
        if len(found) != len(paths):
            raise CRMError(f"{purpose}: {len(paths)} answers were expected, {len(found)} came", status=200)
        return found

    def raise_refusal(self, purpose: str, answer: Answer) -> None:
        """Raise the error of a refused inner request."""
        code, message = error_of(answer.json())
        symbol = code or f"HTTP_{answer.status}"
        if signin.is_sign_in_cause(symbol):
            signin.refused(self.account, self.http.credentials.method, symbol, message)
        raise CRMError(
            f"{purpose}: {symbol}: {message} (HTTP {answer.status}, account '{self.account}')",
            symbol=symbol,
            status=answer.status,
            hint=CODE_HINTS.get(code.lower(), ""),
        )

    def own(self, link: str, purpose: str) -> str:
        """`link` if it leads back to this environment: our token goes nowhere else."""
        if not self.is_own(link):
            parts = urlsplit(link)
            raise CRMError(
                f"{purpose}: account '{self.account}' gave a next link to another host ({parts.scheme}://{parts.netloc})",
                hint=f"set the account's url to the address under which the environment answers, not {self.origin}",
            )
        return link

    def is_own(self, link: str) -> bool:
        """Whether a link leads to this environment."""
        return _place(link) == _place(self.origin)

    def clock(self) -> datetime:
        """The service's own time: the `Date` of the newest reply."""
        stamp = self.http.server_time
        if stamp is None:
            raise CRMError(f"account '{self.account}' sends no Date header: its clock cannot be read")
        return stamp.astimezone(UTC)

    def request(self, method: str, path: str, purpose: str, headers: Mapping[str, str] | None = None) -> Request:
        """A request with the usual headers."""
        return Request(method, path, purpose, headers={**HEADERS, **(headers or {})})

    def _named(self, send: Callable[[], T]) -> T:
        """Send, telling apart "you may not do this" from "you are nobody here"."""
        try:
            with self.gate.through():
                return send()
        except CRMError as error:
            if signin.is_sign_in_cause(error.symbol):
                signin.refused(self.account, self.http.credentials.method, error.symbol, error.message)
            raise
        except SignInError:
            if self._at_home and self._tenant and self._at_home != self._tenant:
                told = f"{self._at_home}, and the token is of {self._tenant}"
                signin.refused(self.account, self.http.credentials.method, signin.WRONG_TENANT, told)
            raise
