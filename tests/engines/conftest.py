"""A running node with an app, and raw clients that speak to it byte by byte over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bugs
from patience import PATIENCE_S
from places import Place, running
from wires import Client


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
def running_node() -> Callable[..., AbstractAsyncContextManager[Place]]:
    """Runs a node as long as a context lasts."""
    return running


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Place]]]:
    """Starts a node of the test's own, with settings."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Place:
            return await stack.enter_async_context(running(tmp_path, **settings))

        yield make


@pytest.fixture
async def join(place: Place) -> Callable[..., Awaitable[Client]]:
    """Makes clients of new users, that are present unless `is_present` says no."""

    async def make(name: str = "ada", resource: str | None = None, *, is_present: bool = True) -> Client:
        client = await place.sign_in(await place.register(place.name(name)), resource)
        if is_present:
            await client.send("<presence/>")
            await client.so_far()
        return client

    return make


@pytest.fixture
async def again(place: Place) -> Callable[..., Awaitable[Client]]:
    """Makes a further client of a client's user, with the same session or with one of its own."""

    async def make(
        client: Client, resource: str | None = None, *, is_present: bool = True, has_own_session: bool = False
    ) -> Client:
        account = await place.register(client.account.username) if has_own_session else client.account
        other = await place.sign_in(account, resource)
        if is_present:
            await other.send("<presence/>")
        await other.so_far()
        return other

    return make


@pytest.fixture
async def befriend(place: Place) -> Callable[..., Awaitable[None]]:
    """Makes two users contacts of each other, over the HTTP API."""

    async def make(one: Client, other: Client) -> None:
        friend = await place.call("PUT", f"/contacts/{other.account.username}", one.account)
        assert friend["state"] == "friend"

    return make


@pytest.fixture
async def pair(join: Any, befriend: Any) -> tuple[Client, Client]:
    """Ada and Bob, who are contacts and have seen each other come."""
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await bob.so_far()
    return ada, bob


@pytest.fixture
def becomes() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until something is true of the server, turn by turn of the event loop that both sides share."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - nothing in the server tells of it
                await asyncio.sleep(0)

    return wait


class Gate:
    """A store with one method whose answer, or `error`, comes when it is let through, as from a distant database."""

    def __init__(self, store: Any, method: str) -> None:
        self._store = store
        self._method = method
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.passed = asyncio.Event()
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._through(found) if name == self._method else found

    def _through(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def waiting(*arguments: Any) -> Any:
            answer = await call(*arguments)
            self.entered.set()
            await self.opened.wait()
            self.passed.set()
            if self.error is not None:
                raise self.error
            return answer

        return waiting


@pytest.fixture
def gated(place: Place) -> Callable[[str, str], AbstractContextManager[Gate]]:
    """Puts a gate before a method of a port, as long as a context lasts."""

    @contextmanager
    def gate(port: str, method: str) -> Iterator[Gate]:
        engine = place.node.engine
        ports = engine.ports
        made = Gate(getattr(ports, port), method)
        engine.ports = replace(ports, **{port: made})
        yield made
        engine.ports = ports

    return gate


@pytest.fixture
def looked_up_at_bind(place: Place) -> Callable[[Any], Awaitable[None]]:
    """Makes a user one who blocks somebody: what is known of one who blocks nobody needs no look-up at the bind."""

    async def block(account: Any) -> None:
        await place.node.ports.blocks.change(account.jid, lambda _: frozenset(("elsewhere.example",)))

    return block


@pytest.fixture(autouse=True)
def no_bugs(caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """No test may make the server log an error: that would be a bug, whatever the client was told."""
    with bugs.no_bugs(caplog) as lines:
        yield lines
