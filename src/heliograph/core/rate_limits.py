"""Rate limits as the generic cell rate algorithm (GCRA): one number a key, no window edges."""

from __future__ import annotations

from typing import NamedTuple


class Rate(NamedTuple):
    """At most `burst` calls at once, and `per_minute` calls a minute in the long run."""

    per_minute: float
    burst: int


class Verdict(NamedTuple):
    """What a call gets: the new theoretical arrival time to keep, and the seconds to wait (0.0: go ahead)."""

    arrival: float
    wait_s: float


def take(arrival: float, rate: Rate, now: float) -> Verdict:
    """Decide one call.

    Args:
        arrival: the key's theoretical arrival time in seconds since the epoch; 0.0 for a key never seen.
        rate: what the key is allowed.
        now: seconds since the epoch.
    """
    interval = 60.0 / rate.per_minute
    start = max(arrival, now)
    wait_s = start - now - interval * (rate.burst - 1)
    if wait_s > 1e-9:
        return Verdict(arrival, wait_s)
    return Verdict(start + interval, 0.0)
