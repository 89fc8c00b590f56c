"""From the CRMs into the raw log, and the windows that were read.

:func:`import_object` appends what changed, :func:`import_deleted` what has gone; :func:`states`, :func:`set_state` and
:func:`reset_state` show and change the stored windows; :func:`mirror_sql` reads what a CRM holds, as last seen, out of
the log. See :mod:`backhaul.importing.log` for the log's columns and :mod:`backhaul.importing.loading` for how dlt is
used. dlt is imported when an import runs or a state is read, not before.
"""

from __future__ import annotations

from backhaul.importing.log import RAW_SCHEMA, format_instant, mirror_sql, parse_instant, raw_table
from backhaul.importing.run import ImportResult, import_deleted, import_object
from backhaul.importing.states import OptionState, renew_states, reset_state, set_state, states

__all__ = [
    "RAW_SCHEMA",
    "ImportResult",
    "OptionState",
    "format_instant",
    "import_deleted",
    "import_object",
    "mirror_sql",
    "parse_instant",
    "raw_table",
    "renew_states",
    "reset_state",
    "set_state",
    "states",
]
