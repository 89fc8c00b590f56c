"""The template's own sources and models over raw tables made by hand, through the real transform engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backhaul.config import Project, load_project
from backhaul.transform import Graph, ModelResult, TestResult, load_models, run_models, run_tests
from backhaul.warehouse import Warehouse, open_warehouse

ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(days=1)
T0 = datetime(2024, 1, 1, tzinfo=UTC)
SEEN = datetime(2025, 1, 1, tzinfo=UTC)

DUCKDB = "{destination: duckdb, path: template.duckdb}"
ACCOUNTS = """
accounts:
  salesforce:
    crm: salesforce
    instance_url: https://localhost:1
    auth: {method: client_credentials, client_id: a, client_secret: b}
  dynamics:
    crm: dynamics
    url: https://localhost:2
    auth: {method: client_secret, tenant_id: t, client_id: a, client_secret: b}
"""
_TYPES = {
    "BOOLEAN": "HasOptedOutOfEmail DoNotCall IsConverted donotbulkemail donotemail donotphone merged _backhaul_deleted",
    "DATE": "Birthdate birthdate",
    "TIMESTAMP WITH TIME ZONE": "CreatedDate LastModifiedDate SystemModstamp createdon modifiedon "
    "Last_Open__c new_lastopen _backhaul_seen_at",
    "DECIMAL(5,1)": "Campaign_Score__c new_campaignscore",
    "INTEGER": "statecode leadsourcecode leadqualitycode",
}
_TYPE = {column: kind for kind, columns in _TYPES.items() for column in columns.split()}
_IDS = {"Contact": "Id", "Lead": "Id", "contact": "contactid", "lead": "leadid"}
_LOG = ("_backhaul_deleted", "_backhaul_survivor", "_backhaul_seen_at", "_backhaul_run", "_dlt_load_id")

# plain words -> the fields of each object
_FIELDS: dict[str, dict[str, str]] = {
    "Contact": {"given": "FirstName", "surname": "LastName", "salutation": "Salutation", "email": "Email"}
    | {"phone": "Phone", "mobile": "MobilePhone", "street": "MailingStreet", "city": "MailingCity"}
    | {"postcode": "MailingPostalCode", "country": "MailingCountry", "birth": "Birthdate", "title": "Title"}
    | {"opted_out": "HasOptedOutOfEmail", "do_not_call": "DoNotCall", "member": "Member_Number__c"}
    | {"score": "Campaign_Score__c", "created": "CreatedDate", "modified": "SystemModstamp"},
    "contact": {"given": "firstname", "surname": "lastname", "salutation": "salutation", "email": "emailaddress1"}
    | {"phone": "telephone1", "mobile": "mobilephone", "street": "address1_line1", "line2": "address1_line2"}
    | {"city": "address1_city", "postcode": "address1_postalcode", "country": "address1_country", "birth": "birthdate"}
    | {"title": "jobtitle", "opted_out": "donotbulkemail", "no_email": "donotemail", "do_not_call": "donotphone"}
    | {"member": "new_membernumber", "score": "new_campaignscore", "created": "createdon", "modified": "modifiedon"}
    | {"merged": "merged", "master": "masterid"},
}
_FIELDS["Lead"] = _FIELDS["Contact"] | {
    **{"street": "Street", "city": "City", "postcode": "PostalCode", "country": "Country", "company": "Company"},
    **{"converted": "IsConverted", "converted_to": "ConvertedContactId"},
}
_FIELDS["lead"] = _FIELDS["contact"] | {"company": "companyname"}


class Template:
    """A project with the repository's sources and transforms, and its warehouse."""

    def __init__(self, project: Project, warehouse: Warehouse) -> None:
        self.project = project
        self.warehouse = warehouse
        self.graph: Graph = load_models(project)
        warehouse.create_schema("raw")
        for account, source in project.sources.items():
            for name, declared in source.objects.items():
                columns = [_IDS[name], *(field.name for field in declared.fields), str(declared.cursor), *_LOG]
                types = {column: _TYPE.get(column, "VARCHAR") for column in columns}
                if not warehouse.exists("raw", f"{account}__{name}"):
                    warehouse.make_table("raw", f"{account}__{name}", types)

    def put(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows of raw fields to the object's log."""
        account = "salesforce" if object_name[0].isupper() else "dynamics"
        log = {"_backhaul_deleted": False, "_backhaul_seen_at": SEEN, "_dlt_load_id": "1"}
        self.warehouse.insert("raw", f"{account}__{object_name}", [log | dict(row) for row in rows])

    def record(self, object_name: str, record_id: str, /, **words: Any) -> None:
        """Append one version of a record, in plain words: given, surname, email, phone, birth, created, modified ...

        `seen` is the time of the import that brings it.
        """
        fields = _FIELDS[object_name]
        values = {"created": T0, "modified": T0 + DAY} | words
        seen = values.pop("seen", SEEN)
        row = {fields[word]: value for word, value in values.items()}
        self.put(object_name, [{_IDS[object_name]: record_id, **row, "_backhaul_seen_at": seen}])

    def gone(self, object_name: str, record_id: str, at: datetime, *, survivor: str | None = None) -> None:
        """Append a deletion."""
        cursor = _FIELDS[object_name]["modified"]
        row = {_IDS[object_name]: record_id, cursor: at, "_backhaul_deleted": True, "_backhaul_survivor": survivor}
        self.put(object_name, [row | {"_backhaul_seen_at": at + DAY}])

    def events(self, *events: tuple[str, str, datetime]) -> None:
        """Put (type, address, time) in place of the seed's events. After the seed was loaded once."""
        self.warehouse.execute("delete from seeds.engagement_events")
        for number, (kind, address, at) in enumerate(events, start=1):
            event = {
                "event_id": f"E{number}",
                "campaign": "Test",
                "event_type": kind,
                "email": address,
                "occurred_at": at,
            }
            self.warehouse.insert("seeds", "engagement_events", [event])

    def run(self, *select: str, full_refresh: bool = False) -> list[ModelResult]:
        """Build the models (all but the seed, unless named) and expect every one to be done."""
        models = [model for model in self.graph.select(list(select)) if select or not model.is_seed]
        results = run_models(self.project, self.warehouse, self.graph, models, full_refresh=full_refresh)
        assert [f"{result.name}: {result.message}" for result in results if result.state != "done"] == []
        return results

    def failing_tests(self) -> list[str]:
        """Build nothing, run every column test; name those that do not pass."""
        results: list[TestResult] = run_tests(self.project, self.warehouse, self.graph, self.graph.select([]))
        assert len(results) > 100
        return [f"{result.name}: {result.failures} {result.message}" for result in results if result.state != "passed"]

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        return self.warehouse.rows(sql, parameters)

    def recipient_of(self, *record_ids: str) -> list[str]:
        """The recipient of each record."""
        links = {
            row["record_id"]: row["recipient_id"]
            for row in self.rows("select record_id, recipient_id from campaign.recipient_links")
        }
        return [links[record_id] for record_id in record_ids]

    def together(self, *record_ids: str) -> bool:
        """True when the records are one recipient's, false when each is another's; anything between is an error."""
        found = set(self.recipient_of(*record_ids))
        assert len(found) in (1, len(record_ids)), f"{record_ids}: {found}"
        return len(found) == 1

    def recipient(self, record_id: str) -> dict[str, Any]:
        """The recipient that a record belongs to."""
        return self.rows("select * from campaign.recipients where recipient_id = ?", self.recipient_of(record_id))[0]

    def rule(self, record_id: str, other: str) -> str | None:
        """The rule that linked two records."""
        rows = self.rows(
            "select links.rule from matching.links as links "
            "inner join matching.records as a on links.record_a = a.record_no "
            "inner join matching.records as b on links.record_b = b.record_no "
            "where (a.record_id, b.record_id) in ((?, ?), (?, ?))",
            [record_id, other, other, record_id],
        )
        return str(rows[0]["rule"]) if rows else None


@contextmanager
def template(folder: Path, *, variables: Mapping[str, object] | None = None, postgres: str = "") -> Iterator[Template]:
    """The template in a folder of its own; on a PostgreSQL database where its address is given."""
    place = f'{{destination: postgres, credentials: "{postgres}"}}' if postgres else DUCKDB
    (folder / "profiles").mkdir(parents=True, exist_ok=True)
    (folder / "profiles/demo.yml").write_text(f"warehouse: {place}{ACCOUNTS}", encoding="utf-8")
    for name in ("sources", "transforms"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    project = load_project(folder, variables=variables or {}, environ={})
    with open_warehouse(project.profile.warehouse, project.folder) as warehouse:
        yield Template(project, warehouse)
