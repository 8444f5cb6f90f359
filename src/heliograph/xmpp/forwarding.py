"""Stanza forwarding (XEP-0297): a stanza inside another."""

from __future__ import annotations

from heliograph.xmpp.framing import as_document

NS_FORWARD = "urn:xmpp:forward:0"
FORWARDED_TAG = f"{{{NS_FORWARD}}}forwarded"


def forwarded(stanza: bytes, delay: str = "") -> bytes:
    """A stanza as the child of another (section 3).

    Args:
        stanza: encoded for TCP.
        delay: when it was received, as an element (XEP-0203).
    """
    return b"<forwarded xmlns='%b'>%b%b</forwarded>" % (NS_FORWARD.encode(), delay.encode(), as_document(stanza))
