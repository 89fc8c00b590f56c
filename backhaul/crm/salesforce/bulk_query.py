"""Bulk API 2.0 query: one job, its result pages into a spool (salesforce-api.md §8).

A large result is downloaded several pages at once, by the list of pages that the API gives since version 58.0; else
page after page, the next one on its way while one is written. Either way the pages are committed in their order, and
the last one's locator says where an interrupted download goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from backhaul.crm import Progress
from backhaul.crm.http import Http, Reply, Request
from backhaul.crm.salesforce.statement import EXPIRED, Expired, Statement, new_stand, stand_of, without_stand
from backhaul.errors import CRMError, IncompleteImport, TransientError
from backhaul.spool import Part, Spool

PAGE_ROWS = 100_000
"""Rows of one page: what is fetched again when a download breaks, and 10 calls a million rows."""

AT_ONCE = 4
"""Pages that are downloaded at the same time."""

AT_ONCE_FROM_PAGES = 3
"""A result of fewer pages is not worth the call that lists them."""

AT_ONCE_FROM_VERSION = 58.0

FIRST_POLL, POLL_GROWTH, LONGEST_POLL, LONGEST_JOB = 0.1, 1.5, 15.0, 6 * 3600.0
"""Seconds: small jobs are noticed at once, long ones are asked four times a minute, none is waited for all day."""


class BulkQuery:
    """The bulk road of one account's reading. `data` is the path of the API version, "/services/data/v67.0".

    `require` is told the number of requests and what they are for before pages are fetched; it may refuse.
    """

    def __init__(self, http: Http, data: str, require: Callable[[int, str], None]) -> None:
        self._http = http
        self._data = data
        self._require = require

    def read(self, statement: Statement, spool: Spool, progress: Progress) -> int:
        """All pages into `spool`, going on where it stands; gives the number of records that the job announced.

        Raises :class:`~backhaul.crm.salesforce.statement.Expired` when the job of an interrupted download is gone.
        """
        stand = stand_of(spool)
        job = str(stand["job"]) if stand.get("road") == "bulk" else self._create_job(statement, spool)
        jobs = f"{self._data}/jobs/query/{job}"
        pages = spool.pages
        if "announced" in stand and pages and pages[-1].locator is None:
            return int(stand["announced"])
        announced = self._await_job(statement, jobs, spool, progress)
        self._require(-(-announced // PAGE_ROWS), f"to read {announced:,} {statement.object}")
        listed = self._listed(statement, jobs, announced, spool)
        self._begin(statement, spool, job=job, announced=announced, listed=bool(listed))
        try:
            if listed:
                self._download_listed(statement, listed, spool, announced, progress)
            else:
                self._download(statement, jobs, spool, announced, progress)
        except CRMError as error:
            if error.symbol in EXPIRED:
                raise Expired from None
            raise
        self._forget_job(statement, jobs)
        return announced

    def _begin(self, statement: Statement, spool: Spool, **more: object) -> None:
        spool.begin({**spool.request, "salesforce": new_stand(statement, self._data, "bulk", **more)})

    # ---- the job ----

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
        self._begin(statement, spool, job=job)
        return job

    def _await_job(self, statement: Statement, jobs: str, spool: Spool, progress: Progress) -> int:
        """Ask until the job is complete, in growing intervals; the number of records it announces."""
        pause, waited = FIRST_POLL, 0.0
        while True:
            try:
                job = self._http.json(Request("GET", jobs, f"bulk query of {statement.object}"))
            except CRMError as error:
                if error.symbol in EXPIRED:
                    raise Expired from None
                raise
            state = str(job.get("state", ""))
            if state == "JobComplete":
                return int(job.get("numberRecordsProcessed") or 0)
            if state in ("Failed", "Aborted"):
                spool.restart(without_stand(spool))
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

    def _forget_job(self, statement: Statement, jobs: str) -> None:
        """Delete the finished job. Courtesy only: Salesforce removes jobs after 7 days by itself."""
        try:
            self._http.send(Request("DELETE", jobs, f"bulk query of {statement.object}", accept=frozenset({400, 404})))
        except CRMError:
            return

    # ---- page after page ----

    def _download(self, statement: Statement, jobs: str, spool: Spool, announced: int, progress: Progress) -> None:
        """All pages from where the spool stands; the next page is on its way while one is written."""
        locator = spool.pages[-1].locator if spool.pages else ""
        if locator is None:
            return
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="salesforce-page") as pool:

            def ask(locator: str) -> _Coming:
                more = f"&locator={quote(locator, safe='')}" if locator else ""
                return self._ask(pool, statement, f"{jobs}/results?maxRecords={PAGE_ROWS}{more}", spool)

            ahead: _Coming | None = ask(locator)
            while ahead is not None:
                current, ahead = ahead, None
                headers = current.headers.result()
                if headers.locator is not None:
                    ahead = ask(headers.locator)
                part = current.part.result()
                spool.commit(part, suffix=headers.suffix, rows=headers.rows, locator=headers.locator)
                progress(spool.rows, announced)
                if headers.locator is not None and spool.rows >= announced and headers.rows == 0:
                    # A server that never ends its locators would be read for ever.
                    raise IncompleteImport(f"read {statement.object}: empty pages follow after {spool.rows:,} records")

    # ---- several pages at once ----

    def _listed(self, statement: Statement, jobs: str, announced: int, spool: Spool) -> list[str]:
        """The addresses of all result pages in their order; empty when they are to be read one after the other.

        An interrupted download keeps to the way in which it began, as both cut the result into pages of their own.
        """
        begun = bool(spool.pages)
        if begun and not stand_of(spool).get("listed"):
            return []
        old = float(self._data.rpartition("/v")[2]) < AT_ONCE_FROM_VERSION
        if not begun and (old or announced < AT_ONCE_FROM_PAGES * PAGE_ROWS):
            return []
        found: list[str] = []
        url: str | None = f"{jobs}/resultPages"
        try:
            while url:
                body = self._http.json(Request("GET", url, f"list the result pages of {statement.object}"))
                addresses = [str(page["resultUrl"]) for page in body.get("resultPages") or ()]
                url = None if body.get("done", True) or not addresses else body.get("nextRecordsUrl")
                found += addresses
        except CRMError as error:
            if isinstance(error, TransientError):
                raise
            if begun:
                raise Expired from None
            return []  # an org that has no such list has the pages all the same
        return found

    def _download_listed(
        self, statement: Statement, listed: list[str], spool: Spool, announced: int, progress: Progress
    ) -> None:
        """The pages behind `listed` from where the spool stands, some at once, committed in their order."""
        begin = 0
        if spool.pages:
            following = spool.pages[-1].locator
            if following is None:
                return
            if following not in listed:
                raise Expired
            begin = listed.index(following)
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="salesforce-page") as pool:
            coming: deque[_Coming] = deque()
            ahead = begin
            try:
                for place in range(begin, len(listed)):
                    while ahead < min(len(listed), place + AT_ONCE):
                        coming.append(self._ask(pool, statement, listed[ahead], spool))
                        ahead += 1
                    current = coming.popleft()
                    headers, part = current.headers.result(), current.part.result()
                    locator = listed[place + 1] if place + 1 < len(listed) else None
                    spool.commit(part, suffix=headers.suffix, rows=headers.rows, locator=locator)
                    progress(spool.rows, announced)
            except BaseException:
                for one in coming:
                    one.part.cancel()
                raise

    def _ask(self, pool: ThreadPoolExecutor, statement: Statement, url: str, spool: Spool) -> _Coming:
        request = Request("GET", url, f"read {statement.object}", headers={"Accept": "text/csv"})
        headers: Future[_Headers] = Future()

        def receive(reply: Reply) -> Part:
            told = _headers(statement, reply)
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

        return _Coming(headers, pool.submit(fetch))


@dataclass(frozen=True, slots=True)
class _Headers:
    rows: int
    locator: str | None
    suffix: str


@dataclass(frozen=True, slots=True)
class _Coming:
    """A page on its way: its headers come first and name the next page."""

    headers: Future[_Headers]
    part: Future[Part]


def _headers(statement: Statement, reply: Reply) -> _Headers:
    rows = reply.headers.get("Sforce-NumberOfRecords", "")
    if not rows.isdigit():
        raise CRMError(
            f"read {statement.object}: a bulk page came without Sforce-NumberOfRecords, so that it cannot be counted",
            hint="a proxy may drop the header: ask for it to be let through",
        )
    locator = reply.headers.get("Sforce-Locator", "null")
    ended = locator in ("null", "")
    return _Headers(int(rows), None if ended else locator, ".csv.gz" if reply.gzipped else ".csv")
