"""What every `InvitationStore` and `PhoneBookStore` does, and how `ContactStore.change_many` writes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import phone_book
from heliograph.core.contacts import RosterChange, RosterItem
from heliograph.core.invitations import Invitation
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound, ContactLimit, InvitationInvalid

ADA = "ada@chat.example"
BOB = "bob@chat.example"
EVE = "eve@chat.example"
NOW = 1_800_000_000.0
HASH = b"h" * 32
MADE = Invitation("inv_1", ADA, NOW, NOW + 60, 2)


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    for jid in (ADA, BOB, EVE):
        await registrar.register(jid)


def friends(invitation: Invitation, *_: Any) -> Any:
    return replace(invitation, uses=invitation.uses + 1), RosterItem(ADA, "both"), RosterItem(BOB, "both")


async def test_an_invitation_comes_back_by_its_hash_and_its_owner(stores: Any) -> None:
    await stores.invitations.add(MADE, HASH)
    assert await stores.invitations.lookup(HASH) == MADE
    assert await stores.invitations.lookup(b"x" * 32) is None
    assert await stores.invitations.of(ADA) == [MADE]
    assert await stores.invitations.of(BOB) == []


async def test_nobody_who_is_gone_invites(stores: Any, registrar: Any) -> None:
    with pytest.raises(AccountNotFound):
        await stores.invitations.add(replace(MADE, owner="nobody@chat.example"), HASH)
    await stores.invitations.add(MADE, HASH)
    account = await stores.accounts.lookup(ADA)
    await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, NOW)
    assert await stores.invitations.lookup(HASH) is None


async def test_accepting_writes_the_use_and_both_rosters(stores: Any) -> None:
    await stores.invitations.add(MADE, HASH)
    changes = await stores.invitations.accept(HASH, BOB, friends)
    assert changes == [RosterChange(BOB, ADA, RosterItem(ADA, "both")), RosterChange(ADA, BOB, RosterItem(BOB, "both"))]
    assert (await stores.invitations.lookup(HASH)).uses == 1
    assert await stores.contacts.roster(ADA) == [RosterItem(BOB, "both")]


async def test_a_decision_that_raises_writes_neither_use_nor_roster(stores: Any) -> None:
    await stores.invitations.add(MADE, HASH)

    def refuse(*_: Any) -> Any:
        raise ContactLimit

    with pytest.raises(ContactLimit):
        await stores.invitations.accept(HASH, BOB, refuse)
    assert await stores.invitations.lookup(HASH) == MADE
    with pytest.raises(InvitationInvalid):
        await stores.invitations.accept(b"x" * 32, BOB, friends)


async def test_concurrent_acceptances_never_exceed_the_uses_that_the_decision_keeps(stores: Any) -> None:
    await stores.invitations.add(replace(MADE, max_uses=1), HASH)

    def once(invitation: Invitation, *_: Any) -> Any:
        if invitation.uses >= invitation.max_uses:
            raise InvitationInvalid
        return friends(invitation)

    done = await asyncio.gather(*(stores.invitations.accept(HASH, BOB, once) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(each, InvitationInvalid) for each in done) == 7


async def test_an_invitation_is_deleted_by_its_owner_alone_and_forgotten_when_it_is_over(stores: Any) -> None:
    await stores.invitations.add(MADE, HASH)
    assert not await stores.invitations.delete(BOB, MADE.id)
    assert await stores.invitations.delete(ADA, MADE.id)
    for number in range(3):
        await stores.invitations.add(replace(MADE, id=f"inv_{number}", expires_at=NOW + number), bytes([number] * 32))
    assert await stores.invitations.forget(NOW + 2, 1) == 1
    assert await stores.invitations.forget(NOW + 2, 100) == 1
    assert [each.id for each in await stores.invitations.of(ADA)] == ["inv_2"]


# --------------------------------------------------------------------------------------------------------- many at once


async def test_many_contacts_are_changed_in_one_go_and_strangers_passed_over(stores: Any) -> None:
    seen: list[Any] = []

    def decide(contact: str, item: Any, mirror: Any, count: int, mirror_count: int) -> Any:
        seen.append((contact, item, mirror, count, mirror_count))
        return RosterItem(contact, "both"), RosterItem(ADA, "both")

    wanted = [BOB, "nobody@chat.example", EVE]
    changes = await stores.contacts.change_many(ADA, wanted, decide)
    assert seen == [(BOB, None, None, 0, 0), (EVE, None, None, 1, 0)]
    assert [(change.owner, change.contact) for change in changes] == [(ADA, BOB), (BOB, ADA), (ADA, EVE), (EVE, ADA)]
    assert {item.jid for item in await stores.contacts.roster(ADA)} == {BOB, EVE}


async def test_many_contacts_of_nobody_are_none(stores: Any) -> None:
    with pytest.raises(AccountNotFound):
        await stores.contacts.change_many("nobody@chat.example", [BOB], lambda *_: (RosterItem(BOB), None))


# ---------------------------------------------------------------------------------------------------------- phone book


async def test_those_who_agreed_are_found_by_the_hash_of_their_present_number(stores: Any) -> None:
    hashed = phone_book.digest("chat.example", "+4930123456")
    for jid in (ADA, BOB):
        await stores.profiles.update(jid, lambda profile: replace(profile, version=1, mobile="+4930123456"))
    assert await stores.phone_book.find([hashed]) == []
    await stores.phone_book.set_findable(ADA, is_findable=True)
    assert await stores.phone_book.is_findable(ADA)
    assert not await stores.phone_book.is_findable(BOB)
    assert await stores.phone_book.is_findable("nobody@chat.example") is None
    assert await stores.phone_book.find([hashed, b"x" * 32]) == [(hashed, await stores.profiles.lookup(ADA))]
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=2, mobile="+4930123457"))
    assert await stores.phone_book.find([hashed]) == []
    await stores.phone_book.set_findable(ADA, is_findable=False)
    assert await stores.phone_book.find([phone_book.digest("chat.example", "+4930123457")]) == []
