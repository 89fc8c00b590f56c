"""Plug-ins: what an organisation's own code does when rows are written (dataverse-api.md §5.5, §7.2).

The control door sets them (``POST /_control/plugins``), one rule or a list::

    {"object": "contact", "messages": ["Create", "Update"],      # default: both; Delete, too
     "when": {"lastname": "Smith"},                              # only rows with these stored values
     "columns": ["emailaddress1"],                               # on Update: only when one of these is sent
     "set": {"jobtitle": "Buyer"},                               # values that replace what was sent or stored
     "change": {"emailaddress1": "lower", "lastname": "upper"},  # lower, upper, strip, digits
     "refuse": "Credit limit reached.",                          # InvalidPluginExecutionException: 400 0x80040265
     "crash": "Object reference not set to an instance.",        # any other exception: 500 0x80040224
     "seconds": 0.2}                                             # how long it takes; charged to the request

They run before the row is stored, in the order they were set, and their values are stored in the same operation.
``MSCRM.BypassCustomPluginExecution: true`` and ``MSCRM.BypassBusinessLogicExecution: CustomSync`` leave them out for
callers with the privilege (``prvBypassCustomPlugins``, ``prvBypassCustomBusinessLogic``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import DataverseError

_KNOWN = frozenset({"object", "messages", "when", "columns", "set", "change", "refuse", "crash", "seconds"})
_MESSAGES = ("Create", "Update", "Delete")
_CHANGES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "digits": lambda text: re.sub(r"\D", "", text),
}
Rule = Mapping[str, Any]


def checked(rule: Any, tables: Mapping[str, Any]) -> Rule:
    """Give a rule after checking it. Raises ValueError saying what is wrong with it."""
    if not isinstance(rule, Mapping) or set(rule) - _KNOWN:
        raise ValueError(f"a plug-in knows {', '.join(sorted(_KNOWN))}; found {rule!r}")
    table = tables.get(str(rule.get("object")))
    if table is None:
        raise ValueError(f"a plug-in needs the object it is for, one of {', '.join(sorted(tables))}")
    if set(rule.get("messages", _MESSAGES)) - set(_MESSAGES):
        raise ValueError(f"a plug-in's messages are {', '.join(_MESSAGES)}; found {rule['messages']!r}")
    named = {*rule.get("when", {}), *rule.get("columns", ()), *rule.get("set", {}), *rule.get("change", {})}
    unknown = named - set(table.columns)
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    if set(rule.get("change", {}).values()) - set(_CHANGES):
        raise ValueError(f"a change is one of {', '.join(_CHANGES)}; found {rule['change']!r}")
    return dict(rule)


def run(rules: Sequence[Rule], table: str, message: str, row: dict[str, Any], changed: set[str]) -> set[str]:
    """Let the rules of a table change `row`; gives the columns they changed. Raises what a rule refuses with."""
    touched: set[str] = set()
    for rule in rules:
        if rule["object"] != table or message not in rule.get("messages", ("Create", "Update")):
            continue
        if any(row.get(name) != value for name, value in rule.get("when", {}).items()):
            continue
        if message == "Update" and "columns" in rule and not changed & set(rule["columns"]):
            continue
        if rule.get("seconds"):
            time.sleep(float(rule["seconds"]))
        if "refuse" in rule:
            raise DataverseError(400, "0x80040265", str(rule["refuse"]))
        if "crash" in rule:
            raise DataverseError(500, "0x80040224", str(rule["crash"]))
        for name, value in rule.get("set", {}).items():
            row[name] = value
            touched.add(name)
        for name, how in rule.get("change", {}).items():
            if isinstance(row.get(name), str):
                row[name] = _CHANGES[how](row[name])
                touched.add(name)
    return touched
