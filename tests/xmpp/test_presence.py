from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.xmpp.presence import (
    FINAL,
    INITIAL,
    NEVER_AVAILABLE,
    SUBSEQUENT,
    Kind,
    Presence,
    ProbeAnswer,
    answer_probe,
    broadcast,
    is_watched,
    is_watcher,
    parse,
    presence_xml,
)
from heliograph.xmpp.stanza_error import StanzaError


def stanza(content: str = "", kind: str | None = None) -> Element:
    named = "" if kind is None else f" type='{kind}'"
    return fromstring(f"<presence xmlns='jabber:client'{named}>{content}</presence>")


def test_a_bare_presence_is_available_with_priority_zero() -> None:
    assert parse(stanza()) == Presence(Kind.AVAILABLE, "", 0, "")


def test_show_status_and_priority_are_read() -> None:
    read = parse(stanza("<show>dnd</show><status>Wooing Juliet</status><priority>-7</priority>"))
    assert read == Presence(Kind.AVAILABLE, "dnd", -7, "Wooing Juliet")


def test_the_first_of_several_statuses_counts() -> None:
    assert parse(stanza("<status>a</status><status xml:lang='cs'>b</status>")).status == "a"


@pytest.mark.parametrize("text", ["-128", "127", "0", "+5", " 3 ", "-0"])
def test_priorities_within_a_byte_are_read(text: str) -> None:
    assert parse(stanza(f"<priority>{text}</priority>")).priority == int(text)


@pytest.mark.parametrize("text", ["-129", "128", "1.0", "1e1", "x", "+", "-", "٣", "0x1", "99999999999", "1 2", "--1"])
def test_other_priorities_are_refused(text: str) -> None:
    with pytest.raises(StanzaError) as caught:
        parse(stanza(f"<priority>{text}</priority>"))
    assert caught.value.condition == ("modify", "bad-request")


@pytest.mark.parametrize(
    "content", ["<show>busy</show>", "<show>away</show><show>xa</show>", "<priority>1</priority><priority>2</priority>"]
)
def test_an_unknown_or_second_show_is_refused(content: str) -> None:
    with pytest.raises(StanzaError):
        parse(stanza(content))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(StanzaError):
        parse(stanza(kind="invisible"))


def test_other_types_carry_no_show_and_no_priority() -> None:
    assert parse(stanza("<show>nonsense</show><status>bye</status>", "unavailable")) == Presence(
        Kind.UNAVAILABLE, status="bye"
    )


@given(st.integers(-128, 127), st.sampled_from(["away", "chat", "dnd", "xa"]))
def test_what_a_client_writes_is_read(priority: int, show: str) -> None:
    content = f"<show>{show}</show><status>a &lt; b</status><priority>{priority}</priority>"
    assert parse(stanza(content)) == Presence(Kind.AVAILABLE, show, priority, "a < b")


def test_presence_stanzas_as_they_are_sent() -> None:
    assert presence_xml(Kind.SUBSCRIBE, "ada@x", "bob@x") == "<presence from='ada@x' to='bob@x' type='subscribe'/>"
    content = "<show>away</show><status>R&amp;R</status>"
    assert presence_xml(Kind.AVAILABLE, "ada@x/a", "bob@x", content) == (
        f"<presence from='ada@x/a' to='bob@x'>{content}</presence>"
    )


def test_the_first_available_presence_is_initial_and_the_next_are_only_announced() -> None:
    assert broadcast(False, Kind.AVAILABLE) is INITIAL
    assert broadcast(True, Kind.AVAILABLE) is SUBSEQUENT
    assert INITIAL.is_probing
    assert not SUBSEQUENT.is_probing


def test_going_offline_is_announced_only_by_one_who_was_available() -> None:
    assert broadcast(True, Kind.UNAVAILABLE) is FINAL
    assert broadcast(False, Kind.UNAVAILABLE) is NEVER_AVAILABLE
    assert FINAL.is_announced
    assert not NEVER_AVAILABLE.is_announced


@pytest.mark.parametrize(
    ("subscription", "watcher", "watched"),
    [("none", False, False), ("to", False, True), ("from", True, False), ("both", True, True)],
)
def test_who_watches_whom(subscription: str, watcher: bool, watched: bool) -> None:
    assert (is_watcher(subscription), is_watched(subscription)) == (watcher, watched)


@pytest.mark.parametrize(
    ("subscription", "is_online", "answer"),
    [
        ("both", True, ProbeAnswer.CURRENT),
        ("from", True, ProbeAnswer.CURRENT),
        ("from", False, ProbeAnswer.UNAVAILABLE),
        ("to", True, ProbeAnswer.UNSUBSCRIBED),
        ("none", False, ProbeAnswer.UNSUBSCRIBED),
        (None, True, ProbeAnswer.UNSUBSCRIBED),
    ],
)
def test_only_a_subscriber_learns_of_presence_by_a_probe(
    subscription: str | None, is_online: bool, answer: ProbeAnswer
) -> None:
    assert answer_probe(subscription, is_online) is answer
