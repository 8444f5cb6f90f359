from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp import pep
from heliograph.xmpp.pep import ItemsRequest, Publish, Retract
from heliograph.xmpp.pep_relations import own_relations_xml
from heliograph.xmpp.stanza import serialize
from heliograph.xmpp.stanza_error import StanzaError

PUBSUB = "http://jabber.org/protocol/pubsub"
ERRORS = "http://jabber.org/protocol/pubsub#errors"
EVENT = "http://jabber.org/protocol/pubsub#event"
NICK = "<nick xmlns='http://jabber.org/protocol/nick'>Ada</nick>"


def pubsub(content: str) -> Element:
    return fromstring(f"<pubsub xmlns='{PUBSUB}'>{content}</pubsub>")


def test_a_publish_request_is_read() -> None:
    found = pep.parse_set(pubsub(f"<publish node='n'><item id='i'>{NICK}</item></publish>"))
    assert isinstance(found, Publish)
    assert (found.node, found.item_id, serialize(found.payload), found.options) == ("n", "i", NICK, {})


def test_an_item_without_an_id_leaves_the_choice_to_the_service() -> None:
    found = pep.parse_set(pubsub(f"<publish node='n'><item>{NICK}</item></publish>"))
    assert isinstance(found, Publish)
    assert found.item_id is None


def options(form_type: str) -> str:
    return (
        "<publish-options><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>"
        "<field var='pubsub#access_model'><value>open</value></field></x></publish-options>"
    )


def test_publish_options_are_read() -> None:
    found = pep.parse_set(pubsub(f"<publish node='n'><item>{NICK}</item></publish>{options(pep.PUBLISH_OPTIONS)}"))
    assert isinstance(found, Publish)
    assert found.options == {"pubsub#access_model": ("open",)}


def test_requests_for_items_are_read() -> None:
    assert pep.parse_get(pubsub("<items node='n'/>")) == ItemsRequest("n")
    assert pep.parse_get(pubsub("<items node='n' max_items='3'/>")) == ItemsRequest("n", max_items=3)
    assert pep.parse_get(pubsub("<items node='n'><item id='a'/><item id='b'/></items>")) == ItemsRequest(
        "n", ("a", "b")
    )


def test_a_retraction_is_read() -> None:
    assert pep.parse_set(pubsub("<retract node='n' notify='true'><item id='i'/></retract>")) == Retract("n", "i", True)
    assert pep.parse_set(pubsub("<retract node='n'><item id='i'/></retract>")) == Retract("n", "i", False)


@pytest.mark.parametrize(
    ("content", "condition", "application"),
    [
        ("", "bad-request", None),
        ("<publish/>", "bad-request", "nodeid-required"),
        ("<publish node='n'/>", "bad-request", "item-required"),
        ("<publish node='n'><other/></publish>", "bad-request", "item-required"),
        ("<publish node='n'><item/></publish>", "bad-request", "payload-required"),
        ("<publish node='n'><item><a/><b/></item></publish>", "bad-request", "invalid-payload"),
        ("<publish node='n'><item><a/></item><item><a/></item></publish>", "bad-request", "max-items-exceeded"),
        (f"<publish node='{'n' * 1024}'><item><a/></item></publish>", "bad-request", None),
        (f"<publish node='n'><item id='{'i' * 1024}'><a/></item></publish>", "bad-request", None),
        (f"<publish node='n'><item><a/></item></publish>{options('other')}", "bad-request", None),
        ("<retract node='n'/>", "bad-request", "item-required"),
        ("<retract node='n'><item/></retract>", "bad-request", "item-required"),
        ("<nonsense/>", "bad-request", None),
    ],
)
def test_a_wrong_request_is_refused_with_its_conditions(content: str, condition: str, application: str | None) -> None:
    with pytest.raises(StanzaError) as caught:
        pep.parse_set(pubsub(content))
    assert caught.value.condition.condition == condition
    told = fromstring(caught.value.application).tag if caught.value.application else None
    assert told == (application and f"{{{ERRORS}}}{application}")


def test_an_unsupported_action_names_its_feature() -> None:
    with pytest.raises(StanzaError) as caught:
        pep.parse_get(pubsub("<options node='n' jid='a@b'/>"))
    assert caught.value.application == f"<unsupported xmlns='{ERRORS}' feature='subscription-options'/>"


def test_relations_are_asked_for_with_a_node_or_without_one() -> None:
    assert pep.parse_get(pubsub("<subscriptions/>")) == pep.RelationsRequest(pep.Relation.SUBSCRIPTIONS, None)
    assert pep.parse_get(pubsub("<affiliations node='n'/>")) == pep.RelationsRequest(pep.Relation.AFFILIATIONS, "n")
    start = "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
    assert own_relations_xml(pep.Relation.SUBSCRIPTIONS, []) == f"{start}<subscriptions></subscriptions></pubsub>"
    told = "<affiliations><affiliation node='n' affiliation='owner'/></affiliations>"
    assert own_relations_xml(pep.Relation.AFFILIATIONS, [("n", "owner")]) == f"{start}{told}</pubsub>"


def test_a_page_of_items_is_asked_for() -> None:
    page = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><after>a</after></set>"
    request = pep.parse_get(pubsub(f"<items node='n'/>{page}"))
    assert isinstance(request, pep.ItemsRequest)
    assert request.page is not None
    assert (request.page.max, request.page.after, request.page.is_backwards) == (2, "a", False)


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "9999999999"])
def test_max_items_is_a_positive_number(number: str) -> None:
    with pytest.raises(StanzaError):
        pep.parse_get(pubsub(f"<items node='n' max_items='{number}'/>"))


def test_a_request_names_a_bounded_number_of_items() -> None:
    with pytest.raises(StanzaError):
        pep.parse_get(pubsub("<items node='n'>" + "<item id='i'/>" * 65 + "</items>"))


def test_answers_as_they_are_sent() -> None:
    assert pep.published_xml("n'1", "i") == (
        f"<pubsub xmlns='{PUBSUB}'><publish node='n&apos;1'><item id='i'/></publish></pubsub>"
    )
    assert pep.items_xml("n", [("i", NICK)]) == (
        f"<pubsub xmlns='{PUBSUB}'><items node='n'><item id='i'>{NICK}</item></items></pubsub>"
    )
    assert pep.items_xml("n", []) == f"<pubsub xmlns='{PUBSUB}'><items node='n'></items></pubsub>"


def test_a_request_to_publish_as_a_client_sends_it() -> None:
    assert pep.publish_xml("n", None, NICK) == (
        f"<pubsub xmlns='{PUBSUB}'><publish node='n'><item>{NICK}</item></publish></pubsub>"
    )


def test_a_notification_is_encoded_once_and_addressed_by_splicing() -> None:
    notification = pep.notification("ada@chat.example", pep.NODE_NICK, "current", NICK)
    assert notification.prefix == b"<message type='headline' from='ada@chat.example' to="
    assert notification.to("o'hara@chat.example/a&b") == (
        b"<message type='headline' from='ada@chat.example' to='o&apos;hara@chat.example/a&amp;b'>"
        b"<event xmlns='http://jabber.org/protocol/pubsub#event'>"
        b"<items node='http://jabber.org/protocol/nick'><item id='current'>"
        b"<nick xmlns='http://jabber.org/protocol/nick'>Ada</nick></item></items></event></message>"
    )


def test_an_event_is_read_as_it_was_written() -> None:
    event = pep.parse_event(fromstring(pep.event_xml("n", "i", NICK)))
    assert event is not None
    (item,) = event.items
    assert (event.node, item[0], item[1] is not None and serialize(item[1])) == ("n", "i", NICK)
    gone = pep.parse_event(fromstring(pep.retract_event_xml("n", "i")))
    assert gone == pep.Event("n", (), ("i",))
    assert pep.parse_event(fromstring(f"<event xmlns='{EVENT}'><purge node='n'/></event>")) is None


def test_a_pure_notification_has_no_payload() -> None:
    event = pep.parse_event(fromstring(f"<event xmlns='{EVENT}'><items node='n'><item id='i'/></items></event>"))
    assert event == pep.Event("n", (("i", None),))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=20))
def test_any_receiver_can_be_spliced_in(jid: str) -> None:
    stanza = fromstring(pep.notification("ada@x", "n", "i", NICK).to(jid))
    assert stanza.get("to") == jid
