"""What a run wrote is put back, on both CRMs, and what others changed since is left alone."""

from __future__ import annotations

import pytest

from backhaul.errors import ConfigurationError, StepFailed
from backhaul.workflow import exit_code
from tests.undo.conftest import ON_POSTGRES_TOO, Row, Tried, differences

pytestmark = ON_POSTGRES_TOO

BEFORE: list[Row] = [
    ("M1", "One", "one@example.com", 1.5, False),
    ("M2", "Two", "", None, False),
    ("M3", "Three", "three@example.com", 3, True),
]
AFTER: list[Row] = [
    ("M1", "One more", "one@example.com", 10, False),
    ("M2", "Two", "", 2, False),
    ("M3", "Three", "three@example.com", None, True),
    ("M4", "Four", "four@example.com", 4, True),
]


@pytest.mark.parametrize(
    "mode", ["delete", *(pytest.param(one, marks=pytest.mark.slow) for one in ("insert", "update", "upsert"))]
)
@pytest.mark.parametrize(
    "import_between", [pytest.param(False, marks=pytest.mark.slow), True], ids=["at once", "after an import"]
)
def test_undo_restores_the_org(tried: Tried, mode: str, import_between: bool) -> None:
    tried.seed(BEFORE)
    before = tried.live()
    tried.people(AFTER)
    result = tried.run(mode)
    assert exit_code(result.state) == 0, [step.message for step in result.steps]
    changed = tried.live()
    assert changed != before
    if import_between:
        tried.later()
        tried.run("import")
    undone = tried.undo(result.run_id)
    assert exit_code(undone.state) == 0, [step.message for step in undone.steps]
    assert differences(tried.live(), before) == []
    again = tried.undo(result.run_id)
    assert again.steps[-1].rows == 0 and tried.live() == before
    # And the undo is a run like any other.
    redone = tried.undo(undone.run_id)
    assert exit_code(redone.state) == 0, [step.message for step in redone.steps]
    if mode in ("update", "delete"):
        assert differences(tried.live(), changed) == []
    else:
        assert sorted(r[tried.names["name"]] for r in tried.live().values()) == sorted(
            r[tried.names["name"]] for r in changed.values()
        )


def test_what_somebody_changed_since_is_left_and_told(tried: Tried) -> None:
    ids = tried.seed(BEFORE)
    n = tried.names
    tried.people(AFTER[:3])
    result = tried.run("update")
    tried.later()
    tried.org.change(n["object"], [{n["id"]: ids[0], n["name"]: "Renamed by a person"}])
    tried.later()
    tried.run("import")
    rows = {(row["id"], row["action"]): row for row in tried.shown(result.run_id)}
    assert set(rows[ids[0], "update"]["changes"]) == {n["score"]}
    left = rows[ids[0], "skip"]
    assert left["symbol"] == "changed" and left["changes"] == {n["name"]: ("Renamed by a person", "One")}
    assert exit_code(tried.undo(result.run_id).state) == 0
    held = tried.live()
    assert [held[one][n["name"]] for one in ids] == ["Renamed by a person", "Two", "Three"]
    assert [float(held[one][n["score"]] or 0) for one in ids] == [1.5, 0, 3]


@pytest.mark.slow
def test_a_later_run_of_ours_is_not_undone_with_an_earlier_one(tried: Tried) -> None:
    ids = tried.seed(BEFORE[:1])
    n = tried.names
    tried.people([("M1", "First", "", 7, False)])
    first = tried.run("update")
    tried.people([("M1", "Second", "", 7, False)])
    second = tried.run("update")
    tried.undo(first.run_id)
    assert tried.live()[ids[0]][n["name"]] == "Second" and float(tried.live()[ids[0]][n["score"]]) == 1.5
    tried.undo(second.run_id)
    assert tried.live()[ids[0]][n["name"]] == "First"
    tried.undo(first.run_id)
    assert tried.live()[ids[0]][n["name"]] == "One"


def test_an_opt_out_is_not_taken_back_unless_somebody_says_so(tried: Tried) -> None:
    ids = tried.seed(BEFORE[:1])
    n = tried.names
    tried.people([("M1", "One", "", 9, True)])
    result = tried.run("update")
    rows = tried.shown(result.run_id)
    assert [row["symbol"] for row in rows if n["out"] in row["changes"]] == ["only_tighten"]
    tried.undo(result.run_id)
    held = tried.live()[ids[0]]
    assert held[n["out"]] is True and float(held[n["score"]]) == 1.5
    tried.undo(result.run_id, "only_tighten")
    assert tried.live()[ids[0]][n["out"]] is False


def test_a_record_that_somebody_has_worked_on_is_not_deleted(tried: Tried) -> None:
    n = tried.names
    tried.people(AFTER[:2])
    result = tried.run("insert")
    ids = sorted(tried.live(), key=lambda one: str(tried.live()[one][n["name"]]))
    tried.later()
    # Not even a field that the run knows of.
    other = "Title" if tried.crm == "salesforce" else "jobtitle"
    tried.org.change(n["object"], [{n["id"]: ids[0], other: "Director"}])
    tried.later()
    tried.run("import")
    tried.undo(result.run_id)
    assert list(tried.live()) == ids[:1]


def test_guards_hold_an_undo_as_they_hold_its_step(tried: Tried) -> None:
    path = tried.folder / f"pipelines/{tried.crm}_insert.yml"
    path.write_text(path.read_text().replace("max_shrink: 1", "max_deletes: 1, max_shrink: 1"), encoding="utf-8")
    tried.people(AFTER)
    result = tried.run("insert")
    held = tried.undo(result.run_id)
    assert held.steps[-1].state == "blocked" and "max_deletes" in held.steps[-1].message
    shown = f"backhaul undo {result.run_id}"
    assert f"next: {shown} to look at it, then {shown} --apply --allow max_deletes" in held.steps[-1].message
    assert len(tried.live()) == 4
    assert exit_code(tried.undo(result.run_id, "max_deletes").state) == 0
    assert tried.live() == {}


def test_a_run_that_is_not_there_and_one_that_wrote_nothing(tried: Tried) -> None:
    tried.people(AFTER)
    put = tried.run("insert")
    read = tried.run("import")
    with pytest.raises(ConfigurationError) as unknown:
        tried.undo("yesterday's")
    assert "there is no run" in str(unknown.value) and put.run_id in str(unknown.value)
    with pytest.raises(StepFailed, match="nothing to undo"):
        tried.undo(read.run_id)


@pytest.mark.slow
def test_rows_that_were_never_answered_are_told(tried: Tried) -> None:
    if tried.crm == "dynamics":
        pytest.skip("creates are repeatable there: none is left in doubt")
    tried.people(AFTER)
    tried.org.faults.add(
        {"match": {"path": "/composite/sobjects"}, "skip": 0, "times": 1, "action": {"drop_reply": True}}
    )
    result = tried.run("insert")
    assert {row["symbol"] for row in tried.shown(result.run_id)} == {"in doubt"}
    assert len(tried.live()) == 4


@pytest.mark.slow
def test_a_row_whose_record_was_undone_can_be_inserted_again(tried: Tried) -> None:
    """Each record is there once, whatever is undone and done again; what a person deleted does not come back."""
    n = tried.names
    tried.people(AFTER[:3])
    first = tried.run("insert")
    assert tried.run("insert").steps[-1].details["skipped"] == {"created before": 3}
    tried.later()
    tried.run("import")
    undone = tried.undo(first.run_id)
    assert exit_code(undone.state) == 0 and tried.live() == {}
    # The undo is undone: the records are back, and are not made a second time.
    tried.later()
    tried.run("import")
    assert exit_code(tried.undo(undone.run_id).state) == 0
    assert len(tried.live()) == 3
    tried.later()
    again = tried.run("insert").steps[-1]
    assert (again.rows, len(tried.live())) == (0, 3), again.details
    assert exit_code(tried.undo(first.run_id).state) == 0

    assert tried.live() == {}
    tried.later()
    second = tried.run("insert")
    assert second.steps[-1].details["created"] == 3, second.steps[-1].details
    assert sorted(row[n["name"]] for row in tried.live().values()) == ["One more", "Three", "Two"]
    assert tried.run("insert").steps[-1].rows == 0
    tried.later()
    tried.run("import")
    somebody_deleted = next(one for one, row in tried.live().items() if row[n["name"]] == "Two")
    tried.org.delete(n["object"], [somebody_deleted])
    tried.later()
    assert tried.run("insert").steps[-1].rows == 0
    assert exit_code(tried.undo(second.run_id).state) == 0
    assert tried.live() == {}
