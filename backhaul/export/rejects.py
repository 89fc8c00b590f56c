"""Rejects as a CSV file that a person can open, mend and send back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = (
    "key",
    "record_id",
    "refused_by",
    "errorSymbol",
    "errorMessage",
    "fields",
    "attempts",
    "first_at",
    "last_at",
)


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
