"""JSON as the service prints it for people who send ``X-PrettyPrint: 1``.

Rests on salesforce-api.md §1: ``"key" : value``, two blanks of indentation, the entries of an array on the line of
its bracket, ``[ ]`` when it has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def pretty(value: Any) -> str:
    """`value` (JSON data) as text for people."""
    out: list[str] = []
    _put(value, "\n", out)
    return "".join(out)


def _put(value: Any, line: str, out: list[str]) -> None:
    """`line` is the line break with the indentation of the object that `value` stands in."""
    if isinstance(value, Mapping):
        if not value:
            out.append("{ }")
            return
        inner = line + "  "
        mark = "{"
        for name, one in value.items():
            out.append(f"{mark}{inner}{json.dumps(str(name), ensure_ascii=False)} : ")
            _put(one, inner, out)
            mark = ","
        out.append(line + "}")
    elif isinstance(value, list | tuple):
        if not value:
            out.append("[ ]")
            return
        mark = "[ "
        for one in value:
            out.append(mark)
            _put(one, line, out)
            mark = ", "
        out.append(" ]")
    else:
        out.append(json.dumps(value, ensure_ascii=False))
