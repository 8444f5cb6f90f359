"""Requests, imports, telephone numbers and invitations over HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

LONG = "x" * 192


def phone_hash(number: str, domain: str = "sandbox.chat.example") -> str:
    hashed = hashlib.sha256(f"heliograph-phone-book:{domain}:{number}".encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


async def befriended(api: Any, user: Any, key: str = "trial") -> dict[str, str]:
    contacts = (await api.data("GET", "/contacts", key=key, token=user["token"]))["contacts"]
    return {each["userId"]: each["state"] for each in contacts}


# ------------------------------------------------------------------------------------------------------------ requests


@pytest.fixture
async def asked(api: Any) -> Mapping[str, Any]:
    """Live users: Ada has asked Bob."""
    users = {name: await api.register(name, key="live secret") for name in ("ada", "bob", "eve")}
    await api.data("PUT", "/contacts/bob", key="live", token=users["ada"]["token"])
    return users


async def test_requests_are_listed_for_both_sides(api: Any, asked: Any) -> None:
    sent = await api.data("GET", "/contact-requests", key="live", token=asked["ada"]["token"])
    received = await api.data("GET", "/contact-requests", key="live", token=asked["bob"]["token"])
    assert [[each["userId"] for each in sent[side]] for side in ("received", "sent")] == [[], ["bob"]]
    assert [[each["userId"] for each in received[side]] for side in ("received", "sent")] == [["ada"], []]


async def test_an_accepted_request_makes_friends(api: Any, asked: Any) -> None:
    friend = await api.data("POST", "/contact-requests/ada/accept", key="live", token=asked["bob"]["token"])
    assert (friend["userId"], friend["state"]) == ("ada", "friend")
    assert await befriended(api, asked["ada"], "live") == {"bob": "friend"}
    assert await befriended(api, asked["bob"], "live") == {"ada": "friend"}


async def test_a_denied_request_leaves_nothing_behind(api: Any, asked: Any) -> None:
    assert await api.data("POST", "/contact-requests/ada/deny", key="live", token=asked["bob"]["token"]) is None
    assert await befriended(api, asked["ada"], "live") == await befriended(api, asked["bob"], "live") == {}


@pytest.mark.parametrize("verb", ["accept", "deny"])
async def test_only_who_has_asked_is_accepted_or_denied(api: Any, asked: Any, verb: str) -> None:
    for user, other in (("ada", "bob"), ("bob", "eve"), ("eve", "nobody")):
        error = await api.error("POST", f"/contact-requests/{other}/{verb}", key="live", token=asked[user]["token"])
        assert (error["statusCode"], error["code"]) == (404, "contact_request_not_found")


# ----------------------------------------------------------------------------------------------------- many at once


async def test_an_import_makes_friends_and_says_of_each_what_became_of_it(api: Any, ada: Any, bob: Any) -> None:
    eve, max_ = await api.register("eve"), await api.register("max")
    await api.data("PUT", "/blocked/ada", token=eve["token"])
    await api.data("PUT", "/blocked/max", token=ada["token"])
    wanted = ["bob", "nobody", "ada", "eve", "max", LONG, "bob", "Bob"]
    done = await api.data("POST", "/contact-imports", token=ada["token"], json={"identifiers": wanted})
    assert [(each["userId"], each["state"], each.get("code")) for each in done["results"]] == [
        ("bob", "friend", None),
        ("nobody", "failed", "account_not_found"),
        ("ada", "failed", "contact_invalid"),
        ("eve", "failed", "account_not_found"),
        ("max", "failed", "contact_invalid"),
        (LONG, "failed", "identifier_invalid"),
        ("Bob", "failed", "identifier_invalid"),
    ]
    assert await befriended(api, bob) == {"ada": "friend"}
    assert await befriended(api, max_) == {}


async def test_the_same_import_again_changes_nothing(api: Any, ada: Any, bob: Any, engine: Any) -> None:
    body = {"identifiers": ["bob"]}
    first = await api.data("POST", "/contact-imports", token=ada["token"], json=body)
    engine.told.clear()
    assert await api.data("POST", "/contact-imports", token=ada["token"], json=body) == first
    assert engine.told == []


async def test_under_the_request_policy_an_import_asks(api: Any, asked: Any) -> None:
    body = {"identifiers": ["ada", "eve"]}
    done = await api.data("POST", "/contact-imports", key="live", token=asked["bob"]["token"], json=body)
    assert [(each["userId"], each["state"]) for each in done["results"]] == [("ada", "friend"), ("eve", "requested")]


async def test_five_thousand_fit_into_one_import_and_one_more_does_not(api: Any, ada: Any, bob: Any) -> None:
    names = [f"{'n' * 186}{number:05}" for number in range(5000)]
    done = await api.data("POST", "/contact-imports", token=ada["token"], json={"identifiers": names})
    assert len(done["results"]) == 5000
    error = await api.error("POST", "/contact-imports", token=ada["token"], json={"identifiers": [*names, "bob"]})
    assert (error["statusCode"], error["code"]) == (400, "request_invalid")


async def test_a_user_imports_ten_thousand_a_day(api: Any, ada: Any, clock: Any) -> None:
    names = [f"n{number}" for number in range(5000)]
    for _ in range(2):
        await api.data("POST", "/contact-imports", token=ada["token"], json={"identifiers": names})
    error = await api.error("POST", "/contact-imports", token=ada["token"], json={"identifiers": names})
    assert error["code"] == "rate_limited"


# ---------------------------------------------------------------------------------------------------------- phone book


async def test_who_has_agreed_is_found_by_the_hash_of_a_number(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PATCH", "/profile", token=bob["token"], json={"nickName": "Bob", "mobileNumber": "+49 30 123456"})
    asked = {"hashes": [phone_hash("+4930123456"), phone_hash("+4930999999")]}
    assert await api.data("GET", "/discoverability", token=bob["token"]) == {"byPhone": False, "hasNumber": True}
    assert await api.data("POST", "/phone-book-matches", token=ada["token"], json=asked) == {"matches": []}
    agreed = await api.data("PUT", "/discoverability", token=bob["token"], json={"byPhone": True})
    assert agreed == {"byPhone": True, "hasNumber": True}
    (found,) = (await api.data("POST", "/phone-book-matches", token=ada["token"], json=asked))["matches"]
    assert (found["hash"], found["userId"], found["profile"]["nickName"]) == (asked["hashes"][0], "bob", "Bob")
    assert found["profile"]["mobileNumber"] == ""  # it is for contacts, and a match makes none
    assert await befriended(api, ada) == {}


@pytest.mark.parametrize(
    ("number", "as_e164"),
    [("1111111111", "+11111111111"), ("4930123456", "+4930123456"), ("+1 650 253 0000", "+16502530000")],
)
async def test_a_number_is_found_however_it_was_written(
    api: Any, ada: Any, bob: Any, number: str, as_e164: str
) -> None:
    await api.data("PUT", "/discoverability", token=bob["token"], json={"byPhone": True})
    await api.data("PATCH", "/profile", token=bob["token"], json={"mobileNumber": number})
    asked = {"hashes": [phone_hash(as_e164)]}
    found = await api.data("POST", "/phone-book-matches", token=ada["token"], json=asked)
    assert [each["userId"] for each in found["matches"]] == ["bob"]
    await api.data("PATCH", "/profile", token=bob["token"], json={"mobileNumber": ""})
    assert await api.data("POST", "/phone-book-matches", token=ada["token"], json=asked) == {"matches": []}


async def test_blocked_users_and_users_of_other_apps_are_not_found(api: Any, ada: Any, bob: Any) -> None:
    live = await api.register("live", key="live secret")
    for user, key in ((bob, "trial"), (live, "live")):
        await api.data("PUT", "/discoverability", key=key, token=user["token"], json={"byPhone": True})
        await api.data("PATCH", "/profile", key=key, token=user["token"], json={"mobileNumber": "+4930123456"})
    asked = {"hashes": [phone_hash("+4930123456"), phone_hash("+4930123456", "chat.example")]}
    for blocker, other, undo in ((ada, "bob", True), (bob, "ada", False)):
        await api.data("PUT", f"/blocked/{other}", token=blocker["token"])
        found = (await api.data("POST", "/phone-book-matches", token=ada["token"], json=asked))["matches"]
        assert [each["userId"] for each in found] == []
        if undo:
            await api.data("DELETE", f"/blocked/{other}", token=blocker["token"])


@pytest.mark.parametrize("text", ["", "abc", "!" * 43, "A" * 44])
async def test_what_is_no_hash_is_refused(api: Any, ada: Any, text: str) -> None:
    error = await api.error("POST", "/phone-book-matches", token=ada["token"], json={"hashes": [text]})
    assert (error["code"], error["details"]["field"]) == ("request_invalid", "hashes")


# --------------------------------------------------------------------------------------------------------- invitations


async def invite(api: Any, user: Any, **terms: int) -> Any:
    return await api.data("POST", "/contact-invitations", token=user["token"], json=terms)


async def follow(api: Any, user: Any, token: str, step: str = "accept") -> Any:
    return await api.call("POST", f"/contact-invitations/{step}", token=user["token"], json={"token": token})


async def test_an_invitation_shows_who_invites_and_makes_friends(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "Ada", "email": "ada@mail.test"})
    made = await invite(api, ada)
    assert made["url"] == f"https://chat.test/phone#invite={made['token']}"
    shown = (await follow(api, bob, made["token"], "preview")).json()["data"]
    assert (shown["userId"], shown["profile"]["nickName"], shown["profile"]["email"]) == ("ada", "Ada", "")
    assert (await follow(api, bob, made["token"])).json()["data"]["state"] == "friend"
    assert await befriended(api, ada) == {"bob": "friend"}


async def test_an_invitation_makes_friends_under_the_request_policy_too(api: Any) -> None:
    ada, bob = await api.register("ada", key="live secret"), await api.register("bob", key="live secret")
    made = await api.data("POST", "/contact-invitations", key="live", token=ada["token"], json={})
    friend = await api.data(
        "POST", "/contact-invitations/accept", key="live", token=bob["token"], json={"token": made["token"]}
    )
    assert friend["state"] == "friend"


async def test_an_invitation_is_over_when_it_is_used_up_revoked_or_late(
    api: Any, ada: Any, bob: Any, clock: Any
) -> None:
    eve = await api.register("eve")
    used, revoked, late = await invite(api, ada), await invite(api, ada), await invite(api, ada, expiresIn=60)
    await follow(api, eve, used["token"])
    await api.data("DELETE", f"/contact-invitations/{revoked['id']}", token=ada["token"])
    clock.turn(60)
    for token in (used["token"], revoked["token"], late["token"], used["token"][:-1], "hgi_" + "A" * 43):
        for step in ("preview", "accept"):
            answer = await follow(api, bob, token, step)
            assert (answer.status_code, answer.json()["code"]) == (404, "invitation_invalid")
    assert await befriended(api, bob) == {}
    assert await api.data("GET", "/contact-invitations", token=ada["token"]) == {"invitations": []}


async def test_accepting_again_uses_nothing_up(api: Any, ada: Any, bob: Any) -> None:
    made = await invite(api, ada, maxUses=2)
    for _ in range(3):
        assert (await follow(api, bob, made["token"])).status_code == 200
    (open_,) = (await api.data("GET", "/contact-invitations", token=ada["token"]))["invitations"]
    assert (open_["id"], open_["maxUses"], open_["uses"]) == (made["id"], 2, 1)
    assert "token" not in open_


async def test_nobody_follows_an_own_invitation_or_one_across_a_block(api: Any, ada: Any, bob: Any) -> None:
    made = await invite(api, ada)
    assert (await follow(api, ada, made["token"])).json()["code"] == "contact_invalid"
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    assert (await follow(api, bob, made["token"])).json()["code"] == "invitation_invalid"


async def test_an_invitation_of_another_environment_is_none(api: Any, ada: Any) -> None:
    bob = await api.register("bob", key="live secret")
    made = await invite(api, ada)
    error = await api.error(
        "POST", "/contact-invitations/accept", key="live", token=bob["token"], json={"token": made["token"]}
    )
    assert error["code"] == "invitation_invalid"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"expiresIn": 59}, "expiresIn"),
        ({"expiresIn": 2_592_001}, "expiresIn"),
        ({"maxUses": 0}, "maxUses"),
        ({"maxUses": 101}, "maxUses"),
    ],
)
async def test_the_terms_of_an_invitation_have_bounds(api: Any, ada: Any, terms: Any, field: str) -> None:
    error = await api.error("POST", "/contact-invitations", token=ada["token"], json=terms)
    assert (error["code"], error["details"]["field"]) == ("request_invalid", field)


async def test_a_user_has_a_bounded_number_of_open_invitations(api: Any, ada: Any, clock: Any) -> None:
    for _ in range(50):
        clock.turn(10)
        await invite(api, ada)
    error = await api.error("POST", "/contact-invitations", token=ada["token"], json={})
    assert (error["statusCode"], error["code"]) == (403, "invitation_limit")


async def test_nobody_revokes_the_invitation_of_another(api: Any, ada: Any, bob: Any) -> None:
    made = await invite(api, ada)
    error = await api.error("DELETE", f"/contact-invitations/{made['id']}", token=bob["token"])
    assert error["code"] == "invitation_invalid"
