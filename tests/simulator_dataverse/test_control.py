"""The control door and the verbs behind it: other people's changes, clock, faults, a million rows."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import requests

from backhaul.simulator.dataverse import OTHER_USER_ID, DataverseOrg
from backhaul.simulator.store import Store
from tests.simulator_dataverse.environment import Environment


def control(env: Environment, method: str, path: str, body: object = None) -> requests.Response:
    return env.session.request(method, f"{env.root}/_control/{path}", json=body)


def test_seed_change_delete_dump(env: Environment) -> None:
    records = [
        {"lastname": "One", "modifiedon": "2020-01-01T00:00:00Z", "new_topics": "100000001"},
        {"lastname": "Two"},
    ]
    ids = control(
        env, "POST", "seed", {"object": "contact", "records": records, "modified_at": "2021-01-01T00:00:00Z"}
    ).json()["ids"]
    rows = {row["contactid"]: row for row in control(env, "GET", "dump?object=contact").json()["records"]}
    assert [rows[one]["modifiedon"] for one in ids] == ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]
    change = {
        "object": "contact",
        "records": [{"contactid": ids[0], "firstname": "Changed"}],
        "modified_at": "2022-01-01T00:00:00Z",
    }
    assert control(env, "POST", "change", change).json()["ids"] == [ids[0]]
    row = env.get(f"contacts({ids[0]})")
    assert (row["fullname"], row["modifiedon"], row["_modifiedby_value"]) == (
        "Changed One",
        "2022-01-01T00:00:00Z",
        OTHER_USER_ID,
    )
    assert row["versionnumber"] > rows[ids[1]]["versionnumber"]
    assert control(env, "POST", "delete", {"object": "contact", "ids": [*ids, ids[0]]}).json()["count"] >= 2
    assert control(env, "GET", "dump?object=contact").json()["records"] == []


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("seed", {"object": "nosuch", "records": []}, "there is no table 'nosuch'"),
        ("seed", {"object": "contact", "records": [{"nosuch": 1}]}, "contact has no field 'nosuch'"),
        ("seed", {"object": "contact", "records": [{"ownerid": "x"}]}, "needs a GUID"),
        ("seed", {"object": "account", "generate": 1}, "only contact and lead"),
        ("change", {"object": "contact", "records": [{"lastname": "x"}]}, "has no record"),
        ("fields", {"object": "contact", "fields": [{"name": "x", "type": "Nosuch"}]}, "a field needs a type of"),
        ("settings", {"nosuch": 1}, "no setting nosuch"),
    ],
)
def test_mistakes_are_named(env: Environment, path: str, body: object, text: str) -> None:
    reply = control(env, "POST", path, body)
    assert reply.status_code == 400
    assert text in reply.json()["error"]


def test_faults_and_clock(env: Environment) -> None:
    throttled = {
        "match": {"method": "GET", "path": "/contacts"},
        "action": {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "0x80072322"}}},
    }
    control(env, "POST", "faults", throttled)
    reply = env.call("GET", "contacts")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "7")
    assert env.call("GET", "contacts").status_code == 200
    control(env, "POST", "faults", {"match": {"method": "POST", "path": "/leads"}, "action": {"drop_reply": True}})
    with pytest.raises(requests.ConnectionError):
        env.call("POST", "leads", {"lastname": "in doubt"})
    assert env.names("lastname ne null", entity_set="leads") == ["in doubt"]
    control(env, "POST", "clock", {"now": "2030-05-05T05:05:05.700Z", "frozen": True})
    env.sign_in()
    row = env.get(f"contacts({env.create(lastname='Later')})")
    assert row["createdon"] == "2030-05-05T05:05:05Z"
    assert env.call("GET", "WhoAmI").headers["Date"] == "Sun, 05 May 2030 05:05:05 GMT"


def test_generated_people_are_the_same_for_the_same_seed() -> None:
    def made(seed: int) -> list[dict[str, object]]:
        org = DataverseOrg(Store())
        org.clock.set(org.clock.now().replace(year=2026, month=3, day=1, hour=0, minute=0, second=0), frozen=True)
        assert org.generate("contact", 300, seed=seed) == 300
        org.generate("lead", 100, seed=seed)
        rows = org.dump("contact") + org.dump("lead")
        org.close()
        for row in rows:
            row["createdon"] = row["modifiedon"] = row["new_lastopen"] = None
        return rows

    first = made(1)
    assert first == made(1)
    assert first != made(2)
    emails = {str(row["emailaddress1"]) for row in first if row["emailaddress1"]}
    assert len(emails) > 300
    members = {row["new_membernumber"] for row in first}
    assert len(members) == 400
    assert all(row["fullname"] and row["address1_city"] for row in first)


def test_generated_people_can_be_written_to(env: Environment) -> None:
    control(env, "POST", "seed", {"object": "lead", "generate": 50, "seed": 3})
    row = env.values("leads?$top=1&$filter=new_membernumber ne null")[0]
    body = {
        name: row[name]
        for name in ("lastname", "emailaddress1", "new_campaignscore", "revenue", "leadsourcecode", "description")
    }
    assert env.call("PATCH", f"leads({row['leadid']})", body, If_Match=row["@odata.etag"]).status_code == 204


def test_writers_take_turns_and_none_is_lost(env: Environment) -> None:
    record_id = env.create(lastname="Busy")
    headers = dict(env.session.headers)
    failures: list[int] = []

    def write(number: int) -> None:
        with requests.Session() as session:
            session.headers.update(headers)
            for _ in range(5):
                reply = session.patch(f"{env.base}contacts({record_id})", json={"numberofchildren": number})
                made = session.post(f"{env.base}leads", json={"lastname": f"Thread{number}"})
                failures.extend(one.status_code for one in (reply, made) if one.status_code != 204)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(env.names("startswith(lastname,'Thread')", entity_set="leads")) == 20
    versions = [row["versionnumber"] for row in env.org.dump("lead")]
    assert len(set(versions)) == len(versions)


def test_both_ports_of_a_started_simulator_take_its_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from backhaul.simulator import start

    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    running = start(tmp_path, persistent=False)
    try:
        form = {
            "grant_type": "client_credentials",
            "client_id": running.environment["BACKHAUL_DYNAMICS_CLIENT_ID"],
            "client_secret": running.environment["BACKHAUL_DYNAMICS_CLIENT_SECRET"],
            "scope": f"{running.dynamics_url}/.default",
        }
        ca = running.environment["BACKHAUL_CA_BUNDLE"]
        token = requests.post(f"{running.authority_url}/oauth2/v2.0/token", data=form, verify=ca).json()["access_token"]
        for url in (running.dynamics_url, running.dynamics_http_url):
            reply = requests.get(f"{url}/api/data/v9.2/WhoAmI", headers={"Authorization": f"Bearer {token}"}, verify=ca)
            assert reply.status_code == 200
    finally:
        running.stop()
