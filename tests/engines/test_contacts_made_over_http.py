"""Contacts that are made over HTTP, many at once or by invitation, stand in every XMPP client at once."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.apps import Environment
from profile_events import appear, news

NS_ROSTER = "jabber:iq:roster"


def pushed(told: list[Any]) -> dict[str, str]:
    """The roster items that were pushed, each once."""
    found: dict[str, str] = {}
    for got in told:
        for item in got.element.iterfind(f"{{{NS_ROSTER}}}query/{{{NS_ROSTER}}}item"):
            assert item.get("jid") not in found, "pushed twice"
            found[item.get("jid")] = item.get("subscription")
    return found


async def watch(client: Any) -> None:
    """Ask for the roster, and be told of profiles."""
    await client.ask(f"<query xmlns='{NS_ROSTER}'/>")
    await appear(client)


@pytest.fixture
async def crowd(place: Any, join: Any) -> list[Any]:
    """Ada, and three users with profiles; all watch."""
    clients = [await join(name, is_present=False) for name in ("ada", "bob", "eve", "max")]
    for client in clients:
        await place.call("PATCH", "/profile", client.account, {"nickName": "First"})
        await watch(client)
    return clients


async def test_an_import_pushes_rosters_and_shows_presence_and_profiles_on_both_sides(
    place: Any, crowd: list[Any]
) -> None:
    ada, *others = crowd
    body = {"identifiers": [other.account.username for other in others]}
    for _ in range(2):  # the second time there is nothing to tell
        await place.call("POST", "/contact-imports", ada.account, body)
        told = {client: await client.so_far() for client in crowd}
        is_first = bool(told[ada])
        assert pushed(told[ada]) == ({other.bare: "both" for other in others} if is_first else {})
        assert news(told[ada]).keys() == ({other.bare for other in others} if is_first else set())
        for other in others:
            assert pushed(told[other]) == ({ada.bare: "both"} if is_first else {})
            assert news(told[other]).keys() == ({ada.bare} if is_first else set())
            assert [got.get("from") for got in told[other] if got.name == "presence"] == [ada.jid] * is_first


async def test_an_accepted_invitation_pushes_rosters_and_tells_profiles(place: Any, crowd: list[Any]) -> None:
    ada, bob, *_ = crowd
    made = await place.call("POST", "/contact-invitations", ada.account, {})
    await place.call("POST", "/contact-invitations/accept", bob.account, {"token": made["token"]})
    for client, other in ((ada, bob), (bob, ada)):
        told = await client.so_far()
        assert pushed(told) == {other.bare: "both"}
        assert news(told).keys() == {other.bare}


async def test_an_accepted_request_pushes_both_and_a_denied_one_leaves_no_item(place: Any) -> None:
    live = Environment.LIVE
    ada, bob, eve = [
        await place.sign_in(await place.register(place.name(name), live)) for name in ("ada", "bob", "eve")
    ]
    for client in (ada, bob, eve):
        await watch(client)
    for other in (bob, eve):
        await place.call("PUT", f"/contacts/{other.account.username}", ada.account, environment=live)
    for other, verb in ((bob, "accept"), (eve, "deny")):
        (request,) = [got for got in await other.so_far() if got.get("type") == "subscribe"]
        assert request.get("from") == ada.bare
        path = f"/contact-requests/{ada.account.username}/{verb}"
        await place.call("POST", path, other.account, environment=live)
    assert pushed([got for got in await ada.so_far() if "both" in got.xml]) == {bob.bare: "both"}
    items = (await eve.ask(f"<query xmlns='{NS_ROSTER}'/>")).element[0]
    assert [item.get("jid") for item in items] == []


async def test_a_request_that_is_taken_back_is_told(place: Any) -> None:
    live = Environment.LIVE
    ada, bob = [await place.sign_in(await place.register(place.name(name), live)) for name in ("ada", "bob")]
    await watch(bob)
    await place.call("PUT", f"/contacts/{bob.account.username}", ada.account, environment=live)
    await place.call("DELETE", f"/contacts/{bob.account.username}", ada.account, environment=live)
    told = [(got.get("type"), got.get("from")) for got in await bob.so_far() if got.name == "presence"]
    assert told == [("subscribe", ada.bare), ("unsubscribe", ada.bare)]
