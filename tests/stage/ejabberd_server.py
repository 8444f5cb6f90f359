"""A private ejabberd in a folder of its own, on loopback, configured by `heliograph ejabberd configure`."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trustme

from patience import PATIENCE_S

PROGRAM = shutil.which("ejabberdctl", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
START_TIMEOUT_S = 2 * PATIENCE_S
_PORTS = ("xmpp_port", "xmpps_port", "api_port", "component_port")


class EjabberdServer:
    """An ejabberd that can be killed and started again, over one folder.

    Args:
        folder: its own; the Heliograph node has `node` in it.
        domain: the JID domain of the one app's live users.
    """

    def __init__(self, folder: Path, domain: str) -> None:
        self.folder = folder
        self.ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self.settings: Mapping[str, Any] = {
            "data_dir": folder / "node",
            "domain": "localhost",  # by which clients find it
            "http_port": 0,
            "engine": "ejabberd",
            "xmpp_port": self.ports["xmpp_port"],
            "xmpps_port": self.ports["xmpps_port"],
            "ejabberd_api_url": f"http://127.0.0.1:{self.ports['api_port']}/api",
            "ejabberd_component_port": self.ports["component_port"],
            "tls_certificate_file": folder / "chain.pem",
            "tls_key_file": folder / "key.pem",
        }
        self._process: asyncio.subprocess.Process | None = None
        self._name = f"heliograph{random.randrange(10**9)}@localhost"
        for part in ("spool", "log", "node"):
            (folder / part).mkdir()
        _certify(folder, domain)

    @property
    def pid(self) -> int | None:
        """Of its first process, once it was started."""
        return None if self._process is None else self._process.pid

    @property
    def component_listener(self) -> str:
        """Where it listens for components."""
        return f"127.0.0.1:{self.ports['component_port']}"

    async def configure(self, *options: str) -> None:
        """Let the command write the configuration, for the apps that the node's database has."""
        command = (*_HELIOGRAPH, "ejabberd", "configure", "--output", str(self.folder / "ejabberd.yml"), *options)
        making = await asyncio.create_subprocess_exec(*command, env=self._environment())
        assert await making.wait() == 0
        (self.folder / "ejabberdctl.cfg").write_text(
            f"EXEC_CMD=as_current_user\nERLANG_NODE={self._name}\nINET_DIST_INTERFACE=127.0.0.1\n"
        )

    async def start(self) -> None:
        """Start it; it accepts clients when this returns."""
        self._process = await asyncio.create_subprocess_exec(
            *self._control("foreground"),
            env=self._environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        async with asyncio.timeout(START_TIMEOUT_S):
            for port in self.ports.values():
                await _listens(port, self._process)

    def share_certificate(self, other: EjabberdServer) -> None:
        """Show the same certificate as another one."""
        for name in ("authority.pem", "chain.pem", "key.pem"):
            (self.folder / name).write_bytes((other.folder / name).read_bytes())

    async def join(self, other: EjabberdServer) -> None:
        """Become a member of the cluster of another one; both run."""
        command = (*self._control("join_cluster"), other._name)
        joining = await asyncio.create_subprocess_exec(*command, env=self._environment())
        assert await joining.wait() == 0

    async def kill(self) -> None:
        """End it at once, with the programs that it has started, as a crash does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        """End it, if it runs."""
        if self._process is None or self._process.returncode is not None:
            return
        quiet = asyncio.subprocess.DEVNULL
        stopping = await asyncio.create_subprocess_exec(*self._control("stop"), stdout=quiet, stderr=quiet)
        await stopping.wait()
        try:
            await asyncio.wait_for(self._process.wait(), START_TIMEOUT_S)
        except TimeoutError:
            await self.kill()

    def log(self) -> str:
        """What it has logged."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.folder / "log").glob("*.log")))

    def _control(self, command: str) -> tuple[str, ...]:
        assert PROGRAM is not None
        folder = self.folder
        return (
            *(PROGRAM, "--config-dir", str(folder), "--ctl-config", f"{folder}/ejabberdctl.cfg"),
            *("--config", f"{folder}/ejabberd.yml", "--spool", f"{folder}/spool", "--logs", f"{folder}/log", command),
        )

    def _environment(self) -> dict[str, str]:
        settings = {f"HELIOGRAPH_{name.upper()}": str(value) for name, value in self.settings.items()}
        return {**os.environ, **settings}


_HELIOGRAPH = (sys.executable, "-m", "heliograph.cli")


@asynccontextmanager
async def ejabberd_in(folder: Path, domain: str) -> AsyncIterator[EjabberdServer]:
    """An ejabberd that is not started yet, and is stopped at the end."""
    server = EjabberdServer(folder, domain)
    try:
        yield server
    finally:
        await server.stop()


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    while True:
        assert process.returncode is None, "ejabberd has ended"
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _free_ports(count: int) -> list[int]:
    """Below those that clients get, so that none can call itself."""
    while True:
        first = random.randrange(15000, 32000, count)
        try:
            for port in range(first, first + count):
                with socket.socket() as each:
                    each.bind(("127.0.0.1", port))
        except OSError:
            continue
        return list(range(first, first + count))


def _certify(folder: Path, domain: str) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)  # ejabberd sets timers by it, which hold 49 days at most
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", domain, f"sandbox.{domain}", not_after=soon)
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    for each in issued.cert_chain_pems:
        each.write_to_path(str(folder / "chain.pem"), append=True)
