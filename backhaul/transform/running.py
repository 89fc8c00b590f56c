"""Building models in the warehouse: one after the other, each whole or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from backhaul.errors import BackhaulError, ConfigurationError, Where
from backhaul.transform.compiling import RAW_SCHEMA, Compiled, Compiler, raw_table
from backhaul.transform.graph import Graph
from backhaul.transform.model import Model, SingularTest
from backhaul.transform.seeds import load_seed
from backhaul.transform.suspects import suspected
from backhaul.warehouse import StatementFailed

if TYPE_CHECKING:
    from backhaul.config import Project
    from backhaul.warehouse import Warehouse

_SUSPECTS = 6
"""So many places that an error can have come from are named."""

RunState = Literal["done", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class ModelResult:
    """How the building of one model ended.

    `relation` is schema.name (the bare name of an ephemeral model, which makes nothing); `rows` those of the table, or
    those an incremental run brought, None for a view or an ephemeral model; `seconds` on the clock of this machine;
    `message` says what went wrong and what to do next, empty when done.
    """

    name: str
    relation: str
    materialized: str
    rows: int | None
    seconds: float
    state: RunState
    message: str = ""


def compile_model(
    graph: Graph,
    model: Model,
    *,
    warehouse: Warehouse | None = None,
    context: Mapping[str, Any] | None = None,
    full_refresh: bool = False,
) -> str:
    """The SQL of a model as it would run; without a warehouse, as if nothing were built yet.

    Raises :class:`~backhaul.errors.ConfigurationError` with file and line.
    """
    if model.is_seed:
        raise ConfigurationError(f"'{model.name}' is a seed ({model.file}): there is no SQL to compile")
    return Compiler(graph, warehouse=warehouse, context=context, full_refresh=full_refresh).compile(model).sql


def run_models(  # noqa: PLR0913 - the last three are optional and by name only
    project: Project,
    warehouse: Warehouse,
    graph: Graph,
    models: Sequence[Model],
    *,
    context: Mapping[str, Any] | None = None,
    full_refresh: bool = False,
    on_model: Callable[[ModelResult], None] | None = None,
) -> list[ModelResult]:
    """Build the models in the order of the graph; gives one result each, in that order.

    A model that fails leaves what stood there before as it was; what reads it is skipped, the rest goes on. Nothing
    is raised for a model's own failure. `context` holds what Jinja sees besides the words of all, such as ``steps``.
    `on_model` hears each result as soon as it is there.
    """
    compiler = Compiler(graph, warehouse=warehouse, context=context, full_refresh=full_refresh)
    wanted = {model.name for model in models}
    bad: dict[str, str] = {}
    results: list[ModelResult] = []
    for name in graph.order:
        if name not in wanted:
            continue
        model = graph[name]
        began = time.monotonic()
        rows: int | None = None
        state: RunState = "done"
        message = ""
        cause = next((bad[ref] for ref in model.refs if ref in bad), None)
        if cause is not None:
            bad[name] = cause
            state, message = "skipped", f"it depends on {cause}, which failed"
        else:
            try:
                rows = _Build(project, warehouse, compiler, model).build()
            except BackhaulError as error:
                bad[name] = name
                state, message = "failed", str(error)
        result = ModelResult(
            name=name,
            relation=name if model.materialized == "ephemeral" else model.relation.plain,
            materialized=model.materialized,
            rows=rows,
            seconds=time.monotonic() - began,
            state=state,
            message=message,
        )
        results.append(result)
        if on_model is not None:
            on_model(result)
    return results


@dataclass(frozen=True, slots=True)
class _Build:
    """The building of one model."""

    project: Project
    warehouse: Warehouse
    compiler: Compiler
    model: Model

    def build(self) -> int | None:
        """Make the table or view; gives its rows where they are counted. Raises BackhaulError, says where and why."""
        model = self.model
        if model.is_seed:
            try:
                return load_seed(self.warehouse, model, self.project.folder / model.file)
            except StatementFailed as failed:
                todo = f"{failed.hint}; then" if failed.hint else "correct it, then"
                raise BackhaulError(
                    f"{model.file}: {shortened(failed.reason)}", hint=f"{todo} run `{command(model)}`"
                ) from failed
        require_parents(self.warehouse, self.compiler, model)
        compiled = self.compiler.compile(model)
        if model.materialized == "ephemeral":
            return None
        carried = self.compiler.carried(compiled, model.file)
        path = self._keep(carried.sql)
        try:
            return self._materialise(carried.sql)
        except StatementFailed as failed:
            raise self._explained(failed, compiled, carried, path) from failed

    def _materialise(self, sql: str) -> int | None:
        model = self.model
        self.warehouse.create_schema(model.schema)
        if model.materialized == "view":
            self.warehouse.create_view_as(model.schema, model.alias, sql)
            return None
        if model.materialized == "table":
            return self.warehouse.create_table_as(model.schema, model.alias, sql)
        if self.compiler.is_incremental(model):
            return self.warehouse.merge(model.schema, model.alias, sql, model.unique_key)
        with self.warehouse.transaction():
            count = self.warehouse.create_table_as(model.schema, model.alias, sql)
            self._refuse_untyped()
            self._refuse_doubles()
            return count

    def _refuse_untyped(self) -> None:
        """A column that is nothing but NULL has no type that a later increment's values could be put into."""
        columns = self.warehouse.columns(self.model.schema, self.model.alias)
        untyped = [name for name, declared in columns.items() if declared.strip('"').upper() == "NULL"]
        if untyped:
            raise StatementFailed(
                f"the column '{untyped[0]}' is NULL and has no type, so later increments could not fill it",
                hint=f"write cast(null as <type>) as {untyped[0]}",
            )

    def _refuse_doubles(self) -> None:
        model, quote = self.model, self.warehouse.quote
        keys = ", ".join(quote(key) for key in model.unique_key)
        found = self.warehouse.rows(
            f"SELECT {keys}, count(*) AS n FROM {self.warehouse.relation(model.schema, model.alias)} "
            f"GROUP BY {keys} HAVING count(*) > 1 ORDER BY {keys} LIMIT 1"
        )
        if found:
            example = ", ".join(f"{key} = {found[0][key]!r}" for key in found[0] if key != "n")
            raise StatementFailed(
                f"{model.relation.plain}: its unique key ({', '.join(model.unique_key)}) comes more than once, such as "
                f"{example} ({found[0]['n']} rows)",
                hint="make the query give one row for each key, or name further key columns",
            )

    def _keep(self, sql: str) -> str:
        """Write the compiled SQL beside the project's state; gives the path as shown to people."""
        path = self.project.state_folder / "compiled" / self.model.schema / f"{self.model.name}.sql"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql + "\n", encoding="utf-8")
        except OSError:
            return ""  # for reading only: a full or read-only disk must not stop a run over it
        inside = path.is_relative_to(self.project.folder)
        return (path.relative_to(self.project.folder) if inside else path).as_posix()

    def _explained(self, failed: StatementFailed, compiled: Compiled, carried: Compiled, path: str) -> BackhaulError:
        """The database's refusal with the line of the model, what to do next and where the SQL lies.

        `carried` is what the database was given: `compiled`, or that in the database's own dialect.
        """
        model = self.model
        own = failed.sql.strip() == carried.sql.strip() or not failed.sql
        line = failed.line if own else 0
        where = carried.locate(line, failed.column) if line else None
        places = [f"line {line} of {path}" if line else f"SQL: {path}"] if path else []
        if where is None and own:
            where, others = narrowed(suspected(self.compiler, failed, compiled, model.refs))
            places = [*([others] if others else []), *places]
        where = where or Where(model.file)
        place = f" ({'; '.join(places)})" if places else ""
        hints = [failed.hint] if failed.hint else []
        return BackhaulError(
            f"{where}: {shortened(failed.reason)}{place}",
            hint="; ".join(
                [*hints, f"then run `{command(model)}`" if hints else f"correct it, then run `{command(model)}`"]
            ),
        )


def command(model: Model) -> str:
    """The command that builds this model alone."""
    return f"backhaul transform -s {model.name}"


def narrowed(suspects: Sequence[Where]) -> tuple[Where | None, str]:
    """The one place that an error can have come from, else None and words that name several; '' for none."""
    if len(suspects) < 2:
        return (suspects[0] if suspects else None), ""
    shown = ", ".join(map(str, suspects[:_SUSPECTS]))
    more = f" and {len(suspects) - _SUSPECTS} more" if len(suspects) > _SUSPECTS else ""
    return None, f"it can come from {shown}{more}"


def require_parents(
    warehouse: Warehouse, compiler: Compiler, model: Model | SingularTest, names: Sequence[str] = ()
) -> None:
    """Refuse, with the command that helps, when a table that the model reads is not there yet.

    Ephemeral models are looked through. `names` are further models that have to be there.
    """
    graph = compiler.graph
    reading = [model, *graph.inlined(model, names)]
    for reader in reading:
        for account, object in reader.sources:
            if not warehouse.exists(RAW_SCHEMA, raw_table(account, object)):
                raise BackhaulError(
                    f"{model.file}: {RAW_SCHEMA}.{raw_table(account, object)} has not been imported yet",
                    hint=f"run `backhaul import {account}.{object}`",
                )
        for name in (*reader.refs, *(names if reader is model else ())):
            parent = graph[name]
            if parent.materialized != "ephemeral" and not warehouse.exists(parent.schema, parent.alias):
                target = f"+{model.name}" if isinstance(model, Model) else parent.name
                raise BackhaulError(
                    f"{model.file}: {parent.relation.plain} ({parent.file}) has not been built yet",
                    hint=f"run `backhaul transform -s {target}`",
                )


def shortened(reason: str) -> str:
    """The database's message on one line, without its own excerpt, at most a few hundred characters."""
    text = re.split(r"\n+LINE \d+:", reason.strip())[0]
    text = re.sub(r"\s*\n\s*", "; ", text)
    return text if len(text) <= 400 else text[:397] + "..."
