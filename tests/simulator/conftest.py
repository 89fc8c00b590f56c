"""These tests use the Salesforce org only, so only that one is made new for each."""

from __future__ import annotations

import pytest

from backhaul.simulator import Running


@pytest.fixture
def running(simulators: Running) -> Running:
    simulators.salesforce.reset()
    return simulators
