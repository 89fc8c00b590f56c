"""Every way to sign in to Salesforce, over the simulator's socket: each opens the org, outlives a session that dies
in the middle of a read, and when it is refused says which account, which method and what to check."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from backhaul.crm import Connector, open_connector
from backhaul.crm.http import RetryPolicy
from backhaul.errors import BackhaulError, ConfigurationError, SignInError
from backhaul.record import Extract
from backhaul.simulator import Running, salesforce
from backhaul.simulator.certificates import make_rsa_key
from backhaul.spool import Spool

from .contract import Control, rows_of
from .test_salesforce_contract import account_of

QUICK = RetryPolicy(attempts=3, first_wait=0.01)
PEOPLE = 25
ASKED = ("Id", "LastName")
SECRETS = (salesforce.CLIENT_SECRET, salesforce.PASSWORD, salesforce.SECURITY_TOKEN, "PRIVATE KEY", "wrong-secret")


class Doors:
    """Builds the accounts of one simulated org, one for each way in."""

    def __init__(self, running: Running, control: Control, folder: Path) -> None:
        self.running = running
        self.control = control
        self.folder = folder
        self.state = folder / "state"

    def account(self, auth: Any, **changes: Any) -> Any:
        return account_of(self.running, auth=auth, state_folder=self.state, **changes)

    def client_credentials(self, **changes: Any) -> Any:
        return self.account(_auth("client_credentials", client_secret=salesforce.CLIENT_SECRET, **changes))

    def jwt_file(self, **changes: Any) -> Any:
        return self._jwt(private_key=None, private_key_file=self.running.jwt_key_path, **changes)

    def jwt_text(self, **changes: Any) -> Any:
        return self._jwt(private_key=self.running.jwt_key_path.read_text(), private_key_file=None, **changes)

    def jwt_one_line(self) -> Any:
        """As an environment variable carries it: the line breaks as two characters each."""
        text = self.running.jwt_key_path.read_text().replace("\n", "\\n")
        return self._jwt(private_key=text, private_key_file=None)

    def _jwt(self, **given: Any) -> Any:
        more = {"username": salesforce.USERNAME, "audience": "https://login.salesforce.com", **given}
        return self.account(_auth("jwt_bearer", **more))

    def refresh_token(self, token: str = "", **changes: Any) -> Any:
        token = token or self.control.post("refresh_token")["refresh_token"]
        secret = changes.pop("client_secret", salesforce.CLIENT_SECRET)
        return self.account(_auth("refresh_token", client_secret=secret, refresh_token=token, **changes))

    def rotating_token(self) -> Any:
        self.control.post("settings", refresh_rotation=True)
        return self.refresh_token()

    def password(self, **changes: Any) -> Any:
        given = {"username": salesforce.USERNAME, "password": salesforce.PASSWORD}
        return self.account(_auth("password", **given, **{"security_token": salesforce.SECURITY_TOKEN, **changes}))

    def cli(self) -> Any:
        """The Salesforce CLI of 2026: the token has a command of its own, and display hides it."""
        return self._cli(shows=True)

    def old_cli(self) -> Any:
        """The Salesforce CLI before: no such command, and display shows the token."""
        return self._cli(shows=False)

    def _cli(self, *, shows: bool) -> Any:
        command = fake_cli(self.folder, self.running, shows=shows)
        return self.account(SimpleNamespace(method="cli", command=command, target_org="sim"), instance_url=None)


def _auth(method: str, **given: Any) -> SimpleNamespace:
    hidden = {"client_secret", "private_key", "refresh_token", "password", "security_token"}
    made = {n: SecretStr(v) if n in hidden and isinstance(v, str) else v for n, v in given.items()}
    return SimpleNamespace(**{"method": method, "client_id": salesforce.CLIENT_ID, **made})


FAKE_CLI = """#!{python}
import json, sys, urllib.parse, urllib.request
words, url, shows = sys.argv[1:], {url!r}, {shows!r}
form = {form!r}

def session():
    # The CLI renews its session before it shows it.
    sent = urllib.parse.urlencode(form).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
    return json.load(opener.open(url + "/services/oauth2/token", sent))["access_token"]

def say(status, **body):
    print(json.dumps({{"status": status, **body}}, indent=2))
    sys.exit(status)

if words[-3:] != ["--target-org", "sim", "--json"]:
    say(1, name="NamedOrgNotFoundError", message="No authorization information found for " + words[-2] + ".")
if words[:3] == ["org", "auth", "show-access-token"]:
    if not shows:
        print("Warning: org auth show-access-token is not a sf command.", file=sys.stderr)
        sys.exit(127)
    say(0, result={{"accessToken": session()}}, warnings=["This command shows a secret."])
if words[:2] == ["org", "display"]:
    hidden = "[REDACTED] Use 'sf org auth show-access-token' to view"
    token = hidden if shows else session()
    shown = {{"id": "00D", "apiVersion": "67.0", "accessToken": token, "instanceUrl": url, "username": "u@example.com"}}
    say(0, result={{**shown, "clientId": "PlatformCLI", "connectedStatus": "Connected", "alias": "sim"}}, warnings=[])
sys.exit(2)
"""


def fake_cli(folder: Path, running: Running, *, shows: bool) -> str:
    """A program that prints what the CLI documents, with sessions of the simulator; gives its name on PATH."""
    form = {
        "grant_type": "client_credentials",
        "client_id": salesforce.CLIENT_ID,
        "client_secret": salesforce.CLIENT_SECRET,
    }
    path = folder / "bin" / "sf"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        FAKE_CLI.format(python=sys.executable, url=running.salesforce_http_url, shows=shows, form=form),
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path.name


@pytest.fixture
def doors(simulators: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doors:
    control = Control(simulators.salesforce_http_url)
    control.no_faults()
    control.post("reset")
    control.post("seed", object="Contact", records=[{"LastName": f"P{place:02}"} for place in range(PEOPLE)])
    control.post("settings", query_page_rows=10)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Doors(simulators, control, tmp_path)


def opened(account: Any) -> Connector:
    return open_connector(account, policy=QUICK)


WAYS: list[Callable[[Doors], Any]] = [
    Doors.client_credentials,
    Doors.jwt_file,
    Doors.jwt_text,
    Doors.jwt_one_line,
    Doors.refresh_token,
    Doors.rotating_token,
    Doors.password,
    Doors.cli,
    Doors.old_cli,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_way_in_and_a_session_that_dies_in_the_middle(doors: Doors, way: Callable[[Doors], Any]) -> None:
    crm = opened(way(doors))
    assert crm.identity().user == salesforce.USERNAME
    died: list[int] = []

    def one_page_read(rows: int, expected: int) -> None:
        if rows and not died:
            died.append(rows)
            doors.control.post("settings", expire_sessions=True)

    found = crm.extract(Extract("Contact", ASKED, road="rest"), Spool(doors.folder / "spool"), one_page_read)
    assert died == [10] and (found.rows, found.announced) == (PEOPLE, PEOPLE)
    assert sorted(row["LastName"] for row in rows_of(found)) == [f"P{place:02}" for place in range(PEOPLE)]
    crm.close()


def tokens(doors: Doors) -> list[str]:
    """The refresh tokens on disk."""
    return [json.loads(path.read_text())["refresh_token"] for path in doors.state.rglob("*.json")]


def test_every_rotation_is_kept_and_the_next_process_goes_on_from_it(doors: Doors) -> None:
    account = doors.rotating_token()
    first = account.auth.refresh_token.get_secret_value()
    seen = [first]
    for _ in range(3):  # three processes, one after the other
        crm = opened(account)
        crm.identity()
        seen += tokens(doors)
        doors.control.post("settings", expire_sessions=True)
        crm.describe("Contact")
        seen += tokens(doors)
        crm.close()
    assert len(set(seen)) == len(seen) == 7
    # Someone else uses the first token again: the org ends the whole grant, and the account says so.
    thief = {"grant_type": "refresh_token", "refresh_token": first, "client_id": salesforce.CLIENT_ID}
    url = f"{doors.running.salesforce_http_url}/services/oauth2/token"
    assert requests.post(url, data=thief, timeout=30).status_code == 400
    doors.control.post("settings", expire_sessions=True)
    with pytest.raises(SignInError, match=r"account 'salesforce' could not sign in \(refresh token\).*expired") as told:
        opened(account).identity()
    assert "in the browser" in told.value.hint and seen[-1] not in str(told.value)


Refusal = tuple[Callable[[Doors], Any], dict[str, Any], str, str, str]
REFUSED: dict[str, Refusal] = {
    "secret": (
        lambda doors: doors.account(_auth("client_credentials", client_secret="wrong-secret")),
        {},
        "client credentials",
        "invalid client credentials",
        "client_secret",
    ),
    "client id": (
        lambda doors: doors.client_credentials(client_id="someone"),
        {},
        "client credentials",
        "client identifier invalid",
        "consumer key",
    ),
    "no run-as user": (
        Doors.client_credentials,
        {"client_credentials_user": False},
        "client credentials",
        "no client credentials user enabled",
        "run-as user",
    ),
    "unknown user": (
        lambda doors: doors.jwt_file(username="nobody@example.com"),
        {},
        "JWT bearer",
        "user hasn't approved this consumer",
        "pre-authorise",
    ),
    "audience": (
        lambda doors: doors.jwt_text(audience="https://elsewhere.example"),
        {},
        "JWT bearer",
        "audience is invalid",
        "auth.audience",
    ),
    "another key": (Doors.jwt_text, {}, "JWT bearer", "invalid assertion", "private_key"),
    "dead refresh token": (
        lambda doors: doors.refresh_token("5Aep861never.given"),
        {},
        "refresh token",
        "expired access/refresh token",
        "refresh_token",
    ),
    "password": (
        lambda doors: doors.password(security_token="wrong-secret"),
        {},
        "user name and password",
        "INVALID_LOGIN",
        "security_token",
    ),
    "no SOAP login": (
        Doors.password,
        {"soap_login": False},
        "user name and password",
        "SOAP API login() is disabled",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_sign_in_says_which_account_which_method_and_what_to_check(doors: Doors, case: str) -> None:
    way, settings, method, reason, check = REFUSED[case]
    account = way(doors)
    if case == "another key":
        account.auth.private_key = SecretStr(make_rsa_key()[0])
    doors.control.post("settings", **settings)
    with pytest.raises(SignInError) as raised:
        opened(account).identity()
    assert f"account 'salesforce' could not sign in ({method})" in str(raised.value)
    assert reason in str(raised.value) and check in raised.value.hint and raised.value.hint
    told = "".join(traceback.format_exception(raised.value)) + raised.value.hint
    assert not any(secret in told for secret in SECRETS)


def test_a_cli_that_is_not_signed_in_says_so(doors: Doors) -> None:
    account = doors.cli()
    account.auth.target_org = "other"
    with pytest.raises(SignInError, match=r"\(Salesforce CLI\): NamedOrgNotFoundError: No authorization") as raised:
        opened(account).identity()
    assert "sf org login web --alias other" in raised.value.hint


def test_a_cli_that_is_not_there_says_so(doors: Doors) -> None:
    account = doors.cli()
    account.auth.command = "sf-of-another-name"
    with pytest.raises(ConfigurationError, match="'sf-of-another-name'") as raised:
        opened(account).identity()
    assert "install the Salesforce CLI" in str(raised.value)


@pytest.mark.parametrize("way", [w for w in WAYS if "cli" not in w.__name__], ids=lambda way: way.__name__)
def test_a_busy_sign_in_is_tried_again(doors: Doors, way: Callable[[Doors], Any]) -> None:
    doors.control.fault("POST", "/services/(oauth2/token|Soap)", {"status": 503, "body": "busy"}, times=1)
    assert opened(way(doors)).identity().user == salesforce.USERNAME


def test_a_sign_in_whose_token_the_org_refuses_at_once_ends(doors: Doors) -> None:
    dead = {"status": 401, "body": [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]}
    doors.control.fault("GET", "/services/data/v", dead, times=0)
    crm = opened(doors.client_credentials())
    with pytest.raises(BackhaulError, match="salesforce"):
        crm.describe("Contact")
