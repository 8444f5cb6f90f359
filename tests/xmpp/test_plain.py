"""What is read without a parser means what the parser finds in it."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.xmpp import plain
from heliograph.xmpp.stanza import NS_CLIENT, NS_XML, Stanza
from heliograph.xmpp.stream import (
    Event,
    Limits,
    ReaderPool,
    StreamEnd,
    StreamError,
    StreamHeader,
    StreamParser,
    parse_document,
)

LIMITS = Limits(max_bytes=10_000, max_depth=32, max_elements=100)
HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='x' version='1.0'>"
DECLARATION = b"<?xml version='1.0'?>"

NAMES = st.sampled_from(("message", "presence", "iq", "body", "a", "X9", "b-c", "x:y", "1a", "stream:x", "xmlns"))
VALUES = st.sampled_from(
    (
        "",
        "1",
        "jabber:client",
        "urn:x",
        "a}b",
        "ü☀😀",
        "a>b",
        "a<b",
        "&amp;",
        "&x;",
        "a\tb",
        "a\nb",
        "\x00",
        "\ufffe",
        "it''s",
    )
)
FOREIGN = st.sampled_from(('"', NS_XML, plain.NS_XMLNS, "http://etherx.jabber.org/streams"))
TEXTS = st.sampled_from(
    ("", " ", "hello", "ü☀😀", "a\r\nb", "a\tb\n", "&lt;", "]]>", ">", "stream:x", "\x01", "\x7f", "\x85", "\uffff")
)
RESTRICTED = st.sampled_from(("<!-- -->", "<?a b?>", "<![CDATA[x]]>"))
ATTRIBUTES = st.lists(
    st.tuples(
        st.sampled_from((" ", " ", " ", "  ", "\n", "")),
        st.sampled_from(("xmlns", "xml:lang", "id", "type", "to", "xmlns:p", "p:q", "a-b", "xml:space")),
        st.sampled_from(("='", "='", '="', " = '", "=")),
        VALUES | FOREIGN,
    ),
    max_size=3,
)


def _written(name: str, attributes: Any, ends: tuple[str, str], children: list[str]) -> str:
    marks = {"='": "'", '="': '"', " = '": "'", "=": ""}
    start = name + "".join(f"{space}{key}{sign}{value}{marks[sign]}" for space, key, sign, value in attributes)
    return f"<{start}{ends[0]}/>" if not children else f"<{start}{ends[0]}>{''.join(children)}</{name}{ends[1]}>"


ENDS = st.sampled_from((("", ""), ("", ""), (" ", ""), ("", " "), ("\n", "")))
ELEMENTS = st.recursive(
    TEXTS | RESTRICTED,
    lambda inner: st.builds(_written, NAMES, ATTRIBUTES, ENDS, st.lists(inner, max_size=3)),
    max_leaves=6,
)


def shape(element: Element) -> object:
    """All that there is of a tree."""
    children = [shape(child) for child in element]
    return element.tag, list(element.attrib.items()), element.text, element.tail, children


def shapes(events: list[Event]) -> list[object]:
    return [
        (event.name, shape(event.element), event.content)
        if isinstance(event, Stanza)
        else shape(event)
        if isinstance(event, Element)
        else event
        for event in events
    ]


def by_stream(data: bytes) -> object:
    """What a stream finds, whichever way it reads."""
    parser = StreamParser(LIMITS, ReaderPool())
    parser.feed(HEADER)
    try:
        return shapes(parser.feed(data))
    except StreamError as error:
        return shapes(list(error.completed)), error.condition


def by_parser(data: bytes) -> object:
    """What the parser finds by itself."""
    reader = ReaderPool().take(LIMITS)
    reader.events = []
    try:
        reader.feed(data)
    except StreamError as error:
        return shapes(reader.events), error.condition
    return shapes(reader.events)


def by_document(data: bytes) -> Event:
    """What the parser finds in a document: behind a line end it is not plain."""
    return parse_document(b"\n" + data, LIMITS)


@given(ELEMENTS)
@example("<a xmlns='urn:x'><b/><b xmlns='urn:y'><c/></b><d>t</d></a>")
@example("<message xml:lang='de' id='1'><body>grüße</body></message>")
@example("<a b='1' b='1'/>")
@example("<a xmlns=''/>")
def test_a_stream_finds_in_any_element_what_the_parser_finds(written: str) -> None:
    data = f"<presence/>{written}<presence/>".encode()
    assert by_stream(data) == by_parser(data)


@given(ELEMENTS)
@example("<iq xmlns='jabber:client' type='get' id='1'><query xmlns='urn:x'/></iq>")
@example("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>")
def test_what_is_read_of_a_document_is_what_the_parser_finds(written: str) -> None:
    data = written.encode()
    found = plain.read(written, 0, "")
    if found is not None and found[1] == len(written):
        assert shapes([parse_document(data, LIMITS)]) == shapes([by_document(data)])


@pytest.mark.parametrize(
    "written",
    [
        "<presence/>",
        "<presence />",
        "<iq type='get' id='ro'><query xmlns='jabber:iq:roster'/></iq>",
        '<iq type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>r</resource></bind></iq>',
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>biwsbj1hLHI9Yg==</auth>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>Yz1iaXdz</response>",
        "<message to='b@x/r' type='chat' xml:lang='en'><body>Привет 😀</body><active xmlns='urn:x'/></message>",
    ],
)
def test_what_clients_send_most_is_plain(written: str) -> None:
    found = plain.read(written)
    assert found is not None
    assert found[1] == len(written)


@pytest.mark.parametrize(
    "written",
    [
        "<a><b><c><d/></c></b></a>",
        "<a>x<b/></a>",
        "<a><b/>x</a>",
        "<a>&lt;</a>",
        "<p:a/>",
        "<a p:b='1'/>",
        "<a",
        "<a></b>",
        "",
    ],
)
def test_everything_else_is_left_to_the_parser(written: str) -> None:
    assert plain.read(written) is None


def test_the_default_namespace_of_the_place_holds() -> None:
    for default_ns, tag in ((NS_CLIENT, f"{{{NS_CLIENT}}}a"), ("", "a")):
        found = plain.read("<a/>", 0, default_ns)
        assert found is not None
        assert isinstance(found[0], Element)
        assert found[0].tag == tag


def test_plain_elements_keep_to_the_limits() -> None:
    many = b"<iq id='1'>" + b"<a/>" * 100 + b"</iq>"
    for data in (many, b"<iq id='1'><a>" + b"x" * 10_000 + b"</a></iq>"):
        found = by_stream(b"<presence/>" + data)
        assert isinstance(found, tuple)
        assert found[1] == "policy-violation"


def test_reading_takes_time_in_the_measure_of_the_length() -> None:
    """Each of these would cost the square of its length, or more, if a part was tried again."""
    value = "x" * 20
    leaf = f"<c d='{value}' e='{value}'>{value}</c>"
    child = f"<b>{leaf * 32}</b>"
    for written in (
        "<a" + " b='1'" * 20_000,
        "<a>" + "<b>" * 20_000,
        "<a>" + "<b></b>" * 20_000 + "<",
        "<a>" + "x" * 99_999,
        f"<a>{child * 32}<",
        f"<a>{child * 31}<b>{leaf * 32}<",
    ):
        assert plain.read(written) is None


# ------------------------------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize("header", [HEADER, DECLARATION + HEADER, b"\n" + DECLARATION + HEADER])
def test_a_header_that_has_come_before_is_known(header: bytes) -> None:
    pool = ReaderPool()
    found = []
    for _ in range(3):
        parser = StreamParser(LIMITS, pool)
        found.append([shapes(parser.feed(data)) for data in (header, b"<presence/>", b"</stream:stream>")])
        assert len(pool.headers) == 1
    assert found[0] == found[1] == found[2]
    assert isinstance(found[0][0][0], StreamHeader)
    assert found[0][2] == [StreamEnd()]


def test_only_whole_headers_of_usual_streams_are_kept_and_so_many() -> None:
    pool = ReaderPool()
    for data in (
        HEADER + b"<presence/>",
        HEADER.replace(b" to=", b" xmlns:p='urn:p' to="),
        HEADER.replace(b"to='x'", b"to='" + b"x" * 600 + b"'"),
        DECLARATION,
    ):
        StreamParser(LIMITS, pool).feed(data)
    assert not pool.headers
    for number in range(300):
        StreamParser(LIMITS, pool).feed(HEADER.replace(b"to='x'", b"to='%d'" % number))
    assert len(pool.headers) == 256


def test_nothing_follows_the_end_of_a_stream() -> None:
    parser = StreamParser(LIMITS, ReaderPool())
    parser.feed(HEADER)
    assert parser.feed(b"</stream:stream>") == [StreamEnd()]
    with pytest.raises(StreamError):
        parser.feed(b"<presence/>")
