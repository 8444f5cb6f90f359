"""Heliograph nodes as processes of their own, and haproxy before them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from patience import PATIENCE_S

CHECK_MS = 200
"""How often haproxy asks a node whether it is ready."""
SHUTDOWN_DELAY_S = 1.0
"""How long a node goes on after it has said that it is not."""
_HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h
    timeout check 2s
    option redispatch 1
    retries 3
frontend http
    bind 127.0.0.1:{port}
    option forwardfor
    default_backend nodes
backend nodes
    balance roundrobin
    option httpchk GET /readyz
    default-server check inter {check_ms}ms fall 1 rise 1
"""


def program() -> str | None:
    """Where haproxy is; Debian keeps it off the path of users."""
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


@dataclass
class ServedNode:
    """`heliograph serve` on a port of its own, to be stopped, killed and started again."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: Process | None = None

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.folder.mkdir(exist_ok=True)
        mine = {
            "DATA_DIR": str(self.folder),
            "HTTP_PORT": str(self.port),
            "XMPP_PORT": "0",
            "XMPPS_PORT": "0",
            "SHUTDOWN_DELAY_S": str(SHUTDOWN_DELAY_S),
            "LOG_LEVEL": "error",
            **self.settings,
        }
        with (self.folder / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "heliograph.cli", "serve"),
                env={**os.environ, **{f"HELIOGRAPH_{name}": value for name, value in mine.items()}},
                stdout=log,
                stderr=log,
            )
        await until_ready(self.url)

    async def stop(self) -> int:
        """Ask it to stop, as a supervisor does; gives its exit status once it is gone."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as `kill -9` does."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: int) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


async def until_ready(url: str, *, is_ready: bool = True) -> None:
    """Wait until a node says that it is ready, or no longer says so."""
    async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as http:
        while True:
            try:
                if ((await http.get(f"{url}/readyz")).status_code == 200) is is_ready:
                    return
            except httpx.TransportError:
                if not is_ready:
                    return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def balanced(nodes: Sequence[ServedNode], folder: Path, port: int) -> AsyncIterator[str]:
    """haproxy before the nodes, once it has found one of them ready; gives its address."""
    haproxy = program()
    assert haproxy is not None
    servers = [f"    server node-{number} 127.0.0.1:{node.port}" for number, node in enumerate(nodes)]
    file = folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(port=port, check_ms=CHECK_MS) + "\n".join(servers) + "\n")
    process = await asyncio.create_subprocess_exec(haproxy, "-db", "-f", str(file), stdout=DEVNULL, stderr=DEVNULL)
    try:
        await until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()
