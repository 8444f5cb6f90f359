"""Users find each other by what they may see; the app's backend pages through all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Feature

BACKEND = {"key": "trial secret"}


async def profile(api: Any, user: Any, **fields: Any) -> None:
    await api.data("PATCH", "/profile", token=user["token"], json=fields)


async def names(api: Any, user: Any, search: str = "", **body: Any) -> list[str]:
    found = await api.data("POST", "/users/search", token=user["token"], json={"search": search, **body})
    assert found["totalRecords"] >= len(found["users"])
    return [each["userId"] for each in found["users"]]


async def test_users_are_found_by_identifier_and_name(api: Any, ada: Any, bob: Any) -> None:
    await profile(api, bob, nickName="Robert Brown")
    assert await names(api, ada, "bo") == ["bob"]
    assert await names(api, ada, "brown") == ["bob"]
    assert await names(api, ada, "nobody") == []
    assert await names(api, ada, "ada") == []  # nobody finds oneself
    await profile(api, bob, nickName="Bobby")
    assert await names(api, ada, "brown") == []
    assert await names(api, ada, "bobby") == ["bob"]


async def test_only_what_a_viewer_may_see_finds_a_user(api: Any, ada: Any, bob: Any) -> None:
    await profile(
        api,
        bob,
        nickName="Robert",
        email="bob@mail.example",
        mobileNumber="+442071234567",
        visibility={"nickName": "nobody"},
    )
    for hidden in ("robert", "bob@mail.example", "+442071234567"):
        assert await names(api, ada, hidden) == []
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    assert await names(api, ada, "bob@mail.example") == await names(api, ada, "+44 2071 234567") == ["bob"]
    assert await names(api, ada, "robert") == []
    await profile(api, bob, visibility={"email": "nobody"})
    assert await names(api, ada, "bob@mail.example") == []
    (found,) = (await api.data("POST", "/users/search", token=ada["token"], json={"search": "bob"}))["users"]
    assert (found["nickName"], found["email"], found["mobileNumber"]) == ("", "", "+442071234567")


async def test_blocking_hides_both_ways(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    assert await names(api, ada) == await names(api, bob) == []
    await api.data("DELETE", "/blocked/bob", token=ada["token"])
    assert (await names(api, ada), await names(api, bob)) == (["bob"], ["ada"])


async def test_metadata_filters_by_value_and_type_and_is_shown(api: Any, ada: Any) -> None:
    await api.register("cy", registerMetaData={"team": "blue", "level": 1})
    await api.register("di", registerMetaData={"team": "blue", "level": True})
    assert await names(api, ada, metadata={"team": "blue"}) == ["cy", "di"]
    assert await names(api, ada, metadata={"team": "blue", "level": 1}) == ["cy"]
    assert await names(api, ada, "d", metadata={"team": "blue"}) == ["di"]
    await api.data("PATCH", "/users/cy", **BACKEND, json={"metaData": {"team": "red"}})
    assert await names(api, ada, metadata={"team": "blue"}) == ["di"]
    found = await api.data("POST", "/users/search", token=ada["token"], json={"search": "cy"})
    assert found["users"][0]["metaData"] == {"team": "red"}


async def test_a_search_comes_in_pages(api: Any, ada: Any) -> None:
    for number in range(5):
        await api.register(f"user-{number}")
    pages = [
        await api.data("POST", "/users/search", token=ada["token"], json={"search": "user", "limit": 2, "page": page})
        for page in (1, 2, 3, 4)
    ]
    assert [[each["userId"] for each in page["users"]] for page in pages] == [
        ["user-0", "user-1"],
        ["user-2", "user-3"],
        ["user-4"],
        [],
    ]
    assert {(page["totalRecords"], page["totalPages"], page["limit"]) for page in pages} == {(5, 3, 2)}


async def test_deleted_expired_and_other_environments_users_are_not_found(
    api: Any, ada: Any, bob: Any, clock: Any
) -> None:
    live = await api.register("eve", key="live secret")
    await api.register("mallory", key="live secret")
    await api.data("DELETE", "/users/mallory", key="live secret")
    found = await api.data("POST", "/users/search", key="live", token=live["token"], json={})
    assert found["users"] == []
    clock.turn(15 * 86400)
    cy = await api.register("cy")
    clock.turn(15 * 86400)
    cy = await api.data("POST", "/tokens/refresh", json={"refreshToken": cy["refreshToken"]})
    assert await names(api, cy) == []


@pytest.mark.parametrize(
    "body", [{"search": "x" * 129}, {"limit": 0}, {"limit": 101}, {"page": 0}, {"page": 2001}, {"search": "\ud800"}]
)
async def test_a_search_out_of_its_bounds_is_refused(api: Any, ada: Any, body: dict[str, Any]) -> None:
    (field,) = body
    content = f'{{"{field}": {body[field] if field != "search" else chr(34) + body[field] + chr(34)}}}'
    sent = content.encode("utf-8", "backslashreplace")
    error = await api.error("POST", "/users/search", token=ada["token"], content=sent)
    assert error["code"] == "request_invalid"


async def test_an_app_may_offer_no_search_and_says_so(api: Any, ada: Any) -> None:
    assert (await api.data("GET", "/config"))["features"]["userSearch"] is True
    app = api.known.app
    await apps.set_policy(api.services.ports, app, replace(app.policy, disabled_features=tuple(Feature)))
    assert set((await api.data("GET", "/config"))["features"].values()) == {False}
    for method, path, body in (("POST", "/users/search", {"json": {}}), ("GET", "/last-seen/ada", {})):
        error = await api.error(method, path, token=ada["token"], **body)
        assert (error["statusCode"], error["code"]) == (403, "feature_disabled")


async def test_the_backend_pages_through_all_users(api: Any, ada: Any, bob: Any) -> None:
    await api.register("b-2")
    await api.data("POST", "/users/bob/block", **BACKEND)
    first = await api.data("GET", "/users?limit=2", **BACKEND)
    assert ([each["userId"] for each in first["users"]], first["next"]) == (["ada", "b-2"], "b-2")
    second = await api.data("GET", f"/users?limit=2&after={first['next']}", **BACKEND)
    assert ([each["userId"] for each in second["users"]], second["next"]) == (["bob"], None)
    assert second["users"][0]["isAdminBlocked"] is True
    found = await api.data("GET", "/users?search=b", **BACKEND)
    assert [each["userId"] for each in found["users"]] == ["b-2", "bob"]
    error = await api.error("GET", "/users?limit=201", **BACKEND)
    assert error["details"] == {"field": "limit", "min": 1, "max": 200}
