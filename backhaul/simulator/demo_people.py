"""The demo's people and the copies that colleagues typed of them into two CRMs.

People first (`population`), as they are; then their copies (`all_copies`) with what happens to data in CRMs: capitals,
stray spaces, lost accents, things left out, typing errors, swapped names, old addresses, opt-outs noted once only.
`CAST` are the few whom the demo's second act is about. All of it follows from one number, the same on every machine.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from backhaul.simulator import demo_names as names

PEOPLE = 12_200
OBJECTS = (("salesforce", "Contact"), ("salesforce", "Lead"), ("dynamics", "contact"), ("dynamics", "lead"))
_FIRST_DAY = datetime(2022, 7, 1, tzinfo=UTC)
_LAST_DAY = datetime(2025, 6, 29, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """One made-up human being, as they are, before anybody types them in."""

    number: int
    culture: names.Culture
    woman: bool
    given: str
    surname: str
    birth_date: date
    street: str
    town: str
    state: str
    postcode: str
    phone: str  # subscriber part without country code and trunk zero
    mobile: str
    email: str
    company: str
    title: str
    opted_out: bool = False


@dataclass
class Copy:
    """A person as somebody typed them into a CRM: one record, before it has the CRM's field names."""

    person: int
    account: str
    object: str
    given: str | None
    surname: str
    birth_date: date | None
    street: str | None
    town: str | None
    state: str | None
    postcode: str | None
    country: str | None
    phone: str | None
    mobile: str | None
    email: str | None
    company: str
    title: str | None
    salutation: str | None
    opted_out: bool
    do_not_call: bool
    member_number: str | None
    created: datetime
    modified: datetime
    notes: dict[str, Any] = field(default_factory=dict)


def all_copies(people: int) -> list[Copy]:
    """Every copy of that many people, the cast's not among them."""
    made = [copy for person in population(people) for copy in _copies(person)]
    _misplace_numbers(made)
    return made


def population(people: int) -> Iterator[Person]:
    """The people in order: households (who share a name, a home, a telephone, sometimes a mailbox), the staff of
    offices (who share a switchboard and an info@ address), and everybody else."""
    number = 1
    while number <= people:
        draw = random.Random(f"backhaul demo {number}")  # noqa: S311 - made-up people, nothing secret
        kind = draw.random()
        if kind < 0.035:
            group = _household(number, draw)
        elif kind < 0.045:
            group = _office(number, draw)
        else:
            group = [_person(number, draw)]
        yield from group[: people - number + 1]
        number += len(group)


def _person(number: int, draw: random.Random) -> Person:
    culture = draw.choices(names.CULTURES, weights=[each.share for each in names.CULTURES])[0]
    woman = draw.random() < 0.5
    given = draw.choice(culture.women if woman else culture.men)
    if draw.random() < 0.06 and culture.latin:
        second = draw.choice(culture.women if woman else culture.men)
        given = given if second == given else f"{given} {second}"
    surname = draw.choice(culture.surnames)
    place = draw.randrange(len(culture.towns))
    town, state, postcode = culture.towns[place]
    house = draw.randint(1, 180)
    street = draw.choice(culture.streets)
    company = f"{draw.choice(names.COMPANY_WORDS)} {draw.choice(names.COMPANY_KINDS)}"
    return Person(
        number=number,
        culture=culture,
        woman=woman,
        given=given,
        surname=surname,
        birth_date=date(1940, 1, 2) + timedelta(days=draw.randrange(24_000)),
        street=f"{house} {street}" if culture.number_first else f"{street} {house}",
        town=town,
        state=state,
        postcode=postcode + "".join(str(draw.randrange(10)) for _ in range(culture.postcode_digits - len(postcode))),
        phone=draw.choice(culture.area_codes) + str(draw.randint(1_000_000, 9_999_999)),
        mobile=("15" if culture.calling_code == "49" else "7") + str(draw.randint(10_000_000, 99_999_999)),
        email=_address(number, given, surname, company, draw),
        company=f"{company} {draw.choice(names.COMPANY_FORMS)}",
        title=draw.choice(names.TITLES),
        opted_out=draw.random() < 0.07,
    )


def _address(number: int, given: str, surname: str, company: str, draw: random.Random) -> str:
    local = [plain_letters(given.split()[0]), plain_letters(surname)]
    if not all(local):
        local = [f"user{number}"]
    shape = draw.random()
    if shape < 0.55:
        host = draw.choice(names.MAIL_HOSTS)
        return f"{'.'.join(local)}{number}@{host}"
    if shape < 0.8 or len(local) == 1:
        return f"{local[0]}_{number}@{draw.choice(names.MAIL_HOSTS)}"
    return f"{local[0][0]}.{local[1]}{number % 97}@{plain_letters(company)}{number % 89}.example"


def _household(number: int, draw: random.Random) -> list[Person]:
    first = _person(number, draw)
    members = [first]
    shared_mailbox = f"familie.{plain_letters(first.surname) or 'home'}{number}@{draw.choice(names.MAIL_HOSTS)}"
    shares = draw.random()
    for offset in range(1, draw.randint(2, 4)):
        other = _person(number + offset, draw)
        pool = first.culture.women if other.woman else first.culture.men
        given = draw.choice([name for name in pool if name not in {member.given for member in members}])
        birth_date = other.birth_date
        if offset == 2 and draw.random() < 0.1:
            birth_date = members[1].birth_date  # twins
        members.append(
            replace(
                first,
                number=number + offset,
                woman=other.woman,
                given=given,
                birth_date=birth_date,
                mobile=other.mobile,
                email=_address(number + offset, given, first.surname, other.company, draw),
                company=other.company,
                title=other.title,
                opted_out=other.opted_out,
            )
        )
    if shares < 0.04 and not first.woman:  # father and son of one name
        years = timedelta(days=365 * draw.randint(22, 40))
        elder = date(1938 + draw.randrange(20), draw.randint(1, 12), draw.randint(1, 28))
        members[0] = replace(first, birth_date=elder)
        son = _address(number + 1, first.given, first.surname, first.company, draw)
        members[1] = replace(members[1], woman=False, given=first.given, birth_date=elder + years, email=son)
    if shares > 0.6:
        members = [replace(member, email=shared_mailbox) for member in members]
    return members


def _office(number: int, draw: random.Random) -> list[Person]:
    first = _person(number, draw)
    role = draw.choice(("info", "office", "kontakt", "sales"))
    mailbox = f"{role}@{plain_letters(first.company.split()[0])}{number}.example"
    staff = []
    for offset in range(draw.randint(4, 9)):
        other = _person(number + offset, draw)
        own = draw.random() < 0.3
        staff.append(
            replace(
                other,
                company=first.company,
                phone=first.phone,
                street=first.street,
                town=first.town,
                state=first.state,
                postcode=first.postcode,
                email=other.email if own else mailbox,
            )
        )
    return staff


def _copies(person: Person) -> list[Copy]:
    draw = random.Random(f"backhaul demo copies {person.number}")  # noqa: S311 - made-up people, nothing secret
    count = draw.choices((1, 2, 3, 4), weights=(53, 32, 12, 3))[0]
    places = draw.choices(OBJECTS, weights=(36, 16, 34, 14), k=1)
    while len(places) < count:
        here = places[-1][0]
        other = "dynamics" if here == "salesforce" else "salesforce"
        account = other if draw.random() < 0.75 else here
        places.append(
            next(each for each in OBJECTS if each[0] == account) if draw.random() < 0.7 else _lead_of(account)
        )
    said_no = draw.randrange(count) if person.opted_out and draw.random() < 0.65 else None
    made = []
    for place, (account, object_name) in enumerate(places):
        refused = person.opted_out and said_no in (None, place)
        made.append(_copy(person, account, object_name, place, refused, draw))
    return made


def _lead_of(account: str) -> tuple[str, str]:
    return next(each for each in reversed(OBJECTS) if each[0] == account)


def _copy(person: Person, account: str, object_name: str, place: int, opted_out: bool, draw: random.Random) -> Copy:
    created = _FIRST_DAY + timedelta(seconds=draw.randrange(86_400 * 900))
    modified = min(created + timedelta(seconds=draw.randrange(86_400 * 400)), _LAST_DAY)
    is_contact = object_name in ("Contact", "contact")
    copy = Copy(
        person=person.number,
        account=account,
        object=object_name,
        given=person.given,
        surname=person.surname,
        birth_date=person.birth_date if is_contact and draw.random() < 0.5 else None,
        street=person.street if draw.random() < 0.8 else None,
        town=person.town if draw.random() < 0.92 else None,
        state=person.state if draw.random() < 0.5 else None,
        postcode=person.postcode if draw.random() < 0.85 else None,
        country=person.culture.country if draw.random() < 0.8 else None,
        phone=_phone(person.phone, person.culture, draw) if draw.random() < 0.75 else None,
        mobile=_phone(person.mobile, person.culture, draw) if draw.random() < 0.35 else None,
        email=person.email if draw.random() < 0.9 else None,
        company=person.company,
        title=person.title if draw.random() < 0.6 else None,
        salutation=person.culture.salutations[0 if person.woman else 1] if draw.random() < 0.5 else None,
        opted_out=opted_out,
        do_not_call=draw.random() < 0.03,
        member_number=None,
        created=created,
        modified=modified,
    )
    if place == 0 and is_contact and draw.random() < 0.5:
        copy.member_number = f"M{person.number:07d}"
    _untidy(copy, draw)
    if place > 0:
        _spoil(copy, person, draw)
    return copy


def _untidy(copy: Copy, draw: random.Random) -> None:
    """What happens to any record: capitals, spaces, lost accents."""
    if copy.email and draw.random() < 0.22:
        copy.email = draw.choice((copy.email.upper(), copy.email.title(), copy.email.capitalize()))
    if copy.email and copy.account == "dynamics" and draw.random() < 0.06:
        copy.email = draw.choice((f" {copy.email}", f"{copy.email} ", f"mailto:{copy.email}"))
    if copy.given and draw.random() < 0.04:
        copy.given = f" {copy.given} "
    if draw.random() < 0.04:
        copy.surname = f"{copy.surname}  "
    if draw.random() < 0.05:
        copy.given, copy.surname = copy.given and copy.given.upper(), copy.surname.upper()
    if draw.random() < 0.15:
        copy.given, copy.surname = copy.given and _plain(copy.given, draw), _plain(copy.surname, draw)
        copy.street, copy.town = copy.street and _plain(copy.street, draw), copy.town and _plain(copy.town, draw)


def _spoil(copy: Copy, person: Person, draw: random.Random) -> None:
    """What happens to second copies: typing errors, swapped names, old addresses, things left out."""
    if draw.random() < 0.07 and copy.given:
        copy.given = _mistyped(copy.given, draw)
    if draw.random() < 0.07:
        copy.surname = _mistyped(copy.surname, draw)
    if draw.random() < 0.015 and copy.given:
        copy.given, copy.surname = copy.surname, copy.given
    if draw.random() < 0.03 and copy.given:
        copy.given = f"{copy.given.strip()[0]}."
    elif draw.random() < 0.03:
        copy.given = None
    if copy.birth_date and draw.random() < 0.03:
        digits = copy.birth_date
        copy.birth_date = digits.replace(day=digits.day % 9 + 10 if digits.day < 10 else digits.day - 10 or 20)
    if draw.random() < 0.12:  # a stale copy: an earlier home, mailbox and telephone, not touched for long
        earlier = random.Random(f"backhaul demo earlier {person.number}")  # noqa: S311 - made-up people, nothing secret
        copy.street = copy.street and f"{earlier.choice(person.culture.streets)} {earlier.randint(1, 90)}"
        copy.town = copy.town and earlier.choice(person.culture.towns)[0]
        copy.postcode = None
        if copy.email and "@" in copy.email and draw.random() < 0.6:
            copy.email = (
                f"{plain_letters(person.surname) or 'user'}.{person.number}@old-{earlier.choice(names.MAIL_HOSTS)}"
            )
        copy.modified = copy.created


def _misplace_numbers(copies: list[Copy]) -> None:
    """Some member numbers stand in a stranger's record: writing them where they belong is refused by the CRM.

    In each org seven contacts hold the number of somebody else, who is in that org without a number and in the other
    org with the right one.
    """
    by_person: dict[int, list[Copy]] = {}
    for copy in copies:
        by_person.setdefault(copy.person, []).append(copy)
    for account in ("dynamics", "salesforce"):
        wanted = 7
        strangers = (
            each[0]
            for each in by_person.values()
            if len(each) == 1 and each[0].account == account and _is_plain(each[0])
        )
        for owned in by_person.values():
            if wanted == 0:
                break
            if len(owned) != 2 or not all(_is_plain(copy) for copy in owned) or owned[0].email is None:
                continue
            holder = next((copy for copy in owned if copy.account != account and copy.member_number), None)
            lacking = next((copy for copy in owned if copy.account == account and not copy.member_number), None)
            if holder is None or lacking is None or "@" not in (lacking.email or ""):
                continue
            if (holder.email or "").strip().lower() != (lacking.email or "").strip().lower():
                continue
            if holder.email is None or holder.email.lower().startswith(
                ("info", "office", "kontakt", "sales", "familie")
            ):
                continue
            next(strangers).member_number = holder.member_number
            holder.notes["number_misplaced"] = True
            wanted -= 1


def _is_plain(copy: Copy) -> bool:
    return copy.object in ("Contact", "contact") and copy.given is not None and copy.person <= PEOPLE


def _phone(subscriber: str, culture: names.Culture, draw: random.Random) -> str:
    area, rest = subscriber[:2], subscriber[2:]
    code = culture.calling_code
    return draw.choice(
        (
            f"+{code} {area} {rest}",
            f"+{code} (0){area} {rest[:3]}-{rest[3:]}",
            f"00{code} {area}{rest}",
            f"0{area} {rest[:4]} {rest[4:]}",
            f"(0{area}) {rest}",
            f"0{area}/{rest}",
        )
    )


def plain_letters(text: str) -> str:
    """The letters and digits of a text as an address can have them, empty for scripts other than Latin."""
    folded = unicodedata.normalize("NFKD", text.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in folded if letter.isalnum())


_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "æ": "ae", "å": "a", "Å": "A"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def _plain(text: str, draw: random.Random) -> str:
    """The text as a keyboard without accents gives it; other scripts stay."""
    if draw.random() < 0.5:
        text = text.translate(_GERMAN)
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return plain if plain.isascii() else text


def _mistyped(text: str, draw: random.Random) -> str:
    if len(text) < 4:
        return text
    place = draw.randrange(1, len(text) - 1)
    return draw.choice(
        (
            text[:place] + text[place + 1] + text[place] + text[place + 2 :],
            text[:place] + text[place + 1 :],
            text[:place] + text[place] + text[place:],
            text[:place] + draw.choice("aeinrst") + text[place + 1 :],
        )
    )


def _member(number: int, culture: names.Culture, woman: bool, name: str, company: str) -> Person:
    given, surname = name.split()
    town, state, postcode = culture.towns[0]
    street = culture.streets[0]
    return Person(
        number=1_000_000 + number,
        culture=culture,
        woman=woman,
        given=given,
        surname=surname,
        birth_date=date(1980 + number, 1 + number, 10 + number),
        street=f"{10 + number} {street}" if culture.number_first else f"{street} {10 + number}",
        town=town,
        state=state,
        postcode=postcode + "117"[: culture.postcode_digits - len(postcode)],
        phone=f"{culture.area_codes[0]}55501{number:02d}",
        mobile=f"7055501{number:02d}",
        email=f"{plain_letters(given)}.{plain_letters(surname)}@{plain_letters(company)}.example",
        company=company,
        title=names.TITLES[number],
    )


CAST = (
    _member(1, names.GERMAN, True, "Clara Neumann", "Nordlicht Design"),
    _member(2, names.POLISH, False, "Tomasz Wiśniewski", "Bursztyn Foods"),
    _member(3, names.FRENCH, True, "Élodie Laurent", "Lumière Optik"),
    _member(4, names.ENGLISH, False, "Ben Carter", "Harbour Media"),
    _member(5, names.SPANISH, True, "Inés Romero", "Castellana Travel"),
)
"""The people of the second act: tidy records, known by name."""

_CAST_PLACES: tuple[tuple[tuple[str, str], ...], ...] = (
    (("salesforce", "Contact"), ("dynamics", "contact")),
    (("salesforce", "Contact"), ("dynamics", "contact")),
    (("salesforce", "Contact"),),
    (("dynamics", "contact"), ("salesforce", "Lead")),
    (("salesforce", "Contact"), ("dynamics", "lead")),
)


def _copies_of_cast(person: Person) -> list[Copy]:
    made = []
    for place, (account, object_name) in enumerate(_CAST_PLACES[CAST.index(person)]):
        is_contact = object_name in ("Contact", "contact")
        made.append(
            Copy(
                person=person.number,
                account=account,
                object=object_name,
                given=person.given,
                surname=person.surname,
                birth_date=person.birth_date if is_contact else None,
                street=person.street,
                town=person.town,
                state=person.state,
                postcode=person.postcode,
                country=person.culture.country,
                phone=f"+{person.culture.calling_code} {person.phone}",
                mobile=None,
                email=person.email,
                company=person.company,
                title=person.title,
                salutation=person.culture.salutations[0 if person.woman else 1],
                opted_out=False,
                do_not_call=False,
                member_number=f"M{person.number:07d}" if place == 0 else None,
                created=_FIRST_DAY + timedelta(days=100 + 20 * place),
                modified=_LAST_DAY - timedelta(days=30 - 20 * place),
            )
        )
    return made


def cast_copies(person: Person | None = None) -> list[Copy]:
    """The cast's records, or those of one of them."""
    return [copy for each in CAST if person in (None, each) for copy in _copies_of_cast(each)]
