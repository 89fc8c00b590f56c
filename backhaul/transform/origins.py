"""Where a place of SQL that was carried over to another dialect stood in the SQL before.

sqlglot's generator tells no places. So the tree is written once more with a mark before whatever knows where it was
read, and the words of both texts are counted off against each other: the marks change the line breaks, never the words.
That is done when an error has to be placed, and not before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

Origin = Callable[[int, int], tuple[int, int] | None]
"""Line and column (from 1, 0 = not known) of the SQL carried over -> those of the SQL before; None: not known."""

_BEGINS = "_backhaul_begins"
_MARK = re.compile("\ue000(\\d+)\ue001")


def begins(node: exp.Expr) -> int | None:
    """Where the node, or the first of its parts that knows, was read: characters from 0; None where none knows."""
    if "start" in node.meta:
        return int(node.meta["start"])
    parts = (part for part in node.walk() if not _added(part))
    return min((int(part.meta["start"]) for part in parts if "start" in part.meta), default=None)


def _added(part: exp.Expr) -> bool:
    """Whether it is the table of a column: where names were resolved that is a copy of what stands in the FROM."""
    return isinstance(part.parent, exp.Column) and part.arg_key != "this"


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """A place of a text, counted from 0 by characters, as line and column from 1."""
    before = text[:at]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def origin(tree: exp.Expr, dialect: str, written: str, before: str) -> Origin:
    """Of `written`, which is `tree` in the dialect and was read from `before`, the places before."""
    words: list[tuple[int, int | None]] | None = None

    def find(line: int, column: int) -> tuple[int, int] | None:
        nonlocal words
        if words is None:
            words = _words(tree, dialect, written)
        lines = written.split("\n")
        if not 1 <= line <= len(lines):
            return None
        text = lines[line - 1]
        within = column - 1 if 1 <= column <= len(text) else len(text) - len(text.lstrip())
        target = sum(len(above) + 1 for above in lines[: line - 1]) + within
        place = None
        for begin, came_from in words:
            if begin > target:
                break
            place = came_from
        return None if place is None else line_and_column(before, place)

    return find


def _words(tree: exp.Expr, dialect: str, written: str) -> list[tuple[int, int | None]]:
    """Of every word of `written`: where it begins, and where what it belongs to was read; empty when they differ."""
    speaks = Dialect.get_or_raise(dialect)

    class Marking(speaks.generator_class):  # type: ignore[misc, name-defined]  # each dialect has its own
        def sql(self, expression: Any, key: str | None = None, comment: bool = True) -> str:
            text: str = super().sql(expression, key, comment)
            place = expression.meta.get(_BEGINS) if text and key is None and isinstance(expression, exp.Expr) else None
            if place is None:
                return text
            word = text.lstrip()  # what is around may cut the space off
            return f"{text[: len(text) - len(word)]}\ue000{place}\ue001{word}"

    told = tree.copy()
    for node in reversed(list(told.walk())):  # what is inside first
        if _added(node):
            continue
        parts = [part.meta.get(_BEGINS) for part in node.iter_expressions()]
        place = node.meta.get("start", min((part for part in parts if part is not None), default=None))
        if place is not None:
            node.meta[_BEGINS] = place
    generator = Marking(dialect=speaks, pretty=True, unsupported_level=ErrorLevel.IGNORE, comments=False)
    try:
        marked = generator.generate(told)
        plain, places, removed = _MARK.sub("", marked), [], 0
        for mark in _MARK.finditer(marked):
            places.append((mark.start() - removed, int(mark[1])))
            removed += mark.end() - mark.start()
        ours, theirs = speaks.tokenize(written), speaks.tokenize(plain)
    except SqlglotError:
        return []
    if [(word.token_type, word.text) for word in ours] != [(word.token_type, word.text) for word in theirs]:
        return []
    found: list[tuple[int, int | None]] = []
    at, last = 0, None
    for here, there in zip(ours, theirs, strict=True):
        while at < len(places) and places[at][0] <= there.start:
            last = places[at][1]
            at += 1
        found.append((here.start, last))
    return found
