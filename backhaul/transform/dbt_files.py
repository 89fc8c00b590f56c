"""The files by which dbt builds the same folder: `backhaul dbt` writes them below .backhaul, nothing in transforms/.

dbt (with dbt-duckdb) reads the models where they lie. What it has no word for is put into the written files: a model's
schema is its outermost folder (a macro ``generate_schema_name``), the raw log and the ledger are sources, and the
profile opens the warehouse's own file. Tests, seeds and variables are dbt's already.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from backhaul.errors import ConfigurationError, Fault, Where
from backhaul.ledger.tables import SCHEMA as LEDGER_SCHEMA
from backhaul.ledger.tables import TABLES
from backhaul.transform.compiling import RAW_SCHEMA, raw_table
from backhaul.transform.loading import FOLDER, MAIN_SCHEMA

if TYPE_CHECKING:
    from backhaul.config import Project

_SPECIAL = ("macros", "seeds", "tests")
_HEAD = "# Written by `backhaul dbt`; written anew each time.\n"
_MACROS = """\
{#- A model's schema is its own, or the outermost folder below transforms/; seeds go to the schema seeds. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
{%- set folders = node.original_file_path.replace('\\\\', '/').split('/transforms/')[-1].split('/') -%}
{%- if custom_schema_name -%}
{{ custom_schema_name | trim }}
{%- elif folders | length > 1 -%}
{{ folders[0] }}
{%- else -%}
{{ target.schema }}
{%- endif -%}
{%- endmacro %}
"""


def write_dbt_files(project: Project, folder: Path) -> list[Path]:
    """Write dbt_project.yml, profiles.yml, sources and a macro to `folder`; gives the files.

    Raises :class:`~backhaul.errors.ConfigurationError` when the warehouse is no DuckDB file, or models lie outside of
    any folder, where dbt would take macros and seeds for models, too.
    """
    warehouse = project.profile.warehouse
    root = project.folder / FOLDER
    faults = [
        Fault(
            "dbt reads models by folder, and this one lies outside of any",
            Where(path.relative_to(project.folder).as_posix()),
            hint=f"move it to {FOLDER}/{MAIN_SCHEMA}/: it makes the same {MAIN_SCHEMA}.{path.stem}",
        )
        for path in sorted(root.glob("*.sql"))
    ]
    if warehouse.destination != "duckdb":
        faults.append(
            Fault(
                f"the profile's warehouse is {warehouse.destination}: the files are for dbt-duckdb, as models are "
                "written in DuckDB's SQL",
                getattr(warehouse, "where", None),
                hint="name a profile with a DuckDB warehouse: backhaul dbt --profile NAME",
            )
        )
    if faults:
        raise ConfigurationError(faults)
    texts = {
        "dbt_project.yml": _HEAD + _yaml(_project(project, root, folder)),
        "profiles.yml": _HEAD + _yaml(_profiles(project)),
        "sources/sources.yml": _HEAD + _yaml(_sources(project)),
        "macros/schemas.sql": _MACROS,
    }
    written = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _project(project: Project, root: Path, folder: Path) -> dict[str, Any]:
    def below(name: str) -> str:
        return Path(os.path.relpath(root / name, folder)).as_posix()

    folders = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {
        # dbt's own packages are called so, and every name may be taken once.
        "name": f"{project.name}_models" if project.name in ("dbt", "dbt_duckdb") else project.name,
        "version": "1.0.0",
        "config-version": 2,
        "profile": project.name,
        "model-paths": [*(below(name) for name in folders if name not in _SPECIAL), "sources"],
        "macro-paths": [below("macros"), "macros"],
        "seed-paths": [below("seeds")],
        "test-paths": [below("tests")],
        "vars": {name: _value(value) for name, value in project.variables.items()},
        "flags": {"send_anonymous_usage_stats": False},
    }


def _value(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _profiles(project: Project) -> dict[str, Any]:
    path = (project.folder / Path(str(project.profile.warehouse.path)).expanduser()).as_posix()
    output = {
        "type": "duckdb",
        "path": path,
        "schema": MAIN_SCHEMA,
        "threads": 1,
        "settings": {"TimeZone": "UTC"},
    }
    return {project.name: {"target": project.profile.name, "outputs": {project.profile.name: output}}}


def _sources(project: Project) -> dict[str, Any]:
    raw = [
        {
            "name": source.account,
            "schema": RAW_SCHEMA,
            "tables": [{"name": name, "identifier": raw_table(source.account, name)} for name in source.objects],
        }
        for source in project.sources.values()
    ]
    ledger = {"name": LEDGER_SCHEMA, "schema": LEDGER_SCHEMA, "tables": [{"name": name} for name in TABLES]}
    return {"version": 2, "sources": [*raw, ledger]}


def _yaml(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


__all__ = ["write_dbt_files"]
