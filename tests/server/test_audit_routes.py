"""The audit trail over HTTP: a user's own, and for the app's backend."""

from __future__ import annotations

from typing import Any


async def kinds(api: Any, path: str, **shown: Any) -> list[str]:
    return [entry["kind"] for entry in (await api.data("GET", path, **shown))["entries"]]


async def test_users_see_what_happened_to_them_and_to_nobody_else(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "Ada", "email": "ada@example.org"})
    own = await api.data("GET", "/audit", token=ada["token"])
    assert [entry["kind"] for entry in own["entries"]] == ["profile.updated", "session.created", "user.registered"]
    assert {entry["userId"] for entry in own["entries"]} == {"ada"}
    assert own["entries"][0]["facts"] == {"version": 1, "changed": ["nickName", "email"]}
    assert own["entries"][1]["sessionId"] == ada["sessionId"]
    assert own["next"] is None


async def test_a_user_who_is_new_under_an_old_name_sees_nothing_of_the_one_before(
    api: Any, ada: Any, clock: Any
) -> None:
    await api.data("DELETE", "/users/ada", key="trial secret", params={"immediately": "true"})
    clock.turn(1)
    again = await api.register("ada")
    assert await kinds(api, "/audit", token=again["token"]) == ["session.created", "user.registered"]
    assert len(await kinds(api, "/users/ada/audit", key="trial secret")) > 4


async def test_pages_follow_each_other(api: Any, ada: Any, bob: Any) -> None:
    found, before = [], None
    while True:
        params = {"limit": 2} if before is None else {"limit": 2, "before": before}
        page = await api.data("GET", "/app/audit", key="trial secret", params=params)
        found += [(entry["kind"], entry["userId"]) for entry in page["entries"]]
        before = page["next"]
        if before is None:
            break
    assert found == [
        ("session.created", "bob"),
        ("user.registered", "bob"),
        ("session.created", "ada"),
        ("user.registered", "ada"),
    ]


async def test_the_live_trail_is_not_that_of_the_sandbox(api: Any, ada: Any) -> None:
    assert await kinds(api, "/app/audit", key="live secret") == ["app.created"]


async def test_a_publishable_key_does_not_see_the_apps_trail(api: Any, ada: Any) -> None:
    assert (await api.error("GET", "/app/audit"))["code"] == "secret_key_required"
    assert (await api.error("GET", "/users/ada/audit"))["code"] == "secret_key_required"
    assert (await api.error("GET", "/audit"))["code"] == "token_missing"


async def test_a_page_has_bounds(api: Any, ada: Any) -> None:
    for params in ({"limit": 0}, {"limit": 201}, {"before": "x"}):
        refused = await api.error("GET", "/audit", token=ada["token"], params=params)
        assert refused["details"]["field"] == next(iter(params))
