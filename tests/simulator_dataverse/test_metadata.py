"""EntityDefinitions and attributes (dataverse-api.md §2)."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.simulator_dataverse.environment import Environment, batch_body, part

CRM = "Microsoft.Dynamics.CRM."
CONTACT = "EntityDefinitions(LogicalName='contact')"


def test_tables_are_listed_selected_and_filtered(env: Environment) -> None:
    every = env.values("EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute")
    contact = next(one for one in every if one["LogicalName"] == "contact")
    assert set(contact) == {"LogicalName", "EntitySetName", "PrimaryIdAttribute", "MetadataId"}
    assert (contact["EntitySetName"], contact["PrimaryIdAttribute"]) == ("contacts", "contactid")
    assert {"account", "lead", "systemuser"} <= {one["LogicalName"] for one in every}
    for filter in (
        "LogicalName eq 'lead'",
        "ObjectTypeCode eq 4",
        "CanCreateAttributes/Value eq true and LogicalName eq 'lead'",
    ):
        found = env.values(f"EntityDefinitions?$select=LogicalName&$filter={filter}")
        assert [one["LogicalName"] for one in found] == ["lead"]
    users = env.values(f"EntityDefinitions?$select=LogicalName&$filter=OwnershipType eq {CRM}OwnershipTypes'UserOwned'")
    names = {one["LogicalName"] for one in users}
    assert {"account", "contact", "lead"} <= names and not {"systemuser", "organization"} & names


def test_one_table_by_name_and_by_id(env: Environment) -> None:
    one = env.get(f"{CONTACT}?$select=SchemaName,PrimaryNameAttribute,ChangeTrackingEnabled,CanChangeTrackingBeEnabled")
    assert one["@odata.context"].endswith("/$entity")
    assert (one["SchemaName"], one["PrimaryNameAttribute"], one["ChangeTrackingEnabled"]) == (
        "Contact",
        "fullname",
        True,
    )
    assert one["CanChangeTrackingBeEnabled"]["Value"] is True
    assert env.get(f"EntityDefinitions({one['MetadataId']})")["LogicalName"] == "contact"


def test_expanded_attributes_have_only_the_common_properties(env: Environment) -> None:
    found = env.get(
        f"{CONTACT}?$select=LogicalName&$expand="
        "Attributes($select=LogicalName,AttributeType;$filter=AttributeType ne 'Virtual'),Keys"
    )
    kinds = {one["LogicalName"]: one["AttributeType"] for one in found["Attributes"]}
    assert kinds["lastname"] == "String" and kinds["ownerid"] == "Owner" and kinds["parentcustomerid"] == "Customer"
    assert "new_topics" not in kinds
    assert [one["KeyAttributes"] for one in found["Keys"]] == [["new_membernumber"]]
    whole = env.get(f"{CONTACT}?$expand=Attributes")["Attributes"]
    assert "MaxLength" not in next(one for one in whole if one["LogicalName"] == "lastname")


def test_attributes_tell_what_can_be_done_with_them(env: Environment) -> None:
    every = {one["LogicalName"]: one for one in env.values(f"{CONTACT}/Attributes")}
    assert every["lastname"]["@odata.type"] == "#Microsoft.Dynamics.CRM.StringAttributeMetadata"
    assert every["lastname"]["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert (every["contactid"]["IsPrimaryId"], every["fullname"]["IsPrimaryName"]) == (True, True)
    assert (every["modifiedon"]["IsValidForCreate"], every["modifiedon"]["IsValidForUpdate"]) == (False, False)
    assert (every["statecode"]["IsValidForCreate"], every["statecode"]["IsValidForUpdate"]) == (False, True)
    assert (every["owneridname"]["AttributeOf"], every["owneridname"]["IsValidODataAttribute"]) == ("ownerid", False)
    assert every["new_topics"]["AttributeType"] == "Virtual"
    assert every["new_topics"]["AttributeTypeName"] == {"Value": "MultiSelectPicklistType"}


@pytest.mark.parametrize(
    ("cast", "name", "expected"),
    [
        ("String", "lastname", {"MaxLength": 50}),
        ("Memo", "description", {"MaxLength": 2000}),
        ("Decimal", "new_campaignscore", {"Precision": 1, "MinValue": 0, "MaxValue": 100}),
        ("Money", "annualincome", {"PrecisionSource": 2, "IsBaseCurrency": False}),
        ("DateTime", "birthdate", {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}),
        ("DateTime", "modifiedon", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "UserLocal"}}),
        ("Lookup", "parentcustomerid", {"Targets": ["account", "contact"]}),
        ("Integer", "numberofchildren", {"MinValue": 0, "MaxValue": 1_000_000_000}),
    ],
)
def test_casts_give_the_properties_of_a_type(
    env: Environment, cast: str, name: str, expected: dict[str, object]
) -> None:
    path = f"{CONTACT}/Attributes/{CRM}{cast}AttributeMetadata"
    chosen = ",".join(expected)
    found = {one["LogicalName"]: one for one in env.values(f"{path}?$select=LogicalName,{chosen}")}[name]
    assert {key: found[key] for key in expected} == expected
    assert set(found) == {"LogicalName", "MetadataId", *expected}
    single = env.get(f"{CONTACT}/Attributes(LogicalName='{name}')/{CRM}{cast}AttributeMetadata?$select={chosen}")
    assert {key: single[key] for key in expected} == expected


def test_option_sets(env: Environment) -> None:
    def options(cast: str, name: str) -> dict[int, dict[str, object]]:
        expand = "$expand=OptionSet($select=Options),GlobalOptionSet"
        path = f"{CONTACT}/Attributes/{CRM}{cast}AttributeMetadata?$select=LogicalName&{expand}"
        found = {one["LogicalName"]: one["OptionSet"] for one in env.values(path)}[name]
        return {one["Value"]: one for one in found["Options"]}

    gender = options("Picklist", "gendercode")
    label = gender[2]["Label"]
    assert isinstance(label, dict) and label["UserLocalizedLabel"]["Label"] == "Female"
    assert label["LocalizedLabels"][0]["LanguageCode"] == 1033
    assert options("State", "statecode")[1]["DefaultStatus"] == 2
    assert options("Status", "statuscode")[2]["State"] == 1
    assert len(options("MultiSelectPicklist", "new_topics")) == 5
    path = f"{CONTACT}/Attributes(LogicalName='donotemail')/{CRM}BooleanAttributeMetadata/OptionSet"
    assert env.get(path)["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"] == "Do Not Allow"


def test_relationships_name_the_navigation_properties(env: Environment) -> None:
    found = env.values(
        f"{CONTACT}/ManyToOneRelationships?$select=ReferencedEntity,ReferencingEntityNavigationPropertyName"
    )
    pairs = {(one["ReferencedEntity"], one["ReferencingEntityNavigationPropertyName"]) for one in found}
    assert {("account", "parentcustomerid_account"), ("systemuser", "ownerid"), ("contact", "masterid")} <= pairs
    assert env.values(f"{CONTACT}/Keys")[0]["EntityKeyIndexStatus"] == "Active"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("EntityDefinitions(LogicalName='nosuch')", 404),
        ("EntityDefinitions(11111111-1111-1111-1111-111111111111)", 404),
        ("EntityDefinitions?$select=NoSuch", 400),
        ("EntityDefinitions?$filter=NoSuch eq 1", 400),
        ("EntityDefinitions?$filter=DisplayName eq 'x'", 400),
        ("EntityDefinitions?$top=1", 400),
        (f"{CONTACT}/Attributes?$expand=OptionSet", 400),
        (f"{CONTACT}/Attributes/{CRM}EnumAttributeMetadata", 404),
        (f"{CONTACT}/Attributes(LogicalName='nosuch')", 404),
        (f"{CONTACT}/Attributes(LogicalName='lastname')/{CRM}MoneyAttributeMetadata", 404),
    ],
)
def test_refused(env: Environment, path: str, status: int) -> None:
    assert env.refused("GET", path)[0] == status


def test_service_documents(env: Environment) -> None:
    sets = env.values("")
    assert {"name": "contacts", "kind": "EntitySet", "url": "contacts"} in sets
    assert env.get("RetrieveVersion()")["Version"].startswith("9.2.")
    tree = ElementTree.fromstring(env.call("GET", "$metadata").content)
    namespace = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = {one.get("Name"): one for one in tree.iter(f"{namespace}EntityType")}
    properties = {one.get("Name"): one.get("Type") for one in types["contact"].iter(f"{namespace}Property")}
    assert (properties["birthdate"], properties["_ownerid_value"]) == ("Edm.Date", "Edm.Guid")
    assert "owneridname" not in properties
    assert types["systemuser"].get("BaseType") == "mscrm.principal"
    navigation = {one.get("Name"): one.get("Type") for one in types["account"].iter(f"{namespace}NavigationProperty")}
    assert navigation["contact_customer_accounts"] == "Collection(mscrm.contact)"
    annotated = env.call("GET", "$metadata?annotations=true").text
    assert "Org.OData.Capabilities.V1.ChangeTracking" in annotated and "Org.OData.Core.V1.Computed" in annotated


def test_definitions_in_a_batch(env: Environment) -> None:
    """As airbyte's connector asks for them (§9.3)."""
    path = f"/api/data/v9.2/{CONTACT}/Attributes/{CRM}DateTimeAttributeMetadata?$select=LogicalName,DateTimeBehavior"
    reply = env.batch(batch_body(part("GET", path)), boundary='"batch_A"')
    blocks = reply.text.split("--batchresponse_")[1].strip().split("\r\n\r\n")
    assert len(blocks) == 3 and " 200 " in blocks[1]
    found = {one["LogicalName"]: one["DateTimeBehavior"]["Value"] for one in json.loads(blocks[2])["value"]}
    assert found["birthdate"] == "DateOnly"


def test_columns_and_tables_can_be_added(env: Environment) -> None:
    env.org.add_fields("contact", [{"name": "new_shoesize", "type": "Decimal", "precision": 2, "maximum": 99}])
    env.org.add_fields("new_course", [{"name": "new_code", "type": "String", "length": 10, "key": True}])
    record_id = env.create(lastname="S", new_shoesize=42.55)
    assert env.get(f"contacts({record_id})?$select=new_shoesize")["new_shoesize"] == 42.55
    assert env.get("EntityDefinitions(LogicalName='new_course')")["IsCustomEntity"] is True
    assert env.call("PATCH", "new_courses(new_code='C1')", {"new_name": "First"}).status_code == 204
    assert env.refused("POST", "new_courses", {"new_code": "c1"})[1] == "0x80060892"
