"""Collections, pages, counts, single rows (dataverse-api.md §3): what a reader gets, and what it is refused."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.simulator_dataverse.environment import ANNOTATED, Environment

ID = "11111111-2222-3333-4444-{:012d}"


@pytest.fixture(scope="module")
def rows(env: Environment) -> Environment:
    env.org.seed(
        "contact",
        [
            {
                "contactid": ID.format(number),
                "firstname": "Ann" if number % 3 else None,
                "lastname": f"Row{number:02d}",
                "numberofchildren": number % 4 if number % 5 else None,
                "modifiedon": f"2026-03-01T09:{number // 4:02d}:00Z",
            }
            for number in range(23)
        ],
    )
    return env


def test_row_has_its_key_etag_and_the_selected_columns_nulls_included(rows: Environment) -> None:
    reply = rows.get("contacts?$select=lastname,firstname&$orderby=lastname&$top=1")
    (row,) = reply["value"]
    assert reply["@odata.context"] == f"{rows.base}$metadata#contacts(lastname,firstname)"
    assert list(row) == ["@odata.etag", "lastname", "firstname", "contactid"]
    assert (row["lastname"], row["firstname"], row["contactid"]) == ("Row00", None, ID.format(0))
    assert re.fullmatch(r'W/"\d+"', row["@odata.etag"])


def test_without_select_every_column_comes(rows: Environment) -> None:
    row = rows.get(f"contacts({ID.format(1)})")
    assert row["@odata.context"] == f"{rows.base}$metadata#contacts/$entity"
    assert {"emailaddress1", "_parentcustomerid_value", "versionnumber", "statecode", "new_topics"} <= set(row)
    assert not {"owneridname", "statecodename", "ownerid"} & set(row)
    assert row["modifiedon"] == "2026-03-01T09:00:00Z"


def walk(env: Environment, path: str, size: int) -> tuple[list[str], int]:
    found: list[str] = []
    pages = 0
    while path:
        reply = env.call("GET", path, Prefer=f"odata.maxpagesize={size}")
        assert reply.status_code == 200, reply.text
        assert reply.headers["Preference-Applied"] == f"odata.maxpagesize={size}"
        page = reply.json()
        assert len(page["value"]) <= size
        found += [row["lastname"] for row in page["value"]]
        path, pages = page.get("@odata.nextLink", ""), pages + 1
    return found, pages


@pytest.mark.parametrize(
    "order",
    ["", "modifiedon", "modifiedon desc", "firstname,numberofchildren desc", "numberofchildren,lastname desc"],
)
@pytest.mark.parametrize(("size", "pages"), [(5, 5), (23, 1), (22, 2)])
def test_pages_hold_every_row_once_in_order(rows: Environment, order: str, size: int, pages: int) -> None:
    path = "contacts?$select=lastname" + (f"&$orderby={order}" if order else "")
    whole = [row["lastname"] for row in rows.values(path)]
    assert len(whole) == 23
    assert walk(rows, path, size) == (whole, pages)


def test_next_link_survives_being_taken_apart(rows: Environment) -> None:
    page = rows.get("contacts?$select=lastname&$orderby=modifiedon", Prefer="odata.maxpagesize=10")
    link = page["@odata.nextLink"]
    token = dict(parse_qsl(urlsplit(link).query))["$skiptoken"]
    assert re.fullmatch(
        r'<cookie pagenumber="2" pagingcookie="%3ccookie%20page%3d%221%22%3e.*" istracking="False" />', token
    )
    again = f"contacts?{urlencode(parse_qsl(urlsplit(link).query))}"
    headers = {"Prefer": "odata.maxpagesize=10"}
    assert rows.get(again, **headers)["value"] == rows.get(link, **headers)["value"]


def test_rows_written_between_pages_shift_nothing(env: Environment) -> None:
    env.org.seed("lead", [{"leadid": ID.format(number * 10), "lastname": f"L{number}"} for number in range(6)])
    first = env.get("leads?$select=lastname", Prefer="odata.maxpagesize=3")
    env.org.seed(
        "lead", [{"leadid": ID.format(5), "lastname": "before"}, {"leadid": ID.format(35), "lastname": "after"}]
    )
    env.org.delete("lead", [ID.format(20)])
    second = env.values(first["@odata.nextLink"], Prefer="odata.maxpagesize=3")
    assert [row["lastname"] for row in second] == ["L3", "after", "L4"]


def test_five_thousand_is_the_largest_page_and_count(env: Environment) -> None:
    env.org.generate("lead", 5_003)
    page = env.get("leads?$select=leadid&$count=true", Prefer='odata.maxpagesize=9000,odata.include-annotations="*"')
    assert (len(page["value"]), page["@odata.count"]) == (5000, 5000)
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    assert len(env.values(page["@odata.nextLink"])) == env.org.store.count("lead") - 5000
    assert env.call("GET", "leads/$count").content == b"\xef\xbb\xbf5000"
    total = env.get('RetrieveTotalRecordCount(EntityNames=@p1)?@p1=["lead"]')
    assert total["EntityRecordCountCollection"]["Values"] == [env.org.store.count("lead")]
    plain = env.get("RetrieveTotalRecordCount(EntityNames=['lead','contact'])")
    assert plain["EntityRecordCountCollection"]["Keys"] == ["lead", "contact"]


def test_top_gives_no_next_link_and_yields_to_a_page_size(rows: Environment) -> None:
    assert "@odata.nextLink" not in rows.get("contacts?$top=3")
    page = rows.get("contacts?$top=3", Prefer="odata.maxpagesize=10")
    assert len(page["value"]) == 10
    assert rows.get("contacts?$top=0")["value"] == []


def test_annotations_come_when_asked_for_and_not_for_nulls(env: Environment) -> None:
    (account,) = env.org.seed("account", [{"name": "Contoso"}])
    (contact,) = env.org.seed(
        "contact",
        [
            {
                "lastname": "Labels",
                "parentcustomerid": account,
                "new_topics": "100000000,100000003",
                "donotemail": True,
                "annualincome": "1234567.5",
                "new_campaignscore": 99.5,
                "birthdate": "1980-03-01",
                "new_lastopen": "2026-03-01T21:05:00Z",
            }
        ],
    )
    row = env.get(f"contacts({contact})", **ANNOTATED)
    label = "@OData.Community.Display.V1.FormattedValue"
    shown = {name.removesuffix(label): value for name, value in row.items() if name.endswith(label)}
    assert shown["statecode"] == "Active"
    assert shown["new_topics"] == "Product news; Training"
    assert shown["_parentcustomerid_value"] == "Contoso"
    assert shown["donotemail"] == "Do Not Allow"
    assert shown["annualincome"] == "$1,234,567.50"
    assert (shown["birthdate"], shown["new_lastopen"]) == ("3/1/1980", "3/1/2026 9:05 PM")
    assert row["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"
    assert (
        row["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "parentcustomerid_account"
    )
    assert not [name for name in row if name.startswith(("_masterid_value@", "firstname@"))]
    assert (
        row["annualincome"] == 1234567.5
        and '"annualincome":1234567.5000' in env.call("GET", f"contacts({contact})").text
    )
    some = env.get(f"contacts({contact})", Prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"')
    assert not [name for name in some if name.endswith(label)]
    assert "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname" in some


def test_selecting_money_brings_its_currency(env: Environment) -> None:
    env.create("leads", revenue=5)
    assert set(env.values("leads?$select=revenue&$top=1")[0]) == {
        "@odata.etag",
        "revenue",
        "_transactioncurrencyid_value",
        "leadid",
    }


def test_selecting_a_part_of_an_address_brings_the_whole(env: Environment) -> None:
    parts = {"address1_line1": "1 Main St", "address1_city": "Austin", "address1_stateorprovince": "TX"}
    path = f"contacts({env.create(**parts, address1_postalcode='78701', address1_country='US')})"
    row = env.get(path + "?$select=address1_city")
    assert row["address1_composite"] == "1 Main St\r\nAustin, TX 78701\r\nUS"
    env.call("PATCH", path, {"address1_line1": None, "address1_composite": "not mine to write"})
    assert env.get(path + "?$select=address1_city")["address1_composite"] == "Austin, TX 78701\r\nUS"
    env.org.generate("lead", 3, seed=5)
    row = env.values("leads?$select=address1_line1,address1_country&$top=1")[0]
    lines = row["address1_composite"].split("\r\n")
    assert (lines[0], lines[-1]) == (row["address1_line1"], row["address1_country"])


def test_unchanged_row_need_not_be_sent_again(rows: Environment) -> None:
    path = f"contacts({ID.format(2)})?$select=lastname"
    etag = rows.get(path)["@odata.etag"]
    reply = rows.call("GET", path, If_None_Match=etag)
    assert (reply.status_code, reply.content) == (304, b"")
    assert rows.call("GET", path, If_None_Match='W/"1"').status_code == 200
    assert rows.call("GET", path, If_None_Match="null").status_code == 200


def test_single_property_and_lookup(rows: Environment) -> None:
    assert rows.get(f"contacts({ID.format(1)})/lastname")["value"] == "Row01"
    assert rows.call("GET", f"contacts({ID.format(0)})/firstname").status_code == 204
    assert rows.get(f"contacts({ID.format(1)})/createdby?$select=fullname")["fullname"] == "Robin Sales"


def test_headers_of_the_service(rows: Environment) -> None:
    headers = rows.call("GET", "contacts?$top=1").headers
    assert headers["Content-Type"] == "application/json; odata.metadata=minimal"
    assert headers["OData-Version"] == "4.0"
    assert re.fullmatch(r"1,\d{3}\.\d\d", headers["x-ms-ratelimit-time-remaining-xrm-requests"])
    assert re.search(r"ARRAffinity=[0-9a-f]{64}; .*orgId=", headers["Set-Cookie"])
    none = rows.call("GET", "contacts?$top=1", Accept="application/json;odata.metadata=none")
    assert none.headers["Content-Type"] == "application/json; odata.metadata=none"
    assert "@odata.context" not in none.json() and "@odata.etag" not in none.json()["value"][0]
    for name in ("Date", "REQ_ID", "x-ms-service-request-id", "x-ms-dop-hint", "Set-Cookie"):
        assert headers[name]


@pytest.mark.parametrize(
    ("path", "status", "code", "text"),
    [
        ("Contacts", 404, "0x80060888", "Resource not found for the segment 'Contacts'."),
        ("contacts?$select=nosuch", 400, "0x80060888", "'nosuch' on type 'Microsoft.Dynamics.CRM.contact'."),
        ("contacts?$select=parentcustomerid", 400, "0x80060888", "Could not find a property named 'parentcustomerid'"),
        ("contacts?$select=owneridname", 400, "0x80060888", "Could not find a property named 'owneridname'"),
        ("contacts?$select=LastName", 400, "0x80060888", "Could not find a property named 'LastName'"),
        ("contacts?$orderby=nosuch", 400, "0x80060888", "Could not find a property named 'nosuch'"),
        ("contacts?$skip=5", 400, "0x80060888", "The query parameter $skip is not supported."),
        ("contacts?$Select=lastname", 400, "0x80060888", "The query parameter $Select is not supported."),
        ("contacts?$filter=lastname in ('a','b')", 400, "0x80060888", "Syntax error"),
        ("contacts?$top=-1", 400, "0x80060888", "non-negative integer"),
        ("contacts?$top=1&$top=2", 400, "0x80060888", "more than once"),
        ("contacts?$skiptoken=nonsense", 400, "0x8004112a", "paging cookie"),
        (f"contacts({ID.format(999)})", 404, "0x80040217", f"'contact' With Id = {ID.format(999)} Does Not Exist"),
        ("contacts(new_membernumber='none')", 404, "0x80060891", "specified key"),
        ("contacts(lastname='Row01')", 400, "0x80060888", "The key in the request URI is not valid for resource"),
        ("contacts(17)", 400, "0x80060888", "The key in the request URI is not valid for resource"),
        ("RetrieveTotalRecordCount(EntityNames=['nosuch'])", 404, "0x80041102", "nosuch"),
    ],
)  # fmt: skip
def test_refused(rows: Environment, path: str, status: int, code: str, text: str) -> None:
    found = rows.refused("GET", path)
    assert found[:2] == (status, code)
    assert text in found[2]


def test_addresses_are_measured_and_methods_known(rows: Environment) -> None:
    assert rows.call("GET", "contacts?$filter=lastname eq '" + "x" * 33_000 + "'").status_code == 414
    assert rows.refused("PUT", "contacts")[:2] == (405, "0x80060888")
    assert rows.call("OPTIONS", "contacts").headers["Allow"] == "OPTIONS,GET,HEAD,POST"
    assert rows.session.get(f"{rows.root}/api/data/v8.2/contacts").status_code == 404
    assert rows.session.get(f"{rows.root}/api/data/v9.1/WhoAmI").status_code == 200


def test_query_is_read_with_tolerance(rows: Environment) -> None:
    """§9.4: plus signs, encoded dollars, quoted GUIDs, braces, aliases."""
    url = rows.base + "contacts?%24select=lastname&%24filter=lastname+eq+%27row03%27"
    assert [row["lastname"] for row in rows.get(url)["value"]] == ["Row03"]
    assert rows.names(f"contactid eq '{ID.format(3)}'") == ["Row03"]
    assert rows.names(f"contactid eq {ID.format(3).upper()}") == ["Row03"]
    assert rows.get(f"contacts(contactid={ID.format(3)})")["lastname"] == "Row03"
    found = rows.get("contacts?$select=lastname&$orderby=@o&@o=lastname desc&$top=1")["value"]
    assert [row["lastname"] for row in found] == ["Row22"]
    found = rows.get("contacts?$select=lastname&$filter=lastname eq @p1&@p1='Row04'")["value"]
    assert [row["lastname"] for row in found] == ["Row04"]


@settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("İstanbul ßẞ ﬁ").via("letters whose lower case differs between languages")
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_any_text_is_kept_returned_and_found(env: Environment, text: str) -> None:
    record_id = env.create(description=text)
    assert env.get(f"contacts({record_id})?$select=description")["description"] == text
    quoted = text.replace("'", "''")
    found = env.session.get(
        env.base + "contacts", params={"$select": "description", "$filter": f"description eq '{quoted}'"}
    ).json()["value"]
    assert record_id in [row["contactid"] for row in found]
    assert unquote(record_id) == record_id
