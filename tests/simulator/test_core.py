"""The common core: the store, the clock, the control door, the faults and the local authority."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from backhaul.simulator import Running
from backhaul.simulator.store import Store
from tests.conftest import Door
from tests.simulator.client import Client


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("duckdb", "starlette", "uvicorn", "pyarrow")
    script = f"import sys, backhaul.simulator; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_store_adds_columns_updates_what_each_row_names_and_takes_back_a_failed_transaction() -> None:
    store = Store()
    store.define("T", {"Id": "VARCHAR", "A": "VARCHAR"})
    store.insert("T", [{"Id": "1", "A": "x"}, {"Id": "2", "A": "y"}])
    store.define("T", {"Id": "VARCHAR", "B": "DOUBLE"})
    store.update("T", "Id", [{"Id": "1", "B": 2.5}, {"Id": "2", "A": None}])
    assert store.query("SELECT * FROM T ORDER BY Id") == [("1", "x", 2.5), ("2", None, None)]
    with pytest.raises(RuntimeError), store.transaction():
        store.remove("T", "Id", ["1"])
        raise RuntimeError
    assert store.count("T") == 2
    assert [store.take("n", 3), store.take("n")] == [1, 4]
    store.close()


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    script = f"""
import pathlib, signal, os
from backhaul.simulator.store import Store
from backhaul.simulator.salesforce import SalesforceOrg
org = SalesforceOrg(Store(pathlib.Path({str(tmp_path / "org.duckdb")!r})))
org.seed("Contact", [{{"LastName": "Before"}}])
org.generate("Contact", 100)
org.add_fields("Contact", [{{"name": "Extra__c", "type": "string", "length": 10}}])
org.change("Contact", [{{"Id": org.dump("Contact")[0]["Id"], "Extra__c": "kept"}}])
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    from backhaul.simulator.salesforce import SalesforceOrg

    org = SalesforceOrg(Store(tmp_path / "org.duckdb"))
    found = org.dump("Contact")
    assert len(found) == 101
    assert (found[0]["LastName"], found[0]["Extra__c"]) == ("Before", "kept")
    assert org.seed("Contact", [{"LastName": "After"}])[0] not in {record["Id"] for record in found}
    org.close()


def test_the_clock_moves_and_every_answer_is_dated_by_it(running: Running, salesforce_door: Door) -> None:
    salesforce_door.post("clock", {"now": "2024-02-29T12:00:00Z", "frozen": True})
    salesforce_door.post("clock", {"advance": 90})
    answer = Client(running).get("/limits")
    assert parsedate_to_datetime(answer.headers["Date"]) == datetime(2024, 2, 29, 12, 1, 30, tzinfo=UTC)
    assert salesforce_door.get("clock") == {"now": "2024-02-29T12:01:30+00:00"}


def test_both_ports_answer_and_the_certificate_is_trusted(running: Running) -> None:
    for https in (True, False):
        client = Client(running, https=https)
        assert client.get("/limits").status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{running.salesforce_url}/services/data", timeout=10, verify=True)


def test_a_status_fault_skips_acts_and_is_over(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    busy = [{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]
    salesforce_door.fault("/limits", skip=1, times=2, status=503, headers={"Retry-After": "1"}, body=busy)
    answers = [client.get("/limits") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "1" and answers[1].json() == busy


def test_a_page_can_be_cut_in_the_middle(running: Running, salesforce_door: Door) -> None:
    salesforce_door.post("seed", {"object": "Contact", "generate": 300})
    client = Client(running)
    salesforce_door.fault("/query", cut_after=1000)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.query("SELECT Id, Name FROM Contact")
    assert client.query("SELECT Id, Name FROM Contact").status_code == 200


@pytest.mark.parametrize(("action", "written"), [("drop_reply", 1), ("cut_before", 0)])
def test_a_lost_reply_is_after_the_commit_and_a_lost_request_before(
    running: Running, salesforce_door: Door, action: str, written: int
) -> None:
    client = Client(running)
    salesforce_door.fault("/composite/", method="POST", **{action: True})
    with pytest.raises(requests.exceptions.ConnectionError):
        client.collect("POST", [{"LastName": "Once"}])
    assert len(salesforce_door.dump("Contact")) == written


def test_the_log_counts_by_method_and_path_pattern(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.delete("requests")
    for one in salesforce_door.seed("Contact", [{"LastName": "A"}, {"LastName": "B"}]):
        client.get(f"/sobjects/Contact/{one}")
    client.query("SELECT Id FROM Contact")
    assert salesforce_door.counts() == {
        "GET /services/data/v67.0/sobjects/Contact/{id}": 2,
        "GET /services/data/v67.0/query": 1,
    }
    assert salesforce_door.get("requests")["log"][-1]["query"] == "q=SELECT Id FROM Contact"


@pytest.mark.parametrize(
    ("verb", "body", "said"),
    [
        ("seed", {"object": "Nope", "records": []}, "no object Nope"),
        ("seed", {"object": "Contact", "records": [{"Nope": 1}]}, "Contact stores no field Nope"),
        ("change", {"object": "Contact", "records": [{"Id": "003Ks0000000001"}]}, "no Contact has the id"),
        ("faults", {"action": {}}, "a fault needs an action"),
        ("settings", {"nope": 1}, "unknown setting nope"),
        ("seed", {"records": []}, "missing 'object'"),
    ],
)
def test_the_door_says_what_is_wrong(running: Running, verb: str, body: object, said: str) -> None:
    answer = requests.post(f"{running.salesforce_http_url}/_control/{verb}", json=body, timeout=10)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_generated_records_are_the_same_for_the_same_seed_and_differ_for_another(running: Running) -> None:
    def made(seed: int) -> list[dict[str, object]]:
        running.salesforce.reset()
        running.salesforce.generate("Contact", 50, seed=seed)
        found: list[dict[str, object]] = running.salesforce.dump("Contact")
        return found

    first = made(7)
    assert made(7) == first != made(8)
    assert len({record["Email"] for record in first if record["Email"]}) > 40
