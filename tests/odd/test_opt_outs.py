"""Opt-outs in spellings that models come by: none is lost without a word, and none is taken back."""

from __future__ import annotations

import pytest

from backhaul.errors import ConfigurationError
from tests.odd.conftest import run, step
from tests.undo.conftest import Tried

MEANT = ["'true'", "'TRUE'", "'yes'", "'1'", "1", "'t'"]
UNKNOWN = ["'opted out'", "'x'"]
NOT_MEANT = ["'false'", "'no'", "'0'", "0", "''", "null", "'Allow'", "'maybe'"]


def flagged(tried: Tried, said: str, *, out: bool, more: str = "") -> str:
    """One person whose flag is as `out`, and of whom the model says `said`; gives the id."""
    n = tried.names
    (one,) = tried.seed([("M1", "One", "", 1, out)])
    step(
        tried,
        f"select '{one}' as crm_id, {said} as opted_out, timestamp '2000-01-01' as said_at",
        f"mode: update, key: {{{n['id']}: crm_id}}, nulls: clear, "
        f"map: {{{n['out']}: {{from: opted_out, only_tighten: true{more}}}}}",
    )
    return one


@pytest.mark.slow
@pytest.mark.parametrize("said", MEANT)
def test_an_opt_out_in_another_spelling_is_written(tried: Tried, said: str) -> None:
    one = flagged(tried, said, out=False)
    assert run(tried).state == "done"
    assert tried.live()[one][tried.names["out"]] is True


@pytest.mark.parametrize("more", [pytest.param("", marks=pytest.mark.slow), ", changed_at: said_at"])
@pytest.mark.parametrize("said", [UNKNOWN[0], *(pytest.param(one, marks=pytest.mark.slow) for one in UNKNOWN[1:])])
def test_an_opt_out_in_words_that_are_none_of_the_field_is_refused(tried: Tried, said: str, more: str) -> None:
    """It was passed over as unchanged once: an opt-out that nobody hears of."""
    flagged(tried, said, out=False, more=more)
    done = run(tried)
    assert [reject["symbol"] for reject in done.details["rejects"]] == ["VALUE_NOT_CONVERTIBLE"]


@pytest.mark.slow
def test_an_opt_out_by_the_label_that_dataverse_shows_is_written(tried: Tried) -> None:
    """Salesforce has no such word, and says so."""
    one = flagged(tried, "'Do Not Allow'", out=False)
    done = run(tried)
    known = tried.crm == "dynamics"
    assert tried.live()[one][tried.names["out"]] is known
    assert [reject["symbol"] for reject in done.details["rejects"]] == ([] if known else ["VALUE_NOT_CONVERTIBLE"])


@pytest.mark.slow
@pytest.mark.parametrize("said", NOT_MEANT)
def test_no_spelling_takes_an_opt_out_back(tried: Tried, said: str) -> None:
    one = flagged(tried, said, out=True)
    run(tried)
    assert tried.live()[one][tried.names["out"]] is True


def test_only_tighten_of_a_field_that_is_not_true_or_false(tried: Tried) -> None:
    n = tried.names
    tried.seed([("M1", "One", "", 1, False)])
    step(
        tried,
        "select 'x' as crm_id, 'Two' as name",
        f"mode: update, key: {{{n['id']}: crm_id}}, map: {{{n['name']}: {{from: name, only_tighten: true}}}}",
    )
    with pytest.raises(ConfigurationError, match=f"only_tighten is for fields that are true or false, and {n['name']}"):
        run(tried)
