"""A recipient keeps its id through everything that happens to its records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.template.campaign import DAY, SEEN, T0, Template, template

LATER = SEEN + 30 * DAY
LAST = SEEN + 60 * DAY
BORN = date(1982, 3, 4)

Ids = dict[str, str]


def first_act(t: Template) -> None:
    t.record("Contact", "same-1", given="Iris", surname="Kern", email="iris@a.example")
    t.record("contact", "same-2", given="Iris", surname="Kern", email="iris@a.example")
    t.record("Contact", "joined-1", given="Udo", surname="Lang", email="udo@b.example", created=T0 + 9 * DAY)
    # two recipients that turn out to be one; the second was created earlier but has been known for less long
    t.record("Contact", "older", given="Rolf", surname="Pape", email="rolf@c.example", seen=SEEN - 9 * DAY)
    t.record("contact", "newer", given="Rolf", surname="Pape", email="rolf.pape@c.example", created=T0 - 9 * DAY)
    t.record("Lead", "newer-gone", given="Rolf", surname="Pape", email="rolf.pape@c.example", opted_out=True)
    # one that falls apart
    t.record("Contact", "stays", given="Edda", surname="Voss", email="edda@d.example")
    t.record("contact", "leaves", given="Edda", surname="Voss", email="edda@d.example", created=T0 + 5 * DAY)
    # merged in the CRM
    t.record("Contact", "loser", given="Gerd", surname="Zahn", email="gerd@e.example", seen=SEEN - 9 * DAY)
    t.record("Contact", "winner", given="Gerhard", surname="Zahn-Oster", email="gz@e.example")
    # deleted, and back again
    t.record("Contact", "back", given="Lore", surname="Quast", email="lore@f.example")
    t.record("Contact", "alone", given="Wim", surname="Unger", email="wim@g.example", opted_out=True)
    t.record("contact", "alone-too", given="Wim", surname="Unger", email="wim@g.example")


def second_act(t: Template) -> None:
    later = {"seen": LATER, "modified": LATER}
    t.record("Contact", "same-1", given="Iris", surname="Kern-Adam", email="iris@neu.example", birth=BORN, **later)
    t.record("contact", "same-2", given="Iris", surname="Kern", email="iris@neu.example", **later)
    t.record(
        "contact", "joined-2", given="Udo", surname="Lang", email="udo@b.example", **later | {"created": T0 - 99 * DAY}
    )
    t.gone("Lead", "newer-gone", LATER)
    t.record("contact", "newer", given="Rolf", surname="Pape", email="rolf@c.example", **later)
    t.record("contact", "leaves", given="Edith", surname="Vogel", email="edith@d.example", **later)
    t.gone("Contact", "loser", LATER, survivor="winner")
    t.gone("Contact", "back", LATER)
    t.gone("Contact", "alone", LATER)


def third_act(t: Template) -> None:
    t.record("contact", "leaves", given="Edda", surname="Voss", email="edda@d.example", seen=LAST, modified=LAST)
    t.record("Contact", "back", given="Lore", surname="Quast", email="lore@new.example", seen=LAST, modified=LAST)
    t.record("contact", "newer", given="Rolf", surname="Pape", email="other@c.example", seen=LAST, modified=LAST)
    t.record(
        "contact", "newer", given="Rudi", surname="Papst", email="r@h.example", seen=LAST, modified=LAST + timedelta(1)
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Template, list[Ids]]]:
    with template(tmp_path_factory.mktemp("stability")) as t:
        seen: list[Ids] = []
        t.run("engagement_events")
        for act in (first_act, second_act, third_act):
            act(t)
            t.run(*([] if act is third_act else ["+recipient_links"]))
            seen.append(ids(t))
        yield t, seen


def ids(t: Template) -> Ids:
    return {
        row["record_id"]: row["recipient_id"]
        for row in t.rows("select record_id, recipient_id from campaign.recipient_links")
    }


def test_changed_fields_change_no_id(story: tuple[Template, list[Ids]]) -> None:
    first, second, third = story[1]
    assert first["same-1"] == first["same-2"] == second["same-1"] == second["same-2"] == third["same-1"]


def test_a_new_duplicate_joins_under_the_id_that_was_there_even_if_its_record_is_older(
    story: tuple[Template, list[Ids]],
) -> None:
    first, second, _ = story[1]
    assert second["joined-1"] == second["joined-2"] == first["joined-1"]


def test_two_that_turn_out_to_be_one_keep_the_id_known_longer(story: tuple[Template, list[Ids]]) -> None:
    first, second, _ = story[1]
    assert first["older"] != first["newer"]
    assert second["older"] == second["newer"] == first["older"]


def test_what_is_remembered_of_gone_records_moves_along(story: tuple[Template, list[Ids]]) -> None:
    t, (first, _, _) = story
    remembered = t.rows(
        "select recipient_id from campaign.recipient_ids where record_key = 'salesforce:Lead:newer-gone'"
    )
    assert [row["recipient_id"] for row in remembered] == [first["older"]]
    assert t.recipient("older")["opted_out"] is True


def test_one_that_falls_apart_leaves_the_id_with_the_record_it_was_made_from(
    story: tuple[Template, list[Ids]],
) -> None:
    first, second, third = story[1]
    assert first["stays"] == first["leaves"] == second["stays"]
    assert second["leaves"] != second["stays"]
    assert third["stays"] == third["leaves"] == first["stays"]


def test_one_that_left_again_does_not_take_an_id_that_another_has(story: tuple[Template, list[Ids]]) -> None:
    first, _, third = story[1]
    assert third["older"] == first["older"]
    assert third["newer"] != third["older"]
    assert len(set(third.values())) == len({frozenset(group) for group in _groups(third)})


def _groups(links: Ids) -> list[list[str]]:
    return [[record for record, found in links.items() if found == one] for one in set(links.values())]


def test_the_survivor_of_a_merge_in_the_crm_goes_on_under_the_older_id(story: tuple[Template, list[Ids]]) -> None:
    first, second, _ = story[1]
    assert "loser" not in second
    assert second["winner"] == first["loser"]


def test_an_undeleted_record_gets_its_id_back(story: tuple[Template, list[Ids]]) -> None:
    first, second, third = story[1]
    assert "back" not in second
    assert third["back"] == first["back"]


def test_the_opt_out_of_a_deleted_record_stays(story: tuple[Template, list[Ids]]) -> None:
    t, (first, _, third) = story
    assert third["alone-too"] == first["alone-too"]
    assert t.recipient("alone-too")["opted_out"] is True


def test_running_again_and_a_full_refresh_change_nothing(story: tuple[Template, list[Ids]]) -> None:
    t, (_, _, third) = story
    t.run("+recipient_links", full_refresh=True)
    assert ids(t) == third
