"""Contacts over the real store: what is written, what the engine is told, what friends see of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from heliograph.core import accounts, contacts, limits, profiles
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, ContactPolicy
from heliograph.core.contacts import FriendState, RosterChange, RosterItem, Subscribed
from heliograph.core.ports import Ports
from heliograph.core.profiles import Profile, ProfileChange
from heliograph.errors import AccountNotFound, ContactInvalid, ContactLimit
from heliograph.xmpp.presence import Kind

ADA = "ada@chat.example"
BOB = "bob@chat.example"
CAROL = "carol@chat.example"


@pytest.fixture(autouse=True)
async def users(ports: Ports, backend: Caller, engine: Any) -> None:
    """Ada, Bob and Carol, of whom the engine has heard nothing yet."""
    for identifier in ("ada", "bob", "carol"):
        await accounts.register(ports, backend, RegisterRequest(identifier))
    engine.told.clear()


def told(engine: Any) -> list[RosterChange]:
    changes = [change for method, *arguments in engine.told for change in arguments if method == "contacts_changed"]
    engine.told.clear()
    return changes


async def states(ports: Ports, jid: str) -> dict[str, FriendState]:
    return {friend.identifier: friend.state for friend in await contacts.friends(ports, jid)}


async def test_the_open_policy_makes_friends_at_once_and_tells_the_engine_of_both_sides(
    ports: Ports, engine: Any
) -> None:
    friend = await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    assert (friend.jid, friend.identifier, friend.state) == (BOB, "bob", FriendState.FRIEND)
    assert sorted(told(engine), key=lambda change: change.owner) == [
        RosterChange(ADA, BOB, RosterItem(BOB, "both")),
        RosterChange(BOB, ADA, RosterItem(ADA, "both")),
    ]
    assert await states(ports, ADA) == {"bob": FriendState.FRIEND}
    assert await states(ports, BOB) == {"ada": FriendState.FRIEND}


async def test_adding_a_friend_again_changes_nothing(ports: Ports, engine: Any) -> None:
    await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    engine.told.clear()
    assert (await contacts.add(ports, ADA, ContactPolicy.REQUEST, "bob")).state is FriendState.FRIEND
    assert engine.told == []


async def test_under_the_request_policy_adding_one_who_has_asked_accepts(ports: Ports) -> None:
    assert (await contacts.add(ports, ADA, ContactPolicy.REQUEST, "bob")).state is FriendState.REQUESTED
    assert await states(ports, BOB) == {"ada": FriendState.RECEIVED}
    assert (await contacts.add(ports, BOB, ContactPolicy.REQUEST, "ada")).state is FriendState.FRIEND
    assert await states(ports, ADA) == {"bob": FriendState.FRIEND}


async def test_removing_cuts_both_sides(ports: Ports, engine: Any) -> None:
    await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    engine.told.clear()
    await contacts.remove(ports, BOB, "ada")
    assert sorted(told(engine), key=lambda change: change.owner) == [
        RosterChange(ADA, BOB, RosterItem(BOB, "none")),
        RosterChange(BOB, ADA, None),
    ]
    assert await states(ports, ADA) == await states(ports, BOB) == {}


async def test_a_request_can_be_declined_and_sent_anew(ports: Ports) -> None:
    await contacts.add(ports, ADA, ContactPolicy.REQUEST, "bob")
    await contacts.remove(ports, BOB, "ada")
    assert await states(ports, ADA) == await states(ports, BOB) == {}
    await contacts.add(ports, ADA, ContactPolicy.REQUEST, "bob")
    assert await states(ports, BOB) == {"ada": FriendState.RECEIVED}


async def test_what_is_no_contact_cannot_be_removed(ports: Ports, engine: Any) -> None:
    with pytest.raises(AccountNotFound):
        await contacts.remove(ports, ADA, "bob")
    with pytest.raises(AccountNotFound):
        await contacts.remove_item(ports, ADA, BOB)
    assert engine.told == []


@pytest.mark.parametrize("identifier", ["nobody", "", "Bob", "bob "])
async def test_one_who_does_not_exist_cannot_be_added(ports: Ports, identifier: str) -> None:
    with pytest.raises(AccountNotFound):
        await contacts.add(ports, ADA, ContactPolicy.OPEN, identifier)


@pytest.mark.parametrize("identifier", ["bob@chat.example", "bob@sandbox.chat.example/phone"])
async def test_a_jid_is_no_identifier(ports: Ports, identifier: str) -> None:
    with pytest.raises(ContactInvalid):
        await contacts.add(ports, ADA, ContactPolicy.OPEN, identifier)


async def test_nobody_is_a_contact_of_their_own(ports: Ports) -> None:
    with pytest.raises(ContactInvalid):
        await contacts.add(ports, ADA, ContactPolicy.OPEN, "ada")


async def test_sandbox_users_and_live_users_never_meet(ports: Ports, trial: Caller) -> None:
    await accounts.register(ports, trial, RegisterRequest("dan"))
    with pytest.raises(AccountNotFound):
        await contacts.add(ports, ADA, ContactPolicy.OPEN, "dan")
    with pytest.raises(ContactInvalid):
        await contacts.subscription(ports, ADA, "dan@sandbox.chat.example", Kind.SUBSCRIBE)
    with pytest.raises(ContactInvalid):
        await contacts.subscription(ports, ADA, "dan@sandbox.chat.example", Kind.SUBSCRIBE)


async def test_friends_carry_profiles_as_the_user_may_see_them(ports: Ports, engine: Any) -> None:
    change = ProfileChange(name="Bob", mobile="+13033083282")
    bob = await profiles.set_profile(ports, BOB, change)
    await profiles.set_profile(ports, CAROL, replace(change, name="Carol"))
    await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    await contacts.add(ports, ADA, ContactPolicy.REQUEST, "carol")
    engine.connected = {BOB: [f"{BOB}/phone"], CAROL: [f"{CAROL}/phone"]}
    friend, asked = await contacts.friends(ports, ADA)
    assert (friend.profile, friend.is_online) == (bob, True)
    assert (asked.profile.name, asked.profile.mobile, asked.is_online) == ("Carol", "", False)


async def test_a_friend_without_a_profile_has_an_empty_one(ports: Ports) -> None:
    friend = await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    assert friend.profile == Profile(BOB)
    assert (await contacts.friends(ports, ADA))[0].profile == Profile(BOB)


async def test_a_roster_set_adds_and_renames(ports: Ports, engine: Any) -> None:
    await contacts.set_item(ports, ADA, BOB, "Bob", ("Work", "Chess"))
    item = RosterItem(BOB, name="Bob", groups=("Work", "Chess"))
    assert told(engine) == [RosterChange(ADA, BOB, item)]
    await contacts.set_item(ports, ADA, BOB, "Bobby", ())
    assert await ports.contacts.roster(ADA) == [RosterItem(BOB, name="Bobby")]
    assert await ports.contacts.roster(BOB) == []


async def test_naming_one_who_has_asked_lists_the_item_and_keeps_the_request(ports: Ports) -> None:
    await contacts.subscription(ports, BOB, ADA, Kind.SUBSCRIBE)
    await contacts.set_item(ports, ADA, BOB, "Bob", ())
    assert await ports.contacts.lookup(ADA, BOB) == RosterItem(BOB, name="Bob", is_pending_in=True)


async def test_a_roster_remove_ends_both_subscriptions(ports: Ports) -> None:
    await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    await contacts.remove_item(ports, ADA, BOB)
    assert await ports.contacts.roster(ADA) == []
    assert await ports.contacts.roster(BOB) == [RosterItem(ADA)]


async def test_a_request_that_is_not_in_the_roster_cannot_be_removed_from_it(ports: Ports) -> None:
    await contacts.subscription(ports, BOB, ADA, Kind.SUBSCRIBE)
    with pytest.raises(AccountNotFound):
        await contacts.remove_item(ports, ADA, BOB)
    assert await states(ports, ADA) == {"bob": FriendState.RECEIVED}


async def test_a_subscription_stanza_changes_both_sides_in_one_step(ports: Ports, engine: Any) -> None:
    asked = await contacts.subscription(ports, ADA, BOB, Kind.SUBSCRIBE)
    assert asked.is_routed
    assert not asked.is_answered
    assert told(engine) == asked.changes
    assert len(asked.changes) == 2
    approved = await contacts.subscription(ports, BOB, ADA, Kind.SUBSCRIBED)
    assert approved.is_routed
    assert await ports.contacts.lookup(ADA, BOB) == RosterItem(BOB, "to")


async def test_a_stanza_without_effect_is_neither_written_nor_routed(ports: Ports, engine: Any) -> None:
    done = await contacts.subscription(ports, ADA, BOB, Kind.UNSUBSCRIBED)
    assert done == Subscribed([], is_routed=False)
    assert engine.told == []


async def test_a_pre_approved_request_is_answered_by_the_server(ports: Ports) -> None:
    await contacts.subscription(ports, BOB, ADA, Kind.SUBSCRIBED)
    asked = await contacts.subscription(ports, ADA, BOB, Kind.SUBSCRIBE)
    assert (asked.is_routed, asked.is_answered) == (False, True)
    assert await ports.contacts.lookup(ADA, BOB) == RosterItem(BOB, "to")


async def test_a_request_to_nobody_stays_unanswered(ports: Ports) -> None:
    nobody = "nobody@chat.example"
    await contacts.subscription(ports, ADA, nobody, Kind.SUBSCRIBE)
    assert await ports.contacts.lookup(ADA, nobody) == RosterItem(nobody, is_pending_out=True)
    await contacts.subscription(ports, ADA, nobody, Kind.UNSUBSCRIBE)
    assert await ports.contacts.lookup(ADA, nobody) == RosterItem(nobody)


async def test_a_roster_item_may_name_anybody(ports: Ports) -> None:
    for jid in ("nobody@chat.example", "dan@sandbox.chat.example", "eve@elsewhere.example", "service.example"):
        await contacts.set_item(ports, ADA, jid, "Somebody", ())
        assert await ports.contacts.lookup(ADA, jid) == RosterItem(jid, name="Somebody")
    with pytest.raises(ContactInvalid):
        await contacts.set_item(ports, ADA, ADA, "Me", ())


async def test_a_full_roster_on_either_side_takes_no_further_contact(
    ports: Ports, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTACTS_MAX", 1)
    await contacts.add(ports, ADA, ContactPolicy.OPEN, "bob")
    engine.told.clear()
    for owner, other in ((ADA, "carol"), (CAROL, "ada")):
        with pytest.raises(ContactLimit):
            await contacts.add(ports, owner, ContactPolicy.OPEN, other)
    assert await ports.contacts.roster(CAROL) == []
    assert engine.told == []


async def test_two_who_add_each_other_at_the_same_moment_are_friends(ports: Ports) -> None:
    async def add(owner: str, others: Sequence[str]) -> None:
        for other in others:
            await contacts.add(ports, owner, ContactPolicy.REQUEST, other)

    async with anyio.create_task_group() as group:
        group.start_soon(add, ADA, ["bob", "carol"])
        group.start_soon(add, BOB, ["ada", "carol"])
        group.start_soon(add, CAROL, ["bob", "ada"])
    for jid in (ADA, BOB, CAROL):
        assert set((await states(ports, jid)).values()) == {FriendState.FRIEND}


async def test_a_request_keeps_its_content_until_it_is_answered(ports: Ports) -> None:
    """RFC 6121, section 3.1.3."""
    await contacts.subscription(ports, ADA, BOB, Kind.SUBSCRIBE, "<status>Ada</status>")
    await contacts.subscription(ports, ADA, BOB, Kind.SUBSCRIBE, "<status>Ada again</status>")  # is not delivered
    waiting = await ports.contacts.lookup(BOB, ADA)
    assert waiting is not None
    assert waiting.request == "<status>Ada</status>"
    await contacts.subscription(ports, BOB, ADA, Kind.SUBSCRIBED)
    assert await ports.contacts.lookup(BOB, ADA) == RosterItem(ADA, "from")


async def test_of_a_request_that_says_too_much_nothing_but_the_request_is_kept(ports: Ports) -> None:
    await contacts.subscription(ports, ADA, BOB, Kind.SUBSCRIBE, "é" * limits.SUBSCRIPTION_REQUEST_MAX_BYTES)
    waiting = await ports.contacts.lookup(BOB, ADA)
    assert waiting == RosterItem(ADA, is_pending_in=True, is_listed=False)
