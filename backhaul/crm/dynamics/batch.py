"""The $batch envelope: requests into one multipart body, one multipart body into answers. Bytes only.

No change sets are made: each request stands alone, so that one refusal costs one row (dataverse-api.md §5.4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_PARTS = 1_000
"""Inner requests of one $batch at most (§5.4)."""

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})")
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)


class NotABatch(ValueError):
    """The reply is no multipart body, or one that breaks off."""


@dataclass(frozen=True, slots=True)
class Part:
    """One inner request. `url` is absolute or root-relative and percent-encoded; `body` is JSON, encoded."""

    content_id: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One inner reply; header names are lower case. `content_id` is None where the server did not repeat it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None = None

    def json(self) -> Any:
        """The body's JSON; None when it is empty or no JSON (a proxy's page)."""
        try:
            return json.loads(self.body) if self.body.strip() else None
        except ValueError:
            return None


def encode(parts: Sequence[Part], boundary: str) -> bytes:
    """The body of a $batch request, with CRLF throughout as the service demands."""
    lines: list[bytes] = []
    for part in parts:
        lines += [
            b"--" + boundary.encode(),
            b"Content-Type: application/http",
            b"Content-Transfer-Encoding: binary",
            b"Content-ID: " + part.content_id.encode(),
            b"",
            f"{part.method} {part.url} HTTP/1.1".encode(),
        ]
        lines += [f"{name}: {value}".encode() for name, value in part.headers.items()]
        if part.body is not None:
            lines.append(b"Content-Type: application/json; type=entry")
        # One empty line ends the inner headers; a request without a body needs another to end itself.
        lines += [b"", part.body if part.body is not None else b""]
    lines += [b"--" + boundary.encode() + b"--", b""]
    return b"\r\n".join(lines)


def decode(content_type: str, body: bytes) -> list[Answer]:
    """The inner replies in the order sent; those of a change set are lifted out of it. Raises NotABatch."""
    return list(_answers(content_type, body))


def _answers(content_type: str, body: bytes) -> Iterator[Answer]:
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/"):
        raise NotABatch(f"a multipart reply was expected, not '{content_type.split(';')[0] or 'no content type'}'")
    for section in _sections(body, (found[1] or found[2]).encode()):
        headers, rest = _headers(section)
        kind = headers.get("content-type", "")
        if kind.lower().startswith("multipart/"):
            yield from _answers(kind, rest)
            continue
        status = _STATUS.match(rest.lstrip())
        if status is None:
            raise NotABatch("a part of the reply has no status line")
        inner, content = _headers(_after_line(rest.lstrip()))
        yield Answer(
            int(status[1]), inner, content.strip(b"\r\n"), headers.get("content-id") or inner.get("content-id")
        )


def _sections(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """What stands between the delimiter lines; a missing closing delimiter means that the reply broke off."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    start: int | None = None
    position = 0
    while (mark := delimiter.search(body, position)) is not None:
        if start is not None:
            yield body[start : mark.start()]
        if mark[1]:
            return
        start = mark.end()
        # The line break that ends this delimiter may begin the next one, when the section between is empty.
        position = max(mark.end() - 1, mark.start() + 1)
    raise NotABatch("the multipart reply has no closing boundary")


def _headers(section: bytes) -> tuple[dict[str, str], bytes]:
    """The header lines of a section, and what follows the empty line that ends them."""
    headers: dict[str, str] = {}
    while section:
        end = section.find(b"\n")
        line = section if end < 0 else section[:end]
        section = b"" if end < 0 else section[end + 1 :]
        line = line.rstrip(b"\r")
        if not line:
            break
        name, _, value = line.decode("utf-8", "replace").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers, section


def _after_line(text: bytes) -> bytes:
    end = text.find(b"\n")
    return b"" if end < 0 else text[end + 1 :]
