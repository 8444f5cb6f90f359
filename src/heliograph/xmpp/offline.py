"""Which messages wait for a user who is not there (XEP-0160, section 3), unless a hint forbids it (XEP-0334)."""

from __future__ import annotations

from heliograph.xmpp.hints import NO_STORE, STORE
from heliograph.xmpp.message import message_type
from heliograph.xmpp.stanza import Stanza, split_tag

FEATURE = "msgoffline"

_NS_CHAT_STATES = "http://jabber.org/protocol/chatstates"
_ACCOMPANY = frozenset(("{jabber:client}thread", STORE))


def may_wait(message: Stanza) -> bool:
    """Whether a message may be kept: a chat or a normal one that says more than that somebody types (XEP-0085), and
    whose sender does not forbid it (XEP-0334, section 4.2).
    """
    if message_type(message.type) not in ("chat", "normal") or message.find(NO_STORE) is not None:
        return False
    return any(split_tag(child.tag)[0] != _NS_CHAT_STATES and child.tag not in _ACCOMPANY for child in message.element)
