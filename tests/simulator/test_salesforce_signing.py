"""Salesforce sign-in: grants, sessions, the API allowance, versions."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from backhaul.simulator import Running
from backhaul.simulator.salesforce import CLI_CLIENT_ID, CLIENT_ID, CLIENT_SECRET, PASSWORD, SECURITY_TOKEN, USERNAME
from tests.conftest import Door
from tests.simulator.client import Client, code

CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def token(running: Running, form: dict[str, str], **more: Any) -> requests.Response:
    url = f"{running.salesforce_http_url}/services/oauth2/token"
    return requests.post(url, data=form, timeout=10, **more)


def assertion(running: Running, **claims: Any) -> dict[str, str]:
    whole = {"iss": CLIENT_ID, "sub": USERNAME, "aud": "https://login.salesforce.com", "exp": int(time.time()) + 180}
    signed = jwt.encode({**whole, **claims}, running.jwt_key_path.read_text(), algorithm="RS256")
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}


def test_client_credentials_by_form_and_by_basic(running: Running) -> None:
    form = {"grant_type": "client_credentials"}
    by_form = token(running, {**form, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET})
    by_basic = token(running, form, auth=(CLIENT_ID, CLIENT_SECRET))
    for answer in (by_form, by_basic):
        body = answer.json()
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        assert body["instance_url"] == running.salesforce_http_url and body["token_type"] == "Bearer"
        assert body["id"].split("/")[-2:] == [running.salesforce.id, running.salesforce.user_id]
        assert body["access_token"].startswith(running.salesforce.id[:15] + "!")


@pytest.mark.parametrize(
    ("form", "error", "description"),
    [
        ({"client_id": CLIENT_ID, "client_secret": "x"}, "invalid_client", "invalid client credentials"),
        ({"client_id": "x", "client_secret": "x"}, "invalid_client_id", "client identifier invalid"),
        ({"grant_type": "device"}, "unsupported_grant_type", "grant type not supported"),
    ],
)
def test_refused_grants(running: Running, form: dict[str, str], error: str, description: str) -> None:
    answer = token(running, {"grant_type": "client_credentials", **form})
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


@pytest.mark.parametrize(
    "claims",
    [
        {},
        # Of the moment at which they are sent: collected is a test long before.
        {"exp": lambda now: str(int(now) + 180)},
        {"exp": lambda now: int(now * 1000) + 300},
        {"exp": lambda now: int(now) + 180.5},
        {"aud": "{base}"},
        {"aud": ["https://test.salesforce.com/"]},
        {"sub": USERNAME.upper()},
        {"iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600, "jti": 7},
    ],
)
def test_jwt_bearer_takes_what_real_clients_send(running: Running, claims: dict[str, Any]) -> None:
    filled = {key: running.salesforce_http_url if value == "{base}" else value for key, value in claims.items()}
    filled = {key: value(time.time()) if callable(value) else value for key, value in filled.items()}
    answer = token(running, assertion(running, **filled))
    assert answer.status_code == 200 and "refresh_token" not in answer.json()


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": "https://evil.example"}, ("invalid_grant", "audience is invalid")),
        ({"sub": "who@example.com"}, ("invalid_grant", "user hasn't approved this consumer")),
        ({"iss": "who"}, ("invalid_client_id", "client identifier invalid")),
        ({"exp": 1}, ("invalid_grant", "expired authorization code")),
        ({"exp": None}, ("invalid_grant", "invalid assertion")),
        ({"exp": "soon"}, ("invalid_grant", "invalid assertion")),
        ({"exp": [1]}, ("invalid_grant", "invalid assertion")),
        ({"sub": None}, ("invalid_grant", "user hasn't approved this consumer")),
    ],
)
def test_jwt_bearer_checks_its_claims(running: Running, claims: dict[str, Any], error: tuple[str, str]) -> None:
    body = token(running, assertion(running, **claims)).json()
    assert (body["error"], body["error_description"]) == error


def test_client_credentials_want_the_orgs_address_and_a_user(running: Running, salesforce_door: Door) -> None:
    form = {"grant_type": "client_credentials", **CLIENT}
    for host in ("login.salesforce.com", "test.salesforce.com"):
        url = f"{running.salesforce_url}/services/oauth2/token"
        answer = requests.post(url, data=form, headers={"Host": host}, timeout=10, verify=str(running.ca_path))
        told = {"error": "invalid_grant", "error_description": "request not supported on this domain"}
        assert (answer.status_code, answer.json()) == (400, told)
    salesforce_door.post("settings", {"client_credentials_user": False})
    assert token(running, form).json()["error_description"] == "no client credentials user enabled"


def test_the_token_endpoint_wants_a_post_and_revoke_a_token(running: Running) -> None:
    base = f"{running.salesforce_http_url}/services/oauth2"
    answer = requests.get(f"{base}/token", params={"grant_type": "client_credentials", **CLIENT}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert requests.post(f"{base}/revoke", data={"token": "unknown"}, timeout=10).json()["error"] == "invalid_token"
    client = Client(running)
    used = str(client.session.headers["Authorization"]).partition(" ")[2]
    assert requests.get(f"{base}/revoke", params={"token": used}, timeout=10).status_code == 200
    dead = client.get("/limits")
    assert code(dead) == (401, "INVALID_SESSION_ID") and dead.headers["WWW-Authenticate"] == "Token"


def test_jwt_bearer_checks_the_signature(running: Running) -> None:
    form = assertion(running)
    head, body, _ = form["assertion"].split(".")
    form["assertion"] = ".".join([head, body, "AAAA"])
    assert token(running, form).json()["error_description"] == "invalid assertion"


def test_userinfo_identity_and_revoke(running: Running) -> None:
    client = Client(running)
    info = client.get("/services/oauth2/userinfo").json()
    assert (info["user_id"], info["organization_id"]) == (running.salesforce.user_id, running.salesforce.id)
    root = client.get("").json()
    identity = client.session.get(root["identity"], timeout=10)
    assert identity.json()["username"] == USERNAME
    used = client.session.headers["Authorization"].partition(" ")[2]  # type: ignore[arg-type]  # a text here
    assert client.send("POST", "/services/oauth2/revoke", data={"token": used}).status_code == 200
    assert code(client.get("/limits")) == (401, "INVALID_SESSION_ID")
    dead = client.get("/services/oauth2/userinfo")
    assert (dead.status_code, dead.text) == (403, "Bad_OAuth_Token")


def test_sessions_die_of_idleness_and_on_demand(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.post("clock", {"advance": 7000})
    assert client.get("/limits").status_code == 200
    salesforce_door.post("clock", {"advance": 7300})
    assert code(client.get("/limits")) == (401, "INVALID_SESSION_ID")
    again = Client(running)
    salesforce_door.post("settings", {"expire_sessions": True})
    assert code(again.get("/limits")) == (401, "INVALID_SESSION_ID")
    assert code(again.get("/limits", headers={"Authorization": "Basic x"})) == (401, "INVALID_AUTH_HEADER")


def test_the_allowance_is_told_and_kept(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.post("settings", {"api_max": 12, "api_used": 10})
    answer = client.get("/limits")
    assert answer.headers["Sforce-Limit-Info"] == "api-usage=11/12"
    assert answer.json()["DailyApiRequests"] == {"Max": 12, "Remaining": 1}
    client.get("/limits")
    assert code(client.get("/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


def test_limits_follow_what_is_used(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.post("settings", {"bulk_query_jobs_max": 2})
    for left in (2, 1, 0):
        assert client.get("/limits").json()["DailyBulkV2QueryJobs"] == {"Max": 2, "Remaining": left}
        asked = {"operation": "query", "query": "SELECT Id FROM Contact"}
        answer = client.send("POST", "/jobs/query", json=asked)
        assert answer.status_code == (200 if left else 400)
    assert code(answer) == (400, "LIMIT_EXCEEDED")
    salesforce_door.post("clock", {"advance": 86_400 + 60})
    assert Client(running).get("/limits").json()["DailyBulkV2QueryJobs"]["Remaining"] == 2
    older = Client(running).get("/services/data/v48.0/limits").json()
    assert "DailyBulkApiRequests" in older and "DailyBulkApiBatches" not in older


def test_versions_paths_and_methods(running: Running) -> None:
    client = Client(running)
    listed = Client(running, sign_in=False).get("/services/data/").json()
    assert max(entry["version"] for entry in listed) == "68.0"
    assert listed[-2] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}
    assert client.get("//limits/").status_code == 200
    assert code(client.get("/services/data/v29.0/limits")) == (410, "UNSUPPORTED_API_VERSION")
    assert code(client.get("/services/data/v99.0/limits")) == (404, "NOT_FOUND")
    assert code(client.get("/nothing")) == (404, "NOT_FOUND")
    assert code(client.send("PUT", "/limits")) == (405, "METHOD_NOT_ALLOWED")
    assert client.get("/limits", headers={"X-PrettyPrint": "1"}).text.startswith('{\n  "ActiveScratchOrgs" : {')
    assert code(client.query("SELECT Id FROM Contact WHERE LastName = '" + "x" * 17_000 + "'")) == (414, "URI_TOO_LONG")


def test_refresh_tokens_with_and_without_rotation(running: Running, salesforce_door: Door) -> None:
    first = salesforce_door.post("refresh_token")["refresh_token"]
    form = {"grant_type": "refresh_token", **CLIENT}
    for _ in range(2):
        body = token(running, {**form, "refresh_token": first}).json()
        assert "refresh_token" not in body and body["access_token"] and body["instance_url"]
    salesforce_door.post("settings", {"refresh_rotation": True})
    second = token(running, {**form, "refresh_token": first}).json()["refresh_token"]
    third = token(running, {**form, "refresh_token": second}).json()["refresh_token"]
    assert len({first, second, third}) == 3
    again = token(running, {**form, "refresh_token": first})
    dead = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert (again.status_code, again.json()) == (400, dead)
    assert (
        token(running, {**form, "refresh_token": third}).json() == dead
    )  # the grant ended with the old token's return


def test_revoked_refresh_tokens_are_dead(running: Running, salesforce_door: Door) -> None:
    given = salesforce_door.post("refresh_token")["refresh_token"]
    requests.post(f"{running.salesforce_http_url}/services/oauth2/revoke", data={"token": given}, timeout=10)
    answer = token(running, {"grant_type": "refresh_token", "refresh_token": given, **CLIENT})
    assert answer.json()["error_description"] == "expired access/refresh token"


def test_the_password_grant_can_be_switched_off(running: Running, salesforce_door: Door) -> None:
    form = {"grant_type": "password", "username": USERNAME, "password": PASSWORD + SECURITY_TOKEN, **CLIENT}
    assert token(running, form).status_code == 200
    denied = {"error": "invalid_grant", "error_description": "authentication failure"}
    assert token(running, {**form, "password": PASSWORD}).json() == denied
    salesforce_door.post("settings", {"password_flow": False})
    assert token(running, form).json() == denied


def test_authorization_code_with_pkce_gives_a_refresh_token(running: Running) -> None:
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    back = "http://localhost:1717/OauthRedirect"
    query = {"response_type": "code", "client_id": CLI_CLIENT_ID, "redirect_uri": back, "state": "s"}
    url = f"{running.salesforce_http_url}/services/oauth2/authorize"
    form = {"grant_type": "authorization_code", "client_id": CLI_CLIENT_ID, "redirect_uri": back}

    def code_for() -> str:
        answer = requests.get(url, params={**query, "code_challenge": challenge}, allow_redirects=False, timeout=10)
        assert answer.status_code == 302 and answer.headers["Location"].startswith(back)
        sent = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert sent["state"] == ["s"]
        return sent["code"][0]

    wrong = token(running, {**form, "code": code_for(), "code_verifier": "w" * 64})
    assert wrong.json()["error_description"] == "invalid code verifier"
    code = code_for()
    body = token(running, {**form, "code": code, "code_verifier": verifier}).json()
    assert body["refresh_token"] and body["access_token"]
    assert token(running, {**form, "code": code}).json()["error_description"] == "expired authorization code"
    answer = {"grant_type": "refresh_token", "refresh_token": body["refresh_token"], "client_id": CLI_CLIENT_ID}
    assert token(running, answer).status_code == 200


def soap(running: Running, version: str, *, password: str = PASSWORD + SECURITY_TOKEN) -> requests.Response:
    body = (
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header/><env:Body>'
        f'<n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{USERNAME}</n1:username>'
        f"<n1:password>{password}</n1:password></n1:login></env:Body></env:Envelope>"
    )
    url = f"{running.salesforce_http_url}/services/Soap/u/{version}"
    return requests.post(url, data=body, headers={"Content-Type": "text/xml", "SOAPAction": "login"}, timeout=10)


def test_soap_login_gives_a_session(running: Running) -> None:
    answer = soap(running, "59.0")
    assert answer.status_code == 200
    session = re.search(r"<sessionId>(.+?)</sessionId>", answer.text)
    assert session and "<passwordExpired>false</passwordExpired>" in answer.text
    assert f"<serverUrl>{running.salesforce_http_url}/services/Soap/u/59.0/" in answer.text
    client = Client(running, sign_in=False)
    client.session.headers["Authorization"] = f"Bearer {session[1]}"
    assert client.get("/limits").status_code == 200


def test_soap_login_faults(running: Running, salesforce_door: Door) -> None:
    def fault(answer: requests.Response) -> str:
        assert answer.status_code == 500 and answer.headers["Content-Type"].startswith("text/xml")
        found = re.search(r"<sf:exceptionCode>(.+?)</sf:exceptionCode><sf:exceptionMessage>", answer.text)
        assert found and f"<faultstring>{found[1]}: " in answer.text
        return found[1]

    assert fault(soap(running, "59.0", password="wrong")) == "INVALID_LOGIN"
    assert fault(soap(running, "65.0")) == "UNSUPPORTED_API_VERSION"
    assert fault(soap(running, "30.0")) == "UNSUPPORTED_API_VERSION"
    salesforce_door.post("settings", {"soap_login": False})
    assert fault(soap(running, "59.0")) == "INVALID_OPERATION"
