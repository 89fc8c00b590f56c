"""The control door of a simulated org, under ``/_control``: for tests and demos, never for a connector.

Every org offers the methods of :class:`Org`; each request here is one of them, with JSON both ways:

=======  ============  =====================================================================  =====================
method   path          request                                                                answer
=======  ============  =====================================================================  =====================
POST     seed          ``{"object", "records": [...], "modified_at"?}``                       ``{"ids": [...]}``
POST     seed          ``{"object", "generate": N, "seed"?: S}``                              ``{"count": N}``
POST     change        ``{"object", "records": [...], "modified_at"?}`` (each names its id)   ``{"ids": [...]}``
POST     delete        ``{"object", "ids": [...], "purge"?: bool}``                           ``{"count": n}``
GET      dump          ``?object=X`` (deleted records too, in the order of their ids)         ``{"records": [...]}``
POST     fields        ``{"object", "fields": [...]}`` (makes the object when it is new)      ``{}``
POST     settings      ``{...}`` what the org documents                                       the settings in force
POST     reset         back to a new, empty org: no records, faults, requests, clock shift    ``{}``
POST     faults        one rule of :mod:`backhaul.simulator.faults`, or a list of them        ``{}``
DELETE   faults                                                                               ``{}``
GET      clock                                                                                ``{"now": iso}``
POST     clock         ``{"now": iso, "frozen"?: bool}`` or ``{"advance": seconds}``          ``{"now": iso}``
GET      requests                                                                             see ``RequestLog``
DELETE   requests      count from nothing again                                               ``{}``
POST     others        what the org's ``verbs`` offer besides, by their names                 their answers
=======  ============  =====================================================================  =====================

A mistake is answered with 400 and ``{"error": text}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from backhaul.simulator.clock import Clock
from backhaul.simulator.faults import CONTROL_PREFIX, App, Faults, RequestLog, Wire
from backhaul.simulator.store import Store

Record = Mapping[str, Any]


class Org(Protocol):
    """What the control door needs of a simulated org. Field values are JSON's, as the vendor's API spells them."""

    store: Store
    clock: Clock
    faults: Faults
    requests: RequestLog

    def seed(self, object: str, records: Sequence[Record], *, modified_at: datetime | None = None) -> list[str]:
        """Put records in as they are, without the checks of the API (ids, audit fields and stale formats may be
        given); gives their ids. `modified_at` is the stamp of all that do not name their own; default now."""

    def generate(self, object: str, count: int, *, seed: int = 1) -> int:
        """Put `count` realistic records in, the same for the same `seed`; gives `count`."""

    def change(self, object: str, records: Sequence[Record], *, modified_at: datetime | None = None) -> list[str]:
        """Change records as another user would: each names its id and the fields to set; the stamps move."""

    def delete(self, object: str, ids: Sequence[str], *, purge: bool = False) -> int:
        """Delete records as another user would; `purge` leaves nothing behind, not even in a recycle bin."""

    def dump(self, object: str) -> list[dict[str, Any]]:
        """Every record with every stored field, deleted ones included, ordered by id."""

    def add_fields(self, object: str, fields: Sequence[Record]) -> None:
        """Add fields to an object, which is made when there is none of that name."""

    def settings(self, changes: Record) -> dict[str, Any]:
        """Change settings of the org and give all of them."""

    def reset(self) -> None:
        """Become a new, empty org."""


def application(org: Org, routes: Sequence[BaseRoute]) -> App:
    """The whole ASGI application of `org`: its own `routes`, the control door, and around them the
    ``Date`` header, the request log and the faults."""
    inner = Starlette(routes=[*control_routes(org), *routes])
    return Wire(inner, clock=org.clock, faults=org.faults, requests=org.requests)


def control_routes(org: Org) -> list[BaseRoute]:
    """The routes of the control door of `org`."""

    def seed(body: Any, _: Request) -> Any:
        if "generate" in body:
            return {"count": org.generate(body["object"], int(body["generate"]), seed=int(body.get("seed", 1)))}
        return {"ids": org.seed(body["object"], body["records"], modified_at=_instant(body.get("modified_at")))}

    def change(body: Any, _: Request) -> Any:
        return {"ids": org.change(body["object"], body["records"], modified_at=_instant(body.get("modified_at")))}

    def delete(body: Any, _: Request) -> Any:
        return {"count": org.delete(body["object"], body["ids"], purge=bool(body.get("purge", False)))}

    def dump(_: Any, request: Request) -> Any:
        return {"records": org.dump(request.query_params["object"])}

    def fields(body: Any, _: Request) -> Any:
        return org.add_fields(body["object"], body["fields"])

    def settings(body: Any, _: Request) -> Any:
        return org.settings(body or {})

    def reset(_body: Any, _: Request) -> Any:
        org.reset()

    def faults(body: Any, request: Request) -> Any:
        if request.method == "DELETE":
            org.faults.clear()
            return
        for rule in body if isinstance(body, list) else [body]:
            org.faults.add(rule)

    def clock(body: Any, request: Request) -> Any:
        if request.method == "POST":
            if "advance" in body:
                org.clock.advance(float(body["advance"]))
            else:
                now = _instant(body["now"])
                org.clock.set(now or datetime.now(UTC), frozen=bool(body.get("frozen", False)))
        return {"now": org.clock.now().isoformat()}

    def requests(_: Any, request: Request) -> Any:
        if request.method == "DELETE":
            org.requests.clear()
            return None
        return org.requests.show()

    table: list[tuple[str, Callable[[Any, Request], Any], list[str]]] = [
        ("seed", seed, ["POST"]),
        ("change", change, ["POST"]),
        ("delete", delete, ["POST"]),
        ("dump", dump, ["GET"]),
        ("fields", fields, ["POST"]),
        ("settings", settings, ["GET", "POST"]),
        ("reset", reset, ["POST"]),
        ("faults", faults, ["POST", "DELETE"]),
        ("clock", clock, ["GET", "POST"]),
        ("requests", requests, ["GET", "DELETE"]),
    ]
    verbs: Mapping[str, Callable[[Any], Any]] = getattr(org, "verbs", {})
    table += [(name, _verb(verb), ["POST"]) for name, verb in verbs.items()]
    return [Route(f"{CONTROL_PREFIX}/{name}", _door(handler), methods=methods) for name, handler, methods in table]


def _verb(verb: Callable[[Any], Any]) -> Callable[[Any, Request], Any]:
    return lambda body, _: verb(body or {})


def _door(handler: Callable[[Any, Request], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            body = orjson.loads(raw) if raw else None
            answer = await run_in_threadpool(handler, body, request)
        except (KeyError, TypeError, ValueError) as error:
            text = f"missing {error}" if isinstance(error, KeyError) else str(error)
            return Response(json.dumps({"error": text}), 400, media_type="application/json")
        return Response(orjson.dumps(answer or {}), media_type="application/json")

    return endpoint


def _instant(text: str | None) -> datetime | None:
    """An ISO 8601 text as an aware instant; without an offset it is UTC."""
    if text is None:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
