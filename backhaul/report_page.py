"""A plan as one page of HTML for whoever has to agree to it: no script, nothing from the network, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from backhaul.report import shown_time

MOST_ROWS = 2_000
"""Rows of a plan that a page lists; it says how many more there are."""

ORDER = ("refuse", "skip", "delete", "update", "create", "restore")
"""What a person has to look at comes first."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5d6878; --paper: #fbfbfa; --card: #fff; --line: #e3e5e8;
  --old: #fbeceb; --new: #e9f5ec; --refuse: #b42318; --delete: #b42318; --update: #175cd3; --create: #067647;
  --restore: #067647; --skip: #93600a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa4b2; --paper: #14171c; --card: #1b1f26;
  --line: #2c323b; --old: #3a2022; --new: #1c3325; --refuse: #ff8a80; --delete: #ff8a80; --update: #8ab8ff;
  --create: #7ddba0; --restore: #7ddba0; --skip: #f2c063; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 2.5rem 0 .25rem; } h1:first-child { margin-top: 0; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.count { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem; }
.count b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.blocked { border-left: .25rem solid var(--refuse); padding-left: .75rem; color: var(--refuse); }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.value { overflow-wrap: anywhere; white-space: pre-wrap; min-width: 8rem; }
td.old { background: var(--old); } td.new { background: var(--new); }
td.none { color: var(--soft); font-style: italic; }
tr.more td { border-top-color: transparent; }
.refuse, .delete, .update, .create, .restore, .skip { font-weight: 600; white-space: nowrap; }
.refuse { color: var(--refuse); } .delete { color: var(--delete); } .update { color: var(--update); }
.create { color: var(--create); } .restore { color: var(--restore); } .skip { color: var(--skip); }
"""


def plan_page(plans: Sequence[Mapping[str, Any]]) -> str:
    """The page of some plans. A plan holds step, account, object, freshness, counts, fields, reasons, blocked_by, rows.

    `reasons` are mappings of action, symbol, reason and rows; `rows` those of a plan as ``plan --json`` gives them, and
    `more` says how many rows it has beyond them.
    """
    names = ", ".join(str(plan["step"]) for plan in plans)
    body = "".join(_plan(plan) for plan in plans)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Plan: {escape(names)}</title><style>{_STYLE}</style></head><body><main>\n{body}</main></body></html>\n"
    )


def _plan(plan: Mapping[str, Any]) -> str:
    fresh = shown_time(plan["freshness"])
    compared = f"Compared with the mirror of {fresh} UTC." if fresh else "Nothing was imported yet."
    counts = "".join(
        f'<div class="count"><b>{number:,}</b><span class="{_known(action)}">{escape(action)}</span></div>'
        for action, number in plan["counts"].items()
    )
    blocked = "".join(f'<p class="blocked">{escape(sentence)}</p>' for sentence in plan.get("blocked_by", ()))
    parts = [
        f"<h1>{escape(plan['step'])}</h1><p>{escape(plan['object'])} in {escape(plan['account'])}. {compared} "
        f"Nothing has been written.</p>",
        f'<div class="counts">{counts}</div>' if counts else "<p>The model is empty.</p>",
        blocked,
    ]
    if plan["reasons"]:
        rows = [(_Action(one["action"]), one["symbol"], one["reason"], one["rows"]) for one in plan["reasons"]]
        parts.append("<h2>Why</h2>" + _table(("action", "symbol", "reason", "rows"), rows))
    if plan["fields"]:
        parts.append("<h2>Fields that change</h2>" + _table(("field", "rows"), list(plan["fields"].items())))
    rank = {action: number for number, action in enumerate(ORDER)}
    listed = sorted(plan["rows"], key=lambda row: (not row.get("parked"), rank.get(row["action"], len(ORDER))))
    if listed:
        head = "<tr>" + "".join(f"<th>{name}</th>" for name in ("action", "row", "field", "now", "planned")) + "</tr>"
        lines = "".join(_row(row) for row in listed[:MOST_ROWS])
        parts.append(f'<h2>Rows</h2><div class="wide"><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>')
    more = int(plan.get("more", 0)) + max(0, len(listed) - MOST_ROWS)
    if more:
        parts.append(f"<p>And {more:,} rows more, which this page does not list.</p>")
    return "\n".join(part for part in parts if part)


class _Action(str):
    """A cell that is an action, to be coloured as such."""


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: Any) -> str:
    if isinstance(value, _Action):
        return f'<td class="{_known(value)}">{escape(value)}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def _row(row: Mapping[str, Any]) -> str:
    """A planned row: a line a field, what is held on the left, what is planned on the right; then why not."""
    lines = [(one["field"], _value(one["old"], "old"), _value(one["new"], "new")) for one in row["changes"]]
    lines += [
        (f"{one['field']} ({one['kind']}, not written)", _value(one["crm"], ""), _value(one["model"], ""))
        for one in row.get("parked", ())
    ]
    why = ": ".join(part for part in (row["symbol"], row["reason"]) if part)
    if why or not lines:
        lines.append(("", f'<td class="value" colspan="2">{escape(why)}</td>', ""))
    found = []
    for number, (field, old, new) in enumerate(lines):
        action = f'<td class="{_known(row["action"])}">{escape(row["action"])}</td><td>{escape(row["key"])}</td>'
        begin = '<tr class="more"><td></td><td></td>' if number else f"<tr>{action}"
        found.append(f"{begin}<td>{escape(field)}</td>{old}{new}</tr>")
    return "".join(found)


def _value(value: str | None, kind: str) -> str:
    if value is None or value == "":
        return f'<td class="value none {kind}">empty</td>'
    return f'<td class="value {kind}">{escape(value)}</td>'


def _known(action: str) -> str:
    """The class of an action; a word that is none has no colour."""
    return action if action in ORDER else ""
