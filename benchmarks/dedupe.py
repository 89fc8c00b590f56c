"""How well, and how fast, the template finds the records that are one person.

    python benchmarks/dedupe.py [FOLDER] [--people N]

FOLDER holds ``febrl4a.csv`` and ``febrl4b.csv`` (default: ``../shared/data`` beside the repository). The first become
contacts of the simulated Salesforce org, the second contacts of the simulated Dynamics org; both are imported and
built by the real pipeline. Record ids and social security numbers are no evidence: the CRMs mint ids of their own,
and only the truth that the result is held against remembers which is which. Birth dates that no calendar has (the
data set makes typing errors in digits) are left out, as both CRMs refuse them.

Prints precision and recall over pairs, time for each model, and the same without each rule and guard. With
``--people`` it then does the same for that many generated people (1.65 records each) in both orgs: 121,000 people
are about 200,000 contacts and leads.
"""

from __future__ import annotations

import argparse
import csv
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from backhaul import simulator
from backhaul.config import load_project
from backhaul.crm import open_connector
from backhaul.importing import import_object
from backhaul.simulator import demo_orgs
from backhaul.transform import load_models, run_models
from backhaul.warehouse import Warehouse, open_warehouse

ROOT = Path(__file__).resolve().parents[1]
OFF: dict[str, dict[str, object]] = {
    "as it is": {},
    "without name + birth date": {"match_by_birth_date": False},
    "without name + address": {"match_by_address": False},
    "without score": {"match_by_score": False},
    "without exclusion": {"match_by_exclusion": False},
    "exclusion across different names too": {"match_exclusion_across_names": True},
    "without both guards": {"guard_given_names": False, "guard_birth_dates": False},
    "without guards and exclusion": {
        "guard_given_names": False,
        "guard_birth_dates": False,
        "match_by_exclusion": False,
    },
    "threshold 14": {"match_threshold": 14},
    "threshold 22": {"match_threshold": 22},
}
# Long before any import: what is stamped in the second in which an import begins is left to the next one.
STAMP = datetime(2025, 1, 1, tzinfo=UTC)
Truth = dict[tuple[str, str, str], str]


def febrl(folder: Path, running: simulator.Running) -> Truth:
    """Both files into the orgs; the truth is the number in ``rec-N-org`` and ``rec-N-dup-0``."""
    truth: Truth = {}
    invalid = 0
    for name, account, object_name in (("febrl4a", "salesforce", "Contact"), ("febrl4b", "dynamics", "contact")):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            people = [
                {key: value.strip() or None for key, value in row.items()}
                for row in csv.DictReader(file, skipinitialspace=True)
            ]
        records = []
        for number, person in enumerate(people, start=1):
            born = _date(person["date_of_birth"])
            invalid += person["date_of_birth"] is not None and born is None
            record = _contact(person, born) if account == "salesforce" else _dynamics_contact(person, born)
            key = demo_orgs.ID_FIELDS[object_name]
            record[key] = demo_orgs.record_id(object_name, number)
            truth[account, object_name, record[key]] = str(person["rec_id"]).split("-")[1]
            records.append(record)
        org = running.salesforce if account == "salesforce" else running.dynamics
        org.seed(object_name, records)
    # one lead each, of nobody in the files: the template reads leads too
    for account, org, lead in (
        (
            "salesforce",
            running.salesforce,
            {"Id": demo_orgs.record_id("Lead", 1), "LastName": "Lead", "Company": "One", "SystemModstamp": STAMP},
        ),
        (
            "dynamics",
            running.dynamics,
            {"leadid": demo_orgs.record_id("lead", 1), "lastname": "Other", "subject": "Two", "modifiedon": STAMP},
        ),
    ):
        object_name = "Lead" if account == "salesforce" else "lead"
        org.seed(object_name, [lead])
        truth[account, object_name, str(lead[demo_orgs.ID_FIELDS[object_name]])] = f"lead {account}"
    print(f"febrl4: {len(truth):,} records, {invalid} impossible birth dates left out")
    return truth


def _date(text: str | None) -> date | None:
    try:
        return datetime.strptime(text or "", "%Y%m%d").date()
    except ValueError:
        return None


def _street(person: Mapping[str, str | None]) -> str | None:
    return " ".join(part for part in (person["street_number"], person["address_1"]) if part) or None


def _contact(person: Mapping[str, str | None], born: date | None) -> dict[str, Any]:
    return {
        "CreatedDate": STAMP,
        "LastModifiedDate": STAMP,
        "SystemModstamp": STAMP,
        "FirstName": person["given_name"],
        "LastName": person["surname"] or "Unknown",  # required in a CRM, so this is what people type
        "Birthdate": born and born.isoformat(),
        "MailingStreet": "\n".join(part for part in (_street(person), person["address_2"]) if part) or None,
        "MailingCity": person["suburb"],
        "MailingState": person["state"],
        "MailingPostalCode": person["postcode"],
    }


def _dynamics_contact(person: Mapping[str, str | None], born: date | None) -> dict[str, Any]:
    return {
        "createdon": STAMP,
        "modifiedon": STAMP,
        "firstname": person["given_name"],
        "lastname": person["surname"] or "Unknown",
        "birthdate": born and born.isoformat(),
        "address1_line1": _street(person),
        "address1_line2": person["address_2"],
        "address1_city": person["suburb"],
        "address1_stateorprovince": person["state"],
        "address1_postalcode": person["postcode"],
    }


def generated(people: int, running: simulator.Running) -> Truth:
    """That many demo people in the orgs."""
    demo_orgs.seed(running.salesforce, running.dynamics, people)
    return {key: str(person) for key, person in demo_orgs.truth(people).items()}


def measure(warehouse: Warehouse, truth: Truth) -> str:
    """Precision and recall over pairs of records: across the two CRMs, and over all pairs."""
    links = warehouse.rows("select recipient_id, account, object, record_id from campaign.recipient_links")
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in links:
        person = truth[row["account"], row["object"], row["record_id"]]
        groups[row["recipient_id"]].append((person, row["account"]))
    real: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (account, _, _), person in truth.items():
        real[person].append((person, account))
    lines = []
    for label, across in (("across the CRMs", True), ("all pairs", False)):
        found = sum(_pairs(group, across) for group in groups.values())
        right = sum(
            _pairs([each for each in group if each[0] == person], across)
            for group in groups.values()
            for person in {person for person, _ in group}
        )
        true = sum(_pairs(group, across) for group in real.values())
        lines.append(f"{label}: precision {right / found:.4f}, recall {right / true:.4f} ({found - right} wrong)")
    return "; ".join(lines)


def _pairs(group: list[tuple[str, str]], across: bool) -> int:
    if not across:
        return len(group) * (len(group) - 1) // 2
    sizes = Counter(account for _, account in group)
    return sizes["salesforce"] * sizes["dynamics"]


def project_folder(folder: Path) -> Path:
    """The repository's declarations in a folder of their own."""
    for name in ("sources", "transforms", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def run(label: str, fill: Any, variations: Mapping[str, Mapping[str, object]]) -> None:
    """Fill the orgs, import, build, measure; then again for each variation, from the same raw log."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = project_folder(Path(scratch) / "project")
        running = simulator.start(Path(scratch) / "simulator", persistent=False)
        try:
            truth: Truth = fill(running)
            project = load_project(folder, environ=running.environment)
            with open_warehouse(project.profile.warehouse, folder) as warehouse:
                imported = 0
                for account, source in project.sources.items():
                    connector = open_connector(project.profile.accounts[account])
                    for name, declared in source.objects.items():
                        result = import_object(
                            *(project, warehouse, connector, declared, f"bench_{account}_{name}"),
                            spool_root=Path(scratch) / "spool",
                            progress=lambda done, expected: None,
                        )
                        imported += result.rows_received
                        if result.rows_received:
                            print(f"  imported {account}.{name}: {result.rows_received:,} in {result.seconds:.1f} s")
                    connector.close()
                if imported != len(truth):
                    sys.exit(f"{imported:,} records were imported, {len(truth):,} seeded: nothing to measure")
                for name, variables in variations.items():
                    varied = load_project(folder, environ=running.environment, variables=dict(variables))
                    graph = load_models(varied)
                    whole = name == "as it is"
                    models = graph.select(["+recipients", "+duplicates"] if whole else ["matching", "campaign"])
                    warehouse.drop("campaign", "recipient_ids")
                    began = time.monotonic()
                    results = run_models(varied, warehouse, graph, models)
                    seconds = time.monotonic() - began
                    failed = [f"{result.name}: {result.message}" for result in results if result.state == "failed"]
                    if failed:
                        sys.exit("\n".join(failed))
                    print(f"{label}, {name}: {measure(warehouse, truth)}; {seconds:.1f} s")
                    if whole:
                        slow = sorted(results, key=lambda result: -result.seconds)[:6]
                        print("  " + ", ".join(f"{each.name} {each.seconds:.1f} s ({each.rows:,})" for each in slow))
                        rules = warehouse.rows(
                            "select rule, count(*) as n from campaign.duplicates group by rule order by 2 desc"
                        )
                        print("  " + ", ".join(f"{row['rule']} {row['n']:,}" for row in rules))
        finally:
            running.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of this process, simulators included: {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Precision, recall and time of duplicate detection.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--people", type=int, default=0, help="generated people to try besides, e.g. 121000")
    given = parser.parse_args()
    if not (given.folder / "febrl4a.csv").exists():
        sys.exit(f"{given.folder} holds no febrl4a.csv: name the folder that does")
    run("febrl4", lambda running: febrl(given.folder, running), OFF)
    if given.people:
        whole = {"as it is": OFF["as it is"]}
        run(f"{given.people:,} people", lambda running: generated(given.people, running), whole)


if __name__ == "__main__":
    main()
