"""What holds of every plan and its applying, whatever the model and the CRM hold, on both simulated CRMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backhaul import simulator
from backhaul.workflow import Workspace
from tests.examples import examples

from ..faults.test_cases_exporting import Exporting

VALUES = st.sampled_from(["", "A", "a", "Zoë 漢字", "NA", "0", "null", "it's", "100%", "a;b", "<b>", "x" * 200])
MEMBERS = [f"M{n}" for n in range(6)]


def records(*names: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Up to one record for each member number, with values or without."""
    one = st.fixed_dictionaries(dict.fromkeys(names, VALUES))
    chosen = st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, one))
    return chosen.map(lambda found: [{"member": member, **values} for member, values in found.items()])


@pytest.fixture(scope="module", params=["salesforce", pytest.param("dynamics", marks=pytest.mark.slow)])
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporting]:
    orgs = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    how = (
        "mode: upsert, key: {{{member}: member}}, nulls: clear, guards: {{max_share: 1, constant: pass}}, "
        "batch: {{rows: 2, parallel: 2}}, map: {{{last}: name, {first}: first, {job}: job}}"
    )
    yield Exporting(tmp_path_factory.mktemp("project"), orgs, request.param, how)
    orgs.stop()


@pytest.mark.slow
@settings(
    max_examples=examples(3),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(there=records("last", "first", "job"), wanted=records("name", "first", "job"))
def test_a_plan_is_sent_once_and_leaves_nothing_to_plan(
    tried: Exporting, there: list[dict[str, Any]], wanted: list[dict[str, Any]]
) -> None:
    """The batches are the plan; sent = done + rejected + in doubt; the org holds the model; the next plan is empty."""
    tried.fresh()
    tried.seed([{**row, "last": row["last"][:80] or "Nameless", "first": row["first"][:40]} for row in there])
    tried.want(wanted)
    step = tried.write()
    assert step.state in ("done", "done with rejects"), step.message
    sent = tried.rows(
        "SELECT c.key FROM backhaul.changes AS c WHERE c.action IN ('create', 'update', 'delete') ORDER BY ALL"
    )
    told = tried.rows("SELECT key, state FROM backhaul.outcomes ORDER BY ALL")
    in_batches = tried.rows("SELECT coalesce(sum(rows), 0) AS n FROM backhaul.batches")[0]["n"]
    assert [row["key"] for row in told] == [row["key"] for row in sent]
    assert in_batches == len(sent) == step.details["updated"] + step.details["created"] + step.details["rejected"]
    refused = {row["key"] for row in tried.rows("SELECT key FROM backhaul.rejects")}
    held = {row["member"]: row for row in tried.live()}
    before = {row["member"]: row for row in there}
    for row in wanted:
        if row["member"] in refused:
            continue
        now = held[row["member"]]
        assert (now["last"], now["first"] or "", now["job"] or "") == (row["name"], row["first"], row["job"])
    assert set(held) == set(before) | ({row["member"] for row in wanted} - refused)
    step = tried.write()
    assert (step.rows, tried.written) == (0, 0), step
    with Workspace(tried.project) as workspace:
        assert workspace.ledger.conflicts() == []
