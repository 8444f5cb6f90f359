"""A running node, and clients of other makes that run against it as programs of their own."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import needs
from heliograph.node import WEBSOCKET_PATH
from patience import PATIENCE_S
from places import Place, running
from wires import Account, Client

HERE = Path(__file__).parent


@dataclass
class Program:
    """A client that runs as a program and tells what it sees, a line for each thing."""

    process: Process

    async def line(self) -> str:
        """The next line that it prints.

        Raises:
            AssertionError: it has ended; with what it wrote to its standard error.
        """
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            text = (await self.process.stdout.readline()).decode()
        if not text:
            assert self.process.stderr is not None
            raise AssertionError((await self.process.stderr.read()).decode())
        return text.rstrip("\n")

    async def tells(self, pattern: str) -> re.Match[str]:
        """Read on to a line that is of the pattern as a whole."""
        seen: list[str] = []
        while True:
            try:
                seen.append(await self.line())
            except TimeoutError:
                raise AssertionError(f"{pattern!r} was not told, but {seen}") from None
            if found := re.fullmatch(pattern, seen[-1]):
                return found

    async def says(self, text: str) -> None:
        """Give it a line to read."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def ends(self) -> tuple[int | None, str]:
        """Wait for its end: the exit status, and what it wrote to its standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            _, errors = await self.process.communicate()
        return self.process.returncode, errors.decode()

    async def stop(self) -> None:
        """End it, if it runs."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


@pytest.fixture(scope="module")
async def running_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with running(tmp_path_factory.mktemp("node")) as place:
        yield place


@pytest.fixture
async def place(running_place: Place) -> AsyncIterator[Place]:
    """The module's node; the sockets of a test are closed behind it."""
    yield running_place
    running_place.hang_up()


@pytest.fixture
async def run() -> AsyncIterator[Callable[..., Awaitable[Program]]]:
    """Runs programs, until the test is over."""
    programs: list[Program] = []

    async def start(*command: str | Path, **environment: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environment}, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        programs.append(Program(process))
        return programs[-1]

    yield start
    for program in programs:
        await program.stop()


@dataclass
class Friends:
    """Ada, whose client is of another make, and Bob, whose client is the test's own; they are contacts."""

    place: Place
    ada: Account
    bob: Client

    async def rename_bob(self, name: str) -> None:
        """Give Bob's profile a name, as the app's backend would."""
        await self.place.call("PATCH", "/profile", self.bob.account, {"nickName": name})

    async def heard_by_bob(self) -> str:
        """The next text that comes to Bob; not the word before it that somebody is typing (XEP-0085)."""
        while True:
            heard = await self.bob.gets("message", type="chat")
            body = heard.element.findtext("{jabber:client}body")
            if body is not None:
                return body

    async def bob_says(self, text: str) -> None:
        """Let Bob say something to Ada."""
        await self.bob.send(f"<message to='{self.ada.jid}' type='chat'><body>{text}</body></message>")

    @property
    def websocket(self) -> str:
        return self.place.node.public_url.replace("http", "ws", 1) + WEBSOCKET_PATH


@pytest.fixture
async def friends(place: Place) -> Friends:
    bob = await place.sign_in(await place.register(place.name("bob")))
    await place.call("PATCH", "/profile", bob.account, {"nickName": "Bob"})
    ada = await place.register(place.name("ada"))
    await place.call("PATCH", "/profile", ada, {"nickName": "Ada"})
    await place.call("PUT", f"/contacts/{bob.account.username}", ada)
    await bob.send("<presence/>")
    await bob.so_far()
    return Friends(place, ada, bob)


@pytest.fixture(scope="session")
def node_js() -> str:
    """The program that runs JavaScript."""
    needs.npm_client("strophe.js")  # which comes with the others
    return needs.program("node")


@pytest.fixture
def program_of(place: Place, run: Callable[..., Awaitable[Program]], node_js: str) -> Callable[..., Awaitable[Program]]:
    """Runs a program of the folder `programs` for an account, with the address at which it is to sign in."""

    async def start(account: Account, name: str, service: str) -> Program:
        return await run(
            node_js,
            HERE / "programs" / f"{name}.mjs",
            NODE_EXTRA_CA_CERTS=str(place.node.certificate_file),
            XMPP_JID=account.jid,
            XMPP_PASSWORD=account.password,
            XMPP_SERVICE=service,
        )

    return start
