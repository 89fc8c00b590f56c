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
    form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    form = {**call.query, **form}
    try:
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
    """``GET|POST /services/oauth2/userinfo``."""
    user = call.org.session_user(bearer(call.headers))
    if user is None:
        return Reply(403, "Bad_OAuth_Token", content_type="text/html;charset=UTF-8")
    return Reply(200, {**_person(call, user), "sub": _identity_url(call, user)})


def identity(call: Call, org_id: str, user_id: str) -> Reply:
    """``GET /id/<org>/<user>``, with the token in the header or as ``oauth_token``."""
    user = call.org.session_user(call.query.get("oauth_token") or bearer(call.headers))
    if user is None or org_id[:15] != call.org.id[:15] or user_id[:15] != user[:15]:
        return Reply(403, "Bad_OAuth_Token", content_type="text/html;charset=UTF-8")
    body = _person(call, user)
    return Reply(
        200,
        {
            **body,
            "id": _identity_url(call, user),
            "asserted_user": True,
            "username": body["preferred_username"],
            "display_name": body["name"],
            "user_type": "STANDARD",
        },
    )


def revoke(call: Call) -> Reply:
    """``POST /services/oauth2/revoke``."""
    form = parse_qs(call.body.decode("utf-8", "replace"))
    given = (form.get("token") or [call.query.get("token", "")])[-1]
    call.org.close_session(given)
    call.org.forget_refresh_token(given)
    return Reply(200, "", content_type="text/html;charset=UTF-8")


def bearer(headers: Any) -> str:
    """The token of the Authorization header, empty when there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() in ("bearer", "oauth") else ""


def authorize(call: Call) -> Reply:
    """``GET /services/oauth2/authorize``: the integration user approves at once and is sent back with a code."""
    back, client = call.query.get("redirect_uri", ""), call.query.get("client_id", "")
    if call.query.get("response_type") != "code" or not back:
        return Reply(400, "error=unsupported_response_type", content_type="text/html;charset=UTF-8")
    if client not in (CLIENT_ID, CLI_CLIENT_ID):
        return Reply(400, "error=invalid_client_id", content_type="text/html;charset=UTF-8")
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
    _client(call, form)
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
            options={"verify_aud": False, "verify_exp": False, "verify_iss": False, "verify_sub": False},
        )
    except jwt.InvalidTokenError:
        raise Denied("invalid_grant", "invalid assertion") from None
    if claims.get("iss") != CLIENT_ID:
        raise Denied("invalid_client_id", "client identifier invalid")
    audiences = claims.get("aud")
    audiences = audiences if isinstance(audiences, list) else [audiences]
    if not any(str(one).rstrip("/") in (*_LOGIN_HOSTS, call.base) for one in audiences):
        raise Denied("invalid_grant", "audience is invalid")
    if claims.get("sub") != USERNAME:
        raise Denied("invalid_grant", "user hasn't approved this consumer")
    try:
        expiry = float(claims.get("exp", "none"))  # clients send a number, a text or milliseconds
    except ValueError:
        raise Denied("invalid_grant", "invalid assertion") from None
    if (expiry / 1000 if expiry > 1e11 else expiry) < call.org.clock.now().timestamp():
        raise Denied("invalid_grant", "expired authorization code")
    answer = _granted(call, "api web")
    del answer["_at"]
    return Reply(200, answer, _NO_STORE)


def _granted(call: Call, scope: str) -> dict[str, Any]:
    return {
        "access_token": call.org.open_session(),
        "scope": scope,
        "instance_url": call.base,
        "id": _identity_url(call, call.org.user_id),
        "token_type": "Bearer",
        "_at": call.org.clock.now().timestamp(),
    }


def _identity_url(call: Call, user: str) -> str:
    return f"{call.base}/id/{call.org.id}/{user}"


def _person(call: Call, user: str) -> dict[str, Any]:
    found = call.org.store.dicts('SELECT * FROM "User" WHERE "Id" = ?', [user])[0]
    data = f"{call.base}/services/data/v{{version}}/"
    return {
        "user_id": user,
        "organization_id": call.org.id,
        "preferred_username": found["Username"],
        "nickname": str(found["Username"]).split("@")[0],
        "name": f"{found['FirstName']} {found['LastName']}",
        "email": found["Email"],
        "email_verified": True,
        "given_name": found["FirstName"],
        "family_name": found["LastName"],
        "zoneinfo": call.org.setting("time_zone"),
        "urls": {
            "rest": data,
            "query": f"{data}query/",
            "sobjects": f"{data}sobjects/",
            "search": f"{data}search/",
            "recent": f"{data}recent/",
            "enterprise": f"{call.base}/services/Soap/c/{{version}}/{call.org.id[:15]}",
            "partner": f"{call.base}/services/Soap/u/{{version}}/{call.org.id[:15]}",
            "profile": f"{call.base}/{user}",
        },
        "active": bool(found["IsActive"]),
        "user_type": "STANDARD",
        "language": "en_US",
        "locale": "en_US",
        "utcOffset": 0,
        "updated_at": found["LastModifiedDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "is_app_installed": True,
    }
