"""The contract of `FastTokenStore`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import limits
from heliograph.core.account_changes import AccountChange
from heliograph.core.fast_tokens import FastSlots, FastToken
from heliograph.core.sessions import EndReason
from heliograph.errors import TokenRevoked

NOW = 1_800_000_000.0
ADA = "ada@chat.example"


def token(salt: bytes = b"salt", expires_at: float = NOW + 100) -> FastToken:
    return FastToken(salt, "HT-SHA-256-NONE", NOW, expires_at, count=3)


async def put(stores: Any, session_id: str, client: str, slots: FastSlots) -> FastSlots:
    written = await stores.fast_tokens.change(session_id, client, lambda _: slots)
    assert isinstance(written, FastSlots)
    return written


async def held(stores: Any, client: str = "client") -> dict[str, FastSlots]:
    found = await stores.fast_tokens.lookup(ADA, client)
    return {} if found is None else dict(found[1])


async def test_slots_are_kept_for_each_session_and_client(stores: Any, registrar: Any) -> None:
    first, second = await registrar.register(ADA), await registrar.register(ADA)
    await put(stores, first.session.id, "client", FastSlots(token(b"a"), token(b"b")))
    await put(stores, second.session.id, "client", FastSlots(None, token(b"c")))
    await put(stores, second.session.id, "other", FastSlots(None, token(b"d")))
    assert await held(stores) == {
        first.session.id: FastSlots(token(b"a"), token(b"b")),
        second.session.id: FastSlots(None, token(b"c")),
    }
    found = await stores.fast_tokens.lookup(ADA, "other")
    assert found[0] == first.account
    assert found[1] == [(second.session.id, FastSlots(None, token(b"d")))]
    assert await stores.fast_tokens.lookup(ADA, "third") is None
    assert await stores.fast_tokens.lookup("bob@chat.example", "client") is None


async def test_a_decision_gets_what_is_there_and_writes_what_it_returns(stores: Any, registrar: Any) -> None:
    made = await registrar.register(ADA)
    seen = []

    def decide(before: FastSlots) -> FastSlots:
        seen.append(before)
        return FastSlots(before.next, token(bytes([len(seen)])))

    for _ in range(2):
        await stores.fast_tokens.change(made.session.id, "client", decide)
    assert seen == [FastSlots(), FastSlots(None, token(b"\1"))]
    assert await held(stores) == {made.session.id: FastSlots(token(b"\1"), token(b"\2"))}


async def test_a_decision_that_raises_writes_nothing(stores: Any, registrar: Any) -> None:
    made = await registrar.register(ADA)
    await put(stores, made.session.id, "client", FastSlots(token()))

    def refuse(_: FastSlots) -> FastSlots:
        raise TokenRevoked

    with pytest.raises(TokenRevoked):
        await stores.fast_tokens.change(made.session.id, "client", refuse)
    assert await held(stores) == {made.session.id: FastSlots(token())}


async def test_empty_slots_are_gone(stores: Any, registrar: Any) -> None:
    made = await registrar.register(ADA)
    await put(stores, made.session.id, "client", FastSlots(token()))
    assert await put(stores, made.session.id, "client", FastSlots()) == FastSlots()
    assert await held(stores) == {}


async def test_of_too_many_clients_those_go_whose_tokens_end_first(stores: Any, registrar: Any) -> None:
    made = await registrar.register(ADA)
    for number in range(limits.FAST_CLIENTS_PER_SESSION_MAX + 2):
        await put(stores, made.session.id, f"client-{number}", FastSlots(token(expires_at=NOW + number)))
    alive = [number for number in range(10) if await held(stores, f"client-{number}")]
    assert alive == list(range(2, limits.FAST_CLIENTS_PER_SESSION_MAX + 2))


# ------------------------------------------------------------------------------------------------ dead with the session


async def test_the_tokens_of_a_session_that_ended_are_gone(stores: Any, registrar: Any) -> None:
    first, second = await registrar.register(ADA), await registrar.register(ADA)
    for made in (first, second):
        await put(stores, made.session.id, "client", FastSlots(token()))
    await stores.sessions.end(first.account.id, [first.session.id], EndReason.LOGOUT, NOW)
    assert await held(stores) == {second.session.id: FastSlots(token())}
    with pytest.raises(TokenRevoked):
        await put(stores, first.session.id, "client", FastSlots(token()))


async def test_the_tokens_of_a_session_that_made_room_are_gone(stores: Any, registrar: Any) -> None:
    first = await registrar.register(ADA)
    await put(stores, first.session.id, "client", FastSlots(token()))
    await registrar.register(ADA, cap=1)
    assert await held(stores) == {}


async def test_the_tokens_of_a_blocked_user_are_gone_and_unblocking_brings_none_back(
    stores: Any, registrar: Any
) -> None:
    made = await registrar.register(ADA)
    await put(stores, made.session.id, "client", FastSlots(token()))
    blocking = AccountChange(replace(made.account, is_blocked=True), EndReason.ADMIN_BLOCKED)
    await stores.accounts.change(ADA, NOW, lambda _: blocking)
    assert await held(stores) == {}
    await stores.accounts.change(ADA, NOW, lambda _: AccountChange(made.account))
    assert await held(stores) == {}
    with pytest.raises(TokenRevoked):
        await put(stores, made.session.id, "client", FastSlots(token()))


async def test_the_tokens_of_a_deleted_user_are_gone_for_a_later_user_of_that_name_too(
    stores: Any, registrar: Any
) -> None:
    made = await registrar.register(ADA)
    await put(stores, made.session.id, "client", FastSlots(token()))
    await stores.accounts.delete(made.account.id, EndReason.ACCOUNT_DELETED, NOW)
    assert await held(stores) == {}
    await registrar.register(ADA)
    assert await held(stores) == {}
