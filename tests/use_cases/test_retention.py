"""What a node lets go of by itself, and when."""

from __future__ import annotations

from typing import Any

import pytest

import bugs
from heliograph import upkeep
from heliograph.core import accounts, audit, sessions
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller
from heliograph.core.audit import EMPTY, Kind
from heliograph.core.ports import Ports
from heliograph.core.sessions import EndReason
from heliograph.errors import StorageUnavailable
from heliograph.settings import Settings

DAY_S = 86_400.0


async def test_the_trail_is_kept_for_a_year_and_stays_whole_when_its_beginning_goes(
    ports: Ports, backend: Caller, clock: Any
) -> None:
    made = await accounts.register(ports, backend, RegisterRequest("bob"))
    settings = Settings()
    clock.turn(364 * DAY_S)
    await sessions.end(ports, made.account, made.session.id, EndReason.LOGOUT)
    for _ in range(2):
        await upkeep.sweep(ports, settings)
    assert await ports.audit.anchor(backend.app.id) == EMPTY
    clock.turn(2.5 * DAY_S)
    for _ in range(2):
        await upkeep.sweep(ports, settings)
    kept = [entry.event.kind for entry in await ports.audit.chain(backend.app.id, 0, 100)]
    assert kept == [Kind.SESSION_ENDED, Kind.AUDIT_FORGOTTEN]
    assert (await audit.verify(ports.audit, backend.app.id))[1] is None


@pytest.mark.parametrize("days", [0, 3650])
async def test_an_operator_may_keep_the_trail(ports: Ports, backend: Caller, clock: Any, days: int) -> None:
    await accounts.register(ports, backend, RegisterRequest("bob"))
    clock.turn(3000 * DAY_S)
    await upkeep.sweep(ports, Settings(audit_days=days))
    assert await ports.audit.anchor(backend.app.id) == EMPTY


async def test_when_a_user_was_last_there_is_known_when_the_session_is_forgotten(
    ports: Ports, backend: Caller, clock: Any
) -> None:
    made = await accounts.register(ports, backend, RegisterRequest("bob"))
    before = await ports.sessions.last_active(made.account.jid)
    await sessions.end(ports, made.account, made.session.id, EndReason.LOGOUT)
    clock.turn(31 * DAY_S)
    await upkeep.sweep(ports, Settings())
    assert await ports.accounts.forget_sessions(clock.now(), 1) == 0  # none is left
    assert await ports.sessions.last_active(made.account.jid) == before


@pytest.mark.parametrize("error", [StorageUnavailable(), LookupError("a bug")])
async def test_a_chore_that_fails_does_not_starve_those_behind_it(
    ports: Ports, backend: Caller, clock: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any, error: Exception
) -> None:
    async def fail(*_arguments: object) -> None:
        raise error

    made = await accounts.register(ports, backend, RegisterRequest("bob"))
    await sessions.end(ports, made.account, made.session.id, EndReason.LOGOUT)
    clock.turn(31 * DAY_S)
    monkeypatch.setattr(ports.sessions, "idle", fail)
    with bugs.no_bugs(caplog) as lines:
        await upkeep.sweep(ports, Settings())
        told = [line["event"] for line in lines]
        lines.clear()
    assert told == ["upkeep_put_off" if isinstance(error, StorageUnavailable) else "upkeep_failed"]
    assert await ports.accounts.forget_sessions(clock.now(), 1) == 0  # none is left
