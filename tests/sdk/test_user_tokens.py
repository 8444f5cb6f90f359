"""Tokens: what the app sets, and how the next ones come to be."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import httpx
import pytest

from heliograph import TokenUpdate
from heliograph.core.apps import Environment, KeyKind, NewApp
from heliograph.errors import (
    AuthenticationFailed,
    HeliographError,
    RequestInvalid,
    TokenExpired,
    TokenMalformed,
    TokenMissing,
    TokenRevoked,
    TokenSubjectMismatch,
    Unreachable,
)
from patience import PATIENCE_S

HOUR_S = 3600


def unsigned(**claims: Any) -> str:
    """A JWT that only the SDK would look at."""

    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'ES256'})}.{part(claims)}.c2lnbmF0dXJl"


@pytest.fixture
async def sdk(new_sdk: Any) -> Any:
    """Ada's, registered."""
    sdk = await new_sdk()
    await sdk.register("ada")
    return sdk


# --------------------------------------------------------------------------------------------------------- the app's


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("nonsense", TokenMalformed),
        ("hgt_short", TokenMalformed),
        ("hgr_" + "A" * 43, TokenMalformed),
        ("a.b.c", TokenMalformed),
        (unsigned(exp=time.time() + 3600), TokenMalformed),
        (unsigned(sub=7), TokenMalformed),
        (unsigned(sub="ada", exp=time.time() - 1), TokenExpired),
        (unsigned(sub="bob", exp=time.time() + 3600), TokenSubjectMismatch),
        (unsigned(sub="bob"), TokenSubjectMismatch),
    ],
)
async def test_a_token_that_cannot_be_is_refused_and_the_old_one_stays(
    sdk: Any, wire: Any, token: str, error: type[HeliographError]
) -> None:
    sent = len(wire.requests)
    with pytest.raises(error):
        await sdk.set_user_token(token)
    assert len(wire.requests) == sent, "it is a local matter"
    assert len((await sdk.get_sessions()).data.sessions) == 1


async def test_a_token_that_can_be_is_set_locally(sdk: Any, new_sdk: Any, wire: Any) -> None:
    other = await new_sdk()
    token = (await other.register("bob")).data.token
    sent = len(wire.requests)
    response = await sdk.set_user_token(token)
    assert response.to_dict() == {"statusCode": 200, "message": "Success"}
    assert len(wire.requests) == sent
    await sdk.set_user_profile("Set with Bob's token")
    assert (await other.get_user_profile("bob")).data.nick_name == "Set with Bob's token"


async def test_an_assertion_before_anyone_is_signed_in_may_be_of_anyone(new_sdk: Any) -> None:
    await (await new_sdk()).set_user_token(unsigned(sub="whoever"))


async def test_the_empty_token_clears_all(sdk: Any) -> None:
    assert (await sdk.set_user_token("")).status_code == 200
    with pytest.raises(TokenMissing):
        await sdk.get_sessions()


async def test_an_assertion_leaves_the_access_token(sdk: Any) -> None:
    await sdk.set_user_token(unsigned(sub="ada", exp=time.time() + 3600))
    assert (await sdk.get_sessions()).status_code == 200


async def test_get_user_token_gives_tokens_for_credentials(new_sdk: Any) -> None:
    sdk = await new_sdk()
    password = (await sdk.register("ada")).data.password
    fresh = (await (await new_sdk()).get_user_token("ada", password)).data
    assert fresh.expires_in == HOUR_S
    with pytest.raises(AuthenticationFailed):
        await sdk.get_user_token("ada", "wrong")
    elsewhere = await new_sdk()
    await elsewhere.set_user_token(fresh.token)
    assert (await elsewhere.get_sessions()).data.sessions[0].current


# ---------------------------------------------------------------------------------------------------------- renewal


async def test_an_expired_token_is_renewed_once_for_all_calls(sdk: Any, wire: Any, clock: Any) -> None:
    events = sdk.events()
    clock.time += HOUR_S
    wire.requests.clear()
    responses = await asyncio.gather(*(sdk.get_sessions() for _ in range(20)), sdk.get_friends_list())
    assert {response.status_code for response in responses} == {200}
    assert wire.paths().count("POST /tokens/refresh") == 1
    assert wire.paths().count("POST /tokens") == 0
    update = await anext(events)
    assert isinstance(update, TokenUpdate)
    assert wire.requests[-1].headers["Authorization"] == f"Bearer {update.token}"


async def test_each_refresh_token_is_used_once(sdk: Any, wire: Any, clock: Any) -> None:
    for _ in range(3):
        clock.time += HOUR_S
        await sdk.get_sessions()
    used = [json.loads(request.content)["refreshToken"] for request in wire.requests if "refresh" in request.url.path]
    assert len(set(used)) == 3


def hold_renewals(wire: Any) -> tuple[asyncio.Event, asyncio.Event]:
    """Holds renewals on their way: one has arrived, and they may go on."""
    arrived, released = asyncio.Event(), asyncio.Event()

    async def hold(request: httpx.Request) -> None:
        if "refresh" in request.url.path:
            arrived.set()
            await released.wait()

    wire.intercept = hold
    return arrived, released


async def test_a_call_that_is_cancelled_does_not_lose_the_next_refresh_token(sdk: Any, wire: Any, clock: Any) -> None:
    clock.time += HOUR_S
    arrived, released = hold_renewals(wire)
    call = asyncio.ensure_future(sdk.get_sessions())
    await arrived.wait()
    call.cancel()
    await asyncio.wait((call,))
    assert call.cancelled()
    waiting = asyncio.ensure_future(sdk.get_sessions())
    released.set()
    assert (await waiting).status_code == 200
    assert wire.paths().count("POST /tokens/refresh") == 1


def losing(wire: Any, answers: int) -> Any:
    """Lets the answers to so many renewals get lost."""
    left = [answers]

    async def lose(request: httpx.Request) -> None:
        if "refresh" in request.url.path and left[0]:
            left[0] -= 1
            await wire._app.handle_async_request(request)
            raise httpx.ReadError("the answer is gone")

    return lose


async def test_a_renewal_whose_answer_was_lost_is_made_good_by_the_same_token(sdk: Any, wire: Any, clock: Any) -> None:
    clock.time += HOUR_S
    wire.requests.clear()
    wire.intercept = losing(wire, 1)
    assert (await sdk.get_sessions()).status_code == 200
    assert wire.paths()[-1] == "GET /sessions"
    assert wire.paths().count("POST /tokens/refresh") == 2
    assert "POST /tokens" not in wire.paths()


async def test_a_renewal_whose_answer_was_lost_twice_is_not_tried_a_third_time(sdk: Any, wire: Any, clock: Any) -> None:
    clock.time += HOUR_S
    wire.intercept = losing(wire, 2)
    with pytest.raises(Unreachable):
        await sdk.get_sessions()
    assert (await sdk.get_sessions()).status_code == 200, "the password got new tokens"


async def test_a_token_that_expires_again_at_once_is_an_error(sdk: Any, wire: Any) -> None:
    body = {"statusCode": 401, "message": "Token Expired", "code": "token_expired"}

    async def expire(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(401, json=body) if request.method == "GET" else None

    wire.intercept = expire
    wire.requests.clear()
    with pytest.raises(TokenExpired) as caught:
        await sdk.get_sessions()
    assert caught.value.message == "Token Expired"
    assert wire.paths() == ["GET /sessions", "POST /tokens/refresh", "GET /sessions"]


async def test_a_token_alone_cannot_be_renewed(sdk: Any, new_sdk: Any, clock: Any) -> None:
    elsewhere = await new_sdk()
    await elsewhere.set_user_token((await sdk.register("ada")).data.token)
    clock.time += HOUR_S
    with pytest.raises(TokenExpired):
        await elsewhere.get_sessions()


async def test_a_refresh_token_that_is_too_old_gives_way_to_the_password(
    new_sdk: Any, known: NewApp, wire: Any, clock: Any
) -> None:
    sdk = await new_sdk(known.keys[KeyKind.SECRET, Environment.LIVE])
    await sdk.register("ada")
    clock.time += 91 * 86400
    wire.requests.clear()
    assert (await sdk.get_sessions()).status_code == 200
    assert wire.paths() == ["GET /sessions", "POST /tokens/refresh", "POST /tokens", "GET /sessions"]


async def test_a_session_that_was_ended_elsewhere_is_not_renewed(sdk: Any, new_sdk: Any, wire: Any) -> None:
    other = await new_sdk()
    await other.register("ada")
    await other.logout_other_sessions()
    wire.requests.clear()
    with pytest.raises(TokenRevoked):
        await sdk.get_sessions()
    assert wire.paths() == ["GET /sessions"]


async def test_a_renewal_does_not_undo_what_the_app_sets_meanwhile(sdk: Any, wire: Any, clock: Any) -> None:
    clock.time += HOUR_S
    arrived, released = hold_renewals(wire)
    call = asyncio.ensure_future(sdk.get_sessions())
    await arrived.wait()
    await sdk.set_user_token("")
    released.set()
    with pytest.raises(TokenMissing):
        await call
    with pytest.raises(TokenMissing):
        await sdk.get_sessions()


async def test_the_token_listener_gets_the_new_tokens(new_sdk: Any, clock: Any) -> None:
    heard: asyncio.Queue[TokenUpdate] = asyncio.Queue()
    sdk = await new_sdk(token_listener=heard.put)
    first = (await sdk.register("ada")).data
    clock.time += HOUR_S
    await sdk.get_sessions()
    update = await asyncio.wait_for(heard.get(), PATIENCE_S)
    assert (update.expires_in, update.token == first.token) == (HOUR_S, False)


async def test_a_name_with_a_slash_stays_in_its_segment(sdk: Any, wire: Any) -> None:
    with pytest.raises(HeliographError):
        await sdk.get_user_profile("a/../profile")
    with pytest.raises(RequestInvalid):
        await sdk.get_user_profile("..")
    assert wire.requests[-1].url.raw_path == b"/api/v1/profiles/a%2F..%2Fprofile"
