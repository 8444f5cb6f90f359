"""What every `ArchiveStore` does."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.archive import ArchivedMessage, Selection
from heliograph.core.sessions import EndReason

ADA, BOB, EVE = "ada@chat.example", "bob@chat.example", "eve@chat.example"
NOW_US = 1_800_000_000_000_000


@pytest.fixture
async def ids(registrar: Any, stores: Any) -> dict[str, int]:
    for jid in (ADA, BOB, EVE):
        await registrar.register(jid)
    return {jid: (await stores.accounts.lookup(jid)).id for jid in (ADA, BOB, EVE)}


def message(
    ids: dict[str, int], number: int, sender: str = ADA, receiver: str = BOB, size: int = 10
) -> ArchivedMessage:
    receiver_id = ids.get(receiver) if receiver != sender else None
    data = f"<message id='{number}'/>\u2600".encode().ljust(size)
    return ArchivedMessage(
        NOW_US + number, f"{number:016x}", ids.get(sender), receiver_id, f"{sender}/x", f"{receiver}/y", data
    )


async def page(stores: Any, owner: int, limit: int = 100, *, is_backwards: bool = False, **selected: Any) -> list[int]:
    found = await stores.archive.page(owner, Selection(**selected), limit, is_backwards=is_backwards)
    return [each.number - NOW_US for each in found]


async def filled(stores: Any, messages: list[ArchivedMessage]) -> None:
    for each in messages:
        assert stores.archive.add(each)
    await stores.archive.flush()


async def test_a_message_stands_in_the_archives_of_both_sides_as_it_was(stores: Any, ids: dict[str, int]) -> None:
    one = message(ids, 1)
    await filled(stores, [one])
    for owner in (ADA, BOB):
        assert await stores.archive.page(ids[owner], Selection(), 10, is_backwards=False) == [one]
        assert await stores.archive.find(ids[owner], [one.number, one.number + 1]) == [one]
    assert await page(stores, ids[EVE]) == []
    assert await stores.archive.find(ids[EVE], [one.number]) == []


async def test_a_message_to_oneself_stands_there_once(stores: Any, ids: dict[str, int]) -> None:
    await filled(stores, [message(ids, 1, ADA, ADA), message(ids, 2)])
    assert await page(stores, ids[ADA]) == [1, 2]
    assert await page(stores, ids[ADA], contact=ADA, contact_id=ids[ADA]) == [1]


async def test_pages_come_in_order_from_either_end(stores: Any, ids: dict[str, int]) -> None:
    await filled(stores, [message(ids, number) for number in range(1, 8)])
    assert await page(stores, ids[BOB], 3) == [1, 2, 3]
    assert await page(stores, ids[BOB], 3, is_backwards=True) == [7, 6, 5]
    assert await page(stores, ids[BOB], 3, above=NOW_US + 2) == [3, 4, 5]
    assert await page(stores, ids[BOB], 3, below=NOW_US + 3) == [1, 2]
    assert await stores.archive.count(ids[BOB], Selection()) == 7
    assert await stores.archive.count(ids[BOB], Selection(above=NOW_US + 2, below=NOW_US + 6)) == 3


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_contact_is_selected_with_all_its_resources_or_one(
    stores: Any, ids: dict[str, int], is_known: bool
) -> None:
    await filled(
        stores,
        [message(ids, 1), message(ids, 2, EVE, ADA), message(ids, 3, ADA, EVE), message(ids, 4, ADA, f"{BOB}a")],
    )
    eve = ids[EVE] if is_known else None
    assert await page(stores, ids[ADA], contact=EVE, contact_id=eve) == [2, 3]
    assert await page(stores, ids[ADA], contact=f"{EVE}/y", contact_id=eve) == [3]
    assert await stores.archive.count(ids[ADA], Selection(EVE, eve)) == 2
    assert await stores.archive.count(ids[ADA], Selection(f"{EVE}/y", eve)) == 1
    assert await page(stores, ids[ADA], contact=BOB, contact_id=ids[BOB] if is_known else None) == [1]


async def test_what_was_added_is_durable_after_a_flush_and_an_empty_one_is_none(
    stores: Any, ids: dict[str, int]
) -> None:
    await stores.archive.flush()
    for number in range(1, 3000):
        assert stores.archive.add(message(ids, number))
    await stores.archive.flush()
    assert await stores.archive.count(ids[ADA], Selection()) == 2999
    assert await stores.archive.newest() == NOW_US + 2999


async def test_a_message_that_comes_behind_later_ones_finds_its_place(stores: Any, ids: dict[str, int]) -> None:
    await filled(stores, [message(ids, 2), message(ids, 5)])
    await filled(stores, [message(ids, 6), message(ids, 9), *(message(ids, number) for number in (1, 8, 4, 7))])
    assert await page(stores, ids[ADA]) == await page(stores, ids[BOB]) == [1, 2, 4, 5, 6, 7, 8, 9]


async def test_the_newest_of_nothing_is_zero(stores: Any) -> None:
    assert await stores.archive.newest() == 0


async def test_the_oldest_go_where_an_archive_has_too_many_or_too_large_messages(
    stores: Any, ids: dict[str, int]
) -> None:
    await filled(stores, [message(ids, number, size=100) for number in range(1, 11)])
    assert await stores.archive.trim(ids[ADA], 8, 10_000) == 2
    assert await stores.archive.trim(ids[ADA], 8, 550) == 3
    assert await stores.archive.trim(ids[ADA], 8, 550) == 0
    assert await page(stores, ids[ADA]) == [6, 7, 8, 9, 10]
    assert await page(stores, ids[BOB]) == list(range(1, 11))


async def test_what_is_too_old_goes_a_batch_at_a_time(stores: Any, ids: dict[str, int]) -> None:
    await filled(stores, [message(ids, number * 1_000_000) for number in range(1, 6)])
    before = NOW_US / 1e6 + 3.5
    assert [await stores.archive.forget(before, 2) for _ in range(3)] == [2, 1, 0]
    assert await page(stores, ids[ADA]) == [4_000_000, 5_000_000]
    assert await page(stores, ids[BOB]) == [4_000_000, 5_000_000]


async def test_a_deleted_account_takes_its_archive_along_and_leaves_the_others_theirs(
    stores: Any, ids: dict[str, int], registrar: Any
) -> None:
    await filled(stores, [message(ids, 1), message(ids, 2, BOB, ADA), message(ids, 3, ADA, ADA), message(ids, 4, EVE)])
    await stores.accounts.delete(ids[ADA], EndReason.ACCOUNT_DELETED, NOW_US / 1e6)
    assert await page(stores, ids[ADA]) == []
    assert await page(stores, ids[BOB]) == [1, 2, 4]
    assert await page(stores, ids[BOB], contact=ADA) == [1, 2]
    await registrar.register(ADA)
    again = (await stores.accounts.lookup(ADA)).id
    assert await page(stores, again) == []
    await stores.accounts.delete(ids[BOB], EndReason.ACCOUNT_DELETED, NOW_US / 1e6)
    await stores.accounts.delete(ids[EVE], EndReason.ACCOUNT_DELETED, NOW_US / 1e6)
    assert await stores.archive.newest() == 0


async def test_a_message_between_accounts_that_are_gone_harms_nobody(stores: Any, ids: dict[str, int]) -> None:
    await stores.accounts.delete(ids[ADA], EndReason.ACCOUNT_DELETED, NOW_US / 1e6)
    await filled(stores, [message(ids, 1), message(ids, 2, EVE, BOB)])
    assert await page(stores, ids[BOB]) == [1, 2]
    assert await stores.archive.forget(NOW_US / 1e6 + 10, 100) == 2
    assert await page(stores, ids[BOB]) == []
