"""Whatever a field of the CRM holds comes back unchanged: CRM -> DuckDB -> model -> export -> CRM, on both roads."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids

from ..crm.contract import HOSTILE
from .conftest import Tried

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
]
TOPICS = ("Events", "Offers", "Products")
ACCOUNT = ids.make("001", 77)

# What the CRM would store: no blanks at the ends, no lone carriage return, no NUL.
signs = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")


def texts(longest: int, *, lines: bool = True) -> st.SearchStrategy[str | None]:
    """Texts that fit into a field of `longest` characters."""
    hostile = [text for text in HOSTILE.values() if len(text) <= longest and (lines or "\n" not in text)]
    kept = signs if lines else signs.filter(lambda sign: sign.isprintable())
    some = st.one_of(st.sampled_from(hostile), st.text(kept, max_size=min(longest, 80)))
    return st.one_of(st.none(), some.map(lambda text: text.strip()[:longest].strip() or None))


def numbers(digits: int, scale: int) -> st.SearchStrategy[float | None]:
    most = 10**digits - 1
    return st.one_of(st.none(), st.integers(-most, most).map(lambda n: float(Decimal(n).scaleb(-scale))))


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
}
OLD: dict[str, Any] = {
    "LastName": "Old", "FirstName": "Old", "Title": "Old", "Description": "Old", "MailingStreet": "Old",
    "Phone": "1", "Email": "old@example.com", "LeadSource": "Old", "Newsletter_Topics__c": "Events",
    "Birthdate": "1999-09-09", "Last_Open__c": "1999-09-09T09:09:09.000Z", "Campaign_Score__c": 9.9,
    "HasOptedOutOfEmail": True, "AccountId": None, "Count__c": 9, "Money__c": 9.99, "Share__c": 9.99,
    "Ratio__c": 9.9, "At__c": "09:09:09.000Z", "Web__c": "old", "Long__c": "Old", "Secret__c": "Old",
    "Agreed__c": True,
}  # fmt: skip
"""What the twins hold before: something that must go in every field."""

records = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=12)
TWINS = 210
"""So many rows at least go by a job: up to 200 would go by Collections."""

STEP = """
  - {{export: salesforce.Contact, name: {name}, from: {model}, mode: update, key: {{Id: crm_id}}, nulls: clear,
     batch: {{rows: {rows}}}, map: {{{pairs}}}}}
"""
MODEL = """
WITH newest AS (
  SELECT * FROM {{{{ source('salesforce', 'Contact') }}}}
  QUALIFY row_number() OVER (PARTITION BY Id ORDER BY LastModifiedDate DESC, _backhaul_seen_at DESC) = 1
)
SELECT twin.Id AS crm_id, {columns}
FROM newest AS twin
JOIN newest AS original ON original.Member_Number__c = 'S' || split_part(substr(twin.Member_Number__c, 2), '-', 1)
WHERE twin.Member_Number__c LIKE '{road}%'
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory, orgs: Running) -> Tried:
    columns = ", ".join(f"original.{name} AS {name.lower()}" for name in VALUES)
    pairs = ", ".join(f"{name}: {name.lower()}" for name in VALUES)
    steps = "".join(
        STEP.format(name=name, model=name, rows=rows, pairs=pairs) for name, rows in (("few", 100), ("many", 1000))
    )
    files = {
        "sources/salesforce.yml": (
            "account: salesforce\nobjects:\n"
            f"  Contact: {{road: bulk, fields: [Member_Number__c, {', '.join(VALUES)}]}}\n"
        ),
        "transforms/export/few.sql": MODEL.format(columns=columns, road="F"),
        "transforms/export/many.sql": MODEL.format(columns=columns, road="M"),
        "pipelines/round.yml": "steps:\n  - import: salesforce.Contact\n  - transform: +export\n" + steps,
    }
    return Tried(tmp_path_factory.mktemp("round"), orgs, "salesforce", files)


def make_the_round(tried: Tried, originals: list[dict[str, Any]]) -> None:
    """Each original is read, and written to twins by both roads; in the end the twins are as it is."""
    tried.fresh()
    tried.org.add_fields("Contact", ADDED)
    tried.org.seed("Account", [{"Id": ACCOUNT, "Name": "A"}])
    each = -(-TWINS // len(originals))
    twins = [f"F{n}-0" for n in range(len(originals))]
    twins += [f"M{n}-{copy}" for n in range(len(originals)) for copy in range(each)]
    tried.org.seed("Contact", [{"Member_Number__c": f"S{n}", **row} for n, row in enumerate(originals)])
    tried.org.seed("Contact", [{"Member_Number__c": name, **OLD} for name in twins])
    tried.org.clock.advance(5)
    result = tried.run("round")
    assert {step.state for step in result.steps} == {"done"}, [(step.message, step.details) for step in result.steps]
    held = {row["Member_Number__c"]: {name: row[name] for name in VALUES} for row in tried.org.dump("Contact")}
    for name in twins:
        original = held[f"S{name[1:].split('-')[0]}"]
        assert held[name] == original, {
            field: (held[name][field], value) for field, value in original.items() if held[name][field] != value
        }
    calls = [entry["path"] for entry in tried.org.requests.show()["log"]]
    assert any("/composite/sobjects" in path for path in calls)
    # A row that holds the text "#N/A" cannot go by a job: there it means empty.
    jobs = any("#N/A" not in row.values() for row in originals)
    assert any("/jobs/ingest" in path for path in calls) == jobs


NOTHING: dict[str, Any] = {**dict.fromkeys(VALUES), "LastName": "#N/A", "HasOptedOutOfEmail": False, "Agreed__c": False}


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@example(originals=[NOTHING, *({**NOTHING, "LastName": text, "Description": text} for text in HOSTILE.values())])
@given(originals=records)
def test_every_field_makes_the_round(tried: Tried, originals: list[dict[str, Any]]) -> None:
    make_the_round(tried, originals)


@pytest.mark.slow
def test_as_long_as_a_field_can_be(tried: Tried) -> None:
    long = {**NOTHING, "Description": 'say "it",\n' * 3_199 + ".", "Long__c": "é" * 131_072}
    make_the_round(tried, [{**row, "LastName": "Name"} for row in (long, *[NOTHING] * TWINS)])
