"""The user's device sessions: list them, end them."""

from __future__ import annotations

from heliograph import wire
from heliograph.core import sessions
from heliograph.core.sessions import EndReason
from heliograph.server import bodies
from heliograph.server.endpoints import NoBody, UserCall, by_token


async def live(call: UserCall[NoBody]) -> wire.SessionsData:
    """`GET /sessions`: the live sessions, least recently active first."""
    found = await sessions.list_live(call.ports, call.identity.account)
    return wire.SessionsData(sessions=tuple(bodies.session(each, call.identity.session.id) for each in found))


async def end(call: UserCall[NoBody]) -> None:
    """`DELETE /sessions/{id}`: end one session; the asking one by its own id is a logout."""
    session_id = call.segment("id")
    reason = EndReason.LOGOUT if session_id == call.identity.session.id else EndReason.ENDED_BY_USER
    await sessions.end(call.ports, call.identity.account, session_id, reason)


async def log_out(call: UserCall[NoBody]) -> None:
    """`DELETE /sessions/current`: end the session that asks."""
    await sessions.end(call.ports, call.identity.account, call.identity.session.id, EndReason.LOGOUT)


async def end_others(call: UserCall[wire.EndOthersRequest]) -> wire.EndedData:
    """`POST /sessions/end-others`: end all sessions but the asking one, or all that a browser holds."""
    identity = call.identity
    ended = await sessions.end_others(call.ports, identity.account, identity.session.id, call.body.only_web)
    return wire.EndedData(session_ids=tuple(ended))


ENDPOINTS = (
    by_token("GET", "/sessions", NoBody, live),
    by_token("POST", "/sessions/end-others", wire.EndOthersRequest, end_others),
    by_token("DELETE", "/sessions/current", NoBody, log_out),
    by_token("DELETE", "/sessions/{id}", NoBody, end),
)
