"""Writing XML (RFC 6120, sections 8 and 11)."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp.stanza import (
    Stanza,
    error_xml,
    escape,
    iq_result,
    quote,
    serialize,
    split_tag,
    stanza_error,
)

xml_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff", include_characters="\t\n\r")
)


def stanza(xml: str) -> Stanza:
    element = ET.fromstring(xml)
    return Stanza(split_tag(element.tag)[1], element)


@given(xml_text)
def test_escaped_text_is_read_back_as_it_was(text: str) -> None:
    assert (ET.fromstring(f"<a>{escape(text)}</a>").text or "") == text


@given(xml_text)
def test_a_quoted_value_is_read_back_as_it_was(value: str) -> None:
    assert ET.fromstring(f"<a b={quote(value)}/>").get("b") == value


names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
spaces = st.sampled_from(["", "jabber:client", "urn:one", "urn:two"])
tags = st.builds(lambda ns, name: f"{{{ns}}}{name}" if ns else name, spaces, names)


def trees() -> st.SearchStrategy[ET.Element]:
    def build(tag: str, attrib: dict[str, str], text: str, children: list[tuple[ET.Element, str]]) -> ET.Element:
        element = ET.Element(tag, attrib)
        element.text = text or None
        for child, tail in children:
            child.tail = tail or None
            element.append(child)
        return element

    def level(children: st.SearchStrategy[ET.Element]) -> st.SearchStrategy[ET.Element]:
        return st.builds(
            build,
            tags,
            st.dictionaries(tags, xml_text, max_size=3),
            xml_text,
            st.lists(st.tuples(children, xml_text), max_size=3),
        )

    return st.recursive(st.builds(ET.Element, tags), level, max_leaves=6)


def same(one: ET.Element, other: ET.Element) -> bool:
    return (one.tag, one.attrib, one.text or "", len(one)) == (
        other.tag,
        other.attrib,
        other.text or "",
        len(other),
    ) and all(same(a, b) and (a.tail or "") == (b.tail or "") for a, b in zip(one, other, strict=True))


@given(trees())
def test_a_serialized_tree_is_read_back_as_it_was(tree: ET.Element) -> None:
    assert same(ET.fromstring(serialize(tree, default_ns="")), tree)


def test_the_true_sender_replaces_a_forged_one() -> None:
    sent = stanza("<message xmlns='jabber:client' from='mallory@x' to='bob@x' type='chat'><body>hi</body></message>")
    assert sent.encode("ada@x/phone") == b"<message from='ada@x/phone' to='bob@x' type='chat'><body>hi</body></message>"


def test_content_that_was_kept_goes_out_as_it_came_in() -> None:
    element = ET.fromstring("<message xmlns='jabber:client' to='b@x'><body>1 &lt; 2</body></message>")
    kept = Stanza("message", element, b"<body>1 &#60; 2</body>")
    assert kept.encode("a@x/r").endswith(b"><body>1 &#60; 2</body></message>")


def test_an_empty_stanza_is_written_without_an_end_tag() -> None:
    assert stanza("<presence xmlns='jabber:client'/>").encode("a@x/r", "b@x") == b"<presence from='a@x/r' to='b@x'/>"


def test_a_language_is_passed_on() -> None:
    sent = stanza("<message xmlns='jabber:client' xml:lang='de'><body>x</body></message>")
    assert b"xml:lang='de'" in sent.encode("a@x/r")


def test_a_result_goes_back_with_the_id_of_its_request() -> None:
    request = stanza("<iq xmlns='jabber:client' type='get' id='1' to='x'><q xmlns='urn:q'/></iq>")
    assert iq_result(request, "a@x/r") == b"<iq type='result' id='1' from='x' to='a@x/r'/>"
    assert iq_result(request, "a@x/r", "<q xmlns='urn:q'/>").endswith(b"><q xmlns='urn:q'/></iq>")


def test_no_error_answers_an_error_or_a_result() -> None:
    for kind in ("error", "result"):
        assert (
            stanza_error(stanza(f"<iq xmlns='jabber:client' type='{kind}' id='1'/>"), "a@x", "cancel", "gone") is None
        )


def test_an_error_carries_its_condition_and_text() -> None:
    assert error_xml("cancel", "gone", "a < b") == (
        "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>a &lt; b</text></error>"
    )
