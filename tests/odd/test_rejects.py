"""Rows that the CRM refused, and a model, or a person in the CRM, that has changed its mind since."""

from __future__ import annotations

from typing import Any

import pytest

from tests.odd.conftest import run, step
from tests.undo.conftest import ON_POSTGRES_TOO, Tried

pytestmark = ON_POSTGRES_TOO


def refusing(tried: Tried) -> None:
    if tried.crm == "salesforce":
        rule: dict[str, Any] = {"object": "Contact", "condition": "LastName = 'Bad'", "message": "Not this one."}
        tried.org.settings({"validation_rules": [rule]})
    else:
        tried.org.verbs["plugins"]({"object": "contact", "when": {"lastname": "Bad"}, "refuse": "Not this one."})


def wanted(tried: Tried, one: str, name: str, score: int = 7) -> None:
    n = tried.names
    step(
        tried,
        f"select * from (select '{one}' as crm_id, '{name}' as name, {score} as score) as t where name <> ''",
        f"mode: update, key: {{{n['id']}: crm_id}}, map: {{{n['name']}: name, {n['score']}: score}}",
    )


@pytest.fixture
def one(tried: Tried) -> str:
    """The id of a person of whom the model's name was refused, and is open as a reject."""
    (found,) = tried.seed([("M1", "One", "", 1, False)])
    refusing(tried)
    wanted(tried, found, "Bad")
    assert len(run(tried).details["rejects"]) == 1 and rejects(tried) == 1
    tried.later()
    assert run(tried).details["skipped"] == {"held": 1}, "the same values are not sent again by themselves"
    return found


def rejects(tried: Tried) -> int:
    with tried.open() as workspace:
        return len(workspace.ledger.rejects())


@pytest.mark.slow
def test_another_value_is_sent_without_being_asked_for(tried: Tried, one: str) -> None:
    wanted(tried, one, "Good")
    assert run(tried).details["updated"] == 1
    assert tried.live()[one][tried.names["name"]] == "Good" and rejects(tried) == 0


@pytest.mark.slow
@pytest.mark.parametrize("retry", [False, True])
def test_a_model_that_wants_what_the_crm_holds_has_nothing_refused(tried: Tried, one: str, retry: bool) -> None:
    wanted(tried, one, "One", 1)
    assert run(tried, retry=retry).rows == 0
    assert rejects(tried) == 0


@pytest.mark.slow
@pytest.mark.parametrize("retry", [False, True])
def test_a_row_that_left_the_model_is_not_refused_any_more(tried: Tried, one: str, retry: bool) -> None:
    wanted(tried, one, "")
    assert run(tried, retry=retry).rows == 0
    assert rejects(tried) == 0 and tried.live()[one][tried.names["name"]] == "One"


@pytest.mark.slow
def test_what_a_person_wrote_into_the_crm_meanwhile_is_not_refused_any_more(tried: Tried, one: str) -> None:
    n = tried.names
    if tried.crm == "salesforce":
        tried.org.settings({"validation_rules": []})
    tried.org.change(n["object"], [{n["id"]: one, n["name"]: "Bad", n["score"]: 7}])
    tried.later()
    assert run(tried).rows == 0 and rejects(tried) == 0


@pytest.mark.slow
def test_a_change_of_mind_back_to_what_was_refused_is_held_again_only_while_it_is_open(tried: Tried, one: str) -> None:
    wanted(tried, one, "Good")
    run(tried)
    tried.later()
    wanted(tried, one, "Bad")
    # The reject was over: the CRM may have learnt meanwhile, so it is asked once more, and no more.
    assert len(run(tried).details["rejects"]) == 1
    tried.later()
    assert run(tried).details["skipped"] == {"held": 1}
    assert tried.live()[one][tried.names["name"]] == "Good"
