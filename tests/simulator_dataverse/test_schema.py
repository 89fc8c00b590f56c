"""Schema requests of clients, and what is asked of all definitions at once (dataverse-api.md §2.1, §9.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator_dataverse.environment import Environment, batch_body, change_set, part

CRM = "Microsoft.Dynamics.CRM."


def label(text: str) -> dict[str, Any]:
    one = {"@odata.type": f"{CRM}LocalizedLabel", "Label": text, "LanguageCode": 1033}
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": [one]}


def column(kind: str, name: str, **more: Any) -> dict[str, Any]:
    head = {"@odata.type": f"{CRM}{kind}AttributeMetadata", "SchemaName": name, "DisplayName": label(name)}
    return head | {"RequiredLevel": {"Value": "None"}} | more


def entity(name: str, *columns: dict[str, Any]) -> dict[str, Any]:
    primary = column("String", "new_Name", IsPrimaryName=True, MaxLength=120, FormatName={"Value": "Text"})
    body = {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": name,
        "DisplayName": label(name),
        "OwnershipType": "UserOwned",
    }
    return body | {"Attributes": [primary, *columns]}


def test_table_is_made_used_changed_and_dropped(env: Environment) -> None:
    made = env.call(
        "POST", "EntityDefinitions", entity("new_Category", column("Integer", "new_Rank", MinValue=0, MaxValue=9))
    )
    assert made.status_code == 204
    path = made.headers["OData-EntityId"]
    found = env.get(path)
    names = (found["LogicalName"], found["EntitySetName"], found["SchemaName"], found["PrimaryNameAttribute"])
    assert names == ("new_category", "new_categories", "new_Category", "new_name")
    assert found["ChangeTrackingEnabled"] is False and found["IsCustomEntity"] is True
    record_id = env.create("new_categories", new_name="n" * 120, new_rank=9)
    assert env.refused("PATCH", f"new_categories({record_id})", {"new_rank": 10})[:2] == (400, "0x8004432f")
    assert env.call("PUT", path, found | {"ChangeTrackingEnabled": True}).status_code == 204
    assert env.get("new_categories", Prefer="odata.track-changes")["@odata.deltaLink"]
    assert env.refused("POST", "EntityDefinitions", entity("new_Category"))[0] == 400
    assert env.refused("PATCH", path, {"ChangeTrackingEnabled": False})[:2] == (405, "0x80060888")
    assert env.call("DELETE", path).status_code == 204
    assert env.refused("GET", "new_categories")[0] == 404
    contact = env.get("EntityDefinitions(LogicalName='contact')?$select=MetadataId")["MetadataId"]
    assert env.refused("DELETE", f"EntityDefinitions({contact})")[0] == 400


@pytest.mark.parametrize(
    ("kind", "more", "good", "bad"),
    [
        ("String", {"MaxLength": 3}, "abc", "abcd"),
        ("Memo", {"MaxLength": 3}, "a\nb", "a\nbc"),
        ("Decimal", {"Precision": 2, "MinValue": 0, "MaxValue": 5}, 4.25, 5.01),
        ("Double", {"Precision": 2, "MinValue": 0, "MaxValue": 5}, 4.25, 5.5),
        ("Money", {"Precision": 2, "MinValue": 0, "MaxValue": 5}, 4.25, 5.5),
        ("Boolean", {"OptionSet": {"TrueOption": {"Label": label("Ja")}}}, True, 1),
        ("DateTime", {"DateTimeBehavior": {"Value": "DateOnly"}}, "2026-03-01", "2026-03-01T00:00:00Z"),
        ("Picklist", {"OptionSet": {"Options": [{"Value": 7, "Label": label("Seven")}]}}, 7, 8),
        ("MultiSelectPicklist", {"OptionSet": {"Options": [{"Value": None, "Label": label("A")}]}}, "100000000", "1"),
    ],
)  # fmt: skip
def test_columns_of_every_type(env: Environment, kind: str, more: dict[str, Any], good: Any, bad: Any) -> None:
    name = f"new_T{kind}"
    made = env.call("POST", "EntityDefinitions(LogicalName='contact')/Attributes", column(kind, name, **more))
    assert made.status_code == 204, made.text
    shown = env.get(made.headers["OData-EntityId"])
    assert shown["@odata.type"] == f"#{CRM}{kind}AttributeMetadata" and shown["IsCustomAttribute"] is True
    record_id = env.create(**{name.lower(): good})
    assert env.get(f"contacts({record_id})")[name.lower()] == good
    assert env.call("POST", "contacts", {name.lower(): bad}).status_code == 400
    again = env.refused("POST", "EntityDefinitions(LogicalName='contact')/Attributes", column(kind, name, **more))
    assert again[0] == 400


def test_column_is_changed_by_its_complete_definition_and_dropped(env: Environment) -> None:
    attributes = "EntityDefinitions(LogicalName='account')/Attributes"
    env.call("POST", attributes, column("String", "new_Slogan", MaxLength=5))
    path = f"{attributes}(LogicalName='new_slogan')"
    full = env.get(f"{path}/{CRM}StringAttributeMetadata")
    assert env.call("PUT", path, full | {"MaxLength": 9}, **{"MSCRM.MergeLabels": "true"}).status_code == 204
    assert env.get(f"{path}/{CRM}StringAttributeMetadata")["MaxLength"] == 9
    env.create("accounts", name="Slogan", new_slogan="123456789")
    assert env.call("DELETE", path).status_code == 204
    assert env.refused("GET", "accounts?$select=new_slogan")[:2] == (400, "0x80060888")
    assert env.refused("DELETE", f"{attributes}(LogicalName='name')")[0] == 400


def test_key_is_indexed_by_a_job(env: Environment) -> None:
    env.org.settings({"job_seconds": 30})
    keys = "EntityDefinitions(LogicalName='lead')/Keys"
    body = {"SchemaName": "new_LeadEmail", "DisplayName": label("Email"), "KeyAttributes": ["emailaddress1"]}
    path = env.call("POST", keys, body).headers["OData-EntityId"]
    assert env.get(path)["EntityKeyIndexStatus"] == "Pending"
    assert env.refused("PATCH", "leads(emailaddress1='k@example.com')", {})[:2] == (400, "0x80060888")
    env.org.clock.advance(31)
    assert env.get(path)["EntityKeyIndexStatus"] == "Active"
    assert env.call("PATCH", "leads(emailaddress1='k@example.com')", {"lastname": "K"}).status_code == 204
    env.org.seed("lead", [{"lastname": "Twin"}, {"lastname": "twin"}])
    twice = {"SchemaName": "new_LeadName", "KeyAttributes": ["lastname"]}
    failed = env.call("POST", keys, twice).headers["OData-EntityId"]
    env.org.clock.advance(31)
    assert env.get(failed)["EntityKeyIndexStatus"] == "Failed"
    assert env.refused("POST", keys, twice)[:2] == (400, "0x80060893")
    assert env.call("DELETE", path).status_code == 204
    assert [one["LogicalName"] for one in env.values(keys)] == ["new_leadmember_key", "new_leadname"]
    env.org.settings({"job_seconds": 0})


def test_relationships_are_made_and_dropped(env: Environment) -> None:
    env.call("POST", "EntityDefinitions", entity("new_Event"))
    body = {
        "@odata.type": f"{CRM}OneToManyRelationshipMetadata",
        "SchemaName": "new_event_contact",
        "ReferencedEntity": "new_event",
        "ReferencingEntity": "contact",
        "ReferencedAttribute": "new_eventid",
        "Lookup": column("Lookup", "new_EventId"),
    }
    made = env.call("POST", "RelationshipDefinitions", body).headers["OData-EntityId"]
    assert env.get(made)["ReferencingEntityNavigationPropertyName"] == "new_EventId"
    event = env.create("new_events", new_name="Fair")
    env.create(lastname="Guest", **{"new_EventId@odata.bind": f"/new_events({event})"})
    assert [row["lastname"] for row in env.values(f"new_events({event})/new_event_contact")] == ["Guest"]
    many = {"@odata.type": f"{CRM}ManyToManyRelationshipMetadata", "SchemaName": "new_event_lead"}
    many |= {"Entity1LogicalName": "new_event", "Entity2LogicalName": "lead", "IntersectEntityName": "new_event_lead"}
    other = env.call("POST", "RelationshipDefinitions", many).headers["OData-EntityId"]
    lead = env.create("leads", lastname="Paired")
    env.call("POST", f"new_events({event})/new_event_lead/$ref", {"@odata.id": f"leads({lead})"})
    assert len(env.values(f"leads({lead})/new_event_lead")) == 1
    found = env.values("RelationshipDefinitions?$filter=SchemaName eq 'new_event_lead'")
    assert [one["IntersectEntityName"] for one in found] == ["new_event_lead"]
    kind = f"RelationshipType eq {CRM}RelationshipType'ManyToManyRelationship'"
    assert len(env.values(f"RelationshipDefinitions?$filter={kind}")) == 4
    for path in (made, other):
        assert env.call("DELETE", path).status_code == 204
        assert env.refused("GET", path)[0] == 404
    assert env.refused("GET", "contacts?$select=_new_eventid_value")[0] == 400


def test_global_choices(env: Environment) -> None:
    body = {"@odata.type": f"{CRM}OptionSetMetadata", "Name": "new_colours", "OptionSetType": "Picklist"}
    body["Options"] = [{"Value": 1, "Label": label("Red")}, {"Value": 2, "Label": label("Blue")}]  # type: ignore[assignment]  # values of several types
    assert env.call("POST", "GlobalOptionSetDefinitions", body).status_code == 204
    found = env.get("GlobalOptionSetDefinitions(Name='new_colours')")
    assert [one["Label"]["UserLocalizedLabel"]["Label"] for one in found["Options"]] == ["Red", "Blue"]
    bind = {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({found['MetadataId']})"}
    env.call("POST", "EntityDefinitions(LogicalName='contact')/Attributes", column("Picklist", "new_Colour", **bind))
    assert env.refused("POST", "contacts", {"new_colour": 3})[:2] == (400, "0x8004431a")
    assert env.refused("GET", "GlobalOptionSetDefinitions(Name='nosuch')")[0] == 404
    assert env.values("ManagedPropertyDefinitions") == []


def test_changes_of_metadata_in_one_question(env: Environment) -> None:
    def condition(name: str, value: str) -> dict[str, Any]:
        typed = {"Type": "System.String", "Value": value}
        return {"Conditions": [{"PropertyName": name, "ConditionOperator": "Equals", "Value": typed}]}

    query = {
        "Properties": {"PropertyNames": ["LogicalName", "Attributes"]},
        "Criteria": condition("LogicalName", "contact"),
        "AttributeQuery": {
            "Properties": {"PropertyNames": ["AttributeType", "MaxLength", "OptionSet"]},
            "Criteria": {
                "FilterOperator": "Or",
                "Filters": [condition("LogicalName", "lastname"), condition("LogicalName", "gendercode")],
            },
        },
    }
    found = env.session.get(env.base + "RetrieveMetadataChanges(Query=@p1)", params={"@p1": json.dumps(query)}).json()
    (contact,) = found["EntityMetadata"]
    columns = {one["LogicalName"]: one for one in contact["Attributes"]}
    assert set(columns) == {"lastname", "gendercode"}
    assert columns["lastname"]["MaxLength"] == 50
    assert [one["Value"] for one in columns["gendercode"]["OptionSet"]["Options"]] == [1, 2]
    assert "!" in found["ServerVersionStamp"]


def test_definitions_can_be_stale(env: Environment) -> None:
    env.org.settings({"metadata_lag_seconds": 30})
    attributes = "EntityDefinitions(LogicalName='contact')/Attributes"
    env.call("POST", attributes, column("String", "new_Fresh", MaxLength=5))
    path = f"{attributes}(LogicalName='new_fresh')"
    assert env.refused("GET", path)[0] == 404
    assert env.get(path, Consistency="Strong")["LogicalName"] == "new_fresh"
    env.org.clock.advance(31)
    assert env.get(path)["LogicalName"] == "new_fresh"
    env.org.settings({"metadata_lag_seconds": 0})


def test_several_tables_are_made_whole_or_not_at_all(env: Environment) -> None:
    body = {"Entities": [entity("new_First"), entity("Second")]}
    assert env.refused("POST", "CreateEntities", body)[0] == 400
    assert env.refused("GET", "EntityDefinitions(LogicalName='new_first')")[0] == 404
    assert env.refused("GET", "new_firsts")[0] == 404
    assert env.call("POST", "CreateEntities", {"Entities": [entity("new_First")]}).status_code == 200
    assert env.values("new_firsts") == []


def test_schema_in_a_change_set(env: Environment) -> None:
    body = batch_body(
        change_set(
            part("POST", "CreateEntities", {"Entities": [entity("new_Batched")]}, content_id="1"),
            part(
                "POST",
                "EntityDefinitions(LogicalName='lead')/Attributes",
                column("Integer", "new_Inset"),
                content_id="2",
            ),
        ),
        part("POST", "new_batcheds", {"new_name": "x"}),
    )
    reply = env.batch(body)
    assert reply.status_code == 200, reply.text
    env.create("leads", new_inset=3)
    broken = batch_body(
        change_set(
            part(
                "POST", "EntityDefinitions(LogicalName='lead')/Attributes", column("Integer", "new_No"), content_id="1"
            ),
            part("POST", "leads", {"nosuch": 1}, content_id="2"),
        )
    )
    assert env.batch(broken).status_code == 400
    assert env.refused("GET", "EntityDefinitions(LogicalName='lead')/Attributes(LogicalName='new_no')")[0] == 404
    assert env.refused("POST", "leads", {"new_no": 1})[:2] == (400, "0x80048d19")
