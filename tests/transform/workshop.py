"""A small project in a temporary folder, for the tests of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from backhaul.config import Project, load_project
from backhaul.errors import ConfigurationError
from backhaul.transform import Graph, load_models
from backhaul.warehouse import Warehouse, open_warehouse

SETTINGS = {
    "profiles/demo.yml": """
        warehouse: {path: w.duckdb}
        accounts:
          salesforce:
            crm: salesforce
            instance_url: https://localhost:1
            auth: {method: client_credentials, client_id: a, client_secret: b}
    """,
    "sources/salesforce.yml": """
        account: salesforce
        objects:
          Contact: {fields: [LastName, Email]}
          Lead: {fields: [LastName, Email]}
    """,
    "pipelines/contacts.yml": """
        steps:
          - import: salesforce.Contact
    """,
}


def make(folder: Path, files: Mapping[str, str], *, environ: Mapping[str, str] | None = None) -> Project:
    """A project with the minimal settings and these files (of transforms/, unless they begin with another folder)."""
    for name, text in {**SETTINGS, **files}.items():
        settings = name.split("/")[0] in ("profiles", "sources", "pipelines", "pyproject.toml")
        path = folder / name if settings else folder / "transforms" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return load_project(folder, environ=environ or {})


def graph(folder: Path, files: Mapping[str, str], *, environ: Mapping[str, str] | None = None) -> Graph:
    """The models of such a project."""
    return load_models(make(folder, files, environ=environ))


def faults(folder: Path, files: Mapping[str, str]) -> list[str]:
    """The faults of such a project, as people read them."""
    with pytest.raises(ConfigurationError) as caught:
        graph(folder, files)
    return [str(fault) for fault in caught.value.faults]


@contextmanager
def opened(project: Project) -> Iterator[Warehouse]:
    """The project's warehouse."""
    with open_warehouse(project.profile.warehouse, project.folder) as warehouse:
        yield warehouse
