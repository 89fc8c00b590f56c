"""Changes go out as one $batch and come back as one outcome each; nothing is lost, nothing is made twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm.dynamics import minted_id
from backhaul.errors import ConfigurationError, CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Change, Operation, Outcome, Scalar, State
from tests.crm.wire import Answer, Wire
from tests.examples import examples

from .environment import DEFINITIONS, ORIGIN, ROOT, batch_reply, connect, error, guid, inner_requests

LOST = requests.ConnectionError("reset")
Made = tuple[int, dict[str, str], bytes]


def no_content(*_: Any) -> Made:
    return 204, {"OData-Version": "4.0"}, b""


def refused(status: int, code: str, message: str = "no", **headers: str) -> Made:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


def writes(wire: Wire) -> list[list[tuple[str, str, dict[str, str], bytes]]]:
    """The inner requests of each $batch that wrote."""
    batches = [inner_requests(sent) for sent in wire.sent if sent.path.endswith("$batch")]
    return [batch for batch in batches if "/EntityDefinitions(" not in batch[0][1]]


def update(number: int, **values: Scalar) -> Change:
    return Change(f"k{number}", values or {"lastname": f"N{number}"}, guid(number))


def states(outcomes: list[Outcome]) -> list[tuple[str, State, str]]:
    return [(outcome.key, outcome.state, outcome.symbol) for outcome in outcomes]


def test_an_update_is_a_patch_that_creates_nothing() -> None:
    crm, wire, _ = connect({}, no_content)
    outcomes = crm.write("contact", Operation.UPDATE, [update(1), update(2)], {})
    assert outcomes == [Outcome("k1", State.DONE, guid(1), False), Outcome("k2", State.DONE, guid(2), False)]
    ((first, _),) = writes(wire)
    assert first[:2] == ("PATCH", f"{ROOT}contacts({guid(1)})")
    assert first[2]["If-Match"] == "*" and first[2]["Content-ID"] == "1"
    assert json.loads(first[3]) == {"lastname": "N1"}
    outer = next(sent for sent in wire.sent if sent.path.endswith("$batch") and b"PATCH" in sent.body)
    assert outer.headers["Prefer"] == "odata.continue-on-error"


def test_values_are_written_by_their_kind() -> None:
    values: dict[str, Scalar] = {
        "lastname": 'Ü"ber\n💥\\',
        "firstname": None,
        "birthdate": date(1980, 2, 29),
        "new_lastopen": datetime(2026, 3, 1, 10, 15, 0, 999, timezone(timedelta(hours=1))),
        "new_walltime": datetime(2026, 3, 1, 9, 15),
        "donotbulkemail": True,
        "numberofchildren": Decimal("3"),
        "new_campaignscore": Decimal("12.50"),
        "annualincome": Decimal("922337203685477.5807"),
        "address1_latitude": 1e-7,
        "gendercode": "2",
        "new_topics": "1,9",
        "description": 7,
    }
    crm, wire, _ = connect({}, no_content)
    crm.write("contact", Operation.UPDATE, [update(1, **values)], {})
    (((_, _, _, body),),) = writes(wire)
    assert json.loads(body, parse_float=Decimal) == {
        "lastname": 'Ü"ber\n💥\\',
        "firstname": None,
        "birthdate": "1980-02-29",
        "new_lastopen": "2026-03-01T09:15:00Z",
        "new_walltime": "2026-03-01T09:15:00Z",
        "donotbulkemail": True,
        "numberofchildren": 3,
        "new_campaignscore": Decimal("12.50"),
        "annualincome": Decimal("922337203685477.5807"),
        "address1_latitude": Decimal("0.0000001"),
        "gendercode": 2,
        "new_topics": "1,9",
        "description": "7",
    }


@settings(max_examples=examples(40), deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.booleans())
def test_hostile_text_arrives_as_it_is(text: str, carriage: bool) -> None:
    value = text + ("\r\n--batch_\r\n\r\nDELETE /x HTTP/1.1\r\n" if carriage else "")
    crm, wire, _ = connect({}, no_content)
    assert crm.write("contact", Operation.UPDATE, [update(1, lastname=value)], {})[0].state is State.DONE
    ((only,),) = writes(wire)
    assert json.loads(only[3]) == {"lastname": value}


def test_each_row_has_its_own_field_set() -> None:
    crm, wire, _ = connect({}, no_content)
    crm.write("contact", Operation.UPDATE, [update(1, lastname="A"), update(2, firstname="B")], {})
    assert [json.loads(body) for *_, body in writes(wire)[0]] == [{"lastname": "A"}, {"firstname": "B"}]


def test_a_bad_row_costs_one_reject() -> None:
    def inner(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        if guid(500) in url:
            return refused(
                400,
                "0x80044331",
                "A validation error occurred.  The length of the 'lastname' attribute of the 'contact' entity exceeded "
                "the maximum allowed length of '50'.",
            )
        return no_content()

    crm, wire, _ = connect({}, inner)
    outcomes = crm.write("contact", Operation.UPDATE, [update(n) for n in range(480, 520)], {"road": "batch"})
    assert [outcome.key for outcome in outcomes] == [f"k{n}" for n in range(480, 520)]
    (bad,) = [outcome for outcome in outcomes if outcome.state is State.REJECTED]
    assert (bad.key, bad.symbol, bad.record_id, bad.fields) == ("k500", "0x80044331", guid(500), ("lastname",))
    assert bad.message.startswith("A validation error occurred.")
    assert len(writes(wire)) == 1


def test_a_value_that_cannot_be_sent_is_refused_here_and_the_rest_goes() -> None:
    crm, wire, _ = connect({}, no_content)
    changes = [
        update(1, gendercode="male"),
        update(2),
        Change("k3", {"lastname": "x"}, "17"),
        update(4, lastname="\ud800"),
        update(5, birthdate="NA"),
        update(6, annualincome=float("nan")),
        Change("k7", {"lastname": "x"}),
    ]
    outcomes = crm.write("contact", Operation.UPDATE, changes, {})
    assert [outcome.state for outcome in outcomes] == [State.REJECTED, State.DONE, *[State.REJECTED] * 5]
    assert {outcome.symbol for outcome in outcomes} == {"", "INVALID_VALUE"}
    assert outcomes[0].message == "gendercode: 'male' is not a number" and outcomes[0].fields == ("gendercode",)
    assert len(writes(wire)[0]) == 1


def test_an_unknown_field_fails_the_call_before_anything_is_sent() -> None:
    crm, wire, _ = connect({}, no_content)
    with pytest.raises(ConfigurationError, match="has no field 'surname'"):
        crm.write("contact", Operation.UPDATE, [update(1, surname="x")], {})
    assert writes(wire) == []


def test_nothing_to_write_sends_nothing_and_too_much_is_refused() -> None:
    crm, wire, _ = connect({}, no_content)
    assert crm.write("contact", Operation.UPDATE, [], {}) == []
    assert wire.sent == []
    assert crm.batch_rows == 1000
    with pytest.raises(ConfigurationError, match="1,000 changes at most, not 1,001"):
        crm.write("contact", Operation.UPDATE, [update(n) for n in range(1001)], {})
    with pytest.raises(ConfigurationError, match="same key"):
        crm.write("contact", Operation.UPDATE, [update(1), update(1)], {})


# --- create -----------------------------------------------------------------------------------------------------------


def test_a_create_carries_an_id_minted_from_its_key() -> None:
    crm, wire, _ = connect({}, no_content)
    (outcome,) = crm.write("contact", Operation.CREATE, [Change("row-7", {"lastname": "A"})], {"id_scope": "plan-1"})
    identifier = minted_id("dynamics", "contact", "row-7", "plan-1")
    assert outcome == Outcome("row-7", State.DONE, identifier, True)
    ((only,),) = writes(wire)
    assert only[:2] == ("POST", f"{ROOT}contacts")
    assert json.loads(only[3]) == {"contactid": identifier, "lastname": "A"}
    assert identifier != minted_id("dynamics", "contact", "row-7", "plan-2")
    assert identifier == minted_id("dynamics", "contact", "row-7", "plan-1")


def test_a_lost_reply_creates_nothing_twice() -> None:
    store: dict[str, dict[str, Any]] = {}

    def commit(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        row = json.loads(body)
        if row["contactid"] in store:
            return refused(412, "0x80040237", "A record with matching key values already exists.")
        store[row["contactid"]] = row
        return no_content()

    changes = [Change(f"k{n}", {"lastname": f"N{n}"}) for n in range(3)]
    crm, wire, pauses = connect({}, [LOST, commit])
    outcomes = crm.write("contact", Operation.CREATE, changes, {})
    assert [outcome.state for outcome in outcomes] == [State.DONE] * 3 and len(store) == 3 and len(pauses) == 1

    # The same again, as if this reply had been lost after the server committed.
    crm, wire, _ = connect({}, [Answer(503, "<html>gateway</html>"), commit])
    again = crm.write("contact", Operation.CREATE, changes, {})
    assert again == outcomes and len(store) == 3 and len(writes(wire)) == 2

    crm, _, _ = connect({}, commit)
    fresh = crm.write("contact", Operation.CREATE, changes, {})
    assert {(outcome.state, outcome.symbol) for outcome in fresh} == {(State.REJECTED, "0x80040237")}
    crm, _, _ = connect({}, commit)
    assert crm.write("contact", Operation.CREATE, changes, {"repeated": True}) == outcomes


def test_a_reply_that_never_comes_is_an_outcome_in_doubt() -> None:
    crm, wire, pauses = connect({}, LOST)
    with pytest.raises(OutcomeInDoubt):
        crm.write("contact", Operation.CREATE, [Change("k1", {"lastname": "A"})], {})
    assert len(writes(wire)) == 4 and len(pauses) == 3


def test_a_chosen_id_is_kept() -> None:
    crm, wire, _ = connect({}, no_content)
    change = Change("k1", {"lastname": "A", "contactid": guid(5).upper()})
    (outcome,) = crm.write("contact", Operation.CREATE, [change], {})
    assert outcome.record_id == guid(5)
    assert json.loads(writes(wire)[0][0][3])["contactid"] == guid(5)


# --- upsert -----------------------------------------------------------------------------------------------------------


def test_an_upsert_by_key_tells_id_and_whether_it_was_made() -> None:
    def inner(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        assert headers["Prefer"] == "return=representation" and "If-Match" not in headers
        row = json.dumps({"@odata.etag": "1", "contactid": guid(8)}).encode()
        return (201 if "M-1" in url else 200), {"Content-Type": "application/json"}, row

    changes = [
        Change(f"k{n}", {"lastname": "A", "new_membernumber": f"M-{n}"}, match={"new_membernumber": f"M-{n}"})
        for n in (1, 2)
    ]
    crm, wire, _ = connect({}, inner)
    outcomes = crm.write("contact", Operation.UPSERT, changes, {})
    assert outcomes == [Outcome("k1", State.DONE, guid(8), True), Outcome("k2", State.DONE, guid(8), False)]
    ((first, _),) = writes(wire)
    assert first[:2] == ("PATCH", f"{ROOT}contacts(new_membernumber=%27M-1%27)?$select=contactid")
    assert json.loads(first[3]) == {"lastname": "A"}


def test_an_upsert_by_several_columns_and_by_id() -> None:
    crm, wire, _ = connect({}, no_content)
    changes = [
        Change("k1", {"firstname": "A"}, match={"lastname": "O'B", "birthdate": date(1980, 1, 2)}),
        Change("k2", {"firstname": "A"}, record_id=guid(2)),
        Change("k3", {"firstname": "A"}, match={"contactid": guid(3)}),
        Change("k4", {"firstname": "A"}, match={"new_membernumber": None}),
    ]
    outcomes = crm.write("contact", Operation.UPSERT, changes, {})
    assert [url for _, url, _, _ in writes(wire)[0]] == [
        f"{ROOT}contacts(lastname=%27O%27%27B%27,birthdate=1980-01-02)?$select=contactid",
        f"{ROOT}contacts({guid(2)})?$select=contactid",
        f"{ROOT}contacts({guid(3)})?$select=contactid",
    ]
    assert (outcomes[3].state, outcomes[3].message) == (State.REJECTED, "the key field 'new_membernumber' is empty")


def test_a_key_that_no_url_can_hold_is_looked_up_first() -> None:
    found = {"a+b@x.de": [guid(1)], "new+1@x.de": [], "twin%@x.de": [guid(2), guid(3)]}
    filters = {f"emailaddress1 eq '{key}'": ids for key, ids in found.items()}

    def look_up(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        from urllib.parse import parse_qs, urlsplit

        ids = filters[parse_qs(urlsplit(url).query)["$filter"][0]]
        return 200, {}, json.dumps({"value": [{"contactid": identifier} for identifier in ids]}).encode()

    changes = [
        Change(key, {"lastname": "A", "emailaddress1": key}, match={"emailaddress1": key}) for key in [*found, "o@x.de"]
    ]
    crm, wire, _ = connect({}, [look_up, no_content])
    outcomes = crm.write("contact", Operation.UPSERT, changes, {})
    _, sent = writes(wire)
    minted = outcomes[1].record_id
    assert [(method, url) for method, url, _, _ in sent] == [
        ("PATCH", f"{ROOT}contacts({guid(1)})"),
        ("POST", f"{ROOT}contacts"),
        ("PATCH", f"{ROOT}contacts(emailaddress1=%27o%40x.de%27)?$select=contactid"),
    ]
    assert json.loads(sent[1][3]) == {"contactid": minted, "lastname": "A", "emailaddress1": "new+1@x.de"}
    assert [(outcome.state, outcome.created) for outcome in outcomes[:2]] == [(State.DONE, False), (State.DONE, True)]
    assert (outcomes[2].symbol, outcomes[2].message) == ("AMBIGUOUS_KEY", "2 records have this key")


# --- delete -----------------------------------------------------------------------------------------------------------


def test_deleting_what_is_gone_is_done() -> None:
    def inner(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        assert method == "DELETE" and body == b""
        if guid(2) in url:
            return refused(404, "0x80040217", "Entity 'contact' With Id = ... Does Not Exist")
        if guid(3) in url:
            return refused(400, "0x80040227", "The object cannot be deleted because it is associated.")
        return no_content()

    crm, _, _ = connect({}, inner)
    outcomes = crm.write("contact", Operation.DELETE, [Change(f"k{n}", {}, guid(n)) for n in (1, 2, 3)], {})
    assert states(outcomes) == [("k1", State.DONE, ""), ("k2", State.DONE, ""), ("k3", State.REJECTED, "0x80040227")]


def test_updating_what_is_gone_is_rejected() -> None:
    crm, _, _ = connect({}, lambda *_: refused(404, "0x80040217", "contact With Id = ... Does Not Exist"))
    assert states(crm.write("contact", Operation.UPDATE, [update(1)], {})) == [("k1", State.REJECTED, "0x80040217")]


# --- lookups ----------------------------------------------------------------------------------------------------------


def test_lookups_are_bound_by_their_navigation_property() -> None:
    crm, wire, _ = connect({}, no_content)
    changes = [
        update(1, parentcustomerid=f"account:{guid(7)}", new_accountid=guid(7).upper(), ownerid=guid(8)),
        update(2, parentcustomerid=f"contact:{guid(7)}", ownerid=f"team:{guid(8)}"),
        update(3, parentcustomerid=None, new_accountid=None),
        update(4, parentcustomerid=guid(7)),
        update(5, parentcustomerid=f"lead:{guid(7)}"),
        update(6, new_accountid="account:x"),
    ]
    outcomes = crm.write("contact", Operation.UPDATE, changes, {})
    assert [json.loads(body) for *_, body in writes(wire)[0]] == [
        {
            "parentcustomerid_account@odata.bind": f"/accounts({guid(7)})",
            "new_AccountId@odata.bind": f"/accounts({guid(7)})",
            "ownerid@odata.bind": f"/systemusers({guid(8)})",
        },
        {
            "parentcustomerid_contact@odata.bind": f"/contacts({guid(7)})",
            "ownerid@odata.bind": f"/teams({guid(8)})",
        },
        {"parentcustomerid_account@odata.bind": None, "new_AccountId@odata.bind": None},
    ]
    assert "does not say its table; write table:id with one of account, contact" in outcomes[3].message
    assert "'lead' is none of its tables (account, contact)" in outcomes[4].message
    assert "'x' is not a record id" in outcomes[5].message
    relationships = [path for path in wire.paths() if path.endswith("/ManyToOneRelationships")]
    assert len(relationships) == 1


def test_navigation_properties_follow_the_rule_where_relationships_are_hidden() -> None:
    hidden = {f"GET {ROOT}EntityDefinitions(LogicalName='contact')/ManyToOneRelationships": Answer(body={"value": []})}
    crm, wire, _ = connect(hidden, no_content)
    change = update(1, parentcustomerid=f"account:{guid(7)}", new_accountid=guid(7))
    crm.write("contact", Operation.UPDATE, [change], {})
    assert set(json.loads(writes(wire)[0][0][3])) == {"parentcustomerid_account@odata.bind", "new_AccountId@odata.bind"}


def test_what_an_activity_regards_is_bound_by_target_and_activity() -> None:
    hidden = {f"GET {ROOT}EntityDefinitions(LogicalName='contact')/ManyToOneRelationships": Answer(body={"value": []})}
    definition = {**DEFINITIONS[0], "IsActivity": True}
    hidden[f"GET {ROOT}EntityDefinitions(LogicalName='contact')"] = Answer(body=definition)
    crm, wire, _ = connect(hidden, no_content)
    crm.write("contact", Operation.UPDATE, [update(1, parentcustomerid=f"account:{guid(7)}")], {})
    assert set(json.loads(writes(wire)[0][0][3])) == {"parentcustomerid_account_contact@odata.bind"}


# --- answers ----------------------------------------------------------------------------------------------------------


def test_answers_without_ids_are_matched_by_order() -> None:
    def inner(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        return refused(400, "0x80040203", url) if guid(2) in url else no_content()

    def reply(sent: Any) -> Answer:
        return batch_reply(sent, inner, echo_ids=False)

    crm, wire, _ = connect({}, inner)
    crm.describe("contact")
    wire.routes[f"POST {ROOT}$batch"] = [reply]
    outcomes = crm.write("contact", Operation.UPDATE, [update(1), update(2), update(3)], {})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.REJECTED, State.DONE]


def test_answers_in_another_order_are_matched_by_id() -> None:
    def reply(sent: Any) -> Answer:
        made = batch_reply(sent, lambda _, url, *__: refused(400, "0x1", "b") if guid(2) in url else no_content())
        assert isinstance(made.body, bytes)
        first, second = made.body.removesuffix(b"--batchresponse_1--\r\n").split(b"--batchresponse_1\r\n")[1:]
        made.body = b"--batchresponse_1\r\n".join([b"", second, first]) + b"--batchresponse_1--\r\n"
        return made

    crm, wire, _ = connect({}, no_content)
    crm.describe("contact")
    wire.routes[f"POST {ROOT}$batch"] = [reply]
    outcomes = crm.write("contact", Operation.UPDATE, [update(1), update(2)], {})
    assert [(outcome.key, outcome.state) for outcome in outcomes] == [("k1", State.DONE), ("k2", State.REJECTED)]


def test_a_missing_answer_is_in_doubt_and_the_others_stand() -> None:
    crm, _, _ = connect({}, lambda _, url, *__: None if guid(2) in url else no_content())
    outcomes = crm.write("contact", Operation.UPDATE, [update(1), update(2), update(3)], {})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.IN_DOUBT, State.DONE]


def test_a_service_that_stops_at_a_refusal_is_given_the_rest() -> None:
    def reply(sent: Any) -> Answer:
        requests_ = inner_requests(sent)
        stop = next((n for n, entry in enumerate(requests_) if guid(2) in entry[1]), len(requests_))
        urls = {entry[1] for entry in requests_[: stop + 1]}
        answer = batch_reply(
            sent,
            lambda _, url, *__: (
                None if url not in urls else refused(400, "0x80040203") if guid(2) in url else no_content()
            ),
        )
        answer.status = 400 if stop < len(requests_) else 200
        return answer

    crm, wire, _ = connect({}, no_content)
    crm.describe("contact")
    wire.routes[f"POST {ROOT}$batch"] = [reply]
    outcomes = crm.write("contact", Operation.UPDATE, [update(n) for n in (1, 2, 3, 4)], {})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.REJECTED, State.DONE, State.DONE]


def test_passing_refusals_of_single_rows_are_repeated_for_those_rows() -> None:
    deadlock = "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 Sql Number: 1205"

    def first(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Made:
        if guid(2) in url:
            return refused(500, "0x80044150", deadlock)
        if guid(3) in url:
            return refused(
                429, "0x80072326", "Number of concurrent requests exceeded the limit of 52.", **{"Retry-After": "9"}
            )
        if guid(4) in url:
            return refused(500, "0x80044150", "Sql Number: 2627")
        return no_content()

    crm, wire, pauses = connect({}, [first, no_content])
    outcomes = crm.write("contact", Operation.UPDATE, [update(n) for n in (1, 2, 3, 4)], {})
    assert [outcome.state for outcome in outcomes] == [State.DONE, State.DONE, State.DONE, State.REJECTED]
    assert [len(batch) for batch in writes(wire)] == [4, 2]
    assert pauses == [9]


def test_what_never_passes_is_rejected_with_its_reason() -> None:
    crm, wire, _ = connect({}, lambda *_: refused(429, "0x80072321", "Combined execution time", **{"Retry-After": "1"}))
    assert states(crm.write("contact", Operation.UPDATE, [update(1)], {})) == [("k1", State.REJECTED, "0x80072321")]
    assert len(writes(wire)) == 4


def test_throttling_of_the_whole_batch_is_waited_out() -> None:
    busy = error(429, "0x80072322", "Number of requests exceeded the limit of 6000.", Retry_After="21")
    crm, wire, pauses = connect({}, [busy, no_content])
    assert crm.write("contact", Operation.CREATE, [Change("k1", {"lastname": "A"})], {})[0].state is State.DONE
    assert pauses == [21] and len(writes(wire)) == 2
    crm, _, _ = connect({}, busy)
    with pytest.raises(TransientError, match="0x80072322") as caught:
        crm.write("contact", Operation.CREATE, [Change("k1", {"lastname": "A"})], {})
    assert not isinstance(caught.value, OutcomeInDoubt)


def test_a_batch_refused_as_a_whole_is_a_crm_error() -> None:
    crm, _, _ = connect({}, error(400, "0x80060888", "Content-ID is missing"))
    with pytest.raises(CRMError, match=r"update contact: 0x80060888: Content-ID is missing") as caught:
        crm.write("contact", Operation.UPDATE, [update(1)], {})
    assert caught.value.symbol == "0x80060888"


def test_a_page_instead_of_answers_is_told_as_such() -> None:
    page = Answer(200, "<html>", {"Content-Type": "text/html"})
    crm, _, _ = connect({f"GET {ROOT}contacts": page}, page)
    with pytest.raises(OutcomeInDoubt, match=f"a web page came from {ORIGIN}"):
        crm.write("contact", Operation.UPDATE, [update(1)], {})
    with pytest.raises(TransientError, match="a web page came") as told:
        crm.fetch("contact", "emailaddress1", ["a@b.example"], ["contactid"])
    assert ORIGIN in told.value.hint
    crm, _, _ = connect({}, Answer(200, "a word", {"Content-Type": "text/plain"}))
    with pytest.raises(CRMError, match="cannot be read: a multipart reply was expected, not 'text/plain'") as caught:
        crm.write("contact", Operation.UPDATE, [update(1)], {})
    assert ORIGIN in caught.value.hint


def test_answers_that_break_off_are_asked_for_again() -> None:
    half = Answer(
        200,
        b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No",
        {"Content-Type": "multipart/mixed; boundary=b"},
    )
    exists = refused(412, "0x80040237", "A record with matching key values already exists.")
    crm, wire, _ = connect({}, [half, lambda *_: exists])
    outcome = crm.write("contact", Operation.CREATE, [Change("k1", {"lastname": "A"})], {})[0]
    assert (outcome.state, outcome.created) == (State.DONE, True) and len(writes(wire)) == 2
