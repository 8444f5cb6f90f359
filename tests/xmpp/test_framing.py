"""How a stream stands on TCP and on a WebSocket."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest

from heliograph.xmpp.framing import STREAM_TAG, Framing, TcpFraming, WebSocketFraming
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, ReaderPool, StreamEnd, StreamError, StreamHeader

LIMITS = Limits(max_bytes=200, max_depth=8, max_elements=16)
NS_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
NAMES = " from='a&apos;b' version='1.0'"
OPEN = f"<open xmlns='{NS_FRAMING}' to='x' version='1.0' xml:lang='en'/>".encode()
STREAM = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='x' version='1.0'>"


def tcp() -> TcpFraming:
    return TcpFraming(LIMITS, ReaderPool())


def websocket() -> WebSocketFraming:
    return WebSocketFraming(LIMITS)


def test_the_same_conversation_is_the_same_events_on_both() -> None:
    stanza = b"<presence xmlns='jabber:client'><show>away</show></presence>"
    over_tcp = tcp().read(STREAM + stanza + b"<a xmlns='urn:a'/></stream:stream>")
    on = websocket()
    messages = (OPEN, stanza, b"<a xmlns='urn:a'/>", f"<close xmlns='{NS_FRAMING}'/>".encode())
    over_websocket = [event for message in messages for event in on.read(message)]
    for header, presence, nonza, end in (over_tcp, over_websocket):
        assert isinstance(header, StreamHeader)
        assert (header.tag, header.default_ns) == (STREAM_TAG, "jabber:client")
        assert (header.attrib["to"], header.attrib["version"]) == ("x", "1.0")
        assert isinstance(presence, Stanza)
        assert presence.inner() == b"<show>away</show>"
        assert isinstance(nonza, Element)
        assert end == StreamEnd()


def test_headers_ends_and_errors_as_they_are_written() -> None:
    assert tcp().open(NAMES) == (
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        b" from='a&apos;b' version='1.0'>"
    )
    assert websocket().open(NAMES) == f"<open xmlns='{NS_FRAMING}' from='a&apos;b' version='1.0'/>".encode()
    assert tcp().close_tag() == b"</stream:stream>"
    assert websocket().close_tag() == f"<close xmlns='{NS_FRAMING}'/>".encode()
    assert tcp().stream_element("features", "<x/>") == b"<stream:features><x/></stream:features>"
    assert websocket().stream_element("features", "<x/>") == (
        b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'><x/></stream:features>"
    )


@pytest.mark.parametrize("name", ["message", "presence", "iq"])
def test_a_stanza_encoded_for_tcp_stands_alone_on_a_websocket(name: str) -> None:
    for stanza in (f"<{name} to='a'><x xmlns='urn:x'/></{name}>".encode(), f"<{name}/>".encode()):
        assert tcp().stanza(stanza) == stanza
        alone = fromstring(websocket().stanza(stanza))
        assert alone.tag == f"{{jabber:client}}{name}"
        assert [child.tag for child in alone] in ([], ["{urn:x}x"])


def test_what_brings_its_own_namespace_stays_as_it_is() -> None:
    proceed = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    assert tcp().stanza(proceed) == websocket().stanza(proceed) == proceed


def test_a_stream_can_be_opened_anew_in_the_middle_of_anything() -> None:
    framing = tcp()
    framing.read(STREAM + b"<message><bo")
    framing.restart()
    (header,) = framing.read(STREAM)
    assert isinstance(header, StreamHeader)
    assert framing.limits == LIMITS


@pytest.mark.parametrize("framing", [tcp(), websocket()], ids=["tcp", "websocket"])
def test_a_wider_limit_holds_from_the_next_stanza_on(framing: Framing) -> None:
    stanza = b"<message xmlns='jabber:client'>" + b"x" * 200 + b"</message>"
    framing.read(OPEN if framing.is_document_per_message else STREAM)
    framing.limits = Limits(400, 8, 16)
    (event,) = framing.read(stanza)
    assert isinstance(event, Stanza)
    framing.limits = LIMITS
    with pytest.raises(StreamError, match="policy-violation"):
        framing.read(stanza)


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (b"", "not-well-formed"),
        (b"   ", "not-well-formed"),
        (b"text", "not-well-formed"),
        (b"<a xmlns='urn:a'>", "not-well-formed"),
        (b"<a xmlns='urn:a'/><b xmlns='urn:b'/>", "not-well-formed"),
        (b"<!DOCTYPE a><a xmlns='urn:a'/>", "restricted-xml"),
        (b"<a xmlns='urn:a'><?pi?></a>", "restricted-xml"),
        (b"<a xmlns='urn:a'/><!-- -->", "restricted-xml"),
        (b"<stream:features/>", "bad-namespace-prefix"),
        (b"\xff\xfe", "not-well-formed"),
    ],
)
def test_a_message_is_one_document_of_plain_elements(message: bytes, condition: str) -> None:
    with pytest.raises(StreamError) as caught:
        websocket().read(message)
    assert caught.value.condition == condition


def test_what_was_complete_before_an_error_comes_with_it() -> None:
    framing = tcp()
    with pytest.raises(StreamError) as caught:
        framing.read(STREAM + b"<presence/><message></body>")
    assert [type(event) for event in caught.value.completed] == [StreamHeader, Stanza]
    with pytest.raises(StreamError) as caught:
        tcp().read(b"<<>")
    assert list(caught.value.completed) == []
