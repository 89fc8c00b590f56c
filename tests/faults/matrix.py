"""What the fault matrices of both CRMs share: a fault, the run that meets it, and what must hold of it.

Every fault meets reading, writing and deleting, each with one of its verbs by one of its roads in turn;
BACKHAUL_FAULTS=all takes all verbs and roads. Which of the run's requests it meets is drawn by a seed, one a
combination; BACKHAUL_FAULT_POSITIONS gives another number of them, or "all".
"""

from __future__ import annotations

import contextlib
import copy
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from backhaul.workflow import RunResult

from .conftest import Tried, failed, reads_well

POSITIONS = os.environ.get("BACKHAUL_FAULT_POSITIONS", "1")
EVERYTHING = os.environ.get("BACKHAUL_FAULTS") == "all"
TIME_OUT = 0.3
PAGE = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We are down for maintenance.</body></html>"
HTML = {"status": 200, "headers": {"Content-Type": "text/html"}, "body": PAGE}


@dataclass(frozen=True)
class Fault:
    """What happens to `times` requests (0: to all), or (`settings`) what the org does of itself.

    `path` narrows the requests that can meet it. `unsure`: a request that it meets may have been carried out, for all
    that the client can know. `rejects`: so many rows are refused for good in the first run.
    """

    action: dict[str, Any] = field(default_factory=dict)
    times: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    unsure: bool = False
    roads: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    path: str = ""
    before: Callable[[Tried], None] | None = None
    after: Callable[[Tried], None] | None = None
    rejects: int = 0


def counted(result: RunResult) -> None:
    """What a step that got through says it sent is what it planned: done, rejected or in doubt."""
    for step in result.steps:
        if step.kind in ("export", "delete") and "planned" in step.details and "in_doubt" in step.details:
            told = step.details
            sent = sum(told[word] for word in ("created", "updated", "deleted", "rejected", "in_doubt"))
            planned = told["planned"]
            assert sent == sum(planned.get(action, 0) for action in ("create", "update", "delete")), told


def in_words(result: RunResult) -> None:
    """A step that failed says so in words, with one thing to do at most."""
    for step in failed(result):
        assert reads_well(step.message), step.message
        assert step.message.count("next:") <= 1, step.message


def met(
    tried: Tried,
    fault: Fault,
    run: Callable[[], RunResult],
    *,
    skip: int = 0,
    meanwhile: contextlib.AbstractContextManager[object] | None = None,
) -> RunResult:
    """The run that meets the fault, which lets the first `skip` requests pass. Afterwards the org is well again."""
    if fault.settings:
        tried.org.settings(copy.deepcopy(fault.settings))
    if fault.before is not None:
        fault.before(tried)
    if fault.action:
        tried.fault(fault.path, fault.action, skip=skip, times=fault.times)
    with pytest.MonkeyPatch.context() as patch, meanwhile or contextlib.nullcontext():
        if fault.action.get("delay", 0) > TIME_OUT:
            # Nobody waits for five minutes; and only here, as a busy machine may well be slow by itself.
            patch.setattr("backhaul.crm.http.READ_SECONDS", TIME_OUT)
        first = run()
    in_words(first)
    counted(first)
    tried.org.faults.clear()
    if fault.after is not None:
        fault.after(tried)
    if "delay" in fault.action:
        time.sleep(fault.action["delay"])  # what nobody waits for any more still happens
    tried.org.clock.advance(5)
    return first


def got_through(result: RunResult) -> None:
    """The one further run."""
    assert not failed(result), [step.message for step in failed(result)]
    counted(result)


def combinations(
    faults: Mapping[str, Fault], verbs: Sequence[Sequence[str]], roads: Callable[[str], Sequence[str]]
) -> list[tuple[str, str, str]]:
    """(fault, verb, road) of what is tried. `verbs` in groups, of each of which one is tried; `roads` of a verb.

    The one that was tried least often so far, so that no verb and no road falls short.
    """
    found: list[tuple[str, str, str]] = []
    tried: Counter[str] = Counter()

    def taken(several: Sequence[str], of: str = "") -> Sequence[str]:
        chosen = several if EVERYTHING else sorted(several, key=lambda one: tried[of + one])[:1]
        tried.update(of + one for one in chosen)
        return chosen

    for name, fault in faults.items():
        for group in verbs:
            ways = {
                verb: [road for road in roads(verb) if road in (fault.roads or roads(verb))]
                for verb in group
                if verb in (fault.verbs or group)
            }
            for verb in taken([verb for verb, its in ways.items() if its]):
                found += [(name, verb, road) for road in taken(ways[verb], f"{verb} by ")]
    return found


def at_chosen(name: str, many: int, case: Callable[[int], None]) -> None:
    """Try a case with the fault at some of its `many` requests; tells all that went wrong."""
    chosen = list(range(many))
    if POSITIONS != "all":
        chosen = random.Random(name).sample(chosen, min(int(POSITIONS), many))
    wrong = {}
    for skip in chosen:
        try:
            case(skip)
        except AssertionError as error:
            wrong[f"at request {skip + 1} of {many}"] = str(error)
    assert not wrong, wrong
