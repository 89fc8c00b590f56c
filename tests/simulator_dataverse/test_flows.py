"""Every way of signing in, as MSAL and as a bare client do it (dataverse-api.md §1)."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import msal
import pytest
import requests

from backhaul.simulator.dataverse import (
    CLIENT_ID,
    CLIENT_SECRET,
    OTHER_USER_ID,
    PUBLIC_CLIENT_ID,
    TENANT_ID,
    USER_NAME,
    USER_PASSWORD,
)
from tests.simulator_dataverse.environment import Environment

PERSON = {"grant_type": "password", "username": USER_NAME, "password": USER_PASSWORD}


@pytest.fixture(autouse=True)
def plain(env: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    yield
    env.org.settings({"sign_in": {"mfa": False, "consent": True, "passwords": True, "device": "approve"}})
    env.org.settings({"sign_in": {"secret_expired": False, "revoked": False}})


def post(env: Environment, path: str = "oauth2/v2.0/token", **form: str) -> requests.Response:
    form.setdefault("client_id", PUBLIC_CLIENT_ID)
    return requests.post(f"{env.root}/{TENANT_ID}/{path}", data=form, timeout=30)


def scope(env: Environment) -> str:
    return f"{env.root}/.default offline_access openid profile"


def who(env: Environment, token: str) -> str:
    reply = requests.get(env.base + "WhoAmI", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["UserId"])


class Ported(requests.Session):
    """MSAL asks for a person's realm without the authority's port; a directory on port 443 would hear it."""

    def __init__(self, env: Environment) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(env.ca_path)
        self.home = env.server.https_url

    def request(self, method: Any, url: Any, *rest: Any, **options: Any) -> requests.Response:
        return super().request(method, str(url).replace("https://localhost/", self.home + "/"), *rest, **options)


def public_app(env: Environment) -> Any:
    authority = f"{env.server.https_url}/{TENANT_ID}"
    return msal.PublicClientApplication(
        PUBLIC_CLIENT_ID, authority=authority, instance_discovery=False, http_client=Ported(env)
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_msal_signs_a_person_in_by_password_and_refreshes(env: Environment) -> None:
    wanted = [f"{env.server.https_url}/.default"]
    application = public_app(env)
    found = application.acquire_token_by_username_password(USER_NAME, USER_PASSWORD, wanted)
    assert who(env, found["access_token"]) == OTHER_USER_ID
    (account,) = application.get_accounts()
    assert account["username"] == USER_NAME
    assert application.acquire_token_silent(wanted, account)["token_source"] == "cache"
    fresh = application.acquire_token_silent(wanted, account, force_refresh=True)
    assert fresh["token_source"] == "identity_provider" and who(env, fresh["access_token"]) == OTHER_USER_ID


def test_msal_signs_a_person_in_by_device_code(env: Environment) -> None:
    application = public_app(env)
    flow = application.initiate_device_flow([f"{env.server.https_url}/user_impersonation"])
    assert set(flow) >= {"user_code", "device_code", "verification_uri", "expires_in", "interval", "message"}
    assert who(env, application.acquire_token_by_device_flow(flow)["access_token"]) == OTHER_USER_ID
    assert "error" in application.acquire_token_by_device_flow(flow | {"expires_at": time.time() - 1})


def test_device_code_waits_is_declined_and_expires(env: Environment) -> None:
    started = post(env, "oauth2/v2.0/devicecode", scope=scope(env)).json()
    code = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
    for choice, error in (
        ("pending", "authorization_pending"),
        ("decline", "authorization_declined"),
        ("expire", "expired_token"),
    ):
        env.org.settings({"sign_in": {"device": choice}})
        reply = post(env, **code)
        assert (reply.status_code, reply.json()["error"]) == (400, error)
    env.org.settings({"sign_in": {"device": "approve"}})
    assert set(post(env, **code).json()) >= {"access_token", "refresh_token", "id_token"}
    assert post(env, **code).json()["error"] == "invalid_grant"  # a code is good once


def test_authorization_code_with_proof_of_possession(env: Environment) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": PUBLIC_CLIENT_ID,
        "response_type": "code",
        "redirect_uri": "http://localhost:5001/back",
        "scope": scope(env),
        "state": "s 1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "nonce": "n1",
    }
    address = f"{env.root}/{TENANT_ID}/oauth2/v2.0/authorize"

    def code(**changes: str) -> str:
        reply = requests.get(address, params=query | changes, allow_redirects=False, timeout=30)
        assert reply.status_code == 302, reply.text
        parts = urlsplit(reply.headers["Location"])
        assert reply.headers["Location"].startswith("http://localhost:5001/back?")
        found = parse_qs(parts.query)
        assert found["state"] == ["s 1"]
        return found["code"][0]

    redeem = {"grant_type": "authorization_code", "redirect_uri": "http://localhost:5001/back"}
    right = redeem | {"code": code(), "code_verifier": verifier}
    found = post(env, **right).json()
    assert who(env, found["access_token"]) == OTHER_USER_ID
    claims = jwt.decode(found["id_token"], options={"verify_signature": False})
    assert (claims["nonce"], claims["aud"], claims["preferred_username"]) == ("n1", PUBLIC_CLIENT_ID, USER_NAME)
    assert post(env, **right).json()["error_codes"] == [70000]
    assert post(env, **redeem, code=code(), code_verifier="wrong").json()["error_codes"] == [501481]
    other = redeem | {"redirect_uri": "http://localhost:5001/other"}
    assert post(env, **other, code=code(), code_verifier=verifier).json()["error_codes"] == [500112]
    reply = requests.get(address, params=query | {"redirect_uri": "https://evil.example/"}, timeout=30)
    assert reply.status_code == 400 and "AADSTS50011" in reply.text
    page = requests.get(address, params=query | {"response_mode": "form_post"}, timeout=30).text
    assert 'action="http://localhost:5001/back"' in page and 'name="code"' in page


def test_msal_redeems_an_authorization_code(env: Environment) -> None:
    application = public_app(env)
    flow = application.initiate_auth_code_flow(
        [f"{env.server.https_url}/user_impersonation"], redirect_uri="http://localhost:8/x", response_mode="form_post"
    )
    page = requests.get(flow["auth_uri"], verify=str(env.ca_path), timeout=30).text
    back = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
    found = application.acquire_token_by_auth_code_flow(flow, back)
    assert who(env, found["access_token"]) == OTHER_USER_ID
    assert found["id_token_claims"]["preferred_username"] == USER_NAME


@pytest.mark.parametrize(
    ("policy", "changes", "status", "error", "number"),
    [
        ({}, {"password": "wrong"}, 400, "invalid_grant", 50126),
        ({}, {"username": "nobody@contoso.example"}, 400, "invalid_grant", 50034),
        ({}, {"client_secret": "x"}, 401, "invalid_client", 700025),
        ({}, {"scope": "openid"}, 400, "invalid_scope", 70011),
        ({"mfa": True}, {}, 400, "interaction_required", 50076),
        ({"consent": False}, {}, 400, "invalid_grant", 65001),
        ({"passwords": False}, {}, 401, "invalid_client", 7000218),
    ],
)
def test_password_is_refused(
    env: Environment, policy: dict[str, bool], changes: dict[str, str], status: int, error: str, number: int
) -> None:
    env.org.settings({"sign_in": policy})
    reply = post(env, **(PERSON | {"scope": scope(env)} | changes))
    assert (reply.status_code, reply.json()["error"], reply.json()["error_codes"]) == (status, error, [number])
    assert USER_PASSWORD not in reply.text


def test_refresh_tokens_end_and_are_revoked(env: Environment) -> None:
    env.org.settings({"refresh_seconds": 600})
    found = post(env, **PERSON, scope=scope(env)).json()
    refresh = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"], "scope": scope(env)}
    assert who(env, post(env, **refresh).json()["access_token"]) == OTHER_USER_ID
    assert post(env, **refresh, client_id="51f81489-12ee-4a9e-aaae-a2591f45987d").json()["error_codes"] == [9002313]
    env.org.settings({"sign_in": {"revoked": True}})
    assert post(env, **refresh).json()["error_codes"] == [50173]
    env.org.settings({"sign_in": {"revoked": False}})
    env.org.clock.advance(601)
    assert post(env, **refresh).json()["error_codes"] == [700082]
    env.org.clock.advance(-601)


def test_client_secret_in_the_header_expired_and_replaced(env: Environment) -> None:
    form = {"grant_type": "client_credentials", "scope": f"{env.root}/.default"}
    url = f"{env.root}/{TENANT_ID}/oauth2/v2.0/token"
    assert requests.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET), timeout=30).status_code == 200
    env.org.settings({"sign_in": {"secret_expired": True}})
    assert env.token().json()["error_codes"] == [7000222]
    env.org.settings({"sign_in": {"secret_expired": False}, "client_secret": "another"})
    assert env.token().json()["error_codes"] == [7000215]
    assert env.token(client_secret="another").status_code == 200
    env.org.settings({"client_secret": CLIENT_SECRET})


def test_first_version_of_the_token_endpoint(env: Environment) -> None:
    document = env.session.get(f"{env.root}/{TENANT_ID}/.well-known/openid-configuration").json()
    assert document["token_endpoint"].endswith("/oauth2/token")
    form = {"grant_type": "client_credentials", "client_secret": CLIENT_SECRET, "resource": env.root + "/"}
    found = requests.post(document["token_endpoint"], data=form | {"client_id": CLIENT_ID}, timeout=30).json()
    assert (found["resource"], found["expires_in"]) == (env.root + "/", "3599")
    who(env, found["access_token"])


def test_tokens_of_others_are_worth_nothing(env: Environment) -> None:
    good = jwt.decode(env.token().json()["access_token"], options={"verify_signature": False})
    directory = env.org.directory
    secret = "not the directory's key, and long enough for the algorithm"
    for token in (
        jwt.encode(good, secret, algorithm="HS256"),
        jwt.encode(good, "", algorithm="none"),
        directory.sign(good | {"aud": "https://other.crm.dynamics.com"}),
        directory.sign(good | {"iss": "https://sts.windows.net/other/"}),
        directory.sign(good | {"tid": "other"}),
        directory.sign(good | {"exp": 1}),
        directory.sign(good | {"nbf": good["exp"] + 10_000, "exp": good["exp"] + 20_000}),
        directory.refresh(good),
    ):
        reply = requests.get(env.base + "WhoAmI", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert reply.status_code == 401


def test_people_and_applications_are_added_at_the_door(env: Environment) -> None:
    door = f"{env.root}/_control"
    made = requests.post(f"{door}/users", json={"name": "kim@contoso.example", "password": "pw"}, timeout=30).json()
    token = post(env, **(PERSON | {"username": "Kim@contoso.example", "password": "pw"}), scope=scope(env)).json()
    assert who(env, token["access_token"]) == made["systemuserid"]
    client = "33333333-aaaa-4bbb-8ccc-000000000001"
    app = requests.post(f"{door}/applications", json={"client_id": client, "client_secret": "s"}, timeout=30).json()
    assert who(env, env.token(client, client_secret="s").json()["access_token"]) == app["systemuserid"]
    requests.post(f"{door}/users", json={"name": "out@x.example", "password": "pw", "member": False}, timeout=30)
    token = post(env, **(PERSON | {"username": "out@x.example", "password": "pw"}), scope=scope(env)).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    reply = requests.get(env.base + "WhoAmI", headers=headers, timeout=30)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "0x80072560")


def test_managed_identity(env: Environment) -> None:
    url = f"{env.root}/metadata/identity/oauth2/token"
    query = {"api-version": "2018-02-01", "resource": env.root}
    assert requests.get(url, params=query, timeout=30).status_code == 400
    found = requests.get(url, params=query, headers={"Metadata": "true"}, timeout=30).json()
    assert set(found) >= {"access_token", "expires_in", "expires_on", "resource", "token_type"}
    who(env, found["access_token"])
    other = requests.get(url, params=query | {"resource": "https://x"}, headers={"Metadata": "true"}, timeout=30)
    assert other.status_code == 400
