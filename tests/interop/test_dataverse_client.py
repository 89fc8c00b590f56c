"""Microsoft's own client (PyPI package PowerPlatform-Dataverse-Client) on 20,000 contacts, signed in with
azure-identity, and the environment's state afterwards."""

from __future__ import annotations

import pytest

from backhaul.simulator import Running
from tests.interop.conftest import Job

pytestmark = pytest.mark.interop


def test_definitions(dataverse: Job, running: Running) -> None:
    found = dataverse("metadata")
    assert found["set"] == "new_courses"
    assert {"new_code", "new_seats", "new_price", "new_open", "new_day", "new_notes"} <= set(found["columns"])
    assert found["longest"] == 12
    assert found["keys"] == [[["new_code"], "Active"]] and found["key"] == "new_coursecode"
    assert found["read"] == ["Intro", 3, True] and found["files"] == ["small.bin", "chunk.bin"]
    assert found["lookup"] == "contact" and found["listed"] is True and found["gone"] is True
    assert "new_course" not in running.dynamics.tables


def test_twenty_thousand_rows(dataverse: Job, running: Running) -> None:
    org = running.dynamics
    made = dataverse("create")
    rows = {row["contactid"]: row for row in org.dump("contact")}
    assert len(rows) == 20_001 and len(set(made["ids"])) == 20_000
    for place, one in enumerate(made["ids"]):
        row = rows[one]
        assert (row["lastname"], row["new_membernumber"]) == (f"Row {place:05}", f"M{place:05}")
        assert (row["numberofchildren"], row["donotbulkemail"]) == (place % 7, place % 2 == 0)
    single = rows[made["single"]]
    assert (single["lastname"], single["gendercode"], single["birthdate"]) == ("O'Neil", 2, "1980-02-29")

    found = dataverse("query")
    assert found["pages"] == [3_000] * 6 + [2_001]
    assert found["some"] == sorted((f"Row {n:05}" for n in range(20_000) if n % 7 == 3), reverse=True)
    assert found["built"] == ["Row 00006", "Row 00007", "Row 00013"]
    assert found["fetched"] == [f"Row {n:05}" for n in range(20_000)]
    assert found["counted"] == 20_001 and found["frame"] == ["Row 19999", "Row 19998", "Row 19997"]

    assert dataverse("update") == {"updated": 20_000}
    rows = {row["contactid"]: row for row in org.dump("contact")}
    assert len(rows) == 30_002
    for place, one in enumerate(made["ids"]):
        row = rows[one]
        expected = f"Row {place:05}" if place < 10_000 else f"Upserted {place:05}"
        assert (row["lastname"], row["jobtitle"], row["emailaddress1"]) == (expected, f"T {one[:8]}", None)
    members = {row["new_membernumber"]: row["lastname"] for row in rows.values() if row["new_membernumber"]}
    assert members["M29999"] == "Upserted 29999" and members["ALONE"] == "Alone" and len(members) == 30_001

    found = dataverse("delete")
    assert (found["deleted"], found["job"]) == (10_000, [3, 30])
    assert found["refused"] == {
        "gone": [404, "0x80040217"],
        "long": [400, "0x80044331"],
        "unknown": [400, "0x80060888"],
    }
    left = org.dump("contact")
    assert len(left) == 20_001 and not [row for row in left if row["lastname"].startswith("Row")]


def test_batches(dataverse: Job, running: Running) -> None:
    found = dataverse("batch")
    assert found["good"] == [204, 204, 200] and found["found"] == ["Batched"]
    assert found["broken"] == [[400, "0x80044331"], [204, None]]
    rows = {row["lastname"]: row for row in running.dynamics.dump("contact")}
    assert set(rows) == {"Batched", "Went on"}
    (account,) = running.dynamics.dump("account")
    assert rows["Batched"]["_parentcustomerid_value"] == account["accountid"]
