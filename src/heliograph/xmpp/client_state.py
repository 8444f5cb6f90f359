"""Client state indication (XEP-0352): a client that nobody looks at is told nothing that can wait.

What can wait is presence, of which only the newest of each full JID matters, and the newest event of each item of an
account's node (XEP-0163). Everything held goes out, in order, before the next stanza that cannot wait.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from heliograph.xmpp.framing import as_document
from heliograph.xmpp.pep import EVENT_TAG, NS_PUBSUB_EVENT
from heliograph.xmpp.stanza import Stanza
from heliograph.xmpp.stream import Limits, parse_document

NS_CSI = "urn:xmpp:csi:0"
FEATURE = f"<csi xmlns='{NS_CSI}'/>"

_STATES = {f"{{{NS_CSI}}}active": True, f"{{{NS_CSI}}}inactive": False}
_ITEMS = f"{{{NS_PUBSUB_EVENT}}}items"
_ITEM = f"{{{NS_PUBSUB_EVENT}}}item"
_MARK = NS_PUBSUB_EVENT.encode()


@dataclass(frozen=True, slots=True)
class ClientState:
    """The client says whether somebody looks at it."""

    is_active: bool


def parse(element: Element) -> ClientState | None:
    """The state that an element tells; `None` if it tells none."""
    is_active = _STATES.get(element.tag)
    return None if is_active is None else ClientState(is_active)


@dataclass(slots=True)
class Held:
    """What waits until a client is active.

    Args:
        limits: of a stanza, as this server writes them.
        max_stanzas: how many may wait; when there are more, all go out.
        max_bytes: how many bytes they may have together.
    """

    limits: Limits
    max_stanzas: int
    max_bytes: int
    _waiting: dict[Hashable, bytes] = field(default_factory=dict)
    _bytes: int = 0

    def offer(self, stanza: bytes) -> Sequence[bytes]:
        """What has to go out now that this stanza is there, in order: nothing if it can wait."""
        key = self._key(stanza)
        if key is None:
            return (*self.flush(), stanza)
        self._bytes += len(stanza) - len(self._waiting.pop(key, b""))
        self._waiting[key] = stanza
        is_full = len(self._waiting) > self.max_stanzas or self._bytes > self.max_bytes
        return self.flush() if is_full else ()

    def flush(self) -> Sequence[bytes]:
        """All that waits, the oldest first; it waits no longer."""
        waiting = tuple(self._waiting.values())
        self._waiting.clear()
        self._bytes = 0
        return waiting

    def _key(self, data: bytes) -> Hashable:
        """What a later stanza must equal to take this one's place; `None` if it cannot wait."""
        is_presence = data.startswith(b"<presence")
        if not is_presence and not (data.startswith(b"<message") and _MARK in data):
            return None
        stanza = parse_document(as_document(data), self.limits)
        if not isinstance(stanza, Stanza):
            return None
        return _presence_key(stanza) if is_presence else _event_key(stanza)


def _presence_key(stanza: Stanza) -> Hashable:
    return ("presence", stanza.get("from")) if stanza.type in (None, "unavailable") else None


def _event_key(stanza: Stanza) -> Hashable:
    """Only a lone event of published items can wait: a retraction does not say all that a later one says."""
    event = stanza.find(EVENT_TAG)
    items = event.find(_ITEMS) if event is not None and len(stanza.element) == 1 else None
    if items is None or any(child.tag != _ITEM for child in items):
        return None
    return ("event", stanza.get("from"), items.get("node"), *(item.get("id") for item in items))
