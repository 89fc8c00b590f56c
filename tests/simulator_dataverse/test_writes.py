"""Creating, changing, deleting, one row at a time and many (dataverse-api.md §5.1 to §5.3)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.simulator_dataverse.environment import ANNOTATED, Environment

LENGTH = (
    "A validation error occurred.  The length of the 'lastname' attribute of the 'contact' entity exceeded the maximum "
    "allowed length of '50'."
)
CHOICE = "The value 5 of 'gendercode' on record of type 'contact' is outside the valid range. Accepted Values: 1,2"
CONTACT = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}


def new_id() -> str:
    return str(uuid.uuid4())


def test_create_answers_with_the_address_of_the_row(env: Environment) -> None:
    reply = env.call("POST", "contacts", {"lastname": "Doe", "firstname": "Jo"})
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["OData-EntityId"] == reply.headers["Location"]
    row = env.get(reply.headers["OData-EntityId"])
    assert (row["fullname"], row["statecode"], row["statuscode"], row["donotemail"]) == ("Jo Doe", 0, 1, False)
    assert row["_ownerid_value"] == row["_createdby_value"] == env.get("WhoAmI")["UserId"]
    assert row["createdon"] == row["modifiedon"] and row["modifiedon"].endswith("Z") and "." not in row["modifiedon"]


def test_create_takes_the_id_it_is_given_once(env: Environment) -> None:
    chosen = new_id()
    assert env.create(contactid=chosen.upper(), lastname="A") == chosen
    assert env.refused("POST", "contacts", {"contactid": chosen, "lastname": "B"}) == (
        412,
        "0x80040237",
        "A record with matching key values already exists.",
    )
    assert env.get(f"contacts({chosen})")["lastname"] == "A"


def test_representation(env: Environment) -> None:
    prefer = "return=representation"
    made = env.call("POST", "contacts?$select=lastname", {"lastname": "Rep"}, Prefer=prefer)
    assert (made.status_code, made.headers["Preference-Applied"]) == (201, prefer)
    row = made.json()
    assert set(row) == {"@odata.context", "@odata.etag", "lastname", "contactid"}
    assert made.headers["ETag"] == row["@odata.etag"]
    changed = env.call("PATCH", f"contacts({row['contactid']})", {"firstname": "X"}, Prefer=prefer)
    assert (changed.status_code, changed.json()["fullname"]) == (200, "X Rep")
    assert changed.json()["@odata.etag"] != row["@odata.etag"]


def test_patch_creates_what_is_missing_unless_told_otherwise(env: Environment) -> None:
    chosen = new_id()
    missing = (404, "0x80040217", f"contact With Id = {chosen} Does Not Exist")
    assert env.refused("PATCH", f"contacts({chosen})", {"lastname": "A"}, If_Match="*") == missing
    made = env.call("PATCH", f"contacts({chosen})", {"lastname": "A"}, If_None_Match="*")
    assert made.status_code == 204
    assert env.refused("PATCH", f"contacts({chosen})", {"lastname": "B"}, If_None_Match="*")[:2] == (412, "0x80040237")
    assert env.call("PATCH", f"contacts({chosen})", {"lastname": "C"}, If_Match="*").status_code == 204
    assert env.call("PATCH", f"contacts({chosen})", {"lastname": "D"}, If_None_Match="null").status_code == 204
    assert env.get(f"contacts({chosen})")["lastname"] == "D"


def test_stale_etag_is_refused(env: Environment) -> None:
    path = f"contacts({env.create(lastname='V1')})"
    etag = env.get(path)["@odata.etag"]
    assert env.call("PATCH", path, {"lastname": "V2"}, If_Match=etag).status_code == 204
    message = "The version of the existing record doesn't match the RowVersion property provided."
    assert env.refused("PATCH", path, {"lastname": "V3"}, If_Match=etag) == (412, "0x80060882", message)
    assert env.refused("DELETE", path, If_Match=etag)[:2] == (412, "0x80060882")
    assert env.get(path)["lastname"] == "V2"


def test_versions_rise_through_the_whole_database(env: Environment) -> None:
    versions = []
    for entity_set in ("contacts", "leads", "accounts", "contacts"):
        row = env.get(f"{entity_set}({env.create(entity_set)})")
        versions.append(row["versionnumber"])
        assert row["@odata.etag"] == f'W/"{row["versionnumber"]}"'
    assert versions == sorted(set(versions))


def test_change_touches_only_what_it_names_and_nulls_clear(env: Environment) -> None:
    path = f"contacts({env.create(lastname='Keep', firstname='Old', numberofchildren=2, birthdate='1980-01-02')})"
    assert env.call("PATCH", path, {"firstname": None, "birthdate": None}).status_code == 204
    row = env.get(path)
    assert (row["lastname"], row["firstname"], row["birthdate"], row["numberofchildren"]) == ("Keep", None, None, 2)
    assert row["fullname"] == "Keep"
    assert env.call("DELETE", f"{path}/numberofchildren").status_code == 204
    assert env.call("PUT", f"{path}/lastname", {"value": "New"}).status_code == 204
    assert (env.get(path)["lastname"], env.get(path)["numberofchildren"]) == ("New", None)


def test_delete(env: Environment) -> None:
    record_id = env.create(lastname="Gone")
    assert env.call("DELETE", f"contacts({record_id})").status_code == 204
    gone = (404, "0x80040217", f"Entity 'contact' With Id = {record_id} Does Not Exist")
    assert env.refused("DELETE", f"contacts({record_id})") == gone
    assert env.refused("GET", f"contacts({record_id})") == gone
    assert [one["id"] for one in env.org.tombstones("contact")][-1] == record_id


def test_delete_empties_the_lookups_to_it(env: Environment) -> None:
    account = env.create("accounts", name="Gone")
    contact = env.create(lastname="Left", **{"parentcustomerid_account@odata.bind": f"/accounts({account})"})
    assert env.get(f"contacts({contact})")["_parentcustomerid_value"] == account
    env.call("DELETE", f"accounts({account})")
    assert env.get(f"contacts({contact})")["_parentcustomerid_value"] is None


@pytest.mark.parametrize(
    ("column", "value", "code", "text"),
    [
        ("nosuch", 1, "0x80048d19", "The property 'nosuch' does not exist on type 'Microsoft.Dynamics.CRM.contact'."),
        ("LastName", "x", "0x80048d19", "The property 'LastName' does not exist"),
        ("owneridname", "x", "0x80048d19", "The property 'owneridname' does not exist"),
        ("parentcustomerid", "x", "0x80048d19", "The property 'parentcustomerid' does not exist"),
        ("_ownerid_value", "00000000-0000-0000-0000-000000000001", "0x80048d19", "Use Navigation properties instead"),
        ("@logicalName", "contact", "0x80048d19", "@logicalName"),
        ("ParentCustomerId_account@odata.bind", "/accounts(x)", "0x80048d19", "undeclared property 'ParentCustomer"),
        ("lastname", 5, "0x80048d19", "Cannot convert the literal '5' to the expected type 'Edm.String'."),
        ("numberofchildren", "5", "0x80048d19", "Cannot convert the literal '5' to the expected type 'Edm.Int32'."),
        ("numberofchildren", 1.5, "0x80048d19", "expected type 'Edm.Int32'"),
        ("numberofchildren", True, "0x80048d19", "Cannot convert the literal 'true'"),
        ("donotemail", "true", "0x80048d19", "expected type 'Edm.Boolean'"),
        ("donotemail", 1, "0x80048d19", "expected type 'Edm.Boolean'"),
        ("new_campaignscore", "1.5", "0x80048d19", "expected type 'Edm.Decimal'"),
        ("birthdate", "2026-03-01T00:00:00Z", "0x80048d19", "expected type 'Edm.Date'"),
        ("birthdate", "2026-02-30", "0x80048d19", "expected type 'Edm.Date'"),
        ("new_lastopen", "yesterday", "0x80048d19", "expected type 'Edm.DateTimeOffset'"),
        ("new_lastopen", "2026-03-01T00:00:00Z+01:00", "0x80048d19", "expected type 'Edm.DateTimeOffset'"),
        ("gendercode", "Male", "0x80048d19", "expected type 'Edm.Int32'"),
        ("lastname", "x" * 51, "0x80044331", LENGTH),
        ("numberofchildren", -1, "0x8004432f", "outside the valid range"),
        ("new_campaignscore", 100.1, "0x80044330", "outside the valid range"),
        ("gendercode", 5, "0x8004431a", CHOICE),
        ("new_topics", "100000000,7", "0x8004431a", "The value 7 of 'new_topics'"),
        ("new_lastopen", "1752-12-31T00:00:00Z", "0x80040239", "01/01/1753"),
        ("lastname", "a\u000bb", "0x80040278", "hexadecimal value 0x0B"),
        ("statuscode", 2, "0x80048408", "2 is not a valid status code for state code ContactState.Active"),
    ],
)  # fmt: skip
def test_value_is_refused(env: Environment, column: str, value: object, code: str, text: str) -> None:
    before = env.org.store.count("contact")
    found = env.refused("POST", "contacts", {"lastname": "Ok", column: value})
    assert found[:2] == (400, code)
    assert text in found[2]
    assert env.org.store.count("contact") == before


def test_length_counts_as_the_vendor_counts(env: Environment) -> None:
    env.create(lastname="é" * 50)
    env.create(lastname="😀" * 25)
    assert env.refused("POST", "contacts", {"lastname": "😀" * 26})[1] == "0x80044331"


def test_application_required_is_no_rule_of_the_api_but_system_required_is(env: Environment) -> None:
    env.create("leads", firstname="Without subject or last name")
    assert (
        env.refused("POST", "transactioncurrencies", {"isocurrencycode": "EUR", "currencysymbol": "€"})[1]
        == "0x80040203"
    )


def test_values_are_kept_as_the_vendor_keeps_them(env: Environment) -> None:
    sent: dict[str, Any] = {
        "lastname": "",
        "new_campaignscore": 12.25,
        "new_lastopen": "2026-03-01T10:30:15.987+02:00",
        "new_topics": " 100000003, 100000000",
        "annualincome": 1234.5,
        "modifiedon": "1999-01-01T00:00:00Z",
        "fullname": "Nobody",
        "numberofchildren": 0,
        "donotphone": False,
    }
    text = env.call("GET", f"contacts({env.create(**sent)})").text
    for expected in (
        '"lastname":null',
        '"new_campaignscore":12.2,',
        '"new_lastopen":"2026-03-01T08:30:15Z"',
        '"new_topics":"100000000,100000003"',
        '"annualincome":1234.5000',
        '"annualincome_base":1234.5000',
        '"fullname":null',
        '"numberofchildren":0',
        '"donotphone":false',
    ):
        assert expected in text
    assert '"modifiedon":"1999' not in text


def test_states_and_their_reasons(env: Environment) -> None:
    path = f"contacts({env.create(lastname='S', statecode=1)})"
    assert env.get(path)["statecode"] == 0  # not valid for create, so dropped
    env.call("PATCH", path, {"statecode": 1})
    assert (env.get(path)["statecode"], env.get(path)["statuscode"]) == (1, 2)
    assert env.refused("PATCH", path, {"statuscode": 1})[:2] == (400, "0x80048408")
    assert env.refused("PATCH", path, {"statecode": 7})[:2] == (400, "0x80048408")
    env.call("PATCH", path, {"lastname": "still editable"})
    env.call("PATCH", path, {"statecode": 0, "statuscode": 1})
    assert (env.get(path)["statecode"], env.get(path)["lastname"]) == (0, "still editable")
    lead = f"leads({env.create('leads', statuscode=2)})"
    env.call("PATCH", lead, {"statecode": 2, "statuscode": 6})
    assert env.get(lead)["statuscode"] == 6


# --- lookups ------------------------------------------------------------------------------------------------


def test_lookups_are_bound_in_every_spelling_and_cleared(env: Environment) -> None:
    account = env.create("accounts", name="Bind", accountnumber="A/1 (x)")
    key = "parentcustomerid_account@odata.bind"
    for address in (
        f"/accounts({account})",
        f"accounts({account.upper()})",
        f"{env.base}accounts({account})",
        "/accounts(accountnumber='a/1 (x)')",
    ):
        contact = env.create(lastname="B", **{key: address})
        row = env.get(f"contacts({contact})", **ANNOTATED)
        assert row["_parentcustomerid_value"] == account
        assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    for body in ({key: None}, {"parentcustomerid_account": None}):
        env.call("PATCH", f"contacts({contact})", {key: f"/accounts({account})"})
        assert env.call("PATCH", f"contacts({contact})", body).status_code == 204
        assert env.get(f"contacts({contact})")["_parentcustomerid_value"] is None
    reference = f"contacts({contact})/parentcustomerid_account/$ref"
    assert env.call("PUT", reference, {"@odata.id": f"{env.base}accounts({account})"}).status_code == 204
    assert env.get(f"contacts({contact})/parentcustomerid_account")["name"] == "Bind"
    assert env.call("DELETE", reference).status_code == 204
    assert env.call("GET", f"contacts({contact})/parentcustomerid_account").status_code == 204


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/accounts(00000000-0000-0000-0000-000000000009)", 404, "0x80040217"),
        ("/accounts(accountnumber='none')", 404, "0x80060891"),
        ("/contacts(00000000-0000-0000-0000-000000000009)", 400, "0x80048d19"),
        ("/nosuch(00000000-0000-0000-0000-000000000009)", 400, "0x80048d19"),
        ("$1", 400, "0x80060888"),
    ],
)
def test_lookup_is_refused(env: Environment, address: str, status: int, code: str) -> None:
    body = {"lastname": "B", "parentcustomerid_account@odata.bind": address}
    assert env.refused("POST", "contacts", body)[:2] == (status, code)


# --- alternate keys -----------------------------------------------------------------------------------------


def test_upsert_by_alternate_key(env: Environment) -> None:
    path = "contacts(new_membernumber='UP-1')"
    made = env.call("PATCH", path, {"lastname": "First"})
    assert made.headers["OData-EntityId"] == f"{env.base}{path}"
    assert env.get(path)["new_membernumber"] == "UP-1"
    env.call("PATCH", "contacts(new_membernumber='up-1')", {"lastname": "Second", "new_membernumber": "other"})
    row = env.get(path)
    assert (row["lastname"], row["new_membernumber"]) == ("Second", "UP-1")
    assert env.refused("PATCH", "contacts(new_membernumber='UP-2')", {}, If_Match="*")[:2] == (404, "0x80060891")
    assert env.refused("PATCH", path, {}, If_None_Match="*")[:2] == (412, "0x80040237")


def test_address_of_an_alternate_key_fits_a_header(env: Environment) -> None:
    made = env.call("PATCH", "contacts(new_membernumber='%C3%A9%20y')", {"lastname": "H"})
    assert made.headers["OData-EntityId"].endswith("contacts(new_membernumber='%C3%A9%20y')")
    assert env.get(made.headers["OData-EntityId"])["lastname"] == "H"


def test_alternate_key_is_unique_without_regard_to_case(env: Environment) -> None:
    env.create(new_membernumber="Twin")
    other = env.create(new_membernumber="Other")
    message = (
        "Entity Key new_membernumber_key violated. A record with the same value for new_membernumber already exists. "
        "A duplicate record cannot be created. Select one or more unique values and try again."
    )
    assert env.refused("POST", "contacts", {"new_membernumber": "TWIN"}) == (412, "0x80060892", message)
    assert env.refused("PATCH", f"contacts({other})", {"new_membernumber": "twin"})[:2] == (412, "0x80060892")
    reply = env.call("POST", "contacts", {"new_membernumber": "TWIN"}, **ANNOTATED).json()["error"]
    assert reply["@Microsoft.PowerApps.CDS.ErrorDetails.DuplicateAttributes"] == "new_membernumber"
    env.create(new_membernumber=None)
    env.create(new_membernumber=None)  # rows with a null part never collide
    env.create("leads", new_membernumber="Twin")  # nor do other tables


def test_key_in_the_address_cannot_hold_some_characters(env: Environment) -> None:
    assert env.call("GET", "contacts(new_membernumber='a%2Fb')").status_code == 400
    assert env.call("PATCH", "contacts(new_membernumber='a%26b')", {}).status_code == 400
    assert env.call("PATCH", "contacts(new_membernumber='o''b')", {"lastname": "q"}).status_code == 204
    assert env.get("contacts(new_membernumber='O%27%27B')")["lastname"] == "q"


# --- many rows ----------------------------------------------------------------------------------------------


def message(env: Environment, name: str, targets: list[dict[str, Any]], entity_set: str = "contacts") -> Any:
    return env.call("POST", f"{entity_set}/Microsoft.Dynamics.CRM.{name}", {"Targets": targets})


def test_create_multiple_is_all_or_nothing(env: Environment) -> None:
    good = [CONTACT | {"lastname": f"M{number}"} for number in range(3)]
    reply = message(env, "CreateMultiple", good)
    assert reply.status_code == 200
    assert [env.get(f"contacts({one})")["lastname"] for one in reply.json()["Ids"]] == ["M0", "M1", "M2"]
    before = env.org.store.count("contact")
    bad = message(env, "CreateMultiple", [*good, CONTACT | {"lastname": "x" * 51}])
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "0x80044331")
    twice = message(env, "CreateMultiple", [CONTACT | {"new_membernumber": "both"}] * 2)
    assert (twice.status_code, twice.json()["error"]["code"]) == (412, "0x80060892")
    assert env.org.store.count("contact") == before
    assert message(env, "CreateMultiple", [{"lastname": "no type"}]).status_code == 400
    assert message(env, "CreateMultiple", []).status_code == 400


def test_update_multiple(env: Environment) -> None:
    ids = [env.create(lastname="U") for _ in range(2)]
    targets = [CONTACT | {"contactid": one, "firstname": name} for one, name in zip(ids, "ab", strict=True)]
    again = CONTACT | {"contactid": ids[0], "firstname": "ignored"}
    assert message(env, "UpdateMultiple", [*targets, again]).status_code == 204
    assert [env.get(f"contacts({one})")["fullname"] for one in ids] == ["a U", "b U"]
    missing = new_id()
    bad = message(
        env, "UpdateMultiple", [CONTACT | {"contactid": ids[0], "firstname": "z"}, CONTACT | {"contactid": missing}]
    )
    assert bad.json()["error"]["message"] == f"Contact With Ids = {missing} Do Not Exist"
    assert env.get(f"contacts({ids[0]})")["firstname"] == "a"


def test_upsert_multiple(env: Environment) -> None:
    address = {"@odata.id": "contacts(new_membernumber='US/1')"}
    chosen = new_id()
    targets = [CONTACT | address | {"lastname": "new"}, CONTACT | {"contactid": chosen, "lastname": "by id"}]
    assert message(env, "UpsertMultiple", targets).status_code == 204
    assert message(env, "UpsertMultiple", [CONTACT | address | {"lastname": "changed"}]).status_code == 204
    assert env.names("new_membernumber eq 'us/1'") == ["changed"]
    assert env.get(f"contacts({chosen})")["lastname"] == "by id"
    both = CONTACT | address | {"new_membernumber": "US/1"}
    assert message(env, "UpsertMultiple", [both]).json()["error"]["code"] == "0x80040216"
    assert message(env, "UpsertMultiple", [CONTACT | address] * 2).status_code == 412
    assert message(env, "DeleteMultiple", [CONTACT | {"contactid": chosen}]).status_code == 400


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["lastname", "numberofchildren", "new_campaignscore", "donotemail", "birthdate", "gendercode"]),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
            st.text(max_size=60), st.lists(st.integers(), max_size=2),
        ),
    )
)  # fmt: skip
def test_any_body_is_kept_or_refused_by_name(env: Environment, body: dict[str, Any]) -> None:
    reply = env.call("POST", "contacts", body)
    assert reply.status_code in (204, 400), reply.text
    if reply.status_code == 400:
        assert reply.json()["error"]["code"].startswith("0x800")
