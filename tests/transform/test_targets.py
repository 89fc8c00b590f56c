"""The whole template carried over to engines that are not at hand: as golden files, each parsed back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from click.testing import CliRunner
from sqlglot import exp

from backhaul.cli import cli
from backhaul.cli.making import TARGETS as OFFERED
from backhaul.config import load_project
from backhaul.transform import TargetCheck, check_target, load_models
from backhaul.transform.dialects import TARGETS
from tests.template.campaign import ROOT, template
from tests.transform.workshop import SETTINGS, make

GOLDEN = Path(__file__).parent / "golden"
COMPILED = ("snowflake", "bigquery", "databricks", "redshift", "clickhouse")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, TargetCheck]:
    with template(tmp_path_factory.mktemp("targets")) as made:
        raw = {
            ("raw", f"{account}__{name}"): made.warehouse.columns("raw", f"{account}__{name}")
            for account, source in made.project.sources.items()
            for name in source.objects
        }
        return {
            target: check_target(made.project, load_models(made.project, target=target), target, raw)
            for target in (*COMPILED, "postgres")
        }


def kinds_of_tests(check: TargetCheck, models: list[str]) -> list[str]:
    """One test of each kind: the longest of those whose names begin alike."""
    found: dict[str, str] = {}
    for name in check.statements:
        kind = name.split("_")[0]
        known = found.get(kind)
        if name not in models and "(" not in name and (known is None or len(name) > len(known)):
            found[kind] = name
    return list(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("target", COMPILED)
def test_the_template_for_engines_that_are_not_at_hand(checks: Mapping[str, TargetCheck], target: str) -> None:
    """Every model, and a test of every kind. To write a file anew, remove it and run this."""
    check = checks[target]
    assert check.faults == ()
    models = list(load_models(load_project(ROOT, profile="demo")).models)
    shown = [name for name in check.statements if name.split(" ")[0] in models]
    assert len(shown) == 26
    text = "".join(f"-- {name}\n{check.statements[name]};\n\n" for name in [*shown, *kinds_of_tests(check, models)])
    path = GOLDEN / f"{target}.sql"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path.name} was not there; it has been written: read it")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("target", COMPILED)
def test_what_was_written_is_read_back(checks: Mapping[str, TargetCheck], target: str) -> None:
    """In the engine's own dialect: one SELECT, with the columns that it has on PostgreSQL, and no name left open."""
    for name, sql in checks[target].statements.items():
        (tree,) = sqlglot.parse(sql, dialect=target)
        assert isinstance(tree, exp.Query), name
        (other,) = sqlglot.parse(checks["postgres"].statements[name], dialect="postgres")
        assert isinstance(other, exp.Query)
        assert [one.lower() for one in tree.named_selects] == [one.lower() for one in other.named_selects], name
        assert not list(tree.find_all(exp.Command)), name


@pytest.mark.slow
def test_what_each_engine_has_to_be_given(checks: Mapping[str, TargetCheck]) -> None:
    names = ("damerau_levenshtein", "jaro_winkler_similarity", "signs_replaced", "strip_accents")
    assert checks["postgres"].functions == checks["snowflake"].functions == names
    assert checks["redshift"].missing == tuple(name for name in names if name != "signs_replaced")
    assert not any(checks[target].missing for target in checks if target != "redshift")
    assert checks["clickhouse"].functions == names[:2]  # the others are its own


def test_a_count_of_eight_words_is_the_same_share_of_words(tmp_path: Path) -> None:
    """token_share for engines without lists gives what it gives with them, up to eight words."""
    with template(tmp_path) as made:
        texts = ("a b c", "c b a a", "am alten hof", "hof", "", "x y z a b c d e")
        values = ", ".join(f"('{one}')" for one in texts)
        graph = made.graph
        assert graph.library is not None
        scope: dict[str, Any] = {}
        pair = {"a": "l.t", "b": "r.t"}
        listed = graph.library.call("token_share", scope, pair)
        counted = graph.library.call("token_share_of_eight", scope, pair)
        rows = made.rows(
            f"select {listed} as listed, {counted} as counted "
            f"from (values {values}) as l(t), (values {values}) as r(t) where l.t <> '' and r.t <> ''"
        )
    assert len(rows) == 25
    assert [row["listed"] for row in rows] == [row["counted"] for row in rows]


def test_the_command_line_knows_the_same_engines() -> None:
    assert set(TARGETS) == set(OFFERED)
    import dlt

    for name in TARGETS:
        if name not in ("tsql", "dremio"):
            factory = getattr(dlt.destinations, name)
            assert factory().capabilities().sqlglot_dialect == TARGETS[name]


def test_check_tells_every_fault_of_every_model_with_its_line(tmp_path: Path) -> None:
    files = {
        "one/a.sql": "select 1 as id, {'x': 1} as s",
        "one/b.sql": "select\n    hash(id) as h,\n    arg_max(id, id) as m\nfrom {{ ref('a') }}",
        "one/b.yml": """
            models:
              - name: b
                columns:
                  - name: h
                    tests:
                      - odd
        """,
        "macros/odd.sql": "{% test odd(model, column_name) %}\nselect list_sum([1]) as x\n{% endtest %}",
        "seeds/s.csv": "id\n1\n",
        "pyproject.toml": "[tool.backhaul]\nname = 'x'\nprofile = 'demo'\n",
    }
    make(tmp_path, {**SETTINGS, **files})
    asked = ["check", "--project-dir", str(tmp_path), "--target", "postgres"]
    told = CliRunner().invoke(cli, asked)
    assert told.exit_code == 2
    for said in (
        "transforms/one/a.sql:1: a struct cannot be carried over to PostgreSQL",
        "transforms/one/b.sql:2: hash() is not known to give the same on PostgreSQL",
        "transforms/one/b.sql:3: arg_max() is not known",
        "transforms/one/b.yml:6: ",
    ):
        assert said in told.output, told.output
    assert CliRunner().invoke(cli, [*asked[:-1], "duckdb"]).exit_code == 0
    assert CliRunner().invoke(cli, asked[:-2]).exit_code == 0
    assert CliRunner().invoke(cli, [*asked[:-1], "oracle"]).exit_code == 2
