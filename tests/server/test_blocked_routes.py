"""Blocking over HTTP, and what it hides there."""

from __future__ import annotations

from typing import Any


async def test_a_blocked_user_is_listed_until_unblocked(api: Any, ada: Any, bob: Any, engine: Any) -> None:
    entry = {"userId": "bob", "userJid": bob["userJid"]}
    assert await api.data("GET", "/blocked", token=ada["token"]) == {"blocked": []}
    assert await api.data("PUT", "/blocked/bob", token=ada["token"]) == entry
    assert await api.data("PUT", "/blocked/bob", token=ada["token"]) == entry
    assert [told[0] for told in engine.told].count("blocks_changed") == 1
    assert await api.data("GET", "/blocked", token=ada["token"]) == {"blocked": [entry]}
    assert await api.data("GET", "/blocked", token=bob["token"]) == {"blocked": []}
    for _ in range(2):
        assert await api.data("DELETE", "/blocked/bob", token=ada["token"]) is None
    assert await api.data("GET", "/blocked", token=ada["token"]) == {"blocked": []}


async def test_profiles_are_hidden_both_ways(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    for user, other in ((ada, "bob"), (bob, "ada"), (bob, ada["userJid"])):
        error = await api.error("GET", f"/profiles/{other}", token=user["token"])
        assert (error["statusCode"], error["code"]) == (404, "account_not_found")
    await api.data("DELETE", "/blocked/bob", token=ada["token"])
    assert (await api.data("GET", "/profiles/ada", token=bob["token"]))["userId"] == "ada"


async def test_a_contact_stays_in_the_list_and_shows_nothing(api: Any, ada: Any, bob: Any, engine: Any) -> None:
    await api.data("PATCH", "/profile", token=bob["token"], json={"nickName": "Bob"})
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "Ada"})
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    for user in (ada, bob):
        engine.connected[user["userJid"]] = [f"{user['userJid']}/phone"]
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    for user in (ada, bob):
        (contact,) = (await api.data("GET", "/contacts", token=user["token"]))["contacts"]
        shown = contact["state"], contact["isOnline"], contact["profile"]["nickName"], contact["profile"]["version"]
        assert shown == ("friend", False, "", 0)


async def test_nobody_becomes_a_contact_of_who_is_blocked(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    assert (await api.error("PUT", "/contacts/bob", token=ada["token"]))["code"] == "contact_invalid"
    assert (await api.error("PUT", "/contacts/ada", token=bob["token"]))["code"] == "account_not_found"


async def test_nobody_blocks_oneself_or_nobody(api: Any, ada: Any) -> None:
    error = await api.error("PUT", "/blocked/ada", token=ada["token"])
    assert (error["statusCode"], error["code"]) == (400, "block_invalid")
    error = await api.error("PUT", "/blocked/nobody", token=ada["token"])
    assert (error["statusCode"], error["code"]) == (404, "account_not_found")
