"""How much a client may send: a token bucket that is only filled up when it is found empty, so that counting what is
taken costs its owner one subtraction (RFC 6120, section 13.12).
"""

from __future__ import annotations

from dataclasses import dataclass

UNITS_PER_BYTE = 1 / 1024
"""A stanza takes one unit, and one more for each KiB."""


@dataclass(slots=True)
class Allowance:
    """A token bucket.

    Args:
        rate_per_s: units that come in a second.
        burst: the units that it holds at most, and at first.
        filled_at: when it was filled last, in seconds on any clock.
        left: units that may still be taken at once; below zero somebody has taken too much.
        was_left: the same when it was filled last.
    """

    rate_per_s: float
    burst: float
    filled_at: float
    left: float
    was_left: float

    @classmethod
    def full(cls, rate_per_s: float, burst: float, now: float) -> Allowance:
        """A bucket from which nothing was taken."""
        return cls(rate_per_s, burst, now, burst, burst)

    def refill(self, now: float) -> float:
        """Add the units that have come since the last time; returns how many were taken since then."""
        taken = self.was_left - self.left
        self.left = self.was_left = min(self.burst, self.left + (now - self.filled_at) * self.rate_per_s)
        self.filled_at = now
        return taken

    def take(self, units: float, now: float) -> float:
        """Take units; returns the seconds to wait until nobody has taken too much."""
        self.left -= units
        if self.left < 0:
            self.refill(now)
        return self.lack_s

    @property
    def lack_s(self) -> float:
        """The seconds until nobody has taken too much; 0.0 if nobody has."""
        return max(0.0, -self.left / self.rate_per_s)
