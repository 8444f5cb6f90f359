"""What every `RemoteServerStore` does."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core import limits
from heliograph.core.profiles import ProfileChange, apply
from heliograph.core.remote_server import SignIn, Told

NOW = 1_800_000_000.0

ADA = "ada@chat.example"
BOB = "bob@chat.example"


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    for jid in (ADA, BOB):
        await registrar.register(jid)


async def test_sign_ins_are_kept_in_order_for_each_account(stores: Any) -> None:
    store = stores.remote_server
    await store.signed_in(ADA, "one", NOW)
    await store.signed_in(BOB, "other", NOW + 1)
    await store.signed_in(ADA, "two", NOW + 2)
    found = await store.sign_ins(ADA)
    assert [(each.session_id, each.at, each.resource) for each in found] == [("one", NOW, None), ("two", NOW + 2, None)]


async def test_a_sign_in_of_nobody_is_nothing(stores: Any) -> None:
    await stores.remote_server.signed_in("nobody@chat.example", "one", NOW)
    assert await stores.remote_server.sign_ins("nobody@chat.example") == []


async def test_a_sign_in_binds_one_resource(stores: Any) -> None:
    store = stores.remote_server
    await store.signed_in(ADA, "one", NOW)
    (sign_in,) = await store.sign_ins(ADA)
    assert await store.claim(sign_in.number, "phone", NOW + 1)
    assert not await store.claim(sign_in.number, "desk", NOW + 2)
    assert await store.sign_ins(ADA) == [SignIn(sign_in.number, "one", NOW, "phone", NOW + 1)]


async def test_a_resource_belongs_to_the_sign_in_that_bound_it_last(stores: Any) -> None:
    store = stores.remote_server
    for session_id in ("one", "two"):
        await store.signed_in(ADA, session_id, NOW)
    first, second = await store.sign_ins(ADA)
    await store.claim(first.number, "phone", NOW)
    await store.claim(second.number, "phone", NOW + 9)
    assert [each.session_id for each in await store.sign_ins(ADA)] == ["two"]


async def test_the_sign_ins_of_an_account_are_bounded(stores: Any) -> None:
    for number in range(limits.SIGN_INS_KEPT + 3):
        await stores.remote_server.signed_in(ADA, f"s{number}", NOW + number)
    found = await stores.remote_server.sign_ins(ADA)
    assert [found[0].session_id, len(found)] == ["s3", limits.SIGN_INS_KEPT]


async def test_what_was_told_is_known_again(stores: Any) -> None:
    store = stores.remote_server
    assert await store.told(ADA) == Told()
    await store.tell(ADA, Told(3, frozenset((BOB, "elsewhere.example"))))
    await store.tell(ADA, Told(4, frozenset((BOB,))))
    assert await store.told(ADA) == Told(4, frozenset((BOB,)))
    await store.tell("nobody@chat.example", Told(1))
    assert await store.told("nobody@chat.example") == Told()


async def test_who_is_to_be_told_of_is_found(stores: Any) -> None:
    store = stores.remote_server
    assert await store.untold(0, 10) == []
    await store.tell(ADA, Told(1))
    await stores.blocks.change(BOB, lambda before: before | {ADA})
    found = await store.untold(0, 10)
    assert [jid for _, jid in found] == [ADA, BOB]
    assert await store.untold(found[0][0], 10) == found[1:]
    assert await store.untold(0, 1) == found[:1]
    await store.tell(ADA, Told(0))
    assert await store.untold(0, 10) == found[1:]


async def test_the_marks_of_all_domains_are_known(stores: Any) -> None:
    assert (await stores.remote_server.marks())["chat.example"] == 0
    stored = await stores.profiles.update(ADA, lambda found: apply(found, ProfileChange(name="Ada"), NOW))
    assert (await stores.remote_server.marks())["chat.example"] == stored.mark > 0
