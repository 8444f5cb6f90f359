from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp.disco import (
    ENTRIES_MAX,
    Field,
    Form,
    Identity,
    Info,
    Item,
    Query,
    info_xml,
    items_xml,
    parse_info,
    parse_items,
    parse_query,
)
from heliograph.xmpp.stanza_error import StanzaError

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"


def test_requests_are_told_apart() -> None:
    assert parse_query(fromstring(f"<query xmlns='{INFO}'/>")) == Query(is_info=True, node=None)
    assert parse_query(fromstring(f"<query xmlns='{ITEMS}' node='n'/>")) == Query(is_info=False, node="n")
    assert parse_query(fromstring("<query xmlns='jabber:iq:roster'/>")) is None


def test_information_as_it_is_sent() -> None:
    identities = [Identity("server", "im", "Heliograph"), Identity("pubsub", "pep", lang="en")]
    form = Form((Field("FORM_TYPE", ("urn:x",), "hidden"), Field("a", ("1", "<2>"))))
    assert info_xml(identities, ["urn:xmpp:ping"], "n&1", [form]) == (
        f"<query xmlns='{INFO}' node='n&amp;1'>"
        "<identity category='server' type='im' name='Heliograph'/>"
        "<identity xml:lang='en' category='pubsub' type='pep'/>"
        "<feature var='urn:xmpp:ping'/>"
        "<x xmlns='jabber:x:data' type='result'>"
        "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>"
        "<field var='a'><value>1</value><value>&lt;2&gt;</value></field></x></query>"
    )


def test_information_is_read_as_it_was_written() -> None:
    info = Info(
        (Identity("client", "pc", "Ψ 0.11", "el"), Identity("client", "pc", "Psi 0.11", "en")),
        ("a", "b", "b"),
        (Form((Field("FORM_TYPE", ("t",), "hidden"), Field("os", ("Mac", "")))),),
    )
    assert parse_info(fromstring(info_xml(info.identities, info.features, forms=info.forms))) == info


def test_items_are_read_as_they_were_written() -> None:
    items = [Item("chat.example"), Item("ada@chat.example", "urn:xmpp:vcard4", "Card")]
    text = items_xml(items, "n")
    assert text == (
        f"<query xmlns='{ITEMS}' node='n'><item jid='chat.example'/>"
        "<item jid='ada@chat.example' node='urn:xmpp:vcard4' name='Card'/></query>"
    )
    assert parse_items(fromstring(text)) == items
    assert items_xml([]) == f"<query xmlns='{ITEMS}'></query>"


def test_an_endless_answer_is_refused() -> None:
    with pytest.raises(StanzaError):
        parse_info(fromstring(info_xml([], (f"f{n}" for n in range(ENTRIES_MAX + 1)))))
    form = Form(tuple(Field(f"v{n}", ()) for n in range(ENTRIES_MAX)))
    with pytest.raises(StanzaError):
        parse_info(fromstring(info_xml([], ["f"], forms=[form])))


def test_something_else_is_no_answer() -> None:
    with pytest.raises(StanzaError):
        parse_info(fromstring(items_xml([])))
    with pytest.raises(StanzaError):
        parse_items(fromstring(info_xml([], [])))
