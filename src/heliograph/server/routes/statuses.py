"""Status texts to choose from."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import statuses
from heliograph.server import profile_bodies
from heliograph.server.endpoints import Call, NoBody, UserCall, by_key, by_secret_key, by_token


async def listed(call: UserCall[NoBody]) -> wire.StatusesBody:
    """`GET /statuses`: the user's status, those that the app offers, and those that the user had last."""
    return profile_bodies.statuses(await statuses.of(call.ports, call.caller, call.jid))


async def forget(call: UserCall[wire.ForgetStatusRequest]) -> wire.StatusesBody:
    """`POST /statuses/forget`: take a text off the recent ones, or all of them."""
    return profile_bodies.statuses(await statuses.forget(call.ports, call.caller, call.jid, call.body.status))


async def offered(call: Call[NoBody]) -> wire.OfferedStatusesBody:
    """`GET /app/statuses`: what the app offers to its users."""
    return wire.OfferedStatusesBody(statuses=call.caller.app.policy.statuses)


async def offer(call: Call[wire.OfferedStatusesRequest]) -> wire.OfferedStatusesBody:
    """`PUT /app/statuses`: let the app offer these texts from now on, live and in the sandbox."""
    return wire.OfferedStatusesBody(statuses=await statuses.offer(call.ports, call.caller, call.body.statuses))


ENDPOINTS = (
    by_token("GET", "/statuses", NoBody, listed),
    by_token("POST", "/statuses/forget", wire.ForgetStatusRequest, forget),
    by_key("GET", "/app/statuses", NoBody, offered),
    by_secret_key("PUT", "/app/statuses", wire.OfferedStatusesRequest, offer),
)
