"""Learning what a client wants to be notified of (XEP-0115), and the newest events that it is then owed (XEP-0163,
4.3).
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING

from heliograph.core import limits
from heliograph.engines.embedded.router import Resource
from heliograph.xmpp import caps
from heliograph.xmpp.caps import Caps
from heliograph.xmpp.disco import INFO_TAG, NS_DISCO_INFO, parse_info
from heliograph.xmpp.stanza import Stanza, quote

if TYPE_CHECKING:
    from heliograph.engines.embedded.engine import EmbeddedEngine


def announced(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """An available presence came: find out what its sender is interested in, once for each client version."""
    found = caps.parse(stanza.element)
    if found is None or found == sender.caps:
        return None
    sender.caps = found
    known = engine.interests.get(found)
    if known is not None:
        return _interested(engine, sender, known)
    sender.caps_query = engine.next_id()
    query = f"<query xmlns='{NS_DISCO_INFO}' node={quote(found.query_node)}/>"
    names = f"from={quote(sender.host)} to={quote(sender.jid)} id={quote(sender.caps_query)}"
    sender.outlet.send(f"<iq type='get' {names}>{query}</iq>".encode())
    return None


def forgotten(sender: Resource) -> None:
    """A resource became unavailable: when it comes back it is owed what it has missed."""
    sender.caps, sender.caps_query, sender.interests = None, None, frozenset()


def answered(engine: EmbeddedEngine, sender: Resource, stanza: Stanza) -> Coroutine[None, None, None] | None:
    """A client answered a request of the server; the server asks for nothing but capabilities."""
    if sender.caps is None or stanza.id != sender.caps_query:
        return None
    sender.caps_query = None
    payload = stanza.child()
    if stanza.type != "result" or payload is None or payload.tag != INFO_TAG:
        return None
    learnt = caps.learn(sender.caps, parse_info(payload))
    interests = learnt.interests
    if learnt.is_verified and sum(map(len, interests)) <= limits.CAPS_INTERESTS_MAX_CHARS:
        interests = _remembered(engine, sender.caps, interests)
    return _interested(engine, sender, interests)


def _remembered(engine: EmbeddedEngine, key: Caps, interests: frozenset[str]) -> frozenset[str]:
    """One object for all clients of a version, also for those that were asked at the same time: see `FanOut`."""
    if key not in engine.interests and len(engine.interests) >= limits.CAPS_CACHE_MAX:
        del engine.interests[next(iter(engine.interests))]
    return engine.interests.setdefault(key, interests)


def _interested(
    engine: EmbeddedEngine, sender: Resource, interests: frozenset[str]
) -> Coroutine[None, None, None] | None:
    new = interests - sender.interests
    sender.interests = interests
    return engine.fan_out.catch_up(sender, new) if new else None
