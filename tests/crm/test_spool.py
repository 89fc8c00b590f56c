"""A spool keeps whole pages or none, and is read back after a kill at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backhaul.spool import MANIFEST, Spool
from tests.examples import examples


def test_pages_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    spool.begin({"soql": "SELECT Id FROM Contact", "job": "750"})
    first = spool.write_page([b"ab", b"c"], suffix=".csv.gz", rows=2, locator="MTA")
    last = spool.write_page([b"d"], suffix=".csv.gz", rows=lambda: 1, locator=lambda: None)
    again = Spool(tmp_path / "s")
    assert again.pages == (first, last)
    assert again.request == {"soql": "SELECT Id FROM Contact", "job": "750"}
    assert Path(first.path).read_bytes() == b"abc"
    assert first.path.endswith("page-000001.csv.gz")
    assert (again.rows, again.size) == (3, 4)


def test_a_page_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        spool.write_page(broken(), suffix=".csv", rows=1, locator=None)
    assert spool.pages == ()
    assert list(tmp_path.iterdir()) == []


def test_the_last_record_of_what_is_fetched_counts(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.begin({"soql": "one"})
    spool.write_page([b"x"], suffix=".csv", rows=1, locator="a")
    spool.begin({"soql": "one", "announced": 5})
    assert Spool(tmp_path).request == {"soql": "one", "announced": 5}
    spool.restart({"soql": "two"})
    again = Spool(tmp_path)
    assert (again.request, again.pages) == ({"soql": "two"}, ())
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_a_page_whose_file_is_gone_or_changed_ends_the_list(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    pages = [spool.write_page([b"page"], suffix=".csv", rows=1, locator=str(number)) for number in range(3)]
    Path(pages[1].path).write_bytes(b"pag")
    again = Spool(tmp_path)
    assert again.pages == (pages[0],)
    # What followed is fetched again, under the names it had.
    assert again.write_page([b"new"], suffix=".csv", rows=1, locator=None).path == pages[1].path
    assert len(Spool(tmp_path).pages) == 2


def test_clear_removes_the_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    spool.write_page([b"x"], suffix=".csv", rows=1, locator=None)
    spool.clear()
    assert not (tmp_path / "s").exists()
    spool.begin({"again": True})
    assert Spool(tmp_path / "s").request == {"again": True}


@settings(max_examples=examples(40), deadline=None)
@given(cut=st.integers(min_value=0, max_value=400), sizes=st.lists(st.integers(0, 40), min_size=1, max_size=4))
def test_killed_anywhere_in_the_manifest_the_pages_before_stand(
    cut: int, sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder)
    spool.begin({"soql": "é"})
    for size in sizes:
        spool.write_page([b"x" * size], suffix=".csv", rows=size, locator=str(size))
    manifest = folder / MANIFEST
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:cut])
    again = Spool(folder)
    assert again.pages == spool.pages[: len(again.pages)]
    assert len(again.pages) >= max(0, whole[:cut].count(b"\n") - 1)
    # Going on from there gives a manifest that can be read back.
    again.write_page([b"tail"], suffix=".csv", rows=1, locator=None)
    assert Spool(folder).pages == again.pages
    files = {path.name for path in folder.iterdir()}
    assert files == {MANIFEST} | {Path(page.path).name for page in again.pages}
