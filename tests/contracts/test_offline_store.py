"""What every `OfflineStore` does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound

ADA = "ada@chat.example"
BOB = "bob@chat.example"
NOW = 1_800_000_000.0
MANY = 100


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    for jid in (ADA, BOB):
        await registrar.register(jid)


async def test_what_was_kept_comes_once_and_in_order(stores: Any) -> None:
    for number in (3, 1, 2):
        assert await stores.offline.add(ADA, f"<message id='{number}'/>\u2600".encode(), NOW, MANY)
    await stores.offline.add(BOB, b"<message/>", NOW, MANY)
    assert await stores.offline.take(ADA, 0) == [f"<message id='{number}'/>\u2600".encode() for number in (3, 1, 2)]
    assert await stores.offline.take(ADA, 0) == []
    assert await stores.offline.take(BOB, 0) == [b"<message/>"]


async def test_who_has_nothing_or_is_not_known_gets_nothing(stores: Any) -> None:
    assert await stores.offline.take(ADA, 0) == []
    assert await stores.offline.take("nobody@chat.example", 0) == []


async def test_no_more_wait_than_may(stores: Any) -> None:
    results = await asyncio.gather(*(stores.offline.add(ADA, b"x", NOW, 3) for _ in range(5)))
    assert sorted(results) == [False, False, True, True, True]
    assert await stores.offline.add(BOB, b"x", NOW, 3)
    assert len(await stores.offline.take(ADA, 0)) == 3
    assert await stores.offline.add(ADA, b"x", NOW, 3)


async def test_two_that_take_at_the_same_time_get_each_message_once(stores: Any) -> None:
    for number in range(5):
        await stores.offline.add(ADA, str(number).encode(), NOW, MANY)
    taken = await asyncio.gather(*(stores.offline.take(ADA, 0) for _ in range(3)))
    assert sorted(message for each in taken for message in each) == [b"0", b"1", b"2", b"3", b"4"]


async def test_what_is_too_old_does_not_come(stores: Any) -> None:
    await stores.offline.add(ADA, b"old", NOW - 1, MANY)
    await stores.offline.add(ADA, b"new", NOW, MANY)
    assert await stores.offline.take(ADA, NOW) == [b"new"]
    assert await stores.offline.take(ADA, 0) == []


async def test_old_messages_are_forgotten_a_batch_at_a_time(stores: Any) -> None:
    for age in (3, 2, 1, 0):
        await stores.offline.add(ADA, str(age).encode(), NOW - age, MANY)
    assert [await stores.offline.forget(NOW - 0.5, 2) for _ in range(3)] == [2, 1, 0]
    assert await stores.offline.take(ADA, 0) == [b"0"]


async def test_nothing_is_kept_for_nobody(stores: Any) -> None:
    with pytest.raises(AccountNotFound):
        await stores.offline.add("nobody@chat.example", b"x", NOW, MANY)


async def test_a_deleted_account_takes_its_messages_along(stores: Any, registrar: Any) -> None:
    account = await stores.accounts.lookup(ADA)
    await stores.offline.add(ADA, b"x", NOW, MANY)
    await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, NOW)
    await registrar.register(ADA)
    assert await stores.offline.take(ADA, 0) == []
