"""What an inactive client is not told yet (XEP-0352)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp.client_state import ClientState, Held, parse
from heliograph.xmpp.pep import notification, retraction
from heliograph.xmpp.stream import Limits

LIMITS = Limits(max_bytes=100_000, max_depth=32, max_elements=1000)
ADA, BOB, ME = "ada@x.org", "bob@x.org", "me@x.org/phone"
CHAT = b"<message from='ada@x.org/a' to='me@x.org' type='chat'><body>hi</body></message>"


def held(max_stanzas: int = 100, max_bytes: int = 10_000) -> Held:
    return Held(LIMITS, max_stanzas, max_bytes)


def presence(who: str, content: str = "", kind: str = "") -> bytes:
    named = f" type='{kind}'" if kind else ""
    return f"<presence from='{who}'{named} to='{ME}'>{content}</presence>".encode()


def event(who: str, node: str, payload: str, item: str = "current") -> bytes:
    return notification(who, node, item, f"<p xmlns='urn:p'>{payload}</p>").to(ME)


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("<active xmlns='urn:xmpp:csi:0'/>", ClientState(is_active=True)),
        ("<inactive xmlns='urn:xmpp:csi:0'/>", ClientState(is_active=False)),
        ("<asleep xmlns='urn:xmpp:csi:0'/>", None),
        ("<active xmlns='urn:other'/>", None),
    ],
)
def test_what_an_element_says(xml: str, said: ClientState | None) -> None:
    assert parse(fromstring(xml)) == said


@pytest.mark.parametrize(
    "stanza",
    [
        CHAT,
        b"<iq type='get' id='1' from='ada@x.org/a'><q xmlns='urn:q'/></iq>",
        presence(ADA, kind="subscribe"),
        presence(ADA, kind="unsubscribed"),
        presence(ADA, kind="error"),
        b"<message from='ada@x.org'><event xmlns='http://jabber.org/protocol/pubsub#event'><purge/></event></message>",
        b"<message from='ada@x.org'><body>x</body><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>",
        b"<message from='ada@x.org'><body>http://jabber.org/protocol/pubsub#event</body></message>",
        retraction(ADA, "n", "1").to(ME),
    ],
)
def test_what_cannot_wait_goes_out_behind_what_was_held(stanza: bytes) -> None:
    box = held()
    first, second = presence(f"{ADA}/a"), event(BOB, "urn:n", "1")
    assert [*box.offer(first), *box.offer(second)] == []
    assert box.offer(stanza) == (first, second, stanza)
    assert box.flush() == ()


def test_only_the_newest_presence_of_each_full_jid_is_kept() -> None:
    box = held()
    for stanza in (presence(f"{ADA}/a"), presence(f"{ADA}/b"), presence(f"{ADA}/a", kind="unavailable")):
        assert box.offer(stanza) == ()
    assert box.flush() == (presence(f"{ADA}/b"), presence(f"{ADA}/a", kind="unavailable"))


def test_presence_is_recognised_whatever_the_order_of_its_attributes() -> None:
    box = held()
    box.offer(b"<presence to='me@x.org/phone' from='ada@x.org/a'/>")
    box.offer(presence(f"{ADA}/a", "<show>away</show>"))
    assert box.flush() == (presence(f"{ADA}/a", "<show>away</show>"),)


def test_only_the_newest_event_of_each_item_of_a_node_and_account_is_kept() -> None:
    box = held()
    kept = [
        event(ADA, "urn:n", "new"),
        event(ADA, "urn:m", "1"),
        event(BOB, "urn:n", "1"),
        event(ADA, "urn:n", "1", "x"),
    ]
    for stanza in (event(ADA, "urn:n", "old"), *kept):
        assert box.offer(stanza) == ()
    assert box.flush() == tuple(kept)


def test_when_too_much_waits_all_goes_out() -> None:
    few, short = held(max_stanzas=2), held(max_bytes=200)
    stanzas = [presence(f"{ADA}/{number}", "<status>a long story</status>") for number in range(3)]
    assert [few.offer(stanza) for stanza in stanzas] == [(), (), tuple(stanzas)]
    assert [short.offer(stanza) for stanza in stanzas] == [(), (), tuple(stanzas)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)), max_size=40), st.integers(1, 4))
def test_the_client_ends_up_knowing_the_same(steps: list[tuple[int, int, int]], max_stanzas: int) -> None:
    """A client that is told late learns the same last word of each sender and node, and all messages in order."""
    box = held(max_stanzas)
    all_sent: list[bytes] = []
    told: list[bytes] = []
    for kind, who, value in steps:
        if kind == 0:
            stanza = f"<message from='u{who}@x.org/a'><body>{value}</body></message>".encode()
        elif kind == 1:
            stanza = presence(f"u{who}@x.org/a", f"<status>{value}</status>")
        else:
            stanza = event(f"u{who}@x.org", f"urn:{kind}", str(value))
        all_sent.append(stanza)
        told += box.offer(stanza)
    told += box.flush()

    def last_words(stanzas: list[bytes]) -> dict[bytes, bytes]:
        return {stanza.partition(b"<p ")[0].partition(b"<status")[0]: stanza for stanza in stanzas}

    assert last_words(told) == last_words(all_sent)
    assert [each for each in told if b"<body" in each] == [each for each in all_sent if b"<body" in each]
