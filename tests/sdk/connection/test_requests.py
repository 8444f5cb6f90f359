"""What a client answers, and whose answers it takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.errors import (
    NotConnected,
    TimedOut,
)
from heliograph.sdk.events import FriendsListUpdate
from heliograph.sdk.states import Trigger
from heliograph.sdk.stream import Credentials

ADA = Credentials("ada", "chat.test", "secret")


async def test_disco_and_ping_are_answered(peer: Any) -> None:
    disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    peer.say(f"<iq type='get' id='d1' from='bob@chat.test/pc' to='ada@chat.test/r1'>{disco}</iq>")
    answer = await peer.until("</iq>")
    assert "type='result' id='d1'" in answer
    assert "to='bob@chat.test/pc'" in answer
    assert "urn:xmpp:vcard4+notify" in answer
    assert "category='client'" in answer
    peer.say("<iq type='get' id='p1' from='chat.test'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert "type='result' id='p1'" in await peer.until("/>")


async def test_the_announced_hash_is_that_of_the_answer(peer: Any) -> None:
    presence = next(text for text in peer.heard if "<presence>" in text)
    ver = presence.partition("ver='")[2].partition("'")[0]
    node = f"urn:heliograph:sdk:python#{ver}"
    peer.say(f"<iq type='get' id='d1'><query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/></iq>")
    assert f"node='{node}'" in await peer.until("</iq>")
    peer.say("<iq type='get' id='d2'><query xmlns='http://jabber.org/protocol/disco#info' node='other'/></iq>")
    assert "item-not-found" in await peer.until("</iq>")


@pytest.mark.parametrize(
    ("request_xml", "condition"),
    [
        ("<iq type='get' id='x'><query xmlns='jabber:iq:private'/></iq>", "service-unavailable"),
        ("<iq type='set' id='x'><ping xmlns='urn:xmpp:ping'/></iq>", "service-unavailable"),
        ("<iq type='get' id='x'/>", "bad-request"),
    ],
)
async def test_a_request_that_is_not_understood_is_refused(peer: Any, request_xml: str, condition: str) -> None:
    peer.say(request_xml)
    answer = await peer.until("</iq>")
    assert "type='error' id='x'" in answer
    assert condition in answer


async def test_a_roster_push_is_told_and_answered(peer: Any, client: Any) -> None:
    item = "<item jid='bob@chat.test' subscription='remove'/>"
    peer.say(f"<iq type='set' id='r1' to='ada@chat.test/r1'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    assert "type='result' id='r1'" in await peer.until("/>")
    assert client.events[-1] == FriendsListUpdate(user_id="bob", user_jid="bob@chat.test", state="removed")


async def test_a_roster_push_of_a_stranger_is_refused(peer: Any, client: Any) -> None:
    item = "<item jid='eve@chat.test' subscription='both'/>"
    push = f"<query xmlns='jabber:iq:roster'>{item}</query>"
    peer.say(f"<iq type='set' id='r1' from='eve@chat.test/pc'>{push}</iq>")
    assert "service-unavailable" in await peer.until("</iq>")
    assert client.statuses == ["CONNECTING", "CONNECTED"]
    assert len(client.events) == 2


async def test_an_answer_of_anyone_but_the_asked_is_not_taken(server: Any, new_client: Any) -> None:
    await server.listen()

    async def forge(peer: Any) -> None:
        await peer.sign_in()
        await peer.until("</presence>")
        await peer.until("</iq>")
        for number in (1, 2, 3):
            peer.say(f"<iq type='result' id='h{number}' from='eve@chat.test/pc'/>")

    server.parts = [forge]
    client = new_client(attempt_timeout_s=0.5)
    with pytest.raises(TimedOut):
        await client.connection.connect(ADA)


async def test_sending_needs_a_connection(server: Any, client: Any) -> None:
    with pytest.raises(NotConnected):
        await client.connection.send(b"<message/>")
    await client.connection.connect(ADA)
    await client.connection.send(b"<message id='m1'/>")
    peer = await server.peers.get()
    await peer.until("<message id='m1'/>")
    await client.connection.stop(Trigger.CLOSE)
    with pytest.raises(NotConnected):
        await client.connection.send(b"<message/>")


async def test_a_sender_waits_for_a_server_that_does_not_take_more(peer: Any, client: Any) -> None:
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
    sent = 0

    async def flood() -> None:
        nonlocal sent
        while True:
            await client.connection.send(b"<message><body>%b</body></message>" % (b"x" * 50_000))
            sent += 1

    flooding = asyncio.ensure_future(flood())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.shield(flooding)
    assert 0 < sent < 2000, "a bounded amount waits"
    peer.writer.transport.abort()
    with pytest.raises(NotConnected):
        await flooding
