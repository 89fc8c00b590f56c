"""What a plan copies of the ledger to the runner: less than there is, and never less than it looks at."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from backhaul.config import load_project
from backhaul.export import Plan
from backhaul.simulator import Running
from backhaul.warehouse.scratch import Scratch
from backhaul.workflow import Workspace
from backhaul.workflow.undoing import plan_undo
from tests.conftest import Door
from tests.warehouse.subjects import point

ROOT = Path(__file__).resolve().parents[2]
NEWEST = "qualify row_number() over (partition by Id order by LastModifiedDate desc, _backhaul_seen_at desc) = 1"
CONTACT = "{{ source('salesforce', 'Contact') }}"
FILES = {
    "pyproject.toml": '[tool.backhaul]\nname = "narrow"\nprofile = "demo"\n',
    "profiles/demo.yml": (ROOT / "profiles" / "demo.yml").read_text(encoding="utf-8"),
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact: {fields: [LastName, Phone, Title, Member_Number__c, ReportsToId]}
        """,
    "transforms/seeds/people.yml": "seeds: [{name: people, config: {column_types: {phone: varchar}}}]\n",
    "transforms/export/wanted.sql": "select member, name, phone from {{ ref('people') }}",
    "transforms/export/named.sql": "select 'row ' || member as row_name, name from {{ ref('people') }}",
    "transforms/export/known.sql": f"""
        select r.Id as crm_id, p.phone as title, b.Id as boss from {CONTACT} as r
        join {{{{ ref('people') }}}} as p on p.member = r.Member_Number__c
        left join {CONTACT} as b on b.Member_Number__c = 'M00' and not b._backhaul_deleted
        qualify row_number() over (partition by r.Id order by r._backhaul_seen_at desc, b._backhaul_seen_at desc) = 1
        """,
    "pipelines/one.yml": """
        steps:
          - import: salesforce.Contact
          - transform: [people, wanted, named]
          - {export: salesforce.Contact, name: keyed, from: wanted, mode: upsert, key: {Member_Number__c: member},
             map: {LastName: name, Phone: phone}}
          - {export: salesforce.Contact, name: added, from: named, identify: row_name, map: {LastName: name},
             guards: {constant: pass}}
        """,
    "pipelines/two.yml": """
        steps:
          - import: salesforce.Contact
          - transform: known
          - {export: salesforce.Contact, name: by_id, from: known, mode: update, key: {Id: crm_id},
             map: {Title: title, ReportsToId: boss}, guards: {max_shrink: 1, constant: pass}}
        """,
}


def written(folder: Path, phones: list[str]) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    lines = [f"M{n:02},Name {n},{phone}" for n, phone in enumerate(phones)]
    (folder / "transforms/seeds/people.csv").write_text("member,name,phone\n" + "\n".join(lines) + "\n")


@pytest.mark.slow
def test_a_plan_of_narrowed_copies_is_the_plan_of_whole_ones(
    tmp_path: Path, running: Running, salesforce_door: Door, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a history of sendings, people's changes, a refused row and an undo: every step's plan, and every undo."""
    folder = tmp_path / "project"
    phones = [str(n) for n in range(12)]
    runs: list[str] = []
    for turn in range(3):
        written(folder, [f"{phone} {turn}" if n % 3 == turn else phone for n, phone in enumerate(phones)])
        point(folder, "demo", postgres)
        with Workspace(load_project(folder, environ=running.environment)) as workspace:
            for pipeline in ("one", "two"):
                runs.append(workspace.run(pipeline).run_id)
                salesforce_door.post("clock", {"advance": 60})
        ids = {row["Member_Number__c"]: row["Id"] for row in salesforce_door.dump("Contact")}
        changed = [{"Id": ids[f"M{n:02}"], "Phone": f"by hand {turn}"} for n in (turn, turn + 4)]
        salesforce_door.change("Contact", changed)
        salesforce_door.post("clock", {"advance": 60})
    written(folder, [f"{phone} last" for phone in phones[:9]])
    point(folder, "demo", postgres)
    with Workspace(load_project(folder, environ=running.environment)) as workspace:
        workspace.run_steps([step for step in workspace.pipeline("one").steps if step.kind in ("import", "transform")],
                            command="run")  # fmt: skip
        steps = [*workspace.export_steps("one"), *workspace.export_steps("two")]

        def plans() -> list[Plan]:
            return [*map(workspace.plan, steps), *(plan for run in runs for plan in plan_undo(workspace, run))]

        def shown(of: list[Plan]) -> list[Any]:
            return [(plan.step, plan.counts, plan.reasons, plan.fields, plan.mirrored) for plan in of]

        def copied() -> int:
            engine = workspace.warehouse.engine()
            tables = engine.rows("SELECT table_name AS n FROM duckdb_tables() WHERE schema_name = 'backhaul'")
            return sum(int(engine.scalar(f'SELECT count(*) FROM "backhaul"."{row["n"]}"')) for row in tables)

        digests, rows = [], []
        narrowed = plans()
        for step in steps:
            digests.append(workspace.plan(step).digest(workspace.warehouse))
            rows.append(copied())
        monkeypatch.setattr(Scratch, "narrow", lambda *given, **conditions: None)
        assert shown(plans()) == shown(narrowed)
        for step, digest, few in zip(steps, digests, rows, strict=True):
            assert workspace.plan(step).digest(workspace.warehouse) == digest
            assert few < copied()
    assert sum(plan.writes() for plan in narrowed) > 20
