"""The demo's people, spread over a Salesforce and a Dynamics org with the mess that real orgs have.

`records` makes them all from one number, the same on every machine; `seed` puts them into two orgs; `edit` makes the
handful of changes of the demo's second act; `truth` says which records are one person's, for tests to measure
against; `engagement_rows` makes what a mailing tool would have recorded about them. Nothing here knows how the
engine works, and no date depends on today's.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from backhaul.simulator import demo_names as names
from backhaul.simulator.demo_people import CAST, OBJECTS, PEOPLE, Copy, Person, all_copies, cast_copies, population
from backhaul.simulator.salesforce import ids

__all__ = ["CAST", "ID_FIELDS", "OBJECTS", "PEOPLE", "Org", "Record", "edit", "engagement_rows", "record_id", "records"]
__all__ += ["seed", "truth"]

_GUIDS = uuid.UUID("6d1f0f0e-5a3c-4b51-9a55-0d3f7a1c2b90")
_PREFIXES = {"Contact": "003", "Lead": "00Q"}
_DEMO_NUMBERS = 900_000_000  # far from the numbers an org gives to the records it makes itself
_FIRST_NUMBER = 100  # below it stand the people that the second act is about


class Org(Protocol):
    """What `seed` and `edit` need of a simulated org: its control verbs, object names the vendor's."""

    def seed(self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None) -> Any:
        """Put records in as they are, stamps included."""

    def change(self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None) -> Any:
        """Change fields of records as another user would: their stamps move."""

    def delete(self, object: str, ids: Sequence[str]) -> Any:
        """Delete records as another user would."""

    def dump(self, object: str) -> Sequence[Mapping[str, Any]]:
        """Every record of the object."""


@dataclass(frozen=True)
class Record:
    """One row of a CRM. `person` is the truth that only tests may see; `fields` are the vendor's own."""

    person: int
    account: str
    object: str
    fields: Mapping[str, Any]

    @property
    def record_id(self) -> str:
        """The CRM's id of the record."""
        return str(self.fields[ID_FIELDS[self.object]])


ID_FIELDS = {"Contact": "Id", "Lead": "Id", "contact": "contactid", "lead": "leadid"}


def truth(people: int = PEOPLE) -> dict[tuple[str, str, str], int]:
    """The person behind every record: (account, object, record id) -> person's number."""
    return {(record.account, record.object, record.record_id): record.person for record in records(people)}


def records(people: int = PEOPLE) -> list[Record]:
    """Every record of both orgs, about 1.65 for a person, the same for the same number of people."""
    counts = dict.fromkeys(OBJECTS, 0)
    made = _cast_records()
    for copy in all_copies(people):
        counts[copy.account, copy.object] += 1
        made.append(_record(copy, _FIRST_NUMBER + counts[copy.account, copy.object]))
    return made


def _cast_records() -> list[Record]:
    return [_record(copy, number) for number, copy in enumerate(cast_copies(), start=1)]


def seed(salesforce_org: Org, dataverse_org: Org, people: int = PEOPLE) -> dict[tuple[str, str], int]:
    """Fill both orgs; gives the number of records put into each object, 0 where it had some (a repeat is harmless)."""
    orgs = {"salesforce": salesforce_org, "dynamics": dataverse_org}
    empty = [(account, name) for account, name in OBJECTS if not orgs[account].dump(name)]
    counts = dict.fromkeys(OBJECTS, 0)
    made = records(people) if empty else []
    for account, name in empty:
        rows = [record.fields for record in made if (record.account, record.object) == (account, name)]
        orgs[account].seed(name, rows)
        counts[account, name] = len(rows)
    return counts


def edit(salesforce_org: Org, dataverse_org: Org) -> list[str]:
    """The second act: what colleagues change in both CRMs between two runs, as sentences.

    An e-mail address changes, somebody opts out, somebody is entered a second time, a record is deleted, somebody
    is renamed. What already is as wanted is left alone, so a repeat changes nothing.
    """
    clara, tomasz, elodie, ben, ines = CAST
    told = []
    by_place = {(record.person, record.account, record.object): record for record in _cast_records()}

    def changed(org: Org, person: Person, account: str, object_name: str, values: Mapping[str, Any]) -> bool:
        record = by_place[person.number, account, object_name]
        key = ID_FIELDS[object_name]
        now = next((row for row in org.dump(object_name) if row[key] == record.record_id), None)
        if now is None or all(now[name] == value for name, value in values.items()):
            return False
        org.change(object_name, [{key: record.record_id, **values}])
        return True

    if changed(salesforce_org, clara, "salesforce", "Contact", {"Email": "clara.neumann@nordlicht.example"}):
        told.append("Salesforce: Clara Neumann has a new e-mail address")
    if changed(dataverse_org, tomasz, "dynamics", "contact", {"donotbulkemail": True}):
        told.append("Dynamics: Tomasz Wiśniewski opts out of mailings")
    if changed(salesforce_org, ines, "salesforce", "Contact", {"LastName": "Ibáñez"}):
        told.append("Salesforce: Inés Romero is now called Inés Ibáñez")
    again = replace(cast_copies(elodie)[0], account="dynamics", object="contact", given="Elodie", surname="LAURENT ")
    again = replace(again, member_number=None, title=None)
    record = replace(_record(again, 0), person=elodie.number)
    if all(row["contactid"] != record.record_id for row in dataverse_org.dump("contact")):
        fields = {name: value for name, value in record.fields.items() if name not in ("createdon", "modifiedon")}
        dataverse_org.seed("contact", [fields])
        told.append("Dynamics: Élodie Laurent is entered although Salesforce has her")
    doomed = by_place[ben.number, "salesforce", "Lead"].record_id
    if any(row["Id"] == doomed and not row.get("IsDeleted") for row in salesforce_org.dump("Lead")):
        salesforce_org.delete("Lead", [doomed])
        told.append("Salesforce: the second record of Ben Carter is deleted")
    return told


def engagement_rows(people: int = PEOPLE) -> list[dict[str, str]]:
    """What a mailing tool recorded: event_id, campaign, event_type, email, occurred_at (ISO, UTC), oldest first.

    Types: send, open, click, bounce, opt_out. Addresses are as people typed them: capitals and spaces included, and
    a few that no CRM knows.
    """
    draw = random.Random("backhaul demo engagement")  # noqa: S311 - made-up people, nothing secret
    start = datetime(2024, 9, 2, 8, tzinfo=UTC)
    chosen = [person for person in population(people) if draw.random() < 0.055] + list(CAST)
    addresses = [_typed(person.email, draw) for person in chosen]
    addresses += _misplaced_addresses(people)
    addresses += [f"stranger{number}@elsewhere.example" for number in range(12)]
    events = []
    for address in addresses:
        habit = draw.random()
        dead = draw.random() < 0.05
        for place, campaign in enumerate(names.CAMPAIGNS):
            if draw.random() < 0.35:
                continue
            sent = start + timedelta(days=56 * place, minutes=draw.randrange(600))
            events.append((sent, campaign, "send", address))
            if dead:
                events.append((sent + timedelta(minutes=2), campaign, "bounce", address))
            elif draw.random() < habit:
                opened = sent + timedelta(minutes=draw.randint(3, 6_000))
                events.append((opened, campaign, "open", address))
                if draw.random() < 0.35:
                    events.append((opened + timedelta(minutes=1), campaign, "click", address))
                if draw.random() < 0.02:
                    events.append((opened + timedelta(minutes=2), campaign, "opt_out", address))
    return [
        {
            "event_id": f"E{number:06d}",
            "campaign": campaign,
            "event_type": event_type,
            "email": address,
            "occurred_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        }
        for number, (at, campaign, event_type, address) in enumerate(sorted(events), start=1)
    ]


def _typed(address: str, draw: random.Random) -> str:
    shape = draw.random()
    if shape < 0.12:
        return address.upper()
    if shape < 0.2:
        return f" {address} "
    return address.title() if shape < 0.26 else address


def _misplaced_addresses(people: int) -> list[str]:
    """Addresses of those whose member number stands in a stranger's record: they must have a reason to be written."""
    return [copy.email for copy in all_copies(people) if "number_misplaced" in copy.notes and copy.email]


def record_id(object_name: str, number: int) -> str:
    """The id of the demo's record `number` of an object: a Salesforce id or a GUID, always the same."""
    if object_name in _PREFIXES:
        return ids.make(_PREFIXES[object_name], _DEMO_NUMBERS + number)
    return str(uuid.uuid5(_GUIDS, f"{object_name}/{number}"))


def _record(copy: Copy, number: int) -> Record:
    make = {
        "Contact": _salesforce_contact,
        "Lead": _salesforce_lead,
        "contact": _dynamics_contact,
        "lead": _dynamics_lead,
    }
    fields = make[copy.object](copy, record_id(copy.object, number))
    return Record(copy.person, copy.account, copy.object, fields)


def _salesforce_contact(copy: Copy, record_id: str) -> dict[str, Any]:
    return {
        "Id": record_id,
        "Salutation": copy.salutation,
        "FirstName": copy.given,
        "LastName": copy.surname,
        "Email": copy.email,
        "Phone": copy.phone,
        "MobilePhone": copy.mobile,
        "MailingStreet": copy.street,
        "MailingCity": copy.town,
        "MailingState": copy.state,
        "MailingPostalCode": copy.postcode,
        "MailingCountry": copy.country,
        "Title": copy.title,
        "Birthdate": copy.birth_date,
        "HasOptedOutOfEmail": copy.opted_out,
        "DoNotCall": copy.do_not_call,
        "Member_Number__c": copy.member_number,
        **_salesforce_stamps(copy),
    }


def _salesforce_lead(copy: Copy, record_id: str) -> dict[str, Any]:
    return {
        "Id": record_id,
        "Salutation": copy.salutation,
        "FirstName": copy.given,
        "LastName": copy.surname,
        "Company": copy.company,
        "Title": copy.title,
        "Email": copy.email,
        "Phone": copy.phone,
        "MobilePhone": copy.mobile,
        "Street": copy.street,
        "City": copy.town,
        "State": copy.state,
        "PostalCode": copy.postcode,
        "Country": copy.country,
        "Status": "Open - Not Contacted",
        "HasOptedOutOfEmail": copy.opted_out,
        "DoNotCall": copy.do_not_call,
        **_salesforce_stamps(copy),
    }


def _salesforce_stamps(copy: Copy) -> dict[str, Any]:
    return {"CreatedDate": copy.created, "LastModifiedDate": copy.modified, "SystemModstamp": copy.modified}


def _dynamics_contact(copy: Copy, record_id: str) -> dict[str, Any]:
    return {
        "contactid": record_id,
        "birthdate": copy.birth_date,
        "donotphone": copy.do_not_call,
        "new_membernumber": copy.member_number,
        **_dynamics_common(copy),
    }


def _dynamics_lead(copy: Copy, record_id: str) -> dict[str, Any]:
    subject = f"Interest in {copy.company}"
    return {"leadid": record_id, "subject": subject, "companyname": copy.company, **_dynamics_common(copy)}


def _dynamics_common(copy: Copy) -> dict[str, Any]:
    return {
        "salutation": copy.salutation,
        "firstname": copy.given,
        "lastname": copy.surname,
        "emailaddress1": copy.email,
        "telephone1": copy.phone,
        "mobilephone": copy.mobile,
        "address1_line1": copy.street,
        "address1_city": copy.town,
        "address1_stateorprovince": copy.state,
        "address1_postalcode": copy.postcode,
        "address1_country": copy.country,
        "jobtitle": copy.title,
        "donotbulkemail": copy.opted_out,
        "createdon": copy.created,
        "modifiedon": copy.modified,
    }
