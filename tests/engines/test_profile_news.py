"""A client that says what it knows of profiles is told what has changed since, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from profile_events import PRESENCE, appear, news, since


async def save(place: Any, client: Any, name: str) -> None:
    await place.call("PATCH", "/profile", client.account, {"nickName": name})


@pytest.fixture
async def crowd(place: Any, join: Any, befriend: Any) -> list[Any]:
    """Ada, who has three contacts with profiles."""
    ada = await join("ada")
    contacts = [await join(name) for name in ("bob", "eve", "max")]
    for contact in contacts:
        await befriend(ada, contact)
        await save(place, contact, "First")
    return [ada, *contacts]


async def leave(client: Any, place: Any, becomes: Any) -> None:
    client.wire.close()
    await becomes(lambda: client.jid not in place.node.engine.router.full)


async def test_who_names_no_mark_gets_the_last_profile_of_every_contact(
    place: Any, again: Any, crowd: list[Any]
) -> None:
    ada, *contacts = crowd
    for _ in range(2):
        told = await appear(await again(ada, is_present=False))
        assert told.keys() == {contact.bare for contact in contacts}


async def test_who_names_a_mark_gets_what_has_changed_since(
    place: Any, again: Any, crowd: list[Any], becomes: Any
) -> None:
    ada, bob, eve, max_ = crowd
    first = await again(ada, is_present=False)
    mark = max(mark for _, mark in (await appear(first)).values())
    await leave(first, place, becomes)
    second = await again(ada, is_present=False)
    assert await appear(second, mark) == {}
    await save(place, eve, "Live")
    live = news(await second.so_far())
    assert live.keys() == {eve.bare}
    await leave(second, place, becomes)
    for name in ("Second", "Third"):
        await save(place, bob, name)
    await save(place, max_, "Second")
    await save(place, ada, "Ada")
    told = await appear(await again(ada, is_present=False), live[eve.bare][1])
    assert list(told) == [bob.bare, max_.bare, ada.bare]
    assert told[bob.bare][0] == 3


async def test_a_contact_that_was_made_meanwhile_is_news(
    place: Any, join: Any, again: Any, befriend: Any, crowd: list[Any]
) -> None:
    ada = crowd[0]
    zoe = await join("zoe")
    await save(place, zoe, "Zoe")
    mark = max(mark for _, mark in (await appear(await again(ada, is_present=False))).values())
    await befriend(ada, zoe)
    assert (await appear(await again(ada, is_present=False), mark)).keys() == {zoe.bare}


async def test_who_is_unblocked_meanwhile_is_news_for_both(place: Any, again: Any, crowd: list[Any]) -> None:
    ada, bob, *_ = crowd
    await save(place, ada, "Ada")
    marks = {}
    for client in (ada, bob):
        marks[client] = max(mark for _, mark in (await appear(await again(client, is_present=False))).values())
    await place.call("PUT", f"/blocked/{bob.account.username}", ada.account)
    await place.call("DELETE", f"/blocked/{bob.account.username}", ada.account)
    for client, other in ((ada, bob), (bob, ada)):
        assert (await appear(await again(client, is_present=False), marks[client])).keys() == {other.bare}


async def test_what_the_administrator_does_is_news_live_and_later(place: Any, again: Any, crowd: list[Any]) -> None:
    ada, bob, *_ = crowd
    watching = await again(ada, is_present=False)
    mark = max(mark for _, mark in (await appear(watching)).values())
    await place.call("POST", f"/users/{bob.account.username}/block")
    assert news(await watching.so_far()).keys() == {bob.bare}
    assert (await appear(await again(ada, is_present=False), mark)).keys() == {bob.bare}


@pytest.mark.parametrize("mark", ["", "0", "-1", "x", "1" * 19])
async def test_what_is_no_mark_is_refused(join: Any, mark: str) -> None:
    ada = await join("ada")
    assert (await ada.ask(since(mark), kind="set")).condition == "bad-request"


async def test_a_mark_is_named_to_ones_own_account(join: Any, befriend: Any) -> None:
    ada, bob = await join("ada"), await join("bob")
    await befriend(ada, bob)
    assert (await ada.ask(since(1), kind="set", to=bob.bare)).condition == "forbidden"


async def test_what_is_set_while_a_client_catches_up_comes_once_and_in_order(
    place: Any, again: Any, crowd: list[Any], gated: Any, becomes: Any
) -> None:
    ada, bob, eve, max_ = crowd
    await appear(await again(ada, is_present=False))
    late = await again(ada, is_present=False)
    with gated("profiles", "of_contacts") as gate:
        await late.send(PRESENCE)
        await gate.entered.wait()
        await save(place, eve, "During")
        gate.opened.set()
        told = await late.so_far()
    seen: dict[str, list[int]] = {}
    for got in told:
        for sender, (version, _) in news([got]).items():
            seen.setdefault(sender, []).append(version)
    assert seen == {bob.bare: [1], max_.bare: [1], eve.bare: [1, 2]}
