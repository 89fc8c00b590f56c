"""A comparison of all ids that finds most records gone is not believed: a listing that broke off looks the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backhaul.simulator import Running
from backhaul.workflow import RunResult, Workspace

from .conftest import Tried, failed, reads_well
from .dynamics import by_road

OBJECTS = {"salesforce": ("Contact", "Id", "LastName"), "dynamics": ("contact", "contactid", "lastname")}
WAYS = [
    ("salesforce", ""),
    ("dynamics", "windows"),
    pytest.param("dynamics", "tracked", marks=pytest.mark.slow),
]


class Compared(Tried):
    """A project that reads contacts and compares their ids."""

    def __init__(self, folder: Path, orgs: Running, crm: str, road: str) -> None:
        self.object, self.id, self.last = OBJECTS[crm]
        self.crm, self.target = crm, f"{crm}.{self.object}"
        deleted = f"  - {{import_deleted: {self.target}, compare_ids: true}}\n" if road != "tracked" else ""
        super().__init__(
            folder,
            orgs,
            crm,
            {
                f"sources/{crm}.yml": self.source(""),
                "pipelines/read.yml": f"steps:\n  - import: {self.target}\n{deleted}",
            },
        )
        self.fresh()
        if crm == "dynamics":
            by_road(self, road)

    def source(self, more: str) -> str:
        return f"account: {self.crm}\nobjects:\n  {self.object}: {{fields: [{self.last}]{more}}}\n"

    def seeded(self, rows: int) -> list[str]:
        ids: list[str] = self.org.seed(self.object, [{self.last: f"N{n}"} for n in range(rows)])
        self.org.clock.advance(60)
        assert not failed(self.run("read"))
        return ids

    def gone(self, ids: list[str]) -> None:
        """Delete records so long ago that no list of deletions tells it any more."""
        self.org.delete(self.object, ids)
        self.org.clock.advance(40 * 86_400)
        if self.crm == "dynamics":
            self.org.verbs["expire_tokens"]({"object": self.object})

    def allowed(self) -> RunResult:
        with Workspace(self.project) as workspace:
            return workspace.run("read", allow=["max_vanished"])

    def live(self) -> int:
        (row,) = self.rows(
            f"SELECT count(*) AS n FROM (SELECT * FROM raw.{self.crm}__{self.object} QUALIFY row_number() OVER "
            f"(PARTITION BY {self.id} ORDER BY _backhaul_seen_at DESC, _backhaul_deleted DESC) = 1) "
            "WHERE NOT _backhaul_deleted"
        )
        return int(row["n"])


@pytest.mark.slow
@pytest.mark.parametrize(("crm", "road"), WAYS)
def test_more_than_half_at_once_is_not_believed(tmp_path: Path, orgs: Running, crm: str, road: str) -> None:
    tried = Compared(tmp_path, orgs, crm, road)
    ids = tried.seeded(250)
    tried.gone(ids[:150])
    for _ in range(2):  # it stays so until somebody says that it is right
        (step,) = failed(tried.run("read"))
        assert "150 of 250" in step.message and "--allow max_vanished" in step.message, step.message
        assert reads_well(step.message), step.message
        assert tried.live() == 250
    assert not failed(tried.allowed())
    assert tried.live() == 100
    # A hundred and fewer may all be gone, and so may fewer than half.
    tried.gone(ids[150:])
    assert not failed(tried.run("read"))
    assert tried.live() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("crm", "road"), WAYS[:2])
def test_a_source_may_say_another_share(tmp_path: Path, orgs: Running, crm: str, road: str) -> None:
    tried = Compared(tmp_path, orgs, crm, road)
    ids = tried.seeded(400)
    tried.edit({f"sources/{crm}.yml": tried.source(", max_vanished: 0.25")})
    tried.gone(ids[:120])
    (step,) = failed(tried.run("read"))
    assert "120 of 400" in step.message and "25%" in step.message, step.message
    tried.edit({f"sources/{crm}.yml": tried.source(", max_vanished: 1")})
    assert not failed(tried.run("read"))
    assert tried.live() == 280


@pytest.mark.slow
def test_a_listing_that_breaks_off_marks_nothing_deleted(tmp_path: Path, orgs: Running) -> None:
    """Dataverse announces no number beyond 5,000 records: a page without a link to the next looks like the last one."""
    tried = Compared(tmp_path, orgs, "dynamics", "windows")
    ids = tried.seeded(300)
    page = {"status": 200, "headers": {"Content-Type": "application/json"}}
    body = json.dumps({"value": [{"contactid": ids[0], "@odata.etag": 'W/"1"'}]})
    tried.fault(r"/contacts\?.*select=contactid(&|$)", {**page, "body": body}, method="GET", times=0)
    (step,) = failed(tried.run("read"))
    assert step.kind == "import_deleted" and "299 of 300" in step.message, step.message
    assert tried.live() == 300
    tried.org.faults.clear()
    assert not failed(tried.run("read"))
    assert tried.live() == 300
