"""What gets lost on the way, and what is told twice: the end of a sign-in over a network that is as networks are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from heliograph import SDK, ConnectionStatus, MessageReceived, NewSession
from heliograph.core import audit
from heliograph.node import Node

SIGNAL = [Subprotocol("heliograph-signal-1")]


@asynccontextmanager
async def breaking_at(node: Node, kind: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A way to the signal server that breaks at the first message of a kind; its URL, and the kinds of all messages."""
    told: list[str] = []

    async def pass_on(source: Any, to: Any) -> None:
        async for text in source:
            told.append(json.loads(text)["type"])
            if told[-1] == kind and told.count(kind) == 1:
                return
            await to.send(text)

    async def relay(browser: ServerConnection) -> None:
        url = node.public_url.replace("http", "ws", 1) + "/signal"
        async with connect(url, subprotocols=SIGNAL, proxy=None) as server:
            ways = [asyncio.ensure_future(pass_on(*way)) for way in ((browser, server), (server, browser))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await browser.close(server.close_code or 1011)

    async with serve(relay, "127.0.0.1", 0, subprotocols=SIGNAL) as proxy:
        yield f"ws://127.0.0.1:{next(iter(proxy.sockets)).getsockname()[1]}/signal", told


@pytest.mark.parametrize("lost", ["approved", "received"])
async def test_a_credential_or_a_receipt_that_gets_lost_comes_again(
    node: Node, new_sdk: Callable[..., Awaitable[SDK]], phone: SDK, show: Callable[..., Awaitable[Any]], lost: str
) -> None:
    browser = await new_sdk()
    async with breaking_at(node, lost) as (url, told):
        showing = await show(browser, signal_server_url=url)
        approved = await phone.approve_qr_code((await showing.code()).text, lambda _consent: True)
        await showing.typed.put(approved.data.check_code)
        response = await showing.result()
    assert told[-2:] == ["approved", "received"]
    assert (told.count("approved"), told.count("resume")) == (2, 1)
    assert browser.connection_status is ConnectionStatus.CONNECTED
    assert showing.called_back == [response]
    assert showing.states == ["scanned", "verify", "approved"]


async def test_a_new_session_is_told_once_by_the_one_who_made_it_and_by_the_trail(
    node: Node, new_sdk: Callable[..., Awaitable[SDK]], phone: SDK, show: Callable[..., Awaitable[Any]]
) -> None:
    news = phone.events()
    browser = await new_sdk()
    showing = await show(browser)
    approved = await phone.approve_qr_code((await showing.code()).text, lambda _consent: True)
    await showing.typed.put(approved.data.check_code)
    linked = (await showing.result()).data
    await audit.follow(node.ports, {})  # all of it, as another process sees it
    await browser.send_message(linked.user_jid, "I am in")
    told: list[str] = []
    async for event in news:
        if isinstance(event, NewSession):
            told.append(event.session_id)
        if isinstance(event, MessageReceived):
            break
    assert told == [linked.session_id]
