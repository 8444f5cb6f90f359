"""What every `TokenStore` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from heliograph.core.sessions import EndReason
from heliograph.core.tokens import Chain, Rotation, TokenKind, TokenRecord, TokenReused
from heliograph.errors import TokenRevoked

ADA = "ada@chat.example"
NOW = 1_800_000_000.0


def pair(registrar: Any, name: str, now: float = NOW, session_id: str = "ses_1") -> list[Any]:
    return [registrar.token(f"{name}-{kind}", kind, session_id, now) for kind in (TokenKind.ACCESS, TokenKind.REFRESH)]


async def present(stores: Any, tokens: Any) -> list[bool]:
    return [await stores.tokens.lookup(token.hash) is not None for token in tokens]


async def test_an_added_token_is_found_with_its_session_and_account(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    added = pair(registrar, "more")
    await stores.tokens.add(added)
    for token in added:
        assert await stores.tokens.lookup(token.hash) == (written.account, written.session, token)
    assert await stores.tokens.lookup(bytes(32)) is None


async def test_tokens_of_an_ended_session_cannot_be_added(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    await stores.sessions.end(written.account.id, ["ses_1"], EndReason.LOGOUT, NOW)
    added = pair(registrar, "late")
    with pytest.raises(TokenRevoked):
        await stores.tokens.add(added)
    assert await present(stores, added) == [False, False]


async def test_tokens_are_added_all_or_none(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    added = [*pair(registrar, "good"), *pair(registrar, "bad", session_id="ses_unknown")]
    with pytest.raises(TokenRevoked):
        await stores.tokens.add(added)
    assert await present(stores, added) == [False] * 4


def supersede(new: list[TokenRecord], now: float) -> Callable[[Chain], Rotation]:
    """A decision: exchange a token that was not exchanged before."""

    def decide(chain: Chain) -> Rotation:
        if chain.token.superseded_at is not None:
            raise TokenReused
        used = replace(chain.token, superseded_at=now, pair=new[1].hash)
        return Rotation((used,), tuple(new), chain.token.hash, now + 60)

    return decide


async def test_a_refresh_token_is_superseded_and_its_successors_stand(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    old = pair(registrar, "old")
    await stores.tokens.add(old)
    new = pair(registrar, "new", NOW + 10)
    await stores.tokens.rotate(old[1].hash, supersede(new, NOW + 10))
    used = replace(old[1], superseded_at=NOW + 10, pair=new[1].hash)
    assert (await stores.tokens.lookup(old[1].hash))[2] == used
    assert await present(stores, [old[0], *new]) == [True, True, True]


async def test_access_tokens_that_are_replaced_live_no_longer_than_said(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    access, refresh = pair(registrar, "old")
    paired = replace(access, pair=refresh.hash)
    other = replace(registrar.token("other", TokenKind.ACCESS, "ses_1"), pair=bytes(32))
    await stores.tokens.add([paired, refresh, other])
    await stores.tokens.rotate(refresh.hash, supersede(pair(registrar, "new"), NOW))
    assert (await stores.tokens.lookup(paired.hash))[2] == replace(paired, expires_at=NOW + 60)
    assert (await stores.tokens.lookup(other.hash))[2] == other


async def test_a_rotation_sees_the_successor_that_the_token_names(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    old, new = pair(registrar, "old"), pair(registrar, "new")
    await stores.tokens.add(old)
    chains = []

    def look(chain: Chain) -> Rotation:
        chains.append(chain)
        raise TokenReused

    with pytest.raises(TokenReused):
        await stores.tokens.rotate(old[1].hash, look)
    await stores.tokens.rotate(old[1].hash, supersede(new, NOW))
    with pytest.raises(TokenReused):
        await stores.tokens.rotate(old[1].hash, look)
    used = replace(old[1], superseded_at=NOW, pair=new[1].hash)
    assert chains == [Chain(old[1]), Chain(used, new[1])]


async def test_a_rotation_that_is_refused_writes_nothing(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    old, again = pair(registrar, "old"), pair(registrar, "again")
    await stores.tokens.add(old)
    await stores.tokens.rotate(old[1].hash, supersede(pair(registrar, "new"), NOW + 10))
    with pytest.raises(TokenReused):
        await stores.tokens.rotate(old[1].hash, supersede(again, NOW + 20))
    assert await present(stores, again) == [False, False]
    assert (await stores.tokens.lookup(old[1].hash))[2].superseded_at == NOW + 10


async def test_of_concurrent_rotations_of_one_token_one_succeeds(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    refresh = next(token for token in written.tokens if token.kind is TokenKind.REFRESH)
    results = await asyncio.gather(
        *(stores.tokens.rotate(refresh.hash, supersede(pair(registrar, f"{number}"), NOW)) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, TokenReused) for result in results) == 19
    assert results.count(None) == 1


async def test_an_access_token_does_not_rotate(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    access = next(token for token in written.tokens if token.kind is TokenKind.ACCESS)
    for unfit in (access.hash, bytes(32)):
        with pytest.raises(TokenRevoked):
            await stores.tokens.rotate(unfit, supersede(pair(registrar, "new"), NOW))


async def test_a_token_that_ended_with_its_session_does_not_rotate(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    refresh = next(token for token in written.tokens if token.kind is TokenKind.REFRESH)
    await stores.sessions.end(written.account.id, ["ses_1"], EndReason.LOGOUT, NOW)
    new = pair(registrar, "new")
    with pytest.raises(TokenRevoked):
        await stores.tokens.rotate(refresh.hash, supersede(new, NOW))
    assert await present(stores, new) == [False, False]


async def test_an_expired_access_token_is_remembered_for_a_while_and_then_forgotten(
    stores: Any, registrar: Any
) -> None:
    await registrar.register(ADA)
    chain = [pair(registrar, str(number), NOW + number * 3600) for number in range(4)]
    await stores.tokens.add(chain[0])
    for before, after in pairwise(chain):
        await stores.tokens.rotate(before[1].hash, supersede(after, NOW))
    access = [tokens[0] for tokens in chain]
    assert await present(stores, access) == [False, True, True, True]
    assert await present(stores, [tokens[1] for tokens in chain]) == [True] * 4


async def test_a_session_does_not_gather_tokens_without_end(stores: Any, registrar: Any) -> None:
    written = await registrar.register(ADA)
    added = [token for number in range(150) for token in pair(registrar, str(number), NOW + number)]
    for token in added:
        await stores.tokens.add([token])
    kept = await present(stores, added)
    assert kept == [False] * 100 + [True] * 200
    assert await present(stores, written.tokens) == [False, False]
