"""Models: the SQL files of transforms/, their order, their building and their tests.

:func:`load_models` reads and checks the folder, :meth:`Graph.select` chooses, :func:`run_models` builds,
:func:`run_tests` tests, :func:`compile_model` shows the SQL.

A model is one SELECT in DuckDB's dialect, written with Jinja. The file ``transforms/campaign/recipients.sql`` makes
``campaign.recipients``: the outermost folder is the schema (``main`` for files without one), the file's name the
model's, unique in the project. ``transforms/seeds/*.csv`` become tables of the schema ``seeds``.

What Jinja offers in a model:

========================================  =======================================================================
``{{ ref('recipients') }}``               another model or seed; makes the order
``{{ source('salesforce', 'Contact') }}``  the raw log of an object that sources/*.yml declares
``{{ config(materialized='table') }}``    settings, see below
``{{ this }}``                            the table the model makes; ``this.schema``, ``this.identifier``
``{% if is_incremental() %}``             true when an incremental model adds to a table that is there
``{{ var('since', '2020-01-01') }}``      a variable of the project or the command line
``{{ env_var('REGION', 'EU') }}``         a variable of the environment
``{{ steps.import_salesforce_Contact }}``  a step's window while a pipeline runs: ``.option_name``, ``.start``
                                          (included), ``.end`` (excluded)
``{{ my_macro(...) }}``                   ``{% macro %}`` blocks of transforms/macros/**/*.sql
``{{ log('text') }}``                     a line in the log; ``info=true`` to see it without asking
``{{ exceptions.raise_compiler_error() }}``  stop with a message; ``exceptions.warn()``
``{{ target.name }}``                     the profile; ``target.schema``; ``target.dialect`` (and, as in dbt,
                                          ``target.type``): duckdb, postgres ..., for macros to branch on
``{{ adapter.quote('Some Column') }}``    an identifier in quotes
``run_started_at, invocation_id``         when this run began (UTC), its id
``execute, flags, model, project_name``   as in dbt; ``modules.datetime``, ``modules.re``, ``tojson``, ``fromjson``
========================================  =======================================================================

The values of variables stand in the compiled SQL, which is also written below .backhaul for reading: a secret does
not belong into a model.

Settings, in the model or under ``config:`` of its YAML (the model's own win, tags add up):

================  =============================================================================================
materialized      ``view`` (default), ``table``, ``incremental``, ``ephemeral`` (written into what reads it)
unique_key        column or columns; incremental only: rows whose key is there are replaced, others are added
tags              words for ``tag:x``
schema, alias     where the table goes and what it is called, instead of folder and file name
enabled           false leaves the model out
full_refresh      false keeps an incremental model from being rebuilt, true rebuilds it always
column_types      seeds: the database type of each column that is not text
delimiter         seeds: the character between cells
================  =============================================================================================

Constructs are dbt's, so that the same folder builds under dbt with the DuckDB adapter. See
:mod:`.properties` for the YAML and its tests, :mod:`.selection` for the words that choose models.
"""

from __future__ import annotations

from backhaul.transform.compiling import RAW_SCHEMA, raw_table
from backhaul.transform.graph import Graph
from backhaul.transform.loading import load_models
from backhaul.transform.model import (
    MATERIALISATIONS,
    Column,
    ColumnTest,
    Model,
    Relation,
    SingularTest,
)
from backhaul.transform.running import ModelResult, compile_model, run_models
from backhaul.transform.selection import select
from backhaul.transform.targets import TargetCheck, check_target
from backhaul.transform.testing import TestResult, run_tests

__all__ = [
    "MATERIALISATIONS",
    "RAW_SCHEMA",
    "Column",
    "ColumnTest",
    "Graph",
    "Model",
    "ModelResult",
    "Relation",
    "SingularTest",
    "TargetCheck",
    "TestResult",
    "check_target",
    "compile_model",
    "load_models",
    "raw_table",
    "run_models",
    "run_tests",
    "select",
]
