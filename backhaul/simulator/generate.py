"""Realistic people by the million: one SQL query over ``range``, the same for the same seed on every machine.

Every value is cut out of MD5 numbers of ``seed:n``, never out of DuckDB's own ``hash`` or ``random``, whose results
differ between versions. The orgs map these columns on their own fields.

Some values are awkward on purpose: accents, apostrophes, quotation marks, line breaks, commas, leading zeros and the
texts ``NA`` and ``null``.
"""

from __future__ import annotations

from collections.abc import Sequence

from backhaul.simulator.store import literal

FIRST_NAMES = (
    *("Anna", "Ben", "Chloé", "David", "Élodie", "Fatima", "Gábor", "Hannah", "Ivan", "Jürgen", "Katarzyna", "Liam"),
    *("María", "Noah", "Olivia", "Pedro", "Quentin", "Renée", "Søren", "Thomas", "Uma", "Victor", "Wei", "Xavier"),
    *("Yuki", "Zoë", "Ahmed", "Björn", "Carlos", "Dmitri", "Emma", "François", "Giulia", "Hiroshi", "Ingrid", "José"),
    *("Karim", "Lucía", "Matteo", "Nadia", "Oscar", "Priya", "Rachel", "Stefan", "Tatiana", "Ulrike", "Valentina"),
)
LAST_NAMES = (
    *("Müller", "O'Brien", "García", "Smith", "Nowak", "Rossi", "Dubois", "Jensen", "Silva", "Kowalski", "Nguyen"),
    *("Tanaka", "Ivanova", "Johnson", "van der Berg", "Fernández", "Schäfer", "Lefèvre", "Andersson", "Novák", "Khan"),
    *("Papadopoulos", "Horváth", "Popescu", "Yılmaz", "Cohen", "Okafor", "Kim", "Chen", "Brown", "Wilson", "Martin"),
    *("Moreau", "Bianchi", "Weber", "Fischer", "Lopes", "Santos", "Petrov", "Sørensen", "Virtanen", "Kovács", "Murphy"),
    *("Walsh", "D'Angelo", "Null", "Marchand", "Keller", "Lindqvist", "Haddad", "Singh", "Patel", "Costa", "Meyer"),
)
TITLES = (
    *("Sales Manager", "Head of Marketing", "Buyer", "CFO", "Software Engineer", "Office Manager", "Consultant"),
    *("VP, Operations", "Assistant", "Owner", "Director of IT", "HR Partner", "Analyst", "Project Lead"),
)
DEPARTMENTS = ("Sales", "Marketing", "Purchasing", "Finance", "Engineering", "R&D", "Operations", "NA", "Support")
STREETS = (
    *("Hauptstraße", "Rue de la Paix", "Main Street", "Via Roma", "Calle Mayor", "Station Road", "Bahnhofstraße"),
    *("Avenue Foch", "Park Lane", "Nytorv", "Ulica Długa", "Église Road", "Market Square", "Oak Drive", "Mill Lane"),
)
CITIES = (
    *("Berlin|BE|Germany", "Paris|IDF|France", "London|LDN|United Kingdom", "Roma|RM|Italy", "Madrid|MD|Spain"),
    *("København|H|Denmark", "Warszawa|MZ|Poland", "Zürich|ZH|Switzerland", "Dublin|D|Ireland", "Wien|W|Austria"),
    *("Bruxelles|BRU|Belgium", "Amsterdam|NH|Netherlands", "Lisboa|LI|Portugal", "Praha|PR|Czechia"),
    *("Boston|MA|United States", "Austin|TX|United States", "Toronto|ON|Canada", "Oslo|OS|Norway"),
)
COMPANIES = (
    "Acme",
    "Globex",
    "Initech",
    "Umbrella",
    "Stark",
    "Wayne",
    "Wonka",
    "Tyrell",
    "Cyberdyne",
    "Hooli",
    "Vandelay",
)
FORMS = ("GmbH", "Ltd", "Inc.", "S.A.", "S.p.A.", "AG", "& Sons", "B.V.")
LEAD_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
TOPICS = ("Events", "News", "Offers", "Product", "Training")
DOMAINS = ("example.com", "example.org", "example.net", "mail.example", "post.example")
DESCRIPTIONS = (
    "Met at the trade fair; wants a call back.",
    'Said: "send me the brochure", twice.',
    "First line\nsecond line, with a comma",
    "N/A",
    "Prefers e-mail — never phone.",
    "Köln/Zürich office, 2nd floor",
)


def people(count: int, *, seed: int = 1, start: int = 1) -> str:
    """A SELECT of `count` people numbered from `start`, ordered by number.

    Columns: ``n`` BIGINT; text ``first_name last_name salutation title department company email phone mobile
    home_phone street city state postal_code country description lead_source topics member_number`` (topics joined
    with ``;``); ``birthdate`` DATE; ``score`` DOUBLE 0.0-100.0; ``revenue`` DOUBLE; ``employees`` INTEGER;
    ``created_at``, ``modified_at``, ``opened_at`` TIMESTAMP (UTC, whole seconds, created <= modified, 2021 to June
    2026); ``opted_out``, ``do_not_call`` BOOLEAN; ``h1``, ``h2``, ``h3`` UBIGINT for whatever else an org needs.
    Emails are unique per person; a tenth of people have none, and about 8 other columns are null for some.
    """
    city = _pick("h2", 1 << 12, CITIES)
    digits = f"lpad(CAST({_slice('h2', 1 << 24, 10_000_000)} AS VARCHAR), 7, '0')"
    return f"""
    WITH numbered AS (
        SELECT range AS n, md5_number_lower('{int(seed)}:a:' || range) AS h1,
            md5_number_lower('{int(seed)}:b:' || range) AS h2, md5_number_lower('{int(seed)}:c:' || range) AS h3
        FROM range({int(start)}, {int(start) + int(count)})
    ), named AS (
        SELECT *, {_pick("h1", 1, FIRST_NAMES)} AS first_name, {_pick("h1", 1 << 10, LAST_NAMES)} AS last_name,
            {city} AS place, TIMESTAMP '2021-01-01' + to_seconds({_slice("h3", 1, 86400 * 1500)}) AS created_at
        FROM numbered
    )
    SELECT n, first_name, last_name, {_pick("h1", 1 << 20, ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof."))} AS salutation,
        {_sometimes("h1", 1 << 23, 70, _pick("h1", 1 << 30, TITLES))} AS title,
        {_sometimes("h1", 1 << 34, 55, _pick("h1", 1 << 40, DEPARTMENTS))} AS department,
        {_pick("h1", 1 << 44, COMPANIES)} || ' ' || {_slice("h1", 1 << 48, 900)} || ' '
            || {_pick("h1", 1 << 52, FORMS)} AS company,
        CASE WHEN {_slice("h2", 1, 10)} > 0 THEN lower(regexp_replace(strip_accents(first_name || '.' || last_name),
            '[^A-Za-z.]', '', 'g')) || '.' || n || '@' || {_pick("h2", 1 << 5, DOMAINS)} END AS email,
        '+49 30 ' || lpad(CAST({_slice("h2", 1 << 8, 10_000_000)} AS VARCHAR), 7, '0') AS phone,
        {_sometimes("h2", 1 << 20, 60, f"'0151-' || {digits}")}
            AS mobile,
        {_sometimes("h2", 1 << 22, 20, f"'(0)30/' || {_slice('h2', 1 << 26, 1_000_000)}")} AS home_phone,
        {_slice("h2", 1 << 30, 240)} + 1 || ' ' || {_pick("h2", 1 << 36, STREETS)}
            || CASE WHEN {_slice("h2", 1 << 40, 20)} = 0 THEN chr(10) || '2nd floor' ELSE '' END AS street,
        split_part(place, '|', 1) AS city, split_part(place, '|', 2) AS state,
        lpad(CAST({_slice("h2", 1 << 44, 100_000)} AS VARCHAR), 5, '0') AS postal_code,
        split_part(place, '|', 3) AS country,
        {_sometimes("h3", 1 << 4, 65, f"DATE '1940-01-01' + CAST({_slice('h3', 1 << 12, 24_000)} AS INTEGER)")}
            AS birthdate,
        {_sometimes("h3", 1 << 8, 30, _pick("h3", 1 << 14, DESCRIPTIONS))} AS description,
        {_slice("h3", 1 << 16, 1001)} / 10.0 AS score,
        CASE WHEN {_slice("h3", 1 << 20, 100)} < 80
            THEN created_at + to_seconds({_slice("h3", 1 << 24, 86400 * 300)}) END AS opened_at,
        created_at, created_at + to_seconds({_slice("h3", 1 << 28, 86400 * 500)}) AS modified_at,
        {_slice("h3", 1 << 32, 20)} = 0 AS opted_out, {_slice("h3", 1 << 36, 25)} = 0 AS do_not_call,
        {_sometimes("h3", 1 << 38, 75, _pick("h3", 1 << 40, LEAD_SOURCES))} AS lead_source,
        {_sometimes("h3", 1 << 42, 50, _topics())} AS topics,
        'M' || lpad(CAST(n AS VARCHAR), 9, '0') AS member_number,
        CAST({_slice("h1", 1 << 54, 1000)} * 25000 AS DOUBLE) AS revenue,
        CAST({_slice("h1", 1 << 50, 5000)} + 1 AS INTEGER) AS employees, h1, h2, h3
    FROM named ORDER BY n"""


def choice(column: str, shift: int, values: Sequence[str]) -> str:
    """An SQL expression that picks one of `values` by the bits of `column` (h1, h2 or h3) from bit `shift` on."""
    return _pick(column, 1 << shift, values)


def _slice(column: str, divisor: int, size: int) -> str:
    """A number from 0 to `size` - 1 out of `column` without its lowest bits (`divisor` is a power of two)."""
    return f"CAST(({column} // {divisor}) % {size} AS BIGINT)"


def _pick(column: str, divisor: int, values: Sequence[str]) -> str:
    return f"[{', '.join(literal(value) for value in values)}][1 + {_slice(column, divisor, len(values))}]"


def _sometimes(column: str, divisor: int, percent: int, expression: str) -> str:
    return f"CASE WHEN {_slice(column, divisor, 100)} < {percent} THEN {expression} END"


def _topics() -> str:
    """One to five topics in their order; the first is always among them."""
    parts = [literal(TOPICS[0])] + [
        f"CASE WHEN {_slice('h3', 1 << (44 + place), 2)} = 1 THEN {literal(topic)} END"
        for place, topic in enumerate(TOPICS[1:])
    ]
    return f"concat_ws(';', {', '.join(parts)})"
