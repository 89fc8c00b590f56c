"""Where PostgreSQL's refusal of a model is told: the line a person wrote, though the SQL it was given is another."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot.dialects.dialect import Dialect

from backhaul.transform import load_models, run_models, run_tests
from backhaul.transform.dialects import NotCarriedOver, carry
from backhaul.transform.origins import line_and_column
from tests.transform.test_dialects import COLUMNS, SAME
from tests.transform.workshop import SETTINGS, make, opened

GOLDEN = Path(__file__).parent / "golden" / "places.txt"

_TABLE = "{{ config(materialized='table') }}\n"
MODELS = {
    "one/a.sql": _TABLE + "select 1 as id, 'x' as t, 0 as n",
    # placed by the database
    "one/ambiguous.sql": _TABLE + "select\n a.id,\n t\nfrom {{ ref('a') }} as a\ncross join {{ ref('a') }} as b",
    "one/column.sql": _TABLE + "{% if true %}\nselect\n id,\n nothing\n{% endif %}\nfrom {{ ref('a') }}",
    "one/constant.sql": _TABLE + "select id,\n cast('abc' as integer) as i\nfrom {{ ref('a') }}",
    "one/grouped.sql": _TABLE + "select\n id,\n t,\n count(*) as c\nfrom {{ ref('a') }} as a\ngroup by id",
    "one/inlined.sql": "{{ config(materialized='ephemeral') }}\nselect\n id,\n nothing\n from {{ ref('a') }}",
    "one/of_inlined.sql": _TABLE + "select * from {{ ref('inlined') }}",
    "one/operator.sql": _TABLE + "select\n id,\n t +\n id as x\nfrom {{ ref('a') }}",
    "one/qualify.sql": _TABLE
    + "select * from {{ ref('a') }}\nqualify row_number() over (partition by\n nothing order by id) = 1",
    "one/relation.sql": _TABLE + "select id from {{ ref('a') }}\nunion all\nselect id\n from gone.away",
    "one/union.sql": _TABLE + "select id from {{ ref('a') }}\nunion all\nselect\n t from {{ ref('a') }}",
    # found before the database is asked
    "one/of_another.sql": _TABLE
    + "select\n a.id as nothing,\n b.nothing\nfrom {{ ref('a') }} as a cross join {{ ref('a') }} as b",
    # told without a place
    "macros/m.sql": "{% macro ratio(x, y) %}\n({{ x }}\n / {{ y }})\n{% endmacro %}",
    "one/divided.sql": _TABLE + "select\n id / 2 as half,\n {{ ratio('id', 'n') }} as q\nfrom {{ ref('a') }}",
    "one/increment.sql": "{{ config(materialized='incremental', unique_key='id') }}\nselect id,\n id / n as x"
    "\nfrom {{ ref('a') }}",
    "one/one_row.sql": _TABLE + "select id,\n (select id from (select 1 as id union all select 2 as id) as u) as x"
    "\nfrom {{ ref('a') }}",
    "one/several.sql": _TABLE + "select\n id / n as q,\n\n id % n as r\nfrom {{ ref('a') }}",
    "one/text.sql": _TABLE + "select\n cast(id as varchar) as w,\n cast(t as\n integer) as i\nfrom {{ ref('a') }}",
    "one/too_large.sql": _TABLE + "select id,\n cast(id * 3000000000 as integer) as x from {{ ref('a') }}",
    "one/wrong_date.sql": _TABLE + "select cast(t as integer) as i,\n cast(t || 'y' as date) as d from {{ ref('a') }}",
    "one/seen.sql": "{{ config(materialized='view') }}\nselect id,\n\n id / n as q from {{ ref('a') }}",
    "one/of_seen.sql": _TABLE + "select q from {{ ref('seen') }}",
    "one/properties.yml": "models:\n  - name: seen\n    columns:\n      - name: q\n        tests: [not_null]\n",
    "tests/unknown.sql": "select id from {{ ref('a') }}\nwhere\n nothing = 1",
    "tests/zero.sql": "select id from {{ ref('a') }}\nwhere\n id / n = 1",
}


def test_every_refusal_names_the_line_that_a_person_wrote(tmp_path: Path, postgres: str) -> None:
    """To write the file anew, remove it and run this."""
    profile = f'{{destination: postgres, credentials: "{postgres}"}}'
    settings = SETTINGS["profiles/demo.yml"].replace("{path: w.duckdb}", profile)
    project = make(tmp_path, {**MODELS, "profiles/demo.yml": settings})
    graph = load_models(project)
    with opened(project) as warehouse:
        built = run_models(project, warehouse, graph, graph.select([]))
        tested = run_tests(project, warehouse, graph, graph.select([]))
    done = {"a", "inlined", "seen"}
    assert {result.name for result in built if result.state == "done"} == done
    assert {result.state for result in tested} == {"error"}
    told = [*(result.message for result in built), *(result.message for result in tested)]
    text = "\n".join(f"{message}\n" for message in told if message)
    if not GOLDEN.exists():
        GOLDEN.write_text(text, encoding="utf-8")
        pytest.fail(f"{GOLDEN.name} was not there; it has been written: read it")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("dialect", ["postgres", "snowflake", "bigquery", "databricks", "redshift"])
def test_a_name_that_stands_once_is_placed_where_it_stood(dialect: str) -> None:
    """Of every statement that is carried over, though names are expanded and lines broken anew.

    A star has no names, and a list of rows is placed as a whole.
    """
    speaks = Dialect.get_or_raise(dialect)
    placed = 0
    for sql in (one for one in SAME if "select *" not in one and "list_" not in one):
        before = "\n".join(sql.split(" "))  # one word a line: the harder to hit
        try:
            carried = carry(before, dialect, lambda schema, name: COLUMNS if name == "t" else {})
        except NotCarriedOver:
            continue
        assert carried.origin is not None
        there = [word for word in Dialect.get_or_raise("duckdb").tokenize(before) if word.text.isidentifier()]
        once = {word.text.lower(): word.start for word in there}
        words = [word.text.lower() for word in there]
        first = {word.text.lower(): word.start for word in reversed(speaks.tokenize(carried.sql))}
        for name, start in first.items():
            if words.count(name) == 1 and name in (*COLUMNS, "place", "top", "joined", "glued", "hi", "low", "total"):
                found = carried.origin(*line_and_column(carried.sql, start))
                assert found == line_and_column(before, once[name]), (sql, carried.sql, name)
                placed += 1
    assert placed > 40
