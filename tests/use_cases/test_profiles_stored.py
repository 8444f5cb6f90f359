"""Profiles over the real store: one change, one version, one publication."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from heliograph.core import accounts, contacts, profiles
from heliograph.core.accounts import RegisterRequest
from heliograph.core.apps import Caller, ContactPolicy
from heliograph.core.ports import Ports
from heliograph.core.profiles import Profile, ProfileChange, Visibility
from heliograph.errors import AccountNotFound, ProfileConflict, ProfileInvalid, StorageUnavailable

ADA = "ada@chat.example"
BOB = "bob@chat.example"
CHANGE = ProfileChange(
    name="Ada",
    image="https://x/a.png",
    status="hi",
    mobile="+1 303 308 3282",
    email="ada@example.com",
    vcard_extra="<org><text>Engines</text></org>",
    visibility={"email": Visibility.NOBODY},
)


@pytest.fixture(autouse=True)
async def users(ports: Ports, backend: Caller, engine: Any) -> None:
    for identifier in ("ada", "bob"):
        await accounts.register(ports, backend, RegisterRequest(identifier))
    engine.told.clear()


async def test_a_change_is_stored_and_published_once(ports: Ports, engine: Any, clock: Any) -> None:
    stored = await profiles.set_profile(ports, ADA, CHANGE)
    assert (stored.version, stored.mobile, stored.updated_at) == (1, "+13033083282", clock.now())
    assert await ports.profiles.lookup(ADA) == stored
    assert engine.told == [("publish_profile", stored)]


async def test_a_change_whose_commit_fails_is_prepared_and_told_to_nobody(ports: Ports, engine: Any) -> None:
    class Failing:
        def __init__(self, profiles: Any) -> None:
            self.lookup = profiles.lookup

        async def update(self, _jid: str, decide: Any, _editor: Any, meanwhile: Any) -> Profile:
            meanwhile(decide(Profile(ADA)))
            raise StorageUnavailable

    failing: Any = Failing(ports.profiles)
    with pytest.raises(StorageUnavailable):
        await profiles.set_profile(replace(ports, profiles=failing), ADA, CHANGE)
    assert engine.told == []


async def test_a_change_that_changes_nothing_is_not_published(ports: Ports, engine: Any) -> None:
    stored = await profiles.set_profile(ports, ADA, CHANGE)
    engine.told.clear()
    assert await profiles.set_profile(ports, ADA, CHANGE) == stored
    assert engine.told == []


async def test_an_outdated_version_changes_nothing(ports: Ports, engine: Any) -> None:
    stored = await profiles.set_profile(ports, ADA, CHANGE, version=0)
    engine.told.clear()
    with pytest.raises(ProfileConflict):
        await profiles.set_profile(ports, ADA, ProfileChange(status="late"), version=0)
    assert await ports.profiles.lookup(ADA) == stored
    assert engine.told == []


async def test_of_changes_on_the_same_version_one_wins(ports: Ports, engine: Any) -> None:
    conflicts = []

    async def change(number: int) -> None:
        try:
            await profiles.set_profile(ports, ADA, ProfileChange(status=f"number {number}"), version=0)
        except ProfileConflict:
            conflicts.append(number)

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(change, number)
    assert len(conflicts) == 9
    assert len(engine.told) == 1


async def test_a_wrong_change_and_a_cleared_name_change_nothing(ports: Ports, engine: Any) -> None:
    stored = await profiles.set_profile(ports, ADA, CHANGE)
    engine.told.clear()
    for wrong in (ProfileChange(name=""), ProfileChange(status="new", email="no")):
        with pytest.raises(ProfileInvalid):
            await profiles.set_profile(ports, ADA, wrong)
    assert await ports.profiles.lookup(ADA) == stored
    assert engine.told == []


async def test_a_user_who_does_not_exist_has_no_profile(ports: Ports) -> None:
    with pytest.raises(AccountNotFound):
        await profiles.set_profile(ports, "nobody@chat.example", CHANGE)
    with pytest.raises(AccountNotFound):
        await profiles.get(ports, ADA, "nobody@chat.example")


async def test_who_looks_decides_what_is_seen(ports: Ports) -> None:
    stored = await profiles.set_profile(ports, ADA, CHANGE)
    assert await profiles.get(ports, ADA, ADA) == stored
    stranger = await profiles.get(ports, BOB, ADA)
    assert (stranger.name, stranger.mobile, stranger.email, stranger.vcard_extra) == ("Ada", "", "", "")
    await contacts.add(ports, BOB, ContactPolicy.OPEN, "ada")
    friend = await profiles.get(ports, BOB, ADA)
    assert (friend.name, friend.mobile, friend.email) == ("Ada", "+13033083282", "")
    assert friend.vcard_extra == "<org><text>Engines</text></org>"


async def test_one_who_only_asked_is_a_stranger(ports: Ports) -> None:
    await profiles.set_profile(ports, ADA, CHANGE)
    await contacts.add(ports, BOB, ContactPolicy.REQUEST, "ada")
    assert (await profiles.get(ports, BOB, ADA)).mobile == ""


async def test_a_profile_never_saved_is_empty_at_version_0(ports: Ports) -> None:
    assert await profiles.get(ports, BOB, ADA) == Profile(ADA)


async def test_profiles_of_another_environment_do_not_exist(ports: Ports, trial: Caller) -> None:
    await accounts.register(ports, trial, RegisterRequest("ada"))
    with pytest.raises(AccountNotFound):
        await profiles.get(ports, "ada@sandbox.chat.example", ADA)
