"""Failures that the field knows, held on Salesforce: the connector against the simulated org, over its socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.crm import Connector, no_progress, open_connector
from backhaul.errors import CRMError
from backhaul.record import Change, Extract, Operation, State
from backhaul.simulator import Running
from backhaul.spool import Spool
from tests.examples import examples

from ..conftest import Door
from .contract import HOSTILE, rows_of
from .test_salesforce_contract import QUICK, account_of

BULK = {"road": "bulk"}
FIELDS = (
    "LastName",
    "FirstName",
    "Description",
    "Birthdate",
    "Campaign_Score__c",
    "HasOptedOutOfEmail",
    "Last_Open__c",
)


@pytest.fixture
def crm(running: Running, salesforce_door: Door, tmp_path: Path) -> Iterator[Connector]:
    connector = open_connector(account_of(running, state_folder=tmp_path / "state"), policy=QUICK)
    yield connector
    connector.close()


def people(door: Door, count: int, **values: Any) -> list[str]:
    return door.seed("Contact", [{"LastName": f"N{number}", **values} for number in range(count)])


def held(crm: Connector, ids: list[str], *fields: str) -> dict[str, dict[str, Any]]:
    return {str(row["Id"]): row for row in crm.fetch("Contact", "Id", ids, fields or FIELDS)}


@pytest.mark.parametrize("road", ["rest", "bulk"])
def test_texts_that_look_like_nothing_arrive_as_they_are(crm: Connector, salesforce_door: Door, road: str) -> None:
    """Case 10, and 12: the first row maps less than the others."""
    ids = people(salesforce_door, len(HOSTILE) + 1)
    changes = [Change("first", {"FirstName": "F"}, record_id=ids[0])]
    changes += [
        Change(name, {"Description": text, "Campaign_Score__c": Decimal(0), "HasOptedOutOfEmail": False}, record_id=one)
        for (name, text), one in zip(HOSTILE.items(), ids[1:], strict=True)
    ]
    outcomes = crm.write("Contact", Operation.UPDATE, changes, {"road": road})
    assert {outcome.state for outcome in outcomes} == {State.DONE}, outcomes
    rows = held(crm, ids)
    assert [rows[one]["Description"] for one in ids[1:]] == list(HOSTILE.values())
    assert {rows[one]["Campaign_Score__c"] for one in ids[1:]} == {Decimal(0)}
    assert rows[ids[0]]["Description"] is None
    assert rows[ids[0]]["LastName"] == "N0"


@pytest.mark.parametrize("road", ["rest", "bulk"])
def test_a_null_clears_and_what_is_not_mapped_is_left(crm: Connector, salesforce_door: Door, road: str) -> None:
    """Case 11, on both roads."""
    ids = people(salesforce_door, 2, FirstName="First", Birthdate="1990-02-03", Campaign_Score__c=5)
    changes = [
        Change("a", {"FirstName": None, "Birthdate": None}, record_id=ids[0]),
        Change("b", {"Campaign_Score__c": None}, record_id=ids[1]),
    ]
    assert {one.state for one in crm.write("Contact", Operation.UPDATE, changes, {"road": road})} == {State.DONE}
    rows = held(crm, ids)
    assert [rows[ids[0]][name] for name in ("FirstName", "Birthdate", "Campaign_Score__c")] == [None, None, Decimal(5)]
    assert rows[ids[1]]["FirstName"] == "First"
    assert rows[ids[1]]["Campaign_Score__c"] is None


def test_a_bad_row_among_many_is_refused_alone(crm: Connector, salesforce_door: Door) -> None:
    """Case 22 on the bulk road."""
    ids = people(salesforce_door, 1_000)
    changes = [
        Change(one, {"LastName": "x" * 90 if place == 500 else "Fine"}, record_id=one) for place, one in enumerate(ids)
    ]
    outcomes = crm.write("Contact", Operation.UPDATE, changes, BULK)
    assert [outcome.key for outcome in outcomes] == ids
    (bad,) = [outcome for outcome in outcomes if outcome.state is not State.DONE]
    assert (bad.key, bad.symbol) == (ids[500], "STRING_TOO_LONG")
    assert bad.message


def test_upserts_by_a_job_make_and_change_each_record_once(crm: Connector, salesforce_door: Door) -> None:
    salesforce_door.seed("Contact", [{"LastName": f"Old {n}", "Member_Number__c": f"M{n}"} for n in range(100)])
    changes = [Change(f"k{n}", {"LastName": f"New {n}"}, match={"Member_Number__c": f"M{n}"}) for n in range(300)]
    outcomes = crm.write("Contact", Operation.UPSERT, changes, {})
    assert [outcome.created for outcome in outcomes] == [n >= 100 for n in range(300)]
    rows = salesforce_door.dump("Contact")
    assert sorted(row["LastName"] for row in rows) == sorted(f"New {n}" for n in range(300))


@pytest.mark.parametrize("lost", ["PATCH", "PUT", "POST", "GET"])
def test_a_lost_reply_makes_nothing_twice(crm: Connector, salesforce_door: Door, lost: str) -> None:
    """Case 21 on the bulk road: whichever reply is lost, one record a row exists."""
    crm.describe("Contact")
    salesforce_door.fault("/jobs/ingest", method=lost, drop_reply=True)
    changes = [Change(f"k{n}", {"LastName": f"P{n}", "Member_Number__c": f"M{n}"}) for n in range(50)]
    outcomes = crm.write("Contact", Operation.CREATE, changes, BULK)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert len(salesforce_door.dump("Contact")) == 50


def test_deletes_by_a_job(crm: Connector, salesforce_door: Door) -> None:
    ids = people(salesforce_door, 10)
    began = crm.now()
    changes = [Change(one, {}, record_id=one) for one in ids[:4]]
    assert {one.state for one in crm.write("Contact", Operation.DELETE, changes, BULK)} == {State.DONE}
    assert set(held(crm, ids)) == set(ids[4:])
    assert {gone.id for gone in crm.deleted("Contact", began, crm.now())} == set(ids[:4])


def test_purged_and_merged_records_are_listed_and_a_forgotten_period_is_refused(
    crm: Connector, salesforce_door: Door
) -> None:
    """Cases 16 and 18: the log knows the purged one, the bin knows who survived."""
    ids = people(salesforce_door, 4)
    began = crm.now()
    salesforce_door.post("clock", {"advance": 300})
    salesforce_door.post("delete", {"object": "Contact", "ids": ids[:1], "purge": True})
    salesforce_door.post("delete", {"object": "Contact", "ids": ids[1:2]})
    salesforce_door.post("clock", {"advance": 300})
    found = crm.deleted("Contact", began, crm.now())
    assert {gone.id for gone in found} == set(ids[:2])
    assert {gone.id for gone in crm.deleted("Contact", None, crm.now())} == set(ids[:2])
    (gone,) = [one for one in found if one.id == ids[1]]
    # Both ends belong to the period.
    assert [one.id for one in crm.deleted("Contact", gone.at, gone.at) if one.id == ids[1]] == [ids[1]]
    salesforce_door.post("clock", {"advance": 40 * 86_400})
    with pytest.raises(CRMError, match="reaches past what account 'salesforce' keeps") as raised:
        crm.deleted("Contact", began, crm.now())
    assert "compare_ids" in raised.value.hint


hostile = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60)


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(hostile, st.sampled_from(list(HOSTILE.values()))), min_size=1, max_size=20))
def test_hostile_texts_make_the_round(
    crm: Connector, salesforce_door: Door, tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Written by a job, read by both roads: the same texts, but for the blanks at their ends."""
    ids = people(salesforce_door, len(texts))
    changes = [Change(one, {"Description": text}, record_id=one) for one, text in zip(ids, texts, strict=True)]
    assert {one.state for one in crm.write("Contact", Operation.UPDATE, changes, BULK)} == {State.DONE}
    wanted = {one: text.strip() or None for one, text in zip(ids, texts, strict=True)}
    for road in ("rest", "bulk"):
        query = Extract("Contact", ("Id", "Description"), road=road)
        got = rows_of(crm.extract(query, Spool(tmp_path_factory.mktemp("spool")), no_progress))
        found = {row["Id"]: row["Description"] for row in got if row["Id"] in wanted}
        assert {one: (text or "").strip() or None for one, text in found.items()} == wanted


def test_an_instant_is_the_same_on_both_roads(crm: Connector, salesforce_door: Door) -> None:
    """Case 13, for instants: the wire has one time zone."""
    ids = people(salesforce_door, 2)
    stamp = datetime(2026, 3, 29, 1, 30, 5, tzinfo=UTC)
    for road, one in zip(("rest", "bulk"), ids, strict=True):
        crm.write("Contact", Operation.UPDATE, [Change("a", {"Last_Open__c": stamp}, record_id=one)], {"road": road})
    assert {row["Last_Open__c"] for row in held(crm, ids).values()} == {stamp}


def test_children_of_few_parents_are_locked_and_land_all_the_same(crm: Connector, salesforce_door: Door) -> None:
    """Case 23: unsorted, batches of a job would fight over the parents."""
    salesforce_door.post("settings", {"bulk_batch_rows": 50, "lock_contention": {"Contact": "AccountId"}})
    parents = salesforce_door.seed("Account", [{"Name": f"A{number}"} for number in range(4)])
    ids = salesforce_door.seed("Contact", [{"LastName": "L", "AccountId": parents[n % 4]} for n in range(400)])
    changes = [Change(one, {"Campaign_Score__c": Decimal(7)}, record_id=one) for one in ids]
    outcomes = crm.write("Contact", Operation.UPDATE, changes, BULK)
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    assert {row["Campaign_Score__c"] for row in salesforce_door.dump("Contact")} == {7}


def test_rows_of_a_job_that_failed_half_way_are_sent_again(crm: Connector, salesforce_door: Door) -> None:
    fault = {"jobs": "ingest", "object": "Contact", "after_rows": 120, "message": "TooManyLockFailure : too many locks"}
    salesforce_door.post("settings", {"bulk_batch_rows": 100, "bulk_failures": [fault]})
    changes = [Change(f"k{n}", {"LastName": f"P{n}"}, match={"Member_Number__c": f"M{n}"}) for n in range(500)]
    outcomes = crm.write("Contact", Operation.UPSERT, changes, BULK)
    # Done is what the org did: the rows before the failure are told as the job told them, the others were sent again.
    done = {outcome.key for outcome in outcomes if outcome.state is State.DONE}
    rows = salesforce_door.dump("Contact")
    assert len(rows) == len(done) == len({row["Member_Number__c"] for row in rows})
    assert len(outcomes) == 500


def test_a_query_job_that_fails_fails_the_import_and_the_next_one_reads_all(
    crm: Connector, salesforce_door: Door, tmp_path: Path
) -> None:
    """Case 8."""
    people(salesforce_door, 300)
    salesforce_door.post("settings", {"bulk_failures": [{"jobs": "query"}]})
    query = Extract("Contact", ("Id", "LastName"), road="bulk")
    with pytest.raises(CRMError, match="the job ended as Failed"):
        crm.extract(query, Spool(tmp_path / "spool"), no_progress)
    assert crm.extract(query, Spool(tmp_path / "spool"), no_progress).rows == 300


def test_parents_by_their_external_id_on_both_roads(crm: Connector, salesforce_door: Door) -> None:
    number = {"name": "Number__c", "type": "string", "length": 20, "external_id": True, "id_lookup": True}
    salesforce_door.post("fields", {"object": "Account", "fields": [number]})
    one, two = salesforce_door.seed("Account", [{"Name": "A", "Number__c": "1"}, {"Name": "B", "Number__c": "2"}])
    ids = people(salesforce_door, 4)
    for road, (first, second) in (("rest", ids[:2]), ("bulk", ids[2:])):
        changes = [
            Change("a", {"Account.Number__c": "1"}, record_id=first),
            Change("b", {"Account.Number__c": "2"}, record_id=second),
        ]
        assert {each.state for each in crm.write("Contact", Operation.UPDATE, changes, {"road": road})} == {State.DONE}
    found = held(crm, ids, "AccountId")
    assert [found[each]["AccountId"] for each in ids] == [one, two, one, two]
    crm.write("Contact", Operation.UPDATE, [Change("a", {"Account.Number__c": None}, record_id=ids[0])], {})
    crm.write("Contact", Operation.UPDATE, [Change("a", {"Account.Number__c": None}, record_id=ids[2])], BULK)
    found = held(crm, ids, "AccountId")
    assert [found[each]["AccountId"] for each in ids] == [None, two, None, two]
