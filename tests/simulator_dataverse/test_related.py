"""Rows and what hangs on them: expand, lambda, links, deep insert (dataverse-api.md §2.4, §3.2, §3.5, §5.1)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator_dataverse.environment import ANNOTATED, Environment

ID = "33333333-2222-3333-4444-{:012d}"
FIRM, OTHER = ID.format(1), ID.format(2)


@pytest.fixture(scope="module")
def firms(env: Environment) -> Environment:
    org = env.org
    org.seed("account", [{"accountid": FIRM, "name": "Firm"}, {"accountid": OTHER, "name": "Other"}])
    org.seed(
        "contact",
        [{"contactid": ID.format(10 + n), "lastname": f"C{n}", "parentcustomerid": FIRM} for n in range(4)]
        + [{"contactid": ID.format(20), "lastname": "Loner"}]
        + [
            {
                "contactid": ID.format(21),
                "lastname": "Child",
                "parentcustomerid": ID.format(10),
                "parentcustomerid__type": "contact",
            }
        ],
    )
    org.change("account", [{"accountid": FIRM, "primarycontactid": ID.format(11)}])
    return env


def test_single_valued(firms: Environment) -> None:
    reply = firms.get(f"accounts({FIRM})?$select=name&$expand=primarycontactid($select=lastname)")
    assert reply["@odata.context"] == f"{firms.base}$metadata#accounts(name,primarycontactid(lastname))/$entity"
    inner = reply["primarycontactid"]
    assert (inner["lastname"], inner["contactid"]) == ("C1", ID.format(11)) and inner["@odata.etag"]
    nulls = firms.get(f"accounts({OTHER})?$expand=primarycontactid")
    assert nulls["primarycontactid"] is None
    query = "contacts?$select=lastname&$orderby=lastname&$expand=parentcustomerid_account($select=name)"
    rows = {row["lastname"]: row["parentcustomerid_account"] for row in firms.values(query)}
    assert rows["C0"]["name"] == "Firm" and rows["Loner"] is None
    assert rows["Child"] is None  # its customer is a contact
    deep = (
        "contacts?$select=lastname&$filter=lastname eq 'C0'"
        "&$expand=parentcustomerid_account($select=name;$expand=primarycontactid($select=lastname))"
    )
    assert firms.values(deep)[0]["parentcustomerid_account"]["primarycontactid"]["lastname"] == "C1"
    owner = firms.values("contacts?$top=1&$select=lastname&$expand=ownerid,createdby($select=fullname)")[0]
    assert set(owner["ownerid"]) == {"ownerid"} and owner["createdby"]["fullname"] == "Robin Sales"


def test_collections(firms: Environment) -> None:
    select = "$select=lastname;$filter=contains(lastname,'C');$orderby=lastname desc;$top=2"
    path = f"accounts?$select=name&$orderby=name&$expand=contact_customer_accounts({select})"
    rows = firms.values(path, **ANNOTATED)
    assert [[row["lastname"] for row in firm["contact_customer_accounts"]] for firm in rows] == [["C3", "C2"], []]
    link = rows[0]["contact_customer_accounts@odata.nextLink"]
    assert link.startswith(f"{firms.base}accounts({FIRM})/contact_customer_accounts?$select=lastname&$filter=")
    assert [row["lastname"] for row in firms.values(link)] == ["C3", "C2", "C1", "C0"]
    path = f"accounts({FIRM})?$select=name&$expand=contact_customer_accounts($select=lastname;$expand=contact_customer_contacts($select=lastname))"  # noqa: E501 - an address
    inner = {row["lastname"]: row["contact_customer_contacts"] for row in firms.get(path)["contact_customer_accounts"]}
    assert [row["lastname"] for row in inner["C0"]] == ["Child"] and inner["C1"] == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("accounts?$expand=nosuch", "0x80060888"),
        ("accounts?$expand=primarycontactid($select=nosuch)", "0x80060888"),
        ("accounts?$expand=primarycontactid($top=1)", "0x80060888"),
        ("contacts?$expand=ownerid($select=fullname)", "0x80060888"),
        ("accounts?$expand=contact_customer_accounts($levels=2)", "0x80060888"),
        ("accounts?$expand=contact_customer_accounts($top=1;$expand=createdby)", "0x80060888"),
        ("contacts?$expand=contactleads_association($expand=createdby)", "0x80060888"),
        ("accounts?$expand=" + ",".join(["createdby"] * 16), "0x8004430d"),
    ],
)
def test_expand_is_refused(firms: Environment, path: str, code: str) -> None:
    assert firms.refused("GET", path)[:2] == (400, code)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("contact_customer_accounts/any(c:c/lastname eq 'c2')", ["Firm"]),
        ("contact_customer_accounts/any(c:contains(c/lastname,'C') and c/statecode eq 0)", ["Firm"]),
        ("contact_customer_accounts/any()", ["Firm"]),
        ("not contact_customer_accounts/any()", ["Other"]),
        ("contact_customer_accounts/all(c:startswith(c/lastname,'C'))", ["Firm", "Other"]),
        ("contact_customer_accounts/all(c:c/lastname eq 'C1')", ["Other"]),
        ("contact_customer_accounts/any(c:c/contact_customer_contacts/any(d:d/lastname eq 'Child'))", ["Firm"]),
        ("contact_customer_accounts/any(c:c/parentcustomerid_account/name eq 'Firm')", ["Firm"]),
        ("primarycontactid/lastname eq 'C1'", ["Firm"]),
    ],
)
def test_lambda(firms: Environment, filter: str, expected: list[str]) -> None:
    rows = firms.values(f"accounts?$select=name&$orderby=name&$filter={filter}")
    assert [row["name"] for row in rows] == expected


def test_collections_have_addresses(firms: Environment) -> None:
    path = f"accounts({FIRM})/contact_customer_accounts"
    rows = firms.values(f"{path}?$select=lastname&$orderby=lastname", Prefer="odata.maxpagesize=3")
    assert [row["lastname"] for row in rows] == ["C0", "C1", "C2"]
    page = firms.get(f"{path}?$select=lastname", Prefer="odata.maxpagesize=3")
    assert len(firms.values(page["@odata.nextLink"], Prefer="odata.maxpagesize=3")) == 1
    assert firms.call("GET", f"{path}/$count?$filter=lastname ne 'C0'").content[3:] == b"3"
    assert len(firms.values(f"{path}/$ref")) == 4
    assert firms.get(f"{path}({ID.format(12)})?$select=lastname")["lastname"] == "C2"
    assert firms.refused("GET", f"{path}({ID.format(20)})")[:2] == (404, "0x80040217")
    assert firms.get(f"contacts({ID.format(10)})/parentcustomerid_account/primarycontactid/lastname")["value"] == "C1"


def test_links_come_and_go(env: Environment) -> None:
    account, contact = env.create("accounts", name="Links"), env.create(lastname="Linked")
    path = f"accounts({account})/contact_customer_accounts"
    body = {"@odata.id": f"{env.base}contacts({contact})"}
    assert env.call("POST", f"{path}/$ref", body).status_code == 204
    assert env.get(f"contacts({contact})")["_parentcustomerid_value"] == account
    assert env.refused("PUT", f"{path}/$ref", body)[0] == 405
    assert env.call("DELETE", f"{path}({contact})/$ref").status_code == 204
    assert env.get(f"contacts({contact})")["_parentcustomerid_value"] is None
    lead = env.create("leads", lastname="Paired")
    pairs = f"contacts({contact})/contactleads_association"
    assert env.call("POST", f"{pairs}/$ref", {"@odata.id": f"leads({lead})"}).status_code == 204
    assert env.refused("POST", f"{pairs}/$ref", {"@odata.id": f"leads({lead})"})[:2] == (412, "0x80040237")
    row = env.get(f"leads({lead})?$select=lastname&$expand=contactleads_association($select=lastname)")
    assert [one["lastname"] for one in row["contactleads_association"]] == ["Linked"]
    assert env.values(f"contacts?$filter=contactleads_association/any(l:l/leadid eq {lead})")
    assert env.call("DELETE", f"{pairs}/$ref?$id={env.base}leads({lead})").status_code == 204
    assert env.values(pairs) == []
    assert env.refused("POST", f"contacts({contact})/nosuch/$ref", {"@odata.id": "x"})[:2] == (404, "0x80060888")


def test_deep_insert_is_one_transaction(env: Environment) -> None:
    existing = env.create(lastname="Existing")
    body: dict[str, Any] = {
        "name": "Deep",
        "primarycontactid": {"lastname": "Primary", "contactleads_association": [{"lastname": "Lead"}]},
        "contact_customer_accounts": [{"lastname": "First"}, {"lastname": "Second"}],
        "contact_customer_accounts@odata.bind": [f"/contacts({existing})"],
    }
    account = env.create("accounts", **body)
    expand = "primarycontactid($select=lastname),contact_customer_accounts($select=lastname;$orderby=lastname)"
    row = env.get(f"accounts({account})?$expand={expand}")
    assert row["primarycontactid"]["lastname"] == "Primary"
    assert [one["lastname"] for one in row["contact_customer_accounts"]] == ["Existing", "First", "Second"]
    pairs = env.values(f"contacts({row['primarycontactid']['contactid']})/contactleads_association")
    assert [one["lastname"] for one in pairs] == ["Lead"]
    before = env.org.store.count("contact"), env.org.store.count("account")
    body["contact_customer_accounts"].append({"lastname": "x" * 51})
    assert env.refused("POST", "accounts", body)[:2] == (400, "0x80044331")
    assert (env.org.store.count("contact"), env.org.store.count("account")) == before
    refused = env.refused("PATCH", f"accounts({account})", {"primarycontactid": {"lastname": "No"}})
    assert refused[:2] == (400, "0x80048d19")
    made = env.call(
        "POST", "accounts", {"name": "Back", "primarycontactid": {"lastname": "P"}}, Prefer="return=representation"
    )
    assert made.status_code == 201 and made.json()["_primarycontactid_value"]


def test_row_is_created_in_a_collection(env: Environment) -> None:
    account = env.create("accounts", name="Parent")
    made = env.call("POST", f"accounts({account})/contact_customer_accounts", {"lastname": "Born inside"})
    assert made.status_code == 204
    assert env.get(made.headers["OData-EntityId"])["_parentcustomerid_value"] == account
    assert env.refused("POST", f"accounts({account})/nosuch", {})[:2] == (404, "0x80060888")
    assert env.refused("POST", "contacts/Microsoft.Dynamics.CRM.Nosuch", {})[:2] == (404, "0x80060888")


def test_deleting_a_row_takes_its_pairs_along(env: Environment) -> None:
    contact = env.create(lastname="Pair", contactleads_association=[{"lastname": "Kept"}])
    env.call("DELETE", f"contacts({contact})")
    assert env.org.store.query("SELECT count(*) FROM contactleads WHERE contactid = ?", [contact]) == [(0,)]
