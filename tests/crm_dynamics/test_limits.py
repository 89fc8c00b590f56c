"""Service protection: how many requests at once, what is left, and what happens when it is too much."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from backhaul.crm.dynamics.limits import HINT, NARROW_SECONDS, REQUESTS_LEFT, SECONDS_LEFT, Gate, Left, number
from backhaul.record import Change, Operation, State
from tests.crm.wire import Answer

from .environment import ROOT, WHO, connect, error
from .table import Contacts


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_numbers_may_hold_thousands_commas() -> None:
    assert [number(text) for text in ("1,200.00", "5999", "", None, "many")] == [1200.0, 5999.0, None, None, None]
    gate = Gate()
    gate.note({SECONDS_LEFT: "1,200.00", REQUESTS_LEFT: "5999"})
    assert gate.left == Left(5999, 1200.0)
    gate.note({})
    assert gate.left == Left(5999, 1200.0)


def test_the_width_is_the_services_hint_and_half_of_it_after_a_refusal() -> None:
    clock = Clock()
    gate = Gate(clock)
    assert gate.width == 4
    gate.note({HINT: "12"})
    assert gate.width == 12
    gate.crowded()
    assert gate.width == 6
    gate.crowded()
    assert gate.width == 3
    clock.now += NARROW_SECONDS
    assert gate.width == 12
    gate.note({REQUESTS_LEFT: "49"})
    assert gate.width == 1
    gate.note({REQUESTS_LEFT: "5000"})
    assert gate.width == 12


@given(st.integers(1, 5), st.integers(1, 12))
def test_never_more_at_once_than_the_width(width: int, callers: int) -> None:
    gate = Gate()
    gate.note({HINT: str(width)})
    lock, state = threading.Lock(), SimpleNamespace(inside=0, most=0)
    begun = threading.Barrier(callers)

    def call() -> None:
        begun.wait()
        with gate.through(), gate.through():
            with lock:
                state.inside += 1
                state.most = max(state.most, state.inside)
            with lock:
                state.inside -= 1

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.most <= width


def test_each_cause_of_throttling_is_waited_out() -> None:
    for code in ("0x80072322", "0x80072321", "0x80072326"):
        busy = error(429, code, "too much", Retry_After="3")
        crm, wire, pauses = connect({f"GET {ROOT}WhoAmI": [busy, busy, Answer(body=WHO)]})
        crm.identity()
        assert pauses == [3, 3] and len([path for path in wire.paths() if "WhoAmI" in path]) == 3


def test_a_reply_tells_the_width_and_a_refusal_narrows_it() -> None:
    told = Answer(body=WHO, headers={HINT: "10", SECONDS_LEFT: "1,100.50"})
    crm, _, _ = connect({f"GET {ROOT}WhoAmI": [told, error(429, "0x80072326", "52", Retry_After="1"), told]})
    crm.identity()
    assert crm.limits == Left(None, 1100.5)
    gate: Any = crm._service.gate
    assert gate.width == 10
    crm.identity()
    assert gate.width == 5


def test_a_deadlock_narrows_as_well() -> None:
    table = Contacts()
    table.accidents = [error(500, "0x80044150", "Sql error: Generic SQL error. Sql Number: 1205")]
    crm, _, _ = table.connect()
    outcomes = crm.write("contact", Operation.CREATE, [Change(f"k{n}", {"lastname": "A"}) for n in range(30)], {})
    assert {outcome.state for outcome in outcomes} == {State.DONE}
    gate: Any = crm._service.gate
    assert gate.width == 2
