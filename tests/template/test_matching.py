"""Which records become one recipient, rule by rule, and which never do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.template.campaign import Template, template

HOME = {"street": "Gartenweg 12", "city": "Mainz", "postcode": "55116"}
BORN = date(1980, 5, 17)


def people(t: Template) -> None:
    """Small scenes that share neither names nor addresses nor numbers with each other."""
    # given names that several surnames bear are names; the rest may be typing errors
    for given in ("Anna", "Karl", "Julia", "Julian", "Maria", "Mario", "Peter", "Paula"):
        for number, surname in enumerate(("Ahrendt", "Bolzano", "Czerny")):
            t.record("Lead", f"known-{given}-{number}", given=given, surname=f"{surname}{given}")

    # one valid address, spelled differently
    t.record("Contact", "mail-1", given="Jürgen", surname="Möller", email="Juergen.Moeller@Werft.example")
    t.record("contact", "mail-2", given="Jurgen", surname="Moeller", email=" mailto:juergen.moeller@werft.example ")
    t.record("lead", "mail-3", given="J.", surname="Möller", email="JUERGEN.MOELLER@WERFT.EXAMPLE")
    t.record("Lead", "mail-4", given=None, surname="Möller", email="juergen.moeller@werft.example.")
    # ... and a name that changed
    t.record("Contact", "wed-1", given="Ines", surname="Romero", email="ines@castellana.example")
    t.record("contact", "wed-2", given="Inés", surname="Ibáñez", email="ines@castellana.example")
    # an invalid address links nobody
    t.record("Contact", "bad-1", given="Otto", surname="Grimm", email="keine angabe")
    t.record("contact", "bad-2", given="Otto", surname="Grimm", email="keine angabe")

    # a couple with one mailbox, one telephone, one home
    family = {"email": "die.lorenz@heim.example", "phone": "06131 55443", **HOME}
    t.record("Contact", "couple-1", given="Maria", surname="Lorenz", **family)
    t.record("contact", "couple-2", given="Mario", surname="Lorenz", **family)
    t.record("lead", "couple-3", given=None, surname="Lorenz", **family)
    # father and son of one name at one mailbox
    father = {"email": "falk@hof.example", "street": "Am Hang 3", "postcode": "36037", "city": "Fulda"}
    t.record("Contact", "elder", given="Arno", surname="Falk", birth=date(1950, 3, 1), **father)
    t.record("contact", "younger", given="Arno", surname="Falk", birth=date(1979, 8, 9), **father)
    t.record("Contact", "younger-too", given="Arno", surname="Falk", birth=date(1979, 8, 9), email=None)
    # an office mailbox: the same full name is one person, anything less is not
    office = {"email": "info@optik.example", "phone": "0221 778899"}
    t.record("Contact", "office-1", given="Helga", surname="Wirth", email="info@optik.example")
    t.record("contact", "office-2", given="Helga", surname="Wirth", **office)
    t.record("contact", "office-3", given="Bernd", surname="Tischler", **office)
    t.record("lead", "office-4", given=None, surname="Wirth", email="info@optik.example")
    # an address that many names use says nothing
    for number in range(24):
        t.record("Lead", f"nobody-{number}", given=f"Vor{number}", surname=f"Nach{number}", email="none@none.example")
    t.record("Contact", "stand-in-1", given="Max", surname="Frei", email="none@none.example")
    t.record("contact", "stand-in-2", given="Max", surname="Frei", email="none@none.example")

    # name and telephone, without an address; the number in three spellings
    t.record("Contact", "phone-1", given="Élodie", surname="Laurent", phone="+33 (0)1 23 45 67 89")
    t.record("contact", "phone-2", given="ELODIE", surname="laurent", mobile="0033 123456789")
    t.record(
        "lead", "phone-3", given="Elodie", surname="Laurent ", phone="01/23456789 ext. 12", email="other@x.example"
    )
    # name and birth date
    t.record("Contact", "born-1", given="Zofia", surname="Wójcik", birth=BORN, email="zofia@a.example")
    t.record("contact", "born-2", given="Zofia", surname="Wojcik", birth=BORN, city="Łódź")
    # ... swapped
    t.record("Contact", "swap-1", given="Nils", surname="Bergqvist", birth=date(1971, 2, 3))
    t.record("contact", "swap-2", given="Bergqvist", surname="Nils", birth=date(1971, 2, 3))
    # stand-in dates are no dates
    t.record("Contact", "1900-1", given="Emil", surname="Sorge", birth=date(1900, 1, 1))
    t.record("contact", "1900-2", given="Emil", surname="Sorge", birth=date(1900, 1, 1))
    # the same name and town alone are two people
    t.record("Contact", "name-1", given="Hanna", surname="Pohl", city="Trier", postcode="54290")
    t.record("contact", "name-2", given="Hanna", surname="Pohl", city="Trier", postcode="54290")

    # typing errors in everything
    t.record(
        "Contact", "typo-1", given="Sebastian", surname="Kretschmer", birth=date(1966, 11, 23), street="Ulmenallee 4"
    )
    t.record(
        "contact", "typo-2", given="Sebastain", surname="Kretschmr", birth=date(1966, 11, 23), street="Ulmenalle 4"
    )
    # a birth date with two digits exchanged, the rest the same
    t.record("Contact", "digit-1", given="Greta", surname="Holm", birth=date(1991, 4, 12), phone="040 334455")
    t.record("contact", "digit-2", given="Greta", surname="Holm", birth=date(1991, 4, 21), phone="040 334455")
    # the same name and telephone, another birth date: two people
    t.record("Contact", "other-date-1", given="Karl", surname="Ebner", birth=date(1950, 1, 2), phone="089 665544")
    t.record("contact", "other-date-2", given="Karl", surname="Ebner", birth=date(1985, 7, 30), phone="089 665544")
    # ... and somebody between them, who can only be one of the two
    t.record("lead", "other-date-3", given="Karl", surname="Ebner", phone="089 665544")
    # two known names a letter apart, at one home: brother and sister
    t.record(
        "Contact", "siblings-1", given="Julia", surname="Stamm", phone="0551 40404", street="Südring 8", city="Celle"
    )
    t.record(
        "contact", "siblings-2", given="Julian", surname="Stamm", phone="0551 40404", street="Südring 8", city="Celle"
    )
    # an initial at a household's telephone can be anybody; at one's own address it is oneself
    t.record("Contact", "initial-1", given="Paula", surname="Drost", phone="0341 909090")
    t.record("contact", "initial-2", given="P.", surname="Drost", phone="0341 909090")
    # the same surname and home without a given name: a household
    t.record("Contact", "house-1", given="Bruno", surname="Ziegler", street="Talweg 9", city="Jena", postcode="07743")
    t.record("contact", "house-2", given=None, surname="Ziegler", street="Talweg 9", city="Jena", postcode="07743")

    # twins, both in one CRM, one of them in the other
    twins = {"surname": "Rasmus", "birth": date(1999, 9, 9), "street": "Kanal 5", "city": "Emden", "postcode": "26721"}
    t.record("Contact", "twin-1", given="Anna", **twins)
    t.record("Contact", "twin-2", given="Paula", **twins)
    t.record("contact", "twin-3", given="Paula", **twins)
    # another given name with the same birth date and home, and nobody else there: by exclusion
    alias = {"surname": "Okonkwo", "birth": date(1988, 6, 1), "street": "Hafen 1", "city": "Kiel", "postcode": "24103"}
    t.record("Contact", "alias-1", given="Peter", **alias)
    t.record("contact", "alias-2", given="Chukwuemeka", **alias)
    # ... unless both are names that many people have: then they are twins, each known to one CRM only
    for number, surname in enumerate(("Adler", "Busch", "Claus")):
        t.record("Contact", f"mira-{number}", given="Mira", surname=surname, email=f"mira{number}@namen.example")
        t.record("contact", f"lena-{number}", given="Lena", surname=surname, email=f"lena{number}@namen.example")
    apart = alias | {"surname": "Vogt", "birth": date(1995, 2, 28)}
    t.record("Contact", "apart-1", given="Mira", **apart)
    t.record("contact", "apart-2", given="Lena", **apart)
    # ... but not within one CRM, where somebody meant two people
    again = alias | {"surname": "Adeyemi", "birth": date(1973, 12, 24)}
    t.record("Contact", "alias-3", given="Peter", **again)
    t.record("Contact", "alias-4", given="Oluwaseun", **again)

    # a lead that the CRM converted
    t.record("Contact", "converted-to", given="Vera", surname="Stahl", email="vera@neu.example")
    t.record(
        *("Lead", "converted-from"),
        given="V",
        surname="St.",
        email="v@alt.example",
        converted=True,
        converted_to="converted-to",
    )
    # other scripts
    t.record("Contact", "greek-1", given="Νίκος", surname="Παπαδόπουλος", phone="+30 21 5550101")
    t.record("contact", "greek-2", given="ΝΙΚΟΣ", surname="ΠΑΠΑΔΟΠΟΥΛΟΣ", phone="0030 215550101")
    t.record("Contact", "han-1", given="伟", surname="王", birth=date(1990, 10, 1))
    t.record("contact", "han-2", given="伟", surname="王", birth=date(1990, 10, 1))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    with template(tmp_path_factory.mktemp("matching")) as made:
        people(made)
        made.run("engagement_events")
        made.run()
        yield made


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("mail-1", "mail-2", "email"),
        ("mail-1", "mail-3", "email"),
        ("mail-2", "mail-4", "email"),
        ("wed-1", "wed-2", "email"),
        ("office-1", "office-2", "email"),
        ("phone-1", "phone-2", "name_and_phone"),
        ("phone-1", "phone-3", "name_and_phone"),
        ("born-1", "born-2", "name_and_birth_date"),
        ("younger", "younger-too", "name_and_birth_date"),
        ("swap-1", "swap-2", "name_and_birth_date"),
        ("typo-1", "typo-2", "score"),
        ("digit-1", "digit-2", "name_and_phone"),
        ("twin-2", "twin-3", "name_and_birth_date"),
        ("alias-1", "alias-2", "by_exclusion"),
        ("converted-to", "converted-from", "converted"),
        ("greek-1", "greek-2", "name_and_phone"),
        ("han-1", "han-2", "name_and_birth_date"),
    ],
)
def test_one_person(world: Template, one: str, other: str, rule: str) -> None:
    assert world.together(one, other)
    assert world.rule(one, other) == rule


@pytest.mark.parametrize(
    "records",
    [
        ("bad-1", "bad-2"),
        ("couple-1", "couple-2", "couple-3"),
        ("elder", "younger"),
        ("office-1", "office-3", "office-4"),
        ("nobody-0", "nobody-1", "nobody-23"),
        ("stand-in-1", "stand-in-2"),
        ("1900-1", "1900-2"),
        ("name-1", "name-2"),
        ("other-date-1", "other-date-2"),
        ("siblings-1", "siblings-2"),
        ("initial-1", "initial-2"),
        ("house-1", "house-2"),
        ("twin-1", "twin-2"),
        ("twin-1", "twin-3"),
        ("alias-3", "alias-4"),
        ("apart-1", "apart-2"),
    ],
)
def test_different_people(world: Template, records: tuple[str, ...]) -> None:
    assert not world.together(*records)


def test_a_record_between_two_people_joins_one_of_them_at_most(world: Template) -> None:
    first, second, _ = world.recipient_of("other-date-1", "other-date-2", "other-date-3")
    assert first != second


def test_a_duplicate_names_its_rule_and_the_values_compared(world: Template) -> None:
    found = world.rows("select * from campaign.duplicates where record_id in ('phone-2', 'phone-1')")
    assert found, "one of the two is merged into another record"
    assert {row["rule"] for row in found} == {"name_and_phone"}
    assert all("given name same: " in row["compared_values"] for row in found)
    assert all("phone same: " in row["compared_values"] for row in found)


def test_every_merged_record_is_a_duplicate_and_leads_to_the_main_record(world: Template) -> None:
    merged = world.rows(
        "select links.record_key, recipients.main_record_key, duplicates.merged_into_key "
        "from campaign.recipient_links as links "
        "inner join campaign.recipients as recipients on links.recipient_id = recipients.recipient_id "
        "left join campaign.duplicates as duplicates on links.record_key = duplicates.record_key"
    )
    parents = {row["record_key"]: row["merged_into_key"] for row in merged}
    for row in merged:
        here, steps = row["record_key"], 0
        while here != row["main_record_key"]:
            here, steps = parents[here], steps + 1
            assert here is not None and steps < 10, row
