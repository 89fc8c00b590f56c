"""What one plan reads of PostgreSQL is of one moment, whoever writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backhaul.warehouse import StatementFailed, Warehouse, open_warehouse

from .subjects import postgres_config, table


@pytest.fixture
def pair(postgres: str, tmp_path: Path) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Two sessions of one database, as on two machines; s.model, s.log and s.sent hold two rows each."""
    config = postgres_config(postgres)
    with open_warehouse(config, tmp_path / "here") as here, open_warehouse(config, tmp_path / "there") as there:
        for name in ("model", "log", "sent"):
            table(here, "s", name, "SELECT i AS id, 'old' AS v FROM range(2) AS t (i)")
        yield here, there


def written(there: Warehouse) -> None:
    """What an import on another machine commits."""
    with there.transaction():
        for name in ("model", "log", "sent"):
            there.execute(f"UPDATE {there.relation('s', name)} SET v = 'new'")
            there.insert("s", name, [{"id": 9, "v": "new"}])


def read(warehouse: Warehouse, name: str) -> list[tuple[int, str]]:
    found = warehouse.rows(f"SELECT id, v FROM {warehouse.relation('s', name)} ORDER BY id")
    return [(row["id"], row["v"]) for row in found]


OLD, NEW = [(0, "old"), (1, "old")], [(0, "new"), (1, "new"), (9, "new")]


def test_a_writer_between_two_copies_is_not_seen(pair: tuple[Warehouse, Warehouse]) -> None:
    here, there = pair
    with here.snapshot():
        engine = here.engine(anew=True)
        assert read(engine, "model") == OLD
        written(there)
        assert read(engine, "log") == OLD
        engine.narrow("s", "sent", "id", "SELECT UNNEST([1, 9])")
        assert read(engine, "sent") == OLD[1:]
        assert read(here, "sent") == OLD
        assert here.arrow(f"SELECT v FROM {here.relation('s', 'log')}").read_all().num_rows == 2
    assert read(here, "log") == NEW
    engine = here.engine(anew=True)
    assert [read(engine, name) for name in ("model", "log", "sent")] == [NEW, NEW, NEW]


def test_without_a_snapshot_the_copies_are_of_different_moments(pair: tuple[Warehouse, Warehouse]) -> None:
    """What the test above would see if the snapshot did nothing."""
    here, there = pair
    engine = here.engine(anew=True)
    assert read(engine, "model") == OLD
    written(there)
    assert read(engine, "log") == NEW


@pytest.mark.parametrize("how", ["rebuilt", "truncated"])
def test_a_table_made_anew_meanwhile_is_refused_and_does_not_look_empty(
    pair: tuple[Warehouse, Warehouse], how: str
) -> None:
    here, there = pair
    with here.snapshot():
        engine = here.engine(anew=True)
        assert read(engine, "model") == OLD
        if how == "rebuilt":
            there.create_table_as("s", "log", f"SELECT * FROM {there.relation('s', 'log')}")
        else:
            there.execute(f"TRUNCATE {there.relation('s', 'log')}")
        with pytest.raises(StatementFailed, match=r"s\.log was made anew by another session"):
            read(engine, "log")
    engine = here.engine(anew=True)
    assert read(engine, "log") == (OLD if how == "rebuilt" else [])
    there.create_table_as("s", "model", f"SELECT * FROM {there.relation('s', 'model')}")  # nothing holds it any more


def test_a_view_of_the_day_before_is_read_as_of_then(pair: tuple[Warehouse, Warehouse]) -> None:
    here, there = pair
    here.create_view_as("s", "seen", f"SELECT * FROM {here.relation('s', 'log')}")
    with here.snapshot():
        engine = here.engine(anew=True)
        assert read(engine, "model") == OLD
        written(there)
        assert read(engine, "seen") == OLD


def test_nothing_is_written_inside_and_an_error_ends_it(pair: tuple[Warehouse, Warehouse]) -> None:
    here, _ = pair
    with pytest.raises(StatementFailed, match="read-only transaction"), here.snapshot():
        here.insert("s", "log", [{"id": 5, "v": "x"}])
    assert read(here, "log") == OLD
    with here.transaction():
        here.insert("s", "log", [{"id": 5, "v": "x"}])
        with here.snapshot():
            assert len(read(here, "log")) == 3
    assert len(read(here, "log")) == 3
