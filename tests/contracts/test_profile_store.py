"""What every `ProfileStore` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import limits
from heliograph.core.contacts import RosterItem
from heliograph.core.profile_history import BACKEND
from heliograph.core.profiles import Profile, Visibility
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound, ProfileConflict

ADA = "ada@chat.example"
NOW = 1_800_000_000.0
FULL = Profile(
    ADA,
    1,
    "Ada é𝄞",
    "https://chat.example/a.png",
    "https://chat.example/t.png",
    "reading",
    "+4930123456",
    "ada@example.org",
    "<note>hi</note>",
    {"mobile": Visibility.NOBODY, "email": Visibility.EVERYONE},
    False,
    NOW + 0.25,
)


async def test_a_profile_never_saved_stands_at_version_0(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    assert await stores.profiles.lookup(ADA) == Profile(ADA)
    assert await stores.profiles.lookup("bob@chat.example") is None


async def test_all_fields_are_kept(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    seen: list[Profile] = []
    assert await stores.profiles.update(ADA, lambda profile: (seen.append(profile), FULL)[1]) == FULL
    assert seen == [Profile(ADA)]
    assert await stores.profiles.lookup(ADA) == FULL


async def test_a_later_change_sees_and_replaces_the_earlier_one(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda _: FULL)
    cleared = Profile(ADA, 2, updated_at=NOW + 1)
    assert await stores.profiles.update(ADA, lambda profile: cleared if profile == FULL else profile) == cleared
    assert await stores.profiles.lookup(ADA) == cleared


async def test_an_unchanged_profile_stays_as_it_is(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    assert await stores.profiles.update(ADA, lambda profile: profile) == Profile(ADA)
    await stores.profiles.update(ADA, lambda _: FULL)
    assert await stores.profiles.update(ADA, lambda profile: profile) == FULL


async def test_a_decision_that_raises_changes_nothing(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    await stores.profiles.update(ADA, lambda _: FULL)

    def refuse(_profile: Profile) -> Profile:
        raise ProfileConflict

    with pytest.raises(ProfileConflict):
        await stores.profiles.update(ADA, refuse)
    assert await stores.profiles.lookup(ADA) == FULL


async def test_what_is_about_to_be_stored_is_known_during_the_commit(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    known: list[Profile] = []
    stored = await stores.profiles.update(ADA, lambda _: FULL, meanwhile=known.append)
    assert known == [stored]

    def refuse(_profile: Profile) -> Profile:
        raise ProfileConflict

    with pytest.raises(ProfileConflict):
        await stores.profiles.update(ADA, refuse, meanwhile=known.append)
    assert known == [stored]


async def test_whatever_changes_or_stays_is_stored(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    written = FULL
    for version, wanted in enumerate(({"name": "Ann"}, {"mobile": ""}, {"image": ""}, {"status": "", "email": ""}), 2):
        written = replace(written, **wanted, version=version)
        assert await stores.profiles.update(ADA, lambda _, written=written: written) == written
        assert await stores.profiles.lookup(ADA) == written


async def test_there_is_no_profile_without_an_account(stores: Any, registrar: Any) -> None:
    with pytest.raises(AccountNotFound):
        await stores.profiles.update(ADA, lambda _: FULL)


async def test_concurrent_changes_follow_each_other(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)

    def count(profile: Profile) -> Profile:
        return replace(profile, version=profile.version + 1, name=f"{profile.name}x")

    results = await asyncio.gather(*(stores.profiles.update(ADA, count) for _ in range(50)))
    assert sorted(result.version for result in results) == list(range(1, 51))
    assert (await stores.profiles.lookup(ADA)).name == "x" * 50


async def test_profiles_of_contacts_are_those_the_user_is_subscribed_to(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    for subscription in ("to", "both", "from", "none", "unsaved"):
        jid = f"{subscription}@chat.example"
        await registrar.register(jid)
        if subscription != "unsaved":
            await stores.profiles.update(jid, lambda profile: replace(profile, version=1, name=profile.jid))
        item = RosterItem(jid, "both" if subscription == "unsaved" else subscription)
        await stores.contacts.change(ADA, jid, lambda *_, item=item: (item, None))
    await stores.contacts.change(
        ADA, "far@elsewhere.example", lambda *_: (RosterItem("far@elsewhere.example", "to"), None)
    )
    found = {profile.jid: profile for profile in await stores.profiles.of_contacts(ADA)}
    assert set(found) == {"to@chat.example", "both@chat.example"}
    assert found["to@chat.example"] == await stores.profiles.lookup("to@chat.example")
    assert await stores.profiles.of_contacts("to@chat.example") == []


async def test_a_picture_is_in_use_while_a_profile_or_its_history_shows_it(stores: Any, registrar: Any) -> None:
    await registrar.register(ADA)
    first, second, unused = "1a" * 32, "2b" * 32, "3c" * 32

    async def show(image: str, **fields: Any) -> None:
        def change(profile: Profile) -> Profile:
            return replace(profile, version=profile.version + 1, image=image, **fields)

        await stores.profiles.update(ADA, change)

    async def in_use() -> frozenset[str]:
        found: frozenset[str] = await stores.profiles.pictures_in_use([first, second, unused])
        return found

    assert await in_use() == frozenset()
    await show(f"https://chat.example/media/{first}")
    await show(f"https://moved.chat.example/pictures/{second}")
    await show("https://elsewhere.example/x")
    assert await in_use() == {first, second}
    assert await stores.profiles.pictures_in_use([]) == frozenset()
    for turn in range(limits.PROFILE_CHANGES_KEPT - 1):
        await show(f"https://chat.example/media/{second}", name=str(turn))
    assert await in_use() == {second}
    for turn in range(limits.PROFILE_CHANGES_KEPT + 1):
        await show("", name=str(turn))
    assert await in_use() == frozenset()


async def test_the_pictures_of_a_deleted_account_are_not_in_use(stores: Any, registrar: Any) -> None:
    account = (await registrar.register(ADA)).account
    token = "1a" * 32
    await stores.profiles.update(ADA, lambda profile: replace(profile, version=1, image=f"https://x/{token}"))
    assert await stores.profiles.pictures_in_use([token]) == {token}
    await stores.accounts.delete(account.id, EndReason.ACCOUNT_DELETED, NOW)
    assert await stores.profiles.pictures_in_use([token]) == frozenset()


async def test_many_changes_and_single_ones_are_told_in_the_order_of_their_marks(stores: Any, registrar: Any) -> None:
    """A client names the highest mark that it has seen: what is told behind a higher one could be missed for good."""
    jids = [f"user-{number}@chat.example" for number in range(40)]
    for jid in jids:
        await registrar.register(jid)
    told: list[int] = []

    def next_version(profile: Profile) -> Profile:
        return replace(profile, version=profile.version + 1, name="Somebody")

    async def one(jid: str) -> None:
        told.append((await stores.profiles.update(jid, next_version)).mark)

    async with asyncio.TaskGroup() as tasks:
        wanted = [(jid, next_version) for jid in jids[:20]]
        tasks.create_task(stores.profiles.update_many(wanted, BACKEND, lambda _place, stored: told.append(stored.mark)))
        for jid in jids[20:]:
            await asyncio.sleep(0)  # so that they come while the many are under way
            tasks.create_task(one(jid))
    assert len(told) == 40
    assert told == sorted(told)
