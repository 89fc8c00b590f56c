"""``$batch`` to the letter (dataverse-api.md §5.4)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.simulator.dataverse.multipart import boundary_of, join, response_part, split
from tests.examples import examples
from tests.simulator_dataverse.environment import Environment, batch_body, change_set, part

ROOT = "/api/data/v9.2/"
GO_ON = {"Prefer": "odata.continue-on-error"}


def statuses(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"HTTP/1\.1 (\d+) [A-Z]", text)]


def test_reply_has_the_vendors_shape(env: Environment) -> None:
    body = batch_body(
        part("POST", ROOT + "contacts", {"lastname": "A"}), part("GET", ROOT + "contacts?$select=lastname")
    )
    reply = env.batch(body)
    assert reply.status_code == 200
    content_type = re.fullmatch(
        r"multipart/mixed; boundary=(batchresponse_[0-9a-f-]{36})", reply.headers["Content-Type"]
    )
    assert content_type
    assert reply.headers["OData-Version"] == "4.0"
    text = reply.text
    assert text.startswith(f"--{content_type[1]}\r\n")
    assert text.endswith(f"--{content_type[1]}--\r\n")
    assert "\n" not in text.replace("\r\n", "")
    first, second = text.split(f"--{content_type[1]}")[1:3]
    assert first.startswith(
        "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 204 No Content\r\n"
    )
    assert re.search(r"\r\nOData-EntityId: http://\S+/contacts\([0-9a-f-]{36}\)\r\n", first)
    blocks = second.strip().split("\r\n\r\n")
    assert len(blocks) == 3 and blocks[1].startswith("HTTP/1.1 200 OK\r\n")
    assert [row["lastname"] for row in json.loads(blocks[2])["value"]] == ["A"]


def test_change_set_is_whole_or_not_at_all(env: Environment) -> None:
    good = change_set(
        part("POST", ROOT + "accounts", {"name": "CS"}, content_id="1"),
        part(
            "POST",
            ROOT + "contacts",
            {"lastname": "CS1", "parentcustomerid_account@odata.bind": "$1"},
            content_id="2",
        ),
        part("PATCH", "$2", {"firstname": "F"}, content_id="3"),
    )
    reply = env.batch(batch_body(good))
    assert (reply.status_code, statuses(reply.text)) == (200, [204, 204, 204])
    assert re.search(r"boundary=changesetresponse_[0-9a-f-]{36}\r\n\r\n--changesetresponse_", reply.text)
    assert re.findall(r"Content-ID: (\d)", reply.text) == ["1", "2", "3"]
    assert env.names("fullname eq 'F CS1' and parentcustomerid_account/name eq 'CS'") == ["CS1"]
    bad = change_set(
        part("POST", ROOT + "contacts", {"lastname": "CS2", "new_membernumber": "cs"}, content_id="1"),
        part("PATCH", ROOT + "contacts(new_membernumber='cs')", {"firstname": "x"}, content_id="2"),
        part("POST", ROOT + "contacts", {"lastname": "x" * 51}, content_id="3"),
    )
    last = part("POST", ROOT + "contacts", {"lastname": "CS3", "new_membernumber": "cs"})
    reply = env.batch(batch_body(bad, last), **GO_ON)
    assert (reply.status_code, statuses(reply.text)) == (200, [400, 204])
    assert "changesetresponse" not in reply.text and "\r\nREQ_ID: " in reply.text
    assert env.names("startswith(lastname,'CS2') or startswith(lastname,'CS3')") == ["CS3"]


def test_first_failure_ends_the_batch_unless_told_to_go_on(env: Environment) -> None:
    body = batch_body(
        part("POST", ROOT + "leads", {"lastname": "one"}),
        part("POST", ROOT + "leads", {"nosuch": 1}),
        part("POST", ROOT + "leads", {"lastname": "three"}),
    )
    stopped = env.batch(body)
    assert (stopped.status_code, statuses(stopped.text)) == (400, [204, 400])
    assert stopped.headers["Content-Type"].startswith("multipart/mixed")
    assert env.names("lastname ne null", entity_set="leads") == ["one"]
    went_on = env.batch(body, **GO_ON)
    assert (went_on.status_code, statuses(went_on.text)) == (200, [204, 400, 204])
    assert went_on.headers["Preference-Applied"] == "odata.continue-on-error"
    assert '"code":"0x80048d19"' in went_on.text
    assert env.names("lastname ne null", entity_set="leads") == ["one", "one", "three"]


def test_requests_see_what_those_before_them_did(env: Environment) -> None:
    path = ROOT + "contacts(new_membernumber='seq')"
    reply = env.batch(
        batch_body(
            part("PATCH", path, {"lastname": "first"}),
            part("PATCH", path, {"lastname": "second"}, headers="If-Match: *"),
            part("GET", path + "?$select=lastname"),
            part("PATCH", path, {"lastname": "third"}, headers="Prefer: return=representation"),
            part("DELETE", path),
            part("GET", path),
        ),
        **GO_ON,
    )
    assert statuses(reply.text) == [204, 204, 200, 200, 204, 404]
    assert '"lastname":"second"' in reply.text and '"lastname":"third"' in reply.text


@pytest.mark.parametrize(
    "spelling", ["absolute", "rooted", "relative", "raw spaces", "LF only", "quoted", "leading CRLF"]
)
def test_requests_are_read_with_tolerance(env: Environment, spelling: str) -> None:
    env.org.seed("contact", [{"contactid": "99999999-0000-0000-0000-000000000001", "lastname": "two words"}])
    query = "contacts?$select=lastname&$filter=lastname%20eq%20'two%20words'"
    path = {"absolute": env.base + query, "rooted": ROOT + query}.get(spelling, query)
    if spelling == "raw spaces":
        path = env.base + query.replace("%20", " ")
    body = batch_body(part("GET", path))
    if spelling == "LF only":
        body = body.replace("\r\n", "\n")
    if spelling == "leading CRLF":
        body = "\r\n" + body
    reply = env.batch(body, boundary='"batch_A"' if spelling == "quoted" else "batch_A")
    assert (reply.status_code, statuses(reply.text)) == (200, [200]), reply.text
    assert '"lastname":"two words"' in reply.text


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([change_set(part("POST", "contacts", {}))], 400, "0x80060888"),
        ([change_set(part("GET", "contacts", content_id="1"))], 400, "0x80060888"),
        ([change_set(part("PATCH", "$9", {}, content_id="1"))], 400, "0x80060888"),
        ([part("POST", "$batch", {})], 400, "0x80060888"),
    ],
)
def test_part_is_refused(env: Environment, parts: list[str], status: int, code: str) -> None:
    reply = env.batch(batch_body(*parts), **GO_ON)
    assert statuses(reply.text) == [status]
    assert f'"code":"{code}"' in reply.text


def test_batch_itself_is_refused_in_plain_json(env: Environment) -> None:
    many = "".join(f"--b\r\n{part('GET', 'contacts')}\r\n" for _ in range(1001)) + "--b--\r\n"
    for body in (many, "no parts at all", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n", many[:300]):
        reply = env.batch(body, boundary="b")
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "0x80048d19")
    assert env.call("POST", "$batch", {}).status_code == 400
    token, env.session.headers["Authorization"] = env.session.headers["Authorization"], "Bearer no"
    try:
        assert env.batch(batch_body(part("GET", "contacts"))).status_code == 401
    finally:
        env.session.headers["Authorization"] = token


def test_address_in_a_batch_may_be_longer_than_alone(env: Environment) -> None:
    long = "contacts?$select=lastname&$filter=lastname eq '" + "x" * 40_000 + "'"
    longer = "contacts?$filter=lastname eq '" + "x" * 66_000 + "'"
    reply = env.batch(batch_body(part("GET", long), part("GET", longer)), **GO_ON)
    assert statuses(reply.text) == [200, 414]


@pytest.mark.slow
def test_a_thousand_changes_in_one_batch(env: Environment) -> None:
    ids = env.org.seed("lead", [{"lastname": f"K{number}"} for number in range(1000)])
    body = batch_body(*(part("PATCH", f"{ROOT}leads({one})", {"companyname": "C"}) for one in ids))
    reply = env.batch(body, **GO_ON)
    assert statuses(reply.text) == [204] * 1000
    assert env.org.store.query("SELECT count(*) FROM lead WHERE companyname = 'C'") == [(1000,)]


HEADER = st.dictionaries(
    st.sampled_from(["OData-Version", "ETag", "Location"]), st.from_regex(r"[!-9;-~]{1,20}", fullmatch=True)
)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(st.sampled_from([200, 204, 400, 412]), HEADER, st.text(max_size=30)), max_size=5))
def test_written_parts_are_read_back(parts: list[tuple[int, dict[str, str], str]]) -> None:
    bodies: list[Any] = [json.dumps(text).encode() for _, _, text in parts]
    written = [
        response_part(status, headers, body, None) for (status, headers, _), body in zip(parts, bodies, strict=True)
    ]
    found = split(join([*written, b"X: y\r\n\r\nend"], "b_1"), "b_1")
    assert [one.body.split(b"\r\n\r\n", 1)[1] for one in found[:-1]] == bodies
    assert found[-1].body == b"end"


def test_boundaries() -> None:
    assert boundary_of('multipart/mixed; boundary="a b"') == "a b"
    assert boundary_of("multipart/mixed;boundary=dwa_batch_1;charset=x") == "dwa_batch_1"
    assert boundary_of("application/json") is None


def test_a_change_set_is_undone_whatever_was_asked_of_it(env: Environment) -> None:
    """Merges, cascades, duplicate checks and representations with related rows all look at what is not yet written."""
    ids = [env.create(lastname=f"Undo{n}") for n in range(2)]
    account = env.create("accounts", name="Led", **{"primarycontactid@odata.bind": f"/contacts({ids[1]})"})
    env.org.verbs["duplicates"]({"object": "contact", "columns": ["emailaddress1"]})
    link = env.get("contacts?$select=lastname", Prefer="odata.track-changes")["@odata.deltaLink"]
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
    merge = {"Target": kind | {"contactid": ids[0]}, "Subordinate": kind | {"contactid": ids[1]}}
    detect = "MSCRM.SuppressDuplicateDetection: false"
    before = env.org.dump("contact"), env.org.dump("account")
    body = batch_body(
        change_set(
            part(
                "POST", ROOT + "contacts", {"lastname": "New", "emailaddress1": "a@b.c"}, content_id="1", headers=detect
            ),
            part("POST", ROOT + "Merge", merge | {"PerformParentingChecks": False}, content_id="2"),
            part(
                "PATCH",
                ROOT + f"accounts({account})?$expand=primarycontactid",
                {"name": "Seen"},
                content_id="3",
                headers="Prefer: return=representation",
            ),
            part("POST", ROOT + "contacts", {"emailaddress1": "A@B.C"}, content_id="4", headers=detect),
        )
    )
    reply = env.batch(body)
    assert statuses(reply.text) == [412] and "0x80040333" in reply.text
    assert (env.org.dump("contact"), env.org.dump("account")) == before
    assert env.values(link) == []
    env.org.verbs["duplicates"]([])
