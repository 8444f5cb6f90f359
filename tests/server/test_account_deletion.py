"""An account is deleted: at once in the sandbox, with a grace period for live users, in which the app can undo it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import Feature
from heliograph.core.sessions import EndReason
from heliograph.errors import AccountNotFound

DAY_S = 86400
LIVE = {"key": "live"}
BACKEND = {"key": "live secret"}


@pytest.fixture
async def eve(api: Any) -> Any:
    """A live user with a contact-free profile."""
    data = await api.register("eve", key="live secret")
    await api.data("PATCH", "/profile", **LIVE, token=data["token"], json={"nickName": "Eve"})
    return data


async def leave(api: Any, user: Any, **body: str) -> Any:
    return await api.data("DELETE", "/account", **LIVE, token=user["token"], json=body)


async def test_a_sandbox_user_is_deleted_at_once(api: Any, ada: Any) -> None:
    decided = await api.data("DELETE", "/account", token=ada["token"])
    assert decided["purgeAt"] == decided["deletedAt"]
    assert (await api.register("ada"))["isExisting"] is False


async def test_a_deleted_live_user_is_signed_out_and_unseen_and_keeps_the_identifier(
    api: Any, eve: Any, engine: Any
) -> None:
    other = await api.register("mallory", key="live secret")
    decided = await leave(api, eve)
    assert decided["purgeAt"] > decided["deletedAt"]
    assert ("disconnect_account", "eve@chat.example", EndReason.ACCOUNT_DELETED) in engine.told
    assert (await api.error("GET", "/profile", **LIVE, token=eve["token"]))["code"] == "token_revoked"
    credentials = {"username": "eve", "password": eve["password"]}
    assert (await api.error("POST", "/tokens", **LIVE, json=credentials))["code"] == "authentication_failed"
    seen = {**LIVE, "token": other["token"]}
    assert (await api.error("GET", "/profiles/eve", **seen))["code"] == "account_not_found"
    assert (await api.error("PUT", "/contacts/eve", **seen))["code"] == "account_not_found"
    assert (await api.error("PUT", "/blocked/eve", **seen))["code"] == "account_not_found"
    again = await api.error("POST", "/register", **BACKEND, json={"userIdentifier": "eve"})
    assert (again["statusCode"], again["code"]) == (403, "account_deleted")


async def test_a_contact_of_a_deleted_user_sees_nothing_of_it_until_it_is_restored(api: Any, eve: Any) -> None:
    mallory = {**LIVE, "token": (await api.register("mallory", key="live secret"))["token"]}
    await api.data("PUT", "/contacts/eve", **mallory)
    await api.data("PUT", "/contacts/mallory", **LIVE, token=eve["token"])

    async def shown() -> list[tuple[str, str]]:
        contacts = (await api.data("GET", "/contacts", **mallory))["contacts"]
        return [(each["userId"], each["profile"]["nickName"]) for each in contacts]

    assert await shown() == [("eve", "Eve")]
    await leave(api, eve)
    assert await shown() == [("eve", "")]
    await api.data("POST", "/users/eve/restore", **BACKEND)
    assert await shown() == [("eve", "Eve")]


async def test_nothing_waits_for_a_deleted_user(api: Any, eve: Any) -> None:
    await leave(api, eve)
    with pytest.raises(AccountNotFound):
        await api.services.ports.offline.add("eve@chat.example", b"<message/>", 0.0, 9)


async def test_the_app_sees_a_deleted_user_and_restores_it_whole(api: Any, eve: Any) -> None:
    decided = await leave(api, eve)
    found = await api.data("GET", "/users/eve", **BACKEND)
    assert (found["isDeleted"], found["purgeAt"]) == (True, decided["purgeAt"])
    for _ in range(2):
        restored = await api.data("POST", "/users/eve/restore", **BACKEND)
        assert (restored["isDeleted"], restored["purgeAt"]) == (False, None)
    back = await api.register("eve", key="live secret")
    assert back["isExisting"] is True
    profile = await api.data("GET", "/profile", **LIVE, token=back["token"])
    assert profile["nickName"] == "Eve"
    assert len((await api.data("GET", "/sessions", **LIVE, token=back["token"]))["sessions"]) == 1


async def test_when_the_grace_period_is_over_the_user_is_gone_for_good(api: Any, eve: Any, clock: Any) -> None:
    await leave(api, eve)
    clock.turn(30 * DAY_S)
    assert (await api.error("GET", "/users/eve", **BACKEND))["code"] == "account_not_found"
    assert (await api.error("POST", "/users/eve/restore", **BACKEND))["code"] == "account_not_found"
    assert (await api.register("eve", key="live secret"))["isExisting"] is False


async def test_a_second_deletion_does_not_prolong_the_grace_period(api: Any, eve: Any, clock: Any) -> None:
    decided = await leave(api, eve)
    clock.turn(DAY_S)
    assert await api.data("DELETE", "/users/eve", **BACKEND) == decided


async def test_the_backend_deletes_with_grace_or_immediately(api: Any, eve: Any) -> None:
    await api.data("DELETE", "/users/eve", **BACKEND)
    assert (await api.data("GET", "/users/eve", **BACKEND))["isDeleted"] is True
    await api.data("DELETE", "/users/eve?immediately=true", **BACKEND)
    assert (await api.error("GET", "/users/eve", **BACKEND))["code"] == "account_not_found"
    error = await api.error("DELETE", "/users/eve?immediately=maybe", **BACKEND)
    assert (error["code"], error["details"]) == ("request_invalid", {"field": "immediately"})


async def test_what_users_say_on_leaving_is_kept_for_the_app(api: Any, eve: Any, ada: Any, clock: Any) -> None:
    other = await api.register("mallory", key="live secret")
    await leave(api, eve, reason="moving", feedback="It was fine")
    await leave(api, other, reason="noise")
    await api.data("DELETE", "/account", token=ada["token"], json={"reason": "sandbox"})
    page = await api.data("GET", "/feedback?limit=1", **BACKEND)
    assert [said["userId"] for said in page["feedback"]] == ["mallory"]
    page = await api.data("GET", f"/feedback?limit=1&before={page['next']}", **BACKEND)
    assert page["feedback"] == [
        {"userId": "eve", "reason": "moving", "feedback": "It was fine", "createdAt": "2027-01-15T08:00:00.000Z"}
    ]
    await api.data("DELETE", "/users/eve?immediately=true", **BACKEND)
    kept = await api.data("GET", "/feedback", **BACKEND)
    assert [said["userId"] for said in kept["feedback"]] == ["mallory", None]
    assert kept["next"] is None
    assert [said["reason"] for said in (await api.data("GET", "/feedback", key="trial secret"))["feedback"]] == [
        "sandbox"
    ]


@pytest.mark.parametrize("field", ["reason", "feedback"])
async def test_what_a_user_says_is_bounded(api: Any, eve: Any, field: str) -> None:
    for text in ("x" * 2001, "\ud800"):
        error = await api.error(
            "DELETE",
            "/account",
            **LIVE,
            token=eve["token"],
            content=f'{{"{field}": "{text}"}}'.encode("utf-8", "backslashreplace"),
        )
        assert error["code"] == "request_invalid"
    await leave(api, eve, **{field: "x" * 2000})


async def test_an_app_may_keep_deletion_to_itself(api: Any, eve: Any) -> None:
    app = api.known.app
    await apps.set_policy(api.services.ports, app, replace(app.policy, disabled_features=(Feature.ACCOUNT_DELETION,)))
    error = await api.error("DELETE", "/account", **LIVE, token=eve["token"])
    assert (error["statusCode"], error["code"]) == (403, "feature_disabled")
    assert error["details"] == {"feature": "account_deletion"}
    await api.data("DELETE", "/users/eve", **BACKEND)
