"""backhaul: CRM <-> campaign-database pipelines as code.

The floors of the engine; an upper floor may import a lower one, never the reverse (import-linter checks it)::

    8  cli
    7  workflow | report
    6  importing | transform | export
    5  ledger
    4  warehouse | crm
    3  config
    2  yaml_marks | record | spool
    1  errors | simulator

``simulator`` imports nothing of the engine and shares no code with the connectors, so that one
misunderstanding cannot hide in both. HTTP lives only in ``crm``, the database driver only in ``warehouse``
and ``ledger`` (the simulator keeps its own state in a database of its own), dlt only in ``importing`` and
``warehouse``, Jinja only in ``transform`` and ``config``, terminal output only in ``cli``.
"""

__version__ = "0.1.0"
