"""What every `PepTieStore` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.account_changes import AccountChange
from heliograph.core.pep_nodes import Item, NodeConfig, Outcome
from heliograph.core.pep_ties import Found, Tie
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound
from heliograph.xmpp.pep_relations import Affiliation

NOW = 1_800_000_000.0
ADA, BOB, EVE = "ada@chat.example", "bob@chat.example", "eve@chat.example"
CONFIG = NodeConfig(max_items=3)


@pytest.fixture(autouse=True)
async def accounts(stores: Any, registrar: Any) -> None:
    for jid in (ADA, BOB, EVE):
        await registrar.register(jid)
    for owner, name in ((ADA, "n"), (ADA, "m"), (BOB, "n")):
        await stores.pep.change(owner, name, lambda _: Outcome(CONFIG, Item("i", "<x xmlns='urn:x'/>")))


def subscribed(owner: str, node: str, account: str) -> Tie:
    return Tie(owner, node, account, Affiliation.MEMBER, (account, f"{account}/é"))


async def put(stores: Any, tie: Tie) -> Tie:
    changed = await stores.pep_ties.change(tie.owner, tie.node, tie.account, lambda _: tie)
    assert isinstance(changed, Tie)
    return changed


async def test_ties_are_kept_by_node_and_by_account(stores: Any) -> None:
    ties = [subscribed(ADA, "n", BOB), subscribed(ADA, "n", EVE), subscribed(ADA, "m", EVE), subscribed(BOB, "n", EVE)]
    for tie in ties:
        assert await put(stores, tie) == tie
    assert await stores.pep_ties.of_node(ADA, "n") == ties[:2]
    assert await stores.pep_ties.of_node(ADA, "other") == []
    assert await stores.pep_ties.of_account(EVE) == [ties[2], ties[1], ties[3]]
    assert await stores.pep_ties.of_account(ADA) == []


async def test_the_decision_sees_what_is_there(stores: Any) -> None:
    await put(stores, subscribed(ADA, "n", BOB))
    await put(stores, subscribed(ADA, "m", EVE))
    await put(stores, Tie(BOB, "n", EVE, Affiliation.OUTCAST))  # counts where the account is subscribed, and not here
    seen: list[Found] = []

    def note(found: Found) -> Tie:
        seen.append(found)
        return found.tie

    for name, account in (("n", BOB), ("n", EVE), ("other", EVE)):
        await stores.pep_ties.change(ADA, name, account, note)
    assert seen == [
        Found(CONFIG, subscribed(ADA, "n", BOB), 1, 1),
        Found(CONFIG, Tie(ADA, "n", EVE), 1, 1),
        Found(None, Tie(ADA, "other", EVE), 0, 1),
    ]
    assert (await stores.pep_ties.of_account(EVE))[0] == subscribed(ADA, "m", EVE)


async def test_an_empty_tie_is_not_kept(stores: Any) -> None:
    await put(stores, subscribed(ADA, "n", BOB))
    await put(stores, replace(subscribed(ADA, "n", BOB), subscriptions=()))
    assert await stores.pep_ties.of_node(ADA, "n") == [Tie(ADA, "n", BOB, Affiliation.MEMBER)]
    await put(stores, Tie(ADA, "n", BOB))
    assert await stores.pep_ties.of_node(ADA, "n") == []


async def test_nobody_is_tied_to_anything_and_a_refusal_writes_nothing(stores: Any) -> None:
    for owner, account in (("nobody@chat.example", BOB), (ADA, "nobody@chat.example")):
        with pytest.raises(AccountNotFound):
            await put(stores, subscribed(owner, "n", account))

    def refuse(_found: Found) -> Tie:
        raise KeyError

    with pytest.raises(KeyError):
        await stores.pep_ties.change(ADA, "n", BOB, refuse)
    assert await stores.pep_ties.of_node(ADA, "n") == []


async def test_changes_at_the_same_time_see_each_other(stores: Any) -> None:
    def more(found: Found) -> Tie:
        tie = found.tie
        return replace(tie, subscriptions=(*tie.subscriptions, f"{BOB}/{len(tie.subscriptions)}"))

    await asyncio.gather(*(stores.pep_ties.change(ADA, "n", BOB, more) for _ in range(10)))
    (tie,) = await stores.pep_ties.of_node(ADA, "n")
    assert tie.subscriptions == tuple(f"{BOB}/{number}" for number in range(10))


async def test_ties_go_with_the_node_and_with_either_account(stores: Any, registrar: Any) -> None:
    for owner, name in ((ADA, "n"), (ADA, "m"), (BOB, "n")):
        await put(stores, subscribed(owner, name, EVE))
    await stores.pep.change(ADA, "m", lambda _: Outcome(None))
    assert len(await stores.pep_ties.of_account(EVE)) == 2
    await stores.accounts.delete((await stores.accounts.lookup(BOB)).id, EndReason.ACCOUNT_DELETED, NOW)
    assert await stores.pep_ties.of_account(EVE) == [subscribed(ADA, "n", EVE)]
    await stores.accounts.delete((await stores.accounts.lookup(EVE)).id, EndReason.ACCOUNT_DELETED, NOW)
    await registrar.register(EVE)
    assert await stores.pep_ties.of_node(ADA, "n") == []


async def test_the_ties_of_a_user_who_can_be_restored_are_kept_and_unseen(stores: Any) -> None:
    await put(stores, subscribed(ADA, "n", EVE))
    account = await stores.accounts.lookup(EVE)
    await stores.accounts.change(EVE, NOW, lambda _: AccountChange(replace(account, deleted_at=NOW, purge_at=NOW + 9)))
    assert await stores.pep_ties.of_node(ADA, "n") == await stores.pep_ties.of_account(EVE) == []
    await stores.accounts.change(EVE, NOW, lambda _: AccountChange(account))
    assert await stores.pep_ties.of_node(ADA, "n") == [subscribed(ADA, "n", EVE)]
