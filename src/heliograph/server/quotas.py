"""What a caller is told of its rate limits, with each answer.

The headers are `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`: the form of
draft-ietf-httpapi-ratelimit-headers up to its version 06, which gateways and client libraries read today. Later
versions put the same numbers into structured fields (`RateLimit`, `RateLimit-Policy`), which few read so far.
"""

from __future__ import annotations

import math

from starlette.requests import HTTPConnection
from starlette.responses import Response

from heliograph.core import rate_limits
from heliograph.core.ports import RateCounters
from heliograph.core.rate_limits import Quota, Rate, Verdict

HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


class ObservedRates:
    """The counters of one call, which remember the tightest of the limits that the call drew on.

    Args:
        counters: the node's.

    Attributes:
        tightest: the quota with the smallest part left; `None` where none was asked.
    """

    def __init__(self, counters: RateCounters) -> None:
        self.tightest: Quota | None = None
        self._counters = counters

    async def take(self, key: str, rate: Rate, now: float) -> Verdict:
        """Take one call of `key`."""
        verdict = await self._counters.take(key, rate, now)
        quota = rate_limits.quota(verdict, rate, now)
        if self.tightest is None or _part(quota) < _part(self.tightest):
            self.tightest = quota
        return verdict


def _part(quota: Quota) -> float:
    return quota.remaining / max(1, quota.limit)


def observe(request: HTTPConnection, counters: RateCounters) -> ObservedRates:
    """The counters for one request, whose answer will tell of them."""
    observed = ObservedRates(counters)
    request.state.rates = observed
    return observed


def tell(request: HTTPConnection, response: Response) -> Response:
    """The answer, with what is left for its caller."""
    observed: ObservedRates | None = getattr(request.state, "rates", None)
    if observed is not None and observed.tightest is not None:
        for name, value in zip(HEADERS, observed.tightest, strict=True):
            response.headers[name] = str(math.ceil(value))
    return response
