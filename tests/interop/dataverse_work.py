"""What Microsoft's own client is put to do; run by the Python of its environment, not by that of the tests.

``python dataverse_work.py JOB`` reads the address from the environment, does one job and prints its result as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.identity import ClientSecretCredential  # type: ignore[import-not-found]  # of the client's environment
from PowerPlatform.Dataverse.client import DataverseClient  # type: ignore[import-not-found]  # as above
from PowerPlatform.Dataverse.core.errors import HttpError  # type: ignore[import-not-found]  # as above
from PowerPlatform.Dataverse.models.filters import col  # type: ignore[import-not-found]  # as above
from PowerPlatform.Dataverse.models.upsert import UpsertItem  # type: ignore[import-not-found]  # as above

ROWS = 20_000
CHUNK = 1_000


def metadata(client: Any) -> Any:
    """Make a table of every column type, a key and relationships; list, read and change what is there."""
    columns = {
        "new_Code": "string",
        "new_Seats": "int",
        "new_Price": "decimal",
        "new_Open": "bool",
        "new_Day": "datetime",
    }
    made = client.tables.create("new_Course", columns)
    client.tables.add_columns("new_Course", {"new_Notes": "memo"})
    client.tables.update_column("new_Course", "new_Code", {"max_length": 12})
    key = client.tables.create_alternate_key("new_Course", "new_coursecode", ["new_code"])
    lookup = client.tables.create_lookup_field(
        referencing_table="contact", lookup_field_name="new_CourseId", referenced_table="new_course"
    )
    course = client.records.create(
        "new_Course", {"new_Name": "Intro", "new_Code": "C1", "new_Seats": 3, "new_Open": True}
    )
    read = client.records.retrieve("new_Course", course)
    files = []
    for mode, size in (("small", 1_000), ("chunk", 9_000_000)):
        path = Path(f"{mode}.bin")
        path.write_bytes(b"x" * size)
        client.files.upload("new_Course", course, "new_File", str(path), mode=mode, if_none_match=False)
        files.append(client.records.retrieve("new_Course", course)["new_file_name"])
    found = {
        "set": made.entity_set_name,
        "columns": sorted(one["LogicalName"] for one in client.tables.list_columns("new_Course")),
        "longest": client.tables.get_column("new_Course", "new_Code", typed=True)["MaxLength"],
        "keys": [(one.key_attributes, one.status) for one in client.tables.get_alternate_keys("new_Course")],
        "key": key.schema_name,
        "read": [read["new_name"], read["new_seats"], read["new_open"]],
        "lookup": client.tables.get_relationship(lookup.relationship_schema_name).referencing_entity,
        "files": files,
        "listed": "new_course" in [one["LogicalName"] for one in client.tables.list()],
    }
    client.tables.delete_relationship(lookup.relationship_id)
    client.tables.remove_columns("new_Course", "new_Notes")
    client.tables.delete("new_Course")
    return found | {"gone": client.tables.get("new_Course") is None}


def create(client: Any) -> Any:
    """Create 20,000 contacts, a thousand a message, and one by itself with a choice given by its label."""
    ids: list[str] = []
    for start in range(0, ROWS, CHUNK):
        rows = [
            {
                "lastname": f"Row {place:05}",
                "emailaddress1": f"row{place}@example.com",
                "new_membernumber": f"M{place:05}",
                "numberofchildren": place % 7,
                "donotbulkemail": place % 2 == 0,
            }
            for place in range(start, start + CHUNK)
        ]
        ids += client.records.create("contact", rows)
    single = client.records.create("contact", {"lastname": "O'Neil", "gendercode": "Female", "birthdate": "1980-02-29"})
    return {"ids": ids, "single": single}


def query(client: Any) -> Any:
    """Read every row by every way of asking."""
    select = ["lastname", "new_membernumber"]
    pages = [len(page) for page in client.records.list_pages("contact", select=select, page_size=3_000)]
    some = client.records.list(
        "contact",
        filter="startswith(lastname,'Row') and numberofchildren eq 3",
        select=select,
        orderby=["lastname desc"],
    )
    built = (
        client.query.builder("contact")
        .select("lastname")
        .where((col("lastname") == "row 00007") | (col("numberofchildren") > 5) & (col("lastname") < "Row 00020"))
        .order_by("lastname")
        .execute()
    )
    xml = (
        "<fetch count='4000'><entity name='contact'><attribute name='lastname'/><attribute name='contactid'/>"
        "<filter><condition attribute='lastname' operator='like' value='Row%'/></filter></entity></fetch>"
    )
    fetched = client.query.fetchxml(xml).execute()
    counted = client.query.sql("SELECT numberofchildren, COUNT(*) AS n FROM contact GROUP BY numberofchildren")
    frame = client.dataframe.sql("SELECT TOP 3 lastname FROM contact WHERE lastname LIKE 'Row%' ORDER BY lastname DESC")
    return {
        "pages": pages,
        "some": [row["lastname"] for row in some],
        "built": [row["lastname"] for row in built],
        "fetched": sorted({row["lastname"] for row in fetched}),
        "counted": sum(row["n"] for row in counted),
        "frame": list(frame["lastname"]),
    }


def update(client: Any) -> Any:
    """Update all rows, a thousand a message; upsert half of them and as many new ones by their alternate key."""
    ids = [
        row["contactid"]
        for row in client.records.list("contact", filter="startswith(lastname,'Row')", select=["contactid"])
    ]
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        client.records.update("contact", part, [{"jobtitle": f"T {one[:8]}", "emailaddress1": None} for one in part])
    items = [
        UpsertItem(alternate_key={"new_membernumber": f"M{place:05}"}, record={"lastname": f"Upserted {place:05}"})
        for place in range(ROWS // 2, ROWS // 2 + ROWS)
    ]
    for start in range(0, len(items), CHUNK):
        client.records.upsert("contact", items[start : start + CHUNK])
    client.records.upsert("contact", [UpsertItem({"new_membernumber": "ALONE"}, {"lastname": "Alone"})])
    return {"updated": len(ids)}


def batch(client: Any) -> Any:
    """Change sets that hold and that break, and one that goes on after an error."""
    work = client.batch.new()
    with work.changeset() as changes:
        account = changes.records.create("account", {"name": "Batch"})
        changes.records.create("contact", {"lastname": "Batched", "parentcustomerid_account@odata.bind": account})
    work.records.list("contact", filter="lastname eq 'Batched'", select=["lastname"])
    good = work.execute()
    broken = client.batch.new()
    with broken.changeset() as changes:
        changes.records.create("contact", {"lastname": "Rolled back"})
        changes.records.create("contact", {"lastname": "x" * 51})
    broken.records.create("contact", {"lastname": "Went on"})
    result = broken.execute(continue_on_error=True)
    return {
        "good": [one.status_code for one in good.responses],
        "found": [row["lastname"] for row in good.responses[-1].data["value"]],
        "broken": [(one.status_code, one.error_code) for one in result.responses],
    }


def delete(client: Any) -> Any:
    """Delete in bulk, singly, and what is not there."""
    ids = [
        row["contactid"]
        for row in client.records.list("contact", filter="startswith(lastname,'Row')", select=["contactid"])
    ]
    jobs = [client.records.delete("contact", ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    state = client.records.retrieve("asyncoperation", jobs[-1], select=["statecode", "statuscode"])
    alone = client.records.list("contact", filter="new_membernumber eq 'ALONE'", select=["contactid"]).first()
    client.records.delete("contact", alone["contactid"])
    wrong: dict[str, Callable[[], Any]] = {
        "gone": lambda: client.records.delete("contact", alone["contactid"]),
        "long": lambda: client.records.create("contact", {"lastname": "x" * 51}),
        "unknown": lambda: client.records.list("contact", filter="nosuch eq 1"),
    }
    refused = {}
    for name, work in wrong.items():
        try:
            work()
        except HttpError as error:
            refused[name] = [error.status_code, error.details.get("service_error_code")]
    return {"deleted": len(ids), "job": [state["statecode"], state["statuscode"]], "refused": refused}


def main() -> None:
    """Do the job that the command line names."""
    credential = ClientSecretCredential(
        os.environ["TENANT_ID"],
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        authority=os.environ["AUTHORITY"],
        disable_instance_discovery=True,
    )
    with DataverseClient(os.environ["URL"], credential) as client:
        json.dump(globals()[sys.argv[1]](client), sys.stdout, default=str)


if __name__ == "__main__":
    main()
