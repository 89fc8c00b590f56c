"""Change tracking with its delta links, deletions and expired tokens (dataverse-api.md §4)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.simulator_dataverse.environment import Environment

ID = "22222222-2222-3333-4444-{:012d}"
TRACK = {"Prefer": "odata.track-changes"}


@pytest.fixture(autouse=True)
def empty(env: Environment) -> None:
    env.org.reset()
    env.sign_in()


def first(env: Environment, path: str = "contacts?$select=lastname") -> str:
    link: str = env.get(path, **TRACK)["@odata.deltaLink"]
    return link


def token(link: str) -> str:
    return dict(parse_qsl(urlsplit(link).query))["$deltatoken"]


def test_first_read_ends_in_a_delta_link(env: Environment) -> None:
    ids = env.org.seed("contact", [{"contactid": ID.format(n), "lastname": f"T{n}"} for n in range(3)])
    reply = env.call("GET", "contacts?$select=lastname", **TRACK)
    assert reply.headers["Preference-Applied"] == "odata.track-changes"
    body = reply.json()
    assert body["@odata.context"] == f"{env.base}$metadata#contacts(lastname)"
    assert [row["contactid"] for row in body["value"]] == ids
    link = body["@odata.deltaLink"]
    assert re.search(r"contacts\?\$select=lastname&\$deltatoken=\d+%21\d\d%2f\d\d%2f\d{4}%20\d\d%3a\d\d%3a\d\d$", link)
    assert re.fullmatch(r"\d+!\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", token(link))


def test_delta_holds_changes_in_order_then_deletions(env: Environment) -> None:
    ids = env.org.seed("contact", [{"contactid": ID.format(n), "lastname": f"T{n}"} for n in range(5)])
    link = first(env)
    env.org.change("contact", [{"contactid": ids[3], "lastname": "Three"}, {"contactid": ids[1], "lastname": "One"}])
    env.org.change("contact", [{"contactid": ids[3], "lastname": "Three again"}])
    env.org.delete("contact", [ids[0]])
    born = env.create(lastname="New")
    gone = env.create(lastname="Born and gone")
    env.call("DELETE", f"contacts({gone})")
    body = env.get(link)
    assert body["@odata.context"] == f"{env.base}$metadata#contacts(lastname)/$delta"
    rows = [row for row in body["value"] if "reason" not in row]
    assert [(row["contactid"], row["lastname"]) for row in rows] == [
        (ids[1], "One"),
        (ids[3], "Three again"),
        (born, "New"),
    ]
    assert body["value"][3:] == [
        {"@odata.context": f"{env.base}$metadata#contacts/$deletedEntity", "id": one, "reason": "deleted"}
        for one in (ids[0], gone)
    ]
    assert env.call("GET", f"contacts/$count?{urlencode({'$deltatoken': token(link)})}").content[3:] == b"5"
    later = env.get(body["@odata.deltaLink"])
    assert later["value"] == [] and token(later["@odata.deltaLink"])


def test_deleted_row_that_came_back_is_a_change(env: Environment) -> None:
    (one,) = env.org.seed("contact", [{"contactid": ID.format(1), "lastname": "Old"}])
    link = first(env)
    env.org.delete("contact", [one])
    env.call("PATCH", f"contacts({one})", {"lastname": "Back"})
    assert [row.get("lastname") for row in env.get(link)["value"]] == ["Back"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_pages_of_both_kinds_lose_nothing(env: Environment, size: int) -> None:
    env.org.seed("contact", [{"contactid": ID.format(n), "lastname": f"T{n}"} for n in range(7)])
    prefer = {"Prefer": f"odata.track-changes,odata.maxpagesize={size}"}

    def walk(path: str) -> tuple[list[Any], str]:
        found: list[Any] = []
        while True:
            reply = env.call("GET", path, **prefer)
            assert reply.headers["Preference-Applied"] == f"odata.track-changes,odata.maxpagesize={size}"
            page = reply.json()
            assert len(page["value"]) <= size
            found += page["value"]
            if "@odata.deltaLink" in page:
                assert "@odata.nextLink" not in page
                return found, page["@odata.deltaLink"]
            link = page["@odata.nextLink"]
            assert 'istracking="True"' in dict(parse_qsl(urlsplit(link).query))["$skiptoken"]
            # As airbyte's connector asks: every option decoded once and encoded again (§9.3).
            path = "contacts?" + urlencode(parse_qsl(urlsplit(link).query))

    rows, link = walk("contacts")
    assert len(rows) == 7 and all("modifiedon" in row for row in rows)
    env.org.delete("contact", [ID.format(n) for n in range(4)])
    env.org.change("contact", [{"contactid": ID.format(n), "jobtitle": "x"} for n in (4, 5)])
    changes, link = walk(f"contacts?{urlencode({'$deltatoken': token(link)})}")
    assert [row.get("contactid") or row["id"] for row in changes] == [ID.format(n) for n in (4, 5, 0, 1, 2, 3)]
    assert walk(link)[0] == []


def test_written_between_the_pages_comes_with_the_next_delta(env: Environment) -> None:
    env.org.seed("contact", [{"contactid": ID.format(n * 10), "lastname": f"T{n}"} for n in range(4)])
    prefer = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    page = env.get("contacts?$select=lastname", **prefer)
    env.org.change("contact", [{"contactid": ID.format(0), "lastname": "Changed behind"}])
    env.org.seed("contact", [{"contactid": ID.format(5), "lastname": "Born behind"}])
    page = env.get(page["@odata.nextLink"], **prefer)
    names = [row["lastname"] for row in env.get(page["@odata.deltaLink"])["value"]]
    assert names == ["Changed behind", "Born behind"]


@pytest.mark.parametrize("option", ["$filter=lastname eq 'x'", "$orderby=lastname", "$top=3", "$expand=ownerid"])
def test_some_options_do_not_go_with_it(env: Environment, option: str) -> None:
    name = option.partition("=")[0]
    message = f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.'
    assert env.refused("GET", f"contacts?{option}", **TRACK) == (400, "0x80060888", message)


def test_table_without_it(env: Environment) -> None:
    door = f"{env.root}/_control/tables"
    link = first(env)
    requests.post(door, json={"object": "contact", "change_tracking": False}, timeout=30)
    assert env.refused("GET", "contacts", **TRACK)[:2] == (400, "0x80072491")
    assert env.get("EntityDefinitions(LogicalName='contact')")["ChangeTrackingEnabled"] is False
    requests.post(door, json={"object": "contact", "change_tracking": True}, timeout=30)
    assert env.refused("GET", link)[:2] == (400, "0x80044352")
    assert env.get(first(env))["value"] == []


def test_tokens_expire_by_time_and_by_order(env: Environment) -> None:
    link = first(env)
    env.org.clock.advance(7 * 86_400 + 60)
    env.sign_in()
    message = "Version stamp associated with the client has expired. Please perform a full sync."
    assert env.refused("GET", link) == (400, "0x80044352", message)
    env.org.settings({"expire_change_tracking_days": 30})
    assert env.values("organizations?$select=expirechangetrackingindays")[0]["expirechangetrackingindays"] == 30
    assert env.get(link)["value"] == []
    requests.post(f"{env.root}/_control/expire_tokens", json={"object": "contact"}, timeout=30)
    assert env.refused("GET", link)[:2] == (400, "0x80044352")
    assert env.get(first(env))["value"] == []
    assert env.refused("GET", "contacts?$deltatoken=nonsense")[:2] == (400, "0x80060888")


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["put", "delete", "sync"]), st.integers(0, 5)), max_size=25))
def test_who_follows_the_links_holds_what_the_table_holds(env: Environment, steps: list[tuple[str, int]]) -> None:
    env.org.delete("contact", [ID.format(n) for n in range(6)])
    mirror: dict[str, str] = {}
    link = "contacts?$select=lastname"

    def sync() -> None:
        nonlocal link
        body = env.get(link, **TRACK)
        for row in body["value"]:
            if row.get("reason") == "deleted":
                mirror.pop(row["id"], None)
            else:
                mirror[row["contactid"]] = row["lastname"]
        link = body["@odata.deltaLink"]

    for place, (step, number) in enumerate(steps):
        one = ID.format(number)
        if step == "put":
            env.org.seed("contact", [{"contactid": one, "lastname": f"v{place}"}])
        elif step == "delete":
            env.org.delete("contact", [one])
        else:
            sync()
    sync()
    assert mirror == {row["contactid"]: row["lastname"] for row in env.org.dump("contact")}
