"""Access and refresh tokens."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import tokens
from heliograph.server import bodies
from heliograph.server.endpoints import Call, by_key


async def issue(call: Call[wire.TokenRequest]) -> wire.Tokens:
    """`POST /tokens`: tokens for the credentials of a device session."""
    body = call.body
    return bodies.tokens(await tokens.issue(call.ports, call.caller, body.username, body.password, call.address))


async def refresh(call: Call[wire.RefreshRequest]) -> wire.Tokens:
    """`POST /tokens/refresh`: the next pair for a refresh token, which works once, but for a lost reply."""
    return bodies.tokens(await tokens.refresh(call.ports, call.caller, call.body.refresh_token, call.address))


async def revoke(call: Call[wire.RevokeRequest]) -> None:
    """`POST /tokens/revoke`: end the session of a token with all that belongs to it (RFC 7009); never an error."""
    await tokens.revoke(call.ports, call.caller, call.body.token, call.address)


ENDPOINTS = (
    by_key("POST", "/tokens", wire.TokenRequest, issue),
    by_key("POST", "/tokens/refresh", wire.RefreshRequest, refresh),
    by_key("POST", "/tokens/revoke", wire.RevokeRequest, revoke),
)
