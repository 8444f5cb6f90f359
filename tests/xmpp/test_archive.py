"""The message archive's rules and forms (XEP-0313, XEP-0059, XEP-0082, XEP-0359), whole and byte by byte."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp import archive
from heliograph.xmpp.archive import Query, is_archived, is_default, parse_query
from heliograph.xmpp.date_time import parse_us, stamp, stamp_us
from heliograph.xmpp.framing import TcpFraming
from heliograph.xmpp.jid import parse
from heliograph.xmpp.result_sets import PageRequest, page_xml, parse_page
from heliograph.xmpp.stable_ids import mark, origin_id, stanza_id, with_stanza_id, without_forged
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stanza_error import StanzaError
from heliograph.xmpp.stream import Limits, ReaderPool

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
ADA = "ada@chat.example"


def read(xml: str, *, is_whole: bool = True) -> Stanza:
    """A stanza as it comes from a stream, in one piece or byte by byte."""
    framing = TcpFraming(Limits(10_000, 16, 256), ReaderPool())
    framing.read(HEADER)
    data = xml.encode()
    events = framing.read(data) if is_whole else [e for at in range(len(data)) for e in framing.read(data[at : at + 1])]
    (event,) = events
    assert isinstance(event, Stanza)
    return event


def query(content: str, attributes: str = "") -> Element:
    return fromstring(f"<query xmlns='urn:xmpp:mam:2'{attributes}>{content}</query>")


def form(**fields: str) -> str:
    parts = [("FORM_TYPE", "urn:xmpp:mam:2"), *((name.replace("_", "-"), value) for name, value in fields.items())]
    inner = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in parts)
    return f"<x xmlns='jabber:x:data' type='submit'>{inner}</x>"


# ------------------------------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize(
    ("kind", "content", "is_kept"),
    [
        ("chat", "<body>hi</body>", True),
        ("normal", "<body>hi</body>", True),
        ("", "<body>hi</body>", True),
        ("headline", "<body>hi</body>", False),
        ("groupchat", "<body>hi</body>", False),
        ("error", "<body>hi</body>", False),
        ("chat", "<composing xmlns='http://jabber.org/protocol/chatstates'/>", False),
        ("chat", "<x xmlns='urn:x'/>", False),
        ("chat", "<x xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/>", True),
        ("chat", "<body>hi</body><no-store xmlns='urn:xmpp:hints'/>", False),
        ("chat", "<body>hi</body><no-permanent-store xmlns='urn:xmpp:hints'/>", False),
        ("chat", "<no-store xmlns='urn:xmpp:hints'/><store xmlns='urn:xmpp:hints'/>", False),
        ("chat", "<body>hi</body><no-copy xmlns='urn:xmpp:hints'/>", True),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", True),
        ("chat", "<request xmlns='urn:xmpp:receipts'/>", False),
        ("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", True),
        ("chat", "<markable xmlns='urn:xmpp:chat-markers:0'/>", False),
        ("chat", "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>", True),
        ("chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", True),
        ("chat", "", False),
    ],
)
def test_what_belongs_to_a_conversation_is_kept(kind: str, content: str, is_kept: bool, is_whole: bool) -> None:
    typed = f" type='{kind}'" if kind else ""
    assert is_archived(read(f"<message{typed}>{content}</message>", is_whole=is_whole)) is is_kept


# ------------------------------------------------------------------------------------------------------------- queries


def test_a_query_without_anything_asks_for_all() -> None:
    assert parse_query(query("")) == Query()


def test_a_query_is_read_with_all_its_filters() -> None:
    content = form(
        start="2026-01-31T00:00:00Z", end="2026-01-31T01:00:00.5+01:00", with_="", after_id="a", before_id="b"
    ).replace("with-", "with")
    wanted = parse_query(
        query(
            content.replace("<field var='with'><value></value>", "<field var='with'><value>bob@chat.example</value>")
            + "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before/></set><flip-page/>",
            " queryid='q1'",
        )
    )
    start = 1_769_817_600_000_000
    page = PageRequest(10, None, "")
    assert wanted == Query("q1", parse("bob@chat.example"), start, start + 500_000, "a", "b", (), page, is_flipped=True)


def test_a_query_names_messages() -> None:
    fields = "<field var='ids'><value>a</value><value>b</value></field>"
    assert parse_query(query(f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>")).ids == ("a", "b")


@pytest.mark.parametrize(
    ("content", "condition"),
    [
        (form(free_text="x"), "feature-not-implemented"),
        (form(start="yesterday"), "bad-request"),
        (form(end="2026-02-30T00:00:00Z"), "bad-request"),
        (form(start="0000-01-01T00:00:00Z"), "bad-request"),
        (form().replace("urn:xmpp:mam:2", "urn:xmpp:mam:1"), "bad-request"),
        ("<x xmlns='jabber:x:data'><field var='with'><value>@</value></field></x>", "jid-malformed"),
        ("<set xmlns='http://jabber.org/protocol/rsm'><max>-1</max></set>", "bad-request"),
        ("<set xmlns='http://jabber.org/protocol/rsm'><max>\u0661</max></set>", "bad-request"),
        ("<set xmlns='http://jabber.org/protocol/rsm'><index>3</index></set>", "feature-not-implemented"),
        ("<set xmlns='http://jabber.org/protocol/rsm'><after>a</after><before>b</before></set>", "bad-request"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(content: str, condition: str) -> None:
    with pytest.raises(StanzaError) as caught:
        parse_query(query(content))
    assert caught.value.condition.condition == condition


def test_preferences_are_those_that_hold_or_none() -> None:
    start = "<prefs xmlns='urn:xmpp:mam:2' default='"
    assert is_default(fromstring(f"{start}always'/>"))
    assert is_default(fromstring(f"{start}always'><always/><never/></prefs>"))
    assert not is_default(fromstring(f"{start}roster'/>"))
    assert not is_default(fromstring(f"{start}always'><never><jid>a@b</jid></never></prefs>"))
    assert is_default(fromstring(archive.preferences_xml()))


# ------------------------------------------------------------------------------------------------------------- answers


def test_a_result_brings_the_message_as_it_was() -> None:
    data = b"<message from='bob@chat.example/x' to='ada@chat.example' type='chat'><body>&lt;hi&gt;</body></message>"
    at = parse_us("2026-01-31T12:00:00.25Z")
    told = archive.result(ADA, f"{ADA}/phone", "hg1", "q'1", "id1", at, data).decode()
    assert told == (
        "<message from='ada@chat.example' to='ada@chat.example/phone' id='hg1'>"
        "<result xmlns='urn:xmpp:mam:2' queryid='q&apos;1' id='id1'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<delay xmlns='urn:xmpp:delay' stamp='2026-01-31T12:00:00.250000Z'/>"
        "<message xmlns='jabber:client' from='bob@chat.example/x' to='ada@chat.example' type='chat'>"
        "<body>&lt;hi&gt;</body></message></forwarded></result></message>"
    )


def test_a_page_tells_its_ends_and_whether_it_is_the_last() -> None:
    assert archive.fin_xml("a", "b", 3, is_complete=True) == (
        "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'>"
        "<first>a</first><last>b</last><count>3</count></set></fin>"
    )
    assert archive.fin_xml(None, None, 0, is_complete=False) == (
        "<fin xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></fin>"
    )
    assert page_xml("a", "b", None, 4) == (
        "<set xmlns='http://jabber.org/protocol/rsm'><first index='4'>a</first><last>b</last></set>"
    )


def test_the_ends_of_an_archive_are_told_or_none() -> None:
    assert archive.metadata_xml(None) == "<metadata xmlns='urn:xmpp:mam:2'/>"
    told = archive.metadata_xml((("a", 0), ("b", 1_500_000)))
    assert "<start id='a' timestamp='1970-01-01T00:00:00.000000Z'/>" in told
    assert "<end id='b' timestamp='1970-01-01T00:00:01.500000Z'/>" in told


def test_the_form_has_every_field_and_its_list_of_ids_is_open() -> None:
    told = fromstring(archive.form_xml())
    fields = {each.get("var"): each for each in told.iter("{jabber:x:data}field")}
    assert set(fields) == {"FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids"}
    assert fields["ids"].find("{http://jabber.org/protocol/xdata-validate}validate/*") is not None


def test_a_page_request_without_a_set_asks_for_the_first() -> None:
    assert parse_page(query("")) == PageRequest()
    assert not parse_page(query("")).is_backwards
    empty = "<set xmlns='http://jabber.org/protocol/rsm'><max>0</max><after/></set>"
    assert parse_page(query(empty)) == PageRequest(0)


@given(st.integers(0, 250_000_000_000_000_000))
def test_times_survive_their_form(microseconds: int) -> None:
    assert parse_us(stamp_us(microseconds)) == microseconds
    assert parse_us(stamp(microseconds // 1_000_000)) == microseconds // 1_000_000 * 1_000_000


# --------------------------------------------------------------------------------------------------------- stable ids


@pytest.mark.parametrize("xml", ["<message><body>hi</body></message>", "<message/>"])
def test_an_id_is_added_and_read_back(xml: str) -> None:
    marked = with_stanza_id(xml.encode(), mark(ADA), "id1").decode()
    found = read(marked)
    assert stanza_id(found, ADA) == "id1"
    assert stanza_id(found, "eve@chat.example") is None


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("by", ["bob@chat.example", "BOB@Chat.Example", "chat.example", "ada@chat.example/x"])
def test_forged_ids_of_this_domain_go_and_all_else_stays(by: str, is_whole: bool) -> None:
    kept = "<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.other' id='2'/><origin-id xmlns='urn:xmpp:sid:0' id='3'/>"
    forged = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{by}' id='1'/>"
    message = without_forged(
        read(f"<message id='m'><body>a &lt; b</body>{forged}{kept}</message>", is_whole=is_whole), "chat.example"
    )
    assert message.id == "m"
    assert message.inner().decode() == f"<body>a &lt; b</body>{kept}"
    assert origin_id(message) == "3"


def test_a_message_without_forged_ids_is_left_alone() -> None:
    for content in ("<body>hi</body>", "<origin-id xmlns='urn:xmpp:sid:0' id='3'/>"):
        message = read(f"<message>{content}</message>")
        assert without_forged(message, "chat.example") is message
    assert origin_id(read("<message/>")) is None
