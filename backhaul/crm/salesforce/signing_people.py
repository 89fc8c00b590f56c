"""Signing in to Salesforce with what a person left: a refresh token, a password, the Salesforce CLI (§2.1, §2.3, §2.5).

A refresh token that the org renews is dead the moment its successor was sent: the successor is on disk before the token
that came with it is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import requests
from simple_salesforce.exceptions import SalesforceAuthenticationFailed
from simple_salesforce.login import soap_login

from backhaul.crm.http import Http, Request, raise_refused_sign_in
from backhaul.crm.salesforce.refusals import first_words
from backhaul.crm.salesforce.signing import exchange, guarded, host_of
from backhaul.errors import BackhaulError, ConfigurationError, CRMError, TransientError

if TYPE_CHECKING:
    from backhaul.config import Password as PasswordAuth
    from backhaul.config import RefreshToken as RefreshTokenAuth
    from backhaul.config import SalesforceAccount
    from backhaul.config import SalesforceCli as SalesforceCliAuth

NEWEST_SOAP_LOGIN = 64.0
"""login() is absent from 65.0 on, and ends for older versions with Summer '27 (§11)."""

CLI_SECONDS = 120

_SOAP_CHECKS: dict[str, str] = {
    "INVALID_LOGIN": "check username, password and security_token; a new password gives a new token",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "add security_token, or let the org trust this machine's address",
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": "the password has expired: set a new one in the org",
    "UNSUPPORTED_API_VERSION": "the org no longer has SOAP login: use client_credentials or jwt_bearer",
    "API_DISABLED_FOR_ORG": "SOAP login is switched off in this org: use client_credentials or jwt_bearer",
}


class RefreshToken:
    """The OAuth refresh token grant. `place`: the file for renewed tokens, None keeps them in memory only."""

    method = "refresh token"

    def __init__(self, account: SalesforceAccount, auth: RefreshTokenAuth, place: Path | None) -> None:
        self.check = (
            "sign in anew in the browser and put the new token in refresh_token: it was revoked, or has expired"
        )
        self._account = account
        self._auth = auth
        self._store = TokenStore(account.name, place, auth.refresh_token.get_secret_value())

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header; a renewed refresh token is kept first. Raises SignInError."""
        host = host_of(self._account, self._account.login_url, self._account.instance_url)
        with self._store.turn():
            form = {
                "grant_type": "refresh_token",
                "refresh_token": self._store.newest(),
                "client_id": self._auth.client_id,
            }
            if self._auth.client_secret is not None:
                form["client_secret"] = self._auth.client_secret.get_secret_value()

            def keep(reply: Mapping[str, Any]) -> None:
                renewed = reply.get("refresh_token")
                if isinstance(renewed, str) and renewed and renewed != form["refresh_token"]:
                    self._store.keep(renewed)

            return exchange(http, self, host, form, keep)


class TokenStore:
    """The newest refresh token of an account, in a file that only its owner may read.

    With it stands which configured token it descends from: a token that was configured anew wins.
    """

    def __init__(self, account: str, place: Path | None, first: str) -> None:
        self._account = account
        self._place = place.with_name(f"{place.name}.json") if place else None
        self._first = first
        self._origin = hashlib.sha256(first.encode()).hexdigest()
        self._renewed = ""

    def __repr__(self) -> str:
        return f"TokenStore({self._account})"

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """One process at a time trades the token: a second one with the same token would be taken for a thief.

        The folder is proved to be writable before anything is traded.
        """
        if self._place is None:
            yield
            return
        import fcntl

        try:
            self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._place.with_suffix(".lock").open("w")
        except OSError as error:
            self._unwritable(error)
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def newest(self) -> str:
        """The token to trade: the kept one if it descends from the configured one."""
        if self._renewed:
            return self._renewed
        if self._place is not None:
            try:
                kept = json.loads(self._place.read_text(encoding="utf-8"))
                if kept.get("origin") == self._origin and isinstance(kept.get("refresh_token"), str):
                    return str(kept["refresh_token"])
            except (OSError, ValueError, AttributeError):
                pass
        return self._first

    def keep(self, token: str) -> None:
        """Put a renewed token on disk, whole or not at all."""
        self._renewed = token if self._place is None else ""
        if self._place is None:
            return
        try:
            # mkstemp's files are for their owner only.
            with NamedTemporaryFile("w", dir=self._place.parent, prefix=".token-", delete=False) as file:
                json.dump({"origin": self._origin, "refresh_token": token}, file)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._place)
        except OSError as error:
            self._unwritable(error)

    def _unwritable(self, error: OSError) -> NoReturn:
        raise BackhaulError(
            f"account '{self._account}': the folder for renewed refresh tokens cannot be written "
            f"({error.strerror or type(error).__name__}): {self._place.parent if self._place else ''}",
            hint="make it writable: a renewed token that is lost means signing in anew in the browser",
        ) from None


class Password:
    """SOAP login() with user name, password and security token."""

    method = "user name and password"

    def __init__(self, account: SalesforceAccount, auth: PasswordAuth) -> None:
        self.check = "check username, password and security_token"
        self._account = account
        self._auth = auth

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh session's header; sets `http.base` to the org's address. Raises SignInError."""
        host = host_of(self._account, self._account.login_url, self._account.instance_url)
        version = min(float(self._account.api_version), NEWEST_SOAP_LOGIN)
        door = _SoapDoor(http)
        token = self._auth.security_token.get_secret_value() if self._auth.security_token else ""
        body = (
            '<?xml version="1.0" encoding="utf-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
            '<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com">'
            f"<n1:username>{escape(self._auth.username)}</n1:username>"
            f"<n1:password>{escape(self._auth.password.get_secret_value() + token)}</n1:password>"
            "</n1:login></env:Body></env:Envelope>"
        )
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"}
        try:
            session, _ = soap_login(
                f"{host}/services/Soap/u/{version:.1f}", body, cast(Any, headers), None, cast(Any, door)
            )
        except TransientError:
            raise
        except CRMError as refused:
            self._refuse(http, refused.symbol, refused.message)
        except SalesforceAuthenticationFailed as refused:
            self._refuse(http, str(refused.code), first_words(str(refused.auth_message or "no reason given")))
        except BackhaulError:
            raise
        except Exception:  # whatever an XML parser says of a page of HTML
            self._refuse(http, "NO_SESSION", f"{host} did not answer with a session: is it an org's address?")
        if "<passwordExpired>true" in door.text:
            self._refuse(http, "INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "the password has expired")
        found = re.search(r"<serverUrl>([^<]+)</serverUrl>", door.text)
        parts = urlsplit(found[1] if found else "")
        if not session or not parts.netloc:
            self._refuse(http, "NO_SESSION", f"{host} did not answer with a session: is it an org's address?")
        http.base = guarded(http.account, f"{parts.scheme}://{parts.netloc.replace('-api.', '.')}")
        return {"Authorization": f"Bearer {session}"}

    def _refuse(self, http: Http, symbol: str, message: str) -> NoReturn:
        symbol = symbol.removeprefix("sf:")
        self.check = _SOAP_CHECKS.get(symbol, "check username, password and security_token")
        raise_refused_sign_in(http.account, self, symbol, message)


class _SoapDoor:
    """What simple-salesforce takes for a session: its one `post` goes through our send path."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.text = ""

    def post(
        self, url: str, data: str, *, headers: Mapping[str, str] | None = None, proxies: Any = None
    ) -> requests.Response:
        """Post the envelope; a fault (status 500) is simple-salesforce's to read."""
        response = self._http.send(
            Request(
                "POST",
                url,
                "sign in",
                headers=dict(headers or {}),
                data=data.encode(),
                repeatable=True,
                accept=frozenset({500}),
                signed=False,
            )
        )
        self.text = response.text
        return response


class SalesforceCli:
    """The token of the Salesforce CLI, which keeps and renews it."""

    method = "Salesforce CLI"

    def __init__(self, account: SalesforceAccount, auth: SalesforceCliAuth) -> None:
        self.check = f"sign in with the CLI: {auth.command} org login web --alias {auth.target_org}"
        self._account = account
        self._auth = auth

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """The header with the CLI's token; sets `http.base` to the org's address. Raises SignInError.

        The command of 2026 shows the token; older CLIs show it in `org display`, newer ones only a remark there.
        """
        told = self._ask(["org", "auth", "show-access-token"])
        token = _unhidden(told.get("accessToken"))
        address = self._account.instance_url
        if token is None or address is None:
            display = self._ask(["org", "display"])
            token = token or _unhidden(display.get("accessToken"))
            address = address or display.get("instanceUrl")
            told = {**display, **told}
        if token is None or not isinstance(address, str):
            why = str(told.get("message") or "it shows no token")
            raise_refused_sign_in(http.account, self, str(told.get("name") or "NO_TOKEN"), first_words(why))
        http.base = guarded(http.account, address.rstrip("/"))
        return {"Authorization": f"Bearer {token}"}

    def _ask(self, words: Sequence[str]) -> dict[str, Any]:
        """What the CLI says, as the `result` of its JSON; its name and message when it refuses."""
        command = shutil.which(self._auth.command)
        if command is None:
            raise ConfigurationError(
                f"account '{self._account.name}': there is no command '{self._auth.command}' (method: cli)",
                hint="install the Salesforce CLI, or name its path in auth.command",
            )
        try:
            ran = subprocess.run(  # noqa: S603 - the command is the one that the profile names
                [command, *words, "--target-org", self._auth.target_org, "--json"],
                capture_output=True,
                timeout=CLI_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            told = json.loads(ran.stdout)
        except subprocess.TimeoutExpired:
            return {"name": "TIMEOUT", "message": f"the CLI did not answer within {CLI_SECONDS} s"}
        except (OSError, ValueError):
            return {}
        if not isinstance(told, dict):
            return {}
        result = told.get("result")
        if isinstance(result, dict) and told.get("status") == 0:
            return result
        return {name: told[name] for name in ("name", "message") if isinstance(told.get(name), str)}


def _unhidden(token: object) -> str | None:
    return token if isinstance(token, str) and token and not token.startswith("[REDACTED]") else None
