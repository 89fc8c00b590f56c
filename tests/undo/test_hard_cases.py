"""What is hard to undo: lost replies, an emptied recycle bin, several steps on one object, lookups in an image."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from backhaul.crm import open_connector
from backhaul.ledger.doubts import doubts, settle_doubts
from backhaul.simulator import Running
from backhaul.workflow import exit_code
from backhaul.workflow.undoing import undo
from tests.faults.conftest import QUICK
from tests.undo.conftest import Row, Tried, differences

BEFORE: list[Row] = [(f"M{n}", f"Name {n}", f"m{n}@example.com", n / 2, n % 2 == 0) for n in range(6)]
LOOKUPS = {
    "salesforce": ("Account", "AccountId", "AccountId"),
    "dynamics": ("account", "parentcustomerid", "_parentcustomerid_value"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connectors that wait a hundredth of the time."""
    monkeypatch.setattr("backhaul.workflow.workspace.open_connector", functools.partial(open_connector, policy=QUICK))


def deleted(tried: Tried) -> tuple[str, dict[str, dict[str, Any]]]:
    """A run that deleted everybody; gives its id and what the CRM held before."""
    tried.seed(BEFORE)
    before = tried.live()
    tried.people(BEFORE)
    result = tried.run("delete")
    assert exit_code(result.state) == 0 and tried.live() == {}, [step.message for step in result.steps]
    return result.run_id, before


def by_member(tried: Tried, records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by member number, without their ids."""
    n = tried.names
    made = {n["id"], "CreatedDate", "CreatedById"}
    return {
        row[n["member"]]: {name: value for name, value in row.items() if name not in made} for row in records.values()
    }


@pytest.fixture
def salesforce(tmp_path: Any, orgs: Running) -> Tried:
    """Salesforce alone: Dataverse has no recycle bin."""
    made = Tried(tmp_path, orgs, "salesforce")
    made.org.reset()
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "action",
    [
        {"drop_reply": True},
        {"cut_before": True},
        {"status": 503},
        {"status": 200, "headers": {"Content-Type": "text/xml"}, "body": "<html>a proxy's page</html>"},
    ],
    ids=["lost", "never sent", "busy", "a page instead"],
)
@pytest.mark.parametrize("times", [1, 0], ids=["once", "always"])
def test_a_lost_reply_to_undelete(salesforce: Tried, action: dict[str, Any], times: int) -> None:
    """What came back is known as such by the next call; nothing is restored twice, nothing is made anew beside it."""
    run, before = deleted(salesforce)
    salesforce.org.faults.add({"match": {"path": "/services/Soap/u"}, "times": times, "action": action})
    first = salesforce.undo(run)
    salesforce.org.faults.clear()
    if exit_code(first.state):
        assert "next:" in first.steps[-1].message and "Traceback" not in first.steps[-1].message
        second = salesforce.undo(run)
        assert exit_code(second.state) == 0, second.steps[-1].message
    assert differences(salesforce.live(), before) == []
    assert salesforce.undo(run).steps[-1].rows == 0


@pytest.mark.slow
def test_a_session_that_expires_before_undelete(salesforce: Tried) -> None:
    run, before = deleted(salesforce)
    with salesforce.open() as workspace:
        workspace.connector("salesforce").identity()
        salesforce.org.settings({"expire_sessions": True})
        assert exit_code(undo(workspace, run).state) == 0
    assert differences(salesforce.live(), before) == []


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 2], ids=["empty", "some left"])
def test_records_that_the_bin_no_longer_holds_are_made_anew(salesforce: Tried, kept: int) -> None:
    """Under new ids with the fields that were imported; called again, nothing is made twice, and all can be redone."""
    run, before = deleted(salesforce)
    salesforce.org.purge("Contact", sorted(before)[kept:])
    shown = salesforce.shown(run)
    assert sorted(row["action"] for row in shown) == ["create"] * (6 - kept) + ["restore"] * kept
    undone = salesforce.undo(run)
    assert exit_code(undone.state) == 0, undone.steps[-1].message
    assert by_member(salesforce, salesforce.live()) == by_member(salesforce, before)
    assert set(sorted(before)[:kept]) <= set(salesforce.live())
    assert salesforce.undo(run).steps[-1].rows == 0
    salesforce.later()
    salesforce.run("import")
    assert salesforce.undo(run).steps[-1].rows == 0 and len(salesforce.live()) == 6
    # The undo undone deletes what it made, and nothing else is there.
    assert exit_code(salesforce.undo(undone.run_id).state) == 0
    assert salesforce.live() == {}


@pytest.mark.slow
def test_an_answer_that_is_lost_while_records_are_made_anew(salesforce: Tried) -> None:
    """What may have been made is in doubt, is listed, and is not made a second time before somebody has looked."""
    run, before = deleted(salesforce)
    salesforce.org.purge("Contact", sorted(before))
    match = {"path": "/composite/sobjects", "method": "POST"}
    salesforce.org.faults.add({"match": match, "times": 1, "action": {"drop_reply": True}})
    assert exit_code(salesforce.undo(run).state) == 1
    assert len(salesforce.live()) == 6
    assert {row["symbol"] for row in salesforce.shown(run)} == {"made before"}
    assert salesforce.undo(run).steps[-1].rows == 0 and len(salesforce.live()) == 6
    salesforce.org.delete("Contact", list(salesforce.live()))
    with salesforce.open() as workspace:
        waiting = doubts(workspace.ledger)
        assert {row["key"] for row in waiting} == set(before)
        settle_doubts(workspace.ledger, waiting[0]["step"], dict.fromkeys(before), done=False)
    assert exit_code(salesforce.undo(run).state) == 0
    assert by_member(salesforce, salesforce.live()) == by_member(salesforce, before)


def several(tried: Tried) -> tuple[str, dict[str, dict[str, Any]]]:
    """A run that updates, makes and deletes records of one object; gives its id and what the CRM held before."""
    n, whole = tried.names, f"{tried.crm}.{tried.names['object']}"
    (tried.folder / f"transforms/export/{tried.crm}_few.sql").write_text(
        f"select crm_id from {{{{ ref('{tried.crm}_gone') }}}} where member in ('M1', 'M2')", encoding="utf-8"
    )
    gone = tried.folder / f"transforms/export/{tried.crm}_gone.sql"
    gone.write_text(gone.read_text().replace("select crm_id from", "select crm_id, member from"), encoding="utf-8")
    guards = "guards: {max_shrink: 1, constant: pass}"
    (tried.folder / f"pipelines/{tried.crm}_several.yml").write_text(
        f"""
steps:
  - import: {whole}
  - transform: [people, {tried.crm}_known, +{tried.crm}_few]
  - {{export: {whole}, name: first, from: {tried.crm}_known, mode: update, key: {{{n["id"]}: crm_id}},
     map: {{{n["name"]}: name}}, {guards}}}
  - {{export: {whole}, name: second, from: people, mode: upsert, key: {{{n["member"]}: member}},
     map: {{{n["name"]}: name, {n["score"]}: score}}, {guards}}}
  - {{delete: {whole}, name: third, from: {tried.crm}_few, key: {{{n["id"]}: crm_id}}, guards: {{max_deletes: 9}}}}
""",
        encoding="utf-8",
    )
    tried.seed(BEFORE[:4])
    before = tried.live()
    tried.people([(f"M{k}", f"Other {k}", "", 50 + k, False) for k in range(6)])
    result = tried.run("several")
    assert exit_code(result.state) == 0, [step.message for step in result.steps]
    assert len(tried.live()) == 4
    return result.run_id, before


@pytest.mark.slow
def test_several_steps_on_one_object(tried: Tried) -> None:
    """What each step did is undone on what the next one found; the undo is undone in its turn."""
    n = tried.names
    run, before = several(tried)
    undone = tried.undo(run)
    assert exit_code(undone.state) == 0, [step.message for step in undone.steps]
    assert len(undone.steps) == 3
    assert differences(tried.live(), before) == []
    again = tried.undo(run)
    assert [step.rows for step in again.steps] == [0, 0, 0]
    # And after an import, the whole undo is undone.
    tried.later()
    tried.run("import")
    assert exit_code(tried.undo(undone.run_id).state) == 0
    assert sorted(row[n["name"]] for row in tried.live().values()) == ["Other 0", "Other 3", "Other 4", "Other 5"]


@pytest.mark.slow
def test_an_image_holds_what_was_sent_since_the_import(tried: Tried) -> None:
    """Two steps of the run had written other values to what its third deleted: that one's undo gives them back."""
    n = tried.names
    run, before = several(tried)
    gone = {row[n["member"]]: one for one, row in before.items() if one not in tried.live()}
    assert set(gone) == {"M1", "M2"}
    if tried.crm == "salesforce":
        tried.org.purge("Contact", list(gone.values()))
    with tried.open() as workspace:
        assert exit_code(undo(workspace, run, "third").state) == 0
    held = {row[n["member"]]: row for row in tried.live().values()}
    assert {m: (held[m][n["name"]], float(held[m][n["score"]])) for m in gone} == {
        "M1": ("Other 1", 51), "M2": ("Other 2", 52),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("purged", [False, True], ids=["kept", "purged"])
def test_lookups_come_back_from_an_image(tried: Tried, purged: bool) -> None:
    """To records of one table or of several; where the CRM has kept nothing, they are written anew."""
    n = tried.names
    parents, field, wire = LOOKUPS[tried.crm]
    path = tried.folder / f"sources/{tried.crm}.yml"
    path.write_text(path.read_text().replace(f"[{n['owner']}, ", f"[{n['owner']}, {field}, "), encoding="utf-8")
    title = "Name" if tried.crm == "salesforce" else "name"
    above = tried.org.seed(parents, [{title: "Acme"}, {title: "Beta"}])
    ids = tried.seed(BEFORE[:4])
    targets = [above[0], above[1], None, above[0]]
    tried.org.change(n["object"], [{n["id"]: one, field: parent} for one, parent in zip(ids, targets, strict=True)])
    if tried.crm == "dynamics":  # a parent may be another contact, too
        tried.org.change("contact", [{n["id"]: ids[3], field: ids[0], "parentcustomerid__type": "contact"}])
    tried.later()
    before = tried.live()
    assert [bool(before[one][wire]) for one in ids] == [True, True, False, True]
    tried.people(BEFORE[1:4])
    result = tried.run("delete")
    assert exit_code(result.state) == 0 and set(tried.live()) == {ids[0]}
    purged = purged and tried.crm == "salesforce"  # Dataverse keeps nothing in any case
    if purged:
        tried.org.purge("Contact", ids[1:])
    undone = tried.undo(result.run_id)
    assert exit_code(undone.state) == 0, undone.steps[-1].message
    if purged:
        assert by_member(tried, tried.live()) == by_member(tried, before)
    else:
        assert differences(tried.live(), before) == []


@pytest.mark.slow
def test_opt_outs_that_are_not_imported_come_back(tried: Tried) -> None:
    """They are read before the delete; where that cannot be done, nothing is deleted."""
    n = tried.names
    flag = {"salesforce": "DoNotCall", "dynamics": "donotphone"}[tried.crm]
    ids = tried.seed(BEFORE[:3])
    tried.org.change(n["object"], [{n["id"]: ids[1], flag: True}])
    tried.later()
    before = tried.live()
    assert before[ids[1]][flag] is True
    tried.people(BEFORE[:3])
    match = {"path": "query" if tried.crm == "salesforce" else r"/contacts\?.*donotphone"}
    tried.run("import")
    with tried.open() as workspace:
        steps = [step for step in workspace.pipeline(f"{tried.crm}_delete").steps if step.kind != "import"]
        workspace.run_steps(steps[:1], command="transform")
        tried.org.faults.add({"match": match, "times": 0, "action": {"status": 503}})
        failed = workspace.run_steps(steps[1:], command="export")
    tried.org.faults.clear()
    assert exit_code(failed.state) == 1 and len(tried.live()) == 3, failed.steps[-1].message
    result = tried.run("delete")
    assert exit_code(result.state) == 0 and tried.live() == {}, result.steps[-1].message
    if tried.crm == "salesforce":
        tried.org.purge("Contact", ids)
    assert exit_code(tried.undo(result.run_id).state) == 0
    assert by_member(tried, tried.live()) == by_member(tried, before)


@pytest.mark.slow
def test_an_opt_out_since_the_import_comes_back(tried: Tried) -> None:
    """Somebody opts out after the import and before the delete: who is made anew is still opted out."""
    n = tried.names
    ids = tried.seed(BEFORE[1:3])
    tried.people(BEFORE[1:3])
    tried.run("import")
    with tried.open() as workspace:
        steps = [step for step in workspace.pipeline(f"{tried.crm}_delete").steps if step.kind != "import"]
        workspace.run_steps(steps[:1], command="transform")
        tried.org.change(n["object"], [{n["id"]: one, n["out"]: True} for one in ids])
        result = workspace.run_steps(steps[1:], command="export")
    assert exit_code(result.state) == 0 and tried.live() == {}, result.steps[-1].message
    if tried.crm == "salesforce":
        tried.org.purge("Contact", ids)
    assert exit_code(tried.undo(result.run_id).state) == 0
    assert [row[n["out"]] for row in tried.live().values()] == [True, True]
