"""Signing in at Microsoft Entra with MSAL, over our own send path.

MSAL decides what is asked; the bytes travel through :class:`~backhaul.crm.http.Http`, so that time-outs, proxies, the
account's certificate authority and retries are the same as for everything else (dataverse-api.md §1.2, §1.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from backhaul.crm.http import Http, Request
from backhaul.errors import ConfigurationError, SignInError

if TYPE_CHECKING:
    import requests

    from backhaul.config import DynamicsAccount

METHOD = "client secret"

CAUSES: Mapping[str, tuple[str, str]] = {
    "AADSTS7000215": (
        "the client secret is wrong",
        "copy the secret's Value, not its Secret ID, into the profile's client_secret; it is shown only once",
    ),
    "AADSTS7000222": ("the client secret has expired", "make a new one under Certificates & secrets of the app"),
    "AADSTS90002": ("the tenant does not exist", "check tenant_id: the Directory (tenant) ID of the app registration"),
    "AADSTS900023": ("the tenant id is malformed", "check tenant_id: the Directory (tenant) ID, a GUID or a domain"),
    "AADSTS700016": (
        "the app is not registered in this tenant",
        "check client_id (the Application (client) ID) and that tenant_id is the tenant that holds the app",
    ),
    "AADSTS500011": ("the environment's address is unknown to the tenant", "check url: https://ORG.crm4.dynamics.com"),
    "AADSTS53003": ("a conditional access policy blocks the app", "ask the tenant's administrator to exclude the app"),
    # From here on the token was good and Dataverse refused who it names (§1.6).
    "0x80072560": (
        "the app is no application user of this environment",
        "add it: Power Platform admin center > the environment > Settings > Application users > New app user",
    ),
    "0x80042f09": (
        "the application user has no security role",
        "give it one that may read and write the tables in use, in the admin center under Application users",
    ),
    "0x80040225": ("the application user is disabled", "activate it in the admin center under Application users"),
    "0x8004a112": ("the application user is disabled", "activate it in the admin center under Application users"),
    "0x8004d24b": ("the user has no licence", "use an application user, which needs none, or assign a licence"),
    "0x80095ffc": ("this app is blocked in the environment", "ask the environment's administrator to allow it"),
}
"""Symbol (Entra's, or Dataverse's in lower case): what is wrong, what to do."""

_ENTRA_CODE = re.compile(r"AADSTS\d+")
_REFUSALS = frozenset(range(300, 500)) - {408, 429}
"""Statuses that MSAL reads itself; the others are waited for and repeated by the send path."""


def refused(account: str, symbol: str, told: str) -> NoReturn:
    """Raise the SignInError for `symbol`; `told` is the server's own sentence, used where we know none better."""
    what, check = CAUSES.get(_canonical(symbol), (told or "the sign-in was refused", ""))
    raise SignInError(
        f"account '{account}' could not sign in ({METHOD}): {symbol}: {what}",
        hint=check or "check tenant_id, client_id, client_secret, authority and url of the account in the profile",
    )


def is_sign_in_cause(symbol: str) -> bool:
    """Whether Dataverse's `symbol` says that the caller as such is not welcome, whatever was asked."""
    return _canonical(symbol) in CAUSES


def _canonical(symbol: str) -> str:
    return symbol.lower() if symbol[:2].lower() == "0x" else symbol


class ClientSecretSignIn:
    """:class:`~backhaul.crm.http.Credentials` of an application that has a client secret."""

    method = METHOD
    check = "check client_id, client_secret and tenant_id in the profile, and that the app is an application user here"

    def __init__(self, account: DynamicsAccount) -> None:
        self._account = account
        self._application: Any = None
        parts = urlsplit(account.url)
        self._scope = f"{parts.scheme}://{parts.netloc}/.default"

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header. Raises SignInError per cause; TransientError where Entra cannot be reached."""
        application = self._opened(http)
        # Called when there is no token yet or when the last one was refused: what MSAL remembers is no use either way.
        application.remove_tokens_for_client()
        reply = application.acquire_token_for_client([self._scope])
        token = reply.get("access_token")
        if not token:
            self._raise(str(reply.get("error_description") or ""), str(reply.get("error") or "no_token"))
        return {"Authorization": f"Bearer {token}"}

    def _opened(self, http: Http) -> Any:
        if self._application is not None:
            return self._application
        import msal

        auth = self._account.auth
        authority = f"{auth.authority.rstrip('/')}/{auth.tenant_id}"
        if urlsplit(authority).scheme != "https":
            raise ConfigurationError(
                f"account '{self._account.name}': authority '{auth.authority}' must begin with https://",
                hint="leave it out for https://login.microsoftonline.com",
            )
        try:
            self._application = msal.ConfidentialClientApplication(
                auth.client_id,
                client_credential=auth.client_secret.get_secret_value(),
                authority=authority,
                http_client=_Carrier(http),
                # Discovery asks Microsoft's public cloud whether it knows the authority: a question without sense for
                # an address that a person wrote into the profile, and one more host to let through a firewall.
                instance_discovery=False,
            )
        except ValueError as error:
            # MSAL replaces the reply's text by its own; the original is the error that it was handling.
            self._raise(f"{error.__context__ or ''} {error}", "no_authority")
        return self._application

    def _raise(self, told: str, symbol: str) -> NoReturn:
        code = _ENTRA_CODE.search(told)
        sentence = told.strip().splitlines()[0] if told.strip() else ""
        if code is not None:
            sentence = sentence.removeprefix(f"{code[0]}: ")
        refused(self._account.name, code[0] if code else symbol, sentence)


class _Carrier:
    """The `http_client` that MSAL asks for, on our send path. Refusals are handed back, as MSAL reads them."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: object
    ) -> requests.Response:
        return self._send(Request("GET", url, self._purpose, params=params, headers=headers or {}, **self._options))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> requests.Response:
        return self._send(
            Request("POST", url, self._purpose, params=params, data=data, headers=headers or {}, **self._options)
        )

    def close(self) -> None:
        """The session belongs to the connector, which closes it."""

    _purpose = "sign in"
    # Asking for a token twice equals asking once.
    _options: Mapping[str, Any] = {"signed": False, "repeatable": True, "accept": _REFUSALS}

    def _send(self, request: Request) -> requests.Response:
        return self._http.send(request)
