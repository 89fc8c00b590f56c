"""Undo right after apply restores the org exactly, whatever the rows: insert, update, upsert, delete, on both CRMs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul.simulator import Running
from backhaul.workflow import exit_code
from tests.examples import examples
from tests.undo.conftest import Row, Tried, differences

MEMBERS = [f"M{n}" for n in range(8)]
names = st.text(st.sampled_from("abcÄöüß '<&;-éЖ中"), min_size=1, max_size=12).map(lambda t: f"N{t.strip()}")
rows = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS),
        names,
        st.sampled_from(["", "a@example.com", "b@example.org"]),
        st.none() | st.integers(0, 100).map(lambda n: n / 2),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda row: row[0],
)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["insert", "update", "upsert", "delete"])
@pytest.mark.parametrize("crm", ["salesforce", "dynamics"])
@settings(max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=rows, wanted=rows, imported=st.booleans())
def test_undo_right_after_apply_restores_the_org(
    tmp_path_factory: pytest.TempPathFactory,
    orgs: Running,
    crm: str,
    mode: str,
    before: list[Row],
    wanted: list[Row],
    imported: bool,
) -> None:
    folder: Path = tmp_path_factory.mktemp("undone")
    tried = Tried(folder, orgs, crm)
    tried.org.reset()
    tried.seed(before)
    tried.people(wanted)
    held = tried.live()
    result = tried.run(mode)
    assert exit_code(result.state) == 0, [step.message for step in result.steps]
    written = result.steps[-1].rows
    if imported:
        tried.later()
        tried.run("import")
    if written:
        undone = tried.undo(result.run_id, "only_tighten")
        assert exit_code(undone.state) == 0, [step.message for step in undone.steps]
    assert differences(tried.live(), held) == []
