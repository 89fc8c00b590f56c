from __future__ import annotations

from datetime import timedelta

import pytest

from backhaul.errors import TransientError

from .conftest import Desk
from .served import T0, object_config


def test_listed_deletions_are_appended_once(desk: Desk) -> None:
    for name in "abc":
        desk.org.put(name, LastName=name)
    desk.run()
    desk.org.clock = T0 + timedelta(hours=1)
    desk.org.remove("a")
    desk.org.remove("b", survivor="c")
    result = desk.run_deleted()
    assert (result.start, result.end, result.rows_received, result.rows_loaded) == (None, desk.org.clock, 2, 2)
    assert desk.mirror("LastName") == {"c": "c"}
    gone = [row for row in desk.log() if row["_backhaul_deleted"]]
    assert gone == [
        {
            "Id": name,
            "LastName": None,
            "Email": None,
            "LastModifiedDate": desk.org.clock - timedelta(seconds=1),
            "_backhaul_deleted": True,
            "_backhaul_survivor": survivor,
            "_backhaul_seen_at": desk.org.clock,
        }
        for name, survivor in (("a", None), ("b", "c"))
    ]
    # Listed again by the overlap: known. The stored window is the deletions' own.
    again = desk.run_deleted()
    assert (again.start, again.rows_received, again.rows_loaded) == (desk.org.clock - timedelta(minutes=10), 2, 0)
    assert desk.value() == T0
    # A record that comes back with a later stamp is live again, once.
    desk.org.clock = T0 + timedelta(hours=2)
    desk.org.put("a", LastName="back")
    assert desk.run().rows_loaded == 1
    assert desk.run().rows_loaded == 0
    assert desk.mirror("LastName") == {"a": "back", "c": "c"}
    # By hand, both ends included; the stored window does not go back.
    chosen = T0 + timedelta(hours=1, seconds=-1)
    hand = desk.run_deleted(start=chosen, end=chosen)
    assert (hand.rows_received, hand.rows_loaded) == (2, 0)
    assert desk.value("LASTIMPORT_demo_gone") == T0 + timedelta(hours=1)


def test_without_a_list_the_ids_are_compared(desk: Desk) -> None:
    desk.crm.detects_deletions = False
    desk.config = object_config(["LastName", "Score__c"])
    assert desk.run_deleted().rows_loaded == 0  # nothing imported yet
    for number in range(10):
        desk.org.put(f"{number}", LastName="x", Score__c=1)
    desk.run()
    assert desk.run_deleted().rows_loaded == 0
    for number in (3, 7):
        desk.org.remove(f"{number}")
    desk.org.clock = T0 + timedelta(hours=1)

    def fail(page: int) -> None:
        raise TransientError("the connection broke")

    desk.crm.on_page = fail
    with pytest.raises(TransientError):
        desk.run_deleted()
    desk.crm.on_page = lambda page: None
    result = desk.run_deleted()
    assert (result.rows_received, result.rows_loaded) == (8, 2)
    assert set(desk.mirror("LastName")) == set("01245689")
    gone = [row for row in desk.log() if row["_backhaul_deleted"]]
    assert {(row["Id"], row["LastModifiedDate"]) for row in gone} == {("3", desk.org.clock), ("7", desk.org.clock)}
    assert desk.run_deleted().rows_loaded == 0
