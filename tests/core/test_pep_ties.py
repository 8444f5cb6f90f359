"""Who sees a node, who is told of it, and where there is no room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from heliograph.core import limits, pep_ties
from heliograph.core.contacts import RosterItem
from heliograph.core.pep_ties import Found, Tie, Visitor, visitor_of
from heliograph.core.profiles import Viewer
from heliograph.xmpp.pep_config import AccessModel, NodeConfig
from heliograph.xmpp.pep_relations import Affiliation
from heliograph.xmpp.stanza_error import StanzaError

ADA, BOB = "ada@chat.example", "bob@chat.example"
OPEN = NodeConfig(AccessModel.OPEN)
CLOSED = NodeConfig(AccessModel.WHITELIST)
FRIENDS = NodeConfig(AccessModel.ROSTER, roster_groups=("Friends", "Family"))
STRANGER = Visitor(Viewer.STRANGER)
BARE = Tie(ADA, "n", BOB)
MEMBER = replace(BARE, affiliation=Affiliation.MEMBER)
SUBSCRIBED = replace(BARE, subscriptions=(BOB,))


def condition(raised: pytest.ExceptionInfo[StanzaError]) -> str:
    return raised.value.condition.condition


@pytest.mark.parametrize(
    ("model", "viewers", "expected"),
    [
        (AccessModel.OPEN, {Viewer.SELF, Viewer.CONTACT, Viewer.STRANGER}, ""),
        (AccessModel.PRESENCE, {Viewer.SELF, Viewer.CONTACT}, "presence-subscription-required"),
        (AccessModel.ROSTER, {Viewer.SELF}, "not-in-roster-group"),
        (AccessModel.WHITELIST, {Viewer.SELF}, "closed-node"),
    ],
)
def test_a_node_is_seen_by_whom_its_access_model_names(model: AccessModel, viewers: set[Viewer], expected: str) -> None:
    config = NodeConfig(model)
    assert {viewer for viewer in Viewer if Visitor(viewer).sees("n", config)} == viewers
    for viewer in set(Viewer) - viewers:
        with pytest.raises(StanzaError) as raised:
            Visitor(viewer).check("n", config)
        assert expected in raised.value.application


@pytest.mark.parametrize("model", list(AccessModel))
def test_whom_the_owner_names_sees_the_node_or_does_not_whatever_its_access_model(model: AccessModel) -> None:
    config = NodeConfig(model)
    assert visitor_of(None, [MEMBER]).sees("n", config)
    assert visitor_of(None, [MEMBER]).sees("other", config) is (model is AccessModel.OPEN)
    outcast = visitor_of(RosterItem(BOB, "both"), [replace(BARE, affiliation=Affiliation.OUTCAST)])
    with pytest.raises(StanzaError) as raised:
        outcast.check("n", config)
    assert condition(raised) == "forbidden"


def test_contacts_in_one_of_the_groups_see_a_node_for_groups() -> None:
    def sees(subscription: str, *groups: str) -> bool:
        return visitor_of(RosterItem(BOB, subscription, "", groups), ()).sees("n", FRIENDS)

    assert sees("both", "Work", "Family")
    assert sees("from", "Friends")
    assert not sees("both", "Work")
    assert not sees("to", "Friends")
    assert not sees("both")


def test_subscribing_and_ending_it() -> None:
    tie = pep_ties.decide_subscribe(Found(OPEN, BARE, 0, 0), STRANGER, BOB)
    assert tie == SUBSCRIBED
    assert pep_ties.decide_subscribe(Found(OPEN, tie, 1, 1), STRANGER, BOB) == tie
    assert pep_ties.decide_unsubscribe(Found(OPEN, tie, 1, 1), BOB).is_empty
    assert pep_ties.decide_end(Found(OPEN, tie, 1, 1)).is_empty
    with pytest.raises(StanzaError) as raised:
        pep_ties.decide_unsubscribe(Found(OPEN, tie, 1, 1), f"{BOB}/x")
    assert (condition(raised), "not-subscribed" in raised.value.application) == ("unexpected-request", True)


def test_nobody_subscribes_to_what_is_not_there_or_not_for_them() -> None:
    for config, expected in ((None, "item-not-found"), (CLOSED, "not-allowed")):
        with pytest.raises(StanzaError) as raised:
            pep_ties.decide_subscribe(Found(config, BARE, 0, 0), STRANGER, BOB)
        assert condition(raised) == expected
    assert pep_ties.decide_subscribe(Found(CLOSED, MEMBER, 1, 1), STRANGER, BOB).subscriptions == (BOB,)


def test_who_does_not_see_a_node_any_more_is_not_told_of_it() -> None:
    tied = replace(SUBSCRIBED, affiliation=Affiliation.MEMBER)
    assert pep_ties.decide_affiliation(Found(CLOSED, tied, 1, 1), STRANGER, Affiliation.NONE).is_empty
    assert pep_ties.decide_affiliation(Found(OPEN, tied, 1, 1), STRANGER, Affiliation.NONE) == SUBSCRIBED
    outcast = pep_ties.decide_affiliation(Found(OPEN, tied, 1, 1), STRANGER, Affiliation.OUTCAST)
    assert outcast == replace(BARE, affiliation=Affiliation.OUTCAST)


@pytest.mark.parametrize(
    "found",
    [
        Found(OPEN, BARE, limits.PEP_NODE_TIES_MAX, 0),
        Found(OPEN, BARE, 0, limits.PEP_SUBSCRIBED_NODES_MAX),
        Found(OPEN, replace(BARE, subscriptions=tuple(map(str, range(limits.PEP_SUBSCRIPTIONS_MAX)))), 1, 1),
    ],
)
def test_there_are_so_many_subscriptions_and_no_more(found: Found) -> None:
    with pytest.raises(StanzaError) as raised:
        pep_ties.decide_subscribe(found, STRANGER, BOB)
    assert raised.value.condition == ("wait", "policy-violation")
    full = Found(OPEN, MEMBER, limits.PEP_NODE_TIES_MAX, 1)  # who is counted already needs no more room
    assert pep_ties.decide_subscribe(full, STRANGER, BOB).subscriptions == (BOB,)


def test_who_is_named_by_many_can_be_named_by_more() -> None:
    found = Found(CLOSED, BARE, 0, limits.PEP_SUBSCRIBED_NODES_MAX)
    assert pep_ties.decide_affiliation(found, STRANGER, Affiliation.MEMBER) == MEMBER
