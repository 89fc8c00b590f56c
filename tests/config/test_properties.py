"""Whatever stands in the files: a project or a ConfigurationError, never another exception."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.config import load_project
from backhaul.errors import ConfigurationError
from backhaul.yaml_marks import parse, plain
from tests.examples import examples

from .projects import ENVIRON, SOUND, write

FILES = ["profiles/demo.yml", "sources/salesforce.yml", "pipelines/contacts.yml"]
KEYS = sorted(
    set(re.findall(r"[A-Za-z_]\w*", "".join(SOUND[name] for name in FILES))) | {"", "<<", "is", "in", "where"}
)
TEMPLATES = [
    "{{ var('since') }}",
    "{{ env_var('X') }}",
    "{{ steps.a }}",
    "{{",
    "{% if %}",
    "{{ 1/0 }}",
    "{{ var('ratings') }}",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=20),
    st.sampled_from([*KEYS, *TEMPLATES, "salesforce.Contact", "10m", "\0where", "\0name", "9" * 50]),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), inner, max_size=6),
    ),
    max_leaves=25,
)


def judge(files: dict[str, str | bytes | None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name), files)
        try:
            load_project(folder, environ=ENVIRON)
            return
        except ConfigurationError as error:
            faults = error.faults
        assert faults
        for fault in faults:
            assert fault.message and fault.where is not None and fault.where.file
            assert "\n" not in fault.message
            assert not re.search(r"pydantic|Traceback|<class|\bobject at 0x", str(fault))


@given(name=st.sampled_from(FILES), tree=TREES)
@settings(max_examples=examples(40), deadline=None)
def test_any_tree_in_any_file(name: str, tree: Any) -> None:
    judge({name: yaml.safe_dump(tree, allow_unicode=True)})


@given(name=st.sampled_from(FILES), data=st.data())
@settings(max_examples=examples(40), deadline=None)
def test_a_sound_file_with_one_part_replaced(name: str, data: st.DataObject) -> None:
    faults: list[Any] = []
    node = parse("\n".join(line[8:] for line in SOUND[name].splitlines()), faults, shown=name)
    assert node is not None and not faults
    tree: Any = plain(node)
    spot, key = _spot(tree, data)
    if data.draw(st.booleans(), label="remove"):
        del spot[key]
    else:
        spot[key] = data.draw(TREES, label="instead")
    judge({name: yaml.safe_dump(tree, allow_unicode=True)})


def _spot(tree: Any, data: st.DataObject) -> tuple[Any, Any]:
    """A place somewhere in the tree: its container and its key or index."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = data.draw(st.sampled_from(keys))
        inner = tree[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 3)) == 0:
            return tree, key
        tree = inner


@given(
    name=st.sampled_from([*FILES, "pyproject.toml"]), content=st.one_of(st.binary(max_size=80), st.text(max_size=80))
)
@settings(max_examples=examples(40), deadline=None)
def test_any_content_in_any_file(name: str, content: str | bytes) -> None:
    judge({name: content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")})


@given(
    name=st.sampled_from(FILES),
    start=st.integers(0, 1500),
    length=st.integers(0, 30),
    instead=st.text(alphabet="{}[]:,-'\"\t\n &*!|>%@`#?ab1\\", max_size=6),
)
@settings(max_examples=examples(40), deadline=None)
def test_a_sound_file_with_a_piece_of_text_replaced(name: str, start: int, length: int, instead: str) -> None:
    text = "\n".join(line[8:] for line in SOUND[name].splitlines())
    judge({name: (text[:start] + instead + text[start + length :]).encode()})
