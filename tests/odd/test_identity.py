"""Rows whose keys are spelt in another way than the CRM spells them, and records that are no longer what they were."""

from __future__ import annotations

import pytest

from tests.odd.conftest import run, step
from tests.undo.conftest import Tried


def other_spelling(tried: Tried, one: str) -> str:
    """The same id as another system may keep it."""
    return one[:15] if tried.crm == "salesforce" else "{" + one.upper() + "}"


@pytest.mark.parametrize("verb", [pytest.param("update", marks=pytest.mark.slow), "upsert", "delete"])
def test_an_id_in_its_other_spelling(tried: Tried, verb: str) -> None:
    """15 or 18 characters, capitals and braces: the same record is updated or deleted, and none is made beside it."""
    n = tried.names
    (one,) = tried.seed([("M1", "One", "", 1, False)])
    model = f"select '{other_spelling(tried, one)}' as crm_id, 'Other' as name"
    if verb == "delete":
        step(tried, model, f"key: {{{n['id']}: crm_id}}, guards: {{max_deletes: 9}}", verb="delete")
    else:
        step(tried, model, f"mode: {verb}, key: {{{n['id']}: crm_id}}, map: {{{n['name']}: name}}")
    assert run(tried).state == "done"
    assert [row[n["name"]] for row in tried.live().values()] == ([] if verb == "delete" else ["Other"])
    assert run(tried).rows == 0


@pytest.mark.slow
@pytest.mark.parametrize("other", ["m1", "M1 ", " M1"])
def test_two_keys_that_the_crm_deems_one(tried: Tried, other: str) -> None:
    """Neither row is written: nobody knows which is meant."""
    n = tried.names
    model = f"select * from (values ('M1', 'One'), ('{other}', 'Two')) as r(member, name)"
    step(tried, model, f"mode: upsert, key: {{{n['member']}: member}}, map: {{{n['name']}: name}}")
    done = run(tried)
    assert {reject["symbol"] for reject in done.details["rejects"]} == {"KEY_DUPLICATE"} and done.details[
        "refused"
    ] == 2
    assert tried.live() == {}


@pytest.mark.slow
@pytest.mark.parametrize("other", ["m1", " M1 "])
def test_a_key_in_another_spelling_finds_its_record(tried: Tried, other: str) -> None:
    n = tried.names
    tried.seed([("M1", "One", "", 1, False)])
    step(
        tried,
        f"select '{other}' as member, 'Two' as name",
        f"mode: upsert, key: {{{n['member']}: member}}, map: {{{n['name']}: name}}",
    )
    assert run(tried).state == "done"
    assert [row[n["name"]] for row in tried.live().values()] == ["Two"]
    assert run(tried).rows == 0


@pytest.mark.slow
def test_a_merged_record_is_deleted_and_not_the_one_that_lives_on(tried: Tried) -> None:
    """The delete was refused, somebody merged the record, and the rejects are sent again: the survivor stays."""
    n = tried.names
    if tried.crm == "dynamics":
        pytest.skip("Dataverse deactivates what is merged away: its record is there, and is deleted")
    loser, master = tried.seed([("M1", "One", "", 1, False), ("M2", "Two", "", 1, False)])
    step(
        tried,
        f"select '{loser}' as crm_id",
        f"key: {{{n['id']}: crm_id}}, guards: {{max_deletes: 9}}",
        verb="delete",
        imports=f"  - import_deleted: salesforce.{n['object']}\n",
    )
    locked = {"symbol": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access to this record"}
    refusal = [{"id": None, "success": False, "errors": [{"statusCode": locked["symbol"], "fields": [], **locked}]}]
    action = {"status": 200, "body": refusal}
    tried.org.faults.add({"match": {"path": "composite/sobjects", "method": "DELETE"}, "times": 0, "action": action})
    assert run(tried).state == "done with rejects"
    tried.org.faults.clear()
    tried.org.verbs["merge"]({"object": "Contact", "master": master, "losers": [loser]})
    tried.later()
    done = run(tried, retry=True)
    assert (done.state, done.details["skipped"]) == ("done", {"merged": 1})
    assert list(tried.live()) == [master]
    with tried.open() as workspace:
        assert workspace.ledger.rejects() == []
