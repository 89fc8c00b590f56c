"""A project from the template, and both simulators with a few hundred of the demo's people in them.

A run of the whole pipeline takes seconds, so the tests of a file share one project and one pair of orgs, and go
through them in the order in which they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from backhaul import simulator
from backhaul.cli.making import make_project
from backhaul.config import load_project
from backhaul.simulator import Running, demo_orgs
from backhaul.workflow import Workspace

PEOPLE = 150

Open = Callable[[], Workspace]


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both orgs with people in them."""
    running = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    demo_orgs.seed(running.salesforce, running.dynamics, people=PEOPLE)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("work") / "project"
    make_project(made, "tried")
    return made


@pytest.fixture(scope="module")
def opened(folder: Path, orgs: Running) -> Open:
    """Opens the project's workspace anew, as every command does."""
    return lambda: Workspace(load_project(folder, environ=orgs.environment))


def an_hour_later(orgs: Running) -> None:
    """Move both orgs' clocks on, so that windows do not overlap what was written before."""
    for org in (orgs.salesforce, orgs.dynamics):
        org.clock.set(org.clock.now() + timedelta(hours=1))
