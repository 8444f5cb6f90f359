"""Reading streams, whole and in pieces, and the bounds on what a sender can cost."""

from __future__ import annotations

import contextlib
import itertools
import time
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp.stanza import Stanza, serialize
from heliograph.xmpp.stream import (
    Event,
    Limits,
    ReaderPool,
    StreamEnd,
    StreamError,
    StreamHeader,
    StreamParser,
    is_one_element,
    parse_document,
)

LIMITS = Limits(max_bytes=10_000, max_depth=32, max_elements=100)
HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='x'>"
)
FOREIGN = HEADER.replace(b"<stream:stream ", b"<stream:stream xmlns:foo='urn:foo' ")
CHAT = "<message to='b@x/r' id='1'><body>grüße &amp; 1 &lt; 2</body><x xmlns='urn:x'><y/>tail</x></message>".encode()


def parser(limits: Limits = LIMITS) -> StreamParser:
    return StreamParser(limits, ReaderPool())


def read(*pieces: bytes, into: StreamParser | None = None) -> list[Event]:
    target = into or parser()
    return [event for piece in pieces for event in target.feed(piece)]


def condition(*pieces: bytes, limits: Limits = LIMITS, into: StreamParser | None = None) -> str:
    with pytest.raises(StreamError) as caught:
        read(*pieces, into=into or parser(limits))
    return caught.value.condition


def shape(events: list[Event]) -> list[object]:
    return [
        (event.name, serialize(event.element), event.content)
        if isinstance(event, Stanza)
        else serialize(event)
        if isinstance(event, Element)
        else event
        for event in events
    ]


CONVERSATION = (
    HEADER + CHAT + b" \n<presence/><iq type='get' id='2'><q xmlns='urn:q'/></iq><a xmlns='urn:a'>t</a></stream:stream>"
)


def test_a_conversation_becomes_events_in_order() -> None:
    header, chat, presence, iq, nonza, end = read(CONVERSATION)
    assert isinstance(header, StreamHeader)
    assert header.attrib == {"to": "x"}
    assert header.default_ns == "jabber:client"
    assert isinstance(chat, Stanza)
    assert chat.element[0].text == "grüße & 1 < 2"
    assert chat.element[1][0].tail == "tail"
    assert isinstance(presence, Stanza)
    assert presence.content == b""
    assert isinstance(iq, Stanza)
    assert iq.child() is not None
    assert isinstance(nonza, Element)
    assert nonza.tag == "{urn:a}a"
    assert end == StreamEnd()


def test_byte_by_byte_gives_what_the_whole_gives() -> None:
    pieces = [CONVERSATION[i : i + 1] for i in range(len(CONVERSATION))]
    assert shape(read(*pieces)) == shape(read(CONVERSATION))


@given(st.lists(st.integers(0, len(CONVERSATION)), max_size=12))
def test_pieces_of_any_size_give_what_the_whole_gives(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    pieces = [CONVERSATION[a:b] for a, b in itertools.pairwise(edges)]
    assert shape(read(*pieces)) == shape(read(CONVERSATION))


def test_content_is_kept_byte_for_byte() -> None:
    chat = read(HEADER, CHAT)[1]
    assert isinstance(chat, Stanza)
    assert chat.content == CHAT.partition(b">")[2].rpartition(b"</message>")[0]


@pytest.mark.parametrize(
    ("header", "stanza"),
    [
        (HEADER, b"<message a='&gt;' b='>'><body/></message>"),
        (HEADER, b"<message xmlns:p='urn:p'><p:x/></message>"),
        (HEADER, b"<message><stream:x/></message>"),
        (FOREIGN, b"<message><foo:x/></message>"),
        (HEADER, b"<c:message xmlns:c='jabber:client'><x xmlns='urn:x'/></c:message>"),
    ],
)
def test_content_that_leans_on_an_outer_prefix_is_written_anew(header: bytes, stanza: bytes) -> None:
    event = read(header, stanza)[1]
    assert isinstance(event, Stanza)
    assert event.content is None
    alone = event.encode("a@x/r").replace(b"<message", b"<message xmlns='jabber:client'", 1)
    again = parse_document(alone, LIMITS)
    assert isinstance(again, Stanza)
    assert [child.tag for child in again.element] == [child.tag for child in event.element]


def test_an_idle_stream_holds_no_parser_and_goes_on_afterwards() -> None:
    pool = ReaderPool()
    one, two = StreamParser(LIMITS, pool), StreamParser(LIMITS, pool)
    read(HEADER, into=one)
    read(HEADER, into=two)
    assert one._reader is None
    assert two._reader is None
    half = CHAT[:20]
    assert one.feed(half) == []
    assert shape(two.feed(CHAT)) == shape(read(HEADER, CHAT)[1:])
    assert shape(one.feed(CHAT[20:])) == shape(read(HEADER, CHAT)[1:])


def test_a_stream_with_prefixes_of_its_own_lives_long() -> None:
    target = parser(Limits(100_000, 32, 100))
    read(FOREIGN, into=target)
    big = b"<message><body>" + b"x" * 90_000 + b"</body></message>"
    for _ in range(13):
        assert len(target.feed(big)) == 1
    event = target.feed(b"<message><foo:x/></message>")[0]
    assert isinstance(event, Stanza)
    assert event.element[0].tag == "{urn:foo}x"


def test_keep_alive_whitespace_means_nothing() -> None:
    target = parser()
    read(HEADER, into=target)
    assert target.feed(b" ") == []
    assert len(target.feed(b"\n<presence/> ")) == 1
    assert target.feed(b" ") == []


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<!DOCTYPE s [<!ENTITY x 'y'>]><s>", "restricted-xml"),
        (HEADER + b"<!-- x -->", "restricted-xml"),
        (HEADER + b"<?pi x?>", "restricted-xml"),
        (HEADER + b"<message><body>&x;</body></message>", "restricted-xml"),
        (HEADER + b"<p:x/>", "bad-namespace-prefix"),
        (HEADER + b"<message><body></message>", "not-well-formed"),
        (HEADER + b"<message a='1' a='2'/>", "not-well-formed"),
        (HEADER + b"<message><body>\xff</body></message>", "not-well-formed"),
        (HEADER + b"<message><body>\x00</body></message>", "not-well-formed"),
        (HEADER + b"text<message/>", "bad-format"),
        (HEADER + b"<message/>text<a>", "bad-format"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><s>", "unsupported-encoding"),
        (HEADER + b"<message>" + b"<a>" * 40, "policy-violation"),
        (HEADER + b"<message>" + b"<a/>" * 200, "policy-violation"),
        (HEADER + b"<message><body>" + b"x" * 20_000 + b"</body></message>", "policy-violation"),
    ],
)
def test_what_xmpp_forbids_ends_the_stream(data: bytes, expected: str) -> None:
    assert condition(data) == expected
    assert condition(*(data[i : i + 1] for i in range(len(data)))) == expected


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\xef\xbb\xbfx", b"  x"])
def test_what_cannot_be_a_beginning_is_refused_before_it_ends(data: bytes) -> None:
    assert condition(data) == "not-well-formed"
    assert condition(*(data[i : i + 1] for i in range(len(data)))) == "not-well-formed"
    between = parser()
    read(HEADER, into=between)
    assert condition(data, into=between) == "bad-format"


def test_a_byte_order_mark_and_white_space_are_a_beginning() -> None:
    whole = b"\xef\xbb\xbf" + HEADER
    assert [type(event) for event in read(*(whole[i : i + 1] for i in range(len(whole))))] == [StreamHeader]
    assert [type(event) for event in read(b" \n", HEADER.partition(b"?>")[2])] == [StreamHeader]


def test_white_space_before_the_declaration_belongs_to_the_stream_before() -> None:
    """As a client sends it that ends each line, the last one before its stream starts anew too."""
    assert shape(read(b"\r\n ", HEADER, CHAT)) == shape(read(HEADER, CHAT))
    assert shape(read(b"\n" + HEADER[:5], HEADER[5:], CHAT)) == shape(read(HEADER, CHAT))


def test_a_never_ending_stanza_is_cut_off_at_its_limit() -> None:
    endless = (b"<a/>" if i % 2 else b"xx" for i in range(1_000_000))
    assert condition(HEADER, b"<message>", *(next(endless) for _ in range(8_000)), limits=Limits(9_000, 32, 10**6)) == (
        "policy-violation"
    )


@pytest.mark.parametrize("filler", [b"x", b">"])
@pytest.mark.parametrize("size", [1, 64])
def test_a_giant_attribute_in_small_pieces_costs_little(filler: bytes, size: int) -> None:
    target = parser(Limits(16_384, 32, 100))
    read(HEADER, b"<message a='", into=target)
    begin = time.process_time()
    assert condition(*(filler * size for _ in range(2_000_000 // size)), into=target) == "policy-violation"
    assert time.process_time() - begin < 2.0  # a quadratic rescan would take minutes; this is no measurement


def test_nesting_of_ten_thousand_levels_costs_no_more_than_the_limit() -> None:
    assert condition(HEADER, b"<message>" + b"<a>" * 10_000) == "policy-violation"


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_stream_error(data: bytes) -> None:
    for start in (b"", HEADER, HEADER + b"<message>"):
        with contextlib.suppress(StreamError):
            read(start, data, b">")


def test_a_document_is_one_element_and_nothing_else() -> None:
    event = parse_document(b"<message xmlns='jabber:client'><body>a</body></message>", LIMITS)
    assert isinstance(event, Stanza)
    assert event.content == b"<body>a</body>"
    for bad in (b"", b"<a/><b/>", b"<a>", b"text", b"<stream:features/>", b"<a/>x"):
        with pytest.raises(StreamError):
            parse_document(bad, LIMITS)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<auth xmlns='urn:a'>eA==</auth>", True),
        (b"<iq id='1'><bind xmlns='urn:b'><resource>r</resource></bind></iq>", True),
        (b"<auth a='1'/><starttls/><auth>x</auth>", False),
        (b"<auth>x</auth><starttls/><auth>x</auth>", False),
        (b"<starttls/>", False),
        (b"<auth>x</auth><presence/>", False),
        (b"<auth>x", False),
        (b"x</auth>", False),
        (b"</stream:stream>", False),
    ],
)
def test_one_element_is_known_without_a_parser(data: bytes, expected: bool) -> None:
    assert is_one_element(data) is expected
