"""Several requests in one: composite, graphs, batches, and trees of new records. Rests on salesforce-api.md §6.5.

A part is answered by the same handlers as a request of its own; the whole counts as one API call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from backhaul.simulator.salesforce.drafts import Options, Result
from backhaul.simulator.salesforce.errors import Problem, Refusal
from backhaul.simulator.salesforce.schema import FieldDef, ObjectDef
from backhaul.simulator.salesforce.wire import Call, Reply, split_query
from backhaul.simulator.salesforce.writes import Undone, Writer

_MOST_PARTS = 25
_MOST_QUERIES = 5
_MOST_GRAPHS = 75
_MOST_NODES = 500
_MOST_FAILED_GRAPHS = 14
_MOST_NODE_KINDS = 15
_MOST_DEPTH = 15
_MOST_TREE_KINDS = 5
_MOST_TREE = 200
_MOST_LEVELS = 5
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_PATH = re.compile(r"/services/data/v(\d+)\.0(/.*)\Z")
_QUERIES = re.compile(r"/(?:query|queryAll|composite/sobjects)(?:/|\Z)")
_NESTED = re.compile(r"/composite(?!/sobjects)|/jobs")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."


def composite(call: Call) -> Reply:
    """``POST composite``: parts in turn, later ones may use what earlier ones answered."""
    body = call.mapping()
    parts = _parts(body.get("compositeRequest"), _MOST_PARTS)
    asking = sum(_QUERIES.match(_inside(str(part.get("url", "")))) is not None for part in parts)
    if asking > _MOST_QUERIES:
        text = f"Cannot have more than {_MOST_QUERIES} query or sObject Collections operations in a composite request"
        raise Refusal(400, "LIMIT_EXCEEDED", text)
    answers, _ = _in_turn(call, parts, strict=bool(body.get("allOrNone", False)))
    return Reply(200, {"compositeResponse": answers})


def graphs(call: Call) -> Reply:
    """``POST composite/graph``: each graph whole or not at all."""
    given = call.mapping().get("graphs")
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise Refusal(400, "JSON_PARSER_ERROR", "graphs must be an array of objects at [line:1, column:1]")
    if len(given) > _MOST_GRAPHS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A payload may hold {_MOST_GRAPHS} graphs")
    listed = [_parts(one.get("compositeRequest"), _MOST_NODES) for one in given]
    if sum(map(len, listed)) > _MOST_NODES:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A payload may hold {_MOST_NODES} nodes")
    for parts in listed:
        _check_graph(parts)
    out, failed = [], 0
    for one, parts in zip(given, listed, strict=True):
        if failed >= _MOST_FAILED_GRAPHS:
            answers, good = [_halted(part) for part in parts], False
        else:
            answers, good = _in_turn(call, parts, strict=True)
        failed += not good
        response = {"compositeResponse": answers}
        out.append({"graphId": one.get("graphId"), "graphResponse": response, "isSuccessful": good})
    return Reply(200, {"graphs": out})


def _check_graph(parts: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a graph of too many kinds of nodes (object and method), or whose references form too long a chain."""
    kinds = set()
    depths: dict[str, int] = {}
    for part in parts:
        shape = re.match(r"/sobjects/(\w+)", _inside(str(part.get("url", ""))))
        kinds.add((str(part.get("method")).upper(), shape[1].lower() if shape else ""))
        sent = orjson.dumps([part.get("url"), part.get("body")]).decode()
        before = [depths.get(found[1], 0) for found in _REFERENCE.finditer(sent)]
        depths[str(part["referenceId"])] = 1 + max(before, default=0)
    if len(kinds) > _MOST_NODE_KINDS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A graph may hold {_MOST_NODE_KINDS} different kinds of nodes")
    if max(depths.values()) > _MOST_DEPTH:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A graph may be {_MOST_DEPTH} nodes deep")


def resources(call: Call) -> Reply:
    """``GET composite``: what can be asked below it."""
    names = ("tree", "batch", "sobjects", "graph")
    return Reply(200, {name: f"{call.root}/composite/{name}" for name in names})


def batch(call: Call) -> Reply:
    """``POST composite/batch``: parts that have nothing to do with each other."""
    body = call.mapping()
    parts = body.get("batchRequests")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, Mapping) for part in parts):
        raise Refusal(400, "JSON_PARSER_ERROR", "batchRequests must be an array of objects at [line:1, column:1]")
    if len(parts) > _MOST_PARTS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A batch may hold {_MOST_PARTS} requests")
    results: list[dict[str, Any]] = []
    bad = False
    for part in parts:
        if bad and body.get("haltOnError"):
            text = "Batch processing halted per user request due to an error in a prior subrequest"
            results.append({"statusCode": 412, "result": [Problem("BATCH_PROCESSING_HALTED", text).top()]})
            continue
        url = str(part.get("url", "")).lstrip("/").removeprefix("services/data/")
        reply = _answer(call, str(part.get("method", "")), f"/services/data/{url}", part.get("richInput"), {})
        bad = bad or reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
    return Reply(200, {"hasErrors": bad, "results": results})


def _parts(given: Any, most: int) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given or not all(isinstance(part, dict) for part in given):
        raise Refusal(400, "JSON_PARSER_ERROR", "compositeRequest must be an array of objects at [line:1, column:1]")
    if len(given) > most:
        raise Refusal(400, "LIMIT_EXCEEDED", f"Cannot have more than {most} operations in a composite request")
    names = [part.get("referenceId") for part in given]
    if None in names or len(set(names)) != len(names):
        raise Refusal(400, "INVALID_INPUT", "Each operation needs a referenceId of its own")
    return given


def _in_turn(call: Call, parts: Sequence[Mapping[str, Any]], *, strict: bool) -> tuple[list[dict[str, Any]], bool]:
    """The answers of the parts, and whether all went well; with `strict` nothing stays written when one did not."""
    answers: list[dict[str, Any]] = []
    if not strict:
        _each(call, parts, answers, strict=False)
        return answers, all(one["httpStatusCode"] < 400 for one in answers)
    try:
        with call.org.store.transaction():
            _each(call, parts, answers, strict=True)
            if answers[-1]["httpStatusCode"] >= 400:
                raise Undone
    except Undone:
        culprit = answers[-1]
        return [culprit if part["referenceId"] == culprit["referenceId"] else _halted(part) for part in parts], False
    return answers, True


def _each(call: Call, parts: Sequence[Mapping[str, Any]], answers: list[dict[str, Any]], *, strict: bool) -> None:
    known: dict[str, Any] = {}
    for part in parts:
        try:
            url, body = _filled(str(part.get("url", "")), known), _filled(part.get("body"), known)
        except LookupError as error:
            text = f"Invalid reference specified. No value for {error.args[0]} found"
            answers.append(_shaped(part, Reply(400, [Problem("PROCESSING_HALTED", text).top()])))
        else:
            given = part.get("httpHeaders")
            headers = given if isinstance(given, Mapping) else {}
            reply = _answer(call, str(part.get("method", "")), url, body, headers)
            answers.append(_shaped(part, reply))
            if reply.status < 400:
                known[str(part["referenceId"])] = reply.body
        if strict and answers[-1]["httpStatusCode"] >= 400:
            return


def _answer(call: Call, method: str, url: str, body: Any, headers: Mapping[str, Any]) -> Reply:
    path, query = split_query(url)
    shape = _PATH.match(path)
    if call.route is None or shape is None or _NESTED.match(shape[2]):
        problem = Problem("INVALID_INPUT", f"The url {url} cannot be part of a composite request")
        return Reply(400, [problem.top()])
    sent = orjson.dumps(body) if body is not None else b""
    folded = {**call.headers, **{str(name).lower(): str(value) for name, value in headers.items()}}
    version = f"{shape[1]}.0"
    part = Call(call.org, method.upper(), path, query, folded, sent, call.base, version, call.user, call.route)
    try:
        return call.route(part, shape[2])
    except Refusal as refusal:
        return Reply(refusal.status, [problem.top() for problem in refusal.problems])


def _shaped(part: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    headers = {name: value for name, value in reply.headers.items() if name in ("Location", "ETag", "Last-Modified")}
    return {
        "body": reply.body,
        "httpHeaders": headers,
        "httpStatusCode": reply.status,
        "referenceId": part.get("referenceId"),
    }


def _halted(part: Mapping[str, Any]) -> dict[str, Any]:
    return _shaped(part, Reply(400, [Problem("PROCESSING_HALTED", _HALTED).top()]))


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """`value` with every ``@{reference.path}`` replaced. Raises LookupError naming one that leads nowhere."""
    if isinstance(value, list):
        return [_filled(one, known) for one in value]
    if isinstance(value, Mapping):
        return {name: _filled(one, known) for name, one in value.items()}
    if not isinstance(value, str):
        return value

    def found(place: re.Match[str]) -> str:
        here: Any = known.get(place[1])
        for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", place[2]):
            try:
                here = here[name] if name else here[int(number)]
            except (LookupError, TypeError):
                raise LookupError(place[0][2:-1]) from None
        if here is None:
            raise LookupError(place[0][2:-1])
        return str(here)

    return _REFERENCE.sub(found, value)


def _inside(url: str) -> str:
    shape = _PATH.match(url.partition("?")[0])
    return shape[2] if shape else ""


# --- trees ----------------------------------------------------------------------------------------------------


def tree(call: Call, name: str) -> Reply:
    """``POST composite/tree/X``: new records with their children, all or nothing."""
    kind = call.object(name)
    records = call.mapping().get("records")
    if not isinstance(records, list) or not records:
        raise Refusal(400, "JSON_PARSER_ERROR", "records must be an array of objects at [line:1, column:1]")
    kinds: set[str] = set()
    names = _references(records, 1, kinds)
    if len(kinds) > _MOST_TREE_KINDS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A tree may hold records of {_MOST_TREE_KINDS} types")
    if len(names) > _MOST_TREE:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A tree may hold {_MOST_TREE} records")
    if len(set(names)) != len(names):
        raise Refusal(400, "INVALID_INPUT", "Duplicate ReferenceId provided in the request")
    done: list[tuple[str, Result]] = []
    try:
        with call.org.store.transaction():
            _plant(call, kind, records, None, done)
            if any(result.problems for _, result in done):
                raise Undone
    except Undone:
        wrong = [
            {"referenceId": name, "errors": [problem.item() for problem in result.problems]}
            for name, result in done
            if result.problems
        ]
        return Reply(400, {"hasErrors": True, "results": wrong})
    results = [{"referenceId": name, "id": result.id} for name, result in done]
    return Reply(201, {"hasErrors": False, "results": results})


def _references(records: Sequence[Any], level: int, kinds: set[str]) -> list[str]:
    """The reference ids of all records, whose types are added to `kinds`. Raises Refusal where one is missing or the
    tree is too deep."""
    if level > _MOST_LEVELS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"A tree may be {_MOST_LEVELS} levels deep")
    out: list[str] = []
    for record in records:
        attributes = record.get("attributes") if isinstance(record, Mapping) else None
        if not isinstance(attributes, Mapping) or not attributes.get("type") or not attributes.get("referenceId"):
            raise Refusal(400, "INVALID_INPUT", "Include a type and a referenceId in the attributes of each record")
        kinds.add(str(attributes["type"]).lower())
        out.append(str(attributes["referenceId"]))
        for value in record.values():
            if isinstance(value, Mapping) and isinstance(value.get("records"), list):
                out += _references(value["records"], level + 1, kinds)
    return out


def _plant(
    call: Call,
    kind: ObjectDef,
    records: Sequence[Mapping[str, Any]],
    parent: tuple[FieldDef, str] | None,
    done: list[tuple[str, Result]],
) -> None:
    writer = Writer(call.org, kind, call.user, options=Options.of(call.headers))
    for record in records:
        nested = {name: one for name, one in record.items() if isinstance(one, Mapping) and "records" in one}
        body = {name: one for name, one in record.items() if name not in nested}
        if parent is not None:
            body[parent[0].name] = parent[1]
        (result,) = writer.create([body])
        done.append((str(record["attributes"]["referenceId"]), result))
        for name, one in nested.items():
            found = kind.child(name, call.org.objects.values())
            if found is None:
                problem = Problem("INVALID_FIELD", f"No such relationship '{name}' on sobject of type {kind.name}")
                done[-1] = (done[-1][0], Result(problems=(problem,)))
            elif result.id is not None:
                _plant(call, found[0], one["records"], (found[1], result.id), done)
