from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp.roster import (
    Item,
    ItemLimits,
    RosterSet,
    item_xml,
    parse_get,
    parse_items,
    parse_set,
    push_xml,
    query_xml,
)
from heliograph.xmpp.stanza_error import StanzaError

LIMITS = ItemLimits(name_max_bytes=16, groups_max=3)
TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
)


def wish(content: str, limits: ItemLimits = LIMITS) -> RosterSet:
    return parse_set(fromstring(f"<query xmlns='jabber:iq:roster'>{content}</query>"), limits)


def condition(content: str) -> str:
    with pytest.raises(StanzaError) as caught:
        wish(content)
    return caught.value.condition.condition


def test_a_set_names_one_contact_with_name_and_groups() -> None:
    asked = wish("<item jid='bob@chat.example' name='Bob'><group>Work</group><group>Chess</group></item>")
    assert asked == RosterSet("bob@chat.example", "Bob", ("Work", "Chess"))


def test_what_a_client_says_of_its_subscription_is_not_read() -> None:
    asked = wish("<item jid='bob@chat.example' subscription='both' ask='subscribe' approved='true'/>")
    assert asked == RosterSet("bob@chat.example")


def test_a_removal_reads_nothing_but_the_jid() -> None:
    assert wish("<item jid='b@c' name='x' subscription='remove'/>") == RosterSet("b@c", is_removal=True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "bad-request"),
        ("<item jid='a@b'/><item jid='c@d'/>", "bad-request"),
        ("<item/>", "bad-request"),
        ("<item jid=''/>", "bad-request"),
        ("<other jid='a@b'/>", "bad-request"),
        ("<item jid='a@b'><group>x</group><group>x</group></item>", "bad-request"),
        ("<item jid='a@b'><group/></item>", "not-acceptable"),
        (f"<item jid='a@b' name='{'x' * 17}'/>", "not-acceptable"),
        ("<item jid='a@b' name='ééééééééé'/>", "not-acceptable"),
        (f"<item jid='a@b'><group>{'x' * 17}</group></item>", "not-acceptable"),
        ("<item jid='a@b'>" + "".join(f"<group>{n}</group>" for n in range(4)) + "</item>", "not-acceptable"),
    ],
)
def test_a_wrong_set_is_refused_with_its_condition(content: str, expected: str) -> None:
    assert condition(content) == expected


def test_a_get_may_say_which_version_the_client_has() -> None:
    assert parse_get(fromstring("<query xmlns='jabber:iq:roster'/>")).ver is None
    assert parse_get(fromstring("<query xmlns='jabber:iq:roster' ver=''/>")).ver == ""
    with pytest.raises(StanzaError):
        parse_get(fromstring("<query xmlns='jabber:iq:roster'><item jid='a@b'/></query>"))


def test_an_item_as_it_is_sent() -> None:
    item = Item("bob@chat.example", "none", "Bob's <3", ("R&D",), is_pending_out=True, is_approved=True)
    assert item_xml(item) == (
        "<item jid='bob@chat.example' name='Bob&apos;s &lt;3' approved='true' ask='subscribe' subscription='none'>"
        "<group>R&amp;D</group></item>"
    )


def test_a_roster_and_a_push_as_they_are_sent() -> None:
    assert query_xml([]) == "<query xmlns='jabber:iq:roster'/>"
    assert query_xml([Item("b@c", "to")], ver="v7") == (
        "<query xmlns='jabber:iq:roster' ver='v7'><item jid='b@c' subscription='to'/></query>"
    )
    assert push_xml(Item("b@c", "remove"), "p1", "ada@chat.example/phone") == (
        "<iq id='p1' to='ada@chat.example/phone' type='set'>"
        "<query xmlns='jabber:iq:roster'><item jid='b@c' subscription='remove'/></query></iq>"
    )


@given(
    st.builds(
        Item,
        jid=TEXT,
        subscription=st.sampled_from(["none", "to", "from", "both", "remove"]),
        name=st.just("") | TEXT,
        groups=st.lists(TEXT, max_size=3, unique=True).map(tuple),
        is_pending_out=st.booleans(),
        is_approved=st.booleans(),
    )
)
def test_any_item_is_read_as_it_was_written(item: Item) -> None:
    assert parse_items(fromstring(query_xml([item]))) == [item]


@given(TEXT, st.just("") | TEXT, st.lists(TEXT, max_size=3, unique=True).map(tuple))
def test_any_wish_is_read_as_it_was_written(jid: str, name: str, groups: tuple[str, ...]) -> None:
    written = query_xml([Item(jid, name=name, groups=groups)])
    assert parse_set(fromstring(written), ItemLimits(1024, 16)) == RosterSet(jid, name, groups)
