"""The state of one simulated Dataverse organisation: tables, users, versions, apart from every wire format."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from backhaul.simulator.clock import Clock
from backhaul.simulator.faults import Faults, RequestLog
from backhaul.simulator.store import Store

from . import bulk as bulk_messages
from . import entra, files, plugins, settings
from .edm import TEXTS, Table, stable_id
from .generate import generate_sql
from .limits import Limits
from .operations import check_duplicates, checked_rule, run_jobs
from .relations import MANY_TO_MANY, ManyToMany, Relations
from .retrieval import Boundaries
from .rows import Shape, row_sql
from .sales_tables import SALES
from .schema import Schema
from .security import ADMINISTRATOR, BASIC_USER, ROLES, check_secured, secured
from .sql import guid, quote
from .system_tables import SYSTEM
from .tables import STANDARD
from .values import kept_instant, seeded
from .work import Row, Work
from .writes import settle

ORGANIZATION_ID = stable_id("organization")
BUSINESS_UNIT_ID = stable_id("businessunit")
APPLICATION_USER_ID = stable_id("systemuser", "application")
OTHER_USER_ID = stable_id("systemuser", "sales")
CURRENCY_ID = stable_id("transactioncurrency")
_TOMBSTONES = "_deleted"


class DataverseOrg:
    """One organisation with its own directory tenant. The verbs are those of :class:`backhaul.simulator.control.Org`.

    `store` None makes one in memory. `tables` are the table definitions by logical name, `by_set` by entity set.
    `origins` are the root URLs the organisation is known under, which tokens may be asked for; the address a request
    came in by always counts.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.clock = Clock(self.store)
        self.faults = Faults()
        self.requests = RequestLog()
        self.boundaries = Boundaries()
        self.limits = Limits(lambda: self._settings)
        self.origins: set[str] = set()
        self.uploads: dict[str | None, tuple[str, bytearray]] = {}  # files that come in chunks, by session
        self.generation = 0
        self._lock = threading.Lock()
        self._before: tuple[dict[str, Table], datetime] | None = None
        self._load()

    def _load(self) -> None:
        self._settings: dict[str, Any] = settings.changed({}, self.store.get("settings", {}))
        self.schema = Schema(self.store)
        self.tables: dict[str, Table] = self._defined()
        self._index()
        shape = _shape(self.tables.values())
        for name, columns in shape.items():
            self.store.define(name, columns)
        self._version, self._minted = (int(one) for one in self.store.get("drawn", [1_000_000, 0]))
        self.metadata_version = int(self.store.get("metadata_version", 1))
        self.directory = entra.Directory(self.store)
        if self._settings["client_secret"]:
            self.directory.secrets[entra.CLIENT_ID] = self._settings["client_secret"]
        person = entra.Account(
            stable_id("person", entra.USER_NAME), entra.USER_NAME, "Robin Sales", entra.USER_PASSWORD
        )
        self.directory.enroll(person)
        for one in self.store.get("accounts", []):
            self.directory.enroll(entra.Account(**one))
        self.directory.register(self.store.get("applications", {}))
        self.jobs_waiting = True  # there may be some
        self.duplicate_rules: list[dict[str, Any]] = self.store.get("duplicate_rules", [])
        self.plugins: list[plugins.Rule] = self.store.get("plugins", [])
        with self.store.transaction():
            if not self.store.count("organization"):
                self._describe()
            if not self.store.count("systemuser"):
                self._found()
        self.generation += 1

    def _index(self) -> None:
        self.by_set = {table.set_name: table for table in self.tables.values()}
        self.relations = Relations(self.tables, (*MANY_TO_MANY, *self.schema.associations))

    def _describe(self) -> None:
        """Put in what the service itself says of an organisation: its settings and the messages it takes."""
        organization = {"organizationid": ORGANIZATION_ID, "name": "Contoso", "languagecode": 1033}
        self.seed("organization", [{**organization, "expirechangetrackingindays": 7}])
        messages = [{"sdkmessageid": stable_id("sdkmessage", name), "name": name} for name in bulk_messages.MESSAGES]
        self.seed("sdkmessage", messages)
        self._offer_bulk_messages([table for table in self.tables.values() if not table.read_only])
        for name, (role_id, template) in ROLES.items():
            self.seed("roletemplate", [{"roletemplateid": template, "name": name}])
            self.seed("role", [{"roleid": role_id, "name": name, "roletemplateid": template}])

    def _found(self) -> None:
        """Put in what every organisation begins with: business unit, users, currency."""
        self.seed("businessunit", [{"businessunitid": BUSINESS_UNIT_ID, "name": "Contoso"}])
        self.seed(
            "transactioncurrency",
            [
                {
                    "transactioncurrencyid": CURRENCY_ID,
                    "currencyname": "US Dollar",
                    "isocurrencycode": "USD",
                    "currencysymbol": "$",
                    "currencyprecision": 2,
                }
            ],
        )
        self.seed(
            "systemuser",
            [
                {
                    "systemuserid": APPLICATION_USER_ID,
                    "fullname": "# backhaul",
                    "lastname": "backhaul",
                    "applicationid": entra.CLIENT_ID,
                    "azureactivedirectoryobjectid": stable_id("service principal", entra.CLIENT_ID),
                    "businessunitid": BUSINESS_UNIT_ID,
                    "isdisabled": False,
                },
                {
                    "systemuserid": OTHER_USER_ID,
                    "fullname": "Robin Sales",
                    "firstname": "Robin",
                    "lastname": "Sales",
                    "domainname": entra.USER_NAME,
                    "internalemailaddress": entra.USER_NAME,
                    "azureactivedirectoryobjectid": stable_id("person", entra.USER_NAME),
                    "businessunitid": BUSINESS_UNIT_ID,
                    "isdisabled": False,
                },
            ],
        )
        self._assign_role()

    def _assign_role(self) -> None:
        """Give the application's user the role that the setting ``administrator`` says, in place of the other."""
        self.store.execute("DELETE FROM systemuserroles")
        wanted = ADMINISTRATOR if self._settings["administrator"] else BASIC_USER
        pair = {"systemuserid": APPLICATION_USER_ID, "roleid": ROLES[wanted][0]}
        self.seed("systemuserroles", [pair])

    def _offer_bulk_messages(self, tables: Sequence[Table]) -> None:
        """List the bulk messages that `tables` take, where clients look them up (§5.3)."""
        rows = [
            {
                "sdkmessagefilterid": stable_id("sdkmessagefilter", table.name, name),
                "sdkmessageid": stable_id("sdkmessage", name),
                "primaryobjecttypecode": table.name,
            }
            for table in tables
            for name in bulk_messages.MESSAGES
            if name != "DeleteMultiple" or table.kind == "Elastic"
        ]
        self.seed("sdkmessagefilter", rows)

    # --- what writing needs -------------------------------------------------------------------------------

    def next_version(self) -> int:
        """Draw the next row version: one row of numbers for the whole database (§3.9)."""
        with self._lock:
            self._version += 1
            return self._version

    def committed_version(self) -> int:
        """Give the last row version that is committed: every row up to it can be read."""
        return int(self.store.get("drawn", [1_000_000, 0])[0])

    def tracked_from(self, object: str) -> int:
        """Give the version before which a table's delta tokens have expired."""
        return int(self.store.get("tracked_from", {}).get(object, 0))

    def expire_tokens(self, object: str) -> None:
        """Let every delta token of a table that was given out until now expire, as the service's clean-up does."""
        with self.store.transaction():
            kept = self.store.get("tracked_from", {})
            # Drawing a version makes the tokens of an idle organisation old, too.
            kept[self._table(object).name] = self.next_version()
            self.store.set("tracked_from", kept)
            self.changed()

    def new_id(self) -> str:
        """Mint a record id. Later ids are greater, as with the service's sequential GUIDs."""
        with self._lock:
            self._minted += 1
            return f"{0xC0000000 + self._minted // 65536:08x}-{self._minted % 65536:04x}-f011-8000-000d3a5b0001"

    def blank(self, table: Table, record_id: str, user_id: str) -> Row:
        """Give a new row with the service's defaults."""
        now = kept_instant(self.clock.now())
        row: Row = dict(table.blank_row)
        row[table.primary_id] = record_id
        for name, value in (("createdon", now), ("modifiedon", now), ("createdby", user_id), ("modifiedby", user_id)):
            if name in row:
                row[name] = value
        if "ownerid" in table.attributes:
            row |= {"ownerid": user_id, "ownerid__type": "systemuser"}
        if "statecode" in table.attributes:
            row |= {"statecode": 0, "statuscode": table.attributes["statecode"].choices[0].default_status}
        if "transactioncurrencyid" in table.attributes and table.primary_id != "transactioncurrencyid":
            row["transactioncurrencyid"] = CURRENCY_ID
        return row

    def changed(self) -> None:
        """Note, inside the store's transaction, that rows were written."""
        self.store.set("drawn", [self._version, self._minted])
        self.generation += 1

    def forget(self, table: Table, ids: Sequence[str]) -> None:
        """Take rows away: lookups to them are emptied, and a tombstone keeps id, version and time of each."""
        content: dict[str, str] = {}
        if self.setting("recycle_days"):
            expression = row_sql(table, list(table.properties.values()), Shape(etag=False, whole=True), self.tables)
            key = f"t.{quote(table.primary_id)}"
            sql = f"SELECT {key}, {expression} FROM {quote(table.name)} t WHERE list_contains(?, {key})"
            content = dict(self.store.query(sql, [list(ids)]))
        self.store.remove(table.name, table.primary_id, ids)
        for other in self.tables.values():
            if other.intersect and table.primary_id in other.columns:
                column = quote(table.primary_id)
                self.store.execute(f"DELETE FROM {quote(other.name)} WHERE list_contains(?, {column})", [list(ids)])
            for attribute in other.attributes.values():
                if attribute.is_lookup and attribute.in_odata and table.name in attribute.targets:
                    column = quote(attribute.name)
                    self.store.execute(
                        f"UPDATE {quote(other.name)} SET {column} = NULL WHERE list_contains(?, {column})", [list(ids)]
                    )
        now = kept_instant(self.clock.now())
        rows = [
            {
                "id": one,
                "object": table.name,
                "version": self.next_version(),
                "deleted_at": now,
                "content": content.get(one),
            }
            for one in ids
        ]
        self.store.insert(_TOMBSTONES, rows)

    def audit(self, work: Work, event: tuple[int, int], table: Table, record_id: str, user_id: str) -> None:
        """Write an audit row (`event`: operation, action) when auditing is on."""
        if not self.setting("auditing") or table.name not in self.tables["audit"].attributes["objectid"].targets:
            return
        row: Row = dict.fromkeys(self.tables["audit"].columns)
        row |= {"auditid": self.new_id(), "operation": event[0], "action": event[1], "objecttypecode": table.name}
        row |= {"objectid": record_id, "objectid__type": table.name, "userid": user_id}
        work.put(
            self.tables["audit"],
            {**row, "createdon": kept_instant(self.clock.now()), "versionnumber": self.next_version()},
        )

    def binned(self, table: Table, record_id: str) -> Row | None:
        """Give the stored values of a deleted row that the recycle bin still has."""
        days = float(self.setting("recycle_days"))
        since = kept_instant(self.clock.now() - timedelta(days=days))
        sql = (
            f"SELECT content FROM {quote(_TOMBSTONES)} WHERE object = ? AND id = ? AND deleted_at > ? ORDER BY version"
        )
        found = self.store.query(sql, [table.name, record_id, since]) if days else []
        if not found or found[-1][0] is None:
            return None
        return self._given(table, orjson.loads(found[-1][0]))

    def duplicate_check(self, work: Work) -> Callable[[Table, Row], None]:
        """Give what refuses a duplicate by the rules in force."""
        return lambda table, row: check_duplicates(work, self.duplicate_rules, table, row)

    def user_of(self, claims: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Give the user that a token's claims name: a person by object id, else the application user of an app
        registration; None when it is not a member of the organisation."""
        person = "scp" in claims
        column = "azureactivedirectoryobjectid" if person else "applicationid"
        value = str(claims.get("oid" if person else "appid", ""))
        found = self.store.dicts(f"SELECT * FROM systemuser WHERE {column} = ?", [value])
        return found[0] if found else None

    # --- the control door ---------------------------------------------------------------------------------

    def seed(
        self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None
    ) -> list[str]:
        """Put records in as they are, without the API's rules; gives their ids. See ``control.Org``.

        Fields go by logical or wire name; a lookup takes a GUID, and ``<lookup>__type`` names the table of a
        polymorphic one. A record whose id exists replaces that one.
        """
        table = self._table(object)
        with self.store.transaction():
            work = Work(self)
            given = [self._given(table, record) for record in records]
            work.prefetch(table, [str(row[table.primary_id]) for row in given if table.primary_id in row])
            ids: list[str] = []
            for values in given:
                record_id = str(values.get(table.primary_id) or self.new_id())
                row = self.blank(table, record_id, OTHER_USER_ID)
                if modified_at is not None:
                    row |= {"createdon": kept_instant(modified_at), "modifiedon": kept_instant(modified_at)}
                row |= values
                self._settle(table, row, values)
                row.update({"versionnumber": self.next_version(), table.primary_id: record_id})
                work.put(table, row)
                ids.append(record_id)
            work.flush()
        return ids

    def generate(self, object: str, count: int, *, seed: int = 1) -> int:
        """Put `count` realistic contacts or leads in, the same for the same `seed`. Raises ValueError for others."""
        table = self._table(object)
        with self.store.transaction():
            first = self._version + 1
            sql, parameters = generate_sql(table, count, seed, first, self.clock.now())
            self.store.execute(sql, parameters)
            self._version += count
            self.changed()
        return count

    def change(
        self, object: str, records: Sequence[Mapping[str, Any]], *, modified_at: datetime | None = None
    ) -> list[str]:
        """Change records as another user; each names its id. Raises ValueError for one that is not there."""
        table = self._table(object)
        stamp = kept_instant(modified_at or self.clock.now())
        with self.store.transaction():
            work = Work(self)
            given = [self._given(table, record) for record in records]
            work.prefetch(table, [str(row.get(table.primary_id)) for row in given])
            for values in given:
                record_id = str(values.get(table.primary_id))
                before = work.get(table, record_id)
                if before is None:
                    raise ValueError(f"{object} has no record {record_id}")
                row = {**before, "modifiedon": stamp, "modifiedby": OTHER_USER_ID, **values}
                self._settle(table, row, values)
                row["versionnumber"] = self.next_version()
                work.put(table, row)
            work.flush()
        return [str(values[table.primary_id]) for values in given]

    def delete(self, object: str, ids: Sequence[str], *, purge: bool = False) -> int:
        """Delete records; gives how many there were. Dataverse keeps none, so `purge` changes nothing."""
        table = self._table(object)
        with self.store.transaction():
            work = Work(self)
            wanted = [guid(one) or one for one in ids]
            work.prefetch(table, wanted)
            there = [one for one in wanted if work.get(table, one) is not None]
            for one in there:
                work.remove(table, one)
            work.flush()
        return len(there)

    def dump(self, object: str) -> list[dict[str, Any]]:
        """Give every record with every property, spelled as the Web API spells it, ordered by id."""
        run_jobs(self)
        table = self._table(object)
        expression = row_sql(
            table, list(table.properties.values()), Shape(etag=False, lookup_name=True, whole=True), self.tables
        )
        sql = f"SELECT {expression} FROM {quote(table.name)} t ORDER BY t.{quote(table.primary_id)}"
        return [orjson.loads(text) for (text,) in self.store.query(sql)]

    def tombstones(self, object: str) -> list[dict[str, Any]]:
        """Give what is remembered of deleted records: id, version, deleted_at, in the order of their deletion."""
        sql = f"SELECT id, version, deleted_at FROM {quote(_TOMBSTONES)} WHERE object = ? ORDER BY version"
        return self.store.dicts(sql, [object])

    def add_fields(self, object: str, fields: Sequence[Mapping[str, Any]]) -> None:
        """Add columns to a table, which is made (as a custom, user-owned one) when there is none of that name.

        A field is ``{"name", "type", "label"?, "schema_name"?, "length"?, "precision"?, "minimum"?, "maximum"?,
        "format"?, "behavior"?, "choices"? {value: label}, "labels"? [of false, of true], "targets"?, "required"?,
        "default"?, "create"? bool, "update"? bool, "key"? bool}``; `type` is the AttributeType (MultiSelectPicklist
        by its own name). Raises ValueError for a type there is not.
        """
        self.define(object, fields=fields)

    def define(
        self,
        object: str,
        *,
        options: Mapping[str, Any] | None = None,
        fields: Sequence[Mapping[str, Any]] = (),
        keys: Sequence[Mapping[str, Any]] = (),
        dropped: Sequence[str] = (),
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Change a table's definition, or make the table. Raises ValueError for what cannot be.

        `options` are ``set_name``, ``label``, ``schema_name``, ``primary_name`` (of a new table), ``ownership``,
        ``change_tracking``, ``concurrency``, ``locks_inactive`` (all bool) and ``type`` (``Standard`` or ``Elastic``);
        `keys` are ``{"name", "columns", "status"?}``; `dropped` names columns, keys, or the table itself; `overrides`
        are changed properties of columns there are.
        """
        before = dict(self.tables)
        if object in before and (options or {}).get("change_tracking") and not before[object].change_tracking:
            self.expire_tokens(object)
        with self.store.transaction():
            self.schema.add(object, options=options, fields=fields, keys=keys)
            self.schema.override(object, overrides or {})
            for name in dropped:
                self.schema.drop(object, name)
            self.schema.keep()
            self.metadata_version += 1
            self.store.set("metadata_version", self.metadata_version)
        self._apply_schema()
        if object in self.tables and object not in before:
            self._offer_bulk_messages([self.tables[object]])
        lag = float(self.setting("metadata_lag_seconds"))
        self._before = (before, self.clock.now() + timedelta(seconds=lag)) if lag else None
        self.generation += 1

    def _defined(self) -> dict[str, Table]:
        tables = self.schema.apply((*STANDARD, *SALES, *SYSTEM))
        return secured(tables, self._settings["secured_columns"], everything=self._settings["administrator"])

    def _apply_schema(self) -> None:
        self.tables = self._defined()
        self._index()
        for name in {*self.schema.entries, *(one.intersect for one in self.schema.associations)} & set(self.tables):
            self.store.define(name, self.tables[name].columns)

    def forget_schema_changes(self) -> None:
        """Read the definitions anew, after a schema request whose transaction was taken back."""
        self.schema = Schema(self.store)
        self.metadata_version = int(self.store.get("metadata_version", 1))
        self._apply_schema()
        self.generation += 1

    def schema_state(self) -> object:
        """Give what :meth:`restore_schema` takes back to."""
        return deepcopy((self.schema.entries, self.schema.associations, self.schema.option_sets))

    def restore_schema(self, state: object) -> None:
        """Take the definitions back to an earlier state, inside the store's transaction."""
        self.schema.restore(state)
        self._apply_schema()

    def associate(self, relation: ManyToMany) -> None:
        """Make an N:N relationship and its intersect table."""
        self.schema.associate(relation)
        self._apply_schema()

    def dissociate(self, relation: ManyToMany) -> None:
        """Drop an N:N relationship."""
        self.schema.dissociate(relation)
        self._apply_schema()

    def index_key(self, table: Table, name: str, columns: Sequence[str]) -> None:
        """Make an alternate key whose index a job builds: Pending, then Active or, over duplicates, Failed (§2.2)."""
        due = self.clock.now() + timedelta(seconds=float(self.setting("job_seconds")))
        self.define(table.name, keys=[{"name": name, "columns": list(columns), "status": "Pending"}])
        self.store.set("indexing", [*self.store.get("indexing", []), [table.name, name, due.isoformat()]])
        self.jobs_waiting = True

    def build_indexes(self) -> bool:
        """Finish the indexes of keys whose time has come; gives whether some are left."""
        left = []
        for object, name, due in self.store.get("indexing", []):
            if datetime.fromisoformat(due) > self.clock.now():
                left.append([object, name, due])
                continue
            table = self.tables.get(object)
            key = next((one for one in table.keys if one.name == name), None) if table else None
            if table is None or key is None:
                continue
            named = ", ".join(
                f"lower({quote(one)})" if table.attributes[one].type in TEXTS else quote(one) for one in key.columns
            )
            whole = " AND ".join(f"{quote(one)} IS NOT NULL" for one in key.columns)
            sql = f"SELECT 1 FROM {quote(object)} WHERE {whole} GROUP BY {named} HAVING count(*) > 1 LIMIT 1"
            status = "Failed" if self.store.query(sql) else "Active"
            self.define(object, keys=[{"name": name, "columns": list(key.columns), "status": status}])
        self.store.set("indexing", left)
        return bool(left)

    def shown_tables(self, *, strong: bool) -> Mapping[str, Table]:
        """Give the definitions as a reader sees them: a change shows late, unless `strong` (§2.1)."""
        if self._before is not None and not strong and self.clock.now() < self._before[1]:
            return self._before[0]
        return self.tables

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and give all of them: see :mod:`.settings`. Raises ValueError for one there is not."""
        found = settings.changed(self._settings, changes)
        check_secured(self.tables, found["secured_columns"])
        self._settings = found
        self.store.set("settings", self._settings)
        if {"secured_columns", "administrator"} & set(changes):
            self._apply_schema()
            self.generation += 1
        if "administrator" in changes:
            self._assign_role()
        days = changes.get("expire_change_tracking_days")
        if days is not None:
            row = {"organizationid": ORGANIZATION_ID, "expirechangetrackingindays": int(days)}
            self.change("organization", [row])
        if changes.get("client_secret"):
            self.directory.secrets[entra.CLIENT_ID] = changes["client_secret"]
        return dict(self._settings)

    @property
    def verbs(self) -> Mapping[str, Callable[[Any], Any]]:
        """The control door's further requests, each ``POST /_control/<name>``:

        * ``tables``: ``{"object", ...the options, fields, keys and dropped of :meth:`define`}``: make or change a table
          (``{"object": "contact", "change_tracking": false}``);
        * ``expire_tokens``: ``{"object"}``: every delta token of the table that was given out until now has expired;
        * ``plugins``: a rule of :mod:`.plugins` or a list of them, put in force beside the others; ``[]`` takes all
          out of force;
        * ``duplicates``: a duplicate-detection rule ``{"object", "columns"}`` or a list of them, put in force beside
          the others; ``[]`` takes all out of force;
        * ``users``: ``{"name", "password", "full_name"?, "disabled"?, "member"? bool}``: a person of the directory, and
          of the organisation unless ``member`` is false; answers ``{"systemuserid", "object_id"}``;
        * ``applications``: ``{"client_id", "client_secret"?, "certificate"? PEM, "redirects"? [...], "member"? bool}``:
          an app registration (public without secret and certificate) with its application user; answers
          ``{"systemuserid"}``.
        """
        return {
            "tables": self._table_verb,
            "expire_tokens": lambda body: self.expire_tokens(str(body["object"])),
            "plugins": self._plugins_verb,
            "duplicates": self._duplicates_verb,
            "users": self._users_verb,
            "applications": self._applications_verb,
        }

    def _table_verb(self, body: Any) -> None:
        given = dict(body)
        parts = {name: given.pop(name) for name in ("fields", "keys", "dropped") if name in given}
        self.define(str(given.pop("object")), options=given, **parts)

    def _plugins_verb(self, body: Any) -> Any:
        rules = [
            plugins.checked(one, self.tables) for one in (body if isinstance(body, list) else [body] if body else [])
        ]
        self.plugins = [*self.plugins, *rules] if rules else []
        self.store.set("plugins", self.plugins)
        return {"plugins": self.plugins}

    def _duplicates_verb(self, body: Any) -> Any:
        rules = [checked_rule(one, self.tables) for one in (body if isinstance(body, list) else [body] if body else [])]
        self.duplicate_rules = [*self.duplicate_rules, *rules] if rules else []
        self.store.set("duplicate_rules", self.duplicate_rules)
        return {"rules": self.duplicate_rules}

    def _users_verb(self, body: Any) -> Any:
        name = str(body["name"])
        account = entra.Account(
            stable_id("person", name.lower()),
            name,
            str(body.get("full_name", name)),
            str(body["password"]),
            bool(body.get("disabled", False)),
        )
        self.directory.enroll(account)
        self.store.set("accounts", [asdict(one) for one in self.directory.accounts.values()])
        user_id = stable_id("systemuser", name.lower())
        if body.get("member", True):
            row: Row = {"systemuserid": user_id, "fullname": account.name, "lastname": account.name, "domainname": name}
            row |= {"azureactivedirectoryobjectid": account.object_id, "businessunitid": BUSINESS_UNIT_ID}
            self.seed("systemuser", [{**row, "isdisabled": account.disabled}])
        return {"systemuserid": user_id, "object_id": account.object_id}

    def _applications_verb(self, body: Any) -> Any:
        client = str(body["client_id"]).lower()
        kept = {
            **self.store.get("applications", {}),
            client: {name: body[name] for name in body if name != "client_id"},
        }
        self.directory.register(kept)
        self.store.set("applications", kept)
        user_id = stable_id("systemuser", client)
        if body.get("member", True):
            row: Row = {"systemuserid": user_id, "fullname": "# " + client, "lastname": client, "applicationid": client}
            row |= {"businessunitid": BUSINESS_UNIT_ID, "isdisabled": False}
            row["azureactivedirectoryobjectid"] = self.directory.principal(client)
            self.seed("systemuser", [row])
        return {"systemuserid": user_id}

    def setting(self, name: str) -> Any:
        """Give one setting."""
        return self._settings[name]

    def reset(self) -> None:
        """Become a new, empty organisation; tokens given out before stay good, as the directory is another house."""
        key = self.directory.private_pem
        if self.store.has_shape(_shape((*STANDARD, *SALES, *SYSTEM))):
            self.store.empty_all()
        else:
            with self.store.transaction():
                self.store.drop_all()
        self.store.set(entra.KEY_SETTING, key)
        self.faults.clear()
        self.requests.clear()
        self.limits.clear()
        self._before = None
        self._load()
        self.clock.reload()

    def close(self) -> None:
        """Write everything down and close."""
        self.store.close()

    # --- inside -------------------------------------------------------------------------------------------

    def _table(self, name: str) -> Table:
        if name not in self.tables:
            raise ValueError(f"there is no table {name!r}; there are {', '.join(sorted(self.tables))}")
        return self.tables[name]

    def _given(self, table: Table, record: Mapping[str, Any]) -> Row:
        values: Row = {}
        for name, value in record.items():
            attribute = table.properties.get(name) or table.attributes.get(name)
            if attribute is not None and attribute.in_odata:
                values[attribute.name] = seeded(attribute, value)
                if attribute.polymorphic and value is not None:
                    values.setdefault(attribute.type_column, attribute.targets[0])
            elif name in table.columns:
                values[name] = value
            else:
                raise ValueError(f"{table.name} has no field {name!r}")
        return values

    def _settle(self, table: Table, row: Row, values: Row) -> None:
        kept = {name: values[name] for name in ("fullname",) if name in values}
        settle(table, row)
        row.update(kept)
        if "statuscode" in table.attributes and "statecode" in values and "statuscode" not in values:
            states = {choice.value: choice for choice in table.attributes["statecode"].choices}
            row["statuscode"] = states[row["statecode"]].default_status


def _shape(tables: Iterable[Table]) -> dict[str, Mapping[str, str]]:
    """What the store holds when an organisation has these tables."""
    tombstones = {"id": "VARCHAR", "object": "VARCHAR", "version": "BIGINT", "deleted_at": "TIMESTAMP"}
    return {
        **{table.name: table.columns for table in tables},
        _TOMBSTONES: {**tombstones, "content": "VARCHAR"},
        files.TABLE: files.COLUMNS,
    }


def utc(value: datetime) -> datetime:
    """Give an instant in UTC; without a zone it is taken as UTC."""
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
