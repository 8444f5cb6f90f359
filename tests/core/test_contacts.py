"""The rules of contacts, without a store: two rosters that always agree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heliograph.core import limits
from heliograph.core.apps import ContactPolicy
from heliograph.core.contacts import (
    FriendState,
    Pair,
    RosterItem,
    befriend,
    check_contact,
    check_room,
    exchange,
    friend_state,
    jid_of,
    part,
)
from heliograph.errors import ContactInvalid, ContactLimit
from heliograph.xmpp.presence import Kind

ADA = "ada@chat.example"
BOB = "bob@chat.example"
STRANGERS = Pair(ADA, BOB, None, None)
KINDS = (Kind.SUBSCRIBE, Kind.SUBSCRIBED, Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED)


def after(pair: Pair, *steps: tuple[str, Kind]) -> Pair:
    """The pair after stanzas, each from `ada` or `bob`, with Ada as the owner."""
    for who, kind in steps:
        pair = exchange(pair, kind).pair if who == "ada" else exchange(pair.turned(), kind).pair.turned()
    return pair


def states(pair: Pair) -> tuple[FriendState | None, FriendState | None]:
    return pair.item and friend_state(pair.item), pair.mirror and friend_state(pair.mirror)


def test_a_request_is_listed_by_the_asker_and_hidden_from_the_roster_of_the_asked() -> None:
    pair = after(STRANGERS, ("ada", Kind.SUBSCRIBE))
    assert pair.item == RosterItem(BOB, is_pending_out=True)
    assert pair.mirror == RosterItem(ADA, is_pending_in=True, is_listed=False)


def test_a_refused_request_leaves_no_trace_with_the_asked_and_an_item_with_the_asker() -> None:
    pair = after(STRANGERS, ("ada", Kind.SUBSCRIBE), ("bob", Kind.UNSUBSCRIBED))
    assert (pair.item, pair.mirror) == (RosterItem(BOB), None)


def test_a_request_taken_back_leaves_no_trace_with_the_asked() -> None:
    assert after(STRANGERS, ("ada", Kind.SUBSCRIBE), ("ada", Kind.UNSUBSCRIBE)).mirror is None


def test_an_approved_request_is_listed_on_both_sides() -> None:
    pair = after(STRANGERS, ("ada", Kind.SUBSCRIBE), ("bob", Kind.SUBSCRIBED))
    assert (pair.item, pair.mirror) == (RosterItem(BOB, "to"), RosterItem(ADA, "from"))


def test_an_item_keeps_its_name_and_groups_through_all_states() -> None:
    named = replace(STRANGERS, item=RosterItem(BOB, name="Bob", groups=("Work",)))
    pair = after(named, ("ada", Kind.SUBSCRIBE), ("bob", Kind.SUBSCRIBED), ("bob", Kind.UNSUBSCRIBED))
    assert pair.item == RosterItem(BOB, name="Bob", groups=("Work",))


def test_a_pre_approved_request_is_answered_for_the_user_and_not_delivered() -> None:
    approved = after(STRANGERS, ("bob", Kind.SUBSCRIBED))
    assert approved.mirror == RosterItem(ADA, is_approved=True)
    asked = exchange(approved, Kind.SUBSCRIBE)
    assert (asked.is_routed, asked.is_answered) == (False, True)
    assert (asked.pair.item, asked.pair.mirror) == (RosterItem(BOB, "to"), RosterItem(ADA, "from"))


def test_a_second_request_is_not_delivered_again() -> None:
    once = after(STRANGERS, ("ada", Kind.SUBSCRIBE))
    assert not exchange(once, Kind.SUBSCRIBE).is_routed


def consistent(pair: Pair) -> bool:
    item, mirror = pair.item or RosterItem(BOB), pair.mirror or RosterItem(ADA)
    return (
        (item.subscription in ("to", "both")) == (mirror.subscription in ("from", "both"))
        and (item.subscription in ("from", "both")) == (mirror.subscription in ("to", "both"))
        and item.is_pending_out == mirror.is_pending_in
        and item.is_pending_in == mirror.is_pending_out
    )


def act(pair: Pair, action: str) -> Pair:
    if action == "remove":
        return part(pair)
    if action in KINDS:
        return exchange(pair, Kind(action)).pair
    return befriend(pair, ContactPolicy(action))


def reachable() -> list[Pair]:
    """Every pair that two users can come to by subscription stanzas, additions and removals, in any order."""
    found = {STRANGERS: None}
    waiting = [STRANGERS]
    while waiting:
        pair = waiting.pop()
        for action in (*KINDS, *ContactPolicy, "remove"):
            for came in (act(pair, action), act(pair.turned(), action).turned()):
                if came not in found:
                    found[came] = None
                    waiting.append(came)
    return list(found)


REACHABLE = reachable()


def test_whatever_two_users_do_their_rosters_agree() -> None:
    assert len(REACHABLE) > 20
    assert all(map(consistent, REACHABLE))


def test_only_a_request_that_waits_is_hidden() -> None:
    for pair in REACHABLE:
        for item in (pair.item, pair.mirror):
            assert (
                item is None
                or item.is_listed
                or replace(item, is_pending_in=False) == RosterItem(item.jid, is_listed=False)
            )


def test_the_open_policy_makes_friends_from_anywhere() -> None:
    for pair in REACHABLE:
        assert states(befriend(pair, ContactPolicy.OPEN)) == (FriendState.FRIEND, FriendState.FRIEND)


def test_two_who_add_each_other_are_friends_from_anywhere() -> None:
    for pair in REACHABLE:
        asked = befriend(pair, ContactPolicy.REQUEST)
        assert states(asked)[0] in (FriendState.REQUESTED, FriendState.FRIEND)
        accepted = befriend(asked.turned(), ContactPolicy.REQUEST).turned()
        assert states(accepted) == (FriendState.FRIEND, FriendState.FRIEND)
        assert accepted.item is not None
        assert not accepted.item.is_approved


def test_removing_ends_everything_from_anywhere() -> None:
    for pair in REACHABLE:
        gone = part(pair)
        assert gone.item is None
        assert gone.mirror is None or (gone.mirror.subscription, gone.mirror.is_pending_in) == ("none", False)
        assert consistent(gone)


def test_under_the_open_policy_one_addition_makes_both_sides_both() -> None:
    pair = befriend(STRANGERS, ContactPolicy.OPEN)
    assert (pair.item, pair.mirror) == (RosterItem(BOB, "both"), RosterItem(ADA, "both"))


def test_under_the_request_policy_an_addition_asks() -> None:
    pair = befriend(STRANGERS, ContactPolicy.REQUEST)
    assert states(pair) == (FriendState.REQUESTED, FriendState.RECEIVED)
    assert befriend(pair, ContactPolicy.REQUEST) == pair


def test_a_plain_client_that_accepts_makes_a_friend_of_one_who_added_it() -> None:
    asked = befriend(STRANGERS, ContactPolicy.REQUEST)
    accepted = after(asked, ("bob", Kind.SUBSCRIBED), ("bob", Kind.SUBSCRIBE))
    assert states(accepted) == (FriendState.FRIEND, FriendState.FRIEND)


def test_removing_a_friend_cuts_both_sides_and_leaves_the_other_an_empty_item() -> None:
    pair = part(befriend(STRANGERS, ContactPolicy.OPEN))
    assert (pair.item, pair.mirror) == (None, RosterItem(ADA))
    assert states(pair) == (None, None)


def test_removing_a_request_removes_it_on_both_sides() -> None:
    asked = befriend(STRANGERS, ContactPolicy.REQUEST)
    assert part(asked) == STRANGERS
    declined = part(asked.turned()).turned()
    assert declined.mirror is None
    assert states(declined)[0] is None


@pytest.mark.parametrize(
    ("item", "state"),
    [
        (RosterItem(BOB, "both"), FriendState.FRIEND),
        (RosterItem(BOB, is_pending_out=True), FriendState.REQUESTED),
        (RosterItem(BOB, "from", is_pending_out=True), FriendState.REQUESTED),
        (RosterItem(BOB, "to", is_approved=True), FriendState.REQUESTED),
        (RosterItem(BOB, is_pending_in=True, is_listed=False), FriendState.RECEIVED),
        (RosterItem(BOB, "to", is_pending_in=True), FriendState.RECEIVED),
        (RosterItem(BOB, is_pending_out=True, is_pending_in=True), FriendState.RECEIVED),
        (RosterItem(BOB, "to"), None),
        (RosterItem(BOB, "from"), None),
        (RosterItem(BOB, is_approved=True), None),
        (RosterItem(BOB), None),
    ],
)
def test_what_the_sdks_call_a_roster_item(item: RosterItem, state: FriendState | None) -> None:
    assert friend_state(item) is state


def test_a_full_roster_takes_no_new_item_on_either_side() -> None:
    made = befriend(STRANGERS, ContactPolicy.OPEN)
    full = limits.CONTACTS_MAX
    assert check_room(STRANGERS, made, full - 1, full - 1) is made
    for counts in ((full, 0), (0, full)):
        with pytest.raises(ContactLimit):
            check_room(STRANGERS, made, *counts)


def test_a_full_roster_can_still_change_and_lose_items() -> None:
    made = befriend(STRANGERS, ContactPolicy.OPEN)
    gone = part(made)
    assert check_room(made, gone, limits.CONTACTS_MAX, limits.CONTACTS_MAX) is gone


def test_a_contact_is_somebody_else_of_the_same_domain() -> None:
    assert jid_of(ADA, "bob") == BOB
    assert check_contact(ADA, BOB) == BOB
    for wrong in (ADA, "bob@sandbox.chat.example", "bob@other.example", "chat.example"):
        with pytest.raises(ContactInvalid):
            check_contact(ADA, wrong)
    with pytest.raises(ContactInvalid):
        jid_of(ADA, "ada")
