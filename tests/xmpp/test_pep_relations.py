"""Requests for subscriptions and affiliations, and their answers (XEP-0060, sections 6 and 8)."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp import pep_relations
from heliograph.xmpp.jid import parse
from heliograph.xmpp.pep import Relation, RelationsRequest
from heliograph.xmpp.pep_relations import Entry, RelationsChange, SubscriptionRequest
from heliograph.xmpp.stanza_error import StanzaError

PUBSUB = "http://jabber.org/protocol/pubsub"
BOB = parse("bob@chat.example")


def pubsub(content: str, namespace: str = PUBSUB) -> Element:
    return fromstring(f"<pubsub xmlns='{namespace}'>{content}</pubsub>")


def owner(content: str) -> Element:
    return pubsub(content, f"{PUBSUB}#owner")


def test_subscriptions_are_asked_for_and_ended() -> None:
    read = pep_relations.parse_subscription
    assert read(pubsub("<subscribe node='n' jid='BOB@chat.example'/>")) == SubscriptionRequest("n", BOB, is_end=False)
    assert read(pubsub("<unsubscribe node='n' jid='bob@chat.example' subid='x'/>")) == SubscriptionRequest(
        "n", BOB, is_end=True
    )
    assert read(pubsub("<items node='n'/>")) is None


@pytest.mark.parametrize(
    ("content", "condition", "application"),
    [
        ("<subscribe node='n'/>", "bad-request", "jid-required"),
        ("<subscribe node='n' jid='@'/>", "bad-request", "invalid-jid"),
        ("<subscribe jid='bob@x'/>", "bad-request", "nodeid-required"),
        ("<subscribe node='n' jid='bob@x'/><options/>", "feature-not-implemented", "subscription-options"),
    ],
)
def test_malformed_subscriptions_are_refused(content: str, condition: str, application: str) -> None:
    with pytest.raises(StanzaError) as raised:
        pep_relations.parse_subscription(pubsub(content))
    assert raised.value.condition.condition == condition
    assert application in raised.value.application


def test_everybody_subscribes_for_themselves() -> None:
    for is_end, condition in ((False, "bad-request"), (True, "forbidden")):
        request = SubscriptionRequest("n", BOB, is_end)
        pep_relations.check_own(request, BOB.bare)
        with pytest.raises(StanzaError) as raised:
            pep_relations.check_own(request, "eve@chat.example")
        assert raised.value.condition.condition == condition


def test_the_owner_names_others() -> None:
    content = "<affiliations node='n'><affiliation jid='bob@chat.example' affiliation='member'/></affiliations>"
    expected = RelationsChange(Relation.AFFILIATIONS, "n", (Entry(BOB, "member"),))
    assert pep_relations.parse_relations(owner(content)) == expected
    content = "<subscriptions node='n'><subscription jid='bob@chat.example' subscription='none'/></subscriptions>"
    expected = RelationsChange(Relation.SUBSCRIPTIONS, "n", (Entry(BOB, "none"),))
    assert pep_relations.parse_relations(owner(content)) == expected
    assert pep_relations.parse_relations(owner("<purge node='n'/>")) is None


@pytest.mark.parametrize("value", ["owner", "publisher", "publish-only", "", "subscribed"])
def test_what_nobody_can_be_to_a_node_is_refused(value: str) -> None:
    for name in ("affiliation", "subscription"):
        content = f"<{name}s node='n'><{name} jid='bob@x' {name}='{value}'/></{name}s>"
        with pytest.raises(StanzaError) as raised:
            pep_relations.parse_relations(owner(content))
        assert raised.value.condition.condition == "not-acceptable"


def test_a_request_names_so_many_and_no_more() -> None:
    entries = "<affiliation jid='bob@x' affiliation='none'/>" * 65
    with pytest.raises(StanzaError):
        pep_relations.parse_relations(owner(f"<affiliations node='n'>{entries}</affiliations>"))


def test_answers_tell_node_and_jid() -> None:
    line = "<subscription node='n' jid='bob@x' subscription='subscribed'/>"
    assert pep_relations.subscribed_xml("n", "bob@x") == f"<pubsub xmlns='{PUBSUB}'>{line}</pubsub>"
    own = pep_relations.own_relations_xml(Relation.SUBSCRIPTIONS, [("n", "bob@x")])
    assert own == f"<pubsub xmlns='{PUBSUB}'><subscriptions>{line}</subscriptions></pubsub>"
    request = RelationsRequest(Relation.SUBSCRIPTIONS, "n")
    assert pep_relations.relations_xml(request, [("bob@x", "")]) == (
        f"<pubsub xmlns='{PUBSUB}#owner'><subscriptions node='n'>"
        "<subscription jid='bob@x' subscription='subscribed'/></subscriptions></pubsub>"
    )
