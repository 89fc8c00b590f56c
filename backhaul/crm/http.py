"""The one send path of the connectors: time-outs, retries, sign-in replay, errors, counting.

Everything that leaves for a CRM goes through :class:`Http`. It decides by the error, and by whether repeating is safe,
what is sent again; waits as the server asks (Retry-After) or with growing, jittered pauses; renews a dead session once
and replays; and turns whatever `requests` or the server says into the errors of :mod:`backhaul.errors`. What the
vendor's error bodies mean comes in as a function (:data:`Explain`).

Repeating is safe when the request was never sent, when it was refused before anything happened (401, 408, 420, 429,
503), or when doing it twice equals doing it once (:attr:`Request.repeatable`). Otherwise a lost reply is an
:class:`~backhaul.errors.OutcomeInDoubt`. A web page with a status of success comes from a proxy or a login form,
not from the API: it is a lost reply.
"""

from __future__ import annotations

import contextlib
import email.utils
import random
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol, TypeAlias, TypeVar

import requests
import urllib3.exceptions
from requests.adapters import BaseAdapter, HTTPAdapter

from backhaul.errors import BackhaulError, ConfigurationError, CRMError, OutcomeInDoubt, SignInError, TransientError

T = TypeVar("T")

CONNECT_SECONDS = 15.0
READ_SECONDS = 300.0
"""A reply's first byte, and the gap between two reads: Salesforce answers a long query after up to 120 s."""
CHUNK = 1 << 18
"""Bytes read at a time from a streamed reply."""

NARROW_SECONDS, MOST_CROWDS = 60.0, 20
"""How long requests go one by one after the org had too many at once, and how often one request is told so."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
PASSING_STATUSES = frozenset({408, 420, 429, 500, 502, 503, 504})
NOT_PROCESSED_STATUSES = frozenset({408, 420, 429, 503})
"""Refused before anything happened, so that even a create may be sent again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is tried and how long is waited between (seconds).

    The n-th wait is `first_wait` doubled n times, at most `longest_wait`, spread at random over its upper half. A
    Retry-After longer than `longest_patience` is not waited for: the request fails and names it.
    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_patience: float = 300.0
    sleep: Callable[[float], None] = time.sleep

    def wait(self, tried: int, asked: float | None = None) -> float:
        """Seconds to wait after `tried` failures; `asked` is the server's Retry-After."""
        if asked is not None:
            return asked
        ceiling = min(self.first_wait * 2.0 ** (tried - 1), self.longest_wait)
        return ceiling * (0.5 + random.random() / 2)  # noqa: S311 - spreads clients, no secret


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `url` is absolute, or a path on the connector's base address.

    `purpose` names it in messages ("describe Contact"). `repeatable` None: by method (GET, PUT, DELETE yes; POST,
    PATCH no). `accept` lists refusing statuses that the caller reads himself, unless the refusal passes by waiting.
    `signed` False sends no credentials. `vital`: it ends or tells of work that is going on, whatever it costs. `data`
    may be a function that opens the body anew for each sending: a large upload is streamed.
    """

    method: str
    url: str
    purpose: str
    params: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    data: bytes | str | Mapping[str, str] | Callable[[], BinaryIO] | None = None
    repeatable: bool | None = None
    accept: frozenset[int] = frozenset()
    signed: bool = True
    vital: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice equals sending it once."""
        return self.method.upper() in SAFE_METHODS if self.repeatable is None else self.repeatable


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refusing reply says, in the vendor's words: see :data:`Explain`.

    `passing`: waiting may help (None: decide by status). `processed`: False when the server surely did nothing.
    `session_dead`: sign in again and replay. `wait`: seconds to wait where the reply names none itself (Retry-After).
    `hours`: it passes, but so late that nobody waits for it: the request fails at once. `crowded`: too much at the
    same time; the account's requests go one by one for a while, and more patience is taken.
    """

    symbol: str
    message: str
    passing: bool | None = None
    processed: bool | None = None
    session_dead: bool = False
    wait: float | None = None
    hint: str = ""
    hours: bool = False
    crowded: bool = False


Explain: TypeAlias = Callable[[requests.Response], Refusal | None]
"""Reads a reply; None when it is none of the vendor's error bodies. Called for every status from 300 up."""


class Credentials(Protocol):
    """How an account signs its requests. :class:`Http` calls both under one lock."""

    method: str
    """Named in messages: "client credentials"."""

    check: str
    """What a person should check when the account is refused."""

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """Fetch a fresh token (through `http`, with `signed=False`); give the headers that carry it."""


class CutConnection(TransientError):
    """A streamed reply ended before its announced length. :meth:`Http.stream` asks for it again."""


class WebPage(CutConnection):
    """HTML where the API's answer should be, of a proxy or a login form: a lost reply."""


class PatientSession(requests.Session):
    """A requests session that always has a time-out and keeps to the account's certificate authority.

    Given to libraries that bring their own requests (MSAL, simple-salesforce). `requests` lets REQUESTS_CA_BUNDLE win
    over `session.verify`, and lets a .netrc entry replace our Authorization header; neither happens here. Proxy
    variables of the environment stay in force.
    """

    def __init__(self, *, ca_bundle: Path | None = None, transport: BaseAdapter | None = None) -> None:
        super().__init__()
        if ca_bundle is not None and not ca_bundle.is_file():
            raise ConfigurationError(
                f"ca_bundle: there is no file {ca_bundle}",
                hint="name a PEM file that is there, or leave it out; `backhaul simulate` makes that of the simulators",
            )
        self._ca_bundle = str(ca_bundle) if ca_bundle else None
        self._lock = threading.Lock()
        self.calls = 0
        # A callable `auth` keeps requests from looking into .netrc.
        self.auth = _leave_alone
        self.headers["Accept-Encoding"] = "gzip"
        adapter = transport or HTTPAdapter(pool_connections=4, pool_maxsize=16)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As requests does, but the account's own authority wins over the environment's."""
        settings = super().merge_environment_settings(url, proxies, stream, verify, cert)
        if self._ca_bundle:
            settings["verify"] = self._ca_bundle
        return settings

    def send(self, request: requests.PreparedRequest, **arguments: Any) -> requests.Response:
        """Send with the default time-outs where none are given; counts the request."""
        if arguments.get("timeout") is None:
            arguments["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        with self._lock:
            self.calls += 1
        return super().send(request, **arguments)


def _leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class Reply:
    """A streamed reply: headers at once, the body as raw bytes (still gzip where the server sent gzip)."""

    def __init__(self, response: requests.Response, purpose: str) -> None:
        self._response = response
        self._purpose = purpose
        self.headers = response.headers
        self.status = response.status_code
        self.received = 0
        if _is_page(response.headers.get("Content-Type", "")):
            raise _web_page(response, purpose)

    @property
    def gzipped(self) -> bool:
        """True: :meth:`chunks` gives gzip."""
        return "gzip" in self.headers.get("Content-Encoding", "").lower()

    def chunks(self) -> Iterator[bytes]:
        """The body once, undecoded. Raises CutConnection when it breaks off or its length is not the announced."""
        raw = self._response.raw
        announced = self.headers.get("Content-Length") or None
        framed = announced is not None or "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        # Without a length or chunk framing the end of the connection looks like the end of the body: gzip's own
        # trailer is then the only proof, so that such a body is decompressed on the side.
        proof = zlib.decompressobj(wbits=31) if self.gzipped and not framed else None
        try:
            for chunk in raw.stream(CHUNK, decode_content=False):
                if not self.received and not self.gzipped and _begins_page(chunk):
                    raise _web_page(self._response, self._purpose)
                self.received += len(chunk)
                if proof is not None:
                    proof.decompress(chunk)
                yield chunk
        except (urllib3.exceptions.HTTPError, requests.RequestException, OSError, zlib.error) as error:
            raise self._cut(type(error).__name__) from None
        if announced is not None and announced.isdigit() and int(announced) != self.received:
            raise self._cut(f"{self.received} of {announced} bytes")
        if proof is not None and not proof.eof:
            raise self._cut("no end of the gzip stream")

    def _cut(self, detail: str) -> CutConnection:
        return CutConnection(f"{self._purpose}: the reply broke off after {self.received} bytes ({detail})")


class Http:
    """One account's connection to its CRM. Threads may share it.

    `explain` reads the vendor's error bodies; `on_reply` sees every reply's headers (limits); `base` may be changed
    by a sign-in that tells another address. Raises only errors of :mod:`backhaul.errors`.
    """

    def __init__(
        self,
        account: str,
        session: PatientSession,
        credentials: Credentials,
        explain: Explain,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.account = account
        self.session = session
        self.credentials = credentials
        self.explain = explain
        self.policy = policy or RetryPolicy()
        self.base = ""
        self.on_reply: Callable[[Mapping[str, str]], None] | None = None
        self.before: Callable[[str, bool], None] | None = None
        """Asked, with purpose and vitality, before each signed request; may raise."""
        self._lane = threading.RLock()
        self._narrow_until = 0.0
        self.server_time: datetime | None = None
        self._signature: Mapping[str, str] | None = None
        self._sign_in_lock = threading.RLock()

    @property
    def api_calls(self) -> int:
        """Requests sent so far, sign-in and retries included."""
        return self.session.calls

    def send(self, request: Request) -> requests.Response:
        """Send, wait and repeat as the errors allow; the reply, with its body read, of a status below 300."""

        def read_whole(response: requests.Response) -> requests.Response:
            page = bool(response.content) and _is_page(response.headers.get("Content-Type", ""))
            if response.status_code < 300 and (page or _begins_page(response.content)):
                raise _web_page(response, request.purpose)
            return response

        return self._persist(request, read_whole)

    def json(self, request: Request) -> Any:
        """Send; the reply's JSON. Another content is a CRMError (a proxy's or a login page)."""
        response = self.send(request)
        try:
            return response.json()
        except ValueError:
            kind = response.headers.get("Content-Type", "no content type")
            raise CRMError(
                f"{request.purpose}: the reply of account '{self.account}' is not JSON ({kind})",
                status=response.status_code,
                hint=f"check that {_origin(response.url)} is the API's address, not a login page or a proxy",
            ) from None

    def stream(self, request: Request, receive: Callable[[Reply], T]) -> T:
        """Send and hand the open reply to `receive`; all is repeated when the body breaks off half-way.

        `receive` must therefore keep nothing of a call that raised :class:`CutConnection`.
        """

        def take(response: requests.Response) -> T:
            return receive(Reply(response, request.purpose))

        return self._persist(request, take)

    def sign_in(self) -> Mapping[str, str]:
        """The headers that carry the token, signing in if there is none yet."""
        with self._sign_in_lock:
            if self._signature is None:
                self._signature = dict(self.credentials.sign_in(self))
            return self._signature

    def forget_sign_in(self, signature: Mapping[str, str] | None = None) -> None:
        """Make the next request sign in again; with `signature`, only if that is still the one in use."""
        with self._sign_in_lock:
            if signature is None or signature is self._signature:
                self._signature = None

    def close(self) -> None:
        """Close pooled connections."""
        self.session.close()

    def _persist(self, request: Request, receive: Callable[[requests.Response], T]) -> T:
        """The retry loop: what failed in a passing way, and may be repeated, is repeated until the policy gives up."""
        tried = crowds = 0
        renewed = False
        while True:
            signature = self.sign_in() if request.signed else {}
            if self.before is not None and request.signed:
                self.before(request.purpose, request.vital)
            try:
                with self._in_line(), contextlib.closing(self._transmit(request, signature)) as response:
                    self._note(response)
                    if response.status_code < 300:
                        return receive(response)
                    refusal = self._refusal(response)
                    if response.status_code in request.accept and not refusal.passing:
                        return receive(response)
                    if request.signed and (response.status_code == 401 or refusal.session_dead):
                        if renewed:
                            raise self._refused_again(request, refusal)
                        renewed = True
                        self.forget_sign_in(signature)
                        continue
                    error, wait = self._judged(request, response, refusal)
                    if refusal.crowded and crowds < MOST_CROWDS:
                        crowds += 1
                        tried -= 1
                        self._narrow_until = time.monotonic() + NARROW_SECONDS
            except (requests.RequestException, urllib3.exceptions.HTTPError) as foreign:
                error, wait = self._mapped(request, foreign, _origin(self._address(request))), None
            except CutConnection as cut:
                error, wait = (
                    (
                        cut
                        if request.may_repeat
                        else self._doubt(request, cut.message.removeprefix(f"{request.purpose}: "))
                    ),
                    None,
                )
            tried += 1
            if not _worth_repeating(error):
                raise error from None
            if tried >= self.policy.attempts:
                raise self._tired(error, tried) from None
            pause = self.policy.wait(max(tried, 1), wait)
            if pause > self.policy.longest_patience:
                raise self._tired(error, tried, f"the wait would be {pause:.0f} s") from None
            self.policy.sleep(pause)

    def _in_line(self) -> contextlib.AbstractContextManager[object]:
        """One request at a time while the org has said that there are too many."""
        return self._lane if time.monotonic() < self._narrow_until else contextlib.nullcontext()

    def _address(self, request: Request) -> str:
        return request.url if "://" in request.url else f"{self.base}{request.url}"

    def _transmit(self, request: Request, signature: Mapping[str, str]) -> requests.Response:
        try:
            return self.session.request(
                request.method,
                self._address(request),
                params=request.params,
                headers={**request.headers, **signature},
                json=request.json,
                data=request.data() if callable(request.data) else request.data,
                stream=True,
                # An API does not redirect; a login page does, and would be taken for an answer.
                allow_redirects=False,
            )
        except requests.RequestException:
            raise
        except OSError as error:
            # What requests raises, bare, for a certificate file (of the environment, too) that it cannot read.
            raise ConfigurationError(
                f"{request.purpose}: a certificate file cannot be read by account '{self.account}' "
                f"({type(error).__name__})",
                hint="check ca_bundle in the profile, and REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE in the environment",
            ) from None

    def _note(self, response: requests.Response) -> None:
        stamp = http_date(response.headers.get("Date"))
        if stamp is not None:
            self.server_time = stamp
        if self.on_reply is not None:
            self.on_reply(response.headers)

    def _refusal(self, response: requests.Response) -> Refusal:
        _ = response.content
        told = self.explain(response)
        if told is not None:
            return told
        text = response.reason or "no reason given"
        if response.is_redirect:
            text = f"redirected to {_origin(response.headers.get('Location', ''))}"
        return Refusal(symbol=f"HTTP_{response.status_code}", message=text)

    def _judged(
        self, request: Request, response: requests.Response, refusal: Refusal
    ) -> tuple[BackhaulError, float | None]:
        """The error for a refusing reply, and the wait the server asks for."""
        status = response.status_code
        message = f"{request.purpose}: {refusal.symbol}: {refusal.message} (HTTP {status}, account '{self.account}')"
        passing = refusal.passing if refusal.passing is not None else status in PASSING_STATUSES
        asked = retry_after(response.headers, self.server_time)
        if asked is None:
            asked = refusal.wait
        if not passing:
            return CRMError(message, symbol=refusal.symbol, status=status, hint=refusal.hint), None
        if refusal.hours and asked is None:
            text = f"{message}; this lasts for hours, so it is not waited for"
            return TransientError(text, symbol=refusal.symbol, status=status, hint=refusal.hint), None
        untouched = status in NOT_PROCESSED_STATUSES if refusal.processed is None else not refusal.processed
        if untouched or request.may_repeat:
            return _Passing(message, symbol=refusal.symbol, status=status, hint=refusal.hint), asked
        return self._doubt(
            request, f"{refusal.symbol}: {refusal.message} (HTTP {status})", refusal.symbol, status
        ), None

    def _mapped(self, request: Request, foreign: Exception, address: str) -> BackhaulError:
        """The one table from what `requests` and `urllib3` raise to our errors. No text of theirs is copied."""
        chain = _chain(foreign)
        for types, text, fate in FOREIGN:
            if any(isinstance(link, types) for link in chain):
                text = text.replace("ADDRESS", address)
                message = f"{request.purpose}: {text} (account '{self.account}')"
                if fate == "configuration" or (fate == "configuration or sent" and request.may_repeat):
                    return ConfigurationError(message, hint="check the account's address and ca_bundle in the profile")
                if fate == "not sent" or request.may_repeat:
                    return _Passing(message)
                return self._doubt(request, text)
        text = f"the request failed: {type(foreign).__name__}"
        return (
            _Passing(f"{request.purpose}: {text} (account '{self.account}')")
            if request.may_repeat
            else self._doubt(request, text)
        )

    def _doubt(self, request: Request, text: str, symbol: str = "", status: int = 0) -> OutcomeInDoubt:
        return OutcomeInDoubt(
            f"{request.purpose}: sent to account '{self.account}', but no reply tells whether it happened: {text}",
            symbol=symbol,
            status=status,
            hint="run it again: the records are looked up in the CRM before anything is sent again",
        )

    def _tired(self, error: BackhaulError, tried: int, why: str = "") -> TransientError:
        symbol, status = (error.symbol, error.status) if isinstance(error, CRMError) else ("", 0)
        ending = f"; {why}" if why else f"; gave up after {tried} attempts"
        return TransientError(
            f"{error.message}{ending}",
            symbol=symbol,
            status=status,
            hint=error.hint or "run it again later: what was done is kept, the rest is resumed",
        )

    def _refused_again(self, request: Request, refusal: Refusal) -> SignInError:
        return SignInError(
            f"{request.purpose}: account '{self.account}' refused a freshly fetched token "
            f"({self.credentials.method}): {refusal.symbol}: {refusal.message}",
            hint=self.credentials.check,
        )


class _Passing(TransientError):
    """Inside the retry loop only: waiting and repeating may help."""


def _worth_repeating(error: BackhaulError) -> bool:
    return isinstance(error, (_Passing, CutConnection))


_U = urllib3.exceptions
_R = requests.exceptions
FOREIGN: tuple[tuple[tuple[type[BaseException], ...], str, str], ...] = (
    (
        (_R.InvalidURL, _R.MissingSchema, _R.InvalidSchema, _U.LocationValueError),
        "ADDRESS is no URL",
        "configuration",
    ),
    ((_R.InvalidHeader,), "a credential holds a line break or another character no header may hold", "configuration"),
    ((_U.NameResolutionError,), "the host name of ADDRESS is unknown", "not sent"),
    # A connection that ends in the middle of TLS is a cut, whatever its class is called: it may have carried a write.
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError), "the connection to ADDRESS was cut", "sent"),
    ((ssl.SSLCertVerificationError,), "the certificate of ADDRESS is not trusted", "configuration"),
    ((_R.SSLError, _U.SSLError), "the certificate of ADDRESS is not trusted or TLS failed", "configuration or sent"),
    ((_U.NewConnectionError,), "nobody answers at ADDRESS", "not sent"),
    ((_R.ConnectTimeout, _U.ConnectTimeoutError), "no connection to ADDRESS within the time-out", "not sent"),
    ((_R.ProxyError, _U.ProxyError), "the proxy refused the connection to ADDRESS", "not sent"),
    ((_R.ReadTimeout, _U.ReadTimeoutError), "no reply of ADDRESS within the time-out", "sent"),
    ((_R.ChunkedEncodingError, _U.IncompleteRead, _U.ProtocolError), "the connection to ADDRESS was cut", "sent"),
    ((_R.ConnectionError,), "the connection to ADDRESS was cut", "sent"),
    ((_R.ContentDecodingError, _U.DecodeError), "the reply of ADDRESS could not be decompressed", "sent"),
    ((_R.TooManyRedirects,), "ADDRESS redirects in a circle", "configuration"),
)
"""First match wins, over the whole chain of causes, most telling first: (types, what to say, what it means). ADDRESS
stands for scheme, host and port."""


def _chain(error: BaseException) -> list[BaseException]:
    """An exception, its causes and the exceptions it carries as arguments (urllib3's `reason`)."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue and len(found) < 12:
        link = queue.pop(0)
        if isinstance(link, BaseException) and link not in found:
            found.append(link)
            queue += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
    return found


def raise_refused_sign_in(account: str, credentials: Credentials, symbol: str, message: str) -> NoReturn:
    """The one wording for a refused sign-in: account, method, the server's words, what to check."""
    raise SignInError(
        f"account '{account}' could not sign in ({credentials.method}): {symbol}: {message}", hint=credentials.check
    ) from None


def http_date(text: str | None) -> datetime | None:
    """An HTTP `Date` as aware UTC, None when missing or unreadable."""
    if not text:
        return None
    try:
        stamp = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Seconds that Retry-After asks for: a number, or a date measured against the server's own `Date`."""
    text = headers.get("Retry-After")
    if not text:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(text))
    until = http_date(text)
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _origin(url: str) -> str:
    """Scheme, host and port of a URL, for messages: a user name, path or query may hold what must not be shown."""
    if "://" not in url:
        return "another page"
    scheme, host = url.split("/", 3)[::2][:2]
    return f"{scheme}//{host.split('?')[0].rpartition('@')[2]}"


def _is_page(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml")


def _begins_page(body: bytes) -> bool:
    return body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _web_page(response: requests.Response, purpose: str) -> WebPage:
    address = _origin(response.url)
    return WebPage(
        f"{purpose}: a web page came from {address} instead of the API's answer (HTTP {response.status_code})",
        status=response.status_code,
        hint=f"check that {address} is the API's address, not a login page; if it is, a proxy stands before it: "
        "run it again later",
    )
