"""Serving an ASGI application on loopback, over https and plain http at once, from a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import uvicorn

from backhaul.simulator.certificates import Authority
from backhaul.simulator.faults import App

_HOST = "localhost"


class Server:
    """One application behind two ports of 127.0.0.1: https (with `authority`) and http. Port 0 = any free one.

    The ports are bound when the object is made, so that the addresses are known; `start` begins to answer.
    Raises OSError when a port is taken.
    """

    def __init__(self, app: App, *, authority: Authority, https_port: int = 0, http_port: int = 0) -> None:
        self._sockets = [_bind(https_port)]
        try:
            self._sockets.append(_bind(http_port))
        except OSError:
            self._sockets[0].close()
            raise
        self.https_url = f"https://{_HOST}:{self._sockets[0].getsockname()[1]}"
        self.http_url = f"http://{_HOST}:{self._sockets[1].getsockname()[1]}"
        # Only the org's own clock may date an answer, and a connection cut on purpose is nothing to log.
        common = {
            "log_config": None,
            "log_level": "critical",
            "access_log": False,
            "lifespan": "off",
            "date_header": False,
            "server_header": False,
            "ws": "none",
            "timeout_keep_alive": 120,
            "timeout_graceful_shutdown": 1,
        }
        self._servers = [
            uvicorn.Server(
                uvicorn.Config(
                    app,
                    ssl_certfile=str(authority.certificate_path),
                    ssl_keyfile=str(authority.key_path),
                    **common,  # type: ignore[arg-type]  # a plain dict of keyword arguments
                )
            ),
            uvicorn.Server(uvicorn.Config(app, **common)),  # type: ignore[arg-type]  # as above
        ]
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def start(self) -> Server:
        """Begin to answer; returns when both ports do."""
        self._thread.start()
        while not all(server.started for server in self._servers):
            if not self._thread.is_alive():
                raise OSError("the simulator's server did not start")
            threading.Event().wait(0.005)
        return self

    def stop(self) -> None:
        """Stop answering and free the ports; waits for the thread."""
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True
        self._thread.join(timeout=10)
        for bound in self._sockets:
            with contextlib.suppress(OSError):
                bound.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        pairs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in pairs))


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError as error:
        bound.close()
        raise OSError(f"port {port} of 127.0.0.1 is taken ({error.strerror}); give another, or 0 for any") from error
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound
