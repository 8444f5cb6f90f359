"""Message carbons (XEP-0280): a user's devices see both sides of each other's conversations, with their receipts
(XEP-0184) and markers (XEP-0333), and nothing that a hint forbids to copy (XEP-0334).
"""

from __future__ import annotations

from enum import Enum

from heliograph.xmpp.forwarding import forwarded
from heliograph.xmpp.hints import NO_COPY
from heliograph.xmpp.message import message_type
from heliograph.xmpp.stanza import NS_CLIENT, Stanza, quote, split_tag

NS_CARBONS = "urn:xmpp:carbons:2"
ENABLE_TAG = f"{{{NS_CARBONS}}}enable"
DISABLE_TAG = f"{{{NS_CARBONS}}}disable"

_BODY_TAG = f"{{{NS_CLIENT}}}body"
_REFUSALS = (f"{{{NS_CARBONS}}}private", NO_COPY)
_CONVERSATION = frozenset(("http://jabber.org/protocol/chatstates", "urn:xmpp:receipts", "urn:xmpp:chat-markers:0"))
"""What belongs to a conversation without a body (XEP-0085, XEP-0184, XEP-0333)."""


class Direction(Enum):
    """What happened to a message on another device of the user."""

    SENT = "sent"
    RECEIVED = "received"


def is_copied(message: Stanza) -> bool:
    """Whether a message belongs to a conversation that all devices see (section 6), and its sender let it be copied
    (section 7; XEP-0334, section 4.3).

    An error belongs to one if it brings back the text that it answers.
    """
    kind = message_type(message.type)
    if kind in ("groupchat", "headline") or any(message.find(tag) is not None for tag in _REFUSALS):
        return False
    if kind == "chat" or message.find(_BODY_TAG) is not None:
        return True
    return kind == "normal" and any(split_tag(child.tag)[0] in _CONVERSATION for child in message.element)


def carbon(direction: Direction, account: str, to: bytes, message: Stanza, data: bytes) -> bytes:
    """The copy of a message for another device (sections 4 and 5).

    Args:
        direction: what happened to the message on the first device.
        account: the user's bare JID, which sends the copy.
        to: the device's full JID as a quoted attribute value.
        message: the message.
        data: the message as it was passed on, encoded for TCP.
    """
    kind = f" type={quote(message.type)}" if message.type else ""
    start = f"<message from={quote(account)}{kind} to=".encode()
    tag = direction.value.encode()
    return b"%b%b><%b xmlns='urn:xmpp:carbons:2'>%b</%b></message>" % (start, to, tag, forwarded(data), tag)
