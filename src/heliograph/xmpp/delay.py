"""Delayed delivery (XEP-0203): when a message was first received, on one that comes later."""

from __future__ import annotations

from datetime import UTC, datetime

from heliograph.xmpp.stanza import Stanza, quote

NS_DELAY = "urn:xmpp:delay"
DELAY_TAG = f"{{{NS_DELAY}}}delay"


def stamped(message: Stanza, sender: str, to: str, domain: str, now: float) -> bytes:
    """A message with the time at which it came; one that the domain has stamped before keeps its time.

    Args:
        message: the message.
        sender: its true sender's full JID.
        to: the bare JID that it waits for.
        domain: who received it.
        now: seconds since the epoch.
    """
    data = message.encode(sender, to)
    if any(each.get("from") == domain for each in message.element.iterfind(DELAY_TAG)):
        return data
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    delay = f"<delay xmlns='{NS_DELAY}' from={quote(domain)} stamp='{stamp}'/>".encode()
    if data.endswith(b"</message>"):
        return data.removesuffix(b"</message>") + delay + b"</message>"
    return data.removesuffix(b"/>") + b">" + delay + b"</message>"
