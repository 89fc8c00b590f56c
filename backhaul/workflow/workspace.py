"""The workspace of a command: the project with its warehouse, ledger, connectors and models, and the verbs on them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backhaul.config import (
    DeleteStep,
    EnumerationsStep,
    ExportStep,
    ImportDeletedStep,
    ImportStep,
    ObjectConfig,
    Pipeline,
    Project,
    Step,
    TestStep,
    TransformStep,
)
from backhaul.crm import Connector, open_connector
from backhaul.errors import BackhaulError, ConfigurationError, Fault, StepFailed
from backhaul.export import Mirror, Plan, Source, digest_of, make_plan, recover
from backhaul.export.batching import Cost, cost_of
from backhaul.export.plan import Digest
from backhaul.export.rejects import source_rows
from backhaul.ledger import Ledger
from backhaul.warehouse import Warehouse, open_warehouse
from backhaul.workflow.freshness import Freshness, Verdict, judge
from backhaul.workflow.lease import Lease
from backhaul.workflow.lock import PipelineLock
from backhaul.workflow.results import (
    BLOCKED,
    DONE,
    FAILED,
    SKIPPED,
    Listener,
    RunResult,
    SilentListener,
    StepResult,
    in_one_line,
    overall,
    target_of,
)
from backhaul.workflow.sending import send
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.importing import ImportResult, OptionState
    from backhaul.transform import Graph, TestResult
    from backhaul.transform.testing import TestState

LONGEST_NAME = 150
"""Characters of a step's name in a file's; file systems take 255 bytes, and some less."""

VANISHED = "max_vanished"
"""The guard of imports, by the name by which it is let pass once."""


class Workspace:
    """A project at work. Use it in a ``with``: it gives the warehouse file and the connections back.

    Steps that fail because of the world (a CRM, a row, a lock) become results; mistakes in the configuration and
    defects are raised.
    """

    def __init__(self, project: Project, listener: Listener | None = None) -> None:
        self.project = project
        self.listener: Listener = listener or SilentListener()
        self._closing = contextlib.ExitStack()
        self._warehouse: Warehouse | None = None
        self._ledger: Ledger | None = None
        self._graph: Graph | None = None
        self._connectors: dict[str, Connector] = {}
        self._plans: dict[str, Plan] = {}
        self.makers: dict[str, Callable[[], Plan]] = {}
        """Who makes the plan of a step that no pipeline has, by the step's name."""
        self.commands: dict[str, str] = {}
        """The command that shows the plan of such a step, and with --apply sends it."""

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    # What the verbs work with ---------------------------------------------------------------------------------------

    @property
    def warehouse(self) -> Warehouse:
        """The profile's warehouse, opened once."""
        if self._warehouse is None:
            self._warehouse = self._closing.enter_context(
                open_warehouse(self.project.profile.warehouse, self.project.folder)
            )
        return self._warehouse

    @property
    def ledger(self) -> Ledger:
        """The ledger in the warehouse."""
        if self._ledger is None:
            self._ledger = Ledger(self.warehouse)
        return self._ledger

    @property
    def graph(self) -> Graph:
        """The models, read once."""
        if self._graph is None:
            from backhaul.transform import load_models

            self._graph = load_models(self.project)
        return self._graph

    def connector(self, account: str) -> Connector:
        """The connector of an account, opened once."""
        if account not in self._connectors:
            known = self.project.profile.accounts
            if account not in known:
                raise ConfigurationError(
                    Fault(
                        f"the profile {self.project.profile.name} has no account {account!r}",
                        allowed=tuple(known),
                        hint=f"add it under accounts: in profiles/{self.project.profile.name}.yml",
                    )
                )
            self._connectors[account] = self._closing.enter_context(contextlib.closing(open_connector(known[account])))
        return self._connectors[account]

    def object_config(self, account: str, name: str) -> ObjectConfig:
        """What sources/ declares of an object; ConfigurationError when it declares nothing."""
        source = self.project.sources.get(account)
        if source is None or name not in source.objects:
            declared = tuple(f"{key}.{item}" for key, value in self.project.sources.items() for item in value.objects)
            raise ConfigurationError(
                Fault(f"sources/ declares no object {account}.{name}", allowed=declared, hint="add it to sources/")
            )
        return source.objects[name]

    def pipeline(self, name: str) -> Pipeline:
        """A pipeline by name; ConfigurationError with a suggestion when there is none."""
        pipelines = self.project.pipelines
        if name not in pipelines:
            raise ConfigurationError(
                Fault(
                    f"there is no pipeline {name!r}",
                    allowed=tuple(pipelines),
                    hint=suggest(name, pipelines) or "pipelines stand in pipelines/*.yml",
                )
            )
        return pipelines[name]

    def lease(self) -> Lease | None:
        """The project's lease in a warehouse that several machines share; None of one that is its own lock."""
        if not self.warehouse.shared:
            return None
        project = self.project
        return Lease(
            self.ledger,
            self.warehouse,
            lambda: open_warehouse(project.profile.warehouse, project.folder),
            project.name,
        )

    @contextlib.contextmanager
    def leased(self, running: str) -> Iterator[None]:
        """Be the only runner of the project in a shared warehouse; Locked, naming the other, when one is at work."""
        lease = self.lease()
        if lease is None:
            yield
            return
        from backhaul.importing import renew_states

        lease.running = running
        with lease:
            renew_states(self.warehouse)
            self.ledger.permitted = lease.check
            try:
                yield
            finally:
                self.ledger.permitted = lambda: None

    # Verbs ----------------------------------------------------------------------------------------------------------

    def run(
        self, name: str, *, full_refresh: bool = False, allow: Sequence[str] = (), retry: bool = False
    ) -> RunResult:
        """Run a pipeline's steps in order. After a failed or blocked step the others are skipped."""
        pipeline = self.pipeline(name)
        return self.run_steps(
            pipeline.steps, command="run", pipeline=name, full_refresh=full_refresh, allow=allow, retry=retry
        )

    def run_steps(  # noqa: PLR0913 - what a command may say of a run, each by its name
        self,
        steps: Sequence[Step],
        *,
        command: str,
        pipeline: str = "",
        full_refresh: bool = False,
        allow: Sequence[str] = (),
        retry: bool = False,
        earlier: Mapping[str, Any] | None = None,
        plans: Mapping[str, Plan] | None = None,
    ) -> RunResult:
        """Run some steps as one run of the ledger; `pipeline` names the lock ('' = the project's own).

        `earlier` are the windows of import steps that an earlier run has done; `plans` are made already, by step.
        """
        began = monotonic()
        lock = PipelineLock(self.project.state_folder / "locks", pipeline or "commands")
        with lock, self.leased(f"{command} {pipeline}".strip()):
            ledger = self.ledger
            remarks = _left_elsewhere(ledger.close_dead_runs(pipeline))
            run_id = ledger.start_run(
                project=self.project.name, profile=self.project.profile.name, command=command, pipeline=pipeline
            )
            results: list[StepResult] = []
            try:
                context: dict[str, Any] = {"steps": dict(earlier or {})}
                self._plans = dict(plans or {})
                for position, step in enumerate(steps):
                    ledger.permitted()
                    stopped = any(result.state in (FAILED, BLOCKED) for result in results)
                    if stopped:
                        result = StepResult(step.name, step.kind, target_of(step), SKIPPED, "an earlier step failed")
                        self.listener.step_finished(result)
                    else:
                        result = self._run_step(run_id, position, step, context, (full_refresh, tuple(allow), retry))
                    results.append(result)
            except KeyboardInterrupt:
                ledger.finish_run(run_id, "interrupted", "stopped by a person")
                raise
            except BaseException as error:
                ledger.finish_run(run_id, FAILED, _first_line(error))
                raise
            state = overall(results)
            ledger.finish_run(run_id, state, _blame(results))
        return RunResult(run_id, pipeline, state, monotonic() - began, results, remarks)

    def _run_step(
        self,
        run_id: str,
        position: int,
        step: Step,
        context: dict[str, Any],
        options: tuple[bool, tuple[str, ...], bool],
    ) -> StepResult:
        full_refresh, allow, retry = options
        started, began = datetime.now(UTC), monotonic()
        self.listener.step_started(step.name, step.kind, target_of(step))
        try:
            match step:
                case ImportStep():
                    result = self._import(run_id, step, context, full_refresh, VANISHED in allow)
                case ImportDeletedStep():
                    result = self._import_deleted(run_id, step, context, VANISHED in allow)
                case EnumerationsStep():
                    result = self._enumerations(step)
                case TransformStep():
                    result = self._transform(step, context, full_refresh)
                case TestStep():
                    result = self._test(step, context)
                case ExportStep() | DeleteStep():
                    result = self._export(run_id, step, allow, retry)
        except ConfigurationError:
            raise
        except BackhaulError as error:
            result = StepResult(step.name, step.kind, target_of(step), FAILED, str(error))
        result = _timed(result, monotonic() - began)
        self.ledger.record_step(
            run_id,
            position,
            {"name": step.name, "kind": step.kind, "state": result.state, "message": result.message},
            started,
            {**result.details, "rows": result.rows},
        )
        self.listener.step_finished(result)
        return result

    # Steps ----------------------------------------------------------------------------------------------------------

    def _import(
        self, run_id: str, step: ImportStep, context: dict[str, Any], full_refresh: bool, may_vanish: bool
    ) -> StepResult:
        from backhaul.importing import import_object

        imported = import_object(
            self.project,
            self.warehouse,
            self.connector(step.account),
            self.object_config(step.account, step.object),
            step.option_name,
            spool_root=self.project.state_folder / "spool",
            progress=self.listener.progress,
            full_refresh=full_refresh,
            population=self._population(self.object_config(step.account, step.object)),
            may_vanish=may_vanish,
        )
        return self._imported(run_id, step, imported, context)

    def _population(self, config: ObjectConfig) -> list[str] | None:
        """The ids that the `only` of an object names; None when it has none."""
        if config.only is None:
            return None
        model = config.only.model
        if model not in self.graph.models:
            raise ConfigurationError(
                Fault(f"there is no model {model!r}", config.only.where, allowed=tuple(self.graph.models))
            )
        relation = self.graph.models[model].relation
        if not self.warehouse.exists(relation.schema, relation.identifier):
            raise StepFailed(f"the model {model} has not been built yet", hint=f"backhaul transform -s +{model}")
        columns = self.warehouse.columns(relation.schema, relation.identifier)
        if config.only.column not in columns:
            raise ConfigurationError(
                Fault(f"the model {model} has no column {config.only.column!r}", config.only.where, tuple(columns))
            )
        column = self.warehouse.quote(config.only.column)
        named = self.warehouse.relation(relation.schema, relation.identifier)
        rows = self.warehouse.rows(
            f"SELECT DISTINCT TRIM(CAST({column} AS VARCHAR)) AS id FROM {named} WHERE {column} IS NOT NULL"
        )
        return [row["id"] for row in rows if row["id"]]

    def _import_deleted(
        self, run_id: str, step: ImportDeletedStep, context: dict[str, Any], may_vanish: bool
    ) -> StepResult:
        from backhaul.importing import import_deleted

        imported = import_deleted(
            self.project,
            self.warehouse,
            self.connector(step.account),
            self.object_config(step.account, step.object),
            option=f"LASTDELETED_{self.project.name}_{step.name}",
            start=self.project.moment(step.start, context, where=step.where),
            end=self.project.moment(step.end, context, where=step.where),
            compare=step.compare_ids,
            may_vanish=may_vanish,
            spool_root=self.project.state_folder / "spool",
            progress=self.listener.progress,
        )
        return self._imported(run_id, step, imported, context)

    def _imported(
        self, run_id: str, step: ImportStep | ImportDeletedStep, imported: ImportResult, context: dict[str, Any]
    ) -> StepResult:
        window = {
            "kind": step.kind,
            "option_name": imported.option_name,
            "account": step.account,
            "object": step.object,
            "window_start": imported.start,
            "window_end": imported.end,
            "rows_received": imported.rows_received,
            "rows_loaded": imported.rows_loaded,
            "api_calls": imported.api_calls,
        }
        self.ledger.record_window(run_id, step.name, window)
        context["steps"][step.name] = {
            "option_name": imported.option_name,
            "start": imported.start,
            "end": imported.end,
        }
        details = {**window, "pages": imported.pages, "bytes": imported.bytes}
        return StepResult(
            step.name,
            step.kind,
            target_of(step),
            DONE,
            "; ".join(imported.remarks),
            imported.rows_loaded,
            details=details,
        )

    def _enumerations(self, step: EnumerationsStep) -> StepResult:
        """The values of an object's picklists, from describe: replacing what is there, or merged with it."""
        import pyarrow as pa

        schema = self.connector(step.account).describe(step.object)
        options = [(field.name, option) for field in schema.fields.values() for option in field.options]
        table = pa.table(
            {
                "field": pa.array([name for name, _ in options], pa.string()),
                "value": pa.array([option.value for _, option in options], pa.string()),
                "label": pa.array([option.label for _, option in options], pa.string()),
                "active": pa.array([option.active for _, option in options], pa.bool_()),
                "is_default": pa.array([option.default for _, option in options], pa.bool_()),
            }
        )
        name = f"{step.account}__{step.object}"
        merged = step.values == "merge" and self.warehouse.exists("enumerations", name)
        with self.warehouse.transaction():
            self.warehouse.create_schema("enumerations")
            there = self.warehouse.relation("enumerations", name)
            if merged:
                # What the CRM no longer has was in use once: it stays, and is no longer active.
                self.warehouse.execute(f"UPDATE {there} SET active = FALSE, is_default = FALSE WHERE TRUE")
                for start in range(0, len(options), 500):
                    chunk = options[start : start + 500]
                    marks = ", ".join("(?, ?)" for _ in chunk)
                    self.warehouse.execute(
                        f"DELETE FROM {there} WHERE (field, value) IN ({marks})",
                        [text for name_of, option in chunk for text in (name_of, option.value)],
                    )
            else:
                kinds = {
                    column: "BOOLEAN" if column in ("active", "is_default") else "VARCHAR"
                    for column in table.column_names
                }
                self.warehouse.make_table("enumerations", name, kinds)
            self.warehouse.insert("enumerations", name, table)
        return StepResult(step.name, step.kind, target_of(step), DONE, rows=len(options))

    def _transform(self, step: TransformStep, context: Mapping[str, Any], full_refresh: bool) -> StepResult:
        from backhaul.transform import run_models

        models = self.graph.select(list(step.select))
        built = run_models(
            self.project,
            self.warehouse,
            self.graph,
            models,
            context=context,
            full_refresh=full_refresh,
            on_model=lambda model: self.listener.detail(
                f"{model.name}: {model.state}" + (f", {model.rows:,} rows" if model.rows is not None else "")
            ),
        )
        failed = [model for model in built if model.state == "failed"]
        details = {"models": [_plain(model) for model in built]}
        message = "\n".join(model.message for model in failed)
        state = FAILED if failed else DONE
        return StepResult(step.name, step.kind, target_of(step), state, message, len(built), details=details)

    def _test(self, step: TestStep, context: Mapping[str, Any]) -> StepResult:
        from backhaul.transform import run_tests

        models = self.graph.select(list(step.select))
        results = run_tests(self.project, self.warehouse, self.graph, models, context=context)
        names = {model.name for model in models}
        read = {source for name in names | self.graph.ancestors(names) for source in self.graph[name].sources}
        results += [tested(found) for found in self.freshness() if (found.account, found.object) in read]
        failed = [result for result in results if result.state in ("failed", "error")]
        details = {"tests": [_plain(result) for result in results]}
        message = "\n".join(result.message for result in failed)
        state = FAILED if failed else DONE
        return StepResult(step.name, step.kind, target_of(step), state, message, len(results), details=details)

    # Exports --------------------------------------------------------------------------------------------------------

    def plan(self, step: ExportStep | DeleteStep, *, retry: bool = False) -> Plan:
        """The finished plan of an export or delete step, from the model and the mirror as they stand now."""
        if step.name in self.makers:
            return self.makers[step.name]()
        schema = self.connector(step.account).describe(step.object)
        with self.warehouse.snapshot():
            return make_plan(self.warehouse, self.ledger, schema, step, self._source(step), retry=retry)

    def digest(self, step: ExportStep | DeleteStep, plan: Plan) -> Digest:
        """What a plan of `step` rests on, to tell later whether it is still the same."""
        return digest_of(self.warehouse, plan, step, self._source(step))

    def cost(self, step: ExportStep | DeleteStep, plan: Plan) -> Cost:
        """What applying a plan takes, about: by what the object's last batches took."""
        connector = self.connector(step.account)
        pace = self.ledger.pace(step.account, step.object)
        return cost_of(plan, step, connector.describe(step.object), connector, pace)

    def _source(self, step: ExportStep | DeleteStep) -> Source:
        """The two sides of a step's plan. Raises StepFailed when one of them is not there yet."""
        from backhaul.importing import RAW_SCHEMA, raw_table

        if step.model not in self.graph.models:
            raise ConfigurationError(
                Fault(
                    f"step {step.name}: there is no model {step.model!r}", step.where, allowed=tuple(self.graph.models)
                )
            )
        relation = self.graph.models[step.model].relation
        if not self.warehouse.exists(relation.schema, relation.identifier):
            raise StepFailed(
                f"the model {step.model} has not been built yet", hint=f"backhaul transform -s +{step.model}"
            )
        config = self.object_config(step.account, step.object)
        if not self.warehouse.exists(RAW_SCHEMA, raw_table(step.account, step.object)):
            raise StepFailed(
                f"{step.account}.{step.object} has not been imported yet, so there is nothing to compare with",
                hint=f"backhaul import {step.account}.{step.object}",
            )
        return Source(
            model=self.warehouse.relation(relation.schema, relation.identifier),
            columns=self.warehouse.columns(relation.schema, relation.identifier),
            mirror=self.mirror(step.account, step.object, config),
            time_zone=self.project.profile.accounts[step.account].time_zone,
            others={
                name: self.mirror(step.account, name, one)
                for name, one in self.project.sources[step.account].objects.items()
                if one.filter is None
                and one.only is None
                and self.warehouse.exists(RAW_SCHEMA, raw_table(step.account, name))
            },
        )

    def mirror(self, account: str, name: str, config: ObjectConfig) -> Mirror:
        """An imported object's mirror; the first column of a raw log is the record's id."""
        from backhaul.importing import RAW_SCHEMA, mirror_sql, raw_table

        columns = self.warehouse.columns(RAW_SCHEMA, raw_table(account, name))
        schema = self.connector(account).describe(name)
        cursor = config.cursor or next(iter(schema.cursors), None)
        return Mirror(
            sql=mirror_sql(self.warehouse.engine(), account, name, schema.id_field, cursor),
            columns=columns,
            log=self.warehouse.relation(RAW_SCHEMA, raw_table(account, name)),
            cursor=self.warehouse.engine().quote(cursor) if cursor else None,
            freshness=self.imported_until(account, name),
            keys=schema.keys,
        )

    def imported_until(self, account: str, name: str) -> datetime | None:
        """The end of the last window imported of an object, from the ledger and from the cursor itself.

        Windows of deletions end later and say nothing of changes: what was sent just before would pass for seen.
        """
        windows = self.warehouse.rows(
            f"SELECT option_name, kind, MAX(window_end) AS ended FROM {self.ledger.table('windows')} "
            "WHERE account = ? AND object = ? GROUP BY option_name, kind",
            [account, name],
        )
        ended = max((row["ended"] for row in windows if row["kind"] == "import"), default=None)
        others = {row["option_name"] for row in windows if row["kind"] != "import"}
        cursors = [
            state.value
            for state in self.states()
            if (state.account, state.object) == (account, name) and state.option_name not in others
        ]
        known = [moment for moment in (ended, *cursors) if moment is not None]
        return max(known) if known else None

    def freshness(self) -> list[Freshness]:
        """How old each object is that declares a `freshness`, by its last window and the newest stamp that came."""
        from backhaul.importing import RAW_SCHEMA, raw_table

        found = []
        for account, source in self.project.sources.items():
            for name, config in source.objects.items():
                if config.freshness is None:
                    continue
                table = raw_table(account, name)
                there = self.warehouse.exists(RAW_SCHEMA, table)
                by_name = (
                    {column.lower(): column for column in self.warehouse.columns(RAW_SCHEMA, table)} if there else {}
                )
                log = self.warehouse.relation(RAW_SCHEMA, table)
                cursors = {
                    by_name[str(state.cursor).lower()]
                    for state in self.states()
                    if (state.account, state.object) == (account, name) and (state.cursor or "").lower() in by_name
                }
                stamps = [
                    (cursor, self.warehouse.scalar(f"SELECT MAX({self.warehouse.quote(cursor)}) FROM {log}"))
                    for cursor in sorted(cursors)
                ]
                found.append(judge(account, config, self.imported_until(account, name), stamps))
        return found

    def _export(self, run_id: str, step: ExportStep | DeleteStep, allow: tuple[str, ...], retry: bool) -> StepResult:
        connector = self.connector(step.account)
        recovered = recover(
            self.ledger, step, connector, self.journals, lambda keys: self._model_rows(step, keys) if keys else {}
        )
        plan = self._plans.pop(step.name, None) or self.plan(step, retry=retry)
        return send(self, run_id, step, plan, allow, recovered)

    def _model_rows(self, step: ExportStep | DeleteStep, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The rows of a step's model behind some keys; none where it has no model."""
        if step.model not in self.graph.models:
            return {}
        identify = step.identify if isinstance(step, ExportStep) else None
        columns = (identify,) if identify else tuple(step.key.values())
        return source_rows(self.warehouse.engine(), self._source(step).model, columns, keys)

    # Looking --------------------------------------------------------------------------------------------------------

    @property
    def journals(self) -> Path:
        """Where the journals of plans lie that were not sent to their end."""
        return self.project.state_folder / "journal"

    def rejects_file(self, step: str) -> Any:
        """Where the open rejects of a step lie as CSV.

        The undo of an undo of an undo has a name longer than a file's may be: the end of it is a hash then.
        """
        name = step if len(step) <= LONGEST_NAME else f"{step[:LONGEST_NAME]}-{sha256(step.encode()).hexdigest()[:12]}"
        return self.project.state_folder / "rejects" / f"{name}.csv"

    def states(self) -> list[OptionState]:
        """The stored options: where each import will go on."""
        from backhaul.importing import states

        return list(states(self.project, self.warehouse))

    def export_steps(self, pipeline: str, only: str | None = None) -> Iterator[ExportStep | DeleteStep]:
        """The export and delete steps of a pipeline, or the one named `only`."""
        steps = [step for step in self.pipeline(pipeline).steps if isinstance(step, ExportStep | DeleteStep)]
        if only is not None and only not in {step.name for step in steps}:
            raise ConfigurationError(
                Fault(
                    f"the pipeline {pipeline} has no export or delete step {only!r}",
                    allowed=tuple(step.name for step in steps),
                    hint=suggest(only, [step.name for step in steps]),
                )
            )
        yield from (step for step in steps if only in (None, step.name))


def tested(found: Freshness) -> TestResult:
    """A freshness as the result of a test."""
    from backhaul.transform import TestResult

    states: dict[Verdict, TestState] = {"fresh": "passed", "warn": "warned", "stale": "failed"}
    return TestResult(found.name, "", "", int(found.state != "fresh"), states[found.state], found.message, "")


def _left_elsewhere(dead: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What of interrupted runs lies on other machines only, as sentences."""
    told = []
    for run in dead:
        if run["host"] == socket.gethostname():
            continue
        sentence = (
            f"the run {run['run_id']} was interrupted on the machine {run['host']}: pages that it had downloaded and "
            "not loaded lie there, and are downloaded again"
        )
        if run["batches"]:
            sentence += (
                f"; of {run['batches']} batches under way the answers lie there, if they came: what can be repeated is "
                "compared anew, new records are asked of the CRM or listed as in doubt (a resume on that machine would "
                "know them)"
            )
        told.append(sentence)
    return tuple(told)


def _timed(result: StepResult, seconds: float) -> StepResult:
    from dataclasses import replace

    return replace(result, seconds=seconds)


def _plain(value: Any) -> dict[str, Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not a result")


def _blame(results: Sequence[StepResult]) -> str:
    """What stopped a run, in one line; empty when nothing did."""
    stopped = [result for result in results if result.state in (FAILED, BLOCKED)]
    return f"{stopped[0].kind} {stopped[0].target}: {in_one_line(stopped[0].message)}" if stopped else ""


def _first_line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0]
