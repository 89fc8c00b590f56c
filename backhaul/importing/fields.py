"""From what describe gives and what sources/*.yml declares to the columns of the raw log.

The schema comes from describe, never from the data. The id and the cursor are added by themselves. Every value arrives
as text and is cast here by its kind, so that a value which does not fit fails instead of becoming null.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.importing.log import DELETED, SEEN_AT, SURVIVOR
from backhaul.record import Field, Kind, ObjectSchema, fields_of

if TYPE_CHECKING:
    from backhaul.config import FieldConfig, ObjectConfig

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.ID: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "INTEGER",
    Kind.BIGINT: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.DATETIME: "TIMESTAMP WITH TIME ZONE",
    Kind.TIME: "TIME",
    Kind.BINARY: "BLOB",
}
_HINTS: dict[str, dict[str, Any]] = {
    "VARCHAR": {"data_type": "text"},
    "BOOLEAN": {"data_type": "bool"},
    "INTEGER": {"data_type": "bigint", "precision": 32},
    "BIGINT": {"data_type": "bigint"},
    "DOUBLE": {"data_type": "double"},
    "DATE": {"data_type": "date"},
    "TIMESTAMP WITH TIME ZONE": {"data_type": "timestamp", "timezone": True},
    "TIMESTAMP": {"data_type": "timestamp", "timezone": False, "precision": 6},
    "TIME": {"data_type": "time"},
    "JSON": {"data_type": "json"},
    "BLOB": {"data_type": "binary"},
}
LISTS = frozenset({"multipicklist"})
"""Types whose text is several choices with semicolons between them."""
_MAX_DIGITS = 38  # of a DECIMAL in DuckDB, PostgreSQL and Snowflake alike


@dataclass(frozen=True, slots=True)
class LogColumn:
    """One declared field in the raw log: column `name` of database type `type`, called `wire` in the pages.

    `convert` is the YAML's; `missing`: the field was imported before and the CRM no longer shows it.
    """

    name: str
    wire: str
    type: str
    convert: str = "default"
    missing: bool = False
    where: Where | None = None
    field: str = ""
    wall_clock: bool = False

    @property
    def api_name(self) -> str:
        """What the CRM calls it: ``Account.Name`` for the column ``Account_Name``."""
        return self.field or self.name

    @property
    def hints(self) -> dict[str, Any]:
        """The column as dlt wants it described."""
        return {"name": self.name, "nullable": True, **type_hints(self.type)}

    def cast(self, value: str, time_zone: str, function: str = "CAST") -> str:
        """SQL that makes the typed value out of the text expression `value`; `function` may be TRY_CAST."""
        if self.type == "VARCHAR":
            return value
        if self.type == "TIMESTAMP" or (self.wall_clock and self.type == "DATE"):
            wall = f"{function}(regexp_replace({value}, '([Zz]|[+-][0-9][0-9]:?[0-9][0-9])$', '') AS TIMESTAMP)"
            return wall if self.type == "TIMESTAMP" else f"CAST({wall} AS DATE)"
        if self.convert == "date_only" and self.type == "DATE":
            zone = time_zone.replace("'", "''")
            instant = f"{function}({value} AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE '{zone}'"
            return f"CASE WHEN length({value}) <= 10 THEN {function}({value} AS DATE) ELSE CAST({instant} AS DATE) END"
        if self.convert == "list":
            return f"CAST(to_json(string_split({value}, ';')) AS JSON)"
        if self.type == "BLOB":
            return f"from_base64({value})" if function == "CAST" else f"TRY(from_base64({value}))"
        if self.type == "TIME":
            return f"{function}(rtrim({value}, 'Z') AS TIME)"
        return f"{function}({value} AS {self.type})"


@dataclass(frozen=True, slots=True)
class Declared:
    """What is imported of one object: `columns` (the id first), which of them are id and cursor, and remarks."""

    columns: tuple[LogColumn, ...]
    id: LogColumn
    cursor: str | None
    remarks: tuple[str, ...] = ()

    @property
    def present(self) -> tuple[LogColumn, ...]:
        """The columns that the CRM gives now."""
        return tuple(column for column in self.columns if not column.missing)

    @property
    def signature(self) -> list[str]:
        """The field list as it is kept in the state: a later one that holds more makes everything be read again.

        A field that the CRM does not show is not among them, as records may change it meanwhile.
        """
        return [
            column.name if column.convert == "default" else f"{column.name}:{column.convert}" for column in self.present
        ]


def type_hints(database_type: str) -> dict[str, Any]:
    """dlt's hints for a database type of :data:`LogColumn.type`."""
    digits = decimal_digits(database_type)
    if digits:
        return {"data_type": "decimal", "precision": digits[0], "scale": digits[1]}
    return dict(_HINTS[database_type])


OWN_TYPES = {DELETED: "BOOLEAN", SURVIVOR: "VARCHAR", SEEN_AT: "TIMESTAMP WITH TIME ZONE"}
"""The types of the log's own columns."""


def own_hints() -> list[dict[str, Any]]:
    """dlt's hints for the log's own columns."""
    return [{"name": name, "nullable": True, **_HINTS[kind]} for name, kind in OWN_TYPES.items()]


def decimal_digits(database_type: str) -> tuple[int, int] | None:
    """(precision, scale) of ``DECIMAL(18,2)``; None for any other type."""
    if not database_type.startswith("DECIMAL("):
        return None
    precision, _, scale = database_type[8:-1].partition(",")
    return int(precision), int(scale)


def fits(narrow: str, wide: str) -> bool:
    """Whether every value of type `narrow` is one of type `wide`, unchanged."""
    if narrow == wide or (narrow, wide) == ("INTEGER", "BIGINT"):
        return True
    inner, outer = decimal_digits(narrow), decimal_digits(wide)
    if inner and outer:
        return inner[1] <= outer[1] and inner[0] - inner[1] <= outer[0] - outer[1]
    return False


def column_type(field: Field, convert: str) -> str:
    """The database type of a field's values after their conversion."""
    if convert == "copy":
        return "VARCHAR"
    if convert == "list":
        return "JSON"
    if field.kind is Kind.DATETIME and convert == "date_only":
        return "DATE"
    if field.kind is Kind.DATETIME and (convert == "without_offset" or field.wall_clock):
        return "TIMESTAMP"
    if field.kind is Kind.DECIMAL:
        scale = 9 if field.scale is None else min(max(field.scale, 0), _MAX_DIGITS - 1)
        precision = _MAX_DIGITS if not field.precision else min(max(field.precision, scale + 1), _MAX_DIGITS)
        return f"DECIMAL({precision},{scale})"
    return _TYPES[field.kind]


def declare(schema: ObjectSchema, config: ObjectConfig, kept: Mapping[str, str]) -> Declared:
    """Check the declared fields, cursor, filter and order against describe.

    A reference to records of several objects brings the record's object too, where the CRM can tell it in a field.

    `kept` are the columns that the log already holds, with their types: a declared field among them that the CRM no
    longer shows is remarked on and keeps its last values; any other unknown one is a fault. Raises
    :class:`~backhaul.errors.ConfigurationError` with all faults.
    """
    faults: list[Fault] = []
    remarks: list[str] = []
    columns: dict[str, LogColumn] = {}
    place = f"{schema.account}.{schema.name}"
    columns[schema.id_field] = LogColumn(schema.id_field, schema.fields[schema.id_field].on_wire, "VARCHAR")
    for item in _spread(schema, config):
        found = schema.fields.get(item.name)
        column = item.name.replace(".", "_")
        if column in columns and columns[column].api_name != item.name:
            faults.append(
                Fault(
                    f"{place}: {item.name} and {columns[column].api_name} would both be the column {column}",
                    where=item.where,
                    hint="import one of the two",
                )
            )
            continue
        if found is None:
            if column in kept:
                hidden = schema.hidden.get(item.name)
                gone = (
                    "hidden from this user"
                    if hidden
                    else "no longer shown by the CRM (removed, or hidden from this user)"
                )
                kept_on = f"its last values are kept{'; ' + hidden if hidden else ''}"
                remarks.append(f"{place}.{item.name} is {gone}; {kept_on}")
                columns[column] = LogColumn(
                    column, item.name, kept[column], item.convert, missing=True, where=item.where, field=item.name
                )
            else:
                faults.append(_unknown(place, item.name, schema, item.where))
            continue
        if item.convert in ("date_only", "without_offset") and found.kind not in (Kind.DATE, Kind.DATETIME):
            faults.append(
                Fault(
                    f"{place}.{item.name} is {found.kind} in the CRM, which `convert: {item.convert}` cannot be "
                    "applied to",
                    where=item.where,
                    allowed=("default", "copy"),
                )
            )
            continue
        if item.convert == "list" and found.vendor_type not in LISTS:
            faults.append(
                Fault(
                    f"{place}.{item.name} is {found.vendor_type} in the CRM; `convert: list` is for fields "
                    "with several choices",
                    where=item.where,
                    allowed=("default", "copy"),
                )
            )
            continue
        if item.name != schema.id_field:
            columns[column] = _column(found, item.convert, item.where)
        # An id of a record of one object or another says little without the object.
        of = f"{found.relationship}.Type" if found.polymorphic and found.relationship else ""
        if of and of in schema.fields:
            columns.setdefault(of.replace(".", "_"), _column(schema.fields[of], "default", item.where))
    cursor = _cursor(place, schema, config, faults)
    if cursor is not None:
        asked = columns.get(cursor)
        if asked is not None and asked.convert != "default":
            faults.append(
                Fault(
                    f"{place}.{cursor} is the cursor, which is kept as the instant that the CRM sent; it cannot have "
                    f"`convert: {asked.convert}`",
                    where=asked.where,
                    hint="remove the conversion here, and convert it in a model",
                )
            )
        columns[cursor] = _column(schema.fields[cursor], "default", None)
    for name in fields_of(config.filter):
        _check_use(place, name, schema, config.where, "filter", faults)
    for name, _ in config.order_by:
        _check_use(place, name, schema, config.where, "order_by", faults)
    if faults:
        raise ConfigurationError(faults)
    ordered = tuple(columns.values())
    return Declared(ordered, ordered[0], cursor, tuple(remarks))


def _column(field: Field, convert: str, where: Where | None) -> LogColumn:
    return LogColumn(
        field.column,
        field.on_wire,
        column_type(field, convert),
        convert,
        where=where,
        field=field.name,
        wall_clock=field.wall_clock,
    )


def _spread(schema: ObjectSchema, config: ObjectConfig) -> list[FieldConfig]:
    """The declared fields, a compound such as MailingAddress as its parts, choices and lookups with what is beside."""
    named = {item.name for item in config.fields}
    spread: list[FieldConfig] = []
    for item in config.fields:
        parts = schema.compounds.get(item.name)
        if item.name in schema.fields or not parts:
            spread.append(item)
            beside = [name for name in schema.companions.get(item.name, ()) if name not in named]
            spread += [item.model_copy(update={"name": name, "convert": "default"}) for name in beside]
            continue
        spread += [item.model_copy(update={"name": part}) for part in parts if part not in named]
    return spread


def _cursor(place: str, schema: ObjectSchema, config: ObjectConfig, faults: list[Fault]) -> str | None:
    if config.cursor is None:
        return schema.cursors[0] if schema.cursors else None
    field = schema.fields.get(config.cursor)
    stamps = [name for name, one in schema.fields.items() if one.kind is Kind.DATETIME and one.filterable]
    if field is not None and field.kind is Kind.DATETIME:
        return field.name
    found = "is not a field the CRM shows" if field is None else f"is {field.kind}, not a date and time"
    close = difflib.get_close_matches(config.cursor, stamps, n=1)
    faults.append(
        Fault(
            f"{place}: the cursor '{config.cursor}' {found}",
            where=config.where,
            allowed=tuple(dict.fromkeys((*schema.cursors, *stamps))),
            hint=f"did you mean '{close[0]}'?" if close else "",
        )
    )
    return None


def _check_use(place: str, name: str, schema: ObjectSchema, where: Where | None, key: str, faults: list[Fault]) -> None:
    field = schema.fields.get(name)
    if field is None:
        faults.append(_unknown(place, name, schema, where, f" (in {key})"))
    elif key == "filter" and not field.filterable:
        faults.append(Fault(f"{place}.{name} cannot be filtered by: the CRM refuses it", where=where))


def _unknown(place: str, name: str, schema: ObjectSchema, where: Where | None, used: str = "") -> Fault:
    if name in schema.hidden:
        return Fault(
            f"{place}.{name}{used} is hidden: this user may not read its values", where=where, hint=schema.hidden[name]
        )
    names = sorted(schema.fields)
    by_lower = {known.lower(): known for known in names}
    close = [by_lower[name.lower()]] if name.lower() in by_lower else difflib.get_close_matches(name, names, n=1)
    return Fault(
        f"{place} has no field '{name}'{used} that this user may see",
        where=where,
        allowed=tuple(names),
        hint=f"did you mean '{close[0]}'?" if close else "check the API name, and the user's permission on the field",
    )
