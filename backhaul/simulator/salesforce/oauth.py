"""Signing in: the OAuth token endpoint, userinfo, the identity URL and revoke. Rests on salesforce-api.md §2.

Grants: client credentials (form fields or Basic), JWT bearer (RS256 against the registered public key), refresh token
(with rotation when the org asks for it), password, and authorization code with PKCE, whose page approves by itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt

from backhaul.simulator.salesforce import identities
from backhaul.simulator.salesforce.org import (
    CLI_CLIENT_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
)
from backhaul.simulator.salesforce.wire import Call, Reply

_CODE_LIFE = timedelta(minutes=15)
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


class Denied(Exception):
    """The OAuth endpoint refuses: its error and description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.reply = Reply(400, {"error": error, "error_description": description}, _NO_STORE)


_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def token(call: Call) -> Reply:
    """``POST /services/oauth2/token``."""
    form = _form(call)
    try:
        if call.method != "POST":
            raise Denied("invalid_request", "must use HTTP POST")
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return _client_credentials(call, form)
        if grant == _JWT_BEARER:
            return _jwt_bearer(call, form)
        if grant == "refresh_token":
            return _refresh(call, form)
        if grant == "password":
            return _password(call, form)
        if grant == "authorization_code":
            return _code(call, form)
        raise Denied("unsupported_grant_type", "grant type not supported")
    except Denied as denied:
        return denied.reply


def userinfo(call: Call) -> Reply:
    """``GET|POST /services/oauth2/userinfo``, with the token in the header, the form or the query."""
    given = bearer(call.headers) or _form(call).get("access_token", "")
    if not given:
        return _plain(403, "Missing_OAuth_Token")
    user = call.org.session_user(given)
    return _plain(403, "Bad_OAuth_Token") if user is None else Reply(200, identities.userinfo(call, user))


def identity(call: Call, org_id: str, user_id: str) -> Reply:
    """``GET /id/<org>/<user>``, with the token in the header or as ``oauth_token``."""
    given = call.query.get("oauth_token") or bearer(call.headers)
    if not given:
        return _plain(403, "Missing_OAuth_Token")
    user = call.org.session_user(given)
    if user is None:
        return _plain(403, "Bad_OAuth_Token")
    if org_id[:15] != call.org.id[:15]:
        return _plain(403, "Wrong_Org")
    if user_id[:15] != user[:15]:
        return _plain(404, "Bad_Id")
    return Reply(200, identities.identity(call, user))


def revoke(call: Call) -> Reply:
    """``POST /services/oauth2/revoke``."""
    given = _form(call).get("token", "")
    if not (call.org.close_session(given) | call.org.forget_refresh_token(given)):
        return Denied("invalid_token", "the token is invalid").reply
    return _plain(200, "")


def _form(call: Call) -> dict[str, str]:
    """The fields of the form in the body, or else of the query."""
    form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    return {**call.query, **form}


def _plain(status: int, text: str) -> Reply:
    return Reply(status, text, content_type="text/html;charset=UTF-8")


def bearer(headers: Any) -> str:
    """The token of the Authorization header, empty when there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def authorize(call: Call) -> Reply:
    """``GET /services/oauth2/authorize``: the integration user approves at once and is sent back with a code."""
    back, client = call.query.get("redirect_uri", ""), call.query.get("client_id", "")
    if call.query.get("response_type") != "code" or not back:
        return _plain(400, "error=unsupported_response_type")
    if client not in (CLIENT_ID, CLI_CLIENT_ID):
        return _plain(400, "error=invalid_client_id")
    code = f"aPrx{secrets.token_urlsafe(32)}=="
    challenge = call.query.get("code_challenge", "")
    call.org.codes[code] = {"client": client, "back": back, "challenge": challenge, "at": call.org.clock.now()}
    more = {"code": code, **({"state": call.query["state"]} if "state" in call.query else {})}
    return Reply(302, None, {"Location": f"{back}{'&' if '?' in back else '?'}{urlencode(more)}"})


def _client(call: Call, form: dict[str, str], *, public: bool = False) -> str:
    """The client that asks, by form fields or Basic; a `public` one need not know the secret. Raises Denied."""
    key, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key, _, secret = base64.b64decode(value).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Denied("invalid_client", "invalid client credentials") from None
    if key == CLI_CLIENT_ID and public and not secret:
        return key
    if key != CLIENT_ID:
        raise Denied("invalid_client_id", "client identifier invalid")
    if not (public and not secret) and not hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()):
        raise Denied("invalid_client", "invalid client credentials")
    return key


def _client_credentials(call: Call, form: dict[str, str]) -> Reply:
    if call.base in _LOGIN_HOSTS:
        raise Denied("invalid_grant", "request not supported on this domain")
    _client(call, form)
    if not call.org.setting("client_credentials_user"):
        raise Denied("invalid_grant", "no client credentials user enabled")
    return _signed(_granted(call, "api"))


def _refresh(call: Call, form: dict[str, str]) -> Reply:
    client = _client(call, form, public=True)
    given = form.get("refresh_token", "")
    following = call.org.use_refresh_token(given, client)
    if following is None:
        raise Denied("invalid_grant", "expired access/refresh token")
    more = {"refresh_token": following} if following != given else {}
    return _signed({**_granted(call, "refresh_token api"), **more})


def _password(call: Call, form: dict[str, str]) -> Reply:
    _client(call, form)
    if not call.org.setting("password_flow"):
        raise Denied("invalid_grant", "authentication failure")
    known = hmac.compare_digest(form.get("password", "").encode(), (PASSWORD + SECURITY_TOKEN).encode())
    if form.get("username", "").lower() != USERNAME or not known:
        raise Denied("invalid_grant", "authentication failure")
    return _signed(_granted(call, "api"))


def _code(call: Call, form: dict[str, str]) -> Reply:
    client = _client(call, form, public=True)
    known = call.org.codes.pop(form.get("code", ""), None)
    if known is None or call.org.clock.now() - known["at"] > _CODE_LIFE:
        raise Denied("invalid_grant", "expired authorization code")
    if known["client"] != client:
        raise Denied("invalid_client", "invalid client credentials")
    if known["back"] != form.get("redirect_uri"):
        raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if known["challenge"] and known["challenge"] != base64.urlsafe_b64encode(digest).decode().rstrip("="):
        raise Denied("invalid_grant", "invalid code verifier")
    more = {"refresh_token": call.org.refresh_token(client)}
    return _signed({**_granted(call, "refresh_token api web"), **more})


def _signed(answer: dict[str, Any]) -> Reply:
    """The answer with its moment and the signature over it."""
    issued = str(int(answer.pop("_at") * 1000))
    signed = hmac.new(CLIENT_SECRET.encode(), (answer["id"] + issued).encode(), hashlib.sha256).digest()
    return Reply(200, {**answer, "signature": base64.b64encode(signed).decode(), "issued_at": issued}, _NO_STORE)


def _jwt_bearer(call: Call, form: dict[str, str]) -> Reply:
    try:
        claims = jwt.decode(
            form.get("assertion", ""),
            call.org.jwt_public_key(),
            algorithms=["RS256"],
            options={f"verify_{claim}": False for claim in ("aud", "exp", "iat", "iss", "jti", "nbf", "sub")},  # type: ignore[arg-type]  # the claims are judged below, on the org's clock
        )
    except jwt.PyJWTError:
        raise Denied("invalid_grant", "invalid assertion") from None
    if claims.get("iss") != CLIENT_ID:
        raise Denied("invalid_client_id", "client identifier invalid")
    audiences = claims.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    if not any(str(one).rstrip("/") in (*_LOGIN_HOSTS, call.base) for one in audiences):
        raise Denied("invalid_grant", "audience is invalid")
    if str(claims.get("sub") or claims.get("prn")).lower() != USERNAME:
        raise Denied("invalid_grant", "user hasn't approved this consumer")
    try:
        expiry = float(claims.get("exp", "none"))  # clients send a number or a text
    except (TypeError, ValueError):
        raise Denied("invalid_grant", "invalid assertion") from None
    # Milliseconds are taken for seconds, an expiry far off: the CLI sends the present moment plus 300 of them.
    if expiry < call.org.clock.now().timestamp():
        raise Denied("invalid_grant", "expired authorization code")
    answer = _granted(call, "api web")
    del answer["_at"]
    return Reply(200, answer, _NO_STORE)


def _granted(call: Call, scope: str) -> dict[str, Any]:
    return {
        "access_token": call.org.open_session(),
        "scope": scope,
        "instance_url": call.base,
        "id": identities.url(call, call.org.user_id),
        "token_type": "Bearer",
        "_at": call.org.clock.now().timestamp(),
    }
