"""The directory that signs tokens: discovery, keys and the token endpoint of one Entra tenant (dataverse-api.md §1).

It lives on the same server as the organisation, which MSAL allows for over https. Facts for whoever points MSAL at it:

* ``authority="https://localhost:PORT/<tenant>"``, with ``instance_discovery=False`` (else MSAL asks
  login.microsoftonline.com about the host) or ``instance_discovery="<https url>/common/discovery/instance"``;
* ``verify="<ca file>"`` works, but ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` in the environment overrides it,
  for MSAL as for every user of requests: set that variable to the same file, or clear it, or hand MSAL an
  ``http_client`` whose session has ``trust_env = False``;
* the reply names no ``scope``: one that differs from the request would defeat MSAL's cache (§1.2);
* MSAL remembers a refusal for some seconds: a test that mends a secret takes a new application object.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenError(Exception):
    """A refusal of the token endpoint: OAuth `error`, AADSTS `number`, HTTP `status`."""

    def __init__(self, error: str, number: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.number = number
        self.message = message
        self.status = status


class Directory:
    """One tenant: its signing key, the registered applications with their secrets and certificates.

    `secrets` maps client id to secret, `certificates` client id to the PEM of its certificates. The second
    application, :data:`STRANGER_CLIENT_ID`, has no user in the organisation (its secret is the same).
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
        self.certificates: dict[str, list[bytes]] = {}
        self._seen: dict[str, dict[str, Any]] = {}

    # --- documents ----------------------------------------------------------------------------------------

    def instance(self, root: str) -> dict[str, Any]:
        """Give the instance discovery document (§1.2)."""
        host = root.split("://", 1)[1]
        return {
            "tenant_discovery_endpoint": f"{root}/{TENANT_ID}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }

    def configuration(self, root: str, tenant: str) -> dict[str, Any]:
        """Give the OpenID configuration of the tenant. Raises TokenError for another tenant."""
        self._known(tenant)
        base = f"{root}/{tenant}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/{TENANT_ID}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": root.split("://", 1)[1],
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
                    "n": _base64(numbers.n.to_bytes(256, "big")),
                    "e": _base64(numbers.e.to_bytes(3, "big")),
                }
            ]
        }

    # --- tokens -------------------------------------------------------------------------------------------

    def token(
        self, tenant: str, form: Mapping[str, str], *, resources: set[str], endpoint: str, now: datetime, seconds: int
    ) -> dict[str, Any]:
        """Answer the token endpoint: client credentials with a secret or a certificate. Raises TokenError.

        `resources` are the root URLs a token may be asked for, `endpoint` this endpoint's own URL (the audience of
        a client assertion), `seconds` the token's life.
        """
        self._known(tenant)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise TokenError(
                    "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
                )
        if form["grant_type"] != "client_credentials":
            raise TokenError(
                "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form['grant_type']}'."
            )
        client = form["client_id"].lower()
        if client not in self.secrets:
            raise TokenError(
                "unauthorized_client",
                700016,
                f"Application with identifier '{form['client_id']}' was not found in the directory 'Contoso'. This can "
                "happen if the application has not been installed by the administrator of the tenant or consented to "
                "by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
            )
        self._authenticate(client, form, endpoint)
        resource = self._resource(form.get("scope", ""), resources)
        issued = int(now.timestamp())
        object_id = stable_id("service principal", client)
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{TENANT_ID}/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + seconds,
            "appid": client,
            "appidacr": "2" if "client_assertion" in form else "1",
            "idp": f"https://sts.windows.net/{TENANT_ID}/",
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": TENANT_ID,
            "uti": _base64(uuid.uuid4().bytes),
            "ver": "1.0",
        }
        signed = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid, "x5t": self._kid})
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": signed}

    def claims(self, token: str, *, audiences: set[str], now: datetime) -> dict[str, Any] | None:
        """Give the claims of a token of this tenant for one of `audiences` that is good `now`; None for any other."""
        claims = self._seen.get(token)
        if claims is None:
            options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
            try:
                claims = jwt.decode(token, self._public, algorithms=["RS256"], options=options)
            except jwt.InvalidTokenError:
                return None
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[token] = claims
        audience = str(claims.get("aud", "")).rstrip("/")
        if claims.get("tid") != TENANT_ID or audience not in audiences:
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
        return _base64(self._public.public_numbers().n.to_bytes(256, "big")[:15])

    def _known(self, tenant: str) -> None:
        if tenant.lower() not in (TENANT_ID, TENANT_DOMAIN):
            raise TokenError(
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
                "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
                "subscriptions for the tenant.",
            )

    def _authenticate(self, client: str, form: Mapping[str, str], endpoint: str) -> None:
        if form.get("client_assertion_type") == _ASSERTION:
            assertion = form.get("client_assertion", "")
            if any(_signed_by(pem, assertion, client, endpoint) for pem in self.certificates.get(client, [])):
                return
            raise TokenError(
                "invalid_client",
                700027,
                "The certificate with identifier used to sign the client assertion is not registered on application.",
                status=401,
            )
        if not form.get("client_secret"):
            raise TokenError(
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                status=401,
            )
        if form["client_secret"] != self.secrets[client]:
            raise TokenError(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client}'.",
                status=401,
            )

    def _resource(self, scope: str, resources: set[str]) -> str:
        if not scope:
            raise TokenError("invalid_request", 90014, "The required field 'scope' is missing from the credential.")
        if not scope.endswith("/.default"):
            raise TokenError(
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier (application ID URI).",
            )
        resource = scope.removesuffix("/.default")
        if resource.rstrip("/") not in resources:
            raise TokenError(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named Contoso. This can happen "
                "if the application has not been installed by the administrator of the tenant or consented to by any "
                "user in the tenant. You might have sent your authentication request to the wrong tenant.",
            )
        return resource


def _signed_by(pem: bytes, assertion: str, client: str, endpoint: str) -> bool:
    key: Any = load_pem_x509_certificate(pem).public_key()
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        claims = jwt.decode(assertion, key, algorithms=["RS256", "PS256"], audience=endpoint, options=options)
    except jwt.InvalidTokenError:
        return False
    # The signer's clock is the machine's, the simulator's may have been moved: only the order of things is judged.
    in_time = claims.get("exp", 0) > claims.get("nbf", claims.get("iat", 0))
    return bool(claims.get("iss") == claims.get("sub") == client and in_time)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
