"""Both simulators and a PostgreSQL server for every test that wants them: started once, made new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from backhaul.simulator import Running, start
from backhaul.simulator.control import Org
from tests.clickhouse.started import ClickHouseServer
from tests.examples import LONG as LONG  # registers the profile that `make test-all` names
from tests.warehouse.postgres_server import PostgresServer


class Door:
    """The control door of one simulator, over its socket. Every verb gives the answer's JSON."""

    def __init__(self, url: str, org: Org) -> None:
        self.url = url
        self.org = org
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, verb: str, body: Any = None) -> Any:
        return self._send("POST", verb, body)

    def get(self, verb: str, **query: str) -> Any:
        return self._send("GET", verb, None, query)

    def delete(self, verb: str) -> Any:
        return self._send("DELETE", verb, None)

    def seed(self, object: str, records: list[dict[str, Any]], **more: Any) -> list[str]:
        found: list[str] = self.post("seed", {"object": object, "records": records, **more})["ids"]
        return found

    def change(self, object: str, records: list[dict[str, Any]], **more: Any) -> list[str]:
        found: list[str] = self.post("change", {"object": object, "records": records, **more})["ids"]
        return found

    def dump(self, object: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("dump", object=object)["records"]
        return found

    def fault(self, path: str, *, method: str = "", skip: int = 0, times: int = 1, **action: Any) -> None:
        """Disturb the requests whose path?query matches: ``fault("/query", status=503)``, ``drop_reply=True`` ..."""
        match = {"path": path, **({"method": method} if method else {})}
        self.post("faults", {"match": match, "skip": skip, "times": times, "action": action})

    def counts(self) -> dict[str, int]:
        """Requests by "METHOD /path/{id}"."""
        found: dict[str, int] = self.get("requests")["counts"]
        return found

    def _send(self, method: str, verb: str, body: Any, query: dict[str, str] | None = None) -> Any:
        answer = self._session.request(method, f"{self.url}/_control/{verb}", json=body, params=query, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both simulators, with whatever state the tests before have left."""
    running = start(tmp_path_factory.mktemp("simulators"), persistent=False)
    yield running
    running.stop()


@pytest.fixture
def running(simulators: Running) -> Running:
    """Both simulators as new orgs: no records, faults, sessions or counted requests."""
    simulators.salesforce.reset()
    simulators.dynamics.reset()
    return simulators


@pytest.fixture
def salesforce_door(running: Running) -> Door:
    """The control door of the Salesforce org, made new."""
    return Door(running.salesforce_http_url, running.salesforce)


@pytest.fixture
def dynamics_door(running: Running) -> Door:
    """The control door of the Dynamics org, made new."""
    return Door(running.dynamics_http_url, running.dynamics)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[ClickHouseServer]:
    """One server for all tests of this process."""
    with ClickHouseServer() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with postgres_server.database(f"test_{uuid4().hex[:12]}") as url:
        yield url
