"""The CSV files of Bulk API 2.0 ingest: what the service reads of them, what it refuses, and how it writes results.

Rests on salesforce-api.md §7 (CSV rules, results).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

DELIMITERS = {"COMMA": ",", "TAB": "\t", "PIPE": "|", "SEMICOLON": ";", "CARET": "^", "BACKQUOTE": "`"}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
_LONGEST_HEADER = 32_000
_LONGEST_CELL = 131_072
_LONGEST_RECORD = 400_000
_MOST_COLUMNS = 5_000
csv.field_size_limit(1 << 30)


class BadUpload(Exception):
    """The file as a whole cannot be processed; its text is the job's ``errorMessage``."""


class BadRow(str):
    """In place of a row's cells: why this row cannot be read."""

    __slots__ = ()


def read(content: bytes, delimiter: str, ending: str) -> tuple[list[str], list[list[str] | BadRow]]:
    """The header and the rows of a file; `delimiter` and `ending` are the job's words (COMMA, LF).

    Raises BadUpload for a header that cannot be read and for line ends other than the job's.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadUpload("ClientInputError : Input data is not in UTF-8") from None
    end = text.find("\n")
    first = text if end < 0 else text[: end + 1]
    crlf = first.endswith("\r\n")
    if (end >= 0 and crlf != (ending == "CRLF")) or (end < 0 and "\r" in text):
        raise BadUpload(
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {ending}"
        )
    sign = DELIMITERS[delimiter]
    rows: Iterable[list[str] | BadRow]
    if _beside_quotes(sign).search(text):
        rows = _careful(text, sign)
    else:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=sign)
    try:
        found = [row for row in rows if row or isinstance(row, BadRow)]
    except csv.Error as error:
        raise BadUpload(f"InvalidBatch : Failed to parse CSV: {error}") from None
    if not found or isinstance(found[0], BadRow):
        raise BadUpload("InvalidBatch : Failed to parse CSV header")
    header = found[0]
    if len(first) > _LONGEST_HEADER or len(header) > _MOST_COLUMNS:
        raise BadUpload("InvalidBatch : The header row is too long")
    if len({name.lower() for name in header}) != len(header):
        raise BadUpload("InvalidBatch : Duplicate column in the header row")
    return header, [_checked(row, len(header)) for row in found[1:]]


def write(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str, ending: str) -> bytes:
    """A result file in the job's delimiter and line ending, every cell quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=DELIMITERS[delimiter], quoting=csv.QUOTE_ALL, lineterminator=ENDINGS[ending])
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _checked(row: list[str] | BadRow, width: int) -> list[str] | BadRow:
    if isinstance(row, BadRow):
        return row
    if len(row) != width:
        return BadRow(f"The number of columns of the row ({len(row)}) is not that of the header ({width})")
    size = sum(map(len, row))
    if size > _LONGEST_RECORD:
        return BadRow(f"The record has more than {_LONGEST_RECORD} characters")
    if size > _LONGEST_CELL and max(map(len, row)) > _LONGEST_CELL:
        return BadRow(f"A field has more than {_LONGEST_CELL} characters")
    return row


def _beside_quotes(sign: str) -> re.Pattern[str]:
    """Finds a blank between a quote and the edge of its cell (or, needlessly, text that looks like it)."""
    edge = re.escape(sign)
    return re.compile(rf'"[ \t]+(?={edge}|[\r\n]|\Z)|(?:\A|{edge}|\n)[ \t]+"' if sign != "\t" else r'" +(?=[\t\r\n])')


def _careful(text: str, sign: str) -> Iterator[list[str] | BadRow]:
    """The records one character class at a time: a blank between a quote and the edge of a cell spoils its row."""
    cell = re.compile(
        rf'(?P<pad>[ \t]*)"(?P<quoted>(?:[^"]|"")*)"(?P<rest>[^{re.escape(sign)}\r\n]*)|[^{re.escape(sign)}\r\n]*'
    )
    place, row, spoilt = 0, [], ""
    while place < len(text):
        found = cell.match(text, place)
        assert found is not None  # the pattern matches the empty text too
        if found["quoted"] is not None:
            pad = found["pad"] if sign != "\t" else found["pad"].replace("\t", "")
            if pad or found["rest"]:
                spoilt = "Invalid CSV: text or blanks outside the quotes of a cell"
            row.append(found["quoted"].replace('""', '"'))
        else:
            row.append(found[0])
        place = found.end()
        if text.startswith(sign, place):
            place += 1
            if place < len(text):
                continue
            row.append("")
        place += 2 if text.startswith("\r\n", place) else 1
        if spoilt or row != [""]:
            yield BadRow(spoilt) if spoilt else row
        row, spoilt = [], ""
