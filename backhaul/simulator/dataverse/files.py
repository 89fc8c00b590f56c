"""File columns: bytes in one request or in chunks, and their way back (dataverse-api.md §2.3, §9.1)."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import quote as percent
from urllib.parse import unquote

from .edm import Attribute, Table
from .errors import DataverseError, bad_query
from .wire import Reply, Request
from .writes import Writer

if TYPE_CHECKING:
    from .org import DataverseOrg

TABLE = "_files"
COLUMNS = {"id": "VARCHAR", "name": "VARCHAR", "content": "BLOB"}
CHUNK = 4 * 1024 * 1024
LARGEST = 128 * 1024 * 1024
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def upload(writer: Writer, table: Table, record_id: str, attribute: Attribute, request: Request) -> Reply:
    """Answer ``PATCH contacts(id)/column``: a whole file, the beginning of a session, or one of its chunks."""
    org, session = writer.org, request.options.get("sessiontoken")
    name = unquote(request.headers.get("x-ms-file-name", "")) or request.options.get("x-ms-file-name", "")
    if session is not None:
        return _chunk(writer, table, record_id, attribute, request)
    if not name:
        raise bad_query("The header x-ms-file-name is required.")
    if request.headers.get("x-ms-transfer-mode", "").lower() == "chunked":
        token = str(uuid.uuid4())
        org.uploads[token] = (name, bytearray())
        headers = {"Location": f"{request.base}{request.path}?sessiontoken={token}", "x-ms-chunk-size": str(CHUNK)}
        return Reply(200, headers | {"Accept-Ranges": "bytes"})
    _keep(writer, table, record_id, attribute, (name, request.body))
    return Reply(204)


def _chunk(writer: Writer, table: Table, record_id: str, attribute: Attribute, request: Request) -> Reply:
    found = writer.org.uploads.get(request.options["sessiontoken"])
    match = _RANGE.fullmatch(request.headers.get("content-range", ""))
    if found is None or match is None:
        raise bad_query("The upload session or the header Content-Range is not valid.")
    first, last, total = (int(one) for one in match.groups())
    name, content = found
    if first != len(content) or last - first + 1 != len(request.body):
        raise bad_query(f"The chunk does not continue the upload, which holds {len(content)} bytes.")
    content += request.body
    if len(content) < total:
        return Reply(206, {"x-ms-chunk-size": str(CHUNK)})
    del writer.org.uploads[request.options["sessiontoken"]]
    _keep(writer, table, record_id, attribute, (name, bytes(content)))
    return Reply(204)


def _keep(writer: Writer, table: Table, record_id: str, attribute: Attribute, file: tuple[str, bytes]) -> None:
    if len(file[1]) > LARGEST:
        raise DataverseError(413, "0x80044a02", "The file is larger than the column allows.")
    file_id = str(uuid.uuid4())
    writer.org.store.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?)", [file_id, *file])
    writer.put(table, record_id, {attribute.name: file_id, f"{attribute.name}_name": file[0]})


def remove(writer: Writer, table: Table, record_id: str, attribute: Attribute) -> Reply:
    """Answer ``DELETE contacts(id)/column``."""
    writer.put(table, record_id, {attribute.name: None, f"{attribute.name}_name": None})
    return Reply(204)


def download(org: DataverseOrg, file_id: str | None, request: Request) -> Reply:
    """Answer ``GET contacts(id)/column/$value``, the whole file or a range of it. Raises 404 when there is none."""
    sql = f"SELECT name, content FROM {TABLE} WHERE id = ?"
    found = org.store.query(sql, [file_id]) if file_id else []
    if not found:
        raise DataverseError(404, "0x80040217", "No file attachment found for attribute.")
    name, content = str(found[0][0]), bytes(found[0][1])
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{percent(name)}",
        "x-ms-file-name": percent(name),
        "x-ms-file-size": str(len(content)),
        "Accept-Ranges": "bytes",
    }
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if wanted is None:
        return Reply(200, headers, content)
    first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Reply(206, headers, content[first : last + 1])
