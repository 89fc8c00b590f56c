"""Set messages: fast, all or none; what is refused as a whole is told apart, what is lost is looked up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.crm import PartlyWritten
from backhaul.crm.dynamics import minted_id
from backhaul.crm.dynamics.pace import Pace
from backhaul.errors import OutcomeInDoubt, TransientError
from backhaul.record import Change, Operation, Outcome, State
from tests.examples import examples

from .environment import ROOT, error, guid
from .table import Contacts

TIMED_OUT = error(
    500,
    "0x80044151",
    "Sql error: SQL timeout expired. CRM ErrorCode: -2147204783 Sql ErrorCode: -2146232060 Sql Number: -2",
)
DEADLOCK = error(500, "0x80044150", "Sql error: Generic SQL error. Sql Number: 1205")


def creates(count: int, start: int = 0) -> list[Change]:
    return [Change(f"k{n}", {"lastname": f"N{n}"}) for n in range(start, start + count)]


def updates(count: int) -> list[Change]:
    return [Change(f"k{n}", {"lastname": f"N{n}"}, guid(n + 1)) for n in range(count)]


def upserts(count: int) -> list[Change]:
    return [Change(f"k{n}", {"lastname": f"N{n}"}, match={"new_membernumber": f"M{n}"}) for n in range(count)]


def filled(count: int, **options: Any) -> Contacts:
    table = Contacts(**options)
    table.rows = {guid(n + 1): {"lastname": "old", "firstname": "kept"} for n in range(count)}
    return table


def refused(outcomes: list[Outcome]) -> list[str]:
    assert all(outcome.state in (State.DONE, State.REJECTED) for outcome in outcomes)
    return [outcome.key for outcome in outcomes if outcome.state is State.REJECTED]


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE, Operation.UPSERT])
def test_one_bad_row_among_a_thousand_costs_one_reject(operation: Operation) -> None:
    table = Contacts(lambda name: name == "N617")
    if operation is Operation.UPDATE:
        table.rows = filled(1000).rows
    changes = {Operation.CREATE: creates, Operation.UPDATE: updates, Operation.UPSERT: upserts}[operation](1000)
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", operation, changes, {})
    assert [outcome.key for outcome in outcomes] == [change.key for change in changes]
    (bad,) = [outcome for outcome in outcomes if outcome.state is State.REJECTED]
    assert (bad.key, bad.symbol, bad.message) == ("k617", "0x80040265", "a plug-in said no to this row")
    assert refused(outcomes) == ["k617"]
    assert sorted(row["lastname"] for row in table.rows.values() if row["lastname"] != "old") == sorted(
        f"N{n}" for n in range(1000) if n != 617
    )
    assert table.singles <= 40 and len(table.sets) <= 30
    assert {name for name, _ in table.sets} == {f"{operation.value.title()}Multiple"}


@settings(max_examples=examples(12), deadline=None)
@given(
    st.sets(st.integers(0, 79), max_size=80),
    st.integers(21, 80),
    st.lists(st.sampled_from(["", "lost", "cut"]), max_size=3),
)
def test_whatever_is_bad_or_lost_each_row_lands_once_or_is_rejected(
    bad: set[int], count: int, accidents: list[str]
) -> None:
    for operation, made in ((Operation.CREATE, creates), (Operation.UPSERT, upserts), (Operation.UPDATE, updates)):
        table = Contacts(lambda name: name.startswith("N") and int(name[1:]) in bad)
        if operation is Operation.UPDATE:
            table.rows = filled(count).rows
        table.accidents = list(accidents)
        crm, _, _ = table.connect()
        outcomes = crm.write("contact", operation, made(count), {})
        assert refused(outcomes) == [f"k{n}" for n in range(count) if n in bad]
        landed = [row["lastname"] for row in table.rows.values() if row["lastname"] != "old"]
        assert sorted(landed) == sorted(f"N{n}" for n in range(count) if n not in bad)
        if operation is not Operation.UPDATE:
            assert len(table.made) == len(table.rows)
        by_name = {row["lastname"]: key for key, row in table.rows.items()}
        for n, outcome in enumerate(outcomes):
            if outcome.state is State.DONE:
                assert outcome.record_id == by_name[f"N{n}"]
                assert outcome.created is (operation is not Operation.UPDATE)


def test_a_create_sends_its_minted_id_and_each_row_its_own_fields() -> None:
    table = Contacts()
    crm, wire, _ = table.connect()
    changes = [Change(f"k{n}", {"lastname": "A"} if n else {"lastname": "A", "firstname": "B"}) for n in range(30)]
    outcomes = crm.write("contact", Operation.CREATE, changes, {"id_scope": "s"})
    targets = wire.sent[-1].json["Targets"]
    minted = minted_id("dynamics", "contact", "k0", "s")
    assert targets[0] == {
        "@odata.type": "Microsoft.Dynamics.CRM.contact",
        "contactid": minted,
        "lastname": "A",
        "firstname": "B",
    }
    assert "firstname" not in targets[1]
    assert outcomes[0] == Outcome("k0", State.DONE, minted, True)


def test_an_update_touches_what_it_names_and_null_clears() -> None:
    table = filled(30)
    crm, _, _ = table.connect()
    changes = [Change(f"k{n}", {"lastname": "new"} if n % 2 else {"firstname": None}, guid(n + 1)) for n in range(30)]
    crm.write("contact", Operation.UPDATE, changes, {})
    assert table.rows[guid(1)] == {"lastname": "old", "firstname": None}
    assert table.rows[guid(2)] == {"lastname": "new", "firstname": "kept"}


def test_two_changes_of_one_record_never_share_a_set() -> None:
    table = filled(40)
    crm, _, _ = table.connect()
    changes = [Change(f"k{n}", {"lastname": f"N{n}"}, guid(n % 40 + 1)) for n in range(80)]
    outcomes = crm.write("contact", Operation.UPDATE, changes, {})
    assert not refused(outcomes)
    assert [table.rows[guid(n + 1)]["lastname"] for n in range(40)] == [f"N{n + 40}" for n in range(40)]


def test_what_an_earlier_run_made_is_not_made_again() -> None:
    table = Contacts()
    crm, _, _ = table.connect()
    crm.write("contact", Operation.CREATE, creates(50), {"id_scope": "s"})
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", Operation.CREATE, creates(100), {"id_scope": "s", "repeated": True})
    assert not refused(outcomes) and len(table.made) == 100 == len(table.rows)
    crm, _, _ = table.connect()
    fresh = crm.write("contact", Operation.CREATE, creates(100), {"id_scope": "s"})
    assert {(outcome.state, outcome.symbol) for outcome in fresh} == {(State.REJECTED, "0x80040237")}


def test_a_chosen_id_that_is_there_is_nobodys_repetition() -> None:
    table = filled(1)
    crm, _, _ = table.connect()
    changes = [*creates(30), Change("taken", {"lastname": "X", "contactid": guid(1)})]
    outcomes = crm.write("contact", Operation.CREATE, changes, {"repeated": True})
    assert refused(outcomes) == ["taken"] and table.rows[guid(1)]["lastname"] == "old"


def test_an_upsert_tells_what_was_there_and_updates_only_that() -> None:
    table = Contacts()
    table.rows = {guid(n): {"new_membernumber": f"m{n}", "firstname": "kept"} for n in range(10)}
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", Operation.UPSERT, upserts(40), {})
    assert [outcome.created for outcome in outcomes] == [False] * 10 + [True] * 30
    assert [outcome.record_id for outcome in outcomes[:10]] == [guid(n) for n in range(10)]
    assert len(table.rows) == 40 and table.rows[guid(0)] == {
        "new_membernumber": "m0",
        "firstname": "kept",
        "lastname": "N0",
    }
    # Few rows of one kind go by rows; the thirty go as a set.
    assert table.sets == [("UpsertMultiple", 30)]


def test_what_is_deleted_between_look_up_and_write_is_not_revived_in_part() -> None:
    table = Contacts()
    table.rows = {guid(n): {"new_membernumber": f"M{n}", "firstname": "gone with it"} for n in range(30)}
    crm, wire, _ = table.connect()

    def vanish(sent: Any) -> Any:
        answer = table.look_up(sent)
        table.rows.pop(guid(7), None)
        return answer

    wire.routes[f"GET {ROOT}contacts"] = [vanish]
    outcomes = crm.write("contact", Operation.UPSERT, upserts(30), {})
    assert not refused(outcomes) and guid(7) not in table.rows
    (again,) = [row for row in table.rows.values() if row["new_membernumber"] == "M7"]
    assert again == {"new_membernumber": "M7", "lastname": "N7"}
    assert (outcomes[7].created, outcomes[8].created) == (True, False)


def test_a_key_that_comes_up_meanwhile_makes_no_second_record() -> None:
    table = Contacts()
    crm, wire, _ = table.connect()

    def appear(sent: Any) -> Any:
        answer = table.look_up(sent)
        table.rows[guid(99)] = {"new_membernumber": "M5", "firstname": "of somebody else"}
        return answer

    wire.routes[f"GET {ROOT}contacts"] = [appear]
    outcomes = crm.write("contact", Operation.UPSERT, upserts(30), {})
    assert not refused(outcomes) and len(table.rows) == 30
    assert (outcomes[5].record_id, outcomes[5].created) == (guid(99), False)
    assert outcomes[6].created is True


def test_a_key_that_is_only_alike_names_nobody_elses_record() -> None:
    """ß and ss, é and e: whether the database tells them apart is its affair; a stranger is never written."""
    table = Contacts()
    table.rows = {guid(1): {"new_membernumber": "strasse", "firstname": "a stranger"}}
    crm, _, _ = table.connect()
    keys = ["straße", "strasse", *(f"k{n}" for n in range(30))]
    changes = [Change(key, {"lastname": key}, match={"new_membernumber": key}) for key in keys]
    outcomes = {one.key: one for one in crm.write("contact", Operation.UPSERT, changes, {})}
    assert outcomes["straße"].record_id != guid(1) and outcomes["straße"].created is True
    assert outcomes["strasse"].record_id == guid(1) and table.rows[guid(1)]["lastname"] == "strasse"


def test_creates_whose_last_reply_is_lost_are_known_to_be_there() -> None:
    table = Contacts()
    table.accidents = ["cut", "cut", "cut", "lost"]
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", Operation.CREATE, creates(30), {})
    assert not refused(outcomes) and len(table.made) == 30 and {one.created for one in outcomes} == {True}


def test_a_missing_record_is_named_and_the_others_go_on_as_a_set() -> None:
    table = filled(100)
    del table.rows[guid(50)]
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", Operation.UPDATE, updates(100), {})
    assert refused(outcomes) == ["k49"] and outcomes[49].symbol == "0x80040217"
    assert table.sets == [("UpdateMultiple", 100), ("UpdateMultiple", 99)] and table.singles == 1


def test_a_set_that_times_out_is_halved_without_a_reject() -> None:
    table = filled(100)
    table.accidents = [TIMED_OUT]
    crm, _, _ = table.connect()
    assert not refused(crm.write("contact", Operation.UPDATE, updates(100), {}))
    assert [rows for _, rows in table.sets] == [100, 50, 50]


def test_a_deadlock_is_tried_again_as_it_was() -> None:
    table = Contacts()
    table.accidents = [DEADLOCK]
    crm, _, pauses = table.connect()
    assert not refused(crm.write("contact", Operation.CREATE, creates(30), {}))
    assert table.sets == [("CreateMultiple", 30)] * 2 and len(pauses) == 1 and len(table.made) == 30


def test_a_table_without_the_message_is_written_row_by_row() -> None:
    table = Contacts()
    missing = error(404, "0x80060888", "Resource not found for the segment 'Microsoft.Dynamics.CRM.CreateMultiple'.")
    table.accidents = [missing]
    crm, _, _ = table.connect()
    assert not refused(crm.write("contact", Operation.CREATE, creates(60), {}))
    assert not refused(crm.write("contact", Operation.CREATE, creates(60, 100), {}))
    assert len(table.sets) == 1 and table.singles == 120


def test_a_missing_right_is_told_for_each_row_without_halving() -> None:
    table = Contacts()
    table.accidents = [error(403, "0x80040220", "Principal user is missing prvCreateContact privilege")]
    crm, _, _ = table.connect()
    assert not refused(crm.write("contact", Operation.CREATE, creates(60), {}))
    assert len(table.sets) == 1 and table.singles == 60


def test_where_most_rows_are_bad_halving_ends() -> None:
    table = Contacts(lambda name: True)
    crm, _, _ = table.connect()
    assert len(refused(crm.write("contact", Operation.CREATE, creates(1000), {}))) == 1000
    assert len(table.sets) < 12


def test_a_service_that_stays_away_half_way_tells_what_is_done() -> None:
    table = Contacts()
    table.accidents = ["", *["cut"] * 9]
    crm, _, _ = table.connect()
    with pytest.raises(PartlyWritten) as caught:
        crm.write("contact", Operation.CREATE, creates(500), {})
    done = {outcome.key for outcome in caught.value.outcomes}
    assert len(done) == 200 == len(table.rows) and {outcome.state for outcome in caught.value.outcomes} == {State.DONE}
    table = Contacts()
    table.accidents = ["cut"] * 9
    crm, _, _ = table.connect()
    with pytest.raises(OutcomeInDoubt):
        crm.write("contact", Operation.CREATE, creates(50), {})


def test_throttling_of_a_set_is_waited_out_as_long_as_asked() -> None:
    table = Contacts()
    table.accidents = [error(429, "0x80072321", "Combined execution time", Retry_After="17")]
    crm, _, pauses = table.connect()
    assert not refused(crm.write("contact", Operation.CREATE, creates(30), {}))
    assert pauses == [17] and len(table.made) == 30
    table.accidents = [error(429, "0x80072321", "Combined execution time", Retry_After="1700")]
    with pytest.raises(TransientError, match="the wait would be 1700 s"):
        crm.write("contact", Operation.CREATE, creates(30, 100), {})


def test_a_version_is_asked_for_row_by_row() -> None:
    crm, wire, _ = filled(30).connect()
    changes = [*updates(30), Change("v", {"lastname": "V"}, guid(31), version="4711")]
    crm.describe("contact")
    seen: list[str] = []

    def inner(method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append(headers["If-Match"])
        stale = b'{"error":{"code":"0x80060882","message":"The version of the existing record does not match."}}'
        return 412, {"Content-Type": "application/json"}, stale

    from .table import batch_reply

    wire.routes[f"POST {ROOT}$batch"] = [lambda sent: batch_reply(sent, inner)]
    outcomes = crm.write("contact", Operation.UPDATE, changes, {"if_unchanged": True})
    assert seen == ['W/"4711"'] and refused(outcomes) == ["v"]
    assert (outcomes[-1].symbol, outcomes[-1].passing) == ("0x80060882", True)


# --- the pace ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 5000), st.floats(0, 1e4)), max_size=50))
def test_the_pace_stays_within_its_bounds(answers: list[tuple[int, float]]) -> None:
    pace = Pace(size=200, seconds=10, most=1000)
    for rows, took in answers:
        pace.note(min(rows, pace.size), took)
        assert 10 <= pace.size <= 1000


def test_the_pace_follows_the_answers() -> None:
    pace = Pace(size=200, seconds=10, most=1000)
    pace.note(200, 1)
    assert pace.size == 400
    pace.note(50, 1)
    assert pace.size == 400  # a small request proves nothing
    pace.note(400, 40)
    assert pace.size == 100
    pace.slow(100)
    assert pace.size == 50
