"""Listing, ending and touching sessions, over the real stores."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core import accounts, sessions, tokens
from heliograph.core.accounts import Registered, RegisterRequest
from heliograph.core.apps import Caller
from heliograph.core.ports import Ports
from heliograph.core.sessions import Device, EndReason, Via
from heliograph.errors import SessionNotFound, TokenRevoked


async def register(ports: Ports, caller: Caller, identifier: str = "bob", **changes: Any) -> Registered:
    return await accounts.register(ports, caller, RegisterRequest(identifier, **changes))


async def test_ending_one_session_leaves_the_others_live(ports: Ports, backend: Caller, engine: Any) -> None:
    first, second = await register(ports, backend), await register(ports, backend)
    await sessions.end(ports, first.account, first.session.id, EndReason.LOGOUT)
    assert engine.told[1:] == [("disconnect_session", "bob@chat.example", first.session.id, EndReason.LOGOUT)]
    assert [live.id for live in await sessions.list_live(ports, first.account)] == [second.session.id]
    await tokens.authenticate(ports, backend, second.tokens.access_token)
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, backend, first.tokens.access_token)


async def test_a_session_ends_once_and_only_at_its_own_account(ports: Ports, backend: Caller, engine: Any) -> None:
    bob, alice = await register(ports, backend), await register(ports, backend, "alice")
    await sessions.end(ports, bob.account, bob.session.id, EndReason.ENDED_BY_USER)
    told = len(engine.told)
    for session_id in (bob.session.id, alice.session.id, "ses_none", ""):
        with pytest.raises(SessionNotFound):
            await sessions.end(ports, bob.account, session_id, EndReason.ENDED_BY_USER)
    assert len(engine.told) == told
    assert len(await sessions.list_live(ports, alice.account)) == 1


async def test_ending_the_others_keeps_the_one_that_asks(ports: Ports, backend: Caller, engine: Any) -> None:
    made = [await register(ports, backend) for _ in range(3)]
    ended = await sessions.end_others(ports, made[0].account, made[0].session.id)
    assert set(ended) == {made[1].session.id, made[2].session.id}
    assert {call[2:] for call in engine.told[1:]} == {(session_id, EndReason.ENDED_BY_USER) for session_id in ended}
    assert await sessions.end_others(ports, made[0].account, made[0].session.id) == []


async def test_ending_the_web_sessions_leaves_phones_alone(ports: Ports, backend: Caller) -> None:
    phone = await register(ports, backend, device=Device("phone"))
    await register(ports, backend, device=Device("tablet"))
    web = await register(ports, backend, device=Device("laptop", "Firefox"))
    linked = await register(ports, backend, via=Via.QR)
    ended = await sessions.end_others(ports, phone.account, phone.session.id, only_web=True)
    assert set(ended) == {web.session.id, linked.session.id}


async def test_activity_is_noted_once_a_minute(ports: Ports, backend: Caller, clock: Any) -> None:
    bob = await register(ports, backend)

    async def last_active_after(seconds: float) -> float:
        clock.turn(seconds)
        await tokens.authenticate(ports, backend, bob.tokens.access_token)
        await register(ports, backend, "alice")  # a commit, which carries the note
        [live] = await sessions.list_live(ports, bob.account)
        return live.last_active_at

    start = clock.now()
    assert await last_active_after(59) == start
    assert await last_active_after(1) == start + 60
    assert await last_active_after(59) == start + 60
