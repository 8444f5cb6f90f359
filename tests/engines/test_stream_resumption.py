"""Streams that outlive their connection (XEP-0198), over TCP and WebSocket."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from typing import Any

import pytest
from websockets.asyncio.client import connect

from heliograph.core import limits
from patience import PATIENCE_S

NS = "xmlns='urn:xmpp:sm:3'"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    " to='{host}' version='1.0'>"
)
ITEM_NOT_FOUND = "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
UNEXPECTED = "<unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"


async def enable(client: Any, attributes: str = "resume='true'") -> str:
    """Have a client's stream managed; its id."""
    await client.send(f"<enable {NS} {attributes}/>")
    return str((await client.gets("enabled")).get("id"))


async def lose(place: Any, client: Any) -> None:
    """Break a client's connection; the server has noticed."""
    before = place.node.engine.connections
    client.wire.reset()
    await fewer_connections(place, before)


async def fewer_connections(place: Any, before: int) -> None:
    """Wait until the server has fewer connections than it had."""
    engine = place.node.engine
    async with asyncio.timeout(PATIENCE_S):
        while engine.connections >= before:
            engine._left.clear()
            await engine._left.wait()


async def return_(place: Any, client: Any, stream_id: str, handled: int, account: Any = None) -> Any:
    """Come back with a new connection, and ask for the old stream; what the server says follows."""
    account = account or client.account
    wire = await place.open(account)
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    await wire.send(
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>",
        HEADER.format(host=client.host),
        f"<resume {NS} previd='{stream_id}' h='{handled}'/>",
    )
    await wire.until("</stream:features>")
    header = HEADER.format(host=client.host)
    return type(client)(wire, account, client.jid, header)


def bodies(stanzas: list[Any]) -> list[str]:
    """The texts of the messages among them."""
    return [each.element.findtext("{jabber:client}body") for each in stanzas if each.name == "message"]


def chat(to: str, text: str, kind: str = "chat") -> str:
    return f"<message type='{kind}' to='{to}' id='{text}'><body>{text}</body></message>"


def fleeting(to: str, text: str, kind: str = "chat") -> str:
    """A message that must not wait for anybody (XEP-0334)."""
    return chat(to, text, kind).replace("</body>", "</body><no-store xmlns='urn:xmpp:hints'/>")


async def test_it_is_offered_where_a_resource_can_be_bound(place: Any) -> None:
    account = await place.register(place.name("ada"))
    wire = await place.open(account)
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    await wire.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
    await wire.send(HEADER.format(host=account.jid.partition("@")[2]))
    await wire.until("<success")
    assert f"<sm {NS}/>" in await wire.until("</stream:features>")


async def test_both_sides_acknowledge_what_they_handled(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await enable(ada)
    await ada.send(chat(bob.jid, "one"), chat(bob.jid, "more"), f"<r {NS}/>")
    assert (await ada.gets("a")).get("h") == "2"
    await bob.send(chat(ada.jid, "two"))
    assert bodies([await ada.gets("message")]) == ["two"]
    assert (await ada.gets("r")).name == "r"


async def test_a_lost_stream_goes_on_with_what_was_not_acknowledged_in_order_and_none_twice(
    place: Any, join: Any
) -> None:
    ada, bob = await join("ada"), await join("bob")
    stream_id = await enable(ada)
    await bob.send(chat(ada.jid, "taken"), chat(ada.jid, "sent"))
    await ada.gets("message")
    await ada.gets("message")
    await lose(place, ada)
    await bob.send(chat(ada.jid, "meanwhile"), chat(ada.bare, "and more"))
    await bob.so_far()
    back = await return_(place, ada, stream_id, handled=1)
    assert (await back.next()).xml == f"<resumed {NS} previd='{stream_id}' h='0'/>"
    assert bodies(await back.so_far()) == ["sent", "meanwhile", "and more"]
    await bob.send(chat(ada.jid, "live"))
    assert bodies([await back.gets("message")]) == ["live"]
    await lose(place, back)
    again = await return_(place, ada, stream_id, handled=6)
    assert (await again.gets("resumed")).get("h") == "1"  # the ping of `so_far`
    assert bodies(await again.so_far()) == []


async def test_the_contacts_see_nothing_of_a_stream_that_is_resumed(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    stream_id = await enable(ada)
    await bob.so_far()
    await lose(place, ada)
    assert place.node.engine.online(ada.bare) == [ada.jid]
    back = await return_(place, ada, stream_id, handled=0)
    await back.gets("resumed")
    assert [each for each in await bob.so_far() if each.name == "presence"] == []


async def test_a_stanza_that_the_server_has_not_got_is_not_counted(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    stream_id = await enable(ada)
    await ada.send(chat(bob.jid, "whole"), f"<message type='chat' to='{bob.jid}'><body>ha")
    await bob.gets("message")
    await lose(place, ada)
    back = await return_(place, ada, stream_id, handled=0)
    assert (await back.gets("resumed")).get("h") == "1"


async def test_a_dead_connection_that_nobody_has_noticed_gives_way(place: Any, join: Any) -> None:
    ada = await join("ada")
    stream_id = await enable(ada)
    back = await return_(place, ada, stream_id, handled=0)
    await back.gets("resumed")
    assert "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in await ada.end()
    assert (await back.so_far()) == []
    assert place.node.engine.online(ada.bare) == [ada.jid]


async def test_stanzas_sent_behind_the_request_to_resume_are_handled_behind_it(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    stream_id = await enable(ada)
    await lose(place, ada)
    back = await return_(place, ada, stream_id, handled=0)
    await back.send(chat(bob.jid, "at once"))
    got = await bob.gets("message")
    assert (bodies([got]), got.get("from")) == (["at once"], ada.jid)
    assert (await back.next()).name == "resumed"


@pytest.mark.parametrize("who", ["another session", "another user"])
async def test_nobody_else_can_resume_a_stream(place: Any, join: Any, who: str) -> None:
    ada = await join("ada")
    stream_id = await enable(ada)
    await lose(place, ada)
    name = ada.account.username if who == "another session" else place.name("eve")
    thief = await return_(place, ada, stream_id, handled=0, account=await place.register(name))
    assert (await thief.next()).xml == f"<failed {NS}>{ITEM_NOT_FOUND}</failed>"
    await thief.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert (await thief.next()).get("type") == "result"
    assert place.node.engine.online(ada.bare) == [ada.jid]


async def test_a_stream_that_is_not_known_is_not_found(place: Any, join: Any) -> None:
    ada = await join("ada")
    back = await return_(place, ada, "0" * 36, handled=0)
    assert (await back.next()).xml == f"<failed {NS}>{ITEM_NOT_FOUND}</failed>"


async def test_a_stream_without_resumption_is_over_with_its_connection(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    assert await enable(ada, "") == "None"
    await bob.send(fleeting(ada.jid, "lost"))
    await ada.gets("message")
    await lose(place, ada)
    assert (await bob.gets("presence", type="unavailable")).get("from") == ada.jid
    assert (await bob.gets("message", type="error")).condition == "service-unavailable"


async def test_a_stream_that_nobody_resumes_in_time_ends_and_its_senders_are_told(
    place: Any, join: Any, befriend: Any
) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    stream_id = await enable(ada, "resume='true' max='1'")
    await lose(place, ada)
    await bob.so_far()
    await bob.send(
        fleeting(ada.jid, "a chat"),
        fleeting(ada.bare, "a note", "normal"),
        chat(ada.jid, "news", "headline"),
        f"<iq type='get' id='asked' to='{ada.jid}'><q xmlns='urn:q'/></iq>",
    )
    assert (await bob.gets("presence", type="unavailable")).get("from") == ada.jid
    told = await bob.so_far()
    assert [(each.get("id"), each.condition) for each in told] == [
        ("a chat", "service-unavailable"),
        ("a note", "service-unavailable"),
        ("asked", "service-unavailable"),
    ]
    back = await return_(place, ada, stream_id, handled=0)
    assert (await back.next()).name == "failed"


async def test_another_device_gets_the_chat_that_the_lost_one_missed_and_nothing_twice(
    place: Any, join: Any, again: Any
) -> None:
    ada, bob = await join("ada"), await join("bob")
    await enable(ada, "resume='true' max='1'")
    laptop = await again(ada, "laptop")
    await ada.so_far()
    await lose(place, ada)
    await bob.send(chat(ada.jid, "to one"), chat(ada.bare, "to all"))
    await laptop.gets("presence", type="unavailable")
    assert bodies(await laptop.so_far()) == ["to one"]  # "to all" was there before


async def test_a_clean_end_is_the_end(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    stream_id = await enable(ada)
    await bob.send(fleeting(ada.jid, "unread"))
    await ada.gets("message")
    await ada.send("</stream:stream>")
    await ada.end()
    assert (await bob.gets("message", type="error")).condition == "service-unavailable"
    back = await return_(place, ada, stream_id, handled=0)
    assert (await back.next()).name == "failed"


async def test_a_session_that_is_ended_takes_its_waiting_streams_along(place: Any, join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await enable(ada)
    await lose(place, ada)
    await place.call("DELETE", f"/sessions/{ada.account.session_id}", ada.account)
    assert (await bob.gets("presence", type="unavailable")).get("from") == ada.jid
    assert place.node.engine.online(ada.bare) == []


async def test_a_user_that_is_deleted_takes_all_waiting_streams_along(place: Any, join: Any) -> None:
    ada = await join("ada")
    await enable(ada)
    await lose(place, ada)
    place.node.engine.disconnect_account(ada.bare, "account_deleted")
    assert place.node.engine.online(ada.bare) == []


async def test_a_new_stream_of_the_same_resource_ends_the_waiting_one(place: Any, join: Any) -> None:
    ada = await join("ada", "phone")
    stream_id = await enable(ada)
    await lose(place, ada)
    other = await place.sign_in(ada.account, "phone")
    assert other.jid == ada.jid
    back = await return_(place, ada, stream_id, handled=0)
    assert (await back.next()).name == "failed"
    assert await other.so_far() == []


async def test_the_longest_waiting_stream_gives_way(
    place: Any, join: Any, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SM_WAITING_PER_ACCOUNT_MAX", 1)
    ada = await join("ada")
    laptop = await again(ada)
    await enable(ada)
    await enable(laptop)
    await lose(place, ada)
    await lose(place, laptop)
    assert place.node.engine.online(ada.bare) == [laptop.jid]


async def test_who_acknowledges_nothing_is_cut_off(place: Any, join: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SM_QUEUE_MAX_STANZAS", 3)
    ada, bob = await join("ada"), await join("bob")
    await enable(ada)
    await bob.send(*(fleeting(ada.jid, str(number)) for number in range(4)))
    assert "<resource-constraint" in await ada.end()
    told = [await bob.gets("message", type="error") for _ in range(4)]
    assert [each.get("id") for each in told] == ["0", "1", "2", "3"]


async def test_a_waiting_stream_that_is_sent_too_much_ends_early(
    place: Any, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SM_QUEUE_MAX_BYTES", 500)
    ada, bob = await join("ada"), await join("bob")
    await enable(ada)
    await lose(place, ada)
    await bob.send(fleeting(ada.jid, "x" * 600))
    assert (await bob.gets("message", type="error")).condition == "service-unavailable"
    assert place.node.engine.online(ada.bare) == []


async def test_acknowledging_what_was_never_sent_ends_the_stream(join: Any) -> None:
    ada = await join("ada")
    await enable(ada)
    await ada.send(f"<a {NS} h='5'/>")
    end = await ada.end()
    assert "<undefined-condition" in end
    assert f"<handled-count-too-high {NS} h='5' send-count='0'/>" in end


async def test_resuming_with_a_count_that_is_too_high_ends_the_stream(place: Any, join: Any) -> None:
    ada = await join("ada")
    stream_id = await enable(ada)
    await lose(place, ada)
    back = await return_(place, ada, stream_id, handled=5)
    assert "<handled-count-too-high" in await back.end()


async def test_what_is_out_of_turn_is_refused(place: Any, join: Any) -> None:
    ada = await join("ada")
    await enable(ada)
    for request in (f"<enable {NS}/>", f"<resume {NS} previd='x' h='0'/>"):
        await ada.send(request)
        assert (await ada.gets("failed")).xml == f"<failed {NS}>{UNEXPECTED}</failed>"
    bob = await join("bob")
    await bob.send(f"<r {NS}/>")
    assert "<unsupported-stanza-type" in await bob.end()


async def test_it_works_over_websocket(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    account, host = ada.account, ada.host
    token = b64encode(f"\0{account.username}\0{account.password}".encode()).decode()
    url = place.node.public_url.replace("http", "ws", 1) + "/xmpp"
    opening = f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{host}' version='1.0'/>"
    auth = f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>"

    async def sign_in(socket: Any) -> None:
        for message, answers in ((opening, 2), (auth, 1), (opening, 2)):
            await socket.send(message)
            for _ in range(answers):
                await socket.recv()

    socket = await connect(url, subprotocols=["xmpp"])  # type: ignore[list-item]
    await sign_in(socket)
    await socket.send(
        "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    )
    jid = re.findall("<jid>(.*)</jid>", str(await socket.recv()))[0]
    await socket.send(f"<enable {NS} resume='true'/>")
    stream_id = re.findall(" id='([^']*)'", str(await socket.recv()))[0]
    before = place.node.engine.connections
    socket.transport.abort()
    await fewer_connections(place, before)
    await bob.send(chat(jid, "over there"))
    await bob.so_far()
    async with connect(url, subprotocols=["xmpp"]) as socket:  # type: ignore[list-item]
        await sign_in(socket)
        await socket.send(f"<resume {NS} previd='{stream_id}' h='0'/>")
        assert await socket.recv() == f"<resumed {NS} previd='{stream_id}' h='0'/>"
        message = str(await socket.recv())
        assert message.startswith("<message xmlns='jabber:client'")
        assert "over there" in message
