"""The five families of what can go wrong, by what the reader has to do next.

A configuration fault is mended in YAML or SQL (exit 2); a transient fault was waited for and retried (exit 1);
a refused row is data, not an exception (:class:`backhaul.record.Outcome`, exit 3); an outcome in doubt is asked
of the CRM before anything is sent again; anything else is a defect of ours. Messages never hold a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place in a file: the path as shown to the reader, and line and column counted from 1 (0 = unknown)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a configuration: where it stands, what was found, what is allowed, what to do next.

    `message` is one sentence that can stand alone; `allowed` lists the accepted words (shown shortened when
    long); `hint` says what to do next, such as ``did you mean 'cursor'?``.
    """

    message: str
    where: Where | None = None
    allowed: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where and self.where.file else ""
        lines = [f"{place}{self.message}"]
        if self.allowed:
            shown = ", ".join(self.allowed[:12]) + (", ..." if len(self.allowed) > 12 else "")
            lines.append(f"    allowed: {shown}")
        if self.hint:
            lines.append(f"    next: {self.hint}")
        return "\n".join(lines)


class BackhaulError(Exception):
    """The root of every error that a person is meant to read. `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n    next: {self.hint}" if self.hint else self.message


class ConfigurationError(BackhaulError):
    """One or more faults in YAML, SQL or a command's words: everything found, at once. Exit code 2."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault] | Fault | str, *, hint: str = "") -> None:
        if isinstance(faults, str):
            faults = Fault(faults, hint=hint)
        if isinstance(faults, Fault):
            faults = (faults,)
        self.faults: Sequence[Fault] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SignInError(BackhaulError):
    """An account refused us: names the account, the method and what to check. Never the credential."""


class CRMError(BackhaulError):
    """The CRM refused a request as a whole. `symbol` is its own error code, `status` the HTTP status (0 = none)."""

    def __init__(self, message: str, *, symbol: str = "", status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.symbol = symbol
        self.status = status


class TransientError(CRMError):
    """The CRM or the network failed in a passing way, and waiting and retrying did not help. Exit code 1."""


class OutcomeInDoubt(TransientError):
    """A write was sent and its reply never arrived: it may or may not have happened. Ask before sending again."""


class IncompleteImport(BackhaulError):
    """Fewer (or more) records arrived than the CRM announced. The window is not closed, the cursor stays."""


class StepFailed(BackhaulError):
    """A step of a pipeline could not be finished; the message says which and why."""


class Locked(BackhaulError):
    """Another process holds what this one needs; the message names it."""
