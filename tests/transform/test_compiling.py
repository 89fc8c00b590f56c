"""The SQL that models become: golden, and run."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from backhaul.errors import ConfigurationError
from backhaul.transform import compile_model, run_models
from backhaul.transform.compiling import Compiler

from .workshop import graph, make, opened

FILES = {
    "macros/names.sql": "{% macro clean(x) -%}\nlower(trim({{ x }}))\n{%- endmacro %}",
    "staging/stg_contact.sql": """
        {{ config(materialized='view') }}
        select
            Id as id,
            {{ clean('Email') }} as email
        from {{ source('salesforce', 'Contact') }}
    """,
    "staging/valid.sql": """
        {{ config(materialized='ephemeral') }}
        select *
        from {{ ref('stg_contact') }}
        where email like '%@%'
    """,
    "staging/newest.sql": """
        {{ config(materialized='ephemeral') }}
        -- the last one wins
        with ranked as (
            select * from {{ ref('valid') }}
        )
        select * from ranked
    """,
    "campaign/recipients.sql": """
        {{ config(materialized='incremental', unique_key='id') }}
        /* one row
           for each person */
        with people as (
            select * from {{ ref('newest') }}
        )
        select people.id, people.email, '{{ target.name }}' as profile
        from people
        {% if is_incremental() -%}
        where people.id > (select max(id) from {{ this }})
        {%- endif %}
    """,
    "campaign/chain.sql": """
        {{ config(materialized='table') }}
        with recursive r as (
            select 1 as n union all select n + 1 from r where n < 3
        )
        select r.n, v.id from r cross join {{ ref('valid') }} as v
    """,
}

GOLDEN = {
    "stg_contact": """
        select
            Id as id,
            lower(trim(Email)) as email
        from "raw"."salesforce__Contact"
    """,
    "recipients": """
        /* one row
           for each person */
        with __cte__valid as (

        select *
        from "staging"."stg_contact"
        where email like '%@%'
        ),
        __cte__newest as (

        -- the last one wins
        with ranked as (
            select * from __cte__valid
        )
        select * from ranked
        ), people as (
            select * from __cte__newest
        )
        select people.id, people.email, 'demo' as profile
        from people
    """,
    "chain": """
        with recursive __cte__valid as (

        select *
        from "staging"."stg_contact"
        where email like '%@%'
        ), r as (
            select 1 as n union all select n + 1 from r where n < 3
        )
        select r.n, v.id from r cross join __cte__valid as v
    """,
}


@pytest.mark.parametrize("name", list(GOLDEN))
def test_the_sql_of_a_model(tmp_path: Path, name: str) -> None:
    made = graph(tmp_path, FILES)
    assert compile_model(made, made[name]) == dedent(GOLDEN[name]).strip("\n")


def test_every_line_of_an_inlined_model_is_placed_in_its_own_file(tmp_path: Path) -> None:
    made = graph(tmp_path, FILES)
    for name in ("recipients", "chain"):
        compiled = Compiler(made).compile(made[name])
        lines = compiled.sql.split("\n")
        texts = {model.file: model.text.split("\n") for model in made.models.values()}
        placed = 0
        for number, line in enumerate(lines, 1):
            place = compiled.locate(number)
            if place is not None and line.strip() and "__cte__" not in line and not line.startswith("), "):
                written = texts[place.file][place.line - 1]
                assert "{{" in written or line.strip() == written.strip()
                placed += 1
        assert placed >= 5


def test_with_a_warehouse_that_holds_the_table_it_is_incremental(tmp_path: Path) -> None:
    project = make(tmp_path, FILES)
    made = graph(tmp_path, FILES)
    recipients = made["recipients"]
    with opened(project) as warehouse:
        assert "where people.id" not in compile_model(made, recipients, warehouse=warehouse)
        warehouse.create_view_as("campaign", "recipients", "select 1 as id, 'a' as email")
        assert "where people.id" not in compile_model(made, recipients, warehouse=warehouse)
        warehouse.create_table_as("campaign", "recipients", "select 1 as id, 'a' as email")
        sql = compile_model(made, recipients, warehouse=warehouse)
        assert 'where people.id > (select max(id) from "campaign"."recipients")' in sql
        assert "where people.id" not in compile_model(made, recipients, warehouse=warehouse, full_refresh=True)


def test_the_compiled_sql_runs(tmp_path: Path) -> None:
    project = make(tmp_path, FILES)
    made = graph(tmp_path, FILES)
    with opened(project) as warehouse:
        warehouse.create_table_as(
            "raw", "salesforce__Contact", "select * from (values (1, ' A@b.c '), (2, 'nobody')) as t(Id, Email)"
        )
        results = run_models(project, warehouse, made, made.select())
        assert [(result.name, result.state, result.rows) for result in results] == [
            ("stg_contact", "done", None),
            ("valid", "done", None),
            ("chain", "done", 3),
            ("newest", "done", None),
            ("recipients", "done", 1),
        ]
        assert warehouse.rows("select * from campaign.recipients") == [{"id": 1, "email": "a@b.c", "profile": "demo"}]
    kept = (project.state_folder / "compiled" / "campaign" / "recipients.sql").read_text()
    assert kept.startswith("/* one row")


def test_steps_come_with_the_run(tmp_path: Path) -> None:
    files = {"campaign/a.sql": "select '{{ steps.import_salesforce_Contact.option_name }}' as o"}
    made = graph(tmp_path, files)
    context = {"steps": {"import_salesforce_Contact": {"option_name": "LASTIMPORT_demo", "start": None, "end": None}}}
    assert compile_model(made, made["a"], context=context) == "select 'LASTIMPORT_demo' as o"
    with pytest.raises(ConfigurationError) as caught:
        compile_model(made, made["a"])
    assert str(caught.value) == (
        "transforms/campaign/a.sql:1: the step 'import_salesforce_Contact' has no window here: it has not run before "
        "this one\n    next: run the pipeline that imports it, or guard it: "
        "{% if 'import_salesforce_Contact' in steps %}"
    )


def test_a_ref_that_was_hidden_when_the_model_was_read(tmp_path: Path) -> None:
    files = {
        "campaign/a.sql": "select 1 as x {% if 'now' in steps %} from {{ ref('b') }} {% endif %}",
        "campaign/b.sql": "select 1 as x",
    }
    made = graph(tmp_path, files)
    with pytest.raises(ConfigurationError) as caught:
        compile_model(made, made["a"], context={"steps": {"now": {}}})
    assert str(caught.value) == (
        "transforms/campaign/a.sql:1: ref('b') was not seen when 'a' was read, so its order is not known\n"
        "    next: add this line to the model: -- depends_on: {{ ref('b') }}"
    )


def test_words_of_dbt(tmp_path: Path) -> None:
    made = graph(
        tmp_path,
        {
            "pyproject.toml": "[tool.backhaul.vars]\nnumbers = [1, 2]\n",
            "campaign/a.sql": """
                {{ config(tags=['x']) }}{{ log('reading', info=true) }}
                {%- set columns = ['a', 'b'] -%}
                {%- do columns.append('c') -%}
                select {{ columns | join(', ') }}, {{ var('numbers') | sum }} as s, {{ adapter.quote('Odd "name"') }},
                    '{{ env_var('REGION', 'EU') }}' as region, '{{ target.type }}' as type, '{{ this.schema }}' as here,
                    '{{ config.get('tags')[0] }}' as tag, '{{ modules.re.sub('a', 'b', 'aa') }}' as re,
                    {{ 'true' if execute else 'false' }} as runs, '{{ tojson([1]) }}' as js,
                    '{{ run_started_at.strftime('%Y') | length }}' as y, '{{ model.name }}' as m
                from t
            """,
        },
        environ={"REGION": "US"},
    )
    assert compile_model(made, made["a"]) == (
        'select a, b, c, 3 as s, "Odd ""name""",\n'
        "    'US' as region, 'duckdb' as type, 'campaign' as here,\n"
        "    'x' as tag, 'bb' as re,\n"
        "    true as runs, '[1]' as js,\n"
        "    '4' as y, 'a' as m\n"
        "from t"
    )
