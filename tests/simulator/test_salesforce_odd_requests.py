"""Requests that no client should send: each is refused in the vendor's words, none breaks the service."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client, code

VALUES: list[Any] = [
    *(
        None,
        True,
        5,
        5.5,
        10**30,
        1e308,
        "",
        "x" * 40_000,
        [],
        {},
        {"a": 1},
        "\x00a",
        "💥",
        -1,
        "2026-02-30",
        "0001-01-01",
    ),
    *(
        "9999-12-31",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00:00+99:00",
        {"attributes": 5},
        {"attributes": {"type": 7}},
    ),
    *({"Email": None}, {"Email": [1]}, [1], "NaN", "Infinity", "1e5", "0x10", "١٢"),
]
PART = {"method": "GET", "url": "/services/data/v67.0/query?q=x", "referenceId": "a"}
BODIES: list[Any] = [
    *(
        None,
        [],
        {},
        5,
        "x",
        {"records": None},
        {"records": [None]},
        {"records": [5]},
        {"records": [{"attributes": None}]},
    ),
    *({"records": [{"attributes": {"type": None}}]}, {"ids": 5, "fields": 5}, {"ids": [None], "fields": [None]}),
    *({"compositeRequest": [{}]}, {"compositeRequest": [{"method": 5, "url": 5, "referenceId": 5}]}),
    *(
        {"compositeRequest": [{**PART, "httpHeaders": 5}]},
        {"compositeRequest": [{**PART, "url": "http://x/y", "body": 5}]},
    ),
    *({"graphs": [{}]}, {"graphs": [{"graphId": 1, "compositeRequest": [{**PART, "url": "@{a.b}"}]}]}),
    *({"batchRequests": [{}]}, {"operation": 5, "query": 5, "object": 5}, {"operation": [], "object": "Contact"}),
    *({"operation": "insert", "object": [], "externalIdFieldName": {}}, {"state": 5}),
    {"operation": "query", "query": "SELECT Id FROM Contact", "columnDelimiter": 5, "lineEnding": []},
]
PATHS = [
    *("/composite", "/composite/graph", "/composite/batch", "/composite/tree/Contact", "/composite/sobjects"),
    *(
        "/composite/sobjects/Contact",
        "/composite/sobjects/Contact/Id",
        "/jobs/query",
        "/jobs/ingest",
        "/sobjects/Contact",
    ),
    *("/sobjects/Contact/003Ks0000000001", "/sobjects/Contact/Email/c@x.com", "/jobs/ingest/750000000000001"),
]


@pytest.mark.parametrize("kind", ["Contact", "Task", "Opportunity", "Attachment"])
def test_every_value_in_every_field(running: Running, salesforce_door: Door, kind: str) -> None:
    client = Client(running)
    names = [field["name"] for field in client.get(f"/sobjects/{kind}/describe").json()["fields"]]
    base = {"attributes": {"type": kind}, "LastName": "x"} if kind == "Contact" else {"attributes": {"type": kind}}
    records = [{**base, name: value} for name, value in itertools.product([*names, "Owner", "Who", "Nope"], VALUES)]
    for start in range(0, len(records), 200):
        some = records[start : start + 200]
        answer = client.send("POST", "/composite/sobjects", json={"records": some})
        assert answer.status_code == 200 and len(answer.json()) == len(some)
        for outcome in answer.json():
            assert outcome["success"] or outcome["errors"][0]["statusCode"] != "UNKNOWN_EXCEPTION"


@pytest.mark.parametrize("path", PATHS)
def test_every_body_at_every_door(running: Running, path: str) -> None:
    client = Client(running)
    for method, body in itertools.product(("POST", "PATCH"), BODIES):
        answer = client.send(method, path, json=body)
        assert answer.status_code < 500, (method, body, answer.text)


@pytest.mark.parametrize(
    "path",
    [
        *("/query?q=%FF%FE", "/query?q=%00", "/sobjects/%00", "/sobjects/Contact/%FF", "/sobjects/Contact/Email/%00"),
        *("/jobs/query?queryLocator=%FF", "/jobs/ingest?queryLocator=@@@", "/query/01gKs0000000001MAA-99999999999999"),
        "/sobjects/Contact/updated?start=0001-01-01T00:00:00%2B14:00&end=9999-12-31T23:59:59-14:00",
        "/sobjects/Contact/deleted?start=2026-13-01T00:00:00Z&end=x",
        "/sobjects/Contact/updated?start=2026-02-30T00:00:00Z&end=2026-02-30T00:00:00Z",
    ],
)
def test_odd_addresses(running: Running, path: str) -> None:
    assert 400 <= Client(running).get(path).status_code < 500


def test_a_fault_of_the_simulator_itself_looks_like_one_of_the_service(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(running)
    monkeypatch.setattr(running.salesforce, "query_jobs_left", lambda: 1 / 0)
    answer = client.get("/limits")
    assert code(answer) == (500, "UNKNOWN_EXCEPTION") and "ErrorId" in answer.json()[0]["message"]
    assert client.get("/sobjects").status_code == 200
