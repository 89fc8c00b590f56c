"""Pages of one extract, kept as received: the point where a broken download resumes, and the evidence of completeness.

A spool is a folder with one file a page (whatever bytes the CRM sent, usually gzip) and `manifest.jsonl`, one JSON
object a line: ``{"request": {...}}`` (what is being fetched; the last one counts) and ``{"page": {...}}``. A page is
written under a temporary name, flushed to disk, renamed, and only then named in the manifest, so it is there whole or
not at all. Standard library only; safe to read after the process was killed at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

T = TypeVar("T")

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class Page:
    """One spooled page. `path` is absolute; `bytes` is its size on disk, as received.

    `locator` is what to ask for after this page (a Bulk 2.0 locator, a next link); None: this page was the last.
    """

    path: str
    rows: int
    locator: str | None
    bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    """Received bytes that are on disk under a temporary name and not yet a page: see :meth:`Spool.commit`."""

    path: Path
    bytes: int


class Spool:
    """The folder of one extract; made if missing, read back if an earlier run left it.

    Reading back is forgiving: a half-written last line, or a page whose file is missing or has another size, ends the
    list there. Files that the manifest does not name are removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.request: dict[str, object] = {}
        self._pages: list[Page] = []
        self._lock = threading.Lock()
        self._read_back()

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages that are whole, in the order they were committed."""
        return tuple(self._pages)

    @property
    def rows(self) -> int:
        """Rows in all pages."""
        return sum(page.rows for page in self._pages)

    @property
    def size(self) -> int:
        """Bytes of all pages, as received."""
        return sum(page.bytes for page in self._pages)

    def begin(self, request: Mapping[str, object]) -> None:
        """Record what is being fetched (query, window, job id: JSON values). A later call replaces the record."""
        with self._lock:
            self.request = dict(request)
            self._append({"request": self.request})

    def restart(self, request: Mapping[str, object]) -> None:
        """Forget all pages (their files are removed) and record `request`: for a locator or job that has expired."""
        with self._lock:
            self._pages = []
            self.request = dict(request)
            self._rewrite()
            self._sweep()

    def receive(self, chunks: Iterable[bytes]) -> Part:
        """Write `chunks` to a temporary file and flush it to disk; an exception of `chunks` leaves no file behind.

        Several threads may receive at the same time; :meth:`commit` makes pages of the parts, in the order called.
        """
        with NamedTemporaryFile(dir=self.folder, prefix=".part-", delete=False) as file:
            try:
                size = 0
                for chunk in chunks:
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(file.name).unlink()
                raise
        return Part(Path(file.name), size)

    def commit(self, part: Part, *, suffix: str, rows: int, locator: str | None) -> Page:
        """Rename `part` to the next page's name and add its line to the manifest."""
        with self._lock:
            target = self.folder / f"page-{len(self._pages) + 1:06d}{suffix}"
            part.path.replace(target)
            page = Page(str(target), rows, locator, part.bytes)
            self._append({"page": {"file": target.name, "rows": rows, "locator": locator, "bytes": part.bytes}})
            self._pages.append(page)
            return page

    def write_page(
        self,
        chunks: Iterable[bytes],
        *,
        suffix: str,
        rows: int | Callable[[], int],
        locator: str | Callable[[], str | None] | None,
    ) -> Page:
        """Receive and commit one page. `suffix` ends its file name (".csv.gz", ".json").

        `rows` and `locator` may be functions where they are known only after the last chunk (a count or a next link
        inside the body); they are called once, after it.
        """
        part = self.receive(chunks)
        try:
            return self.commit(part, suffix=suffix, rows=_value(rows), locator=_value(locator))
        except BaseException:
            with contextlib.suppress(OSError):
                part.path.unlink()
            raise

    def clear(self) -> None:
        """Remove the folder and all that is in it: to be called after the load is committed."""
        with self._lock:
            self._pages = []
            self.request = {}
            shutil.rmtree(self.folder, ignore_errors=True)

    def _read_back(self) -> None:
        manifest = self.folder / MANIFEST
        if not manifest.exists():
            self._sweep()
            return
        whole = True
        for line in manifest.read_bytes().split(b"\n"):
            if not line:
                continue
            entry = _parsed(line)
            if entry is None:
                whole = False
                break
            if "request" in entry:
                self.request = dict(entry["request"])
                continue
            page = self._standing(entry.get("page"))
            if page is None:
                whole = False
                break
            self._pages.append(page)
        if not whole or not manifest.read_bytes().endswith(b"\n"):
            self._rewrite()
        self._sweep()

    def _standing(self, entry: Any) -> Page | None:
        """The page of a manifest line if its file stands there whole, else None."""
        try:
            path = self.folder / Path(str(entry["file"])).name
            if path.stat().st_size != entry["bytes"]:
                return None
            return Page(str(path), int(entry["rows"]), entry["locator"], int(entry["bytes"]))
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def _sweep(self) -> None:
        """Remove files that no manifest line names: parts of a killed run, pages of a restarted one."""
        named = {Path(page.path).name for page in self._pages} | {MANIFEST}
        for path in self.folder.iterdir():
            if path.name not in named and (path.name.startswith((".part-", "page-"))):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _append(self, entry: Mapping[str, object]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / MANIFEST).open("ab") as file:
            file.write(_line(entry))
            file.flush()
            os.fsync(file.fileno())

    def _rewrite(self) -> None:
        lines = [_line({"request": self.request})] if self.request else []
        for page in self._pages:
            name = Path(page.path).name
            lines.append(
                _line({"page": {"file": name, "rows": page.rows, "locator": page.locator, "bytes": page.bytes}})
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".part-{MANIFEST}"
        with draft.open("wb") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / MANIFEST)


def _line(entry: Mapping[str, object]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, default=str).encode() + b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _value(given: T | Callable[[], T]) -> T:
    return given() if callable(given) else given
