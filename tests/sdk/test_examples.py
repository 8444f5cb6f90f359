"""The examples run as they stand, against a running node."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliograph import SDK, MessageReceived
from heliograph.core import apps
from heliograph.core.apps import Environment, KeyKind
from heliograph.node import run_node
from heliograph.settings import Settings
from patience import PATIENCE_S

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
async def environment(tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The environment variables that the examples read, for a node with an app."""
    settings = Settings(data_dir=tmp_path, http_port=0, xmpp_port=0, xmpps_port=0, drain_timeout_s=1)
    async with run_node(settings) as node:
        known = await apps.create(node.ports, "Chat", "localhost", "sandbox.localhost")
        yield {
            "HELIOGRAPH_URL": node.public_url,
            "HELIOGRAPH_KEY": known.keys[KeyKind.PUBLISHABLE, Environment.SANDBOX],
            "HELIOGRAPH_SECRET_KEY": known.keys[KeyKind.SECRET, Environment.SANDBOX],
            "HELIOGRAPH_CA_FILE": str(node.certificate_file),
        }


@asynccontextmanager
async def started(environment: dict[str, str], *command: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that runs; it is gone afterwards."""
    example = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield example
    finally:
        if example.returncode is None:
            example.kill()
            await example.wait()


async def end(example: asyncio.subprocess.Process) -> str:
    """Wait for its end, which has to be a good one; what it printed since."""
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await example.communicate()
    assert (example.returncode, errors.decode()) == (0, "")
    return output.decode()


async def run(environment: dict[str, str], name: str) -> str:
    """Run an example to its end; what it printed."""
    async with started(environment, sys.executable, EXAMPLES / name) as example:
        return await end(example)


async def test_live_profile(environment: dict[str, str]) -> None:
    output = await run(environment, "live_profile.py")
    assert output == "bob's device shows ada: Ada Lovelace (At the Analytical Engine), version 1\n"


async def test_device_sessions(environment: dict[str, str]) -> None:
    lines = (await run(environment, "device_sessions.py")).splitlines()
    assert [line.partition(" since ")[0].strip() for line in lines[:3]] == ["Phone", "Laptop", "Library computer"]
    assert lines[3:] == ["The library computer was logged out: ended_by_user", "The laptop is still CONNECTED"]


async def test_backend(environment: dict[str, str]) -> None:
    lines = (await run(environment, "backend.py")).splitlines()
    assert lines[:6] == [*(f"member-{number} registered" for number in range(1, 6)), "No One identifier_invalid"]
    assert lines[6] == "member-1@sandbox.localhost gets session ses_… for its phone"
    assert lines[7:] == ["signed out everywhere: 2 sessions", "blocked: member-2"]


async def answer_of(environment: dict[str, str], bot: str) -> str:
    """What the bot answers to a user who says hello."""
    async with SDK() as sdk:
        await sdk.initialize(
            environment["HELIOGRAPH_URL"], environment["HELIOGRAPH_KEY"], ca_file=environment["HELIOGRAPH_CA_FILE"]
        )
        events = sdk.events()
        credentials = (await sdk.register("ada")).data
        await sdk.connect(credentials.username, credentials.password)
        await sdk.send_message(bot, "Hello?")
        async with asyncio.timeout(PATIENCE_S):
            async for event in events:
                if isinstance(event, MessageReceived):
                    assert event.user_id == bot
                    return event.text
    raise AssertionError("the events ended")


@pytest.mark.parametrize(
    ("shell", "number"),
    [
        ('exec "$@"', signal.SIGINT),
        ('exec "$@"', signal.SIGTERM),
        ("trap '' INT; exec \"$@\"", signal.SIGINT),  # as a script starts what it leaves in the background
    ],
    ids=["interrupted", "terminated", "interrupted in the background"],
)
async def test_echo_bot(environment: dict[str, str], shell: str, number: int) -> None:
    command = ("/bin/sh", "-c", shell, "sh", sys.executable, EXAMPLES / "echo_bot.py", "echo")
    async with started(environment, *command) as bot:
        assert bot.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while await bot.stdout.readline() != b"CONNECTED\n":
                assert not bot.stdout.at_eof()
        assert await answer_of(environment, "echo") == "Hello?"
        bot.send_signal(number)
        assert await end(bot) == "bye\n"


def test_every_example_is_tested() -> None:
    tests = [test.read_text(encoding="utf-8") for test in Path(__file__).parents[1].glob("*/test_*.py")]
    for example in EXAMPLES.glob("*.py"):
        assert any(f'"{example.name}"' in test for test in tests), example.name
