"""The page of a plan: everything escaped, what needs a look first, bounded, nothing that runs or is fetched."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backhaul.report_page import MOST_ROWS, plan_page


class Reader(HTMLParser):
    """Collects tags and the text of cells, and sees that tags are closed in order."""

    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def row(action: str, key: str, **more: Any) -> dict[str, Any]:
    return {"action": action, "key": key, "changes": [], "symbol": "", "reason": "", "parked": [], **more}


def plan(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for one in rows:
        counts[one["action"]] = counts.get(one["action"], 0) + 1
    about = {"step": "put", "account": "salesforce", "object": "Contact", "freshness": None, "counts": counts}
    return {**about, "fields": {}, "reasons": [], "blocked_by": [], "rows": list(rows), **more}


words = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x>', "&amp;", "</td></table>"]
)


@given(words, words, words.filter(bool))
def test_whatever_stands_in_a_value_is_shown_and_nothing_else(key: str, old: str, new: str) -> None:
    found = read(plan_page([plan(row("update", key, changes=[{"field": "Name", "old": old, "new": new}]))]))
    assert found.cells == ["update", key, "Name", old or "empty", new]
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "img", "link", "iframe", "a"})
    assert not any({"src", "href", "onclick"} & set(attributes) for _, attributes in found.tags)


def test_what_a_person_has_to_look_at_comes_first() -> None:
    parked = [{"field": "Email", "kind": "conflict", "crm": "a@b.c", "model": None}]
    page = plan_page(
        [
            plan(
                row("update", "second"),
                row("refuse", "refused", symbol="KEY_NULL", reason="the key is null"),
                row("skip", "waits", symbol="conflict", reason="both changed it", parked=parked),
            )
        ]
    )
    order = [page.index(f"<td>{key}</td>") for key in ("waits", "refused", "second")]
    assert order == sorted(order) and "KEY_NULL: the key is null" in page


def test_a_long_plan_is_bounded_and_says_so() -> None:
    rows = [row("delete", f"K{n}") for n in range(MOST_ROWS + 5)]
    page = plan_page([plan(*rows, more=100)])
    assert page.count("<tr>") == MOST_ROWS + 1 and "105 rows more" in page
