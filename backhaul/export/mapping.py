"""Which model column goes into which field, checked against describe, the mirror and the model before any plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from backhaul.config import DeleteStep, ExportStep
from backhaul.errors import ConfigurationError, Fault
from backhaul.record import Field, Kind, ObjectSchema
from backhaul.yaml_marks import suggest


@dataclass(frozen=True, slots=True)
class Mirror:
    """What is known of an object: SQL of its live records as last imported, its raw log, and when that was.

    `columns` are name -> database type; `log` is the quoted raw log, `cursor` the quoted column that orders a record's
    versions (None: it has none), `freshness` the end of the last window, `keys` the object's external ids or alternate
    keys.
    """

    sql: str
    columns: Mapping[str, str]
    log: str
    cursor: str | None
    freshness: datetime | None
    keys: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plan takes its two sides from: the quoted model with its columns (name -> type), and the mirror.

    `others` are the mirrors of further imported objects by name: what references may lead to.
    """

    model: str
    columns: Mapping[str, str]
    mirror: Mirror
    time_zone: str
    others: Mapping[str, Mirror] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One remote field and the model's column behind it.

    `owner`: whose value counts where both sides changed ('' : nobody said). `changed_at` is the model's column that
    tells when its value changed. `clear`: a null of the model empties the field. `writable`: this user may write it.
    """

    field: Field
    column: str
    convert: str = "default"
    only_tighten: bool = False
    clear: bool = False
    owner: str = ""
    changed_at: str = ""
    writable: bool = True


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The checked mapping of a step: its key fields, its mapped fields, its archive values (field -> constant)."""

    keys: tuple[Mapped, ...]
    fields: tuple[Mapped, ...]
    archive: tuple[tuple[Field, str], ...] = ()


def checked(schema: ObjectSchema, step: ExportStep | DeleteStep, source: Source) -> FieldMap:
    """The mapping of `step`, or ConfigurationError with every fault that describe, mirror and model show, at once.

    A field that this user may not write is no fault of the YAML: the rows that would change it are refused.
    """
    return _Check(schema, step, source).mapping()


class _Check:
    def __init__(self, schema: ObjectSchema, step: ExportStep | DeleteStep, source: Source) -> None:
        self.schema = schema
        self.step = step
        self.source = source
        self.faults: list[Fault] = []
        self.columns = {name.lower(): name for name in source.columns}
        self.mode = step.mode if isinstance(step, ExportStep) else "delete"

    def mapping(self) -> FieldMap:
        step = self.step
        if isinstance(step, ExportStep) and step.identify:
            self._column(step.identify, "identify")
        if step.options.if_unchanged:
            if self.schema.version_field:
                self._field(self.schema.version_field, "if_unchanged")
            else:
                self._fault(f"{self.schema.name} shows no version of a record", "remove if_unchanged")
        keys = []
        for name, column in step.key.items():
            found, column = self._field(name, "key"), self._column(column, f"key {name}")
            if found:
                keys.append(Mapped(found, column))
        fields: list[Mapped] = []
        archive: list[tuple[Field, str]] = []
        if isinstance(step, ExportStep):
            fields = [mapped for name in step.map if (mapped := self._mapped(step, name)) is not None]
            for name, value in (step.archive or {}).items():
                found = self._field(name, "archive")
                if found is not None:
                    archive.append((found, value))
            self._required(keys, fields)
        if self.faults:
            raise ConfigurationError(self.faults)
        return FieldMap(tuple(keys), tuple(fields), tuple(archive))

    def _mapped(self, step: ExportStep, name: str) -> Mapped | None:
        entry = step.map[name]
        found, column = self._field(name, "map"), self._column(entry.column, f"mapped to {name}")
        if entry.changed_at:
            self._column(entry.changed_at, f"changed_at of {name}")
        if found is None:
            return None
        if entry.only_tighten and found.kind is not Kind.BOOLEAN:
            self._fault(
                f"only_tighten is for fields that are true or false, and {name} is {found.vendor_type}",
                f"take only_tighten off {name}, or map a yes/no field",
            )
        updates, creates = self.mode in ("update", "upsert", "mirror"), self.mode in ("insert", "upsert", "mirror")
        writable = not (updates and not found.updateable) and not (creates and not found.createable)
        if found.calculated:
            self._fault(
                f"{name} cannot be written on {self.schema.name}: it is calculated by the CRM",
                f"take {name} out of the map",
            )
        return Mapped(
            found,
            column,
            entry.convert,
            entry.only_tighten,
            # A boolean cannot be empty in either CRM: a null leaves it as it is.
            step.nulls_of(name) == "clear" and found.kind is not Kind.BOOLEAN,
            step.owner_of(name),
            entry.changed_at or "",
            writable,
        )

    def _required(self, keys: list[Mapped], fields: list[Mapped]) -> None:
        if self.mode not in ("insert", "upsert", "mirror"):
            return
        given = {item.field.name for item in (*keys, *fields)}
        missing = [one.name for one in self.schema.fields.values() if one.required_on_create and one.name not in given]
        if missing:
            self._fault(
                f"{self.schema.name} needs {', '.join(missing)} when a record is created",
                f"map {missing[0]}, or use mode: update",
            )

    def _field(self, name: str, use: str) -> Field | None:
        found = self.schema.fields.get(name)
        if name in self.schema.hidden:
            # What may not be read is not empty: nothing can be compared with it.
            self._fault(
                f"{name} is hidden on {self.schema.name}: this user may not read its values, so a plan could not "
                f"compare it ({use})",
                self.schema.hidden[name],
            )
        elif found is None:
            self._fault(
                f"{self.schema.account} shows no field {name!r} on {self.schema.name} to this user ({use})",
                suggest(name, self.schema.fields) or "check the name and the field's permissions",
            )
        # Rows that are only ever created have nothing to be compared with.
        elif found.column not in self.source.mirror.columns and not (use == "map" and self.mode == "insert"):
            self._fault(
                f"{name} is not imported, so a plan could not compare it ({use})",
                f"add {name} to the fields of {self.schema.name} in sources/ and import it",
            )
        return found

    def _column(self, name: str, use: str) -> str:
        if name.lower() not in self.columns:
            self._fault(
                f"the model {self.step.model} has no column {name!r} ({use})",
                suggest(name, self.source.columns),
                tuple(self.source.columns),
            )
        return self.columns.get(name.lower(), name)

    def _fault(self, problem: str, hint: str, allowed: tuple[str, ...] = ()) -> None:
        self.faults.append(Fault(f"step {self.step.name}: {problem}", self.step.where, allowed, hint))
