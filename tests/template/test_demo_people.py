"""The demo's people: the same everywhere, and rightly told apart by the template."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from backhaul.simulator import demo_orgs
from backhaul.simulator.dataverse import DataverseOrg
from backhaul.simulator.salesforce import SalesforceOrg
from backhaul.simulator.store import Store
from tests.template.campaign import ROOT, Template, template

PEOPLE = 4_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    with template(tmp_path_factory.mktemp("demo")) as made:
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in demo_orgs.records(PEOPLE):
            rows[record.object].append(dict(record.fields))
        columns = {
            name: set(made.warehouse.columns("raw", f"{account}__{name}")) for account, name in demo_orgs.OBJECTS
        }
        for name, found in rows.items():
            made.put(name, [{key: value for key, value in row.items() if key in columns[name]} for row in found])
        made.run("engagement_events")
        made.run()
        yield made


def test_the_seed_is_what_the_demo_people_did() -> None:
    with (ROOT / "transforms/seeds/engagement_events.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == demo_orgs.engagement_rows()


def test_precision_and_recall_on_the_demo_people(world: Template) -> None:
    truth = demo_orgs.truth(PEOPLE)
    groups: dict[str, list[int]] = defaultdict(list)
    for row in world.rows("select recipient_id, account, object, record_id from campaign.recipient_links"):
        groups[row["recipient_id"]].append(truth[row["account"], row["object"], row["record_id"]])
    found = sum(len(group) * (len(group) - 1) // 2 for group in groups.values())
    right = sum(count * (count - 1) // 2 for group in groups.values() for count in Counter(group).values())
    true = sum(count * (count - 1) // 2 for count in Counter(truth.values()).values())
    assert right / found > 0.99
    assert right / true > 0.93


def test_no_opt_out_is_lost(world: Template) -> None:
    assert (
        world.rows(
            "select links.record_key from campaign.recipient_links as links "
            "inner join campaign.recipients as recipients on links.recipient_id = recipients.recipient_id "
            "where links.opted_out and not recipients.opted_out"
        )
        == []
    )
    copies = world.rows(
        "select sum(case when not links.opted_out then 1 else 0 end) as quiet, count(*) as records "
        "from campaign.recipient_links as links inner join campaign.recipients as recipients "
        "on links.recipient_id = recipients.recipient_id where recipients.opted_out"
    )[0]
    assert copies["quiet"] > 100  # records that would have gone on getting mail


def test_some_rows_are_ones_that_the_crms_refuse(world: Template) -> None:
    for account, stored in (("salesforce", "stg_salesforce_contact"), ("dynamics", "stg_dynamics_contact")):
        taken = world.rows(
            f"select exported.crm_id from export.export_{account}_contact as exported "
            f"inner join staging.{stored} as holder on exported.member_number = holder.member_number "
            "where exported.crm_id <> holder.record_id"
        )
        assert 5 <= len(taken) <= 10


def test_every_column_test_of_the_template_passes(world: Template) -> None:
    assert world.failing_tests() == []


def test_the_second_act_happens_once() -> None:
    salesforce, dynamics = SalesforceOrg(Store(None)), DataverseOrg(Store(None))
    counts = demo_orgs.seed(salesforce, dynamics, 200)
    assert all(counts.values())
    assert not any(demo_orgs.seed(salesforce, dynamics, 200).values())
    assert len(demo_orgs.edit(salesforce, dynamics)) == 5
    after = [{row["contactid"]: row["modifiedon"] for row in dynamics.dump("contact")}]
    assert demo_orgs.edit(salesforce, dynamics) == []
    assert [{row["contactid"]: row["modifiedon"] for row in dynamics.dump("contact")}] == after
