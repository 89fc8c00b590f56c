"""dlt, behind a few verbs: read the stored windows, load one package of rows together with its window, change a window.

What dlt keeps for us: the schema and its evolution, the load package, and the pipeline state, which travels to the
destination as a row of the same package as the data. The destination's copy is the truth. The local working folder is
made anew from it at every opening: dlt's local state runs ahead of a package that was not loaded yet, and a killed run
may leave it in any shape, while the spool still holds the pages (tech-spike.md §4).

dlt is imported when a :class:`Loader` is made. It is cut off from its environment: no configuration file or variable of
its own is read, nothing is written outside the project's state folder, no telemetry, no log output.
"""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backhaul.errors import BackhaulError, StepFailed
from backhaul.importing.log import LOAD_ID, RAW_SCHEMA, SEEN_AT

if TYPE_CHECKING:
    import dlt

    from backhaul.config import Project
    from backhaul.warehouse import Warehouse

_OURS = "backhaul"
_SETTINGS: dict[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL", "intercept_signals": False},
    "providers": {"enable_airflow_secrets": False},
    "enable_runtime_trace": False,
    "schema": {"naming": "direct"},  # sql_ci_v1 makes one underscore of two and so breaks Campaign_Score__c
    "normalize": {"model_normalizer": {"add_dlt_load_id": True}},
    "load": {"workers": 1, "raise_on_max_retries": 1, "delete_completed_jobs": True},
}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the state holds of one option: the object it imports, its cursor field, the last window's end.

    `fields` and `filter` tell what was asked for when it was stored; `extra` is for whoever stored it.
    """

    option: str
    account: str
    object: str
    cursor: str | None
    value: datetime | None
    fields: tuple[str, ...] = ()
    filter: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Package:
    """Rows to append: `sql`, a SELECT of the engine's, gives `columns` (name -> type) into `table`, `rows` exactly.

    `hints` are dlt's of these columns, in order.
    """

    table: str
    columns: Mapping[str, str]
    hints: Sequence[Mapping[str, Any]]
    sql: str
    rows: int


class Loader:
    """One dlt pipeline: the project's, into the schema `raw` of its warehouse."""

    def __init__(self, project: Project, warehouse: Warehouse) -> None:
        self._folder = project.state_folder / "dlt"
        # Held weakly: the open loaders are found by their warehouse, and must not keep it alive.
        self._held = weakref.ref(warehouse)
        self._name = _pipeline_name(project.name)
        self._expected: int | None = None
        _isolate(self._folder)
        self._pipeline = self._open()
        self._force_schema = False

    @classmethod
    def of(cls, project: Project, warehouse: Warehouse) -> Loader:
        """The loader of an open warehouse, made once: reading the state back costs as much as a small load.

        Nobody else changes the state meanwhile: the warehouse is open to one process, or leased to it.
        """
        loader = _OPEN.get(warehouse)
        folder = project.state_folder / "dlt"
        if loader is None or loader._folder != folder or not (folder / loader._name).is_dir():
            loader = _OPEN[warehouse] = cls(project, warehouse)
        return loader

    @staticmethod
    def close(warehouse: Warehouse) -> None:
        """Forget the loader of a warehouse: the next one reads the state anew."""
        _OPEN.pop(warehouse, None)

    def stored(self) -> dict[str, Stored]:
        """Every option in the state, by name."""
        found: dict[str, Stored] = {}
        for source in (self._pipeline.state.get("sources") or {}).values():
            for option, state in (source.get("resources") or {}).items():
                ours = state.get(_OURS)
                if ours:
                    found[option] = _stored(option, ours, state)
        return found

    @property
    def _warehouse(self) -> Warehouse:
        warehouse = self._held()
        if warehouse is None:
            raise RuntimeError("the warehouse of this loader is gone")
        return warehouse

    def load(self, stored: Stored, package: Package | None) -> int:
        """Append the package's rows and store the option, in one dlt package; gives the number of rows that landed.

        Without a package only the option is stored. Raises :class:`~backhaul.errors.StepFailed` (after which nothing
        of it counts: neither rows nor option), :class:`~backhaul.errors.IncompleteImport` when its SQL gave another
        number of rows.
        """
        import dlt
        import pyarrow

        state_of = _state_of(stored)
        # dlt drops an item of None on the way; an empty table says "no rows of mine, but take the file".
        nothing = pyarrow.table({})

        written: list[Path] = []

        def pages() -> Iterator[Any]:
            if package is not None:
                file, kind = self._file(package, dlt.current.load_package_state()["load_id"])
                written.append(file)
                yield dlt.mark.with_file_import(str(file), kind, package.rows, nothing)
            dlt.current.resource_state().update(state_of)

        arguments: dict[str, Any] = {}
        if package is not None:
            hints = self._hints(package)
            table = self._warehouse.fold(package.table)
            self._heal(table, hints)
            arguments = {"table_name": table, "columns": hints}
        incremental: Any = dlt.sources.incremental(stored.cursor or SEEN_AT, allow_external_schedulers=False)

        def windowed(window: Any = incremental) -> Iterator[Any]:
            window.advance(stored.value)  # the window is whole: all its pages are spooled and counted
            yield from pages()

        followed = stored.cursor is not None and stored.value is not None
        resource = dlt.resource(
            windowed if followed else pages,
            name=stored.option,
            write_disposition="append",
            max_table_nesting=0,
            **arguments,
        )
        self._expected = package.rows if package is not None else None
        try:
            info = self._run(lambda: self._pipeline.extract(resource))
        finally:
            self._expected = None
            for path in written:
                path.unlink(missing_ok=True)
        if package is None or info is None:
            return 0
        self._warehouse.spell(RAW_SCHEMA, package.table, list(package.columns))
        loads = ", ".join(self._warehouse.literal(load) for load in info.loads_ids)
        log = self._warehouse.relation(RAW_SCHEMA, package.table)
        return int(self._warehouse.scalar(f"SELECT count(*) FROM {log} WHERE {LOAD_ID} IN ({loads})"))

    def store(self, stored: Stored) -> None:
        """Put one option into the state without any rows."""

        def change(resources: dict[str, Any]) -> None:
            state = dict(_state_of(stored))
            if stored.cursor is not None and stored.value is not None:
                state["incremental"] = {
                    stored.cursor: {"initial_value": None, "last_value": stored.value, "unique_hashes": []}
                }
            resources[stored.option] = state

        self._change(change)

    def forget(self, option: str) -> None:
        """Take one option out of the state."""
        self._change(lambda resources: resources.pop(option, None))

    def rename_column(self, table: str, old: str, new: str) -> None:
        """Give a column of the log another name, in the warehouse and in dlt's schema, its values kept."""
        warehouse = self._warehouse
        warehouse.execute(
            f"ALTER TABLE {warehouse.relation(RAW_SCHEMA, table)} "
            f"RENAME COLUMN {warehouse.quote(old)} TO {warehouse.quote(new)}"
        )

    def widen_column(self, table: str, name: str, database_type: str) -> None:
        """Give a column of the log a type that holds all its values unchanged."""
        warehouse = self._warehouse
        warehouse.execute(
            f"ALTER TABLE {warehouse.relation(RAW_SCHEMA, table)} "
            f"ALTER COLUMN {warehouse.quote(name)} SET DATA TYPE {database_type}"
        )

    # Within

    def _open(self) -> dlt.Pipeline:
        import dlt

        shutil.rmtree(self._folder / self._name, ignore_errors=True)
        pipeline = dlt.pipeline(
            self._name,
            pipelines_dir=str(self._folder),
            destination=self._warehouse.destination(lambda: self._expected),
            dataset_name=self._warehouse.dataset(RAW_SCHEMA),  # type: ignore[arg-type]  # None: its destination knows
        )
        with _as_step("the stored windows could not be read"):
            pipeline.sync_destination()
        return pipeline

    def _run(self, extract: Callable[[], Any]) -> Any:
        """Extract, normalize, load. After a failure the working folder is thrown away: nothing stays pending."""
        try:
            with _as_step("the rows could not be loaded"):
                extract()
                self._pipeline.normalize()
                if self._force_schema:
                    with self._pipeline.destination_client() as client:
                        client.update_stored_schema(force=True)
                    self._force_schema = False
                info = self._pipeline.load()
                if info is not None:
                    info.raise_on_failed_jobs()
                return info
        except BaseException:
            self._pipeline = self._open()
            raise

    def _change(self, change: Callable[[dict[str, Any]], object]) -> None:
        import dlt

        pipeline = self._pipeline
        if not pipeline.default_schema_name:
            # dlt can carry a state only with a schema: a first, empty package makes it.
            @dlt.resource(name="_backhaul_first", write_disposition="append")
            def nothing() -> Iterator[Any]:
                yield from ()

            self._run(lambda: pipeline.extract(nothing))

        def alter() -> None:
            with pipeline.managed_state(extract_state=True) as state:
                sources: dict[str, Any] = state.setdefault("sources", {})
                name = next(iter(sources), str(pipeline.default_schema_name))
                change(sources.setdefault(name, {}).setdefault("resources", {}))

        self._run(alter)

    @property
    def _stamps(self) -> bool:
        """Whether the file names its load: dlt adds that to a model, and not to a file of rows."""
        return self._warehouse.engine() is not self._warehouse

    def _file(self, package: Package, load_id: str) -> tuple[Path, Any]:
        """The package as dlt imports it, and the word for its format."""
        sql, columns = package.sql, dict(package.columns)
        if self._stamps:
            sql = f"SELECT *, {self._warehouse.literal(load_id)} AS {LOAD_ID} FROM ({sql}) AS loaded"
            columns[LOAD_ID] = "VARCHAR"
        return self._warehouse.package(sql, columns, self._folder / self._name)

    def _hints(self, package: Package) -> list[dict[str, Any]]:
        """The columns as dlt wants them described, under the names that the database keeps."""
        hints = [{**hint, "name": self._warehouse.fold(str(hint["name"]))} for hint in package.hints]
        return [*hints, {"name": LOAD_ID, "data_type": "text", "nullable": False}] if self._stamps else hints

    def _heal(self, table: str, hints: Sequence[Mapping[str, Any]]) -> None:
        """Bring dlt's idea of the table and the table itself together.

        They differ when somebody dropped the table or a column, when a column was renamed or widened, or when a run
        was killed between that and its package. dlt compares only the hash of its schema and would not look.
        """
        if not self._pipeline.default_schema_name:
            return
        schema = self._pipeline.default_schema
        known = schema.tables.get(table)
        if known is None:
            return
        there = {name.lower() for name in self._warehouse.columns(RAW_SCHEMA, table)}
        wanted = {str(column["name"]): dict(column) for column in hints}
        columns: dict[str, Any] = known["columns"]
        changed = False
        for name in list(columns):
            if name.lower() not in there:
                del columns[name]
                changed = True
            elif name in wanted and any(columns[name].get(hint) != value for hint, value in wanted[name].items()):
                columns[name].update(wanted[name])
                changed = True
        if changed:
            self._pipeline.schemas.save_schema(schema)
            self._force_schema = True


_OPEN: weakref.WeakKeyDictionary[Warehouse, Loader] = weakref.WeakKeyDictionary()


def _pipeline_name(project: str) -> str:
    return "backhaul_" + re.sub(r"[^A-Za-z0-9_]", "_", project)


def _state_of(stored: Stored) -> dict[str, Any]:
    return {
        _OURS: {
            "account": stored.account,
            "object": stored.object,
            "cursor": stored.cursor,
            "value": stored.value,
            "fields": list(stored.fields),
            "filter": stored.filter,
            "extra": dict(stored.extra),
        }
    }


def _stored(option: str, ours: Mapping[str, Any], state: Mapping[str, Any]) -> Stored:
    cursor = ours.get("cursor")
    value = ours.get("value")
    if cursor is not None:  # dlt's own cursor is the truth wherever there is one
        value = ((state.get("incremental") or {}).get(cursor) or {}).get("last_value", value)
    return Stored(
        option,
        str(ours["account"]),
        str(ours["object"]),
        cursor,
        _instant(value),
        tuple(ours.get("fields") or ()),
        str(ours.get("filter") or ""),
        dict(ours.get("extra") or {}),
    )


def _instant(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return None if value is None else value.astimezone(UTC)
    return datetime.fromisoformat(str(value)).astimezone(UTC)


@contextmanager
def _as_step(what: str) -> Iterator[None]:
    """dlt's wrapped errors as one readable sentence; ours go through."""
    try:
        yield
    except BackhaulError:
        raise
    except Exception as error:
        root: BaseException = error
        while isinstance(root, Exception) and (root.__cause__ or root.__context__):
            root = root.__cause__ or root.__context__ or root
            if isinstance(root, BackhaulError):
                raise root from None
        if isinstance(root, KeyboardInterrupt):
            # A person's Ctrl-C, wrapped by dlt like a fault of the step.
            raise KeyboardInterrupt from error
        # PostgreSQL's excerpt is of a statement that nobody here wrote.
        text = re.split(r"\n\n|\nLINE \d+:", str(root).strip())[0] or type(root).__name__
        raise StepFailed(f"{what}: {text}") from error


_installed: list[Path] = []


def _isolate(folder: Path) -> None:
    """Put a run context of ours in place of dlt's before it reads or writes anything."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers.dictionary import DictionaryProvider
    from dlt.common.configuration.providers.provider import ConfigProvider
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.run_context import RunContext

    folder.mkdir(parents=True, exist_ok=True)
    if _installed and _installed[-1] == folder:
        return

    class Inside(RunContext):
        """Everything inside the project's state folder, settings from here only."""

        global_dir = run_dir = local_dir = settings_dir = data_dir = str(folder)

        @property
        def module(self) -> None:
            return None

        def initial_providers(self) -> list[ConfigProvider]:
            settings = DictionaryProvider()
            settings._config_doc = _SETTINGS
            return [settings]

    Container()[PluggableRunContext] = PluggableRunContext(Inside(str(folder)))
    _installed[:] = [folder]
