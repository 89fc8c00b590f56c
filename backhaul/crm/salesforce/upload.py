"""The CSV side of Bulk API 2.0 ingest: files from changes, outcomes from result files (salesforce-api.md §7).

The header comes from the mapping of all rows, never from the first one. An empty cell leaves a field as it is, ``#N/A``
clears it; so a row that does not map a column of the file has an empty cell there, and the text "#N/A" itself cannot
travel this road.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, BinaryIO, cast

from backhaul.crm.salesforce.refusals import refused_row
from backhaul.crm.salesforce.values import NUMBERS, Unsendable, long_id, sendable
from backhaul.errors import CRMError
from backhaul.record import Change, Field, Kind, ObjectSchema, Operation, Outcome, Scalar, State

MOST_BYTES = 100_000_000
"""Bytes of one upload: 150 MB is the limit after the server's own encoding."""

LONGEST_CELL, LONGEST_ROW, LONGEST_HEADER = 131_072, 400_000, 32_000
CLEAR = "#N/A"
IN_MEMORY = 8 * 2**20

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that a CSV reader may take for a line end, or drop; JSON carries them escaped."""


class Unfit(ValueError):
    """A row that a CSV file cannot carry faithfully."""


def _temporary() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


@dataclass(slots=True)
class File:
    """One upload: the changes in it by the text of their key cell, and its bytes in a temporary file."""

    key_column: str
    columns: tuple[str, ...]
    changes: dict[str, Change] = field(default_factory=dict)
    size: int = 0
    body: IO[bytes] = field(default_factory=_temporary)

    def opened(self) -> BinaryIO:
        """The body from its beginning; one reader at a time."""
        self.body.seek(0)
        return cast(BinaryIO, _Sized(self.body, self.size))


class _Sized:
    """A body whose length is known, so that it is sent as one piece and not in chunks."""

    def __init__(self, body: IO[bytes], size: int) -> None:
        self._body = body
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._body.read(1 << 18), b"")

    def read(self, size: int = -1) -> bytes:
        return self._body.read(size)


class _Line:
    """Takes the one line that `csv.writer` writes."""

    text = ""

    def write(self, text: str) -> int:
        self.text = text
        return len(text)


def key_column(schema: ObjectSchema, operation: Operation, changes: Sequence[Change]) -> str | None:
    """The column by which results are matched: the id, the external id, or for a create a unique key that all have."""
    if operation in (Operation.UPDATE, Operation.DELETE):
        return schema.id_field
    if operation is Operation.UPSERT:
        names = {tuple(change.match) for change in changes}
        return next(iter(names))[0] if len(names) == 1 and len(next(iter(names))) == 1 else None
    for name, one in schema.fields.items():
        if one.external_id and one.unique and all(change.values.get(name) not in (None, "") for change in changes):
            return name
    return None


def columns_of(operation: Operation, key: str, changes: Sequence[Change]) -> tuple[str, ...]:
    """The header: the key, then every field that a row maps, in the order of their first use."""
    if operation is Operation.DELETE:
        return (key,)
    names = dict.fromkeys(name for change in changes for name in change.values if name.lower() != "id")
    names.pop(key, None)
    return (key, *names)


def files(
    schema: ObjectSchema, operation: Operation, key: str, changes: Sequence[Change], aside: list[Change]
) -> Iterator[File]:
    """Uploads below the size limit; rows that a CSV cannot carry, or whose key is another row's, go to `aside`."""
    columns = columns_of(operation, key, changes)
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(columns)
    header = line.text.encode()
    if len(header) > LONGEST_HEADER:
        aside.extend(changes)
        return
    seen: set[str] = set()
    current: File | None = None
    key_cell, *others = [_cell_of(schema.fields.get(name)) for name in columns]
    named = list(zip(columns[1:], others, strict=True))
    binaries = {name for name, one in schema.fields.items() if one.kind is Kind.BINARY}
    for change in changes:
        try:
            identity, given = _given(operation, key, change)
            if binaries and not binaries.isdisjoint(given):
                raise Unfit("a binary")
            cells = [key_cell(identity), *(of(given[name]) if name in given else "" for name, of in named)]
            if sum(map(len, cells)) > LONGEST_ROW:
                raise Unfit("too long")
        except (Unfit, Unsendable):
            aside.append(change)
            continue
        # Letters of one key in another case can be one key to Salesforce.
        name = cells[0] if key == schema.id_field else cells[0].strip().casefold()
        if name in seen:
            aside.append(change)
            continue
        seen.add(name)
        writer.writerow(cells)
        row = line.text.encode()
        if current is None or current.size + len(row) > MOST_BYTES:
            if current is not None:
                yield current
            current = File(key, columns)
            current.size = current.body.write(header)
        current.size += current.body.write(row)
        current.changes[cells[0]] = change
    if current is not None:
        yield current


def _given(operation: Operation, key: str, change: Change) -> tuple[Scalar, Mapping[str, Scalar]]:
    """What a change has in the key column, and its values. Raises Unfit where it has no key."""
    if operation in (Operation.UPDATE, Operation.DELETE):
        if not change.record_id:
            raise Unfit("no record id")
        return long_id(change.record_id), change.values if operation is Operation.UPDATE else {}
    given = {**change.values, **change.match} if change.match else change.values
    if given.get(key) in (None, ""):
        raise Unfit("no key")
    return given[key], given


def _cell_of(field: Field | None) -> Callable[[Scalar], str]:
    """What puts a field's values into cells: `cell(sendable(value, field))`, with short ways for text and decimals."""
    kind = field.kind if field else None
    as_it_is = kind not in (*NUMBERS, Kind.BOOLEAN)
    number = kind is None or kind in NUMBERS

    def of(value: Scalar) -> str:
        if as_it_is and type(value) is str:
            return cell(value)
        if number and type(value) is Decimal and value.is_finite():
            # All its digits, none of which says nothing.
            text = format(value, "f")
            if "." in text:
                text = text.rstrip("0").rstrip(".")
            return "0" if text == "-0" else text
        return cell(sendable(value, field))

    return of


def cell(value: Any) -> str:
    """A JSON value as the text of a cell. Raises Unfit for a text that would not arrive as it is."""
    if value is None or value == "":
        return CLEAR
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    text = str(value)
    if len(text) > LONGEST_CELL or ("#" in text and text.strip().upper() == CLEAR) or _UNFIT.search(text):
        raise Unfit("no CSV carries it")
    return text


def outcomes(operation: Operation, file: File, succeeded: str, failed: str) -> dict[str, Outcome]:
    """The outcomes that two result files hold, by change key. Raises CRMError when a file has no key column."""
    found: dict[str, Outcome] = {}
    always = {Operation.CREATE: True, Operation.UPDATE: False, Operation.DELETE: None}
    told, made = operation not in always, always.get(operation)
    for (record_id, created), change in _matched(file, succeeded, ("sf__Id", "sf__Created")):
        whether = created.lower() == "true" if told else made
        found[change.key] = Outcome(change.key, State.DONE, record_id or change.record_id, whether)
    for (error,), change in _matched(file, failed, ("sf__Error",)):
        found[change.key] = refused_row(change, operation, *row_error(error))
    return found


def unprocessed(file: File, text: str) -> set[str]:
    """The keys of the changes that the job never came to."""
    return {change.key for _, change in _matched(file, text, ())}


def _matched(file: File, text: str, wanted: Sequence[str]) -> Iterator[tuple[list[str], Change]]:
    """Cells of a result file with their change: by the key column's text, never by position.

    The cells are those of the columns `wanted`, empty where the file has no such column.
    """
    if not text.strip():
        return
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header = next(rows, [])
    by_name = {name.lower(): place for place, name in enumerate(header)}
    place = by_name.get(file.key_column.lower())
    if place is None:
        raise CRMError(
            f"a result file of a bulk job has no column {file.key_column}: {', '.join(header)}", symbol="NO_KEY_COLUMN"
        )
    by_id, width = file.key_column == "Id", len(header)
    chosen = [header.index(name) if name in header else None for name in wanted]
    for row in rows:
        if len(row) != width:
            continue
        change = file.changes.get(long_id(row[place]) if by_id else row[place])
        if change is not None:
            yield ["" if column is None else row[column] for column in chosen], change


def row_error(text: str) -> tuple[str, str, tuple[str, ...]]:
    """(symbol, message, fields) of ``CODE:message:fields --``, split at the first and the last colon."""
    symbol, _, rest = text.partition(":")
    message, colon, ending = rest.rpartition(":")
    if not colon:
        return symbol.strip() or "UNKNOWN", ending.removesuffix("--").strip(), ()
    names = ending.strip().removesuffix("--").strip()
    fields = tuple(name.strip() for name in names.split(",") if name.strip())
    return symbol.strip() or "UNKNOWN", message.strip(), fields
