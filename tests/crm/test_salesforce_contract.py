"""The connectors' contract on Salesforce, over the simulator's socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from backhaul.crm import no_progress, open_connector
from backhaul.crm.http import RetryPolicy
from backhaul.crm.salesforce import bulk_query, reading
from backhaul.errors import ConfigurationError, SignInError, TransientError
from backhaul.record import Extract
from backhaul.simulator import Running, salesforce
from backhaul.spool import Spool

from .contract import ConnectorContract, Control, Side, rows_of
from .wire import account

QUICK = RetryPolicy(attempts=4, first_wait=0.01)
DEAD = {
    "status": 401,
    "headers": {"Content-Type": "application/json;charset=UTF-8"},
    "body": '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]',
}


def account_of(running: Running, **changes: Any) -> Any:
    auth = SimpleNamespace(
        method="client_credentials",
        client_id=salesforce.CLIENT_ID,
        client_secret=SecretStr(salesforce.CLIENT_SECRET),
    )
    return account(**{"instance_url": running.salesforce_url, "ca_bundle": running.ca_path, "auth": auth, **changes})


@pytest.fixture
def control(simulators: Running) -> Control:
    """The door of an org made new."""
    door = Control(simulators.salesforce_http_url)
    door.no_faults()
    door.post("reset")
    return door


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few records make several pages, and a job."""
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 2_000)
    monkeypatch.setattr(reading, "BULK_FROM_ROWS", 2_500)


class TestSalesforce(ConnectorContract):
    @pytest.fixture
    def side(self, simulators: Running, control: Control) -> Iterator[Side]:
        crm = open_connector(account_of(simulators), policy=QUICK)
        yield Side(
            crm=crm,
            control=control,
            object="Contact",
            near_object="Contacts",
            id="Id",
            last="LastName",
            first="FirstName",
            email="Email",
            birth="Birthdate",
            score="Campaign_Score__c",
            opened="Last_Open__c",
            flag="HasOptedOutOfEmail",
            member="Member_Number__c",
            text="Description",
            cursor="SystemModstamp",
            page_path="/query",
            write_path="/composite/sobjects",
            write_method="POST",
            update_method="PATCH",
            unauthorised=DEAD,
            roads=("rest", "bulk", "auto"),
        )
        crm.close()


def test_a_jwt_opens_the_org_as_its_user(simulators: Running, control: Control) -> None:
    auth = SimpleNamespace(
        method="jwt_bearer",
        client_id=salesforce.CLIENT_ID,
        username=salesforce.USERNAME,
        private_key=None,
        private_key_file=simulators.jwt_key_path,
        audience="https://login.salesforce.com",
    )
    # The assertion's life is counted on the org's clock, far ahead of this machine's.
    control.post("clock", advance=30 * 86_400)
    crm = open_connector(account_of(simulators, auth=auth), policy=QUICK)
    assert crm.identity().user == salesforce.USERNAME


def test_a_wrong_secret_is_told(simulators: Running, control: Control) -> None:
    auth = SimpleNamespace(method="client_credentials", client_id=salesforce.CLIENT_ID, client_secret=SecretStr("no"))
    with pytest.raises(SignInError, match="'salesforce' could not sign in") as raised:
        open_connector(account_of(simulators, auth=auth), policy=QUICK).identity()
    assert "client_secret" in raised.value.hint


def test_an_authority_nobody_named_is_not_trusted(simulators: Running, control: Control) -> None:
    with pytest.raises(ConfigurationError, match="certificate"):
        open_connector(account_of(simulators, ca_bundle=None), policy=QUICK).identity()


def test_a_killed_download_goes_on_with_its_job(simulators: Running, control: Control, tmp_path: Path) -> None:
    control.post("seed", object="Contact", generate=5_000, seed=1)
    query = Extract("Contact", ("Id", "LastName"), road="bulk")
    control.fault("GET", "/results.*locator", {"status": 503, "body": ""}, times=QUICK.attempts)
    with pytest.raises(TransientError):
        open_connector(account_of(simulators), policy=QUICK).extract(query, Spool(tmp_path), no_progress)
    first = Spool(tmp_path)
    assert [page.rows for page in first.pages] == [2_000]
    got = open_connector(account_of(simulators), policy=QUICK).extract(query, first, no_progress)
    assert (got.rows, got.announced, len(got.paths)) == (5_000, 5_000, 3)
    assert len({row["Id"] for row in rows_of(got)}) == 5_000
    counts = requests.get(f"{control.url}/_control/requests", timeout=60).json()["counts"]
    assert [count for name, count in counts.items() if name.startswith("POST") and name.endswith("jobs/query")] == [1]


def test_the_log_of_the_org_counts_what_the_connector_counts(simulators: Running, control: Control) -> None:
    crm = open_connector(account_of(simulators), policy=QUICK)
    control.fault("GET", "/sobjects", {"status": 503, "body": ""}, times=2)
    crm.describe("Contact")
    counts = requests.get(f"{control.url}/_control/requests", timeout=60).json()["counts"]
    assert crm.api_calls == 4 == sum(count for name, count in counts.items() if "_control" not in name)
