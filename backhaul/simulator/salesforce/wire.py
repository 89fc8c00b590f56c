"""One request and its reply, as the handlers of this org see them: no HTTP library, no JSON text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from backhaul.simulator.salesforce.errors import Refusal, not_found
from backhaul.simulator.salesforce.schema import ObjectDef

if TYPE_CHECKING:
    from backhaul.simulator.salesforce.org import SalesforceOrg


def split_query(target: str) -> tuple[str, dict[str, str]]:
    """A path without doubled and trailing slashes, and its query."""
    path, _, asked = target.partition("?")
    return re.sub(r"/{2,}", "/", path).rstrip("/"), dict(parse_qsl(asked, keep_blank_values=True))


def multipart(body: bytes, media: str) -> dict[str, bytes]:
    """The parts of a multipart/form-data body by name; `media` is its Content-Type. Raises Refusal."""
    found = re.search(r'boundary="?([^";]+)"?', media)
    if found is None:
        raise Refusal(400, "INVALID_MULTIPART_REQUEST", "the boundary of the multipart request is missing")
    out = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            out[name[1].decode("utf-8", "replace")] = content
    return out


@dataclass(frozen=True, slots=True)
class Call:
    """A request under ``/services``: `path` without doubled or trailing slashes, header names in lower case.

    `base` is the address the client used (scheme, host, port), `version` the API version in the path ("67.0",
    empty when there is none), `user` the id of the signed-in user. `route` answers another request (the path below the
    API version's root apart) as the same user; it is there for requests made of several.
    """

    org: SalesforceOrg
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    version: str = ""
    user: str = ""
    route: Callable[[Call, str], Reply] | None = None

    def json(self) -> Any:
        """The body as JSON. Raises Refusal JSON_PARSER_ERROR, UNSUPPORTED_MEDIA_TYPE when it says it is none."""
        if self.media and "json" not in self.media:
            text = f"Content-Type header specified in HTTP request is not supported: {self.media}"
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", text)
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            message = f"Unexpected character or end of input at [line:{error.lineno}, column:{error.colno}]"
            raise Refusal(400, "JSON_PARSER_ERROR", message) from None

    @property
    def media(self) -> str:
        """The media type of the body, empty when the client names none."""
        return self.headers.get("content-type", "").strip().lower()

    def mapping(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refusal."""
        body = self.json()
        if not isinstance(body, dict):
            raise Refusal(400, "JSON_PARSER_ERROR", "The JSON body must be an object at [line:1, column:1]")
        return body

    def object(self, name: str) -> ObjectDef:
        """The object of this name. Raises Refusal NOT_FOUND."""
        found = self.org.objects.get(name.lower())
        if found is None:
            raise not_found()
        return found

    @property
    def root(self) -> str:
        """The path of this API version's root."""
        return f"/services/data/v{self.version}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: `body` is JSON data (anything), text of another `content_type`, or nothing (None).

    `gzip_file` is the body as a gzip file on disk, sent as it is to a client that takes gzip.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    gzip_file: Path | None = None
