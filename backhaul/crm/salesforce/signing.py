"""Signing in to Salesforce: client credentials and JWT bearer (salesforce-api.md §2.1).

simple-salesforce's `token_login` makes the token exchange; its session is our send path, which adds what it lacks:
time-outs, retries, the account's certificate authority, an address other than ``https://<x>.salesforce.com``, and
errors without the secret. The JWT is made here, because simple-salesforce fixes the audience to salesforce.com and
takes the expiry from this machine's clock.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit

import jwt
import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import token_login

from backhaul.crm.http import Credentials, Http, Request, http_date, raise_refused_sign_in
from backhaul.crm.salesforce.refusals import first_words
from backhaul.errors import ConfigurationError, CRMError, TransientError

if TYPE_CHECKING:
    from backhaul.config import ClientCredentials as ClientCredentialsAuth
    from backhaul.config import JwtBearer as JwtBearerAuth
    from backhaul.config import SalesforceAccount

JWT_SECONDS = 180
"""Salesforce wants an expiry within minutes."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_CHECKS: dict[str, str] = {
    "invalid_client_id": "check client_id: it is the consumer key of the external client app",
    "invalid_client": "check client_id and client_secret: they are the consumer key and secret of the app",
    "unsupported_grant_type": "enable this flow in the app's OAuth settings",
    "invalid_app_access": "let an administrator approve the app for the user (permission set or profile)",
    "OAUTH_APP_BLOCKED": "the org blocks the app: let an administrator install or unblock it",
}

_TEXT_CHECKS: tuple[tuple[str, str], ...] = (
    ("not supported on this domain", "use the org's My Domain address as instance_url, not login or test"),
    ("no client credentials user", "name a run-as user in the app's client credentials flow"),
    ("approved this consumer", "let an administrator pre-authorise the app for the user"),
    ("audience", "set auth.audience: https://login.salesforce.com, or https://test.salesforce.com for a sandbox"),
    ("assertion", "check that private_key belongs to the certificate that the app holds"),
    ("ip restricted", "relax the app's IP rules, or allow this machine's address"),
    ("inactive", "the user or the org is not active"),
)


class ClientCredentials:
    """The OAuth client credentials grant: the app acts as its run-as user. Only on the org's own address."""

    method = "client credentials"

    def __init__(self, account: SalesforceAccount, auth: ClientCredentialsAuth) -> None:
        self.check = "check client_id, client_secret and the app's run-as user; the address must be the org's My Domain"
        self._account = account
        self._auth = auth

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header; sets `http.base` to the org's address. Raises SignInError."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._auth.client_id,
            "client_secret": self._auth.client_secret.get_secret_value(),
        }
        # Only the org's own address takes this grant; login and test refuse it.
        host = host_of(self._account, self._account.instance_url, self._account.login_url)
        return exchange(http, self, host, form)


class JwtBearer:
    """The OAuth JWT bearer grant: a key signs for a named user. No secret travels."""

    method = "JWT bearer"

    def __init__(self, account: SalesforceAccount, auth: JwtBearerAuth) -> None:
        self.check = "check client_id, username, the key and that the app is pre-authorised for the user"
        self._account = account
        self._auth = auth

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header; sets `http.base` to the org's address. Raises SignInError."""
        host = host_of(self._account, self._account.login_url, self._account.instance_url)
        claims = {
            "iss": self._auth.client_id,
            "sub": self._auth.username,
            "aud": audience(self._auth.audience, host),
            "exp": int(_clock(http, host).timestamp()) + JWT_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, self._key(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            raise ConfigurationError(
                f"account '{self._account.name}': the private key cannot be read as an RSA key in PEM form",
                hint="give the whole PEM text in private_key, or its path in private_key_file",
            ) from None
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        return exchange(http, self, host, form)

    def _key(self) -> str:
        if self._auth.private_key is not None:
            # An environment variable often carries the line breaks of a PEM as the two characters \n.
            return str(self._auth.private_key.get_secret_value()).replace("\\n", "\n")
        path = self._auth.private_key_file
        if path is None:
            raise ConfigurationError(
                f"account '{self._account.name}': the JWT bearer method needs private_key or private_key_file"
            )
        try:
            return Path(path).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"account '{self._account.name}': private_key_file {path} cannot be read"
            ) from None


def audience(configured: str, host: str) -> str:
    """Who the assertion is for; a sandbox's own address tells that it is test.salesforce.com."""
    name = urlsplit(host).hostname or ""
    plain = str(configured).rstrip("/")
    sandbox = name == "test.salesforce.com" or ".sandbox." in name
    return "https://test.salesforce.com" if sandbox and plain == "https://login.salesforce.com" else plain


class _TokenDoor:
    """What simple-salesforce takes for a session: its one `post` goes through our send path."""

    def __init__(self, http: Http, url: str, keep: Callable[[Mapping[str, Any]], None] | None = None) -> None:
        self._http = http
        self._url = url
        self._keep = keep
        self.reply: dict[str, Any] = {}

    def post(
        self, url: str, data: Mapping[str, str], *, headers: Mapping[str, str] | None = None, proxies: Any = None
    ) -> requests.Response:
        """Post the form to the token endpoint; a busy one is waited for, any other refusal is simple-salesforce's."""
        response = self._http.send(
            Request(
                "POST",
                self._url,
                "sign in",
                headers={**(headers or {}), "Accept": "application/json"},
                data=dict(data),
                repeatable=True,
                accept=frozenset({400, 401, 403, 404}),
                signed=False,
            )
        )
        # Read here first: whether simple-salesforce copes with a page of HTML depends on which JSON library is there.
        body = response.json()
        self.reply = body if isinstance(body, dict) else {}
        if self._keep is not None and response.status_code < 300:
            self._keep(self.reply)
        return response


def exchange(
    http: Http,
    credentials: Credentials,
    host: str,
    form: dict[str, str],
    keep: Callable[[Mapping[str, Any]], None] | None = None,
) -> dict[str, str]:
    """Trade the form for a token. The org's address is read again each time: a migration changes it.

    `keep` is given the reply before anything else can fail.
    """
    door = _TokenDoor(http, f"{host}/services/oauth2/token", keep)
    try:
        with warnings.catch_warnings():
            # Its advice on a missing consent names addresses of its own; ours is in _TEXT_CHECKS.
            warnings.simplefilter("ignore")
            token, _ = token_login(f"{host}/services/oauth2/token", form, host, "", None, None, cast(Any, door))
    except TransientError:
        raise
    except CRMError as refused:
        _refuse(http, credentials, refused.symbol, refused.message)
    except SalesforceAuthenticationFailed as refused:
        _refuse(http, credentials, str(refused.code), first_words(str(refused.auth_message or "no reason given")))
    except (ValueError, AttributeError, KeyError):
        _refuse(http, credentials, "NO_TOKEN", f"{host} did not answer with a token: is it an org's address?")
    if not token or not isinstance(token, str):
        _refuse(http, credentials, "NO_TOKEN", f"{host} did not answer with a token: is it an org's address?")
    http.base = guarded(http.account, str(door.reply["instance_url"]).rstrip("/"))
    return {"Authorization": f"Bearer {token}"}


def _refuse(http: Http, credentials: Credentials, symbol: str, message: str) -> NoReturn:
    for text, check in _TEXT_CHECKS:
        if text in message.lower():
            credentials.check = check
            break
    else:
        credentials.check = _CHECKS.get(symbol, credentials.check)
    raise_refused_sign_in(http.account, credentials, symbol, message)


def host_of(account: SalesforceAccount, first: str | None, second: str | None) -> str:
    """Where to ask for a token."""
    address = str(first or second or "").rstrip("/")
    if not address:
        raise ConfigurationError(f"account '{account.name}' names neither instance_url nor login_url")
    return guarded(account.name, address)


def guarded(account: str, address: str) -> str:
    """`address`, refused when a token or secret would cross a network unencrypted."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return address
    raise ConfigurationError(
        f"account '{account}': {address} is not an https address",
        hint="plain http would show the token to the network; it is allowed for this machine only",
    )


def _clock(http: Http, host: str) -> datetime:
    """The server's clock, so that a wrong clock here does not make the assertion expired or too long-lived."""
    try:
        reply = http.send(Request("GET", f"{host}/services/data", "read Salesforce's clock", signed=False))
        stamp = http_date(reply.headers.get("Date"))
    except CRMError:
        stamp = None
    return stamp or datetime.now(UTC)
