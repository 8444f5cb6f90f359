"""What every `BlockStore` does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound, BlockLimit
from heliograph.xmpp.blocking import forms

NOW = 1_800_000_000.0

ADA = "ada@chat.example"
BOB = "bob@chat.example"
EVE = "eve@chat.example"


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    for jid in (ADA, BOB, EVE):
        await registrar.register(jid)


def with_more(*entries: str) -> Any:
    return lambda before: before | set(entries)


async def test_a_list_begins_empty_and_keeps_entries_of_every_kind(stores: Any) -> None:
    assert await stores.blocks.blocked(ADA) == frozenset()
    entries = frozenset((BOB, f"{EVE}/phone", "elsewhere.example"))
    assert await stores.blocks.change(ADA, with_more(*entries)) == (frozenset(), entries)
    assert await stores.blocks.blocked(ADA) == entries
    assert await stores.blocks.blocked(BOB) == frozenset()


async def test_who_blocks_somebody_is_found_by_each_form_of_the_address(stores: Any) -> None:
    await stores.blocks.change(ADA, with_more(EVE))
    await stores.blocks.change(BOB, with_more("chat.example"))
    assert await stores.blocks.blockers(forms(f"{EVE}/phone")) == {ADA, BOB}
    assert await stores.blocks.blockers(forms("zoe@elsewhere.example")) == frozenset()


async def test_what_is_taken_off_the_list_is_gone(stores: Any) -> None:
    await stores.blocks.change(ADA, with_more(BOB, EVE))
    assert await stores.blocks.change(ADA, lambda before: before - {BOB}) == ({BOB, EVE}, {EVE})
    assert await stores.blocks.blocked(ADA) == {EVE}
    assert await stores.blocks.blockers(forms(BOB)) == frozenset()


async def test_a_decision_that_refuses_writes_nothing(stores: Any) -> None:
    def refuse(_before: frozenset[str]) -> frozenset[str]:
        raise BlockLimit

    with pytest.raises(BlockLimit):
        await stores.blocks.change(ADA, refuse)
    with pytest.raises(AccountNotFound):
        await stores.blocks.change("nobody@chat.example", with_more(BOB))
    assert await stores.blocks.blocked(ADA) == frozenset()


async def test_changes_at_the_same_time_are_all_kept(stores: Any) -> None:
    entries = [f"user{number}@chat.example" for number in range(20)]
    await asyncio.gather(*(stores.blocks.change(ADA, with_more(entry)) for entry in entries))
    assert await stores.blocks.blocked(ADA) == set(entries)


async def test_a_deleted_account_takes_its_list_along(stores: Any, registrar: Any) -> None:
    account = await stores.accounts.lookup(ADA)
    await stores.blocks.change(ADA, with_more(BOB))
    await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, NOW)
    assert await stores.blocks.blockers(forms(BOB)) == frozenset()
    await registrar.register(ADA)
    assert await stores.blocks.blocked(ADA) == frozenset()
