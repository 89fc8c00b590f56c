"""Signing in to Salesforce: both grants, every refusal, nothing secret in what is said (salesforce-api.md §2)."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from backhaul.crm import open_connector
from backhaul.crm.salesforce import SalesforceConnector
from backhaul.errors import BackhaulError, ConfigurationError, SignInError

from .wire import DATE, SECRET, TOKEN, Answer, Wire, account, refused, token, waits

USERINFO = {"preferred_username": "robot@acme.example", "organization_id": "00Dxx0000000001EAA", "user_id": "005"}
TOKEN_PATH = "POST /services/oauth2/token"


def connector(wire: Wire, **changes: object) -> SalesforceConnector:
    opened = open_connector(account(**changes), transport=wire, policy=waits()[0])
    assert isinstance(opened, SalesforceConnector)
    return opened


def test_client_credentials() -> None:
    wire = Wire({TOKEN_PATH: token(instance_url="https://acme2.my.salesforce.com"), "GET /": Answer(body=USERINFO)})
    identity = connector(wire).identity()
    assert (identity.user, identity.organisation) == ("robot@acme.example", "00Dxx0000000001EAA")
    # The org may have moved: its address is the one of the token's reply.
    assert identity.url == "https://acme2.my.salesforce.com"
    assert parse_qs(wire.sent[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["key"],
        "client_secret": [SECRET],
    }
    assert wire.sent[1].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def jwt_auth(**changes: object) -> SimpleNamespace:
    given = {
        "method": "jwt_bearer",
        "client_id": "key",
        "username": "robot@acme.example",
        "private_key": None,
        "private_key_file": None,
        "audience": "https://login.salesforce.com",
    }
    return SimpleNamespace(**{**given, **changes})


@pytest.mark.parametrize("escaped", [False, True])
def test_jwt_bearer_takes_the_servers_clock(key: rsa.RSAPrivateKey, escaped: bool) -> None:
    text = pem(key).replace("\n", "\\n") if escaped else pem(key)
    wire = Wire(
        {TOKEN_PATH: token(), "GET /services/data": Answer(body=[]), "GET /services/oauth2": Answer(body=USERINFO)}
    )
    auth = jwt_auth(private_key=SecretStr(text))
    connector(wire, auth=auth, login_url="https://login.salesforce.com").identity()
    form = parse_qs(next(sent for sent in wire.sent if sent.method == "POST").body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(
        form["assertion"][0],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert (claims["iss"], claims["sub"]) == ("key", "robot@acme.example")
    # Mon, 23 Nov 2026 10:00:00 GMT and three minutes, whatever this machine believes.
    assert DATE == "Mon, 23 Nov 2026 10:00:00 GMT"
    assert claims["exp"] == 1795428000 + 180


def test_a_key_that_is_none_is_told_without_showing_it(tmp_path: Path) -> None:
    wire = Wire({"GET /services/data": Answer(body=[])})
    with pytest.raises(ConfigurationError, match="cannot be read as an RSA key") as raised:
        connector(wire, auth=jwt_auth(private_key=SecretStr(f"-----BEGIN {SECRET}"))).identity()
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    with pytest.raises(ConfigurationError, match="private_key_file"):
        connector(wire, auth=jwt_auth(private_key_file=tmp_path / "missing.pem")).identity()


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({"error": "invalid_grant", "error_description": "request not supported on this domain"}, "My Domain address"),
        ({"error": "invalid_grant", "error_description": "no client credentials user enabled"}, "run-as user"),
        ({"error": "invalid_client", "error_description": "invalid client credentials"}, "consumer key and secret"),
        ({"error": "invalid_client_id", "error_description": "client identifier invalid"}, "consumer key"),
        ({"error": "invalid_grant", "error_description": "user hasn't approved this consumer"}, "pre-authorise"),
        ({"error": "invalid_grant", "error_description": "Audience validation failed"}, "auth.audience"),
        ({"error": "invalid_grant", "error_description": "authentication failure"}, "client_secret"),
    ],
)
def test_a_refused_sign_in_names_account_method_and_what_to_check(answer: dict[str, str], check: str) -> None:
    wire = Wire({TOKEN_PATH: Answer(400, answer)})
    with pytest.raises(SignInError, match=r"account 'salesforce' could not sign in \(client credentials\)") as raised:
        connector(wire).identity()
    assert check in raised.value.hint
    assert raised.value.message.endswith(f": {answer['error']}: {answer['error_description']}")
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert len(wire.sent) == 1


def test_a_passing_failure_of_the_sign_in_is_waited_for() -> None:
    busy = Answer(400, {"error": "temporarily_unavailable", "error_description": "busy"})
    wire = Wire({TOKEN_PATH: [busy, Answer(503), token()], "GET /": Answer(body=USERINFO)})
    assert connector(wire).identity().user == "robot@acme.example"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body="a word"),
        Answer(403, "<html>blocked"),
        Answer(body={}),
        Answer(body=[]),
        token(instance_url=None),
        token(access_token=""),
    ],
)
def test_an_answer_without_a_token_is_a_refused_sign_in(answer: Answer) -> None:
    with pytest.raises(SignInError, match="NO_TOKEN"):
        connector(Wire({TOKEN_PATH: answer})).identity()


def test_a_secret_does_not_travel_unencrypted() -> None:
    with pytest.raises(ConfigurationError, match="not an https address"):
        connector(Wire({}), instance_url="http://acme.my.salesforce.com").identity()
    with pytest.raises(ConfigurationError, match="not an https address"):
        connector(Wire({TOKEN_PATH: token(instance_url="http://evil.example")})).identity()


def test_a_second_401_is_told_with_what_to_check() -> None:
    wire = Wire({TOKEN_PATH: token(), "GET /": refused(401, "INVALID_SESSION_ID", "Session expired or invalid")})
    with pytest.raises(SignInError, match=r"'salesforce'.*client credentials.*INVALID_SESSION_ID"):
        connector(wire).identity()
    assert wire.paths("POST") == ["POST /services/oauth2/token"] * 2


def test_userinfos_own_word_for_a_dead_session_renews_it() -> None:
    wire = Wire({TOKEN_PATH: token(), "GET /": [Answer(403, "Bad_OAuth_Token"), Answer(body=USERINFO)]})
    assert connector(wire).identity().organisation == "00Dxx0000000001EAA"


def test_every_error_is_of_the_house() -> None:
    wire = Wire({TOKEN_PATH: Answer(200, "not json", headers={"Content-Type": "application/json"})})
    with pytest.raises(BackhaulError):
        connector(wire).objects()
