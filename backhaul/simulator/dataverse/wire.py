"""Requests and replies as the Web API sees them, apart from any server: URLs, preferences, headers (§0, §3.1).

The server hands in a :class:`Request`; ``$batch`` makes more of them; :mod:`.service` answers each with a
:class:`Reply`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import orjson

from .errors import DataverseError, bad_query

JSON = "application/json; odata.metadata=minimal"
LONGEST_URL = 32_768
LONGEST_BATCHED_URL = 65_536
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
_VERSION = re.compile(r"/api/data/v9\.[0-2](?=/|$)")


@dataclass(slots=True)
class Reply:
    """An answer: status, headers, body as bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """Give an answer with a JSON body; bytes are taken as JSON already."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return cls(status, {"Content-Type": JSON, **(headers or {})}, body)

    @classmethod
    def refusal(cls, error: DataverseError, *, annotated: bool = False) -> Reply:
        """Give the OData error body of a refusal (§7.1), with its annotations when the client asked for them."""
        # A message may repeat what was sent, which need not be text that can be written.
        message = error.message.encode("utf-8", "replace").decode()
        if error.plain:
            headers = {"Content-Type": "text/plain; charset=utf-8", **error.headers}
            return cls(error.status, headers, message.encode())
        content: dict[str, Any] = {"code": error.code, "message": message}
        if annotated:
            content |= {
                "@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus": "0",
                "@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode": "-2146233088",
                **error.details,
            }
            content["@Microsoft.PowerApps.CDS.HelpLink"] = (
                f"http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{error.code[2:]}"
            )
            content["@Microsoft.PowerApps.CDS.TraceText"] = ""
            content["@Microsoft.PowerApps.CDS.InnerError.Message"] = message
        return cls.json({"error": content}, error.status, error.headers)


@dataclass(frozen=True)
class Segment:
    """One step of a resource path: ``contacts``, ``contacts(...)``; `key` is the text inside the parentheses."""

    name: str
    key: str | None = None


@dataclass
class Request:
    """One call of the Web API. `path` is still percent-encoded and begins at the service root's end."""

    method: str
    base: str  # https://host/api/data/v9.2/
    path: str
    query: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes = b""
    user_id: str = ""  # who acts
    on_behalf_of: str = ""  # who really calls, when somebody is impersonated
    batched: bool = False

    @cached_property
    def segments(self) -> list[Segment]:
        """The steps of the resource path, decoded."""
        return [_segment(part) for part in _split_path(self.path)]

    @cached_property
    def options(self) -> dict[str, str]:
        """The query options, decoded; names are case-sensitive (§3.1). Raises DataverseError when one comes twice."""
        return parse_query(self.query)

    @property
    def aliases(self) -> dict[str, str]:
        """The parameter aliases: ``@p1`` -> its text."""
        return {name: value for name, value in self.options.items() if name.startswith("@")}

    @cached_property
    def preferences(self) -> dict[str, str]:
        """The Prefer header: lower-case name -> value without quotes (§0)."""
        found: dict[str, str] = {}
        for part in re.findall(r'(?:[^,"]|"[^"]*")+', self.headers.get("prefer", "")):
            name, _, value = part.strip().partition("=")
            found[name.strip().lower()] = value.strip().strip('"')
        return found

    def wants(self, annotation: str) -> bool:
        """Say whether an annotation was asked for: ``*``, a list, wildcards, ``-`` to exclude (§2.4)."""
        asked = [part.strip() for part in self.preferences.get("odata.include-annotations", "").split(",")]
        if any(part.startswith("-") and fnmatchcase(annotation, part[1:]) for part in asked):
            return False
        return any(part and fnmatchcase(annotation, part) for part in asked)

    @property
    def annotated(self) -> bool:
        """Whether every annotation is asked for, those of errors too."""
        return self.wants("Microsoft.PowerApps.CDS.ErrorDetails")

    @property
    def page_rows(self) -> int | None:
        """The page size asked for by ``odata.maxpagesize``, at most 5,000; None when not asked (§3.4)."""
        asked = self.preferences.get("odata.maxpagesize", self.preferences.get("maxpagesize", ""))
        return min(int(asked), 5000) if asked.isdigit() and int(asked) > 0 else None

    def header(self, name: str) -> str | None:
        """Give a header, None when absent, empty, or the literal word null (§0)."""
        value = self.headers.get(name, "").strip()
        return None if value in ("", "null") else value

    def applied(self) -> dict[str, str]:
        """Give the Preference-Applied header for what a retrieval honours."""
        found: list[str] = []
        if self.page_rows is not None:
            found.append(f"odata.maxpagesize={self.page_rows}")
        if "odata.include-annotations" in self.preferences:
            found.append(f'odata.include-annotations="{self.preferences["odata.include-annotations"]}"')
        return {"Preference-Applied": ",".join(found)} if found else {}


def parse_query(query: str) -> dict[str, str]:
    """Read a query string: ``+`` and ``%20`` are spaces, raw spaces stand, ``%24select`` is ``$select`` (§9.4)."""
    found: dict[str, str] = {}
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        name = unquote(name.replace("+", " ")).strip()
        if name in found:
            raise bad_query(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
        found[name] = unquote(value.replace("+", " "))
    return found


def resource_path(path: str) -> tuple[str, str] | None:
    """Cut a raw URL path at the service root: (root, rest); None when it is not the Web API's."""
    match = _VERSION.match(path)
    if match is None:
        return None
    return path[: match.end()] + "/", path[match.end() :].lstrip("/")


def instant(value: datetime) -> str:
    """Give a stored instant as the service writes it: whole seconds and ``Z``."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _split_path(path: str) -> list[str]:
    """Split at the slashes that stand outside quotes and parentheses."""
    parts, depth, quoted, start = [], 0, False, 0
    text = path.replace("%27", "'").replace("%28", "(").replace("%29", ")")
    for position, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == "/" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [unquote(part) for part in parts if part]


def _segment(part: str) -> Segment:
    name, mark, rest = part.partition("(")
    if not mark:
        return Segment(part.strip())
    if not rest.endswith(")"):
        raise bad_query(f"Bad Request - Error in query syntax: '{part}'.")
    return Segment(name.strip(), rest[:-1])
