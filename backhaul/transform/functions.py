"""Functions of DuckDB that other engines lack, as statements that make them there, in the schema of the ledger.

Models compare names by ``jaro_winkler_similarity`` and ``damerau_levenshtein`` and fold them by ``strip_accents``.
No other engine has all three with DuckDB's results (Snowflake's JAROWINKLER_SIMILARITY gives whole per cents, the
others only Levenshtein's distance), so they are written out here.
As in DuckDB the two comparisons go by the bytes of UTF-8; a similarity may differ in its last digit, as DuckDB's own
does between processors that multiply and add in one step and those that do not. ``signs_replaced`` is
``regexp_replace(text, '[^\\p{L}\\p{N}]+', by, 'g')`` for engines whose regular expressions know no classes of Unicode.

PostgreSQL gets PL/pgSQL, Snowflake and BigQuery JavaScript, Databricks Python; on ClickHouse the two
comparisons are expressions (its own give other results), and the rest is its own. Redshift takes functions in other
languages only as Lambda functions of the account (Python UDFs ended in 2026), which no SQL statement can bring along.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache

from backhaul.ledger.tables import SCHEMA

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "jaro_winkler_similarity": ("one", "other"),
    "damerau_levenshtein": ("one", "other"),
    "strip_accents": ("words",),
    "signs_replaced": ("words", "by"),
}
"""The functions, and what each is given: texts, always. Null for null."""

_GIVES = {"jaro_winkler_similarity": "double", "damerau_levenshtein": "integer"}


def statement(name: str, dialect: str) -> str | None:
    """The statement that makes (or replaces) the function on an engine; None where no statement can.

    It counts on the schema :data:`backhaul.ledger.tables.SCHEMA`. Raises KeyError for a name not in
    :data:`ARGUMENTS`.
    """
    arguments = ARGUMENTS[name]
    kind = _GIVES.get(name, "text")
    make = _MAKERS.get(dialect)
    return None if make is None else make(name, arguments, kind)


def _postgres(name: str, arguments: tuple[str, ...], kind: str) -> str:
    given = ", ".join(f"{argument} text" for argument in arguments)
    gives = {"double": "double precision"}.get(kind, kind)
    body, language = {
        "jaro_winkler_similarity": (_JARO_WINKLER_PLPGSQL, "plpgsql"),
        "damerau_levenshtein": (_DAMERAU_PLPGSQL, "plpgsql"),
        "strip_accents": (
            f"select normalize(regexp_replace(normalize(words, NFD), '[{_class('M')}]+', '', 'g'), NFC)",
            "sql",
        ),
        "signs_replaced": (f"select regexp_replace(words, '[^{_class('LN')}]+', by, 'g')", "sql"),
    }[name]
    return (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.{name}({given}) RETURNS {gives}\n"
        f"LANGUAGE {language} IMMUTABLE STRICT PARALLEL SAFE AS $function$\n{body}\n$function$"
    )


def _snowflake(name: str, arguments: tuple[str, ...], kind: str) -> str:
    given = ", ".join(f"{argument} VARCHAR" for argument in arguments)
    gives = {"double": "DOUBLE", "integer": "DOUBLE"}.get(kind, "VARCHAR")  # JavaScript has no whole numbers there
    named = "".join(f"const {argument} = {argument.upper()};\n" for argument in arguments)
    return (
        f'CREATE OR REPLACE FUNCTION "{SCHEMA.upper()}"."{name.upper()}"({given}) RETURNS {gives}\n'
        f"LANGUAGE JAVASCRIPT STRICT IMMUTABLE AS $$\n{named}{_JAVASCRIPT[name]}\n$$"
    )


def _bigquery(name: str, arguments: tuple[str, ...], kind: str) -> str:
    given = ", ".join(f"{argument} STRING" for argument in arguments)
    gives = {"double": "FLOAT64", "integer": "FLOAT64"}.get(kind, "STRING")  # JavaScript UDFs cannot give INT64
    nothing = " || ".join(f"{argument} === null" for argument in arguments)
    return (
        f"CREATE OR REPLACE FUNCTION `{SCHEMA}`.`{name}`({given}) RETURNS {gives} DETERMINISTIC\n"
        f'LANGUAGE js AS r"""\nif ({nothing}) return null;\n{_JAVASCRIPT[name]}\n"""'
    )


def _databricks(name: str, arguments: tuple[str, ...], kind: str) -> str:
    given = ", ".join(f"{argument} STRING" for argument in arguments)
    gives = {"double": "DOUBLE", "integer": "INT"}.get(kind, "STRING")
    nothing = " or ".join(f"{argument} is None" for argument in arguments)
    return (
        f"CREATE OR REPLACE FUNCTION `{SCHEMA}`.`{name}`({given}) RETURNS {gives} DETERMINISTIC\n"
        f"LANGUAGE PYTHON AS $$\nif {nothing}:\n    return None\n{PYTHON[name]}\n$$"
    )


def _clickhouse(name: str, arguments: tuple[str, ...], kind: str) -> str | None:
    # Functions of SQL have no schema there, and know no null; the others are its own.
    body = _CLICKHOUSE.get(name)
    return body and f"CREATE OR REPLACE FUNCTION {SCHEMA}_{name} AS ({', '.join(arguments)}) ->\n{body}"


_MAKERS: Mapping[str, Callable[[str, tuple[str, ...], str], str | None]] = {
    "postgres": _postgres,
    "snowflake": _snowflake,
    "bigquery": _bigquery,
    "databricks": _databricks,
    "clickhouse": _clickhouse,
}


@cache
def _class(kinds: str) -> str:
    """The inside of a PostgreSQL bracket expression for the characters of these general categories."""
    # Past the ideographs of plane 3 there are only tags and variation selectors, which are marks.
    points = [*range(1, 0xD800), *range(0xE000, 0x33480), *range(0xE0000, min(0xE01F0, sys.maxunicode))]
    ranges: list[list[int]] = []
    for point in points:
        if unicodedata.category(chr(point))[0] in kinds:
            if ranges and ranges[-1][1] == point - 1:
                ranges[-1][1] = point
            else:
                ranges.append([point, point])
    return "".join(_escaped(first) + (f"-{_escaped(last)}" if last > first else "") for first, last in ranges)


def _escaped(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


_JARO_WINKLER_PLPGSQL = """\
declare
    a bytea := convert_to(one, 'UTF8');
    b bytea := convert_to(other, 'UTF8');
    m int := length(a);
    n int := length(b);
    reach int;
    i int;
    j int;
    k int := 0;
    common int := 0;
    halves int := 0;
    prefix int := 0;
    taken_a boolean[];
    taken_b boolean[];
    similarity double precision;
begin
    if m = 0 or n = 0 then return 0; end if;
    if one = other then return 1; end if;
    reach := greatest(greatest(m, n) / 2 - 1, 0);
    taken_a := array_fill(false, array[m]);
    taken_b := array_fill(false, array[n]);
    for i in 1..m loop
        for j in greatest(1, i - reach)..least(n, i + reach) loop
            if not taken_b[j] and get_byte(a, i - 1) = get_byte(b, j - 1) then
                taken_a[i] := true;
                taken_b[j] := true;
                common := common + 1;
                exit;
            end if;
        end loop;
    end loop;
    if common = 0 then return 0; end if;
    for i in 1..m loop
        if taken_a[i] then
            loop
                k := k + 1;
                exit when taken_b[k];
            end loop;
            if get_byte(a, i - 1) <> get_byte(b, k - 1) then halves := halves + 1; end if;
        end if;
    end loop;
    similarity := (common::double precision / m + common::double precision / n
        + (common - halves / 2)::double precision / common) / 3;
    if similarity > 0.7 then
        while prefix < 4 and prefix < m and prefix < n and get_byte(a, prefix) = get_byte(b, prefix) loop
            prefix := prefix + 1;
        end loop;
        similarity := similarity + prefix * 0.1::double precision * (1 - similarity);
    end if;
    return similarity;
end"""

_DAMERAU_PLPGSQL = """\
declare
    a bytea := convert_to(one, 'UTF8');
    b bytea := convert_to(other, 'UTF8');
    m int := length(a);
    n int := length(b);
    width int := length(b) + 2;
    far int := length(a) + length(b);
    d int[];
    last_row int[] := array_fill(0, array[256]);
    last_column int;
    i int;
    j int;
    k int;
    l int;
    cost int;
begin
    if one = other then return 0; end if;
    d := array_fill(far, array[(m + 2) * width]);
    for i in 0..m loop d[(i + 1) * width + 2] := i; end loop;
    for j in 0..n loop d[width + j + 2] := j; end loop;
    for i in 1..m loop
        last_column := 0;
        for j in 1..n loop
            k := last_row[get_byte(b, j - 1) + 1];
            l := last_column;
            cost := 1;
            if get_byte(a, i - 1) = get_byte(b, j - 1) then
                cost := 0;
                last_column := j;
            end if;
            d[(i + 1) * width + j + 2] := least(
                d[i * width + j + 1] + cost,
                d[(i + 1) * width + j + 1] + 1,
                d[i * width + j + 2] + 1,
                d[k * width + l + 1] + (i - k - 1) + 1 + (j - l - 1)
            );
        end loop;
        last_row[get_byte(a, i - 1) + 1] := i;
    end loop;
    return d[(m + 1) * width + n + 2];
end"""

_ROW, _COLUMN = (
    "arrayLastIndex(x -> substring(one, x, 1) = substring(other, j, 1), range(1, i))",
    "arrayLastIndex(x -> substring(other, x, 1) = substring(one, i, 1), range(1, j))",
)
_DAMERAU_CLICKHOUSE = f"""\
arrayFold(
    (grid, i) -> arrayPushBack(grid, arrayFold(
        (line, j) -> arrayPushBack(line, toInt32(least(
            grid[i][j] + if(substring(one, i, 1) = substring(other, j, 1), 0, 1),
            line[j] + 1,
            grid[i][j + 1] + 1,
            if({_ROW} > 0 AND {_COLUMN} > 0,
                toInt64(grid[{_ROW}][{_COLUMN}] + (i - {_ROW} - 1) + 1 + (j - {_COLUMN} - 1)),
                toInt64(length(one) + length(other)))
        ))),
        range(1, length(other) + 1),
        [toInt32(i)]
    )),
    range(1, length(one) + 1),
    [arrayMap(x -> toInt32(x), range(0, length(other) + 1))]
)[length(one) + 1][length(other) + 1]"""

# The places in `other` at which the bytes of `one` were found, 0 for none; a list of one is what a name is given to.
_JARO_CLICKHOUSE = """\
multiIf(length(one) = 0 OR length(other) = 0, 0., one = other, 1., arrayMap(found -> arrayMap(
    alike -> if(alike > 0.7, alike + 0.1 * (1 - alike) * if(
        arrayFirstIndex(k -> substring(one, k, 1) != substring(other, k, 1), range(1, 5)) = 0, 4,
        arrayFirstIndex(k -> substring(one, k, 1) != substring(other, k, 1), range(1, 5)) - 1
    ), alike),
    [if(
        arrayCount(x -> x > 0, found) = 0,
        0.,
        (arrayCount(x -> x > 0, found) / length(one) + arrayCount(x -> x > 0, found) / length(other)
            + (arrayCount(x -> x > 0, found) - intDiv(arrayCount(
                (i, j) -> substring(one, i, 1) != substring(other, j, 1),
                arrayFilter(i -> found[i] > 0, range(1, length(one) + 1)),
                arraySort(arrayFilter(x -> x > 0, found))
            ), 2)) / arrayCount(x -> x > 0, found)) / 3
    )]
)[1], [arrayFold(
    (found, i) -> arrayPushBack(found, toUInt64(arrayFirst(
        j -> NOT has(found, toUInt64(j)) AND substring(other, j, 1) = substring(one, i, 1),
        range(
            toUInt64(greatest(1, toInt64(i) - greatest(intDiv(greatest(length(one), length(other)), 2) - 1, 0))),
            toUInt64(least(length(other), i + greatest(intDiv(greatest(length(one), length(other)), 2) - 1, 0)) + 1)
        )
    ))),
    range(1, length(one) + 1),
    emptyArrayUInt64()
)])[1])"""
_CLICKHOUSE = {"damerau_levenshtein": _DAMERAU_CLICKHOUSE, "jaro_winkler_similarity": _JARO_CLICKHOUSE}

PYTHON: Mapping[str, str] = {
    "jaro_winkler_similarity": """\
a, b = one.encode(), other.encode()
m, n = len(a), len(b)
if not m or not n:
    return 0.0
if a == b:
    return 1.0
reach = max(max(m, n) // 2 - 1, 0)
taken_a, taken_b = [False] * m, [False] * n
for i in range(m):
    for j in range(max(0, i - reach), min(n, i + reach + 1)):
        if not taken_b[j] and a[i] == b[j]:
            taken_a[i] = taken_b[j] = True
            break
common = sum(taken_a)
if not common:
    return 0.0
pairs = zip([a[i] for i in range(m) if taken_a[i]], [b[j] for j in range(n) if taken_b[j]])
halves = sum(x != y for x, y in pairs)
similarity = (common / m + common / n + (common - halves // 2) / common) / 3
if similarity > 0.7:
    prefix = 0
    while prefix < min(4, m, n) and a[prefix] == b[prefix]:
        prefix += 1
    similarity += prefix * 0.1 * (1 - similarity)
return similarity""",
    "damerau_levenshtein": """\
a, b = one.encode(), other.encode()
m, n = len(a), len(b)
far = m + n
d = [[far] * (n + 2) for _ in range(m + 2)]
for i in range(m + 1):
    d[i + 1][1] = i
for j in range(n + 1):
    d[1][j + 1] = j
last_row = [0] * 256
for i in range(1, m + 1):
    last_column = 0
    for j in range(1, n + 1):
        k, l = last_row[b[j - 1]], last_column
        cost = 1
        if a[i - 1] == b[j - 1]:
            cost, last_column = 0, j
        d[i + 1][j + 1] = min(
            d[i][j] + cost, d[i + 1][j] + 1, d[i][j + 1] + 1, d[k][l] + (i - k - 1) + 1 + (j - l - 1)
        )
    last_row[a[i - 1]] = i
return d[m + 1][n + 1]""",
    "strip_accents": """\
import unicodedata
plain = "".join(c for c in unicodedata.normalize("NFD", words) if unicodedata.category(c)[0] != "M")
return unicodedata.normalize("NFC", plain)""",
    "signs_replaced": """\
import itertools, unicodedata
runs = itertools.groupby(words, lambda c: unicodedata.category(c)[0] in "LN")
return "".join("".join(run) if kept else by for kept, run in runs)""",
}
"""The bodies of the Python functions, over arguments called as in :data:`ARGUMENTS`."""

_BYTES_JAVASCRIPT = """\
const bytes = (text) => Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0));
const a = bytes(one), b = bytes(other), m = a.length, n = b.length;
"""

_JAVASCRIPT: Mapping[str, str] = {
    "jaro_winkler_similarity": _BYTES_JAVASCRIPT
    + """\
if (m === 0 || n === 0) return 0;
if (one === other) return 1;
const reach = Math.max(Math.floor(Math.max(m, n) / 2) - 1, 0);
const takenA = new Array(m).fill(false), takenB = new Array(n).fill(false);
let common = 0;
for (let i = 0; i < m; i++) {
    for (let j = Math.max(0, i - reach); j < Math.min(n, i + reach + 1); j++) {
        if (!takenB[j] && a[i] === b[j]) { takenA[i] = takenB[j] = true; common++; break; }
    }
}
if (common === 0) return 0;
let halves = 0;
for (let i = 0, k = -1; i < m; i++) {
    if (!takenA[i]) continue;
    do { k++; } while (!takenB[k]);
    if (a[i] !== b[k]) halves++;
}
let similarity = (common / m + common / n + (common - Math.floor(halves / 2)) / common) / 3;
if (similarity > 0.7) {
    let prefix = 0;
    while (prefix < Math.min(4, m, n) && a[prefix] === b[prefix]) prefix++;
    similarity += prefix * 0.1 * (1 - similarity);
}
return similarity;""",
    "damerau_levenshtein": _BYTES_JAVASCRIPT
    + """\
const far = m + n, d = Array.from({length: m + 2}, () => new Array(n + 2).fill(far));
for (let i = 0; i <= m; i++) d[i + 1][1] = i;
for (let j = 0; j <= n; j++) d[1][j + 1] = j;
const lastRow = new Array(256).fill(0);
for (let i = 1; i <= m; i++) {
    let lastColumn = 0;
    for (let j = 1; j <= n; j++) {
        const k = lastRow[b[j - 1]], l = lastColumn;
        let cost = 1;
        if (a[i - 1] === b[j - 1]) { cost = 0; lastColumn = j; }
        d[i + 1][j + 1] = Math.min(d[i][j] + cost, d[i + 1][j] + 1, d[i][j + 1] + 1,
            d[k][l] + (i - k - 1) + 1 + (j - l - 1));
    }
    lastRow[a[i - 1]] = i;
}
return d[m + 1][n + 1];""",
    "strip_accents": 'return words.normalize("NFD").replace(/\\p{M}+/gu, "").normalize("NFC");',
    "signs_replaced": "return words.replace(/[^\\p{L}\\p{N}]+/gu, () => by);",
}
