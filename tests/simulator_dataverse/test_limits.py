"""Service protection, privileges, impersonation, plug-ins (dataverse-api.md §1.6, §5.5, §6.1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from backhaul.simulator.dataverse import APPLICATION_USER_ID, OTHER_USER_ID
from tests.simulator_dataverse.environment import Environment, batch_body, part

LIMITS = {"requests": 6000, "execution_ms": 1_200_000, "concurrent": 52, "seconds": 300}


@pytest.fixture(autouse=True)
def lifted(env: Environment) -> Iterator[None]:
    yield
    env.org.settings({"limits": LIMITS, "servers": 1, "charge_ms": 0, "missing_privileges": [], "secured_columns": {}})
    env.org.limits.clear()
    env.org.verbs["plugins"]([])


def bare(env: Environment, **headers: str) -> requests.Response:
    """A request without the cookies of the session."""
    sent = {"Authorization": str(env.session.headers["Authorization"]), **headers}
    return requests.get(env.base + "WhoAmI", headers=sent, timeout=30)


def test_requests_are_counted_in_a_sliding_window(env: Environment) -> None:
    env.org.settings({"limits": {"requests": 3}})
    env.org.limits.clear()
    left = [env.call("GET", "WhoAmI").headers["x-ms-ratelimit-burst-remaining-xrm-requests"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    reply = env.call("GET", "contacts?$top=1")
    message = "Number of requests exceeded the limit of 3 over time window of 300 seconds."
    assert (reply.status_code, reply.json()["error"]) == (429, {"code": "0x80072322", "message": message})
    waits = [int(reply.headers["Retry-After"]), int(env.call("GET", "WhoAmI").headers["Retry-After"])]
    assert 290 <= waits[0] <= 300 and waits[1] >= waits[0]  # it grows for who does not wait
    refused = env.batch(batch_body(part("GET", "contacts?$top=1")))
    assert refused.status_code == 429 and refused.headers["Content-Type"].startswith("application/json")
    env.org.clock.advance(301)
    assert env.call("GET", "WhoAmI").status_code == 200


def test_a_batch_counts_as_one_and_time_adds_up(env: Environment) -> None:
    env.org.settings({"limits": {"requests": 2, "execution_ms": 500}, "charge_ms": 300})
    env.org.limits.clear()
    body = batch_body(*(part("GET", "WhoAmI") for _ in range(5)))
    reply = env.batch(body)
    assert reply.status_code == 200
    assert reply.headers["x-ms-ratelimit-time-remaining-xrm-requests"].startswith("0.")
    assert env.batch(body).status_code == 200
    env.org.settings({"limits": {"requests": 100}})
    refused = env.call("GET", "WhoAmI")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "0x80072321")
    assert "Combined execution time of incoming requests exceeded limit of 500 milliseconds" in refused.text


def test_requests_at_once_are_limited(env: Environment) -> None:
    env.org.verbs["plugins"]({"object": "lead", "messages": ["Create"], "seconds": 0.3})
    env.org.settings({"limits": {"concurrent": 2}})
    codes: list[tuple[int, str]] = []

    def write() -> None:
        headers = {"Authorization": str(env.session.headers["Authorization"])}
        reply = requests.post(env.base + "leads", json={"lastname": "x"}, headers=headers, timeout=30)
        codes.append((reply.status_code, reply.headers.get("Retry-After", "")))

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [(204, ""), (204, ""), (429, "2"), (429, "2"), (429, "2")]


def test_each_web_server_counts_for_itself(env: Environment) -> None:
    env.org.settings({"limits": {"requests": 2}, "servers": 2})
    env.org.limits.clear()
    assert [bare(env).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    env.org.limits.clear()
    cookie = bare(env).headers["Set-Cookie"].partition(";")[0]
    assert [bare(env, Cookie=cookie).status_code for _ in range(2)] == [200, 429]


def test_lacking_privileges_are_named(env: Environment) -> None:
    env.org.settings({"missing_privileges": ["prvWriteContact", "prvReadLead", "prvCreateAccount", "prvDeleteContact"]})
    record_id = env.create(lastname="Guarded")
    refused = env.refused("PATCH", f"contacts({record_id})", {"lastname": "x"})
    assert refused[:2] == (403, "0x80040220")
    assert f"Principal user (Id={APPLICATION_USER_ID}, type=8," in refused[2]
    assert "is missing prvWriteContact privilege" in refused[2] and "on OTC=2 for entity 'contact'" in refused[2]
    for method, path in (("GET", "leads"), ("POST", "accounts"), ("DELETE", f"contacts({record_id})")):
        assert env.refused(method, path, {})[:2] == (403, "0x80040220")
    env.org.settings({"missing_privileges": [], "secured_columns": {"contact": {"jobtitle": ["update"]}}})
    assert env.refused("PATCH", f"contacts({record_id})", {"jobtitle": "x"})[:2] == (403, "0x8004f507")
    env.create(jobtitle="may be created")


def test_impersonation(env: Environment) -> None:
    (robin,) = env.org.store.query("SELECT azureactivedirectoryobjectid FROM systemuser WHERE lastname = 'Sales'")
    for header in ({"MSCRMCallerID": OTHER_USER_ID}, {"CallerObjectId": str(robin[0])}):
        made = env.call("POST", "contacts", {"lastname": "Behalf"}, **header)
        row = env.get(made.headers["OData-EntityId"])
        assert (row["_createdby_value"], row["_createdonbehalfby_value"]) == (OTHER_USER_ID, APPLICATION_USER_ID)
        assert row["_ownerid_value"] == row["_owninguser_value"] == OTHER_USER_ID
        assert env.get("WhoAmI", **header)["UserId"] == OTHER_USER_ID
        assert OTHER_USER_ID in env.batch(batch_body(part("GET", "WhoAmI")), **header).text
        inner = "".join(f"{name}: {value}" for name, value in header.items())
        assert OTHER_USER_ID in env.batch(batch_body(part("GET", "WhoAmI", headers=inner))).text
    assert env.refused("GET", "WhoAmI", MSCRMCallerID="00000000-0000-0000-0000-000000000009")[:2] == (403, "0x80072560")
    env.org.settings({"missing_privileges": ["prvActOnBehalfOfAnotherUser"]})
    assert env.refused("GET", "WhoAmI", MSCRMCallerID=OTHER_USER_ID)[:2] == (403, "0x80040220")


def test_plugins_rewrite_refuse_and_are_bypassed(env: Environment) -> None:
    door = env.org.verbs["plugins"]
    door({"object": "contact", "change": {"emailaddress1": "lower"}, "set": {"jobtitle": "Set"}})
    path = f"contacts({env.create(lastname='P', emailaddress1='A@B.C', jobtitle='Sent')})"
    assert (env.get(path)["emailaddress1"], env.get(path)["jobtitle"]) == ("a@b.c", "Set")
    door({"object": "contact", "messages": ["Update"], "columns": ["firstname"], "refuse": "No first names."})
    assert env.refused("PATCH", path, {"firstname": "x"}) == (400, "0x80040265", "No first names.")
    assert env.call("PATCH", path, {"lastname": "fine"}).status_code == 204
    for header in ({"MSCRM.BypassCustomPluginExecution": "true"}, {"MSCRM.BypassBusinessLogicExecution": "CustomSync"}):
        assert env.call("PATCH", path, {"firstname": "x", "jobtitle": "Mine"}, **header).status_code == 204
        assert env.get(path)["jobtitle"] == "Mine"
    env.org.settings({"missing_privileges": ["prvBypassCustomPlugins"]})
    refused = env.refused("PATCH", path, {"firstname": "y"}, **{"MSCRM.BypassCustomPluginExecution": "true"})
    assert refused[:2] == (403, "0x80040220")
    door({"object": "contact", "messages": ["Delete"], "crash": "boom"})
    assert env.refused("DELETE", path)[:2] == (500, "0x80040224")
    with pytest.raises(ValueError, match="has no column nosuch"):
        door({"object": "contact", "set": {"nosuch": 1}})
