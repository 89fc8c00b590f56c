"""Mirror mode with values for those who left, and its undo; a plan file that is applied twice."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from backhaul.cli import cli
from backhaul.workflow import exit_code
from tests.odd.conftest import run, step
from tests.undo.conftest import ON_POSTGRES_TOO, Tried, differences

pytestmark = ON_POSTGRES_TOO


def mirrored(tried: Tried, people: str, *, name: str = "'N' || member") -> None:
    n = tried.names
    step(
        tried,
        f"select member, {name} as name, true as opted_out from (values {people}) as r(member)",
        f"mode: mirror, key: {{{n['member']}: member}}, guards: {{max_deletes: 9, max_shrink: 1, constant: pass}}, "
        f"map: {{{n['name']}: name, {n['out']}: {{from: opted_out, only_tighten: true}}}}, "
        f"archive: {{{n['score']}: '99'}}",
    )


def scores(tried: Tried) -> dict[str, float | None]:
    n = tried.names
    return {row[n["member"]]: row[n["score"]] for row in tried.live().values()}


@pytest.mark.slow
def test_who_left_is_archived_and_an_undo_takes_that_back(tried: Tried) -> None:
    mirrored(tried, "('M1'), ('M2')")
    first = run(tried)
    assert first.details["created"] == 2
    tried.later()
    before = tried.live()
    mirrored(tried, "('M1')")
    with tried.open() as workspace:
        left = workspace.run("odd", allow=["max_shrink", "constant"])
    assert {m: s and float(s) for m, s in scores(tried).items()} == {"M1": None, "M2": 99}
    assert exit_code(tried.undo(left.run_id).state) == 0
    assert differences(tried.live(), before) == []
    assert tried.undo(left.run_id).steps[-1].rows == 0
    # The model has not changed its mind: the next run archives again, once.
    tried.later()
    assert run(tried).rows == 1
    tried.later()
    assert run(tried).rows == 0
    assert all(row[tried.names["out"]] for row in tried.live().values())
    # Whoever comes back is the same record.
    mirrored(tried, "('m1'), ('M2 ')", name="'Other'")
    tried.later()
    assert run(tried).rows == 2 and len(tried.live()) == 2


@pytest.mark.slow
def test_who_left_is_removed_and_removed_again_after_an_undo_made_them_anew(tried: Tried) -> None:
    def people(names: str) -> None:
        n = tried.names
        step(
            tried,
            f"select member, 'N' || member as name from (values {names}) as r(member)",
            f"mode: mirror, key: {{{n['member']}: member}}, guards: {{max_deletes: 9, max_shrink: 1, constant: pass}}, "
            f"map: {{{n['name']}: name}}",
        )

    people("('M1'), ('M2')")
    assert run(tried).details["created"] == 2
    tried.later()
    (gone,) = (one for one, row in tried.live().items() if row[tried.names["member"]] == "M2")
    people("('M1')")
    with tried.open() as workspace:
        left = workspace.run("odd")
    assert len(tried.live()) == 1
    if tried.crm == "salesforce":
        tried.org.purge("Contact", [gone])  # what lies in no recycle bin any more gets another id
    tried.later()
    assert exit_code(tried.undo(left.run_id).state) == 0
    assert len(tried.live()) == 2
    tried.later()
    # The model has not changed its mind.
    assert run(tried).details["deleted"] == 1
    assert [row[tried.names["member"]] for row in tried.live().values()] == ["M1"]
    tried.later()
    assert run(tried).rows == 0


@pytest.mark.slow
def test_a_plan_file_is_applied_once(tried: Tried) -> None:
    n = tried.names
    step(
        tried,
        "select 'M' || n as member, 'N' || n as name from (values (0), (1), (2)) as r(n)",
        f"mode: insert, identify: member, map: {{{n['name']}: name, {n['member']}: member}}",
    )
    with tried.open() as workspace:
        prepared = workspace.run_steps(workspace.pipeline("odd").steps[:2], command="run")
    assert prepared.state == "done", prepared

    def do(*words: str, code: int) -> str:
        told = CliRunner().invoke(cli, [*words, "--project-dir", str(tried.folder)], env=dict(tried.orgs.environment))
        assert told.exit_code == code and "Traceback" not in told.output, told.output
        return told.output

    path = str(tried.folder / "plan.parquet")
    do("plan", "odd", "--out", path, code=0)
    do("apply", path, code=0)
    assert len(tried.live()) == 3
    assert "would be another one by now" in do("apply", path, code=1)
    assert len(tried.live()) == 3
