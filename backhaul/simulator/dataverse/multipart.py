"""multipart/mixed as ``$batch`` uses it: reading the request's parts, writing the reply's (dataverse-api.md §5.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from .errors import DataverseError

_CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart body: lower-case headers and the bytes after them."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class InnerRequest:
    """The HTTP request that a part holds."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None


def malformed(reason: str) -> DataverseError:
    """Give the refusal of a batch body that is no batch."""
    return DataverseError(400, "0x80048d19", f"Error identified in Payload provided by the user: {reason}")


def boundary_of(content_type: str) -> str | None:
    """Give the boundary parameter of a Content-Type, quoted or not; None when it is no multipart/mixed."""
    if not content_type.lower().lstrip().startswith("multipart/mixed"):
        return None
    match = re.search(r'boundary\s*=\s*(?:"([^"]+)"|([^\s;,]+))', content_type, re.IGNORECASE)
    return (match[1] or match[2]) if match else None


def split(body: bytes, boundary: str) -> list[Part]:
    """Read the parts of a multipart body, lines ended by CRLF or by LF alone. Raises DataverseError 400."""
    mark = re.escape(b"--" + boundary.encode())
    pieces = re.split(
        rb"(?:\A|\r?\n)" + mark + rb"(--)?[ \t]*(?=\r?\n|\Z)", b"\n" + body if body[:2] != b"--" else body
    )
    # pieces: preamble, closing?, part, closing?, part, ...
    if len(pieces) < 3:
        raise malformed("The batch has no part with the boundary that its Content-Type names.")
    found: list[Part] = []
    for closing, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if closing:
            return found
        found.append(Part(*_headed(re.sub(rb"\A\r?\n", b"", piece))))
    raise malformed("The batch ends without its closing boundary.")


def inner_request(part: Part) -> InnerRequest:
    """Read the request inside an ``application/http`` part; its URL may hold raw spaces (§9.1)."""
    if not part.headers.get("content-type", "").lower().startswith("application/http"):
        raise malformed("A part of the batch must have the Content-Type application/http.")
    line, rest = _line(part.body.lstrip(b"\r\n"))
    words = line.decode("utf-8", "replace").split(" ")
    if len(words) < 3 or not words[-1].startswith("HTTP/") or not words[0].isalpha():
        raise malformed(f"Invalid request line '{line.decode('utf-8', 'replace')}' in the batch.")
    headers, body = _headed(rest)
    length = headers.get("content-length", "")
    if length.isdigit():
        body = body[: int(length)]
    content_id = part.headers.get("content-id") or headers.get("content-id")
    return InnerRequest(words[0].upper(), " ".join(words[1:-1]).strip(), headers, body.strip(), content_id)


def join(parts: Sequence[bytes], boundary: str) -> bytes:
    """Write whole parts (headers included) between boundaries."""
    mark = b"--" + boundary.encode()
    return b"".join(mark + _CRLF + part + _CRLF for part in parts) + mark + b"--" + _CRLF


def nested(parts: Sequence[bytes], boundary: str) -> bytes:
    """Write a change set's parts as one part of the outer body."""
    head = f"Content-Type: multipart/mixed; boundary={boundary}".encode()
    return head + _CRLF * 2 + join(parts, boundary)[: -len(_CRLF)]


def response_part(status: int, headers: Mapping[str, str], body: bytes, content_id: str | None) -> bytes:
    """Write one response as a part: MIME headers, status line with its reason, headers, body."""
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id is not None:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["", ""]
    return "\r\n".join(lines).encode() + body + (b"" if body else _CRLF)


def _line(content: bytes) -> tuple[bytes, bytes]:
    line, _, rest = content.partition(b"\n")
    return line.rstrip(b"\r"), rest


def _headed(content: bytes) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    while content:
        line, content = _line(content)
        if not line.strip():
            break
        name, mark, value = line.decode("utf-8", "replace").partition(":")
        if not mark:
            raise malformed(f"Invalid header line '{name}' in the batch.")
        headers[name.strip().lower()] = value.strip()
    return headers, content
