"""What is Dynamics' own, against the simulator over its socket; what both CRMs share is in the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backhaul.crm import no_progress
from backhaul.crm.dynamics import DynamicsConnector
from backhaul.errors import SignInError, TransientError
from backhaul.record import Change, Condition, Extract, Group, Operation, Outcome, Scalar, State, Window
from backhaul.simulator import dataverse
from backhaul.spool import Spool
from tests.crm.contract import Control, rows_of

Open = Callable[..., DynamicsConnector]
DROP = {"drop_reply": True}


def write(crm: DynamicsConnector, operation: Operation, *changes: Change) -> list[Outcome]:
    crm.describe("contact")
    return crm.write("contact", operation, changes, {})


def read(crm: DynamicsConnector, folder: Path, *conditions: Condition) -> list[str]:
    asked = Group(True, conditions) if conditions else None
    query = Extract("contact", ("contactid", "lastname"), None, asked, (("lastname", False),))
    return [row["lastname"] for row in rows_of(crm.extract(query, Spool(folder), no_progress))]


@pytest.mark.parametrize(
    ("changes", "symbol"),
    [
        ({"client_secret": SecretStr("wrong")}, "AADSTS7000215"),
        ({"tenant_id": "11111111-0000-0000-0000-000000000000"}, "AADSTS90002"),
        ({"client_id": "22222222-0000-0000-0000-000000000000"}, "AADSTS700016"),
        ({"client_id": dataverse.STRANGER_CLIENT_ID}, "0x80072560"),
    ],
)
def test_each_refused_sign_in_names_its_cause(opened: Open, changes: dict[str, Any], symbol: str) -> None:
    with pytest.raises(SignInError, match=rf"account 'dynamics' could not sign in \(client secret\): {symbol}: "):
        opened(**changes).identity()


def test_lookups_choices_and_states_are_written_and_read(control: Control, opened: Open) -> None:
    crm = opened()
    (account,) = crm.write("account", Operation.CREATE, [Change("acme", {"name": "Acme"})], {})
    values: dict[str, Scalar] = {
        "lastname": "A",
        "parentcustomerid": f"account:{account.record_id}",
        "new_topics": "100000000,100000002",
        "annualincome": Decimal("12345678901.2345"),
        "gendercode": 1,
    }
    (made,) = write(crm, Operation.CREATE, Change("a", values))
    names = ("parentcustomerid", "new_topics", "annualincome", "gendercode", "ownerid", "statecode")
    (row,) = crm.fetch("contact", "contactid", [str(made.record_id)], names)
    assert row == {
        "contactid": made.record_id,
        "parentcustomerid": account.record_id,
        "new_topics": "100000000,100000002",
        "annualincome": Decimal("12345678901.2345"),
        "gendercode": 1,
        "ownerid": dataverse.APPLICATION_USER_ID,
        "statecode": 0,
    }
    change = {
        "parentcustomerid": None,
        "ownerid": f"systemuser:{dataverse.OTHER_USER_ID}",
        "statecode": 1,
        "statuscode": 2,
    }
    (outcome,) = write(crm, Operation.UPDATE, Change("a", change, made.record_id))
    assert outcome.state is State.DONE
    (row,) = crm.fetch("contact", "contactid", [str(made.record_id)], ("parentcustomerid", "ownerid", "statecode"))
    assert (row["parentcustomerid"], row["ownerid"], row["statecode"]) == (None, dataverse.OTHER_USER_ID, 1)


def test_refusals_carry_the_code_and_the_column(control: Control, opened: Open) -> None:
    crm = opened()
    (made,) = write(crm, Operation.CREATE, Change("a", {"lastname": "A", "new_membernumber": "1"}))
    long, choice, key = write(
        crm,
        Operation.UPDATE,
        Change("long", {"lastname": "x" * 60}, made.record_id),
        Change("choice", {"gendercode": 77}, made.record_id),
        Change("missing", {"lastname": "B"}, "00000000-0000-0000-0000-0000000000ff"),
    )
    assert (long.symbol.lower(), long.fields) == ("0x80044331", ("lastname",))
    assert (choice.symbol.lower(), choice.fields) == ("0x8004431a", ("gendercode",))
    assert key.symbol.lower() == "0x80040217"
    (twin,) = write(crm, Operation.CREATE, Change("b", {"lastname": "B", "new_membernumber": "1"}))
    assert (twin.state, twin.symbol.lower()) == (State.REJECTED, "0x80060892")


def test_a_key_may_hold_any_character(control: Control, opened: Open) -> None:
    crm = opened()
    keys = ["M/1+2", "x'y", "é ü", "a&b#c", "%41", "a*b:c", "q?x=1", "<a>", "0042", "(1,2)", "null"]
    changes = [Change(key, {"lastname": key}, match={"new_membernumber": key}) for key in keys]
    first = write(crm, Operation.UPSERT, *changes)
    second = write(crm, Operation.UPSERT, *changes)
    assert [(outcome.state, outcome.created) for outcome in first] == [(State.DONE, True)] * len(keys)
    assert [(outcome.state, outcome.created) for outcome in second] == [(State.DONE, False)] * len(keys)
    assert [outcome.record_id for outcome in first] == [outcome.record_id for outcome in second]
    found = crm.fetch("contact", "new_membernumber", keys, ("lastname",))
    assert sorted(str(row["lastname"]) for row in found) == sorted(keys)


@pytest.mark.parametrize("operation", [one for one in Operation if one is not Operation.RESTORE])
def test_a_lost_reply_after_the_commit_changes_nothing(
    control: Control, opened: Open, tmp_path: Path, operation: Operation
) -> None:
    crm = opened()
    (kept,) = write(crm, Operation.CREATE, Change("kept", {"lastname": "Kept"}))
    change = {
        Operation.CREATE: Change("k", {"lastname": "New"}),
        Operation.UPDATE: Change("k", {"lastname": "New"}, kept.record_id),
        Operation.UPSERT: Change("k", {"lastname": "New"}, match={"new_membernumber": "7"}),
        Operation.DELETE: Change("k", {}, kept.record_id),
    }[operation]
    control.fault("POST", r"/\$batch", DROP)
    (outcome,) = write(crm, operation, change)
    assert outcome.state is State.DONE
    expected = {
        Operation.CREATE: ["Kept", "New"],
        Operation.UPDATE: ["New"],
        Operation.UPSERT: ["Kept", "New"],
        Operation.DELETE: [],
    }
    assert read(crm, tmp_path) == expected[operation]


def test_one_bad_row_of_a_thousand_costs_one_reject(control: Control, opened: Open, tmp_path: Path) -> None:
    crm = opened()
    changes = [Change(str(n), {"lastname": "x" * 60 if n == 500 else f"N{n:04d}"}) for n in range(1000)]
    outcomes = write(crm, Operation.CREATE, *changes)
    assert [outcome.key for outcome in outcomes if outcome.state is State.REJECTED] == ["500"]
    assert len(read(crm, tmp_path)) == 999


def test_a_download_that_broke_off_goes_on_at_its_page(control: Control, opened: Open, tmp_path: Path) -> None:
    control.post("seed", object="contact", generate=700, seed=5)
    query = Extract("contact", ("contactid", "lastname", "modifiedon"))
    control.fault("GET", "/contacts", {"status": 503, "body": "<html>"}, skip=3, times=4)
    with pytest.raises(TransientError):
        opened(page_rows=100).extract(query, Spool(tmp_path), no_progress)
    assert len(Spool(tmp_path).pages) == 3
    crm = opened(page_rows=100)
    crm.describe("contact")
    before = crm.api_calls
    got = crm.extract(query, Spool(tmp_path), no_progress)
    # The four pages that were missing, and the look whether a column was secured meanwhile.
    assert (got.rows, got.announced, crm.api_calls - before) == (700, 700, 5)
    assert len({row["contactid"] for row in rows_of(got)}) == 700


def test_rows_that_share_a_second_arrive_once_each_across_pages(control: Control, opened: Open, tmp_path: Path) -> None:
    records = [{"lastname": f"N{n:03d}"} for n in range(50)]
    control.post("seed", object="contact", records=records)
    query = Extract("contact", ("contactid", "lastname"), order_by=(("modifiedon", True),))
    got = opened(page_rows=7).extract(query, Spool(tmp_path), no_progress)
    assert sorted(row["lastname"] for row in rows_of(got)) == [record["lastname"] for record in records]


def test_a_filter_too_long_for_a_url_is_answered_all_the_same(control: Control, opened: Open, tmp_path: Path) -> None:
    crm = opened()
    write(crm, Operation.CREATE, Change("a", {"lastname": "O'Brien"}), Change("b", {"lastname": "Other"}))
    names = tuple(f"O'Nobody {n:05d}" for n in range(700))
    assert read(crm, tmp_path, Condition("lastname", "in", (*names, "o'brien"))) == ["O'Brien"]
    spooled = Spool(tmp_path).pages
    assert len(spooled) == 1 and json.loads(Path(spooled[0].path).read_bytes())["@odata.count"] == 1


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE, Operation.UPSERT])
@pytest.mark.parametrize("accident", [None, DROP, {"cut_before": True}])
def test_sets_survive_bad_rows_and_lost_replies(
    control: Control, opened: Open, tmp_path: Path, operation: Operation, accident: dict[str, Any] | None
) -> None:
    crm = opened()
    if operation is Operation.UPDATE:
        made = write(crm, Operation.CREATE, *(Change(f"o{n}", {"lastname": "old"}) for n in range(100)))
        changes = [
            Change(f"k{n}", {"lastname": "x" * 60 if n == 41 else f"N{n:03d}"}, one.record_id)
            for n, one in enumerate(made)
        ]
    else:
        changes = [
            Change(
                f"k{n}",
                {"lastname": "x" * 60 if n == 41 else f"N{n:03d}"},
                match={"new_membernumber": f"M{n}"} if operation is Operation.UPSERT else {},
            )
            for n in range(100)
        ]
    if accident:
        control.fault("POST", rf"/contacts/Microsoft\.Dynamics\.CRM\.{operation.value.title()}Multiple", accident)
    outcomes = write(crm, operation, *changes)
    (bad,) = [outcome for outcome in outcomes if outcome.state is not State.DONE]
    assert (bad.key, bad.state, bad.symbol.lower()) == ("k41", State.REJECTED, "0x80044331")
    names = read(crm, tmp_path)
    assert [name for name in names if name != "old"] == [f"N{n:03d}" for n in range(100) if n != 41]
    assert len(names) == (100 if operation is Operation.UPDATE else 99)


def test_a_lookup_is_bound_by_an_alternate_key(control: Control, opened: Open) -> None:
    crm = opened()
    crm.write("account", Operation.CREATE, [Change("acme", {"name": "Acme", "accountnumber": "A 1/ü"})], {})
    good, bad, unknown = write(
        crm,
        Operation.CREATE,
        Change("good", {"lastname": "A", "parentcustomerid": "account:accountnumber=A 1/ü"}),
        Change("bad", {"lastname": "B", "parentcustomerid": "account:accountnumber=nobody"}),
        Change("unknown", {"lastname": "C", "parentcustomerid": "account:name=Acme"}),
    )
    assert (good.state, bad.state, unknown.state) == (State.DONE, State.REJECTED, State.REJECTED)
    assert "name is no alternate key of 'account'" in unknown.message


@pytest.mark.parametrize("affinity", [False, True])
def test_requests_are_bound_to_one_server_only_where_wanted(control: Control, opened: Open, affinity: bool) -> None:
    crm = opened(affinity=affinity)
    crm.identity()
    assert ("ARRAffinity" in crm._http.session.cookies) is affinity


def test_labels_tables_and_names_come_with_choices_and_lookups(control: Control, opened: Open, tmp_path: Path) -> None:
    crm = opened()
    (account,) = crm.write("account", Operation.CREATE, [Change("acme", {"name": "Acme"})], {})
    (made,) = write(
        crm,
        Operation.CREATE,
        Change(
            "a",
            {
                "lastname": "A",
                "parentcustomerid": f"account:{account.record_id}",
                "gendercode": 1,
                "new_topics": "100000000,100000002",
            },
        ),
        Change("b", {"lastname": "B"}),
    )[:1]
    schema = crm.describe("contact")
    names = [name for base in ("parentcustomerid", "gendercode", "new_topics", "statuscode") for name in (
        base, *schema.companions[base])]  # fmt: skip
    (row,) = crm.fetch("contact", "contactid", [str(made.record_id)], names)
    assert row["parentcustomerid"] == account.record_id
    assert (row["parentcustomerid_table"], row["parentcustomerid_name"]) == ("account", "Acme")
    label = {option.value: option.label for option in schema.fields["gendercode"].options}
    assert row["gendercode_label"] == label["1"]
    assert str(row["new_topics_label"]).count(";") == 1
    assert row["statuscode_label"] == "Active"
    got = crm.extract(Extract("contact", ("lastname", *names)), Spool(tmp_path), no_progress)
    rows = {one["lastname"]: one for one in rows_of(got)}
    wire = schema.fields["parentcustomerid_table"].on_wire
    assert (rows["A"][wire], rows["B"].get(wire)) == ("account", None)


@pytest.mark.slow
def test_a_large_window_is_read_in_parts_at_once_and_each_row_arrives_once(
    control: Control, opened: Open, tmp_path: Path
) -> None:
    def split(crm: DynamicsConnector) -> DynamicsConnector:
        crm._reader.split_from = 500
        return crm

    records = [
        {"lastname": f"N{n:05d}", "modifiedon": f"2026-0{1 + n % 9}-0{1 + n % 7}T0{n % 10}:00:00Z"} for n in range(900)
    ]
    control.post("seed", object="contact", records=records)
    crm = split(opened(page_rows=60))
    end = crm.now()
    query = Extract("contact", ("contactid", "lastname", "modifiedon"), Window("modifiedon", None, end))
    folders = tmp_path / "whole"
    got = crm.extract(query, Spool(folders), no_progress)
    assert len(list(folders.glob("window-*"))) > 4
    assert got.rows == len({row["contactid"] for row in rows_of(got)}) == 900
    # Half-way cut off: what was read is kept, and the parts stay the same.
    control.fault("GET", "/contacts", {"status": 503, "body": "<html>"}, skip=6, times=60)
    with pytest.raises(TransientError):
        split(opened(page_rows=60)).extract(query, Spool(tmp_path / "cut"), no_progress)
    control.no_faults()
    kept = sum(len(Spool(folder).pages) for folder in (tmp_path / "cut").glob("window-*"))
    again = split(opened(page_rows=60))
    again.describe("contact")
    calls = again.api_calls
    resumed = again.extract(query, Spool(tmp_path / "cut"), no_progress)
    assert kept and sorted(row["contactid"] for row in rows_of(resumed)) == sorted(
        row["contactid"] for row in rows_of(got)
    )
    assert again.api_calls - calls < got.api_calls


def test_a_population_and_its_newcomers_are_read(control: Control, opened: Open, tmp_path: Path) -> None:
    crm = opened()
    control.post("clock", advance=60)
    old = write(crm, Operation.CREATE, *(Change(f"o{n}", {"lastname": f"O{n}"}) for n in range(4)))
    control.post("clock", advance=600)
    start = crm.now()
    control.post("clock", advance=60)
    new = write(crm, Operation.CREATE, *(Change(f"n{n}", {"lastname": f"N{n}"}) for n in range(4)))
    control.post("clock", advance=60)
    window = Window("modifiedon", start, crm.now())
    ids = (str(old[0].record_id), str(new[0].record_id), "00000000-0000-0000-0000-0000000000ff")
    query = Extract("contact", ("lastname",), window, ids=ids, fresh=(str(old[1].record_id), str(new[1].record_id)))
    got = crm.extract(query, Spool(tmp_path), no_progress)
    assert sorted(row["lastname"] for row in rows_of(got)) == ["N0", "N1", "O1"]
    assert got.announced == 3
