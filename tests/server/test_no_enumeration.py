"""Nobody learns from a sign-in who is registered: neither by what is answered nor by how long it takes."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median
from typing import Any

from heliograph.bus.in_process import InProcessRateCounters
from heliograph.core.rate_limits import Rate

ROUNDS = 150


class _Generous(InProcessRateCounters):
    """Counts, and lets everything through."""

    async def take(self, key: str, rate: Rate, now: float) -> Any:
        return await super().take(key, Rate(1e9, 1_000_000), now)


def _told(response: Any) -> tuple[Any, ...]:
    varying = {"x-request-id"}
    return response.status_code, response.json(), {k: v for k, v in response.headers.items() if k not in varying}


async def test_an_unknown_user_is_answered_as_a_wrong_password_is(api: Any, ada: Any) -> None:
    guesses = [{"username": name, "password": "wrong"} for name in ("ada", "nobody", "No One", "x" * 500)]
    places = [f"192.0.2.{number}" for number in range(len(guesses))]
    answers = [
        _told(await api.elsewhere(place).call("POST", "/tokens", json=guess))
        for place, guess in zip(places, guesses, strict=True)
    ]
    assert answers == [answers[0]] * 4


async def test_an_unknown_user_takes_as_long_as_a_wrong_password(api: Any, ada: Any) -> None:
    generous = api.with_services(ports=replace(api.services.ports, rates=_Generous()))
    took: dict[str, list[float]] = {"ada": [], "nobody": []}
    for _ in range(ROUNDS):
        for name, times in took.items():
            began = time.process_time()  # what other programs do to the clock says nothing
            await generous.call("POST", "/tokens", json={"username": name, "password": "wrong"})
            times.append(time.process_time() - began)
    known, unknown = median(took["ada"]), median(took["nobody"])
    assert 0.6 < known / unknown < 1.6
