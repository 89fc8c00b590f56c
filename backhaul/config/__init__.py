"""The configuration of a project: profiles, sources and pipelines as frozen, validated types.

:func:`load_project` reads a folder and raises every fault of every file at once; :func:`check_project` returns them.
What is told of a fault: file and line, what was found, what is allowed, what to do next; never a secret.
"""

from __future__ import annotations

from backhaul.config.documented import reference
from backhaul.config.pipeline import (
    Batch,
    DeleteStep,
    EnumerationsStep,
    ExportStep,
    Guards,
    ImportDeletedStep,
    ImportStep,
    MapConfig,
    Options,
    Pipeline,
    Rejects,
    Retry,
    Step,
    TestStep,
    TransformStep,
    default_name,
)
from backhaul.config.profile import (
    AccountConfig,
    ClientCredentials,
    ClientSecret,
    DynamicsAccount,
    JwtBearer,
    Password,
    Profile,
    RefreshToken,
    SalesforceAccount,
    SalesforceCli,
    WarehouseConfig,
)
from backhaul.config.project import Project, check_project, load_project, no_project
from backhaul.config.render import (
    Unresolved,
    env_var_function,
    environment,
    evaluation_fault,
    syntax_fault,
    var_function,
)
from backhaul.config.source import FieldConfig, ObjectConfig, Source
from backhaul.config.values import parse_duration, parse_instant

__all__ = [
    "AccountConfig", "Batch", "ClientCredentials", "ClientSecret", "DeleteStep", "DynamicsAccount",
    "EnumerationsStep", "ExportStep", "FieldConfig", "Guards", "ImportDeletedStep", "ImportStep", "JwtBearer",
    "MapConfig", "ObjectConfig", "Options", "Password", "Pipeline", "Profile", "Project", "RefreshToken", "Rejects",
    "Retry", "SalesforceAccount", "SalesforceCli", "Source", "Step", "TestStep", "TransformStep", "Unresolved",
    "WarehouseConfig", "check_project", "default_name", "env_var_function", "environment", "evaluation_fault",
    "load_project", "no_project", "parse_duration", "parse_instant", "reference", "syntax_fault", "var_function",
]  # fmt: skip
