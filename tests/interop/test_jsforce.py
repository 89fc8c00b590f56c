"""jsforce (npm package @jsforce/jsforce-node, which the Salesforce command line stands on) used by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backhaul.simulator import Running
from backhaul.simulator.salesforce import CLIENT_ID, CLIENT_SECRET, PASSWORD, SECURITY_TOKEN, USERNAME

pytestmark = pytest.mark.interop
JsForce = Callable[..., Any]


def test_signing_in(jsforce: JsForce, running: Running) -> None:
    found = jsforce("login", USERNAME, PASSWORD + SECURITY_TOKEN)
    assert found["user"]["id"] == running.salesforce.user_id and found["rows"] == 1
    assert found["identity"]["username"] == USERNAME
    refreshed = jsforce("refresh", "", CLIENT_ID, CLIENT_SECRET, running.salesforce.refresh_token())
    assert refreshed == {"rows": 1, "renewed": 1}


def test_queries(jsforce: JsForce, running: Running, contacts: list[dict[str, Any]]) -> None:
    found = jsforce("queries", running.salesforce.open_session())
    assert found == {"records": 20_000, "total": 20_000, "second": 2_000, "found": 5, "count": 20_000}


def test_records(jsforce: JsForce, running: Running) -> None:
    found = jsforce("records", running.salesforce.open_session())
    assert (found["created"], found["updated"], found["upserted"], found["removed"]) == (450, 450, 1, 250)
    assert (found["one"], found["several"]) == ("U", ["J0", "J1", "J2"])
    assert (found["listed"], found["live"]) == (250, 201)
    stored = running.salesforce.dump("Contact")
    assert len(stored) == 451 and sum(row["IsDeleted"] for row in stored) == 250
    titles = {row["Member_Number__c"]: row["Title"] for row in stored}
    assert (titles["J0"], titles["J149"], titles["J150"], titles["new"]) == ("U", "U", "T", None)


def test_refusals(jsforce: JsForce, running: Running) -> None:
    found = jsforce("refused", running.salesforce.open_session())
    wanted = {"field": "INVALID_FIELD", "required": "REQUIRED_FIELD_MISSING", "record": "NOT_FOUND"}
    assert found == {**wanted, "object": "NOT_FOUND"}


def test_bulk(jsforce: JsForce, running: Running, contacts: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"Id": row["Id"], "Title": 'B, "1"'} for row in contacts[:10_000]]))
    found = jsforce("bulk", running.salesforce.open_session(), str(path))
    assert (found["good"], found["rows"]) == (10_000, 20_000)
    after = {row["Id"]: row["Title"] for row in running.salesforce.dump("Contact")}
    assert after == {row["Id"]: 'B, "1"' if place < 10_000 else row["Title"] for place, row in enumerate(contacts)}


def test_bulk2(jsforce: JsForce, running: Running, contacts: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    rows = [{"Member_Number__c": row["Member_Number__c"], "LastName": "B2", "Title": "x"} for row in contacts]
    path.write_text(json.dumps([*rows, {"Member_Number__c": "none", "LastName": "", "Title": "x"}]))
    # One page: of several, this client lets the answers run into one another.
    found = jsforce("bulk2", running.salesforce.open_session(), str(path))
    assert (found["good"], found["unprocessed"], found["rows"], found["titles"]) == (20_000, 0, 20_000, ["x"])
    (failed,) = found["failed"]
    assert failed["sf__Error"].startswith("REQUIRED_FIELD_MISSING:") and failed["Member_Number__c"] == "none"
    after = running.salesforce.dump("Contact")
    assert len(after) == 20_000 and {(row["LastName"], row["Title"]) for row in after} == {("B2", "x")}
