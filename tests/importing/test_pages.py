"""The rows' array is cut out of a JSON page without parsing its rows, and is always the very array."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.errors import IncompleteImport
from backhaul.importing.pages import _rows_of
from tests.examples import examples

HOSTILE = st.text(alphabet=st.sampled_from('a]["{}\\,: \n\u00e9\u2028'), max_size=12) | st.text(max_size=8)
ROW = st.dictionaries(HOSTILE, HOSTILE | st.none() | st.integers() | st.lists(HOSTILE, max_size=2), max_size=4)


@settings(max_examples=examples(200), deadline=None)
@given(
    before=st.dictionaries(HOSTILE.filter(lambda key: key != "value"), HOSTILE, max_size=2),
    rows=st.lists(ROW, max_size=4),
    after=st.dictionaries(HOSTILE.filter(lambda key: key != "value"), HOSTILE | st.lists(HOSTILE), max_size=2),
    indent=st.sampled_from([None, 2]),
    ascii_only=st.booleans(),
)
def test_the_array_is_the_one_that_a_parser_finds(
    before: dict[str, Any], rows: list[dict[str, Any]], after: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    page = {**before, "value": rows, **{key: value for key, value in after.items() if key not in before}}
    content = json.dumps(page, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert json.loads(_rows_of(content, "value").decode("utf-8", "surrogatepass")) == rows


@pytest.mark.parametrize("content", [b"", b"[]", b'{"value": 5', b'{"records": []}', b"<html></html>"])
def test_what_is_no_page_is_told(content: bytes) -> None:
    with pytest.raises(IncompleteImport, match="not the JSON object with 'value'"):
        _rows_of(content, "value")
