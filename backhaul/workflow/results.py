"""What a step and a run came to, as plain data, and who listens while it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backhaul.config import Step, TestStep, TransformStep

DONE = "done"
WITH_REJECTS = "done with rejects"
FAILED = "failed"
SKIPPED = "skipped"
BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One finished step. `state` is done, done with rejects, failed, blocked or skipped; `details` depends on `kind`.

    ``rows`` is the one number that says most: rows loaded, models built, tests run, records written.
    """

    name: str
    kind: str
    target: str
    state: str
    message: str = ""
    rows: int = 0
    seconds: float = 0.0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: its id in the ledger, its state, its steps in order, and `remarks`, sentences for the reader."""

    run_id: str
    pipeline: str
    state: str
    seconds: float
    steps: Sequence[StepResult]
    remarks: tuple[str, ...] = ()


def overall(steps: Sequence[StepResult]) -> str:
    """The state of a run from those of its steps: the worst one counts."""
    states = {step.state for step in steps}
    if states & {FAILED, BLOCKED}:
        return FAILED
    return WITH_REJECTS if WITH_REJECTS in states else DONE


def in_one_line(message: str) -> str:
    """The first line of a message; with the second one where the first only announces it."""
    lines = [line.strip() for line in message.splitlines()] or [""]
    return f"{lines[0]} {lines[1]}" if lines[0].endswith(":") and len(lines) > 1 else lines[0]


def exit_code(state: str) -> int:
    """0 done, 1 failed, 3 done with rejects."""
    return {DONE: 0, WITH_REJECTS: 3}.get(state, 1)


class Listener(Protocol):
    """Told what happens while it happens. Calls come from the thread that runs the step."""

    def step_started(self, name: str, kind: str, target: str) -> None:
        """A step begins."""

    def progress(self, rows: int, expected: int) -> None:
        """Rows so far of the running step, and how many are expected (0 = nobody knows)."""

    def detail(self, text: str) -> None:
        """One line about the running step, such as a model that was built."""

    def step_finished(self, result: StepResult) -> None:
        """A step ended, well or not."""


class SilentListener:
    """A :class:`Listener` that says nothing."""

    def step_started(self, name: str, kind: str, target: str) -> None:
        """Nothing."""

    def progress(self, rows: int, expected: int) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def step_finished(self, result: StepResult) -> None:
        """Nothing."""


def target_of(step: Step) -> str:
    """What a step works on, in one word."""
    if isinstance(step, TransformStep | TestStep):
        return " ".join(step.select) or "all"
    return f"{step.account}.{step.object}"
