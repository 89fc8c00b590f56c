"""Signing in as a person: by device code, by user name and password, or with a token that somebody handed in.

A device code is entered once in a browser; what MSAL then holds is kept in the project's state folder, in a file that
only its owner may read, and renews itself for months (dataverse-api.md §1.2).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backhaul.crm.dynamics.signin import Entra
from backhaul.crm.http import Http
from backhaul.errors import BackhaulError, SignInError

if TYPE_CHECKING:
    from backhaul.config import DynamicsAccount

SLOWER = 5
"""Seconds that are added to the pause when the directory is asked too often (RFC 8628)."""


def to_terminal(message: str) -> None:
    """Show a person what to do; raises SignInError where nobody is there to read it."""
    if not sys.stderr.isatty():
        raise SignInError(
            "somebody has to sign in by device code, and nobody sits at this terminal",
            hint="run `backhaul check --online` once at a terminal, or use method client_secret or certificate",
        )
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


class DeviceCode(Entra):
    """:class:`~backhaul.crm.http.Credentials` of a person who enters a code in a browser, once."""

    method = "device code"
    check = "check client_id and tenant_id in the profile, and that this person has a security role in the environment"

    def __init__(self, account: DynamicsAccount, tell: Callable[[str], None] | None = None) -> None:
        super().__init__(account)
        self._tell = tell or to_terminal
        self._kept = KeptTokens(_place(account))
        self._given = False

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A token's header, from what is kept or by a code. Raises SignInError."""
        application = self.opened(http, "PublicClientApplication", token_cache=self._kept.load())
        scopes = [f"{self._resource}/user_impersonation"]
        reply = None
        for known in application.get_accounts():
            # Called again, the last token was refused.
            reply = application.acquire_token_silent(scopes, account=known, force_refresh=self._given)
            if reply:
                break
        if not reply:
            reply = self._by_code(http, application, scopes)
        header = self.header(reply)
        self._given = True
        self._kept.save()
        return header

    def _by_code(self, http: Http, application: Any, scopes: list[str]) -> Mapping[str, Any]:
        flow = application.initiate_device_flow(scopes=scopes)
        if "user_code" not in flow:
            self.fail(flow)
        self._tell(f"account '{self._account.name}': {flow.get('message') or flow['user_code']}")
        pause, left = float(flow.get("interval") or SLOWER), float(flow.get("expires_in") or 900)
        while True:
            reply: Mapping[str, Any] = application.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
            error = reply.get("error")
            if error not in ("authorization_pending", "slow_down"):
                return reply
            if left <= 0:
                return {"error": "expired_token"}
            pause += SLOWER if error == "slow_down" else 0
            left -= pause
            http.policy.sleep(pause)


class UsernamePassword(Entra):
    """:class:`~backhaul.crm.http.Credentials` of a person's name and password, where the tenant allows it."""

    method = "user name and password"
    check = "check username, password, client_id and tenant_id in the profile; tenants that ask for a second factor do "
    check += "not allow this"

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header. Raises SignInError."""
        application = self.opened(http, "PublicClientApplication")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # MSAL's: it warns of the method, which was chosen
            reply = application.acquire_token_by_username_password(
                self._auth.username, self._auth.password.get_secret_value(), [f"{self._resource}/user_impersonation"]
            )
        return self.header(reply)


class AccessToken:
    """:class:`~backhaul.crm.http.Credentials` of a token that was handed in; it cannot be renewed."""

    method = "access token"
    check = "hand in a fresh token: they are good for about an hour, for one environment"

    def __init__(self, account: DynamicsAccount) -> None:
        self._account = account.name
        self._auth: Any = account.auth
        self._given = False

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """The token's header; the second time SignInError, as the token was refused."""
        if self._given:
            raise SignInError(
                f"account '{self._account}': the access token that was handed in is refused or has expired",
                hint=self.check,
            )
        self._given = True
        return {"Authorization": f"Bearer {self._auth.token.get_secret_value()}"}


class KeptTokens:
    """MSAL's cache in a file that only its owner may read; without a place nothing is kept."""

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._cache: Any = None

    def __repr__(self) -> str:
        return f"KeptTokens({self._place})"

    def load(self) -> Any:
        """The cache, read once; an unreadable file counts as none."""
        if self._cache is None:
            import msal

            self._cache = msal.SerializableTokenCache()
            if self._place is not None:
                with contextlib.suppress(OSError, ValueError):
                    text = self._place.read_text(encoding="utf-8")
                    self._place.chmod(0o600)
                    self._cache.deserialize(text)
        return self._cache

    def save(self) -> None:
        """Put what has changed on disk, whole or not at all. Raises BackhaulError where it cannot be written."""
        if self._place is None or not self._cache.has_state_changed:
            return
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A temporary file of this kind is for its owner only.
            with NamedTemporaryFile("w", dir=self._place.parent, prefix=".token-", delete=False) as file:
                file.write(self._cache.serialize())
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._place)
        except OSError as error:
            raise BackhaulError(
                f"the sign-in cannot be kept in {self._place} ({error.strerror or type(error).__name__})",
                hint="make the folder writable",
            ) from None
        self._cache.has_state_changed = False


def _place(account: DynamicsAccount) -> Path | None:
    """One file an account, environment and app."""
    if account.state_folder is None:
        return None
    auth: Any = account.auth
    name = f"{account.name}@{urlsplit(account.url).netloc}-{auth.client_id}"
    return account.state_folder / "tokens" / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.json"
