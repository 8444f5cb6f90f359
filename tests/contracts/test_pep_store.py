"""What every `PepStore` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core.account_changes import AccountChange
from heliograph.core.contacts import RosterItem
from heliograph.core.pep_nodes import Found, Item, Node, NodeConfig, Outcome
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound
from heliograph.xmpp.pep_config import AccessModel, SendLast

NOW = 1_800_000_000.0

ADA = "ada@chat.example"
BOB = "bob@chat.example"
TUNE, BOOKMARKS = "http://jabber.org/protocol/tune", "urn:xmpp:bookmarks:1"
MANY = NodeConfig(AccessModel.WHITELIST, True, 10, SendLast.NEVER, False, False)


@pytest.fixture(autouse=True)
async def accounts(registrar: Any) -> None:
    await registrar.register(ADA)
    await registrar.register(BOB)


def item(name: str, payload: str = "<x xmlns='urn:x'>é</x>") -> Item:
    return Item(name, payload)


async def put(stores: Any, name: str, *items: Item, owner: str = ADA, config: NodeConfig = MANY) -> None:
    for each in items:
        await stores.pep.change(owner, name, lambda _, each=each: Outcome(config, each))


async def test_a_node_is_kept_with_its_configuration_and_items(stores: Any) -> None:
    await put(stores, BOOKMARKS, item("a"), item("b"))
    assert await stores.pep.lookup(ADA, BOOKMARKS) == Node(ADA, BOOKMARKS, MANY)
    assert await stores.pep.items(ADA, BOOKMARKS) == [item("a"), item("b")]
    assert await stores.pep.latest(ADA, BOOKMARKS) == item("b")
    assert await stores.pep.nodes(ADA) == [Node(ADA, BOOKMARKS, MANY)]


async def test_what_is_unknown_is_none(stores: Any) -> None:
    await put(stores, BOOKMARKS, item("a"))
    for owner, name in ((ADA, TUNE), (BOB, BOOKMARKS), ("nobody@chat.example", TUNE)):
        assert await stores.pep.lookup(owner, name) is None
        assert await stores.pep.latest(owner, name) is None
        assert await stores.pep.items(owner, name) == []
    assert await stores.pep.nodes(BOB) == []


async def test_an_item_published_again_is_the_newest(stores: Any) -> None:
    await put(stores, BOOKMARKS, item("a"), item("b"), item("a", "<y xmlns='urn:y'/>"))
    assert await stores.pep.items(ADA, BOOKMARKS) == [item("b"), item("a", "<y xmlns='urn:y'/>")]


async def test_the_decision_sees_sizes_in_order_and_what_the_account_holds(stores: Any) -> None:
    await put(stores, BOOKMARKS, item("a"), item("b", "<longer xmlns='urn:x'/>"))
    await put(stores, TUNE, item("c"))
    seen: list[Found] = []

    def note(found: Found) -> Outcome:
        seen.append(found)
        return Outcome(found.config)

    await stores.pep.change(ADA, BOOKMARKS, note)
    sizes = {"a": item("a").size, "b": item("b", "<longer xmlns='urn:x'/>").size}
    assert seen == [Found(MANY, sizes, sum(sizes.values()) + item("c").size, 2)]
    assert list(seen[0].sizes) == ["a", "b"]


async def test_items_and_nodes_are_taken_out(stores: Any) -> None:
    await put(stores, BOOKMARKS, item("a"), item("b"), item("c"))
    await stores.pep.change(ADA, BOOKMARKS, lambda found: Outcome(found.config, item("d"), ("a", "c")))
    assert await stores.pep.items(ADA, BOOKMARKS) == [item("b"), item("d")]
    changed = replace(MANY, max_items=3)
    await stores.pep.change(ADA, BOOKMARKS, lambda _: Outcome(changed))
    assert await stores.pep.lookup(ADA, BOOKMARKS) == Node(ADA, BOOKMARKS, changed)
    await stores.pep.change(ADA, BOOKMARKS, lambda _: Outcome(None))
    assert await stores.pep.lookup(ADA, BOOKMARKS) is None
    await put(stores, BOOKMARKS, item("e"))
    assert await stores.pep.items(ADA, BOOKMARKS) == [item("e")]


async def test_a_decision_that_refuses_writes_nothing(stores: Any) -> None:
    def refuse(_found: Found) -> Outcome:
        raise KeyError

    with pytest.raises(KeyError):
        await stores.pep.change(ADA, TUNE, refuse)
    with pytest.raises(AccountNotFound):
        await put(stores, TUNE, item("a"), owner="nobody@chat.example")
    assert await stores.pep.nodes(ADA) == []


async def test_nodes_of_those_whom_a_user_is_subscribed_to_are_found(stores: Any) -> None:
    await put(stores, TUNE, item("a"))
    assert await stores.pep.nodes_of_contacts(BOB) == []
    await stores.contacts.change(BOB, ADA, lambda *_: (RosterItem(ADA, "to"), RosterItem(BOB, "from")))
    assert await stores.pep.nodes_of_contacts(BOB) == [Node(ADA, TUNE, MANY)]
    assert await stores.pep.nodes_of_contacts(ADA) == []


async def test_items_published_at_the_same_time_are_all_kept(stores: Any) -> None:
    await asyncio.gather(*(put(stores, TUNE, item(f"i{number}")) for number in range(20)))
    assert len(await stores.pep.items(ADA, TUNE)) == 20


async def test_a_deleted_account_takes_its_nodes_along(stores: Any, registrar: Any) -> None:
    await put(stores, TUNE, item("a"))
    await stores.accounts.delete((await stores.accounts.lookup(ADA)).id, EndReason.ACCOUNT_DELETED, NOW)
    await registrar.register(ADA)
    assert await stores.pep.nodes(ADA) == []


async def test_the_nodes_of_a_user_who_can_be_restored_are_kept_and_unseen(stores: Any) -> None:
    await put(stores, TUNE, item("a"))
    await stores.contacts.change(BOB, ADA, lambda *_: (RosterItem(ADA, "to"), RosterItem(BOB, "from")))
    account = await stores.accounts.lookup(ADA)
    await stores.accounts.change(ADA, NOW, lambda _: AccountChange(replace(account, deleted_at=NOW, purge_at=NOW + 9)))
    assert await stores.pep.lookup(ADA, TUNE) is None
    assert await stores.pep.nodes(ADA) == await stores.pep.nodes_of_contacts(BOB) == []
    await stores.accounts.change(ADA, NOW, lambda _: AccountChange(account))
    assert await stores.pep.items(ADA, TUNE) == [item("a")]
