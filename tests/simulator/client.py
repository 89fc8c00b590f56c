"""A bare client of the simulated Salesforce org: requests as a person with curl would make them."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import requests

from backhaul.simulator import Running
from backhaul.simulator.salesforce import CLIENT_ID, CLIENT_SECRET

VERSION = "v67.0"


class Client:
    def __init__(self, running: Running, *, https: bool = False, sign_in: bool = True) -> None:
        self.base = running.salesforce_url if https else running.salesforce_http_url
        self.data = f"{self.base}/services/data/{VERSION}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(running.ca_path)
        if sign_in:
            form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
            answer = self.session.post(f"{self.base}/services/oauth2/token", data=form, timeout=30)
            self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        url = self.base + path if path.startswith("/services") else self.data + path
        return self.session.request(method, url, timeout=60, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.send("GET", path, **more)

    def query(self, soql: str, *, everything: bool = False, **more: Any) -> requests.Response:
        return self.get("/queryAll" if everything else "/query", params={"q": soql}, **more)

    def records(self, soql: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """All records of a query over all its pages, without their attributes."""
        body = self.query(soql, everything=everything).json()
        records = body["records"]
        while not body["done"]:
            body = self.get(body["nextRecordsUrl"]).json()
            records += body["records"]
        assert len(records) == body["totalSize"]
        return [{name: value for name, value in record.items() if name != "attributes"} for record in records]

    def values(self, soql: str) -> list[Any]:
        """The single selected field of every record."""
        return [next(iter(record.values())) for record in self.records(soql)]

    def collect(self, method: str, rows: list[dict[str, Any]], path: str = "", **more: Any) -> list[dict[str, Any]]:
        """sObject Collections over contacts; gives the results."""
        records = [{"attributes": {"type": "Contact"}, **row} for row in rows]
        answer = self.send(method, f"/composite/sobjects{path}", json={"records": records, **more})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def job(self, soql: str, **more: Any) -> str:
        """A finished Bulk query job; gives its path."""
        answer = self.send("POST", "/jobs/query", json={"operation": "query", "query": soql, **more})
        assert answer.status_code == 200, answer.text
        path = f"/jobs/query/{answer.json()['id']}"
        deadline = time.monotonic() + 30
        while (state := self.get(path).json()["state"]) not in ("JobComplete", "Failed"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert state == "JobComplete"
        return path

    def pages(self, path: str, **query: Any) -> list[list[list[str]]]:
        """The pages of a job's results, each a list of rows with the header first."""
        out = []
        locator: str | None = None
        while locator != "null":
            params = {**query, **({"locator": locator} if locator else {})}
            answer = self.get(f"{path}/results", params=params)
            assert answer.status_code == 200, answer.text
            answer.encoding = "utf-8"
            rows = list(csv.reader(io.StringIO(answer.text, newline="")))
            assert len(rows) == int(answer.headers["Sforce-NumberOfRecords"]) + 1
            out.append(rows)
            locator = answer.headers["Sforce-Locator"]
        return out


def code(answer: requests.Response) -> tuple[int, str]:
    """The status and the first error code of a refused request."""
    return answer.status_code, answer.json()[0]["errorCode"]
