"""Registration over HTTP, and what the app's backend does to users."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from heliograph.core import apps
from heliograph.core.apps import RegistrationPolicy
from heliograph.core.sessions import EndReason


async def test_a_new_user_gets_everything_needed_to_connect(api: Any) -> None:
    data = await api.register("ada")
    assert data.keys() == {
        "username", "password", "isProfileUpdated", "isSandbox", "userJid",
        "token", "refreshToken", "expiresIn", "sessionId", "isExisting", "config",
    }  # fmt: skip
    assert data["username"] == "ada"
    assert data["userJid"] == "ada@sandbox.chat.example"
    assert (data["isSandbox"], data["isExisting"], data["isProfileUpdated"]) == (True, False, False)
    assert data["expiresIn"] == 3600
    assert data["config"]["websocketUrl"] == "wss://chat.test/xmpp"


async def test_a_further_device_gets_a_session_and_a_password_of_its_own(api: Any, ada: Any) -> None:
    await api.data("PATCH", "/profile", token=ada["token"], json={"nickName": "Ada"})
    second = await api.register("ada")
    assert (second["isExisting"], second["isProfileUpdated"]) == (True, True)
    assert second["password"] != ada["password"]
    assert second["sessionId"] != ada["sessionId"]


@pytest.mark.parametrize("identifier", ["", "Ada", "ada lovelace", "ada@chat", "a" * 192, "ådå", "ada\n"])
async def test_a_bad_identifier_is_refused_with_the_rule(api: Any, identifier: str) -> None:
    error = await api.error("POST", "/register", json={"userIdentifier": identifier})
    assert (error["statusCode"], error["code"]) == (400, "identifier_invalid")
    assert "a-z" in error["message"]


@pytest.mark.parametrize(
    "metadata", [{"a": 1, "b": 2, "c": 3, "d": 4}, {"": 1}, {"a": None}, {"a": [1]}, {"a": {"b": 1}}, {"a": "x" * 257}]
)
async def test_metadata_beyond_its_limits_is_refused(api: Any, metadata: Any) -> None:
    error = await api.error("POST", "/register", json={"userIdentifier": "ada", "registerMetaData": metadata})
    assert (error["statusCode"], error["code"]) == (400, "metadata_invalid")


async def test_metadata_is_stored_with_its_types_and_stays_where_it_is_left_out(api: Any) -> None:
    metadata = {"plan": "1", "vip": True, "age": 36.5}
    await api.register("ada", registerMetaData=metadata)
    await api.register("ada")
    stored = (await api.services.ports.accounts.lookup("ada@sandbox.chat.example")).metadata
    assert stored == metadata
    assert [type(value) for value in stored.values()] == [str, bool, float]


async def test_at_the_cap_force_ends_the_least_recently_active_session(api: Any, clock: Any, engine: Any) -> None:
    first = await api.register("ada")
    for _ in range(4):
        clock.turn(1)
        await api.register("ada")
    clock.turn(1)
    await api.register("ada")
    jid = first["userJid"]
    assert engine.told[-1] == ("disconnect_session", jid, first["sessionId"], EndReason.EVICTED)
    error = await api.error("GET", "/sessions", token=first["token"])
    assert (error["statusCode"], error["code"]) == (401, "token_revoked")


async def test_at_the_cap_without_force_the_answer_is_405_with_the_sessions(api: Any) -> None:
    made = [await api.register("ada", device={"device": f"phone {number}"}) for number in range(5)]
    response = await api.call("POST", "/register", json={"userIdentifier": "ada", "forceRegister": False})
    body = response.json()
    assert (response.status_code, body["code"]) == (405, "session_limit")
    assert response.headers["allow"] == "POST"
    listed = body["details"]["sessions"]
    assert {session["id"] for session in listed} == {data["sessionId"] for data in made}
    assert {session["device"] for session in listed} == {f"phone {number}" for number in range(5)}
    assert all(
        session.keys() == {"id", "device", "browser", "os", "ip", "createdAt", "lastActiveAt", "via", "current"}
        for session in listed
    )


async def test_a_named_session_makes_room(api: Any, engine: Any) -> None:
    made = [await api.register("ada") for _ in range(5)]
    chosen = made[3]["sessionId"]
    await api.register("ada", forceRegister=False, replaceSession=chosen)
    assert engine.told[-1] == ("disconnect_session", made[3]["userJid"], chosen, EndReason.REPLACED)


async def test_replacing_a_session_that_is_not_there_is_404(api: Any, ada: Any) -> None:
    error = await api.error("POST", "/register", json={"userIdentifier": "ada", "replaceSession": "ses_other"})
    assert (error["statusCode"], error["code"]) == (404, "session_not_found")


async def test_many_registrations_at_once_keep_the_cap(api: Any) -> None:
    made = await asyncio.gather(*(api.register("ada") for _ in range(20)))
    alive = [data for data in made if (await api.call("GET", "/profile", token=data["token"])).status_code == 200]
    assert len(alive) == 5


# ------------------------------------------------------------------------------------------------- who registers whom


async def test_a_live_registration_with_the_publishable_key_alone_is_401_unverified(api: Any) -> None:
    response = await api.call("POST", "/register", key="live", json={"userIdentifier": "ada"})
    assert (response.status_code, response.json()["code"]) == (401, "registration_unverified")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_the_secret_key_registers_live_users(api: Any) -> None:
    data = await api.register("ada", key="live secret")
    assert (data["userJid"], data["isSandbox"]) == ("ada@chat.example", False)


async def test_an_identity_assertion_registers_its_own_subject_once(api: Any) -> None:
    assertion = api.assertion("ada")
    assert (await api.register("ada", key="live", token=assertion))["userJid"] == "ada@chat.example"
    for identifier, reason in (("ada", None), ("bob", "subject")):
        error = await api.error("POST", "/register", key="live", token=assertion, json={"userIdentifier": identifier})
        assert (error["statusCode"], error["code"]) == (401, "registration_unverified")
        assert reason is None or error["details"]["reason"] == reason


async def test_an_assertion_may_come_without_the_word_bearer(api: Any) -> None:
    headers = {"Authorization": api.assertion("ada")}
    await api.data("POST", "/register", key="live", headers=headers, json={"userIdentifier": "ada"})


async def test_an_access_token_is_no_assertion_and_does_no_harm(api: Any) -> None:
    ada = await api.register("ada", key="live secret")
    error = await api.error("POST", "/register", key="live", token=ada["token"], json={"userIdentifier": "ada"})
    assert (error["code"], error["details"]) == ("registration_unverified", {"reason": "missing"})
    await apps.set_policy(
        api.services.ports, api.known.app, replace(api.known.app.policy, registration=RegistrationPolicy.OPEN)
    )
    assert (await api.register("ada", key="live", token=ada["token"]))["isExisting"]


async def test_what_is_neither_assertion_nor_access_token_is_refused(api: Any) -> None:
    error = await api.error("POST", "/register", key="live secret", token="x.y.z", json={"userIdentifier": "ada"})
    assert (error["code"], error["details"]) == ("registration_unverified", {"reason": "malformed"})


async def test_the_sandbox_takes_so_many_users(api: Any) -> None:
    policy = replace(api.known.app.policy, sandbox_max_users=1)
    await apps.set_policy(api.services.ports, api.known.app, policy)
    await api.register("ada")
    error = await api.error("POST", "/register", json={"userIdentifier": "bob"})
    assert (error["statusCode"], error["code"]) == (403, "sandbox_full")


async def test_too_many_registrations_from_one_address_are_429_with_retry_after(api: Any) -> None:
    body = {"userIdentifier": "NOT VALID"}  # costs a call, and no work
    statuses = [(await api.call("POST", "/register", json=body)).status_code for _ in range(200)]
    assert set(statuses) == {400}
    response = await api.call("POST", "/register", json=body)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert int(response.headers["retry-after"]) >= 1
    assert (await api.elsewhere("198.51.100.1").error("POST", "/register", json=body))["statusCode"] == 400


# ------------------------------------------------------------------------------------------------------- the backend


async def test_a_blocked_user_is_cut_off_and_can_come_back(api: Any, ada: Any, engine: Any) -> None:
    blocked = await api.data("POST", "/users/ada/block", key="trial secret")
    assert (blocked["userJid"], blocked["isAdminBlocked"]) == (ada["userJid"], True)
    assert engine.told[-1] == ("disconnect_account", ada["userJid"], EndReason.ADMIN_BLOCKED)
    error = await api.error("POST", "/register", json={"userIdentifier": "ada"})
    assert (error["statusCode"], error["code"]) == (403, "admin_blocked")
    credentials = {"username": "ada", "password": ada["password"]}
    assert (await api.error("POST", "/tokens", json=credentials))["code"] == "admin_blocked"
    assert (await api.call("GET", "/profile", token=ada["token"])).status_code == 401

    assert (await api.data("POST", "/users/ada/unblock", key="trial secret"))["isAdminBlocked"] is False
    assert (await api.register("ada"))["isExisting"]


async def test_the_backend_deletes_a_user(api: Any, ada: Any, engine: Any) -> None:
    await api.data("DELETE", "/users/ada", key="trial secret")
    assert ("disconnect_account", ada["userJid"], EndReason.ACCOUNT_DELETED) in engine.told
    assert (await api.error("GET", "/profile", token=ada["token"]))["code"] == "token_revoked"
    assert (await api.register("ada"))["isExisting"] is False


async def test_a_user_deletes_the_own_account(api: Any, ada: Any) -> None:
    await api.data("DELETE", "/account", token=ada["token"])
    assert (await api.error("GET", "/profile", token=ada["token"]))["code"] == "token_revoked"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/users/ada/block"), ("POST", "/users/ada/unblock"), ("DELETE", "/users/ada")]
)
async def test_only_the_secret_key_reaches_other_users(api: Any, ada: Any, method: str, path: str) -> None:
    error = await api.error(method, path, token=ada["token"])
    assert (error["statusCode"], error["code"]) == (403, "secret_key_required")
    error = await api.error(method, path, key="live secret")
    assert (error["statusCode"], error["code"]) == (404, "account_not_found")
