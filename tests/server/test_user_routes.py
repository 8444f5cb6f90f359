"""The users of an app, as its backend sees and changes them."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.sessions import EndReason

BACKEND = {"key": "trial secret"}


async def test_the_backend_sees_a_user(api: Any, ada: Any) -> None:
    found = await api.data("GET", "/users/ada", **BACKEND)
    assert found == {
        "userId": "ada",
        "userJid": "ada@sandbox.chat.example",
        "isAdminBlocked": False,
        "isSandbox": True,
        "isDeleted": False,
        "purgeAt": None,
        "maxSessions": None,
        "metaData": {},
        "createdAt": "2027-01-15T08:00:00.000Z",
        "expiresAt": "2027-02-14T08:00:00.000Z",
    }


@pytest.mark.parametrize("name", ["nobody", "No%20Body", "ada@sandbox.chat.example"])
async def test_of_nobody_there_is_nothing(api: Any, ada: Any, name: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/end-sessions"), ("POST", "/restore")):
        body = {"json": {}} if method == "PATCH" else {}
        assert (await api.error(method, f"/users/{name}{path}", **BACKEND, **body))["code"] == "account_not_found"


async def test_a_users_own_cap_on_sessions_counts_before_the_apps(api: Any, ada: Any) -> None:
    for cap in (1, 1):
        changed = await api.data("PATCH", "/users/ada", **BACKEND, json={"maxSessions": cap})
        assert changed["maxSessions"] == 1
    body = {"userIdentifier": "ada", "forceRegister": False}
    assert (await api.error("POST", "/register", json=body))["code"] == "session_limit"
    newer = await api.register("ada")
    assert newer["config"]["limits"]["maxSessions"] == 1
    assert (await api.error("GET", "/profile", token=ada["token"]))["code"] == "token_revoked"
    changed = await api.data("PATCH", "/users/ada", **BACKEND, json={"maxSessions": None})
    assert changed["maxSessions"] is None
    await api.data("POST", "/register", json=body)


@pytest.mark.parametrize("cap", [0, -1, 101])
async def test_a_cap_out_of_its_bounds_is_refused(api: Any, ada: Any, cap: int) -> None:
    error = await api.error("PATCH", "/users/ada", **BACKEND, json={"maxSessions": cap})
    assert (error["code"], error["details"]) == ("request_invalid", {"field": "maxSessions", "min": 1, "max": 100})


async def test_the_backend_sets_metadata_and_leaves_the_rest(api: Any, ada: Any) -> None:
    await api.data("PATCH", "/users/ada", **BACKEND, json={"maxSessions": 3})
    changed = await api.data("PATCH", "/users/ada", **BACKEND, json={"metaData": {"plan": "pro"}})
    assert (changed["maxSessions"], changed["metaData"]) == (3, {"plan": "pro"})


async def test_signing_a_user_out_everywhere_ends_all_sessions(api: Any, ada: Any, engine: Any) -> None:
    second = await api.register("ada")
    ended = await api.data("POST", "/users/ada/end-sessions", **BACKEND)
    assert ended["sessionIds"] == [ada["sessionId"], second["sessionId"]]
    assert ("disconnect_account", "ada@sandbox.chat.example", EndReason.ENDED_BY_ADMIN) in engine.told
    for session in (ada, second):
        assert (await api.error("GET", "/profile", token=session["token"]))["code"] == "token_revoked"
    assert (await api.data("POST", "/users/ada/end-sessions", **BACKEND))["sessionIds"] == []
    assert (await api.register("ada"))["isExisting"] is True


async def test_the_backend_lists_and_ends_sessions_one_by_one(api: Any, ada: Any, engine: Any) -> None:
    second = await api.register("ada")
    listed = (await api.data("GET", "/users/ada/sessions", **BACKEND))["sessions"]
    assert [(each["id"], each["current"]) for each in listed] == [
        (ada["sessionId"], False),
        (second["sessionId"], False),
    ]
    path = f"/users/ada/sessions/{ada['sessionId']}"
    await api.data("DELETE", path, **BACKEND)
    assert engine.told[-1][1:] == ("ada@sandbox.chat.example", ada["sessionId"], EndReason.ENDED_BY_ADMIN)
    assert (await api.error("DELETE", path, **BACKEND))["code"] == "session_not_found"
    await api.data("GET", "/profile", token=second["token"])
