"""Change tracking, from the table's answers to the raw log: what changed, what was deleted, and a link that expired."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import load_project
from backhaul.crm import no_progress
from backhaul.errors import TransientError
from backhaul.importing import ImportResult, import_deleted, import_object, mirror_sql, set_state
from backhaul.warehouse import Warehouse, open_warehouse
from tests.crm.wire import DATE, Answer, Sent

from .environment import DEFINITIONS, ORIGIN, ROOT, account, connect, error, guid

OPTION = "LASTIMPORT_contact"
PROFILE = f"""
warehouse: {{path: log.duckdb}}
accounts:
  dynamics:
    crm: dynamics
    url: {ORIGIN}
    auth: {{method: client_secret, tenant_id: t, client_id: c, client_secret: s}}
"""
SOURCE = """
account: dynamics
objects:
  contact:
    fields: [lastname, new_walltime, statuscode, parentcustomerid]
"""


JUST_NOW = f"{parsedate_to_datetime(DATE) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"


class Tracked:
    """Contacts whose changes are tracked, as dataverse-api.md §4 tells: `version!time` tokens, deletions after rows."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.deleted: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.version = 100
        self.oldest = 0
        self.refusal: Answer | None = None
        self.page = 3
        self.origin = ORIGIN
        self.asked: list[Sent] = []
        self.broken: list[int] = []
        self.headers = {"Content-Type": "application/json", "Preference-Applied": "odata.track-changes"}

    def put(self, number: int, **values: Any) -> None:
        self.version += 1
        identifier = guid(number)
        row = self.rows.setdefault(identifier, {"contactid": identifier, "statuscode": 1})
        row.update({"modifiedon": "2026-11-20T10:00:00Z", **values})
        self.versions[identifier] = self.version

    def remove(self, number: int) -> None:
        self.version += 1
        del self.rows[guid(number)]
        self.deleted[guid(number)] = self.version

    def answer(self, sent: Sent) -> Answer:
        self.asked.append(sent)
        if len(self.asked) in self.broken:
            return Answer(503, "<html>")
        if self.refusal is not None:
            return self.refusal
        if "odata.track-changes" not in sent.headers["Prefer"]:
            return self.plain(sent)
        assert not {"$filter", "$orderby", "$top", "$expand"} & set(sent.query), sent.query
        since = int(sent.query.get("$deltatoken", ["-1!x"])[0].split("!")[0])
        if 0 <= since < self.oldest:
            return error(
                400, "0x80044352", "Version stamp associated with the client has expired. Please perform a full sync."
            )
        select = sent.query["$select"][0]
        entries: list[dict[str, Any]] = [
            {"@odata.etag": f'W/"{self.versions[name]}"', **self._shown(row)}
            for name, row in sorted(self.rows.items(), key=lambda item: self.versions[item[0]])
            if self.versions[name] > since
        ]
        if since >= 0:
            entries += [
                {
                    "@odata.context": f"{self.origin}{ROOT}$metadata#contacts/$deletedEntity",
                    "id": name,
                    "reason": "deleted",
                }
                for name, version in self.deleted.items()
                if version > since
            ]
        # A page begins behind the last entry of the one before, whatever went meanwhile.
        places = [
            (1, self.deleted[entry["id"]]) if "id" in entry else (0, self.versions[entry["contactid"]])
            for entry in entries
        ]
        kind, version = map(int, sent.query.get("$skiptoken", ["0-0"])[0].split("-"))
        start = sum(place <= (kind, version) for place in places)
        token = f"&$deltatoken={since}%21x" if since >= 0 else ""
        body: dict[str, Any] = {"@odata.context": f"{self.origin}{ROOT}$metadata#contacts/$delta"}
        body["value"] = entries[start : start + self.page]
        if start + self.page < len(entries):
            last = places[start + self.page - 1]
            body["@odata.nextLink"] = (
                f"{self.origin}{ROOT}contacts?$select={select}{token}&$skiptoken={last[0]}-{last[1]}"
            )
        else:
            token = f"{self.version}%2111%2f20%2f2026%2010%3a00%3a00"
            body["@odata.deltaLink"] = f"{self.origin}{ROOT}contacts?$select={select}&$deltatoken={token}"
        return Answer(200, json.dumps(body, separators=(",", ":")), self.headers)

    def plain(self, sent: Sent) -> Answer:
        """All rows, or those with a stamp in the window that is asked for."""
        found = list(self.rows.values())
        bounds = re.findall(r"modifiedon (ge|lt) ([0-9T:Z-]+)", sent.query.get("$filter", [""])[0])
        for operator, bound in bounds:
            found = [row for row in found if (row["modifiedon"] >= bound) == (operator == "ge")]
        rows = [{"@odata.etag": 'W/"1"', **self._shown(row)} for row in found]
        return Answer(200, json.dumps({"@odata.count": len(rows), "value": rows}, separators=(",", ":")))

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        shown = {"lastname": None, "new_walltime": None, "_parentcustomerid_value": None, **row}
        shown["statuscode@OData.Community.Display.V1.FormattedValue"] = {1: "Active", 2: "Inactive"}[row["statuscode"]]
        if shown["_parentcustomerid_value"]:
            shown["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] = "account"
            shown["_parentcustomerid_value@OData.Community.Display.V1.FormattedValue"] = "Acme"
        return shown


class Site:
    """A project over the tracked table: the real engine, the real connector, a transport instead of the wire."""

    def __init__(self, folder: Path, warehouse: Warehouse) -> None:
        self.folder, self.warehouse = folder, warehouse
        self.table = Tracked()
        self.definition = {**DEFINITIONS[0], "ChangeTrackingEnabled": True}
        self.source = SOURCE

    def run(self, **options: Any) -> ImportResult:
        return self._call(import_object, OPTION, options)

    def run_deleted(self) -> ImportResult:
        return self._call(import_deleted, "LASTDELETED", {})

    def _call(self, call: Any, option: str, options: dict[str, Any]) -> ImportResult:
        (self.folder / "sources" / "dynamics.yml").write_text(self.source)
        project = load_project(self.folder, environ={})
        routes: dict[str, Any] = {
            f"GET {ROOT}EntityDefinitions(LogicalName='contact')": Answer(body=self.definition),
            f"GET {ROOT}contacts": self.table.answer,
            f"GET {ROOT}WhoAmI": Answer(body={"UserId": "u", "OrganizationId": "o"}),
        }
        few = (200, {"Content-Type": "application/json"}, b'{"@odata.count":1,"value":[]}')
        at = account(url=self.table.origin)
        crm, _, _ = connect(routes, lambda *_: few, page_rows=self.table.page, account=at)
        result: ImportResult = call(
            project, self.warehouse, crm, project.sources["dynamics"].objects["contact"], option=option,
            spool_root=project.state_folder / "spool", progress=no_progress, **options,
        )  # fmt: skip
        return result

    def mirror(self) -> dict[str, dict[str, Any]]:
        sql = mirror_sql(self.warehouse, "dynamics", "contact", "contactid", "modifiedon")
        return {row["contactid"]: row for row in self.warehouse.rows(sql)}

    def names(self) -> list[str]:
        return sorted(row["lastname"] for row in self.mirror().values())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    for name in ("profiles", "sources", "pipelines", "transforms"):
        (tmp_path / name).mkdir()
    (tmp_path / "profiles" / "demo.yml").write_text(PROFILE)
    (tmp_path / "sources" / "dynamics.yml").write_text(SOURCE)
    project = load_project(tmp_path, environ={})
    with open_warehouse(project.profile.warehouse, tmp_path) as warehouse:
        yield Site(tmp_path, warehouse)


def test_changes_and_deletions_come_by_the_link_that_the_last_import_left(site: Site) -> None:
    for n in range(1, 8):
        site.table.put(n, lastname=f"N{n}")
    first = site.run()
    assert (first.full, first.rows_received, first.rows_loaded) == (True, 7, 7)
    site.table.put(2, lastname="N2b")
    site.table.put(9, lastname="N9")
    for n in (3, 4, 5, 6):
        site.table.remove(n)
    asked = len(site.table.asked)
    second = site.run()
    # Six entries in two pages, of which four are deletions.
    assert (second.full, second.rows_received, second.rows_loaded, len(site.table.asked) - asked) == (False, 6, 6, 2)
    assert site.names() == ["N1", "N2b", "N7", "N9"]
    third = site.run()
    assert (third.rows_received, third.rows_loaded, site.names()) == (0, 0, ["N1", "N2b", "N7", "N9"])
    # A record that lived and went between two imports was never here.
    site.table.put(20, lastname="short")
    site.table.remove(20)
    site.run()
    assert "short" not in site.names() and len(site.mirror()) == 4


def test_an_expired_link_costs_a_full_reading_that_marks_what_has_gone(site: Site) -> None:
    for n in range(1, 8):
        site.table.put(n, lastname=f"N{n}")
    site.run()
    site.table.remove(3)
    site.table.put(4, lastname="N4b")
    site.table.oldest = site.table.version  # the stamp that was given is too old now
    again = site.run()
    assert again.full and "no longer tells what changed" in again.remarks[-1]
    assert site.names() == ["N1", "N2", "N4b", "N5", "N6", "N7"]
    # From then on the new link is good.
    site.table.remove(1)
    assert not site.run().full and "N1" not in site.names()


def test_a_link_that_is_refused_for_any_other_reason_is_answered_likewise(site: Site) -> None:
    site.table.put(1, lastname="N1")
    site.table.put(2, lastname="N2")
    site.run()
    site.table.remove(2)
    table, refused = site.table, [True]
    plain = table.answer

    def once(sent: Sent) -> Answer:
        if refused and "$deltatoken" in sent.query:
            refused.clear()
            return error(400, "0x80060888", "The deltatoken is malformed")
        return plain(sent)

    table.answer = once  # type: ignore[method-assign]
    assert site.run().full and site.names() == ["N1"]


def test_a_link_of_another_address_is_not_followed_there(site: Site) -> None:
    for n in (1, 2):
        site.table.put(n, lastname=f"N{n}")
    site.run()
    site.table.origin = "https://renamed.crm4.dynamics.com"
    site.table.remove(2)
    asked = len(site.table.asked)
    assert site.run().full and site.names() == ["N1"]
    assert not any("$deltatoken" in sent.query for sent in site.table.asked[asked:])
    site.table.remove(1)
    assert not site.run().full and site.names() == []


def test_everything_gone_is_seen(site: Site) -> None:
    site.table.put(1, lastname="N1")
    site.run()
    site.table.remove(1)
    assert site.run(full_refresh=True).full
    assert site.mirror() == {}


def test_a_first_reading_that_broke_off_goes_on_at_its_page(site: Site) -> None:
    for n in range(1, 12):
        site.table.put(n, lastname=f"N{n}")
    site.table.broken = [3, 4, 5, 6]
    with pytest.raises(TransientError):
        site.run()
    assert not site.warehouse.exists("raw", "dynamics__contact")
    # Read before the interruption, deleted and changed meanwhile: the link that ends the reading would not tell.
    site.table.remove(1)
    site.table.rows[guid(2)].update(lastname="N2b", modifiedon=JUST_NOW)
    asked = len(site.table.asked)
    resumed = site.run()
    assert (resumed.full, resumed.resumed, "gone on with" in resumed.remarks[-1]) == (True, True, True)
    tracked = [sent for sent in site.table.asked[asked:] if "odata.track-changes" in sent.headers["Prefer"]]
    assert [sent.query["$skiptoken"] for sent in tracked] == [["0-106"], ["0-109"]]
    assert site.names() == sorted([*(f"N{n}" for n in range(3, 12)), "N2b"])
    # What was caught up with is over: the next import asks by the link alone.
    asked = len(site.table.asked)
    assert not site.run().full and len(site.table.asked) == asked + 1


def test_what_a_resumed_reading_missed_is_read_by_the_next_run_when_this_one_dies(site: Site) -> None:
    for n in range(1, 8):
        site.table.put(n, lastname=f"N{n}")
    site.table.broken = [2, 3, 4, 5]
    with pytest.raises(TransientError):
        site.run()
    site.table.remove(1)
    site.table.rows[guid(2)].update(lastname="N2b", modifiedon=JUST_NOW)
    # The pages come, and what is read after them does not.
    site.table.broken = [len(site.table.asked) + n for n in range(3, 7)]
    with pytest.raises(TransientError):
        site.run()
    assert len(site.mirror()) == 7
    site.table.broken = []
    assert not site.run().full
    assert site.names() == ["N2b", "N3", "N4", "N5", "N6", "N7"]


@pytest.mark.parametrize("code", ["0x80044352", "0x8004112A", "0x80060888"])
def test_a_first_reading_whose_next_link_is_refused_begins_anew_and_says_so(site: Site, code: str) -> None:
    for n in range(1, 12):
        site.table.put(n, lastname=f"N{n}")
    site.table.broken = [3, 4, 5, 6]
    with pytest.raises(TransientError):
        site.run()
    site.table.remove(1)
    refused = [True]
    plain = site.table.answer

    def once(sent: Sent) -> Answer:
        return (
            error(400, code, "Version stamp associated with the client has expired.")
            if refused and refused.pop()
            else plain(sent)
        )

    site.table.answer = once  # type: ignore[method-assign]
    anew = site.run()
    assert (anew.full, anew.resumed, anew.rows_received) == (True, False, 10)
    assert "broke off after 2 pages, and the CRM no longer knows where: it began anew" in anew.remarks[-1]
    assert len(site.mirror()) == 10


def test_what_changed_since_a_link_is_read_from_the_link_again(site: Site) -> None:
    for n in range(1, 12):
        site.table.put(n, lastname=f"N{n}")
    site.run()
    site.table.remove(1)
    site.run()
    site.table.broken = [len(site.table.asked) + 2 + n for n in range(4)]
    for n in range(2, 8):
        site.table.put(n, lastname=f"M{n}")
    with pytest.raises(TransientError):
        site.run()
    site.table.remove(9)
    assert not site.run().full
    assert site.names() == sorted([*(f"M{n}" for n in range(2, 8)), "N8", "N10", "N11"])


def test_deletions_alone_come_by_a_link_of_their_own(site: Site) -> None:
    """A source with a filter is read by windows; its deletions are told by the service all the same."""
    for n in range(1, 8):
        site.table.put(n, lastname=f"N{n}")
    site.run()
    first = site.run_deleted()
    assert (first.full, first.rows_received, first.rows_loaded) == (True, 7, 0)
    site.table.remove(3)
    site.table.put(4, lastname="N4b")
    second = site.run_deleted()
    assert (second.full, second.rows_received, second.rows_loaded) == (False, 2, 1)
    assert "N3" not in site.names() and "N4" in site.names()  # what changed is the import's affair
    assert site.table.asked[-1].query["$select"] == ["contactid"]
    site.table.remove(5)
    site.table.oldest = site.table.version
    third = site.run_deleted()
    assert (third.full, third.rows_loaded) == (True, 1) and "N5" not in site.names()
    assert site.run_deleted().rows_loaded == 0


def test_labels_tables_and_wall_clocks_land_typed(site: Site) -> None:
    site.table.put(1, lastname="A", new_walltime="2026-03-29T02:30:00Z", _parentcustomerid_value=guid(7), statuscode=2)
    site.run()
    (row,) = site.mirror().values()
    # An hour that does not exist in Berlin: a wall clock knows no zone.
    assert str(row["new_walltime"]) == "2026-03-29 02:30:00"
    assert site.warehouse.columns("raw", "dynamics__contact")["new_walltime"] == "TIMESTAMP"
    assert (row["statuscode"], row["statuscode_label"]) == (2, "Inactive")
    beside = (row["parentcustomerid_table"], row["parentcustomerid_name"])
    assert (row["parentcustomerid"], *beside) == (guid(7), "account", "Acme")


def test_a_user_who_is_given_no_link_gets_windows(site: Site) -> None:
    site.table.put(1, lastname="N1")
    site.table.refusal = error(400, "0x80072491", "Change tracking is not enabled for the entity")
    plain = site.table.answer

    def answer(sent: Sent) -> Answer:
        if "odata.track-changes" in sent.headers["Prefer"]:
            return plain(sent)
        assert "$filter" in sent.query
        return Answer(200, {"@odata.count": 1, "value": [site.table._shown(next(iter(site.table.rows.values())))]})

    site.table.answer = answer  # type: ignore[method-assign]
    assert site.run().rows_loaded == 1 and site.names() == ["N1"]


def test_a_service_that_does_not_honour_the_preference_gets_windows(site: Site) -> None:
    site.table.put(1, lastname="N1")
    del site.table.headers["Preference-Applied"]
    plain = site.table.answer

    def answer(sent: Sent) -> Answer:
        if "odata.track-changes" in sent.headers["Prefer"]:
            return plain(sent)
        assert "$filter" in sent.query
        return Answer(200, {"@odata.count": 1, "value": [site.table._shown(next(iter(site.table.rows.values())))]})

    site.table.answer = answer  # type: ignore[method-assign]
    result = site.run()
    assert (result.rows_loaded, result.start, site.names()) == (1, None, ["N1"])


def test_a_new_column_and_a_window_set_by_hand_start_anew(site: Site) -> None:
    site.table.put(1, lastname="N1", firstname="F")
    site.run()
    site.source = SOURCE.replace("[lastname,", "[firstname, lastname,")
    grown = site.run()
    assert grown.full and next(iter(site.mirror().values()))["firstname"] == "F"
    project = load_project(site.folder, environ={})
    set_state(project, site.warehouse, OPTION, datetime(2026, 1, 1, tzinfo=UTC))
    assert site.run().full
