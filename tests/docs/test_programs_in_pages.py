"""The programs that the pages show run as they stand, against a running node; only ports and key are put in."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heliograph.core import accounts, apps, webhooks
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, Environment, KeyKind
from heliograph.node import run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


@dataclass
class Desk:
    """A folder with a node's data in `data`, as the reader of a page has it, and the node's address and key."""

    folder: Path
    http_port: int
    xmpps_port: int
    key: str

    def programs(self, page: str) -> list[str]:
        """The Python programs of a page, in order."""
        text = (ROOT / page).read_text(encoding="utf-8")
        text = text.replace(":8080", f":{self.http_port}").replace("5223", str(self.xmpps_port))
        return re.findall(r"```python\n(.*?)```", text.replace("hg_pk_trial_…", self.key), re.DOTALL)

    async def start(self, program: str, *arguments: str) -> asyncio.subprocess.Process:
        """Run a program."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-u", "-c", program, *arguments),
            cwd=self.folder,
            env={**os.environ, "HELIOGRAPH_KEY": self.key},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A reader's desk."""
    settings = Settings(data_dir=tmp_path / "data", http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(settings) as node:
        app = await apps.create(node.ports, "My chat", "localhost", "sandbox.localhost")
        yield Desk(tmp_path, node.http_port, node.xmpps_port, app.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX])


async def line(program: asyncio.subprocess.Process) -> str:
    """The next line that a program prints."""
    assert program.stdout is not None
    return (await asyncio.wait_for(program.stdout.readline(), PATIENCE_S)).decode().rstrip()


async def stop(program: asyncio.subprocess.Process) -> None:
    """End a program that would run on."""
    program.terminate()
    await asyncio.wait_for(program.communicate(), PATIENCE_S)


async def test_the_five_calls_of_the_readme(desk: Desk) -> None:
    [program] = desk.programs("README.md")
    ada = await desk.start(program)
    assert await line(ada) == "ada is now Ada"
    await stop(ada)


async def test_the_first_tutorial(desk: Desk) -> None:
    for_ada, for_bob = desk.programs("docs/tutorials/first-node.md")
    ada = await desk.start(for_ada)
    name, jid, password = (await line(ada)).split()
    assert (name, jid) == ("Bob:", "bob@sandbox.localhost")
    assert await line(ada) == "Ada: Login Success"
    bob = await desk.start(for_bob, jid, password)
    said, _ = await asyncio.wait_for(bob.communicate(), PATIENCE_S)
    assert said.decode().splitlines() == ["Contacts: ['ada@sandbox.localhost']", "Ada's name: Ada"]
    assert await line(ada) == "bob@sandbox.localhost says Hello from another client"
    await stop(ada)


async def test_the_receiver_of_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, webhook_networks=("127.0.0.0/8",))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with run_node(settings) as node:
        app = (await apps.create(node.ports, "My chat", "localhost", "sandbox.localhost")).app
        url = f"http://127.0.0.1:{port}/"
        webhook, secret = await webhooks.add(node.ports, app, Environment.SANDBOX, url, (), allows_private=True)
        monkeypatch.setenv("WEBHOOK_SECRET", secret)
        desk = Desk(tmp_path, 0, 0, "")
        [program] = desk.programs("docs/how-to/receive-webhooks.md")
        receiver = await desk.start(program.replace("8081", str(port)))
        await listening(port)
        monkeypatch.setenv("HELIOGRAPH_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("HELIOGRAPH_WEBHOOK_NETWORKS", "127.0.0.0/8")
        command = [Path(sys.executable).with_name("heliograph"), "webhook", "test", webhook.id]
        tried = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        assert await tried.wait() == 0
        assert (await told(receiver)).strip() == "webhook.test"
        trial = Caller(app, Environment.SANDBOX, is_backend=False)
        await accounts.register(node.ports, trial, RegisterRequest("ada"))
        assert await told(receiver) == "user.registered ada"
        assert await told(receiver) == "session.created ada"
        await stop(receiver)


async def told(receiver: asyncio.subprocess.Process) -> str:
    """The next line of a receiver that is no log line of its server."""
    while "HTTP/1.1" in (said := await line(receiver)):
        pass
    return said


async def listening(port: int) -> None:
    """Wait until somebody answers at a port of this machine."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)  # it is still starting
            else:
                writer.close()
                return
