"""Messages for users who are not there: kept, stamped, and brought once (XEP-0160, XEP-0203), over real sockets."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from heliograph.core import limits
from patience import PATIENCE_S

NO_STORE = "<no-store xmlns='urn:xmpp:hints'/>"
TYPING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
STAMP = re.compile(r"<delay xmlns='urn:xmpp:delay' from='(.*)' stamp='\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'/></message>$")


def chat(to: str, text: str, more: str = "", kind: str = "chat") -> str:
    return f"<message to='{to}' type='{kind}' id='{text}'><body>{text}</body>{more}</message>"


def texts(told: list[Any]) -> list[str]:
    return [text for got in told if (text := got.element.findtext("{jabber:client}body"))]


@pytest.fixture
async def absent(place: Any) -> Any:
    """A user who is registered, and nowhere connected."""
    return await place.register(place.name("bob"))


async def arrive(place: Any, account: Any, presence: str = "<presence/>") -> tuple[Any, list[Any]]:
    """Sign a user in and say a presence; what comes."""
    client = await place.sign_in(account)
    await client.send(presence)
    return client, await client.so_far()


async def test_messages_wait_in_order_with_their_time_and_come_once(place: Any, join: Any, absent: Any) -> None:
    ada = await join("ada")
    await ada.send(chat(absent.jid, "one"), chat(f"{absent.jid}/gone", "two"), chat(absent.jid, "three", kind="normal"))
    assert await ada.so_far() == []
    bob, told = await arrive(place, absent)
    messages = [got for got in told if got.name == "message"]
    assert texts(messages) == ["one", "two", "three"]
    for got in messages:
        assert (got.get("from"), got.get("to")) == (ada.jid, absent.jid)
        assert STAMP.search(got.as_sent)[1] == ada.host  # type: ignore[index]
    await bob.send("<presence type='unavailable'/>", "<presence/>")
    assert texts(await bob.so_far()) == []
    _, told = await arrive(place, absent)
    assert texts(told) == []


async def test_they_are_stored_before_the_server_goes_on(start: Any) -> None:
    place = await start()
    ada = await place.sign_in(await place.register("ada"))
    bob = await place.register("bob")
    await ada.send(chat(bob.jid, "durable"))
    await ada.so_far()
    assert await place.node.ports.offline.take(bob.jid, 0) != []


async def test_they_wait_for_a_resource_that_takes_messages(place: Any, join: Any, absent: Any) -> None:
    ada = await join("ada")
    await ada.send(chat(absent.jid, "hi"))
    await ada.so_far()
    bob, told = await arrive(place, absent, "<presence><priority>-1</priority></presence>")
    assert texts(told) == []
    await ada.send(chat(absent.jid, "again"))
    await ada.so_far()
    assert texts(await bob.so_far()) == []
    await bob.send("<presence><priority>0</priority></presence>")
    assert texts(await bob.so_far()) == ["hi", "again"]
    await bob.send("<presence><priority>5</priority></presence>")
    assert texts(await bob.so_far()) == []


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (chat("{to}", "secret", NO_STORE), ["service-unavailable"]),
        (f"<message to='{{to}}' type='chat'>{TYPING}</message>", ["service-unavailable"]),
        (chat("{to}", "news", kind="headline"), []),
        (chat("{to}", "room", kind="groupchat"), ["service-unavailable"]),
        (chat("{to}/gone", "note", kind="normal"), ["service-unavailable"]),
    ],
)
async def test_what_must_not_wait_does_not(
    place: Any, join: Any, absent: Any, message: str, condition: list[str]
) -> None:
    ada = await join("ada")
    await ada.send(message.format(to=absent.jid))
    assert [got.condition for got in await ada.so_far()] == condition
    _, told = await arrive(place, absent)
    assert [got for got in told if got.name == "message"] == []


async def test_who_is_blocked_is_refused(place: Any, join: Any, absent: Any) -> None:
    ada = await join("ada")
    await place.call("PUT", f"/blocked/{ada.account.username}", absent)
    await ada.send(chat(absent.jid, "hi"))
    assert [got.condition for got in await ada.so_far()] == ["service-unavailable"]


async def test_when_too_many_wait_the_next_is_refused(
    place: Any, join: Any, absent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OFFLINE_MESSAGES_MAX", 2)
    ada = await join("ada")
    await ada.send(*(chat(absent.jid, str(number)) for number in range(3)))
    assert [(got.get("id"), got.condition) for got in await ada.so_far()] == [("2", "service-unavailable")]
    _, told = await arrive(place, absent)
    assert texts(told) == ["0", "1"]


async def test_what_is_too_old_does_not_come(
    place: Any, join: Any, absent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await join("ada")
    await ada.send(chat(absent.jid, "hi"))
    await ada.so_far()
    monkeypatch.setattr(limits, "OFFLINE_TTL_S", -1)
    _, told = await arrive(place, absent)
    assert texts(told) == []


async def test_the_senders_other_devices_see_it(join: Any, again: Any, absent: Any) -> None:
    ada = await join("ada")
    laptop = await again(ada, "laptop")
    await laptop.ask("<enable xmlns='urn:xmpp:carbons:2'/>", kind="set")
    await ada.so_far()
    await ada.send(chat(absent.jid, "hi"))
    await ada.so_far()
    (copy,) = await laptop.so_far()
    assert "<sent xmlns='urn:xmpp:carbons:2'>" in copy.xml


async def test_what_a_lost_device_never_took_waits_for_the_next_with_its_first_time(place: Any, join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await bob.send("<enable xmlns='urn:xmpp:sm:3'/>")
    await bob.gets("enabled")
    await ada.send(chat(bob.jid, "to one"), chat(bob.bare, "to all"))
    assert texts([await bob.gets("message"), await bob.gets("message")]) == ["to one", "to all"]
    for _ in range(2):  # and again, by a device that takes nothing either
        await bob.send("</stream:stream>")
        await bob.end()
        async with asyncio.timeout(PATIENCE_S):
            while place.node.engine._tasks:
                place.node.engine._left.clear()
                await place.node.engine._left.wait()
        bob = await place.sign_in(bob.account)
        await bob.send("<enable xmlns='urn:xmpp:sm:3'/>", "<presence/>")
        messages = [got for got in await bob.so_far() if got.name == "message"]
        assert texts(messages) == ["to one", "to all"]
        assert [got.xml.count("<delay") for got in messages] == [1, 1]
    assert await ada.so_far() == []


async def test_the_server_says_that_it_can(join: Any) -> None:
    ada = await join("ada")
    info = await ada.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to=ada.host)
    assert "<feature var='msgoffline'/>" in info.xml
