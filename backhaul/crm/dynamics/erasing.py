"""Bulk delete jobs, for plans that delete very much (dataverse-api.md §5.6).

The service works a job off by itself, row by row and without rollback, and says only how the whole of it ended. So the
ids are looked up afterwards: what is gone is done, and what is still there is deleted by $batch, where each row has an
answer and a reason.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.odata import instant_text
from backhaul.crm.dynamics.rows import Call, Prepared, RowSender
from backhaul.crm.dynamics.service import Service
from backhaul.errors import CRMError, OutcomeInDoubt, TransientError
from backhaul.record import Outcome, State

JOB_FROM = 10_000
"""Rows of a plan from which on jobs are worth their wait in the environment's queue."""
JOB_ROWS = 10_000
"""Records that one job deletes."""
QUERY_ROWS = 500
"""Ids in one query of a job: SQL Server takes about 2,000 parameters, and a query has others, too."""

FIRST_PAUSE, LONGEST_PAUSE, PATIENCE = 2.0, 30.0, 3_600.0
"""Seconds between two looks at a job, growing, and how long it is looked after at all."""

_COMPLETED, _CANCELLED = 3, 32
"""`statecode` of a job that has ended, and the `statuscode` of one that was called off."""


class Eraser:
    """Deletes records of one table by jobs. `existing` tells which of some ids are there."""

    def __init__(
        self, service: Service, table: Table, rows: RowSender, existing: Callable[[Sequence[str]], set[str]]
    ) -> None:
        self._service = service
        self._table = table
        self._rows = rows
        self._existing = existing
        self._stop = threading.Event()

    def interrupt(self) -> None:
        """Let jobs under way be called off, and whoever waits for one end soon."""
        self._stop.set()

    def send(self, call: Call, rows: Sequence[Prepared]) -> None:
        """Settle every row in `call.outcomes`. Raises OutcomeInDoubt when the job does not end in time."""
        try:
            job = self._begin(rows)
        except TransientError:
            raise
        except CRMError:
            # Jobs are a right of their own: without it the rows go as they would without jobs, and say what they lack.
            self._rows.send(call, rows)
            return
        self._wait(job)
        there = self._existing([str(one.record_id) for one in rows])
        for one in rows:
            if one.record_id not in there:
                call.outcomes[one.change.key] = Outcome(one.change.key, State.DONE, one.record_id)
        self._rows.send(call, [one for one in rows if one.record_id in there])

    def _begin(self, rows: Sequence[Prepared]) -> str:
        schema = self._table.schema
        ids = [str(one.record_id) for one in rows]
        body = {
            "QuerySet": [self._query(ids[start : start + QUERY_ROWS]) for start in range(0, len(ids), QUERY_ROWS)],
            "JobName": f"backhaul: delete {len(rows)} of {schema.name}",
            "SendEmailNotification": False,
            "ToRecipients": [],
            "CCRecipients": [],
            "RecurrencePattern": "",
            "StartDateTime": instant_text(self._service.http.server_time or datetime.now(UTC)),
        }
        # Two jobs that delete the same records do no harm, so that a lost reply is answered by asking again.
        reply = self._service.post(
            "BulkDelete", f"delete {schema.name}", json.dumps(body).encode(), {}, repeatable=True
        )
        job = reply.get("JobId") if isinstance(reply, dict) else None
        if not job:
            raise CRMError(f"delete {schema.name}: account '{self._service.account}' named no job")
        return str(job)

    def _query(self, ids: Sequence[str]) -> Mapping[str, Any]:
        condition = {
            "AttributeName": self._table.schema.id_field,
            "Operator": "In",
            "Values": [{"Value": one, "Type": "System.Guid"} for one in ids],
        }
        return {
            "EntityName": self._table.schema.name,
            "Criteria": {"FilterOperator": "And", "Conditions": [condition]},
        }

    def _wait(self, job: str) -> None:
        """Look at the job until it has ended, however it did."""
        purpose = f"delete {self._table.schema.name}"
        path = f"asyncoperations({job})"
        pause, waited = FIRST_PAUSE, 0.0
        while True:
            stand = self._service.get(f"{path}?$select=statecode,statuscode", purpose)
            if stand.get("statecode") == _COMPLETED:
                return
            if self._stop.is_set() or waited >= PATIENCE:
                if self._stop.is_set():
                    self._call_off(path, purpose)
                raise OutcomeInDoubt(
                    f"{purpose}: the bulk delete job {job} of account '{self._service.account}' "
                    + ("was called off" if self._stop.is_set() else f"is not done after {waited:.0f} s"),
                    hint="run it again later: what is gone by then is not asked for again",
                )
            self._service.http.policy.sleep(pause)
            waited += pause
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _call_off(self, path: str, purpose: str) -> None:
        body = json.dumps({"statecode": _COMPLETED, "statuscode": _CANCELLED}).encode()
        try:
            self._service.post(path, purpose, body, {"If-Match": "*"}, method="PATCH", repeatable=True)
        except CRMError:
            return  # it may have ended meanwhile; what it did is seen by the next import
