"""Column tests and singular tests: each is a query for the rows that break the rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from backhaul.errors import BackhaulError, Where
from backhaul.transform.compiling import RAW_SCHEMA, Compiled, Compiler, raw_table
from backhaul.transform.graph import Graph
from backhaul.transform.model import ColumnTest, Model, SingularTest
from backhaul.transform.running import command, narrowed, require_parents, shortened
from backhaul.transform.suspects import suspected
from backhaul.warehouse import StatementFailed
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.config import Project
    from backhaul.warehouse import Warehouse

TestState = Literal["passed", "warned", "failed", "error"]
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test ended.

    `failures` counts the rows its query gave; `samples` are the first few of them; `state` is passed, warned (it
    failed, and its severity is warn), failed, or error (it could not be run, `message` says why). `model` is empty
    for a file of transforms/tests, `column` for a test of a whole model.
    """

    __test__ = False  # not a test case of pytest's

    name: str
    model: str
    column: str
    failures: int
    state: TestState
    message: str
    sql: str
    samples: tuple[Mapping[str, Any], ...] = ()


def run_tests(
    project: Project,
    warehouse: Warehouse,
    graph: Graph,
    models: Sequence[Model],
    *,
    context: Mapping[str, Any] | None = None,
    on_test: Callable[[TestResult], None] | None = None,
) -> list[TestResult]:
    """Run the tests of the models, and the files of transforms/tests that read one of them.

    Every test runs, whatever became of the others. `on_test` hears each result as soon as it is there.
    """
    runner = _Tests(warehouse, Compiler(graph, warehouse=warehouse, context=context))
    wanted = {model.name for model in models}
    results: list[TestResult] = []

    def take(result: TestResult) -> None:
        results.append(result)
        if on_test is not None:
            on_test(result)

    for name in graph.order:
        if name in wanted:
            for test in graph[name].tests:
                take(runner.column_test(graph[name], test))
    everything = wanted >= set(graph.order)
    for singular in graph.singular:
        if everything or wanted & set(singular.refs):
            take(runner.singular(singular))
    return results


@dataclass(frozen=True, slots=True)
class _Tests:
    warehouse: Warehouse
    compiler: Compiler

    def column_test(self, model: Model, test: ColumnTest) -> TestResult:
        sql = ""
        try:
            self._require(model, test)
            sql = self.compiler.with_inlined((model.name, *test.refs), Queries(self.compiler).of(model, test))
            sql = self.compiler.carried(Compiled(sql), test.where.file).sql
            return self._judged(test, model, sql)
        except BackhaulError as error:
            message = str(error)
            if isinstance(error, StatementFailed):
                one, several = narrowed(suspected(self.compiler, error, Compiled(sql), (model.name, *test.refs)))
                place = f" ({f'it comes from {one}' if one else several})" if one or several else ""
                message = f"{test.where}: {shortened(error.reason)}{place}"
            return _result(test.name, model.name, test.column or "", "error", message, sql)

    def singular(self, test: SingularTest) -> TestResult:
        sql = ""
        try:
            require_parents(self.warehouse, self.compiler, test)
            compiled = self.compiler.compile_test(test)
            carried = self.compiler.carried(compiled, test.file)
            sql = carried.sql
            try:
                failures, samples = self._failing(sql)
            except StatementFailed as failed:
                line = failed.line - 1 if failed.line > 1 else 0
                where, several = carried.locate(line, failed.column) if line else None, ""
                if where is None:
                    where, several = narrowed(suspected(self.compiler, failed, compiled, test.refs))
                place = f" ({several})" if several else ""
                raise BackhaulError(f"{where or Where(test.file)}: {shortened(failed.reason)}{place}") from failed
        except BackhaulError as error:
            return _result(test.name, "", "", "error", str(error), sql)
        state: TestState = "passed" if not failures else "warned" if test.severity == "warn" else "failed"
        message = f"{test.file}: {_rows(failures)} where none should be{_shown(samples)}" if failures else ""
        return TestResult(test.name, "", "", failures, state, message, sql, samples)

    def _require(self, model: Model, test: ColumnTest) -> None:
        """The model and what the test reads besides must be there, and have the columns that the test names."""
        if model.materialized == "ephemeral":
            require_parents(self.warehouse, self.compiler, model)
        elif not self.warehouse.exists(model.schema, model.alias):
            raise BackhaulError(
                f"{test.where}: {model.relation.plain} has not been built yet", hint=f"run `{command(model)}`"
            )
        if test.column is not None:
            self._column(model, test.column, test.where)
        target = test.arguments.get("to") if test.kind == "relationships" else None
        if isinstance(target, tuple) and not self.warehouse.exists(RAW_SCHEMA, raw_table(*target)):
            raise BackhaulError(
                f"{test.where}: {RAW_SCHEMA}.{raw_table(*target)} has not been imported yet",
                hint=f"run `backhaul import {target[0]}.{target[1]}`",
            )
        for name in test.refs:
            parent = self.compiler.graph[name]
            if parent.materialized == "ephemeral":
                require_parents(self.warehouse, self.compiler, parent)
            elif not self.warehouse.exists(parent.schema, parent.alias):
                raise BackhaulError(
                    f"{test.where}: {parent.relation.plain} has not been built yet", hint=f"run `{command(parent)}`"
                )
            elif test.kind == "relationships":
                self._column(parent, str(test.arguments["field"]), test.where)

    def _column(self, model: Model, name: str, where: Where) -> None:
        if model.materialized == "ephemeral":
            return
        names = self.warehouse.columns(model.schema, model.alias)
        if name.lower() not in {known.lower() for known in names}:
            allowed = ", ".join(list(names)[:12]) + (", ..." if len(names) > 12 else "")
            raise BackhaulError(
                f"{where}: {model.relation.plain} has no column '{name}'; it has {allowed}",
                hint=suggest(name, names) or f"correct the name, or add the column to {model.file}",
            )

    def _failing(self, sql: str) -> tuple[int, tuple[Mapping[str, Any], ...]]:
        """How many rows the query gives, and the first few."""
        with self.warehouse.native():
            count = int(self.warehouse.scalar(f"select count(*) from (\n{sql}\n) as failing"))
            if count == 0:
                return 0, ()
            return count, tuple(self.warehouse.rows(f"select * from (\n{sql}\n) as failing limit {_SAMPLES}"))

    def _judged(self, test: ColumnTest, model: Model, sql: str) -> TestResult:
        failures, samples = self._failing(sql)
        state: TestState = "passed" if not failures else "warned" if test.severity == "warn" else "failed"
        message = ""
        if failures:
            what = f"{model.relation.plain}.{test.column}" if test.column else model.relation.plain
            message = f"{test.where}: {what} {_broken(test)}: {_rows(failures)}{_shown(samples)}"
        return TestResult(test.name, model.name, test.column or "", failures, state, message, sql, samples)


@dataclass(frozen=True, slots=True)
class Queries:
    """The queries of column tests, in DuckDB's dialect."""

    compiler: Compiler

    def of(self, model: Model, test: ColumnTest) -> str:
        """The query for the rows that break the rule."""
        relation = str(self.compiler.relation(model))
        if test.only:
            relation = f"(select * from {relation} where {test.only})"
        if test.kind not in BUILT_IN:
            words = {**test.arguments, "model": f"{relation} as tested" if test.only else relation}
            if test.column is not None:
                words["column_name"] = test.column
            return self.compiler.library.call(f"test_{test.kind}", self.compiler.scope(model), words).strip()
        column = self.compiler.quote(test.column) if test.column else str(test.arguments["column_name"])
        return BUILT_IN[test.kind](self, relation, column, test)

    def _not_null(self, relation: str, column: str, test: ColumnTest) -> str:
        return f"select *\nfrom {relation} as tested\nwhere {column} is null"

    def _unique(self, relation: str, column: str, test: ColumnTest) -> str:
        return (
            f"select {column} as value, count(*) as copies\nfrom {relation} as tested\nwhere {column} is not null\n"
            f"group by {column}\nhaving count(*) > 1"
        )

    def _accepted_values(self, relation: str, column: str, test: ColumnTest) -> str:
        quote = test.arguments.get("quote", True)
        values = ", ".join(_literal(value, bool(quote)) for value in test.arguments["values"])
        return (
            f"select {column} as value, count(*) as copies\nfrom {relation} as tested\n"
            f"where {column} is not null and {column} not in ({values})\ngroup by {column}"
        )

    def _relationships(self, relation: str, column: str, test: ColumnTest) -> str:
        target = test.arguments["to"]
        if isinstance(target, tuple):
            parent = str(self.compiler.raw(*target))
        else:
            parent = str(self.compiler.relation(self.compiler.graph[target]))
        field = self.compiler.quote(str(test.arguments["field"]))
        return (
            f"select child.value\nfrom (select {column} as value from {relation} as tested) as child\n"
            f"where child.value is not null\n"
            f"    and not exists (select 1 from {parent} as parent where parent.{field} = child.value)"
        )


BUILT_IN: Mapping[str, Callable[[Queries, str, str, ColumnTest], str]] = {
    "not_null": Queries._not_null,
    "unique": Queries._unique,
    "accepted_values": Queries._accepted_values,
    "relationships": Queries._relationships,
}


def _result(name: str, model: str, column: str, state: TestState, message: str, sql: str) -> TestResult:
    return TestResult(name, model, column, 0, state, message, sql)


def _literal(value: Any, quote: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) or not quote:
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _broken(test: ColumnTest) -> str:
    if test.kind == "relationships":
        target = test.arguments["to"]
        shown = ".".join(target) if isinstance(target, tuple) else target
        return f"holds values that {shown}.{test.arguments['field']} does not have"
    return {
        "not_null": "is null",
        "unique": "holds values more than once",
        "accepted_values": "holds values that are not accepted",
    }.get(test.kind, f"fails {test.kind}")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _shown(samples: Sequence[Mapping[str, Any]]) -> str:
    """The first samples on one line, cut where they grow long."""
    if not samples:
        return ""
    lines = []
    for sample in samples[:3]:
        cells = [f"{name}={value!s:.40}" for name, value in list(sample.items())[:4]]
        lines.append(" ".join(cells))
    return ", such as " + "; ".join(lines)


__all__ = ["BUILT_IN", "TestResult", "run_tests"]
