"""What the tests of the Dataverse environment share: its projects, its roads of reading, and smaller pages."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from backhaul.crm.dynamics import DynamicsConnector
from backhaul.simulator import Running

from .conftest import Tried

RAW = "raw.dynamics__contact"
NEWEST = """
    select * from {{ source('dynamics', 'contact') }}
    qualify row_number() over (
        partition by contactid order by modifiedon desc nulls last, _backhaul_seen_at desc, _backhaul_deleted desc) = 1
    """
LIVE = f"select * from ({NEWEST}) where not _backhaul_deleted"
ROADS = ("tracked", pytest.param("windows", marks=pytest.mark.slow))
"""How contacts are read: by change tracking, or by windows over `modifiedon` where the table is not tracked."""
WINDOWS_FIRST = ("windows", pytest.param("tracked", marks=pytest.mark.slow))


def source(fields: str, more: str = "") -> str:
    """The declaration of contacts with these fields."""
    return f"account: dynamics\nobjects:\n  contact: {{fields: [{fields}]{more}}}\n"


def made(folder: Path, orgs: Running, files: Mapping[str, str], road: str = "tracked") -> Tried:
    """A project over an environment that is new, and in which contacts are read by `road`."""
    tried = Tried(folder, orgs, "dynamics", files)
    tried.fresh()
    by_road(tried, road)
    return tried


def by_road(tried: Tried, road: str) -> None:
    """Let contacts be tracked or not, before anything was read."""
    if road == "windows":
        tried.org.verbs["tables"]({"object": "contact", "change_tracking": False})


def newest(columns: str = "contactid, lastname") -> str:
    """The newest live version of each contact in the log."""
    sql = LIVE.replace("{{ source('dynamics', 'contact') }}", RAW)
    return f"SELECT {columns} FROM ({sql}) ORDER BY contactid"


def small_pages(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Few records make several pages."""
    smaller: Any = functools.partial(DynamicsConnector, page_rows=rows)
    monkeypatch.setattr("backhaul.crm.dynamics.DynamicsConnector", smaller)
