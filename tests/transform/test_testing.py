"""Column tests and singular tests: the SQL they become, what they find, what they say."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from backhaul.transform import TestResult, load_models, run_models, run_tests

from .workshop import make, opened

FILES = {
    "one/people.sql": """
        {{ config(materialized='table') }}
        select * from (values (1, 'a@b.c', 'new'), (2, null, 'odd'), (3, 'a@b.c', 'new'), (4, 'x@y.z', null))
            as t(id, email, status)
    """,
    "one/links.sql": "select 1 as link, 1 as person union all select 2, 9 union all select 3, null",
    "one/inlined.sql": "{{ config(materialized='ephemeral') }} select id, 'q''x' as odd from {{ ref('people') }}",
    "macros/tests.sql": """
        {% test above(model, column_name, least) %}
        select * from {{ model }} where {{ column_name }} <= {{ least }}
        {% endtest %}
        {% test pair_is_unique(model, columns) %}
        select {{ columns | join(', ') }} from {{ model }} group by all having count(*) > 1
        {% endtest %}
    """,
    "one/about.yml": """
        models:
          - name: people
            tests:
              - pair_is_unique: {columns: [email, status]}
              - unique: {column_name: id % 3, name: thirds}
            columns:
              - name: ID
                tests: [not_null, unique, {above: {least: 0}}]
              - name: email
                tests:
                  - not_null: {config: {severity: warn}}
                  - unique
                  - unique: {name: unique_of_new, config: {where: "status = 'new' and id > 1"}}
              - name: status
                tests:
                  - accepted_values: {values: [new, 'it''s']}
          - name: links
            columns:
              - name: person
                tests:
                  - relationships: {to: ref('people'), field: id}
              - name: gone
                tests: [not_null]
          - name: inlined
            columns:
              - name: odd
                tests: [{accepted_values: {values: ["q'x"]}}]
              - name: id
                tests: [{relationships: {to: "{{ ref('people') }}", field: id}}]
    """,
    "tests/no_big_links.sql": "select *\\nfrom {{ ref('links') }} where link > 2".replace("\\n", "\n"),
    "tests/broken.sql": "{{ config(severity='warn') }}\nselect *\nfrom {{ ref('inlined') }}\nwhere nothing = 1",
}


def outcomes(tmp_path: Path, *words: str) -> dict[str, TestResult]:
    project = make(tmp_path, FILES)
    made = load_models(project)
    with opened(project) as warehouse:
        assert {result.state for result in run_models(project, warehouse, made, made.select())} == {"done"}
        return {result.name: result for result in run_tests(project, warehouse, made, made.select(words))}


def test_every_test_says_what_it_found(tmp_path: Path) -> None:
    results = outcomes(tmp_path)
    assert {name: (result.state, result.failures) for name, result in results.items()} == {
        "not_null_people_ID": ("passed", 0),
        "unique_people_ID": ("passed", 0),
        "above_people_ID": ("passed", 0),
        "not_null_people_email": ("warned", 1),
        "unique_people_email": ("failed", 1),
        "unique_of_new": ("passed", 0),
        "accepted_values_people_status": ("failed", 1),
        "pair_is_unique_people": ("failed", 1),
        "thirds": ("failed", 1),
        "relationships_links_person": ("failed", 1),
        "not_null_links_gone": ("error", 0),
        "accepted_values_inlined_odd": ("passed", 0),
        "relationships_inlined_id": ("passed", 0),
        "no_big_links": ("failed", 1),
        "broken": ("error", 0),
    }
    messages = {name: result.message for name, result in results.items() if result.message}
    assert messages == {
        "not_null_people_email": (
            "transforms/one/about.yml:11: one.people.email is null: 1 row, such as id=2 email=None status=odd"
        ),
        "unique_people_email": (
            "transforms/one/about.yml:12: one.people.email holds values more than once: 1 row, "
            "such as value=a@b.c copies=2"
        ),
        "accepted_values_people_status": (
            "transforms/one/about.yml:16: one.people.status holds values that are not accepted: 1 row, "
            "such as value=odd copies=1"
        ),
        "pair_is_unique_people": (
            "transforms/one/about.yml:4: one.people fails pair_is_unique: 1 row, such as email=a@b.c status=new"
        ),
        "thirds": (
            "transforms/one/about.yml:5: one.people holds values more than once: 1 row, such as value=1 copies=2"
        ),
        "relationships_links_person": (
            "transforms/one/about.yml:21: one.links.person holds values that people.id does not have: 1 row, "
            "such as value=9"
        ),
        "not_null_links_gone": (
            "transforms/one/about.yml:23: one.links has no column 'gone'; it has link, person\n"
            "    next: correct the name, or add the column to transforms/one/links.sql"
        ),
        "no_big_links": "transforms/tests/no_big_links.sql: 1 row where none should be, such as link=3 person=None",
        "broken": (
            'transforms/tests/broken.sql:4: Binder Error: Referenced column "nothing" not found in FROM clause!; '
            'Candidate bindings: "odd"'
        ),
    }
    assert results["unique_people_email"].samples == ({"value": "a@b.c", "copies": 2},)


def test_the_sql_of_the_tests(tmp_path: Path) -> None:
    results = outcomes(tmp_path)
    golden = {
        "not_null_people_email": """
            select *
            from "one"."people" as tested
            where "email" is null
        """,
        "unique_of_new": """
            select "email" as value, count(*) as copies
            from (select * from "one"."people" where status = 'new' and id > 1) as tested
            where "email" is not null
            group by "email"
            having count(*) > 1
        """,
        "accepted_values_people_status": """
            select "status" as value, count(*) as copies
            from "one"."people" as tested
            where "status" is not null and "status" not in ('new', 'it''s')
            group by "status"
        """,
        "relationships_links_person": """
            select child.value
            from (select "person" as value from "one"."links" as tested) as child
            where child.value is not null
                and not exists (select 1 from "one"."people" as parent where parent."id" = child.value)
        """,
        "relationships_inlined_id": """
            with __cte__inlined as (
             select id, 'q''x' as odd from "one"."people"
            )
            select child.value
            from (select "id" as value from __cte__inlined as tested) as child
            where child.value is not null
                and not exists (select 1 from "one"."people" as parent where parent."id" = child.value)
        """,
        "above_people_ID": """select * from "one"."people" where ID <= 0""",
    }
    assert {name: results[name].sql for name in golden} == {
        name: dedent(text).strip("\n") for name, text in golden.items()
    }


def test_tests_follow_the_selection(tmp_path: Path) -> None:
    assert set(outcomes(tmp_path, "links")) == {"relationships_links_person", "not_null_links_gone", "no_big_links"}
    assert set(outcomes(tmp_path, "inlined")) == {"accepted_values_inlined_odd", "relationships_inlined_id", "broken"}


def test_before_anything_is_built(tmp_path: Path) -> None:
    project = make(tmp_path, FILES)
    made = load_models(project)
    with opened(project) as warehouse:
        results = {result.name: result for result in run_tests(project, warehouse, made, made.select())}
    assert {result.state for result in results.values()} == {"error"}
    assert results["unique_people_email"].message == (
        "transforms/one/about.yml:12: one.people has not been built yet\n    next: run `backhaul transform -s people`"
    )
    assert results["no_big_links"].message == (
        "transforms/tests/no_big_links.sql: one.links (transforms/one/links.sql) has not been built yet\n"
        "    next: run `backhaul transform -s links`"
    )
