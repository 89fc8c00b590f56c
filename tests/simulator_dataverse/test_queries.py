"""FetchXML, views, $apply and SQL (dataverse-api.md §3.6-§3.8)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.simulator_dataverse.environment import ANNOTATED, Environment

CRM = "Microsoft.Dynamics.CRM."
ID = "44444444-2222-3333-4444-{:012d}"
FIRMS = [ID.format(1), ID.format(2)]


@pytest.fixture(scope="module")
def world(env: Environment) -> Environment:
    env.org.seed("account", [{"accountid": one, "name": f"Firm {one[-1]}", "revenue": 10} for one in FIRMS])
    env.org.seed(
        "contact",
        [
            {
                "contactid": ID.format(10 + n),
                "lastname": f"Row{n:02d}",
                "firstname": "Ann" if n % 2 else None,
                "numberofchildren": n % 4,
                "annualincome": n * 100,
                "gendercode": 1 + n % 2,
                "parentcustomerid": FIRMS[n % 2] if n % 5 else None,
                "createdon": f"2026-0{1 + n % 3}-15T10:00:00Z",
            }
            for n in range(20)
        ],
    )
    return env


def fetch(env: Environment, xml: str, entity_set: str = "contacts", **headers: str) -> Any:
    reply = env.session.get(env.base + entity_set, params={"fetchXml": xml}, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def rows(
    env: Environment, inner: str, attributes: str = "", entity: str = "contact", **options: str
) -> list[dict[str, Any]]:
    more = "".join(f" {name.replace('_', '-')}={quoteattr(value)}" for name, value in options.items())
    found: list[dict[str, Any]] = fetch(
        env, f"<fetch{more}><entity name='{entity}'>{inner}</entity></fetch>", f"{entity}s"
    )["value"]
    return found


def last(env: Environment, filter: str) -> list[str]:
    xml = f"<attribute name='lastname'/><order attribute='lastname'/><filter type='and'>{filter}</filter>"
    return [row["lastname"] for row in rows(env, xml)]


def test_rows_have_key_etag_and_annotations(world: Environment) -> None:
    xml = "<fetch top='1'><entity name='contact'><attribute name='firstname'/><attribute name='parentcustomerid'/>"
    row = fetch(world, xml + "<order attribute='lastname'/></entity></fetch>", **ANNOTATED)["value"][0]
    assert row["firstname"] is None and row["_parentcustomerid_value"] is None and row["contactid"] == ID.format(10)
    assert re.fullmatch(r'W/"\d+"', row["@odata.etag"])
    xml = xml.replace("top='1'", "top='2'")
    row = fetch(world, xml + "<order attribute='lastname'/></entity></fetch>", **ANNOTATED)["value"][1]
    assert row["_parentcustomerid_value@OData.Community.Display.V1.FormattedValue"] == "Firm 2"
    assert len(rows(world, "<all-attributes/>", top="1")[0]) > 30 < len(rows(world, "", top="1")[0])


def c(attribute: str, operator: str, *values: str) -> str:
    """A condition; one value as an attribute, several as elements."""
    if len(values) == 1:
        return f"<condition attribute='{attribute}' operator='{operator}' value='{values[0]}'/>"
    inner = "".join(f"<value>{value}</value>" for value in values)
    return f"<condition attribute='{attribute}' operator='{operator}'>{inner}</condition>"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (c("lastname", "eq", "ROW03"), "03"),
        (c("lastname", "in", "Row01", "row02"), "01 02"),
        (c("lastname", "like", "%w1_") + c("firstname", "null"), "10 12 14 16 18"),
        (c("lastname", "not-like", "Row0%") + c("numberofchildren", "gt", "2"), "11 15 19"),
        (c("lastname", "begins-with", "Row1") + c("annualincome", "between", "1500", "1600"), "15 16"),
        (c("parentcustomerid", "eq", FIRMS[0]) + c("annualincome", "lt", "500"), "02 04"),
        (c("createdon", "last-x-days", "1"), ""),
        (c("createdon", "on", "2026-01-15") + c("annualincome", "le", "300"), "00 03"),
        (c("firstname", "ne", "ann") + c("numberofchildren", "eq", "0") + c("lastname", "le", "row08"), "00 04 08"),
        (f"<filter type='or'>{c('lastname', 'ends-with', '19') + c('lastname', 'eq', 'Row00')}</filter>", "00 19"),
    ],
)
def test_conditions(world: Environment, condition: str, expected: str) -> None:
    assert last(world, condition) == [f"Row{number}" for number in expected.split()]


def test_links(world: Environment) -> None:
    link = (
        "<link-entity name='account' from='accountid' to='parentcustomerid' alias='firm' link-type='{}'>"
        "<attribute name='name'/><attribute name='accountid' alias='fid'/>{}</link-entity>"
    )
    found = rows(world, "<attribute name='lastname'/><order attribute='lastname'/>" + link.format("inner", ""))
    assert len(found) == 16 and found[0]["firm.name"] == "Firm 2" and found[0]["fid"] == FIRMS[1]
    found = rows(world, "<attribute name='lastname'/><order attribute='lastname'/>" + link.format("outer", ""))
    assert len(found) == 20 and "firm.name" not in found[0]
    narrowed = "<filter><condition attribute='name' operator='eq' value='firm 1'/></filter>"
    assert len(rows(world, link.format("inner", narrowed))) == 8
    missing = "<filter><condition entityname='firm' attribute='accountid' operator='null'/></filter>"
    assert len(rows(world, link.format("outer", "") + missing)) == 4
    people = "<link-entity name='contact' from='parentcustomerid' to='accountid' link-type='{}'><filter><condition attribute='lastname' operator='eq' value='Row01'/></filter></link-entity>"  # noqa: E501 - one element
    assert [row["name"] for row in rows(world, people.format("exists"), entity="account")] == ["Firm 2"]
    assert [row["name"] for row in rows(world, f"<filter>{people.format('not any')}</filter>", entity="account")] == [
        "Firm 1"
    ]
    assert [row["name"] for row in rows(world, people.format("all"), entity="account")] == ["Firm 1"]
    assert [row["name"] for row in rows(world, people.format("not all"), entity="account")] == ["Firm 2"]
    first = "<link-entity name='contact' from='parentcustomerid' to='accountid' alias='c' link-type='{}'><attribute name='lastname'/></link-entity>"  # noqa: E501 - one element
    found = rows(world, first.format("matchfirstrowusingcrossapply"), entity="account")
    assert sorted(row["c.lastname"] for row in found) == ["Row01", "Row02"]
    ordered = "<attribute name='lastname'/><order attribute='lastname' descending='true'/>"
    firms = link.format("inner", "<order attribute='name' descending='true'/>")
    assert rows(world, firms + ordered)[0]["lastname"] == "Row19"
    valueof = "<filter><condition attribute='lastname' operator='eq' valueof='firstname'/></filter>"
    assert rows(world, valueof) == []


def test_pages_by_cookie_hold_every_row_once(world: Environment) -> None:
    found: list[str] = []
    attributes, page = "", 1
    while True:
        xml = (
            f"<fetch count='6' page='{page}'{attributes}><entity name='contact'><attribute name='lastname'/>"
            "<order attribute='numberofchildren' descending='true'/></entity></fetch>"
        )
        body = fetch(world, xml, Prefer='odata.include-annotations="*"')
        found += [row["lastname"] for row in body["value"]]
        if not body.get("@Microsoft.Dynamics.CRM.morerecords"):
            break
        outer = body["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"]
        match = re.fullmatch(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]+)" istracking="False" />', outer)
        assert match and re.search(r'pagingcookie="<cookie page="\d+".+</cookie>"', unquote(unquote(outer)))
        page, attributes = int(match[1]), f" paging-cookie={quoteattr(unquote(unquote(match[2])))}"
    assert len(found) == len(set(found)) == 20 and page == 4
    assert "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie" not in body
    plain = [
        row["lastname"]
        for n in (1, 2, 3, 4)
        for row in rows(world, "<attribute name='lastname'/>", count="6", page=str(n))
    ]
    assert sorted(plain) == sorted(found)
    body = fetch(world, "<fetch returntotalrecordcount='true' top='3'><entity name='contact'/></fetch>")
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == 20 and len(body["value"]) == 3


def test_aggregates_and_distinct(world: Environment) -> None:
    xml = (
        "<attribute name='gendercode' alias='g' groupby='true'/>"
        "<attribute name='contactid' alias='n' aggregate='count'/>"
        "<attribute name='annualincome' alias='total' aggregate='sum'/><order alias='g'/>"
    )
    found = rows(world, xml, aggregate="true")
    assert [(row["g"], row["n"], row["total"]) for row in found] == [(1, 10, 9000.0), (2, 10, 10000.0)]
    monthly = (
        "<attribute name='createdon' alias='m' groupby='true' dategrouping='month'/>"
        "<attribute name='firstname' alias='named' aggregate='countcolumn' distinct='true'/><order alias='m'/>"
    )
    assert [(row["m"], row["named"]) for row in rows(world, monthly, aggregate="true")] == [(1, 1), (2, 1), (3, 1)]
    found = rows(world, "<attribute name='numberofchildren'/><order attribute='numberofchildren'/>", distinct="true")
    assert found == [{"numberofchildren": n} for n in range(4)]


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("<fetch><entity", "0x80040203"),
        ("<fetch><entity name='account'/></fetch>", "0x80060888"),
        ("<fetch><entity name='contact'><attribute name='nosuch'/></entity></fetch>", "0x80041103"),
        (f"<fetch><entity name='contact'><filter>{c('lastname', 'nosuch')}</filter></entity></fetch>", "0x80060888"),
        ("<fetch><entity name='contact'><link-entity name='nosuch' from='x' to='y'/></entity></fetch>", "0x80041102"),
        ("<fetch page='2' count='5000'><entity name='contact'><order attribute='lastname'/></entity></fetch>", ""),
        ("<fetch page='12' count='5000'><entity name='contact'/></fetch>", "0x8004112a"),
        ("<fetch page='2' paging-cookie='x'><entity name='contact'/></fetch>", "0x8004112a"),
    ],
)  # fmt: skip
def test_fetch_is_refused(world: Environment, xml: str, code: str) -> None:
    reply = world.session.get(world.base + "contacts", params={"fetchXml": xml})
    if not code:
        assert reply.status_code == 200
        return
    assert (reply.status_code, reply.json()["error"]["code"].lower()) == (400, code)


def test_views_are_run(world: Environment) -> None:
    xml = "<fetch><entity name='contact'><attribute name='lastname'/><filter><condition attribute='lastname' operator='eq' value='Row07'/></filter></entity></fetch>"  # noqa: E501 - one document
    for entity_set, option in (("savedqueries", "savedQuery"), ("userqueries", "userQuery")):
        view = world.create(entity_set, name="One", returnedtypecode="contact", fetchxml=xml)
        assert [row["lastname"] for row in world.values(f"contacts?{option}={view}")] == ["Row07"]
    assert world.refused("GET", f"contacts?savedQuery={ID.format(0)}")[0] == 404


def test_apply(world: Environment) -> None:
    def apply(text: str) -> list[dict[str, Any]]:
        reply = world.session.get(world.base + "contacts", params={"$apply": text})
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["value"]
        return found

    whole = "aggregate($count as n,annualincome with sum as total,annualincome with average as mean)"
    assert apply(whole) == [{"n": 20, "total": 19000, "mean": 950}]
    assert apply("aggregate(lastname with min as low,firstname with countdistinct as d)") == [{"low": "Row00", "d": 1}]
    text = "filter(gendercode eq 1)/groupby((numberofchildren),aggregate($count as n,annualincome with max as top))"
    assert apply(text) == [{"numberofchildren": 0, "n": 5, "top": 1600}, {"numberofchildren": 2, "n": 5, "top": 1800}]
    by_name = apply("groupby((parentcustomerid_account/name),aggregate($count as n))")
    assert {row.get("parentcustomerid_account_name"): row["n"] for row in by_name} == {
        None: 4,
        "Firm 1": 8,
        "Firm 2": 8,
    }
    assert len(apply("groupby((gendercode,statecode))")) == 2
    for bad in (
        "nosuch()",
        "aggregate(lastname with sum as s)",
        "groupby(gendercode)",
        "aggregate(nosuch with max as m)",
    ):
        reply = world.session.get(world.base + "contacts", params={"$apply": bad})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "0x80060888"), bad


def test_sql(world: Environment) -> None:
    def sql(text: str, status: int = 200) -> Any:
        reply = world.call("GET", "contacts?sql=" + text.replace("%", "%25").replace(" ", "%20").replace("+", "%2B"))
        assert reply.status_code == status, reply.text
        return reply.json()["value"] if status == 200 else reply.json()["error"]["code"]

    assert sql("SELECT lastname, contactid FROM contact WHERE lastname = 'ROW03'") == [
        {"lastname": "Row03", "contactid": ID.format(13)}
    ]
    found = sql(
        "SELECT TOP 2 c.lastname, a.name AS firm FROM contact c INNER JOIN account a "
        "ON c.parentcustomerid = a.accountid WHERE c.lastname LIKE 'row1%' ORDER BY c.lastname DESC"
    )
    assert found == [{"lastname": "Row19", "firm": "Firm 2"}, {"lastname": "Row18", "firm": "Firm 1"}]
    grouped = sql(
        "SELECT gendercode, COUNT(*) AS n, SUM(annualincome) AS s FROM contact GROUP BY gendercode ORDER BY gendercode"
    )
    assert [(row["gendercode"], row["n"], row["s"]) for row in grouped] == [(1, 10, 9000), (2, 10, 10000)]
    assert len(sql("SELECT DISTINCT numberofchildren FROM contact")) == 4
    paged = sql("SELECT lastname FROM contact ORDER BY lastname OFFSET 5 ROWS FETCH NEXT 2 ROWS ONLY")
    assert [row["lastname"] for row in paged] == ["Row05", "Row06"]
    for bad in (
        "SELECT * FROM contact",
        "DELETE FROM contact",
        "SELECT lastname FROM account",
        "SELECT lastname FROM contact UNION SELECT lastname FROM contact",
        "SELECT lastname FROM contact WHERE contactid IN (SELECT contactid FROM contact)",
        "SELEC nothing",
    ):
        assert sql(bad, 400) in ("0x80040203", "0x80041103"), bad
    assert sql("SELECT nosuch FROM contact", 400) == "0x80041103"
    page = world.get("contacts?sql=SELECT%20lastname%20FROM%20contact", Prefer="odata.maxpagesize=12")
    assert len(page["value"]) == 12
    assert len(world.get(page["@odata.nextLink"], Prefer="odata.maxpagesize=12")["value"]) == 8


def job(**query: Any) -> dict[str, Any]:
    return {"JobName": "x", "QuerySet": [{"EntityName": "contact", **query}]}


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        (
            "GET",
            f"contacts?$filter={CRM}LastXDays(PropertyName='modifiedon',PropertyValue=99999999)",
            None,
            "0x80040203",
        ),
        ("GET", f"contacts?$filter={CRM}LastXMonths(PropertyName='createdon',PropertyValue=99999)", None, "0x80040203"),
        ("GET", f"EntityDefinitions?$filter={CRM}In(PropertyName='x',PropertyValues=[])", None, "0x80060888"),
        ("POST", "BulkDelete", job(Criteria=5), "0x80048d19"),
        ("POST", "BulkDelete", job(TopCount="x"), "0x80048d19"),
        ("POST", "EntityDefinitions", {"SchemaName": "new_z", "Attributes": 5}, "0x80048d19"),
        ("POST", "EntityDefinitions(LogicalName='lead')/Keys", {"KeyAttributes": 5, "SchemaName": "a_b"}, "0x80048d19"),
        ("POST", "CreateEntities", {"Entities": [5]}, "0x80048d19"),
        ("POST", "contacts", {"lastname": "\ud800"}, "0x80040278"),
    ],
)
def test_nonsense_is_refused_and_no_defect(world: Environment, method: str, path: str, body: Any, code: str) -> None:
    assert world.refused(method, path, body)[:2] == (400, code)


_CONDITIONS = st.one_of(
    st.tuples(st.just("lastname"), st.sampled_from(["eq", "ne", "gt", "le"]), st.sampled_from(["ROW03", "row1", "Z"])),
    st.tuples(st.just("numberofchildren"), st.sampled_from(["eq", "ne", "lt", "ge"]), st.integers(-1, 5)),
    st.tuples(st.just("annualincome"), st.sampled_from(["gt", "le"]), st.integers(0, 2_000)),
    st.tuples(st.just("gendercode"), st.sampled_from(["eq", "ne"]), st.integers(1, 3)),
    st.tuples(st.just("firstname"), st.sampled_from(["null", "not-null"]), st.none()),
)
_FILTERS = st.recursive(
    _CONDITIONS,
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


def _odata(node: Any) -> str:
    if len(node) == 2:
        return "(" + f" {node[0]} ".join(_odata(one) for one in node[1]) + ")"
    column, operator, value = node
    if value is None:
        return f"{column} {'eq' if operator == 'null' else 'ne'} null"
    return f"{column} {operator} " + (f"'{value}'" if isinstance(value, str) else str(value))


def _xml(node: Any) -> str:
    if len(node) == 2:
        return f"<filter type='{node[0]}'>{''.join(_xml(one) for one in node[1])}</filter>"
    return c(node[0], node[1], *([] if node[2] is None else [str(node[2])]))


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(node=_FILTERS)
def test_odata_and_fetchxml_find_the_same_rows(world: Environment, node: Any) -> None:
    query = {"$select": "lastname", "$filter": _odata(node), "$orderby": "lastname"}
    reply = world.session.get(world.base + "contacts", params=query)
    assert reply.status_code == 200, reply.text
    assert last(world, _xml(node)) == [row["lastname"] for row in reply.json()["value"]]
