"""Words and rate counters that all nodes share, by Redis or Valkey.

Neither is needed for anything to be right. Without Redis a node tells its own listeners alone, and those on other nodes
find out when they look into the database, as they do now and then; rates are counted by each node for itself. When
Redis is back, it is used again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from heliograph.bus import Shared
from heliograph.bus.in_process import InProcessBus, InProcessRateCounters
from heliograph.core.rate_limits import CLOCK_STEP_S, Rate, Verdict

CHANNEL = "heliograph:words"
RATE_PREFIX = "heliograph:rate:"
TIMEOUT_S = 0.25
"""How long a call may wait for Redis before it is answered without it."""
RETRY_S = 1.0
"""How long Redis is left alone after it has failed."""
OUTGOING_MAX = 1000
"""Words that wait to be sent; the oldest go first."""

_TAKE = f"""
local arrival = tonumber(redis.call('GET', KEYS[1]) or '0')
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local start = math.max(arrival, now)
local wait = start - now - interval * (burst - 1)
if wait > {CLOCK_STEP_S} then
  return {{string.format('%.17g', arrival), string.format('%.17g', wait)}}
end
arrival = start + interval
redis.call('SET', KEYS[1], string.format('%.17g', arrival), 'PX', math.max(1, math.ceil((arrival - now) * 1000)))
return {{string.format('%.17g', arrival), '0'}}
"""
"""`rate_limits.take` in one step inside Redis. A key whose arrival time has passed counts as never seen: it expires."""

log = structlog.get_logger("heliograph.bus")


class Reach:
    """Whether Redis answers; after a failure it is left alone for a moment."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failed_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is worth a try."""
        return self._failed_at is None or self._now() - self._failed_at >= RETRY_S

    def failed(self, error: Exception) -> None:
        """It did not answer."""
        if self._failed_at is None:
            log.warning("redis_lost", problem=type(error).__name__)
        self._failed_at = self._now()

    def answered(self) -> None:
        """It answered."""
        if self._failed_at is not None:
            log.info("redis_back")
        self._failed_at = None


class RedisRateCounters:
    """The adapter of `RateCounters` that counts for all nodes together, or for this one while Redis is away.

    Args:
        redis: the client.
        reach: whether it answers.
    """

    def __init__(self, redis: Redis, reach: Reach) -> None:
        self._reach = reach
        self._script = redis.register_script(_TAKE)
        self._alone = InProcessRateCounters()

    async def take(self, key: str, rate: Rate, now: float) -> Verdict:
        """Take one call of `key`; one that has to wait takes nothing."""
        if self._reach.is_open:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    found = await self._script(
                        keys=[RATE_PREFIX + key], args=[repr(now), repr(60.0 / rate.per_minute), repr(rate.burst)]
                    )
            except (RedisError, OSError, TimeoutError) as error:
                self._reach.failed(error)
            else:
                self._reach.answered()
                return Verdict(float(found[0]), float(found[1]))
        return await self._alone.take(key, rate, now)


class RedisBus:
    """The adapter of `Bus` that reaches all nodes, or this one while Redis is away; `send` and `receive` keep it going.

    Args:
        redis: the client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._here = InProcessBus()
        self._name = secrets.token_hex(8)
        self._outgoing: deque[str] = deque(maxlen=OUTGOING_MAX)
        self._is_waiting = asyncio.Event()

    def publish(self, topic: str) -> None:
        """Tell all that listen to a topic, here at once. Never waits."""
        self._here.publish(topic)
        self._outgoing.append(topic)
        self._is_waiting.set()

    def listen(self, topic: str, hear: Callable[[], None]) -> Callable[[], None]:
        """Call `hear` at each word of that topic; what comes back ends it."""
        return self._here.listen(topic, hear)

    async def send(self) -> None:
        """Bring this node's words to the others until cancelled; a connection that is lost is made again."""
        await self._again(self._send)

    async def receive(self) -> None:
        """Hear the others' words until cancelled; a connection that is lost is made again."""
        await self._again(self._receive)

    async def _again(self, work: Callable[[], AsyncIterator[None]]) -> None:
        reach = Reach()
        while True:
            try:
                async for _ in work():
                    reach.answered()
            except (RedisError, OSError, TimeoutError) as error:
                reach.failed(error)
            await asyncio.sleep(RETRY_S)

    async def _send(self) -> AsyncIterator[None]:
        while True:
            await self._is_waiting.wait()
            while self._outgoing:
                async with asyncio.timeout(TIMEOUT_S):
                    await self._redis.publish(CHANNEL, f"{self._name} {self._outgoing[0]}")
                self._outgoing.popleft()
                yield
            self._is_waiting.clear()

    async def _receive(self) -> AsyncIterator[None]:
        async with self._redis.pubsub() as subscription:
            await subscription.subscribe(CHANNEL)
            async for message in subscription.listen():
                yield
                if message["type"] != "message":
                    continue
                name, _, topic = message["data"].partition(" ")
                if name != self._name:
                    self._here.publish(topic)


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Shared]:
    """Bus and counters over a server, which need not be there yet.

    Args:
        url: such as `redis://user:password@host:6379/0`, or `rediss://` with TLS.
    """
    redis: Redis = Redis.from_url(
        url, decode_responses=True, socket_connect_timeout=TIMEOUT_S, health_check_interval=10, socket_keepalive=True
    )
    bus = RedisBus(redis)
    running = {asyncio.create_task(bus.send()), asyncio.create_task(bus.receive())}
    try:
        yield Shared(bus, RedisRateCounters(redis, Reach()))
    finally:
        while running:
            for task in running:
                task.cancel()  # redis-py may take a cancellation for the end of its own wait, so more than once
            _, running = await asyncio.wait(running, timeout=TIMEOUT_S)
        await redis.aclose()
