"""Stopping a node: every stream is told, and the node leaves in time (RFC 6120, section 4.9.3.20)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from patience import PATIENCE_S

SHUTDOWN = "<system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
LONG_S, SHORT_S = 30.0, 2.0


class Life:
    """A node that runs in a task of its own, until it is told to leave."""

    def __init__(self, running: Callable[..., Any], data_dir: Path, drain_s: float) -> None:
        self._running = running
        self._data_dir = data_dir
        self._drain_s = drain_s
        self._leave = asyncio.Event()
        self._ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        async with self._running(self._data_dir, drain_timeout_s=self._drain_s) as place:
            self._ready.set_result(place)
            await self._leave.wait()
            place.leave_open()  # the clients are not to hang up by themselves

    async def place(self) -> Any:
        return await self._ready

    def leave(self) -> None:
        self._leave.set()

    async def is_over(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.task


@pytest.fixture
def drain_s() -> float:
    """How long the node waits for its clients at the most."""
    return LONG_S


@pytest.fixture
async def life(running_node: Any, tmp_path: Path, drain_s: float) -> AsyncIterator[Life]:
    made = Life(running_node, tmp_path, drain_s)
    yield made
    made.leave()
    await made.is_over()


async def opened(place: Any) -> Any:
    """A WebSocket whose stream is open."""
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    browser = await connect(url, subprotocols=["xmpp"], compression=None, proxy=None)  # type: ignore[list-item]
    await browser.send(f"<open xmlns='{NS_FRAMING}' to='sandbox.chat.localhost' version='1.0'/>")
    assert "<open " in await browser.recv()
    assert "<stream:features " in await browser.recv()
    return browser


async def told(browser: Any) -> str:
    """All that a WebSocket hears until it is closed."""
    heard = ""
    try:
        while True:
            async with asyncio.timeout(PATIENCE_S):
                heard += await browser.recv()
    except ConnectionClosed:
        return heard


async def test_every_stream_is_told_and_the_node_leaves_soon(life: Life) -> None:
    place = await life.place()
    account = await place.register("ada")
    clients = [await place.sign_in(account) for _ in range(5)]
    strangers = [await place.open(account), await place.dial(is_direct_tls=False)]
    browser = await opened(place)
    before = asyncio.all_tasks()
    life.leave()
    began = time.perf_counter()
    for client in clients:
        assert (await client.end()).endswith(f"<stream:error>{SHUTDOWN}</stream:stream>")
    for wire in strangers:
        assert (await wire.rest()).endswith(f"<stream:error>{SHUTDOWN}</stream:stream>")
        wire.close()
    assert (await told(browser)).endswith(f"{SHUTDOWN}<close xmlns='{NS_FRAMING}'/>")
    await life.is_over()
    assert time.perf_counter() - began < LONG_S
    assert asyncio.all_tasks() - {asyncio.current_task()} <= before
    for port in (place.node.xmpp_port, place.node.xmpps_port, place.node.http_port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("drain_s", [SHORT_S])
async def test_clients_that_neither_read_nor_leave_hold_the_node_no_longer_than_it_drains(life: Life) -> None:
    place = await life.place()
    lazy, sender = (
        await place.sign_in(await place.register("lazy"), "sofa"),
        await place.sign_in(await place.register("ada")),
    )
    deaf = await place.dial(is_direct_tls=False)
    lazy.wire.writer.transport.pause_reading()
    deaf.writer.transport.pause_reading()
    for _ in range(100):
        await sender.send(f"<message to='{lazy.jid}' type='chat'><body>{'x' * 60_000}</body></message>")
    await sender.so_far()
    life.leave()
    began = time.perf_counter()
    await sender.end()
    await life.is_over()
    assert time.perf_counter() - began < LONG_S


async def test_who_comes_while_the_node_stops_is_told_at_once(life: Life) -> None:
    place = await life.place()
    account = await place.register("ada")
    client = await place.sign_in(account)
    stays = await place.dial(is_direct_tls=False)  # holds the node for as long as it may linger
    life.leave()
    await client.end()
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    async with connect(url, subprotocols=["xmpp"], compression=None, proxy=None) as browser:  # type: ignore[list-item]
        assert SHUTDOWN in await told(browser)
    stays.close()


async def test_a_node_starts_again_where_it_stopped(running_node: Any, tmp_path: Path) -> None:
    async with running_node(tmp_path) as place:
        account = await place.register("ada")
        await place.sign_in(account)
    async with running_node(tmp_path, is_new=False) as place:
        client = await place.sign_in(account)
        assert client.jid.startswith(account.jid)
