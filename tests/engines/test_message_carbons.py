"""Copies of messages for a user's other devices, over real sockets (XEP-0280)."""

from __future__ import annotations

from typing import Any

import pytest

NS = "urn:xmpp:carbons:2"
FORWARDED = "{urn:xmpp:forward:0}forwarded/{jabber:client}message"


async def enable(*clients: Any) -> None:
    for client in clients:
        assert (await client.ask(f"<enable xmlns='{NS}'/>", kind="set")).get("type") == "result"


def chat(to: str, text: str = "hi", more: str = "", kind: str = "chat") -> str:
    return f"<message to='{to}' type='{kind}'><body>{text}</body>{more}</message>"


def copied(told: list[Any]) -> list[tuple[str, str, str]]:
    """The direction, the sender and the text of each copy."""
    found = []
    for got in told:
        for direction in ("sent", "received"):
            inner = got.element.find(f"{{{NS}}}{direction}/{FORWARDED}")
            if inner is not None:
                found.append((direction, inner.get("from"), inner.findtext("{jabber:client}body")))
    return found


def plain(told: list[Any]) -> list[str]:
    """The texts of the messages that are no copies."""
    return [text for got in told if (text := got.element.findtext("{jabber:client}body"))]


async def test_the_server_says_that_it_can(join: Any) -> None:
    ada = await join("ada")
    info = await ada.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to=ada.host)
    assert f"<feature var='{NS}'/>" in info.xml


async def test_both_sides_other_devices_get_a_copy_and_nobody_gets_two(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    ada_laptop, bob_laptop = await again(ada, "laptop"), await again(bob, "laptop")
    await enable(ada, ada_laptop, bob, bob_laptop)
    for client in (ada, bob):
        await client.so_far()
    await ada.send(chat(bob.jid, "to one"))
    await ada.so_far()
    assert (plain(await bob.so_far()), copied(await ada.so_far())) == (["to one"], [])
    assert copied(await bob_laptop.so_far()) == [("received", ada.jid, "to one")]
    told = await ada_laptop.so_far()
    assert copied(told) == [("sent", ada.jid, "to one")]
    assert [(each.get("from"), each.get("to"), each.get("type")) for each in told] == [
        (ada.bare, ada_laptop.jid, "chat")
    ]


async def test_who_gets_a_message_to_the_account_gets_no_copy_of_it(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    quiet = await again(bob, "quiet", is_present=False)
    await quiet.send("<presence><priority>-1</priority></presence>")
    await enable(bob, quiet)
    await bob.so_far()
    await ada.send(chat(bob.bare, "to all"))
    await ada.so_far()
    told = await bob.so_far()
    assert (plain(told), copied(told)) == (["to all"], [])
    told = await quiet.so_far()
    assert (plain(told), copied(told)) == ([], [("received", ada.jid, "to all")])


async def test_a_message_to_oneself_comes_once_to_each_device(join: Any, again: Any) -> None:
    ada = await join("ada")
    phone, tablet = await again(ada, "phone"), await again(ada, "tablet")
    await enable(ada, phone, tablet)
    for client in (ada, phone):
        await client.so_far()
    await ada.send(chat(phone.jid, "note"))
    await ada.so_far()
    assert plain(await phone.so_far()) == ["note"]
    assert copied(await tablet.so_far()) == [("sent", ada.jid, "note")]
    await ada.send(chat(ada.bare, "to all"))
    assert [plain(await client.so_far()) for client in (ada, phone, tablet)] == [["to all"]] * 3


async def test_copies_stop_when_they_are_not_wanted_any_more(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    laptop = await again(bob, "laptop")
    await enable(laptop)
    await laptop.ask(f"<disable xmlns='{NS}'/>", kind="set")
    await ada.send(chat(bob.jid))
    await ada.so_far()
    assert await laptop.so_far() == []


async def test_a_device_that_left_is_forgotten(place: Any, join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    laptop = await again(bob, "laptop")
    await enable(laptop)
    await laptop.send("</stream:stream>")
    await laptop.end()
    await ada.send(chat(bob.jid))
    await ada.so_far()
    assert place.node.engine.router.accounts[bob.bare].carbons == {}


@pytest.mark.parametrize(
    "message",
    [
        chat("{to}", more="<private xmlns='urn:xmpp:carbons:2'/>"),
        chat("{to}", more="<no-copy xmlns='urn:xmpp:hints'/>"),
        chat("{to}", kind="headline"),
        "<message to='{to}'><x xmlns='urn:x'/></message>",
    ],
)
async def test_what_is_private_or_no_conversation_is_not_copied(join: Any, again: Any, message: str) -> None:
    ada, bob = await join("ada"), await join("bob")
    laptop = await again(bob, "laptop")
    own = await again(ada, "laptop")
    await enable(laptop, own)
    await bob.so_far()
    await ada.send(message.format(to=bob.jid))
    await ada.so_far()
    assert [got.name for got in await bob.so_far()] == ["message"]
    assert [await laptop.so_far(), await own.so_far()] == [[], []]


async def test_a_message_that_is_refused_is_not_copied(join: Any, again: Any) -> None:
    ada, bob = await join("ada"), await join("bob", is_present=False)
    own = await again(ada, "laptop")
    await enable(own)
    await ada.so_far()
    await ada.send(chat(f"{bob.bare}/gone", kind="groupchat"))
    assert [got.condition for got in await ada.so_far()] == ["service-unavailable"]
    assert await own.so_far() == []


async def test_nobody_has_copies_of_somebody_elses_messages(join: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    assert (await ada.ask(f"<enable xmlns='{NS}'/>", kind="set", to=bob.bare)).condition == "forbidden"


async def test_who_had_a_copy_gets_no_second_one_when_the_first_device_never_comes_back(
    place: Any, join: Any, again: Any
) -> None:
    ada, bob = await join("ada"), await join("bob")
    laptop, tablet = await again(bob, "laptop"), await again(bob, "tablet")
    await enable(laptop)
    for client in (bob, laptop):
        await client.so_far()
    await bob.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    await bob.gets("enabled")
    await ada.send(chat(bob.jid, "once"))
    await bob.gets("message")
    await bob.send("</stream:stream>")
    await bob.end()
    assert copied([await laptop.gets("message")]) == [("received", ada.jid, "once")]
    assert (plain(await tablet.so_far()), plain(await laptop.so_far())) == (["once"], [])
