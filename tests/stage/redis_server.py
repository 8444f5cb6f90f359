"""A Redis or Valkey server of the tests' own, which can be killed and started again on the same port."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from patience import PATIENCE_S


def program() -> str | None:
    """Where the server is."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


class RedisServer:
    """One server without a file."""

    def __init__(self) -> None:
        with socket.socket() as each:
            each.bind(("127.0.0.1", 0))
            self.port: int = each.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        server = program()
        assert server is not None
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._running = subprocess.Popen((server, *options), stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as each:
                    each.sendall(b"PING\r\n")
                    if each.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.01)
        raise TimeoutError("Redis did not start")

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._running is not None:
            self._running.kill()
            self._running.wait(PATIENCE_S)
            self._running = None


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server that is up."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()
