"""Tokens over HTTP: issue, use, refresh, expiry."""

from __future__ import annotations

from typing import Any

import pytest


async def test_the_credentials_of_a_session_give_new_tokens(api: Any, ada: Any) -> None:
    credentials = {"username": "ada", "password": ada["password"]}
    tokens = await api.data("POST", "/tokens", json=credentials)
    assert tokens.keys() == {"token", "refreshToken", "expiresIn"}
    assert (await api.data("GET", "/sessions", token=tokens["token"]))["sessions"][0]["id"] == ada["sessionId"]


@pytest.mark.parametrize(
    ("username", "password"), [("ada", "wrong"), ("ada", ""), ("nobody", "wrong"), ("ADA", "wrong"), ("", "")]
)
async def test_wrong_credentials_are_401(api: Any, ada: Any, username: str, password: str) -> None:
    error = await api.error("POST", "/tokens", json={"username": username, "password": password})
    assert (error["statusCode"], error["code"]) == (401, "authentication_failed")


async def test_guessing_passwords_is_slowed_down_without_locking_the_user_out(api: Any, ada: Any) -> None:
    guess = {"username": "ada", "password": "wrong"}
    answers = [await api.call("POST", "/tokens", json=guess) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    await api.data("POST", "/tokens", json={"username": "ada", "password": ada["password"]})


async def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(api: Any, ada: Any, clock: Any) -> None:
    body = {"refreshToken": ada["refreshToken"]}
    tokens = await api.data("POST", "/tokens/refresh", json=body)
    await api.data("GET", "/profile", token=tokens["token"])
    clock.turn(61)
    error = await api.error("POST", "/tokens/refresh", json=body)
    assert (error["statusCode"], error["code"]) == (401, "token_revoked")
    assert error["details"] == {"reason": "token_reused"}
    assert (await api.error("GET", "/profile", token=tokens["token"]))["code"] == "token_revoked"


async def test_a_lost_reply_to_a_refresh_can_be_asked_for_once_more(api: Any, ada: Any) -> None:
    body = {"refreshToken": ada["refreshToken"]}
    await api.data("POST", "/tokens/refresh", json=body)
    tokens = await api.data("POST", "/tokens/refresh", json=body)
    await api.data("GET", "/profile", token=tokens["token"])
    assert (await api.error("POST", "/tokens/refresh", json=body))["details"] == {"reason": "token_reused"}


@pytest.mark.parametrize("kind", ["token", "refreshToken"])
async def test_revoking_a_token_ends_its_session_and_is_never_an_error(api: Any, ada: Any, kind: str) -> None:
    for token in (ada[kind], ada[kind], "nonsense", "hgt_" + "A" * 43):
        assert await api.data("POST", "/tokens/revoke", json={"token": token}) is None
    assert (await api.error("GET", "/profile", token=ada["token"]))["code"] == "token_revoked"
    assert (await api.error("POST", "/tokens/refresh", json={"refreshToken": ada["refreshToken"]}))["code"] == (
        "token_revoked"
    )


async def test_an_expired_access_token_is_401_and_can_be_refreshed(api: Any, ada: Any, clock: Any) -> None:
    clock.turn(3601)
    error = await api.error("GET", "/profile", token=ada["token"])
    assert error == {"statusCode": 401, "message": "Token Expired", "code": "token_expired"}
    tokens = await api.data("POST", "/tokens/refresh", json={"refreshToken": ada["refreshToken"]})
    await api.data("GET", "/profile", token=tokens["token"])


async def test_a_call_that_needs_a_token_says_what_is_wrong_with_it(api: Any, ada: Any) -> None:
    cases = {
        None: "token_missing",
        "": "token_missing",
        "nonsense": "token_malformed",
        ada["refreshToken"]: "token_malformed",
        "hgt_" + "A" * 43: "token_revoked",
    }
    for token, code in cases.items():
        response = await api.call("GET", "/profile", token=token)
        assert (response.status_code, response.json()["code"]) == (401, code)
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_token_is_taken_bare_and_under_any_spelling_of_bearer(api: Any, ada: Any) -> None:
    for value in (ada["token"], f"bearer {ada['token']}", f"BEARER  {ada['token']} "):
        await api.data("GET", "/profile", headers={"Authorization": value})
    error = await api.error("GET", "/profile", headers={"Authorization": f"Basic {ada['token']}"})
    assert error["code"] == "token_malformed"


async def test_a_token_of_the_sandbox_is_none_under_the_live_key(api: Any, ada: Any) -> None:
    assert (await api.error("GET", "/profile", key="live", token=ada["token"]))["code"] == "token_revoked"


async def test_too_many_token_calls_are_429(api: Any) -> None:
    body = {"refreshToken": "nonsense"}
    answers = [await api.call("POST", "/tokens/refresh", json=body) for _ in range(601)]
    assert [answer.status_code for answer in answers] == [401] * 600 + [429]
    assert "retry-after" in answers[-1].headers
