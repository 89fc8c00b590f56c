"""The state of one simulated Dataverse organisation: tables, users, versions, apart from every wire format."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from backhaul.simulator.clock import Clock
from backhaul.simulator.faults import Faults, RequestLog
from backhaul.simulator.store import Store

from . import entra
from .edm import Attribute, Choice, Key, Table, stable_id, with_shadows
from .generate import generate_sql
from .retrieval import Boundaries
from .rows import Shape, row_sql
from .sql import guid, quote
from .tables import STANDARD, stamps, states
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
        self.origins: set[str] = set()
        self.generation = 0
        self.server_id = stable_id("web server").replace("-", "")
        self._lock = threading.Lock()
        self._load()

    def _load(self) -> None:
        self.tables: dict[str, Table] = {table.name: table for table in STANDARD}
        custom = self.store.get("custom", {})
        for name, fields in custom.items():
            self._extend(name, fields)
        self._index()
        for table in self.tables.values():
            self.store.define(table.name, table.columns)
        columns = {"id": "VARCHAR", "object": "VARCHAR", "version": "BIGINT", "deleted_at": "TIMESTAMP"}
        self.store.define(_TOMBSTONES, columns)
        self._version, self._minted = (int(one) for one in self.store.get("drawn", [1_000_000, 0]))
        self.metadata_version = int(self.store.get("metadata_version", 1))
        self._settings: dict[str, Any] = self.store.get("settings", dict(_SETTINGS))
        self.directory = entra.Directory(self.store)
        if not self.store.count("systemuser"):
            self._found()
        self.generation += 1

    def _index(self) -> None:
        self.by_set = {table.set_name: table for table in self.tables.values()}

    def _found(self) -> None:
        """Put in what every organisation has: business unit, users, currency."""
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
                    "businessunitid": BUSINESS_UNIT_ID,
                    "isdisabled": False,
                },
                {
                    "systemuserid": OTHER_USER_ID,
                    "fullname": "Robin Sales",
                    "firstname": "Robin",
                    "lastname": "Sales",
                    "domainname": "robin.sales@contoso.example",
                    "internalemailaddress": "robin.sales@contoso.example",
                    "businessunitid": BUSINESS_UNIT_ID,
                    "isdisabled": False,
                },
            ],
        )

    # --- what writing needs -------------------------------------------------------------------------------

    def next_version(self) -> int:
        """Draw the next row version: one row of numbers for the whole database (§3.9)."""
        with self._lock:
            self._version += 1
            return self._version

    def new_id(self) -> str:
        """Mint a record id. Later ids are greater, as with the service's sequential GUIDs."""
        with self._lock:
            self._minted += 1
            return f"{0xC0000000 + self._minted // 65536:08x}-{self._minted % 65536:04x}-f011-8000-000d3a5b0001"

    def blank(self, table: Table, record_id: str, user_id: str) -> Row:
        """Give a new row with the service's defaults."""
        now = kept_instant(self.clock.now())
        row: Row = dict.fromkeys(table.columns)
        row[table.primary_id] = record_id
        for attribute in table.attributes.values():
            if attribute.in_odata and attribute.default is not None:
                row[attribute.name] = attribute.default
        row |= {"createdon": now, "modifiedon": now, "createdby": user_id, "modifiedby": user_id}
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
        self.store.remove(table.name, table.primary_id, ids)
        for other in self.tables.values():
            for attribute in other.attributes.values():
                if attribute.is_lookup and attribute.in_odata and table.name in attribute.targets:
                    column = quote(attribute.name)
                    self.store.execute(
                        f"UPDATE {quote(other.name)} SET {column} = NULL WHERE list_contains(?, {column})", [list(ids)]
                    )
        now = kept_instant(self.clock.now())
        rows = [{"id": one, "object": table.name, "version": self.next_version(), "deleted_at": now} for one in ids]
        self.store.insert(_TOMBSTONES, rows)

    def user_of(self, application_id: str) -> Mapping[str, Any] | None:
        """Give the application user of an app registration, None when it is not a member of the organisation."""
        found = self.store.dicts("SELECT * FROM systemuser WHERE applicationid = ?", [application_id])
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
        table = self._table(object)
        expression = row_sql(table, list(table.properties.values()), Shape(etag=False, lookup_name=True), self.tables)
        sql = f"SELECT {expression} FROM {quote(table.name)} t ORDER BY t.{quote(table.primary_id)}"
        return [orjson.loads(text) for (text,) in self.store.query(sql)]

    def tombstones(self, object: str) -> list[dict[str, Any]]:
        """Give what is remembered of deleted records: id, version, deleted_at, in the order of their deletion."""
        sql = f"SELECT id, version, deleted_at FROM {quote(_TOMBSTONES)} WHERE object = ? ORDER BY version"
        return self.store.dicts(sql, [object])

    def add_fields(self, object: str, fields: Sequence[Mapping[str, Any]]) -> None:
        """Add columns to a table, which is made (as a custom, user-owned one) when there is none of that name.

        A field is ``{"name", "type", "label"?, "schema_name"?, "length"?, "precision"?, "minimum"?, "maximum"?,
        "format"?, "behavior"?, "choices"? {value: label}, "targets"?, "required"?, "key"? bool}``; `type` is the
        AttributeType (MultiSelectPicklist by its own name). Raises ValueError for a type there is not.
        """
        with self.store.transaction():
            custom = self.store.get("custom", {})
            custom.setdefault(object, []).extend(dict(one) for one in fields)
            self._extend(object, fields)
            self.store.set("custom", custom)
            self.metadata_version += 1
            self.store.set("metadata_version", self.metadata_version)
        self._index()
        self.store.define(object, self.tables[object].columns)
        self.generation += 1

    def settings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and give all of them.

        ``token_seconds`` (life of new tokens), ``dop_hint`` (x-ms-dop-hint), ``member`` (false: the application
        has no user in the organisation), ``roles`` (false: its user has no role), ``disabled`` (its user is
        disabled). Raises ValueError for another name.
        """
        unknown = set(changes) - set(_SETTINGS)
        if unknown:
            raise ValueError(f"no setting {', '.join(sorted(unknown))}; there are {', '.join(_SETTINGS)}")
        self._settings |= changes
        self.store.set("settings", self._settings)
        return dict(self._settings)

    def setting(self, name: str) -> Any:
        """Give one setting."""
        return self._settings[name]

    def reset(self) -> None:
        """Become a new, empty organisation; tokens given out before stay good, as the directory is another house."""
        key = self.directory.private_pem
        with self.store.transaction():
            self.store.drop_all()
        self.store.set(entra.KEY_SETTING, key)
        self.faults.clear()
        self.requests.clear()
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

    def _extend(self, name: str, fields: Sequence[Mapping[str, Any]]) -> None:
        table = self.tables.get(name)
        if table is None:
            table = _new_table(name, 10_000 + len(self.tables))
        table = table.with_attributes(*(_attribute(one) for one in fields))
        keys = [Key(f"{one['name']}_key", (str(one["name"]),)) for one in fields if one.get("key")]
        self.tables[name] = Table(
            **{
                **{f: getattr(table, f) for f in Table.__dataclass_fields__},
                "keys": (*table.keys, *keys),
            }
        )


_SETTINGS: dict[str, Any] = {"token_seconds": 3599, "dop_hint": 8, "member": True, "roles": True, "disabled": False}


def _new_table(name: str, code: int) -> Table:
    key = Attribute(f"{name}id", "Uniqueidentifier", name, update=False, required="SystemRequired")
    primary_name = Attribute(f"{name.split('_')[0]}_name", "String", "Name")
    owner = Attribute("ownerid", "Owner", "Owner", targets=("systemuser", "team"))
    rows = states(name, {0: ("Active", 1), 1: ("Inactive", 2)}, {1: ("Active", 0), 2: ("Inactive", 1)})
    every = {one.name: one for part in (key, primary_name, owner, *rows, *stamps()) for one in with_shadows(part)}
    return Table(name, f"{name}s", name, code, every, key.name, primary_name.name, schema_name=name, custom=True)


def _attribute(field: Mapping[str, Any]) -> Attribute:
    from .edm import TYPES

    known = {"name", "type", "label", "schema_name", "length", "precision", "minimum", "maximum", "format"} | {
        "behavior",
        "choices",
        "targets",
        "required",
        "key",
        "default",
    }
    unknown = set(field) - known
    if unknown or field.get("type") not in TYPES:
        raise ValueError(f"a field needs a type of {', '.join(TYPES)} and knows {', '.join(sorted(known))}: {field}")
    options = {name: value for name, value in field.items() if name not in ("key", "choices", "targets", "label")}
    choices = tuple(Choice(int(value), str(label)) for value, label in dict(field.get("choices", {})).items())
    options["label"] = field.get("label", field["name"])
    return Attribute(**options, choices=choices, targets=tuple(field.get("targets", ())))


def utc(value: datetime) -> datetime:
    """Give an instant in UTC; without a zone it is taken as UTC."""
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
