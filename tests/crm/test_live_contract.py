"""The connectors' contract on a real org, for whoever has one: what it creates it deletes, others' records it leaves.

    BACKHAUL_LIVE=PROFILE:ACCOUNT [BACKHAUL_LIVE_PROJECT=FOLDER] pytest tests/crm/test_live_contract.py

The account's user needs the template's columns (README, "A real ... org") and the right to create, change and delete
contacts. What needs a simulator's control door (faults, the clock, thousands of records) is skipped, and not covered.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from backhaul.config import load_project
from backhaul.crm import open_connector
from backhaul.record import Change, Operation
from tests.crm_dynamics.test_contract import NAMES as DYNAMICS

from .contract import ConnectorContract, Control, Side

LIVE = os.environ.get("BACKHAUL_LIVE", "")
if not LIVE:
    pytest.skip(
        "no real org is named: BACKHAUL_LIVE=PROFILE:ACCOUNT runs the contract against one", allow_module_level=True
    )

SALESFORCE: dict[str, Any] = {
    "object": "Contact",
    "near_object": "Contacts",
    "id": "Id",
    "last": "LastName",
    "first": "FirstName",
    "email": "Email",
    "birth": "Birthdate",
    "score": "Campaign_Score__c",
    "opened": "Last_Open__c",
    "flag": "HasOptedOutOfEmail",
    "member": "Member_Number__c",
    "text": "Description",
    "cursor": "SystemModstamp",
}


class NoDoor(Control):
    """A real org has no control door: what asks for one cannot be tried here."""

    def post(self, verb: str, **body: Any) -> NoReturn:
        pytest.skip(f"a real org has no control door ({verb})")

    def fault(self, method: str, path: str, action: Mapping[str, Any], *, skip: int = 0, times: int = 1) -> NoReturn:
        pytest.skip("a real org makes no faults on demand")

    def no_faults(self) -> None:
        return None


class TestLive(ConnectorContract):
    @pytest.fixture
    def side(self) -> Iterator[Side]:
        profile, _, name = LIVE.partition(":")
        folder = Path(os.environ.get("BACKHAUL_LIVE_PROJECT", "."))
        project = load_project(folder, profile=profile)
        account = project.profile.accounts[name]
        crm = open_connector(account)
        crm.describe("contact" if account.crm == "dynamics" else "Contact")
        made = Side(
            crm=crm,
            control=NoDoor(""),
            **(DYNAMICS if account.crm == "dynamics" else SALESFORCE),
            page_path="",
            write_path="",
            write_method="",
            unauthorised={},
            live=f"{uuid.uuid4().hex[:8]}-",
        )
        try:
            yield made
        finally:
            ids = list(dict.fromkeys(made.made))
            for start in range(0, len(ids), crm.batch_rows):
                some = ids[start : start + crm.batch_rows]
                crm.write(made.object, Operation.DELETE, [Change(one, {}, one) for one in some], {})
            crm.close()
