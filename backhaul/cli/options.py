"""The options that every verb on a project shares, and the project that they open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backhaul.cli.console import Console, errors_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from backhaul.config import Project
    from backhaul.workflow import Workspace

Function = TypeVar("Function", bound=Callable[..., Any])

GUARDS = ("max_rows", "max_share", "max_deletes", "max_nulls", "max_shrink", "constant")
"""The guards by name; a test holds them to those of the exports, which are too heavy to import for a help text."""

ALLOW = click.option(
    "--allow", multiple=True, type=click.Choice(GUARDS), help="Let a guard pass this once; may be repeated."
)
ALLOW_ALL = click.option(
    "--allow",
    multiple=True,
    type=click.Choice((*GUARDS, "max_vanished")),
    help="Let a guard pass this once; max_vanished: of imports. May be repeated.",
)
RETRY = click.option("--retry", is_flag=True, help="Send rows again that the CRM refused before.")


class Session:
    """One command on one project folder: its console and, when asked for, the project and its workspace."""

    def __init__(self, folder: Path, profile: str | None, variables: tuple[str, ...], console: Console) -> None:
        self.folder = folder
        self.profile = profile
        self.console = console
        self._variables = variables

    def variables(self) -> dict[str, Any]:
        """The values of ``--var name=value``; a value is read as YAML, so that 3 is a number and true a boolean."""
        import yaml

        values: dict[str, Any] = {}
        for entry in self._variables:
            name, equals, text = entry.partition("=")
            if not equals or not name.strip():
                raise click.UsageError(f"--var wants name=value, not {entry!r}")
            try:
                values[name.strip()] = yaml.safe_load(text)
            except yaml.YAMLError:
                values[name.strip()] = text
        return values

    def project(self, environ: Mapping[str, str] | None = None) -> Project:
        """The project; ConfigurationError with all its faults."""
        from backhaul.config import load_project

        return load_project(self.folder, profile=self.profile, variables=self.variables(), environ=environ)

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """The project at work, closed at the end."""
        from backhaul.workflow import Workspace

        with Workspace(self.project(), self.console) as workspace:
            yield workspace


_FOLDER = click.option(
    "--project-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The project's folder [default: this one].",
)
_PROFILE = click.option("--profile", metavar="NAME", help="The profile in profiles/ [default: the project's own].")
_VARIABLES = click.option(
    "--var", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable; may be repeated."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="No progress, only the result.")


def on_folder(function: Function) -> Function:
    """Give a command the options of every command and a :class:`Session`; tell its errors."""

    @_FOLDER
    @_JSON
    @_QUIET
    @functools.wraps(function)
    def command(*args: Any, project_dir: Path, **options: Any) -> Any:
        console = Console(json=options.pop("as_json"), quiet=options.pop("quiet"))
        session = Session(project_dir, options.pop("profile", None), options.pop("variables", ()), console)
        with errors_told(console, lambda: project_dir / ".backhaul"):
            return function(session, *args, **options)

    return command  # type: ignore[return-value] # click's decorators keep the callable's shape


def on_project(function: Function) -> Function:
    """As :func:`on_folder`, for a command that reads the project: with its profile and variables."""
    return _PROFILE(_VARIABLES(on_folder(function)))
