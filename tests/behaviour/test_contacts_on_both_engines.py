"""Contacts, presence, messages and blocking: the same on every engine."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ejabberd_clients import bare_client
from heliograph.core.apps import Environment
from heliograph.errors import HeliographError
from heliograph.sdk.events import FriendsListUpdate, MessageReceived, PresenceUpdate
from patience import PATIENCE_S


async def test_a_contact_is_in_both_rosters(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, tablet, bob = await join(name), await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    for device, other in ((ada, friend), (tablet, friend), (bob, name)):
        assert (await device.hears(FriendsListUpdate)).user_id == other
    (found,) = (await bob.sdk.get_friends_list()).data.contacts
    assert (found.user_id, found.is_online) == (name, True)


async def test_contacts_see_each_others_presence(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    for device, other in ((ada, friend), (bob, name)):
        assert (await device.hears(PresenceUpdate)).to_dict()["userId"] == other


async def test_a_contact_that_is_removed_is_out_of_both_rosters(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    await bob.hears(FriendsListUpdate, lambda change: change.state == "friend")
    await ada.sdk.remove_contact(friend)
    assert (await bob.hears(FriendsListUpdate, lambda change: change.state == "removed")).user_id == name
    assert (await bob.sdk.get_friends_list()).data.contacts == ()


async def test_a_friend_who_leaves_is_seen_to_leave(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    await ada.hears(PresenceUpdate, lambda seen: seen.user_id == friend and seen.is_online)
    await bob.sdk.close()
    await ada.hears(PresenceUpdate, lambda seen: seen.user_id == friend and not seen.is_online)
    async with asyncio.timeout(PATIENCE_S):
        while (await ada.sdk.get_last_seen(friend)).data.is_online:  # noqa: ASYNC110 - tells nobody
            await asyncio.sleep(0.05)


async def test_messages_reach_a_friend(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    sent = (await bob.sdk.send_message(name, "Hello & <welcome>\n\U0001f44b")).data
    heard = await ada.hears(MessageReceived)
    assert (heard.message_id, heard.user_id, heard.text) == (sent.message_id, friend, "Hello & <welcome>\n\U0001f44b")


async def test_a_message_waits_for_a_friend_who_is_away(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend, is_connected=False)
    await ada.sdk.add_contact(friend)
    await ada.sdk.send_message(friend, "Later")
    await ada.is_through()
    await bob.sdk.connect(friend, bob.password)
    assert (await bob.hears(MessageReceived)).text == "Later"


async def test_blocking_hides_presence_and_profile_and_keeps_messages_away(join: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, bob = await join(name), await join(friend)
    await ada.sdk.add_contact(friend)
    await bob.hears(PresenceUpdate, lambda seen: seen.user_id == name and seen.is_online)
    await ada.sdk.block_user(friend)
    await bob.hears(PresenceUpdate, lambda seen: seen.user_id == name and not seen.is_online)
    await ada.sdk.set_user_profile("Hidden")
    await bob.sdk.send_message(name, "Let me in")
    await bob.is_through()
    await ada.sdk.send_message(name, "Echo")  # her own stream has come past it too, where ejabberd keeps it away
    assert (await ada.hears(MessageReceived)).text == "Echo"
    await ada.sdk.unblock_user(friend)
    await bob.hears(PresenceUpdate, lambda seen: seen.user_id == name and seen.is_online)
    await ada.sdk.set_user_profile("Shown")
    await bob.sees(name, "Shown")
    await bob.sdk.send_message(name, "Thank you")
    assert (await ada.hears(MessageReceived)).text == "Thank you"


async def test_a_block_by_a_plain_client_is_in_the_record(plain_client: Any, place: Any, user: Any) -> None:
    name, other = user("ada"), user("bob")
    await place.register(other)
    ada = await plain_client(name)
    jid = f"{other}@{ada.host}"
    block = await ada.ask(f"<block xmlns='urn:xmpp:blocking'><item jid='{jid}'/></block>", kind="set")
    assert block.get("type") == "result"
    blocked = await place.call("GET", "/blocked", ada.account)
    assert other in str(blocked)
    listed = await ada.ask("<blocklist xmlns='urn:xmpp:blocking'/>")
    assert jid in listed.xml


async def test_a_request_is_shown_to_plain_clients_until_it_is_answered_or_taken_back(place: Any, user: Any) -> None:
    name, friend = user("ada"), user("bob")
    ada, account = await place.register(name, Environment.LIVE), await place.register(friend, Environment.LIVE)
    bob = await bare_client(place, account)
    await bob.ask("<query xmlns='jabber:iq:roster'/>")

    async def ask(method: str, path: str, who: Any) -> None:
        await place.call(method, path, who, environment=Environment.LIVE)

    async def is_asked_when_it_comes() -> bool:
        late = await bare_client(place, account, is_present=False)
        await late.send("<presence/>")
        return any(each.name == "presence" and each.get("type") == "subscribe" for each in await late.so_far())

    await ask("PUT", f"/contacts/{friend}", ada)
    assert (await bob.gets("presence", type="subscribe")).get("from") == ada.jid
    assert await is_asked_when_it_comes()
    await ask("DELETE", f"/contacts/{friend}", ada)
    async with asyncio.timeout(PATIENCE_S):  # not every engine tells the clients that are there already
        while await is_asked_when_it_comes():
            pass

    await ask("PUT", f"/contacts/{friend}", ada)
    await bob.gets("presence", type="subscribe")
    await ask("POST", f"/contact-requests/{name}/accept", account)
    while "subscription='both'" not in (await bob.gets("iq", type="set")).xml:
        pass
    assert not await is_asked_when_it_comes()


async def test_a_request_that_is_granted_makes_both_see_each_other(place: Any, user: Any) -> None:
    for _ in range(5):  # the two sides are told side by side
        name, friend = user("ada"), user("bob")
        accounts = [await place.register(each, Environment.LIVE) for each in (name, friend)]
        clients = ada, bob = [await bare_client(place, each) for each in accounts]
        for each in clients:
            await each.ask("<query xmlns='jabber:iq:roster'/>")
        await place.call("PUT", f"/contacts/{friend}", accounts[0], environment=Environment.LIVE)
        await bob.gets("presence", type="subscribe")
        await place.call("POST", f"/contact-requests/{name}/accept", accounts[1], environment=Environment.LIVE)
        for each, other in ((ada, bob), (bob, ada)):
            await each.gets("presence", from_=other.jid)
        for each, other in ((ada, bob), (bob, ada)):
            await place.call("GET", f"/last-seen/{other.account.username}", each.account, environment=Environment.LIVE)
            (item,) = (await each.ask("<query xmlns='jabber:iq:roster'/>")).element[0]
            assert (item.get("jid"), item.get("subscription")) == (other.bare, "both")


async def test_an_unknown_contact_is_refused(join: Any, user: Any) -> None:
    ada = await join(user("ada"))
    with pytest.raises(HeliographError) as refused:
        await ada.sdk.add_contact(user("nobody"))
    assert refused.value.code == "account_not_found"
