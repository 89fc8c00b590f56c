"""Tables and columns that are not there from the start: read from JSON, kept in the store (dataverse-api.md §2).

The control door (``fields``, ``tables``) and the Web API's own schema requests both end here, so that a table made by
either is the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from backhaul.simulator.store import Store

from .edm import TYPES, Attribute, Choice, Key, Table, with_shadows
from .relations import ManyToMany
from .tables import OWNER, intersect, stamps, states

Json = Mapping[str, Any]
_FIELD = frozenset({"name", "type", "label", "schema_name", "length", "precision", "minimum", "maximum", "format"}) | {
    "behavior",
    "choices",
    "targets",
    "required",
    "key",
    "default",
    "labels",
    "create",
    "update",
    "relationships",
}
_OPTIONS: dict[str, type] = {
    "set_name": str,
    "label": str,
    "schema_name": str,
    "primary_name": str,
    "ownership": str,
    "change_tracking": bool,
    "concurrency": bool,
    "locks_inactive": bool,
    "type": str,
}
_KINDS = ("Standard", "Elastic")


class Schema:
    """What an organisation added to the standard tables. `entries` maps table name to
    ``{"options": {...}, "fields": [...], "keys": [...], "dropped": [...]}``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.entries: dict[str, dict[str, Any]] = store.get("schema", {})
        self.associations = tuple(ManyToMany(**one) for one in store.get("associations", []))
        self.option_sets: dict[str, dict[str, str]] = store.get("option_sets", {})
        for name, fields in store.get("custom", {}).items():  # as an earlier version kept them
            self.entries.setdefault(name, {}).setdefault("fields", fields)

    def associate(self, relation: ManyToMany) -> None:
        """Note an N:N relationship."""
        self.associations = (*self.associations, relation)
        self._store.set("associations", [asdict(one) for one in self.associations])

    def dissociate(self, relation: ManyToMany) -> None:
        """Forget an N:N relationship."""
        self.associations = tuple(one for one in self.associations if one != relation)
        self._store.set("associations", [asdict(one) for one in self.associations])

    def keep_option_set(self, name: str, options: dict[str, str]) -> None:
        """Note a global choice: value -> label."""
        self.option_sets[name] = options
        self._store.set("option_sets", self.option_sets)

    def override(self, table: str, overrides: Mapping[str, Json]) -> None:
        """Note changed properties of columns, standard ones too."""
        kept = self.entries.setdefault(table, {}).setdefault("overrides", {})
        for name, changes in overrides.items():
            kept.setdefault(name, {}).update(changes)

    def restore(self, state: Any) -> None:
        """Take all of it back to an earlier (entries, associations, option sets)."""
        self.entries, self.associations, self.option_sets = state
        self.keep()
        self._store.set("associations", [asdict(one) for one in self.associations])
        self._store.set("option_sets", self.option_sets)

    def keep(self) -> None:
        """Write the entries down."""
        self._store.set("schema", self.entries)

    def apply(self, standard: Sequence[Table]) -> dict[str, Table]:
        """Give every table: the standard ones as changed, and the added ones."""
        found = {table.name: table for table in standard}
        for number, (name, entry) in enumerate(self.entries.items()):
            table = found.get(name) or new_table(name, 10_000 + number, entry.get("options", {}))
            table = with_options(table, entry.get("options", {}))
            table = table.with_attributes(*(attribute(one) for one in entry.get("fields", [])))
            keys = {key.name: key for key in table.keys}
            keys |= {key.name: key for key in map(key_of, entry.get("keys", []))}
            dropped = set(entry.get("dropped", []))
            attributes = {
                one.name: one
                for one in table.attributes.values()
                if one.name not in dropped and one.attribute_of not in dropped
            }
            for column, changes in entry.get("overrides", {}).items():
                if column in attributes:
                    attributes[column] = replace(attributes[column], **changes)
            kept = tuple(key for key in keys.values() if key.name not in dropped)
            found[name] = replace(table, attributes=attributes, keys=kept)
        for number, one in enumerate(self.associations):
            if {one.first, one.second} <= set(found):
                ids = found[one.first].primary_id, found[one.second].primary_id
                found[one.intersect] = intersect(one, *ids, 11_000 + number, custom=True)
        return {
            name: table for name, table in found.items() if name not in self.entries.get(name, {}).get("dropped", [])
        }

    def add(
        self, name: str, *, options: Json | None = None, fields: Sequence[Json] = (), keys: Sequence[Json] = ()
    ) -> None:
        """Note changes of one table. Raises ValueError for an option, a field or a key that cannot be."""
        options = dict(options or {})
        unknown = set(options) - set(_OPTIONS)
        wrong = [one for one, kind in _OPTIONS.items() if one in options and not isinstance(options[one], kind)]
        if unknown or wrong or options.get("type", "Standard") not in _KINDS:
            raise ValueError(
                f"a table knows {', '.join(sorted(_OPTIONS))} (type: {' or '.join(_KINDS)}); found {options!r}"
            )
        for field in fields:
            attribute(field)
        keys = [*keys, *({"name": f"{one['name']}_key", "columns": [one["name"]]} for one in fields if one.get("key"))]
        for key in keys:
            key_of(key)
        entry = self.entries.setdefault(name, {})
        entry.setdefault("options", {}).update(options)
        given = {str(one["name"]) for one in fields}
        entry["fields"] = [one for one in entry.get("fields", []) if one["name"] not in given] + [
            dict(one) for one in fields
        ]
        names = {str(one["name"]) for one in keys}
        entry["keys"] = [one for one in entry.get("keys", []) if one["name"] not in names] + [dict(one) for one in keys]
        entry["dropped"] = [one for one in entry.get("dropped", []) if one not in given | names | {name}]

    def drop(self, table: str, what: str) -> None:
        """Note that a column or key of a table, or the table itself (`what` its own name), is gone."""
        self.entries.setdefault(table, {}).setdefault("dropped", []).append(what)


def new_table(name: str, code: int, options: Json) -> Table:
    """Give a custom table with what every one has: key, name, owner, states, stamps."""
    key = Attribute(f"{name}id", "Uniqueidentifier", name, update=False, required="SystemRequired")
    primary_name = Attribute(str(options.get("primary_name", f"{name.split('_')[0]}_name")), "String", "Name")
    rows = states(name, {0: ("Active", 1), 1: ("Inactive", 2)}, {1: ("Active", 0), 2: ("Inactive", 1)})
    elastic = options.get("type") == "Elastic"
    more = [
        Attribute("partitionid", "String", "Partition Id", length=1_000),
        Attribute("ttlinseconds", "Integer", "Time to live", minimum=0, maximum=2**31 - 1),
    ]
    parts = (key, primary_name, *OWNER, *rows, *stamps(), *(more if elastic else ()))
    every = {one.name: one for part in parts for one in with_shadows(part)}
    found = Table(name, f"{name}s", name, code, every, key.name, primary_name.name, schema_name=name, custom=True)
    return (
        replace(found, keys=(Key("KeyForNoSqlEntityWithPKPartitionId", (key.name, "partitionid")),))
        if elastic
        else found
    )


def with_options(table: Table, options: Json) -> Table:
    """Give the table with the options of the control door applied."""
    changes = {name: value for name, value in options.items() if name not in ("type", "primary_name")}
    if "type" in options:
        changes["kind"] = options["type"]
    return replace(table, **changes)


def attribute(field: Json) -> Attribute:
    """Read a field as :meth:`.org.DataverseOrg.add_fields` documents it. Raises ValueError for one that cannot be."""
    unknown = set(field) - _FIELD
    if unknown or field.get("type") not in TYPES or not field.get("name"):
        raise ValueError(f"a field needs a type of {', '.join(TYPES)} and knows {', '.join(sorted(_FIELD))}: {field}")
    options = {
        name: value for name, value in field.items() if name not in ("key", "choices", "targets", "label", "labels")
    }
    choices = tuple(Choice(int(value), str(label)) for value, label in dict(field.get("choices", {})).items())
    options["label"] = field.get("label", field["name"])
    options["relationships"] = dict(field.get("relationships", {}))
    if "labels" in field:
        no, yes = field["labels"]
        options["labels"] = (str(no), str(yes))
    return Attribute(**options, choices=choices, targets=tuple(field.get("targets", ())), added=True)


def key_of(key: Json) -> Key:
    """Read ``{"name", "columns", "status"?}``. Raises ValueError for one that cannot be."""
    columns = key.get("columns")
    if not key.get("name") or not isinstance(columns, list | tuple) or not columns:
        raise ValueError(f"a key needs a name and its columns: {key!r}")
    return Key(str(key["name"]), tuple(str(one) for one in columns), str(key.get("status", "Active")))
