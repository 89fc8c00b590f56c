"""Signing in with a refresh token, a password, and the Salesforce CLI (salesforce-api.md §2.1, §2.3, §2.5)."""

from __future__ import annotations

import json
import stat
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from backhaul.crm.salesforce.signing import audience
from backhaul.crm.salesforce.signing_people import TokenStore
from backhaul.errors import BackhaulError, ConfigurationError, SignInError

from .test_salesforce_signing import TOKEN_PATH, USERINFO, connector
from .wire import SECRET, TOKEN, Answer, Wire, token

SOAP = "POST /services/Soap/u/64.0"


def refresh(first: str = "first") -> Any:
    return SimpleNamespace(method="refresh_token", client_id="key", client_secret=None, refresh_token=SecretStr(first))


def traded(wire: Wire) -> list[str]:
    return [parse_qs(sent.body.decode())["refresh_token"][0] for sent in wire.sent if sent.method == "POST"]


def test_a_renewed_refresh_token_is_kept_before_it_is_used(tmp_path: Path) -> None:
    # The sign-in itself fails after the reply: the renewed token must not be lost with it.
    wire = Wire({TOKEN_PATH: [token(refresh_token="second", instance_url="http://evil.example"), token()]})
    with pytest.raises(ConfigurationError):
        connector(wire, auth=refresh(), state_folder=tmp_path).identity()
    (kept,) = tmp_path.rglob("*.json")
    assert json.loads(kept.read_text())["refresh_token"] == "second"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    wire.routes["GET /"] = [Answer(body=USERINFO)]
    connector(wire, auth=refresh(), state_folder=tmp_path).identity()
    assert traded(wire) == ["first", "second"]


def test_a_token_configured_anew_wins_over_the_kept_one(tmp_path: Path) -> None:
    wire = Wire({TOKEN_PATH: token(refresh_token="second"), "GET /": Answer(body=USERINFO)})
    connector(wire, auth=refresh(), state_folder=tmp_path).identity()
    connector(wire, auth=refresh("another"), state_folder=tmp_path).identity()
    assert traded(wire) == ["first", "another"]


def test_without_a_state_folder_it_is_kept_for_the_connectors_life() -> None:
    wire = Wire({TOKEN_PATH: [token(refresh_token="second"), token()], "GET /": [Answer(401), Answer(body=USERINFO)]})
    connector(wire, auth=refresh()).identity()
    assert traded(wire) == ["first", "second"]


def test_nothing_is_traded_when_a_renewed_token_could_not_be_kept(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("in the way")
    wire = Wire({TOKEN_PATH: token(refresh_token="second")})
    with pytest.raises(BackhaulError, match="renewed refresh tokens cannot be written"):
        connector(wire, auth=refresh(), state_folder=tmp_path).identity()
    assert not wire.sent
    assert "first" not in repr(TokenStore("salesforce", None, "first"))


def test_a_dead_refresh_token_says_what_to_do() -> None:
    answer = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    with pytest.raises(SignInError, match=r"\(refresh token\).*expired") as raised:
        connector(Wire({TOKEN_PATH: Answer(400, answer)}), auth=refresh()).identity()
    assert "in the browser" in raised.value.hint


def password(**changes: Any) -> Any:
    given = {"username": "ann@acme.example", "password": SecretStr("p<&>w"), "security_token": SecretStr("tok")}
    return SimpleNamespace(method="password", **{**given, **changes})


def envelope(
    server: str = "https://acme-api.my.salesforce.com/services/Soap/u/64.0/00D", expired: str = "false"
) -> str:
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="urn:partner.soap.sforce.com">'
        f"<soapenv:Body><loginResponse><result><passwordExpired>{expired}</passwordExpired>"
        f"<serverUrl>{server}</serverUrl><sessionId>{TOKEN}</sessionId></result></loginResponse></soapenv:Body>"
        "</soapenv:Envelope>"
    )


def test_a_password_signs_in_by_soap_of_a_version_that_has_it() -> None:
    wire = Wire({SOAP: Answer(body=envelope()), "GET /": Answer(body=USERINFO)})
    identity = connector(wire, auth=password(), login_url="https://test.salesforce.com").identity()
    assert identity.url == "https://acme.my.salesforce.com"
    assert b"<n1:password>p&lt;&amp;&gt;wtok</n1:password>" in wire.sent[0].body
    assert wire.sent[1].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [
        ("INVALID_LOGIN", "security_token"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "add security_token"),
        ("UNSUPPORTED_API_VERSION", "jwt_bearer"),
    ],
)
def test_a_refused_password_names_the_reason(symbol: str, hint: str) -> None:
    fault = (
        '<soapenv:Envelope xmlns:soapenv="s" xmlns:sf="f"><soapenv:Body><soapenv:Fault><detail>'
        f"<sf:exceptionCode>{symbol}</sf:exceptionCode><sf:exceptionMessage>no</sf:exceptionMessage>"
        "</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    with pytest.raises(SignInError, match=rf"user name and password\): {symbol}: no") as raised:
        connector(Wire({SOAP: Answer(500, fault)}), auth=password(password=SecretStr(SECRET))).identity()
    assert hint in raised.value.hint
    assert SECRET not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("answer", [Answer(body="a word"), Answer(500, "oops"), Answer(body=envelope(expired="true"))])
def test_a_session_that_is_none_is_a_refused_sign_in(answer: Answer) -> None:
    with pytest.raises(SignInError):
        connector(Wire({SOAP: answer}), auth=password()).identity()


def cli(folder: Path, **answers: Any) -> Any:
    """A command that answers as the CLI does: `show` for org auth show-access-token, `display` for org display."""
    script = folder / "sf"
    script.write_text(
        f"#!{sys.executable}\nimport sys, json\nanswers = json.loads({json.dumps(json.dumps(answers))})\n"
        "assert sys.argv[-3:-1] == ['--target-org', 'acme'] and sys.argv[-1] == '--json'\n"
        "answer = answers['show' if 'auth' in sys.argv else 'display']\n"
        "print(json.dumps(answer)); sys.exit(answer.get('status', 1))\n"
    )
    script.chmod(0o700)
    return SimpleNamespace(method="cli", target_org="acme", command=str(script))


SHOWN = {"status": 0, "result": {"accessToken": TOKEN}}
HIDDEN = {
    "status": 0,
    "result": {
        "accessToken": "[REDACTED] Use 'sf org auth show-access-token' to view",
        "instanceUrl": "https://b.my.salesforce.com",
    },
}
OLD = {"status": 0, "result": {"accessToken": TOKEN, "instanceUrl": "https://b.my.salesforce.com"}}
REFUSED = {"status": 1, "name": "NamedOrgNotFoundError", "message": "No authorization information found for acme."}


@pytest.mark.parametrize("answers", [{"show": SHOWN, "display": HIDDEN}, {"show": REFUSED, "display": OLD}])
def test_the_cli_gives_its_token_new_or_old(tmp_path: Path, answers: dict[str, Any]) -> None:
    wire = Wire({"GET /": Answer(body=USERINFO)})
    identity = connector(wire, auth=cli(tmp_path, **answers), instance_url=None).identity()
    assert identity.url == "https://b.my.salesforce.com"
    assert wire.sent[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_cli_without_a_token_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SignInError, match="NamedOrgNotFoundError: No authorization") as raised:
        connector(Wire({}), auth=cli(tmp_path, show=REFUSED, display=REFUSED)).identity()
    assert "org login web --alias acme" in raised.value.hint
    with pytest.raises(SignInError, match="NO_TOKEN"):
        connector(Wire({}), auth=cli(tmp_path, show={"status": 1}, display=HIDDEN)).identity()
    missing = SimpleNamespace(method="cli", target_org="acme", command=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="there is no command"):
        connector(Wire({}), auth=missing).identity()


def test_a_sandbox_is_known_by_its_address() -> None:
    login = "https://login.salesforce.com"
    assert audience(login, "https://test.salesforce.com") == "https://test.salesforce.com"
    assert audience(login, "https://acme--uat.sandbox.my.salesforce.com") == "https://test.salesforce.com"
    assert audience(login, "https://acme.my.salesforce.com") == login
    assert audience("https://acme.my.site.com", "https://x.sandbox.my.salesforce.com") == "https://acme.my.site.com"
