"""The allowance of API requests: nothing begins that would touch the reserve; crowds slow down instead of failing."""

from __future__ import annotations

from typing import Any

import pytest

from backhaul.crm import open_connector
from backhaul.crm.salesforce import SalesforceConnector
from backhaul.errors import CRMError
from backhaul.record import Operation, State
from backhaul.simulator import Running

from ..conftest import Door
from .test_salesforce_contract import QUICK, account_of
from .test_salesforce_ingest import BULK, Org
from .test_salesforce_writing import COLLECTIONS, DESCRIBE, IDS, done, update
from .wire import Answer, Wire, account, refused, token, waits


def opened(used: int, reserve: int, **routes: Any) -> tuple[SalesforceConnector, Wire, list[float]]:
    usage = {"Sforce-Limit-Info": f"api-usage={used}/15000"}
    wire = Wire(
        {
            "POST /services/oauth2/token": token(),
            "GET /services/data/v67.0/sobjects/Contact/describe": Answer(body=DESCRIBE, headers=usage),
            "GET /services/data/v67.0/limits": Answer(
                body={"DailyApiRequests": {"Max": 15000, "Remaining": 15000 - used}}
            ),
            f"PATCH {COLLECTIONS}": done(IDS[0]),
            **routes,
        }
    )
    policy, noted = waits()
    return SalesforceConnector(account(api_reserve=reserve), transport=wire, policy=policy), wire, noted


def test_a_plan_that_needs_more_than_is_free_is_not_begun() -> None:
    crm, wire, _ = opened(14_900, 90)
    assert crm.write_size(Operation.UPDATE, 1_900, {}) == 200
    with pytest.raises(CRMError, match=r"to update 29,000 records needs about 20 API requests, and 5 are free"):
        opened(14_905, 90)[0].write_size(Operation.UPDATE, 29_000, {})
    with pytest.raises(CRMError, match=r"14,900 of 15,000 in 24 hours, and 90 are reserved") as raised:
        crm.write_size(Operation.UPDATE, 100_000, {"road": "rest"})
    assert "api_reserve" in raised.value.hint
    assert [sent.path for sent in wire.sent if "limits" in sent.path] == ["/services/data/v67.0/limits"]


def test_no_request_touches_the_reserve() -> None:
    crm, wire, _ = opened(14_950, 50)
    crm.describe("Contact")
    with pytest.raises(CRMError, match="0 are free"):
        crm.write("Contact", Operation.UPDATE, [update(0)], {})
    assert not wire.paths("PATCH")
    crm, _, _ = opened(14_950, 0)
    crm.describe("Contact")
    assert crm.write("Contact", Operation.UPDATE, [update(0)], {})[0].state is State.DONE


def test_a_job_at_work_is_followed_to_its_end() -> None:
    org = Org()
    crm, wire, _ = opened(0, 50, **org.routes)
    create = org.create

    def spent(sent: Any) -> Answer:
        answer = create(sent)
        return answer

    def closed(sent: Any) -> Answer:
        answer = org.change(sent)
        answer.headers = {"Sforce-Limit-Info": "api-usage=15000/15000"}
        return answer

    wire.routes["POST /services/data/v67.0/jobs/ingest"] = [spent]
    wire.routes["PATCH /services/data/v67.0/jobs/ingest"] = [closed]
    assert crm.write("Contact", Operation.UPDATE, [update(0)], BULK)[0].state is State.DONE


def test_too_many_at_once_slows_down_and_goes_on() -> None:
    crowded = refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
    script: list[Any] = [crowded] * 9 + [done(IDS[0])]
    crm, wire, noted = opened(0, 0, **{f"PATCH {COLLECTIONS}": script})
    assert crm.write("Contact", Operation.UPDATE, [update(0)], {})[0].state is State.DONE
    assert noted == [5.0] * 9
    assert len(wire.paths("PATCH")) == 10


def test_the_simulated_org_tells_its_use(running: Running, salesforce_door: Door) -> None:
    crm = open_connector(account_of(running, api_reserve=10**9), policy=QUICK)
    with pytest.raises(CRMError, match="are reserved"):
        crm.write_size(Operation.UPDATE, 10, {})
