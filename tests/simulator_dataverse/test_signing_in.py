"""Discovery, tokens, and what the Web API makes of them (dataverse-api.md §1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from backhaul.simulator.dataverse import CLIENT_ID, CLIENT_SECRET, STRANGER_CLIENT_ID, TENANT_ID
from tests.simulator_dataverse.environment import Environment


@pytest.fixture
def no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """requests lets these override `verify` (§1.3)."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_bundle")
@pytest.mark.parametrize("discovery", [False, True], ids=["told", "asks the simulator"])
def test_msal_signs_in_over_https_and_keeps_the_token(env: Environment, discovery: bool) -> None:
    url = env.server.https_url
    application = msal.ConfidentialClientApplication(
        CLIENT_ID,
        authority=f"{url}/{TENANT_ID}",
        client_credential=CLIENT_SECRET,
        instance_discovery=f"{url}/common/discovery/instance" if discovery else False,
        verify=str(env.ca_path),
    )
    first = application.acquire_token_for_client([f"{url}/.default"])
    assert first["token_type"] == "Bearer"
    assert application.acquire_token_for_client([f"{url}/.default"])["token_source"] == "cache"
    answer = requests.get(
        f"{url}/api/data/v9.2/WhoAmI",
        headers={"Authorization": f"Bearer {first['access_token']}"},
        verify=str(env.ca_path),
    )
    assert answer.status_code == 200
    assert set(answer.json()) == {"@odata.context", "BusinessUnitId", "UserId", "OrganizationId"}


@pytest.mark.usefixtures("no_bundle")
def test_msal_signs_in_with_a_certificate(env: Environment) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backhaul")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    url = env.server.https_url
    credential = {"private_key": private.decode(), "public_certificate": public.decode()}

    def attempt() -> dict[str, str]:
        application = msal.ConfidentialClientApplication(
            CLIENT_ID,
            authority=f"{url}/{TENANT_ID}",
            client_credential=credential,
            instance_discovery=False,
            verify=str(env.ca_path),
        )
        found: dict[str, str] = application.acquire_token_for_client([f"{url}/.default"])
        return found

    assert attempt()["error"] == "invalid_client"
    env.org.directory.certificates[CLIENT_ID] = [public]
    assert "access_token" in attempt()


def test_token_is_a_signed_jwt_and_names_no_scope(env: Environment) -> None:
    reply = env.token().json()
    assert set(reply) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    configuration = env.session.get(f"{env.root}/{TENANT_ID}/v2.0/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(env.session.get(configuration["jwks_uri"]).json())
    header = jwt.get_unverified_header(reply["access_token"])
    claims = jwt.decode(
        reply["access_token"], keys[header["kid"]].key, algorithms=["RS256"], audience=env.root, leeway=10
    )
    assert (claims["tid"], claims["appid"]) == (TENANT_ID, CLIENT_ID)


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "hunter2"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": "11111111-1111-1111-1111-111111111111"}, 400, "unauthorized_client", 700016),
        ({"scope": ""}, 400, "invalid_request", 90014),
        ({"scope": "https://elsewhere.crm.dynamics.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": "user_impersonation"}, 400, "invalid_scope", 1002012),
        ({"grant_type": "implicit"}, 400, "unsupported_grant_type", 70003),
    ],
)
def test_token_endpoint_refuses(
    env: Environment, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    changes = dict(changes)
    reply = env.token(changes.pop("client_id", CLIENT_ID), **changes)
    assert (reply.status_code, reply.json()["error"], reply.json()["error_codes"]) == (status, error, [number])
    assert reply.json()["error_description"].startswith(f"AADSTS{number}: ")
    assert "hunter2" not in reply.text


def test_another_tenant_is_not_found(env: Environment) -> None:
    reply = env.session.get(f"{env.root}/22222222-2222-2222-2222-222222222222/v2.0/.well-known/openid-configuration")
    assert (reply.status_code, reply.json()["error_codes"]) == (400, [90002])


def bare(env: Environment, **headers: str) -> requests.Response:
    return requests.get(env.base + "WhoAmI", headers=headers)


def test_without_a_token_the_challenge_tells_tenant_and_resource(env: Environment) -> None:
    reply = bare(env)
    assert reply.status_code == 401
    challenge = f"Bearer authorization_uri={env.root}/{TENANT_ID}/oauth2/authorize, resource_id={env.root}/"
    assert reply.headers["WWW-Authenticate"] == challenge


def test_forged_tokens_and_those_for_others_are_refused(env: Environment) -> None:
    good = env.token().json()["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(claims, own, algorithm="RS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    signer = env.org.directory._key
    elsewhere = jwt.encode({**claims, "aud": "https://other.crm.dynamics.com"}, signer, algorithm="RS256")
    foreign = jwt.encode({**claims, "tid": "22222222-2222-2222-2222-222222222222"}, signer, algorithm="RS256")
    for token in ("nonsense", forged, unsigned, elsewhere, foreign, good[:-4] + "AAAA"):
        assert bare(env, Authorization=f"Bearer {token}").status_code == 401
    assert bare(env, Authorization=f"Bearer {good}").status_code == 200


def test_token_ends_with_the_clock_of_the_organisation(env: Environment) -> None:
    token = env.token().json()["access_token"]
    env.org.clock.advance(3_700)
    try:
        assert bare(env, Authorization=f"Bearer {token}").status_code == 401
    finally:
        env.org.clock.advance(-3_700)


def test_application_without_a_user_is_no_member(env: Environment) -> None:
    token = env.token(STRANGER_CLIENT_ID).json()["access_token"]
    reply = bare(env, Authorization=f"Bearer {token}")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "0x80072560")


@pytest.mark.parametrize(
    ("setting", "code"),
    [({"member": False}, "0x80072560"), ({"roles": False}, "0x80042f09"), ({"disabled": True}, "0x80040225")],
)
def test_user_of_the_application_may_be_refused(env: Environment, setting: dict[str, bool], code: str) -> None:
    before = env.org.settings({})
    env.org.settings(setting)
    try:
        assert env.refused("GET", "WhoAmI")[:2] == (403, code)
    finally:
        env.org.settings(before)


def test_state_and_key_survive_a_restart(tmp_path: Path) -> None:
    from backhaul.simulator.dataverse import DataverseOrg
    from backhaul.simulator.store import Store

    first = DataverseOrg(Store(tmp_path / "dynamics.duckdb"))
    first.add_fields("contact", [{"name": "new_extra", "type": "String", "length": 10}])
    record_id = first.seed("contact", [{"lastname": "Stays", "new_extra": "x"}])[0]
    version, key = first.next_version(), first.directory.private_pem
    first.close()
    second = DataverseOrg(Store(tmp_path / "dynamics.duckdb"))
    found = {row["contactid"]: row for row in second.dump("contact")}[record_id]
    assert (found["lastname"], found["new_extra"]) == ("Stays", "x")
    assert second.directory.private_pem == key
    assert second.next_version() >= version
    second.close()
