"""YAML as a marked tree: places, types that bend nothing, and faults in place of exceptions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.yaml_marks import MarkedList, MarkedMapping, load, parse, parse_moment, plain, suggest
from tests.examples import examples


def read(text: str | bytes) -> tuple[object, list[str]]:
    faults: list[Fault] = []
    node = parse(text, faults, shown="f.yml")
    return (plain(node) if node is not None else None), [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("007", "007"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1e5", "1e5"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("+5", 5),
        ("-0", 0),
        ("1.50", 1.5),
        (".5", 0.5),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 50, "9" * 50),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ('"5"', "5"),
        ("2024-01-31", date(2024, 1, 31)),
        ("'2024-01-31'", "2024-01-31"),
        ("2024-1-31", "2024-1-31"),
        ("2024-01-31 10:20", datetime(2024, 1, 31, 10, 20)),
        ("2024-01-31T10:20:30.5Z", datetime(2024, 1, 31, 10, 20, 30, 500000, UTC)),
        ("2024-01-31T10:20:30+05:30", datetime(2024, 1, 31, 10, 20, 30, 0, timezone(timedelta(hours=5, minutes=30)))),
        ("2024-01-31 10:20:30 -03", datetime(2024, 1, 31, 10, 20, 30, 0, timezone(timedelta(hours=-3)))),
        ("!!str 5", "5"),
    ],
)
def test_plain_values(text: str, value: object) -> None:
    assert read(f"a: {text}\n") == ({"a": value}, [])


def test_keys_are_text() -> None:
    assert read("on: 1\n5: 2\nnull: 3\n2024-01-01: 4\n") == ({"on": 1, "5": 2, "null": 3, "2024-01-01": 4}, [])


def test_anchors_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\nc: {<<: [*b, {x: 9, z: 8}]}\nd: *b\n"

    assert read(text) == (
        {"base": {"x": 1, "y": 2}, "a": {"y": 3, "x": 1}, "c": {"x": 1, "y": 2, "z": 8}, "d": {"x": 1, "y": 2}},
        [],
    )


def test_places() -> None:
    faults: list[Fault] = []
    node = parse("# first\na:\n  - x\n  - {b: y}\nc: |\n  text\n", faults, shown="f.yml")

    assert isinstance(node, MarkedMapping)
    inner = node.entries["a"]
    assert isinstance(inner, MarkedList)
    assert [item.where for item in inner] == [Where("f.yml", 3, 5), Where("f.yml", 4, 5)]
    assert node.place("c") == Where("f.yml", 5, 1)
    assert node.place("absent") == node.where == Where("f.yml", 2, 1)
    assert ("a" in node, "b" in node, list(node), len(node), len(inner)) == (True, False, ["a", "c"], 2, 2)
    assert (node.kind, inner.kind) == ("a mapping", "a list")
    assert "text" not in repr(node.entries["c"])


def test_every_duplicate_key_is_told() -> None:
    value, faults = read("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n")

    assert value == {"a": 1, "b": {"c": 1}}
    assert [fault.split(": ")[0] for fault in faults] == ["f.yml:2", "f.yml:3", "f.yml:4"]


def test_encodings() -> None:
    assert read("a: é\n".encode("utf-8-sig")) == ({"a": "é"}, [])
    for encoding in ("utf-16", "latin-1"):
        value, faults = read("\na: é\n".encode(encoding))
        assert value is None
        assert len(faults) == 1 and "not UTF-8" in faults[0]
    assert "cannot be printed" in read(b"a: \x07\n")[1][0]


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    with pytest.raises(ConfigurationError, match="does not exist"):
        load(path)
    path.write_text("a: 1\na: 2\n")
    with pytest.raises(ConfigurationError, match=r"a\.yml:2: the key 'a' stands twice"):
        load(path, shown="a.yml")
    path.write_text("a: 1\n")
    assert plain(load(path)) == {"a": 1}
    with pytest.raises(ConfigurationError, match="this is a folder"):
        load(tmp_path)


def test_endless_files_end() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text in (laughs, "&a [*a]", "[" * 5000, "{a: " * 3000, "- " * 3000 + "x"):
        value, faults = read(text)
        assert value is None
        assert len(faults) == 1 and ("deeply" in faults[0])


@given(
    st.one_of(
        st.binary(max_size=60), st.text(max_size=60), st.text(alphabet="{}[]:,-'\"\t\n &*!|>%@`#?a1\\", max_size=40)
    )
)
@settings(max_examples=examples(150), deadline=None)
def test_any_text_gives_a_tree_or_faults(content: str | bytes) -> None:
    faults: list[Fault] = []
    node = parse(content, faults, shown="f.yml")

    assert node is not None or faults
    assert all(fault.where and fault.where.file == "f.yml" for fault in faults)


# PyYAML itself does not read back the line breaks of Unicode that it writes.
TEXTS = st.text(st.characters(exclude_characters="\x85\u2028\u2029", exclude_categories=["Cs"]), max_size=20)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), TEXTS, st.dates()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), inner, max_size=4),
        ),
        max_leaves=15,
    ).filter(lambda tree: tree is not None)
)
@settings(max_examples=examples(60), deadline=None)
def test_what_yaml_writes_is_read_back(tree: object) -> None:
    assert read(yaml.safe_dump(tree, allow_unicode=True)) == (tree, [])


def test_suggestions() -> None:
    assert suggest("cursr", ["fields", "cursor"]) == "did you mean 'cursor'?"
    assert suggest("contact", ["Contact", "Contract"]) == "did you mean 'Contact'?"
    assert suggest("xyz", ["fields"]) == ""


@pytest.mark.parametrize("text", ["2024-02-30", "2024-01-01T25:00:00", "today", "", "2024-01-01T10:00:00+99:00"])
def test_no_moments(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)
