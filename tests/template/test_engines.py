"""The template on DuckDB and on PostgreSQL: the same raw log makes the same tables, row by row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from backhaul.simulator import demo_orgs
from tests.template.campaign import DAY, SEEN, T0, Template, template
from tests.warehouse.postgres_server import PostgresServer

PEOPLE = 200
LATER = SEEN + 3 * DAY


# What engines like to disagree about: spaces and signs of Unicode, marks, case that needs a language, order of texts.
ODD: tuple[dict[str, Any], ...] = (
    {"given": "\u00a0Łukasz\u3000", "surname": "ŻÓŁW\u200a-\u2013Kowalski", "city": "Łódź", "phone": "+48 (0)22 12345"},
    {"given": "ΣΊΣΥΦΟΣ", "surname": "Παπαδόπουλος", "city": "ΑΘΉΝΑ", "phone": "0030 210 1234567 ext. 4"},
    {"given": "İpek", "surname": "Şahin²", "city": "İzmir", "phone": "+90 232 123 45 67"},
    {"given": "अनिल", "surname": "कुमार", "city": "दिल्ली", "phone": "+91-11-23456789"},
    {"given": "e\u0301lodie", "surname": "Œuvré\tß", "city": "Saint-E\u0301tienne", "phone": "+358 9 123456"},
    {"given": "Zoë🎉", "surname": "O’Brien-Smith™", "city": "Ålesund", "phone": "+421 2 1234 5678"},
    {"given": "de la\nCruz", "surname": "'quoted' \\ \"name\" $1", "city": "a%b_c", "phone": "+1 (212) 555-0100 x12"},
    {"given": "山田", "surname": "太郎", "city": "東京", "phone": "+81 3 1234 5678"},
    {"given": "", "surname": "Z", "city": None, "phone": "000000"},
    {"given": "anna", "surname": "a", "city": "z", "phone": None},
    {"given": "Anna", "surname": "B", "city": "Z", "phone": "2721234567"},
)  # fmt: skip


def fill(made: Template) -> None:
    """The demo's people, odd ones, a history of versions, deletions and a merge."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in demo_orgs.records(PEOPLE):
        rows[record.object].append(dict(record.fields))
    for account, name in demo_orgs.OBJECTS:
        columns = {column.lower() for column in made.warehouse.columns("raw", f"{account}__{name}")}
        made.put(name, [{key: value for key, value in row.items() if key.lower() in columns} for row in rows[name]])
    for number, odd in enumerate(ODD):
        street = f"{odd['city']} Straße {number}\nHof {number}"
        shared = {"given": odd["given"], "surname": odd["surname"], "city": odd["city"], "phone": odd["phone"]}
        for name in ("Contact", "Lead", "contact", "lead"):
            more = {"birth": date(1980, 2, 1 + number)} if name in ("Contact", "contact") else {}
            mailed = f" MailTo:Person.{number % 4}@Odd.Example;" if number % 3 else f"person{number}@ödd.example"
            made.record(name, f"odd-{name}-{number}", **shared, **more, street=street, email=mailed)
    made.record("Contact", "versions", given="Ada", surname="Byron", email="ada@first.example")
    made.record("Contact", "versions", given="Ada", surname="Byron", email="ada@second.example", modified=T0 + 2 * DAY)
    made.record("Contact", "versions", given="Ada", surname="King", email="ada@second.example", modified=T0 + 3 * DAY)
    made.record("contact", "survivor", given="Ada", surname="King", email="ada@second.example")
    made.record("contact", "opted-out", given="Otto", surname="Aus", email="otto@aus.example", opted_out=True)
    made.gone("contact", "opted-out", T0 + 4 * DAY, survivor="survivor")


def change(made: Template) -> None:
    """What a second import brings: a group that falls apart, a new duplicate, a deletion."""
    made.record(
        "Contact", "versions", given="Zara", surname="Quist", email="zara@q.example", modified=LATER, seen=LATER
    )
    made.record("lead", "newcomer", given="Otto", surname="Aus", email="otto@aus.example", modified=LATER, seen=LATER)
    made.gone("Lead", "odd-Lead-1", LATER)


@pytest.fixture(scope="module")
def engines(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[tuple[Template, Template]]:
    with (
        postgres_server.database("template") as url,
        template(tmp_path_factory.mktemp("duckdb")) as here,
        template(tmp_path_factory.mktemp("postgres"), postgres=url) as there,
    ):
        for made in (here, there):
            fill(made)
            made.run("engagement_events")
            made.run()
        yield here, there


def plain(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else Decimal(value) if type(value) is int else value


def table(made: Template, schema: str, name: str) -> set[tuple[tuple[str, Any], ...]]:
    relation = made.warehouse.relation(schema, name)
    rows = [
        tuple(sorted((column.lower(), plain(value)) for column, value in row.items()))
        for row in made.rows(f"select * from {relation}")
    ]
    assert len(rows) == len(set(rows))
    return set(rows)


def differences(here: Template, there: Template) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name in here.graph.order:
        model = here.graph[name]
        one, other = table(here, model.schema, model.alias), table(there, model.schema, model.alias)
        assert one or name.startswith("export"), f"{name} is empty, so it shows nothing"
        if one != other:
            found[name] = (sorted(map(str, one - other))[:2], sorted(map(str, other - one))[:2])
    return found


@pytest.mark.slow
def test_every_table_is_the_same(engines: tuple[Template, Template]) -> None:
    assert len(engines[0].graph.order) == 26
    assert differences(*engines) == {}


@pytest.mark.slow
def test_every_column_test_passes_on_both(engines: tuple[Template, Template]) -> None:
    here, there = engines
    assert here.failing_tests() == there.failing_tests() == []


@pytest.mark.slow
def test_the_memory_of_recipients_grows_the_same(engines: tuple[Template, Template]) -> None:
    before = table(engines[0], "campaign", "recipient_ids")
    for made in engines:
        change(made)
        made.run()
    assert differences(*engines) == {}
    assert table(engines[0], "campaign", "recipient_ids") != before
    assert timedelta(0) < LATER - SEEN
