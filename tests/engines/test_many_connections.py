"""Many connections at once: the server, a process of its own, still answers promptly, and tells all when it stops.

2,000 connections by default. HELIOGRAPH_CONNECTIONS says how many; 10,000 is what is promised.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import resource
import secrets
import signal
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

log = logging.getLogger(__name__)

COUNT = int(os.environ.get("HELIOGRAPH_CONNECTIONS", "2000"))
SPARE_FILES = 200
AT_ONCE = 100
PER_ACCOUNT = 50
LOGIN_MAX_S = 5.0
PATIENCE_S = 600.0
HOST = "sandbox.localhost"
HEADER = (
    f"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{HOST}' version='1.0'>"
)
NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
NODE = """
import asyncio, json, signal, sys
from pathlib import Path
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind, Policy
from heliograph.node import run_node
from heliograph.settings import Settings
from heliograph.system.logs import configure_logs

async def main(folder):
    configure_logs("warning", "text")
    settings = Settings(data_dir=folder, http_port=0, xmpp_port=0, xmpps_port=0, xmpp_requires_tls=False)
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    async with run_node(settings) as node:
        made = await apps.create(node.ports, "Chat", "localhost", policy=Policy(sandbox_max_users=1000))
        key = made.keys[KeyKind.SECRET, Environment.SANDBOX]
        print(json.dumps([node.public_url, node.xmpp_port, key]), flush=True)
        await leave.wait()

asyncio.run(main(Path(sys.argv[1])))
"""

Made = TypeVar("Made")


async def in_turn(jobs: Iterable[Awaitable[Made]]) -> list[Made]:
    """Do many things, some of them at the same time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(job: Awaitable[Made]) -> Made:
        async with turns:
            return await job

    return await asyncio.gather(*map(one, jobs))


def base64(data: bytes) -> str:
    return b64encode(data).decode()


@dataclass
class Account:
    """A user whose key is derived once, for all of its connections."""

    username: str
    password: str
    _salted: dict[tuple[bytes, int], bytes] = field(default_factory=dict)

    def prove(self, first: str, challenge: str) -> str:
        """The client's final message of SCRAM-SHA-256 (RFC 5802, section 3)."""
        facts = dict(part.split("=", 1) for part in challenge.split(","))
        salt, iterations = b64decode(facts["s"]), int(facts["i"])
        if (salt, iterations) not in self._salted:
            self._salted[salt, iterations] = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, iterations)
        client_key = hmac.digest(self._salted[salt, iterations], b"Client Key", "sha256")
        final = f"c=biws,r={facts['r']}"
        signed = hmac.digest(hashlib.sha256(client_key).digest(), f"{first},{challenge},{final}".encode(), "sha256")
        return f"{final},p={base64(bytes(a ^ b for a, b in zip(client_key, signed, strict=True)))}"


class Line:
    """A signed-in connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.jid = ""

    @classmethod
    async def open(cls, port: int, account: Account) -> Line:
        """Connect, prove the password, bind."""
        line = cls(*await asyncio.open_connection("127.0.0.1", port))
        first = f"n={account.username},r={secrets.token_hex(12)}"
        auth = f"<auth xmlns='{NS_SASL}' mechanism='SCRAM-SHA-256'>{base64(f'n,,{first}'.encode())}</auth>"
        line.say(HEADER + auth)
        challenge = (await line.hear("</challenge>")).rpartition("<challenge")[2].split(">")[1].split("<")[0]
        final = account.prove(first, b64decode(challenge).decode())
        bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        line.say(f"<response xmlns='{NS_SASL}'>{base64(final.encode())}</response>{HEADER}{bind}")
        line.jid = (await line.hear("</jid>")).rpartition("<jid>")[2].partition("<")[0]
        await line.hear("</iq>")
        return line

    def say(self, text: str) -> None:
        self._writer.write(text.encode())

    async def hear(self, token: str) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self._reader.readuntil(token.encode())).decode()

    async def rest(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            text = (await self._reader.read()).decode()
        self._writer.close()
        return text


@dataclass
class Server:
    """A node in a process of its own."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient
    port: int

    async def register(self, username: str) -> Account:
        answer = await self.http.post("/api/v1/register", json={"userIdentifier": username})
        return Account(username, answer.json()["data"]["password"])

    def memory_mib(self) -> float:
        """What it holds in memory, where the system tells."""
        status = Path(f"/proc/{self.process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NODE, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        url, port, key = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
        async with httpx.AsyncClient(base_url=url, headers={"Heliograph-Key": key}, timeout=PATIENCE_S) as http:
            yield Server(process, http, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_with_thousands_connected_a_login_is_prompt_and_all_are_reached(server: Server) -> None:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    count = min(COUNT, allowed - SPARE_FILES)
    accounts = await in_turn(server.register(f"user-{number}") for number in range(1 + count // PER_ACCOUNT))
    empty_mib = server.memory_mib()
    began = time.perf_counter()
    lines = await in_turn(Line.open(server.port, accounts[number // PER_ACCOUNT]) for number in range(count))
    took_s = time.perf_counter() - began
    each_kib = (server.memory_mib() - empty_mib) * 1024 / count
    log.info("%d connections in %.1f s, %.1f KiB each", count, took_s, each_kib)

    logins = []
    for _ in range(20):
        began = time.perf_counter()
        lines.append(await Line.open(server.port, accounts[-1]))
        logins.append(time.perf_counter() - began)
    logins.sort()
    log.info("a login takes %.1f ms, the slowest of 20 %.1f ms", logins[10] * 1000, logins[-1] * 1000)
    assert logins[10] < LOGIN_MAX_S

    began = time.perf_counter()
    for number, line in enumerate(lines):
        lines[-1].say(f"<message to='{line.jid}' id='m{number}'/>")
    for number, line in enumerate(lines):
        assert f" id='m{number}' from='{lines[-1].jid}'/>" in await line.hear(f"from='{lines[-1].jid}'/>")
    log.info("a message to each of them in %.2f s", time.perf_counter() - began)

    began = time.perf_counter()
    server.process.send_signal(signal.SIGTERM)
    for text in await asyncio.gather(*(line.rest() for line in lines)):
        assert "<system-shutdown " in text
        assert text.endswith("</stream:stream>")
    assert await asyncio.wait_for(server.process.wait(), PATIENCE_S) == 0
    log.info("all were told, and the server left after %.2f s", time.perf_counter() - began)
