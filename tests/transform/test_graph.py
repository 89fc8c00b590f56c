"""Order, reach and circles, on graphs of every shape."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.transform import Graph, Model
from backhaul.transform.graph import cycles, topological
from tests.examples import examples


def model(name: str, refs: tuple[str, ...], *, folder: str = "one", tags: tuple[str, ...] = ()) -> Model:
    return Model(name, f"transforms/{folder}/{name}.sql", (folder,), "", folder, name, refs=refs, tags=tags)


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Names and what each reads, the names so shuffled that the alphabet tells nothing of the order."""
    names = [f"m{number}" for number in draw(st.permutations(range(draw(st.integers(1, 9)))))]
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True, max_size=3)) if at else ())
        for at, name in enumerate(names)
    }


@st.composite
def any_graph(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    names = [f"m{number}" for number in range(draw(st.integers(1, 7)))]
    return {name: tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3))) for name in names}


def reachable(parents: dict[str, tuple[str, ...]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(parents[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(parents[name])
    return found


@given(acyclic())
@settings(max_examples=examples(40), deadline=None)
def test_each_comes_after_what_it_reads(parents: dict[str, tuple[str, ...]]) -> None:
    order = topological(parents)
    assert sorted(order) == sorted(parents)
    assert all(order.index(ref) < order.index(name) for name, refs in parents.items() for ref in refs)
    assert order == topological(dict(sorted(parents.items(), reverse=True)))
    assert cycles(parents) == []


@given(acyclic(), st.data())
@settings(max_examples=examples(40), deadline=None)
def test_a_selection_is_closed(parents: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    made = Graph([model(name, refs) for name, refs in parents.items()])
    name = data.draw(st.sampled_from(sorted(parents)))
    above = {name} | reachable(parents, name)
    below = {other for other in parents if name in reachable(parents, other)} | {name}
    assert {found.name for found in made.select([f"+{name}"])} == above
    assert {found.name for found in made.select([f"{name}+"])} == below
    assert {found.name for found in made.select([f"+{name}+"])} == above | below
    closed = {found.name for found in made.select([f"@{name}"])}
    assert closed == below.union(*(reachable(parents, other) for other in below))
    near = {name} | set(parents[name])
    assert {found.name for found in made.select([f"1+{name}"])} == near
    chosen = made.select([f"1+{name}", f"{name}+"])
    assert [found.name for found in chosen] == [other for other in made.order if other in near | below]


@given(any_graph())
@settings(max_examples=examples(50), deadline=None)
def test_a_circle_is_reported_exactly_when_there_is_one(parents: dict[str, tuple[str, ...]]) -> None:
    in_circles = {name for name in parents if name in reachable(parents, name)}
    found = cycles(parents)
    assert bool(found) == bool(in_circles)
    for circle in found:
        assert circle[0] == circle[-1] == min(circle)
        assert len(set(circle)) == len(circle) - 1
        assert all(second in parents[first] for first, second in pairwise(circle))
    knots = {
        frozenset({name, *reachable(parents, name)} & {o for o in parents if name in reachable(parents, o)})
        for name in in_circles
    }
    assert len(found) == len(knots)
    if found:
        with pytest.raises(ValueError, match=r"a circle: m\d"):
            topological(parents)


def test_a_long_chain_needs_no_deep_stack() -> None:
    parents = {f"m{number:05}": (f"m{number - 1:05}",) if number else () for number in range(5000)}
    assert cycles(parents) == []
    assert topological(parents)[-1] == "m04999"
    parents["m00000"] = ("m04999",)
    assert len(cycles(parents)[0]) == 5001


def test_a_ref_to_nothing_makes_no_graph() -> None:
    with pytest.raises(ValueError, match="a reads b, which is not there"):
        topological({"a": ("b",)})
