"""The connectors' contract on Dynamics, over the simulator's socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backhaul.crm.dynamics import DynamicsConnector
from tests.crm.contract import ConnectorContract, Control, Side

NAMES: dict[str, Any] = {
    "object": "contact",
    "near_object": "contacts",
    "id": "contactid",
    "last": "lastname",
    "first": "firstname",
    "email": "emailaddress1",
    "birth": "birthdate",
    "score": "new_campaignscore",
    "opened": "new_lastopen",
    "flag": "donotbulkemail",
    "member": "new_membernumber",
    "text": "description",
    "cursor": "modifiedon",
}
"""The contract's words in an environment that has the template's columns."""


class TestDynamics(ConnectorContract):
    @pytest.fixture
    def side(self, control: Control, opened: Callable[..., DynamicsConnector]) -> Side:
        crm = opened()
        # Columns are asked for by $batch, too: a fault meant for a write must not meet that.
        crm.describe("contact")
        return Side(
            crm=crm,
            control=control,
            **NAMES,
            page_path="/contacts",
            write_path=r"/\$batch",
            write_method="POST",
            update_method="POST",
            unauthorised={"status": 401, "headers": {"WWW-Authenticate": "Bearer"}, "body": ""},
        )
