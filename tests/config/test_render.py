"""Jinja on leaves: no value can bend the structure, native types survive, nothing is rendered twice."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.config import (
    ExportStep,
    Unresolved,
    WarehouseConfig,
    check_project,
    env_var_function,
    environment,
    load_project,
    var_function,
)
from backhaul.config.render import RenderedScalar, Renderer
from backhaul.errors import Fault, Where
from backhaul.record import Condition, Group
from backhaul.yaml_marks import MarkedScalar, parse, plain
from tests.examples import examples

from .projects import ENVIRON, write

HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "a: b", "- a\n- b", "{x: y}", "[1, 2]", "'", '"', "\n\n", "# not a comment", "&a *a", "!!int 5", "null",
            "true", "007", "1e5", "2024-01-01", "<<: {a: b}", "{{ 7 * 7 }}", "{% raw %}", "{{ env_var('SF_SECRET') }}",
            "}}{{", "{#", "\u2028", "%", "@", "|", ">-\n x", "\\", "\t",
        ]
    ),
)  # fmt: skip


def render(text: str, variables: dict[str, object] | None = None, **environ: str) -> tuple[object, list[Fault]]:
    faults: list[Fault] = []
    leaf = Renderer(variables or {}, environ).leaf(MarkedScalar(Where("f", 1), text, text), faults)
    return leaf.value, faults


@given(value=HOSTILE)
@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_bends_the_structure(value: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sources/salesforce.yml": """
                account: salesforce
                objects:
                  Contact:
                    fields: [LastName, Score__c, OptOut__c, Open__c]
                    filter:
                      any:
                        - {field: A, eq: "{{ var('value') }}"}
                        - {field: B, in: ["{{ var('value') }}", "x{{ var('value') }}y"]}
                        - {field: C, ne: 5}
                  Lead: {fields: [LastName]}
            """
        },
    )
    variables = {"value": value, "ratings": ["a"]}

    project = load_project(tmp_path, variables=variables, environ=ENVIRON)

    assert set(project.sources["salesforce"].objects) == {"Contact", "Lead"}
    assert project.sources["salesforce"].objects["Contact"].filter == Group(
        False, (Condition("A", "eq", value), Condition("B", "in", (value, f"x{value}y")), Condition("C", "ne", 5))
    )


@given(value=HOSTILE.filter(lambda text: "\0" not in text))
@settings(max_examples=examples(40), deadline=None)
def test_a_value_of_the_environment_arrives_as_it_is(value: str) -> None:
    assert render("{{ env_var('X') }}", X=value) == (value, [])
    assert render("<{{ env_var('X') }}>", X=value) == (f"<{value}>", [])


@pytest.mark.parametrize(
    "value", [5, 1.5, True, None, date(2024, 1, 1), datetime(2024, 1, 1), ["a", 1], {"a": 1}, "007"]
)
def test_one_expression_keeps_its_type(value: object) -> None:
    assert render("{{ var('x') }}", {"x": value}) == (value, [])
    assert render("{{- var('x') -}}", {"x": value}) == (value, [])


def test_more_than_one_expression_is_text() -> None:
    assert render("{{ 1 }}{{ 2 }}") == ("12", [])
    assert render(" {{ 1 }}") == (" 1", [])
    assert render("{% if true %}yes{% endif %}") == ("yes", [])
    assert render("{{ none }}-") == ("-", [])
    assert render("{{ '}}' ~ '{{' }}") == ("}}{{", [])
    assert render("no {# Jinja #} at all } {") == ("no {# Jinja #} at all } {", [])


def test_defaults() -> None:
    assert render("{{ env_var('X', 'default') }}") == ("default", [])
    assert render("{{ env_var('X', none) }}") == (None, [])
    assert render("{{ env_var('X', '') }}", X="x") == ("x", [])
    assert render("{{ var('x', 7) }}") == (7, [])
    assert render("{{ var('x', 7) }}", {"x": None}) == (None, [])


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ var.__globals__ }}",
        "{{ env_var.__closure__ }}",
        "{{ (1).__class__ }}",
        "{{ var('x').__init__ }}",
        "{{ range(10 ** 9) | list }}",
        "{{ lipsum.__globals__ }}",
        "{% include 'x' %}",
        "{% for i in range(3) %}{{ i.x.y }}{% endfor %}",
        "{{ var('x').y }}",
        "{{ var([]) }}",
        "{{ var() }}",
        "{{ env_var(5) }}",
        "{{ 'a' | nofilter }}",
    ],
)
def test_the_sandbox_holds_and_faults_are_faults(text: str) -> None:
    value, faults = render(text, {"x": {}})

    assert len(faults) == 1
    assert value == text


def test_what_came_from_the_environment_is_marked() -> None:
    renderer = Renderer({"x": 1}, {"X": "y"})
    faults: list[Fault] = []
    for text, hidden in (("{{ env_var('X') }}", True), ("{{ env_var('Y', 'z') }}", False), ("{{ var('x') }}", False)):
        leaf = renderer.leaf(MarkedScalar(Where("f"), text, text), faults)
        assert isinstance(leaf, RenderedScalar)
        assert leaf.hidden is hidden
        assert "y" not in repr(leaf)
    assert not faults


def test_a_tree_keeps_its_shape_and_places() -> None:
    faults: list[Fault] = []
    node = parse("a: [\"{{ 'x: y' }}\", {b: \"{{ '[1]' }}\"}]\n", faults, shown="f")
    assert node is not None
    rendered = Renderer({}, {}).tree(node, faults)

    assert not faults
    assert rendered.where == node.where
    assert plain(rendered) == {"a": ["x: y", {"b": "[1]"}]}
    assert "x: y" not in repr(rendered)


def test_a_moment_is_not_rendered_twice(tmp_path: Path) -> None:
    pipeline = "steps: [{import_deleted: salesforce.Contact, start: \"{{ env_var('X') }}\"}]\n"
    write(tmp_path, {"pipelines/contacts.yml": pipeline})

    faults = check_project(tmp_path, environ={**ENVIRON, "X": "{{ steps }}"})

    assert [fault.message for fault in faults] == ["'start' wants a date or a date and time, found text (not shown)"]


def test_numbers_and_booleans_may_come_from_text(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "profiles/demo.yml": """
                warehouse: {path: "{{ env_var('DB') }}", destination: "{{ var('kind') }}"}
                accounts:
                  salesforce:
                    crm: "{{ var('crm') }}"
                    instance_url: https://example.my.salesforce.com
                    ca_bundle: "{{ env_var('BUNDLE', '') }}"
                    api_version: "{{ env_var('VERSION') }}"
                    auth: {method: "{{ env_var('METHOD') }}", client_id: a, client_secret: b}
            """,
            "sources/dynamics.yml": None,
            "pipelines/contacts.yml": """
                steps:
                  - export: salesforce.Contact
                    from: "{{ var('model') }}"
                    mode: "{{ env_var('MODE') }}"
                    key: {Id: "{{ var('column') }}"}
                    map:
                      Score__c: "{{ var('column') }}"
                      OptOut__c: {from: x, only_tighten: "{{ env_var('TIGHTEN') }}", nulls: "{{ env_var('NULLS') }}"}
                    guards: {max_rows: "{{ env_var('ROWS') }}", max_share: "{{ env_var('SHARE') }}"}
                    rejects: {retry: {wait: "{{ env_var('WAIT') }}"}}
            """,
        },
    )
    environ = {
        "DB": "x.duckdb", "VERSION": "61.0", "METHOD": "client_credentials", "MODE": "update", "TIGHTEN": "true",
        "NULLS": "clear", "ROWS": "12", "SHARE": "0.5", "WAIT": "1m",
    }  # fmt: skip
    variables = {"kind": "duckdb", "crm": "salesforce", "model": "m", "column": "c"}

    project = load_project(tmp_path, variables=variables, environ=environ)

    step = project.pipelines["contacts"].steps[0]
    assert isinstance(step, ExportStep)
    assert project.profile.warehouse == WarehouseConfig(path="x.duckdb").model_copy(
        update={"where": project.profile.warehouse.where, "key_places": project.profile.warehouse.key_places}
    )
    assert type(project.profile.warehouse.path) is str
    assert project.profile.accounts["salesforce"].ca_bundle is None
    assert (step.model, step.mode, step.key, step.guards.max_rows, step.guards.max_share) == (
        "m", "update", {"Id": "c"}, 12, 0.5,
    )  # fmt: skip
    assert (step.map["OptOut__c"].only_tighten, step.nulls_of("OptOut__c")) == (True, "clear")
    assert {type(text) for text in (step.model, step.mode, step.key["Id"], step.map["Score__c"].column)} == {str}


def test_the_building_blocks_for_models() -> None:
    jinja = environment()
    context = {"var": var_function({"a": [1, 2]}), "env_var": env_var_function({"X": "y"})}

    assert jinja.from_string("{{ var('a')[1] }}{{ env_var('X') }}{{ none }}\n").render(context) == "2y\n"
    with pytest.raises(jinja2.UndefinedError):
        jinja.from_string("{{ nothing }}").render(context)
    with pytest.raises(Unresolved) as raised:
        jinja.from_string("{{ var('b') }}").render(context)
    assert raised.value.fault(Where("m.sql", 1)).allowed == ("a",)
