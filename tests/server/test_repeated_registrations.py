"""A registration whose answer was lost is repeated by its `Idempotency-Key`, and makes no second session."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.core.sessions import EndReason

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
BODY = {"userIdentifier": "ada", "registerMetaData": {"plan": "pro"}}


async def register(api: Any, body: Any = BODY, **rest: Any) -> Any:
    return await api.data("POST", "/register", json=body, headers=KEY, **rest)


async def test_a_repeat_gives_the_same_session_new_credentials_and_voids_the_old_ones(api: Any, engine: Any) -> None:
    lost = await register(api)
    again = await register(api)
    assert again["sessionId"] == lost["sessionId"]
    assert (lost["isExisting"], again["isExisting"]) == (False, False)
    assert again["password"] != lost["password"]
    assert engine.told[-1] == ("disconnect_session", again["userJid"], again["sessionId"], EndReason.REPLACED)
    assert (await api.error("GET", "/profile", token=lost["token"]))["code"] == "token_revoked"
    credentials = {"username": "ada", "password": lost["password"]}
    assert (await api.error("POST", "/tokens", json=credentials))["code"] == "authentication_failed"
    assert len((await api.data("GET", "/sessions", token=again["token"]))["sessions"]) == 1
    await api.data("POST", "/tokens", json={**credentials, "password": again["password"]})


async def test_repeats_at_the_same_time_make_one_session(api: Any) -> None:
    answers = await asyncio.gather(*(register(api) for _ in range(10)))
    assert len({each["sessionId"] for each in answers}) == 1
    found = await api.data("GET", "/users/ada/sessions", key="trial secret")
    assert len(found["sessions"]) == 1


async def test_another_request_under_the_key_is_refused(api: Any) -> None:
    await register(api)
    error = await api.error("POST", "/register", json={**BODY, "forceRegister": False}, headers=KEY)
    assert (error["statusCode"], error["code"]) == (409, "idempotency_mismatch")
    assert (await register(api, {"userIdentifier": "bob"}))["isExisting"] is False


async def test_without_a_key_and_under_another_one_a_session_is_new(api: Any) -> None:
    sessions = {(await register(api))["sessionId"]}
    sessions.add((await api.data("POST", "/register", json=BODY))["sessionId"])
    sessions.add((await api.data("POST", "/register", json=BODY, headers={"Idempotency-Key": "b"}))["sessionId"])
    assert len(sessions) == 3


async def test_a_session_that_has_ended_does_not_come_back(api: Any) -> None:
    made = await register(api)
    await api.data("DELETE", "/sessions/current", token=made["token"])
    error = await api.error("POST", "/register", json=BODY, headers=KEY)
    assert (error["statusCode"], error["code"]) == (409, "already_used")


async def test_a_used_assertion_is_no_proof_for_a_repeat(api: Any) -> None:
    await register(api, key="live", token=api.assertion("ada"))
    used = await api.call("POST", "/register", key="live", token=api.assertion("ada"), json=BODY, headers=KEY)
    assert used.json()["details"] == {"reason": "used"}
    fresh = api.assertion("ada", jti="another")
    assert (await register(api, key="live", token=fresh))["sessionId"]


@pytest.mark.parametrize("key", ["", "x" * 129, "with blank", "ümlaut"])
async def test_a_key_has_its_bounds(api: Any, key: str) -> None:
    headers = {"Idempotency-Key": key.encode()}
    error = await api.error("POST", "/register", json=BODY, headers=headers)
    assert (error["code"], error["details"]) == ("request_invalid", {"field": "Idempotency-Key"})


# ------------------------------------------------------------------------------------------------------------- in bulk


async def bulk(api: Any, users: list[Any], key: str = "live secret", **rest: Any) -> Any:
    return await api.data("POST", "/users/bulk", key=key, json={"users": users}, **rest)


async def test_a_thousand_users_are_registered_in_one_call(api: Any) -> None:
    users = [{"userIdentifier": f"user-{number}"} for number in range(1000)]
    answer = await bulk(api, users)
    assert (answer["registered"], answer["existing"], answer["failed"]) == (1000, 0, 0)
    assert [each["userIdentifier"] for each in answer["results"]] == [each["userIdentifier"] for each in users]
    last = answer["results"][-1]["data"]
    await api.data("GET", "/profile", key="live", token=last["token"])
    assert len({each["data"]["password"] for each in answer["results"]}) == 1000
    assert "config" not in last


async def test_each_user_has_an_outcome_of_its_own(api: Any) -> None:
    await api.register("ada", key="live secret")
    await api.register("eve", key="live secret")
    await api.data("POST", "/users/eve/block", key="live secret")
    names = ["ada", "No One", "bob", "eve", "bob"]
    answer = await bulk(api, [{"userIdentifier": name} for name in names])
    assert [each["status"] for each in answer["results"]] == ["existing", "failed", "registered", "failed", "failed"]
    codes = [each["error"]["code"] for each in answer["results"] if each["status"] == "failed"]
    assert codes == ["identifier_invalid", "admin_blocked", "request_invalid"]
    assert (answer["registered"], answer["existing"], answer["failed"]) == (1, 1, 3)


async def test_a_repeated_call_registers_nobody_twice(api: Any) -> None:
    users = [{"userIdentifier": f"user-{number}"} for number in range(5)]
    first = await bulk(api, users[:3], headers=KEY)
    again = await bulk(api, users, headers=KEY)
    assert again["registered"] == 5
    sessions = [[each["data"]["sessionId"] for each in answer["results"]] for answer in (first, again)]
    assert sessions[1][:3] == sessions[0]
    await api.data("GET", "/profile", key="live", token=again["results"][0]["data"]["token"])


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_call_without_users_or_with_too_many_is_refused(api: Any, count: int) -> None:
    users = [{"userIdentifier": "ada"}] * count
    error = await api.error("POST", "/users/bulk", key="live secret", json={"users": users})
    assert (error["code"], error["details"]) == ("request_invalid", {"field": "users", "min": 1, "max": 1000})


async def test_only_the_backend_registers_in_bulk(api: Any) -> None:
    error = await api.error("POST", "/users/bulk", key="trial", json={"users": [{"userIdentifier": "ada"}]})
    assert error["code"] == "secret_key_required"
