"""Delayed delivery (XEP-0203): when a message was first received, on one that comes later."""

from __future__ import annotations

from heliograph.xmpp.date_time import stamp
from heliograph.xmpp.stanza import Stanza, quote, with_child, without

NS_DELAY = "urn:xmpp:delay"
DELAY_TAG = f"{{{NS_DELAY}}}delay"
_MARK = NS_DELAY.encode()


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


def without_forged(message: Stanza, domain: str) -> Stanza:
    """The message without times that only this domain may tell (section 8): whoever reads one of them believes it of
    the server. What a client says of itself, in its own name, stays.

    Args:
        message: as a client sent it.
        domain: of the server that received it.
    """
    return without(message, _MARK, lambda each: each.tag == DELAY_TAG and _is_server(each.get("from", ""), domain))


def _is_server(jid: str, domain: str) -> bool:
    return jid.partition("/")[0].lower() == domain
