"""The journal of an export: what it was about to send and what was answered, in files beside the warehouse.

One folder a plan below ``.backhaul/PROFILE/journal/``: ``plan.parquet`` holds the rows that are to be written, and
``journal.jsonl`` a line for each batch before it is sent and for each answer after it came, on disk before anything
else is done. The ledger in the warehouse says the same a moment later; what it could not be told, because the process
or the warehouse was gone by then, is read here by the next run. A finished plan's folder is removed; one that is left
can be read by a person.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from backhaul.errors import BackhaulError
from backhaul.export.plan import WRITES, Plan
from backhaul.ledger import Batch
from backhaul.record import Outcome, State
from backhaul.warehouse import Warehouse

PLAN, LINES = "plan.parquet", "journal.jsonl"
_AT_ONCE = 1_000


class PlanJournal:
    """The journal of one plan. Threads may share it. Without a folder nothing is kept."""

    def __init__(self, root: Path | None, plan_id: str) -> None:
        self.folder = root / plan_id if root else None
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None

    def begin(self, warehouse: Warehouse, plan: Plan, about: Mapping[str, Any]) -> None:
        """Keep the rows of a plan that are to be written, and what it is about.

        Raises BackhaulError when the folder cannot be written: nothing is sent then.
        """
        if self.folder is None:
            return
        import pyarrow.parquet as parquet

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            writer: Any = None
            for rows in plan.tables(warehouse, "* EXCLUDE (_row)", f"action IN {WRITES}"):
                writer = writer or parquet.ParquetWriter(str(self.folder / PLAN), rows.schema)
                writer.write_table(rows)
            writer.close()
            self._file = (self.folder / LINES).open("ab")
            self._write({"plan": dict(about)})
        except OSError as error:
            raise BackhaulError(
                f"the journal {self.folder} cannot be written ({error.strerror or type(error).__name__})",
                hint="nothing was sent; make room, or make the folder writable",
            ) from None

    def sending(self, batch: Batch) -> None:
        """Write a batch down, on disk before this returns."""
        self._write({"batch": batch.number, "operation": batch.operation, "keys": list(batch.keys)})

    def answered(self, batch: Batch, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Write an answer down as soon as it came, before it is worked on; `at` is the CRM's clock."""
        head = _json({"answered": batch.number, "at": at.isoformat()})[:-1] + b', "outcomes": ['
        self._write_parts(itertools.chain([head], _listed(outcomes), [b"]}"]))

    def finish(self) -> None:
        """Everything is in the ledger: the folder is no longer needed."""
        self.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Keep the folder for the next run, or for a person."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._write_parts([_json(entry)])

    def _write_parts(self, parts: Iterable[bytes]) -> None:
        """One line, part by part; a line without its end counts for nothing."""
        with self._lock:
            if self._file is None:
                return
            for part in parts:
                self._file.write(part)
            self._file.write(b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def _listed(outcomes: Sequence[Outcome]) -> Iterator[bytes]:
    """Outcomes as the inside of a JSON list, some at a time: a bulk job answers for tens of thousands."""
    for start in range(0, len(outcomes), _AT_ONCE):
        yield (b", " if start else b"") + _json(outcomes[start : start + _AT_ONCE])[1:-1]


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        # Half a character in what a CRM said: UTF-8 has no form for it.
        return json.dumps(value, ensure_ascii=False, default=_plain).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    return asdict(value) if isinstance(value, Outcome) else str(value)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a CRM answered to a batch, and when by its clock."""

    outcomes: tuple[Outcome, ...]
    at: datetime


def answers(root: Path | None, plan_id: str) -> dict[int, Answer]:
    """The answers that a plan's journal holds, by number of batch; a half-written last line is none."""
    found: dict[int, Answer] = {}
    if root is None:
        return found
    try:
        lines = (root / plan_id / LINES).read_bytes().split(b"\n")
    except OSError:
        return found
    for line in lines:
        try:
            entry = json.loads(line)
            if "answered" in entry:
                outcomes = tuple(_outcome(one) for one in entry["outcomes"])
                found[int(entry["answered"])] = Answer(outcomes, datetime.fromisoformat(entry["at"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def remove(root: Path | None, plan_id: str) -> None:
    """Remove the journal of a plan that the ledger knows all about."""
    if root is not None:
        shutil.rmtree(root / plan_id, ignore_errors=True)


def _outcome(entry: Mapping[str, Any]) -> Outcome:
    return Outcome(
        key=entry["key"],
        state=State(entry["state"]),
        record_id=entry["record_id"],
        created=entry["created"],
        symbol=entry["symbol"],
        message=entry["message"],
        fields=tuple(entry["fields"]),
        passing=bool(entry["passing"]),
    )
