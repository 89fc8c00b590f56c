"""Whatever a field of the CRM holds comes back unchanged: CRM -> DuckDB -> model -> export -> CRM, on every road.

Case 10, too: "NA", "None", "null", "nan", "#N/A" as text, leading zeros, 0 and false arrive as they are, and what is
empty stays empty.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids
from tests.examples import examples

from ..crm.contract import HOSTILE
from .conftest import Tried
from .rounds import QUIET, TAIL, differences, numbers, texts, twins

ADDED: list[dict[str, Any]] = [
    {"name": "Count__c", "type": "int", "digits": 8},
    {"name": "Money__c", "type": "currency", "precision": 18, "scale": 2},
    {"name": "Share__c", "type": "percent", "precision": 5, "scale": 2},
    {"name": "Ratio__c", "type": "double", "precision": 15, "scale": 9},
    {"name": "At__c", "type": "time"},
    {"name": "Web__c", "type": "url", "length": 255},
    {"name": "Long__c", "type": "textarea", "length": 131_072},
    {"name": "Secret__c", "type": "encryptedstring", "length": 175},
    {"name": "Agreed__c", "type": "boolean"},
    {"name": "Combo__c", "type": "combobox", "length": 255},
    {"name": "Choice__c", "type": "picklist", "length": 40},
    {"name": "Call__c", "type": "phone", "length": 40},
    {"name": "Mail__c", "type": "email", "length": 80},
    {"name": "Day__c", "type": "date"},
]
TOPICS = ("Events", "Offers", "Product")
ACCOUNT = ids.make("001", 77)


def stamps() -> st.SearchStrategy[str | None]:
    """Instants as the CRM keeps them: whole seconds."""
    moments = st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31)).map(lambda at: at.replace(microsecond=0))
    return st.one_of(st.none(), moments.map(lambda at: at.isoformat() + ".000Z"))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "LastName": texts(80).map(lambda text: text or "null"),
    "FirstName": texts(40),
    "Title": texts(128),
    "Description": texts(32_000),
    "MailingStreet": texts(255),
    "Phone": st.one_of(st.none(), st.sampled_from(["007", "+49 (0)30/1234", "0", "1e5"])),
    "Email": st.one_of(st.none(), st.sampled_from(["null@example.com", "o'neil+x@example.org", "na@example.com"])),
    "LeadSource": texts(255, lines=False).map(lambda text: text and text.replace(";", ",")),
    "Newsletter_Topics__c": st.one_of(
        st.none(), st.sets(st.sampled_from(TOPICS), min_size=1).map(lambda chosen: ";".join(sorted(chosen)))
    ),
    "Birthdate": st.one_of(st.none(), st.dates(date(1700, 1, 1), date(4000, 12, 31)).map(date.isoformat)),
    "Last_Open__c": stamps(),
    "Campaign_Score__c": st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 10)),
    "HasOptedOutOfEmail": st.booleans(),
    "AccountId": st.sampled_from([None, ACCOUNT]),
    "Count__c": st.one_of(st.none(), st.integers(-(10**8) + 1, 10**8 - 1)),
    "Money__c": numbers(15, 2),
    "Share__c": numbers(5, 2),
    "Ratio__c": numbers(15, 9),
    "At__c": st.one_of(
        st.none(),
        st.integers(0, 86_399_999).map(
            lambda ms: f"{(datetime.min + timedelta(milliseconds=ms)).time().isoformat('milliseconds')}Z"
        ),
    ),
    "Web__c": st.one_of(st.none(), st.sampled_from(['https://example.com/?a=1&b=%20,"x"', "null"])),
    "Long__c": st.one_of(texts(131_072), st.just('"é,\n' * 500 + ".")),
    "Secret__c": texts(175, lines=False),
    "Agreed__c": st.booleans(),
    "Combo__c": texts(255, lines=False),
    "Choice__c": texts(40, lines=False).map(lambda text: text and text.replace(";", ",")),
    "Call__c": texts(40, lines=False),
    "Mail__c": st.one_of(st.none(), st.sampled_from(["none@example.com", "#n/a@example.com"])),
    "Day__c": st.one_of(st.none(), st.dates(date(1700, 1, 1), date(4000, 12, 31)).map(date.isoformat)),
}
OLD: dict[str, Any] = {
    "LastName": "Old", "FirstName": "Old", "Title": "Old", "Description": "Old", "MailingStreet": "Old",
    "Phone": "1", "Email": "old@example.com", "LeadSource": "Old", "Newsletter_Topics__c": "Events",
    "Birthdate": "1999-09-09", "Last_Open__c": "1999-09-09T09:09:09.000Z", "Campaign_Score__c": 9.9,
    "HasOptedOutOfEmail": True, "AccountId": None, "Count__c": 9, "Money__c": 9.99, "Share__c": 9.99,
    "Ratio__c": 9.9, "At__c": "09:09:09.000Z", "Web__c": "old", "Long__c": "Old", "Secret__c": "Old",
    "Agreed__c": True, "Combo__c": "Old", "Choice__c": "Old", "Call__c": "2", "Mail__c": "old@example.org",
    "Day__c": "1999-09-09",
}  # fmt: skip
"""What the twins hold before: something that must go in every field."""

records = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=24)
TWINS = 210
"""So many rows at least go by a job: up to 200 would go by Collections."""

WAYS = {
    # prefix of the twins: (how they are written, copies of each original: one by Collections, many by a job)
    "F": ("mode: update, key: {Id: crm_id}", "one"),
    "M": ("mode: update, key: {Id: crm_id}", "all"),
    "U": ("mode: upsert, key: {Member_Number__c: member}", "one"),
    "V": ("mode: upsert, key: {Member_Number__c: member}", "all"),
    "C": ("identify: member", "one"),
    "D": ("identify: member", "all"),
}
STEP = """
  - {{export: salesforce.Contact, name: {name}, from: {model}, {how}, nulls: clear, batch: {{rows: {rows}}},
     map: {{{pairs}}}}}
"""
MODEL = """
WITH newest AS (
  SELECT * FROM {{{{ source('salesforce', 'Contact') }}}}
  QUALIFY row_number() OVER (PARTITION BY Id ORDER BY LastModifiedDate DESC, _backhaul_seen_at DESC) = 1
),
copies AS (SELECT unnest(range((SELECT count(*) FROM newest WHERE Member_Number__c LIKE 'M0-%'))) AS copy),
wanted AS (
  SELECT '{way}' || substr(Member_Number__c, 2) || '-' || copy || '{tail}' AS member, {columns}
  FROM newest AS original CROSS JOIN copies WHERE Member_Number__c LIKE 'S%' AND {which}
)
SELECT twin.Id AS crm_id, wanted.*
FROM wanted LEFT JOIN newest AS twin ON twin.Member_Number__c = wanted.member
"""


def project(folder: Path, orgs: Running, road: str) -> Tried:
    columns = ", ".join(f"original.{name} AS {name.lower()}" for name in VALUES)
    mapped = ", ".join(f"{name}: {name.lower()}" for name in VALUES)
    steps, models = "", {}
    for way, (how, copies) in WAYS.items():
        # A new record is told from others by its number.
        pairs = mapped if "identify" not in how else f"{mapped}, Member_Number__c: member"
        rows = 100 if copies == "one" else 1000
        steps += STEP.format(name=f"way_{way}", model=f"rows_{way}".lower(), how=how, rows=rows, pairs=pairs)
        which = "copy = 0" if copies == "one" else "true"
        text = MODEL.format(columns=columns, way=way, which=which, tail=TAIL.replace("'", "''"))
        models[f"transforms/export/rows_{way.lower()}.sql"] = text
    files = {
        "sources/salesforce.yml": (
            "account: salesforce\nobjects:\n"
            f"  Contact: {{road: {road}, fields: [Member_Number__c, {', '.join(VALUES)}]}}\n"
        ),
        **models,
        "pipelines/round.yml": "steps:\n  - import: salesforce.Contact\n  - transform: +export\n" + steps,
    }
    return Tried(folder, orgs, "salesforce", files)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    return project(tmp_path_factory.mktemp("round"), orgs, "bulk")


@pytest.fixture(scope="module")
def by_calls(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    return project(tmp_path_factory.mktemp("calls"), orgs, "rest")


def make_the_round(tried: Tried, originals: list[dict[str, Any]]) -> None:
    """Each original is read, and written to twins by every road; in the end the twins are as it is."""
    tried.fresh()
    tried.org.add_fields("Contact", ADDED)
    tried.org.seed("Account", [{"Id": ACCOUNT, "Name": "A"}])
    names = twins(WAYS, len(originals), TWINS)
    tried.org.seed("Contact", [{"Member_Number__c": f"S{n}", **row} for n, row in enumerate(originals)])
    # Those that are updated are there, of those that are upserted every other one.
    there = [names[twin] for twin in names if twin[0] in "FM" or (twin[0] in "UV" and sum(twin[1:]) % 2)]
    tried.org.seed("Contact", [{"Member_Number__c": name, **OLD} for name in there])
    tried.org.clock.advance(5)
    result = tried.run("round")
    rejects = [reject for step in result.steps for reject in step.details.get("rejects", ())]
    refused = {(reject["symbol"], reject["message"], reject["fields"]) for reject in rejects}
    assert not refused, refused
    assert {step.state for step in result.steps} == {"done"}, [step.message for step in result.steps]
    rows = tried.org.dump("Contact")
    held = {row["Member_Number__c"]: {name: row[name] for name in VALUES} for row in rows}
    assert sorted(row["Member_Number__c"] for row in rows) == sorted(
        [*names.values(), *(f"S{n}" for n in range(len(originals)))]
    )
    for (_, n, _), name in names.items():
        original = held[f"S{n}"]
        assert held[name] == original, name + str(differences(held[name], original))
    calls = [entry["path"] for entry in tried.org.requests.show()["log"]]
    assert any("/composite/sobjects" in path for path in calls)
    assert any("/jobs/ingest" in path for path in calls) == any(map(fits_a_file, originals))


def fits_a_file(row: dict[str, Any]) -> bool:
    """Whether a job can take a row: "#N/A" means empty there, and a CSV reader may take control characters for ends."""
    texts = [value for value in row.values() if isinstance(value, str)]
    return "#N/A" not in texts and not any(
        sign < " " or sign == "\x7f" for sign in "".join(texts) if sign not in "\t\n"
    )


NOTHING: dict[str, Any] = {**dict.fromkeys(VALUES), "LastName": "#N/A", "HasOptedOutOfEmail": False, "Agreed__c": False}


EVERY: list[dict[str, Any]] = [
    NOTHING,
    *({**NOTHING, "LastName": text, "Description": text, "Title": text} for text in HOSTILE.values()),
]


@pytest.mark.slow
def test_every_field_makes_the_round(tried: Tried) -> None:
    make_the_round(tried, EVERY)


@pytest.mark.slow
@settings(max_examples=examples(9), **QUIET)
@given(originals=records)
def test_many_records_make_the_round(tried: Tried, originals: list[dict[str, Any]]) -> None:
    make_the_round(tried, originals)


@pytest.mark.slow
@settings(max_examples=examples(6), **QUIET)
@example(originals=EVERY)
@given(originals=records)
def test_every_field_makes_the_round_by_calls(by_calls: Tried, originals: list[dict[str, Any]]) -> None:
    make_the_round(by_calls, originals)


@pytest.mark.slow
def test_as_long_as_a_field_can_be(tried: Tried) -> None:
    long = {**NOTHING, "Description": 'say "it",\n' * 3_199 + ".", "Long__c": "é" * 131_072}
    make_the_round(tried, [{**row, "LastName": "Name"} for row in (long, *[NOTHING] * TWINS)])
