"""What $filter finds (dataverse-api.md §3.2)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backhaul.simulator.dataverse import APPLICATION_USER_ID, OTHER_USER_ID
from backhaul.simulator.dataverse.errors import DataverseError
from backhaul.simulator.dataverse.expressions import parse_filter
from backhaul.simulator.dataverse.spans import span
from backhaul.simulator.dataverse.sql import like_to_regex
from tests.simulator_dataverse.environment import Environment

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module")
def people(env: Environment) -> Environment:
    env.org.clock.set(NOW, frozen=True)
    env.sign_in()
    (account,) = env.org.seed("account", [{"name": "Müller & Söhne"}])
    common = {"modifiedon": "2026-03-01T00:00:00Z"}
    env.org.seed(
        "contact",
        [
            common
            | {"lastname": "Adams", "firstname": "Ann", "numberofchildren": 1, "new_topics": "100000000,100000002"},
            common | {"lastname": "Baker", "firstname": "100% Bo", "numberofchildren": 2, "new_campaignscore": 10.5},
            common | {"lastname": "O'Clark", "firstname": "a_b", "numberofchildren": 3, "birthdate": "1980-02-29"},
            common | {"lastname": "Dent", "firstname": None, "donotemail": True, "parentcustomerid": account},
            {"lastname": "Evans", "firstname": "Zoë", "statecode": 1, "modifiedon": "2026-03-18T11:30:00Z"}
            | {"ownerid": APPLICATION_USER_ID, "gendercode": 2},
            {"lastname": "Ford", "firstname": "[x]", "modifiedon": "2026-03-17T23:59:59Z", "emailaddress1": "Ford"},
        ],
    )
    return env


def crm(name: str, field: str, value: str = "") -> str:
    return f"Microsoft.Dynamics.CRM.{name}(PropertyName='{field}'{',' + value if value else ''})"


@pytest.mark.parametrize(
    ("filter", "initials"),
    [
        ("lastname eq 'ADAMS'", "A"),
        ("lastname ne 'adams'", "BODEF"),
        ("firstname ne 'ann'", "BODEF"),
        ("lastname eq 'o''clark'", "O"),
        ("lastname gt 'd' and lastname lt 'f'", "DE"),
        ("lastname ge 'dent' and not (lastname ge 'evans')", "D"),
        ("numberofchildren eq 1 or numberofchildren eq 3 and firstname eq null", "A"),
        ("(numberofchildren eq 1 or numberofchildren eq 3) and firstname ne null", "AO"),
        ("firstname eq null", "D"),
        ("numberofchildren gt 1", "BO"),
        ("2 le numberofchildren", "BO"),
        ("new_campaignscore ge 10.5", "B"),
        ("new_campaignscore lt 10.5e0", ""),
        ("statecode eq 1", "E"),
        ("donotemail eq true", "D"),
        ("donotemail", "D"),
        ("not donotemail", "ABOEF"),
        ("contains(lastname,'A')", "ABOE"),
        ("startswith(lastname,'e') or endswith(lastname,'T')", "DE"),
        ("contains(firstname,'0% b')", "B"),
        ("contains(firstname,'1%o')", "B"),
        ("startswith(firstname,'_o')", "E"),
        ("startswith(firstname,'[az]')", "AOE"),
        ("not contains(firstname,'n')", "BODEF"),
        ("birthdate eq 1980-02-29", "O"),
        ("birthdate lt 1980-03-01", "O"),
        ("modifiedon ge 2026-03-17T23:59:59Z", "EF"),
        ("modifiedon gt 2026-03-17T23:59:59Z", "E"),
        ("modifiedon ge 2026-03-18T00:59:59+01:00", "EF"),
        ("modifiedon ge 2026-03-17T23:59:59.0000000Z", "EF"),
        ("modifiedon lt 2026-03-02", "ABOD"),
        ("lastname eq emailaddress1", "F"),
        (f"_ownerid_value eq {OTHER_USER_ID}", "ABODF"),
        ("ownerid/fullname eq '# backhaul'", "E"),
        ("parentcustomerid_account/name eq 'MÜLLER & SÖHNE'", "D"),
        (crm("In", "lastname", 'PropertyValues=["adams","Dent"]'), "AD"),
        (crm("In", "numberofchildren", "PropertyValues=['1','2']"), "AB"),
        (crm("NotIn", "numberofchildren", "PropertyValues=[1,2]"), "ODEF"),
        (crm("Between", "numberofchildren", 'PropertyValues=["2","3"]'), "BO"),
        (crm("NotBetween", "numberofchildren", 'PropertyValues=["2","3"]'), "ADEF"),
        (crm("ContainValues", "new_topics", 'PropertyValues=["100000002","100000004"]'), "A"),
        (crm("DoesNotContainValues", "new_topics", 'PropertyValues=["100000002"]'), "BODEF"),
        (crm("On", "modifiedon", "PropertyValue='2026-03-17'"), "F"),
        (crm("OnOrAfter", "modifiedon", "PropertyValue=2026-03-17"), "EF"),
        (crm("OnOrBefore", "birthdate", "PropertyValue='1980-02-29'"), "O"),
        (crm("Today", "modifiedon"), "E"),
        (crm("Yesterday", "modifiedon"), "F"),
        (crm("LastXDays", "modifiedon", "PropertyValue=1"), "EF"),
        (crm("LastXHours", "modifiedon", "PropertyValue=1"), "E"),
        (crm("ThisWeek", "modifiedon"), "EF"),
        (crm("ThisMonth", "modifiedon"), "ABODEF"),
        (crm("OlderThanXDays", "modifiedon", "PropertyValue=10"), "ABOD"),
        (crm("EqualUserId", "ownerid").replace("'ownerid'", "'_ownerid_value'"), "E"),
    ],
)
def test_filter_finds(people: Environment, filter: str, initials: str) -> None:
    found = people.names(filter, order="lastname")
    assert sorted(name[0] for name in found) == sorted(initials), found


@pytest.mark.parametrize(
    ("filter", "text"),
    [
        ("nosuch eq 1", "Could not find a property named 'nosuch'"),
        ("lastname eq 5", "incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32'"),
        ("numberofchildren eq 'x'", "Found operand types 'Edm.Int32' and 'Edm.String' for operator kind 'Equal'"),
        ("statecode eq '0'", "incompatible types"),
        ("donotemail eq 1", "incompatible types"),
        ("lastname eq birthdate", "incompatible types"),
        ("contactid eq 'nonsense'", "Unrecognized 'Edm.Guid' literal"),
        ("lastname eq 'open", "unterminated string literal"),
        ("lastname in ('a','b')", "Syntax error at position"),
        ("lastname eq", "Syntax error at position"),
        ("lastname eq 'a' or", "Syntax error at position"),
        ("(lastname eq 'a'", "Syntax error at position"),
        ("lastname like 'a'", "Syntax error at position"),
        ("modifiedon gt 2026-13-01T00:00:00Z", "Unrecognized 'Edm.DateTimeOffset' literal"),
        ("contains(numberofchildren,'1')", "No function signature"),
        ("substringof('a',lastname)", "An unknown function with name 'substringof' was found"),
        ("lastname", "must evaluate to a single boolean value"),
        ("(" * 200 + "lastname eq 'a'" + ")" * 200, "recursion limit"),
    ],
)
def test_filter_is_refused(people: Environment, filter: str, text: str) -> None:
    reply = people.session.get(people.base + "contacts", params={"$filter": filter})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "0x80060888")
    assert text in reply.json()["error"]["message"]


def test_query_functions_check_their_values(people: Environment) -> None:
    for filter in (crm("In", "numberofchildren", 'PropertyValues=["x"]'), crm("Today", "lastname")):
        reply = people.session.get(people.base + "contacts", params={"$filter": filter})
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "0x80040203")


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (crm("EqualBusinessId", "owningbusinessunit"), True),
        (crm("NotEqualBusinessId", "owningbusinessunit"), False),
        (crm("EqualUserTeams", "ownerid"), False),
        (crm("ThisFiscalYear", "createdon"), True),
        (crm("LastFiscalYear", "createdon"), False),
        (crm("ThisFiscalPeriod", "createdon"), True),
        (crm("LastXFiscalYears", "createdon", "PropertyValue=2"), False),
        (crm("NextXFiscalPeriods", "createdon", "PropertyValue=2"), False),
        (crm("InFiscalYear", "createdon", "PropertyValue=1999"), False),
        (crm("InOrAfterFiscalPeriodAndYear", "createdon", "PropertyValue1=1,PropertyValue2=1999"), True),
        (crm("InOrBeforeFiscalPeriodAndYear", "createdon", "PropertyValue1=4,PropertyValue2=1999"), False),
        (crm("Contains", "lastname", "PropertyValue='scal'"), True),
    ],
)
def test_surroundings_and_fiscal_time(env: Environment, filter: str, expected: bool) -> None:
    env.create("accounts", name="Fiscal")
    name = "name eq 'Fiscal' and " + filter.replace("'lastname'", "'name'")
    found = env.session.get(env.base + "accounts", params={"$filter": name})
    assert found.status_code == 200, found.text
    assert bool(found.json()["value"]) is expected


def test_hierarchies(env: Environment) -> None:
    top = env.create("accounts", name="H0")
    ids = [top]
    for level in range(1, 4):
        body = {"name": f"H{level}", "parentaccountid@odata.bind": f"/accounts({ids[-1]})"}
        ids.append(env.create("accounts", **body))

    def found(function: str, record_id: str) -> list[str]:
        text = "startswith(name,'H') and " + crm(function, "accountid", f"PropertyValue='{record_id}'")
        return [row["name"] for row in env.values(f"accounts?$select=name&$orderby=name&$filter={text}")]

    assert found("Under", ids[1]) == ["H2", "H3"]
    assert found("UnderOrEqual", ids[1]) == ["H1", "H2", "H3"]
    assert found("Above", ids[2]) == ["H0", "H1"]
    assert found("AboveOrEqual", ids[2]) == ["H0", "H1", "H2"]
    assert found("NotUnder", ids[1]) == ["H0", "H1"]


def test_order_is_that_of_the_database(people: Environment) -> None:
    def firsts(order: str) -> list[str | None]:
        return [row["firstname"] for row in people.values(f"contacts?$select=firstname&$orderby={order}")]

    assert firsts("firstname")[0] is None
    assert firsts("firstname desc")[-1] is None
    assert firsts("firstname desc")[0] == "Zoë"


@pytest.mark.parametrize(
    ("name", "number", "start", "end"),
    [
        ("LastXMonths", 1, datetime(2026, 2, 18, tzinfo=UTC), None),
        ("ThisYear", 0, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("LastMonth", 0, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ("NextWeek", 0, datetime(2026, 3, 22, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)),
        ("NextXDays", 2, NOW, datetime(2026, 3, 21, tzinfo=UTC)),
        ("Tomorrow", 0, datetime(2026, 3, 19, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)),
    ],
)
def test_spans(name: str, number: int, start: datetime, end: datetime | None) -> None:
    found = span(name, NOW, number)
    assert found[0] == start
    assert end is None or found[1] == end


def test_month_before_a_long_one_ends_on_its_own_last_day() -> None:
    assert span("OlderThanXMonths", datetime(2026, 3, 31, tzinfo=UTC), 1)[1] == datetime(2026, 2, 28, tzinfo=UTC)


def test_patterns_become_regular_expressions() -> None:
    assert like_to_regex("A%b_[c-d][^e]") == "A.*b.[c-d][^e]"
    assert like_to_regex("a.b[") == r"a\.b\["


def test_alias_without_a_value_is_null() -> None:
    assert parse_filter("lastname eq @p") == parse_filter("lastname eq null")


def test_numbers_run_into_words_are_no_numbers() -> None:
    with pytest.raises(DataverseError):
        parse_filter("lastname eq 12abc")
