"""Signing in at Microsoft Entra with MSAL, over our own send path: applications, by secret or certificate.

MSAL decides what is asked; the bytes travel through :class:`~backhaul.crm.http.Http`, so that time-outs, proxies, the
account's certificate authority and retries are the same as for everything else (dataverse-api.md §1.2, §1.3). People
sign in by `signin_people`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from backhaul.crm.http import Credentials, Http, Request
from backhaul.errors import ConfigurationError, SignInError

if TYPE_CHECKING:
    import requests

    from backhaul.config import DynamicsAccount

PUBLIC_CLOUD = "https://login.microsoftonline.com"
CLOUDS: Mapping[str, str] = {
    ".dynamics.cn": "https://login.partner.microsoftonline.cn",
    ".microsoftdynamics.us": "https://login.microsoftonline.us",
    ".appsplatform.us": "https://login.microsoftonline.us",
}
"""The authority of a sovereign cloud by the ending of its environments' host names; all others are public (GCC too)."""

WRONG_TENANT = "WRONG_TENANT"
"""Our own symbol: the token is good, and of another tenant than the environment is in."""

CAUSES: Mapping[str, tuple[str, str]] = {
    "AADSTS7000215": (
        "the client secret is wrong",
        "copy the secret's Value, not its Secret ID, into the profile's client_secret; it is shown only once",
    ),
    "AADSTS7000222": ("the client secret has expired", "make a new one under Certificates & secrets of the app"),
    "AADSTS90002": ("the tenant does not exist", "check tenant_id: the Directory (tenant) ID of the app registration"),
    "AADSTS900023": ("the tenant id is malformed", "check tenant_id: the Directory (tenant) ID, a GUID or a domain"),
    "AADSTS700027": (
        "the certificate is not the one that the app has",
        "upload the certificate's public part under Certificates & secrets of the app, or give the right one",
    ),
    "AADSTS50126": ("the user name or the password is wrong", "check username and password in the profile"),
    "AADSTS50034": ("the user does not exist in this tenant", "check username and tenant_id in the profile"),
    "AADSTS50055": ("the password has expired", "sign in once in a browser and change it"),
    "AADSTS50053": ("the account is locked", "wait, or have the tenant's administrator unlock it"),
    "AADSTS50057": ("the account is disabled", "ask the tenant's administrator"),
    "AADSTS50076": (
        "the tenant asks for a second factor, which a password alone cannot give",
        "use method device_code, or an application: method client_secret or certificate",
    ),
    "AADSTS50079": (
        "the tenant asks for a second factor, which a password alone cannot give",
        "use method device_code, or an application: method client_secret or certificate",
    ),
    "AADSTS65001": (
        "nobody has consented to the app in this tenant",
        "give it the delegated permission Dynamics CRM > user_impersonation, and the administrator's consent",
    ),
    "AADSTS7000218": (
        "the app is no public client, as people's sign-ins need",
        "switch on Allow public client flows under Authentication of the app",
    ),
    "AADSTS70016": ("nobody signed in", "run it again and enter the code in time"),
    "authorization_declined": ("the sign-in was declined", "run it again and agree"),
    "expired_token": ("the code was not entered in time", "run it again and enter the code before it expires"),
    "AADSTS700016": (
        "the app is not registered in this tenant",
        "check client_id (the Application (client) ID) and that tenant_id is the tenant that holds the app",
    ),
    "AADSTS500011": ("the environment's address is unknown to the tenant", "check url: https://ORG.crm4.dynamics.com"),
    "AADSTS53003": ("a conditional access policy blocks the app", "ask the tenant's administrator to exclude the app"),
    WRONG_TENANT: (
        "the environment belongs to another tenant",
        "set tenant_id to the tenant that the environment is in",
    ),
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


def refused(account: str, method: str, symbol: str, told: str) -> NoReturn:
    """Raise the SignInError for `symbol`; `told` is the server's own sentence, used where we know none better."""
    what, check = CAUSES.get(_canonical(symbol), (told or "the sign-in was refused", ""))
    if symbol == WRONG_TENANT:
        what = f"{what}, {told}"
    raise SignInError(
        f"account '{account}' could not sign in ({method}): {symbol}: {what}",
        hint=check or "check method, tenant_id, client_id, authority and url of the account in the profile",
    )


def authority_of(account: DynamicsAccount) -> str:
    """The authority of an account's tenant: as declared, else of the cloud that its url belongs to.

    Raises ConfigurationError for one without TLS.
    """
    host = urlsplit(account.url).hostname or ""
    cloud = next((address for ending, address in CLOUDS.items() if host.endswith(ending)), PUBLIC_CLOUD)
    auth: Any = account.auth
    address = f"{(auth.authority or cloud).rstrip('/')}/{auth.tenant_id}"
    if urlsplit(address).scheme != "https":
        raise ConfigurationError(
            f"account '{account.name}': authority '{auth.authority}' must begin with https://",
            hint=f"leave it out for {cloud}",
        )
    return address


def credentials(account: DynamicsAccount, tell: Callable[[str], None] | None = None) -> Credentials:
    """The sign-in that the account's profile asks for; `tell` shows a person what to do (device code)."""
    method = account.auth.method
    if method == "client_secret":
        return ClientSecretSignIn(account)
    if method == "certificate":
        return CertificateSignIn(account)
    from backhaul.crm.dynamics import signin_people

    if method == "access_token":
        return signin_people.AccessToken(account)
    if method == "username_password":
        return signin_people.UsernamePassword(account)
    return signin_people.DeviceCode(account, tell)


def is_sign_in_cause(symbol: str) -> bool:
    """Whether Dataverse's `symbol` says that the caller as such is not welcome, whatever was asked."""
    return _canonical(symbol) in CAUSES


def _canonical(symbol: str) -> str:
    return symbol.lower() if symbol[:2].lower() == "0x" else symbol


class Entra:
    """What all sign-ins at Entra share: MSAL's application, opened once, and its refusals as our errors."""

    method = ""
    check = ""

    def __init__(self, account: DynamicsAccount) -> None:
        self._account = account
        self._auth: Any = account.auth
        self._application: Any = None
        parts = urlsplit(account.url)
        self._resource = f"{parts.scheme}://{parts.netloc}"

    def opened(self, http: Http, kind: str, **options: Any) -> Any:
        """MSAL's application of this kind. Raises SignInError where the tenant does not exist."""
        if self._application is None:
            import msal

            authority = authority_of(self._account)
            try:
                self._application = getattr(msal, kind)(
                    self._auth.client_id,
                    authority=authority,
                    http_client=Carrier(http, authority),
                    # Discovery asks Microsoft's public cloud whether it knows the authority: a question without sense
                    # for an address that a person wrote into the profile, and one more host to let through a firewall.
                    instance_discovery=False,
                    **options,
                )
            except ValueError as error:
                # MSAL replaces the reply's text by its own; the original is the error that it was handling.
                self.fail({"error_description": f"{error.__context__ or ''} {error}", "error": "no_authority"})
        return self._application

    def header(self, reply: Mapping[str, Any]) -> Mapping[str, str]:
        """The header that carries the token of MSAL's reply. Raises SignInError for a refusal."""
        token = reply.get("access_token")
        if not token:
            self.fail(reply)
        return {"Authorization": f"Bearer {token}"}

    def fail(self, reply: Mapping[str, Any]) -> NoReturn:
        """Raise the SignInError of MSAL's reply."""
        told = str(reply.get("error_description") or "")
        code = _ENTRA_CODE.search(told)
        sentence = told.strip().splitlines()[0] if told.strip() else ""
        if code is not None:
            sentence = sentence.removeprefix(f"{code[0]}: ")
        error = str(reply.get("error") or "no_token")
        symbol = error if error in CAUSES or code is None else code[0]
        refused(self._account.name, self.method, symbol, sentence)


class _Application(Entra):
    """An application that signs in for itself."""

    def sign_in(self, http: Http) -> Mapping[str, str]:
        """A fresh token's header. Raises SignInError per cause; TransientError where Entra cannot be reached."""
        application = self.opened(http, "ConfidentialClientApplication", client_credential=self._credential())
        # Called when there is no token yet or when the last one was refused: what MSAL remembers is no use either way.
        application.remove_tokens_for_client()
        return self.header(application.acquire_token_for_client([f"{self._resource}/.default"]))

    def _credential(self) -> Any:
        raise NotImplementedError


class ClientSecretSignIn(_Application):
    """:class:`~backhaul.crm.http.Credentials` of an application that has a client secret."""

    method = "client secret"
    check = "check client_id, client_secret and tenant_id in the profile, and that the app is an application user here"

    def _credential(self) -> Any:
        return self._auth.client_secret.get_secret_value()


class CertificateSignIn(_Application):
    """:class:`~backhaul.crm.http.Credentials` of an application that has a certificate."""

    method = "certificate"
    check = "check client_id, certificate and tenant_id in the profile, and that the app is an application user here"

    def _credential(self) -> Any:
        from backhaul.crm.dynamics.certificate import load

        pair = load(self._account.name, self._auth)
        return {"private_key": pair.key, "public_certificate": pair.certificate}


class Carrier:
    """The `http_client` that MSAL asks for, on our send path. Refusals are handed back, as MSAL reads them."""

    def __init__(self, http: Http, authority: str) -> None:
        self._http = http
        self._place = urlsplit(authority)

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: object
    ) -> requests.Response:
        """GET, as MSAL asks for it."""
        return self._send(Request("GET", url, self._purpose, params=params, headers=headers or {}, **self._options))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> requests.Response:
        """POST a form, as MSAL asks for it."""
        return self._send(
            Request("POST", url, self._purpose, params=params, data=data, headers=headers or {}, **self._options)
        )

    def close(self) -> None:
        """The session belongs to the connector, which closes it."""

    _purpose = "sign in"
    # Asking for a token twice equals asking once.
    _options: Mapping[str, Any] = {"signed": False, "repeatable": True, "accept": _REFUSALS}

    def _send(self, request: Request) -> requests.Response:
        parts = urlsplit(request.url)
        if parts.hostname == self._place.hostname and parts.netloc != self._place.netloc:
            # MSAL forgets the authority's port when it asks where a user is at home (§1.3).
            request = replace(request, url=parts._replace(netloc=self._place.netloc).geturl())
        return self._http.send(request)
