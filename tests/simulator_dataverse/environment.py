"""A running simulator and a bare client for it, shared by these tests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from backhaul.simulator.certificates import make_authority
from backhaul.simulator.dataverse import CLIENT_ID, CLIENT_SECRET, TENANT_ID, DataverseOrg, create_app
from backhaul.simulator.serve import Server
from backhaul.simulator.store import Store

ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}


@dataclass
class Environment:
    """One organisation being served, and a signed-in session."""

    org: DataverseOrg
    server: Server
    ca_path: Path
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def root(self) -> str:
        return self.server.http_url

    @property
    def base(self) -> str:
        return f"{self.root}/api/data/v9.2/"

    def token(self, client_id: str = CLIENT_ID, **changes: str) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": CLIENT_SECRET}
        form |= {"scope": f"{self.root}/.default"} | changes
        return self.session.post(f"{self.root}/{TENANT_ID}/oauth2/v2.0/token", data=form)

    def sign_in(self) -> None:
        self.session.headers.pop("Authorization", None)
        self.session.headers["Authorization"] = "Bearer " + self.token().json()["access_token"]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """Send one request; `path` under the service root or absolute, header names with underscores."""
        url = path if path.startswith("http") else self.base + path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, url, json=body, headers=named)

    def get(self, path: str, **headers: str) -> Any:
        answer = self.call("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def values(self, path: str, **headers: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path, **headers)["value"]
        return found

    def names(self, filter: str, order: str = "lastname", entity_set: str = "contacts") -> list[str]:
        """The last names of the rows that a filter finds."""
        found = self.session.get(
            self.base + entity_set, params={"$select": "lastname", "$filter": filter, "$orderby": order}
        )
        assert found.status_code == 200, found.text
        return [row["lastname"] for row in found.json()["value"]]

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str, str]:
        """The status, lower-case code and message of a request that is refused."""
        answer = self.call(method, path, body, **headers)
        assert answer.status_code >= 400, answer.text
        error = answer.json()["error"]
        return answer.status_code, error["code"].lower(), error["message"]

    def create(self, entity_set: str = "contacts", **values: Any) -> str:
        answer = self.call("POST", entity_set, values)
        assert answer.status_code == 204, answer.text
        return str(re.findall(r"\(([^)]+)\)$", answer.headers["OData-EntityId"])[0])

    def batch(self, body: str, boundary: str = "batch_A", **headers: str) -> requests.Response:
        named = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.post(self.base + "$batch", data=body.encode(), headers=named)


def start(folder: Path, store: Store | None = None) -> Environment:
    """Serve a new organisation and sign in."""
    authority = make_authority(folder)
    org = DataverseOrg(store or Store())
    server = Server(create_app(org), authority=authority).start()
    org.origins.update({server.https_url, server.http_url})
    environment = Environment(org, server, authority.ca_path)
    environment.session.trust_env = False
    environment.sign_in()
    return environment


def part(method: str, path: str, body: Any = None, *, content_id: str | None = None, headers: str = "") -> str:
    """One application/http part of a batch, CRLF throughout."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{method} {path} HTTP/1.1", "Content-Type: application/json; type=entry"]
    if headers:
        lines.append(headers)
    lines += ["", "" if body is None else json.dumps(body), ""]
    return "\r\n".join(lines)


def change_set(*parts: str, boundary: str = "changeset_B") -> str:
    """A change set as one part of a batch."""
    inner = "".join(f"--{boundary}\r\n{one}" for one in parts)
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'


def batch_body(*parts: str, boundary: str = "batch_A") -> str:
    """The body of a batch."""
    return "".join(f"--{boundary}\r\n{one}\r\n" for one in parts) + f"--{boundary}--\r\n"
