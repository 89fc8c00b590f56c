from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator_dataverse.environment import Environment, start


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    environment = start(Path(tmp_path_factory.mktemp("dataverse")))
    yield environment
    environment.server.stop()
    environment.org.close()


@pytest.fixture(scope="module")
def env(served: Environment) -> Iterator[Environment]:
    """An organisation that is empty when the module begins."""
    served.org.reset()
    served.sign_in()
    yield served
