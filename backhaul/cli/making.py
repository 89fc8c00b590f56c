"""The verbs that make and check a project: init, check, dbt."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backhaul.cli.console import Console, counted, errors_told
from backhaul.cli.options import Session, on_project

if TYPE_CHECKING:
    from backhaul.errors import Fault

FOLDERS = ("pipelines", "sources", "transforms", "profiles")

TARGETS = (
    *("duckdb", "motherduck", "ducklake", "postgres", "snowflake", "bigquery", "databricks", "redshift", "mssql"),
    *("synapse", "tsql", "fabric", "athena", "clickhouse", "dremio"),
)
"""Engines by dlt's names; a test holds them to those of the transforms, which are heavy to import for a help text."""

_PROJECT = """\
# The project that these folders make. Everything else about it stands in pipelines/, sources/, transforms/, profiles/.
[tool.backhaul]
name = "{name}"
profile = "simulator"
"""

_IGNORE = ".backhaul/\n*.duckdb\n*.duckdb.wal\n"


@click.command("init", short_help="Make a new project from the packaged template.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="The project's name [default: the folder's].")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="Only the result.")
def init_command(folder: Path, name: str | None, as_json: bool, quiet: bool) -> None:
    """Make a new project in FOLDER from the packaged template: the folders that the demo runs.

    Nothing that stands in FOLDER already is overwritten.
    """
    console = Console(json=as_json, quiet=quiet)
    with errors_told(console, lambda: folder / ".backhaul"):
        from backhaul.report import table

        made = make_project(folder, name)
        parts = [str(path.parts[0]) + ("/" if len(path.parts) > 1 else "") for path in made]
        console.tables(
            [table(f"made in {folder}", [{"what": p, "files": parts.count(p)} for p in dict.fromkeys(parts)])],
            {"folder": str(folder), "files": [str(path) for path in made]},
        )
        console.say("\nnext:")
        for line in (
            f"cd {shlex.quote(str(folder))}",
            "backhaul demo        # the whole way on simulated CRMs",
            "backhaul simulate    # the same CRMs for your own commands, in another terminal",
            "backhaul check       # after editing: every fault, with file and line",
        ):
            console.say(f"    {line}")


def template_folder() -> Path:
    """Where the packaged template lies: inside the installed package, or the repository's own folders."""
    packaged = Path(__file__).parent.parent / "template"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent.parent


def make_project(folder: Path, name: str | None = None) -> list[Path]:
    """Copy the template into `folder`; returns the files made. ConfigurationError when one is there already."""
    from backhaul.errors import ConfigurationError

    template = template_folder()
    project_name = name or re.sub(r"\W+", "_", folder.resolve().name).strip("_").lower() or "project"
    if not re.fullmatch(r"[A-Za-z_]\w*", project_name):
        raise ConfigurationError(
            f"{project_name!r} cannot be a project's name: letters, digits and _ only, not a digit first",
            hint="backhaul init FOLDER --name NAME",
        )
    texts = {
        Path("pyproject.toml"): _PROJECT.format(name=project_name),
        Path(".gitignore"): _IGNORE,
    }
    files = [
        file.relative_to(template)
        for part in FOLDERS
        for file in sorted((template / part).rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
    ]
    standing = [str(path) for path in [*texts, *files] if (folder / path).exists()]
    if standing:
        raise ConfigurationError(
            f"{folder} already holds {', '.join(standing[:5])}{' ...' if len(standing) > 5 else ''}",
            hint="choose an empty folder; nothing was written",
        )
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template / path, folder / path)
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
    return [*files, *texts]


@click.command("check", short_help="Find every fault in the project's YAML and SQL, with file and line.")
@click.option(
    "--online", is_flag=True, help="Also sign in to every account and ask for the declared objects and fields."
)
@click.option("--target", type=click.Choice(TARGETS), help="Also carry every model and test over to this engine's SQL.")
@on_project
def check_command(session: Session, online: bool, target: str | None) -> None:
    """Find every fault in the project's YAML and SQL at once, with file and line.

    With --target what the engine cannot be given, or would take for something else, is a fault, too; no warehouse is
    asked. The columns that an import adds by itself (such as a record's id) are taken on trust.

    Exit code 2 when there is a fault to mend; 1 when there is none, but an account could not be reached.
    """
    from backhaul.report import table

    faults, counts, functions = _check_files(session, target)
    rows: list[dict[str, Any]] = []
    unreached: list[Fault] = []
    if online and not faults:
        rows, found, unreached = _check_online(session)
        faults += found
    document = {
        "faults": [_shown(fault) for fault in faults],
        "unreached": [_shown(fault) for fault in unreached],
        "checked": counts,
        "accounts": rows,
    }
    if target:
        document["functions"] = functions
    tables = [table("checked", [{"what": what, "number": number} for what, number in counts.items()])]
    if functions:
        tables.append(table(f"functions that {target} needs", functions))
    if rows:
        tables.append(table("accounts", rows))
    if not session.console.json:
        for fault in faults:
            click.echo(str(fault), err=True)
        for fault in unreached:
            click.echo(f"not checked: {fault}", err=True)
    session.console.tables(tables, document)
    if faults:
        if not session.console.json:
            click.secho(counted(len(faults), "fault"), fg="red", err=True)
        raise SystemExit(2)
    if unreached:
        if not session.console.json:
            said = f"no faults in what could be checked; {counted(len(unreached), 'account')} could not be reached"
            click.secho(said, fg="yellow", err=True)
        raise SystemExit(1)
    session.console.say("no faults")
    untried = _untried(session, target)
    if untried:
        session.console.say(
            f"{untried}: this project's tests compile and parse its SQL and make dlt's client for it; they have run on "
            "DuckDB, PostgreSQL and ClickHouse only. Try it on a database of your own first, and compare."
        )


def _untried(session: Session, target: str | None) -> str:
    """The destination that is asked about, or the profile's, where nothing was ever run on it; else ''."""
    from backhaul.config.destinations import PREFIX
    from backhaul.warehouse.abilities import PROVED

    name = target or session.project().profile.warehouse.destination.removeprefix(PREFIX)
    return "" if name in PROVED else name


def _shown(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.where.file if fault.where else "",
        "line": fault.where.line if fault.where else 0,
        "message": fault.message,
        "allowed": list(fault.allowed),
        "next": fault.hint,
    }


def _check_files(session: Session, target: str | None) -> tuple[list[Fault], dict[str, int], list[dict[str, Any]]]:
    """The faults of configuration and models together, so that one run shows all; and what was looked at.

    The third are the functions that models need on the target, and who makes them.
    """
    from backhaul.errors import ConfigurationError
    from backhaul.transform import load_models

    try:
        project = session.project()
    except ConfigurationError as error:
        return list(error.faults), {}, []
    counts = {
        "accounts": len(project.profile.accounts),
        "objects": sum(len(source.objects) for source in project.sources.values()),
        "pipelines": len(project.pipelines),
        "steps": sum(len(pipeline.steps) for pipeline in project.pipelines.values()),
    }
    try:
        graph = load_models(project, target=target)
    except ConfigurationError as error:
        return list(error.faults), counts, []
    faults = _check_references(project, graph)
    counts["models"] = len(graph.models)
    if target is None:
        return faults, counts, []
    from backhaul.transform import check_target

    checked = check_target(project, graph, target)
    counts["statements carried over"] = len(checked.statements)
    made = [
        {"function": name, "made by": "you, see the README" if name in checked.missing else "backhaul"}
        for name in checked.functions
    ]
    return faults + list(checked.faults), counts, made


def _check_references(project: Any, graph: Any) -> list[Fault]:
    """Faults between pipelines and models: an export of a model that is not there, a selection of nothing."""
    from backhaul.config import DeleteStep, ExportStep, TestStep, TransformStep
    from backhaul.errors import ConfigurationError, Fault
    from backhaul.yaml_marks import suggest

    faults: list[Fault] = []
    for pipeline in project.pipelines.values():
        for step in pipeline.steps:
            if isinstance(step, ExportStep | DeleteStep) and step.model not in graph.models:
                faults.append(
                    Fault(
                        f"step {step.name}: there is no model {step.model!r} in transforms/",
                        step.where,
                        hint=suggest(step.model, graph.models),
                    )
                )
            if isinstance(step, TransformStep | TestStep):
                try:
                    graph.select(list(step.select))
                except ConfigurationError as error:
                    faults += [Fault(f.message, step.where, f.allowed, f.hint) for f in error.faults]
    return faults


def _check_online(session: Session) -> tuple[list[dict[str, Any]], list[Fault], list[Fault]]:
    """Sign in to every account and compare the declared objects and fields with describe.

    Gives the accounts as rows, the faults, and what kept an account from being checked without being a fault.
    """
    from backhaul.errors import BackhaulError, ConfigurationError, Fault, TransientError
    from backhaul.yaml_marks import suggest

    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    unreached: list[Fault] = []
    with session.workspace() as workspace:
        for name, account in workspace.project.profile.accounts.items():
            source = workspace.project.sources.get(name)
            try:
                identity = workspace.connector(name).identity()
                fields = 0
                for config in source.objects.values() if source else ():
                    schema = workspace.connector(name).describe(config.name)
                    for field in config.fields:
                        fields += 1
                        if field.name not in schema.fields:
                            faults.append(
                                Fault(
                                    f"{name} shows no field {field.name!r} on {config.name} to this user",
                                    field.where or config.where,
                                    hint=suggest(field.name, schema.fields) or "check its name and permissions",
                                )
                            )
            except ConfigurationError as error:
                faults += error.faults
                continue
            except BackhaulError as error:
                place = "" if f"'{name}'" in error.message else f"account '{name}': "
                found = unreached if isinstance(error, TransientError) else faults
                found.append(Fault(f"{place}{error.message}", hint=error.hint))
                continue
            rows.append(
                {
                    "account": name,
                    "crm": account.crm,
                    "user": identity.user,
                    "organisation": identity.organisation,
                    "objects": len(source.objects) if source else 0,
                    "fields": fields,
                }
            )
    return rows, faults, unreached


@click.command("dbt", short_help="Write the files by which dbt builds the same models.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where to write them [default: .backhaul/dbt]."
)
@on_project
def dbt_command(session: Session, out: Path | None) -> None:
    """Write dbt_project.yml, profiles.yml and the sources, so that dbt with dbt-duckdb builds transforms/ as it is.

    The models stay where they are, and nothing is written among them. dbt builds into the warehouse file of the
    profile; it is not part of backhaul.
    """
    from backhaul.report import table
    from backhaul.transform.dbt_files import write_dbt_files

    project = session.project()
    folder = (out or project.folder / ".backhaul" / "dbt").absolute()
    written = write_dbt_files(project, folder)
    session.console.tables(
        [table(f"written to {folder}", [{"file": path.relative_to(folder).as_posix()} for path in written])],
        {"folder": str(folder), "files": [str(path) for path in written]},
    )
    session.console.say(
        f"\nnext: dbt build --project-dir {shlex.quote(str(folder))} --profiles-dir {shlex.quote(str(folder))}"
    )
