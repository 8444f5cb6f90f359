"""What every `Directory` does, and how the stores of accounts and profiles keep it up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import directory, limits
from heliograph.core.account_changes import AccountChange
from heliograph.core.contacts import RosterItem
from heliograph.core.directory import Query
from heliograph.core.profiles import Profile, Visibility
from heliograph.core.sessions import EndReason

ADA, BOB, CY = "ada@chat.example", "bob@chat.example", "cy@chat.example"
NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
async def users(registrar: Any) -> None:
    for jid in (ADA, BOB, CY, "bob@sandbox.chat.example"):
        await registrar.register(jid)


async def found(stores: Any, text: str = "", viewer: str = ADA, **changes: Any) -> list[str]:
    query = Query(viewer, directory.spans(text), (), NOW, 0, 10)
    answer = await stores.directory.search(replace(query, **changes))
    return [entry.profile.jid for entry in answer.entries]


async def named(stores: Any, jid: str, **fields: Any) -> None:
    def decide(profile: Profile) -> Profile:
        return replace(profile, version=profile.version + 1, **fields)

    await stores.profiles.update(jid, decide)


async def change(stores: Any, jid: str, **fields: Any) -> None:
    await stores.accounts.change(jid, NOW, lambda account: AccountChange(replace(account, **fields)))


async def test_a_new_user_is_found_by_the_beginning_of_its_identifier(stores: Any) -> None:
    assert await found(stores) == [BOB, CY]
    assert await found(stores, "b") == [BOB]
    assert await found(stores, "bobby") == []


async def test_the_profile_is_found_as_it_is_now_and_comes_whole(stores: Any) -> None:
    await named(stores, BOB, name="Robert Brown")
    await named(stores, BOB, name="Robert Green", mobile="+442071234567")
    assert await found(stores, "brown") == []
    assert await found(stores, "green") == [BOB]
    (entry,) = (await stores.directory.search(Query(ADA, directory.spans("green"), (), NOW, 0, 10))).entries
    assert (entry.profile.name, entry.profile.mobile, entry.is_contact) == ("Robert Green", "+442071234567", False)


async def test_what_contacts_may_see_finds_a_user_for_them_alone(stores: Any) -> None:
    await named(stores, BOB, name="Robert", visibility={"name": Visibility.CONTACTS})
    assert await found(stores, "robert") == []

    def befriend(*_before: Any) -> Any:
        return RosterItem(ADA, "both"), RosterItem(BOB, "both")

    await stores.contacts.change(BOB, ADA, befriend)
    assert await found(stores, "robert") == [BOB]
    assert await found(stores, "robert", viewer=CY) == []
    await named(stores, BOB, visibility={"name": Visibility.NOBODY})
    assert await found(stores, "robert") == []


@pytest.mark.parametrize(("owner", "blocked"), [(ADA, BOB), (BOB, ADA), (ADA, "chat.example"), (BOB, "chat.example")])
async def test_whom_blocking_keeps_apart_is_not_found(stores: Any, owner: str, blocked: str) -> None:
    await stores.blocks.change(owner, lambda _: frozenset((blocked,)))
    assert BOB not in await found(stores)


async def test_required_terms_have_to_be_there_with_their_type(stores: Any) -> None:
    await change(stores, BOB, metadata={"team": "blue", "level": 1})
    await change(stores, CY, metadata={"team": "blue", "level": True})
    blue, level = directory.metadata_terms({"team": "blue"}), directory.metadata_terms({"level": 1})
    assert await found(stores, required=blue) == [BOB, CY]
    assert await found(stores, required=(*blue, *level)) == [BOB]
    await change(stores, BOB, metadata={})
    assert await found(stores, required=blue) == [CY]


async def test_who_is_deleted_expired_or_gone_is_not_found(stores: Any, registrar: Any) -> None:
    await change(stores, BOB, deleted_at=NOW, purge_at=NOW + 9)
    cy = await stores.accounts.lookup(CY)
    await stores.accounts.delete(cy.id, EndReason.ACCOUNT_DELETED, NOW)
    assert await found(stores) == []
    await registrar.register("dan@sandbox.chat.example")
    assert await found(stores, viewer="dan@sandbox.chat.example") == ["bob@sandbox.chat.example"]
    assert await found(stores, viewer="dan@sandbox.chat.example", now=NOW + 31 * 86400) == []


async def test_a_user_who_is_found_twice_comes_once_and_pages_follow_each_other(stores: Any) -> None:
    await named(stores, BOB, name="Bob Bobson")
    first = await stores.directory.search(Query(ADA, directory.spans("bob"), (), NOW, 0, 1))
    assert ([entry.profile.jid for entry in first.entries], first.total) == ([BOB], 1)
    everybody = await stores.directory.search(Query(ADA, directory.spans(""), (), NOW, 1, 1))
    assert ([entry.profile.jid for entry in everybody.entries], everybody.total) == ([CY], 2)


async def test_accounts_come_in_pages_by_identifier(stores: Any) -> None:
    whole = await stores.directory.page("chat.example", directory.identifier_span("", ""), 2)
    assert [account.jid for account in whole] == [ADA, BOB]
    rest = await stores.directory.page("chat.example", directory.identifier_span("", "bob"), limits.PAGE_USERS_MAX)
    assert rest == [await stores.accounts.lookup(CY)]
    some = await stores.directory.page("chat.example", directory.identifier_span("b", ""), 10)
    assert [account.jid for account in some] == [BOB]


async def older_than_the_directory(stores: Any, newest: str) -> None:
    """Let the accounts up to that one be as they were before there was a directory."""
    number = (await stores.accounts.lookup(newest)).id

    def forget(cursor: Any) -> None:
        cursor.execute("DELETE FROM directory WHERE account_id <= ?", (number,))
        cursor.execute("INSERT INTO directory_backlog (account_id) VALUES (?)", (number,))

    await stores.directory._writer.write(forget)


async def test_who_is_older_than_the_directory_is_filled_in_a_batch_at_a_time(stores: Any) -> None:
    await named(stores, BOB, name="Robert", email="bob@example.com", visibility={"email": Visibility.NOBODY})
    await change(stores, BOB, metadata={"team": "blue"})
    await older_than_the_directory(stores, CY)
    assert await found(stores) == []
    assert await stores.directory.fill_in(2) == 2
    assert await found(stores) == [BOB, CY]
    assert await found(stores, "robert") == [BOB]
    assert await found(stores, "bob@example.com") == []
    assert await found(stores, required=directory.metadata_terms({"team": "blue"})) == [BOB]
    assert await found(stores, viewer=BOB) == [CY]
    assert await stores.directory.fill_in(2) == 1
    assert await found(stores, viewer=BOB) == [ADA, CY]
    assert await stores.directory.fill_in(2) == 0


async def test_what_has_changed_since_then_is_as_it_is_now(stores: Any) -> None:
    await named(stores, BOB, name="Robert")
    await older_than_the_directory(stores, CY)
    await named(stores, BOB, name="Bobby", visibility={"name": Visibility.CONTACTS})
    assert await stores.directory.fill_in(100) == 3
    assert await found(stores, "robert") == []
    assert await found(stores, "bobby") == []  # it finds for contacts alone
    await stores.accounts.delete((await stores.accounts.lookup(BOB)).id, EndReason.ACCOUNT_DELETED, NOW)
    assert await found(stores) == [CY]
