"""A change's values as JSON: by the column's kind, lookups by navigation property (dataverse-api.md §2.3, §2.4).

Text rather than objects: the standard library would write a Decimal as a float. Nothing is sent here, but for what a
lookup needs to know of the metadata.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from backhaul.crm.dynamics import metadata, odata
from backhaul.crm.dynamics.metadata import Table
from backhaul.crm.dynamics.service import Service
from backhaul.record import Field, Kind, Scalar

INVALID_VALUE = "INVALID_VALUE"
"""Our own symbol for a value that no request can carry; the row is not sent."""

Binder = Callable[[Field, Scalar], tuple[str, str]]
"""Gives the property and the JSON text by which a lookup is set."""


class RowRefused(ValueError):
    """A change that cannot be sent as it is: (symbol, message, fields)."""

    def __init__(self, symbol: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.symbol, self.message, self.fields = symbol, message, fields


def json_value(field: Field, value: Scalar) -> str:
    """`value` as the JSON text that the field's kind asks for; None is null. Raises NotExpressible."""
    if value is None:
        return "null"
    if field.kind is Kind.BOOLEAN:
        return "true" if odata.boolean_of(value) else "false"
    if field.kind in (Kind.INTEGER, Kind.BIGINT):
        return str(odata.integer_of(value))
    if field.kind in (Kind.DECIMAL, Kind.DOUBLE):
        return odata.number_text(odata.number_of(value))
    if field.kind is Kind.DATE:
        return json.dumps(odata.date_of(value).isoformat())
    if field.kind is Kind.DATETIME:
        return json.dumps(odata.instant_text(odata.instant_of(value)))
    if field.kind is Kind.ID:
        return json.dumps(odata.guid_of(value))
    return json.dumps(odata.text_of(value), ensure_ascii=False)


def members(table: Table, values: Mapping[str, Scalar], bind: Binder) -> dict[str, str]:
    """Property -> JSON text of what sets `values`. Raises RowRefused for a value, ConfigurationError for a field."""
    found = {}
    for name, value in values.items():
        field = odata.field_of(table.schema, name)
        try:
            if field.vendor_type in metadata.LOOKUPS:
                property_name, text = bind(field, value)
            else:
                property_name, text = name, json_value(field, value)
        except odata.NotExpressible as error:
            raise RowRefused(INVALID_VALUE, f"{name}: {error}", (name,)) from None
        found[property_name] = text
    return found


def json_object(content: Mapping[str, str]) -> bytes:
    """A JSON object of members whose values are JSON text already."""
    return ("{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in content.items()) + "}").encode()


_REFERENCE = re.compile(r"(?:(\w+):)?(.*)", re.DOTALL)


class LookupBinder:
    """Sets lookups by `navigation@odata.bind`: which navigation property and which entity set, from the metadata.

    A value is `table:GUID`, or `table:column=value` by an alternate key of that table (several columns:
    `table:a=1,b=2`). The table may be left out where the lookup has one target, and for an owner, where it is a user.
    The metadata is asked for only when a lookup is written (§2.4, §5.2).
    """

    def __init__(
        self,
        service: Service,
        table: Table,
        entity_sets: Callable[[], Mapping[str, str]],
        describe: Callable[[str], Table],
    ) -> None:
        self._service = service
        self._table = table
        self._entity_sets = entity_sets
        self._describe = describe
        self._navigation: dict[tuple[str, str], str] | None = None

    def __call__(self, field: Field, value: Scalar) -> tuple[str, str]:
        """The property and the JSON text of it. Raises NotExpressible."""
        if value is None:
            # Any of the navigation properties of the lookup empties it.
            target = field.references[0] if field.references else ""
            return f"{self._property(field, target)}@odata.bind", "null"
        told = _REFERENCE.fullmatch(str(value).strip())
        target, address = (told[1], told[2]) if told else ("", "")
        target = (target or self._only_target(field, value)).lower()
        if field.references and target not in field.references:
            raise odata.NotExpressible(f"'{target}' is none of its tables ({', '.join(field.references)})")
        entity_set = self._entity_sets().get(target)
        if entity_set is None:
            raise odata.NotExpressible(f"the environment has no table '{target}'")
        if "=" in address:
            reference = f"/{self._by_key(target, address)}"
        else:
            reference = f"/{entity_set}({odata.guid_of(address)})"
        return f"{self._property(field, target)}@odata.bind", json.dumps(reference)

    def _by_key(self, target: str, address: str) -> str:
        """`accounts(accountnumber='A1')` of `accountnumber=A1`. Raises NotExpressible where that is no key."""
        table = self._describe(target)
        names = {name for key in table.schema.keys for name in key}
        parts = re.split(f",(?=(?:{'|'.join(map(re.escape, sorted(names)))})=)", address) if names else [address]
        values = {name: value for name, _, value in (part.partition("=") for part in parts)}
        if not any(set(key) == set(values) for key in table.schema.keys):
            known = "; ".join(", ".join(key) for key in table.schema.keys) or "none"
            raise odata.NotExpressible(f"{', '.join(values)} is no alternate key of '{target}' (its keys: {known})")
        return odata.key_path(table.entity_set, {name: (table.schema.fields[name], values[name]) for name in values})

    def _only_target(self, field: Field, value: Scalar) -> str:
        if len(field.references) == 1:
            return field.references[0]
        if field.vendor_type == "Owner":
            return "systemuser"
        raise odata.NotExpressible(
            f"{value!r} does not say its table; write table:id with one of {', '.join(field.references)}"
        )

    def _property(self, field: Field, target: str) -> str:
        if self._navigation is None:
            self._navigation = {}
            name = self._table.schema.name
            for entry in self._service.values(metadata.relationships_path(name), f"describe {name}"):
                pair = (entry["ReferencingAttribute"], entry["ReferencedEntity"])
                self._navigation[pair] = entry["ReferencingEntityNavigationPropertyName"]
        found = self._navigation.get((field.name, target))
        if found:
            return found
        if field.vendor_type == "Owner":
            return field.name
        # What the platform calls it by rule, for relationships that this user may not see.
        if len(field.references) > 1:
            of = f"_{self._table.schema.name}" if self._table.activity else ""
            return f"{field.name}_{target}{of}"
        return self._table.schema_names.get(field.name) or field.name if "_" in field.name else field.name
