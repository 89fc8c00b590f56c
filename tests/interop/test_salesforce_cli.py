"""The Salesforce command line (npm package @salesforce/cli) on 20,000 contacts, and the org's state afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backhaul.simulator import Running
from tests.interop.conftest import Sf

pytestmark = pytest.mark.interop
BULK = ("--wait", "5", "--line-ending", "LF", "--target-org", "sim")


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return str(path)


def test_queries_follow_every_page(sf: Sf, contacts: list[dict[str, Any]]) -> None:
    soql = "SELECT Id, LastName, Email, Account.Name, Description FROM Contact"
    found = sf("data", "query", "--query", soql, "--target-org", "sim")
    assert found["totalSize"] == len(found["records"]) == 20_000 and found["done"] is True
    wanted = {row["Id"]: (row["LastName"], row["Email"], None, row["Description"]) for row in contacts}
    assert {
        row["Id"]: (row["LastName"], row["Email"], row["Account"], row["Description"]) for row in found["records"]
    } == wanted
    counted = sf("data", "query", "--query", "SELECT COUNT() FROM Contact", "--target-org", "sim")
    assert counted["totalSize"] == 20_000
    grouped = "SELECT LeadSource, COUNT(Id) number FROM Contact GROUP BY LeadSource"
    rows = sf("data", "query", "--query", grouped, "--target-org", "sim")["records"]
    assert sum(row["number"] for row in rows) == 20_000


def test_bulk_export_over_several_pages(
    sf: Sf, contacts: list[dict[str, Any]], running: Running, tmp_path: Path
) -> None:
    running.salesforce.settings({"bulk_page_rows": 6_000})
    path = tmp_path / "contacts.csv"
    fields = ("Id", "LastName", "Email", "MailingStreet", "Description", "MailingPostalCode")
    soql = f"SELECT {', '.join(fields)} FROM Contact"
    order = ("data", "export", "bulk", "--query", soql, "--output-file", str(path), "--wait", "5")
    found = sf(*order, "--target-org", "sim")
    assert found["totalSize"] == 20_000
    with path.open(newline="", encoding="utf-8") as file:
        rows = {row["Id"]: row for row in csv.DictReader(file)}
    assert rows == {row["Id"]: {name: row[name] or "" for name in fields} for row in contacts}


def test_upsert_bulk_then_delete_bulk(sf: Sf, contacts: list[dict[str, Any]], running: Running, tmp_path: Path) -> None:
    header = ("Member_Number__c", "LastName", "Title", "Department")
    changed = [(row["Member_Number__c"], row["LastName"], 'Head, "R&D"', "#N/A") for row in contacts[:10_000]]
    new = [(f"N{place:06}", f"New {place}", "", "Sales") for place in range(10_000)]
    file = write(tmp_path / "upsert.csv", header, changed + new)
    key = ("--external-id", "Member_Number__c")
    info = sf("data", "upsert", "bulk", "--sobject", "Contact", "--file", file, *key, *BULK)["jobInfo"]
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 20_000, 0)
    after = {row["Member_Number__c"]: row for row in running.salesforce.dump("Contact")}
    assert len(after) == 30_000
    assert {(after[row[0]]["Title"], after[row[0]]["Department"]) for row in changed} == {('Head, "R&D"', None)}
    assert all(after[row[0]]["LastName"] == row[1] and after[row[0]]["Title"] is None for row in new)
    untouched = contacts[10_000]
    assert after[untouched["Member_Number__c"]] == untouched

    file = write(tmp_path / "delete.csv", ("Id",), [(row["Id"],) for row in contacts])
    info = sf("data", "delete", "bulk", "--sobject", "Contact", "--file", file, *BULK)["jobInfo"]
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (20_000, 0)
    live = [row["Member_Number__c"] for row in running.salesforce.dump("Contact") if not row["IsDeleted"]]
    assert sorted(live) == [row[0] for row in new]


def test_describe(sf: Sf) -> None:
    found = sf("sobject", "describe", "--sobject", "Contact", "--target-org", "sim")
    fields = {field["name"]: field for field in found["fields"]}
    assert found["keyPrefix"] == "003" and fields["Member_Number__c"]["externalId"] is True
    assert fields["Campaign_Score__c"]["scale"] == 1 and fields["Email"]["type"] == "email"


def test_it_hands_its_access_token_on(sf: Sf, running: Running) -> None:
    token = sf("org", "auth", "show-access-token", "--target-org", "sim")["accessToken"]
    assert running.salesforce.session_user(token) == running.salesforce.user_id
    shown = sf("org", "display", "--target-org", "sim")
    assert shown["id"] == running.salesforce.id and shown["username"] == "integration@example.com"


def test_single_records_and_trees(sf: Sf, running: Running, tmp_path: Path) -> None:
    target = ("--target-org", "sim")
    values = ("--values", "LastName='Curie' Email=Marie@Example.com Campaign_Score__c=7.25")
    made = sf("data", "create", "record", "--sobject", "Contact", *values, *target)
    changed = ("--values", "Title='Dr, \"x\"'", "--record-id", made["id"])
    sf("data", "update", "record", "--sobject", "Contact", *changed, *target)
    read = sf("data", "get", "record", "--sobject", "Contact", "--where", "LastName=Curie", *target)
    assert (read["Id"], read["Email"], read["Campaign_Score__c"]) == (made["id"], "marie@example.com", 7.3)
    sf("data", "delete", "record", "--sobject", "Contact", "--record-id", made["id"], *target)
    assert [row["IsDeleted"] for row in running.salesforce.dump("Contact")] == [True]
    tree = tmp_path / "Account.json"
    person = {"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Joliot"}
    firm = {"attributes": {"type": "Account", "referenceId": "a1"}, "Name": "Acme", "Contacts": {"records": [person]}}
    tree.write_text(json.dumps({"records": [firm]}), encoding="utf-8")
    sf("data", "import", "tree", "--files", str(tree), *target)
    (stored,) = [row for row in running.salesforce.dump("Contact") if not row["IsDeleted"]]
    assert stored["AccountId"] == running.salesforce.dump("Account")[0]["Id"]
