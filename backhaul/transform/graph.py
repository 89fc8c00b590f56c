"""The directed acyclic graph of models: order, neighbours, and a readable cycle."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from backhaul.transform.model import Model, SingularTest

if TYPE_CHECKING:
    from backhaul.transform.rendering import Library


class Graph:
    """The models of a project, by name, in an order in which each comes after those it reads.

    Made by :func:`backhaul.transform.load_models`; the refs of its models are all known and make no circle.
    """

    def __init__(
        self, models: Iterable[Model], *, singular: Sequence[SingularTest] = (), library: Library | None = None
    ) -> None:
        """Take checked models. Raises ValueError when a ref is unknown or the refs make a circle."""
        by_name = {model.name: model for model in models}
        parents = {name: model.refs for name, model in by_name.items()}
        self.order: tuple[str, ...] = topological(parents)
        self.models: Mapping[str, Model] = {name: by_name[name] for name in self.order}
        self.singular: tuple[SingularTest, ...] = tuple(singular)
        self.library = library
        self._parents: dict[str, frozenset[str]] = {name: frozenset(refs) for name, refs in parents.items()}
        children: dict[str, set[str]] = {name: set() for name in parents}
        for name, refs in parents.items():
            for ref in refs:
                children[ref].add(name)
        self._children: dict[str, frozenset[str]] = {name: frozenset(found) for name, found in children.items()}

    def __contains__(self, name: object) -> bool:
        return name in self.models

    def __getitem__(self, name: str) -> Model:
        return self.models[name]

    def __len__(self) -> int:
        return len(self.models)

    def select(self, expressions: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[Model]:
        """The models that the expressions name, in topological order; none = all. See :mod:`.selection`.

        Raises :class:`~backhaul.errors.ConfigurationError` for an expression that names nothing.
        """
        from backhaul.transform.selection import select

        chosen = select(self, expressions, exclude)
        return [self.models[name] for name in self.order if name in chosen]

    def ancestors(self, names: Iterable[str], depth: int | None = None) -> set[str]:
        """What the named models read, directly or not, within `depth` steps (None = all); without themselves."""
        return _reach(self._parents, names, depth)

    def descendants(self, names: Iterable[str], depth: int | None = None) -> set[str]:
        """What reads the named models, directly or not, within `depth` steps (None = all); without themselves."""
        return _reach(self._children, names, depth)

    def inlined(self, model: Model | SingularTest, further: Iterable[str] = ()) -> list[Model]:
        """The ephemeral models whose SQL must stand in this one's, in topological order."""
        found: set[str] = set()
        waiting = [*model.refs, *further]
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.models and self.models[name].materialized == "ephemeral":
                found.add(name)
                waiting.extend(self.models[name].refs)
        return [self.models[name] for name in self.order if name in found]


def topological(parents: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Names so ordered that each comes after its parents; among the free ones, by the alphabet.

    Raises ValueError with the circle when there is none, or the name when a parent is not among the keys.
    """
    waiting = {name: set(found) for name, found in parents.items()}
    children: dict[str, list[str]] = {name: [] for name in waiting}
    for name, found in waiting.items():
        for parent in found:
            if parent not in children:
                raise ValueError(f"{name} reads {parent}, which is not there")
            children[parent].append(name)
    free = [name for name, found in waiting.items() if not found]
    heapq.heapify(free)
    order: list[str] = []
    while free:
        name = heapq.heappop(free)
        order.append(name)
        for child in children[name]:
            waiting[child].discard(name)
            if not waiting[child]:
                heapq.heappush(free, child)
    if len(order) < len(waiting):
        raise ValueError("a circle: " + " -> ".join(cycles(parents)[0]))
    return tuple(order)


def cycles(parents: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """One short circle for each knot of names that read each other, such as ``(a, b, c, a)``: a reads b, b reads c.

    A circle begins with its first name by the alphabet. Names that are not keys are passed over.
    """
    graph = {name: sorted({other for other in found if other in parents}) for name, found in parents.items()}
    found_circles: list[tuple[str, ...]] = []
    for knot in _knots(graph):
        first = min(knot)
        if len(knot) == 1 and first not in graph[first]:
            continue
        found_circles.append(_circle_through(graph, knot, first))
    return sorted(found_circles)


def _circle_through(graph: Mapping[str, Sequence[str]], knot: set[str], first: str) -> tuple[str, ...]:
    """The shortest way from `first` back to itself within the knot (there is one, as a knot is strongly connected)."""
    came_from: dict[str, str] = {}
    ring = [first]
    while ring:
        following: list[str] = []
        for name in ring:
            for other in graph[name]:
                if other == first:
                    way = [name]
                    while way[-1] != first:
                        way.append(came_from[way[-1]])
                    return (*reversed(way), first)
                if other in knot and other not in came_from:
                    came_from[other] = name
                    following.append(other)
        ring = following
    raise AssertionError(f"no way back to {first} in a strongly connected knot")


def _knots(graph: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """The strongly connected components, by Tarjan's algorithm without recursion (a chain may be long)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    knots: list[set[str]] = []
    for root in graph:
        if root in index:
            continue
        work: list[tuple[str, int]] = [(root, 0)]
        while work:
            name, at = work.pop()
            if at == 0:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            descend = False
            for position in range(at, len(graph[name])):
                other = graph[name][position]
                if other not in index:
                    work.append((name, position + 1))
                    work.append((other, 0))
                    descend = True
                    break
                if other in on_stack:
                    low[name] = min(low[name], index[other])
            if descend:
                continue
            if low[name] == index[name]:
                knot: set[str] = set()
                while name not in knot:
                    other = stack.pop()
                    on_stack.discard(other)
                    knot.add(other)
                knots.append(knot)
            if work:
                above = work[-1][0]
                low[above] = min(low[above], low[name])
    return knots


def _reach(edges: Mapping[str, frozenset[str]], names: Iterable[str], depth: int | None) -> set[str]:
    start = set(names)
    reached: set[str] = set()
    ring = start
    while ring and (depth is None or depth > 0):
        ring = {other for name in ring for other in edges[name]} - reached
        reached |= ring
        depth = None if depth is None else depth - 1
    return reached - start
