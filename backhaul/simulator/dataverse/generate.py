"""Realistic people by the million: one SQL statement, the same rows for the same seed (control door ``generate``).

Chance comes from the digits of an MD5 over seed and row number, which every DuckDB version computes alike.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from backhaul.simulator.store import literal

from .edm import Table
from .sql import quote
from .values import kept_instant


def _listed(text: str, separator: str = " ") -> tuple[str, ...]:
    return tuple(text.split(separator))


FIRST = _listed(
    "Anna Ben Chloé David Elena Félix Grace Hugo Ines Jakob Karin Liam María Noah Olga Paul Quinn Rosa Søren Tara Uma "
    "Victor Wanda Xavier Yara Zoë Ahmed Björn Carmen Dmitri Emma Farid Giulia Hannah Ivan Julia Kenji Laura Mehmet "
    "Nadia Oscar Priya Ravi Sofia Thomas Ursula Vera William Ximena Yusuf"
)
LAST = _listed(
    "Adams Bauer Costa Dubois Evans Fischer García Hansen Ivanov Jansen Kowalski Larsen Müller Nguyen O'Brien Petrov "
    "Quintero Rossi Schmidt Tanaka Ueda Virtanen Weber Xu Yilmaz Zhang Andersson Becker Clarke Díaz Eriksson Fontaine "
    "Gruber Hoffmann Iglesias Johnson Keller Lindqvist Moreau Novák Okafor Papadopoulos Quinn Richter Santos Taylor "
    "Urbina Vogel Wagner Young"
)
STREETS = _listed(
    "High Street|Main Street|Church Road|Station Road|Park Avenue|Bahnhofstraße|Rue de la Paix|Calle Mayor", "|"
)
CITIES = (
    ("Seattle", "WA", "981", "United States"),
    ("Austin", "TX", "787", "United States"),
    ("Boston", "MA", "021", "United States"),
    ("Chicago", "IL", "606", "United States"),
    ("London", "", "SW1", "United Kingdom"),
    ("Berlin", "BE", "101", "Germany"),
    ("München", "BY", "803", "Germany"),
    ("Paris", "", "750", "France"),
    ("Madrid", "", "280", "Spain"),
    ("København", "", "210", "Denmark"),
    ("Toronto", "ON", "M5V", "Canada"),
    ("Sydney", "NSW", "200", "Australia"),
)
TITLES = _listed(
    "Engineer|Director of Marketing|Account Manager|Chief Financial Officer|Consultant|Buyer|Analyst|Owner", "|"
)
DEPARTMENTS = _listed("Sales Marketing Finance Operations Research")
COMPANIES = _listed(
    "Contoso|Fabrikam|Adventure Works|Northwind Traders|Tailspin Toys|Wide World Importers|Litware", "|"
)
DOMAINS = _listed("example.com example.org example.net mail.example")


def generate_sql(table: Table, count: int, seed: int, first_version: int, now: datetime) -> tuple[str, list[Any]]:
    """Give the INSERT for `count` contacts or leads and its parameters. Raises ValueError for another table.

    Row versions run from `first_version`; changes are spread over the four years before `now`.
    """
    if table.name not in ("contact", "lead"):
        raise ValueError(f"only contact and lead can be generated, not {table.name!r}")
    # Imported here: the organisation imports this module.
    from .org import APPLICATION_USER_ID, BUSINESS_UNIT_ID, CURRENCY_ID, OTHER_USER_ID

    def pick(source: str, bits: int, values: list[str] | tuple[str, ...]) -> str:
        listed = "[" + ", ".join(literal(value) if value else "NULL" for value in values) + "]"
        return f"{listed}[1 + (({source} >> {bits}) % {len(values)})::INTEGER]"

    def sometimes(source: str, bits: int, percent: int, value: str) -> str:
        return f"CASE WHEN ({source} >> {bits}) % 100 < {percent} THEN {value} END"

    phone = (
        "concat('+1 555 ', lpad(((b >> {0}) % 1000)::VARCHAR, 3, '0'), ' ', "
        "lpad(((a >> {0}) % 10000)::VARCHAR, 4, '0'))"
    )
    plain = "regexp_replace(strip_accents(lower({0})), '[^a-z]', '', 'g')"
    city = f"(1 + ((b >> 12) % {len(CITIES)})::INTEGER)"
    columns: dict[str, str] = {
        table.primary_id: f"printf('%08x-%04x-4011-8%03x-%08x%04x', {first_version} + i, {seed} % 65536, "
        f"i % 4096, {first_version} + i, {table.type_code})",
        "firstname": "first",
        "lastname": "last",
        "fullname": "first || ' ' || last",
        "salutation": pick("a", 30, ("Mr.", "Ms.", "Dr.", "")),
        "emailaddress1": sometimes(
            "a",
            40,
            92,
            f"concat({plain.format('first')}, '.', {plain.format('last')}, i, '@', {pick('b', 3, DOMAINS)})",
        ),
        "telephone1": sometimes("b", 33, 85, phone.format(7)),
        "mobilephone": sometimes("b", 41, 60, phone.format(19)),
        "jobtitle": pick("a", 17, TITLES),
        "address1_line1": f"concat(1 + (a >> 9) % 400, ' ', {pick('b', 27, STREETS)})",
        "address1_line2": sometimes("a", 23, 12, "concat('Apt ', 1 + (b >> 5) % 90)"),
        "address1_city": f"[{', '.join(literal(one[0]) for one in CITIES)}][{city}]",
        "address1_stateorprovince": f"[{', '.join(literal(one[1]) if one[1] else 'NULL' for one in CITIES)}][{city}]",
        "address1_postalcode": f"[{', '.join(literal(one[2]) for one in CITIES)}][{city}] || "
        "lpad(((a >> 3) % 100)::VARCHAR, 2, '0')",
        "address1_country": f"[{', '.join(literal(one[3]) for one in CITIES)}][{city}]",
        "donotbulkemail": "(a >> 44) % 100 < 15",
        "donotemail": "(a >> 46) % 100 < 4",
        "donotphone": "(a >> 48) % 100 < 10",
        "description": sometimes(
            "b", 45, 20, "'Met at the spring fair.' || chr(10) || 'Asked for \"brochure\" no. ' || i"
        ),
        "new_campaignscore": sometimes("a", 13, 70, "(((b >> 14) % 1001) / 10.0)"),
        "new_lastopen": sometimes("b", 21, 55, "moment - to_seconds(((a >> 8) % 7776000)::BIGINT)"),
        "new_membernumber": f"printf('{'C' if table.name == 'contact' else 'L'}-%d-%07d', {seed}, {first_version} + i)",
        "ownerid": f"CASE WHEN a % 3 = 0 THEN {literal(APPLICATION_USER_ID)} ELSE {literal(OTHER_USER_ID)} END",
        "ownerid__type": "'systemuser'",
        "owninguser": f"CASE WHEN a % 3 = 0 THEN {literal(APPLICATION_USER_ID)} ELSE {literal(OTHER_USER_ID)} END",
        "owningbusinessunit": literal(BUSINESS_UNIT_ID),
        "statecode": "CASE WHEN (a >> 50) % 100 < 5 THEN 1 ELSE 0 END",
        "statuscode": "CASE WHEN (a >> 50) % 100 < 5 THEN 2 ELSE 1 END",
        "transactioncurrencyid": literal(CURRENCY_ID),
        "exchangerate": "1",
        "merged": "FALSE",
        "createdon": "moment - to_days(((b >> 9) % 900)::INTEGER)",
        "modifiedon": "moment",
        "createdby": literal(OTHER_USER_ID),
        "modifiedby": literal(OTHER_USER_ID),
        "versionnumber": f"{first_version} + i",
    }
    place = f"concat_ws(', ', {columns['address1_city']}, {columns['address1_stateorprovince']})"
    lines = [
        columns["address1_line1"],
        columns["address1_line2"],
        f"concat_ws(' ', {place}, {columns['address1_postalcode']})",
        columns["address1_country"],
    ]
    columns["address1_composite"] = f"concat_ws(chr(13) || chr(10), {', '.join(lines)})"
    if table.name == "contact":
        columns |= {
            "department": sometimes("a", 35, 65, pick("a", 37, DEPARTMENTS)),
            "birthdate": sometimes("b", 25, 75, "(DATE '1945-01-01' + ((a >> 15) % 22000)::INTEGER)"),
            "gendercode": sometimes("b", 31, 70, "1 + (b >> 40) % 2"),
            "preferredcontactmethodcode": "1 + (b >> 37) % 5",
            "new_topics": sometimes("a", 27, 50, "concat(100000000 + (a >> 21) % 3, ',', 100000003 + (a >> 25) % 2)"),
        }
    else:
        columns |= {
            "subject": f"concat('Interest in ', {pick('b', 29, DEPARTMENTS)}, ' no. ', i)",
            "companyname": pick("b", 35, COMPANIES),
            "leadsourcecode": "1 + (a >> 33) % 10",
            "leadqualitycode": "1 + (a >> 29) % 3",
            "revenue": sometimes("a", 19, 60, "((b >> 6) % 100000000) / 100.0"),
            "revenue_base": sometimes("a", 19, 60, "((b >> 6) % 100000000) / 100.0"),
            "numberofemployees": sometimes("b", 17, 60, "1 + (b >> 10) % 5000"),
            "statecode": "CASE WHEN (a >> 50) % 100 < 5 THEN 2 ELSE 0 END",
            "statuscode": "CASE WHEN (a >> 50) % 100 < 5 THEN 4 ELSE 1 + ((a >> 52) % 2) END",
        }
    source = f"""
        SELECT i, a, b, {pick("a", 5, FIRST)} AS first, {pick("b", 11, LAST)} AS last,
            CAST(? AS TIMESTAMP) - to_seconds(((a >> 2) % 126230400)::BIGINT) AS moment
        FROM (SELECT i, md5_number_lower(concat(?, ':', i)) AS a, md5_number_upper(concat(?, ':', i)) AS b
              FROM range(?) AS counted(i))"""
    names = ", ".join(quote(name) for name in columns)
    shown = ", ".join(columns.values())
    sql = f"INSERT INTO {quote(table.name)} ({names}) SELECT {shown} FROM ({source}) ORDER BY i"
    salt = f"{table.name}:{seed}"
    return sql, [kept_instant(now), salt, salt, count]
