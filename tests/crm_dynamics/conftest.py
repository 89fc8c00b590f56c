"""A simulated environment behind a socket, for the tests that need one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from backhaul.crm.dynamics import DynamicsConnector
from backhaul.crm.http import RetryPolicy
from backhaul.simulator import certificates, dataverse
from backhaul.simulator.serve import Server
from backhaul.simulator.store import Store
from tests.crm.contract import Control


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A running environment: its address, its control door, its certificate authority."""
    authority = certificates.make_authority(tmp_path_factory.mktemp("tls"))
    started = Server(dataverse.create_app(dataverse.DataverseOrg(Store(None))), authority=authority)
    started.start()
    try:
        yield SimpleNamespace(url=started.https_url, control=Control(started.http_url), ca=Path(authority.ca_path))
    finally:
        started.stop()


@pytest.fixture
def control(server: Any) -> Control:
    """The control door of an environment that is as new."""
    door: Control = server.control
    door.no_faults()
    door.post("reset")
    return door


@pytest.fixture
def opened(server: Any) -> Iterator[Callable[..., DynamicsConnector]]:
    """Opens connectors; words such as client_secret="x" or page_rows=2 change the account or the connector."""
    made: list[DynamicsConnector] = []

    def open_one(
        page_rows: int = 5000,
        affinity: bool = False,
        state_folder: Path | None = None,
        tell: Callable[[str], None] | None = None,
        **changes: Any,
    ) -> DynamicsConnector:
        auth = {
            "tenant_id": dataverse.TENANT_ID,
            "client_id": dataverse.CLIENT_ID,
            "client_secret": SecretStr(dataverse.CLIENT_SECRET),
            "authority": server.url,
            **changes,
        }
        account: Any = SimpleNamespace(
            name="dynamics",
            url=server.url,
            api_version="9.2",
            ca_bundle=server.ca,
            affinity=affinity,
            state_folder=state_folder,
            auth=SimpleNamespace(**{"method": "client_secret", **auth}),
        )
        policy = RetryPolicy(attempts=4, first_wait=0.01, longest_wait=0.05)
        made.append(DynamicsConnector(account, policy=policy, page_rows=page_rows, tell=tell))
        return made[-1]

    yield open_one
    for crm in made:
        crm.close()
