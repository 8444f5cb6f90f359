"""Every answer tells what is left of the caller's rate limits, and a refusal when to come back."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core import rate_limits
from heliograph.core.rate_limits import Rate

NAMES = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


def told(response: Any) -> list[int]:
    return [int(response.headers[name]) for name in NAMES]


async def test_an_answer_tells_of_the_tightest_limit_that_the_call_drew_on(api: Any, ada: Any) -> None:
    limit, remaining, reset = told(await api.call("GET", "/profile", token=ada["token"]))
    assert (limit, remaining) == (rate_limits.CALLS_PER_ACCOUNT.burst, limit - 1)
    assert reset >= 1
    again = told(await api.call("GET", "/profile", token=ada["token"]))
    assert again[1] == remaining - 1


async def test_a_refusal_for_another_reason_tells_it_too(api: Any) -> None:
    response = await api.call("POST", "/register", json={"userIdentifier": "No One"})
    assert response.status_code == 400
    assert told(response)[:2] == [rate_limits.REGISTER_PER_ADDRESS.burst, rate_limits.REGISTER_PER_ADDRESS.burst - 1]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("CALLS_PER_ADDRESS", {"key": "trial"}),
        ("CALLS_PER_APP", {"key": "trial"}),
        ("CALLS_PER_KEY", {"key": "trial secret"}),
        ("CALLS_PER_ACCOUNT", {"key": "trial"}),
        ("WRONG_KEYS_PER_ADDRESS", {"key": "nonsense"}),
    ],
)
async def test_beyond_a_limit_a_call_is_refused_until_there_is_room(
    api: Any, ada: Any, clock: Any, monkeypatch: pytest.MonkeyPatch, name: str, shown: dict[str, str]
) -> None:
    clock.turn(1)  # what was counted at the other rate is over
    monkeypatch.setattr(rate_limits, name, Rate(per_minute=6, burst=2))
    call = {"token": ada["token"], **shown}
    path = "/users/ada" if "secret" in shown["key"] else "/profile"
    statuses = [(await api.call("GET", path, **call)).status_code for _ in range(2)]
    assert 429 not in statuses
    refused = await api.call("GET", path, **call)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert told(refused)[:2] == [2, 0]
    assert refused.headers["retry-after"] == refused.headers["ratelimit-reset"] == "10"
    clock.turn(10)
    assert (await api.call("GET", path, **call)).status_code == statuses[0]


async def test_a_backend_is_not_limited_by_its_address(api: Any, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "CALLS_PER_ADDRESS", Rate(per_minute=1, burst=1))
    for _ in range(5):
        await api.data("GET", "/users/ada", key="trial secret")


async def test_pages_of_other_origins_may_read_the_headers(api: Any) -> None:
    response = await api.call("GET", "/config", headers={"Origin": "https://app.example"})
    exposed = {name.strip().lower() for name in response.headers["access-control-expose-headers"].split(",")}
    assert {*NAMES, "retry-after"} <= exposed
