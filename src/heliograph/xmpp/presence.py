"""Presence (RFC 6121, section 4): what a presence says, and who has to hear of it.

The rules here decide; the engine knows who is connected and carries the decisions out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple
from xml.etree.ElementTree import Element

from heliograph.xmpp.stanza import NS_CLIENT, quote
from heliograph.xmpp.stanza_error import bad_request

PRIORITY_MIN = -128
PRIORITY_MAX = 127

_SHOW = f"{{{NS_CLIENT}}}show"
_STATUS = f"{{{NS_CLIENT}}}status"
_PRIORITY = f"{{{NS_CLIENT}}}priority"
_SHOWN = frozenset(("", "away", "chat", "dnd", "xa"))
_PRIORITY_MAX_CHARS = 4


class Kind(StrEnum):
    """The `type` of a presence (RFC 6121, section 4.7.1); an available one has none."""

    AVAILABLE = ""
    UNAVAILABLE = "unavailable"
    SUBSCRIBE = "subscribe"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBE = "unsubscribe"
    UNSUBSCRIBED = "unsubscribed"
    PROBE = "probe"
    ERROR = "error"


_KINDS = {kind.value: kind for kind in Kind}  # a look-up costs a third of a call of the enumeration
SUBSCRIPTION_KINDS = frozenset((Kind.SUBSCRIBE, Kind.SUBSCRIBED, Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED))


class Presence(NamedTuple):
    """What a presence says.

    Attributes:
        show: `away`, `chat`, `dnd`, `xa` or `""` (section 4.7.2.1).
        priority: from -128 to 127 (section 4.7.2.3).
        status: the first text for people, or `""` (section 4.7.2.2).
    """

    kind: Kind = Kind.AVAILABLE
    show: str = ""
    priority: int = 0
    status: str = ""


def parse(element: Element) -> Presence:
    """Read a presence stanza (section 4.7).

    Raises:
        StanzaError: `bad-request` for an unknown type, show or priority, or for a show or priority that stands twice.
    """
    kind = parse_kind(element.get("type"))
    if kind is not Kind.AVAILABLE:
        return Presence(kind, status=element.findtext(_STATUS) or "")
    show = _only(element, _SHOW)
    if show not in _SHOWN:
        raise bad_request("A presence shows away, chat, dnd or xa")
    return Presence(kind, show, _parse_priority(_only(element, _PRIORITY)), element.findtext(_STATUS) or "")


def parse_kind(value: str | None) -> Kind:
    """Read a presence's `type`.

    Raises:
        StanzaError: there is no such type.
    """
    kind = _KINDS.get(value or "")
    if kind is None:
        raise bad_request("There is no such type of presence")
    return kind


def _only(element: Element, tag: str) -> str:
    found = element.findall(tag)
    if len(found) > 1:
        raise bad_request("A presence has at most one show and one priority")
    return (found[0].text or "").strip() if found else ""


def _parse_priority(text: str) -> int:
    """XML Schema's `byte`: ASCII digits with an optional sign."""
    if not text:
        return 0
    digits = text[1:] if text[0] in "+-" else text
    if len(text) > _PRIORITY_MAX_CHARS or not (digits.isascii() and digits.isdigit()):
        raise bad_request("A priority is an integer from -128 to 127")
    priority = int(text)
    if not PRIORITY_MIN <= priority <= PRIORITY_MAX:
        raise bad_request("A priority is an integer from -128 to 127")
    return priority


def presence_xml(kind: Kind, sender: str, to: str, content: str = "") -> str:
    """A whole presence stanza.

    Args:
        kind: its type.
        sender: the JID to stand in `from`.
        to: the JID to stand in `to`.
        content: XML to stand inside.
    """
    named = f" type='{kind}'" if kind else ""
    start = f"<presence from={quote(sender)} to={quote(to)}{named}"
    return f"{start}>{content}</presence>" if content else f"{start}/>"


# ------------------------------------------------------------------------------------------------------------ decisions


def is_watcher(subscription: str) -> bool:
    """Whether the contact of a roster item gets the user's presence (section 4.2.2)."""
    return subscription in ("from", "both")


def is_watched(subscription: str) -> bool:
    """Whether the user gets the presence of a roster item's contact, and so probes for it (section 4.3)."""
    return subscription in ("to", "both")


class Broadcast(NamedTuple):
    """What a presence without `to` sets off.

    Attributes:
        is_announced: it goes to the contacts that watch the user (`is_watcher`) and to the user's other available
            resources.
        is_probing: the resource gets the presence of the contacts that it watches (`is_watched`) and of the user's
            other resources (section 4.2.2), the subscription requests that nobody has answered (section 3.1.3), and
            the newest events of the nodes it is interested in (XEP-0163, section 4.3.4).
    """

    is_announced: bool = False
    is_probing: bool = False


INITIAL = Broadcast(is_announced=True, is_probing=True)
SUBSEQUENT = Broadcast(is_announced=True)
FINAL = Broadcast(is_announced=True)
NEVER_AVAILABLE = Broadcast()


def broadcast(is_available: bool, kind: Kind) -> Broadcast:
    """What a presence without `to` sets off (sections 4.2, 4.4 and 4.5).

    Args:
        is_available: whether the resource has sent available presence before.
        kind: `AVAILABLE`, or `UNAVAILABLE` as a client says it or as the server says for it when the stream ends.

    Returns:
        The first available presence is initial. A resource that was never available may have sent directed presence.
    """
    if kind is Kind.UNAVAILABLE:
        return FINAL if is_available else NEVER_AVAILABLE
    return SUBSEQUENT if is_available else INITIAL


class ProbeAnswer(StrEnum):
    """What a probe gets (section 4.3.2)."""

    CURRENT = "current"
    UNAVAILABLE = "unavailable"
    UNSUBSCRIBED = "unsubscribed"


def answer_probe(subscription: str | None, is_online: bool) -> ProbeAnswer:
    """Decide the answer to a probe.

    Args:
        subscription: of the item for the one who asks in the asked user's roster; `None` for no item or no account.
        is_online: whether the asked user has an available resource.
    """
    if subscription is None or not is_watcher(subscription):
        return ProbeAnswer.UNSUBSCRIBED
    return ProbeAnswer.CURRENT if is_online else ProbeAnswer.UNAVAILABLE
