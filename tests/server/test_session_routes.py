"""Device sessions over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.sessions import EndReason


@pytest.fixture
async def phone(api: Any) -> Any:
    return await api.register("ada", device={"device": "Pixel 9", "os": "Android 16"})


@pytest.fixture
async def laptop(api: Any, phone: Any) -> Any:
    return await api.register("ada", device={"browser": "Firefox 140", "os": "Debian"})


async def test_sessions_are_listed_with_device_address_and_times(api: Any, phone: Any, laptop: Any) -> None:
    sessions = (await api.data("GET", "/sessions", token=laptop["token"]))["sessions"]
    by_id = {session["id"]: session for session in sessions}
    assert by_id[phone["sessionId"]] == {
        "id": phone["sessionId"],
        "device": "Pixel 9",
        "browser": "",
        "os": "Android 16",
        "ip": "203.0.113.7",
        "createdAt": "2027-01-15T08:00:00.000Z",
        "lastActiveAt": "2027-01-15T08:00:00.000Z",
        "via": "register",
        "current": False,
    }
    assert by_id[laptop["sessionId"]]["current"] is True


async def test_ending_one_session_leaves_the_others(api: Any, phone: Any, laptop: Any, engine: Any) -> None:
    assert await api.data("DELETE", f"/sessions/{phone['sessionId']}", token=laptop["token"]) is None
    assert engine.told[-1] == (
        "disconnect_session", phone["userJid"], phone["sessionId"], EndReason.ENDED_BY_USER,
    )  # fmt: skip
    assert (await api.error("GET", "/sessions", token=phone["token"]))["code"] == "token_revoked"
    assert len((await api.data("GET", "/sessions", token=laptop["token"]))["sessions"]) == 1


@pytest.mark.parametrize("own_id", ["current", "by its id"])
async def test_a_session_logs_itself_out(api: Any, phone: Any, laptop: Any, engine: Any, own_id: str) -> None:
    name = phone["sessionId"] if own_id == "by its id" else "current"
    await api.data("DELETE", f"/sessions/{name}", token=phone["token"])
    assert engine.told[-1] == ("disconnect_session", phone["userJid"], phone["sessionId"], EndReason.LOGOUT)
    assert (await api.error("GET", "/sessions", token=phone["token"]))["code"] == "token_revoked"
    await api.data("GET", "/sessions", token=laptop["token"])


async def test_all_other_sessions_end_at_once(api: Any, phone: Any, laptop: Any) -> None:
    ended = await api.data("POST", "/sessions/end-others", token=laptop["token"], json={})
    assert ended == {"sessionIds": [phone["sessionId"]]}
    assert await api.data("POST", "/sessions/end-others", token=laptop["token"], json={}) == {"sessionIds": []}


async def test_only_web_sessions_end_where_that_is_asked(api: Any, phone: Any, laptop: Any) -> None:
    tablet = await api.register("ada", device={"device": "iPad"})
    ended = await api.data("POST", "/sessions/end-others", token=tablet["token"], json={"onlyWeb": True})
    assert ended == {"sessionIds": [laptop["sessionId"]]}


async def test_nobody_ends_a_session_of_another_user(api: Any, phone: Any, bob: Any) -> None:
    error = await api.error("DELETE", f"/sessions/{bob['sessionId']}", token=phone["token"])
    assert (error["statusCode"], error["code"]) == (404, "session_not_found")
    await api.data("GET", "/sessions", token=bob["token"])
