"""Calling with tokens, getting them and refreshing them, over the real stores."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core import account_changes, accounts, apps, rate_limits, sessions, tokens
from heliograph.core.accounts import Registered, RegisterRequest
from heliograph.core.apps import Caller, Environment, KeyKind
from heliograph.core.ports import Ports
from heliograph.core.sessions import EndReason
from heliograph.core.tokens import TokenPair
from heliograph.errors import (
    AdminBlocked,
    AuthenticationFailed,
    HeliographError,
    RateLimited,
    TokenExpired,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
)

UNKNOWN_ACCESS = "hgt_" + "a" * 43
UNKNOWN_REFRESH = "hgr_" + "a" * 43


@pytest.fixture
async def bob(ports: Ports, backend: Caller) -> Registered:
    return await accounts.register(ports, backend, RegisterRequest("bob"))


# --------------------------------------------------------------------------------------------------------- calling


async def test_a_token_says_who_calls_until_its_hour_is_over(
    ports: Ports, client: Caller, bob: Registered, clock: Any
) -> None:
    clock.turn(3599)
    identity = await tokens.authenticate(ports, client, bob.tokens.access_token)
    assert (identity.caller, identity.account, identity.session.id) == (client, bob.account, bob.session.id)
    clock.turn(1)
    with pytest.raises(TokenExpired):
        await tokens.authenticate(ports, client, bob.tokens.access_token)


@pytest.mark.parametrize(
    ("bearer", "error"),
    [(None, TokenMissing), ("", TokenMissing), ("x", TokenMalformed), (UNKNOWN_ACCESS, TokenRevoked)],
)
async def test_what_is_no_token_of_ours(
    ports: Ports, client: Caller, bearer: str | None, error: type[HeliographError]
) -> None:
    with pytest.raises(error):
        await tokens.authenticate(ports, client, bearer)


async def test_a_refresh_token_calls_nothing(ports: Ports, client: Caller, bob: Registered) -> None:
    with pytest.raises(TokenMalformed):
        await tokens.authenticate(ports, client, bob.tokens.refresh_token)


async def test_tokens_hold_for_their_own_app_and_environment(
    ports: Ports, client: Caller, trial: Caller, bob: Registered
) -> None:
    other = await apps.create(ports, "Other", "other.example")
    stranger = await apps.authenticate_key(ports, other.keys[KeyKind.SECRET, Environment.LIVE])
    for caller in (trial, stranger):
        with pytest.raises(TokenRevoked):
            await tokens.authenticate(ports, caller, bob.tokens.access_token)
        with pytest.raises(TokenRevoked):
            await tokens.refresh(ports, caller, bob.tokens.refresh_token)
        with pytest.raises(AuthenticationFailed):
            await tokens.issue(ports, caller, "bob", bob.password)
    await tokens.refresh(ports, client, bob.tokens.refresh_token)


async def test_an_expired_user_can_do_nothing(ports: Ports, trial: Caller, clock: Any) -> None:
    guest = await accounts.register(ports, trial, RegisterRequest("guest"))
    clock.turn(30 * 86400)
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, trial, guest.tokens.access_token)
    with pytest.raises(TokenRevoked):
        await tokens.refresh(ports, trial, guest.tokens.refresh_token)
    with pytest.raises(AuthenticationFailed):
        await tokens.issue(ports, trial, "guest", guest.password)


# ------------------------------------------------------------------------------------------- tokens for a password


async def test_a_sessions_password_gets_tokens_of_that_session(
    ports: Ports, backend: Caller, client: Caller, bob: Registered
) -> None:
    second = await accounts.register(ports, backend, RegisterRequest("bob"))
    for device in (bob, second):
        pair = await tokens.issue(ports, client, "bob", device.password)
        assert (await tokens.authenticate(ports, client, pair.access_token)).session.id == device.session.id
        await tokens.refresh(ports, client, pair.refresh_token)
    await tokens.authenticate(ports, client, bob.tokens.access_token)


@pytest.mark.parametrize("username", ["alice", "Bob", "bob\n", "bob@chat.example", "", "b" * 100_000])
async def test_an_unknown_user_fails_as_a_wrong_password_does(
    ports: Ports, client: Caller, bob: Registered, username: str
) -> None:
    with pytest.raises(AuthenticationFailed) as unknown:
        await tokens.issue(ports, client, username, bob.password)
    with pytest.raises(AuthenticationFailed) as wrong:
        await tokens.issue(ports, client, "bob", "wrong")
    assert unknown.value.body() == wrong.value.body()


async def test_an_ended_sessions_password_is_wrong(ports: Ports, client: Caller, bob: Registered) -> None:
    await sessions.end(ports, bob.account, bob.session.id, EndReason.LOGOUT)
    with pytest.raises(AuthenticationFailed):
        await tokens.issue(ports, client, "bob", bob.password)


async def test_a_blocked_user_is_told_so(ports: Ports, backend: Caller, client: Caller, bob: Registered) -> None:
    await account_changes.set_blocked(ports, backend, "bob", is_blocked=True)
    with pytest.raises(AdminBlocked):
        await tokens.issue(ports, client, "bob", bob.password)


async def test_wrong_passwords_are_slowed_down_and_the_right_one_still_works(
    ports: Ports, client: Caller, bob: Registered
) -> None:
    for _ in range(rate_limits.FAILED_SIGN_INS_PER_ACCOUNT.burst):
        with pytest.raises(AuthenticationFailed):
            await tokens.issue(ports, client, "bob", "wrong", "192.0.2.7")
    with pytest.raises(RateLimited) as refused:
        await tokens.issue(ports, client, "bob", "wrong", "192.0.2.7")
    assert refused.value.retry_after_s
    with pytest.raises(AuthenticationFailed):
        await tokens.issue(ports, client, "bob", "wrong", "192.0.2.8")
    await tokens.issue(ports, client, "bob", bob.password, "192.0.2.7")


async def test_token_calls_of_one_address_are_limited(
    ports: Ports, client: Caller, backend: Caller, bob: Registered, clock: Any
) -> None:
    [draw] = rate_limits.for_tokens(client, "192.0.2.7")
    for _ in range(draw.rate.burst):
        await ports.rates.take(draw.key, draw.rate, clock.now())
    with pytest.raises(RateLimited):
        await tokens.issue(ports, client, "bob", bob.password, "192.0.2.7")
    with pytest.raises(RateLimited):
        await tokens.refresh(ports, client, bob.tokens.refresh_token, "192.0.2.7")
    await tokens.issue(ports, backend, "bob", bob.password, "192.0.2.7")


# ------------------------------------------------------------------------------------------------------ refreshing


async def test_refreshing_gives_a_pair_that_can_be_refreshed_in_turn(
    ports: Ports, client: Caller, bob: Registered, clock: Any
) -> None:
    pair = bob.tokens
    for _ in range(3):
        clock.turn(3600)
        pair = await tokens.refresh(ports, client, pair.refresh_token)
        identity = await tokens.authenticate(ports, client, pair.access_token)
        assert identity.session.id == bob.session.id


async def test_a_replaced_access_token_works_for_one_more_minute(
    ports: Ports, client: Caller, bob: Registered, clock: Any
) -> None:
    await tokens.refresh(ports, client, bob.tokens.refresh_token)
    clock.turn(59)
    await tokens.authenticate(ports, client, bob.tokens.access_token)
    clock.turn(1)
    with pytest.raises(TokenExpired):
        await tokens.authenticate(ports, client, bob.tokens.access_token)


async def test_a_lost_reply_can_be_asked_for_once_more(ports: Ports, client: Caller, bob: Registered) -> None:
    lost = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    pair = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    with pytest.raises(TokenExpired):
        await tokens.authenticate(ports, client, lost.access_token)
    await tokens.authenticate(ports, client, pair.access_token)
    await tokens.refresh(ports, client, pair.refresh_token)


async def test_after_that_the_same_token_is_a_re_use(ports: Ports, client: Caller, bob: Registered) -> None:
    for _ in range(2):
        await tokens.refresh(ports, client, bob.tokens.refresh_token)
    await refused_as_reused(ports, client, bob.tokens.refresh_token)


async def test_who_uses_the_pair_of_a_lost_reply_ends_the_session(
    ports: Ports, client: Caller, bob: Registered
) -> None:
    stolen = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    pair = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    await refused_as_reused(ports, client, stolen.refresh_token)
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, client, pair.access_token)


async def test_a_reply_whose_tokens_were_used_was_not_lost(ports: Ports, client: Caller, bob: Registered) -> None:
    newer = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    await tokens.refresh(ports, client, newer.refresh_token)
    await refused_as_reused(ports, client, bob.tokens.refresh_token)


async def refused_as_reused(ports: Ports, client: Caller, refresh_token: str) -> None:
    with pytest.raises(TokenRevoked) as refused:
        await tokens.refresh(ports, client, refresh_token)
    assert refused.value.details == {"reason": "token_reused"}


async def test_a_refresh_token_that_comes_again_late_ends_its_session_and_the_others_are_told(
    ports: Ports, backend: Caller, client: Caller, bob: Registered, engine: Any, clock: Any
) -> None:
    other = await accounts.register(ports, backend, RegisterRequest("bob"))
    newer = await tokens.refresh(ports, client, bob.tokens.refresh_token)
    engine.told.clear()
    clock.turn(61)
    await refused_as_reused(ports, client, bob.tokens.refresh_token)
    assert [told[0] for told in engine.told] == ["disconnect_session", "session_ended"]
    assert engine.told[0] == ("disconnect_session", "bob@chat.example", bob.session.id, EndReason.TOKEN_REUSED)
    assert engine.told[1][3] is EndReason.TOKEN_REUSED
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, client, newer.access_token)
    with pytest.raises(TokenRevoked):
        await tokens.refresh(ports, client, newer.refresh_token)
    await tokens.authenticate(ports, client, other.tokens.access_token)


async def test_of_many_refreshes_at_once_two_win_and_the_session_ends_once(
    ports: Ports, client: Caller, bob: Registered, engine: Any
) -> None:
    engine.told.clear()
    calls = (tokens.refresh(ports, client, bob.tokens.refresh_token) for _ in range(10))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, TokenPair) for result in results) == 2
    assert sum(isinstance(result, TokenRevoked) for result in results) == 8
    assert [told[0] for told in engine.told] == ["disconnect_session", "session_ended"]


# -------------------------------------------------------------------------------------------------------- revoking


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_a_token_ends_its_session_alone(
    ports: Ports, backend: Caller, client: Caller, bob: Registered, engine: Any, kind: str
) -> None:
    other = await accounts.register(ports, backend, RegisterRequest("bob"))
    engine.told.clear()
    for _ in range(2):
        await tokens.revoke(ports, client, getattr(bob.tokens, kind))
    assert engine.told == [("disconnect_session", "bob@chat.example", bob.session.id, EndReason.REVOKED)]
    with pytest.raises(TokenRevoked):
        await tokens.authenticate(ports, client, bob.tokens.access_token)
    with pytest.raises(AuthenticationFailed):
        await tokens.issue(ports, client, "bob", bob.password)
    await tokens.authenticate(ports, client, other.tokens.access_token)


async def test_revoking_what_is_no_token_of_this_app_changes_nothing(
    ports: Ports, client: Caller, trial: Caller, bob: Registered
) -> None:
    for token in ("", "nonsense", "\ud800", UNKNOWN_ACCESS, UNKNOWN_REFRESH):
        await tokens.revoke(ports, client, token)
    await tokens.revoke(ports, trial, bob.tokens.access_token)
    await tokens.authenticate(ports, client, bob.tokens.access_token)


async def test_a_refresh_token_lives_ninety_days(ports: Ports, client: Caller, bob: Registered, clock: Any) -> None:
    clock.turn(90 * 86400)
    with pytest.raises(TokenExpired):
        await tokens.refresh(ports, client, bob.tokens.refresh_token)


@pytest.mark.parametrize(
    ("token", "error"),
    [(None, TokenMissing), ("", TokenMissing), (UNKNOWN_ACCESS, TokenMalformed), (UNKNOWN_REFRESH, TokenRevoked)],
)
async def test_what_is_no_refresh_token_of_ours(
    ports: Ports, client: Caller, token: str | None, error: type[HeliographError]
) -> None:
    with pytest.raises(error):
        await tokens.refresh(ports, client, token)
