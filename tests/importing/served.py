"""A connector that serves prepared rows instead of a CRM's: the wire swapped, the importer's own code untouched."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from backhaul.crm import Progress
from backhaul.errors import Where
from backhaul.record import (
    Change,
    DeletedRecord,
    Extract,
    Extraction,
    Field,
    Group,
    Identity,
    Kind,
    ObjectSchema,
    ObjectSummary,
    Operation,
    Outcome,
    PageFormat,
    Scalar,
)
from backhaul.spool import Spool

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def wire(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


FIELDS = (
    Field("Id", "Id", "id", Kind.ID),
    Field("LastName", "Last name", "string", Kind.TEXT),
    Field("Email", "E-mail", "email", Kind.TEXT),
    Field("Birthdate", "Birthdate", "date", Kind.DATE),
    Field("Score__c", "Score", "double", Kind.DECIMAL, precision=5, scale=1),
    Field("Legacy_Notes__c", "Notes", "textarea", Kind.TEXT, filterable=False),
    Field("HasOptedOutOfEmail", "Opted out", "boolean", Kind.BOOLEAN),
    Field("Visits__c", "Visits", "int", Kind.INTEGER),
    Field("Call_Time__c", "Call at", "time", Kind.TIME),
    Field("Last_Open__c", "Last open", "datetime", Kind.DATETIME),
    Field("LastModifiedDate", "Modified", "datetime", Kind.DATETIME),
    Field("SystemModstamp", "Stamp", "datetime", Kind.DATETIME),
)


@dataclass
class Org:
    """The records of one object, each a mapping of field name to value; `records` is keyed by id."""

    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: datetime = T0
    fields: dict[str, Field] = field(default_factory=lambda: {one.name: one for one in FIELDS})
    cursors: tuple[str, ...] = ("LastModifiedDate", "SystemModstamp")
    gone: list[DeletedRecord] = field(default_factory=list)

    def put(self, id: str, **values: Any) -> None:
        stamp = values.pop("stamp", self.clock - timedelta(seconds=1))
        old = self.records.get(id, {"Id": id})
        self.records[id] = {**old, **values, "LastModifiedDate": stamp, "SystemModstamp": stamp}

    def remove(self, id: str, survivor: str | None = None) -> None:
        del self.records[id]
        self.gone.append(DeletedRecord(id, self.clock - timedelta(seconds=1), survivor))


class Served:
    """Serves an :class:`Org` as the connectors do: pages into the spool, resumed where the query is the same."""

    batch_rows = 200

    def __init__(self, org: Org, *, format: PageFormat = PageFormat.CSV, page_rows: int = 3) -> None:
        self.account = "salesforce"
        self.org = org
        self.format = format
        self.page_rows = page_rows
        self.detects_deletions = True
        self.repeatable_creates = False
        self.clock_calls = 0
        self.api_calls = 0
        self.queries: list[Extract] = []
        self.on_page: Callable[[int], None] = lambda number: None
        self.announce: Callable[[int], int | None] = lambda rows: rows
        self.lose_rows = 0

    def now(self) -> datetime:
        self.api_calls += 1
        return self.org.clock

    def describe(self, object: str) -> ObjectSchema:
        return ObjectSchema(self.account, object, object, "Id", self.org.fields, self.org.cursors)

    def extract(self, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        self.queries.append(query)
        rows = sorted(self.org.records.values(), key=lambda row: str(row["Id"]))
        if query.window:
            low, high = query.window.start, query.window.end
            rows = [
                row
                for row in rows
                if (low is None or row[query.window.cursor] >= low) and row[query.window.cursor] < high
            ]
        request = {"query": repr(query)}
        if spool.request != request:
            spool.restart(request)
        return self._spooled(
            rows, [self.org.fields[name].on_wire for name in query.fields], query.fields, spool, progress
        )

    def ids(self, object: str, spool: Spool, progress: Progress) -> Extraction:
        rows = sorted(self.org.records.values(), key=lambda row: str(row["Id"]))
        return self._spooled(rows, ["Id"], ["Id"], spool, progress)

    def deleted(self, object: str, start: datetime | None, end: datetime) -> list[DeletedRecord]:
        return [one for one in self.org.gone if (start is None or one.at >= start) and one.at <= end]

    def _spooled(
        self,
        rows: Sequence[Mapping[str, Any]],
        wires: Sequence[str],
        names: Sequence[str],
        spool: Spool,
        progress: Progress,
    ) -> Extraction:
        chunks = [rows[at : at + self.page_rows] for at in range(0, len(rows), self.page_rows)] or [[]]
        for number, chunk in enumerate(chunks):
            if number >= len(spool.pages):
                self.on_page(number)
                self.api_calls += 1
                body = self._body(chunk, wires, names)
                suffix = ".csv.gz" if self.format is PageFormat.CSV else ".json"
                locator = str(number + 1) if number + 1 < len(chunks) else None
                spool.write_page([body], suffix=suffix, rows=len(chunk), locator=locator)
                progress(spool.rows, len(rows))
        received = sum(page.rows for page in spool.pages)
        return Extraction(
            tuple(page.path for page in spool.pages),
            self.format,
            received,
            self.announce(received),
            tuple(wires),
            rows_key="records",
            bytes=spool.size,
        )

    def _body(self, chunk: Sequence[Mapping[str, Any]], wires: Sequence[str], names: Sequence[str]) -> bytes:
        chunk = chunk[: len(chunk) - self.lose_rows] if self.lose_rows else chunk
        if self.format is PageFormat.JSON:
            keep = [{w: _json(row[n]) for w, n in zip(wires, names, strict=True) if n in row} for row in chunk]
            return json.dumps({"done": True, "records": keep}).encode()
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(wires)
        writer.writerows([[wire(row.get(name)) or "" for name in names] for row in chunk])
        return gzip.compress(text.getvalue().encode())

    def identity(self) -> Identity:
        raise NotImplementedError

    def objects(self) -> list[ObjectSummary]:
        raise NotImplementedError

    def write(
        self, object: str, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        raise NotImplementedError

    def cost(
        self, operation: Operation, batches: Sequence[int], options: Mapping[str, object], *, keyed: bool = True
    ) -> int:
        raise NotImplementedError

    def fetch_cost(self, object: str, rows: int, fields: Sequence[str]) -> int:
        raise NotImplementedError

    def suits(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        raise NotImplementedError

    def write_size(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        raise NotImplementedError

    def recall(self, object: str, scope: str, keys: Sequence[str]) -> list[Any]:
        raise NotImplementedError

    def restorable(self, object: str, ids: Sequence[str]) -> set[str]:
        raise NotImplementedError

    def interrupt(self) -> None:
        raise NotImplementedError

    def fetch(self, object: str, field: str, values: Sequence[str], fields: Sequence[str]) -> list[dict[str, Scalar]]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to give back."""


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return (wire(value) or "").replace("Z", "+0000")
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def object_config(fields: Iterable[Any], **others: Any) -> Any:
    """What sources/*.yml would give: fields by name or (name, convert)."""
    listed = []
    for line, one in enumerate(fields, start=5):
        name, convert = one if isinstance(one, tuple) else (one, "default")
        listed.append(SimpleNamespace(name=name, convert=convert, where=Where("sources/salesforce.yml", line)))
    given: dict[str, Any] = {
        "name": "Contact",
        "fields": listed,
        "cursor": None,
        "overlap": timedelta(minutes=10),
        "sweep": None,
        "max_vanished": 0.5,
        "filter": None,
        "order_by": [],
        "road": "auto",
        "where": Where("sources/salesforce.yml", 3),
    }
    return cast(Any, SimpleNamespace(**{**given, **others}))


def project(folder: Path, *, time_zone: str = "UTC", name: str = "demo") -> Any:
    step = SimpleNamespace(
        kind="import", option_name="LASTIMPORT_demo_contacts", account="salesforce", object="Contact", name="contacts"
    )
    return cast(
        Any,
        SimpleNamespace(
            folder=folder,
            name=name,
            state_folder=folder / ".backhaul",
            profile=SimpleNamespace(accounts={"salesforce": SimpleNamespace(time_zone=time_zone)}),
            pipelines={"contacts": SimpleNamespace(steps=[step])},
        ),
    )


__all__ = ["FIELDS", "T0", "Group", "Org", "Served", "object_config", "project", "replace", "wire"]
