"""What the project's transforms folder says, as plain data: models, columns, tests, relations.

Nothing here reads a file, renders Jinja or touches a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backhaul.errors import Where

MATERIALISATIONS = ("table", "view", "incremental", "ephemeral")
"""What ``materialized`` may say. A model that says nothing is a view, as with dbt."""

SEED = "seed"
"""What stands in :attr:`Model.materialized` for a CSV file."""


def quoted(identifier: str) -> str:
    """The identifier in double quotes, as DuckDB (in whose dialect models are written) wants it."""
    return '"' + identifier.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, a view or an inlined model, as Jinja prints it: ``{{ ref('recipients') }}``.

    `shown` is the text that stands in the SQL: the quoted, qualified name, or the name of a common table expression.
    """

    schema: str
    name: str
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def identifier(self) -> str:
        """The bare name, as dbt's relations call it."""
        return self.name

    @property
    def table(self) -> str:
        """The bare name, as older dbt projects call it."""
        return self.name

    @property
    def plain(self) -> str:
        """``schema.name`` without quotes, for people."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the YAML describes."""

    name: str
    description: str = ""
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class ColumnTest:
    """One test that the YAML declares on a model or on one of its columns.

    `kind` is not_null, unique, accepted_values, relationships or the name of a ``{% test %}`` of the project;
    `arguments` are its own words; `refs` the models that it reads besides its own; `only` is the `where` of its
    config, a SQL condition on the rows to look at; `severity` is error or warn.
    """

    name: str
    model: str
    column: str | None
    kind: str
    arguments: Mapping[str, Any]
    where: Where
    refs: tuple[str, ...] = ()
    severity: str = "error"
    only: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class SingularTest:
    """A file of transforms/tests: a query that must give no rows."""

    name: str
    file: str
    text: str
    refs: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    severity: str = "error"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """One file of the transforms folder that makes a table or view: a Jinja SQL model or a CSV seed.

    `file` is the path relative to the project; `folders` are those between transforms/ and the file, outermost
    first; `refs` names the models it reads, `sources` the (account, object) pairs. `unique_key` is empty unless the
    model is incremental. `full_refresh` False keeps an incremental model from being rebuilt.
    """

    name: str
    file: str
    folders: tuple[str, ...]
    text: str
    schema: str
    alias: str
    materialized: str = "view"
    unique_key: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    description: str = ""
    columns: tuple[Column, ...] = ()
    tests: tuple[ColumnTest, ...] = ()
    column_types: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    full_refresh: bool | None = None
    delimiter: str = ","
    where: Where | None = None  # of its YAML entry, when it has one

    @property
    def relation(self) -> Relation:
        """The table or view that the model makes."""
        return Relation(self.schema, self.alias)

    @property
    def is_seed(self) -> bool:
        """Whether it is a CSV file."""
        return self.materialized == SEED

    @property
    def path(self) -> tuple[str, ...]:
        """Folders and name: what dotted selections such as ``campaign.recipients`` match."""
        return (*self.folders, self.name)
