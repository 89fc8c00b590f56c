"""A project folder read as a whole: settings, the profile in use, sources and pipelines, with all faults at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from backhaul.config.checking import Known, check_pipelines, check_profile, check_sources
from backhaul.config.pipeline import Pipeline
from backhaul.config.profile import Profile
from backhaul.config.reading import Reading, read_model, show
from backhaul.config.render import (
    RUN_NAMES,
    Renderer,
    Unresolved,
    env_var_function,
    environment,
    evaluation_fault,
    is_template,
    syntax_fault,
    var_function,
)
from backhaul.config.source import Source, declared
from backhaul.config.values import parse_instant
from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.yaml_marks import MarkedMapping, read, suggest

SUFFIXES = (".yml", ".yaml")
SETTINGS = ("name", "profile", "vars")
DEFAULT_PROFILE = "demo"


@dataclass(frozen=True)
class Project:
    """A project as configured: everything valid, every reference between files resolved.

    `folder` is absolute. `variables` are the project's, overridden by those given on the command line. `repr` shows
    neither variables nor environment.
    """

    folder: Path
    name: str
    profile: Profile
    sources: dict[str, Source]
    pipelines: dict[str, Pipeline]
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def state_folder(self) -> Path:
        """Where backhaul keeps what belongs to this checkout and profile: spool, cursors at work, rejects, locks.

        One folder a profile, so that a run on the simulators never meets the windows of a run on a real org.
        """
        return self.folder / ".backhaul" / self.profile.name

    def path(self, relative: Path | str) -> Path:
        """A path of the configuration as an absolute one: relative ones start at the project folder."""
        return self.folder / relative

    def jinja_context(self) -> dict[str, Any]:
        """`var` and `env_var` as every Jinja of this project sees them; both raise :class:`Unresolved`."""
        return {"var": var_function(self.variables), "env_var": env_var_function(self.environ)}

    def render(self, text: str, context: Mapping[str, object] | None = None, *, where: Where | None = None) -> str:
        """A text with its Jinja rendered, with `context` (such as ``steps``) beside `var` and `env_var`.

        None prints as nothing. ConfigurationError, at `where`, when it cannot be rendered.
        """
        if not is_template(text):
            return text
        place = where or Where("")
        jinja = environment()
        try:
            return jinja.from_string(text).render({**self.jinja_context(), **(context or {})})
        except Unresolved as error:
            fault = error.fault(where)
        except jinja2.TemplateSyntaxError as error:
            fault = syntax_fault(error, place)
        except Exception as error:  # the expression is the user's: whatever it raises is a fault of the text
            fault = evaluation_fault(error, place, secret="env_var" in text)
        raise ConfigurationError(fault)

    def moment(
        self, text: str | None, context: Mapping[str, object] | None = None, *, where: Where | None = None
    ) -> Any:
        """The instant (aware, UTC) that a `start` or `end` means after rendering; None for none or empty."""
        if text is None:
            return None
        rendered = self.render(text, context, where=where)
        try:
            return parse_instant(rendered)
        except ValueError:
            found = "something else" if "env_var" in text else repr(rendered)
            fault = Fault(
                f"{text!r} wants to be a date or a date and time, and is {found} when rendered",
                where,
                allowed=("2024-01-31", "2024-01-31T10:00:00Z"),
            )
        raise ConfigurationError(fault)


def load_project(
    folder: Path,
    *,
    profile: str | None = None,
    variables: Mapping[str, object] = {},
    environ: Mapping[str, str] | None = None,
) -> Project:
    """The project in `folder`, with the profile named (default: the project's own choice, else ``demo``).

    `variables` override the project's; `environ` is what env_var sees (default: the process's environment). Raises
    :class:`ConfigurationError` with every fault of every file.
    """
    faults: list[Fault] = []
    project = _read_project(folder, faults, profile, variables, os.environ if environ is None else environ)
    if faults or project is None:
        raise ConfigurationError(sorted(faults, key=_order))
    return project


def check_project(
    folder: Path,
    *,
    profile: str | None = None,
    variables: Mapping[str, object] = {},
    environ: Mapping[str, str] | None = None,
) -> list[Fault]:
    """All faults of the project, by file and line, instead of raising them. Empty when it is sound."""
    faults: list[Fault] = []
    _read_project(folder, faults, profile, variables, os.environ if environ is None else environ)
    return sorted(faults, key=_order)


def _order(fault: Fault) -> tuple[str, int, int]:
    return (fault.where.file, fault.where.line, fault.where.column) if fault.where else ("", 0, 0)


@dataclass(frozen=True, slots=True)
class _Settings:
    name: str
    profile: str
    variables: dict[str, Any] = field(repr=False)


_FOLDERS = ("profiles", "sources", "pipelines")


def no_project(folder: Path) -> Fault | None:
    """Why a folder is no project's; None where it is one, whatever stands in its files."""
    if not folder.is_dir():
        return Fault("the project folder does not exist", Where(str(folder)), hint="run `backhaul init` to make one")
    folder = folder.resolve()
    if any((folder / name).is_dir() for name in _FOLDERS):
        return None
    above = next((one for one in folder.parents if all((one / name).is_dir() for name in _FOLDERS)), None)
    hint = "change to the project's folder" if above is None else f"change to the folder of the project, {above}"
    return Fault(
        "this folder holds no backhaul project: it has neither profiles/ nor sources/ nor pipelines/",
        Where(str(folder)),
        hint=f"{hint}, or run `backhaul init` to make a project",
    )


def _read_project(
    folder: Path,
    faults: list[Fault],
    profile: str | None,
    variables: Mapping[str, object],
    environ: Mapping[str, str],
) -> Project | None:
    missing = no_project(folder)
    if missing is not None:
        faults.append(missing)
        return None
    folder = folder.resolve()
    settings = _read_settings(folder, faults)
    names = {**settings.variables, **variables}
    renderer = Renderer(names, environ)
    known = Known(profile_file="", accounts=None)
    chosen = _read_profiles(folder, profile or settings.profile, renderer, faults, known)
    sources = _read_sources(folder, renderer, faults, known)
    faults.extend(check_sources(sources, chosen, known))
    by_account = {source.account: source for source in sources}
    pipelines = _read_pipelines(folder, renderer, faults, settings.name)
    faults.extend(check_pipelines(pipelines, by_account, chosen, known))
    if chosen is None:
        return None
    return Project(
        folder=folder,
        name=settings.name,
        profile=chosen,
        sources=by_account,
        pipelines={pipeline.name: pipeline for pipeline in pipelines},
        variables=names,
        environ=environ,
    )


def _default_name(folder: Path) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", folder.name) or "project"


def _read_settings(folder: Path, faults: list[Fault]) -> _Settings:
    """[tool.backhaul] of pyproject.toml; all of it has defaults."""
    shown, path = "pyproject.toml", folder / "pyproject.toml"
    default = _Settings(_default_name(folder), DEFAULT_PROFILE, {})
    if not path.exists():
        return default
    try:
        text = path.read_text(encoding="utf-8-sig")
        tree = tomllib.loads(text)
    except OSError as error:
        faults.append(Fault(f"the file cannot be read ({error.strerror or type(error).__name__})", Where(shown)))
        return default
    except UnicodeDecodeError:
        faults.append(Fault("the file is not UTF-8", Where(shown), hint="save the file with the encoding UTF-8"))
        return default
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = re.search(r"at line (\d+), column (\d+)", str(error))
        where = Where(shown, int(line[1]), int(line[2])) if line else Where(shown)
        faults.append(Fault("not valid TOML at this place", where))
        return default
    tool = tree.get("tool")
    table = tool.get("backhaul", {}) if isinstance(tool, dict) else {}
    return _settings(table, text, shown, default, faults)


def _settings(table: object, text: str, shown: str, default: _Settings, faults: list[Fault]) -> _Settings:
    def place(key: str) -> Where:
        section = re.search(r"(?m)^\s*\[tool\.backhaul\]", text)
        start = section.start() if section else 0
        found = re.compile(rf"(?m)^[ \t]*(?:\[tool\.backhaul\.)?[\"']?{re.escape(key)}[\"']?\s*[=\].]").search(
            text, start
        )
        return Where(shown, text.count("\n", 0, found.start() if found else start) + 1)

    if not isinstance(table, dict):
        faults.append(Fault("[tool.backhaul] wants a table", place("")))
        return default
    for key in table:
        if key not in SETTINGS:
            faults.append(
                Fault(f"{key!r} is not a key of [tool.backhaul]", place(key), SETTINGS, suggest(key, SETTINGS))
            )
    name = table.get("name", default.name)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name):
        if "name" in table:
            faults.append(Fault("'name' wants a name of letters, digits, _ and -", place("name")))
        name = default.name
    profile = table.get("profile", default.profile)
    if not isinstance(profile, str) or not profile:
        faults.append(Fault("'profile' wants the name of a profile", place("profile")))
        profile = default.profile
    variables = table.get("vars", {})
    if not isinstance(variables, dict):
        faults.append(Fault("'vars' wants a table of names and values", place("vars")))
        variables = {}
    return _Settings(name, profile, variables)


def _files(folder: Path, name: str, faults: list[Fault]) -> list[Path]:
    """The YAML files of one folder of the project, by name; a missing folder has none."""
    place = folder / name
    try:
        entries = sorted(place.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        problem = "this is a file, where a folder is wanted" if place.is_file() else "the folder cannot be read"
        faults.append(Fault(f"{problem} ({error.strerror or type(error).__name__})", Where(f"{name}/")))
        return []
    return [entry for entry in entries if entry.suffix in SUFFIXES and not entry.name.startswith(".")]


def _tree(path: Path, renderer: Renderer, faults: list[Fault], *, secret: bool = False) -> MarkedMapping | None:
    node = read(path, faults, shown=f"{path.parent.name}/{path.name}")
    if node is None:
        return None
    if not isinstance(node, MarkedMapping):
        faults.append(Fault(f"the file wants a mapping at its top, found {show(node, secret=secret)}", node.where))
        return None
    rendered = renderer.tree(node, faults, secret=secret)
    assert isinstance(rendered, MarkedMapping)
    return rendered


def _read_profiles(folder: Path, wanted: str, renderer: Renderer, faults: list[Fault], known: Known) -> Profile | None:
    """The profile in use; the others are checked for shape, without their values."""
    if not (folder / "profiles").is_dir():
        faults.append(
            Fault(
                "the folder does not exist", Where("profiles/"), hint=f"make it, with the connections in {wanted}.yml"
            )
        )
        return None
    chosen: Profile | None = None
    files = {path.stem: path for path in _files(folder, "profiles", faults)}
    if wanted not in files:
        faults.append(
            Fault(
                f"there is no profile {wanted!r}",
                Where("profiles/"),
                allowed=tuple(files),
                hint=suggest(wanted, files) or f"write profiles/{wanted}.yml, or name another one with --profile",
            )
        )
    for name, path in files.items():
        used = name == wanted
        reader = Renderer(renderer.variables, renderer.environ, values=used)
        tree = _tree(path, reader, faults, secret=True)
        shown = f"profiles/{path.name}"
        if used:
            known.profile_file = shown
        if tree is None:
            continue
        profile = read_model(Profile, tree, Reading(faults, folder=folder, guarded=True), (name,))
        if used:
            chosen = profile
            accounts = tree.get("accounts")
            known.accounts = tuple(accounts) if isinstance(accounts, MarkedMapping) else None
            if profile is not None:
                faults.extend(check_profile(profile))
    return chosen


def _read_sources(folder: Path, renderer: Renderer, faults: list[Fault], known: Known) -> list[Source]:
    sources: list[Source] = []
    for path in _files(folder, "sources", faults):
        tree = _tree(path, renderer, faults)
        source = read_model(Source, tree, Reading(faults), ()) if tree is not None else None
        account, objects = declared(tree)
        if source is None and not objects:
            known.unsure.add(account)
        if account is None:
            known.unsure.add(None)
        else:
            known.objects[account] = known.objects.get(account, ()) + objects
        if source is not None:
            sources.append(source)
    return sources


def _read_pipelines(folder: Path, renderer: Renderer, faults: list[Fault], project: str) -> list[Pipeline]:
    reader = Renderer(renderer.variables, renderer.environ, run_names=RUN_NAMES, run_keys=frozenset({"start", "end"}))
    pipelines: list[Pipeline] = []
    for path in _files(folder, "pipelines", faults):
        tree = _tree(path, reader, faults)
        if tree is None:
            continue
        pipeline = read_model(Pipeline, tree, Reading(faults, project), (path.stem,))
        if pipeline is not None:
            pipelines.append(pipeline)
    return pipelines
