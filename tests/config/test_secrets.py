"""Secrets never show: not in faults, representations, dumps, exceptions or tracebacks."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from backhaul.config import (
    AccountConfig,
    ClientCredentials,
    ClientSecret,
    Project,
    check_project,
    load_project,
)
from backhaul.errors import ConfigurationError
from tests.examples import examples

from .projects import ENVIRON, write

SECRET = "hunter2-Qx9"

SALESFORCE = """
warehouse: {{path: demo.duckdb}}
accounts:
  salesforce:
    crm: salesforce
    instance_url: https://example.my.salesforce.com
    {extra}
    auth: {auth}
  dynamics:
    crm: dynamics
    url: https://example.crm4.dynamics.com
    auth: {{method: client_secret, tenant_id: t, client_id: c, client_secret: "{secret}"}}
"""
FROM_ENV = "{{ env_var('SECRET') }}"
GOOD = f'{{method: client_credentials, client_id: a, client_secret: "{FROM_ENV}"}}'
BAD_AUTHS = [
    f"{{method: client_credentials, client_id: a, client_secret: [{SECRET}]}}",
    f"{{method: client_credentials, client_id: a, client_secret: {{a: {SECRET}}}}}",
    f"{{method: client_credentials, client_id: a, client_secret: {{{SECRET}: 1}}}}",
    f"{{method: client_credentials, client_id: [1], client_secret: {SECRET}}}",
    f"{{method: client_credentials, client_id: '{SECRET}{{{{', client_secret: x}}",
    f"{{method: client_credentials, client_secret: {SECRET}}}",
    f"{{method: client_credentials, client_id: a, client_secrt: {SECRET}}}",
    f"{{method: client_credentials, client_id: a, {SECRET}: client_secret, client_secret: b}}",
    f"{{method: client_credentials, client_id: a, client_secret: a, client_secret: {SECRET}}}",
    f"{{method: client_credentialz, client_id: a, client_secret: {SECRET}}}",
    f"{{client_id: a, client_secret: {SECRET}}}",
    f"{{method: jwt_bearer, client_id: a, username: u, private_key: {SECRET}, private_key_file: x}}",
    f"{{method: jwt_bearer, client_id: a, username: u, private_key: [{SECRET}]}}",
    SECRET,
    f"[{SECRET}]",
    f'"{{{{ {SECRET.split("-")[0]} }}}}"',
    f"\"{{{{ '{SECRET}' + 1 }}}}\"",
    f"\"{{{{ '{SECRET}' }}\"",
    f'"{{% {SECRET} %}}"',
    f"'{SECRET}",
    f"*{SECRET}",
    f"!{SECRET} x",
    f'"\\q{SECRET}"',
    f"&{SECRET} &{SECRET} x",
    f"@{SECRET}",
    f"{{method: client_credentials client_secret: {SECRET}}}",
    f'"{FROM_ENV}"',
    f'{{method: "{FROM_ENV}", client_id: a, client_secret: x}}',
    f'{{method: client_credentials, client_id: ["{FROM_ENV}"], client_secret: "{FROM_ENV}"}}',
    "{method: client_credentials, client_id: a, client_secret: \"{{ env_var('SECRET') + 1 }}\"}",
    "{method: client_credentials, client_id: a, client_secret: \"{{ {}[env_var('SECRET')] }}\"}",
    "{method: client_credentials, client_id: a, client_secret: \"{{ var(env_var('SECRET')) }}\"}",
    "{method: client_credentials, client_id: a, client_secret: \"{{ env_var(env_var('SECRET')) }}\"}",
    "{method: client_credentials, client_id: a, client_secret: \"{{ env_var('SECRET').upper().nothing }}\"}",
]
BAD_EXTRAS = [
    f'crm2: "{FROM_ENV}"',
    f'time_zone: "{FROM_ENV}"',
    f'login_url: "{FROM_ENV}"',
    f'login_url: "https://user:{SECRET}@example.com"',
    f'api_version: "{FROM_ENV}"',
]


def _everything_said(folder: Path, environ: dict[str, str]) -> Iterator[str]:
    yield from (repr(fault) + str(fault) for fault in check_project(folder, environ=environ))
    try:
        project = load_project(folder, environ=environ)
    except ConfigurationError as error:
        yield str(error)
        yield repr(error)
        told = traceback.TracebackException.from_exception(error)
        yield "".join(told.format())
        assert error.__cause__ is None and error.__context__ is None
        return
    yield from _everything_of(project)


def _everything_of(project: Project) -> Iterator[str]:
    yield repr(project)
    yield str(project)
    yield repr(project.profile.model_dump())
    yield project.profile.model_dump_json()
    yield repr(project.profile.accounts)


def _profile(auth: str = GOOD, extra: str = "time_zone: UTC", secret: str = "other") -> str:
    return SALESFORCE.format(auth=auth, extra=extra, secret=secret).replace("{{{{", "{{").replace("}}}}", "}}")


@pytest.mark.parametrize("auth", BAD_AUTHS)
def test_no_fault_shows_a_secret(auth: str, tmp_path: Path) -> None:
    write(tmp_path, {"profiles/demo.yml": _profile(auth)})
    environ = {**ENVIRON, "SECRET": SECRET}

    assert check_project(tmp_path, environ=environ)
    assert not [text for text in _everything_said(tmp_path, environ) if "hunter2" in text.lower()]


@pytest.mark.parametrize("extra", BAD_EXTRAS)
def test_no_fault_of_a_sibling_shows_a_secret(extra: str, tmp_path: Path) -> None:
    write(tmp_path, {"profiles/demo.yml": _profile(extra=extra, secret=SECRET)})
    environ = {**ENVIRON, "SECRET": SECRET}

    assert check_project(tmp_path, environ=environ)
    assert not [text for text in _everything_said(tmp_path, environ) if "hunter2" in text.lower()]


@given(secret=st.text(min_size=8, max_size=60).filter(lambda text: text.strip() and "\0" not in text))
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_of_the_environment_arrives_whole_and_shows_nowhere(secret: str, tmp_path: Path) -> None:
    secret = f"{SECRET}{secret}"
    write(tmp_path, {"profiles/demo.yml": _profile()})

    project = load_project(tmp_path, environ={**ENVIRON, "SECRET": secret})

    auth = project.profile.accounts["salesforce"].auth
    assert isinstance(auth, ClientCredentials) and auth.client_secret is not None
    assert auth.client_secret.get_secret_value() == secret
    assert not [text for text in _everything_of(project) if SECRET in text]


def test_pydantics_own_error_shows_no_input() -> None:
    with pytest.raises(ValidationError) as raised:
        ClientSecret(method="client_secret", tenant_id="t", client_id="c", client_secret=[SECRET])  # type: ignore[arg-type]

    assert SECRET not in str(raised.value)


def test_a_profile_keeps_its_secrets_when_copied(tmp_path: Path) -> None:
    write(tmp_path, {"profiles/demo.yml": _profile(secret=SECRET)})
    project = load_project(tmp_path, environ={**ENVIRON, "SECRET": SECRET})
    account: AccountConfig = pickle.loads(pickle.dumps(project.profile.accounts["dynamics"]))

    assert isinstance(account.auth, ClientSecret)
    assert account.auth.client_secret.get_secret_value() == SECRET
    assert SECRET not in repr(account)
