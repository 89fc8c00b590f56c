"""Whether a project's models can be carried over to an engine, found out without one: `backhaul check --target`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.ledger.tables import SCHEMA as LEDGER_SCHEMA
from backhaul.ledger.tables import TABLES
from backhaul.transform import functions
from backhaul.transform.compiling import RAW_SCHEMA, Compiled, Compiler, raw_table
from backhaul.transform.dialects import TARGETS, NotCarriedOver, carry
from backhaul.transform.graph import Graph
from backhaul.transform.model import Model
from backhaul.transform.testing import Queries

if TYPE_CHECKING:
    from backhaul.config import Project

_LOG = {
    "_backhaul_deleted": "BOOLEAN",
    "_backhaul_survivor": "VARCHAR",
    "_backhaul_seen_at": "TIMESTAMP WITH TIME ZONE",
    "_backhaul_run": "VARCHAR",
    "_dlt_load_id": "VARCHAR",
}
"""The raw log's own columns; see :mod:`backhaul.importing.rows`."""


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """What carrying a project over to an engine would come to.

    `statements` holds the SQL of each model (an incremental model's as of its second run under ``NAME (incremental)``)
    and each test, `missing` the functions that it needs and no statement can make there.
    """

    statements: Mapping[str, str]
    faults: tuple[Fault, ...]
    functions: tuple[str, ...]
    missing: tuple[str, ...]


def check_target(
    project: Project, graph: Graph, target: str, known: Mapping[tuple[str, str], Mapping[str, str]] | None = None
) -> TargetCheck:
    """Carry every model and test of a graph that was loaded for `target` over to it; every fault at once.

    `known` are columns of raw tables with their types, where they are known: without them the declared fields, without
    types.
    """
    check = _Check(project, graph, TARGETS[target], dict(known or {}))
    for name in graph.order:
        check.model(graph[name])
    for name in graph.order:
        for test in graph[name].tests:
            sql = Queries(check.compiler).of(graph[name], test)
            inlined = check.compiler.with_inlined((name, *test.refs), sql)
            check.carry(test.name, Compiled(inlined), test.where)
    for singular in graph.singular:
        check.carry(singular.name, check.compiler.compile_test(singular), Where(singular.file))
    called = tuple(sorted(check.called))
    missing = () if check.dialect == "duckdb" else called
    return TargetCheck(
        check.statements,
        tuple(dict.fromkeys(check.faults)),
        called,
        tuple(name for name in missing if functions.statement(name, check.dialect) is None),
    )


class _Check:
    def __init__(
        self, project: Project, graph: Graph, dialect: str, known: dict[tuple[str, str], Mapping[str, str]]
    ) -> None:
        self.project = project
        self.dialect = dialect
        self.compiler = Compiler(graph)
        self.statements: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.called: set[str] = set()
        self._known = {(schema.lower(), name.lower()): columns for (schema, name), columns in known.items()}
        for source in project.sources.values():
            for name, declared in source.objects.items():
                fields = dict.fromkeys([*(field.name for field in declared.fields), str(declared.cursor or "")], "")
                fields.pop("", None)
                place = (RAW_SCHEMA, raw_table(source.account, name).lower())
                self._known.setdefault(place, {**fields, **_LOG})
        for name, columns in TABLES.items():
            self._known[LEDGER_SCHEMA, name] = dict(columns)

    def columns(self, schema: str, name: str) -> Mapping[str, str]:
        return self._known.get((schema.lower(), name.lower()), {})

    def model(self, model: Model) -> None:
        place = (model.schema.lower(), model.alias.lower())
        if model.is_seed:
            path = self.project.folder / model.file
            with path.open(encoding="utf-8-sig", newline="") as stream:
                header = next(csv.reader(stream, delimiter=model.delimiter), [])
            types = {name.lower(): declared for name, declared in model.column_types.items()}
            self._known[place] = {name: types.get(name.lower(), "VARCHAR") for name in header}
            return
        incremental = model.materialized == "incremental"
        where = Where(model.file)
        try:
            self._known[place] = self.carry(model.name, self.compiler.compile(model), where)
            if incremental:
                self.carry(f"{model.name} (incremental)", self.compiler.compile(model, incremental=True), where)
        except ConfigurationError as error:
            self.faults += error.faults

    def carry(self, name: str, compiled: Compiled, where: Where) -> Mapping[str, str]:
        """Note the statement or its faults; gives its columns."""
        try:
            carried = carry(compiled.sql, self.dialect, self.columns)
        except NotCarriedOver as error:
            self.faults += error.at(compiled.locate, where).faults
            return error.columns
        self.statements[name] = carried.sql
        self.called.update(carried.functions)
        return carried.columns


__all__ = ["TargetCheck", "check_target"]
