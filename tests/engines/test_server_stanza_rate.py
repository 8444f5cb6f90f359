"""How much a client may send: one that sends more has to wait, and is at last disconnected; nobody else notices."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from typing import Any

import pytest
from websockets.asyncio.client import connect

from heliograph.core import limits
from heliograph.engines.embedded.allowance import Allowance

PING = "<iq type='get' id='{}'><ping xmlns='urn:xmpp:ping'/></iq>"
PRESENCE = "<presence/>"


def test_an_allowance_fills_up_at_its_rate_and_no_further_than_its_burst() -> None:
    allowance = Allowance.full(10.0, 50.0, now=100.0)
    assert allowance.take(50, now=100.0) == 0
    assert allowance.refill(100.0) == 50
    assert allowance.take(5, now=100.0) == pytest.approx(0.5)
    assert allowance.take(0, now=100.5) == 0
    assert allowance.left == pytest.approx(0)
    assert allowance.refill(1000.0) == 0
    assert allowance.left == 50


async def signed_in(place: Any, name: str) -> Any:
    return await place.sign_in(await place.register(name))


async def test_who_floods_waits_and_loses_nothing_while_others_are_served(start: Any) -> None:
    place = await start(stanzas_per_s=100)
    flooder, other = await signed_in(place, "ada"), await signed_in(place, "bob")
    began = time.monotonic()
    await flooder.send(*(PING.format(number) for number in range(700)))
    asked = 0
    answers: list[str | None] = []
    while len(answers) < 700:
        answers.append((await flooder.next()).get("id"))
        if len(answers) % 100 == 0:
            assert await other.so_far() == []
            asked += 1
    assert answers == [str(number) for number in range(700)]
    assert asked == 7
    await flooder.so_far()  # what comes next has to wait for the pause
    assert time.monotonic() - began > 1.5


async def test_large_stanzas_count_for_more(start: Any) -> None:
    place = await start(stanzas_per_s=10)
    flooder = await signed_in(place, "ada")
    began = time.monotonic()
    await flooder.send(f"<message to='nobody@{flooder.host}' type='headline'><body>{'x' * 60_000}</body></message>")
    await flooder.so_far()
    await flooder.so_far()
    assert time.monotonic() - began > 0.5


async def test_who_never_stops_is_disconnected(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STANZAS_PAUSES_MAX_S", 0.5)
    place = await start(stanzas_per_s=10)
    flooder, other = await signed_in(place, "ada"), await signed_in(place, "bob")

    async def flood() -> None:
        while True:
            await flooder.send(PRESENCE * 100)

    flooding = asyncio.create_task(flood())
    try:
        text = await flooder.end()
    finally:
        flooding.cancel()
    assert "<policy-violation" in text
    assert await other.so_far() == []


async def test_the_connections_of_a_user_share_what_the_user_may_send(start: Any) -> None:
    place = await start(stanzas_per_s=100)
    account = await place.register("ada")
    devices = [await place.sign_in(account, f"r{number}") for number in range(4)]
    began = time.monotonic()
    for device in devices:
        await device.send(*(PING.format(number) for number in range(600)))
    for device in devices:
        await device.gets("iq", id="599")
    await devices[-1].so_far()
    # What it has sent itself is worth 1.5 s more than its burst; what all have sent, 3.5 s more than the user's.
    assert time.monotonic() - began > 2.5


async def test_a_websocket_waits_too(start: Any) -> None:
    place = await start(stanzas_per_s=50)
    account = await place.register("ada")
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    async with connect(url, subprotocols=["xmpp"]) as socket:  # type: ignore[list-item]
        await websocket_sign_in(socket, account)
        began = time.monotonic()
        for number in range(400):
            await socket.send(f"<iq xmlns='jabber:client' type='get' id='{number}'><ping xmlns='urn:xmpp:ping'/></iq>")
        while "id='399'" not in str(await socket.recv()):
            pass
        assert time.monotonic() - began > 2


async def websocket_sign_in(socket: Any, account: Any) -> None:
    """Over RFC 7395, with PLAIN."""
    host = account.jid.partition("@")[2]
    opening = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{host}' version='1.0'/>"
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    await socket.send(opening)
    while "features" not in str(await socket.recv()):
        pass
    await socket.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
    assert "<success" in str(await socket.recv())
    await socket.send(opening)
    while "features" not in str(await socket.recv()):
        pass
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    await socket.send(f"<iq xmlns='jabber:client' type='set' id='bind'>{bind}</iq>")
    assert "<jid>" in str(await socket.recv())
