"""Private XML storage: which elements can be kept, and what comes back."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp.private_storage import parse, result_xml
from heliograph.xmpp.stanza_error import StanzaError


def query(content: str) -> str:
    return f"<query xmlns='jabber:iq:private'>{content}</query>"


def test_an_element_is_kept_under_its_namespace() -> None:
    node, element = parse(fromstring(query("<prefs xmlns='urn:p'><a>1</a></prefs>")))
    assert (node, element.tag) == ("urn:p", "{urn:p}prefs")


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        ("", "bad-request"),
        ("<a xmlns='urn:p'/><b xmlns='urn:p'/>", "bad-request"),
        ("<a xmlns=''/>", "not-acceptable"),
        ("<a/>", "not-acceptable"),
        ("<query xmlns='jabber:iq:roster'/>", "not-acceptable"),
        ("<x xmlns='http://jabber.org/protocol/muc'/>", "not-acceptable"),
        ("<vCard xmlns='vcard-temp'/>", "not-acceptable"),
        ("<vcard xmlns='urn:xmpp:vcard4'/>", "not-acceptable"),
    ],
)
def test_what_cannot_be_kept_is_refused(content: str, condition: str) -> None:
    with pytest.raises(StanzaError) as caught:
        parse(fromstring(query(content)))
    assert caught.value.condition.condition == condition


def test_what_is_kept_comes_back_and_anything_else_comes_back_empty() -> None:
    wanted, kept = fromstring("<a xmlns='urn:p'/>"), fromstring("<a xmlns='urn:p'><b>1</b></a>")
    assert result_xml(wanted, kept) == query("<a xmlns='urn:p'><b>1</b></a>")
    for other in (None, fromstring("<c xmlns='urn:p'><b>1</b></c>")):
        assert result_xml(wanted, other) == query("<a xmlns='urn:p'/>")
