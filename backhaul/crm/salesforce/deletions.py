"""What was deleted of an object: the recycle bin by queryAll, purged records by getDeleted (salesforce-api.md §5).

The bin tells who survived a merge, and exact times; the delete log knows records that were purged or never were in a
bin, for 15 days at most. A period that reaches past what the org keeps is refused, as an answer would be silent about
what is missing from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from backhaul.crm.http import Http, Request
from backhaul.crm.salesforce import soql
from backhaul.crm.salesforce.reading import Reader
from backhaul.crm.salesforce.statement import Statement
from backhaul.crm.salesforce.values import long_id, parse_instant
from backhaul.errors import ConfigurationError, CRMError
from backhaul.record import DeletedRecord, ObjectSchema

LOG_DAYS = timedelta(days=15)
MINUTE = timedelta(minutes=1)
SYMBOL = "INVALID_REPLICATION_DATE"


class Deletions:
    """The two sources of one account. `data` is the path of the API version."""

    def __init__(self, http: Http, data: str, reader: Reader) -> None:
        self._http = http
        self._data = data
        self._reader = reader

    def listed(
        self, schema: ObjectSchema, start: datetime | None, end: datetime, now: datetime | None
    ) -> list[DeletedRecord]:
        """Records deleted from `start` to `end`, both included; `now`: the org's clock, None without a delete log.

        Without `start` as far back as the org knows. Raises CRMError with the symbol INVALID_REPLICATION_DATE when the
        org no longer knows all of the period.
        """
        stamp = next((name for name in ("SystemModstamp", "LastModifiedDate") if name in schema.fields), None)
        binned = "IsDeleted" in schema.fields and stamp is not None
        if now is None and not binned:
            raise ConfigurationError(
                f"{schema.name} keeps no deleted records that can be asked for (no recycle bin, no delete log)",
                hint="its deletions are found by comparing ids",
            )
        found = {gone.id: gone for gone in self._binned(schema, stamp, start, end)} if binned and stamp else {}
        if now is not None:
            for gone in self._logged(schema.name, start, end, now):
                found.setdefault(gone.id, gone)
        return sorted(found.values(), key=lambda gone: (gone.at, gone.id))

    def _binned(
        self, schema: ObjectSchema, stamp: str, start: datetime | None, end: datetime
    ) -> Iterator[DeletedRecord]:
        survivor = "MasterRecordId" if "MasterRecordId" in schema.fields else None
        columns = (schema.id_field, stamp, *([survivor] if survivor else []))
        text = (
            f"SELECT {', '.join(columns)} FROM {schema.name} WHERE IsDeleted = true AND {stamp} <= {soql.instant(end)}"
        )
        if start is not None:
            text += f" AND {stamp} >= {soql.instant(start)}"
        for row in self._reader.records(Statement(schema.name, text, columns, include_deleted=True)):
            yield DeletedRecord(
                row[schema.id_field], parse_instant(row[stamp]), row.get(survivor) if survivor else None
            )

    def _logged(self, object: str, start: datetime | None, end: datetime, now: datetime) -> list[DeletedRecord]:
        """The delete log. It takes whole minutes, more than one apart, none of them in the future."""
        oldest = now - LOG_DAYS + 2 * MINUTE
        since = _minute(max(start, oldest) if start else oldest)
        if start is not None and start < oldest - 4 * MINUTE:
            raise self._too_old(object, start, oldest)
        until = _minute(min(end, now))
        if until < end and until + MINUTE <= now:
            until += MINUTE
        since = min(since, until - 2 * MINUTE)
        body_rows: list[dict[str, Any]] = []
        earliest = None
        for body in self._answers(object, since, until, asked=start):
            body_rows += body.get("deletedRecords") or ()
            if body.get("earliestDateAvailable"):
                earliest = parse_instant(str(body["earliestDateAvailable"]))
        if start is not None and earliest is not None and earliest > start:
            raise self._too_old(object, start, earliest)
        return [
            DeletedRecord(long_id(str(row["id"])), at)
            for row in body_rows
            if (at := parse_instant(str(row["deletedDate"]))) <= end and (start is None or at >= start)
        ]

    def _answers(
        self, object: str, since: datetime, until: datetime, *, asked: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """The answers for a span, halved where it holds more ids than one answer may."""
        url = f"{self._data}/sobjects/{object}/deleted/?start={_text(since)}&end={_text(until)}"
        try:
            body = self._http.json(Request("GET", url, f"list the deleted records of {object}"))
        except CRMError as error:
            if error.symbol == "EXCEEDED_ID_LIMIT" and until - since > 4 * MINUTE:
                middle = _minute(since + (until - since) / 2)
                yield from self._answers(object, since, middle, asked=asked)
                yield from self._answers(object, middle, until, asked=asked)
                return
            if error.symbol != SYMBOL:
                raise
            if asked is not None:
                raise self._too_old(object, asked, None) from None
            return  # nobody asked for more than the org knows
        yield body

    def _too_old(self, object: str, start: datetime, earliest: datetime | None) -> CRMError:
        kept = f", and knows deletions from {earliest:%Y-%m-%d %H:%M} UTC on" if earliest else ""
        return CRMError(
            f"the deleted records of {object} were asked for from {start:%Y-%m-%d %H:%M} UTC, which reaches past what "
            f"account '{self._http.account}' keeps{kept}",
            symbol=SYMBOL,
            hint="add compare_ids: true to the import_deleted step: all ids are compared then, whatever the org forgot",
        )


def _minute(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC).replace(second=0, microsecond=0)


def _text(stamp: datetime) -> str:
    return quote(f"{stamp:%Y-%m-%dT%H:%M:%S}+00:00", safe="")
