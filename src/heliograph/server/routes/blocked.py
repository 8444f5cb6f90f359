"""The users whom the user blocks."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import blocking
from heliograph.server import bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def listed(call: UserCall[NoBody]) -> wire.BlockedData:
    """`GET /blocked`: the users whom the user blocks."""
    jids = await blocking.users(call.ports, call.jid)
    return wire.BlockedData(blocked=tuple(bodies.blocked_user(jid) for jid in jids))


async def block(call: UserCall[NoBody]) -> wire.BlockedUserBody:
    """`PUT /blocked/{identifier}`: block a user; profile and presence are hidden both ways, messages fail."""
    return bodies.blocked_user(await blocking.block_user(call.ports, call.jid, call.segment("identifier")))


async def unblock(call: UserCall[NoBody]) -> None:
    """`DELETE /blocked/{identifier}`: unblock a user; it is no error if the user was not blocked."""
    await blocking.unblock_user(call.ports, call.jid, call.segment("identifier"))


ENDPOINTS = (
    by_token("GET", "/blocked", NoBody, listed),
    by_token("PUT", "/blocked/{identifier}", NoBody, block),
    by_token("DELETE", "/blocked/{identifier}", NoBody, unblock),
)
