"""Imports through the real connectors from both simulated orgs, over their sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import Project, load_project
from backhaul.crm import Connector, open_connector
from backhaul.crm.http import RetryPolicy
from backhaul.errors import BackhaulError, ConfigurationError
from backhaul.importing import ImportResult, import_deleted, import_object, mirror_sql, states
from backhaul.simulator import Running, start
from backhaul.warehouse import Warehouse, open_warehouse

ROOT = Path(__file__).resolve().parents[2]
QUICK = {("Contact", 90)}
"""The deletions that the default run tries; all are tried by the longer one."""
SOURCES = {
    "salesforce": """
account: salesforce
objects:
  Contact:
    fields:
      - {name: Birthdate, convert: date_only}
      - LastName
      - Email
      - Phone
      - Campaign_Score__c
      - HasOptedOutOfEmail
      - Last_Open__c
  Lead:
    road: bulk
    fields: [LastName, Company, AnnualRevenue]
  Account:
    overlap: 0s
    fields: [Name]
""",
    "dynamics": """
account: dynamics
objects:
  contact:
    fields: [lastname, emailaddress1, birthdate, donotbulkemail, new_campaignscore, new_lastopen, ownerid]
""",
}


class Site:
    """A project of its own between the two simulated orgs and one warehouse file."""

    def __init__(self, folder: Path, running: Running) -> None:
        for name in ("profiles", "sources", "pipelines", "transforms"):
            (folder / name).mkdir()
        (folder / "profiles" / "demo.yml").write_text((ROOT / "profiles" / "demo.yml").read_text())
        for name, text in SOURCES.items():
            (folder / "sources" / f"{name}.yml").write_text(text)
        self.running = running
        self.folder = folder
        self.project: Project = load_project(folder, environ=running.environment)
        self.warehouse: Warehouse = open_warehouse(self.project.profile.warehouse, folder)

    def org(self, account: str) -> Any:
        return self.running.salesforce if account == "salesforce" else self.running.dynamics

    def run(self, account: str, object: str, deleted: bool = False) -> ImportResult:
        config = self.project.sources[account].objects[object]
        quick = RetryPolicy(attempts=3, sleep=lambda seconds: None)
        with closing(open_connector(self.project.profile.accounts[account], policy=quick)) as connector:
            call: Any = import_deleted if deleted else import_object
            return self._call(call, connector, config, f"LASTIMPORT_{account}_{object}_{deleted}")

    def _call(self, call: Any, connector: Connector, config: Any, option: str) -> ImportResult:
        result: ImportResult = call(
            self.project,
            self.warehouse,
            connector,
            config,
            option=option,
            spool_root=self.project.state_folder / "spool",
            progress=lambda rows, expected: None,
        )
        return result

    def mirror(self, account: str, object: str, id_field: str, cursor: str) -> dict[str, dict[str, Any]]:
        rows = self.warehouse.rows(mirror_sql(self.warehouse, account, object, id_field, cursor))
        return {row[id_field]: row for row in rows}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    simulators = start(tmp_path_factory.mktemp("simulators"), persistent=False)
    yield simulators
    simulators.stop()


@pytest.fixture
def site(tmp_path: Path, running: Running) -> Iterator[Site]:
    running.salesforce.reset()
    running.dynamics.reset()
    made = Site(tmp_path, running)
    with made.warehouse:
        yield made


def test_salesforce_contacts_come_change_and_go(site: Site) -> None:
    org = site.org("salesforce")
    ids = org.seed(
        "Contact",
        [
            {"LastName": "Null", "Email": "a@example.com", "Phone": "007", "Birthdate": "1900-02-28"},
            {"LastName": 'says "hi",\nthen NA', "Campaign_Score__c": 12.5, "Last_Open__c": "2026-03-01T10:00:00.000Z"},
            {"LastName": "NA", "HasOptedOutOfEmail": True},
        ],
        modified_at=org.clock.now() - timedelta(hours=1),
    )
    first = site.run("salesforce", "Contact")
    assert (first.rows_received, first.rows_loaded, first.start) == (3, 3, None)
    mirror = site.mirror("salesforce", "Contact", "Id", "LastModifiedDate")
    assert [mirror[one]["LastName"] for one in ids] == ["Null", 'says "hi",\nthen NA', "NA"]
    assert [mirror[one]["HasOptedOutOfEmail"] for one in ids] == [False, False, True]
    assert (mirror[ids[0]]["Phone"], str(mirror[ids[0]]["Birthdate"])) == ("007", "1900-02-28")
    assert mirror[ids[1]]["Campaign_Score__c"] == Decimal("12.5")
    assert mirror[ids[1]]["Last_Open__c"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    # Only what changed moves.
    org.clock.advance(3600)
    assert site.run("salesforce", "Contact").rows_received == 0
    org.change("Contact", [{"Id": ids[0], "Email": None}])
    org.clock.advance(60)
    second = site.run("salesforce", "Contact")
    assert (second.rows_received, second.rows_loaded) == (1, 1)
    assert site.mirror("salesforce", "Contact", "Id", "LastModifiedDate")[ids[0]]["Email"] is None
    # Deletions are listed by the CRM.
    org.delete("Contact", [ids[2]])
    org.clock.advance(60)
    gone = site.run("salesforce", "Contact", deleted=True)
    assert gone.rows_loaded == 1
    assert set(site.mirror("salesforce", "Contact", "Id", "LastModifiedDate")) == set(ids[:2])
    assert site.run("salesforce", "Contact", deleted=True).rows_loaded == 0
    assert {state.option_name for state in states(site.project, site.warehouse)} == {
        "LASTIMPORT_salesforce_Contact_False",
        "LASTIMPORT_salesforce_Contact_True",
    }


@pytest.mark.parametrize(
    ("object", "field", "seconds"),
    [
        pytest.param(*one, seconds, marks=[] if (one[0], seconds) in QUICK else [pytest.mark.slow])
        for one in (("Contact", "LastName"), ("Account", "Name"))
        for seconds in (0, 30, 90, 86_400)
    ],
)
def test_what_was_purged_from_salesforce_leaves_the_mirror(site: Site, object: str, field: str, seconds: int) -> None:
    """The recycle bin no longer has it, the delete log does, by whole minutes: found at the latest next time."""
    org = site.org("salesforce")
    ids = org.seed(object, [{field: "A"}, {field: "B"}], modified_at=org.clock.now() - timedelta(hours=1))
    site.run("salesforce", object)
    site.run("salesforce", object, deleted=True)
    org.clock.set(org.clock.now().replace(second=10, microsecond=0) + timedelta(hours=1))
    org.delete(object, [ids[0]], purge=True)
    org.clock.advance(seconds)
    found = site.run("salesforce", object, deleted=True).rows_loaded
    org.clock.advance(90)
    assert found + site.run("salesforce", object, deleted=True).rows_loaded == 1
    assert found or seconds < 60
    assert set(site.mirror("salesforce", object, "Id", "LastModifiedDate")) == {ids[1]}


def test_salesforce_leads_come_by_bulk_pages(site: Site) -> None:
    org = site.org("salesforce")
    org.settings({"bulk_page_rows": 100})
    org.generate("Lead", 350)
    org.clock.advance(5)
    result = site.run("salesforce", "Lead")
    assert (result.rows_received, result.rows_loaded, result.pages) == (350, 350, 4)
    seeded = {row["Id"]: row for row in org.dump("Lead")}
    mirror = site.mirror("salesforce", "Lead", "Id", "LastModifiedDate")
    assert {key: row["LastName"] for key, row in mirror.items()} == {
        key: row["LastName"] for key, row in seeded.items()
    }
    assert site.run("salesforce", "Lead").rows_loaded == 0


def test_dynamics_contacts_come_change_and_vanish(site: Site) -> None:
    org = site.org("dynamics")
    earlier = org.clock.now() - timedelta(hours=1)
    people = [
        {"lastname": "Müller", "emailaddress1": "a@example.com", "birthdate": "1980-01-02", "new_campaignscore": 12.5},
        {"lastname": "null", "donotbulkemail": True, "new_lastopen": "2026-03-01T10:00:00Z"},
        {"lastname": "0815"},
    ]
    ids = org.seed("contact", people, modified_at=earlier)
    assert site.run("dynamics", "contact").rows_loaded == 3
    mirror = site.mirror("dynamics", "contact", "contactid", "modifiedon")
    assert [mirror[one]["lastname"] for one in ids] == ["Müller", "null", "0815"]
    assert mirror[ids[0]]["new_campaignscore"] == Decimal("12.5")
    assert str(mirror[ids[0]]["birthdate"]) == "1980-01-02"
    assert mirror[ids[1]]["donotbulkemail"] is True
    assert mirror[ids[1]]["new_lastopen"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    org.clock.advance(3600)
    org.change("contact", [{"contactid": ids[2], "emailaddress1": "new@example.com"}])
    org.clock.advance(60)
    result = site.run("dynamics", "contact")
    assert (result.rows_received, result.rows_loaded) == (1, 1)
    # Purged records leave no trace in the CRM: its ids are compared with what is held.
    org.delete("contact", [ids[0]], purge=True)
    assert site.run("dynamics", "contact", deleted=True).rows_loaded == 1
    assert set(site.mirror("dynamics", "contact", "contactid", "modifiedon")) == set(ids[1:])


@pytest.mark.slow
def test_a_download_that_breaks_off_fails_and_the_next_run_has_everything(site: Site) -> None:
    org = site.org("salesforce")
    org.settings({"bulk_page_rows": 100})
    org.generate("Lead", 250)
    org.clock.advance(5)
    results = {"method": "GET", "path": "/jobs/query/[^/]+/results"}
    org.faults.add({"match": results, "skip": 1, "times": 50, "action": {"status": 503}})
    with pytest.raises(BackhaulError):
        site.run("salesforce", "Lead")
    org.faults.clear()
    result = site.run("salesforce", "Lead")
    assert result.rows_loaded == 250
    assert len(site.mirror("salesforce", "Lead", "Id", "LastModifiedDate")) == 250


def test_a_field_that_the_org_does_not_have(site: Site) -> None:
    (site.folder / "sources" / "dynamics.yml").write_text(SOURCES["dynamics"].replace("lastname", "lastnam"))
    site.project = load_project(site.folder, environ=site.running.environment)
    with pytest.raises(ConfigurationError, match=r"sources/dynamics\.yml:5: dynamics\.contact has no field 'lastnam'"):
        site.run("dynamics", "contact")
