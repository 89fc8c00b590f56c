"""An undo, the undo of that, and so on: after each the org is what it was at the moment that it goes back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backhaul.config import Step, load_project
from backhaul.simulator import Running
from backhaul.workflow import Workspace, exit_code
from tests.undo.conftest import Row, Tried, differences

BEFORE: list[Row] = [
    ("M1", "One", "one@example.com", 1.5, False),
    ("M2", "Two", "", None, False),
    ("M3", "Three", "three@example.com", 3, True),
]
AFTER: list[Row] = [
    ("M1", "One more", "one@example.com", 10, True),
    ("M2", "Two", "", 2, False),
    ("M3", "Three", "three@example.com", None, True),
    ("M4", "Four", "four@example.com", 4, True),
]
LEVELS, MOST_LEVELS = 3, 5
"""Odd ones: so many lead back to the moment before the run. Three make what was made anew anew."""
MODES = ("insert", "update", "upsert", "delete")


def named(tried: Tried, records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by what they hold rather than by their ids, which a record that is made anew has not kept."""
    n = tried.names
    kept = {n["id"], "CreatedDate", "CreatedById"}
    return {
        f"{row[n['name']]} {row[n['member']]}": {name: value for name, value in row.items() if name not in kept}
        for row in records.values()
    }


BETWEEN = {"salesforce": ("at once", "imported", "emptied bin"), "dynamics": ("at once", "imported")}
"""Dataverse has no recycle bin."""
CASES = [
    *((crm, mode, between) for crm, ways in BETWEEN.items() for mode in MODES for between in ways),
    # What an undo asks of another warehouse is the same whatever was written.
    *(("salesforce postgres", mode, "emptied bin") for mode in ("upsert", "delete")),
]
DEEPEST = (
    ("salesforce", "upsert", "emptied bin"),
    ("salesforce", "delete", "emptied bin"),
    ("dynamics", "delete", "imported"),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tried", "mode", "between", "levels"),
    [(*case, MOST_LEVELS if case in DEEPEST else LEVELS) for case in CASES],
    indirect=["tried"],
)
def test_every_level_goes_back_one(tried: Tried, mode: str, between: str, levels: int) -> None:
    """Apply, undo, undo that undo, undo that: with an import in between or none, and with an emptied recycle bin."""
    n = tried.names
    tried.seed(BEFORE if mode != "insert" else [])
    moments = [named(tried, tried.live())]
    tried.people(BEFORE if mode == "delete" else AFTER)
    ids = set(tried.live())
    run = tried.run(mode)
    assert exit_code(run.state) == 0, [step.message for step in run.steps]
    moments.append(named(tried, tried.live()))
    assert moments[0] != moments[1]
    runs = [run.run_id]
    for level in range(levels):
        gone = sorted(ids - set(tried.live()))
        ids |= set(tried.live())
        if between == "emptied bin" and tried.crm == "salesforce" and gone:
            tried.org.purge(n["object"], gone)
        if between != "at once":
            tried.later()
            tried.run("import")
        undone = tried.undo(runs[-1], "only_tighten")
        assert exit_code(undone.state) == 0, (level, [step.message for step in undone.steps])
        runs.append(undone.run_id)
        ids |= set(tried.live())
        assert differences(named(tried, tried.live()), moments[level % 2]) == [], level
        # Called again there is nothing left to do.
        assert tried.undo(runs[-2], "only_tighten").steps[-1].rows == 0, level
    # The org is at the moment before the run. Whichever of the runs is undone that led away from it, nothing happens.
    for earlier in runs[:-1:2]:
        assert tried.undo(earlier, "only_tighten").steps[-1].rows == 0
    assert differences(named(tried, tried.live()), moments[0]) == []


@pytest.mark.slow
def test_what_was_made_anew_is_the_records_own_heir(tried: Tried) -> None:
    """An insert undone, and done again under other ids: it is not made twice, is taken back, and can be made again."""
    tried.people(AFTER[:2])
    first = tried.run("insert")
    made = list(tried.live())
    undone = tried.undo(first.run_id)
    if tried.crm == "salesforce":
        tried.org.purge("Contact", made)
    again = tried.undo(undone.run_id)
    assert exit_code(again.state) == 0, again.steps[-1].message
    assert len(tried.live()) == 2 and (tried.crm == "dynamics" or not set(tried.live()) & set(made))
    assert tried.run("insert").steps[-1].details["skipped"] == {"created before": 2}
    assert exit_code(tried.undo(first.run_id).state) == 0
    assert tried.live() == {}
    assert tried.run("insert").steps[-1].details["created"] == 2
    assert len(tried.live()) == 2


@pytest.mark.slow
def test_values_go_back_to_what_was_made_anew(tried: Tried) -> None:
    """An update, then a delete that is undone where the bin was emptied: the update's undo finds the new record."""
    n = tried.names
    ids = tried.seed(BEFORE[:2])
    before = named(tried, tried.live())
    tried.people([("M1", "Other", "", 7, False), ("M2", "Two", "", 8, False)])
    updated = tried.run("update")
    deleted = tried.run("delete")
    assert tried.live() == {}
    if tried.crm == "salesforce":
        tried.org.purge("Contact", ids)
    tried.undo(deleted.run_id)
    assert sorted(row[n["name"]] for row in tried.live().values()) == ["Other", "Two"]
    assert exit_code(tried.undo(updated.run_id).state) == 0
    assert differences(named(tried, tried.live()), before) == []


@pytest.mark.slow
def test_what_somebody_deleted_after_it_was_brought_back_stays_deleted(tried: Tried) -> None:
    """Neither the same undo nor an upsert makes it again."""
    ids = tried.seed(BEFORE[:1])
    tried.people(BEFORE[:1])
    deleted = tried.run("delete")
    assert exit_code(tried.undo(deleted.run_id).state) == 0 and len(tried.live()) == 1
    tried.later()
    tried.run("import")
    tried.org.delete(tried.names["object"], ids)
    tried.later()
    with tried.open() as workspace:
        workspace.run_steps(gone_too(tried, workspace), command="import")
    assert [row["symbol"] for row in tried.shown(deleted.run_id)] == ["gone"]
    assert tried.undo(deleted.run_id).steps[-1].rows == 0
    assert tried.run("upsert").steps[-1].details["skipped"] == {"deleted": 1}
    assert tried.live() == {}


def gone_too(tried: Tried, workspace: Workspace) -> list[Step]:
    """The steps that read the object and its deletions."""
    whole = f"{tried.crm}.{tried.names['object']}"
    path = tried.folder / f"pipelines/{tried.crm}_gone_too.yml"
    path.write_text(f"steps:\n  - import: {whole}\n  - import_deleted: {whole}\n", encoding="utf-8")
    return list(load_project(tried.folder, environ=tried.orgs.environment).pipelines[path.stem].steps)


def test_the_rejects_of_an_undo_many_levels_deep_have_a_file(tmp_path: Path, orgs: Running) -> None:
    tried = Tried(tmp_path, orgs, "salesforce")
    names = ["undo_20261128T180000000-abcdef_" * 9 + step for step in ("one", "two")]
    with tried.open() as workspace:
        files = [workspace.rejects_file(name) for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".csv.new").write_text("key\n", encoding="utf-8")
        file.unlink(missing_ok=True)
    assert files[0] != files[1]
