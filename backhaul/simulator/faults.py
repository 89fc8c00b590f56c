"""Faults on demand: what a network and a busy vendor do to a client, set through the control door.

A rule is JSON::

    {"match": {"method": "POST", "path": "/composite/"},   # path: regular expression searched in path?query
     "skip": 2, "times": 1,                                 # let 2 matching requests pass, then act once (0 = always)
     "action": {...}}

and its action holds one or several of

===================  ==========================================================================================
``status``           answer this instead of handling; with ``headers`` and ``body`` (text, or JSON value)
``delay``            wait this many seconds first
``cut_after``        handle, then cut the connection after this many bytes of the body
``drop_reply``       handle (so that a write is committed), then cut the connection without a word
``cut_before``       cut the connection without handling
===================  ==========================================================================================
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect

from backhaul.simulator.clock import Clock

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL_PREFIX = "/_control"
_log = logging.getLogger("backhaul.simulator")
_ACTIONS = frozenset({"status", "headers", "body", "delay", "cut_after", "drop_reply", "cut_before"})
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_KEYED = re.compile(r"\([^)]*'[^)]*\)|\(\{id\}\)")
_SHORT_ID = re.compile(r"(?<=/)(?:[0-9A-Za-z]{15}|[0-9A-Za-z]{18})(?=/|$)")


class Faults:
    """The rules in force. Each request takes the first rule that matches and still has a turn."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[dict[str, Any]] = []

    def add(self, rule: Mapping[str, Any]) -> None:
        """Put a rule in force. Raises ValueError saying what is wrong with it."""
        action = rule.get("action")
        if not isinstance(action, Mapping) or not action or not set(action) <= _ACTIONS:
            raise ValueError(f"a fault needs an action made of {', '.join(sorted(_ACTIONS))}; found {action!r}")
        unknown = set(rule) - {"match", "skip", "times", "action"} | set(rule.get("match", {})) - {"method", "path"}
        if unknown:
            raise ValueError(
                f"unknown in a fault: {', '.join(sorted(unknown))}; known: match(method, path), skip, times"
            )
        match = rule.get("match", {})
        compiled = {
            "method": match.get("method", "").upper(),
            "path": re.compile(match.get("path", "")),
            "skip": int(rule.get("skip", 0)),
            "times": int(rule.get("times", 1)),
            "done": 0,
            "action": dict(action),
        }
        with self._lock:
            self._rules.append(compiled)

    def clear(self) -> None:
        """Take every rule out of force."""
        with self._lock:
            self._rules.clear()

    def take(self, method: str, target: str) -> dict[str, Any] | None:
        """The action for this request, None when it goes undisturbed."""
        with self._lock:
            for rule in self._rules:
                if rule["method"] not in ("", method) or not rule["path"].search(target):
                    continue
                if rule["skip"]:
                    rule["skip"] -= 1
                    continue
                if rule["times"] and rule["done"] >= rule["times"]:
                    continue
                rule["done"] += 1
                action: dict[str, Any] = rule["action"]
                return action
        return None


class RequestLog:
    """What was asked of the org: counts by method and path pattern, and the last requests one by one."""

    def __init__(self, keep: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._log: deque[dict[str, Any]] = deque(maxlen=keep)

    def note(self, entry: dict[str, Any]) -> None:
        """Keep one request: method, path, query, status (0 = cut off)."""
        path = _GUID.sub("{id}", entry["path"])
        path = _SHORT_ID.sub("{id}", _KEYED.sub("({key})", path))
        with self._lock:
            self._counts[f"{entry['method']} {path}"] += 1
            self._log.append(entry)

    def show(self) -> dict[str, Any]:
        """``{"total", "counts": {"GET /path": n}, "log": [{"method", "path", "query", "status", "at"}]}``."""
        with self._lock:
            return {"total": sum(self._counts.values()), "counts": dict(self._counts), "log": list(self._log)}

    def clear(self) -> None:
        """Start counting from nothing."""
        with self._lock:
            self._counts.clear()
            self._log.clear()


class Wire:
    """The outermost layer of an org's application: the ``Date`` header, the request log and the faults.

    Requests under ``/_control`` pass through untouched, so that a fault cannot lock the tests out.
    """

    def __init__(self, app: App, *, clock: Clock, faults: Faults, requests: RequestLog) -> None:
        self._app = app
        self._clock = clock
        self._faults = faults
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        query = unquote_plus(scope.get("query_string", b"").decode("latin-1"))
        control = path.startswith(CONTROL_PREFIX)
        action = None if control else self._faults.take(scope["method"], f"{path}?{query}" if query else path)
        status = 0

        async def dated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                date = self._clock.http_date().encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
            await send(message)

        try:
            if action is None:
                await self._app(scope, receive, dated)
            else:
                await self._disturbed(action, scope, receive, dated, send)
        except ClientDisconnect:
            pass  # it was killed while it sent: nobody is there to be told
        except Exception:
            _log.exception("the simulator failed at %s %s", scope["method"], path)
            raise
        finally:
            if not control:
                entry = {"method": scope["method"], "path": path, "query": query, "status": status}
                self._requests.note({**entry, "at": self._clock.now().isoformat()})

    async def _disturbed(self, action: dict[str, Any], scope: Scope, receive: Receive, dated: Send, raw: Send) -> None:
        if "delay" in action:
            await asyncio.sleep(float(action["delay"]))
        if action.get("cut_before"):
            _cut(raw)
        elif "status" in action:
            await _drain(receive)
            await _answer(action, dated)
        elif action.get("drop_reply"):
            await self._app(scope, receive, _swallow)
            _cut(raw)
        elif "cut_after" in action:
            await self._app(scope, receive, _Scissors(int(action["cut_after"]), dated, raw))
        else:
            await self._app(scope, receive, dated)


class _Scissors:
    """A `send` that lets so many bytes of the body through and then cuts the connection."""

    def __init__(self, left: int, send: Send, raw: Send) -> None:
        self._left = left
        self._send = send
        self._raw = raw

    async def __call__(self, message: Message) -> None:
        if self._left < 0:
            return
        if message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            if len(body) > self._left or not message.get("more_body", False):
                await self._send({"type": "http.response.body", "body": body[: self._left], "more_body": True})
                self._left = -1
                _cut(self._raw)
                return
            self._left -= len(body)
        await self._send(message)


async def _swallow(message: Message) -> None:
    """A `send` that nobody hears."""


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body", False):
        pass


async def _answer(action: Mapping[str, Any], send: Send) -> None:
    body = action.get("body", "")
    headers = {"content-type": "text/plain; charset=utf-8"}
    if not isinstance(body, str):
        body = json.dumps(body)
        headers["content-type"] = "application/json;charset=UTF-8"
    headers |= {str(name).lower(): str(value) for name, value in action.get("headers", {}).items()}
    payload = body.encode()
    headers.setdefault("content-length", str(len(payload)))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(action["status"]), "headers": encoded})
    await send({"type": "http.response.body", "body": payload})


def _cut(send: Send) -> None:
    """Close the connection under the request. uvicorn's `send` is a method of the object that owns the transport;
    ASGI itself has no word for it."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("this server cannot cut a connection")
    transport.close()
