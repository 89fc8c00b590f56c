"""Any statement made of SOQL's parts is answered or refused as the vendor does; the service never breaks over one."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from tests.conftest import Door
from tests.examples import examples
from tests.simulator.client import Client, code

FIELDS = (
    *("Id", "LastName", "Email", "Account.Name", "Owner.Name", "Birthdate", "CreatedDate", "Campaign_Score__c"),
    *("DoNotCall", "Newsletter_Topics__c", "Description", "MailingAddress", "Account.BillingAddress", "Full_Label__c"),
    *("AccountId", "Name", "Account.Owner.Manager.Name", "ReportsTo.Account.Name", "Nothing", "Contact.LastName"),
)
FUNCTIONS = (
    *("CALENDAR_YEAR", "DAY_ONLY", "HOUR_IN_DAY", "toLabel", "FORMAT", "COUNT", "MAX", "MIN", "SUM", "AVG"),
    *("COUNT_DISTINCT", "WEEK_IN_YEAR", "NOTHING"),
)
LITERALS = (
    *(
        "'x'",
        "''",
        "'a%'",
        r"'it\'s'",
        r"'\q'",
        "5",
        "-5.5",
        "1e400",
        "99999999999999999999",
        "2026-01-01",
        "2026-13-01",
    ),
    *(
        "2026-01-01T00:00:00Z",
        "null",
        "true",
        "TODAY",
        "LAST_N_DAYS:3",
        "THIS_FISCAL_YEAR",
        "USD500",
        "'003000000000001'",
    ),
)
operand = st.one_of(
    st.sampled_from(FIELDS),
    st.sampled_from(FIELDS),
    st.builds("{}({})".format, st.sampled_from(FUNCTIONS), st.sampled_from(FIELDS)),
)
literal = st.sampled_from(LITERALS)
inner = st.builds(
    "(SELECT {} FROM {})".format,
    st.sampled_from(("Id", "AccountId", "Name", "OwnerId")),
    st.sampled_from(("Contact", "Account", "Task", "Nothing")),
)
many = st.lists(literal, min_size=1, max_size=3).map(lambda found: f"({', '.join(found)})")
comparison = st.one_of(
    st.builds("{} {} {}".format, operand, st.sampled_from(("=", "!=", "<", "<=", ">", ">=", "LIKE", "~")), literal),
    st.builds("{} {} {}".format, operand, st.sampled_from(("IN", "NOT IN", "INCLUDES", "EXCLUDES")), many),
    st.builds("{} {} {}".format, operand, st.sampled_from(("IN", "NOT IN")), inner),
)
condition = st.recursive(
    comparison,
    lambda part: st.one_of(
        st.builds("({} {} {})".format, part, st.sampled_from(("AND", "OR")), part), part.map("NOT {}".format)
    ),
    max_leaves=4,
)
chosen = st.lists(
    st.one_of(
        operand, operand, st.just("(SELECT Id, Subject FROM Tasks)"), st.just("TYPEOF Owner WHEN User THEN Id END")
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def statements(draw: st.DrawFn) -> str:
    text = f"SELECT {', '.join(draw(chosen))} FROM Contact"
    for words, part in (("WHERE", condition), ("GROUP BY", operand), ("HAVING", condition), ("ORDER BY", operand)):
        if draw(st.booleans()) and (words != "HAVING" or draw(st.booleans())):
            text += f" {words} {draw(part)}"
    return text + draw(st.sampled_from(("", " DESC NULLS LAST", " LIMIT 5", " LIMIT 0 OFFSET 3", " FOR VIEW")))


@pytest.fixture(scope="module")
def client(simulators: Running) -> Client:
    simulators.salesforce.reset()
    simulators.salesforce.generate("Contact", 30)
    return Client(simulators)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(statement=statements())
def test_every_statement_is_answered_or_refused(client: Client, statement: str) -> None:
    answer = client.query(statement)
    if answer.status_code == 200:
        body = answer.json()
        assert body["done"] is True and (body["totalSize"] == len(body["records"]) or "COUNT()" in statement)
    else:
        assert answer.status_code == 400 and answer.json()[0]["errorCode"] and answer.json()[0]["message"]


@pytest.mark.parametrize(
    ("soql", "text"),
    [
        ("SELECT Id FROM Contact WHERE MIN(Email) = 'x'", "unexpected token: 'MIN'"),
        ("SELECT Id FROM Contact HAVING Email = 'x'", "unexpected token: 'HAVING'"),
        ("SELECT COUNT(Id) FROM Contact GROUP BY Email HAVING LastName = 'x'", "Field must be grouped or aggregated"),
        ("SELECT COUNT(Id) FROM Contact GROUP BY Email ORDER BY LastName", "Field must be grouped or aggregated"),
        ("SELECT Id FROM Contact ORDER BY SUM(Campaign_Score__c)", "Ordered field must be grouped or aggregated"),
        ("SELECT Id FROM Contact WHERE Campaign_Score__c > 1e400", "unexpected token: '1e400'"),
        ("SELECT toLabel(MailingAddress) FROM Contact", "field MailingAddress does not support the function tolabel"),
    ],
)
def test_aggregates_stand_where_groups_are(running: Running, salesforce_door: Door, soql: str, text: str) -> None:
    answer = Client(running).query(soql)
    assert code(answer) == (400, "MALFORMED_QUERY") and text in answer.json()[0]["message"]
