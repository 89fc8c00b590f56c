"""Retrieval: pages of an entity set into a spool, as received, by next link; and records by id or key.

A page is at most 5,000 rows of JSON, gzip where the service sent gzip. Its rows are counted and its next link is found
without building Python objects of it (:func:`page_facts`), as whoever loads it parses it anyway. A large window is cut
into disjoint ones that are read at once, each into a spool of its own below the query's.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from backhaul.crm import ChangesUnavailable, Progress, no_progress
from backhaul.crm.dynamics import odata
from backhaul.crm.dynamics.batch import Part
from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.service import HEADERS, Service
from backhaul.crm.http import Reply
from backhaul.errors import ConfigurationError, CRMError, IncompleteImport, TransientError
from backhaul.record import Extract, Extraction, Field, Kind, PageFormat, Scalar
from backhaul.spool import Spool

PAGE_ROWS = 5_000
"""Rows of a page at most, and the most that $count tells (dataverse-api.md §3.1, §3.3)."""
MOST_VALUES = 200
"""Values asked for in one request by :func:`fetch`: well below the 500 conditions that a query may have."""

SPLIT_FROM = PAGE_ROWS
"""Windows in which the service counts so many records or more (it counts no further) are read in parts at once."""
WORTH_ASKING = timedelta(days=1)
"""A shorter window is an increment, and small as a rule: its size is not worth a question."""
MOST_WINDOWS = 8
"""Windows of one table read at the same time, whatever the service's hint allows: others want to be served, too."""

_BAD_COOKIE = "0x8004112a"
_TRACK = "odata.track-changes"
_NO_CHANGES = frozenset({"0x80044352", "0x80072491"})
"""The link has expired (by age, or as the table's columns changed); the table's changes are not tracked (§4)."""
_LINK_REFUSED = frozenset({400, 404, 405, 410, 412, 501})
_NEXT = b'"@odata.nextLink":'
_DELTA = b'"@odata.deltaLink":'
_DELETED = b"/$deletedEntity"
_ENVELOPE = 2**18
"""What stands before and behind the rows of a page is shorter: a context, a count, a link of at most 65,536 characters
(§0). To look for it in all rows takes more time than to count them."""
_COUNT = re.compile(rb'"@odata\.count":\s*(\d+)')
_ROWS_KEY = "value"
_STAND = "dynamics"
"""Under this name the spool's record holds the query's path and the announced total, beside what the caller keeps."""


class NotAPage(ValueError):
    """A reply that is no whole OData collection."""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What must be known of a page: its rows, the next page's link, the announced total if any.

    With change tracking: the link to go on from, on the last page, and the ids of deleted records, which are entries of
    the page beside its rows (§4).
    """

    rows: int
    next_link: str | None
    count: int | None
    delta_link: str | None = None
    deleted: tuple[str, ...] = ()


def page_facts(page: bytes, id_field: str) -> PageFacts:
    """Count the rows of a page of JSON and find its next link. Raises NotAPage.

    Inside a JSON string a quote is always escaped, so that `"contactid":` can only be a property's name: as each row
    carries its id once, the number of those is the number of rows. The etags, which each row carries too, are counted
    against it; where the two differ (spaced JSON, tables without etags) the page is parsed.
    """
    body = page.strip()
    if not (body.startswith(b"{") and body.endswith(b"}")):
        raise NotAPage("it is cut off or no JSON object")
    rows = body.count(b'"' + id_field.encode() + b'":')
    if _DELETED in body:
        return _parsed_facts(body)
    if rows == 0 or rows != body.count(b'"@odata.etag":'):
        return _parsed_facts(body)
    count = _COUNT.search(body, 0, _ENVELOPE) or _COUNT.search(body, max(0, len(body) - _ENVELOPE))
    return PageFacts(rows, _link(body, _NEXT), int(count[1]) if count else None, _link(body, _DELTA))


def _link(body: bytes, name: bytes) -> str | None:
    place = body.rfind(name, max(0, len(body) - _ENVELOPE))
    if place < 0:
        place = body.find(name, 0, _ENVELOPE)
    if place < 0:
        return None
    start = body.index(b'"', place + len(name))
    end = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*"').match(body, start + 1)
    if end is None:
        raise NotAPage("its next link has no end")
    return str(json.loads(body[start : end.end()]))


def _parsed_facts(body: bytes) -> PageFacts:
    try:
        reply = json.loads(body)
        rows = reply[_ROWS_KEY]
    except (ValueError, KeyError, TypeError):
        raise NotAPage("it has no list of rows") from None
    if not isinstance(rows, list):
        raise NotAPage("it has no list of rows")
    count = reply.get("@odata.count")
    gone = tuple(
        str(row["id"]).lower()
        for row in rows
        if str(row.get("@odata.context", "")).endswith("/$deletedEntity") and row.get("id")
    )
    return PageFacts(
        len(rows) - len(gone),
        reply.get("@odata.nextLink") or None,
        count if isinstance(count, int) else None,
        reply.get("@odata.deltaLink") or None,
        gone,
    )


@dataclass(frozen=True, slots=True)
class Chain:
    """Pages that follow each other by next link: the first one's path, and what every request of them prefers."""

    first: str
    prefer: str


class Reader:
    """Reads one environment's tables. `page_rows` below 5,000 is for tests and slow links."""

    def __init__(self, service: Service, page_rows: int = PAGE_ROWS) -> None:
        self._service = service
        self.page_rows = page_rows
        self.split_from = SPLIT_FROM

    def extract(self, table: Table, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        """Read `query` into `spool`; resumes what stands there if it is of the same query.

        Raises IncompleteImport when another number of rows arrived than the service announced; the spool is then
        emptied, so that the next attempt does not inherit the doubtful pages.
        """
        columns = self._columns(table, query)
        calls = self._service.http.api_calls
        if query.track is not None:
            return self._changes(table, query, columns, spool, progress)
        if query.ids is not None:
            parts = self._of_ids(table, query, columns, spool)
        else:
            parts = [(spool, self._chain(table, query, columns))]
            parts = self._split(table, query, columns, parts[0]) or parts
        if len(parts) == 1:
            announced = [self._read(table, parts[0][1], parts[0][0], progress)]
        else:
            announced = self._read_at_once(table, parts, progress)
        known = [count for count in announced if count is not None]
        return Extraction(
            paths=tuple(page.path for own, _ in parts for page in own.pages if page.rows),
            format=PageFormat.JSON,
            rows=sum(own.rows for own, _ in parts),
            announced=sum(known) if len(known) == len(parts) else None,
            columns=columns,
            rows_key=_ROWS_KEY,
            api_calls=self._service.http.api_calls - calls,
            bytes=sum(own.size for own, _ in parts),
        )

    def _read_at_once(self, table: Table, parts: Sequence[tuple[Spool, Chain]], progress: Progress) -> list[int | None]:
        """Read several chains, each into its own spool; progress is told from this thread."""

        def read(own: Spool, chain: Chain) -> int | None:
            return self._read(table, chain, own, no_progress)

        with ThreadPoolExecutor(self._service.width(MOST_WINDOWS), thread_name_prefix="window") as pool:
            coming = [pool.submit(read, own, chain) for own, chain in parts]
            try:
                waiting = set(coming)
                while waiting:
                    finished, waiting = wait(waiting, timeout=0.5, return_when=FIRST_EXCEPTION)
                    for one in finished:
                        one.result()
                    progress(sum(own.rows for own, _ in parts), 0)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return [one.result() for one in coming]

    # What to ask

    def _columns(self, table: Table, query: Extract) -> tuple[str, ...]:
        schema = table.schema
        names = (schema.id_field, *query.fields)
        return tuple(dict.fromkeys(odata.field_of(schema, name).on_wire for name in names))

    def _chain(self, table: Table, query: Extract, columns: Sequence[str], ids: Sequence[str] | None = None) -> Chain:
        schema = table.schema
        filters = []
        if query.window is not None:
            filters.append(odata.window_filter(schema, query.window))
        if query.filter is not None:
            filters.append(odata.group_filter(schema, query.filter))
        if ids is not None:
            filters.append(odata.one_of(schema.fields[schema.id_field], ids))
        declared = [
            f"{odata.asked_field(schema, name).on_wire}{' desc' if descending else ''}"
            for name, descending in query.order_by
        ]
        # The id ends every order: pages cut between rows that compare equal would lose or repeat some (§3.4).
        by_id = [] if any(name == schema.id_field for name, _ in query.order_by) else [schema.id_field]
        joined = filters[0] if len(filters) == 1 else " and ".join(f"({text})" for text in filters)
        options = odata.Query(odata.selected(columns), joined, [*declared, *by_id], count=True)
        preferences = [f"odata.maxpagesize={self.page_rows}", *odata.annotated(columns).values()]
        return Chain(odata.query(table.entity_set, options), ",".join(preferences))

    def _changes(
        self, table: Table, query: Extract, columns: Sequence[str], spool: Spool, progress: Progress
    ) -> Extraction:
        """Everything with a link to go on from, or what changed since a link was given (§4). Neither filter nor order.

        Raises ChangesUnavailable: the link has expired, is refused or of another address, or the table gives none to
        this user; or `spool` holds pages of the same reading, and the link to the next one is no longer good.
        """
        calls = self._service.http.api_calls
        preferences = [_TRACK, f"odata.maxpagesize={self.page_rows}"]
        first = odata.query(table.entity_set, odata.Query(odata.selected(columns)))
        if query.track:
            # Another address may be another environment, whose versions the link's number says nothing of.
            if not self._service.is_own(query.track):
                raise ChangesUnavailable(f"read {query.object}: the link was given under another address")
            first = query.track
        chain = Chain(first, ",".join([*preferences, *odata.annotated(columns).values()]))
        by_link = bool(query.track) or (self._is_of(spool, chain) and bool(spool.pages))
        try:
            self._read(table, chain, spool, progress)
        except TransientError:
            raise
        except CRMError as error:
            if error.symbol.lower() not in _NO_CHANGES and not (by_link and error.status in _LINK_REFUSED):
                raise
            raise ChangesUnavailable(error.message, symbol=error.symbol, status=error.status, hint=error.hint) from None
        track = str(_stand(spool).get("delta") or "")
        if not track:
            # The link stands on the last page: without it pages are missing, whose records would be taken for deleted.
            received = spool.rows
            _start(spool, self._asked(chain))
            raise IncompleteImport(
                f"read {table.schema.name}: the pages of account '{table.schema.account}' ended after {received:,} "
                "records without the link that the last one carries",
                hint="nothing was loaded and the cursor stays; run it again",
            )
        return Extraction(
            paths=tuple(page.path for page in spool.pages if page.rows),
            format=PageFormat.JSON,
            rows=spool.rows,
            announced=None,
            columns=tuple(columns),
            rows_key=_ROWS_KEY,
            api_calls=self._service.http.api_calls - calls,
            bytes=spool.size,
            track=track,
            deleted=_gone(spool),
        )

    def _of_ids(self, table: Table, query: Extract, columns: Sequence[str], spool: Spool) -> list[tuple[Spool, Chain]]:
        """The records of some ids, chunk by chunk, each in a spool of its own below `spool`."""
        anew = replace(query, window=replace(query.window, start=None)) if query.window else query
        chains: list[Chain] = []
        for asking, ids in ((query, query.ids or ()), (anew, query.fresh)):
            try:
                wanted = list(dict.fromkeys(map(odata.guid_of, ids)))
            except odata.NotExpressible as error:
                raise ConfigurationError(
                    f"{query.object}: the population to import: {error}",
                    hint="name the column of the model that holds the records' ids",
                ) from None

            def length(some: Sequence[str], asking: Extract = asking) -> int:
                return len(self._service.http.base) + len(self._chain(table, asking, columns, some).first)

            runs = odata.chunks_by_length(wanted, MOST_VALUES, length, odata.URL_LIMIT)
            chains += [self._chain(table, asking, columns, run) for run in runs]
        return [(Spool(spool.folder / f"ids-{number:06d}"), chain) for number, chain in enumerate(chains, start=1)]

    def _split(
        self, table: Table, query: Extract, columns: Sequence[str], whole: tuple[Spool, Chain]
    ) -> list[tuple[Spool, Chain]]:
        """Disjoint windows that together are the query's, to be read at once; none where one chain will do.

        A window that was split before is split at the same instants, so that its pages can be resumed.
        """
        spool, chain = whole
        stand = _stand(spool)
        same = self._is_of(spool, chain)
        if query.window is None or query.order_by or (same and spool.pages):
            return []
        if same and isinstance(stand.get("cuts"), list):
            cuts = [datetime.fromisoformat(str(cut)) for cut in stand["cuts"]]  # type: ignore[attr-defined]
        else:
            cuts = self._cuts(table, query)
            if not cuts:
                return []
            _start(spool, {**self._asked(chain), "cuts": [cut.isoformat() for cut in cuts]})
        edges = [query.window.start, *cuts, query.window.end]
        parts = []
        for number, (start, end) in enumerate(itertools.pairwise(edges), start=1):
            own = replace(query, window=replace(query.window, start=start, end=end or query.window.end))
            parts.append((Spool(spool.folder / f"window-{number:06d}"), self._chain(table, own, columns)))
        return parts

    def _cuts(self, table: Table, query: Extract) -> list[datetime]:
        """Instants, whole seconds apart, at which to cut a window that is worth it: evenly between its first and last
        stamp, as the service tells no quantiles.
        """
        window = query.window
        width = self._service.width(MOST_WINDOWS)
        if window is None or width < 2 or (window.start and window.end - window.start < WORTH_ASKING):
            return []
        stamp = odata.field_of(table.schema, window.cursor).on_wire
        filters = [odata.window_filter(table.schema, window)]
        if query.filter is not None:
            filters.append(f"({odata.group_filter(table.schema, query.filter)})")
        ends = [
            odata.query(
                table.entity_set, odata.Query([stamp], " and ".join(filters), [f"{stamp}{way}"], count=True, top=1)
            )
            for way in ("", " desc")
        ]
        if any(len(self._service.http.base) + len(path) > odata.BATCHED_URL_LIMIT for path in ends):
            return []
        first, last = self._service.get_many(ends, f"read {table.schema.name}")
        if int(first.get("@odata.count") or 0) < self.split_from or not last.get("value"):
            return []
        begin, finish = (odata.instant_of(str(reply["value"][0][stamp])) for reply in (first, last))
        parts = 2 * width
        step = max((finish - begin) / parts, timedelta(seconds=1))
        cuts = [(begin + step * number).replace(microsecond=0) for number in range(1, parts)]
        return sorted({cut for cut in cuts if begin < cut <= finish})

    # Reading

    def _asked(self, chain: Chain) -> dict[str, object]:
        """What a spool is of. The address is part of it: pages go on by links, which lead to where they were given."""
        return {"at": self._service.origin, "path": chain.first, "prefer": chain.prefer}

    def _is_of(self, spool: Spool, chain: Chain) -> bool:
        asked, stand = self._asked(chain), _stand(spool)
        return all(stand.get(name) == value for name, value in asked.items())

    def _read(self, table: Table, chain: Chain, spool: Spool, progress: Progress) -> int | None:
        """One chain of pages into its spool; gives the number of rows announced, None if there was none."""
        stand = self._asked(chain)
        if not self._is_of(spool, chain) or "cuts" in _stand(spool):
            _start(spool, stand)
        before = len(spool.pages)
        try:
            self._pages(table, chain, spool, progress)
        except CRMError as error:
            if error.symbol.lower() != _BAD_COOKIE or not before or _TRACK in chain.prefer:
                raise
            # Where an earlier run left off is no longer understood: from the beginning (§7.2).
            _start(spool, stand)
            self._pages(table, chain, spool, progress)
        announced, least = _announced(spool), _stand(spool).get("least")
        if announced != spool.rows if announced is not None else isinstance(least, int) and spool.rows < least:
            received = spool.rows
            _start(spool, stand)
            told = f"{announced:,}" if announced is not None else f"{least:,} or more"
            raise IncompleteImport(
                f"read {table.schema.name}: Dataverse announced {told} records, {received:,} arrived "
                f"(account '{table.schema.account}')",
                hint="nothing was loaded and the cursor stays; run it again",
            )
        return announced

    def _pages(self, table: Table, chain: Chain, spool: Spool, progress: Progress) -> None:
        """Follow the next links from where the spool stands; the next page is on its way while one is written."""
        path: str | None = spool.pages[-1].locator if spool.pages else chain.first
        seen = {page.locator for page in spool.pages}
        purpose = f"read {table.schema.name}"
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="page") as ahead:
            coming: Future[tuple[bytes, bool]] | None = None
            while path is not None:
                page, gzipped = coming.result() if coming else self._page(path, purpose, chain.prefer)
                facts = self._facts(table, page, gzipped, purpose)
                path = facts.next_link and self._service.own(facts.next_link, purpose)
                if path is not None and path in seen:
                    raise CRMError(
                        f"{purpose}: account '{table.schema.account}' gave the same next link twice",
                        hint="it does not move on: run the import again; if it stays so, order by another field",
                    )
                seen.add(path)
                coming = ahead.submit(self._page, path, purpose, chain.prefer) if path is not None else None
                if not spool.pages:
                    self._note_announced(spool, facts)
                if facts.deleted or facts.delta_link:
                    # Kept before the page: fetched twice, a page says the same or more.
                    gone = sorted({*_gone(spool), *facts.deleted})
                    spool.begin(
                        {**spool.request, _STAND: {**_stand(spool), "gone": gone, "delta": facts.delta_link or ""}}
                    )
                entries = facts.rows + len(facts.deleted)
                spool.write_page([page], suffix=".json.gz" if gzipped else ".json", rows=entries, locator=path)
                progress(spool.rows, _announced(spool) or 0)

    def _facts(self, table: Table, page: bytes, gzipped: bool, purpose: str) -> PageFacts:
        try:
            return page_facts(gzip.decompress(page) if gzipped else page, table.schema.id_field)
        except (NotAPage, OSError, EOFError, zlib.error) as error:
            account = table.schema.account
            raise CRMError(f"{purpose}: account '{account}' sent an unreadable page: {error}") from None

    def _note_announced(self, spool: Spool, facts: PageFacts) -> None:
        """Keep the announced total, where it is one: 5,000 means "5,000 or more", except on an only page."""
        exact = facts.count is not None and (facts.count < PAGE_ROWS or facts.next_link is None)
        told = {"announced": facts.count if exact else None, "least": facts.count}
        spool.begin({**spool.request, _STAND: {**_stand(spool), **told}})

    def _page(self, path: str, purpose: str, prefer: str) -> tuple[bytes, bool]:
        """One page's bytes as received, and whether they are gzip."""
        headers = {"Prefer": prefer}
        url = path if "://" in path else self._service.http.base + path
        if len(url) > odata.URL_LIMIT:
            return self._page_in_batch(url, purpose, headers), False
        gzipped = False

        def receive(reply: Reply) -> bytes:
            nonlocal gzipped
            gzipped = reply.gzipped
            applied = reply.headers.get("Preference-Applied", "")
            if _TRACK in prefer and "token=" not in path.lower() and _TRACK not in applied:
                # It would be read to its end without a link to go on from (§4).
                raise ChangesUnavailable(f"{purpose}: the service does not track changes here", status=reply.status)
            return b"".join(reply.chunks())

        return self._service.stream(path, purpose, headers, receive), gzipped

    def _page_in_batch(self, url: str, purpose: str, headers: Mapping[str, str]) -> bytes:
        """A page whose URL is too long for a GET of its own; inside $batch twice the length is taken (§0)."""
        if len(url) > odata.BATCHED_URL_LIMIT:
            raise ConfigurationError(
                f"{purpose}: the query is {len(url):,} characters long; Dataverse takes {odata.BATCHED_URL_LIMIT:,}",
                hint="declare fewer fields, or shorten the lists of the filter",
            )
        part = Part("1", "GET", url, {**HEADERS, **headers})
        _, answers = self._service.batch([part], purpose, repeatable=True)
        if len(answers) != 1 or answers[0].status >= 300:
            self._service.raise_refusal(purpose, answers[0])
        return answers[0].body

    def fetch(self, table: Table, field: str, values: Sequence[str], fields: Sequence[str]) -> list[dict[str, Scalar]]:
        """The records whose `field` has one of `values`, each with its id and `fields`, typed by kind.

        Text is compared as the database does, without regard to case. A value that cannot be one of the field's is
        simply not there.
        """
        schema = table.schema
        key = odata.field_of(schema, field)
        chosen = [odata.field_of(schema, name) for name in dict.fromkeys((schema.id_field, *fields))]
        wires = [one.on_wire for one in chosen]
        select, headers = odata.selected(wires), odata.annotated(wires)
        wanted = [value for value in dict.fromkeys(values) if _expressible(key, value)]

        def path(some: Sequence[str]) -> str:
            return odata.query(table.entity_set, odata.Query(select, odata.one_of(key, some), [schema.id_field]))

        def length(some: Sequence[str]) -> int:
            return len(self._service.http.base) + len(path(some))

        found: list[dict[str, Scalar]] = []
        for run in odata.chunks_by_length(wanted, MOST_VALUES, length, odata.URL_LIMIT):
            rows = self._service.values(path(run), f"fetch {schema.name}", headers)
            found += [{one.name: typed(one, row.get(one.on_wire)) for one in chosen} for row in rows]
        return found


def _stand(spool: Spool) -> dict[str, object]:
    stand = spool.request.get(_STAND)
    return dict(stand) if isinstance(stand, dict) else {}


def _gone(spool: Spool) -> tuple[str, ...]:
    gone = _stand(spool).get("gone")
    return tuple(map(str, gone)) if isinstance(gone, list) else ()


def _start(spool: Spool, stand: Mapping[str, object]) -> None:
    """Empty the spool for the query of `stand`."""
    request = {**spool.request, _STAND: dict(stand)}
    if spool.pages:
        spool.restart(request)
    else:
        spool.begin(request)


def _announced(spool: Spool) -> int | None:
    announced = _stand(spool).get("announced")
    return announced if isinstance(announced, int) else None


def _expressible(field: Field, value: str) -> bool:
    try:
        odata.literal(field, value)
    except odata.NotExpressible:
        return False
    return True


def typed(field: Field, value: Any) -> Scalar:
    """A value of a JSON reply as the Python scalar of the field's kind."""
    if value is None:
        return None
    if field.kind is Kind.DECIMAL:
        return Decimal(str(value))
    if field.kind is Kind.DOUBLE:
        return float(value)
    if field.kind is Kind.DATE:
        return odata.date_of(str(value))
    if field.kind is Kind.DATETIME:
        return odata.instant_of(str(value))
    if isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, ensure_ascii=False)
