"""Sign-in through MSAL: what goes out, when a token is renewed, and what a person reads when it fails."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from backhaul.errors import ConfigurationError, CRMError, SignInError, TransientError
from tests.crm.wire import Answer

from .environment import AUTHORITY, ROOT, SECRET, TENANT, TOKEN, WHO, account, connect, error

DISCOVERY = f"GET /{TENANT}/v2.0/.well-known/openid-configuration"
TOKEN_ROUTE = f"POST /{TENANT}/oauth2/v2.0/token"
WHO_AM_I = f"GET {ROOT}WhoAmI"


def entra_error(status: int, code: int, text: str) -> Answer:
    return Answer(
        status,
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{code}: {text} Trace ID: 1\r\nCorrelation ID: 2",
            "error_codes": [code],
        },
    )


def test_a_token_is_asked_for_once_and_carried() -> None:
    crm, wire, _ = connect({WHO_AM_I: Answer(body=WHO)})
    identity = crm.identity()
    assert crm.now() == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert (identity.user, identity.organisation) == (WHO["UserId"], WHO["OrganizationId"])
    assert wire.paths() == [
        DISCOVERY,
        TOKEN_ROUTE,
        WHO_AM_I,
        WHO_AM_I,
    ]
    form = wire.sent[1].body.decode()
    assert "grant_type=client_credentials" in form
    assert "scope=https%3A%2F%2Facme.crm4.dynamics.com%2F.default" in form
    assert wire.sent[2].headers["Authorization"] == f"Bearer {TOKEN}"
    assert wire.sent[2].headers["OData-Version"] == "4.0"
    assert crm.api_calls == 4


def test_the_accounts_own_authority_is_trusted_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    crm, wire, _ = connect({WHO_AM_I: Answer(body=WHO)}, account=account(ca_bundle=bundle))
    crm.identity()
    assert {sent.verify for sent in wire.sent} == {str(bundle)}


def test_a_refused_token_is_renewed_once() -> None:
    crm, wire, _ = connect({WHO_AM_I: [Answer(401, "HTTP Error 401 - Unauthorized"), Answer(body=WHO)]})
    crm.identity()
    assert wire.paths() == [DISCOVERY, TOKEN_ROUTE, WHO_AM_I, TOKEN_ROUTE, WHO_AM_I]


def test_an_expired_ticket_counts_as_a_refused_token() -> None:
    crm, wire, _ = connect({WHO_AM_I: [error(403, "0x8005F101", "The access token expired."), Answer(body=WHO)]})
    crm.identity()
    assert wire.paths("POST") == [TOKEN_ROUTE, TOKEN_ROUTE]


def test_a_token_that_is_never_accepted_is_a_sign_in_error() -> None:
    crm, _, _ = connect({WHO_AM_I: Answer(401, "no")})
    with pytest.raises(SignInError, match=r"account 'dynamics' refused a freshly fetched token \(client secret\)"):
        crm.identity()


@pytest.mark.parametrize(
    ("routes", "symbol", "what", "check"),
    [
        (
            {TOKEN_ROUTE: entra_error(401, 7000215, "Invalid client secret provided.")},
            "AADSTS7000215",
            "the client secret is wrong",
            "client_secret",
        ),
        (
            {TOKEN_ROUTE: entra_error(401, 7000222, "The provided client secret keys are expired.")},
            "AADSTS7000222",
            "the client secret has expired",
            "make a new one",
        ),
        (
            {TOKEN_ROUTE: entra_error(400, 700016, "Application with identifier 'app' was not found")},
            "AADSTS700016",
            "the app is not registered in this tenant",
            "client_id",
        ),
        (
            {DISCOVERY: entra_error(400, 90002, f"Tenant '{TENANT}' not found.")},
            "AADSTS90002",
            "the tenant does not exist",
            "tenant_id",
        ),
        (
            {TOKEN_ROUTE: entra_error(400, 90002, f"Tenant '{TENANT}' not found.")},
            "AADSTS90002",
            "the tenant does not exist",
            "tenant_id",
        ),
        (
            {WHO_AM_I: error(403, "0x80072560", "The user is not a member of the organization.")},
            "0x80072560",
            "the app is no application user of this environment",
            "Application users",
        ),
        (
            {WHO_AM_I: error(403, "0x80042F09", "User has no roles.")},
            "0x80042F09",
            "the application user has no security role",
            "give it one",
        ),
    ],
)
def test_each_cause_has_its_own_words(routes: dict[str, Any], symbol: str, what: str, check: str) -> None:
    crm, _, _ = connect({WHO_AM_I: Answer(body=WHO), **routes})
    with pytest.raises(SignInError) as caught:
        crm.identity()
    assert caught.value.message == f"account 'dynamics' could not sign in (client secret): {symbol}: {what}"
    assert check in caught.value.hint
    assert SECRET not in str(caught.value)


def test_a_cause_nobody_foresaw_is_told_in_the_servers_words() -> None:
    crm, _, _ = connect({TOKEN_ROUTE: entra_error(400, 999999, "The moon is full.")})
    with pytest.raises(SignInError, match=r"\): AADSTS999999: The moon is full\."):
        crm.identity()


def test_a_missing_privilege_is_no_sign_in_error() -> None:
    crm, _, _ = connect({WHO_AM_I: error(403, "0x80040220", "is missing prvReadContact privilege")})
    with pytest.raises(CRMError, match="prvReadContact") as caught:
        crm.identity()
    assert not isinstance(caught.value, SignInError)


def test_an_authority_that_stays_away_is_transient() -> None:
    crm, wire, pauses = connect({DISCOVERY: requests.ConnectionError("reset")})
    with pytest.raises(TransientError):
        crm.identity()
    assert len(wire.sent) == 4 and len(pauses) == 3


def test_a_token_of_another_tenant_is_told_as_that() -> None:
    other = "11111111-2222-3333-4444-555555555555"
    told = (
        f"Bearer authorization_uri=https://login.microsoftonline.com/{other}/oauth2/authorize, "
        "resource_id=https://acme.crm4.dynamics.com/"
    )
    crm, _, _ = connect({WHO_AM_I: Answer(401, "no", {"WWW-Authenticate": told})})
    with pytest.raises(SignInError, match="WRONG_TENANT: the environment belongs to another tenant") as caught:
        crm.identity()
    assert other in caught.value.message and TENANT in caught.value.message and "tenant_id" in caught.value.hint


def test_an_authority_without_tls_is_refused_before_anything_is_sent() -> None:
    auth = SimpleNamespace(
        method="client_secret",
        tenant_id=TENANT,
        client_id="app",
        client_secret=SecretStr(SECRET),
        authority=AUTHORITY.replace("https", "http"),
    )
    crm, wire, _ = connect({}, account=account(auth=auth))
    with pytest.raises(ConfigurationError, match="must begin with https://"):
        crm.identity()
    assert wire.sent == []
