"""Delayed delivery (XEP-0203): when a message was first received, on one that comes later."""

from __future__ import annotations

from heliograph.xmpp.date_time import stamp
from heliograph.xmpp.stanza import Stanza, quote, with_child

NS_DELAY = "urn:xmpp:delay"
DELAY_TAG = f"{{{NS_DELAY}}}delay"


def stamped(message: Stanza, sender: str, to: str, domain: str, now: float, lang: str | None = None) -> bytes:
    """A message with the time at which it came; one that the domain has stamped before keeps its time.

    Args:
        message: the message.
        sender: its true sender's full JID.
        to: the bare JID that it waits for.
        domain: who received it.
        now: seconds since the epoch.
        lang: the language of the sender's stream.
    """
    data = message.encode(sender, to, lang)
    if any(each.get("from") == domain for each in message.element.iterfind(DELAY_TAG)):
        return data
    return with_child(data, f"<delay xmlns='{NS_DELAY}' from={quote(domain)} stamp='{stamp(now)}'/>".encode())
