"""What kind of thing a reject is, and rejects as a CSV file that a person can open and mend by."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backhaul.warehouse import Warehouse

RETRY, DATA, MAPPING, PERMISSION = "retry", "fix data", "fix mapping", "permission"
"""The classes of rejects, by what to do: wait, mend the row, mend the YAML, have something granted."""

_PERMISSION = frozenset(
    {
        *("FIELD_NOT_WRITABLE", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "TRANSFER_REQUIRES_READ"),
        *("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "FORBIDDEN", "INVALID_FIELD_FOR_INSERT_UPDATE"),
        *("0x80040220", "0x8004f502", "0x8004f504", "0x8004f507", "0x8004f50a", "0x80048306", "0x80042f09"),
    }
)
_MAPPING = frozenset(
    {
        *("INVALID_FIELD", "INVALID_TYPE_ON_FIELD_IN_RECORD", "MALFORMED_ID", "INVALID_ID_FIELD", "MISSING_ARGUMENT"),
        *("VALUE_NOT_CONVERTIBLE", "0x80048d19", "0x80060888", "0x80040203"),
    }
)
"""Codes as Salesforce (salesforce-api.md §10), Dataverse (dataverse-api.md) and we ourselves spell them."""

COLUMNS = (
    "key",
    "record_id",
    "refused_by",
    "class",
    "errorSymbol",
    "errorMessage",
    "fields",
    "attempts",
    "first_at",
    "last_at",
)


def class_of(symbol: str, passing: bool) -> str:
    """retry, fix data, fix mapping or permission: what helps a refused row, by its symbol; `passing`: waiting helps."""
    if passing:
        return RETRY
    if symbol in _PERMISSION:
        return PERMISSION
    return MAPPING if symbol in _MAPPING else DATA


def source_rows(
    warehouse: Warehouse, model: str, key_columns: Sequence[str], keys: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The own rows of `model` (a quoted relation) behind some keys, as far as columns of it make the key."""
    if not key_columns or not keys:
        return {}
    parts = [f"TRIM(CAST(m.{warehouse.quote(column)} AS VARCHAR))" for column in key_columns]
    key = " || '|' || ".join(parts)
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), 500):
        chunk = list(keys[start : start + 500])
        marks = ", ".join("?" for _ in chunk)
        for row in warehouse.rows(f"SELECT {key} AS _key, m.* FROM {model} AS m WHERE {key} IN ({marks})", chunk):
            found.setdefault(row.pop("_key"), row)
    return found


def write_rejects(path: Path, rejects: Sequence[Mapping[str, Any]]) -> None:
    """Write a step's open rejects as CSV, whole or not at all; no rejects, no file.

    Columns: the row's key, its record id, errorSymbol and errorMessage, and the source row's own columns after them.
    """
    if not rejects:
        path.unlink(missing_ok=True)
        return
    sources = [json.loads(reject["source_row"]) for reject in rejects]
    extra = list(dict.fromkeys(name for source in sources for name in source))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *(f"source.{name}" for name in extra)])
    for reject, source in zip(rejects, sources, strict=True):
        writer.writerow(
            [
                reject["key"],
                reject["record_id"],
                reject["refused_by"],
                reject["class"],
                reject["error_symbol"],
                reject["error_message"],
                reject["fields"],
                reject["attempts"],
                reject["first_at"],
                reject["last_at"],
                *(source.get(name) for name in extra),
            ]
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".csv.new")
    unfinished.write_text(text.getvalue(), encoding="utf-8")
    unfinished.replace(path)
