"""Which messages wait for a user who is not there (XEP-0160), and the time that they tell (XEP-0203)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp.delay import stamped, without_forged
from heliograph.xmpp.offline import may_wait
from heliograph.xmpp.stanza import Stanza

BODY = "<body>hi</body>"
TYPING = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"


def message(content: str = "", kind: str = "") -> Stanza:
    named = f" type='{kind}'" if kind else ""
    return Stanza("message", fromstring(f"<message xmlns='jabber:client'{named} id='m'>{content}</message>"))


@pytest.mark.parametrize("kind", ["chat", "", "normal", "odd"])
@pytest.mark.parametrize("content", [BODY, BODY + TYPING, "<received xmlns='urn:xmpp:receipts' id='1'/>"])
def test_what_says_something_waits(kind: str, content: str) -> None:
    assert may_wait(message(content, kind))


@pytest.mark.parametrize("kind", ["groupchat", "headline", "error"])
def test_what_is_of_the_moment_does_not(kind: str) -> None:
    assert not may_wait(message(BODY, kind))


@pytest.mark.parametrize(
    "content", ["", TYPING, TYPING + "<thread>1</thread>", BODY + "<no-store xmlns='urn:xmpp:hints'/>"]
)
def test_what_says_nothing_or_must_not_be_stored_does_not(content: str) -> None:
    assert not may_wait(message(content, "chat"))


@pytest.mark.parametrize("content", ["", BODY])
def test_it_tells_when_it_came_and_from_whom(content: str) -> None:
    data = stamped(message(content, "chat"), "ada@x.org/a", "bob@x.org", "x.org", 1_800_000_000.9)
    assert data.decode() == (
        f"<message type='chat' id='m' from='ada@x.org/a' to='bob@x.org'>{content}"
        "<delay xmlns='urn:xmpp:delay' from='x.org' stamp='2027-01-15T08:00:00Z'/></message>"
    )


def test_it_keeps_the_time_that_it_has() -> None:
    delay = "<delay xmlns='urn:xmpp:delay' from='{}' stamp='2020-01-01T00:00:00Z'/>"
    known = message(BODY + delay.format("x.org"))
    assert stamped(known, "ada@x.org/a", "bob@x.org", "x.org", 0).count(b"<delay") == 1
    claimed = message(BODY + delay.format("ada@x.org/a"))
    assert stamped(claimed, "ada@x.org/a", "bob@x.org", "x.org", 0).count(b"<delay") == 2


@pytest.mark.parametrize("by", ["x.org", "X.org", "x.org/node"])
def test_a_time_that_is_told_in_the_name_of_the_server_goes_and_all_else_stays(by: str) -> None:
    delay = "<delay xmlns='urn:xmpp:delay' from='{}' stamp='2020-01-01T00:00:00Z'/>"
    own = delay.format("ada@x.org/a") + delay.format("room@muc.other")
    assert without_forged(message(BODY + delay.format(by) + own), "x.org").inner().decode() == BODY + own
    untouched = message(BODY + own)
    assert without_forged(untouched, "x.org") is untouched
