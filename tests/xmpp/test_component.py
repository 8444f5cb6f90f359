"""A component's side of a server: the handshake, delegated requests, privileged messages."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp import component
from heliograph.xmpp.stanza import Stanza, iq_result

REQUEST = (
    "<iq xmlns='jabber:component:accept' type='set' from='chat.test' to='hg.test' id='9'>"
    "<delegation xmlns='urn:xmpp:delegation:{version}'><forwarded xmlns='urn:xmpp:forward:0'>"
    "<iq xmlns='jabber:client' type='get' from='ada@chat.test/a' to='bob@chat.test' id='1'><vCard xmlns='vcard-temp'/>"
    "</iq></forwarded></delegation></iq>"
)


def received(xml: str) -> Stanza:
    stanza = component.as_stanza(fromstring(xml))
    assert stanza is not None
    return stanza


def test_the_handshake_is_the_sha1_of_stream_id_and_secret() -> None:
    assert component.handshake("3BF96D32", "test") == b"<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>"


def test_the_header_quotes_the_name() -> None:
    assert b"to='a&apos;b'" in component.header("a'b")


@pytest.mark.parametrize("version", [1, 2])
def test_a_delegated_request_is_the_users_own_and_is_answered_in_the_same_version(version: int) -> None:
    delegated = component.find_delegated(received(REQUEST.format(version=version)))
    assert delegated is not None
    request = delegated.request
    assert (request.type, request.get("from"), request.to) == ("get", "ada@chat.test/a", "bob@chat.test")
    answer = component.delegated_answer(delegated, iq_result(request, "ada@chat.test/a"))
    assert answer.decode() == (
        "<iq type='result' id='9' from='hg.test' to='chat.test'>"
        f"<delegation xmlns='urn:xmpp:delegation:{version}'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<iq xmlns='jabber:client' type='result' id='1' from='bob@chat.test' to='ada@chat.test/a'/>"
        "</forwarded></delegation></iq>"
    )


@pytest.mark.parametrize(
    "xml",
    [
        "<iq xmlns='jabber:component:accept' type='set' id='1'/>",
        "<iq xmlns='jabber:component:accept' type='set' id='1'><delegation xmlns='urn:other'/></iq>",
        "<iq xmlns='jabber:component:accept' type='set' id='1'><delegation xmlns='urn:xmpp:delegation:1'/></iq>",
        "<message xmlns='jabber:component:accept'/>",
    ],
)
def test_nothing_else_is_a_delegated_request(xml: str) -> None:
    assert component.find_delegated(received(xml)) is None


def test_what_is_no_stanza_of_the_stream_is_none() -> None:
    assert component.as_stanza(fromstring("<iq xmlns='jabber:client'/>")) is None
    assert component.as_stanza(fromstring("<handshake xmlns='jabber:component:accept'/>")) is None


def test_a_stanza_is_read_as_one_of_a_client_with_all_that_it_holds() -> None:
    stanza = received("<presence xmlns='jabber:component:accept' to='x'><priority>5</priority></presence>")
    assert stanza.element.findtext("{jabber:client}priority") == "5"
    bare = component.without_receiver(stanza)
    assert (bare.to, bare.inner()) == (None, b"<priority>5</priority>")


@pytest.mark.parametrize("version", [1, 2])
def test_a_privilege_is_used_in_the_version_in_which_it_was_granted(version: int) -> None:
    granted = received(
        f"<message xmlns='jabber:component:accept'><privilege xmlns='urn:xmpp:privilege:{version}'/></message>"
    )
    namespace = component.find_privilege(granted)
    assert namespace == f"urn:xmpp:privilege:{version}"
    message = component.privileged(b"<message from='a@chat.test' to='b'/>", "hg.test", "chat.test", namespace)
    assert message.decode() == (
        f"<message from='hg.test' to='chat.test'><privilege xmlns='{namespace}'>"
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='a@chat.test' to='b'/></forwarded>"
        "</privilege></message>"
    )


def test_a_message_without_privileges_grants_none() -> None:
    assert component.find_privilege(received("<message xmlns='jabber:component:accept'/>")) is None
