"""What DuckDB's constructs become on another engine: the same rows on PostgreSQL, or a refusal with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import WarehouseConfig
from backhaul.transform.dialects import TARGETS, NotCarriedOver, carry
from backhaul.transform.functions import statement
from backhaul.warehouse import Warehouse, open_warehouse
from tests.transform.workshop import SETTINGS, make
from tests.warehouse.subjects import CLICKHOUSE, table

COLUMNS = {"id": "BIGINT", "kind": "VARCHAR", "words": "VARCHAR", "moment": "TIMESTAMP WITH TIME ZONE", "n": "INTEGER"}
ROWS = """
    (1, 'a', 'Straße 12, été', timestamptz '2024-02-29 23:30:00.25+00', 7),
    (2, 'B', null, timestamptz '2024-03-01 00:10:00+00', -7),
    (3, 'b', '  \u00a0trimmed\u3000', timestamptz '2023-12-31 10:00:00+00', null),
    (4, 'A', 'one two  one', null, 2),
    (5, null, '½ Ж_%', timestamptz '1999-01-01 00:00:00+00', 0),
    (6, 'ä', 'ab abc\ttab\\slash $1', timestamptz '2024-02-29 00:00:00+00', 1),
    (7, 'a', '', timestamptz '2024-02-29 12:00:00+00', 9)
"""


@pytest.fixture(scope="module", params=["postgres", CLICKHOUSE])
def engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Warehouse]]:
    folder = tmp_path_factory.mktemp("dialects")
    with ExitStack() as stack:
        given: Any = {"destination": request.param}
        if request.param == "postgres":
            server = request.getfixturevalue("postgres_server")
            given["credentials"] = stack.enter_context(server.database("dialects"))
        else:
            given["credentials"] = request.getfixturevalue("clickhouse_server").emptied()
        here = stack.enter_context(open_warehouse(WarehouseConfig(path=":memory:"), folder))
        there = stack.enter_context(open_warehouse(WarehouseConfig.model_validate(given), folder))
        names = ", ".join(COLUMNS)
        sql = f"select * from (values {ROWS}) as v ({names})"
        for made in (here, there):
            made.create_schema("s")
            table(made, "s", "t", sql)
        there.create_schema("backhaul")
        for name in ("jaro_winkler_similarity", "damerau_levenshtein", "strip_accents", "signs_replaced"):
            making = statement(name, there.dialect)
            if making is not None:
                with there.native():
                    there.execute(making)
        yield here, there


SAME = (
    "select *, row_number() over (partition by kind order by id) as place from s.t qualify place = 1",
    "select * from s.t qualify row_number() over (partition by kind order by moment desc, id) = 1",
    "select kind, count(*) as c, sum(n) as total from s.t group by all order by all",
    "select * exclude (moment, words) replace (n + 1 as n) from s.t",
    "select n * 2 as twice, twice + 1 as more from s.t where n is not null",
    "select id, date_diff('day', timestamptz '2024-02-28 23:59:59+00', moment) as days from s.t",
    "select id, row_number() over (order by kind, id) as place from s.t",
    "select min(kind) as low, max(kind) as high, bool_or(kind < 'b') as below from s.t",
    "select id, greatest(kind, 'B') as top, least(kind, words, 'a') as low, greatest(n, 1) as most from s.t",
    "select id, trim(words) as trimmed, ltrim(words) as l, rtrim(words, ' o') as r from s.t",
    "select id, regexp_replace(words, '\\s+', '_', 'g') as a, regexp_replace(words, '\\w', '?') as first from s.t",
    "select id, regexp_extract(words, '[0-9]+') as number, regexp_matches(words, '(ab|abc)\\s') as m from s.t",
    "select id, regexp_replace(words, '[^\\p{L}\\p{N}]+', ' ', 'g') as plain, strip_accents(words) as s from s.t",
    "select id, concat_ws('-', kind, words, cast(n as varchar)) as joined, kind || words as glued from s.t",
    "select id, starts_with(words, 'one') as starts, split_part(words, ' ', 2) as part from s.t",
    "select id, strftime(moment, '%Y-%m-%d %H:%M:%S') as shown, epoch(moment) as seconds from s.t",
    "select id, extract(year from moment) as y, extract(month from moment) as m from s.t",
    "select id, cast(moment as varchar) as shown from s.t",
    "select id, n / 2 as half, round(n * 1.5, 1) as more, n % 2 as rest from s.t",
    "select id, (n > 1) is true as yes, (n > 1) is not true as no, kind is distinct from 'a' as other from s.t",
    "select len(list_distinct(string_split(words, ' '))) as words from s.t",
    "select len(list_intersect(string_split(words, ' '), string_split('one x two', ' '))) as shared from s.t",
    "select id, len(list_intersect(string_split('a b', ' '), string_split(words, ' '))) as shared from s.t",
    "select min(case when kind < 'b' then words end) as low, max(least(kind, 'b')) as high from s.t",
    "select upper(kind) as u, id from s.t order by u, id limit 3",
    "select kind as u, id from s.t order by 1, 2 desc limit 3",
    "select u from (select distinct kind as u from s.t) as x order by u limit 2",
    "select u from (select kind as u from s.t union select words as u from s.t) as x order by u limit 4",
    "select id, max(kind) filter (where n > 0) over (partition by n % 2) as m from s.t",
    "select id, unnest([kind, words]) as one from s.t",
    "select string_agg(kind, ',' order by kind desc, id) as kinds from s.t",
    "select jaro_winkler_similarity(words, 'one two') > 0.8 as j, damerau_levenshtein(words, 'one tow') as d from s.t",
    "select id from s.t where kind in (select kind from s.t where n > 1) and words not like '%x%'",
    "with recursive up as (select 1 as i union select i + 1 from up where i < 4) select i from up",
    "from s.t select id, md5(coalesce(words, '')) as mark",
)


def gathered(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        if isinstance(value, bool) or value is None:
            return str(value)
        return round(Decimal(str(value)), 9).normalize() if isinstance(value, int | float | Decimal) else value

    found = [tuple((name.lower(), plain(value)) for name, value in row.items()) for row in rows]
    return sorted(found, key=str)


@pytest.mark.parametrize("sql", SAME)
def test_the_rows_are_the_same(engines: tuple[Warehouse, Warehouse], sql: str) -> None:
    here, there = engines
    if there.dialect == "clickhouse" and any(part in sql for part in NOT_ON_CLICKHOUSE):
        with pytest.raises(NotCarriedOver):
            carry(sql, "clickhouse", there.columns)
        return
    carried = carry(sql, there.dialect, there.columns)
    with there.native():
        assert gathered(there.rows(carried.sql)) == gathered(here.rows(sql))
    assert len(here.rows(sql)) > 0


NOT_ON_CLICKHOUSE = ("cast(moment as varchar)", "round(n * 1.5", "unnest(", "string_agg(", "with recursive")
"""Parts of statements that are refused there, as they would give something else or do not exist."""

CLICKHOUSE_ALONE = (
    "select id, kind in ('a', 'b') as one, kind not in ('a') as other, kind like 'a%' as third from s.t",
    "select t.id, u.kind from s.t as t left join (select * from s.t where n > 1) as u on t.id = u.id",
    "select id from s.t where not exists (select 1 from s.t as u where u.kind = s.t.kind and u.n > 5)",
    "select max(n) as m, sum(n) as s, avg(n) as a, count(*) as c from s.t where id > 100",
    "select id, lag(id) over (order by id) as before, first_value(kind) over (order by id) as first from s.t",
    "select id, kind in (select kind from s.t where n > 1) as held from s.t",
    "select id from s.t where kind not in (select kind from s.t where n > 1)",
    "select id from s.t where kind not in (select kind from s.t where n > 1 and kind is not null)",
    "select id from s.t where kind not in (select kind from s.t where n > 100) and n in (select n from s.t)",
    "select id, coalesce(words, 'none') as words, case when n > 1 then 'x' end as x, n is null as nothing from s.t",
    "select id, cast(floor(n / 2) as integer) as half, cast('12' as integer) as twelve, n // 2 as whole from s.t",
    "select id, round(cast(n as decimal(9, 2)), 0) as r from s.t",
    "select id, regexp_matches(words, '^one.two') as m, regexp_replace(words, 'o(n)?e', '') as r from s.t",
    "select id, left(words, 3) as l, right(words, 2) as r, substring(words, 2, 3) as s, length(words) as n from s.t",
    "select id, lower(words) as l, upper(kind) as u, replace(words, 'one', 'ä') as r from s.t",
    "select id, translate(words, 'oß', 'ö') as t, jaro_winkler_similarity(words, kind) > 0.5 as j from s.t",
    "select id, date '1960-02-03' as born, cast('1899-12-31' as date) < date '1960-02-03' as older from s.t",
    "select id, moment < timestamptz '2024-02-29 12:00:00+00' as early from s.t",
    "select cast(null as varchar) as nothing, 'it''s; 100%(x) \\ done' as text, n from s.t where id = 1",
)


@pytest.mark.parametrize("sql", CLICKHOUSE_ALONE)
def test_what_clickhouse_alone_does_otherwise_is_the_same_too(engines: tuple[Warehouse, Warehouse], sql: str) -> None:
    here, there = engines
    carried = carry(sql, there.dialect, there.columns)
    with there.native():
        assert gathered(there.rows(carried.sql)) == gathered(here.rows(sql))


REFUSED_ON_CLICKHOUSE = {
    "select cast(n * 1.5 as integer) as i from s.t": "rounds on DuckDB",
    "select kind in ('a', null) as k from s.t": "a list with null",
    "select substring(words, n) as s from s.t": "left() or right()",
    "select cast(n / 2 as varchar) as s from s.t": "looks different as a text",
    "select chr(n) as s from s.t": "chr()",
    "select * from (values (1), (2)) as v (a)": "VALUES",
    "select try_cast(words as integer) as w from s.t": "try_cast",
    "with recursive up as (select 1 as i union select i + 1 from up where i < 4) select i from up": "UNION ALL only",
}


@pytest.mark.parametrize("sql", REFUSED_ON_CLICKHOUSE)
def test_what_clickhouse_would_answer_otherwise_is_refused(sql: str) -> None:
    with pytest.raises(NotCarriedOver, match=re.escape(REFUSED_ON_CLICKHOUSE[sql])):
        carry(sql, "clickhouse", lambda schema, name: COLUMNS if name == "t" else {})


def test_a_recursive_union_without_doubles_is_refused_where_there_is_none() -> None:
    sql = "with recursive up as (select 1 as i union select i + 1 from up where i < 4) select i from up"
    for dialect in ("snowflake", "bigquery", "databricks", "redshift"):
        with pytest.raises(NotCarriedOver, match="takes UNION ALL only"):
            carry(sql, dialect, lambda schema, name: {})
        carry(sql.replace("union", "union all"), dialect, lambda schema, name: {})


REFUSED: Mapping[str, tuple[str, int]] = {
    "select id,\n arg_max(kind, id) as k from s.t group by id": ("arg_max()", 2),
    "select hash(kind) as h from s.t": ("hash()", 1),
    "select approx_count_distinct(kind) as c from s.t": ("approx", 1),
    "select 1 as a,\n\n try_cast(words as integer) as w from s.t": ("try_cast", 3),
    "select {'a': 1} as s from s.t": ("a struct", 1),
    "select list_transform([1], lambda x: x + 1) as l from s.t": ("lambda", 1),
    "select date_diff('hour', moment, moment) as h from s.t": ("date_diff('hour'", 1),
    "select regexp_replace(words, '(a|ab)c*', '') as w\nfrom s.t": ("an earlier one can begin", 1),
    "select regexp_replace(words, 'a+?', '') as w from s.t": ("shortest match", 1),
    "select regexp_extract(words, '(a)b', 1) as w from s.t": ("groups", 1),
    "select * from s.unknown": ("unknown columns", 1),
    "select strftime(moment, '%A') as d from s.t": ("'%A'", 1),
    "select string_agg(kind, ',') as k from s.t": ("without an order", 1),
    "select concat(kind, words) as c from s.t": ("concat()", 1),
    "select made_up(kind) as c from s.t": ("made_up()", 1),
    "select distinct kind\nfrom s.t order by kind limit 2": ("UNION or DISTINCT", 2),
    "select kind from s.t union select words from s.t order by kind limit 2": ("UNION or DISTINCT", 1),
    "select * from s.t using sample 10": ("sample", 1),
    f"select id,\n kind as {'x' * 64} from s.t": ("63 bytes", 2),
    f"select id from s.t\nwhere kind = (select {'ä' * 32} from (select 'a' as {'ä' * 32}) as u)": ("63 bytes", 2),
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_mean_something_else_is_refused(sql: str) -> None:
    said, line = REFUSED[sql]
    with pytest.raises(NotCarriedOver) as caught:
        carry(sql, "postgres", lambda schema, name: COLUMNS if name == "t" else {})
    (found,) = [one for one in caught.value.obstacles if said in one.message]
    assert found.line in (line, 0) and (found.line or "unknown columns" in said or "sample" in said)


def test_every_refusal_is_told_at_once_in_the_order_of_the_text() -> None:
    with pytest.raises(NotCarriedOver) as caught:
        carry("select hash(kind),\n arg_min(id, n),\n hash(id) from s.t", "postgres", lambda schema, name: COLUMNS)
    assert [one.line for one in caught.value.obstacles] == [1, 2, 3]


@pytest.mark.parametrize("dialect", sorted(set(TARGETS.values()) - {"duckdb"}))
def test_no_engine_is_given_a_function_that_nobody_has_looked_at(dialect: str) -> None:
    for sql in ("select made_up(kind) as x from s.t", "select quantile_cont(n, 0.5) as x from s.t"):
        with pytest.raises(NotCarriedOver):
            carry(sql, dialect, lambda schema, name: COLUMNS)


def test_a_models_run_refuses_with_the_models_own_line(tmp_path: Path, postgres: str) -> None:
    """The place is the macro's or the model's, not that of the SQL that was made of it."""
    from backhaul.transform import load_models, run_models

    project = make(
        tmp_path,
        {
            "profiles/demo.yml": SETTINGS["profiles/demo.yml"].replace(
                "{path: w.duckdb}", f'{{destination: postgres, credentials: "{postgres}"}}'
            ),
            "macros/m.sql": "{% macro mark(x) %}\n\nhash({{ x }})\n{% endmacro %}",
            "one/a.sql": "{{ config(materialized='table') }}\nselect 1 as id,\n{{ mark('1') }} as h",
            "one/b.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('a') }}",
        },
    )
    graph = load_models(project)
    with open_warehouse(project.profile.warehouse, tmp_path) as warehouse:
        results = run_models(project, warehouse, graph, graph.select([]))
    assert [result.state for result in results] == ["failed", "skipped"]
    assert results[0].message.startswith(
        "transforms/macros/m.sql:3: hash() is not known to give the same on PostgreSQL"
    )
    assert "md5()" in results[0].message
