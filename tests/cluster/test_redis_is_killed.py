"""Redis is killed while two nodes over one PostgreSQL are under load: nothing fails, words and counters go on within
each node, and are shared again once it is back. No node is restarted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx
import pytest

from heliograph.core.apps import Environment, KeyKind
from patience import PATIENCE_S
from places import Place
from qr_between_nodes import linked
from redis_server import RedisServer

log = logging.getLogger(__name__)


@pytest.fixture
def redis_url(own_redis: RedisServer) -> str:
    """For `join_in`: the nodes share this one."""
    return own_redis.url


@dataclass
class Load:
    """Clients that register, read and write without a pause, and what they saw."""

    seen: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    async def client(self, place: Place, name: str) -> None:
        """One of them, at one node, until it is cancelled."""
        for number in count():
            account = await place.register(name)
            own = {"Heliograph-Key": place.key(Environment.SANDBOX), "Authorization": f"Bearer {account.token}"}
            await self._ask(place, "GET", own, None)
            await self._ask(place, "PATCH", own, {"status": f"seen {number}"})

    async def _ask(self, place: Place, method: str, headers: dict[str, str], body: dict[str, str] | None) -> None:
        began = time.monotonic()
        try:
            answer = await place.http.request(method, "/api/v1/profile", json=body, headers=headers)
        except httpx.TransportError as error:
            self.failed.append(f"{method}: {type(error).__name__}")
            return
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        if answer.status_code != 200:
            self.failed.append(f"{method}: {answer.status_code} {answer.text[:200]}")
        self.seen[str(place.http.base_url)] += 1

    async def goes_on(self) -> None:
        """Wait until both nodes have answered more calls."""
        before = self.seen.copy()
        async with asyncio.timeout(PATIENCE_S):
            while len(self.seen) < 2 or any(self.seen[each] < before[each] + 10 for each in self.seen):  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # nobody tells


@asynccontextmanager
async def under_load(nodes: list[Place]) -> AsyncIterator[Load]:
    """Two clients at each node; no call of theirs may fail."""
    load = Load()
    clients = [asyncio.create_task(load.client(each, f"load-{n}-{m}")) for n, each in enumerate(nodes) for m in (1, 2)]
    try:
        yield load
        assert [each.exception() for each in clients if each.done()] == []
    finally:
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    assert load.failed == []


async def count_together(nodes: list[Place], user: str) -> bool:
    """Whether a user for whom one node takes no more passwords finds it so at the other."""
    await nodes[0].register(user)

    async def try_wrong(place: Place) -> int:
        headers = {"Heliograph-Key": place.key(Environment.SANDBOX, KeyKind.PUBLISHABLE)}
        body = {"username": user, "password": "wrong"}
        return (await place.http.post("/api/v1/tokens", json=body, headers=headers)).status_code

    while await try_wrong(nodes[0]) == 401:
        pass
    assert await try_wrong(nodes[0]) == 429
    return await try_wrong(nodes[1]) == 429


async def hears(here: Place, there: Place) -> bool:
    """Whether a word of one node is heard at the other within a moment."""
    heard = asyncio.Event()
    end = here.node.ports.bus.listen("hello", heard.set)
    there.node.ports.bus.publish("hello")
    try:
        async with asyncio.timeout(0.3):
            await heard.wait()
    except TimeoutError:
        return False
    finally:
        end()
    return True


async def test_signal_and_limits_outlive_redis_under_load_and_join_again_without_a_restart(
    join_in: Callable[..., Awaitable[Place]], own_redis: RedisServer
) -> None:
    nodes = [await join_in(domain="localhost") for _ in range(2)]
    async with under_load(nodes) as load, asyncio.timeout(2 * PATIENCE_S):
        await load.goes_on()
        while not await hears(nodes[0], nodes[1]):
            pass
        assert await count_together(nodes, "together")

        own_redis.kill()
        assert not await hears(nodes[0], nodes[1])
        assert not await count_together(nodes, "apart")
        began = time.monotonic()
        assert (await linked(nodes[0], nodes[1], "ada")).session_id
        log.info("without Redis: QR sign-in over two nodes in %.1f s", time.monotonic() - began)
        await load.goes_on()

        own_redis.start()
        began = time.monotonic()
        while not (await hears(nodes[0], nodes[1]) and await hears(nodes[1], nodes[0])):
            pass
        log.info("words are shared again after %.1f s", time.monotonic() - began)
        for number in count():
            if await count_together(nodes, f"again-{number}"):
                break
        log.info("rates are counted together again after %.1f s", time.monotonic() - began)
        assert (await linked(nodes[0], nodes[1], "bob")).session_id
        await load.goes_on()
    log.info("%d calls, the slowest took %.1f s", sum(load.seen.values()), load.slowest_s)
