"""One project, one runner at a time in a warehouse that several machines share: a lease that names its holder.

A DuckDB file is its own lock: the operating system gives it to one process and takes it back when that ends. A server
lets everybody in, so the runner that works for a project writes itself down in ``backhaul.leases``, in one statement
that only one of two can succeed with, and renews that while it works. The lease of a killed runner ends by itself after
:data:`LASTS`; the database's clock counts, never a runner's. It is for the project and not for one pipeline, as all its
pipelines share the imports' windows: they are one state of dlt's, which every load writes as a whole, so that of two
loads at once the later one would take the other's window back. They also build the same models, and a plan that reads
one while another runner replaces it would be refused. On DuckDB they share the file.
"""

from __future__ import annotations

import getpass
import os
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType

from backhaul.errors import BackhaulError, Locked
from backhaul.ledger import Ledger
from backhaul.warehouse import StatementFailed, Warehouse

LASTS = timedelta(minutes=2)
"""How long a lease holds that nobody renews."""

RENEWED_EVERY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a project's lease: `running` is what, `live`: it has not run out.

    `place` is where process ids mean the same: a boot of a machine, and a container on it; '' where that is not known.
    """

    token: str
    running: str
    host: str
    place: str
    pid: int
    who: str
    taken_at: datetime
    expires_at: datetime
    live: bool

    def __str__(self) -> str:
        return (
            f"{self.running}, by process {self.pid} of {self.who} on {self.host} since "
            f"{self.taken_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        )


class Lease:
    """Held inside a ``with``. Raises :class:`~backhaul.errors.Locked` when another runner holds it.

    `another` opens a second connection to the warehouse, over which the lease is renewed while the first is busy.
    """

    def __init__(self, ledger: Ledger, warehouse: Warehouse, another: Callable[[], Warehouse], project: str) -> None:
        self._table = ledger.table("leases")
        self._warehouse = warehouse
        self._another = another
        self._project = project
        self._token = ""
        self._renewed = 0.0
        self._lost = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self.running = "a command"
        """What the message to a second runner says is running."""

    def holder(self) -> Holder | None:
        """Who holds the lease; None when nobody does. It may have run out."""
        rows = self._warehouse.rows(
            f"SELECT l.*, CASE WHEN expires_at >= CURRENT_TIMESTAMP THEN 1 ELSE 0 END AS live FROM {self._table} AS l "
            "WHERE name = ? AND token <> ''",
            [self._project],
        )
        if not rows:
            return None
        row = rows[0]
        names = ("token", "running", "host", "place", "pid", "who", "taken_at", "expires_at")
        return Holder(**{name: row[name] for name in names}, live=bool(row["live"]))

    def break_it(self, holder: Holder) -> bool:
        """Take the lease from a holder; False when it is no longer theirs. They stop before the next thing they do."""
        if not self._stands(self._warehouse, holder.token):
            return False
        self._give_back(holder.token)
        return not self._stands(self._warehouse, holder.token)

    def check(self) -> None:
        """Raise :class:`~backhaul.errors.Locked` when the lease is no longer ours: nothing more may be written."""
        if self._lost or (self._token and monotonic() - self._renewed > LASTS.total_seconds()):
            raise Locked(
                f"this run no longer holds the lease of the project {self._project}: somebody broke it, or the "
                "warehouse could not be reached for too long; it stops here",
                hint="backhaul status shows who is at work; then backhaul resume",
            )

    def __enter__(self) -> Lease:
        if not self._taken():
            holder = self.holder()
            # A runner that was killed right here is known to be dead: nobody has to wait for its lease to end.
            dead = holder is not None and holder.place != "" and holder.place == _place() and not _alive(holder.pid)
            if not (dead and holder is not None and self.break_it(holder) and self._taken()):
                raise Locked(
                    f"the project {self._project} is at work in this warehouse already: {holder or 'another runner'}",
                    hint="wait for it to end; the lease of a killed runner ends by itself after "
                    f"{LASTS.total_seconds() / 60:.0f} minutes, and `backhaul unlock --apply` breaks it at once",
                )
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()
        return self

    def _taken(self) -> bool:
        """Take the lease where nobody holds it; of two that ask at once one gets it."""
        token = secrets.token_hex(8)
        with suppress(StatementFailed):  # two that insert at once: the row is there, which is all that counts
            self._warehouse.execute(
                f"INSERT INTO {self._table} (name, token) SELECT one.name, one.token FROM "
                "(SELECT CAST(? AS VARCHAR) AS name, '' AS token) AS one WHERE NOT EXISTS "
                f"(SELECT 1 FROM {self._table} WHERE name = ?)",
                [self._project, self._project],
            )
        self._warehouse.execute(
            f"UPDATE {self._table} SET token = ?, running = ?, host = ?, place = ?, pid = ?, who = ?, "
            f"taken_at = CURRENT_TIMESTAMP, expires_at = CURRENT_TIMESTAMP + {_LASTS} "
            "WHERE name = ? AND (token = '' OR expires_at < CURRENT_TIMESTAMP)",
            [token, self.running, socket.gethostname(), _place(), os.getpid(), _user(), self._project],
        )
        # What counts is what stands there afterwards: not every driver tells how many rows it changed, and a database
        # that keeps no keys may have let two rows of the project in.
        held = self._tokens()
        if held == {token}:
            self._token, self._renewed = token, monotonic()
            return True
        if token in held:
            self._give_back(token)
        return False

    def _tokens(self) -> set[str]:
        """The tokens that hold the lease now: more than one where two runners took two rows of it at once."""
        rows = self._warehouse.rows(
            f"SELECT token FROM {self._table} WHERE name = ? AND token <> '' AND expires_at >= CURRENT_TIMESTAMP",
            [self._project],
        )
        return {row["token"] for row in rows}

    def _stands(self, warehouse: Warehouse, token: str) -> bool:
        """Whether the lease is this token's, run out or not."""
        sql = f"SELECT token FROM {self._table} WHERE name = ? AND token = ?"
        return bool(warehouse.rows(sql, [self._project, token]))

    def _give_back(self, token: str) -> None:
        self._warehouse.execute(
            f"UPDATE {self._table} SET token = '' WHERE name = ? AND token = ?", [self._project, token]
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(RENEWED_EVERY.total_seconds())
        with suppress(BackhaulError):  # it runs out by itself
            self._give_back(self._token)

    def _keep(self) -> None:
        """Renew until the end. A connection that fails is opened anew: `check` tells when that took too long."""
        warehouse: Warehouse | None = None
        while not self._ended.wait(RENEWED_EVERY.total_seconds()):
            asked = monotonic()
            try:
                warehouse = warehouse or self._another()
                if not self._renew(warehouse):
                    self._lost = True
                    break
                self._renewed = asked
            except BackhaulError:
                if warehouse is not None:
                    warehouse.close()
                warehouse = None
        if warehouse is not None:
            warehouse.close()

    def _renew(self, warehouse: Warehouse) -> bool:
        warehouse.execute(
            f"UPDATE {self._table} SET expires_at = CURRENT_TIMESTAMP + {_LASTS} WHERE name = ? AND token = ?",
            [self._project, self._token],
        )
        return self._stands(warehouse, self._token)


_LASTS = f"INTERVAL '{int(LASTS.total_seconds())} seconds'"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _place() -> str:
    """This boot of this machine and the container on it, by Linux; '' elsewhere."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
