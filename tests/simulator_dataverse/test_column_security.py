"""Column security: what is secured stands in the definitions; reads are null, writes are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backhaul.simulator.dataverse import OTHER_USER_ID
from backhaul.simulator.dataverse.org import APPLICATION_USER_ID
from tests.simulator_dataverse.environment import ANNOTATED, Environment

ATTRIBUTES = "EntityDefinitions(LogicalName='contact')/Attributes"
PRIVILEGES = "Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivileges()"


@pytest.fixture(autouse=True)
def unsecured(env: Environment) -> Iterator[None]:
    yield
    env.org.settings({"secured_columns": {}, "administrator": False})


def secure(env: Environment, **columns: list[str]) -> None:
    env.org.settings({"secured_columns": {"contact": columns}})


def test_a_column_that_may_not_be_read_is_null_everywhere(env: Environment) -> None:
    record_id = env.create(lastname="Secret", jobtitle="Spy", annualincome=7, gendercode=2)
    env.create(lastname="Plain")
    secure(env, jobtitle=["read"], annualincome=["read"], gendercode=["read"])
    path = f"contacts({record_id})?$select=lastname,jobtitle,annualincome,gendercode"
    row = env.get(path, **ANNOTATED)
    assert (row["lastname"], row["jobtitle"], row["annualincome"], row["gendercode"]) == ("Secret", None, None, None)
    assert not [name for name in row if name.startswith("gendercode@")]
    assert env.call("GET", f"contacts({record_id})/jobtitle").status_code == 204
    # A condition on it finds what a condition on null finds.
    assert env.names("jobtitle eq 'Spy'") == [] and env.names("jobtitle eq null") == ["Plain", "Secret"]
    assert env.names("lastname ne null", "jobtitle,lastname") == ["Plain", "Secret"]
    fetched = env.values(
        "contacts?fetchXml=<fetch><entity name='contact'><attribute name='jobtitle'/></entity></fetch>"
    )
    assert [one.get("jobtitle") for one in fetched] == [None, None]
    assert [one["jobtitle"] for one in env.values("contacts?sql=SELECT jobtitle FROM contact")] == [None, None]
    tracked = env.get("contacts?$select=jobtitle", Prefer="odata.track-changes")
    assert [one["jobtitle"] for one in tracked["value"]] == [None, None]
    # The value is still there.
    (kept,) = [one for one in env.org.dump("contact") if one["contactid"] == record_id]
    assert (kept["jobtitle"], kept["annualincome"]) == ("Spy", 7)
    secure(env)
    assert env.get(path)["jobtitle"] == "Spy"


def test_writes_of_a_secured_column_are_refused_by_what_they_do(env: Environment) -> None:
    record_id = env.create(lastname="S", jobtitle="Spy")
    secure(env, jobtitle=["update"], department=["create"])
    refused = env.refused("PATCH", f"contacts({record_id})", {"jobtitle": "x"})
    assert refused[:2] == (403, "0x8004f507")
    assert f"Caller user with Id {APPLICATION_USER_ID} does not have update permissions to a Job Title" in refused[2]
    assert env.refused("POST", "contacts", {"lastname": "x", "department": "y"})[:2] == (403, "0x8004f502")
    env.create(lastname="T", jobtitle="may be created")
    assert env.call("PATCH", f"contacts({record_id})", {"department": "may be updated"}).status_code == 204


def test_definitions_and_profiles_tell_of_it(env: Environment) -> None:
    secure(env, jobtitle=["create", "read", "update"], department=["update"], salutation=[])
    shown = env.values(f"{ATTRIBUTES}?$select=LogicalName,CanBeSecuredForRead&$filter=IsSecured eq true")
    ids = {one["LogicalName"]: one["MetadataId"] for one in shown}
    assert set(ids) == {"jobtitle", "department", "salutation"} and all(one["CanBeSecuredForRead"] for one in shown)
    told = env.get(f"systemusers({APPLICATION_USER_ID})/{PRIVILEGES}")
    assert told["@odata.context"].endswith("#Microsoft.Dynamics.CRM.RetrievePrincipalAttributePrivilegesResponse")
    entries = {one.pop("AttributeId"): one for one in told["AttributePrivileges"]}
    # A column that no profile of the user names is not listed.
    assert entries == {
        ids["department"]: {"CanCreate": 4, "CanRead": 4, "CanReadUnMasked": 0, "CanUpdate": 0},
        ids["salutation"]: {"CanCreate": 4, "CanRead": 4, "CanReadUnMasked": 0, "CanUpdate": 4},
    }
    assert env.get(f"systemusers({OTHER_USER_ID})/{PRIVILEGES}")["AttributePrivileges"] == []


def test_an_administrator_is_not_held_by_it(env: Environment) -> None:
    record_id = env.create(lastname="S", jobtitle="Spy")
    secure(env, jobtitle=["create", "read", "update"])
    roles = f"systemusers({APPLICATION_USER_ID})/systemuserroles_association?$select=name,_roletemplateid_value"
    assert [one["name"] for one in env.values(roles)] == ["Basic User"]
    env.org.settings({"administrator": True})
    (role,) = env.values(roles)
    assert (role["name"], role["_roletemplateid_value"]) == (
        "System Administrator",
        "627090ff-40a3-4053-8790-584edc5be201",
    )
    assert env.get(f"contacts({record_id})")["jobtitle"] == "Spy"
    assert env.call("PATCH", f"contacts({record_id})", {"jobtitle": "Open"}).status_code == 204
    assert env.get(f"systemusers({APPLICATION_USER_ID})/{PRIVILEGES}")["AttributePrivileges"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": {"nosuch": []}},
        {"nosuch": {"x": []}},
        {"contact": {"contactid": []}},
        {"contact": {"jobtitle": ["look"]}},
    ],
)
def test_what_cannot_be_secured_is_named(env: Environment, wrong: dict[str, dict[str, list[str]]]) -> None:
    with pytest.raises(ValueError, match="column security"):
        env.org.settings({"secured_columns": wrong})
    assert env.org.setting("secured_columns") == {}
