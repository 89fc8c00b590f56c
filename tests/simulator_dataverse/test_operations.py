"""Merge, BulkDelete, duplicate detection, recycle bin, audit, elastic tables (dataverse-api.md §3.10, §4, §5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator_dataverse.environment import ANNOTATED, Environment

CONTACT = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
DUPLICATE = "A record was not created or updated because a duplicate of the current record already exists."


@pytest.fixture(autouse=True)
def plain(env: Environment) -> Iterator[None]:
    yield
    env.org.settings({"job_seconds": 0, "auditing": False, "recycle_days": 0})
    env.org.verbs["duplicates"]([])


def contact(record_id: str) -> dict[str, str]:
    return CONTACT | {"contactid": record_id}


def merge(env: Environment, target: str, loser: str, **content: Any) -> tuple[int, Any]:
    body = {"Target": contact(target), "Subordinate": contact(loser), "PerformParentingChecks": False}
    body["UpdateContent"] = CONTACT | content
    reply = env.call("POST", "Merge", body)
    return reply.status_code, reply.json()["error"]["code"] if reply.content else None


def test_merge_folds_one_row_into_another(env: Environment) -> None:
    env.org.settings({"auditing": True})
    winner, loser = env.create(lastname="Winner"), env.create(lastname="Loser", telephone1="1")
    account = env.create("accounts", name="Led", **{"primarycontactid@odata.bind": f"/contacts({loser})"})
    child = env.create(lastname="Child", **{"parentcustomerid_contact@odata.bind": f"/contacts({loser})"})
    link = env.get("contacts?$select=lastname", Prefer="odata.track-changes")["@odata.deltaLink"]
    assert merge(env, winner, loser, telephone1="1") == (204, None)
    lost = env.get(f"contacts({loser})")
    assert (lost["statecode"], lost["statuscode"], lost["merged"], lost["_masterid_value"]) == (1, 2, True, winner)
    won = env.get(f"contacts({winner})")
    assert (won["telephone1"], won["statecode"], won["merged"]) == ("1", 0, False)
    assert env.get(f"accounts({account})")["_primarycontactid_value"] == winner
    assert env.get(f"contacts({child})")["_parentcustomerid_value"] == winner
    changes = env.values(link)  # updates, never a deletion
    assert {row["contactid"] for row in changes} == {winner, loser, child}
    audit = env.values(f"audits?$filter=action eq 12 and _objectid_value eq {winner}")
    assert len(audit) == 1
    assert merge(env, winner, loser) == (400, "0x80045304")
    assert merge(env, winner, winner) == (400, "0x80045305")
    assert merge(env, winner, "00000000-0000-0000-0000-000000000009")[0] == 404
    assert env.refused("PATCH", f"contacts({child})", {"masterid@odata.bind": None, "nosuch": 1})[0] == 400


def bulk_delete(env: Environment, *conditions: dict[str, Any], **more: Any) -> Any:
    query = {"EntityName": "contact", "Criteria": {"FilterOperator": "And", "Conditions": list(conditions)}}
    body = {"QuerySet": [query], "JobName": "Clean up", "SendEmailNotification": False, "ToRecipients": []}
    body |= {"CCRecipients": [], "RecurrencePattern": "", "StartDateTime": "2020-01-01T00:00:00Z"} | more
    return env.call("POST", "BulkDelete", body)


def test_bulk_delete_is_a_job(env: Environment) -> None:
    env.org.settings({"job_seconds": 60})
    ids = [env.create(lastname=f"Bulk{n}") for n in range(3)]
    kept = env.create(lastname="Kept")
    env.org.verbs["plugins"](
        {"object": "contact", "messages": ["Delete"], "when": {"lastname": "Bulk1"}, "refuse": "No."}
    )
    values = [{"Value": one, "Type": "System.Guid"} for one in ids]
    reply = bulk_delete(env, {"AttributeName": "contactid", "Operator": "In", "Values": values})
    assert reply.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.BulkDeleteResponse")
    job = f"asyncoperations({reply.json()['JobId']})"
    assert (env.get(job)["statecode"], env.get(job)["statuscode"]) == (0, 0)
    assert env.get(f"contacts({ids[0]})")
    env.org.clock.advance(61)
    assert (env.get(job)["statecode"], env.get(job)["statuscode"]) == (3, 30)
    counts = env.values(f"bulkdeleteoperations?$filter=_asyncoperationid_value eq {reply.json()['JobId']}")[0]
    assert (counts["successcount"], counts["failurecount"]) == (2, 1)
    assert [env.call("GET", f"contacts({one})").status_code for one in [*ids, kept]] == [404, 200, 404, 200]
    env.org.verbs["plugins"]([])
    env.org.clock.advance(-61)


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ({"AttributeName": "nosuch", "Operator": "Equal", "Values": [{"Value": "x"}]}, "0x80041103"),
        ({"AttributeName": "lastname", "Operator": "Equal", "Values": []}, "0x80040203"),
        ({"AttributeName": "numberofchildren", "Operator": "Equal", "Values": [{"Value": "x"}]}, "0x80040203"),
    ],
)
def test_bulk_delete_checks_its_queries(env: Environment, condition: dict[str, Any], code: str) -> None:
    reply = bulk_delete(env, condition)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)
    assert bulk_delete(env, condition, QuerySet=[{"EntityName": "nosuch"}]).json()["error"]["code"] == "0x80041102"


def test_duplicates_are_found_when_asked_for(env: Environment) -> None:
    env.org.verbs["duplicates"]({"object": "contact", "columns": ["emailaddress1"]})
    env.create(emailaddress1="Twin@example.com")
    detect = {"MSCRM.SuppressDuplicateDetection": "false"}
    body = {"emailaddress1": "twin@EXAMPLE.com"}
    assert env.refused("POST", "contacts", body, **detect) == (412, "0x80040333", DUPLICATE)
    targets = {"Targets": [CONTACT | {"emailaddress1": one} for one in ("a@example.com", "A@example.com")]}
    path = "contacts/Microsoft.Dynamics.CRM.CreateMultiple"
    assert env.refused("POST", path, targets, **detect)[:2] == (412, "0x80040333")
    record_id = env.create(**body)  # not asked for: it is let in
    assert env.refused("PATCH", f"contacts({record_id})", {"jobtitle": "x"}, **detect)[:2] == (412, "0x80040333")
    assert env.call("POST", "contacts", {"emailaddress1": None}, **detect).status_code == 204


def test_deleted_rows_come_back_from_the_bin_and_stand_in_the_audit(env: Environment) -> None:
    gone = env.create(lastname="No bin")
    env.call("DELETE", f"contacts({gone})")
    assert env.refused("POST", "Restore", {"Target": contact(gone)})[:2] == (404, "0x80040217")
    env.org.settings({"recycle_days": 30, "auditing": True})
    binned = env.create(lastname="Binned", new_topics="100000001", birthdate="1980-01-02")
    env.call("DELETE", f"contacts({binned})")
    audit = env.values(f"audits?$filter=operation eq 3 and objecttypecode eq 'contact' and _objectid_value eq {binned}")
    assert (len(audit), audit[0]["action"]) == (1, 3)
    reply = env.call("POST", "Restore", {"Target": contact(binned)})
    assert reply.status_code == 200, reply.text
    row = env.get(f"contacts({binned})")
    assert (row["lastname"], row["new_topics"], row["birthdate"]) == ("Binned", "100000001", "1980-01-02")


def test_messages_can_be_looked_up(env: Environment) -> None:
    def offered(message: str, table: str) -> int:
        filter = f"sdkmessageid/name eq '{message}' and primaryobjecttypecode eq '{table}'"
        return len(env.values(f"sdkmessagefilters?$select=sdkmessagefilterid&$filter={filter}"))

    env.org.define("new_sensor", options={"type": "Elastic"})
    found = [offered(*pair) for pair in (("UpsertMultiple", "contact"), ("DeleteMultiple", "contact"))]
    assert [*found, offered("DeleteMultiple", "new_sensor")] == [1, 0, 1]


def test_elastic_tables_keep_the_good_rows(env: Environment) -> None:
    env.org.define("new_sensor", options={"type": "Elastic"}, fields=[{"name": "new_value", "type": "Integer"}])
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.new_sensor"}
    bad = kind | {"new_value": 2**31 - 1, "new_name": "x" * 101}
    targets = {"Targets": [kind | {"new_value": 1, "partitionid": "p"}, bad, kind | {"new_value": 3}]}
    path = "new_sensors/Microsoft.Dynamics.CRM."
    reply = env.call("POST", path + "CreateMultiple", targets, **ANNOTATED)
    details = reply.json()["error"]["@Microsoft.PowerApps.CDS.ErrorDetails.Plugin.BulkApiErrorDetails"]
    assert reply.status_code == 400
    assert json.loads(details) == [{"RequestIndex": 1, "Id": "", "StatusCode": 400}]
    rows = env.values("new_sensors?$select=new_value,partitionid&$orderby=new_value")
    assert [(row["new_value"], row["partitionid"]) for row in rows] == [(1, "p"), (3, None)]
    one = rows[0]["new_sensorid"]
    keyed = f"new_sensors(new_sensorid={one},partitionid='p')"
    assert env.get(keyed)["new_value"] == 1
    reply = env.call("PATCH", f"new_sensors({one})", {"new_name": "whole row"})
    assert reply.headers["x-ms-session-token"] and env.get(f"new_sensors({one})")["new_value"] is None
    gone = {"Targets": [kind | {"new_sensorid": row["new_sensorid"]} for row in rows]}
    assert env.call("POST", path + "DeleteMultiple", gone).status_code == 204
    assert env.values("new_sensors") == []
    assert env.get("EntityDefinitions(LogicalName='new_sensor')")["TableType"] == "Elastic"


def test_inactive_rows_of_some_tables_are_locked(env: Environment) -> None:
    env.org.define("new_case", options={"locks_inactive": True})
    path = f"new_cases({env.create('new_cases', new_name='L')})"
    env.call("PATCH", path, {"statecode": 1, "statuscode": 2})
    assert env.refused("PATCH", path, {"new_name": "x"})[:2] == (400, "0x80040230")
    assert env.call("PATCH", path, {"statecode": 0, "statuscode": 1, "new_name": "x"}).status_code == 204


def test_what_others_point_at_is_kept_or_takes_them_along(env: Environment) -> None:
    currency = env.values("transactioncurrencies")[0]["transactioncurrencyid"]
    env.create("leads", lastname="Pays")
    assert env.refused("DELETE", f"transactioncurrencies({currency})")[:2] == (405, "0x80040227")
    for name, on_delete in (("new_Kept", "Restrict"), ("new_Taken", "Cascade")):
        body = {
            "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
            "SchemaName": f"{name}_account",
            "ReferencedEntity": "account",
            "ReferencingEntity": "contact",
            "CascadeConfiguration": {"Delete": on_delete},
            "Lookup": {"SchemaName": name, "DisplayName": {"LocalizedLabels": []}},
        }
        assert env.call("POST", "RelationshipDefinitions", body).status_code == 204
        account = env.create("accounts", name=name)
        child = env.create(lastname=name, **{f"{name}@odata.bind": f"/accounts({account})"})
        reply = env.call("DELETE", f"accounts({account})")
        assert reply.status_code == (405 if on_delete == "Restrict" else 204)
        assert env.call("GET", f"contacts({child})").status_code == (200 if on_delete == "Restrict" else 404)


def test_closed_opportunities_are_locked_and_cases_merge(env: Environment) -> None:
    account = env.create("accounts", name="Buyer")
    bind = {"customerid_account@odata.bind": f"/accounts({account})"}
    path = f"opportunities({env.create('opportunities', name='O', **bind)})"
    env.call("PATCH", path, {"statecode": 1, "statuscode": 3})
    assert env.refused("PATCH", path, {"name": "x"})[:2] == (400, "0x80040230")
    cases = [env.create("incidents", title=f"Case {n}", **bind) for n in range(2)]
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.incident"}
    body = {"Target": kind | {"incidentid": cases[0]}, "Subordinate": kind | {"incidentid": cases[1]}}
    assert env.call("POST", "Merge", body | {"PerformParentingChecks": False}).status_code == 204
    row = env.get(f"incidents({cases[1]})?$select=statecode,merged,_masterid_value")
    assert (row["statecode"], row["merged"], row["_masterid_value"]) == (2, True, cases[0])
