from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backhaul.errors import ConfigurationError, IncompleteImport, StepFailed, TransientError
from backhaul.importing import format_instant, parse_instant, reset_state, set_state
from backhaul.importing.log import RAW_SCHEMA
from backhaul.record import Condition, Field, Group, Kind, PageFormat

from .conftest import OPTION, Desk
from .served import T0, object_config, replace

ODD = ("NA", "None", "null", "nan", "#N/A", "007", "0", "false", " x ", 'a "quoted"\nsecond, line', "Zoë 𝄞")


@pytest.mark.parametrize("format", [PageFormat.CSV, PageFormat.JSON])
def test_everything_arrives_as_it_is(desk: Desk, format: PageFormat) -> None:
    desk.crm.format = format
    for number, text in enumerate(ODD):
        desk.org.put(f"{number:03d}", LastName=text, Email=None)
    stamp = datetime(2026, 2, 28, 23, 59, 59, 123000, tzinfo=UTC)
    whole = {"Birthdate": date(1900, 2, 28), "Score__c": 12.5, "HasOptedOutOfEmail": False, "Visits__c": 0}
    desk.org.put("900", LastName="L", Call_Time__c=time(10, 30), Last_Open__c=stamp, **whole)
    names = [
        "LastName",
        "Email",
        "Birthdate",
        "Score__c",
        "Visits__c",
        "HasOptedOutOfEmail",
        "Call_Time__c",
        "Last_Open__c",
    ]
    desk.config = object_config(names)
    result = desk.run()
    assert (result.rows_received, result.rows_loaded, result.full, result.resumed) == (12, 12, True, False)
    assert (result.start, result.end, result.pages) == (None, T0, 4)
    assert [row["LastName"] for row in desk.log() if row["Id"] < "900"] == list(ODD)
    assert all(row["Birthdate"] is None and row["Email"] is None for row in desk.log() if row["Id"] < "900")
    assert desk.log()[-1] == {
        "Id": "900",
        "LastName": "L",
        "Email": None,
        **{**whole, "Score__c": Decimal("12.5")},
        "Call_Time__c": time(10, 30),
        "Last_Open__c": stamp,
        "LastModifiedDate": T0 - timedelta(seconds=1),
        "_backhaul_deleted": False,
        "_backhaul_survivor": None,
        "_backhaul_seen_at": T0,
    }
    assert desk.warehouse.columns(RAW_SCHEMA, "salesforce__Contact") == {
        "Id": "VARCHAR",
        "LastName": "VARCHAR",
        "Email": "VARCHAR",
        "Birthdate": "DATE",
        "Score__c": "DECIMAL(5,1)",
        "Visits__c": "INTEGER",
        "HasOptedOutOfEmail": "BOOLEAN",
        "Call_Time__c": "TIME",
        "Last_Open__c": "TIMESTAMP WITH TIME ZONE",
        "LastModifiedDate": "TIMESTAMP WITH TIME ZONE",
        "_backhaul_deleted": "BOOLEAN",
        "_backhaul_survivor": "VARCHAR",
        "_backhaul_seen_at": "TIMESTAMP WITH TIME ZONE",
        "_dlt_load_id": "VARCHAR",
    }
    assert not desk.spools.joinpath(OPTION).exists()
    # Nothing changed: the log stays as it is, also when everything is delivered once more.
    before = desk.log("*")
    assert desk.run().rows_loaded == 0
    assert desk.run(full_refresh=True).rows_received == 12
    assert desk.log("*") == before
    tables = desk.warehouse.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'raw' "
        "AND table_name NOT LIKE '!_dlt%' ESCAPE '!'"
    )
    assert tables == [{"table_name": desk.warehouse.fold("salesforce__Contact")}]


def test_windows_are_half_open_and_step_back_by_the_overlap(desk: Desk) -> None:
    desk.config = object_config(["LastName"], overlap=timedelta(minutes=5))
    desk.org.put("1", LastName="a")
    desk.org.put("2", LastName="stamped at the end", stamp=T0)
    assert desk.run().rows_loaded == 1
    assert desk.value() == T0
    # A record stamped before the last end that became visible only now: commits come late.
    desk.org.clock = T0 + timedelta(minutes=2)
    desk.org.put("3", LastName="late", stamp=T0 - timedelta(minutes=4))
    result = desk.run()
    assert (result.start, result.end) == (T0 - timedelta(minutes=5), T0 + timedelta(minutes=2))
    assert (result.rows_received, result.rows_loaded) == (3, 2)
    # A second change within the same second is another version; an equal one is not.
    stamp = T0 + timedelta(minutes=1)
    desk.org.put("3", LastName="late", stamp=stamp)
    assert desk.run().rows_loaded == 1
    desk.org.put("3", LastName="same second", stamp=stamp)
    assert desk.run().rows_loaded == 1
    assert desk.run().rows_loaded == 0
    desk.org.put("3", LastName="late", stamp=stamp)
    assert desk.run().rows_loaded == 1
    assert desk.mirror("LastName") == {"1": "a", "2": "stamped at the end", "3": "late"}
    # The clock of the stored window may be set, forwards and back.
    set_state(desk.project, desk.warehouse, OPTION, T0 + timedelta(days=1))
    idle = desk.run()
    assert (idle.rows_received, idle.api_calls) == (0, 1)
    assert "2026/03/02 12:00:00 UTC, lies in the future" in idle.remarks[0]
    set_state(desk.project, desk.warehouse, OPTION, T0 - timedelta(days=1))
    assert (desk.run().rows_received, desk.value()) == (3, desk.org.clock)


def test_many_rows_of_one_stamp_over_page_ends_arrive_once(desk: Desk) -> None:
    desk.crm.page_rows = 70
    for number in range(500):
        desk.org.put(f"{number:04d}", LastName="x", stamp=T0 - timedelta(hours=1))
    assert desk.run().pages == 8
    assert desk.log("count(*) AS n, count(DISTINCT Id) AS ids") == [{"n": 500, "ids": 500}]


def test_a_new_field_is_filled_in_older_records_and_a_hidden_one_keeps_its_values(desk: Desk) -> None:
    desk.org.put("1", LastName="a", Email="a@x", Visits__c=3)
    desk.org.put("2", LastName="b", Email="b@x")
    desk.run()
    desk.org.clock += timedelta(days=1)
    desk.config = object_config(["LastName", "Email", "Visits__c"])
    result = desk.run()
    assert (result.full, result.rows_received, result.rows_loaded) == (True, 2, 1)
    assert result.remarks == ("new: Visits__c; everything was read again to fill older records",)
    assert desk.mirror("Visits__c") == {"1": 3, "2": None}
    # Hidden by permission now: named, the last values kept, the rest imported.
    email = desk.org.fields.pop("Email")
    desk.org.clock += timedelta(days=1)
    desk.org.put("1", LastName="changed")
    result = desk.run()
    assert not result.full
    assert "salesforce.Contact.Email is no longer shown by the CRM" in result.remarks[0]
    assert (desk.mirror("LastName")["1"], desk.mirror("Email")["1"]) == ("changed", "a@x")
    assert desk.run().rows_loaded == 0
    # Removed from the YAML: the column stays.
    desk.org.fields["Email"] = email
    desk.config = object_config(["LastName", "Visits__c"])
    desk.run()
    assert "Email" in desk.warehouse.columns(RAW_SCHEMA, "salesforce__Contact")


def test_faults_are_all_told_at_their_places(desk: Desk) -> None:
    group = Group(True, (Condition("Emial", "is_not_null"), Group(False, (Condition("Legacy_Notes__c", "eq", "x"),))))
    fields = ["lastname", ("Email", "date_only"), "Nothing_Like_It__c", ("LastModifiedDate", "date_only")]
    desk.config = object_config(fields, cursor="SystemModstmp", filter=group, order_by=[("Agee", True)])
    with pytest.raises(ConfigurationError) as caught:
        desk.run()
    golden = Path(__file__).parent / "golden" / "faults.txt"
    assert str(caught.value) == golden.read_text(encoding="utf-8").rstrip("\n")
    desk.config = object_config(["LastName", ("LastModifiedDate", "copy")])
    with pytest.raises(ConfigurationError, match=r"sources/salesforce\.yml:6: .* is the cursor"):
        desk.run()


def test_the_cursor_is_the_first_that_exists_or_the_one_named(desk: Desk) -> None:
    desk.org.put("1", LastName="a")
    desk.run()
    desk.config = object_config(
        ["LastName"], cursor="SystemModstamp", filter=Group(True, (Condition("Email", "is_null"),))
    )
    result = desk.run()
    assert result.full
    assert result.remarks[0] == "the cursor is SystemModstamp now and was LastModifiedDate: everything was read again"
    assert desk.crm.queries[-1].window is not None
    assert desk.crm.queries[-1].window.cursor == "SystemModstamp"
    assert desk.crm.queries[-1].filter == desk.config.filter
    # Without any stamp everything is read each time, and nothing is appended twice.
    desk.org.cursors = ()
    desk.config = object_config(["LastName"])
    desk.run(option="other")
    again = desk.run(option="other")
    assert (again.start, again.rows_received, again.rows_loaded) == (None, 1, 0)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
def test_conversions(desk: Desk, zone: str) -> None:
    desk.project.profile.accounts["salesforce"].time_zone = zone
    opened = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # half an hour before the clocks change in Berlin
    desk.org.put("1", Birthdate=date(2026, 3, 29), Last_Open__c=opened)
    desk.org.fields["Opened_As_Sent__c"] = Field(
        "Opened_As_Sent__c", "", "datetime", Kind.DATETIME, wire="Last_Open__c"
    )
    desk.org.fields["Opened_Copy__c"] = Field("Opened_Copy__c", "", "datetime", Kind.DATETIME)
    desk.org.records["1"] |= {"Opened_As_Sent__c": opened, "Opened_Copy__c": opened}
    desk.org.fields["Opened_As_Sent__c"] = replace(desk.org.fields["Opened_As_Sent__c"], wire="")
    names = [("Birthdate", "date_only"), ("Last_Open__c", "date_only")]
    desk.config = object_config([*names, ("Opened_As_Sent__c", "without_offset"), ("Opened_Copy__c", "copy")])
    desk.run()
    (row,) = desk.log()
    day = {"Asia/Tokyo": 29, "America/Los_Angeles": 28, "Europe/Berlin": 29}[zone]
    assert (row["Birthdate"], row["Last_Open__c"]) == (date(2026, 3, 29), date(2026, 3, day))
    assert row["Opened_As_Sent__c"] == datetime(2026, 3, 29, 0, 30)
    assert row["Opened_Copy__c"] == "2026-03-29T00:30:00.000Z"


def test_a_value_that_does_not_fit_is_named_and_nothing_lands(desk: Desk) -> None:
    desk.config = object_config(["LastName", "Visits__c"])
    desk.org.put("1", LastName="a", Visits__c=1)
    desk.run()
    desk.org.clock += timedelta(hours=1)
    desk.org.put("2", LastName="b", Visits__c="three")
    with pytest.raises(StepFailed) as caught:
        desk.run()
    assert "salesforce.Contact.Visits__c: the value 'three' of record 2 is no INTEGER" in caught.value.message
    assert "convert: copy" in caught.value.hint
    assert (desk.value(), len(desk.log())) == (T0, 1)
    desk.org.put("2", LastName="b", Visits__c=3)
    assert desk.run().rows_loaded == 1


def test_a_field_that_changed_its_type(desk: Desk) -> None:
    desk.config = object_config(["LastName", "Score__c", "Visits__c"])
    desk.org.put("1", LastName="a", Score__c="99.5", Visits__c=7)
    desk.run()
    # Wider: the column grows with it. Narrower: the column stays.
    fields = desk.org.fields
    fields["Score__c"] = replace(fields["Score__c"], precision=18, scale=2)
    fields["Visits__c"] = replace(fields["Visits__c"], kind=Kind.BIGINT)
    desk.org.put("1", Score__c="123456.25", Visits__c=3_000_000_000)
    assert desk.run().rows_loaded == 1
    fields["Score__c"] = replace(fields["Score__c"], precision=4, scale=0)
    desk.run()
    assert desk.mirror("Score__c") == {"1": Decimal("123456.25")}
    assert desk.mirror("Visits__c") == {"1": 3_000_000_000}
    # Another type altogether: refused with what to do, and nothing lost when it is done.
    fields["Visits__c"] = replace(fields["Visits__c"], kind=Kind.TEXT)
    desk.org.put("1", Visits__c="many")
    with pytest.raises(ConfigurationError) as caught:
        desk.run()
    assert "salesforce.yml:7: salesforce.Contact.Visits__c was BIGINT and is VARCHAR now" in str(caught.value)
    assert f"`backhaul state reset {OPTION}`" in str(caught.value)
    reset_state(desk.project, desk.warehouse, OPTION)
    desk.run()
    assert desk.mirror("Visits__c") == {"1": "many"}
    assert {row["old"] for row in desk.log('Visits__c__was_bigint AS "old"')} == {7, 3_000_000_000, None}


def test_a_broken_promise_leaves_the_window_open(desk: Desk) -> None:
    for number in range(5):
        desk.org.put(str(number), LastName="a")
    desk.crm.announce = lambda rows: rows + 1
    with pytest.raises(IncompleteImport, match="6 records were announced, 5 are received; the window stays open"):
        desk.run()
    desk.crm.announce = lambda rows: rows
    desk.crm.lose_rows = 1
    with pytest.raises(IncompleteImport, match="5 records were announced, 3 are readable in the pages received"):
        desk.run()
    assert desk.value() is None
    log = desk.warehouse.relation(RAW_SCHEMA, "salesforce__Contact")
    # By dlt's client the rows are counted before dlt makes a table for them.
    assert not desk.warehouse.exists(RAW_SCHEMA, "salesforce__Contact") or not desk.warehouse.rows(
        f"SELECT * FROM {log}"
    )
    desk.crm.lose_rows = 0
    assert desk.run().rows_loaded == 5


def test_a_broken_download_goes_on_with_the_same_window(desk: Desk) -> None:
    for number in range(8):
        desk.org.put(str(number), LastName="a")

    def fail(page: int) -> None:
        if page == 2:
            raise TransientError("the connection broke")

    desk.crm.on_page = fail
    with pytest.raises(TransientError):
        desk.run()
    desk.crm.on_page = lambda page: None
    desk.org.clock = T0 + timedelta(hours=1)
    desk.org.put("8", LastName="meanwhile")
    result = desk.run()
    first, second = (query.window for query in desk.crm.queries[-2:])
    assert first is not None and second is not None
    assert (first.start, first.end) == (None, T0)
    assert (second.start, second.end) == (T0 - timedelta(minutes=10), T0 + timedelta(hours=1))
    assert (result.resumed, result.start, result.end) == (True, None, T0 + timedelta(hours=1))
    assert (result.rows_received, result.rows_loaded, len(desk.log())) == (17, 9, 9)
    # Another question does not take the pages of the old one.
    desk.crm.on_page = fail
    with pytest.raises(TransientError):
        desk.run(full_refresh=True)
    desk.crm.on_page = lambda page: None
    desk.config = object_config(["LastName"])
    assert not desk.run(full_refresh=True).resumed


def test_the_state_survives_a_lost_working_folder_and_a_lost_table(desk: Desk) -> None:
    desk.org.put("1", LastName="a")
    desk.run()
    shutil.rmtree(desk.folder / ".backhaul")
    assert desk.value() == T0
    assert desk.run().start == T0 - timedelta(minutes=10)
    desk.warehouse.drop(RAW_SCHEMA, "salesforce__Contact")
    desk.org.clock += timedelta(days=1)
    assert desk.run(full_refresh=True).rows_loaded == 1
    table = desk.warehouse.relation(RAW_SCHEMA, "salesforce__Contact")
    desk.warehouse.execute(f"ALTER TABLE {table} DROP COLUMN Email")
    desk.org.put("1", Email="back@x")
    desk.run()
    assert desk.mirror("Email") == {"1": "back@x"}


def test_states_are_shown_set_and_reset(desk: Desk) -> None:
    assert desk.value() is None  # known from the pipeline's step, before anything ran
    with pytest.raises(ConfigurationError, match=r"no stored window 'LASTIMPORT_demo_contact'[^?]*did you mean '"):
        set_state(desk.project, desk.warehouse, "LASTIMPORT_demo_contact", T0)
    with pytest.raises(ConfigurationError, match="allowed: LASTIMPORT_demo_contacts"):
        reset_state(desk.project, desk.warehouse, "x")
    set_state(desk.project, desk.warehouse, OPTION, T0 - timedelta(hours=1))
    assert desk.value() == T0 - timedelta(hours=1)
    desk.org.put("1", LastName="old", stamp=T0 - timedelta(days=2))
    desk.org.put("2", LastName="new")
    assert (desk.run().rows_received, desk.value()) == (1, T0)
    reset_state(desk.project, desk.warehouse, OPTION)
    assert desk.value() is None
    assert (desk.run().rows_received, len(desk.log())) == (2, 2)


def test_instants_are_shown_as_the_seed_system_shows_them() -> None:
    assert format_instant(datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)) == "2026/03/01 14:05:09"
    assert format_instant(None) == ""
    assert parse_instant("2026/03/01 14:05:09") == datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)
    assert parse_instant("2026-03-01T14:05:09+09:00") == datetime(2026, 3, 1, 5, 5, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="yesterday"):
        parse_instant("yesterday")


def test_dlt_reads_and_writes_nothing_outside_the_project(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".dlt").mkdir(parents=True)
    (elsewhere / ".dlt" / "config.toml").write_text('[schema]\nnaming = "snake_case"\n')
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    hostile: dict[str, Any] = {"SCHEMA__NAMING": "snake_case", "DESTINATION__DUCKDB__CREDENTIALS": "other.duckdb"}
    for name, value in {**hostile, "DLT_DATA_DIR": str(elsewhere), "LOAD__WORKERS": "x"}.items():
        monkeypatch.setenv(name, value)
    desk.config = object_config(["LastName", "Score__c"])
    desk.org.put("1", LastName="a", Score__c=1)
    desk.run()
    assert "Score__c" in desk.warehouse.columns(RAW_SCHEMA, "salesforce__Contact")
    assert [path.name for path in elsewhere.rglob("*")] == [".dlt", "config.toml"]
    assert {path.name for path in desk.folder.iterdir()} <= {".backhaul", "elsewhere", "w.duckdb", "w.duckdb.wal"}
