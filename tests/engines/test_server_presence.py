"""Who sees whom come, change and go (RFC 6121, section 4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from patience import PATIENCE_S

CONTENT = "<show>away</show><status>Tea &amp; cake</status><priority>1</priority><x xmlns='urn:x'/>"


def here(sender: Any, receiver: Any, content: str = "") -> str:
    start = f"<presence from='{sender.jid}' to='{receiver.jid}'"
    return f"{start}>{content}</presence>" if content else f"{start}/>"


def gone(sender: Any, receiver: Any, content: str = "") -> str:
    start = f"<presence from='{sender.jid}' type='unavailable' to='{receiver.jid}'"
    return f"{start}>{content}</presence>" if content else f"{start}/>"


async def seen(client: Any) -> list[str]:
    return [got.xml for got in await client.so_far()]


async def test_the_first_presence_shows_both_sides_to_each_other(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob", is_present=False)
    await befriend(ada, bob)
    assert await seen(ada) == []
    await bob.send(f"<presence>{CONTENT}</presence>")
    assert await seen(bob) == [here(bob, bob, CONTENT), here(ada, bob)]
    assert await seen(ada) == [here(bob, ada, CONTENT)]


async def test_a_change_goes_to_contacts_as_it_was_said_and_to_nobody_else(join: Any, befriend: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    await seen(bob)
    await ada.send(f"<presence from='{eve.jid}' id='p1'>{CONTENT}</presence>")
    await seen(ada)
    assert await seen(bob) == [here(ada, bob, CONTENT)]
    assert await seen(eve) == []


async def test_resources_of_one_account_see_each_other(join: Any, again: Any) -> None:
    ada = await join("ada", "one")
    tablet = await again(ada, "two", is_present=False)
    await tablet.send(f"<presence>{CONTENT}</presence>")
    assert await seen(tablet) == [here(tablet, tablet, CONTENT), here(ada, tablet)]
    assert await seen(ada) == [here(tablet, ada, CONTENT)]
    await tablet.send("<presence type='unavailable'><status>Bye</status></presence>")
    await seen(tablet)
    assert await seen(ada) == [gone(tablet, ada, "<status>Bye</status>")]


@pytest.mark.parametrize("how", ["unavailable", "end", "close", "reset", "broken", "tls"])
async def test_contacts_and_own_devices_see_the_end_however_it_comes(
    join: Any, again: Any, befriend: Any, how: str
) -> None:
    ada, bob = await join("ada", "one"), await join("bob")
    tablet = await again(ada, "two")
    await befriend(ada, bob)
    await seen(tablet)
    await seen(bob)
    match how:
        case "unavailable":
            await ada.send("<presence type='unavailable'/>")
        case "end":
            await ada.send("</stream:stream>")
            assert (await ada.end()).endswith("</stream:stream>")
        case "close":
            ada.wire.close()
        case "reset":
            ada.wire.reset()
        case "broken":
            await ada.send("<presence></message>")
            assert "<not-well-formed " in await ada.end()
        case "tls":  # a close_notify with no end of TCP behind it, until the server answers it
            ada.wire.writer.close()
    assert (await bob.next()).xml == gone(ada, bob)
    assert (await tablet.next()).xml == gone(ada, tablet)
    assert await seen(bob) == []


async def test_a_client_that_never_was_present_goes_unseen(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    await befriend(ada, bob)
    await seen(bob)
    await ada.send("<presence type='unavailable'/></stream:stream>")
    await ada.end()
    assert await seen(bob) == []


async def test_who_comes_and_goes_at_once_is_not_left_present(join: Any, befriend: Any, place: Any) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    await befriend(ada, bob)
    await seen(bob)
    await ada.send("<presence/></stream:stream>")
    await ada.end()
    assert await seen(bob) == [here(ada, bob), gone(ada, bob)]
    assert place.node.engine.online(ada.bare) == []


@pytest.mark.parametrize("has_another", [False, True])
async def test_who_is_gone_before_the_roster_was_read_is_not_shown(
    join: Any, again: Any, befriend: Any, gated: Any, has_another: bool
) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    await befriend(ada, bob)
    tablet = await again(ada) if has_another else bob
    await seen(bob)
    with gated("contacts", "roster") as gate:
        await ada.send("<presence/>")
        async with asyncio.timeout(PATIENCE_S):
            await gate.entered.wait()
        ada.wire.reset()
        assert (await tablet.next()).xml == gone(ada, tablet)
        gate.opened.set()
        await gate.passed.wait()
    assert here(ada, bob) not in await seen(bob)
    assert here(ada, tablet) not in await seen(tablet)


ROSTER = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"


async def test_who_asks_for_the_roster_first_has_it_read_once_and_sees_the_contacts(
    join: Any, befriend: Any, gated: Any
) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    await befriend(ada, bob)
    await ada.so_far()
    await ada.send(ROSTER)
    await ada.so_far()
    with gated("contacts", "roster") as gate:  # which stays closed: nothing passes it
        await ada.send("<presence/>")
        assert here(bob, ada) in [(await ada.next()).xml for _ in range(2)]
        assert not gate.entered.is_set()


@pytest.mark.parametrize("is_asked_before", [False, True])
async def test_a_request_that_comes_around_the_roster_is_told_with_the_first_presence(
    join: Any, is_asked_before: bool
) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    steps = [(ada, ROSTER), (bob, f"<presence to='{ada.bare}' type='subscribe'/>")]
    for client, said in steps if is_asked_before else reversed(steps):
        await client.send(said)
        await client.so_far()
    await ada.send("<presence/>")
    assert ("subscribe", bob.bare) in [(each.get("type"), each.get("from")) for each in await ada.so_far()]


async def test_the_last_word_is_kept_until_its_user_goes_without_one(
    place: Any, join: Any, again: Any, becomes: Any
) -> None:
    ada = await join("ada")
    store = place.node.ports.sessions

    async def said() -> str:
        await becomes(lambda: place.node.engine.noting == 0)
        return str((await store.last_active(ada.bare)).status)

    for word in ("gone home", "gone for good", ""):
        await ada.send(f"<presence type='unavailable'><status>{word}</status></presence>")
        await ada.so_far()
        assert await said() == word
        await ada.send("<presence/>")
        await ada.so_far()


async def test_presence_that_is_none_is_refused_and_changes_nothing(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    await seen(ada)
    await seen(bob)
    for said in (
        "<presence type='here' id='1'/>",
        "<presence id='1'><priority>200</priority></presence>",
        "<presence id='1'><show>asleep</show></presence>",
    ):
        await ada.send(said)
        refusal = await ada.next()
        assert (refusal.get("type"), refusal.condition) == ("error", "bad-request")
    assert await seen(bob) == []


# --------------------------------------------------------------------------------------------------- directed presence


async def test_directed_presence_and_its_end_reach_a_stranger(join: Any) -> None:
    ada, eve, bob = await join("ada"), await join("eve"), await join("bob")
    await ada.send(f"<presence to='{eve.jid}'><show>dnd</show></presence>", f"<presence to='{bob.bare}'/>")
    await ada.so_far()
    assert await seen(eve) == [f"<presence to='{eve.jid}' from='{ada.jid}'><show>dnd</show></presence>"]
    assert await seen(bob) == [f"<presence to='{bob.bare}' from='{ada.jid}'/>"]
    await ada.send("<presence><show>xa</show></presence>")  # a broadcast is not for strangers
    await ada.so_far()
    assert await seen(eve) == await seen(bob) == []
    ada.wire.close()
    assert (await eve.next()).xml == gone(ada, eve)
    assert (await bob.next()).xml == gone(ada, bob)


async def test_directed_presence_ends_once(join: Any) -> None:
    ada, eve = await join("ada"), await join("eve")
    await ada.send(f"<presence to='{eve.jid}'/>", f"<presence to='{eve.jid}' type='unavailable'/>")
    await ada.so_far()
    assert await seen(eve) == [
        f"<presence to='{eve.jid}' from='{ada.jid}'/>",
        f"<presence to='{eve.jid}' type='unavailable' from='{ada.jid}'/>",
    ]
    await ada.send("<presence type='unavailable'/>")
    await ada.so_far()
    assert await seen(eve) == []


async def test_a_contact_that_got_directed_presence_too_sees_one_end(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada", is_present=False), await join("bob")
    await befriend(ada, bob)
    await ada.send(f"<presence to='{bob.jid}'/>", "<presence/>")
    await ada.so_far()
    await seen(bob)
    await ada.send("<presence type='unavailable'/>")
    await ada.so_far()
    assert await seen(bob) == [gone(ada, bob)]


async def test_who_was_never_present_but_showed_itself_to_one_leaves_that_one(join: Any) -> None:
    ada, eve = await join("ada", is_present=False), await join("eve")
    await ada.send(f"<presence to='{eve.bare}'/>")
    await ada.so_far()
    await seen(eve)
    ada.wire.reset()
    assert (await eve.next()).xml == gone(ada, eve)


# -------------------------------------------------------------------------------------------------------------- probes


async def test_a_probe_tells_contacts_and_nobody_else(join: Any, befriend: Any) -> None:
    ada, bob, eve = await join("ada"), await join("bob"), await join("eve")
    await befriend(ada, bob)
    await seen(bob)
    await bob.send(f"<presence type='probe' to='{ada.bare}'/>")
    assert await seen(bob) == [here(ada, bob)]
    await eve.send(f"<presence type='probe' to='{ada.bare}'/>")
    (answer,) = await eve.so_far()
    assert (answer.get("type"), answer.get("from")) == ("unsubscribed", ada.bare)
    await ada.send("<presence type='unavailable'/>")
    await ada.so_far()
    await seen(bob)
    await bob.send(f"<presence type='probe' to='{ada.bare}'/>")
    (answer,) = await bob.so_far()
    assert (answer.get("type"), answer.get("from")) == ("unavailable", ada.bare)


async def test_a_resource_that_is_bound_again_takes_over(join: Any, befriend: Any, place: Any) -> None:
    """RFC 6120, section 7.7.2.2: the older stream ends with a conflict."""
    ada, bob = await join("ada", "home"), await join("bob")
    await befriend(ada, bob)
    await seen(bob)
    newer = await place.sign_in(ada.account, "home")
    assert newer.jid == ada.jid
    text = await ada.end()
    assert "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" in text
    assert await seen(bob) == [gone(ada, bob)]
    await newer.send("<presence/>")
    assert await seen(newer) == [here(newer, newer), here(bob, newer)]
    assert await seen(bob) == [here(newer, bob)]
