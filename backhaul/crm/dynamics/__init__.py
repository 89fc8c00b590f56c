"""Microsoft Dynamics 365 / Dataverse behind the connectors' door, by its Web API (OData v4, version 9.2).

The parts, each of which can be read alone::

    odata     literals, filters, query strings             pure text
    metadata  definitions -> ObjectSchema                  pure data
    security  which secured columns the user may read and write
    batch     the $batch envelope                          pure bytes
    signin    Microsoft Entra by MSAL: applications; signin_people: persons; certificate: PEM and PKCS#12
    limits    how many requests at once, and what is left
    service   requests, headers, what errors mean
    reading   pages into a spool, in windows at once or by change tracking; records by id or key
    writing   changes -> requests -> outcomes; see there for its parts

Facts are in dataverse-api.md; the sections are named where they are used.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from backhaul.crm import Progress
from backhaul.crm.dynamics import metadata
from backhaul.crm.dynamics import options as options_module
from backhaul.crm.dynamics.batch import MOST_PARTS
from backhaul.crm.dynamics.bodies import LookupBinder
from backhaul.crm.dynamics.erasing import JOB_FROM, JOB_ROWS
from backhaul.crm.dynamics.estimate import requests
from backhaul.crm.dynamics.limits import Left
from backhaul.crm.dynamics.reading import MOST_VALUES, PAGE_ROWS, Reader
from backhaul.crm.dynamics.security import ColumnSecurity
from backhaul.crm.dynamics.service import Service, explain
from backhaul.crm.dynamics.signin import credentials
from backhaul.crm.dynamics.writing import Writer, minted_id
from backhaul.crm.http import Http, PatientSession, RetryPolicy
from backhaul.errors import ConfigurationError, CRMError, Fault
from backhaul.record import (
    Change,
    DeletedRecord,
    Extract,
    Extraction,
    Identity,
    ObjectSchema,
    ObjectSummary,
    Operation,
    Outcome,
    Scalar,
)
from backhaul.spool import Spool

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

    from backhaul.config import DynamicsAccount

__all__ = ["DynamicsConnector", "minted_id"]

_NOT_FOUND = 404


class DynamicsConnector:
    """:class:`~backhaul.crm.Connector` for one Dataverse environment. Nothing is sent before the first verb.

    `transport` takes the place of the wire for every URL; `policy` changes how often and how long is waited;
    `page_rows` below 5,000 makes smaller pages; `tell` shows a person how to sign in (default: on the terminal).
    """

    batch_rows = MOST_PARTS
    detects_deletions = False
    repeatable_creates = True
    clock_calls = 1

    def __init__(
        self,
        account: DynamicsAccount,
        *,
        transport: BaseAdapter | None = None,
        policy: RetryPolicy | None = None,
        page_rows: int = PAGE_ROWS,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.account = account.name
        session = PatientSession(ca_bundle=account.ca_bundle, transport=transport)
        if not account.affinity:
            # The cookie would bind all requests to one web server, whose limits they would share (§6.1).
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._http = Http(account.name, session, credentials(account, tell), explain, policy)
        self._service = Service(account, self._http)
        self._reader = Reader(self._service, page_rows)
        self._security = ColumnSecurity(self._service, account.name)
        self._tables: dict[str, metadata.Table] = {}
        self._definitions: list[dict[str, Any]] | None = None
        self._writers: dict[str, Writer] = {}

    @property
    def api_calls(self) -> int:
        """Requests made so far, sign-in and retries included."""
        return self._http.api_calls

    @property
    def limits(self) -> Left:
        """What the newest reply said is left of the service protection limits of the server that answered."""
        return self._service.gate.left

    def now(self) -> datetime:
        """The environment's own clock, from the Date header of a fresh reply: UTC, whole seconds."""
        self._service.get("WhoAmI", "read the clock")
        return self._service.clock()

    def identity(self) -> Identity:
        """Who the application is in this environment (WhoAmI)."""
        reply = self._service.get("WhoAmI", "identify")
        return Identity(
            account=self.account,
            user=str(reply.get("UserId") or ""),
            organisation=str(reply.get("OrganizationId") or ""),
            url=self._service.origin,
            details={"business_unit": str(reply.get("BusinessUnitId") or "")},
        )

    def objects(self) -> list[ObjectSummary]:
        """All tables that have an entity set and are not private to the platform, by name."""
        return metadata.summaries(self._all_definitions())

    def describe(self, object: str) -> ObjectSchema:
        """The table's columns, keys and cursors as this user sees them; kept. Unknown: ConfigurationError."""
        return self._table(object).schema

    def extract(self, query: Extract, spool: Spool, progress: Progress) -> Extraction:
        """Read `query` into `spool`: pages of JSON, rows under "value", keyed by wire name.

        Active and inactive rows alike, unless the filter says otherwise (§3.9). Where 5,000 rows or more match,
        Dataverse announces no total: the end of the next links, each followed once, is the proof of completeness.
        There is one road, and deleted rows are nowhere to be read: `query.road` and `include_deleted` change nothing.
        Large windows are read in parts at once; with `query.track` what changed since a link is read (§4).
        A column that was secured since the table was described came as nulls: CRMError, and the spool is emptied.
        """
        extraction = self._reader.extract(self._table(query.object), query, spool, progress)
        if extraction.rows:
            self._refuse_secured_since(query, spool)
        return extraction

    def deleted(self, object: str, start: datetime | None, end: datetime) -> list[DeletedRecord]:
        """Not answered: without change tracking Dataverse keeps no list of deletions. Compare :meth:`ids`."""
        raise CRMError(
            f"account '{self.account}' keeps no list of deleted {object} records",
            hint="deletions are found by comparing the ids that are there with those held",
        )

    def ids(self, object: str, spool: Spool, progress: Progress) -> Extraction:
        """The ids of all records, active or not."""
        table = self._table(object)
        return self._reader.extract(table, Extract(object, (table.schema.id_field,)), spool, progress)

    def write_size(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """See :meth:`suits`: there is no allowance to be asked for."""
        return self.suits(operation, rows, options)

    def suits(self, operation: Operation, rows: int, options: Mapping[str, object]) -> int:
        """1,000; of a plan that deletes very much what one bulk delete job takes. Reads the options."""
        known = options_module.read(options)
        by_jobs = operation is Operation.DELETE and rows >= JOB_FROM and not known.by_rows
        return JOB_ROWS if by_jobs and not (known.headers or options.get("if_unchanged")) else self.batch_rows

    def recall(self, object: str, scope: str, keys: Sequence[str]) -> list[Outcome]:
        """Nothing: creates are repeatable here, so that none is left in doubt."""
        return []

    def restorable(self, object: str, ids: Sequence[str]) -> set[str]:
        """All: a record may be made under any id that is free (dataverse-api.md §5.1)."""
        return set(ids)

    def interrupt(self) -> None:
        """Let bulk delete jobs be called off; every other call takes seconds."""
        for writer in list(self._writers.values()):
            writer.eraser.interrupt()

    def cost(
        self, operation: Operation, batches: Sequence[int], options: Mapping[str, object], *, keyed: bool = True
    ) -> int:
        """As few as it takes while the service answers quickly; halving around bad rows takes more.

        See :func:`backhaul.crm.dynamics.estimate.requests`.
        """
        return requests(operation, batches, options_module.read(options))

    def fetch_cost(self, object: str, rows: int, fields: Sequence[str]) -> int:
        """A request for 200 ids, which a URL holds in any case."""
        return -(-rows // MOST_VALUES)

    def write(
        self, object: str, operation: Operation, changes: Sequence[Change], options: Mapping[str, object]
    ) -> list[Outcome]:
        """Send `changes`, many by set messages, few by $batch; one outcome each, in their order.

        See :meth:`backhaul.crm.dynamics.writing.Writer.write` for `options` and errors. What is restored is created
        under its id, with the values that the change holds.
        """
        if not changes:
            return []
        table = self._table(object)
        writer = self._writers.get(object)
        if writer is None:
            bind = LookupBinder(self._service, table, self._entity_sets, self._table)
            writer = Writer(self._service, table, bind, partial(self._reader.fetch, table))
            self._writers[object] = writer
        # Dataverse keeps no deleted records: one comes back by being created under its id.
        return writer.write(Operation.CREATE if operation is Operation.RESTORE else operation, changes, options)

    def fetch(self, object: str, field: str, values: Sequence[str], fields: Sequence[str]) -> list[dict[str, Scalar]]:
        """The records whose `field` (the id or a key) has one of `values`; each row holds `fields`, typed."""
        return self._reader.fetch(self._table(object), field, values, fields)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _refuse_secured_since(self, query: Extract, spool: Spool) -> None:
        """Dataverse answers a column that may not be read with nulls and no word: look whether one is, by now."""
        path = f"{metadata.attributes_path(query.object)}&$filter=IsSecured eq true"
        secured = self._service.values(path, f"look for secured columns of {query.object}")
        now = ColumnSecurity(self._service, self.account).access(query.object, secured) if secured else {}
        hidden = [name for name in query.fields if name in now and not now[name].read]
        if hidden:
            spool.restart({})
            self._tables.pop(query.object, None)
            raise CRMError(
                f"{self.account}.{query.object}.{hidden[0]} was hidden from this user while it was being read: nothing "
                "of what came is kept, and its values stay as they were",
                hint=f"{now[hidden[0]].why}; then run the import again",
            )

    def _table(self, name: str) -> metadata.Table:
        found = self._tables.get(name)
        if found is None:
            found = self._described(name)
            self._tables[name] = found
        return found

    def _described(self, name: str) -> metadata.Table:
        purpose = f"describe {name}"
        try:
            definition = self._service.get(metadata.definition_path(name), purpose)
        except CRMError as error:
            if error.status != _NOT_FOUND:
                raise
            raise self._unknown(name) from None
        attributes, keys = self._service.get_many([metadata.attributes_path(name), metadata.keys_path(name)], purpose)
        columns = attributes["value"]
        details = self._service.get_many(metadata.cast_paths(name, columns), purpose)
        return metadata.table(
            self.account,
            definition,
            columns,
            [entry for reply in details for entry in reply["value"]],
            keys["value"],
            self._security.access(name, columns),
        )

    def _unknown(self, name: str) -> ConfigurationError:
        known = [summary.name for summary in self.objects()]
        close = difflib.get_close_matches(name.lower(), known, n=1)
        return ConfigurationError(
            Fault(
                f"account '{self.account}' has no table '{name}'",
                allowed=tuple(known),
                hint=f"did you mean '{close[0]}'?" if close else "tables go by their logical name, such as contact",
            )
        )

    def _all_definitions(self) -> list[dict[str, Any]]:
        if self._definitions is None:
            self._definitions = self._service.values(metadata.OBJECTS_PATH, "list tables")
        return self._definitions

    def _entity_sets(self) -> Mapping[str, str]:
        return {entry["LogicalName"]: entry["EntitySetName"] for entry in self._all_definitions()}
