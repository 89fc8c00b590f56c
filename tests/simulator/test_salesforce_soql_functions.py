"""SOQL functions, aliases, and pages of children."""

from __future__ import annotations

from typing import Any

import pytest

from backhaul.simulator import Running
from tests.conftest import Door
from tests.simulator.client import Client


@pytest.fixture
def client(running: Running, salesforce_door: Door) -> Client:
    people: list[dict[str, Any]] = [
        {"LastName": "A", "LeadSource": "Web", "Campaign_Score__c": 1234.5, "Birthdate": "1990-03-31"},
        {"LastName": "B", "LeadSource": "Web", "Campaign_Score__c": None, "Birthdate": "1991-12-01"},
        {"LastName": "C", "LeadSource": None, "Campaign_Score__c": 2.0, "Birthdate": None},
    ]
    made = ["2026-01-01T03:30:00Z", "2026-01-01T12:00:00Z", "2026-02-11T23:00:00Z"]
    salesforce_door.seed("Contact", [{**one, "CreatedDate": at} for one, at in zip(people, made, strict=True)])
    salesforce_door.post("clock", {"now": "2026-03-01T00:00:00Z"})
    return Client(running)


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        ("CALENDAR_YEAR(CreatedDate)", [{"expr0": 2026, "expr1": 3}]),
        ("CALENDAR_MONTH(CreatedDate) m", [{"m": 1, "expr0": 2}, {"m": 2, "expr0": 1}]),
        ("DAY_ONLY(CreatedDate) d", [{"d": "2026-01-01", "expr0": 2}, {"d": "2026-02-11", "expr0": 1}]),
        ("DAY_IN_WEEK(CreatedDate) d", [{"d": 4, "expr0": 1}, {"d": 5, "expr0": 2}]),
        ("WEEK_IN_MONTH(CreatedDate) d", [{"d": 1, "expr0": 2}, {"d": 2, "expr0": 1}]),
        ("HOUR_IN_DAY(CreatedDate) h", [{"h": 3, "expr0": 1}, {"h": 12, "expr0": 1}, {"h": 23, "expr0": 1}]),
        ("LeadSource src", [{"src": None, "expr0": 1}, {"src": "Web", "expr0": 2}]),
    ],
)
def test_grouping_by_parts_of_dates(client: Client, select: str, wanted: list[dict[str, Any]]) -> None:
    grouped = select.partition(" ")[0]
    found = client.records(f"SELECT {select}, COUNT(Id) FROM Contact GROUP BY {grouped} ORDER BY {grouped}")
    assert found == wanted


def test_parts_of_dates_in_the_users_zone(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"time_zone": "America/New_York"})
    local = "DAY_ONLY(convertTimezone(CreatedDate))"
    found = client.records(f"SELECT {local} d, COUNT(Id) n FROM Contact GROUP BY {local} ORDER BY {local}")
    assert [(row["d"], row["n"]) for row in found] == [("2025-12-31", 1), ("2026-01-01", 1), ("2026-02-11", 1)]
    assert client.values("SELECT LastName FROM Contact WHERE CALENDAR_YEAR(Birthdate) = 1990") == ["A"]
    assert client.values(f"SELECT LastName FROM Contact WHERE {local} < 2026-01-01") == ["A"]


def test_texts_for_people(client: Client) -> None:
    row = client.records(
        "SELECT toLabel(LeadSource), FORMAT(Campaign_Score__c) score, FORMAT(Birthdate), convertCurrency(LastName) x "
        "FROM Contact WHERE LastName = 'A'"
    )[0]
    assert row == {"LeadSource": "Web", "score": "1,234.5", "Birthdate": "3/31/1990", "x": "A"}


@pytest.mark.parametrize(
    ("soql", "text"),
    [
        ("SELECT LastName n FROM Contact", "only aggregate expressions use field aliasing"),
        ("SELECT CALENDAR_YEAR(CreatedDate) FROM Contact", "Field must be grouped or aggregated: CreatedDate"),
        ("SELECT LastName, COUNT(Id) FROM Contact GROUP BY LeadSource", "must be grouped or aggregated: LastName"),
        ("SELECT Id FROM Contact WHERE CALENDAR_YEAR(LastName) = 1", "does not support the function CALENDAR_YEAR"),
        ("SELECT COUNT(Id) FROM Contact GROUP BY COUNT(Id)", "cannot be used in GROUP BY"),
        ("SELECT WHAT(Id) FROM Contact", "unexpected token: 'WHAT'"),
    ],
)
def test_refused(client: Client, soql: str, text: str) -> None:
    answer = client.query(soql)
    body = answer.json()[0]
    assert (answer.status_code, body["errorCode"]) == (400, "MALFORMED_QUERY") and text in body["message"]
    assert "ERROR at Row:1:Column:" in body["message"]


@pytest.mark.parametrize("tail", ["WITH SECURITY_ENFORCED", "WITH USER_MODE LIMIT 1", "LIMIT 1 FOR UPDATE", "FOR VIEW"])
def test_tails(client: Client, tail: str) -> None:
    assert client.query(f"SELECT Id FROM Contact {tail}").status_code == 200


def test_many_children_come_in_pages(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    few, many = salesforce_door.seed("Account", [{"Name": "Few"}, {"Name": "Many"}])
    people = [{"LastName": f"P{place:04}", "AccountId": few if place < 3 else many} for place in range(903)]
    salesforce_door.seed("Contact", people)
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Name, (SELECT LastName, Account.Name FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name"
    small, large = (row["Contacts"] for row in client.query(soql, headers=headers).json()["records"])
    assert (small["totalSize"], small["done"], len(small["records"])) == (3, True, 3)
    assert (large["totalSize"], large["done"], len(large["records"])) == (900, False, 200)
    found, page = list(large["records"]), large
    while not page["done"]:
        page = client.get(page["nextRecordsUrl"]).json()
        found += page["records"]
    assert [row["LastName"] for row in found] == [one["LastName"] for one in people[3:]]
    assert {row["Account"]["Name"] for row in found} == {"Many"}


def test_wide_rows_come_in_smaller_pages(running: Running, salesforce_door: Door) -> None:
    client = Client(running)
    salesforce_door.seed("Contact", [{"LastName": f"P{place}"} for place in range(25)])
    salesforce_door.post("settings", {"query_page_rows": 10})
    first = client.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=2000"}).json()
    assert (len(first["records"]), first["totalSize"], first["done"]) == (10, 25, False)
    assert first["nextRecordsUrl"].endswith("-10") and len(client.records("SELECT Id FROM Contact")) == 25
