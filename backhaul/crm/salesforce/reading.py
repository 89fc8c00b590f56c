"""Reading from Salesforce into a spool: REST query for little, Bulk API 2.0 query for much.

Pages are spooled as received (salesforce-api.md §4, §8). The spool's record holds the statement and, on the bulk road,
the job, so that a broken download goes on at its page; a locator or job that has expired starts anew. The number of
rows must be the one the CRM announced.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

from backhaul.crm import Progress
from backhaul.crm.http import Http, Reply, Request
from backhaul.errors import CRMError, IncompleteImport, TransientError
from backhaul.record import Extraction, PageFormat
from backhaul.spool import Part, Spool

BULK_FROM_ROWS = 10_000
"""From here on the bulk road takes fewer calls and less time: REST gives 2,000 rows a page."""

REST_PAGE_ROWS = 2_000
"""Rows of one REST page, as far as the server gives so many."""

BULK_PAGE_ROWS = 100_000
"""Rows of one bulk page: what is fetched again when a download breaks, and 10 calls a million rows."""

LONGEST_URI = 15_000
"""Bytes of path and encoded statement that still go by GET; the server's limit is 16,384 with host and headers."""

RESTARTS = 2
"""How often one extract starts anew because its locator or job has expired."""

FIRST_POLL, POLL_GROWTH, LONGEST_POLL, LONGEST_JOB = 0.1, 1.5, 15.0, 6 * 3600.0
"""Seconds: small jobs are noticed at once, long ones are asked four times a minute, none is waited for all day."""

_EXPIRED = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND", "INVALIDJOB", "InvalidJob", "HTTP_404", "JOB_NOT_COMPLETE"})
_TOO_SLOW = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "OPERATION_TOO_LARGE"})
_NOT_FOR_BULK = frozenset({"INVALIDENTITY", "FEATURENOTENABLED", "API_ERROR"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What is read: SOQL over one object, its columns in order, and whether the recycle bin is read too."""

    object: str
    soql: str
    columns: tuple[str, ...]
    include_deleted: bool = False

    @property
    def operation(self) -> str:
        """The REST resource and the bulk operation have the same two names."""
        return "queryAll" if self.include_deleted else "query"


class _Expired(Exception):
    """The locator or job that a spool stands on is gone."""


class _TooMuch(Exception):
    """The REST road found so many rows that the bulk road is better."""


class Reader:
    """The two roads of one account. `data` is the path of the API version, "/services/data/v67.0".

    `require` is told the number of requests and what they are for before pages are fetched; it may refuse.
    """

    def __init__(self, http: Http, data: str, require: Callable[[int, str], None]) -> None:
        self._http = http
        self._data = data
        self._require = require

    def read(self, statement: Statement, spool: Spool, progress: Progress, road: str = "auto") -> Extraction:
        """Read all rows into `spool`; `road` is auto, rest or bulk.

        Raises IncompleteImport (the spool is emptied then, so that the next try starts anew).
        """
        calls = self._http.api_calls
        for _ in range(RESTARTS + 1):
            try:
                announced, road_taken = self._walk(statement, spool, progress, road)
                break
            except _Expired:
                spool.restart(_without_stand(spool))
        else:
            raise TransientError(
                f"read {statement.object}: the query's locator expired {RESTARTS + 1} times before all pages were here",
                hint="the download is too slow for the org's patience: ask for less at once, or run it again",
            )
        rows = spool.rows
        if rows != announced:
            spool.restart(_without_stand(spool))
            raise IncompleteImport(
                f"read {statement.object}: Salesforce announced {announced:,} records, {rows:,} arrived",
                hint="nothing was loaded and the cursor stays; run it again",
            )
        pages = [page for page in spool.pages if page.rows]
        return Extraction(
            paths=tuple(page.path for page in pages),
            format=PageFormat.CSV if road_taken == "bulk" else PageFormat.JSON,
            rows=rows,
            announced=announced,
            columns=statement.columns,
            rows_key="" if road_taken == "bulk" else "records",
            api_calls=self._http.api_calls - calls,
            bytes=spool.size,
        )

    def records(self, statement: Statement) -> Iterator[dict[str, Any]]:
        """The rows of a small query as parsed JSON, numbers as Decimal; not spooled."""
        url: str | None = self._query_url(statement)
        while url:
            body = _parsed(self._http.send(Request("GET", url, f"query {statement.object}")).content)
            yield from body.get("records", ())
            url = None if body.get("done", True) else body.get("nextRecordsUrl")

    def fits_uri(self, soql: str) -> bool:
        """Whether a statement can go by GET."""
        return len(self._data) + len("/queryAll?q=") + len(quote_plus(soql)) <= LONGEST_URI

    def _walk(self, statement: Statement, spool: Spool, progress: Progress, road: str) -> tuple[int, str]:
        """(rows announced, road taken), once all pages are spooled."""
        stand = _stand(spool)
        # Another version of the API would refuse the job (409): then, too, all starts anew.
        asked = {"soql": statement.soql, "operation": statement.operation, "api": self._data}
        if any(stand.get(name) != value for name, value in asked.items()):
            if spool.pages or stand:
                spool.restart(_without_stand(spool))
            stand = {}
        if stand.get("road") == "rest":
            return self._rest(statement, spool, progress, most=None), "rest"
        if stand.get("road") == "bulk":
            return self._bulk(statement, spool, progress), "bulk"
        if road != "bulk" and self.fits_uri(statement.soql):
            try:
                return self._rest(statement, spool, progress, most=BULK_FROM_ROWS if road == "auto" else None), "rest"
            except _TooMuch:
                pass
            except CRMError as error:
                # A statement that takes REST too long may still do as a job.
                if road == "rest" or error.symbol not in _TOO_SLOW:
                    raise
        try:
            return self._bulk(statement, spool, progress), "bulk"
        except CRMError as error:
            if road != "auto" or error.symbol not in _NOT_FOR_BULK or not self.fits_uri(statement.soql):
                raise
            return self._rest(statement, spool, progress, most=None), "rest"

    def _new_stand(
        self, statement: Statement, road: str, *, job: str = "", announced: int | None = None
    ) -> dict[str, object]:
        stand: dict[str, object] = {"soql": statement.soql, "operation": statement.operation, "api": self._data}
        stand["road"] = road
        if job:
            stand["job"] = job
        if announced is not None:
            stand["announced"] = announced
        return stand

    # ---- REST ----

    def _query_url(self, statement: Statement) -> str:
        # A `+` in the statement must arrive as %2B; quote_plus does it, and spends one byte on a blank.
        return f"{self._data}/{statement.operation}?q={quote_plus(statement.soql)}"

    def _rest(self, statement: Statement, spool: Spool, progress: Progress, most: int | None) -> int:
        """Page by page; raises _TooMuch on the first page when `most` is exceeded, before anything is spooled."""
        url: str | None = self._query_url(statement)
        announced: int | None = None
        if spool.pages:
            url, announced = spool.pages[-1].locator, int(_stand(spool)["announced"])
        while url:
            page = self._rest_page(statement, url)
            total = int(page.body.get("totalSize", len(page.body.get("records", ()))))
            if announced is None:
                if most is not None and total > most:
                    raise _TooMuch
                announced = total
                self._require(-(-total // REST_PAGE_ROWS) - 1, f"to read {total:,} {statement.object}")
                spool.begin({**spool.request, "salesforce": self._new_stand(statement, "rest", announced=announced)})
            url = None if page.body.get("done", True) else str(page.body["nextRecordsUrl"])
            rows = len(page.body.get("records", ()))
            spool.write_page([page.raw], suffix=page.suffix, rows=rows, locator=url)
            progress(spool.rows, announced)
        return announced or 0

    def _rest_page(self, statement: Statement, url: str) -> _RestPage:
        def receive(reply: Reply) -> _RestPage:
            raw = b"".join(reply.chunks())
            plain = gzip.decompress(raw) if reply.gzipped else raw
            if any("." in column for column in statement.columns):
                return _RestPage(_flat(plain, statement.columns), False, _parsed(plain))
            return _RestPage(raw, reply.gzipped, _parsed(plain))

        try:
            return self._http.stream(Request("GET", url, f"read {statement.object}"), receive)
        except CRMError as error:
            if error.symbol in _EXPIRED and error.symbol != "NOT_FOUND":
                raise _Expired from None
            raise

    # ---- Bulk API 2.0 ----

    def _bulk(self, statement: Statement, spool: Spool, progress: Progress) -> int:
        stand = _stand(spool)
        job = str(stand["job"]) if stand.get("road") == "bulk" else self._create_job(statement, spool)
        jobs = f"{self._data}/jobs/query/{job}"
        pages = spool.pages
        if "announced" in stand and pages and pages[-1].locator is None:
            return int(stand["announced"])
        announced = self._await_job(statement, jobs, spool, progress)
        self._require(-(-announced // BULK_PAGE_ROWS), f"to read {announced:,} {statement.object}")
        spool.begin({**spool.request, "salesforce": self._new_stand(statement, "bulk", job=job, announced=announced)})
        try:
            self._download(statement, jobs, spool, announced, progress)
        except CRMError as error:
            if error.symbol in _EXPIRED:
                raise _Expired from None
            raise
        self._forget_job(statement, jobs)
        return announced

    def _create_job(self, statement: Statement, spool: Spool) -> str:
        body = self._http.json(
            Request(
                "POST",
                f"{self._data}/jobs/query",
                f"start a bulk query of {statement.object}",
                json={
                    "operation": statement.operation,
                    "query": statement.soql,
                    "contentType": "CSV",
                    "columnDelimiter": "COMMA",
                    "lineEnding": "LF",
                },
                # A job made twice costs one of 10,000 a day and changes nothing.
                repeatable=True,
            )
        )
        job = str(body["id"])
        spool.begin({**spool.request, "salesforce": self._new_stand(statement, "bulk", job=job)})
        return job

    def _await_job(self, statement: Statement, jobs: str, spool: Spool, progress: Progress) -> int:
        """Ask until the job is complete, in growing intervals; the number of records it announces."""
        pause, waited = FIRST_POLL, 0.0
        while True:
            try:
                job = self._http.json(Request("GET", jobs, f"bulk query of {statement.object}"))
            except CRMError as error:
                if error.symbol in _EXPIRED:
                    raise _Expired from None
                raise
            state = str(job.get("state", ""))
            if state == "JobComplete":
                return int(job.get("numberRecordsProcessed") or 0)
            if state in ("Failed", "Aborted"):
                spool.restart(_without_stand(spool))
                told = str(job.get("errorMessage") or "no reason given")
                raise CRMError(
                    f"bulk query of {statement.object}: the job ended as {state}: {told} "
                    f"(account '{self._http.account}')",
                    symbol=told.split(":", 1)[0].strip() if ":" in told else "BULK_JOB_FAILED",
                    hint="road: rest reads without a job; a filter or fewer fields make it lighter",
                )
            if waited > LONGEST_JOB:
                raise TransientError(f"bulk query of {statement.object}: still {state} after {waited / 3600:.0f} hours")
            progress(spool.rows, int(job.get("numberRecordsProcessed") or 0))
            self._http.policy.sleep(pause)
            waited += pause
            pause = min(pause * POLL_GROWTH, LONGEST_POLL)

    def _download(self, statement: Statement, jobs: str, spool: Spool, announced: int, progress: Progress) -> None:
        """All pages from where the spool stands; the next page is on its way while one is written."""
        locator = spool.pages[-1].locator if spool.pages else ""
        if locator is None:
            return
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="salesforce-page") as pool:
            ahead: _BulkPage | None = self._ask_page(pool, statement, jobs, spool, locator)
            while ahead is not None:
                current, ahead = ahead, None
                headers = current.headers.result()
                if headers.locator is not None:
                    ahead = self._ask_page(pool, statement, jobs, spool, headers.locator)
                part = current.part.result()
                spool.commit(part, suffix=headers.suffix, rows=headers.rows, locator=headers.locator)
                progress(spool.rows, announced)
                if headers.locator is not None and spool.rows >= announced and headers.rows == 0:
                    # A server that never ends its locators would be read for ever.
                    raise IncompleteImport(f"read {statement.object}: empty pages follow after {spool.rows:,} records")

    def _ask_page(
        self, pool: ThreadPoolExecutor, statement: Statement, jobs: str, spool: Spool, locator: str
    ) -> _BulkPage:
        url = f"{jobs}/results?maxRecords={BULK_PAGE_ROWS}" + (f"&locator={quote(locator, safe='')}" if locator else "")
        request = Request("GET", url, f"read {statement.object}", headers={"Accept": "text/csv"})
        headers: Future[_BulkHeaders] = Future()

        def receive(reply: Reply) -> Part:
            told = _bulk_headers(statement, reply)
            if not headers.done():
                headers.set_result(told)
            return spool.receive(reply.chunks())

        def fetch() -> Part:
            try:
                return self._http.stream(request, receive)
            except BaseException as error:
                if not headers.done():
                    headers.set_exception(error)
                raise

        return _BulkPage(headers, pool.submit(fetch))

    def _forget_job(self, statement: Statement, jobs: str) -> None:
        """Delete the finished job. Courtesy only: Salesforce removes jobs after 7 days by itself."""
        try:
            self._http.send(Request("DELETE", jobs, f"bulk query of {statement.object}", accept=frozenset({400, 404})))
        except CRMError:
            return


@dataclass(frozen=True, slots=True)
class _RestPage:
    raw: bytes
    gzipped: bool
    body: dict[str, Any]

    @property
    def suffix(self) -> str:
        return ".json.gz" if self.gzipped else ".json"


@dataclass(frozen=True, slots=True)
class _BulkHeaders:
    rows: int
    locator: str | None
    suffix: str


@dataclass(frozen=True, slots=True)
class _BulkPage:
    """A page on its way: its headers come first and name the next page."""

    headers: Future[_BulkHeaders]
    part: Future[Part]


def _bulk_headers(statement: Statement, reply: Reply) -> _BulkHeaders:
    rows = reply.headers.get("Sforce-NumberOfRecords", "")
    if not rows.isdigit():
        raise CRMError(
            f"read {statement.object}: a bulk page came without Sforce-NumberOfRecords, so that it cannot be counted",
            hint="a proxy may drop the header: ask for it to be let through",
        )
    locator = reply.headers.get("Sforce-Locator", "null")
    ended = locator in ("null", "")
    return _BulkHeaders(int(rows), None if ended else locator, ".csv.gz" if reply.gzipped else ".csv")


def _stand(spool: Spool) -> dict[str, Any]:
    """What this connector wrote into the spool's record."""
    stand = spool.request.get("salesforce")
    return stand if isinstance(stand, dict) else {}


def _without_stand(spool: Spool) -> dict[str, object]:
    return {name: value for name, value in spool.request.items() if name != "salesforce"}


def _flat(raw: bytes, columns: Sequence[str]) -> bytes:
    """A page whose rows hold the parents' fields under their whole names, as Bulk gives them; numbers stay exact.

    This is the one page that is not kept as received: related records nest, and the loader reads flat rows.
    """
    body = json.loads(raw, parse_float=str, parse_int=str)
    rows = []
    for record in body.get("records", ()):
        row: dict[str, Any] = {}
        for column in columns:
            value: Any = record
            for step in column.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            row[column] = value
        rows.append(row)
    return json.dumps({"records": rows}, ensure_ascii=False).encode("utf-8", "replace")


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_float=Decimal)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise CRMError(
            "the reply to a query is not JSON", hint="check that instance_url is the API's address, not a login page"
        )
    return body
