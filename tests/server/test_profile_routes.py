"""Profiles over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

LISTENER_FIELDS = {
    "userId", "userJid", "fromUser", "nickName", "image", "thumbImage", "status", "userStatus", "mobileNumber",
    "email", "isAdminBlocked", "version",
}  # fmt: skip

WHOLE = {
    "nickName": "Ada Lovelace",
    "image": "https://pictures.example/ada.png",
    "status": "at the engine",
    "mobileNumber": "1111111111",
    "email": "ada@mail.example",
}


async def test_a_new_user_has_an_empty_profile(api: Any, ada: Any) -> None:
    profile = await api.data("GET", "/profile", token=ada["token"])
    assert profile.keys() == LISTENER_FIELDS | {"fileToken", "fileTokenThumb", "visibility"}
    assert (profile["userId"], profile["fromUser"], profile["userJid"]) == ("ada", "ada", ada["userJid"])
    assert (profile["nickName"], profile["version"], profile["isAdminBlocked"]) == ("", 0, False)
    assert profile["visibility"] == {
        "nickName": "everyone", "image": "everyone", "status": "everyone", "mobileNumber": "contacts",
        "email": "contacts",
    }  # fmt: skip


async def test_a_whole_profile_is_stored_answered_and_published(api: Any, ada: Any, engine: Any) -> None:
    stored = await api.data("PATCH", "/profile", token=ada["token"], json=WHOLE)
    assert {name: stored[name] for name in WHOLE} == WHOLE
    assert (stored["userStatus"], stored["version"], stored["fileToken"]) == ("at the engine", 1, "")
    assert await api.data("GET", "/profile", token=ada["token"]) == stored
    method, published = engine.told[-1]
    assert (method, published.jid, published.version) == ("publish_profile", ada["userJid"], 1)


async def test_absent_and_null_leave_a_field_and_empty_text_clears_it(api: Any, ada: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json=WHOLE)
    change = {"status": "", "email": None}
    stored = await api.data("PATCH", "/profile", token=ada["token"], json=change)
    assert {name: stored[name] for name in WHOLE} == {**WHOLE, "status": ""}
    assert stored["version"] == 2


async def test_a_change_of_nothing_is_published_to_nobody(api: Any, ada: Any, engine: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json=WHOLE)
    told = len(engine.told)
    assert (await api.data("PATCH", "/profile", token=ada["token"], json=WHOLE))["version"] == 1
    assert len(engine.told) == told


async def test_a_version_that_is_no_longer_current_is_409(api: Any, ada: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "Ada", "version": 0})
    error = await api.error("PATCH", "/profile", token=ada["token"], json={"nickName": "Eve", "version": 0})
    assert (error["statusCode"], error["code"], error["details"]) == (409, "profile_conflict", {"version": 1})
    assert (await api.data("GET", "/profile", token=ada["token"]))["nickName"] == "Ada"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nickName", "x" * 65),
        ("status", "x" * 140),
        ("mobileNumber", "12"),
        ("email", "nowhere"),
        ("image", "javascript:alert(1)"),
        ("image", "0" * 64 + ".png"),
    ],
)
async def test_a_field_that_breaks_its_rule_is_named_as_on_the_wire(api: Any, ada: Any, field: str, value: str) -> None:
    error = await api.error("PATCH", "/profile", token=ada["token"], json={field: value})
    assert (error["statusCode"], error["code"], error["details"]) == (400, "profile_invalid", {"field": field})


async def test_strangers_see_less_than_contacts(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json=WHOLE)
    seen = await api.data("GET", "/profiles/ada", token=bob["token"])
    assert seen.keys() == LISTENER_FIELDS
    assert (seen["nickName"], seen["mobileNumber"], seen["email"]) == ("Ada Lovelace", "", "")
    await api.data("PUT", "/contacts/ada", token=bob["token"])
    seen = await api.data("GET", f"/profiles/{ada['userJid']}", token=bob["token"])
    assert (seen["mobileNumber"], seen["email"]) == (WHOLE["mobileNumber"], WHOLE["email"])


async def test_visibility_is_chosen_field_by_field(api: Any, ada: Any, bob: Any) -> None:
    change = {**WHOLE, "visibility": {"status": "nobody", "email": "everyone"}}
    stored = await api.data("PATCH", "/profile", token=ada["token"], json=change)
    assert (stored["visibility"]["status"], stored["visibility"]["email"]) == ("nobody", "everyone")
    assert stored["visibility"]["mobileNumber"] == "contacts"
    seen = await api.data("GET", "/profiles/ada", token=bob["token"])
    assert (seen["status"], seen["userStatus"], seen["email"]) == ("", "", WHOLE["email"])


@pytest.mark.parametrize("user", ["nobody", "ada@chat.example", "ada@elsewhere.example", "%40", "a%2Fb"])
async def test_a_user_who_is_not_of_this_environment_is_404(api: Any, ada: Any, user: str) -> None:
    response = await api.call("GET", f"/profiles/{user}", token=ada["token"])
    assert response.status_code == 404
    assert response.json()["code"] in {"account_not_found", "route_not_found"}
