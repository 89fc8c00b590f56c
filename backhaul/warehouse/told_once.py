"""A destination of dlt's that works out once what it can do.

dlt asks for a destination's capabilities some thirty times a load, and resolves its whole configuration each time: a
tenth of the time of a small run. They follow from what the destination was made with and from the naming, neither of
which changes.
"""

from __future__ import annotations

from typing import Any

from dlt.common.destination.reference import Destination


class ToldOnce(Destination[Any, Any]):
    """To be named before dlt's factory among a class's bases. It has no ``__init__``: dlt reads the factory's own."""

    def capabilities(self, config: Any = None, naming: Any = None) -> Any:
        """As dlt's; a copy each time, because its callers set fields of what they get."""
        if config is not None:
            return super().capabilities(config, naming)
        known = self.__dict__.setdefault("_told", {})
        kind = type(naming)
        if kind not in known:
            known[kind] = super().capabilities(None, naming)
        return known[kind].copy()
