"""Failures of reading that the field knows, each held through whole steps of a project on the simulated Dataverse."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backhaul.simulator import Running
from backhaul.workflow import Workspace

from .conftest import Tried, failed, reads_well
from .dynamics import LIVE, NEWEST, RAW, ROADS, WINDOWS_FIRST, made, newest, small_pages, source

pytestmark = pytest.mark.slow
"""Each case is a pipeline run or several."""

READ = {"pipelines/read.yml": "steps:\n  - import: dynamics.contact\n"}
LOOK = {
    "pipelines/look.yml": "steps:\n  - import: dynamics.contact\n  - import_deleted: dynamics.contact\n",
    "pipelines/gone.yml": "steps:\n  - import_deleted: dynamics.contact\n",
}


def plain(folder: Path, orgs: Running, road: str, fields: str = "lastname") -> Tried:
    """A project that reads contacts, and what was deleted of them."""
    return made(folder, orgs, {"sources/dynamics.yml": source(fields), **READ, **LOOK}, road)


def names(tried: Tried) -> list[str]:
    return sorted(row["lastname"] for row in tried.rows(newest()))


def held(tried: Tried) -> list[str]:
    return sorted(row["lastname"] for row in tried.org.dump("contact"))


@pytest.mark.parametrize("road", WINDOWS_FIRST)
def test_what_becomes_visible_late_comes_with_the_next_run(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 1: a record stamped before the end of the last window is committed after it was read."""
    tried = plain(tmp_path, orgs, road)
    tried.org.seed("contact", [{"lastname": "A"}])
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    tried.org.seed("contact", [{"lastname": "Late"}], modified_at=tried.org.clock.now() - timedelta(seconds=4))
    tried.org.clock.advance(900)
    assert not failed(tried.run("read"))
    assert names(tried) == ["A", "Late"]


@pytest.mark.parametrize("rows", [1_200, pytest.param(12_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("road", WINDOWS_FIRST)
def test_many_of_one_second_arrive_once(
    tmp_path: Path, orgs: Running, monkeypatch: pytest.MonkeyPatch, road: str, rows: int
) -> None:
    """Case 2: all records share one stamp, over page ends and over a download that broke off."""
    if rows < 5_000:
        small_pages(monkeypatch, 500)
    tried = plain(tmp_path, orgs, road)
    stamp = tried.org.clock.now() - timedelta(hours=1)
    tried.org.seed("contact", [{"lastname": f"N{n}"} for n in range(rows)], modified_at=stamp)
    tried.fault(r"/contacts\?.*skiptoken", {"status": 503}, skip=1, times=0)
    (step,) = failed(tried.run("read"))
    assert reads_well(step.message), step.message
    tried.org.faults.clear()
    tried.org.requests.clear()
    assert not failed(tried.run("read"))
    assert tried.rows(f"SELECT count(*) AS n, count(DISTINCT contactid) AS ids FROM {RAW}") == [
        {"n": rows, "ids": rows}
    ]
    if road == "windows" and rows < 5_000:
        # Page three is where it goes on. A reading by change tracking begins anew at its link.
        assert "skiptoken" in pages(tried)[0], pages(tried)


def pages(tried: Tried) -> list[str]:
    log = tried.org.requests.show()["log"]
    return [one["query"] for one in log if one["path"].endswith("/contacts")]


@pytest.mark.parametrize("road", WINDOWS_FIRST)
def test_what_is_loaded_twice_is_one_current_row(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 3: a changed record comes in the overlap of two windows, and again with everything."""
    tried = plain(tmp_path, orgs, road)
    (one, _) = tried.org.seed("contact", [{"lastname": "A"}, {"lastname": "B"}])
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    tried.org.change("contact", [{"contactid": one, "lastname": "C"}])
    for _ in range(2):
        tried.org.clock.advance(30)
        assert not failed(tried.run("read"))
    with Workspace(tried.project) as workspace:
        assert not failed(workspace.run("read", full_refresh=True))
    assert names(tried) == ["B", "C"]
    assert tried.rows(f"SELECT count(*) AS n FROM {RAW}") == [{"n": 3}]


@pytest.mark.parametrize("road", WINDOWS_FIRST)
def test_an_empty_increment_leaves_everything_as_it_is(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 4: nothing changed, and the tables behind the import keep their rows."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname"),
            "transforms/campaign/people.sql": LIVE,
            "pipelines/all.yml": """
                steps:
                  - import: dynamics.contact
                  - import_deleted: dynamics.contact
                  - transform: people
                """,
        },
        road,
    )
    tried.org.seed("contact", [{"lastname": f"N{n}"} for n in range(20)])
    for _ in range(2):
        tried.org.clock.advance(3_600)
        assert not failed(tried.run("all"))
        assert tried.rows("SELECT count(*) AS n FROM campaign.people") == [{"n": 20}]
    assert tried.rows(f"SELECT count(*) AS n FROM {RAW}") == [{"n": 20}]


@pytest.mark.slow
@pytest.mark.parametrize("road", WINDOWS_FIRST)
def test_a_column_that_is_added_between_increments(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 5: the counts of each day still are those of the CRM, and each value is there."""
    tried = plain(tmp_path, orgs, road, "lastname, createdon")
    start = tried.org.clock.now() - timedelta(days=4)

    def day(number: int) -> None:
        stamp = (start + timedelta(days=number)).isoformat()
        people = [{"lastname": f"D{number}-{n}", "jobtitle": f"J{n}", "createdon": stamp} for n in range(5 + number)]
        tried.org.seed("contact", people)

    for number in range(2):
        day(number)
        tried.org.clock.advance(1_200)
        assert not failed(tried.run("read"))
    tried.edit({"sources/dynamics.yml": source("lastname, createdon, jobtitle")})
    for number in range(2, 4):
        day(number)
        tried.org.clock.advance(1_200)
        assert not failed(tried.run("read"))
    found = tried.rows(newest("lastname, jobtitle, strftime(createdon AT TIME ZONE 'UTC', '%Y-%m-%d') AS day"))
    there = tried.org.dump("contact")
    assert Counter(row["day"] for row in found) == Counter(row["createdon"][:10] for row in there)
    assert {row["lastname"]: row["jobtitle"] for row in found} == {row["lastname"]: row["jobtitle"] for row in there}


@pytest.mark.parametrize("road", ROADS)
def test_a_column_that_appears_and_is_filled_during_a_run(
    tmp_path: Path, orgs: Running, monkeypatch: pytest.MonkeyPatch, road: str
) -> None:
    """Case 6: records that change meanwhile carry it, the older ones are filled, stamped or not."""
    small_pages(monkeypatch, 10)
    tried = plain(tmp_path, orgs, road)
    long_ago = tried.org.clock.now() - timedelta(days=2)
    ids = tried.org.seed("contact", [{"lastname": f"N{n}"} for n in range(30)], modified_at=long_ago)
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    tried.org.add_fields("contact", [{"name": "new_tier", "type": "String"}])
    tried.edit({"sources/dynamics.yml": source("lastname, new_tier")})
    # Filled without a stamp, as an import by the administrator may do it.
    tried.org.change("contact", [{"contactid": one, "new_tier": "old"} for one in ids], modified_at=long_ago)
    tried.fault(r"/contacts\?.*skiptoken", {"status": 503}, skip=1, times=0)
    tried.org.clock.advance(900)
    assert failed(tried.run("read"))
    tried.org.faults.clear()
    # The first two pages lie in the spool when their records change.
    tried.org.change("contact", [{"contactid": one, "new_tier": "new"} for one in sorted(ids)[:5]])
    tried.org.clock.advance(900)
    assert not failed(tried.run("read"))
    found = {row["contactid"]: row["new_tier"] for row in tried.rows(newest("contactid, new_tier"))}
    assert found == {one: "new" if one in sorted(ids)[:5] else "old" for one in ids}


@pytest.mark.parametrize("lag", [pytest.param(0, marks=pytest.mark.slow), 60], ids=["shown at once", "shown late"])
@pytest.mark.parametrize("road", ROADS)
def test_a_column_that_is_removed_keeps_its_last_values(tmp_path: Path, orgs: Running, road: str, lag: int) -> None:
    """Case 7: the run names it and does the rest; while the metadata still shows it, the run fails in words."""
    tried = plain(tmp_path, orgs, road, "lastname, new_tier")
    tried.org.add_fields("contact", [{"name": "new_tier", "type": "String"}])
    one, two = tried.org.seed("contact", [{"lastname": "A", "new_tier": "gold"}, {"lastname": "B", "new_tier": "iron"}])
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    tried.org.settings({"metadata_lag_seconds": lag})
    tried.org.verbs["tables"]({"object": "contact", "dropped": ["new_tier"]})
    tried.org.change("contact", [{"contactid": one, "lastname": "C"}])
    tried.org.clock.advance(5)
    if lag:
        (step,) = failed(tried.run("read"))
        assert "new_tier" in step.message and reads_well(step.message), step.message
        assert names(tried) == ["A", "B"]
        tried.org.clock.advance(lag)
    result = tried.run("read")
    assert not failed(result), [step.message for step in result.steps]
    assert "dynamics.contact.new_tier is no longer shown by the CRM" in result.steps[0].message
    rows = tried.rows(newest("contactid, lastname, new_tier"))
    assert {row["contactid"]: (row["lastname"], row["new_tier"]) for row in rows} == {
        one: ("C", "gold"),
        two: ("B", "iron"),
    }


LAST_PAGES: dict[str, dict[str, Any]] = {
    "says that it is the last": {"value": []},
    "is not there": {"@odata.context": "x#contacts", "value": [], "@odata.nextLink": None},
}


@pytest.mark.parametrize("page", ["says that it is the last", pytest.param("is not there", marks=pytest.mark.slow)])
@pytest.mark.parametrize("road", ROADS)
def test_later_pages_that_do_not_come_fail_the_import(
    tmp_path: Path, orgs: Running, monkeypatch: pytest.MonkeyPatch, road: str, page: str
) -> None:
    """Case 8: the second page is empty and leads nowhere. Nothing lands, nothing held is taken for deleted."""
    small_pages(monkeypatch, 100)
    tried = plain(tmp_path, orgs, road)
    tried.org.seed("contact", [{"lastname": f"N{n}"} for n in range(250)])
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    tried.org.clock.advance(60)
    path = r"/contacts\?.*skiptoken"
    answer = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": LAST_PAGES[page]}
    tried.fault(path, answer)
    with Workspace(tried.project) as workspace:
        (step,) = failed(workspace.run("read", full_refresh=True))
    assert reads_well(step.message), step.message
    tried.org.faults.clear()
    tried.fault(path, answer)
    (step,) = failed(tried.run("gone"))
    assert reads_well(step.message), step.message
    tried.org.faults.clear()
    assert len(names(tried)) == 250
    with Workspace(tried.project) as workspace:
        assert not failed(workspace.run("read", full_refresh=True))
    assert names(tried) == held(tried)


def test_the_service_counts_to_five_thousand_and_fewer_are_too_few(
    tmp_path: Path, orgs: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 8: it tells no total of so many records, but that there are no fewer."""
    small_pages(monkeypatch, 2_000)
    tried = plain(tmp_path, orgs, "windows")
    tried.org.generate("contact", 5_100)
    tried.org.clock.advance(5)
    answer = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {"value": []}}
    tried.fault(r"/contacts\?.*skiptoken", answer)
    (step,) = failed(tried.run("gone"))
    assert "5,000 or more" in step.message and reads_well(step.message), step.message


@pytest.mark.slow
def test_what_is_old_fails_a_test(tmp_path: Path, orgs: Running) -> None:
    """Case 9: nobody imports any more, or imports bring nothing new because the stamps stand still."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname", ", freshness: {error_after: 2d}"),
            "transforms/campaign/people.sql": NEWEST,
            "pipelines/read.yml": "steps:\n  - import: dynamics.contact\n  - transform: people\n",
            "pipelines/check.yml": "steps:\n  - test: people\n",
        },
    )
    now = datetime.now(UTC)
    tried.org.clock.set(now - timedelta(days=3, minutes=5), frozen=False)
    (one,) = tried.org.seed("contact", [{"lastname": "A"}])
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    (step,) = failed(tried.run("check"))
    assert "the last import of dynamics.contact ended 3 d ago, 2 d are allowed" in step.message
    tried.org.clock.set(now, frozen=False)
    assert not failed(tried.run("read"))
    (step,) = failed(tried.run("check"))
    assert "modifiedon of dynamics.contact is 3 d old" in step.message and reads_well(step.message), step.message
    tried.org.change("contact", [{"contactid": one, "lastname": "B"}], modified_at=now - timedelta(hours=1))
    tried.org.clock.advance(5)
    assert not failed(tried.run("read")) and not failed(tried.run("check"))


@pytest.mark.parametrize("road", ROADS)
def test_a_polymorphic_lookup_brings_id_and_table(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 15: a contact belongs to an account or to another contact, and a link to either is followed."""
    tried = plain(tmp_path, orgs, road, "lastname, parentcustomerid")
    (above,) = tried.org.seed("account", [{"name": "Acme"}])
    (boss,) = tried.org.seed("contact", [{"lastname": "Boss"}])
    tried.org.seed(
        "contact",
        [
            {"lastname": "Of Acme", "parentcustomerid": above, "parentcustomerid__type": "account"},
            {"lastname": "Of Boss", "parentcustomerid": boss, "parentcustomerid__type": "contact"},
            {"lastname": "Of nobody"},
        ],
    )
    tried.org.clock.advance(5)
    assert not failed(tried.run("read"))
    rows = tried.rows(newest("lastname, parentcustomerid AS id, parentcustomerid_table AS target"))
    assert {row["lastname"]: (row["target"], row["id"]) for row in rows} == {
        "Boss": (None, None),
        "Of Acme": ("account", above),
        "Of Boss": ("contact", boss),
        "Of nobody": (None, None),
    }


@pytest.mark.parametrize("road", ROADS)
def test_what_was_purged_leaves_the_audience(tmp_path: Path, orgs: Running, road: str) -> None:
    """Case 16: Dataverse keeps nothing of a deleted record. It is marked, once, and no longer written to."""
    tried = made(
        tmp_path,
        orgs,
        {
            "sources/dynamics.yml": source("lastname, emailaddress1"),
            "transforms/campaign/audience.sql": f"select * from ({LIVE}) where emailaddress1 is not null",
            "pipelines/all.yml": """
                steps:
                  - import: dynamics.contact
                  - import_deleted: dynamics.contact
                  - transform: audience
                """,
        },
        road,
    )
    people = [{"lastname": f"N{n}", "emailaddress1": f"n{n}@example.com"} for n in range(12)]
    ids = tried.org.seed("contact", people)
    tried.org.clock.advance(60)
    assert not failed(tried.run("all"))
    tried.org.delete("contact", ids[:5], purge=True)
    for _ in range(2):
        tried.org.clock.advance(60)
        assert not failed(tried.run("all"))
        audience = tried.rows("SELECT contactid FROM campaign.audience ORDER BY 1")
        assert [row["contactid"] for row in audience] == sorted(ids[5:])
        assert tried.rows(f"SELECT count(*) AS n FROM {RAW} WHERE _backhaul_deleted") == [{"n": 5}]


@pytest.mark.parametrize("broken", [pytest.param(False, marks=pytest.mark.slow), True])
def test_an_expired_token_costs_a_comparison(
    tmp_path: Path, orgs: Running, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """Case 17: everything is read, and what has gone meanwhile is marked, also where that reading broke off first."""
    small_pages(monkeypatch, 10)
    tried = plain(tmp_path, orgs, "tracked")
    ids = tried.org.seed("contact", [{"lastname": f"N{n:02}"} for n in range(35)])
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    tried.org.delete("contact", ids[:4])
    tried.org.change("contact", [{"contactid": ids[-1], "lastname": "Changed"}])
    tried.org.verbs["expire_tokens"]({"object": "contact"})
    tried.org.clock.advance(3_600 * 24 * 9)
    if broken:
        tried.fault(r"/contacts\?.*skiptoken", {"status": 503}, skip=1, times=0)
        (step,) = failed(tried.run("read"))
        assert reads_well(step.message), step.message
        assert len(names(tried)) == 35
        tried.org.faults.clear()
        # Deleted after its page was read: the next link knows.
        tried.org.delete("contact", [sorted(ids)[5]])
    result = tried.run("read")
    assert not failed(result), [step.message for step in result.steps]
    assert names(tried) == held(tried) and "Changed" in names(tried)
    if not broken:
        assert "no longer tells what changed" in result.steps[0].message, result.steps[0].message
    # From now on only what changed is asked for.
    tried.org.requests.clear()
    tried.org.clock.advance(60)
    assert not failed(tried.run("read"))
    assert all("deltatoken" in query for query in pages(tried)), pages(tried)
