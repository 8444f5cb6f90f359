"""What one node tells itself and counts by itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from heliograph.core import limits, rate_limits
from heliograph.core.rate_limits import Rate, Verdict

_DROPPED_A_CALL = 2
"""Keys that are looked at for each call: more than one comes in, so that idle ones go faster than new ones come."""


class InProcessBus:
    """The adapter of `Bus` for one process. Made, used and forgotten on one event loop."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def publish(self, topic: str) -> None:
        """Tell all that listen to a topic."""
        for hear in tuple(self._listeners.get(topic, ())):
            hear()

    def listen(self, topic: str, hear: Callable[[], None]) -> Callable[[], None]:
        """Call `hear` at each word of that topic; what comes back ends it, and may be called again."""
        self._listeners.setdefault(topic, []).append(hear)

        def end() -> None:
            listeners = self._listeners.get(topic, [])
            if hear in listeners:
                listeners.remove(hear)
            if not listeners:
                self._listeners.pop(topic, None)

        return end


class InProcessRateCounters:
    """The adapter of `RateCounters` in memory.

    The keys stand in the order of their last call. A key whose arrival time has passed counts as never seen, so with
    each call those that have waited longest are dropped if they are idle; at the bound they are dropped anyway.

    Args:
        max_keys: how many keys are remembered.
    """

    def __init__(self, max_keys: int = limits.RATE_COUNTERS_MAX) -> None:
        self._max_keys = max_keys
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._arrivals)

    async def take(self, key: str, rate: Rate, now: float) -> Verdict:
        """Take one call of `key`; one that has to wait takes nothing."""
        verdict = rate_limits.take(self._arrivals.get(key, 0.0), rate, now)
        self._arrivals[key] = verdict.arrival
        self._arrivals.move_to_end(key)
        self._drop(now)
        return verdict

    def _drop(self, now: float) -> None:
        for _ in range(_DROPPED_A_CALL):
            key = next(iter(self._arrivals))
            if self._arrivals[key] > now and len(self._arrivals) <= self._max_keys:
                return
            del self._arrivals[key]
