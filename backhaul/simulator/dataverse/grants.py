"""The token endpoint's flows: application, certificate, password, device code, authorization code, refresh token.

Wire format: dataverse-api.md §1.2. A token of an application names it by ``appid``; a token of a person, got through
an application, names the person by ``oid`` as well.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from cryptography.x509 import load_pem_x509_certificate

from .entra import TENANT_ID, Account, Directory, TokenError, encoded

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_DEVICE_SECONDS, _CODE_SECONDS = 900, 600
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
_OPENID = ("openid", "profile", "email", "offline_access")


@dataclass(frozen=True)
class Asked:
    """One request of the token endpoint. `resources` are the root URLs that a token may be asked for, `root` and
    `endpoint` the directory's and the endpoint's own URL, `policies` the setting ``sign_in``."""

    form: Mapping[str, str]
    root: str
    resources: set[str]
    endpoint: str
    now: datetime
    seconds: int
    refresh_seconds: int
    policies: Mapping[str, Any]
    authorization: str = ""  # the Authorization header, for client_secret_basic


@dataclass
class _Pending:
    """A device code or an authorization code that waits to be redeemed."""

    client: str
    scope: str
    account: Account | None
    until: float
    redirect: str = ""
    challenge: str = ""
    method: str = ""
    nonce: str = ""
    state: str = "pending"


@dataclass
class Grants:
    """Answers the flows of the directory that `find` gives."""

    find: Callable[[], Directory]
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, tenant: str, asked: Asked) -> dict[str, Any]:
        """Answer ``POST .../token``. Raises TokenError."""
        self.directory.check_tenant(tenant)
        form = _with_basic(asked)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise TokenError(
                    "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
                )
        client = form["client_id"].lower()
        if client not in self.directory.secrets and client not in self.directory.public_clients:
            raise self.directory.unknown_application(form["client_id"])
        match form["grant_type"]:
            case "client_credentials":
                self._confidential(client, form, asked)
                resource = _resource(form, asked, application=True)
                return self._issue(client, None, resource, form, asked)
            case "password":
                return self._password(client, form, asked)
            case "authorization_code":
                return self._code(client, form, asked)
            case "refresh_token":
                return self._refresh(client, form, asked)
            case one if one in (_DEVICE, "device_code"):
                return self._device(client, form, asked)
        raise TokenError(
            "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'."
        )

    def device_code(self, tenant: str, asked: Asked, root: str) -> dict[str, Any]:
        """Begin the device code flow. Raises TokenError."""
        self.directory.check_tenant(tenant)
        form = asked.form
        client = form.get("client_id", "").lower()
        if client not in self.directory.secrets and client not in self.directory.public_clients:
            raise self.directory.unknown_application(form.get("client_id", ""))
        _resource(form, asked, application=False)
        code = secrets.token_urlsafe(64)
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        until = asked.now.timestamp() + _DEVICE_SECONDS
        self._keep(code, _Pending(client, form.get("scope", ""), self.directory.account(), until))
        address = f"{root}/common/oauth2/deviceauth"
        return {
            "user_code": user_code,
            "device_code": code,
            "verification_uri": address,
            "expires_in": _DEVICE_SECONDS,
            "interval": 1,
            "message": f"To sign in, use a web browser to open the page {address} and enter the code {user_code} "
            "to authenticate.",
        }

    def authorize(self, tenant: str, asked: Asked) -> tuple[int, dict[str, str], str]:
        """Answer the authorize endpoint as a browser meets it once the person has signed in: (status, headers, page).

        The person is the one of ``login_hint``, else the directory's first.
        """
        form = asked.form
        try:
            self.directory.check_tenant(tenant)
            client = form.get("client_id", "").lower()
            if client not in self.directory.secrets and client not in self.directory.public_clients:
                raise self.directory.unknown_application(form.get("client_id", ""))
            redirect = form.get("redirect_uri", "")
            if not self.directory.redirect_known(client, redirect):
                raise TokenError(
                    "invalid_client",
                    50011,
                    f"The redirect URI '{redirect}' specified in the request does not match the redirect URIs "
                    f"configured for the application '{client}'.",
                )
        except TokenError as error:  # nobody to send it back to: a page says so
            page = f"<html><head><title>Sign in to your account</title></head><body>AADSTS{error.number}: "
            return (
                400,
                {"Content-Type": "text/html; charset=utf-8"},
                page + html.escape(error.message) + "</body></html>",
            )
        answer: dict[str, str] = {}
        try:
            if form.get("response_type", "code") != "code":
                raise TokenError("unsupported_response_type", 700054, "response_type must be 'code'.")
            _resource(form, asked, application=False)
            account = self.directory.account(form.get("login_hint", "")) or self.directory.account()
            if not asked.policies["consent"]:
                raise _no_consent(client)
            code = "0." + secrets.token_urlsafe(64)
            pending = _Pending(client, form.get("scope", ""), account, asked.now.timestamp() + _CODE_SECONDS, redirect)
            pending.challenge = form.get("code_challenge", "")
            pending.method = form.get("code_challenge_method", "plain")
            pending.nonce = form.get("nonce", "")
            self._keep(code, pending)
            answer = {"code": code, "session_state": str(uuid.uuid4())}
            if form.get("client_info") == "1" and account is not None:
                answer["client_info"] = _client_info(account)
        except TokenError as error:
            answer = {"error": error.error, "error_description": f"AADSTS{error.number}: {error.message}"}
        if "state" in form:
            answer["state"] = form["state"]
        if form.get("response_mode") == "form_post":
            fields = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}" />'
                for name, value in answer.items()
            )
            page = (
                '<html><head><title>Working...</title></head><body><form method="POST" name="hiddenform" '
                f'action="{html.escape(redirect)}">{fields}<noscript><input type="submit" value="Submit" /></noscript>'
                "</form><script>document.forms[0].submit();</script></body></html>"
            )
            return 200, {"Content-Type": "text/html; charset=utf-8"}, page
        mark = "#" if form.get("response_mode") == "fragment" else "&" if "?" in redirect else "?"
        return 302, {"Location": redirect + mark + urlencode(answer), "Content-Type": "text/html"}, ""

    @property
    def directory(self) -> Directory:
        """The directory as it is now: an organisation's reset makes a new one."""
        return self.find()

    # --- the flows ----------------------------------------------------------------------------------------

    def _password(self, client: str, form: Mapping[str, str], asked: Asked) -> dict[str, Any]:
        self._client(client, form, asked)
        if not asked.policies["passwords"]:
            raise _needs_secret()
        resource = _resource(form, asked, application=False)
        account = self.directory.account(form.get("username", ""))
        if account is None:
            raise TokenError(
                "invalid_grant",
                50034,
                f"The user account {{EUII Hidden}} does not exist in the {TENANT_ID} directory. To sign into this "
                "application, the account must be added to the directory.",
            )
        if not secrets.compare_digest(account.password.encode(), form.get("password", "").encode()):
            raise TokenError(
                "invalid_grant", 50126, "Error validating credentials due to invalid username or password."
            )
        self._person(client, account, asked)
        if asked.policies["mfa"]:
            raise TokenError(
                "interaction_required",
                50076,
                "Due to a configuration change made by your administrator, or because you moved to a new location, you "
                f"must use multi-factor authentication to access '{resource}'.",
            )
        return self._issue(client, account, resource, form, asked)

    def _device(self, client: str, form: Mapping[str, str], asked: Asked) -> dict[str, Any]:
        self._client(client, form, asked)
        code = form.get("device_code") or form.get("code", "")
        pending = self._pending.get(code)
        if pending is None or pending.client != client:
            raise TokenError("invalid_grant", 70000, "Provided grant is invalid or malformed.")
        choice = asked.policies["device"]
        if pending.until <= asked.now.timestamp() or choice == "expire":
            raise TokenError(
                "expired_token", 70020, "The provided value for the input parameter 'device_code' has expired."
            )
        if choice == "decline":
            raise TokenError("authorization_declined", 70018, "Bad verification code: the user declined.")
        if choice == "pending":
            raise TokenError(
                "authorization_pending",
                70016,
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
            )
        assert pending.account is not None
        self._person(client, pending.account, asked)
        self._forget(code)
        given = {**form, "scope": form.get("scope") or pending.scope}
        return self._issue(client, pending.account, _resource(given, asked, application=False), given, asked)

    def _code(self, client: str, form: Mapping[str, str], asked: Asked) -> dict[str, Any]:
        self._client(client, form, asked)
        pending = self._pending.get(form.get("code", ""))
        if pending is None or pending.client != client:
            raise TokenError(
                "invalid_grant",
                70000,
                "The provided authorization code or refresh token is invalid or was already used.",
            )
        self._forget(form["code"])
        if pending.until <= asked.now.timestamp():
            raise TokenError(
                "invalid_grant",
                70008,
                "The provided authorization code or refresh token has expired due to inactivity. Send a new "
                "interactive authorization request for this user and resource.",
            )
        if form.get("redirect_uri", "") != pending.redirect:
            raise TokenError(
                "invalid_client", 500112, "The reply address does not match the one of the authorization request."
            )
        if pending.challenge:
            verifier = form.get("code_verifier", "")
            made = verifier
            if pending.method == "S256":
                made = encoded(hashlib.sha256(verifier.encode()).digest())
            if made != pending.challenge:
                raise TokenError(
                    "invalid_grant",
                    501481,
                    "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
                )
        assert pending.account is not None
        self._person(client, pending.account, asked)
        given = {**form, "scope": form.get("scope") or pending.scope, "nonce": pending.nonce}
        return self._issue(client, pending.account, _resource(given, asked, application=False), given, asked)

    def _refresh(self, client: str, form: Mapping[str, str], asked: Asked) -> dict[str, Any]:
        self._client(client, form, asked)
        claims = self.directory.refreshed(form.get("refresh_token", ""))
        account = self.directory.account(str((claims or {}).get("oid", "")))
        if claims is None or claims["appid"] != client or account is None:
            raise TokenError("invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
        if asked.policies["revoked"]:
            raise TokenError(
                "invalid_grant",
                50173,
                "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might "
                "have changed or reset their password.",
            )
        if claims["exp"] <= asked.now.timestamp():
            raise TokenError(
                "invalid_grant",
                700082,
                f"The refresh token has expired due to inactivity. The token was issued on "
                f"{datetime.fromtimestamp(claims['iat'], UTC).isoformat()} and was inactive for "
                f"{asked.refresh_seconds} seconds.",
            )
        self._person(client, account, asked)
        given = {**form, "scope": form.get("scope") or claims["scope"]}
        return self._issue(client, account, _resource(given, asked, application=False), given, asked)

    # --- who asks -----------------------------------------------------------------------------------------

    def _person(self, client: str, account: Account, asked: Asked) -> None:
        if account.disabled:
            raise TokenError("invalid_grant", 50057, "The user account is disabled.")
        if not asked.policies["consent"]:
            raise _no_consent(client)

    def _client(self, client: str, form: Mapping[str, str], asked: Asked) -> None:
        """A public client must not show a secret, a confidential one must."""
        if client in self.directory.public_clients:
            if form.get("client_secret") or form.get("client_assertion"):
                raise TokenError(
                    "invalid_client",
                    700025,
                    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
                    status=401,
                )
            return
        self._confidential(client, form, asked)

    def _confidential(self, client: str, form: Mapping[str, str], asked: Asked) -> None:
        directory = self.directory
        if client in directory.public_clients:
            raise _needs_secret()
        if form.get("client_assertion_type") == _ASSERTION:
            _assertion(directory.certificates.get(client, []), form.get("client_assertion", ""), client, asked)
            return
        if not form.get("client_secret"):
            raise _needs_secret()
        if not secrets.compare_digest(form["client_secret"].encode(), directory.secrets[client].encode()):
            raise TokenError(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client}'.",
                status=401,
            )
        if asked.policies["secret_expired"]:
            raise TokenError(
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new "
                "keys for your app.",
                status=401,
            )

    # --- what is given ------------------------------------------------------------------------------------

    def _issue(
        self, client: str, account: Account | None, resource: str, form: Mapping[str, str], asked: Asked
    ) -> dict[str, Any]:
        issued = int(asked.now.timestamp())
        base = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{TENANT_ID}/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + asked.seconds,
            "appid": client,
            "tid": TENANT_ID,
            "uti": encoded(uuid.uuid4().bytes),
            "ver": "1.0",
        }
        directory = self.directory
        found: dict[str, Any] = {"token_type": "Bearer"}
        if account is None:
            object_id = directory.principal(client)
            base |= {"idp": base["iss"], "idtyp": "app", "oid": object_id, "sub": object_id}
            base["appidacr"] = "2" if "client_assertion" in form else "1"
            found |= {"expires_in": asked.seconds, "ext_expires_in": asked.seconds}
            if "resource" in form:  # the first version of the endpoint says everything in text
                found = {
                    "token_type": "Bearer",
                    **{name: str(asked.seconds) for name in ("expires_in", "ext_expires_in")},
                }
                found |= {"expires_on": str(base["exp"]), "not_before": str(issued), "resource": form["resource"]}
            return found | {"access_token": directory.sign(base)}
        base |= {"oid": account.object_id, "sub": account.object_id, "name": account.name, "scp": "user_impersonation"}
        base |= {"upn": account.upn, "unique_name": account.upn, "idtyp": "user"}
        base |= {"appidacr": "0" if client in directory.public_clients else "1", "amr": ["pwd"]}
        words = form.get("scope", "").split()
        found |= {"expires_in": asked.seconds, "ext_expires_in": asked.seconds, "access_token": directory.sign(base)}
        if words:
            found["scope"] = " ".join(words)
        if "offline_access" in words or "resource" in form:
            refresh = {"oid": account.object_id, "appid": client, "scope": form.get("scope", ""), "iat": issued}
            found["refresh_token"] = directory.refresh(refresh | {"exp": issued + asked.refresh_seconds})
        if "openid" in words:
            identity = {
                "aud": client,
                "iss": f"{asked.root}/{TENANT_ID}/v2.0",
                "iat": issued,
                "nbf": issued,
                "exp": issued + asked.seconds,
                "name": account.name,
                "oid": account.object_id,
                "preferred_username": account.upn,
                "sub": account.object_id,
                "tid": TENANT_ID,
                "ver": "2.0",
            }
            if form.get("nonce"):
                identity["nonce"] = form["nonce"]
            found["id_token"] = directory.sign(identity)
        if form.get("client_info") == "1":
            found["client_info"] = _client_info(account)
        return found

    def _keep(self, code: str, pending: _Pending) -> None:
        with self._lock:
            self._pending[code] = pending
            while len(self._pending) > 1_000:
                del self._pending[next(iter(self._pending))]

    def _forget(self, code: str) -> None:
        with self._lock:
            self._pending.pop(code, None)


def _client_info(account: Account) -> str:
    return encoded(f'{{"uid":"{account.object_id}","utid":"{TENANT_ID}"}}'.encode())


def _with_basic(asked: Asked) -> dict[str, str]:
    """Give the form, with the client's id and secret from the Authorization header when they stand there."""
    scheme, _, content = asked.authorization.partition(" ")
    if scheme.lower() != "basic":
        return dict(asked.form)
    try:
        client, _, secret = base64.b64decode(content).decode().partition(":")
    except ValueError:
        raise TokenError("invalid_request", 900144, "The Authorization header is malformed.") from None
    return {"client_id": client, "client_secret": secret, **asked.form}


def _resource(form: Mapping[str, str], asked: Asked, *, application: bool) -> str:
    """Give the resource that a request is for: of the scope or, in the first version of the endpoint, by its name."""
    scope = form.get("scope", "")
    if "resource" in form:
        resource = form["resource"]
    elif not scope:
        raise TokenError("invalid_request", 90014, "The required field 'scope' is missing from the credential.")
    else:
        wanted = [word for word in scope.split() if word not in _OPENID]
        if application and (len(wanted) != 1 or not wanted[0].endswith("/.default")):
            raise TokenError(
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier (application ID URI).",
            )
        found = {
            match[1] for word in wanted if (match := re.fullmatch(r"(.+?)//?(\.default|user_impersonation)", word))
        }
        if len(found) != 1:
            raise TokenError(
                "invalid_scope",
                70011,
                f"The provided request must include a 'scope' input parameter. The provided value for the input "
                f"parameter 'scope' is not valid. The scope {scope} is not valid.",
            )
        resource = found.pop()
    if resource.rstrip("/") not in asked.resources:
        raise TokenError(
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant named Contoso. This can happen if "
            "the application has not been installed by the administrator of the tenant or consented to by any user in "
            "the tenant. You might have sent your authentication request to the wrong tenant.",
        )
    return resource


def _needs_secret() -> TokenError:
    return TokenError(
        "invalid_client",
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
    )


def _no_consent(client: str) -> TokenError:
    return TokenError(
        "invalid_grant",
        65001,
        f"The user or administrator has not consented to use the application with ID '{client}' named 'backhaul'. "
        "Send an interactive authorization request for this user and resource.",
    )


def _assertion(certificates: list[bytes], assertion: str, client: str, asked: Asked) -> None:
    """Check a client assertion: signature by a registered certificate, issuer, subject, audience, time."""
    claims = None
    for pem in certificates:
        key: Any = load_pem_x509_certificate(pem).public_key()
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            claims = jwt.decode(assertion, key, algorithms=["RS256", "PS256"], options=options)
            break
        except jwt.InvalidTokenError:
            continue
    if claims is None:
        try:
            jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError:
            raise TokenError("invalid_request", 50027, "JWT token is invalid or malformed.") from None
        raise TokenError(
            "invalid_client",
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application.",
            status=401,
        )
    parts = urlsplit(asked.endpoint)
    tenant = parts.path.split("/")[1]
    root = f"{parts.scheme}://{parts.netloc}/{tenant}"
    audiences = {f"{root}/oauth2/v2.0/token", f"{root}/oauth2/token", f"{root}/v2.0", f"{root}/", root}
    given = claims.get("aud")
    if not audiences & set(given if isinstance(given, list) else [str(given)]):
        raise TokenError(
            "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.", status=401
        )
    if claims.get("iss") != client or claims.get("sub") != client:
        raise TokenError(
            "invalid_client",
            700021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
            status=401,
        )
    # The simulator's clock may have been moved, which the signer cannot know: either clock will do.
    clocks = (asked.now.timestamp(), time.time())
    begin, end = claims.get("nbf", claims.get("iat", 0)), claims.get("exp", 0)
    if not any(begin - 300 <= clock < end + 300 for clock in clocks):
        raise TokenError("invalid_client", 700024, "Client assertion is not within its valid time range.", status=401)
