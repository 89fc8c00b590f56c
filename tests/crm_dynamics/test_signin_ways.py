"""The other ways to sign in: certificates in every form, a code, a password, a token handed in, other clouds."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from pydantic import SecretStr

from backhaul.crm.dynamics import DynamicsConnector
from backhaul.crm.dynamics.signin import authority_of
from backhaul.errors import ConfigurationError, SignInError
from tests.crm.wire import Answer, Sent

from .environment import AUTHORITY, ROOT, TENANT, TOKEN, WHO, account, connect, entra

# Nobody waits here between two questions whether a code was entered.
pytestmark = pytest.mark.filterwarnings("ignore:Attempted too soon")

WHO_AM_I = f"GET {ROOT}WhoAmI"
TOKEN_ROUTE = f"POST /{TENANT}/oauth2/v2.0/token"
DISCOVERY = f"GET /{TENANT}/v2.0/.well-known/openid-configuration"
PASSWORD = b"p4ss"


def made(days: int = 30) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "backhaul")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@pytest.fixture(scope="module")
def pair() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    return made()


def pem(key: rsa.RSAPrivateKey | None, certificate: x509.Certificate | None, password: bytes | None = None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    text = b""
    if certificate is not None:
        text += certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        text += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    return text


def pfx(key: rsa.RSAPrivateKey, certificate: x509.Certificate, password: bytes | None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"backhaul", key, certificate, None, locked)


def by_certificate(content: bytes | str | None, password: bytes | None = None, file: Path | None = None) -> Any:
    text = content.decode() if isinstance(content, bytes) else content
    return account(
        auth=SimpleNamespace(
            method="certificate",
            tenant_id=TENANT,
            client_id="app",
            certificate=SecretStr(text) if text is not None else None,
            certificate_file=file,
            password=SecretStr(password.decode()) if password else None,
            authority=AUTHORITY,
        )
    )


def signed_by(opened: Any, certificate: x509.Certificate) -> None:
    """Assert that the app proves itself by a JWT that this certificate's key has signed (§1.2)."""
    crm, wire, _ = connect({WHO_AM_I: Answer(body=WHO)}, account=opened)
    crm.identity()
    form = {name: values[0] for name, values in parse_qs(wire.sent[1].body.decode()).items()}
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert "client_secret" not in form
    public: Any = certificate.public_key()
    told = jwt.decode(
        form["client_assertion"], public, algorithms=["PS256"], audience=f"{AUTHORITY}/{TENANT}/oauth2/v2.0/token"
    )
    assert told["iss"] == told["sub"] == "app"
    thumb = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
    assert jwt.get_unverified_header(form["client_assertion"])["x5t#S256"].rstrip("=") == thumb


def test_a_certificate_is_taken_in_every_form(pair: tuple[rsa.RSAPrivateKey, x509.Certificate], tmp_path: Path) -> None:
    key, certificate = pair
    plain, locked = pem(key, certificate), pem(key, certificate, PASSWORD)
    folded = b"\n".join(base64.b64encode(plain)[at : at + 64] for at in range(0, 4000, 64))
    forms: list[tuple[bytes, bytes | None]] = [
        (plain, None),
        (plain.replace(b"\n", b"\\n"), None),
        (plain.replace(b"\n", b"\r\n"), None),
        (locked, PASSWORD),
        (base64.b64encode(plain), None),
        (folded, None),
        (base64.b64encode(pfx(key, certificate, None)), None),
        (base64.b64encode(pfx(key, certificate, PASSWORD)), PASSWORD),
    ]
    for content, password in forms:
        signed_by(by_certificate(content, password), certificate)
    for content, password in (
        (plain, None),
        (pfx(key, certificate, PASSWORD), PASSWORD),
        (base64.b64encode(plain), None),
    ):
        file = tmp_path / "certificate"
        file.write_bytes(content)
        signed_by(by_certificate(None, password, file), certificate)


def test_a_certificate_that_cannot_be_used_says_why(
    pair: tuple[rsa.RSAPrivateKey, x509.Certificate], tmp_path: Path
) -> None:
    key, certificate = pair
    old_key, old = made(days=-1)
    told = {
        "comes without its private key": (pem(None, certificate), None),
        "is missing: there is only a private key": (pem(key, None), None),
        "wants a password, and none is given": (pem(key, certificate, PASSWORD), None),
        "does not open with this password": (base64.b64encode(pfx(key, certificate, PASSWORD)), b"wrong"),
        "is neither PEM nor PKCS#12": (b"some words", None),
        "do not belong together": (pem(old_key, certificate), None),
        "expired on": (pem(old_key, old), None),
    }
    for message, (content, password) in told.items():
        crm, wire, _ = connect({}, account=by_certificate(content, password))
        with pytest.raises(ConfigurationError, match=message) as caught:
            crm.identity()
        assert "account 'dynamics'" in str(caught.value) and "BEGIN" not in str(caught.value) and wire.sent == []
    crm, _, _ = connect({}, account=by_certificate(None, None, tmp_path / "nowhere.pem"))
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem cannot be read \(No such file"):
        crm.identity()


# --- people -----------------------------------------------------------------------------------------------------------


def person(method: str, **more: Any) -> dict[str, Any]:
    auth = SimpleNamespace(method=method, tenant_id=TENANT, client_id="public", authority=AUTHORITY, **more)
    return {"auth": auth}


def device(answers: list[Answer], folder: Path | None, shown: list[str]) -> tuple[DynamicsConnector, Any, list[float]]:
    """A person's connector; `answers` are those of the token endpoint."""
    routes = entra()
    found: Any = routes[DISCOVERY]
    found.body["device_authorization_endpoint"] = f"{AUTHORITY}/{TENANT}/oauth2/v2.0/devicecode"
    start = {
        "user_code": "A1B2C3",
        "device_code": "the-device-code",
        "verification_uri": "https://login.example.com/device",
        "expires_in": 30,
        "interval": 5,
        "message": "Go to https://login.example.com/device and enter A1B2C3",
    }
    routes |= {
        f"POST /{TENANT}/oauth2/v2.0/devicecode": Answer(body=start),
        TOKEN_ROUTE: list(answers),
        WHO_AM_I: Answer(body=WHO),
    }
    return connect(routes, account=account(state_folder=folder, **person("device_code")), tell=shown.append)


def granted(token: str = TOKEN, **more: Any) -> Answer:
    claims = {"oid": "o", "tid": TENANT, "preferred_username": "robin@example.com", "iss": "i", "aud": "public"}
    info = base64.urlsafe_b64encode(json.dumps({"uid": "o", "utid": TENANT}).encode()).decode().rstrip("=")
    body = {"token_type": "Bearer", "expires_in": 3599, "access_token": token, "refresh_token": "the-refresh-token"}
    body["scope"] = "https://acme.crm4.dynamics.com/user_impersonation"
    exp = {"exp": 4102444800, "iat": 0}
    return Answer(body={**body, "client_info": info, "id_token": jwt.encode({**claims, **exp}, "k" * 32), **more})


PENDING = Answer(400, {"error": "authorization_pending", "error_description": "AADSTS70016: pending"})


def test_a_person_enters_a_code_once_and_is_remembered(tmp_path: Path) -> None:
    shown: list[str] = []
    crm, wire, pauses = device([PENDING, PENDING, granted()], tmp_path, shown)
    crm.identity()
    assert shown == ["account 'dynamics': Go to https://login.example.com/device and enter A1B2C3"]
    assert pauses == [5, 5] and wire.sent[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    start = next(sent for sent in wire.sent if sent.path.endswith("devicecode"))
    assert "https://acme.crm4.dynamics.com/user_impersonation" in parse_qs(start.body.decode())["scope"][0]
    (kept,) = (tmp_path / "tokens").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert "the-refresh-token" in kept.read_text()
    # The next run asks nobody, not even the directory.
    again, wire, _ = device([Answer(500)], tmp_path, shown)
    again.identity()
    assert len(shown) == 1 and TOKEN_ROUTE not in wire.paths()


def test_a_refused_token_is_renewed_from_what_is_kept(tmp_path: Path) -> None:
    shown: list[str] = []
    crm, wire, _ = device([granted(), granted("second", refresh_token="newer")], tmp_path, shown)
    wire.routes[WHO_AM_I] = [Answer(401, "no"), Answer(body=WHO)]
    crm.identity()
    assert len(shown) == 1 and wire.sent[-1].headers["Authorization"] == "Bearer second"
    (kept,) = (tmp_path / "tokens").iterdir()
    assert "newer" in kept.read_text() and stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_cache_that_others_can_read_is_closed_and_a_broken_one_is_none(tmp_path: Path) -> None:
    shown: list[str] = []
    device([granted()], tmp_path, shown)[0].identity()
    (kept,) = (tmp_path / "tokens").iterdir()
    kept.chmod(0o644)
    device([Answer(500)], tmp_path, shown)[0].identity()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text("{half")
    device([granted()], tmp_path, shown)[0].identity()
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (PENDING, "the code was not entered in time"),
        (Answer(400, {"error": "authorization_declined", "error_description": "no"}), "the sign-in was declined"),
        (Answer(400, {"error": "expired_token", "error_description": "late"}), "the code was not entered in time"),
    ],
)
def test_a_code_that_nobody_enters_ends_with_a_reason(answer: Answer, told: str) -> None:
    crm, _, pauses = device([answer], None, [])
    with pytest.raises(SignInError, match=rf"could not sign in \(device code\): \w+: {told}"):
        crm.identity()
    assert sum(pauses) <= 35


def test_nobody_at_the_terminal_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    routes = entra()
    found: Any = routes[DISCOVERY]
    found.body["device_authorization_endpoint"] = f"{AUTHORITY}/{TENANT}/oauth2/v2.0/devicecode"
    start = {"user_code": "A1", "device_code": "d", "verification_uri": "u", "expires_in": 900, "interval": 5}
    routes[f"POST /{TENANT}/oauth2/v2.0/devicecode"] = Answer(body=start)
    crm, _, pauses = connect(routes, account=account(**person("device_code")))
    with pytest.raises(SignInError, match="nobody sits at this terminal"):
        crm.identity()
    assert pauses == []


def test_a_name_and_a_password_are_sent_where_the_tenant_allows_it() -> None:
    auth = person("username_password", username="robin@example.com", password=SecretStr("pw-of-robin"))
    realm = {"GET /common/userrealm/": Answer(body={"account_type": "Managed", "ver": "1.0"})}
    crm, wire, _ = connect({**realm, TOKEN_ROUTE: granted(), WHO_AM_I: Answer(body=WHO)}, account=account(**auth))
    crm.identity()
    (form,) = [parse_qs(sent.body.decode()) for sent in wire.sent if sent.path.endswith("/token")]
    assert (form["grant_type"], form["username"], form["password"]) == (
        ["password"],
        ["robin@example.com"],
        ["pw-of-robin"],
    )
    for number, told in ((50126, "the user name or the password is wrong"), (50076, "a second factor")):
        refusal = Answer(400, {"error": "invalid_grant", "error_description": f"AADSTS{number}: no"})
        crm, _, _ = connect({**realm, TOKEN_ROUTE: refusal}, account=account(**auth))
        with pytest.raises(SignInError, match=told) as caught:
            crm.identity()
        assert "pw-of-robin" not in str(caught.value)


def test_a_token_that_was_handed_in_is_carried_and_not_renewed() -> None:
    auth = SimpleNamespace(method="access_token", token=SecretStr("handed-in"))
    crm, wire, _ = connect({WHO_AM_I: [Answer(body=WHO), Answer(401, "no")]}, account=account(auth=auth))
    crm.identity()
    assert wire.paths() == [WHO_AM_I] and wire.sent[0].headers["Authorization"] == "Bearer handed-in"
    with pytest.raises(SignInError, match="the access token that was handed in is refused or has expired") as caught:
        crm.identity()
    assert "handed-in " not in str(caught.value) and "Bearer" not in str(caught.value)


# --- clouds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://acme.crm4.dynamics.com", "https://login.microsoftonline.com"),
        ("https://acme.crm9.dynamics.com", "https://login.microsoftonline.com"),
        ("https://acme.crm.microsoftdynamics.us", "https://login.microsoftonline.us"),
        ("https://acme.crm.appsplatform.us", "https://login.microsoftonline.us"),
        ("https://acme.crm.dynamics.cn", "https://login.partner.microsoftonline.cn"),
    ],
)
def test_each_cloud_has_its_authority(url: str, authority: str) -> None:
    auth = SimpleNamespace(tenant_id=TENANT, authority=None)
    assert authority_of(account(url=url, auth=auth)) == f"{authority}/{TENANT}"
    own = SimpleNamespace(tenant_id=TENANT, authority="https://login.example.com/")
    assert authority_of(account(url=url, auth=own)) == f"https://login.example.com/{TENANT}"


def test_an_authority_on_a_port_of_its_own_is_asked_there_for_everything() -> None:
    at = "https://login.example.com:8443"
    auth = SimpleNamespace(
        method="username_password", tenant_id=TENANT, client_id="public", authority=at,
        username="robin@example.com", password=SecretStr("pw"),
    )  # fmt: skip
    hosts: list[str] = []

    def realm(sent: Sent) -> Answer:
        hosts.append(str(sent.headers.get("Host", "")))
        return Answer(body={"account_type": "Managed", "ver": "1.0"})

    crm, _, _ = connect(
        {**entra(at), "GET /common/userrealm/": realm, TOKEN_ROUTE: granted(), WHO_AM_I: Answer(body=WHO)},
        account=account(auth=auth),
    )
    urls: list[str] = []
    session: Any = crm._http.session
    plain = session.send

    def send(request: Any, **arguments: Any) -> Any:
        urls.append(request.url)
        return plain(request, **arguments)

    session.send = send
    crm.identity()
    asked = [url for url in urls if "login.example.com" in url]
    assert len(asked) == 3 and all(url.startswith(f"{at}/") for url in asked)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    yield
