"""Failures that the field knows, held on Dataverse: engine and connector against the simulated environment's socket.

The numbers are those of the list of failures; those of writing stand in test_sets, test_over_the_socket and
test_erasing, those of a lost or expired link in test_tracking, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import load_project
from backhaul.crm import no_progress
from backhaul.crm.dynamics import DynamicsConnector
from backhaul.errors import BackhaulError
from backhaul.importing import ImportResult, import_deleted, import_object, mirror_sql
from backhaul.record import Change, Operation, State
from backhaul.warehouse import Warehouse, open_warehouse
from tests.crm.contract import HOSTILE, Control

from .test_tracking import PROFILE

Open = Callable[..., DynamicsConnector]
FIELDS = ["lastname", "emailaddress1", "birthdate", "new_campaignscore", "donotbulkemail", "merged", "masterid"]


class Site:
    """A project of its own, with one warehouse file, between the simulated environment and the raw log."""

    def __init__(self, folder: Path, warehouse: Warehouse, control: Control, opened: Open) -> None:
        self.folder, self.warehouse, self.control, self.opened = folder, warehouse, control, opened
        self.fields = list(FIELDS)
        self.page_rows = 5_000

    def run(self, *, deleted: bool = False, **options: Any) -> ImportResult:
        text = f"account: dynamics\nobjects:\n  contact:\n    fields: [{', '.join(self.fields)}]\n"
        (self.folder / "sources" / "dynamics.yml").write_text(text)
        project = load_project(self.folder, environ={})
        call: Any = import_deleted if deleted else import_object
        result: ImportResult = call(
            project,
            self.warehouse,
            self.opened(page_rows=self.page_rows),
            project.sources["dynamics"].objects["contact"],
            option=f"LAST_{deleted}",
            spool_root=project.state_folder / "spool",
            progress=no_progress,
            **options,
        )
        return result

    def seed(self, *records: dict[str, Any], **more: Any) -> list[str]:
        found: list[str] = self.control.post("seed", object="contact", records=list(records), **more)["ids"]
        return found

    def later(self, seconds: int = 3600) -> None:
        self.control.post("clock", advance=seconds)

    def now(self) -> datetime:
        import requests

        told = requests.get(f"{self.control.url}/_control/clock", timeout=60).json()["now"]
        return datetime.fromisoformat(told)

    def mirror(self) -> dict[str, dict[str, Any]]:
        sql = mirror_sql(self.warehouse, "dynamics", "contact", "contactid", "modifiedon")
        return {row["contactid"]: row for row in self.warehouse.rows(sql)}

    def log(self) -> int:
        return int(self.warehouse.scalar("SELECT count(*) FROM raw.dynamics__contact"))


@pytest.fixture(params=["tracked", pytest.param("windows", marks=pytest.mark.slow)])
def site(request: Any, tmp_path: Path, control: Control, opened: Open) -> Iterator[Site]:
    """Each case with the table's changes tracked, and without."""
    for name in ("profiles", "sources", "pipelines", "transforms"):
        (tmp_path / name).mkdir()
    (tmp_path / "profiles" / "demo.yml").write_text(PROFILE)
    control.post("tables", object="contact", change_tracking=request.param == "tracked")
    project = load_project(tmp_path, environ={})
    with open_warehouse(project.profile.warehouse, tmp_path) as warehouse:
        yield Site(tmp_path, warehouse, control, opened)
    control.post("tables", object="contact", change_tracking=True)


def test_a_record_that_becomes_visible_late_is_fetched_by_the_next_run(site: Site) -> None:
    """Case 1."""
    site.seed({"lastname": "Early"})
    site.later(5)
    first = site.run()
    # Committed after the run, stamped before its window's end.
    site.seed({"lastname": "Late"}, modified_at=(first.end - timedelta(seconds=4)).isoformat())
    site.later(60)
    site.run()
    assert sorted(row["lastname"] for row in site.mirror().values()) == ["Early", "Late"]


@pytest.mark.slow
def test_rows_of_one_second_arrive_once_each_although_the_run_breaks_off(site: Site) -> None:
    """Cases 2 and 8."""
    names = [f"N{n:03d}" for n in range(300)]
    site.seed(*({"lastname": name} for name in names))
    site.later(5)
    site.page_rows = 40
    site.control.fault("GET", r"/contacts\?.*skiptoken", {"status": 503, "body": "<html>"}, skip=2, times=30)
    with pytest.raises(BackhaulError):
        site.run()
    assert not site.warehouse.exists("raw", "dynamics__contact")
    site.control.no_faults()
    site.run()
    assert sorted(row["lastname"] for row in site.mirror().values()) == names
    assert site.log() == 300


@pytest.mark.slow
def test_what_is_read_twice_is_stored_once_and_an_empty_increment_leaves_all(site: Site) -> None:
    """Cases 3 and 4."""
    (one, _) = site.seed({"lastname": "A"}, {"lastname": "B"})
    site.later(60)
    site.run()
    assert site.run().rows_loaded == 0 and len(site.mirror()) == 2
    site.control.post("change", object="contact", records=[{"contactid": one, "emailaddress1": "a@example.com"}])
    site.later(60)
    assert site.run().rows_loaded == 1
    assert site.run(full_refresh=True).rows_loaded == 0
    assert site.log() == 3 and site.mirror()[one]["emailaddress1"] == "a@example.com"


def test_a_column_that_appears_is_filled_for_all_records(site: Site) -> None:
    """Cases 5 and 6."""
    one, two = site.seed({"lastname": "A"}, {"lastname": "B"}, modified_at="2025-12-01T00:00:00Z")
    site.later(60)
    site.run()
    site.control.post("fields", object="contact", fields=[{"name": "new_tier", "type": "String", "length": 10}])
    try:
        site.control.post("change", object="contact", records=[{"contactid": one, "new_tier": "gold"}])
        site.later(3600)
        # Nobody asks for it yet: its record comes all the same.
        assert site.run().rows_received >= 1
        # Filled long ago for the other one, as far as stamps tell.
        site.control.post(
            "change",
            object="contact",
            records=[{"contactid": two, "new_tier": "tin"}],
            modified_at="2026-01-01T00:00:00Z",
        )
        site.fields.append("new_tier")
        grown = site.run()
        assert grown.full and {row["new_tier"] for row in site.mirror().values()} == {"gold", "tin"}
        # Removed again: named, its last values kept, everything else goes on.
        site.control.post("tables", object="contact", dropped=["new_tier"])
        (three,) = site.seed({"lastname": "C"})
        site.later(60)
        result = site.run()
        assert any("new_tier is no longer shown by the CRM" in remark for remark in result.remarks)
        mirror = site.mirror()
        assert (mirror[one]["new_tier"], mirror[three]["new_tier"], mirror[three]["lastname"]) == ("gold", None, "C")
    finally:
        site.control.post("reset")


def test_values_arrive_as_they_are(site: Site) -> None:
    """Case 10."""
    records = [{"lastname": key, "emailaddress1": text[:100]} for key, text in HOSTILE.items()]
    ids = site.seed(
        *records, {"lastname": "empty"}, {"lastname": "zero", "new_campaignscore": 0, "donotbulkemail": False}
    )
    site.later(60)
    site.run()
    mirror = site.mirror()
    assert [mirror[one]["emailaddress1"] for one in ids[: len(HOSTILE)]] == list(HOSTILE.values())
    empty, zero = mirror[ids[-2]], mirror[ids[-1]]
    assert (empty["birthdate"], empty["emailaddress1"], empty["new_campaignscore"]) == (None, None, None)
    assert (zero["new_campaignscore"], zero["donotbulkemail"]) == (0, False)


@pytest.mark.slow
def test_purged_records_are_marked_deleted(site: Site) -> None:
    """Case 16: with tracking by the import itself, else by comparing ids."""
    one, two = site.seed({"lastname": "A"}, {"lastname": "B"})
    site.later(60)
    site.run()
    site.control.post("delete", object="contact", ids=[one], purge=True)
    site.later(60)
    site.run()
    site.run(deleted=True)
    assert set(site.mirror()) == {two}
    assert site.run(deleted=True).rows_loaded == 0


@pytest.mark.slow
def test_an_expired_link_costs_a_comparison_and_loses_no_deletion(site: Site) -> None:
    """Case 17."""
    one, two = site.seed({"lastname": "A"}, {"lastname": "B"})
    site.later(60)
    site.run()
    site.control.post("delete", object="contact", ids=[one], purge=True)
    site.control.post("expire_tokens", object="contact")
    site.later(30 * 86_400)
    result = site.run()
    if any("no longer tells what changed" in remark for remark in result.remarks):
        assert result.full
    else:
        site.run(deleted=True)
    assert set(site.mirror()) == {two}


def test_a_merged_record_names_its_survivor_even_after_its_deletion(site: Site) -> None:
    """Case 18: the loser stays and points at the winner; deleted later, the log still says into what it went."""
    winner, loser = site.seed({"lastname": "Winner"}, {"lastname": "Loser", "donotbulkemail": True})
    site.later(60)
    site.run()
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
    body = {"Target": {**kind, "contactid": winner}, "Subordinate": {**kind, "contactid": loser}}
    import json

    merging: Any = site.opened()
    merging._service.post(
        "Merge", "merge", json.dumps({**body, "UpdateContent": kind, "PerformParentingChecks": False}).encode(), {}
    )
    site.later(60)
    site.run()
    lost = site.mirror()[loser]
    assert (lost["merged"], lost["masterid"], lost["masterid_table"], lost["donotbulkemail"]) == (
        True,
        winner,
        "contact",
        True,
    )
    site.control.post("delete", object="contact", ids=[loser], purge=True)
    site.later(60)
    site.run()
    site.run(deleted=True)
    assert set(site.mirror()) == {winner}
    gone = site.warehouse.rows(
        "SELECT _backhaul_survivor AS survivor FROM raw.dynamics__contact WHERE _backhaul_deleted"
    )
    assert {row["survivor"] for row in gone} == {winner}


def test_a_population_is_imported_with_its_newcomers_whole(site: Site) -> None:
    """`only`: the records that a model names; who joins them later comes whole, however long unchanged."""
    ids = site.seed(*({"lastname": f"N{n}"} for n in range(6)))
    site.later(3600)
    assert site.run(population=ids[:2]).rows_loaded == 2
    site.later(3600)
    site.control.post("change", object="contact", records=[{"contactid": one, "lastname": "new"} for one in ids[1::2]])
    site.later(60)
    result = site.run(population=ids[:4])
    assert not result.full
    names = {one: row["lastname"] for one, row in site.mirror().items()}
    assert names == {ids[0]: "N0", ids[1]: "new", ids[2]: "N2", ids[3]: "new"}


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("road", ["auto", "batch"])
def test_null_clears_and_what_is_not_named_is_left(control: Control, opened: Open, road: str) -> None:
    """Case 11, and 12: the first row lacks what the others have."""
    crm = opened()
    changes = [
        Change(f"k{n}", {"lastname": f"N{n}", "firstname": "F", "new_campaignscore": 5, "birthdate": date(1990, 2, 3)})
        for n in range(40)
    ]
    ids = [str(one.record_id) for one in crm.write("contact", Operation.CREATE, changes, {})]
    updates = [Change("k0", {"firstname": "G"}, ids[0])]
    updates += [Change(f"k{n}", {"new_campaignscore": None, "birthdate": None}, ids[n]) for n in range(1, 40)]
    outcomes = crm.write("contact", Operation.UPDATE, updates, {"road": road})
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    names = ("firstname", "lastname", "new_campaignscore", "birthdate")
    rows = {str(row["contactid"]): row for row in crm.fetch("contact", "contactid", ids, names)}
    first, other = rows[ids[0]], rows[ids[7]]
    assert (first["firstname"], first["new_campaignscore"], first["birthdate"]) == ("G", 5, date(1990, 2, 3))
    assert (other["firstname"], other["lastname"], other["new_campaignscore"], other["birthdate"]) == (
        "F",
        "N7",
        None,
        None,
    )


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
def test_a_date_and_an_instant_are_the_same_on_every_machine(
    control: Control, opened: Open, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Case 13: on machines of three zones, on the days on which Europe and America change their clocks."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        crm = opened()
        days = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(1970, 1, 1)]
        instants = [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)]
        changes = [Change(str(day), {"lastname": "D", "birthdate": day}) for day in days]
        changes += [Change(str(one), {"lastname": "I", "new_lastopen": one}) for one in instants]
        ids = [str(one.record_id) for one in crm.write("contact", Operation.CREATE, changes, {})]
        names = ("birthdate", "new_lastopen")
        rows = {str(row["contactid"]): row for row in crm.fetch("contact", "contactid", ids, names)}
        assert [rows[one]["birthdate"] for one in ids[:4]] == days
        assert [rows[one]["new_lastopen"] for one in ids[4:]] == instants
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("rule", "symbol"), [("refuse", "0x80040265"), ("crash", "0x80040224")])
def test_a_plug_in_that_refuses_or_breaks_one_row_of_a_set_costs_one_reject(
    control: Control, opened: Open, rule: str, symbol: str
) -> None:
    """Case 22, with what a customer's own logic does."""
    crm = opened()
    control.post("plugins", object="contact", messages=["Create"], when={"lastname": "N55"}, **{rule: "not this one"})
    try:
        changes = [Change(f"k{n}", {"lastname": f"N{n}"}) for n in range(200)]
        outcomes = crm.write("contact", Operation.CREATE, changes, {})
        bad = [outcome for outcome in outcomes if outcome.state is not State.DONE]
        assert [(one.key, one.state, one.symbol.lower()) for one in bad] == [("k55", State.REJECTED, symbol)]
    finally:
        control.post("reset")
