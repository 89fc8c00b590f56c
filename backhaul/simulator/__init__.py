"""Local Salesforce and Dataverse servers, good enough that real clients cannot tell, for the demo and the tests.

Each org is state (:mod:`store`, a DuckDB database of its own) behind a wire format (its package's routes), with a
clock of its own, faults on demand and a control door (:mod:`control`) under ``/_control``. Nothing here is shared
with the connectors: both sides are written from the vendors' documents, so that one misunderstanding cannot hide
in both.

Importing this package costs nothing; :func:`start` loads the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SALESFORCE_PORTS = (8443, 8080)
DYNAMICS_PORTS = (8444, 8081)


@dataclass(frozen=True)
class Running:
    """Both simulators, answering in threads of this process until `stop`.

    `environment` holds the variables that a profile reads to reach them. `salesforce` and `dynamics` are the orgs
    themselves (see :class:`backhaul.simulator.control.Org` for their verbs); `jwt_key_path` is the private key
    registered for Salesforce's JWT bearer flow; `authority_url` is the token authority of Dynamics (tenant included).
    """

    salesforce_url: str
    salesforce_http_url: str
    dynamics_url: str
    dynamics_http_url: str
    authority_url: str
    ca_path: Path
    jwt_key_path: Path
    environment: dict[str, str] = field(repr=False)
    salesforce: Any = field(repr=False)
    dynamics: Any = field(repr=False)
    _stoppers: tuple[Callable[[], None], ...] = field(default=(), repr=False)

    def stop(self) -> None:
        """Stop both servers and close their state."""
        for stopper in self._stoppers:
            stopper()


def start(
    folder: Path,
    *,
    salesforce_ports: tuple[int, int] = (0, 0),
    dynamics_ports: tuple[int, int] = (0, 0),
    persistent: bool = True,
) -> Running:
    """Start both simulators; ports are (https, http) on 127.0.0.1, 0 = any free one.

    `folder` takes the certificates and, when `persistent`, the orgs' state (``salesforce.duckdb``,
    ``dynamics.duckdb``), which a later start there finds again. Raises OSError when a port is taken or another process
    has the state open.
    """
    import duckdb

    from backhaul.simulator import dataverse, salesforce
    from backhaul.simulator.certificates import make_authority, write_private
    from backhaul.simulator.serve import Server
    from backhaul.simulator.store import Store

    folder = folder.resolve()
    authority = make_authority(folder)
    stores: list[Store] = []
    try:
        for name in ("salesforce", "dynamics"):
            stores.append(Store(folder / f"{name}.duckdb" if persistent else None))
    except duckdb.IOException as error:
        for store in stores:
            store.close()
        raise OSError(f"{folder} is in use by another process") from error
    servers: list[Server] = []
    try:
        salesforce_org = salesforce.SalesforceOrg(stores[0])
        dynamics_org = dataverse.DataverseOrg(stores[1])
        for app, (https_port, http_port) in (
            (salesforce.create_app(salesforce_org), salesforce_ports),
            (dataverse.create_app(dynamics_org), dynamics_ports),
        ):
            servers.append(Server(app, authority=authority, https_port=https_port, http_port=http_port))
            servers[-1].start()
    except BaseException:
        for started in servers:
            started.stop()
        for store in stores:
            store.close()
        raise
    jwt_key_path = folder / "jwt.key"
    write_private(jwt_key_path, salesforce_org.jwt_private_key().encode())
    dynamics_org.origins.update({servers[1].https_url, servers[1].http_url})
    authority_url = f"{servers[1].https_url}/{dataverse.TENANT_ID}"
    environment = {
        "BACKHAUL_SALESFORCE_URL": servers[0].https_url,
        "BACKHAUL_SALESFORCE_CLIENT_ID": salesforce.CLIENT_ID,
        "BACKHAUL_SALESFORCE_CLIENT_SECRET": salesforce.CLIENT_SECRET,
        "BACKHAUL_DYNAMICS_URL": servers[1].https_url,
        "BACKHAUL_DYNAMICS_AUTHORITY": servers[1].https_url,
        "BACKHAUL_DYNAMICS_TENANT_ID": dataverse.TENANT_ID,
        "BACKHAUL_DYNAMICS_CLIENT_ID": dataverse.CLIENT_ID,
        "BACKHAUL_DYNAMICS_CLIENT_SECRET": dataverse.CLIENT_SECRET,
        "BACKHAUL_CA_BUNDLE": str(authority.ca_path),
    }
    return Running(
        salesforce_url=servers[0].https_url,
        salesforce_http_url=servers[0].http_url,
        dynamics_url=servers[1].https_url,
        dynamics_http_url=servers[1].http_url,
        authority_url=authority_url,
        ca_path=authority.ca_path,
        jwt_key_path=jwt_key_path,
        environment=environment,
        salesforce=salesforce_org,
        dynamics=dynamics_org,
        _stoppers=(*(server.stop for server in servers), salesforce_org.close, dynamics_org.close),
    )
