"""A project that inserts, updates, upserts and deletes in both orgs, and tells what each org holds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from backhaul import simulator
from backhaul.config import load_project
from backhaul.simulator import Running
from backhaul.workflow import RunResult, Workspace
from backhaul.workflow.undoing import plan_undo, undo
from tests.warehouse.subjects import point

Row = tuple[str, str, str, float | None, bool]
"""member, name, email, score, opted_out"""

NAMES = {
    "salesforce": {
        "object": "Contact",
        "id": "Id",
        "owner": "OwnerId",
        "name": "LastName",
        "email": "Email",
        "member": "Member_Number__c",
        "score": "Campaign_Score__c",
        "out": "HasOptedOutOfEmail",
    },
    "dynamics": {
        "object": "contact",
        "id": "contactid",
        "owner": "ownerid",
        "name": "lastname",
        "email": "emailaddress1",
        "member": "new_membernumber",
        "score": "new_campaignscore",
        "out": "donotbulkemail",
    },
}
"""What each CRM calls things."""

STAMPS = {
    *("LastModifiedDate", "SystemModstamp", "LastModifiedById", "modifiedon", "versionnumber", "createdon"),
    *("overriddencreatedon", "_modifiedby_value", "modifiedby", "_createdby_value", "createdby"),
}
"""What no writing can put back."""


def _steps(crm: str) -> dict[str, str]:
    n = NAMES[crm]
    whole = f"{crm}.{n['object']}"
    values = f"{n['name']}: name, {n['email']}: email, {n['score']}: score"
    flagged = f"{n['name']}: name, {n['score']}: score, {n['out']}: {{from: opted_out, only_tighten: true}}"
    exports = {
        "insert": f"from: people, identify: member, map: {{{values}}}",
        "update": f"from: {crm}_known, mode: update, key: {{{n['id']}: crm_id}}, nulls: clear, map: {{{flagged}}}",
        "upsert": f"from: people, mode: upsert, key: {{{n['member']}: member}}, map: {{{flagged}}}",
        "delete": f"from: {crm}_gone, key: {{{n['id']}: crm_id}}",
    }
    head = f"steps:\n  - import: {whole}\n"
    files = {f"pipelines/{crm}_import.yml": head}
    for mode, export in exports.items():
        verb = "delete" if mode == "delete" else "export"
        guards = "max_deletes: 40" if mode == "delete" else "max_shrink: 1, constant: pass"
        files[f"pipelines/{crm}_{mode}.yml"] = (
            f"{head}  - transform: [people, {crm}_known, {crm}_gone]\n"
            f"  - {{{verb}: {whole}, name: {crm}_{mode}, {export}, guards: {{{guards}}}}}\n"
        )
    return files


def _models(crm: str) -> dict[str, str]:
    n = NAMES[crm]
    stamp = "LastModifiedDate" if crm == "salesforce" else "modifiedon"
    newest = (
        f"select {n['id']} as crm_id, {n['member']} as member, {n['name']} as last_name "
        f"from {{{{ source('{crm}', '{n['object']}') }}}} qualify row_number() over (partition by {n['id']} "
        f"order by {stamp} desc, _backhaul_seen_at desc) = 1 and not _backhaul_deleted"
    )
    return {
        f"transforms/export/{crm}_known.sql": f"select crm_id, name, score, opted_out from ({newest}) as crm "
        "join {{ ref('people') }} using (member)",
        f"transforms/export/{crm}_gone.sql": f"select crm_id from ({newest}) as crm "
        "join {{ ref('people') }} using (member)",
    }


FILES = {
    "pyproject.toml": '[tool.backhaul]\nname = "undone"\nprofile = "demo"\n',
    "profiles/demo.yml": (Path(__file__).parents[2] / "profiles" / "demo.yml").read_text(encoding="utf-8"),
    **{
        f"sources/{crm}.yml": f"account: {crm}\nobjects:\n  {n['object']}:\n    fields: [{n['owner']}, {n['name']}, "
        f"{n['email']}, {n['member']}, {n['score']}, {n['out']}]\n"
        for crm, n in NAMES.items()
    },
    "transforms/seeds/people.yml": """
        seeds:
          - name: people
            config: {column_types: {member: varchar, name: varchar, email: varchar, score: double, opted_out: boolean}}
        """,
    **_models("salesforce"),
    **_models("dynamics"),
    **_steps("salesforce"),
    **_steps("dynamics"),
}


class Tried:
    """The project over one of the orgs."""

    def __init__(self, folder: Path, orgs: Running, crm: str) -> None:
        self.folder, self.orgs, self.crm = folder, orgs, crm
        self.names = NAMES[crm]
        self.org: Any = orgs.salesforce if crm == "salesforce" else orgs.dynamics
        for name, content in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content), encoding="utf-8")
        self.people([])

    def people(self, rows: Sequence[Row]) -> None:
        """What the campaign database wants."""
        lines = ["member,name,email,score,opted_out"]
        lines += [
            f'"{m}","{name}",{email},{"" if score is None else score},{str(out).lower()}'
            for m, name, email, score, out in rows
        ]
        (self.folder / "transforms/seeds/people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def seed(self, rows: Sequence[Row]) -> list[str]:
        """People whom the CRM holds already; gives their ids."""
        n = self.names
        records = [
            {n["member"]: m, n["name"]: name, n["email"]: email or None, n["score"]: score, n["out"]: out}
            for m, name, email, score, out in rows
        ]
        ids: list[str] = self.org.seed(n["object"], records) if records else []
        self.later()
        return ids

    def later(self, seconds: int = 5) -> None:
        """Let what was written before lie in an import's past."""
        self.org.clock.advance(seconds)

    def open(self) -> Workspace:
        return Workspace(load_project(self.folder, environ=self.orgs.environment))

    def run(self, mode: str, **options: Any) -> RunResult:
        with self.open() as workspace:
            return workspace.run(f"{self.crm}_{mode}", **options)

    def undo(self, run_id: str, *allow: str) -> RunResult:
        with self.open() as workspace:
            return undo(workspace, run_id, allow=allow)

    def shown(self, run_id: str, *allow: str) -> list[dict[str, Any]]:
        """The rows of the plan that would undo a run."""
        with self.open() as workspace:
            (plan,) = plan_undo(workspace, run_id, allow=allow)
            return [
                {
                    "action": row.action,
                    "symbol": row.symbol,
                    "id": row.key,
                    "changes": {item.field: (item.old, item.new) for item in row.changes},
                }
                for row in plan.changes(workspace.warehouse, ("create", "update", "delete", "restore", "skip"))
            ]

    def live(self) -> dict[str, dict[str, Any]]:
        """Every live record by id, but for what no writing can put back."""
        return {
            record[self.names["id"]]: {name: value for name, value in record.items() if name not in STAMPS}
            for record in self.org.dump(self.names["object"])
            if not record.get("IsDeleted")
        }


def differences(now: dict[str, dict[str, Any]], then: dict[str, dict[str, Any]]) -> list[str]:
    """What differs between two states of an org, a line each, so that a failure says what."""
    return [
        f"{one}.{name}: {now.get(one, {}).get(name)!r}, was {then.get(one, {}).get(name)!r}"
        for one in sorted({*now, *then})
        for name in sorted({*now.get(one, {}), *then.get(one, {})})
        if now.get(one, {}).get(name) != then.get(one, {}).get(name)
    ]


@pytest.fixture(scope="module")
def orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = simulator.start(tmp_path_factory.mktemp("orgs"), persistent=False)
    yield started
    started.stop()


CRMS = ("salesforce", pytest.param("dynamics", marks=pytest.mark.slow))
ON_POSTGRES_TOO = pytest.mark.parametrize(
    "tried", [*CRMS, pytest.param("salesforce postgres", marks=pytest.mark.slow)], indirect=True
)
"""For what the warehouse keeps and gives back; all else is the plan's, which DuckDB makes whatever the warehouse."""


@pytest.fixture(params=CRMS)
def tried(request: pytest.FixtureRequest, tmp_path: Path, orgs: Running) -> Tried:
    crm, _, warehouse = request.param.partition(" ")
    made = Tried(tmp_path, orgs, crm)
    made.org.reset()
    if warehouse:
        point(tmp_path, "demo", request.getfixturevalue("postgres"))
    return made
