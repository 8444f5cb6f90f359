"""`heliograph qr login` and `heliograph qr approve`, as two terminals of two people would run them."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from heliograph import SDK
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.node import Node
from patience import PATIENCE_S


class Terminal:
    """A command that runs, what it says, and what is typed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, pattern: str) -> str:
        """Wait until it has said something; gives the first group."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while (found := re.search(pattern, self.said)) is None:
                chunk = await self.process.stdout.read(65_536)
                assert chunk, self.said
                self.said += chunk.decode()
        return found[1] if found.re.groups else found[0]

    async def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()


@asynccontextmanager
async def terminal(node: Node, key: str, *arguments: str) -> AsyncIterator[Terminal]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "heliograph.cli", "qr", *arguments),
        *("--url", node.public_url, "--key", key, "--ca-file", str(node.certificate_file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Terminal(process)
        async with asyncio.timeout(PATIENCE_S):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_one_terminal_shows_a_code_and_another_one_answers(
    node: Node, known: NewApp, phone: SDK, answer: str
) -> None:
    key = known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX]
    password = (await phone.register("ada")).data.password
    async with terminal(node, key, "login") as asking:
        typed = await asking.says(r"\n([A-Z]{4}-[A-Z]{4})\n")
        async with terminal(node, key, "approve", typed, "--username", "ada", "--password", password) as approving:
            await approving.says("the same network as this device")
            await approving.says("Type yes or no: ")
            await approving.type(answer)
            if answer == "yes":
                code = await approving.says(r"on the other device: (\d\d)")
                await asking.says(r"You are about to be signed in as ada")
                await asking.type(code)
                await asking.says(r"Signed in as ada@sandbox.localhost, session ses_")
            else:
                await approving.says("access_denied: The user said no")
                await asking.says("access_denied: ")
    assert {asking.process.returncode, approving.process.returncode} == {0 if answer == "yes" else 1}
