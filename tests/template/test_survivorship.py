"""Whose value survives, who is opted out and why, what mailings tell, and what goes back to the CRMs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.template.campaign import DAY, T0, Template, template

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)


def one(t: Template, person: str, *copies: dict[str, Any]) -> None:
    """A person with a record in Salesforce, Dynamics, and so on by turns, linked by a telephone of their own."""
    number = (
        f"030 {sum(ord(letter) * (place + 7) for place, letter in enumerate(person)) * 7919 % 8_999_999 + 1_000_000}"
    )
    for place, copy in enumerate(copies):
        words = {"given": "Timo", "surname": person.capitalize(), "phone": number} | copy
        t.record(("Contact", "contact", "Lead", "lead")[place % 4], f"{person}-{place + 1}", **words)


def people(t: Template) -> None:
    # the newest address wins; the score that we wrote since does not make the old one new
    one(t, "mailnew", {"email": "old@a.example", "modified": T0}, {"email": "new@a.example", "modified": T0 + 50 * DAY})
    t.record(
        *("Contact", "mailnew-1"),
        given="Timo",
        surname="Mailnew",
        phone="030 1",
        email="old@a.example",
        modified=T0 + 10 * DAY,
    )
    one(
        t,
        "written",
        {"email": "stale@b.example", "modified": T0},
        {"email": "fresh@b.example", "modified": T0 + 5 * DAY},
    )
    number = t.rows('select "Phone" from raw.salesforce__Contact where "Id" = ?', ["written-1"])[0]["Phone"]
    t.record(
        *("Contact", "written-1"),
        given="Timo",
        surname="Written",
        phone=number,
        email="stale@b.example",
        score=Decimal("12.5"),
        opted_out=False,
        modified=T0 + 90 * DAY,
    )
    one(t, "invalid", {"email": "valid@c.example"}, {"email": "newer but broken", "modified": T0 + 70 * DAY})
    # names: complete before initial, mixed case before capitals, accents kept, never mixed between records
    one(t, "names", {"given": "T.", "modified": T0 + 80 * DAY, "email": "n@d.example"}, {"email": "n@d.example"})
    one(t, "capitals", {"given": "ÉLODIE", "surname": "CAPITALS", "modified": T0 + 80 * DAY}, {"given": "Élodie"})
    one(t, "accents", {"given": "Renee", "modified": T0 + 80 * DAY}, {"given": "Renée"})
    # an address comes from one record whole
    one(
        t,
        "address",
        {"street": "Ring 1", "city": "Bonn", "postcode": "53111", "country": "Deutschland"},
        {"street": "Allee 2", "modified": T0 + 60 * DAY},
    )
    one(
        t,
        "born",
        {"birth": date(1970, 2, 3), "modified": T0 + 60 * DAY},
        {"birth": date(1970, 3, 2)},
        {"company": "Older AG"},
        {"company": "Newer AG", "modified": T0 + 60 * DAY},
    )
    # consent
    one(t, "strict", {"opted_out": False, "modified": T0 + 99 * DAY}, {"opted_out": True})
    one(t, "noemail", {"opted_out": False}, {"no_email": True})
    one(t, "deleted", {"email": "deleted@e.example"}, {"email": "deleted@e.example", "opted_out": True})
    t.gone("contact", "deleted-2", NOW)
    one(t, "mergedaway", {"given": "Other", "opted_out": True, "phone": "069 4711471"})
    one(t, "survivor", {"email": "survivor@e.example"})
    t.gone("Contact", "mergedaway-1", NOW, survivor="survivor-1")
    one(t, "master", {"email": "m@f.example"}, {"email": "m@f.example"})
    t.record(
        *("contact", "loser"),
        given="Timo",
        surname="Master",
        opted_out=True,
        merged=True,
        master="master-2",
        modified=NOW,
    )
    one(t, "calls", {"do_not_call": True}, {"do_not_call": False, "modified": NOW})
    # engagement
    one(t, "opener", {"email": "opener@g.example"}, {"member": "M1"})
    one(t, "clicker", {"email": "Clicker@g.example", "member": "M2"}, {})
    one(t, "quit", {"email": "quit@g.example"}, {"email": "quit.new@g.example", "modified": NOW})
    one(t, "bounced", {"email": "dead@g.example"}, {})
    one(t, "moved", {"email": "dead2@g.example", "modified": NOW}, {"email": "alive@g.example"})
    one(t, "silent", {"email": "silent@g.example"})
    one(t, "readonly", {}, {}, {"email": "readonly@g.example", "converted": True, "converted_to": "readonly-1"})


EVENTS = (
    ("send", "opener@g.example", NOW - 90 * DAY),
    ("open", "OPENER@g.example ", NOW - 90 * DAY),
    ("open", "opener@g.example", NOW),
    ("click", "clicker@g.example", NOW - 180 * DAY),
    ("open", "quit@g.example", NOW),
    ("opt_out", " Quit@G.example", NOW),
    *(
        ("bounce", address, NOW - number * DAY)
        for number in (1, 2, 3)
        for address in ("dead@g.example", "dead2@g.example")
    ),
    ("bounce", "opener@g.example", NOW - 100 * DAY),
    ("open", "readonly@g.example", NOW),
    ("open", "nobody.knows@g.example", NOW),
    ("open", "not an address", NOW - timedelta(days=400)),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    with template(tmp_path_factory.mktemp("survivorship")) as made:
        people(made)
        made.run("engagement_events")
        made.events(*EVENTS)
        made.run()
        yield made


@pytest.mark.parametrize(
    ("record", "column", "value"),
    [
        ("mailnew-2", "email", "new@a.example"),
        ("written-1", "email", "fresh@b.example"),
        ("invalid-1", "email", "valid@c.example"),
        ("names-1", "first_name", "Timo"),
        ("capitals-1", "first_name", "Élodie"),
        ("capitals-1", "last_name", "Capitals"),
        ("accents-1", "first_name", "Renée"),
        ("address-2", "street", "Ring 1"),
        ("address-2", "city", "Bonn"),
        ("address-2", "country", "Deutschland"),
        ("born-1", "birth_date", date(1970, 2, 3)),
        ("born-1", "company", "Newer AG"),
        ("strict-1", "opted_out", True),
        ("noemail-1", "opted_out", True),
        ("deleted-1", "opted_out", True),
        ("survivor-1", "opted_out", True),
        ("master-1", "opted_out", True),
        ("calls-2", "do_not_call", True),
        ("quit-2", "opted_out", True),
        ("bounced-1", "opted_out", True),
        ("bounced-1", "email_is_valid", False),
        ("moved-1", "opted_out", False),
        ("moved-1", "email", "alive@g.example"),
        ("opener-1", "opted_out", False),
        ("opener-1", "member_number", "M1"),
    ],
)
def test_the_value_that_survives(world: Template, record: str, column: str, value: object) -> None:
    assert world.recipient(record)[column] == value


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("strict-1", "crm_record"),
        ("deleted-1", "departed_record"),
        ("survivor-1", "departed_record"),
        ("master-1", "departed_record"),
        ("quit-1", "campaign_opt_out"),
        ("bounced-1", "bounced"),
    ],
)
def test_the_reason_of_an_opt_out(world: Template, record: str, reason: str) -> None:
    found = world.rows("select reason from campaign.opt_outs where recipient_id = ?", world.recipient_of(record))
    assert {row["reason"] for row in found} == {reason}


def test_departed_records_are_in_no_recipient(world: Template) -> None:
    links = {row["record_id"] for row in world.rows("select record_id from campaign.recipient_links")}
    assert not links & {"deleted-2", "mergedaway-1", "loser"}


def score(world: Template, record: str) -> dict[str, Any]:
    recipient = world.recipient_of(record)
    return world.rows("select * from campaign.engagement_scores where recipient_id = ?", recipient)[0]


def test_scores_halve_every_ninety_days_and_end_with_an_opt_out(world: Template) -> None:
    bounce = -6 * 0.5 ** (100 / 90)
    assert score(world, "opener-1")["score"] == pytest.approx(Decimal(round(4 + 2 + bounce, 1)), abs=Decimal("0.01"))
    assert score(world, "clicker-2")["score"] == Decimal("2.5")
    assert score(world, "quit-1")["score"] == 0
    assert score(world, "bounced-1")["score"] == 0


def test_the_clock_of_scores_is_the_newest_event(world: Template) -> None:
    assert {row["as_of"] for row in world.rows("select distinct as_of from campaign.engagement_scores")} == {NOW}
    assert score(world, "opener-1")["last_open_at"] == NOW
    assert score(world, "clicker-1")["last_open_at"] is None


def exported(world: Template, model: str) -> dict[str, dict[str, Any]]:
    return {row["crm_id"]: row for row in world.rows(f"select * from export.{model}")}


def test_only_records_with_a_reason_are_exported(world: Template) -> None:
    contacts = exported(world, "export_salesforce_contact")
    assert {"opener-1", "clicker-1", "quit-1", "strict-1", "survivor-1", "readonly-1"} <= set(contacts)
    assert not {"silent-1", "mailnew-1", "mergedaway-1"} & set(contacts)
    assert contacts["opener-1"]["score"] > 0
    assert contacts["strict-1"]["opted_out"] is True and contacts["strict-1"]["score"] == 0
    assert "strict-2" in exported(world, "export_dynamics_contact")


def test_a_record_that_the_crm_keeps_read_only_is_not_exported(world: Template) -> None:
    assert world.together("readonly-1", "readonly-3")
    assert exported(world, "export_salesforce_lead") == {}


def test_a_member_number_goes_into_records_without_one(world: Template) -> None:
    assert exported(world, "export_salesforce_contact")["opener-1"]["member_number"] == "M1"
    assert exported(world, "export_dynamics_contact")["opener-2"]["member_number"] == "M1"
    assert exported(world, "export_dynamics_contact")["clicker-2"]["member_number"] == "M2"


def test_every_column_test_of_the_template_passes(world: Template) -> None:
    assert world.failing_tests() == []
