"""When another user was last there."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import last_seen
from heliograph.core.apps import Feature, require_feature
from heliograph.server import bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def of(call: UserCall[NoBody]) -> wire.LastSeenBody:
    """`GET /last-seen/{user}`: when a contact was last there, named by identifier or bare JID."""
    require_feature(call.caller.app, Feature.LAST_SEEN)
    return bodies.last_seen(await last_seen.get(call.ports, call.jid, call.named_jid("user")))


ENDPOINTS = (by_token("GET", "/last-seen/{user}", NoBody, of),)
