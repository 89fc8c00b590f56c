"""What the round trips of both CRMs share: hostile texts, numbers, and the twins that each original is written to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from ..crm.contract import HOSTILE

# What a CRM would store: no blanks at the ends, no lone carriage return, no NUL.
signs = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")

TAIL = "'\"/,é#"
"""The end of every key that a row is matched by: what URLs, SOQL, OData, CSV and SQL find hard."""

# To make a failing example smaller takes minutes: one is a whole run of a pipeline.
QUIET: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "database": None,
    "phases": (Phase.explicit, Phase.generate),
}


def texts(longest: int, *, lines: bool = True, of: st.SearchStrategy[str] = signs) -> st.SearchStrategy[str | None]:
    """Texts that fit into a field of `longest` characters, made of the signs `of`."""
    hostile = [text for text in HOSTILE.values() if len(text) <= longest and (lines or "\n" not in text)]
    kept = of if lines else of.filter(lambda sign: sign.isprintable())
    some = st.one_of(st.sampled_from(hostile), st.text(kept, max_size=min(longest, 80)))
    return st.one_of(st.none(), some.map(lambda text: text.strip()[:longest].strip() or None))


def exact(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Numbers of so many digits, `scale` of them after the point."""
    most = 10**digits - 1
    return st.integers(-most, most).map(lambda n: Decimal(n).scaleb(-scale))


def numbers(digits: int, scale: int) -> st.SearchStrategy[float | None]:
    """The same as floats, or nothing."""
    return st.one_of(st.none(), exact(digits, scale).map(float))


def twins(ways: Mapping[str, tuple[str, str]], originals: int, least: int) -> dict[tuple[str, int, int], str]:
    """(way, original, copy) -> the key of the twin: one copy for a way of "one", else as many as make `least` rows."""
    each = -(-least // originals)
    return {
        (way, n, copy): f"{way}{n}-{copy}{TAIL}"
        for way, (_, copies) in ways.items()
        for n in range(originals)
        for copy in range(1 if copies == "one" else each)
    }


def differences(found: Mapping[str, Any], original: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """field -> (what the twin holds, what the original holds), where they differ."""
    return {name: (found[name], value) for name, value in original.items() if found[name] != value}
