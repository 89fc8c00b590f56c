"""Failures of writing that the field knows, each held through whole steps of a project on the simulated Dataverse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from backhaul.crm import open_connector
from backhaul.simulator import Running
from backhaul.workflow import Workspace

from .conftest import QUICK, Tried, failed, reads_well
from .dynamics import NEWEST, made, newest, source

FEW, MANY = 12, 60
"""So many rows go by $batch, and by set messages."""
SLOW = pytest.mark.slow
BOTH = pytest.mark.parametrize("rows", [FEW, MANY], ids=["batch", "sets"])


@pytest.mark.slow
@BOTH
def test_a_null_of_the_model_clears_where_it_is_told_to(tmp_path: Path, orgs: Running, rows: int) -> None:
    """Case 11: `nulls: clear` empties, `leave` and what is not mapped stays; for a column or for all, on both roads."""
    export = "{export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},"
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source(
                "lastname, firstname, jobtitle, birthdate, new_campaignscore, department, parentcustomerid, "
                "gendercode, new_topics, donotphone"
            ),
            "transforms/export/wanted.sql": f"""
                select contactid as crm_id, null::varchar as none, null::date as born, null::double as score,
                       null::integer as code, 'New' as last from ({NEWEST})
                """,
            "pipelines/write.yml": f"""
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {export} name: some,
                     map: {{lastname: last, firstname: {{from: none, nulls: clear}}, jobtitle: none}}}}
                  - {export} name: all, nulls: clear,
                     map: {{birthdate: born, new_campaignscore: score, jobtitle: {{from: none, nulls: leave}},
                            parentcustomerid: none, gendercode: code, new_topics: none}}}}
                """,
        },
    )
    (above,) = tried.org.seed("account", [{"name": "Acme"}])
    before = {
        "firstname": "F", "jobtitle": "T", "birthdate": "1990-02-03", "new_campaignscore": 7.5, "department": "D",
        "parentcustomerid": above, "gendercode": 1, "new_topics": "100000000", "donotphone": True,
    }  # fmt: skip
    tried.org.seed("contact", [{"lastname": f"Old {n}", **before} for n in range(rows)])
    tried.org.clock.advance(5)
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    after = {
        "lastname": "New", "firstname": None, "jobtitle": "T", "birthdate": None, "new_campaignscore": None,
        "department": "D", "_parentcustomerid_value": None, "gendercode": None, "new_topics": None, "donotphone": True,
    }  # fmt: skip
    assert [{name: row[name] for name in after} for row in tried.org.dump("contact")] == [after] * rows
    assert sets(tried) == (rows == MANY)
    # What is empty is not emptied again.
    tried.org.clock.advance(5)
    assert [step.rows for step in tried.run("write").steps[2:]] == [0, 0]


def sets(tried: Tried) -> bool:
    """Whether set messages were sent."""
    return any("Multiple" in entry["path"] for entry in tried.org.requests.show()["log"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("upsert", MANY),
        *(pytest.param(*one, marks=SLOW) for one in (("upsert", FEW), ("update", FEW), ("update", MANY))),
    ],
)
def test_a_value_that_the_first_row_lacks_is_sent_for_the_others(
    tmp_path: Path, orgs: Running, mode: str, rows: int
) -> None:
    """Case 12: rows of one batch have columns of their own; what a row has none for stays as it is."""
    how = {
        "update": "mode: update, key: {contactid: crm_id}",
        "upsert": "mode: upsert, key: {new_membernumber: member}",
    }
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname, firstname, jobtitle, new_membernumber"),
            "transforms/export/wanted.sql": f"""
                select contactid as crm_id, new_membernumber as member, 'New' as last,
                       case when new_membernumber <> 'M000' then 'F' || new_membernumber end as first,
                       case when new_membernumber >= 'M005' then 'J' || new_membernumber end as job
                from ({NEWEST}) order by new_membernumber
                """,
            "pipelines/write.yml": f"""
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {{export: dynamics.contact, from: wanted, {how[mode]},
                     map: {{lastname: last, firstname: first, jobtitle: job}}}}
                """,
        },
    )
    people = [{"lastname": "Old", "jobtitle": "Old", "new_membernumber": f"M{n:03}"} for n in range(rows)]
    tried.org.seed("contact", people)
    tried.org.clock.advance(5)
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    found = {
        row["new_membernumber"]: (row["lastname"], row["firstname"], row["jobtitle"])
        for row in tried.org.dump("contact")
    }
    assert found == {
        f"M{n:03}": ("New", f"FM{n:03}" if n else None, f"JM{n:03}" if n >= 5 else "Old") for n in range(rows)
    }
    assert sets(tried) == (rows == MANY)


DAYS = [
    *(date(2026, 3, 7) + timedelta(days=n) for n in range(3)),  # clocks go forward in Los Angeles on the 8th
    *(date(2026, 10, 31) + timedelta(days=n) for n in range(3)),  # and back on November 1st
    date(1951, 5, 6), date(1883, 11, 18), date(1900, 1, 1), date(1970, 1, 1), date(1999, 12, 31), date(1753, 1, 1),
]  # fmt: skip
INSTANTS = ["2026-03-08T07:30:00Z", "2026-11-01T08:30:00Z", "2026-11-01T09:30:00Z", "2026-03-08T02:30:00Z"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "copies"),
    [
        ("Asia/Tokyo", 1),
        pytest.param("America/Los_Angeles", 3, marks=SLOW),
        pytest.param("Asia/Tokyo", 3, marks=SLOW),
        pytest.param("America/Los_Angeles", 1, marks=SLOW),
    ],
)
def test_a_date_is_the_same_on_every_machine(tmp_path: Path, orgs: Running, zone: str, copies: int) -> None:
    """Case 13: read, modelled and written back by a machine in UTC+9 or UTC-8, across the change of its clocks.

    Dates, instants (user local), and wall clocks (time-zone independent); by $batch and by sets.
    """
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source(
                "lastname, new_membernumber, {name: birthdate, convert: date_only}, new_lastopen, new_wall"
            ),
            "transforms/staging/people.sql": NEWEST,
            "transforms/export/wanted.sql": """
                select twin.contactid as crm_id, one.birthdate as born, one.new_lastopen as opened, one.new_wall as wall
                from {{ ref('people') }} as one
                join {{ ref('people') }} as twin on split_part(twin.new_membernumber, '-', 2) = one.new_membernumber
                """,
            "pipelines/round.yml": """
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},
                     map: {birthdate: born, new_lastopen: opened, new_wall: wall}}
                """,
        },
    )
    tried.org.add_fields(
        "contact",
        [{"name": "new_wall", "type": "DateTime", "format": "DateAndTime", "behavior": "TimeZoneIndependent"}],
    )
    rows = [
        {"lastname": "One", "new_membernumber": f"{n}", "birthdate": day.isoformat(),
         "new_lastopen": INSTANTS[n % 4], "new_wall": INSTANTS[n % 4]}
        for n, day in enumerate(DAYS)
    ]  # fmt: skip
    tried.org.seed("contact", rows)
    twins = [f"{copy}-{n}" for n in range(len(DAYS)) for copy in range(copies)]
    tried.org.seed("contact", [{"lastname": "Twin", "new_membernumber": twin} for twin in twins])
    tried.org.clock.advance(5)
    done = subprocess.run(
        [sys.executable, "-m", "backhaul", "run", "round", "--project-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **orgs.environment, "TZ": zone},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held = {
        row["new_membernumber"]: (row["birthdate"], row["new_lastopen"], row["new_wall"])
        for row in tried.org.dump("contact")
    }
    assert {twin: held[twin] for twin in twins} == {twin: held[twin.split("-")[1]] for twin in twins}
    assert [held[f"{n}"][0] for n in range(len(DAYS))] == [day.isoformat() for day in DAYS]
    mirror = tried.rows(newest("new_membernumber AS n, birthdate, CAST(new_wall AS VARCHAR) AS wall"))
    found = {row["n"]: (row["birthdate"], row["wall"].replace(" ", "T") + "Z") for row in mirror if "-" not in row["n"]}
    assert found == {f"{n}": (day, INSTANTS[n % 4]) for n, day in enumerate(DAYS)}


MERGED = {
    "sources/dynamics.yml": source("lastname, new_membernumber, new_campaignscore, donotbulkemail, merged, masterid"),
    "transforms/seeds/scores.yml": "seeds: [{name: scores, config: {column_types: {score: double}}}]\n",
    # The loser of a merge stays, inactive, and names its master; so that the links follow it.
    "transforms/staging/people.sql": f"""
        select contactid, coalesce(masterid, _backhaul_survivor) as survivor, new_membernumber as person,
               donotbulkemail as opted_out
        from ({NEWEST})
        """,
    "transforms/campaign/links.sql": """
        select scores.person, coalesce(people.survivor, people.contactid) as crm_id, people.opted_out
        from {{ ref('scores') }} as scores join {{ ref('people') }} as people using (person)
        """,
    "transforms/export/wanted.sql": """
        select links.crm_id, max(scores.score) as score, bool_or(links.opted_out) as opted_out
        from {{ ref('links') }} as links join {{ ref('scores') }} as scores using (person) group by links.crm_id
        """,
    "pipelines/write.yml": """
        steps:
          - import: dynamics.contact
          - import_deleted: dynamics.contact
          - transform: +export
          - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},
             map: {new_campaignscore: score, donotbulkemail: {from: opted_out, only_tighten: true}}}
        """,
}


@pytest.mark.slow
def test_what_was_meant_for_a_merged_record_goes_to_the_survivor(tmp_path: Path, orgs: Running) -> None:
    """Case 18: the loser of a merge was linked, a write to it was refused and is pending, and it had opted out."""
    tried = made(tmp_path, orgs, {**MERGED, "transforms/seeds/scores.csv": "person,score\nM1,1\nM2,2\n"})
    kept, lost = tried.org.seed(
        "contact",
        [
            {"lastname": "Kept", "new_membernumber": "M1"},
            {"lastname": "Lost", "new_membernumber": "M2", "donotbulkemail": True},
        ],
    )
    tried.org.clock.advance(5)
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    # The next score is on its way to the record when it is merged away: that row is refused by a plug-in.
    tried.edit({"transforms/seeds/scores.csv": "person,score\nM1,1\nM2,9\n"})
    tried.org.clock.advance(5)
    plug_in = {"object": "contact", "messages": ["Update"], "when": {"lastname": "Lost"}, "refuse": "Under review."}
    tried.org.verbs["plugins"](plug_in)
    assert tried.run("write").steps[-1].details["rejected"] == 1
    tried.org.verbs["plugins"]([])
    merge(tried, kept, lost)
    tried.org.clock.advance(5)
    result = tried.run("write")
    assert not failed(result), [step.message for step in result.steps]
    assert tried.rows("SELECT person, crm_id FROM campaign.links ORDER BY 1") == [
        {"person": "M1", "crm_id": kept},
        {"person": "M2", "crm_id": kept},
    ]
    there = {row["contactid"]: row for row in tried.org.dump("contact")}
    assert (there[kept]["new_campaignscore"], there[kept]["donotbulkemail"]) == (9, True)
    assert (there[lost]["new_campaignscore"], there[lost]["statecode"]) == (2, 1)
    assert (result.steps[-1].state, result.steps[-1].details["updated"]) == ("done", 1)
    with Workspace(tried.project) as workspace:
        assert workspace.ledger.rejects() == []


def merge(tried: Tried, master: str, loser: str) -> None:
    """Merge two contacts as a user does: the master's values stand."""
    kind = "Microsoft.Dynamics.CRM.contact"
    body = {
        "Target": {"contactid": master, "@odata.type": kind},
        "Subordinate": {"contactid": loser, "@odata.type": kind},
        "UpdateContent": {"@odata.type": kind, "donotbulkemail": False},
        "PerformParentingChecks": False,
    }
    with closing(open_connector(tried.project.profile.accounts["dynamics"], policy=QUICK)) as crm:
        crm._service.post("Merge", "merge contacts", json.dumps(body).encode(), {})  # type: ignore[attr-defined]


WRITES: dict[str, Any] = {
    # mode: how the step is declared
    "create": "identify: member, map: {lastname: name, new_membernumber: member}",
    "upsert": "mode: upsert, key: {new_membernumber: member}, map: {lastname: name}",
    "update": "mode: update, key: {contactid: crm_id}, map: {lastname: name}",
}


def writing(tmp_path: Path, orgs: Running, mode: str, rows: int) -> Tried:
    """A project that writes `rows` contacts, which are there for an update."""
    wanted = f"select 'M' || i as member, 'N' || i as name from range({rows}) as t(i)"
    if mode == "update":
        wanted = f"select contactid as crm_id, 'N' || substr(new_membernumber, 2) as name from ({NEWEST})"
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname, new_membernumber"),
            "transforms/export/wanted.sql": wanted,
            "pipelines/write.yml": f"""
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {{export: dynamics.contact, from: wanted, {WRITES[mode]}}}
                """,
        },
    )
    there(tried, mode, rows)
    return tried


def there(tried: Tried, mode: str, rows: int) -> None:
    if mode == "update":
        tried.org.seed("contact", [{"lastname": "Old", "new_membernumber": f"M{n}"} for n in range(rows)])
    tried.org.clock.advance(5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("create", MANY),
        ("upsert", FEW),
        pytest.param("create", FEW, marks=SLOW),
        pytest.param("upsert", MANY, marks=SLOW),
        pytest.param("create", 2_500, marks=SLOW),
    ],
)
def test_a_commit_without_a_reply_is_not_made_again(tmp_path: Path, orgs: Running, mode: str, rows: int) -> None:
    """Case 21: one reply of the writing is lost, or all of them: one record a row exists after the retry."""
    tried = writing(tmp_path, orgs, mode, rows)
    # Describing a table takes two $batch.
    path, skip = (r"/\$batch", 2) if rows == FEW else ("Multiple", 0)
    for times in (1, 0):
        tried.fresh()
        there(tried, mode, rows)
        tried.fault(path, {"drop_reply": True}, method="POST", skip=skip, times=times)
        first = tried.run("write")
        # New ids are looked up; an upsert whose every reply is lost is left to the next run.
        assert bool(failed(first)) == (not times and (mode == "upsert" or rows == FEW)), [
            step.message for step in first.steps
        ]
        for step in failed(first):
            assert reads_well(step.message), step.message
        tried.org.faults.clear()
        tried.org.clock.advance(5)
        second = tried.run("write")
        assert not failed(second), [step.message for step in second.steps]
        assert Counter(row["lastname"] for row in tried.org.dump("contact")) == Counter(f"N{n}" for n in range(rows))
        assert not tried.books().get("in_doubt")


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    ["create", pytest.param("update", marks=SLOW), pytest.param("upsert", marks=SLOW)],
)
def test_one_bad_row_of_a_set_costs_one_reject(tmp_path: Path, orgs: Running, mode: str) -> None:
    """Case 22: a plug-in refuses one of a thousand rows, and with it the whole set; 999 land, and the one says why."""
    tried = writing(tmp_path, orgs, mode, 1_000)
    tried.org.verbs["plugins"]({"object": "contact", "when": {"lastname": "N417"}, "refuse": "Credit limit reached."})
    result = tried.run("write")
    told = result.steps[-1]
    assert (told.state, told.details["rejected"], told.rows) == ("done with rejects", 1, 999), told.message
    (reject,) = told.details["rejects"]
    assert (reject["symbol"].lower(), reject["message"]) == ("0x80040265", "Credit limit reached.")
    names = Counter(row["lastname"] for row in tried.org.dump("contact"))
    assert {name for name in names if name != "Old"} == {f"N{n}" for n in range(1_000) if n != 417}
    assert len(names) == names.total() == (1_000 if mode == "update" else 999)
    assert tried.books() == {"done": 999, "rejected": 1}


@pytest.mark.slow
@pytest.mark.parametrize("children", [3_000, pytest.param(12_000, marks=SLOW)])
def test_children_of_few_parents(tmp_path: Path, orgs: Running, children: int) -> None:
    """Case 23: sets that lose a deadlock are sent again; what never got through does not count as sent."""
    # A batch is one set: it is written or it is not, however quickly the machine answers.
    parents, part = 12, children // 30
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname, parentcustomerid, new_campaignscore, new_membernumber"),
            "transforms/export/wanted.sql": f"""
                select contactid as crm_id, cast(new_membernumber as integer) % 100 + 0.5 as score from ({NEWEST})
                """,
            "pipelines/write.yml": f"""
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {{export: dynamics.contact, from: wanted, mode: update, key: {{contactid: crm_id}},
                     batch: {{rows: {min(part, 200)}, parallel: 4}}, rejects: {{retry: {{attempts: 2, wait: 0s}}}},
                     map: {{new_campaignscore: score}}}}
                """,
        },
    )
    above = tried.org.seed("account", [{"name": f"A{n}"} for n in range(parents)])
    tried.org.seed(
        "contact",
        [
            {"lastname": "L", "new_membernumber": f"{n}", "parentcustomerid": above[n % parents]}
            for n in range(children)
        ],
    )
    tried.org.clock.advance(5)
    lost = {
        "error": {
            "code": "0x80044150",
            "message": "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 "
            "Sql Number: 1205",
        }
    }
    deadlock = {"status": 500, "headers": {"Content-Type": "application/json"}, "body": json.dumps(lost)}
    # Some sets meet another one, now and then; and after a while every set does, whatever is tried.
    tried.fault("UpdateMultiple", deadlock, skip=2, times=3)
    tried.fault("UpdateMultiple", deadlock, skip=15, times=0)
    rounds = []
    result = tried.run("write")
    for _ in range(4):
        told, books = result.steps[-1], tried.books()
        scores = Counter(row["new_campaignscore"] for row in tried.org.dump("contact"))
        written = children - scores.get(None, 0)
        rounds.append(written)
        # Counted as done is what the environment did; the others were not sent, or are told as rejects.
        assert books["done"] == written, (told.message, books)
        anew = written - (rounds[-2] if len(rounds) > 1 else 0)
        for step in failed(result):
            assert f"stopped after {anew:,} of" in step.message and reads_well(step.message), step.message
        assert failed(result) or told.rows == anew, told.message
        if not failed(result) and not books.get("rejected"):
            break
        tried.org.faults.clear()
        tried.org.clock.advance(3_600)
        result = tried.run("write")
    assert 0 < rounds[0] < children, rounds
    assert written == children
    assert {float(value): n for value, n in scores.items()} == Counter((n % 100) + 0.5 for n in range(children))


def test_a_road_in_the_yaml_is_taken(tmp_path: Path, orgs: Running) -> None:
    """`batch: {road: batch}`: so many rows would go by set messages, and go one request a row."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname, jobtitle"),
            "transforms/export/wanted.sql": f"select contactid as crm_id, 'J' as job from ({NEWEST})",
            "pipelines/write.yml": """
                steps:
                  - import: dynamics.contact
                  - transform: +export
                  - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},
                     map: {jobtitle: job}, batch: {road: batch, rows: 50}}
                """,
        },
    )
    tried.org.seed("contact", [{"lastname": f"N {n}"} for n in range(MANY)])
    tried.org.clock.advance(5)
    assert not failed(tried.run("write"))
    assert {row["jobtitle"] for row in tried.org.dump("contact")} == {"J"} and not sets(tried)
    written = [one for one in tried.org.requests.show()["log"] if one["path"].endswith("$batch")]
    assert len(written) >= 2


@pytest.mark.slow
def test_a_lookup_by_an_alternate_key_is_sent_once(tmp_path: Path, orgs: Running) -> None:
    """By accounts that are imported the second plan is empty; what was sent by the key alone is found again, too."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": "account: dynamics\nobjects:\n  contact: {fields: [lastname, parentcustomerid]}\n"
            "  account: {fields: [name, accountnumber]}\n",
            "transforms/export/wanted.sql": f"""
                select contactid as crm_id, 'account:accountnumber=' || lastname as company from ({NEWEST})
                """,
            "pipelines/read.yml": "steps:\n  - import: dynamics.account\n  - import: dynamics.contact\n"
            "  - transform: +export\n",
            "pipelines/write.yml": """
                steps:
                  - {export: dynamics.contact, from: wanted, mode: update, key: {contactid: crm_id},
                     map: {parentcustomerid: company}}
                """,
        },
    )
    known, later = (
        tried.org.verbs["tables"],
        {"object": "account", "keys": [{"name": "no", "columns": ["accountnumber"]}]},
    )
    known(later)
    tried.org.seed("account", [{"name": "Acme", "accountnumber": "A1"}])
    tried.org.seed("contact", [{"lastname": "A1"}, {"lastname": "B2"}])
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    # The mirror does not know this one yet, and its key is sent.
    (late,) = tried.org.seed("account", [{"name": "Late", "accountnumber": "B2"}])
    assert [(step.state, step.rows) for step in tried.run("write").steps] == [("done", 2)]
    leads = {row["lastname"]: row["_parentcustomerid_value"] for row in tried.org.dump("contact")}
    assert leads["B2"] == late and leads["A1"]
    # Without an import between, what was sent counts; the key that was sent is not known to be the record's.
    assert [step.rows for step in tried.run("write").steps] == [0]
    tried.org.clock.advance(900)
    assert not failed(tried.run("read"))
    assert [step.rows for step in tried.run("write").steps] == [0]
    assert not tried.rows("SELECT * FROM backhaul.conflicts")
