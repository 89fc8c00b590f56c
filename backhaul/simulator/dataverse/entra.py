"""The directory that signs tokens: discovery, keys and the token endpoint of one Entra tenant (dataverse-api.md §1).

It lives on the same server as the organisation, which MSAL allows for over https. Facts for whoever points MSAL at it:

* ``authority="https://localhost:PORT/<tenant>"``, with ``instance_discovery=False`` (else MSAL asks
  login.microsoftonline.com about the host) or ``instance_discovery="<https url>/common/discovery/instance"``;
* ``verify="<ca file>"`` works, but ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` in the environment overrides it,
  for MSAL as for every user of requests: set that variable to the same file, or clear it, or hand MSAL an
  ``http_client`` whose session has ``trust_env = False``;
* the reply names no ``scope``: one that differs from the request would defeat MSAL's cache (§1.2);
* before it sends a password MSAL asks ``https://localhost/common/userrealm/...``, without the authority's port: only
  an ``http_client`` that puts it back (or port 443) lets that flow through;
* a managed identity's endpoint is ``/metadata/identity/oauth2/token`` (set ``AZURE_POD_IDENTITY_AUTHORITY_HOST`` to
  the http door) and, as App Service has it, ``/msi/token``;
* MSAL remembers a refusal for some seconds: a test that mends a secret takes a new application object.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

from backhaul.simulator.store import Store

from .edm import stable_id

TENANT_ID = "8a1c5a0e-3f3b-4f0e-9b51-2f0c4d1e7a11"
TENANT_DOMAIN = "contoso.onmicrosoft.com"
CLIENT_ID = "5d8c8d6e-0b0a-4b6e-9a55-6c1f1d2e3f44"
CLIENT_SECRET = "sim~Dv8Q-not-a-real-secret"  # noqa: S105 - the simulated tenant's, known to everybody
STRANGER_CLIENT_ID = "0f4b7c2d-6a3e-4d1f-8c9b-7e6a5d4c3b22"
KEY_SETTING = "entra_key"
# Without a secret: this organisation's own, Microsoft's for samples of Dataverse, and the Azure command line.
PUBLIC_CLIENT_ID = "7b1f0c55-9a0e-4a58-8d2f-1c9e7a60b3d4"
PUBLIC_CLIENT_IDS = (
    PUBLIC_CLIENT_ID,
    "51f81489-12ee-4a9e-aaae-a2591f45987d",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
)
USER_NAME = "robin.sales@contoso.example"
USER_PASSWORD = "sim~Robin-not-a-real-password"  # noqa: S105 - the simulated tenant's, known to everybody


class TokenError(Exception):
    """A refusal of the token endpoint: OAuth `error`, AADSTS `number`, HTTP `status`."""

    def __init__(self, error: str, number: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.number = number
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Account:
    """A person of the directory."""

    object_id: str
    upn: str
    name: str
    password: str
    disabled: bool = False


class Directory:
    """One tenant: its signing key, the registered applications with their secrets and certificates, its people.

    `secrets` maps client id to secret, `certificates` client id to the PEM of its certificates, `public_clients` are
    the applications without either. The second application, :data:`STRANGER_CLIENT_ID`, has no user in the
    organisation (its secret is the same). `accounts` are the people by lower-case user name.
    """

    def __init__(self, store: Store) -> None:
        kept = store.get(KEY_SETTING)
        if kept is None:
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            kept = made.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            store.set(KEY_SETTING, kept)
        self.private_pem: str = kept
        # The key is our own, made above: checking its primes anew costs more than all else that a reset does.
        key = serialization.load_pem_private_key(kept.encode(), None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._public = key.public_key()
        self.secrets: dict[str, str] = {CLIENT_ID: CLIENT_SECRET, STRANGER_CLIENT_ID: CLIENT_SECRET}
        self.public_clients: set[str] = set(PUBLIC_CLIENT_IDS)
        self.certificates: dict[str, list[bytes]] = {}
        self.redirects: dict[str, set[str]] = {}
        self.accounts: dict[str, Account] = {}
        self._seen: dict[str, dict[str, Any]] = {}

    def enroll(self, account: Account) -> None:
        """Add a person, or change the one of that user name."""
        self.accounts[account.upn.lower()] = account

    def register(self, applications: Mapping[str, Mapping[str, Any]]) -> None:
        """Add app registrations: client id -> ``client_secret``, ``certificate`` (PEM), ``redirects``. Raises
        ValueError for a certificate that is none."""
        for client, given in applications.items():
            if given.get("certificate"):
                pem = str(given["certificate"]).encode()
                load_pem_x509_certificate(pem)
                self.certificates[client] = [pem]
            if given.get("client_secret") or given.get("certificate"):
                self.secrets[client] = str(given.get("client_secret") or uuid.uuid4())
                self.public_clients.discard(client)
            else:
                self.public_clients.add(client)
            self.redirects[client] = set(given.get("redirects", ()))

    def account(self, name: str | None = None) -> Account | None:
        """Give the person of a user name or object id; without one the directory's first."""
        if name is None:
            return next(iter(self.accounts.values()), None)
        found = self.accounts.get(name.lower())
        return found or next((one for one in self.accounts.values() if one.object_id == name), None)

    def principal(self, client: str) -> str:
        """Give the object id of an application's service principal."""
        return stable_id("service principal", client)

    def redirect_known(self, client: str, address: str) -> bool:
        """Say whether an application may be answered at `address`: loopback at any port, or a registered one."""
        parts = urlsplit(address)
        loopback = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
        native = "https://login.microsoftonline.com/common/oauth2/nativeclient"
        return loopback or address == native or address in self.redirects.get(client, set())

    # --- documents ----------------------------------------------------------------------------------------

    def instance(self, root: str) -> dict[str, Any]:
        """Give the instance discovery document (§1.2)."""
        host = root.split("://", 1)[1]
        return {
            "tenant_discovery_endpoint": f"{root}/{TENANT_ID}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def configuration(self, root: str, tenant: str, *, first_version: bool = False) -> dict[str, Any]:
        """Give the OpenID configuration of the tenant. Raises TokenError for another tenant."""
        self.check_tenant(tenant)
        base, version = f"{root}/{tenant}", "" if first_version else "/v2.0"
        issuer = f"https://sts.windows.net/{TENANT_ID}/" if first_version else f"{root}/{TENANT_ID}/v2.0"
        return {
            "token_endpoint": f"{base}/oauth2{version}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery{version}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer,
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{version}/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{base}/oauth2{version}/logout",
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
            ],
            "tenant_region_scope": "EU",
            "cloud_instance_name": root.split("://", 1)[1],
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }

    def realm(self, name: str) -> dict[str, Any]:
        """Say where a user signs in, which MSAL asks before it sends a password: here."""
        domain = name.rpartition("@")[2]
        return {
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": domain,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }

    def keys(self) -> dict[str, Any]:
        """Give the public keys that tokens are signed with."""
        numbers = self._public.public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "kid": self._kid,
                    "n": encoded(numbers.n.to_bytes(256, "big")),
                    "e": encoded(numbers.e.to_bytes(3, "big")),
                }
            ]
        }

    # --- tokens -------------------------------------------------------------------------------------------

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Give `claims` as a signed token."""
        return jwt.encode(dict(claims), self._key, algorithm="RS256", headers={"kid": self._kid, "x5t": self._kid})

    def refresh(self, claims: Mapping[str, Any]) -> str:
        """Give a refresh token that stands for `claims`: opaque to clients, good after a restart."""
        return "0.A" + self.sign({**claims, "use": "refresh"})

    def refreshed(self, token: str) -> dict[str, Any] | None:
        """Give what a refresh token stands for, None when it is none of ours."""
        claims = self._verified(token.removeprefix("0.A"))
        return claims if claims is not None and claims.get("use") == "refresh" else None

    def claims(self, token: str, *, audiences: set[str], now: datetime) -> dict[str, Any] | None:
        """Give the claims of a token of this tenant for one of `audiences` that is good `now`; None for any other."""
        claims = self._seen.get(token)
        if claims is None:
            claims = self._verified(token)
            if claims is None:
                return None
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[token] = claims
        audience = str(claims.get("aud", "")).rstrip("/")
        issuers = (f"https://sts.windows.net/{TENANT_ID}/", f"https://login.microsoftonline.com/{TENANT_ID}/v2.0")
        if claims.get("tid") != TENANT_ID or audience not in audiences or claims.get("iss") not in issuers:
            return None
        # The service allows clocks to differ by five minutes before a token is too young, none after its end.
        moment = now.timestamp()
        return claims if claims.get("nbf", 0) - 300 <= moment < claims.get("exp", 0) else None

    def error(self, error: TokenError, now: datetime) -> dict[str, Any]:
        """Give the body of a refusal (§1.2)."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": error.error,
            "error_description": f"AADSTS{error.number}: {error.message} Trace ID: {trace} Correlation ID: "
            f"{correlation} Timestamp: {stamp}",
            "error_codes": [error.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
        }

    @property
    def _kid(self) -> str:
        return encoded(self._public.public_numbers().n.to_bytes(256, "big")[:15])

    def _verified(self, token: str) -> dict[str, Any] | None:
        options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
        try:
            found: dict[str, Any] = jwt.decode(token, self._public, algorithms=["RS256"], options=options)
        except jwt.InvalidTokenError:
            return None
        return found

    def unknown_application(self, client: str) -> TokenError:
        """Give the refusal of an application that the directory does not have."""
        return TokenError(
            "unauthorized_client",
            700016,
            f"Application with identifier '{client}' was not found in the directory 'Contoso'. This can happen if the "
            "application has not been installed by the administrator of the tenant or consented to by any user in the "
            "tenant. You may have sent your authentication request to the wrong tenant.",
        )

    def check_tenant(self, tenant: str) -> None:
        """Raise TokenError for another tenant; ``organizations`` and ``common`` stand for any."""
        if tenant.lower() not in (TENANT_ID, TENANT_DOMAIN, "organizations", "common"):
            raise TokenError(
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
            )


def encoded(content: bytes) -> str:
    """Give `content` in URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
