"""What every `RateCounters` does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from heliograph.bus.in_process import InProcessRateCounters
from heliograph.bus.redis import Reach, RedisRateCounters
from heliograph.core.ports import RateCounters
from heliograph.core.rate_limits import Rate

NOW = 1_800_000_000.0
RATE = Rate(per_minute=60, burst=3)


@pytest.fixture(params=["in_process", "redis"])
async def rates(request: pytest.FixtureRequest) -> AsyncIterator[RateCounters]:
    """Counters of every adapter in turn."""
    if request.param == "in_process":
        yield InProcessRateCounters()
        return
    client: Redis = Redis.from_url(request.getfixturevalue("redis_url"), decode_responses=True)
    await client.flushdb()
    yield RedisRateCounters(client, Reach())
    await client.aclose()


async def test_a_burst_is_let_through_and_the_next_call_waits(rates: RateCounters) -> None:
    assert [(await rates.take("key", RATE, NOW)).wait_s for _ in range(4)] == pytest.approx([0.0, 0.0, 0.0, 1.0])


async def test_a_refused_call_takes_nothing(rates: RateCounters) -> None:
    for _ in range(3):
        await rates.take("key", RATE, NOW)
    assert [(await rates.take("key", RATE, NOW + 0.5)).wait_s for _ in range(9)] == pytest.approx([0.5] * 9)
    assert (await rates.take("key", RATE, NOW + 1.0)).wait_s == 0.0
    assert (await rates.take("key", RATE, NOW + 1.0)).wait_s > 0.0


async def test_keys_do_not_share_their_calls(rates: RateCounters) -> None:
    for _ in range(3):
        await rates.take("one", RATE, NOW)
    assert (await rates.take("two", RATE, NOW)).wait_s == 0.0
    assert (await rates.take("one", RATE, NOW)).wait_s > 0.0


async def test_no_more_keys_are_remembered_than_the_bound() -> None:
    rates = InProcessRateCounters(max_keys=100)
    slow = Rate(per_minute=0.001, burst=1)
    for number in range(1000):
        await rates.take(str(number), slow, NOW)
        assert len(rates) <= 100
    assert (await rates.take("999", slow, NOW)).wait_s > 0.0
    assert (await rates.take("900", slow, NOW)).wait_s > 0.0
    assert (await rates.take("0", slow, NOW)).wait_s == 0.0


async def test_a_key_that_keeps_calling_outlives_the_others() -> None:
    rates = InProcessRateCounters(max_keys=100)
    slow = Rate(per_minute=0.001, burst=1)
    await rates.take("busy", slow, NOW)
    for number in range(1000):
        assert (await rates.take("busy", slow, NOW)).wait_s > 0.0
        await rates.take(str(number), slow, NOW)


async def test_idle_keys_are_forgotten_as_calls_come() -> None:
    rates = InProcessRateCounters()
    for number in range(100):
        await rates.take(str(number), RATE, NOW)
    for number in range(60):
        await rates.take("later", RATE, NOW + 3600 + number)
    assert len(rates) == 1
