"""The Salesforce command line (npm package @salesforce/cli) on 20,000 contacts, and the org's state afterwards."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backhaul.simulator import Running
from backhaul.simulator.salesforce import CLIENT_ID, USERNAME
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


def test_import_bulk_then_update_bulk(sf: Sf, running: Running, tmp_path: Path) -> None:
    rows = [(f"Import {place}", f"I{place:05}", 'say "x", yes', f"{place % 100}.5") for place in range(20_000)]
    header = ("LastName", "Member_Number__c", "Title", "Campaign_Score__c")
    file = write(tmp_path / "import.csv", header, rows)
    done = sf("data", "import", "bulk", "--sobject", "Contact", "--file", file, *BULK)
    assert (done["processedRecords"], done["successfulRecords"], done["failedRecords"]) == (20_000, 20_000, 0)
    stored = {row["Member_Number__c"]: row for row in running.salesforce.dump("Contact")}
    assert len(stored) == 20_000
    assert all((stored[no]["LastName"], stored[no]["Title"]) == (last, title) for last, no, title, _ in rows)
    assert all(stored[no]["Campaign_Score__c"] == float(score) for _, no, _, score in rows)

    keys = {row["Id"]: number for number, row in stored.items()}
    changed = [(key, f"Was {number}", "#N/A") for key, number in keys.items()]
    file = write(tmp_path / "update.csv", ("Id", "Department", "Title"), changed)
    done = sf("data", "update", "bulk", "--sobject", "Contact", "--file", file, *BULK)
    assert (done["processedRecords"], done["failedRecords"]) == (20_000, 0)
    after = running.salesforce.dump("Contact")
    assert {row["Id"]: row["Department"] for row in after} == {key: f"Was {number}" for key, number in keys.items()}
    assert {row["Title"] for row in after} == {None} and {row["LastName"] for row in after} == {row[0] for row in rows}

    file = write(tmp_path / "half.csv", ("LastName", "Email"), [("good", "a@example.com"), ("", "b@example.com")])
    failed = sf("data", "import", "bulk", "--sobject", "Contact", "--file", file, *BULK, status=1)
    assert failed["name"] == "FailedRecordDetailsError"
    told = sf("data", "bulk", "results", "--job-id", failed["data"]["jobId"], "--target-org", "sim")
    assert (told["successfulRecords"], told["failedRecords"], told["status"]) == (1, 1, "JobComplete")
    with (tmp_path / told["failedFilePath"]).open(newline="", encoding="utf-8") as opened:
        (row,) = csv.DictReader(opened)
    assert row["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    file = write(tmp_path / "wrong.csv", ("LastName", "Nope__c"), [("x", "y")])
    failed = sf("data", "import", "bulk", "--sobject", "Contact", "--file", file, *BULK, status=1)
    assert "InvalidBatch : Field name not found : Nope__c" in failed["message"]


def test_trees_go_out_and_in_again(sf: Sf, running: Running, tmp_path: Path) -> None:
    firms = running.salesforce.seed("Account", [{"Name": f"Firm {place}"} for place in range(20)])
    people = [{"LastName": f"P{place}", "AccountId": firms[place % 20]} for place in range(60)]
    running.salesforce.seed("Contact", people)
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account"
    out = ("--plan", "--output-dir", str(tmp_path / "out"), "--target-org", "sim")
    sf("data", "export", "tree", "--query", soql, *out)
    (plan,) = (tmp_path / "out").glob("*plan.json")
    running.salesforce.reset()
    # A new org knows no old session: the command line signs in with a key and keeps itself signed in.
    key = ("--jwt-key-file", str(running.jwt_key_path), "--client-id", CLIENT_ID, "--username", USERNAME)
    address = running.salesforce_http_url.replace("localhost", "127.0.0.1")
    sf("org", "login", "jwt", *key, "--instance-url", address, "--alias", "new")
    running.salesforce.settings({"expire_sessions": True})
    sf("data", "import", "tree", "--plan", str(plan), "--target-org", "new")
    found = {row["Id"]: row["Name"] for row in running.salesforce.dump("Account")}
    held = sorted((row["LastName"], found[row["AccountId"]]) for row in running.salesforce.dump("Contact"))
    assert held == sorted((one["LastName"], f"Firm {place % 20}") for place, one in enumerate(people))


def test_files_and_the_recycle_bin(sf: Sf, running: Running, tmp_path: Path) -> None:
    (firm,) = running.salesforce.seed("Account", [{"Name": "Acme"}])
    content = bytes(range(256)) * 40
    (tmp_path / "notes.bin").write_bytes(content)
    target = ("--target-org", "sim")
    file = ("--file", str(tmp_path / "notes.bin"), "--title", "Notes", "--parent-id", firm)
    made = sf("data", "create", "file", *file, *target)
    (stored,) = running.salesforce.dump("ContentVersion")
    assert base64.b64decode(stored["VersionData"]) == content and made["FileExtension"] == "bin"
    linked = {row["LinkedEntityId"] for row in running.salesforce.dump("ContentDocumentLink")}
    assert firm in linked
    sf("data", "delete", "record", "--sobject", "Account", "--record-id", firm, *target)
    soql = ("data", "query", "--query", "SELECT Id, IsDeleted FROM Account", *target)
    assert sf(*soql)["totalSize"] == 0
    assert [row["IsDeleted"] for row in sf(*soql, "--all-rows")["records"]] == [True]


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
