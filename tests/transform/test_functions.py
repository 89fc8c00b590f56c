"""The functions that the engine brings along give DuckDB's results."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from backhaul.config import WarehouseConfig
from backhaul.transform.dialects import carry
from backhaul.transform.functions import ARGUMENTS, PYTHON, statement
from backhaul.warehouse import Warehouse, open_warehouse
from tests.clickhouse.started import ClickHouseServer
from tests.examples import examples
from tests.warehouse.postgres_server import PostgresServer

PLAIN = {
    "jaro_winkler_similarity": "jaro_winkler_similarity($a, $b)",
    "damerau_levenshtein": "damerau_levenshtein($a, $b)",
    "strip_accents": "strip_accents($a)",
    "signs_replaced": "regexp_replace($a, '[^\\p{L}\\p{N}]+', $b, 'g')",
}
# Characters that DuckDB's tables and Python's agree to have known for years; the zero byte no engine takes.
KNOWN = st.characters(min_codepoint=1, max_codepoint=0x2FFFF, exclude_categories=("Cs", "Cn", "Co")).filter(
    lambda character: unicodedata.ucd_3_2_0.category(character) != "Cn"
)
NAMES = st.one_of(st.text("abmr", max_size=12), st.text("aáßñл -", max_size=9), st.text(KNOWN, max_size=8))


@pytest.fixture(scope="module")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_warehouse(WarehouseConfig(path=":memory:"), tmp_path_factory.mktemp("here")) as opened:
        yield opened


@pytest.fixture(scope="module")
def postgres_with_functions(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("there")
    with postgres_server.database("functions") as url:
        config = WarehouseConfig(destination="postgres", credentials=SecretStr(url))
        with open_warehouse(config, folder) as opened:
            opened.create_schema("backhaul")
            for name in ARGUMENTS:
                opened.execute(str(statement(name, "postgres")))
            yield opened


def python(name: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(f"def {name}({', '.join(ARGUMENTS[name])}):\n{textwrap.indent(PYTHON[name], '    ')}", scope)
    found: Callable[..., Any] = scope[name]
    return found


def same(one: Any, other: Any) -> bool:
    return bool(one == pytest.approx(other, abs=1e-12) if isinstance(one, float) else one == other)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=NAMES, other=NAMES)
@example(one="babababaab", other="bbbabababaaa")
@example(one="", other="")
@example(one="ca", other="abc")
@example(one="Ångström ½", other="\\1 $1 &")
def test_python_and_postgres_agree_with_duckdb(
    duckdb: Warehouse, postgres_with_functions: Warehouse, one: str, other: str
) -> None:
    given = {"a": one, "b": other}
    for name, sql in PLAIN.items():
        arguments = ("$a", "$b")[: len(ARGUMENTS[name])]
        words = {key: value for key, value in given.items() if f"${key}" in arguments}
        if name == "signs_replaced":
            words["b"] = "-"  # what is put in is a plain text without \ and $, as carrying over sees to
        expected = duckdb.scalar(f"select {sql}", words)
        assert same(python(name)(*words.values()), expected), (name, words)
        call = f"select backhaul.{name}({', '.join(f'cast({word} as text)' for word in arguments)})"
        assert same(postgres_with_functions.scalar(call, words), expected), (name, words)


@pytest.fixture(scope="module")
def clickhouse_with_functions(
    clickhouse_server: ClickHouseServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    given = {"destination": "clickhouse", "credentials": clickhouse_server.emptied()}
    with open_warehouse(WarehouseConfig.model_validate(given), tmp_path_factory.mktemp("there")) as opened:
        with opened.native():
            for name in ("damerau_levenshtein", "jaro_winkler_similarity"):
                opened.execute(str(statement(name, "clickhouse")))
        yield opened


@pytest.mark.clickhouse
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=NAMES, other=NAMES)
@example(one="babababaab", other="bbbabababaaa")
@example(one="", other="")
@example(one="", other="ab")
@example(one="ab", other="abqqqqqqqqqqqqqqqqqq")
@example(one="ca", other="abc")
@example(one="Ångström ½", other="\\1 $1 &")
def test_clickhouse_agrees_with_duckdb(
    duckdb: Warehouse, clickhouse_with_functions: Warehouse, one: str, other: str
) -> None:
    there = clickhouse_with_functions
    for name, sql in PLAIN.items():
        words = {"a": one, "b": "-" if name == "signs_replaced" else other}
        words = {key: value for key, value in words.items() if f"${key}" in sql}
        # As literals in a model: values of their own are no part of what is carried over.
        for key, value in words.items():
            sql = sql.replace(f"${key}", duckdb.literal(value))
        carried = carry(f"select {sql} as told", "clickhouse", lambda schema, name: {})
        with there.native():
            found, expected = there.scalar(carried.sql), duckdb.scalar(f"select {sql}")
        assert same(found, expected), (name, words)


def test_null_gives_null(postgres_with_functions: Warehouse) -> None:
    for name, arguments in ARGUMENTS.items():
        nulls = ", ".join(["'x'", "null"][-len(arguments) :])
        assert postgres_with_functions.scalar(f"select backhaul.{name}({nulls})") is None


def test_every_engine_but_redshift_is_given_every_function() -> None:
    for dialect in ("postgres", "snowflake", "bigquery", "databricks"):
        assert all(statement(name, dialect) for name in ARGUMENTS)
    assert not any(statement(name, "redshift") for name in ARGUMENTS)


def test_the_shown_statement_is_one(tmp_path: Path) -> None:
    text = statement("damerau_levenshtein", "databricks")
    assert text is not None and text.count("CREATE OR REPLACE FUNCTION `backhaul`.`damerau_levenshtein`") == 1
