"""What a hostile or a broken client can cost: its own stream, and never the others' (RFC 6120, section 13.12)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect

from patience import PATIENCE_S

log = logging.getLogger(__name__)

NS_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
KIB = 1024


@asynccontextmanager
async def served_meanwhile(client: Any) -> AsyncIterator[None]:
    """Another client is answered all the time, before the event loop, which is the node's as well, has worked for
    a second. The clock would tell of other processes, too.
    """
    answered = asyncio.Event()
    slowest_ms = 0.0

    async def ask() -> None:
        nonlocal slowest_ms
        while True:
            began = time.thread_time()
            await client.so_far()
            slowest_ms = max(slowest_ms, (time.thread_time() - began) * 1000)
            answered.set()

    asking = asyncio.create_task(ask())
    try:
        yield
        answered.clear()
        async with asyncio.timeout(PATIENCE_S):
            await answered.wait()
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
    log.info("the slowest answer meanwhile took %.1f ms", slowest_ms)
    assert slowest_ms < 1000


async def poured(wire: Any, data: str, piece_bytes: int = 64 * KIB) -> None:
    """Send in pieces, until all is sent or the server has had enough."""
    encoded = data.encode()
    with contextlib.suppress(ConnectionError):
        for at in range(0, len(encoded), piece_bytes):
            await wire.send(encoded[at : at + piece_bytes])
            await asyncio.sleep(0)  # let the server take each piece on its own


def is_ended_with(text: str, condition: str) -> bool:
    return f"<stream:error><{condition} xmlns='{NS_ERRORS}'/>" in text and text.endswith("</stream:stream>")


@pytest.mark.parametrize(
    ("attack", "piece_bytes", "condition"),
    [
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>", 64, "not-well-formed"),  # not inside a document
        ("<message><!-- --></message>", 64, "restricted-xml"),
        ("<message><?php?></message>", 64, "restricted-xml"),
        ("<message><body>&lol9;</body></message>", 64, "restricted-xml"),
        ("<message><body>\ufffe</body></message>", 64, "not-well-formed"),
        ("<message>" + "<a>" * 10_000, 64 * KIB, "policy-violation"),
        ("<message>" + "<a/>" * 5_000, 64 * KIB, "policy-violation"),
        ("<message a='" + "x" * 80 * KIB + "'/>", 64, "policy-violation"),
        ("<message a='" + ">" * 80 * KIB + "'/>", 64, "policy-violation"),
        ("<message><body>" + "x" * 80 * KIB, 1_000, "policy-violation"),
        ("<message><body>" + "&gt;" * 20 * KIB, 1_000, "policy-violation"),
        ("<" + "x" * 80 * KIB, 1_000, "policy-violation"),
        ("</message>", 64, "not-well-formed"),
        ("<x:message/>", 64, "bad-namespace-prefix"),
        ("<message to='a' to='b'/>", 64, "not-well-formed"),
        ("<message>\0</message>", 64, "not-well-formed"),
    ],
    ids=[
        "DTD",
        "comment",
        "processing instruction",
        "entity",
        "no character",
        "nesting",
        "elements",
        "attribute in pieces",
        "attribute of brackets in pieces",
        "text",
        "references",
        "name",
        "wrong end",
        "no prefix",
        "attribute twice",
        "zero byte",
    ],
)
async def test_an_attack_on_the_parser_ends_its_stream_and_no_other(
    join: Any, attack: str, piece_bytes: int, condition: str
) -> None:
    eve, bob = await join("eve"), await join("bob")
    async with served_meanwhile(bob):
        await poured(eve.wire, attack, piece_bytes)
        assert is_ended_with(await eve.end(), condition)


async def test_who_is_still_sending_hears_the_farewell_and_no_reset(place: Any) -> None:
    """A socket that is closed with bytes unread is reset, and a reset can overtake what was said before it."""
    wire = await place.dial(is_direct_tls=False)
    await wire.send("<stream:stream " + "x" * 4_000_000)
    while await wire.read():
        pass
    assert is_ended_with(wire.heard, "policy-violation")


async def chatter(client: Any) -> None:
    """Send for ever, whatever the server says."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await client.send(" " * 1_000)
            await asyncio.sleep(0)


async def test_who_goes_on_sending_is_cut_off(place: Any, join: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place.node.engine._closing, "_length_s", 0.2)
    ada = await join()
    await ada.send("</stream:stream>")
    with pytest.raises(ConnectionError):
        await chatter(ada)


@pytest.mark.parametrize(
    ("attack", "condition"),
    [
        ("<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;'>]><stream:stream>", "restricted-xml"),
        ("<?xml version='1.0'?><!DOCTYPE x SYSTEM 'http://localhost/x'><x/>", "restricted-xml"),
        ("<!-- --><stream:stream>", "restricted-xml"),
        ("<?xml version='1.0' encoding='utf-16'?><x/>", "unsupported-encoding"),
        ("<stream:stream " + "x" * 20 * KIB, "policy-violation"),
    ],
)
async def test_an_attack_before_the_stream_is_open(place: Any, join: Any, attack: str, condition: str) -> None:
    bob = await join("bob")
    wire = await place.dial(is_direct_tls=False)
    async with served_meanwhile(bob):
        await poured(wire, attack, 1_000)
        assert is_ended_with(await wire.rest(), condition)


@pytest.mark.parametrize(("size", "is_fine"), [(10_000, True), (10_300, False)])
async def test_a_stranger_may_send_ten_kibibytes_at_a_time(place: Any, size: int, is_fine: bool) -> None:
    account = await place.register(place.name("ada"))
    wire = await place.open(account)
    await wire.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{'A' * size}</auth>")
    if is_fine:
        assert "<malformed-request/>" in await wire.until("</failure>")
    else:
        assert is_ended_with(await wire.rest(), "policy-violation")


async def test_a_stanza_may_have_64_kibibytes_and_no_more(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    frame = f"<message to='{bob.jid}'><body></body></message>"
    room = 64 * KIB - len(frame)
    await ada.send(f"<message to='{bob.jid}'><body>{'x' * room}</body></message>")
    got = await bob.next()
    assert len(got.element[0].text) == room
    await ada.send(f"<message to='{bob.jid}'><body>{'x' * (room + 64)}</body></message>")
    assert is_ended_with(await ada.end(), "policy-violation")
    assert [got.name for got in await bob.so_far()] == []


async def test_white_space_between_stanzas_keeps_a_stream_alive(join: Any) -> None:
    ada = await join()
    for _ in range(100):
        await ada.send(" " * 1_000 + "\n")
    assert await ada.so_far() == []


async def test_requests_that_come_faster_than_they_are_answered_all_are(join: Any) -> None:
    """Thousands of requests that need the database, in one go: reading pauses, nothing is lost or turned around."""
    ada, bob = await join("ada"), await join("bob")
    count = 1_500
    async with served_meanwhile(bob):
        await ada.send("".join(f"<iq type='get' id='{n}'><query xmlns='jabber:iq:roster'/></iq>" for n in range(count)))
        assert [(await ada.next()).get("id") for _ in range(count)] == [str(n) for n in range(count)]


# ---------------------------------------------------------------------------------------------------- slow, idle, many


async def test_who_takes_too_long_to_sign_in_is_cut_off(start: Any) -> None:
    """However far it has come by then, and however busy it keeps."""
    place = await start(authentication_timeout_s=3)
    account = await place.register("ada")
    bob = await place.sign_in(await place.register("bob"))
    strangers = {step: await place.dial(is_direct_tls=step == "TLS") for step in ("nothing", "header", "TLS", "drops")}
    strangers["signed in"] = await place.open(account)
    await strangers["header"].send("<stream:stream xmlns='jabber:client'")
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    await strangers["signed in"].send(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>"
    )
    dripping = asyncio.create_task(drip(strangers["drops"]))
    for step, wire in strangers.items():
        text = await wire.rest()
        assert is_ended_with(text, "connection-timeout"), step
        assert text.startswith("<success" if step == "signed in" else "<"), step
    await dripping
    assert await bob.so_far() == []  # who was bound in time stays


async def drip(wire: Any) -> None:
    """A byte now and then, for ever."""
    with contextlib.suppress(ConnectionError):
        while True:
            await wire.send(" ")
            await asyncio.sleep(0.05)


async def test_a_handshake_that_never_ends_is_cut_off(start: Any) -> None:
    place = await start(authentication_timeout_s=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", place.node.xmpps_port)
    writer.write(b"\x16\x03\x01\x02\x00")  # the beginning of a ClientHello
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    writer.close()


async def test_strangers_of_one_address_are_limited_and_users_are_not(start: Any, becomes: Any) -> None:
    place = await start(unauthenticated_per_address_max=3)
    account = await place.register("ada")
    clients = [await place.sign_in(account) for _ in range(5)]
    waiting = [await place.open(account) for _ in range(3)]
    refused = await place.dial(is_direct_tls=False)
    assert is_ended_with(await refused.rest(), "policy-violation")
    for wire in (refused, waiting[0]):
        wire.close()
    await becomes(lambda: place.node.engine.connections == 7)
    clients.append(await place.sign_in(account))
    for client in clients:
        await client.so_far()


async def test_a_refused_connection_takes_no_place(start: Any, becomes: Any) -> None:
    place = await start(unauthenticated_per_address_max=1)
    account = await place.register("ada")
    holder = await place.open(account)
    for _ in range(5):
        refused = await place.dial(is_direct_tls=False)
        assert is_ended_with(await refused.rest(), "policy-violation")
        refused.close()
    holder.close()
    await becomes(lambda: place.node.engine.connections == 0)
    await place.sign_in(account)


async def test_all_connections_of_one_address_are_limited(start: Any) -> None:
    place = await start(connections_per_address_max=2)
    account = await place.register("ada")
    clients = [await place.sign_in(account) for _ in range(2)]
    refused = await place.dial(is_direct_tls=False)
    assert is_ended_with(await refused.rest(), "policy-violation")
    for client in clients:
        await client.so_far()


# ------------------------------------------------------------------------------------------------------- slow receivers


async def flood(sender: Any, to: str, most_bytes: int) -> int:
    """Send chats until one comes back; how many bytes it took."""
    body = "x" * 60_000
    for sent in range(0, most_bytes, len(body)):
        await sender.send(f"<message to='{to}' type='chat'><body>{body}</body></message>")
        refused = [got for got in await sender.so_far() if got.condition == "service-unavailable"]
        if refused:
            return sent
    raise AssertionError("the receiver was never cut off")


async def test_a_client_that_never_reads_is_cut_off_and_others_go_on(start: Any) -> None:
    place = await start(pending_output_max_bytes=64 * KIB)
    sender, bob = await place.sign_in(await place.register("ada")), await place.sign_in(await place.register("bob"))
    lazy = await place.sign_in(await place.register("lazy"), "sofa")
    lazy.wire.writer.transport.pause_reading()
    async with served_meanwhile(bob):
        took = await flood(sender, lazy.jid, 64 * KIB * KIB)
    log.info("cut off after %d KiB", took // KIB)
    assert place.node.engine.router.full.keys() == {sender.jid, bob.jid}


async def test_a_browser_that_never_reads_is_cut_off_and_others_go_on(start: Any) -> None:
    place = await start(pending_output_max_bytes=64 * KIB)
    sender, bob = await place.sign_in(await place.register("ada")), await place.sign_in(await place.register("bob"))
    account = await place.register("lazy")
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    async with connect(url, subprotocols=["xmpp"], compression=None, proxy=None, max_queue=4) as lazy:  # type: ignore[list-item]
        jid = await bound_on(lazy, account)
        async with served_meanwhile(bob):
            await flood(sender, jid, 64 * KIB * KIB)
        assert place.node.engine.router.full.keys() == {sender.jid, bob.jid}
        lazy.transport.abort()


async def bound_on(lazy: Any, account: Any) -> str:
    """Sign in on a WebSocket, and read no more than that needs."""
    host = account.jid.partition("@")[2]
    opening = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{host}' version='1.0'/>"
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    for message in (
        opening,
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>",
        opening,
        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ):
        await lazy.send(message)
    while "<jid>" not in (text := await lazy.recv()):
        pass
    return str(text.partition("<jid>")[2].partition("</jid>")[0])
