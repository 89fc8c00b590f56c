"""The wire: HTTP in and out of one org. Which handler a path leads to, sign-in, limits, JSON and gzip.

Rests on salesforce-api.md §1 (conventions) and §10 (Sforce-Limit-Info). Doubled and trailing slashes are accepted.
"""

from __future__ import annotations

import gzip
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from backhaul.simulator.control import application
from backhaul.simulator.faults import App
from backhaul.simulator.salesforce import (
    bulk_classic,
    bulk_ingest,
    bulk_query,
    composite,
    oauth,
    query,
    records,
    soap,
    sobject_collections,
)
from backhaul.simulator.salesforce.errors import Refusal, not_found
from backhaul.simulator.salesforce.org import SalesforceOrg
from backhaul.simulator.salesforce.printing import pretty
from backhaul.simulator.salesforce.wire import Call, Reply, split_query

_log = logging.getLogger("backhaul.simulator")
Handler = Callable[..., Reply]
_ID = r"\w{15}(?:\w{3})?"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]
_LONGEST_URI = 16_384
_WORTH_PACKING = 1_000

_OPEN: list[tuple[str, str, Handler]] = [
    ("POST", r"/services/oauth2/token", oauth.token),
    ("GET", r"/services/oauth2/token", oauth.token),
    ("GET", r"/services/oauth2/userinfo", oauth.userinfo),
    ("POST", r"/services/oauth2/userinfo", oauth.userinfo),
    ("GET", r"/services/oauth2/authorize", oauth.authorize),
    ("POST", r"/services/Soap/([uc])/(\d+)(?:\.\d)?(?:/\w*)?", soap.call),
    ("POST", r"/services/oauth2/revoke", oauth.revoke),
    ("GET", r"/services/oauth2/revoke", oauth.revoke),
    ("GET", rf"/id/({_ID})/({_ID})", oauth.identity),
    ("GET", r"/services/data", records.versions),
]


def _query_all(call: Call) -> Reply:
    return query.query(call, all_rows=True)


# Paths below the API version's root; the first that matches is taken.
_DATA: list[tuple[str, str, Handler]] = [
    ("GET", "", records.version_root),
    ("GET", r"/sobjects", records.describe_global),
    ("GET", r"/sobjects/(\w+)", records.basic_information),
    ("POST", r"/sobjects/(\w+)", records.create),
    ("GET", r"/sobjects/(\w+)/describe", records.describe_object),
    ("GET", r"/sobjects/(\w+)/deleted", records.deleted),
    ("GET", r"/sobjects/(\w+)/updated", records.updated),
    ("POST", r"/sobjects/(\w+)/Id", records.insert_by_id),
    ("GET", r"/sobjects/(\w+)/([^/]+)", records.read),
    ("PATCH", r"/sobjects/(\w+)/([^/]+)", records.update),
    ("DELETE", r"/sobjects/(\w+)/([^/]+)", records.delete),
    ("GET", r"/sobjects/(\w+)/(\w+)/(.+)", records.read_by_key),
    ("PATCH", r"/sobjects/(\w+)/(\w+)/(.+)", records.upsert),
    ("DELETE", r"/sobjects/(\w+)/(\w+)/(.+)", records.delete_by_key),
    ("GET", r"/query", query.query),
    ("GET", r"/queryAll", _query_all),
    ("GET", r"/(?:query|queryAll)/([^/]+)", query.more),
    ("GET", r"/limits", records.limits),
    ("GET", r"/limits/recordCount", records.record_count),
    ("GET", r"/composite", composite.resources),
    ("POST", r"/composite", composite.composite),
    ("POST", r"/composite/graph", composite.graphs),
    ("POST", r"/composite/batch", composite.batch),
    ("POST", r"/composite/tree/(\w+)", composite.tree),
    ("POST", r"/composite/sobjects", sobject_collections.create),
    ("PATCH", r"/composite/sobjects", sobject_collections.update),
    ("DELETE", r"/composite/sobjects", sobject_collections.delete),
    ("GET", r"/composite/sobjects/(\w+)", sobject_collections.retrieve),
    ("POST", r"/composite/sobjects/(\w+)", sobject_collections.retrieve),
    ("PATCH", r"/composite/sobjects/(\w+)/(\w+)", sobject_collections.upsert),
    ("POST", r"/jobs/query", bulk_query.create),
    ("GET", r"/jobs/query", bulk_query.listing),
    ("GET", rf"/jobs/query/({_ID})", bulk_query.show),
    ("PATCH", rf"/jobs/query/({_ID})", bulk_query.abort),
    ("DELETE", rf"/jobs/query/({_ID})", bulk_query.delete),
    ("GET", rf"/jobs/query/({_ID})/results", bulk_query.results),
    ("GET", rf"/jobs/query/({_ID})/resultPages", bulk_query.result_pages),
    ("POST", r"/jobs/ingest", bulk_ingest.create),
    ("GET", r"/jobs/ingest", bulk_ingest.listing),
    ("GET", rf"/jobs/ingest/({_ID})", bulk_ingest.show),
    ("PATCH", rf"/jobs/ingest/({_ID})", bulk_ingest.change),
    ("DELETE", rf"/jobs/ingest/({_ID})", bulk_ingest.delete),
    ("PUT", rf"/jobs/ingest/({_ID})/batches", bulk_ingest.upload),
    ("GET", rf"/jobs/ingest/({_ID})/successfulResults", bulk_ingest.successful),
    ("GET", rf"/jobs/ingest/({_ID})/failedResults", bulk_ingest.failed),
    ("GET", rf"/jobs/ingest/({_ID})/(?i:unprocessedrecords)", bulk_ingest.unprocessed),
]
# Since which API version a part of the tree is there.
_SINCE = [
    (re.compile(r"/jobs/ingest(?:/|\Z)"), 41),
    (re.compile(r"/jobs/query(?:/|\Z)"), 47),
    (re.compile(r"/composite/sobjects(?:/|\Z)"), 42),
    (re.compile(r"/composite/graph\Z"), 50),
    (re.compile(r"/composite/(?:batch|tree)(?:/|\Z)"), 34),
    (re.compile(r"/composite\Z"), 38),
]
_OPEN_RULES = [(method, re.compile(pattern + r"\Z"), handler) for method, pattern, handler in _OPEN]
_DATA_RULES = [(method, re.compile(pattern + r"\Z"), handler) for method, pattern, handler in _DATA]
_CLASSIC = re.compile(r"/services/async/(\d+)\.0(/.*)\Z")
_VERSIONED = re.compile(r"/services/data/v(\d+)\.0(/.*)?\Z")


def create_app(org: SalesforceOrg) -> App:
    """The ASGI application of `org`: its API, its sign-in and its control door."""
    bulk_query.load_jobs(org)
    bulk_ingest.load_jobs(org)

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        reply, headers = await run_in_threadpool(_answer, org, request, body)
        return await run_in_threadpool(_render, request, reply, headers)

    # One route for all: clients double slashes, the first one too, and the rules below want none doubled.
    return application(org, [Route("/{rest:path}", endpoint, methods=_METHODS)])


def _answer(org: SalesforceOrg, request: Request, body: bytes) -> tuple[Reply, dict[str, str]]:
    """The reply to a request and the headers that every answer has."""
    headers: dict[str, str] = {}
    try:
        return _dispatch(_call(org, request, body), headers), headers
    except Refusal as refusal:
        if refusal.status == 401:
            headers["WWW-Authenticate"] = "Token"
        return Reply(refusal.status, [problem.top() for problem in refusal.problems]), headers
    except Exception:
        number = f"{secrets.randbelow(10**10):010}-{secrets.randbelow(10**5)}"
        _log.exception("the simulator failed at %s %s (ErrorId %s)", request.method, request.url.path, number)
        text = f"An unexpected error occurred. Please include this ErrorId if you contact support: {number}"
        return Reply(500, [{"message": text, "errorCode": "UNKNOWN_EXCEPTION"}]), headers


def _call(org: SalesforceOrg, request: Request, body: bytes) -> Call:
    raw = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    asked = request.scope["query_string"].decode("latin-1")
    if len(raw) + len(asked) > _LONGEST_URI:
        raise Refusal(414, "URI_TOO_LONG", f"The URI exceeds the limit of {_LONGEST_URI} bytes")
    lines = sum(len(name) + len(value) + len(": \r\n") for name, value in request.headers.raw)
    if len(raw) + len(asked) + lines > _LONGEST_URI:
        text = f"The URI and the header exceed the limit of {_LONGEST_URI} bytes"
        raise Refusal(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", text)
    path, given = split_query(f"{raw}?{asked}")
    method = "GET" if request.method == "HEAD" else request.method
    if method == "POST" and "_HttpMethod" in given:
        method = given["_HttpMethod"].upper()
    if request.headers.get("content-encoding", "").lower() == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError):
            raise Refusal(400, "JSON_PARSER_ERROR", "the body is not gzip") from None
    base = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return Call(org, method, path, given, request.headers, body, base)


def _dispatch(call: Call, headers: dict[str, str]) -> Reply:
    call.org.settle()
    found = _match(_OPEN_RULES, call.method, call.path)
    if found is not None:
        handler, groups = found
        return handler(call, *groups)
    if (classic := _CLASSIC.match(call.path)) is not None:
        call.org.count_call()
        return bulk_classic.call(call, classic[1], classic[2])
    versioned = _VERSIONED.match(call.path)
    if versioned is None:
        raise not_found()
    number = int(versioned[1])
    user = _signed_in(call)
    used, most = call.org.count_call()
    headers["Sforce-Limit-Info"] = f"api-usage={used}/{most}"
    if used > most:
        raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    if 1 <= number < records.OLDEST:
        raise Refusal(410, "UNSUPPORTED_API_VERSION", f"The API version v{number}.0 is retired")
    if not records.OLDEST <= number <= records.NEWEST:
        raise not_found()
    inside = versioned[2] or ""
    signed = replace(call, version=f"{number}.0", user=user, route=_route)
    return _route(signed, inside)


def _route(call: Call, inside: str) -> Reply:
    """The reply to a signed-in request; `inside` is its path below the API version's root."""
    if any(float(call.version) < since and path.match(inside) for path, since in _SINCE):
        raise not_found()
    found = _match(_DATA_RULES, call.method, inside)
    if found is None:
        allowed = sorted({method for method, pattern, _ in _DATA_RULES if pattern.match(inside)})
        if not allowed:
            raise not_found()
        text = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(allowed)}"
        raise Refusal(405, "METHOD_NOT_ALLOWED", text)
    handler, groups = found
    return handler(call, *groups)


def _match(
    rules: list[tuple[str, re.Pattern[str], Handler]], method: str, path: str
) -> tuple[Handler, tuple[str, ...]] | None:
    for wanted, pattern, handler in rules:
        shape = pattern.match(path) if wanted == method else None
        if shape:
            return handler, tuple(unquote(group) for group in shape.groups())
    return None


def _signed_in(call: Call) -> str:
    given = call.headers.get("authorization")
    if given is not None and not oauth.bearer(call.headers):
        raise Refusal(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")
    user = call.org.session_user(oauth.bearer(call.headers))
    if user is None:
        raise Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    return user


def _render(request: Request, reply: Reply, common: dict[str, str]) -> Response:
    headers = {**common, **reply.headers, "Vary": "Accept-Encoding"}
    packs = "gzip" in request.headers.get("accept-encoding", "").lower()
    if reply.gzip_file is not None:
        if packs:
            size = {"Content-Encoding": "gzip", "Content-Length": str(reply.gzip_file.stat().st_size)}
            chunks = _chunks(reply.gzip_file)
            return StreamingResponse(chunks, reply.status, {**headers, **size}, reply.content_type)
        return Response(
            gzip.decompress(reply.gzip_file.read_bytes()), reply.status, headers, media_type=reply.content_type
        )
    if reply.body is None:
        return Response(None, reply.status, headers)
    if request.method == "HEAD":
        return Response(None, reply.status, {**headers, "Content-Type": reply.content_type})
    content = _text(request, reply)
    if packs and len(content) > _WORTH_PACKING:
        content = gzip.compress(content, 1)
        headers["Content-Encoding"] = "gzip"
    response = Response(content, reply.status, headers)
    response.headers["content-type"] = reply.content_type
    return response


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def _text(request: Request, reply: Reply) -> bytes:
    body: Any = reply.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, str) and not reply.content_type.startswith("application/json"):
        return body.encode()
    if request.headers.get("x-prettyprint") == "1":
        return pretty(body).encode()
    return orjson.dumps(body)
