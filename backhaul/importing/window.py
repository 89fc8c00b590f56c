"""The spool of one step, and the record of which window it is being filled for.

``<spool root>/<option>/window.json`` says what is being fetched and until when; the pages lie in ``pages/`` beside it.
A run that was killed goes on with that very window, as its end was fixed before the first request; a spool of another
question (fields, filter or start have changed, or the window was loaded meanwhile) is thrown away.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backhaul.spool import Spool

_RECORD = "window.json"


class StepSpool:
    """The spool folder of one step (named by its option)."""

    def __init__(self, root: Path, option: str) -> None:
        self.folder = root / re.sub(r"[^A-Za-z0-9_.-]", "_", option)

    def interrupted(self, question: Mapping[str, Any]) -> datetime | None:
        """The end of the window that an earlier run was fetching for the same question; else the spool is cleared."""
        try:
            record = json.loads((self.folder / _RECORD).read_text(encoding="utf-8"))
            end = datetime.fromisoformat(record.pop("end")).astimezone(UTC)
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            self.clear()
            return None
        if record != json.loads(json.dumps(question)):
            self.clear()
            return None
        return end

    def open(self, question: Mapping[str, Any], end: datetime) -> Spool:
        """The pages' spool, after the question and the window's end are on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{_RECORD}"
        with draft.open("w", encoding="utf-8") as file:
            json.dump({**question, "end": end.isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / _RECORD)
        return Spool(self.folder / "pages")

    def clear(self) -> None:
        """Remove everything: the window is loaded, or it is of no use any more."""
        shutil.rmtree(self.folder, ignore_errors=True)
