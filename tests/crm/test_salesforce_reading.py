"""Both roads of reading: pages as received, resumed where they broke, counted against what was announced."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backhaul.crm import no_progress
from backhaul.crm.salesforce import SalesforceConnector, bulk_query
from backhaul.errors import ConfigurationError, CRMError, IncompleteImport, TransientError
from backhaul.record import Condition, Extract, Group, PageFormat, Window
from backhaul.spool import Spool

from .wire import Answer, Reaction, Sent, Wire, account, refused, token, waits

DATA = "/services/data/v67.0"
JOBS = f"{DATA}/jobs/query"
JOB = f"{JOBS}/750000000000001AAA"
QUERY = Extract("Contact", ("Id", "LastName", "SystemModstamp"))
SOQL = "SELECT Id, LastName, SystemModstamp FROM Contact"


def described(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, "type": kind, "filterable": True, "nillable": True, **more}


DESCRIBE = {
    "name": "Contact",
    "label": "Contact",
    "fields": [
        described("Id", "id", nillable=False, idLookup=True),
        described("IsDeleted", "boolean", nillable=False),
        described("MasterRecordId", "reference"),
        described("LastName", "string", length=80),
        described("Email", "email", length=80, idLookup=True),
        described("Birthdate", "date"),
        described("Score__c", "double", precision=5, scale=1),
        described("SystemModstamp", "datetime", nillable=False),
        *(described(f"Very_Long_Name_Of_A_Field_{number:04d}__c", "string") for number in range(500)),
    ],
}


def opened(routes: Mapping[str, Reaction | list[Reaction]]) -> tuple[SalesforceConnector, Wire, list[float]]:
    wire = Wire(
        {
            "POST /services/oauth2/token": token(),
            f"GET {DATA}/sobjects/Contact/describe": Answer(body=DESCRIBE),
            **routes,
        }
    )
    policy, noted = waits()
    return SalesforceConnector(account(), transport=wire, policy=policy), wire, noted


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"attributes": {"type": "Contact"}, "Id": f"003{number:012d}AAA", "LastName": "NA", "SystemModstamp": None}
        for number in range(start, start + count)
    ]


def page(records: list[dict[str, Any]], total: int | None = None, more: str | None = None) -> Answer:
    body = {"totalSize": len(records) if total is None else total, "done": more is None, "records": records}
    return Answer(body=body | ({"nextRecordsUrl": f"{DATA}/query/{more}"} if more else {}), gzip=True)


def csv(count: int, locator: str | None, start: int = 0, **more: Any) -> Answer:
    text = '"Id","LastName","SystemModstamp"\n' + "".join(
        f'"003{n:012d}AAA","NA",""\n' for n in range(start, start + count)
    )
    headers = {"Sforce-NumberOfRecords": str(count), "Sforce-Locator": locator or "null", "Content-Type": "text/csv"}
    return Answer(body=text, headers=headers, gzip=True, **more)


def job(state: str, processed: int = 0, **more: Any) -> Answer:
    return Answer(body={"id": JOB.rsplit("/", 1)[-1], "state": state, "numberRecordsProcessed": processed, **more})


def bulk(*pages: Reaction, processed: int) -> dict[str, Any]:
    """The routes of one job; pages by their order."""
    return {
        f"POST {JOBS}": job("UploadComplete"),
        f"GET {JOB}": [job("InProgress", 1), job("JobComplete", processed)],
        f"GET {JOB}/results": list(pages),
        f"DELETE {JOB}": Answer(204),
    }


# ---- REST ----


def test_little_goes_by_rest_in_one_call(tmp_path: Path) -> None:
    crm, wire, _ = opened({f"GET {DATA}/query": page(rows(3))})
    told: list[tuple[int, int]] = []
    got = crm.extract(QUERY, Spool(tmp_path), lambda done, all_: told.append((done, all_)))
    assert (got.rows, got.announced, got.format, got.rows_key) == (3, 3, PageFormat.JSON, "records")
    assert got.columns == QUERY.fields
    assert told == [(3, 3)]
    assert wire.sent[-1].soql == SOQL
    assert json.loads(gzip.decompress(Path(got.paths[0]).read_bytes()))["records"] == rows(3)
    assert got.api_calls == 1


def test_nothing_changed_is_one_call_and_no_page(tmp_path: Path) -> None:
    crm, _, _ = opened({f"GET {DATA}/query": page([])})
    got = crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert (got.paths, got.rows, got.announced, got.api_calls) == ((), 0, 0, 1)


def test_pages_are_followed_and_a_broken_one_resumes_where_it_stood(tmp_path: Path) -> None:
    crm, wire, _ = opened(
        {
            f"GET {DATA}/query": page(rows(2), total=5, more="01g-2"),
            f"GET {DATA}/query/01g-2": [page(rows(2, 2), total=5, more="01g-4")],
            f"GET {DATA}/query/01g-4": refused(503, "SERVER_UNAVAILABLE"),
        }
    )
    with pytest.raises(TransientError):
        crm.extract(QUERY, Spool(tmp_path), no_progress)
    crm, wire, _ = opened({f"GET {DATA}/query/01g-4": page(rows(1, 4), total=5)})
    got = crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert (got.rows, len(got.paths)) == (5, 3)
    assert [sent.path for sent in wire.sent if "/query" in sent.path] == [f"{DATA}/query/01g-4"]


def test_an_expired_locator_starts_anew(tmp_path: Path) -> None:
    crm, _wire, _ = opened(
        {
            f"GET {DATA}/query": [page(rows(2), total=3, more="old-2"), page(rows(2), total=3, more="new-2")],
            f"GET {DATA}/query/old-2": refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
            f"GET {DATA}/query/new-2": page(rows(1, 2), total=3),
        }
    )
    got = crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert (got.rows, len(got.paths)) == (3, 2)


def test_a_locator_that_expires_again_and_again_fails(tmp_path: Path) -> None:
    crm, _wire, _ = opened(
        {
            f"GET {DATA}/query": page(rows(2), total=3, more="old-2"),
            f"GET {DATA}/query/old-2": refused(400, "INVALID_QUERY_LOCATOR"),
        }
    )
    with pytest.raises(TransientError, match="expired 3 times"):
        crm.extract(QUERY, Spool(tmp_path), no_progress)


def test_fewer_rows_than_announced_fail_and_the_next_run_starts_anew(tmp_path: Path) -> None:
    crm, _, _ = opened({f"GET {DATA}/query": page(rows(2), total=3)})
    with pytest.raises(IncompleteImport, match="announced 3 records, 2 arrived"):
        crm.extract(QUERY, Spool(tmp_path), no_progress)
    crm, _, _ = opened({f"GET {DATA}/query": page(rows(3))})
    assert crm.extract(QUERY, Spool(tmp_path), no_progress).rows == 3


def test_another_question_does_not_resume_the_old_one(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.begin({"window": "kept"})
    crm, _, _ = opened({f"GET {DATA}/query": page(rows(2))})
    crm.extract(QUERY, spool, no_progress)
    crm, _wire, _ = opened({f"GET {DATA}/query": page(rows(1))})
    got = crm.extract(Extract("Contact", ("Id",)), Spool(tmp_path), no_progress)
    assert got.rows == 1
    assert Spool(tmp_path).request["window"] == "kept"


def test_a_finished_spool_is_not_asked_for_again(tmp_path: Path) -> None:
    crm, _, _ = opened({f"GET {DATA}/query": page(rows(2))})
    first = crm.extract(QUERY, Spool(tmp_path), no_progress)
    crm, _wire, _ = opened({})
    again = crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert (again.paths, again.rows, again.api_calls) == (first.paths, 2, 0)


def test_deleted_rows_come_by_query_all(tmp_path: Path) -> None:
    crm, wire, _ = opened({f"GET {DATA}/queryAll": page(rows(1))})
    crm.extract(Extract("Contact", ("Id",), include_deleted=True), Spool(tmp_path), no_progress)
    assert wire.sent[-1].path == f"{DATA}/queryAll"


def test_a_binary_that_is_named_is_asked_for_record_by_record(tmp_path: Path) -> None:
    """The rows hold its address (§3.4); a job cannot read it, whatever road is wished for."""
    body = f"{DATA}/sobjects/Attachment/00P000000000001AAA/Body"
    fields = [described("Id", "id", nillable=False), described("Body", "base64"), described("Name", "string")]
    records: list[dict[str, Any]] = [
        {"attributes": {}, "Id": "00P000000000001AAA", "Body": body, "Name": "a", "BodyLength": 3},
        {"attributes": {}, "Id": "00P000000000002AAA", "Body": None, "Name": "b"},
    ]
    crm, wire, _ = opened(
        {
            f"GET {DATA}/sobjects/Attachment/describe": Answer(body={"name": "Attachment", "fields": fields}),
            f"GET {DATA}/query": page(records),
            f"GET {body}": Answer(body=b"\x00\xff\x1f", gzip=True),
        }
    )
    got = crm.extract(Extract("Attachment", ("Id", "Name", "Body"), road="bulk"), Spool(tmp_path), no_progress)
    (path,) = got.paths
    rows = json.loads(Path(path).read_bytes())["records"]
    assert [row["Body"] for row in rows] == ["AP8f", None]
    assert (got.format, got.rows) == (PageFormat.JSON, 2)
    assert wire.paths()[-1] == f"GET {body}"


# ---- bulk ----


def test_much_goes_by_bulk_and_pages_are_kept_as_received(tmp_path: Path) -> None:
    pages = [csv(6000, "MTA"), csv(6001, None, 6000)]
    crm, wire, noted = opened(
        {f"GET {DATA}/query": page(rows(2), total=12_001, more="x"), **bulk(*pages, processed=12_001)}
    )
    told: list[tuple[int, int]] = []
    got = crm.extract(QUERY, Spool(tmp_path), lambda done, all_: told.append((done, all_)))
    assert (got.rows, got.announced, got.format) == (12_001, 12_001, PageFormat.CSV)
    assert [Path(path).name for path in got.paths] == ["page-000001.csv.gz", "page-000002.csv.gz"]
    assert gzip.decompress(Path(got.paths[1]).read_bytes()).decode() == pages[1].body
    assert told == [(0, 1), (6000, 12_001), (12_001, 12_001)]
    assert noted[0] == 0.1
    create = next(sent for sent in wire.sent if sent.path == JOBS)
    assert create.json["query"] == SOQL
    assert create.json["operation"] == "query"
    asked = [sent.query for sent in wire.sent if sent.path.endswith("/results")]
    assert [query.get("locator") for query in asked] == [None, ["MTA"]]
    assert wire.paths()[-1] == f"DELETE {JOB}"


def forced(road: str = "bulk", **more: Any) -> Extract:
    return Extract("Contact", QUERY.fields, road=road, **more)


def test_the_road_can_be_forced(tmp_path: Path) -> None:
    crm, _wire, _ = opened(bulk(csv(1, None), processed=1))
    assert crm.extract(forced(), Spool(tmp_path / "a"), no_progress).format is PageFormat.CSV
    crm, _wire, _ = opened(
        {
            f"GET {DATA}/query": page(rows(2), total=12_001, more="x"),
            f"GET {DATA}/query/x": page(rows(11_999, 2), 12_001),
        }
    )
    assert crm.extract(forced("rest"), Spool(tmp_path / "b"), no_progress).rows == 12_001


def test_a_page_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    def results(sent: Sent) -> Answer:
        if "locator" not in sent.query:
            return csv(5, "MTA")
        first = sum("locator" in other.query for other in wire.sent) == 1
        return csv(5, None, 5, cut=3 if first else 0)

    crm, wire, _ = opened(bulk(results, processed=10))
    got = crm.extract(forced(), Spool(tmp_path), no_progress)
    assert got.rows == 10
    assert len(list(tmp_path.iterdir())) == 3


def test_a_broken_download_resumes_at_its_page_with_the_same_job(tmp_path: Path) -> None:
    def results(sent: Sent) -> Answer:
        return csv(5, "MTA") if "locator" not in sent.query else refused(503, "SERVER_UNAVAILABLE")

    crm, wire, _ = opened(bulk(results, processed=10))
    with pytest.raises(TransientError):
        crm.extract(forced(), Spool(tmp_path), no_progress)
    crm, wire, _ = opened(
        {
            f"GET {JOB}": job("JobComplete", 10),
            f"GET {JOB}/results": lambda sent: csv(5, None, 5) if sent.query.get("locator") == ["MTA"] else Answer(500),
            f"DELETE {JOB}": Answer(204),
        }
    )
    got = crm.extract(forced(), Spool(tmp_path), no_progress)
    assert (got.rows, len(got.paths)) == (10, 2)
    assert f"POST {JOBS}" not in wire.paths()


def test_a_job_that_is_gone_starts_anew(tmp_path: Path) -> None:
    def results(sent: Sent) -> Answer:
        return csv(5, "MTA") if "locator" not in sent.query else refused(503, "SERVER_UNAVAILABLE")

    crm, _, _ = opened(bulk(results, processed=10))
    with pytest.raises(TransientError):
        crm.extract(forced(), Spool(tmp_path), no_progress)
    routes = bulk(csv(6, None), processed=6)
    routes[f"GET {JOB}"] = [refused(404, "NOT_FOUND"), job("JobComplete", 6)]
    crm, _wire, _ = opened(routes)
    assert crm.extract(forced(), Spool(tmp_path), no_progress).rows == 6


def listing(*locators: str, more: str | None = None) -> Answer:
    """An answer of resultPages."""
    pages = [{"resultUrl": f"{JOB}/results?locator={locator}"} for locator in locators]
    return Answer(body={"resultPages": pages, "nextRecordsUrl": more, "done": more is None})


PAGES = {"a": (0, 3), "b": (3, 2), "c": (5, 4), "d": (9, 1), "e": (10, 2), "f": (12, 1)}
"""Locator: first row and number of rows. The server cuts its listed pages as it likes."""


def listed(results: Reaction | list[Reaction]) -> dict[str, Any]:
    """The routes of a job whose pages are listed."""
    return {
        f"POST {JOBS}": job("UploadComplete"),
        f"GET {JOB}": job("JobComplete", 13),
        f"GET {JOB}/resultPages": [listing(*"abcd", more=f"{JOB}/resultPages?locator=x"), listing("e", "f")],
        f"GET {JOB}/results": results,
        f"DELETE {JOB}": Answer(204),
    }


def one_of_them(sent: Sent) -> Answer:
    start, count = PAGES[sent.query["locator"][0]]
    return csv(count, "unread", start)


@pytest.fixture
def few_rows_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_query, "PAGE_ROWS", 4)


@pytest.mark.usefixtures("few_rows_a_page")
def test_listed_pages_come_several_at_once_and_are_kept_in_their_order(tmp_path: Path) -> None:
    crm, wire, _ = opened(listed(one_of_them))
    got = crm.extract(forced(), Spool(tmp_path), no_progress)
    assert (got.rows, len(got.paths)) == (13, 6)
    text = "".join(gzip.decompress(Path(path).read_bytes()).decode().split("\n", 1)[1] for path in got.paths)
    assert [line[1:19] for line in text.splitlines()] == [f"003{n:012d}AAA" for n in range(13)]
    asked = [sent.query["locator"][0] for sent in wire.sent if sent.path.endswith("/results")]
    assert sorted(asked) == sorted(PAGES)


@pytest.mark.usefixtures("few_rows_a_page")
@pytest.mark.parametrize("broken", list("abcdef"))
def test_a_broken_download_of_listed_pages_goes_on_where_it_stood(tmp_path: Path, broken: str) -> None:
    def results(sent: Sent) -> Answer:
        return refused(500, "UNKNOWN_EXCEPTION") if sent.query["locator"] == [broken] else one_of_them(sent)

    crm, _, _ = opened(listed(results))
    with pytest.raises(TransientError):
        crm.extract(forced(), Spool(tmp_path), no_progress)
    assert len(Spool(tmp_path).pages) == "abcdef".index(broken)
    crm, wire, _ = opened(listed(one_of_them))
    assert crm.extract(forced(), Spool(tmp_path), no_progress).rows == 13
    asked = {sent.query["locator"][0] for sent in wire.sent if sent.path.endswith("/results")}
    assert asked == {locator for locator in PAGES if locator >= broken}
    assert f"POST {JOBS}" not in wire.paths() or broken == "a"


@pytest.mark.usefixtures("few_rows_a_page")
def test_an_org_that_lists_no_pages_has_them_one_after_the_other(tmp_path: Path) -> None:
    routes = listed([csv(7, "MTA"), csv(6, None, 7)])
    routes[f"GET {JOB}/resultPages"] = refused(404, "NOT_FOUND")
    crm, wire, _ = opened(routes)
    assert crm.extract(forced(), Spool(tmp_path), no_progress).rows == 13
    assert [sent.query.get("locator") for sent in wire.sent if sent.path.endswith("/results")] == [None, ["MTA"]]


@pytest.mark.usefixtures("few_rows_a_page")
def test_a_listed_page_that_is_missing_fails_the_import(tmp_path: Path) -> None:
    routes = listed(one_of_them)
    routes[f"GET {JOB}/resultPages"] = listing(*"abcde")
    crm, _, _ = opened(routes)
    with pytest.raises(IncompleteImport, match="announced 13 records, 12 arrived"):
        crm.extract(forced(), Spool(tmp_path), no_progress)


def test_later_pages_that_are_missing_fail_the_import(tmp_path: Path) -> None:
    crm, _, _ = opened(bulk(csv(5, None), processed=10))
    with pytest.raises(IncompleteImport, match="announced 10 records, 5 arrived"):
        crm.extract(forced(), Spool(tmp_path), no_progress)
    assert Spool(tmp_path).pages == ()


def test_empty_pages_without_end_fail(tmp_path: Path) -> None:
    crm, _, _ = opened(bulk(csv(5, "a"), csv(0, "b"), processed=5))
    with pytest.raises(IncompleteImport, match="empty pages"):
        crm.extract(forced(), Spool(tmp_path), no_progress)


def test_a_page_that_nobody_counted_is_refused(tmp_path: Path) -> None:
    uncounted = csv(5, None)
    del uncounted.headers["Sforce-NumberOfRecords"]
    crm, _, _ = opened(bulk(uncounted, processed=5))
    with pytest.raises(CRMError, match="Sforce-NumberOfRecords"):
        crm.extract(forced(), Spool(tmp_path), no_progress)


def test_an_empty_job_has_no_pages_to_load(tmp_path: Path) -> None:
    crm, _, _ = opened(bulk(csv(0, None), processed=0))
    got = crm.extract(forced(), Spool(tmp_path), no_progress)
    assert (got.paths, got.rows, got.announced) == ((), 0, 0)


def test_a_failed_job_says_why(tmp_path: Path) -> None:
    routes = bulk(processed=0) | {f"GET {JOB}": job("Failed", errorMessage="QUERY_TIMEOUT: too slow")}
    crm, _, _ = opened(routes)
    with pytest.raises(CRMError, match="ended as Failed: QUERY_TIMEOUT: too slow") as raised:
        crm.extract(forced(), Spool(tmp_path), no_progress)
    assert raised.value.symbol == "QUERY_TIMEOUT"
    assert "salesforce" not in Spool(tmp_path).request


def test_what_bulk_does_not_take_goes_by_rest(tmp_path: Path) -> None:
    crm, _wire, _ = opened(
        {
            f"GET {DATA}/query": page(rows(3), total=10_001, more="x"),
            f"GET {DATA}/query/x": page(rows(9_998, 3), total=10_001),
            f"POST {JOBS}": refused(400, "INVALIDENTITY", "Entity 'Contact' is not supported by the Bulk API."),
        }
    )
    got = crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert (got.rows, got.format) == (10_001, PageFormat.JSON)


def test_a_statement_too_long_for_an_address_goes_by_bulk(tmp_path: Path) -> None:
    wide = Extract("Contact", tuple(field["name"] for field in DESCRIBE["fields"]))  # type: ignore[index]  # the fields' list
    crm, wire, _ = opened(bulk(csv(1, None), processed=1))
    assert crm.extract(wide, Spool(tmp_path), no_progress).format is PageFormat.CSV
    assert all(len(sent.path) < 16_000 for sent in wire.sent)


def test_a_dead_session_mid_run_is_renewed(tmp_path: Path) -> None:
    seen: list[str] = []

    def results(sent: Sent) -> Answer:
        seen.append(sent.headers["Authorization"])
        if len(seen) == 2:
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        return csv(5, "MTA") if "locator" not in sent.query else csv(5, None, 5)

    crm, _wire, _ = opened(
        bulk(results, processed=10) | {"POST /services/oauth2/token": [token(), token(access_token="new")]}
    )
    assert crm.extract(forced(), Spool(tmp_path), no_progress).rows == 10
    assert seen[-1] == "Bearer new"


# ---- the other verbs of reading ----


def test_now_is_the_servers_date() -> None:
    crm, wire, _ = opened({"GET /services/data": Answer(body=[])})
    assert crm.now() == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert "Authorization" not in wire.sent[-1].headers


def test_deleted_records_name_their_stamp_and_survivor() -> None:
    found: list[dict[str, Any]] = [
        {"Id": "003A", "SystemModstamp": "2026-11-23T09:00:00.000+0000", "MasterRecordId": None},
        {"Id": "003B", "SystemModstamp": "2026-11-23T10:00:00.000+0000", "MasterRecordId": "003C"},
    ]
    crm, wire, _ = opened({f"GET {DATA}/queryAll": page(found)})
    start, end = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)
    gone = crm.deleted("Contact", start, end)
    assert [(record.id, record.at, record.survivor) for record in gone] == [
        ("003A", start, None),
        ("003B", end, "003C"),
    ]
    assert wire.sent[-1].soql == (
        "SELECT Id, SystemModstamp, MasterRecordId FROM Contact WHERE IsDeleted = true"
        " AND SystemModstamp <= 2026-11-23T10:00:00.000Z AND SystemModstamp >= 2026-11-23T09:00:00.000Z"
    )


def test_fetch_asks_in_chunks_that_fit_an_address_and_types_what_comes() -> None:
    def answer(sent: Sent) -> Answer:
        assert len(sent.soql) < 15_000
        return page([{"Id": "003A", "Email": "a@b.c", "Birthdate": "1990-02-03", "Score__c": 12.5}])

    crm, wire, _ = opened({f"GET {DATA}/query": answer})
    values = [f"o'neil.{number}.{'x' * 30}@example.com" for number in range(1000)]
    got = crm.fetch("Contact", "Email", [*values, values[0]], ("Birthdate", "Score__c"))
    asked = [sent.soql for sent in wire.sent if "q" in sent.query]
    assert sum(text.count("@example.com'") for text in asked) == 1000
    assert len(got) == len(asked) > 3
    assert got[0] == {
        "Id": "003A",
        "Email": "a@b.c",
        "Birthdate": datetime(1990, 2, 3).date(),
        "Score__c": pytest.approx(12.5),
    }
    assert type(got[0]["Score__c"]).__name__ == "Decimal"


def test_an_unknown_object_is_told_with_a_suggestion() -> None:
    crm, _, _ = opened(
        {
            f"GET {DATA}/sobjects/Contacts/describe": refused(
                404, "NOT_FOUND", "The requested resource does not exist"
            ),
            f"GET {DATA}/sobjects": Answer(
                body={"sobjects": [{"name": "Contact", "label": "Contact", "queryable": True}]}
            ),
        }
    )
    with pytest.raises(ConfigurationError, match="did you mean 'Contact'"):
        crm.describe("Contacts")
    with pytest.raises(ConfigurationError, match="no name of a Salesforce object"):
        crm.describe("../limits")


def test_a_used_up_day_is_not_waited_for_and_a_crowd_is(tmp_path: Path) -> None:
    day = refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    crm, _wire, noted = opened({f"GET {DATA}/query": day})
    with pytest.raises(TransientError, match="REQUEST_LIMIT_EXCEEDED") as raised:
        crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert "24 hours" in raised.value.hint
    assert noted == []
    crowd = refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded.")
    crm, _wire, noted = opened({f"GET {DATA}/query": [crowd, page(rows(1))]})
    crm.extract(QUERY, Spool(tmp_path), no_progress)
    assert noted == [5.0]


def test_the_orgs_usage_is_noted() -> None:
    usage = {"Sforce-Limit-Info": "api-usage=10018/100000; per-app-api-usage=17/250(appName=x)"}
    crm, _, _ = opened({f"GET {DATA}/sobjects": Answer(body={"sobjects": []}, headers=usage)})
    crm.objects()
    assert crm.usage == (10018, 100000)


def test_window_and_filter_reach_the_wire(tmp_path: Path) -> None:
    crm, wire, _ = opened({f"GET {DATA}/query": page(rows(1))})
    end = datetime(2026, 11, 23, 10, tzinfo=UTC)
    query = Extract(
        "Contact",
        ("Id",),
        window=Window("SystemModstamp", None, end),
        filter=Group(True, (Condition("LastName", "eq", "A+B & O'Neil"),)),
    )
    crm.extract(query, Spool(tmp_path), no_progress)
    assert wire.sent[-1].soql == (
        r"SELECT Id FROM Contact WHERE SystemModstamp < 2026-11-23T10:00:00.000Z AND LastName = 'A+B & O\'Neil'"
    )
