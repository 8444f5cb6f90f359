"""Contacts over HTTP, under both policies."""

from __future__ import annotations

from typing import Any


async def test_under_the_open_policy_a_contact_is_made_at_once(api: Any, ada: Any, bob: Any, engine: Any) -> None:
    await api.data("PATCH", "/profile", token=bob["token"], json={"nickName": "Bob"})
    engine.connected[bob["userJid"]] = [f"{bob['userJid']}/phone"]
    contact = await api.data("PUT", "/contacts/bob", token=ada["token"])
    assert contact["profile"]["nickName"] == "Bob"
    assert {name: contact[name] for name in ("userId", "userJid", "state", "isOnline")} == {
        "userId": "bob", "userJid": bob["userJid"], "state": "friend", "isOnline": True,
    }  # fmt: skip
    assert engine.told[-1][0] == "contacts_changed"
    assert (await api.data("GET", "/contacts", token=ada["token"]))["contacts"] == [contact]
    mirrored = (await api.data("GET", "/contacts", token=bob["token"]))["contacts"]
    assert [(other["userId"], other["state"]) for other in mirrored] == [("ada", "friend")]


async def test_under_the_request_policy_the_other_side_accepts(api: Any) -> None:
    ada = await api.register("ada", key="live secret")
    bob = await api.register("bob", key="live secret")
    asked = await api.data("PUT", "/contacts/bob", key="live", token=ada["token"])
    assert (asked["state"], asked["isOnline"]) == ("requested", False)
    waiting = (await api.data("GET", "/contacts", key="live", token=bob["token"]))["contacts"]
    assert [(other["userId"], other["state"]) for other in waiting] == [("ada", "received")]
    assert (await api.data("PUT", "/contacts/ada", key="live", token=bob["token"]))["state"] == "friend"
    made = (await api.data("GET", "/contacts", key="live", token=ada["token"]))["contacts"]
    assert [other["state"] for other in made] == ["friend"]


async def test_a_removed_contact_is_gone_on_both_sides(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    assert await api.data("DELETE", "/contacts/ada", token=bob["token"]) is None
    for user in (ada, bob):
        assert await api.data("GET", "/contacts", token=user["token"]) == {"contacts": []}
    error = await api.error("DELETE", "/contacts/ada", token=bob["token"])
    assert (error["statusCode"], error["code"]) == (404, "account_not_found")


async def test_nobody_befriends_oneself_or_nobody(api: Any, ada: Any) -> None:
    error = await api.error("PUT", "/contacts/ada", token=ada["token"])
    assert (error["statusCode"], error["code"]) == (400, "contact_invalid")
    error = await api.error("PUT", "/contacts/nobody", token=ada["token"])
    assert (error["statusCode"], error["code"]) == (404, "account_not_found")
