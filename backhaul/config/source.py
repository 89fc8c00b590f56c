"""Sources: the objects to import from one account, with fields, cursor, filter and order (sources/*.yml)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WrapValidator,
    model_validator,
)

from backhaul.config.filter import read_filter
from backhaul.config.reading import NAME, Located, Marked, Reading, keep_good, only_mappings, show, spread, without_bad
from backhaul.config.values import (
    AccountName,
    ApiName,
    ColumnName,
    Duration,
    FieldName,
    ModelName,
    RelatedName,
    Rendered,
    Share,
    refusal,
)
from backhaul.record import Group
from backhaul.yaml_marks import MarkedMapping, MarkedScalar

Convert = Literal["default", "date_only", "without_offset", "copy"]
ImportConvert = Literal["default", "date_only", "without_offset", "copy", "list"]


def word(value: Any) -> Any:
    """A rendered leaf as plain text, for fields that take one of a few words."""
    return str.__str__(value) if isinstance(value, Rendered) else value


class FieldConfig(Located):
    """One field to import: its API name and how its values are converted."""

    noun: ClassVar[str] = "a field"
    shorthand: ClassVar[str] = "name"

    name: RelatedName = Field(description="the field's API name; Salesforce: or a related record's, as Account.Name")
    convert: Annotated[ImportConvert, BeforeValidator(word)] = Field(
        default="default",
        description="default: typed by describe, times as UTC instants; date_only: the date in the account's "
        "time zone; without_offset: the wall clock as sent; copy: the raw text; list: several choices as a JSON list",
    )


def _order_by(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, list) or not isinstance(info.context, Reading):
        return value
    entries = [_order_entry(item, info.context) for item in value]
    return [entry for entry in entries if entry is not None]


def _order_entry(item: Any, reading: Reading) -> tuple[Any, bool] | None:
    """(field, descending) of ``LastName`` or ``{CreatedDate: desc}``; other shapes go on to pydantic or are faults."""
    if isinstance(item, str):
        return (str.__str__(item), False)
    if isinstance(item, Marked) and len(item) == 1:
        ((field, node),) = item.node.entries.items()
        direction = node.value if isinstance(node, MarkedScalar) else None
        if direction in ("asc", "desc"):
            return (field, direction == "desc")
        reading.add(
            f"the direction of {field!r} wants one of the allowed words, found {show(node)}",
            node.where,
            allowed=("asc", "desc"),
        )
        return None
    if isinstance(item, tuple):
        return item
    raise refusal("wants items such as LastName or {CreatedDate: desc}")


def _distinct_fields(fields: list[FieldConfig], info: ValidationInfo) -> list[FieldConfig]:
    seen: dict[str, FieldConfig] = {}
    for field in fields:
        first = seen.setdefault(field.name.lower(), field)
        if first is not field:
            raise refusal(f"names the field {field.name!r} twice", hint="remove one of the two")
    return fields


class OnlyConfig(Located):
    """The records to import, named by a model: one row, one record's id."""

    noun: ClassVar[str] = "the 'only' of an object"

    model: ModelName = Field(validation_alias="from", description="the model that names the records")
    column: ColumnName = Field(validation_alias="id", description="the model's column with their ids")


class FreshnessConfig(Located):
    """How old what was imported of an object may be before a test warns or fails (dbt's words)."""

    noun: ClassVar[str] = "the 'freshness' of an object"

    warn_after: Duration | None = Field(default=None, description="a test step warns when it is older")
    error_after: Duration | None = Field(default=None, description="a test step fails when it is older")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn_after is None and self.error_after is None:
            raise refusal("wants warn_after, error_after or both")
        if self.warn_after is not None and self.error_after is not None and self.warn_after > self.error_after:
            raise refusal("warns later than it fails", hint="make warn_after the shorter of the two")
        return self


class ObjectConfig(Located):
    """One object to import."""

    noun: ClassVar[str] = "an object"

    name: ApiName = Field(validation_alias=NAME)
    fields: Annotated[
        list[FieldConfig], BeforeValidator(spread(FieldConfig)), Field(min_length=1), AfterValidator(_distinct_fields)
    ] = Field(
        description="the fields to import, by API name or as {name, convert}; "
        "the id and the cursor are added by themselves"
    )
    cursor: FieldName | None = Field(
        default=None,
        description="the field that tells when a record changed; without it the first that exists of the CRM's own",
    )
    overlap: Duration = Field(
        default=timedelta(minutes=10),
        description="how far the next window steps back, as CRM transactions become visible late",
    )
    filter: Annotated[Group | None, PlainValidator(read_filter)] = Field(
        default=None, description="which records to import: levels of all / any with conditions"
    )
    order_by: Annotated[list[tuple[RelatedName, bool]], BeforeValidator(_order_by)] = Field(
        default_factory=list, description="fields, each ascending or as {Field: desc}"
    )
    only: OnlyConfig | None = Field(
        default=None, description="import just the records whose ids a model names, built before the import"
    )
    sweep: Duration | None = Field(
        default=None,
        description="read everything again when the last time is so long ago: formulas change without a stamp",
    )
    max_vanished: Share = Field(
        default=0.5,
        description="share of the live records that one comparison of all ids may find gone at most, where these "
        "are more than 100: above it the listing is taken for broken, and nothing is marked deleted",
    )
    freshness: FreshnessConfig | None = Field(
        default=None,
        description="how old the end of the last import and the newest stamp may be: tests of models that rest on the "
        "object check it, and `backhaul status` shows it",
    )
    road: Annotated[Literal["auto", "rest", "bulk"], BeforeValidator(word)] = Field(
        default="auto", description="which API to take where the CRM has several"
    )


class Source(Located):
    """The objects to import from one account."""

    noun: ClassVar[str] = "a source"

    account: AccountName = Field(description="the account's name in the profiles")
    objects: Annotated[
        dict[str, Annotated[ObjectConfig, WrapValidator(keep_good)]],
        BeforeValidator(only_mappings),
        AfterValidator(without_bad),
    ] = Field(description="the objects by API name")


def declared(node: object) -> tuple[str | None, tuple[str, ...]]:
    """The account and object names that a source's tree names, whatever else is wrong with it."""
    if not isinstance(node, MarkedMapping):
        return None, ()
    account, objects = node.get("account"), node.get("objects")
    name = account.value if isinstance(account, MarkedScalar) and isinstance(account.value, str) else None
    return name, tuple(objects) if isinstance(objects, MarkedMapping) else ()
