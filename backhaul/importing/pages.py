"""Spooled pages as SQL: text as the CRM sent it, one column a wire name, typed by cast.

CSV and JSON pages are read by DuckDB itself, straight from the spool folder: the fastest road measured
(tech-spike.md §2, §3). An empty CSV cell is null, quoted or not; every other text, "NA", "null" or "#N/A" among them,
arrives as it is. A key that a JSON row lacks is null.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from backhaul.errors import IncompleteImport
from backhaul.record import Extraction, PageFormat

if TYPE_CHECKING:
    from backhaul.spool import Spool
    from backhaul.warehouse import Warehouse

# A Salesforce record holds 1.6 million characters at most. Buffers of sixteen such lines, DuckDB's own choice, would be
# most of an import's memory.
_LINE_BYTES = 8 * 2**20
_BUFFER_BYTES = 16 * 2**20
_HEADER_BYTES = 2**20
_LONG_NUMBER = re.compile(rb'(":(?<!\\":)\s*)(-?[0-9][0-9.]{16,}(?:[eE][+-]?[0-9]+)?)')
_GZIP = b"\x1f\x8b"


def pages_sql(warehouse: Warehouse, extraction: Extraction, wires: Sequence[str]) -> str:
    """A SELECT of the wire columns `wires`, all VARCHAR, over every page of the extract.

    Of an extract in parts, the rows that every part holds of the same version. Raises
    :class:`~backhaul.errors.IncompleteImport` when a page is not what the extract says it is.
    """
    if extraction.parts:
        return _joined_sql(warehouse, extraction, wires)
    if not extraction.paths:
        return "SELECT " + ", ".join(f"NULL::VARCHAR AS {warehouse.quote(wire)}" for wire in wires) + " WHERE false"
    if extraction.format is PageFormat.CSV:
        return _csv_sql(warehouse, extraction, wires)
    return _json_sql(warehouse, extraction, wires)


def torn_sql(warehouse: Warehouse, extraction: Extraction) -> str:
    """The ids (column `id`) of the records that one part of an extract holds, but not every part in the same version.

    They were changed, made or deleted between the readings of the parts.
    """
    identity = warehouse.quote(extraction.joined_by[0])
    each = " UNION ".join(
        f"SELECT {identity} AS id FROM (\n{pages_sql(warehouse, part, extraction.joined_by)}\n) AS part"
        for part in extraction.parts
    )
    whole = pages_sql(warehouse, extraction, extraction.joined_by[:1])
    return f"{each} EXCEPT SELECT {identity} AS id FROM (\n{whole}\n) AS whole"


def _joined_sql(warehouse: Warehouse, extraction: Extraction, wires: Sequence[str]) -> str:
    anchor = extraction.joined_by
    where: dict[str, int] = {}
    for number, part in enumerate(extraction.parts):
        for wire in part.columns:
            where.setdefault(wire, number)
    chosen = ", ".join(f"part_{where[wire]}.{warehouse.quote(wire)}" for wire in wires)
    sql = f"SELECT {chosen} FROM "
    for number, part in enumerate(extraction.parts):
        own = [*anchor, *(wire for wire in wires if where[wire] == number and wire not in anchor)]
        sql += ("\nJOIN " if number else "") + f"(\n{pages_sql(warehouse, part, own)}\n) AS part_{number}"
        if number:
            same = (f"part_{number}.{name} IS NOT DISTINCT FROM part_0.{name}" for name in map(warehouse.quote, anchor))
            sql += " ON " + " AND ".join(same)
    return sql


class PageCounter:
    """Counts the records in CSV pages in a thread, each page while the next ones are being fetched.

    What the CRM said a page holds is one thing, what can be read in it another. Where not all rows go into the log,
    their number alone does not tell; reading takes a fifth of the time of a load, so it is done while waiting for the
    network. JSON pages are counted when all are there.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="page count")
        self._counts: dict[str, Future[int]] = {}

    def look(self, spool: Spool) -> None:
        """Begin to count the pages that came since the last look."""
        for page in spool.pages:
            if page.path not in self._counts:
                self._counts[page.path] = self._pool.submit(self._count, Path(page.path))

    def total(self, extraction: Extraction) -> int | None:
        """The records in all pages of `extraction`; None when they were not all counted here."""
        if extraction.format is not PageFormat.CSV or not set(extraction.paths) <= set(self._counts):
            return None
        return sum(self._counts[path].result() for path in extraction.paths)

    def close(self) -> None:
        """Wait for what is being counted; what is waiting is left out."""
        self._pool.shutdown(cancel_futures=True)

    def _count(self, path: Path) -> int:
        header = _csv_header(path)
        if not header or header[0][:1] in "{[":
            return 0
        one = Extraction((str(path),), PageFormat.CSV, 0, None, tuple(header))
        # a stream has a connection of its own, so this thread is in nobody's way
        found = self._warehouse.arrow(f"SELECT count(*) AS found FROM ({pages_sql(self._warehouse, one, header)})")
        return int(found.read_all().column("found")[0].as_py())


def _csv_sql(warehouse: Warehouse, extraction: Extraction, wires: Sequence[str]) -> str:
    groups: dict[str, list[str]] = {}
    for path in extraction.paths:
        header = _csv_header(Path(path))
        if header != list(extraction.columns):
            raise IncompleteImport(
                f"a page has the columns {', '.join(header)} where {', '.join(extraction.columns)} were asked for"
            )
        groups.setdefault(_compression(path), []).append(path)
    types = ", ".join(f"{warehouse.literal(wire)}: 'VARCHAR'" for wire in extraction.columns)
    chosen = ", ".join(warehouse.quote(wire) for wire in wires)
    # All is said outright, so that DuckDB does not look at the data to guess; all but the line end: told a wrong one,
    # it reads no row at all, without a word.
    return "\nUNION ALL\n".join(
        f"SELECT {chosen} FROM read_csv({_list(warehouse, paths)}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = true, strict_mode = true, "
        f"null_padding = false, max_line_size = {_LINE_BYTES}, buffer_size = {_BUFFER_BYTES}, "
        f"compression = '{compression}', columns = {{{types}}})"
        for compression, paths in groups.items()
    )


def _csv_header(path: Path) -> list[str]:
    with path.open("rb") as raw, _plain(raw) as file:
        line = file.readline(_HEADER_BYTES)
    return next(csv.reader(io.StringIO(line.decode("utf-8-sig").rstrip("\r\n"))), [])


def _json_sql(warehouse: Warehouse, extraction: Extraction, wires: Sequence[str]) -> str:
    # A page is one object around the array of its rows. DuckDB parses an array of its own an order of magnitude
    # faster than a list inside an object (measured: 40,000 rows of 25 columns in 0.25 s of CPU instead of 3 s).
    files = [_rows_file(Path(path), extraction.rows_key) for path in extraction.paths]
    size = max(file.stat().st_size for file in files) + 1024
    columns = ", ".join(f"{warehouse.literal(wire)}: 'VARCHAR'" for wire in wires)
    chosen = ", ".join(warehouse.quote(wire) for wire in wires)
    return (
        f"SELECT {chosen} FROM read_json({_list(warehouse, [str(file) for file in files])}, format = 'array', "
        f"maximum_object_size = {size}, compression = 'uncompressed', columns = {{{columns}}})"
    )


def _rows_file(path: Path, key: str) -> Path:
    """The array of a page's rows in a file beside it, its long numbers in quotes.

    DuckDB reads a JSON number with a point as a double, which holds 15 digits for sure; an amount of money can have 19.
    Inside a JSON text a quote mark is always escaped, so an unescaped one before a colon ends a key.
    Raises :class:`~backhaul.errors.IncompleteImport` when the page holds no such array.
    """
    with path.open("rb") as raw, _plain(raw) as file:
        try:
            content = file.read()
        except (OSError, EOFError) as error:
            raise IncompleteImport(f"a page cannot be unpacked: {error}") from error
    copy = path.with_name(f"rows-{path.name.removesuffix('.gz')}")
    copy.write_bytes(_LONG_NUMBER.sub(rb'\1"\2"', _rows_of(content, key)))
    return copy


def _rows_of(content: bytes, key: str) -> bytes:
    """The text of the array under `key` of the one object that `content` is, without parsing the rows."""
    opening = re.search(rb'"' + re.escape(key.encode()) + rb'"\s*:\s*(?=\[)', content)
    if opening and _is_json(content[: opening.end()] + b"[]}"):
        # What stands behind the array is short. Its end is a bracket behind which the object just closes; of several
        # the first one, as what stands behind may hold arrays too, and a bracket inside a row closes more than one.
        end, found = len(content), -1
        for _ in range(100):
            end = content.rfind(b"]", opening.end(), end)
            if end < 0:
                break
            if _is_json(b'{"rows":[]' + content[end + 1 :]):
                found = end
        if found >= 0:
            return content[opening.end() : found + 1]
    try:
        rows = json.loads(content)[key]
    except (ValueError, LookupError, TypeError) as error:
        raise IncompleteImport(f"a page is not the JSON object with {key!r} that was asked for") from error
    return json.dumps(rows, ensure_ascii=False).encode()


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _list(warehouse: Warehouse, paths: Sequence[str]) -> str:
    return "[" + ", ".join(warehouse.literal(path) for path in paths) + "]"


def _compression(path: str) -> str:
    with Path(path).open("rb") as file:
        return "gzip" if file.read(2) == _GZIP else "uncompressed"


def _plain(raw: BinaryIO) -> BinaryIO:
    zipped = raw.read(2) == _GZIP
    raw.seek(0)
    return gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[return-value]  # GzipFile reads like a BinaryIO
