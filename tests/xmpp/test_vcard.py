from __future__ import annotations

import base64
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import ProfileInvalid
from heliograph.xmpp.vcard import (
    Card,
    Photo,
    from_nick,
    from_vcard4,
    from_vcard_temp,
    nick_xml,
    to_vcard4,
    to_vcard_temp,
    with_facts,
)

NS = "urn:ietf:params:xml:ns:vcard-4.0"
MAX = 16_384
EMPTY = Card()
FULL = Card(
    name="Ada & Co",
    image="https://cdn.example/a.png?x=1&y=2",
    thumb_image="https://cdn.example/t.png",
    status="It's <on>",
    mobile="+13033083282",
    email="ada@example.com",
    version=7,
    is_admin_blocked=True,
)

TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
).map(str.strip)
# As a client would publish them: each is something that has no field, or says more than its field.
FURTHER = (
    "<fn><text>Augusta Ada King</text></fn>",
    "<n><surname>King</surname><given>Ada</given></n>",
    "<tel><parameters><type><text>home</text></type></parameters><uri>tel:+44-20-7946-0000</uri></tel>",
    "<email><text>second@example.org</text></email>",
    "<photo><uri>data:image/png;base64,aGk=</uri></photo>",
    "<key><uri>https://example.org/ada.asc</uri></key>",
    "<org><text>Analytical &amp; Co</text></org>",
    "<group name='contact'><url><uri>https://example.org</uri></url></group>",
    "<mood xmlns='urn:example:mood' level='3'/>",
)
CARDS = st.builds(
    Card,
    name=TEXT.filter(bool),
    image=st.sampled_from(["", "https://cdn.example/a.png", "http://x/ä?<>&'\""]),
    thumb_image=st.sampled_from(["", "https://cdn.example/t.png"]),
    status=TEXT,
    mobile=st.sampled_from(["", "+13033083282", "1111111111"]),
    email=st.sampled_from(["", "ada@example.com", "a'b&c@example.com"]),
    version=st.integers(0, 10**9),
    is_admin_blocked=st.booleans(),
)


def vcard4(content: str) -> Card:
    return from_vcard4(fromstring(f"<vcard xmlns='{NS}'>{content}</vcard>"), MAX)


def vcard_temp(content: str, current: Card = EMPTY) -> tuple[Card, Photo | None]:
    return from_vcard_temp(fromstring(f"<vCard xmlns='vcard-temp'>{content}</vCard>"), MAX, current)


# --------------------------------------------------------------------------------------------------------------- vCard4


def test_a_vcard4_as_it_is_sent() -> None:
    assert to_vcard4(FULL) == (
        f"<vcard xmlns='{NS}'><fn><text>Ada &amp; Co</text></fn><nickname><text>Ada &amp; Co</text></nickname>"
        "<photo><uri>https://cdn.example/a.png?x=1&amp;y=2</uri></photo><note><text>It's &lt;on&gt;</text></note>"
        "<tel><uri>tel:+13033083282</uri></tel><email><text>ada@example.com</text></email>"
        "<profile xmlns='urn:heliograph:profile:1' version='7' thumb='https://cdn.example/t.png' blocked='true'/>"
        "</vcard>"
    )


def test_an_empty_profile_still_has_the_formal_name_that_each_vcard_has() -> None:
    assert to_vcard4(Card()) == (
        f"<vcard xmlns='{NS}'><fn><text></text></fn><profile xmlns='urn:heliograph:profile:1' version='0'/></vcard>"
    )
    assert vcard4("<fn><text/></fn>") == Card()


def test_a_number_without_a_country_code_is_text_and_no_uri() -> None:
    assert "<tel><text>1111111111</text></tel>" in to_vcard4(Card(name="a", mobile="1111111111"))


@given(CARDS, st.lists(st.sampled_from(FURTHER[1:]), unique=True))
def test_any_profile_comes_back_from_its_vcard4(card: Card, further: list[str]) -> None:
    published = fromstring(to_vcard4(card).replace("<profile ", "".join(further) + "<profile "))
    extra = from_vcard4(published, MAX).extra
    stored = replace(card, extra=extra)
    if card.mobile and card.email:  # else the further number or address becomes the field
        again = fromstring(to_vcard4(stored))
        assert with_facts(from_vcard4(again, MAX), again) == stored


@given(st.lists(st.sampled_from(FURTHER), unique=True))
def test_a_plain_client_finds_all_that_it_published(further: list[str]) -> None:
    stored = vcard4("".join(further))
    again = fromstring(to_vcard4(stored))
    assert from_vcard4(again, MAX) == stored
    assert to_vcard4(from_vcard4(again, MAX)) == to_vcard4(stored)
    for element in further:
        assert element.replace("&amp;", "&") in to_vcard4(stored).replace("&amp;", "&")


def test_the_name_is_the_nickname_and_a_different_formal_name_is_kept() -> None:
    card = vcard4("<fn><text>Augusta Ada King</text></fn><nickname><text>ada</text></nickname>")
    assert (card.name, card.extra) == ("ada", "<fn><text>Augusta Ada King</text></fn>")
    assert to_vcard4(replace(card, name="Countess")).startswith(
        f"<vcard xmlns='{NS}'><nickname><text>Countess</text></nickname><fn><text>Augusta Ada King</text></fn>"
    )


def test_without_a_nickname_the_formal_name_is_the_name() -> None:
    assert vcard4("<fn><text>Ada</text></fn>") == Card(name="Ada")


def test_a_number_with_a_type_is_the_field_and_keeps_its_type() -> None:
    tel = "<tel><parameters><type><text>cell</text></type></parameters><uri>tel:+1-303-308-3282</uri></tel>"
    card = vcard4(tel + "<tel><uri>tel:+13033083219</uri></tel>")
    assert card.mobile == "+13033083282"
    text = to_vcard4(card)
    assert text.count("<tel>") == 2
    assert tel in text


def test_the_first_number_of_a_vcard_counts_whatever_stands_behind_it() -> None:
    card = replace(vcard4("<tel><uri>tel:+441</uri></tel><tel><uri>tel:+492</uri></tel>"), mobile="+492")
    assert vcard4(to_vcard4(card).partition(">")[2].removesuffix("</vcard>")).mobile == "+492"


@pytest.mark.parametrize(
    ("tel", "mobile"),
    [
        ("<uri>tel:+1-303-308-3282;ext=102</uri>", "+13033083282"),
        ("<text>+49 (30) 1234.5678</text>", "+493012345678"),
        ("<uri>sip:ada@example.com</uri>", ""),
    ],
)
def test_numbers_are_read_of_uris_and_texts(tel: str, mobile: str) -> None:
    assert vcard4(f"<tel>{tel}</tel>").mobile == mobile


def test_a_picture_inside_the_vcard_is_kept_and_is_no_address() -> None:
    card = vcard4("<photo><uri>data:image/png;base64,aGk=</uri></photo><photo><uri>https://x/p.png</uri></photo>")
    assert card.image == "https://x/p.png"
    assert card.extra == "<photo><uri>data:image/png;base64,aGk=</uri></photo>"


def test_indentation_does_not_count() -> None:
    card = vcard4("\n  <nickname>\n    <text> Ada </text>\n  </nickname>\n  <note><text>\n  hi\n </text></note>")
    assert (card.name, card.status) == ("Ada", "hi")


def test_facts_of_the_server_cannot_be_published() -> None:
    forged = "<profile xmlns='urn:heliograph:profile:1' version='99' thumb='https://evil/x' blocked='true'/>"
    assert vcard4(f"<fn><text>Ada</text></fn>{forged}") == Card(name="Ada")


@pytest.mark.parametrize(
    ("attributes", "version", "thumb"),
    [
        ("version='7'", 7, ""),
        ("version='x' thumb='javascript:1'", 0, ""),
        ("version='" + "9" * 19 + "'", 0, ""),
        ("", 0, ""),
    ],
)
def test_facts_are_read_with_care(attributes: str, version: int, thumb: str) -> None:
    element = fromstring(f"<vcard xmlns='{NS}'><profile xmlns='urn:heliograph:profile:1' {attributes}/></vcard>")
    assert with_facts(Card(name="a"), element) == Card(name="a", version=version, thumb_image=thumb)


def test_a_vcard_of_another_server_has_no_facts() -> None:
    assert with_facts(Card(name="a"), fromstring(f"<vcard xmlns='{NS}'/>")) == Card(name="a")


def test_what_is_kept_has_a_bound() -> None:
    with pytest.raises(ProfileInvalid) as caught:
        from_vcard4(fromstring(f"<vcard xmlns='{NS}'><org><text>{'x' * 100}</text></org></vcard>"), 100)
    assert caught.value.details == {"field": "vcard_extra"}


# ----------------------------------------------------------------------------------------------------------- vcard-temp


def test_a_vcard_temp_as_it_is_sent() -> None:
    assert to_vcard_temp(FULL) == (
        "<vCard xmlns='vcard-temp'><FN>Ada &amp; Co</FN><NICKNAME>Ada &amp; Co</NICKNAME>"
        "<PHOTO><EXTVAL>https://cdn.example/a.png?x=1&amp;y=2</EXTVAL></PHOTO><DESC>It's &lt;on&gt;</DESC>"
        "<TEL><NUMBER>+13033083282</NUMBER></TEL><EMAIL><USERID>ada@example.com</USERID></EMAIL></vCard>"
    )


def test_a_picture_may_stand_inside_a_vcard_temp() -> None:
    text = to_vcard_temp(FULL, Photo("image/png", b"hi"))
    assert text.endswith("<PHOTO><TYPE>image/png</TYPE><BINVAL>aGk=</BINVAL></PHOTO></vCard>")
    assert "EXTVAL" not in text
    card, photo = from_vcard_temp(fromstring(text), MAX)
    assert photo == Photo("image/png", b"hi")
    assert (card.image, card.extra) == ("", "")


@given(CARDS)
def test_any_profile_comes_back_from_its_vcard_temp(card: Card) -> None:
    read, photo = from_vcard_temp(fromstring(to_vcard_temp(card)), MAX)
    assert read == replace(card, thumb_image="", version=0, is_admin_blocked=False)
    assert photo is None


def test_each_kind_of_vcard_keeps_its_own() -> None:
    first = vcard4("<nickname><text>ada</text></nickname><org><text>Engines</text></org>")
    card, _ = vcard_temp("<FN>A. A. King</FN><NICKNAME>ada</NICKNAME><TITLE>Countess</TITLE>", first)
    assert "<org><text>Engines</text></org>" in to_vcard4(card)
    assert "TITLE" not in to_vcard4(card)
    assert to_vcard_temp(card) == (
        "<vCard xmlns='vcard-temp'><NICKNAME>ada</NICKNAME><FN>A. A. King</FN><TITLE>Countess</TITLE></vCard>"
    )
    again = from_vcard4(fromstring(to_vcard4(card)), MAX, card)
    assert to_vcard_temp(again) == to_vcard_temp(card)


def test_a_number_changed_in_one_kind_of_vcard_leaves_the_other() -> None:
    tel = "<tel><parameters><type><text>cell</text></type></parameters><uri>tel:+441</uri></tel>"
    card, _ = vcard_temp("<FN>ada</FN><TEL><NUMBER>+492</NUMBER></TEL>", vcard4(tel))
    assert card.mobile == "+492"
    assert "+441" not in to_vcard4(card)


def test_empty_properties_say_nothing() -> None:
    card, photo = vcard_temp("<FN>Ada</FN><NICKNAME/><TEL><WORK/><FAX/><NUMBER/></TEL><PHOTO><BINVAL/></PHOTO>")
    assert (card, photo) == (Card(name="Ada"), None)


def test_a_picture_may_be_broken_over_lines_but_not_broken() -> None:
    lines = "\n  ".join(base64.encodebytes(bytes(range(256))).decode().splitlines())
    _, photo = vcard_temp(f"<PHOTO><TYPE>image/png</TYPE><BINVAL>\n  {lines}\n</BINVAL></PHOTO>")
    assert photo == Photo("image/png", bytes(range(256)))
    with pytest.raises(ProfileInvalid) as caught:
        vcard_temp("<PHOTO><BINVAL>!!!</BINVAL></PHOTO>")
    assert caught.value.details == {"field": "image"}


def test_a_vcard_temp_inside_a_vcard4_is_not_taken_for_what_is_kept() -> None:
    card = vcard4("<vCard xmlns='vcard-temp'><TITLE>x</TITLE></vCard><nickname><text>a</text></nickname>")
    assert card == Card(name="a")


# ------------------------------------------------------------------------------------------------------------- nickname


def test_a_nickname_is_read_as_it_was_written() -> None:
    assert nick_xml("Ada & Co") == "<nick xmlns='http://jabber.org/protocol/nick'>Ada &amp; Co</nick>"
    assert from_nick(fromstring(nick_xml("Ada & Co"))) == "Ada & Co"
    assert from_nick(fromstring("<nick xmlns='http://jabber.org/protocol/nick'/>")) == ""
