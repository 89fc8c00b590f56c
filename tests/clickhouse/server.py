"""A ClickHouse server for tests, where none can be installed: the engine of the `chdb` package behind real wires.

`python server.py --folder F [--tcp-port 0] [--http-port 0]` keeps databases in F and serves them on 127.0.0.1, by the
native protocol (for `clickhouse-driver`) and by HTTP (for `clickhouse-connect`). When both are open it prints one line,
{"tcp": port, "http": port}; it ends on SIGTERM, or when its standard input closes: start it with a pipe there. The
user is `default`, the password BACKHAUL_CLICKHOUSE_PASSWORD or `secret-word`.

Real is the engine: its SQL, its types, its settings, the number and the text of its errors. This file is not a server
of ClickHouse: it runs one statement at a time, holds each result in memory, compresses nothing, and takes rows by the
native protocol only as VALUES in the text of a statement. A client has an engine session of its own once a statement of
it leaves something there (SET, USE, a temporary table), which no other sees; until then clients that bring the same
settings share one. What one query brings along (settings of the packet, parameters of the URL) is undone after it, as a
server does.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hmac
import importlib
import json
import os
import re
import signal
import socket
import socketserver
import struct
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Under this revision settings come as strings, queries carry no trace and columns no flag of their serialization: a
# block then is exactly what the engine's format Native gives.
REVISION = 54429
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
NAMED = "JSONCompactEachRowWithNamesAndTypes"

FLAGS = re.DOTALL | re.IGNORECASE
COMMENTS = r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
READS = re.compile(COMMENTS + r"(?:\(|(?:SELECT|WITH|FROM|SHOW|DESC|DESCRIBE|EXPLAIN|EXISTS|CHECK)\b)", FLAGS)
SETS = re.compile(COMMENTS + r"SET\b", FLAGS)
USES = re.compile(COMMENTS + r"USE\b", FLAGS)
KEEPS = re.compile(COMMENTS + r"(?:SET|USE|CREATE\s+TEMPORARY)\b", FLAGS)
INSERTS = re.compile(COMMENTS + r"INSERT\b", FLAGS)
NO_DATA = re.compile(r"\b(?:VALUES|FORMAT\s+\w+)\s*;?\s*\Z", FLAGS)
INSERTS_BODY = (COMMENTS + r"(INSERT\s(?:(?!\bSELECT\b|\bVALUES\b).)*?)\sFORMAT\s+(\w+)[ \t]*;?[ \t]*\r?\n?").encode()
FORMAT = re.compile(r"\sFORMAT\s+(\w+)\s*;?\s*\Z", FLAGS)

# Parameters of a URL that are no settings.
NO_SETTINGS = re.compile(
    r"param_.*|query|database|default_format|session_(id|timeout|check)|query_id|user|password|quota_key|role"
    r"|buffer_size|wait_end_of_query|client_protocol_version|compress|decompress|stacktrace"
)
STATUS = {27: 400, 36: 400, 47: 400, 48: 501, 60: 404, 62: 400, 81: 404, 115: 404, 516: 403}

Columns = list[tuple[str, str]]


class ServerError(Exception):
    """An exception of the server, as its clients are told of it."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @classmethod
    def of(cls, error: Exception) -> ServerError:
        """Read the engine's exception, which holds its number in its text only."""
        found = re.search(r"Code: (\d+)\. (?:DB::Exception: )?(.*)", str(error), re.DOTALL)
        return cls(int(found[1]), found[2].strip()) if found else cls(1002, str(error))


def quoted(text: str, mark: str = "'") -> str:
    """Quote a text as a literal of ClickHouse, or as a name if the mark is a backtick."""
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def varint(number: int) -> bytes:
    """Write a number as the protocol does: seven bits a byte, the lowest first."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def string(text: str) -> bytes:
    """Write a text as the protocol does: its length in bytes, then the bytes."""
    data = text.encode()
    return varint(len(data)) + data


class Session:
    """One client's session of the engine: its settings, its current database, its temporary tables."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.zone = engine.zone if hasattr(engine, "zone") else "UTC"
        with engine.lock:
            self.chdb = engine.module.Session(str(engine.folder))
            # Defaults of the local engine that a server does not have.
            self.put({"implicit_select": "0", "allow_introspection_functions": "0"})

    def close(self) -> None:
        with self.engine.lock:
            self.chdb.close()

    def query(self, statement: str, form: str = "Null", params: Mapping[str, str] | None = None) -> tuple[bytes, int]:
        """Run a statement; returns its rows in the format asked for, and how many it wrote."""
        try:
            result = self.chdb.query(statement, form, params=dict(params or {}))
        except Exception as error:
            raise ServerError.of(error) from None
        return bytes(result.bytes()), int(result.rows_written())

    def text(self, statement: str) -> str:
        return self.query(statement, "TabSeparatedRaw")[0].decode().rstrip("\n")

    def insert(self, statement: str, form: str, data: bytes) -> int:
        """Insert data that stand outside of the statement; returns the number of rows."""
        try:
            with self.chdb.send_insert(statement, form) as inserter:
                inserter.append(data)
                return int(inserter.finish().rows_written)
        except Exception as error:
            raise ServerError.of(error) from None

    def select(self, statement: str) -> list[bytes] | None:
        """The blocks of one SELECT; None, and nothing was run, for another statement. Several are refused."""
        try:
            with self.chdb.send_query(statement, "Native") as stream:
                return [bytes(chunk.bytes()) for chunk in stream]
        except Exception as error:
            fault = ServerError.of(error)
            if fault.code == 36 and fault.text.startswith("Streaming query is not supported"):
                return None
            raise fault from None

    def blocks(self, statement: str) -> tuple[list[bytes], int]:
        """Run a statement; returns its blocks, one without rows first, and how many rows it wrote.

        That first block tells the columns. A statement without a result has none.
        """
        blocks, written = self.select(statement), 0
        if blocks is not None:
            columns = self.columns(statement)
        else:
            # Only a SELECT is given block by block; the rows of SHOW and its like become the blocks of one.
            data, written = self.query(statement, NAMED)
            if not data:
                return [], written
            names, types, rows = data.decode().split("\n", 2)
            columns = list(zip(json.loads(names), json.loads(types), strict=True))
            blocks = (self.select(f"SELECT * FROM format({NAMED}, {quoted(data.decode())})") if rows else []) or []
        header = b"".join(string(name) + string(kind) for name, kind in columns)
        return [varint(len(columns)) + varint(0) + header, *blocks], written

    def columns(self, statement: str) -> Columns:
        try:
            inner = statement.rstrip().rstrip(";")
            describe = f"DESCRIBE TABLE (\n{inner}\n) SETTINGS print_pretty_type_names = 0"
            data, _ = self.query(describe, "JSONCompact")
            return [(row[0], row[1]) for row in json.loads(data)["data"]]
        except ServerError:
            # Not every SELECT may stand in parentheses. Asked again, it still only reads.
            data, _ = self.query(statement, "JSONCompact")
            return [(column["name"], column["type"]) for column in json.loads(data)["meta"]]

    def changed(self) -> dict[str, str]:
        statement = "SELECT name, value FROM system.settings WHERE changed AND name != 'database'"
        return dict(json.loads(self.query(statement, "JSONCompact")[0])["data"])

    def put(self, values: Mapping[str, str | None]) -> None:
        if values:
            items = values.items()
            self.query(
                "SET " + ", ".join(f"{quoted(n, '`')} = {'DEFAULT' if v is None else quoted(v)}" for n, v in items)
            )

    @contextlib.contextmanager
    def scope(self, settings: Mapping[str, str], database: str = "") -> Iterator[None]:
        """Hold the engine for one query, under its settings and its database, and undo these afterwards."""
        if "readonly" in settings:
            raise ServerError(48, "This server cannot undo `readonly`: give it by SET (NOT_IMPLEMENTED)")
        with self.engine.lock:
            outer = self.text("SELECT currentDatabase()")
            before = self.changed() if settings else {}
            after = before
            try:
                if database:
                    self.query(f"USE {quoted(database, '`')}")
                if settings:
                    self.put(settings)
                    after = self.changed()
                yield
            finally:
                # Only what came along: the statement itself may have set something for the session.
                self.put({n: before.get(n) for n in {**before, **after} if before.get(n) != after.get(n)})
                if database:
                    # The statement may have dropped the one that was current.
                    with contextlib.suppress(ServerError):
                        self.query(f"USE {quoted(outer, '`')}")


class Engine:
    """The engine of this process, and the lock that lets in one statement at a time."""

    def __init__(self, folder: Path) -> None:
        # Read by the engine when it is loaded; a server's zone is UTC unless configured otherwise.
        os.environ["TZ"] = "UTC"
        self.folder = folder
        self.module: Any = importlib.import_module("chdb.session")
        self.lock = threading.RLock()
        self.password = os.environ.get("BACKHAUL_CLICKHOUSE_PASSWORD", "secret-word")
        self.named: dict[str, Session] = {}
        self.pool: dict[tuple[Any, ...], Session] = {}
        self.root = Session(self)
        # The local engine lays the files of the current folder over the database `default`; a server's is plain.
        if self.root.text("SELECT count() FROM system.tables WHERE database = 'default'") == "0":
            for statement in ("DROP DATABASE default", "CREATE DATABASE default ENGINE = Atomic", "USE default"):
                self.root.query(statement)
        self.version, self.zone = self.root.text("SELECT version(), serverTimezone()").split("\t")
        self.settings = set(self.root.text("SELECT name FROM system.settings").split("\n"))

    def authenticate(self, user: str, password: str) -> None:
        if user != "default" or not hmac.compare_digest(password.encode(), self.password.encode()):
            text = "Authentication failed: password is incorrect, or there is no user with such name."
            raise ServerError(516, f"{user}: {text} (AUTHENTICATION_FAILED)")

    def shared(self, database: str, settings: Mapping[str, str]) -> Session:
        """The session of all statements that come with these settings and leave nothing behind; hold the lock."""
        place = (database, *sorted(settings.items()))
        if place not in self.pool:
            session = Session(self)
            session.put(settings)
            if database:
                session.query(f"USE {quoted(database, '`')}")
            session.zone = session.text("SELECT timezone()")
            self.pool[place] = session
        return self.pool[place]

    @contextlib.contextmanager
    def session(self, name: str) -> Iterator[Session]:
        """The session that HTTP requests share by a name, or, without a name, one for this request alone."""
        with self.lock:
            session = self.named[name] if name in self.named else Session(self)
            if name:
                self.named[name] = session
        try:
            yield session
        finally:
            if not name:
                session.close()


class Native(socketserver.StreamRequestHandler):
    """A connection by the native protocol."""

    disable_nagle_algorithm = True
    engine: Engine
    own: Session | None = None
    database: str
    zone: str

    def handle(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            try:
                self.greet()
                while True:
                    self.packet()
            except ServerError as error:
                self.refuse(error)
            finally:
                if self.own is not None:
                    self.own.close()

    def take(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def varint(self) -> int:
        byte = self.take(1)[0]
        return byte if byte < 128 else byte & 127 | self.varint() << 7

    def string(self) -> str:
        return self.take(self.varint()).decode("utf-8", "replace")

    def send(self, *parts: bytes) -> None:
        self.wfile.write(b"".join(parts))

    def send_error(self, error: ServerError) -> None:
        # By this protocol a message goes without the symbolic name at its end.
        text = re.sub(r"\.?\s*\([A-Z][A-Z0-9_]+\)(?: \(version [^()]*\))?\Z", "", error.text)
        name = string("DB::Exception")
        self.send(varint(2), struct.pack("<i", error.code), name, string(f"DB::Exception: {text}"), string(""), b"\0")

    def refuse(self, error: ServerError) -> None:
        """Answer with an error and end the connection: what the client sends next cannot be read."""
        self.send_error(error)
        self.connection.shutdown(socket.SHUT_WR)
        # Closed with unread bytes, the connection would be reset before the client reads the error.
        while self.rfile.read(65536):
            pass

    def greet(self) -> None:
        if self.varint() != 0:
            raise EOFError
        self.string(), self.varint(), self.varint()
        revision, database, user, password = self.varint(), self.string(), self.string(), self.string()
        if revision < REVISION:
            raise ServerError(48, f"This server speaks to clients of the revision {REVISION} or newer")
        self.engine.authenticate(user, password)
        with self.engine.lock:
            if database and self.engine.root.text(f"EXISTS DATABASE {quoted(database, '`')}") != "1":
                raise ServerError(81, f"Database {database} does not exist. (UNKNOWN_DATABASE)")
        self.database = database
        self.zone = self.engine.zone
        major, minor, patch = (varint(int(part)) for part in self.engine.version.split(".")[:3])
        self.send(varint(0), string("ClickHouse"), major, minor, varint(REVISION))
        self.send(string(self.zone), string("chdb"), patch)

    def packet(self) -> None:
        kind = self.varint()
        if kind == 1:
            self.query()
        elif kind == 4:
            self.send(varint(4))
        elif kind != 3:  # 3 would cancel a query, which is over by now
            raise ServerError(99, f"Unexpected packet {kind} from the client")

    def query(self) -> None:
        self.string()
        if self.take(1)[0]:
            self.string(), self.string(), self.string(), self.take(1)
            self.string(), self.string(), self.string()
            self.varint(), self.varint(), self.varint(), self.string(), self.varint()
        settings: dict[str, str] = {}
        while name := self.string():
            important, value = self.take(1)[0] & 1, self.string()
            # A server passes over a setting that it does not know, unless the client marked it as important.
            if important or name in self.engine.settings:
                settings[name] = value
        self.varint()
        compressed, statement = self.varint(), self.string()
        if compressed:
            raise ServerError(48, "This server does not compress: connect with compression=False")
        # The block that ends the external tables is empty: so must be the first one.
        self.varint(), self.string(), self.take(len(BLOCK_INFO))
        if self.varint() + self.varint():
            raise ServerError(48, "This server takes no external tables")
        try:
            self.run(statement, {} if SETS.match(statement) else settings)
        except ServerError as error:
            self.send_error(error)

    def run(self, statement: str, settings: Mapping[str, str]) -> None:
        if not INSERTS.match(statement):
            # The format is the client's affair here: a server answers with blocks in any case.
            statement = FORMAT.sub("", statement)
        elif NO_DATA.search(statement[-200:]) and not re.search(r"\bSELECT\b", statement, FLAGS):
            raise ServerError(48, "This server takes rows only as VALUES in the text of an INSERT")
        if self.own is None and not KEEPS.match(statement):
            with self.engine.lock:
                session = self.engine.shared(self.database, settings)
                blocks, written = session.blocks(statement)
                zone = session.zone
        else:
            if self.own is None:
                self.own = Session(self.engine)
                if self.database:
                    with self.own.scope({}):
                        self.own.query(f"USE {quoted(self.database, '`')}")
            with self.own.scope(settings):
                blocks, written = self.own.blocks(statement)
                zone = self.own.text("SELECT timezone()")
        if zone != self.zone:
            self.zone = zone
            self.send(varint(17), string(zone))
        for block in blocks:
            self.send(varint(1), string(""), BLOCK_INFO, block)
        if written:
            self.send(varint(3), varint(0) * 3, varint(written), varint(0))
        self.send(varint(5))


class Http(BaseHTTPRequestHandler):
    """A connection by HTTP."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    engine: Engine

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the standard error is for faults."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        body = self.body()
        if url.path == "/ping" or (self.command == "GET" and "query" not in params):
            return self.answer(200, b"Ok.\n", {})
        try:
            data, headers = self.run(params, body)
        except ServerError as error:
            text = f"Code: {error.code}. DB::Exception: {error.text} (version {self.engine.version})\n"
            headers = {"X-ClickHouse-Exception-Code": str(error.code)}
            return self.answer(STATUS.get(error.code, 500), text.encode(), headers)
        self.answer(200, data, headers)

    do_POST = do_GET

    def body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def decoded(self, body: bytes) -> bytes:
        """Undo the compression of a body, by the engine: it knows every one that clients use."""
        encoding = self.headers.get("Content-Encoding", "")
        if encoding in ("", "identity") or not body:
            return body
        with tempfile.NamedTemporaryFile() as file, self.engine.lock:
            file.write(body)
            file.flush()
            source = f"file({quoted(file.name)}, 'RawBLOB', 'data String', {quoted(encoding)})"
            return self.engine.root.query(f"SELECT data FROM {source}", "RawBLOB")[0]

    def answer(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        plain = {"Content-Type": "text/plain; charset=UTF-8", "Content-Length": str(len(data))}
        for name, value in {**plain, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def authenticate(self, params: Mapping[str, str]) -> None:
        basic = self.headers.get("Authorization", "").partition("Basic ")[2]
        user, _, password = base64.b64decode(basic).decode("utf-8", "replace").partition(":")
        user = user or self.headers.get("X-ClickHouse-User") or params.get("user") or "default"
        self.engine.authenticate(user, password or self.headers.get("X-ClickHouse-Key") or params.get("password", ""))

    def run(self, params: Mapping[str, str], body: bytes) -> tuple[bytes, dict[str, str]]:
        self.authenticate(params)
        if self.headers.get("Content-Type", "").startswith("multipart/"):
            raise ServerError(48, "This server takes no forms and no external tables (NOT_IMPLEMENTED)")
        if "1" in (params.get("compress"), params.get("decompress")):
            raise ServerError(48, "This server does not compress blocks (NOT_IMPLEMENTED)")
        text = b"\n".join(filter(None, (params.get("query", "").encode(), self.decoded(body))))
        insert = re.match(INSERTS_BODY, text, FLAGS)
        statement = "" if insert else text.decode("utf-8", "replace")
        if self.command == "GET" and not READS.match(statement):
            raise ServerError(164, "Cannot execute query in readonly mode: GET implies it, use POST. (READONLY)")
        binding = {name[6:]: value for name, value in params.items() if name.startswith("param_")}
        settings = {name: value for name, value in params.items() if not NO_SETTINGS.fullmatch(name)}
        database = params.get("database") or self.headers.get("X-ClickHouse-Database") or ""
        form = params.get("default_format") or self.headers.get("X-ClickHouse-Format") or "TabSeparated"
        with (
            self.engine.session(params.get("session_id", "")) as session,
            session.scope({} if SETS.match(statement) else settings, "" if USES.match(statement) else database),
        ):
            if insert:
                data, written = b"", session.insert(insert[1].decode(), insert[2].decode(), text[insert.end() :])
            else:
                # The engine's own query runs several statements in turn, which a server refuses.
                if re.search(r";\s*\S", statement) and not binding and not INSERTS.match(statement):
                    session.select(statement)
                data, written = session.query(statement, form, binding)
            zone = session.text("SELECT timezone()")
        summary = {"read_rows": "0", "read_bytes": "0", "written_rows": str(written), "written_bytes": "0"}
        headers = {
            "X-ClickHouse-Query-Id": params.get("query_id") or str(uuid.uuid4()),
            "X-ClickHouse-Server-Display-Name": "chdb",
            "X-ClickHouse-Timezone": zone,
            "X-ClickHouse-Summary": json.dumps(summary),
        }
        if READS.match(statement):
            chosen = FORMAT.search(statement)
            headers["X-ClickHouse-Format"] = chosen[1] if chosen else form
        return data, headers


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(description="A ClickHouse server for tests.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--tcp-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(options.folder.resolve())
    Native.engine = Http.engine = engine
    socketserver.ThreadingTCPServer.daemon_threads = socketserver.ThreadingTCPServer.allow_reuse_address = True
    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", options.tcp_port), Native)
    http = ThreadingHTTPServer(("127.0.0.1", options.http_port), Http)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        ended.set()

    for work in (tcp.serve_forever, http.serve_forever, watch):
        threading.Thread(target=work, daemon=True).start()
    sys.stdout.write(json.dumps({"tcp": tcp.server_address[1], "http": http.server_address[1]}) + "\n")
    sys.stdout.flush()
    ended.wait()
    # The lock is kept: no statement may run while the engine goes down.
    engine.lock.acquire()
    engine.root.close()
    os._exit(0)


if __name__ == "__main__":
    main()
