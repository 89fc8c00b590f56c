"""A PostgreSQL server of the tests' own: made in a temporary folder from the machine's programs, stopped afterwards.

PostgreSQL refuses to run as root, so a root process starts it as the account ``postgres`` or ``nobody``. What can hide
a difference between databases is set against it: the server's time zone is not UTC, and texts are sorted by the rules
of a language (ICU), not by their bytes. Where the programs are missing the tests fail and say what to install; they are
never left out.

    with PostgresServer() as server:
        with server.database("mine") as url: ...   # postgresql://backhaul:...@127.0.0.1:PORT/mine
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

USER, PASSWORD = "backhaul", "p@ss/w:rd"  # with signs that a URL has to escape
_URL_PASSWORD = "p%40ss%2Fw%3Ard"
_STARTS_WITHIN = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timezone": "America/New_York",
    "max_connections": "50",
    "max_wal_size": "2GB",
}


def programs() -> Path:
    """The folder with ``initdb`` and ``postgres``: the newest of the distribution's, else where PATH leads."""
    packaged = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: [int(part) for part in folder.parts[4].split(".")]
    )
    for folder in reversed(packaged):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    if found is None:
        raise FileNotFoundError(
            "these tests start a PostgreSQL server, and the programs initdb and postgres are not on this machine. "
            "Next: install them (Debian and Ubuntu: apt-get install postgresql)"
        )
    return Path(found).resolve().parent


class PostgresServer:
    """A running server on a free port of 127.0.0.1; as a context manager it is stopped and its folder removed.

    `settings` are added to (or replace) those of ``postgresql.conf``.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = _SETTINGS | settings
        self._folder = Path(tempfile.mkdtemp(prefix="backhaul-postgres-"))
        self._owner = self._unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> PostgresServer:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """The address of a database, user and password included."""
        return f"postgresql://{USER}:{_URL_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create(self, name: str) -> str:
        """Make an empty database and give its address."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """An empty database while the ``with`` lasts; whoever is still connected at its end is cut off."""
        url = self.create(name)
        try:
            yield url
        finally:
            self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run one statement outside of any transaction, with the server's own client."""
        psql = programs() / "psql"
        command = [str(psql if psql.exists() else "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*command, "-d", self.url(database), "-c", sql], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Stop the server at once and remove everything that it wrote."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast shutdown"
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(20)
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    # Within

    def _start(self) -> None:
        data, secret = self._folder / "data", self._folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if self._owner is not None:
            for path in (self._folder, secret):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        made = self._run(
            "initdb",
            *("-D", str(data), "-U", USER, "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8"),
            *("--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US", "--no-sync"),
        )
        output, _ = made.communicate(timeout=120)
        assert made.returncode == 0, output.decode(errors="replace")
        self.port = _free_port()
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._process = self._run("postgres", "-D", str(data), "-p", str(self.port), *options, log="server.log")
        self._wait()

    def _wait(self) -> None:
        assert self._process is not None
        ready = programs() / "pg_isready"
        command = [str(ready if ready.exists() else "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        until = time.monotonic() + _STARTS_WITHIN
        while subprocess.run(command, timeout=20).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > until:
                log = (self._folder / "server.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"the PostgreSQL server of the tests did not start:\n{log}")
            time.sleep(0.05)

    def _run(self, program: str, *arguments: str, log: str = "") -> subprocess.Popen[bytes]:
        """Start one of the server's programs as the folder's owner."""
        command: Sequence[str] = [str(programs() / program), *arguments]
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self._folder)}
        output = (self._folder / log).open("wb") if log else subprocess.PIPE
        try:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the tests' terminal is not the server's
                preexec_fn=_end_with_parent,
                user=None if self._owner is None else self._owner.pw_uid,
                group=None if self._owner is None else self._owner.pw_gid,
                extra_groups=None if self._owner is None else [],
            )
        finally:
            if not isinstance(output, int):
                output.close()

    @staticmethod
    def _unprivileged() -> pwd.struct_passwd | None:
        """Whom a root process runs the server as; None: as whoever runs the tests."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise RuntimeError("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as")


def _end_with_parent() -> None:
    """Let the server be stopped when the tests' process is killed, where the system can (prctl, PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGINT))


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
