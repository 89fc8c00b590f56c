"""How many random examples a property is tried on."""

from __future__ import annotations

from hypothesis import settings

LONG = "long"
"""The profile of `make test-all`, which tries every property again."""
SHARE, FEWEST = 5, 3

settings.register_profile(LONG, settings())


def examples(many: int) -> int:
    """`many` with the long profile, a fifth of them else: the first one, which is the smallest, tells little."""
    if settings.get_current_profile_name() == LONG:
        return many
    return min(many, max(FEWEST, many // SHARE))
