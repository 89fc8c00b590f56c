"""Requests made of several: composite, graph, batch and tree."""

from __future__ import annotations

from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import VERSION, Client, code

ROOT = f"/services/data/{VERSION}"


@pytest.fixture
def client(running: Running) -> Client:
    return Client(running)


def part(name: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    made = {"referenceId": name, "method": method, "url": ROOT + path}
    return made if body is None else {**made, "body": body}


def test_later_parts_use_what_earlier_ones_answered(client: Client) -> None:
    parts = [
        part("firm", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("person", "POST", "/sobjects/Contact", {"LastName": "Curie", "AccountId": "@{firm.id}"}),
        part("read", "GET", "/query?q=SELECT+Id,+Account.Name+FROM+Contact+WHERE+Id+=+'@{person.id}'"),
        part(
            "change", "PATCH", "/sobjects/Contact/@{read.records[0].Id}", {"Title": "@{read.records[0].Account.Name}"}
        ),
        part("bad", "PATCH", "/sobjects/Contact/@{person.id}", {"Nope": 1}),
        part("after", "GET", "/sobjects/Contact/@{bad.id}"),
        part("gone", "DELETE", "/sobjects/Account/@{Firm.id}"),
    ]
    answer = client.send("POST", "/composite", json={"compositeRequest": parts})
    assert answer.status_code == 200
    found = {one["referenceId"]: one for one in answer.json()["compositeResponse"]}
    assert [one["httpStatusCode"] for one in found.values()] == [201, 201, 200, 204, 400, 400, 400]
    assert found["firm"]["httpHeaders"]["Location"] == f"{ROOT}/sobjects/Account/{found['firm']['body']['id']}"
    assert found["read"]["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert found["change"]["body"] is None and found["bad"]["body"][0]["errorCode"] == "INVALID_FIELD"
    assert found["after"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert found["gone"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert client.values("SELECT Title FROM Contact") == ["Acme"]


def test_all_or_none_takes_everything_back(client: Client) -> None:
    parts = [
        part("a", "POST", "/sobjects/Account", {"Name": "Acme"}),
        part("b", "POST", "/sobjects/Contact", {"FirstName": "x"}),
        part("c", "POST", "/sobjects/Account", {"Name": "Other"}),
    ]
    body = client.send("POST", "/composite", json={"allOrNone": True, "compositeRequest": parts}).json()
    codes = [one["body"][0]["errorCode"] for one in body["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert client.values("SELECT Id FROM Account") == []


def test_graphs_stand_or_fall_one_by_one(client: Client) -> None:
    def graph(name: str, record: dict[str, str]) -> dict[str, Any]:
        parts = [part("a", "POST", "/sobjects/Account", {"Name": name}), part("b", "POST", "/sobjects/Contact", record)]
        return {"graphId": name, "compositeRequest": parts}

    wrong = [graph(f"w{place}", {}) for place in range(14)]
    graphs = [graph("one", {"LastName": "x"}), *wrong, graph("late", {"LastName": "y"})]
    body = client.send("POST", "/composite/graph", json={"graphs": graphs}).json()
    assert [one["isSuccessful"] for one in body["graphs"]] == [True, *[False] * 15]
    last = body["graphs"][-1]["graphResponse"]["compositeResponse"]
    assert {one["body"][0]["errorCode"] for one in last} == {"PROCESSING_HALTED"}
    assert client.values("SELECT Name FROM Account") == ["one"]


def test_a_batch_goes_on_or_halts(client: Client) -> None:
    parts = [{"method": "GET", "url": f"{VERSION}/{path}"} for path in ("limits", "sobjects/Nope/describe", "sobjects")]
    body = client.send("POST", "/composite/batch", json={"batchRequests": parts}).json()
    assert body["hasErrors"] and [one["statusCode"] for one in body["results"]] == [200, 404, 200]
    body = client.send("POST", "/composite/batch", json={"batchRequests": parts, "haltOnError": True}).json()
    assert [one["statusCode"] for one in body["results"]] == [200, 404, 412]
    assert body["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"


def test_a_tree_is_planted_whole_or_not_at_all(client: Client) -> None:
    def node(kind: str, name: str, **more: Any) -> dict[str, Any]:
        return {"attributes": {"type": kind, "referenceId": name}, **more}

    people = {"records": [node("Contact", "c1", LastName="Curie"), node("Contact", "c2", LastName="Joliot")]}
    body = {"records": [node("Account", "a1", Name="Acme", Contacts=people), node("Account", "a2", Name="Solo")]}
    answer = client.send("POST", "/composite/tree/Account", json=body)
    assert answer.status_code == 201 and answer.json()["hasErrors"] is False
    made = {one["referenceId"]: one["id"] for one in answer.json()["results"]}
    assert set(made) == {"a1", "a2", "c1", "c2"}
    assert client.values("SELECT AccountId FROM Contact") == [made["a1"]] * 2
    body["records"][1]["Contacts"] = {"records": [node("Contact", "c3", FirstName="nobody")]}
    answer = client.send("POST", "/composite/tree/Account", json=body)
    (wrong,) = answer.json()["results"]
    assert answer.status_code == 400 and wrong["referenceId"] == "c3"
    assert wrong["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert len(client.values("SELECT Id FROM Account")) == 2


@pytest.mark.parametrize(
    ("path", "body", "symbol"),
    [
        ("", {"compositeRequest": [part(f"r{n}", "GET", "/limits") for n in range(26)]}, "LIMIT_EXCEEDED"),
        ("", {"compositeRequest": [part(f"r{n}", "GET", "/query?q=x") for n in range(6)]}, "LIMIT_EXCEEDED"),
        ("", {"compositeRequest": [part("r", "GET", "/limits")] * 2}, "INVALID_INPUT"),
        ("", {}, "JSON_PARSER_ERROR"),
        ("/graph", {"graphs": [{"graphId": "g"}] * 76}, "LIMIT_EXCEEDED"),
        ("/tree/Account", {"records": [{"Name": "x"}]}, "INVALID_INPUT"),
    ],
)
def test_refused_as_a_whole(client: Client, path: str, body: dict[str, Any], symbol: str) -> None:
    assert code(client.send("POST", f"/composite{path}", json=body)) == (400, symbol)


def test_one_composite_is_one_request(client: Client, salesforce_door: Door) -> None:
    before = salesforce_door.get("settings")["api_used"]
    parts = [part(f"r{n}", "GET", "/limits") for n in range(5)]
    client.send("POST", "/composite", json={"compositeRequest": parts})
    assert salesforce_door.get("settings")["api_used"] == before + 1
