"""Whatever a column of Dataverse holds comes back unchanged: CRM -> DuckDB -> model -> export -> CRM, on every road.

Case 10, too: "NA", "None", "null", "nan", "#N/A" as text, leading zeros, 0 and false arrive as they are, and what is
empty stays empty.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running, dataverse
from tests.examples import examples

from ..crm.contract import HOSTILE
from .conftest import Tried
from .dynamics import NEWEST, ROADS, by_road
from .rounds import QUIET, TAIL, differences, exact, texts, twins

ADDED: list[dict[str, Any]] = [
    {"name": "new_int", "type": "Integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    {"name": "new_big", "type": "BigInt"},
    {"name": "new_ratio", "type": "Decimal", "precision": 10, "minimum": -1e11, "maximum": 1e11},
    {"name": "new_whole", "type": "Decimal", "precision": 0, "minimum": -1e11, "maximum": 1e11},
    {"name": "new_money", "type": "Money", "precision": 4, "minimum": -922337203685477, "maximum": 922337203685477},
    {"name": "new_double", "type": "Double", "precision": 5, "minimum": -1e11, "maximum": 1e11},
    {"name": "new_web", "type": "String", "format": "Url", "length": 200},
    {"name": "new_long", "type": "Memo", "length": 100_000},
    {"name": "new_agreed", "type": "Boolean"},
    {"name": "new_day", "type": "DateTime", "format": "DateOnly", "behavior": "DateOnly"},
    {"name": "new_moment", "type": "DateTime", "format": "DateAndTime"},
    {"name": "new_wall", "type": "DateTime", "format": "DateAndTime", "behavior": "TimeZoneIndependent"},
    {"name": "new_guid", "type": "Uniqueidentifier"},
    {"name": "new_accountid", "schema_name": "new_AccountId", "type": "Lookup", "targets": ["account"]},
]
ACCOUNT = "00000000-0000-4011-8000-00000000acc0"
BOSS = "00000000-0000-4011-8000-00000000b055"
LOOKUPS = ("parentcustomerid", "new_accountid", "ownerid")

# Dataverse takes no control characters but tab and the ends of lines (dataverse-api.md §7.2, 0x80040278).
signs = st.one_of(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), st.sampled_from("\t\n")
)


def words(longest: int, *, lines: bool = False) -> st.SearchStrategy[str | None]:
    """Texts for a column of `longest` UTF-16 units: an astral character takes two."""
    return texts(longest // 2, lines=lines, of=signs)


def maybe(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), some)


def moments() -> st.SearchStrategy[Any]:
    return maybe(
        st.datetimes(datetime(1753, 1, 1), datetime(9999, 12, 30)).map(
            lambda at: at.replace(microsecond=0).isoformat() + "Z"
        )
    )


def days() -> st.SearchStrategy[Any]:
    return maybe(st.dates(date(1753, 1, 1), date(9999, 12, 31)).map(date.isoformat))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "lastname": words(50).map(lambda text: text or "null"),
    "firstname": words(50),
    "jobtitle": words(100, lines=True),
    "description": words(2_000, lines=True),
    "emailaddress2": maybe(st.sampled_from(["null@example.com", "o'neil+x@example.org", "na@example.com"])),
    "telephone1": maybe(st.sampled_from(["007", "+49 (0)30/1234", "0", "1e5"])),
    "new_web": maybe(st.sampled_from(['https://example.com/?a=1&b=%20,"x"', "null"])),
    "new_long": st.one_of(words(100_000, lines=True), st.just('"é,\n' * 500 + ".")),
    "new_int": maybe(st.integers(-(2**31), 2**31 - 1)),
    "new_big": maybe(st.one_of(st.integers(-(2**63), 2**63 - 1), st.just(2**53 + 1))),
    "new_ratio": maybe(exact(20, 10)),
    "new_whole": maybe(exact(11, 0)),
    "new_campaignscore": maybe(st.integers(0, 1000).map(lambda n: Decimal(n).scaleb(-1))),
    "new_money": maybe(exact(18, 4)),
    "new_double": maybe(exact(15, 5).map(float).map(lambda number: round(number, 5))),
    "donotbulkemail": st.booleans(),
    "new_agreed": st.booleans(),
    "gendercode": st.sampled_from([None, 1, 2]),
    "new_topics": maybe(
        st.sets(st.sampled_from(range(100_000_000, 100_000_005)), min_size=1).map(
            lambda chosen: ",".join(map(str, sorted(chosen)))
        )
    ),
    "birthdate": days(),
    "new_day": days(),
    "new_lastopen": moments(),
    "new_moment": moments(),
    "new_wall": moments(),
    "new_guid": maybe(st.uuids().map(str)),
    "parentcustomerid": st.sampled_from([None, ("account", ACCOUNT), ("contact", BOSS)]),
    "new_accountid": st.sampled_from([None, ("account", ACCOUNT)]),
    "ownerid": st.sampled_from(
        [("systemuser", dataverse.APPLICATION_USER_ID), ("systemuser", dataverse.OTHER_USER_ID)]
    ),
}
OLD: dict[str, Any] = {
    "lastname": "Old", "firstname": "Old", "jobtitle": "Old", "description": "Old", "emailaddress2": "old@example.com",
    "telephone1": "1", "new_web": "old", "new_long": "Old", "new_int": 9, "new_big": 9, "new_ratio": 9.9,
    "new_whole": 9, "new_campaignscore": 9.9, "new_money": 9.99, "new_double": 9.9, "donotbulkemail": True,
    "new_agreed": True, "gendercode": 1, "new_topics": "100000004", "birthdate": "1999-09-09", "new_day": "1999-09-09",
    "new_lastopen": "1999-09-09T09:09:09Z", "new_moment": "1999-09-09T09:09:09Z", "new_wall": "1999-09-09T09:09:09Z",
    "new_guid": "00000000-0000-4011-8000-0000000000ff", "parentcustomerid": ("contact", BOSS),
    "new_accountid": ("account", ACCOUNT), "ownerid": ("systemuser", dataverse.OTHER_USER_ID),
}  # fmt: skip
"""What the twins hold before: something that must go in every column."""

records = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=16)
TWINS = 60
"""So many rows at least go by set messages: up to 20 go by $batch."""

WAYS = {
    # prefix of the twins: (how they are written, copies of each original: one by $batch, many by set messages)
    "F": ("mode: update, key: {contactid: crm_id}", "one"),
    "M": ("mode: update, key: {contactid: crm_id}", "all"),
    "U": ("mode: upsert, key: {new_membernumber: member}", "one"),
    "V": ("mode: upsert, key: {new_membernumber: member}", "all"),
    "C": ("identify: member", "one"),
    "D": ("identify: member", "all"),
}
STEP = """
  - {{export: dynamics.contact, name: {name}, from: {model}, {how}, nulls: clear, map: {{{pairs}}}}}
"""
MODEL = """
WITH newest AS ({newest}),
copies AS (SELECT unnest(range((SELECT count(*) FROM newest WHERE new_membernumber LIKE 'M0-%'))) AS copy),
wanted AS (
  SELECT '{way}' || substr(new_membernumber, 2) || '-' || copy
           || CASE WHEN copy % 2 = 0 THEN '{tail}' ELSE '' END AS member,
         {columns}
  FROM newest AS original CROSS JOIN copies WHERE new_membernumber LIKE 'S%' AND {which}
)
SELECT twin.contactid AS crm_id, wanted.*
FROM wanted LEFT JOIN newest AS twin ON twin.new_membernumber = wanted.member
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    def taken(name: str) -> str:
        # A lookup is written as its table and its id.
        value = f"original.{name}_table || ':' || original.{name}" if name in LOOKUPS else f"original.{name}"
        return f"{value} AS x_{name}"

    mapped = ", ".join(f"{name}: x_{name}" for name in VALUES)
    steps, models = "", {}
    for way, (how, copies) in WAYS.items():
        # A new record is told from others by its number.
        pairs = mapped if "identify" not in how else f"{mapped}, new_membernumber: member"
        steps += STEP.format(name=f"way_{way}", model=f"rows_{way}".lower(), how=how, pairs=pairs)
        models[f"transforms/export/rows_{way.lower()}.sql"] = MODEL.format(
            newest=NEWEST,
            columns=", ".join(map(taken, VALUES)),
            way=way,
            which="copy = 0" if copies == "one" else "true",
            tail=TAIL.replace("'", "''"),
        )
    files = {
        "sources/dynamics.yml": (
            f"account: dynamics\nobjects:\n  contact: {{fields: [new_membernumber, {', '.join(VALUES)}]}}\n"
        ),
        **models,
        "pipelines/round.yml": "steps:\n  - import: dynamics.contact\n  - transform: +export\n" + steps,
    }
    return Tried(tmp_path_factory.mktemp("round"), orgs, "dynamics", files)


def given_to(row: dict[str, Any]) -> dict[str, Any]:
    """A record as the control door takes it."""
    found = dict(row)
    for name in LOOKUPS:
        if row[name] is not None:
            found[f"{name}__type"], found[name] = row[name]
    if found["parentcustomerid"] is None:
        found.pop("parentcustomerid")
    found.pop("new_accountid__type", None)
    return found


def stored(tried: Tried) -> dict[str, dict[str, Any]]:
    """What the database of the environment holds, to the last digit."""
    rows = tried.org.store.dicts("SELECT * FROM contact")
    kept = [*VALUES, "parentcustomerid__type", "ownerid__type"]
    return {row["new_membernumber"]: {name: row[name] for name in kept} for row in rows}


def make_the_round(tried: Tried, originals: list[dict[str, Any]], road: str = "tracked") -> None:
    """Each original is read, and written to twins by every road; in the end the twins are as it is."""
    tried.fresh()
    tried.org.add_fields("contact", ADDED)
    by_road(tried, road)
    tried.org.seed("account", [{"accountid": ACCOUNT, "name": "A"}])
    tried.org.seed("contact", [{"contactid": BOSS, "lastname": "Boss", "new_membernumber": "Boss"}])
    # Keys that a URL can hold go another way than those that it cannot.
    names = {
        twin: name.removesuffix(TAIL) if twin[2] % 2 else name
        for twin, name in twins(WAYS, len(originals), TWINS).items()
    }
    tried.org.seed("contact", [{"new_membernumber": f"S{n}", **given_to(row)} for n, row in enumerate(originals)])
    # Those that are updated are there, of those that are upserted every other one.
    there = [names[twin] for twin in names if twin[0] in "FM" or (twin[0] in "UV" and sum(twin[1:]) % 2)]
    tried.org.seed("contact", [{"new_membernumber": name, **given_to(OLD)} for name in there])
    tried.org.clock.advance(5)
    result = tried.run("round")
    rejects = [reject for step in result.steps for reject in step.details.get("rejects", ())]
    refused = {(reject["symbol"], reject["message"], reject["fields"]) for reject in rejects}
    assert not refused, refused
    assert {step.state for step in result.steps} == {"done"}, [step.message for step in result.steps]
    held = stored(tried)
    assert sorted(held) == sorted([*names.values(), "Boss", *(f"S{n}" for n in range(len(originals)))])
    for (_, n, _), name in names.items():
        original = held[f"S{n}"]
        assert held[name] == original, name + str(differences(held[name], original))
    calls = [entry["path"] for entry in tried.org.requests.show()["log"]]
    for message in ("$batch", "CreateMultiple", "UpdateMultiple", "UpsertMultiple"):
        assert any(message in path for path in calls), message


NOTHING: dict[str, Any] = {
    **dict.fromkeys(VALUES), "lastname": "#N/A", "donotbulkemail": False, "new_agreed": False,
    "ownerid": ("systemuser", dataverse.OTHER_USER_ID),
}  # fmt: skip
MOST: dict[str, Any] = {
    **NOTHING, "lastname": "0", "new_int": 2**31 - 1, "new_big": 2**63 - 1, "new_whole": Decimal("100000000000"),
    "new_ratio": Decimal("-99999999999.9999999999"), "new_money": Decimal("922337203685476.5807"),
    "new_double": -99999999999.12345,
    "new_long": 'say "it",\n' * 9_999 + ".", "description": "é" * 2_000, "new_day": "9999-12-31",
    "new_lastopen": "1753-01-01T00:00:00Z", "new_wall": "9999-12-30T23:59:59Z",
    "parentcustomerid": ("account", ACCOUNT), "new_accountid": ("account", ACCOUNT),
}  # fmt: skip
LEAST: dict[str, Any] = {
    **NOTHING, "lastname": "one\r\ntwo", "new_int": 0, "new_big": -(2**63), "new_ratio": Decimal(0), "new_double": 0.0,
    "new_whole": Decimal(0), "new_money": Decimal("-0.0001"), "new_campaignscore": Decimal(0),
    "parentcustomerid": ("contact", BOSS),
}  # fmt: skip
EVERY: list[dict[str, Any]] = [
    NOTHING, MOST, LEAST,
    *({**NOTHING, "lastname": text, "description": text, "jobtitle": text} for text in HOSTILE.values()),
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=examples(2), derandomize=True, **QUIET)
@given(originals=st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=20 - len(EVERY)))
def test_every_column_makes_the_round(tried: Tried, originals: list[dict[str, Any]]) -> None:
    make_the_round(tried, [*EVERY, *originals])


@pytest.mark.slow
@pytest.mark.parametrize("road", ROADS)
@settings(max_examples=examples(8), **QUIET)
@example(originals=EVERY)
@given(originals=records)
def test_many_records_make_the_round(tried: Tried, road: str, originals: list[dict[str, Any]]) -> None:
    make_the_round(tried, originals, road)
