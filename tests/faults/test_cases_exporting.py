"""Failures of exporting that the field knows, each held through whole steps of a project on both simulated CRMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from backhaul.simulator import Running
from backhaul.workflow import StepResult, Workspace

from .conftest import Tried, reads_well

NAMES: dict[str, dict[str, str]] = {
    "salesforce": {
        "object": "Contact", "id": "Id", "last": "LastName", "first": "FirstName", "job": "Title",
        "member": "Member_Number__c",
    },
    "dynamics": {
        "object": "contact", "id": "contactid", "last": "lastname", "first": "firstname", "job": "jobtitle",
        "member": "new_membernumber",
    },
}  # fmt: skip


class Exporting(Tried):
    """A project that imports contacts and exports the seed `wanted`: columns member, name, crm_id."""

    def __init__(self, folder: Path, orgs: Running, crm: str, how: str, more: Mapping[str, str] | None = None) -> None:
        self.names = NAMES[crm]
        self.target = f"{crm}.{self.names['object']}"
        how = how.format(**self.names)
        fields = ", ".join(self.names[name] for name in ("last", "first", "job", "member"))
        super().__init__(
            folder,
            orgs,
            crm,
            {
                f"sources/{crm}.yml": f"account: {crm}\nobjects:\n  {self.names['object']}: {{fields: [{fields}]}}\n",
                "transforms/seeds/wanted.yml": "seeds: [{name: wanted, config: {column_types: "
                "{member: varchar, name: varchar, crm_id: varchar, first: varchar, job: varchar}}}]\n",
                "transforms/seeds/wanted.csv": "member,name,crm_id,first,job\n",
                "transforms/export/rows.sql": "select * from {{ ref('wanted') }}",
                "pipelines/write.yml": "steps:\n"
                f"  - import: {self.target}\n  - transform: +rows\n"
                f"  - {{export: {self.target}, name: put, from: rows, {how}}}\n",
                **(more or {}),
            },
        )
        self.fresh()

    def want(self, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = ("member", "name", "crm_id", "first", "job")
        lines = [",".join(str(row.get(column) or "") for column in columns) for row in rows]
        path = self.folder / "transforms/seeds/wanted.csv"
        path.write_text(",".join(columns) + "\n" + "".join(line + "\n" for line in lines), encoding="utf-8")

    def seed(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        made: list[str] = self.org.seed(
            self.names["object"], [{self.names[name]: value for name, value in row.items()} for row in rows]
        )
        self.org.clock.advance(5)
        return made

    def write(self, *, full_refresh: bool = False) -> StepResult:
        """Run the pipeline, a few seconds later; gives its export step. `written` is how many records it touched."""
        self.org.clock.advance(5)
        before = self.stamps()
        with Workspace(self.project) as workspace:
            step = workspace.run("write", full_refresh=full_refresh).steps[-1]
        after = self.stamps()
        self.written = sum(before.get(key) != after.get(key) for key in {*before, *after})
        return step

    def live(self) -> list[dict[str, Any]]:
        found = [row for row in self.org.dump(self.names["object"]) if not row.get("IsDeleted")]
        return [{name: row[field] for name, field in self.names.items() if name != "object"} for row in found]

    def stamps(self) -> dict[str, str]:
        """When each record was last written, the deleted ones too: changes even when the same values are sent again."""
        stamp = "versionnumber" if "contactid" in self.names.values() else "SystemModstamp"
        return {row[self.names["id"]]: str(row[stamp]) for row in self.org.dump(self.names["object"])}

    def changed_by_a_person(self, record_id: str, **values: Any) -> None:
        """A person changes a record in the CRM."""
        self.org.clock.advance(5)
        self.org.change(
            self.names["object"], [{self.names["id"]: record_id, **{self.names[k]: v for k, v in values.items()}}]
        )


@pytest.fixture(params=["salesforce", pytest.param("dynamics", marks=pytest.mark.slow)])
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[5, pytest.param(400, marks=pytest.mark.slow)], ids=["few", "many"])
def rows(request: pytest.FixtureRequest) -> int:
    """So many rows go by single calls, and by jobs or set messages."""
    return int(request.param)


UPSERT = "mode: upsert, key: {{{member}: member}}, map: {{{last}: name, {first}: first, {job}: job}}"
NAMED = "mode: {mode}, key: {{{{{{member}}: member}}}}, map: {{{{{{last}}: name}}}}"


@pytest.mark.slow
def test_a_value_that_the_first_row_lacks_is_sent_for_the_others(
    tmp_path: Path, orgs: Running, crm: str, rows: int
) -> None:
    """Case 12: rows of one batch have fields of their own; what a row has no value for stays as it is."""
    tried = Exporting(tmp_path, orgs, crm, UPSERT)
    tried.seed([{"last": "Old", "job": "Old", "member": f"M{n}"} for n in range(rows)])
    tried.want(
        [
            {"member": f"M{n}", "name": "New", "first": f"F{n}" if n else None, "job": f"J{n}" if n > 2 else None}
            for n in range(rows)
        ]
    )
    step = tried.write()
    assert (step.state, step.details["updated"]) == ("done", rows), step.message
    assert {row["member"]: (row["last"], row["first"], row["job"]) for row in tried.live()} == {
        f"M{n}": ("New", f"F{n}" if n else None, f"J{n}" if n > 2 else "Old") for n in range(rows)
    }
    step = tried.write()
    assert (step.state, step.details["updated"], tried.written) == ("done", 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("archive", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["delete", "archive"])
def test_what_left_the_model_before_a_full_import_is_removed_all_the_same(
    tmp_path: Path, orgs: Running, crm: str, archive: bool
) -> None:
    """Case 19: the import that comes between forgets the windows, not what the step wrote."""
    left = "archive: {{{job}: Left}}, " if archive else "guards: {{max_deletes: 5}}, "
    tried = Exporting(tmp_path, orgs, crm, left + NAMED.format(mode="mirror"))
    tried.seed([{"last": "Theirs", "member": "T1"}])
    people = [{"member": f"M{n}", "name": f"N{n}"} for n in range(6)]
    tried.want(people)
    step = tried.write()
    assert (step.state, step.details["created"]) == ("done", 6), step.message
    tried.want(people[2:])
    step = tried.write(full_refresh=True)
    assert step.state == "done", step.message
    here = {row["member"]: row["job"] for row in tried.live()}
    stayed = {"T1": None, "M2": None, "M3": None, "M4": None, "M5": None}
    assert here == (stayed | {"M0": "Left", "M1": "Left"} if archive else stayed)
    step = tried.write()
    assert (step.state, step.rows, tried.written) == ("done", 0, 0), step.message


@pytest.mark.parametrize("left", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_an_empty_or_tiny_model_stops_the_run(tmp_path: Path, orgs: Running, crm: str, left: int) -> None:
    """Case 20: nothing is deleted when the model holds a fiftieth of its rows, or none."""
    tried = Exporting(tmp_path, orgs, crm, "guards: {{max_deletes: 1000}}, " + NAMED.format(mode="mirror"))
    people = [{"member": f"M{n}", "name": f"N{n}"} for n in range(100)]
    tried.want(people)
    assert tried.write().details["created"] == 100
    tried.want(people[:left])
    step = tried.write()
    assert step.state == "blocked" and tried.written == 0
    assert "max_shrink" in step.message and "100" in step.message and reads_well(step.message), step.message
    assert len(tried.live()) == 100
    tried.want(people[:98])
    assert tried.write().state == "done"
    assert len(tried.live()) == 98


def test_two_rows_for_one_record_are_told_before_anything_is_sent(tmp_path: Path, orgs: Running, crm: str) -> None:
    """Case 24: keys that are the same, or differ by case or space, or that two records have."""
    tried = Exporting(tmp_path, orgs, crm, "mode: update, key: {{{first}: member}}, map: {{{last}: name}}")
    twins = [{"last": "Old", "first": key} for key in ("twin", "twin", "alone", "cased", "same")]
    tried.seed(twins)
    tried.want(
        [
            {"member": "twin", "name": "For which"},
            {"member": "same", "name": "One"},
            {"member": "same", "name": "Two"},
            {"member": "cased", "name": "Three"},
            {"member": "Cased ", "name": "Four"},
            {"member": "alone", "name": "New"},
        ]
    )
    step = tried.write()
    assert (step.state, step.details["updated"]) == ("done with rejects", 1), step.message
    refused = {(reject["key"].strip().lower(), reject["symbol"]) for reject in step.details["rejects"]}
    assert refused == {("twin", "KEY_AMBIGUOUS"), ("same", "KEY_DUPLICATE"), ("cased", "KEY_DUPLICATE")}, refused
    assert sorted(row["last"] for row in tried.live()) == ["New", "Old", "Old", "Old", "Old"]


@pytest.mark.slow
def test_a_rewriting_crm_is_left_alone_after_two_rounds(tmp_path: Path, orgs: Running, crm: str) -> None:
    """Case 25: a trigger makes something else of our value, and the model follows what it reads."""
    tried = Exporting(tmp_path, orgs, crm, UPSERT)
    tried.seed([{"last": "Old", "job": "Old", "member": f"M{n}"} for n in range(3)])
    if crm == "salesforce":
        tried.org.settings({"triggers": [{"object": "Contact", "set": {"Title": "Rewritten"}}]})
    else:
        tried.org.verbs["plugins"]({"object": "contact", "set": {"jobtitle": "Rewritten"}})
    sent = []
    for round_ in range(5):
        tried.want([{"member": f"M{n}", "name": f"N{n}", "job": f"Job {round_ // 2}"} for n in range(3)])
        step = tried.write()
        assert step.state == "done", step.message
        sent.append(step.details["updated"])
    assert sent[3:] == [0, 0] and sum(sent) <= 9, sent
    assert tried.written == 0
    assert {row["job"] for row in tried.live()} == {"Rewritten"}
    with Workspace(tried.project) as workspace:
        waiting = workspace.warehouse.rows("SELECT DISTINCT kind FROM backhaul.conflicts")
    assert waiting == [{"kind": "rewritten"}]


@pytest.mark.slow
def test_what_a_person_changed_or_deleted_meanwhile_does_not_come_back(tmp_path: Path, orgs: Running, crm: str) -> None:
    """Case 25: no older value is written over a newer one, and a deleted record is not made again."""
    tried = Exporting(tmp_path, orgs, crm, UPSERT)
    tried.want([{"member": f"M{n}", "name": f"N{n}", "job": "Ours"} for n in range(3)])
    assert tried.write().details["created"] == 3
    ids = {row["member"]: row["id"] for row in tried.live()}
    assert tried.write().details["updated"] == 0
    tried.want([{"member": f"M{n}", "name": f"N{n}", "job": "Ours again" if n == 0 else "Ours"} for n in range(3)])
    tried.changed_by_a_person(ids["M0"], job="Theirs")
    tried.org.delete(tried.names["object"], [ids["M1"]])
    step = tried.write()
    assert (step.state, tried.written) == ("done", 0), step.message
    assert {row["member"]: row["job"] for row in tried.live()} == {"M0": "Theirs", "M2": "Ours"}
