"""Reading a project's transforms folder into a :class:`~backhaul.transform.graph.Graph`, every fault at once.

::

    transforms/
      <schema>/[folders/]<name>.sql    a model: schema.name
      <name>.sql                       a model of the schema main
      seeds/<name>.csv                 a seed: seeds.name
      macros/**/*.sql                  macros and {% test %} blocks
      tests/**/*.sql                   queries that must give no rows
      **/*.yml                         descriptions, config and column tests
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.ledger.tables import SCHEMA as LEDGER_SCHEMA
from backhaul.ledger.tables import TABLES
from backhaul.transform.compiling import RAW_SCHEMA, Configuration
from backhaul.transform.graph import Graph, cycles
from backhaul.transform.model import ColumnTest, Model, Relation, SingularTest
from backhaul.transform.properties import Properties, PropertiesReader
from backhaul.transform.rendering import Library, RaisedInTemplate, Source, calling_place
from backhaul.transform.seeds import header_faults
from backhaul.transform.settings import Given, Settings, read_settings
from backhaul.transform.syntax import Parser
from backhaul.transform.words import Steps, common_words
from backhaul.yaml_marks import suggest

if TYPE_CHECKING:
    from backhaul.config import Project

FOLDER = "transforms"
MAIN_SCHEMA = "main"
_NAME = re.compile(r"[^\W\d]\w*")  # what selections, YAML and unquoted SQL can all spell
_RESERVED = (RAW_SCHEMA, "information_schema", "pg_catalog")


def load_models(project: Project, *, target: str | None = None) -> Graph:
    """The models of the project, checked as far as can be without the warehouse.

    Raises :class:`~backhaul.errors.ConfigurationError` with all faults: Jinja and SQL that cannot be parsed, unknown
    refs and sources, circles, names that stand twice, unknown words in config and YAML, unknown tests.

    `target`: what ``target.dialect`` says, where it is not to be the warehouse's own.
    """
    return _Loading(project, target).load()


@dataclass(slots=True)
class _Draft:
    """A model or singular test while it is being read."""

    kind: str  # model, seed, test
    name: str
    file: str
    path: Path
    folders: tuple[str, ...]
    text: str = ""
    schema: str = MAIN_SCHEMA
    layers: list[Given] = field(default_factory=list)
    refs: dict[str, Where] = field(default_factory=dict)
    sources: dict[tuple[str, str], Where] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    properties: Properties | None = None

    @property
    def where(self) -> Where:
        return Where(self.file, 1)


class _Loading:
    """One reading of one project."""

    def __init__(self, project: Project, target: str | None = None) -> None:
        self.project = project
        self.target = target
        self.root = project.folder / FOLDER
        self.faults: list[Fault] = []
        self.parser = Parser()
        self.declared: dict[str, dict[str, str]] = {}
        for source in project.sources.values():
            objects = self.declared.setdefault(source.account, {})
            objects.update({name.lower(): name for name in source.objects})
        self.step_names = {step.name: None for pipeline in project.pipelines.values() for step in pipeline.steps}

    def load(self) -> Graph:
        if not self.root.is_dir():
            raise ConfigurationError(
                Fault(
                    f"the project has no folder {FOLDER}/",
                    Where(str(self.root)),
                    hint="make it, or start a project with `backhaul init`",
                )
            )
        library = self._library()
        drafts = self._drafts()
        tests = [draft for draft in drafts.values() if draft.kind == "test"]
        models = {draft.name: draft for draft in drafts.values() if draft.kind != "test"}
        self._properties(library, models)
        for draft in drafts.values():
            self._read(draft, library, models)
        self._tests_refs(models)
        self._relations(models)
        self._circles(models)
        self._seed_files(models)
        self.parser.close()
        if self.faults:
            raise ConfigurationError(sorted(set(self.faults), key=_by_place))
        return Graph(
            [self._model(draft) for draft in models.values() if draft.settings.enabled],
            singular=[_singular(draft) for draft in tests if draft.settings.enabled],
            library=library,
        )

    # Files

    def _files(self, *suffixes: str) -> Iterator[Path]:
        """The files of the folder in a fixed order; hidden ones and those of hidden folders are passed over."""
        for path in sorted(self.root.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(self.root).parts)
            if path.suffix.lower() in suffixes and not hidden and path.is_file():
                yield path

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.project.folder).as_posix()

    def _text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self.faults.append(Fault("the file is not UTF-8", Where(self._shown(path)), hint="save it as UTF-8"))
        except OSError as error:
            self.faults.append(Fault(f"the file cannot be read ({error.strerror})", Where(self._shown(path))))
        return None

    def _library(self) -> Library:
        macros = []
        for path in self._files(".sql"):
            if path.relative_to(self.root).parts[0] == "macros":
                text = self._text(path)
                if text is not None:
                    macros.append(Source(self._shown(path), text))
        library = Library(common_words(self.project, schema=MAIN_SCHEMA, target=self.target), macros)
        self.faults.extend(library.faults)
        return library

    def _drafts(self) -> dict[str, _Draft]:
        """Every model, seed and test by name (tests under a name that no model can have)."""
        drafts: dict[str, _Draft] = {}
        lowered: dict[str, str] = {}
        for path in self._files(".sql", ".csv"):
            folders = path.relative_to(self.root).parts[:-1]
            if folders[:1] == ("macros",):
                continue
            draft = self._draft(path, folders)
            if draft is None:
                continue
            key = f"tests/{draft.name}" if draft.kind == "test" else draft.name
            other = lowered.get(key.lower())
            if other is not None:
                what = "test" if draft.kind == "test" else "model"
                self.faults.append(
                    Fault(
                        f"the {what} '{draft.name}' stands twice: {drafts[other].file} has the same name",
                        draft.where,
                        hint="names are unique in the whole project: rename one of the files",
                    )
                )
                continue
            lowered[key.lower()] = key
            drafts[key] = draft
        return drafts

    def _draft(self, path: Path, folders: tuple[str, ...]) -> _Draft | None:
        file = self._shown(path)
        where = Where(file, 1)
        for part in (*folders, path.stem):
            if not _NAME.fullmatch(part):
                self.faults.append(
                    Fault(
                        f"'{part}' cannot be the name of a model or folder",
                        where,
                        hint="use letters, digits and _, and begin with a letter",
                    )
                )
                return None
        if path.suffix.lower() == ".csv":
            if folders[:1] != ("seeds",):
                self.faults.append(
                    Fault("a CSV file stands outside transforms/seeds", where, hint=f"move it to {FOLDER}/seeds/")
                )
                return None
            return _Draft("seed", path.stem, file, path, folders, schema="seeds")
        if folders[:1] == ("seeds",):
            self.faults.append(
                Fault("a SQL file stands in transforms/seeds, where CSV files are wanted", where, hint="move it")
            )
            return None
        text = self._text(path)
        if text is None:
            return None
        if folders[:1] == ("tests",):
            return _Draft("test", path.stem, file, path, folders, text)
        schema = folders[0] if folders else MAIN_SCHEMA
        if schema.lower() in _RESERVED:
            self.faults.append(
                Fault(f"the schema '{schema}' is not for models", where, hint="give the folder another name")
            )
        return _Draft("model", path.stem, file, path, folders, text, schema)

    # YAML

    def _properties(self, library: Library, models: Mapping[str, _Draft]) -> None:
        from backhaul.config.render import Renderer

        renderer = Renderer(self.project.variables, self.project.environ)
        reader = PropertiesReader(library.tests, renderer, self.faults)
        for path in self._files(".yml", ".yaml"):
            reader.read(path, self._shown(path))
        for found in reader.found:
            draft = models.get(found.name)
            noun = "seed" if found.kind == "seeds" else "model"
            if draft is None:
                wanted = f"{FOLDER}/seeds/{found.name}.csv" if noun == "seed" else f"{FOLDER}/<schema>/{found.name}.sql"
                self.faults.append(
                    Fault(
                        f"the {noun} '{found.name}' is described here, and there is no file {wanted}",
                        found.where,
                        hint=suggest(found.name, models),
                    )
                )
            elif (draft.kind == "seed") != (noun == "seed"):
                right = "seeds" if draft.kind == "seed" else "models"
                self.faults.append(
                    Fault(
                        f"'{found.name}' stands under '{found.kind}', but it is {draft.file}",
                        found.where,
                        hint=f"move it under '{right}'",
                    )
                )
            elif draft.properties is not None:
                self.faults.append(
                    Fault(f"'{found.name}' is described twice, first at {draft.properties.where}", found.where)
                )
            else:
                draft.properties = found
                draft.layers.insert(0, found.config)

    # Templates

    def _read(self, draft: _Draft, library: Library, models: Mapping[str, _Draft]) -> None:
        """Render with both answers of is_incremental(), to hear every ref, source and config; parse what came out."""
        before = len(self.faults)
        if draft.kind != "seed":
            rendered: set[str] = set()
            for incremental in (False, True):
                scope = self._listening(draft, models, incremental)
                source = Source(draft.file, draft.text)
                try:
                    text = library.render(source, scope)
                except ConfigurationError as error:
                    self.faults.extend(error.faults)
                    break
                if text not in rendered:
                    rendered.add(text)
                    self._parse(draft, library, source, scope, text)
        settled = len(self.faults)
        draft.settings = read_settings(draft.kind, draft.name, draft.layers, self.faults)
        if len(self.faults) > settled > before:
            # What is wrong with the template may be why its config was not heard: say the first thing only.
            del self.faults[settled:]

    def _parse(self, draft: _Draft, library: Library, source: Source, scope: Mapping[str, Any], text: str) -> None:
        refusal = self.parser.refusal(text)
        if refusal is None:
            return
        where = library.locate(source, scope, text, refusal.line, refusal.column) if refusal.line else None
        self.faults.append(Fault(f"SQL: {refusal.reason}", where or Where(draft.file), hint=refusal.hint))

    def _listening(self, draft: _Draft, models: Mapping[str, _Draft], incremental: bool) -> dict[str, Any]:
        """A scope that notes what the template asks for."""

        def place() -> Where:
            return calling_place() or draft.where

        def ref(*args: str, **kwargs: Any) -> Relation:
            if not 1 <= len(args) <= 2 or kwargs or not all(isinstance(arg, str) for arg in args):
                raise RaisedInTemplate("ref wants the name of a model: ref('name')")
            name = args[-1]
            where = place()
            other = models.get(name)
            if other is None:
                self._unknown_ref(name, where, models)
            elif name not in draft.refs:
                draft.refs[name] = where
            return Relation(other.schema if other else MAIN_SCHEMA, name)

        def source(*args: str) -> Relation:
            if len(args) != 2 or not all(isinstance(arg, str) for arg in args):
                raise RaisedInTemplate("source wants an account and an object: source('account', 'Object')")
            account, object = args
            if account == LEDGER_SCHEMA and object in TABLES:
                # What became of exports: a model may react to it, as to the rows that a CRM refused.
                return Relation(LEDGER_SCHEMA, object)
            self._source(draft, account, object, place())
            return Relation(RAW_SCHEMA, f"{account}__{object}")

        def hear(given: dict[str, Any]) -> None:
            where = place()
            layer: Given = {word: (value, where) for word, value in given.items()}
            known.update(given)
            if layer and layer not in draft.layers:
                draft.layers.append(layer)

        known = {word: value for layer in draft.layers for word, (value, _) in layer.items()}
        scope = {
            "ref": ref,
            "source": source,
            "config": Configuration(known, hear),
            "is_incremental": lambda: incremental,
            "should_full_refresh": lambda: not incremental,
            "steps": Steps(self.step_names, checking=True),
            "model": {"name": draft.name, "config": known},
        }
        if draft.kind == "model":
            scope["this"] = Relation(draft.schema, draft.name)
        return scope

    def _unknown_ref(self, name: str, where: Where, models: Mapping[str, _Draft]) -> None:
        self.faults.append(
            Fault(
                f"ref('{name}') names no model",
                where,
                allowed=() if suggest(name, models) else tuple(sorted(models)),
                hint=suggest(name, models) or f"models are the files of {FOLDER}/, seeds those of {FOLDER}/seeds/",
            )
        )

    def _source(self, draft: _Draft, account: str, object: str, where: Where) -> None:
        objects = self.declared.get(account)
        if account == LEDGER_SCHEMA:
            self.faults.append(
                Fault(
                    f"source('{account}', '{object}'): the ledger has no table '{object}'",
                    where,
                    allowed=tuple(TABLES),
                    hint=suggest(object, TABLES) or "the README lists the ledger's tables",
                )
            )
        elif objects is None:
            self.faults.append(
                Fault(
                    f"source('{account}', '{object}'): no file of sources/ is for the account '{account}'",
                    where,
                    allowed=tuple(sorted(self.declared)),
                    hint=suggest(account, self.declared) or f"declare the object in sources/{account}.yml",
                )
            )
        elif objects.get(object.lower()) != object:
            names = sorted(objects.values())
            self.faults.append(
                Fault(
                    f"source('{account}', '{object}'): sources/*.yml does not declare '{object}' of '{account}'",
                    where,
                    allowed=tuple(names),
                    hint=suggest(object, names) or f"add '{object}' to the objects of sources/{account}.yml",
                )
            )
        else:
            draft.sources.setdefault((account, object), where)

    # The whole

    def _tests_refs(self, models: Mapping[str, _Draft]) -> None:
        """Refs of relationships, and refs of anything to what is switched off."""
        for draft in models.values():
            for test in draft.properties.tests if draft.properties else ():
                for name in test.refs:
                    if name not in models:
                        self._unknown_ref(name, test.where, models)
                    elif not models[name].settings.enabled:
                        self.faults.append(Fault(f"the test reads '{name}', which its config switches off", test.where))
                target = test.arguments.get("to")
                if isinstance(target, tuple):
                    self._source(
                        draft=replace(draft, sources={}), account=target[0], object=target[1], where=test.where
                    )
            if draft.settings.enabled:
                for name, where in draft.refs.items():
                    if name in models and not models[name].settings.enabled:
                        self.faults.append(
                            Fault(f"ref('{name}') names a model that its config switches off (enabled: false)", where)
                        )

    def _relations(self, models: Mapping[str, _Draft]) -> None:
        """No two models may make the same table."""
        made: dict[tuple[str, str], _Draft] = {}
        for draft in models.values():
            if not draft.settings.enabled or draft.settings.materialized == "ephemeral":
                continue
            schema = draft.settings.schema or draft.schema
            if draft.settings.schema and schema.lower() in _RESERVED:
                self.faults.append(Fault(f"the schema '{schema}' is not for models ('{draft.name}')", draft.where))
            name = draft.settings.alias or draft.name
            other = made.setdefault((schema.lower(), name.lower()), draft)
            if other is not draft:
                self.faults.append(
                    Fault(f"'{draft.name}' and '{other.name}' ({other.file}) both make {schema}.{name}", draft.where)
                )

    def _circles(self, models: Mapping[str, _Draft]) -> None:
        parents = {draft.name: tuple(draft.refs) for draft in models.values() if draft.settings.enabled}
        for circle in cycles(parents):
            last = models[circle[0]]
            where = last.refs[circle[1]]
            alone = len(circle) == 2
            self.faults.append(
                Fault(
                    f"the model reads itself: {' -> '.join(circle)}"
                    if alone
                    else f"models read each other in a circle: {' -> '.join(circle)}",
                    where,
                    hint="an incremental model reads its own table as {{ this }}"
                    if alone
                    else "a -> b says that a reads b; take one ref out, or put what both need into a model of its own",
                )
            )

    def _seed_files(self, models: Mapping[str, _Draft]) -> None:
        for draft in models.values():
            if draft.kind != "seed":
                continue
            where = next((layer["column_types"][1] for layer in draft.layers if "column_types" in layer), draft.where)
            types = draft.settings.column_types
            header_faults(draft.path, draft.file, draft.settings.delimiter, dict.fromkeys(types, where), self.faults)
            for name, declared in types.items():
                wrong = self.parser.unknown_type(declared)
                if wrong:
                    self.faults.append(Fault(f"the type of '{name}' of the seed '{draft.name}': {wrong}", where))

    def _model(self, draft: _Draft) -> Model:
        settings = draft.settings
        properties = draft.properties
        tests: tuple[ColumnTest, ...] = properties.tests if properties else ()
        return Model(
            name=draft.name,
            file=draft.file,
            folders=draft.folders,
            text=draft.text,
            schema=settings.schema or draft.schema,
            alias=settings.alias or draft.name,
            materialized=settings.materialized,
            unique_key=settings.unique_key,
            tags=settings.tags,
            refs=tuple(sorted(draft.refs)),
            sources=tuple(sorted(draft.sources)),
            description=properties.description if properties else "",
            columns=properties.columns if properties else (),
            tests=tests,
            column_types=settings.column_types,
            config=settings.all,
            full_refresh=settings.full_refresh,
            delimiter=settings.delimiter,
            where=properties.where if properties else None,
        )


def _singular(draft: _Draft) -> SingularTest:
    return SingularTest(
        name=draft.name,
        file=draft.file,
        text=draft.text,
        refs=tuple(sorted(draft.refs)),
        sources=tuple(sorted(draft.sources)),
        severity=draft.settings.severity,
        tags=draft.settings.tags,
    )


def _by_place(fault: Fault) -> tuple[str, int, int, str]:
    where = fault.where or Where("")
    return (PurePosixPath(where.file).as_posix(), where.line, where.column, fault.message)
