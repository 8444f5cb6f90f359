"""What both sides of a managed stream count and keep (XEP-0198)."""

from __future__ import annotations

from collections import deque
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp import stream_management as sm
from heliograph.xmpp.stream import StreamError
from heliograph.xmpp.stream_management import (
    Acked,
    AckWanted,
    Enabled,
    EnableWanted,
    Failed,
    Ledger,
    Resumed,
    ResumeWanted,
)

NS = "xmlns='urn:xmpp:sm:3'"


@pytest.mark.parametrize(
    ("xml", "meaning"),
    [
        (f"<r {NS}/>", AckWanted()),
        (f"<a {NS} h='4294967295'/>", Acked(2**32 - 1)),
        (f"<enable {NS}/>", EnableWanted()),
        (f"<enable {NS} resume='1' max='60'/>", EnableWanted(is_resumable=True, max_s=60)),
        (f"<enable {NS} resume='no' max='soon'/>", EnableWanted()),
        (f"<resume {NS} previd='x' h='7'/>", ResumeWanted("x", 7)),
        (f"<unknown {NS}/>", None),
        ("<r xmlns='urn:xmpp:sm:2'/>", None),
    ],
)
def test_what_an_element_says(xml: str, meaning: object) -> None:
    assert sm.parse(fromstring(xml)) == meaning


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        (sm.REQUEST, AckWanted()),
        (sm.ack(3), Acked(3)),
        (sm.enable(), EnableWanted(is_resumable=True)),
        (sm.enabled("it's", 300), Enabled("it's", 300)),
        (sm.enabled(None, 300), Enabled()),
        (sm.resume("it's", 5), ResumeWanted("it's", 5)),
        (sm.resumed("it's", 5), Resumed("it's", 5)),
        (sm.failed("item-not-found"), Failed()),
    ],
)
def test_what_one_side_writes_the_other_side_reads(written: bytes, meaning: object) -> None:
    assert sm.parse(fromstring(written.decode())) == meaning


@pytest.mark.parametrize("h", ["", "-1", "1.0", "4294967296", "99999999999", "\u0663", "x"])
@pytest.mark.parametrize("element", ["<a {ns} h='{h}'/>", "<resume {ns} previd='x' h='{h}'/>"])
def test_a_counter_that_is_none_ends_the_stream(element: str, h: str) -> None:
    with pytest.raises(StreamError) as caught:
        sm.parse(fromstring(element.format(ns=NS, h=h)))
    assert caught.value.condition == "bad-format"


@pytest.mark.parametrize("previd", ["", "x" * 4001])
def test_an_id_that_is_none_ends_the_stream(previd: str) -> None:
    with pytest.raises(StreamError):
        sm.parse(fromstring(f"<resume {NS} previd='{previd}' h='0'/>"))


def test_acknowledging_more_than_was_sent_ends_the_stream_and_tells_both_counts() -> None:
    ledger = Ledger(10, 1000)
    ledger.add(b"<message/>")
    with pytest.raises(StreamError) as caught:
        ledger.acknowledge(2)
    assert caught.value.condition == "undefined-condition"
    assert caught.value.application == f"<handled-count-too-high {NS} h='2' send-count='1'/>"


def test_counters_wrap_at_two_to_the_thirty_second() -> None:
    ledger = Ledger(10, 1000, handled=2**32 - 1, _acked=2**32 - 1)
    ledger.count()
    assert ledger.handled == 0
    ledger.add(b"<a/>")
    ledger.add(b"<b/>")
    ledger.acknowledge(0)
    assert ledger.resume(0) == (b"<b/>",)
    with pytest.raises(StreamError):
        ledger.acknowledge(2**32 - 1)


def test_the_ledger_is_full_by_stanzas_or_by_bytes_until_they_are_acknowledged() -> None:
    few, short = Ledger(1, 1000), Ledger(10, 4)
    for ledger in (few, short):
        ledger.add(b"abcd")
        assert not ledger.is_full
        ledger.add(b"e")
        assert ledger.is_full
        ledger.acknowledge(1)
        assert not ledger.is_full


def test_one_request_is_on_its_way_at_a_time_and_a_new_one_follows_only_what_was_sent_since() -> None:
    ledger = Ledger(10, 1000)
    assert not ledger.ask()
    ledger.add(b"1")
    assert ledger.ask()
    assert not ledger.ask()
    assert not ledger.acknowledge(0)  # the other side took nothing: to ask at once again would go on for ever
    assert ledger.ask()
    ledger.add(b"2")
    assert ledger.acknowledge(1)
    assert ledger.ask()


def test_what_is_left_at_the_end_is_taken_once() -> None:
    ledger = Ledger(10, 1000)
    ledger.add(b"1")
    ledger.add(b"2")
    ledger.acknowledge(1)
    assert (ledger.take(), ledger.take()) == ((b"2",), ())


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(("send", "lose", "acknowledge", "resume")), max_size=60),
    st.randoms(use_true_random=False),
)
def test_whatever_is_lost_each_stanza_arrives_once_and_in_order(start: int, steps: list[str], chance: object) -> None:
    """A sender over a wire that may be cut: the receiver counts what it gets, resuming sends the rest again."""
    sender, receiver = Ledger(10**6, 10**6, _acked=start), Ledger(10**6, 10**6, handled=start)
    wire: deque[bytes] = deque()
    arrived: list[bytes] = []
    sent = 0

    def deliver(limit: int) -> None:
        for _ in range(min(limit, len(wire))):
            arrived.append(wire.popleft())
            receiver.count()

    for step in [*steps, "resume"]:
        if step == "send":
            data = str(sent).encode()
            sent += 1
            sender.add(data)
            wire.append(data)
        elif step == "acknowledge":
            deliver(chance.randrange(4))  # type: ignore[attr-defined]
            sender.acknowledge(receiver.handled)
        elif step == "lose":
            deliver(chance.randrange(3))  # type: ignore[attr-defined]
            wire.clear()
            wire.extend(sender.resume(receiver.handled))
        else:
            wire.clear()
            wire.extend(sender.resume(receiver.handled))
    deliver(len(wire))
    assert arrived == [str(number).encode() for number in range(sent)]
