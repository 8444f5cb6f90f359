"""When a contact was last there, over HTTP."""

from __future__ import annotations

from typing import Any


async def test_a_contact_sees_when_the_user_was_last_there(
    api: Any, ada: Any, bob: Any, engine: Any, clock: Any
) -> None:
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    clock.turn(90)
    for name in ("bob", bob["userJid"]):
        assert await api.data("GET", f"/last-seen/{name}", token=ada["token"]) == {
            "userId": "bob",
            "userJid": bob["userJid"],
            "isOnline": False,
            "lastSeenAt": "2027-01-15T08:00:00Z",
            "seconds": 90,
        }
    engine.connected[bob["userJid"]] = [f"{bob['userJid']}/phone"]
    seen = await api.data("GET", "/last-seen/bob", token=ada["token"])
    assert (seen["isOnline"], seen["seconds"], seen["lastSeenAt"]) == (True, 0, "2027-01-15T08:01:30Z")


async def test_nobody_else_sees_it(api: Any, ada: Any, bob: Any) -> None:
    error = await api.error("GET", "/last-seen/bob", token=ada["token"])
    assert (error["statusCode"], error["code"]) == (403, "last_seen_hidden")
    for name in ("nobody", "bob@elsewhere.example"):
        assert (await api.error("GET", f"/last-seen/{name}", token=ada["token"]))["code"] == "account_not_found"


async def test_blocking_hides_it(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    await api.data("PUT", "/blocked/bob", token=ada["token"])
    for user, other in ((ada, "bob"), (bob, "ada")):
        assert (await api.error("GET", f"/last-seen/{other}", token=user["token"]))["code"] == "account_not_found"


async def test_the_end_of_all_sessions_does_not_forget_it(api: Any, ada: Any, bob: Any) -> None:
    await api.data("PUT", "/contacts/bob", token=ada["token"])
    await api.data("DELETE", f"/sessions/{bob['sessionId']}", token=bob["token"])
    assert (await api.data("GET", "/last-seen/bob", token=ada["token"]))["seconds"] == 0
