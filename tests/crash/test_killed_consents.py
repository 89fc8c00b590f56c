"""A run killed while the opt-out of a refused row was still to be written by itself: written later, counted on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.simulator import Running
from backhaul.workflow import Workspace, exit_code
from tests.undo.conftest import Tried

from .doomed import Children

MOMENTS = (
    ("after settle", 0),
    ("before batch_sent", 1),
    ("after batch_sent", 1),
    ("after send", -1),
    ("after settle", 1),
)
"""(boundary, its place among those of this name): the second batch of the plan is that of the opt-outs alone."""


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    made = Children()
    yield made
    made.close()


def refused(tried: Tried) -> str:
    """One person whose new name the CRM refuses, and who has opted out; gives the id."""
    tried.org.reset()
    (one,) = tried.seed([("M1", "One", "", 1, False)])
    tried.people([("M1", "Bad", "", 2, True)])
    if tried.crm == "salesforce":
        rule: dict[str, Any] = {"object": "Contact", "condition": "LastName = 'Bad'", "message": "Not this one."}
        tried.org.settings({"validation_rules": [rule]})
    else:
        plugin = {"object": "contact", "when": {"lastname": "Bad"}, "refuse": "Not this one."}
        tried.org.verbs["plugins"](plugin)
    return one


def child(tried: Tried, children: Children, boundary: int) -> dict[str, Any]:
    task: dict[str, Any] = {
        "folder": str(tried.folder),
        "environment": tried.orgs.environment,
        "boundary": boundary,
    }
    return children.run({**task, "pipeline": f"{tried.crm}_update"})


def attempts(workspace: Workspace) -> int:
    (reject,) = workspace.ledger.rejects()
    return int(reject["attempts"])


@pytest.mark.parametrize("crm", ["salesforce", pytest.param("dynamics", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("moment", "place"), [MOMENTS[0], *(pytest.param(*one, marks=pytest.mark.slow) for one in MOMENTS[1:])]
)
def test_a_refused_row_goes_on_counting(
    tmp_path: Path, orgs: Running, children: Children, crm: str, moment: str, place: int
) -> None:
    whole = Tried(tmp_path / "whole", orgs, crm)
    refused(whole)
    names = child(whole, children, 0)["names"]
    boundary = [number for number, name in enumerate(names, 1) if name == moment][place]
    tried = Tried(tmp_path / "killed", orgs, crm)
    one = refused(tried)
    assert os.WIFSIGNALED(child(tried, children, boundary)["status"])
    tried.later()
    second = tried.run("update", allow=["max_shrink", "constant"])
    assert exit_code(second.state) == 3, [step.message for step in second.steps]
    assert tried.live()[one][tried.names["out"]] is True
    with tried.open() as workspace:
        known = attempts(workspace)
    # Where the kill left no doubt about the opt-out the row is held back, and was tried once; else it was sent again.
    assert known == (1 if second.steps[-1].details["skipped"].get("held") else 2), second.steps[-1].details
    tried.later()
    third = tried.run("update", retry=True)
    assert exit_code(third.state) == 3
    with tried.open() as workspace:
        assert attempts(workspace) == known + 1
