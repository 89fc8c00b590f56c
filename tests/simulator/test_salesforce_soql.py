"""SOQL as the simulated org reads it: what rows come, in what order and shape, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from backhaul.simulator.salesforce import ids
from backhaul.simulator.salesforce.date_words import span
from backhaul.simulator.salesforce.soql import decode, parse
from backhaul.simulator.store import Store
from tests.conftest import Door
from tests.examples import examples
from tests.simulator.client import Client, code

PEOPLE: list[dict[str, Any]] = [
    {"LastName": "Ames", "FirstName": "Zoe", "Email": "zoe@example.com", "Campaign_Score__c": 10.0},
    {"LastName": "ames", "Newsletter_Topics__c": "Events;News", "Birthdate": "1980-05-06"},
    {"LastName": "O'Brien", "Campaign_Score__c": 20.5, "Title": "100%", "HasOptedOutOfEmail": True},
    {"LastName": "Zed", "FirstName": "abe", "Newsletter_Topics__c": "News;Offers", "Title": "100 percent"},
]


@pytest.fixture
def client(running: Running, salesforce_door: Door) -> Client:
    account = salesforce_door.seed("Account", [{"Name": "Acme"}])[0]
    people = [dict(person) for person in PEOPLE]
    people[0]["AccountId"] = account
    salesforce_door.seed("Contact", people, modified_at="2026-01-02T03:04:05Z")
    return Client(running)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'AMES'", ["Ames", "ames"]),
        ("LastName != 'ames'", ["O'Brien", "Zed"]),
        ("LastName = 'O\\'Brien'", ["O'Brien"]),
        ("FirstName = null", ["O'Brien", "ames"]),
        ("FirstName = ''", ["O'Brien", "ames"]),
        ("FirstName != null", ["Ames", "Zed"]),
        ("FirstName != 'Zoe'", ["O'Brien", "Zed", "ames"]),
        ("NOT FirstName = 'Zoe'", ["O'Brien", "Zed", "ames"]),
        ("FirstName > 'm'", ["Ames"]),
        ("Campaign_Score__c > 10", ["O'Brien"]),
        ("Campaign_Score__c <= 20.5", ["Ames", "O'Brien"]),
        ("Campaign_Score__c IN (10, 11, null)", ["Ames", "Zed", "ames"]),
        ("Campaign_Score__c NOT IN (10, 11)", ["O'Brien", "Zed", "ames"]),
        ("LastName LIKE 'a%'", ["Ames", "ames"]),
        ("LastName LIKE '_ed'", ["Zed"]),
        ("Title LIKE '100\\%'", ["O'Brien"]),
        ("(NOT LastName LIKE 'a%') AND (Title = '100%' OR Title = 'x')", ["O'Brien"]),
        ("Newsletter_Topics__c INCLUDES ('Events;News', 'Offers')", ["Zed", "ames"]),
        ("Newsletter_Topics__c EXCLUDES ('Events')", ["Ames", "O'Brien", "Zed"]),
        ("HasOptedOutOfEmail = TRUE", ["O'Brien"]),
        ("Birthdate = 1980-05-06", ["ames"]),
        ("Birthdate < TODAY AND Birthdate >= LAST_N_YEARS:100", ["ames"]),
        ("SystemModstamp >= 2026-01-02T03:04:05.000+00:00", ["Ames", "O'Brien", "Zed", "ames"]),
        ("SystemModstamp < 2026-01-02T04:04:05+01:00", []),
        ("SystemModstamp = 2026-01-02T03:04:05Z AND Account.Name = 'acme'", ["Ames"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'ACME')", ["Ames"]),
        ("Id NOT IN (SELECT ConvertedContactId FROM Lead)", ["Ames", "O'Brien", "Zed", "ames"]),
        ("Contact.LastName = 'zed'", ["Zed"]),
    ],
)
def test_where(client: Client, where: str, found: list[str]) -> None:
    assert sorted(client.values(f"SELECT LastName FROM Contact WHERE {where}")) == found


@pytest.mark.parametrize(
    ("tail", "found"),
    [
        ("ORDER BY FirstName, LastName DESC", ["O'Brien", "Ames", "Zed", "Ames"]),
        ("ORDER BY FirstName DESC NULLS LAST, Campaign_Score__c LIMIT 2", ["Ames", "Zed"]),
        ("ORDER BY LastName, FirstName NULLS LAST LIMIT 2 OFFSET 1", ["ames", "O'Brien"]),
    ],
)
def test_order_limit_offset(client: Client, tail: str, found: list[str]) -> None:
    names = client.values(f"SELECT LastName FROM Contact {tail}")
    assert [name.lower() for name in names] == [name.lower() for name in found]


def test_parents_nest_and_a_missing_one_is_null(client: Client) -> None:
    soql = (
        "select id, account.name, Account.Owner.LastName, name, MailingAddress from contact order by lastname limit 1"
    )
    body = client.query(soql.replace("order by lastname", "where firstname = 'zoe'")).json()["records"][0]
    assert body["attributes"]["type"] == "Contact" and body["Name"] == "Zoe Ames" and body["MailingAddress"] is None
    assert body["Account"]["attributes"]["url"].startswith("/services/data/v67.0/sobjects/Account/001")
    assert (body["Account"]["Name"], body["Account"]["Owner"]["LastName"]) == ("Acme", "Integration")
    assert (
        client.query("SELECT Account.Name FROM Contact WHERE LastName = 'Zed'").json()["records"][0]["Account"] is None
    )


def test_an_alias_and_formulas_and_compounds(client: Client, salesforce_door: Door) -> None:
    person = {"LastName": "Poe", "FirstName": "Ed", "MailingCity": "Oslo", "Member_Number__c": "M1"}
    salesforce_door.seed("Contact", [person])
    row = client.records("SELECT c.Full_Label__c, c.MailingAddress FROM Contact c WHERE c.LastName = 'Poe'")[0]
    assert row["Full_Label__c"] == "Poe, Ed (M1)"
    assert row["MailingAddress"]["city"] == "Oslo" and row["MailingAddress"]["geocodeAccuracy"] is None


def test_counts_and_aggregates(client: Client) -> None:
    assert client.query("SELECT COUNT() FROM Contact WHERE LastName = 'ames'").json() == {
        "totalSize": 2,
        "done": True,
        "records": [],
    }
    soql = "SELECT LastName, COUNT(Id) n, MAX(Campaign_Score__c) FROM Contact GROUP BY LastName HAVING COUNT(Id) > 0"
    rows = client.query(f"{soql} ORDER BY LastName DESC LIMIT 1").json()["records"]
    assert rows == [{"attributes": {"type": "AggregateResult"}, "LastName": "ames", "n": 1, "expr0": None}]
    newest = client.query("SELECT MAX(SystemModstamp) FROM Contact").json()["records"][0]
    assert newest["expr0"] == "2026-01-02T03:04:05.000+0000"


def test_pages_keep_their_ids_and_read_values_late(running: Running, salesforce_door: Door) -> None:
    ids_made = salesforce_door.seed("Contact", [{"LastName": f"L{n:03}"} for n in range(450)])
    client = Client(running)
    headers = {"Sforce-Query-Options": "batchSize=1"}  # a hint; 200 is the least
    first = client.query("SELECT Id, LastName FROM Contact ORDER BY LastName", headers=headers).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    assert first["nextRecordsUrl"].endswith("-200")
    salesforce_door.post("change", {"object": "Contact", "records": [{"Id": ids_made[300], "LastName": "A new name"}]})
    salesforce_door.post("delete", {"object": "Contact", "ids": [ids_made[301]], "purge": True})
    second = client.get(first["nextRecordsUrl"]).json()
    assert len(second["records"]) == 199 and second["records"][100]["LastName"] == "A new name"
    last = client.get(second["nextRecordsUrl"]).json()
    assert last["done"] and len(last["records"]) == 50 and "nextRecordsUrl" not in last
    salesforce_door.post("clock", {"advance": 3 * 86400})
    client = Client(running)
    assert code(client.get(first["nextRecordsUrl"])) == (400, "INVALID_QUERY_LOCATOR")


def test_deleted_records_show_in_query_all_only(running: Running, salesforce_door: Door) -> None:
    made = salesforce_door.seed("Contact", [{"LastName": "Gone"}, {"LastName": "Purged"}, {"LastName": "Stays"}])
    salesforce_door.post("delete", {"object": "Contact", "ids": made[:1]})
    salesforce_door.post("delete", {"object": "Contact", "ids": made[1:2], "purge": True})
    client = Client(running)
    assert client.values("SELECT LastName FROM Contact") == ["Stays"]
    rows = client.records("SELECT LastName, IsDeleted FROM Contact ORDER BY LastName", everything=True)
    assert rows == [{"LastName": "Gone", "IsDeleted": True}, {"LastName": "Stays", "IsDeleted": False}]


def test_columns_metadata_and_fields_function(client: Client) -> None:
    body = client.get("/query", params={"q": "SELECT Id, LastName FROM Contact", "columns": "true"}).json()
    assert [column["columnName"] for column in body["columnMetadata"]] == ["Id", "LastName"]
    assert "Campaign_Score__c" in client.records("SELECT FIELDS(ALL) FROM Contact LIMIT 1")[0]
    assert code(client.query("SELECT FIELDS(ALL) FROM Contact")) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("soql", "symbol", "text"),
    [
        ("SELECT Foo FROM Contact", "INVALID_FIELD", "No such column 'Foo' on entity 'Contact'"),
        ("SELECT Id FROM Foo", "INVALID_TYPE", "sObject type 'Foo' is not supported"),
        ("SELECT Foo.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Foo'"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FRM Contact", "MALFORMED_QUERY", "unexpected token: 'FRM'"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ('SELECT Id FROM Contact WHERE LastName = "x"', "MALFORMED_QUERY", "unexpected token: '\"'"),
        ("SELECT Id FROM Contact WHERE LastName = '\\q'", "MALFORMED_QUERY", "Illegal escape sequence"),
        ("SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed",
        ),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE Birthdate > 2026-01-01T00:00:00Z", "INVALID_FIELD", "must be of type date and"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "type string and should be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE Campaign_Score__c = '5'", "INVALID_FIELD", "must be of type double"),
        ("SELECT Id FROM Contact WHERE Id = 'xyz'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: xyz"),
        ("SELECT Id FROM Contact WHERE DoNotCall > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Newsletter_Topics__c", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT LastName, COUNT(Id) FROM Contact", "MALFORMED_QUERY", "Field must be grouped or aggregated: LastName"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed"),
        ("SELECT Id, (SELECT Id FROM People) FROM Account", "INVALID_TYPE", "Didn't understand relationship 'People'"),
        ("SELECT Id, (SELECT COUNT() FROM Contacts) FROM Account", "MALFORMED_QUERY", "selects plain fields"),
        ("SELECT TYPEOF Account WHEN Account THEN Id END FROM Contact", "MALFORMED_QUERY", "polymorphic"),
        ("SELECT TYPEOF Who WHEN Account THEN Id END FROM Task", "INVALID_TYPE", "'Account' is not supported"),
        (
            "SELECT TYPEOF Who WHEN Lead THEN Nope END FROM Task",
            "INVALID_FIELD",
            "No such column 'Nope' on entity 'Lead'",
        ),
    ],
)
def test_refusals(client: Client, soql: str, symbol: str, text: str) -> None:
    answer = client.query(soql)
    assert code(answer) == (400, symbol)
    assert text in answer.json()[0]["message"]


def test_a_refusal_points_at_the_place(client: Client) -> None:
    message = client.query("SELECT Id,\n Foo FROM Contact").json()[0]["message"].splitlines()
    assert message[1] == "SELECT Id,  Foo FROM Contact"
    assert message[2].index("^") == message[1].index("Foo")
    assert message[3] == "ERROR at Row:2:Column:2"


def test_hidden_fields_do_not_exist_for_the_user(client: Client, salesforce_door: Door) -> None:
    salesforce_door.post("settings", {"hidden_fields": ["Contact.Title"]})
    assert code(client.query("SELECT Title FROM Contact")) == (400, "INVALID_FIELD")
    names = [field["name"] for field in client.get("/sobjects/Contact/describe").json()["fields"]]
    assert "Title" not in names and "LastName" in names


@pytest.mark.parametrize(
    ("word", "number", "first", "after"),
    [
        ("TODAY", 0, "2026-03-18", "2026-03-19"),
        ("LAST_N_DAYS", 2, "2026-03-16", "2026-03-19"),
        ("NEXT_N_DAYS", 2, "2026-03-19", "2026-03-21"),
        ("N_DAYS_AGO", 2, "2026-03-16", "2026-03-17"),
        ("THIS_WEEK", 0, "2026-03-15", "2026-03-22"),
        ("LAST_MONTH", 0, "2026-02-01", "2026-03-01"),
        ("LAST_N_MONTHS", 3, "2025-12-01", "2026-03-01"),
        ("NEXT_QUARTER", 0, "2026-04-01", "2026-07-01"),
        ("THIS_FISCAL_YEAR", 0, "2026-01-01", "2027-01-01"),
        ("N_YEARS_AGO", 1, "2025-01-01", "2026-01-01"),
        ("LAST_90_DAYS", 0, "2025-12-18", "2026-03-19"),
    ],
)
def test_date_words(word: str, number: int, first: str, after: str) -> None:
    found = span(word, number, datetime(2026, 3, 18, 15, tzinfo=UTC), UTC)
    assert tuple(moment.date().isoformat() for moment in found) == (first, after)


@given(st.text(max_size=60))
def test_any_text_passes_through_a_literal(text: str) -> None:
    written = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    where = parse(f"SELECT Id FROM Contact WHERE Title = {written}").where
    assert decode(str(where.values[0].value)) == text  # type: ignore[union-attr]  # a comparison here


@settings(max_examples=examples(30))
@given(st.integers(min_value=0, max_value=62**9 - 1))
def test_ids_made_in_sql_are_those_made_in_python_and_sort_by_number(number: int) -> None:
    made = ids.make("00Q", number)
    assert _store().query(f"SELECT {ids.make_sql('00Q', 'n')} FROM (SELECT {number}::BIGINT AS n)") == [(made,)]
    assert ids.to18(made[:15]) == made == ids.to18(made)
    if number:
        assert ids.make("00Q", number - 1)[:15] < made[:15]


def test_the_checksum_is_the_vendors() -> None:
    assert ids.to18("0015500001QdQWa") == "0015500001QdQWaAAN"
    assert ids.to18("0015500001QdQWaAAB") is None and ids.to18("short") is None


_STORES: list[Store] = []


def _store() -> Store:
    if not _STORES:
        _STORES.append(Store())
    return _STORES[0]


def test_children_stand_inside_their_parent(client: Client, salesforce_door: Door) -> None:
    firm, other = salesforce_door.seed("Account", [{"Name": "Big"}, {"Name": "Empty"}])
    people = [{"LastName": f"P{place}", "AccountId": firm, "Title": "T"} for place in range(5)]
    salesforce_door.seed("Contact", [*people, {"LastName": "Gone", "AccountId": firm, "IsDeleted": True}])
    inner = "SELECT LastName, Account.Name FROM Contacts WHERE Title = 'T' ORDER BY LastName DESC LIMIT 2"
    soql = f"SELECT Name, ({inner}) FROM Account WHERE Name IN ('Big', 'Empty') ORDER BY Name"
    big, empty = client.records(soql)
    assert empty == {"Name": "Empty", "Contacts": None}
    held = big["Contacts"]
    assert (held["totalSize"], held["done"]) == (2, True)
    assert [(one["LastName"], one["Account"]["Name"]) for one in held["records"]] == [("P4", "Big"), ("P3", "Big")]
    assert held["records"][0]["attributes"]["type"] == "Contact"
    columns = client.query(soql, headers={}).json()
    assert columns["totalSize"] == 2 and other
    metadata = client.get("/query", params={"q": soql, "columns": "true"}).json()["columnMetadata"]
    assert metadata[1]["columnName"] == "Contacts" and metadata[1]["aggregate"] is True
    assert [one["columnName"] for one in metadata[1]["joinColumns"]] == ["LastName", "Account"]


def test_a_polymorphic_lookup_tells_which_object_it_leads_to(client: Client, salesforce_door: Door) -> None:
    (person,) = salesforce_door.seed("Contact", [{"LastName": "C", "Email": "c@example.com"}])
    (lead,) = salesforce_door.seed("Lead", [{"LastName": "L", "Company": "Firm"}])
    tasks = [{"Subject": "1", "WhoId": person}, {"Subject": "2", "WhoId": lead}, {"Subject": "3"}]
    salesforce_door.seed("Task", tasks)
    one, two, three = client.records("SELECT WhoId, Who.Name, Who.Type FROM Task ORDER BY Subject")
    assert (one["WhoId"], one["Who"]["Name"], one["Who"]["Type"]) == (person, "C", "Contact")
    assert one["Who"]["attributes"]["type"] == "Name" and f"/Contact/{person}" in one["Who"]["attributes"]["url"]
    assert (two["Who"]["Name"], two["Who"]["Type"], three["Who"]) == ("L", "Lead", None)
    assert client.values("SELECT Subject FROM Task WHERE Who.Type = 'Lead'") == ["2"]
    chosen = "TYPEOF Who WHEN Contact THEN Email, LastName ELSE Name END"
    found = [row["Who"] for row in client.records(f"SELECT Subject, {chosen} FROM Task ORDER BY Subject")]
    assert {key: value for key, value in found[0].items() if key != "attributes"} == {
        "Email": "c@example.com",
        "LastName": "C",
    }
    assert (found[0]["attributes"]["type"], found[1]["attributes"]["type"]) == ("Contact", "Lead")
    assert found[1]["Name"] == "L" and found[2] is None
    described = client.get("/sobjects/Task/describe").json()["fields"]
    who = next(field for field in described if field["name"] == "WhoId")
    assert (
        who["polymorphicForeignKey"] and who["referenceTo"] == ["Contact", "Lead"] and who["relationshipName"] == "Who"
    )


def test_bulk_reads_no_children_and_no_typeof(client: Client) -> None:
    for soql in (
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT TYPEOF Who WHEN Lead THEN Id END FROM Task",
    ):
        answer = client.send("POST", "/jobs/query", json={"operation": "query", "query": soql})
        assert code(answer) == (400, "API_ERROR")
