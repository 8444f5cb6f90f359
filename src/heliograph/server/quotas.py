"""What a caller is told of its rate limits, with each answer.

The headers are `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`: the form of
draft-ietf-httpapi-ratelimit-headers up to its version 06, which gateways and client libraries read today. Later
versions put the same numbers into structured fields (`RateLimit`, `RateLimit-Policy`), which few read so far.
"""

from __future__ import annotations

import math
from contextvars import ContextVar

from heliograph.core import rate_limits
from heliograph.core.ports import RateCounters
from heliograph.core.rate_limits import Quota, Rate, Verdict

HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

_NAMES = tuple(name.lower().encode() for name in HEADERS)


class Tightest:
    """Of the limits that one call drew on, the one with the smallest part left."""

    __slots__ = ("_part", "_quota")

    def __init__(self) -> None:
        self._quota: Quota | None = None
        self._part = math.inf

    def note(self, quota: Quota) -> None:
        """The call drew on a limit, and this is left of it."""
        part = quota.remaining / max(1, quota.limit)
        if part < self._part:
            self._quota, self._part = quota, part

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the answer tells of it, in the form of ASGI; nothing where the call drew on no limit."""
        if self._quota is None:
            return []
        return [(name, b"%d" % math.ceil(value)) for name, value in zip(_NAMES, self._quota, strict=True)]


_call: ContextVar[Tightest | None] = ContextVar("heliograph_quota", default=None)


def observe() -> Tightest:
    """Note from now on what the call draws on that this task answers, with the tasks that it starts."""
    tightest = Tightest()
    _call.set(tightest)
    return tightest


class ObservedRates:
    """Rate counters that note for each call what it draws on.

    Args:
        counters: the node's.
    """

    def __init__(self, counters: RateCounters) -> None:
        self._counters = counters

    async def take(self, key: str, rate: Rate, now: float) -> Verdict:
        """Take one call of `key`."""
        verdict = await self._counters.take(key, rate, now)
        tightest = _call.get()
        if tightest is not None:
            tightest.note(rate_limits.quota(verdict, rate, now))
        return verdict
