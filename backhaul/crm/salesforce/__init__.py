"""Salesforce: the :class:`~backhaul.crm.Connector` over REST, sObject Collections and Bulk API 2.0.

One module a part: `signing` (tokens), `refusals` (what errors mean), `describing` (schemas), `soql` (statements),
`values` (scalars on the wire), `reading` (pages into a spool), `writing` (outcomes). This one ties them together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backhaul.crm import Progress
from backhaul.crm.http import Credentials, Http, PatientSession, Request, RetryPolicy, http_date
from backhaul.crm.salesforce import describing, soql
from backhaul.crm.salesforce.budget import Budget
from backhaul.crm.salesforce.deletions import Deletions
from backhaul.crm.salesforce.ingest import BULK_ROWS, Ingest
from backhaul.crm.salesforce.journal import Journal
from backhaul.crm.salesforce.reading import Reader, TooWide
from backhaul.crm.salesforce.refusals import explain
from backhaul.crm.salesforce.restoring import undelete
from backhaul.crm.salesforce.statement import Statement
from backhaul.crm.salesforce.values import long_id, parsed
from backhaul.crm.salesforce.writing import BATCH_ROWS, Writer, by_calls_only, option_headers
from backhaul.errors import ConfigurationError, CRMError, Fault
from backhaul.record import (
    Change,
    DeletedRecord,
    Extract,
    Extraction,
    Field,
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

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from backhaul.config import SalesforceAccount

__all__ = ["SalesforceConnector"]

JOB_CALLS = 20
"""Requests of one ingest job, as estimated: to make, fill and close it, to ask a dozen times, three result files."""

MOST_ROWS = 10**8
"""A larger number of rows to write is no number, but a question for the largest size."""

_ID = re.compile("[A-Za-z0-9]{18}")

MOST_VALUES = 400
"""Values in one IN list, whatever the length of the statement allows."""

LEAST_VALUES = 50
"""Where the columns leave room for fewer ids, it takes fewer requests to read the columns in parts."""

TOO_COMPLICATED = "QUERY_TOO_COMPLICATED"
"""The CRM's word for a statement with more formula fields than it will evaluate at once (§4.3)."""


class SalesforceConnector:
    """One Salesforce org, signed in on first use. Salesforce users need "API Enabled"; see salesforce-api.md §2."""

    batch_rows = BATCH_ROWS
    detects_deletions = True
    repeatable_creates = False
    clock_calls = 0

    def __init__(
        self,
        account: SalesforceAccount,
        *,
        transport: BaseAdapter | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.account: str = account.name
        self._zone = account.time_zone
        session = PatientSession(ca_bundle=account.ca_bundle, transport=transport)
        self._http = Http(account.name, session, _credentials(account), explain, policy)
        self._data = f"/services/data/v{account.api_version}"
        self._budget = Budget(account.name, account.api_reserve or 0, self._limits)
        self._http.on_reply = self._budget.note
        self._http.before = self._budget.before
        self._reader = Reader(self._http, self._data, self._budget.require)
        self._writer = Writer(self._http, self._data)
        self._bulk_from: int = account.bulk_from
        self._ingest = Ingest(self._http, self._data, self._writer, Journal(state_place(account, "jobs")))
        self._deletions = Deletions(self._http, self._data, self._reader)
        self._schemas: dict[str, ObjectSchema] = {}
        self._logged: set[str] = set()

    @property
    def api_calls(self) -> int:
        """Requests made so far, sign-in and retries included."""
        return self._http.api_calls

    @property
    def usage(self) -> tuple[int, int] | None:
        """(API requests used, allowed) in the org's last 24 hours, as the newest reply told."""
        return self._budget.usage

    def now(self) -> datetime:
        """The `Date` of a fresh reply; the list of versions does not count against the org's limits (§3.1)."""
        self._http.sign_in()
        reply = self._http.send(Request("GET", "/services/data", "read Salesforce's clock", signed=False))
        stamp = http_date(reply.headers.get("Date"))
        if stamp is None:
            raise CRMError(f"account '{self.account}' sends no Date header, so that its clock is unknown")
        return stamp

    def identity(self) -> Identity:
        """The signed-in user, from userinfo (§2.2)."""
        body = self._http.json(Request("GET", "/services/oauth2/userinfo", "ask who is signed in"))
        details = {name: str(body[name]) for name in ("name", "email", "user_id", "zoneinfo") if body.get(name)}
        return Identity(
            account=self.account,
            user=str(body.get("preferred_username") or body.get("user_id") or ""),
            organisation=str(body.get("organization_id", "")),
            url=self._http.base,
            details={**details, "api_version": self._data.rsplit("/v", 1)[-1]},
        )

    def objects(self) -> list[ObjectSummary]:
        """The objects that can be queried, by name (§3.2)."""
        return describing.object_summaries(
            self._http.json(Request("GET", f"{self._data}/sobjects", "list the objects"))
        )

    def describe(self, object: str) -> ObjectSchema:
        """The object's schema, asked once; ConfigurationError with a suggestion when there is none of that name."""
        if object not in self._schemas:
            if not object.replace("_", "").isalnum():
                raise ConfigurationError(f"'{object}' is no name of a Salesforce object")
            try:
                body = self._http.json(Request("GET", f"{self._data}/sobjects/{object}/describe", f"describe {object}"))
            except CRMError as error:
                if error.symbol != "NOT_FOUND":
                    raise
                raise self._unknown_object(object) from None
            self._schemas[object] = describing.object_schema(self.account, body, self.describe)
            if body.get("replicateable", False):
                self._logged.add(object)
        return self._schemas[object]

    def extract(self, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        """Read `query` into `spool`: JSON pages by REST, CSV pages by Bulk 2.0 (see `reading`).

        Columns that one statement cannot hold are read in parts, each with the id and the cursor.
        """
        schema = self.describe(query.object)
        parts = self._in_parts(schema, query, spool, progress)
        if len(parts) == 1:
            return parts[0]
        return Extraction(
            paths=tuple(path for part in parts for path in part.paths),
            format=parts[0].format,
            rows=parts[0].rows,
            announced=parts[0].announced,
            columns=query.fields,
            api_calls=sum(part.api_calls for part in parts),
            bytes=sum(part.bytes for part in parts),
            parts=tuple(parts),
            joined_by=_in_every_part(schema, query),
        )

    def _in_parts(self, schema: ObjectSchema, query: Extract, spool: Spool, progress: Progress) -> list[Extraction]:
        """The extract as one, or where it is too wide as halves of its columns, which may be halved again."""
        try:
            return [self._in_one(schema, query, spool, progress)]
        except TooWide:
            pass
        except CRMError as error:
            if error.symbol != TOO_COMPLICATED:
                raise
        anchor = _in_every_part(schema, query)
        others = [name for name in query.fields if name not in anchor]
        if len(others) < 2:
            raise ConfigurationError(
                f"{schema.name}: the query is too long for Salesforce, even for the single field {others or anchor}",
                hint="shorten the filter, or filter in a model instead",
            )
        middle = len(others) // 2
        parts: list[Extraction] = []
        for number, columns in enumerate((others[:middle], others[middle:]), 1):
            half = replace(query, fields=(*anchor, *columns), order_by=())
            parts += self._in_parts(schema, half, Spool(spool.folder / f"columns-{number}"), progress)
        return parts

    def _in_one(self, schema: ObjectSchema, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        if query.ids is not None:
            return self._of_ids(schema, query, spool, progress)
        statement = self._statement(schema, query, soql.select(query, schema, self._zone))
        return self._reader.read(statement, spool, progress, query.road)

    def _statement(self, schema: ObjectSchema, query: Extract, text: str) -> Statement:
        bodies = tuple(name for name in query.fields if schema.fields[name].kind is Kind.BINARY)
        return Statement(schema.name, text, query.fields, query.include_deleted, bodies)

    def deleted(self, object: str, start: datetime | None, end: datetime) -> list[DeletedRecord]:
        """Records in the recycle bin and those that were purged since, both ends included; see `deletions`.

        Losers of a merge name their survivor.
        """
        schema = self.describe(object)
        return self._deletions.listed(schema, start, end, self.now() if object in self._logged else None)

    def ids(self, object: str, spool: Spool, progress: Progress) -> Extraction:
        """The ids of all live records."""
        return self.extract(Extract(object, (self.describe(object).id_field,)), spool, progress)

    def write_size(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """200 for few rows, one job's for many: see :data:`OPTIONS <backhaul.crm.salesforce.writing.OPTIONS>`."""
        option_headers(options)
        size = self.suits(operation, rows, options)
        if rows <= MOST_ROWS and operation is not Operation.RESTORE:
            whole, rest = divmod(rows, size)
            calls = whole * self.cost(operation, [size], options) + self.cost(
                operation, [rest] if rest else [], options
            )
            self._budget.require(calls, f"to {operation.value} {rows:,} records")
        return size

    def suits(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """200 for few rows, one job's for many. Only calls bring records back."""
        return BATCH_ROWS if operation is Operation.RESTORE else self._size(rows, options)

    def cost(
        self, operation: Operation, batches: Sequence[int], options: Mapping[str, object], *, keyed: bool = True
    ) -> int:
        """A call for 200 rows, or about :data:`JOB_CALLS` a job; new records without a key go by calls all the same."""
        jobs = bool(options.get("hard_delete")) or options.get("road") == "bulk" or not by_calls_only(options)
        jobs = jobs and operation is not Operation.RESTORE and (keyed or operation is not Operation.CREATE)
        few = 0 if options.get("hard_delete") or options.get("road") == "bulk" else BATCH_ROWS
        return sum(JOB_CALLS if jobs and rows > few else -(-rows // BATCH_ROWS) for rows in batches)

    def _size(self, rows: int, options: Mapping[str, object]) -> int:
        by_jobs = bool(options.get("hard_delete")) or options.get("road") == "bulk"
        return BULK_ROWS if by_jobs or not (by_calls_only(options) or rows < self._bulk_from) else BATCH_ROWS

    def write(
        self, object: str, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        """Up to 200 changes by one call of sObject Collections, more by a job of Bulk API 2.0.

        Options: see :data:`backhaul.crm.salesforce.writing.OPTIONS`. Jobs that a killed run left are ended first.
        What is restored comes out of the recycle bin as it was: its values are not sent.
        """
        schema = self.describe(object)
        option_headers(options)
        if operation is Operation.RESTORE:
            version = self._data.rpartition("/v")[2]
            return undelete(self._http, version, object, changes, lambda ids: self._live(object, ids))
        self._ingest.look_back()
        few = len(changes) <= BATCH_ROWS or by_calls_only(options)
        if options.get("hard_delete") or options.get("road") == "bulk" or not few:
            return self._ingest.write(schema, operation, changes, options)
        return self._writer.write(schema, operation, changes, options)

    def recall(self, object: str, scope: str, keys: Sequence[str]) -> list[Outcome]:
        """What the jobs of earlier writes tell of new records that were left in doubt (for seven days, §7)."""
        return self._ingest.recall(object, scope, keys)

    def restorable(self, object: str, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that lie in the recycle bin, as they were given; and those that came out of it meanwhile."""
        schema = self.describe(object)
        asked = {long_id(one): one for one in ids}
        found: set[str] = set()
        for clause in self._chunks(schema, schema.fields[schema.id_field], (schema.id_field,), list(asked)):
            # What lives by now, because the reply to an earlier call was lost, must not be made anew beside itself.
            for row in self._reader.records(Statement(object, clause, (schema.id_field,), include_deleted=True)):
                found.add(asked[row[schema.id_field]])
        return found

    def _live(self, object: str, ids: Sequence[str]) -> set[str]:
        return {str(row[self.describe(object).id_field]) for row in self.fetch(object, "Id", ids, ())}

    def interrupt(self) -> None:
        """Abort the jobs that other threads are waiting for."""
        self._ingest.interrupt()

    def fetch(self, object: str, field: str, values: Sequence[str], fields: Sequence[str]) -> list[dict[str, Scalar]]:
        """The live records whose `field` is one of `values`: `fields`, the id and `field`, typed. Missing ones lack."""
        schema = self.describe(object)
        columns = tuple(dict.fromkeys((schema.id_field, field, *fields)))
        soql.known_fields(columns, schema)
        found: list[dict[str, Scalar]] = []
        for clause in self._chunks(schema, schema.fields[field], columns, list(dict.fromkeys(values))):
            for row in self._reader.records(Statement(schema.name, clause, columns)):
                found.append({name: parsed(row.get(name), schema.fields[name]) for name in columns})
        return found

    def fetch_cost(self, object: str, rows: int, fields: Sequence[str]) -> int:
        """A request for as many ids as a GET holds; see :data:`MOST_VALUES`."""
        schema = self.describe(object)
        columns = tuple(dict.fromkeys((schema.id_field, *fields)))
        ids = [f"{n:018}" for n in range(min(rows, MOST_VALUES + 1))]
        clauses = list(self._chunks(schema, schema.fields[schema.id_field], columns, ids))
        return -(-rows // (clauses[0].count("'") // 2)) if clauses else 0

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _chunks(
        self, schema: ObjectSchema, field: Field, columns: Sequence[str], values: Sequence[str]
    ) -> Iterator[str]:
        """Statements that together ask for all values, each short enough for a GET."""
        head = f"SELECT {', '.join(columns)} FROM {schema.name} WHERE "
        chunk: list[str] = []
        for value in values:
            if chunk and (
                len(chunk) >= MOST_VALUES or not self._reader.fits_uri(head + soql.in_list(field, [*chunk, value]))
            ):
                yield head + soql.in_list(field, chunk)
                chunk = []
            chunk.append(value)
        if chunk:
            yield head + soql.in_list(field, chunk)

    def _of_ids(self, schema: ObjectSchema, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        """The records of some ids, chunk by chunk, each in a spool of its own below `spool`."""
        plain = replace(query, ids=None, fresh=())
        anew = replace(plain, window=replace(query.window, start=None)) if query.window else plain
        asked = [(plain, query.ids or ()), (anew, query.fresh)]
        parts: list[Extraction] = []
        for asking, ids in asked:
            for chunk in self._id_chunks(schema, asking, list(dict.fromkeys(map(long_id, ids)))):
                text = soql.select(asking, schema, self._zone, chunk)
                statement = self._statement(schema, query, text)
                own = Spool(spool.folder / f"ids-{len(parts) + 1:06d}")
                before = sum(part.rows for part in parts)

                def on_page(found: int, of: int, before: int = before) -> None:
                    progress(before + found, 0)

                parts.append(self._reader.read(statement, own, on_page, "rest"))
        return Extraction(
            paths=tuple(path for part in parts for path in part.paths),
            format=PageFormat.JSON,
            rows=sum(part.rows for part in parts),
            announced=sum(part.announced or 0 for part in parts),
            columns=query.fields,
            rows_key="records",
            api_calls=sum(part.api_calls for part in parts),
            bytes=sum(part.bytes for part in parts),
        )

    def _id_chunks(self, schema: ObjectSchema, query: Extract, ids: Sequence[str]) -> Iterator[list[str]]:
        """Ids in lists as long as a GET takes; all have one length."""
        wrong = next((name for name in ids if not _ID.fullmatch(name)), None)
        if wrong is not None:
            raise ConfigurationError(
                f"{schema.name}: the population to import holds {wrong!r}, which is no Salesforce id",
                hint="name the column of the model that holds the 15 or 18 characters of the records' ids",
            )
        most = MOST_VALUES
        while ids and not self._reader.fits_uri(soql.select(query, schema, self._zone, [ids[0]] * most)):
            most -= 25
            if most < LEAST_VALUES:
                raise TooWide
        for start in range(0, len(ids), most):
            yield list(ids[start : start + most])

    def _unknown_object(self, object: str) -> ConfigurationError:
        names = [summary.name for summary in self.objects()]
        close = difflib.get_close_matches(object, names, 1)
        return ConfigurationError(
            Fault(
                f"account '{self.account}' has no object '{object}', or its user may not read it",
                hint=f"did you mean '{close[0]}'?" if close else "check the name and the user's object permissions",
            )
        )

    def _limits(self) -> Any:
        return self._http.json(Request("GET", f"{self._data}/limits", "ask for the allowance", vital=True))


def _in_every_part(schema: ObjectSchema, query: Extract) -> tuple[str, ...]:
    """The columns that tell which rows of several parts are the same version of one record: the id and the cursor."""
    cursor = (
        query.window.cursor if query.window else next((name for name in schema.cursors if name in query.fields), None)
    )
    return (schema.id_field, cursor) if cursor else (schema.id_field,)


def state_place(account: SalesforceAccount, what: str) -> Path | None:
    """Where `what` of an account is kept between runs, apart for each org; None without a state folder."""
    host = urlsplit(str(account.instance_url or account.login_url or "")).netloc
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", f"{account.name}@{host}")
    return account.state_folder / what / name if account.state_folder else None


def _credentials(account: SalesforceAccount) -> Credentials:
    # Imported here: it brings simple-salesforce, which takes a third of a second.
    from backhaul.crm.salesforce.signing import ClientCredentials, JwtBearer

    auth: Any = account.auth
    if auth.method == "client_credentials":
        return ClientCredentials(account, auth)
    if auth.method == "jwt_bearer":
        return JwtBearer(account, auth)
    from backhaul.crm.salesforce.signing_people import Password, RefreshToken, SalesforceCli

    if auth.method == "refresh_token":
        return RefreshToken(account, auth, state_place(account, "tokens"))
    return Password(account, auth) if auth.method == "password" else SalesforceCli(account, auth)
