"""Jinja: macros, places, and what templates are kept from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.errors import ConfigurationError
from backhaul.transform.rendering import Library, Source, calling_place
from backhaul.transform.syntax import bare
from tests.examples import examples

MACROS = Source(
    "transforms/macros/m.sql",
    """{% macro shout(x) %}
upper(
  {{ x }}
){% endmacro %}
{% macro twice(x) %}{{ shout(x) }} || {{ late(x) }}{% endmacro %}
{% macro late(x) %}lower({{ x }}){% endmacro %}
{% macro wrapped() %}({{ caller() }}){% endmacro %}
{% test positive(model, column_name, above=0) %}
select * from {{ model }} where {{ column_name }} <= {{ above }}
{% endtest %}
""",
)
MODEL = Source(
    "transforms/campaign/a.sql",
    """{{ config() }}
select
{%- for name in ['a', 'b'] %}
    {{ name }} as {{ name }}_,
{%- endfor %}
    {{ shout('c') }} as c,
    {#- a note
        of two lines #}
    {% if false %}
    dropped
    {% endif -%}
    'd' as d
from t
""",
)


def library() -> Library:
    made = Library({"config": lambda: ""}, [MACROS])
    assert made.faults == []
    return made


def test_every_line_knows_where_it_was_written() -> None:
    made = library()
    rendered = made.render(MODEL, {})
    lines = rendered.split("\n")
    places = {line.strip(): str(made.locate(MODEL, {}, rendered, number)) for number, line in enumerate(lines, 1)}
    model, macro = MODEL.file, MACROS.file
    assert places["select"] == f"{model}:2"
    assert places["a as a_,"] == f"{model}:4"
    assert places["b as b_,"] == f"{model}:4"
    assert places["upper("] == f"{macro}:2"
    assert places["c"] == f"{macro}:3"
    assert places["'d' as d"] == f"{model}:12"
    assert places["from t"] == f"{model}:13"
    # The end of the macro and the words after it share a line: the column tells them apart.
    at = lines.index(") as c,") + 1 if ") as c," in lines else next(i for i, x in enumerate(lines, 1) if "as c" in x)
    assert str(made.locate(MODEL, {}, rendered, at, 1)) == f"{macro}:4"
    assert str(made.locate(MODEL, {}, rendered, at, 4)) == f"{model}:6"
    assert made.locate(MODEL, {}, rendered, len(lines) + 1) is None


def test_a_template_that_looks_at_its_own_text_is_not_placed_wrongly() -> None:
    made = library()
    source = Source("transforms/x.sql", "{% set text %}ab\nc{% endset %}select {{ text | length }}\nfrom t")
    rendered = made.render(source, {})
    assert rendered == "select 4\nfrom t"
    assert made.locate(source, {}, rendered, 2) is None


@given(
    st.lists(
        st.sampled_from(["x", "{{ 1 }}", "{% if true %}y{% endif %}", "\n", "{# c\n #}", "{{ shout('k') }}", "-"]),
        max_size=25,
    )
)
@settings(max_examples=examples(40), deadline=None)
def test_places_are_found_for_any_mixture(pieces: list[str]) -> None:
    made = library()
    source = Source("transforms/x.sql", "".join(pieces) + "\nEND")
    rendered = made.render(source, {})
    lines = rendered.split("\n")
    assert lines[-1] == "END"
    found = made.locate(source, {}, rendered, len(lines))
    assert found is not None
    assert (found.file, found.line) == (source.file, source.text.count("\n") + 1)


def test_macros_see_each_other_whatever_their_order() -> None:
    assert library().render(Source("a.sql", "{{ twice('x') }}"), {}) == "\nupper(\n  x\n) || lower(x)"


def test_a_macro_can_wrap_a_block() -> None:
    assert library().render(Source("a.sql", "{% call wrapped() %}z{% endcall %}"), {}) == "(z)"


def test_a_test_block_is_a_macro() -> None:
    made = library()
    assert list(made.tests) == ["positive"]
    sql = made.call("test_positive", {}, {"model": "m", "column_name": "c"}).strip()
    assert sql == "select * from m where c <= 0"
    with pytest.raises(ConfigurationError, match=r"transforms/macros/m.sql:8: Jinja: .*abov"):
        made.call("test_positive", {}, {"model": "m", "column_name": "c", "abov": 1})


def test_a_function_learns_the_line_that_calls_it() -> None:
    heard: list[str] = []

    def hear() -> str:
        heard.append(str(calling_place()))
        return ""

    macros = Source("m.sql", "\n{% macro inner() %}\n{{ hear() }}{% endmacro %}")
    made = Library({"hear": hear}, [macros])
    made.render(Source("a.sql", "\n\n{{ hear() }}\n{{ inner() }}"), {})
    assert heard == ["a.sql:3", "m.sql:3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n{{ shout() }}", r"transforms/macros/m.sql:3: Jinja: parameter 'x' was not provided"),
        ("\n{{ shout(1, 2) }}", r"a.sql:2: Jinja: macro 'shout' takes not more than 1 argument"),
        ("{{ ''.__class__.__mro__ }}", r"a.sql:1: Jinja: access to attribute '__class__' of 'str' object is unsafe"),
        ("\n\n{{ 1 / 0 }}", r"a.sql:3: Jinja: division by zero"),
        ("{% do shoot() %}", r"a.sql:1: Jinja: 'shoot' is not known here\n    next: did you mean 'shout'\?"),
        ("{% materialization x %}", r"a.sql:1: Jinja: Encountered unknown tag 'materialization'"),
    ],
)
def test_what_goes_wrong_is_placed(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        library().render(Source("a.sql", text), {})


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("a -- b\nc", "a     \nc"),
        ("a /* b\n c */ d", "a     \n      d"),
        ("'-- x' || \"/* y */\"", "'-- x' || \"/* y */\""),
        ("$$ -- $$ -- z", "$$ -- $$     "),
        ("$t$ -- $$ $t$;--", "$t$ -- $$ $t$;  "),
        ("$1 -- two $ signs $", "$1                 "),
        ("'it''s -- here' --", "'it''s -- here'   "),
        ("/* never closed", "               "),
    ],
)
def test_comments_become_spaces(sql: str, left: str) -> None:
    assert bare(sql) == left
    assert len(bare(sql)) == len(sql)
