"""The servers under measurement, each a private process: ours as it ships but that TLS is not required, the peers, and
a stub that checks nothing. A server is started in a folder, and finds there what an earlier one has left.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import random
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import trustme

from clients import DOMAIN, HOST, Account, Http, gather_limited, register_in_band
from heliograph.core import limits

_PEERS = Path(__file__).parent / "peers"
_PASSWORD = "secret-Pw-123"
_PREPARING_S = 300
"""How long a node may take to prepare a thousand passwords, at leisure."""


class Server(Protocol):
    """A server that is up, and how its accounts and contacts are made."""

    name: str
    pids: Sequence[int]
    """Of its processes; what they have started belongs to them."""
    xmpp_port: int
    """Without TLS; the next one is for direct TLS."""
    has_whole_profiles: bool
    """Whether a profile event tells all of the profile, so that nobody needs to ask for the rest."""

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """A connection over which accounts are registered one at a time."""
        ...

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """Make all of them contacts of the hub."""
        ...


class Heliograph:
    """One node."""

    name = "heliograph"
    has_whole_profiles = True

    def __init__(self, pid: int, port: int, keys: dict[str, dict[str, str]]) -> None:
        self.pids, self.xmpp_port, self.http_port = (pid,), port, port + 2
        self._keys = keys

    async def prepare(self, count: int) -> None:
        """Wait until so many passwords for new accounts lie ready, as the node itself says."""
        metrics = await Http(self.http_port + 1, {}).open()
        async with asyncio.timeout(_PREPARING_S):
            while True:
                found = re.search(
                    rb"(?m)^heliograph_credentials_prepared (\S+)", await metrics.answer("GET", "/metrics")
                )
                if found is not None and float(found[1]) >= count:
                    return
                await asyncio.sleep(0.5)

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """By the HTTP API with the secret key."""
        http = await Http(self.http_port, {"Heliograph-Key": self._keys["live"]["secret"]}).open()

        async def one(username: str) -> Account:
            data = (await http.call("POST", "/api/v1/register", {"userIdentifier": username}))["data"]
            return Account(data["username"], data["password"], data["token"])

        return one

    async def backend(self) -> Http:
        """A connection that calls as the app's backend."""
        return await Http(self.http_port, {"Heliograph-Key": self._keys["live"]["secret"]}).open()

    async def register_bulk(self, usernames: Sequence[str]) -> None:
        """All of them in one call of the backend."""
        http = await Http(self.http_port, {"Heliograph-Key": self._keys["live"]["secret"]}).open()
        users = [{"userIdentifier": username} for username in usernames]
        answer = await http.call("POST", "/api/v1/users/bulk", {"users": users})
        if answer["data"]["failed"]:
            raise RuntimeError(answer)

    def headers(self, account: Account) -> dict[str, str]:
        """What a call of a user takes along."""
        return {"Heliograph-Key": self._keys["live"]["publishable"], "Authorization": f"Bearer {account.token}"}

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """By the HTTP API as the hub, as many at once as one call takes."""
        http = await Http(self.http_port, self.headers(hub)).open()
        for at in range(0, len(contacts), limits.CONTACT_IMPORT_MAX):
            names = [each.username for each in contacts[at : at + limits.CONTACT_IMPORT_MAX]]
            await http.call("POST", "/api/v1/contact-imports", {"identifiers": names})


class Prosody:
    """Prosody, with its rosters written before it starts."""

    name = "prosody"
    has_whole_profiles = False

    def __init__(self, pid: int, port: int) -> None:
        self.pids, self.xmpp_port = (pid,), port

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """In band (XEP-0077)."""
        return await register_in_band(self.xmpp_port, _PASSWORD)

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """Nothing to do: see `write_rosters`."""


class Ejabberd:
    """One ejabberd node."""

    name = "ejabberd"
    has_whole_profiles = False

    def __init__(self, pid: int, port: int) -> None:
        self.pids, self.xmpp_port, self.http_port = (pid,), port, port + 2

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


class Stub:
    """Canned answers."""

    name = "stub"
    has_whole_profiles = True

    def __init__(self, pid: int, port: int) -> None:
        self.pids, self.xmpp_port = (pid,), port

    async def registrar(self) -> Callable[[str], Awaitable[Account]]:
        """Whoever signs in is known."""

        async def one(username: str) -> Account:
            return Account(username, _PASSWORD)

        return one

    async def befriend(self, hub: Account, contacts: Sequence[Account]) -> None:
        """Nothing to do: whoever announces its capabilities gets every profile."""


# --------------------------------------------------------------------------------------------------------------- start


@asynccontextmanager
async def heliograph(folder: Path, *, has_archive: bool = False) -> AsyncIterator[Heliograph]:
    """A node; `has_archive` is whether messages are archived (XEP-0313), as they are where nothing is said."""
    port = _free_ports()
    environment = {
        **os.environ,
        "HELIOGRAPH_DATA_DIR": str(folder / "data"),
        "HELIOGRAPH_XMPP_PORT": str(port),
        "HELIOGRAPH_XMPPS_PORT": str(port + 1),
        "HELIOGRAPH_HTTP_PORT": str(port + 2),
        "HELIOGRAPH_METRICS_HOST": HOST,
        "HELIOGRAPH_METRICS_PORT": str(port + 3),
        "HELIOGRAPH_XMPP_REQUIRES_TLS": "false",
        "HELIOGRAPH_LOG_LEVEL": "warning",
        **({} if has_archive else {"HELIOGRAPH_ARCHIVE_DAYS": "0"}),
    }
    known = folder / "app.json"
    if not known.exists():
        known.write_bytes(await new_app(environment))
    made: dict[str, Any] = json.loads(known.read_text())
    command = (sys.executable, "-m", "heliograph.cli", "serve")
    async with _process(command, environment, port) as pid:
        yield Heliograph(pid, port, made["keys"])


async def new_app(environment: Mapping[str, str]) -> bytes:
    """Make the app of the benchmarks where the settings of that environment say; what the command printed of it."""
    create = ("app", "create", "bench", "--json", "--contacts", "open")
    making = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "heliograph.cli", *create, env=environment, stdout=asyncio.subprocess.PIPE
    )
    return (await making.communicate())[0]


@asynccontextmanager
async def stub(_folder: Path, fans: Sequence[int] = (), *, has_archive: bool = False) -> AsyncIterator[Stub]:  # noqa: ARG001
    """The stub."""
    port = _free_ports()
    command = (sys.executable, str(_PEERS.parent / "stub.py"), str(port))
    async with _process(command, dict(os.environ), port) as pid:
        yield Stub(pid, port)


@asynccontextmanager
async def prosody(
    folder: Path, *, fans: Sequence[int] = (), has_archive: bool = False, rounds: int = 10_000
) -> AsyncIterator[Prosody]:
    """Debian's Prosody with a configuration of its own.

    Args:
        folder: where it keeps everything.
        fans: so many contacts have the hubs whose rosters are written, see `workloads.fan_out`.
        has_archive: whether it archives messages.
        rounds: of PBKDF2; its default.
    """
    config, port = folder / "prosody.cfg.lua", _free_ports()
    _certificate(folder)
    archive = '"mam";' if has_archive else ""
    _fill("prosody.cfg.lua", config, DIR=folder, PORT=port, TLS_PORT=port + 1, ARCHIVE=archive, ROUNDS=rounds)
    for size in fans:
        _write_rosters(folder / "data/localhost/roster", size)
    command = (shutil.which("prosody") or "prosody", "-F", "--config", str(config))
    async with _process(command, dict(os.environ), port) as pid:
        yield Prosody(pid, port)


def _write_rosters(folder: Path, size: int) -> None:
    """The rosters of a hub and its contacts, named as `workloads.fan_out` names them."""
    folder.mkdir(parents=True, exist_ok=True)
    hub, contacts = f"hub{size}-0", [f"fan{size}-{number}" for number in range(size)]
    for owner, others in ((hub, contacts), *((contact, [hub]) for contact in contacts)):
        items = "".join(f'["{other}@{DOMAIN}"]={{subscription="both";groups={{}};}};' for other in others)
        name = owner.replace("-", "%2d")
        (folder / f"{name}.dat").write_text(f"return {{{items}[false]={{version=1;pending={{}};}};}};")


@asynccontextmanager
async def ejabberd(folder: Path, *, has_archive: bool = False) -> AsyncIterator[Ejabberd]:
    """Debian's ejabberd as a node of its own."""
    _certificate(folder)
    port = _free_ports()
    archive = "mod_mam: {default: always, assume_mam_usage: true}" if has_archive else ""
    ports = {"PORT": port, "TLS_PORT": port + 1, "HTTP_PORT": port + 2}
    _fill("ejabberd.yml", folder / "ejabberd.yml", DIR=folder, ARCHIVE=archive, **ports)
    # As the current user: switching to ejabberd's own would lower the number of open files to 1,024.
    (folder / "ejabberdctl.cfg").write_text(
        f"EXEC_CMD=as_current_user\nERLANG_NODE=bench{port}@localhost\nINET_DIST_INTERFACE=127.0.0.1\n"
    )
    for part in ("spool", "log"):
        (folder / part).mkdir(exist_ok=True)
    control = (
        *(shutil.which("ejabberdctl") or "ejabberdctl", "--config-dir", str(folder)),
        *("--ctl-config", f"{folder}/ejabberdctl.cfg", "--config", f"{folder}/ejabberd.yml"),
        *("--spool", f"{folder}/spool", "--logs", f"{folder}/log"),
    )
    async with _process((*control, "foreground"), dict(os.environ), port) as pid:
        yield Ejabberd(pid, port)
        null = asyncio.subprocess.DEVNULL
        stopping = await asyncio.create_subprocess_exec(*control, "stop", stdout=null, stderr=null)
        async with asyncio.timeout(30):
            await stopping.wait()


def _free_ports() -> int:
    """The first of four free ports in a row, below those that clients get."""
    while True:
        first = random.randrange(15000, 32000, 4)
        try:
            for port in range(first, first + 4):
                with socket.socket() as each:
                    each.bind((HOST, port))
        except OSError:
            continue
        return first


def _certificate(folder: Path) -> None:
    """A certificate of no authority that matters: the generator takes any."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)  # ejabberd sets timers by it, of 7 to 49 days at most
    issued = trustme.CA().issue_cert(DOMAIN, not_after=soon)
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "tls.pem"))


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
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:  # it does not stop by itself
            process.kill()
            await process.wait()
