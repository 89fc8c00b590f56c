"""Creating, changing and deleting single rows, with the service's rules (dataverse-api.md §5.1, §5.2).

Everything is checked before anything is staged, so a refused request leaves no trace in its unit of work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .edm import Attribute, Table, stable_id
from .errors import (
    DataverseError,
    bad_payload,
    bad_query,
    duplicate_key,
    duplicate_record,
    not_found,
    undeclared_annotation,
    undeclared_property,
    version_mismatch,
)
from .expressions import Literal, parse_key
from .plugins import run
from .relations import ManyToMany, OneToMany
from .security import bypasses_plugins, check, check_columns, check_table
from .sql import child_of, guid
from .values import kept_instant, stored
from .wire import Request
from .work import Row, Work, key_named

if TYPE_CHECKING:
    from .org import DataverseOrg

_INSTANCE_ANNOTATIONS = frozenset({"@odata.type", "@odata.id", "@odata.etag", "@odata.context", "@odata.editLink"})
_DANGEROUS = re.compile(r"[/<>*%&:\\?+]")


@dataclass
class Related:
    """What the body of a new row says of other rows: those created before it and looked up by it, those created after
    it in its collections, and those that exist and are put there."""

    before: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    after: dict[str, list[Any]] = field(default_factory=dict)
    links: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Writer:
    """Writes rows of one request through `work`, as the user `user_id`, whom `on_behalf_of` may stand behind.

    `references` maps ``$1`` to the address of what that part of the change set made; `plugins` says whether the
    organisation's plug-ins run, `duplicates` refuses a row that a duplicate-detection rule finds twice.
    """

    org: DataverseOrg
    work: Work
    user_id: str
    references: dict[str, str] = field(default_factory=dict)
    on_behalf_of: str = ""
    plugins: bool = True
    duplicates: Callable[[Table, Row], None] | None = None

    @classmethod
    def of(cls, org: DataverseOrg, work: Work, request: Request, references: dict[str, str] | None = None) -> Writer:
        """Give the writer of one request. Raises DataverseError 403 for a header that its caller may not use."""
        plugins = not bypasses_plugins(org, request)
        writer = cls(org, work, request.user_id, references or {}, request.on_behalf_of, plugins)
        if (request.header("mscrm.suppressduplicatedetection") or "").lower() == "false":
            writer.duplicates = org.duplicate_check(work)
        return writer

    # --- addresses ----------------------------------------------------------------------------------------

    def locate(self, table: Table, key: str, *, in_url: bool = True) -> tuple[str | None, dict[str, Any]]:
        """Read what stands in an address's parentheses: (id, {}) by primary key, (id or None, key columns) by
        alternate key (§5.2). Raises DataverseError 400 when it is no key of the table.
        """
        parsed = parse_key(key)
        if isinstance(parsed, Literal):
            found = guid(str(parsed.value)) if parsed.kind in ("guid", "string") else None
            if found is None:
                raise self._no_key(table)
            return found, {}
        if set(parsed) == {table.primary_id}:
            return self.locate(table, str(parsed[table.primary_id].value))
        columns: dict[str, Any] = {}
        for name, literal in parsed.items():
            attribute = table.properties.get(name)
            if attribute is None:
                raise self._no_key(table)
            if in_url and isinstance(literal.value, str) and _DANGEROUS.search(literal.value):
                raise DataverseError(
                    400, "0x80060888", "A potentially dangerous Request.Path value was detected from the client."
                )
            value = str(literal.value) if attribute.edm == "Edm.Guid" else literal.value
            if isinstance(value, date):
                value = value.isoformat()
            columns[attribute.name] = stored(table, attribute, value)
        chosen = key_named(table, columns)
        if chosen is None:
            raise self._no_key(table)
        return self.work.find(table, chosen, tuple(columns[name] for name in chosen.columns)), columns

    def _no_key(self, table: Table) -> DataverseError:
        return bad_query(f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{table.name}'.")

    def existing(self, table: Table, key: str) -> str:
        """Give the id of the row an address names. Raises 404 0x80040217 or, by alternate key, 0x80060891."""
        record_id, columns = self.locate(table, key)
        if record_id is None:
            shown = ", ".join(f"{name}={value}" for name, value in columns.items())
            raise DataverseError(
                404,
                "0x80060891",
                f"A record with the specified key values does not exist in {table.name} entity ({shown})",
            )
        if self.work.get(table, record_id) is None:
            raise not_found(table.name, record_id)
        return record_id

    def target(self, entity_set: str, table_names: tuple[str, ...], address: str) -> tuple[str, str]:
        """Read the address in an ``@odata.bind``: (table, id). Absolute, rooted, relative, by key or ``$1`` (§2.4)."""
        address = self.references.get(address.strip(), address.strip())
        if address.startswith("$"):
            raise bad_query(f"Content-ID Reference: '{address}' does not exist in the batch context.")
        match = re.search(r"(?:^|/)(\w+)\((.*)\)$", unquote(address), re.DOTALL)
        table = self.org.by_set.get(match[1]) if match else None
        if match is None or table is None:
            raise bad_payload(entity_set, f"Resource not found for the segment '{address}'.")
        if table.name not in table_names:
            raise bad_payload(
                entity_set,
                f"A resource with type 'Microsoft.Dynamics.CRM.{table.name}' was found, but it is not assignable to "
                f"the expected type 'Microsoft.Dynamics.CRM.{table_names[0]}'.",
            )
        record_id, _ = self.locate(table, match[2], in_url=False)
        if record_id is None:
            raise DataverseError(
                404, "0x80060891", f"A record with the specified key values does not exist in {table.name} entity"
            )
        if self.work.get(table, record_id) is None:
            raise not_found(table.name, record_id)
        return table.name, record_id

    # --- bodies -------------------------------------------------------------------------------------------

    def read(self, table: Table, body: Any, related: Related | None = None) -> Row:
        """Give the stored values of a JSON object; columns that cannot be written are read and dropped (§3.9).

        `related` takes what the body says of other rows: a row that is created may bring some along (deep insert).
        """
        if not isinstance(body, Mapping):
            raise bad_payload(table.set_name, "The JSON reader expected a start-object.")
        values: Row = {}
        for name, value in body.items():
            if "@" in name:
                self._annotation(table, name, value, values, related)
            elif name in table.properties:
                attribute = table.properties[name]
                if attribute.is_lookup:
                    raise bad_payload(
                        table.set_name,
                        "CRM do not support direct update of Entity Reference properties, Use Navigation properties "
                        "instead.",
                    )
                values[attribute.name] = stored(table, attribute, value)
            elif name in table.navigations:
                if isinstance(value, Mapping) and related is not None:
                    related.before[name] = value
                elif value is not None:
                    raise bad_payload(table.set_name, "Deep update of related rows is not supported.")
                else:
                    self._bind(table, name, None, values)
            elif name in self.org.relations.collections[table.name] and isinstance(value, list):
                if related is None:
                    raise bad_payload(table.set_name, "Deep update of related rows is not supported.")
                related.after[name] = value
            else:
                raise undeclared_property(table.set_name, table.name, name)
        return values

    def _annotation(self, table: Table, name: str, value: Any, values: Row, related: Related | None) -> None:
        prop, _, annotation = name.partition("@")
        if not prop:
            if name not in _INSTANCE_ANNOTATIONS:
                raise bad_payload(table.set_name, f"The annotation '{name}' is not valid on an entity.")
            return
        if annotation == "odata.bind":
            if prop in self.org.relations.collections[table.name] and isinstance(value, list) and related is not None:
                related.links[prop] = [str(one) for one in value]
                return
            if prop not in table.navigations:
                raise undeclared_annotation(table.set_name, prop)
            self._bind(table, prop, value, values)
        elif prop not in table.properties and prop not in table.navigations:
            raise undeclared_annotation(table.set_name, prop)

    def _bind(self, table: Table, name: str, value: Any, values: Row) -> None:
        attribute, targets = table.navigations[name]
        if value is None:
            values[attribute.name] = None
            if attribute.polymorphic:
                values[attribute.type_column] = None
            return
        if not isinstance(value, str):
            raise bad_payload(table.set_name, f"The value of '{name}@odata.bind' must be an entity reference link.")
        target, record_id = self.target(table.set_name, targets, value)
        values[attribute.name] = record_id
        if attribute.polymorphic:
            values[attribute.type_column] = target

    # --- rows ---------------------------------------------------------------------------------------------

    def create(self, table: Table, body: Any, given: Mapping[str, Any] | None = None) -> str:
        """Create a row; `given` holds what the address says (id or key columns), which the body may override.

        Gives the id. Raises 412 when the id or an alternate key exists, 400 for a body the service refuses.
        """
        self._writable(table, "Create")
        related = Related()
        values = {**(given or {}), **self.read(table, body, related)}
        for name, inner in related.before.items():
            attribute, targets = table.navigations[name]
            values[attribute.name] = self.create(self.org.tables[targets[0]], inner)
            if attribute.polymorphic:
                values[attribute.type_column] = targets[0]
        chosen = values.pop(table.primary_id, None)
        record_id = str(chosen or self.org.new_id())
        if not chosen:
            self.work.fresh(table, record_id)
        elif self.work.get(table, record_id) is not None:
            raise duplicate_record()
        writable = {name: value for name, value in values.items() if _may(table, name, "create")}
        check_columns(self.user_id, table, "create", set(writable))
        if "statuscode" in table.attributes:
            self._states(table, {"statecode": 0}, writable, record_id)
        row = self.org.blank(table, record_id, self.user_id)
        row.update({name: value for name, value in writable.items() if value is not None or name not in _DEFAULTED})
        for name in table.demanded:
            if row.get(name) is None:
                raise DataverseError(400, "0x80040203", f"Attribute: {name} cannot be set to NULL")
        if self.on_behalf_of:
            row["createdonbehalfby"] = self.on_behalf_of
        if writable.get("overriddencreatedon") is not None:
            check(self.org, self.user_id, "prvOverrideCreatedOnCreatedBy")
            # The date given shows as the time of creation, the real one is kept beside it (§3.9).
            row["createdon"], row["overriddencreatedon"] = row["overriddencreatedon"], row["createdon"]
        self._store(table, row, set(row), "Create")
        for name, bodies in related.after.items():
            self._bring_along(table, record_id, name, bodies)
        for name, addresses in related.links.items():
            for address in addresses:
                self.associate(table, record_id, name, address)
        return record_id

    def _bring_along(self, table: Table, record_id: str, name: str, bodies: list[Any]) -> None:
        """Create the rows of a collection-valued navigation property with the row that they hang on (§5.1)."""
        for body in bodies:
            self.create_in(table, record_id, name, body)

    def create_in(self, table: Table, record_id: str, name: str, body: Any) -> str:
        """Create a row in a collection of a row; gives its id."""
        relation = self.org.relations.collections[table.name][name]
        child = self.org.tables[child_of(relation, table)]
        if isinstance(relation, ManyToMany):
            child_id = self.create(child, body)
            self._pair(relation, table, record_id, child_id)
            return child_id
        given: Row = {relation.attribute.name: record_id}
        if relation.attribute.polymorphic:
            given[relation.attribute.type_column] = table.name
        return self.create(child, body, given)

    def put(self, table: Table, record_id: str, changed: Row, *, new: bool = False) -> None:
        """Set columns of a row as the service itself does, whatever callers may write; `new`: it was not there."""
        before = self.org.blank(table, record_id, self.user_id) if new else self.work.get(table, record_id)
        assert before is not None
        self._store(table, {**before, **changed}, set(changed), "Create" if new else "Update")

    # --- links --------------------------------------------------------------------------------------------

    def associate(self, table: Table, record_id: str, name: str, address: str) -> None:
        """Put the row at `address` into a collection of a row (``POST .../nav/$ref``, §5.1)."""
        relation = self.org.relations.collections[table.name][name]
        child = self.org.tables[child_of(relation, table)]
        _, child_id = self.target(table.set_name, (child.name,), address)
        if isinstance(relation, ManyToMany):
            self._pair(relation, table, record_id, child_id)
        else:
            self._link(relation, child, child_id, (table.name, record_id))

    def disassociate(self, table: Table, record_id: str, name: str, key: str) -> None:
        """Take a row out of a collection of a row (``DELETE .../nav(id)/$ref``)."""
        relation = self.org.relations.collections[table.name][name]
        child = self.org.tables[child_of(relation, table)]
        child_id = self.existing(child, key)
        if isinstance(relation, ManyToMany):
            intersect = self.org.tables[relation.intersect]
            pair = _pair_id(relation, table, record_id, child_id)
            if self.work.get(intersect, pair) is not None:
                self.work.remove(intersect, pair)
        else:
            self._link(relation, child, child_id, None)

    def _link(self, relation: OneToMany, child: Table, child_id: str, to: tuple[str, str] | None) -> None:
        self._writable(child, "Write")
        before = self.work.get(child, child_id)
        assert before is not None
        attribute = relation.attribute
        changed: Row = {attribute.name: to[1] if to else None}
        if attribute.polymorphic:
            changed[attribute.type_column] = to[0] if to else None
        self._store(child, {**before, **changed}, set(changed), "Update")

    def _pair(self, relation: ManyToMany, table: Table, record_id: str, child_id: str) -> None:
        intersect, child = self.org.tables[relation.intersect], self.org.tables[relation.other(table.name)]
        pair = _pair_id(relation, table, record_id, child_id)
        if self.work.get(intersect, pair) is not None:
            raise DataverseError(412, "0x80040237", "Cannot insert duplicate key.")
        row: Row = {intersect.primary_id: pair, table.primary_id: record_id, child.primary_id: child_id}
        self.work.put(intersect, {**row, "versionnumber": self.org.next_version()})

    def update(self, table: Table, record_id: str, body: Any, *, matched: Mapping[str, Any] | None = None) -> None:
        """Change a row that exists; `matched` are the key columns of the address, which the body cannot change."""
        self._writable(table, "Write")
        before = self.work.get(table, record_id)
        if before is None:
            raise not_found(table.name, record_id, updating=True)
        values = self.read(table, body)
        changed = {
            name: value for name, value in values.items() if _may(table, name, "update") and name not in (matched or {})
        }
        changed.pop(table.primary_id, None)
        if table.locks_inactive and before.get("statecode") and "statecode" not in changed:
            raise DataverseError(
                400, "0x80040230", f"Cannot update {table.schema_name} because it is inactive. Activate it first."
            )
        check_columns(self.user_id, table, "update", set(changed))
        if "statuscode" in table.attributes:
            self._states(table, before, changed, record_id)
        self._store(table, {**before, **changed}, set(changed), "Update")

    def upsert(self, table: Table, key: str, body: Any, *, only: str = "", in_url: bool = True) -> tuple[str, bool]:
        """Write to an address: create what is not there, change what is (§5.1, §5.2).

        `only` is ``update`` (If-Match: *) or ``create`` (If-None-Match: *); `in_url` says that the address came in
        the URL, where some characters cannot stand. Gives (id, created).
        """
        record_id, columns = self.locate(table, key, in_url=in_url)
        exists = record_id is not None and self.work.get(table, record_id) is not None
        if exists and only == "create":
            raise duplicate_record()
        if not exists and only == "update":
            if record_id is None:
                raise DataverseError(
                    404, "0x80060891", f"A record with the specified key values does not exist in {table.name} entity"
                )
            raise not_found(table.name, record_id, updating=True)
        if exists:
            assert record_id is not None
            if table.kind == "Elastic" and not only:  # an upsert there replaces the whole row (§3.10)
                kept = {name: None for name, one in table.properties.items() if one.update and not one.is_lookup}
                states = {"statecode", "statuscode"}
                body = {
                    **{name: None for name in kept if name not in states},
                    **(body if isinstance(body, Mapping) else {}),
                }
            self.update(table, record_id, body, matched=columns)
            return record_id, False
        given = columns if record_id is None else {table.primary_id: record_id}
        if record_id is not None and isinstance(body, Mapping):
            body = {name: value for name, value in body.items() if name != table.primary_id}
        return self.create(table, body, given), True

    def delete(self, table: Table, record_id: str) -> None:
        """Delete a row. Raises 404 0x80040217 when there is none."""
        self._writable(table, "Delete")
        row = self.work.get(table, record_id)
        if row is None:
            raise not_found(table.name, record_id)
        if self.plugins:
            run(self.org.plugins, table.name, "Delete", dict(row), set())
        self._cascade(table, record_id)
        self.work.remove(table, record_id)
        self.org.audit(self.work, (3, 3), table, record_id, self.user_id)

    def _cascade(self, table: Table, record_id: str) -> None:
        """Do to the rows that point at one what their relationships say; links are emptied when it is gone."""
        for relation in self.org.relations.one_to_many:
            if relation.referenced != table.name or relation.on_delete not in ("Restrict", "Cascade"):
                continue
            child = self.org.tables[relation.referencing]
            ids = self.work.holding(child, {relation.attribute.name: record_id})
            if ids and relation.on_delete == "Restrict":
                raise DataverseError(
                    405,
                    "0x80040227",
                    "The object you tried to delete is associated with another object and cannot be deleted.",
                )
            for one in ids:
                self.delete(child, one)

    def check_version(self, table: Table, record_id: str, etag: str) -> None:
        """Raise 412 0x80060882 unless `etag` (``W/"n"``) is the row's; `*` only asks that it exists."""
        if etag != "*" and not table.concurrency:
            raise DataverseError(
                400,
                "0x8006088d",
                f"Optimistic concurrency isn't enabled for entity type {table.name}. The IfVersionMatches value of "
                "ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
            )
        row = self.work.get(table, record_id)
        if row is not None and etag != "*" and etag.removeprefix("W/").strip('"') != str(row["versionnumber"]):
            raise version_mismatch()

    def _store(self, table: Table, row: Row, changed: set[str], message: str) -> None:
        if self.plugins:
            changed = changed | run(self.org.plugins, table.name, message, row, changed)
        if self.duplicates is not None:
            self.duplicates(table, row)
        for key in table.keys:
            if changed & set(key.columns) and key.status == "Active":
                holder = self.work.find(table, key, tuple(row[name] for name in key.columns))
                if holder is not None and holder != row[table.primary_id]:
                    raise duplicate_key(key.name, key.columns)
        settle(table, row)
        row["versionnumber"] = self.org.next_version()
        if "modifiedon" in row:
            row["modifiedon"] = kept_instant(self.org.clock.now())
            row["modifiedby"] = self.user_id
            row["modifiedonbehalfby"] = self.on_behalf_of or None
        self.work.put(table, row)

    def _states(self, table: Table, before: Mapping[str, Any], changed: Row, record_id: str) -> None:
        """Keep state and status reason in step: a state brings its default reason, a reason must fit (§3.9)."""
        for name in ("statecode", "statuscode"):
            if name in changed and changed[name] is None:
                del changed[name]
        if "statecode" not in changed and "statuscode" not in changed:
            return
        states = {choice.value: choice for choice in table.attributes["statecode"].choices}
        reasons = {choice.value: choice for choice in table.attributes["statuscode"].choices}
        state = changed.get("statecode", before["statecode"])
        if state not in states:
            raise DataverseError(
                400, "0x80048408", f"{state} is not a valid state code on {table.name} with Id {record_id}."
            )
        reason = changed.setdefault("statuscode", states[state].default_status)
        if reason not in reasons or reasons[reason].state != state:
            raise DataverseError(
                400,
                "0x80048408",
                f"{reason} is not a valid status code for state code {table.schema_name}State.{states[state].label} "
                f"on {table.name} with Id {record_id}.",
            )

    def _writable(self, table: Table, verb: str) -> None:
        check_table(self.org, self.user_id, verb, table)
        if table.read_only:
            raise DataverseError(405, "0x80040800", f"The table '{table.name}' cannot be written through the Web API.")


def _pair_id(relation: ManyToMany, table: Table, record_id: str, child_id: str) -> str:
    first, second = (record_id, child_id) if table.name == relation.first else (child_id, record_id)
    return stable_id("pair", relation.name, first, second)


_BUSINESS_UNIT = stable_id("businessunit")
_DEFAULTED = frozenset({"ownerid", "ownerid__type", "transactioncurrencyid"})


def settle(table: Table, row: Row) -> None:
    """Bring the columns up to date that follow from others: full name, base currency."""
    if "fullname" in table.attributes and table.attributes["fullname"].calculated:
        row["fullname"] = " ".join(part for part in (row["firstname"], row["lastname"]) if part) or None
    if "address1_composite" in table.attributes:
        place = ", ".join(part for part in (row["address1_city"], row["address1_stateorprovince"]) if part)
        town = " ".join(part for part in (place, row["address1_postalcode"]) if part)
        lines = (row["address1_line1"], row["address1_line2"], row["address1_line3"], town, row["address1_country"])
        row["address1_composite"] = "\r\n".join(line for line in lines if line) or None
    for name in table.amounts:
        row[f"{name}_base"] = row[name]
    if "owninguser" in table.attributes:
        team = row.get("ownerid__type") == "team"
        row["owninguser"], row["owningteam"] = (None, row["ownerid"]) if team else (row["ownerid"], None)
        row["owningbusinessunit"] = _BUSINESS_UNIT
    if "exchangerate" in table.attributes:
        row["exchangerate"] = Decimal(1) if row.get("transactioncurrencyid") else None


def parse_body(entity_set: str, body: bytes) -> Any:
    """Read a JSON body, numbers with a point exactly. Raises 400 0x80048d19."""
    try:
        return json.loads(body or b"{}", parse_float=Decimal)
    except ValueError as error:
        raise bad_payload(entity_set, f"Invalid JSON. {error}") from None


def _may(table: Table, column: str, verb: str) -> bool:
    attribute: Attribute | None = table.attributes.get(column.removesuffix("__type"))
    return attribute is not None and (attribute.create if verb == "create" else attribute.update)
