"""Redis goes away and comes back: nodes go on alone, and together again, without a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from heliograph.bus import Shared, redis
from heliograph.core.rate_limits import Rate
from patience import PATIENCE_S
from redis_server import RedisServer

NOW = 1_800_000_000.0
SLOW = Rate(per_minute=0.001, burst=2)


@pytest.fixture
async def nodes(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Shared]]:
    """What two nodes share."""
    monkeypatch.setattr(redis, "RETRY_S", 0.05)
    async with redis.connect(own_redis.url) as one, redis.connect(own_redis.url) as other:
        await heard_over(one, other)
        yield [one, other]


async def heard_over(one: Shared, other: Shared) -> None:
    """Until a word of one node is heard on the other."""
    heard = asyncio.Event()
    end = other.bus.listen("hello", heard.set)
    async with asyncio.timeout(PATIENCE_S):
        while not heard.is_set():
            one.bus.publish("hello")
            await asyncio.sleep(0.02)
    end()


async def test_a_word_reaches_the_other_node_and_ones_own_listeners_once(nodes: list[Shared]) -> None:
    one, other = nodes
    here: list[str] = []
    there = asyncio.Event()
    one.bus.listen("link", lambda: here.append("word"))
    other.bus.listen("link", there.set)
    one.bus.publish("link")
    async with asyncio.timeout(PATIENCE_S):
        await there.wait()
    await heard_over(other, one)  # what one said came back to it before this
    assert here == ["word"]


async def test_nodes_count_together(nodes: list[Shared]) -> None:
    one, other = nodes
    waits = [(await node.rates.take("address", SLOW, NOW)).wait_s > 0 for node in (one, other, one, other)]
    assert waits == [False, False, True, True]


async def test_without_redis_each_node_goes_on_alone_and_with_it_together_again(
    nodes: list[Shared], own_redis: RedisServer
) -> None:
    one, other = nodes
    own_redis.kill()
    heard: list[str] = []
    one.bus.listen("link", lambda: heard.append("word"))
    one.bus.publish("link")
    assert heard == ["word"]  # at once, here
    for node in (one, other):
        waits = [(await node.rates.take("address", SLOW, NOW)).wait_s > 0 for _ in range(3)]
        assert waits == [False, False, True]
    own_redis.start()
    await heard_over(one, other)
    await heard_over(other, one)
    async with asyncio.timeout(PATIENCE_S):
        number = 0
        while True:  # a fresh key each time: they count together again once both nodes have found Redis
            key, number = f"again {number}", number + 1
            if [(await node.rates.take(key, SLOW, NOW)).wait_s > 0 for node in (one, other, one)] == [
                False,
                False,
                True,
            ]:
                break
            await asyncio.sleep(0.02)


async def test_many_words_without_redis_are_bounded(nodes: list[Shared], own_redis: RedisServer) -> None:
    own_redis.kill()
    for number in range(5 * redis.OUTGOING_MAX):
        nodes[0].bus.publish(str(number))
    assert len(nodes[0].bus._outgoing) <= redis.OUTGOING_MAX
