"""A node for the conversation scripts, and what they say at the end: a list of what was shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

import bugs
from halls import Hall, open_hall
from places import Place, running
from wires import Client

SCRIPT_TEST = "test_conversation["


@pytest.fixture(scope="module")
async def running_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    addresses = {"admin_addresses": ["mailto:admin@chat.example"], "abuse_addresses": ["mailto:abuse@chat.example"]}
    async with running(tmp_path_factory.mktemp("node"), **addresses) as place:
        yield place


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """A node for machines, which are not asynchronous."""
    with open_hall(tmp_path_factory.mktemp("node")) as opened:
        yield opened


@pytest.fixture
async def place(running_place: Place) -> AsyncIterator[Place]:
    """The module's node; the sockets of a test are closed behind it."""
    yield running_place
    running_place.hang_up()


@pytest.fixture
async def join(place: Place) -> Callable[[str], Awaitable[Client]]:
    """Makes present clients of new users."""

    async def make(name: str) -> Client:
        client = await place.sign_in(await place.register(place.name(name)))
        await client.send("<presence/>")
        await client.so_far()
        return client

    return make


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """No conversation may make the server log an error."""
    with bugs.no_bugs(caplog) as lines:
        yield lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the scripts by folder, and count them."""
    stats = terminalreporter.stats
    passed, failed = (
        sorted(report.nodeid.partition("[")[2][:-1] for report in stats.get(kind, []) if SCRIPT_TEST in report.nodeid)
        for kind in ("passed", "failed")
    )
    if not passed and not failed:
        return
    terminalreporter.write_sep("-", "conversation scripts, each whole and byte by byte")
    for name in passed:
        terminalreporter.write_line(f"passed  {name}")
    for name in failed:
        terminalreporter.write_line(f"FAILED  {name}")
    terminalreporter.write_line(f"conformance: {len(passed)} passed, {len(failed)} failed")
