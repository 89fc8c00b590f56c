"""Dataverse's metadata becomes a schema: each column type, lookups by both names, keys that can be used."""

from __future__ import annotations

import pytest

from backhaul.crm.dynamics import metadata
from backhaul.errors import ConfigurationError
from backhaul.record import Kind, Option

from .environment import DEFINITIONS, ROOT, attribute, choice, connect, error


def test_each_column_has_its_kind() -> None:
    crm, _, _ = connect({})
    schema = crm.describe("contact")
    assert schema.id_field == "contactid"
    assert schema.cursors == ("modifiedon", "createdon")
    beside = {name for names in schema.companions.values() for name in names}
    assert {name: field.kind for name, field in schema.fields.items() if name not in beside} == {
        "contactid": Kind.ID,
        "firstname": Kind.TEXT,
        "lastname": Kind.TEXT,
        "fullname": Kind.TEXT,
        "emailaddress1": Kind.TEXT,
        "description": Kind.TEXT,
        "birthdate": Kind.DATE,
        "new_lastopen": Kind.DATETIME,
        "new_walltime": Kind.DATETIME,
        "createdon": Kind.DATETIME,
        "modifiedon": Kind.DATETIME,
        "donotbulkemail": Kind.BOOLEAN,
        "numberofchildren": Kind.INTEGER,
        "versionnumber": Kind.BIGINT,
        "new_campaignscore": Kind.DECIMAL,
        "annualincome": Kind.DECIMAL,
        "new_total": Kind.DECIMAL,
        "address1_latitude": Kind.DOUBLE,
        "gendercode": Kind.INTEGER,
        "statecode": Kind.INTEGER,
        "statuscode": Kind.INTEGER,
        "new_topics": Kind.TEXT,
        "new_membernumber": Kind.TEXT,
        "parentcustomerid": Kind.ID,
        "ownerid": Kind.ID,
        "new_accountid": Kind.ID,
        "entityimage": Kind.TEXT,
    }


def test_details_come_from_the_casts() -> None:
    crm, _, _ = connect({})
    fields = crm.describe("contact").fields
    assert fields["lastname"].length == 50
    assert fields["lastname"].required_on_create
    assert (fields["new_campaignscore"].precision, fields["new_campaignscore"].scale) == (13, 1)
    assert (fields["annualincome"].precision, fields["annualincome"].scale) == (19, 4)
    assert fields["birthdate"].date_only
    assert fields["new_walltime"].vendor_type == "DateTime (TimeZoneIndependent)"
    assert fields["new_walltime"].wall_clock and not fields["new_lastopen"].wall_clock
    assert fields["gendercode"].options == (Option("1", "Male"), Option("2", "Female", default=True))
    assert fields["new_topics"].options == (Option("1", "Events"), Option("9", "Offers"))
    assert fields["donotbulkemail"].options == (Option("true", "Do Not Allow"), Option("false", "Allow"))
    assert fields["statecode"].restricted and not fields["statecode"].createable
    assert fields["new_total"].calculated and not fields["new_total"].updateable
    assert not fields["contactid"].updateable and fields["contactid"].createable
    assert not fields["entityimage"].updateable


def test_lookups_have_two_names_and_their_targets() -> None:
    crm, _, _ = connect({})
    fields = crm.describe("contact").fields
    assert fields["ownerid"].on_wire == "_ownerid_value"
    assert fields["ownerid"].references == ("systemuser", "team")
    assert fields["parentcustomerid"].references == ("account", "contact")
    assert fields["lastname"].on_wire == "lastname"


def test_choices_have_labels_and_lookups_a_table_and_a_name_beside_them() -> None:
    crm, _, _ = connect({})
    schema = crm.describe("contact")
    assert schema.companions == {
        "gendercode": ("gendercode_label",),
        "statecode": ("statecode_label",),
        "statuscode": ("statuscode_label",),
        "new_topics": ("new_topics_label",),
        "parentcustomerid": ("parentcustomerid_table", "parentcustomerid_name"),
        "ownerid": ("ownerid_table", "ownerid_name"),
        "new_accountid": ("new_accountid_table", "new_accountid_name"),
    }
    table = schema.fields["parentcustomerid_table"]
    assert table.on_wire == "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    assert schema.fields["statuscode_label"].on_wire == "statuscode@OData.Community.Display.V1.FormattedValue"
    assert not (table.createable or table.updateable or table.filterable or table.required_on_create)


def test_a_column_of_the_tables_own_is_not_hidden_by_a_label() -> None:
    columns = [
        attribute("contactid", "Uniqueidentifier"),
        attribute("gendercode", "Picklist"),
        attribute("gendercode_label", "Integer"),
    ]
    schema = metadata.table("dynamics", DEFINITIONS[0], columns, [], []).schema
    assert schema.fields["gendercode_label"].kind is Kind.INTEGER and schema.companions == {}


def test_only_active_keys_count() -> None:
    crm, _, _ = connect({})
    schema = crm.describe("contact")
    assert schema.keys == (("new_membernumber",), ("emailaddress1",), ("lastname", "birthdate"))
    assert schema.fields["new_membernumber"].external_id and schema.fields["new_membernumber"].unique
    assert not schema.fields["firstname"].external_id and not schema.fields["lastname"].external_id


def test_a_description_costs_three_requests_and_is_kept() -> None:
    crm, wire, _ = connect({})
    crm.describe("contact")
    crm.describe("contact")
    assert len([path for path in wire.paths() if ROOT in path]) == 3


def test_an_unknown_table_suggests_another() -> None:
    crm, _, _ = connect(
        {f"GET {ROOT}EntityDefinitions(LogicalName='contacts')": error(404, "0x80060888", "Could not find an entity")}
    )
    with pytest.raises(ConfigurationError, match="has no table 'contacts'") as caught:
        crm.describe("contacts")
    assert "did you mean 'contact'?" in str(caught.value)


def test_tables_are_listed_by_name() -> None:
    crm, _, _ = connect({})
    assert [(table.name, table.label) for table in crm.objects()][:2] == [
        ("account", "Account"),
        ("contact", "Contact"),
    ]


def test_a_default_stands_in_for_what_is_required() -> None:
    required = {"RequiredLevel": {"Value": "ApplicationRequired"}}
    columns = [
        attribute("contactid", "Uniqueidentifier"),
        attribute("gendercode", "Picklist", **required),
        attribute("educationcode", "Picklist", **required),
        attribute("donotemail", "Boolean", **required),
    ]
    details = [choice("gendercode", {1: "A"}, default=1), choice("educationcode", {1: "A"}, default=-1)]
    schema = metadata.table("dynamics", DEFINITIONS[0], columns, details, []).schema
    assert [name for name, field in schema.fields.items() if field.required_on_create] == ["educationcode"]
