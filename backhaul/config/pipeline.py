"""Pipelines: a YAML workflow of steps, each told by its verb (pipelines/<name>.yml)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from backhaul.config.reading import (
    HIDDEN,
    NAME,
    Located,
    Marked,
    Reading,
    keep_good,
    only_mappings,
    show,
    spread,
    without_bad,
)
from backhaul.config.render import RenderedScalar, is_template
from backhaul.config.source import Convert, word
from backhaul.config.values import (
    ColumnName,
    Duration,
    FieldName,
    Flag,
    ModelName,
    OptionName,
    PipelineName,
    Rendered,
    Schedule,
    Share,
    StepName,
    Text,
    Whole,
    WrittenName,
    instant_text,
    parse_instant,
    refusal,
)
from backhaul.yaml_marks import MarkedList, MarkedScalar, Node

Nulls = Literal["leave", "clear"]
Owner = Literal["crm", "campaign", "newest", "fill_empty"]
_TARGET = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\.([A-Za-z_][A-Za-z0-9_]*)")
VERBS = ("import", "import_deleted", "enumerations", "transform", "test", "export", "delete")


def default_name(verb: str, target: str) -> str:
    """A step's name when it gives none: verb and target, every other character an underscore."""
    return f"{verb}_{re.sub(r'[^A-Za-z0-9_]', '_', target)}" if target else verb


class _Step(Located):
    """What every step has. `kind` is its verb.

    `broken` is empty but while faults are collected: the keys that were left out because of faults in them.
    """

    verb: ClassVar[str] = ""

    broken: frozenset[str] = Field(default=frozenset(), validation_alias=HIDDEN + "broken", repr=False, exclude=True)
    name: StepName = Field(
        default="", description="the step's name; without it the verb and the target, such as import_salesforce_Contact"
    )

    @classmethod
    def yaml_keys(cls) -> tuple[str, ...]:
        """The verb, then the other keys."""
        return (cls.verb, *super().yaml_keys())

    @classmethod
    def refuse_key(cls, key: str, data: Marked, reading: Reading) -> None:
        """A second verb gets a message of its own."""
        if key in VERBS:
            place = data.node.place(key)
            reading.add(f"a step has one verb, found {cls.verb!r} and {key!r}", place, hint="make it two steps")
        else:
            super().refuse_key(key, data, reading)

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """Read the verb's target and give the step its default name."""
        target = cls.read_target(source.node.entries[cls.verb], reading)
        data.pop(cls.verb, None)
        data.update({HIDDEN + key: value for key, value in target.items()})
        data.setdefault("name", default_name(cls.verb, cls.target_text(data)))
        data[HIDDEN + "broken"] = source.broken
        return data

    @classmethod
    def read_target(cls, node: Node, reading: Reading) -> dict[str, Any]:
        """What the verb's value says, by field name."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _default_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and not isinstance(data, Marked) and "name" not in data:
            return {**data, "name": default_name(cls.verb, cls.target_text(data))}
        return data

    @classmethod
    def target_text(cls, data: dict[str, Any]) -> str:
        """The target as text, from the fields' values."""
        raise NotImplementedError


def _field(data: dict[str, Any], name: str) -> Any:
    return data.get(HIDDEN + name, data.get(name))


def _from_environment(node: Node, verb: str, reading: Reading) -> bool:
    """Report a target that comes from env_var: names stand in messages, and such values must not."""
    hidden = isinstance(node, RenderedScalar) and node.hidden
    if hidden:
        reading.add(f"{verb!r} is a name, which cannot come from env_var", node.where, hint="use var")
    return hidden


class _ObjectStep(_Step):
    """A step on one object of an account: ``verb: account.Object``."""

    account: str = Field(validation_alias=HIDDEN + "account")
    object: str = Field(validation_alias=HIDDEN + "object")

    @classmethod
    def read_target(cls, node: Node, reading: Reading) -> dict[str, Any]:
        """Account and object of ``account.Object``."""
        value = node.value if isinstance(node, MarkedScalar) else None
        match = _TARGET.fullmatch(value) if isinstance(value, str) else None
        if match and not _from_environment(node, cls.verb, reading):
            return {"account": match[1], "object": match[2]}
        if match:
            return {"account": "", "object": ""}
        if not (isinstance(node, RenderedScalar) and node.pending):
            reading.add(
                f"{cls.verb!r} wants account.Object, found {show(node)}",
                node.where,
                hint="for example salesforce.Contact",
            )
        return {"account": "", "object": ""}

    @classmethod
    def target_text(cls, data: dict[str, Any]) -> str:
        """``account.Object``."""
        return f"{_field(data, 'account')}.{_field(data, 'object')}"


class ImportStep(_ObjectStep):
    """Import what changed of one object."""

    noun: ClassVar[str] = "an import step"
    verb: ClassVar[str] = "import"

    kind: Literal["import"] = Field(default="import", validation_alias=HIDDEN + "kind")
    option_name: OptionName = Field(
        default="", description="the name the window is stored under; without it LASTIMPORT_<project>_<step name>"
    )

    @classmethod
    def adapt(cls, data: dict[str, Any], source: Marked, reading: Reading) -> dict[str, Any]:
        """The default name of the stored window holds the project's name."""
        adapted = super().adapt(data, source, reading)
        adapted.setdefault("option_name", f"LASTIMPORT_{reading.project}_{adapted['name']}")
        return adapted


def _moment(value: Any) -> Any:
    if isinstance(value, Rendered):
        if value.pending:
            return str.__str__(value)
        value = value.native  # a value that looks like a template is none: nothing is rendered twice
        if isinstance(value, str) and is_template(value):
            raise _no_moment()
    return instant_text(value) if isinstance(value, date) else value


def _no_moment() -> PydanticCustomError:
    return refusal("wants a date or a date and time", allowed=("2024-01-31", "2024-01-31T10:00:00Z"))


def _moment_text(value: str) -> str:
    if is_template(value):
        return value
    try:
        parse_instant(value)
    except ValueError:
        raise _no_moment() from None
    return value


Moment = Annotated[str, BeforeValidator(_moment), AfterValidator(_moment_text)]


class ImportDeletedStep(_ObjectStep):
    """Import what was deleted of one object between two moments, both included."""

    noun: ClassVar[str] = "an import_deleted step"
    verb: ClassVar[str] = "import_deleted"

    kind: Literal["import_deleted"] = Field(default="import_deleted", validation_alias=HIDDEN + "kind")
    start: Moment | None = Field(
        default=None, description="from when, included; Jinja may use steps; without it where the last one ended"
    )
    end: Moment | None = Field(default=None, description="until when, included; Jinja may use steps; without it now")
    compare_ids: Flag = Field(
        default=False,
        description="also compare all ids: finds what was deleted longer ago than the CRM keeps; one read of all ids",
    )


class EnumerationsStep(_ObjectStep):
    """Import the values of an object's picklists or choices."""

    noun: ClassVar[str] = "an enumerations step"
    verb: ClassVar[str] = "enumerations"

    kind: Literal["enumerations"] = Field(default="enumerations", validation_alias=HIDDEN + "kind")
    values: Annotated[Literal["replace", "merge"], BeforeValidator(word)] = Field(
        default="replace",
        description="replace: the table holds what the CRM has now; merge: values that have gone stay as inactive",
    )


class _SelectStep(_Step):
    """A step on selected models: ``verb: expression`` or a list of them."""

    select: list[Text] = Field(validation_alias=HIDDEN + "select")

    @classmethod
    def read_target(cls, node: Node, reading: Reading) -> dict[str, Any]:
        """The selection: one expression, a list, or nothing for all models."""
        if isinstance(node, MarkedScalar) and node.value is None:
            return {"select": []}
        leaves = node.items if isinstance(node, MarkedList) else (node,)
        select: list[str] = []
        for leaf in leaves:
            value = leaf.value if isinstance(leaf, MarkedScalar) else None
            if _from_environment(leaf, cls.verb, reading) or (isinstance(leaf, RenderedScalar) and leaf.pending):
                continue
            if isinstance(value, str) and value.strip():
                select.extend(value.split() if not isinstance(leaf, RenderedScalar) else [value])
            else:
                reading.add(
                    f"{cls.verb!r} wants names of models, found {show(leaf)}", leaf.where, hint="for example +campaign"
                )
        return {"select": select}

    @classmethod
    def target_text(cls, data: dict[str, Any]) -> str:
        """The expressions, joined by spaces."""
        return " ".join(str(item) for item in _field(data, "select") or ())


class TransformStep(_SelectStep):
    """Build models."""

    noun: ClassVar[str] = "a transform step"
    verb: ClassVar[str] = "transform"

    kind: Literal["transform"] = Field(default="transform", validation_alias=HIDDEN + "kind")


class TestStep(_SelectStep):
    """Test models."""

    __test__ = False  # pytest is not to collect it

    noun: ClassVar[str] = "a test step"
    verb: ClassVar[str] = "test"

    kind: Literal["test"] = Field(default="test", validation_alias=HIDDEN + "kind")


class MapConfig(Located):
    """Where one remote field's value comes from."""

    noun: ClassVar[str] = "a mapped field"
    shorthand: ClassVar[str] = "from"

    column: ColumnName = Field(validation_alias="from", description="the model's column")
    convert: Annotated[Convert, BeforeValidator(word)] = Field(
        default="default", description="how the value is turned into the field's type; as for imports"
    )
    only_tighten: Flag = Field(
        default=False,
        description="for consent: the flag may be set to opted out; back only by a newer consent (see changed_at)",
    )
    owner: Annotated[Owner | None, BeforeValidator(word)] = Field(
        default=None, description="whose value counts when CRM and model both changed it; without it as the export says"
    )
    only_if_empty: Flag = Field(default=False, description="write it only where it is empty in the CRM")
    changed_at: ColumnName | None = Field(
        default=None,
        description="the model's column that tells when its value changed: for owner newest, and for a consent given",
    )
    nulls: Annotated[Nulls | None, BeforeValidator(word)] = Field(
        default=None, description="leave or clear, for this field; without it as the export says"
    )


def _rule(value: Any) -> Any:
    """true, false, or the id of an assignment rule."""
    value = word(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, str) and not re.fullmatch(r"01Q[A-Za-z0-9]{12}([A-Za-z0-9]{3})?", value):
        raise refusal("wants true, false or the id of an assignment rule, which begins with 01Q")
    return value


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Batch(Located):
    """How rows are put into calls."""

    noun: ClassVar[str] = "a batch"

    rows: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None, description="rows in a call; chosen by volume. Salesforce: above 200 a job"
    )
    parallel: Annotated[Whole, Field(ge=1, le=64)] | None = Field(
        default=None, description="calls at the same time; chosen by volume"
    )
    road: Annotated[Literal["auto", "rest", "bulk", "batch"], BeforeValidator(word)] = Field(
        default="auto",
        description="which API to take; auto: by volume. Salesforce: rest (calls of 200 rows) or bulk (jobs); "
        "Dynamics: batch (one request a row, in $batch, never a set message or a job)",
    )


class Guards(Located):
    """Ceilings: a plan that is over one of them writes nothing."""

    noun: ClassVar[str] = "the guards"

    max_rows: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="rows to change at most")
    max_share: Share | None = Field(
        default=None, description="share of the mirror's records to change at most, above 0 up to 1"
    )
    max_deletes: Annotated[Whole, Field(ge=0)] | None = Field(default=None, description="records to delete at most")
    max_nulls: Annotated[Whole, Field(ge=0)] | None = Field(
        default=None, description="values to replace by nothing at most"
    )
    max_shrink: Share | None = Field(
        default=None,
        description="share by which the model may have shrunk since its last export, above 0 up to 1; "
        "0.9 for updates, upserts and mirrors unless said otherwise, 1 for any",
    )
    constant: Annotated[Literal["block", "pass"], BeforeValidator(word)] = Field(
        default="block", description="block: a column that had several values and suddenly has one stops the export"
    )


class Options(Located):
    """What a CRM is told beside the values; each option is one CRM's."""

    noun: ClassVar[str] = "the options"
    salesforce: ClassVar[tuple[str, ...]] = ("assignment_rules", "duplicate_rules", "all_or_none", "hard_delete")
    dynamics: ClassVar[tuple[str, ...]] = ("duplicate_detection", "bypass", "run_as", "if_unchanged")

    assignment_rules: Annotated[bool | str, BeforeValidator(_rule)] | None = Field(
        default=None,
        description="Salesforce. true: active assignment rules run (200 rows a call); or a rule's id; else none runs",
    )
    duplicate_rules: Annotated[Literal["enforce", "override"], BeforeValidator(word)] | None = Field(
        default=None, description="Salesforce. override: save in spite of duplicate alerts (200 rows a call)"
    )
    all_or_none: Flag | None = Field(
        default=None, description="Salesforce: one refused row refuses the other rows of its call"
    )
    hard_delete: Flag | None = Field(
        default=None, description="Salesforce, deletes only: past the recycle bin, by Bulk API"
    )
    duplicate_detection: Flag | None = Field(
        default=None, description="Dynamics. true: the environment's duplicate detection rules refuse what they match"
    )
    bypass: Annotated[
        list[Annotated[Literal["custom_sync", "custom_async", "flows"], BeforeValidator(word)]] | None,
        BeforeValidator(_list),
    ] = Field(
        default=None, description="Dynamics: logic that does not run on what is written; its user needs the right"
    )
    run_as: Text | None = Field(
        default=None, description="Dynamics: the Entra object id of the user to write as, or systemuser:ID"
    )
    if_unchanged: Flag | None = Field(
        default=None,
        description="Dynamics. true: a record that changed since its import is refused; versionnumber must be imported",
    )

    @property
    def given(self) -> dict[str, object]:
        """What was written, by name."""
        names = (*self.salesforce, *self.dynamics)
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def _told(options: Options, batch: Batch) -> dict[str, object]:
    return options.given | ({"road": batch.road} if batch.road != "auto" else {})


class Retry(Located):
    """How refused rows are tried again."""

    noun: ClassVar[str] = "a retry"

    attempts: Annotated[Whole, Field(ge=1, le=100)] = Field(default=3, description="attempts in all")
    wait: Duration = Field(default=timedelta(minutes=10), description="the pause between two attempts")


class Rejects(Located):
    """What happens to refused rows."""

    noun: ClassVar[str] = "the rejects"

    retry: Retry = Field(default=Retry(), description="when refused rows are tried again")


def _not_empty(value: Any) -> Any:
    if isinstance(value, dict) and not value:
        raise refusal("must not be empty")
    return value


Key = Annotated[dict[FieldName, ColumnName], BeforeValidator(_not_empty)]


class ExportStep(_ObjectStep):
    """Bring an object's records in line with a model."""

    noun: ClassVar[str] = "an export step"
    verb: ClassVar[str] = "export"

    kind: Literal["export"] = Field(default="export", validation_alias=HIDDEN + "kind")
    model: ModelName = Field(validation_alias="from", description="the export model, one row a record")
    mode: Annotated[Literal["insert", "update", "upsert", "mirror"], BeforeValidator(word)] = Field(
        default="insert",
        description="insert, update, upsert, or mirror: an upsert that also removes what left the model, of the "
        "records that this step wrote; may be left out for insert, which has no key",
    )
    key: Key = Field(
        default_factory=dict,
        description="remote key field: model column; what tells which record a row is. Not with insert",
    )
    identify: ColumnName | None = Field(
        default=None,
        description="insert only: the column that names a row in plan, ledger and rejects, so that it is created once",
    )
    map: Annotated[dict[WrittenName, MapConfig], BeforeValidator(spread(MapConfig)), BeforeValidator(_not_empty)] = (
        Field(description="remote field: model column, or {from, convert, only_tighten, nulls}")
    )
    nulls: Annotated[Nulls, BeforeValidator(word)] = Field(
        default="leave", description="leave: an empty column leaves the field as it is; clear: it empties the field"
    )
    owner: Annotated[Owner | None, BeforeValidator(word)] = Field(
        default=None,
        description="whose value counts when CRM and model both changed a field: crm, campaign, newest (see "
        "changed_at) or fill_empty (write only empty fields); without it the row is parked as a conflict",
    )
    archive: Annotated[dict[FieldName, Text], BeforeValidator(_not_empty)] | None = Field(
        default=None,
        description="mirror only: field and value that a record gets when it leaves the model; else deleted",
    )
    batch: Batch = Field(default=Batch(), description="rows in a call, calls at the same time, road")
    options: Options = Field(default=Options(), description="what the CRM is told beside the values")
    guards: Guards = Field(default=Guards(), description="ceilings above which nothing is written")
    rejects: Rejects = Field(default=Rejects(), description="what happens to refused rows")

    @property
    def told(self) -> dict[str, object]:
        """The options that were given, and the road where one was chosen, by the connectors' names."""
        return _told(self.options, self.batch)

    def nulls_of(self, field: str) -> Nulls:
        """leave or clear for one remote field: its own word, else the export's."""
        return self.map[field].nulls or self.nulls

    def owner_of(self, field: str) -> str:
        """crm, campaign, newest or fill_empty for one remote field: its own word, else the export's, else none ('')."""
        entry = self.map[field]
        return "fill_empty" if entry.only_if_empty else entry.owner or self.owner or ""


class DeleteStep(_ObjectStep):
    """Delete the records that a model names. Its ceiling is mandatory."""

    noun: ClassVar[str] = "a delete step"
    verb: ClassVar[str] = "delete"

    kind: Literal["delete"] = Field(default="delete", validation_alias=HIDDEN + "kind")
    model: ModelName = Field(validation_alias="from", description="the model, one row a record to delete")
    key: Key = Field(default_factory=dict, description="remote key field: model column, the record's id")
    guards: Guards = Field(default=Guards(), description="ceilings; max_deletes is required")
    batch: Batch = Field(default=Batch(), description="rows in a call, calls at the same time, road")
    options: Options = Field(default=Options(), description="what the CRM is told beside the values")
    rejects: Rejects = Field(default=Rejects(), description="what happens to refused rows")

    @property
    def told(self) -> dict[str, object]:
        """As :attr:`ExportStep.told`."""
        return _told(self.options, self.batch)


STEP_MODELS: tuple[type[_Step], ...] = (
    ImportStep, ImportDeletedStep, EnumerationsStep, TransformStep, TestStep, ExportStep, DeleteStep,
)  # fmt: skip


def _verb_of(data: Any) -> str | None:
    if isinstance(data, _Step):
        return HIDDEN + data.verb
    return next((HIDDEN + verb for verb in VERBS if verb in data), None) if isinstance(data, dict) else None


Step = Annotated[
    Annotated[ImportStep, Tag(HIDDEN + "import")]
    | Annotated[ImportDeletedStep, Tag(HIDDEN + "import_deleted")]
    | Annotated[EnumerationsStep, Tag(HIDDEN + "enumerations")]
    | Annotated[TransformStep, Tag(HIDDEN + "transform")]
    | Annotated[TestStep, Tag(HIDDEN + "test")]
    | Annotated[ExportStep, Tag(HIDDEN + "export")]
    | Annotated[DeleteStep, Tag(HIDDEN + "delete")],
    Discriminator(_verb_of),
]


class Pipeline(Located):
    """A workflow: steps in order, and when to run them."""

    noun: ClassVar[str] = "a pipeline"

    name: PipelineName = Field(validation_alias=NAME)
    schedule: Schedule | None = Field(default=None, description="when to run, as five cron fields; backhaul prints it")
    steps: Annotated[
        list[Annotated[Step, WrapValidator(keep_good)]], BeforeValidator(only_mappings), AfterValidator(without_bad)
    ] = Field(description="what to do, in order")
