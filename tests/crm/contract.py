"""What every connector must do, told once and run against each CRM's simulator over its socket.

A :class:`Side` gives the CRM's own names for the contract's words. The tests create what they need through the
connector, and use the simulator's control door only for what a connector cannot do: faults, other users, the clock.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from backhaul.crm import Connector, no_progress
from backhaul.errors import ConfigurationError, OutcomeInDoubt, SignInError
from backhaul.record import (
    Change,
    Condition,
    Extract,
    Extraction,
    Group,
    Kind,
    Operation,
    Outcome,
    PageFormat,
    Scalar,
    State,
    Window,
)
from backhaul.spool import Spool


@dataclass
class Control:
    """The simulator's control door."""

    url: str

    def post(self, verb: str, **body: Any) -> Any:
        reply = requests.post(f"{self.url}/_control/{verb}", json=body, timeout=60)
        assert reply.ok, reply.text
        return reply.json() if reply.content else None

    def fault(self, method: str, path: str, action: Mapping[str, Any], *, skip: int = 0, times: int = 1) -> None:
        self.post("faults", match={"method": method, "path": path}, skip=skip, times=times, action=dict(action))

    def no_faults(self) -> None:
        requests.delete(f"{self.url}/_control/faults", timeout=60)


@dataclass
class Side:
    """One CRM in the contract's words."""

    crm: Connector
    control: Control
    object: str
    near_object: str
    id: str
    last: str
    first: str
    email: str
    birth: str
    score: str
    opened: str
    flag: str
    member: str
    text: str
    cursor: str
    page_path: str
    """A regular expression for the path that gives pages of records."""
    write_path: str
    write_method: str
    """Of a create."""
    unauthorised: Mapping[str, Any]
    roads: tuple[str, ...] = ("auto",)
    update_method: str = ""
    """Of an update, where that is another."""
    live: str = ""
    """Not empty: a real org, where others' records are left alone. The word stands before what must be unique."""
    made: list[str] = field(default_factory=list)
    """Ids of the records that were made here: with `live`, nothing else is read."""

    def unique(self, text: str) -> str:
        """A key's value that nobody else's record has."""
        return f"{self.live}{text}"

    def create(self, **rows: Mapping[str, Scalar]) -> dict[str, str]:
        """Create one record a key; ids by key."""
        outcomes = self.write(Operation.CREATE, *(Change(key, values) for key, values in rows.items()))
        assert {outcome.state for outcome in outcomes} == {State.DONE}, outcomes
        return {outcome.key: str(outcome.record_id) for outcome in outcomes}

    def write(self, operation: Operation, *changes: Change) -> list[Outcome]:
        scope = {"id_scope": self.live} if self.live and self.crm.repeatable_creates else {}
        outcomes = self.crm.write(self.object, operation, changes, scope)
        self.made += [str(one.record_id) for one in outcomes if one.record_id and one.state is State.DONE]
        return outcomes

    def one(self, record_id: str) -> dict[str, Scalar]:
        """A record's fields, as fetched by its id."""
        names = (
            self.last,
            self.first,
            self.email,
            self.birth,
            self.score,
            self.opened,
            self.flag,
            self.member,
            self.text,
        )
        (row,) = self.crm.fetch(self.object, self.id, [record_id], names)
        return row

    def extract(self, folder: Path, **more: Any) -> tuple[Extraction, list[dict[str, Any]]]:
        fields = more.pop("fields", (self.id, self.last, self.cursor))
        if self.live:
            more["ids"] = tuple(dict.fromkeys(self.made))
        got = self.crm.extract(Extract(self.object, fields, **more), Spool(folder), no_progress)
        return got, rows_of(got)


def rows_of(extraction: Extraction) -> list[dict[str, Any]]:
    """The rows of all pages as text; null is None."""
    rows: list[dict[str, Any]] = []
    for path in extraction.paths:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
        if extraction.format is PageFormat.JSON:
            rows += json.loads(text)[extraction.rows_key]
        else:
            rows += [{k: v or None for k, v in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert len(rows) == extraction.rows
    return rows


HOSTILE = {
    "na": "NA",
    "none": "None",
    "null": "null",
    "nan": "nan",
    "clear": "#N/A",
    "zeros": "007",
    "quotes": 'O\'Neil "the" \\ {{x}}',
    "comma": "a,b;c\td",
    "lines": "one\ntwo",
    "emoji": "\U0001f642 Æøå 日本",
    "markup": "<a href='x'>&amp;</a> %27 --",
}


class ConnectorContract:
    """To be inherited by one test class a CRM, which gives the fixture `side` (fresh records for each test)."""

    # ---- who and what ----

    def test_it_says_who_is_signed_in(self, side: Side) -> None:
        identity = side.crm.identity()
        assert identity.account == side.crm.account
        assert identity.user
        assert identity.organisation
        assert identity.url.startswith("http")

    def test_its_clock_is_the_crms(self, side: Side) -> None:
        before = side.crm.now()
        side.control.post("clock", advance=3600)
        after = side.crm.now()
        assert before.utcoffset() == timedelta(0)
        assert timedelta(seconds=3599) <= after - before

    def test_it_lists_objects_by_name(self, side: Side) -> None:
        names = [summary.name for summary in side.crm.objects()]
        assert side.object in names
        assert names == sorted(names)

    def test_it_describes_an_object(self, side: Side) -> None:
        schema = side.crm.describe(side.object)
        assert (schema.name, schema.id_field, schema.account) == (side.object, side.id, side.crm.account)
        kinds = {name: schema.fields[name].kind for name in (side.id, side.last, side.birth, side.score)}
        assert list(kinds.values()) == [Kind.ID, Kind.TEXT, Kind.DATE, Kind.DECIMAL]
        assert schema.fields[side.opened].kind is Kind.DATETIME
        assert schema.fields[side.flag].kind is Kind.BOOLEAN
        assert schema.fields[side.birth].date_only
        assert schema.fields[side.score].scale == 1
        assert schema.fields[side.last].length
        assert schema.fields[side.last].required_on_create
        assert not schema.fields[side.first].required_on_create
        assert not schema.fields[side.cursor].updateable
        assert side.cursor in schema.cursors
        assert (side.member,) in schema.keys
        assert side.crm.describe(side.object) is schema

    def test_an_unknown_object_or_field_is_a_fault_with_a_suggestion(self, side: Side, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=f"did you mean '{side.object}'"):
            side.crm.describe(side.near_object)
        side.create(a={side.last: "A"})
        with pytest.raises(ConfigurationError, match=f"did you mean '{side.last}'"):
            side.extract(tmp_path, fields=(side.id, side.last + "x"))

    # ---- writing ----

    def test_what_is_created_is_read_back_as_it_was(self, side: Side) -> None:
        values: dict[str, Scalar] = {
            side.last: "Ångström",
            side.first: "Zoë",
            side.email: "zoe@example.com",
            side.birth: date(1980, 2, 29),
            side.score: Decimal("12.5"),
            side.opened: datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
            side.flag: True,
            side.member: side.unique("0042"),
        }
        ids = side.create(a=values)
        row = side.one(ids["a"])
        assert {name: row[name] for name in values} == values
        assert row[side.text] is None

    def test_hostile_text_survives(self, side: Side, tmp_path: Path) -> None:
        ids = side.create(**{key: {side.last: key, side.text: text} for key, text in HOSTILE.items()})
        for key, text in HOSTILE.items():
            assert str(side.one(ids[key])[side.text]).replace("\r\n", "\n") == text, key
        for road in side.roads:
            _, rows = side.extract(tmp_path / road, fields=(side.id, side.last, side.text), road=road)
            assert {row[side.last]: row[side.text].replace("\r\n", "\n") for row in rows} == HOSTILE, road

    def test_hostile_text_can_be_filtered_and_fetched_by(self, side: Side, tmp_path: Path) -> None:
        names = {key: text for key, text in HOSTILE.items() if key != "lines"}
        ids = side.create(**{key: {side.last: text} for key, text in names.items()})
        for key, text in names.items():
            asked = Group(True, (Condition(side.last, "eq", text),))
            _, rows = side.extract(tmp_path / key, filter=asked)
            assert [row[side.id] for row in rows] == [ids[key]], key
            found = [row[side.id] for row in side.crm.fetch(side.object, side.last, [text], ())]
            assert [one for one in found if not side.live or one in side.made] == [ids[key]], key

    def test_an_update_touches_what_it_names_and_null_clears(self, side: Side) -> None:
        ids = side.create(
            a={
                side.last: "A",
                side.first: "stays",
                side.score: Decimal("7"),
                side.flag: True,
                side.birth: date(1990, 1, 1),
            }
        )
        change = Change("x", {side.score: None, side.flag: False, side.birth: None}, record_id=ids["a"])
        (outcome,) = side.write(Operation.UPDATE, change)
        assert (outcome.key, outcome.state, outcome.record_id) == ("x", State.DONE, ids["a"])
        row = side.one(ids["a"])
        assert (row[side.score], row[side.flag], row[side.birth]) == (None, False, None)
        assert (row[side.first], row[side.last]) == ("stays", "A")

    def test_the_first_row_does_not_decide_what_the_others_may_hold(self, side: Side) -> None:
        ids = side.create(a={side.last: "A"}, b={side.last: "B", side.first: "Bea", side.score: Decimal("0.0")})
        row = side.one(ids["b"])
        assert (row[side.first], row[side.score]) == ("Bea", Decimal("0.0"))

    def test_an_upsert_creates_then_updates(self, side: Side) -> None:
        one, two = side.unique("M-1"), side.unique("M-2")
        change = Change("k", {side.last: "First"}, match={side.member: one})
        (first,) = side.write(Operation.UPSERT, change)
        (second,) = side.write(Operation.UPSERT, Change("k", {side.last: "Second"}, match={side.member: one}))
        assert (first.state, first.created) == (State.DONE, True)
        assert (second.state, second.created) == (State.DONE, False)
        found = side.crm.fetch(side.object, side.member, [one, two], (side.last,))
        assert [row[side.last] for row in found] == ["Second"]

    def test_rejects_stand_by_key_and_the_others_land(self, side: Side) -> None:
        ids = side.create(a={side.last: "A"}, b={side.last: "B"}, c={side.last: "C"})
        side.write(Operation.DELETE, Change("c", {}, record_id=ids["c"]))
        outcomes = side.write(
            Operation.UPDATE,
            Change("gone", {side.last: "C2"}, record_id=ids["c"]),
            Change("good", {side.last: "A2"}, record_id=ids["a"]),
            Change("long", {side.last: "x" * 500}, record_id=ids["b"]),
        )
        assert [(outcome.key, outcome.state) for outcome in outcomes] == [
            ("gone", State.REJECTED),
            ("good", State.DONE),
            ("long", State.REJECTED),
        ]
        assert all(outcome.symbol and outcome.message for outcome in outcomes if outcome.state is State.REJECTED)
        assert side.one(ids["a"])[side.last] == "A2"
        assert side.one(ids["b"])[side.last] == "B"

    def test_a_create_without_what_is_required_is_a_reject(self, side: Side) -> None:
        good, bad = side.write(
            Operation.CREATE, Change("good", {side.last: "G"}), Change("bad", {side.first: "nobody"})
        )
        assert (good.state, bad.state) == (State.DONE, State.REJECTED)
        assert bad.record_id is None

    def test_a_full_batch_goes_in_one_call(self, side: Side, tmp_path: Path) -> None:
        side.crm.describe(side.object)
        side.crm.identity()
        calls = side.crm.api_calls
        rows = min(side.crm.batch_rows, 200)
        ids = side.create(**{f"k{number}": {side.last: f"N{number:04d}"} for number in range(rows)})
        assert side.crm.api_calls == calls + 1
        _, found = side.extract(tmp_path)
        assert {row[side.id]: row[side.last] for row in found} == {
            ids[f"k{number}"]: f"N{number:04d}" for number in range(rows)
        }

    # ---- reading ----

    def test_a_window_includes_its_start_and_excludes_its_end(self, side: Side, tmp_path: Path) -> None:
        ids: dict[str, str] = {}
        for key in ("a", "b", "c"):
            side.control.post("clock", advance=60)
            ids |= side.create(**{key: {side.last: key}})
        _, rows = side.extract(tmp_path / "all")
        stamps = {row[side.last]: instant(row[side.cursor]) for row in rows}
        assert stamps["a"] < stamps["b"] < stamps["c"]
        for number, (start, end, expected) in enumerate(
            (
                (None, stamps["b"], ["a"]),
                (stamps["b"], stamps["c"], ["b"]),
                (stamps["a"], stamps["c"] + timedelta(seconds=1), ["a", "b", "c"]),
                (stamps["c"] + timedelta(seconds=1), stamps["c"] + timedelta(days=1), []),
            )
        ):
            for road in side.roads:
                got, rows = side.extract(
                    tmp_path / f"{number}{road}", window=Window(side.cursor, start, end), road=road
                )
                assert sorted(row[side.last] for row in rows) == expected
                assert got.announced in (None, len(expected))

    def test_filters_and_order_are_as_declared(self, side: Side, tmp_path: Path) -> None:
        side.create(
            a={side.last: "Alpha", side.score: Decimal("10"), side.birth: date(1970, 1, 1), side.flag: True},
            b={side.last: "Beta", side.score: Decimal("20.5"), side.birth: date(1980, 1, 1)},
            c={side.last: "Gamma", side.first: "100%_", side.opened: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
        )
        asked: list[tuple[Condition | Group, str]] = [
            (Condition(side.score, "gt", 10), "b"),
            (Condition(side.score, "le", Decimal("10.0")), "a"),
            (Condition(side.score, "is_null"), "c"),
            (Condition(side.birth, "ge", date(1980, 1, 1)), "b"),
            (Condition(side.birth, "is_not_null"), "ab"),
            (Condition(side.opened, "eq", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), "c"),
            (Condition(side.flag, "eq", True), "a"),
            (Condition(side.last, "in", ("Alpha", "Gamma", "Delta")), "ac"),
            (Condition(side.last, "not_in", ("Alpha",)), "bc"),
            (Condition(side.last, "starts_with", "Al"), "a"),
            (Condition(side.last, "ends_with", "mma"), "c"),
            (Condition(side.last, "contains", "et"), "b"),
            (Condition(side.first, "contains", "0%_"), "c"),
            (Condition(side.last, "like", "%a%a"), "ac"),
            (Condition(side.last, "not_like", "B%"), "ac"),
            (Condition(side.last, "ne", "Beta"), "ac"),
            (Group(False, (Condition(side.score, "eq", 10), Condition(side.score, "is_null"))), "ac"),
            (Group(True, (Condition(side.score, "ge", 10), Group(False, (Condition(side.flag, "eq", False),)))), "b"),
        ]
        names = {"Alpha": "a", "Beta": "b", "Gamma": "c"}
        for number, (condition, expected) in enumerate(asked):
            _, rows = side.extract(
                tmp_path / str(number), filter=Group(True, (condition,)), order_by=((side.last, False),)
            )
            assert "".join(names[row[side.last]] for row in rows) == expected, condition
        _, rows = side.extract(tmp_path / "down", order_by=((side.last, True),))
        assert [row[side.last] for row in rows] == ["Gamma", "Beta", "Alpha"]

    def test_many_pages_arrive_once_each_on_every_road(self, side: Side, tmp_path: Path) -> None:
        side.control.post("seed", object=side.object, generate=5_500, seed=7)
        ids: list[set[str]] = []
        for road in side.roads:
            told: list[tuple[int, int]] = []
            query = Extract(side.object, (side.id, side.last, side.first, side.email, side.cursor), road=road)
            got = side.crm.extract(query, Spool(tmp_path / road), lambda rows, total: told.append((rows, total)))  # noqa: B023
            rows = rows_of(got)
            assert got.rows == 5_500
            assert got.announced in (None, 5_500)
            assert told[-1][0] == 5_500
            ids.append({row[side.id] for row in rows})
            assert len(ids[-1]) == 5_500
        assert all(found == ids[0] for found in ids)
        got = side.crm.ids(side.object, Spool(tmp_path / "ids"), no_progress)
        assert {row[side.id] for row in rows_of(got)} == ids[0]

    def test_deletions_are_told_or_seen_by_comparing_ids(self, side: Side, tmp_path: Path) -> None:
        ids = side.create(a={side.last: "A"}, b={side.last: "B"})
        side.control.post("clock", advance=60)
        before = side.crm.now()
        (outcome,) = side.write(Operation.DELETE, Change("b", {}, record_id=ids["b"]))
        assert outcome.state is State.DONE
        left = side.crm.ids(side.object, Spool(tmp_path), no_progress)
        assert [row[side.id] for row in rows_of(left)] == [ids["a"]]
        assert side.crm.fetch(side.object, side.id, [ids["b"]], ()) == []
        if not side.crm.detects_deletions:
            return
        (gone,) = side.crm.deleted(side.object, before, side.crm.now() + timedelta(seconds=1))
        assert (gone.id, gone.survivor) == (ids["b"], None)
        assert side.crm.deleted(side.object, gone.at, gone.at) == [gone]
        assert side.crm.deleted(side.object, None, gone.at) == [gone]
        assert side.crm.deleted(side.object, gone.at + timedelta(seconds=1), gone.at + timedelta(days=1)) == []

    # ---- when things go wrong ----

    def test_a_dead_session_is_renewed_mid_run(self, side: Side, tmp_path: Path) -> None:
        side.create(a={side.last: "A"})
        side.control.fault("GET", side.page_path, side.unauthorised)
        assert len(side.extract(tmp_path)[1]) == 1
        side.control.fault(side.write_method, side.write_path, side.unauthorised)
        side.create(b={side.last: "B"})
        assert len(side.extract(tmp_path / "again")[1]) == 2

    def test_a_second_refusal_of_the_token_is_a_sign_in_error(self, side: Side) -> None:
        side.crm.identity()
        side.control.fault("GET", ".*", side.unauthorised, times=2)
        with pytest.raises(SignInError, match=side.crm.account):
            side.crm.identity()

    def test_a_busy_crm_is_waited_for(self, side: Side, tmp_path: Path) -> None:
        side.create(a={side.last: "A"})
        side.control.fault("GET", side.page_path, {"status": 503, "headers": {"Retry-After": "0"}, "body": ""}, times=2)
        assert len(side.extract(tmp_path)[1]) == 1

    def test_a_connection_cut_in_a_page_loses_and_doubles_nothing(self, side: Side, tmp_path: Path) -> None:
        side.control.post("seed", object=side.object, generate=3_000, seed=3)
        for road in side.roads:
            side.control.fault("GET", side.page_path if road != "bulk" else "/results", {"cut_after": 2_000})
            got, rows = side.extract(tmp_path / road, road=road)
            assert got.rows == 3_000 == len({row[side.id] for row in rows})

    def test_a_lost_reply_makes_no_second_record(self, side: Side, tmp_path: Path) -> None:
        side.control.fault(side.write_method, side.write_path, {"drop_reply": True})
        changes = [Change("a", {side.last: "Lost"})]
        if side.crm.repeatable_creates:
            (outcome,) = side.write(Operation.CREATE, *changes)
            assert outcome.state is State.DONE
        else:
            with pytest.raises(OutcomeInDoubt):
                side.write(Operation.CREATE, *changes)
        assert [row[side.last] for row in side.extract(tmp_path)[1]] == ["Lost"]

    def test_a_lost_reply_to_an_update_is_repeated(self, side: Side) -> None:
        ids = side.create(a={side.last: "A"})
        side.control.fault(side.update_method or side.write_method, side.write_path, {"drop_reply": True})
        (outcome,) = side.write(Operation.UPDATE, Change("a", {side.first: "again"}, record_id=ids["a"]))
        assert outcome.state is State.DONE
        assert side.one(ids["a"])[side.first] == "again"


def instant(text: str) -> datetime:
    """A stamp of a page, in any of the vendors' spellings."""
    return datetime.fromisoformat(text.replace("+0000", "+00:00"))
