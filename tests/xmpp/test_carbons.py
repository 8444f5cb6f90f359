"""Which messages are copied to a user's other devices, and how (XEP-0280)."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest

from heliograph.xmpp.carbons import Direction, carbon, is_copied
from heliograph.xmpp.stanza import Stanza


def message(content: str = "", kind: str = "") -> Stanza:
    named = f" type='{kind}'" if kind else ""
    return Stanza("message", fromstring(f"<message xmlns='jabber:client'{named}>{content}</message>"))


BODY = "<body>hi</body>"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
RECEIPT = "<received xmlns='urn:xmpp:receipts' id='1'/>"
MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
PRIVATE = "<private xmlns='urn:xmpp:carbons:2'/>"
NO_COPY = "<no-copy xmlns='urn:xmpp:hints'/>"


@pytest.mark.parametrize(
    ("kind", "content"),
    [("chat", BODY), ("chat", STATE), ("chat", ""), ("", BODY), ("normal", BODY), ("odd", BODY), ("error", BODY)]
    + [("", each) for each in (STATE, RECEIPT, MARKER)],
)
def test_what_belongs_to_a_conversation_is_copied_unless_it_says_no(kind: str, content: str) -> None:
    assert is_copied(message(content, kind))
    assert not is_copied(message(content + PRIVATE, kind))
    assert not is_copied(message(content + NO_COPY, kind))


@pytest.mark.parametrize(
    ("kind", "content"),
    [("groupchat", BODY), ("headline", BODY), ("", "<x xmlns='urn:x'/>"), ("", ""), ("error", RECEIPT), ("error", "")],
)
def test_what_belongs_to_no_conversation_is_not_copied(kind: str, content: str) -> None:
    assert not is_copied(message(content, kind))


@pytest.mark.parametrize("kind", ["chat", ""])
def test_a_copy_holds_the_whole_message_and_comes_from_the_account_itself(kind: str) -> None:
    named = f" type='{kind}'" if kind else ""
    data = f"<message from='ada@x.org/a' to='bob@x.org/b'{named}><body>&lt;message</body></message>".encode()
    assert carbon(Direction.SENT, "ada@x.org", b"'ada@x.org/c'", message(BODY, kind), data).decode() == (
        f"<message from='ada@x.org'{named} to='ada@x.org/c'><sent xmlns='urn:xmpp:carbons:2'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='ada@x.org/a' to='bob@x.org/b'"
        f"{named}><body>&lt;message</body></message></forwarded></sent></message>"
    )
