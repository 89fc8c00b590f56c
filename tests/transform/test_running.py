"""Building models in a real warehouse: materialisations, failures, messages."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.config import Project
from backhaul.transform import Graph, ModelResult, load_models, run_models
from backhaul.warehouse import Warehouse
from tests.examples import examples

from .workshop import SETTINGS, make, opened


def built(project: Project, warehouse: Warehouse, *words: str, full_refresh: bool = False) -> dict[str, ModelResult]:
    """The results of a run of the selected models, the folder read anew."""
    made = load_models(project)
    results = run_models(project, warehouse, made, made.select(words), full_refresh=full_refresh)
    return {result.name: result for result in results}


def write(project: Project, file: str, text: str) -> None:
    path = project.folder / "transforms" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


def test_table_and_view_replace_what_stood_there(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": "{{ config(materialized='table') }} select 1 as x"})
    with opened(project) as warehouse:
        result = built(project, warehouse)["a"]
        assert (result.state, result.rows, result.relation, result.materialized) == ("done", 1, "one.a", "table")
        write(project, "one/a.sql", "{{ config(materialized='view') }} select 2 as y")
        result = built(project, warehouse)["a"]
        assert (result.state, result.rows) == ("done", None)
        assert warehouse.rows("select * from one.a") == [{"y": 2}]
        write(project, "one/a.sql", "{{ config(materialized='incremental', unique_key='z') }} select 3 as z")
        assert built(project, warehouse)["a"].state == "done"
        assert warehouse.rows("select * from one.a") == [{"z": 3}]


INCREMENTAL = """
    {{ config(materialized='incremental', unique_key=['k']) }}
    select k, v, {{ 1 if is_incremental() else 0 }} as again from (values (1, 'a'), (2, 'b')) as t(k, v)
"""


def test_an_incremental_model_replaces_by_key_and_adds(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": INCREMENTAL})
    with opened(project) as warehouse:
        assert built(project, warehouse)["a"].rows == 2
        write(project, "one/a.sql", INCREMENTAL.replace("(1, 'a'), (2, 'b')", "(2, 'B'), (3, 'c')"))
        assert built(project, warehouse)["a"].rows == 2
        assert warehouse.rows("select * from one.a order by k") == [
            {"k": 1, "v": "a", "again": 0},
            {"k": 2, "v": "B", "again": 1},
            {"k": 3, "v": "c", "again": 1},
        ]
        assert built(project, warehouse, full_refresh=True)["a"].rows == 2
        assert warehouse.rows("select k, again from one.a order by k") == [{"k": 2, "again": 0}, {"k": 3, "again": 0}]


def test_an_empty_increment_leaves_the_table_as_it_is(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": INCREMENTAL})
    with opened(project) as warehouse:
        built(project, warehouse)
        before = warehouse.rows("select * from one.a order by k")
        write(project, "one/a.sql", INCREMENTAL + " where k > 100")
        assert built(project, warehouse)["a"].rows == 0
        assert warehouse.rows("select * from one.a order by k") == before


def test_a_new_column_of_an_increment_is_added(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": INCREMENTAL})
    with opened(project) as warehouse:
        built(project, warehouse)
        write(project, "one/a.sql", INCREMENTAL.replace("select k,", "select k, k + 1 as n,").replace("(1, 'a'), ", ""))
        assert built(project, warehouse)["a"].state == "done"
        assert warehouse.rows("select k, n from one.a order by k") == [{"k": 1, "n": None}, {"k": 2, "n": 3}]


def test_full_refresh_false_keeps_the_table(tmp_path: Path) -> None:
    text = INCREMENTAL.replace("unique_key=", "full_refresh=false, unique_key=")
    project = make(tmp_path, {"one/a.sql": text})
    with opened(project) as warehouse:
        built(project, warehouse)
        write(project, "one/a.sql", text.replace("(1, 'a'), ", ""))
        built(project, warehouse, full_refresh=True)
        assert warehouse.scalar("select count(*) from one.a") == 2


@pytest.mark.parametrize("state", ["first", "increment", "refresh"])
def test_one_key_twice_is_refused_and_nothing_changes(tmp_path: Path, state: str) -> None:
    double = INCREMENTAL.replace("(2, 'b')", "(2, 'b'), (2, 'c')")
    project = make(tmp_path, {"one/a.sql": double if state == "first" else INCREMENTAL})
    with opened(project) as warehouse:
        if state != "first":
            built(project, warehouse)
            write(project, "one/a.sql", double)
        result = built(project, warehouse, full_refresh=state == "refresh")["a"]
        assert result.state == "failed"
        assert "such as k = 2 (2 rows)" in result.message
        assert result.message.startswith("transforms/one/a.sql: ")
        assert "then run `backhaul transform -s a`" in result.message
        if state == "first":
            assert not warehouse.exists("one", "a")
        else:
            assert warehouse.scalar("select count(*) from one.a") == 2


def test_an_incremental_column_without_a_type_is_refused(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": INCREMENTAL.replace("select k,", "select k, null as phone,")})
    with opened(project) as warehouse:
        warehouse.create_table_as("one", "probe", "select null as x")
        if warehouse.columns("one", "probe")["x"] == "INTEGER":
            return  # DuckDB 1.x gives such a column a type
        assert built(project, warehouse)["a"].message == (
            "transforms/one/a.sql: the column 'phone' is NULL and has no type, so later increments could not fill it "
            "(SQL: .backhaul/demo/compiled/one/a.sql)\n"
            "    next: write cast(null as <type>) as phone; then run `backhaul transform -s a`"
        )
        assert not warehouse.exists("one", "a")


PROFILE = SETTINGS["profiles/demo.yml"].replace("w.duckdb", "':memory:'")
increments = st.lists(st.dictionaries(st.integers(0, 5), st.integers(0, 3), max_size=6), min_size=1, max_size=4)


@given(increments)
@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_increments_add_up_to_the_newest_of_each_key(tmp_path: Path, increments: list[dict[int, int]]) -> None:
    text = "{{ config(materialized='incremental', unique_key='k') }} select k, v from given.rows"
    project = make(tmp_path, {"one/a.sql": text, "profiles/demo.yml": PROFILE})
    made = load_models(project)
    with opened(project) as warehouse:
        warehouse.create_table_as("given", "rows", "select 1 as k, 1 as v where false")
        expected: dict[int, int] = {}
        for increment in increments:
            warehouse.execute("delete from given.rows")
            warehouse.insert("given", "rows", [{"k": key, "v": value} for key, value in increment.items()])
            result = run_models(project, warehouse, made, made.select())[0]
            assert (result.state, result.rows) == ("done", len(increment)), result.message
            expected.update(increment)
        assert {row["k"]: row["v"] for row in warehouse.rows("select * from one.a")} == expected


FAILING = {
    "one/a.sql": "select 1 as x",
    "one/b.sql": """
        {{ config(materialized='table') }}
        {% if true %}
        select x,
               xx
        {% endif %}
        from {{ ref('a') }}
    """,
    "one/c.sql": "select * from {{ ref('b') }}",
    "one/d.sql": "select * from {{ ref('c') }} cross join {{ ref('a') }}",
    "one/e.sql": "select * from {{ ref('a') }}",
}


def test_a_failure_skips_what_reads_it_and_spares_the_rest(tmp_path: Path) -> None:
    project = make(tmp_path, FAILING)
    heard: list[ModelResult] = []
    made = load_models(project)
    with opened(project) as warehouse:
        results = run_models(project, warehouse, made, made.select(), on_model=heard.append)
    assert results == heard
    assert [(result.name, result.state) for result in results] == [
        ("a", "done"),
        ("b", "failed"),
        ("c", "skipped"),
        ("d", "skipped"),
        ("e", "done"),
    ]
    messages = {result.name: result.message for result in results}
    assert messages["d"] == "it depends on b, which failed"
    assert messages["b"] == (
        'transforms/one/b.sql:4: Binder Error: Referenced column "xx" not found in FROM clause!; Candidate bindings: '
        '"x" (line 2 of .backhaul/demo/compiled/one/b.sql)\n'
        "    next: correct it, then run `backhaul transform -s b`"
    )
    lines = (project.state_folder / "compiled" / "one" / "b.sql").read_text().split("\n")
    assert lines[1].strip() == "xx"


def test_an_error_in_an_inlined_model_names_its_file(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        {
            "one/inner.sql": "{{ config(materialized='ephemeral') }}\nselect\n  nope\nfrom (select 1 as x)",
            "one/outer.sql": "-- reads it\nselect *\nfrom {{ ref('inner') }}",
        },
    )
    with opened(project) as warehouse:
        message = built(project, warehouse)["outer"].message
    assert message.startswith('transforms/one/inner.sql:3: Binder Error: Referenced column "nope" not found')


def test_an_error_without_a_line_names_the_file(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": "{{ config(materialized='table') }} select error('too bad') as x"})
    with opened(project) as warehouse:
        message = built(project, warehouse)["a"].message
    assert message == (
        "transforms/one/a.sql: Invalid Input Error: too bad (SQL: .backhaul/demo/compiled/one/a.sql)\n"
        "    next: correct it, then run `backhaul transform -s a`"
    )


def test_a_failed_rebuild_leaves_the_old_table(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": "{{ config(materialized='table') }} select 1 as x"})
    with opened(project) as warehouse:
        built(project, warehouse)
        write(project, "one/a.sql", "{{ config(materialized='table') }} select error('no') as x from range(3)")
        assert built(project, warehouse)["a"].state == "failed"
        assert warehouse.rows("select * from one.a") == [{"x": 1}]


def test_a_raw_table_that_was_never_imported(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        {
            "one/inner.sql": "{{ config(materialized='ephemeral') }} select * from {{ source('salesforce', 'Lead') }}",
            "one/a.sql": "select * from {{ ref('inner') }}",
            "one/b.sql": "select * from {{ source('salesforce', 'Contact') }}",
        },
    )
    with opened(project) as warehouse:
        results = built(project, warehouse, "a", "b")
    assert results["a"].message == (
        "transforms/one/a.sql: raw.salesforce__Lead has not been imported yet\n"
        "    next: run `backhaul import salesforce.Lead`"
    )
    assert results["b"].message == (
        "transforms/one/b.sql: raw.salesforce__Contact has not been imported yet\n"
        "    next: run `backhaul import salesforce.Contact`"
    )


def test_a_model_whose_parent_was_never_built(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": "select 1 as x", "one/b.sql": "select * from {{ ref('a') }}"})
    with opened(project) as warehouse:
        assert built(project, warehouse, "b")["b"].message == (
            "transforms/one/b.sql: one.a (transforms/one/a.sql) has not been built yet\n"
            "    next: run `backhaul transform -s +b`"
        )
        assert [result.state for result in built(project, warehouse, "+b").values()] == ["done", "done"]


def test_schema_and_alias_of_the_config(tmp_path: Path) -> None:
    project = make(
        tmp_path,
        {
            "one/a.sql": "{{ config(schema='Two Words', alias='sel\"ect') }} select 1 as x",
            "b.sql": "select * from {{ ref('a') }}",
        },
    )
    with opened(project) as warehouse:
        results = built(project, warehouse)
        assert [(result.relation, result.state) for result in results.values()] == [
            ('Two Words.sel"ect', "done"),
            ("main.b", "done"),
        ]
        assert warehouse.rows("select * from main.b") == [{"x": 1}]


KILLED = """
import sys, os
from pathlib import Path
from backhaul.config import load_project
from backhaul.transform import load_models, run_models
from backhaul.warehouse import open_warehouse

project = load_project(Path(sys.argv[1]), environ={})
made = load_models(project)
with open_warehouse(project.profile.warehouse, project.folder) as warehouse:
    print("building", flush=True)
    run_models(project, warehouse, made, made.select())
"""


def test_a_kill_in_the_middle_leaves_the_old_table_whole(tmp_path: Path) -> None:
    project = make(tmp_path, {"one/a.sql": "{{ config(materialized='table') }} select 1 as x"})
    with opened(project) as warehouse:
        built(project, warehouse)
    # Slow enough to be killed while it is being built, and far more than fits into one transaction's first block.
    slow = "select a.range + b.range as x from range(100000) as a cross join range(100000) as b"
    write(project, "one/a.sql", "{{ config(materialized='table') }} " + slow)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"building"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGKILL)
    with opened(project) as warehouse:
        assert warehouse.rows("select * from one.a") == [{"x": 1}]
        assert warehouse.rows("select table_name from information_schema.tables") == [{"table_name": "a"}]


def test_the_graph_can_be_run_twice_with_the_same_result(tmp_path: Path) -> None:
    project = make(tmp_path, {**FAILING, "one/b.sql": "select x from {{ ref('a') }}"})
    made: Graph = load_models(project)
    with opened(project) as warehouse:
        first = run_models(project, warehouse, made, made.select())
        second = run_models(project, warehouse, made, made.select())
    assert [(r.name, r.state, r.rows) for r in first] == [(r.name, r.state, r.rows) for r in second]
