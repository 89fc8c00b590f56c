"""Reading from Salesforce into a spool: REST query for little, Bulk API 2.0 query for much.

Pages are spooled as received (salesforce-api.md §4, §8). The spool's record holds the statement and, on the bulk road,
the job, so that a broken download goes on at its page; a locator or job that has expired starts anew. The number of
rows must be the one the CRM announced.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from backhaul.crm import Progress
from backhaul.crm.http import Http, Reply, Request
from backhaul.crm.salesforce.bulk_query import BulkQuery
from backhaul.crm.salesforce.statement import (
    EXPIRED,
    LONGEST_STATEMENT,
    Expired,
    Statement,
    new_stand,
    stand_of,
    without_stand,
)
from backhaul.errors import CRMError, IncompleteImport, TransientError
from backhaul.record import Extraction, PageFormat
from backhaul.spool import Spool

BULK_FROM_ROWS = 10_000
"""From here on the bulk road takes fewer calls and less time: REST gives 2,000 rows a page."""

REST_PAGE_ROWS = 2_000
"""Rows of one REST page, as far as the server gives so many."""

LONGEST_URI = 15_000
"""Bytes of path and encoded statement that still go by GET; the server's limit is 16,384 with host and headers."""

RESTARTS = 2
"""How often one extract starts anew because its locator or job has expired."""

_TOO_SLOW = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "OPERATION_TOO_LARGE"})
_NOT_FOR_BULK = frozenset({"INVALIDENTITY", "FEATURENOTENABLED", "API_ERROR"})


class TooWide(Exception):
    """A statement that no road takes as long as it is: its columns have to be read in parts."""


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
        self._bulk = BulkQuery(http, data, require)

    def read(self, statement: Statement, spool: Spool, progress: Progress, road: str = "auto") -> Extraction:
        """Read all rows into `spool`; `road` is auto, rest or bulk.

        Raises IncompleteImport (the spool is emptied then, so that the next try starts anew) and :class:`TooWide`.
        """
        calls = self._http.api_calls
        for _ in range(RESTARTS + 1):
            try:
                announced, road_taken = self._walk(statement, spool, progress, road)
                break
            except Expired:
                spool.restart(without_stand(spool))
        else:
            raise TransientError(
                f"read {statement.object}: the query's locator expired {RESTARTS + 1} times before all pages were here",
                hint="the download is too slow for the org's patience: ask for less at once, or run it again",
            )
        rows = spool.rows
        if rows != announced:
            spool.restart(without_stand(spool))
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
        stand = stand_of(spool)
        # Another version of the API would refuse the job (409): then, too, all starts anew.
        asked = {"soql": statement.soql, "operation": statement.operation, "api": self._data}
        if any(stand.get(name) != value for name, value in asked.items()):
            if spool.pages or stand:
                spool.restart(without_stand(spool))
            stand = {}
        if stand.get("road") == "rest":
            return self._rest(statement, spool, progress, most=None), "rest"
        if stand.get("road") == "bulk":
            return self._bulk.read(statement, spool, progress), "bulk"
        if len(statement.soql) > LONGEST_STATEMENT:
            raise TooWide
        short = self.fits_uri(statement.soql)
        if statement.bodies or road == "rest":
            # Binaries are addresses in the rows, which only REST gives.
            if not short:
                raise TooWide
            return self._rest(statement, spool, progress, most=None), "rest"
        if road != "bulk" and short:
            try:
                return self._rest(statement, spool, progress, most=BULK_FROM_ROWS if road == "auto" else None), "rest"
            except _TooMuch:
                pass
            except CRMError as error:
                # A statement that takes REST too long may still do as a job.
                if error.symbol not in _TOO_SLOW:
                    raise
        try:
            return self._bulk.read(statement, spool, progress), "bulk"
        except CRMError as error:
            if road != "auto" or error.symbol not in _NOT_FOR_BULK:
                raise
            if not short:
                raise TooWide from None
            return self._rest(statement, spool, progress, most=None), "rest"

    # ---- REST ----

    def _query_url(self, statement: Statement) -> str:
        # A `+` in the statement must arrive as %2B; quote_plus does it, and spends one byte on a blank.
        return f"{self._data}/{statement.operation}?q={quote_plus(statement.soql)}"

    def _rest(self, statement: Statement, spool: Spool, progress: Progress, most: int | None) -> int:
        """Page by page; raises _TooMuch on the first page when `most` is exceeded, before anything is spooled."""
        url: str | None = self._query_url(statement)
        announced: int | None = None
        if spool.pages:
            url, announced = spool.pages[-1].locator, int(stand_of(spool)["announced"])
        while url:
            page = self._rest_page(statement, url)
            total = int(page.body.get("totalSize", len(page.body.get("records", ()))))
            if announced is None:
                if most is not None and total > most:
                    raise _TooMuch
                announced = total
                calls = -(-total // REST_PAGE_ROWS) - 1 + total * len(statement.bodies)
                self._require(calls, f"to read {total:,} {statement.object}")
                stand = new_stand(statement, self._data, "rest", announced=announced)
                spool.begin({**spool.request, "salesforce": stand})
            url = None if page.body.get("done", True) else str(page.body["nextRecordsUrl"])
            rows = len(page.body.get("records", ()))
            spool.write_page([page.raw], suffix=page.suffix, rows=rows, locator=url)
            progress(spool.rows, announced)
        return announced or 0

    def _rest_page(self, statement: Statement, url: str) -> _RestPage:
        def receive(reply: Reply) -> _RestPage:
            raw = b"".join(reply.chunks())
            plain = _unpacked(raw, reply.gzipped)
            return _RestPage(raw, reply.gzipped, _parsed(plain), plain)

        try:
            page = self._http.stream(Request("GET", url, f"read {statement.object}"), receive)
        except CRMError as error:
            if error.symbol in EXPIRED and error.symbol != "NOT_FOUND":
                raise Expired from None
            raise
        if statement.bodies or any("." in column for column in statement.columns):
            return _RestPage(self._flat(statement, page.plain), False, page.body)
        return page

    def _flat(self, statement: Statement, plain: bytes) -> bytes:
        """A page whose rows hold the parents' fields under their whole names, as Bulk gives them; numbers stay exact.

        These are the pages that are not kept as received: related records nest, and the loader reads flat rows; of a
        binary the row holds only the address, which is asked here for the bytes (one request each, §3.4).
        """
        body = json.loads(plain, parse_float=str, parse_int=str)
        rows = []
        for record in body.get("records", ()):
            row: dict[str, Any] = {}
            for column in statement.columns:
                value: Any = record
                for step in column.split("."):
                    value = value.get(step) if isinstance(value, dict) else None
                row[column] = self._body(statement, value) if column in statement.bodies else value
            rows.append(row)
        return json.dumps({"records": rows}, ensure_ascii=False).encode("utf-8", "replace")

    def _body(self, statement: Statement, address: Any) -> str | None:
        """The base64 text of the binary behind an address of this org; an empty or missing one is null."""
        if not isinstance(address, str) or not address:
            return None
        request = Request("GET", address, f"read a binary of {statement.object}")
        raw = self._http.stream(request, lambda reply: _unpacked(b"".join(reply.chunks()), reply.gzipped))
        return base64.b64encode(raw).decode("ascii") if raw else None


@dataclass(frozen=True, slots=True)
class _RestPage:
    raw: bytes
    gzipped: bool
    body: dict[str, Any]
    plain: bytes = b""

    @property
    def suffix(self) -> str:
        return ".json.gz" if self.gzipped else ".json"


def _unpacked(raw: bytes, gzipped: bool) -> bytes:
    return gzip.decompress(raw) if gzipped else raw


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
