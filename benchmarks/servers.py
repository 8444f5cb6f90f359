"""The servers under measurement, each a private process: ours as it ships but for TLS, and the peers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from clients import DOMAIN, HOST, Account, Http, gather_limited, register_in_band

_TICKS = os.sysconf("SC_CLK_TCK")
_PEERS = Path(__file__).parent / "peers"
_PASSWORD = "secret-Pw-123"


class Server(Protocol):
    """A server that is up, and how its accounts and contacts are made."""

    name: str
    pid: int
    xmpp_port: int

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """A connection over which accounts are registered one at a time."""
        ...

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """Make all of them contacts of the hub."""
        ...


class Heliograph:
    """One node."""

    name = "heliograph"
    xmpp_port = 15722
    http_port = 18080

    def __init__(self, pid: int, keys: dict[str, dict[str, str]]) -> None:
        self.pid = pid
        self._keys = keys

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """By the HTTP API with the secret key."""
        http = await Http(self.http_port, {"Heliograph-Key": self._keys["live"]["secret"]}).open()

        async def one(username: str) -> Account:
            data = (await http.call("POST", "/api/v1/register", {"userIdentifier": username}))["data"]
            return Account(data["username"], data["password"], data["token"])

        return one

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """By the HTTP API as the hub."""
        headers = {"Heliograph-Key": self._keys["live"]["publishable"], "Authorization": f"Bearer {hub.token}"}
        pool = [await Http(self.http_port, headers).open() for _ in range(8)]

        async def one(number: int, worker: int) -> None:
            await pool[worker].call("PUT", f"/api/v1/contacts/{contacts[number].username}")

        await gather_limited(len(contacts), len(pool), one)


class Prosody:
    """Prosody, with its rosters written before it starts."""

    name = "prosody"
    xmpp_port = 15222

    def __init__(self, pid: int) -> None:
        self.pid = pid

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """In band (XEP-0077)."""
        return await register_in_band(self.xmpp_port, _PASSWORD)

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """Nothing to do: see `write_rosters`."""


class Ejabberd:
    """One ejabberd node."""

    name = "ejabberd"
    xmpp_port = 15322
    http_port = 18380

    def __init__(self, pid: int) -> None:
        self.pid = pid

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """In band (XEP-0077)."""
        return await register_in_band(self.xmpp_port, _PASSWORD)

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """By the HTTP API, both sides."""
        pool = [await Http(self.http_port, {}).open() for _ in range(8)]
        pairs = [pair for contact in contacts for pair in ((hub, contact), (contact, hub))]

        async def one(number: int, worker: int) -> None:
            owner, contact = pairs[number]
            item = {"localuser": owner.username, "localhost": DOMAIN, "user": contact.username, "host": DOMAIN}
            details = {"nick": contact.username, "group": "x", "subs": "both"}
            await pool[worker].call("POST", "/api/add_rosteritem", {**item, **details})

        await gather_limited(len(pairs), len(pool), one)


# ------------------------------------------------------------------------------------------------------------- measure


def _tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_s(server: Server) -> float:
    """CPU seconds that a server's processes have used, in user and system mode."""
    ticks = 0
    for pid in _tree(server.pid):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def rss_kib(server: Server) -> int:
    """Resident memory of a server's processes in KiB."""
    lines = [line for pid in _tree(server.pid) for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


class Meter:
    """Wall time and the server's CPU time of a section."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> Meter:
        self._cpu, self._own, self._begin = cpu_s(self._server), time.process_time(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wall_s = time.perf_counter() - self._begin
        self.cpu_s = cpu_s(self._server) - self._cpu
        self.own_s = time.process_time() - self._own

    def per(self, count: int) -> dict[str, float]:
        """Rate, the server's CPU for each, and how busy the two sides were."""
        return {
            "rate": round(count / self.wall_s, 1),
            "cpu_us": round(self.cpu_s * 1e6 / count, 1),
            "server_cores": round(self.cpu_s / self.wall_s, 2),
            "generator_cores": round(self.own_s / self.wall_s, 2),
        }


# --------------------------------------------------------------------------------------------------------------- start


@asynccontextmanager
async def heliograph(_fans: Sequence[int] = ()) -> AsyncIterator[Server]:
    """A node with its data in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder:
        environment = {
            **os.environ,
            "HELIOGRAPH_DATA_DIR": folder,
            "HELIOGRAPH_HTTP_PORT": str(Heliograph.http_port),
            "HELIOGRAPH_XMPP_PORT": str(Heliograph.xmpp_port),
            "HELIOGRAPH_XMPPS_PORT": str(Heliograph.xmpp_port + 1),
            "HELIOGRAPH_XMPP_REQUIRES_TLS": "false",
            "HELIOGRAPH_LOG_LEVEL": "warning",
        }
        create = ("app", "create", "bench", "--json", "--contacts", "open")
        making = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "heliograph.cli", *create, env=environment, stdout=asyncio.subprocess.PIPE
        )
        made: dict[str, Any] = json.loads((await making.communicate())[0])
        command = (sys.executable, "-m", "heliograph.cli", "serve")
        async with _process(command, environment, Heliograph.xmpp_port) as pid:
            yield Heliograph(pid, made["keys"])


@asynccontextmanager
async def prosody(fans: Sequence[int] = ()) -> AsyncIterator[Server]:
    """Debian's Prosody with a configuration of its own."""
    with tempfile.TemporaryDirectory(prefix="prosody-bench-") as folder:
        config = Path(folder) / "prosody.cfg.lua"
        _fill("prosody.cfg.lua", config, DIR=folder, PORT=Prosody.xmpp_port)
        for size in fans:
            _write_rosters(Path(folder) / "data/localhost/roster", size)
        command = (shutil.which("prosody") or "prosody", "-F", "--config", str(config))
        async with _process(command, dict(os.environ), Prosody.xmpp_port) as pid:
            yield Prosody(pid)


def _write_rosters(folder: Path, size: int) -> None:
    """The rosters of a hub and its contacts, named as `workloads.fan_out` names them."""
    folder.mkdir(parents=True, exist_ok=True)
    hub, contacts = f"hub{size}-0", [f"fan{size}-{number}" for number in range(size)]
    for owner, others in ((hub, contacts), *((contact, [hub]) for contact in contacts)):
        items = "".join(f'["{other}@{DOMAIN}"]={{subscription="both";groups={{}};}};' for other in others)
        name = owner.replace("-", "%2d")
        (folder / f"{name}.dat").write_text(f"return {{{items}[false]={{version=1;pending={{}};}};}};")


@asynccontextmanager
async def ejabberd(_fans: Sequence[int] = ()) -> AsyncIterator[Server]:
    """Debian's ejabberd as a node of its own."""
    with tempfile.TemporaryDirectory(prefix="ejabberd-bench-") as name:
        folder = Path(name)
        _fill("ejabberd.yml", folder / "ejabberd.yml", PORT=Ejabberd.xmpp_port, HTTP_PORT=Ejabberd.http_port)
        # As the current user: switching to ejabberd's own would lower the number of open files to 1,024.
        (folder / "ejabberdctl.cfg").write_text(
            "EXEC_CMD=as_current_user\nERLANG_NODE=bench@localhost\nINET_DIST_INTERFACE=127.0.0.1\n"
        )
        for part in ("spool", "log"):
            (folder / part).mkdir()
        control = (
            *(shutil.which("ejabberdctl") or "ejabberdctl", "--config-dir", name),
            *("--ctl-config", f"{name}/ejabberdctl.cfg", "--config", f"{name}/ejabberd.yml"),
            *("--spool", f"{name}/spool", "--logs", f"{name}/log"),
        )
        async with _process((*control, "foreground"), dict(os.environ), Ejabberd.xmpp_port) as pid:
            yield Ejabberd(pid)
            null = asyncio.subprocess.DEVNULL
            stopping = await asyncio.create_subprocess_exec(*control, "stop", stdout=null, stderr=null)
            await stopping.wait()


def _fill(template: str, target: Path, **values: object) -> None:
    text = (_PEERS / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text)


@asynccontextmanager
async def _process(command: Sequence[str], environment: dict[str, str], port: int) -> AsyncIterator[int]:
    """A child process, once its port answers; it is stopped at the end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
