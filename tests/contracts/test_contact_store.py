"""What every `ContactStore` does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound, ContactLimit

ADA = "ada@chat.example"
BOB = "bob@chat.example"
FAR = "far@elsewhere.example"
FULL = RosterItem(BOB, "from", "Bob é", ("Friends", "Work"), True, False, True, True)
HIDDEN = RosterItem(ADA, "none", is_pending_in=True, is_listed=False, request="<status>Hello</status>")


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    await registrar.register(ADA)
    await registrar.register(BOB)


async def test_both_sides_are_written_and_come_back(stores: Any) -> None:
    changes = await stores.contacts.change(ADA, BOB, lambda *_: (FULL, HIDDEN))
    assert changes == [RosterChange(ADA, BOB, FULL), RosterChange(BOB, ADA, HIDDEN)]
    assert await stores.contacts.roster(ADA) == [FULL]
    assert await stores.contacts.roster(BOB) == [HIDDEN]
    assert await stores.contacts.lookup(ADA, BOB) == FULL
    assert await stores.contacts.lookup(BOB, ADA) == HIDDEN


async def test_an_item_that_is_not_there_is_none(stores: Any) -> None:
    assert await stores.contacts.lookup(ADA, BOB) is None
    assert await stores.contacts.lookup("nobody@chat.example", BOB) is None
    assert await stores.contacts.roster("nobody@chat.example") == []


async def test_the_decision_gets_both_items_and_the_sizes_of_both_rosters(stores: Any) -> None:
    seen: list[Any] = []

    def note(*found: Any) -> Any:
        seen.append(found)
        return found[:2]

    await stores.contacts.change(ADA, FAR, lambda *_: (RosterItem(FAR), None))
    await stores.contacts.change(ADA, BOB, lambda *_: (FULL, HIDDEN))
    assert await stores.contacts.change(ADA, BOB, note) == []
    assert await stores.contacts.change(BOB, ADA, note) == []
    assert seen == [(FULL, HIDDEN, 2, 1), (HIDDEN, FULL, 1, 2)]


async def test_only_the_changed_side_comes_back(stores: Any) -> None:
    await stores.contacts.change(ADA, BOB, lambda *_: (FULL, HIDDEN))
    renamed = RosterItem(BOB, "from", "Robert")
    assert await stores.contacts.change(ADA, BOB, lambda own, other, *_: (renamed, other)) == [
        RosterChange(ADA, BOB, renamed)
    ]
    assert await stores.contacts.change(ADA, BOB, lambda own, other, *_: (own, None)) == [RosterChange(BOB, ADA, None)]
    assert await stores.contacts.roster(ADA) == [renamed]
    assert await stores.contacts.roster(BOB) == []


async def test_a_contact_elsewhere_has_no_side_here(stores: Any) -> None:
    seen: list[Any] = []

    def both(*found: Any) -> Any:
        seen.append(found)
        return RosterItem(FAR, "to"), RosterItem(ADA, "from")

    assert await stores.contacts.change(ADA, FAR, both) == [RosterChange(ADA, FAR, RosterItem(FAR, "to"))]
    assert await stores.contacts.change(ADA, FAR, both) == []
    assert seen == [(None, None, 0, 0), (RosterItem(FAR, "to"), None, 1, 0)]


async def test_a_roster_without_an_account_cannot_be_changed(stores: Any) -> None:
    with pytest.raises(AccountNotFound):
        await stores.contacts.change(FAR, ADA, lambda *_: (RosterItem(ADA), RosterItem(FAR)))
    assert await stores.contacts.roster(ADA) == []


async def test_a_decision_that_raises_changes_neither_side(stores: Any) -> None:
    await stores.contacts.change(ADA, BOB, lambda *_: (FULL, HIDDEN))

    def refuse(*_: Any) -> Any:
        raise ContactLimit

    with pytest.raises(ContactLimit):
        await stores.contacts.change(ADA, BOB, refuse)
    assert await stores.contacts.roster(ADA) == [FULL]
    assert await stores.contacts.roster(BOB) == [HIDDEN]


async def test_concurrent_changes_never_exceed_a_limit_that_the_decision_keeps(stores: Any) -> None:
    def add(jid: str) -> Any:
        def decide(_own: Any, _other: Any, count: int, _count_of_other: int) -> Any:
            if count >= 5:
                raise ContactLimit
            return RosterItem(jid), None

        return decide

    jids = [f"user-{number}@elsewhere.example" for number in range(20)]
    results = await asyncio.gather(
        *(stores.contacts.change(ADA, jid, add(jid)) for jid in jids), return_exceptions=True
    )
    assert sum(isinstance(result, ContactLimit) for result in results) == 15
    assert len(await stores.contacts.roster(ADA)) == 5


async def test_each_change_of_a_roster_is_counted_and_no_other(stores: Any, registrar: Any) -> None:
    owner, contact, other = (f"{name}@chat.example" for name in ("ver-ada", "ver-bob", "ver-eve"))
    for jid in (owner, contact, other):
        await registrar.register(jid)
    assert await stores.contacts.version(owner) == 0
    (change,) = await stores.contacts.change(owner, contact, lambda *_: (RosterItem(contact), None))
    assert (change.version, await stores.contacts.version(owner)) == (1, 1)
    assert await stores.contacts.change(owner, contact, lambda item, mirror, *_: (item, mirror)) == []
    assert await stores.contacts.version(owner) == 1
    assert await stores.contacts.version(contact) == 0
    account = await stores.accounts.lookup(contact)
    (gone,) = await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, 1.0)
    assert (gone.owner, gone.version) == (owner, 2)
    assert await stores.contacts.version("nobody@chat.example") == 0
